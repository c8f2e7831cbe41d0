"""Who may, on a running edge: tokens of every algorithm and source, scopes, claims, several authorizers, API keys."""

import json
import urllib.request
from collections.abc import Generator
from typing import Any

import pytest

from edgewright.local import tokens
from local import forge
from local.client import until
from local.ports import free_port
from local.shared_edge import SharedEdge, shared_edge

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512")


def jwt(**fields: Any) -> dict[str, Any]:
    return {"jwt": {"issuer": forge.ISSUER, "audiences": [forge.AUDIENCE, "api://other"], **fields}}


@pytest.fixture(scope="module")
def edge() -> Generator[SharedEdge]:
    port = free_port()
    spec = {
        "name": "auth",
        "listener": {"protocol": "http", "port": port},
        "authorizers": {
            "main": jwt(jwks_refresh="1s"),
            **{name.lower(): jwt(algorithms=[name]) for name in ALGORITHMS},
            "cookie": jwt(**{"from": {"cookie": "session"}}),
            "query": jwt(**{"from": {"query": "access_token"}}),
            "header": jwt(**{"from": {"header": "x-token"}}),
            "entra": jwt(preset="entra"),
            "cognito": jwt(preset="cognito"),
            "second": {"jwt": {"issuer": "https://second.example/", "audiences": ["api://second"]}},
            "partner": {"api_key": {"clients": ["acme", "globex"]}},
            "querykey": {"api_key": {"clients": ["acme"], "from": {"query": "key"}}},
        },
        "backends": {"a": {"port": 1}},
        "defaults": {"auth": "main"},
        "routes": {
            "ANY /main/*": "a",
            "ANY /scoped/*": {"backend": "a", "auth": {"scopes": ["orders.read", "orders.write"]}},
            "ANY /any/*": {"backend": "a", "auth": {"any_scope": ["orders.read", "orders.admin"]}},
            "ANY /claims/*": {"backend": "a", "auth": {"claims": {"role": ["admin", "owner"], "tenant": "t1"}}},
            "ANY /public/*": {"backend": "a", "auth": "none"},
            "ANY /either/*": {"backend": "a", "auth": {"authorizer": ["main", "second"], "scopes": ["orders.read"]}},
            "GET /answer": {"respond": {"body": "secret"}},
            "GET /away": {"redirect": "/main/x"},
            **{f"GET /alg/{name}": {"backend": "a", "auth": name.lower()} for name in ALGORITHMS},
            **{
                f"ANY /by/{name}/*": {"backend": "a", "auth": name}
                for name in ("cookie", "query", "header", "partner", "querykey")
            },
            **{
                f"ANY /preset/{n}/*": {"backend": "a", "auth": {"authorizer": n, "scopes": ["s"]}}
                for n in ("entra", "cognito")
            },
        },
    }
    with shared_edge(spec, listeners={"default": {"port": port}}) as running:
        yield running


def test_a_good_token_is_let_through_and_reaches_the_backend(edge: SharedEdge) -> None:
    bearer = edge.bearer()
    answer = edge.ask("/main/x", bearer)
    assert answer.status == 200
    assert answer.json()["headers"]["authorization"] == bearer["authorization"]


def test_no_token_is_401_with_a_challenge(edge: SharedEdge) -> None:
    answer = edge.ask("/main/x")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["title"] == "Unauthorized"


def test_a_bad_token_is_401_and_says_so(edge: SharedEdge) -> None:
    answer = edge.ask("/main/x", {"authorization": "Bearer a.b.c"})
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize("path", ["/answer", "/away"])
def test_the_edges_own_answers_are_protected_too(edge: SharedEdge, path: str) -> None:
    assert edge.ask(path).status == 401
    assert edge.ask(path, edge.bearer()).status in (200, 308)


def test_a_public_route_needs_no_token_and_minds_no_bad_one(edge: SharedEdge) -> None:
    assert edge.ask("/public/x").status == 200
    assert edge.ask("/public/x", {"authorization": "Bearer nonsense"}).status == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_is_checked_and_only_the_one_that_is_named(edge: SharedEdge, algorithm: str) -> None:
    own = edge.bearer(algorithm.lower())
    assert edge.ask(f"/alg/{algorithm}", own).status == 200
    others = [name for name in ALGORITHMS if name != algorithm]
    assert {edge.ask(f"/alg/{name}", own).status for name in others} == {401}


def test_a_token_in_a_cookie_a_header_or_the_query(edge: SharedEdge) -> None:
    assert edge.ask("/by/cookie/x", {"cookie": f"a=b; session={edge.token('cookie')}"}).status == 200
    assert edge.ask("/by/cookie/x", edge.bearer("cookie")).status == 401
    assert edge.ask("/by/header/x", {"x-token": edge.token("header")}).status == 200
    assert edge.ask("/by/header/x", edge.bearer("header")).status == 401
    assert edge.ask(f"/by/query/x?access_token={edge.token('query')}").status == 200
    assert edge.ask("/by/query/x", edge.bearer("query")).status == 401


def test_a_token_in_the_query_is_not_taken_where_it_is_not_said(edge: SharedEdge) -> None:
    assert edge.ask(f"/main/x?access_token={edge.token()}").status == 401


