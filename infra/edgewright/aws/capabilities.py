"""What AWS does with each field of a spec, for each topology: one table, which the compiler reads and the docs print."""

from edgewright.aws import uses as u
from edgewright.aws.bindings import Bindings
from edgewright.clouds import capability_table as table
from edgewright.clouds.capability_table import Cell, Row
from edgewright.edge.model import Edge, Finding

COLUMNS = ("balancer-first", "gateway-first/http", "gateway-first/rest", "balancer-only")
"""The topologies; gateway-first is an HTTP API or a REST API."""

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
    "Cache.share",
    "Tls.client_ca",
    "Route.match",
    "ValueMatch.(",
    "Match.(",
    "EdgeSpec.(no route for the API)",
)
"""Fields of authentication, address lists and cache isolation, matches, by which a route may ask for more than the one
beside it, and what API Gateway would refuse: a stack cannot accept that they are not carried."""


def findings(edge: Edge, bindings: Bindings, column: str) -> tuple[Finding, ...]:
    """What of this edge a topology does not carry as it stands, in the order of the table."""
    return table.findings(ROWS, edge, bindings, COLUMNS.index(column))


def markdown() -> str:
    """The table for the docs."""
    head = (
        "# AWS, field by field\n\n"
        "<!-- Written by `edgewright schema --aws`; a test compares it with the table in the code. -->\n\n"
        "*native*: as the spec says. *approximated*: nearly; the text says how and by how much. *unsupported*: an error\n"
        "that names the route, the field and what would carry it; a stack may `accept` it, but never one of\n"
        "authentication, address lists or cache isolation. Sources: the AWS documentation of Elastic Load Balancing, API\n"
        "Gateway and WAF as read in 2026-11; *unverified* is what it leaves open, and there the reading is taken that\n"
        "fails closed.\n\n"
        "| field | balancer-first | gateway-first (HTTP API) | gateway-first (REST API) | balancer-only |\n|---|---|---|---|---|\n"
    )
    return head + table.rows_text(ROWS)


# -- the table ---------------------------------------------------------------------------------------------------------


def _n(how: str = "") -> Cell:
    return Cell("native", how)


def _a(how: str, carried_by: str = "") -> Cell:
    return Cell("approximated", how, carried_by)


def _u(why: str, carried_by: str) -> Cell:
    return Cell("unsupported", why, carried_by)


def _same(cell: Cell) -> tuple[Cell, Cell, Cell, Cell]:
    return (cell, cell, cell, cell)


def _api(first: Cell, http: Cell, rest: Cell, only: Cell) -> tuple[Cell, Cell, Cell, Cell]:
    return (first, http, rest, only)


def _at_gateways(cell: Cell) -> tuple[Cell, Cell, Cell, Cell]:
    """What holds for both kinds of gateway-first alone."""
    return (_n(), cell, cell, _n())


def _at_apis(cell: Cell) -> tuple[Cell, Cell, Cell, Cell]:
    """What holds where an API is on the way."""
    return (cell, cell, cell, _n())


_MESSAGES = _a(
    "a WebSocket API with a host of its own, since it can share none with another API: the service gets each message as"
    " a POST that names the connection, and answers by the API's callback address",
    "balancer-first, where the WebSocket itself goes to the service",
)
_VALIDATED = _a(
    "required parameters must be there, and bodies in JSON fit their schema; API Gateway compares no parameter with its"
    " schema, and no body of another media type",
    "the service, for the rest",
)
_BEYOND = _u(
    "API Gateway's models know JSON Schema draft 4 only: no if, contains, prefixItems, patternProperties, dependent*,"
    " unevaluated*, discriminator",
    "a schema without them, or `validate: {body: false}`",
)
_SERVICES = _n("the services' balancer")
_ALB_JWT = "the balancer checks RS256 tokens in the Authorization header only"
_LAMBDA = _n("the Lambda authorizer of this package")
_NO_CACHE = "a load balancer keeps no answers"
_UNASKED = "; one that a throttle or odd paths ask for has `known-bad-inputs` too"
_WAF = "counted by the web ACL over 60 s, near the limit, from ten requests a minute, without a burst"

