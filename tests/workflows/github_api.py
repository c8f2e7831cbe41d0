"""A GitHub on the loopback interface: as much of its API as the jobs use, strict about everything they send.

It keeps pull requests, comments, issues, runs and artifacts; it refuses whatever the token's permissions do not cover and
notes which of them were needed; an archive lies on another address, which must never see the token.
"""

import json
import re
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "shop/edge"
REPOSITORY_ID = 42
TOKEN = "ghs_of-the-job"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
LONGEST = 65_536

Answer = tuple[int, Any]


@dataclass
class GitHub:
    """What GitHub knows. permissions: of the job's token; used: those that a call has needed.

    earlier: artifacts of an earlier attempt of a run, beside those of the same names that a later one has uploaded.
    """

    address: str = ""
    storage: str = ""
    permissions: dict[str, str] = field(default_factory=dict[str, str])
    pulls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict[int, list[dict[str, Any]]])
    issues: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    jobs: dict[int, list[dict[str, Any]]] = field(default_factory=dict[int, list[dict[str, Any]]])
    artifacts: dict[int, dict[str, bytes]] = field(default_factory=dict[int, dict[str, bytes]])
    earlier: dict[int, dict[str, bytes]] = field(default_factory=dict[int, dict[str, bytes]])
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    made: dict[str, str] = field(default_factory=dict[str, str])
    deployments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    used: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    writes: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])

    def pull(self, number: int, sha: str, *, head: str = REPOSITORY, head_id: int = REPOSITORY_ID, **more: Any) -> None:
        """A pull request from a branch `change` to main."""
        owner = head.partition("/")[0]
        self.pulls.append(
            {
                "number": number,
                "state": "open",
                "merged_at": None,
                "merge_commit_sha": None,
                "base": {"ref": "main"},
                "head": {
                    "sha": sha,
                    "ref": "change",
                    "label": f"{owner}:change",
                    "repo": {"id": head_id, "full_name": head},
                },
                **more,
            }
        )

    def comment(self, number: int, body: str, user: Mapping[str, str] = BOT) -> dict[str, Any]:
        """A comment by somebody."""
        known = self.comments.setdefault(number, [])
        id_ = 1_000 * number + len(known)
        made = {"id": id_, "body": body, "user": dict(user), "html_url": f"https://github.com/x/{number}#{id_}"}
        known.append(made)
        return made

    # -- what it answers

    def answer(self, method: str, path: str, query: Mapping[str, str], data: Any) -> Answer:
        """The status and body of a call, without the token's check."""
        own = f"/repos/{REPOSITORY}"
        for wanted, pattern, permission, act in self._calls():
            found = re.fullmatch(re.escape(own) + pattern, path)
            if found and method == wanted:
                return act(found, query, data) if self._may(permission) else (403, "not accessible by integration")
        self.wrong.append(f"{method} {path}")
        return 404, "Not Found"

    def _calls(self) -> list[tuple[str, str, str, Callable[[re.Match[str], Mapping[str, str], Any], Answer]]]:
        return [
            ("GET", r"/pulls", "pull-requests:read", lambda _, query, __: self._page(self._pulls(query), query)),
            ("GET", r"/commits/(\w+)/pulls", "pull-requests:read", self._merged),
            ("GET", r"/issues/(\d+)/comments", "pull-requests:read", self._comments),
            ("POST", r"/issues/(\d+)/comments", "pull-requests:write|issues:write", self._post),
            ("PATCH", r"/issues/comments/(\d+)", "pull-requests:write", self._edit),
            ("GET", r"/issues", "issues:read", self._issues),
            ("POST", r"/issues", "issues:write", self._open),
            ("PATCH", r"/issues/(\d+)", "issues:write", self._change),
            ("GET", r"/actions/runs/(\d+)/artifacts", "actions:read", self._artifacts),
            ("GET", r"/actions/artifacts/(\d+)/zip", "actions:read", self._zip),
            ("GET", r"/actions/runs/(\d+)/jobs", "actions:read", self._jobs),
            ("GET", r"/actions/workflows/preview\.yml/runs", "actions:read", self._previews),
            ("GET", r"/actions/workflows/deploy\.yml/runs", "actions:read", self._deployments),
        ]

    def _may(self, permission: str) -> bool:
        for one in permission.split("|"):
            scope, _, level = one.partition(":")
            granted = self.permissions.get(scope)
            if granted == "write" or granted == level:
                self.used.add((scope, level))
                return True
        return False

    def _page(self, items: list[Any], query: Mapping[str, str], key: str = "") -> Answer:
        size, page = int(query["per_page"]), int(query["page"])
        assert size <= 100
        shown = items[(page - 1) * size : page * size]
        return 200, {key: shown, "total_count": len(items)} if key else shown

    def _pulls(self, query: Mapping[str, str]) -> list[Any]:
        assert query["state"] == "open"
        return [
            pull
            for pull in self.pulls
            if pull["state"] == "open"
            and pull["base"]["ref"] == query["base"]
            and pull["head"]["label"] == query["head"]
        ]

    def _merged(self, found: re.Match[str], query: Mapping[str, str], _: Any) -> Answer:
        return self._page([pull for pull in self.pulls if pull["merge_commit_sha"] == found[1]], query)

    def _comments(self, found: re.Match[str], query: Mapping[str, str], _: Any) -> Answer:
        return self._page(self.comments.get(int(found[1]), []), query)

    def _post(self, found: re.Match[str], _: Mapping[str, str], data: Any) -> Answer:
        assert set(data) == {"body"}
        if len(data["body"]) > LONGEST:
            return 422, "body is too long"
        self.writes.append(f"comment on {found[1]}")
        return 201, self.comment(int(found[1]), data["body"])

    def _edit(self, found: re.Match[str], _: Mapping[str, str], data: Any) -> Answer:
        assert set(data) == {"body"}
        if len(data["body"]) > LONGEST:
            return 422, "body is too long"
        for comment in (comment for known in self.comments.values() for comment in known):
            if comment["id"] == int(found[1]):
                comment["body"] = data["body"]
                self.writes.append(f"edit {found[1]}")
                return 200, comment
        return 404, "Not Found"

    def _issues(self, _: re.Match[str], query: Mapping[str, str], __: Any) -> Answer:
        found = [one for one in self.issues if one["state"] == query["state"] and one["user"] == query["creator"]]
        return self._page(found, query)

    def _open(self, _: re.Match[str], __: Mapping[str, str], data: Any) -> Answer:
        assert set(data) == {"title", "body"}
        made = {"number": 100 + len(self.issues), "state": "open", "user": BOT["login"], **data}
        self.issues.append(made)
        return 201, made

    def _change(self, found: re.Match[str], _: Mapping[str, str], data: Any) -> Answer:
        assert set(data) <= {"body", "state", "state_reason"}
        issue = next(one for one in self.issues if one["number"] == int(found[1]))
        issue.update(data)
        return 200, issue

    def _artifacts(self, found: re.Match[str], query: Mapping[str, str], _: Any) -> Answer:
        run = int(found[1])
        items = [
            {
                "id": run * 1_000 + index,
                "name": name,
                "expired": not data,
                "size_in_bytes": self.sizes.get(name, len(data)),
                "created_at": "2026-01-02T09:00:00Z" if old else self.made.get(name, "2026-01-02T10:00:00Z"),
            }
            for index, (old, name, data) in enumerate(self._uploaded(run))
            if query.get("name") in (None, name)
        ]
        return self._page(items[::-1], query, "artifacts")

    def _uploaded(self, run: int) -> list[tuple[bool, str, bytes]]:
        """Each artifact of a run, whether it is of an earlier attempt, its name and content; the newest is the last."""
        attempts = ((True, self.earlier), (False, self.artifacts))
        return [(old, *item) for old, known in attempts for item in known.get(run, {}).items()]

    def _zip(self, found: re.Match[str], _: Mapping[str, str], __: Any) -> Answer:
        return 302, f"{self.storage}/{found[1]}?signed=yes"

    def _jobs(self, found: re.Match[str], query: Mapping[str, str], _: Any) -> Answer:
        jobs = self.jobs.get(int(found[1]), [])
        # The last attempt alone, as GitHub answers when it is not asked for all.
        last = max((job.get("run_attempt", 1) for job in jobs), default=1)
        shown = [job for job in jobs if query.get("filter") == "all" or job.get("run_attempt", 1) == last]
        return self._page(shown, query, "jobs")

    def _previews(self, _: re.Match[str], query: Mapping[str, str], __: Any) -> Answer:
        found = [run for run in self.runs if run["head_sha"] == query["head_sha"] and run["event"] == query["event"]]
        return self._page(found, query, "workflow_runs")

    def _deployments(self, _: re.Match[str], query: Mapping[str, str], __: Any) -> Answer:
        found = [run for run in self.deployments if run["head_branch"] == query["branch"]]
        newest = sorted(found, key=lambda run: -run["run_number"])
        return self._page(newest, query, "workflow_runs")

    def job(self, run: int, name: str, conclusion: str = "success", *, attempt: int = 1) -> None:
        """A job of an attempt of a run, which begins at the hour 8 + attempt."""
        started_at = f"2026-01-02T{8 + attempt:02}:00:00Z"
        job = {"name": name, "conclusion": conclusion, "started_at": started_at, "run_attempt": attempt}
        known = self.jobs.setdefault(run, [])
        known.append({**job, "html_url": f"https://x/{len(known) + 1}"})

    def stored(self, path: str) -> bytes:
        """What lies on the other address."""
        run, index = divmod(int(path.strip("/")), 1_000)
        return self._uploaded(run)[index][2]


