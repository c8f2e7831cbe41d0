"""The topology `gateway-first`: API Management, and the services' Load Balancer behind it in a network."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from edgewright.azure import placement
from edgewright.azure.api import Api
from edgewright.azure.api_backend import Backend
from edgewright.azure.api_management import ApiManagement
from edgewright.azure.compile import body_text
from edgewright.azure.placement import EdgeArgs, Site
from edgewright.azure.websocket_api import WebSocketApi
from edgewright.clouds.part import filled

if TYPE_CHECKING:
    from edgewright.azure.load_balancer import LoadBalancer
    from edgewright.azure.network import Network

# The network's SDK module is large: its parts are imported where they are made.

PARTS = ("network", "services", "service", "api", "websockets", "record")


class GatewayFirst(pulumi.ComponentResource):
    """API Management before services in a network.

    Attributes: network, services (the balancer), service (API Management), backends and backend_pools by id, api,
    websockets by route, record; those that the edge does not need are None. ``url``, ``dns_name`` to point the host at,
    ``pools`` by backend for machines to join, ``keys`` by ``AUTHORIZER:CLIENT`` (secrets).
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "gateway-first")
        super().__init__("edgewright:azure:GatewayFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        self.network = _network(site)
        self.services = _services(site, self.network)
        self.service = _service(site, self.network)
        self.backends = _backends(site, self.service, self.services)
        self.backend_pools = _backend_pools(site, self.service, self.backends)
        self.api = _api(site, self.service, [*self.backends.values(), *self.backend_pools.values()])
        self.websockets = _websockets(site, self.service, self.services)
        self.record = _record(site, self.service)

        host = site.artifact.hosts[0] if site.artifact.hosts else None
        self.dns_name = self.service.gateway_host
        self.url = pulumi.Output.from_input(f"https://{host}") if host else self.service.gateway_url
        self.pools: Mapping[str, pulumi.Output[str]] = self.services.pool_ids if self.services is not None else {}
        self.keys = _keys(site, self.api)
        self.register_outputs({"url": self.url, "dnsName": self.dns_name, "pools": dict(self.pools), "keys": self.keys})


def _network(site: Site) -> "Network | None":
    """A network of our own, where the stack asks for one."""
    bound = site.bindings.data.network
    if site.artifact.network == "none" or bound is None or bound.create is None:
        return None
    from edgewright.azure.network import Network
    from edgewright.azure.network_rules import slots

    balancer = site.artifact.services
    ports = {int(rule["backend_port"]) for rule in balancer.rules.values()} if balancer is not None else set[int]()
    first, second, *_ = slots(bound.create.cidr)
    services: dict[str, Any] = {"cidr": second, "role": "services"}
    if ports:
        services["open_to"] = [{"name": "gateway", "peer": "gateway", "ports": [str(port) for port in sorted(ports)]}]
    gateway = {
        "cidr": first,
        "role": site.artifact.network,
        # Backends may be anywhere in the network, or in networks beside it.
        "reaches": [{"name": "services", "peer": "VirtualNetwork", "ports": ["*"], "why": "services in the network"}],
    }
    args = site.arguments(
        "network",
        location=site.bound("location"),
        cidr=bound.create.cidr,
        subnets={"gateway": gateway, "services": services},
    )
    return Network(f"{site.name}-network", args, site.options())


def _subnet(site: Site, made: "Network | None", which: str) -> Any:
    """A subnet: of our own network, or bound; a placeholder in a plan without one."""
    if made is not None:
        return made.subnet_ids[which]
    bound = site.bindings.data.network
    if bound is None:
        return pulumi.Output.from_input(f"${{bind.network.{which}_subnet}}")
    found = bound.gateway_subnet if which == "gateway" else bound.services_subnet
    return found.id if found is not None else None


def _services(site: Site, network: "Network | None") -> "LoadBalancer | None":
    balancer = site.artifact.services
    if balancer is None:
        return None
    from edgewright.azure.load_balancer import LoadBalancer

    subnet = _subnet(site, network, "services")
    zones = site.bindings.zones
    args = site.arguments(
        "services",
        subscription_id=site.bound("subscription_id"),
        location=site.bound("location"),
        frontends={name: {"subnet_id": subnet, "zones": zones} for name in balancer.frontends},
        pools=balancer.pools,
        probes=balancer.probes,
        rules=balancer.rules,
    )
    return LoadBalancer(f"{site.name}-services", args, site.options())


def _service(site: Site, network: "Network | None") -> ApiManagement:
    artifact = site.artifact
    data = site.bindings.data
    publisher = data.publisher
    args = site.arguments(
        "service",
        location=site.bound("location"),
        publisher_name=publisher.name if publisher else site.bound("publisher"),
        publisher_email=publisher.email if publisher else site.bound("publisher"),
        tier=artifact.tier,
        capacity=data.capacity,
        network=artifact.network,
    )
    if artifact.network != "none":
        args["subnet_id"] = _subnet(site, network, "gateway")
    if artifact.tier == "Premium" and site.bindings.zones and data.capacity > 1:
        args["zones"] = site.bindings.zones[: data.capacity]
    if artifact.hosts:
        identity = data.certificate_identity
        stand_in = site.bound("certificate_identity")
        args["identities"] = [identity.id if identity else stand_in]
        args["hosts"] = [
            {
                "host": host,
                "key_vault_secret_id": site.bound("certificate"),
                "identity_client_id": identity.client_id if identity else stand_in,
            }
            for host in artifact.hosts
        ]
    if data.workspace is not None:
        args["workspace_id"] = data.workspace
    return ApiManagement(f"{site.name}-service", args, site.options())


def _backends(site: Site, service: ApiManagement, services: "LoadBalancer | None") -> dict[str, Backend]:
    addresses = services.frontend_ips if services is not None else {}
    found: dict[str, Backend] = {}
    for name, item in site.artifact.backends.items():
        marks = {f"address:{name}": addresses[name]} if name in addresses else {}
        args = site.arguments("", tagged=False, service_name=service.name, backend_id=name, url=filled(item.url, marks))
        if item.circuit_breaker is not None:
            args["circuit_breaker"] = item.circuit_breaker
        found[name] = Backend(f"{site.name}-to-{name}", args, site.options())
    return found


def _backend_pools(site: Site, service: ApiManagement, backends: Mapping[str, Backend]) -> dict[str, Backend]:
    return {
        name: Backend(
            f"{site.name}-pool-{name}",
            site.arguments(
                "",
                tagged=False,
                service_name=service.name,
                backend_id=name,
                pool=[{"id": backends[member].id, "weight": weight} for member, weight in members],
            ),
            site.options(),
        )
        for name, members in site.artifact.pools.items()
    }


def _api(site: Site, service: ApiManagement, after: list[pulumi.Resource]) -> Api | None:
    compiled = site.artifact.api
    if compiled is None:
        return None
    args = site.arguments(
        "api",
        tagged=False,
        service_name=service.name,
        api_id=site.artifact.name,
        display_name=site.artifact.name,
        openapi=body_text(compiled.body),
        policy=compiled.policy,
        operation_policies=compiled.operation_policies,
        # Routes that need a key ask for it in the policy: others of the same API do without.
        subscription_required=False,
        products={
            product: {
                "display_name": f"{authorizer} of {site.artifact.name}",
                "clients": {client: site.credentials.get(f"{authorizer}:{client}") for client in clients},
            }
            for product, (authorizer, clients) in compiled.products.items()
        },
        after=after,
    )
    args |= {f"key_{kind}": name for kind, name in compiled.key.items()}
    return Api(f"{site.name}-api", args, site.options())


def _websockets(site: Site, service: ApiManagement, services: "LoadBalancer | None") -> dict[str, WebSocketApi]:
    addresses = services.frontend_ips if services is not None else {}
    found: dict[str, WebSocketApi] = {}
    for item in site.artifact.websockets:
        marks = {f"address:{item.backend}": addresses[item.backend]} if item.backend in addresses else {}
        args = site.arguments(
            "websockets",
            tagged=False,
            service_name=service.name,
            api_id=item.id,
            path=item.path,
            display_name=f"{site.artifact.name}: {item.route}",
            service_url=filled(item.url, marks),
            policy=item.policy,
        )
        found[item.route] = WebSocketApi(f"{site.name}-{item.id.removeprefix(f'{site.name}-')}", args, site.options())
    return found


def _record(site: Site, service: ApiManagement) -> pulumi.CustomResource | None:
    """The host's name in its zone, where the stack binds one."""
    dns = site.bindings.data.dns
    if dns is None or not site.artifact.hosts:
        return None
    from pulumi_azure_native import dns as azure_dns

    from edgewright.clouds.part import place

    return place(
        azure_dns.RecordSet,
        f"{site.name}-host",
        {
            "resource_group_name": dns.resource_group,
            "zone_name": dns.zone,
            "record_type": "CNAME",
            "relative_record_set_name": site.artifact.hosts[0].removesuffix(f".{dns.zone}"),
            "ttl": 300,
            "cname_record": {"cname": service.gateway_host},
        },
        parent=site.parent,
        overrides=site.overrides,
        key="record",
    )


def _keys(site: Site, api: Api | None) -> dict[str, pulumi.Output[str]]:
    compiled = site.artifact.api
    if api is None or compiled is None:
        return {}
    return {
        f"{authorizer}:{client}": api.keys[f"{product}:{client}"]
        for product, (authorizer, clients) in compiled.products.items()
        for client in clients
    }
