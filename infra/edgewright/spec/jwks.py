"""Checks a JSON Web Key Set that is written in a spec: public keys only, and of kinds that the edge can use."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import PydanticCustomError

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members that hold secrets (RFC 7518, 6.2.2, 6.3.2 and 6.4)."""

_CURVES = {"P-256": ("ES256", 32), "P-384": ("ES384", 48), "P-521": ("ES512", 66)}
"""The algorithm of each curve, and the length of its coordinates in bytes (RFC 7518, 3.4 and 6.2.1)."""

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_RSA_BITS = range(2048, 16384 + 1)
"""RFC 7518, 3.3 asks for 2048 at least; BoringSSL, which Envoy is built with, takes 16384 at most."""

_MAX_KEYS = 100


def check_jwks(text: str) -> str:
    """The text, if it is a key set of public RSA and EC keys.

    Raises PydanticCustomError, which never quotes the text.
    """
    keys = _keys(text)
    kids: list[str] = []
    for number, key in enumerate(keys, 1):
        _check_key(key, f"key {number}")
        if "kid" in key:
            kids.append(key["kid"])
    for kid in kids:
        if kids.count(kid) > 1:
            raise _error("two of its keys have the same `kid`", "give each key a `kid` of its own")
    return text


def fitting(text: str, algorithms: tuple[str, ...]) -> bool:
    """Whether a key set that was checked has a key for at least one of the algorithms."""
    return any(set(algorithms) & _algorithms(key) for key in _keys(text))


def _keys(text: str) -> list[Mapping[str, Any]]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _error("it is not JSON", 'write a JSON Web Key Set, {"keys": [...]}, in one pair of quotes') from None
    keys: Any = cast("dict[str, Any]", found).get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in cast("list[Any]", keys)):
        raise _error("it is not a JSON Web Key Set", 'write {"keys": [...]} with at least one key')
    if len(cast("list[Any]", keys)) > _MAX_KEYS:
        raise _error(f"it has more than {_MAX_KEYS} keys", "publish them, and write `jwks_uri`")
    return cast("list[Mapping[str, Any]]", keys)


def _check_key(key: Mapping[str, Any], name: str) -> None:
    if key.get("kty") == "oct" or _PRIVATE & key.keys():
        raise _error(
            f"{name} contains a private key",
            "take the members d, p, q, dp, dq, qi and k away, and treat the key as known to others: make a new one",
        )
    for member in ("kid", "alg", "use", "x5t"):
        if member in key and (not isinstance(key[member], str) or not key[member]):
            raise _error(f"`{member}` of {name} is not text")
    if key.get("use", "sig") != "sig":
        raise _error(f"{name} is not for signatures", 'take it away, or write "use": "sig"')
    if key.get("kty") == "RSA":
        _check_rsa(key, name)
    elif key.get("kty") == "EC":
        _check_ec(key, name)
    else:
        raise _error(f"`kty` of {name} is neither RSA nor EC", "use a key for RS, PS or ES algorithms")
    if "alg" in key and not _algorithms(key):
        raise _error(f"`alg` of {name} does not fit the key", "leave `alg` out, or write the one that it signs with")


def _check_rsa(key: Mapping[str, Any], name: str) -> None:
    modulus, exponent = _number(key, "n", name), _number(key, "e", name)
    bits = int.from_bytes(modulus, "big").bit_length()
    if bits not in _RSA_BITS:
        raise _error(f"{name} has {bits} bits", f"use an RSA key of {_RSA_BITS[0]} to {_RSA_BITS[-1]} bits")
    public = int.from_bytes(exponent, "big")
    if public < 3 or public % 2 == 0 or public.bit_length() > 33:
        raise _error(f"`e` of {name} is not a public exponent", "the usual one is AQAB")


def _check_ec(key: Mapping[str, Any], name: str) -> None:
    curve: object = key.get("crv")
    if not isinstance(curve, str) or curve not in _CURVES:
        raise _error(f"`crv` of {name} is not a curve that the edge knows", f"use one of {', '.join(_CURVES)}")
    length = _CURVES[curve][1]
    for member in ("x", "y"):
        if len(_number(key, member, name)) != length:
            raise _error(
                f"`{member}` of {name} is not {length} bytes long", f"{curve} has coordinates of {length} bytes"
            )


def _number(key: Mapping[str, Any], member: str, name: str) -> bytes:
    value: object = key.get(member)
    if not isinstance(value, str) or not value:
        raise _error(f"{name} has no `{member}`")
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _error(f"`{member}` of {name} is not base64url") from None


def _algorithms(key: Mapping[str, Any]) -> frozenset[str]:
    fit = _RSA if key["kty"] == "RSA" else frozenset({_CURVES[key["crv"]][0]})
    return fit & {key["alg"]} if "alg" in key else fit


def _error(what: str, remedy: str = "") -> PydanticCustomError:
    return PydanticCustomError("jwks", "{reason}", {"reason": what, "remedy": remedy})
