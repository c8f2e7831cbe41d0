"""What a running edge tells of its work: access logs, metrics; and what it never tells: tokens and keys."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from edgewright.local import runtime
from local.client import until
from local.edges import admin
from local.ports import free_port
from local.shared_edge import SharedEdge, shared_edge


def spec(port: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": "observed",
        "listener": {"protocol": "http", "port": port},
        "authorizers": {
            "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
            "query": {
                "jwt": {
                    "issuer": "https://login.shop.example/",
                    "audiences": ["api://shop"],
                    "from": {"query": "access_token"},
                }
            },
            "partner": {"api_key": {"clients": ["acme"]}},
        },
        "backends": {"a": {"port": 1}},
        "routes": {
            "GET /main/{id}": {"backend": "a", "auth": "main"},
            "GET /query": {"backend": "a", "auth": "query"},
            "GET /key": {"backend": "a", "auth": "partner"},
            "GET /cached": {"backend": "a", "auth": "none", "cache": {"ttl": "60s"}},
            "GET /limited": {"backend": "a", "auth": "none", "throttle": {"rate": "1/h", "burst": 1}},
        },
        **changes,
    }


@pytest.fixture(scope="module")
def edge() -> Generator[SharedEdge]:
    port = free_port()
    with shared_edge(spec(port), listeners={"default": {"port": port}}) as running:
        yield running


def entries(folder: Path, request_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in (folder / "log").glob("access-gateway-*.log"):
        found += [
            entry for line in file.read_text().splitlines() if (entry := json.loads(line))["request_id"] == request_id
        ]
    return found


def entry_of(edge: SharedEdge, request_id: str) -> dict[str, Any]:
    until(lambda: len(entries(edge.folder, request_id)) == 1)
    return entries(edge.folder, request_id)[0]


def test_a_request_is_logged_with_its_route_subject_upstream_and_status(edge: SharedEdge) -> None:
    answer = edge.ask("/main/7?secret=1", {**edge.bearer(subject="ann"), "user-agent": "tests"})
    entry = entry_of(edge, answer.headers["x-request-id"])
    assert (entry["method"], entry["path"], entry["route"], entry["status"]) == (
        "GET",
        "/main/7",
        "GET /main/{id}",
        200,
    )
    assert (entry["subject"], entry["client_ip"], entry["user_agent"]) == ("ann", "127.0.0.1", "tests")
    assert entry["upstream"].startswith("127.0.0.1:")
    assert isinstance(entry["duration"], int)


def test_a_request_that_is_refused_is_logged_too(edge: SharedEdge) -> None:
    entry = entry_of(edge, edge.ask("/main/7").headers["x-request-id"])
    assert (entry["status"], entry["route"], entry["subject"]) == (401, "GET /main/{id}", None)


def test_the_log_says_what_came_from_the_cache(edge: SharedEdge) -> None:
    edge.ask("/cached")
    entry = entry_of(edge, edge.ask("/cached").headers["x-request-id"])
    assert entry["cache"] == "HIT"


def test_health_checks_are_not_logged(edge: SharedEdge) -> None:
    logs = "".join(file.read_text() for file in (edge.folder / "log").glob("access-*.log"))
    assert "/_edge/ready" not in logs


def test_no_token_key_or_query_is_in_any_log_or_in_what_the_edge_prints(edge: SharedEdge) -> None:
    token, query, key = edge.token(), edge.token("query"), edge.key("partner", "acme")
    statuses = [
        edge.ask("/main/7", {"authorization": f"Bearer {token}"}).status,
        edge.ask(f"/query?access_token={query}").status,
        edge.ask(f"/query?access_token={query}x").status,
        edge.ask("/key", {"x-api-key": key}).status,
        edge.ask("/key", {"x-api-key": key + "x"}).status,
        edge.ask("/nowhere", {"authorization": f"Bearer {token}", "cookie": f"session={token}"}).status,
    ]
    assert statuses == [200, 200, 401, 200, 401, 404]
    until(
        lambda: "/nowhere" in "".join(file.read_text() for file in (edge.folder / "log").glob("access-gateway-*.log"))
    )
    secrets = (key, token, query, query.rsplit(".", 1)[1], token.rsplit(".", 1)[1])
    for file in (edge.folder / "log").iterdir():
        text = file.read_text()
        assert not [secret for secret in secrets if secret in text], file
    assert key not in json.dumps(runtime.status(edge.folder).to_json())  # type: ignore[union-attr]


def test_metrics_are_there_in_prometheus_form(edge: SharedEdge) -> None:
    edge.ask("/limited")
    assert edge.ask("/limited").status == 429
    text = "".join(admin(edge.folder / "admin" / f"gateway-{n}.sock", "/stats/prometheus") for n in (1, 2))
    for name in ("envoy_http_downstream_rq_xx", "envoy_cluster_upstream_rq_total", "envoy_cluster_membership_healthy"):
        assert f"# TYPE {name}" in text
    assert 'envoy_cluster_name="backend-a"' in text


def test_fields_and_a_sample_can_be_chosen_and_failures_are_logged_whatever_the_sample() -> None:
    port = free_port()
    log = {"fields": ["request_id", "status"], "sample": 0.000001}
    with shared_edge(spec(port, access_log=log), listeners={"default": {"port": port}}) as running:
        good = [running.ask("/cached").headers["x-request-id"] for _ in range(20)]
        bad = running.ask("/main/1").headers["x-request-id"]
        entry = entry_of(running, bad)
        assert entry == {"request_id": bad, "status": 401}
        assert [entries(running.folder, item) for item in good] == [[]] * 20
