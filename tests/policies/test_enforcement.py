"""How rules are enforced: configurations that can and cannot be used, levels, exemptions and what comes of verdicts."""

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edgewright.policies.enforcement import (
    Enforcement,
    EnforcementError,
    Finding,
    check,
    for_file,
    for_stack,
    load,
    remedy,
    utc_today,
)
from edgewright.policies.levels import default_level
from edgewright.policies.rule import Rule, StackRule
from edgewright.policies.rules import ALL, named
from edgewright.policies.schema import schema
from edgewright.policies.view import Subject

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
URN = f"urn:pulumi:prod::shop::{BALANCER}::shop"
RULE = "alb-drop-invalid-headers"
TODAY = date(2026, 6, 15)
EXEMPTION = {"resource": "shop", "reason": "moves in spring", "expires": "2026-06-30"}
CHECKED = jsonschema.Draft202012Validator(schema(ALL), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)

GOOD: dict[str, Any] = {
    "nothing": {},
    "a level": {RULE: "advisory"},
    "every level": {RULE: "remediate", "lb-multi-az": "disabled", "lb-has-listener": "mandatory"},
    "an object with a level": {RULE: {"enforcementLevel": "advisory"}},
    "an object without a level": {"lb-multi-az": {"zones": 3}},
    "an empty object": {RULE: {}},
    "a whole number written as a float": {"lb-multi-az": {"zones": 3.0}},
    "a text": {"alb-not-internet-facing": {"tag": "public"}},
    "a list of texts": {"alb-not-internet-facing": {"allowed": ["shop", "blog"]}},
    "an empty list": {"sg-no-all-ports-public": {"ports": []}},
    "a list of numbers": {"sg-no-all-ports-public": {"ports": [443]}},
    "a list of words of a set": {"apigw-private-endpoint": {"allowed": ["PRIVATE"]}},
    "true": {"lb-listener-secure-protocol": {"acceptRedirects": True}},
    "an exemption": {RULE: {"exemptions": [EXEMPTION]}},
    "an exemption by urn": {RULE: {"exemptions": [{**EXEMPTION, "resource": URN}]}},
    "no exemptions": {RULE: {"exemptions": []}},
    "all": {"all": "advisory"},
    "all but one": {"all": "disabled", RULE: "mandatory"},
    "environments of ESC": {"environments": ["policies/prod"]},
}

