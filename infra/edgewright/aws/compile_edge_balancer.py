"""The public load balancer: routes as rules (balancer-only), or the question who may ask (balancer-first)."""

from collections.abc import Mapping, Sequence

from edgewright.aws.artifact import Balancer, Json, Peers, Rule
from edgewright.aws.bindings import Bindings
from edgewright.aws.check_bindings import web_hosts
from edgewright.aws.compile_groups import Group, balancer_actions, groups_of
from edgewright.aws.compile_redirects import path_transform, redirect_action, respond_action
from edgewright.aws.compile_rules import Want, pack, value_condition
from edgewright.aws.compile_services import backend_names, forward_action, idle_timeout, slash_paths, target_peers
from edgewright.aws.compile_targets import target_group
from edgewright.aws.guards import path_guard, prefix_guard, problem_action, slash_guards
from edgewright.aws.merge_paths import merge
from edgewright.edge.model import Edge, Forward, Listener, Redirect, Respond, Route

STAGE = "live"
"""The stage of a REST API; a custom domain hides it."""

API = "api"
"""The target group of the API's endpoint, behind the public balancer."""

PREFLIGHT = "edge.preflight"
"""The first segment of a CORS preflight's path behind the public balancer."""

SSL_POLICIES = {"1.2": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "1.3": "ELBSecurityPolicy-TLS13-1-3-2021-06"}

_UPGRADE: Json = {"header": {"name": "upgrade", "values": ["websocket"]}}


def balancer_only(edge: Edge, bindings: Bindings) -> Balancer:
    """The one balancer of `balancer-only`: every route is in its rules."""
    web = _listeners(edge)
    groups = groups_of(edge, edge.routes)
    wants = [
        want for route in edge.routes for want in _wants(route, web, _served(route, edge, groups[route.key], bindings))
    ]
    rules = (*_guards(edge, web, prefix=False), *_preflights(edge, web), *pack(wants))
    names = backend_names(edge.routes)
    return _balancer(edge, bindings, web, rules, {name: target_group(edge.backends[name], bindings) for name in names})


def balancer_first(edge: Edge, bindings: Bindings) -> Balancer:
    """The public balancer of `balancer-first`: who may ask, and the prefix that says so to the API behind it."""
    web = _listeners(edge)
    groups = groups_of(edge, edge.routes)
    wants: list[Want] = []
    for route in edge.routes:
        if route.websocket or not isinstance(route.action, Forward):
            wants += _wants(route, web, _served(route, edge, groups[route.key], bindings, "direct-"))
    passed = [route for route in edge.routes if not route.websocket and isinstance(route.action, Forward)]
    for listener in web:
        mine = [route for route in passed if listener.name in route.listeners]
        for item in merge(mine, lambda route: variant(route, groups[route.key])):
            group = groups[item.routes[0].key]
            prefix = prefix_of(item.routes[0], group)
            wants.append(
                Want(
                    path=item.path,
                    methods=item.methods,
                    hosts=listener.hosts,
                    listener=_port_name(listener, web),
                    group=f"{_port_name(listener, web)}-{prefix.partition('.')[2]}",
                    routes=tuple(route.key for route in item.routes),
                    actions=(*balancer_actions(edge, group, bindings), {"forward": {"target_groups": {API: 1}}}),
                    transforms=_to_api(prefix, edge, bindings),
                    **_conditions(item.routes[0]),
                )
            )
    order = {route.key: index for index, route in enumerate(edge.routes)}
    wants.sort(key=lambda want: min(order[key] for key in want.routes))
    direct = [route for route in edge.routes if route.websocket]
    endpoint: Json = {
        "port": 443,
        "protocol": "HTTPS",
        "target_type": "ip",
        # The checker's Host names no API, so the endpoint answers 403: it is there, and that is all that this can tell.
        "health_check": {"path": "/", "protocol": "HTTPS", "matcher": "200,403", "interval": 15, "timeout": 5},
    }
    groups_ = {API: endpoint} | {
        f"direct-{name}": target_group(edge.backends[name], bindings) for name in backend_names(direct)
    }
    preflights = _api_preflights(passed, web, _to_api(PREFLIGHT, edge, bindings))
    rules = (*_guards(edge, web, prefix=True), *preflights, *pack(wants))
    return _balancer(edge, bindings, web, rules, groups_, direct)


