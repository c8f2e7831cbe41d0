"""APIs of API Management: any OpenAPI document, versions, revisions, and the handshake of a WebSocket."""

import json
from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pytest

import arm_bodies
from azure_parts import IN_SERVICE, POLICY, SERVICE, named, of, only, recorded, refusal
from edgewright.azure.api import Api, ApiArgs
from edgewright.azure.api_version_set import ApiVersionSet, ApiVersionSetArgs
from edgewright.azure.websocket_api import WebSocketApi, WebSocketApiArgs
from edgewright.plan.model import Resource
from edgewright.plan.sdk_types import validate

DOCUMENT = json.dumps(
    {
        "openapi": "3.0.3",
        "info": {"title": "shop", "version": "1"},
        "paths": {"/orders": {"get": {"operationId": "listOrders", "responses": {"200": {"description": "all"}}}}},
    }
)
YAML = """
openapi: 3.0.3
info: {title: shop, version: "1"}
paths: {}
"""
SWAGGER = json.dumps({"swagger": "2.0", "info": {"title": "shop", "version": "1"}, "paths": {}})
LINK = "https://shop.example/openapi.yaml"
VERSION = {"set_id": f"{SERVICE}/apiVersionSets/shop", "name": "v2", "scheme": "Segment"}


def args(**more: Any) -> ApiArgs:
    given = {**IN_SERVICE, "api_id": "shop", "display_name": "shop", "openapi": DOCUMENT, "policy": POLICY, **more}
    return cast("ApiArgs", {key: value for key, value in given.items() if value is not None})


def made(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: Api("it", args(**more)))


def api(**more: Any) -> Mapping[str, Any]:
    return only(made(**more), "apimanagement:Api")


def refused(**more: Any) -> tuple[str, ...]:
    return refusal(lambda: Api("it", args(**more)))


# -- documents ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "wanted"), [(DOCUMENT, "openapi+json"), (YAML, "openapi"), (SWAGGER, "swagger-json")]
)
def test_a_document_is_imported_in_its_own_form(document: str, wanted: str) -> None:
    resources = made(openapi=document)
    inputs = only(resources, "apimanagement:Api")
    assert (inputs["format"], inputs["value"]) == (wanted, document)
    assert validate(resources) == []
    assert arm_bodies.problems(resources) == []


def test_a_document_that_is_known_later_says_its_form_then() -> None:
    assert api(openapi=pulumi.Output.from_input(YAML))["format"] == "openapi"


@pytest.mark.parametrize(
    ("link", "form", "wanted"),
    [(LINK, None, "openapi-link"), ("https://a.example", None, "openapi+json-link"), (LINK, "swagger", "swagger-link-json")],
)  # fmt: skip
def test_a_document_may_be_read_from_an_address(link: str, form: str | None, wanted: str) -> None:
    inputs = api(openapi=None, openapi_link=link, openapi_link_format=form)
    assert (inputs["format"], inputs["value"]) == (wanted, link)


def test_required_query_parameters_stay_in_the_query() -> None:
    assert api()["translateRequiredQueryParametersConduct"] == "query"


def test_clients_come_by_https_with_a_key() -> None:
    inputs = api()
    assert inputs["protocols"] == ["https"]
    assert inputs["subscriptionRequired"] is True


def test_a_key_may_have_other_names() -> None:
    inputs = api(key_header="X-Key", key_query="k")
    assert inputs["subscriptionKeyParameterNames"] == {"header": "X-Key", "query": "k"}


def test_what_an_import_drops_is_said_as_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    made(openapi=DOCUMENT.replace("3.0.3", "3.1.0"))
    assert "Api `it`: OpenAPI 3.1.0 is imported without what is new" in capsys.readouterr().err


def test_a_document_that_is_taken_in_full_has_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    made()
    assert capsys.readouterr().err == ""


def test_an_api_may_have_no_policy_of_its_own() -> None:
    assert [item.type for item in made(policy=None) if item.custom] == ["azure-native:apimanagement:Api"]


def test_a_policy_of_an_operation_waits_for_the_one_of_the_api() -> None:
    resources = made(operation_policies={"listorders": POLICY})
    policy = named(resources, "it-policy", "apimanagement:ApiPolicy")
    assert policy.urn in named(resources, "it-listorders", "apimanagement:ApiOperationPolicy").dependencies


def test_what_policies_name_is_there_before_them() -> None:
    def program() -> None:
        first = pulumi.CustomResource("test:index:Thing", "first", {})
        Api("it", args(policy=None, operation_policies={"listorders": POLICY}, after=[first]))

    policy = named(recorded(program), "it-listorders", "apimanagement:ApiOperationPolicy")
    assert [urn for urn in policy.dependencies if urn.endswith("::first")]


# -- versions and revisions --------------------------------------------------------------------------------------------


def test_a_version_belongs_to_a_set() -> None:
    inputs = api(version=VERSION)
    assert (inputs["apiVersion"], inputs["apiVersionSetId"]) == ("v2", VERSION["set_id"])


