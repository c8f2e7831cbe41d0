"""Throttles that the web ACL counts: one bucket for each place where a throttle is written."""

from collections.abc import Sequence

from edgewright.aws.compile_waf import RateBucket
from edgewright.aws.uses import counted_by
from edgewright.edge.model import ApiKeyAuthorizer, Edge, JwtAuthorizer, Route, Throttle


def rate_buckets(edge: Edge, *, routes_too: bool) -> tuple[RateBucket, ...]:
    """The buckets, in the order in which they are written. routes_too: also those per route (no API counts them)."""
    members: dict[tuple[str, str], list[Route]] = {}
    for route in edge.routes:
        if route.throttle is None:
            continue
        key = _key(route, edge, route.throttle)
        if key is not None and (key != "route" or routes_too):
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
    everything = bucket == "defaults" and key != "route"
    others = [route for route in edge.routes if route not in routes] if everything else []
    methods = {method for route in routes for method in route.methods or ("",)}
    return RateBucket(
        name=f"{slug}-{key.replace(':', '-')}" if bucket == "defaults" else slug,
        rate=(limit.count, limit.seconds),
        burst=limit.burst,
        key=key,
        paths=() if everything and not _narrow(others, routes) else tuple(route.path for route in routes),
        methods=None if everything or "" in methods else tuple(sorted(methods)),
        excluded=tuple(route.path for route in others if route.throttle is None or route.throttle.bucket != bucket),
        everything=everything,
    )


def _narrow(others: Sequence[Route], routes: Sequence[Route]) -> bool:
    """Whether fewer routes are in the bucket than out of it: then naming those in it is shorter."""
    return len(others) > len(routes)
