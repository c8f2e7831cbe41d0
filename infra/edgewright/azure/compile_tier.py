"""Which tier of API Management an edge gets, and why; how the service is in a network."""

from collections.abc import Iterator, Mapping, Sequence

from edgewright.azure.bindings import Bindings
from edgewright.azure.compile_authorizers import introspections
from edgewright.azure.tiers import BY_NAME, FEATURES, TIERS, Tier, cheapest, lacking
from edgewright.azure.topology import Topology
from edgewright.edge.model import Edge
from edgewright.spec.problems import Place, Problem

Chosen = tuple[Tier | None, tuple[str, ...], list[Problem]]
"""The tier, what is said of it in the plan, and what is wrong with it."""


def tier_of(edge: Edge, bindings: Bindings, topology: Topology, operations: int, behind: Sequence[str]) -> Chosen:
    """The tier, and why: as pinned, else the cheapest that has what the edge needs."""
    if not edge.routes:
        return TIERS[0], ("no API Management: the edge has connections and datagrams alone",), []
    needs = dict(_needs(edge, bindings, topology, behind))
    units = bindings.data.capacity
    best = cheapest(needs, operations, units)
    reasons = "; ".join(f"{FEATURES[need]} for {why}" for need, why in needs.items())
    place = edge.listeners[0].origin.place if edge.listeners else edge.access_log.origin.place
    if best is None:
        room = f"room for {operations:,} operations" + (f" and {units} units" if units > 1 else "")
        what = f"no tier of API Management has all that this edge needs ({reasons}) and {room}"
        remedy = "split the edge, or bind fewer units (`capacity`)" if units > 1 else "split the edge"
        return None, (), [Problem(place, what, remedy, code="tier")]
    pinned = bindings.data.tier
    if pinned is None:
        wanted = f"{units} units and what the edge needs" if units > 1 and best.units else "what the edge needs"
        text = f"the tier {best.name}, the cheapest with {wanted}: {reasons or 'nothing more'}"
        return best, (text, *_one_node(best, topology)), []
    return _pinned(BY_NAME[pinned], best, needs, place, bindings, topology)


def _pinned(
    pinned: Tier, best: Tier, needs: Mapping[str, str], place: Place, bindings: Bindings, topology: Topology
) -> Chosen:
    problems = [
        Problem(
            place,
            f"the tier {pinned.name} has no {FEATURES[need].removeprefix('a ')}, needed for {needs[need]}",
            f"{best.name} is the cheapest that has all that this edge needs; a service of another tier is a new one:"
            " place it beside the old one, and move the host name when it answers",
            code="tier",
        )
        for need in lacking(pinned, needs)
    ]
    if pinned.units and bindings.data.capacity > pinned.units:
        what = f"the tier {pinned.name} has {pinned.units} units at most, not {bindings.data.capacity}"
        problems.append(Problem(Place("bindings", path=("capacity",)), what, "fewer units", code="tier"))
    note = f"the stack has pinned the tier {pinned.name}"
    if not problems and pinned is not best and not (pinned.name == "Developer" or bindings.production):
        note += f"; {best.name} would carry this edge too"
    return pinned, (note, *_one_node(pinned, topology)), problems


def _one_node(tier: Tier, topology: Topology) -> Iterator[str]:
    if topology == "balancer-first" and tier.name == "Developer":
        yield (
            "the tier Developer allows one node for a self-hosted gateway: behind the balancer there is nothing to"
            " balance, and a second machine is refused its configuration; Premium has no such limit"
        )


def _needs(edge: Edge, bindings: Bindings, topology: Topology, behind: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What the edge needs of a tier, and for what."""
    if bindings.production:
        yield "sla", "a production stack"
        yield "logs", "a production stack"
    if edge.monitor is not None:
        yield "logs", "the alarms"
    throttled = [route.key for route in edge.routes if route.throttle is not None]
    if throttled:
        yield "rate_limit_by_key", f"the throttle{on(throttled)}"
    if topology in ("gateway-first", "balancer-first") and edge.waf is not None and edge.waf.rate_per_ip is not None:
        yield "rate_limit_by_key", "the rate of an address"
    counted = [route.key for route in edge.routes if route.quota is not None]
    if counted:
        yield "quota_by_key", f"the quota{on(counted)}"
    opaque = [item.name for item in introspections(edge) if item.cache >= 1000]
    if opaque and topology != "balancer-first":
        yield "cache", f"what is known of the tokens of {', '.join(opaque)}"
    cached = [route.key for route in edge.routes if route.cache is not None]
    if cached and topology != "balancer-first":
        yield "cache", f"the cache{on(cached)}"
    broken = [item.name for item in edge.backends.values() if item.circuit_breaker is not None]
    if broken:
        yield "circuit_breaker", f"the backends {', '.join(broken)}"
    sockets = [route.key for route in edge.routes if route.websocket]
    if sockets:
        yield "websocket", f"the WebSocket{on(sockets)}"
    hosts = dict.fromkeys(host for item in edge.listeners if item.web for host in item.hosts)
    if topology in ("gateway-first", "appgw-waf") and len(hosts) > 1:
        yield "several_hosts", f"the hosts {', '.join(hosts)}"
    behind_it = f"the services' balancer of {', '.join(behind)}"
    match topology:
        case "balancer-first":
            yield "self_hosted", "the gateways behind the balancer"
        case "appgw-waf":
            yield "internal", "the Application Gateway before it"
        case "front-door" if behind:
            yield "private_both", f"Front Door before it and {behind_it}"
        case "front-door":
            yield "private_endpoint", "Front Door before it"
        case "gateway-first":
            if behind:
                yield "private_backends", behind_it


def on(routes: Sequence[str]) -> str:
    """Routes as the end of a sentence; empty for the whole edge."""
    if not routes:
        return ""
    shown = ", ".join(routes[:3]) + (f" and {len(routes) - 3} more" if len(routes) > 3 else "")
    return f" of {shown}"


def network_of(tier: Tier, topology: Topology, behind: Sequence[str]) -> str:
    """How the service is in a network: injected (classic) so that it is reached from outside or inside, integrated
    (v2), or not. Self-hosted gateways have its APIs elsewhere, and the service itself is in none."""
    if topology == "appgw-waf":
        return "internal"
    if topology == "balancer-first" or not behind:
        return "none"
    return "external" if tier.classic else "integration"