def prefix_of(route: Route, group: Group) -> str:
    """The first segment of a route's path in the API behind: its group, and its label if matches tell it."""
    return f"{group.prefix}.with-{route.label}" if route.headers or route.query else group.prefix


def variant(route: Route, group: Group) -> object:
    """Equal for routes of which a balancer needs to know nothing more than that they are the same to it."""
    return group.name, route.headers, route.query


# -- listeners ---------------------------------------------------------------------------------------------------------


def _listeners(edge: Edge) -> list[Listener]:
    return [item for item in edge.listeners if item.web]


def _port_name(listener: Listener, web: Sequence[Listener]) -> str:
    """Listeners of one port are one on the balancer; it has the name of the first."""
    return next(item.name for item in web if item.port == listener.port)


def _balancer(
    edge: Edge,
    bindings: Bindings,
    web: Sequence[Listener],
    rules: tuple[Rule, ...],
    groups: Mapping[str, Json],
    direct: Sequence[Route] | None = None,
) -> Balancer:
    listeners: dict[str, Json] = {}
    ingress: dict[str, Json] = {}
    for item in web:
        name = _port_name(item, web)
        if name == item.name:
            listeners[name] = _listener(item)
            ingress |= _from_anywhere(item.port)
        if item.redirect_http and f"{name}-http" not in listeners:
            listeners[f"{name}-http"] = {"port": 80, "protocol": "HTTP", "redirect_to_https": item.port}
            ingress |= _from_anywhere(80)
    services = edge.routes if direct is None else direct
    names = backend_names(services)
    egress = target_peers([edge.backends[name] for name in names], bindings)
    if direct is not None:
        egress["endpoint"] = {
            "port": 443,
            "group": "endpoint",
            "description": "to the API's endpoint",
        }
    if any("jwt" in action or "oidc" in action for rule in rules for action in rule.actions):
        # Facts: the balancer fetches keys itself; without a way out every request with a token is a 500.
        egress["keys"] = {"port": 443, "cidr_ipv4": "0.0.0.0/0", "description": "to the keys of issuers, over HTTPS"}
    prefix = "" if direct is None else "direct-"
    return Balancer(
        internal=False,
        listeners=listeners,
        target_groups=dict(groups),
        targets={prefix + name: name for name in names},
        rules=rules,
        peers=Peers(ingress, egress),
        idle_timeout=idle_timeout(edge.routes),
        trust_stores=tuple(sorted({item.tls.client_ca for item in web if item.tls and item.tls.client_ca})),
    )


def _listener(item: Listener) -> Json:
    found: Json = {
        "port": item.port,
        "protocol": "HTTPS" if item.protocol == "https" else "HTTP",
        "default_action": problem_action(404, "Not Found"),
    }
    if item.protocol == "https":
        tls = item.tls
        found["certificate_arn"] = "{{certificate}}"
        found["ssl_policy"] = SSL_POLICIES[tls.min_version if tls else "1.2"]
        found["response_headers"] = {"strict-transport-security": "max-age=31536000"}
        if tls is not None and tls.client_ca:
            found["mutual_authentication"] = {"mode": "verify", "trust_store": tls.client_ca}
    return found


def _from_anywhere(port: int) -> dict[str, Json]:
    return {
        f"public-{port}-ipv4": {"port": port, "cidr_ipv4": "0.0.0.0/0", "description": "from the internet"},
    }


# -- rules -------------------------------------------------------------------------------------------------------------


def _guards(edge: Edge, web: Sequence[Listener], *, prefix: bool) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for name in dict.fromkeys(_port_name(item, web) for item in web):
        found.append(path_guard(name))
        found += [prefix_guard(name)] if prefix else []
        found += slash_guards(name, slash_paths(edge.routes))
    return tuple(found)


