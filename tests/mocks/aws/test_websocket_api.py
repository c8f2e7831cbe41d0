"""What a WebSocket API places: routes, integrations, the authorizer of the connection, its deployment."""

import json
from typing import Any, cast

import pulumi
import pytest

from edgewright.aws.websocket_api import WebSocketApi, WebSocketApiArgs
from mocks.aws.api_recording import UNKNOWN, Recording, problems, record
from mocks.unknowns import unknown

URI = "https://chat.example.com/ws"
AUTHORIZER = {"lambda_invoke_arn": "arn:invoke", "identity_sources": ["route.request.querystring.token"]}
ROUTES = {"$connect": {"integration_uri": URI, "authorizer": "tokens"}, "say": {"integration_uri": URI}}


def args(**more: Any) -> WebSocketApiArgs:
    given = {"region": "eu-central-1", "routes": ROUTES, "authorizers": {"tokens": AUTHORIZER}, **more}
    return cast(WebSocketApiArgs, given)


def place(**more: Any) -> Recording:
    return record(lambda: WebSocketApi("chat", args(**more)))


def redeploy(**more: Any) -> str:
    return place(**more).inputs("apigatewayv2.Deployment")["triggers"]["redeploy"]


def test_messages_are_routed_by_their_action() -> None:
    api = place().inputs("apigatewayv2.Api")
    assert (api["protocolType"], api["routeSelectionExpression"]) == ("WEBSOCKET", "$request.body.action")


def test_a_route_leads_to_its_integration() -> None:
    made = place()
    assert made.of("apigatewayv2.Route")["chat-route-say"].inputs == {
        "apiId": "chat-id",
        "routeKey": "say",
        "target": "integrations/chat-integration-say-id",
        "authorizationType": "NONE",
    }
    assert made.of("apigatewayv2.Integration")["chat-integration-say"].inputs == {
        "apiId": "chat-id",
        "integrationType": "HTTP_PROXY",
        "integrationUri": URI,
        "integrationMethod": "POST",
        "connectionType": "INTERNET",
    }


def test_the_connection_is_authorized_by_a_function() -> None:
    made = place()
    connect = made.of("apigatewayv2.Route")["chat-route-$connect"].inputs
    assert (connect["authorizationType"], connect["authorizerId"]) == ("CUSTOM", "chat-authorizer-tokens-id")
    authorizer = made.inputs("apigatewayv2.Authorizer")
    assert (authorizer["authorizerType"], authorizer["authorizerUri"]) == ("REQUEST", "arn:invoke")
    assert authorizer["identitySources"] == ["route.request.querystring.token"]


def test_a_private_backend_is_reached_by_a_link() -> None:
    made = place(routes={"$default": {"integration_uri": URI, "vpc_link_id": "link1"}})
    inputs = made.inputs("apigatewayv2.Integration")
    assert (inputs["connectionType"], inputs["connectionId"]) == ("VPC_LINK", "link1")


def test_a_function_is_always_called_with_post() -> None:
    made = place(
        routes={"a": {"integration_type": "AWS_PROXY", "integration_uri": "arn:f", "integration_method": "GET"}}
    )
    assert made.inputs("apigatewayv2.Integration")["integrationMethod"] == "POST"


def test_a_mock_answers_by_itself() -> None:
    made = place(routes={"$connect": {"integration_type": "MOCK"}})
    assert made.inputs("apigatewayv2.Integration")["requestTemplates"] == {"200": '{"statusCode":200}'}
    assert made.inputs("apigatewayv2.IntegrationResponse")["integrationResponseKey"] == "/200/"
    assert made.inputs("apigatewayv2.RouteResponse")["routeResponseKey"] == "$default"


def test_a_deployment_waits_for_all_routes() -> None:
    made = place()
    routes = {route.urn for route in made.of("apigatewayv2.Route").values()}
    assert routes <= set(made.one("apigatewayv2.Deployment").dependencies)


@pytest.mark.parametrize(
    "change",
    [
        {"routes": {**ROUTES, "leave": {"integration_uri": URI}}},
        {"routes": {**ROUTES, "say": {"integration_uri": URI, "timeout_ms": 100}}},
        {"routes": {**ROUTES, "$connect": {"integration_uri": URI}}},
        {"authorizers": {"tokens": {**AUTHORIZER, "lambda_invoke_arn": "arn:other"}}},
        {"route_selection_expression": "$request.body.type"},
        {"overrides": {"integrations.say": {"description": "x"}}},
    ],
    ids=str,
)
def test_what_reaches_clients_makes_a_new_deployment(change: dict[str, Any]) -> None:
    assert redeploy(**change) != redeploy()


@pytest.mark.parametrize(
    "change",
    [{"tags": {"a": "b"}}, {"stage": {"throttle": {"rate": 1}}}, {"stage": {"variables": {"a": "b"}}}],
    ids=str,
)
def test_what_takes_effect_at_once_makes_no_deployment(change: dict[str, Any]) -> None:
    assert redeploy(**change) == redeploy()


def test_a_stage_always_has_its_numbers_and_writes_no_messages() -> None:
    settings = place(stage={"routes": {"say": {"rate": 5}}}).inputs("apigatewayv2.Stage")
    default = settings["defaultRouteSettings"]
    assert (default["throttlingRateLimit"], default["throttlingBurstLimit"]) == (10000, 5000)
    assert default["dataTraceEnabled"] is False
    assert settings["routeSettings"] == [{**default, "routeKey": "say", "throttlingRateLimit": 5}]
    assert settings["deploymentId"] == "chat-deployment-id"
    assert json.loads(settings["accessLogSettings"]["format"])["connectionId"] == "$context.connectionId"


def test_an_api_can_be_planned_with_nothing_known() -> None:
    routes = {"say": {"integration_uri": "to be", "vpc_link_id": "to be"}}

    def make() -> None:
        WebSocketApi("chat", args(routes={"say": dict.fromkeys(routes["say"], unknown())}))

    made = record(make, preview=True)
    assert made.inputs("apigatewayv2.Integration")["connectionId"] == UNKNOWN
    assert made.inputs("apigatewayv2.Deployment")["triggers"] == {"redeploy": UNKNOWN}


def test_all_is_below_the_component_and_protected() -> None:
    made = record(lambda: WebSocketApi("chat", args(), pulumi.ResourceOptions(protect=True)))
    assert {resource.parent for resource in made.custom} == {made.resources[0].urn}
    assert all(resource.protect for resource in made.resources)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"routes": {}}, "`routes` is missing"),
        ({"routes": {"say": {}}}, "integration_uri"),
        ({"routes": {"$other": {"integration_uri": URI}}}, "route key"),
        ({"routes": {"say": {"integration_uri": URI, "authorizer": "tokens"}}}, "only $connect"),
        ({"routes": {"$connect": {"integration_uri": URI, "authorizer": "no"}}}, "`authorizers` does not have"),
        ({"routes": {"say": {"integration_uri": URI, "timeout_ms": 30000}}}, "50 to 29000"),
        ({"routes": {"say": {"integration_type": "MOCK", "vpc_link_id": "l"}}}, "HTTP_PROXY"),
        ({"authorizers": {"tokens": {**AUTHORIZER, "identity_sources": ["$request.header.A"]}}}, "route.request."),
        ({"route_selection_expression": "action"}, "$request.body.action"),
        ({"stage": {"routes": {"sing": {"rate": 1}}}}, "no route of the API"),
        ({"stage": {"name": "$default"}}, "stage.name"),
        ({"overrides": {"routes.sing": {}}}, "routes.say"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_argument_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in problems(lambda: WebSocketApi("chat", args(**change)))
