"""The development OpenID provider: its documents, its token endpoint, and tokens that others can verify."""

import asyncio
import base64
import json
import stat
from dataclasses import asdict, replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from edgewright.local import http1
from edgewright.local.artifact import IdentityIssuer
from edgewright.local.idp import Provider
from edgewright.local.tokens import Client, KeyStore, TokenError, client, mint, rotate
from local.ports import free_port
from unit.local.wire import Answer, answers, process, request, talk

BASE = "http://127.0.0.1:9000"
MAIN = IdentityIssuer("main", "https://login.shop.example/", ("api://shop",), ("ES256",))
ALGORITHMS = tuple(f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512))


# -- reading tokens, without any of the code that writes them


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified."""
    head, claims, _ = token.split(".")
    return json.loads(_bytes(head)), json.loads(_bytes(claims))


def verify(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """The claims; raises InvalidSignature, or KeyError when the set has no such key."""
    signed, _, signature = token.rpartition(".")
    head, claims = read(token)
    key = {item["kid"]: item for item in jwks["keys"]}[head["kid"]]
    assert key["use"] == "sig"
    assert key.get("alg", head["alg"]) == head["alg"]
    size = head["alg"][2:]
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[size]
    raw = _bytes(signature)
    if key["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
        assert public.key_size >= 2048
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        public.verify(raw, signed.encode(), pss if head["alg"].startswith("PS") else padding.PKCS1v15(), digest)
        return claims
    curve = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}[size]
    assert key["crv"] == {"256": "P-256", "384": "P-384", "512": "P-521"}[size]
    length = (curve.key_size + 7) // 8
    assert len(raw) == 2 * length
    numbers = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), curve)
    pair = (int.from_bytes(raw[:length], "big"), int.from_bytes(raw[length:], "big"))
    numbers.public_key().verify(encode_dss_signature(*pair), signed.encode(), ec.ECDSA(digest))
    return claims


def state(folder: Path, *issuers: IdentityIssuer) -> Path:
    """A state folder as the runtime leaves it."""
    (folder / "idp.json").write_text(json.dumps({"authorizers": [asdict(item) for item in issuers or (MAIN,)]}))
    return folder


class Provided:
    """A provider, asked without a socket."""

    def __init__(self, folder: Path, *issuers: IdentityIssuer) -> None:
        self.issuers = issuers or (MAIN,)
        self.folder = state(folder, *self.issuers)
        self.keys = KeyStore(folder / "idp")
        self.provider = Provider(self.issuers, self.keys, BASE)

    def ask(self, method: str, path: str, body: str = "", *headers: tuple[str, str]) -> Answer:
        async def run() -> http1.Response:
            found = self.provider.answer(http1.Request(method, path, headers=headers, body=body.encode()))
            if not isinstance(found, http1.Response | http1.Upgrade):
                found = await found
            assert isinstance(found, http1.Response)
            return found

        response = asyncio.run(run())
        return Answer(response.status, dict(response.headers), response.body)

    @property
    def client(self) -> Client:
        return self.keys.client(self.issuers[0])

    def token(self, *headers: tuple[str, str], **form: str) -> Answer:
        """Ask for a token by POST, with these parameters and the right grant."""
        body = urlencode({"grant_type": "client_credentials", **form})
        return self.ask("POST", "/main/token", body, ("content-type", "application/x-www-form-urlencoded"), *headers)

    def basic(self, id: str | None = None, secret: str | None = None) -> tuple[str, str]:
        own = self.client
        text = f"{quote_plus(own.id if id is None else id)}:{quote_plus(own.secret if secret is None else secret)}"
        return "authorization", f"Basic {base64.b64encode(text.encode()).decode()}"


# -- documents


def test_the_discovery_document_has_what_it_must_have(tmp_path: Path) -> None:
    answer = Provided(tmp_path, replace(MAIN, scopes=("orders.read",))).ask(
        "GET", "/main/.well-known/openid-configuration"
    )
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    document = answer.json
    assert document["issuer"] == "https://login.shop.example/"
    assert document["jwks_uri"] == f"{BASE}/main/jwks"
    assert document["token_endpoint"] == f"{BASE}/main/token"
    assert document["grant_types_supported"] == ["client_credentials"]
    assert document["id_token_signing_alg_values_supported"] == ["ES256"]
    assert document["scopes_supported"] == ["orders.read"]
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert document["subject_types_supported"] == ["public"]
    # RFC 8414, 3.2: what has no values is left out, and this one must not be left out.
    assert document["response_types_supported"]
    assert all(document.values())


def test_the_key_set_holds_no_private_part(tmp_path: Path) -> None:
    answer = Provided(tmp_path, replace(MAIN, algorithms=("RS256", "ES256"))).ask("GET", "/main/jwks")
    assert [set(key) for key in answer.json["keys"]] == [
        {"kty", "kid", "use", "alg", "n", "e"},
        {"kty", "kid", "use", "alg", "crv", "x", "y"},
    ]


def test_rsa_algorithms_share_one_key_that_then_names_none_of_them(tmp_path: Path) -> None:
    keys = (
        Provided(tmp_path, replace(MAIN, algorithms=("RS256", "RS512", "PS256"))).ask("GET", "/main/jwks").json["keys"]
    )
    assert len(keys) == 1
    assert "alg" not in keys[0]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/other/jwks", 404),
        ("GET", "/main", 404),
        ("GET", "/main/keys", 404),
        ("GET", "/main/jwks/", 404),
        ("GET", "/../main/jwks", 404),
        ("POST", "/main/jwks", 405),
        ("DELETE", "/main/.well-known/openid-configuration", 405),
        ("GET", "/main/token", 405),
        ("GET", "/healthz", 200),
    ],
)
def test_other_paths_and_methods_are_refused(tmp_path: Path, method: str, path: str, status: int) -> None:
    assert Provided(tmp_path).ask(method, path).status == status


# -- the token endpoint


def test_a_client_gets_a_token_that_the_key_set_verifies(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    answer = provided.token(provided.basic())
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)
    claims = verify(answer.json["access_token"], provided.ask("GET", "/main/jwks").json)
    assert claims["iss"] == "https://login.shop.example/"
    assert claims["aud"] == "api://shop"
    assert claims["sub"] == claims["client_id"] == provided.client.id
    assert claims["exp"] - claims["iat"] == 3600


def test_the_secret_may_also_stand_in_the_form(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    own = provided.client
    assert provided.token(client_id=own.id, client_secret=own.secret).status == 200
    refused = provided.token(client_id=own.id, client_secret=own.secret + "x")
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert "www-authenticate" not in refused.headers


def test_a_wrong_secret_in_the_header_is_challenged(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    for header in (
        provided.basic(secret="wrong"),
        provided.basic(id="another"),
        provided.basic(secret=""),
        provided.basic(secret="gehe\N{LATIN SMALL LETTER I WITH DIAERESIS}m"),
        ("authorization", "Basic !!!"),
        ("authorization", "Bearer abc"),
        ("authorization", "Basic " + base64.b64encode(b"no-colon").decode()),
    ):
        answer = provided.token(header)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert answer.headers["cache-control"] == "no-store"
        assert provided.client.secret not in answer.body.decode()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("scope=a", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=a&scope=b", "invalid_request"),
        ("grant_type=client_credentials&client_secret=x", "invalid_request"),
        ("grant_type=client_credentials&client_id=another", "invalid_request"),
        ("grant_type=client_credentials&scope=%ff", "invalid_request"),
        ("grant_type=client_credentials&scope=a%22b", "invalid_scope"),
        ("grant_type=client_credentials&scope=a++b", "invalid_scope"),
    ],
)
def test_a_malformed_request_gets_the_standards_error(tmp_path: Path, body: str, error: str) -> None:
    provided = Provided(tmp_path)
    form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8")
    answer = provided.ask("POST", "/main/token", body, form, provided.basic())
    assert (answer.status, answer.json["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


def test_a_body_that_is_no_form_is_refused(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    body = '{"grant_type": "client_credentials"}'
    answer = provided.ask("POST", "/main/token", body, ("content-type", "application/json"), provided.basic())
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_two_authorization_headers_are_refused(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    assert provided.token(provided.basic(), provided.basic()).json["error"] == "invalid_request"


def test_scopes_are_those_that_routes_want(tmp_path: Path) -> None:
    provided = Provided(tmp_path, replace(MAIN, scopes=("orders.read", "payments.write")))
    asked = provided.token(provided.basic(), scope="orders.read").json
    assert asked["scope"] == read(asked["access_token"])[1]["scope"] == "orders.read"
    default = provided.token(provided.basic()).json
    assert default["scope"] == "orders.read payments.write"
    refused = provided.token(provided.basic(), scope="orders.read admin")
    assert (refused.status, refused.json["error"]) == (400, "invalid_scope")
    assert "admin" in refused.json["error_description"]


def test_any_scope_is_granted_where_routes_want_none(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    assert provided.token(provided.basic(), scope="a b").json["scope"] == "a b"
    assert "scope" not in provided.token(provided.basic()).json


# -- minting


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_each_algorithm_can_be_verified(tmp_path: Path, algorithm: str) -> None:
    issuer = replace(MAIN, algorithms=(algorithm,))
    provided = Provided(tmp_path, issuer)
    token = mint(tmp_path, subject="ann", scopes=("orders.read", "orders.write"))
    assert read(token)[0]["alg"] == algorithm
    claims = verify(token, provided.ask("GET", "/main/jwks").json)
    assert (claims["sub"], claims["scope"]) == ("ann", "orders.read orders.write")
    head, _, signature = token.split(".")
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "bob"}).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidSignature):
        verify(f"{head}.{changed}.{signature}", provided.ask("GET", "/main/jwks").json)


def test_an_algorithm_can_be_chosen_from_those_of_the_authorizer(tmp_path: Path) -> None:
    state(tmp_path, replace(MAIN, algorithms=("ES256", "ES384")))
    assert read(mint(tmp_path, subject="a", algorithm="ES384"))[0]["alg"] == "ES384"
    with pytest.raises(TokenError, match="signed with ES256, ES384, not HS256"):
        mint(tmp_path, subject="a", algorithm="HS256")


def test_the_times_of_a_token_are_those_that_are_asked_for(tmp_path: Path) -> None:
    claims = read(mint(state(tmp_path), subject="a", lifetime=90, now=1_000_000.7))[1]
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (1_000_000, 1_000_000, 1_000_090)


def test_two_tokens_differ(tmp_path: Path) -> None:
    state(tmp_path)
    first, second = (read(mint(tmp_path, subject="a", now=1.0))[1] for _ in range(2))
    assert first["jti"] != second["jti"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"audiences": ("a", "b")}, {"aud": ["a", "b"]}),
        ({"audiences": ()}, {"aud": None}),
        ({"audience_claim": "client_id"}, {"client_id": "api://shop", "aud": None}),
        ({"audience_claim": "azp"}, {"azp": "api://shop", "aud": None}),
        ({"scope_claim": "scp"}, {"scp": "x y", "scope": None}),
        ({"scope_claim": "roles"}, {"roles": ["x", "y"], "scope": None}),
    ],
)
def test_audience_and_scopes_stand_where_the_authorizer_looks(
    tmp_path: Path, change: dict[str, Any], expected: dict[str, Any]
) -> None:
    claims = read(mint(state(tmp_path, replace(MAIN, **change)), subject="a", scopes=("x", "y")))[1]
    assert {name: claims.get(name) for name in expected} == expected


def test_claims_can_be_added_replaced_and_left_out(tmp_path: Path) -> None:
    token = mint(
        state(tmp_path), subject="a", audiences=("other",), claims={"role": "buyer", "iss": "https://x/", "exp": None}
    )
    claims = read(token)[1]
    assert (claims["role"], claims["iss"], claims["aud"]) == ("buyer", "https://x/", "other")
    assert "exp" not in claims


def test_the_authorizer_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    other = replace(MAIN, authorizer="staff", issuer="https://staff.shop.example/")
    state(tmp_path, MAIN, other)
    assert read(mint(tmp_path, "staff", subject="a"))[1]["iss"] == "https://staff.shop.example/"
    with pytest.raises(TokenError, match="say which authorizer the token is for: main, staff"):
        mint(tmp_path, subject="a")
    with pytest.raises(
        TokenError, match="`partner` is no authorizer whose tokens are issued here; there is main, staff"
    ):
        mint(tmp_path, "partner", subject="a")


def test_authorizers_share_no_key(tmp_path: Path) -> None:
    provided = Provided(tmp_path, MAIN, replace(MAIN, authorizer="staff"))
    kids = [{key["kid"] for key in provided.ask("GET", f"/{name}/jwks").json["keys"]} for name in ("main", "staff")]
    assert not kids[0] & kids[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"authorizers": [{}]}',
        '{"authorizers": [1]}',
        json.dumps({"authorizers": [asdict(MAIN), asdict(MAIN)]}),
        json.dumps({"authorizers": [{**asdict(MAIN), "authorizer": "../x"}]}),
        json.dumps({"authorizers": [{**asdict(MAIN), "algorithms": ["none"]}]}),
        json.dumps({"authorizers": [{**asdict(MAIN), "algorithms": []}]}),
    ],
)
def test_a_damaged_configuration_is_a_plain_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "idp.json").write_text(text)
    with pytest.raises(TokenError, match="start the edge again"):
        mint(tmp_path, subject="a")


def test_without_a_running_edge_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="start the edge, or say with --state where it is"):
        mint(tmp_path, subject="a")
    (tmp_path / "idp.json").write_text('{"authorizers": []}')
    with pytest.raises(TokenError, match="no authorizer of this edge gets its tokens"):
        mint(tmp_path, subject="a")


# -- keys


def test_keys_and_the_secret_outlive_the_provider(tmp_path: Path) -> None:
    first, second = Provided(tmp_path), Provided(tmp_path)
    assert first.ask("GET", "/main/jwks").json == second.ask("GET", "/main/jwks").json
    assert first.client.secret == second.client.secret == client(tmp_path, "main").secret


def test_after_a_rotation_old_tokens_still_verify_and_those_before_them_no_more(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    tokens = [mint(tmp_path, subject="a")]
    provided.ask("GET", "/main/jwks")
    fresh = rotate(tmp_path, "main")
    tokens.append(mint(tmp_path, subject="a"))
    # The provider that was running serves the new set.
    jwks = provided.ask("GET", "/main/jwks").json
    assert len(jwks["keys"]) == 2
    assert read(tokens[1])[0]["kid"] == fresh[0] == jwks["keys"][0]["kid"]
    assert [verify(token, jwks)["sub"] for token in tokens] == ["a", "a"]
    rotate(tmp_path)
    jwks = provided.ask("GET", "/main/jwks").json
    assert verify(tokens[1], jwks)
    with pytest.raises(KeyError):
        verify(tokens[0], jwks)


def test_the_private_half_of_a_replaced_key_is_gone(tmp_path: Path) -> None:
    state(tmp_path)
    mint(tmp_path, subject="a")
    before = json.loads((tmp_path / "idp/main.keys.json").read_text())["keys"][0]["private"]
    rotate(tmp_path)
    assert before.startswith("-----BEGIN PRIVATE KEY-----")
    assert before not in (tmp_path / "idp/main.keys.json").read_text().encode().decode("unicode_escape")


def test_an_algorithm_that_is_added_gets_a_key_and_the_others_keep_theirs(tmp_path: Path) -> None:
    before = Provided(tmp_path).ask("GET", "/main/jwks").json["keys"]
    after = Provided(tmp_path, replace(MAIN, algorithms=("ES256", "ES384"))).ask("GET", "/main/jwks").json["keys"]
    assert len(after) == 2
    assert before[0] in after


def test_two_that_need_the_first_key_at_once_make_one(tmp_path: Path) -> None:
    state(tmp_path)
    tokens: list[str] = []
    threads = [Thread(target=lambda: tokens.append(mint(tmp_path, subject="a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({read(token)[0]["kid"] for token in tokens}) == 1
    assert len(tokens) == 8


def test_nobody_else_can_read_keys_or_secrets(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    provided.token(provided.basic())
    rotate(tmp_path)
    assert stat.S_IMODE((tmp_path / "idp").stat().st_mode) == 0o700
    files = list((tmp_path / "idp").iterdir())
    assert {item.name for item in files} == {"main.keys.json", "main.client.json", "lock"}
    assert {stat.S_IMODE(item.stat().st_mode) for item in files} == {0o600}


def test_nothing_secret_shows_when_it_is_printed(tmp_path: Path) -> None:
    provided = Provided(tmp_path)
    assert provided.client.secret not in repr(provided.client)
    assert len(provided.client.secret) >= 32


# -- the process


def test_it_serves_in_a_process_of_its_own_and_says_nothing_secret(tmp_path: Path) -> None:
    port = free_port()
    state(tmp_path)
    arguments = ("--port", str(port), "--state", "idp", "--config", "idp.json")
    with process("idp", *arguments, where=port, cwd=tmp_path) as child:
        raw = talk(port, request("GET", "/main/jwks") + request("GET", "/main/.well-known/openid-configuration"))
        jwks, document = answers(raw)
        assert document.json["jwks_uri"] == f"http://127.0.0.1:{port}/main/jwks"
        assert verify(mint(tmp_path, subject="ann"), jwks.json)["sub"] == "ann"
        own = client(tmp_path)
        body = urlencode({"grant_type": "client_credentials", "client_id": own.id, "client_secret": own.secret})
        asked = request("POST", "/main/token", body.encode(), content_type="application/x-www-form-urlencoded")
        rotate(tmp_path)
        token, fresh = answers(talk(port, asked + request("GET", "/main/jwks")))
        assert verify(token.json["access_token"], fresh.json)["sub"] == own.id
        assert len(fresh.json["keys"]) == 2
        child.terminate()
        assert child.wait() == 0
        assert child.communicate()[0] == ""
