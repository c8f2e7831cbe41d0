"""Places networks and balancers, as all topologies have them: subnets, the services' balancer, the public one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from edgewright.azure.compile_balancers import EDGE
from edgewright.azure.place_monitoring import workspace_of
from edgewright.azure.placement import Site

if TYPE_CHECKING:
    from edgewright.azure.edge_monitoring import EdgeMonitoring
    from edgewright.azure.load_balancer import LoadBalancer
    from edgewright.azure.network import Network
    from edgewright.azure.private_dns_zone import PrivateDnsZone

# The network's SDK module is large: its parts are imported where they are made.


EXPOSURE = "exposure"
"""A tag that says that a balancer is meant to be public, and for whom."""


def _logged(site: Site, logs: "EdgeMonitoring | None") -> dict[str, Any]:
    """Where a part sends what it logs, as an argument; empty where there is no workspace."""
    workspace = workspace_of(site, logs)
    return {} if workspace is None else {"workspace_id": workspace}


def place_network(site: Site, logs: "EdgeMonitoring | None") -> "Network | None":
    """A network of our own, where the stack asks for one and the edge has something in it."""
    bound = site.bindings.data.network
    if not site.artifact.subnets or bound is None or bound.create is None:
        return None
    from edgewright.azure.network import Network

    args = site.arguments(
        "network",
        location=site.bound("location"),
        cidr=bound.create.cidr,
        subnets=site.artifact.subnets,
        zones=site.bindings.zones,
        **_logged(site, logs),
    )
    if site.artifact.ddos_advanced:
        args["ddos_protection"] = True
    return Network(f"{site.name}-network", args, site.options())


def subnet(site: Site, made: "Network | None", which: str) -> Any:
    """A subnet: of our own network, or bound; a placeholder in a plan without one; None where there is no such."""
    if which not in site.artifact.subnets:
        return None
    if made is not None:
        return made.subnet_ids[which]
    bound = site.bindings.data.network
    found = getattr(bound, f"{which}_subnet") if bound is not None else None
    return found.id if found is not None else pulumi.Output.from_input(f"${{bind.network.{which}_subnet}}")


def network_id(site: Site, made: "Network | None", which: str) -> Any:
    """The network of a subnet, which private zones are linked to."""
    if made is not None:
        return made.id
    inside = pulumi.Output.from_input(subnet(site, made, which))
    return inside.apply(lambda found: str(found).rpartition("/subnets/")[0] or str(found))


def place_services(site: Site, made: "Network | None", logs: "EdgeMonitoring | None") -> "LoadBalancer | None":
    """The internal balancer, an address for each backend that has machines."""
    balancer = site.artifact.services
    if balancer is None:
        return None
    from edgewright.azure.load_balancer import LoadBalancer

    where = subnet(site, made, "services")
    args = site.arguments(
        "services",
        subscription_id=site.bound("subscription_id"),
        location=site.bound("location"),
        frontends={name: {"subnet_id": where, "zones": site.bindings.zones} for name in balancer.frontends},
        pools=balancer.pools,
        probes=balancer.probes,
        rules=balancer.rules,
        **_logged(site, logs),
    )
    return LoadBalancer(f"{site.name}-services", args, site.options())


def place_public(site: Site, logs: "EdgeMonitoring | None") -> "LoadBalancer | None":
    """The public balancer, before gateways of our own and before streams; None where there are neither."""
    balancer = site.artifact.public
    if balancer is None:
        return None
    from edgewright.azure.load_balancer import LoadBalancer

    args = site.arguments(
        "public",
        subscription_id=site.bound("subscription_id"),
        location=site.bound("location"),
        frontends={name: {"zones": site.bindings.zones} for name in balancer.frontends},
        pools=balancer.pools,
        probes=balancer.probes,
        rules=balancer.rules,
        **_logged(site, logs),
    )
    args["tags"] = {EXPOSURE: f"clients of {site.artifact.name}", **args["tags"]}
    return LoadBalancer(f"{site.name}-public", args, site.options())


def place_names(site: Site, made: "Network | None", services: "LoadBalancer | None") -> "PrivateDnsZone | None":
    """A private zone with the name of each backend behind the services' balancer, where the stack asks for one."""
    bound = site.bindings.data.private_dns
    if bound is None or services is None:
        return None
    from edgewright.azure.private_dns_zone import PrivateDnsZone

    args = site.arguments(
        "names",
        zone_name=bound.zone,
        links={"edge": {"virtual_network_id": network_id(site, made, "services")}},
        a_records={name: {"addresses": [address]} for name, address in services.frontend_ips.items()},
    )
    return PrivateDnsZone(f"{site.name}-names", args, site.options())


def pools_of(services: "LoadBalancer | None", public: "LoadBalancer | None") -> Mapping[str, pulumi.Output[str]]:
    """The pools that machines join, by name."""
    return {
        **(services.pool_ids if services is not None else {}),
        **(public.pool_ids if public is not None else {}),
    }


def address_of(public: "LoadBalancer | None") -> pulumi.Output[str] | None:
    """The public address of streams and gateways."""
    return public.frontend_ips[EDGE] if public is not None else None