BAD: dict[str, tuple[Any, str]] = {
    "a list": ([], "the configuration is no object of rules"),
    "a rule that there is not": ({"alb-drop-invalid-header": "advisory"}, f"did you mean `{RULE}`?"),
    "a level that there is not": ({RULE: "warn"}, f'`{RULE}`: `"warn"` is no level; there are disabled, advisory,'),
    "a level in an object": (
        {RULE: {"enforcementLevel": "warn"}},
        f'`{RULE}.enforcementLevel`: `"warn"` is no level',
    ),
    "a level that is no text": ({RULE: {"enforcementLevel": 1}}, f"`{RULE}.enforcementLevel`: `1` is no level"),
    "remediate, which the rule cannot": ({"lb-multi-az": "remediate"}, "`lb-multi-az`: the rule cannot remediate"),
    "a number": ({RULE: 1}, f"`{RULE}` is neither a level nor an object"),
    "null": ({RULE: None}, f"`{RULE}` is neither a level nor an object"),
    "a list for a rule": ({RULE: []}, f"`{RULE}` is neither a level nor an object"),
    "all that is no level": ({"all": "loud"}, '`all`: `"loud"` is no level'),
    "all that is an object": ({"all": {"enforcementLevel": "advisory"}}, '`all`: `{"enforcementLevel": "advisory"}`'),
    "environments that are no list": ({"environments": "prod"}, "`environments` is no list of names"),
    "a setting of a rule without any": (
        {RULE: {"zones": 2}},
        f"`{RULE}.zones` is not known; known: `enforcementLevel`, `exem",
    ),
    "a setting that there is not": (
        {"lb-multi-az": {"zone": 2}},
        "`lb-multi-az.zone` is not known; did you mean `zones`?",
    ),
    "a number below the least": (
        {"lb-multi-az": {"zones": 0}},
        "`lb-multi-az.zones`: `0` is not a whole number of at least 1 (how many zones at least)",
    ),
    "half a number": ({"lb-multi-az": {"zones": 1.5}}, "`lb-multi-az.zones`: `1.5` is not a whole number"),
    "true for a number": ({"lb-multi-az": {"zones": True}}, "`lb-multi-az.zones`: `true` is not a whole number"),
    "a text for a number": ({"lb-multi-az": {"zones": "2"}}, '`lb-multi-az.zones`: `"2"` is not a whole'),
    "a number for a text": ({"alb-not-internet-facing": {"tag": 1}}, "`alb-not-internet-facing.tag`: `1`"),
    "a text for a list": (
        {"alb-not-internet-facing": {"allowed": "shop"}},
        'allowed`: `"shop"` is not a list, each item a text',
    ),
    "a list with something else": (
        {"sg-no-all-ports-public": {"ports": [443, "80"]}},
        'ports`: `[443, "80"]` is not a list, each item a whole',
    ),
    "a word that is not in the set": ({"apigw-private-endpoint": {"allowed": ["EVERYWHERE"]}}, "EVERYWHERE"),
    "a text for true": (
        {"lb-listener-secure-protocol": {"acceptRedirects": "true"}},
        'acceptRedirects`: `"true"` is not true or false',
    ),
    "exemptions that are no list": ({RULE: {"exemptions": EXEMPTION}}, f"`{RULE}.exemptions` is no list"),
    "an exemption that is a text": ({RULE: {"exemptions": ["shop"]}}, "is no object with resource, reason, expires"),
    "an exemption for nobody": (
        {RULE: {"exemptions": [{**EXEMPTION, "resource": " "}]}},
        "does not say its `resource`",
    ),
    "an exemption without a reason": (
        {RULE: {"exemptions": [{**EXEMPTION, "reason": ""}]}},
        f"`{RULE}.exemptions[0]` does not say its `reason`",
    ),
    "an exemption without an end": (
        {RULE: {"exemptions": [{"resource": "shop", "reason": "because"}]}},
        "does not say its `expires`",
    ),
    "a day that there is not": (
        {RULE: {"exemptions": [{**EXEMPTION, "expires": "2026-02-30"}]}},
        '`"2026-02-30"` is no day such as 2026-12-31',
    ),
    "a day written otherwise": ({RULE: {"exemptions": [{**EXEMPTION, "expires": "2026-6-1"}]}}, "is no day"),
    "a day that is a number": ({RULE: {"exemptions": [{**EXEMPTION, "expires": 20260601}]}}, "not say its `expires`"),
    "something else in an exemption": (
        {RULE: {"exemptions": [{**EXEMPTION, "rule": "x"}]}},
        f"`{RULE}.exemptions[0]`: `rule` is not known; known: `expires`, `reason`, `resource`",
    ),
}


def balancer(**properties: Any) -> Subject:
    return Subject(URN, BALANCER, "shop", properties)


def kinds(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.level) for finding in found]


def checked(values: dict[str, Any], subject: Subject, day: date = TODAY) -> list[Finding]:
    return check([subject], named(RULE), load(values, named(RULE)), day)


@pytest.mark.parametrize("values", GOOD.values(), ids=GOOD)
def test_a_good_configuration_is_good_for_loader_and_schema(values: Any) -> None:
    load(values, ALL)
    assert list(CHECKED.iter_errors(values)) == []


