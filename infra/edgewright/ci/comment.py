"""The one comment on a pull request: made and edited from what a finished run of the previews has left.

Runs with a token that can write, after a run in which a change's code ran, maybe that of a fork: nothing of the change
is checked out or executed; the artifacts are data, bounded and made harmless; and whose pull request it is comes from
GitHub, by the commit that the run was for. Standard library only.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright.ci.artifacts import COMMENT, COMMENT_FILE, ENGINE, ENGINE_FILE
from edgewright.ci.github import Artifact, GitHub, field
from edgewright.ci.job import CiError, inert, say
from edgewright.ci.markdown import MOST, block, cut, harmless

MARKER = "<!-- edgewright -->"
"""The first line of the comment: by it, and by its author, it is found again."""

AUTHOR = "github-actions[bot]"
"""Who comments with a workflow's GITHUB_TOKEN; nobody can register a name with brackets."""

PREVIEW_JOB = "Preview"
"""The job of the engine's previews."""

ENDED = ("success", "failure", "cancelled", "timed_out")
"""Conclusions of a run that something is said of. `cancelled` is also what GitHub calls a job that took too long; where
a newer push has cancelled the run, no pull request has its commit as head any more."""

MOST_BYTES = 1_000_000
MOST_ENGINE_BYTES = 200_000
MOST_ENGINES = 64

_FAILED = {
    "failure": "failed",
    "cancelled": "was cancelled, or took too long",
    "timed_out": "took too long",
}

_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_SHA = re.compile(r"[0-9a-f]{40}")
_STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run of the previews, as GitHub's event has it. page: its address; base: where changes go to."""

    id: int
    conclusion: str
    sha: str
    branch: str
    head: str
    head_id: int
    base: str
    repository: str
    page: str

    @property
    def forked(self) -> bool:
        """Whether the change's code is another repository's."""
        return self.head != self.repository

    @staticmethod
    def of_event(event: Mapping[str, Any], server: str) -> "Run | None":
        """The run in an event of `workflow_run`; None when it was for no pull request, or its branch is gone."""
        run, own = event["workflow_run"], event["repository"]
        head = run.get("head_repository")
        if run["event"] != "pull_request" or not head or not run.get("head_branch"):
            return None
        repository = str(own["full_name"])
        found = Run(
            int(run["id"]),
            str(run["conclusion"]),
            str(run["head_sha"]),
            str(run["head_branch"]),
            str(head["full_name"]),
            int(head["id"]),
            str(own["default_branch"]),
            repository,
            f"{server}/{repository}/actions/runs/{int(run['id'])}",
        )
        if not _SHA.fullmatch(found.sha) or not all(map(_REPOSITORY.fullmatch, (found.head, repository))):
            raise CiError("the event of GitHub names no commit or repository")
        return found


def post(github: GitHub, event: Path, server: str) -> None:
    """Make or edit the comment that the event's run is for."""
    run = Run.of_event(json.loads(event.read_bytes()), server)
    if run is None:
        say("the run was for no pull request: nothing is posted")
        return
    if run.repository != github.repository:
        raise CiError("the event is another repository's")
    if run.conclusion not in ENDED:
        say(f"the run is {run.conclusion}: there is nothing to say of it")
        return
    number = pull_request(github, run)
    if number is None:
        say("no open pull request has this commit as its head any more: nothing is posted")
        return
    before = own_comment(github, number)
    body = compose(github, run, commented=before is not None)
    if body is None:
        say("no stack is changed: nothing is posted")
    elif before is None:
        made = github.post(f"/issues/{number}/comments", {"body": body})
        say(f"commented on #{number}: {made['html_url']}")
    elif before["body"] == body:
        say(f"the comment on #{number} says the same already")
    else:
        github.patch(f"/issues/comments/{int(before['id'])}", {"body": body})
        say(f"edited the comment on #{number}: {before['html_url']}")


