"""Policies of Azure's two firewalls: what they refuse, by an interpreter of each; what is said of them; their limits."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from edgewright.azure.compile_waf import (
    APPLICATION_GATEWAY,
    BOTS,
    DEFAULT,
    FRONT_DOOR,
    MANAGED,
    Firewall,
    WafPolicy,
    application_gateway,
    compile_waf,
    front_door,
    standard,
)
from edgewright.edge.model import Origin, Waf
from edgewright.spec.model import Waf as SpecWaf
from edgewright.spec.problems import Place
from golden_files import assert_golden

FOLDER = Path(__file__).parents[2] / "golden" / "azure"
FIREWALLS = (APPLICATION_GATEWAY, FRONT_DOOR)
WHOLE = ("core", "known-bad-inputs", "sql-injection")


def waf(
    *,
    mode: Literal["block", "count"] = "block",
    managed: Sequence[str] = WHOLE,
    allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    rate: tuple[int, int] | None = None,
) -> Waf:
    origin = Origin(("waf",), Place("shop.edge.yaml", 7, 1))
    return Waf(mode, tuple(managed), tuple(allow), tuple(deny), rate, origin)


def of(policy: WafPolicy, field: str) -> list[str]:
    """What is said of a field."""
    return [item.reason for item in policy.findings if item.field == field]


@dataclass(frozen=True)
class Request:
    """From an address, with headers that the client wrote."""

    address: str
    headers: Mapping[str, str] = field(default_factory=lambda: {"Host": "api.shop.example"})


# -- an interpreter of each firewall's rules, after Microsoft's pages --------------------------------------------------


network = cache(ip_network)


def holds(ranges: Sequence[str], address: str) -> bool:
    found = ip_address(address)
    return any(found in network(item) for item in ranges)


def gateway_condition(condition: Mapping[str, Any], request: Request) -> bool:
    (variable,) = condition["match_variables"]
    assert (variable["variable_name"], condition["operator"]) == ("RemoteAddr", "IPMatch")
    return holds(condition["match_values"], request.address) != condition["negation_conditon"]


def front_door_condition(condition: Mapping[str, Any], request: Request) -> bool:
    if condition["operator"] == "IPMatch":
        # RemoteAddr is what X-Forwarded-For says, where there is one.
        said = request.headers.get("X-Forwarded-For", request.address)
        address = {"SocketAddr": request.address, "RemoteAddr": said}[condition["match_variable"]]
        return holds(condition["match_value"], address) != condition["negate_condition"]
    assert (condition["match_variable"], condition["operator"]) == ("RequestHeader", "GreaterThanOrEqual")
    long = len(request.headers[condition["selector"]]) >= int(condition["match_value"][0])
    return long != condition["negate_condition"]


def rules_of(policy: WafPolicy) -> list[dict[str, Any]]:
    if policy.firewall is APPLICATION_GATEWAY:
        return application_gateway(policy)["custom_rules"]
    return front_door(policy)["custom_rules"]["rules"]


def answers(policy: WafPolicy, requests: Sequence[Request]) -> list[str | None]:
    """For each request of a minute, the rule that refuses it, or None."""
    meets = gateway_condition if policy.firewall is APPLICATION_GATEWAY else front_door_condition
    mode = (application_gateway if policy.firewall is APPLICATION_GATEWAY else front_door)(policy)["policy_settings"]
    counts: Counter[str] = Counter()

    def refused_by(request: Request) -> str | None:
        for rule in sorted(rules_of(policy), key=lambda item: item["priority"]):
            if not all(meets(condition, request) for condition in rule["match_conditions"]):
                continue
            if rule["rule_type"] == "RateLimitRule":
                counts[request.address] += 1
                if counts[request.address] <= rule["rate_limit_threshold"]:
                    continue
            assert rule["action"] == "Block"
            return rule["name"]
        return None

    found = [refused_by(request) for request in requests]
    return found if mode["mode"] == "Prevention" else [None] * len(found)


FORGED = {"Host": "api.shop.example", "X-Forwarded-For": "203.0.113.7"}
SPECS = {
    "allow": waf(allow=["203.0.113.0/24", "2001:db8:1::/48"]),
    "deny": waf(deny=["198.51.100.0/24", "2001:db8:bad::/48"]),
    "both": waf(allow=["203.0.113.0/24", "2001:db8::/32"], deny=["203.0.113.128/25", "2001:db8:bad::/48"]),
    "everybody": waf(allow=["0.0.0.0/0"]),
    "neither": waf(),
}
ADDRESSES = {
    "allowed": Request("203.0.113.7"),
    "allowed, but denied where both lists are": Request("203.0.113.200"),
    "denied": Request("198.51.100.9"),
    "of nobody": Request("192.0.2.1"),
    "of nobody, but says that it is allowed": Request("192.0.2.1", FORGED),
    "denied, but says that it is allowed": Request("198.51.100.9", FORGED),
    "allowed, by IPv6": Request("2001:db8:1::7"),
    "denied, by IPv6": Request("2001:db8:bad::7"),
    "of nobody, by IPv6": Request("2001:470::1"),
}


def wanted(spec: Waf, request: Request) -> bool:
    """Whether a request is let in, by the spec's own words."""
    return not holds(spec.deny, request.address) and (not spec.allow or holds(spec.allow, request.address))


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
@pytest.mark.parametrize("name", SPECS)
def test_both_firewalls_let_in_whom_the_spec_lets_in(name: str, firewall: Firewall) -> None:
    policy = compile_waf(SPECS[name], firewall)
    found = {who: answers(policy, [request]) == [None] for who, request in ADDRESSES.items()}
    assert found == {who: wanted(SPECS[name], request) for who, request in ADDRESSES.items()}


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_a_policy_that_counts_refuses_nobody(firewall: Firewall) -> None:
    policy = compile_waf(waf(mode="count", deny=["198.51.100.0/24"], rate=(1, 60)), firewall)
    assert policy.mode == "Detection"
    assert answers(policy, [Request("198.51.100.9")] * 50) == [None] * 50


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_each_address_has_a_rate_of_its_own_and_none_by_a_header(firewall: Firewall) -> None:
    policy = compile_waf(waf(rate=(20, 60)), firewall)
    forged = [Request("192.0.2.1", {"Host": "a", "X-Forwarded-For": f"203.0.113.{at}"}) for at in range(25)]
    assert answers(policy, forged) == [None] * 20 + ["RatePerAddress"] * 5
    assert answers(policy, [Request("192.0.2.1"), Request("192.0.2.2")] * 20) == [None] * 40


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_who_is_on_a_list_is_refused_before_it_is_counted(firewall: Firewall) -> None:
    policy = compile_waf(waf(deny=["198.51.100.0/24"], rate=(10, 60)), firewall)
    assert set(answers(policy, [Request("198.51.100.9")] * 30)) == {"Deny1"}


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_no_rule_lets_anybody_past_the_rest(firewall: Firewall) -> None:
    policy = compile_waf(waf(allow=["203.0.113.0/24"], deny=["198.51.100.0/24"], rate=(1, 1)), firewall)
    assert {rule["action"] for rule in rules_of(policy)} == {"Block"}


