"""A firewall that only counts, or has fewer rules, is weaker security: it is told first."""

from dataclasses import replace
from typing import Any

import pytest

from edgewright.plan.changes import compare
from edgewright.plan.firewalls import per_address, refused
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


def limit(requests: int, seconds: int = 60) -> dict[str, Any]:
    rate = {"limit": requests, "evaluationWindowSec": seconds}
    return aws({"name": "rate-per-ip", "action": {"block": {}}, "statement": {"rateBasedStatement": rate}})


def threshold(requests: int, **window: Any) -> dict[str, Any]:
    return {**azure(), "customRules": [{**CUSTOM, "rateLimitThreshold": requests, **window}]}


@pytest.mark.parametrize(
    ("type_", "inputs", "requests"),
    [
        (ACL, limit(3_000), 3_000),
        (ACL, limit(3_000, 300), 600),
        (ACL, aws(RULE, GROUP), None),
        (ACL, {"rules": "${other.rules}"}, None),
        (GATEWAY, threshold(3_000, rateLimitDuration="OneMin"), 3_000),
        (GATEWAY, threshold(3_000, rateLimitDuration="FiveMins"), 600),
        (FRONT_DOOR, threshold(3_000, rateLimitDurationInMinutes=5), 600),
        (GATEWAY, azure(), None),
        ("aws:lb/listener:Listener", limit(1), None),
    ],
)
def test_a_firewall_counts_the_requests_of_one_address(
    type_: str, inputs: dict[str, Any], requests: float | None
) -> None:
    assert per_address(type_, inputs) == requests


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
        (
            limit(3_000),
            limit(30_000),
            ["lets more requests of one address through; 3,000 → 30,000 a minute"],
            [],
        ),
        (limit(3_000), limit(9_000, 300), [], ["lets fewer requests of one address through; 3,000 → 1,800 a minute"]),
        (limit(3_000), limit(15_000, 300), [], []),
        (
            threshold(3_000, rateLimitDuration="OneMin"),
            threshold(15_005, rateLimitDuration="FiveMins"),
            ["lets more requests of one address through; 3,000 → 3,001 a minute"],
            [],
        ),
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
