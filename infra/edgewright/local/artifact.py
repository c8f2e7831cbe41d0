"""What the local compiler hands to the runtime: pure data, without secrets, absolute paths or ephemeral ports."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, cast

FORMAT = 1
"""Version of the JSON form; a runtime refuses an artifact of another version."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """A port that the edge opens.

    protocol: ``http``, ``https``, ``tcp`` or ``tls``; hosts: the names it answers for, empty means any;
    url: where a person reaches it (``https://localhost:8443``; ``tcp://127.0.0.1:5432``).
    """

    name: str
    protocol: str
    address: str
    port: int
    hosts: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Node:
    """One Envoy process: its bootstrap, and the xDS resources that the runtime writes beside it.

    name: ``balancer``, ``gateway-1``; role: ``balancer`` or ``gateway``. Paths in it are relative to the state folder.
    """

    name: str
    role: str
    bootstrap: Mapping[str, Any]
    clusters: tuple[Mapping[str, Any], ...] = ()
    listeners: tuple[Mapping[str, Any], ...] = ()
    routes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class BackendProcess:
    """An instance of a backend that the edge itself starts; it is told its port in the variable ``PORT``."""

    name: str
    backend: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class CredentialRef:
    """An API key that the runtime writes in place of ``placeholder``; generated where none is given."""

    placeholder: str
    authorizer: str
    client: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A development certificate, which the runtime issues: ``tls/<name>.crt`` and ``tls/<name>.key``."""

    name: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentityIssuer:
    """A JWT authorizer whose tokens the development OpenID provider issues on this machine."""

    authorizer: str
    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    scope_claim: str = "scope"
    scopes: tuple[str, ...] = ()
    audience_claim: str = "aud"


@dataclass(frozen=True, slots=True)
class RouteSummary:
    """A route by its key, with a digest of all that it means, so that a diff can name the routes that change."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled local edge.

    endpoints: for each cluster, fixed addresses ``ip:port`` (clusters without an entry are filled by ``processes``);
    limits: whether the limits service (exact throttles, quotas) is needed; identity: what the development OpenID
    provider issues, empty when it is not needed.
    """

    name: str
    listeners: tuple[Exposed, ...]
    nodes: tuple[Node, ...]
    endpoints: Mapping[str, tuple[str, ...]]
    processes: tuple[BackendProcess, ...] = ()
    credentials: tuple[CredentialRef, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    identity: tuple[IdentityIssuer, ...] = ()
    identity_port: int | None = None
    limits: bool = False
    routes: tuple[RouteSummary, ...] = ()
    format: int = FORMAT

    @property
    def url(self) -> str:
        """Where a person reaches the edge: the first HTTP listener, else the first of all; empty without any."""
        web = [item for item in self.listeners if item.protocol in ("https", "http")]
        return next((item.url for item in (*web, *self.listeners)), "")

    @property
    def digest(self) -> str:
        """A short digest of everything in it; equal artifacts have equal digests."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The plain JSON form: only dicts, lists, strings, numbers, booleans and None."""
        return {**plain(self), "endpoints": {name: list(addresses) for name, addresses in self.endpoints.items()}}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Artifact":
        """Read back what :meth:`to_json` wrote.

        Raises ValueError for another format, and KeyError or TypeError for something that never was an artifact.
        """
        found = int(data.get("format", 0))
        if found != FORMAT:
            raise ValueError(
                f"artifact format {found} is not {FORMAT}: compile it again with this version of edgewright"
            )
        return Artifact(
            name=data["name"],
            listeners=tuple(_exposed(item) for item in data["listeners"]),
            nodes=tuple(
                Node(
                    name=item["name"],
                    role=item["role"],
                    bootstrap=item["bootstrap"],
                    clusters=tuple(item["clusters"]),
                    listeners=tuple(item["listeners"]),
                    routes=tuple(item["routes"]),
                )
                for item in data["nodes"]
            ),
            endpoints={name: tuple(addresses) for name, addresses in data["endpoints"].items()},
            processes=tuple(
                BackendProcess(item["name"], item["backend"], tuple(item["command"]), dict(item["env"]))
                for item in data["processes"]
            ),
            credentials=tuple(CredentialRef(**item) for item in data["credentials"]),
            certificates=tuple(Certificate(item["name"], tuple(item["hosts"])) for item in data["certificates"]),
            identity=tuple(_identity(item) for item in data["identity"]),
            identity_port=None if data["identity_port"] is None else int(data["identity_port"]),
            limits=bool(data["limits"]),
            routes=tuple(RouteSummary(**item) for item in data["routes"]),
        )


def digest(data: object) -> str:
    """The first 16 hex digits of the SHA-256 of ``data`` as canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _exposed(item: Mapping[str, Any]) -> Exposed:
    hosts = tuple(item["hosts"])
    return Exposed(item["name"], item["protocol"], item["address"], int(item["port"]), hosts, item["url"])


def _identity(item: Mapping[str, Any]) -> IdentityIssuer:
    return IdentityIssuer(
        authorizer=item["authorizer"],
        issuer=item["issuer"],
        audiences=tuple(item["audiences"]),
        algorithms=tuple(item["algorithms"]),
        scope_claim=item["scope_claim"],
        scopes=tuple(item["scopes"]),
        audience_claim=item["audience_claim"],
    )


def plain(value: object) -> Any:
    """A part of an artifact as JSON has it. Maps are Envoy's configuration, which is plain already and is not copied:
    an update reads a megabyte of it several times."""
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("tuple[object, ...]", value)]
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value
