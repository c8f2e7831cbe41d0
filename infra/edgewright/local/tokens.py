"""Keys and tokens of the development OpenID provider: what it signs with, kept in the state folder, mode 0600.

The JWS form is a few lines here; cryptography does the signing.
"""

import base64
import contextlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey

FOLDER = "idp"
CONFIG = "idp.json"

_CURVES = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}
_RSA_BITS = 2048


class TokenError(Exception):
    """A token that cannot be made; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """What tokens of an authorizer look like; see ``artifact.IdentityIssuer``."""

    authorizer: str
    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    scope_claim: str
    scopes: tuple[str, ...]
    audience_claim: str


def issuers(config: Path) -> dict[str, Issuer]:
    """The authorizers that tokens are issued for, from the file that the runtime wrote."""
    try:
        data = json.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TokenError(
            f"no token can be issued: {config} is not there; start an edge whose spec has a jwt authorizer without keys"
        ) from None
    return {
        item["authorizer"]: Issuer(
            authorizer=item["authorizer"],
            issuer=item["issuer"],
            audiences=tuple(item["audiences"]),
            algorithms=tuple(item["algorithms"]),
            scope_claim=item["scope_claim"],
            scopes=tuple(item["scopes"]),
            audience_claim=item.get("audience_claim", "aud"),
        )
        for item in data["authorizers"]
    }


def choose(found: Mapping[str, Issuer], authorizer: str | None) -> Issuer:
    """The authorizer by its name, or the only one; TokenError when there is none, or several and no name."""
    if authorizer is None and len(found) == 1:
        return next(iter(found.values()))
    names = ", ".join(f"`{name}`" for name in sorted(found)) or "none"
    if authorizer is None:
        raise TokenError(f"say for which authorizer: {names}")
    if authorizer not in found:
        raise TokenError(f"tokens of `{authorizer}` are not issued here; there are {names}")
    return found[authorizer]


def mint(
    state_dir: Path | str,
    authorizer: str | None = None,
    *,
    subject: str = "developer",
    scopes: tuple[str, ...] = (),
    audiences: tuple[str, ...] = (),
    claims: Mapping[str, Any] | None = None,
    lifetime: float = 3600,
    algorithm: str | None = None,
    now: float | None = None,
) -> str:
    """A signed token for an authorizer of the edge in ``state_dir``, straight from its files.

    lifetime in seconds; audiences: the authorizer's first when left out; algorithm: the authorizer's first. Raises
    TokenError when the edge issues no tokens, or not for this authorizer or algorithm.
    """
    folder = Path(state_dir)
    issuer = choose(issuers(folder / CONFIG), authorizer)
    return sign(
        folder / FOLDER,
        issuer,
        subject=subject,
        scopes=scopes,
        audiences=audiences,
        claims=claims,
        lifetime=lifetime,
        algorithm=algorithm,
        now=now,
    )


def sign(
    folder: Path,
    issuer: Issuer,
    *,
    subject: str,
    scopes: tuple[str, ...] = (),
    audiences: tuple[str, ...] = (),
    claims: Mapping[str, Any] | None = None,
    lifetime: float = 3600,
    algorithm: str | None = None,
    now: float | None = None,
) -> str:
    """As :func:`mint`, with the folder of the keys and the issuer at hand."""
    name = algorithm or issuer.algorithms[0]
    if name not in issuer.algorithms:
        raise TokenError(f"`{issuer.authorizer}` accepts {', '.join(issuer.algorithms)}, not {name}")
    at = int(time.time() if now is None else now)
    wanted = list(audiences) or [issuer.audiences[0]]
    payload: dict[str, Any] = {
        "iss": issuer.issuer,
        "sub": subject,
        issuer.audience_claim: wanted[0] if len(wanted) == 1 else wanted,
        "iat": at,
        "exp": int(at + lifetime),
        "jti": secrets.token_hex(8),
    }
    if scopes:
        payload[issuer.scope_claim] = " ".join(scopes)
    payload.update(claims or {})
    key = KeyStore(folder, issuer).current(name)
    header = {"alg": name, "typ": "JWT", "kid": key.kid}
    signed = f"{_part(header)}.{_part(payload)}"
    return f"{signed}.{_b64(_signature(name, key.private(), signed.encode()))}"


def rotate(state_dir: Path | str, authorizer: str | None = None) -> None:
    """New keys for an authorizer; the former public keys stay published, so that tokens under way are still good."""
    folder = Path(state_dir)
    issuer = choose(issuers(folder / CONFIG), authorizer)
    KeyStore(folder / FOLDER, issuer).rotate()


def client_secret(folder: Path) -> str:
    """The secret of the token endpoint's client ``edgewright``; made when it is first asked for."""
    path = folder / "client_secret"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    secret = secrets.token_urlsafe(32)
    _write(path, secret)
    return path.read_text(encoding="ascii").strip()


