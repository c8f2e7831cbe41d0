"""The OpenAPI bodies that API Gateway imports: nothing in them is refused or ignored, and the lint that says so can fail."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgewright.aws.compile import Topology, compile_edge
from edgewright.aws.compile_rest import body_text
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, load
from edgewright.spec.problems import SpecError

from .openapi_lint import ANY, INTEGRATION, Kind, problems

REPOSITORY = Path(__file__).parents[3]
SPECS = sorted(
    path for folder in ("stacks", "examples", "tests/golden") for path in (REPOSITORY / folder).rglob("*.edge.yaml")
)


def bodies(spec: Path) -> Iterator[tuple[str, Kind, dict[str, Any]]]:
    """The bodies of a spec, by topology and kind; none where the topology does not carry the spec."""
    cases: list[tuple[Topology, str]] = [("balancer-first", ""), ("gateway-first", "http"), ("gateway-first", "rest")]
    for topology, gateway in cases:
        try:
            bound = {"gateway": gateway} if gateway else {}
            artifact = compile_edge(resolve(load(spec)), bound, topology, placeholders=True)
        except SpecError:
            continue
        if artifact.rest is not None:
            yield f"{topology} rest", "rest", artifact.rest.body
        if artifact.http is not None:
            yield f"{topology} http", "http", artifact.http.body


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_api_gateway_would_take_the_bodies_of_a_spec(spec: Path) -> None:
    for name, kind, body in bodies(spec):
        assert problems(body, kind) == [], name
        assert json.loads(body_text(body)) == body, name


def test_there_are_bodies_of_each_kind_among_them() -> None:
    kinds = [name for spec in SPECS for name, _, _ in bodies(spec)]
    assert min(kinds.count(f"{topology} {kind}") for topology, kind in _KINDS) >= 3


_KINDS = (("balancer-first", "rest"), ("gateway-first", "rest"), ("gateway-first", "http"))


def test_a_body_of_a_thousand_routes_is_well_below_what_may_be_imported() -> None:
    spec = {
        "name": "large",
        "listener": {"host": "api.shop.example"},
        "backends": {f"b{number}": {"port": 8080} for number in range(10)},
        "defaults": {"timeout": {"request": "10s"}},
        "routes": {f"GET /r{number}/{{id}}": f"b{number % 10}" for number in range(1000)},
    }
    limits = {"rest_resources": 3000, "alb_rules": 200}
    rest = compile_edge(
        resolve(from_data(spec)), {"gateway": "rest", "limits": limits}, "gateway-first", placeholders=True
    ).rest
    assert rest is not None
    assert len(body_text(rest.body)) < 2 * 1024 * 1024


# -- the lint can fail -------------------------------------------------------------------------------------------------

Body = dict[str, Any]
REST = {
    "name": "shop",
    "listener": {"host": "api.shop.example"},
    "authorizers": {
        "main": {
            "jwt": {
                "issuer": "https://a.example/",
                "audiences": ["a"],
                "jwks_uri": "https://a.example/keys",
                "algorithms": ["ES256"],
            }
        },
        "keys": {"api_key": {"from": {"header": "x-api-key"}, "clients": ["acme"]}},
    },
    "backends": {"orders": {"port": 8080}, "partners": {"port": 8081}},
    "defaults": {
        "auth": "main",
        "timeout": {"request": "29s"},
        "cors": {"allow_origins": ["https://www.shop.example"]},
    },
    "routes": {
        "GET /orders/{id}": {
            "backend": "orders",
            "cache": {"ttl": "60s", "share": "per_user", "vary_by": {"query": ["page"]}},
        },
        "ANY /partners/*": {"backend": "partners", "auth": "keys"},
    },
}
HTTP = {
    "name": "shop",
    "listener": {"host": "api.shop.example"},
    "authorizers": {"main": {"jwt": {"issuer": "https://a.example/", "audiences": ["a"]}}},
    "backends": {"orders": {"port": 8080}},
    "defaults": {
        "auth": "main",
        "timeout": {"request": "29s"},
        "cors": {"allow_origins": ["https://www.shop.example"]},
    },
    "routes": {"GET /orders/{id}": {"backend": "orders", "rewrite": {"path": "/v2/{id}"}}},
}


def good(kind: Kind) -> Body:
    artifact = compile_edge(
        resolve(from_data(REST if kind == "rest" else HTTP)), {}, "gateway-first", placeholders=True
    )
    made = artifact.rest if kind == "rest" else artifact.http
    assert made is not None
    return copy.deepcopy(made.body)


def get(body: Body) -> Any:
    return body["paths"]["/orders/{id}"]["get"]


def way(body: Body) -> Any:
    return get(body)[INTEGRATION]


def shared(body: Body) -> Any:
    return next(iter(body["components"]["x-amazon-apigateway-integrations"].values()))


def scheme(body: Body) -> Any:
    return body["components"]["securitySchemes"]["main"]["x-amazon-apigateway-authorizer"]


def response(body: Body, name: str) -> Any:
    return body["x-amazon-apigateway-gateway-responses"][name]


MUTATIONS: dict[str, tuple[Kind, Callable[[Body], Any]]] = {
    "OpenAPI 3.1": ("rest", lambda body: body.update(openapi="3.1.0")),
    "no title": ("rest", lambda body: body["info"].pop("title")),
    "security at the root": ("rest", lambda body: body.update(security=[{"main": []}])),
    "an extension that is none": ("rest", lambda body: body.update({"x-amazon-apigateway-nonsense": {}})),
    "cors on a REST API": ("rest", lambda body: body.update({"x-amazon-apigateway-cors": {}})),
    "a method that is none": ("rest", lambda body: body["paths"]["/orders/{id}"].update(fetch={"responses": {}})),
    "a path without its slash": ("rest", lambda body: body["paths"].update(orders={})),
    "two names on one level": ("rest", lambda body: body["paths"].update({"/orders/{number}/a": {}})),
    "a greedy variable within": ("rest", lambda body: body["paths"].update({"/a/{proxy+}/b": {}})),
    "two paths that are one": ("rest", lambda body: body["paths"].update({"/orders/{other}": {}})),
    "API Gateway's own path": ("rest", lambda body: body["paths"].update({"/ping": {}})),
    "a variable that is not declared": ("rest", lambda body: get(body).update(parameters=[])),
    "a parameter that is not in the path": ("rest", lambda body: get(body)["parameters"].append({"name": "x", "in": "path", "required": True, "schema": {"type": "string"}})),
    "a scheme that is not there": ("rest", lambda body: get(body).update(security=[{"other": []}])),
    "a validator that is not there": ("rest", lambda body: get(body).update({"x-amazon-apigateway-request-validator": "all"})),
    "an extension of an operation that is none": ("rest", lambda body: get(body).update({"x-amazon-apigateway-auth": {}})),
    "no integration": ("rest", lambda body: get(body).pop(INTEGRATION)),
    "a field of an integration that is none": ("rest", lambda body: way(body).update(integration_target="x")),
    "a type that is none": ("rest", lambda body: way(body).update(type="HTTP")),
    "a timeout that is too long": ("rest", lambda body: way(body).update(timeoutInMillis=300_001)),
    "a link without a target": ("rest", lambda body: way(body).pop("integrationTarget")),
    "a link without an id": ("rest", lambda body: way(body).pop("connectionId")),
    "a connection that is none": ("rest", lambda body: way(body).update(connectionType="VPC")),
    "a way through that is none": ("rest", lambda body: way(body).update(passthroughBehavior="always")),
    "no address": ("rest", lambda body: way(body).update(uri="")),
    "an address that is none": ("rest", lambda body: way(body).update(uri="orders:8080")),
    "a variable that nothing is mapped to": ("rest", lambda body: way(body).update(uri="https://a.example/{other}")),
    "a mapping to nowhere": ("rest", lambda body: way(body)["requestParameters"].update({"request.header.x": "'1'"})),
    "a mapping from nowhere": ("rest", lambda body: way(body)["requestParameters"].update({"integration.request.header.x": "1"})),
    "a mapping of what is not declared": ("rest", lambda body: way(body)["requestParameters"].update({"integration.request.header.x": "method.request.header.x"})),
    "a quote within a value": ("rest", lambda body: way(body)["requestParameters"].update({"integration.request.header.x": "'a'b'"})),
    "a cache key that is not declared": ("rest", lambda body: way(body)["cacheKeyParameters"].append("method.request.querystring.q")),
    "a mock that says no status": ("rest", lambda body: body["paths"]["/orders/{id}"]["options"][INTEGRATION].pop("requestTemplates")),
    "a mock's header that is not described": ("rest", lambda body: body["paths"]["/orders/{id}"]["options"]["responses"]["200"].pop("headers")),
    "a gateway response that is none": ("rest", lambda body: body["x-amazon-apigateway-gateway-responses"].update(TOO_MANY={})),
    "a status on a default response": ("rest", lambda body: response(body, "DEFAULT_4XX").update(statusCode=400)),
    "a gateway response's header that is none": ("rest", lambda body: response(body, "THROTTLED").update(responseParameters={"header.x": "'1'"})),
    "an authorizer that is none": ("rest", lambda body: scheme(body).update(type="jwt")),
    "an authorizer without a function": ("rest", lambda body: scheme(body).pop("authorizerUri")),
    "an authorizer that remembers too long": ("rest", lambda body: scheme(body).update(authorizerResultTtlInSeconds=3601)),
    "an authorizer that remembers by nothing": ("rest", lambda body: scheme(body).update(identitySource="")),
    "an identity source that is none": ("rest", lambda body: scheme(body).update(identitySource="$request.header.X")),
    "a key in another header": ("rest", lambda body: body["components"]["securitySchemes"]["api-key"].update(name="x-key")),
    "a reference that leads nowhere": ("http", lambda body: get(body).update({INTEGRATION: {"$ref": "#/components/x-amazon-apigateway-integrations/none"}})),
    "a type that HTTP APIs do not have": ("http", lambda body: shared(body).update(type="mock")),
    "a target on an HTTP API": ("http", lambda body: shared(body).update(integrationTarget="x")),
    "a timeout over 30 s on an HTTP API": ("http", lambda body: shared(body).update(timeoutInMillis=30_001)),
    "a header of API Gateway's own": ("http", lambda body: shared(body)["requestParameters"].update({"overwrite:header.X-Forwarded-For": "1"})),
    "a change that is none": ("http", lambda body: shared(body)["requestParameters"].update({"set:header.x": "1"})),
    "a path's variable that is not there": ("http", lambda body: shared(body)["requestParameters"].update({"overwrite:path": "/$request.path.other"})),
    "an answer of no status": ("http", lambda body: shared(body).update(responseParameters={"default": {"overwrite:header.x": "1"}})),
    "a jwt authorizer without an audience": ("http", lambda body: scheme(body)["jwtConfiguration"].update(audience=[])),
    "a jwt authorizer that looks nowhere": ("http", lambda body: scheme(body).update(identitySource="method.request.header.Authorization")),
    "every origin with credentials": ("http", lambda body: body["x-amazon-apigateway-cors"].update(allowCredentials=True, allowOrigins=["*"])),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_the_body_that_is_changed_below_is_good(kind: Kind) -> None:
    body = good(kind)
    assert problems(body, kind) == []
    if kind == "rest":
        assert ANY in body["paths"]["/partners/{proxy+}"]


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_lint_finds(name: str) -> None:
    kind, change = MUTATIONS[name]
    body = good(kind)
    change(body)
    assert problems(body, kind)