# -- lists -------------------------------------------------------------------------------------------------------------


@cache
def many(count: int) -> list[str]:
    """So many addresses that no block joins."""
    return [f"{ip_address('10.0.0.0') + 2 * at}/32" for at in range(count)]


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_a_long_deny_list_is_several_rules_that_together_refuse_all_of_it(firewall: Firewall) -> None:
    listed = many(601)
    policy = compile_waf(waf(deny=listed), firewall)
    assert [rule.name for rule in policy.rules] == ["Deny1", "Deny2"]
    assert [len(rule.conditions[0].ranges) for rule in policy.rules] == [600, 1]
    everyone = [Request(item.removesuffix("/32")) for item in listed]
    assert None not in answers(policy, everyone)
    assert answers(policy, [Request("10.0.0.1")]) == [None]


def test_a_long_allow_list_is_one_rule_that_refuses_only_who_is_in_no_part_of_it() -> None:
    listed = many(601)
    policy = compile_waf(waf(allow=listed), APPLICATION_GATEWAY)
    (rule,) = policy.rules
    assert [len(condition.ranges) for condition in rule.conditions] == [600, 1]
    everyone = [Request(item.removesuffix("/32")) for item in listed]
    assert set(answers(policy, everyone)) == {None}
    assert answers(policy, [Request("10.0.0.1")]) == ["Allow"]


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_blocks_that_lie_in_others_or_side_by_side_are_one(firewall: Firewall) -> None:
    policy = compile_waf(waf(deny=["10.1.0.0/16", "10.0.0.0/16", "10.0.7.0/24", "2001:db8::/32"]), firewall)
    assert policy.rules[0].conditions[0].ranges == ("10.0.0.0/15", "2001:db8::/32")


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_a_list_that_grows_changes_no_rule_of_another(firewall: Firewall) -> None:
    small = {rule.name: rule for rule in compile_waf(waf(allow=["1.2.3.4/32"], rate=(9, 1)), firewall).rules}
    large = {
        rule.name: rule
        for rule in compile_waf(waf(allow=["1.2.3.4/32"], deny=many(2_000), rate=(9, 1)), firewall).rules
    }
    assert small.items() <= large.items()


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_at_the_limits_names_and_priorities_are_azures_and_no_two_rules_say_the_same(firewall: Firewall) -> None:
    policy = compile_waf(waf(allow=many(600), deny=many(54_000), rate=(9, 1)), firewall)
    assert [item for item in policy.findings if item.level == "unsupported"] == []
    assert all(rule.name.isalnum() and rule.name[0].isalpha() for rule in policy.rules)
    assert all(1 <= rule.priority <= 100 for rule in policy.rules)
    assert len({rule.priority for rule in policy.rules}) == len(policy.rules) <= 100
    assert len({(rule.conditions, rule.rate) for rule in policy.rules}) == len(policy.rules)