# -- keys --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A private key as it is kept: its kid, the algorithms that it serves, PEM."""

    kid: str
    family: str
    pem: str

    def private(self) -> "PrivateKey":
        """The key to sign with."""
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        return cast("PrivateKey", load_pem_private_key(self.pem.encode(), None))

    def public(self, algorithm: str) -> dict[str, Any]:
        """The public key as a JSON Web Key for one algorithm (RFC 7517)."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        key = self.private()
        common = {"use": "sig", "alg": algorithm, "kid": self.kid}
        if isinstance(key, RSAPrivateKey):
            numbers = key.public_key().public_numbers()
            return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e), **common}
        curve, size = _CURVES[algorithm]
        point = key.public_key().public_numbers()
        return {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size), **common}


class KeyStore:
    """The keys of one authorizer, in a file of its own; the current one of an algorithm is the last.

    RS and PS share no key: a published key says the one algorithm that it is for.
    """

    def __init__(self, folder: Path, issuer: Issuer) -> None:
        self._folder = folder
        self._issuer = issuer
        self.path = folder / f"{issuer.authorizer}.keys.json"

    def current(self, algorithm: str) -> StoredKey:
        """The key to sign with; made when there is none yet."""
        keys = [key for key in self._all() if key.family == algorithm]
        return keys[-1] if keys else self._add(algorithm)

    def ensure(self) -> None:
        """Make the keys of all algorithms that lack one."""
        have = {key.family for key in self._all()}
        for algorithm in self._issuer.algorithms:
            if algorithm not in have:
                self._add(algorithm)

    def rotate(self) -> None:
        """A new current key for each algorithm; of the former ones the last two stay published."""
        kept: list[StoredKey] = []
        for algorithm in self._issuer.algorithms:
            kept += [key for key in self._all() if key.family == algorithm][-2:]
            kept.append(_new_key(algorithm))
        self._save(kept)

    def published(self) -> dict[str, Any]:
        """The JSON Web Key Set."""
        return {"keys": [key.public(key.family) for key in self._all() if key.family in self._issuer.algorithms]}

    def _all(self) -> list[StoredKey]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [StoredKey(item["kid"], item["family"], item["pem"]) for item in data]

    def _add(self, algorithm: str) -> StoredKey:
        key = _new_key(algorithm)
        self._save([*self._all(), key])
        return key

    def _save(self, keys: list[StoredKey]) -> None:
        _write(self.path, json.dumps([{"kid": key.kid, "family": key.family, "pem": key.pem} for key in keys]))


def _new_key(algorithm: str) -> StoredKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    curves = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
    key: PrivateKey = (
        ec.generate_private_key(curves[algorithm]())
        if algorithm in curves
        else rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return StoredKey(secrets.token_hex(8), algorithm, pem.decode())


def _signature(algorithm: str, key: "PrivateKey", data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
    if isinstance(key, RSAPrivateKey):
        scheme = (
            padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            if algorithm.startswith("PS")
            else padding.PKCS1v15()
        )
        return key.sign(data, scheme, digest)
    # JWS wants both numbers at full length (RFC 7518, 3.4), not the DER form.
    size = _CURVES[algorithm][1]
    first, second = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
    return first.to_bytes(size, "big") + second.to_bytes(size, "big")


def _part(data: Mapping[str, Any]) -> str:
    return _b64(json.dumps(data, separators=(",", ":")).encode())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int, size: int | None = None) -> str:
    return _b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def _write(path: Path, text: str) -> None:
    """Put a secret in place at once, readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    scratch.replace(path)
