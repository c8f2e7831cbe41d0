"""Finds the plan that reviewers saw for the commit that a deployment is of, or says why there is none to use."""

from collections.abc import Iterator, Mapping
from typing import Any

from edgewright.ci.artifacts import PLAN, PLAN_FILE
from edgewright.ci.github import GitHub, field
from edgewright.ci.job import CiError
from edgewright.ci.sealed import MOST_BYTES, SavedPlan, unseal

WORKFLOW = "preview.yml"


class NoPlanError(CiError):
    """There is no saved plan that may be used; the text says why, and a fresh preview takes its place."""


def of_merged(github: GitHub, *, commit: str, base: str, stack: str, tree: str, key: str) -> SavedPlan:
    """The plan of the last preview of the pull request that was merged as ``commit``.

    It counts only if it was made of the same files: its git tree is ``tree``, that of the commit. Whatever was merged
    between the preview and the merge changes the tree, and so does every way to tamper with the files.
    """
    pull = _merged(github, commit, base)
    run = _last_preview(github, pull)
    return of_run(github, run=run, stack=stack, tree=tree, key=key)


def of_run(github: GitHub, *, run: int, stack: str, tree: str, key: str) -> SavedPlan:
    """The plan of a stack among the artifacts of a run, for those files."""
    artifact = next(github.artifacts(run, f"{PLAN}{stack}"), None)
    if artifact is None:
        raise NoPlanError(f"run {run} has no plan of {stack}, or it is gone")
    try:
        data = github.file_of(artifact, PLAN_FILE, MOST_BYTES)
    except CiError as error:
        raise NoPlanError(str(error)) from None
    return opened(data, stack=stack, tree=tree, key=key)


def opened(data: bytes, *, stack: str, tree: str, key: str) -> SavedPlan:
    """The plan in sealed data, if it is of that stack and of those files."""
    try:
        plan = unseal(data, key)
    except CiError as error:
        raise NoPlanError(str(error)) from None
    if plan.stack != stack:
        raise NoPlanError(f"the plan is of the stack {plan.stack}")
    if plan.tree != tree:
        raise NoPlanError("the plan was made of other files: something else was merged since its preview")
    return plan


def _merged(github: GitHub, commit: str, base: str) -> Mapping[str, Any]:
    for pull in github.pages(f"/commits/{commit}/pulls"):
        same = field(pull, "head", "repo", "full_name") == github.repository
        if pull["merged_at"] and pull["merge_commit_sha"] == commit and pull["base"]["ref"] == base and same:
            return pull
    raise NoPlanError("this commit is no merge of a pull request of this repository")


def _last_preview(github: GitHub, pull: Mapping[str, Any]) -> int:
    runs = sorted(_previews(github, str(pull["head"]["sha"])), key=lambda run: int(run["run_number"]))
    if not runs:
        raise NoPlanError(f"the head of pull request {int(pull['number'])} has no preview")
    if runs[-1]["conclusion"] != "success":
        raise NoPlanError(f"the last preview of pull request {int(pull['number'])} did not succeed")
    return int(runs[-1]["id"])


def _previews(github: GitHub, sha: str) -> Iterator[Mapping[str, Any]]:
    for run in github.pages(f"/actions/workflows/{WORKFLOW}/runs", "workflow_runs", event="pull_request", head_sha=sha):
        if run["head_sha"] == sha and field(run, "head_repository", "full_name") == github.repository:
            yield run
