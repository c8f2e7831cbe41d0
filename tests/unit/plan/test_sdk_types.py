"""Recorded inputs against the types of the installed SDK: names, types, what is missing, and what stands in."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import problems, resource_class, validate

ACTION = {"type": "forward", "targetGroupArn": "arn:tg"}
CONDITION = {"pathPattern": {"values": ["/orders"]}}
RULE = {"listenerArn": "arn:l", "actions": [ACTION], "conditions": [CONDITION]}


def resource(kind: str, inputs: dict[str, Any], name: str = "shop", custom: bool = True) -> Resource:
    return Resource(f"urn:pulumi:dev::shop::{kind}::{name}", kind, name, None, inputs, (), custom)


def rule(**inputs: Any) -> list[str]:
    """The problems of a rule with these inputs, without its name."""
    given = {key: value for key, value in {**RULE, **inputs}.items() if value is not None}
    found = problems(resource("aws:lb/listenerRule:ListenerRule", given, "shop-orders"))
    assert all(line.startswith("lb.ListenerRule shop-orders: ") for line in found)
    return [line.removeprefix("lb.ListenerRule shop-orders: ") for line in found]


def acl(statement: dict[str, Any]) -> list[str]:
    shown = {"cloudwatchMetricsEnabled": True, "metricName": "m", "sampledRequestsEnabled": False}
    one = {"name": "r", "priority": 0, "statement": statement, "visibilityConfig": shown}
    inputs = {"scope": "REGIONAL", "visibilityConfig": shown, "defaultAction": {"allow": {}}, "rules": [one]}
    return problems(resource("aws:wafv2/webAcl:WebAcl", inputs))


def test_what_fits_has_no_problems():
    assert rule(priority=1, tags={"Name": "orders"}) == []


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"prioriti": 1}, "prioriti is not known; did you mean priority?"),
        ({"conditions": [{"pathPatern": {}}]}, "conditions[0].pathPatern is not known; did you mean pathPattern?"),
        (
            {"conditions": [CONDITION, {"path_patern": {}}]},
            "conditions[1].path_patern is not known; did you mean pathPattern?",
        ),
        (
            {"conditions": [{"pathPattern": {"valuez": []}}]},
            "conditions[0].pathPattern.valuez is not known; did you mean values?",
        ),
        (
            {"transforms": [{"type": "url-rewrite", "zzz": 1}]},
            "transforms[0].zzz is not known; known: hostHeaderRewriteConfig, type, urlRewriteConfig",
        ),
        ({"priority": "12"}, 'priority is "12", not a whole number'),
        ({"priority": 1.5}, "priority is 1.5, not a whole number"),
        ({"priority": True}, "priority is true, not a whole number"),
        ({"listenerArn": 7}, "listenerArn is 7, not a text"),
        ({"listenerArn": ["arn:l"]}, 'listenerArn is ["arn:l"], not a text'),
        ({"tags": {"Name": 5}}, "tags.Name is 5, not a text"),
        ({"tags": ["a"]}, 'tags is ["a"], not a map'),
        ({"conditions": CONDITION}, 'conditions is {"pathPattern": {"values": ["/orders"]}}, not a list'),
        ({"conditions": ["/orders"]}, 'conditions[0] is "/orders", not an object'),
        (
            {"conditions": [{"pathPattern": {"values": ["/a", None, 3]}}]},
            "conditions[0].pathPattern.values[2] is 3, not a text",
        ),
        ({"listenerArn": None}, "listenerArn is missing"),
        ({"actions": [{"targetGroupArn": "arn:tg"}]}, "actions[0].type is missing"),
        (
            {"actions": [{**ACTION, "jwtValidation": {"issuer": "i"}}]},
            "actions[0].jwtValidation.jwksEndpoint is missing",
        ),
    ],
)
def test_a_problem_names_its_place(inputs: dict[str, Any], problem: str):
    assert rule(**inputs) == [problem]


def test_all_problems_are_found_at_once():
    assert rule(listenerArn=None, priority="x", prority=1) == [
        'priority is "x", not a whole number',
        "prority is not known; did you mean priority?",
        "listenerArn is missing",
    ]


def test_a_long_value_is_shown_short():
    (problem,) = rule(priority="x" * 500)

    assert problem == f'priority is "{"x" * 56}..., not a whole number'


@pytest.mark.parametrize("value", ["${lb.Listener shop.port}", "1${lb.Listener shop.port}", "[unknown]", "[secret]"])
def test_what_stands_in_fits_every_scalar(value: str):
    assert rule(priority=value, listenerArn=value) == []


@pytest.mark.parametrize("value", ["[unknown]", "[secret]"])
def test_an_unknown_or_secret_fits_every_value(value: str):
    assert rule(conditions=value, actions=[value], tags=value) == []


def test_a_token_does_not_fit_a_list():
    assert rule(actions="${lb.Listener shop.arn}") == ['actions is "${lb.Listener shop.arn}", not a list']


def test_a_policy_variable_is_no_token():
    assert rule(priority="${aws:PrincipalTag/x}") == ['priority is "${aws:PrincipalTag/x}", not a whole number']


def test_a_text_that_was_an_output_is_a_problem():
    (problem,) = rule(listenerArn=record_text())

    assert problem == "listenerArn has an Output that was made a text; use Output.concat or apply"


def record_text() -> str:
    """What an f-string makes of an Output."""

    def program():
        aws.sns.Topic("t", display_name=f"to {aws.sns.Topic('u').arn}")

    return {found.name: found for found in record(program, project="p", stack="s").resources}["t"].inputs["displayName"]


def test_a_number_may_be_whole_where_fractions_fit():
    inputs = {"comparisonOperator": "x", "evaluationPeriods": 1, "threshold": 5}

    assert problems(resource("aws:cloudwatch/metricAlarm:MetricAlarm", inputs)) == []


def test_a_boolean_is_no_text():
    found = problems(resource("aws:lb/loadBalancer:LoadBalancer", {"internal": "false"}))

    assert found == ['lb.LoadBalancer shop: internal is "false", not true or false']


def test_a_type_without_end_is_checked_as_deep_as_the_value_goes():
    match = {"fieldToMatch": {"uriPat": {}}, "positionalConstraint": "EXACTLY", "searchString": "/x"}
    found = acl({"notStatement": {"statement": {"andStatement": {"statements": [{"byteMatchStatement": match}]}}}})

    assert found == [
        "wafv2.WebAcl shop: rules[0].statement.notStatement.statement.andStatement.statements[0]"
        ".byteMatchStatement.fieldToMatch.uriPat is not known; did you mean uriPath?"
    ]


def test_a_value_of_a_union_may_be_any_of_its_members():
    def problems_of(policy: Any):
        return problems(resource("aws:iam/policy:Policy", {"policy": policy}))

    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    assert problems_of("{}") == []
    assert problems_of(document) == []
    assert problems_of({**document, "Statement": [{"Effect": "Maybe", "Action": "s3:*"}]}) == [
        'iam.Policy shop: policy.Statement[0].Effect is "Maybe", not one of Allow, Deny'
    ]


def test_files_fit_where_files_are_wanted():
    def problems_of(**code: Any):
        inputs = {"role": "arn:r", "runtime": "nodejs22.x", **code}
        return problems(resource("aws:lambda/function:Function", inputs))

    assert problems_of(code={"archive": {"code.zip": "00"}}) == []
    assert problems_of(code="code.zip") == ['lambda.Function shop: code is "code.zip", not an archive']


def test_a_provider_has_json_where_others_have_values():
    def problems_of(**inputs: Any):
        return problems(resource("pulumi:providers:aws", inputs, "eu"))

    assert problems_of(region="eu-west-1", skipMetadataApiCheck="true", defaultTags='{"tags": {"a": "b"}}') == []
    assert problems_of(defaultTags='{"tagz": {}}') == [
        "providers.aws eu: defaultTags.tagz is not known; did you mean tags?"
    ]


def test_a_component_and_a_package_that_is_not_installed_have_no_problems():
    unknown = {"nothing": "known"}

    assert problems(resource("edgewright:aws:Shop", unknown, custom=False)) == []
    assert problems(resource("other-cloud:index:Thing", unknown)) == []


def test_a_type_that_the_sdk_does_not_have_is_a_problem():
    assert problems(resource("aws:lb/listner:Listner", {})) == [
        "lb.Listner shop: aws:lb/listner:Listner is not a type of the installed SDK"
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("aws:lambda/function:Function", aws.lambda_.Function),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", aws.vpc.SecurityGroupIngressRule),
        ("pulumi:providers:aws", aws.Provider),
        ("other-cloud:index:Thing", None),
    ],
)
def test_the_class_of_a_type_is_found(kind: str, expected: type | None):
    assert resource_class(kind) is expected


def shop():
    vpc = aws.ec2.Vpc("shop", cidr_block="10.0.0.0/16", tags={"Name": "shop"})
    group = aws.ec2.SecurityGroup("shop", vpc_id=vpc.id)
    options: dict[str, Any] = {"security_group_id": group.id, "ip_protocol": "tcp", "from_port": 443, "to_port": 443}
    aws.vpc.SecurityGroupIngressRule("shop", cidr_ipv4=vpc.cidr_block, **options)
    balancer = aws.lb.LoadBalancer("shop", security_groups=[group.id], subnets=["a"], access_logs={"bucket": "b"})
    redirect = aws.lb.ListenerDefaultActionRedirectArgs(status_code="HTTP_301")
    action = aws.lb.ListenerDefaultActionArgs(type="redirect", redirect=redirect)
    aws.lb.Listener("shop", load_balancer_arn=balancer.arn, port=80, default_actions=[action])
    body = pulumi.Output.json_dumps({"uri": balancer.dns_name})
    api = aws.apigateway.RestApi("shop", body=body, endpoint_configuration={"types": "REGIONAL"})
    deployment = aws.apigateway.Deployment("shop", rest_api=api.id, triggers={"body": body})
    aws.apigateway.Stage("shop", rest_api=api.id, deployment=deployment.id, stage_name="v1")


@pytest.mark.parametrize("preview", [False, True])
def test_what_real_classes_send_has_no_problems(preview: bool):
    found = record(shop, project="p", stack="s", preview=preview).resources

    assert len(found) == 8
    assert validate(found) == []


def test_what_real_classes_let_pass_is_found():
    wrong: dict[str, Any] = {"access_logs": {"bucket": "b", "prefx": "p"}, "subnets": "a", "internal": "no"}
    found = record(lambda: aws.lb.LoadBalancer("wrong", **wrong), project="p", stack="s").resources

    assert validate(found) == [
        "lb.LoadBalancer wrong: accessLogs.prefx is not known; did you mean prefix?",
        'lb.LoadBalancer wrong: internal is "no", not true or false',
        'lb.LoadBalancer wrong: subnets is "a", not a list',
    ]
