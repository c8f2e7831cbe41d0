"""A firewall that only counts, or has fewer rules, is weaker security: it is told first."""

from dataclasses import replace
from typing import Any

import pytest

from edgewright.plan.changes import compare
from edgewright.plan.firewalls import refused
from edgewright.plan.model import Resource
from unit.plan.sample_plans import EMPTY

ACL = "aws:wafv2/webAcl:WebAcl"
GATEWAY, FRONT_DOOR = "azure-native:network:WebApplicationFirewallPolicy", "azure-native:frontdoor:Policy"
RULE = {"name": "rate", "action": {"block": {"customResponse": {"responseCode": 429}}}}
GROUP = {"name": "core", "overrideAction": {"none": {}}}
SETS = {"managedRuleSets": [{"ruleSetType": "Microsoft_DefaultRuleSet"}]}
CUSTOM = {"name": "RatePerAddress", "action": "Block"}


def aws(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"defaultAction": {"allow": {}}, "rules": list(rules)}


def azure(mode: str = "Prevention", **more: Any) -> dict[str, Any]:
    return {"policySettings": {"mode": mode, **more}, "managedRules": SETS, "customRules": [CUSTOM]}


@pytest.mark.parametrize(
    ("type_", "inputs", "rules"),
    [
        (ACL, aws(RULE, GROUP), {"rate", "core"}),
        (ACL, aws({**RULE, "action": {"count": {}}}, {**GROUP, "overrideAction": {"count": {}}}), set()),
        (ACL, {"defaultAction": {"block": {}}}, {"what no rule allows"}),
        (GATEWAY, azure(), {"RatePerAddress", "Microsoft_DefaultRuleSet"}),
        (GATEWAY, azure("Detection"), set()),
        (GATEWAY, azure(state="Disabled"), set()),
        (FRONT_DOOR, {**azure(), "customRules": {"rules": [CUSTOM]}}, {"RatePerAddress", "Microsoft_DefaultRuleSet"}),
        (FRONT_DOOR, azure(enabledState="Disabled"), set()),
        (ACL, {"rules": "${other.rules}", "defaultAction": None}, set()),
    ],
)
def test_a_firewall_refuses_by_the_rules_that_do_not_only_count(
    type_: str, inputs: dict[str, Any], rules: set[str]
) -> None:
    assert refused(type_, inputs) == rules


def test_what_is_no_firewall_has_no_rules() -> None:
    assert refused("aws:lb/listener:Listener", aws(RULE)) is None


@pytest.mark.parametrize(
    ("before", "after", "weaker", "stronger"),
    [
        (aws(RULE, GROUP), aws(RULE), ["refuses less: core"], []),
        (azure(), azure("Detection"), ["refuses less: Microsoft_DefaultRuleSet, RatePerAddress"], []),
        (aws(RULE), aws({**RULE, "name": "renamed"}), ["refuses less: rate"], []),
        (aws(RULE), aws(RULE, GROUP), [], ["refuses more: core"]),
        (aws(RULE, GROUP), aws(GROUP, RULE), [], []),
    ],
)
def test_one_that_refuses_less_is_told_first(
    before: dict[str, Any], after: dict[str, Any], weaker: list[str], stronger: list[str]
) -> None:
    type_ = ACL if "rules" in before else GATEWAY
    sides = (
        replace(EMPTY, resources=(Resource("urn:pulumi:s::p::t::waf", type_, "waf", None, inputs, (), True),))
        for inputs in (before, after)
    )
    found = compare(*sides)
    assert [point.what for point in found.weaker] == weaker
    assert [point.what for point in found.stronger] == stronger
