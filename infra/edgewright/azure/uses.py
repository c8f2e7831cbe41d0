"""Where an edge uses a field in a way that Azure does not carry as it stands; the rows of `capabilities` name these."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from edgewright.azure.bindings import Bindings, pooled
from edgewright.azure.compile_authorizers import ALGORITHMS, entra_tenant, introspections, rsa_keys, scheme_of
from edgewright.azure.compile_limits import is_exact, lasting
from edgewright.azure.compile_operations import operations
from edgewright.azure.compile_policy import STAYS, streamed
from edgewright.azure.compile_validation import BODILESS, checked_operation, parameters, unknown_words
from edgewright.azure.expressions import is_plain
from edgewright.azure.regular_expressions import PatternError, to_net
from edgewright.clouds.capability_table import Use
from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Backend,
    Edge,
    Forward,
    IntrospectionAuthorizer,
    JwtAuthorizer,
    Listener,
    MtlsAuthorizer,
    OidcAuthorizer,
    Origin,
    Route,
)
from edgewright.edge.resolve_routes import IDLE_TIMEOUT

Uses = Callable[[Edge, Bindings], Iterator[Use]]


def routes_where(test: Callable[[Route, Edge], Origin | None]) -> Uses:
    """Uses of routes: all of one place together."""

    def uses(edge: Edge, bindings: Bindings) -> Iterator[Use]:
        found: dict[Origin, list[str]] = {}
        for route in edge.routes:
            origin = test(route, edge)
            if origin is not None:
                found.setdefault(origin, []).append(route.key)
        for origin, keys in found.items():
            yield tuple(keys), origin

    return uses


def _routes_of(edge: Edge, authorizer: str) -> tuple[str, ...]:
    return tuple(route.key for route in edge.routes if route.auth and authorizer in route.auth.authorizers)


def authorizers_of(kind: type) -> Uses:
    """Uses of authorizers of one kind."""

    def uses(edge: Edge, bindings: Bindings) -> Iterator[Use]:
        for item in edge.authorizers.values():
            if isinstance(item, kind):
                yield _routes_of(edge, item.name), item.origin

    return uses


def jwts_where(test: Callable[[JwtAuthorizer], bool]) -> Uses:
    """Uses of JWT authorizers that routes name."""

    def uses(edge: Edge, bindings: Bindings) -> Iterator[Use]:
        for item in edge.authorizers.values():
            keys = _routes_of(edge, item.name)
            if isinstance(item, JwtAuthorizer) and keys and test(item):
                yield keys, item.origin

    return uses


def introspections_where(test: Callable[[IntrospectionAuthorizer], bool]) -> Uses:
    """Uses of authorizers of opaque tokens that routes name."""

    def uses(edge: Edge, bindings: Bindings) -> Iterator[Use]:
        for item in introspections(edge):
            if test(item):
                yield _routes_of(edge, item.name), item.origin

    return uses


def listeners_where(test: Callable[[Listener], bool]) -> Uses:
    """Uses of listeners."""

    def uses(edge: Edge, bindings: Bindings) -> Iterator[Use]:
        for item in edge.listeners:
            if test(item):
                yield (), item.origin

    return uses


def backends_where(test: Callable[[Backend], bool]) -> Uses:
    """Uses of backends."""

    def uses(edge: Edge, bindings: Bindings) -> Iterator[Use]:
        for item in edge.backends.values():
            if test(item):
                yield _to(edge, item.name), item.origin

    return uses


def _to(edge: Edge, backend: str) -> tuple[str, ...]:
    return tuple(
        route.key
        for route in edge.routes
        if isinstance(route.action, Forward) and any(name == backend for name, _ in route.action.targets)
    )


# -- authorizers -------------------------------------------------------------------------------------------------------

oidc = authorizers_of(OidcAuthorizer)
introspection_by_http = introspections_where(lambda item: not item.endpoint.startswith("https://"))
introspection_in_parts = introspections_where(lambda item: item.cache % 1000 > 0)
mtls = authorizers_of(MtlsAuthorizer)

own_keys_url = jwts_where(lambda item: item.jwks_uri is not None and entra_tenant(item.issuer) is None)
inline_keys_beyond_rsa = jwts_where(
    lambda item: item.jwks is not None and any(not one.startswith(("RS", "PS")) for one in item.algorithms)
)
other_algorithms = jwts_where(lambda item: not set(item.algorithms) <= set(ALGORITHMS))
plain_issuer = jwts_where(lambda item: item.jwks is None and not item.issuer.startswith("https://"))
own_refresh = jwts_where(lambda item: item.jwks is None and item.jwks_refresh != 300_000)
from_a_cookie = jwts_where(lambda item: item.source.kind == "cookie")
schemes_elsewhere = jwts_where(
    lambda item: item.source.kind == "header" and item.source.name != "authorization" and bool(scheme_of(item))
)
entra_elsewhere = jwts_where(
    lambda item: (
        entra_tenant(item.issuer) is not None
        and (
            (item.source.kind, item.source.name, scheme_of(item).lower()) != ("header", "authorization", "bearer")
            or item.audience_claim != "aud"
            or item.jwks is not None
        )
    )
)


def _texts(item: JwtAuthorizer) -> Iterator[str]:
    """What stands in attributes and elements that take no expression."""
    yield from (item.issuer, *item.audiences, item.source.name, scheme_of(item))
    for key in rsa_keys(item):
        yield from key


odd_texts = jwts_where(lambda item: not all(map(is_plain, _texts(item))))


def keys_in_two_places(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """API keys that are sent in more ways than the API's two names."""
    found = [item for item in edge.authorizers.values() if isinstance(item, ApiKeyAuthorizer)]
    for kind in ("header", "query"):
        names = {item.source.name for item in found if item.source.kind == kind}
        if len(names) > 1:
            for item in found:
                yield _routes_of(edge, item.name), item.origin


