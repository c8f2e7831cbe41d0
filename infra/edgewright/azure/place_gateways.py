"""Places self-hosted gateways and what they need: their registration, machines or pods, and a Redis for their cache."""

from typing import TYPE_CHECKING, Any, NamedTuple

import pulumi

from edgewright.azure.api import Api
from edgewright.azure.api_management import ApiManagement
from edgewright.azure.binding_model import GatewaysModel
from edgewright.azure.bindings import pooled
from edgewright.azure.compile_balancers import EDGE, GATEWAYS
from edgewright.azure.compile_network import PODS, elsewhere, redis_port
from edgewright.azure.diagnostics import place_address_diagnostics
from edgewright.azure.external_cache import ExternalCache
from edgewright.azure.place_monitoring import workspace_of
from edgewright.azure.place_network import network_id, subnet
from edgewright.azure.place_service import certificate_identity
from edgewright.azure.placement import CONNECTION, Site, host_key
from edgewright.azure.self_hosted_gateway import SelfHostedGateway
from edgewright.azure.service_certificate import ServiceCertificate
from edgewright.azure.websocket_api import WebSocketApi
from edgewright.clouds.part import place

if TYPE_CHECKING:
    from pulumi_azure_native.network import PublicIPAddress

    from edgewright.azure.edge_monitoring import EdgeMonitoring
    from edgewright.azure.gateway_scale_set import GatewayScaleSet
    from edgewright.azure.kubernetes_cluster import KubernetesCluster
    from edgewright.azure.kubernetes_gateway import KubernetesGateway
    from edgewright.azure.kubernetes_services import KubernetesServices
    from edgewright.azure.load_balancer import LoadBalancer
    from edgewright.azure.managed_redis import ManagedRedis
    from edgewright.azure.network import Network
    from edgewright.azure.private_dns_zone import PrivateDnsZone

# The SDKs of machines and of Kubernetes are large: they are imported where they are used.

KUBERNETES_VERSION = "1.34"
"""Of a cluster to create, where the stack says none."""


PLANNED_RANGE = "10.0.1.0/24"
"""Stands for the services' subnet in a plan without a network."""


class Cluster(NamedTuple):
    """What runs in Kubernetes; address: what clients reach, known where it is made before."""

    cluster: "KubernetesCluster"
    gateway: "KubernetesGateway"
    samples: "KubernetesServices | None"
    address: "PublicIPAddress | None"


def gateways_of(site: Site) -> GatewaysModel:
    """Where the stack has its gateways."""
    found = site.bindings.data.gateways
    if found is None:
        raise AssertionError("a stack of this topology binds its gateways")
    return found


# -- the cache ---------------------------------------------------------------------------------------------------------


def place_redis(site: Site, made: "Network | None") -> "tuple[PrivateDnsZone | None, ManagedRedis | None]":
    """A Redis inside the network with its private zone, where gateways keep anything and the stack brings none."""
    bound = site.bindings.data.cache
    if not site.artifact.redis or (bound is not None and bound.existing):
        return None, None
    from edgewright.azure.managed_redis import ZONE, ManagedRedis
    from edgewright.azure.private_dns_zone import PrivateDnsZone

    zone = None
    zone_id = bound.private_dns_zone if bound is not None else None
    if zone_id is None:
        links = {"edge": {"virtual_network_id": network_id(site, made, "endpoints")}}
        zone = PrivateDnsZone(
            f"{site.name}-redis-names", site.arguments("redis_names", zone_name=ZONE, links=links), site.options()
        )
        zone_id = zone.zone.id if zone.zone is not None else None
    args = site.arguments(
        "redis",
        location=site.bound("location"),
        high_availability=site.bindings.production,
        private_endpoint={"subnet_id": subnet(site, made, "endpoints"), "private_dns_zone_id": zone_id},
    )
    if bound is not None and bound.sku is not None:
        args["sku"] = bound.sku
    return zone, ManagedRedis(f"{site.name}-redis", args, site.options())


