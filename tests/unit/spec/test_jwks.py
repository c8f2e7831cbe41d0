"""Key sets in a spec: public keys only, of kinds that the edge can use."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError


def encoded(number: int, length: int) -> str:
    """A number as JSON Web Keys have it: big-endian base64url without padding."""
    return base64.urlsafe_b64encode(number.to_bytes(length, "big")).decode().rstrip("=")


def ec_key(curve: ec.EllipticCurve) -> dict[str, str]:
    """A fresh private key; without `d` it is the public one."""
    key, length = ec.generate_private_key(curve), (curve.key_size + 7) // 8
    point = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": f"P-{curve.key_size}",
        "x": encoded(point.x, length),
        "y": encoded(point.y, length),
        "d": encoded(key.private_numbers().private_value, length),
    }


# What counts is the length: any odd number will do for a modulus.
RSA: dict[str, Any] = {"kty": "RSA", "n": encoded(2**2047 + 1, 256), "e": "AQAB"}
SMALL: dict[str, Any] = {"kty": "RSA", "n": encoded(2**1023 + 1, 128), "e": "AQAB"}
PRIVATE: dict[str, Any] = ec_key(ec.SECP256R1())
P384: dict[str, Any] = {name: value for name, value in ec_key(ec.SECP384R1()).items() if name != "d"}


def error(keys: list[Any], algorithms: tuple[str, ...] = ("RS256",)) -> str:
    """What is wrong with a key set; an empty string when nothing is."""
    jwt = {
        "issuer": "https://a.example/",
        "audiences": "a",
        "jwks": json.dumps({"keys": keys}),
        "algorithms": algorithms,
    }
    try:
        from_data({"name": "shop", "authorizers": {"main": {"jwt": jwt}}})
    except SpecError as caught:
        return str(caught)
    return ""


def test_public_keys_are_accepted() -> None:
    assert error([RSA | {"kid": "a", "use": "sig", "alg": "PS256"}, P384], ("PS256", "ES384")) == ""


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_member_is_refused_and_not_repeated(member: str) -> None:
    text = error([RSA | {member: "aHVudGVyMg"}])
    assert "key 1 contains a private key" in text
    assert "aHVudGVyMg" not in text


def test_a_whole_private_key_is_refused() -> None:
    assert "contains a private key" in error([P384, PRIVATE], ("ES384",))


@pytest.mark.parametrize(
    ("keys", "algorithms", "text"),
    [
        ([SMALL], ("RS256",), "key 1 has 1024 bits"),
        ([RSA | {"e": "Ag"}], ("RS256",), "`e` of key 1 is not a public exponent"),
        ([RSA | {"n": "***"}], ("RS256",), "`n` of key 1 is not base64url"),
        ([RSA | {"kid": 5}], ("RS256",), "`kid` of key 1 is not text"),
        ([RSA | {"use": "enc"}], ("RS256",), "key 1 is not for signatures"),
        ([RSA | {"alg": "ES256"}], ("RS256",), "`alg` of key 1 does not fit the key"),
        ([RSA | {"alg": "none"}], ("RS256",), "`alg` of key 1 does not fit the key"),
        ([RSA | {"alg": "RS512"}], ("RS256",), "none of the keys in `jwks` is for one of its `algorithms`"),
        ([P384], ("RS256", "ES256"), "none of the keys in `jwks` is for one of its `algorithms`"),
        ([RSA | {"kid": "a"}, P384 | {"kid": "a"}], ("RS256",), "the same `kid`"),
        ([{"kty": "oct", "k": "aGVsbG8"}], ("RS256",), "key 1 contains a private key"),
        ([{"kty": "OKP"}], ("RS256",), "`kty` of key 1 is neither RSA nor EC"),
        ([RSA | {"kty": ["RSA"]}], ("RS256",), "`kty` of key 1 is neither RSA nor EC"),
        ([P384 | {"crv": "P-256"}], ("ES256",), "`x` of key 1 is not 32 bytes long"),
        ([P384 | {"crv": "secp256k1"}], ("ES256",), "`crv` of key 1"),
        (["text"], ("RS256",), "not a JSON Web Key Set"),
        ([], ("RS256",), "not a JSON Web Key Set"),
    ],
)
def test_what_the_edge_cannot_use_is_refused(keys: list[Any], algorithms: tuple[str, ...], text: str) -> None:
    assert text in error(keys, algorithms)


@pytest.mark.parametrize("jwks", ["", "{", "[]", "[" * 100_000, '{"keys": 5}', "9" * 5_000])
def test_what_is_not_a_key_set_is_refused(jwks: str) -> None:
    with pytest.raises(SpecError, match=r"jwks: it is not"):
        from_data(
            {"name": "a", "authorizers": {"b": {"jwt": {"issuer": "https://a/", "audiences": "a", "jwks": jwks}}}}
        )
