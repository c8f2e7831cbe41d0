"""One issue that says which stacks differ from what main describes: kept up to date, and closed when none does."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.ci.artifacts import DRIFT, DRIFT_FILE
from edgewright.ci.comment import AUTHOR, inert_lines
from edgewright.ci.github import GitHub
from edgewright.ci.job import CiError, say
from edgewright.ci.markdown import block, cut, harmless

JOB = "Drift"
"""The job that looks at a stack."""

MARKER = "<!-- edgewright drift -->"
TITLE = "Drift: what runs differs from main"
MOST_BYTES = 200_000
_MOST = 60_000
"""Characters of an issue; GitHub takes 65,536."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: nothing, a text of differences, or None where it could not be made."""

    stack: str
    differences: str | None


def collect(github: GitHub, run: int, stacks: Sequence[str]) -> tuple[Checked, ...]:
    """What the jobs of a run found out about each stack.

    What an earlier attempt of the run has left is still there: it counts only if the stack's last job succeeded.
    """
    artifacts = {artifact.name: artifact for artifact in github.artifacts(run)}
    looked = {stack for stack, job in github.last_jobs(run, JOB).items() if job["conclusion"] == "success"}
    found: list[Checked] = []
    for stack in stacks:
        artifact = artifacts.get(f"{DRIFT}{stack}")
        text = None
        if artifact and stack in looked:
            text = github.file_of(artifact, DRIFT_FILE, MOST_BYTES).decode("utf-8", "replace").strip()
        found.append(Checked(stack, text))
    return tuple(found)


def report(github: GitHub, found: Sequence[Checked], page: str) -> None:
    """Open, edit or close the issue. page: of the run."""
    before = _issue(github)
    body = text(found, page)
    if body is None:
        if before is None:
            say("no stack differs from main")
        else:
            number = int(before["number"])
            github.post(f"/issues/{number}/comments", {"body": f"No stack differs any more: [the run]({page})."})
            github.patch(f"/issues/{number}", {"state": "closed", "state_reason": "completed"})
            say(f"no stack differs any more: #{number} is closed")
    elif before is None:
        made = github.post("/issues", {"title": TITLE, "body": body})
        say(f"opened #{int(made['number'])}")
    else:
        number = int(before["number"])
        github.patch(f"/issues/{number}", {"body": body})
        say(f"edited #{number}")


def text(found: Sequence[Checked], page: str) -> str | None:
    """The issue's text; None when nothing differs and everything could be looked at."""
    drifted = [one for one in found if one.differences]
    unknown = [one for one in found if one.differences is None]
    if not drifted and not unknown:
        return None
    parts = [
        f"{MARKER}\nLast checked by [this run]({page}), which edits this text and closes the issue when all is well.\n"
    ]
    for one in drifted:
        parts.append(f"### {one.stack}\n\n{harmless(block(inert_lines(one.differences or '')))}")
    if drifted:
        parts.append(
            "These steps would bring back what main describes. Somebody changed it by hand, or a deployment waits for "
            "its approval. To keep it, write it into the stack. To undo it, run the workflow Deploy for the stack.\n"
        )
    if unknown:
        names = ", ".join(f"`{one.stack}`" for one in unknown)
        parts.append(f"Not checked, since the job failed or there is no answer: {names}.\n")
    return cut("\n".join(parts), _MOST, page)


def _issue(github: GitHub) -> Mapping[str, Any] | None:
    for issue in github.pages("/issues", state="open", creator=AUTHOR):
        first = str(issue.get("body") or "").partition("\n")[0].rstrip("\r")
        if first == MARKER and "pull_request" not in issue:
            return issue
    return None


def names(stacks: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """The names in a matrix."""
    found = tuple(stack["stack"] for stack in stacks)
    if wrong := [name for name in found if not re.fullmatch(r"[\w-]+", name, re.ASCII)]:
        raise CiError(f"these are no names of stacks: {wrong}")
    return found
