"""Each rule's examples, run in this process: what passes, what fails and where, and what is not known yet."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from edgewright.policies.rule import AnyRule, Rule, Verdict, check_resources
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject
from policies.examples import Example, examples

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
RULES = {rule.name: rule for rule in ALL}
EXAMPLES = examples()
FAILING = [example for example in EXAMPLES if example.kind == "fail"]


def verdicts(example: Example) -> list[Verdict]:
    """What the rules say that are on, and the example's own: those over one resource, or those over a stack."""
    kind = type(RULES[example.rule])
    on = [rule for rule in ALL if isinstance(rule, kind) and (not rule.optional or rule.name == example.rule)]
    return check_resources(example.subjects, on, {example.rule: example.settings})


def test_every_rule_has_an_example_that_passes_and_one_that_fails() -> None:
    have = {(example.rule, example.kind) for example in EXAMPLES}
    wanted = {(name, kind) for name in RULES for kind in ("pass", "fail")}
    assert sorted(wanted - have) == []
    assert sorted(have - wanted) == [], "examples of rules that are not there"


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.kind == "pass"], ids=str)
def test_an_example_that_passes_passes_all_rules_of_its_kind(example: Example) -> None:
    assert verdicts(example) == []
    rule = RULES[example.rule]
    looks = any(subject.type in rule.types for subject in example.subjects)
    assert looks or refuses_its_types(rule), "the rule does not look at it"


def refuses_its_types(rule: AnyRule) -> bool:
    """Whether the rule is that there is no such resource, so that none passes."""
    bare = [Subject(f"urn:pulumi:example::edgewright::{kind}::it", kind, "it", {}) for kind in rule.types]
    return isinstance(rule, Rule) and [verdict.path for verdict in check_resources(bare, [rule])] == [""] * len(bare)


@pytest.mark.parametrize("example", FAILING, ids=str)
def test_an_example_that_fails_fails_because_of_its_rule_alone(example: Example) -> None:
    found = verdicts(example)
    names = {subject.urn: subject.name for subject in example.subjects}
    assert {verdict.rule for verdict in found} == {example.rule}, found
    assert {verdict.kind for verdict in found} == {"violation"}, found
    assert {(names[verdict.urn], verdict.path) for verdict in found} == example.at, found


@pytest.mark.parametrize("example", FAILING, ids=str)
def test_what_is_not_known_yet_never_lets_a_failing_example_pass_in_silence(example: Example) -> None:
    for index, subject in enumerate(example.subjects):
        for path, properties in with_one_unknown(subject.properties):
            changed = Subject(
                subject.urn, subject.type, subject.name, properties, subject.refs, subject.delete_before_replace
            )
            subjects = (*example.subjects[:index], changed, *example.subjects[index + 1 :])
            found = check_resources(subjects, [RULES[example.rule]], {example.rule: example.settings})
            assert found, f"`{path}` of {subject.name} is unknown, and nothing is said"
            assert {verdict.kind for verdict in found} <= {"violation", "cannot tell"}, found


def with_one_unknown(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The value with each of its parts unknown in turn, and where it is."""
    if isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            yield f"{path}.{key}", {**value, key: UNKNOWN_TEXT}
            for inner, changed in with_one_unknown(item, f"{path}.{key}"):
                yield inner, {**value, key: changed}
    elif isinstance(value, list):
        listed = cast(list[Any], value)
        for index, item in enumerate(listed):
            yield f"{path}[{index}]", [*listed[:index], UNKNOWN_TEXT, *listed[index + 1 :]]
            for inner, changed in with_one_unknown(item, f"{path}[{index}]"):
                yield inner, [*listed[:index], changed, *listed[index + 1 :]]
