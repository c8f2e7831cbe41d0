"""Routes of a gateway: what matches, what is checked on the way, and where it goes."""

from dataclasses import replace

from edgewright.edge.model import METHODS, Cors, Edge, Forward, PathPattern, Redirect, Respond, Retry, Route, ValueMatch
from edgewright.local import compile_auth, compile_cache, compile_limits
from edgewright.local.bindings import Bindings
from edgewright.local.compile_backends import cluster_name
from edgewright.local.compile_replies import direct_problem
from edgewright.local.envoy_json import (
    Json,
    add_header,
    exact,
    extension,
    header_is,
    header_option,
    literal,
    on_route,
    quoted,
    regex,
    seconds,
    set_header,
    typed,
)
from edgewright.local.ports_of import opened_port

LISTENER = "x-edgewright-listener"
"""Private header from the balancer: the listener that a request came in by. Gateways leave its prefix alone."""

_COUNTING = (compile_limits.PLAN, compile_limits.KEY, compile_limits.QUOTA_KEY, compile_limits.THROTTLE_KEY)
_PRIVATE = (
    *_COUNTING,
    compile_auth.SUBJECT,
    compile_auth.ISSUER,
    compile_auth.CLIENT,
    LISTENER,
    *compile_cache.PRIVATE,
    "x-envoy-external-address",
    "x-envoy-internal",
)

_TELLING = ("server", "x-powered-by", "x-envoy-upstream-service-time")

_CACHED = ("GET", "HEAD")
_UNSAFE = ("POST", "PATCH")

# Where two servers on the way may read a path differently: parameters, escaped separators, backslashes, NUL, double
# escapes, dots and blanks at the end of a segment, and a percent sign that begins no escape.
AMBIGUOUS_PATH = (
    r"(?i)[^?]*(;|%3b|%5c|\\|%00|%23|%3f|%2f|%c[01]|%25(2e|2f|5c|3b|25|00|23)|(\.|%2e|%20)(/|$)"
    r"|%.?$|%[^0-9a-f]|%.[^0-9a-f]).*"
)

_RETRY_ON = {
    "connect-failure": ("connect-failure", "refused-stream", "reset-before-request"),
    "reset": ("reset", "reset-before-request"),
    "gateway-error": ("gateway-error",),
    "5xx": ("5xx",),
}


def route_table(edge: Edge, bindings: Bindings) -> Json:
    """The route configuration of a gateway's public side."""
    routes = [direct_problem("ambiguous path", {"safe_regex": {"regex": AMBIGUOUS_PATH}}, 400, "Bad request")]
    # A WebSocket never takes a plain route, however specific its path; so those for WebSockets come first.
    for route in sorted(edge.routes, key=lambda route: not route.websocket):
        routes += _routes(route, edge, bindings)
    return {
        "name": "edge",
        "ignore_port_in_host_matching": True,
        # A route to a cluster that is not there is refused as a whole, instead of answering 503.
        "validate_clusters": True,
        # 4096 characters of a fixed answer, each of at most four bytes.
        "max_direct_response_body_size_bytes": 16384,
        "virtual_hosts": [{"name": "edge", "domains": ["*"], "routes": routes}],
    }


def origin_table(edge: Edge) -> Json:
    """The route configuration behind the cache: each cached route by its name."""
    routes = [
        {
            "name": route.key,
            "match": {"prefix": "/", "headers": [header_is(compile_cache.ROUTE, exact(route.slug))]},
            "route": _forward(route, route.action),
            "metadata": compile_cache.metadata(route),
            "request_headers_to_remove": list(_PRIVATE),
        }
        for route in edge.routes
        if route.cache is not None and isinstance(route.action, Forward)
    ]
    return {
        "name": "origin",
        "validate_clusters": True,
        "virtual_hosts": [{"name": "origin", "domains": ["*"], "routes": routes}],
    }


def misses_table() -> Json:
    """Routes of the inner listener that finds an answer's owner: the path is the key of the cache by now.

    The cache itself asks a cluster without hash or retries, so this takes a listener of its own.
    """
    action = {
        "cluster": compile_cache.OWNERS,
        # The origin listener keeps the time.
        "timeout": "0s",
        "hash_policy": [{"header": {"header_name": ":path"}}],
        # Only GET and HEAD come here: an owner that dies is asked again elsewhere.
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset-before-request,reset",
            "num_retries": 3,
            "retry_host_predicate": [_previous_hosts()],
            # A hash tries hosts in the same order each time: with 5 attempts, one hash in 32 knows no other.
            "host_selection_retry_max_attempts": 30,
            "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
        },
    }
    return _one_route("misses", action) | {
        # Tells an owner's kept answer from a fresh one; the gateway's own cache drops `age`.
        "response_headers_to_add": [header_option("x-edge-age", "%RESP(AGE)%")],
        # A cache asks for what is too old under conditions, which make the owner's cache step aside.
        "request_headers_to_remove": list(compile_cache.CONDITIONS),
    }


