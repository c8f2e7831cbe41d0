"""An HTTP API as one OpenAPI body: routes, authorizers, CORS, and integrations that many routes share."""

from collections.abc import Mapping, Sequence

from edgewright.aws.artifact import Http, Json
from edgewright.aws.bindings import Bindings
from edgewright.aws.compile_groups import Group, groups_of
from edgewright.aws.compile_rest import body_text
from edgewright.aws.compile_services import HEADER, dispatch_name
from edgewright.clouds.path_table import ApiResource, api_resources
from edgewright.edge.model import Cors, Edge, HeaderChange, JwtAuthorizer, Route

_VERBS = {
    "GET": "get",
    "HEAD": "head",
    "POST": "post",
    "PUT": "put",
    "PATCH": "patch",
    "DELETE": "delete",
    "OPTIONS": "options",
}
_ANY = "x-amazon-apigateway-any-method"


def compile_http(edge: Edge, routes: Sequence[Route], bindings: Bindings, host: str | None) -> Http:
    """The API of these routes (no WebSocket ones). host: the edge's, for TLS to the services' balancer."""
    groups = groups_of(edge, routes)
    resources = api_resources(routes)
    integrations: dict[str, Json] = {}
    paths: dict[str, Json] = {}
    throttles: dict[str, Json] = {}
    for resource in resources:
        operations: Json = {}
        whole = resource.any_route
        chosen = {method: route for method, route in resource.methods.items() if route is not whole}
        for method, route in [*chosen.items(), *([("ANY", whole)] if whole is not None else [])]:
            name = _integration_name(resource, route, integrations, bindings, host)
            operations[_ANY if method == "ANY" else _VERBS[method]] = _operation(resource, groups[route.key], name)
            if route.throttle is not None and route.throttle.per.kind == "route":
                key = f"{method} {resource.path}"
                throttles[key] = {"rate": route.throttle.per_second, "burst": route.throttle.burst}
        paths[resource.path] = operations
    body: Json = {
        "openapi": "3.0.1",
        "info": {"title": edge.name, "version": "1"},
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": _schemes(edge, groups),
            "x-amazon-apigateway-integrations": dict(sorted(integrations.items())),
        },
    }
    cors = next((route.cors for route in routes if route.cors), None)
    if cors is not None:
        body["x-amazon-apigateway-cors"] = _cors(cors)
    return Http(body, dict(sorted(throttles.items())))


def _operation(resource: ApiResource, group: Group, integration: str) -> Json:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in resource.variables
    ]
    found: Json = {
        "parameters": parameters,
        "responses": {"default": {"description": "What the service answers"}},
        "security": _security(group),
        "x-amazon-apigateway-integration": {"$ref": f"#/components/x-amazon-apigateway-integrations/{integration}"},
    }
    # An empty list says that everybody may call it; nothing at all would say that nobody thought of it.
    return {key: value for key, value in found.items() if value or key == "security"}


def _security(group: Group) -> list[Json]:
    """A token passes with at least one of the scopes; the compiler sends routes that need several to a REST API."""
    if group.auth is None or group.kind == "mtls":  # the domain asks for certificates
        return []
    return [{group.auth.authorizers[0]: list(group.auth.scopes or group.auth.any_scope)}]


def _schemes(edge: Edge, groups: Mapping[str, Group]) -> Json:
    asking = [group for group in groups.values() if group.kind != "mtls"]
    names = sorted({name for group in asking if group.auth for name in group.auth.authorizers})
    found: Json = {}
    for name in names:
        item = edge.authorizers[name]
        if not isinstance(item, JwtAuthorizer):
            raise TypeError(item)
        where = "querystring" if item.source.kind == "query" else "header"
        source = "Authorization" if item.source.name == "authorization" else item.source.name
        found[name] = {
            "type": "oauth2",
            "flows": {},
            "x-amazon-apigateway-authorizer": {
                "type": "jwt",
                "jwtConfiguration": {"issuer": item.issuer, "audience": list(item.audiences)},
                "identitySource": f"$request.{where}.{source}",
            },
        }
    return found


# -- integrations ------------------------------------------------------------------------------------------------------


def _integration_name(
    resource: ApiResource, route: Route, integrations: dict[str, Json], bindings: Bindings, host: str | None
) -> str:
    """The name of the route's integration; those that would be equal are one (an API has 300 at most)."""
    integration = _integration(resource, route, bindings, host)
    base = dispatch_name(route).replace(".", "-")
    number, name = 1, base
    text = body_text(integration)
    while name in integrations and body_text(integrations[name]) != text:
        number += 1
        name = f"{base}-{number}"
    integrations[name] = integration
    return name


def _integration(resource: ApiResource, route: Route, bindings: Bindings, host: str | None) -> Json:
    mapped: Json = {f"overwrite:header.{HEADER}": dispatch_name(route)}
    mapped |= _changes(route.request_headers)
    if path := _path(resource, route):
        mapped["overwrite:path"] = path
    found: Json = {
        "type": "http_proxy",
        "httpMethod": "ANY",
        "uri": "{{services_listener}}",
        "connectionType": "VPC_LINK",
        "connectionId": "{{vpc_link}}",
        "payloadFormatVersion": "1.0",
        "requestParameters": dict(sorted(mapped.items())),
        "timeoutInMillis": max(50, route.timeout.request),
    }
    answers = _changes(route.response_headers)
    if answers:
        found["responseParameters"] = {
            status: dict(sorted(answers.items()))
            for status in ("200", "201", "204", "400", "401", "403", "404", "500", "503")
        }
    if bindings.certified and host is not None:
        found["tlsConfig"] = {"serverNameToVerify": host}
    return found


def _changes(change: HeaderChange) -> Json:
    found: Json = {f"remove:header.{name}": "''" for name in change.remove}
    found |= {f"overwrite:header.{name}": value for name, value in change.set}
    found |= {f"append:header.{name}": value for name, value in change.add}
    return found


def _path(resource: ApiResource, route: Route) -> str:
    """The path that the service sees, if it is another than the request's."""
    rewrite = route.rewrite
    if rewrite is None or (rewrite.prefix is None and rewrite.path is None):
        return ""
    below = "".join(f"/{_variable(item)}" for item in resource.segments[len(route.path.segments) :])
    if rewrite.prefix is not None:
        return (rewrite.prefix.rstrip("/") + below) or "/"
    if rewrite.path is None:
        return ""
    names = resource.names[route.key]
    parts = [
        _variable(names.get(item.text, item.text)) if item.variable else item.text for item in rewrite.path.segments
    ]
    return "".join(f"/{part}" for part in parts) + (below if rewrite.path.rest else "") or "/"


def _variable(segment: str) -> str:
    return f"$request.path.{segment[1:-1].removesuffix('+')}" if segment.startswith("{") else segment


def _cors(cors: Cors) -> Json:
    found: Json = {
        "allowOrigins": list(cors.origins),
        "allowMethods": list(cors.methods),
        "allowHeaders": list(cors.allow_headers),
        "exposeHeaders": list(cors.expose_headers),
        "allowCredentials": cors.credentials,
        "maxAge": min(86_400, cors.max_age // 1000),
    }
    return {key: value for key, value in found.items() if value != []}