def place_cache(site: Site, service: ApiManagement, redis: "ManagedRedis | None") -> ExternalCache | None:
    """The cache as API Management knows it."""
    if not site.artifact.redis:
        return None
    args = site.arguments("cache", tagged=False, service_name=service.name)
    if redis is not None:
        args["redis"] = redis
    else:
        args["connection_string"] = pulumi.Output.secret(site.credentials[CONNECTION])
    return ExternalCache(f"{site.name}-cache", args, site.options())


# -- what API Management knows of its gateways -------------------------------------------------------------------------


def place_certificate(site: Site, service: ApiManagement) -> ServiceCertificate:
    """The host's certificate, by which gateways end TLS."""
    _, client = certificate_identity(site)
    args = site.arguments(
        "certificate",
        tagged=False,
        service_name=service.name,
        certificate_id=f"{site.artifact.name}-host",
        key_vault={"secret_id": site.bound("certificate"), "identity_client_id": client},
    )
    return ServiceCertificate(f"{site.name}-host-certificate", args, site.options())


def place_gateway(
    site: Site,
    service: ApiManagement,
    certificate: ServiceCertificate,
    api: Api | None,
    websockets: "dict[str, WebSocketApi]",
    principal: Any,
) -> SelfHostedGateway:
    """The gateway as API Management knows it: its APIs, hosts, and who may read its configuration.

    principal: the identity by which gateways sign in.
    """
    apis: dict[str, Any] = {"edge": api.api.name} if api is not None else {}
    apis |= {item.id: websockets[item.route].api.name for item in site.artifact.websockets}
    args = site.arguments(
        "gateway",
        tagged=False,
        service_name=service.name,
        gateway_id=site.artifact.name,
        location_data={"name": site.bound("location")},
        apis=apis,
        hostnames={
            host_key(host): {"hostname": host, "certificate_id": certificate.id} for host in site.artifact.hosts
        },
        roles={
            "subscription_id": site.bound("subscription_id"),
            "service_principal_id": service.principal_id,
            "app_principal_id": principal,
        },
    )
    return SelfHostedGateway(f"{site.name}-gateway", args, site.options())


# -- where they run ----------------------------------------------------------------------------------------------------


def principal(site: Site, running: "Cluster | None") -> Any:
    """The identity by which gateways ask for their configuration."""
    if running is not None:
        return running.gateway.identity_principal_id
    machines = gateways_of(site).scale_set
    return machines.app.principal_id if machines is not None else None


def address(public: "LoadBalancer | None", running: "Cluster | None") -> pulumi.Output[str]:
    """What clients reach: the public balancer's address, or that of the gateways' Service."""
    if running is None:
        return public.frontend_ips[EDGE] if public is not None else pulumi.Output.from_input("")
    made = running.address
    return made.ip_address.apply(lambda found: found or "") if made is not None else running.gateway.address


def place_machines(
    site: Site, made: "Network | None", service: ApiManagement, public: "LoadBalancer | None"
) -> "GatewayScaleSet | None":
    """Gateways on machines, in the pool of the public balancer."""
    bound = gateways_of(site)
    machines = bound.scale_set
    if machines is None or public is None:
        return None
    from edgewright.azure.gateway_scale_set import GatewayScaleSet

    args = site.arguments(
        "machines",
        location=site.bound("location"),
        subscription_id=site.bound("subscription_id"),
        subnet_id=subnet(site, made, "gateway"),
        pool_ids=[public.pool_ids[GATEWAYS]],
        machine={
            "gateway_name": site.artifact.name,
            "service_name": service.name,
            "tenant_id": machines.app.tenant_id,
            "client_id": machines.app.client_id,
            "vault_name": machines.certificate.vault_name,
            "secret_name": machines.certificate.secret_name,
            "image_tag": bound.image_tag or "",
        },
        vault_id=machines.certificate.scope,
        ssh_public_key=machines.ssh_public_key,
        zones=site.bindings.zones,
        min_count=machines.min_count,
        max_count=machines.max_count,
    )
    if machines.size is not None:
        args["size"] = machines.size
    return GatewayScaleSet(f"{site.name}-machines", args, site.options())


