"""What rules write where they are set to remediate: it mends what is wrong, nothing else, and nothing that is not known."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from edgewright.policies.remediation import remediated, values_for
from edgewright.policies.rule import Rule, complete_settings, judge
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject, related
from policies.examples import Example, examples
from policies.test_examples import UNKNOWN_TEXT, with_one_unknown

RULES = {rule.name: rule for rule in ALL if isinstance(rule, Rule) and rule.remediation is not None}
EXAMPLES = [example for example in examples() if example.rule in RULES]
FAILING = [example for example in EXAMPLES if example.kind == "fail"]


def written(example: Example, subject: Subject) -> Mapping[str, Any]:
    """The values that the example's rule writes into a resource."""
    rule = RULES[example.rule]
    return values_for(rule, subject, complete_settings(rule, example.settings))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All that is in properties that has nothing in it, by path."""
    if isinstance(value, Mapping) and value:
        for key, item in cast(Mapping[str, Any], value).items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(cast(list[Any], value)):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_remediates_mends_an_example_that_fails(name: str) -> None:
    assert any(written(example, example.subjects[0]) for example in FAILING if example.rule == name)


@pytest.mark.parametrize("example", FAILING, ids=str)
def test_what_is_written_makes_the_example_pass(example: Example) -> None:
    (subject,) = example.subjects
    values = written(example, subject)
    rule = RULES[example.rule]
    found = judge(rule, remediated(subject, values), complete_settings(rule, example.settings))
    # Where a rule writes nothing, the engine stops the update as for any other rule.
    assert bool(found) == (not values), found


@pytest.mark.parametrize("example", FAILING, ids=str)
def test_what_is_written_changes_nothing_else_and_is_written_once(example: Example) -> None:
    (subject,) = example.subjects
    values = written(example, subject)
    after = remediated(subject, values)
    there, now = dict(leaves(subject.properties)), dict(leaves(after.properties))
    changed = {path for path in there | now if there.get(path, KeyError) != now.get(path, KeyError)}
    assert [path for path in changed if not any(related(path, other) for other in values)] == []
    assert [other for other in values if not any(related(path, other) for path in changed)] == []
    assert written(example, after) == {}


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.kind == "pass"], ids=str)
def test_nothing_is_written_into_an_example_that_passes(example: Example) -> None:
    assert [written(example, subject) for subject in example.subjects] == [{}] * len(example.subjects)


@pytest.mark.parametrize("example", FAILING, ids=str)
def test_nothing_is_written_over_what_is_not_known_yet_nor_because_of_it(example: Example) -> None:
    (subject,) = example.subjects
    intended = written(example, subject)
    for path, properties in with_one_unknown(subject.properties):
        values = written(example, replace(subject, properties=properties))
        assert not any(related(path.removeprefix("."), other) for other in values), f"`{path}` is unknown"
        assert set(values) <= set(intended), f"`{path}` is unknown"
    for path in intended:
        properties = remediated(subject, {path: UNKNOWN_TEXT}).properties
        assert written(example, replace(subject, properties=properties)) == {}, f"`{path}` is unknown"
