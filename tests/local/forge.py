"""Tokens as an attacker or a careless issuer would make them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgewright.local import tokens

ISSUER = "https://login.shop.example/"
AUDIENCE = "api://shop"


def part(data: Mapping[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """Claims of a good token, with changes; None takes one away."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "mallory", "iat": now, "exp": now + 600, "scope": "orders.read"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def unsigned(**changes: Any) -> str:
    """``alg: none``."""
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims(**changes))}."


def hmac_signed(secret: bytes, **header: Any) -> str:
    """HS256 with a secret that is none, such as a public key."""
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', **header})}.{part(claims())}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def signed(folder: Path, authorizer: str = "main", *, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """Signed with the edge's own development key, with other claims and header."""
    issuer = tokens.issuers(folder / tokens.CONFIG)[authorizer]
    algorithm = issuer.algorithms[0]
    key = tokens.KeyStore(folder / tokens.FOLDER, issuer).current(algorithm)
    head = {"alg": algorithm, "typ": "JWT", "kid": key.kid, **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    text = f"{part(head)}.{part(claims(**changes))}"
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    private = key.private()
    assert isinstance(private, RSAPrivateKey)
    signature = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def public_pem(folder: Path, authorizer: str = "main") -> bytes:
    """The public key that anybody can fetch, in PEM."""
    from cryptography.hazmat.primitives import serialization

    issuer = tokens.issuers(folder / tokens.CONFIG)[authorizer]
    private = tokens.KeyStore(folder / tokens.FOLDER, issuer).current(issuer.algorithms[0]).private()
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
