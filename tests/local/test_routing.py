"""Routing on a running edge, held against the oracle: where a request goes, and what the backend sees of it."""

from collections.abc import Generator
from typing import Any

import pytest

from edgewright.edge.decide import Oracle, Request
from local.ports import free_port
from local.shared_edge import SharedEdge, shared_edge

ROUTES: dict[str, Any] = {
    "GET /exact": "a",
    "GET /exact/deeper": "b",
    "ANY /prefix/*": "a",
    "GET /prefix/mine": "b",
    "POST /prefix/{id}": "b",
    "GET /users/{id}": "a",
    "GET /users/{id}/orders/{order}": "b",
    "ANY /files/{name}/*": "a",
    "GET,POST /some": "a",
    "PUT /some": "b",
    "GET /by-header": "a",
    "GET /by-header (beta)": {"backend": "b", "match": {"headers": {"x-beta": "1"}}},
    "GET /by-header (prefix)": {"backend": "b", "match": {"headers": {"x-beta": {"prefix": "2-"}}}},
    "GET /by-header (regex)": {"backend": "b", "match": {"headers": {"x-beta": {"regex": "[3-5]"}}}},
    "GET /by-header (absent)": {"backend": "b", "match": {"headers": {"x-a": "1", "x-b": {"present": False}}}},
    "GET /by-query": "a",
    "GET /by-query (v2)": {"backend": "b", "match": {"query": {"v": "2"}}},
    "GET /by-query (any)": {"backend": "b", "match": {"query": {"debug": {"present": True}}}},
    "ANY /cut/*": {"backend": "a", "rewrite": {"prefix": "/"}},
    "ANY /moved/*": {"backend": "a", "rewrite": {"prefix": "/new/place"}},
    "ANY /v1/{id}/*": {"backend": "a", "rewrite": {"path": "/v2/item/{id}/*"}},
    "GET /fixed/{id}": {"backend": "a", "rewrite": {"path": "/other", "host": "inner.example"}},
    "GET /go": {"redirect": "https://www.example.org/here"},
    "ANY /old/*": {"redirect": {"target": "/fresh/*", "status": 307}},
    "GET /up/*": {"redirect": "/*"},
    "GET /teapot": {"respond": {"status": 418, "body": '{"a": "100%"}', "content_type": "application/json"}},
    "GET /empty": {"respond": {"status": 204}},
    "ANY /headers/*": {
        "backend": "a",
        "headers": {
            "request": {"set": {"x-set": "50%", "x-both": "edge"}, "add": {"x-add": "more"}, "remove": ["x-gone"]},
            "response": {
                "set": {"x-frame-options": "DENY"},
                "add": {"x-more": "%REQ(authorization)%"},
                "remove": ["x-hide"],
            },
        },
    },
    "ANY /admin/*": {"backend": "b", "listener": "admin"},
    "GET /only-web": {"backend": "a", "listener": "web"},
}


@pytest.fixture(scope="module")
def edge() -> Generator[SharedEdge]:
    web, admin = free_port(), free_port()
    spec = {
        "name": "routing",
        "listeners": {
            "web": {"protocol": "http", "port": web, "host": ["shop.example", "*.wild.example"]},
            "admin": {"protocol": "http", "port": admin, "host": "admin.example"},
        },
        "backends": {"a": {"port": 1}, "b": {"port": 2}},
        "routes": ROUTES,
    }
    bindings = {"listeners": {"web": {"port": web}, "admin": {"port": admin}}}
    backends = {
        name: {"command": ["python", "-m", "edgewright.local.samples", "echo", "--version", name]} for name in "ab"
    }
    with shared_edge(spec, **bindings, backends=backends) as running:
        yield running


