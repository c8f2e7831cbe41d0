"""A WebSocket API: routes by message, their integrations, authorizers of the connection, and a stage."""

import re
from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

from . import log_group as logs
from .rest_api import (
    LOGGING_LEVELS,
    ThrottleArgs,
    choice_problems,
    described,
    digest,
    execute_api_host,
    range_problems,
    route_throttle,
    stage_name_problems,
    throttle_problems,
)

TYPE = "edgewright:aws:WebSocketApi"

INTEGRATION_TYPES = ("HTTP_PROXY", "AWS_PROXY", "MOCK")
TIMEOUT = (50, 29000)  # milliseconds ("Quotas for WebSocket APIs")
_SELECTION = re.compile(r"\$request\.body\.[A-Za-z0-9_.]+|\$\{request\.body\.[A-Za-z0-9_.]+\}")

# The answer of a route that no backend carries: accepted. A mock has to say so in its request and in its response.
_MOCK_TEMPLATES = {"200": '{"statusCode":200}'}


class WebSocketRouteArgs(TypedDict, total=False):
    """What happens with a kind of message."""

    integration_type: str
    """HTTP_PROXY, AWS_PROXY (a Lambda function) or MOCK (answers 200 itself). Default: HTTP_PROXY."""

    integration_uri: pulumi.Input[str]
    """``http(s)://`` address of the backend, or the function's invoke ARN. Needed except for MOCK."""

    integration_method: str
    """Verb of the call to an HTTP backend. Default: POST."""

    vpc_link_id: pulumi.Input[str]
    """A REST API's VPC link (version 1, to a Network Load Balancer), to reach a private backend. Default: public."""

    credentials_arn: pulumi.Input[str]
    """Role with which the function is invoked. Default: the function's own permission."""

    request_parameters: Mapping[str, pulumi.Input[str]]
    """Mappings such as ``integration.request.header.connection`` to ``context.connectionId``. Default: none."""

    timeout_ms: pulumi.Input[float]
    """Milliseconds, 50 to 29000. Default: 29000, the service's."""

    authorizer: str
    """Name of one of ``authorizers``; for ``$connect`` alone, which decides for the connection. Default: none."""

    authorization_type: str
    """NONE or AWS_IAM, where there is no ``authorizer``. Default: NONE."""


class WebSocketAuthorizerArgs(TypedDict, total=False):
    """A Lambda function that decides about connections."""

    lambda_invoke_arn: Required[pulumi.Input[str]]
    """Its invoke ARN; the function must permit API Gateway to call it."""

    identity_sources: Required[list[pulumi.Input[str]]]
    """What must be there, such as ``route.request.header.Authorization`` or ``route.request.querystring.token``: a
    connection without it is refused, and the function is not called."""

    credentials_arn: pulumi.Input[str]
    """Role with which it is invoked. Default: the function's own permission."""


class WebSocketStageArgs(TypedDict, total=False):
    """The one stage of the API."""

    name: str
    """Letters, digits, `_` and `-`; part of the default address. Default: live."""

    throttle: ThrottleArgs
    """For each route that has none of its own. Default: 10000 a second, 5000 at once."""

    routes: dict[str, ThrottleArgs]
    """By route key. A missing number is the stage's. Default: none."""

    access_log: logs.AccessLogArgs
    """Default: on, JSON, kept for a year."""

    logging_level: str
    """Of the execution log: OFF, ERROR or INFO. Default: ERROR. It needs the account's log role."""

    log_role_arn: pulumi.Input[str]
    """The account's log role, as `ApiGatewayAccount.role_arn` gives it. Only waited for."""

    detailed_metrics: pulumi.Input[bool]
    """Whether routes have metrics of their own. Default: True."""

    variables: Mapping[str, pulumi.Input[str]]
    """Stage variables. Default: none."""

    description: str
    """What the stage is for. Default: that it is the one of this API."""


