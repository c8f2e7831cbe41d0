"""Two hundred changes of a running edge under load, without one failed request."""

from pathlib import Path
from typing import Any

from edgewright.local import runtime
from local.edges import edge
from local.issuer import Issuer
from local.load import Target, load
from local.ports import free_port

UPDATES = 200
REQUESTS = 100_000

AUTH = ("none", "main", {"authorizer": "main", "scopes": ["orders.write"]})


def _spec(http: int, https: int, issuer: Issuer, version: int) -> dict[str, Any]:
    """Each version adds a route and removes the one of three versions ago; the others change in steps of their own."""
    added = {
        f"GET /added-{number}": {"backend": "orders", "auth": "none"}
        for number in range(max(0, version - 2), version + 1)
    }
    authorizers: dict[str, Any] = {"main": issuer.authorizer}
    if version % 10 >= 5:
        authorizers["partner"] = {"api_key": {"clients": ["acme"]}}
        added["GET /partners"] = {"backend": "orders", "auth": "partner"}
    return {
        "name": "reload",
        "listeners": {
            "plain": {"protocol": "http", "port": http},
            "web": {"protocol": "https", "port": https},
        },
        "authorizers": authorizers,
        "backends": {"orders": {"port": 8080, "health_check": "/healthz"}, "payments": {"port": 8081}},
        "routes": {
            **added,
            "GET /public": {"backend": "orders", "auth": "none"},
            "GET /protected": {"backend": "orders", "auth": "main"},
            "GET /canary": {"backend": {"orders": 100 - version % 100, "payments": version % 100}, "auth": "none"},
            "GET /cached": {"backend": "orders", "auth": "none", "cache": {"ttl": "60s", "vary_by": {"query": "*"}}},
            "GET /throttled": {
                "backend": "orders",
                "auth": "none",
                "throttle": {"rate": f"{100_000 + version % 7}/s", "burst": 200_000, "per": "ip"},
            },
            "GET /guarded": {"backend": "orders", "auth": AUTH[version % 3]},
            "GET /limited": {
                "backend": "orders",
                "auth": "none",
                **({"throttle": {"rate": "1/h", "burst": 1, "per": "header:x-version"}} if version % 2 else {}),
            },
        },
    }


def test_two_hundred_updates_under_load_lose_no_request(tmp_path: Path) -> None:
    issuer = Issuer()
    token = issuer.headers()
    http, https = free_port(), free_port()
    with edge(tmp_path / "state", http, _spec(http, https, issuer, 0)) as running:
        paths = ("/public", "/protected", "/canary", "/cached?page=1", "/throttled")
        encrypted = [Target("GET", f"https://localhost:{https}{path}", token) for path in paths]
        plain = [Target("GET", f"{running.url}{path}", token) for path in paths]
        authority = _authority(running.state)
        # vegeta over TLS, and at the same time the strict generator, which would see what Go sends again in silence.
        with (
            load(encrypted, rate=1000, root_cert=authority) as main,
            load(plain, rate=300, generator="strict") as strict,
        ):
            for version in range(1, UPDATES + 1):
                running.update(_spec(http, https, issuer, version))
                # The change is there when the update returns, on both gateways.
                for _ in range(2):
                    assert running.ask(f"/added-{version}").status == 200
                    if version >= 3:
                        assert running.ask(f"/added-{version - 3}").status == 404
                    assert running.ask("/guarded").status == (200 if version % 3 == 0 else 401)
                    assert running.ask("/guarded", token).status == (403 if version % 3 == 2 else 200)
                unlimited = [running.ask("/limited", {"x-version": str(version)}).status for _ in range(3)]
                assert unlimited == ([200, 429, 429] if version % 2 else [200, 200, 200])
            reports = [main.stop(), strict.stop()]
        print(*reports, sep="\n")
    for report in reports:
        assert report.failed == 0, str(report)
    assert sum(report.total for report in reports) >= REQUESTS


def _authority(state: Path) -> Path:
    status = runtime.status(state)
    assert status
    assert status.ca_certificate
    return status.ca_certificate