@pytest.mark.parametrize(("values", "expected"), BAD.values(), ids=BAD)
def test_a_bad_configuration_is_bad_for_loader_and_schema(values: Any, expected: str) -> None:
    with pytest.raises(EnforcementError) as error:
        load(values, ALL)
    assert expected in str(error.value)
    assert list(CHECKED.iter_errors(values)) != []


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema(ALL))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(EnforcementError) as error:
        load({"no-rule": "advisory", RULE: {"exemptions": [{"resource": "shop"}], "zones": 1}, "all": "x"}, ALL)
    assert len(error.value.problems) == 5


def test_rules_have_the_level_of_their_severity_and_optional_ones_are_off() -> None:
    levels = load({}, ALL).levels
    for rule in ALL:
        expected = "disabled" if rule.optional else "advisory" if rule.severity == "low" else "mandatory"
        assert (levels[rule.name], default_level(rule)) == (expected, expected)


def test_all_is_for_every_rule_that_says_no_level_and_for_optional_ones_too() -> None:
    optional = next(rule.name for rule in ALL if rule.optional)
    levels = load({"all": "advisory", RULE: "mandatory", "lb-multi-az": {"zones": 3}}, ALL).levels
    assert (levels[optional], levels[RULE], levels["lb-multi-az"]) == ("advisory", "mandatory", "advisory")


def test_all_that_remediates_is_mandatory_for_rules_that_cannot() -> None:
    levels = load({"all": "remediate"}, ALL).levels
    for rule in ALL:
        can = isinstance(rule, Rule) and rule.remediation is not None
        assert levels[rule.name] == ("remediate" if can else "mandatory")


def test_a_whole_number_arrives_as_one_whatever_json_makes_of_it() -> None:
    zones = load({"lb-multi-az": {"zones": 3.0}}, ALL).settings["lb-multi-az"]["zones"]
    assert (zones, type(zones)) == (3, int)


def test_a_stack_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    assert for_stack(tmp_path, "prod") == load({}, ALL)


def test_a_stack_has_its_own_file_or_the_common_one_and_never_both(tmp_path: Path) -> None:
    (tmp_path / "policies.json").write_text(json.dumps({RULE: "advisory", "lb-multi-az": "advisory"}))
    (tmp_path / "policies.prod.json").write_text(json.dumps({RULE: "disabled"}))

    def levels(found: Enforcement) -> tuple[str, str]:
        return found.levels[RULE], found.levels["lb-multi-az"]

    assert levels(for_stack(tmp_path, "prod")) == ("disabled", "mandatory")
    assert levels(for_stack(tmp_path, "org/shop/prod")) == ("disabled", "mandatory")
    assert levels(for_stack(tmp_path, "dev")) == ("advisory", "advisory")
    assert levels(for_stack(tmp_path, None)) == ("advisory", "advisory")


