"""Throttles that the web ACL counts: one bucket for each place where a throttle is written."""

from collections.abc import Sequence

from edgewright.aws.compile_waf import RateBucket, Requests
from edgewright.aws.uses import counted_by
from edgewright.edge.model import ApiKeyAuthorizer, Edge, JwtAuthorizer, PathPattern, Route, Throttle


def rate_buckets(edge: Edge, *, routes_too: bool, sockets_too: bool = False) -> tuple[RateBucket, ...]:
    """The buckets, in the order in which they are written. routes_too: also those per route (no API counts them);
    sockets_too: those of WebSockets, which ride past the API."""
    members: dict[tuple[str, str], list[Route]] = {}
    for route in edge.routes:
        if route.throttle is None:
            continue
        key = _key(route, edge, route.throttle)
        if key is not None and (key != "route" or routes_too or (sockets_too and route.websocket)):
            members.setdefault((route.throttle.bucket, key), []).append(route)
    return tuple(_bucket(bucket, key, routes, edge) for (bucket, key), routes in members.items())


def _key(route: Route, edge: Edge, limit: Throttle) -> str | None:
    """Whom the web ACL counts; None where a usage plan does."""
    kind = counted_by(route, edge, limit.per.kind)
    if kind == "key":
        return None
    if kind == "header":
        return f"header:{limit.per.header}"
    if kind != "token" or route.auth is None:
        return kind
    item = edge.authorizers[route.auth.authorizers[0]]
    if isinstance(item, JwtAuthorizer | ApiKeyAuthorizer) and item.source.kind == "header":
        return f"token:{item.source.name}"
    return "ip"


def _bucket(bucket: str, key: str, routes: Sequence[Route], edge: Edge) -> RateBucket:
    limit = routes[0].throttle
    if limit is None:
        raise TypeError(bucket)
    slug = routes[0].slug if bucket != "defaults" else "defaults"
    return RateBucket(
        name=f"{slug}-{key.replace(':', '-')}" if bucket == "defaults" else slug,
        rate=(limit.count, limit.seconds),
        burst=limit.burst,
        key=key,
        counted=_counted(routes, edge),
    )


def _counted(routes: Sequence[Route], edge: Edge) -> tuple[Requests, ...]:
    """The requests that these routes get: a route that is tried before one of them takes what both match."""
    mine = {route.key for route in routes}
    groups: dict[object, list[Route]] = {}
    others: dict[object, list[Route]] = {}
    before: list[Route] = []
    for route in edge.routes:
        if route.key not in mine:
            before.append(route)
            continue
        # What a condition on headers or query takes away is not seen here, and counted with the rest.
        taken = [one for one in before if one.path != route.path or one.methods != route.methods]
        taken = [one for one in taken if not one.headers and not one.query and _meet(one, route)]
        key = (route.methods, tuple(one.key for one in taken))
        groups.setdefault(key, []).append(route)
        others[key] = taken
    return tuple(
        Requests(
            tuple(dict.fromkeys(route.path for route in found)),
            found[0].methods,
            tuple((one.path, one.methods) for one in others[key]),
        )
        for key, found in groups.items()
    )


def _meet(one: Route, other: Route) -> bool:
    """Whether a request may match both."""
    methods = one.methods is None or other.methods is None or not set(one.methods).isdisjoint(other.methods)
    return methods and one.websocket == other.websocket and _paths_meet(one.path, other.path)


def _paths_meet(one: PathPattern, other: PathPattern) -> bool:
    short, long = sorted((one, other), key=lambda path: len(path.segments))
    if len(short.segments) < len(long.segments) and not short.rest:
        return False
    pairs = zip(short.segments, long.segments, strict=False)
    return all(a.variable or b.variable or a.text == b.text for a, b in pairs)
