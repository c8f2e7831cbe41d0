"""Ways round the edge, all of which must be closed: forged tokens, paths read in two ways, forged private headers."""

from collections.abc import Generator
from typing import Any

import pytest

from local import forge
from local.http import send
from local.ports import free_port
from local.shared_edge import SharedEdge, shared_edge


@pytest.fixture(scope="module")
def edge() -> Generator[SharedEdge]:
    port = free_port()
    spec = {
        "name": "bypass",
        "listener": {"protocol": "http", "port": port, "host": "shop.example"},
        "authorizers": {
            "main": {"jwt": {"issuer": forge.ISSUER, "audiences": [forge.AUDIENCE]}},
            "partner": {"api_key": {"clients": ["acme"]}},
        },
        "backends": {"open": {"port": 1}, "closed": {"port": 2}},
        "defaults": {"auth": "main"},
        "routes": {
            "ANY /public/*": {"backend": "open", "auth": "none"},
            "GET /cached/*": {"backend": "open", "auth": "none", "cache": {"ttl": "60s"}},
            "ANY /admin/*": {"backend": "closed", "auth": {"scopes": ["admin"]}},
            "ANY /orders/*": {"backend": "closed", "auth": {"scopes": ["orders.read"]}},
            "GET /mine": {"backend": "closed", "cache": {"ttl": "60s", "share": "per_user"}},
            "ANY /keyed/*": {"backend": "closed", "auth": "partner"},
            "POST /login": {"backend": "open", "auth": "none", "throttle": {"rate": "1/m", "burst": 3, "per": "ip"}},
            "ANY /*": {"backend": "open", "auth": "none"},
        },
    }
    backends = {
        name: {"command": ["python", "-m", "edgewright.local.samples", "echo", "--version", name]}
        for name in spec["backends"]
    }
    with shared_edge(spec, listeners={"default": {"port": port}}, backends=backends) as running:
        yield running