def place_cluster(
    site: Site, made: "Network | None", service: ApiManagement, logs: "EdgeMonitoring | None"
) -> Cluster | None:
    """Gateways in Kubernetes, in a cluster that is made or there, with sample services where the stack has them."""
    bound = gateways_of(site).kubernetes
    if bound is None:
        return None
    from edgewright.azure.kubernetes_cluster import KubernetesCluster
    from edgewright.azure.kubernetes_gateway import KubernetesGateway

    cluster = KubernetesCluster(f"{site.name}-cluster", _cluster_args(site, made, logs), site.options())
    login: dict[str, Any] = {"kubeconfig": cluster.kubeconfig, "cluster_id": cluster.id}
    namespace = bound.namespace or f"{site.artifact.name}-gateways"
    samples = _samples(site, namespace, login)
    address = _public_address(site, logs) if bound.create is not None else None
    args = site.arguments(
        "gateways",
        location=site.bound("location"),
        service_name=service.name,
        gateway_id=site.artifact.name,
        oidc_issuer_url=cluster.oidc_issuer_url,
        image_tag=gateways_of(site).image_tag or "",
        namespace=namespace,
        profile=site.bindings.data.profile,
        replicas=bound.replicas,
        destinations=_destinations(site),
        **login,
    )
    if site.artifact.redis:
        args["redis_port"] = redis_port(site.bindings)
    if address is not None:
        args["load_balancer"] = {
            "public_ip_name": address.name,
            "public_ip_resource_group": site.bound("resource_group"),
        }
    gateway = KubernetesGateway(f"{site.name}-gateways", args, site.options())
    return Cluster(cluster, gateway, samples, address)


def _cluster_args(site: Site, made: "Network | None", logs: "EdgeMonitoring | None") -> Any:
    bound = gateways_of(site).kubernetes
    if bound is None:
        raise AssertionError(site.name)
    if bound.existing is not None:
        there = bound.existing
        found = site.arguments(
            "cluster",
            tagged=False,
            subscription_id=site.bound("subscription_id"),
            existing={
                "name": there.name,
                "resource_group_name": there.resource_group,
                "oidc_issuer_url": there.oidc_issuer_url,
            },
        )
        del found["resource_group_name"]
        return found
    wanted = bound.create
    if wanted is None:
        raise AssertionError(site.name)
    group = pulumi.Output.concat(
        "/subscriptions/", site.bound("subscription_id"), "/resourceGroups/", site.bound("resource_group")
    )
    args = site.arguments(
        "cluster",
        location=site.bound("location"),
        subscription_id=site.bound("subscription_id"),
        subnet_id=subnet(site, made, "gateway"),
        subnet_cidr=_nodes_range(site),
        pod_cidr=PODS,
        kubernetes_version=wanted.kubernetes_version or KUBERNETES_VERSION,
        profile=site.bindings.data.profile,
        zones=site.bindings.zones,
        user_pool={"max_count": _nodes(site)},
        public_ip_scopes={"edge": group},
    )
    network = site.bindings.data.network
    if network is not None and network.create is not None:
        args["network_cidr"] = network.create.cidr
    if wanted.private or wanted.api_server_ranges:
        ranges = [*wanted.api_server_ranges, *_nat_ranges(made)]
        args["api_server"] = {"private": True} if wanted.private else {"authorized_ranges": ranges}
    if wanted.admin_group_ids:
        args["admin_group_ids"] = wanted.admin_group_ids
    args["workspace_id"] = workspace_of(site, logs)
    return args


def _nodes_range(site: Site) -> str:
    """Of the subnet of nodes: of our network, or as the stack describes an existing one."""
    network = site.bindings.data.network
    there = network.gateway_subnet if network is not None else None
    return (there.cidr if there is not None else None) or site.artifact.subnets["gateway"]["cidr"]


