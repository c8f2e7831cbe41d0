"""Children of the edge: told apart, ended, logged and started again."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from edgewright.local import process
from edgewright.local.process import Identity, Keeper, Launch, Log, Process, Scrubber, alive, identify, marked, send

ENV = {"PATH": os.environ["PATH"]}


def _log(tmp_path: Path, secrets: tuple[str, ...] = (), limit: int = 10_000) -> Log:
    return Log(tmp_path / "log" / "child.log", Scrubber(secrets), limit)


def test_a_process_is_known_by_its_start_time_too() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert alive(me)
    assert not alive(Identity(me.pid, me.start + 1))


def test_no_signal_reaches_a_process_that_took_over_a_pid() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        found = identify(child.pid)
        assert found is not None
        assert not send(Identity(child.pid, found.start - 1), signal.SIGKILL)
        assert child.poll() is None
        assert send(found, signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen(["true"]) as child:
        _until(lambda: "Z" in Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0])
        assert identify(child.pid) is None


def test_marked_processes_are_found_and_no_others() -> None:
    with subprocess.Popen(["sleep", "60"], env={**ENV, process.MARK: "feed"}) as child:
        _until(lambda: [found.pid for found in marked("feed")] == [child.pid])
        assert marked("fee") == []
        assert marked("") == []
        child.kill()


def test_secrets_do_not_reach_the_log(tmp_path: Path) -> None:
    log = _log(tmp_path, ("open-sesame",))
    log.feed(b"the key is open-")
    log.feed(b"sesame, really\n")
    log.close()
    assert log.path.read_text() == "the key is ***, really\n"
    assert list(log.tail) == ["the key is ***, really"]


def test_the_longer_of_two_secrets_is_taken_first() -> None:
    assert Scrubber(["secret", "secret-long"])("secret-long secret") == "*** ***"


def test_a_log_is_bounded_and_closed_to_others(tmp_path: Path) -> None:
    log = _log(tmp_path, limit=1000)
    for number in range(500):
        log.feed(f"line {number}\n".encode())
    log.close()
    older = log.path.with_name("child.log.1")
    assert sorted(path.name for path in log.path.parent.iterdir()) == ["child.log", "child.log.1"]
    assert log.path.stat().st_size + older.stat().st_size < 2100
    assert log.path.read_text().endswith("line 499\n")
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_a_line_without_an_end_does_not_grow_without_bound(tmp_path: Path) -> None:
    log = _log(tmp_path)
    for _ in range(100):
        log.feed(b"x" * 10_000)
    assert log.path.stat().st_size > 0
    log.close()


def test_a_child_runs_in_a_session_of_its_own_with_only_its_environment(tmp_path: Path) -> None:
    async def run() -> None:
        log = _log(tmp_path)
        child = Process(Launch(("env",), {"OWN": "1"}), cwd=tmp_path, env=ENV, log=log)
        assert os.getsid(child.pid) == child.pid
        assert await child.ended() == 0
        log.close()
        assert sorted(log.path.read_text().split()) == sorted([f"PATH={ENV['PATH']}", "OWN=1"])

    asyncio.run(run())


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    async def run() -> None:
        log = _log(tmp_path)
        launch = Launch(("sh", "-c", "sleep 60 & echo $!; wait"))
        child = Process(launch, cwd=tmp_path, env=ENV, log=log)
        await _eventually(lambda: bool(log.tail))
        grandchild = int(log.tail[0])
        await child.stop(5)
        await _eventually(lambda: identify(grandchild) is None)

    asyncio.run(run())


def test_a_child_that_does_not_listen_is_ended_after_the_grace(tmp_path: Path) -> None:
    async def run() -> int:
        log = _log(tmp_path)
        launch = Launch(("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"))
        child = Process(launch, cwd=tmp_path, env=ENV, log=log)
        await _eventually(lambda: "deaf" in log.tail)
        await child.stop(0.2)
        return await child.ended()

    assert asyncio.run(run()) == -signal.SIGKILL


def test_a_child_dies_with_its_parent_however_that_dies(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from edgewright.local.process import Launch, Log, Process, Scrubber
async def run():
    here = Path(sys.argv[1])
    child = Process(Launch(("sleep", "600")), cwd=here, env={}, log=Log(here / "log", Scrubber()))
    print(child.pid, flush=True)
    await child.ended()
asyncio.run(run())
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, env=env, text=True
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert identify(pid)
        parent.kill()
    _until(lambda: identify(pid) is None)


def test_a_keeper_starts_a_dead_child_again(tmp_path: Path) -> None:
    async def run() -> None:
        ups: list[bool] = []
        keeper = _keeper(tmp_path, ("sleep", "60"), ups)
        keeper.start()
        assert await keeper.wait_up(10)
        first = keeper.pid
        assert first
        os.kill(first, signal.SIGKILL)
        await _eventually(lambda: keeper.up and keeper.pid not in (None, first))
        await keeper.stop(2)
        assert ups == [True, False, True, False]
        assert keeper.pid is None
        assert "SIGKILL" in (tmp_path / "log" / "child.log").read_text()

    asyncio.run(run())


def test_a_keeper_waits_longer_and_longer_for_one_that_keeps_dying(tmp_path: Path) -> None:
    async def run() -> None:
        keeper = _keeper(tmp_path, ("false",), [])
        keeper.start()
        await _eventually(lambda: keeper.starts >= 5)
        await keeper.stop(1)

    asyncio.run(run())
    lines = (tmp_path / "log" / "child.log").read_text().splitlines()
    assert [line.rpartition("starts again in ")[2] for line in lines[:4]] == ["0 s", "0.1 s", "0.2 s", "0.5 s"]


def test_a_keeper_outlives_a_command_that_does_not_exist(tmp_path: Path) -> None:
    async def run() -> Keeper:
        keeper = _keeper(tmp_path, ("no-such-program",), [])
        keeper.start()
        await _eventually(lambda: keeper.starts >= 2)
        await keeper.stop(1)
        return keeper

    keeper = asyncio.run(run())
    assert not keeper.up
    assert "cannot start child" in (tmp_path / "log" / "child.log").read_text()


def _keeper(tmp_path: Path, argv: tuple[str, ...], ups: list[bool]) -> Keeper:
    async def ready(_: Keeper) -> None:
        await asyncio.sleep(0.02)

    async def changed(keeper: Keeper) -> None:
        ups.append(keeper.up)

    def never(_: Keeper) -> Awaitable[None]:
        return asyncio.sleep(60)

    return Keeper(
        "child",
        launch=lambda: Launch(argv),
        ready=ready if argv[0] == "sleep" else never,
        changed=changed,
        cwd=tmp_path,
        env=ENV,
        log=_log(tmp_path),
    )


async def _eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.01)