def test_an_empty_file_is_an_empty_configuration_as_the_engine_has_it(tmp_path: Path) -> None:
    (tmp_path / "policies.json").write_text(" \n")
    assert for_stack(tmp_path, "prod") == load({}, ALL)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"all": "advisory",}', "is no JSON: line 1, column"),
        (b'\xef\xbb\xbf{"all": "advisory"}', "begins with a byte order mark"),
        (b" " * 8_000_001, "is larger than 8 MB"),
        (b'{"all": "\xff"}', "is no UTF-8 text"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"lb-multi-az": {"zones": 1' + b"0" * 5_000 + b"}}", "has a number that is too long"),
        (b'{"all": "advisory", "all": "mandatory"}', "`all` stands there twice"),
    ],
    ids=("no JSON", "a byte order mark", "too large", "no UTF-8", "nested", "a long number", "a key twice"),
)
def test_a_file_that_cannot_be_read_says_its_name_and_why(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "policies.prod.json"
    file.write_bytes(content)
    with pytest.raises(EnforcementError) as error:
        for_stack(tmp_path, "prod")
    assert str(error.value).startswith(f"{file}: ")
    assert expected in str(error.value)


def test_a_file_says_all_that_is_wrong_with_it_each_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "policies.json"
    file.write_text('{"no-rule": "advisory", "no-rule": "mandatory", "alb-drop-invalid-headers": 1}')
    with pytest.raises(EnforcementError) as error:
        for_file(file)
    assert len(error.value.problems) == 3
    assert all(problem.startswith(f"{file}: ") for problem in error.value.problems)


def test_a_file_full_of_wrong_names_is_refused_soon_and_in_a_screenful(tmp_path: Path) -> None:
    file = tmp_path / "policies.json"
    file.write_text(json.dumps({f"rule-{number}": "advisory" for number in range(50_000)}))
    with pytest.raises(EnforcementError) as error:
        for_file(file)
    said = str(error.value).splitlines()
    assert (len(said), said[-1]) == (51, "and 49,950 more problems")


def test_a_message_steers_no_terminal_and_no_runner() -> None:
    with pytest.raises(EnforcementError) as error:
        load({RULE: "\x1b[31mred", "lb-multi-az": {"\n::error::x": 1}, "\n::notice::y": 1, "z" * 999: 1}, ALL)
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert all(line.isprintable() and len(line) < 200 for line in lines)


def test_what_an_editor_would_like_in_the_file_is_said_to_be_for_its_settings() -> None:
    with pytest.raises(EnforcementError, match="name the schema in the editor's settings"):
        load({"$schema": "policies.schema.json"}, ALL)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnforcementError, match="cannot be read: No such file"):
        for_file(tmp_path / "none.json")


def test_a_violation_has_the_level_of_its_rule() -> None:
    assert kinds(checked({}, balancer())) == [("violation", "mandatory")]
    assert kinds(checked({RULE: "advisory"}, balancer())) == [("violation", "advisory")]
    assert checked({RULE: "disabled"}, balancer()) == []


def test_what_nobody_knows_yet_is_never_more_than_advisory() -> None:
    found = checked({}, balancer(dropInvalidHeaderFields="04da6b54-80e4-46f7-96ec-b56ff0331ba9"))
    assert kinds(found) == [("cannot tell", "advisory")]
    assert found[0].sentence == "`dropInvalidHeaderFields` is not known yet"


@pytest.mark.parametrize(
    ("resource", "kind"), [("shop", "exempt"), (URN, "exempt"), ("sho", "violation"), (BALANCER, "violation")]
)
def test_an_exemption_is_for_a_name_or_a_urn(resource: str, kind: str) -> None:
    found = checked({RULE: {"exemptions": [{**EXEMPTION, "resource": resource}]}}, balancer())
    assert found[0].kind == kind


def test_an_exempt_resource_is_shown_with_reason_and_day_and_stops_nothing() -> None:
    (found,) = checked({RULE: {"exemptions": [EXEMPTION]}}, balancer())
    assert found.level == "advisory"
    assert found.sentence == "`dropInvalidHeaderFields` is not true (exempt until 2026-06-30: moves in spring)"


def test_an_exemption_holds_on_its_last_day_and_not_on_the_next() -> None:
    values = {RULE: {"exemptions": [EXEMPTION]}}
    assert kinds(checked(values, balancer(), date(2026, 6, 30))) == [("exempt", "advisory")]
    over = checked(values, balancer(), date(2026, 7, 1))
    assert kinds(over) == [("violation", "mandatory"), ("expired exemption", "mandatory")]
    assert over[1].sentence.startswith("`shop` has an exemption that ended on 2026-06-30 (moves in spring)")


