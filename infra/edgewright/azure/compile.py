"""From a resolved edge to what it is on Azure: data in Azure's own terms, findings and decisions. No Pulumi, no I/O."""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from edgewright.azure import compile_balancers as balancers
from edgewright.azure.artifact import Api, Artifact, BackendPlan, Balancer, Gateways, Json, WebSocket
from edgewright.azure.bindings import Bindings, pooled, read_bindings
from edgewright.azure.capabilities import NEVER_ACCEPTED, findings
from edgewright.azure.compile_authorizers import keeps, named_values
from edgewright.azure.compile_fragments import MAX_FRAGMENT
from edgewright.azure.compile_monitoring import Monitoring, compile_monitoring
from edgewright.azure.compile_network import bound_problems, subnets_of
from edgewright.azure.compile_operations import ApiOperation, carried_by, openapi, operations
from edgewright.azure.compile_policy import Surroundings, compile_policy, pool_id, products, websocket_policy
from edgewright.azure.compile_tier import network_of, on, tier_of
from edgewright.azure.compile_waf import (
    APPLICATION_GATEWAY,
    CLIENT_HEADER,
    FRONT_DOOR,
    WafPolicy,
    compile_waf,
    standard,
)
from edgewright.azure.request_logs import Parts
from edgewright.azure.tiers import Tier
from edgewright.azure.topology import Topology
from edgewright.edge.model import ApiKeyAuthorizer, Backend, Edge, Finding, Forward, Route
from edgewright.spec.problems import Place, Problem, SpecError

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
        bindings = read_bindings(bindings, edge, topology, placeholders=placeholders)
    waf = _waf(edge, topology)
    found = _findings(edge, bindings, topology, waf)
    problems = [*_refused(found, bindings, topology), *_unused_acceptance(found, bindings)]
    problems += _without_requests(edge, topology)
    if problems:
        raise SpecError(problems)
    routes = [route for route in edge.routes if not route.websocket]
    around = surroundings_of(edge, topology)
    websockets = tuple(_websocket(edge, route, bindings, around) for route in edge.routes if route.websocket)
    behind = pooled(edge, bindings)
    carried = operations(routes)
    tier, decisions, problems = tier_of(edge, bindings, topology, len(carried), behind)
    if tier is None or problems:
        raise SpecError(problems)
    api = _api(edge, routes, carried, tier, around) if routes else None
    network = network_of(tier, topology, behind)
    redis = topology == "balancer-first" and keeps(edge)
    subnets = subnets_of(edge, bindings, topology, network, behind, redis=redis)
    problems = [*_limits(edge, api, tier), *bound_problems(bindings, subnets)]
    if problems:
        raise SpecError(problems)
    services = balancers.services(edge, behind) if behind else None
    public = balancers.public(edge, machines=topology == "balancer-first" and not bindings.on_kubernetes)
    monitoring = compile_monitoring(edge, _watched(edge, bindings, topology, tier, services, public))
    return Artifact(
        name=edge.name,
        topology=topology,
        tier=tier.name,
        network=network,
        subnets=subnets,
        hosts=_hosts(edge),
        api=api,
        websockets=websockets,
        backends={name: _backend(edge.backends[name], bindings, edge.name) for name in _used(routes)},
        pools=_pools(routes),
        named_values=named_values(edge),
        plain_values=(around.front_door_id,) if around.front_door_id is not None else (),
        services=services,
        public=public,
        gateways=_gateways(topology, bindings),
        redis=redis,
        waf=waf,
        monitoring=monitoring,
        access_log_days=edge.access_log.retention_days,
        ddos_advanced=edge.ddos == "advanced",
        decisions=(*decisions, *_phase(bindings, topology)),
        findings=(*edge.findings, *found, *_unlike(edge, monitoring)),
    )


