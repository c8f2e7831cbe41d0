"""Which stacks a deployment has planned, and whether a later one has planned them too. Standard library only."""

import re
from collections.abc import Mapping

from edgewright.ci.artifacts import PLAN
from edgewright.ci.github import GitHub
from edgewright.ci.job import CiError

WORKFLOW = "deploy.yml"
JOB = "Plan"
"""The job that plans a stack; GitHub writes the stack behind it, in brackets."""


def planned(github: GitHub, run: int) -> Mapping[str, str]:
    """The stacks that a deployment has planned, by their job's last attempt, and when that began."""
    jobs = github.pages(f"/actions/runs/{run}/jobs", "jobs")
    found = ((re.fullmatch(rf"{JOB} \((.+)\)", str(job["name"])), job) for job in jobs)
    return {name[1]: str(job["started_at"]) for name, job in found if name and job["conclusion"] == "success"}


def kept(github: GitHub, run: int) -> frozenset[str]:
    """The stacks for which a run has kept a plan.

    When a run is started again, what an earlier attempt has kept is still there: it counts only if the stack's last
    plan succeeded and began before it was kept.
    """
    begun = planned(github, run)
    stacks = {artifact.name.removeprefix(PLAN): artifact for artifact in github.artifacts(run)}
    return frozenset(
        stack
        for stack, artifact in stacks.items()
        if artifact.name.startswith(PLAN) and stack in begun and artifact.made >= begun[stack]
    )


def refuse_superseded(github: GitHub, *, number: int, stack: str) -> None:
    """Raises CiError where a later deployment has planned the stack: what this one does, that one would undo.

    number: of this run. A plan that waits for its approval may be approved after the files have changed again.
    """
    for run in github.pages(f"/actions/workflows/{WORKFLOW}/runs", "workflow_runs", branch="main"):
        if int(run["run_number"]) <= number:
            return  # GitHub lists the newest first
        if stack in planned(github, int(run["id"])):
            raise CiError(
                f"run {int(run['run_number'])} has a newer plan of {stack}, and this one is of older files: "
                "approve that one, or run the workflow Deploy by hand for the stack"
            )