def test_the_day_is_that_of_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    here: set[date] = set()
    try:
        for zone in ("Etc/GMT-14", "Etc/GMT+12"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            before = datetime.now(UTC).date()
            assert before <= utc_today() <= datetime.now(UTC).date()
            here.add(date.today())
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(here) == 2  # so one of them is not UTC's


def test_an_exemption_that_is_over_fails_though_nothing_is_wrong_any_more() -> None:
    values = {RULE: {"exemptions": [EXEMPTION]}}
    found = checked(values, balancer(dropInvalidHeaderFields=True), date(2026, 7, 1))
    assert kinds(found) == [("expired exemption", "mandatory")]


def test_an_exemption_that_hides_nothing_is_to_be_deleted() -> None:
    values = {RULE: {"exemptions": [EXEMPTION, {**EXEMPTION, "resource": "gone"}]}}
    found = checked(values, balancer(dropInvalidHeaderFields=True))
    assert [(item.kind, item.level, item.urn) for item in found] == [
        ("unused exemption", "advisory", "shop"),
        ("unused exemption", "advisory", "gone"),
    ]
    assert [item.text for item in found] == [
        "is exempt, and does not break the rule",
        "is exempt, and no resource that the rule looks at is called so; known: `shop`",
    ]


def test_what_to_do_about_an_exemption_is_about_the_exemption() -> None:
    (rule,) = named(RULE)
    values = {RULE: {"exemptions": [EXEMPTION, {**EXEMPTION, "resource": "gone"}]}}
    said = {item.kind: remedy(item, rule) for item in checked(values, balancer(), date(2026, 7, 1))}
    assert said == {
        "violation": rule.remedy,
        "expired exemption": "Mend the resource and delete the exemption, or give it a later day.",
        "unused exemption": "Delete the exemption, or correct its `resource`.",
    }


def test_an_exemption_is_not_for_another_kind_of_resource_with_the_same_name() -> None:
    other = Subject(f"urn:pulumi:prod::shop::{BALANCER[:3]}::shop", "aws:ec2/vpc:Vpc", "shop", {})
    found = check([other], named(RULE), load({RULE: {"exemptions": [EXEMPTION]}}, named(RULE)), date(2026, 7, 1))
    assert [item.kind for item in found] == ["unused exemption"]


def test_exemptions_of_a_disabled_rule_are_of_no_interest() -> None:
    values = {RULE: {"enforcementLevel": "disabled", "exemptions": [EXEMPTION]}}
    assert checked(values, balancer(), date(2027, 1, 1)) == []


def test_what_a_rule_writes_is_said_and_no_violation_any_more() -> None:
    (found,) = checked({RULE: "remediate"}, balancer(dropInvalidHeaderFields=False))
    assert (found.kind, found.level, found.sentence) == (
        "remediated",
        "advisory",
        "`dropInvalidHeaderFields` becomes true",
    )


def test_what_a_rule_cannot_write_stays_a_violation_that_stops() -> None:
    values = {"alb-access-logs-enabled": "remediate"}
    rules = named("alb-access-logs-enabled")
    found = check([balancer()], rules, load(values, rules), TODAY)
    assert kinds(found) == [("violation", "mandatory")]


def test_remediations_leave_what_was_given_as_it_was() -> None:
    subject = balancer(accessLogs={"bucket": "logs", "enabled": False})
    rules = named("alb-access-logs-enabled")
    assert [item.kind for item in check([subject], rules, load({"all": "remediate"}, rules), TODAY)] == ["remediated"]
    assert subject.properties == {"accessLogs": {"bucket": "logs", "enabled": False}}


def test_an_exempt_resource_is_not_remediated() -> None:
    values = {RULE: {"enforcementLevel": "remediate", "exemptions": [EXEMPTION]}}
    assert kinds(checked(values, balancer())) == [("exempt", "advisory")]


def test_a_finding_about_the_stack_says_so() -> None:
    def broken(_: object) -> list[Any]:
        raise KeyError

    rule = StackRule(name="x", controls=(), title="x", severity="high", types=(BALANCER,), check=broken, remedy="x")
    (found,) = check([balancer()], [rule])
    assert (found.kind, found.level) == ("broken rule", "mandatory")
    assert found.sentence.startswith("`the stack` was not looked at: the rule itself is broken")
