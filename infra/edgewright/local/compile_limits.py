"""How much: throttles and quotas, counted in the gateways where buckets are large, by the limits service elsewhere."""

from edgewright.edge.model import Edge, Key, Quota, Route, Throttle
from edgewright.local.compile_auth import CLIENT, SUBJECT
from edgewright.local.envoy_json import Json, default_header, exact, extension, literal, on_route, set_header

PLAN = "x-edge-plan"
KEY = "x-edge-key"
QUOTA_KEY = "x-edge-quota-key"
THROTTLE_KEY = "x-edge-throttle-key"
"""Private headers: which bucket, and whom it counts."""

LIMITS = "limits"
"""The cluster of the limits service."""

# A gateway keeps its share of a bucket: of a burst of 5, two gateways keep 2 each, and round robin does not hand
# requests out evenly enough for few of them. From 20 for each gateway on, the rounding is below the 5 % that a limit
# may be off; smaller ones are counted exactly by the limits service, at about 30 us a request instead of 9.
SHARED_BURST = 20

# Envoy keeps 20 clients' buckets a plan by default, and the 21st resets one.
MAX_CLIENTS = 10_000

_UNBOUNDED = {"max_tokens": 1_000_000_000, "tokens_per_fill": 1_000_000_000, "fill_interval": "1s"}
_ALWAYS = {"default_value": {"numerator": 100}}


def shared(throttle: Throttle, gateways: int) -> bool:
    """Whether each gateway counts its share by itself."""
    return throttle.burst >= SHARED_BURST * gateways


def asks_service(route: Route, gateways: int) -> bool:
    """Whether a request on this route is counted by the limits service."""
    return route.quota is not None or (route.throttle is not None and not shared(route.throttle, gateways))


def needs_service(edge: Edge, gateways: int) -> bool:
    """Whether any route does."""
    return any(asks_service(route, gateways) for route in edge.routes)


def plan(limit: Throttle | Quota) -> str:
    """The name of a bucket: its place, and what kinds of callers it counts, so that they cannot be mistaken."""
    return f"{limit.bucket}|{'-'.join(limit.per.order) or 'route'}"


def bucket(count: int, seconds: int, burst: int) -> Json:
    """A token bucket: ``count`` tokens every so many seconds, at most ``burst``."""
    return {"max_tokens": burst, "tokens_per_fill": count, "fill_interval": f"{seconds}s"}


def counting_filter(
    name: str, descriptors: list[Json], actions: list[Json], *, enforced: bool = True, divided: bool = False
) -> Json:
    """A filter that counts by descriptors only: a bucket for each caller that the actions tell apart.

    divided: each live gateway has its share of the bucket.
    """
    return extension(
        name,
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix=name.replace("-", "_"),
        token_bucket=_UNBOUNDED,
        always_consume_default_token_bucket=False,
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS if enforced else {"default_value": {"numerator": 0}},
        descriptors=descriptors,
        rate_limits=[{"actions": actions}],
        max_dynamic_descriptors=MAX_CLIENTS,
        enable_retry_after_header=True,
        **({"local_cluster_rate_limit": {}} if divided else {}),
    )


def throttle_filter(edge: Edge, gateways: int) -> Json | None:
    """The filter of the shared buckets; None without any. It stands in the listener: a change of routes keeps them."""
    buckets = {
        plan(route.throttle): route.throttle
        for route in edge.routes
        if route.throttle is not None and shared(route.throttle, gateways)
    }
    if not buckets:
        return None
    return counting_filter(
        "throttle",
        [
            {
                "entries": [{"key": "plan", "value": name}, {"key": "client"}],
                "token_bucket": bucket(item.count, item.seconds, item.burst),
            }
            for name, item in sorted(buckets.items())
        ],
        [
            {"request_headers": {"header_name": PLAN, "descriptor_key": "plan"}},
            {"request_headers": {"header_name": KEY, "descriptor_key": "client"}},
        ],
        divided=gateways > 1,
    )


def service_filter() -> Json:
    """The filter that asks the limits service; what is counted is in the routes' settings."""
    return extension(
        "limits",
        "extensions.filters.http.ext_authz.v3.ExtAuthz",
        transport_api_version="V3",
        stat_prefix="limits",
        failure_mode_allow=False,
        status_on_error={"code": "ServiceUnavailable"},
        http_service=_service([]),
        allowed_headers={"patterns": [exact(THROTTLE_KEY), exact(QUOTA_KEY)]},
    ) | {"disabled": True}


def _service(headers: list[Json]) -> Json:
    answered = [exact(name) for name in ("retry-after", "content-type", "x-quota-limit", "x-quota-remaining")]
    return {
        "server_uri": {"uri": "http://limits", "cluster": LIMITS, "timeout": "1s"},
        "path_prefix": "/check",
        # Without a policy of its own, a change of the cluster loses a request.
        "retry_policy": {"retry_on": "connect-failure,reset-before-request,reset", "num_retries": 1},
        "authorization_request": {"headers_to_add": headers},
        "authorization_response": {
            "allowed_client_headers": {"patterns": answered},
            "allowed_client_headers_on_success": {"patterns": answered[2:]},
        },
    }


def route_settings(route: Route, gateways: int) -> Json:
    """The settings of the limits filter for a route; empty when it is not asked."""
    if not asks_service(route, gateways):
        return {}
    headers: list[Json] = []
    throttle, quota = route.throttle, route.quota
    if throttle is not None and not shared(throttle, gateways):
        value = f"{plan(throttle)};rate={throttle.count / throttle.seconds:.9g};burst={throttle.burst}"
        headers.append({"key": "x-edge-throttle", "value": literal(value)})
    if quota is not None:
        value = f"{plan(quota)};limit={quota.limit};period={quota.period}"
        headers.append({"key": "x-edge-quota", "value": literal(value)})
    return {
        "limits": on_route(
            "extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
            check_settings={"http_service": _service(headers)},
        )
    }


def context(route: Route, gateways: int) -> list[Json]:
    """The mutations that write down, before a limit is checked, which bucket counts whom."""
    found: list[Json] = []
    throttle, quota = route.throttle, route.quota
    if throttle is not None and shared(throttle, gateways):
        found += [set_header(PLAN, literal(plan(throttle))), *_key(KEY, throttle.per)]
    elif throttle is not None:
        found += _key(THROTTLE_KEY, throttle.per)
    if quota is not None:
        found += _key(QUOTA_KEY, quota.per)
    return found


def _key(header: str, per: Key) -> list[Json]:
    sources = {
        "api_key": f"%REQ({CLIENT})%",
        "subject": f"%REQ({SUBJECT})%",
        "header": f"%REQ({per.header})%",
        "ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    }
    if not per.order:
        return [set_header(header, "route")]
    kinds = per.order if "ip" in per.order else (*per.order, "ip")
    return [default_header(header, sources[kind]) for kind in kinds]
