"""The Load Balancers of an edge as data: the internal one before services, and the public one before gateways and
streams."""

from collections.abc import Sequence

from edgewright.azure.artifact import Balancer, Json
from edgewright.azure.gateway_machine import HTTP_PORT, HTTPS_PORT, STATUS_PATH
from edgewright.edge.model import Backend, Edge, Listener

EDGE = "edge"
"""The frontend of the public balancer."""

GATEWAYS = "gateways"
"""The pool and the probe of self-hosted gateways."""


def stream_pool(backend: str) -> str:
    """The pool of a backend's machines behind the public balancer."""
    return f"stream-{backend}"


def streams_of(edge: Edge) -> tuple[Listener, ...]:
    """The listeners that carry connections or datagrams, and no routes."""
    return tuple(item for item in edge.listeners if not item.web and item.backend is not None)


def services(edge: Edge, behind: Sequence[str]) -> Balancer:
    """The internal balancer: a frontend of its own for each backend, so that each keeps its port and its address
    whatever other backends there are."""
    frontends: dict[str, Json] = {}
    pools: dict[str, Json] = {}
    probes: dict[str, Json] = {}
    rules: dict[str, Json] = {}
    for name in behind:
        item = edge.backends[name]
        frontends[name] = {"internal": True}
        pools[name] = {}
        probes[name] = _probe(item)
        rules[name] = _rule(name, name, name, "Tcp", item.port, item.port)
    return Balancer(True, frontends, pools, probes, rules)


def public(edge: Edge, *, machines: bool) -> Balancer | None:
    """The public balancer: one address for the gateways' machines and for all streams; None where it has neither."""
    pools: dict[str, Json] = {}
    probes: dict[str, Json] = {}
    rules: dict[str, Json] = {}
    if machines:
        pools[GATEWAYS] = {}
        probes[GATEWAYS] = {
            "protocol": "Http",
            "port": HTTP_PORT,
            "path": STATUS_PATH,
            "interval_seconds": 5,
            "probe_threshold": 2,
        }
        for item in edge.listeners:
            if item.web:
                rules[item.name] = _rule(EDGE, GATEWAYS, GATEWAYS, "Tcp", item.port, HTTPS_PORT)
    for item in streams_of(edge):
        backend = edge.backends[item.backend or ""]
        pool = stream_pool(backend.name)
        pools[pool] = {}
        probes[pool] = _probe(backend)
        protocol = "Udp" if item.protocol == "udp" else "Tcp"
        rules[item.name] = _rule(EDGE, pool, pool, protocol, item.port, backend.port)
    return Balancer(False, {EDGE: {}}, pools, probes, rules) if rules else None


def _probe(item: Backend) -> Json:
    check = item.health_check
    found: Json = {"protocol": "Tcp", "port": item.port, "interval_seconds": 15, "probe_threshold": 2}
    if check is not None:
        # A probe asks every 5 seconds at most often (Microsoft's page of the probe).
        found |= {"interval_seconds": max(5, check.interval // 1000), "probe_threshold": check.unhealthy_threshold}
        if check.path is not None:
            found |= {"protocol": "Https" if item.protocol == "https" else "Http", "path": check.path}
    return found


def _rule(frontend: str, pool: str, probe: str, protocol: str, port: int, backend_port: int) -> Json:
    return {
        "frontend": frontend,
        "pools": [pool],
        "probe": probe,
        "protocol": protocol,
        "frontend_port": port,
        "backend_port": backend_port,
    }
