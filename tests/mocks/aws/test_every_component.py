"""What all AWS components have in common: children, tags, protection, overrides, and values that are not known yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

import edgewright.aws
from edgewright.plan.sdk_types import resource_class
from mocks.aws.api_recording import UNKNOWN, Recording, problems
from mocks.aws.api_recording import record as recorded
from mocks.aws.components import CASES, OUTPUTS, Case

# Types whose tags say something to AWS itself, or that have an argument of that name and no tags.
_TAKES_NO_TAGS = {"aws:autoscaling/attachment:Attachment"}


def record(make: Callable[[], Any], *, preview: bool = False) -> Recording:
    return recorded(make, preview=preview, outputs=OUTPUTS)


def placed(case: Case) -> Recording:
    return record(lambda: case.make(tags={"team": "shop"}))


def test_every_component_of_the_package_is_among_the_cases() -> None:
    folder = Path(edgewright.aws.__file__).parent
    parts = {
        path.stem for path in folder.glob("*.py") if "pulumi.ComponentResource)" in path.read_text(encoding="utf-8")
    }
    topologies = {"balancer_first", "gateway_first", "balancer_only"}
    assert parts - topologies == {case.module for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_stands_below_the_component(case: Case) -> None:
    made = placed(case)
    top = made.resources[0]
    assert top.type == f"edgewright:aws:{case.name}"
    known = {item.urn: item.parent for item in made.resources}
    for item in made.resources[1:]:
        at = item.urn
        while at != top.urn:
            assert at in known, f"{item.urn} hangs nowhere"
            at = known[at]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_that_takes_tags_has_those_of_the_caller(case: Case) -> None:
    made = placed(case)
    untagged = [
        item.urn for item in made.custom if _takes_tags(item.type) and item.inputs.get("tags", {}).get("team") != "shop"
    ]
    assert made.custom
    assert untagged == []


def _takes_tags(kind: str) -> bool:
    found = resource_class(kind)
    return found is not None and kind not in _TAKES_NO_TAGS and "tags" in vars(found)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_protection_and_provider_of_the_component_reach_everything(case: Case) -> None:
    made = record(lambda: case.make(pulumi.ResourceOptions(protect=True)))
    assert [item.urn for item in made.custom if not item.protect] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_component_under_a_new_name_is_known_by_its_old_one(case: Case) -> None:
    """What is below it follows: the engine takes the names of children from their parent's."""
    made = record(lambda: case.make(pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])))
    assert any("old" in alias for alias in made.resources[0].aliases)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_that_may_be_an_output_may_be_unknown_in_a_preview(case: Case) -> None:
    known, hidden = record(case.make), record(case.make_unknown, preview=True)
    before, after = ({item.urn: set(item.inputs) for item in made.resources} for made in (known, hidden))
    assert before == after


def test_what_is_unknown_arrives_as_unknown() -> None:
    case = next(case for case in CASES if case.name == "ApplicationLoadBalancer")
    made = record(case.make_unknown, preview=True)
    assert made.inputs("lb.LoadBalancer")["subnets"] == [UNKNOWN, UNKNOWN]
    assert made.of("lb.Listener")["it-https"].inputs["certificateArn"] == UNKNOWN


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_raw_input_can_be_overridden_by_the_attribute_that_holds_the_resource(case: Case) -> None:
    attribute, change = case.override
    before, after = record(case.make), record(lambda: case.make(overrides={attribute: dict(change)}))
    changed = {item.urn: item.inputs for item in after.resources}
    differing = [
        (item.urn, key)
        for item in before.resources
        for key in {*item.inputs, *changed[item.urn]}
        if item.inputs.get(key) != changed[item.urn].get(key)
    ]
    assert {key for _, key in differing} == {_wire(key) for key in change} | (
        {"triggers"} & {key for _, key in differing}
    )
    assert len({urn for urn, key in differing if key != "triggers"}) == 1


def _wire(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.title() for word in rest)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_override_of_what_is_not_there_is_refused_with_what_there_is(case: Case) -> None:
    said = problems(lambda: case.make(overrides={"nonsense": {}}))
    assert "nonsense" in said
    assert case.override[0].split(".")[0] in said


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_program_of_another_language_could_give_the_arguments(case: Case) -> None:
    found = Analyzer("edgewright").analyze_component(case.kind)  # pyright: ignore[reportArgumentType]
    assert len(found.inputs) == len(case.hints.__annotations__)


@pytest.mark.parametrize("case", [case for case in CASES if case.args], ids=str)
def test_without_what_it_needs_a_component_says_what_is_missing(case: Case) -> None:
    needed = sorted(getattr(case.hints, "__required_keys__", ()))
    for key in needed:
        kept = {name: value for name, value in case.args.items() if name != key}
        said = problems(lambda kept=kept: case.kind("it", kept))
        assert key in said, f"{case.name} does not say that {key} is missing"