def token_attacks(edge: SharedEdge) -> dict[str, str]:
    """Tokens none of which may pass."""
    folder = edge.folder
    good = edge.token(scopes=("orders.read",))
    head, payload, signature = good.split(".")
    pem = forge.public_pem(folder)
    return {
        "alg none": forge.unsigned(),
        "alg None with a signature": f"{forge.part({'alg': 'None'})}.{payload}.{signature}",
        "HS256 with the public key": forge.hmac_signed(pem),
        "HS256 with the public key and its kid": forge.hmac_signed(pem, kid=forge_kid(head)),
        "HS256 with an empty secret": forge.hmac_signed(b""),
        "no signature": f"{head}.{payload}.",
        "two parts": f"{head}.{payload}",
        "another payload": f"{head}.{forge.part(forge.claims(scope='orders.read admin'))}.{signature}",
        "a cut signature": good[:-8],
        "expired": forge.signed(folder, exp=1),
        "expired a minute ago": edge.token(scopes=("orders.read",), lifetime=-60),
        "without expiry": forge.signed(folder, exp=None),
        "not yet valid": forge.signed(folder, nbf=4102444800),
        "wrong issuer": forge.signed(folder, iss="https://evil.example/"),
        "issuer without its slash": forge.signed(folder, iss=forge.ISSUER.rstrip("/")),
        "no issuer": forge.signed(folder, iss=None),
        "wrong audience": forge.signed(folder, aud="api://other"),
        "audience as a prefix": forge.signed(folder, aud="api://shop.evil"),
        "no audience": forge.signed(folder, aud=None),
        "unknown kid": forge.signed(folder, header={"kid": "unknown"}),
        "kid as a path": forge.signed(folder, header={"kid": "../../../../dev/null"}),
        "RS512 instead of RS256": forge.signed(folder, header={"alg": "RS512"}),
        "critical extension": forge.signed(folder, header={"crit": ["exp"]}),
        "key of its own": forge.signed(
            folder, header={"kid": None, "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "alg": "RS384"}
        ),
        "JWE": "a.b.c.d.e",
        "empty": "",
    }


def forge_kid(head: str) -> str:
    """The kid of a token's header."""
    import base64
    import json

    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


def test_no_forged_token_passes(edge: SharedEdge) -> None:
    attacks = token_attacks(edge)
    assert len(attacks) >= 24
    assert edge.ask("/orders/1", edge.bearer(scopes=("orders.read",)), host="shop.example").status == 200
    got = {
        name: edge.ask("/orders/1", {"authorization": f"Bearer {t}"}, host="shop.example").status
        for name, t in attacks.items()
    }
    assert {name: status for name, status in got.items() if status != 401} == {}


def test_a_good_token_of_somebody_without_the_scope_is_403_whatever_else_it_says(edge: SharedEdge) -> None:
    says: tuple[dict[str, Any], ...] = (
        {"scope": "ORDERS.READ"},
        {"scope": "orders.read.all"},
        {"scope": None, "scp": "orders.read"},
        {"scope": None, "scopes": "orders.read"},
    )
    for changes in says:
        token = forge.signed(edge.folder, "main", **changes)
        assert edge.ask("/orders/1", {"authorization": f"Bearer {token}"}, host="shop.example").status == 403


@pytest.mark.parametrize("order", [("good", "bad"), ("bad", "good")])
def test_two_authorization_headers_are_refused(edge: SharedEdge, order: tuple[str, str]) -> None:
    tokens = {"good": edge.bearer(scopes=("orders.read",))["authorization"], "bad": f"Bearer {forge.unsigned()}"}
    headers = [("authorization", tokens[name]) for name in order]
    assert edge.ask("/orders/1", headers, host="shop.example").status in (400, 401)


PATHS = (
    "/public/../admin/x", "/public/..%2fadmin/x", "/public/%2e%2e/admin/x", "/public/%2e%2e%2fadmin/x", "/public/.%2e/admin/x",
    "/public/..;/admin/x", "/public/;/../admin/x", "/public//../admin/x", "/public/..%5cadmin/x", "/public/..\\admin/x",
    "/public/%252e%252e/admin/x", "/public/..%252fadmin/x", "/public/..%c0%afadmin/x", "/public/...//admin/x",
    "//admin/x", "///admin/x", "/./admin/x", "/%2fadmin/x", "/%2e/admin/x", "/admin%2fx", "/%61dmin/x", "/admin;a=b/x",
    "/admin./x", "/admin%20/x", "/admin/", "/admin/.", "/admin//x", "/admin/x/../y", "/admin%00/x", "/admin%23/x", "/admin%3f/x",
    "/cached/../admin/x", "/public/a/../../admin/x", "/x/%2e%2e/%2e%2e/admin/x", "/admin\\x", "/admin%5cx", "/public/.././admin/x",
    "http://shop.example/admin/x", "/public#/../admin/x",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_way_of_writing_a_path_leads_to_the_protected_backend_or_to_its_paths(edge: SharedEdge, path: str) -> None:
    answer = edge.ask(path, host="shop.example")
    if answer.status == 200:
        seen = answer.json()
        assert seen["version"] == "open"
        assert not seen["path"].lower().lstrip("/").startswith("admin"), seen
        assert ".." not in seen["path"], seen
    else:
        assert answer.status in (0, 400, 401, 404)


def test_upper_case_is_another_path_and_does_not_reach_the_protected_backend(edge: SharedEdge) -> None:
    for path in ("/ADMIN/x", "/Admin/x", "/%41dmin/x"):
        answer = edge.ask(path, host="shop.example")
        assert answer.status == 404 or answer.json()["version"] == "open"


PRIVATE = (
    "x-edge-subject", "x-edge-client", "x-edge-path", "x-edge-auth", "x-edge-route", "x-edge-plan", "x-edge-key",
    "x-edge-throttle", "x-edge-throttle-key", "x-edge-quota-key", "x-edgewright-listener", "x-envoy-original-path",
    "x-envoy-original-url", "x-envoy-upstream-alt-stat-name", "x-envoy-decorator-operation", "x-envoy-retry-on",
    "x-original-url", "x-rewrite-url", "x-forwarded-prefix", "x-http-method-override", "x-real-ip", "true-client-ip", "forwarded",
)  # fmt: skip


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_or_misleading_header_of_a_client_goes_nowhere(edge: SharedEdge, name: str) -> None:
    for written in (name, name.title()):
        answer = edge.ask("/public/x", {written: "/admin/x"}, host="shop.example")
        assert name not in answer.json()["headers"]
        assert edge.ask("/admin/x", {written: "/public/x"}, host="shop.example").status == 401


def test_a_forged_private_path_does_not_change_what_is_fetched_for_the_cache(edge: SharedEdge) -> None:
    headers = {"x-edge-path": "/admin/x", "x-edge-route": "any.admin.--", "x-edge-auth": "Bearer x"}
    seen = edge.ask("/cached/a", headers, host="shop.example").json()
    assert (seen["version"], seen["path"]) == ("open", "/cached/a")
    assert "authorization" not in seen["headers"]


def test_a_header_with_an_underscore_is_refused(edge: SharedEdge) -> None:
    assert edge.ask("/public/x", {"x_edge_subject": "root"}, host="shop.example").status == 400


def test_the_source_address_is_the_connections_whatever_a_client_says(edge: SharedEdge) -> None:
    seen = edge.ask(
        "/public/x", {"x-forwarded-for": "10.9.8.7, 1.2.3.4"}, host="shop.example", source="127.0.0.5"
    ).json()
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.5"


def test_a_throttle_by_address_is_not_escaped_by_forged_addresses(edge: SharedEdge) -> None:
    statuses = [
        edge.ask(
            "/login", {"x-forwarded-for": f"10.0.0.{n}"}, method="POST", host="shop.example", source="127.0.0.6"
        ).status
        for n in range(6)
    ]
    assert statuses == [200, 200, 200, 429, 429, 429]
    assert edge.ask("/login", method="POST", host="shop.example", source="127.0.0.7").status == 200


def test_one_users_answer_is_never_anothers(edge: SharedEdge) -> None:
    ann = edge.bearer(subject="ann")
    first = edge.ask("/mine", ann, host="shop.example").json()["headers"]["authorization"]
    assert first == ann["authorization"]
    for subject in ("bob", "ann%20", "Ann", "ann&u=ann", ""):
        bearer = edge.bearer(subject=subject)
        seen = edge.ask("/mine", {**bearer, "x-edge-subject": "ann"}, host="shop.example").json()
        assert seen["headers"]["authorization"] == bearer["authorization"]


def test_a_parameter_cannot_imitate_another_part_of_the_cache_key(edge: SharedEdge) -> None:
    ann, bob = edge.bearer(subject="ann"), edge.bearer(subject="bob-himself")
    edge.ask("/mine", ann, host="shop.example")
    for query in ("?s=ann", "?&s=ann", "?q=&s=ann&r=get.mine"):
        seen = edge.ask(f"/mine{query}", bob, host="shop.example").json()
        assert seen["headers"]["authorization"] == bob["authorization"]


def test_two_keys_are_not_a_way_in(edge: SharedEdge) -> None:
    key = edge.key("partner", "acme")
    assert edge.ask("/keyed/x", [("x-api-key", "wrong"), ("x-api-key", key)], host="shop.example").status == 401
    assert edge.ask("/keyed/x", {"x-api-key": f"{key},{key}"}, host="shop.example").status == 401


RAW = {
    "both lengths": b"POST /public/x HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin/x HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "two lengths": b"POST /public/x HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\nGET /admin/x HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "an odd coding": b"POST /public/x HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two hosts": b"GET /public/x HTTP/1.1\r\nHost: shop.example\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "a line without a name": b"GET /public/x HTTP/1.1\r\nHost: shop.example\r\n: x\r\nConnection: close\r\n\r\n",
    "HTTP/1.0": b"GET /public/x HTTP/1.0\r\nHost: shop.example\r\n\r\n",
    "no host": b"GET /public/x HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a NUL": b"GET /public/x HTTP/1.1\r\nHost: shop.example\r\nx-a: a\x00b\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_what_two_servers_may_read_differently_is_refused(edge: SharedEdge, name: str) -> None:
    answer = send(edge.port, RAW[name], timeout=5)
    assert answer.status in (0, 400, 404, 426, 501), answer
    assert b'"closed"' not in answer.body


def test_the_gateways_own_address_is_closed_to_clients(edge: SharedEdge) -> None:
    for path in ("/_edge/ready", "/_edge", "/_edge/x", "//_edge/ready", "/_edge/./ready"):
        assert edge.ask(path, host="shop.example").status == 404
