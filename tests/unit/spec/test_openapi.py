"""OpenAPI documents: what becomes of their parts, and the lines that problems point to."""

from typing import Any

import pytest

from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, parse
from edgewright.spec.model import Auth, EdgeSpec
from edgewright.spec.problems import SpecError

JWT = {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}
SCHEMES: dict[str, Any] = {
    "main": {"type": "http", "scheme": "bearer", "x-edge": JWT},
    "login": {"type": "oauth2", "flows": {"clientCredentials": {"scopes": {"read": "", "write": ""}}}, "x-edge": JWT},
    "key": {"type": "apiKey", "in": "query", "name": "k", "x-edge": {"clients": ["acme"]}},
}


def document(operation: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An OpenAPI document with one operation, `GET /a`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://api.shop.example"}],
        "x-edge": {"backends": {"orders": {"port": 8080}}},
        "paths": {"/a": {"get": operation or {}}},
        "components": {"securitySchemes": SCHEMES},
        **changes,
    }


def spec(operation: dict[str, Any] | None = None, **changes: Any) -> EdgeSpec:
    return from_data(document(operation, **changes)).spec


def auth(security: list[dict[str, list[str]]]) -> Any:
    return spec({"security": security}).routes["GET /a"].auth


def errors(operation: dict[str, Any] | None = None, **changes: Any) -> str:
    with pytest.raises(SpecError) as caught:
        from_data(document(operation, **changes))
    return str(caught.value)


def warnings(operation: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    return [problem.what for problem in from_data(document(operation, **changes)).warnings]


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.1", 3.0, 3.1])
def test_versions_3_0_and_3_1_are_read(version: object) -> None:
    assert list(spec(openapi=version).routes) == ["GET /a"]


@pytest.mark.parametrize("version", ["2.0", "3.2.0", "4", 3, None])
def test_other_versions_are_refused(version: object) -> None:
    assert "is not a version that is read here" in errors(openapi=version)


@pytest.mark.parametrize(
    ("url", "listener", "route"),
    [
        ("https://api.shop.example", ("api.shop.example", None, "https"), "GET /a"),
        ("https://api.shop.example:443/", ("api.shop.example", None, "https"), "GET /a"),
        ("http://api.shop.example:8080/v1/", ("api.shop.example", 8080, "http"), "GET /v1/a"),
        ("wss://API.shop.example", ("api.shop.example", None, "https"), "GET /a"),
    ],
)
def test_the_first_server_is_the_listener_and_the_path_before_routes(url: str, listener: Any, route: str) -> None:
    found = spec(servers=[{"url": url}])
    assert found.listener is not None
    assert ((*found.listener.host,)[0], found.listener.port, found.listener.protocol) == listener
    assert list(found.routes) == [route]


def test_a_relative_server_is_only_a_path() -> None:
    found = spec(
        servers=[{"url": "/v1"}], **{"x-edge": {"backends": {"orders": {"port": 1}}, "listener": {"port": 8443}}}
    )
    assert found.listener is not None
    assert (found.listener.host, list(found.routes)) == ((), ["GET /v1/a"])


def test_the_listener_of_x_edge_adds_to_the_server() -> None:
    edge = {"backends": {"orders": {"port": 1}}, "listener": {"port": 9443, "tls": {"min_version": "1.3"}}}
    found = spec(**{"x-edge": edge}).listener
    assert found is not None
    assert (found.host, found.port, found.tls and found.tls.min_version) == (("api.shop.example",), 9443, "1.3")


@pytest.mark.parametrize("url", ["ftp://a.example", "https://", "https://[", "https://a.example:port"])
def test_a_server_that_is_no_url_is_a_problem(url: str) -> None:
    assert "servers[0].url" in errors(servers=[{"url": url}])


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ([{"main": []}], Auth(authorizer=("main",))),
        ([{"main": ["a", "b"]}], Auth(authorizer=("main",), scopes=("a", "b"))),
        ([{"main": ["a"]}, {"login": ["a"]}], Auth(authorizer=("main", "login"), scopes=("a",))),
        ([{"main": []}, {"key": []}], Auth(authorizer=("main", "key"))),
        ([{"login": ["read"]}, {"login": ["write"]}], Auth(authorizer=("login",), any_scope=("read", "write"))),
        ([], "none"),
        ([{}], "none"),
    ],
)
def test_security_is_auth(security: Any, expected: object) -> None:
    assert auth(security) == expected


