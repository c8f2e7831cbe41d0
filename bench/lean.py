"""The leanest Envoy configurations that we can write by hand for the features of a scenario: the measure for ours.

They have what the scenario asks for and what any edge must have: a JSON access log with the spec's fields, request ids,
normalised paths, no forged internal headers, a health-checked backend, a key per client that cannot be forged, and a
throttle that holds over both gateways. They have no route guard, no problem documents, no validation of hosts, no
retries, no per-route switches and no Lua: everything is static and on for the one route there is.
"""

from dataclasses import dataclass
from typing import Any

TYPE = "type.googleapis.com/envoy."
GATEWAYS = ("gateway-1", "gateway-2")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Features:
    """What a scenario uses; ``jwks``, ``issuer`` and ``audience`` matter with ``jwt`` only."""

    jwt: bool = False
    throttle: bool = False
    cache: bool = False
    issuer: str = ""
    audience: str = ""
    jwks: str = ""


def gateway(name: str, backend: int, features: Features) -> Json:
    """The bootstrap of a gateway on the unix socket ``<name>.sock`` before a backend on 127.0.0.1:``backend``."""
    listeners = [_outer(name, features)]
    clusters = [_backend(backend)]
    if features.throttle:
        clusters.append(_gateways())
    if features.cache:
        listeners.append(_inner())
        internal = {"envoy_internal_address": {"server_listener_name": "inner"}}
        clusters.append({"name": "cache", "load_assignment": _assignment("cache", [internal])})
    found = {**_bootstrap(name), "static_resources": {"listeners": listeners, "clusters": clusters}}
    if features.throttle:
        found["cluster_manager"] = {"local_cluster_name": "gateways"}
    if features.cache:
        found["bootstrap_extensions"] = [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": _typed("extensions.bootstrap.internal_listener.v3.InternalListener"),
            }
        ]
    return found


def balancer(port: int) -> Json:
    """The bootstrap of a balancer on 127.0.0.1:``port`` before the two gateways."""
    headers = [
        {
            "header": {"key": "x-forwarded-for", "value": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    ]
    route = {"match": {"prefix": "/"}, "route": {"cluster": "gateways", "timeout": "0s", "retry_policy": _retry()}}
    manager = _manager(
        "balancer",
        [_router()],
        [route],
        skip_xff_append=True,
        use_remote_address=True,
        early_header_mutation_extensions=[_strip()],
    )
    manager["route_config"]["virtual_hosts"][0]["request_headers_to_add"] = headers
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    listener = {"name": "balancer", "address": address, "enable_reuse_port": False, **_chain(manager)}
    return {**_bootstrap("balancer"), "static_resources": {"listeners": [listener], "clusters": [_gateways()]}}


def backend(port: int) -> Json:
    """The bootstrap of a backend that costs next to nothing: each path answers 200 with 512 bytes."""
    answer = {"status": 200, "body": {"inline_string": "x" * 512}}
    config = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{**_ALL, "direct_response": answer}]}]}
    manager = _typed(_HCM, stat_prefix="backend", http_filters=[_router()], route_config=config)
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    listener = {"name": "backend", "address": address, "enable_reuse_port": False, **_chain(manager)}
    return {**_bootstrap("backend"), "static_resources": {"listeners": [listener]}}


# -- parts -------------------------------------------------------------------------------------------------------------

_HCM = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ALL: Json = {"match": {"prefix": "/"}}


def _typed(name: str, **fields: Any) -> Json:
    return {"@type": TYPE + name, **fields}


def _bootstrap(name: str) -> Json:
    return {
        "node": {"id": name, "cluster": "lean"},
        "admin": {"address": {"pipe": {"path": f"{name}.admin", "mode": 0o600}}},
    }


