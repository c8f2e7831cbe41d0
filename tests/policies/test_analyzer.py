"""The pack in a process of its own, asked as the engine asks it: every example, levels, settings, exemptions, secrets."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft7Validator

from edgewright.policies.enforcement import Finding, check, load, utc_today
from edgewright.policies.levels import default_level
from edgewright.policies.rule import Rule, StackRule
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject
from policies.analyzer import LEVELS, Analyzer, Answer, Diagnostic, request_of, running
from policies.examples import Example, examples, urn_of

EXAMPLES = examples()
RULES = {rule.name: rule for rule in ALL}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
ASSET = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17"}

LISTENER = "aws:lb/listener:Listener"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
YESTERDAY = (utc_today() - timedelta(days=1)).isoformat()
TOMORROW = (utc_today() + timedelta(days=1)).isoformat()
"""Not today: a run may go on past midnight."""


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    """One process for all tests here; each says how it is configured."""
    with running() as analyzer:
        yield analyzer


def balancer(**properties: Any) -> Subject:
    return Subject(urn_of(BALANCER, "shop"), BALANCER, "shop", properties)


def listener(*actions: Any) -> Subject:
    properties = {"protocol": "HTTP", "port": 80.0, "defaultActions": list(actions)}
    return Subject(urn_of(LISTENER, "plain"), LISTENER, "plain", properties)


def only(*rules: str, **values: Any) -> dict[str, Any]:
    """A configuration in which these rules alone are on."""
    return {"all": "disabled", **dict.fromkeys(rules, "mandatory"), **values}


def configuration(example: Example) -> dict[str, Any]:
    rule = RULES[example.rule]
    level = "mandatory" if rule.optional else default_level(rule)
    return {example.rule: {"enforcementLevel": level, **example.settings}}


@pytest.fixture(scope="module")
def answers(pack: Analyzer) -> dict[str, Answer]:
    """What all rules say of each example, those over one resource and those over the stack."""
    found: dict[str, Answer] = {}
    for example in EXAMPLES:
        pack.configure(configuration(example))
        parts = (pack.analyze_stack(example.subjects), *map(pack.analyze, example.subjects))
        found[str(example)] = Answer(tuple(item for part in parts for item in part.diagnostics))
    return found


def of_its_kind(example: Example, answer: Answer) -> list[Diagnostic]:
    """What the rules over one resource say, or those over a stack, as the example's rule is."""
    kind = type(RULES[example.rule])
    return [item for item in answer.diagnostics if isinstance(RULES[item.rule], kind)]


def test_the_pack_tells_the_engine_what_there_is_to_know_about_each_rule(pack: Analyzer) -> None:
    found = {policy.name: policy for policy in pack.info().policies}
    assert list(found) == [rule.name for rule in ALL]
    for rule in ALL:
        policy = found[rule.name]
        assert policy.enforcementLevel == LEVELS[default_level(rule)]
        assert policy.policy_type == (1 if isinstance(rule, Rule) else 2)
        assert policy.severity == 1 + ("low", "medium", "high", "critical").index(rule.severity)
        assert (policy.displayName, policy.remediation_steps) == (rule.title, rule.remedy)


def test_the_engine_can_check_the_configuration_of_each_rule(pack: Analyzer) -> None:
    from google.protobuf import json_format

    for policy in pack.info().policies:
        properties = {name: json_format.MessageToDict(kind) for name, kind in policy.configSchema.properties.items()}
        Draft7Validator.check_schema({"type": "object", "properties": properties})
        assert properties.keys() == {*RULES[policy.name].settings, "exemptions"}


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.kind == "pass"], ids=str)
def test_an_example_that_passes_has_no_diagnostics(answers: dict[str, Answer], example: Example) -> None:
    assert of_its_kind(example, answers[str(example)]) == []


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.kind == "fail"], ids=str)
def test_an_example_that_fails_has_diagnostics_of_its_rule_alone_at_its_level(
    answers: dict[str, Answer], example: Example
) -> None:
    found = of_its_kind(example, answers[str(example)])
    level = configuration(example)[example.rule]["enforcementLevel"]
    assert {(item.rule, item.level) for item in found} == {(example.rule, level)}, found
    names = {subject.urn: subject.name for subject in example.subjects}
    assert {names[item.urn] for item in found} == {name for name, _ in example.at}


def test_what_the_analyzer_says_of_examples_is_what_this_process_says(answers: dict[str, Answer]) -> None:
    differences: dict[str, object] = {}
    for example in EXAMPLES:
        expected = {told(finding) for finding in check(example.subjects, ALL, load(configuration(example)))}
        actual = {(item.rule, item.level, item.urn) for item in answers[str(example)].diagnostics}
        if actual != expected:
            differences[str(example)] = actual ^ expected
    assert differences == {}


