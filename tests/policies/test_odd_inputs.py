"""Resources that nobody would write on purpose: a rule says something of them or nothing, and never fails itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from edgewright.policies.rule import check_resources
from edgewright.policies.rules import ALL
from edgewright.policies.view import parsed
from policies.examples import Example, examples

RULES = {rule.name: rule for rule in ALL}
ODD: tuple[Any, ...] = (
    None,
    "",
    "nan",
    "inf",
    "{",
    "[1]",
    -1.0,
    1e300,
    True,
    [],
    [[]],
    [None],
    {},
    {"": None},
    {"a.b": [{}]},
)
# One example of each way to fail is enough: what others have around it is the same.
FAILING = list({(example.rule, example.at): example for example in examples() if example.kind == "fail"}.values())


@pytest.mark.parametrize("example", FAILING, ids=str)
def test_a_rule_does_not_fail_whatever_stands_in_a_place(example: Example) -> None:
    for index, subject in enumerate(example.subjects):
        for path, properties in with_one_odd(subject.properties):
            odd = replace(subject, properties=properties)
            subjects = (*example.subjects[:index], odd, *example.subjects[index + 1 :])
            found = check_resources(subjects, [RULES[example.rule]], {example.rule: example.settings})
            assert [verdict.text for verdict in found if verdict.kind == "broken rule"] == [], f"{subject.name}{path}"


def with_one_odd(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The value with each of its parts odd in turn, also inside of JSON, and where it is."""
    if isinstance(value, str) and (document := parsed(value)):
        for inner, changed in with_one_odd(document, path):
            yield inner, json.dumps(changed)
    elif isinstance(value, Mapping):
        given = cast(Mapping[str, Any], value)
        for key, item in given.items():
            for odd in ODD:
                yield f"{path}.{key} is {odd!r}", {**given, key: odd}
            for inner, changed in with_one_odd(item, f"{path}.{key}"):
                yield inner, {**given, key: changed}
    elif isinstance(value, list):
        listed = cast(list[Any], value)
        for index, item in enumerate(listed):
            for odd in ODD:
                yield f"{path}[{index}] is {odd!r}", [*listed[:index], odd, *listed[index + 1 :]]
            for inner, changed in with_one_odd(item, f"{path}[{index}]"):
                yield inner, [*listed[:index], changed, *listed[index + 1 :]]