@pytest.mark.parametrize(
    ("security", "text"),
    [
        ([{"main": [], "key": []}], "it needs `main` and `key` at once"),
        ([{"main": []}, {}], "`{}` lets everybody in"),
        ([{"main": ["a"]}, {"key": []}], "its alternatives ask for different scopes"),
        ([{"login": ["read", "write"]}, {"login": ["read"]}], "its alternatives ask for different scopes"),
        ([{"mian": []}], "there is no security scheme `mian`; did you mean `main`?"),
        ([{"main": "a"}], "scopes are a list of texts"),
        ({"main": []}, "`security` is a list of mappings"),
        (["main"], "`security` is a list of mappings"),
        (None, "`security` is a list of mappings"),
    ],
)
def test_security_that_the_edge_cannot_check_is_an_error_of_the_route(security: Any, text: str) -> None:
    assert f'route "GET /a": auth: {text}' in errors({"security": security})


def test_the_documents_security_without_a_value_does_not_let_everybody_in() -> None:
    assert "security: `security` is a list of mappings" in errors(security=None)


def test_a_requirement_with_a_key_that_is_no_text_does_not_let_everybody_in() -> None:
    assert "`security` is a list of mappings" in errors({"security": [{0: []}]})


def test_the_documents_security_is_the_default_and_an_operations_own_replaces_it() -> None:
    paths = {"/a": {"get": {}, "post": {"security": []}}}
    found = spec(security=[{"main": ["read"]}], paths=paths)
    assert found.defaults.auth == Auth(authorizer=("main",), scopes=("read",))
    assert (found.routes["GET /a"].auth, found.routes["POST /a"].auth) == (None, "none")


def test_the_result_resolves() -> None:
    edge = resolve(from_data(document({"security": [{"login": ["read"]}]})))
    assert [route.key for route in edge.routes] == ["GET /a"]
    assert list(edge.authorizers) == ["login"]


def test_x_edge_auth_goes_before_security() -> None:
    found = spec({"security": [{"main": [], "key": []}], "x-edge": {"auth": "none"}})
    assert found.routes["GET /a"].auth == "none"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"paths": {"/a": {"get": {"security": [{"main": []}], "x-edge": {"auth": "none"}}}}}, "paths./a.get.security"),
        ({"paths": {"/a": {"get": {"security": [{"main": []}]}, "x-edge": {"auth": "none"}}}}, "paths./a.get.security"),
        (
            {"security": [{"main": []}], "x-edge": {"name": "a", "backend": "b", "defaults": {"auth": "none"}}},
            "security",
        ),
    ],
)
def test_security_that_x_edge_opens_or_replaces_from_further_out_is_warned_of(changes: Any, place: str) -> None:
    [warning] = [item for item in from_data(document(**changes)).warnings if "goes before it" in item.what]
    assert warning.what == "`security` is not used: `auth` in `x-edge` goes before it"
    assert warning.field == place


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ({"type": "http", "scheme": "Bearer", "x-edge": JWT}, "jwt"),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://a.example/x", "x-edge": JWT}, "jwt"),
        ({"type": "mutualTLS"}, "mtls"),
        ({"type": "apiKey", "in": "header", "name": "X-Key", "x-edge": {"clients": ["acme"]}}, "api_key"),
        (
            {"type": "http", "scheme": "bearer", "x-edge": {"oidc": {"issuer": "https://a.example", "client": "c"}}},
            "oidc",
        ),
    ],
)
def test_schemes_are_authorizers(scheme: dict[str, Any], expected: str) -> None:
    found = spec({"security": [{"s": []}]}, components={"securitySchemes": {"s": scheme}}).authorizers["s"]
    assert getattr(found, expected) is not None


def test_an_api_key_is_taken_from_where_the_scheme_says() -> None:
    key = spec({"security": [{"key": []}]}).authorizers["key"].api_key
    assert key is not None
    assert (key.source.query, key.source.header) == ("k", None)


def test_the_issuer_of_openid_connect_is_derived_with_a_warning() -> None:
    scheme = {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://a.example/t/.well-known/openid-configuration",
        "x-edge": {"audiences": "a"},
    }
    found = from_data(document({"security": [{"s": []}]}, components={"securitySchemes": {"s": scheme}}))
    jwt = found.spec.authorizers["s"].jwt
    assert jwt is not None
    assert jwt.issuer == "https://a.example/t"
    assert "without a slash at its end" in found.warnings[0].what


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ({"type": "http", "scheme": "bearer"}, "does not say its `issuer` and `audiences`"),
        ({"type": "oauth2", "flows": {}, "x-edge": {"issuer": "https://a/"}}, "does not say its `audiences`"),
        ({"type": "apiKey", "in": "header", "name": "k"}, "does not say its `clients`"),
        ({"type": "apiKey", "in": "body", "name": "k"}, 'expected header, query or cookie, got "body"'),
        ({"type": "http", "scheme": "basic"}, 'does not check the HTTP scheme "basic"'),
        ({"type": "oauth"}, "did you mean `oauth2`?"),
        ({}, "`s` has no `type`"),
        ([], "expected a mapping, got an empty list"),
        ({"$ref": "#/components/securitySchemes/s"}, "leads back to itself"),
        ({"type": "mutualTLS", "x-edge": {"subject": ["a"]}}, "did you mean `subjects`?"),
    ],
)
def test_a_scheme_that_the_edge_cannot_check_is_an_error(scheme: Any, text: str) -> None:
    assert text in errors({"security": [{"s": []}]}, components={"securitySchemes": {"s": scheme}})


