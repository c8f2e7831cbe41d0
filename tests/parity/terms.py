"""The neutral terms: leaves, the values that readers may say of them, and the requests by which routes are asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]

Facts = dict[str, Any]
"""Values by leaf; a leaf that is not there is None: the thing has no such setting."""

EDGE = "edge"
"""The subject that is the edge as a whole; others are ``listener NAME``, ``backend NAME``, and keys of routes."""


class Unread(Exception):
    """Something in an artifact that a reader does not know how to read: never passed over."""


@dataclass(frozen=True, slots=True)
class Own:
    """The platform's own value, which no artifact sets: it is the spec's where the spec asks for nothing but the
    default."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The platform takes any of these."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Holds:
    """These and perhaps others, which are told apart in another way."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Placed by a component from the edge itself, so no artifact says it; the test that shows it is named."""

    shown_by: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A request. headers and query: names and values as they are sent."""

    listener: str
    host: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    websocket: bool = False

    @property
    def target(self) -> str:
        """Path and query as sent."""
        text = "&".join(f"{name}={value}" for name, value in self.query.items())
        return self.path + (f"?{text}" if text else "")


class Reader(Protocol):
    """What one artifact says."""

    def whole(self) -> Mapping[str, Facts]:
        """By subject, what holds for the edge, each listener and each backend."""
        ...

    def ask(self, probe: Probe) -> Facts | None:
        """What is done with a request whose caller may all; None where it leads nowhere."""
        ...


PER_REQUEST = ("rewrite.path", "redirect.location")
"""Leaves whose value is of one request, and not of its route."""

BUCKETS = ("throttle.bucket", "quota.bucket")
"""Leaves that name a counter in a target's own words; they become the routes that share it."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """fields: of the spec, as ``Model.name``; default: what an edge has where the spec says nothing."""

    fields: tuple[str, ...]
    default: Any = None


_JWT = ("Authorizer.jwt", "EdgeSpec.authorizers")
_SOURCE = (
    "CredentialSource.header",
    "CredentialSource.prefix",
    "CredentialSource.cookie",
    "CredentialSource.query",
)
_CHANGE = ("HeaderChange.remove", "HeaderChange.set", "HeaderChange.add", "Defaults.headers", "Route.headers")
_MATCH = ("ValueMatch.exact", "ValueMatch.prefix", "ValueMatch.regex", "ValueMatch.present", "Route.match")
_VALID = ("Route.validation", "Validate.operation")

