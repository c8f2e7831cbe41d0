"""What an OpenAPI document says of who may call: for who reads it, since API Management asks by its policies."""

from typing import Any

import pytest

from edgewright.azure.compile import compile_edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data

AUTHORIZERS = {
    "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
    "page": {
        "jwt": {
            "issuer": "https://login.shop.example/",
            "audiences": ["api://shop"],
            "from": {"query": "access_token"},
        }
    },
    "partner": {"api_key": {"from": {"header": "x-api-key"}, "clients": ["acme"]}},
    "opaque": {"introspection": {"endpoint": "https://login.shop.example/introspect", "client": "edge"}},
}


def body(routes: dict[str, Any]) -> dict[str, Any]:
    spec = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "authorizers": AUTHORIZERS,
        "backends": {"orders": {"port": 8080}},
        "routes": {key: {"backend": "orders", **item} for key, item in routes.items()},
    }
    found = compile_edge(resolve(from_data(spec)), {}, "gateway-first", placeholders=True).api
    assert found is not None
    return found.body


def asked(auth: Any) -> Any:
    return body({"GET /orders": {"auth": auth}})["paths"]["/orders"]["get"]["security"]


@pytest.mark.parametrize("name", AUTHORIZERS)
def test_an_operation_names_the_authorizer_of_its_route(name: str) -> None:
    assert asked(name) == [{name: []}]


def test_what_everybody_may_call_says_so_with_an_empty_list() -> None:
    assert asked("none") == []


def test_where_routes_of_one_operation_differ_each_is_named_and_nothing_is_one_of_them() -> None:
    found = body(
        {
            "GET /orders (public)": {"auth": "none", "match": {"headers": {"x-kind": "public"}}},
            "GET /orders": {"auth": "main"},
        }
    )
    assert found["paths"]["/orders"]["get"]["security"] == [{}, {"main": []}]


def test_schemes_are_those_that_routes_ask_for_in_the_words_of_openapi() -> None:
    found = body({f"GET /{name}": {"auth": name} for name in AUTHORIZERS})
    assert found["components"]["securitySchemes"] == {
        "main": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "opaque": {"type": "http", "scheme": "bearer"},
        "page": {"type": "apiKey", "in": "query", "name": "access_token"},
        "partner": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }


def test_a_document_of_which_everybody_may_call_everything_has_no_schemes() -> None:
    assert "components" not in body({"GET /orders": {"auth": "none"}})
