"""From a resolved edge to what it is on AWS: data in AWS's own terms, findings and decisions. No Pulumi, no I/O."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from edgewright.aws.artifact import Artifact, Balancer, Json, NetworkBalancer, Peers, WafPlan
from edgewright.aws.bindings import Bindings, read_bindings
from edgewright.aws.capabilities import NEVER_ACCEPTED, findings
from edgewright.aws.check_bindings import stream_hosts, web_hosts
from edgewright.aws.compile_buckets import rate_buckets
from edgewright.aws.compile_edge_balancer import balancer_first, balancer_only
from edgewright.aws.compile_http import compile_http
from edgewright.aws.compile_monitoring import Parts, compile_monitoring
from edgewright.aws.compile_network_balancer import network_balancer
from edgewright.aws.compile_rest import compile_rest
from edgewright.aws.compile_services import LISTENER, exposed, services_balancer, slash_paths
from edgewright.aws.compile_waf import RateBucket, compile_waf
from edgewright.aws.compile_websocket import compile_websockets, messages_balancer
from edgewright.aws.limits import check_limits
from edgewright.edge.model import Edge, Finding, Forward, Route
from edgewright.spec.problems import Place, Problem, SpecError

Topology = Literal["balancer-first", "gateway-first", "balancer-only"]
TOPOLOGIES: tuple[Topology, ...] = ("balancer-first", "gateway-first", "balancer-only")


def compile_edge(
    edge: Edge, bindings: Bindings | Mapping[str, Any], topology: Topology, *, placeholders: bool = False
) -> Artifact:
    """Compile an edge for a topology. Pure: equal arguments give equal results, whatever the order of keys.

    placeholders: as in `read_bindings`. Raises SpecError with everything that the bindings get wrong, every field that
    the topology cannot carry, and every quota that it is over.
    """
    if not isinstance(bindings, Bindings):
        bindings = read_bindings(bindings, edge, topology, placeholders=placeholders)
    column, decisions = choose(edge, bindings, topology)
    found = findings(edge, bindings, column)
    problems = [*_refused(found, bindings, column), *_unused_acceptance(found, bindings)]
    if problems:
        raise SpecError(problems)
    artifact = _compile(edge, bindings, topology, column, decisions, found)
    problems = check_limits(edge, artifact, bindings)
    if not bindings.offline:
        problems += [
            Problem(Place("bindings", path=("log_role",)), what, how) for what, how in log_role(artifact, bindings)
        ]
    if problems:
        raise SpecError(problems)
    return artifact


def choose(edge: Edge, bindings: Bindings, topology: Topology) -> tuple[str, tuple[str, ...]]:
    """The column of the table that holds, and why: an HTTP API where it carries the edge, since it is cheaper.

    A stack that has pinned one keeps it: what no longer fits is then an error, never a silent replacement.
    """
    if topology != "gateway-first":
        return topology, ()
    http = [item for item in findings(edge, bindings, "gateway-first/http") if item.level == "unsupported"]
    pinned = bindings.data.gateway
    if pinned is not None:
        notes = [f"the stack has pinned {_API[pinned]}"]
        if pinned == "rest" and not http:
            notes.append("an HTTP API would carry this edge too, for less")
        return f"gateway-first/{pinned}", tuple(notes)
    rest = {
        (item.field, item.routes)
        for item in findings(edge, bindings, "gateway-first/rest")
        if item.level == "unsupported"
    }
    reasons = [item for item in http if (item.field, item.routes) not in rest]
    if not reasons:
        return "gateway-first/http", (
            "an HTTP API: it carries every field of this edge, and is cheaper than a REST API",
        )
    why = tuple(f"a REST API, for {item.field}{_on(item.routes)}: {item.reason}" for item in reasons)
    return "gateway-first/rest", why


_API = {"http": "an HTTP API", "rest": "a REST API"}


def _on(routes: tuple[str, ...]) -> str:
    if not routes:
        return ""
    shown = ", ".join(routes[:3]) + (f" and {len(routes) - 3} more" if len(routes) > 3 else "")
    return f" of {shown}"


def _refused(found: tuple[Finding, ...], bindings: Bindings, column: str) -> list[Problem]:
    """Unsupported fields that the stack has not accepted, or may not."""
    problems: list[Problem] = []
    for item in found:
        if item.level != "unsupported":
            continue
        accepted = [
            one
            for one in bindings.accept
            if one.field == item.field and (not one.routes or set(item.routes) <= set(one.routes))
        ]
        if accepted and not item.field.startswith(NEVER_ACCEPTED):
            continue
        what = f"{column} cannot carry {item.field}{_on(item.routes)}: {item.reason}"
        if accepted:
            what += "; and authentication, address lists and cache isolation cannot be accepted away"
        problems.append(Problem(item.place, what, item.carried_by, code="unsupported"))
    return problems


def _unused_acceptance(found: tuple[Finding, ...], bindings: Bindings) -> list[Problem]:
    fields = {item.field for item in found if item.level == "unsupported"}
    return [
        Problem(
            Place("bindings", path=("accept",)),
            f"nothing unsupported is called `{one.field}`",
            "remove it",
            code="accept",
        )
        for one in bindings.accept
        if one.field not in fields
    ]


def _compile(
    edge: Edge,
    bindings: Bindings,
    topology: Topology,
    column: str,
    decisions: tuple[str, ...],
    found: tuple[Finding, ...],
) -> Artifact:
    hosts = web_hosts(edge)
    host = hosts[0] if hosts else None
    web = [route for route in edge.routes if not route.websocket]
    passed = [route for route in web if topology == "gateway-first" or isinstance(route.action, Forward)]
    direct = [route for route in edge.routes if route.websocket] if topology == "gateway-first" else []
    balancer = None
    rest = http = services = None
    if topology == "balancer-only":
        balancer = balancer_only(edge, bindings) if edge.routes else None
    elif edge.routes:
        services = services_balancer(edge, [*passed, *direct], bindings, host, _callers(passed, direct))
        if topology == "balancer-first":
            balancer = balancer_first(edge, bindings)
            rest = compile_rest(edge, passed, bindings, host, private=True)
        elif column == "gateway-first/rest":
            rest = compile_rest(edge, passed, bindings, host, private=False) if passed else None
        elif passed:
            http = compile_http(edge, passed, bindings, host)
    balancer = _with_cors(balancer, edge, topology)
    guarded = balancer is not None or rest is not None
    only, first = topology == "balancer-only", topology == "balancer-first"
    buckets = rate_buckets(edge, routes_too=only, sockets_too=first) if guarded else ()
    websockets = compile_websockets(edge, direct, bindings)
    waf = _web_acl(edge, buckets, topology) if guarded else None
    streams = network_balancer(edge, bindings)
    watched = Parts(balancer, services, rest, http, websockets, streams, waf)
    return Artifact(
        name=edge.name,
        topology=topology,
        hosts=hosts,
        stream_hosts=stream_hosts(edge),
        edge_balancer=balancer,
        services=services,
        rest=rest,
        http=http,
        websockets=websockets,
        messages=_messages(services) if direct else None,
        network_balancer=streams,
        waf=waf,
        monitoring=compile_monitoring(edge, watched),
        link_peers=_link_peers(services) if rest is not None or http is not None else Peers(),
        endpoint_peers=_endpoint_peers() if rest is not None and topology == "balancer-first" else Peers(),
        access_log_days=edge.access_log.retention_days,
        ddos_advanced=edge.ddos == "advanced",
        decisions=decisions,
        findings=(*edge.findings, *found, *_plain_inside(edge, services)),
    )


def _web_acl(edge: Edge, buckets: tuple[RateBucket, ...], topology: Topology) -> WafPlan | None:
    """Where the spec or a throttle asks for one, and where a path that is read twice could go round a check."""
    read_twice = topology == "balancer-first" or bool(exposed(edge.routes)) or bool(slash_paths(edge.routes))
    if edge.waf is None and not buckets and not read_twice:
        return None
    return compile_waf(edge.waf, buckets, guard_paths=True, slashes=slash_paths(edge.routes))


def _callers(passed: Sequence[Route], direct: Sequence[Route]) -> dict[str, str]:
    """Who comes to the services' balancer: the link of the API, and the balancer of the WebSocket APIs."""
    found = {"link": "from the gateway"} if passed else {}
    return found | ({"messages": "from the WebSocket APIs"} if direct else {})


