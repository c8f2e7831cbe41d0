"""The stack `local` through the real Pulumi engine: what `edgewright up`, `preview` and `down` promise."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from edgewright.automation import StackRun
from edgewright.automation import prepare as prepare_engine
from edgewright.engine import obtain
from edgewright.local import runtime
from edgewright.local.prepare import prepare
from edgewright.local.resource import Edge
from edgewright.up import down, preview, up
from engine.project import REPOSITORY, Project

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    for name in list(os.environ):
        if name.startswith("PULUMI_"):
            monkeypatch.delenv(name)
    made = Project.create(tmp_path / "p")
    monkeypatch.chdir(made.root)
    yield made
    runtime.stop(made.state_dir, drain_seconds=0)


@pytest.fixture
def running(project: Project, capfd: Capture) -> Project:
    assert up("local", yes=True) == 0, capfd.readouterr()
    capfd.readouterr()
    return project


def test_a_preview_says_what_would_be_made_and_makes_nothing(project: Project, capfd: Capture) -> None:
    assert preview("local") == 0
    said = capfd.readouterr().out
    assert "edgewright-local:index:Edge: (create)" in said
    assert "+ GET /hello" in said or "GET /hello" in said
    assert not project.state_dir.exists()


def test_up_serves_and_prints_requests_that_work_as_they_stand(project: Project, capfd: Capture) -> None:
    assert up("local", yes=True) == 0
    said = capfd.readouterr().out
    assert f"hello is up: http://127.0.0.1:{project.port}" in said
    assert project.get("/hello") == (200, "hello")
    assert project.get("/secret")[0] == 401
    assert project.get("/secret", key="correct-horse-battery") == (200, "in")


def test_a_second_up_changes_nothing(running: Project, capfd: Capture) -> None:
    before = running.pid
    assert up("local", yes=True) == 0
    said = capfd.readouterr().out
    assert "3 unchanged" in said
    assert not re.search(r"\d+ (created|updated|replaced|deleted)", said)
    assert running.pid == before


def test_a_preview_names_the_routes_that_change(running: Project, capfd: Capture) -> None:
    running.answers = {"/hello": "hello again", "/new": "new"}
    running.write()
    assert preview("local") == 0
    said = capfd.readouterr().out
    assert re.search(r"\+ GET /new\s*:", said)
    assert re.search(r"~ GET /hello\s*:", said)
    assert "GET /secret" not in said
    assert running.get("/hello") == (200, "hello")


def test_an_update_reloads_the_running_edge(running: Project) -> None:
    before = running.pid
    running.answers = {"/hello": "hello again", "/new": "new"}
    running.write()
    assert up("local", yes=True) == 0
    assert running.get("/hello") == (200, "hello again")
    assert running.get("/new") == (200, "new")
    assert running.pid == before


def test_a_spec_that_is_wrong_leaves_the_edge_as_it_was(running: Project, capfd: Capture) -> None:
    spec = running.root / "stacks/hello.edge.yaml"
    spec.write_text(spec.read_text().replace("status: 200", "status: 99"))
    assert up("local", yes=True) == 1
    said = capfd.readouterr()
    assert "hello.edge.yaml:" in said.err
    assert "Traceback" not in said.err + said.out
    assert "Updating" not in said.out, "the engine was started for nothing"
    assert running.get("/hello") == (200, "hello")


def test_an_edge_that_was_killed_is_dropped_by_a_refresh_and_started_by_the_next_up(running: Project) -> None:
    kill(running)
    stack = StackRun(running.root, "local", obtain(running.root), lambda: None)
    assert stack.refresh()
    assert "edgewright-local:index:Edge" not in {item["type"] for item in resources(running)}
    assert up("local", yes=True) == 0
    assert running.get("/hello") == (200, "hello")


def test_up_alone_starts_an_edge_again_that_was_killed(running: Project, capfd: Capture) -> None:
    kill(running)
    assert up("local", yes=True) == 0
    assert "1 updated" in capfd.readouterr().out
    assert running.get("/hello") == (200, "hello")


def test_a_running_edge_can_be_imported(project: Project, capfd: Capture) -> None:
    assert up("local", engine=False) == 0
    before = project.pid
    imported = pulumi.ResourceOptions(import_=str(project.state_dir))
    artifact = prepare(project.root / "stacks/hello.edge.yaml").artifact

    def program() -> None:
        Edge("hello", artifact, state_dir=project.state_dir, work_dir=project.root, opts=imported)

    assert StackRun(project.root, "local", obtain(project.root), program).up()
    assert "1 imported" in capfd.readouterr().out
    found = {item["type"]: item for item in resources(project)}["edgewright-local:index:Edge"]
    assert found["id"] == str(project.state_dir)
    assert set(found["inputs"]["routes"]) == {"GET /hello", "GET /secret"}
    assert found["outputs"]["url"] == f"http://127.0.0.1:{project.port}"
    assert project.pid == before


def test_up_takes_over_an_edge_that_was_started_without_the_engine(project: Project, capfd: Capture) -> None:
    assert up("local", engine=False) == 0
    before = project.pid
    assert up("local", yes=True) == 0
    assert "created" in capfd.readouterr().out
    assert project.pid == before
    assert project.get("/hello") == (200, "hello")


def test_down_stops_everything_and_may_be_repeated(running: Project, capfd: Capture) -> None:
    run = json.loads((running.state_dir / "lock").read_text())["run"]
    assert running.remains(run)
    assert down("local") == 0
    assert "deleted" in capfd.readouterr().out
    assert running.get("/hello") == (0, "")
    assert running.remains(run) == []
    assert down("local") == 0
    assert "local was not up" in capfd.readouterr().out


def test_down_stops_an_edge_that_the_engine_does_not_know(project: Project) -> None:
    assert up("local", engine=False) == 0
    assert down("local") == 0
    assert project.status is None


def test_down_needs_no_valid_spec(running: Project) -> None:
    (running.root / "stacks/hello.edge.yaml").write_text("nonsense: [")
    assert down("local") == 0
    assert running.status is None


def test_a_port_in_use_is_a_plain_answer_and_the_next_up_works(project: Project, capfd: Capture) -> None:
    with socket.create_server(("127.0.0.1", project.port)):
        assert up("local", yes=True) == 1
    said = capfd.readouterr()
    assert str(project.port) in said.out
    assert "in use" in said.out
    assert "Traceback" not in said.out + said.err
    assert up("local", yes=True) == 0
    assert project.get("/hello") == (200, "hello")


def test_a_given_key_is_encrypted_in_the_state_and_in_the_open_nowhere_but_where_envoy_needs_it(
    running: Project, capfd: Capture
) -> None:
    assert up("local", yes=True) == 0
    said = capfd.readouterr()
    assert "correct-horse-battery" not in said.out + said.err
    found = {item["type"]: item for item in resources(running)}["edgewright-local:index:Edge"]
    assert "ciphertext" in found["inputs"]["credentials"]
    state = [name for name in running.files_with("correct-horse-battery") if "pulumi-state/.pulumi" in name]
    assert state == []


def test_the_repositorys_own_files_are_not_written(running: Project) -> None:
    text = (running.root / "stacks/Pulumi.local.yaml").read_text()
    assert text.startswith("# kept as it is\n")
    assert "encryptionsalt" not in text
    assert sorted(path.name for path in running.root.iterdir()) == [".edgewright", "Pulumi.yaml", "stacks", "tools"]


def test_only_the_owner_can_enter_what_the_stack_keeps(running: Project) -> None:
    for path in (".edgewright", ".edgewright/pulumi-state", ".edgewright/local"):
        assert (running.root / path).stat().st_mode & 0o077 == 0, path


def test_the_lock_of_an_update_that_was_killed_does_not_stand_in_the_way(running: Project, capfd: Capture) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    locks = running.root / ".edgewright/pulumi-state/.pulumi/locks/organization/edgewright/local"
    locks.mkdir(parents=True, exist_ok=True)
    content = {"pid": gone.pid, "username": "x", "hostname": socket.gethostname(), "timestamp": "2026-01-01T00:00:00Z"}
    (locks / "0c3b1d9e-7d0f-4bbb-9c3e-0d6f9d3f0a11.json").write_text(json.dumps(content))
    assert up("local", yes=True) == 0
    assert "it is removed" in capfd.readouterr().out


def test_the_cli_itself_shares_state_and_passphrase_with_edgewright_up(running: Project) -> None:
    """`pulumi destroy` in the repository, without a language host: it decrypts the state and stops the edge."""
    said = cli(running, "destroy", "--yes", "-s", "local", "--color", "never")
    assert "3 deleted" in said
    assert running.status is None
    assert "correct-horse-battery" not in said
    assert up("local", yes=True) == 0
    assert running.get("/hello") == (200, "hello")


def test_a_state_with_another_passphrase_is_not_touched_and_the_remedy_is_named(
    project: Project, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "theirs")
    assert up("local", yes=True) == 0
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    before = project.pid
    assert up("local", yes=True) == 1
    said = capfd.readouterr().err
    assert "say it with PULUMI_CONFIG_PASSPHRASE" in said
    assert "Traceback" not in said
    assert project.pid == before


def test_an_up_that_was_killed_is_made_good_by_the_next_one(project: Project, capfd: Capture) -> None:
    command = [sys.executable, "-m", "edgewright.cli", "up", "local", "--yes"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "infra")}
    with subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL) as killed:
        deadline = time.monotonic() + 60
        while not (project.state_dir / "lock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.killpg(killed.pid, signal.SIGKILL)
    assert up("local", yes=True) == 0
    assert project.get("/hello") == (200, "hello")
    capfd.readouterr()
    assert up("local", yes=True) == 0
    said = capfd.readouterr().out
    assert "pending operations" not in said
    assert "3 unchanged" in said


def test_without_a_terminal_up_does_not_guess(project: Project, capfd: Capture) -> None:
    assert up("local") == 2
    assert "--yes" in capfd.readouterr().err
    assert project.status is None


def resources(project: Project) -> list[dict[str, Any]]:
    """What the engine's state holds."""
    file = project.root / ".edgewright/pulumi-state/.pulumi/stacks/edgewright/local.json"
    return json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])


def kill(project: Project) -> None:
    """End the supervisor without a word, and wait until the kernel has seen to the rest."""
    os.kill(project.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while project.status is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def cli(project: Project, *words: str) -> str:
    """Run the CLI itself in the project's folder, with the passphrase that `edgewright up` made."""
    _, variables = prepare_engine(project.root, "local")
    own = {
        "PULUMI_CONFIG_PASSPHRASE_FILE": variables["PULUMI_CONFIG_PASSPHRASE_FILE"],
        "PULUMI_HOME": str(project.root / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "VIRTUAL_ENV": sys.prefix,
    }
    ran = subprocess.run(
        [str(obtain(project.root).path), "--non-interactive", *words],
        cwd=project.root,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
