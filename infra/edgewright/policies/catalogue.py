"""The catalogue of rules as Markdown, made from the rules; and what to do about what no input shows."""

from collections.abc import Iterable, Mapping, Sequence

from edgewright.policies.enforcement import default_level
from edgewright.policies.rule import AnyRule, StackRule

_ELSEWHERE = "Run the pack over the other stack too, and let AWS Config look at the account."
_DOCUMENT = "`edgewright check` lints documents that a spec leads to; let a test lint others."

INSTEAD: Mapping[str, str] = {
    "alb-http-rules-redirect-to-https": _ELSEWHERE,
    "lb-multi-az": "AWS refuses two subnets of one zone; AWS Config: elbv2-multiple-az.",
    "alb-waf-associated": "Security Hub ELB.16 sees the account; exempt balancers that Firewall Manager covers.",
    "alb-waf-log4j-rules": "Run the pack over the stack that has the web ACL: waf-log4j-rule.",
    "lb-has-listener": _ELSEWHERE,
    "lb-shield-advanced": "AWS Config: shield-advanced-enabled-autorenew; Firewall Manager's own report.",
    "asg-elb-health-check": "Security Hub AutoScaling.1 sees the account.",
    "apigw-execution-logging": "An alarm on a log group that stays empty; `edgewright` makes the role with `log_role: create`.",  # noqa: E501
    "apigw-deployment-stage-access-log": _ELSEWHERE,
    "apigw-stage-client-certificate": "Let the service refuse requests without it, and test that it does.",
    "apigw-stage-waf": "Security Hub APIGateway.4 sees the account.",
    "apigw-waf-log4j-rules": "Run the pack over the stack that has the web ACL: waf-log4j-rule.",
    "apigw-stage-usage-plan": _ELSEWHERE,
    "apigw-request-validation": _DOCUMENT,
    "apigw-stage-variables-no-secrets": "A scanner of secrets over the repository.",
    "apigw-openapi-security": _DOCUMENT,
    "apigwv2-default-route-authorization": _ELSEWHERE,
    "apigwv2-websocket-execution-logging": _ELSEWHERE,
    "apigwv2-private-integration-tls": _DOCUMENT,
    "apigwv2-integration-https": _DOCUMENT,
    "apigwv2-websocket-client-certificate": _ELSEWHERE,
    "waf-acl-logging": "Security Hub WAF.11 sees the account.",
    "waf-log4j-rule": "Write rules instead of ruleJson.",
    "sg-egress-restricted": "Nothing: without egress rules nothing gets out.",
    "sg-attached": "AWS Config: ec2-security-group-attached-to-eni.",
    "default-sg-closed": "An aws:ec2/defaultSecurityGroup:DefaultSecurityGroup for each VPC; Security Hub EC2.2.",
    "lambda-authorizer-hardening": "Checkov has rules for functions in general.",
    "dns-record-target-exists": "A scan of the zone for names that nothing answers to.",
    "firehose-waf-log-encrypted": "Names that WAF and API Gateway accept start so; other streams are not theirs.",
    "cloudfront-front-tls-waf-logs": "Security Hub CloudFront.5 sees the account.",
}
"""For each rule that is blind to something, what sees it."""

UNSEEN: Mapping[str, tuple[str, str]] = {}
"""Controls without a rule: why no input shows them, and what to do instead."""


def render(rules: Sequence[AnyRule]) -> str:
    """The catalogue: a table of the rules, then each rule's remedy and limits."""
    lines = [
        "# Rules",
        "",
        "Made from the rules; `mandatory` stops an update, `advisory` warns, `disabled` has to be turned on.",
        "",
        "| rule | severity | level | what must hold | looks at |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| [{rule.name}](#{rule.name}) | {rule.severity} | {default_level(rule)} | {_cell(rule.title)} | {_looks_at(rule)} |"  # noqa: E501
        for rule in rules
    ]
    for rule in rules:
        lines += ["", f"## {rule.name}", "", *_section(rule)]
    if UNSEEN:
        lines += ["", "# Controls without a rule", "", "| control | why | instead |", "|---|---|---|"]
        lines += [f"| {control} | {_cell(why)} | {_cell(instead)} |" for control, (why, instead) in UNSEEN.items()]
    return "\n".join(lines) + "\n"


def _section(rule: AnyRule) -> Iterable[str]:
    yield f"{rule.title}."
    yield ""
    yield f"- Remedy: {rule.remedy}"
    if not isinstance(rule, StackRule) and rule.remediation:
        yield "- Level `remediate` writes it for you."
    if rule.optional:
        yield f"- Off unless it is turned on: {rule.optional}"
    if rule.blind:
        yield f"- Does not see: {rule.blind} Instead: {INSTEAD[rule.name]}"
    for name, setting in rule.settings.items():
        yield f"- Setting `{name}`: {setting.meaning}; `{setting.default}` unless said."
    yield f"- Sources: {', '.join(rule.sources)}"


def _looks_at(rule: AnyRule) -> str:
    short = list(dict.fromkeys(kind.rpartition(":")[2] for kind in rule.types))
    text = ", ".join(short[:3]) + (", ..." if len(short) > 3 else "")
    return f"{text}, and what refers to it" if isinstance(rule, StackRule) else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
