"""What a stack binds a spec to on this machine: ports, addresses or commands of backends, how many gateways."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from edgewright.edge.model import Edge
from edgewright.spec.binding_problems import problem, problems_in
from edgewright.spec.problems import Problem, SpecError, did_you_mean

Address = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$")]


def _list_of_one(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Backend(_Model):
    address: Annotated[tuple[Address, ...], BeforeValidator(_list_of_one)] = ()
    command: tuple[str, ...] = ()
    instances: Annotated[int, Field(ge=1, le=16)] = 1
    env: dict[str, str] = {}


class _Listener(_Model):
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    address: str | None = None
    http_port: Annotated[int, Field(ge=1, le=65535)] | None = None


class _Authorizer(_Model):
    jwks_uri: Annotated[str, StringConstraints(pattern=r"^https?://[^\s#]+$")] | None = None


class _Bindings(_Model):
    gateways: Annotated[int, Field(ge=1, le=8)] = 2
    address: str = "127.0.0.1"
    listeners: dict[str, _Listener] = {}
    backends: dict[str, _Backend] = {}
    authorizers: dict[str, _Authorizer] = {}
    identity_port: Annotated[int, Field(ge=1, le=65535)] | None = None


@dataclass(frozen=True, slots=True)
class BackendBinding:
    """Where a backend is: fixed addresses ``host:port``, or a command that the edge starts so many times.

    In a command, ``python`` is the interpreter that runs edgewright; each instance is told its port in ``PORT``.
    """

    addresses: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    instances: int = 1
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ListenerBinding:
    """Where a listener opens: None keeps what follows from the spec; http_port is where redirect_http listens."""

    port: int | None = None
    address: str | None = None
    http_port: int | None = None


@dataclass(frozen=True, slots=True)
class Bindings:
    """The bindings of a local stack. gateways: how many; address: what everything that is public listens on."""

    gateways: int = 2
    address: str = "127.0.0.1"
    listeners: Mapping[str, ListenerBinding] = field(default_factory=dict[str, ListenerBinding])
    backends: Mapping[str, BackendBinding] = field(default_factory=dict[str, BackendBinding])
    jwks_uris: Mapping[str, str] = field(default_factory=dict[str, str])
    identity_port: int | None = None


def read_bindings(data: Mapping[str, Any], edge: Edge, *, source: str = "bindings") -> Bindings:
    """The bindings as plain data, checked against the edge that they are for.

    Raises SpecError with everything that is wrong; ``source`` is the name that problems are reported under.
    """
    try:
        found = _Bindings.model_validate(data)
    except ValidationError as error:
        raise SpecError(problems_in(error, _Bindings, source)) from None
    problems: list[Problem] = []
    known = {
        "listeners": [item.name for item in edge.listeners],
        "backends": list(edge.backends),
        "authorizers": list(edge.authorizers),
    }
    for part, names in known.items():
        for name in getattr(found, part):
            if name not in names:
                what = f"the spec has no {part.removesuffix('s')} `{name}`"
                problems.append(problem(source, (part, name), what, did_you_mean(name, names)))
    for name, backend in found.backends.items():
        if bool(backend.address) == bool(backend.command):
            what = "a backend needs `address` or `command`, and not both"
            problems.append(problem(source, ("backends", name), what, "write `address: 127.0.0.1:9000`"))
    if problems:
        raise SpecError(problems)
    return Bindings(
        gateways=found.gateways,
        address=found.address,
        listeners={
            name: ListenerBinding(item.port, item.address, item.http_port) for name, item in found.listeners.items()
        },
        backends={
            name: BackendBinding(item.address, item.command, item.instances, dict(item.env))
            for name, item in found.backends.items()
        },
        jwks_uris={name: item.jwks_uri for name, item in found.authorizers.items() if item.jwks_uri},
        identity_port=found.identity_port,
    )
