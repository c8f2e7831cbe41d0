"""Two hundred changes of a running edge under load, without one failed request."""

from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from edgewright.local import runtime
from local.edges import RunningEdge, edge
from local.issuer import Issuer
from local.load import Target, load
from local.ports import free_port

UPDATES = 200
REQUESTS = 100_000
RATE, STRICT_RATE = 550, 150

GUARDS: tuple[Any, ...] = ("none", "main", {"authorizer": "main", "scopes": ["orders.write"]})
WITHOUT_TOKEN = (200, 401, 401)
WITH_TOKEN = (200, 200, 403)


def _spec(http: int, https: int, issuer: Issuer, version: int) -> dict[str, Any]:
    """What version ``version`` of the edge is.

    Each version adds a route, takes one away, moves the weights of a canary, and changes the auth of one route and the
    throttle of another. A change of what stands in the listeners is slower, and comes every tenth version: the throttle
    of a large bucket, and an authorizer that is not always there.
    """
    added = {
        f"GET /added-{number}": {"backend": "orders", "auth": "none"} for number in range(version - 2, version + 1)
    }
    once = {"throttle": {"rate": "1/h", "burst": 1, "per": "header:x-version"}}
    large = {"throttle": {"rate": f"{100_000 + version // 10}/s", "burst": 200_000, "per": "ip"}}
    authorizers: dict[str, Any] = {"main": issuer.authorizer}
    if version // 10 % 2:
        authorizers["partner"] = {"api_key": {"clients": ["acme"]}}
        added["GET /partners"] = {"backend": "orders", "auth": "partner"}
    weights = {"orders": 100 - version % 100, "payments": version % 100}
    return {
        "name": "reload",
        "listeners": {"plain": {"protocol": "http", "port": http}, "web": {"protocol": "https", "port": https}},
        "authorizers": authorizers,
        "backends": {"orders": {"port": 8080, "health_check": "/healthz"}, "payments": {"port": 8081}},
        "routes": {
            **added,
            "GET /public": {"backend": "orders", "auth": "none"},
            "GET /protected": {"backend": "orders", "auth": "main"},
            "GET /canary": {"backend": weights, "auth": "none"},
            "GET /cached": {"backend": "orders", "auth": "none", "cache": {"ttl": "60s", "vary_by": {"query": "*"}}},
            "GET /throttled": {"backend": "orders", "auth": "none", **large},
            "GET /counted": {"backend": "orders", "auth": "none", "quota": {"limit": 10**9, "period": "month"}},
            "GET /guarded": {"backend": "orders", "auth": GUARDS[version % 3]},
            "GET /limited": {"backend": "orders", "auth": "none", **(once if version % 2 else {})},
        },
    }


def _assert_is_there(running: RunningEdge, token: dict[str, str], version: int) -> None:
    """The change is there when the update returns, whichever gateway is asked."""
    for _ in range(2):
        assert running.ask(f"/added-{version}").status == 200
        assert running.ask(f"/added-{version - 3}").status == 404
        assert running.ask("/guarded").status == WITHOUT_TOKEN[version % 3]
        assert running.ask("/guarded", token).status == WITH_TOKEN[version % 3]
    limited = [running.ask("/limited", {"x-version": str(version)}).status for _ in range(2)]
    assert limited == ([200, 429] if version % 2 else [200, 200])


@pytest.mark.xdist_group("load")
def test_two_hundred_updates_under_load_lose_no_request(tmp_path: Path) -> None:
    issuer = Issuer()
    token = issuer.headers()
    http, https = free_port(), free_port()
    with edge(tmp_path / "state", http, _spec(http, https, issuer, 0)) as running:
        status = runtime.status(running.state)
        assert status
        paths = ("/public", "/protected", "/canary", "/cached?page=1", "/throttled")
        encrypted = [Target("GET", f"https://localhost:{https}{path}", token) for path in paths]
        plain = [Target("GET", f"{running.url}{path}", token) for path in (*paths, "/counted")]
        # vegeta over TLS, and at the same time the strict generator, which sees what Go would send again in silence.
        with (
            load(encrypted, rate=RATE, root_cert=status.ca_certificate) as main,
            load(plain, rate=STRICT_RATE, generator="strict") as strict,
        ):
            began = monotonic()
            for version in range(1, UPDATES + 1):
                running.update(_spec(http, https, issuer, version))
                _assert_is_there(running, token, version)
            took = monotonic() - began
            sleep(max(0.0, 1.05 * REQUESTS / (RATE + STRICT_RATE) - took))
            reports = [main.stop(), strict.stop()]
        print(f"{UPDATES} updates in {took:.0f} s", *reports, sep="\n")
    for report in reports:
        assert report.failed == 0, str(report)
    assert sum(report.total for report in reports) >= REQUESTS
