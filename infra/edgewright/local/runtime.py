"""A local edge from outside: start it, change it while it serves, ask how it is, stop it."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from edgewright.local import control
from edgewright.local.artifact import Artifact
from edgewright.local.credentials import kept_key
from edgewright.local.process import alive, marked, send
from edgewright.local.state import LocalError, StateFolder, already_running, clean
from edgewright.local.status import Health, Status

__all__ = [
    "Health",
    "LocalError",
    "Status",
    "credential",
    "running_artifact",
    "start",
    "status",
    "stop",
    "update",
]

START_SECONDS = 60.0
UPDATE_SECONDS = 180.0
GRACE_SECONDS = 15.0
"""How long a supervisor may take to stop after the requests have drained, before it is ended by its pid."""

_NO_CREDENTIALS: Mapping[str, str] = {}


def start(
    artifact: Artifact,
    state_dir: str | os.PathLike[str],
    credentials: Mapping[str, str] = _NO_CREDENTIALS,
    *,
    work_dir: Path | None = None,
) -> Status:
    """Start the edge in the background, and return once it serves.

    credentials: API keys by ``<authorizer>:<client>``, the rest is generated; work_dir: where commands of backends
    run, by default here. Raises LocalError, with the remedy, when it is already running, a port is in use, or Envoy
    refuses the configuration; then nothing is left running.
    """
    state = StateFolder(state_dir)
    state.prepare()
    try:
        holder = state.holder()
        if holder:
            raise already_running(state, holder)
        return _launch(state, artifact, credentials, work_dir or Path.cwd())
    finally:
        state.close()


def update(
    artifact: Artifact,
    state_dir: str | os.PathLike[str],
    credentials: Mapping[str, str] = _NO_CREDENTIALS,
    *,
    work_dir: Path | None = None,
) -> Status:
    """Change the running edge without losing a request, and return once all of it has changed.

    Raises LocalError when nothing runs there, or when the change is refused; the edge then goes on as it was.
    """
    state = StateFolder(state_dir)
    request = {
        "op": "update",
        "artifact": artifact.to_json(),
        "credentials": dict(credentials),
        "work_dir": str(work_dir or Path.cwd()),
    }
    with contextlib.closing(state):
        return Status.from_json(_ask(state, request, UPDATE_SECONDS)["status"])


def status(state_dir: str | os.PathLike[str]) -> Status | None:
    """How the edge is; None when none runs there."""
    state = StateFolder(state_dir)
    with contextlib.closing(state):
        # While it starts, the supervisor is there and does not answer yet.
        deadline = time.monotonic() + 5
        while True:
            holder = state.holder()
            if holder is None:
                return None
            try:
                return Status.from_json(control.ask(state, {"op": "status"}, 10)["status"])
            except (FileNotFoundError, ConnectionError, TimeoutError, LocalError):
                if time.monotonic() > deadline:
                    note = "its supervisor does not answer; see log/supervisor.log"
                    return Status("", False, holder.process.pid, state.path, warnings=(note,))
                time.sleep(0.02)


def running_artifact(state_dir: str | os.PathLike[str]) -> Artifact | None:
    """What the edge serves now; None when none runs there."""
    state = StateFolder(state_dir)
    with contextlib.closing(state):
        if state.holder() is None:
            return None
        return Artifact.from_json(_ask(state, {"op": "artifact"}, 10)["artifact"])


def credential(state_dir: str | os.PathLike[str], authorizer: str, client: str) -> str:
    """The API key of a client, given or generated; raises LocalError when there is none."""
    state = StateFolder(state_dir)
    with contextlib.closing(state):
        if state.holder() is None:
            return kept_key(state, authorizer, client)
        request = {"op": "credential", "authorizer": authorizer, "client": client}
        return str(_ask(state, request, 10)["key"])


def stop(state_dir: str | os.PathLike[str], drain_seconds: float = 5.0) -> None:
    """Let the requests under way finish, at most ``drain_seconds``, and stop the edge.

    Nothing is left running, also when its supervisor was killed or is stuck. Stopping what does not run is no error.
    Keys, credentials, counted quotas and logs stay in the folder.
    """
    state = StateFolder(state_dir)
    with contextlib.closing(state):
        if not (state / "lock").exists():
            return
        holder = state.holder()
        if holder:
            with contextlib.suppress(OSError, LocalError):
                control.ask(state, {"op": "stop", "drain": drain_seconds}, 5)
            # It may be starting, and then has no control socket yet.
            if not (state / control.CONTROL).exists():
                send(holder.process, signal.SIGTERM)
            if not _gone(state, drain_seconds + GRACE_SECONDS):
                send(holder.process, signal.SIGKILL)
                _gone(state, 5)
            # The lock is let go a moment before the process ends.
            deadline = time.monotonic() + 5
            while alive(holder.process) and time.monotonic() < deadline:
                time.sleep(0.005)
        _sweep(state.last_run())
        clean(state)


def _launch(state: StateFolder, artifact: Artifact, credentials: Mapping[str, str], work_dir: Path) -> Status:
    log = os.open(state.folder("log") / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    reading, writing = os.pipe()
    request = {"artifact": artifact.to_json(), "credentials": dict(credentials), "work_dir": str(work_dir)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    environment["PYTHONPATH"] = os.pathsep.join(
        item for item in (str(Path(__file__).resolve().parents[2]), environment.get("PYTHONPATH", "")) if item
    )
    with os.fdopen(reading, "rb") as report:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "edgewright.local.supervisor", str(state.path), str(writing)],
                cwd=state.path,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(writing,),
                start_new_session=True,
                umask=0o077,
            )
        finally:
            os.close(writing)
            os.close(log)
        # The request holds secrets: it goes through a pipe, never through a file or the command line.
        process.communicate(json.dumps(request).encode())
        line = _read_line(report, START_SECONDS)
    if not line:
        raise LocalError(f"the supervisor ended before the edge was ready; see {state / 'log/supervisor.log'}")
    answer = json.loads(line)
    if not answer["ok"]:
        raise LocalError(answer["error"])
    return Status.from_json(answer["status"])


def _read_line(report: IO[bytes], timeout: float) -> bytes:
    deadline = time.monotonic() + timeout
    data = b""
    while not data.endswith(b"\n"):
        readable, _, _ = select.select([report], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            raise LocalError(f"the edge is not ready after {timeout:g} s; see log/supervisor.log in the state folder")
        part = os.read(report.fileno(), 1 << 16)
        if not part:
            return b""
        data += part
    return data


def _ask(state: StateFolder, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    if state.holder() is None:
        raise LocalError(f"no edge runs in {state.path}; start it with `edgewright up`")
    deadline = time.monotonic() + 5
    while True:
        try:
            return control.ask(state, request, timeout)
        except (FileNotFoundError, ConnectionRefusedError):
            # It is still starting.
            if time.monotonic() > deadline:
                raise LocalError(f"the supervisor of {state.path} does not answer; see log/supervisor.log") from None
            time.sleep(0.02)
        except TimeoutError:
            raise LocalError(f"the supervisor of {state.path} did not finish within {timeout:g} s") from None
        except OSError as error:
            raise LocalError(f"the supervisor of {state.path} went away: {error}") from None


def _gone(state: StateFolder, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while state.holder():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _sweep(run: str) -> None:
    """End the processes of a run whose supervisor is gone; only those that carry its mark."""
    for _ in range(200):
        remains = marked(run)
        if not remains:
            return
        for process in remains:
            send(process, signal.SIGKILL)
        time.sleep(0.02)
