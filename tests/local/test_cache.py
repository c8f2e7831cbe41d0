"""Answers that are kept, on a running edge with two gateways."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.ports import free_port
from local.shared_edge import SharedEdge, shared_edge

COUNT = iter(range(10**9))


def fresh(path: str) -> str:
    """A path that no test has asked for yet."""
    return f"{path}/{next(COUNT)}-{time.monotonic_ns()}"


@pytest.fixture(scope="module")
def edge() -> Generator[SharedEdge]:
    port = free_port()
    spec = {
        "name": "cache",
        "listener": {"protocol": "http", "port": port},
        "authorizers": {
            "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
            "partner": {"api_key": {"clients": ["acme", "globex"]}},
        },
        "backends": {"a": {"port": 1}},
        "defaults": {"auth": "none", "cors": {"allow_origins": ["https://app.example"]}},
        "compression": {"min_size": "100B"},
        "routes": {
            "GET /all/*": {"backend": "a", "cache": {"ttl": "60s", "vary_by": {"query": "*"}}},
            "GET,HEAD /some/*": {"backend": "a", "cache": {"ttl": "60s", "vary_by": {"query": ["page"], "headers": ["accept-language"]}}},
            "GET /short/*": {"backend": "a", "cache": {"ttl": "2s"}},
            "ANY /any/*": {"backend": "a", "cache": {"ttl": "60s"}},
            "GET /mine/*": {"backend": "a", "auth": "main", "cache": {"ttl": "60s", "share": "per_user"}},
            "GET /keyed/*": {"backend": "a", "auth": "partner", "cache": {"ttl": "60s", "share": "per_user"}},
            "GET /shared/*": {"backend": "a", "auth": "main", "cache": {"ttl": "60s", "share": "public"}},
            "GET /moved/*": {"backend": "a", "cache": {"ttl": "60s"}, "rewrite": {"prefix": "/inner"}},
            "GET /delay/{ms}": {"backend": "a", "cache": {"ttl": "60s", "vary_by": {"query": ["k"]}}},
            "GET /status/{code}": {"backend": "a", "cache": {"ttl": "60s", "vary_by": {"query": "*"}}},
        },
    }  # fmt: skip
    with shared_edge(spec, listeners={"default": {"port": port}}) as running:
        yield running


def states(edge: SharedEdge, path: str, times: int, **more: Any) -> list[str]:
    return [edge.ask(path, **more).headers["x-cache"] for _ in range(times)]


def test_the_first_answer_is_a_miss_and_the_others_are_hits_over_both_gateways(edge: SharedEdge) -> None:
    path = fresh("/all")
    assert states(edge, path, 6) == ["MISS", "HIT", "HIT", "HIT", "HIT", "HIT"]
    assert edge.seen(path) == 1


def test_an_answer_is_the_same_while_it_is_kept_and_says_its_age(edge: SharedEdge) -> None:
    path = fresh("/all")
    first, *others = [edge.ask(path) for _ in range(4)]
    assert {answer.text for answer in others} == {first.text}
    assert "age" in others[-1].headers


def test_twenty_concurrent_misses_make_one_request_upstream(edge: SharedEdge) -> None:
    key = next(COUNT)
    before = edge.seen("/delay/300")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(edge.ask, [f"/delay/300?k={key}-{before}"] * 20))
    assert {answer.status for answer in answers} == {200}
    assert edge.seen("/delay/300") - before == 1


def test_an_answer_expires(edge: SharedEdge) -> None:
    path = fresh("/short")
    assert states(edge, path, 3) == ["MISS", "HIT", "HIT"]
    time.sleep(3.1)
    assert states(edge, path, 2) == ["MISS", "HIT"]
    assert edge.seen(path) == 2


def test_only_the_named_parameters_and_headers_tell_answers_apart(edge: SharedEdge) -> None:
    path = fresh("/some")
    assert edge.ask(f"{path}?page=1&utm=x").headers["x-cache"] == "MISS"
    assert edge.ask(f"{path}?utm=y&page=1").headers["x-cache"] == "HIT"
    assert edge.ask(f"{path}?page=2").headers["x-cache"] == "MISS"
    assert edge.ask(f"{path}?page=1", {"accept-language": "de"}).headers["x-cache"] == "MISS"
    assert edge.ask(f"{path}?page=1", {"accept-language": "de"}).headers["x-cache"] == "HIT"


def test_the_order_of_parameters_does_not_matter(edge: SharedEdge) -> None:
    path = fresh("/all")
    assert edge.ask(f"{path}?a=1&b=2").headers["x-cache"] == "MISS"
    assert edge.ask(f"{path}?b=2&a=1").headers["x-cache"] == "HIT"
    assert edge.ask(f"{path}?a=1&b=2&c=3").headers["x-cache"] == "MISS"
    assert edge.ask(f"{path}?a=1%26b=2").headers["x-cache"] == "MISS"


def test_the_backend_sees_the_request_as_it_was_sent(edge: SharedEdge) -> None:
    path = fresh("/some")
    seen = edge.ask(f"{path}?page=1&utm=x").json()
    assert (seen["path"], seen["query"]) == (path, "page=1&utm=x")
    assert not [name for name in seen["headers"] if name.startswith("x-edge")]
    moved = fresh("/moved")
    assert edge.ask(f"{moved}?q=1").json()["path"] == moved.replace("/moved", "/inner")


def test_another_method_is_never_answered_from_the_cache(edge: SharedEdge) -> None:
    path = fresh("/any")
    assert edge.ask(path).headers["x-cache"] == "MISS"
    assert edge.ask(path, method="POST", body=b"x").json()["method"] == "POST"
    assert edge.ask(path, method="POST", body=b"x").json()["count"] == 3
    assert edge.ask(path).headers["x-cache"] == "HIT"


def test_head_is_answered_without_a_body(edge: SharedEdge) -> None:
    path = fresh("/some")
    assert edge.ask(path).status == 200
    answer = edge.ask(path, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_per_user_keeps_an_answer_for_each_user(edge: SharedEdge) -> None:
    path = fresh("/mine")
    ann, bob = edge.bearer(subject="ann"), edge.bearer(subject="bob")
    assert states(edge, path, 2, headers=ann) == ["MISS", "HIT"]
    assert states(edge, path, 2, headers=bob) == ["MISS", "HIT"]
    assert edge.seen(path) == 2
    assert edge.ask(path).status == 401


def test_per_user_means_the_client_where_callers_have_keys(edge: SharedEdge) -> None:
    path = fresh("/keyed")
    for client in ("acme", "globex"):
        assert states(edge, path, 2, headers={"x-api-key": edge.key("partner", client)}) == ["MISS", "HIT"]


def test_public_shares_an_answer_among_those_who_may(edge: SharedEdge) -> None:
    path = fresh("/shared")
    ann = edge.bearer(subject="ann")
    assert edge.ask(path, ann).json()["headers"]["authorization"] == ann["authorization"]
    assert edge.ask(path, edge.bearer(subject="bob")).headers["x-cache"] == "HIT"
    assert edge.ask(path).status == 401


def test_what_a_caller_of_a_public_route_says_of_themselves_does_not_end_up_in_everybodys_answer(
    edge: SharedEdge,
) -> None:
    path = fresh("/all")
    seen = edge.ask(path, {"authorization": "Bearer x", "cookie": "session=1"}).json()["headers"]
    assert not {"authorization", "cookie"} & set(seen)
    assert edge.ask(path).headers["x-cache"] == "HIT"


@pytest.mark.parametrize("code", [201, 404, 500])
def test_only_200_is_kept(edge: SharedEdge, code: int) -> None:
    path = f"/status/{code}?{next(COUNT)}-{time.monotonic_ns()}"
    assert states(edge, path, 3) == ["BYPASS"] * 3


@pytest.mark.parametrize(
    "said", ["h.cache-control=no-store", "h.cache-control=private", "h.set-cookie=a=b", "h.vary=*"]
)
def test_what_the_service_says_is_not_to_be_kept_is_not(edge: SharedEdge, said: str) -> None:
    path = f"{fresh('/all')}?{said}"
    assert states(edge, path, 3) == ["BYPASS"] * 3


def test_what_the_service_says_of_caching_reaches_the_client(edge: SharedEdge) -> None:
    path = f"{fresh('/all')}?h.cache-control=max-age=7"
    assert {edge.ask(path).headers["cache-control"] for _ in range(3)} == {"max-age=7"}
    assert "cache-control" not in edge.ask(fresh("/all")).headers


@pytest.mark.parametrize(
    "headers", [{"cache-control": "no-cache"}, {"pragma": "no-cache"}, {"if-none-match": '"x"'}, {"range": "bytes=0-1"}]
)
def test_a_client_cannot_make_the_edge_forget(edge: SharedEdge, headers: dict[str, str]) -> None:
    path = fresh("/all")
    edge.ask(path)
    answer = edge.ask(path, headers)
    assert (answer.status, answer.headers["x-cache"]) == (200, "HIT")


def test_a_hit_is_compressed_and_carries_cors_for_who_asks(edge: SharedEdge) -> None:
    path = fresh("/all")
    plain = edge.ask(path)
    answer = edge.ask(path, {"origin": "https://app.example", "accept-encoding": "gzip"})
    assert (answer.headers["x-cache"], answer.headers["content-encoding"]) == ("HIT", "gzip")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in plain.headers
    assert "content-encoding" not in plain.headers


def test_a_change_of_what_tells_answers_apart_holds_at_once() -> None:
    port = free_port()

    def spec(query: list[str]) -> dict[str, Any]:
        cache = {"ttl": "60s", "vary_by": {"query": query}}
        return {
            "name": "changed",
            "listener": {"protocol": "http", "port": port},
            "backends": {"a": {"port": 1}},
            "routes": {"GET /x": {"backend": "a", "cache": cache}},
        }

    with shared_edge(spec([]), listeners={"default": {"port": port}}) as running:
        for _ in range(3):
            assert running.ask("/x?page=1").json()["query"] == running.ask("/x?page=2").json()["query"]
        running.update(spec(["page"]))
        for _ in range(3):
            assert running.ask("/x?page=1").json()["query"] == "page=1"
            assert running.ask("/x?page=2").json()["query"] == "page=2"
