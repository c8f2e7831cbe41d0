"""The policy of an API: one document, whose branches grow with the distinct settings of routes and not with the routes.

The operation's settings are found once, as a text of parts divided by ``|``; each part is then a variable, and each
step asks its own: who may, how often, from the cache or not, what is changed, which backend, how long. An operation
that the text does not know is denied.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from edgewright.azure import expressions as cs
from edgewright.azure.compile_authorizers import authenticated, authorized, product_of
from edgewright.azure.compile_limits import address_limits, limit_policies
from edgewright.azure.compile_operations import ApiOperation
from edgewright.azure.policy import (
    Base,
    CacheLookup,
    CacheStore,
    Choose,
    Comment,
    Cors,
    Document,
    ForwardRequest,
    IpFilter,
    Policy,
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
from edgewright.edge.model import ApiKeyAuthorizer, Cache, Edge, Forward, Redirect, Respond, Route, ValueMatch

PARTS: tuple[str, ...] = ("auth", "needs", "limits", "cache", "change", "backend", "forward")
"""The parts of the settings' text, in this order; each is a variable of this name."""

NONE = "none"
DENIED = "|".join(("denied", *(NONE for _ in PARTS[1:])))
"""What an operation has that is not in the look-up."""

ANYBODY = "anybody"
"""The part ``auth`` of public routes."""

USER = "x-edgewright-cache-user"
"""The header by which answers are kept for each user; what a client sends under this name is overwritten."""

QUERY = "x-edgewright-cache-query"
"""The header that holds the whole query of a request, where answers vary by all of it."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The API's document, and those of operations that have one of their own, by id."""

    api: Document
    operations: Mapping[str, Document]


@dataclass(frozen=True, slots=True)
class _Table:
    """Names for distinct values of a part, in the order of their names: the same values give the same names, whatever
    other routes there are."""

    names: dict[object, str]
    samples: dict[str, Route]

    @classmethod
    def of(cls, routes: Sequence[Route], content: Callable[[Route], object], name: Callable[[Route], str]) -> "_Table":
        names: dict[object, str] = {}
        samples: dict[str, Route] = {}
        for route in routes:
            key = content(route)
            if key is None or key in names:
                continue
            named = _word(name(route), key)
            names[key] = named
            samples[named] = route
        return cls(names, dict(sorted(samples.items())))


def _word(text: str, key: object) -> str:
    """A name that a person can read, with a digest of what it stands for, so that no two things share one."""
    plain = re.sub(r"[^A-Za-z0-9+:. =-]+", "-", text)[:60].strip("-")
    return f"{plain}:{sha256(repr(key).encode()).hexdigest()[:6]}"


def compile_policy(
    edge: Edge, routes: Sequence[Route], found: Sequence[ApiOperation], *, external_cache: bool
) -> Policies:
    """The documents of the API that carries these routes.

    external_cache: where the gateway keeps answers in a cache of its own only if there is one, as a self-hosted one.
    """
    tables = {
        "needs": _Table.of(routes, _needs_content, _needs_name),
        "limits": _Table.of(routes, _limits_content, _limits_name),
        "cache": _Table.of(routes, lambda route: cache_key(route, edge), _cache_name),
        "change": _Table.of(routes, _change_content, lambda route: route.slug),
        "forward": _Table.of(routes, _forward_content, _forward_name),
    }
    shared = len(tables["cache"].names) == 1

    def settings(route: Route) -> str:
        words = [_auth_name(route)]
        contents = (_needs_content(route), _limits_content(route), cache_key(route, edge), _change_content(route))
        words += [
            tables[part].names[content] if content is not None else NONE
            for part, content in zip(("needs", "limits", "cache", "change"), contents, strict=True)
        ]
        words += [backend_id(route) or NONE]
        content = _forward_content(route)
        words += [tables["forward"].names[content] if content is not None else NONE]
        return "|".join(words)

    text = {route.key: settings(route) for route in routes}
    choices = {item.id: [cs.Choice(_conditions(route), text[route.key]) for route in item.routes] for item in found}
    caching = "external" if external_cache else "prefer-external"
    inbound: tuple[Policy, ...] = (
        *_cors(routes),
        Base(),
        *_addresses(edge),
        Comment(f"The settings of the operation: {' | '.join(PARTS)}"),
        SetVariable("settings", cs.lookup(choices, DENIED)),
        *(SetVariable(part, cs.part("settings", index)) for index, part in enumerate(PARTS)),
        *_who_may(edge, routes),
        *_what_that_needs(edge, tables["needs"]),
        *_how_often(tables["limits"]),
        *(_from_cache(tables["cache"], edge, caching) if shared else ()),
        *_changed(tables["change"]),
        *_to(routes),
    )
    outbound: tuple[Policy, ...] = (
        *(_to_cache(tables["cache"]) if shared else ()),
        *_changed_answers(tables["change"]),
        Base(),
    )
    own = {} if shared else {item.id: _own(item, tables["cache"], edge, caching) for item in found if _caches(item)}
    return Policies(Document(inbound, (_forwarded(tables["forward"]),), outbound, errors()), own)


def websocket_policy(edge: Edge, route: Route) -> Document:
    """The policy of a WebSocket's handshake: who may, and how often; messages are seen by no policy."""
    auth = route.auth
    inbound: list[Policy] = [Base(), *_addresses(edge)]
    if auth is not None:
        inbound += authenticated(edge.authorizers[auth.authorizers[0]])
        inbound += authorized(edge, auth) if _needs_content(route) is not None else ()
    inbound += limit_policies(route, _bucket(route))
    return Document(tuple(inbound), on_error=errors())


