"""Which stacks a deployment has planned, and whether a later one has planned them too. Standard library only."""

from collections.abc import Iterator, Mapping
from typing import Any

from edgewright.ci.artifacts import PLAN
from edgewright.ci.github import GitHub
from edgewright.ci.job import CiError

WORKFLOW = "deploy.yml"
JOB = "Plan"
"""The job that plans a stack."""


def kept(github: GitHub, run: int, attempt: int) -> frozenset[str]:
    """The stacks for which an attempt of a run has kept a plan.

    When a run is started again, what an earlier attempt has kept is still there: it was offered for approval then, and
    the stack may have none this time. It counts only if this attempt's plan succeeded, and began before it was kept.
    """
    begun = {stack: str(job["started_at"]) for stack, job in _planned(github, run) if job["run_attempt"] == attempt}
    plans = (artifact for artifact in github.artifacts(run) if artifact.name.startswith(PLAN))
    made = {artifact.name.removeprefix(PLAN): artifact.made for artifact in plans}
    return frozenset(stack for stack, when in made.items() if stack in begun and when >= begun[stack])


def refuse_superseded(github: GitHub, *, number: int, stack: str) -> None:
    """Raises CiError where a later deployment has planned the stack: what this one does, that one would undo.

    number: of this run. A plan that waits for its approval may be approved after the files have changed again.
    """
    for run in github.pages(f"/actions/workflows/{WORKFLOW}/runs", "workflow_runs", branch="main"):
        if int(run["run_number"]) <= number:
            return  # GitHub lists the newest first
        if stack in {planned for planned, _ in _planned(github, int(run["id"]))}:
            raise CiError(
                f"run {int(run['run_number'])} has a newer plan of {stack}, and this one is of older files: "
                "approve that one, or run the workflow Deploy by hand for the stack"
            )


def _planned(github: GitHub, run: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The stacks that a deployment has planned in any of its attempts, with the job."""
    jobs = github.jobs_of_stacks(run, JOB, filter="all")
    return ((stack, job) for stack, job in jobs if job["conclusion"] == "success")