def owner_table() -> Json:
    """Routes of the listener where a gateway answers the others from its cache."""
    return _one_route("owner", {"cluster": compile_cache.ORIGIN, "timeout": "0s"})


def _one_route(name: str, action: Json) -> Json:
    route = {"match": {"prefix": "/"}, "route": action}
    return {"name": name, "virtual_hosts": [{"name": name, "domains": ["*"], "routes": [route]}]}


def _routes(route: Route, edge: Edge, bindings: Bindings) -> list[Json]:
    found: list[Json] = []
    if route.cache is not None and isinstance(route.action, Forward):
        cached = tuple(method for method in _CACHED if route.methods is None or method in route.methods)
        found.append(_cached(route, cached, edge, bindings))
        others = tuple(method for method in route.methods or METHODS if method not in cached)
        if others:
            found += _forwards(route, None if route.methods is None else others, edge, bindings)
    elif isinstance(route.action, Forward):
        found += _forwards(route, route.methods, edge, bindings)
    elif isinstance(route.action, Respond):
        answer = _plain(route, route.methods, edge, bindings, None)
        answer["direct_response"] = {"status": route.action.status, "body": {"inline_string": route.action.body}}
        if not route.action.body:
            del answer["direct_response"]["body"]
        answer["response_headers_to_add"] = [header_option("content-type", literal(route.action.content_type))]
        # Envoy names the request's own URL for a 201.
        answer["response_headers_to_remove"] = ["location"]
        found.append(answer)
    else:
        found += _redirects(route, route.action, edge, bindings)
    preflight = _preflight(route, edge)
    return [*found, preflight] if preflight else found


def _forwards(route: Route, methods: tuple[str, ...] | None, edge: Edge, bindings: Bindings) -> list[Json]:
    """One route, or two where methods that a backend must not carry out twice are tried again for less."""
    action = route.action
    if not isinstance(action, Forward):
        raise TypeError(f"{route.key} forwards nothing")
    retry = route.retry
    unsafe = tuple(method for method in _UNSAFE if methods is None or method in methods)
    if retry is None or retry.non_idempotent or not unsafe:
        return [_plain(route, methods, edge, bindings, _forward(route, action))]
    careful = replace(retry, on=tuple(item for item in retry.on if item == "connect-failure"), statuses=())
    first = replace(route, retry=careful if careful.on else None)
    found = [_plain(route, unsafe, edge, bindings, _forward(first, action))]
    others = None if methods is None else tuple(method for method in methods if method not in unsafe)
    if others is None or others:
        found.append(_plain(route, others, edge, bindings, _forward(route, action)))
    return found


def _plain(route: Route, methods: tuple[str, ...] | None, edge: Edge, bindings: Bindings, action: Json | None) -> Json:
    return {
        **_beginning(route, methods, edge),
        **({"route": action} if action is not None else {}),
        "typed_per_filter_config": _settings(route, edge, bindings, cached=False),
        "request_headers_to_remove": list(_PRIVATE),
    }


def _cached(route: Route, methods: tuple[str, ...], edge: Edge, bindings: Bindings) -> Json:
    inner = compile_cache.MISSES if bindings.gateways > 1 else compile_cache.ORIGIN
    return {
        **_beginning(route, methods, edge),
        # Time and tries are kept where the cache gets what it lacks.
        "route": {"cluster": inner, "timeout": "0s"},
        "metadata": compile_cache.metadata(route),
        "typed_per_filter_config": _settings(route, edge, bindings, cached=True),
        # The origin listener removes the rest.
        "request_headers_to_remove": list(_COUNTING),
    }


def _beginning(route: Route, methods: tuple[str, ...] | None, edge: Edge) -> Json:
    return {"name": route.key, "match": _match(route, methods, _listener_match(route, edge))}


# -- matching ----------------------------------------------------------------------------------------------------------


def path_regex(pattern: PathPattern, *, groups: bool = False) -> str:
    """The pattern as RE2 for a whole path without its query; ``groups`` captures variables, then the rest."""
    segment = "([^/]+)" if groups else "[^/]+"
    text = "".join(f"/{segment if item.variable else quoted(item.text)}" for item in pattern.segments)
    if pattern.rest:
        return text + ("(/.*)?" if groups else "(?:/.*)?")
    return text or "/"


def _path_match(pattern: PathPattern) -> Json:
    if not pattern.literal:
        return {"safe_regex": {"regex": path_regex(pattern)}}
    if not pattern.rest:
        return {"path": str(pattern)}
    return {"path_separated_prefix": pattern.prefix} if pattern.prefix else {"prefix": "/"}


