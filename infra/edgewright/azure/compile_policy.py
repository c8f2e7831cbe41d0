"""The policy of an API: one document, whose branches grow with the distinct settings of routes and not with the routes.

The operation's settings are found once, as a text of parts divided by ``|``; each part is then a variable, and each
step asks its own: who may, how often, from the cache or not, what is changed, which backend, how long. An operation
that the text does not know is denied.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal

from edgewright.azure import compile_validation as validation
from edgewright.azure import expressions as cs
from edgewright.azure.compile_authorizers import (
    authenticated,
    authorized,
    by,
    introspected,
    introspections,
    product_of,
)
from edgewright.azure.compile_fragments import InFragments, OnePiece, Pieces
from edgewright.azure.compile_limits import BUCKETS, address_limits, limit_policies, quota_bucket, throttle_bucket
from edgewright.azure.compile_operations import ApiOperation
from edgewright.azure.policy import (
    Base,
    CacheLookup,
    CacheStore,
    CheckHeader,
    Choose,
    Comment,
    Cors,
    Document,
    ForwardRequest,
    Fragment,
    IpFilter,
    Policy,
    Reference,
    Retry,
    ReturnResponse,
    RewriteUri,
    SetBackendService,
    SetHeader,
    SetVariable,
    When,
)
from edgewright.azure.problems import errors, problem
from edgewright.azure.waf_addresses import ranges
from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Cache,
    Edge,
    Forward,
    IntrospectionAuthorizer,
    Redirect,
    Respond,
    Route,
    ValueMatch,
)
from edgewright.edge.resolve_routes import IDLE_TIMEOUT

PARTS: tuple[str, ...] = ("auth", "needs", "limits", "cache", "change", "backend", "forward")
"""The parts of the settings' text, in this order; each is a variable of this name."""

VALIDATE = "validate"
"""One part more, the last, where an edge checks requests."""

NONE = "none"
DENIED = "denied"
"""The part ``auth`` of an operation that is not in the look-up; its others are `NONE`."""

ANYBODY = "anybody"
"""The part ``auth`` of public routes."""

STAYS = frozenset({"server", "x-forwarded-for"})
"""Headers that set-header cannot remove (Microsoft's page of the policy, limitations): of an answer, and of a request,
whose address is added after the policies."""

USER = "x-edgewright-cache-user"
"""The header by which answers are kept for each user; what a client sends under this name is overwritten."""

QUERY = "x-edgewright-cache-query"
"""The header that holds the whole query of a request, where answers vary by all of it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a gateway, so far as its policies must know. The defaults: Azure's own gateway, which clients
    reach without anything between.

    external_cache: the gateway has no cache of its own, as a self-hosted one: answers are kept in the service's
    external cache, or nowhere.

    client_address: where the address of a client is: of the connection (``peer``), or in the header ``address_header``,
    which what stands before the gateway must set, whatever a client sends. Counters then count by the header's value,
    and address lists are not asked here: the firewall before the gateway has them.

    trusted_header_required: whether a request without that header is refused (403): it did not come that way.

    host_header: the header in which what stands before the gateway says by which host name a client has asked; empty:
    the gateway is asked by that name. hosts: the names that it may be, empty: any.

    front_door_id: the named value that holds the id of a Front Door; requests of others are refused (403).

    only_self_hosted: Azure's own gateway refuses all requests (403), so that it is no way round a self-hosted one.
    """

    external_cache: bool = False
    client_address: Literal["peer", "header"] = "peer"
    address_header: str = ""
    trusted_header_required: bool = True
    host_header: str = ""
    hosts: tuple[str, ...] = ()
    front_door_id: str | None = None
    only_self_hosted: bool = False

    def __post_init__(self) -> None:
        if (self.client_address == "header") != bool(self.address_header):
            raise ValueError("a client's address is in a header that has a name, or has none")

    @property
    def host(self) -> cs.Host:
        """Where the host name is that a client has asked by."""
        return cs.Host(self.host_header, self.hosts) if self.host_header else cs.ASKED

    @property
    def caching(self) -> str:
        """The ``caching-type`` of policies."""
        return "external" if self.external_cache else "prefer-external"


DEFAULT = Surroundings()


