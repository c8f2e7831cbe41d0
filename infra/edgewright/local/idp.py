"""The development OpenID provider: discovery document, keys and token endpoint of each JWT authorizer, on loopback.

Tokens carry the issuer of the spec, so that the spec of production runs here unchanged. For development only.
"""

import argparse
import asyncio
import base64
import binascii
import hmac
import os
from pathlib import Path
from urllib.parse import parse_qs, unquote

from edgewright.local.http1 import Request, Response, as_json, serve
from edgewright.local.tokens import Issuer, KeyStore, client_secret, issuers, sign

CLIENT = "edgewright"
"""The client id at the token endpoint; its secret is in ``idp/client_secret`` of the state folder."""

LIFETIME = 3600

_NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))


class Provider:
    """Answers requests; keys: folder of the keys; config: file of the authorizers; base: URL of this provider."""

    def __init__(self, keys: Path, config: Path, base: str) -> None:
        self._keys = keys
        self._config = config
        self._base = base
        self._seen = (0, 0)
        self._issuers: dict[str, Issuer] = {}
        self._sets: dict[str, tuple[int, Response]] = {}
        self.reload()

    def reload(self) -> None:
        """Read the authorizers again if their file has changed, and make the keys that are missing."""
        stat = self._config.stat()
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            self._issuers = issuers(self._config)
            for issuer in self._issuers.values():
                KeyStore(self._keys, issuer).ensure()
            self._seen = seen

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        self.reload()
        name, _, rest = request.path[1:].partition("/")
        if name == "healthz" and not rest:
            return as_json({"healthy": True})
        issuer = self._issuers.get(unquote(name))
        if issuer is None:
            return as_json({"error": "not_found", "authorizers": sorted(self._issuers)}, 404)
        if rest == ".well-known/openid-configuration" and request.method == "GET":
            return as_json(self._discovery(issuer))
        if rest == "jwks" and request.method == "GET":
            return self._published(issuer)
        if rest == "token":
            return (
                self._token(issuer, request) if request.method == "POST" else _error("invalid_request", "use POST", 405)
            )
        return as_json({"error": "not_found"}, 404)

    def _discovery(self, issuer: Issuer) -> dict[str, object]:
        base = f"{self._base}/{issuer.authorizer}"
        return {
            "issuer": issuer.issuer,
            "jwks_uri": f"{base}/jwks",
            "token_endpoint": f"{base}/token",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(issuer.algorithms),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": list(issuer.scopes),
        }

    def _published(self, issuer: Issuer) -> Response:
        """The key set, made anew when the file of the keys has changed: a rotation is seen at once."""
        store = KeyStore(self._keys, issuer)
        changed = store.path.stat().st_mtime_ns
        known = self._sets.get(issuer.authorizer)
        if known is None or known[0] != changed:
            known = (changed, as_json(store.published(), headers=(("cache-control", "max-age=60"),)))
            self._sets[issuer.authorizer] = known
        return known[1]

    def _token(self, issuer: Issuer, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        given = _basic(request.headers.get("authorization", "")) or (
            form.get("client_id", ""),
            form.get("client_secret", ""),
        )
        secret = client_secret(self._keys)
        known = hmac.compare_digest(given[1].encode(), secret.encode())
        if not (hmac.compare_digest(given[0].encode(), CLIENT.encode()) and known):
            return _error("invalid_client", "the client or its secret is wrong", 401)
        if form.get("grant_type") != "client_credentials":
            return _error("unsupported_grant_type", "only client_credentials is there")
        scopes = tuple(form.get("scope", "").split())
        unknown = [scope for scope in scopes if issuer.scopes and scope not in issuer.scopes]
        if unknown:
            return _error("invalid_scope", f"there is no scope {unknown[0]!r}")
        token = sign(self._keys, issuer, subject=CLIENT, scopes=scopes, lifetime=LIFETIME)
        data = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME, "scope": " ".join(scopes)}
        return as_json(data, headers=_NO_STORE)


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(name), unquote(secret)


def _error(code: str, detail: str, status: int = 400) -> Response:
    """An error as RFC 6749, 5.2 has it."""
    headers = (*_NO_STORE, *((("www-authenticate", "Basic"),) if status == 401 else ()))
    return as_json({"error": code, "error_description": detail}, status, headers)


def main() -> None:
    """Run the provider on 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(description="the development OpenID provider of a local edge")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="the folder of the keys")
    parser.add_argument("--config", type=Path, required=True, help="the file of the authorizers")
    given = parser.parse_args()
    os.umask(0o077)
    provider = Provider(given.state, given.config, f"http://127.0.0.1:{given.port}")
    asyncio.run(serve(provider.answer, port=given.port))


if __name__ == "__main__":
    main()
