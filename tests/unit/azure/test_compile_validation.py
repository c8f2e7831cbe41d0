"""Request validation on Azure: what the imported document says of requests, what is compared, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policy_xsd
from edgewright.azure.artifact import Api, Artifact
from edgewright.azure.compile import compile_edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

ORDER = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}


def artifact_of(routes: dict[str, Any]) -> Artifact:
    data = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {key: {"backend": "orders", **item} for key, item in routes.items()},
    }
    return compile_edge(resolve(from_data(data)), {}, "gateway-first", placeholders=True)


def compiled(routes: dict[str, Any]) -> Api:
    api = artifact_of(routes).api
    assert api is not None
    assert policy_xsd.problems(api.policy) == []
    return api


def operation(parameters: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {"validate": {"operation": {"parameters": parameters or [], **more}}}


def inbound(api: Api) -> Any:
    return policy_xsd.parse(api.policy).find("inbound")


def settings_of(api: Api, name: str) -> str:
    code = policy_xsd.parse(api.policy).find(".//set-variable[@name='settings']").get("value")
    return code[code.index(f'case "{name}":') :].partition('return "')[2].partition('"')[0]


BODY = operation(bodies={"application/json": ORDER})


def test_a_body_is_described_by_a_schema_of_the_api_since_an_import_takes_no_other() -> None:
    body = compiled({"POST /orders": BODY, "PUT /orders": BODY}).body
    described = body["paths"]["/orders"]["post"]["requestBody"]
    name = described["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert body["components"]["schemas"] == {name: ORDER}
    assert body["paths"]["/orders"]["put"]["requestBody"] == described


def test_variables_of_paths_have_the_schemas_of_their_authors_names() -> None:
    given = [{"name": "line", "in": "path", "schema": {"type": "integer"}}, {"name": "order", "in": "path"}]
    paths = compiled({"GET /orders/{order}/lines/{line}": operation(given)}).body["paths"]
    found = paths["/orders/{p2}/lines/{p4}"]["get"]["parameters"]
    assert [(item["name"], item["schema"]) for item in found] == [
        ("p2", {"type": "string"}),
        ("p4", {"type": "integer"}),
    ]


def test_parameters_stand_in_the_document_without_headers_that_openapi_ignores() -> None:
    given = [
        {"name": "page", "in": "query", "schema": {"type": ["integer", "null"]}},
        {"name": "X-Trace", "in": "header", "required": True},
        {"name": "Authorization", "in": "header", "required": True},
    ]
    found = compiled({"GET /orders": operation(given)}).body["paths"]["/orders"]["get"]["parameters"]
    assert [(item["in"], item["name"], item["required"]) for item in found] == [
        ("query", "page", False),
        ("header", "X-Trace", True),
    ]
    assert found[0]["schema"] == {"type": "integer", "nullable": True}


def test_parameters_are_compared_in_prevention_mode_and_others_let_through() -> None:
    step = inbound(compiled({"GET /orders": operation([{"name": "page", "in": "query"}])})).find(
        ".//validate-parameters"
    )
    assert (step.get("specified-parameter-action"), step.get("unspecified-parameter-action")) == ("prevent", "ignore")


def test_a_body_of_another_media_type_or_too_large_is_refused() -> None:
    bodies = {"application/json": ORDER, "application/hal+json": ORDER, "text/csv": {"type": "string"}}
    api = compiled({"POST /orders": operation(bodies=bodies)})
    step = inbound(api).find(".//validate-content")
    assert step.get("unspecified-content-type-action") == "prevent"
    assert (step.get("max-size"), step.get("size-exceeded-action")) == ("102400", "prevent")
    assert [(item.get("type"), item.get("validate-as"), item.get("action")) for item in step] == [
        ("application/hal+json", "json", "prevent"),
        ("application/json", "json", "prevent"),
    ]
    assert api.body["paths"]["/orders"]["post"]["requestBody"]["content"]["text/csv"] == {}


def test_each_check_stands_once_however_many_routes_ask_for_it() -> None:
    routes = {
        f"POST /r{n}": operation(
            [{"name": f"q{n}", "in": "query", "required": True}], bodies={"application/json": ORDER}
        )
        for n in range(5)
    }
    names = policy_xsd.names(inbound(compiled(routes)))
    assert [names.count(name) for name in ("validate-parameters", "validate-content")] == [1, 1]


def test_only_routes_that_ask_are_checked() -> None:
    api = compiled(
        {
            "POST /both": operation([{"name": "q", "in": "query"}], bodies={"application/json": ORDER}),
            "POST /body": {"validate": {"parameters": False, **BODY["validate"]}},
            "POST /parameters": {"validate": {"body": False, **operation([{"name": "q", "in": "query"}])["validate"]}},
            "POST /neither": {},
        }
    )
    asks = {
        step: inbound(api).find(f".//{step}").getparent().get("condition")
        for step in ("validate-parameters", "validate-content")
    }
    found = {
        name: [step for step, condition in asks.items() if f'"{settings_of(api, name).split("|")[-1]}"' in condition]
        for name in ("post-both", "post-body", "post-parameters", "post-neither")
    }
    assert found == {
        "post-both": ["validate-parameters", "validate-content"],
        "post-body": ["validate-content"],
        "post-parameters": ["validate-parameters"],
        "post-neither": [],
    }
    assert settings_of(api, "post-neither").endswith("|none")


def test_what_must_be_there_is_asked_for_by_an_expression() -> None:
    api = compiled(
        {
            "POST /orders": operation(
                [
                    {"name": "q", "in": "query", "required": True},
                    {"name": "x-a", "in": "header", "required": True},
                    {"name": "p", "in": "query"},
                ],
                body_required=True,
                bodies={"application/json": ORDER},
            )
        }
    )
    first, second = inbound(api).findall("choose")[1].findall("when")
    assert '!(context.Request.Url.Query.ContainsKey("q") && context.Request.Headers.ContainsKey("x-a"))' in first.get(
        "condition"
    )
    assert "context.Request.Body == null" in second.get("condition")
    assert [when.find(".//set-status").get("code") for when in (first, second)] == ["400", "400"]
    assert "context.Request.Body != null" in inbound(api).find(".//validate-content").getparent().get("condition")


def test_requests_are_checked_after_who_may_and_how_often_and_before_the_cache() -> None:
    route = {"throttle": {"rate": "1/s", "per": "ip"}, "cache": {"ttl": "10s"}}
    api = compiled({"GET /a": {**route, **operation([{"name": "q", "in": "query"}])}})
    names = policy_xsd.names(inbound(api))
    order = ["return-response", "rate-limit-by-key", "validate-parameters", "cache-lookup", "set-backend-service"]
    assert sorted(order, key=names.index) == order


def test_a_request_that_is_refused_gets_a_problem_document() -> None:
    root = policy_xsd.parse(compiled({"POST /orders": BODY}).policy).find("on-error")
    assert '"validate-parameters", "validate-content" }.Contains(context.LastError.Source) ? 400' in root.find(
        "set-variable"
    ).get("value")
    when = next(item for item in root.iter("when") if "== 400" in item.get("condition"))
    assert "Bad request" in when.find(".//set-body").text


def test_an_edge_that_checks_nothing_has_no_part_for_it() -> None:
    api = compiled({"POST /orders": {}})
    assert policy_xsd.parse(api.policy).find(".//set-variable[@name='validate']") is None
    assert "validate-content" not in api.policy


def test_a_route_beside_one_that_is_checked_is_told_apart_by_its_matches() -> None:
    api = compiled({"POST /orders": BODY, "POST /orders (beta)": {"match": {"headers": {"x-beta": "yes"}}}})
    assert settings_of(api, "post-orders").endswith("|none")  # the first that is asked, with its match
    assert "requestBody" in api.body["paths"]["/orders"]["post"]


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({"POST /a": {"validate": True}}, "there is no operation to check requests against"),
        ({"POST /a": operation(bodies={"application/json": {"if": {}, "then": {}}})}, "OpenAPI 3.0 only"),
        ({"GET /a": operation([{"name": "q", "in": "query", "schema": {"contains": {}}}])}, "OpenAPI 3.0 only"),
        ({"WS /a": {"auth": "none", **BODY}}, "no handshake is checked"),
        (
            {"POST /a": BODY, "POST /a (b)": {"match": {"headers": {"x-b": "1"}}, **operation([])}},
            "one operation, which has one description",
        ),
        ({"GET /a/{id}": operation([{"name": "P2", "in": "query", "required": True}])}, "a name of its own"),
        (
            {"GET /a": operation([{"name": name, "in": "query", "required": True} for name in ("id", "ID")])},
            "a name of its own",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused(routes: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        compiled(routes)


@pytest.mark.parametrize("key", ["GET /a", "ANY /a"])
def test_bodies_of_methods_that_have_none_are_said_to_be_refused(key: str) -> None:
    artifact = artifact_of({key: BODY})
    assert any(item.field == "Validate.(bodies of GET, HEAD and OPTIONS)" for item in artifact.findings)
    assert artifact.api is not None
    assert "requestBody" not in artifact.api.body["paths"]["/a"]["get"]


HOSTILE = st.text(st.sampled_from("\"'<>@(){}[]\\;:/|= -%$aA0é\u2028"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
def test_no_name_of_a_parameter_becomes_xml_or_code(name: str) -> None:
    def names(name: str) -> tuple[list[str], int]:
        api = compiled({"GET /a": operation([{"name": name, "in": "query", "required": True}])})
        assert "{{" not in api.policy
        assert json.dumps(api.body)
        return policy_xsd.names(policy_xsd.parse(api.policy)), settings_of(api, "get-a").count("|")

    try:
        found = names(name)
    except SpecError:
        return  # refused before anything is printed
    assert found == names("x")
