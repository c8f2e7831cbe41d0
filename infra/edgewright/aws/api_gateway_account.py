"""The role with which API Gateway writes logs: one for an account in a region, for all its APIs."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

TYPE = "edgewright:aws:ApiGatewayAccount"

_SERVICE = "apigateway.amazonaws.com"
_POLICY = "iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


class ApiGatewayAccountArgs(TypedDict, total=False):
    """Arguments of `ApiGatewayAccount`."""

    role_arn: pulumi.Input[str]
    """An existing role that API Gateway may take and that may write logs. Default: one is made."""

    partition: str
    """Partition of ARNs: aws, aws-cn or aws-us-gov. Default: aws."""

    tags: Mapping[str, pulumi.Input[str]]
    """For the role. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: role, policy, account."""


class ApiGatewayAccount(pulumi.ComponentResource):
    """The account's setting in the provider's region, without which no stage may log.

    Have it in one stack for each account and region: a second one would overwrite it. It stays when that stack goes,
    and its role with it, because every API of the region logs through it.

    ``role_arn`` is known when the setting is made, so that stages can wait for it (``stage.log_role_arn``). Raw
    resources: ``role`` and ``policy`` (None for an existing role), ``account``.
    """

    def __init__(self, name: str, args: ApiGatewayAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("ApiGatewayAccount", name, _problems(args))

        self.role = _role(self, name, args)
        self.policy = _policy(self, name, args)
        self.account = _account(self, name, args)

        self.role_arn: pulumi.Output[str] = self.account.cloudwatch_role_arn.apply(lambda arn: arn or "")
        self.register_outputs({"roleArn": self.role_arn})


def _role(self: ApiGatewayAccount, name: str, args: ApiGatewayAccountArgs) -> aws.iam.Role | None:
    if args.get("role_arn") is not None:
        return None
    statement = {"Effect": "Allow", "Principal": {"Service": _SERVICE}, "Action": "sts:AssumeRole"}
    return part.place(
        aws.iam.Role,
        f"{name}-role",
        {
            "description": "API Gateway writes logs of its APIs",
            "assume_role_policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="role",
        retain_on_delete=True,
    )


def _policy(self: ApiGatewayAccount, name: str, args: ApiGatewayAccountArgs) -> aws.iam.RolePolicyAttachment | None:
    if self.role is None:
        return None
    return part.place(
        aws.iam.RolePolicyAttachment,
        f"{name}-policy",
        {"role": self.role.name, "policy_arn": f"arn:{args.get('partition', 'aws')}:{_POLICY}"},
        parent=self,
        overrides=args.get("overrides"),
        key="policy",
        retain_on_delete=True,
    )


def _account(self: ApiGatewayAccount, name: str, args: ApiGatewayAccountArgs) -> aws.apigateway.Account:
    return part.place(
        aws.apigateway.Account,
        name,
        {"cloudwatch_role_arn": self.role.arn if self.role else args.get("role_arn")},
        parent=self,
        overrides=args.get("overrides"),
        key="account",
        retain_on_delete=True,
        # API Gateway tries the role when it is set, and refuses one that may not write yet.
        depends_on=[self.policy] if self.policy else None,
    )


def _problems(args: ApiGatewayAccountArgs) -> list[str]:
    own = ["role", "policy"] if args.get("role_arn") is None else []
    return [
        *part.unknown_keys(args, ApiGatewayAccountArgs.__annotations__, "the account"),
        *part.unknown_keys(args.get("overrides") or {}, ["account", *own], "overrides"),
    ]
