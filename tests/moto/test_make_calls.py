"""Recorded resources are made on moto, in their order; what moto lacks is known, and only that."""

import json
from graphlib import CycleError
from typing import Any

import boto3
import pytest

from edgewright.plan.model import Resource
from moto import mock_aws

from .known_gaps import GAPS, Gap
from .make_calls import Report, in_order, run
from .test_translate import BODY, CERTIFICATE, SAMPLES, aws, changed, sample

REGION = "eu-west-1"
VPC = {"vpcId": "vpc-0a1b2c3d"}


@pytest.fixture(scope="module")
def everything() -> Report:
    return run(SAMPLES, REGION)


def test_a_stack_of_every_type_is_made_whole(everything: Report) -> None:
    assert everything.refused == []
    assert everything.made == len(SAMPLES)


def test_its_gaps_are_the_known_ones(everything: Report) -> None:
    assert everything.closed == []
    assert ("lb.TrustStore shop", "has no trust stores") in everything.gaps
    assert {reason for _, reason in everything.gaps} <= {gap.reason for gap in GAPS}


def test_resources_come_after_what_they_name_whatever_their_order() -> None:
    backwards = list(reversed(SAMPLES))
    order = [item.short for item in in_order(backwards)]
    assert order.index("ec2.Vpc shop") < order.index("ec2.Subnet shop-a") < order.index("lb.LoadBalancer shop")
    assert order.index("wafv2.IpSet shop") < order.index("wafv2.WebAcl shop")
    assert order.index("lambda.Function authorizer") < order.index("apigateway.RestApi shop")


def test_resources_come_after_what_they_depend_on() -> None:
    role = sample("iam.Role shop")
    topic = Resource("urn:a", "aws:sns/topic:Topic", "a", None, {}, (role.urn, "urn:of-a-component"), custom=True)
    assert in_order([topic, role]) == [role, topic]


def test_a_circle_is_an_error() -> None:
    one = aws("sns.TopicPolicy", "one", arn="${sns.TopicPolicy two.id}", policy="")
    two = aws("sns.TopicPolicy", "two", arn="${sns.TopicPolicy one.id}", policy="")
    with pytest.raises(CycleError):
        in_order([one, two])


def test_names_with_dots_are_found_in_references() -> None:
    bucket = aws("s3.Bucket", "logs.shop.example")
    block = aws("s3.BucketPublicAccessBlock", "logs", bucket="${s3.Bucket logs.shop.example.id}", blockPublicAcls=True)
    assert run([block, bucket]).refused == []


def test_a_refused_call_is_reported_with_moto_s_words() -> None:
    report = run([aws("ec2.Vpc", "shop", cidrBlock="10.0.0.0/8")])
    assert report.made == 0
    ((short, error),) = report.refused
    assert short == "ec2.Vpc shop"
    assert "InvalidVpc.Range" in error


def test_what_needs_a_refused_resource_says_so() -> None:
    report = run(
        [aws("ec2.Vpc", "shop", cidrBlock="10.0.0.0/8"), aws("ec2.RouteTable", "shop", vpcId="${ec2.Vpc shop.id}")]
    )
    assert ("ec2.RouteTable shop", "needs ec2.Vpc shop, which was refused") in report.refused


def test_a_reference_to_nothing_is_refused() -> None:
    ((_, error),) = run([aws("ec2.InternetGateway", "shop", vpcId="${ec2.Vpc shop.id}")]).refused
    assert error == "${ec2.Vpc shop.id} names a resource that is not there"


def test_an_output_that_moto_does_not_give_is_refused() -> None:
    topic = aws("sns.Topic", "shop")
    report = run([topic, aws("sns.TopicPolicy", "shop", arn="${sns.Topic shop.beginningArchiveTime}", policy="")])
    assert report.refused == [
        ("sns.TopicPolicy shop", "${sns.Topic shop.beginningArchiveTime}: moto gave no such output")
    ]


def test_an_unknown_input_is_refused() -> None:
    ((_, error),) = run([aws("ec2.InternetGateway", "shop", vpcId="[unknown]")]).refused
    assert error.startswith("an input is unknown")


