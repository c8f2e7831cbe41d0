"""What both tiers share: how requests are read, what is removed from them, and what is logged."""

from edgewright.edge.model import AccessLog
from edgewright.local.compile_replies import CEL, local_replies
from edgewright.local.envoy_json import Json, extension

_HCM = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

# Headers by which a client could claim another method, address, host or path; none of them is ours to believe.
_CLAIMS = (
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "x-host",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
)

_LOG_FORMAT = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "method": "%REQ(:METHOD)%",
    "host": "%REQ(:AUTHORITY)%",
    # Without the query, which may carry a token or a key.
    "path": "%PATH(NQ)%",
    "route": "%ROUTE_NAME%",
    "status": "%RESPONSE_CODE%",
    "subject": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:jwt:sub)%",
    "client_ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "upstream": "%UPSTREAM_HOST%",
    "cache": "%RESP(X-CACHE)%",
    "duration": "%DURATION%",
    "bytes": "%BYTES_SENT%",
    "user_agent": "%REQ(USER-AGENT)%",
    "error": "%RESPONSE_FLAGS%",
}


CLIENT_STATE = "edge.client"
"""Where a gateway keeps the name of an API key's client: the private header is gone when the log is written."""


def remove_prefix(prefix: str) -> Json:
    """A mutation that removes all headers whose names begin so."""
    return {"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}}


def first_hygiene() -> list[Json]:
    """What the balancer removes from a request before anything else reads it."""
    prefixes = [remove_prefix(prefix) for prefix in ("x-edge-", "x-edgewright-", "x-envoy-")]
    return [*prefixes, *({"remove": name} for name in _CLAIMS)]


def second_hygiene() -> list[Json]:
    """What a gateway removes again: private headers, which only it sets itself."""
    return [remove_prefix("x-edge-"), remove_prefix("x-envoy-")]


def connection_manager(name: str, filters: list[Json], **fields: object) -> Json:
    """The network filter of an HTTP listener; ``filters`` without the router."""
    router = extension("router", "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
    return extension(
        "http",
        _HCM,
        stat_prefix=name,
        http_filters=[*filters, router],
        local_reply_config=local_replies(),
        server_header_transformation="PASS_THROUGH",
        **fields,
    )


def careful_reading() -> Json:
    """One reading of a request for the whole edge: what can be read in two ways is refused or brought to one form."""
    return {
        "use_remote_address": True,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "strip_any_host_port": True,
        "strip_trailing_host_dot": True,
        "common_http_protocol_options": {
            "headers_with_underscores_action": "REJECT_REQUEST",
            "idle_timeout": "300s",
            "max_headers_count": 100,
        },
        "http_protocol_options": {"accept_http_10": False},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65536,
            "initial_connection_window_size": 1048576,
        },
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "0s",
        "max_request_headers_kb": 60,
    }


def early(mutations: list[Json]) -> list[Json]:
    """Header mutations that come before routing and all filters."""
    return [
        extension(
            "early", "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=mutations
        )
    ]


def access_log(log: AccessLog, node: str, *, own_only: bool = False, clients: bool = False) -> list[Json]:
    """The log of a node, in its own file: every failed request, and the share of the others that the spec says.

    own_only: only what this node answered itself, so that a request has one line in all, its gateway's or this one;
    clients: with the names of clients whose API keys were checked, beside the subjects of tokens.
    """
    chosen = log.fields or tuple(_LOG_FORMAT)
    written = {name: _LOG_FORMAT[name] for name in _LOG_FORMAT if name in chosen}
    if clients and "subject" in chosen:
        written["client"] = f"%FILTER_STATE({CLIENT_STATE}:PLAIN)%"
    entry = extension(
        "access",
        "extensions.access_loggers.file.v3.FileAccessLog",
        path=f"log/access-{node}.log",
        log_format={"json_format": written},
    )
    filters: list[Json] = [{"not_health_check_filter": {}}]
    if own_only:
        filters.append(
            {"extension_filter": extension("own", CEL, expression="response.code_details != 'via_upstream'")}
        )
    if log.sample < 1:
        failed = {
            "status_code_filter": {
                "comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "edge.log.failed"}}
            }
        }
        share = {"numerator": round(log.sample * 1_000_000), "denominator": "MILLION"}
        sampled = {"runtime_filter": {"runtime_key": "edge.log.sample", "percent_sampled": share}}
        filters.append({"or_filter": {"filters": [failed, sampled]}})
    entry["filter"] = filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}}
    return [entry]
