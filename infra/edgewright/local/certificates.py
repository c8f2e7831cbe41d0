"""Development certificates: an authority of the state folder's own, and leaf certificates that it signs."""

import datetime
import hashlib
import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewright.local.artifact import Certificate
from edgewright.local.state import StateFolder

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

AUTHORITY = "ca.crt"
"""The authority, for ``curl --cacert``; relative to the state folder."""
AUTHORITY_DAYS = 3650
LEAF_DAYS = 90
RENEW_DAYS = 30
"""A certificate with less than this left is issued again."""

_INDEX = "tls/index.json"
_AUTHORITY_KEY = "tls/ca.key"
_ALWAYS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Issued:
    """The files of a leaf certificate, relative to the state folder, by the names that the artifact uses.

    files: ``tls/<name>.crt`` and ``.key`` mapped to the files that hold them now. Those names change with every issue,
    so that Envoy, which reads a file once, sees that its configuration has changed.
    """

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Files:
    certificate: str
    key: str


def issue(state: StateFolder, wanted: Iterable[Certificate], now: datetime.datetime | None = None) -> Issued:
    """Issue what is missing, about to expire, or made for other hosts; keep the rest.

    Files that nobody wants any more stay until :func:`sweep`.
    """
    time = now or datetime.datetime.now(datetime.UTC)
    certificates = tuple(wanted)
    if not certificates:
        return Issued({})
    index = _index(state)
    fresh = _usable(state, index.get("ca"), (), time)
    if not fresh:
        index = {"ca": _make_authority(state, time)}
    files: dict[str, str] = {}
    for item in certificates:
        hosts = tuple(dict.fromkeys((*(name.lower() for name in item.hosts if name not in ("", "*")), *_ALWAYS)))
        entry = index.get(item.name)
        if entry is None or not _usable(state, entry, hosts, time):
            entry = index[item.name] = _make_leaf(state, item.name, hosts, time)
        files[f"tls/{item.name}.crt"] = entry["certificate"]
        files[f"tls/{item.name}.key"] = entry["key"]
    state.write(_INDEX, json.dumps(index, indent=1))
    return Issued(files)


def sweep(state: StateFolder, kept: Issued) -> None:
    """Remove the leaf certificates and keys that are no longer used."""
    keep = {AUTHORITY, _AUTHORITY_KEY, _INDEX, *kept.files.values()}
    index = {name: entry for name, entry in _index(state).items() if name == "ca" or entry["certificate"] in keep}
    for path in state.folder("tls").iterdir():
        if f"tls/{path.name}" not in keep:
            path.unlink(missing_ok=True)
    if index:
        state.write(_INDEX, json.dumps(index, indent=1))


def _index(state: StateFolder) -> dict[str, Any]:
    # What the certificates say is kept beside them, so that a start needs no cryptography when nothing is to be issued.
    found = state.read_json(_INDEX)
    return dict(found) if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _usable(
    state: StateFolder, entry: Mapping[str, Any] | None, hosts: tuple[str, ...], now: datetime.datetime
) -> bool:
    if not entry or tuple(entry.get("hosts", ())) != hosts:
        return False
    try:
        expiry = datetime.datetime.fromisoformat(entry["expires"])
        data = (state / entry["certificate"]).read_bytes()
        (state / entry["key"]).read_bytes()
    except (OSError, KeyError, ValueError):
        return False
    same = hashlib.sha256(data).hexdigest() == entry.get("sha256")
    return same and expiry - now > datetime.timedelta(days=RENEW_DAYS)


def _make_authority(state: StateFolder, now: datetime.datetime) -> dict[str, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "edgewright development"),
            x509.NameAttribute(NameOID.COMMON_NAME, "edgewright development authority"),
        ]
    )
    builder = (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    files = _Files(AUTHORITY, _AUTHORITY_KEY)
    return _save(state, files, builder.sign(key, hashes.SHA256()), key, ())


def _make_leaf(state: StateFolder, name: str, hosts: tuple[str, ...], now: datetime.datetime) -> dict[str, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    authority = x509.load_pem_x509_certificate((state / AUTHORITY).read_bytes())
    signer = serialization.load_pem_private_key((state / _AUTHORITY_KEY).read_bytes(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{_AUTHORITY_KEY} is not an elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    # RFC 5280 bounds a common name to 64 characters; clients look at the alternative names only.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    builder = (
        _builder(subject, authority.subject, key.public_key(), now, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    stamp = hashlib.sha256(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()[:8]
    path = f"tls/{name}.{stamp}"
    files = _Files(f"{path}.crt", f"{path}.key")
    return _save(state, files, builder.sign(signer, hashes.SHA256()), key, hosts)


def _builder(
    subject: "x509.Name",
    issuer: "x509.Name",
    key: "ec.EllipticCurvePublicKey",
    now: datetime.datetime,
    days: int,
) -> "x509.CertificateBuilder":
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _save(
    state: StateFolder,
    files: _Files,
    certificate: "x509.Certificate",
    key: "ec.EllipticCurvePrivateKey",
    hosts: tuple[str, ...],
) -> dict[str, Any]:
    from cryptography.hazmat.primitives import serialization

    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    state.write(files.key, private)
    state.write(files.certificate, public)
    return {
        "hosts": list(hosts),
        "certificate": files.certificate,
        "key": files.key,
        "expires": certificate.not_valid_after_utc.isoformat(),
        "sha256": hashlib.sha256(public).hexdigest(),
    }


def _usage(*, authority: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host if host.isascii() else host.encode("idna").decode("ascii"))
