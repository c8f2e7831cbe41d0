"""A REST API as one OpenAPI body, and the settings of its methods; behind a public balancer, or public itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgewright.aws.artifact import Json, Rest, UsagePlan
from edgewright.aws.bindings import Bindings
from edgewright.aws.compile_edge_balancer import PREFLIGHT, prefix_of
from edgewright.aws.compile_groups import Group, groups_of
from edgewright.aws.compile_services import HEADER, dispatch_name
from edgewright.aws.compile_validation import VALIDATORS, request_body, required_parameters, validator_of
from edgewright.aws.rest_authorizers import authorizer_config, operation_security, security_schemes
from edgewright.clouds.path_table import ApiResource, api_resources
from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Cors,
    Edge,
    JwtAuthorizer,
    PathPattern,
    Quota,
    Route,
    Segment,
    Throttle,
)

_VERBS = {
    "GET": "get",
    "HEAD": "head",
    "POST": "post",
    "PUT": "put",
    "PATCH": "patch",
    "DELETE": "delete",
    "OPTIONS": "options",
}

_PROBLEM = '{"type":"about:blank","title":$context.error.messageString,"status":%s,"instance":"$context.requestId"}'

# Facts: never a status on DEFAULT_4XX or DEFAULT_5XX, it would change all; an unknown route is a missing token.
_GATEWAY_RESPONSES: Mapping[str, int | None] = {
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "INVALID_API_KEY": 403,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
}


def compile_rest(edge: Edge, routes: Sequence[Route], bindings: Bindings, host: str | None, *, private: bool) -> Rest:
    """The API of these routes (no WebSocket ones). private: behind the public balancer, which asked who may.

    host: the edge's, for TLS to the services' balancer; None: plain HTTP inside.
    """
    groups = groups_of(edge, routes)
    placed = [_placed(route, groups[route.key]) for route in routes] if private else list(routes)
    resources = api_resources(placed)
    paths: dict[str, Json] = {}
    methods: dict[str, Json] = {}
    models: dict[str, Json] = {}
    for resource in resources:
        operations = _operations(resource, groups, edge, bindings, host, models, private=private)
        if operations:
            paths[resource.path] = operations
        methods |= _settings(resource)
    _add_preflights(paths, resources, routes, private=private)
    body: Json = {
        "openapi": "3.0.1",
        "info": {"title": edge.name, "version": "1"},
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": security_schemes(edge, groups, bindings, private=private),
            **({"schemas": dict(sorted(models.items()))} if models else {}),
        },
        "x-amazon-apigateway-request-validators": {
            name: VALIDATORS[name]
            for name in sorted({validator_of(item.validation) for item in routes if item.validation})
        },
        "x-amazon-apigateway-gateway-responses": _gateway_responses(routes),
    }
    return Rest(
        body={key: value for key, value in body.items() if value},
        private=private,
        methods=dict(sorted(methods.items())),
        cache=any(route.cache for route in routes),
        plans=usage_plans(edge, placed, resources),
        authorizer=None if private else authorizer_config(edge, resources, groups, bindings),
        minimum_compression_size=edge.compression.min_size if edge.compression else None,
    )


def _placed(route: Route, group: Group) -> Route:
    """The route under the prefix that only the balancer can give, for what it asks of a caller."""
    segments = (Segment(prefix_of(route, group)), *route.path.segments)
    return replace(route, path=PathPattern(segments, route.path.rest))


# -- operations --------------------------------------------------------------------------------------------------------


def _operations(
    resource: ApiResource,
    groups: Mapping[str, Group],
    edge: Edge,
    bindings: Bindings,
    host: str | None,
    models: dict[str, Json],
    *,
    private: bool,
) -> Json:
    found: Json = {}
    whole = resource.any_route
    for method, route in resource.methods.items():
        if route is not whole or _by_method(route, method):
            found[_VERBS[method]] = _operation(
                resource, method, route, groups, edge, bindings, host, models, private=private
            )
    if whole is not None and not _throttled_by_route(whole):
        found["x-amazon-apigateway-any-method"] = _operation(
            resource, "ANY", whole, groups, edge, bindings, host, models, private=private
        )
    return found


def _operation(
    resource: ApiResource,
    method: str,
    route: Route,
    groups: Mapping[str, Group],
    edge: Edge,
    bindings: Bindings,
    host: str | None,
    models: dict[str, Json],
    *,
    private: bool,
) -> Json:
    keys = _cache_keys(route, edge) if route.cache and method in ("GET",) else []
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in resource.variables
    ]
    others: dict[tuple[str, str], Json] = {
        (where, name): {"name": name, "in": where, "required": False, "schema": {"type": "string"}}
        for where, name in keys
    }
    others |= required_parameters(route)
    found: Json = {
        "parameters": [*parameters, *others.values()],
        "requestBody": request_body(route, models),
        "x-amazon-apigateway-request-validator": validator_of(route.validation) if route.validation else None,
        "responses": {"default": {"description": "What the service answers"}},
        "security": operation_security(groups[route.key], bindings, edge, private=private),
        "x-amazon-apigateway-integration": _integration(resource, method, route, keys, bindings, host, private=private),
    }
    # An empty list says that everybody may call it; nothing at all would say that nobody thought of it.
    return {key: value for key, value in found.items() if value or key == "security"}


def _integration(
    resource: ApiResource,
    method: str,
    route: Route,
    keys: Sequence[tuple[str, str]],
    bindings: Bindings,
    host: str | None,
    *,
    private: bool,
) -> Json:
    mapped: Json = {f"integration.request.path.{name}": f"method.request.path.{name}" for name in resource.variables}
    # Overwritten, never appended: a client's own header of this name does not arrive.
    mapped[f"integration.request.header.{HEADER}"] = f"'{dispatch_name(route)}'"
    for name, value in (*route.request_headers.set, *route.request_headers.add):
        mapped[f"integration.request.header.{name}"] = f"'{value}'"  # no quote is in it (`capabilities`)
    for where, name in keys:
        kind = "querystring" if where == "query" else "header"
        mapped[f"integration.request.{kind}.{name}"] = f"method.request.{kind}.{name}"
    secure = bindings.certified and host is not None
    origin = f"https://{host}:443" if secure else "http://services.internal:80"
    found: Json = {
        "type": "http_proxy",
        "httpMethod": method,
        "uri": origin + _uri_path(resource, route, private=private),
        "connectionType": "VPC_LINK",
        "connectionId": "{{vpc_link}}",
        "integrationTarget": "{{services_balancer}}",
        "requestParameters": dict(sorted(mapped.items())),
        "passthroughBehavior": "when_no_match",
        "timeoutInMillis": max(50, route.timeout.request),
    }
    if keys or (route.cache and method == "GET"):
        # Path variables belong to the key too: without them all of {proxy+} would be one answer.
        found["cacheKeyParameters"] = sorted(
            [f"method.request.path.{name}" for name in resource.variables]
            + [f"method.request.{'querystring' if where == 'query' else 'header'}.{name}" for where, name in keys]
        )
    return found


def _uri_path(resource: ApiResource, route: Route, *, private: bool) -> str:
    """The path that the service sees, with the API's variables: the route's own, or rewritten. private: the first
    segment is the public balancer's."""
    original = tuple(resource.segments)[1 if private else 0 :]
    rewrite = route.rewrite
    below = _below(resource, route)
    if rewrite is None or (rewrite.prefix is None and rewrite.path is None):
        return "/" + "/".join(_plain(item) for item in original)
    if rewrite.prefix is not None:
        return (rewrite.prefix.rstrip("/") + "".join(f"/{item}" for item in below)) or "/"
    path = rewrite.path or PathPattern(())
    names = resource.names[route.key]
    parts = [_plain(names.get(item.text, item.text)) if item.variable else item.text for item in path.segments]
    parts += below if path.rest else ()
    return "/" + "/".join(parts)


