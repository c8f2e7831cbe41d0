"""Backends that fail: health checks, ejection, retries, timeouts, canaries, and the status that each failure gets."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Generator

import pytest

from local.client import until
from local.ports import free_port
from local.shared_edge import SharedEdge, echo, shared_edge

BREAKER = {"consecutive_errors": 3, "ejection": "3s", "max_ejection_percent": 100}
CHECK = {"path": "/healthz", "interval": "1s", "timeout": "1s", "healthy_threshold": 1, "unhealthy_threshold": 1}


@contextlib.contextmanager
def breaking_server(port: int) -> Generator[None]:
    """A server that accepts a connection, reads, and breaks it."""
    listening = socket.create_server(("127.0.0.1", port))
    stopped = threading.Event()

    def serve() -> None:
        listening.settimeout(0.1)
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                connection, _ = listening.accept()
                connection.recv(65536)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def edge() -> Generator[SharedEdge]:
    port, nobody, broken = free_port(), free_port(), free_port()
    retried = {"attempts": 3, "on": ["connect-failure", "reset", 503], "non_idempotent": False}
    spec = {
        "name": "failures",
        "listener": {"protocol": "http", "port": port},
        "backends": {
            "a": {"port": 1},
            "pair": {"port": 2, "health_check": CHECK},
            "ejected": {"port": 3, "circuit_breaker": BREAKER},
            "sick": {"port": 4, "health_check": CHECK},
            "nobody": {"port": nobody},
            "broken": {"port": broken},
            "next": {"port": 5},
        },
        "routes": {
            "ANY /a/*": {"backend": "a", "rewrite": {"prefix": "/"}},
            "ANY /retried/*": {"backend": "a", "rewrite": {"prefix": "/"}, "retry": retried},
            "ANY /slow/*": {"backend": "a", "rewrite": {"prefix": "/"}, "timeout": {"request": "400ms"}},
            "GET /try/*": {
                "backend": "a", "rewrite": {"prefix": "/"}, "timeout": {"request": "5s", "backend": "200ms"},
            },
            "ANY /pair/*": {"backend": "pair", "rewrite": {"prefix": "/"}},
            "ANY /ejected/*": {"backend": "ejected", "rewrite": {"prefix": "/"}},
            "ANY /sick/*": {"backend": "sick", "rewrite": {"prefix": "/"}},
            "ANY /nobody/*": "nobody",
            "ANY /broken/*": "broken",
            "ANY /canary/*": {"backend": {"a": 80, "next": 20}},
            "ANY /half/*": {"backend": {"a": 50, "nobody": 50}},
            "ANY /none/*": {"backend": {"a": 100, "next": 0}},
        },
    }  # fmt: skip
    backends = {
        "a": echo(), "pair": echo(2), "ejected": echo(2), "sick": echo(1), "next": echo(1, "--version", "v2"),
        "nobody": {"address": f"127.0.0.1:{nobody}"}, "broken": {"address": f"127.0.0.1:{broken}"},
    }  # fmt: skip
    with (
        breaking_server(broken),
        shared_edge(spec, listeners={"default": {"port": port}}, backends=backends) as running,
    ):
        yield running


def test_a_refused_connection_is_502(edge: SharedEdge) -> None:
    answer = edge.ask("/nobody/x")
    assert (answer.status, answer.json()["title"]) == (502, "Bad gateway")
    assert "127.0.0.1" not in answer.text


def test_a_broken_connection_is_502(edge: SharedEdge) -> None:
    assert edge.ask("/broken/x", method="POST", body=b"x").status == 502


def test_no_healthy_instance_is_503_and_it_comes_back_with_its_health(edge: SharedEdge) -> None:
    def statuses() -> set[int]:
        # Both gateways check for themselves, and do not find out in the same moment.
        return {edge.ask("/sick/x").status for _ in range(4)}

    assert statuses() == {200}
    edge.ask("/sick/health/down", method="POST")
    until(lambda: statuses() == {503})
    assert edge.ask("/sick/x").json()["title"] == "Service unavailable"
    edge.tell_backends("/health/up", "POST")
    until(lambda: statuses() == {200})


def test_a_request_that_takes_too_long_is_504(edge: SharedEdge) -> None:
    answer = edge.ask("/slow/delay/2000")
    assert (answer.status, answer.json()["title"]) == (504, "Gateway timeout")
    assert edge.ask("/slow/delay/50").status == 200


def test_a_try_that_takes_too_long_is_504_although_the_request_had_time(edge: SharedEdge) -> None:
    assert edge.ask("/try/delay/1500").status == 504


def test_an_error_that_a_backend_answers_itself_passes_through(edge: SharedEdge) -> None:
    for status in (400, 401, 404, 429, 500, 502, 503, 504):
        answer = edge.ask(f"/a/status/{status}")
        assert answer.status == status
        assert answer.json()["service"] == "echo"


def test_a_status_that_is_to_be_tried_again_is(edge: SharedEdge) -> None:
    assert edge.ask("/retried/flaky/2").status == 200
    assert edge.ask("/a/flaky/1").status == 503


def test_a_post_is_not_tried_again_unless_it_is_said(edge: SharedEdge) -> None:
    assert edge.ask("/retried/flaky/3", method="POST", body=b"x").status == 503


def test_requests_are_spread_over_healthy_instances(edge: SharedEdge) -> None:
    seen = Counter(edge.ask("/pair/x").json()["instance"] for _ in range(20))
    assert len(seen) == 2
    assert min(seen.values()) >= 6


def test_an_unhealthy_instance_gets_no_requests_until_it_is_well(edge: SharedEdge) -> None:
    down = edge.ask("/pair/health/down", method="POST")
    assert down.status == 200

    def instances() -> set[str]:
        return {edge.ask("/pair/x").json()["instance"] for _ in range(8)}

    until(lambda: len(instances()) == 1)
    edge.tell_backends("/health/up", "POST")
    until(lambda: len(instances()) == 2)


def test_an_instance_that_fails_in_a_row_is_ejected_and_comes_back(edge: SharedEdge) -> None:
    until(lambda: edge.ask("/ejected/status/500").status == 503)
    until(lambda: edge.ask("/ejected/x").status == 200)


def test_a_canary_gets_its_share(edge: SharedEdge) -> None:
    seen = Counter(edge.ask("/canary/x").json()["version"] for _ in range(300))
    # Of 300 with 20 %: four standard deviations around 60 are 28.
    assert 32 <= seen["v2"] <= 88


def test_a_weight_of_nought_gets_nothing(edge: SharedEdge) -> None:
    assert {edge.ask("/none/x").json()["version"] for _ in range(30)} == {"v1"}


def test_a_dead_half_of_the_weights_costs_no_request(edge: SharedEdge) -> None:
    assert Counter(edge.ask("/half/x").status for _ in range(60)) == {200: 60}
