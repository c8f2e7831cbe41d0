"""What the examples of rules over AWS cannot say: what is there and empty, and what nobody can tell yet."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from edgewright.policies import aws
from edgewright.policies.remediation import values_for
from edgewright.policies.rule import Rule, Verdict, check_resources, complete_settings
from edgewright.policies.view import Subject
from policies.examples import Example, examples, urn_of, wire

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
RULES = {rule.name: rule for rule in aws.RULES}

ALB = "aws:lb/loadBalancer:LoadBalancer"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
LISTENER = "aws:lb/listener:Listener"
ACL = "aws:wafv2/webAcl:WebAcl"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
GROUP_ASSOCIATION = "aws:wafv2/webAclRuleGroupAssociation:WebAclRuleGroupAssociation"
REST_API = "aws:apigateway/restApi:RestApi"
STAGE = "aws:apigateway/stage:Stage"
SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
KNOWN_BAD = {"managedRuleGroupStatement": {"vendorName": "AWS", "name": "AWSManagedRulesKnownBadInputsRuleSet"}}


def resource(kind: str, name: str, refs: dict[str, Subject] | None = None, **properties: Any) -> Subject:
    """A resource; refs: where values come from, by property."""
    urns = {key: frozenset({source.urn}) for key, source in (refs or {}).items()}
    return Subject(urn_of(kind, name), kind, name, wire(properties), urns)


def verdicts(rule: str, *subjects: Subject, **settings: Any) -> list[Verdict]:
    return check_resources(subjects, [RULES[rule]], {rule: settings})


def told(rule: str, *subjects: Subject, **settings: Any) -> list[tuple[str, str, str]]:
    """Kinds of verdicts, names and places."""
    found = verdicts(rule, *subjects, **settings)
    return [(verdict.kind, verdict.urn.rpartition("::")[2], verdict.path) for verdict in found]


# --- what is empty is not there ---


@pytest.mark.parametrize(
    ("rule", "kind", "properties", "path"),
    [
        ("alb-access-logs-enabled", ALB, {"accessLogs": {"bucket": "", "enabled": True}}, "accessLogs.bucket"),
        ("target-group-health-check-defined", "aws:lb/targetGroup:TargetGroup",
         {"protocol": "HTTP", "healthCheck": {"path": ""}}, "healthCheck.path"),
        ("lb-listener-acm-certificate", LISTENER, {"protocol": "TLS", "certificateArn": ""}, "certificateArn"),
        ("apigw-stage-client-certificate", STAGE, {"clientCertificateId": ""}, "clientCertificateId"),
        ("apigw-stage-access-logging", STAGE, {"accessLogSettings": {"destinationArn": "x", "format": ""}},
         "accessLogSettings.format"),
        ("log-group-kms", "aws:cloudwatch/logGroup:LogGroup", {"kmsKeyId": ""}, "kmsKeyId"),
        ("lambda-permission-source-arn", "aws:lambda/permission:Permission",
         {"principal": "apigateway.amazonaws.com", "sourceArn": "", "sourceAccount": ""}, "sourceArn"),
        ("apigw-method-authorization", "aws:apigateway/method:Method",
         {"httpMethod": "GET", "authorization": "CUSTOM", "authorizerId": ""}, "authorizerId"),
    ],
)  # fmt: skip
def test_an_empty_text_is_nothing(rule: str, kind: str, properties: dict[str, Any], path: str) -> None:
    assert told(rule, resource(kind, "it", **properties)) == [("violation", "it", path)]


def test_tags_of_the_provider_count_where_they_can_be_seen() -> None:
    assert told("lb-tagged", resource(ALB, "it", tags={}, tagsAll={"owner": "shop"}), required=["owner"]) == []


def test_a_subnet_that_stands_there_twice_is_one_zone() -> None:
    assert told("lb-multi-az", resource(ALB, "it", subnets=["subnet-a", "subnet-a"])) == [
        ("violation", "it", "subnets")
    ]


@pytest.mark.parametrize(
    ("principal", "source"),
    [
        ("apigateway.amazonaws.com", "*"),
        ("apigateway.amazonaws.com", "arn:aws:execute-api:eu-west-1:*:*/live/GET/orders"),
        ("elasticloadbalancing.amazonaws.com", "arn:aws:elasticloadbalancing:eu-west-1:*:targetgroup/*"),
        ("s3.amazonaws.com", "arn:aws:s3:::*"),
    ],
)
def test_a_permission_for_every_source_is_no_limit(principal: str, source: str) -> None:
    permission = resource("aws:lambda/permission:Permission", "it", principal=principal, sourceArn=source)
    assert told("lambda-permission-source-arn", permission) == [("violation", "it", "sourceArn")]


@pytest.mark.parametrize(
    ("rule", "direction", "port"),
    [
        ("sg-no-public-ssh", "ingress", 22),
        ("sg-no-public-rdp", "ingress", 3389),
        ("sg-no-public-http", "ingress", 80),
        ("sg-no-public-high-risk-ports", "ingress", 5432),
        ("sg-no-all-ports-public", "ingress", None),
        ("sg-egress-restricted", "egress", None),
    ],
)
def test_the_default_security_group_is_looked_at_as_others_are(rule: str, direction: str, port: int | None) -> None:
    ports = {"protocol": "tcp", "fromPort": port, "toPort": port} if port else {"protocol": "-1"}
    properties: dict[str, Any] = {direction: [{**ports, "cidrBlocks": ["0.0.0.0/0"]}]}
    group = resource(DEFAULT_GROUP, "it", None, **properties)
    assert told(rule, group) == [("violation", "it", f"{direction}[0]")]


def test_a_word_that_is_no_port_is_said_and_not_guessed() -> None:
    rule = {"protocol": "tcp", "fromPort": "ssh", "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}
    group = resource("aws:ec2/securityGroup:SecurityGroup", "it", ingress=[rule])
    assert told("sg-no-public-ssh", group) == [("cannot tell", "it", "ingress[0].fromPort")]


@pytest.mark.parametrize(
    ("rule", "opened"),
    [
        ({"protocol": "tcp", "fromPort": 22, "toPort": 22}, "port 22 (tcp)"),
        ({"protocol": "6", "fromPort": 20, "toPort": 22}, "ports 20 to 22 (6)"),
        ({"protocol": "tcp", "fromPort": 0, "toPort": 22}, "ports 0 to 22 (tcp)"),
        ({"protocol": "tcp", "toPort": 22}, "ports 0 to 22 (tcp)"),
        ({"protocol": "tcp", "fromPort": 2, "toPort": 65535}, "ports 2 to 65535 (tcp)"),
        ({"protocol": "tcp", "fromPort": 22}, "port 22 (tcp)"),
    ],
)
def test_a_rule_that_lets_ssh_in_says_what_it_opens(rule: dict[str, Any], opened: str) -> None:
    group = resource("aws:ec2/securityGroup:SecurityGroup", "it", ingress=[{**rule, "cidrBlocks": ["0.0.0.0/0"]}])
    (found,) = verdicts("sg-no-public-ssh", group)
    assert found.text == f"opens {opened} to the internet, and 22 is among them"


@pytest.mark.parametrize(
    "rule", [{}, {"protocol": "-1", "fromPort": 0, "toPort": 0}, {"protocol": "tcp", "toPort": 65535}]
)
def test_what_opens_all_ports_is_said_once(rule: dict[str, Any]) -> None:
    group = resource("aws:ec2/securityGroup:SecurityGroup", "it", ingress=[{**rule, "ipv6CidrBlocks": ["::/0"]}])
    (found,) = verdicts("sg-no-all-ports-public", group)
    assert found.text.startswith("opens all ports (")
    assert verdicts("sg-no-public-ssh", group) == []


# --- what a prefix list holds ---

GROUP = "aws:ec2/securityGroup:SecurityGroup"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
OFFICE = [{"cidr": "192.0.2.0/24"}]
EVERYBODY = [{"cidr": "0.0.0.0/0"}]


def prefix_list(name: str, entries: Any) -> Subject:
    return resource("aws:ec2/managedPrefixList:ManagedPrefixList", name, entries=entries)


def prefix_list_entry(prefix_list_id: str, refs: dict[str, Subject] | None = None, cidr: str = UNKNOWN) -> Subject:
    kind = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
    return resource(kind, "entry", refs, cidr=cidr, prefixListId=prefix_list_id)


def ssh(*refs: Subject, prefix_list_id: str = UNKNOWN, port: int = 22) -> Subject:
    properties = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "prefixListId": prefix_list_id}
    urns = {"prefixListId": frozenset(source.urn for source in refs)}
    return Subject(urn_of(INGRESS_RULE, "ssh"), INGRESS_RULE, "ssh", wire(properties), urns)


def group_of_lists(*named: list[str], refs: Sequence[Subject]) -> Subject:
    rules = [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "prefixListIds": ids} for ids in named]
    urns = {"ingress": frozenset(source.urn for source in refs)}
    return Subject(urn_of(GROUP, "doors"), GROUP, "doors", wire({"ingress": rules}), urns)


def test_what_a_prefix_list_of_another_stack_holds_is_not_known() -> None:
    assert told("sg-no-public-prefix-list", ssh(prefix_list_id="pl-0123")) == [("cannot tell", "ssh", "prefixListId")]
    old: dict[str, Any] = {
        "type": "ingress",
        "protocol": "tcp",
        "fromPort": 22,
        "toPort": 22,
        "prefixListIds": ["pl-0123"],
    }
    assert told("sg-no-public-prefix-list", resource(OLD_RULE, "old", None, **old)) == [
        ("cannot tell", "old", "prefixListIds")
    ]


def test_what_a_prefix_list_holds_is_all_the_same_where_its_port_may_be_open() -> None:
    assert verdicts("sg-no-public-prefix-list", ssh(prefix_list_id="pl-0123", port=443)) == []


@pytest.mark.parametrize("entries", [UNKNOWN, [UNKNOWN], [*OFFICE, {"cidr": UNKNOWN}]])
def test_what_a_prefix_list_holds_may_not_be_known_yet(entries: Any) -> None:
    office = prefix_list("office", entries)
    found = told("sg-no-public-prefix-list", office, ssh(office))
    assert {kind for kind, _, _ in found} == {"cannot tell"}
    assert ("cannot tell", "ssh", "prefixListId") in found


def test_an_entry_of_who_knows_what_list_may_be_of_any() -> None:
    office = prefix_list("office", OFFICE)
    found = told("sg-no-public-prefix-list", office, prefix_list_entry(UNKNOWN, cidr="0.0.0.0/0"), ssh(office))
    assert ("cannot tell", "ssh", "prefixListId") in found
    assert {kind for kind, _, _ in found} == {"cannot tell"}


def test_an_entry_beside_a_list_may_not_be_known_yet() -> None:
    office = prefix_list("office", OFFICE)
    entry = prefix_list_entry(UNKNOWN, {"prefixListId": office})
    assert ("cannot tell", "ssh", "prefixListId") in told("sg-no-public-prefix-list", office, entry, ssh(office))


def test_a_list_that_holds_every_address_is_told_whatever_else_it_may_hold() -> None:
    wide = prefix_list("wide", [*EVERYBODY, {"cidr": UNKNOWN}])
    assert ("violation", "ssh", "") in told("sg-no-public-prefix-list", wide, ssh(wide))


def test_of_several_lists_behind_a_group_the_engine_does_not_say_which_rule_names_which() -> None:
    wide, office = prefix_list("wide", EVERYBODY), prefix_list("office", OFFICE)
    group = group_of_lists([UNKNOWN], [UNKNOWN], refs=(wide, office))
    assert told("sg-no-public-prefix-list", wide, office, group) == [
        ("cannot tell", "doors", "ingress[0].prefixListIds"),
        ("cannot tell", "doors", "ingress[1].prefixListIds"),
    ]


def test_a_list_of_another_stack_beside_one_of_this_is_not_taken_for_it() -> None:
    office = prefix_list("office", OFFICE)
    group = group_of_lists(["pl-0123"], [UNKNOWN], refs=(office,))
    found = told("sg-no-public-prefix-list", office, group)
    assert found == [
        ("cannot tell", "doors", "ingress[0].prefixListIds"),
        ("cannot tell", "doors", "ingress[1].prefixListIds"),
    ]


def test_a_list_that_an_endpoint_gives_out_is_not_taken_for_one_of_the_stack() -> None:
    office = prefix_list("office", OFFICE)
    endpoint = resource("aws:ec2/vpcEndpoint:VpcEndpoint", "s3")
    group = group_of_lists([UNKNOWN], refs=(office, endpoint))
    assert told("sg-no-public-prefix-list", office, endpoint, group) == [
        ("cannot tell", "doors", "ingress[0].prefixListIds")
    ]


def test_a_known_id_is_that_of_the_list_it_comes_from() -> None:
    """After the first update the engine knows ids, and says of which resources they are."""
    wide = prefix_list("wide", EVERYBODY)
    group = group_of_lists(["pl-0123"], ["pl-0123"], refs=(wide,))
    assert told("sg-no-public-prefix-list", wide, group) == [
        ("violation", "doors", "ingress[0]"),
        ("violation", "doors", "ingress[1]"),
    ]
    assert told("sg-no-public-prefix-list", wide, ssh(wide, prefix_list_id="pl-0123")) == [("violation", "ssh", "")]


def test_what_a_list_opens_says_which_list() -> None:
    wide = prefix_list("wide", EVERYBODY)
    found = verdicts("sg-no-public-prefix-list", wide, ssh(wide))
    assert [verdict.text for verdict in found] == ["opens port 22 (tcp) to the internet: `wide` holds every address"]


# --- what a violation says ---


@pytest.mark.parametrize(
    ("rule", "kind", "properties", "text"),
    [
        ("lambda-permission-source-arn", "aws:lambda/permission:Permission", {"principal": "x.amazonaws.com"},
         "is not said, so x.amazonaws.com may call it for anybody"),
        ("lambda-permission-source-arn", "aws:lambda/permission:Permission",
         {"principal": "x.amazonaws.com", "sourceArn": "*"}, "is `*`, so x.amazonaws.com may call it for anybody"),
        ("log-group-retention-set", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 0},
         "is 0, so logs are kept, and billed, for ever"),
        ("lb-tagged", ALB, {}, "are not said"),
        ("target-group-encrypted-health-check", "aws:lb/targetGroup:TargetGroup", {"healthCheck": {"protocol": "tcp"}},
         "is TCP"),
        ("cloudfront-front-tls-waf", "aws:cloudfront/distribution:Distribution", {"webAclId": "x"}, "is not said"),
        ("lb-tagged", ALB, {"tags": {}}, "are empty"),
        ("target-group-encrypted-protocol", "aws:lb/targetGroup:TargetGroup", {},
         "is not said, so the last part of the way is open"),
        ("lb-listener-post-quantum-tls", LISTENER, {"protocol": "HTTPS"}, "has no post-quantum key exchange"),
        ("apigwv2-domain-tls12", "aws:apigatewayv2/domainName:DomainName", {}, "is not said"),
        ("apigwv2-cors-no-wildcard", "aws:apigatewayv2/api:Api",
         {"corsConfiguration": {"allowOrigins": ["https://*"], "allowCredentials": "true"}},
         "have `https://*`, with credentials"),
        ("waf-rule-has-action", "aws:wafv2/webAclRule:WebAclRule", {}, "is missing"),
        ("waf-rule-has-action", "aws:wafv2/webAclRule:WebAclRule", {"action": {}, "overrideAction": {}},
         "and overrideAction are both there"),
        ("apigw-minimum-compression", REST_API, {"minimumCompressionSize": -1}, "is not from 0 to 10485760"),
    ],
)  # fmt: skip
def test_a_violation_says_what_is_there(rule: str, kind: str, properties: dict[str, Any], text: str) -> None:
    assert [verdict.text for verdict in verdicts(rule, resource(kind, "it", **properties))] == [text]


# --- remediations ---

# What a rule finds and does not write, and why.
LEFT = {
    ("alb-access-logs-enabled", "accessLogs.bucket"),  # which bucket is for its owner to say
    ("nlb-access-logs-enabled", "accessLogs.bucket"),
    ("waf-rule-metrics-enabled", "rules[0].visibilityConfig.cloudwatchMetricsEnabled"),  # rules are left as they are
    ("waf-rule-metrics-enabled", "rules[1].visibilityConfig.cloudwatchMetricsEnabled"),
    ("apigwv2-data-trace-disabled", "routeSettings[1].dataTraceEnabled"),
}
# Where there is no object for the value, and it needs more than the value.
BARE = {"visibilityConfig", "domainNameConfiguration"}
MENDED = [one for one in examples() if one.kind == "fail" and one.rule in RULES and isinstance(RULES[one.rule], Rule)]


@pytest.mark.parametrize("example", [one for one in MENDED if cast(Rule, RULES[one.rule]).remediation], ids=str)
def test_what_a_rule_can_mend_it_mends(example: Example) -> None:
    rule = cast(Rule, RULES[example.rule])
    (subject,) = example.subjects
    wanted = {
        path
        for _, path in example.at
        if (rule.name, path) not in LEFT and ({path.partition(".")[0]} - BARE or subject.properties.keys() & BARE)
    }
    assert set(values_for(rule, subject, complete_settings(rule, example.settings))) == wanted


# --- references by what is written, once all is there ---


def test_resources_find_each_other_by_their_arns_too() -> None:
    balancer = resource(ALB, "shop", arn="arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/1")
    association = resource(ASSOCIATION, "on", resourceArn=balancer.properties["arn"], webAclArn="arn:aws:wafv2:1")
    other = resource(ASSOCIATION, "off", resourceArn="arn:aws:elasticloadbalancing:2", webAclArn="arn:aws:wafv2:1")
    assert told("alb-waf-associated", balancer, association) == []
    assert told("alb-waf-associated", balancer, other) == [("violation", "shop", "")]


# --- what nobody can tell yet ---


def test_an_association_of_who_knows_what_may_be_for_any_balancer() -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    association = resource(ASSOCIATION, "on", resourceArn=UNKNOWN, webAclArn=UNKNOWN)
    assert told("alb-waf-associated", balancer, association) == [("cannot tell", "shop", "")]


@pytest.mark.parametrize("rule", ["alb-waf-log4j-rules", "alb-public-throttled"])
def test_a_web_acl_of_another_stack_is_not_known(rule: str) -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    association = resource(ASSOCIATION, "on", {"resourceArn": balancer}, webAclArn="arn:aws:wafv2:elsewhere")
    assert ("cannot tell", "shop", "") in told(rule, balancer, association)
    assert "violation" not in {verdict.kind for verdict in verdicts(rule, balancer, association)}


@pytest.mark.parametrize(
    "rule", ["waf-log4j-rule", "waf-rule-metrics-enabled", "waf-rule-has-action", "alb-waf-log4j-rules"]
)
def test_rules_that_are_written_as_json_are_not_looked_into(rule: str) -> None:
    seen = {"cloudwatchMetricsEnabled": True, "metricName": "shop", "sampledRequestsEnabled": True}
    acl = resource(ACL, "acl", ruleJson='[{"Name": "x"}]', visibilityConfig=seen)
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    association = resource(ASSOCIATION, "on", {"resourceArn": balancer, "webAclArn": acl})
    found = told(rule, balancer, association, acl)
    assert ("cannot tell", "acl", "ruleJson") in found
    assert "violation" not in {kind for kind, _, _ in found}


@pytest.mark.parametrize("rule", ["waf-rule-metrics-enabled", "waf-rule-has-action"])
def test_rules_of_a_group_that_are_written_as_json_are_not_looked_into(rule: str) -> None:
    seen = {"cloudwatchMetricsEnabled": True, "metricName": "shop", "sampledRequestsEnabled": True}
    group = resource("aws:wafv2/ruleGroup:RuleGroup", "ours", rulesJson='[{"Name": "x"}]', visibilityConfig=seen)
    assert told("waf-rule-group-not-empty", group) == []
    assert told(rule, group) == [("cannot tell", "ours", "rulesJson")]


@pytest.mark.parametrize(("vendor", "name"), [("AWS", UNKNOWN), (UNKNOWN, "AWSManagedRulesKnownBadInputsRuleSet")])
def test_a_managed_group_of_unknown_name_beside_a_web_acl_may_be_the_one(vendor: str, name: str) -> None:
    acl = resource(ACL, "acl", rules=[{"name": "x", "statement": {"geoMatchStatement": {"countryCodes": ["X"]}}}])
    statement = {"managedRuleGroupStatement": {"vendorName": vendor, "name": name}}
    beside = resource("aws:wafv2/webAclRule:WebAclRule", "beside", {"webAclArn": acl}, statement=statement)
    found = told("waf-log4j-rule", acl, beside)
    assert ("cannot tell", "acl", "") in found
    assert "violation" not in {kind for kind, _, _ in found}


def test_a_rule_that_is_excluded_only_counts_as_version_5_of_the_provider_writes_it() -> None:
    group = {**KNOWN_BAD["managedRuleGroupStatement"], "excludedRules": [{"name": "Host"}, {"name": "Log4JRCE"}]}
    rule = {"name": "x", "overrideAction": {"none": {}}, "statement": {"managedRuleGroupStatement": group}}
    place = "rules[0].statement.managedRuleGroupStatement.excludedRules[1].name"
    assert told("waf-log4j-rule", resource(ACL, "acl", rules=[rule])) == [("violation", "acl", place)]


def test_whether_a_group_counts_only_is_not_known_with_its_action() -> None:
    rule = {"name": "x", "overrideAction": UNKNOWN, "statement": KNOWN_BAD}
    assert told("waf-log4j-rule", resource(ACL, "acl", rules=[rule])) == [
        ("cannot tell", "acl", "rules[0].overrideAction")
    ]


def test_whether_a_default_action_blocks_is_not_known_with_it() -> None:
    acl = resource(ACL, "acl", defaultAction=UNKNOWN)
    assert told("waf-default-action-block", acl) == [("cannot tell", "acl", "defaultAction")]


@pytest.mark.parametrize(
    "settings",
    [
        {"methodPath": UNKNOWN, "settings": {"loggingLevel": "ERROR"}},
        {"methodPath": "*/*", "settings": {"loggingLevel": UNKNOWN}},
        {"methodPath": "*/*", "settings": UNKNOWN},
    ],
)
def test_settings_that_are_not_known_may_be_those_of_the_stage(settings: dict[str, Any]) -> None:
    api = resource(REST_API, "api")
    stage = resource(STAGE, "live", {"restApi": api}, stageName="live")
    found = told(
        "apigw-execution-logging", api, stage, resource(SETTINGS, "all", {"restApi": api}, stageName="live", **settings)
    )
    assert ("cannot tell", "live", "") in found
    assert "violation" not in {kind for kind, _, _ in found}


def test_settings_of_an_unknown_stage_may_be_those_of_the_stage() -> None:
    api = resource(REST_API, "api")
    stage = resource(STAGE, "live", {"restApi": api}, stageName="live")
    said = resource(SETTINGS, "all", {"restApi": api}, stageName=UNKNOWN, methodPath="*/*", settings={})
    assert told("apigw-execution-logging", api, stage, said) == [("cannot tell", "live", "")]


@pytest.mark.parametrize("rule", ["apigw-stage-waf", "apigw-stage-usage-plan", "apigw-public-stage-throttled"])
def test_a_stage_of_an_api_of_another_stack_may_be_private_or_not(rule: str) -> None:
    found = told(rule, resource(STAGE, "live", stageName="live", restApi="a1b2c3"))
    assert ("cannot tell", "live", "restApi") in found
    assert "violation" not in {kind for kind, _, _ in found}


@pytest.mark.parametrize(
    ("rule", "kind", "properties"),
    [
        ("apigwv2-default-route-authorization", "aws:apigatewayv2/route:Route", {"routeKey": "$default"}),
        ("apigwv2-websocket-execution-logging", "aws:apigatewayv2/stage:Stage", {"autoDeploy": True}),
        ("apigwv2-websocket-client-certificate", "aws:apigatewayv2/stage:Stage", {"autoDeploy": True}),
        ("apigwv2-private-integration-tls", "aws:apigatewayv2/integration:Integration", {"connectionType": "VPC_LINK"}),
    ],
)  # fmt: skip
def test_what_belongs_to_an_api_of_another_stack_is_not_judged(
    rule: str, kind: str, properties: dict[str, Any]
) -> None:
    assert told(rule, resource(kind, "it", apiId="a1b2c3", **properties)) == [("cannot tell", "it", "apiId")]


def test_a_certificate_that_another_stack_gives_out_is_not_known() -> None:
    reference = resource("pulumi:pulumi:StackReference", "org/network/live")
    listener = resource(LISTENER, "door", {"certificateArn": reference}, protocol="HTTPS", certificateArn=UNKNOWN)
    assert told("lb-listener-acm-certificate", reference, listener) == [("cannot tell", "door", "certificateArn")]


def test_what_an_unknown_web_acl_limits_is_not_known() -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    acl = resource(ACL, "acl", rules=UNKNOWN)
    found = verdicts(
        "alb-public-throttled", balancer, acl, resource(ASSOCIATION, "on", {"resourceArn": balancer, "webAclArn": acl})
    )
    assert {verdict.kind for verdict in found} == {"cannot tell"}


def test_what_a_rule_group_of_another_stack_limits_is_not_known() -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    ours = {"name": "ours", "overrideAction": {"none": {}}, "statement": {"ruleGroupReferenceStatement": {"arn": "x"}}}
    acl = resource(ACL, "acl", rules=[ours])
    found = verdicts(
        "alb-public-throttled", balancer, acl, resource(ASSOCIATION, "on", {"resourceArn": balancer, "webAclArn": acl})
    )
    assert {verdict.kind for verdict in found} == {"cannot tell"}
    assert "the rule group of `ours` is of another stack" in {verdict.text for verdict in found}


@pytest.mark.parametrize("written", [{"rules": UNKNOWN}, {"rulesJson": '[{"Name": "x"}]'}, {"rulesJson": UNKNOWN}])
def test_what_an_attached_rule_group_limits_may_not_be_known(written: dict[str, Any]) -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    acl = resource(ACL, "acl", rules=[{"name": "known-bad", "statement": KNOWN_BAD}])
    group = resource("aws:wafv2/ruleGroup:RuleGroup", "ours", **written)
    refs = {"webAclArn": acl, "ruleGroupReference": group}
    attached = resource(GROUP_ASSOCIATION, "attached", refs, ruleName="ours", ruleGroupReference={"arn": UNKNOWN})
    on = resource(ASSOCIATION, "on", {"resourceArn": balancer, "webAclArn": acl})
    found = verdicts("alb-public-throttled", balancer, acl, group, attached, on)
    assert {verdict.kind for verdict in found} == {"cannot tell"}
    text = "what `ours` does is not known yet, or not looked into"
    assert ("", text) in {(verdict.path, verdict.text) for verdict in found}


def test_what_an_attached_rule_group_of_another_stack_limits_is_not_known() -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    acl = resource(ACL, "acl", rules=[{"name": "known-bad", "statement": KNOWN_BAD}])
    reference = {"arn": "arn:aws:wafv2:elsewhere"}
    attached = resource(GROUP_ASSOCIATION, "attached", {"webAclArn": acl}, ruleName="x", ruleGroupReference=reference)
    on = resource(ASSOCIATION, "on", {"resourceArn": balancer, "webAclArn": acl})
    found = verdicts("alb-public-throttled", balancer, acl, attached, on)
    assert {verdict.kind for verdict in found} == {"cannot tell"}
    text = "the rule group of `attached` is of another stack"
    assert ("", text) in {(verdict.path, verdict.text) for verdict in found}


def test_what_an_unknown_stage_behind_a_balancer_limits_is_not_known() -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    acl = resource(ACL, "acl", rules=[{"name": "known-bad", "statement": KNOWN_BAD}])
    api = resource(REST_API, "api", endpointConfiguration={"types": "PRIVATE"})
    said = {"throttlingRateLimit": UNKNOWN, "throttlingBurstLimit": 200}
    found = verdicts(
        "alb-public-throttled",
        balancer,
        acl,
        resource(ASSOCIATION, "on", {"resourceArn": balancer, "webAclArn": acl}),
        resource("aws:ec2/vpcEndpoint:VpcEndpoint", "endpoint", serviceName="com.amazonaws.eu-west-1.execute-api"),
        resource(STAGE, "live", {"restApi": api}, stageName="live"),
        resource(SETTINGS, "all", {"restApi": api}, stageName="live", methodPath="*/*", settings=said),
    )
    assert {verdict.kind for verdict in found} == {"cannot tell"}


def test_a_balancer_without_a_web_acl_is_left_to_the_rule_about_that() -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    assert told("alb-public-throttled", balancer) == []
    assert told("alb-waf-associated", balancer) == [("violation", "shop", "")]


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (REST_API, {"body": UNKNOWN, "endpointConfiguration": {"types": "REGIONAL"}}),
        (REST_API, {"disableExecuteApiEndpoint": UNKNOWN, "endpointConfiguration": {"types": "REGIONAL"}}),
        (REST_API, {"endpointConfiguration": {"types": UNKNOWN}}),
        ("aws:apigatewayv2/api:Api", {"protocolType": "HTTP", "body": UNKNOWN}),
        ("aws:apigatewayv2/api:Api", {"protocolType": "HTTP", "disableExecuteApiEndpoint": UNKNOWN}),
    ],
)
def test_whether_an_api_has_an_address_of_its_own_may_not_be_known(kind: str, properties: dict[str, Any]) -> None:
    api = resource(kind, "api", None, **properties)
    mapping = resource("aws:apigatewayv2/apiMapping:ApiMapping", "mapped", {"apiId": api}, domainName="x", stage="live")
    assert {verdict.kind for verdict in verdicts("apigw-not-around-domain", api, mapping)} == {"cannot tell"}
    edge = resource(ALB, "edge", subnets=["a", "b"])
    endpoint = resource("aws:ec2/vpcEndpoint:VpcEndpoint", "in", serviceName="com.amazonaws.eu-west-1.execute-api")
    assert {verdict.kind for verdict in verdicts("apigw-not-around-balancer", edge, endpoint, api)} == {"cannot tell"}


@pytest.mark.parametrize(
    "said",
    [
        {"action": UNKNOWN, "statement": {"rateBasedStatement": {"limit": 600, "aggregateKeyType": "IP"}}},
        {"action": {"block": {}}, "statement": UNKNOWN},
    ],
)
def test_what_an_unknown_rule_beside_a_web_acl_limits_is_not_known(said: dict[str, Any]) -> None:
    balancer = resource(ALB, "shop", subnets=["a", "b"])
    acl = resource(ACL, "acl", rules=[{"name": "known-bad", "statement": KNOWN_BAD}])
    found = verdicts(
        "alb-public-throttled",
        balancer,
        acl,
        resource(ASSOCIATION, "on", {"resourceArn": balancer, "webAclArn": acl}),
        resource("aws:wafv2/webAclRule:WebAclRule", "beside", {"webAclArn": acl}, **said),
    )
    assert {verdict.kind for verdict in found} == {"cannot tell"}


def test_a_private_api_whose_policy_names_no_endpoint_needs_an_authorizer() -> None:
    api = resource(REST_API, "api", endpointConfiguration={"types": "PRIVATE"})
    assert told("apigw-api-has-authorizer", api) == [("violation", "api", "")]


@pytest.mark.parametrize("rule", ["apigw-stage-waf", "apigw-public-stage-throttled"])
def test_a_stage_of_an_api_of_unknown_type_may_be_private_or_not(rule: str) -> None:
    api = resource(REST_API, "api", endpointConfiguration={"types": UNKNOWN})
    found = verdicts(rule, api, resource(STAGE, "live", {"restApi": api}, stageName="live"))
    assert {verdict.kind for verdict in found} == {"cannot tell"}


@pytest.mark.parametrize("asked", [{"authorization": UNKNOWN}, {"authorization": "NONE", "apiKeyRequired": UNKNOWN}])
def test_an_api_whose_methods_ask_for_something_unknown_may_have_an_authorizer(asked: dict[str, Any]) -> None:
    api = resource(REST_API, "api")
    method = resource("aws:apigateway/method:Method", "get", {"restApi": api}, httpMethod="GET", **asked)
    found = verdicts("apigw-api-has-authorizer", api, method)
    assert {verdict.kind for verdict in found} == {"cannot tell"}


def test_a_policy_that_is_not_known_may_shut_its_api() -> None:
    api = resource(REST_API, "api", endpointConfiguration={"types": "PRIVATE"})
    policy = resource("aws:apigateway/restApiPolicy:RestApiPolicy", "policy", {"restApiId": api}, policy=UNKNOWN)
    method = resource("aws:apigateway/method:Method", "get", {"restApi": api}, httpMethod="GET", authorization="NONE")
    for rule in ("apigw-private-names-endpoint", "apigw-api-has-authorizer", "apigw-method-authorization"):
        found = verdicts(rule, api, policy, method)
        assert {verdict.kind for verdict in found} == {"cannot tell"}, found


def test_where_a_balancer_stands_before_the_gateway_is_not_known_with_its_scheme() -> None:
    balancer = resource(ALB, "edge", internal=UNKNOWN)
    endpoint = resource(
        "aws:ec2/vpcEndpoint:VpcEndpoint", "endpoint", serviceName="com.amazonaws.eu-west-1.execute-api"
    )
    found = told("apigw-not-around-balancer", balancer, endpoint, resource(REST_API, "api"))
    assert found == [("cannot tell", "edge", "internal")]


# --- documents that are put into an API ---


def put(body: str, refs: dict[str, Subject] | None = None) -> Subject:
    return resource("aws:apigateway/restApiPut:RestApiPut", "put", refs, restApiId=UNKNOWN, body=body)


UNSAID = '{"paths": {"/items": {"get": {}}}}'


def test_who_may_call_an_api_of_another_stack_is_not_known_but_passwords_are_seen() -> None:
    body = '{"paths": {"/items": {"get": {}}}, "securityDefinitions": {"old": {"type": "basic"}}}'
    assert sorted(told("apigw-put-openapi-security", put(body))) == [
        ("cannot tell", "put", "restApiId"),
        ("violation", "put", "body.securityDefinitions.old.type"),
    ]


def test_whether_a_document_is_put_into_an_api_that_is_shut_may_not_be_known() -> None:
    api = resource(REST_API, "api", endpointConfiguration={"types": UNKNOWN})
    found = told("apigw-put-openapi-security", api, put(UNSAID, {"restApiId": api}))
    assert ("cannot tell", "put", "restApiId") in found
    assert {kind for kind, _, _ in found} == {"cannot tell"}


@pytest.mark.parametrize("body", [UNKNOWN, "openapi: 3.0.1"])
def test_a_document_that_cannot_be_read_yet_is_said_and_not_passed(body: str) -> None:
    api = resource(REST_API, "api", endpointConfiguration={"types": "REGIONAL"})
    assert told("apigw-put-openapi-security", api, put(body, {"restApiId": api})) == [("cannot tell", "put", "body")]


def test_a_document_that_is_not_known_yet_may_shut_the_api_that_it_is_put_into() -> None:
    api = resource(REST_API, "api", endpointConfiguration={"types": "PRIVATE"})
    assert told("apigw-private-names-endpoint", api, put(UNKNOWN, {"restApiId": api})) == [
        ("cannot tell", "api", ""),
        ("cannot tell", "put", "body"),
    ]


# --- access logs of CloudFront that CloudWatch Logs delivers ---

MULTITENANT = "aws:cloudfront/multitenantDistribution:MultitenantDistribution"


def log_source(refs: dict[str, Subject] | None = None, log_type: str = "ACCESS_LOGS") -> Subject:
    kind = "aws:cloudwatch/logDeliverySource:LogDeliverySource"
    return resource(kind, "source", refs, logType=log_type, resourceArn=UNKNOWN)


def log_delivery(refs: dict[str, Subject] | None = None) -> Subject:
    return resource("aws:cloudwatch/logDelivery:LogDelivery", "delivery", refs, deliverySourceName=UNKNOWN)


def test_whose_logs_are_delivered_may_not_be_known() -> None:
    front = resource(MULTITENANT, "front")
    source = log_source()
    assert told("cloudfront-front-logs", front, source, log_delivery({"deliverySourceName": source})) == [
        ("cannot tell", "front", "")
    ]


def test_which_logs_are_delivered_may_not_be_known() -> None:
    front = resource(MULTITENANT, "front")
    source = log_source({"resourceArn": front}, UNKNOWN)
    found = told("cloudfront-front-logs", front, source, log_delivery({"deliverySourceName": source}))
    assert found == [("cannot tell", "front", ""), ("cannot tell", "source", "logType")]


def test_a_delivery_of_who_knows_what_may_take_the_logs() -> None:
    front = resource(MULTITENANT, "front")
    found = told("cloudfront-front-logs", front, log_source({"resourceArn": front}), log_delivery())
    assert found == [("cannot tell", "front", ""), ("cannot tell", "source", "")]
