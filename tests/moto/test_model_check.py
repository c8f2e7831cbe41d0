"""A call that AWS's models do not take is found: every kind of mutation of calls that they take."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.validate import ParamValidator

from .model_check import pattern, problems, service_model

RULE: Mapping[str, Any] = {
    "ListenerArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/1/2",
    "Priority": 1200,
    "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/orders"]}}],
    "Actions": [
        {
            "Type": "jwt-validation",
            "Order": 1,
            "JwtValidationConfig": {
                "Issuer": "https://issuer.example",
                "JwksEndpoint": "https://issuer.example/keys",
                "AdditionalClaims": [{"Format": "single-string", "Name": "aud", "Values": ["shop"]}],
            },
        },
        {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "404"}},
    ],
    "Transforms": [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/b"}]}}],
    "Tags": [{"Key": "Name", "Value": "shop"}],
}
SEEN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "shop"}
WEB_ACL: Mapping[str, Any] = {
    "Name": "shop",
    "Scope": "REGIONAL",
    "DefaultAction": {"Allow": {}},
    "VisibilityConfig": {**SEEN},
    "Rules": [
        {
            "Name": "rate",
            "Priority": 0,
            "Action": {"Block": {"CustomResponse": {"ResponseCode": 429}}},
            "Statement": {"RateBasedStatement": {"Limit": 100, "EvaluationWindowSec": 60, "AggregateKeyType": "IP"}},
            "VisibilityConfig": {**SEEN},
        }
    ],
}
VALID: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("elbv2", "CreateRule"): RULE,
    ("wafv2", "CreateWebACL"): WEB_ACL,
    ("acm", "RequestCertificate"): {
        "DomainName": "shop.example",
        "ValidationMethod": "DNS",
        "KeyAlgorithm": "EC_prime256v1",
    },
    ("iam", "CreateRole"): {"RoleName": "shop", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 3600},
    ("logs", "CreateLogGroup"): {"logGroupName": "/aws/shop", "logGroupClass": "STANDARD", "tags": {"Name": "shop"}},
    ("lambda", "CreateFunction"): {
        "FunctionName": "shop",
        "Role": "arn:aws:iam::123456789012:role/shop",
        "Runtime": "nodejs22.x",
        "Handler": "index.handler",
        "Code": {"ZipFile": b"PK"},
        "MemorySize": 256,
        "Timeout": 5,
    },
    ("apigateway", "PutIntegration"): {
        "restApiId": "a",
        "resourceId": "b",
        "httpMethod": "GET",
        "type": "HTTP_PROXY",
        "connectionType": "VPC_LINK",
        "timeoutInMillis": 29000,
        "tlsConfig": {"insecureSkipVerification": False},
    },
    ("apigatewayv2", "CreateStage"): {
        "ApiId": "a",
        "StageName": "$default",
        "AutoDeploy": True,
        "DefaultRouteSettings": {"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 5.5},
    },
    ("route53", "ChangeResourceRecordSets"): {
        "HostedZoneId": "Z0123456789",
        "ChangeBatch": {
            "Changes": [{"Action": "CREATE", "ResourceRecordSet": {"Name": "shop.example", "Type": "A", "TTL": 300}}]
        },
    },
    ("cloudwatch", "PutMetricAlarm"): {
        "AlarmName": "shop",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 2,
        "Threshold": 1.5,
        "Statistic": "Sum",
    },
}

Mutant = tuple[str, str, str, Any]
"""Service, operation, path of the mutated place, the value there."""

MUTANTS: tuple[Mutant, ...] = (
    ("elbv2", "CreateRule", "Priority", 50001),
    ("elbv2", "CreateRule", "Priority", 0),
    ("elbv2", "CreateRule", "Priority", "1200"),
    ("elbv2", "CreateRule", "Priority", True),
    ("elbv2", "CreateRule", "Actions.0.Type", "jwt"),
    ("elbv2", "CreateRule", "Actions.0.Order", 50001),
    ("elbv2", "CreateRule", "Actions.0.JwtValidationConfig.AdditionalClaims.0.Format", "list"),
    ("elbv2", "CreateRule", "Actions.0.JwtValidationConfig.Audience", "shop"),
    ("elbv2", "CreateRule", "Actions.1.FixedResponseConfig.StatusCode", "301"),
    ("elbv2", "CreateRule", "Conditions", {"Field": "path-pattern"}),
    ("elbv2", "CreateRule", "Transforms.0.Type", "path-rewrite"),
    ("elbv2", "CreateRule", "Tags", []),
    ("elbv2", "CreateRule", "Tags.0.Key", "k" * 129),
    ("elbv2", "CreateRule", "Tags.0.Value", "a\tb"),
    ("wafv2", "CreateWebACL", "Scope", "regional"),
    ("wafv2", "CreateWebACL", "Name", "my shop"),
    ("wafv2", "CreateWebACL", "Name", "n" * 129),
    ("wafv2", "CreateWebACL", "Name", ""),
    ("wafv2", "CreateWebACL", "Rules.0.Priority", -1),
    ("wafv2", "CreateWebACL", "Rules.0.Statement.RateBasedStatement.Limit", 9),
    ("wafv2", "CreateWebACL", "Rules.0.Statement.RateBasedStatement.Limit", 2_000_000_001),
    ("wafv2", "CreateWebACL", "Rules.0.Statement.RateBasedStatement.AggregateKeyType", "HEADER"),
    ("wafv2", "CreateWebACL", "Rules.0.Action.Block.CustomResponse.ResponseCode", 199),
    ("wafv2", "CreateWebACL", "Rules.0.VisibilityConfig.MetricName", "shop orders"),
    ("wafv2", "CreateWebACL", "Rules.0.VisibilityConfig.SampledRequestsEnabled", "true"),
    ("acm", "RequestCertificate", "DomainName", "shop"),
    ("acm", "RequestCertificate", "ValidationMethod", "TXT"),
    ("acm", "RequestCertificate", "SubjectAlternativeNames", ["a.example"] * 101),
    ("iam", "CreateRole", "RoleName", "r" * 65),
    ("iam", "CreateRole", "MaxSessionDuration", 3599),
    ("logs", "CreateLogGroup", "logGroupName", "shop logs"),
    ("logs", "CreateLogGroup", "logGroupClass", "CHEAP"),
    ("logs", "CreateLogGroup", "tags", {}),
    ("logs", "CreateLogGroup", "tags", {"k": "v" * 257}),
    ("lambda", "CreateFunction", "MemorySize", 127),
    ("lambda", "CreateFunction", "Runtime", "nodejs23"),
    ("lambda", "CreateFunction", "Role", "shop"),
    ("lambda", "CreateFunction", "Code.ZipFile", 1),
    ("apigateway", "PutIntegration", "type", "http_proxy"),
    ("apigateway", "PutIntegration", "connectionType", "PRIVATE"),
    ("apigateway", "PutIntegration", "timeoutInMillis", 29.5),
    ("apigatewayv2", "CreateStage", "DefaultRouteSettings.ThrottlingRateLimit", "5"),
    ("apigatewayv2", "CreateStage", "AutoDeploy", 1),
    ("route53", "ChangeResourceRecordSets", "ChangeBatch.Changes.0.Action", "MAKE"),
    ("route53", "ChangeResourceRecordSets", "ChangeBatch.Changes", []),
    ("route53", "ChangeResourceRecordSets", "ChangeBatch.Changes.0.ResourceRecordSet.TTL", 2_147_483_648),
    ("cloudwatch", "PutMetricAlarm", "EvaluationPeriods", 0),
    ("cloudwatch", "PutMetricAlarm", "Threshold", "high"),
)


def mutated(params: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path."""
    found: Any = copy.deepcopy(dict(params))
    place = found
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in above:
        place = place[part]
    place[last] = value
    return found


