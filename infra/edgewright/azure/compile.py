"""From a resolved edge to what it is on Azure: data in Azure's own terms, findings and decisions. No Pulumi, no I/O."""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from edgewright.azure.artifact import Api, Artifact, BackendPlan, Balancer, Json, WebSocket
from edgewright.azure.bindings import Bindings, pooled, read_bindings
from edgewright.azure.capabilities import NEVER_ACCEPTED, findings
from edgewright.azure.compile_authorizers import introspections, named_values
from edgewright.azure.compile_fragments import MAX_FRAGMENT
from edgewright.azure.compile_operations import ApiOperation, openapi, operations
from edgewright.azure.compile_policy import compile_policy, pool_id, products, websocket_policy
from edgewright.azure.tiers import BY_NAME, FEATURES, Tier, cheapest, lacking
from edgewright.edge.model import ApiKeyAuthorizer, Backend, Edge, Finding, Forward, Route
from edgewright.spec.problems import Place, Problem, SpecError

Topology = Literal["gateway-first"]
TOPOLOGIES: tuple[Topology, ...] = ("gateway-first",)

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a document that is imported inline (Microsoft's page of API import restrictions)."""


def compile_edge(
    edge: Edge, bindings: Bindings | Mapping[str, Any], topology: Topology, *, placeholders: bool = False
) -> Artifact:
    """Compile an edge for a topology. Pure: equal arguments give equal results, whatever the order of keys.

    placeholders: as in `read_bindings`. Raises SpecError with everything that the bindings get wrong, every field that
    the topology or the tier cannot carry, and every limit that it is over.
    """
    if not isinstance(bindings, Bindings):
        bindings = read_bindings(bindings, edge, placeholders=placeholders)
    found = findings(edge, bindings, topology)
    problems = [*_refused(found, bindings, topology), *_unused_acceptance(found, bindings)]
    if problems:
        raise SpecError(problems)
    routes = [route for route in edge.routes if not route.websocket]
    websockets = tuple(_websocket(edge, route, bindings) for route in edge.routes if route.websocket)
    behind = pooled(edge, bindings)
    carried = operations(routes)
    tier, decisions, problems = _tier(edge, bindings, len(carried), behind)
    if tier is None or problems:
        raise SpecError(problems)
    api = _api(edge, routes, carried, tier) if routes else None
    problems = list(_limits(edge, api, tier))
    if problems:
        raise SpecError(problems)
    return Artifact(
        name=edge.name,
        topology=topology,
        tier=tier.name,
        network=_network(tier, behind),
        hosts=tuple(dict.fromkeys(host for item in edge.listeners if item.web for host in item.hosts)),
        api=api,
        websockets=websockets,
        backends={name: _backend(edge.backends[name], bindings) for name in _used(routes)},
        pools=_pools(routes),
        named_values=named_values(edge),
        services=_services(edge, behind) if behind else None,
        streams=None,
        access_log_days=edge.access_log.retention_days,
        ddos_advanced=edge.ddos == "advanced",
        decisions=decisions,
        findings=(*edge.findings, *found),
    )


def _refused(found: tuple[Finding, ...], bindings: Bindings, column: str) -> Iterator[Problem]:
    """Unsupported fields that the stack has not accepted, or may not."""
    for item in found:
        if item.level != "unsupported":
            continue
        accepted = [
            one
            for one in bindings.data.accept
            if one.field == item.field and (not one.routes or set(item.routes) <= set(one.routes))
        ]
        if accepted and not item.field.startswith(NEVER_ACCEPTED):
            continue
        what = f"{column} cannot carry {item.field}{_on(item.routes)}: {item.reason}"
        if accepted:
            what += "; and authentication, address lists and cache isolation cannot be accepted away"
        yield Problem(item.place, what, item.carried_by, code="unsupported")


def _on(routes: Sequence[str]) -> str:
    if not routes:
        return ""
    shown = ", ".join(routes[:3]) + (f" and {len(routes) - 3} more" if len(routes) > 3 else "")
    return f" of {shown}"


def _unused_acceptance(found: tuple[Finding, ...], bindings: Bindings) -> Iterator[Problem]:
    fields = {item.field for item in found if item.level == "unsupported"}
    for one in bindings.data.accept:
        if one.field not in fields:
            place = Place("bindings", path=("accept",))
            yield Problem(place, f"nothing unsupported is called `{one.field}`", "remove it", code="accept")


# -- the API -----------------------------------------------------------------------------------------------------------


def _api(edge: Edge, routes: Sequence[Route], found: Sequence[ApiOperation], tier: Tier) -> Api:
    policies = compile_policy(edge, routes, found, limit=tier.policy_bytes)
    keys = [item for item in edge.authorizers.values() if isinstance(item, ApiKeyAuthorizer)]
    by_name = {item.name: item.clients for item in keys}
    return Api(
        body=openapi(edge.name, found),
        policy=policies.api.xml(),
        operation_policies={name: document.xml() for name, document in policies.operations.items()},
        fragments={name: fragment.xml() for name, fragment in policies.fragments.items()},
        key={item.source.kind: item.source.name for item in keys},
        products={product: (name, by_name[name]) for name, product in products(edge).items()},
        operations=len(found),
    )


def _websocket(edge: Edge, route: Route, bindings: Bindings) -> WebSocket:
    """A route's own API: a WebSocket API has one operation, its handshake."""
    if not isinstance(route.action, Forward):
        raise TypeError(route.action)
    backend = route.action.targets[0][0]
    rewrite = route.rewrite
    path = str(rewrite.path) if rewrite is not None and rewrite.path is not None else str(route.path)
    url = _backend(edge.backends[backend], bindings).url.replace("http", "ws", 1)
    return WebSocket(
        route=route.key,
        id=f"{edge.name}-ws-{_word(str(route.path).lstrip('/'))}",
        path=str(route.path).lstrip("/"),
        backend=backend,
        url=f"{url.rstrip('/')}{path}",
        policy=websocket_policy(edge, route).xml(),
    )


def _word(path: str) -> str:
    """A path as part of an id, with a digest where another path would give the same."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")
    return plain if plain == path else f"{plain}-{sha256(path.encode()).hexdigest()[:6]}"


def _used(routes: Sequence[Route]) -> tuple[str, ...]:
    found = {name for route in routes if isinstance(route.action, Forward) for name, _ in route.action.targets}
    return tuple(sorted(found))


def _pools(routes: Sequence[Route]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Weighted backends by the id of their pool."""
    found = {
        pool_id(route.action.targets): route.action.targets
        for route in routes
        if isinstance(route.action, Forward) and len(route.action.targets) > 1
    }
    return dict(sorted(found.items()))


def _backend(item: Backend, bindings: Bindings) -> BackendPlan:
    url = bindings.url_of(item.name)
    if url is None:
        url = f"{'https' if item.protocol == 'https' else 'http'}://{{{{address:{item.name}}}}}:{item.port}"
    breaker = item.circuit_breaker
    if breaker is None:
        return BackendPlan(url, url.startswith("https:"), None)
    rule: Json = {
        "count": breaker.consecutive_errors,
        "interval": "PT1M",
        "trip_duration": f"PT{max(1, -(-breaker.ejection // 1000))}S",
        "status_ranges": [{"min": 500, "max": 599}],
    }
    return BackendPlan(url, url.startswith("https:"), rule)


# -- tier and network --------------------------------------------------------------------------------------------------


def _tier(
    edge: Edge, bindings: Bindings, count: int, behind: Sequence[str]
) -> tuple[Tier | None, tuple[str, ...], list[Problem]]:
    """The tier, and why: as pinned, else the cheapest that has what the edge needs. count: of operations."""
    needs = dict(_needs(edge, bindings, behind))
    best = cheapest(needs, count)
    reasons = "; ".join(f"{FEATURES[need]} for {why}" for need, why in needs.items())
    place = edge.listeners[0].origin.place if edge.listeners else edge.access_log.origin.place
    if best is None:
        what = f"no tier of API Management has all that this edge needs ({reasons}) and room for {count:,} operations"
        return None, (), [Problem(place, what, "split the edge", code="tier")]
    if bindings.data.tier is None:
        return (
            best,
            (f"the tier {best.name}, the cheapest with what the edge needs: {reasons or 'nothing more'}",),
            [],
        )
    pinned = BY_NAME[bindings.data.tier]
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
    return pinned, (note,), problems


def _needs(edge: Edge, bindings: Bindings, behind: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What the edge needs of a tier, and for what."""
    if bindings.production:
        yield "sla", "a production stack"
        yield "logs", "a production stack"
    throttled = [route.key for route in edge.routes if route.throttle is not None]
    if throttled:
        yield "rate_limit_by_key", f"the throttle{_on(throttled)}"
    if edge.waf is not None and edge.waf.rate_per_ip is not None:
        yield "rate_limit_by_key", "the rate of an address"
    counted = [route.key for route in edge.routes if route.quota is not None]
    if counted:
        yield "quota_by_key", f"the quota{_on(counted)}"
    opaque = [item.name for item in introspections(edge) if item.cache >= 1000]
    if opaque:
        yield "cache", f"what is known of the tokens of {', '.join(opaque)}"
    cached = [route.key for route in edge.routes if route.cache is not None]
    if cached:
        yield "cache", f"the cache{_on(cached)}"
    broken = [item.name for item in edge.backends.values() if item.circuit_breaker is not None]
    if broken:
        yield "circuit_breaker", f"the backends {', '.join(broken)}"
    sockets = [route.key for route in edge.routes if route.websocket]
    if sockets:
        yield "websocket", f"the WebSocket{_on(sockets)}"
    if behind:
        yield "private_backends", f"the services' balancer of {', '.join(behind)}"


def _network(tier: Tier, behind: Sequence[str]) -> str:
    """How the service is in a network: injected (classic), integrated (v2), or not."""
    if not behind:
        return "none"
    return "external" if tier.classic else "integration"


def _services(edge: Edge, behind: Sequence[str]) -> Balancer:
    """The internal balancer: a frontend of its own for each backend, so that each keeps its port and its address
    whatever other backends there are."""
    frontends: dict[str, Json] = {}
    pools: dict[str, Json] = {}
    probes: dict[str, Json] = {}
    rules: dict[str, Json] = {}
    for name in behind:
        item = edge.backends[name]
        check = item.health_check
        frontends[name] = {"internal": True}
        pools[name] = {}
        probe: Json = {"protocol": "Tcp", "port": item.port, "interval_seconds": 15, "probe_threshold": 2}
        if check is not None:
            # A probe asks every 5 seconds at most often (Microsoft's page of the probe).
            probe |= {
                "interval_seconds": max(5, check.interval // 1000),
                "probe_threshold": check.unhealthy_threshold,
            }
            if check.path is not None:
                probe |= {"protocol": "Https" if item.protocol == "https" else "Http", "path": check.path}
        probes[name] = probe
        rules[name] = {
            "frontend": name,
            "pools": [name],
            "probe": name,
            "protocol": "Tcp",
            "frontend_port": item.port,
            "backend_port": item.port,
        }
    return Balancer(True, frontends, pools, probes, rules)


# -- limits ------------------------------------------------------------------------------------------------------------


def _limits(edge: Edge, api: Api | None, tier: Tier) -> Iterator[Problem]:
    """What is over a limit of Azure's, with the number and what to do. Source: Microsoft's page of limits, 2026-11."""
    if api is None:
        return
    place = edge.routes[0].origin.place
    if api.operations > tier.operations:
        yield Problem(
            place,
            f"the API would have {api.operations:,} operations; the tier {tier.name} has {tier.operations:,} at most",
            "merge routes with `/*`, name methods in place of ANY, or a larger tier",
            code="limit",
        )
    for what, text, most in (
        ("the API's policy", api.policy, tier.policy_bytes),
        *((f"the policy of {k}", v, tier.policy_bytes) for k, v in api.operation_policies.items()),
        *((f"the fragment {k}", v, MAX_FRAGMENT) for k, v in api.fragments.items()),
    ):
        size = len(text.encode())
        if size > most:
            yield Problem(
                place,
                f"{what} would have {size:,} bytes; the tier {tier.name} takes {most:,}",
                "fewer distinct settings, methods named in place of ANY, or split the edge",
                code="limit",
            )
    size = len(body_text(api.body).encode())
    if size > MAX_BODY:
        yield Problem(
            place, f"the OpenAPI document would have {size:,} bytes; 4 MB are taken", "split the edge", code="limit"
        )


def body_text(body: Json) -> str:
    """The OpenAPI document as it is imported."""
    import json

    return json.dumps(body, separators=(",", ":"))