@dataclass(frozen=True, slots=True)
class Policies:
    """The API's document, the fragments that it includes, by id, and the documents of operations that have one of
    their own, by id."""

    api: Document
    operations: Mapping[str, Document]
    fragments: Mapping[str, Fragment] = field(default_factory=dict[str, Fragment])


@dataclass(frozen=True, slots=True)
class _Table:
    """Names for distinct values of a part, in the order of their names: the same values give the same names, whatever
    other routes there are."""

    names: dict[object, str]
    samples: dict[str, Route]
    words: dict[str, str]
    """The name that each route has, by its key; `NONE` for none."""

    @classmethod
    def of(cls, routes: Sequence[Route], content: Callable[[Route], object], name: Callable[[Route], str]) -> "_Table":
        names: dict[object, str] = {}
        samples: dict[str, Route] = {}
        words: dict[str, str] = {}
        for route in routes:
            key = content(route)
            named = NONE if key is None else names.get(key)
            if named is None:
                named = _word(name(route), key)
                if named in samples:  # two in 16 million: never one branch for two things
                    named = _word(name(route), key, 64)
                names[key] = named
                samples[named] = route
            words[route.key] = named
        return cls(names, dict(sorted(samples.items())), words)


def _word(text: str, key: object, digits: int = 6) -> str:
    """A name that a person can read, with a digest of what it stands for."""
    plain = re.sub(r"[^A-Za-z0-9+:. =-]+", "-", text)[:60].strip("-")
    return f"{plain}:{sha256(repr(key).encode()).hexdigest()[:digits]}"


def compile_policy(
    edge: Edge,
    routes: Sequence[Route],
    found: Sequence[ApiOperation],
    surroundings: Surroundings = DEFAULT,
    *,
    limit: int | None = None,
) -> Policies:
    """The documents of the API that carries these routes.

    limit: bytes that a document may have; beyond it what is long of it stands in fragments.
    """
    if limit is None or at_least(routes, found) <= limit:
        whole = _written(edge, routes, found, surroundings, OnePiece())
        if limit is None or len(whole.api.xml().encode()) <= limit:
            return whole
    pieces = InFragments(edge.name, limit)
    return replace(_written(edge, routes, found, surroundings, pieces), fragments=pieces.fragments)


def at_least(routes: Sequence[Route], found: Sequence[ApiOperation]) -> int:
    """Bytes that a document in one piece has at the very least, which are soon counted: the labels of its look-up, and
    a branch for each limit of its own."""
    branches = {_limits_content(route, named=True) for route in routes} - {None}
    return sum(len(item.id) + len("case &quot;&quot;:") for item in found) + 250 * len(branches)


def _written(
    edge: Edge, routes: Sequence[Route], found: Sequence[ApiOperation], surroundings: Surroundings, pieces: Pieces
) -> Policies:
    def limits_content(route: Route) -> object:
        return _limits_content(route, named=pieces.whole)

    tables = {
        "needs": _Table.of(routes, _needs_content, _needs_name),
        "limits": _Table.of(routes, limits_content, _limits_name),
        "cache": _Table.of(routes, lambda route: cache_key(route, edge), _cache_name),
        "change": _Table.of(routes, _change_content, lambda route: route.slug),
        "forward": _Table.of(routes, _forward_content, _forward_name),
        VALIDATE: _Table.of(routes, validation.content, validation.name),
    }
    shared = len(tables["cache"].names) == 1
    validated = bool(tables[VALIDATE].names)
    # Where the document is too long as it is, routes with the same rate share it, and say which bucket is theirs.
    apart = not pieces.whole and bool(tables["limits"].names)
    parts = (*PARTS, *((VALIDATE,) if validated else ()), *(BUCKETS if apart else ()))

    columns: dict[str, Mapping[str, str]] = {part: table.words for part, table in tables.items()}
    columns["auth"] = {route.key: _auth_name(route) for route in routes}
    columns["backend"] = {route.key: backend_id(route) or NONE for route in routes}
    for name, bucket in zip(BUCKETS, (throttle_bucket, quota_bucket), strict=True) if apart else ():
        columns[name] = {route.key: _word(bucket(route), bucket(route)) if bucket(route) else NONE for route in routes}
    text = {route.key: "|".join(columns[part][route.key] for part in parts) for route in routes}
    choices = {item.id: [cs.Choice(_conditions(route), text[route.key]) for route in item.routes] for item in found}
    denied = "|".join((DENIED, *(NONE for _ in parts[1:])))
    callers = _callers(edge, surroundings)
    caching = surroundings.caching

    inbound: tuple[Policy, ...] = (
        *_cors(routes),
        *_not_here(surroundings),
        Base(),
        *_by_the_front(surroundings),
        *_addresses(edge, surroundings),
        Comment(f"The settings of the operation: {' | '.join(parts)}"),
        *pieces.lookup(choices, denied),
        *(SetVariable(part, cs.part("settings", index)) for index, part in enumerate(parts)),
        *_who_may(edge, routes, caching),
        *_what_that_needs(edge, tables["needs"], pieces),
        *_how_often(tables["limits"], callers, pieces),
        *validation.policies(tables[VALIDATE].samples),
        *(_from_cache(tables["cache"], edge, caching) if shared else ()),
        *_changed(tables["change"], pieces, surroundings.host),
        *_to(routes),
    )
    outbound: tuple[Policy, ...] = (
        *(_to_cache(tables["cache"]) if shared else ()),
        *_changed_answers(tables["change"], pieces),
        Base(),
    )
    api = Document(inbound, (_forwarded(tables["forward"]),), outbound, errors(validated=validated))
    own = {} if shared else {item.id: _own(item, tables["cache"], edge, caching) for item in found if _caches(item)}
    return Policies(api, own)