def _nodes(site: Site) -> int:
    """The most nodes that gateways and services may take.

    A node holds one gateway, which asks for two of its four processors; an update brings a quarter more of them. With
    fewer nodes the last ones would never start, and the update would wait for them in vain.
    """
    bound = gateways_of(site).kubernetes
    replicas = bound.replicas if bound is not None else 0
    production = site.bindings.production
    most = max(10, replicas) if production else replicas  # in production as far as the autoscaler goes
    return max(most + -(-most // 4), 2 * max(len(site.bindings.zones), 1) if production else 2)


def _nat_ranges(made: "Network | None") -> list[pulumi.Output[str]]:
    """Nodes reach the API by the NAT gateway: where ranges are said, its address must be one of them.

    Only the addresses of a cluster's own outbound balancer are let in unsaid ("API server authorized IP ranges"), and
    nodes that are not let in are never ready (MicrosoftDocs/azure-docs issue 111834). Of an existing network the stack
    must say it.
    """
    if made is None or made.nat_ip is None:
        return []
    return [pulumi.Output.concat(made.nat_ip.ip_address.apply(lambda found: found or ""), "/32")]


def _destinations(site: Site) -> dict[str, Any]:
    """Where gateways may go: the namespaces of backends in the cluster, on their ports; the services' subnet, and
    addresses outside on other ports than 443, which are let out anyway."""
    edge, bindings = site.compiled.edge, site.bindings
    inside: dict[str, set[int]] = {}
    for name, item in edge.backends.items():
        host = bindings.service_of(name, edge.name)
        if host is not None:
            inside.setdefault(host.split(".")[1], set()).add(item.port)
    found: dict[str, Any] = {name: {"namespace": name, "ports": sorted(ports)} for name, ports in inside.items()}
    behind = pooled(edge, bindings)
    if behind:
        ports = sorted({edge.backends[name].port for name in behind})
        found["services-subnet"] = {"cidr": _services_range(site), "ports": ports}
    for peer, ports in elsewhere(edge, bindings).items():
        cidr = "0.0.0.0/0" if peer == "Internet" else peer
        if ports - {443}:
            found[f"to-{peer.lower().replace('/', '-')}"] = {"cidr": cidr, "ports": sorted(ports - {443})}
    return dict(sorted(found.items()))


def _services_range(site: Site) -> str:
    network = site.bindings.data.network
    bound = network.services_subnet if network is not None else None
    said = bound.cidr if bound is not None else site.artifact.subnets["services"]["cidr"]
    return said or PLANNED_RANGE


def _samples(site: Site, gateways: str, login: Any) -> "KubernetesServices | None":
    """Backends that the stack has as samples, in a namespace of their own."""
    edge = site.compiled.edge
    wanted = [name for name, item in site.bindings.data.backends.items() if item.sample]
    if not wanted:
        return None
    from edgewright.azure.bindings import SAMPLES
    from edgewright.azure.kubernetes_services import KubernetesServices

    args = site.arguments(
        "samples",
        tagged=False,
        services={name: {"port": edge.backends[name].port} for name in wanted},
        namespace=f"{edge.name}-{SAMPLES}",
        gateway_namespace=gateways,
        **login,
    )
    del args["resource_group_name"]
    return KubernetesServices(f"{site.name}-samples", args, site.options())


def _public_address(site: Site, logs: "EdgeMonitoring | None") -> "PublicIPAddress":
    """The address of the gateways' Service: one that outlives the Service and the cluster."""
    from pulumi_azure_native import network

    overrides = site.overrides.get("address")
    made = place(
        network.PublicIPAddress,
        f"{site.name}-address",
        {
            "resource_group_name": site.bound("resource_group"),
            "location": site.bound("location"),
            "sku": {"name": "Standard", "tier": "Regional"},
            "public_ip_allocation_method": "Static",
            "public_ip_address_version": "IPv4",
            "zones": site.bindings.zones or None,
            # Azure's default, said, so that nobody takes the address out of the network's plan unseen.
            "ddos_settings": {"protection_mode": "VirtualNetworkInherited"},
            "tags": {"edgewright:edge": site.artifact.name, **site.bindings.data.tags},
        },
        parent=site.parent,
        overrides=overrides,
        key="address",
        protect=site.bindings.production or None,
    )
    workspace = workspace_of(site, logs)
    if workspace is not None:
        place_address_diagnostics(
            site.parent, f"{site.name}-address-logs", made.id, workspace, overrides=overrides, key="diagnostics"
        )
    return made
