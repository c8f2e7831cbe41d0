"""A resolved edge: frozen dataclasses in one unit each, where each effective value knows the place it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edgewright.spec.problems import NOWHERE, Path, Place, dotted

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods that `ANY` stands for."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written, such as ``defaults.throttle`` at line 14, or that it is built in."""

    path: Path
    place: Place

    @property
    def text(self) -> str:
        """The path, with the line if there is one: ``defaults.throttle (shop.edge.yaml:14)``."""
        name = dotted(self.path) or "built in"
        return f"{name} ({self.place.file}:{self.place.line})" if self.place.line else name


# -- paths -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a path: a literal, or a name that matches any one non-empty segment."""

    text: str
    variable: bool = False


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A parsed path: ``/orders/{id}/*`` is two segments and ``rest``.

    rest: ``/*`` at the end, which matches the path before it and everything below it on segment boundaries.
    """

    segments: tuple[Segment, ...]
    rest: bool = False

    def __str__(self) -> str:
        text = "".join(f"/{{{item.text}}}" if item.variable else f"/{item.text}" for item in self.segments)
        return text + "/*" if self.rest else text or "/"

    @property
    def literal(self) -> bool:
        """Whether no segment is a variable."""
        return not any(item.variable for item in self.segments)

    @property
    def prefix(self) -> str:
        """The path without ``/*``: ``/orders`` of ``/orders/*``; empty for ``/*``."""
        return "".join(f"/{{{item.text}}}" if item.variable else f"/{item.text}" for item in self.segments)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its variables, in order."""
        return tuple(item.text for item in self.segments if item.variable)


# -- listeners, authorizers, backends ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """min_version: ``1.2`` or ``1.3``; client_ca: name of a trust bundle."""

    min_version: Literal["1.2", "1.3"]
    client_ca: str | None
    passthrough: bool


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that the edge opens; ``tls`` is set for https and tls; ``backend`` for tcp, tls and udp."""

    name: str
    hosts: tuple[str, ...]
    port: int
    protocol: Literal["http", "https", "tcp", "tls", "udp"]
    tls: TlsSettings | None
    redirect_http: bool
    backend: str | None
    origin: Origin

    @property
    def web(self) -> bool:
        """Whether it carries routes."""
        return self.protocol in ("http", "https")


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """Where a credential is in a request; ``prefix`` stands before it in a header, and may be empty."""

    kind: Literal["header", "cookie", "query"]
    name: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class JwtAuthorizer:
    """A JWT authorizer; clock_skew and jwks_refresh in milliseconds; presets already applied."""

    name: str
    issuer: str
    audiences: tuple[str, ...]
    jwks_uri: str | None
    jwks: str | None
    algorithms: tuple[str, ...]
    source: CredentialSource
    scope_claim: str
    audience_claim: Literal["aud", "client_id", "azp"]
    clock_skew: int
    jwks_refresh: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class ApiKeyAuthorizer:
    """An API key authorizer and the names of its clients."""

    name: str
    source: CredentialSource
    clients: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class OidcAuthorizer:
    """Browser login."""

    name: str
    issuer: str
    client: str
    scopes: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class IntrospectionAuthorizer:
    """Opaque tokens; cache in milliseconds."""

    name: str
    endpoint: str
    client: str
    cache: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class MtlsAuthorizer:
    """Client certificates; subjects empty means any that the authority signed."""

    name: str
    subjects: tuple[str, ...]
    origin: Origin


Authorizer = JwtAuthorizer | ApiKeyAuthorizer | OidcAuthorizer | IntrospectionAuthorizer | MtlsAuthorizer


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """interval and timeout in milliseconds; statuses as closed ranges; path None means a connection is enough."""

    path: str | None
    interval: int
    timeout: int
    healthy_threshold: int
    unhealthy_threshold: int
    statuses: tuple[tuple[int, int], ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """ejection in milliseconds."""

    consecutive_errors: int
    ejection: int
    max_ejection_percent: int
    max_connections: int
    max_requests: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Backend:
    """A service behind the edge."""

    name: str
    port: int
    protocol: Literal["http", "https", "h2c", "grpc", "tcp", "udp"]
    health_check: HealthCheck | None
    circuit_breaker: CircuitBreaker | None
    origin: Origin


# -- what a route does -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may. authorizers: one of them must accept; scopes: all; any_scope: one; claims: one value of each."""

    authorizers: tuple[str, ...]
    scopes: tuple[str, ...]
    any_scope: tuple[str, ...]
    claims: tuple[tuple[str, tuple[str, ...]], ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Key:
    """Whom a limit counts. kind ``client`` is spelled out by ``order``: the first of these that a request has.

    kind: as written; header: set when kind is ``header``; order: of ``api_key``, ``subject``, ``ip``.
    """

    kind: Literal["client", "ip", "api_key", "subject", "route", "header"]
    header: str | None
    order: tuple[Literal["api_key", "subject", "ip", "header"], ...]

    def __str__(self) -> str:
        return f"header:{self.header}" if self.kind == "header" else self.kind


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket. bucket: its identity, the place where it is written (``defaults`` or a route's key).

    count requests a period of ``seconds``; burst: the size of the bucket.
    """

    bucket: str
    count: int
    seconds: int
    burst: int
    per: Key
    origin: Origin

    @property
    def per_second(self) -> float:
        """The lasting rate."""
        return self.count / self.seconds


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests in a calendar period (UTC). bucket as in :class:`Throttle`."""

    bucket: str
    limit: int
    period: Literal["hour", "day", "week", "month"]
    per: Key
    origin: Origin


@dataclass(frozen=True, slots=True)
class Cache:
    """ttl in milliseconds; query: names, or ``("*",)`` for all; share is ``public`` on a public route."""

    ttl: int
    query: tuple[str, ...]
    headers: tuple[str, ...]
    share: Literal["public", "per_user"]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Cors:
    """max_age in milliseconds; origins may be ``("*",)``."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    credentials: bool
    max_age: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Retry:
    """attempts: further tries; on: conditions; statuses: further statuses; backoff in milliseconds."""

    attempts: int
    on: tuple[Literal["connect-failure", "reset", "gateway-error", "5xx"], ...]
    statuses: tuple[int, ...]
    backoff: int
    non_idempotent: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Milliseconds: the whole request, one try (None: no bound of its own), and an idle stream."""

    request: int
    backend: int | None
    idle: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """Remove, then set, then add."""

    remove: tuple[str, ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """host, and one of prefix and path (a pattern whose variables are the route's), or neither."""

    host: str | None
    prefix: str | None
    path: PathPattern | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A header or query match: kind, and the value (``"true"``/``"false"`` for ``present``)."""

    name: str
    kind: Literal["exact", "prefix", "regex", "present"]
    value: str


@dataclass(frozen=True, slots=True)
class Forward:
    """Send to backends by weight (sum 100)."""

    targets: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """origin_url: ``https://host`` or empty for the same origin; path: None keeps the request's path.

    keep_rest: what the route's ``/*`` matched is put behind ``path``.
    """

    origin_url: str
    path: str | None
    keep_rest: bool
    status: int


@dataclass(frozen=True, slots=True)
class Respond:
    """A fixed answer."""

    status: int
    body: str
    content_type: str


Action = Forward | Redirect | Respond


@dataclass(frozen=True, slots=True)
class RequestParameter:
    """A parameter of a request: where (``path``, ``query``, ``header``) and what it may be, as JSON Schema text."""

    where: str
    name: str
    required: bool
    schema: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request must be like. bodies: by media type, as JSON Schema texts without references."""

    parameters: tuple[RequestParameter, ...]
    body_required: bool
    bodies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """Which parts of a request are checked, and against what; operation None: nothing is known of it."""

    parameters: bool
    body: bool
    operation: Operation | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Route:
    """One route with everything that holds for it.

    key: as written, its identity; slug: the key as a name for resources, stable under changes of other routes;
    methods: None means any; websocket: a ``WS`` route; label: what tells it from a route with the same method and path;
    auth None: public, and ``public_because`` says where that is written.
    """

    key: str
    slug: str
    methods: tuple[str, ...] | None
    websocket: bool
    path: PathPattern
    label: str
    listeners: tuple[str, ...]
    headers: tuple[ValueMatch, ...]
    query: tuple[ValueMatch, ...]
    action: Action
    auth: Auth | None
    public_because: Origin | None
    throttle: Throttle | None
    quota: Quota | None
    cache: Cache | None
    cors: Cors | None
    retry: Retry | None
    timeout: Timeouts
    request_headers: HeaderChange
    response_headers: HeaderChange
    rewrite: Rewrite | None
    validation: Validation | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Waf:
    """mode, managed rule sets, address lists, and a rate per address in requests per second."""

    mode: Literal["block", "count"]
    managed: tuple[str, ...]
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    rate_per_ip: tuple[int, int] | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class AccessLog:
    """retention in days; fields empty means all; sample is a share of successful requests."""

    retention_days: int
    fields: tuple[str, ...]
    sample: float
    origin: Origin


@dataclass(frozen=True, slots=True)
class Monitor:
    """Bounds of alarms: percentages, milliseconds, counts; None means no such alarm."""

    error_rate: float | None
    latency_percentile: float | None
    latency_above: int | None
    throttled: float | None
    unhealthy_targets: int | None
    notify: tuple[str, ...]
    dashboard: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Compression:
    """min_size in bytes."""

    min_size: int
    content_types: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know of a compiled or resolved edge.

    level: ``native`` is never reported; ``approximated`` and ``warning`` inform; ``unsupported`` is an error.
    field: dotted, as in the spec; routes: keys, empty when it is about the edge as a whole;
    carried_by: what would carry it, or what to write instead.
    """

    level: Literal["approximated", "unsupported", "warning"]
    field: str
    routes: tuple[str, ...]
    reason: str
    carried_by: str = ""
    place: Place = NOWHERE

    def __str__(self) -> str:
        where = f" [{', '.join(self.routes)}]" if self.routes else ""
        remedy = f"; {self.carried_by}" if self.carried_by else ""
        return f"{self.place}: {self.level}: {self.field}{where}: {self.reason}{remedy}"


@dataclass(frozen=True, slots=True)
class Edge:
    """What a spec means. Routes stand in the order in which they are tried."""

    name: str
    listeners: tuple[Listener, ...]
    authorizers: Mapping[str, Authorizer]
    backends: Mapping[str, Backend]
    routes: tuple[Route, ...]
    waf: Waf | None
    access_log: AccessLog
    monitor: Monitor | None
    ddos: Literal["standard", "advanced"]
    compression: Compression | None
    findings: tuple[Finding, ...]

    def route(self, key: str) -> Route:
        """The route with this key; KeyError if there is none."""
        for item in self.routes:
            if item.key == key:
                return item
        raise KeyError(key)
