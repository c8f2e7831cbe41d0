"""Ids of operations: one for each method and path, whatever other routes there are, as an import leaves it."""

import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.azure.artifact import Api
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_operations import MAX_ID, MAX_SUMMARY, operations
from edgewright.edge.model import Route
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError


def spec(routes: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "defaults": {"auth": "none"},
        "routes": {key: {"backend": "orders", **item} for key, item in routes.items()},
    }


def routes(*keys: str) -> list[Route]:
    return list(resolve(from_data(spec({key: {} for key in keys}))).routes)


def api(wanted: dict[str, Any]) -> Api:
    found = compile_edge(resolve(from_data(spec(wanted))), {}, "gateway-first", placeholders=True).api
    assert found is not None
    return found


def ids(*keys: str) -> dict[tuple[str, str], str]:
    return {(item.method, item.path): item.id for item in operations(routes(*keys))}


def test_a_path_of_plain_words_is_its_own_id() -> None:
    assert list(ids("GET /", "POST /orders/{id}/lines", "GET /v1/*").values()) == [
        "get-root", "post-orders-p2-lines", "get-v1", "get-v1-rest",
    ]  # fmt: skip


def test_a_path_that_loses_something_has_a_digest() -> None:
    for key in ("GET /a-b", "GET /A", "GET /a_b", "GET /p2", "GET /rest", "GET /root", "GET /12345678", "GET /~"):
        assert re.fullmatch(r"get-[a-z0-9-]+-[0-9a-f]{8}", ids(key).popitem()[1]), key


PARTS = st.sampled_from(
    ["a", "b", "A", "a-b", "a.b", "a_b", "p1", "p2", "p3", "rest", "root", "{x}", "{y}", "12345678", "a" * 70, "~"]
)
PATHS = st.lists(PARTS, min_size=0, max_size=4, unique=True).map(lambda parts: "/" + "/".join(parts))
KEYS = st.tuples(st.sampled_from(["GET", "PUT", "ANY"]), PATHS, st.booleans()).map(
    lambda item: f"{item[0]} {item[1].rstrip('/')}/*" if item[2] else f"{item[0]} {item[1]}"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(KEYS, min_size=2, max_size=6, unique_by=lambda key: re.sub(r"\{.\}", "{}", key)))
def test_no_two_operations_share_an_id_and_none_is_given_another(keys: list[str]) -> None:
    found = ids(*keys)
    assert len(set(found.values())) == len(found)
    for name in found.values():
        assert re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_ID] == name
    for key in keys:
        assert all(found.get(where, name) == name for where, name in ids(key).items())


def test_a_summary_has_room_in_azure_and_the_artifact_says_of_each_route_what_carries_it() -> None:
    told = {f"GET /a (route-{n:03}-{'x' * 20})": {"match": {"headers": {"x-a": str(n)}}} for n in range(20)}
    found = api({"GET /a": {}, **told, "PUT /a": {}})
    operation = found.body["paths"]["/a"]["get"]
    assert len(operation["summary"]) <= MAX_SUMMARY
    assert re.search(r"^GET /a \(route-.* and \d+ more$", operation["summary"])
    assert found.carried == {**dict.fromkeys(("GET /a", *told), ("get-a",)), "PUT /a": ("put-a",)}


def test_a_key_that_has_no_room_is_cut() -> None:
    found = api({f"GET /{'a' * 400}": {}})
    (summary,) = [item["summary"] for methods in found.body["paths"].values() for item in methods.values()]
    assert len(summary) <= MAX_SUMMARY
    assert summary.endswith("aaa...")


def test_a_route_of_several_methods_is_carried_by_several() -> None:
    assert api({"GET,PUT /a,b": {}, "ANY /*": {}}).carried["GET,PUT /a,b"] == ("get-a-b-" + DIGEST, "put-a-b-" + DIGEST)


DIGEST = sha256(b"/a,b").hexdigest()[:8]


def test_paths_that_differ_in_case_alone_are_one_path_to_azure_and_refused() -> None:
    with pytest.raises(SpecError, match=r"Route\.\(paths alike but for case\) of (GET /a/\{x\}|ANY /A/\{y\})"):
        api({"GET /a/{x}": {}, "ANY /A/{y}": {}})
    api({"GET /a": {}, "PUT /A": {}})
