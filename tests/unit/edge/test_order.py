"""The one total order of routes."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.edge.resolve import resolve
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import SpecError
from unit.edge.specs import SHOP, spec, with_routes

MATCHES = {"headers": {"x-a": "1"}}


def keys(routes: dict[str, object]) -> list[str]:
    return [route.key for route in with_routes(routes).routes]


def test_an_exact_path_comes_before_a_variable_before_a_prefix() -> None:
    wanted = ["ANY /orders/mine", "ANY /orders/{id}", "ANY /orders/*"]
    assert keys(dict.fromkeys(reversed(wanted), "orders")) == wanted


def test_the_longer_prefix_comes_first() -> None:
    wanted = ["ANY /a/b/c/*", "ANY /a/b/*", "ANY /a/*", "ANY /*"]
    assert keys(dict.fromkeys(reversed(wanted), "orders")) == wanted


def test_a_method_comes_before_any_and_one_method_before_several() -> None:
    wanted = ["GET /a", "GET,POST /a", "ANY /a"]
    assert keys(dict.fromkeys(reversed(wanted), "orders")) == wanted


def test_header_matches_decide_before_query_matches_and_more_before_fewer() -> None:
    routes: dict[str, object] = {
        "GET /a": "orders",
        "GET /a (query)": {"backend": "orders", "match": {"query": {"q": "1"}}},
        "GET /a (header)": {"backend": "orders", "match": {"headers": {"x-a": "1"}}},
        "GET /a (prefix)": {"backend": "orders", "match": {"headers": {"x-a": {"prefix": "1"}}}},
        "GET /a (two)": {"backend": "orders", "match": {"headers": {"x-a": "1", "x-b": "2"}}},
    }
    assert keys(routes) == ["GET /a (two)", "GET /a (header)", "GET /a (prefix)", "GET /a (query)", "GET /a"]


def test_a_websocket_route_comes_before_a_plain_one_on_the_same_path() -> None:
    assert keys({"GET /live": "orders", "WS /live": "orders"}) == ["WS /live", "GET /live"]


@given(st.randoms(use_true_random=False))
def test_two_orders_of_the_same_keys_give_the_same_edge(rng: random.Random) -> None:
    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            items = [(key, shuffled(item)) for key, item in value.items()]
            rng.shuffle(items)
            return dict(items)
        return value

    assert resolve(EdgeSpec.model_validate(shuffled(SHOP))) == resolve(spec())


PARTS = st.sampled_from(["a", "b", "{x}", "{y}"])
PATHS = st.tuples(st.lists(PARTS, max_size=3, unique=True), st.booleans()).map(
    lambda pair: ("".join(f"/{part}" for part in pair[0]) + ("/*" if pair[1] else "")) or "/"
)
KEYS = st.tuples(st.sampled_from(["ANY", "GET", "POST", "GET,POST", "WS", "get", ""]), PATHS).map(
    lambda pair: f"{pair[0]} {pair[1]}"
)
ROUTE = st.one_of(
    st.sampled_from(["orders", "payments", "nobody"]),
    st.fixed_dictionaries(
        {"backend": st.sampled_from(["orders", "auth"])},
        optional={
            "auth": st.sampled_from(["none", "main", "partner", "mian", {"scopes": ["a"]}]),
            "cache": st.sampled_from([{"ttl": "5s"}, {"ttl": "5s", "share": "per_user"}]),
            "match": st.sampled_from([{"headers": {"x-a": "1"}}, {"query": {"q": {"present": True}}}]),
            "quota": st.sampled_from(
                [{"limit": 10, "period": "day"}, {"limit": 1000, "period": "day", "per": "api_key"}]
            ),
            "retry": st.sampled_from([{}, {"non_idempotent": True}, "none"]),
            "timeout": st.sampled_from([{"request": "1s"}, {"backend": "60s"}]),
        },
    ),
)


@given(st.dictionaries(KEYS, ROUTE, max_size=6), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_spec_either_resolves_or_yields_errors_and_always_the_same(
    routes: dict[str, object], reverse: bool
) -> None:
    outcomes: list[object] = []
    for items in (list(routes.items()), list(reversed(routes.items())) if reverse else list(routes.items())):
        try:
            outcomes.append(resolve(spec(routes=dict(items))))
        except SpecError as error:
            assert error.problems
            outcomes.append({(item.route, item.code, item.what) for item in error.problems})
    assert outcomes[0] == outcomes[1]
