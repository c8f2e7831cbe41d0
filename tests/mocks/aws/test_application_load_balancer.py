"""An Application Load Balancer in AWS's own terms: what is safe without being said, and what each argument becomes."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from edgewright.aws.application_load_balancer import SSL_POLICY, ApplicationLoadBalancer, ApplicationLoadBalancerArgs
from mocks.aws.api_recording import Recording, problems, record
from mocks.aws.components import CERTIFICATE, FROM_ANYWHERE, GROUP, JWT, RULE, TO_SERVICES

HTTPS = {"port": 443, "certificate_arn": CERTIFICATE}


def args(**more: Any) -> ApplicationLoadBalancerArgs:
    given = {
        "vpc_id": "vpc-1",
        "subnets": ["subnet-1", "subnet-2"],
        "ingress": {"all": FROM_ANYWHERE},
        "egress": {"services": TO_SERVICES},
        "listeners": {"https": HTTPS},
        "target_groups": {"orders": GROUP, "next": GROUP},
        **more,
    }
    return cast(ApplicationLoadBalancerArgs, {key: item for key, item in given.items() if item is not None})


def place(**more: Any) -> Recording:
    return record(lambda: ApplicationLoadBalancer("lb", args(**more)))


def rule(*actions: Any, conditions: Any = None, **more: Any) -> dict[str, Any]:
    found = {
        **RULE,
        "actions": list(actions) or RULE["actions"],
        "conditions": conditions or RULE["conditions"],
        **more,
    }
    return {"rules": {"orders": found}}


def planned_rule(*actions: Any, conditions: Any = None, **more: Any) -> Any:
    return place(**rule(*actions, conditions=conditions, **more)).inputs("lb.ListenerRule")


# -- safe without being said -------------------------------------------------------------------------------------------


def test_a_balancer_is_internal_kept_from_deletion_and_strict_about_requests() -> None:
    inputs = place().inputs("lb.LoadBalancer")
    assert inputs["internal"] is True
    assert inputs["enableDeletionProtection"] is True
    assert inputs["dropInvalidHeaderFields"] is True
    assert inputs["desyncMitigationMode"] == "strictest"
    assert inputs["enableWafFailOpen"] is False
    assert inputs["ipAddressType"] == "ipv4"


def test_accesses_and_connections_are_logged_into_a_bucket_of_its_own() -> None:
    made = place()
    inputs = made.inputs("lb.LoadBalancer")
    assert (inputs["accessLogs"]["enabled"], inputs["connectionLogs"]["enabled"]) == (True, True)
    assert inputs["accessLogs"]["prefix"] != inputs["connectionLogs"]["prefix"]
    assert made.one("s3.BucketPolicy").urn in made.one("lb.LoadBalancer").dependencies


def test_named_buckets_are_used_and_none_is_made() -> None:
    made = place(access_logs={"bucket": "mine", "prefix": "a"}, health_check_logs={"bucket": "mine", "prefix": "h"})
    inputs = made.inputs("lb.LoadBalancer")
    assert made.of("s3.Bucket") == {}
    assert inputs["accessLogs"] == {"enabled": True, "bucket": "mine", "prefix": "a"}
    assert inputs["healthCheckLogs"]["prefix"] == "h"
    assert "connectionLogs" not in inputs


def test_what_no_rule_takes_is_answered_with_404_and_the_server_is_not_named() -> None:
    inputs = place().inputs("lb.Listener")
    assert inputs["defaultActions"][0]["fixedResponse"]["statusCode"] == "404"
    assert inputs["routingHttpResponseServerEnabled"] is False
    assert inputs["sslPolicy"] == SSL_POLICY == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


def test_its_security_group_opens_what_was_asked_for_and_nothing_else() -> None:
    made = place()
    into, out = made.inputs("vpc.SecurityGroupIngressRule"), made.inputs("vpc.SecurityGroupEgressRule")
    assert (into["fromPort"], into["toPort"], into["cidrIpv4"]) == (443, 443, "0.0.0.0/0")
    assert (out["fromPort"], out["referencedSecurityGroupId"]) == (8080, "sg-services")
    assert not {"ingress", "egress"} & set(made.inputs("ec2.SecurityGroup"))


def test_an_existing_security_group_takes_the_place_of_an_own_one() -> None:
    made = place(ingress=None, egress=None, security_group_id="sg-1")
    assert made.of("ec2.SecurityGroup") == {}
    assert made.inputs("lb.LoadBalancer")["securityGroups"] == ["sg-1"]


# -- listeners ---------------------------------------------------------------------------------------------------------


def test_a_plain_listener_may_lead_to_the_secure_one() -> None:
    listeners = {"https": HTTPS, "http": {"port": 80, "protocol": "HTTP", "redirect_to_https": 443}}
    inputs = place(listeners=listeners).of("lb.Listener")["lb-http"].inputs
    assert inputs["defaultActions"][0]["redirect"] == {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}
    assert not {"sslPolicy", "certificateArn"} & set(inputs)


def test_further_certificates_are_found_by_name() -> None:
    made = place(listeners={"https": {**HTTPS, "certificate_arns": {"other": "arn:other"}}})
    assert made.inputs("lb.ListenerCertificate")["certificateArn"] == "arn:other"


def test_client_certificates_are_checked_against_a_trust_store() -> None:
    listener = {**HTTPS, "mutual_authentication": {"mode": "verify", "trust_store": "clients"}}
    made = place(
        listeners={"https": listener}, trust_stores={"clients": {"bucket": "b", "key": "ca.pem", "version": "1"}}
    )
    store = made.inputs("lb.TrustStore")
    assert (store["caCertificatesBundleS3Bucket"], store["caCertificatesBundleS3ObjectVersion"]) == ("b", "1")
    mutual = made.inputs("lb.Listener")["mutualAuthentication"]
    assert mutual == {"mode": "verify", "trustStoreArn": "arn:lb-clients"}


def test_headers_are_put_on_every_answer() -> None:
    headers = {"strict-transport-security": "max-age=1", "x-frame-options": "DENY"}
    inputs = place(listeners={"https": {**HTTPS, "response_headers": headers}}).inputs("lb.Listener")
    assert inputs["routingHttpResponseStrictTransportSecurityHeaderValue"] == "max-age=1"
    assert inputs["routingHttpResponseXFrameOptionsHeaderValue"] == "DENY"


# -- rules -------------------------------------------------------------------------------------------------------------


def test_a_token_is_checked_before_a_request_goes_on() -> None:
    first, second = planned_rule(JWT, {"forward": {"target_groups": {"orders": 100}}})["actions"]
    assert (first["type"], first["order"], second["type"], second["order"]) == ("jwt-validation", 1, "forward", 2)
    assert first["jwtValidation"]["jwksEndpoint"] == "https://login.example/keys"
    assert first["jwtValidation"]["additionalClaims"] == [
        {"name": "aud", "format": "single-string", "values": ["api://shop"]}
    ]


@pytest.mark.parametrize(
    ("kind", "given", "written"),
    [
        (
            "oidc",
            {
                "issuer": "https://login.example",
                "authorization_endpoint": "https://login.example/a",
                "token_endpoint": "https://login.example/t",
                "user_info_endpoint": "https://login.example/u",
                "client_id": "shop",
                "client_secret": "hidden",
                "on_unauthenticated": "authenticate",
            },
            "authenticateOidc",
        ),
        (
            "cognito",
            {"user_pool_arn": "arn:pool", "user_pool_client_id": "shop", "user_pool_domain": "shop"},
            "authenticateCognito",
        ),
    ],
)
def test_a_browser_is_sent_to_log_in(kind: str, given: dict[str, Any], written: str) -> None:
    actions = planned_rule({kind: given}, {"forward": {"target_groups": {"orders": 100}}})["actions"]
    assert actions[0]["type"] == f"authenticate-{kind}"
    assert written in actions[0]
    if kind == "oidc":
        assert actions[0][written]["onUnauthenticatedRequest"] == "authenticate"


def test_requests_are_shared_by_weight_and_a_client_stays_where_it_was() -> None:
    action = {"forward": {"target_groups": {"orders": 90, "next": 10}, "stickiness_seconds": 60}}
    forward = planned_rule(action)["actions"][0]["forward"]
    assert [(item["arn"], item["weight"]) for item in forward["targetGroups"]] == [
        ("arn:lb-orders", 90),
        ("arn:lb-next", 10),
    ]
    assert forward["stickiness"] == {"enabled": True, "duration": 60}


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"hosts": ["a.example"]}, {"hostHeader": {"values": ["a.example"]}}),
        ({"paths": ["/a"]}, {"pathPattern": {"values": ["/a"]}}),
        ({"path_regex": ["^/a$"]}, {"pathPattern": {"regexValues": ["^/a$"]}}),
        ({"methods": ["GET"]}, {"httpRequestMethod": {"values": ["GET"]}}),
        ({"header": {"name": "x", "values": ["1"]}}, {"httpHeader": {"httpHeaderName": "x", "values": ["1"]}}),
        ({"header": {"name": "x", "regex": ["^1"]}}, {"httpHeader": {"httpHeaderName": "x", "regexValues": ["^1"]}}),
        ({"query": [{"key": "a", "value": "b"}]}, {"queryStrings": [{"key": "a", "value": "b"}]}),
        ({"source_ips": ["10.0.0.0/8"]}, {"sourceIp": {"values": ["10.0.0.0/8"]}}),
    ],
)
def test_a_condition_is_written_as_aws_has_it(given: Any, written: Any) -> None:
    assert planned_rule(conditions=[given])["conditions"] == [written]


def test_paths_and_hosts_are_rewritten() -> None:
    transforms = [{"url": {"regex": "^/a", "replace": "/b"}}, {"host": {"regex": ".*", "replace": "inner"}}]
    found = planned_rule(transforms=transforms)["transforms"]
    assert found == [
        {"type": "url-rewrite", "urlRewriteConfig": {"rewrite": {"regex": "^/a", "replace": "/b"}}},
        {"type": "host-header-rewrite", "hostHeaderRewriteConfig": {"rewrite": {"regex": ".*", "replace": "inner"}}},
    ]


def test_a_fixed_answer_and_a_redirect_are_written_as_aws_has_them() -> None:
    fixed = planned_rule({"fixed": {"status": 503, "body": "later"}})["actions"][0]["fixedResponse"]
    assert fixed == {"contentType": "text/plain", "statusCode": "503", "messageBody": "later"}
    redirect = planned_rule({"redirect": {"host": "b.example", "status": "HTTP_302"}})["actions"][0]["redirect"]
    assert redirect == {"host": "b.example", "statusCode": "HTTP_302"}


# -- target groups -----------------------------------------------------------------------------------------------------


def test_a_function_may_be_called_before_it_is_a_target() -> None:
    made = place(target_groups={"f": {"target_type": "lambda", "targets": {"it": {"id": "arn:f"}}}})
    group = made.inputs("lb.TargetGroup")
    assert not {"port", "protocol", "vpcId"} & set(group)
    permission = made.one("lambda.Permission")
    assert permission.inputs["sourceArn"] == "arn:lb-f"
    assert permission.urn in made.one("lb.TargetGroupAttachment").dependencies


def test_an_autoscaling_group_attaches_itself() -> None:
    made = place(target_groups={"w": {"port": 80, "target_type": "instance", "autoscaling_group": "workers"}})
    assert made.inputs("autoscaling.Attachment")["autoscalingGroupName"] == "workers"


def test_a_name_that_would_be_too_long_is_short_and_changes_with_what_replaces_the_group() -> None:
    name = "a-target-group-with-a-very-long-name"
    first, second = (
        place(target_groups={name: {**GROUP, "port": port}}).inputs("lb.TargetGroup")["name"] for port in (80, 81)
    )
    assert len(first) <= 32 and len(second) <= 32
    assert first != second


# -- what is refused ---------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "one subnet": (lambda: args(subnets=["subnet-1"]), "two"),
    "no certificate": (lambda: args(listeners={"https": {"port": 443}}), "certificate_arn"),
    "a protocol that it does not speak": (lambda: args(listeners={"x": {"port": 1, "protocol": "TCP"}}), "HTTPS or HTTP"),
    "no port": (lambda: args(listeners={"x": {"port": 0, "certificate_arn": CERTIFICATE}}), "1 to 65535"),
    "a door without a listener": (lambda: args(ingress={"x": {"port": 22, "cidr_ipv4": "0.0.0.0/0"}}), "no listener is there"),
    "no door": (lambda: args(ingress=None), "nobody could reach it"),
    "a token on a plain listener": (lambda: args(listeners={"https": {"port": 80, "protocol": "HTTP"}}, **rule()), "HTTPS listener"),
    "a rule of no listener": (lambda: args(rules={"orders": {**RULE, "listener": "x"}}), "there is no listener"),
    "a rule without conditions": (lambda: args(rules={"orders": {**RULE, "conditions": []}}), "no conditions"),
    "too many values": (lambda: args(**rule(conditions=[{"paths": [f"/{n}" for n in range(6)]}])), "5 a rule"),
    "a pattern that is too long": (lambda: args(**rule(conditions=[{"paths": ["/" + "a" * 128]}])), "128"),
    "an expression that looks ahead": (lambda: args(**rule(conditions=[{"path_regex": ["^(?=a)"]}])), "looks around"),
    "an expression that is none": (lambda: args(**rule(conditions=[{"path_regex": ["("]}])), "no regular expression"),
    "two conditions on paths": (lambda: args(**rule(conditions=[{"paths": ["/a"]}, {"paths": ["/b"]}])), "several conditions"),
    "a priority twice": (lambda: args(rules={"a": RULE, "b": RULE}), "that of `a` too"),
    "a priority that is too high": (lambda: args(rules={"a": {**RULE, "priority": 50001}}), "1 to 50000"),
    "a group that is not there": (lambda: args(**rule({"forward": {"target_groups": {"x": 1}}})), "no target group"),
    "an end that is none": (lambda: args(**rule(JWT)), "must end with"),
    "six groups at once": (lambda: args(**rule({"forward": {"target_groups": {f"g{n}": 1 for n in range(6)}}})), "1 to 5"),
    "an answer of 301": (lambda: args(**rule({"fixed": {"status": 301}})), "2xx, 4xx or 5xx"),
    "a long answer": (lambda: args(**rule({"fixed": {"status": 200, "body": "x" * 1025}})), "1,024"),
    "a redirect of 308": (lambda: args(**rule({"redirect": {"status": "HTTP_308"}})), "HTTP_301 or HTTP_302"),
    "a claim that is checked anyway": (lambda: args(**rule({"jwt": {**JWT["jwt"], "claims": [{"name": "exp", "format": "single-string", "values": ["1"]}]}}, {"forward": {"target_groups": {"orders": 1}}})), "additional claim"),
    "keys without TLS": (lambda: args(**rule({"jwt": {**JWT["jwt"], "jwks_uri": "http://a.example"}}, {"forward": {"target_groups": {"orders": 1}}})), "https address"),
    "two logins": (lambda: args(**rule(JWT, JWT, {"forward": {"target_groups": {"orders": 1}}})), "authenticates once"),
    "two transforms of a kind": (lambda: args(**rule(transforms=[{"url": {"regex": "a", "replace": "b"}}] * 2)), "one `url`"),
    "a check that takes longer than its interval": (lambda: args(target_groups={"x": {**GROUP, "health_check": {"interval": 5, "timeout": 5}}}), "shorter"),
    "a slow start of a second": (lambda: args(target_groups={"x": {**GROUP, "slow_start": 1}}), "slow_start"),
    "a header that no listener has": (lambda: args(listeners={"https": {**HTTPS, "response_headers": {"x-mine": "1"}}}), "x-mine"),
    "a trust store that is not there": (lambda: args(listeners={"https": {**HTTPS, "mutual_authentication": {"mode": "verify", "trust_store": "x"}}}), "no trust store"),
    "an idle timeout of an hour and more": (lambda: args(idle_timeout=4001), "1 to 4000"),
    "101 rules": (lambda: args(rules={f"r{n}": {**RULE, "priority": n + 1} for n in range(101)}), "limit is 100"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_balancer_is_refused_with(name: str) -> None:
    given, said = REFUSED[name]
    assert said in problems(lambda: ApplicationLoadBalancer("lb", given()))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = problems(
        lambda: ApplicationLoadBalancer("lb", args(subnets=[], idle_timeout=0, listeners={"x": {"port": 0}}))
    )
    assert all(word in said for word in ("subnets", "idle_timeout", "certificate_arn", "1 to 65535"))
