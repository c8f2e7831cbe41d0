"""The services' balancer of the gateway topologies: it sends each request where the gateway's header says.

It never looks at the path to choose a service: the gateway has, and a second reading could differ. It refuses paths
with more than one reading, since services would choose by them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from edgewright.aws.artifact import Balancer, Json, Peers, Rule
from edgewright.aws.bindings import Bindings
from edgewright.aws.compile_redirects import redirect_action, respond_action
from edgewright.aws.compile_rules import escaped
from edgewright.aws.compile_targets import target_group
from edgewright.aws.guards import path_guard, problem_action, slash_guards
from edgewright.aws.priorities import FIRST, LAST, assign
from edgewright.edge.model import Auth, Backend, Edge, Forward, PathPattern, Redirect, Respond, Route, Segment
from edgewright.edge.paths import PathTree

HEADER = "x-edgewright-backend"
"""The header that names where a request goes. The gateway overwrites it; a client's own never arrives."""

LISTENER = "services"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Where requests of some routes go: a name for the header, and the route that shows how."""

    name: str
    route: Route


def dispatch_name(route: Route) -> str:
    """The header's value for a route: ``orders``, ``orders-90.orders-next-10``, or the route itself for own answers."""
    action = route.action
    if not isinstance(action, Forward):
        return f"answer.{route.slug}"
    parts = [name if len(action.targets) == 1 else f"{name}-{weight}" for name, weight in action.targets]
    name = ".".join(parts)
    if route.rewrite is not None and route.rewrite.host is not None:
        name += f".as-{route.rewrite.host}"
    return name if len(name) <= 100 else f"{name[:80]}.{sha256(name.encode()).hexdigest()[:12]}"


def dispatches(routes: Sequence[Route]) -> tuple[Dispatch, ...]:
    """One for each place that requests go to, by name."""
    found: dict[str, Dispatch] = {}
    for route in routes:
        name = dispatch_name(route)
        found.setdefault(name, Dispatch(name, route))
    return tuple(found[name] for name in sorted(found))


def services_balancer(
    edge: Edge, routes: Sequence[Route], bindings: Bindings, host: str | None, callers: Mapping[str, str]
) -> Balancer:
    """The internal balancer for these routes.

    host: the edge's, for TLS and redirects; None: plain HTTP inside. callers: who comes in, by
    security group, in words.
    """
    secure = bindings.certified and host is not None
    port = 443 if secure else 80
    listener: Json = {
        "port": port,
        "protocol": "HTTPS" if secure else "HTTP",
        "default_action": problem_action(404, "Not Found"),
    }
    if secure:
        listener |= {"certificate_arn": "{{certificate}}", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}
    found = dispatches(routes)
    names = backend_names(routes)
    groups = {name: target_group(edge.backends[name], bindings) for name in names}
    return Balancer(
        internal=True,
        listeners={LISTENER: listener},
        target_groups=groups,
        targets={name: name for name in names},
        rules=(path_guard(LISTENER), *slash_guards(LISTENER, slash_paths(routes)), *_rules(found, routes, host)),
        peers=Peers(
            ingress={name: {"port": port, "group": name, "description": words} for name, words in callers.items()},
            egress=target_peers([edge.backends[name] for name in names], bindings),
        ),
        idle_timeout=idle_timeout(routes),
    )


def backend_names(routes: Sequence[Route]) -> tuple[str, ...]:
    """The backends that these routes go to, by name."""
    return tuple(
        sorted({name for route in routes if isinstance(route.action, Forward) for name, _ in route.action.targets})
    )