def test_what_the_analyzer_cannot_tell_of_examples_this_process_cannot_tell(pack: Analyzer) -> None:
    """Each property of what fails is unknown in turn."""
    differences: dict[str, object] = {}
    warned: set[str] = set()
    for example in (one for one in EXAMPLES if one.kind == "fail"):
        rule = RULES[example.rule]
        values = {**only(example.rule), **configuration(example)}
        pack.configure(values)
        for place, subjects in with_unknown(example.subjects):
            expected = {told(finding) for finding in check(subjects, [rule], load(configuration(example), [rule]))}
            parts = [pack.analyze_stack(subjects)] if isinstance(rule, StackRule) else map(pack.analyze, subjects)
            actual = {(item.rule, item.level, item.urn) for part in parts for item in part.diagnostics}
            if actual != expected:
                differences[f"{example}: {place}"] = actual ^ expected
            warned |= {example.rule for _, level, urn in actual if (level, urn) == ("advisory", "")}
    assert differences == {}
    assert len(warned) > len({example.rule for example in EXAMPLES}) / 2


def test_violations_of_a_rule_stop_the_update_also_where_it_cannot_tell_the_rest(pack: Analyzer) -> None:
    pack.configure(only("alb-http-redirects-to-https"))
    found = pack.analyze(listener({"type": "forward"}, {"type": UNKNOWN})).diagnostics
    assert [(item.level, item.urn) for item in found] == [("mandatory", urn_of(LISTENER, "plain")), ("advisory", "")]
    assert "`defaultActions[0].type` answers over plain HTTP" in found[0].message
    assert "it cannot tell yet: `defaultActions[1].type` is not known yet (plain)" in found[1].message


def test_a_stack_rule_says_which_resource_keeps_it_from_telling(pack: Analyzer) -> None:
    pack.configure(only("lb-has-listener"))
    subjects = (balancer(), Subject(urn_of(LISTENER, "plain"), LISTENER, "plain", {"loadBalancerArn": UNKNOWN}))
    (found,) = pack.analyze_stack(subjects).diagnostics
    assert found.level == "advisory"
    assert "`shop` may be what `plain` refers to: its `loadBalancerArn` is not known yet" in found.message


def test_stack_rules_follow_the_dependencies_that_the_engine_recorded(pack: Analyzer) -> None:
    pack.configure(only("lb-has-listener"))
    shop = balancer()
    refs = {"loadBalancerArn": frozenset({shop.urn})}
    heard = Subject(urn_of(LISTENER, "plain"), LISTENER, "plain", {"loadBalancerArn": UNKNOWN}, refs)
    assert pack.analyze_stack((shop, heard)).diagnostics == ()


def test_many_unknown_properties_are_counted(pack: Analyzer) -> None:
    pack.configure(only("alb-http-redirects-to-https"))
    (found,) = pack.analyze(listener(*[{"type": UNKNOWN}] * 14)).diagnostics
    assert found.message.count("is not known yet") == 10
    assert found.message.endswith("; and 4 more")


def test_secrets_are_read_and_never_repeated(pack: Analyzer) -> None:
    pack.configure(only("alb-drop-invalid-headers", "alb-access-logs-enabled"))
    shop = balancer(
        dropInvalidHeaderFields={**SECRET, "value": False},
        accessLogs={**SECRET, "value": {"bucket": "secret-bucket", "enabled": False}},
    )
    found = pack.analyze(shop).diagnostics
    assert [item.rule for item in found] == ["alb-drop-invalid-headers", "alb-access-logs-enabled"]
    assert "secret-bucket" not in str(found)


def test_a_secret_that_is_not_known_is_unknown(pack: Analyzer) -> None:
    pack.configure(only("alb-drop-invalid-headers"))
    (found,) = pack.analyze(balancer(dropInvalidHeaderFields={**SECRET, "value": UNKNOWN})).diagnostics
    assert found.level == "advisory"


def test_a_file_where_a_text_is_expected_is_no_crash(pack: Analyzer) -> None:
    pack.configure(only("alb-desync-mitigation"))
    (found,) = pack.analyze(balancer(desyncMitigationMode={**ASSET, "text": "monitor"})).diagnostics
    assert (found.level, "`desyncMitigationMode` is not a text" in found.message) == ("advisory", True)


def test_types_of_any_version_of_an_api_are_looked_at(pack: Analyzer) -> None:
    failing = next(one for one in EXAMPLES if one.kind == "fail" and one.subjects[0].type.startswith("azure-native:"))
    pack.configure({**only(failing.rule), **configuration(failing)})
    (request,) = map(request_of, failing.subjects)
    package, module, name = request.type.split(":")
    request.type = f"{package}:{module}/v20240101:{name}"
    assert {item.policyName for item in pack.stub.Analyze(request).diagnostics} == {failing.rule}


