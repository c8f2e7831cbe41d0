"""The services that an edge brings with it, the limits service and the development OpenID provider, as processes."""

import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

from edgewright.local import runtime
from edgewright.local.artifact import Artifact, IdentityIssuer
from edgewright.local.node import LINGER_SECONDS
from local.client import get, until
from local.handmade import edge, saying
from local.ports import free_port

MAIN = IdentityIssuer("main", "https://login.example/", ("api://shop",), ("RS256",))
OTHER = IdentityIssuer("other", "https://other.example/", ("api://other",), ("ES256",))


def _artifact(port: int, identity_port: int, *issuers: IdentityIssuer, limits: bool = True) -> Artifact:
    plain = edge(port, [saying("x")], backends={})
    return replace(plain, limits=limits, identity=issuers, identity_port=identity_port)


def test_both_serve_once_start_returns(edge_state: Path) -> None:
    provider = free_port()

    status = runtime.start(_artifact(free_port(), provider, MAIN), edge_state)

    assert {"limits", "idp"} <= set(status.processes)
    assert get(provider, "/main/jwks").json()["keys"]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(edge_state / "limits.sock"))


def test_each_comes_back_at_the_same_place(edge_state: Path) -> None:
    provider = free_port()
    before = runtime.start(_artifact(free_port(), provider, MAIN), edge_state).processes
    keys = get(provider, "/main/jwks").json()

    for name in ("limits", "idp"):
        pid = before[name]
        assert pid
        os.kill(pid, signal.SIGKILL)

    until(lambda: _pids(edge_state).isdisjoint({None, before["limits"], before["idp"]}))
    until(lambda: not _warnings(edge_state))
    assert get(provider, "/main/jwks").json() == keys


def test_another_issuer_is_served_once_update_returns(edge_state: Path) -> None:
    port, provider = free_port(), free_port()
    runtime.start(_artifact(port, provider, MAIN), edge_state)
    keys = get(provider, "/main/jwks").json()

    runtime.update(_artifact(port, provider, MAIN, OTHER), edge_state)

    assert get(provider, "/other/jwks").status == 200
    assert get(provider, "/main/jwks").json() == keys


def test_what_an_update_no_longer_needs_goes_after_a_while(edge_state: Path) -> None:
    port, provider = free_port(), free_port()
    runtime.start(_artifact(port, provider, MAIN), edge_state)

    runtime.update(_artifact(port, provider, limits=False), edge_state)
    until(lambda: not {"limits", "idp"} & _names(edge_state))
    assert not _listens(provider)

    runtime.update(_artifact(port, provider, MAIN), edge_state)
    assert {"limits", "idp"} <= _names(edge_state)
    assert get(provider, "/main/jwks").status == 200


def test_what_is_wanted_again_at_once_was_never_away(edge_state: Path) -> None:
    port, provider = free_port(), free_port()
    before = runtime.start(_artifact(port, provider, MAIN), edge_state).processes

    runtime.update(_artifact(port, provider, limits=False), edge_state)
    after = runtime.update(_artifact(port, provider, MAIN), edge_state).processes
    time.sleep(LINGER_SECONDS + 0.5)

    assert after == before
    assert {"limits", "idp"} <= _names(edge_state)


def _names(state: Path) -> set[str]:
    status = runtime.status(state)
    assert status
    return set(status.processes)


def _pids(state: Path) -> set[int | None]:
    status = runtime.status(state)
    assert status
    return {status.processes["limits"], status.processes["idp"]}


def _warnings(state: Path) -> tuple[str, ...]:
    status = runtime.status(state)
    assert status
    return status.warnings


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