class WebSocketApiArgs(TypedDict, total=False):
    """Arguments of `WebSocketApi`."""

    region: Required[str]
    """Region of the provider; part of the default host name."""

    routes: Required[dict[str, WebSocketRouteArgs]]
    """By route key: ``$connect``, ``$disconnect``, ``$default``, or a value of the selection expression."""

    authorizers: dict[str, WebSocketAuthorizerArgs]
    """By name. Default: none."""

    route_selection_expression: str
    """The field of a message that names its route. Default: $request.body.action."""

    disable_execute_api_endpoint: pulumi.Input[bool]
    """Whether the default address is off: True with a custom domain. Default: False."""

    stage: WebSocketStageArgs
    """Default: a stage ``live`` with its access log."""

    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: api, authorizers.NAME, integrations.ROUTE, routes.ROUTE, integration_responses.ROUTE,
    route_responses.ROUTE, deployment, log_group, stage."""


class WebSocketApi(pulumi.ComponentResource):
    """A WebSocket API with its stage.

    ``id``, ``execution_arn``, ``invoke_url`` (wss://), ``host`` (of the default address), ``stage_name``, and the raw
    resources ``api``, ``authorizers``, ``integrations``, ``routes``, ``integration_responses`` and ``route_responses``
    (of MOCK routes), ``deployment``, ``log_group`` (None without), ``stage``; those of many by name or route key.
    """

    def __init__(self, name: str, args: WebSocketApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("WebSocketApi", name, _problems(args))
        mocks = _mocks(args)

        self.api = _api(self, name, args)
        self.authorizers = {key: _authorizer(self, name, args, key) for key in args.get("authorizers", {})}
        self.integrations = {key: _integration(self, name, args, key) for key in args["routes"]}
        self.routes = {key: _route(self, name, args, key) for key in args["routes"]}
        self.integration_responses = {key: _integration_response(self, name, args, key) for key in mocks}
        self.route_responses = {key: _route_response(self, name, args, key) for key in mocks}
        self.deployment = _deployment(self, name, args)
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


# ---- resources, in the order of a message's path ----


def _api_props(args: WebSocketApiArgs) -> dict[str, Any]:
    return {
        "protocol_type": "WEBSOCKET",
        "route_selection_expression": args.get("route_selection_expression", "$request.body.action"),
        "disable_execute_api_endpoint": args.get("disable_execute_api_endpoint", False),
    }


def _api(self: WebSocketApi, name: str, args: WebSocketApiArgs) -> aws.apigatewayv2.Api:
    props = {**_api_props(args), "tags": part.tagged(args.get("tags"), name)}
    return part.place(aws.apigatewayv2.Api, name, props, parent=self, overrides=args.get("overrides"), key="api")


def _authorizer_props(args: WebSocketApiArgs, key: str) -> dict[str, Any]:
    authorizer = args.get("authorizers", {})[key]
    return {
        "authorizer_type": "REQUEST",
        "authorizer_uri": authorizer.get("lambda_invoke_arn"),
        "authorizer_credentials_arn": authorizer.get("credentials_arn"),
        "identity_sources": authorizer.get("identity_sources"),
    }


def _authorizer(self: WebSocketApi, name: str, args: WebSocketApiArgs, key: str) -> aws.apigatewayv2.Authorizer:
    props = {"api_id": self.api.id, **_authorizer_props(args, key)}
    overrides = args.get("overrides")
    resource = f"{name}-authorizer-{key}"
    return part.place(
        aws.apigatewayv2.Authorizer, resource, props, parent=self, overrides=overrides, key=f"authorizers.{key}"
    )


def _integration_props(args: WebSocketApiArgs, key: str) -> dict[str, Any]:
    route = args["routes"][key]
    kind = route.get("integration_type", "HTTP_PROXY")
    if kind == "MOCK":
        return {
            "integration_type": kind,
            "request_templates": _MOCK_TEMPLATES,
            "template_selection_expression": "200",
        }
    link = route.get("vpc_link_id")
    return {
        "integration_type": kind,
        "integration_uri": route.get("integration_uri"),
        # A function is always called with POST, whatever it serves.
        "integration_method": "POST" if kind == "AWS_PROXY" else route.get("integration_method", "POST"),
        "connection_type": "INTERNET" if link is None else "VPC_LINK",
        "connection_id": link,
        "credentials_arn": route.get("credentials_arn"),
        "request_parameters": route.get("request_parameters"),
        "timeout_milliseconds": logs.whole(route.get("timeout_ms")),
    }


def _integration(self: WebSocketApi, name: str, args: WebSocketApiArgs, key: str) -> aws.apigatewayv2.Integration:
    props = {"api_id": self.api.id, **_integration_props(args, key)}
    overrides = args.get("overrides")
    resource = f"{name}-integration-{key}"
    return part.place(
        aws.apigatewayv2.Integration, resource, props, parent=self, overrides=overrides, key=f"integrations.{key}"
    )


def _route(self: WebSocketApi, name: str, args: WebSocketApiArgs, key: str) -> aws.apigatewayv2.Route:
    route = args["routes"][key]
    authorizer = route.get("authorizer")
    mock = route.get("integration_type") == "MOCK"
    return part.place(
        aws.apigatewayv2.Route,
        f"{name}-route-{key}",
        {
            "api_id": self.api.id,
            "route_key": key,
            "target": pulumi.Output.concat("integrations/", self.integrations[key].id),
            "authorization_type": "CUSTOM" if authorizer else route.get("authorization_type", "NONE"),
            "authorizer_id": self.authorizers[authorizer].id if authorizer else None,
            "route_response_selection_expression": "$default" if mock else None,
        },
        parent=self,
        overrides=args.get("overrides"),
        key=f"routes.{key}",
    )


def _integration_response(
    self: WebSocketApi, name: str, args: WebSocketApiArgs, key: str
) -> aws.apigatewayv2.IntegrationResponse:
    return part.place(
        aws.apigatewayv2.IntegrationResponse,
        f"{name}-integration-response-{key}",
        {
            "api_id": self.api.id,
            "integration_id": self.integrations[key].id,
            "integration_response_key": "/200/",
        },
        parent=self,
        overrides=args.get("overrides"),
        key=f"integration_responses.{key}",
    )


def _route_response(self: WebSocketApi, name: str, args: WebSocketApiArgs, key: str) -> aws.apigatewayv2.RouteResponse:
    return part.place(
        aws.apigatewayv2.RouteResponse,
        f"{name}-route-response-{key}",
        {"api_id": self.api.id, "route_id": self.routes[key].id, "route_response_key": "$default"},
        parent=self,
        overrides=args.get("overrides"),
        key=f"route_responses.{key}",
    )


def _deployment(self: WebSocketApi, name: str, args: WebSocketApiArgs) -> aws.apigatewayv2.Deployment:
    """A new one whenever the API, a route, an integration or an authorizer changes, made before the old one goes."""
    overrides = args.get("overrides") or {}
    held = ("api", "authorizers.", "integrations.", "routes.", "integration_responses.", "route_responses.")
    deployed = {
        "api": _api_props(args),
        "authorizers": {key: _authorizer_props(args, key) for key in args.get("authorizers", {})},
        "integrations": {key: _integration_props(args, key) for key in args["routes"]},
        "routes": {
            key: [route.get("authorizer"), route.get("authorization_type")] for key, route in args["routes"].items()
        },
        "overrides": {key: dict(value) for key, value in overrides.items() if key.startswith(held)},
    }
    return part.place(
        aws.apigatewayv2.Deployment,
        f"{name}-deployment",
        {"api_id": self.api.id, "triggers": {"redeploy": digest(deployed)}},
        parent=self,
        overrides=overrides,
        key="deployment",
        # A deployment holds what is there when it is made, and one without routes is refused.
        depends_on=[*self.routes.values(), *self.integration_responses.values(), *self.route_responses.values()],
    )


def _log_group(self: WebSocketApi, name: str, args: WebSocketApiArgs) -> aws.cloudwatch.LogGroup | None:
    access_log = args.get("stage", {}).get("access_log", {})
    return logs.access_log_group(self, name, access_log, args.get("tags"), args.get("overrides"))


def _stage(self: WebSocketApi, name: str, args: WebSocketApiArgs) -> aws.apigatewayv2.Stage:
    stage = args.get("stage", {})
    throttle = stage.get("throttle", {})
    waits_for = [stage.get("log_role_arn")]
    every: dict[str, Any] = {
        "detailed_metrics_enabled": stage.get("detailed_metrics", True),
        "data_trace_enabled": False,  # it writes whole messages
        "logging_level": logs.after(stage.get("logging_level", "ERROR"), waits_for),
    }
    routes = [
        {"route_key": key, **every, **route_throttle(own, throttle)}
        for key, own in sorted(stage.get("routes", {}).items())
    ]
    access_log = stage.get("access_log", {})
    return part.place(
        aws.apigatewayv2.Stage,
        f"{name}-stage",
        {
            "api_id": self.api.id,
            "name": stage.get("name", "live"),
            "description": stage.get("description", described(name)),
            "deployment_id": self.deployment.id,
            "default_route_settings": {**every, **route_throttle(throttle)},
            "route_settings": routes or None,
            "access_log_settings": logs.access_log_settings(access_log, "websocket", self.log_group, waits_for),
            "stage_variables": stage.get("variables"),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="stage",
    )


def _mocks(args: WebSocketApiArgs) -> list[str]:
    return [key for key, route in args["routes"].items() if route.get("integration_type") == "MOCK"]


# ---- checks ----


def _problems(args: WebSocketApiArgs) -> list[str]:
    missing = [key for key in ("region", "routes") if not args.get(key)]
    if missing:
        return [f"`{key}` is missing" for key in missing]
    expression = args.get("route_selection_expression", "$request.body.action")
    problems = part.unknown_keys(args, WebSocketApiArgs.__annotations__, "the API")
    if not _SELECTION.fullmatch(expression):
        problems.append(f"route_selection_expression is `{expression}`; write it as `$request.body.action`")
    for key in args["routes"]:
        problems += _route_problems(args, key)
    for key, authorizer in args.get("authorizers", {}).items():
        problems += _authorizer_problems(authorizer, f"authorizers.{key}")
    problems += _stage_problems(args)
    return problems + part.unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides")


def _attributes(args: WebSocketApiArgs) -> list[str]:
    by_route = [f"{kind}.{key}" for key in args["routes"] for kind in ("routes", "integrations")]
    by_mock = [f"{kind}.{key}" for key in _mocks(args) for kind in ("integration_responses", "route_responses")]
    authorizers = [f"authorizers.{key}" for key in args.get("authorizers", {})]
    log = ["log_group"] if logs.owns_log_group(args.get("stage", {}).get("access_log", {})) else []
    return ["api", "deployment", "stage", *authorizers, *by_route, *by_mock, *log]


def _route_problems(args: WebSocketApiArgs, key: str) -> list[str]:
    route = args["routes"][key]
    what = f"routes[{key}]"
    kind = route.get("integration_type", "HTTP_PROXY")
    authorizer = route.get("authorizer")
    problems = part.unknown_keys(route, WebSocketRouteArgs.__annotations__, what)
    problems += choice_problems(kind, INTEGRATION_TYPES, f"{what}.integration_type")
    problems += choice_problems(route.get("authorization_type"), ("NONE", "AWS_IAM"), f"{what}.authorization_type")
    problems += range_problems(route.get("timeout_ms"), *TIMEOUT, f"{what}.timeout_ms")
    if key != key.strip() or (key.startswith("$") and key not in ("$connect", "$disconnect", "$default")):
        problems.append(f"{what} is no route key; write $connect, $disconnect, $default or a value of a message")
    if kind != "MOCK" and route.get("integration_uri") is None:
        problems.append(f"{what}.integration_uri is missing: where the messages go")
    if kind != "HTTP_PROXY" and route.get("vpc_link_id") is not None:
        problems.append(f"{what}.vpc_link_id is for HTTP_PROXY; the integration is {kind}")
    if authorizer is not None and authorizer not in args.get("authorizers", {}):
        problems.append(f"{what}.authorizer is `{authorizer}`, which `authorizers` does not have")
    if key != "$connect" and (authorizer is not None or route.get("authorization_type") == "AWS_IAM"):
        problems.append(f"{what} authorizes; API Gateway authorizes only $connect, for the whole connection")
    return problems


def _authorizer_problems(authorizer: WebSocketAuthorizerArgs, what: str) -> list[str]:
    problems = part.unknown_keys(authorizer, WebSocketAuthorizerArgs.__annotations__, what)
    problems += [
        f"{what}.{key} is missing" for key in ("lambda_invoke_arn", "identity_sources") if key not in authorizer
    ]
    problems += [
        f"{what}.identity_sources has `{source}`; write it as `route.request.header.Authorization`"
        for source in authorizer.get("identity_sources", [])
        if isinstance(source, str) and not source.startswith("route.request.")
    ]
    return problems


def _stage_problems(args: WebSocketApiArgs) -> list[str]:
    stage = args.get("stage", {})
    throttled = stage.get("routes", {})
    problems = part.unknown_keys(stage, WebSocketStageArgs.__annotations__, "stage")
    problems += stage_name_problems(stage.get("name", "live"))
    problems += throttle_problems(stage.get("throttle", {}), "stage.throttle")
    problems += choice_problems(stage.get("logging_level"), LOGGING_LEVELS, "stage.logging_level")
    problems += logs.access_log_problems(stage.get("access_log", {}))
    for key, throttle in throttled.items():
        problems += throttle_problems(throttle, f"stage.routes[{key}]")
    return problems + [f"stage.routes[{key}] is no route of the API" for key in throttled if key not in args["routes"]]