def websocket_policy(edge: Edge, route: Route, surroundings: Surroundings = DEFAULT) -> Document:
    """The policy of a WebSocket's handshake: who may, and how often; messages are seen by no policy."""
    auth = route.auth
    inbound: list[Policy] = [
        *_not_here(surroundings),
        Base(),
        *_by_the_front(surroundings),
        *_addresses(edge, surroundings),
    ]
    if auth is not None:
        item = edge.authorizers[auth.authorizers[0]]
        # A handshake knows no caches.
        inbound += (
            introspected(edge, (item,), None) if isinstance(item, IntrospectionAuthorizer) else authenticated(item)
        )
        inbound += authorized(edge, auth) if _needs_content(route) is not None else ()
    inbound += limit_policies(route, _callers(edge, surroundings))
    return Document(tuple(inbound), on_error=errors())


def _callers(edge: Edge, surroundings: Surroundings) -> cs.Callers:
    return cs.Callers(surroundings.address_header or None, bool(introspections(edge)))


def _caches(item: ApiOperation) -> bool:
    return item.method == "GET" and any(route.cache is not None for route in item.routes)


# -- names and contents of parts ---------------------------------------------------------------------------------------


def _auth_name(route: Route) -> str:
    return ANYBODY if route.auth is None else by(route.auth.authorizers[0])


def _needs_content(route: Route) -> object:
    auth = route.auth
    if auth is None or not (auth.scopes or auth.any_scope or auth.claims):
        return None
    return (auth.authorizers, auth.scopes, auth.any_scope, auth.claims)


def _needs_name(route: Route) -> str:
    auth = route.auth
    if auth is None:
        return ""
    return " ".join((*auth.scopes, *auth.any_scope, *(name for name, _ in auth.claims)))


def _limits_content(route: Route, *, named: bool) -> object:
    """named: whether the buckets are a part of it."""
    throttle, quota = route.throttle, route.quota
    if throttle is None and quota is None:
        return None
    rate = throttle and (throttle_bucket(route), throttle.count, throttle.seconds, throttle.burst, throttle.per)
    most = quota and (
        quota.bucket,
        quota.limit,
        quota.period,
        quota.per,
        route.key if quota.per.kind == "route" else "",
    )
    return (rate, most) if named else (rate and rate[1:], most and most[1:4])


def _limits_name(route: Route) -> str:
    throttle, quota = route.throttle, route.quota
    rate = f"{throttle.count} in {throttle.seconds}s {throttle.per}" if throttle else ""
    return " ".join(word for word in (rate, f"{quota.limit} a {quota.period} {quota.per}" if quota else "") if word)


def cache_key(route: Route, edge: Edge) -> object:
    """What tells apart how two routes are cached; None for a route that is not."""
    cache = route.cache
    if cache is None:
        return None
    return (cache.query, cache.headers, cache.share, cache.ttl, _by_key(route, edge), route.auth is not None)


