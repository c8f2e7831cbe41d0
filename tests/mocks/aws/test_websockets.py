"""The way of a WebSocket's message through the planned graph of gateway-first, hop by hop, and that there is no other."""

import json
from functools import cache
from typing import Any

from aws_stacks import REPOSITORY, in_new_network
from edgewright.aws.compile_services import HEADER
from edgewright.plan.model import Plan, Resource

SPEC = REPOSITORY / "tests" / "golden" / "aws" / "live.edge.yaml"


@cache
def planned() -> Plan:
    return in_new_network(SPEC, "gateway-first")


def of(kind: str) -> dict[str, Resource]:
    return {item.name: item for item in planned().resources if item.short.startswith(f"{kind} ")}


def at(reference: str) -> Resource:
    """The resource that a reference such as ``${lb.Listener x.arn}`` is of."""
    short = reference.removeprefix("${").rpartition(".")[0]
    return next(item for item in planned().resources if item.short == short)


def test_a_message_goes_from_its_host_to_its_service() -> None:
    mapped = of("apigatewayv2.ApiMapping")["live-websocket-domain-live"]
    mapping = mapped.inputs
    assert (mapping["domainName"], mapping["apiMappingKey"]) == ("ws.api.shop.example", "live")
    assert of("apigatewayv2.DomainName")["live-websocket-domain"].urn in mapped.dependencies
    api = at(mapping["apiId"])
    assert api.inputs["protocolType"] == "WEBSOCKET"
    assert api.inputs["disableExecuteApiEndpoint"] is True

    route = of("apigatewayv2.Route")["live-websocket-live-route-$default"].inputs
    integration = of("apigatewayv2.Integration")["live-websocket-live-integration-$default"].inputs
    assert at(route["apiId"]) == at(integration["apiId"]) == api
    assert integration["integrationUri"] == "https://api.shop.example/live"
    assert integration["requestParameters"][f"integration.request.header.{HEADER}"] == "'orders'"

    link = at(integration["connectionId"])
    between = at(link.inputs["targetArn"])
    assert (between.inputs["loadBalancerType"], between.inputs["internal"]) == ("network", True)
    listener = next(
        item for item in of("lb.Listener").values() if item.inputs["loadBalancerArn"] == f"${{{between.short}.arn}}"
    )
    group = at(listener.inputs["defaultActions"][0]["targetGroupArn"])
    assert (group.inputs["targetType"], group.inputs["port"]) == ("alb", listener.inputs["port"])
    attachment = next(
        item
        for item in of("lb.TargetGroupAttachment").values()
        if item.inputs["targetGroupArn"] == f"${{{group.short}.arn}}"
    )
    assert at(attachment.inputs["targetId"]).name == "live-services"

    rule = next(
        item
        for item in of("lb.ListenerRule").values()
        if item.inputs["conditions"] == [{"httpHeader": {"httpHeaderName": HEADER, "values": ["orders"]}}]
    )
    forward = rule.inputs["actions"][0]["forward"]["targetGroups"][0]
    assert at(forward["arn"]).name == "live-services-orders"


def test_every_event_of_a_connection_goes_the_same_way_and_overwrites_what_a_client_sent() -> None:
    for key in ("$connect", "$disconnect", "$default"):
        integration = of("apigatewayv2.Integration")[f"live-websocket-live-integration-{key}"].inputs
        assert integration["requestParameters"] == {
            "integration.request.header.x-edgewright-backend": "'orders'",
            "integration.request.header.x-edgewright-connection": "context.connectionId",
            "integration.request.header.x-edgewright-event": "context.eventType",
            "integration.request.header.x-edgewright-subject": "context.authorizer.subject",
        }


def test_a_connection_is_asked_for_its_token_and_a_public_one_is_not() -> None:
    connect = of("apigatewayv2.Route")["live-websocket-live-route-$connect"].inputs
    assert connect["authorizationType"] == "CUSTOM"
    authorizer = at(connect["authorizerId"])
    assert authorizer.inputs["identitySources"] == ["route.request.header.Authorization"]
    assert at(authorizer.inputs["authorizerUri"]).name == "live-authorizer-live-function"
    permission = of("lambda.Permission")["live-authorizer-live-allow-api"].inputs
    assert permission["sourceArn"] == "${apigatewayv2.Api live-websocket-live.executionArn}/authorizers/*"
    assert of("apigatewayv2.Route")["live-websocket-news-route-$connect"].inputs["authorizationType"] == "NONE"


def test_the_throttle_of_a_websocket_counts_connections() -> None:
    stage = of("apigatewayv2.Stage")["live-websocket-live-stage"].inputs
    assert [
        (item["routeKey"], item["throttlingRateLimit"], item["throttlingBurstLimit"]) for item in stage["routeSettings"]
    ] == [("$connect", 20, 40)]


def test_nobody_but_the_link_reaches_the_balancer_between_and_it_reaches_the_services_balancer_alone() -> None:
    between = of("lb.LoadBalancer")["live-messages-balancer"].inputs
    assert between["enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    assert between["securityGroups"] == ["${ec2.SecurityGroup live-doors-messages.id}"]
    mine = "${ec2.SecurityGroup live-doors-messages.id}"
    into = [item for item in of("vpc.SecurityGroupIngressRule").values() if item.inputs["securityGroupId"] == mine]
    out = [item for item in of("vpc.SecurityGroupEgressRule").values() if item.inputs["securityGroupId"] == mine]
    assert into == []
    assert [item.inputs["referencedSecurityGroupId"] for item in out] == ["${ec2.SecurityGroup live-doors-services.id}"]


def test_the_services_balancer_takes_requests_of_the_api_and_of_the_websockets_and_of_nobody_else() -> None:
    mine = "${ec2.SecurityGroup live-doors-services.id}"
    into = [
        item.inputs for item in of("vpc.SecurityGroupIngressRule").values() if item.inputs["securityGroupId"] == mine
    ]
    assert sorted(item["referencedSecurityGroupId"] for item in into) == [
        "${ec2.SecurityGroup live-doors-link.id}",
        "${ec2.SecurityGroup live-doors-messages.id}",
    ]
    assert not any("cidrIpv4" in item or "cidrIpv6" in item for item in into)


def test_the_function_of_a_websocket_knows_what_its_route_asks_for() -> None:
    config = next(
        item.config for one in artifact_websockets() if (item := one.authorizer) is not None and one.stage == "live"
    )
    assert config["methods"] == {"$connect": "main.orders-read"}
    assert config["requirements"]["main.orders-read"]["scopes"] == ["orders.read"]
    assert "secret" not in json.dumps(config)


def artifact_websockets() -> Any:
    from edgewright.aws.compile import compile_edge
    from edgewright.edge.resolve import resolve
    from edgewright.spec.document import load

    return compile_edge(resolve(load(SPEC)), {}, "gateway-first", placeholders=True).websockets
