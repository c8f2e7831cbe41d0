"""What an HTTP API places, above all that its stage never answers 429 for want of numbers."""

import json
from typing import Any, cast

import pulumi
import pytest

from edgewright.aws.http_api import HttpApi, HttpApiArgs
from mocks.aws.api_recording import UNKNOWN, Recording, problems, record
from mocks.unknowns import unknown

BODY = json.dumps({"openapi": "3.0.1", "info": {"title": "shop", "version": "1"}, "paths": {}})


def args(**more: Any) -> HttpApiArgs:
    return cast(HttpApiArgs, {"region": "eu-central-1", "body": BODY, **more})


def place(**more: Any) -> Recording:
    return record(lambda: HttpApi("shop", args(**more)))


def stage(**more: Any) -> Any:
    return place(**more).inputs("apigatewayv2.Stage")


def test_a_stage_without_a_throttle_has_the_accounts_numbers_and_not_none() -> None:
    assert stage()["defaultRouteSettings"] == {
        "detailedMetricsEnabled": True,
        "throttlingRateLimit": 10000,
        "throttlingBurstLimit": 5000,
    }


@pytest.mark.parametrize(
    ("throttle", "numbers"),
    [({"rate": 5}, (5, 5000)), ({"burst": 7.0}, (10000, 7)), ({"rate": 0.5, "burst": 1}, (0.5, 1))],
)
def test_a_number_that_is_missing_is_written_all_the_same(throttle: Any, numbers: tuple[float, float]) -> None:
    settings = stage(stage={"throttle": throttle})["defaultRouteSettings"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == numbers


def test_a_route_has_its_own_numbers_and_those_of_its_stage() -> None:
    throttles = {"throttle": {"rate": 100, "burst": 50}, "routes": {"GET /b": {"rate": 1}, "GET /a": {"burst": 2}}}
    assert stage(stage=throttles)["routeSettings"] == [
        {"routeKey": "GET /a", "detailedMetricsEnabled": True, "throttlingRateLimit": 100, "throttlingBurstLimit": 2},
        {"routeKey": "GET /b", "detailedMetricsEnabled": True, "throttlingRateLimit": 1, "throttlingBurstLimit": 50},
    ]


def test_an_api_is_one_body_and_a_stage_that_deploys_itself() -> None:
    made = place()
    api = made.inputs("apigatewayv2.Api")
    assert (api["protocolType"], api["body"], api["failOnWarnings"]) == ("HTTP", BODY, True)
    assert api["disableExecuteApiEndpoint"] is False
    settings = made.inputs("apigatewayv2.Stage")
    assert (settings["name"], settings["autoDeploy"]) == ("$default", True)
    assert len(made.custom) == 3


def test_the_access_log_has_the_fields_of_http_apis() -> None:
    settings = stage()["accessLogSettings"]
    assert json.loads(settings["format"])["route"] == "$context.routeKey"
    assert settings["destinationArn"] == "arn:shop-access-log"


def test_cors_is_the_apis() -> None:
    cors = {"allow_origins": ["https://shop.example.com"], "allow_credentials": True, "max_age": 600.0}
    assert place(cors=cors).inputs("apigatewayv2.Api")["corsConfiguration"] == {
        "allowOrigins": ["https://shop.example.com"],
        "allowCredentials": True,
        "maxAge": 600,
    }


def test_an_api_can_be_planned_with_nothing_known() -> None:
    made = record(
        lambda: HttpApi(
            "shop", args(body=unknown(), stage={"throttle": {"rate": unknown()}}, cors={"allow_origins": [unknown()]})
        ),
        preview=True,
    )
    assert made.inputs("apigatewayv2.Api")["body"] == UNKNOWN
    assert made.inputs("apigatewayv2.Stage")["defaultRouteSettings"]["throttlingRateLimit"] == UNKNOWN
    assert made.inputs("apigatewayv2.Stage")["defaultRouteSettings"]["throttlingBurstLimit"] == 5000


def test_all_is_below_the_component_tagged_and_protected() -> None:
    made = record(lambda: HttpApi("shop", args(tags={"team": "shop"}), pulumi.ResourceOptions(protect=True)))
    assert {resource.parent for resource in made.custom} == {made.resources[0].urn}
    assert all(resource.protect and resource.inputs["tags"]["team"] == "shop" for resource in made.custom)


def test_an_override_adjusts_one_raw_resource() -> None:
    assert place(overrides={"api": {"version": "7"}}).inputs("apigatewayv2.Api")["version"] == "7"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"body": "[]"}, "OpenAPI 3.0"),
        ({"stage": {"name": "$live"}}, "stage.name"),
        ({"stage": {"throttle": {"rate": -1}}}, "0 or more"),
        ({"stage": {"routes": {"/a": {"rate": 1}}}}, "route key"),
        ({"stage": {"access_log": {"retention_days": 0}}}, "never for ever"),
        ({"cors": {"allow_origins": ["*"], "allow_credentials": True}}, "name the origins"),
        ({"cors": {"max_age": 86401}}, "86400"),
        ({"overrides": {"deployment": {}}}, "api, log_group, stage"),
        ({"cache": {}}, "`cache`"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_argument_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in problems(lambda: HttpApi("shop", args(**change)))