def _by_key(route: Route, edge: Edge) -> bool | str:
    """Whether who asks is known by an API key, or by an opaque token."""
    kinds = {type(edge.authorizers[name]) for name in (route.auth.authorizers if route.auth else ())}
    return "opaque" if IntrospectionAuthorizer in kinds else ApiKeyAuthorizer in kinds


def _cache_name(route: Route) -> str:
    cache = route.cache
    return f"{cache.ttl // 1000}s {cache.share}" if cache else ""


def _change_content(route: Route) -> object:
    action = None if isinstance(route.action, Forward) else route.action
    if action is None and route.rewrite is None and not _touches(route):
        return None
    place = (str(route.path),) if route.rewrite is not None or isinstance(action, Redirect) else ()
    return (
        action,
        route.rewrite and (route.rewrite.host, route.rewrite.prefix, str(route.rewrite.path)),
        place,
        route.request_headers,
        route.response_headers,
    )


def _touches(route: Route) -> bool:
    return any(
        (change.remove, change.set, change.add) != ((), (), ())
        for change in (route.request_headers, route.response_headers)
    )


def _forward_content(route: Route) -> object:
    if not isinstance(route.action, Forward):
        return None
    retry = route.retry
    return (
        seconds(route),
        retry and (retry.attempts, retry.on, retry.statuses, retry.backoff, retry.non_idempotent),
        *(("streamed",) if streamed(route) else ()),
    )


def _forward_name(route: Route) -> str:
    more = f" {route.retry.attempts} more" if route.retry else ""
    return f"{seconds(route)}s{more}{' streamed' if streamed(route) else ''}"


def streamed(route: Route) -> bool:
    """Whether answers go on piece by piece: where a route says how long a stream may be idle, and keeps no answers."""
    return not route.websocket and route.cache is None and route.timeout.idle != IDLE_TIMEOUT


