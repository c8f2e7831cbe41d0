"""The edge spec: what the user writes, as frozen pydantic models; nothing is resolved across fields here."""

from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from edgewright.spec.forms import (
    NONE,
    Bool,
    Float,
    Int,
    Many,
    NumberOr,
    OneOrMore,
    OrNone,
    Short,
    Text,
    Unlike,
    field_of,
)
from edgewright.spec.jwks import check_jwks, fitting
from edgewright.spec.values import Duration, Rate, Size

_HEADER_CHAR = r"[A-Za-z0-9!#$%&'*+.^`|~-]"

Name = Annotated[
    str,
    Text(
        r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?",
        "a name of lower-case letters, digits and hyphens, at most 40, that begins with a letter",
        ("orders", "orders-next"),
    ),
]
"""A name of ours: lower-case letters, digits and hyphens, at most 40, starting with a letter."""

Port = Annotated[Int, Field(ge=1, le=65535)]
Status = Annotated[Int, Field(ge=200, le=599)]
ErrorStatus = Annotated[Int, Field(ge=400, le=599)]
Percent = Annotated[Float, Field(gt=0, le=100)]
Plain = Annotated[str, Text(r"[^\x00-\x1f\x7f]+", "a line of text", ("orders",), longest=1024)]
HeaderName = Annotated[str, Text(_HEADER_CHAR + "{1,128}", "a header's name", ("x-tenant",), lower=True)]
HeaderValue = Annotated[
    str,
    Text(r"[^\x00-\x1f\x7f]*", "one line without control characters", ("no-store",), longest=4096),
]
HostName = Annotated[
    str,
    Text(
        r"(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
        "a bare host name: no scheme, no port, no path",
        ("api.shop.example", "*.shop.example"),
        longest=253,
        lower=True,
    ),
]
Cidr = Annotated[
    str, Text(r"[0-9A-Fa-f.:]+/[0-9]{1,3}", "a range of addresses in CIDR form", ("203.0.113.0/24", "2001:db8::/32"))
]
Scope = Annotated[
    str,
    Text(
        r"[\x21\x23-\x5b\x5d-\x7e]{1,256}",
        "a scope: printable, without spaces, quotes and backslashes",
        ("orders.read",),
    ),
]
"""A scope as OAuth 2.0 has it (RFC 6749, 3.3): printable, without spaces, quotes and backslashes."""
Issuer = Annotated[
    str,
    Text(
        r"https?://[^\s?#]+",
        "the https:// or http:// URL of an issuer, without query and fragment",
        ("https://login.shop.example/",),
    ),
]
Url = Annotated[
    str, Text(r"https?://[^\s#]+", "a URL that begins with https:// or http://", ("https://login.shop.example/keys",))
]
Address = Annotated[str, Text(r"/[^\s#]*", "a path that begins with a slash", ("/healthz",))]
"""A path, perhaps with a query."""
NewPath = Annotated[str, Text(r"/[^\s?#]*", "a path that begins with a slash and has no query", ("/v2",))]
QueryName = Annotated[str, Text(r"[^\s&=#]{1,128}", "a query parameter's name", ("page",))]
MediaType = Annotated[str, Text(r"[a-z]+/[A-Za-z0-9.+-]+", "a media type", ("application/json",))]


JsonSchema = dict[str, Any]
"""A JSON Schema, as OpenAPI writes it."""


class Model(BaseModel):
    """The common habits of all parts of a spec: frozen, no unknown fields, names as in YAML."""

    # defer_build: the whole spec is built once, when the first is read, and not each part for itself.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


def _one_of(model: BaseModel, names: tuple[str, ...], what: str) -> None:
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) != 1:
        shown = ", ".join(f"`{name}`" for name in names)
        found = " and ".join(f"`{name}`" for name in given) or "none of them"
        raise PydanticCustomError(
            "one_of",
            "{what} needs exactly one of {names}, and has {found}",
            {"what": what, "names": shown, "found": found},
        )


# -- listeners ---------------------------------------------------------------------------------------------------------


