"""What a REST API places: its body, deployment, stage, settings of methods, and what it refuses."""

import json
from typing import Any, cast

import pulumi
import pytest

from edgewright.aws import rest_api
from edgewright.aws.rest_api import RestApi, RestApiArgs
from mocks.aws.api_recording import UNKNOWN, Recording, problems, record, resolved
from mocks.unknowns import unknown

BODY = json.dumps({"openapi": "3.0.1", "info": {"title": "shop", "version": "1"}, "paths": {}})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


def args(**more: Any) -> RestApiArgs:
    return cast(RestApiArgs, {"region": "eu-central-1", "body": BODY, **more})


def place(**more: Any) -> Recording:
    return record(lambda: RestApi("shop", args(**more)))


def redeploy(**more: Any) -> str:
    return place(**more).inputs("apigateway.Deployment")["triggers"]["redeploy"]


def refused(**more: Any) -> str:
    return problems(lambda: RestApi("shop", args(**more)))


def test_an_api_is_seven_resources_whatever_its_routes() -> None:
    made = sorted(resource.type for resource in place().resources)
    assert made == [
        "aws:apigateway/clientCertificate:ClientCertificate",
        "aws:apigateway/deployment:Deployment",
        "aws:apigateway/methodSettings:MethodSettings",
        "aws:apigateway/restApi:RestApi",
        "aws:apigateway/stage:Stage",
        "aws:cloudwatch/logGroup:LogGroup",
        "edgewright:aws:RestApi",
    ]


def test_a_regional_api_has_its_default_address_off() -> None:
    inputs = place().inputs("apigateway.RestApi")
    assert inputs["disableExecuteApiEndpoint"] is True
    assert inputs["endpointConfiguration"] == {"types": "REGIONAL"}
    assert inputs["putRestApiMode"] == "overwrite"
    assert inputs["failOnWarnings"] is True
    assert inputs["body"] == BODY


def test_a_private_api_is_merged_so_that_its_endpoints_stay() -> None:
    inputs = place(endpoint_type="PRIVATE", policy=POLICY, vpc_endpoint_ids=["vpce-1"]).inputs("apigateway.RestApi")
    assert inputs["putRestApiMode"] == "merge"
    assert inputs["disableExecuteApiEndpoint"] is False
    assert inputs["endpointConfiguration"] == {"types": "PRIVATE", "vpcEndpointIds": ["vpce-1"]}
    assert inputs["policy"] == POLICY


def test_a_private_api_without_a_policy_is_refused() -> None:
    assert "cannot be deployed" in refused(endpoint_type="PRIVATE")


@pytest.mark.parametrize(
    "change",
    [
        {"body": BODY.replace("shop", "shop2")},
        {"policy": POLICY},
        {"endpoint_type": "EDGE"},
        {"endpoint_type": "PRIVATE", "policy": POLICY},
        {"api_key_source": "AUTHORIZER"},
        {"binary_media_types": ["image/png"]},
        {"minimum_compression_size": 1024},
        {"redeploy": {"responses": "2"}},
        {"overrides": {"api": {"body": BODY + " "}}},
    ],
    ids=str,
)
def test_what_reaches_clients_makes_a_new_deployment(change: dict[str, Any]) -> None:
    assert redeploy(**change) != redeploy()


@pytest.mark.parametrize(
    "change",
    [
        {"tags": {"team": "shop"}},
        {"stage": {"variables": {"colour": "blue"}}},
        {"stage": {"throttle": {"rate": 1, "burst": 1}}},
        {"stage": {"cache": {"size": "0.5"}, "methods": {"a/GET": {"cache": True}}}},
        {"stage": {"access_log": {"enabled": False}}},
        {"disable_execute_api_endpoint": False},
        {"web_acl_arn": "arn:acl"},
    ],
    ids=str,
)
def test_what_takes_effect_at_once_makes_no_deployment(change: dict[str, Any]) -> None:
    assert redeploy(**change) == redeploy()