def test_all_scopes_are_needed(edge: SharedEdge) -> None:
    assert edge.ask("/scoped/x", edge.bearer(scopes=("orders.write", "orders.read", "else"))).status == 200
    answer = edge.ask("/scoped/x", edge.bearer(scopes=("orders.read",)))
    assert (answer.status, answer.headers["www-authenticate"]) == (403, 'Bearer error="insufficient_scope"')
    assert edge.ask("/scoped/x", edge.bearer()).status == 403


def test_a_scope_is_a_whole_word(edge: SharedEdge) -> None:
    assert edge.ask("/any/x", edge.bearer(scopes=("orders.reader", "xorders.read"))).status == 403


def test_one_of_any_scope_is_enough(edge: SharedEdge) -> None:
    assert edge.ask("/any/x", edge.bearer(scopes=("orders.admin",))).status == 200
    assert edge.ask("/any/x", edge.bearer(scopes=("orders.write",))).status == 403


def test_scopes_may_be_a_list(edge: SharedEdge) -> None:
    token = forge.signed(edge.folder, scope=["orders.read", "orders.write"])
    assert edge.ask("/scoped/x", {"authorization": f"Bearer {token}"}).status == 200


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"role": "admin", "tenant": "t1"}, 200),
        ({"role": ["reader", "owner"], "tenant": ["t1"]}, 200),
        ({"role": "reader", "tenant": "t1"}, 403),
        ({"role": "admin"}, 403),
        ({"role": "admin", "tenant": "t11"}, 403),
        ({"role": {"admin": True}, "tenant": "t1"}, 403),
    ],
)
def test_claims_are_needed_with_one_of_their_values(edge: SharedEdge, claims: dict[str, Any], status: int) -> None:
    assert edge.ask("/claims/x", edge.bearer(claims=claims)).status == status


def test_either_of_two_authorizers_and_no_third(edge: SharedEdge) -> None:
    for name in ("main", "second"):
        assert edge.ask("/either/x", edge.bearer(name, scopes=("orders.read",))).status == 200
        assert edge.ask("/either/x", edge.bearer(name)).status == 403
    assert edge.ask("/either/x").status == 401
    assert edge.ask("/main/x", edge.bearer("second")).status == 401


@pytest.mark.parametrize("name", ["entra", "cognito"])
def test_presets_read_the_claims_that_the_provider_writes(edge: SharedEdge, name: str) -> None:
    assert edge.ask(f"/preset/{name}/x", edge.bearer(name, scopes=("s",))).status == 200
    assert edge.ask(f"/preset/{name}/x", edge.bearer(name)).status == 403
    wrong = edge.bearer(name, scopes=("s",), audiences=("api://elsewhere",))
    assert edge.ask(f"/preset/{name}/x", wrong).status == 401


@pytest.mark.parametrize(("skew", "status"), [(-10, 200), (-45, 401)])
def test_an_expired_token_is_good_for_the_clock_skew_and_no_longer(edge: SharedEdge, skew: int, status: int) -> None:
    assert edge.ask("/main/x", edge.bearer(lifetime=skew)).status == status


def test_new_keys_are_found_and_old_tokens_stay_good(edge: SharedEdge) -> None:
    before = edge.bearer()
    tokens.rotate(edge.folder, "main")
    after = edge.bearer()
    until(lambda: edge.ask("/main/x", after).status == 200)
    assert edge.ask("/main/x", before).status == 200


def test_the_development_provider_gives_tokens_by_client_credentials(edge: SharedEdge) -> None:
    port = next(port for port in _listening(edge) if port)
    base = f"http://127.0.0.1:{port}/main"
    document = json.load(urllib.request.urlopen(f"{base}/.well-known/openid-configuration"))
    assert document["issuer"] == forge.ISSUER
    client = tokens.client(edge.folder, "main")
    form = (
        f"grant_type=client_credentials&client_id={client.id}&client_secret={client.secret}&scope=orders.read".encode()
    )
    answer = json.load(urllib.request.urlopen(document["token_endpoint"], form))
    assert edge.ask("/any/x", {"authorization": f"Bearer {answer['access_token']}"}).status == 200


def _listening(edge: SharedEdge) -> list[int]:
    data = json.loads((edge.folder / "xds/eds/idp.json").read_text())
    hosts = [host for item in data["resources"] for group in item["endpoints"] for host in group["lb_endpoints"]]
    return [host["endpoint"]["address"]["socket_address"]["port_value"] for host in hosts]


def test_an_api_key_lets_its_client_in_and_does_not_reach_the_backend(edge: SharedEdge) -> None:
    answer = edge.ask("/by/partner/x", {"x-api-key": edge.key("partner", "acme")})
    assert answer.status == 200
    assert "x-api-key" not in answer.json()["headers"]


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "guess"}, {"authorization": "Bearer x"}])
def test_no_key_or_a_wrong_one_is_401(edge: SharedEdge, headers: dict[str, str]) -> None:
    assert edge.ask("/by/partner/x", headers).status == 401


def test_a_key_of_one_authorizer_is_none_of_anothers(edge: SharedEdge) -> None:
    assert edge.ask("/by/partner/x", {"x-api-key": edge.key("querykey", "acme")}).status == 401


def test_a_key_may_be_in_the_query(edge: SharedEdge) -> None:
    answer = edge.ask(f"/by/querykey/x?a=1&key={edge.key('querykey', 'acme')}")
    assert answer.status == 200
    assert edge.key("querykey", "acme") not in answer.text


def test_clients_have_different_keys(edge: SharedEdge) -> None:
    assert edge.key("partner", "acme") != edge.key("partner", "globex")
    assert len(edge.key("partner", "acme")) >= 32