def log_role(artifact: Artifact, bindings: Bindings) -> Iterator[tuple[str, str]]:
    """What the stack must say of the role by which API Gateway writes logs, and how; nothing where it has.

    Without the role, a region refuses the stage of a REST or WebSocket API half-way through a deployment.
    """
    if bindings.data.log_role is None and (artifact.rest is not None or artifact.websockets):
        yield (
            "the stack must bind whether it sets the role by which API Gateway writes logs: one for each region",
            "write `log_role: create` in one stack of the region, and `log_role: existing` in the others",
        )


def _messages(services: Balancer | None) -> NetworkBalancer | None:
    if services is None:
        return None
    listener = services.listeners[LISTENER]
    return messages_balancer(listener["port"], secure=listener["protocol"] == "HTTPS")


def _plain_inside(edge: Edge, services: Balancer | None) -> Iterator[Finding]:
    """Said where requests go on without TLS from an API to the services' balancer: an edge without a name has no
    certificate that its balancer could show.
    """
    if services is not None and services.listeners[LISTENER]["protocol"] == "HTTP":
        yield Finding(
            "warning",
            "Listener.host",
            (),
            "without a host there is no certificate: requests go on to the services' balancer by HTTP",
            "give the listener a host, and the stack a zone or a certificate",
            edge.listeners[0].origin.place if edge.listeners else edge.access_log.origin.place,
        )


