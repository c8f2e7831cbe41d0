"""The cloud stacks of this repository through the real engine, with a provider that stands in for each cloud's, held
against the policy pack."""

import re

import pytest

import aws_stacks
import azure_stacks
from edgewright.automation import StackRun
from edgewright.engine import obtain
from edgewright.plan.model import Plan
from edgewright.up import down, up
from engine import agreement
from engine.cloud_project import PACK, STACKS, CloudProject

Capture = pytest.CaptureFixture[str]
CHANGED = re.compile(r"^ +\S? ?\d+ (created|updated|replaced|deleted)$", re.MULTILINE)
UNCHANGED = re.compile(r"^ +(\d+) unchanged", re.MULTILINE)


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_comes_up_stays_changes_and_goes_and_the_pack_lets_it(
    stack: str, clouds: CloudProject, capfd: Capture
) -> None:
    assert up(stack, yes=True, policies=PACK) == 0, capfd.readouterr()
    said = capfd.readouterr().out
    created = re.search(r"\+ (\d+) created", said)
    assert created
    assert passed(said)
    assert not assumed_providers(clouds, stack)
    state = agreement.of_engine(clouds.state(stack))
    assert agreement.after(state, agreement.of_plan(planned(stack).resources)) == []

    assert up(stack, yes=True, policies=PACK) == 0
    said = capfd.readouterr().out
    assert not CHANGED.search(said), said
    assert f"{created[1]} unchanged" in said

    assert StackRun(clouds.root, stack, obtain(clouds.root), lambda: None).refresh()
    said = capfd.readouterr().out
    assert not CHANGED.search(said), said
    assert UNCHANGED.search(said), said

    clouds.add_route(stack)
    assert up(stack, yes=True, policies=PACK) == 0
    said = capfd.readouterr().out
    assert re.search(r"\d+ (created|updated)", said), said
    unchanged = UNCHANGED.search(said)
    assert unchanged, said
    assert int(unchanged[1]) >= int(created[1]) - 6, said  # a route touches a rule or a body, and little else

    clouds.pulumi(stack, "state", "unprotect", "--all", "--yes")
    assert down(stack) == 0, capfd.readouterr()
    assert re.search(r"- \d+ deleted", capfd.readouterr().out)
    assert clouds.state(stack) == []


def planned(stack: str) -> Plan:
    return (aws_stacks if stack.startswith("aws-") else azure_stacks).planned(stack)


def passed(said: str) -> bool:
    """Whether the pack ran, and found nothing."""
    return "edgewright@" in said and "mandatory" not in said


def assumed_providers(project: CloudProject, stack: str) -> list[str]:
    """Providers that the engine made by itself: they would take the account that the machine happens to have."""
    urns = [str(item["urn"]) for item in project.state(stack)]
    return [urn for urn in urns if "pulumi:providers:" in urn and "::default" in urn]


def test_a_stack_of_the_profile_production_goes_after_a_change_to_development(
    clouds: CloudProject, capfd: Capture
) -> None:
    stack = "aws-gateway-first"
    assert up(stack, yes=True) == 0, capfd.readouterr()
    assert down(stack) == 1
    assert "protected" in capfd.readouterr().out
    assert clouds.state(stack)
    clouds.bind(stack, profile="development")
    assert up(stack, yes=True) == 0
    assert down(stack) == 0, capfd.readouterr()
    assert clouds.state(stack) == []


def test_a_front_door_is_complete_after_two_updates(clouds: CloudProject, capfd: Capture) -> None:
    """The first leaves the service open to its Front Door; the second, which names the connection that a person has
    approved, closes it, and touches nothing else."""
    stack = "azure-front-door"
    assert up(stack, yes=True) == 0, capfd.readouterr()
    first = capfd.readouterr().out
    assert "Phase 1: the private connection waits for approval" in first
    assert "az network private-endpoint-connection list" in first

    clouds.bind(stack, front_door={"connection": "frontdoor.1"})
    assert up(stack, yes=True) == 0, capfd.readouterr()
    second = capfd.readouterr().out
    assert "Phase 2: the connection `frontdoor.1` is approved" in second
    assert re.search(r"^ +~ +1 updated$", second, re.MULTILINE), second

    assert up(stack, yes=True) == 0
    said = capfd.readouterr().out
    assert not CHANGED.search(said), said