def _match(route: Route, methods: tuple[str, ...] | None, listener: list[Json]) -> Json:
    headers = [*listener]
    if methods is not None:
        headers.append(header_is(":method", exact(methods[0]) if len(methods) == 1 else regex("|".join(methods))))
    if route.websocket:
        headers.append(header_is("upgrade", {"exact": "websocket", "ignore_case": True}))
        # Without this, `Upgrade` alone would lead a plain request past what the plain route of this path asks for.
        headers.append(header_is("connection", regex(r"(?i)(.*,)?\s*upgrade\s*(,.*)?")))
    headers += [_value_match(item) for item in route.headers]
    return {
        **_path_match(route.path),
        **({"headers": headers} if headers else {}),
        **({"query_parameters": [_value_match(item) for item in route.query]} if route.query else {}),
    }


def _value_match(item: ValueMatch) -> Json:
    if item.kind == "present":
        return {"name": item.name, "present_match": item.value == "true"}
    return {"name": item.name, "string_match": regex(item.value) if item.kind == "regex" else {item.kind: item.value}}


def _listener_match(route: Route, edge: Edge) -> list[Json]:
    web = tuple(item.name for item in edge.listeners if item.web)
    if set(route.listeners) == set(web):
        return []
    return [header_is(LISTENER, regex("|".join(quoted(name) for name in route.listeners)))]


# -- where it goes -----------------------------------------------------------------------------------------------------


def _forward(route: Route, action: Forward) -> Json:
    targets = [(cluster_name(name), weight) for name, weight in action.targets if weight > 0]
    found: Json = (
        {"cluster": targets[0][0]}
        if len(targets) == 1
        else {"weighted_clusters": {"clusters": [{"name": name, "weight": weight} for name, weight in targets]}}
    )
    found["timeout"] = "0s" if route.websocket else seconds(route.timeout.request)
    found["idle_timeout"] = seconds(route.timeout.idle)
    if route.websocket:
        found["upgrade_configs"] = [{"upgrade_type": "websocket"}]
    found["retry_policy"] = _retry(route, route.retry, several=len(targets) > 1)
    rewrite = route.rewrite
    if rewrite is not None and rewrite.host is not None:
        found["host_rewrite_literal"] = rewrite.host
    if rewrite is not None and rewrite.path is not None:
        found["regex_rewrite"] = _rewrite(route.path, rewrite.path)
    elif rewrite is not None and rewrite.prefix is not None:
        found["regex_rewrite"] = _rewrite_prefix(route.path, rewrite.prefix)
    return found


def _retry(route: Route, retry: Retry | None, *, several: bool) -> Json:
    """What is tried again; without `retry` only what cannot have reached an instance, which is safe for any method."""
    policy: Json = {
        "retry_on": "connect-failure,refused-stream,reset-before-request",
        "num_retries": 2,
        "retry_host_predicate": [_previous_hosts()],
        "host_selection_retry_max_attempts": 5,
    }
    if several:
        # Else all tries go to the backend that the weights chose first, be it dead or not.
        policy["refresh_cluster_on_retry"] = True
    if route.timeout.backend is not None and not route.websocket:
        policy["per_try_timeout"] = seconds(route.timeout.backend)
    if retry is None:
        return policy
    conditions = [name for condition in retry.on for name in _RETRY_ON[condition]]
    if retry.statuses:
        policy["retriable_status_codes"] = list(retry.statuses)
        conditions.append("retriable-status-codes")
    policy["retry_on"] = ",".join(dict.fromkeys(conditions))
    policy["num_retries"] = retry.attempts
    policy["retry_back_off"] = {
        "base_interval": seconds(retry.backoff),
        "max_interval": seconds(retry.backoff * 10),
    }
    return policy


def _previous_hosts() -> Json:
    return extension("previous", "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")


def _rewrite(pattern: PathPattern, target: PathPattern) -> Json:
    places = {name: index for index, name in enumerate(pattern.variables, 1)}
    text = "".join(f"/\\{places[item.text]}" if item.variable else f"/{item.text}" for item in target.segments)
    if not target.rest:
        return _substitution(path_regex(pattern, groups=True), text or "/")
    return _with_rest(pattern, text)


def _rewrite_prefix(pattern: PathPattern, prefix: str) -> Json:
    return _with_rest(pattern, prefix.rstrip("/"))


def _with_rest(pattern: PathPattern, text: str) -> Json:
    """Replace what stands before ``/*``, and keep the rest with its slash."""
    rest = len(pattern.variables) + 1
    if text:
        return _substitution(path_regex(pattern, groups=True), f"{text}\\{rest}")
    # The path must not become empty where the rest is.
    before = path_regex(PathPattern(pattern.segments), groups=True) if pattern.segments else ""
    return _substitution(f"{before}/?(.*)", f"/\\{rest}")


