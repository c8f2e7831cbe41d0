"""The Lambda authorizer of the AWS target, run for real by Node.js: good tokens, forged ones, keys that change or are gone."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from local.authorizer import AUDIENCE, Function, Issuer, Signer, config, encoded, event, hmac_token, part, verdict

ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "rsa-2048"),
    "ES256": "ec-256",
    "ES384": "ec-384",
    "ES512": "ec-521",
}


@pytest.fixture(scope="module")
def signer() -> Signer:
    """The issuer's key."""
    return Signer("one")


@pytest.fixture
def issuer(signer: Signer) -> Iterator[Issuer]:
    """An issuer that publishes it."""
    found = Issuer()
    found.keys = [signer.public]
    yield found
    found.close()


class Functions:
    """Starts functions, and stops them when a test ends."""

    def __init__(self) -> None:
        self._all: list[Function] = []

    def __call__(self, issuer: Issuer, **changes: Any) -> Function:
        found = Function(config(issuer.url, **changes))
        self._all.append(found)
        return found

    def close(self) -> None:
        for item in self._all:
            item.close()


@pytest.fixture
def start() -> Iterator[Functions]:
    """Starts a function."""
    found = Functions()
    yield found
    found.close()


# -- good tokens -------------------------------------------------------------------------------------------------------


def test_a_good_token_of_each_algorithm_may(start: Functions, issuer: Issuer) -> None:
    signers = {name: Signer(name, kind) for name, kind in ALGORITHMS.items()}
    issuer.keys = [item.public for item in signers.values()]
    function = start(issuer, algorithms=list(ALGORITHMS))
    events = [event(item.token(issuer.claims(), name)) for name, item in signers.items()]
    assert {name: verdict(one) for name, one in zip(signers, function.answers(events), strict=True)} == dict.fromkeys(
        signers, 200
    )


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ({"kind": "header", "name": "authorization", "prefix": "Bearer "}, {"headers": {"authorization": "bearer {}"}}),
        ({"kind": "header", "name": "x-token", "prefix": ""}, {"headers": {"X-Token": "{}"}}),
        ({"kind": "query", "name": "token", "prefix": ""}, {"queryStringParameters": {"token": "{}"}}),
        ({"kind": "query", "name": "token", "prefix": ""}, {"multiValueQueryStringParameters": {"token": ["{}"]}}),
        ({"kind": "cookie", "name": "session", "prefix": ""}, {"headers": {"Cookie": "a=b; session={}; c=d"}}),
    ],
    ids=["header with a prefix", "header", "query", "query of several values", "cookie"],
)
def test_a_token_is_found_where_the_spec_says(
    source: dict[str, str], more: dict[str, Any], start: Functions, issuer: Issuer, signer: Signer
) -> None:
    filled = json.loads(json.dumps(more).replace("{}", signer.token(issuer.claims())))
    function = start(issuer, source=source)
    assert verdict(function.answer({**event(), "multiValueHeaders": None, **filled})) == 200
    assert verdict(function.answer(event())) == 401


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["api://other", AUDIENCE]])
def test_the_audience_may_be_a_text_or_a_list(
    audience: object, start: Functions, issuer: Issuer, signer: Signer
) -> None:
    assert verdict(start(issuer).answer(event(signer.token(issuer.claims(aud=audience))))) == 200