class Tls(Model):
    """How a listener speaks TLS."""

    min_version: Literal["1.2", "1.3"] = "1.2"
    """The least version of TLS that a client may use."""
    client_ca: Plain | None = None
    """Name of the trust bundle (bound by the stack) that client certificates are checked against."""
    passthrough: Bool = False
    """On a `tls` listener: hand the encrypted connection to the backend as it is."""


class Listener(Model):
    """A port that the edge opens."""

    host: Many[HostName] = ()
    """The host name, or names, that it answers for; `*.shop.example` matches one label; without one, any."""
    port: Port | None = None
    """The port; 443 for https and 80 for http when left out."""
    protocol: Literal["http", "https", "tcp", "tls", "udp"] = "https"
    """What it speaks. A tcp, tls or udp listener hands every connection to its `backend`."""
    tls: Tls | None = None
    """TLS settings of an https or tls listener."""
    redirect_http: Bool = False
    """Open port 80 too, and redirect every request there to https."""
    backend: Name | None = None
    """The backend of a tcp, tls or udp listener."""


# -- authorizers -------------------------------------------------------------------------------------------------------

Algorithm = Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"]


class CredentialSource(Model):
    """Where a request carries its credential: one of a header, a cookie, a query parameter."""

    header: HeaderName | None = None
    """A header's name."""
    prefix: HeaderValue | None = None
    """What stands before the credential in the header; `Bearer ` for the Authorization header."""
    cookie: Annotated[str, Text(r"[A-Za-z0-9_.-]{1,128}", "a cookie's name", ("session",))] | None = None
    """A cookie's name."""
    query: Annotated[str, Text(r"[A-Za-z0-9_.~-]{1,128}", "a query parameter's name", ("access_token",))] | None = None
    """A query parameter's name. It ends up in histories and logs of others: prefer a header."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, ("header", "cookie", "query"), "`from`")
        return self


class Jwt(Model):
    """A JSON Web Token, checked for its signature, issuer, audience and expiry."""

    issuer: Issuer
    """The `iss` that tokens must carry, to the letter."""
    audiences: OneOrMore[Annotated[Plain, Field(examples=["api://shop"])]]
    """The audiences, one of which a token must carry."""
    jwks_uri: Url | None = None
    """Where the keys are published; found by the issuer's discovery document when left out."""
    jwks: Annotated[str, AfterValidator(check_jwks)] | None = None
    """The keys themselves, as a JSON Web Key Set, for an issuer that publishes none."""
    algorithms: OneOrMore[Algorithm] = ("RS256",)
    """The signature algorithms that are accepted."""
    source: CredentialSource | None = Field(default=None, alias="from")
    """Where the token is; the Authorization header with `Bearer ` when left out."""
    preset: Literal["entra", "cognito", "auth0", "keycloak"] | None = None
    """Sets `scope_claim` and `audience_claim` as this provider writes them."""
    scope_claim: Annotated[str, Text(r"[A-Za-z0-9_.:/-]{1,128}", "a claim's name", ("scp",))] | None = None
    """The claim that holds scopes, a list or words separated by spaces; `scope` when left out."""
    audience_claim: Literal["aud", "client_id", "azp"] | None = None
    """The claim that holds the audience; `aud` when left out."""
    clock_skew: Duration = Duration("30s")
    """How far clocks may differ when expiry and not-before are checked."""
    jwks_refresh: Duration = Duration("5m")
    """How long fetched keys are used before they are fetched again."""

    @model_validator(mode="after")
    def _keys(self) -> Self:
        if self.jwks is not None and self.jwks_uri is not None:
            raise PydanticCustomError("one_of", "give `jwks` or `jwks_uri`, not both")
        if self.jwks is not None and not fitting(self.jwks, self.algorithms):
            raise PydanticCustomError(
                "jwks",
                "none of the keys in `jwks` is for one of its `algorithms`, {algorithms}",
                {
                    "algorithms": ", ".join(self.algorithms),
                    "remedy": "an RSA key is for RS and PS, P-256 for ES256, P-384 for ES384, P-521 for ES512",
                },
            )
        return self


