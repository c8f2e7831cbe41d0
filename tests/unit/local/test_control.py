"""The control socket of a supervisor."""

import asyncio
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edgewright.local import control
from edgewright.local.state import LocalError, StateFolder


async def _echo(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request.get("op") == "fail":
        raise LocalError("it cannot be done")
    return {"said": request.get("op")}


def _asked(folder: Path, ask: Callable[[StateFolder], Any]) -> Any:
    """What ``ask`` returns while a server runs in the folder."""

    async def run() -> Any:
        state = StateFolder(folder)
        state.prepare()
        server = control.Server(state, _echo)
        await server.open()
        try:
            return await asyncio.to_thread(ask, state)
        finally:
            await server.close()
            state.close()

    return asyncio.run(run())


def test_a_request_gets_its_answer(tmp_path: Path) -> None:
    assert _asked(tmp_path / "s", lambda state: control.ask(state, {"op": "hello"}, 5)) == {"said": "hello"}


def test_a_refusal_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="it cannot be done"):
        _asked(tmp_path / "s", lambda state: control.ask(state, {"op": "fail"}, 5))


def test_a_large_request_goes_through(tmp_path: Path) -> None:
    big = "x" * 5_000_000
    assert _asked(tmp_path / "s", lambda state: control.ask(state, {"op": big}, 30)) == {"said": big}


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b"\xff\n"])
def test_what_is_no_request_is_answered_and_not_obeyed(tmp_path: Path, line: bytes) -> None:
    def send(state: StateFolder) -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(state.socket(control.CONTROL))
            client.sendall(line)
            return client.recv(1000)

    assert b'"ok": false' in _asked(tmp_path / "s", send)


def test_only_its_owner_can_open_the_socket(tmp_path: Path) -> None:
    mode = _asked(tmp_path / "s", lambda state: (state / control.CONTROL).stat().st_mode)
    assert stat.S_IMODE(mode) == 0o600


def test_the_socket_works_however_deep_the_folder_lies(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*(["a-folder-with-a-long-name"] * 8))
    assert _asked(deep, lambda state: control.ask(state, {"op": "hi"}, 5)) == {"said": "hi"}


def test_a_socket_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "s")
    state.prepare()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(state / control.CONTROL))
    assert _asked(tmp_path / "s", lambda state: control.ask(state, {"op": "hi"}, 5)) == {"said": "hi"}


def test_the_socket_is_gone_when_the_server_is(tmp_path: Path) -> None:
    _asked(tmp_path / "s", lambda _: None)
    assert not (tmp_path / "s" / control.CONTROL).exists()
    with pytest.raises(FileNotFoundError):
        control.ask(StateFolder(tmp_path / "s"), {"op": "hi"}, 1)


def test_the_kernel_says_who_asks() -> None:
    import os

    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert control.peer_uid(one) == os.geteuid()
