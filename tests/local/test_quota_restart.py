"""Calendar quotas: exact over both gateways, and no count is lost by a restart or a kill."""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local.edges import RunningEdge, edge, eventually
from local.issuer import Issuer
from local.load import Target, attack
from local.ports import free_port

# One after another: what they measure is how much gets through.
pytestmark = pytest.mark.xdist_group("load")

LIMIT = 500
GROUP_COMMIT = 50
"""Requests whose count may be lost by a kill: those of the last moments before it."""


def _spec(port: int, issuer: Issuer) -> dict[str, Any]:
    quota = {"limit": LIMIT, "period": "month"}
    return {
        "name": "quota",
        "listener": {"protocol": "http", "port": port},
        "authorizers": {"main": issuer.authorizer},
        "backends": {"orders": {"port": 8080}},
        "routes": {
            "GET /address": {"backend": "orders", "auth": "none", "quota": {**quota, "per": "ip"}},
            "GET /subject": {"backend": "orders", "auth": "main", "quota": {**quota, "per": "subject"}},
            "GET /both": {
                "backend": "orders",
                "auth": "none",
                "throttle": {"rate": "1/h", "burst": 3, "per": "ip"},
                "quota": {"limit": 5, "period": "month", "per": "ip"},
            },
        },
    }


def _count(running: RunningEdge, path: str, headers: dict[str, str] | None = None) -> int:
    """How many requests have been counted, by what the next one is told is left; it is counted too."""
    return LIMIT - int(running.ask(path, headers).headers["x-quota-remaining"])


def test_a_quota_counts_exactly_over_both_gateways(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        before = {name: running.requests_of(name) for name in ("gateway-1", "gateway-2")}
        report = attack([Target("GET", f"{running.url}/address")], seconds=4, rate=200, workers=16)
        shares = {name: running.requests_of(name) - before[name] for name in before}
        assert min(shares.values()) > report.total * 0.3, f"not spread over both gateways: {shares}"
        assert report.by_status == {200: LIMIT, 429: report.total - LIMIT}
        refused = running.ask("/address")
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["content-type"] == "application/problem+json"


def test_each_subject_has_a_quota_of_its_own(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        ann, bob = issuer.headers("ann"), issuer.headers("bob")
        assert [_count(running, "/subject", ann) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert _count(running, "/subject", bob) == 1
        assert _count(running, "/subject", issuer.headers("ann")) == 6


def test_a_throttled_request_does_not_use_up_the_quota(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        answers = [running.ask("/both") for _ in range(10)]
        assert Counter(answer.status for answer in answers) == {200: 3, 429: 7}
        assert [answer.headers["x-quota-remaining"] for answer in answers[:3]] == ["4", "3", "2"]


def test_a_quota_goes_on_where_it_was_after_stop_and_start(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        assert [_count(running, "/address") for _ in range(20)] == list(range(1, 21))
        running.stop()
        running.start(_spec(port, issuer))
        assert _count(running, "/address") == 21


def test_a_kill_of_the_limits_service_loses_at_most_the_last_moments(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        report = attack([Target("GET", f"{running.url}/address")], seconds=1, rate=200, workers=16)
        pid = running.pid("limits")
        assert pid
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: running.pid("limits") not in (None, pid))
        assert eventually(lambda: running.ask("/subject", issuer.headers()).status == 200)
        counted = _count(running, "/address") - 1
        print(f"{report.ok} counted before the kill, {counted} after it")
        assert report.ok - GROUP_COMMIT <= counted <= report.ok


def test_requests_are_refused_while_nothing_can_count_them(tmp_path: Path) -> None:
    issuer, port = Issuer(), free_port()
    with edge(tmp_path / "state", port, _spec(port, issuer)) as running:
        pid = running.pid("limits")
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            assert running.ask("/address").status in (500, 503)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert eventually(lambda: running.ask("/address").status == 200)