def _plain(segment: str) -> str:
    return segment.replace("+}", "}")


def _below(resource: ApiResource, route: Route) -> tuple[str, ...]:
    """What ``/*`` of the route matched, in the API's segments."""
    return tuple(_plain(item) for item in resource.segments[len(route.path.segments) :])


# -- caches ------------------------------------------------------------------------------------------------------------


def _cache_keys(route: Route, edge: Edge) -> list[tuple[str, str]]:
    """What the key of a cached answer has beside the path: (``query`` or ``header``, name)."""
    cache = route.cache
    if cache is None:
        return []
    keys = [("query", name) for name in cache.query] + [("header", name) for name in cache.headers]
    if cache.share == "per_user" and route.auth is not None:
        for name in route.auth.authorizers:
            item = edge.authorizers[name]
            if isinstance(item, JwtAuthorizer | ApiKeyAuthorizer):
                where = "query" if item.source.kind == "query" else "header"
                keys.append((where, "Authorization" if item.source.name == "authorization" else item.source.name))
    return sorted(set(keys))


def _by_method(route: Route, method: str) -> bool:
    """Whether a method of an ``ANY`` route must stand by itself, since settings are made for methods."""
    return _throttled_by_route(route) or (method == "GET" and route.cache is not None)


def _throttled_by_route(route: Route) -> bool:
    return route.throttle is not None and route.throttle.per.kind == "route"


def method_path(resource: ApiResource, method: str) -> str:
    """As the settings of `RestApi` name a method: ``orders/{id}/GET`` without a leading slash, ``/GET`` at the root."""
    return f"{resource.path.lstrip('/')}/{method}"


