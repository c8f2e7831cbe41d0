"""What the local target does with each field of a spec: one table, which the compiler reads and the docs print."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Edge,
    Finding,
    Forward,
    IntrospectionAuthorizer,
    JwtAuthorizer,
    MtlsAuthorizer,
    OidcAuthorizer,
    Origin,
)
from edgewright.local.bindings import Bindings

Use = tuple[tuple[str, ...], Origin]
"""Where a field is used: the routes that it is about, and the place."""


@dataclass(frozen=True, slots=True)
class Row:
    """How a field is carried here.

    field: model and name in the spec; how: for ``native`` what carries it, else the reason; carried_by: what would carry
    it, or what to write instead; uses: where an edge uses it in the way that the row is about (not for ``native``).
    """

    field: str
    level: Literal["native", "approximated", "unsupported"]
    how: str
    carried_by: str = ""
    uses: Callable[[Edge, Bindings], Iterator[Use]] | None = None


def findings(edge: Edge, bindings: Bindings) -> tuple[Finding, ...]:
    """The rows that this edge uses and that are not native, then what the bindings leave doubtful."""
    found: list[Finding] = []
    for row in ROWS:
        if row.uses is None or row.level == "native":
            continue
        for routes, origin in row.uses(edge, bindings):
            found.append(Finding(row.level, _spec_name(row.field), routes, row.how, row.carried_by, origin.place))
    return tuple(found) + tuple(_shared_addresses(edge, bindings))


def markdown() -> str:
    """The table for the docs."""
    head = (
        "# The local target, field by field\n\n"
        "<!-- Written by `edgewright schema --local`; a test compares it with the table in the code. -->\n\n"
        "*native*: as the spec says. *approximated*: nearly; the reason says how. *unsupported*: an error that names the\n"
        "route, the field and what would carry it. Source of the behaviour: the Envoy 1.40 documentation, and our own\n"
        "tests in `tests/local`, which send real requests.\n\n"
        "| field | | how |\n|---|---|---|\n"
    )
    rows = (f"| `{row.field}` | {row.level} | {row.how}{_tail(row)} |\n" for row in ROWS)
    return head + "".join(rows)


def _tail(row: Row) -> str:
    return f"; {row.carried_by}" if row.carried_by else ""


def _spec_name(field: str) -> str:
    model, _, name = field.partition(".")
    return f"{_SPEC_PLACES.get(model, model.lower())}.{name}".lstrip(".")


_SPEC_PLACES = {
    "EdgeSpec": "",
    "Tls": "listener.tls",
    "Authorizer": "authorizer",
    "ApiKey": "authorizer.api_key",
    "Jwt": "authorizer.jwt",
}


# -- where an edge uses a field ----------------------------------------------------------------------------------------


def _routes_of(edge: Edge, authorizer: str) -> tuple[str, ...]:
    return tuple(route.key for route in edge.routes if route.auth and authorizer in route.auth.authorizers)


def _oidc(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for item in edge.authorizers.values():
        if isinstance(item, OidcAuthorizer):
            yield _routes_of(edge, item.name), item.origin


def _introspection(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for item in edge.authorizers.values():
        if isinstance(item, IntrospectionAuthorizer):
            yield _routes_of(edge, item.name), item.origin


def _mtls(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for item in edge.authorizers.values():
        if isinstance(item, MtlsAuthorizer):
            yield _routes_of(edge, item.name), item.origin


def _client_ca(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for item in edge.listeners:
        if item.tls is not None and item.tls.client_ca:
            yield (), item.origin


def _mixed(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for route in edge.routes:
        if route.auth is None or len(route.auth.authorizers) < 2:
            continue
        kinds = [edge.authorizers[name] for name in route.auth.authorizers]
        if not all(isinstance(item, JwtAuthorizer) for item in kinds):
            yield (route.key,), route.auth.origin


def _key_prefix(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for item in edge.authorizers.values():
        if isinstance(item, ApiKeyAuthorizer) and item.source.prefix:
            yield _routes_of(edge, item.name), item.origin


def _development_keys(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for item in edge.authorizers.values():
        if isinstance(item, JwtAuthorizer) and not (item.jwks or item.jwks_uri or item.name in bindings.jwks_uris):
            yield _routes_of(edge, item.name), item.origin


def _no_skew(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for item in edge.authorizers.values():
        if isinstance(item, JwtAuthorizer) and item.clock_skew % 1000 + (item.clock_skew == 0):
            yield _routes_of(edge, item.name), item.origin


def _own_answers(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for route in edge.routes:
        if route.cors is not None and not isinstance(route.action, Forward):
            yield (route.key,), route.cors.origin


def _parts_of_a_second(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for route in edge.routes:
        if route.cache is not None and route.cache.ttl % 1000:
            yield (route.key,), route.cache.origin


def _validate(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    for route in edge.routes:
        if route.validation is not None:
            yield (route.key,), route.origin


def _managed(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    if edge.waf is not None and edge.waf.managed:
        yield (), edge.waf.origin


def _lists_and_udp(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    if edge.waf is not None and (edge.waf.allow or edge.waf.deny):
        for item in edge.listeners:
            if item.protocol == "udp":
                yield (), item.origin


def _monitor(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    if edge.monitor is not None:
        yield (), edge.monitor.origin


def _advanced(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    if edge.ddos == "advanced":
        yield (), (edge.listeners[0].origin if edge.listeners else edge.access_log.origin)


def _retention(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    if edge.access_log.retention_days != 30:
        yield (), edge.access_log.origin


def _shared_addresses(edge: Edge, bindings: Bindings) -> Iterator[Finding]:
    """Backends that nothing is bound to and that have the same port would be one and the same here."""
    by_port: dict[int, list[str]] = {}
    for name, backend in edge.backends.items():
        if name not in bindings.backends:
            by_port.setdefault(backend.port, []).append(name)
    for port, names in sorted(by_port.items()):
        if len(names) > 1:
            reason = f"{', '.join(names)} all are 127.0.0.1:{port} here"
            remedy = "bind them, such as `backends: {NAME: {address: 127.0.0.1:9000}}`"
            yield Finding("warning", "backends", (), reason, remedy, edge.backends[names[1]].origin.place)


# -- the table ---------------------------------------------------------------------------------------------------------

ROWS: tuple[Row, ...] = (
    Row("EdgeSpec.name", "native", "names the edge in logs and state"),
    Row("EdgeSpec.listener", "native", "one listener, `default`"),
    Row("EdgeSpec.listeners", "native", "ports of the Envoy balancer; below 1024 moved up by 8000"),
    Row("EdgeSpec.authorizers", "native", "filters of the gateways"),
    Row("EdgeSpec.backends", "native", "Envoy clusters, bound to addresses or to commands that the edge starts"),
    Row("EdgeSpec.defaults", "native", "applied before compiling"),
    Row("EdgeSpec.routes", "native", "Envoy routes in the order of the resolved edge"),
    Row("EdgeSpec.waf", "native", "the balancer's address lists and rates; see Waf"),
    Row("EdgeSpec.access_log", "native", "JSON lines in `log/access-*.log` of the state folder"),
    Row("EdgeSpec.monitor", "approximated", "no alarms or dashboard here; the metrics are there, in Prometheus form, on each node's admin socket", "a cloud's EdgeMonitoring", _monitor),
    Row("EdgeSpec.ddos", "approximated", "`advanced` is a cloud's service; this machine has connection and header limits only", "AWS Shield Advanced or Azure DDoS Protection", _advanced),
    Row("EdgeSpec.compression", "native", "gzip, in the gateways"),
    Row("Listener.host", "native", "virtual hosts of the balancer; `localhost` and `127.0.0.1` lead to the first listener of a port"),
    Row("Listener.port", "native", "443 opens 8443, 80 opens 8080, unless bound"),
    Row("Listener.protocol", "native", "http, https, tcp, tls and udp"),
    Row("Listener.tls", "native", "a certificate of the development authority"),
    Row("Listener.redirect_http", "native", "port 8080 answers 308"),
    Row("Listener.backend", "native", "TCP and UDP proxies of the balancer"),
    Row("Tls.min_version", "native", "1.2 or 1.3"),
    Row("Tls.client_ca", "unsupported", "client certificates are not asked for here yet", "the AWS target; leave `client_ca` out for a local stack", _client_ca),
    Row("Tls.passthrough", "native", "the balancer hands the encrypted connection on"),
    Row("Authorizer.jwt", "native", "`jwt_authn`, and RBAC on what it verified"),
    Row("Authorizer.api_key", "native", "`api_key_auth`; keys are generated, or given as secrets"),
    Row("Authorizer.oidc", "unsupported", "browser login is not there yet", "the AWS target's load balancer", _oidc),
    Row("Authorizer.introspection", "unsupported", "opaque tokens are not looked up yet", "a jwt authorizer, or the Azure target", _introspection),
    Row("Authorizer.mtls", "unsupported", "client certificates are not asked for here yet", "the AWS target", _mtls),
    Row("Jwt.issuer", "native", "compared to the letter"),
    Row("Jwt.audiences", "native", "one must match to the letter"),
    Row("Jwt.jwks_uri", "native", "fetched ahead, refreshed, https verified by the system's authorities"),
    Row("Jwt.jwks", "native", "inline"),
    Row("Jwt.algorithms", "native", "others are refused, whatever keys there are"),
    Row("Jwt.source", "native", "header, cookie or query"),
    Row("Jwt.preset", "native", "applied before compiling"),
    Row("Jwt.scope_claim", "native", "a list, or words separated by spaces"),
    Row("Jwt.audience_claim", "native", "`aud` by the filter, others by RBAC"),
    Row("Jwt.clock_skew", "approximated", "whole seconds, and at least one", "", _no_skew),
    Row("Jwt.jwks_refresh", "native", "the lifetime of fetched keys; a key that is not known is not looked for before"),
    Row("Jwt.(keys)", "approximated", "the issuer's keys are those of the development OpenID provider on this machine; get a token from `edgewright token`", "write `jwks_uri`, or bind one, to use the issuer's own", _development_keys),
    Row("ApiKey.source", "unsupported", "a key with a prefix in its header is not told from one without", "a header of its own, such as `x-api-key`", _key_prefix),
    Row("ApiKey.clients", "native", "a key each; backends do not see it"),
    Row("CredentialSource.header", "native", "by name"),
    Row("CredentialSource.prefix", "native", "of tokens; for keys see ApiKey.source"),
    Row("CredentialSource.cookie", "native", "by name"),
    Row("CredentialSource.query", "native", "by name; queries are never logged"),
    Row("Oidc.issuer", "unsupported", "see Authorizer.oidc"),
    Row("Oidc.client", "unsupported", "see Authorizer.oidc"),
    Row("Oidc.scopes", "unsupported", "see Authorizer.oidc"),
    Row("Introspection.endpoint", "unsupported", "see Authorizer.introspection"),
    Row("Introspection.client", "unsupported", "see Authorizer.introspection"),
    Row("Introspection.cache", "unsupported", "see Authorizer.introspection"),
    Row("Mtls.subjects", "unsupported", "see Authorizer.mtls"),
    Row("Auth.authorizer", "unsupported", "one route cannot take a key or a token yet; several jwt authorizers are native", "two routes, told apart by `match`", _mixed),
    Row("Auth.scopes", "native", "RBAC on the verified token: 403 without"),
    Row("Auth.any_scope", "native", "RBAC on the verified token: 403 without"),
    Row("Auth.claims", "native", "RBAC on the verified token, for texts and lists of texts: 403 without"),
    Row("Backend.port", "native", "127.0.0.1 and this port, unless bound"),
    Row("Backend.protocol", "native", "http, https (verified by the system's authorities), h2c, grpc, tcp, udp"),
    Row("Backend.health_check", "native", "active checks by each gateway"),
    Row("Backend.circuit_breaker", "native", "outlier detection and limits of the cluster, in each gateway"),
    Row("HealthCheck.path", "native", "without one, a connection is enough"),
    Row("HealthCheck.interval", "native", "until an instance is well, at most a second"),
    Row("HealthCheck.timeout", "native", ""),
    Row("HealthCheck.healthy_threshold", "native", "the first good answer of a new instance is enough"),
    Row("HealthCheck.unhealthy_threshold", "native", "a 503 counts as that many"),
    Row("HealthCheck.expected_statuses", "native", ""),
    Row("CircuitBreaker.consecutive_errors", "native", "5xx, and refused or broken connections"),
    Row("CircuitBreaker.ejection", "native", "longer each time"),
    Row("CircuitBreaker.max_ejection_percent", "native", "at least one instance may be ejected"),
    Row("CircuitBreaker.max_connections", "native", "for each worker of a gateway"),
    Row("CircuitBreaker.max_requests", "native", "for each worker of a gateway; 503 beyond"),
    Row("Defaults.auth", "native", "applied before compiling"),
    Row("Defaults.throttle", "native", "one bucket for the edge"),
    Row("Defaults.quota", "native", "one count for the edge"),
    Row("Defaults.cors", "native", "applied before compiling"),
    Row("Defaults.retry", "native", "applied before compiling"),
    Row("Defaults.timeout", "native", "applied before compiling"),
    Row("Defaults.headers", "native", "applied before compiling"),
    Row("Route.auth", "native", "see Auth; `none` makes it public"),
    Row("Route.throttle", "native", "see Throttle"),
    Row("Route.quota", "native", "see Quota"),
    Row("Route.cors", "native", "the CORS filter; preflights are answered with 200"),
    Row("Route.(cors of own answers)", "approximated", "redirects and fixed answers carry no CORS headers here", "", _own_answers),
    Row("Route.retry", "native", "see Retry; without it, only connections that fail are tried again"),
    Row("Route.timeout", "native", "see Timeout"),
    Row("Route.headers", "native", "see Headers"),
    Row("Route.backend", "native", "weights by request; a retry may go to another backend"),
    Row("Route.listener", "native", "by a private header that only the balancer sets"),
    Row("Route.match", "native", "see Match"),
    Row("Route.cache", "native", "see Cache"),
    Row("Route.rewrite", "native", "see Rewrite"),
    Row("Route.redirect", "native", "see Redirect"),
    Row("Route.respond", "native", "see Respond"),
    Row("Route.validation", "unsupported", "requests are not checked against an OpenAPI document here yet", "the service, or a cloud's gateway", _validate),
    Row("Throttle.rate", "native", "over all gateways together: shared buckets in the gateways, small ones exactly in the limits service"),
    Row("Throttle.burst", "native", "as rate"),
    Row("Throttle.per", "native", "client, ip, api_key, subject, header:NAME (the address where it is missing), route; at most 10,000 callers at once"),
    Row("Quota.limit", "native", "counted exactly by the limits service, and kept on disk"),
    Row("Quota.period", "native", "calendar periods in UTC"),
    Row("Quota.per", "native", "as Throttle.per"),
    Row("Cache.ttl", "native", "whole seconds; answers with 200 that do not say `no-store`, set cookies or vary by everything"),
    Row("Cache.(parts of a second)", "approximated", "rounded down to whole seconds", "", _parts_of_a_second),
    Row("Cache.vary_by", "native", "the key has the route, the host, and these"),
    Row("Cache.share", "native", "per_user keys by the token's issuer and subject or the key's client; without `auth`, cookies and Authorization do not reach the backend"),
    Row("VaryBy.query", "native", "names, or all"),
    Row("VaryBy.headers", "native", ""),
    Row("Cors.allow_origins", "native", "to the letter, or any"),
    Row("Cors.allow_methods", "native", ""),
    Row("Cors.allow_headers", "native", ""),
    Row("Cors.expose_headers", "native", ""),
    Row("Cors.allow_credentials", "native", ""),
    Row("Cors.max_age", "native", ""),
    Row("Retry.attempts", "native", "each on another instance, if there is one"),
    Row("Retry.on", "native", ""),
    Row("Retry.backoff", "native", "grows to ten times, with chance"),
    Row("Retry.non_idempotent", "native", "otherwise GET, HEAD, PUT, DELETE and OPTIONS only"),
    Row("Timeout.request", "native", "504"),
    Row("Timeout.backend", "native", "each try; 504 after the last"),
    Row("Timeout.idle", "native", "streams and WebSockets"),
    Row("Rewrite.host", "native", ""),
    Row("Rewrite.prefix", "native", ""),
    Row("Rewrite.path", "native", "with variables"),
    Row("Headers.request", "native", ""),
    Row("Headers.response", "native", "`server` and `x-powered-by` of backends are always removed"),
    Row("HeaderChange.remove", "native", ""),
    Row("HeaderChange.set", "native", ""),
    Row("HeaderChange.add", "native", ""),
    Row("Redirect.target", "native", "the query is kept"),
    Row("Redirect.status", "native", ""),
    Row("Respond.status", "native", ""),
    Row("Respond.body", "native", ""),
    Row("Respond.content_type", "native", ""),
    Row("ValueMatch.exact", "native", ""),
    Row("ValueMatch.prefix", "native", ""),
    Row("ValueMatch.regex", "native", "RE2, for the whole value"),
    Row("ValueMatch.present", "native", ""),
    Row("Match.headers", "native", ""),
    Row("Match.query", "native", "as written, without decoding"),
    Row("Validate.parameters", "unsupported", "see Route.validation"),
    Row("Validate.operation", "unsupported", "see Route.validation"),
    Row("Operation.parameters", "unsupported", "see Route.validation"),
    Row("Operation.body_required", "unsupported", "see Route.validation"),
    Row("Operation.bodies", "unsupported", "see Route.validation"),
    Row("Parameter.name", "unsupported", "see Route.validation"),
    Row("Parameter.source", "unsupported", "see Route.validation"),
    Row("Parameter.required", "unsupported", "see Route.validation"),
    Row("Parameter.shape", "unsupported", "see Route.validation"),
    Row("Validate.body", "unsupported", "see Route.validation"),
    Row("Waf.mode", "native", "`count` lets everything in and counts in the metrics"),
    Row("Waf.managed", "approximated", "no managed rule sets on this machine", "AWS WAF, or Azure's", _managed),
    Row("Waf.allow", "native", "403 for others, by the address of the connection"),
    Row("Waf.deny", "native", "403"),
    Row("Waf.(udp)", "unsupported", "address lists do not hold for a udp listener here", "leave the lists or the listener out; a cloud's network rules hold for both", _lists_and_udp),
    Row("Waf.rate_per_ip", "native", "429, counted by the balancer"),
    Row("AccessLog.retention", "approximated", "files are set aside when they grow, not by age", "a cloud's log group", _retention),
    Row("AccessLog.fields", "native", ""),
    Row("AccessLog.sample", "native", "failed requests always"),
    Row("Monitor.error_rate", "native", "see EdgeSpec.monitor"),
    Row("Monitor.latency", "approximated", "see EdgeSpec.monitor"),
    Row("Monitor.throttled", "approximated", "see EdgeSpec.monitor"),
    Row("Monitor.unhealthy_targets", "native", "see EdgeSpec.monitor"),
    Row("Monitor.notify", "approximated", "see EdgeSpec.monitor"),
    Row("Monitor.dashboard", "approximated", "see EdgeSpec.monitor"),
    Row("Latency.percentile", "approximated", "see EdgeSpec.monitor"),
    Row("Latency.above", "approximated", "see EdgeSpec.monitor"),
    Row("Compression.min_size", "native", ""),
    Row("Compression.content_types", "native", ""),
)  # fmt: skip