def _substitution(pattern: str, text: str) -> Json:
    return {"pattern": {"regex": f"^{pattern}$"}, "substitution": text}


def _redirects(route: Route, action: Redirect, edge: Edge, bindings: Bindings) -> list[Json]:
    """One route; for targets of the same origin one for each listener, whose scheme and port it must name."""
    if action.origin_url:
        scheme, _, host = action.origin_url.partition("://")
        name, _, port = host.partition(":")
        found: Json = {"scheme_redirect": scheme, "host_redirect": name}
        if port:
            found["port_redirect"] = int(port)
        return [_redirect(route, action, _listener_match(route, edge), found, edge, bindings)]
    listeners = [item for item in edge.listeners if item.name in route.listeners]
    alone = len([item for item in edge.listeners if item.web]) == 1
    return [
        _redirect(
            route,
            action,
            [] if alone else [header_is(LISTENER, exact(item.name))],
            {"scheme_redirect": item.protocol, "port_redirect": opened_port(item, bindings)},
            edge,
            bindings,
        )
        for item in listeners
    ]


def _redirect(
    route: Route, action: Redirect, listener: list[Json], origin: Json, edge: Edge, bindings: Bindings
) -> Json:
    found = _plain(route, route.methods, edge, bindings, None)
    found["match"] = _match(route, route.methods, listener)
    found["redirect"] = {**origin, "response_code": _CODES[action.status]}
    if action.path is not None and action.keep_rest:
        found["redirect"]["regex_rewrite"] = _rewrite_prefix(route.path, action.path)
    elif action.path is not None:
        found["redirect"]["path_redirect"] = action.path
    return found


_CODES = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}


# -- what is checked and changed on the way ----------------------------------------------------------------------------


def _settings(route: Route, edge: Edge, bindings: Bindings, *, cached: bool) -> Json:
    settings: Json = {}
    if route.cors is not None and isinstance(route.action, Forward):
        settings["cors"] = _cors(route.cors)
    if route.auth is not None:
        settings |= compile_auth.route_settings(edge, route.auth)
    settings["context"] = _context(route, bindings, cached=cached)
    settings |= compile_limits.route_settings(route, bindings.gateways)
    if cached:
        settings |= compile_cache.route_settings()
    return settings


def _context(route: Route, bindings: Bindings, *, cached: bool) -> Json:
    request = compile_limits.context(route, bindings.gateways)
    change = route.request_headers
    request += [{"remove": name} for name in change.remove]
    request += [set_header(name, literal(value)) for name, value in change.set]
    request += [add_header(name, literal(value)) for name, value in change.add]
    if cached:
        request += compile_cache.request_context(route)
    # What a backend runs on is nobody's business, and the edge does not say what it is either.
    response: list[Json] = [{"remove": name} for name in _TELLING]
    if cached:
        response += compile_cache.response_context()
    if route.cors is not None and isinstance(route.action, Forward) and route.cors.origins != ("*",):
        response.append(add_header("vary", "Origin"))
    change = route.response_headers
    response += [{"remove": name} for name in change.remove]
    response += [set_header(name, literal(value)) for name, value in change.set]
    response += [add_header(name, literal(value)) for name, value in change.add]
    mutations: Json = {"response_mutations": response, **({"request_mutations": request} if request else {})}
    return typed("extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute", mutations=mutations)


def _cors(cors: Cors) -> Json:
    return on_route(
        "extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[regex(".*") if item == "*" else exact(item) for item in cors.origins],
        allow_methods=", ".join(cors.methods),
        allow_headers=", ".join(cors.allow_headers),
        expose_headers=", ".join(cors.expose_headers),
        max_age=str(cors.max_age // 1000),
        allow_credentials=cors.credentials,
        # A preflight from elsewhere is answered here, without permission; it is no request for the backend.
        forward_not_matching_preflights=False,
    )


def _preflight(route: Route, edge: Edge) -> Json | None:
    """What answers a browser's question about a route that has no OPTIONS itself.

    The filter only answers on routes to a cluster; it answers every preflight, so that none goes there.
    """
    if route.cors is None or route.methods is None or "OPTIONS" in route.methods or route.websocket:
        return None
    if not isinstance(route.action, Forward):
        return None
    headers = [
        *_listener_match(route, edge),
        header_is(":method", exact("OPTIONS")),
        {"name": "origin", "present_match": True},
        header_is("access-control-request-method", regex("|".join(route.methods))),
    ]
    return {
        "name": route.key,
        "match": {**_path_match(route.path), "headers": headers},
        "route": {"cluster": cluster_name(route.action.targets[0][0])},
        "typed_per_filter_config": {"cors": _cors(route.cors)},
    }