def test_endpoints_known_later_give_the_same_trigger_as_known_ones() -> None:
    private: dict[str, Any] = {"endpoint_type": "PRIVATE", "policy": POLICY}
    later = record(
        lambda: RestApi("shop", args(**private, vpc_endpoint_ids=[pulumi.Output.from_input("vpce-1")]))
    ).inputs("apigateway.Deployment")
    assert later["triggers"]["redeploy"] == redeploy(**private, vpc_endpoint_ids=["vpce-1"])


def test_a_body_that_is_not_known_yet_is_planned_as_a_new_deployment() -> None:
    made = record(lambda: RestApi("shop", {"region": "eu-central-1", "body": unknown()}), preview=True)
    assert made.inputs("apigateway.RestApi")["body"] == UNKNOWN
    assert made.inputs("apigateway.Deployment")["triggers"] == {"redeploy": UNKNOWN}


def test_every_method_is_uncached_and_untraced_and_protects_the_cache_by_default() -> None:
    settings = place().one("apigateway.MethodSettings")
    assert settings.inputs["methodPath"] == "*/*"
    assert settings.inputs["settings"] == {
        "cachingEnabled": False,
        "cacheDataEncrypted": True,
        "requireAuthorizationForCacheControl": True,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITHOUT_RESPONSE_HEADER",
        "throttlingRateLimit": 10000,
        "throttlingBurstLimit": 5000,
        "metricsEnabled": True,
        "dataTraceEnabled": False,
        "loggingLevel": "ERROR",
    }


def test_a_stage_says_what_it_is_for_is_traced_and_shows_services_a_certificate_that_is_made_for_it() -> None:
    made = place()
    stage = made.inputs("apigateway.Stage")
    assert (stage["description"], stage["xrayTracingEnabled"]) == ("The stage of shop", True)
    assert stage["clientCertificateId"] == "shop-certificate-id"
    assert made.inputs("apigateway.ClientCertificate")["description"] == "Shows services that shop calls"


def test_a_certificate_that_is_given_is_shown_and_none_is_made() -> None:
    made = place(stage={"client_certificate": "abc123", "description": "For partners", "xray": False})
    stage = made.inputs("apigateway.Stage")
    assert (stage["description"], stage["xrayTracingEnabled"]) == ("For partners", False)
    assert stage["clientCertificateId"] == "abc123"
    assert "aws:apigateway/clientCertificate:ClientCertificate" not in {item.type for item in made.resources}


def test_a_method_that_differs_carries_all_settings_and_waits_for_those_of_all() -> None:
    stage = {
        "cache": {"size": "0.5"},
        "throttle": {"rate": 100.0, "burst": 50.0},
        "methods": {"orders/{id}/GET": {"cache": True, "cache_ttl": 60.0}},
    }
    made = place(stage=stage).of("apigateway.MethodSettings")
    own = made["shop-settings-orders/{id}/GET"]
    assert own.inputs["settings"] == {
        **made["shop-settings"].inputs["settings"],
        "cachingEnabled": True,
        "cacheTtlInSeconds": 60,
    }
    assert own.inputs["settings"]["throttlingBurstLimit"] == 50
    assert made["shop-settings"].urn in own.dependencies


def test_a_method_that_only_repeats_its_stage_has_no_settings_of_its_own() -> None:
    stage = {
        "throttle": {"rate": 100, "burst": 50},
        "methods": {"orders/GET": {"throttle_rate": 100, "throttle_burst": 50, "cache": False}},
    }
    assert list(place(stage=stage).of("apigateway.MethodSettings")) == ["shop-settings"]


@pytest.mark.parametrize(
    ("key", "path"),
    [("*/*", "*/*"), ("orders/GET", "~1orders/GET"), ("orders/{id}/GET", "~1orders~1{id}/GET"), ("/GET", "~1/GET")],
)
def test_a_method_is_addressed_as_api_gateway_keeps_it(key: str, path: str) -> None:
    assert rest_api.method_path(key) == path