def _caches(item: ApiOperation) -> bool:
    return item.method == "GET" and any(route.cache is not None for route in item.routes)


# -- names and contents of parts ---------------------------------------------------------------------------------------


def _auth_name(route: Route) -> str:
    return ANYBODY if route.auth is None else _by(route.auth.authorizers[0])


def _by(authorizer: str) -> str:
    """Told apart from `ANYBODY` whatever the authorizer is called."""
    return f"by {authorizer}"


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


def _limits_content(route: Route) -> object:
    throttle, quota = route.throttle, route.quota
    if throttle is None and quota is None:
        return None
    return (
        throttle and (_bucket(route), throttle.count, throttle.seconds, throttle.burst, throttle.per),
        quota and (quota.bucket, quota.limit, quota.period, quota.per, route.key if quota.per.kind == "route" else ""),
    )


def _bucket(route: Route) -> str:
    throttle = route.throttle
    if throttle is None:
        return ""
    return f"{throttle.bucket} {route.key}" if throttle.per.kind == "route" else throttle.bucket


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


def _by_key(route: Route, edge: Edge) -> bool:
    names = route.auth.authorizers if route.auth else ()
    return any(isinstance(edge.authorizers[name], ApiKeyAuthorizer) for name in names)


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
    )


def _forward_name(route: Route) -> str:
    return f"{seconds(route)}s" + (f" {route.retry.attempts} more" if route.retry else "")


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


def _addresses(edge: Edge) -> Iterator[Policy]:
    if edge.waf is not None and edge.waf.allow:
        yield IpFilter("allow", ranges(edge.waf.allow))
    if edge.waf is not None and edge.waf.deny:
        yield IpFilter("forbid", ranges(edge.waf.deny))
    if edge.waf is not None and edge.waf.rate_per_ip is not None:
        yield from address_limits(*edge.waf.rate_per_ip)


def _who_may(edge: Edge, routes: Sequence[Route]) -> Iterator[Policy]:
    yield Comment("Who may")
    names = sorted({name for route in routes if route.auth is not None for name in route.auth.authorizers})
    public = any(route.auth is None for route in routes)
    whens = [When(cs.is_("auth", ANYBODY), (), "nothing is asked")] if public else []
    whens += [When(cs.is_("auth", _by(name)), authenticated(edge.authorizers[name])) for name in names]
    unknown = (Comment("an operation that this policy does not know"), problem(404, "Not found"))
    yield Choose(tuple(whens), unknown)


def _what_that_needs(edge: Edge, table: _Table) -> Iterator[Policy]:
    whens = [
        When(cs.is_("needs", name), authorized(edge, route.auth), _needs_name(route))
        for name, route in table.samples.items()
        if route.auth is not None
    ]
    if whens:
        yield Choose(tuple(whens))


def _how_often(table: _Table) -> Iterator[Policy]:
    whens = [
        When(cs.is_("limits", name), limit_policies(route, _bucket(route)), _limits_name(route))
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
        yield SetHeader(USER, "override", (cs.key_product() if _by_key(route, edge) else cs.token_subject(),))
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


def _changed(table: _Table) -> Iterator[Policy]:
    whens: list[When] = []
    for name, route in table.samples.items():
        policies = tuple(_changes(route))
        if policies:
            whens.append(When(cs.is_("change", name), policies, route.key))
    if whens:
        yield Comment("What is changed, or answered at once")
        yield Choose(tuple(whens))


def _changes(route: Route) -> Iterator[Policy]:
    match route.action:
        case Respond(status=status, body=body, content_type=kind):
            yield ReturnResponse(status, "", (("Content-Type", cs.text(kind)),), cs.text(body))
            return
        case Redirect() as action:
            depth = len(route.path.segments) if action.keep_rest else None
            yield ReturnResponse(action.status, "", (("Location", cs.location(action.origin_url, action.path, depth)),))
            return
        case Forward():
            pass
    if route.rewrite is not None and route.rewrite.prefix is not None:
        yield RewriteUri(cs.below(route.rewrite.prefix.rstrip("/"), len(route.path.segments)))
    if route.rewrite is not None and route.rewrite.path is not None:
        yield RewriteUri(
            cs.filled_path([_piece(item.text, item.variable, route) for item in route.rewrite.path.segments])
        )
    if route.rewrite is not None and route.rewrite.host is not None:
        yield SetHeader("Host", "override", (cs.text(route.rewrite.host),))
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
        yield SetHeader(name, "delete")
    for name, value in set_:
        yield SetHeader(name, "override", (cs.text(value),))
    for name, value in add:
        yield SetHeader(name, "append", (cs.text(value),))


def _changed_answers(table: _Table) -> Iterator[Policy]:
    whens: list[When] = []
    for name, route in table.samples.items():
        change = route.response_headers
        policies = tuple(_headers(change.remove, change.set, change.add))
        if policies:
            whens.append(When(cs.is_("change", name), policies, route.key))
    if whens:
        yield Choose(tuple(whens))


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
        return ForwardRequest(seconds(route))
    condition = cs.tries_again(retry.on, retry.statuses, non_idempotent=retry.non_idempotent)
    interval = -(-retry.backoff // 1000)
    return Retry(condition, retry.attempts, interval, (ForwardRequest(seconds(route), buffered=True),))


def products(edge: Edge) -> dict[str, str]:
    """The id of the product that each authorizer of API keys has."""
    return {name: product_of(name) for name, item in edge.authorizers.items() if isinstance(item, ApiKeyAuthorizer)}