def pull_request(github: GitHub, run: Run) -> int | None:
    """The number of the open pull request whose head is this very commit of this very repository."""
    head = f"{run.head.partition('/')[0]}:{run.branch}"
    for found in github.pages("/pulls", state="open", base=run.base, head=head):
        side = found["head"]
        if side["sha"] == run.sha and side["ref"] == run.branch and field(side, "repo", "id") == run.head_id:
            return int(found["number"])
    return None


def own_comment(github: GitHub, number: int) -> Mapping[str, Any] | None:
    """The comment that we made earlier; one of somebody else that looks like it is left alone."""
    for comment in github.pages(f"/issues/{number}/comments"):
        first = str(comment.get("body") or "").partition("\n")[0].rstrip("\r")
        if field(comment, "user", "login") == AUTHOR and field(comment, "user", "type") == "Bot" and first == MARKER:
            return comment
    return None


def compose(github: GitHub, run: Run, *, commented: bool) -> str | None:
    """The comment's text; None when there is nothing to say, and nothing was said before."""
    artifacts = {artifact.name: artifact for artifact in github.artifacts(run.id)}
    head = f"{MARKER}\n<sub>`{run.sha[:12]}` · [the run]({run.page})</sub>\n\n"
    found = artifacts.get(COMMENT)
    if found is None:
        if not commented:
            return None
        if run.conclusion == "success":
            return f"{head}No stack is changed any more.\n"
        return f"{head}There is no plan of this commit: [the run]({run.page}) says why.\n"
    if run.forked:
        head += (
            "> [!CAUTION]\n"
            f"> From a fork: this was made by the code of `{run.head}`, without access to anything. "
            "Read it as its author's words.\n\n"
        )
    text = _text(github.file_of(found, COMMENT_FILE, MOST_BYTES), found)
    lines = text.partition("\n")
    body = harmless(lines[2] if lines[0].rstrip() == MARKER else text)
    # An engine of a fork has never run here.
    engines = "" if run.forked else "".join(_engines(github, run, artifacts))
    room = MOST - len(head)
    engines = cut(engines, room // 3, run.page) if len(body) + len(engines) + 2 > room else engines
    return f"{head}{cut(body, room - len(engines) - 2, run.page).rstrip()}\n\n{engines}".rstrip() + "\n"


def _engines(github: GitHub, run: Run, artifacts: Mapping[str, Artifact]) -> Iterator[str]:
    """Where the engine could not say what it would do to a stack, then what it would do to the others."""
    failed = {name: (_FAILED[status], page) for name, status, page in preview_jobs(github, run.id) if status in _FAILED}
    for stack, (what, page) in sorted(failed.items()):
        yield f"**The engine's preview of `{stack}` {what}**: [its log]({page}) says why.\n\n"
    stacks = [name.removeprefix(ENGINE) for name in sorted(artifacts) if name.startswith(ENGINE)]
    shown = [stack for stack in stacks if _STACK.fullmatch(stack) and stack not in failed]
    for stack in shown[:MOST_ENGINES]:
        artifact = artifacts[f"{ENGINE}{stack}"]
        text = inert_lines(_text(github.file_of(artifact, ENGINE_FILE, MOST_ENGINE_BYTES), artifact))
        headline = re.sub(r"[^\w ,]", "", text.partition("\n")[0])[:200]
        yield (
            f"<details><summary>The engine's preview of <code>{stack}</code>: {headline}</summary>\n\n"
            f"{harmless(block(text))}\n</details>\n\n"
        )
    if len(shown) > MOST_ENGINES:
        yield f"_The engine's previews of {len(shown) - MOST_ENGINES} more stacks are in [the run]({run.page})._\n\n"


def preview_jobs(github: GitHub, run: int) -> Iterator[tuple[str, str, str]]:
    """The stack, the conclusion and the page of the last job that previews it."""
    for stack, job in github.last_jobs(run, PREVIEW_JOB).items():
        if _STACK.fullmatch(stack):
            yield stack, str(job["conclusion"]), str(job["html_url"])


def inert_lines(text: str) -> str:
    """Lines as `inert` shows each."""
    return "\n".join(map(inert, text.splitlines())) + "\n"


def _text(data: bytes, artifact: Artifact) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise CiError(f"the artifact {artifact.name} is not UTF-8") from None
