"""Calls of a REST API: bounded answers, no redirection followed, and an error that says what to do.

Standard library only: what runs with a token that can write installs nothing.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from edgewright.ci.job import CiError

MOST_ANSWER = 20_000_000
_SECONDS = 60


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Where a redirection leads is fetched without the token, by whoever expects one."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:  # noqa: ARG002
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True, slots=True)
class Rest:
    """An API at an address. headers: of every call, the token among them; they go to this address alone."""

    address: str
    headers: Mapping[str, str] = field(repr=False)

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, data: Mapping[str, Any] | None = None
    ) -> Any:
        """Make a call; what it answers, from JSON."""
        with self._open(method, path, query or {}, data) as answer:
            content = answer.read(MOST_ANSWER + 1)
        if len(content) > MOST_ANSWER:
            raise CiError(f"{method} {path}: the answer is larger than {MOST_ANSWER:,} bytes")
        try:
            return json.loads(content)
        except ValueError:
            raise CiError(f"{method} {path}: the answer is no JSON") from None

    def fetch(self, path: str, most: int) -> bytes:
        """What the API sends another host for: there, without the token."""
        with self._open("GET", path, {}, None, redirected=True) as answer:
            target = answer.headers.get("Location") or ""
        if urlsplit(target).scheme != urlsplit(self.address).scheme:
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
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        data: Mapping[str, Any] | None,
        *,
        redirected: bool = False,
    ) -> HTTPResponse:
        url = f"{self.address}{path}" + (f"?{urlencode(query)}" if query else "")
        body = None if data is None else json.dumps(data).encode()
        headers = {**self.headers, "User-Agent": "edgewright"}
        if body is not None:
            headers["Content-Type"] = "application/json"
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


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(10_000))["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)


def _remedy(status: int) -> str:
    return {
        401: "; the step's token is missing or has ended",
        403: "; the job's `permissions` do not cover it, or the limit of calls is reached",
        404: "; it is not there, or the job's `permissions` do not let it be seen",
    }.get(status, "")