class ApiKey(Model):
    """A secret key that names the client. Keys are bound by the stack, never written here."""

    source: CredentialSource = Field(default=CredentialSource(header="x-api-key"), alias="from")
    """Where the key is; the header `x-api-key` when left out."""
    clients: OneOrMore[Annotated[Name, Field(examples=["acme"])]]
    """The clients; each gets a key of its own."""


class Oidc(Model):
    """Browser login with OpenID Connect; the session rides in a cookie."""

    issuer: Issuer
    """The OpenID provider."""
    client: Annotated[Plain, Field(examples=["edge"])]
    """The client id that the edge logs in as; its secret is bound by the stack."""
    scopes: Many[Scope] = ("openid",)
    """The scopes to ask for."""


class Introspection(Model):
    """An opaque OAuth 2.0 token, looked up at the authorization server (RFC 7662)."""

    endpoint: Annotated[Url, Field(examples=["https://login.shop.example/introspect"])]
    """The introspection endpoint."""
    client: Annotated[Plain, Field(examples=["edge"])]
    """The client id that the edge asks as; its secret is bound by the stack."""
    cache: Duration = Duration("30s")
    """How long an answer is trusted."""


class Mtls(Model):
    """A client certificate, checked against the listener's `tls.client_ca`."""

    subjects: Many[Plain] = ()
    """The certificate names that are let in; any that the authority signed when left out."""


class Authorizer(Model):
    """A way to know who is calling: exactly one of its fields."""

    jwt: Jwt | None = None
    """A JSON Web Token."""
    api_key: ApiKey | None = None
    """An API key."""
    oidc: Oidc | None = None
    """Browser login."""
    introspection: Introspection | None = None
    """An opaque token."""
    mtls: Mtls | None = None
    """A client certificate."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, ("jwt", "api_key", "oidc", "introspection", "mtls"), "an authorizer")
        return self


class Auth(Model):
    """Who may use a route."""

    authorizer: OneOrMore[Annotated[Name, Field(examples=["main"])]] | None = None
    """The authorizer, or several of which one must accept; the default's when left out."""
    scopes: Many[Scope] = ()
    """Scopes, all of which are needed."""
    any_scope: Many[Scope] = ()
    """Scopes, one of which is needed."""
    claims: dict[
        Annotated[str, Text(r"[^\x00-\x1f\x7f]{1,128}", "a claim's name", ("role",))],
        OneOrMore[Plain],
    ] = {}
    """Claims by name, each with the values of which one is needed."""


def _auth(value: Any) -> Any:
    return {"authorizer": cast(Any, value)} if isinstance(value, str | list | tuple) else value


def _auth_short(long: JsonSchemaValue) -> list[JsonSchemaValue]:
    return [field_of(long, "authorizer")]


def _none_or_auth(value: Any) -> str:
    return "<none>" if value == "none" else "<details>"


AuthField = Annotated[Annotated[Auth, Short(_auth, _auth_short), Tag("<details>")] | NONE, Discriminator(_none_or_auth)]


# -- backends ----------------------------------------------------------------------------------------------------------


class HealthCheck(Model):
    """How an instance is found healthy."""

    path: Address | None = None
    """The path that is asked; without one, a connection that opens is enough."""
    interval: Duration = Duration("10s")
    """The time between two checks."""
    timeout: Duration = Duration("5s")
    """How long an answer may take."""
    healthy_threshold: Annotated[Int, Field(ge=1, le=10)] = 2
    """Good answers in a row that make an instance healthy."""
    unhealthy_threshold: Annotated[Int, Field(ge=1, le=10)] = 3
    """Bad answers in a row that make it unhealthy."""
    expected_statuses: Annotated[
        tuple[
            NumberOr[
                Annotated[Int, Field(ge=100, le=599)],
                Annotated[str, Text(r"[1-5][0-9][0-9]-[1-5][0-9][0-9]", "a range of statuses", ("200-299",))],
            ],
            ...,
        ],
        Field(min_length=1),
    ] = (200,)
    """The statuses that are good: numbers, or ranges such as `200-299`."""


