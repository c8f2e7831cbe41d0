"""The firewall inside of an Application Gateway, as it was before policies: what rules over policies say of it too.

It always breaks `agw-waf-policy-attached`, so it is no example of another rule.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from edgewright.policies.azure.application_gateway import GATEWAY
from edgewright.policies.rule import Verdict, check_resources
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject
from policies.examples import urn_of, wire
from policies.test_examples import with_one_unknown

OLD: dict[str, Any] = {
    "enabled": True,
    "firewallMode": "Prevention",
    "ruleSetType": "OWASP",
    "ruleSetVersion": "3.2",
    "requestBodyCheck": True,
}
JAVA = "REQUEST-944-APPLICATION-ATTACK-JAVA"
SQL = "REQUEST-942-APPLICATION-ATTACK-SQLI"
EXCLUSION = {"matchVariable": "RequestHeaderNames", "selectorMatchOperator": "Equals", "selector": "authorization"}

FLAWS: list[tuple[dict[str, Any], str, str]] = [
    ({"firewallMode": "Detection"}, "agw-waf-prevention", "firewallMode"),
    ({"requestBodyCheck": False}, "agw-waf-request-body-check", "requestBodyCheck"),
    ({"ruleSetVersion": "3.0"}, "agw-waf-rule-sets", "ruleSetVersion"),
    ({"ruleSetVersion": "2.2.9"}, "agw-waf-rule-sets", "ruleSetVersion"),
    ({"exclusions": [EXCLUSION]}, "agw-waf-no-exclusions", "exclusions[0].matchVariable"),
    (
        {"disabledRuleGroups": [{"ruleGroupName": SQL, "rules": [942100, 942110]}]},
        "agw-waf-all-rules",
        "disabledRuleGroups[0].rules",
    ),
    ({"disabledRuleGroups": [{"ruleGroupName": SQL}]}, "agw-waf-all-rules", "disabledRuleGroups[0].ruleGroupName"),
    (
        {"disabledRuleGroups": [{"ruleGroupName": JAVA, "rules": [944240]}]},
        "agw-waf-log4j",
        "disabledRuleGroups[0].rules",
    ),
    ({"disabledRuleGroups": [{"ruleGroupName": JAVA}]}, "agw-waf-log4j", "disabledRuleGroups[0].ruleGroupName"),
]


def gateway(flaw: Mapping[str, Any], **more: Any) -> Subject:
    properties = {
        "sku": {"name": "WAF_v2", "tier": "WAF_v2"},
        "webApplicationFirewallConfiguration": {**OLD, **flaw},
        **more,
    }
    return Subject(urn_of(GATEWAY, "shop"), GATEWAY, "shop", wire(properties))


def about_firewalls(subject: Subject) -> list[Verdict]:
    return check_resources([subject], [rule for rule in ALL if rule.name.startswith("agw-waf-") and not rule.optional])


def violations(subject: Subject) -> Iterator[tuple[str, str]]:
    for verdict in about_firewalls(subject):
        assert verdict.kind == "violation", verdict
        yield verdict.rule, verdict.path.removeprefix("webApplicationFirewallConfiguration.")


def test_an_old_firewall_without_a_flaw_is_only_old() -> None:
    assert list(violations(gateway({}))) == [("agw-waf-policy-attached", "webApplicationFirewallConfiguration")]


@pytest.mark.parametrize(("flaw", "rule", "path"), FLAWS, ids=lambda item: str(item)[:40])
def test_an_old_firewall_is_held_to_what_policies_are(flaw: dict[str, Any], rule: str, path: str) -> None:
    old, found = sorted(violations(gateway(flaw)), key=lambda item: item[0] != "agw-waf-policy-attached")
    assert old[0] == "agw-waf-policy-attached"
    assert found == (rule, path)


@pytest.mark.parametrize(("flaw", "rule", "_path"), FLAWS, ids=lambda item: str(item)[:40])
def test_what_is_not_known_of_an_old_firewall_is_said(flaw: dict[str, Any], rule: str, _path: str) -> None:
    subject = gateway(flaw)
    for place, properties in with_one_unknown(subject.properties):
        changed = Subject(subject.urn, subject.type, subject.name, properties)
        found = [verdict for verdict in about_firewalls(changed) if verdict.rule == rule]
        assert found, f"`{place}` is unknown, and nothing is said"


@pytest.mark.parametrize(("flaw", "_rule", "_path"), FLAWS, ids=lambda item: str(item)[:40])
def test_an_old_firewall_that_a_policy_overrides_is_only_in_the_way(
    flaw: dict[str, Any], _rule: str, _path: str
) -> None:
    found = list(violations(gateway(flaw, firewallPolicy={"id": "/policies/shop"})))
    assert found == [("agw-waf-policy-attached", "webApplicationFirewallConfiguration")]


def test_one_rule_of_two_that_are_off_is_against_log4shell() -> None:
    listed = {"disabledRuleGroups": [{"ruleGroupName": JAVA, "rules": [944240, 944100]}]}
    found = [item for item in violations(gateway(listed)) if item[0] != "agw-waf-policy-attached"]
    assert sorted(rule for rule, _ in found) == ["agw-waf-all-rules", "agw-waf-log4j"]


def test_of_an_old_firewall_that_is_off_no_more_is_said() -> None:
    found = list(violations(gateway({"enabled": False, "firewallMode": "Detection"})))
    assert found == [("agw-waf-enabled", "enabled")]