@contextmanager
def serving(github: GitHub) -> Generator[GitHub]:
    """Serve it, on two ports of 127.0.0.1, until the block ends. What was sent that should not have been is in `wrong`."""

    class Api(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) if size else b""
            for name, wanted in _HEADERS.items():
                if self.headers.get(name) != wanted:
                    github.wrong.append(f"{self.command} {self.path}: {name}: {self.headers.get(name)}")
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            try:
                status, answer = github.answer(self.command, parts.path, query, json.loads(body) if body else None)
            except (AssertionError, KeyError, ValueError, StopIteration) as error:
                github.wrong.append(f"{self.command} {self.path}: {type(error).__name__} {error}")
                status, answer = 400, "Bad Request"
            self.send_response(status)
            if status == 302:
                self.send_header("Location", answer)
                answer = ""
            elif status >= 400:
                answer = {"message": answer}
            _finish(self, json.dumps(answer).encode())

        do_GET = do_POST = do_PATCH = _serve

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Storage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "Authorization" in self.headers:
                github.wrong.append("the token was sent to another address")
            self.send_response(200)
            _finish(self, github.stored(urlsplit(self.path).path))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in (Api, Storage)]
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}) for server in servers]
    github.address, github.storage = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for thread in threads:
        thread.start()
    try:
        yield github
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


_HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}


def _finish(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
