"""The oracle: what a resolved edge means for single requests."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.edge.decide import Decision, Identity, Oracle, Request, decide, normalise
from unit.edge.specs import shop, with_routes

SHOP = Oracle(shop())
READER = {"main": Identity("ann", scopes=frozenset({"orders.read"}))}


def ask(target: str, method: str = "GET", **fields: Any) -> Decision:
    return SHOP.decide(Request(method, target, host="api.shop.example", **fields))


def test_a_public_route_goes_to_its_backend_without_a_credential() -> None:
    found = ask("/products?page=2")
    assert (found.status, found.route, found.targets, found.path) == (
        None,
        "GET /products",
        (("orders", 100),),
        "/products?page=2",
    )
    assert found.throttle == ("defaults", "ip:127.0.0.1")


def test_a_protected_route_answers_401_without_a_credential_and_403_without_the_scope() -> None:
    assert ask("/orders/7").status == 401
    assert ask("/payments/7", identities=READER).status == 403
    assert ask("/orders/7", identities=READER).status is None


def test_a_credential_for_another_authorizer_counts_for_nothing() -> None:
    assert (
        ask("/orders/7", identities={"partner": Identity(client="acme", scopes=frozenset({"orders.read"}))}).status
        == 401
    )


def test_a_limit_counts_the_subject_the_client_or_the_address() -> None:
    assert ask("/orders/7", identities=READER).throttle == ("defaults", "subject:ann")
    assert ask("/partners/7", identities={"partner": Identity(client="acme")}).throttle == ("defaults", "api_key:acme")


def test_an_unknown_host_finds_nothing() -> None:
    assert SHOP.decide(Request("GET", "/products", host="evil.example")).reason == "host"
    assert SHOP.decide(Request("GET", "/products", host="API.shop.example.:8443")).route == "GET /products"


def test_a_method_that_nothing_declares_finds_nothing() -> None:
    assert ask("/products", "POST").status == 404


def test_a_websocket_takes_only_websocket_routes() -> None:
    assert ask("/live", websocket=True, identities={"main": Identity("ann")}).route == "WS /live"
    assert ask("/live").status == 404
    assert ask("/orders/7", websocket=True, identities=READER).status == 404


def test_a_method_falls_through_to_a_less_specific_path() -> None:
    edge = with_routes({"GET /a/b": "orders", "ANY /a/*": "payments"})
    identities = {"main": Identity("ann")}
    found = [
        decide(edge, Request(method, "/a/b", host="api.shop.example", identities=identities)).route
        for method in ("GET", "PUT")
    ]
    assert found == ["GET /a/b", "ANY /a/*"]


def test_claims_and_any_scope_are_needed_as_written() -> None:
    auth = {"any_scope": ["a", "b"], "claims": {"role": ["admin", "owner"], "tenant": ["t1"]}}
    oracle = Oracle(with_routes({"GET /x": {"backend": "orders", "auth": auth}}))

    def status(scopes: set[str], claims: dict[str, list[str]]) -> int | None:
        identities = {"main": Identity("ann", scopes=frozenset(scopes), claims=claims)}
        return oracle.decide(Request("GET", "/x", host="api.shop.example", identities=identities)).status

    assert status({"b"}, {"role": ["owner"], "tenant": ["t1"]}) is None
    assert status({"c"}, {"role": ["owner"], "tenant": ["t1"]}) == 403
    assert status({"b"}, {"role": ["owner"]}) == 403
    assert status({"b"}, {"role": ["reader"], "tenant": ["t1"]}) == 403


@pytest.mark.parametrize(
    ("rewrite", "target", "seen"),
    [
        ({"prefix": "/v2"}, "/shop/7?a=1", "/v2/7?a=1"),
        ({"prefix": "/"}, "/shop/7", "/7"),
        ({"prefix": "/"}, "/shop", "/"),
        ({"path": "/v2/all/*"}, "/shop/7/8", "/v2/all/7/8"),
        ({"path": "/fixed"}, "/shop/7", "/fixed"),
        ({"host": "orders.internal"}, "/shop/7", "/shop/7"),
    ],
)
def test_a_rewrite_changes_what_the_backend_sees(rewrite: dict[str, str], target: str, seen: str) -> None:
    oracle = Oracle(with_routes({"ANY /shop/*": {"backend": "orders", "auth": "none", "rewrite": rewrite}}))
    found = oracle.decide(Request("GET", target, host="api.shop.example"))
    assert found.path == seen
    assert found.host == rewrite.get("host", "api.shop.example")


def test_a_redirect_keeps_the_rest_and_the_query() -> None:
    oracle = Oracle(with_routes({"ANY /old/*": {"redirect": "https://www.shop.example/new/*", "auth": "none"}}))
    found = oracle.decide(Request("GET", "/old/7/8?q=1", host="api.shop.example"))
    assert (found.status, found.location) == (308, "https://www.shop.example/new/7/8?q=1")


def test_a_cache_key_has_what_vary_by_names_and_the_user_where_asked() -> None:
    cache = {"ttl": "5s", "share": "per_user", "vary_by": {"query": ["page"], "headers": ["accept-language"]}}
    oracle = Oracle(with_routes({"GET /x": {"backend": "orders", "cache": cache}}))

    def key(target: str, user: str = "ann", **headers: str) -> object:
        request = Request("GET", target, host="api.shop.example", identities={"main": Identity(user)}, headers=headers)
        return oracle.decide(request).cache_key

    assert key("/x?page=1&utm=7") == key("/x?utm=8&page=1")
    assert key("/x?page=1") != key("/x?page=2")
    assert key("/x", "ann") != key("/x", "bob")
    assert key("/x") != key("/x", **{"accept-language": "de"})


def test_a_preflight_is_answered_for_a_route_that_does_not_declare_options() -> None:
    cors = {"allow_origins": ["https://app.example"], "allow_methods": ["PUT"]}
    oracle = Oracle(with_routes({"PUT /x": {"backend": "orders", "cors": cors}}))
    headers = {"origin": "https://app.example", "access-control-request-method": "PUT"}
    assert oracle.decide(Request("OPTIONS", "/x", host="api.shop.example", headers=headers)).reason == "preflight"
    assert oracle.decide(Request("OPTIONS", "/x", host="api.shop.example")).status == 404


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("/a//b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/a/%2e%2e/b", "/b"),
        ("/../../a", "/a"),
        ("/%61dmin", "/admin"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a%20b", "/a%20b"),
        ("/a//../b", "/a/b"),
        ("/a\\b", "/a/b"),
    ],
)
def test_a_path_has_one_reading(raw: str, read: str) -> None:
    assert normalise(raw) == read


@pytest.mark.parametrize(
    "raw",
    [
        "/a%2fb",
        "/a;x=1/b",
        "/a%5cb",
        "/a%00",
        "/a./b",
        "/a%252e",
        "/a%3f",
        "/a%23",
        "/a%zz",
        "a",
        "/a%20/",
        "/a/..%c0%afb",
        "/a\x7f",
    ],
)
def test_a_path_with_two_readings_is_refused(raw: str) -> None:
    assert normalise(raw) is None


@given(st.text(alphabet="/.%2eaAfF;b\\", max_size=20).map(lambda text: "/" + text))
def test_reading_a_path_twice_changes_nothing_and_leaves_no_dots(raw: str) -> None:
    once = normalise(raw)
    if once is not None:
        assert normalise(once) == once
        assert not {".", ".."} & set(once.split("/"))
        assert "//" not in once
