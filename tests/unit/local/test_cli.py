"""The command `edgewright`: what it prints, and its exit statuses. What runs behind a verb has tests of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright import cli
from edgewright.cli import main
from edgewright.local import runtime
from edgewright.local.status import Health, Status
from edgewright.spec.problems import Place, Problem, SpecError
from edgewright.usage import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(cli.DEBUG, raising=False)
    return tmp_path


GOOD = """
name: small
listener: {protocol: http, port: 8080}
backends: {orders: {port: 9000}}
routes:
  GET /orders: orders
"""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["check"],
        ["check", "missing.yaml"],
        ["serve", "missing.yaml"],
        ["key", "main"],
        ["status", "--stack", "../x"],
        ["status", "--stack", "a", "--state", "b"],
        ["token", "--lifetime", "soon"],
    ],
)
def test_wrong_use_is_status_2_with_a_reason(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in (error := capsys.readouterr().err)
    assert error.strip()


def test_help_is_status_0_and_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    verbs = (
        "check",
        "schema",
        "plan",
        "diff",
        "compile",
        "serve",
        "up",
        "preview",
        "down",
        "status",
        "token",
        "key",
        "logs",
    )
    assert all(f"    {verb} " in text for verb in verbs)


def test_help_waits_for_no_engine_and_no_server() -> None:
    script = (
        "import sys; from edgewright.cli import main; main(['--help']);"
        "heavy = {'pulumi', 'pydantic', 'cryptography', 'yaml', 'asyncio'};"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_good_spec_is_status_0(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a.edge.yaml").write_text(GOOD)
    assert main(["check", "a.edge.yaml"]) == 0
    assert capsys.readouterr().out == "a.edge.yaml: ok (1 route)\n"


def test_a_bad_spec_is_status_1_and_every_file_is_checked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "bad.edge.yaml").write_text(GOOD.replace("GET /orders: orders", "GET /orders: ordres"))
    (here / "good.edge.yaml").write_text(GOOD)
    assert main(["check", "bad.edge.yaml", "good.edge.yaml"]) == 1
    told = capsys.readouterr()
    assert "bad.edge.yaml:6:" in told.err
    assert "did you mean `orders`?" in told.err
    assert "good.edge.yaml: ok" in told.out


def test_compile_prints_an_artifact_that_can_be_read_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from edgewright.local.artifact import Artifact

    (here / "a.edge.yaml").write_text(GOOD)
    assert main(["compile", "a.edge.yaml"]) == 0
    assert Artifact.from_json(json.loads(capsys.readouterr().out)).name == "small"


def test_bindings_come_from_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a.edge.yaml").write_text(GOOD)
    (here / "b.yaml").write_text("backends: {orders: {address: '127.0.0.1:7777'}}\n")
    assert main(["compile", "a.edge.yaml", "--bindings", "b.yaml"]) == 0
    assert "127.0.0.1:7777" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["[1]", "{", "\x00"])
def test_bindings_that_are_no_mapping_are_wrong_use(here: Path, text: str) -> None:
    (here / "a.edge.yaml").write_text(GOOD)
    (here / "b.yaml").write_text(text)
    assert main(["compile", "a.edge.yaml", "--bindings", "b.yaml"]) == 2


def test_problems_are_printed_as_places_and_reasons(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place("a.edge.yaml", 3, 5, ("routes", "GET /x", "throttle"))

    def fail(given: object) -> int:
        raise SpecError([Problem(place, "it is wrong", "write it right")])

    monkeypatch.setattr(cli, "_status", fail)
    assert main(["status"]) == 1
    assert capsys.readouterr().err == 'a.edge.yaml:3:5: error: route "GET /x": throttle: it is wrong; write it right\n'


def test_a_defect_is_one_line_and_says_where_the_rest_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(cli, "_status", _defect)
    assert main(["status"]) == 70
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "ZeroDivisionError" in error
    (log,) = tmp_path.glob("edgewright-*.log")
    assert str(log) in error
    assert "Traceback" in log.read_text()


def test_a_defect_shows_its_traceback_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(cli.DEBUG, "1")
    monkeypatch.setattr(cli, "_status", _defect)
    assert main(["status"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_nothing_running_is_status_1_and_says_how_to_start(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert main(["status"]) == 1
    assert f"no edge runs in {here / '.edgewright/local'}" in capsys.readouterr().err


def test_the_state_of_a_stack_is_found_from_below_the_project(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".edgewright" / "other").mkdir(parents=True)
    (here / "deep").mkdir()
    monkeypatch.chdir(here / "deep")
    asked: list[Path] = []

    def status(state_dir: Path) -> None:
        asked.append(state_dir)

    monkeypatch.setattr(runtime, "status", status)
    main(["status", "--stack", "other"])
    assert asked == [here / ".edgewright" / "other"]


def test_status_is_readable_and_has_a_form_for_programs(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Status(
        "shop",
        True,
        12,
        here,
        "https://localhost:8443",
        {"web": "https://localhost:8443"},
        "d",
        ("GET /x",),
        {"orders": Health(1, 2)},
        {"balancer": 13, "orders-2": None},
        ("orders-2 is down",),
        here / "ca.crt",
    )

    def status(state_dir: Path) -> Status:
        return found

    monkeypatch.setattr(runtime, "status", status)
    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "shop is up (pid 12) https://localhost:8443"
    assert "orders  1 of 2 healthy" in text
    assert "orders-2  down" in text
    assert main(["status", "--json"]) == 0
    assert Status.from_json(json.loads(capsys.readouterr().out)) == found


def test_only_the_verb_key_prints_a_key(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def credential(state_dir: Path, authorizer: str, client: str) -> str:
        return f"{authorizer}-{client}-key"

    monkeypatch.setattr(runtime, "credential", credential)
    assert main(["key", "main", "acme", "--state", str(here)]) == 0
    assert capsys.readouterr().out == "main-acme-key\n"


def test_logs_of_nothing_is_status_1_and_names_what_there_is(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    (here / "s" / "log").mkdir(parents=True)
    (here / "s" / "log" / "balancer.log").write_text("hello\n")
    assert main(["logs", "nothing", "--state", "s"]) == 1
    assert "known: balancer" in capsys.readouterr().err
    assert main(["logs", "balancer", "--state", "s"]) == 0
    assert capsys.readouterr().out == "hello\n"


def test_a_reader_that_stops_reading_is_no_defect(here: Path) -> None:
    (here / "s" / "log").mkdir(parents=True)
    (here / "s" / "log" / "a.log").write_text("line\n" * 100_000)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "edgewright", "logs", "a", "-n", "100000", "--state", "s"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(30) == 1


def printed_by(script: str, encoding: str = "utf-8") -> tuple[int, bytes, bytes]:
    """How a Python script ends, and what it prints; its standard output is of the encoding."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_file_that_the_machine_refuses_is_named_and_no_defect(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(given: object) -> int:
        return len((here / "nowhere" / "x.md").read_text())

    monkeypatch.setattr(cli, "_status", fail)
    assert main(["status"]) == 1
    assert capsys.readouterr().err == f"edgewright: {here}/nowhere/x.md: No such file or directory\n"


def test_an_error_cannot_steer_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(given: object) -> int:
        raise UsageError("one \x1b[31m\n\ttwo")

    monkeypatch.setattr(cli, "_status", fail)
    assert main(["status"]) == 2
    assert capsys.readouterr().err == "edgewright: one \\x1b[31m\n    two\n"


def test_what_the_terminal_cannot_show_is_shown_as_its_code() -> None:
    script = "from edgewright import cli; cli._status = lambda given: print('a \u2500 b') or 0; cli.main(['status'])"
    assert printed_by(script, "ascii") == (0, b"a \\u2500 b\n", b"")


def test_a_plan_for_a_standard_output_that_is_closed_is_no_defect(here: Path) -> None:
    (here / "a.edge.yaml").write_text(GOOD)
    script = (
        "import sys; from edgewright.cli import main; sys.stdout = None;"
        "sys.exit(main(['plan', 'a.edge.yaml', '--topology', 'aws/balancer-only', '--no-policies']))"
    )
    assert printed_by(script) == (0, b"", b"")


def _defect(given: object) -> int:
    return 1 // 0