def _health_check(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _health_check_short(long: JsonSchemaValue) -> list[JsonSchemaValue]:
    return [field_of(long, "path")]


class CircuitBreaker(Model):
    """When an instance, or a whole backend, is given a rest."""

    consecutive_errors: Annotated[Int, Field(ge=1, le=1000)] = 5
    """Failed requests (5xx, refused or broken connections) in a row that eject an instance."""
    ejection: Duration = Duration("30s")
    """How long an ejected instance rests; longer each time."""
    max_ejection_percent: Annotated[Int, Field(ge=1, le=100)] = 50
    """The largest share of instances that may rest at once."""
    max_connections: Annotated[Int, Field(ge=1)] = 1024
    """Connections to the backend at once."""
    max_requests: Annotated[Int, Field(ge=1)] = 1024
    """Requests to the backend at once; beyond it they are refused with 503."""


class Backend(Model):
    """A service behind the edge."""

    port: Annotated[Port, Field(examples=[8080])]
    """The port of its instances."""
    protocol: Literal["http", "https", "h2c", "grpc", "tcp", "udp"] = "http"
    """What it speaks."""
    health_check: Annotated[HealthCheck, Short(_health_check, _health_check_short)] | None = None
    """How its instances are found healthy: a path, or the details."""
    circuit_breaker: CircuitBreaker | None = None
    """When its instances are given a rest."""


# -- what a route does -------------------------------------------------------------------------------------------------

Per = Annotated[
    str,
    Text(
        f"(client|ip|api_key|subject|route|header:{_HEADER_CHAR}{{1,128}})",
        "one of client, ip, api_key, subject, route, header:NAME",
        ("client", "header:x-tenant"),
        lower=True,
    ),
]
"""Whom a limit counts: client, ip, api_key, subject, route, or `header:NAME`."""


class Throttle(Model):
    """How fast requests may come: a token bucket."""

    rate: Rate
    """The lasting rate."""
    burst: Annotated[Int, Field(ge=1, le=1_000_000)] | None = None
    """The size of the bucket: requests that may come at once; a second's worth, at least 1, when left out."""
    per: Per = "client"
    """Whom it counts; `client` is the API key if one was checked, else the token's subject, else the source address."""


class Quota(Model):
    """How many requests may come in a calendar period (UTC)."""

    limit: Annotated[Int, Field(ge=1, le=10**12, examples=[10_000])]
    """Requests in a period."""
    period: Literal["hour", "day", "week", "month"]
    """The period; weeks begin on Monday."""
    per: Per = "client"
    """Whom it counts."""


class VaryBy(Model):
    """What tells cached answers apart, beside host, path and method."""

    query: Many[QueryName] = ()
    """Query parameters by name; `*` for all. Others are left out of the key and still reach the backend on a miss."""
    headers: Many[HeaderName] = ()
    """Request headers by name."""


class Cache(Model):
    """Answers with status 200 to GET and HEAD are kept for a time."""

    ttl: Annotated[Duration, Field(examples=["60s"])]
    """How long an answer is kept."""
    vary_by: VaryBy = VaryBy()
    """What tells answers apart."""
    share: Literal["public", "per_user"] | None = None
    """On a route with `auth`: one answer for everybody, or one for each user."""


class Cors(Model):
    """Which pages of other origins may call from a browser."""

    allow_origins: OneOrMore[
        Annotated[
            str,
            Text(
                r"(\*|https?://[^\s/*?#]+)",
                "an origin: scheme and host without a path, or `*`",
                ("https://app.shop.example", "*"),
            ),
        ]
    ]
    """Origins such as `https://app.shop.example`; `*` for any."""
    allow_methods: Many[Annotated[str, Text(r"(\*|[A-Z]{1,20})", "a method", ("GET", "*"))]] = (
        "GET",
        "HEAD",
        "POST",
    )
    """Methods beside the simple ones."""
    allow_headers: Many[HeaderName] = ()
    """Request headers that a page may set."""
    expose_headers: Many[HeaderName] = ()
    """Response headers that a page may read."""
    allow_credentials: Bool = False
    """Whether cookies and authorization may be sent."""
    max_age: Duration = Duration("10m")
    """How long a browser may remember the answer."""


class Retry(Model):
    """When a failed request is sent again."""

    attempts: Annotated[Int, Field(ge=1, le=10)] = 2
    """Further tries after the first."""
    on: tuple[NumberOr[ErrorStatus, Literal["connect-failure", "reset", "gateway-error", "5xx"]], ...] = (
        "connect-failure",
        "reset",
    )
    """What is tried again: failed connections, broken ones, 502/503/504, any 5xx, or statuses by number."""
    backoff: Duration = Duration("25ms")
    """The first pause between tries; it grows, with some chance in it."""
    non_idempotent: Bool = False
    """Say yes to sending POST and PATCH twice."""


class Timeout(Model):
    """How long things may take."""

    request: Duration | None = None
    """The whole request, with all its tries."""
    backend: Duration | None = None
    """One try."""
    idle: Duration | None = None
    """A stream or WebSocket on which nothing moves."""


class Rewrite(Model):
    """What the backend sees instead."""

    host: HostName | None = None
    """The Host header."""
    prefix: NewPath | None = None
    """What replaces the part of the path before `/*`."""
    path: NewPath | None = None
    """The whole path; it may use the route's `{names}`, and `/*` at its end keeps what the route's `/*` matched."""

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if self.prefix is not None and self.path is not None:
            raise PydanticCustomError("one_of", "give `prefix` or `path`, not both")
        return self


class HeaderChange(Model):
    """Changes to headers, in this order: remove, set, add."""

    remove: Many[HeaderName] = ()
    """Headers that are taken away."""
    set: Annotated[dict[HeaderName, HeaderValue], Unlike] = {}
    """Headers that get this value, whatever they had."""
    add: Annotated[dict[HeaderName, HeaderValue], Unlike] = {}
    """Values that are appended."""


class Headers(Model):
    """Changes to the headers of a request on its way in and of a response on its way out."""

    request: HeaderChange = HeaderChange()
    """What the backend gets."""
    response: HeaderChange = HeaderChange()
    """What the client gets."""


class Redirect(Model):
    """An answer that sends the client elsewhere."""

    target: Annotated[
        str,
        Text(
            r"(?=.)(https?://[^\s/?#]+)?(/[^\s]*)?",
            "an absolute URL or a path",
            ("https://www.shop.example/*", "/v2/*"),
        ),
    ]
    """An absolute URL or a path; `/*` at its end keeps what the route's `/*` matched."""
    status: Literal[301, 302, 303, 307, 308] = 308
    """The status."""


def _redirect(value: Any) -> Any:
    return {"target": value} if isinstance(value, str) else value


def _redirect_short(long: JsonSchemaValue) -> list[JsonSchemaValue]:
    return [field_of(long, "target")]


class Respond(Model):
    """A fixed answer."""

    status: Status = 200
    """The status."""
    body: Annotated[str, Field(max_length=4096)] = ""
    """The body."""
    content_type: Annotated[
        str, Text(r"[a-z]+/[A-Za-z0-9.+-]+(; ?charset=[A-Za-z0-9-]+)?", "a media type", ("text/plain",))
    ] = "text/plain"
    """Its media type."""


class ValueMatch(Model):
    """How a header or query value is matched: exactly one of its fields."""

    exact: HeaderValue | None = None
    """The value, to the letter."""
    prefix: HeaderValue | None = None
    """What the value begins with."""
    regex: Annotated[HeaderValue, Field(max_length=512)] | None = None
    """An RE2 expression for the whole value."""
    present: Bool | None = None
    """Whether it is there at all."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, ("exact", "prefix", "regex", "present"), "a match")
        return self


def _value_match(value: Any) -> Any:
    return {"exact": value} if isinstance(value, str) else value


def _value_match_short(long: JsonSchemaValue) -> list[JsonSchemaValue]:
    return [field_of(long, "exact")]


MatchField = Annotated[ValueMatch, Short(_value_match, _value_match_short)]


class Match(Model):
    """What a request must carry beside its method and path."""

    headers: Annotated[dict[HeaderName, MatchField], Unlike] = {}
    """Headers by name."""
    query: dict[QueryName, MatchField] = {}
    """Query parameters by name."""


class Parameter(Model):
    """A parameter of a request."""

    name: Plain
    """Its name; a header's in any case."""
    source: Literal["path", "query", "header"] = Field(alias="in")
    """Where it is."""
    required: Bool = False
    """Whether a request must have it."""
    shape: JsonSchema = Field(default={}, alias="schema")
    """What it may be, as a JSON Schema."""


class Operation(Model):
    """What a request must be like."""

    parameters: Many[Parameter] = ()
    """What stands in its path, its query and its headers."""
    body_required: Bool = False
    """Whether it must have a body."""
    bodies: dict[MediaType, JsonSchema] = {}
    """What its body may be, by media type, as a JSON Schema without references."""


class Validate(Model):
    """Requests are checked against an operation."""

    parameters: Bool = True
    """Query parameters and headers."""
    body: Bool = True
    """The body, by its JSON Schema."""
    operation: Operation | None = None
    """What they are checked against; from the OpenAPI document, if the spec is one."""


def _validate(value: Any) -> Any:
    return {} if value is True else value


def _off_or_details(value: Any) -> str:
    return "<off>" if value is False else "<details>"


ValidateField = Annotated[
    Annotated[Validate, Short(_validate, lambda _: [{"const": True}]), Tag("<details>")]
    | Annotated[Literal[False], Tag("<off>")],
    Discriminator(_off_or_details),
]


def _weights(value: Any) -> Any:
    return {value: 100} if isinstance(value, str) else value


_NAME_SCHEMA: JsonSchemaValue = TypeAdapter(Name).json_schema()

Weights = Annotated[
    dict[Name, Annotated[Int, Field(ge=0, le=100)]], Field(min_length=1), Short(_weights, lambda _: [_NAME_SCHEMA])
]


class Settings(Model):
    """What can be said for one route and, in `defaults`, for all."""

    auth: AuthField | None = None
    """Who may: an authorizer's name, `none` for everybody, or the details."""
    throttle: OrNone[Throttle] | None = None
    """How fast; `none` lifts the default."""
    quota: OrNone[Quota] | None = None
    """How much in a period; `none` lifts the default."""
    cors: OrNone[Cors] | None = None
    """Which pages of other origins; `none` lifts the default."""
    retry: OrNone[Retry] | None = None
    """When a failed request is sent again; `none` lifts the default."""
    timeout: Timeout | None = None
    """How long things may take; each field falls back to the default's."""
    headers: Headers | None = None
    """Header changes; a route's come after the default's."""


class Defaults(Settings):
    """What every route gets that does not say otherwise."""


class Route(Settings):
    """One route. It needs one of `backend`, `redirect` and `respond`."""

    backend: Weights | None = None
    """The backend, or several with weights that add up to 100."""
    listener: OneOrMore[Annotated[Name, Field(examples=["public"])]] | None = None
    """The listeners it is for; all http and https ones when left out."""
    match: Match = Match()
    """What a request must carry beside method and path."""
    cache: Cache | None = None
    """Answers that are kept."""
    rewrite: Rewrite | None = None
    """What the backend sees instead."""
    redirect: Annotated[Redirect, Short(_redirect, _redirect_short)] | None = None
    """Send the client elsewhere: a target, or the details."""
    respond: Respond | None = None
    """Answer from here."""
    validation: ValidateField | None = Field(default=None, alias="validate")
    """Check requests against the operation of the OpenAPI document that the spec is, or one that is written here."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, ("backend", "redirect", "respond"), "a route")
        return self


def _route(value: Any) -> Any:
    return {"backend": {value: 100}} if isinstance(value, str) else value


RouteField = Annotated[Route, Short(_route, lambda _: [_NAME_SCHEMA])]


# -- the edge as a whole -----------------------------------------------------------------------------------------------


class Waf(Model):
    """A web application firewall."""

    mode: Literal["block", "count"] = "block"
    """Whether a hit is refused, or only counted."""
    managed: Many[Literal["core", "known-bad-inputs", "sql-injection", "ip-reputation", "anonymous-ip", "bots"]] = (
        "core",
        "known-bad-inputs",
    )
    """Rule sets that the cloud keeps."""
    allow: Many[Cidr] = ()
    """Addresses that may come in; when given, no others."""
    deny: Many[Cidr] = ()
    """Addresses that may not."""
    rate_per_ip: Rate | None = None
    """How fast one address may ask."""


class AccessLog(Model):
    """The log of requests. Tokens, keys and cookies are never in it."""

    retention: Annotated[str, Text(r"[1-9][0-9]{0,3}d", "a number of days", ("30d",))] = "30d"
    """How long it is kept, in days."""
    fields: Many[
        Literal[
            "time",
            "request_id",
            "method",
            "host",
            "path",
            "route",
            "status",
            "subject",
            "client_ip",
            "upstream",
            "cache",
            "duration",
            "bytes",
            "user_agent",
            "error",
        ]
    ] = ()
    """What is in it; everything when left out."""
    sample: Annotated[Float, Field(gt=0, le=1)] = 1.0
    """The share of successful requests that is logged; failed ones always are."""


class Latency(Model):
    """A bound on a latency percentile."""

    percentile: Annotated[Float, Field(ge=50, lt=100)] = 99
    """The percentile."""
    above: Annotated[Duration, Field(examples=["800ms"])]
    """The alarm's bound."""


class Monitor(Model):
    """Alarms and a dashboard."""

    error_rate: Percent | None = None
    """Alarm when more than this percentage of requests fails with 5xx."""
    latency: Latency | None = None
    """Alarm when requests take longer."""
    throttled: Percent | None = None
    """Alarm when more than this percentage is throttled."""
    unhealthy_targets: Annotated[Int, Field(ge=1)] | None = None
    """Alarm when this many instances are unhealthy."""
    notify: Many[Plain] = ()
    """Names of notification targets, bound by the stack."""
    dashboard: Bool = True
    """Make a dashboard."""


class Compression(Model):
    """Responses are compressed with gzip when the client accepts it."""

    min_size: Size = Size("1KB")
    """The least size that is worth it."""
    content_types: Many[MediaType] = (
        "application/json",
        "application/problem+json",
        "text/html",
        "text/css",
        "text/plain",
        "text/javascript",
        "application/javascript",
        "image/svg+xml",
    )
    """The media types that are compressed."""


class EdgeSpec(Model):
    """An edge: load balancer, API gateway, routes, and what is checked on the way."""

    name: Annotated[Name, Field(examples=["shop"])]
    """The edge's name; names of resources are derived from it."""
    listener: Listener | None = None
    """Short for one listener, called `default`."""
    listeners: dict[Name, Listener] = {}
    """The ports that the edge opens, by name."""
    authorizers: dict[Name, Authorizer] = {}
    """Ways to know who is calling, by name."""
    backends: dict[Name, Backend] = {}
    """Services behind the edge, by name."""
    defaults: Defaults = Defaults()
    """What every route gets that does not say otherwise."""
    routes: dict[str, RouteField] = {}
    """Routes by `METHOD /path`; `ANY` for all methods, `WS` for WebSockets, `{id}` for one segment, `/*` for all below.
    Two routes that differ only in `match` are told apart by a label: `GET /products (beta)`."""
    waf: Waf | None = None
    """A web application firewall."""
    access_log: AccessLog = AccessLog()
    """The log of requests."""
    monitor: Monitor | None = None
    """Alarms and a dashboard."""
    ddos: Literal["standard", "advanced"] = "standard"
    """Protection against floods."""
    compression: Compression | None = None
    """Compress responses."""

    @model_validator(mode="after")
    def _listeners_once(self) -> Self:
        if self.listener is not None and self.listeners:
            raise PydanticCustomError("one_of", "give `listener` or `listeners`, not both")
        return self