def _phase(bindings: Bindings, topology: Topology) -> Iterator[str]:
    """In which of the two phases that Azure forces a Front Door is, and what comes next."""
    if topology != "front-door":
        return
    bound = bindings.data.front_door
    if bound is not None and bound.connection is not None:
        yield (
            f"phase 2 of 2: Front Door's connection `{bound.connection}` is approved, and the service's public door is"
            " closed; taking `front_door.connection` away opens it again"
        )
    else:
        yield (
            "phase 1 of 2: Front Door's private connection will wait for approval, and the service's public door stays"
            " open to this Front Door alone (X-Azure-FDID); approve the connection as the output nextStep says, write"
            " its name as `front_door: {connection: NAME}`, and update again"
        )


def _findings(edge: Edge, bindings: Bindings, topology: Topology, waf: WafPolicy | None) -> tuple[Finding, ...]:
    """What the table says, and of the firewall what its compiler knows better."""
    told = waf.findings if waf is not None else ()
    better = {item.field for item in told}
    return (*(item for item in findings(edge, bindings, topology) if item.field not in better), *told)


def _waf(edge: Edge, topology: Topology) -> WafPolicy | None:
    """The policy of the firewall that stands before the gateways; Microsoft's rules where the spec asks for nothing."""
    if topology not in ("appgw-waf", "front-door"):
        return None
    firewall = APPLICATION_GATEWAY if topology == "appgw-waf" else FRONT_DOOR
    return compile_waf(edge.waf, firewall) if edge.waf is not None else standard(firewall)


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
        what = f"{column} cannot carry {item.field}{on(item.routes)}: {item.reason}"
        if accepted:
            what += "; and this cannot be accepted away: a route would be open, or there is nothing else to write"
        yield Problem(item.place, what, item.carried_by, code="unsupported")


def _without_requests(edge: Edge, topology: Topology) -> Iterator[Problem]:
    """Streams alone, where everything else that would stand there is for requests."""
    if topology != "gateway-first" and not any(item.web for item in edge.listeners):
        what = f"{topology} is a way for requests, and this edge has connections and datagrams alone"
        remedy = "azure/gateway-first, which carries them by a Load Balancer"
        yield Problem(edge.listeners[0].origin.place, what, remedy, code="listener")


def _unused_acceptance(found: tuple[Finding, ...], bindings: Bindings) -> Iterator[Problem]:
    fields = {item.field for item in found if item.level == "unsupported"}
    for one in bindings.data.accept:
        if one.field not in fields:
            place = Place("bindings", path=("accept",))
            yield Problem(place, f"nothing unsupported is called `{one.field}`", "remove it", code="accept")


# -- the API -----------------------------------------------------------------------------------------------------------


def front_door_value(edge: str) -> str:
    """The named value that holds the id of the Front Door before an edge."""
    return f"{edge}-front-door"


# An Application Gateway makes this header itself, and no rewrite of it takes effect (Microsoft's pages "How an
# application gateway works" and "Rewrite HTTP headers"); that it overwrites a client's own is *unverified*: so the host
# has to be one of the edge's.
ORIGINAL_HOST = "X-Original-Host"

# "Any previous value is overridden by Azure Front Door" (Microsoft's page of its headers).
FORWARDED_HOST = "X-Forwarded-Host"


def surroundings_of(edge: Edge, topology: Topology) -> Surroundings:
    """What stands around the gateways of a topology."""
    match topology:
        case "gateway-first":
            return Surroundings()
        case "balancer-first":
            return Surroundings(external_cache=True, only_self_hosted=True)
        case "appgw-waf":
            return Surroundings(
                client_address="header",
                address_header=CLIENT_HEADER,
                host_header=ORIGINAL_HOST,
                hosts=_hosts(edge),
            )
        case "front-door":
            return Surroundings(
                client_address="header",
                address_header=CLIENT_HEADER,
                host_header=FORWARDED_HOST,
                hosts=_hosts(edge),
                front_door_id=front_door_value(edge.name),
            )


def _hosts(edge: Edge) -> tuple[str, ...]:
    return tuple(dict.fromkeys(host for item in edge.listeners if item.web for host in item.hosts))