@pytest.mark.parametrize("key", ["/orders/GET", "orders/ANY", "orders", "orders/get", "orders/GET ", "*/*", "GET"])
def test_a_method_key_of_another_shape_is_refused(key: str) -> None:
    assert "orders/{id}/GET" in refused(stage={"methods": {key: {"throttle_rate": 1}}})


def test_a_cache_is_a_cluster_of_the_stage() -> None:
    inputs = place(stage={"cache": {"size": "6.1", "encrypted": False}}).inputs("apigateway.Stage")
    assert (inputs["cacheClusterEnabled"], inputs["cacheClusterSize"]) == (True, "6.1")


def test_a_method_that_caches_without_a_cache_is_refused() -> None:
    assert "stage.cache" in refused(stage={"methods": {"orders/GET": {"cache": True}}})


def test_the_access_log_is_on_and_ends_and_writes_no_secret() -> None:
    made = place()
    settings = made.inputs("apigateway.Stage")["accessLogSettings"]
    fields = json.loads(settings["format"])
    assert settings["destinationArn"] == "arn:shop-access-log"
    assert made.inputs("cloudwatch.LogGroup")["retentionInDays"] == 365
    assert len(settings["format"].encode()) < 3 * 1024
    assert {"$context.status", "$context.requestId"} <= set(fields.values())
    assert not any(word in value for value in fields.values() for word in ("header", 'apiKey"', "query", "token"))
    assert "$context.identity.apiKey" not in fields.values()


def test_an_access_log_that_is_off_leaves_no_log_group() -> None:
    made = place(stage={"access_log": {"enabled": False}})
    assert made.of("cloudwatch.LogGroup") == {}
    assert "accessLogSettings" not in made.inputs("apigateway.Stage")


def test_an_existing_destination_takes_the_place_of_a_log_group() -> None:
    made = place(stage={"access_log": {"destination_arn": "arn:mine"}})
    assert made.of("cloudwatch.LogGroup") == {}
    assert made.inputs("apigateway.Stage")["accessLogSettings"]["destinationArn"] == "arn:mine"


def test_retention_is_rounded_up_to_what_cloudwatch_allows() -> None:
    made = place(stage={"access_log": {"retention_days": 31}})
    assert made.inputs("cloudwatch.LogGroup")["retentionInDays"] == 60


@pytest.mark.parametrize(
    ("access_log", "said"),
    [
        ({"retention_days": 0}, "never for ever"),
        ({"retention_days": 4000}, "3653"),
        ({"format": "x"}, "$context"),
        ({"format": "$context.status" + "x" * 3072}, "3072"),
        ({"format": "$context.identity.apiKey"}, "apiKeyId"),
        ({"format": "$context.status\n$context.path"}, "line break"),
    ],
    ids=str,
)
def test_an_access_log_that_cannot_be_is_refused(access_log: dict[str, Any], said: str) -> None:
    assert said in refused(stage={"access_log": access_log})


def test_a_stage_that_logs_waits_for_the_accounts_role() -> None:
    made = record(lambda: RestApi("shop", args(stage={"log_role_arn": unknown()})), preview=True)
    assert made.inputs("apigateway.Stage")["accessLogSettings"]["destinationArn"] == UNKNOWN
    assert made.inputs("apigateway.MethodSettings")["settings"]["loggingLevel"] == UNKNOWN
    assert (
        place(stage={"log_role_arn": "arn:role"}).inputs("apigateway.MethodSettings")["settings"]["loggingLevel"]
        == "ERROR"
    )


def test_a_web_acl_guards_the_stage() -> None:
    inputs = place(web_acl_arn="arn:acl").inputs("wafv2.WebAclAssociation")
    assert inputs == {"resourceArn": "arn:shop-stage", "webAclArn": "arn:acl"}