def test_a_type_without_a_translator_is_refused() -> None:
    assert run([aws("memorydb.Cluster", "shop")]).refused == [
        ("memorydb.Cluster shop", "aws:memorydb/cluster:Cluster has no translator")
    ]


def test_components_are_not_made() -> None:
    component = Resource("urn:a", "edgewright:aws:RestApi", "shop", None, {}, (), custom=False)
    assert run([component]) == Report(0)


def test_existing_things_are_there_when_they_are_named() -> None:
    report = run(
        [
            aws("ec2.SecurityGroup", "shop", description="d", vpcId="vpc-0a1b2c3d"),
            aws(
                "lb.LoadBalancer",
                "shop",
                internal=True,
                subnets=["subnet-1", "subnet-2"],
                securityGroups=["sg-0a1b", "${ec2.SecurityGroup shop.id}"],
            ),
            aws(
                "lb.Listener",
                "shop",
                loadBalancerArn="${lb.LoadBalancer shop.arn}",
                port=443,
                protocol="HTTPS",
                certificateArn=CERTIFICATE,
                defaultActions=[
                    {"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}
                ],
            ),
            aws(
                "lb.ListenerRule",
                "shop",
                listenerArn="${lb.Listener shop.arn}",
                priority=1,
                conditions=[{"pathPattern": {"values": ["/a"]}}],
                actions=[
                    {
                        "type": "forward",
                        "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/old/0a1b",
                    }
                ],
            ),
            aws(
                "route53.Record",
                "shop",
                zoneId="Z0123456789",
                name="shop.example",
                type="A",
                aliases=[
                    {
                        "name": "${lb.LoadBalancer shop.dnsName}",
                        "zoneId": "${lb.LoadBalancer shop.zoneId}",
                        "evaluateTargetHealth": False,
                    }
                ],
            ),
        ]
    )
    assert report.refused == []
    assert report.made == 5


def test_an_existing_function_can_be_permitted() -> None:
    function = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    assert run([changed("lambda.Permission authorizer", function=function, sourceArn=None)]).refused == []


def test_two_names_of_subnets_are_two_subnets_and_one_name_is_one() -> None:
    ok = aws("lb.LoadBalancer", "shop", internal=True, subnets=["subnet-1", "subnet-2"])
    again = aws("ec2.RouteTableAssociation", "shop", subnetId="subnet-1", routeTableId="${ec2.RouteTable shop.id}")
    report = run([ok, aws("ec2.RouteTable", "shop", **VPC), again])
    assert report.refused == []


def test_a_managed_policy_is_there() -> None:
    report = run([sample("iam.Role shop"), sample("iam.RolePolicyAttachment shop")])
    assert report.refused == []


def test_a_managed_policy_that_aws_does_not_have_is_refused() -> None:
    wrong = changed(
        "iam.RolePolicyAttachment shop", policyArn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushLogs"
    )
    ((short, error),) = run([sample("iam.Role shop"), wrong]).refused
    assert short == "iam.RolePolicyAttachment shop"
    assert "does not exist" in error


def test_a_bad_body_of_an_api_is_refused() -> None:
    body = json.loads(json.dumps(BODY))
    del body["paths"]["/orders/{id}"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["httpMethod"]
    body["components"]["securitySchemes"]["tokens"]["x-amazon-apigateway-authorizer"]["authorizerUri"] = (
        "arn:aws:apigateway:eu-west-1:lambda:path/f"
    )
    ((_, error),) = run(
        [
            changed(
                "apigateway.RestApi shop",
                body=json.dumps(body)
                .replace("${lb.LoadBalancer shop.arn}", "a")
                .replace("${apigatewayv2.VpcLink shop.id}", "b"),
            )
        ]
    ).refused
    assert "HttpMethod must be non-empty" in error


def test_calls_go_to_the_region_of_the_resource() -> None:
    with mock_aws():  # a run within another mock leaves what it made for us to see
        run([aws("sns.Topic", "shop", region="us-east-1")], REGION)
        topics = {
            region: boto3.client("sns", region_name=region).list_topics()["Topics"] for region in ("us-east-1", REGION)
        }
    assert [len(topics["us-east-1"]), len(topics[REGION])] == [1, 0]


def test_each_run_begins_with_nothing() -> None:
    group = aws("cloudwatch.LogGroup", "shop", name="/shop")
    assert run([group]) == run([group]) == Report(1)


# --- gaps -------------------------------------------------------------------------------------------------------------

LISTENER = aws(
    "lb.Listener",
    "shop",
    loadBalancerArn="${lb.LoadBalancer shop.arn}",
    port=443,
    protocol="HTTPS",
    certificateArn=CERTIFICATE,
    defaultActions=[{"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}],
)
BALANCER = aws("lb.LoadBalancer", "shop", internal=True, subnets=["subnet-1", "subnet-2"])
JWT = [
    {
        "type": "jwt-validation",
        "order": 1,
        "jwtValidation": {"issuer": "https://issuer.example", "jwksEndpoint": "https://issuer.example/keys"},
    },
    {"type": "fixed-response", "order": 2, "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}},
]


def with_inputs(resource: Resource, **inputs: Any) -> Resource:
    return aws(resource.short.split()[0], resource.name, **{**resource.inputs, **inputs})


def rule(**inputs: Any) -> list[Resource]:
    given = {"conditions": [{"pathPattern": {"values": ["/a"]}}], "actions": [JWT[1]], **inputs}
    return [
        BALANCER,
        LISTENER,
        aws("lb.ListenerRule", "shop", listenerArn="${lb.Listener shop.arn}", priority=1, **given),
    ]


def rest(integration: dict[str, Any], **inputs: Any) -> list[Resource]:
    full = {"type": "http_proxy", "httpMethod": "GET", "uri": "https://a.example", **integration}
    body = {"openapi": "3.0.1", "paths": {"/{id}": {"get": {"responses": {}, "x-amazon-apigateway-integration": full}}}}
    return [aws("apigateway.RestApi", "shop", body=json.dumps(body), **inputs)]


def stage(**inputs: Any) -> list[Resource]:
    deployment = aws("apigateway.Deployment", "shop", restApi="${apigateway.RestApi shop.id}")
    given = {
        "restApi": "${apigateway.RestApi shop.id}",
        "deployment": "${apigateway.Deployment shop.id}",
        "stageName": "live",
    }
    depends = {"description": "after ${apigateway.Deployment shop.id}"}
    return [*rest({}), deployment, aws("apigateway.Stage", "shop", **given, **depends, **inputs)]


GAP_CASES: dict[str, list[Resource]] = {
    "elbv2 CreateRule Conditions[].*.RegexValues[]": rule(
        conditions=[{"pathPattern": {"regexValues": ["^/a/[0-9]+$"]}}]
    ),
    "elbv2 CreateRule Actions[?Type=='jwt-validation']": rule(actions=JWT),
    "elbv2 CreateListener DefaultActions[?Type=='jwt-validation']": [
        BALANCER,
        with_inputs(LISTENER, defaultActions=JWT),
    ],
    "elbv2 CreateRule Transforms": rule(
        transforms=[{"type": "url-rewrite", "urlRewriteConfig": {"rewrite": {"regex": "a", "replace": "b"}}}]
    ),
    "elbv2 CreateListener MutualAuthentication": [
        BALANCER,
        with_inputs(LISTENER, mutualAuthentication={"mode": "passthrough"}),
    ],
    "elbv2 ModifyLoadBalancerAttributes Attributes[?starts_with(Key, 'health_check_logs.')]": [
        with_inputs(BALANCER, idleTimeout=60, healthCheckLogs={"enabled": True, "bucket": "logs", "prefix": "health"})
    ],
    "elbv2 CreateTrustStore": [sample("lb.TrustStore shop")],
    "elbv2 AddTrustStoreRevocations": [sample("lb.TrustStore shop"), sample("lb.TrustStoreRevocation shop")],
    "elbv2 ModifyCapacityReservation": [with_inputs(BALANCER, minimumLoadBalancerCapacity={"capacityUnits": 100})],
    "apigateway CreateDomainNameAccessAssociation": [
        aws(
            "apigateway.DomainNameAccessAssociation",
            "shop",
            accessAssociationSource="vpce-1",
            accessAssociationSourceType="VPCE",
            domainNameArn="arn:aws:apigateway:eu-west-1::/domainnames/a",
        )
    ],
    "apigateway GenerateClientCertificate": [sample("apigateway.ClientCertificate shop")],
    "apigateway CreateRestApi binaryMediaTypes": rest({}, binaryMediaTypes=["image/png"]),
    "apigateway CreateStage canarySettings": stage(
        canarySettings={"deploymentId": "${apigateway.Deployment shop.id}", "percentTraffic": 5}
    ),
    "apigateway PutIntegration connectionId": rest({"connectionType": "VPC_LINK", "connectionId": "abc"}),
    "apigateway PutIntegration integrationTarget": rest(
        {"connectionType": "VPC_LINK", "integrationTarget": "arn:aws:elasticloadbalancing:a"}
    ),
    "apigateway PutIntegration cacheKeyParameters": rest({"cacheKeyParameters": ["method.request.path.id"]}),
    "apigateway CreateDomainName mutualTlsAuthentication": [
        aws(
            "apigateway.DomainName",
            "shop",
            domainName="a.example",
            regionalCertificateArn=CERTIFICATE,
            endpointConfiguration={"types": "REGIONAL"},
            mutualTlsAuthentication={"truststoreUri": "s3://bundles/ca.pem"},
        )
    ],
    "apigatewayv2 CreateDeployment": [sample("apigatewayv2.Api talk"), sample("apigatewayv2.Deployment talk")],
}
"""For each known gap what meets it; a line of the list that is no longer true fails its test."""


def test_every_known_gap_has_a_case() -> None:
    assert set(GAP_CASES) == {gap.name for gap in GAPS}
    assert all(gap.reason for gap in GAPS)


@pytest.mark.parametrize("name", GAP_CASES)
def test_a_known_gap_is_still_there_and_stops_nothing(name: str) -> None:
    gap = next(gap for gap in GAPS if gap.name == name)
    report = run(GAP_CASES[name])
    assert report.closed == []
    assert report.refused == []
    assert report.made == len(GAP_CASES[name])
    assert gap.reason in {reason for _, reason in report.gaps}


@pytest.mark.parametrize("gap", [gap for gap in GAPS if gap.error], ids=lambda gap: gap.name)
def test_without_its_line_a_gap_that_fails_is_refused(gap: Gap) -> None:
    report = run(GAP_CASES[gap.name], gaps=[other for other in GAPS if other != gap])
    assert len(report.refused) >= 1


def test_a_gap_that_moto_has_closed_is_reported() -> None:
    gap = Gap("sns", "CreateTopic", "has no topics", error="NotImplementedError")
    forgets = Gap("sns", "CreateTopic", "forgets the name", part="Name", forgotten="TopicArn")
    report = run([aws("sns.Topic", "shop")], gaps=[gap, forgets])
    assert report.made == 1
    assert report.gaps == []
    assert report.closed == [("sns.Topic shop", "sns CreateTopic"), ("sns.Topic shop", "sns CreateTopic Name")]


def test_a_gap_does_not_excuse_another_error() -> None:
    twice = [
        *rule(actions=JWT),
        aws(
            "lb.ListenerRule",
            "again",
            listenerArn="${lb.Listener shop.arn}",
            priority=1,
            conditions=[{"pathPattern": {"values": ["/a"]}}],
            actions=JWT,
        ),
    ]
    ((_, error),) = run(twice).refused
    assert "Priority" in error


def test_only_the_missing_part_is_cut_off() -> None:
    wrong = rule(
        actions=[*JWT[:1], {"type": "forward", "order": 2, "targetGroupArn": "arn:aws:elasticloadbalancing:none"}]
    )
    ((_, error),) = run(wrong).refused
    assert "Target" in error
