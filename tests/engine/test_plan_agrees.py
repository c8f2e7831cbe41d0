"""The offline plan of each stack is what the engine's own preview says, and a difference would be seen."""

import copy
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import aws_stacks
import azure_stacks
from edgewright.local.resource import LocalEdge
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.stack import read
from engine.agreement import after, before, of_engine, of_plan, place, unexplained
from engine.cloud_project import STACKS, CloudProject, cloud_project, programs
from engine.project import REPOSITORY, Project

States = list[dict[str, Any]]

TOLD_BY_THE_UPDATE: Mapping[str, list[str]] = {
    # The stage waits for the account's log role, and the level that it then has is no secret of the cloud's.
    "aws-balancer-first": [
        "apigateway.MethodSettings shop-api-settings-edge.public/products/GET: settings.loggingLevel",
        "apigateway.MethodSettings shop-api-settings: settings.loggingLevel",
    ]
}
"""Values that the plan knows and a preview does not. That they are right is seen after an update (test_stacks_clouds)."""


def planned(stack: str) -> tuple[Resource, ...]:
    return (aws_stacks if stack.startswith("aws-") else azure_stacks).planned(stack).resources


@pytest.fixture(scope="module")
def module_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProject]:
    with cloud_project(tmp_path_factory.mktemp("agrees")) as project:
        yield project


@pytest.fixture(scope="module")
def states(module_project: CloudProject) -> States:
    """What the engine says of a stack that the following tests change."""
    return module_project.previewed("aws-gateway-first")


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_of_a_plan_is_what_the_engine_would_make(stack: str, module_project: CloudProject) -> None:
    engine, plan = of_engine(module_project.previewed(stack)), of_plan(planned(stack))
    assert before(engine, plan) == []
    assert unexplained(engine, plan) == TOLD_BY_THE_UPDATE.get(stack, [])
    assert len(engine) > 15


PROVIDERS_OWN = {"authorizers", "backends", "digest", "listeners", "name", "routes"}
"""What the provider of the local edge adds to its inputs, for people to read in a diff."""


def test_the_local_stack_is_recorded_as_the_engine_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PULUMI_")]:
        monkeypatch.delenv(name)
    project = Project.create(tmp_path / "p")
    monkeypatch.setenv("PATH", f"{programs(tmp_path)}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "infra"))
    monkeypatch.setenv("EDGEWRIGHT_PYTHON", sys.executable)
    monkeypatch.chdir(project.root)
    settings = read(project.root, "local")
    recorded = record(
        lambda: LocalEdge(
            "hello",
            spec=settings.spec,
            bindings=settings.bindings,
            credentials=settings.credentials,
            state_dir=settings.state_dir,
            work_dir=settings.root,
        ),
        project="edgewright",
        stack="local",
    )
    engine = of_engine(CloudProject(project.root).previewed("local"))
    (edge,) = (key for key, seen in engine.items() if seen.custom)
    assert engine[edge].inputs.keys() >= PROVIDERS_OWN
    own = {key: value for key, value in engine[edge].inputs.items() if key not in PROVIDERS_OWN}
    assert before({**engine, edge: replace(engine[edge], inputs=own)}, of_plan(recorded.resources)) == []


LOGS = "aws:cloudwatch/logGroup:LogGroup"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"

Change = Callable[[dict[str, Any]], object]
CHANGES: Mapping[str, tuple[str, Change, str]] = {
    "another type": (LOGS, lambda state: state.update(type="aws:cloudwatch/logStream:LogStream"), "(type)"),
    "another parent": (LOGS, lambda state: state.update(parent="urn:pulumi:s::p::kind::other"), "(parent)"),
    "a component": (LOGS, lambda state: state.update(custom=False), "(custom)"),
    "protection": (LOGS, lambda state: state.update(protect=True), "(protect)"),
    "a dependency": (
        LOGS,
        lambda state: state["dependencies"].append("urn:pulumi:s::p::kind::other"),
        "(dependencies)",
    ),
    "another value": (LOGS, lambda state: state["inputs"].update(retentionInDays=1), "retentionInDays"),
    "1 for true": (BALANCER, lambda state: state["inputs"].update(internal=1), "internal"),
    "one more input": (LOGS, lambda state: state["inputs"].update(skipDestroy=True), "skipDestroy"),
    "an input less": (LOGS, lambda state: state["inputs"].pop("tags"), "tags"),
    "another value inside": (LOGS, lambda state: state["inputs"]["tags"].update(Name="x"), "tags.Name"),
    "an item less": (BALANCER, lambda state: state["inputs"]["subnets"].pop(), "subnets"),
    "a value for a token": (BUCKET_POLICY, lambda state: state["inputs"].update(bucket="made-up"), "bucket"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_difference_is_found_and_said_with_its_place(name: str, states: States) -> None:
    kind, change, path = CHANGES[name]
    changed = copy.deepcopy(states)
    one = next(state for state in changed if state["type"] == kind)
    one.setdefault("dependencies", [])
    change(one)
    (found,) = before(of_engine(changed), of_plan(planned("aws-gateway-first")))
    where, *sides = found.splitlines()
    assert where.endswith(f": {path}")
    assert place(one["urn"]).rpartition("::")[2] in where
    assert [side.split(":")[0].strip() for side in sides] == ["the engine", "the plan"]


def test_a_resource_that_one_side_lacks_is_found(states: States) -> None:
    engine, plan = of_engine(states), of_plan(planned("aws-gateway-first"))
    name = next(name for name, seen in plan.items() if seen.type == LOGS)
    without = {key: seen for key, seen in plan.items() if key != name}
    assert before(engine, without) == [f"{name}: the engine has it, the plan has not"]
    without = {key: seen for key, seen in engine.items() if key != name}
    assert before(without, plan) == [f"{name}: the plan has it, the engine has not"]


def test_a_value_that_the_engine_does_not_know_and_the_plan_invents_is_found(states: States) -> None:
    engine, plan = of_engine(states), of_plan(planned("aws-gateway-first"))
    name = next(name for name, seen in plan.items() if seen.type == BUCKET_POLICY)
    invented = {**plan, name: replace(plan[name], inputs={**plan[name].inputs, "bucket": "made-up"})}
    assert unexplained(engine, invented) == ["s3.BucketPolicy catalogue-logs-policy: bucket"]


def test_after_an_update_a_token_of_another_output_is_found(states: States) -> None:
    plan = of_plan(planned("aws-gateway-first"))
    updated = {key: replace(seen, outputs={"id": "i", "arn": "a"}) for key, seen in of_engine(states).items()}
    name = next(name for name, seen in plan.items() if seen.type == BUCKET_POLICY)
    bucket = {"bucket": "i", "policy": plan[name].inputs["policy"]}
    right = {**updated, name: replace(updated[name], inputs=bucket)}
    wrong = {**updated, name: replace(updated[name], inputs={**bucket, "bucket": "a"})}
    assert not [line for line in after(right, plan) if "catalogue-logs-policy: bucket" in line]
    assert [line for line in after(wrong, plan) if "catalogue-logs-policy: bucket" in line]