LEAVES: Mapping[str, Leaf] = {
    # the edge
    "name": Leaf(("EdgeSpec.name",)),
    "waf.mode": Leaf(("Waf.mode", "EdgeSpec.waf")),
    "waf.managed": Leaf(("Waf.managed",), ()),
    "waf.allow": Leaf(("Waf.allow",), ()),
    "waf.deny": Leaf(("Waf.deny",), ()),
    "waf.rate_per_ip": Leaf(("Waf.rate_per_ip",)),
    "log.retention": Leaf(("AccessLog.retention", "EdgeSpec.access_log"), 30),
    "log.fields": Leaf(("AccessLog.fields",), ()),
    "log.sample": Leaf(("AccessLog.sample",), 1.0),
    "monitor.error_rate": Leaf(("Monitor.error_rate", "EdgeSpec.monitor")),
    "monitor.percentile": Leaf(("Latency.percentile", "Monitor.latency")),
    "monitor.latency": Leaf(("Latency.above", "Monitor.latency")),
    "monitor.throttled": Leaf(("Monitor.throttled",)),
    "monitor.unhealthy_targets": Leaf(("Monitor.unhealthy_targets",)),
    "monitor.notify": Leaf(("Monitor.notify",)),
    "monitor.dashboard": Leaf(("Monitor.dashboard",)),
    "ddos": Leaf(("EdgeSpec.ddos",), "standard"),
    "compression.min_size": Leaf(("Compression.min_size", "EdgeSpec.compression")),
    "compression.content_types": Leaf(("Compression.content_types",)),
    # listeners
    "listener.hosts": Leaf(("Listener.host", "EdgeSpec.listener", "EdgeSpec.listeners"), ()),
    "listener.port": Leaf(("Listener.port", "EdgeSpec.listener", "EdgeSpec.listeners"), 443),
    "listener.protocol": Leaf(("Listener.protocol",), "https"),
    "listener.redirect_http": Leaf(("Listener.redirect_http",), False),
    "listener.backend": Leaf(("Listener.backend",)),
    "tls.min_version": Leaf(("Tls.min_version", "Listener.tls"), "1.2"),
    "tls.client_ca": Leaf(("Tls.client_ca",)),
    "tls.passthrough": Leaf(("Tls.passthrough",), False),
    # backends
    "backend.port": Leaf(("Backend.port", "EdgeSpec.backends")),
    "backend.protocol": Leaf(("Backend.protocol",), "http"),
    "health.path": Leaf(("HealthCheck.path", "Backend.health_check")),
    "health.interval": Leaf(("HealthCheck.interval",)),
    "health.timeout": Leaf(("HealthCheck.timeout",)),
    "health.healthy": Leaf(("HealthCheck.healthy_threshold",)),
    "health.unhealthy": Leaf(("HealthCheck.unhealthy_threshold",)),
    "health.statuses": Leaf(("HealthCheck.expected_statuses",)),
    "breaker.errors": Leaf(("CircuitBreaker.consecutive_errors", "Backend.circuit_breaker")),
    "breaker.ejection": Leaf(("CircuitBreaker.ejection",)),
    "breaker.percent": Leaf(("CircuitBreaker.max_ejection_percent",)),
    "breaker.connections": Leaf(("CircuitBreaker.max_connections",)),
    "breaker.requests": Leaf(("CircuitBreaker.max_requests",)),
    # where a route is
    "reached": Leaf(("EdgeSpec.routes",)),
    "methods": Leaf(("EdgeSpec.routes",)),
    "paths": Leaf(("EdgeSpec.routes",)),
    "listeners": Leaf(("Route.listener",)),
    "match.headers": Leaf(("Match.headers", *_MATCH), {}),
    "match.query": Leaf(("Match.query", *_MATCH), {}),
    "websocket": Leaf(("EdgeSpec.routes",)),
    # what it does
    "backend": Leaf(("Route.backend",)),
    "rewrite.host": Leaf(("Rewrite.host", "Route.rewrite")),
    "rewrite.path": Leaf(("Rewrite.prefix", "Rewrite.path", "Route.rewrite")),
    "redirect.status": Leaf(("Redirect.status", "Route.redirect")),
    "redirect.location": Leaf(("Redirect.target",)),
    "respond.status": Leaf(("Respond.status", "Route.respond")),
    "respond.body": Leaf(("Respond.body",)),
    "respond.content_type": Leaf(("Respond.content_type",)),
    "headers.request": Leaf(("Headers.request", *_CHANGE), {}),
    "headers.response": Leaf(("Headers.response", *_CHANGE), {}),
    # who may
    "auth.kinds": Leaf(("Auth.authorizer", "Route.auth", "Defaults.auth", "EdgeSpec.defaults", "Authorizer.jwt", "Authorizer.api_key", "Authorizer.mtls"), ()),
    "auth.scopes": Leaf(("Auth.scopes",), ()),
    "auth.any_scope": Leaf(("Auth.any_scope",), ()),
    "auth.claims": Leaf(("Auth.claims",), {}),
    "auth.refusal": Leaf(("Auth.scopes", "Auth.any_scope", "Auth.claims")),
    "jwt.issuer": Leaf(("Jwt.issuer", *_JWT)),
    "jwt.audiences": Leaf(("Jwt.audiences",)),
    "jwt.keys": Leaf(("Jwt.jwks_uri", "Jwt.jwks")),
    "jwt.algorithms": Leaf(("Jwt.algorithms",)),
    "jwt.source": Leaf(("Jwt.source", *_SOURCE)),
    "jwt.scope_claim": Leaf(("Jwt.scope_claim", "Jwt.preset")),
    "jwt.audience_claim": Leaf(("Jwt.audience_claim", "Jwt.preset")),
    "jwt.clock_skew": Leaf(("Jwt.clock_skew",), 30_000),
    "jwt.jwks_refresh": Leaf(("Jwt.jwks_refresh",), 300_000),
    "key.source": Leaf(("ApiKey.source", *_SOURCE)),
    "key.clients": Leaf(("ApiKey.clients",)),
    "oidc.issuer": Leaf(("Oidc.issuer", "Authorizer.oidc")),
    "oidc.client": Leaf(("Oidc.client",)),
    "oidc.scopes": Leaf(("Oidc.scopes",)),
    "introspection.endpoint": Leaf(("Introspection.endpoint", "Authorizer.introspection")),
    "introspection.client": Leaf(("Introspection.client",)),
    "introspection.cache": Leaf(("Introspection.cache",)),
    "mtls.subjects": Leaf(("Mtls.subjects", "Authorizer.mtls")),
    # how much
    "throttle.rate": Leaf(("Throttle.rate", "Route.throttle", "Defaults.throttle")),
    "throttle.burst": Leaf(("Throttle.burst",)),
    "throttle.per": Leaf(("Throttle.per",)),
    "throttle.shared": Leaf(("Defaults.throttle", "EdgeSpec.defaults", "Throttle.per")),
    "quota.limit": Leaf(("Quota.limit", "Route.quota", "Defaults.quota")),
    "quota.period": Leaf(("Quota.period",)),
    "quota.per": Leaf(("Quota.per",)),
    "quota.shared": Leaf(("Defaults.quota", "Quota.per")),
    # how it travels
    "cache.ttl": Leaf(("Cache.ttl", "Route.cache")),
    "cache.methods": Leaf(("Route.cache",)),
    "cache.query": Leaf(("VaryBy.query", "Cache.vary_by")),
    "cache.headers": Leaf(("VaryBy.headers", "Cache.vary_by")),
    "cache.share": Leaf(("Cache.share",)),
    "cors.origins": Leaf(("Cors.allow_origins", "Route.cors", "Defaults.cors")),
    "cors.methods": Leaf(("Cors.allow_methods",)),
    "cors.allow_headers": Leaf(("Cors.allow_headers",)),
    "cors.expose_headers": Leaf(("Cors.expose_headers",)),
    "cors.credentials": Leaf(("Cors.allow_credentials",)),
    "cors.max_age": Leaf(("Cors.max_age",)),
    "cors.answers": Leaf(("Route.cors", "Defaults.cors")),
    "retry.attempts": Leaf(("Retry.attempts", "Route.retry", "Defaults.retry")),
    "retry.on": Leaf(("Retry.on",)),
    "retry.backoff": Leaf(("Retry.backoff",)),
    "retry.non_idempotent": Leaf(("Retry.non_idempotent",)),
    "timeout.request": Leaf(("Timeout.request", "Route.timeout", "Defaults.timeout"), 29_000),
    "timeout.backend": Leaf(("Timeout.backend",)),
    "timeout.idle": Leaf(("Timeout.idle",), 300_000),
    "validate.parameters": Leaf(("Validate.parameters", "Operation.parameters", "Parameter.name", "Parameter.source", "Parameter.required", *_VALID)),
    "validate.shapes": Leaf(("Parameter.shape", *_VALID)),
    "validate.body": Leaf(("Validate.body", "Operation.bodies", *_VALID)),
    "validate.body_required": Leaf(("Operation.body_required", *_VALID)),
}  # fmt: skip
"""Everything that parity compares, with the fields of the spec that it comes from."""


def leaves_of(field: str) -> tuple[str, ...]:
    """The leaves in which a field of the spec shows."""
    return tuple(name for name, leaf in LEAVES.items() if field in leaf.fields)