def _link_peers(services: Balancer | None) -> Peers:
    if services is None:
        return Peers()
    port = services.listeners[LISTENER]["port"]
    return Peers(
        egress={
            "services": {
                "port": port,
                "group": "services",
                "description": "to the services' balancer",
            }
        }
    )


def _endpoint_peers() -> Peers:
    peer: Json = {
        "port": 443,
        "group": "edge",
        "description": "from the public balancer",
    }
    return Peers(ingress={"edge": peer})


def _with_cors(balancer: Any, edge: Edge, topology: Topology) -> Any:
    """Static headers of the listeners that say the one origin that all routes allow, if it is one."""
    from dataclasses import replace

    web = [route for route in edge.routes if not route.websocket]
    first = web[0].cors if web else None
    if balancer is None or first is None or len(first.origins) != 1:
        return balancer
    if any(route.cors is None or _allowed(route) != _allowed(web[0]) for route in web):
        return balancer
    headers = {
        "access-control-allow-origin": first.origins[0],
        "access-control-allow-credentials": "true" if first.credentials else "",
        "access-control-expose-headers": ",".join(first.expose_headers),
    }
    if topology == "balancer-only":
        headers |= {
            "access-control-allow-methods": ",".join(first.methods),
            "access-control-allow-headers": ",".join(first.allow_headers),
            "access-control-max-age": str(first.max_age // 1000),
        }
    kept = {name: value for name, value in headers.items() if value}
    listeners = {
        name: {**item, "response_headers": {**cast("Json", item.get("response_headers", {})), **kept}}
        if "redirect_to_https" not in item
        else item
        for name, item in balancer.listeners.items()
    }
    return replace(balancer, listeners=listeners)


def _allowed(route: Route) -> object:
    item = route.cors
    return item and (
        item.origins,
        item.methods,
        item.allow_headers,
        item.expose_headers,
        item.credentials,
        item.max_age,
    )