METHODS = ("GET", "POST", "PUT", "DELETE")
TARGETS = (
    "/exact", "/exact/", "/exact/deeper", "/exactly", "/Exact", "/prefix", "/prefix/", "/prefix/mine", "/prefix/7",
    "/prefix/7/8", "/prefixed", "/users/7", "/users/", "/users/7/orders/8", "/users/7/orders/", "/users//7", "/files/a",
    "/files/a/", "/files/a/b/c", "/files/", "/some", "/cut", "/cut/", "/cut/a/b?x=1", "/moved", "/moved/a?x=%2Fy",
    "/v1/7", "/v1/7/a/b?q=1", "/v1/", "/fixed/7", "/go?x=1", "/old/a/b?x=1", "/old", "/up/a?b=c", "/up", "/teapot",
    "/empty", "/nowhere", "/", "/a/../exact", "/./exact", "/exact?x=/../y", "/%65xact", "//exact", "/prefix/%2e%2e/exact",
    "/prefix/a%20b", "/prefix/a%2fb", "/prefix/a;b", "/prefix/a%5cb", "/prefix/x./y", "/prefix\\mine", "/prefix//../exact", "/prefix/a//../mine", "/headers/x", "/only-web", "/admin/x",
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_every_request_goes_where_the_oracle_says(edge: SharedEdge, method: str) -> None:
    oracle = Oracle(edge.edge)
    differences: list[str] = []
    for target in TARGETS:
        decision = oracle.decide(Request(method, target, listener="web", host="shop.example"))
        answer = edge.ask(target, method=method, host="shop.example")
        if decision.status is not None:
            agree = answer.status == decision.status
            if decision.location:
                location = answer.headers.get("location", "")
                wanted = decision.location
                agree &= location in (wanted, f"http://shop.example:{edge.port}{wanted}")
        else:
            seen = answer.json() if answer.status == 200 else {}
            path = seen.get("path", "") + (f"?{seen['query']}" if seen.get("query") else "")
            agree = (seen.get("version"), path) == (decision.targets[0][0], decision.path)
        if not agree:
            differences.append(f"{method} {target}: {decision} but {answer}")
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize(
    ("headers", "query", "backend"),
    [
        ({}, "", "a"),
        ({"x-beta": "1"}, "", "b"),
        ({"x-beta": "11"}, "", "a"),
        ({"x-beta": "2-x"}, "", "b"),
        ({"x-beta": "4"}, "", "b"),
        ({"x-beta": "44"}, "", "a"),
        ({"x-a": "1"}, "", "b"),
        ({"x-a": "1", "x-b": "1"}, "", "a"),
    ],
)
def test_headers_choose_among_routes_of_one_path(
    edge: SharedEdge, headers: dict[str, str], query: str, backend: str
) -> None:
    assert edge.ask(f"/by-header{query}", headers, host="shop.example").json()["version"] == backend


@pytest.mark.parametrize(
    ("query", "backend"), [("", "a"), ("?v=2", "b"), ("?v=3", "a"), ("?v=22", "a"), ("?debug", "b"), ("?debug=", "b")]
)
def test_query_parameters_choose_among_routes_of_one_path(edge: SharedEdge, query: str, backend: str) -> None:
    assert edge.ask(f"/by-query{query}", host="shop.example").json()["version"] == backend


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.example", 200), ("SHOP.example", 200), ("shop.example:80", 200), ("shop.example.", 200), ("a.wild.example", 200),
        ("localhost", 200), ("127.0.0.1", 200), ("wild.example", 404), ("evil.example", 404), ("shop.example.evil.example", 404),
        ("admin.example", 404),
    ],
)  # fmt: skip
def test_a_listener_answers_for_its_hosts_only(edge: SharedEdge, host: str, status: int) -> None:
    assert edge.ask("/exact", host=host).status == status


def test_a_route_of_one_listener_is_not_reached_through_another(edge: SharedEdge) -> None:
    from local.http import ask

    admin = edge.bindings["listeners"]["admin"]["port"]
    assert edge.ask("/admin/x", host="shop.example").status == 404
    assert edge.ask("/admin/x", {"x-edgewright-listener": "admin"}, host="shop.example").status == 404
    assert ask(admin, "/admin/x", host="admin.example").status == 200
    assert ask(admin, "/only-web", host="admin.example").status == 404
    assert ask(admin, "/exact", host="admin.example").status == 200


def test_request_headers_are_removed_set_and_added(edge: SharedEdge) -> None:
    sent = [("x-gone", "1"), ("x-both", "client"), ("x-set", "client"), ("x-add", "client")]
    seen = edge.ask("/headers/a", sent, host="shop.example").json()["headers"]
    assert "x-gone" not in seen
    assert (seen["x-both"], seen["x-set"]) == ("edge", "50%")
    assert seen["x-add"].replace(" ", "") == "client,more"


def test_response_headers_are_removed_set_and_added_and_a_value_is_never_a_formatter(edge: SharedEdge) -> None:
    answer = edge.ask("/headers/a?h.x-hide=1&h.x-frame-options=ALLOW", {"authorization": "secret"}, host="shop.example")
    assert "x-hide" not in answer.headers
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-more"] == "%REQ(authorization)%"


def test_what_a_backend_runs_on_is_not_told(edge: SharedEdge) -> None:
    answer = edge.ask("/exact?h.server=apache&h.x-powered-by=php", host="shop.example")
    assert not {"server", "x-powered-by", "x-envoy-upstream-service-time"} & set(answer.headers)


def test_a_fixed_answer_is_given_as_written(edge: SharedEdge) -> None:
    answer = edge.ask("/teapot", host="shop.example")
    assert (answer.status, answer.text, answer.headers["content-type"]) == (418, '{"a": "100%"}', "application/json")


def test_a_rewritten_host_is_what_the_backend_sees(edge: SharedEdge) -> None:
    seen = edge.ask("/fixed/7", host="shop.example").json()
    assert (seen["path"], seen["headers"]["host"]) == ("/other", "inner.example")


def test_the_edges_own_headers_do_not_reach_the_backend(edge: SharedEdge) -> None:
    seen = edge.ask("/exact", host="shop.example").json()["headers"]
    assert not [name for name in seen if name.startswith(("x-edge", "x-envoy"))]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"


def test_answers_of_the_edge_are_problem_documents_and_name_no_query(edge: SharedEdge) -> None:
    answer = edge.ask("/nowhere?token=secret", host="shop.example")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["title"], problem["instance"]) == (404, "Not found", "/nowhere")
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


def test_the_body_and_the_method_reach_the_backend(edge: SharedEdge) -> None:
    seen = edge.ask("/prefix/a/b", method="PATCH", body=b"hello", host="shop.example").json()
    assert (seen["method"], seen["body"]) == ("PATCH", "hello")


def test_two_requests_on_one_connection_are_each_routed(edge: SharedEdge) -> None:
    from local.http import send

    line = "GET {} HTTP/1.1\r\nHost: shop.example\r\n{}\r\n"
    data = (line.format("/nowhere", "") + line.format("/exact", "Connection: close\r\n")).encode()
    answer = send(edge.port, data)
    assert answer.status == 404
    assert b"200 OK" in answer.body
