"""Answers that are kept: the chain from a gateway's cache over its owner's to the origin listener."""

from importlib.resources import files
from typing import Any

from edgewright.edge.model import Edge, Route
from edgewright.local.artifact import digest
from edgewright.local.compile_clusters import ejection, thresholds
from edgewright.local.envoy_json import ON, Json, default_header, extension, literal, pipe, set_header, typed

MISSES = "misses"
"""The listener inside a gateway, and its cluster, that hands what the cache lacks to the answer's owner."""

OWNERS = "owners"
"""The cluster of all gateways by the key of an answer."""

ORIGIN = "origin"
"""The listener inside a gateway, and its cluster, from which an owner's cache gets what it lacks: the backends."""

# Larger answers are passed through.
MAX_BODY = 1 << 20

SCOPE = "x-edge-scope"
"""Private header: what tells answers apart beside the request's own words: settings, route, listener and host."""

ROUTE = "x-edge-route"
_PATH = "x-edge-path"
_AUTH = "x-edge-auth"

PRIVATE = (SCOPE, ROUTE, _PATH, _AUTH)
"""Private headers of a cached request: `ROUTE` for the origin listener, and the path and authorization put away."""

_PUT_AWAY = ("x-edge-cache-control", "x-edge-kept", "x-edge-age", "x-edge-hit")

CONDITIONS = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range")
"""Headers of conditional requests; `origin.lua` names the same."""

_LUA = "extensions.filters.http.lua.v3.Lua"


def _lua(name: str) -> str:
    return (files("edgewright.local") / name).read_text(encoding="utf-8")


def keeps_answers(edge: Edge) -> bool:
    """Whether any route caches, so that the filters, listeners and clusters of the cache are needed."""
    return any(route.cache is not None for route in edge.routes)


def cache_filters() -> list[Json]:
    """The filters of a gateway: the key, then the cache."""
    key = extension("cache-key", _LUA, default_source_code={"inline_string": _lua("cache_key.lua")})
    return [key | {"disabled": True}, store() | {"disabled": True}]


def store() -> Json:
    """The cache itself. Its key is the path as `cache_key.lua` wrote it."""
    return extension(
        "cache",
        "extensions.filters.http.cache_v2.v3.CacheV2Config",
        typed_config=typed("extensions.http.cache_v2.simple_http_cache.v3.SimpleHttpCacheV2Config"),
        # A client cannot make the edge forget.
        ignore_request_cache_control_header=True,
        key_creator_params={"exclude_host": True, "exclude_scheme": True},
        max_body_bytes=MAX_BODY,
    )


def origin_filter() -> Json:
    """The filter of the origin listener that puts back what `cache_key.lua` put away, and sets the lifetime."""
    return extension("origin", _LUA, default_source_code={"inline_string": _lua("origin.lua")})


def route_settings() -> Json:
    """Switches the cache on for a route."""
    return {"cache-key": ON, "cache": ON}


def metadata(route: Route) -> Json:
    """What the Lua filters know of a route; empty when nothing of it is kept."""
    cache = route.cache
    if cache is None:
        return {}
    ttl = max(1, cache.ttl // 1000)
    found: dict[str, Any] = {"ttl": ttl}
    if cache.query:
        found["q"] = list(cache.query)
    if cache.headers:
        found["h"] = list(cache.headers)
    user = {"user": True} if cache.share == "per_user" else {}
    return {"filter_metadata": {"cache-key": {**found, **user}, "origin": {"ttl": ttl, **user}}}


def request_context(route: Route) -> list[Json]:
    """The mutations before the key is made: what the cache would mind is put away, or taken away for good.

    Conditions and ranges are no answers to keep; one answer serves all, whatever a client can decompress (the edge
    compresses by itself); and where nobody is asked who they are, what they would say of it must not end up in an
    answer for all.
    """
    gone = [*CONDITIONS, "range", "accept-encoding", *(() if route.auth else ("authorization", "cookie"))]
    found: list[Json] = [{"remove": name} for name in gone]
    found += [
        set_header(ROUTE, route.slug),
        set_header(_PATH, "%REQ(:PATH)%"),
        set_header(SCOPE, f"{_settings(route)} {literal(route.slug)} %REQ(X-EDGEWRIGHT-LISTENER)% %REQ(:AUTHORITY)%"),
    ]
    if route.auth is not None:
        found += [default_header(_AUTH, "%REQ(AUTHORIZATION)%"), {"remove": "authorization"}]
    return found


def _settings(route: Route) -> str:
    """A digest of how a route's keys are made: keys that Lua remembers outlive a change of the route."""
    cache = route.cache
    return digest([cache.query, cache.headers, cache.share] if cache else [])[:8]


def response_context() -> list[Json]:
    """The mutations that label an answer, give it back the service's own Cache-Control, and take away what is ours.

    An answer that has an age was kept, by this gateway or by its owner; `origin.lua` says MISS or BYPASS of the others.
    A formatter that comes out empty adds nothing, so that the edge's own answers stay as they are.
    """
    return [
        default_header("x-edge-hit", "%RESP(AGE?X-EDGE-AGE)%"),
        {"append": {"header": {"key": "x-edge-hit", "value": "HIT"}, "append_action": "OVERWRITE_IF_EXISTS"}},
        set_header("x-cache", "%RESP(X-EDGE-HIT?X-EDGE-KEPT)%"),
        {"remove": "cache-control"},
        set_header("cache-control", "%RESP(X-EDGE-CACHE-CONTROL)%"),
        *({"remove": name} for name in _PUT_AWAY),
    ]


def inner_cluster(listener: str) -> Json:
    """The cluster of a listener inside."""
    address = {"envoy_internal_address": {"server_listener_name": listener}}
    return {
        "name": listener,
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": listener,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def owners_cluster(gateways: int) -> Json:
    """The gateways by key: each answer has one owner, which alone asks the backend, so that misses are asked once."""
    return {
        "name": OWNERS,
        "type": "STATIC",
        "connect_timeout": "1s",
        "lb_policy": "MAGLEV",
        "load_assignment": {
            "cluster_name": OWNERS,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {"endpoint": {"address": pipe(f"gateway-{number}-cache.sock")}}
                        for number in range(1, gateways + 1)
                    ]
                }
            ],
        },
        "circuit_breakers": thresholds(4096),
        # An ejected gateway is let go at once, and not with the next second's changes.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
        "outlier_detection": ejection(rest="1s", percent=100),
    }