def test_a_rule_has_the_level_that_is_configured(pack: Analyzer) -> None:
    shop = balancer(dropInvalidHeaderFields=False)
    for level in ("advisory", "mandatory", "disabled", "remediate"):
        pack.configure({"all": "disabled", "alb-drop-invalid-headers": level})
        seen = [item.level for item in pack.analyze(shop).diagnostics]
        assert seen == {"disabled": [], "remediate": ["mandatory"]}.get(level, [level])


def test_an_optional_rule_is_off_until_it_is_turned_on(pack: Analyzer) -> None:
    optional = next(rule for rule in ALL if rule.optional and isinstance(rule, Rule))
    failing = next(one for one in EXAMPLES if one.rule == optional.name and one.kind == "fail")
    pack.configure({optional.name: dict(failing.settings)})
    assert optional.name not in {item.rule for item in pack.analyze(failing.subjects[0]).diagnostics}
    pack.configure({optional.name: {"enforcementLevel": "mandatory", **failing.settings}})
    assert optional.name in {item.rule for item in pack.analyze(failing.subjects[0]).diagnostics}


def test_settings_reach_the_rule(pack: Analyzer) -> None:
    shop = balancer(subnets=["a", "b"])
    pack.configure(only(**{"lb-multi-az": {"enforcementLevel": "mandatory", "zones": 2}}))
    assert pack.analyze(shop).diagnostics == ()
    pack.configure(only(**{"lb-multi-az": {"enforcementLevel": "mandatory", "zones": 3}}))
    (found,) = pack.analyze(shop).diagnostics
    assert "`subnets` are 2, fewer than 3" in found.message


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"zones": 0}, "`lb-multi-az.zones`: `0` is not a whole number of at least 1"),
        ({"zonse": 2}, "`lb-multi-az.zonse` is not known; did you mean `zones`?"),
        ({"exemptions": [{"resource": "shop"}]}, "`lb-multi-az.exemptions[0]` does not say its `reason`"),
    ],
    ids=("a setting that does not fit", "a setting that there is not", "half of an exemption"),
)
def test_a_wrong_configuration_is_said_by_its_rule_and_takes_no_other_with_it(
    pack: Analyzer, values: dict[str, Any], expected: str
) -> None:
    pack.configure(only("alb-drop-invalid-headers", **{"lb-multi-az": {"enforcementLevel": "mandatory", **values}}))
    found = {item.rule: item for item in pack.analyze(balancer(subnets=["a"])).diagnostics}
    assert found.keys() == {"alb-drop-invalid-headers", "lb-multi-az"}
    assert found["lb-multi-az"].level == "mandatory"
    assert "It is configured wrongly" in found["lb-multi-az"].message
    assert expected in found["lb-multi-az"].message


def exempting(rule: str, expires: str, resource: str = "shop") -> dict[str, Any]:
    exemption = {"resource": resource, "reason": "moves in spring", "expires": expires}
    return only(**{rule: {"enforcementLevel": "mandatory", "exemptions": [exemption]}})


@pytest.mark.parametrize("resource", ["shop", urn_of(BALANCER, "shop")], ids=("by name", "by urn"))
def test_an_exempt_resource_passes_and_the_reason_is_kept(pack: Analyzer, resource: str) -> None:
    pack.configure(exempting("alb-drop-invalid-headers", TOMORROW, resource))
    answer = pack.analyze(balancer())
    assert answer.diagnostics == ()
    assert answer.not_applicable == {
        "alb-drop-invalid-headers": f"`dropInvalidHeaderFields` is not true (exempt until {TOMORROW}: moves in spring)"
    }


def test_an_exemption_is_for_its_resource_alone(pack: Analyzer) -> None:
    pack.configure(exempting("alb-drop-invalid-headers", TOMORROW, "other"))
    assert [item.rule for item in pack.analyze(balancer()).diagnostics] == ["alb-drop-invalid-headers"]


def test_an_exemption_that_is_over_fails_with_what_it_hid(pack: Analyzer) -> None:
    pack.configure(exempting("alb-drop-invalid-headers", YESTERDAY))
    found = pack.analyze(balancer()).diagnostics
    assert [item.level for item in found] == ["mandatory", "mandatory"]
    assert "`dropInvalidHeaderFields` is not true" in found[0].message
    assert f"`shop` has an exemption that ended on {YESTERDAY} (moves in spring)" in found[1].message