def test_schemes_get_names_of_ours() -> None:
    schemes = {"bearerAuth": SCHEMES["main"], "API_Key.2": SCHEMES["key"]}
    found = spec({"security": [{"bearerAuth": []}, {"API_Key.2": []}]}, components={"securitySchemes": schemes})
    assert set(found.authorizers) == {"bearer-auth", "api-key"}


def test_an_authorizer_of_x_edge_goes_before_the_scheme_of_its_name() -> None:
    edge = {"backends": {"orders": {"port": 1}}, "authorizers": {"main": {"mtls": {}}}}
    found = spec({"security": [{"main": []}]}, **{"x-edge": edge})
    assert found.authorizers["main"].mtls is not None


def test_the_operations_x_edge_goes_before_the_paths() -> None:
    item = {
        "x-edge": {"timeout": {"request": "9s"}, "throttle": "none"},
        "get": {"x-edge": {"timeout": {"request": "1s"}}},
    }
    found = spec(paths={"/a": item}).routes["GET /a"]
    assert found.timeout is not None
    assert (found.timeout.request, found.throttle) == ("1s", "none")


def test_a_text_in_x_edge_is_the_backend() -> None:
    edge = {"backends": {"orders": {"port": 1}, "payments": {"port": 2}}, "backend": "orders"}
    found = spec(paths={"/a": {"get": {}, "post": {"x-edge": "payments"}}}, **{"x-edge": edge}).routes
    assert (found["GET /a"].backend, found["POST /a"].backend) == ({"orders": 100}, {"payments": 100})


def test_operations_without_a_backend_are_one_problem() -> None:
    edge = {"backends": {"orders": {"port": 1}, "payments": {"port": 2}}}
    text = errors(paths={"/a": {"get": {}, "post": {}}}, **{"x-edge": edge})
    assert "2 operations have no backend" in text
    assert text.count("error") == 1


def test_routes_of_x_edge_are_added_as_they_stand() -> None:
    edge = {"backends": {"orders": {"port": 1}}, "routes": {"WS /live": "orders"}}
    found = spec(servers=[{"url": "https://api.shop.example/v1"}], **{"x-edge": edge})
    assert set(found.routes) == {"GET /v1/a", "WS /live"}
    assert "is an operation of the document already" in errors(**{"x-edge": edge | {"routes": {"GET /a": "orders"}}})


def test_a_misspelt_method_is_an_error() -> None:
    assert "a path has no field `psot`; did you mean `post`?" in errors(paths={"/a": {"psot": {}}})


def test_auth_beside_security_may_say_more_without_a_warning() -> None:
    operation = {"security": [{"main": []}], "x-edge": {"auth": {"authorizer": "main", "claims": {"role": "clerk"}}}}
    assert not [text for text in warnings(operation) if "goes before it" in text]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"securty": [{"main": []}]}, "a document has no field `securty`; did you mean `security`?"),
        ({"operation": {"securty": [{"main": []}]}}, "an operation has no field `securty`; did you mean `security`?"),
        ({"operation": {"x-egde": {"auth": "main"}}}, "`x-egde` is not known here; did you mean `x-edge`?"),
        ({"operation": {"X-Edge": {"auth": "main"}}}, "an operation has no field `X-Edge`; did you mean `x-edge`?"),
        ({"paths": {"/a": {"x_edge": {"auth": "main"}, "get": {}}}}, "did you mean `x-edge`?"),
        ({"paths": {"/a": {"x-edges": {"auth": "main"}, "get": {}}}}, "did you mean `x-edge`?"),
        ({"paths": {"x-edge": {"auth": "main"}, "/a": {"get": {}}}}, "paths.x-edge: `x-edge` has no meaning here"),
        ({"info": {"title": "a", "x-edge": {}}}, "info.x-edge: `x-edge` has no meaning here"),
        ({"backends": {"orders": {"port": 1}}}, "a document has no field `backends`; write it in `x-edge`"),
    ],
)
def test_a_slip_does_not_open_what_it_was_to_close(changes: dict[str, Any], text: str) -> None:
    assert text in errors(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"paths": {"/a": {"get": None}}},
        {"paths": {"/a": None}},
        {"operation": {"x-edge": None}},
        {"components": None},
    ],
)
def test_a_part_without_a_value_is_a_problem_and_not_left_out(changes: dict[str, Any]) -> None:
    assert "it has no value" in errors(**changes)


