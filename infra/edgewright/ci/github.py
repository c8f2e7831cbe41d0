"""GitHub's REST API, as far as the jobs need it. https://docs.github.com/rest"""

import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from edgewright.ci.job import CiError, setting
from edgewright.ci.rest import Rest

VERSION = "2022-11-28"
MOST_PAGES = 50
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a run has uploaded. size: of the archive, as GitHub says; made: when, as GitHub writes times."""

    id: int
    name: str
    size: int
    made: str


@dataclass(frozen=True, slots=True)
class GitHub:
    """One repository, ``owner/name``."""

    rest: Rest
    repository: str

    @staticmethod
    def of_job() -> "GitHub":
        """The repository that this job runs in, with the token that the workflow gives to the step."""
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {setting('GITHUB_TOKEN')}",
            "X-GitHub-Api-Version": VERSION,
        }
        api = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
        repository = setting("GITHUB_REPOSITORY")
        return GitHub(Rest(f"{api}/repos/{repository}", headers), repository)

    def pages(self, path: str, key: str = "", **query: str) -> Iterator[Mapping[str, Any]]:
        """The items of a list, page after page. key: of the list in each answer, where it is not the answer itself."""
        for page in range(1, MOST_PAGES + 1):
            answer = self.rest.call("GET", path, {**query, "per_page": str(_PAGE), "page": str(page)})
            items = cast("list[Mapping[str, Any]]", answer[key] if key else answer)
            yield from items
            if len(items) < _PAGE:
                return
        raise CiError(f"GET {path}: there are more than {MOST_PAGES * _PAGE} of them")

    def post(self, path: str, data: Mapping[str, Any]) -> Any:
        """Make something."""
        return self.rest.call("POST", path, data=data)

    def patch(self, path: str, data: Mapping[str, Any]) -> Any:
        """Change something."""
        return self.rest.call("PATCH", path, data=data)

    def artifacts(self, run: int, name: str = "") -> Iterator[Artifact]:
        """What a run has uploaded and GitHub still has: of each name the newest.

        Where jobs of a run were started again, each attempt has its own (https://github.com/go-gitea/gitea/pull/38857),
        and GitHub's actions take the highest id (actions/toolkit, packages/artifact/src/internal/find/get-artifact.ts).
        """
        query = {"name": name} if name else {}
        items = sorted(
            self.pages(f"/actions/runs/{run}/artifacts", "artifacts", **query), key=lambda item: int(item["id"])
        )
        for item in {str(item["name"]): item for item in items}.values():
            if not item["expired"]:
                yield Artifact(int(item["id"]), str(item["name"]), int(item["size_in_bytes"]), str(item["created_at"]))

    def jobs_of_stacks(self, run: int, name: str, **query: str) -> Iterator[tuple[str, Any]]:
        """The jobs of a run by this name, one for each stack: GitHub writes the stack behind it, in brackets."""
        for job in self.pages(f"/actions/runs/{run}/jobs", "jobs", **query):
            found = re.fullmatch(rf"{re.escape(name)} \((.+)\)", str(job["name"]))
            if found:
                yield found[1], job

    def last_jobs(self, run: int, name: str) -> Mapping[str, Mapping[str, Any]]:
        """The last job by this name for each stack, of whichever attempt of the run: not every attempt has all of them.

        GitHub's own answer, without ``filter``, has been that for each job, and also the jobs of the last attempt alone
        (https://github.com/r-universe-org/help/issues/607).
        """
        jobs = sorted(self.jobs_of_stacks(run, name, filter="all"), key=lambda found: int(found[1]["run_attempt"]))
        return dict(jobs)

    def file_of(self, artifact: Artifact, file: str, most: int) -> bytes:
        """The one file in an artifact, read in memory; CiError where it is another, or larger than ``most``."""
        if artifact.size > most:
            raise CiError(f"the artifact {artifact.name} is larger than {most:,} bytes")
        # An archive is a little more than what is stored in it.
        archive = self.rest.fetch(f"/actions/artifacts/{artifact.id}/zip", most + 10_000)
        return only_file(archive, file, most, artifact.name)


def field(data: Mapping[str, Any], *names: str) -> Any:
    """A value within values; None where one of them is missing or null, as a repository that was deleted is."""
    found: Any = data
    for name in names:
        found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
    return found


def only_file(archive: bytes, file: str, most: int, name: str) -> bytes:
    """The content of the one file in a zip archive: nothing is written, and no path of the archive is used."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            found = opened.infolist()
            if [item.filename for item in found] != [file]:
                raise CiError(f"the artifact {name} must hold one file, {file}")
            with opened.open(found[0]) as content:
                data = content.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise CiError(f"the artifact {name} cannot be read: {error}") from None
    if len(data) > most:
        raise CiError(f"the artifact {name} is larger than {most:,} bytes")
    return data
