"""What a throttle admits over both gateways, measured with more load than it lets through."""

import json
import os
import signal
from collections.abc import Generator
from dataclasses import dataclass
from time import sleep
from typing import Any

import pytest

from local.edges import RunningEdge, edge, eventually
from local.issuer import Issuer
from local.load import Report, Target, load, start
from local.ports import free_port

# One after another: what they measure is how much gets through.
pytestmark = pytest.mark.xdist_group("load")

RATE = 100
BURST = 200
OFFERED = 400
GATEWAYS = ("gateway-1", "gateway-2")
KEY = "a-key-of-acme-that-only-tests-know"


@dataclass(frozen=True, slots=True)
class Throttled:
    """An edge with throttles, and the issuer whose tokens it takes."""

    edge: RunningEdge
    issuer: Issuer


@pytest.fixture(scope="module")
def throttled(tmp_path_factory: pytest.TempPathFactory) -> Generator[Throttled]:
    port, issuer = free_port(), Issuer()
    throttle = {"rate": f"{RATE}/s", "burst": BURST, "per": "client"}
    small = {"rate": "5/m", "burst": 5}
    routes: dict[str, Any] = {
        "GET /key": {"backend": "orders", "auth": "partner", "throttle": throttle},
        "GET /address": {"backend": "orders", "auth": "none", "throttle": throttle},
        "GET /lost": {"backend": "orders", "auth": "none", "throttle": throttle},
        "GET /small": {"backend": "orders", "auth": "none", "throttle": {**small, "per": "header:x-caller"}},
        "GET /one": {"backend": "orders", "auth": "none", "throttle": {"rate": "1/h", "burst": 1, "per": "route"}},
        "GET /subject": {"backend": "orders", "auth": "main", "throttle": {**small, "per": "subject"}},
    }
    spec = {
        "name": "throttle",
        "listener": {"protocol": "http", "port": port},
        "authorizers": {"main": issuer.authorizer, "partner": {"api_key": {"clients": ["acme"]}}},
        "backends": {"orders": {"port": 8080}},
        "routes": routes,
    }
    state = tmp_path_factory.mktemp("throttle") / "state"
    with edge(state, port, spec, credentials={"partner:acme": KEY}) as running:
        yield Throttled(running, issuer)


def _admitted_a_second(report: Report) -> float:
    """Once the burst is used up: two seconds at 400/s have taken 200 tokens and what came in meanwhile."""
    return report.between(2, 12).ok / 10


def test_a_hundred_a_second_over_both_gateways_are_a_hundred(throttled: Throttled) -> None:
    running = throttled.edge
    before = {name: running.requests_of(name) for name in GATEWAYS}
    # One API key on one route and one address on another, at the same time.
    callers = [Target("GET", f"{running.url}/key", {"x-api-key": KEY}), Target("GET", f"{running.url}/address")]
    attacks = [start([caller], seconds=12, rate=OFFERED, workers=16) for caller in callers]
    reports = [attacking.wait() for attacking in attacks]
    shares = {name: running.requests_of(name) - before[name] for name in GATEWAYS}
    assert min(shares.values()) > OFFERED * 12 * 0.5, f"not spread over both gateways: {shares}"
    for report in reports:
        print(report, f"admitted {_admitted_a_second(report):.1f}/s, gateways {shares}")
        assert set(report.by_status) == {200, 429}
        assert _admitted_a_second(report) == pytest.approx(RATE, rel=0.05)
        # The bucket was full: in all, the burst and what came in since.
        assert report.ok == pytest.approx(BURST + RATE * report.seconds, rel=0.05)


def test_a_small_limit_is_exact_over_both_gateways(throttled: Throttled) -> None:
    for caller in ("a", "b", "c"):
        answers = [throttled.edge.ask("/small", {"x-caller": caller}) for _ in range(20)]
        assert [answer.status for answer in answers] == [200] * 5 + [429] * 15


def test_a_burst_of_one_lets_one_request_through(throttled: Throttled) -> None:
    assert [throttled.edge.ask("/one").status for _ in range(8)] == [200] + [429] * 7


def test_each_subject_has_a_limit_of_its_own(throttled: Throttled) -> None:
    for subject in ("ann", "bob"):
        headers = throttled.issuer.headers(subject)
        assert [throttled.edge.ask("/subject", headers).status for _ in range(8)] == [200] * 5 + [429] * 3
    # Another token of the same subject is the same caller.
    assert throttled.edge.ask("/subject", throttled.issuer.headers("ann")).status == 429


def test_a_refusal_says_when_to_come_back(throttled: Throttled) -> None:
    answers = [throttled.edge.ask("/small", {"x-caller": "patient"}) for _ in range(7)]
    refused = answers[-1]
    assert refused.status == 429
    # Five a minute: the next token is there within 12 seconds.
    assert 1 <= int(refused.headers["retry-after"]) <= 12
    assert refused.headers["content-type"] == "application/problem+json"
    problem = json.loads(refused.body)
    assert problem["status"] == 429
    assert problem["title"]


def test_a_killed_gateway_adds_at_most_its_share_of_one_burst(throttled: Throttled) -> None:
    running = throttled.edge
    with load([Target("GET", f"{running.url}/lost")], rate=OFFERED, workers=16) as attacking:
        sleep(4)
        pid = running.pid("gateway-1")
        assert pid
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: running.pid("gateway-1") not in (None, pid))
        sleep(6)
        report = attacking.stop()
    after = report.between(4, report.seconds)
    lasted = report.seconds - 4
    print(report, f"admitted {after.ok} in {lasted:.1f} s from the kill on")
    assert set(report.by_status) == {200, 429}
    # The gateway that comes back begins with a full bucket: half of the burst where there are two.
    assert RATE * lasted * 0.95 <= after.ok <= RATE * lasted * 1.05 + BURST / len(GATEWAYS)