def _settings(resource: ApiResource) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for method, route in resource.methods.items():
        settings: Json = {}
        if route.cache is not None and method == "GET":
            settings |= {"cache": True, "cache_ttl": route.cache.ttl // 1000}
        if _throttled_by_route(route) and route.throttle is not None:
            settings |= {"throttle_rate": route.throttle.per_second, "throttle_burst": route.throttle.burst}
        if settings:
            found[method_path(resource, method)] = settings
    return found


# -- CORS --------------------------------------------------------------------------------------------------------------


def _add_preflights(
    paths: dict[str, Json], resources: Sequence[ApiResource], routes: Sequence[Route], *, private: bool
) -> None:
    """OPTIONS of every resource with CORS: at its own path, or where the public balancer sends all preflights."""
    if private:
        allowed = [
            replace(route, path=PathPattern((Segment(PREFLIGHT), *route.path.segments), route.path.rest))
            for route in routes
        ]
        resources = api_resources(allowed) if any(route.cors for route in routes) else ()
    for resource in resources:
        found = [route for route in resource.methods.values() if route.cors]
        taken = resource.methods.get("OPTIONS")
        if not found or (taken is not None and taken.methods is not None and not private):
            continue
        cors = found[0].cors
        if cors is not None:
            paths.setdefault(resource.path, {})["options"] = _preflight(resource, cors)


def _preflight(resource: ApiResource, cors: Cors) -> Json:
    headers = {
        "Access-Control-Allow-Methods": ",".join(cors.methods),
        "Access-Control-Allow-Headers": ",".join(cors.allow_headers),
        "Access-Control-Max-Age": str(cors.max_age // 1000),
        "Vary": "Origin",
    }
    if cors.credentials:
        headers["Access-Control-Allow-Credentials"] = "true"
    if cors.origins == ("*",):
        headers["Access-Control-Allow-Origin"] = "*"
    headers = {name: value for name, value in headers.items() if value}
    names = sorted({*headers, "Access-Control-Allow-Origin"})
    answer: Json = {
        "statusCode": "200",
        "responseParameters": {f"method.response.header.{name}": f"'{headers[name]}'" for name in sorted(headers)},
        "responseTemplates": {"application/json": _origin_template(cors)},
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in resource.variables
    ]
    return {
        **({"parameters": parameters} if parameters else {}),
        "responses": {
            "200": {"description": "Preflight", "headers": {name: {"schema": {"type": "string"}} for name in names}}
        },
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "passthroughBehavior": "never",
            "responses": {"default": answer},
        },
    }


def _origin_template(cors: Cors) -> str:
    """Says the origin that asked, if it is one of those allowed: a header can name one only."""
    if cors.origins == ("*",):
        return ""
    tests = " || ".join(f'$origin == "{origin}"' for origin in cors.origins)
    return (
        '#set($origin = $input.params("origin"))'
        f"#if({tests})#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end"
    )


def _gateway_responses(routes: Sequence[Route]) -> Json:
    origins = {route.cors.origins for route in routes if route.cors}
    single = origins.pop() if len(origins) == 1 and all(route.cors for route in routes) else ()
    headers: Json = {}
    if len(single) == 1:
        headers["gatewayresponse.header.Access-Control-Allow-Origin"] = f"'{single[0]}'"
    found: Json = {}
    for name, status in _GATEWAY_RESPONSES.items():
        own = dict(headers)
        if name in ("THROTTLED", "QUOTA_EXCEEDED"):
            own["gatewayresponse.header.Retry-After"] = "'1'" if name == "THROTTLED" else "'3600'"
        if name == "UNAUTHORIZED":
            own["gatewayresponse.header.WWW-Authenticate"] = "'Bearer'"
        text = _PROBLEM % (status if status is not None else '"$context.status"')
        entry: Json = {"responseTemplates": {"application/json": text}}
        if status is not None:
            entry["statusCode"] = status
        if own:
            entry["responseParameters"] = own
        found[name] = entry
    return found


# -- usage plans -------------------------------------------------------------------------------------------------------


def usage_plans(edge: Edge, routes: Sequence[Route], resources: Sequence[ApiResource]) -> tuple[UsagePlan, ...]:
    """A plan for each API key authorizer that routes use: a key is in one plan of a stage only."""
    found: list[UsagePlan] = []
    for item in edge.authorizers.values():
        mine = [route for route in routes if route.auth and item.name in route.auth.authorizers]
        if not isinstance(item, ApiKeyAuthorizer) or not mine:
            continue
        quota = next((route.quota for route in mine if route.quota), None)
        buckets = {limit.bucket: limit for route in mine if (limit := route.throttle) is not None and _by_key(limit)}
        shared = (
            next(iter(buckets.values()))
            if len(buckets) == 1 and all(_by_key(route.throttle) for route in mine)
            else None
        )
        methods: dict[str, Json] = {}
        if shared is None:
            for resource in resources:
                for method, route in resource.methods.items():
                    if (
                        route.key in {one.key for one in mine}
                        and (limit := route.throttle) is not None
                        and _by_key(limit)
                    ):
                        whole = route is resource.any_route
                        methods[f"{resource.path}/{'ANY' if whole else method}"] = _rate(limit)
        found.append(
            UsagePlan(
                item.name,
                item.clients,
                _rate(shared) if shared else None,
                _quota(quota) if quota else None,
                dict(sorted(methods.items())),
            )
        )
    return tuple(found)


def _by_key(limit: Throttle | None) -> bool:
    return limit is not None and "api_key" in limit.per.order


def _rate(limit: Throttle) -> Json:
    return {"rate": limit.per_second, "burst": limit.burst}


def _quota(quota: Quota) -> Json:
    return {"limit": quota.limit, "period": quota.period.upper()}


def body_text(body: Json) -> str:
    """The body as it is sent: equal for equal bodies."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
