"""The development OpenID provider: discovery, JWKS and a token endpoint for each JWT authorizer, on loopback only."""

import argparse
import binascii
import hmac
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.local import http1
from edgewright.local.artifact import IdentityIssuer
from edgewright.local.tokens import LIFETIME, Client, KeyStore, TokenError, claims_of, read_config

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable

_NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
_FRESH = (("cache-control", "no-cache"),)
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_FORM = "application/x-www-form-urlencoded"
_GRANT = "client_credentials"
_BOUNDS = http1.Bounds(body=65_536)


class Failure(Exception):  # noqa: N818 - an answer, not a defect
    """A token request that is refused: an error code and a text, as in RFC 6749, 5.2."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who a token request says that it comes from."""

    client_id: str
    client_secret: str


class Provider:
    """Answers for all issuers.

    base: where it listens, such as ``http://127.0.0.1:9000``. The issuer, in tokens and in the discovery document, is
    the spec's; only the endpoints are here.
    """

    def __init__(self, issuers: Sequence[IdentityIssuer], keys: KeyStore, base: str) -> None:
        self._issuers = {item.authorizer: item for item in issuers}
        self._keys = keys
        self._base = base
        self._preparing: asyncio.Task[None] | None = None

    def answer(self, request: http1.Request) -> "http1.Answer | Awaitable[http1.Answer]":
        """Answer one request."""
        if request.path == "/healthz":
            return _reading(request) or http1.json_response({"status": "up"})
        name, _, rest = request.path.removeprefix("/").partition("/")
        issuer = self._issuers.get(name)
        if issuer is None:
            known = ", ".join(f"/{item}/.well-known/openid-configuration" for item in self._issuers)
            return http1.problem(404, "Not found", f"There is {known or 'nothing'} here.")
        if rest == "token":
            return self._token(request, issuer)
        if rest == ".well-known/openid-configuration":
            return _reading(request) or http1.json_response(self._discovery(issuer), headers=_FRESH)
        if rest == "jwks":
            return _reading(request) or self._jwks(issuer)
        return http1.problem(404, "Not found", f"/{name} has .well-known/openid-configuration, jwks and token.")

    async def prepare(self) -> None:
        """Make the keys that are missing, once for all who wait; an RSA key takes tenths of a second."""
        import asyncio

        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.create_task(self._prepare())
        await asyncio.shield(self._preparing)

    async def _prepare(self) -> None:
        import asyncio

        for issuer in self._issuers.values():
            if not self._keys.ready(issuer):
                await asyncio.to_thread(self._keys.jwks, issuer)
            await asyncio.to_thread(self._keys.client, issuer)

    def _discovery(self, issuer: IdentityIssuer) -> dict[str, object]:
        here = f"{self._base}/{issuer.authorizer}"
        found: dict[str, object] = {
            "issuer": issuer.issuer,
            "jwks_uri": f"{here}/jwks",
            "token_endpoint": f"{here}/token",
            "grant_types_supported": [_GRANT],
            # Required, and not to be empty (RFC 8414, 2 and 3.2); `none` returns nothing, as there is no browser login.
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(issuer.algorithms),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id"],
        }
        if issuer.scopes:
            found["scopes_supported"] = list(issuer.scopes)
        return found

    async def _jwks(self, issuer: IdentityIssuer) -> http1.Response:
        if not self._keys.ready(issuer):
            await self.prepare()
        return http1.json_response(self._keys.jwks(issuer), headers=_FRESH)

    async def _token(self, request: http1.Request, issuer: IdentityIssuer) -> http1.Response:
        import asyncio

        if request.method != "POST":
            return http1.problem(405, "Method not allowed", "A token is asked for with POST.", (("allow", "POST"),))
        try:
            form = _form(request)
            claimed = _claimed(request, form)
            # In a thread: the first time, a key is made; and the file is locked by whoever makes another.
            self._authenticate(claimed, await asyncio.to_thread(self._keys.client, issuer))
            scopes = _scopes(form, issuer)
            claims = claims_of(issuer, claimed.client_id, scopes=scopes, client_id=claimed.client_id, now=time.time())
            token = await asyncio.to_thread(self._keys.sign, issuer, claims)
        except Failure as failure:
            return _refused(failure, request.header("authorization") is not None)
        answer: dict[str, object] = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
        if scopes:
            answer["scope"] = " ".join(scopes)
        return http1.json_response(answer, headers=_NO_STORE)

    @staticmethod
    def _authenticate(claimed: Claimed, client: Client) -> None:
        # Both are compared, always, and in constant time: neither a name nor a part of a secret can be found by timing.
        same_id = hmac.compare_digest(claimed.client_id.encode(), client.id.encode())
        same_secret = hmac.compare_digest(claimed.client_secret.encode(), client.secret.encode())
        if not (same_id and same_secret):
            raise Failure("invalid_client", "The client is unknown, or its secret is wrong.")