def _chain(manager: Json) -> Json:
    return {"filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}


def _outer(name: str, features: Features) -> Json:
    filters: list[Json] = []
    if features.jwt:
        filters.append(_jwt(features))
    if features.throttle:
        filters.append(_throttle("x-edge-sub" if features.jwt else "x-forwarded-for"))
    if features.cache:
        filters.extend((_park(), _cache()))
    action = {"cluster": "cache", "timeout": "0s"} if features.cache else {"cluster": "backend", "timeout": "29s"}
    route: Json = {"name": "GET /orders", "match": {"path": "/orders"}, "route": action}
    if features.throttle:
        route["route"]["rate_limits"] = []
    manager = _manager(
        name,
        [*filters, _router()],
        [route],
        use_remote_address=True,
        xff_num_trusted_hops=1,
        preserve_external_request_id=True,
        early_header_mutation_extensions=[_strip()],
    )
    return {"name": name, "address": {"pipe": {"path": f"{name}.sock", "mode": 0o600}}, **_chain(manager)}


def _inner() -> Json:
    restore = _mutation(
        request=[_set("authorization", "%REQ(x-edge-auth)%"), {"remove": "x-edge-auth"}],
        response=[
            _set("cache-control", "max-age=3600"),
            *({"remove": header} for header in ("vary", "age", "date", "set-cookie")),
        ],
    )
    manager = _typed(
        _HCM,
        stat_prefix="inner",
        preserve_external_request_id=True,
        generate_request_id=False,
        http_filters=[restore, _router()],
        route_config=_routes([{**_ALL, "route": {"cluster": "backend", "timeout": "29s"}}]),
    )
    return {"name": "inner", "internal_listener": {}, **_chain(manager)}


def _manager(name: str, filters: list[Json], routes: list[Json], **fields: Any) -> Json:
    return _typed(
        _HCM,
        stat_prefix=name,
        http_filters=filters,
        route_config=_routes(routes),
        access_log=[_log(name)],
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        common_http_protocol_options={"headers_with_underscores_action": "REJECT_REQUEST", "idle_timeout": "300s"},
        **fields,
    )


def _routes(routes: list[Json]) -> Json:
    return {"name": "routes", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}


def _router() -> Json:
    config = _typed("extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
    return {"name": "router", "typed_config": config}


def _strip() -> Json:
    prefixes = [
        {"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}}
        for prefix in ("x-edge-", "x-envoy-")
    ]
    config = _typed("extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=prefixes)
    return {"name": "strip", "typed_config": config}


def _set(header: str, value: str) -> Json:
    return {
        "append": {"header": {"key": header, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"},
    }


def _mutation(request: list[Json], response: list[Json]) -> Json:
    config = _typed(
        "extensions.filters.http.header_mutation.v3.HeaderMutation",
        mutations={"request_mutations": request, "response_mutations": response},
    )
    return {"name": "mutation", "typed_config": config}


def _jwt(features: Features) -> Json:
    provider = {
        "issuer": features.issuer,
        "audiences": [features.audience],
        "forward": True,
        "require_expiration": True,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "claim_to_headers": [{"header_name": "x-edge-sub", "claim_name": "sub"}],
        "local_jwks": {"inline_string": features.jwks},
        "jwt_cache_config": {"jwt_cache_size": 1000},
    }
    config = _typed(
        "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={"main": provider},
        rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "main"}}],
    )
    return {"name": "jwt", "typed_config": config}


def _throttle(header: str) -> Json:
    bucket = {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"}
    share = {"numerator": 100, "denominator": "HUNDRED"}
    config = _typed(
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="throttle",
        token_bucket=bucket,
        filter_enabled={"default_value": share},
        filter_enforced={"default_value": share},
        local_cluster_rate_limit={},
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=10_000,
        rate_limits=[{"actions": [{"request_headers": {"header_name": header, "descriptor_key": "client"}}]}],
        descriptors=[{"entries": [{"key": "client"}], "token_bucket": bucket}],
    )
    return {"name": "throttle", "typed_config": config}


def _park() -> Json:
    """The cache keeps nothing of a request with Authorization, and its key is the whole path: so both are changed."""
    conditional = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range")
    return _mutation(
        request=[
            _set("x-edge-auth", "%REQ(authorization)%"),
            {"remove": "authorization"},
            *({"remove": header} for header in conditional),
        ],
        response=[{"remove": "cache-control"}],
    )


def _cache() -> Json:
    store = _typed("extensions.http.cache_v2.simple_http_cache.v3.SimpleHttpCacheV2Config")
    config = _typed(
        "extensions.filters.http.cache_v2.v3.CacheV2Config",
        typed_config=store,
        ignore_request_cache_control_header=True,
        max_body_bytes=1 << 20,
    )
    return {"name": "cache", "typed_config": config}


def _backend(port: int) -> Json:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    check = {
        "timeout": "2s",
        "interval": "10s",
        "no_traffic_interval": "10s",
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/healthz"},
    }
    return {
        "name": "backend",
        "type": "STATIC",
        "connect_timeout": "1s",
        "health_checks": [check],
        "load_assignment": _assignment("backend", [address]),
    }


def _gateways() -> Json:
    pipes = [{"pipe": {"path": f"{name}.sock"}} for name in GATEWAYS]
    return {
        "name": "gateways",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": _assignment("gateways", pipes),
    }


def _assignment(cluster: str, addresses: list[Json]) -> Json:
    hosts = [{"endpoint": {"address": address}} for address in addresses]
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": hosts}]}


def _retry() -> Json:
    return {"retry_on": "connect-failure,reset-before-request", "num_retries": 1}


def _log(name: str) -> Json:
    fields = {
        "time": "%START_TIME%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "method": "%REQ(:METHOD)%",
        "host": "%REQ(:AUTHORITY)%",
        "path": "%PATH(NQ)%",
        "route": "%ROUTE_NAME%",
        "status": "%RESPONSE_CODE%",
        "subject": "%REQ(X-EDGE-SUB)%",
        "client_ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "upstream": "%UPSTREAM_HOST%",
        "cache": "%RESP(AGE)%",
        "duration": "%DURATION%",
        "bytes": "%BYTES_SENT%",
        "user_agent": "%REQ(USER-AGENT)%",
        "error": "%RESPONSE_FLAGS%",
    }
    config = _typed(
        "extensions.access_loggers.file.v3.FileAccessLog",
        path=f"{name}.log",
        log_format={"json_format": fields},
    )
    return {"name": "log", "typed_config": config}
