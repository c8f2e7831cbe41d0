"""A stack's settings, from ``Pulumi.<stack>.yaml``: which spec, on which topology, bound to what.

    config:
      edgewright:spec: shop.edge.yaml          # beside the stack's own file
      edgewright:topology: local
      edgewright:bindings: {backends: {...}}   # what the spec leaves to the stack
      edgewright:credentials: {...}            # secret: API keys by <authorizer>:<client>; others are generated

A Pulumi program reads the same keys through the engine, which decrypts the secret one; see `edgewright.program`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from edgewright.plan.model import NOBODY, Owner
from edgewright.spec import yaml_reader
from edgewright.spec.problems import Sources, SpecError

NAMESPACE = "edgewright"
"""Before the colon in a config key."""

KEYS = ("spec", "topology", "bindings", "credentials")

TOPOLOGIES = (
    "local",
    "aws/balancer-first",
    "aws/gateway-first",
    "aws/balancer-only",
    "azure/gateway-first",
    "azure/balancer-first",
    "azure/appgw-waf",
    "azure/front-door",
)
"""What a stack may be built as: a target, and a topology where the target has several."""

CREDENTIALS = f"{NAMESPACE}:credentials"
"""The config key of API keys."""

STATE = ".edgewright"
"""The ignored folder beside ``Pulumi.yaml`` that holds what runs: a folder for each stack, and the engine's own."""

ENGINE_STATE = "pulumi-state"
"""The engine's folder in `STATE`; so no stack may have this name."""


class StackError(Exception):
    """Settings that cannot be used; the text names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a stack says.

    root: the folder of Pulumi.yaml; spec: the file; bindings: plain values as they stand in the stack's file;
    credentials: as plain text, or as anything that a Pulumi program takes for an input.
    """

    stack: str
    root: Path
    spec: Path
    topology: str
    bindings: Mapping[str, Any]
    credentials: Any

    @property
    def state_dir(self) -> Path:
        """The folder of the running edge."""
        return self.root / STATE / self.stack

    def with_credentials(self, credentials: Any) -> "Settings":
        """The same with other credentials."""
        return replace(self, credentials=credentials)


def find_root(start: Path) -> Path:
    """The nearest folder with a Pulumi.yaml, at or above ``start``; StackError when there is none."""
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise StackError(
        f"there is no Pulumi.yaml in {start} or above it: run this inside a project, or serve one file with "
        "`edgewright serve FILE`"
    )


def project(root: Path) -> dict[str, Any]:
    """The content of Pulumi.yaml."""
    found = _yaml(root / "Pulumi.yaml")
    if not isinstance(found.get("name"), str):
        raise StackError(f"{root / 'Pulumi.yaml'}: `name` is missing")
    return found


def owner(folder: Path, stack: str) -> Owner:
    """Whose resources those of a stack are, by the folder of its file; outside of a project `NOBODY`'s."""
    try:
        return Owner(project(find_root(folder))["name"], stack)
    except StackError:
        return Owner(NOBODY.project, stack)


def config_folder(root: Path) -> Path:
    """Where the stacks' files lie: ``stackConfigDir`` of Pulumi.yaml, else beside it."""
    return root / str(project(root).get("stackConfigDir") or "")


def engine_folder(root: Path) -> Path:
    """Where the engine keeps what belongs to the stacks of a project; see `edgewright.automation`."""
    return root / STATE / ENGINE_STATE


def engine_knows(root: Path, stack: str) -> bool:
    """Whether the engine's state may name resources of the stack; yes where the state lies elsewhere."""
    found = _state(root, stack)
    return found is None or bool(found.get("resources") or found.get("pending_operations"))


def was_interrupted(root: Path, stack: str) -> bool:
    """Whether the last update of the stack was killed; no where the state lies elsewhere."""
    return bool((_state(root, stack) or {}).get("pending_operations"))