@pytest.mark.parametrize(
    ("requirement", "claims", "status"),
    [
        ({"scopes": ["a", "b"]}, {"scope": "b c a"}, 200),
        ({"scopes": ["a", "b"]}, {"scope": ["a", "b"]}, 200),
        ({"scopes": ["a", "b"]}, {"scope": "a"}, 403),
        ({"scopes": ["a"]}, {"scope": "ab"}, 403),
        ({"scopes": ["a"]}, {"scope": None}, 403),
        ({"scopes": ["1"]}, {"scope": 1}, 403),
        ({"scopes": ["a"]}, {"scope": [["a"]]}, 403),
        ({"scopes": ["a"]}, {"scope": {"a": True}}, 403),
        ({"any_scope": ["a", "b"]}, {"scope": "b"}, 200),
        ({"any_scope": ["a", "b"]}, {"scope": "c"}, 403),
        ({"scopes": ["a"], "any_scope": ["b", "c"]}, {"scope": "a"}, 403),
        ({"claims": {"tenant": ["one", "two"]}}, {"tenant": "two"}, 200),
        ({"claims": {"tenant": ["one", "two"]}}, {"tenant": ["three", "one"]}, 200),
        ({"claims": {"tenant": ["one"]}}, {"tenant": "One"}, 403),
        ({"claims": {"tenant": ["one"]}}, {}, 403),
        ({"claims": {"level": ["2"]}}, {"level": 2}, 200),
        ({"claims": {"level": ["2"]}}, {"level": {"2": 2}}, 403),
        ({"claims": {"constructor": ["x"]}}, {}, 403),
    ],
)
def test_scopes_and_claims_decide_between_200_and_403(
    requirement: dict[str, Any],
    claims: dict[str, Any],
    status: int,
    start: Functions,
    issuer: Issuer,
    signer: Signer,
) -> None:
    function = start(issuer, requirement=requirement)
    assert verdict(function.answer(event(signer.token(issuer.claims(**claims))))) == status


def test_keys_are_found_by_the_discovery_document(start: Functions, issuer: Issuer, signer: Signer) -> None:
    function = start(issuer, jwks_uri=None)
    assert verdict(function.answer(event(signer.token(issuer.claims())))) == 200
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


def test_a_discovery_document_of_another_issuer_is_not_believed(
    start: Functions, issuer: Issuer, signer: Signer
) -> None:
    issuer.discovery["issuer"] = "https://login.other.example/"
    assert verdict(start(issuer, jwks_uri=None).answer(event(signer.token(issuer.claims())))) == 500


def test_keys_that_stand_in_the_spec_are_never_asked_for(start: Functions, issuer: Issuer, signer: Signer) -> None:
    function = start(issuer, jwks_uri=None, jwks={"keys": [signer.public]})
    assert verdict(function.answer(event(signer.token(issuer.claims())))) == 200
    assert verdict(function.answer(event(Signer("two").token(issuer.claims())))) == 401
    assert issuer.asked == []


def test_a_websocket_is_asked_when_it_connects(start: Functions, issuer: Issuer, signer: Signer) -> None:
    connecting = {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:api1/live/$connect",
        "headers": {"Authorization": f"Bearer {signer.token(issuer.claims())}"},
        "requestContext": {"routeKey": "$connect", "eventType": "CONNECT"},
    }
    function = start(issuer)
    answer = function.answer(connecting)
    assert verdict(answer) == 200
    assert answer["policy"]["policyDocument"]["Statement"][0]["Resource"].endswith("api1/live/*")
    assert verdict(function.answer({**connecting, "headers": {}})) == 401


# -- what it says ------------------------------------------------------------------------------------------------------


def test_the_answer_is_for_the_whole_stage_and_says_who_without_the_token(
    start: Functions, issuer: Issuer, signer: Signer
) -> None:
    token = signer.token(issuer.claims(azp="app", email="ann@shop.example"))
    policy = start(issuer).answer(event(token))["policy"]
    assert policy["principalId"] == "ann"
    assert policy["policyDocument"]["Statement"] == [
        {
            "Action": "execute-api:Invoke",
            "Effect": "Allow",
            "Resource": "arn:aws:execute-api:eu-west-1:123456789012:api1/live/*",
        }
    ]
    assert policy["context"] == {"subject": "ann", "issuer": issuer.url, "client": "app", "scopes": "orders.read"}


@pytest.mark.parametrize("where", [{"resource": "/other"}, {"httpMethod": "DELETE"}, {"resource": "__proto__"}])
def test_a_method_that_it_was_not_told_of_is_for_nobody(
    where: dict[str, str], start: Functions, issuer: Issuer, signer: Signer
) -> None:
    assert verdict(start(issuer).answer(event(signer.token(issuer.claims()), **where))) == 403


