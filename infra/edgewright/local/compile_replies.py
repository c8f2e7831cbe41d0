"""The edge's own answers: RFC 9457 problem documents, with the status that each cloud's gateway would give."""

import json

from edgewright.local.envoy_json import Json, extension, header_option

CEL = "extensions.access_loggers.filters.cel.v3.ExpressionFilter"
"""A filter of logs and local replies by an expression."""

_BEARER = "www-authenticate"

# Why Envoy answered, the status, its title, and the challenge; the first that fits wins. A refused or broken
# connection is 502 and a missing instance 503, as on an Application Load Balancer; Envoy would say 503 to both.
_REPLIES: tuple[tuple[str, int, str, str], ...] = (
    ("response.code_details.startsWith('jwt_authn_access_denied{Jwt_is_missing')", 401, "Unauthorized", "Bearer"),
    (
        "response.code_details.startsWith('jwt_authn_access_denied')",
        401,
        "Unauthorized",
        'Bearer error="invalid_token"',
    ),
    (
        "response.code_details == 'rbac_access_denied_matched_policy[token]'",
        401,
        "Unauthorized",
        'Bearer error="invalid_token"',
    ),
    ("response.code_details == 'rbac_access_denied_matched_policy[address]'", 403, "Forbidden", ""),
    ("response.code_details.startsWith('rbac_access_denied')", 403, "Forbidden", 'Bearer error="insufficient_scope"'),
    ("response.code_details in ['missing_api_key', 'unknown_api_key']", 401, "Unauthorized", "ApiKey"),
    ("response.code_details == 'local_rate_limited'", 429, "Too many requests", ""),
    ("response.code_details in ['route_not_found', 'upgrade_failed']", 404, "Not found", ""),
    ("response.code_details == 'no_healthy_upstream'", 503, "Service unavailable", ""),
    ("response.code_details.startsWith('ext_authz_error')", 503, "Service unavailable", ""),
    (
        "response.code_details.startsWith('upstream_reset_before_response_started')"
        " && !response.code_details.contains('overflow')",
        502,
        "Bad gateway",
        "",
    ),
    ("response.code == 503", 503, "Service unavailable", ""),
    ("response.code == 504", 504, "Gateway timeout", ""),
    ("response.code == 408", 408, "Request timeout", ""),
    ("response.code == 413", 413, "Content too large", ""),
    ("response.code == 431", 431, "Request header fields too large", ""),
    ("response.code == 400", 400, "Bad request", ""),
)

# A fixed answer of the spec and the limits service's answer already are what they should be.
_OTHERS = "!(response.code_details in ['direct_response', 'ext_authz_denied'])"


def local_replies() -> Json:
    """The connection manager's ``local_reply_config``. No body says why in Envoy's words, which may quote a backend."""
    return {"mappers": [*(_mapper(*reply) for reply in _REPLIES), _mapper(_OTHERS, 0, "Error", "")]}


def _mapper(when: str, status: int, title: str, challenge: str) -> Json:
    if when.startswith("response.code =="):
        when = f"{when} && {_OTHERS}"
    mapper: Json = {
        "filter": {"extension_filter": extension("cel", CEL, expression=when)},
        "body_format_override": {
            "json_format": {
                "type": "about:blank",
                "title": title,
                "status": status or "%RESPONSE_CODE%",
                # Without the query, which may carry a token.
                "instance": "%PATH(NQ)%",
                "request_id": "%REQ(X-REQUEST-ID)%",
            },
            "content_type": "application/problem+json",
        },
    }
    if status:
        mapper["status_code"] = status
    if challenge:
        mapper["headers_to_add"] = [header_option(_BEARER, challenge)]
    return mapper


def direct_problem(name: str, match: Json, status: int, title: str) -> Json:
    """A route that answers with a problem document."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status}, separators=(",", ":"))
    return {
        "name": name,
        "match": match,
        "direct_response": {"status": status, "body": {"inline_string": body}},
        "response_headers_to_add": [header_option("content-type", "application/problem+json")],
    }