def _reading(request: http1.Request) -> http1.Response | None:
    if request.method in ("GET", "HEAD"):
        return None
    return http1.problem(405, "Method not allowed", "This can only be read.", (("allow", "GET, HEAD"),))


def _form(request: http1.Request) -> dict[str, str]:
    from urllib.parse import parse_qsl

    if (request.header("content-type") or "").partition(";")[0].strip().lower() != _FORM:
        raise Failure("invalid_request", f"The parameters must be sent as {_FORM}.")
    try:
        pairs = parse_qsl(
            request.body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise Failure("invalid_request", "The parameters are malformed.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Failure("invalid_request", "A parameter is given twice.")
    if not form.get("grant_type"):
        raise Failure("invalid_request", "grant_type is missing.")
    if form["grant_type"] != _GRANT:
        raise Failure("unsupported_grant_type", f"The only grant_type here is {_GRANT}.")
    return form


def _claimed(request: http1.Request, form: dict[str, str]) -> Claimed:
    from urllib.parse import unquote_plus

    given = request.values("authorization")
    if not given:
        if not form.get("client_id") or not form.get("client_secret"):
            raise Failure("invalid_client", "client_id and client_secret are missing.")
        return Claimed(form["client_id"], form["client_secret"])
    if len(given) > 1 or "client_secret" in form:
        raise Failure("invalid_request", "The client must say who it is in one way only.")
    scheme, _, text = given[0].partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        # RFC 6749, 2.3.1: both halves are encoded as in a form, before Basic encodes them together.
        name, colon, secret = binascii.a2b_base64(text.strip().encode(), strict_mode=True).decode().partition(":")
        if not colon:
            raise ValueError
        claimed = Claimed(unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict"))
    except ValueError:
        raise Failure("invalid_client", "The Authorization header is not HTTP Basic.") from None
    if form.get("client_id", claimed.client_id) != claimed.client_id:
        raise Failure("invalid_request", "client_id is not the one in the Authorization header.")
    return claimed


def _scopes(form: dict[str, str], issuer: IdentityIssuer) -> tuple[str, ...]:
    """The scopes that are granted: those that are asked for, else all that the spec's routes name."""
    asked = tuple(dict.fromkeys(form.get("scope", "").split(" "))) if form.get("scope") else ()
    if not asked:
        return issuer.scopes
    if not all(_SCOPE.fullmatch(scope) for scope in asked):
        raise Failure("invalid_scope", "The scope is malformed: words, with one space between them.")
    unknown = [scope for scope in asked if scope not in issuer.scopes] if issuer.scopes else []
    if unknown:
        raise Failure("invalid_scope", f"No route wants {', '.join(unknown)}; there is {', '.join(issuer.scopes)}.")
    return asked


def _refused(failure: Failure, by_header: bool) -> http1.Response:
    body = {"error": failure.code, "error_description": failure.text}
    if failure.code != "invalid_client":
        return http1.json_response(body, 400, _NO_STORE)
    # RFC 6749, 5.2: who used the Authorization header is told the scheme.
    challenge = (("www-authenticate", 'Basic realm="token"'),) if by_header else ()
    return http1.json_response(body, 401, (*_NO_STORE, *challenge))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m edgewright.local.idp", description=__doc__)
    parser.add_argument("--port", required=True, type=int, help="on 127.0.0.1")
    parser.add_argument("--state", required=True, type=Path, help="folder of keys and secrets")
    parser.add_argument("--config", required=True, type=Path, help="what is issued")
    given = parser.parse_args(arguments)
    os.umask(0o077)

    async def serve() -> None:
        provider = Provider(issuers, KeyStore(given.state), f"http://127.0.0.1:{given.port}")
        server = http1.http_server(provider.answer, _BOUNDS)
        # Whoever asks for keys that are still being made waits for them; nobody finds the door shut.
        await server.listen_tcp(given.port)
        await provider.prepare()
        await server.until_stopped()

    try:
        issuers = read_config(given.config)
        return http1.run(serve)
    except TokenError as error:
        return http1.complain(error)


if __name__ == "__main__":
    raise SystemExit(main())