def test_a_tls_policy_of_the_new_kind_gets_an_access_mode() -> None:
    policy = "SecurityPolicy_TLS13_1_2_2021_06"
    assert place(security_policy=policy).inputs("apigateway.RestApi")["endpointAccessMode"] == "STRICT"
    behind = place(security_policy=policy, endpoint_access_mode="BASIC")
    assert behind.inputs("apigateway.RestApi")["endpointAccessMode"] == "BASIC"
    assert "endpointAccessMode" not in place(security_policy="TLS_1_2").inputs("apigateway.RestApi")


def test_all_is_below_the_component_and_tagged() -> None:
    made = place(tags={"team": "shop"})
    component = next(resource for resource in made.resources if resource.type == "edgewright:aws:RestApi")
    assert {resource.parent for resource in made.custom} == {component.urn}
    for short in ("apigateway.RestApi", "apigateway.Stage", "cloudwatch.LogGroup"):
        assert made.inputs(short)["tags"]["team"] == "shop"


def test_protection_of_the_component_protects_all_its_resources() -> None:
    made = record(lambda: RestApi("shop", args(), pulumi.ResourceOptions(protect=True)))
    assert all(resource.protect for resource in made.resources)


def test_an_override_adjusts_one_raw_resource() -> None:
    made = place(overrides={"stage": {"description": "ours"}, "log_group": {"skip_destroy": True}})
    assert made.inputs("apigateway.Stage")["description"] == "ours"
    assert made.inputs("cloudwatch.LogGroup")["skipDestroy"] is True


def test_an_override_of_nothing_is_refused_with_what_there_is() -> None:
    said = refused(overrides={"stages": {}})
    assert "`stages`" in said
    assert "default_settings" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"body": "{"}, "not JSON"),
        ({"body": '{"openapi":"3.1.0"}'}, "OpenAPI 3.0"),
        ({"body": '{"openapi":"3.0.1","x":"' + "x" * rest_api.BODY_LIMIT + '"}'}, "split the API"),
        ({"endpoint_type": "GLOBAL"}, "REGIONAL, PRIVATE, EDGE"),
        ({"vpc_endpoint_ids": ["vpce-1"]}, "PRIVATE"),
        ({"policy": "no"}, "policy is not JSON"),
        ({"policy": '"' + "x" * 8192 + '"'}, "8192"),
        ({"api_key_source": "QUERY"}, "HEADER, AUTHORIZER"),
        ({"minimum_compression_size": -1}, "minimum_compression_size"),
        ({"security_policy": "TLS_1_0"}, "TLS_1_2"),
        ({"endpoint_access_mode": "STRICT"}, "SecurityPolicy_"),
        ({"stage": {"name": "live/1"}}, "stage.name"),
        ({"stage": {"cache": {"size": "1"}}}, "0.5"),
        ({"stage": {"throttle": {"rate": -1}}}, "stage.throttle.rate"),
        ({"stage": {"throttle": {"burst": 0.5}}}, "whole"),
        ({"stage": {"logging_level": "DEBUG"}}, "OFF, ERROR, INFO"),
        ({"stage": {"cache": {"size": "0.5"}, "methods": {"a/GET": {"cache_ttl": 3601}}}}, "0 to 3600"),
        ({"stage": {"methods": {"a/GET": {"ttl": 1}}}}, "`ttl`"),
        ({"bodi": "x"}, "`bodi`"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_argument_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in refused(**change)


def test_all_problems_are_said_at_once_and_nothing_is_registered() -> None:
    said = refused(body="{", stage={"name": "", "cache": {"size": "3"}})
    assert len(said.splitlines()) == 3  # `problems` looks that nothing was registered


def test_the_host_of_the_default_address_is_known_from_the_id() -> None:
    hosts: list[str] = []
    record(lambda: resolved(RestApi("shop", args()).host, hosts))
    assert hosts == ["shop-id.execute-api.eu-central-1.amazonaws.com"]
