"""The rules as a whole: their names, what they guard, and that they can be run over real plans."""

import csv
from typing import Any

import pytest

from aws_stacks import REPOSITORY, STACKS, planned
from edgewright.policies.rule import check_resources
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject

CONTROLS = REPOSITORY / "tests" / "data" / "controls.csv"


def controls() -> list[dict[str, Any]]:
    with CONTROLS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rules_have_names_of_their_own_and_say_what_to_write_instead() -> None:
    assert len({rule.name for rule in ALL}) == len(ALL) > 20
    assert [rule.name for rule in ALL if not rule.remedy or not rule.types] == []


def test_what_a_rule_guards_is_in_the_catalogue_of_controls() -> None:
    column = next(iter(controls()[0]))
    known = {row[column] for row in controls()}
    assert {control for rule in ALL for control in rule.controls} <= known


@pytest.mark.parametrize("stack", STACKS)
def test_the_rules_can_be_run_over_the_plan_of_a_stack(stack: str) -> None:
    subjects = [
        Subject(item.urn, item.type, item.name, item.inputs) for item in planned(stack).resources if item.custom
    ]
    verdicts = check_resources(subjects, ALL)
    known = {item.urn for item in subjects}
    assert {verdict.urn for verdict in verdicts} <= known
    assert {verdict.rule for verdict in verdicts} <= {rule.name for rule in ALL}