# -- rates -------------------------------------------------------------------------------------------------------------

RATES = [
    ((100, 1), APPLICATION_GATEWAY, (6000, 1)),
    ((100, 1), FRONT_DOOR, (6000, 1)),
    ((30, 60), APPLICATION_GATEWAY, (30, 1)),
    ((5, 60), APPLICATION_GATEWAY, (5, 1)),
    ((5, 60), FRONT_DOOR, (25, 5)),
    ((1000, 3600), APPLICATION_GATEWAY, (84, 5)),
    ((1, 3600), APPLICATION_GATEWAY, (1, 5)),
    ((1, 3600), FRONT_DOOR, (10, 5)),
]


@pytest.mark.parametrize(("rate", "firewall", "counted"), RATES)
def test_a_rate_is_counted_over_a_window_that_azure_has(
    rate: tuple[int, int], firewall: Firewall, counted: tuple[int, int]
) -> None:
    policy = compile_waf(waf(rate=rate), firewall)
    (rule,) = policy.rules
    assert rule.rate is not None
    assert (rule.rate.limit, rule.rate.minutes) == counted
    (said,) = of(policy, "Waf.rate_per_ip")
    assert f"counted as {counted[0]} over" in said


def test_what_front_door_counts_badly_or_not_at_all_is_said() -> None:
    assert "new connections" in of(compile_waf(waf(rate=(30, 60)), FRONT_DOOR), "Waf.rate_per_ip")[0]
    assert "new connections" not in of(compile_waf(waf(rate=(100, 1)), FRONT_DOOR), "Waf.rate_per_ip")[0]
    assert "counts no slower" in of(compile_waf(waf(rate=(1, 3600)), FRONT_DOOR), "Waf.rate_per_ip")[0]


# -- rule sets ---------------------------------------------------------------------------------------------------------


def test_every_name_of_a_spec_has_a_rule_set_or_a_reason() -> None:
    annotation: Any = SpecWaf.model_fields["managed"].annotation
    for name in MANAGED:
        assert name in str(annotation)
    assert str(annotation).count("'") == 2 * len(MANAGED)


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_rule_sets_are_those_that_hold_what_is_asked_for(firewall: Firewall) -> None:
    assert compile_waf(waf(managed=["bots", "sql-injection"]), firewall).rule_sets == (DEFAULT, BOTS)
    assert BOTS in compile_waf(waf(managed=["bots"]), firewall).rule_sets


def test_front_door_has_no_rules_against_attacks_where_only_those_against_bots_are_asked_for() -> None:
    assert compile_waf(waf(managed=["bots"]), FRONT_DOOR).rule_sets == (BOTS,)


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_who_asks_for_rules_against_attacks_has_those_against_bots_too_and_is_told(firewall: Firewall) -> None:
    policy = compile_waf(waf(managed=["core"]), firewall)
    assert policy.rule_sets == (DEFAULT, BOTS)
    assert any("Microsoft_BotManagerRuleSet is there too" in reason for reason in of(policy, "Waf.managed"))


def test_application_gateway_has_its_default_rule_set_always_and_says_so() -> None:
    policy = compile_waf(waf(managed=[]), APPLICATION_GATEWAY)
    assert policy.rule_sets == (DEFAULT,)
    assert "takes no policy without" in of(policy, "Waf.managed")[0]
    assert compile_waf(waf(managed=[]), FRONT_DOOR).rule_sets == ()


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_a_rule_set_that_has_more_than_asked_for_is_an_approximation(firewall: Firewall) -> None:
    finding, *_ = compile_waf(waf(managed=["core"]), firewall).findings
    assert (finding.level, finding.field) == ("approximated", "Waf.managed")
    assert "it has `known-bad-inputs`, `sql-injection` too" in finding.reason
    assert of(compile_waf(waf(managed=[*WHOLE, "bots", "ip-reputation"]), firewall), "Waf.managed") == []


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_a_list_of_anonymizing_proxies_cannot_be(firewall: Firewall) -> None:
    finding, *_ = compile_waf(waf(managed=[*WHOLE, "anonymous-ip"]), firewall).findings
    assert finding.level == "unsupported"
    assert str(finding).startswith("shop.edge.yaml:7:1: unsupported: Waf.managed")
    assert "take `anonymous-ip` out" in finding.carried_by


# -- limits ------------------------------------------------------------------------------------------------------------

