"""The state folder: whose it is, and who runs in it."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgewright.local.state import LocalError, StateFolder, clean


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    StateFolder(tmp_path / "a" / "b").prepare()
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_a_folder_that_others_can_enter_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o755)
    StateFolder(folder).prepare()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o700)
    if os.geteuid() != 0:
        pytest.skip("giving a folder away takes root")
    os.chown(folder, 65534, 65534)
    with pytest.raises(LocalError, match="belongs to another user"):
        StateFolder(folder).prepare()


def test_a_folder_with_other_things_in_it_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(LocalError, match="not empty"):
        StateFolder(tmp_path).prepare()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_folder_that_another_start_fills_at_this_moment_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o700)
    looked_at = Path.iterdir

    def filled_meanwhile(path: Path) -> Iterator[Path]:
        monkeypatch.undo()
        other = StateFolder(folder)
        other.prepare()
        other.folder("log")
        return looked_at(path)

    monkeypatch.setattr(Path, "iterdir", filled_meanwhile)
    StateFolder(folder).prepare()
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "log"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    with pytest.raises(LocalError, match="not a folder"):
        StateFolder(tmp_path / "s").prepare()


def test_nobody_holds_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert StateFolder(tmp_path / "none").holder() is None


def test_the_holder_is_known_while_it_holds_and_not_after(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "s")
    state.prepare()
    with state.hold("run-1"):
        holder = StateFolder(tmp_path / "s").holder()
        assert holder is not None
        assert (holder.process.pid, holder.run) == (os.getpid(), "run-1")
    assert state.holder() is None
    assert state.last_run() == "run-1"


def test_only_one_can_hold(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "s")
    state.prepare()
    with (
        state.hold("one"),
        pytest.raises(LocalError, match=rf"already running \(pid {os.getpid()}\)"),
        StateFolder(tmp_path / "s").hold("two", patience=0.05),
    ):
        pass
    assert state.last_run() == "one"


def test_a_pid_in_the_file_without_the_lock_means_nothing(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "s")
    state.prepare()
    (state / "lock").write_text(json.dumps({"pid": os.getpid(), "start": 1, "run": "x"}))
    assert state.holder() is None


def test_a_killed_holder_holds_no_more(tmp_path: Path) -> None:
    StateFolder(tmp_path / "s").prepare()
    script = (
        "import sys, time; from edgewright.local.state import StateFolder\n"
        "with StateFolder(sys.argv[1]).hold('r'): print('held', flush=True); time.sleep(60)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "s")], stdout=subprocess.PIPE, env=env
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"held\n"
        holder = StateFolder(tmp_path / "s").holder()
        assert holder is not None
        assert holder.process.pid == child.pid
        child.kill()
        child.wait()
    assert StateFolder(tmp_path / "s").holder() is None


def test_a_file_is_replaced_at_once_and_for_its_owner_only(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "s")
    state.prepare()
    state.write("a/b.json", "one")
    before = (state / "a/b.json").stat().st_ino
    state.write("a/b.json", "two")
    found = (state / "a/b.json").stat()
    assert (state / "a/b.json").read_text() == "two"
    assert found.st_ino != before
    assert stat.S_IMODE(found.st_mode) == 0o600


def test_cleaning_keeps_keys_counts_and_logs(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "s")
    state.prepare()
    for name in ("tls/ca.key", "limits.db", "credentials.json", "log/a.log", "idp/key.pem", "xds/g/lds.json", "x.sock"):
        state.write(name, "x")
    clean(state)
    left = sorted(str(path.relative_to(state.path)) for path in state.path.rglob("*") if path.is_file())
    assert left == ["credentials.json", "idp/key.pem", "limits.db", "lock", "log/a.log", "tls/ca.key"]
