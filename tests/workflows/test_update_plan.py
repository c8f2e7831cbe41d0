"""What is said of a saved plan: operations and names, no value. tests/engine reads plans that the engine has written."""

import json
from typing import Any

import pytest

from edgewright.ci import update_plan
from edgewright.ci.job import CiError

START = "urn:pulumi:web::edge::"


def plan(**steps: list[str]) -> bytes:
    resources = {
        f"{START}edgewright:aws:Edge$aws:lb/{name}:Thing::{name}": {
            "goal": {"inputDiff": {"adds": {"password": "hunter2"}}},
            "steps": operations,
            "state": {"arn": "arn:aws:secret"},
        }
        for name, operations in steps.items()
    }
    return json.dumps({"manifest": {"time": "x"}, "resourcePlans": resources}).encode()


def test_the_worst_comes_first_and_what_stays_is_counted() -> None:
    found = update_plan.read(
        plan(
            a=["same"],
            b=["create"],
            c=["update"],
            d=["create-replacement", "replace", "delete-replaced"],
            e=["delete"],
            f=["refresh", "same"],
            g=["import"],
            h=["read"],
        )
    )
    assert found.text().splitlines() == [
        "1 to replace, 1 to delete, 1 to update, 1 to create, 1 to import, 3 unchanged",
        "+- aws:lb/d:Thing  d",
        "-  aws:lb/e:Thing  e",
        "~  aws:lb/c:Thing  c",
        "+  aws:lb/b:Thing  b",
        "=  aws:lb/g:Thing  g",
    ]


def test_no_value_of_a_plan_is_said() -> None:
    text = update_plan.read(plan(a=["create"], b=["delete"])).text()
    assert "hunter2" not in text
    assert "arn:" not in text


def test_a_plan_without_changes_has_no_steps() -> None:
    found = update_plan.read(plan(a=["same"], b=[]))
    assert found.steps == ()
    assert found.text() == "no changes, 2 unchanged\n"


def test_very_many_steps_are_cut_and_the_worst_stay() -> None:
    many = {f"r{number}": ["create"] for number in range(1_000)}
    lines = update_plan.read(plan(**many, last=["delete"])).text().splitlines()
    assert len(lines) == 202
    assert lines[1] == "-  aws:lb/last:Thing  last"
    assert lines[-1] == "… and 801 more"


def test_a_name_with_colons_lines_and_commands_is_one_inert_line() -> None:
    urn = f"{START}aws:lb/a:A::a::b\n::error::x ##[y]"
    data = json.dumps({"manifest": {}, "resourcePlans": {urn: {"steps": ["create"]}}}).encode()
    assert update_plan.read(data).text() == "1 to create, 0 unchanged\n+  aws:lb/a:A  a::b ::error::x # #[y]\n"


def test_an_operation_that_is_not_known_is_no_silence() -> None:
    with pytest.raises(CiError, match="not known here: explode"):
        update_plan.read(plan(a=["explode"]))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"manifest": 1}', b'{"resourcePlans": {"a": 1}, "manifest": {}}', b"[" * 100_000, b"\xff"],
)
def test_what_is_no_plan_is_an_error(content: bytes) -> None:
    with pytest.raises(CiError, match="no update plan of Pulumi"):
        update_plan.read(content)


def test_a_resource_without_a_urn_is_an_error() -> None:
    data: dict[str, Any] = {"manifest": {}, "resourcePlans": {"a": {"steps": ["create"]}}}
    with pytest.raises(CiError, match="no URN"):
        update_plan.read(json.dumps(data).encode())
