"""The log role of an account, which outlives the stack that set it."""

import json

import pulumi

from edgewright.aws.api_gateway_account import ApiGatewayAccount
from mocks.aws.api_recording import UNKNOWN, problems, record, resolved
from mocks.unknowns import unknown


def test_api_gateway_may_take_the_role_and_write_logs() -> None:
    made = record(lambda: ApiGatewayAccount("logs", {"tags": {"team": "shop"}}))
    (statement,) = json.loads(made.inputs("iam.Role")["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    policy = made.inputs("iam.RolePolicyAttachment")["policyArn"]
    assert policy == "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    assert made.inputs("apigateway.Account")["cloudwatchRoleArn"] == "arn:logs-role"
    assert made.inputs("iam.Role")["tags"]["team"] == "shop"


def test_the_account_waits_until_the_role_may_write() -> None:
    made = record(lambda: ApiGatewayAccount("logs", {}))
    assert made.one("iam.RolePolicyAttachment").urn in made.one("apigateway.Account").dependencies


def test_all_of_it_stays_when_the_stack_goes() -> None:
    made = record(lambda: ApiGatewayAccount("logs", {}))
    assert [resource.retain for resource in made.custom] == [True, True, True]


def test_an_existing_role_is_used_as_it_is() -> None:
    arns: list[str] = []
    made = record(lambda: resolved(ApiGatewayAccount("logs", {"role_arn": "arn:mine"}).role_arn, arns))
    assert [resource.type for resource in made.custom] == ["aws:apigateway/account:Account"]
    assert arns == ["arn:mine"]


def test_a_role_that_is_not_known_yet_can_be_planned() -> None:
    made = record(lambda: ApiGatewayAccount("logs", {"role_arn": unknown()}), preview=True)
    assert made.inputs("apigateway.Account")["cloudwatchRoleArn"] == UNKNOWN


def test_another_partition_has_its_own_arns() -> None:
    made = record(lambda: ApiGatewayAccount("logs", {"partition": "aws-cn"}))
    assert made.inputs("iam.RolePolicyAttachment")["policyArn"].startswith("arn:aws-cn:iam::aws:")


def test_all_is_below_the_component_and_protected() -> None:
    made = record(lambda: ApiGatewayAccount("logs", {}, pulumi.ResourceOptions(protect=True)))
    assert {resource.parent for resource in made.custom} == {made.resources[0].urn}
    assert all(resource.protect for resource in made.resources)


def test_an_override_of_a_role_that_is_not_made_is_refused() -> None:
    said = problems(lambda: ApiGatewayAccount("logs", {"role_arn": "arn:mine", "overrides": {"role": {}}}))
    assert "`role`" in said