def botocore_takes(service: str, operation: str, params: Mapping[str, Any]) -> bool:
    """What botocore itself says before it sends a call."""
    shape = service_model(service).operation_model(operation).input_shape
    return not ParamValidator().validate(params, shape).has_errors()


def without_required() -> Iterator[Mutant]:
    """The valid calls without each of what they must have, at any depth."""

    def walk(value: Any, shape: Any, path: str) -> Iterator[str]:
        if shape.type_name == "structure":
            yield from (f"{path}{name}" for name in shape.required_members)
            for name, item in value.items():
                yield from walk(item, shape.members[name], f"{path}{name}.")
        elif shape.type_name == "list":
            for index, item in enumerate(value):
                yield from walk(item, shape.member, f"{path}{index}.")

    for (service, operation), params in VALID.items():
        shape = service_model(service).operation_model(operation).input_shape
        for path in walk(params, shape, ""):
            yield service, operation, path, None


@pytest.mark.parametrize(("service", "operation"), VALID)
def test_a_valid_call_has_no_problems(service: str, operation: str) -> None:
    assert problems(service, operation, VALID[service, operation]) == []
    assert botocore_takes(service, operation, VALID[service, operation])


@pytest.mark.parametrize(("service", "operation", "path", "value"), MUTANTS)
def test_a_wrong_value_is_found_at_its_place(service: str, operation: str, path: str, value: Any) -> None:
    params = mutated(VALID[service, operation], path, value)
    found = problems(service, operation, params)
    place = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split(".")).removeprefix(".")
    assert len(found) >= 1
    assert all(place.rpartition(".")[0] in problem or place in problem for problem in found), found