def test_an_exemption_that_is_over_fails_also_where_nothing_is_wrong_any_more(pack: Analyzer) -> None:
    pack.configure(exempting("alb-drop-invalid-headers", YESTERDAY))
    (found,) = pack.analyze(balancer(dropInvalidHeaderFields=True)).diagnostics
    assert "has an exemption that ended" in found.message


def test_a_resource_is_exempt_from_a_stack_rule_too(pack: Analyzer) -> None:
    pack.configure(exempting("lb-has-listener", TOMORROW))
    other = Subject(urn_of(BALANCER, "other"), BALANCER, "other", {})
    (found,) = pack.analyze_stack((balancer(), other)).diagnostics
    assert found.urn == other.urn


def remediating(example: Example) -> dict[str, Any]:
    return only(**{example.rule: {"enforcementLevel": "remediate", **example.settings}})


REMEDIATING = {rule.name for rule in ALL if isinstance(rule, Rule) and rule.remediation}


def test_every_rule_that_remediates_mends_one_of_its_examples(pack: Analyzer) -> None:
    mended: set[str] = set()
    for example in (one for one in EXAMPLES if one.kind == "fail" and one.rule in REMEDIATING):
        pack.configure(remediating(example))
        for written in pack.remediate(example.subjects[0]):
            assert (written.rule, written.problem) == (example.rule, "")
            after = replace(example.subjects[0], properties=written.properties)
            assert pack.analyze(after).diagnostics == (), f"{example} is not mended"
            assert pack.remediate(after) == [], f"{example} is mended twice"
            mended.add(example.rule)
    assert mended == REMEDIATING


def test_what_passes_is_not_remediated(pack: Analyzer) -> None:
    for example in (one for one in EXAMPLES if one.kind == "pass" and one.rule in REMEDIATING):
        pack.configure(remediating(example))
        assert pack.remediate(example.subjects[0]) == [], example


def test_nothing_is_written_at_any_other_level(pack: Analyzer) -> None:
    pack.configure(only("alb-drop-invalid-headers"))
    assert pack.remediate(balancer(dropInvalidHeaderFields=False)) == []


def test_a_remediation_keeps_everything_else_as_it_was(pack: Analyzer) -> None:
    pack.configure({"all": "disabled", "alb-access-logs-enabled": "remediate"})
    logs = {**SECRET, "value": {"bucket": UNKNOWN, "enabled": False, "prefix": "p"}}
    tags = {"owner": {**SECRET, "value": "me"}, "later": UNKNOWN}
    (written,) = pack.remediate(balancer(accessLogs=logs, tags=tags, subnets=["a", UNKNOWN]))
    assert written.properties == {
        "accessLogs": {**SECRET, "value": {"bucket": UNKNOWN, "enabled": True, "prefix": "p"}},
        "tags": tags,
        "subnets": ["a", UNKNOWN],
    }


def test_a_remediation_writes_over_nothing_that_is_not_known(pack: Analyzer) -> None:
    pack.configure({"all": "disabled", "alb-drop-invalid-headers": "remediate", "alb-access-logs-enabled": "remediate"})
    assert pack.remediate(balancer(dropInvalidHeaderFields=UNKNOWN, accessLogs=UNKNOWN)) == []
    assert pack.remediate(balancer(dropInvalidHeaderFields=True, accessLogs={"bucket": "b", "enabled": UNKNOWN})) == []


def test_an_exempt_resource_is_not_written_to(pack: Analyzer) -> None:
    values = exempting("alb-drop-invalid-headers", TOMORROW)
    values["alb-drop-invalid-headers"]["enforcementLevel"] = "remediate"
    pack.configure(values)
    assert pack.remediate(balancer(dropInvalidHeaderFields=False)) == []


def test_remediations_of_several_rules_add_up(pack: Analyzer) -> None:
    pack.configure({"all": "disabled", "alb-drop-invalid-headers": "remediate", "lb-deletion-protection": "remediate"})
    written = pack.remediate(balancer(name="shop"))
    assert [item.rule for item in written] == ["alb-drop-invalid-headers", "lb-deletion-protection"]
    assert written[-1].properties == {
        "name": "shop",
        "dropInvalidHeaderFields": True,
        "enableDeletionProtection": True,
    }


def told(finding: Finding) -> tuple[str, str, str]:
    """A finding as a person sees it in a preview, without the words."""
    return (finding.rule, finding.level, "" if finding.kind == "cannot tell" else finding.urn)


def with_unknown(subjects: tuple[Subject, ...]) -> Iterator[tuple[str, tuple[Subject, ...]]]:
    """The resources with one property of one of them unknown, and which one."""
    for index, subject in enumerate(subjects):
        for key in subject.properties:
            changed = replace(subject, properties={**subject.properties, key: UNKNOWN})
            yield f"{subject.name}.{key}", (*subjects[:index], changed, *subjects[index + 1 :])