def _state(root: Path, stack: str) -> dict[str, Any] | None:
    """The engine's last snapshot of a stack, empty before the first; None when it cannot be read here."""
    if os.environ.get("PULUMI_BACKEND_URL"):
        return None
    file = engine_folder(root) / ".pulumi" / "stacks" / project(root)["name"] / f"{stack}.json"
    try:
        return dict(json.loads(file.read_text())["checkpoint"].get("latest") or {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def read(root: Path, stack: str) -> Settings:
    """The settings of ``stack``, read from its file without an engine.

    Encrypted credentials cannot be read this way: they are then None, and `secret_in` says so.
    """
    folder = config_folder(root)
    file = folder / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        known = sorted(path.name.split(".")[1] for path in folder.glob("Pulumi.*.yaml"))
        raise StackError(
            f"there is no stack `{stack}`: {file} is missing"
            + (f"; there are {', '.join(f'`{name}`' for name in known)}" if known else "")
        )
    return from_values(root, folder, stack, values(file), source=str(file))


def values(file: Path) -> dict[str, Any]:
    """The config of a stack's file without the namespace; keys of other namespaces are left out."""
    config: object = _yaml(file).get("config") or {}
    if not isinstance(config, Mapping):
        raise StackError(f"{file}: `config` must be a map")
    start = f"{NAMESPACE}:"
    return {
        str(key).removeprefix(start): value
        for key, value in cast("Mapping[object, Any]", config).items()
        if str(key).startswith(start)
    }


def from_values(root: Path, folder: Path, stack: str, found: Mapping[str, Any], *, source: str) -> Settings:
    """Settings from config values; relative paths are from ``folder``.

    Raises StackError with all that is wrong, each with ``source``.
    """
    if stack == ENGINE_STATE or "/" in stack or stack.startswith("."):
        raise StackError(f"a stack cannot be named `{stack}`: its state folder would not be its own")
    keys = ", ".join(f"{NAMESPACE}:{key}" for key in KEYS)
    problems = [
        f"{source}: there is no setting {NAMESPACE}:{key}; there are {keys}" for key in found if key not in KEYS
    ]
    spec = found.get("spec")
    if not isinstance(spec, str) or not spec:
        problems.append(f"{source}: {NAMESPACE}:spec must name the spec, such as shop.edge.yaml")
    topology = str(found.get("topology", "local"))
    if topology not in TOPOLOGIES:
        problems.append(f"{source}: {NAMESPACE}:topology: {unknown_topology(topology)}")
    bindings: object = found.get("bindings") or {}
    if not isinstance(bindings, Mapping):
        problems.append(f"{source}: {NAMESPACE}:bindings must be a map")
    if problems:
        raise StackError("\n".join(problems))
    credentials = found.get("credentials")
    return Settings(
        stack=stack,
        root=root,
        spec=near(folder / cast("str", spec)),
        topology=topology,
        bindings=cast("Mapping[str, Any]", bindings),
        credentials=None if secret_in(credentials) else credentials,
    )


def unknown_topology(topology: str) -> str:
    """What to say of a topology that there is not; of one that another cloud has, why this one has not."""
    from edgewright.azure.topology import NOT_THERE

    target, _, name = topology.partition("/")
    if target == "azure" and name in NOT_THERE:
        return f"there is no `{topology}`: {NOT_THERE[name]}"
    return f"there is no `{topology}`; there are {', '.join(f'`{known}`' for known in TOPOLOGIES)}"


def near(path: Path) -> Path:
    """The path as one would type it here: relative to this folder if it is below it, else as it is."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else Path(relative)


def secret_in(value: object) -> bool:
    """Whether there is an encrypted value in a piece of a stack's file (``{secure: v1:...}``)."""
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        return "secure" in items or any(secret_in(item) for item in items.values())
    if isinstance(value, list):
        return any(secret_in(item) for item in cast("list[object]", value))
    return False


def written(file: Path) -> Sources:
    """Where the parts of a stack's file stand. Raises StackError."""
    return _read_yaml(file)[1]


def _yaml(file: Path) -> dict[str, Any]:
    return _read_yaml(file)[0]


def _read_yaml(file: Path) -> tuple[dict[str, Any], Sources]:
    """Read as a spec is, and bounded as it is: a stack's file may come with a pull request from anybody."""
    try:
        with file.open("rb") as stream:
            content = stream.read(yaml_reader.MAX_BYTES + 1)
        if not content.strip():
            return {}, Sources(str(file))
        data, sources, problems = yaml_reader.read(content, str(file))
    except OSError as error:
        raise StackError(f"{file}: {error.strerror}") from None
    except SpecError as error:
        raise StackError(str(error)) from None
    if problems:
        raise StackError("\n".join(map(str, problems)))
    if not isinstance(data, dict):
        raise StackError(f"{file} must be a map")
    return cast("dict[str, Any]", data), sources