ROWS: tuple[Row, ...] = (
    Row("EdgeSpec.name", _same(_n("names of resources begin with it"))),
    Row("EdgeSpec.listener", _same(_n("one listener, `default`"))),
    Row("EdgeSpec.listeners", _api(_n("listeners of the public balancer; those of one port are one"), _u("an API has one listener", "balancer-only, or an edge for each"), _u("an API has one listener", "balancer-only, or an edge for each"), _n("listeners of the balancer; those of one port are one")), u.several_listeners),
    Row("EdgeSpec.authorizers", _same(_n("see Authorizer"))),
    Row("EdgeSpec.backends", _same(_n("target groups; without a binding they are empty, for a service's stack to attach itself"))),
    Row("EdgeSpec.defaults", _same(_n("applied before compiling"))),
    Row("EdgeSpec.routes", _api(_n("paths of the API, under a prefix that only the balancer gives"), _n("routes of the API"), _n("resources of the API"), _n("rules of the balancer"))),
    Row("EdgeSpec.(no route for the API)", _api(_u("no route goes to a service by HTTP, so the API behind the balancer would be empty", "balancer-only"), _n(), _n(), _n()), u.nothing_for_the_api),
    Row("EdgeSpec.waf", _api(_n(f"a web ACL on the public balancer{_UNASKED}"), _u("an HTTP API takes no web ACL", "a REST API"), _n(f"a web ACL on the stage{_UNASKED}"), _n(f"a web ACL on the balancer{_UNASKED}")), u.waf),
    Row("EdgeSpec.access_log", _api(_n("stage log group; the balancers' in a bucket"), _n("stage log group"), _n("stage log group"), _n("the balancer's in a bucket, encrypted"))),
    Row("EdgeSpec.monitor", _same(_n("CloudWatch alarms and a dashboard"))),
    Row("EdgeSpec.(ddos: advanced, before an API)", _api(_n(), _u("Shield Advanced protects no APIs of API Gateway", "balancer-first or balancer-only"), _u("Shield Advanced protects no APIs of API Gateway", "balancer-first or balancer-only"), _n()), u.advanced_at_all),
    Row("EdgeSpec.(ddos: advanced, and a stream)", _same(_u("Shield Advanced protects addresses of a Network Load Balancer that are kept, and these are AWS's", "an edge of its own for the tcp, tls or udp listener")), u.advanced_streams),
    Row("EdgeSpec.ddos", _same(_u("`advanced` is Shield Advanced, a subscription of the account for a year", "bind `shield_subscribed: true` once the account has it")), u.advanced),
    Row("EdgeSpec.compression", _api(_a("the API compresses by size and not by media type"), _u("an HTTP API does not compress", "a REST API"), _a("the API compresses by size and not by media type"), _u("a load balancer does not compress", "the services, or balancer-first")), u.compression),
    Row("Listener.host", _api(_n("host conditions, and the API's domain"), _n("a custom domain"), _n("a custom domain"), _n("host conditions"))),
    Row("Listener.(several hosts)", _api(_u("one API domain stands behind the balancer", "one host, or balancer-only"), _u("one domain is made", "one host, or balancer-only"), _u("one domain is made", "one host, or balancer-only"), _n("host conditions and certificates by name")), u.several_hosts),
    Row("Listener.(host of a tcp, tls or udp listener and of a web one)", _same(_u("a name leads to one balancer, and these have another", "a name of its own, or none")), u.shared_hosts),
    Row("Listener.port", _api(_n(), _u("an API listens on 443", "leave `port` out, or balancer-only"), _u("an API listens on 443", "leave `port` out, or balancer-only"), _n()), u.other_port),
    Row("Listener.protocol", _same(_n("http and https; tcp, tls and udp on a Network Load Balancer beside"))),
    Row("Listener.(auth without TLS)", _api(_u("a balancer checks tokens on https listeners only", "`protocol: https`"), _n(), _n(), _u("a balancer checks tokens on https listeners only", "`protocol: https`")), u.plain_listener),
    Row("Listener.tls", _same(_n("see Tls"))),
    Row("Listener.redirect_http", _api(_n("a listener on port 80 that answers 301"), _a("nothing listens on port 80: a request there is refused, not redirected"), _a("nothing listens on port 80: a request there is refused, not redirected"), _n("a listener on port 80 that answers 301")), u.redirect_http),
    Row("Listener.backend", _same(_n("target groups of a Network Load Balancer"))),
    Row("Tls.min_version", _api(_n("ELBSecurityPolicy-TLS13-1-2-Res or TLS13-1-3"), _u("an HTTP API's domain has TLS 1.2 as its least", "balancer-first, or `min_version: 1.2`"), _a("the domain's policy is TLS_1_2: TLS 1.3 is offered, 1.2 still taken"), _n("ELBSecurityPolicy-TLS13-1-2-Res or TLS13-1-3")), u.tls13),
    Row("Tls.client_ca", _api(_n("mutual TLS of the listener, with a trust store"), _n("mutual TLS of the domain"), _n("mutual TLS of the domain"), _n("mutual TLS of the listener, with a trust store"))),
    Row("Tls.(client_ca, and routes that ask for no certificate)", _same(_a("every connection must show a certificate, whatever the route")), u.asked_for_nothing),
    Row("Tls.(client_ca of tls)", _same(_u("a Network Load Balancer asks for no client certificates", "`passthrough: true`, and the service asks")), u.stream_client_ca),
    Row("Tls.passthrough", _same(_n("a TCP listener of the Network Load Balancer"))),
    Row("Authorizer.jwt", _api(_n("`jwt-validation` in the balancer's rules"), _n("a JWT authorizer"), _n("Cognito's authorizer where a pool is bound, else the Lambda authorizer"), _n("`jwt-validation` in the balancer's rules"))),
    Row("Authorizer.api_key", _api(_n("keys and usage plans of the REST API"), _u("an HTTP API knows no keys", "a REST API"), _n("keys and usage plans"), _u("a load balancer knows no keys", "balancer-first or gateway-first")), u.api_keys),
    Row("Authorizer.oidc", _api(_n("`authenticate-oidc` in the balancer's rules"), _u("an API has no browser login", "balancer-first or balancer-only"), _u("an API has no browser login", "balancer-first or balancer-only"), _n("`authenticate-oidc` in the balancer's rules")), u.oidc),
    Row("Authorizer.introspection", _same(_u("nothing here looks opaque tokens up", "a jwt authorizer, or the Azure target")), u.introspection),
    Row("Authorizer.mtls", _same(_n("the listener or domain asks for a certificate, whatever the route"))),
    Row("Jwt.issuer", _same(_n("to the letter"))),
    Row("Jwt.(issuer over 256 characters or not https)", _api(_u("a balancer takes https issuers of at most 256 characters", "gateway-first"), _n(), _n(), _u("a balancer takes https issuers of at most 256 characters", "gateway-first")), u.long_issuer),
    Row("Jwt.audiences", _api(_n("an additional claim"), _n(), _n("by the Lambda authorizer"), _n("an additional claim"))),
    Row("Jwt.(several audiences)", _api(_a("taken for tokens whose audience is a list; one with a plain text is refused (unverified)", "one audience, or gateway-first"), _n(), _n(), _a("taken for tokens whose audience is a list; one with a plain text is refused (unverified)", "one audience, or gateway-first")), u.several_audiences),
    Row("Jwt.(form of the audience)", _api(_a("tokens must write it as a plain text, not as a list", "bind `audience_format: string-array` where the issuer writes lists"), _n(), _n(), _a("tokens must write it as a plain text, not as a list", "bind `audience_format: string-array` where the issuer writes lists")), u.one_audience),
    Row("Jwt.(Cognito's authorizer)", _api(_n(), _n(), _a("Cognito's authorizer takes tokens of every client of the pool: `audiences` is not checked", "leave `user_pool` out, and the Lambda authorizer checks it"), _n()), u.cognito_pool),
    Row("Jwt.jwks_uri", _api(_n("https; must be public"), _a("the keys are found by the issuer's discovery document"), _n(), _n("https; must be public")), u.own_keys_url),
    Row("Jwt.(jwks_uri without TLS)", _api(_u("a balancer fetches keys by https only", "an https address"), _n(), _u("keys are fetched by https only", "an https address"), _u("a balancer fetches keys by https only", "an https address")), u.plain_keys_url),
    Row("Jwt.jwks", _api(_u("a balancer fetches the keys from an address", "publish them, or gateway-first"), _u("an HTTP API finds the keys by discovery", "a REST API"), _LAMBDA, _u("a balancer fetches the keys from an address", "publish them, or gateway-first")), u.inline_keys),
    Row("Jwt.algorithms", _api(_u("a balancer checks RS256 only", "`algorithms: [RS256]`, or gateway-first"), _u("an HTTP API checks RSA signatures only", "a REST API"), _LAMBDA, _u("a balancer checks RS256 only", "`algorithms: [RS256]`, or gateway-first")), None),
    Row("Jwt.(beyond RS256)", _api(_u("a balancer checks RS256 only", "`algorithms: [RS256]`, or gateway-first"), _n(), _n(), _u("a balancer checks RS256 only", "`algorithms: [RS256]`, or gateway-first")), u.beyond_rs256),
    Row("Jwt.(beyond RSA)", _api(_n(), _u("an HTTP API checks RSA signatures only", "a REST API"), _n(), _n()), u.beyond_rsa),
    Row("Jwt.(other RSA algorithms)", _api(_n(), _a("an HTTP API takes RS256, RS384 and RS512 of the issuer's keys, whichever are named"), _n(), _n()), u.other_rsa),
    Row("Jwt.source", _api(_u(_ALB_JWT, "the Authorization header, or gateway-first"), _n("header or query"), _n("header, cookie or query"), _u(_ALB_JWT, "the Authorization header, or gateway-first")), u.not_bearer),
    Row("Jwt.(source in a cookie, or with a prefix)", _api(_n(), _u("an HTTP API finds tokens in a header or the query", "a REST API"), _n(), _n()), u.not_header_or_query),
    Row("Jwt.preset", _same(_n("applied before compiling"))),
    Row("Jwt.scope_claim", _api(_n("any claim, words separated by spaces"), _u("an HTTP API reads `scope` or `scp`", "a REST API"), _n(), _n("any claim, words separated by spaces")), u.other_scope_claim),
    Row("Jwt.audience_claim", _api(_n("any claim"), _u("an HTTP API reads `aud`, or `client_id` where there is none", "a REST API"), _n(), _n("any claim")), u.other_audience_claim),
    Row("Jwt.clock_skew", _api(_a("not said by AWS; tokens are refused when they have expired"), _a("not said by AWS"), _n(), _a("not said by AWS; tokens are refused when they have expired")), u.skew),
    Row("Jwt.jwks_refresh", _api(_a("AWS's own"), _a("AWS's own, up to two hours"), _n(), _a("AWS's own")), u.own_refresh),
    Row("ApiKey.source", _api(_u("a REST API reads keys from the header `x-api-key` only", "`from: {header: x-api-key}`"), _n(), _u("a REST API reads keys from the header `x-api-key` only", "`from: {header: x-api-key}`"), _n()), u.key_elsewhere),
    Row("ApiKey.clients", _same(_n("a key each; a plan for each authorizer"))),
    Row("ApiKey.(several authorizers)", _api(_u("keys of one API are one space: a key of one authorizer would open the other's routes", "one api_key authorizer"), _n(), _u("keys of one API are one space: a key of one authorizer would open the other's routes", "one api_key authorizer"), _n()), u.several_key_authorizers),
    Row("CredentialSource.header", _same(_n("see Jwt.source, ApiKey.source"))),
    Row("CredentialSource.prefix", _same(_n("see Jwt.source"))),
    Row("CredentialSource.cookie", _same(_n("see Jwt.source"))),
    Row("CredentialSource.query", _same(_n("see Jwt.source"))),
    Row("Oidc.issuer", _same(_n("its endpoints are bound, or follow from it"))),
    Row("Oidc.client", _same(_n("the secret is bound"))),
    Row("Oidc.scopes", _same(_n())),
    Row("Introspection.endpoint", _same(_u("see Authorizer.introspection", "a jwt authorizer"))),
    Row("Introspection.client", _same(_u("see Authorizer.introspection", "a jwt authorizer"))),
    Row("Introspection.cache", _same(_u("see Authorizer.introspection", "a jwt authorizer"))),
    Row("Mtls.subjects", _same(_u("names in client certificates are not compared here", "leave `subjects` out, and let the service compare the header")), u.subjects),
    Row("Auth.authorizer", _same(_u("one route cannot take credentials of two kinds here", "two routes, told apart by `match`")), u.mixed),
    Row("Auth.(several jwt authorizers)", _api(_u("a rule has one authentication", "two routes, told apart by `match`, or gateway-first"), _u("a route has one authorizer", "a REST API"), _LAMBDA, _u("a rule has one authentication", "two routes, told apart by `match`, or gateway-first")), u.several),
    Row("Auth.scopes", _api(_n(), _n(), _n(), _n())),
    Row("Auth.(several scopes)", _api(_a("a balancer is said to ask for all values of a claim (unverified)"), _u("an HTTP API asks for one of the scopes", "a REST API"), _LAMBDA, _a("a balancer is said to ask for all values of a claim (unverified)")), u.several_scopes),
    Row("Auth.any_scope", _api(_u("a balancer asks for all values of a claim", "a route for each scope, or gateway-first"), _n(), _n(), _u("a balancer asks for all values of a claim", "a route for each scope, or gateway-first")), u.any_of_scopes),
    Row("Auth.(scopes and any_scope)", _api(_u("a claim is asked for once", "one of them, or gateway-first"), _u("an HTTP API asks for one of the scopes", "a REST API"), _LAMBDA, _u("a claim is asked for once", "one of them, or gateway-first")), u.both_scopes),
    Row("Auth.claims", _api(_a("a claim with one value must be a plain text in the token, one with several a list"), _u("an HTTP API looks at no claims", "a REST API"), _LAMBDA, _a("a claim with one value must be a plain text in the token, one with several a list")), u.claims),
    Row("Auth.(more claims than a rule takes)", _api(_u("a rule takes ten claims with ten values each, and not exp, iss, nbf, iat", "fewer, or gateway-first"), _n(), _n(), _u("a rule takes ten claims with ten values each, and not exp, iss, nbf, iat", "fewer, or gateway-first")), u.too_many_claims),
    Row("Auth.(status of a refusal)", _api(_a("a token without the scope or claim is answered with 401, not 403"), _n("403"), _n("403"), _a("a token without the scope or claim is answered with 401, not 403")), u.forbidden),
    Row("Backend.port", _same(_n())),
    Row("Backend.protocol", _api(_u("a REST API speaks HTTP/1.1 to what is behind it", "`protocol: http`, or balancer-only"), _u("an HTTP API speaks HTTP/1.1 to what is behind it", "`protocol: http`, or balancer-only"), _u("a REST API speaks HTTP/1.1 to what is behind it", "`protocol: http`, or balancer-only"), _a("only clients that speak HTTP/2 reach it")), u.h2c),
    Row("Backend.health_check", _same(_n("of the target group"))),
    Row("Backend.(no path to check)", _same(_a("an Application Load Balancer checks by HTTP only: `/` must answer with 200 to 499", "`health_check: /healthz`")), u.checks_by_connection),
    Row("Backend.(health of udp)", _same(_a("checked by a TCP connection to the same port, or by HTTP where there is a path")), u.checked_udp),
    Row("Backend.circuit_breaker", _same(_a("targets with more errors than others get fewer requests; numbers are AWS's own")), u.breakers),
    Row("HealthCheck.path", _same(_n())),
    Row("HealthCheck.interval", _same(_a("rounded to whole seconds, 5 to 300, longer than the timeout; thresholds are at least 2")), u.checks_out_of_bounds),
    Row("HealthCheck.timeout", _same(_n("2 to 120 s; see HealthCheck.interval"))),
    Row("HealthCheck.(timeout before a tcp, tls or udp listener)", _same(_a("AWS's own: 10 s for a connection, 6 s by HTTP")), u.checked_streams),
    Row("HealthCheck.healthy_threshold", _same(_n("2 to 10"))),
    Row("HealthCheck.unhealthy_threshold", _same(_n("2 to 10"))),
    Row("HealthCheck.expected_statuses", _same(_a("a target group compares 200 to 499 only")), u.odd_statuses),
    Row("CircuitBreaker.consecutive_errors", _same(_a("see Backend.circuit_breaker"))),
    Row("CircuitBreaker.ejection", _same(_a("see Backend.circuit_breaker"))),
    Row("CircuitBreaker.max_ejection_percent", _same(_a("see Backend.circuit_breaker"))),
    Row("CircuitBreaker.max_connections", _same(_a("see Backend.circuit_breaker"))),
    Row("CircuitBreaker.max_requests", _same(_a("see Backend.circuit_breaker"))),
    Row("Defaults.auth", _same(_n("applied before compiling"))),
    Row("Defaults.throttle", _same(_n("applied before compiling"))),
    Row("Defaults.quota", _same(_n("applied before compiling"))),
    Row("Defaults.cors", _same(_n("applied before compiling"))),
    Row("Defaults.retry", _same(_n("applied before compiling"))),
    Row("Defaults.timeout", _same(_n("applied before compiling"))),
    Row("Defaults.headers", _same(_n("applied before compiling"))),
    Row("Route.auth", _same(_n("see Auth"))),
    Row("Route.throttle", _same(_n("see Throttle"))),
    Row("Route.quota", _same(_n("see Quota"))),
    Row("Route.cors", _api(_n("the API answers preflights; the listener's headers name the origin"), _n("the API's own CORS, for all routes"), _a("the API answers preflights and its own errors; services must send Access-Control-Allow-Origin themselves"), _a("every preflight is answered alike, by the listener's headers")), u.crossing),
    Row("Route.(cors unlike, or for several origins)", _api(_a("services must send Access-Control-Allow-Origin themselves: headers of a listener are the same for all"), _n(), _n(), _u("headers of a listener are the same for all routes and name one origin", "balancer-first or gateway-first")), u.crossing_several_origins),
    Row("Route.(cors unlike)", _api(_n(), _u("an HTTP API has one CORS setting for all routes", "a REST API"), _n(), _n()), u.crossing_unlike),
    Row("Route.(cors of own answers)", _api(_a("the balancer gives redirects and fixed answers itself: their preflights are answered with 404"), _n(), _n(), _n()), u.crossing_own_answers),
    Row("Route.(cors of an OPTIONS route)", _api(_n(), _n(), _a("an OPTIONS route of the path gets its preflights, and its service answers them"), _n()), u.crossing_options),
    Row("Route.retry", _same(_u("nothing on AWS's way sends a request twice", "the service's callers, or `retry: none`")), u.retries),
    Row("Route.timeout", _same(_n("see Timeout"))),
    Row("Route.headers", _same(_n("see Headers"))),
    Row("Route.backend", _api(_SERVICES, _SERVICES, _SERVICES, _n("weights of target groups"))),
    Row("Route.(backends at once)", _same(_u("a rule forwards to five target groups at most", "five or fewer")), u.fine_weights),
    Row("Route.listener", _api(_u("an API has one set of routes", "balancer-only, or an edge for each"), _u("an API has one set of routes", "balancer-only, or an edge for each"), _u("an API has one set of routes", "balancer-only, or an edge for each"), _n("rules of one listener")), u.some_listeners),
    Row("Route.match", _api(_n("conditions of the public balancer"), _u("an API does not route by headers or query", "balancer-first or balancer-only"), _u("an API does not route by headers or query", "balancer-first or balancer-only"), _n("conditions of a rule")), u.matched),
    Row("Route.cache", _api(_n("the stage's cache"), _u("an HTTP API keeps no answers", "a REST API"), _n("the stage's cache"), _u(_NO_CACHE, "balancer-first or gateway-first")), u.cached),
    Row("Route.rewrite", _api(_n("the integration's address"), _n("a parameter mapping"), _n("the integration's address"), _n("a transform of the rule"))),
    Row("Route.redirect", _same(_n("a balancer's rule"))),
    Row("Route.respond", _same(_n("a balancer's rule"))),
    Row("Route.validation", _api(_VALIDATED, _u("an HTTP API checks no requests", "a REST API"), _VALIDATED, _u("a load balancer checks no requests", "balancer-first or gateway-first")), u.validated),
    Row("Validate.(by nothing)", _same(_u("there is no operation to check requests against", "load the OpenAPI document, write `validate: {operation: ...}`, or `validate: false`")), u.validated_by_nothing),
    Row("Validate.(words of JSON Schema)", _api(_BEYOND, _n(), _BEYOND, _n()), u.validated_beyond),
    Row("Route.(WebSocket)", _api(_n("rides on the public balancer, past the API"), _MESSAGES, _MESSAGES, _n("rides on the balancer")), u.websockets),
    Row("Route.(path of a WebSocket)", _at_gateways(_u("a WebSocket API is known by one segment of letters, digits, `-` and `_`, and by nothing below it", "such a path, or balancer-first")), u.websocket_paths),
    Row("Route.(backends of a WebSocket)", _at_gateways(_u("messages of one connection would go to different versions", "one backend, or balancer-first")), u.websocket_weights),
    Row("Auth.(a WebSocket by key or certificate)", _at_gateways(_u("a WebSocket API asks for tokens only", "a jwt authorizer, or balancer-first")), u.websocket_keys),
    Row("Auth.(a WebSocket by key, past the API)", _api(_u("a WebSocket rides past the API, and nobody else checks keys", "a jwt authorizer"), _n(), _n(), _n()), u.websocket_keys_alone),
    Row("Tls.client_ca.(before a WebSocket)", _at_gateways(_u("the domain of a WebSocket API asks for no client certificates", "balancer-first")), u.websocket_client_ca),
    Row("Waf.(before a WebSocket)", _at_gateways(_u("a WebSocket API takes no web ACL", "balancer-first, or an edge of its own for the WebSocket")), u.websocket_waf),
    Row("Waf.allow.(before a WebSocket)", _at_gateways(_u("a WebSocket API takes no web ACL: the address lists would not hold there", "balancer-first, or an edge of its own for the WebSocket")), u.websocket_lists),
    Row("Throttle.(of a WebSocket, per route)", _api(_a(_WAF), _a("counts connections as they are opened; best effort"), _a("counts connections as they are opened; best effort"), _n("see Throttle.(per route)")), u.websocket_throttles),
    Row("Throttle.(of a WebSocket, per anything else)", _at_gateways(_u("a WebSocket API counts by route only", "`per: route`, `throttle: none`, or balancer-first")), u.websocket_other_throttles),
    Row("Headers.(of a WebSocket)", _api(_u("a WebSocket rides past the API, and a load balancer changes no request headers", "the service"), _u("a WebSocket API hands a service its own headers only", "the service"), _u("a WebSocket API hands a service its own headers only", "the service"), _n("see Headers")), u.websocket_headers),
    Row("Route.(path over 128 characters)", _api(_u("a balancer's pattern has 128 characters at most", "a shorter path"), _n(), _n(), _u("a balancer's pattern has 128 characters at most", "a shorter path")), u.long_paths),
    Row("Route.(path that begins with edge.)", _api(_u("the balancer says by such a segment who may ask", "another first segment"), _n(), _n(), _n()), u.reserved_paths),
    Row("Route.(paths with several readings)", _same(_a("refused with 400: dot and empty segments, `;`, backslashes, and escapes of what needs none or of `/ . ; # ? %`"))),
    Row("Route.(beside paths of its service that ask for less)", _api(_n("the web ACL and the balancer refuse paths with several readings before they are read"), _u("an HTTP API has nothing before it that refuses paths with several readings, and the service reads them again", "a REST API, or a backend of its own"), _n("a web ACL refuses paths with several readings before they are read"), _n("the web ACL and the balancer refuse paths with several readings before they are read")), u.exposed_routes),
    Row("Route.(trailing slash)", _same(_a("`/x/` is refused with 404 where it would ask for less than `/x` does")), u.trailing_slashes),
    Row("Route.(characters of a path)", _api(_u("a resource of an API has letters, digits and `._-:` only", "other characters, or balancer-only"), _u("a route of an API has letters, digits and `._-:` only", "other characters, or balancer-only"), _u("a resource of an API has letters, digits and `._-:` only", "other characters, or balancer-only"), _n()), u.odd_paths),
    Row("Route.(/ping and /sping)", _api(_n("under a prefix"), _u("/ping and /sping are API Gateway's own", "another path"), _u("/ping and /sping are API Gateway's own", "another path"), _n()), u.pings),
    Row("Throttle.rate", _same(_n("see Throttle.per"))),
    Row("Throttle.burst", _same(_n("see Throttle.per"))),
    Row("Throttle.per", _same(_n("by whom it counts in the end, below"))),
    Row("Throttle.(per route)", _api(_a("each resource and method of the route has the bucket to itself; best effort"), _a("each API route of it has the bucket to itself; best effort"), _a("each resource and method of the route has the bucket to itself; best effort"), _a(_WAF)), u.throttled("route")),
    Row("Throttle.(per key)", _api(_a("the usage plan counts, for all routes of the key together where they share the bucket; best effort"), _u("an HTTP API knows no keys", "a REST API"), _a("the usage plan counts, for all routes of the key together where they share the bucket; best effort"), _u("a load balancer knows no keys", "balancer-first or gateway-first")), u.throttled("key")),
    Row("Throttle.(per token)", _api(_a(f"by the Authorization header: a new token is a new caller; {_WAF}"), _u("an HTTP API counts by route only", "a REST API, or `per: route`"), _a(f"by the header that holds the token: a new token is a new caller; {_WAF}"), _a(f"by the Authorization header: a new token is a new caller; {_WAF}")), u.throttled("token")),
    Row("Throttle.(per ip or header)", _api(_a(_WAF), _u("an HTTP API counts by route only", "a REST API, or `per: route`"), _a(_WAF), _a(_WAF)), u.throttled("ip", "header")),
    Row("Quota.limit", _api(_n("of the usage plan"), _n(), _n("of the usage plan"), _n())),
    Row("Quota.period", _same(_n("day, week, month"))),
    Row("Quota.(an hour)", _same(_u("a usage plan counts days, weeks and months", "`period: day`, or a throttle")), u.hourly),
    Row("Quota.per", _same(_n("keys, below"))),
    Row("Quota.(per key)", _api(_a("best effort, counted for all routes of the key together"), _u("an HTTP API has no quotas", "a REST API"), _a("best effort, counted for all routes of the key together"), _u("a load balancer has no quotas", "balancer-first or gateway-first")), u.quotas("key")),
    Row("Quota.(unlike for routes of one authorizer)", _same(_u("a key has one quota for all of its routes", "one quota, in `defaults` or on each route alike")), u.unlike_quotas),
    Row("Quota.(per anything else)", _same(_u("AWS counts quotas by API key only, not by subject, address, header or route", "an api_key authorizer")), u.quotas("token", "ip", "header", "route")),
    Row("Cache.ttl", _api(_n("whole seconds, up to an hour"), _n(), _n("whole seconds, up to an hour"), _n())),
    Row("Cache.(ttl over an hour or in parts of a second)", _api(_u("the cache takes whole seconds up to 3600", "`ttl: 1h` or less"), _n(), _u("the cache takes whole seconds up to 3600", "`ttl: 1h` or less"), _n()), u.cached_long),
    Row("Cache.(HEAD)", _api(_a("only GET is kept; HEAD goes to the service"), _n(), _a("only GET is kept; HEAD goes to the service"), _n()), u.cached_head),
    Row("Cache.vary_by", _api(_n("parameters of the key, with the path's"), _n(), _n("parameters of the key, with the path's"), _n())),
    Row("Cache.share", _api(_n("per_user: the credential is part of the key"), _n(), _n("per_user: the credential is part of the key"), _n())),
    Row("Cache.(per user by a cookie)", _api(_u("a cookie cannot be part of the key", "a header"), _n(), _u("a cookie cannot be part of the key", "a header"), _n()), u.cached_cookie),
    Row("VaryBy.query", _api(_n("names"), _n(), _n("names"), _n())),
    Row("VaryBy.(query: all)", _api(_u("a key names its parameters: with `*`, requests that differ would share an answer", "name them, such as `query: [page]`"), _n(), _u("a key names its parameters: with `*`, requests that differ would share an answer", "name them, such as `query: [page]`"), _n()), u.cached_by_all),
    Row("VaryBy.headers", _same(_n())),
    Row("Cors.allow_origins", _same(_n("see Route.cors"))),
    Row("Cors.allow_methods", _same(_n())),
    Row("Cors.allow_headers", _same(_n())),
    Row("Cors.expose_headers", _same(_n("see Route.cors"))),
    Row("Cors.allow_credentials", _same(_n("see Route.cors"))),
    Row("Cors.max_age", _same(_n())),
    Row("Cors.(max_age over a day)", _api(_n(), _a("an HTTP API says a day at most"), _n(), _n()), u.crossing_long),
    Row("Retry.attempts", _same(_u("see Route.retry", "`retry: none`"))),
    Row("Retry.on", _same(_u("see Route.retry", "`retry: none`"))),
    Row("Retry.backoff", _same(_u("see Route.retry", "`retry: none`"))),
    Row("Retry.non_idempotent", _same(_u("see Route.retry", "`retry: none`"))),
    Row("Timeout.request", _api(_n("of the integration, up to 29 s"), _n("of the integration, up to 30 s"), _n("of the integration, up to 29 s"), _n("see Timeout.(on a balancer)"))),
    Row("Timeout.(request over 29s)", _api(_u("a REST API waits 29 s at most", "`timeout: {request: 29s}`, a raised quota (bind `limits: {rest_timeout_seconds: N}`), or balancer-only"), _n(), _u("a REST API waits 29 s at most", "`timeout: {request: 29s}`, a raised quota (bind `limits: {rest_timeout_seconds: N}`), or balancer-only"), _n()), u.timeouts_over_29),
    Row("Timeout.(request over 30s)", _api(_n(), _u("an HTTP API waits 30 s at most, and no quota raises it", "`timeout: {request: 30s}`, or balancer-only"), _n(), _n()), u.timeouts_over_30),
    Row("Timeout.(on a balancer)", _api(_n(), _n(), _n(), _a("a balancer has one idle timeout for all routes, the longest of theirs, and none for a whole request")), u.timeouts_written),
    Row("Timeout.backend", _same(_a("there is one try, bounded by the request's")), u.backend_timeouts),
    Row("Timeout.idle", _api(_n("the balancer's idle timeout"), _n("10 min for WebSockets"), _n("10 min for WebSockets"), _n("the balancer's idle timeout"))),
    Row("Timeout.(idle of several WebSockets)", _api(_a("a balancer has one idle timeout, the longest of theirs"), _n(), _n(), _a("a balancer has one idle timeout, the longest of theirs")), u.idle_shared),
    Row("Timeout.(idle of what is no WebSocket)", _api(_a("the API ends an answer with the request's timeout"), _a("the API ends an answer with the request's timeout"), _a("the API ends an answer with the request's timeout"), _a("the balancer's idle timeout: 60 s, or what requests and WebSockets need")), u.idle_elsewhere),
    Row("Timeout.(idle WebSocket under 10m)", _at_gateways(_a("a WebSocket API closes after 10 min without a message")), u.idle_under_10m),
    Row("Timeout.(idle WebSocket over 10m)", _api(_n(), _a("a WebSocket API closes after 10 min without a message, and after 2 h"), _a("a WebSocket API closes after 10 min without a message, and after 2 h"), _n()), u.idle_over_10m),
    Row("Rewrite.host", _api(_n("a transform of the services' balancer"), _n("a transform of the services' balancer"), _n("a transform of the services' balancer"), _n("a transform"))),
    Row("Rewrite.prefix", _same(_n())),
    Row("Rewrite.path", _same(_n("with variables"))),
    Row("Headers.request", _api(_n("set and add"), _n(), _n("set and add"), _u("a load balancer changes no request headers", "balancer-first or gateway-first")), None),
    Row("Headers.(request, on a balancer)", _api(_n(), _n(), _n(), _u("a load balancer changes no request headers", "balancer-first or gateway-first")), u.request_changes),
    Row("Headers.(headers that are AWS's own)", _at_apis(_u("API Gateway does not let authorization, host, via, forwarded, x-forwarded-*, x-amz-*, x-amzn-* and access-control-* be changed", "another name")), u.reserved_headers),
    Row("Headers.(signs in a name)", _at_apis(_u("a mapping of API Gateway takes letters, digits, `-` and `_`", "another name")), u.odd_header_names),
    Row("Headers.(values with a dollar sign)", _api(_n(), _u("an HTTP API reads `$` in a header's value or a rewritten path as an expression", "a REST API, or no `$`"), _n(), _n()), u.mapped_values),
    Row("Headers.(values with a quote or a backslash)", _api(_u("a REST API writes values between quotes, and AWS does not say how one within is written", "other signs"), _n(), _u("a REST API writes values between quotes, and AWS does not say how one within is written", "other signs"), _n()), u.quoted_values),
    Row("Headers.response", _api(_u("a REST API that hands answers through changes none of their headers", "the service, or an HTTP API"), _a("changed on the statuses that services commonly answer with"), _u("a REST API that hands answers through changes none of their headers", "the service, or an HTTP API"), _u("a load balancer changes the headers of all answers alike", "the service, or an HTTP API")), u.response_changes),
    Row("HeaderChange.remove", _api(_u("a REST API removes no request headers", "an HTTP API"), _n(), _u("a REST API removes no request headers", "an HTTP API"), _n("see Headers")), u.request_removals),
    Row("HeaderChange.set", _same(_n("see Headers"))),
    Row("HeaderChange.add", _api(_a("what the client sent under the name is replaced"), _n(), _a("what the client sent under the name is replaced"), _n("see Headers")), u.request_additions),
    Row("Redirect.target", _same(_n("the query is kept"))),
    Row("Redirect.(another prefix)", _same(_u("a balancer keeps the whole path of a request, and no part of it", "a target that ends with the route's own path")), u.redirects_elsewhere),
    Row("Redirect.status", _same(_a("a balancer knows 301 and 302: 308 becomes 301, 303 and 307 become 302, and a client may repeat POST as GET")), u.redirects_308),
    Row("Respond.status", _same(_n("2xx, 4xx, 5xx"))),
    Row("Respond.body", _same(_n("up to 1,024 characters"))),
    Row("Respond.content_type", _same(_n("text/plain, text/css, text/html, application/javascript, application/json"))),
    Row("Respond.(charset)", _same(_a("a balancer's answer has a media type and no charset")), u.charsets),
    Row("Respond.(what a balancer cannot say)", _same(_u("a balancer answers with 2xx, 4xx or 5xx, 1,024 characters, and five media types", "a service")), u.odd_answers),
    Row("ValueMatch.exact", _api(_a("values are compared without regard to case"), _n("see Route.match"), _n("see Route.match"), _a("values are compared without regard to case")), u.matched_exactly),
    Row("ValueMatch.prefix", _api(_a("a wildcard, without regard to case"), _n("see Route.match"), _n("see Route.match"), _a("a wildcard, without regard to case")), u.matched_by_prefix),
    Row("ValueMatch.regex", _same(_n("for headers"))),
    Row("ValueMatch.(regex of a query)", _api(_u("a balancer compares query values with wildcards only", "`prefix` or `exact`"), _n(), _n(), _u("a balancer compares query values with wildcards only", "`prefix` or `exact`")), u.matched_regex_query),
    Row("ValueMatch.present", _same(_n("a wildcard"))),
    Row("ValueMatch.(present: false)", _api(_u("a balancer cannot ask for what is not there", "a less specific route for the rest"), _n(), _n(), _u("a balancer cannot ask for what is not there", "a less specific route for the rest")), u.matched_absent),
    Row("ValueMatch.(over 128 characters)", _api(_u("a balancer's pattern has 128 characters at most", "a shorter one"), _n(), _n(), _u("a balancer's pattern has 128 characters at most", "a shorter one")), u.matched_too_long),
    Row("Match.headers", _same(_n("see ValueMatch"))),
    Row("Match.query", _same(_n("see ValueMatch"))),
    Row("Match.(more than three)", _api(_u("a rule has five values for host, path, headers and query together", "three matches or fewer"), _n(), _n(), _u("a rule has five values for host, path, headers and query together", "three matches or fewer")), u.matched_too_often),
    Row("Validate.parameters", _same(_n("see Route.validation"))),
    Row("Validate.body", _same(_n("see Route.validation"))),
    Row("Validate.operation", _same(_n("see Route.validation"))),
    Row("Operation.parameters", _same(_n("see Route.validation"))),
    Row("Operation.body_required", _same(_n("see Route.validation"))),
    Row("Operation.bodies", _same(_n("see Route.validation"))),
    Row("Parameter.name", _same(_n("see Route.validation"))),
    Row("Parameter.source", _same(_n("see Route.validation"))),
    Row("Parameter.required", _same(_n("see Route.validation"))),
    Row("Parameter.shape", _same(_n("see Route.validation"))),
    Row("Waf.mode", _same(_n())),
    Row("Waf.managed", _same(_n("AWS's managed rule groups; `core` refuses bodies over 8 KB"))),
    Row("Waf.allow", _same(_n("an address set"))),
    Row("Waf.deny", _same(_n("an address set"))),
    Row("Waf.(lists beside a tcp, tls or udp listener)", _same(_u("a web ACL does not see a Network Load Balancer", "an edge of its own for that listener")), u.streams),
    Row("Waf.rate_per_ip", _same(_a(_WAF)), u.waf_rate),
    Row("AccessLog.retention", _same(_n("of log groups; the bucket's in days"))),
    Row("AccessLog.fields", _same(_a("the balancers' logs have AWS's own fields; the stage's has these")), u.log_fields),
    Row("AccessLog.sample", _same(_a("all requests are logged")), u.sampled),
    Row("Monitor.error_rate", _same(_n())),
    Row("Monitor.latency", _same(_n())),
    Row("Monitor.throttled", _same(_n("answers of the API by its access log, of the web ACL by its metrics"))),
    Row("Monitor.(throttled, where nothing is)", _api(_n(), _n(), _n(), _a("no alarm: without a throttle a balancer answers nothing with 429, and a service's own 429 is not counted")), u.watched_for_nothing),
    Row("Monitor.unhealthy_targets", _same(_n())),
    Row("Monitor.notify", _same(_n("SNS topics"))),
    Row("Monitor.dashboard", _same(_n())),
    Row("Latency.percentile", _same(_n())),
    Row("Latency.above", _same(_n())),
    Row("Compression.min_size", _api(_n(), _n(), _n(), _n("see EdgeSpec.compression"))),
    Row("Compression.content_types", _same(_a("see EdgeSpec.compression"))),
)  # fmt: skip
