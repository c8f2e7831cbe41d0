"""The same comment where a pipeline has a token of its own: merge requests of GitLab, pull requests of Azure Repos.

Both hosts say in variables of the job which request it runs for. Standard library only, so that the job that holds the
token installs nothing.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import quote

from edgewright.ci.comment import MARKER, MOST_BYTES
from edgewright.ci.github import field
from edgewright.ci.job import CiError, say, setting
from edgewright.ci.markdown import MOST, cut, harmless
from edgewright.ci.rest import Rest

GONE = "No stack is changed any more, or there is no plan of this commit: [the run]({page}) says which."

_AZURE_VERSION = "7.1"


class Host(Protocol):
    """Where comments are: each is known by what edits it. mine: those of the token's own user."""

    def mine(self) -> Iterator[tuple[str, str]]:
        """What edits a comment, and its text."""
        ...

    def make(self, text: str) -> None:
        """Add one."""
        ...

    def edit(self, which: str, text: str) -> None:
        """Replace its text."""
        ...


def post(host: Host, file: Path, page: str) -> None:
    """Make the comment, or edit the one that is there; without a file only the latter, since it no longer holds.

    A job that has failed leaves no file either.
    """
    before = next(
        ((which, text) for which, text in host.mine() if text.partition("\n")[0].rstrip("\r") == MARKER), None
    )
    text = _text(file, page) if file.exists() else f"{MARKER}\n{GONE.format(page=page)}\n"
    if before is None and not file.exists():
        say("no stack is changed, or there is no plan: nothing is posted")
    elif before is None:
        host.make(text)
        say("commented")
    elif before[1] == text:
        say("the comment says the same already")
    else:
        host.edit(before[0], text)
        say("edited the comment")


def _text(file: Path, page: str) -> str:
    if file.is_symlink() or file.stat().st_size > MOST_BYTES:
        raise CiError(f"{file.name} must be a file of {MOST_BYTES:,} bytes at most")
    try:
        found = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise CiError(f"{file.name} is not UTF-8") from None
    body = found.removeprefix(f"{MARKER}\n")
    return f"{MARKER}\n{cut(harmless(body), MOST - len(MARKER) - 1, page)}"


def _number(variable: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", found := setting(variable)):
        raise CiError(f"{variable} is no number: the job runs for no request")
    return int(found)


@dataclass(frozen=True, slots=True)
class GitLab:
    """The notes of a merge request: https://docs.gitlab.com/api/notes."""

    rest: Rest
    path: str

    @staticmethod
    def of_job() -> "GitLab":
        """Of the merge request that this job runs for, with a project's token (role Reporter, scope api)."""
        rest = Rest(setting("CI_API_V4_URL"), {"PRIVATE-TOKEN": setting("COMMENT_TOKEN")})
        return GitLab(
            rest, f"/projects/{_number('CI_PROJECT_ID')}/merge_requests/{_number('CI_MERGE_REQUEST_IID')}/notes"
        )

    def mine(self) -> Iterator[tuple[str, str]]:
        me = self.rest.call("GET", "/user")["id"]
        for page in range(1, 51):
            notes = cast("list[Mapping[str, Any]]", self.rest.call("GET", self.path, _page(page)))
            for note in notes:
                if field(note, "author", "id") == me and not note.get("system"):
                    yield str(int(note["id"])), str(note["body"])
            if len(notes) < 100:
                return

    def make(self, text: str) -> None:
        self.rest.call("POST", self.path, data={"body": text})

    def edit(self, which: str, text: str) -> None:
        self.rest.call("PUT", f"{self.path}/{which}", data={"body": text})


def _page(number: int) -> Mapping[str, str]:
    return {"per_page": "100", "page": str(number), "sort": "asc"}


@dataclass(frozen=True, slots=True)
class AzureRepos:
    """The threads of a pull request: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads."""

    rest: Rest
    path: str

    @staticmethod
    def of_job() -> "AzureRepos":
        """Of the pull request that this job runs for, with the job's own token."""
        rest = Rest(
            setting("SYSTEM_COLLECTIONURI").rstrip("/"), {"Authorization": f"Bearer {setting('SYSTEM_ACCESSTOKEN')}"}
        )
        project, repository = (quote(setting(name), safe="") for name in ("SYSTEM_TEAMPROJECT", "BUILD_REPOSITORY_ID"))
        number = _number("SYSTEM_PULLREQUEST_PULLREQUESTID")
        return AzureRepos(rest, f"/{project}/_apis/git/repositories/{repository}/pullRequests/{number}/threads")

    def mine(self) -> Iterator[tuple[str, str]]:
        me = field(self.rest.call("GET", "/_apis/connectionData"), "authenticatedUser", "id")
        answer = self.rest.call("GET", self.path, {"api-version": _AZURE_VERSION})
        for thread in cast("list[Mapping[str, Any]]", answer["value"]):
            first = next(iter(cast("list[Mapping[str, Any]]", thread.get("comments") or [])), None)
            if first and me and field(first, "author", "id") == me and not thread.get("isDeleted"):
                yield f"{int(thread['id'])}/comments/{int(first['id'])}", str(first.get("content") or "")

    def make(self, text: str) -> None:
        comment = {"parentCommentId": 0, "content": text, "commentType": "text"}
        self.rest.call("POST", self.path, {"api-version": _AZURE_VERSION}, {"comments": [comment], "status": "closed"})

    def edit(self, which: str, text: str) -> None:
        self.rest.call("PATCH", f"{self.path}/{which}", {"api-version": _AZURE_VERSION}, {"content": text})


def of_job() -> tuple[Host, str]:
    """The host that this job runs on, and the page of the run."""
    if os.environ.get("GITLAB_CI"):
        return GitLab.of_job(), setting("CI_JOB_URL")
    if os.environ.get("TF_BUILD"):
        collection, project = setting("SYSTEM_COLLECTIONURI"), quote(setting("SYSTEM_TEAMPROJECT"), safe="")
        page = f"{collection.rstrip('/')}/{project}/_build/results?buildId={_number('BUILD_BUILDID')}"
        return AzureRepos.of_job(), page
    raise CiError("this is neither a job of GitLab nor one of Azure Pipelines")
