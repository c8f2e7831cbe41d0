"""Keys, clients and tokens of the development OpenID provider, in files; minting needs no running provider.

Below the state folder: ``idp.json`` says what is issued (written by the runtime), ``idp/<authorizer>.keys.json`` holds
the keys and ``idp/<authorizer>.client.json`` the client's secret. Signing is `cryptography`'s; what is done here is the
compact form around a signature (RFC 7515), which is never read or verified here.
"""

import binascii
import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from edgewright.local.artifact import IdentityIssuer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

CONFIG = "idp.json"
"""What is issued, in the state folder: ``{"authorizers": [...]}``, each an ``IdentityIssuer``."""

FOLDER = "idp"
"""The folder with keys and secrets, in the state folder."""

LIFETIME = 3_600
"""Seconds that a token is valid for, unless it is said otherwise."""

KINDS = {"RS": "RSA", "PS": "RSA", "ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
"""What key an algorithm takes; RS256 to PS512 share one."""

_RSA_BITS = 2_048
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_ALGORITHM = re.compile(r"(?:RS|PS|ES)(?:256|384|512)")


class TokenError(Exception):
    """A token cannot be made; the text says why and what to do, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who may ask the token endpoint for tokens."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key. kind: ``RSA``, ``P-256``, ``P-384`` or ``P-521``; private: PEM, empty once it is replaced."""

    kind: str
    public: Mapping[str, str]
    private: str = field(default="", repr=False)

    @property
    def id(self) -> str:
        """The ``kid``: the key's thumbprint (RFC 7638)."""
        return self.public["kid"]


# -- what the command line and the tests use ---------------------------------------------------------------------------


def mint(
    state_dir: str | os.PathLike[str],
    authorizer: str | None = None,
    *,
    subject: str,
    scopes: Sequence[str] = (),
    audiences: Sequence[str] = (),
    claims: Mapping[str, Any] | None = None,
    lifetime: int = LIFETIME,
    algorithm: str | None = None,
    now: float | None = None,
) -> str:
    """A token, straight from a state folder.

    authorizer: may be left out when there is one; audiences: instead of the authorizer's; claims: further ones, which
    win over those that stand in every token, and None leaves one out; lifetime: seconds; algorithm: the authorizer's
    first; now: seconds since 1970. Raises TokenError.
    """
    folder = Path(state_dir)
    issuer = find(read_config(folder / CONFIG), authorizer)
    made = claims_of(
        issuer, subject, scopes=scopes, audiences=audiences, lifetime=lifetime, now=time.time() if now is None else now
    )
    made.update(claims or {})
    return KeyStore(folder / FOLDER).sign(
        issuer, {name: value for name, value in made.items() if value is not None}, algorithm
    )


def rotate(state_dir: str | os.PathLike[str], authorizer: str | None = None) -> tuple[str, ...]:
    """Sign with new keys from now on; the ``kid`` of each.

    The keys that were in use still verify, those before them no more. A running provider serves the new set at the next
    request. Raises TokenError.
    """
    folder = Path(state_dir)
    return KeyStore(folder / FOLDER).rotate(find(read_config(folder / CONFIG), authorizer))


def client(state_dir: str | os.PathLike[str], authorizer: str | None = None) -> Client:
    """The client of the token endpoint. Raises TokenError."""
    folder = Path(state_dir)
    return KeyStore(folder / FOLDER).client(find(read_config(folder / CONFIG), authorizer))


def read_config(path: Path) -> tuple[IdentityIssuer, ...]:
    """What is issued. Raises TokenError."""
    try:
        data = json.loads(path.read_bytes())
        found = tuple(_issuer(item) for item in data["authorizers"])
    except FileNotFoundError:
        raise TokenError(
            f"no development OpenID provider runs in {path.parent}; start the edge, or say with --state where it is"
        ) from None
    except OSError as error:
        raise TokenError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TokenError(f"{path} does not say what is issued ({type(error).__name__}); start the edge again") from None
    if len({item.authorizer for item in found}) < len(found):
        raise TokenError(f"{path} names an authorizer twice; start the edge again")
    return found


def _issuer(item: Mapping[str, Any]) -> IdentityIssuer:
    lists: dict[str, Any] = {name: tuple(item.get(name, ())) for name in ("audiences", "algorithms", "scopes")}
    issuer = IdentityIssuer(**{**item, **lists})
    if not _NAME.fullmatch(issuer.authorizer):
        raise ValueError("an authorizer's name cannot be a file's")
    if not issuer.algorithms:
        raise ValueError("an authorizer has no algorithm")
    for algorithm in issuer.algorithms:
        kind_of(algorithm)
    return issuer


def find(issuers: Sequence[IdentityIssuer], authorizer: str | None) -> IdentityIssuer:
    """The authorizer with this name, or the only one. Raises TokenError."""
    names = ", ".join(item.authorizer for item in issuers)
    if not issuers:
        raise TokenError("no authorizer of this edge gets its tokens from the development OpenID provider")
    if authorizer is None:
        if len(issuers) > 1:
            raise TokenError(f"say which authorizer the token is for: {names}")
        return issuers[0]
    for item in issuers:
        if item.authorizer == authorizer:
            return item
    raise TokenError(f"`{authorizer}` is no authorizer whose tokens are issued here; there is {names}")


def kind_of(algorithm: str) -> str:
    """The kind of key that an algorithm takes. Raises ValueError for one that is not supported."""
    if not _ALGORITHM.fullmatch(algorithm):
        raise ValueError(f"{algorithm} is not one of RS, PS and ES with 256, 384 or 512")
    return KINDS.get(algorithm) or KINDS[algorithm[:2]]


def claims_of(
    issuer: IdentityIssuer,
    subject: str,
    *,
    scopes: Sequence[str] = (),
    audiences: Sequence[str] = (),
    client_id: str = "",
    lifetime: int = LIFETIME,
    now: float,
) -> dict[str, Any]:
    """The claims of a token, with scopes and audience in the claims where the authorizer looks for them."""
    issued = int(now)
    found: dict[str, Any] = {
        "iss": issuer.issuer,
        "sub": subject,
        "iat": issued,
        "nbf": issued,
        "exp": issued + lifetime,
        "jti": secrets.token_urlsafe(16),
    }
    if client_id:
        found["client_id"] = client_id
    wanted = tuple(audiences) or issuer.audiences
    if issuer.audience_claim == "aud":
        if wanted:
            found["aud"] = wanted[0] if len(wanted) == 1 else list(wanted)
    elif wanted:
        # As Cognito and others write it: one text, in a claim of its own.
        found[issuer.audience_claim] = wanted[0]
    if scopes:
        # `scope` and `scp` are words separated by spaces; a claim of another name, such as `roles`, is a list.
        words = issuer.scope_claim in ("scope", "scp")
        found[issuer.scope_claim] = " ".join(scopes) if words else list(scopes)
    return found


# -- keys --------------------------------------------------------------------------------------------------------------


class KeyStore:
    """The keys of all authorizers, in a folder that only its owner can enter. Made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[tuple[int, ...], list[Key]]] = {}

    def ready(self, issuer: IdentityIssuer) -> bool:
        """Whether every key that the authorizer needs is there, so that nothing has to be generated."""
        return not self._missing(issuer, self._keys(issuer.authorizer))

    def jwks(self, issuer: IdentityIssuer) -> dict[str, list[dict[str, str]]]:
        """The public keys, current ones first. They are read again whenever the file has changed."""
        wanted = self._kinds(issuer)
        keys = [key for key in self._ensured(issuer) if key.kind in wanted]
        return {"keys": [_published(key, issuer.algorithms) for key in keys]}

    def sign(self, issuer: IdentityIssuer, claims: Mapping[str, Any], algorithm: str | None = None) -> str:
        """A token in compact form. algorithm: the authorizer's first. Raises TokenError."""
        chosen = algorithm or issuer.algorithms[0]
        if chosen not in issuer.algorithms:
            raise TokenError(
                f"tokens of `{issuer.authorizer}` are signed with {', '.join(issuer.algorithms)}, not {chosen}"
            )
        kind = kind_of(chosen)
        key = next(key for key in self._ensured(issuer) if key.kind == kind and key.private)
        head = {"alg": chosen, "typ": "JWT", "kid": key.id}
        signed = f"{encoded(_json(head))}.{encoded(_json(claims))}"
        return f"{signed}.{encoded(_signature(key.private, chosen, signed.encode()))}"

    def rotate(self, issuer: IdentityIssuer) -> tuple[str, ...]:
        """Replace the current keys; the ``kid`` of each new one. Of the old ones only the public half is kept."""
        with self._locked():
            found = self._keys(issuer.authorizer)
            fresh = [_generated(kind) for kind in self._kinds(issuer)]
            previous = [Key(key.kind, key.public) for key in found if key.private]
            self._write_keys(issuer.authorizer, [*fresh, *previous])
        return tuple(key.id for key in fresh)

    def client(self, issuer: IdentityIssuer) -> Client:
        """The authorizer's client; its secret is made when it is first asked for."""
        path = self._folder / f"{issuer.authorizer}.client.json"
        with self._locked():
            try:
                data = json.loads(path.read_bytes())
                return Client(str(data["client_id"]), str(data["client_secret"]))
            except FileNotFoundError:
                made = Client(f"{issuer.authorizer}-client", secrets.token_urlsafe(32))
            except (ValueError, KeyError, TypeError):
                raise TokenError(f"{path} holds no client; remove it, and a new one is made") from None
            self._write(path, {"client_id": made.id, "client_secret": made.secret})
        return made

    def _ensured(self, issuer: IdentityIssuer) -> list[Key]:
        found = self._keys(issuer.authorizer)
        if not self._missing(issuer, found):
            return found
        with self._locked():
            found = self._keys(issuer.authorizer)
            missing = self._missing(issuer, found)
            if missing:
                found = [*(_generated(kind) for kind in missing), *found]
                self._write_keys(issuer.authorizer, found)
        return found

    @staticmethod
    def _kinds(issuer: IdentityIssuer) -> list[str]:
        return list(dict.fromkeys(kind_of(algorithm) for algorithm in issuer.algorithms))

    def _missing(self, issuer: IdentityIssuer, found: Sequence[Key]) -> list[str]:
        there = {key.kind for key in found if key.private}
        return [kind for kind in self._kinds(issuer) if kind not in there]

    def _path(self, authorizer: str) -> Path:
        return self._folder / f"{authorizer}.keys.json"

    def _keys(self, authorizer: str) -> list[Key]:
        path = self._path(authorizer)
        try:
            status = path.stat()
        except FileNotFoundError:
            return []
        # A new file each time, so its number changes even where the clock is too coarse for its time to.
        version = (status.st_ino, status.st_mtime_ns, status.st_size)
        seen = self._seen.get(authorizer)
        if seen and seen[0] == version:
            return seen[1]
        try:
            items = json.loads(path.read_bytes())["keys"]
            keys = [Key(str(item["kind"]), dict(item["public"]), str(item["private"])) for item in items]
        except (ValueError, KeyError, TypeError):
            raise TokenError(f"{path} holds no keys; remove it, and new ones are made") from None
        self._seen[authorizer] = (version, keys)
        return keys

    def _write_keys(self, authorizer: str, keys: Sequence[Key]) -> None:
        data = [{"kind": key.kind, "public": dict(key.public), "private": key.private} for key in keys]
        self._write(self._path(authorizer), {"keys": data})

    def _write(self, path: Path, data: object) -> None:
        """Replace a file at once; nobody else can read it, not even before it is complete."""
        scratch = self._folder / f".{path.name}.{os.getpid()}"
        scratch.unlink(missing_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
        scratch.replace(path)

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        """Alone with the files: the provider and a command line may both find that a key is missing."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise TokenError(f"keys cannot be kept in {self._folder}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _generated(kind: str) -> Key:
    """A new key: 2048 bits of RSA take a few tenths of a second, a curve next to nothing."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if kind == "RSA":
        key = rsa.generate_private_key(65537, _RSA_BITS)
        numbers = key.public_key().public_numbers()
        public = {"kty": "RSA", "n": encoded(_bytes(numbers.n)), "e": encoded(_bytes(numbers.e))}
    else:
        curve = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}[kind]()
        key = ec.generate_private_key(curve)
        point = key.public_key().public_numbers()
        size = (curve.key_size + 7) // 8
        x, y = (encoded(number.to_bytes(size, "big")) for number in (point.x, point.y))
        public = {"kty": "EC", "crv": kind, "x": x, "y": y}
    thumbprint = encoded(hashlib.sha256(_json(dict(sorted(public.items())))).digest())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return Key(kind, {"kid": thumbprint, "use": "sig", **public}, pem)


def _published(key: Key, algorithms: Sequence[str]) -> dict[str, str]:
    """A public key; with its algorithm where it has one only."""
    own = [algorithm for algorithm in algorithms if kind_of(algorithm) == key.kind]
    return {**key.public, "alg": own[0]} if len(own) == 1 else dict(key.public)


def _signature(private: str, algorithm: str, data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    digest = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[algorithm[2:]]()
    key: PrivateKeyTypes = serialization.load_pem_private_key(private.encode(), None)
    if isinstance(key, rsa.RSAPrivateKey):
        # RFC 7518, 3.5: the salt is as long as the digest.
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return key.sign(data, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)
    pair = decode_dss_signature(cast("ec.EllipticCurvePrivateKey", key).sign(data, ec.ECDSA(digest)))
    size = (cast("ec.EllipticCurvePrivateKey", key).key_size + 7) // 8
    # RFC 7518, 3.4: both numbers in their full length, not DER.
    return b"".join(number.to_bytes(size, "big") for number in pair)


def encoded(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE).decode()


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _json(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