def _to_api(prefix: str, edge: Edge, bindings: Bindings) -> tuple[Json, ...]:
    """What makes a request one to the API: the prefix, and its own name and stage where no domain stands for them."""
    if bindings.domain_kind(web_hosts(edge)) != "rewrite":
        return ({"url": {"regex": "^/(.*)$", "replace": f"/{prefix}/$1"}},)
    return (
        {"host": {"regex": "^.*$", "replace": "{{api_host}}"}},
        {"url": {"regex": "^/(.*)$", "replace": f"/{STAGE}/{prefix}/$1"}},
    )


def _api_preflights(routes: Sequence[Route], web: Sequence[Listener], transforms: tuple[Json, ...]) -> tuple[Rule, ...]:
    """A preflight has no token: the API answers it, under a prefix where there is nothing else."""
    if not any(route.cors for route in routes):
        return ()
    conditions = ({"methods": ["OPTIONS"]}, {"header": {"name": "access-control-request-method", "values": ["*"]}})
    keys = tuple(route.key for route in routes if route.cors)
    return tuple(
        Rule(f"{name}-preflight", name, 100, conditions, ({"forward": {"target_groups": {API: 1}}},), transforms, keys)
        for name in dict.fromkeys(_port_name(item, web) for item in web)
    )


def _preflights(edge: Edge, web: Sequence[Listener]) -> tuple[Rule, ...]:
    """A balancer alone answers every preflight alike; its listener's headers say what is allowed."""
    routes = [route for route in edge.routes if route.cors]
    if not routes:
        return ()
    conditions = ({"methods": ["OPTIONS"]}, {"header": {"name": "access-control-request-method", "values": ["*"]}})
    answer: Json = {"fixed": {"status": 200, "content_type": "text/plain", "body": ""}}
    keys = tuple(route.key for route in routes)
    return tuple(
        Rule(f"{name}-preflight", name, 100, conditions, (answer,), (), keys)
        for name in dict.fromkeys(_port_name(item, web) for item in web)
    )


def _wants(route: Route, web: Sequence[Listener], served: tuple[str, tuple[Json, ...], tuple[Json, ...]]) -> list[Want]:
    group, actions, transforms = served
    return [
        Want(
            path=route.path,
            methods=None if route.websocket else route.methods,
            hosts=listener.hosts,
            listener=_port_name(listener, web),
            group=f"{_port_name(listener, web)}-{group}",
            routes=(route.key,),
            actions=actions,
            transforms=transforms,
            **_conditions(route),
        )
        for listener in web
        if listener.name in route.listeners
    ]


def _served(
    route: Route, edge: Edge, group: Group, bindings: Bindings, prefix: str = ""
) -> tuple[str, tuple[Json, ...], tuple[Json, ...]]:
    """The name, actions and transforms of a rule that serves a route from the balancer."""
    before = balancer_actions(edge, group, bindings)
    if isinstance(route.action, Redirect):
        return f"{group.name}-{route.slug}", (*before, redirect_action(route, None)), ()
    if isinstance(route.action, Respond):
        return f"{group.name}-{route.slug}", (*before, respond_action(route.action)), ()
    words = "-".join(name if weight == 100 else f"{name}{weight}" for name, weight in route.action.targets)
    transforms = path_transform(route)
    if route.rewrite is not None and route.rewrite.host is not None:
        transforms = (*transforms, {"host": {"regex": "^.*$", "replace": route.rewrite.host}})
    name = f"{group.name}-{words}" + (f"-{route.slug}" if transforms else "") + ("-ws" if route.websocket else "")
    return name, (*before, forward_action(route, prefix)), transforms


def _conditions(route: Route) -> Json:
    """Conditions beside path, method and host, and how many values they take."""
    found = [value_condition("header", item) for item in route.headers]
    found += [value_condition("query", item) for item in route.query]
    found += [_UPGRADE] if route.websocket else []
    return {
        "conditions": tuple(found),
        "counts": len(found),
        "headers": len(route.headers) + route.websocket,
        "query": len(route.query),
    }
