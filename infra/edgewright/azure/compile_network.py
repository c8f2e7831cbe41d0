"""The subnets of an edge's network as data: what stands in each, who may reach it and what it may reach."""

from collections.abc import Iterator, Sequence

from edgewright.azure.artifact import Json
from edgewright.azure.bindings import Bindings
from edgewright.azure.compile_balancers import streams_of
from edgewright.azure.network_rules import existing_subnet_problems, slots
from edgewright.azure.topology import Topology
from edgewright.edge.model import Edge
from edgewright.spec.problems import Place, Problem

GATEWAY, SERVICES, FRONT, ENDPOINTS = SUBNETS = ("gateway", "services", "front", "endpoints")
"""In the order of their ranges in a network to create: each keeps its own whatever others there are."""

REDIS_PORT = 10_000
"""Of Azure Managed Redis."""


def subnets_of(
    edge: Edge, bindings: Bindings, topology: Topology, network: str, behind: Sequence[str], *, redis: bool
) -> dict[str, Json]:
    """The subnets that an edge needs, by name, as arguments of `Network`; without ranges where none is created.

    network: how API Management is in it; behind: backends behind the services' balancer; redis: whether there is one.
    """
    roles: dict[str, str] = {}
    if topology == "balancer-first":
        roles[GATEWAY] = "kubernetes" if bindings.on_kubernetes else "machines"
    elif network != "none":
        roles[GATEWAY] = network
    if behind or streams_of(edge):
        roles[SERVICES] = "services"
    if topology == "appgw-waf":
        roles[FRONT] = "application-gateway"
    if redis:
        roles[ENDPOINTS] = "private-endpoints"
    created = bindings.data.network.create if bindings.data.network is not None else None
    ranges = dict(zip(SUBNETS, slots(created.cidr) if created is not None else [""] * len(SUBNETS), strict=False))
    return {
        name: {
            "cidr": ranges[name],
            "role": role,
            "open_to": list(_open_to(name, edge, behind, network)),
            "reaches": list(_reaches(name, edge, behind, redis=redis)),
        }
        for name, role in roles.items()
    }


def _open_to(name: str, edge: Edge, behind: Sequence[str], network: str) -> Iterator[Json]:
    if name == SERVICES:
        if behind:
            yield _opening("gateway", GATEWAY, sorted({edge.backends[one].port for one in behind}), "from the gateway")
        for protocol, ports in (("Tcp", _stream_ports(edge, udp=False)), ("Udp", _stream_ports(edge, udp=True))):
            if ports:
                yield _opening(f"streams-{protocol.lower()}", "Internet", ports, "clients of streams", protocol)
    if name == GATEWAY and network == "internal":
        yield _opening("front", FRONT, [443], "from the Application Gateway")
    if name == ENDPOINTS:
        yield _opening("gateway", GATEWAY, [REDIS_PORT], "the gateways' cache")


def _reaches(name: str, edge: Edge, behind: Sequence[str], *, redis: bool) -> Iterator[Json]:
    if name == GATEWAY and behind:
        yield _opening("services", SERVICES, sorted({edge.backends[one].port for one in behind}), "services")
    if name == GATEWAY and redis:
        yield _opening("redis", ENDPOINTS, [REDIS_PORT], "the gateways' cache")


def _stream_ports(edge: Edge, *, udp: bool) -> list[int]:
    found = [item for item in streams_of(edge) if (item.protocol == "udp") == udp]
    return sorted({edge.backends[item.backend or ""].port for item in found})


def _opening(name: str, peer: str, ports: Sequence[int], why: str, protocol: str = "Tcp") -> Json:
    return {"name": name, "peer": peer, "ports": [str(port) for port in ports], "protocol": protocol, "why": why}


def bound_problems(bindings: Bindings, subnets: dict[str, Json]) -> Iterator[Problem]:
    """What is wrong with subnets that the stack binds and describes."""
    bound = bindings.data.network
    if bound is None or bound.create is not None:
        return
    for name, item in subnets.items():
        described = getattr(bound, f"{name}_subnet")
        if described is None:
            continue
        for what in existing_subnet_problems(item["role"], cidr=described.cidr, delegation=described.delegation):
            place = Place("bindings", path=("network", f"{name}_subnet"))
            yield Problem(place, what, "bind another subnet", code="binding")
