"""The Lambda function that checks tokens for REST and WebSocket APIs, with its role, log group and permission."""

import json
from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.aws.authorizer_package import archive_files
from edgewright.aws.log_group import DEFAULT_RETENTION, log_group
from edgewright.clouds.part import filled, place, refuse, tagged, unknown_keys

_ASSUME = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    },
    separators=(",", ":"),
)


class AuthorizerFunctionArgs(TypedDict, total=False):
    """Arguments of `AuthorizerFunction`."""

    region: Required[str]
    """The region, such as ``eu-west-1``."""

    config: Required[Mapping[str, Any]]
    """What the function is told (see authorizer/README.md); texts in it may have marks ``{{name}}``."""

    values: Mapping[str, pulumi.Input[str]]
    """What stands for the marks, such as where keys are."""

    retention_days: float
    """Days to keep its log. Default: 365."""

    kms_key_arn: pulumi.Input[str]
    """The key of its log group; the service's own when left out."""

    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: function, role, log_group, log_policy."""


class AuthorizerFunction(pulumi.ComponentResource):
    """Checks JSON Web Tokens: Node.js and its own crypto, no dependencies, no way out but to the issuers' keys.

    Attributes: function, role, log_group, log_policy; ``invoke_arn`` for an authorizer's address; `allow` lets an API
    call it.
    """

    def __init__(self, name: str, args: AuthorizerFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("edgewright:aws:AuthorizerFunction", name, None, opts)
        _check(name, args)
        self._name = name
        self._overrides = args.get("overrides")
        tags = args.get("tags")
        self.role = place(
            aws.iam.Role,
            f"{name}-role",
            {
                "assume_role_policy": _ASSUME,
                "description": "Lets the authorizer write its log and its traces",
                "tags": tagged(tags, f"{name}-role"),
            },
            parent=self,
            overrides=self._overrides,
            key="role",
        )
        self.log_group = log_group(
            f"{name}-log",
            args.get("retention_days", DEFAULT_RETENTION),
            args.get("kms_key_arn"),
            self,
            tags,
            self._overrides,
            "log_group",
        )
        self.log_policy = place(
            aws.iam.RolePolicy,
            f"{name}-log-policy",
            {"role": self.role.id, "policy": self.log_group.arn.apply(_log_policy)},
            parent=self,
            overrides=self._overrides,
            key="log_policy",
        )
        self.function = place(
            aws.lambda_.Function,
            f"{name}-function",
            {
                "role": self.role.arn,
                "runtime": "nodejs22.x",
                "architectures": ["arm64"],
                "handler": "index.handler",
                "code": _code(args),
                "timeout": 10,
                "memory_size": 256,
                "tracing_config": {"mode": "Active"},
                "logging_config": {"log_format": "JSON", "log_group": self.log_group.name},
                "tags": tagged(tags, name),
            },
            parent=self,
            overrides=self._overrides,
            key="function",
            depends_on=[self.log_policy],
        )
        self.invoke_arn = self.function.invoke_arn
        self.register_outputs({"invokeArn": self.invoke_arn})

    def allow(self, name: str, execution_arn: pulumi.Input[str]) -> aws.lambda_.Permission:
        """Let the authorizers of one API call the function; ``execution_arn`` is the API's."""
        source = pulumi.Output.from_input(execution_arn).apply(lambda arn: f"{arn}/authorizers/*")
        return place(
            aws.lambda_.Permission,
            f"{self._name}-allow-{name}",
            {
                "action": "lambda:InvokeFunction",
                "function": self.function.name,
                "principal": "apigateway.amazonaws.com",
                "source_arn": source,
            },
            parent=self,
        )


def _check(name: str, args: AuthorizerFunctionArgs) -> None:
    problems = [f"{key} is missing" for key in ("region", "config") if key not in args]
    problems += unknown_keys(args.get("overrides") or {}, ("function", "role", "log_group", "log_policy"), "overrides")
    refuse("AuthorizerFunction", name, problems)


def _code(args: AuthorizerFunctionArgs) -> Any:
    files = archive_files(args["config"])
    config = filled(files["config.json"], args.get("values", {}))
    return config.apply(
        lambda text: pulumi.AssetArchive(
            {name: pulumi.StringAsset(text if name == "config.json" else found) for name, found in files.items()}
        )
    )


def _log_policy(arn: str) -> str:
    statements = [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{arn}:*"},
        # X-Ray has no resources to name ("Actions, resources, and condition keys for AWS X-Ray").
        {"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