OVER = [
    (waf(allow=many(601)), FRONT_DOOR, "Waf.allow", "601 ranges in the allow list, and Front Door takes 600"),
    (waf(allow=many(6_001)), APPLICATION_GATEWAY, "Waf.allow", "Application Gateway takes 6000"),
    (waf(deny=many(54_001)), FRONT_DOOR, "Waf.deny", "54001 ranges in the deny list, and there is room for 54000"),
    (waf(deny=many(54_001)), APPLICATION_GATEWAY, "Waf.deny", "room for 54000"),
    (waf(rate=(20_000, 1)), FRONT_DOOR, "Waf.rate_per_ip", "more than Front Door counts to"),
    (waf(rate=(999_999_999, 1)), APPLICATION_GATEWAY, "Waf.rate_per_ip", "more than Application Gateway counts to"),
]


@pytest.mark.parametrize(("spec", "firewall", "where", "said"), OVER, ids=[said for _, _, _, said in OVER])
def test_what_is_over_a_limit_is_an_error_with_the_number(spec: Waf, firewall: Firewall, where: str, said: str) -> None:
    findings = [item for item in compile_waf(spec, firewall).findings if item.level == "unsupported"]
    assert [item.field for item in findings] == [where]
    assert said in findings[0].reason
    assert findings[0].carried_by


def test_ranges_that_no_client_of_an_ipv4_gateway_has_are_warned_of() -> None:
    assert "match nobody" in of(compile_waf(SPECS["allow"], APPLICATION_GATEWAY), "Waf.allow")[0]
    assert of(compile_waf(SPECS["allow"], FRONT_DOOR), "Waf.allow") == []


def test_what_becomes_of_long_bodies_is_said() -> None:
    assert of(compile_waf(waf(), FRONT_DOOR), "EdgeSpec.waf") == ["only the first 128 KB of a body are looked at"]
    assert "over 2000 KB is refused" in of(compile_waf(waf(), APPLICATION_GATEWAY), "EdgeSpec.waf")[0]
    assert of(compile_waf(waf(mode="count"), APPLICATION_GATEWAY), "EdgeSpec.waf") == []


# -- as it is written --------------------------------------------------------------------------------------------------


def test_a_policy_says_which_fields_the_gateway_behind_it_need_not_do() -> None:
    fields = set(Waf.__dataclass_fields__) - {"origin"}
    assert set(compile_waf(waf(), FRONT_DOOR).carried) == fields
    assert standard(FRONT_DOOR).carried == ()


@pytest.mark.parametrize("firewall", FIREWALLS, ids=lambda item: item.name)
def test_the_standard_policy_prevents_by_both_rule_sets(firewall: Firewall) -> None:
    policy = standard(firewall)
    assert (policy.mode, policy.rule_sets, policy.rules) == ("Prevention", (DEFAULT, BOTS), ())


def test_logs_hold_no_values_of_requests() -> None:
    logs = application_gateway(standard(APPLICATION_GATEWAY))["policy_settings"]["log_scrubbing"]
    assert logs["state"] == "Enabled"
    scrubbed = {item["match_variable"] for item in logs["scrubbing_rules"]}
    assert {"RequestHeaderNames", "RequestCookieNames", "RequestArgNames"} <= scrubbed
    settings = front_door(standard(FRONT_DOOR))["policy_settings"]
    assert settings["state"] == "Enabled"
    scrubbed = {item["match_variable"] for item in settings["scrubbing_rules"]}
    assert {"RequestHeaderNames", "RequestCookieNames", "QueryStringArgNames"} <= scrubbed


def test_application_gateway_lets_no_part_of_a_body_through_that_it_did_not_look_at() -> None:
    settings = application_gateway(standard(APPLICATION_GATEWAY))["policy_settings"]
    assert settings["request_body_check"]
    assert settings["request_body_enforcement"]
    assert settings["max_request_body_size_in_kb"] <= settings["request_body_inspect_limit_in_kb"]


@pytest.mark.parametrize(
    ("firewall", "name"), [(APPLICATION_GATEWAY, "application-gateway"), (FRONT_DOOR, "front-door")]
)
def test_policies_are_what_was_reviewed(firewall: Firewall, name: str) -> None:
    spec = waf(
        managed=["core", "bots"],
        allow=["203.0.113.0/24", "2001:db8::/32"],
        deny=["203.0.113.128/25"],
        rate=(100, 1),
    )
    policy = compile_waf(spec, firewall)
    body = application_gateway(policy) if firewall is APPLICATION_GATEWAY else front_door(policy)
    found = {"policy": json.loads(json.dumps(body)), "findings": [str(item) for item in policy.findings]}
    assert_golden(FOLDER / f"waf.{name}.yaml", yaml.safe_dump(found, sort_keys=False, width=120))