def test_a_resource_for_all_methods_is_known_by_each(start: Functions, issuer: Issuer, signer: Signer) -> None:
    events = [event(signer.token(issuer.claims()), resource="/all", httpMethod=method) for method in ("GET", "DELETE")]
    assert [verdict(answer) for answer in start(issuer).answers(events)] == [200, 200]


# -- forged ------------------------------------------------------------------------------------------------------------

_NOW = int(time.time())
_SMALL, _OTHER, _EC256, _EC384 = (
    Signer("small", "rsa-1024"),
    Signer("one"),
    Signer("ec", "ec-256"),
    Signer("ec3", "ec-384"),
)


def _next(letter: str) -> str:
    """The next letter of base64url: of the last in an RSA signature four bits are not read, and must be nought."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return letters[letters.index(letter) + 1]


def _forged(issuer: Issuer, signer: Signer) -> dict[str, str]:
    """Tokens that must not pass, by what is wrong with them."""
    good = issuer.claims()
    token = signer.token(good)
    head, body, signature = token.split(".")
    none = part({"alg": "none", "typ": "JWT"})
    admin = part({**good, "scope": "admin"})
    last = signature[:-1] + ("A" if signature[-1] != "A" else "Q")
    jwk = _OTHER.public
    return {
        "alg none": f"{none}.{body}.",
        "alg none with a signature": f"{none}.{body}.{signature}",
        "alg None": f"{part({'alg': 'None'})}.{body}.{signature}",
        "alg missing": f"{part({'typ': 'JWT', 'kid': 'one'})}.{body}.{signature}",
        "alg a list": f"{part({'alg': ['RS256'], 'kid': 'one'})}.{body}.{signature}",
        "alg an object that is no text": f"{part({'alg': {'toString': 1, 'valueOf': 1}, 'kid': 'one'})}.{body}.{signature}",
        "alg of the prototype": f"{part({'alg': 'constructor', 'kid': 'one'})}.{body}.{signature}",
        "HS256 by the public key": hmac_token(signer.pem, good, kid="one"),
        "HS256 by the modulus": hmac_token(signer.public["n"].encode(), good, kid="one"),
        "HS256 by nothing": hmac_token(b"", good, kid="one"),
        "another's key under the same id": _OTHER.token(good),
        "another's key in the header": _OTHER.token(good, jwk=jwk),
        "keys at another's address": _OTHER.token(good, jku="http://127.0.0.1:1/keys"),
        "a certificate's address": _OTHER.token(good, x5u="http://127.0.0.1:1/cert"),
        "a key that is not known": Signer("two").token(good),
        "a key id that is a path": _OTHER.token(good, kid="../../one"),
        "a key id that is a number": signer.token(good, kid=1),
        "an algorithm that the spec does not allow": signer.token(good, "RS512"),
        "PS256 where RS256 is asked for": signer.token(good, "PS256"),
        "ES256 by a key for it": _EC256.token(good, "ES256"),
        "ES256 in DER": _EC256.token(good, "ES256", der=True),
        "ES384 by its key": _EC384.token(good, "ES384"),
        "RS256 that is ES256": f"{head}.{body}.{_EC256.token(good, 'ES256').split('.')[2]}",
        "a key of 1024 bits": _SMALL.token(good),
        "a critical extension": signer.token(good, crit=["exp"]),
        "an unencoded payload": signer.token(good, b64=False),
        "other claims under the signature": f"{head}.{admin}.{signature}",
        "another header over the signature": f"{part({'alg': 'RS256', 'kid': 'one'})}.{body}.{signature}",
        "a changed signature": f"{head}.{body}.{last}",
        "a signature with bits that nothing reads": f"{head}.{body}.{signature[:-1]}{_next(signature[-1])}",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{token}.{signature}",
        "five parts": f"{token}.{head}.{body}",
        "padding": f"{head}.{body}.{signature}==",
        "base64 that is not base64url": f"{head}.{body}.{signature[:-2]}+/",
        "a space within": f"{head}. {body}.{signature}",
        "a line's end": f"{token}\n",
        "nothing": "",
        "a word": "token",
        "dots": "..",
        "two tokens": f"{token}, {token}",
        "a token behind another scheme": f"Basic {token}",
        "17 KiB": signer.token({**good, "padding": "x" * 17_000}),
        "claims that are a list": signer.raw('{"alg":"RS256","kid":"one"}', "[]"),
        "claims that are null": signer.raw('{"alg":"RS256","kid":"one"}', "null"),
        "claims that are no JSON": signer.raw('{"alg":"RS256","kid":"one"}', "{"),
        "a header that is a text": signer.raw('"RS256"', json.dumps(good)),
        "claims that are no UTF-8": f"{head}.{encoded(bytes([0xFF, 0xFE]))}.{signature}",
        "expired": signer.token(issuer.claims(exp=_NOW - 3600)),
        "expired just beyond the skew": signer.token(issuer.claims(exp=int(time.time()) - 31)),
        "without an expiry": signer.token(issuer.claims(exp=None)),
        "an expiry that is a text": signer.token(issuer.claims(exp=str(_NOW + 600))),
        "an expiry that is true": signer.token(issuer.claims(exp=True)),
        "an expiry that is no number": signer.raw(
            '{"alg":"RS256","kid":"one"}', json.dumps(good)[:-1] + ',"exp":1e999}'
        ),
        "an expiry in a list": signer.token(issuer.claims(exp=[_NOW + 600])),
        "an expiry before 1970": signer.token(issuer.claims(exp=-1)),
        "two algorithms": signer.raw('{"alg":"RS256","kid":"one","alg":"none"}', json.dumps(good)),
        "two expiries": signer.raw('{"alg":"RS256","kid":"one"}', json.dumps(good)[:-1] + ',"exp":1}'),
        "not yet": signer.token(issuer.claims(nbf=_NOW + 3600)),
        "not yet, as a text": signer.token(issuer.claims(nbf="0")),
        "issued in the future": signer.token(issuer.claims(iat=_NOW + 3600)),
        "another issuer": signer.token(issuer.claims(iss="https://login.other.example/")),
        "the issuer without its slash": signer.token(issuer.claims(iss=issuer.url.rstrip("/"))),
        "the issuer in capitals": signer.token(issuer.claims(iss=issuer.url.upper())),
        "the issuer with a nought byte": signer.token(issuer.claims(iss=issuer.url + "\0")),
        "the issuer with a wide colon": signer.token(issuer.claims(iss=issuer.url.replace(":", "\uff1a"))),
        "the issuer in a list": signer.token(issuer.claims(iss=[issuer.url])),
        "without an issuer": signer.token(issuer.claims(iss=None)),
        "another audience": signer.token(issuer.claims(aud="api://other")),
        "a list without the audience": signer.token(issuer.claims(aud=["api://other", "api://sho"])),
        "an audience in a list in a list": signer.token(issuer.claims(aud=[[AUDIENCE]])),
        "an audience as a key": signer.token(issuer.claims(aud={AUDIENCE: True})),
        "without an audience": signer.token(issuer.claims(aud=None)),
        "an empty audience": signer.token(issuer.claims(aud=[])),
    }


def test_no_forged_token_passes(start: Functions, issuer: Issuer, signer: Signer) -> None:
    issuer.keys = [signer.public, _SMALL.public, _EC256.public, _EC384.public]
    forged = _forged(issuer, signer)
    function = start(issuer)
    assert verdict(function.answer(event(signer.token(issuer.claims())))) == 200
    answers = function.answers([event(token) for token in forged.values()])
    passed = {name: verdict(answer) for name, answer in zip(forged, answers, strict=True) if verdict(answer) != 401}
    assert len(forged) >= 60
    assert passed == {}
    assert verdict(function.answer(event(signer.token(issuer.claims())))) == 200


@pytest.mark.parametrize("claims", [{"exp": -25}, {"nbf": 25}, {"iat": 25}], ids=["exp", "nbf", "iat"])
def test_times_may_be_off_by_the_clock_skew(
    claims: dict[str, int], start: Functions, issuer: Issuer, signer: Signer
) -> None:
    shifted = {name: int(time.time()) + seconds for name, seconds in claims.items()}
    assert verdict(start(issuer).answer(event(signer.token(issuer.claims(**shifted))))) == 200
    assert verdict(start(issuer, clock_skew=0).answer(event(signer.token(issuer.claims(**shifted))))) == 401


def test_an_es256_signature_in_der_is_refused_where_es256_is_allowed(start: Functions, issuer: Issuer) -> None:
    issuer.keys = [_EC256.public, _EC384.public]
    function = start(issuer, algorithms=["ES256", "ES384"])
    good = issuer.claims()
    assert verdict(function.answer(event(_EC256.token(good, "ES256")))) == 200
    assert verdict(function.answer(event(_EC256.token(good, "ES256", der=True)))) == 401
    assert verdict(function.answer(event(_EC384.token(good, "ES384", alg="ES256")))) == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"multiValueHeaders": {"Authorization": ["Bearer {}", "Bearer {}"]}},
        {"multiValueHeaders": {"Authorization": ["Bearer {}"], "authorization": ["Bearer {}"]}},
        {"multiValueHeaders": {"Authorization": ["Bearer {}, Bearer {}"]}},
        {"multiValueHeaders": {"Authorization": ["{}"]}},
        {"multiValueHeaders": {"Authorization": ["Bearer  {}"]}},
        {"multiValueHeaders": {"Authorization": []}},
        {"multiValueHeaders": {"Authorization": None}},
        {"multiValueHeaders": None, "headers": None},
    ],
)
def test_a_header_that_could_be_read_in_two_ways_is_refused(
    headers: dict[str, Any], start: Functions, issuer: Issuer, signer: Signer
) -> None:
    filled = json.loads(json.dumps(headers).replace("{}", signer.token(issuer.claims())))
    assert verdict(start(issuer).answer({**event(), **filled})) == 401


def test_a_token_without_a_key_id_is_refused_where_two_keys_would_fit(
    start: Functions, issuer: Issuer, signer: Signer
) -> None:
    token = signer.token(issuer.claims(), kid=None)
    assert verdict(start(issuer).answer(event(token))) == 200
    issuer.keys = [signer.public, Signer("two").public]
    assert verdict(start(issuer).answer(event(token))) == 401


@pytest.mark.parametrize(
    "change", [{"use": "enc"}, {"alg": "RS512"}, {"key_ops": ["sign"]}, {"kty": "oct", "k": "AAAA"}, {"n": "AQAB"}]
)
def test_a_key_that_is_not_for_this_is_not_used(
    change: dict[str, Any], start: Functions, issuer: Issuer, signer: Signer
) -> None:
    issuer.keys = [{**signer.public, **change}]
    assert verdict(start(issuer).answer(event(signer.token(issuer.claims())))) == 401


# -- keys that change, and issuers that are gone ------------------------------------------------------------------------


def test_requests_at_once_ask_for_the_keys_once(start: Functions, issuer: Issuer, signer: Signer) -> None:
    issuer.delay = 0.2
    answers = start(issuer).answers([event(signer.token(issuer.claims()))] * 20)
    assert [verdict(answer) for answer in answers] == [200] * 20
    assert issuer.asked == ["/keys"]


def test_a_new_key_is_found_and_one_that_was_taken_back_is_refused_when_keys_are_old(
    start: Functions, issuer: Issuer, signer: Signer
) -> None:
    function, second = start(issuer), Signer("two")
    assert verdict(function.answer(event(signer.token(issuer.claims())))) == 200
    issuer.keys = [second.public]
    function.ahead(31)
    assert verdict(function.answer(event(second.token(issuer.claims())))) == 200
    assert verdict(function.answer(event(signer.token(issuer.claims())))) == 401


def test_tokens_of_unknown_keys_do_not_make_it_ask_again_and_again(
    start: Functions, issuer: Issuer, signer: Signer
) -> None:
    function = start(issuer)
    function.answer(event(signer.token(issuer.claims())))
    strangers = [event(_OTHER.token(issuer.claims(), kid=f"k{number}")) for number in range(50)]
    assert {verdict(answer) for answer in function.answers(strangers)} == {401}
    assert issuer.asked == ["/keys"]
    function.ahead(31)
    assert {verdict(answer) for answer in function.answers(strangers)} == {401}
    assert issuer.asked == ["/keys"] * 2


def test_the_last_keys_serve_while_the_issuer_is_gone_and_not_for_ever(
    start: Functions, issuer: Issuer, signer: Signer
) -> None:
    function = start(issuer)
    token = signer.token(issuer.claims(exp=_NOW + 10 * 24 * 3600))
    assert verdict(function.answer(event(token))) == 200
    issuer.status = 503
    function.ahead(3600)
    assert verdict(function.answer(event(token))) == 200
    function.ahead(25 * 3600)
    assert verdict(function.answer(event(token))) == 500


def test_while_the_issuer_is_gone_it_is_asked_every_30_seconds_and_not_by_each_request(
    start: Functions, issuer: Issuer, signer: Signer
) -> None:
    function = start(issuer)
    good = event(signer.token(issuer.claims()))
    function.answer(good)
    issuer.status = 503
    function.ahead(301)
    assert [verdict(function.answer(good)) for _ in range(5)] == [200] * 5
    assert issuer.asked == ["/keys"] * 2
    function.ahead(332)
    assert verdict(function.answer(good)) == 200
    assert issuer.asked == ["/keys"] * 3


@pytest.mark.parametrize("status", [404, 500, 302])
def test_without_keys_nobody_passes_and_it_is_no_fault_of_the_callers(
    status: int, start: Functions, issuer: Issuer, signer: Signer
) -> None:
    issuer.status = status
    assert verdict(start(issuer).answer(event(signer.token(issuer.claims())))) == 500


def test_a_token_that_is_bad_anyway_waits_for_no_keys(start: Functions, issuer: Issuer, signer: Signer) -> None:
    issuer.status = 503
    bad = [issuer.claims(exp=_NOW - 3600), issuer.claims(iss="https://login.other.example/"), issuer.claims(aud="x")]
    answers = start(issuer).answers([event(signer.token(claims)) for claims in bad])
    assert [verdict(answer) for answer in answers] == [401] * 3
    assert issuer.asked == []


def test_an_issuer_that_is_gone_holds_up_no_token_of_another(issuer: Issuer, signer: Signer) -> None:
    issuer.status = 503
    told = config(issuer.url, requirement={"authorizers": ["main", "second"]})
    second = "https://second.example/"
    inline = {"issuer": second, "jwks_uri": None, "jwks": {"keys": [signer.public]}}
    told["authorizers"]["second"] = {**told["authorizers"]["main"], **inline}
    with closing(Function(told)) as function:
        assert verdict(function.answer(event(signer.token(issuer.claims(iss=second))))) == 200
        assert verdict(function.answer(event(signer.token(issuer.claims(iss=second, exp=1))))) == 401
        assert issuer.asked == []
        assert verdict(function.answer(event(signer.token(issuer.claims())))) == 500


def test_what_it_throws_names_no_token(start: Functions, issuer: Issuer, signer: Signer) -> None:
    issuer.status = 503
    token = signer.token(issuer.claims(sub="a-subject-of-its-own"))
    thrown = start(issuer).answer(event(token))["thrown"]
    assert thrown == "status 503"


def test_a_key_set_that_is_too_large_is_not_read(start: Functions, issuer: Issuer, signer: Signer) -> None:
    issuer.keys = [signer.public, {"kty": "RSA", "padding": "x" * 300_000}]
    assert verdict(start(issuer).answer(event(signer.token(issuer.claims())))) == 500


def test_it_logs_neither_tokens_nor_claims(issuer: Issuer, signer: Signer) -> None:
    function = Function(config(issuer.url))
    tokens = [signer.token(issuer.claims(sub="a-subject-of-its-own")), *_forged(issuer, signer).values()]
    function.answers([event(token) for token in tokens])
    issuer.status = 503
    function.ahead(301)  # the keys are old, the tokens are not
    function.answers([event(token) for token in tokens])
    logged = function.close()
    assert "keys not fetched" in logged
    assert "a-subject-of-its-own" not in logged
    assert not [token for token in tokens if len(token) > 20 and token in logged]