@pytest.mark.parametrize(
    ("scheme", "more", "wanted"),
    [
        ("Segment", {}, {}),
        ("Header", {"header_name": "Api-Version"}, {"versionHeaderName": "Api-Version"}),
        ("Query", {"query_name": "api-version"}, {"versionQueryName": "api-version"}),
    ],
)
def test_a_set_says_where_requests_name_the_version(
    scheme: str, more: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    given = {**IN_SERVICE, "version_set_id": "shop", "display_name": "Shop", "scheme": scheme, **more}
    resources = recorded(lambda: ApiVersionSet("it", cast("ApiVersionSetArgs", given)))
    inputs = only(resources, "apimanagement:ApiVersionSet")
    assert inputs["versioningScheme"] == scheme
    assert {key: inputs.get(key) for key in wanted} == wanted
    assert arm_bodies.problems(resources) == []


def test_a_revision_has_its_number_in_its_id() -> None:
    inputs = api(revision=2, revision_description="faster")
    assert (inputs["apiId"], inputs["apiRevision"]) == ("shop;rev=2", "2")
    assert inputs["apiRevisionDescription"] == "faster"


def test_without_a_revision_an_api_is_the_current_one() -> None:
    resources = made()
    inputs = only(resources, "apimanagement:Api")
    assert inputs["apiId"] == "shop"
    assert "apiRevision" not in inputs
    assert not of(resources, "apimanagement:ApiRelease")


def test_a_revision_is_not_current_unless_that_is_said() -> None:
    assert not of(made(revision=2), "apimanagement:ApiRelease")


def test_a_revision_becomes_current_once_its_policies_are_there() -> None:
    resources = made(revision=2, current=True, operation_policies={"listorders": POLICY})
    release = named(resources, "it-release", "apimanagement:ApiRelease")
    assert release.inputs["releaseId"] == "revision-2"
    assert release.inputs["apiId"] == "${apimanagement.Api it-api.name}"
    before = {urn.rpartition("::")[2] for urn in release.dependencies}
    assert {"it-api", "it-policy", "it-listorders"} <= before


# -- WebSocket ---------------------------------------------------------------------------------------------------------


def websocket(**more: Any) -> WebSocketApiArgs:
    given = {
        **IN_SERVICE,
        "api_id": "live",
        "path": "live",
        "display_name": "live",
        "service_url": "wss://orders.example",
        "policy": POLICY,
        **more,
    }
    return cast("WebSocketApiArgs", given)


def test_a_websocket_has_a_policy_of_its_handshake() -> None:
    resources = recorded(lambda: WebSocketApi("it", websocket()))
    assert only(resources, "apimanagement:ApiOperationPolicy")["operationId"] == "onHandshake"
    inputs = only(resources, "apimanagement:Api")
    assert (inputs["apiType"], inputs["protocols"]) == ("websocket", ["wss"])


def test_a_websocket_may_ask_for_a_key() -> None:
    def asks(**more: Any) -> bool:
        return only(recorded(lambda: WebSocketApi("it", websocket(**more))), "apimanagement:Api")[
            "subscriptionRequired"
        ]

    assert asks(subscription_required=True) is True
    assert asks() is False


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"api_id": "shop/1"}, "`shop/1` is no id"),
    ({"display_name": "x" * 301}, "`display_name` has 301 characters"),
    ({"openapi": None}, "one of `openapi` and `openapi_link`"),
    ({"openapi_link": LINK}, "one of `openapi` and `openapi_link`"),
    ({"openapi": None, "openapi_link": "http://shop.example"}, "read by https"),
    ({"openapi": None, "openapi_link": LINK, "openapi_link_format": "xml"}, "not `xml`"),
    ({"openapi_link_format": "yaml"}, "of an openapi_link; not `yaml`"),
    ({"openapi": "{"}, "no JSON"),
    ({"path": "/shop"}, "begins or ends with a slash"),
    ({"path": "p" * 126, "version": VERSION}, "129 characters with its version"),
    ({"version": {**VERSION, "name": "v/2"}}, "without spaces and slashes"),
    ({"version": {**VERSION, "scheme": "Host"}}, "there is no scheme `Host`"),
    ({"version": {"name": "v2"}}, "version needs `set_id`"),
    ({"revision": 0}, "the revision is 0"),
    ({"current": True}, "`current` needs `revision`"),
    ({"revision_description": "faster"}, "`revision_description` needs `revision`"),
    ({"operation_policies": {"getOrder": POLICY}}, "`getOrder`, which the document does not have; it has listorders"),
    ({"products": {"a b": {"display_name": "A", "clients": {}}}}, "`a b` is no id"),
    ({"products": {"a": {"display_name": "A", "clients": {"c": "k" * 257}}}}, "257 characters; a key has 1 to 256"),
    ({"products": {"a": {"clients": {}}}}, "products.a needs `display_name`"),
]


@pytest.mark.parametrize(("more", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_an_api_that_cannot_be_is_refused_before_anything_is_made(more: Mapping[str, Any], said: str) -> None:
    assert [problem for problem in refused(**more) if said in problem]


def test_a_key_is_not_in_the_message_that_refuses_it() -> None:
    key = "secret" * 60
    said = refused(products={"a": {"display_name": "A", "clients": {"c": key}}})
    assert not [problem for problem in said if "secretsecret" in problem]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"service_url": "https://orders.example"}, "no address of a WebSocket"),
        ({"path": "/live"}, "begins with a slash"),
        ({"path": "p" * 200}, "less than 128 characters"),
        ({"api_id": "live feed"}, "`live feed` is no id"),
    ],
)
def test_a_websocket_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    problems = refusal(lambda: WebSocketApi("it", websocket(**more)))
    assert [problem for problem in problems if said in problem]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"scheme": "Host"}, "there is no scheme `Host`"),
        ({"scheme": "Header"}, "the scheme Header needs `header_name`"),
        ({"scheme": "Segment", "query_name": "v"}, "the scheme Segment has no `query_name`"),
        ({"scheme": "Segment", "display_name": ""}, "`display_name` has 0 characters"),
    ],
)
def test_a_version_set_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    given = {**IN_SERVICE, "version_set_id": "shop", "display_name": "Shop", **more}
    assert said in refusal(lambda: ApiVersionSet("it", cast("ApiVersionSetArgs", given)))[0]
