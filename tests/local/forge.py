"""Tokens as an attacker or a careless issuer would make them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

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


def _key(folder: Path, authorizer: str) -> tuple[tokens.Key, str]:
    issuer = tokens.find(tokens.read_config(folder / tokens.CONFIG), authorizer)
    store = tokens.KeyStore(folder / tokens.FOLDER)
    kid = json.loads(_decoded(store.sign(issuer, claims()).split(".")[0]))["kid"]
    saved = json.loads((folder / tokens.FOLDER / f"{authorizer}.keys.json").read_text())["keys"]
    found = next(item for item in saved if item["public"]["kid"] == kid)
    return tokens.Key(found["kind"], found["public"], found["private"]), issuer.algorithms[0]


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(folder: Path, authorizer: str = "main", *, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """Signed (RS256) with the edge's own development key, with other claims and header; None takes one away."""
    key, algorithm = _key(folder, authorizer)
    head = {"alg": algorithm, "typ": "JWT", "kid": key.id, **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    text = f"{part(head)}.{part(claims(**changes))}"
    private = load_pem_private_key(key.private.encode(), None)
    assert isinstance(private, RSAPrivateKey)
    signature = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def public_pem(folder: Path, authorizer: str = "main") -> bytes:
    """The public key that anybody can fetch, in PEM."""
    private = load_pem_private_key(_key(folder, authorizer)[0].private.encode(), None)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
