"""Where an edge uses a field in a way that some topology does not carry as it stands; the rows of `capabilities` name these."""

from collections.abc import Callable, Iterator

from edgewright.aws.bindings import Bindings
from edgewright.aws.check_bindings import web_hosts
from edgewright.aws.compile_groups import PREFIX, kind_of
from edgewright.aws.compile_redirects import STATUSES, can_redirect, can_respond
from edgewright.aws.compile_rules import too_long
from edgewright.aws.compile_services import exposed, slashed
from edgewright.aws.compile_validation import unknown_words
from edgewright.aws.compile_websocket import fits
from edgewright.aws.rest_authorizers import is_cognito
from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Edge,
    Forward,
    IntrospectionAuthorizer,
    JwtAuthorizer,
    MtlsAuthorizer,
    OidcAuthorizer,
    Origin,
    Redirect,
    Respond,
    Route,
)

Use = tuple[tuple[str, ...], Origin]
"""Where a field is used: the routes that it is about, and the place."""

Uses = Callable[[Edge, Bindings], Iterator[Use]]


def routes_where(test: Callable[[Route, Edge], Origin | None]) -> Uses:
    """Uses of routes: all of one place together."""

    def uses(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
        found: dict[Origin, list[str]] = {}
        for route in edge.routes:
            origin = test(route, edge)
            if origin is not None:
                found.setdefault(origin, []).append(route.key)
        for origin, keys in found.items():
            yield tuple(keys), origin

    return uses


def jwts_where(test: Callable[[JwtAuthorizer], bool]) -> Uses:
    """Uses of JWT authorizers that routes name."""

    def uses(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
        for item in edge.authorizers.values():
            keys = _routes_of(edge, item.name)
            if isinstance(item, JwtAuthorizer) and keys and test(item):
                yield keys, item.origin

    return uses


def authorizers_of(kind: type) -> Uses:
    """Uses of authorizers of one kind."""

    def uses(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
        for item in edge.authorizers.values():
            if isinstance(item, kind):
                yield _routes_of(edge, item.name), item.origin

    return uses


def _routes_of(edge: Edge, authorizer: str) -> tuple[str, ...]:
    return tuple(route.key for route in edge.routes if route.auth and authorizer in route.auth.authorizers)


def _all(edge: Edge) -> Origin:
    return edge.listeners[0].origin if edge.listeners else edge.access_log.origin


# -- authorizers -------------------------------------------------------------------------------------------------------

oidc = authorizers_of(OidcAuthorizer)
introspection = authorizers_of(IntrospectionAuthorizer)
mtls = authorizers_of(MtlsAuthorizer)
api_keys = authorizers_of(ApiKeyAuthorizer)

inline_keys = jwts_where(lambda item: item.jwks is not None)
own_keys_url = jwts_where(lambda item: item.jwks_uri is not None)
plain_keys_url = jwts_where(lambda item: item.jwks_uri is not None and not item.jwks_uri.startswith("https://"))
beyond_rs256 = jwts_where(lambda item: set(item.algorithms) != {"RS256"})
beyond_rsa = jwts_where(lambda item: any(not name.startswith("RS") for name in item.algorithms))
not_bearer = jwts_where(
    lambda item: (
        (item.source.kind, item.source.name, item.source.prefix.strip().lower())
        != ("header", "authorization", "bearer")
    )
)
not_header_or_query = jwts_where(
    lambda item: (
        item.source.kind == "cookie"
        or (item.source.kind == "header" and item.source.prefix.strip().lower() not in ("", "bearer"))
    )
)
other_scope_claim = jwts_where(lambda item: item.scope_claim not in ("scope", "scp"))
other_audience_claim = jwts_where(lambda item: item.audience_claim == "azp")
several_audiences = jwts_where(lambda item: len(item.audiences) > 1)
one_audience = jwts_where(lambda item: len(item.audiences) == 1)
long_issuer = jwts_where(lambda item: len(item.issuer) > 256 or not item.issuer.startswith("https://"))
skew = jwts_where(lambda item: item.clock_skew != 30_000)


def cognito_pool(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Authorizers that Cognito's own authorizer carries."""
    for item in edge.authorizers.values():
        if isinstance(item, JwtAuthorizer) and bindings.user_pool(item.name) is not None and is_cognito(item.issuer):
            yield _routes_of(edge, item.name), item.origin


own_refresh = jwts_where(lambda item: item.jwks is None and item.jwks_refresh != 300_000)
other_rsa = jwts_where(
    lambda item: (
        all(name.startswith("RS") for name in item.algorithms) and set(item.algorithms) != {"RS256", "RS384", "RS512"}
    )
)


def key_elsewhere(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """API keys that are not in the header ``x-api-key``."""
    for item in edge.authorizers.values():
        if isinstance(item, ApiKeyAuthorizer) and (item.source.kind, item.source.name, item.source.prefix) != (
            "header",
            "x-api-key",
            "",
        ):
            yield _routes_of(edge, item.name), item.origin


def subjects(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Client certificates of certain names."""
    for item in edge.authorizers.values():
        if isinstance(item, MtlsAuthorizer) and item.subjects:
            yield _routes_of(edge, item.name), item.origin


mixed = routes_where(
    lambda route, edge: (
        route.auth.origin
        if route.auth and len(route.auth.authorizers) > 1 and kind_of(edge, route.auth) == "other"
        else None
    )
)
several = routes_where(
    lambda route, edge: route.auth.origin if route.auth and len(route.auth.authorizers) > 1 else None
)
several_scopes = routes_where(
    lambda route, edge: route.auth.origin if route.auth and len(route.auth.scopes) > 1 else None
)
any_of_scopes = routes_where(
    lambda route, edge: route.auth.origin if route.auth and len(route.auth.any_scope) > 1 else None
)
both_scopes = routes_where(
    lambda route, edge: route.auth.origin if route.auth and route.auth.scopes and route.auth.any_scope else None
)
claims = routes_where(lambda route, edge: route.auth.origin if route.auth and route.auth.claims else None)
forbidden = routes_where(
    lambda route, edge: (
        route.auth.origin if route.auth and (route.auth.scopes or route.auth.any_scope or route.auth.claims) else None
    )
)


def too_many_claims(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """More claims or values than a balancer's rule takes, or names that it refuses."""
    for route in edge.routes:
        auth = route.auth
        if auth is None or kind_of(edge, auth) != "jwt":
            continue
        count = 1 + bool(auth.scopes or auth.any_scope) + len(auth.claims)
        values = [len(auth.scopes or auth.any_scope), *(len(item) for _, item in auth.claims)]
        if count > 10 or max(values) > 10 or any(name in ("exp", "iss", "nbf", "iat") for name, _ in auth.claims):
            yield (route.key,), auth.origin


# -- listeners and backends --------------------------------------------------------------------------------------------


def client_ca(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Listeners that ask for client certificates."""
    for item in edge.listeners:
        if item.web and item.tls is not None and item.tls.client_ca:
            yield (), item.origin


def asked_for_nothing(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Routes that ask for no certificate, at a listener that asks every connection for one."""
    for item in edge.listeners:
        if item.web and item.tls is not None and item.tls.client_ca:
            keys = tuple(
                route.key
                for route in edge.routes
                if item.name in route.listeners and not (route.auth and kind_of(edge, route.auth) == "mtls")
            )
            if keys:
                yield keys, item.origin


def stream_client_ca(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """tls listeners that ask for client certificates."""
    for item in edge.listeners:
        if not item.web and item.tls is not None and item.tls.client_ca:
            yield (), item.origin


def tls13(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Listeners that want TLS 1.3."""
    for item in edge.listeners:
        if item.web and item.tls is not None and item.tls.min_version == "1.3":
            yield (), item.origin


def other_port(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Web listeners that are not https on 443."""
    for item in edge.listeners:
        if item.web and (item.protocol != "https" or item.port != 443):
            yield (), item.origin


def plain_listener(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """http listeners that carry routes with a token or login."""
    for item in edge.listeners:
        if item.protocol == "http":
            keys = tuple(route.key for route in edge.routes if item.name in route.listeners and route.auth)
            if keys:
                yield keys, item.origin


def redirect_http(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Listeners that redirect from port 80."""
    for item in edge.listeners:
        if item.redirect_http:
            yield (), item.origin


def several_listeners(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Edges with more than one web listener."""
    web = [item for item in edge.listeners if item.web]
    if len(web) > 1:
        yield (), web[1].origin


def several_hosts(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Edges that answer for more than one name, or for any of a domain."""
    for item in edge.listeners:
        if item.web and (len(item.hosts) > 1 or any(name.startswith("*.") for name in item.hosts)):
            yield (), item.origin


def no_host(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Edges without a name."""
    for item in edge.listeners:
        if item.web and not item.hosts:
            yield (), item.origin


def shared_hosts(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Names of tcp, tls and udp listeners that are names of web listeners too."""
    for item in edge.listeners:
        if not item.web and set(item.hosts) & set(web_hosts(edge)):
            yield (), item.origin


def some_listeners(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Routes that are for some of the listeners only."""
    web = {item.name for item in edge.listeners if item.web}
    for route in edge.routes:
        if set(route.listeners) != web:
            yield (route.key,), route.origin


def h2c(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Backends that speak HTTP/2 only."""
    for item in edge.backends.values():
        if item.protocol in ("h2c", "grpc"):
            keys = tuple(
                route.key
                for route in edge.routes
                if isinstance(route.action, Forward) and item.name in dict(route.action.targets)
            )
            if keys:
                yield keys, item.origin


def checks_out_of_bounds(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Health checks that AWS rounds."""
    for item in edge.backends.values():
        check = item.health_check
        if check is None:
            continue
        rounded = not 5000 <= check.interval <= 300_000 or check.interval % 1000 or not 2000 <= check.timeout <= 120_000
        if (
            rounded
            or check.timeout % 1000
            or min(check.healthy_threshold, check.unhealthy_threshold) < 2
            or check.timeout >= check.interval
        ):
            yield (), check.origin


def checks_by_connection(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Backends of routes that are checked by a connection only, or not at all."""
    for item in edge.backends.values():
        web = item.protocol not in ("tcp", "udp")
        if web and (item.health_check is None or item.health_check.path is None):
            yield (), item.health_check.origin if item.health_check else item.origin


def checked_streams(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Health checks of backends of tcp, tls and udp listeners."""
    for item in edge.listeners:
        check = edge.backends[item.backend].health_check if item.backend is not None else None
        if check is not None:
            yield (), check.origin


def checked_udp(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Backends of udp listeners."""
    for item in edge.listeners:
        if item.protocol == "udp" and item.backend is not None:
            yield (), edge.backends[item.backend].origin


def odd_statuses(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Health checks that expect statuses outside 200 to 499."""
    for item in edge.backends.values():
        check = item.health_check
        if check is not None and any(low < 200 or high > 499 for low, high in check.statuses):
            yield (), check.origin


def breakers(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Circuit breakers."""
    for item in edge.backends.values():
        if item.circuit_breaker is not None:
            yield (), item.circuit_breaker.origin


# -- routes ------------------------------------------------------------------------------------------------------------

websockets = routes_where(lambda route, edge: route.origin if route.websocket else None)
websocket_paths = routes_where(lambda route, edge: route.origin if route.websocket and not fits(route) else None)
websocket_weights = routes_where(
    lambda route, edge: (
        route.origin
        if route.websocket and isinstance(route.action, Forward) and len(route.action.targets) > 1
        else None
    )
)
websocket_keys = routes_where(
    lambda route, edge: (
        route.auth.origin if route.websocket and route.auth and kind_of(edge, route.auth) in ("key", "mtls") else None
    )
)
websocket_keys_alone = routes_where(
    lambda route, edge: (
        route.auth.origin if route.websocket and route.auth and kind_of(edge, route.auth) == "key" else None
    )
)
websocket_throttles = routes_where(
    lambda route, edge: (
        route.throttle.origin if route.websocket and route.throttle and route.throttle.per.kind == "route" else None
    )
)
websocket_other_throttles = routes_where(
    lambda route, edge: (
        route.throttle.origin if route.websocket and route.throttle and route.throttle.per.kind != "route" else None
    )
)
websocket_headers = routes_where(lambda route, edge: route.origin if route.websocket and (_changed(route)) else None)


def _changed(route: Route) -> bool:
    changes = (route.request_headers, route.response_headers)
    return any(item.set or item.add or item.remove for item in changes)


def _with_websockets(edge: Edge) -> tuple[str, ...]:
    return tuple(route.key for route in edge.routes if route.websocket)


def websocket_client_ca(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Client certificates that a listener asks for, where there is a WebSocket."""
    for item in edge.listeners:
        if item.web and item.tls is not None and item.tls.client_ca is not None and _with_websockets(edge):
            yield _with_websockets(edge), item.origin


def websocket_waf(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """A web application firewall, where there is a WebSocket."""
    if edge.waf is not None and _with_websockets(edge):
        yield _with_websockets(edge), edge.waf.origin


def websocket_lists(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Address lists, where there is a WebSocket."""
    if edge.waf is not None and (edge.waf.allow or edge.waf.deny) and _with_websockets(edge):
        yield _with_websockets(edge), edge.waf.origin


_IDLE = 300_000
"""Milliseconds of an idle stream where a spec says nothing."""

retries = routes_where(lambda route, edge: route.retry.origin if route.retry else None)
cached = routes_where(lambda route, edge: route.cache.origin if route.cache else None)
cached_by_all = routes_where(
    lambda route, edge: route.cache.origin if route.cache and "*" in route.cache.query else None
)
cached_long = routes_where(
    lambda route, edge: (
        route.cache.origin if route.cache and (route.cache.ttl > 3_600_000 or route.cache.ttl % 1000) else None
    )
)
cached_head = routes_where(
    lambda route, edge: (
        route.cache.origin if route.cache and (route.methods is None or "HEAD" in route.methods) else None
    )
)
cached_per_user = routes_where(
    lambda route, edge: route.cache.origin if route.cache and route.cache.share == "per_user" else None
)
cached_cookie = routes_where(
    lambda route, edge: (
        route.cache.origin
        if route.cache
        and route.cache.share == "per_user"
        and route.auth
        and any(
            getattr(getattr(edge.authorizers[name], "source", None), "kind", "") == "cookie"
            for name in route.auth.authorizers
        )
        else None
    )
)
matched = routes_where(lambda route, edge: route.origin if route.headers or route.query else None)
matched_exactly = routes_where(
    lambda route, edge: (
        route.origin
        if any(
            item.kind == "exact" and item.value.upper() != item.value.lower() for item in (*route.headers, *route.query)
        )
        else None
    )
)
matched_by_prefix = routes_where(
    lambda route, edge: (
        route.origin
        if any(
            item.kind == "prefix" and item.value.upper() != item.value.lower()
            for item in (*route.headers, *route.query)
        )
        else None
    )
)
matched_regex_query = routes_where(
    lambda route, edge: route.origin if any(item.kind == "regex" for item in route.query) else None
)
matched_absent = routes_where(
    lambda route, edge: (
        route.origin
        if any(item.kind == "present" and item.value == "false" for item in (*route.headers, *route.query))
        else None
    )
)
matched_too_long = routes_where(
    lambda route, edge: route.origin if any(len(item.value) > 128 for item in (*route.headers, *route.query)) else None
)
matched_too_often = routes_where(
    lambda route, edge: route.origin if len(route.headers) + len(route.query) > 3 else None
)
long_paths = routes_where(lambda route, edge: route.origin if too_long(route.path) else None)
reserved_paths = routes_where(
    lambda route, edge: route.origin if route.path.segments and route.path.segments[0].text.startswith(PREFIX) else None
)
odd_paths = routes_where(
    lambda route, edge: (
        route.origin
        if not route.websocket
        and any(not item.variable and not set(item.text) <= _API_CHARACTERS for item in route.path.segments)
        else None
    )
)
pings = routes_where(
    lambda route, edge: (
        route.origin if len(route.path.segments) == 1 and route.path.segments[0].text in ("ping", "sping") else None
    )
)
validated = routes_where(lambda route, edge: route.validation.origin if route.validation else None)
validated_by_nothing = routes_where(
    lambda route, edge: route.validation.origin if route.validation and route.validation.operation is None else None
)
validated_beyond = routes_where(
    lambda route, edge: route.validation.origin if route.validation and unknown_words(route.validation) else None
)
timeouts_over_29 = routes_where(
    lambda route, edge: route.timeout.origin if not route.websocket and route.timeout.request > 29_000 else None
)
timeouts_over_30 = routes_where(
    lambda route, edge: route.timeout.origin if not route.websocket and route.timeout.request > 30_000 else None
)
timeouts_written = routes_where(
    lambda route, edge: (
        route.timeout.origin
        if not route.websocket and route.timeout.origin.place.line and route.timeout.request != 60_000
        else None
    )
)
idle_over_10m = routes_where(
    lambda route, edge: route.timeout.origin if route.websocket and route.timeout.idle > 600_000 else None
)
idle_under_10m = routes_where(
    lambda route, edge: (
        route.timeout.origin
        if route.websocket and route.timeout.idle < 600_000 and route.timeout.idle != _IDLE
        else None
    )
)
idle_shared = routes_where(
    lambda route, edge: (
        route.timeout.origin
        if route.websocket and route.timeout.idle < max(one.timeout.idle for one in edge.routes if one.websocket)
        else None
    )
)
idle_elsewhere = routes_where(
    lambda route, edge: (
        route.timeout.origin
        if not route.websocket and isinstance(route.action, Forward) and route.timeout.idle != _IDLE
        else None
    )
)
backend_timeouts = routes_where(lambda route, edge: route.timeout.origin if route.timeout.backend is not None else None)
prefix_rewrites = routes_where(lambda route, edge: route.rewrite.origin if route.rewrite else None)
request_changes = routes_where(
    lambda route, edge: (
        route.origin if route.request_headers.remove or route.request_headers.set or route.request_headers.add else None
    )
)
request_removals = routes_where(lambda route, edge: route.origin if route.request_headers.remove else None)
request_additions = routes_where(lambda route, edge: route.origin if route.request_headers.add else None)
response_changes = routes_where(
    lambda route, edge: (
        route.origin
        if route.response_headers.remove or route.response_headers.set or route.response_headers.add
        else None
    )
)
reserved_headers = routes_where(
    lambda route, edge: route.origin if any(_reserved(name) for name, _ in _written(route)) else None
)
redirects_elsewhere = routes_where(
    lambda route, edge: route.origin if isinstance(route.action, Redirect) and not can_redirect(route) else None
)
redirects_308 = routes_where(
    lambda route, edge: (
        route.origin
        if isinstance(route.action, Redirect) and STATUSES[route.action.status] != f"HTTP_{route.action.status}"
        else None
    )
)
charsets = routes_where(
    lambda route, edge: route.origin if isinstance(route.action, Respond) and ";" in route.action.content_type else None
)
crossing_own_answers = routes_where(
    lambda route, edge: route.cors.origin if route.cors and not isinstance(route.action, Forward) else None
)
crossing_options = routes_where(
    lambda route, edge: (
        route.cors.origin if route.cors and not route.websocket and "OPTIONS" in (route.methods or ()) else None
    )
)
odd_answers = routes_where(
    lambda route, edge: route.origin if isinstance(route.action, Respond) and can_respond(route.action) else None
)
odd_header_names = routes_where(
    lambda route, edge: route.origin if any(_odd_name(name) for name, _ in _written(route)) else None
)
mapped_values = routes_where(
    lambda route, edge: route.origin if any("$" in value for _, value in _written(route)) or _dollars(route) else None
)
quoted_values = routes_where(
    lambda route, edge: (
        route.origin
        if any("'" in value or "\\" in value for _, value in (*route.request_headers.set, *route.request_headers.add))
        else None
    )
)
crossing_long = routes_where(
    lambda route, edge: route.cors.origin if route.cors and route.cors.max_age > 86_400_000 else None
)
crossing = routes_where(lambda route, edge: route.cors.origin if route.cors else None)
fine_weights = routes_where(
    lambda route, edge: route.origin if isinstance(route.action, Forward) and len(route.action.targets) > 5 else None
)

_API_CHARACTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:")


def _written(route: Route) -> list[tuple[str, str]]:
    """Headers that a route sets, adds or removes, with their values."""
    found: list[tuple[str, str]] = []
    for change in (route.request_headers, route.response_headers):
        found += [*change.set, *change.add, *((name, "") for name in change.remove)]
    return found


def _odd_name(name: str) -> bool:
    return not set(name.lower()) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")


def _dollars(route: Route) -> bool:
    """Whether a rewritten path has a sign that a parameter mapping reads as an expression."""
    rewrite = route.rewrite
    texts = [rewrite.prefix or "", str(rewrite.path or "")] if rewrite is not None else []
    return any("$" in text for text in texts)


def _reserved(name: str) -> bool:
    name = name.lower()
    return name in ("authorization", "forwarded", "origin", "via", "host") or name.startswith(
        ("x-forwarded-", "x-amzn-", "x-amz-", "apigw-", "access-control-")
    )


def crossing_unlike(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Routes where not all have the same CORS: those without it get it too."""
    found = {_cors(route) for route in edge.routes if not route.websocket}
    if len(found) > 1:
        for route in edge.routes:
            if route.cors:
                yield (route.key,), route.cors.origin
            elif not route.websocket:
                yield (route.key,), route.origin


def crossing_several_origins(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """CORS for several origins, or unlike between routes: static headers of a listener cannot say it."""
    found = {_cors(route) for route in edge.routes if not route.websocket}
    for route in edge.routes:
        if route.cors and (
            len(found) > 1 or len(route.cors.origins) > 1 or (route.cors.credentials and route.cors.origins == ("*",))
        ):
            yield (route.key,), route.cors.origin


def _cors(route: Route) -> object:
    item = route.cors
    return item and (
        item.origins,
        item.methods,
        item.allow_headers,
        item.expose_headers,
        item.credentials,
        item.max_age,
    )


def throttled(*kinds: str) -> Uses:
    """Routes that are throttled by any of these."""
    return routes_where(
        lambda route, edge: (
            route.throttle.origin
            if route.throttle and counted_by(route, edge, route.throttle.per.kind) in kinds
            else None
        )
    )


def quotas(*kinds: str) -> Uses:
    """Routes with a quota that is counted by any of these."""
    return routes_where(
        lambda route, edge: (
            route.quota.origin if route.quota and counted_by(route, edge, route.quota.per.kind) in kinds else None
        )
    )


def counted_by(route: Route, edge: Edge, kind: str) -> str:
    """Whom a limit of a route counts in the end: ``key``, ``token``, ``ip``, ``header`` or ``route``."""
    if kind in ("ip", "route", "header"):
        return kind
    auth = kind_of(edge, route.auth) if route.auth else "public"
    if auth == "key" and kind in ("client", "api_key"):
        return "key"
    if auth in ("jwt", "oidc") and kind in ("client", "subject"):
        return "token"
    return "ip"


def exposed_routes(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Routes whose service also serves paths that ask for less."""
    for route in exposed(edge.routes):
        yield (route.key,), route.origin


def trailing_slashes(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Routes whose path with a slash behind it asks for less."""
    for route in slashed(edge.routes):
        yield (route.key,), route.origin


hourly = routes_where(lambda route, edge: route.quota.origin if route.quota and route.quota.period == "hour" else None)


def unlike_quotas(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Routes of one key authorizer with several quotas: a plan has one."""
    for item in edge.authorizers.values():
        if isinstance(item, ApiKeyAuthorizer):
            routes = [route for route in edge.routes if route.auth and item.name in route.auth.authorizers]
            found = {
                (route.quota.bucket, route.quota.limit, route.quota.period) if route.quota else None for route in routes
            }
            if len(found) > 1:
                first = next(route.quota for route in routes if route.quota)
                yield tuple(route.key for route in routes), first.origin


def several_key_authorizers(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Routes with several API key authorizers in one API: its keys are one space."""
    used = [
        item for item in edge.authorizers.values() if isinstance(item, ApiKeyAuthorizer) and _routes_of(edge, item.name)
    ]
    if len(used) > 1:
        yield tuple(key for item in used for key in _routes_of(edge, item.name)), used[1].origin


# -- the edge as a whole -----------------------------------------------------------------------------------------------


def nothing_for_the_api(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Edges whose routes are WebSockets, redirects and answers alone."""
    if edge.routes and not any(isinstance(route.action, Forward) and not route.websocket for route in edge.routes):
        yield tuple(route.key for route in edge.routes), edge.routes[0].origin


def waf(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """A web application firewall."""
    if edge.waf is not None:
        yield (), edge.waf.origin


def waf_rate(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """A rate for each address."""
    if edge.waf is not None and edge.waf.rate_per_ip is not None:
        yield (), edge.waf.origin


def compression(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Compression."""
    if edge.compression is not None:
        yield (), edge.compression.origin


def advanced(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Advanced protection against floods that the account has not."""
    if edge.ddos == "advanced" and not _bindings.data.shield_subscribed:
        yield (), _all(edge)


def advanced_at_all(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Advanced protection against floods."""
    if edge.ddos == "advanced":
        yield (), _all(edge)


def advanced_streams(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Advanced protection against floods, with a tcp, tls or udp listener."""
    for item in edge.listeners:
        if edge.ddos == "advanced" and not item.web:
            yield (), item.origin


def watched_for_nothing(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """An alarm on what is throttled, where nothing is."""
    rated = edge.waf is not None and edge.waf.rate_per_ip is not None
    counted = rated or any(route.throttle for route in edge.routes)
    if edge.monitor is not None and edge.monitor.throttled is not None and not counted:
        yield (), edge.monitor.origin


def log_fields(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Chosen fields of the access log."""
    if edge.access_log.fields:
        yield (), edge.access_log.origin


def sampled(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """A sampled access log."""
    if edge.access_log.sample < 1:
        yield (), edge.access_log.origin


def streams(edge: Edge, _bindings: Bindings) -> Iterator[Use]:
    """Address lists beside a tcp, tls or udp listener, which a web ACL does not see."""
    if edge.waf is not None and (edge.waf.allow or edge.waf.deny):
        for item in edge.listeners:
            if not item.web:
                yield (), item.origin
