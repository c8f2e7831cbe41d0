"""Rules over HTTP and WebSocket APIs of Amazon API Gateway: their routes, stages, integrations and domains."""

from collections.abc import Iterator

from edgewright.policies.aws.api_gateway import (
    API,
    API_DOMAIN,
    API_INTEGRATION,
    API_STAGE,
    INTEGRATION,
    LOGGING_LEVELS,
    ROUTE,
    access_logs,
    has_limit,
    switch,
)
from edgewright.policies.graph import Graph
from edgewright.policies.rule import ELSEWHERE, LINT_DOCUMENT, AnyRule, Rule, Setting, StackRule
from edgewright.policies.view import UNKNOWN, View, Violation


def route_authorized(route: View) -> Iterator[Violation]:
    """A route asks who calls.

    Of a WebSocket API only ``$connect`` can: its keys have no method, so no space. ``$default`` can be of both kinds of
    API, and is left to `default_route_authorized`.
    """
    key = route.text("routeKey")
    if key == "$default" or (isinstance(key, str) and " " not in key and key != "$connect"):
        return
    if isinstance(key, str) and key.startswith("OPTIONS "):
        return
    if key not in route.setting("public"):
        yield from _unauthorized(route)


def _unauthorized(route: View) -> Iterator[Violation]:
    kind = route.text("authorizationType")
    if kind in {None, "", "NONE"}:
        yield route.fails("authorizationType", "is NONE, so everybody may call it", "routeKey")
    elif kind in {"JWT", "CUSTOM"} and not route.has("authorizerId"):
        yield route.fails("authorizerId", f"is not said, but {kind} needs it", "routeKey")


def default_route_authorized(stack: Graph) -> Iterator[Violation]:
    """The ``$default`` route of an HTTP API asks who calls, and none is made by quick create, which cannot ask."""
    for api in stack.of(API):
        if api.has("target") and (api.text("routeKey") or "$default") not in stack.setting("public"):
            yield api.fails("target", "makes a route that everybody may call", "routeKey")
    for route in stack.of(ROUTE):
        if route.text("routeKey") != "$default" or "$default" in stack.setting("public"):
            continue
        apis = stack.referred(route, "apiId", API)
        if not apis:
            route.note("apiId", "is of an API outside of the stack")
        elif any(api.text("protocolType") == "HTTP" for api in apis):
            yield from _unauthorized(route)


def websocket_logs(stack: Graph) -> Iterator[Violation]:
    """Stages of WebSocket APIs log errors (those of HTTP APIs cannot)."""
    for stage in _websocket_stages(stack):
        if stage.text("defaultRouteSettings.loggingLevel") not in LOGGING_LEVELS:
            yield stage.fails("defaultRouteSettings.loggingLevel", "is neither ERROR nor INFO")


def _websocket_stages(stack: Graph) -> Iterator[View]:
    for stage in stack.of(API_STAGE):
        apis = stack.referred(stage, "apiId", API)
        if not apis:
            stage.note("apiId", "is of an API outside of the stack")
        elif any(api.text("protocolType") == "WEBSOCKET" for api in apis):
            yield stage


def stage_data_trace_off(stage: View) -> Iterator[Violation]:
    """Messages stay out of logs."""
    if stage.flag("defaultRouteSettings.dataTraceEnabled") is True:
        yield stage.fails("defaultRouteSettings.dataTraceEnabled", "is true: messages go to the logs")
    for route in stage.children("routeSettings"):
        if route.flag("dataTraceEnabled") is True:
            yield route.fails("dataTraceEnabled", "is true: messages go to the logs")


def private_integration_tls(stack: Graph) -> Iterator[Violation]:
    """What goes through a VPC link is encrypted, and the certificate's name is checked.

    WebSocket APIs have no tlsConfig: there the address says it, and `integration_https` looks at that.
    """
    for integration in stack.of(API_INTEGRATION):
        if integration.text("connectionType") != "VPC_LINK" or integration.has("tlsConfig.serverNameToVerify"):
            continue
        apis = stack.referred(integration, "apiId", API)
        kinds = {api.text("protocolType") for api in apis}
        if UNKNOWN in kinds or not apis:
            integration.note("apiId", "is of an API that is not known yet, or of another stack")
        if "WEBSOCKET" not in kinds:
            text = "is not said, so HTTP is spoken"
            yield integration.fails("tlsConfig.serverNameToVerify", text, "connectionType", "apiId")


