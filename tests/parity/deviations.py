"""What rows of the capability tables let an artifact do in place of what a spec means, in values.

A row says in words how a target differs; here it says it in the neutral terms, so that parity can tell a difference
that was declared from another one. A row that is not here lets nothing differ: it is about what no artifact shows.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from edgewright.edge.model import Edge
from parity.terms import Facts, OneOf


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is compared: an edge, a column, a subject, all that is meant, what is meant of the subject, and
    what an artifact does with it."""

    edge: Edge
    column: str
    subject: str
    meant: Mapping[str, Facts]
    facts: Facts
    found: Facts


class _Mark:
    """A value that is none."""


GONE = _Mark()
"""The leaf is not there at all."""

PLATFORM = _Mark()
"""The platform has a value of its own."""

ANYTHING = _Mark()
"""Unsupported, and accepted so: what is there instead means nothing. Nothing that is approximated may be so."""

WHOLE = "*"
"""A leaf that stands for all of a route: it is not there, or not where it should be."""

Change = Callable[[Place, Any], Any] | Any
Rows = Mapping[str, Mapping[str, Change]]


def _gone(*leaves: str) -> Mapping[str, Change]:
    return dict.fromkeys(leaves, GONE)


def _anything(*leaves: str) -> Mapping[str, Change]:
    return dict.fromkeys(leaves, ANYTHING)


_RETRY = ("retry.attempts", "retry.on", "retry.backoff", "retry.non_idempotent")
_BREAKER = ("breaker.errors", "breaker.ejection", "breaker.percent", "breaker.connections", "breaker.requests")
_HEALTH = ("health.path", "health.interval", "health.timeout", "health.healthy", "health.unhealthy", "health.statuses")
_CACHE = ("cache.ttl", "cache.methods", "cache.query", "cache.headers", "cache.share")
_QUOTA = ("quota.limit", "quota.period", "quota.per", "quota.shared")
_THROTTLE = ("throttle.rate", "throttle.burst", "throttle.per", "throttle.shared")
_VALIDATE = ("validate.parameters", "validate.shapes", "validate.body", "validate.body_required")
_WAF = ("waf.mode", "waf.managed", "waf.allow", "waf.deny", "waf.rate_per_ip")
_MONITOR = (
    *("monitor.error_rate", "monitor.percentile", "monitor.latency", "monitor.throttled", "monitor.unhealthy_targets"),
    *("monitor.notify", "monitor.dashboard"),
)
_CORS = (
    *("cors.origins", "cors.methods", "cors.allow_headers", "cors.expose_headers", "cors.credentials", "cors.max_age"),
    "cors.answers",
)
_LISTENER = (
    *("listener.hosts", "listener.port", "listener.protocol", "listener.redirect_http", "listener.backend"),
    *("tls.min_version", "tls.client_ca", "tls.passthrough"),
)


def _issuers(change: Callable[[str, Any], Any]) -> Change:
    """The same change for the value of each issuer."""
    return lambda place, expected: {issuer: change(issuer, value) for issuer, value in cast("Facts", expected).items()}


def _bodies_of_json(expected: Any, left: Any) -> Any:
    """Bodies of which those that are not JSON are not compared. left: what is said of them; None: nothing."""
    if not isinstance(expected, dict):
        return expected
    bodies = cast("Facts", expected)
    found = {media: schema if media.endswith("json") else left for media, schema in bodies.items()}
    return {media: schema for media, schema in found.items() if schema is not None}