def _api(edge: Edge, routes: Sequence[Route], found: Sequence[ApiOperation], tier: Tier, around: Surroundings) -> Api:
    policies = compile_policy(edge, routes, found, around, limit=tier.policy_bytes)
    keys = [item for item in edge.authorizers.values() if isinstance(item, ApiKeyAuthorizer)]
    by_name = {item.name: item.clients for item in keys}
    return Api(
        body=openapi(edge.name, found, edge.authorizers),
        policy=policies.api.xml(),
        operation_policies={name: document.xml() for name, document in policies.operations.items()},
        fragments={name: fragment.xml() for name, fragment in policies.fragments.items()},
        key={item.source.kind: item.source.name for item in keys},
        products={product: (name, by_name[name]) for name, product in products(edge).items()},
        operations=len(found),
        carried=carried_by(found),
    )


def _websocket(edge: Edge, route: Route, bindings: Bindings, around: Surroundings) -> WebSocket:
    """A route's own API: a WebSocket API has one operation, its handshake."""
    if not isinstance(route.action, Forward):
        raise TypeError(route.action)
    backend = route.action.targets[0][0]
    rewrite = route.rewrite
    path = str(rewrite.path) if rewrite is not None and rewrite.path is not None else str(route.path)
    url = _backend(edge.backends[backend], bindings, edge.name).url.replace("http", "ws", 1)
    return WebSocket(
        route=route.key,
        id=websocket_id(edge, route),
        path=str(route.path).lstrip("/"),
        backend=backend,
        url=f"{url.rstrip('/')}{path}",
        policy=websocket_policy(edge, route, around).xml(),
    )


def websocket_id(edge: Edge, route: Route) -> str:
    """The id of the API of a WebSocket route."""
    return f"{edge.name}-ws-{_word(str(route.path).lstrip('/'))}"


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


def _watched(
    edge: Edge,
    bindings: Bindings,
    topology: Topology,
    tier: Tier,
    services: Balancer | None,
    public: Balancer | None,
) -> Parts:
    """What of a topology can be watched."""
    web = any(not route.websocket for route in edge.routes)
    sockets = tuple(websocket_id(edge, route) for route in edge.routes if route.websocket)
    gateway: Literal["managed", "self_hosted"] = "self_hosted" if topology == "balancer-first" else "managed"
    fronts: dict[str, Literal["application_gateway", "front_door"]] = {
        "appgw-waf": "application_gateway",
        "front-door": "front_door",
    }
    bound = bindings.data.gateways
    machines = bound.scale_set if bound is not None else None
    balanced: dict[str, int | None] = {"services": None} if services is not None else {}
    if public is not None:
        balanced["public"] = machines.min_count if machines is not None and not balancers.streams_of(edge) else None
    return Parts(
        gateway=gateway if edge.routes else None,
        tier=tier.name,
        apis=(edge.name,) if web else (),
        websockets=sockets,
        front=fronts.get(topology) if edge.routes else None,
        balancers=balanced,
        insights=topology == "balancer-first",
    )


def _unlike(edge: Edge, monitoring: Monitoring | None) -> Iterator[Finding]:
    """What watches an edge otherwise than its spec says."""
    if monitoring is not None and edge.monitor is not None:
        for name, how in monitoring.approximated:
            yield Finding("approximated", name, (), how, place=edge.monitor.origin.place)


def _gateways(topology: Topology, bindings: Bindings) -> Gateways:
    if topology != "balancer-first":
        return "managed"
    return "kubernetes" if bindings.on_kubernetes else "machines"


def _backend(item: Backend, bindings: Bindings, edge: str) -> BackendPlan:
    url = bindings.url_of(item.name)
    if url is None:
        zone = bindings.data.private_dns
        name = bindings.service_of(item.name, edge) or (f"{item.name}.{zone.zone}" if zone is not None else None)
        host = name or f"{{{{address:{item.name}}}}}"
        url = f"{'https' if item.protocol == 'https' else 'http'}://{host}:{item.port}"
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