def seconds(route: Route) -> int:
    """How long the gateway waits for a backend, in whole seconds; no less than the route says."""
    wait = route.timeout.request
    if route.retry is not None and route.timeout.backend is not None:
        wait = route.timeout.backend
    return max(1, -(-wait // 1000))


def backend_id(route: Route) -> str | None:
    """The id of the Backend (or pool of them) that a route goes to; None for one that goes to none."""
    if not isinstance(route.action, Forward):
        return None
    targets = route.action.targets
    return targets[0][0] if len(targets) == 1 else pool_id(targets)


def pool_id(targets: Sequence[tuple[str, int]]) -> str:
    """The id of a pool: its backends and weights, so that routes with the same ones share it."""
    plain = "-".join(f"{name}-{weight}" for name, weight in targets)
    return plain if len(plain) <= 80 else f"{plain[:71]}-{sha256(plain.encode()).hexdigest()[:8]}"


def _conditions(route: Route) -> tuple[cs.Condition, ...]:
    def condition(source: str, item: ValueMatch) -> cs.Condition:
        return cs.Condition(source, item.name, item.kind, item.value)

    return (
        *(condition("header", item) for item in route.headers),
        *(condition("query", item) for item in route.query),
    )


# -- the steps ---------------------------------------------------------------------------------------------------------


def _cors(routes: Sequence[Route]) -> Iterator[Policy]:
    """CORS of the whole API: that of its routes, which is one and the same (else it is not carried)."""
    cors = next((route.cors for route in routes if route.cors is not None), None)
    if cors is not None:
        yield Cors(
            cors.origins,
            cors.methods,
            cors.allow_headers,
            cors.expose_headers,
            cors.credentials,
            cors.max_age // 1000,
        )


def _not_here(surroundings: Surroundings) -> Iterator[Policy]:
    if surroundings.only_self_hosted:
        yield Choose((When(cs.on_managed_gateway(), (problem(403, "Forbidden"),), "no way round the balancer"),))


def _by_the_front(surroundings: Surroundings) -> Iterator[Policy]:
    """What only a request has that came by what stands before the gateway."""
    if surroundings.front_door_id is not None:
        yield CheckHeader("X-Azure-FDID", Reference(surroundings.front_door_id))
    if surroundings.client_address == "header" and surroundings.trusted_header_required:
        absent = cs.has_no_header(surroundings.address_header)
        yield Choose((When(absent, (problem(403, "Forbidden"),), "it came past what stands before"),))


def _addresses(edge: Edge, surroundings: Surroundings) -> Iterator[Policy]:
    if edge.waf is None:
        return
    if edge.waf.allow and surroundings.client_address == "peer":
        yield IpFilter("allow", ranges(edge.waf.allow))
    if edge.waf.deny and surroundings.client_address == "peer":
        yield IpFilter("forbid", ranges(edge.waf.deny))
    if edge.waf.rate_per_ip is not None:
        yield from address_limits(*edge.waf.rate_per_ip, _callers(edge, surroundings))


def _who_may(edge: Edge, routes: Sequence[Route], caching: str) -> Iterator[Policy]:
    yield Comment("Who may")
    names = sorted({name for route in routes if route.auth is not None for name in route.auth.authorizers})
    public = any(route.auth is None for route in routes)
    whens = [When(cs.is_("auth", ANYBODY), (), "nothing is asked")] if public else []
    opaque = tuple(item for item in introspections(edge) if item.name in names)
    known = [name for name in names if name not in {item.name for item in opaque}]
    whens += [When(cs.is_("auth", by(name)), authenticated(edge.authorizers[name])) for name in known]
    if opaque:
        any_of_them = cs.is_one_of("auth", tuple(by(item.name) for item in opaque))
        whens.append(When(any_of_them, introspected(edge, opaque, caching), "an opaque token"))
    unknown = (Comment("an operation that this policy does not know"), problem(404, "Not found"))
    yield Choose(tuple(whens), unknown)


def _what_that_needs(edge: Edge, table: _Table, pieces: Pieces) -> Iterator[Policy]:
    whens = {
        name: When(cs.is_("needs", name), authorized(edge, route.auth), _needs_name(route))
        for name, route in table.samples.items()
        if route.auth is not None
    }
    if whens:
        yield from pieces.branches("needs", "needs", whens)


def _how_often(table: _Table, callers: cs.Callers, pieces: Pieces) -> Iterator[Policy]:
    whens = [
        When(cs.is_("limits", name), limit_policies(route, callers, named=pieces.whole), _limits_name(route))
        for name, route in table.samples.items()
    ]
    if whens:
        yield Comment("How often; before the cache, so that what comes from it counts too")
        yield Choose(tuple(whens))


def _lookup(route: Route, cache: Cache, edge: Edge, caching: str) -> Iterator[Policy]:
    per_user = cache.share == "per_user" and route.auth is not None
    everything = "*" in cache.query
    headers = [*cache.headers, *([QUERY] if everything else []), *([USER] if per_user else [])]
    if everything:
        yield SetHeader(QUERY, "override", (cs.whole_query(),))
    if per_user:
        kind = _by_key(route, edge)
        user = cs.opaque_user() if kind == "opaque" else cs.key_product() if kind else cs.token_subject()
        yield SetHeader(USER, "override", (user,))
    yield CacheLookup(tuple(headers), () if everything else cache.query, route.auth is not None, caching)


def _from_cache(table: _Table, edge: Edge, caching: str) -> Iterator[Policy]:
    for name, route in table.samples.items():
        if route.cache is not None:
            yield Comment("From the cache")
            policies = tuple(_lookup(route, route.cache, edge, caching))
            yield Choose((When(cs.is_("cache", name), policies, _cache_name(route)),))


def _to_cache(table: _Table) -> Iterator[Policy]:
    for name, route in table.samples.items():
        if route.cache is not None:
            yield Choose((When(cs.is_("cache", name), (CacheStore(ttl(route.cache)),)),))


def ttl(cache: Cache) -> int:
    """How long an answer is kept, in whole seconds; no longer than the spec says, but for a second at least."""
    return max(1, cache.ttl // 1000)


def _own(item: ApiOperation, table: _Table, edge: Edge, caching: str) -> Document:
    """An operation's own document: caches with unlike keys cannot stand in one section."""
    route = next(route for route in item.routes if route.cache is not None)
    cache = route.cache
    name = table.names[cache_key(route, edge)]
    if cache is None:
        raise AssertionError(route.key)
    looked_up = Choose((When(cs.is_("cache", name), tuple(_lookup(route, cache, edge, caching))),))
    stored = Choose((When(cs.is_("cache", name), (CacheStore(ttl(cache)),)),))
    return Document(inbound=(Base(), looked_up), outbound=(stored, Base()))


def _changed(table: _Table, pieces: Pieces, host: cs.Host) -> Iterator[Policy]:
    whens: dict[str, When] = {}
    for name, route in table.samples.items():
        policies = tuple(_changes(route, host))
        if policies:
            whens[name] = When(cs.is_("change", name), policies, route.key)
    if whens:
        yield Comment("What is changed, or answered at once")
        yield from pieces.branches("changes", "change", whens)


def _changes(route: Route, host: cs.Host) -> Iterator[Policy]:
    match route.action:
        case Respond(status=status, body=body, content_type=kind):
            yield ReturnResponse(status, "", (("Content-Type", kind),), body)
            return
        case Redirect() as action:
            depth = len(route.path.segments) if action.keep_rest else None
            where = cs.location(action.origin_url, action.path, depth, host)
            yield ReturnResponse(action.status, "", (("Location", where),))
            return
        case Forward():
            pass
    if route.rewrite is not None and route.rewrite.prefix is not None:
        yield RewriteUri(cs.below(route.rewrite.prefix.rstrip("/"), len(route.path.segments)))
    if route.rewrite is not None and route.rewrite.path is not None:
        pieces = [_piece(item.text, item.variable, route) for item in route.rewrite.path.segments]
        yield RewriteUri(cs.filled_path(pieces, len(route.path.segments) if route.rewrite.path.rest else None))
    if route.rewrite is not None and route.rewrite.host is not None:
        yield SetHeader("Host", "override", (route.rewrite.host,))
    yield from _headers(route.request_headers.remove, route.request_headers.set, route.request_headers.add)


def _piece(text: str, variable: bool, route: Route) -> str | int:
    """A segment of a rewritten path: a literal, or the number of the segment of the request that it stands for."""
    if not variable:
        return text
    return next(at for at, item in enumerate(route.path.segments) if item.variable and item.text == text)


def _headers(
    remove: Sequence[str], set_: Sequence[tuple[str, str]], add: Sequence[tuple[str, str]]
) -> Iterator[Policy]:
    for name in remove:
        if name not in STAYS:
            yield SetHeader(name, "delete")
    for name, value in set_:
        yield SetHeader(name, "override", (value,))
    for name, value in add:
        yield SetHeader(name, "append", (value,))


def _changed_answers(table: _Table, pieces: Pieces) -> Iterator[Policy]:
    whens: dict[str, When] = {}
    for name, route in table.samples.items():
        change = route.response_headers
        policies = tuple(_headers(change.remove, change.set, change.add))
        if policies:
            whens[name] = When(cs.is_("change", name), policies, route.key)
    if whens:
        yield from pieces.branches("answers", "change", whens)


def _to(routes: Sequence[Route]) -> Iterator[Policy]:
    if any(isinstance(route.action, Forward) for route in routes):
        yield Comment("Which backend")
        yield SetBackendService(cs.variable("backend"))


def _forwarded(table: _Table) -> Policy:
    """How long the gateway waits, and whether it tries again. The section may hold one policy only."""
    whens: list[When] = []
    for name, route in table.samples.items():
        whens.append(When(cs.is_("forward", name), (_forward(route),), _forward_name(route)))
    if len(whens) == 1:
        return whens[0].policies[0]
    if not whens:
        return ForwardRequest(1)
    # A request without such a setting never comes here: it was answered before.
    return Choose(tuple(whens), (ForwardRequest(1),))


def _forward(route: Route) -> Policy:
    retry = route.retry
    if retry is None:
        return ForwardRequest(seconds(route), streamed=streamed(route))
    condition = cs.tries_again(retry.on, retry.statuses, non_idempotent=retry.non_idempotent)
    interval = -(-retry.backoff // 1000)
    return Retry(
        condition, retry.attempts, interval, (ForwardRequest(seconds(route), buffered=True, streamed=streamed(route)),)
    )


def products(edge: Edge) -> dict[str, str]:
    """The id of the product that each authorizer of API keys has."""
    return {name: product_of(name) for name, item in edge.authorizers.items() if isinstance(item, ApiKeyAuthorizer)}