# Where a service's address is, with what says that it is one. That of an API (quick create) may be a function's ARN.
_ADDRESSES = {
    API_INTEGRATION: ("integrationType", "integrationUri"),
    INTEGRATION: ("type", "uri"),
    API: ("", "target"),
}


def integration_https(integration: View) -> Iterator[Violation]:
    """A service that is called by its address is called with HTTPS. With tlsConfig it is, whatever the address says."""
    is_v2 = integration.subject.type == API_INTEGRATION
    kind, key = _ADDRESSES[integration.subject.type]
    if kind and integration.text(kind) not in {"HTTP", "HTTP_PROXY"}:
        return
    if is_v2 and integration.text("connectionType") == "VPC_LINK" and integration.has("tlsConfig.serverNameToVerify"):
        return
    uri = integration.text(key)
    if isinstance(uri, str) and uri.lower().startswith("http:"):
        yield integration.fails(key, "has http, so requests go in the clear", *filter(None, (kind,)))


def no_open_cors(api: View) -> Iterator[Violation]:
    """Not every page of the web may call the API from a browser."""
    yield from _open_origins(api, "corsConfiguration")
    document = api.document("body")
    if document is not None:
        yield from _open_origins(document, "x-amazon-apigateway-cors")


def _open_origins(view: View, key: str) -> Iterator[Violation]:
    for origin in view.texts(f"{key}.allowOrigins"):
        if origin in {"*", "http://*", "https://*"}:
            credentials = ", with credentials" if view.flag(f"{key}.allowCredentials") is True else ""
            yield view.fails(f"{key}.allowOrigins", f"have `{origin}`{credentials}")


def stage_detailed_metrics(stage: View) -> Iterator[Violation]:
    """There are metrics for each route."""
    if stage.flag("defaultRouteSettings.detailedMetricsEnabled") is not True:
        yield stage.fails("defaultRouteSettings.detailedMetricsEnabled", "is not true")


def stage_throttled(stage: View) -> Iterator[Violation]:
    """A stage has a limit of its own; one that is left out beside other settings becomes 0 and refuses everything."""
    for key in ("defaultRouteSettings.throttlingBurstLimit", "defaultRouteSettings.throttlingRateLimit"):
        yield from has_limit(stage, key)


def api_domain_tls12(domain: View) -> Iterator[Violation]:
    """A domain refuses TLS 1.0 and 1.1."""
    policy = domain.text("domainNameConfiguration.securityPolicy")
    if policy != "TLS_1_2":
        yield domain.fails("domainNameConfiguration.securityPolicy", f"is {policy or 'not said'}")


def api_tls12_for(domain: View) -> dict[str, str]:
    """TLS 1.2 where there is a configuration that says nothing or TLS 1.0; there is no other."""
    key = "domainNameConfiguration.securityPolicy"
    wanted = domain.child("domainNameConfiguration") is not None and domain.text(key) in {None, "", "TLS_1_0"}
    return {key: "TLS_1_2"} if wanted else {}


def websocket_client_certificate(stack: Graph) -> Iterator[Violation]:
    """The gateway of a WebSocket API shows services a certificate."""
    for stage in _websocket_stages(stack):
        if not stage.has("clientCertificateId"):
            yield stage.fails("clientCertificateId", "is not said, so services cannot tell the gateway from others")


