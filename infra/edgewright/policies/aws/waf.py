"""Rules over AWS WAF: web ACLs, rule groups, and where they write their logs."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from edgewright.aws.firewalls import REFUSING
from edgewright.policies.aws.references import types_behind
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, StackRule
from edgewright.policies.view import UNKNOWN, View, Violation

ACL = "aws:wafv2/webAcl:WebAcl"
RULE_GROUP = "aws:wafv2/ruleGroup:RuleGroup"
ACL_RULE = "aws:wafv2/webAclRule:WebAclRule"
GROUP_ASSOCIATION = "aws:wafv2/webAclRuleGroupAssociation:WebAclRuleGroupAssociation"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"

KNOWN_BAD = "AWSManagedRulesKnownBadInputsRuleSet"

_CLASSIC = (
    "byteMatchSet:ByteMatchSet",
    "geoMatchSet:GeoMatchSet",
    "ipSet:IpSet",
    "rateBasedRule:RateBasedRule",
    "regexMatchSet:RegexMatchSet",
    "regexPatternSet:RegexPatternSet",
    "rule:Rule",
    "ruleGroup:RuleGroup",
    "sizeConstraintSet:SizeConstraintSet",
    "sqlInjectionMatchSet:SqlInjectionMatchSet",
    "webAcl:WebAcl",
    "xssMatchSet:XssMatchSet",
)
CLASSIC = (
    *(f"aws:waf/{name}" for name in _CLASSIC),
    *(f"aws:wafregional/{name}" for name in _CLASSIC),
    "aws:wafregional/webAclAssociation:WebAclAssociation",
)

_JSON = ("ruleJson", "rulesJson")
_LOG_PREFIX = "aws-waf-logs-"
# https://docs.aws.amazon.com/waf/latest/developerguide/logging-destinations.html
_WRITABLE = re.compile(rf"arn:aws[\w-]*:(logs:.*:log-group:|s3:::|firehose:.*:deliverystream/){_LOG_PREFIX}")
# What a web ACL may write to, with the inputs that say its name.
_DESTINATIONS = {
    "aws:cloudwatch/logGroup:LogGroup": ("name", "namePrefix"),
    "aws:s3/bucket:Bucket": ("bucket", "bucketPrefix"),
    "aws:s3/bucketV2:BucketV2": ("bucket", "bucketPrefix"),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": ("name",),
}


def has_rules(stack: Graph) -> Iterator[Violation]:
    """A web ACL has a rule, of its own or attached to it."""
    for acl in stack.of(ACL):
        if _is_empty(stack, acl):
            yield acl.lacks("rules", "are none")


def _is_empty(stack: Graph, acl: View) -> bool:
    if acl.count("rules") or _written(acl, "ruleJson"):
        return False
    return not stack.referring(acl, "webAclArn", ACL_RULE, GROUP_ASSOCIATION)


def group_has_rules(group: View) -> Iterator[Violation]:
    """A rule group has a rule."""
    if not _written(group, "rulesJson") and group.count("rules") == 0:
        yield group.fails("rules", "are none")


def _written(view: View, key: str) -> bool:
    """Whether a JSON text has rules in it. One that is not known will have."""
    text = view.text(key)
    if not isinstance(text, str):
        return text is UNKNOWN
    try:
        return bool(json.loads(text))
    except (ValueError, RecursionError):
        return bool(text)


def writes_logs(stack: Graph) -> Iterator[Violation]:
    """A web ACL writes logs, to a place that WAF can write to."""
    for acl in stack.of(ACL):
        if not stack.referring(acl, "resourceArn", LOGGING):
            yield acl.lacks("", "writes no logs")
    for logging in stack.of(LOGGING):
        for place in stack.referred(logging, "logDestinationConfigs", *_DESTINATIONS):
            yield from _unwritable(place)
        if types_behind(logging, "logDestinationConfigs").isdisjoint(_DESTINATIONS):
            for arn in logging.texts("logDestinationConfigs"):
                if not _WRITABLE.match(arn):
                    text = f"have `{arn}`, but WAF writes to `{_LOG_PREFIX}...` only"
                    yield logging.fails("logDestinationConfigs", text)


def _unwritable(place: View) -> Iterator[Violation]:
    keys = _DESTINATIONS[place.subject.type]
    said = [(key, place.text(key)) for key in keys if place.has(key)]
    if not said and not place.subject.name.startswith(_LOG_PREFIX):
        yield place.fails(keys[0], f"is made from `{place.subject.name}`, but WAF writes to `{_LOG_PREFIX}...` only")
    for key, name in said:
        if isinstance(name, str) and not name.startswith(_LOG_PREFIX):
            yield place.fails(key, f"is `{name}`, but WAF writes to `{_LOG_PREFIX}...` only")


def counts_requests(view: View) -> Iterator[Violation]:
    """Web ACLs, rule groups and each rule have metrics. (The key has a small w.)

    A rule group that is attached has them unless it says otherwise.
    """
    if view.subject.type == GROUP_ASSOCIATION and not view.has("visibilityConfig"):
        return
    _note_json(view)
    for part in (view, *view.children("rules")):
        if part.flag("visibilityConfig.cloudwatchMetricsEnabled") is not True:
            yield part.fails("visibilityConfig.cloudwatchMetricsEnabled", "is not true")


def _note_json(view: View) -> None:
    for key in _JSON:
        if _written(view, key):
            view.note(key, "is not looked into")


def switch_metrics_on(view: View) -> dict[str, bool]:
    """Turn the metrics of the web ACL itself on, where it has a name for them; its rules are left as they are."""
    key = "visibilityConfig.cloudwatchMetricsEnabled"
    wanted = view.has("visibilityConfig.metricName") and view.flag(key) in {None, False}
    return {key: True} if wanted else {}


def stops_log4j(stack: Graph) -> Iterator[Violation]:
    """A web ACL blocks Log4Shell: the managed rule group is there, and neither it nor its rules only count.

    One without any rule is left to `has_rules`.
    """
    for acl in stack.of(ACL):
        if _is_empty(stack, acl):
            continue
        _note_json(acl)
        groups = [group for name, group in managed_groups(stack, acl) if name == KNOWN_BAD]
        if not groups:
            yield acl.lacks("rules", f"have no {KNOWN_BAD}")
        # A new version of a group may count beside the one that blocks, to be tried out.
        weaknesses = [list(_weakened(group)) for group in groups]
        if all(weaknesses):
            yield from (weakness for found in weaknesses for weakness in found)


def managed_groups(stack: Graph, acl: View) -> Sequence[tuple[str, View]]:
    """The managed rule groups of a web ACL by name, with what says what they do."""
    found: list[tuple[str, View]] = []
    for rule in rules_of(stack, acl):
        if rule.has("statement.managedRuleGroupStatement"):
            found.append((_aws_name(acl, rule, "statement.managedRuleGroupStatement"), rule))
    for association in stack.referring(acl, "webAclArn", GROUP_ASSOCIATION):
        if association.has("managedRuleGroup"):
            found.append((_aws_name(acl, association, "managedRuleGroup"), association))
    return found


def rules_of(stack: Graph, acl: View) -> Sequence[View]:
    """The rules of a web ACL: its own, and those that stand beside it."""
    return (*acl.children("rules"), *stack.referring(acl, "webAclArn", ACL_RULE))


def _aws_name(acl: View, rule: View, key: str) -> str:
    """The name of a managed rule group of AWS, or an empty text; notes at the web ACL where nobody can say yet."""
    name, vendor = rule.text(f"{key}.name"), rule.text(f"{key}.vendorName")
    if isinstance(name, str) and isinstance(vendor, str):
        return name if vendor == "AWS" else ""
    acl.note("", f"which managed rule group `{rule.subject.name}` has is not known yet")
    return ""


def acls_of(stack: Graph, target: View) -> Sequence[View]:
    """The web ACLs of a balancer or stage. Notes at the target where it has one of another stack."""
    found: list[View] = []
    for association in stack.referring(target, "resourceArn", ASSOCIATION):
        acls = stack.referred(association, "webAclArn", ACL)
        if not acls:
            target.note("", "its web ACL is of another stack")
        found += acls
    return found


def limits_rates(stack: Graph, acl: View) -> bool:
    """Whether a web ACL counts requests and stops who sends too many. Notes at the web ACL where nobody can say."""
    _note_json(acl)
    for rule in chain(rules_of(stack, acl), _rules_of_groups(stack, acl)):
        if rule.child("statement.rateBasedStatement") and any(rule.has(f"action.{action}") for action in REFUSING):
            return True
        if rule.subject is not acl.subject and rule.unread:
            acl.note("", f"what `{rule.subject.name}` does is not known yet")
    return False


def _rules_of_groups(stack: Graph, acl: View) -> Iterator[View]:
    """The rules that do what they say of the rule groups of a web ACL. Notes at it those groups of another stack."""
    for holder, key in (
        *((rule, "statement.ruleGroupReferenceStatement") for rule in rules_of(stack, acl)),
        *((one, "ruleGroupReference") for one in stack.referring(acl, "webAclArn", GROUP_ASSOCIATION)),
    ):
        if not holder.has(key) or _counting(holder):
            continue
        groups = _groups_behind(stack, holder, key)
        if not groups:
            acl.note("", f"the rule group of `{holder.text('name') or holder.subject.name}` is of another stack")
        soft = [softened.text("name") for softened, _ in _softened(holder, key)]
        for group in groups:
            yield from (rule for rule in group.children("rules") if rule.text("name") not in soft)
            if group.unread or any(_written(group, key) for key in _JSON):
                acl.note("", f"what `{group.subject.name}` does is not known yet, or not looked into")


def _groups_behind(stack: Graph, holder: View, key: str) -> Sequence[View]:
    """The rule groups that a rule refers to; of a web ACL all that its rules do, where no plan says which rule does."""
    if holder.path:
        source = View(holder.subject)
        return stack.referred(source, holder.path, RULE_GROUP) or stack.referred(source, "rules", RULE_GROUP)
    return stack.referred(holder, key, RULE_GROUP)


def _weakened(group: View) -> Iterator[Violation]:
    if place := _counting(group):
        yield group.fails(place, "only counts")
    key = "managedRuleGroup" if group.subject.type == GROUP_ASSOCIATION else "statement.managedRuleGroupStatement"
    for rule, place in _softened(group, key):
        name = rule.text("name")
        if isinstance(name, str) and name.startswith("Log4JRCE"):
            yield rule.fails(place, f"lets what {name} finds through")


def _counting(holder: View) -> str:
    """Where it is said that a rule group only counts, or an empty text."""
    if holder.subject.type == GROUP_ASSOCIATION:
        return "overrideAction" if holder.text("overrideAction") == "count" else ""
    return "overrideAction.count" if holder.has("overrideAction.count") else ""


def _softened(holder: View, key: str) -> Iterator[tuple[View, str]]:
    """The rules of a rule group that are told to let requests through, each with the place where they are."""
    for override in holder.children(f"{key}.ruleActionOverrides"):
        for action in ("count", "allow"):
            if override.has(f"actionToUse.{action}"):
                yield override, f"actionToUse.{action}"
    for excluded in holder.children(f"{key}.excludedRules"):
        yield excluded, "name"


def missing_groups(stack: Graph, target: View) -> Iterator[Violation]:
    """The managed rule groups of setting ``groups`` that the target's web ACL has not; none where it has no web ACL."""
    for acl in acls_of(stack, target):
        _note_json(acl)
        there = {name for name, _ in managed_groups(stack, acl)}
        missing = [name for name in stack.setting("groups") if name not in there]
        if missing:
            yield acl.lacks("rules", f"of `{target.subject.name}` lack {', '.join(missing)}")


