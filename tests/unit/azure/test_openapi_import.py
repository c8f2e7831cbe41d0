"""What an import takes of an OpenAPI document, drops of it, or refuses."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.azure.openapi_import import (
    MAX_DOCUMENT,
    check_document,
    content_format,
    link_format,
    normal_id,
    url_problems,
)

OK = {"responses": {"200": {"description": "it"}}}


def document(paths: Mapping[str, Any] | None = None, **more: Any) -> str:
    return json.dumps({"openapi": "3.0.3", "info": {"title": "shop", "version": "1"}, "paths": paths or {}, **more})


def get(path: str = "/a", **more: Any) -> dict[str, Any]:
    return {path: {"get": {**OK, **more}}}


def variable(name: str, where: str = "path", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "required": True, "schema": {"type": "string"}, **more}


FORMATS = [
    (document(), "openapi+json"),
    ("\ufeff " + document(), "openapi+json"),
    ("openapi: 3.0.3\ninfo: {title: shop}\n", "openapi"),
    ('{"swagger": "2.0", "info": {"title": "openapi"}}', "swagger-json"),
    ('{"info": {"title": "swagger"}, "openapi": "3.0.0"}', "openapi+json"),
    ("${other.Thing it.document}", "openapi+json"),
]


@pytest.mark.parametrize(("text", "wanted"), FORMATS)
def test_the_form_of_a_document_is_seen_in_its_text(text: str, wanted: str) -> None:
    assert content_format(text) == wanted


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://a.example/v1/openapi.yaml", "openapi-link"),
        ("https://a.example/openapi.yml?v=1", "openapi-link"),
        ("https://a.example/openapi.json", "openapi+json-link"),
        ("https://a.example/spec", "openapi+json-link"),
    ],
)
def test_the_form_of_a_linked_document_is_seen_in_its_address(url: str, wanted: str) -> None:
    assert link_format(url) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("getOrder", "getorder"),
        ("GET-/foo/{bar}?buzz={quix}", "get-foo-bar-buzz-quix"),
        ("x" * 90, "x" * 76),
        ("x" * 75 + "-y", "x" * 75),
    ],
)
def test_an_operations_id_is_normalised_as_azure_does(given: str, wanted: str) -> None:
    assert normal_id(given) == wanted


def test_ids_are_what_they_are_once_imported_also_without_one_in_the_document() -> None:
    paths = {"/a/{id}": {"get": {**OK, "operationId": "getA"}, "put": OK}}
    assert check_document(document(paths)).operation_ids == ("geta", "put-a-id")


def test_parameters_of_a_path_are_those_of_its_operations() -> None:
    paths = {"/a/{id}": {"parameters": [{"$ref": "#/components/parameters/id"}], "get": OK}}
    parts = {"parameters": {"id": variable("id")}}
    assert check_document(document(paths, components=parts)).problems == ()


def test_yaml_is_read_as_json_is() -> None:
    text = "openapi: 3.0.3\ninfo: {title: shop}\npaths:\n  /a:\n    get: {operationId: getA}\n"
    (problem,) = check_document(text).problems
    assert "GET /a has no responses" in problem


REFUSED: list[tuple[str, str]] = [
    ("x" * (MAX_DOCUMENT + 1), "4 MB are imported at most"),
    ("{", "no JSON"),
    ("a: [", "no YAML"),
    ("[]", "is no object"),
    ("openapi: 3.0.3\npaths: {}", "`info.title` is missing"),
    (document(openapi="3.2.0"), "OpenAPI `3.2.0` is not imported"),
    (document(openapi="4"), "OpenAPI `4` is not imported"),
    ('{"info": {"title": "a"}}', "neither `openapi` nor `swagger`"),
    ('{"swagger": "1.2", "info": {"title": "a"}}', "Swagger `1.2` is not imported"),
    ("swagger: '2.0'\ninfo: {title: a}", "as JSON only"),
    (document(get(parameters=[{"$ref": "other.yaml#/id"}])), "`other.yaml#/id` at /paths//a/get/parameters/0"),
    (document(get(operationId="a" * 81)), "81 characters; it has 80 at most"),
    (document(get(operationId="---")), "no letter and no digit"),
    (
        document({**get("/a", operationId="getA"), **get("/b", operationId="get_a".replace("_", ""))}),
        "GET /a and GET /b have the same operationId once it is imported, `geta`",
    ),
    (
        document({**get("/a", operationId="x" * 77), **get("/b", operationId="x" * 78)}),
        "have the same operationId once it is imported",
    ),
    (document({"/a": {"get": {}}}), "GET /a has no responses"),
    (document(get("a")), "a path begins with a slash"),
    (document(get("/{id}/b/{ID}", parameters=[variable("id"), variable("ID")])), "a variable is there twice"),
    (document(get("/a", parameters=[variable("id")])), "`id` is said to be in the path, and is not"),
    (
        document(get("/{id}", parameters=[variable("id"), variable("id", "query")])),
        "a variable of the path and a required query parameter",
    ),
    (
        document({**get("/{id}", operationId="a"), **get("/{name}", operationId="b")}),
        "GET /{name} and GET /{id} are the same template",
    ),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_would_not_be_imported_as_it_is_written_is_a_problem(text: str, said: str) -> None:
    assert [problem for problem in check_document(text).problems if said in problem]


WARNED: list[tuple[str, str]] = [
    (document(openapi="3.1.0"), "OpenAPI 3.1.0 is imported without what is new since 3.0.3"),
    (document(get(requestBody={"content": {}})), "bodies of GET /a are dropped"),
    (document(get(parameters=[variable("session", "cookie")])), "dropped at GET /a"),
    (document(get(servers=[{"url": "https://a.example"}])), "servers of an operation are dropped, at GET /a"),
    (document({"/a": {"trace": OK}}), "TRACE is not imported, at /a"),
    (document(servers=[{"url": "http://a.example"}]), "no server of the document has an https address"),
    (
        document(components={"schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}, "B": {"$ref": "#/components/schemas/A"}}}),
        "schemas that contain themselves are not supported: A, B",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WARNED, ids=[said for _, said in WARNED])
def test_what_is_dropped_without_an_error_is_a_warning(text: str, said: str) -> None:
    found = check_document(text)
    assert found.problems == ()
    assert [warning for warning in found.warnings if said in warning]


def test_a_plain_document_has_neither_problems_nor_warnings() -> None:
    components = {"schemas": {"A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}}, "B": {}}}
    text = document(
        get("/{id}", parameters=[variable("id")]), components=components, servers=[{"url": "https://a.example"}]
    )
    found = check_document(text)
    assert (found.problems, found.warnings) == ((), ())


def test_an_example_may_look_like_a_reference() -> None:
    text = document(components={"schemas": {"A": {"example": {"$ref": "other.yaml"}}}})
    assert check_document(text).problems == ()


def test_a_long_list_of_places_is_cut() -> None:
    paths = {f"/{n}": {"get": {**OK, "requestBody": {}}} for n in range(9)}
    (warning,) = check_document(document(paths)).warnings
    assert "and 4 more" in warning


def test_an_apis_url_is_short_and_without_slashes_at_its_ends() -> None:
    assert url_problems("p" * 127, None) == []
    assert "128 characters" in url_problems("p" * 128, None)[0]
    assert "128 characters" in url_problems("p" * 125, "v1")[0]
    assert "begins or ends with a slash" in url_problems("/shop", None)[0]
