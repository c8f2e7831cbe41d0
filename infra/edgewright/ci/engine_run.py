"""Runs the engine on a stack, for pipelines that have no action for it; on GitHub `pulumi/actions` does.

A preview may keep its plan, sealed; an update takes a plan that was kept, and does nothing else.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgewright.ci import job, sealed, update_plan
from edgewright.ci.artifacts import ENGINE_FILE, PLAN_FILE
from edgewright.ci.job import say
from edgewright.ci.saved_plan import opened
from edgewright.ci.stacks import Stack

PACK = "policies"
_PREVIEW_SECONDS = 3_000
_UPDATE_SECONDS = 10_000  # API Management alone may take an hour


def preview(stack: Stack, tree: str, kept: Path | None, key: str) -> int:
    """Preview; keep what it does and its sealed plan in a folder, if there is one. The engine's exit status."""
    with tempfile.TemporaryDirectory(prefix="edgewright-") as folder:
        plan = Path(folder, "update-plan.json")
        status = job.quietly(_command("preview", stack, *_judged(stack), "--save-plan", plan), seconds=_PREVIEW_SECONDS)
        if status == 0 and kept is not None:
            keep(plan.read_bytes(), stack.name, tree, kept, key)
    return status


def keep(content: bytes, stack: str, tree: str, kept: Path, key: str) -> None:
    """Say what a plan does, and keep that and the plan, sealed."""
    plan = update_plan.read(content)
    say(*plan.text().splitlines())
    job.write(kept / ENGINE_FILE, plan.text().encode())
    job.write(kept / PLAN_FILE, sealed.seal(sealed.SavedPlan(stack, tree, content), key))


def up(stack: Stack, tree: str, kept: Path, key: str) -> int:
    """Bring the stack up by the plan that was kept; the engine's exit status."""
    found = opened((kept / PLAN_FILE).read_bytes(), stack=stack.name, tree=tree, key=key)
    with tempfile.TemporaryDirectory(prefix="edgewright-") as folder:
        plan = Path(folder, "update-plan.json")
        job.write(plan, found.content)
        return job.quietly(_command("up", stack, "--yes", *_judged(stack), "--plan", plan), seconds=_UPDATE_SECONDS)


def drift(stack: Stack) -> int:
    """Whether what runs is what the stack says: 0 if so. The policies have no say in that."""
    return job.quietly(_command("preview", stack, "--refresh", "--expect-no-changes"), seconds=_PREVIEW_SECONDS)


def _command(operation: str, stack: Stack, *more: str | Path) -> Sequence[str | Path]:
    organization = os.environ.get("PULUMI_ORGANIZATION")
    name = f"{organization}/{stack.name}" if organization else stack.name
    always = ("--stack", name, "--non-interactive", "--suppress-outputs", "--color", "never")
    return ["pulumi", operation, *always, *more]


def _judged(stack: Stack) -> Sequence[str]:
    return ["--policy-pack", PACK, *(["--policy-pack-config", stack.policies] if stack.policies else [])]