def idle_timeout(routes: Sequence[Route]) -> int:
    """Seconds: longer than any request of these routes, and at least AWS's 60."""
    longest = max((route.timeout.idle if route.websocket else route.timeout.request for route in routes), default=0)
    return min(4000, max(60, -(-longest // 1000) + 1))


def target_peers(backends: Sequence[Backend], bindings: Bindings) -> dict[str, Json]:
    """Where a balancer may go: the ports of its services, in their security group if one is bound, else in the VPC."""
    found: dict[str, Json] = {}
    for backend in map(bindings.spoken, backends):
        bound = bindings.data.backends.get(backend.name)
        if bound is not None and bound.function is not None:
            continue
        group = bound.security_group if bound is not None else None
        at = {"security_group_id": group} if group is not None else {"cidr_ipv4": "{{vpc_cidr}}"}
        protocol = "udp" if backend.protocol == "udp" else "tcp"
        name = f"{backend.name}" if group is not None else f"{protocol}-{backend.port}"
        found[name] = {
            "port": backend.port,
            "protocol": protocol,
            **at,
            "description": f"to {backend.name}" if group is not None else "to services",
        }
    return found


def forward_action(route: Route, prefix: str = "") -> Json:
    """Forward by weight. prefix: of the target groups' names."""
    if not isinstance(route.action, Forward):
        raise TypeError(route.action)
    return {"forward": {"target_groups": {prefix + name: weight for name, weight in route.action.targets}}}


def slash_paths(routes: Sequence[Route]) -> tuple[str, ...]:
    """Regular expressions of ``/admin/`` where it leads to a route that does not ask for all that ``/admin`` does."""
    found: set[str] = set()
    for route in slashed(routes):
        text = "".join("/[^/]+" if item.variable else "/" + escaped(item.text) for item in route.path.segments)
        found.add(f"^{text}/$")
    return tuple(sorted(found))


def slashed(routes: Sequence[Route]) -> tuple[Route, ...]:
    """Routes whose path with a slash behind it, which a service may read as without, asks a caller for less."""
    tree: PathTree[int] = PathTree()
    for index, route in enumerate(routes):
        tree.insert(route.path, index)
    found: list[Route] = []
    for route in routes:
        if route.path.rest or route.auth is None or not route.path.segments:
            continue
        leads = tree.covering(PathPattern((*route.path.segments, Segment(""))))
        if any(not _asks_for_all(routes[index].auth, route.auth) for index in leads):
            found.append(route)
    return tuple(found)


def exposed(routes: Sequence[Route]) -> tuple[Route, ...]:
    """Routes whose service also serves paths that ask for less: it may be made to take one for the other.

    A request keeps its method, whatever its path is read as.
    """
    # Many routes, few ways to ask: those of a backend are looked at once each.
    ways: dict[str, dict[object, tuple[tuple[str, ...] | None, Auth | None]]] = {}
    for route in routes:
        if not route.websocket:
            for name in _backends(route):
                ways.setdefault(name, {})[route.methods, _meaning(route.auth)] = (route.methods, route.auth)
    return tuple(
        route
        for route in routes
        if route.auth is not None
        and not route.websocket
        and any(
            _share_methods(route.methods, methods) and not _asks_for_all(auth, route.auth)
            for name in _backends(route)
            for methods, auth in ways[name].values()
        )
    )


def _meaning(auth: Auth | None) -> object:
    """What an auth asks for, wherever it is written."""
    return auth and (auth.authorizers, auth.scopes, auth.any_scope, auth.claims)


def _backends(route: Route) -> set[str]:
    return {name for name, _ in route.action.targets} if isinstance(route.action, Forward) else set()


def _share_methods(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    return one is None or other is None or not set(one).isdisjoint(other)


def _asks_for_all(one: Auth | None, other: Auth) -> bool:
    """Whether who passes ``one`` would pass ``other``."""
    return (
        one is not None
        and set(one.authorizers) <= set(other.authorizers)
        and set(one.scopes) >= set(other.scopes)
        and (not other.any_scope or bool(set(other.any_scope) & set(one.scopes)) or one.any_scope == other.any_scope)
        and set(one.claims) >= set(other.claims)
    )


def _rules(found: Sequence[Dispatch], routes: Sequence[Route], host: str | None) -> tuple[Rule, ...]:
    carried: dict[str, list[str]] = {}
    for route in routes:
        carried.setdefault(dispatch_name(route), []).append(route.key)
    numbers = assign([(_place(item.name), item.name) for item in found])
    return tuple(
        Rule(
            f"{LISTENER}-{item.name}",
            LISTENER,
            numbers[item.name],
            ({"header": {"name": HEADER, "values": [item.name]}},),
            (_action(item.route, host),),
            _transforms(item.route),
            tuple(carried[item.name]),
        )
        for item in sorted(found, key=lambda item: numbers[item.name])
    )


def _place(name: str) -> int:
    part = int.from_bytes(sha256(name.encode()).digest()[:6]) / 2**48
    return FIRST + int(part * (LAST - FIRST - 1000))


def _action(route: Route, host: str | None) -> Json:
    if isinstance(route.action, Redirect):
        return redirect_action(route, host)
    if isinstance(route.action, Respond):
        return respond_action(route.action)
    return forward_action(route)


def _transforms(route: Route) -> tuple[Json, ...]:
    if isinstance(route.action, Forward) and route.rewrite is not None and route.rewrite.host is not None:
        return ({"host": {"regex": "^.*$", "replace": route.rewrite.host}},)
    return ()
