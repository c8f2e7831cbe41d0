"""An HTTP API from one OpenAPI body, with a stage whose throttle is always written."""

import re
from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

from . import log_group as logs
from .rest_api import (
    ThrottleArgs,
    body_problems,
    described,
    execute_api_host,
    range_problems,
    route_throttle,
    stage_name_problems,
    throttle_problems,
)

TYPE = "edgewright:aws:HttpApi"

CORS_MAX_AGE = 86400  # seconds (Cors.MaxAge of the service model)
_ROUTE_KEY = re.compile(r"\$default|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY) /\S*")


class CorsArgs(TypedDict, total=False):
    """CORS that the API answers itself; it overrides what backends say."""

    allow_origins: list[pulumi.Input[str]]
    """Origins, such as https://shop.example.com, or ``*``, which excludes credentials."""

    allow_methods: list[pulumi.Input[str]]
    """Verbs, or ``*``."""

    allow_headers: list[pulumi.Input[str]]
    """Headers of requests, or ``*``."""

    expose_headers: list[pulumi.Input[str]]
    """Headers of answers that scripts may read."""

    allow_credentials: pulumi.Input[bool]
    """Whether cookies go along. Default: False."""

    max_age: pulumi.Input[float]
    """Seconds that a browser keeps the answer, 0 to 86400. Default: the browser's."""


class HttpStageArgs(TypedDict, total=False):
    """The one stage of the API."""

    name: str
    """``$default`` has no prefix in paths; any other name is the first segment. Default: $default."""

    throttle: ThrottleArgs
    """For each route that has none of its own. Default: 10000 a second, 5000 at once."""

    routes: dict[str, ThrottleArgs]
    """By route key, as ``GET /orders/{id}``. A missing number is the stage's. Default: none."""

    access_log: logs.AccessLogArgs
    """Default: on, JSON, kept for a year."""

    auto_deploy: bool
    """Whether a change of the API is deployed at once. Default: True."""

    detailed_metrics: pulumi.Input[bool]
    """Whether routes have metrics of their own. Default: True."""

    variables: Mapping[str, pulumi.Input[str]]
    """Stage variables. Default: none."""

    description: str
    """What the stage is for. Default: that it is the one of this API."""


class HttpApiArgs(TypedDict, total=False):
    """Arguments of `HttpApi`."""

    region: Required[str]
    """Region of the provider; part of the default host name."""

    body: Required[pulumi.Input[str]]
    """OpenAPI 3.0 as JSON text, with `x-amazon-apigateway-*`; under 6 MB."""

    disable_execute_api_endpoint: pulumi.Input[bool]
    """Whether the default address is off, so that nothing goes round a custom domain: True with one. Default: False."""

    stage: HttpStageArgs
    """Default: a stage ``$default`` with its access log."""

    cors: CorsArgs
    """Default: what the body says in ``x-amazon-apigateway-cors``."""

    fail_on_warnings: pulumi.Input[bool]
    """Whether a warning of the import stops the update. Default: True."""

    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: api, log_group, stage."""


class HttpApi(pulumi.ComponentResource):
    """An HTTP API with its stage; nothing is a resource per route.

    ``id``, ``execution_arn``, ``invoke_url``, ``host`` (of the default address), ``stage_name``, and the raw resources
    ``api``, ``log_group`` (None without), ``stage``.
    """

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("HttpApi", name, _problems(args))

        self.api = _api(self, name, args)
        self.log_group = _log_group(self, name, args)
        self.stage = _stage(self, name, args)

        self.id = self.api.id
        self.execution_arn = self.api.execution_arn
        self.invoke_url = self.stage.invoke_url
        self.stage_name = self.stage.name
        self.host = execute_api_host(self.api.id, args["region"])
        self.register_outputs(
            {
                "apiId": self.id,
                "executionArn": self.execution_arn,
                "invokeUrl": self.invoke_url,
                "stageName": self.stage_name,
                "host": self.host,
            }
        )


def _api(self: HttpApi, name: str, args: HttpApiArgs) -> aws.apigatewayv2.Api:
    cors: dict[str, Any] = {key: logs.whole(value) for key, value in args.get("cors", {}).items()}
    return part.place(
        aws.apigatewayv2.Api,
        name,
        {
            "protocol_type": "HTTP",
            "body": args["body"],
            "fail_on_warnings": args.get("fail_on_warnings", True),
            "disable_execute_api_endpoint": args.get("disable_execute_api_endpoint", False),
            "cors_configuration": cors or None,
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="api",
    )


def _log_group(self: HttpApi, name: str, args: HttpApiArgs) -> aws.cloudwatch.LogGroup | None:
    access_log = args.get("stage", {}).get("access_log", {})
    return logs.access_log_group(self, name, access_log, args.get("tags"), args.get("overrides"))


def _stage(self: HttpApi, name: str, args: HttpApiArgs) -> aws.apigatewayv2.Stage:
    stage = args.get("stage", {})
    metrics = stage.get("detailed_metrics", True)
    throttle = stage.get("throttle", {})
    routes = [
        {"route_key": key, "detailed_metrics_enabled": metrics, **route_throttle(own, throttle)}
        for key, own in sorted(stage.get("routes", {}).items())
    ]
    return part.place(
        aws.apigatewayv2.Stage,
        f"{name}-stage",
        {
            "api_id": self.api.id,
            "name": stage.get("name", "$default"),
            "description": stage.get("description", described(name)),
            "auto_deploy": stage.get("auto_deploy", True),
            "default_route_settings": {"detailed_metrics_enabled": metrics, **route_throttle(throttle)},
            "route_settings": routes or None,
            "access_log_settings": logs.access_log_settings(stage.get("access_log", {}), "http", self.log_group),
            "stage_variables": stage.get("variables"),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="stage",
    )


def _problems(args: HttpApiArgs) -> list[str]:
    stage = args.get("stage", {})
    log = ["log_group"] if logs.owns_log_group(stage.get("access_log", {})) else []
    return [
        *part.unknown_keys(args, HttpApiArgs.__annotations__, "the API"),
        *[f"`{key}` is missing" for key in ("region", "body") if args.get(key) is None],
        *body_problems(args.get("body")),
        *part.unknown_keys(stage, HttpStageArgs.__annotations__, "stage"),
        *stage_name_problems(stage.get("name", "$default"), also=("$default",)),
        *throttle_problems(stage.get("throttle", {}), "stage.throttle"),
        *_route_problems(stage),
        *logs.access_log_problems(stage.get("access_log", {})),
        *_cors_problems(args.get("cors", {})),
        *part.unknown_keys(args.get("overrides") or {}, ["api", "stage", *log], "overrides"),
    ]


def _route_problems(stage: HttpStageArgs) -> list[str]:
    problems: list[str] = []
    for key, throttle in stage.get("routes", {}).items():
        if not _ROUTE_KEY.fullmatch(key):
            problems.append(f"stage.routes[{key}] is no route key; write it as `GET /orders/{{id}}` or `$default`")
        problems += throttle_problems(throttle, f"stage.routes[{key}]")
    return problems


def _cors_problems(cors: CorsArgs) -> list[str]:
    problems = part.unknown_keys(cors, CorsArgs.__annotations__, "cors")
    problems += range_problems(cors.get("max_age"), 0, CORS_MAX_AGE, "cors.max_age")
    everybody = any(isinstance(origin, str) and origin == "*" for origin in cors.get("allow_origins", []))
    if everybody and cors.get("allow_credentials") is True:
        problems.append("cors allows credentials for the origin `*`, which browsers refuse: name the origins")
    return problems
