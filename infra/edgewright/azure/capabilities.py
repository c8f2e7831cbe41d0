"""What Azure does with each field of a spec, for each topology: one table, which the compiler reads and the docs print."""

from edgewright.azure import uses as u
from edgewright.azure.bindings import Bindings
from edgewright.azure.compile_monitoring import CAPABILITIES, RETENTION
from edgewright.azure.topology import TOPOLOGIES
from edgewright.clouds import capability_table as table
from edgewright.clouds.capability_table import Cell, Row
from edgewright.edge.model import Edge, Finding

COLUMNS = TOPOLOGIES
"""The topologies."""

NEVER_ACCEPTED = (
    "Authorizer",
    "Jwt",
    "ApiKey",
    "Oidc",
    "Introspection",
    "Mtls",
    "Auth",
    "Waf.allow",
    "Waf.deny",
    "Waf.(mode count)",
    "Waf.(address lists before streams)",
    "Cache.share",
    "Cache.(under header or query matches)",
    "VaryBy",
    "Tls.client_ca",
    "Listener.(without a host)",
    "Cors.(origins with other meanings)",
    "Route.(WebSocket with matches, headers or another host)",
    "Route.(paths alike but for case)",
    "ValueMatch.(regex that .NET reads otherwise)",
)
"""Fields of authentication, address lists and cache isolation, and those of which nothing could be written in their
place: a stack cannot accept that they are not carried."""


def findings(edge: Edge, bindings: Bindings, column: str) -> tuple[Finding, ...]:
    """What of this edge a topology does not carry as it stands, in the order of the table."""
    return table.findings(ROWS, edge, bindings, COLUMNS.index(column))


def markdown() -> str:
    """The table for the docs."""
    head = (
        "# Azure, field by field\n\n"
        "<!-- Written by `edgewright schema --azure`; a test compares it with the table in the code. -->\n\n"
        "*native*: as the spec says. *approximated*: nearly; the text says how and by how much. *unsupported*: an error\n"
        "that names the route, the field and what would carry it; a stack may `accept` it, but never one of\n"
        "authentication, address lists or cache isolation. Sources: Microsoft's documentation of API Management and its\n"
        "policies, and of Load Balancer, as read in 2026-11; *unverified* is what it leaves open, and there the reading\n"
        "is taken that fails closed. Nothing here was deployed to Azure.\n\n"
        f"| field | {' | '.join(COLUMNS)} |\n|---{'|---' * len(COLUMNS)}|\n"
    )
    return head + table.rows_text(ROWS)


# -- the table ---------------------------------------------------------------------------------------------------------


Cells = tuple[Cell, ...]


def _n(how: str = "") -> Cells:
    return (Cell("native", how),) * len(COLUMNS)


def _a(how: str, carried_by: str = "") -> Cells:
    return (Cell("approximated", how, carried_by),) * len(COLUMNS)


def _u(why: str, carried_by: str) -> Cells:
    return (Cell("unsupported", why, carried_by),) * len(COLUMNS)


def _each(*cells: Cells) -> Cells:
    """One for each topology, in their order."""
    return tuple(one[0] for one in cells)


def _monitored(field: str) -> Cells:
    """What the compiler of alarms says of itself."""
    return tuple(Cell(level, how) for level, how in (CAPABILITIES[column][field] for column in COLUMNS))


_OWN_LOG = "requests in Application Insights, which a self-hosted gateway does not promise to reach with each; its own log stays where it runs"