@pytest.mark.parametrize(("service", "operation", "path", "value"), list(without_required()))
def test_what_is_required_is_missed(service: str, operation: str, path: str, value: Any) -> None:
    found = problems(service, operation, mutated(VALID[service, operation], path, value))
    assert any(f"`{path.rpartition('.')[2]}` is missing" in problem for problem in found), found


def test_botocore_alone_misses_most_of_the_mutants_and_finds_none_that_is_missed_here() -> None:
    missed = [
        (service, operation, path)
        for service, operation, path, value in MUTANTS
        if botocore_takes(service, operation, mutated(VALID[service, operation], path, value))
    ]
    assert len(missed) > len(MUTANTS) / 2
    assert ("elbv2", "CreateRule", "Actions.0.Type") in missed  # enum
    assert ("wafv2", "CreateWebACL", "Rules.0.VisibilityConfig.MetricName") in missed  # pattern
    assert ("acm", "RequestCertificate", "SubjectAlternativeNames") in missed  # longest list


def test_an_unknown_operation_is_a_problem() -> None:
    assert problems("elbv2", "MakeRule", {}) == ["elbv2 MakeRule: the service has no such operation"]


def test_texts_that_stand_in_are_not_measured() -> None:
    params = {**RULE, "ListenerArn": "${lb.Listener shop-https.arn}"}
    name = "${wafv2.WebAcl shop.name}-and-more"
    assert problems("elbv2", "CreateRule", params) == []
    assert problems("wafv2", "CreateWebACL", {**WEB_ACL, "Name": name, "Scope": "${a.B c.d}"}) == []


def test_a_text_that_stands_in_is_no_number() -> None:
    found = problems("elbv2", "CreateRule", {**RULE, "Priority": "${lb.ListenerRule shop.priority}"})
    assert found == ["elbv2 CreateRule: Priority: '${lb.ListenerRule shop.priority}' is not a whole number"]


@pytest.mark.parametrize("mark", ["[unknown]", "[secret]"])
def test_unknown_and_secret_values_fit_everywhere(mark: str) -> None:
    assert problems("elbv2", "CreateRule", {**RULE, "Priority": mark, "Actions": mark, "Conditions": [mark]}) == []


def test_a_text_with_a_dollar_is_measured_as_any_other() -> None:
    assert problems("wafv2", "CreateWebACL", {**WEB_ACL, "Name": "${stageVariables.name}"})


def test_a_problem_says_what_is_taken_instead() -> None:
    found = problems("elbv2", "CreateRule", {**RULE, "Priority": 50001})
    assert found == ["elbv2 CreateRule: Priority: 50001 is above 50000"]
    assert "there is Actions, Conditions" in problems("elbv2", "CreateRule", {**RULE, "Prio": 1})[0]


SERVICES = [
    *("acm", "apigateway", "apigatewayv2", "autoscaling", "cloudwatch", "ec2", "elbv2", "iam"),
    *("kms", "lambda", "logs", "route53", "s3", "shield", "sns", "wafv2"),
]


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_a_service_compiles(service: str) -> None:
    model: Any = service_model(service)
    patterns = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names} - {None}
    for item in patterns:
        assert pattern(item).pattern


@pytest.mark.parametrize(
    ("java", "takes", "refuses"),
    [
        (r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", "Größe 2: a/b=c+d-e@f", "a\tb"),
        (r"\p{ASCII}+", "a~\t", "ä"),
        (r"[\w-_]*", "a-b_c", "a b"),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "a\U0001f600\n", "a\x00"),
    ],
)
def test_patterns_in_java_s_words_mean_the_same(java: str, takes: str, refuses: str) -> None:
    assert pattern(java).fullmatch(takes)
    assert not pattern(java).fullmatch(refuses)