def _ceil(milliseconds: int) -> int:
    return -(-milliseconds // 1000) * 1000


# -- AWS ---------------------------------------------------------------------------------------------------------------


def _near(place: Place, expected: Any) -> float:
    """The rate of a web ACL's rule: whole requests in 60 s, ten at least."""
    bucket = next(route.throttle for route in place.edge.routes if route.key == place.subject)
    count = bucket.count / bucket.seconds if bucket is not None else 0.0
    return round(max(10, math.ceil(count * 60)) / 60, 6)


def _at_http(change: Callable[[Place, Any], Any]) -> Change:
    """The change where the field is approximated; an HTTP API has nothing of it."""
    return lambda place, expected: None if place.column == "gateway-first/http" else change(place, expected)


def _near_by_web_acl(place: Place, expected: Any) -> Any:
    """As `_near` where the web ACL counts a route; an API counts it to the letter."""
    return _near(place, expected) if place.column == "balancer-only" else expected


def _near_address(place: Place, expected: float) -> float:
    return round(max(10, math.ceil(expected * 60)) / 60, 6)


def _by_token(place: Place, expected: Any) -> tuple[str, ...]:
    kind, name, _ = next(iter(place.facts["jwt.source"].values())) if "jwt.source" in place.facts else ("", "", "")
    return (f"header:{name}", "ip") if kind == "header" else ("ip",)


def _added_is_set(place: Place, expected: Facts) -> Facts:
    """A header that a REST API adds replaces what the client sent under its name."""
    changed = {**expected.get("set", {}), **expected.get("add", {})}
    return {
        **{kind: value for kind, value in expected.items() if kind == "remove"},
        **({"set": changed} if changed else {}),
    }


def _not_removed(place: Place, expected: Facts) -> Any:
    kept = {kind: value for kind, value in expected.items() if kind != "remove"}
    return OneOf((kept, _added_is_set(place, kept)))


def _status(place: Place, expected: int) -> int:
    return {308: 301, 303: 302, 307: 302}.get(expected, expected)


def _seconds_of(low: int, high: int) -> Change:
    """Whole seconds within bounds."""
    return lambda place, expected: min(high, max(low, _ceil(expected)))


def _check_timeout(place: Place, expected: int) -> int:
    interval = min(300_000, max(5000, _ceil(place.facts["health.interval"])))
    return min(120_000, max(2000, _ceil(expected)), interval - 1000)


def _compared_statuses(place: Place, expected: Any) -> Any:
    """200 to 499 of what is expected."""
    kept = tuple((max(200, low), min(499, high)) for low, high in expected if max(200, low) <= min(499, high))
    return kept or ((200, 200),)


def _no_case(place: Place, expected: Mapping[str, frozenset[str]]) -> Any:
    """Values that differ in their case alone match."""
    return {name: frozenset({place.subject}) if name.endswith(" capital") else keys for name, keys in expected.items()}


_UNCHECKED: Mapping[str, Change] = {
    "health.path": "/",
    "health.statuses": ((200, 499),),
    "health.interval": lambda place, expected: (
        30_000 if expected is None else _seconds_of(5000, 300_000)(place, expected)
    ),
    "health.timeout": 5000,
    "health.healthy": lambda place, expected: None if expected is None else max(2, expected),
    "health.unhealthy": lambda place, expected: None if expected is None else max(2, expected),
}

ABSENT = ("Listener.(without a host)", "Validate.(by nothing)", "EdgeSpec.(no route for the API)")
"""Rows about what a spec leaves out."""

AWS: Rows = {
    "EdgeSpec.listeners": _anything("listeners", *_LISTENER),
    "EdgeSpec.waf": _gone(*_WAF),
    "EdgeSpec.ddos": {"ddos": ANYTHING},
    "EdgeSpec.(ddos: advanced, before an API)": {"ddos": ANYTHING},
    "EdgeSpec.(ddos: advanced, and a stream)": {"ddos": ANYTHING},
    "EdgeSpec.(no route for the API)": _anything("reached"),
    "EdgeSpec.compression": {"compression.content_types": GONE, "compression.min_size": GONE},
    "Listener.(several hosts)": _anything("listener.hosts"),
    "Listener.port": _anything(*_LISTENER),
    "Listener.redirect_http": {"listener.redirect_http": False},
    "Listener.(auth without TLS)": _anything("auth.kinds"),
    "Tls.min_version": {"tls.min_version": PLATFORM},
    "Tls.(client_ca of tls)": _anything("tls.client_ca"),
    "Tls.(client_ca, and routes that ask for no certificate)": {"auth.kinds": ("mtls",)},
    "Authorizer.api_key": _anything("auth.kinds", "key.source", "key.clients"),
    "Authorizer.oidc": _anything("auth.kinds", "oidc.issuer", "oidc.client", "oidc.scopes"),
    "Authorizer.introspection": _anything(
        "auth.kinds", "introspection.endpoint", "introspection.client", "introspection.cache"
    ),
    "Mtls.subjects": _anything("mtls.subjects"),
    "Jwt.(issuer over 256 characters or not https)": _anything("jwt.issuer"),
    "Jwt.jwks_uri": {"jwt.keys": _issuers(lambda issuer, value: "the issuer's")},
    "Jwt.(jwks_uri without TLS)": _anything("jwt.keys"),
    "Jwt.jwks": _anything("jwt.keys"),
    "Jwt.(beyond RS256)": _anything("jwt.algorithms"),
    "Jwt.(beyond RSA)": _anything("jwt.algorithms"),
    "Jwt.(other RSA algorithms)": {"jwt.algorithms": _issuers(lambda issuer, value: ("RS256", "RS384", "RS512"))},
    "Jwt.source": _anything("jwt.source"),
    "Jwt.(source in a cookie, or with a prefix)": _anything("jwt.source"),
    "Jwt.scope_claim": _anything("jwt.scope_claim"),
    "Jwt.audience_claim": _anything("jwt.audience_claim"),
    "Jwt.clock_skew": {"jwt.clock_skew": PLATFORM},
    "Jwt.jwks_refresh": {"jwt.jwks_refresh": PLATFORM},
    "ApiKey.source": _anything("key.source"),
    "ApiKey.(several authorizers)": _anything("key.clients"),
    "Auth.authorizer": _anything("auth.kinds"),
    "Auth.(several jwt authorizers)": _anything("auth.kinds", "jwt.issuer"),
    "Auth.(several scopes)": _anything("auth.scopes"),
    "Auth.any_scope": _anything("auth.any_scope"),
    "Auth.(scopes and any_scope)": _anything("auth.any_scope"),
    "Auth.claims": _anything("auth.claims"),
    "Auth.(more claims than a rule takes)": _anything("auth.claims"),
    "Auth.(status of a refusal)": {"auth.refusal": 401},
    "Auth.(a WebSocket by key or certificate)": _anything("auth.kinds"),
    "Auth.(a WebSocket by key, past the API)": _anything("auth.kinds"),
    "Backend.protocol": _anything("backend.protocol"),
    "Backend.(no path to check)": _UNCHECKED,
    "Backend.(health of udp)": {
        "health.path": "(a connection)",
        "health.interval": 10_000,
        "health.timeout": PLATFORM,
        "health.healthy": 2,
        "health.unhealthy": 2,
    },
    "Backend.circuit_breaker": {"breaker.errors": "more than the others", **_gone(*_BREAKER[1:])},
    "HealthCheck.interval": {
        "health.interval": _seconds_of(5000, 300_000),
        "health.timeout": _check_timeout,
        "health.healthy": lambda place, expected: max(2, expected),
        "health.unhealthy": lambda place, expected: max(2, expected),
    },
    "HealthCheck.expected_statuses": {"health.statuses": _compared_statuses},
    "Route.cors": {
        "cors.answers": GONE,
        "cors.expose_headers": GONE,
        # Of a balancer alone: every preflight is answered alike.
    },
    "Route.(cors unlike, or for several origins)": {"cors.answers": GONE, **_anything(*_CORS[:-1])},
    "Route.(cors unlike)": _anything(*_CORS),
    "Route.(cors of own answers)": _gone(*_CORS),
    "Route.(cors of an OPTIONS route)": _gone(*_CORS),
    "Route.retry": _gone(*_RETRY),
    "Route.(backends at once)": _anything("backend"),
    "Route.listener": _anything("listeners"),
    "Route.match": _anything("match.headers", "match.query"),
    "Route.cache": _gone(*_CACHE),
    "Route.validation": {
        "validate.shapes": GONE,
        **_gone("validate.parameters", "validate.body_required"),
        "validate.body": lambda place, expected: OneOf((None, _bodies_of_json(expected, left=None))),
    },
    "Validate.(by nothing)": _anything(*_VALIDATE),
    "Validate.(words of JSON Schema)": _anything("validate.body"),
    "Route.(WebSocket)": {"websocket": "messages"},
    "Route.(path of a WebSocket)": _anything(WHOLE, "reached"),
    "Route.(backends of a WebSocket)": _anything("backend"),
    "Waf.(before a WebSocket)": _anything(*_WAF),
    "Waf.allow.(before a WebSocket)": _anything("waf.allow", "waf.deny"),
    "Throttle.(of a WebSocket, per route)": {
        "throttle.rate": lambda place, expected: _near(place, expected) if place.column == "balancer-first" else expected,
        "throttle.burst": lambda place, expected: None if place.column == "balancer-first" else expected,
    },
    "Throttle.(of a WebSocket, per anything else)": _gone(*_THROTTLE),
    "Headers.(of a WebSocket)": _gone("headers.request", "headers.response"),
    "Route.(path over 128 characters)": _anything(WHOLE, "reached"),
    "Route.(path that begins with edge.)": _anything(WHOLE, "reached"),
    "Route.(beside paths of its service that ask for less)": _anything("paths"),
    "Route.(characters of a path)": _anything(WHOLE, "reached"),
    "Route.(/ping and /sping)": _anything(WHOLE, "reached"),
    "Throttle.(per route)": {
        "throttle.rate": _near_by_web_acl,
        "throttle.burst": lambda place, expected: None if place.column == "balancer-only" else expected,
    },
    "Throttle.(per key)": _gone(*_THROTTLE),
    "Throttle.(per token)": {
        "throttle.rate": _at_http(_near),
        "throttle.burst": GONE,
        "throttle.per": _at_http(_by_token),
        "throttle.shared": _at_http(lambda place, expected: expected),
    },
    "Throttle.(per ip or header)": {
        "throttle.rate": _at_http(_near),
        "throttle.burst": GONE,
        "throttle.per": _at_http(lambda place, expected: expected),
        "throttle.shared": _at_http(lambda place, expected: expected),
    },
    "Quota.(an hour)": _anything(*_QUOTA),
    "Quota.(per key)": _gone(*_QUOTA),
    "Quota.(unlike for routes of one authorizer)": _anything(*_QUOTA),
    "Quota.(per anything else)": _gone(*_QUOTA),
    "Cache.(ttl over an hour or in parts of a second)": {"cache.ttl": lambda place, expected: expected // 1000 * 1000},
    "Cache.(HEAD)": {"cache.methods": ("GET",)},
    "Cache.(per user by a cookie)": _anything("cache.share"),
    "VaryBy.(query: all)": _anything("cache.query"),
    "Cors.(max_age over a day)": {"cors.max_age": 86_400_000},
    "Timeout.(request over 29s)": _anything("timeout.request"),
    "Timeout.(request over 30s)": _anything("timeout.request"),
    "Timeout.(on a balancer)": {"timeout.request": PLATFORM},
    "HealthCheck.(timeout before a tcp, tls or udp listener)": {"health.timeout": PLATFORM},
    "Timeout.backend": {"timeout.backend": GONE},
    "Timeout.(idle WebSocket over 10m)": {"timeout.idle": PLATFORM},
    "Timeout.(idle WebSocket under 10m)": {"timeout.idle": PLATFORM},
    "Timeout.(idle of several WebSockets)": {
        "timeout.idle": lambda place, expected: max(route.timeout.idle for route in place.edge.routes if route.websocket)
    },
    "Timeout.(idle of what is no WebSocket)": {"timeout.idle": PLATFORM},
    "Headers.(request, on a balancer)": _gone("headers.request"),
    "Headers.(headers that are AWS's own)": _anything("headers.request", "headers.response"),
    "Headers.(signs in a name)": _anything("headers.request", "headers.response"),
    "Headers.(values with a dollar sign)": _anything("headers.request", "headers.response", "rewrite.path"),
    "Headers.(values with a quote or a backslash)": _anything("headers.request"),
    "Headers.response": _gone("headers.response"),
    "HeaderChange.remove": {"headers.request": _not_removed},
    "HeaderChange.add": {"headers.request": _added_is_set},
    "Redirect.(another prefix)": _anything("redirect.location"),
    "Redirect.status": {"redirect.status": _status},
    "Respond.(charset)": {"respond.content_type": lambda place, expected: expected.partition(";")[0]},
    "Respond.(what a balancer cannot say)": _anything("respond.status", "respond.body", "respond.content_type"),
    "ValueMatch.exact": {"match.headers": _no_case, "match.query": _no_case},
    "ValueMatch.prefix": {"match.headers": _no_case, "match.query": _no_case},
    "ValueMatch.(regex of a query)": _anything("match.query"),
    "ValueMatch.(present: false)": _anything("match.headers", "match.query"),
    "ValueMatch.(over 128 characters)": _anything("match.headers", "match.query"),
    "Match.(more than three)": _anything("match.headers", "match.query"),
    "Waf.(lists beside a tcp, tls or udp listener)": _anything("waf.allow", "waf.deny"),
    "Waf.rate_per_ip": {"waf.rate_per_ip": _near_address},
    "Monitor.(throttled, where nothing is)": {"monitor.throttled": GONE},
    "AccessLog.fields": {"log.fields": PLATFORM},
    "AccessLog.sample": {"log.sample": PLATFORM},
}  # fmt: skip

# -- Azure -------------------------------------------------------------------------------------------------------------


def _windows(count: int, seconds: int) -> tuple[int, int]:
    for period in (60, 300):
        if count * period // seconds >= 1:
            return count * period // seconds, period
    return 1, 300


def _rounded_rate(place: Place, expected: Any) -> float:
    limit = next(route.throttle for route in place.edge.routes if route.key == place.subject)
    calls, period = _windows(limit.count, limit.seconds) if limit is not None else (0, 1)
    return round(calls / period, 6)


def _capped_burst(place: Place, expected: int) -> int:
    limit = next(route.throttle for route in place.edge.routes if route.key == place.subject)
    calls, _ = _windows(limit.count, limit.seconds) if limit is not None else (expected, 1)
    return min(calls, expected)


def _rounded_address(place: Place, expected: Any) -> float:
    """Rounded down where a policy counts; up, and with a floor, where a firewall does."""
    count, seconds = (place.edge.waf.rate_per_ip if place.edge.waf is not None else None) or (0, 1)
    if place.column in ("gateway-first", "balancer-first"):
        calls, period = _windows(count, seconds)
        return round(calls / period, 6)
    floor = 10 if place.column == "front-door" else 1
    minute = math.ceil(count * 60 / seconds)
    if seconds <= 60 and minute >= floor:
        return round(minute / 60, 6)
    return round(max(floor, math.ceil(count * 300 / seconds)) / 300, 6)


_SETS = (("core", "known-bad-inputs", "sql-injection"), ("bots", "ip-reputation"))
"""What Microsoft's rule sets hold; the first is in every policy of an Application Gateway, and who asks for it has the
second too."""


def _whole_sets(place: Place, expected: tuple[str, ...]) -> Any:
    """A rule set comes whole; API Management alone has none."""
    if place.column in ("gateway-first", "balancer-first"):
        return None
    attacks, _ = asked = [bool(set(one) & set(expected)) for one in _SETS]
    beside = (place.column == "appgw-waf", attacks)
    held = [one for one, wanted, there in zip(_SETS, asked, beside, strict=True) if wanted or there]
    return tuple(sorted(name for one in held for name in one))


def _without_options(place: Place, expected: Mapping[str, frozenset[str]]) -> Any:
    return {method: frozenset[str]() if method == "OPTIONS" else keys for method, keys in expected.items()}


def _each_try(place: Place, expected: Any) -> int:
    return _ceil(expected if expected is not None else place.facts["timeout.request"])


def _but_some_stay(place: Place, expected: Any) -> Any:
    """Changes of headers, without the removal of those that Azure does not let go."""
    rest = tuple(name for name in expected.get("remove", ()) if name not in ("server", "x-forwarded-for"))
    found = {name: value for name, value in expected.items() if name != "remove"}
    return found | ({"remove": rest} if rest else {})


AZURE: Rows = {
    "Monitor.unhealthy_targets": {"monitor.unhealthy_targets": 1},
    "EdgeSpec.compression": _gone("compression.min_size", "compression.content_types"),
    "Listener.(without a host)": _anything("listener.hosts"),
    "Listener.(wildcard host)": _anything("listener.hosts"),
    "Listener.(second web listener)": _anything("listeners", *_LISTENER),
    "Listener.(https on another port)": _anything("listener.port"),
    "Listener.(https on another port, on Kubernetes)": _anything("listener.port"),
    "Listener.(http)": _anything("listener.port", "listener.protocol", "tls.min_version"),
    "Listener.(tls that ends at the edge)": _anything(*_LISTENER),
    "Listener.redirect_http": {"listener.redirect_http": False},
    "Tls.(min_version 1.3)": _anything("tls.min_version"),
    "Tls.client_ca": _anything("tls.client_ca"),
    "Authorizer.oidc": _anything("auth.kinds", "oidc.issuer", "oidc.client", "oidc.scopes"),
    "Authorizer.mtls": _anything("auth.kinds", "mtls.subjects"),
    "Introspection.(endpoint by http)": _anything("introspection.endpoint"),
    "Introspection.(cache in parts of a second)": {
        "introspection.cache": lambda place, expected: expected // 1000 * 1000
    },
    "Introspection.(of a WebSocket)": {"introspection.cache": 0},
    "Auth.(several authorizers)": _anything("auth.kinds", "jwt.issuer"),
    "Jwt.(issuer by http)": _anything("jwt.issuer"),
    "Jwt.jwks_uri": {"jwt.keys": _issuers(lambda issuer, value: "the issuer's")},
    "Jwt.(inline keys that are not RSA)": _anything("jwt.keys", "jwt.algorithms"),
    "Jwt.(other algorithms)": _anything("jwt.algorithms"),
    "Jwt.(from a cookie)": _anything("jwt.source"),
    "Jwt.(a scheme in another header)": _anything("jwt.source"),
    "Jwt.(Entra ID otherwise than by Authorization: Bearer and aud)": _anything("jwt.source", "jwt.audience_claim", "jwt.keys"),
    "Jwt.(texts with other meanings)": _anything("jwt.issuer", "jwt.audiences", "jwt.source"),
    "Jwt.jwks_refresh": {"jwt.jwks_refresh": PLATFORM},
    "ApiKey.(unlike sources)": _anything("key.source"),
    "ApiKey.(cookie or prefix)": _anything("key.source"),
    "Backend.(grpc or h2c)": _anything("backend.protocol"),
    "Backend.(https behind the services' balancer)": _anything("backend.protocol"),
    "HealthCheck.timeout": {"health.timeout": lambda place, expected: place.found["health.interval"]},
    "HealthCheck.healthy_threshold": {"health.healthy": lambda place, expected: place.facts["health.unhealthy"]},
    "HealthCheck.(interval under 5s or in parts of a second)": {
        "health.interval": lambda place, expected: max(5000, expected // 1000 * 1000)
    },
    "HealthCheck.(other statuses)": {"health.statuses": ((200, 200),)},
    "CircuitBreaker.(of a WebSocket)": _gone(*_BREAKER),
    "CircuitBreaker.max_ejection_percent": {"breaker.percent": GONE},
    "CircuitBreaker.max_connections": {"breaker.connections": GONE},
    "CircuitBreaker.max_requests": {"breaker.requests": GONE},
    "Route.(unlike CORS)": _anything(*_CORS),
    "Route.(paths alike but for case)": _anything(WHOLE, "reached"),
    "VaryBy.(names with other meanings)": _anything("cache.query"),
    "Cors.(origins with other meanings)": _anything("cors.origins"),
    "ValueMatch.(regex that .NET reads otherwise)": _anything("match.headers", "match.query"),
    "Route.(OPTIONS beside CORS)": {"methods": _without_options},
    "Route.(an OPTIONS route beside CORS)": _anything(WHOLE, "reached"),
    "Route.validation": {"validate.body": lambda place, expected: _bodies_of_json(expected, left={})},
    "Route.(validation of a WebSocket)": _anything(*_VALIDATE),
    "Validate.(bodies of GET, HEAD and OPTIONS)": {"validate.body": GONE},
    "Validate.(by nothing)": _anything(*_VALIDATE),
    "Validate.(words of JSON Schema)": _anything("validate.body", "validate.shapes"),
    "Validate.(unlike operations under matches)": _anything(*_VALIDATE),
    "Parameter.(names alike)": _anything("validate.parameters"),
    "Backend.(health check without a balancer)": _gone(*_HEALTH),
    "Waf.(address lists before streams)": _anything("waf.allow", "waf.deny"),
    "Route.(WebSocket with variables or /*)": _anything(WHOLE, "reached"),
    "Route.(WebSocket over several backends)": _anything("backend"),
    "Route.(WebSocket with matches, headers or another host)": _anything(
        "match.headers", "match.query", "headers.request", "headers.response", "rewrite.host", "rewrite.path"
    ),
    "Auth.(API key of a WebSocket)": _anything("auth.kinds"),
    "Throttle.(rates that are no whole number a minute or in 5 minutes)": {"throttle.rate": _rounded_rate},
    "Throttle.burst": {"throttle.burst": _capped_burst},
    "Quota.(a month)": {"quota.period": "30 days"},
    "Cache.(parts of a second)": {"cache.ttl": lambda place, expected: max(1, expected // 1000) * 1000},
    "Cache.(HEAD)": {"cache.methods": ("GET",)},
    "Cache.(under header or query matches)": _anything("cache.ttl"),
    "Retry.(backoff in parts of a second)": {"retry.backoff": lambda place, expected: _ceil(expected)},
    "Retry.(connect-failure or reset alone)": {
        "retry.on": lambda place, expected: ("connect-failure", "reset", *(one for one in expected if one[0].isdigit()))
    },
    "Timeout.(parts of a second)": {"timeout.request": lambda place, expected: _ceil(expected)},
    "Timeout.(request with retries)": {"timeout.request": GONE, "timeout.backend": _each_try},
    "Timeout.backend": {"timeout.backend": GONE},
    "Timeout.(idle of a stream)": {"timeout.idle": PLATFORM},
    "Timeout.(idle of answers that are kept)": {"timeout.idle": PLATFORM},
    "Timeout.(idle of a WebSocket)": {"timeout.idle": PLATFORM},
    "Headers.(headers of a connection)": _anything("headers.request", "headers.response"),
    "HeaderChange.(server or x-forwarded-for removed)": dict.fromkeys(("headers.request", "headers.response"), _but_some_stay),
    "Headers.(response of own answers)": _gone("headers.response"),
    "Waf.(mode count)": _anything("waf.mode"),
    "Waf.managed": {
        "waf.managed": _whole_sets,
        "waf.mode": lambda place, expected: expected if place.found.keys() & set(_WAF[2:]) else None,
    },
    "Waf.rate_per_ip": {"waf.rate_per_ip": _rounded_address},
    "AccessLog.fields": {"log.fields": PLATFORM},
    "AccessLog.sample": {"log.sample": PLATFORM},
}  # fmt: skip

# -- local -------------------------------------------------------------------------------------------------------------

LOCAL: Rows = {
    "EdgeSpec.monitor": _gone(*_MONITOR),
    "EdgeSpec.ddos": {"ddos": "standard"},
    "Tls.client_ca": _anything("tls.client_ca"),
    "Authorizer.oidc": _anything("auth.kinds", "oidc.issuer", "oidc.client", "oidc.scopes"),
    "Authorizer.introspection": _anything(
        "auth.kinds", "introspection.endpoint", "introspection.client", "introspection.cache"
    ),
    "Authorizer.mtls": _anything("auth.kinds", "mtls.subjects"),
    "Jwt.clock_skew": {"jwt.clock_skew": _issuers(lambda issuer, value: max(1, value // 1000) * 1000)},
    "Jwt.(keys)": {"jwt.keys": _issuers(lambda issuer, value: "the development provider's")},
    "ApiKey.source": _anything("key.source"),
    "Auth.authorizer": _anything("auth.kinds"),
    "Route.(cors of own answers)": _gone(*_CORS),
    "Route.validation": _anything(*_VALIDATE),
    "Cache.(parts of a second)": {"cache.ttl": lambda place, expected: max(1, expected // 1000) * 1000},
    "Waf.managed": {
        "waf.managed": GONE,
        "waf.mode": lambda place, expected: expected if place.found.keys() & set(_WAF[2:]) else None,
    },
    "Waf.(udp)": _anything("waf.allow", "waf.deny"),
    "AccessLog.retention": {"log.retention": PLATFORM},
}  # fmt: skip

DEVIATIONS: Mapping[str, Rows] = {"aws": AWS, "azure": AZURE, "local": LOCAL}
