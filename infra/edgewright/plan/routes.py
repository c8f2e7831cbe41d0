"""Each route of an edge with its effective settings and where each comes from; the same for every target."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Auth,
    Authorizer,
    Cache,
    Edge,
    Finding,
    Forward,
    IntrospectionAuthorizer,
    JwtAuthorizer,
    Key,
    MtlsAuthorizer,
    OidcAuthorizer,
    Origin,
    Redirect,
    Route,
)
from edgewright.plan.model import Note, PlannedRoute, Setting

_BUILT_IN = "built in"

CHECKS: Mapping[type[Authorizer], str] = {
    JwtAuthorizer: "JWT",
    ApiKeyAuthorizer: "API key",
    OidcAuthorizer: "login",
    IntrospectionAuthorizer: "token",
    MtlsAuthorizer: "client certificate",
}
"""What an authorizer checks, in a word: a route has its JWT check, or loses it."""


def planned_routes(edge: Edge, carried: Mapping[str, Sequence[tuple[str, str]]]) -> tuple[PlannedRoute, ...]:
    """Public routes first, then in the order in which they are tried. carried: by route, what carries it."""
    found = [
        PlannedRoute(
            route.key,
            route.auth is None,
            _settings(route),
            tuple(carried.get(route.key, ())),
            _checks(edge, route),
            _takes(edge, route),
        )
        for route in edge.routes
    ]
    return tuple(sorted(found, key=lambda item: not item.public))


def _checks(edge: Edge, route: Route) -> tuple[str, ...]:
    """What is checked, in the order of its authorizers."""
    names = route.auth.authorizers if route.auth is not None else ()
    return tuple(dict.fromkeys(CHECKS[type(edge.authorizers[name])] for name in names))


def _takes(edge: Edge, route: Route) -> tuple[str, ...]:
    """What its authorizers accept: one text for each thing of which another may be accepted without it."""
    names = route.auth.authorizers if route.auth is not None else ()
    bundles = (listener.tls.client_ca for listener in edge.listeners if listener.tls is not None)
    authority = next((bundle for bundle in bundles if bundle is not None), "the authority")
    return tuple(dict.fromkeys(text for name in names for text in _accepted(edge.authorizers[name], authority)))


def _accepted(authorizer: Authorizer, authority: str) -> Iterator[str]:
    match authorizer:
        case JwtAuthorizer():
            how = f", {' or '.join(authorizer.algorithms)}"
            if authorizer.jwks_uri is not None:
                how += f", keys at {authorizer.jwks_uri}"
            if authorizer.jwks is not None:
                how += f", keys {hashlib.sha256(authorizer.jwks.encode()).hexdigest()[:12]}"
            claim = "" if authorizer.audience_claim == "aud" else f" ({authorizer.audience_claim})"
            for audience in authorizer.audiences or ("anybody",):
                yield f"JWTs of {authorizer.issuer} for {audience}{claim}{how}"
        case ApiKeyAuthorizer():
            yield from (f"the API key of {client}" for client in authorizer.clients)
        case OidcAuthorizer():
            yield f"logins at {authorizer.issuer} as {authorizer.client}"
        case IntrospectionAuthorizer():
            yield f"tokens that {authorizer.endpoint} accepts"
        case MtlsAuthorizer():
            for subject in authorizer.subjects or ("anybody",):
                yield f"certificates for {subject} by {authority}"


def notes(findings: Sequence[Finding]) -> tuple[Note, ...]:
    """Findings as a plan shows them."""
    return tuple(
        Note(
            item.level,
            item.field,
            item.routes,
            item.reason,
            item.carried_by,
            str(item.place) if item.place.line else "",
        )
        for item in findings
    )


def _settings(route: Route) -> dict[str, Setting]:
    found = {"auth": _auth(route), "to": Setting(_action(route), route.origin.text)}
    if route.headers or route.query:
        found["match"] = Setting(_match(route), route.origin.text)
    if route.rewrite is not None:
        words = [f"host {route.rewrite.host}"] if route.rewrite.host else []
        words += (
            [f"path {route.rewrite.prefix or route.rewrite.path}"] if route.rewrite.prefix or route.rewrite.path else []
        )
        found["rewrite"] = Setting(", ".join(words), route.rewrite.origin.text)
    if (throttle := route.throttle) is not None:
        text = f"{_rate(throttle.count, throttle.seconds)}, burst {throttle.burst}, per {_per(throttle.per)}"
        found["throttle"] = Setting(text, throttle.origin.text)
    if (quota := route.quota) is not None:
        found["quota"] = Setting(f"{quota.limit:,} a {quota.period}, per {_per(quota.per)}", quota.origin.text)
    if route.cache is not None:
        found["cache"] = Setting(_cache(route.cache), route.cache.origin.text)
    if (cors := route.cors) is not None:
        found["cors"] = Setting(
            ", ".join(cors.origins) + (" with credentials" if cors.credentials else ""), cors.origin.text
        )
    if (retry := route.retry) is not None:
        found["retry"] = Setting(
            f"{retry.attempts} more on {', '.join((*retry.on, *map(str, retry.statuses)))}", retry.origin.text
        )
    found["timeout"] = Setting(_timeout(route), route.timeout.origin.text)
    changed = [
        *route.request_headers.remove,
        *(name for name, _ in (*route.request_headers.set, *route.request_headers.add)),
    ]
    changed += [
        *route.response_headers.remove,
        *(name for name, _ in (*route.response_headers.set, *route.response_headers.add)),
    ]
    if changed:
        found["headers"] = Setting(", ".join(dict.fromkeys(changed)), route.origin.text)
    return found


def _auth(route: Route) -> Setting:
    if route.auth is None:
        because = route.public_because
        return Setting("none: anybody may", _text(because))
    return Setting(auth_text(route.auth), route.auth.origin.text)


def auth_text(auth: Auth) -> str:
    """``main with orders.read``: who may, in words."""
    words = [" or ".join(auth.authorizers)]
    words += ["with " + " and ".join(auth.scopes)] if auth.scopes else []
    words += ["with one of " + ", ".join(auth.any_scope)] if auth.any_scope else []
    words += [f"where {name} is {' or '.join(values)}" for name, values in auth.claims]
    return " ".join(words)


def _action(route: Route) -> str:
    action = route.action
    if isinstance(action, Forward):
        return ", ".join(name if weight == 100 else f"{name} {weight} %" for name, weight in action.targets)
    if isinstance(action, Redirect):
        return f"{action.status} {action.origin_url}{action.path or ''}" + ("/*" if action.keep_rest else "")
    return f"answers {action.status}"


def _match(route: Route) -> str:
    words = [f"header {item.name} {item.kind} {item.value}" for item in route.headers]
    return ", ".join(words + [f"query {item.name} {item.kind} {item.value}" for item in route.query])


def _rate(count: int, seconds: int) -> str:
    names = {1: "s", 60: "min", 3600: "h"}
    return f"{count}/{names.get(seconds, f'{seconds}s')}"


def _per(key: Key) -> str:
    return f"client ({', else '.join(key.order)})" if key.kind == "client" else str(key)


def _cache(cache: Cache) -> str:
    words = [f"{cache.ttl / 1000:g}s"]
    words += [f"by {', '.join((*cache.query, *cache.headers))}"] if cache.query or cache.headers else []
    words += ["for each user"] if cache.share == "per_user" else []
    return " ".join(words)


def _timeout(route: Route) -> str:
    if route.websocket:
        return f"idle {route.timeout.idle / 1000:g}s"
    text = f"{route.timeout.request / 1000:g}s"
    return text + (f", a try {route.timeout.backend / 1000:g}s" if route.timeout.backend else "")


def _text(origin: Origin | None) -> str:
    return origin.text if origin is not None else _BUILT_IN
