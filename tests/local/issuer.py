"""An issuer of tokens for load and bench: one RSA key, its key set, and tokens that carry what they are told."""

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

URL = "https://login.load.example/"
AUDIENCE = "api://load"


class Issuer:
    """Signs with RS256."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        modulus = self._key.public_key().public_numbers().n
        key = {"kty": "RSA", "kid": "load", "use": "sig", "alg": "RS256", "n": _encode(_bytes(modulus)), "e": "AQAB"}
        self.jwks = json.dumps({"keys": [key]})

    @property
    def authorizer(self) -> dict[str, Any]:
        """An authorizer, as it stands in a spec, that accepts its tokens."""
        return {"jwt": {"issuer": URL, "audiences": [AUDIENCE], "jwks": self.jwks}}

    def token(self, subject: str = "user-1", *, scope: str = "", seconds: int = 3600) -> str:
        """A token that expires after so many seconds."""
        now = int(time.time())
        claims = {"iss": URL, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + seconds, "scope": scope}
        head = {"alg": "RS256", "typ": "JWT", "kid": "load"}
        signed = f"{_encode(json.dumps(head).encode())}.{_encode(json.dumps(claims).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encode(signature)}"

    def headers(self, subject: str = "user-1", *, scope: str = "") -> dict[str, str]:
        """The Authorization header with such a token."""
        return {"authorization": f"Bearer {self.token(subject, scope=scope)}"}


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
