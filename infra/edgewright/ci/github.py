"""GitHub's REST API, as far as the jobs need it: bounded answers, and a token that goes to GitHub alone.

Standard library only: what runs with a token that can write installs nothing. https://docs.github.com/rest
"""

import io
import json
import os
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from edgewright.ci.job import CiError, setting

VERSION = "2022-11-28"
MOST_ANSWER = 20_000_000
MOST_PAGES = 50
_PAGE = 100
_SECONDS = 60


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Where a redirection leads is fetched without the token, by whoever expects one."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:  # noqa: ARG002
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a run has uploaded. size: of the archive, as GitHub says."""

    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class GitHub:
    """One repository (``owner/name``) at an API's address."""

    api: str
    repository: str
    token: str

    @staticmethod
    def of_job() -> "GitHub":
        """The repository that this job runs in, with the token that the workflow gives to the step."""
        return GitHub(
            os.environ.get("GITHUB_API_URL") or "https://api.github.com",
            setting("GITHUB_REPOSITORY"),
            setting("GITHUB_TOKEN"),
        )

    def get(self, path: str, **query: str) -> Any:
        """What is at a path below the repository."""
        return self._call("GET", path, query)

    def pages(self, path: str, key: str = "", **query: str) -> Iterator[Mapping[str, Any]]:
        """The items of a list, page after page. key: of the list in each answer, where it is not the answer itself."""
        for page in range(1, MOST_PAGES + 1):
            answer = self.get(path, **query, per_page=str(_PAGE), page=str(page))
            items = cast("list[Mapping[str, Any]]", answer[key] if key else answer)
            yield from items
            if len(items) < _PAGE:
                return
        raise CiError(f"GET {path}: there are more than {MOST_PAGES * _PAGE} of them")

    def post(self, path: str, data: Mapping[str, Any]) -> Any:
        """Make something."""
        return self._call("POST", path, {}, data)

    def patch(self, path: str, data: Mapping[str, Any]) -> Any:
        """Change something."""
        return self._call("PATCH", path, {}, data)

    def artifacts(self, run: int, name: str = "") -> Iterator[Artifact]:
        """What a run has uploaded and GitHub still has."""
        query = {"name": name} if name else {}
        for item in self.pages(f"/actions/runs/{run}/artifacts", "artifacts", **query):
            if not item["expired"]:
                yield Artifact(int(item["id"]), str(item["name"]), int(item["size_in_bytes"]))

    def file_of(self, artifact: Artifact, file: str, most: int) -> bytes:
        """The one file in an artifact, read in memory; CiError where it is another, or larger than ``most``."""
        if artifact.size > most:
            raise CiError(f"the artifact {artifact.name} is larger than {most:,} bytes")
        path = f"/actions/artifacts/{artifact.id}/zip"
        return only_file(self._fetch(path, most + 10_000), file, most, artifact.name)

    def _call(self, method: str, path: str, query: Mapping[str, str], data: Mapping[str, Any] | None = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        with self._open(method, path, query, body) as answer:
            content = answer.read(MOST_ANSWER + 1)
        if len(content) > MOST_ANSWER:
            raise CiError(f"{method} {path}: the answer is larger than {MOST_ANSWER:,} bytes")
        try:
            return json.loads(content)
        except ValueError:
            raise CiError(f"{method} {path}: the answer is no JSON") from None

    def _fetch(self, path: str, most: int) -> bytes:
        """What GitHub sends another host for: there, without the token."""
        with self._open("GET", path, {}, None, redirected=True) as answer:
            target = answer.headers.get("Location") or ""
        if urlsplit(target).scheme != urlsplit(self.api).scheme:
            raise CiError(f"GET {path}: it leads to no address that can be trusted")
        try:
            with _OPENER.open(urllib.request.Request(target), timeout=_SECONDS) as content:  # noqa: S310 (as the API)
                data = cast("HTTPResponse", content).read(most + 1)
        except (OSError, HTTPException) as error:
            raise CiError(f"GET {path}: {error}") from None
        if len(data) > most:
            raise CiError(f"GET {path}: it is larger than {most:,} bytes")
        return data

    def _open(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None, *, redirected: bool = False
    ) -> HTTPResponse:
        url = f"{self.api}/repos/{self.repository}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "X-GitHub-Api-Version": VERSION,
            "User-Agent": "edgewright",
            **({"Content-Type": "application/json"} if body else {}),
        }
        request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 (the job's API)
        try:
            answer = cast("HTTPResponse", _OPENER.open(request, timeout=_SECONDS))
        except urllib.error.HTTPError as error:
            if redirected and error.code == 302:
                return cast("HTTPResponse", error)
            raise CiError(f"{method} {path}: {error.code} {_reason(error)}{_remedy(error.code)}") from None
        except (OSError, HTTPException) as error:
            raise CiError(f"{method} {path}: {error}") from None
        if redirected:
            answer.close()
            raise CiError(f"GET {path}: an archive was expected at another address")
        return answer


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


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(10_000))["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)


def _remedy(status: int) -> str:
    return {
        401: "; the step's GITHUB_TOKEN is missing or has ended",
        403: "; the job's `permissions` do not cover it, or the limit of calls is reached",
        404: "; it is not there, or the job's `permissions` do not let it be seen",
    }.get(status, "")
