"""`edgewright serve`: an edge in the foreground that follows its files."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edgewright.local import runtime
from edgewright.local.process import marked
from edgewright.local.state import StateFolder
from local.client import get, until
from local.ports import free_port

# What is served is one line of text in the watched file; "bad" does not compile, "refused" is refused by Envoy.
SERVE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from local.handmade import edge, saying, to
from edgewright.local.serve import serve
from edgewright.local.state import StateFolder
from edgewright.spec.problems import Place, Problem, SpecError

spec, state, port = Path(sys.argv[1]), StateFolder(sys.argv[2]), int(sys.argv[3])

def compile_files():
    text = spec.read_text().strip()
    if text == "bad":
        raise SpecError([Problem(Place(str(spec), 1, 1), "it is bad", "write something good")])
    route = to("backend-nowhere") if text == "refused" else saying(text)
    return SimpleNamespace(artifact=edge(port, [route], backends={}), findings=())

serve([spec], compile_files, state, {}, lambda text: print(text, flush=True))
"""


@contextmanager
def _serving(spec: Path, state: Path, port: int) -> Generator[tuple[subprocess.Popen[bytes], Path]]:
    said = spec.with_name("said")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with said.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(spec), str(state), str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
        )
    try:
        until(lambda: "watching for changes" in said.read_text() or running.poll() is not None, 30)
        yield running, said
    finally:
        running.kill()
        running.wait()


def test_a_saved_file_is_reloaded(edge_state: Path, tmp_path: Path) -> None:
    spec, port = tmp_path / "spec", free_port()
    spec.write_text("one")
    with _serving(spec, edge_state, port) as (_, said):
        assert get(port).text == "one"
        spec.write_text("two")
        until(lambda: get(port).text == "two")
        until(lambda: "reloaded in" in said.read_text() and "~ ANY /" in said.read_text())


def test_an_editor_that_replaces_the_file_is_followed_too(edge_state: Path, tmp_path: Path) -> None:
    spec, port = tmp_path / "spec", free_port()
    spec.write_text("one")
    with _serving(spec, edge_state, port):
        other = tmp_path / "spec.swap"
        other.write_text("two")
        other.replace(spec)
        until(lambda: get(port).text == "two")


def test_a_bad_edit_says_why_and_keeps_the_old_edge(edge_state: Path, tmp_path: Path) -> None:
    spec, port = tmp_path / "spec", free_port()
    spec.write_text("one")
    with _serving(spec, edge_state, port) as (_, said):
        for edit, reason in (("bad", "it is bad; write something good"), ("refused", "unknown cluster")):
            spec.write_text(edit)
            until(lambda reason=reason: reason in said.read_text())
            assert get(port).text == "one"
        assert said.read_text().count("the edge goes on as it was") >= 2
        spec.write_text("mended")
        until(lambda: get(port).text == "mended")


def test_interrupting_it_stops_everything(edge_state: Path, tmp_path: Path) -> None:
    spec, port = tmp_path / "spec", free_port()
    spec.write_text("one")
    with _serving(spec, edge_state, port) as (running, said):
        run = StateFolder(edge_state).last_run()
        assert marked(run)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
    assert said.read_text().splitlines()[-1] == "stopped"
    assert marked(run) == []
    assert runtime.status(edge_state) is None


def test_what_is_served_can_be_asked_and_stopped_from_elsewhere(edge_state: Path, tmp_path: Path) -> None:
    spec, port = tmp_path / "spec", free_port()
    spec.write_text("one")
    with _serving(spec, edge_state, port) as (running, _):
        status = runtime.status(edge_state)
        assert status is not None
        assert status.pid == running.pid
        runtime.stop(edge_state)
        assert running.wait(30) == 0