def test_other_extensions_are_let_alone() -> None:
    assert list(spec({"x-internal": True, "x-codegen": {}}, **{"x-tagGroups": []}).routes) == ["GET /a"]


def test_a_server_with_a_password_is_a_problem_that_does_not_repeat_it() -> None:
    found = errors(servers=[{"url": "https://user:hunter2@api.shop.example"}])
    assert "a server's URL has no user and no password" in found
    assert "hunter2" not in found


def test_a_servers_url_is_bounded() -> None:
    assert "servers[0].url: it is longer than 2000 characters" in errors(servers=[{"url": "/" + "{a}" * 100_000}])


def test_a_flood_of_broken_references_is_counted() -> None:
    paths = {f"/a{number}": {"$ref": f"#/components/x{number}"} for number in range(2_000)}
    with pytest.raises(SpecError) as caught:
        from_data(document(paths=paths, components={f"y{number}": {} for number in range(2_000)}))
    assert caught.value.problems[-1].what == "there are 1900 more problems"


def test_a_flood_of_warnings_is_counted() -> None:
    security = [{"login": [f"read{number}"]} for number in range(300)]
    found = from_data(document({"security": security})).warnings
    assert len(found) == 101
    assert (found[-1].what, found[-1].severity) == ("there are 202 more warnings", "warning")


@pytest.mark.parametrize(
    "reference",
    ["https://a.example/x.yaml", "x.yaml#/a", "file:///etc/passwd", "#/components/absent", "#"],
)
def test_references_go_to_parts_of_this_document_only(reference: str) -> None:
    assert "$ref" in errors(paths={"/a": {"$ref": reference}})


def test_a_path_item_may_be_a_reference_with_escapes() -> None:
    paths = {"/a": {"$ref": "#/components/x~1y/~0z%20"}}
    found = spec(paths=paths, components={"x/y": {"~z ": {"get": {}}}})
    assert list(found.routes) == ["GET /a"]


def test_what_an_edge_ignores_is_warned_of() -> None:
    found = warnings(
        {"callbacks": {"x": {}}, "servers": [{"url": "/"}], "x-amazon-apigateway-integration": {}},
        servers=[{"url": "https://a.example"}, {"url": "https://b.example"}],
        webhooks={"x": {}},
    )
    for word in ("first server", "servers of an operation", "callbacks", "x-amazon-apigateway-integration", "webhooks"):
        assert any(word in text for text in found), word


def test_unused_schemes_and_scopes_that_are_not_offered_are_warned_of() -> None:
    found = warnings({"security": [{"login": ["raed"]}]})
    assert "no flow of `login` offers the scope `raed`" in found
    assert "the security scheme `main` is used by no operation" in found


def test_nulls_in_examples_are_no_concern_of_the_edge() -> None:
    assert list(spec({"responses": {"200": {"content": {"a/b": {"example": None}}}}}).routes) == ["GET /a"]


def test_problems_of_the_spec_point_to_lines_of_the_document() -> None:
    text = b"""openapi: 3.1.0
info: {title: Shop, version: "1"}
servers:
  - url: https://api_shop.example
x-edge:
  backends:
    orders: {prot: http, port: 1}
paths:
  /a:
    x-edge: {throttle: {rate: fast}}
    get:
      x-edge:
        timeout: {request: soon}
"""
    with pytest.raises(SpecError) as caught:
        parse(text, "api.yaml")
    assert [str(problem).split(": error: ")[0] for problem in caught.value.problems] == [
        "api.yaml:4:10",
        "api.yaml:7:14",
        "api.yaml:10:31",
        "api.yaml:13:28",
    ]


def test_a_resolved_route_knows_the_line_of_its_operation() -> None:
    text = b"openapi: 3.1.0\nx-edge: {name: a, listener: {}, backends: {b: {port: 1}}}\npaths:\n  /a:\n    get: {}\n"
    [route] = resolve(parse(text, "api.yaml")).routes
    assert str(route.origin.place) == "api.yaml:5:5"


@pytest.mark.parametrize("field", ["info", "servers", "paths", "components", "x-edge", "security"])
@pytest.mark.parametrize("value", [5, "text", [1], {"a": 1}, {"a": {"b": [None]}}, [{"a": 1}], [None]])
def test_a_wrong_shape_is_a_problem_and_never_a_crash(field: str, value: object) -> None:
    try:
        from_data(document({"security": [{"main": []}]}, **{field: value}))
    except SpecError as error:
        assert error.problems
    else:
        assert field in ("info", "components") or value == {"a": 1}
