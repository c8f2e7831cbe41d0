"""The subnets of an edge's network as data: what stands in each, who may reach it and what it may reach."""

from collections.abc import Iterator, Sequence
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

from edgewright.azure.artifact import Json
from edgewright.azure.bindings import Bindings
from edgewright.azure.compile_balancers import streams_of
from edgewright.azure.network_rules import ROLES, existing_subnet_problems, slots
from edgewright.azure.topology import Topology
from edgewright.edge.model import Edge, IntrospectionAuthorizer, JwtAuthorizer
from edgewright.spec.problems import Place, Problem

SUBNETS: tuple[str, ...] = ("gateway", "services", "front", "endpoints")
"""In the order of their ranges in a network to create: each keeps its own whatever others there are."""

GATEWAY, SERVICES, FRONT, ENDPOINTS = SUBNETS

REDIS_PORT = 10_000
"""Of Azure Managed Redis."""

PODS = "10.244.0.0/16"
"""The range of pods in a cluster to create; no part of any network."""


def subnets_of(
    edge: Edge, bindings: Bindings, topology: Topology, network: str, behind: Sequence[str], *, redis: bool
) -> dict[str, Json]:
    """The subnets that an edge needs, by name, as arguments of `Network`; without ranges where none is created.

    network: how API Management is in it; behind: backends behind the services' balancer; redis: whether gateways have
    one, ours or another.
    """
    ours = redis and not redis_elsewhere(bindings)
    roles: dict[str, str] = {}
    if topology == "balancer-first":
        roles[GATEWAY] = "kubernetes" if bindings.on_kubernetes else "machines"
    elif network != "none":
        roles[GATEWAY] = network
    if behind or streams_of(edge):
        roles[SERVICES] = "services"
    if topology == "appgw-waf":
        roles[FRONT] = "application-gateway"
    if ours:
        roles[ENDPOINTS] = "private-endpoints"
    created = bindings.data.network.create if bindings.data.network is not None else None
    ranges = dict(zip(SUBNETS, slots(created.cidr) if created is not None else [""] * len(SUBNETS), strict=False))
    return {
        name: {
            "cidr": ranges[name],
            "role": role,
            "open_to": list(_open_to(role, edge, behind)),
            "reaches": list(_reaches(name, role, edge, bindings, behind, redis=redis)),
            **({"pods": PODS} if role == "kubernetes" else {}),
        }
        for name, role in roles.items()
    }


def _open_to(role: str, edge: Edge, behind: Sequence[str]) -> Iterator[Json]:
    match role:
        case "services":
            if behind:
                ports = sorted({edge.backends[one].port for one in behind})
                yield _opening("gateway", GATEWAY, ports, "from the gateway")
            for protocol, ports in (("Tcp", _stream_ports(edge, udp=False)), ("Udp", _stream_ports(edge, udp=True))):
                if ports:
                    yield _opening(f"streams-{protocol.lower()}", "Internet", ports, "clients of streams", protocol)
        case "kubernetes":
            yield _opening("clients", "Internet", [443], "clients; the balancer keeps their address")
        case "internal":
            yield _opening("front", FRONT, [443], "from the Application Gateway")
        case "application-gateway" if any(item.web and item.redirect_http for item in edge.listeners):
            yield _opening("redirected", "Internet", [80], "clients that are sent to HTTPS")
        case "private-endpoints":
            yield _opening("gateway", GATEWAY, [REDIS_PORT], "the gateways' cache")
        case _:
            return


def _reaches(
    name: str, role: str, edge: Edge, bindings: Bindings, behind: Sequence[str], *, redis: bool
) -> Iterator[Json]:
    if name != GATEWAY:
        return
    if behind:
        yield _opening("services", SERVICES, sorted({edge.backends[one].port for one in behind}), "services")
    if redis and not redis_elsewhere(bindings):
        yield _opening("redis", ENDPOINTS, [REDIS_PORT], "the gateways' cache")
    elif redis:
        # Where it is, only its connection string says, which is a secret.
        for peer, word in (("VirtualNetwork", "near"), ("Internet", "far")):
            yield _opening(f"redis-{word}", peer, [redis_port(bindings)], "the gateways' cache, which is there")
    known = {port for rule in ROLES[role].rules if rule.peer == "Internet" for port in rule.ports}
    for peer, ports in sorted(elsewhere(edge, bindings).items()):
        left = [port for port in sorted(ports) if peer != "Internet" or str(port) not in known]
        if left:
            yield _opening(f"to-{peer.lower().replace('/', '-')}", peer, left, "backends and issuers with a URL")


def redis_elsewhere(bindings: Bindings) -> bool:
    """Whether the gateways' Redis is one that is there."""
    return bindings.data.cache is not None and bindings.data.cache.existing


def redis_port(bindings: Bindings) -> int:
    """Of the gateways' Redis."""
    cache = bindings.data.cache
    return cache.port if cache is not None and cache.existing else REDIS_PORT


def elsewhere(edge: Edge, bindings: Bindings) -> dict[str, set[int]]:
    """Ports that gateways ask outside of what is made here: of backends with a URL, and of who knows about tokens. By
    where they are: a private address, or the internet."""
    urls = [url for name in edge.backends if (url := bindings.url_of(name)) is not None]
    for item in edge.authorizers.values():
        if isinstance(item, IntrospectionAuthorizer):
            urls.append(item.endpoint)
        elif isinstance(item, JwtAuthorizer) and item.jwks is None:
            urls.append(item.jwks_uri or item.issuer)
    found: dict[str, set[int]] = {}
    for url in urls:
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
        found.setdefault(_peer(parts.hostname or ""), set()).add(port)
    return found


def _peer(host: str) -> str:
    try:
        address = IPv4Address(host)
    except AddressValueError:
        return "Internet"
    return f"{address}/32" if address.is_private else "Internet"


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
        # What the stack does not say of a subnet is taken as right: nobody can look here.
        for what in existing_subnet_problems(item["role"], cidr=described.cidr, delegation=described.delegation):
            place = Place("bindings", path=("network", f"{name}_subnet"))
            yield Problem(place, what, "bind another subnet", code="binding")
