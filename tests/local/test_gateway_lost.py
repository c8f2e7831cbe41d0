"""A gateway that is killed under load: nobody notices, and it comes back by itself."""

import os
import signal
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from local.edges import RunningEdge, edge, eventually
from local.issuer import Issuer
from local.load import Target, load
from local.ports import free_port

# One after another: what they measure is how much gets through.
pytestmark = pytest.mark.xdist_group("load")


def _spec(port: int, issuer: Issuer) -> dict[str, Any]:
    return {
        "name": "lost",
        "listener": {"protocol": "http", "port": port},
        "authorizers": {"main": issuer.authorizer},
        "backends": {"orders": {"port": 8080, "health_check": "/healthz"}},
        "routes": {
            "GET /public": {"backend": "orders", "auth": "none"},
            "PUT /protected": {"backend": "orders", "auth": "main"},
            "GET /cached": {"backend": "orders", "auth": "none", "cache": {"ttl": "60s"}},
        },
    }


def _targets(running: RunningEdge, issuer: Issuer) -> list[Target]:
    token = issuer.headers()
    return [
        Target("GET", f"{running.url}/public"),
        Target("PUT", f"{running.url}/protected", token, b"a body that can be sent again"),
        Target("GET", f"{running.url}/cached"),
    ]


def _is_back(running: RunningEdge, gateway: str, old: int) -> bool:
    """Whether the gateway is another process that answers requests of clients."""
    if running.pid(gateway) in (None, old):
        return False
    try:
        return running.requests_of(gateway) > 0
    except OSError:
        return False


def test_a_killed_gateway_loses_no_idempotent_request_and_comes_back(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        targets = _targets(running, issuer)
        with load(targets, rate=600) as main, load(targets, rate=200, generator="strict") as strict:
            for gateway in ("gateway-1", "gateway-2", "gateway-1"):
                assert eventually(lambda name=gateway: running.requests_of(name) > 200)
                pid = running.pid(gateway)
                assert pid
                os.kill(pid, signal.SIGKILL)
                assert eventually(lambda name=gateway, old=pid: _is_back(running, name, old))
            sleep(2)
            reports = [main.stop(), strict.stop()]
        print(*reports, sep="\n")
    for report in reports:
        assert report.failed == 0, str(report)
        assert report.total > 400


def test_both_gateways_killed_at_once_come_back(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        before = {name: running.pid(name) for name in ("gateway-1", "gateway-2")}
        for pid in before.values():
            assert pid
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: all(running.pid(name) not in (None, pid) for name, pid in before.items()))
        assert eventually(lambda: running.ask("/public").status == 200)