ROWS: tuple[Row, ...] = (
    Row("EdgeSpec.name", _n()),
    Row("EdgeSpec.listener", _n()),
    Row("EdgeSpec.listeners", _n()),
    Row("EdgeSpec.authorizers", _n()),
    Row("EdgeSpec.backends", _n()),
    Row("EdgeSpec.defaults", _n()),
    Row("EdgeSpec.routes", _n()),
    Row("EdgeSpec.waf", _n("see Waf")),
    Row("EdgeSpec.access_log", _each(_n("diagnostic settings to Log Analytics"), _a(_OWN_LOG), _n("diagnostic settings to Log Analytics"), _n("diagnostic settings to Log Analytics")), u.logged),
    Row("EdgeSpec.monitor", _n("see Monitor")),
    Row("EdgeSpec.ddos", _each(_a("a network to create gets a DDoS plan, for the addresses in it; API Management's own address has the platform's protection"), _n("a network to create gets a DDoS plan; an existing one is its owner's"), _n("a network to create gets a DDoS plan; in an existing one the Application Gateway's address has protection of its own"), _n("Front Door's own")), u.shielded),
    Row("EdgeSpec.compression", _a("API Management compresses nothing: a service's own compression is handed through"), u.compressed),
    Row("Listener.host", _each(_n("a custom domain, with a certificate of Key Vault; several on the tiers Developer and Premium"), _n("a host name of the gateways, with a certificate of Key Vault"), _n("a listener and a custom domain, with a certificate of Key Vault"), _n("a custom domain of Front Door, with its own certificate"))),
    Row("Listener.(without a host)", _each(_n("the service's own name"), _u("a Load Balancer has neither name nor certificate", "`host`, with a certificate in Key Vault"), _u("an Application Gateway has no certificate of its own", "`host`, with a certificate in Key Vault"), _n("the endpoint's own name")), u.nameless),
    Row("Listener.(wildcard host)", _u("API Management answers to the host names that it is given", "each host by name"), u.wildcard_hosts),
    Row("Listener.(second web listener)", _u("a service has one port, and no listeners apart", "an edge of its own"), u.several_listeners),
    Row("Listener.port", _each(_n("443"), _n(), _n("443"), _n("443"))),
    Row("Listener.(https on another port)", _each(_u("API Management listens on 443", "port 443"), _n("a rule of the balancer"), _u("the Application Gateway listens on 443", "port 443"), _u("Front Door listens on 443", "port 443")), u.other_ports),
    Row("Listener.(https on another port, on Kubernetes)", _each(_n("see Listener.(https on another port)"), _u("the gateways' Service opens 443", "port 443"), _n("see Listener.(https on another port)"), _n("see Listener.(https on another port)")), u.other_ports_on_kubernetes),
    Row("Listener.protocol", _n()),
    Row("Listener.(http)", _u("the API is asked by HTTPS only", "`protocol: https`"), u.plain_http),
    Row("Listener.(tcp, tls or udp)", _n("a public Load Balancer")),
    Row("Listener.(tls that ends at the edge)", _u("a Load Balancer hands connections on and ends no TLS", "`tls: {passthrough: true}`, and the service ends it"), u.ended_streams),
    Row("Listener.(udp probed by tcp)", _a("a UDP rule is probed by TCP or HTTP: the machines must answer on the same port"), u.datagrams),
    Row("Listener.tls", _n("1.2 and 1.3, weak protocols and ciphers off")),
    Row("Listener.redirect_http", _each(*(_a("port 80 is not opened to the API: a client must ask by HTTPS itself"),) * 2, _n("a listener on 80 that redirects"), _n("a route that redirects")), u.redirected),
    Row("Listener.backend", _n("see Listener.(tcp, tls or udp)")),
    Row("Tls.min_version", _n("1.2")),
    Row("Tls.(min_version 1.3)", _u("API Management cannot refuse TLS 1.2", "`min_version: \"1.2\"`"), u.tls_13),
    Row("Tls.client_ca", _u("edgewright does not place client certificates on Azure yet", "a JWT or an API key"), u.client_ca),
    Row("Tls.passthrough", _n("see Listener.(tcp, tls or udp)")),
    Row("Authorizer.jwt", _n("validate-jwt, or validate-azure-ad-token for an issuer of Entra ID")),
    Row("Authorizer.api_key", _n("a product's subscriptions; that a key without need is known is unverified for APIs that ask for none: then it answers 401")),
    Row("Authorizer.oidc", _u("API Management has no browser login", "a login of the application's own"), u.oidc),
    Row("Authorizer.introspection", _n("send-request to the endpoint; 401 without an active token, 503 where the endpoint gives no answer that can be read within 5 s; a token's own end holds, early tokens have 30 s")),
    Row("Authorizer.mtls", _u("edgewright does not place client certificates on Azure yet", "a JWT or an API key"), u.mtls),
    Row("Auth.(several authorizers)", _u("each policy of tokens refuses by itself: that one of several is enough cannot be said without a hole", "one authorizer a route"), u.several),
    Row("Jwt.issuer", _n()),
    Row("Jwt.(issuer by http)", _u("API Management reads an issuer's metadata by HTTPS only", "an https issuer"), u.plain_issuer),
    Row("Jwt.audiences", _n()),
    Row("Jwt.jwks_uri", _a("keys are found by the issuer's own metadata, which may name another place"), u.own_keys_url),
    Row("Jwt.jwks", _n("RSA keys")),
    Row("Jwt.(inline keys that are not RSA)", _u("issuer-signing-keys takes RSA keys only", "an issuer with metadata"), u.inline_keys_beyond_rsa),
    Row("Jwt.algorithms", _n("RS256, RS512, PS256, ES256; others that the policy would take are refused by an expression")),
    Row("Jwt.(other algorithms)", _u("validate-jwt knows RS256, RS512, PS256 and ES256", "one of these"), u.other_algorithms),
    Row("Jwt.source", _n("a header or a query parameter")),
    Row("Jwt.(from a cookie)", _u("validate-jwt reads a header or a query parameter", "a header"), u.from_a_cookie),
    Row("Jwt.(a scheme in another header)", _u("require-scheme is ignored unless the header is Authorization", "`prefix: \"\"`"), u.schemes_elsewhere),
    Row("Jwt.(Entra ID otherwise than by Authorization: Bearer and aud)", _u("validate-azure-ad-token is compiled for the usual header and claim", "the usual ones"), u.entra_elsewhere),
    Row("Jwt.(texts with other meanings)", _u("issuers, audiences, names, prefixes and ids of keys take no expression, and there a policy reads @ at the beginning as code, {{ as a named value, and no control characters or spaces around", "texts without these"), u.odd_texts),
    Row("Jwt.preset", _n()),
    Row("Jwt.scope_claim", _n()),
    Row("Jwt.audience_claim", _n()),
    Row("Jwt.clock_skew", _n()),
    Row("Jwt.jwks_refresh", _a("API Management has its own interval, an hour"), u.own_refresh),
    Row("ApiKey.source", _n("one name of a header and one of a query parameter for the API")),
    Row("ApiKey.(unlike sources)", _u("an API has one name for keys in headers and one in queries", "the same source for all authorizers of keys"), u.keys_in_two_places),
    Row("ApiKey.(cookie or prefix)", _u("a key is the whole value of a header or a query parameter", "a header without a prefix"), u.keys_with_prefix),
    Row("ApiKey.clients", _n("subscriptions")),
    Row("CredentialSource.header", _n("see Jwt.source and ApiKey.source")),
    Row("CredentialSource.prefix", _n("see Jwt.source and ApiKey.source")),
    Row("CredentialSource.cookie", _n("see Jwt.source and ApiKey.source")),
    Row("CredentialSource.query", _n("see Jwt.source and ApiKey.source")),
    Row("Oidc.issuer", _n("see Authorizer.oidc")),
    Row("Oidc.client", _n("see Authorizer.oidc")),
    Row("Oidc.scopes", _n("see Authorizer.oidc")),
    Row("Introspection.endpoint", _n("asked by a form, for the token of `Authorization: Bearer`")),
    Row("Introspection.(endpoint by http)", _u("a token and the client's secret would travel unencrypted", "an https endpoint"), u.introspection_by_http),
    Row("Introspection.client", _n("Basic; its secret is a named value, kept in Key Vault where the stack binds it")),
    Row("Introspection.cache", _n("active answers alone, by the SHA-256 of the token; a gateway without a cache asks each time: the tier Consumption, and a self-hosted gateway without an external one")),
    Row("Introspection.(cache in parts of a second)", _a("rounded down to whole seconds; below one nothing is kept"), u.introspection_in_parts),
    Row("Introspection.(of a WebSocket)", _a("asked at each handshake, and nothing is kept; that a handshake may send the form is unverified: else it is refused"), u.websockets_introspected),
    Row("Mtls.subjects", _n("see Authorizer.mtls")),
    Row("Auth.authorizer", _n()),
    Row("Auth.scopes", _n("403 by an expression")),
    Row("Auth.any_scope", _n("403 by an expression")),
    Row("Auth.claims", _n("403 by an expression")),
    Row("Backend.port", _n()),
    Row("Backend.protocol", _n("http, https")),
    Row("Backend.(grpc or h2c)", _u("a managed gateway speaks HTTP/1.1 to backends, and edgewright compiles no gRPC API for a self-hosted one", "`protocol: http`"), u.grpc_backends),
    Row("Backend.(https behind the services' balancer)", _u("the gateway checks the name of a certificate, and the balancer has an address only", "bind `private_dns: {zone}`, and each backend has a name in it"), u.https_behind),
    Row("Backend.health_check", _n("a probe of the services' balancer")),
    Row("Backend.(health check without a balancer)", _a("a gateway asks no backend whether it is well: at a URL nobody does, in a cluster the readiness of the Service's own pods counts"), u.unchecked),
    Row("Backend.circuit_breaker", _n("a circuit breaker of the Backend")),
    Row("HealthCheck.path", _n()),
    Row("HealthCheck.interval", _n()),
    Row("HealthCheck.(interval under 5s or in parts of a second)", _a("5 s at least, and whole seconds"), u.checked_often),
    Row("HealthCheck.unhealthy_threshold", _n()),
    Row("HealthCheck.timeout", _a("a probe has no timeout of its own but its interval"), u.checked_timeouts),
    Row("HealthCheck.healthy_threshold", _a("one threshold holds for both directions"), u.checked_timeouts),
    Row("HealthCheck.expected_statuses", _n("200")),
    Row("HealthCheck.(other statuses)", _a("a probe takes 200 only"), u.checked_statuses),
    Row("CircuitBreaker.consecutive_errors", _a("so many errors in a minute, consecutive or not; each instance of the gateway counts for itself"), u.breakers),
    Row("CircuitBreaker.ejection", _n("the trip's duration")),
    Row("CircuitBreaker.(of a WebSocket)", _a("a WebSocket API names its service itself, and no Backend that could trip"), u.breakers_of_websockets),
    Row("CircuitBreaker.max_ejection_percent", _a("the Backend trips as a whole; its machines are the probe's"), u.breakers),
    Row("CircuitBreaker.max_connections", _a("not limited"), u.breakers),
    Row("CircuitBreaker.max_requests", _a("not limited"), u.breakers),
    Row("Defaults.auth", _n("as on the routes")),
    Row("Defaults.throttle", _n("as on the routes")),
    Row("Defaults.quota", _n("as on the routes")),
    Row("Defaults.cors", _n("as on the routes")),
    Row("Defaults.retry", _n("as on the routes")),
    Row("Defaults.timeout", _n("as on the routes")),
    Row("Defaults.headers", _n("as on the routes")),
    Row("Route.auth", _n()),
    Row("Route.throttle", _n()),
    Row("Route.quota", _n()),
    Row("Route.cors", _n("the cors policy of the API")),
    Row("Route.(unlike CORS)", _u("a preflight evaluates the cors policy of the API alone, which is one for all routes", "the same `cors` for all routes, in `defaults`"), u.unlike_cors),
    Row("Route.(an OPTIONS route beside CORS)", _u("an operation for OPTIONS would switch preflights off, so that there is none", "`cors: none` for all routes, or no OPTIONS route"), u.options_routes_beside_cors),
    Row("Route.(OPTIONS beside CORS)", _a("the cors policy answers preflights where there is no operation for OPTIONS: another OPTIONS is answered with 404"), u.options_beside_cors),
    Row("Route.retry", _n("the retry policy, the body kept")),
    Row("Route.timeout", _n()),
    Row("Route.headers", _n()),
    Row("Route.backend", _n("a Backend, or a pool of them by weight: each instance of the gateway chooses by itself")),
    Row("Route.listener", _n()),
    Row("Route.match", _n("headers and query, by an expression")),
    Row("Route.cache", _n("see Cache")),
    Row("Route.rewrite", _n()),
    Row("Route.redirect", _n()),
    Row("Route.respond", _n()),
    Row("Route.validation", _a("validate-parameters and validate-content against the imported document, in prevention mode: 400; that the import keeps all words of a parameter's schema is unverified, and no variable is compared where another route's literal stands in its place"), u.validated),
    Row("Route.(validation of a WebSocket)", _u("no handshake is checked by validate-parameters or validate-content", "the service, and `validate: false`"), u.validated_websockets),
    Row("Route.(paths alike but for case)", _u("API Management takes two paths for one whatever the case of their letters", "paths that differ in more"), u.alike_but_for_case),
    Row("Route.(WebSocket)", _each(*(_a("a WebSocket API of its own: policies see the handshake, and no message"),) * 3, _a("a WebSocket API of its own: policies see the handshake, and no message; that Front Door hands WebSockets to a private endpoint is unverified")), u.websockets),
    Row("Route.(WebSocket with variables or /*)", _u("a WebSocket API has one path", "a path without variables"), u.websockets_with_variables),
    Row("Route.(WebSocket over several backends)", _u("a WebSocket API has one service", "one backend"), u.websockets_weighted),
    Row("Route.(WebSocket with matches, headers or another host)", _u("a WebSocket API knows a path only, and edgewright changes nothing on the way", "none of these"), u.websockets_changed),
    Row("Auth.(API key of a WebSocket)", _u("which keys a WebSocket API knows is a product's, and edgewright links none", "a JWT"), u.websockets_by_key),
    Row("Throttle.rate", _each(_a("a sliding window of a minute (classic tiers) or a bucket (v2); each instance of the gateway counts for itself"), _a("a sliding window of a minute; each machine counts for itself, gateways on Kubernetes together"), *(_a("a sliding window of a minute (classic tiers) or a bucket (v2); each instance of the gateway counts for itself"),) * 2), u.throttled),
    Row("Throttle.(rates that are no whole number a minute or in 5 minutes)", _a("rounded down to whole requests in 60 s, or in 300 s, and to one in 300 s at least"), u.inexact),
    Row("Throttle.burst", _a("a second window of one second, with the burst as its size, and never more than the lasting window's"), u.capped),
    Row("Throttle.per", _each(*(_n("by an expression"),) * 2, *(_n("by an expression; an address is the one that stands before the service has seen"),) * 2)),
    Row("Quota.limit", _n("quota-by-key; over it 429, as elsewhere, where Azure says 403")),
    Row("Quota.period", _n("whole periods of UTC: hour, day, week from Monday")),
    Row("Quota.(a month)", _a("30 days from 2018-01-01, since the policy counts seconds"), u.monthly),
    Row("Quota.per", _a("counted by the service; over several instances best effort"), u.quotas),
    Row("Cache.ttl", _each(_n("whole seconds"), _n("whole seconds; in a Redis, since self-hosted gateways have no cache"), _n("whole seconds"), _n("whole seconds"))),
    Row("Cache.(parts of a second)", _a("rounded down to whole seconds, at least one"), u.cached_parts),
    Row("Cache.(HEAD)", _a("only GET is kept"), u.cached_head),
    Row("Cache.(under header or query matches)", _u("the cache is one for the operation, whatever its matches", "no matches, or no cache"), u.cached_under_matches),
    Row("Cache.vary_by", _n()),
    Row("Cache.share", _n("per_user: the token's subject or the key's subscription is part of the key, in a header that clients cannot set")),
    Row("VaryBy.query", _n("names, or all")),
    Row("VaryBy.(names with other meanings)", _u("`;` divides these names, which take no expression: @ at the beginning would be code, {{ a named value, and control characters nothing", "names without these, or `query: \"*\"`"), u.cached_by_odd_names),
    Row("VaryBy.headers", _n()),
    Row("Cors.allow_origins", _n()),
    Row("Cors.(origins with other meanings)", _u("an origin takes no expression: {{ would be a named value, and control characters nothing", "origins without these"), u.odd_origins),
    Row("Cors.allow_methods", _n()),
    Row("Cors.allow_headers", _n()),
    Row("Cors.expose_headers", _n()),
    Row("Cors.allow_credentials", _n()),
    Row("Cors.max_age", _n()),
    Row("Retry.attempts", _n()),
    Row("Retry.on", _n()),
    Row("Retry.(connect-failure or reset alone)", _a("API Management does not tell a connection that breaks from one that fails: both are tried again"), u.one_of_failures),
    Row("Retry.backoff", _n("whole seconds")),
    Row("Retry.(backoff in parts of a second)", _a("rounded up to whole seconds"), u.retried),
    Row("Retry.non_idempotent", _n()),
    Row("Timeout.request", _n("whole seconds")),
    Row("Timeout.(parts of a second)", _a("rounded up to whole seconds"), u.timed_in_parts),
    Row("Timeout.(request over 240s)", _a("API Management may end a request after 240 s"), u.limited_over_240),
    Row("Timeout.(request with retries)", _a("each try has the time of one; together they may take longer than the request's"), u.requests_and_retries),
    Row("Timeout.backend", _a("there is one try, bounded by the request's"), u.backend_timeouts),
    Row("Timeout.idle", _n("API Management's own")),
    Row("Timeout.(idle of answers that are kept)", _a("API Management takes an answer whole before it keeps it, within the request's time"), u.idle_kept),
    Row("Timeout.(idle of a WebSocket)", _a("API Management's own, which no setting changes"), u.idle_websockets),
    Row("Timeout.(idle of a stream)", _a("answers go on piece by piece; an idle connection is ended after 4 minutes, or as the network has it"), u.streams_without_end),
    Row("Rewrite.host", _n()),
    Row("Rewrite.prefix", _n()),
    Row("Rewrite.path", _n()),
    Row("Headers.request", _n()),
    Row("Headers.response", _n()),
    Row("Headers.(response of own answers)", _a("redirects and fixed answers are given by return-response, after which nothing is changed"), u.changed_own_answers),
    Row("Headers.(headers of a connection)", _u("set-header cannot touch Connection, Content-Length, Keep-Alive and Transfer-Encoding", "other headers"), u.kept_headers),
    Row("HeaderChange.remove", _n()),
    Row("HeaderChange.(server or x-forwarded-for removed)", _a("set-header cannot remove Server from an answer, nor the client's address from X-Forwarded-For: they stay; another value by `set`"), u.stays),
    Row("HeaderChange.set", _n()),
    Row("HeaderChange.add", _n()),
    Row("Redirect.target", _n()),
    Row("Redirect.status", _n()),
    Row("Respond.status", _n()),
    Row("Respond.body", _n()),
    Row("Respond.content_type", _n()),
    Row("ValueMatch.exact", _n()),
    Row("ValueMatch.prefix", _n()),
    Row("ValueMatch.regex", _n("RE2, translated for .NET; one that takes longer than 250 ms is given up (500)")),
    Row("ValueMatch.(regex that .NET reads otherwise)", _u("gateways match by .NET, which has not all of RE2: no classes by name such as [:alpha:], no flags but i and s, no {,n}, no \\Z, no sets of characters beyond U+FFFF", "a regular expression without these"), u.untold_patterns),
    Row("ValueMatch.present", _n()),
    Row("Match.headers", _n()),
    Row("Match.query", _n()),
    Row("Validate.parameters", _n("see Route.validation; parameters that are not named are let through")),
    Row("Validate.body", _n("JSON bodies by their schema, of 102,400 bytes at most; a media type that is not named is refused, one that is not JSON is let through")),
    Row("Validate.(bodies of GET, HEAD and OPTIONS)", _a("the import drops what they may be: any body is refused"), u.validated_bodies_without_schema),
    Row("Validate.operation", _n("see Route.validation")),
    Row("Validate.(by nothing)", _u("there is no operation to check requests against", "load the OpenAPI document, write `validate: {operation: ...}`, or `validate: false`"), u.validated_by_nothing),
    Row("Validate.(words of JSON Schema)", _u("the import knows the words of OpenAPI 3.0 only: no if, contains, prefixItems, patternProperties, dependent*, unevaluated*, discriminator", "a schema without them, or `validate: {body: false}`"), u.validated_beyond),
    Row("Validate.(unlike operations under matches)", _u("routes told apart by headers or query are one operation, which has one description", "the same `validate`, or paths of their own"), u.validated_unlike),
    Row("Operation.parameters", _n("see Route.validation")),
    Row("Operation.body_required", _n("by an expression")),
    Row("Operation.bodies", _n("see Validate.body")),
    Row("Parameter.name", _n()),
    Row("Parameter.(names alike)", _u("an import wants each required query parameter and each variable of a path to have a name of its own, whatever its case, and variables of paths are called p1, p2 here", "another name"), u.validated_names),
    Row("Parameter.source", _n("path, query, headers but Accept, Authorization and Content-Type")),
    Row("Parameter.required", _n("by an expression")),
    Row("Parameter.shape", _n("in the words of OpenAPI 3.0; null where `type` names it is unverified: else it is refused")),
    Row("Waf.mode", _each(_n("block"), _n("block"), _n("Prevention or Detection"), _n("Prevention or Detection"))),
    Row("Waf.(mode count)", _each(*(_u("ip-filter refuses; it cannot count", "`mode: block`"),) * 2, _n("Detection"), _n("Detection")), u.waf_counts),
    Row("Waf.managed", _each(_u("API Management has no managed rules", "azure/appgw-waf or azure/front-door"), _u("a Load Balancer sees no requests, and API Management has no managed rules", "azure/appgw-waf or azure/front-door"), *(_a("rule sets of Microsoft's, each whole; the plan says what else comes with one, and what Azure has none for"),) * 2), u.waf_managed),
    Row("Waf.allow", _each(*(_n("ip-filter, as ranges; by the address that the gateway sees"),) * 2, *(_n("a rule of the WAF policy, by the client's address"),) * 2)),
    Row("Waf.deny", _each(*(_n("ip-filter, as ranges"),) * 2, *(_n("a rule of the WAF policy"),) * 2)),
    Row("Waf.(address lists before streams)", _u("neither a Load Balancer nor a policy of requests looks at who opens a connection", "rules of your own on the machines' network, or no stream beside the lists"), u.lists_before_streams),
    Row("Waf.rate_per_ip", _each(*(_a("rate-limit-by-key before everything else, over a minute; each instance of the gateway counts for itself"),) * 2, *(_a("a rate rule of the WAF policy, over a minute or five"),) * 2), u.waf_rate),
    Row("AccessLog.retention", _a(RETENTION[1]), u.log_retention),
    Row("AccessLog.fields", _a("GatewayLogs have Azure's own fields"), u.log_fields),
    Row("AccessLog.sample", _a("all requests are logged"), u.sampled),
    Row("Monitor.error_rate", _monitored("Monitor.error_rate")),
    Row("Monitor.latency", _monitored("Monitor.latency")),
    Row("Monitor.throttled", _monitored("Monitor.throttled")),
    Row("Monitor.unhealthy_targets", _monitored("Monitor.unhealthy_targets")),
    Row("Monitor.(unhealthy_targets above 1)", _monitored("Monitor.(unhealthy_targets above 1)")),
    Row("Monitor.notify", _monitored("Monitor.notify")),
    Row("Monitor.dashboard", _monitored("Monitor.dashboard")),
    Row("Latency.percentile", _n("see Monitor.latency")),
    Row("Latency.above", _n("see Monitor.latency")),
    Row("Compression.min_size", _n("see EdgeSpec.compression")),
    Row("Compression.content_types", _n("see EdgeSpec.compression")),
)  # fmt: skip