_STRINGS = {"type": "array", "items": {"type": "string"}}
_PUBLIC = {"public": Setting(_STRINGS, [], 'keys of routes that everybody may call, such as "GET /health"')}

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="apigwv2-route-authorization",
        controls=("apigwv2-route-authorization",),
        title="A route asks who calls",
        severity="high",
        types=(ROUTE,),
        check=route_authorized,
        remedy="authorizationType: JWT or CUSTOM with authorizerId, or AWS_IAM; or name the route in `public`.",
        settings=_PUBLIC,
    ),
    StackRule(
        name="apigwv2-default-route-authorization",
        controls=("apigwv2-route-authorization",),
        title="The default route of an HTTP API asks who calls",
        severity="high",
        types=(ROUTE, API),
        check=default_route_authorized,
        remedy="authorizationType: JWT or CUSTOM with authorizerId, or AWS_IAM; routes and a stage instead of target.",
        blind="Routes of APIs of other stacks.",
        instead=ELSEWHERE,
        settings=_PUBLIC,
    ),
    Rule(
        name="apigwv2-stage-access-logging",
        controls=("apigwv2-stage-access-logging",),
        title="A stage of an HTTP or WebSocket API writes access logs",
        severity="medium",
        types=(API_STAGE,),
        check=access_logs,
        remedy="accessLogSettings: {destinationArn: ..., format: ...}",
    ),
    StackRule(
        name="apigwv2-websocket-execution-logging",
        controls=("apigwv2-websocket-execution-logging",),
        title="A stage of a WebSocket API logs errors",
        severity="medium",
        types=(API_STAGE,),
        check=websocket_logs,
        remedy="defaultRouteSettings: {loggingLevel: ERROR}",
        blind="Stages of APIs of other stacks.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="apigwv2-data-trace-disabled",
        controls=("apigwv2-data-trace-disabled",),
        title="A WebSocket API keeps messages out of logs",
        severity="medium",
        types=(API_STAGE,),
        check=stage_data_trace_off,
        remedy="defaultRouteSettings: {dataTraceEnabled: false}",
        remediation=switch(
            "defaultRouteSettings.dataTraceEnabled",
            False,
            lambda view: view.flag("defaultRouteSettings.dataTraceEnabled") is True,
        ),
    ),
    StackRule(
        name="apigwv2-private-integration-tls",
        controls=("apigwv2-private-integration-tls",),
        title="What goes through a VPC link is encrypted",
        severity="medium",
        types=(API_INTEGRATION,),
        check=private_integration_tls,
        remedy="tlsConfig: {serverNameToVerify: the name in the balancer's certificate}",
        blind="Integrations that an OpenAPI document defines.",
        instead=LINT_DOCUMENT,
    ),
    Rule(
        name="apigwv2-integration-https",
        controls=("apigwv2-integration-https",),
        title="A service that is called by its address is called with HTTPS",
        severity="medium",
        types=(API_INTEGRATION, INTEGRATION, API),
        check=integration_https,
        remedy="integrationUri (uri of a REST integration, target of an API): https://...",
        blind="Integrations that an OpenAPI document defines.",
        instead=LINT_DOCUMENT,
    ),
    Rule(
        name="apigwv2-cors-no-wildcard",
        controls=("apigwv2-cors-no-wildcard",),
        title="Not every page of the web may call an HTTP API",
        severity="medium",
        types=(API,),
        check=no_open_cors,
        remedy="corsConfiguration: {allowOrigins: [https://www.example.com]}",
    ),
    Rule(
        name="apigwv2-detailed-metrics",
        controls=("apigwv2-detailed-metrics",),
        title="A stage has metrics for each route",
        severity="low",
        types=(API_STAGE,),
        check=stage_detailed_metrics,
        remedy="defaultRouteSettings: {detailedMetricsEnabled: true}; metrics are billed.",
    ),
    Rule(
        name="apigwv2-throttling-configured",
        controls=("apigwv2-throttling-configured",),
        title="A stage of an HTTP or WebSocket API has a limit of its own",
        severity="medium",
        types=(API_STAGE,),
        check=stage_throttled,
        remedy="defaultRouteSettings: {throttlingRateLimit: ..., throttlingBurstLimit: ...}",
    ),
    Rule(
        name="apigwv2-domain-tls12",
        controls=("apigwv2-domain-tls12",),
        title="A domain of an HTTP or WebSocket API has TLS 1.2",
        severity="high",
        types=(API_DOMAIN,),
        check=api_domain_tls12,
        remedy="domainNameConfiguration: {securityPolicy: TLS_1_2, endpointType: REGIONAL, certificateArn: ...}",
        remediation=api_tls12_for,
    ),
    StackRule(
        name="apigwv2-websocket-client-certificate",
        controls=("apigwv2-websocket-client-certificate",),
        title="A stage of a WebSocket API shows services a client certificate",
        severity="low",
        types=(API_STAGE,),
        check=websocket_client_certificate,
        remedy="clientCertificateId: that of an aws:apigateway/clientCertificate:ClientCertificate.",
        blind="Stages of APIs of other stacks.",
        instead=ELSEWHERE,
    ),
)