def says_what_to_do(view: View) -> Iterator[Violation]:
    """Each rule has an action, or overrides those of its group, and not both."""
    _note_json(view)
    for rule in (view,) if view.subject.type == ACL_RULE else view.children("rules"):
        said = [key for key in ("action", "overrideAction") if rule.has(key)]
        if len(said) == 1:
            action = rule.child(said[0])
            if action is not None and not action.keys:
                yield rule.fails(said[0], "says nothing")
        else:
            yield rule.fails("action", "and overrideAction are both there" if said else "is missing")


def blocks_by_default(acl: View) -> Iterator[Violation]:
    """What no rule lets through is blocked."""
    if not acl.has("defaultAction.block"):
        yield acl.fails("defaultAction", "does not block")


def classic(view: View) -> Iterable[Violation]:
    """There is no WAF Classic."""
    return (view.fails("", "is of WAF Classic, which ended in September 2025"),)


RULES: tuple[AnyRule, ...] = (
    StackRule(
        name="waf-acl-not-empty",
        controls=("waf-acl-not-empty",),
        title="A web ACL has rules",
        severity="medium",
        types=(ACL,),
        check=has_rules,
        remedy="rules: managed rule groups and a limit of the rate, at least.",
    ),
    Rule(
        name="waf-rule-group-not-empty",
        controls=("waf-rule-group-not-empty",),
        title="A rule group has rules",
        severity="medium",
        types=(RULE_GROUP,),
        check=group_has_rules,
        remedy="rules: at least one, or no rule group.",
    ),
    StackRule(
        name="waf-acl-logging",
        controls=("waf-acl-logging",),
        title="A web ACL writes logs, to a place whose name WAF accepts",
        severity="medium",
        types=(ACL, LOGGING),
        check=writes_logs,
        remedy="An aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration; destinations start with aws-waf-logs-.",  # noqa: E501
        blind="Logging configurations in other stacks.",
        instead="Security Hub WAF.11 sees the account.",
    ),
    Rule(
        name="waf-rule-metrics-enabled",
        controls=("waf-rule-metrics-enabled",),
        title="Web ACLs, rule groups and each of their rules have metrics",
        severity="medium",
        types=(ACL, RULE_GROUP, ACL_RULE, GROUP_ASSOCIATION),
        check=counts_requests,
        remedy="visibilityConfig: {cloudwatchMetricsEnabled: true, metricName: ..., sampledRequestsEnabled: true}",
        blind="Rules inside of ruleJson and rulesJson.",
        instead="Write rules instead.",
        remediation=switch_metrics_on,
    ),
    StackRule(
        name="waf-log4j-rule",
        controls=("waf-log4j-rule",),
        title="A web ACL blocks Log4Shell",
        severity="high",
        types=(ACL,),
        check=stops_log4j,
        remedy=f"A rule with managedRuleGroupStatement {{vendorName: AWS, name: {KNOWN_BAD}}} and overrideAction: {{none: {{}}}}.",  # noqa: E501
        blind="Rules inside of ruleJson.",
        instead="Write rules instead of ruleJson.",
    ),
    Rule(
        name="waf-rule-has-action",
        controls=("waf-rule-has-action",),
        title="Each rule of a web ACL has one action",
        severity="medium",
        types=(ACL, RULE_GROUP, ACL_RULE),
        check=says_what_to_do,
        remedy="action for rules of its own, overrideAction for rule groups.",
        blind="Rules inside of ruleJson and rulesJson.",
        instead="Write rules instead.",
    ),
    Rule(
        name="waf-default-action-block",
        controls=("waf-default-action-block",),
        title="A web ACL blocks what no rule lets through",
        severity="medium",
        types=(ACL,),
        check=blocks_by_default,
        remedy="defaultAction: {block: {}}, and a rule for each thing that is allowed.",
        optional="A public site lets everybody in and blocks what is known to be bad.",
    ),
    Rule(
        name="waf-classic-not-used",
        controls=("waf-classic-not-used",),
        title="There is no WAF Classic",
        severity="medium",
        types=CLASSIC,
        check=classic,
        remedy="aws:wafv2/webAcl:WebAcl; all other rules are for that.",
    ),
)
