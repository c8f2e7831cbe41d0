"""Update plans that the real engine writes: what is said of them, and that an update by a plan does nothing else."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pulumi import automation

from edgewright.automation import StackRun
from edgewright.ci import sealed, update_plan
from edgewright.ci.sealed import SavedPlan
from edgewright.engine import obtain
from edgewright.program import program
from engine.project import REPOSITORY

STACK = "aws-balancer-only"
KEY = "a key that nobody could guess, ever"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """This repository's stacks, and a provider that stands in for the cloud's."""
    for name in list(os.environ):
        if name.startswith("PULUMI_"):
            monkeypatch.delenv(name)
    root, folder = tmp_path / "p", tmp_path / "bin"
    settings = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
    del settings["plugins"]
    shutil.copytree(REPOSITORY / "stacks", root / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    (root / "tools").symlink_to(REPOSITORY / "tools")
    folder.mkdir()
    plugin = folder / "pulumi-resource-aws"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY}/tests/engine/stand_in.py" aws\n')
    plugin.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    monkeypatch.chdir(root)
    yield root


def stack_of(project: Path) -> automation.Stack:
    """The stack as the engine has it, made if it is not there."""
    engine = obtain(project)
    run = StackRun(project, STACK, engine, lambda: program(project, project / "stacks"))
    if STACK not in {one.name for one in run._stack.workspace.list_stacks()}:
        run._stack.workspace.create_stack(STACK)
    return run._stack


def saved(project: Path, name: str, *, refresh: bool = False) -> Path:
    """A preview's plan."""
    file = project / name
    stack_of(project).preview(plan=str(file), refresh=refresh)
    return file


def change(project: Path, old: str, new: str) -> None:
    """Edit the spec."""
    spec = project / "stacks/web.edge.yaml"
    text = spec.read_text()
    assert old in text
    spec.write_text(text.replace(old, new))


# The SDK leaves the coroutine of a program that the engine gave up on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_plan_is_said_sealed_and_obeyed(project: Path) -> None:
    first = saved(project, "first.json")
    plan = update_plan.read(first.read_bytes())
    assert plan.headline.endswith(f"{len(plan.steps)} to create, 0 unchanged")
    assert "+  aws:lb/loadBalancer:LoadBalancer" in plan.text()
    assert "vpc-0123456789abcdef0" in first.read_text()  # why it is sealed
    assert "vpc-0123456789abcdef0" not in plan.text()

    sealed_plan = sealed.seal(SavedPlan(STACK, "1", first.read_bytes()), KEY)
    first.write_bytes(sealed.unseal(sealed_plan, KEY).content)
    stack_of(project).up(plan=str(first))

    # Drift is looked for in the same way, against what runs.
    again = update_plan.read(saved(project, "again.json", refresh=True).read_bytes())
    assert again.steps == ()
    assert again.unchanged == len(plan.steps)

    # One that was made before something else was merged does not let that happen.
    change(project, "GET /old:", "GET /older:")
    stale = saved(project, "stale.json")
    assert update_plan.read(stale.read_bytes()).steps
    change(project, "GET /api/health:", "GET /api/healthy:")
    with pytest.raises(automation.CommandError, match=r"violates plan|not allowed by the plan"):
        stack_of(project).up(plan=str(stale))
