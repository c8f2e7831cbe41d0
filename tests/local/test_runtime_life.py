"""The life of a local edge: it starts whole or not at all, mends itself, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from edgewright.local import runtime
from edgewright.local.artifact import Artifact, BackendProcess
from edgewright.local.process import identify, marked
from edgewright.local.runtime import LocalError, Status
from edgewright.local.state import StateFolder
from local.client import Answer, get, until
from local.handmade import GATEWAYS, edge, holding_a_port, saying, to
from local.load import Target, start
from local.ports import free_port


def test_start_returns_once_the_first_request_is_answered(edge_state: Path) -> None:
    port = free_port()

    status = runtime.start(edge(port, [to("backend-app")], backends={"app": 2}), edge_state)

    assert get(port, "/x").json()["name"] == "app"
    assert status.alive
    assert (status.backends["app"].healthy, status.backends["app"].total) == (2, 2)
    assert set(status.processes) == {"balancer", *GATEWAYS, "app-1", "app-2"}
    assert status.warnings == ()


def test_status_survives_its_json_form(edge_state: Path) -> None:
    status = runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state)
    assert Status.from_json(json.loads(json.dumps(status.to_json()))) == status


def test_what_runs_can_be_read_back(edge_state: Path) -> None:
    artifact = edge(free_port(), [saying("x")], backends={})
    runtime.start(artifact, edge_state)
    assert runtime.running_artifact(edge_state) == artifact


def test_a_port_in_use_is_named_with_who_wants_it_and_who_holds_it(edge_state: Path) -> None:
    with holding_a_port() as taken, pytest.raises(LocalError) as error:
        runtime.start(edge(taken, [saying("x")]), edge_state)

    assert f"listener 'web' cannot open 127.0.0.1:{taken}" in str(error.value)
    assert f"pid {os.getpid()}" in str(error.value)
    assert runtime.status(edge_state) is None
    assert not list(edge_state.glob("xds")), "something was started before the port was looked at"


def test_a_second_start_is_refused_and_disturbs_nothing(edge_state: Path) -> None:
    port = free_port()
    first = runtime.start(edge(port, [saying("first")], backends={}), edge_state)

    with pytest.raises(LocalError, match=rf"already running \(pid {first.pid}\)"):
        runtime.start(edge(free_port(), [saying("second")], backends={}), edge_state)

    assert get(port).text == "first"
    assert runtime.status(edge_state) == first


def test_two_starts_at_once_give_one_edge(edge_state: Path) -> None:
    ports = (free_port(), free_port())
    outcomes: list[str] = []

    def try_to_start(port: int) -> None:
        try:
            runtime.start(edge(port, [saying("x")], backends={}), edge_state)
            outcomes.append("started")
        except LocalError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=try_to_start, args=(port,)) for port in ports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("started") == 1, outcomes
    assert sum("already running" in outcome for outcome in outcomes) == 1, outcomes


def test_a_refused_configuration_leaves_nothing_running(edge_state: Path) -> None:
    port = free_port()

    with pytest.raises(LocalError, match=r"unknown cluster 'backend-nowhere'"):
        runtime.start(edge(port, [to("backend-nowhere")]), edge_state)

    assert runtime.status(edge_state) is None
    assert marked(StateFolder(edge_state).last_run()) == []
    with pytest.raises(ConnectionRefusedError):
        get(port)


def test_stop_ends_every_process_and_removes_sockets(edge_state: Path) -> None:
    status = runtime.start(edge(free_port(), [to("backend-app")]), edge_state)

    runtime.stop(edge_state)

    assert runtime.status(edge_state) is None
    assert not [pid for pid in (status.pid, *status.processes.values()) if pid and identify(pid)]
    assert not [path for path in edge_state.rglob("*") if path.is_socket()]
    assert not (edge_state / "xds").exists()


def test_stop_is_no_error_when_nothing_runs_or_ever_did(edge_state: Path) -> None:
    runtime.stop(edge_state)
    runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state)
    runtime.stop(edge_state)
    runtime.stop(edge_state)
    assert runtime.status(edge_state) is None


def test_stop_lets_a_request_under_way_finish(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")]), edge_state)
    answers: list[Answer] = []
    client = threading.Thread(target=lambda: answers.append(get(port, "/slow?wait=1.5")))
    client.start()
    time.sleep(0.5)

    runtime.stop(edge_state, drain_seconds=10)

    client.join()
    assert answers[0].status == 200


def test_stop_does_not_wait_longer_than_it_is_told(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")]), edge_state)
    attack = start([Target("GET", f"http://127.0.0.1:{port}/slow?wait=14")], rate=1, seconds=1, generator="strict")
    time.sleep(0.5)
    began = time.monotonic()

    runtime.stop(edge_state, drain_seconds=0.2)

    assert time.monotonic() - began < 10
    attack.kill()


def test_a_killed_supervisor_takes_everything_with_it(edge_state: Path) -> None:
    status = runtime.start(edge(free_port(), [to("backend-app")]), edge_state)

    os.kill(status.pid, signal.SIGKILL)

    until(lambda: not marked(StateFolder(edge_state).last_run()))
    assert runtime.status(edge_state) is None


def test_after_a_killed_supervisor_a_start_just_works(edge_state: Path) -> None:
    port = free_port()
    artifact = edge(port, [to("backend-app")])
    status = runtime.start(artifact, edge_state)
    os.kill(status.pid, signal.SIGKILL)

    until(lambda: runtime.status(edge_state) is None)
    again = runtime.start(artifact, edge_state)

    assert again.pid != status.pid
    assert get(port, "/x").status == 200


def test_after_a_killed_supervisor_stop_cleans_up(edge_state: Path) -> None:
    status = runtime.start(edge(free_port(), [to("backend-app")]), edge_state)
    os.kill(status.pid, signal.SIGKILL)

    runtime.stop(edge_state)

    assert not [path for path in edge_state.rglob("*") if path.is_socket()]
    assert marked(StateFolder(edge_state).last_run()) == []


def test_what_a_backend_started_itself_goes_too(edge_state: Path) -> None:
    # A shell that forks, whose child detaches itself: nothing but the mark in its environment leads to it.
    script = "setsid sleep 600 & echo forked; exec sleep 600"
    artifact = _with_process(edge(free_port(), [saying("x")], backends={"app": 1}), ("sh", "-c", script))
    outcome: list[str] = []
    starting = threading.Thread(target=lambda: outcome.append(_start(artifact, edge_state)))
    starting.start()
    state = StateFolder(edge_state)
    until(lambda: len([item for item in marked(state.last_run()) if _command(item.pid).startswith("sleep")]) == 2)
    holder = state.holder()
    assert holder is not None

    runtime.stop(edge_state)

    starting.join()
    assert marked(holder.run) == []
    assert outcome == ["the edge was stopped before it was ready"]


def test_a_stuck_supervisor_is_ended_by_its_pid(edge_state: Path) -> None:
    status = runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state)
    os.kill(status.pid, signal.SIGSTOP)

    stopping = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from edgewright.local import runtime, control;"
            "runtime.GRACE_SECONDS = 1; runtime.stop(sys.argv[1], drain_seconds=0)",
            str(edge_state),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        timeout=60,
        check=False,
    )

    assert stopping.returncode == 0
    assert runtime.status(edge_state) is None
    assert identify(status.pid) is None


def test_a_pid_that_now_belongs_to_somebody_else_is_left_alone(edge_state: Path) -> None:
    runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state)
    runtime.stop(edge_state)
    with subprocess.Popen(["sleep", "600"]) as innocent:
        try:
            lock = {"pid": innocent.pid, "start": 1, "run": "0123456789abcdef"}
            (edge_state / "lock").write_text(json.dumps(lock))

            assert runtime.status(edge_state) is None
            runtime.stop(edge_state)

            assert innocent.poll() is None
        finally:
            innocent.kill()


@pytest.mark.parametrize("name", ["gateway-1", "balancer", "app-1"])
def test_a_killed_process_comes_back_by_itself(edge_state: Path, name: str) -> None:
    port = free_port()
    before = runtime.start(edge(port, [to("backend-app")]), edge_state).processes[name]
    assert before is not None

    os.kill(before, signal.SIGKILL)

    until(lambda: _status(edge_state).processes[name] not in (None, before))
    until(lambda: _answers(port))
    until(lambda: _status(edge_state).alive and not _status(edge_state).warnings)


def test_no_request_is_lost_while_a_gateway_is_killed(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")], backends={"app": 2}), edge_state)

    attack = start([Target("GET", f"http://127.0.0.1:{port}/x")], rate=400, workers=32, generator="strict")
    try:
        time.sleep(0.5)
        for name in GATEWAYS:
            pid = _status(edge_state).processes[name]
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            until(lambda name=name, pid=pid: _status(edge_state).processes[name] not in (None, pid))
            until(lambda: _status(edge_state).alive)
        time.sleep(0.5)
    finally:
        report = attack.stop()

    assert report.failed == 0, str(report)
    assert report.total > 400


def test_gateways_count_only_those_that_live(edge_state: Path) -> None:
    pid = runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state).processes["gateway-2"]
    assert pid is not None
    endpoints = edge_state / "xds/eds/gateways.json"
    assert _addresses(endpoints) == ["gateway-1.sock", "gateway-2.sock"]
    version = endpoints.read_text()

    os.kill(pid, signal.SIGKILL)

    # Seen without the gateway, or already with it again: the file has been written twice more.
    until(lambda: endpoints.read_text() != version)
    until(lambda: _addresses(endpoints) == ["gateway-1.sock", "gateway-2.sock"])


def test_a_backend_that_is_down_is_a_warning_and_no_failure(edge_state: Path) -> None:
    nobody = free_port()

    status = runtime.start(
        edge(free_port(), [saying("x")], backends={"app": [f"127.0.0.1:{nobody}"]}),
        edge_state,
    )

    assert status.alive
    assert status.warnings == (f"backend app: its instance is not healthy (127.0.0.1:{nobody})",)


def test_a_backend_command_that_fails_is_a_warning_that_says_what_it_said(edge_state: Path) -> None:
    artifact = _with_process(
        edge(free_port(), [saying("x")], backends={"app": 1}), ("sh", "-c", "echo no such database; exit 3")
    )

    status = runtime.start(artifact, edge_state)

    assert any("app-1 does not stay up: no such database" in warning for warning in status.warnings), status.warnings
    assert "exit status 3" in (edge_state / "log/app-1.log").read_text()


def test_a_backend_command_that_does_not_exist_is_a_warning(edge_state: Path) -> None:
    artifact = _with_process(edge(free_port(), [saying("x")], backends={"app": 1}), ("no-such-program",))

    status = runtime.start(artifact, edge_state)

    assert status.alive
    assert "no-such-program" in (edge_state / "log/app-1.log").read_text()
    assert any("app-1" in warning for warning in status.warnings)


def test_backends_run_where_the_caller_is_and_know_their_port(edge_state: Path, tmp_path: Path) -> None:
    port = free_port()
    artifact = _with_process(
        edge(port, [to("backend-app")], backends={"app": 1}),
        ("sh", "-c", f'pwd > place; echo "$PORT ${{PORT}}" > port; exec {sys.executable} "$0" app', _answerer()),
    )

    runtime.start(artifact, edge_state, work_dir=tmp_path)

    assert (tmp_path / "place").read_text().strip() == str(tmp_path)
    told = (tmp_path / "port").read_text().split()
    assert told[0] == told[1]
    assert get(port, "/x").status == 200


def _start(artifact: Artifact, state: Path) -> str:
    try:
        runtime.start(artifact, state)
    except LocalError as error:
        return str(error)
    return "started"


def _with_process(artifact: Artifact, command: tuple[str, ...]) -> Artifact:
    data = artifact.to_json()
    data["processes"] = [_fields(BackendProcess("app-1", "backend-app", command))]
    return Artifact.from_json(data)


def _fields(process: BackendProcess) -> dict[str, object]:
    return {
        "name": process.name,
        "backend": process.backend,
        "command": list(process.command),
        "env": dict(process.env),
    }


def _answerer() -> str:
    return str(Path(__file__).with_name("answerer.py"))


def _status(state: Path) -> Status:
    found = runtime.status(state)
    assert found is not None
    return found


def _answers(port: int) -> bool:
    try:
        return get(port, "/x").status == 200
    except OSError:
        return False


def _addresses(path: Path) -> list[str]:
    data = json.loads(path.read_text())["resources"][0]
    hosts = [host for group in data["endpoints"] for host in group["lb_endpoints"]]
    return [host["endpoint"]["address"]["pipe"]["path"] for host in hosts]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_an_edge_whose_folder_was_removed_ends_by_itself(edge_state: Path) -> None:
    status = runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state)
    pids = [pid for pid in (status.pid, *status.processes.values()) if pid]

    shutil.rmtree(edge_state)

    until(lambda: not any(identify(pid) for pid in pids))