def keys_with_prefix(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """API keys in a cookie, or behind a prefix."""
    for item in edge.authorizers.values():
        if isinstance(item, ApiKeyAuthorizer) and (item.source.kind == "cookie" or item.source.prefix):
            yield _routes_of(edge, item.name), item.origin


several = routes_where(
    lambda route, edge: route.auth.origin if route.auth and len(route.auth.authorizers) > 1 else None
)

# -- listeners and backends --------------------------------------------------------------------------------------------

plain_http = listeners_where(lambda item: item.protocol == "http")
redirected = listeners_where(lambda item: item.redirect_http)
other_ports = listeners_where(lambda item: item.protocol == "https" and item.port != 443)


def other_ports_on_kubernetes(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Ports that the gateways' Service would have to open."""
    if bindings.on_kubernetes:
        yield from other_ports(edge, bindings)


tls_13 = listeners_where(lambda item: item.web and item.tls is not None and item.tls.min_version == "1.3")
client_ca = listeners_where(lambda item: item.tls is not None and item.tls.client_ca is not None)
wildcard_hosts = listeners_where(lambda item: any(host.startswith("*.") for host in item.hosts))
nameless = listeners_where(lambda item: item.web and not item.hosts)
ended_streams = listeners_where(
    lambda item: item.protocol == "tls" and not (item.tls is not None and item.tls.passthrough)
)
datagrams = listeners_where(lambda item: item.protocol == "udp")


def several_listeners(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Web listeners beyond the first."""
    web = [item for item in edge.listeners if item.web]
    for item in web[1:]:
        yield tuple(route.key for route in edge.routes if item.name in route.listeners), item.origin


def https_behind(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Backends behind the services' balancer that are asked by HTTPS."""
    for name in pooled(edge, bindings):
        if edge.backends[name].protocol == "https" and bindings.data.private_dns is None:
            yield _to(edge, name), edge.backends[name].origin


grpc_backends = backends_where(lambda item: item.protocol in ("grpc", "h2c"))


def _probed(edge: Edge, bindings: Bindings) -> set[str]:
    """The backends whose machines a balancer probes: those of routes behind it, and those of streams."""
    return {*pooled(edge, bindings), *(item.backend for item in edge.listeners if item.backend is not None)}


def checked_statuses(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Probes that take other answers than 200."""
    for name in sorted(_probed(edge, bindings)):
        check = edge.backends[name].health_check
        if check is not None and check.path is not None and check.statuses != ((200, 200),):
            yield _to(edge, name), check.origin


def checked_timeouts(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Probes with bounds of their own."""
    for name in sorted(_probed(edge, bindings)):
        check = edge.backends[name].health_check
        if check is not None:
            yield _to(edge, name), check.origin


def checked_often(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Probes that would be made more often than every 5 seconds, or at parts of one."""
    for name in sorted(_probed(edge, bindings)):
        check = edge.backends[name].health_check
        if check is not None and (check.interval < 5000 or check.interval % 1000):
            yield _to(edge, name), check.origin


def unchecked(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Health checks of backends that no balancer probes: at a URL, or a Service of a cluster."""
    for name, item in edge.backends.items():
        if item.health_check is not None and name not in _probed(edge, bindings):
            yield _to(edge, name), item.health_check.origin


breakers = backends_where(lambda item: item.circuit_breaker is not None)


def breakers_of_websockets(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Circuit breakers of backends that WebSockets go to, whose APIs name the service and no Backend."""
    for name, item in edge.backends.items():
        keys = tuple(key for key in _to(edge, name) if edge.route(key).websocket)
        if item.circuit_breaker is not None and keys:
            yield keys, item.circuit_breaker.origin


# -- routes ------------------------------------------------------------------------------------------------------------

websockets = routes_where(lambda route, edge: route.origin if route.websocket else None)
websockets_with_variables = routes_where(
    lambda route, edge: route.origin if route.websocket and (route.path.rest or not route.path.literal) else None
)
websockets_introspected = routes_where(
    lambda route, edge: (
        route.auth.origin
        if route.websocket
        and route.auth
        and any(isinstance(edge.authorizers[name], IntrospectionAuthorizer) for name in route.auth.authorizers)
        else None
    )
)
websockets_weighted = routes_where(
    lambda route, edge: (
        route.origin
        if route.websocket and isinstance(route.action, Forward) and len(route.action.targets) > 1
        else None
    )
)


def _changes_websocket(route: Route) -> bool:
    changes = (*route.request_headers.remove, *route.request_headers.set, *route.request_headers.add)
    changes = (*changes, *route.response_headers.remove, *route.response_headers.set, *route.response_headers.add)
    rewrite = route.rewrite
    rewritten = rewrite is not None and (rewrite.host is not None or rewrite.prefix is not None)
    return bool(changes or rewritten or route.headers or route.query)


websockets_changed = routes_where(
    lambda route, edge: route.origin if route.websocket and _changes_websocket(route) else None
)


def websockets_by_key(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """WebSockets that ask for an API key."""
    for route in edge.routes:
        if (
            route.websocket
            and route.auth
            and any(isinstance(edge.authorizers[name], ApiKeyAuthorizer) for name in route.auth.authorizers)
        ):
            yield (route.key,), route.auth.origin


def validated_where(test: Callable[[Route], object]) -> Uses:
    """Uses of routes whose requests are checked; WebSockets are not."""
    return routes_where(
        lambda route, edge: (
            route.validation.origin if route.validation and not route.websocket and test(route) else None
        )
    )


validated = validated_where(lambda route: True)
validated_websockets = routes_where(
    lambda route, edge: route.validation.origin if route.validation and route.websocket else None
)
validated_by_nothing = validated_where(lambda route: checked_operation(route) is None)
validated_beyond = validated_where(unknown_words)
validated_bodies_without_schema = validated_where(
    lambda route: _bodies(route) and (route.methods is None or bool(set(route.methods) & set(BODILESS)))
)
validated_names = validated_where(
    lambda route: (
        any(item["in"] == "query" and item["required"] for item in parameters(route)) and _one_name_twice(route)
    )
)


def _bodies(route: Route) -> bool:
    operation = checked_operation(route)
    return route.validation is not None and route.validation.body and operation is not None and bool(operation.bodies)


def _one_name_twice(route: Route) -> bool:
    """Whether required query parameters are called alike but for their case, or as variables of paths are here."""
    names = [item["name"].lower() for item in parameters(route) if item["in"] == "query" and item["required"]]
    return len(set(names)) < len(names) or any(re.fullmatch(r"p\d+", name) for name in names)


def validated_unlike(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Routes of one operation, told apart by matches, that are checked against unlike descriptions."""
    web = [route for route in edge.routes if not route.websocket]
    if not any(checked_operation(route) is not None for route in web):
        return
    found: dict[str, Route] = {}
    for item in operations(web):
        checked = [route for route in item.routes if checked_operation(route) is not None]
        for route in checked[1:]:
            first, other = checked[0].validation, route.validation
            if first is not None and other is not None and replace(first, origin=other.origin) != other:
                found[route.key] = route
    for route in found.values():
        if route.validation is not None:
            yield (route.key,), route.validation.origin


def alike_but_for_case(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Routes whose operations have the method of another route's, and its path but for the case of its letters."""
    web = [route for route in edge.routes if not route.websocket]
    if all(item.variable or item.text == item.text.lower() for route in web for item in route.path.segments):
        return
    first: dict[tuple[str, str], str] = {}
    found: dict[str, Route] = {}
    for item in operations(web):
        if first.setdefault((item.method, item.path.lower()), item.path) != item.path:
            found |= {route.key: route for route in item.routes}
    for key, route in found.items():
        yield (key,), route.origin


throttled = routes_where(lambda route, edge: route.throttle.origin if route.throttle else None)
capped = routes_where(
    lambda route, edge: (
        route.throttle.origin if route.throttle and route.throttle.burst > lasting(route.throttle)[0] else None
    )
)
inexact = routes_where(
    lambda route, edge: route.throttle.origin if route.throttle and not is_exact(route.throttle) else None
)
quotas = routes_where(lambda route, edge: route.quota.origin if route.quota else None)
monthly = routes_where(
    lambda route, edge: (
        route.quota.origin if route.quota and route.quota.period not in ("hour", "day", "week") else None
    )
)
cached = routes_where(lambda route, edge: route.cache.origin if route.cache else None)
cached_parts = routes_where(lambda route, edge: route.cache.origin if route.cache and route.cache.ttl % 1000 else None)
cached_head = routes_where(
    lambda route, edge: (
        route.cache.origin if route.cache and (route.methods is None or "HEAD" in route.methods) else None
    )
)
cached_under_matches = routes_where(
    lambda route, edge: route.cache.origin if route.cache and (route.headers or route.query) else None
)
one_of_failures = routes_where(
    lambda route, edge: (
        route.retry.origin
        if route.retry
        and len({"connect-failure", "reset"} & set(route.retry.on)) == 1
        and not {"gateway-error", "5xx"} & set(route.retry.on)
        else None
    )
)
cached_by_odd_names = routes_where(
    lambda route, edge: (
        route.cache.origin
        if route.cache and not all(is_plain(name) and ";" not in name for name in route.cache.query)
        else None
    )
)
odd_origins = routes_where(
    lambda route, edge: route.cors.origin if route.cors and not all(map(is_plain, route.cors.origins)) else None
)


def _untold(route: Route) -> bool:
    """Whether .NET has no reading of a regular expression that a route asks for."""
    for item in (*route.headers, *route.query):
        if item.kind == "regex":
            try:
                to_net(item.value)
            except PatternError:
                return True
    return False


untold_patterns = routes_where(lambda route, edge: route.origin if not route.websocket and _untold(route) else None)
retried = routes_where(lambda route, edge: route.retry.origin if route.retry and route.retry.backoff % 1000 else None)
limited_over_240 = routes_where(lambda route, edge: route.timeout.origin if route.timeout.request > 240_000 else None)
timed_in_parts = routes_where(lambda route, edge: route.timeout.origin if route.timeout.request % 1000 else None)
backend_timeouts = routes_where(
    lambda route, edge: route.timeout.origin if route.timeout.backend is not None and route.retry is None else None
)
streams_without_end = routes_where(lambda route, edge: route.timeout.origin if streamed(route) else None)
requests_and_retries = routes_where(lambda route, edge: route.timeout.origin if route.retry is not None else None)

_KEPT = {"connection", "content-length", "keep-alive", "transfer-encoding"}


def _touches_kept(route: Route) -> bool:
    changes = (route.request_headers, route.response_headers)
    names = {name.lower() for item in changes for name in item.remove}
    names |= {name.lower() for item in changes for name, _ in (*item.set, *item.add)}
    return bool(names & _KEPT)


kept_headers = routes_where(lambda route, edge: route.origin if _touches_kept(route) else None)
stays = routes_where(
    lambda route, edge: (
        route.origin
        if not route.websocket and STAYS & {*route.request_headers.remove, *route.response_headers.remove}
        else None
    )
)


changed_own_answers = routes_where(
    lambda route, edge: (
        route.origin
        if not isinstance(route.action, Forward)
        and (route.response_headers.remove or route.response_headers.set or route.response_headers.add)
        else None
    )
)
idle_websockets = routes_where(
    lambda route, edge: route.timeout.origin if route.websocket and route.timeout.idle != IDLE_TIMEOUT else None
)


idle_kept = routes_where(
    lambda route, edge: (
        route.timeout.origin
        if not route.websocket and route.cache is not None and route.timeout.idle != IDLE_TIMEOUT
        else None
    )
)


def options_beside_cors(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Routes of any method, where a route of the API has CORS: about the edge, since paths overlap."""
    web = [route for route in edge.routes if not route.websocket]
    first = next((route.cors for route in web if route.cors is not None), None)
    if first is not None and any(route.methods is None for route in web):
        yield (), first.origin


def options_routes_beside_cors(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Routes that name OPTIONS, where a route of the API has CORS."""
    web = [route for route in edge.routes if not route.websocket]
    if any(route.cors is not None for route in web):
        for route in web:
            if "OPTIONS" in (route.methods or ()):
                yield (route.key,), route.origin


def unlike_cors(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Routes whose CORS is not that of the first that has it, or that have none beside such as have."""
    web = [route for route in edge.routes if not route.websocket]
    first = next((route.cors for route in web if route.cors is not None), None)
    if first is None:
        return
    want = _allowed(first)
    for route in web:
        if route.cors is None:
            yield (route.key,), route.origin
        elif _allowed(route.cors) != want:
            yield (route.key,), route.cors.origin


def _allowed(cors: object) -> object:
    return tuple(
        getattr(cors, name)
        for name in ("origins", "methods", "allow_headers", "expose_headers", "credentials", "max_age")
    )


def waf_managed(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Managed rule sets."""
    if edge.waf is not None and edge.waf.managed:
        yield (), edge.waf.origin


def waf_counts(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """A web application firewall that only counts."""
    if edge.waf is not None and edge.waf.mode == "count":
        yield (), edge.waf.origin


def waf_rate(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """A rate by address before everything."""
    if edge.waf is not None and edge.waf.rate_per_ip is not None:
        yield (), edge.waf.origin


def lists_before_streams(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Address lists of an edge that has listeners without requests."""
    if edge.waf is not None and (edge.waf.allow or edge.waf.deny) and any(not item.web for item in edge.listeners):
        yield (), edge.waf.origin


def logged(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """A log of requests: said where the spec says it."""
    if edge.access_log.origin.place.line:
        yield (), edge.access_log.origin


def shielded(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Protection beyond the platform's."""
    if edge.ddos == "advanced":
        yield (), edge.access_log.origin


def sampled(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """A share of requests in the log."""
    if edge.access_log.sample < 1:
        yield (), edge.access_log.origin


def log_fields(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Fields of the log."""
    if edge.access_log.fields:
        yield (), edge.access_log.origin


def compressed(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """Compression by the edge."""
    if edge.compression is not None:
        yield (), edge.compression.origin


def log_retention(edge: Edge, bindings: Bindings) -> Iterator[Use]:
    """How long logs are kept: said where the spec says it."""
    if edge.access_log.origin.place.line:
        yield (), edge.access_log.origin
