"""Request validation on AWS: what a REST API is told to check, and what it is not asked to."""

from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.aws.compile import Topology, compile_edge
from edgewright.aws.compile_validation import draft4
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

ORDER = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}
OPENAPI: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "servers": [{"url": "https://api.shop.example"}],
    "x-edge": {"name": "shop", "backends": {"orders": {"port": 8080}}, "defaults": {"timeout": {"request": "29s"}}},
    "paths": {
        "/orders": {
            "parameters": [{"name": "trace", "in": "header", "required": True, "schema": {"type": "string"}}],
            "post": {
                "x-edge": {"validate": True},
                "parameters": [{"$ref": "#/components/parameters/page"}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Order"}},
                        "text/plain": {"schema": {"type": "string"}},
                    },
                },
                "responses": {"204": {"description": "done"}},
            },
            "get": {"responses": {"200": {"description": "all"}}},
        }
    },
    "components": {
        "parameters": {"page": {"name": "page", "in": "query", "required": True, "schema": {"type": "integer"}}},
        "schemas": {
            "Order": {
                "type": "object",
                "description": "An order",
                "required": ["sku"],
                "properties": {"sku": {"$ref": "#/components/schemas/Sku"}, "title": {"type": "string"}},
            },
            "Sku": {"type": "string", "maxLength": 20, "example": "a-1"},
        },
    },
}


def body_of(data: Mapping[str, Any], topology: Topology = "gateway-first") -> dict[str, Any]:
    rest = compile_edge(resolve(from_data(data)), {}, topology, placeholders=True).rest
    assert rest is not None
    return rest.body


def spec(validate: Any, key: str = "POST /orders") -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "defaults": {"timeout": {"request": "29s"}},
        "routes": {key: {"backend": "orders", "validate": validate}},
    }


def operation(**more: Any) -> dict[str, Any]:
    return {"operation": {"bodies": {"application/json": ORDER}, **more}}


def test_an_operation_of_an_openapi_document_is_checked_with_its_references_written_out() -> None:
    body = body_of(OPENAPI)
    post = body["paths"]["/orders"]["post"]
    assert post["x-amazon-apigateway-request-validator"] == "all"
    assert [(item["in"], item["name"], item["required"]) for item in post["parameters"]] == [
        ("header", "trace", True),
        ("query", "page", True),
    ]
    assert post["requestBody"]["required"] is True
    name = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert body["components"]["schemas"][name] == {
        "type": "object",
        "required": ["sku"],
        "properties": {"sku": {"type": "string", "maxLength": 20}, "title": {"type": "string"}},
    }
    assert list(post["requestBody"]["content"]) == ["application/json"]


def test_an_operation_that_does_not_ask_is_not_checked() -> None:
    get = body_of(OPENAPI)["paths"]["/orders"]["get"]
    assert not {"x-amazon-apigateway-request-validator", "requestBody", "parameters"} & set(get)


@pytest.mark.parametrize(
    ("validate", "name"),
    [
        (operation(), "all"),
        ({"parameters": False, **operation()}, "body"),
        ({"body": False, **operation()}, "parameters"),
    ],
)
def test_parts_of_a_request_may_be_left_out(validate: Any, name: str) -> None:
    body = body_of(spec(validate))
    post = body["paths"]["/orders"]["post"]
    assert post["x-amazon-apigateway-request-validator"] == name
    assert list(body["x-amazon-apigateway-request-validators"]) == [name]
    assert ("requestBody" in post) == (name != "parameters")


def test_validation_decides_for_a_rest_api_and_the_plan_says_so() -> None:
    artifact = compile_edge(resolve(from_data(spec(operation()))), {}, "gateway-first", placeholders=True)
    assert artifact.http is None
    assert any("Route.validation of POST /orders" in reason for reason in artifact.decisions)


def test_it_holds_in_a_private_api_behind_a_balancer_too() -> None:
    paths = body_of(spec(operation()), "balancer-first")["paths"]
    assert paths["/edge.public/orders"]["post"]["x-amazon-apigateway-request-validator"] == "all"


@pytest.mark.parametrize(
    ("validate", "topology", "said"),
    [
        (True, "gateway-first", "there is no operation to check requests against"),
        (operation(), "balancer-only", "a load balancer checks no requests"),
        (operation(bodies={"application/json": {"if": {}, "then": {}}}), "gateway-first", "JSON Schema draft 4"),
    ],
)
def test_what_cannot_be_checked_is_refused(validate: Any, topology: Topology, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        compile_edge(resolve(from_data(spec(validate))), {}, topology, placeholders=True)


def test_a_property_may_have_the_name_of_a_word() -> None:
    shape = {"type": "object", "properties": {"if": {"type": "string"}, "const": {"type": "string"}}}
    schemas = body_of(spec(operation(bodies={"application/json": shape})))["components"]["schemas"]
    assert list(schemas.values()) == [shape]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"const": 1}, {"enum": [1]}),
        ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"minimum": 0, "exclusiveMinimum": True}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"items": {"type": ["string", "null"]}}, {"items": {"type": "string", "nullable": True}}),
        ({"additionalProperties": False}, {"additionalProperties": False}),
    ],
)
def test_words_of_newer_json_schema_are_said_as_openapi_3_0_does(given: Any, written: Any) -> None:
    assert draft4(given) == written


def test_a_schema_that_contains_itself_is_refused_with_its_line() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Order"}}}
    components = {**OPENAPI["components"], "schemas": {"Order": node}}
    with pytest.raises(SpecError, match="this schema contains itself"):
        resolve(from_data({**OPENAPI, "components": components}))


def test_schemas_that_grow_without_end_are_refused() -> None:
    schemas: dict[str, Any] = {"S0": {"type": "string"}}
    for number in range(1, 30):
        part = {"$ref": f"#/components/schemas/S{number - 1}"}
        schemas[f"S{number}"] = {"type": "object", "properties": {"a": part, "b": part}}
    schemas["Order"] = {"$ref": "#/components/schemas/S29"}
    with pytest.raises(SpecError, match="more than 5000 parts"):
        resolve(from_data({**OPENAPI, "components": {**OPENAPI["components"], "schemas": schemas}}))
