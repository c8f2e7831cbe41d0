"""The engine's side of a stack, through Pulumi's Automation API: its state, its passphrase, and a folder to work in.

All of it lies in the ignored folder ``.edgewright/pulumi-state`` (0700) of the repository:

    .pulumi/            the state: a file backend, which plain ``pulumi`` uses too (``backend`` in Pulumi.yaml)
    passphrase          a random one (0600), which encrypts the secrets in that state
    home/               the engine's own settings, so that nothing of the user's is changed
    work/<stack>/       Pulumi.yaml and Pulumi.<stack>.yaml as the engine sees them

The work folder is made anew from the repository's files each time. The engine writes the salt of the passphrase into a
stack's file; so in the repository's own file it would be a change to commit, and useless to anybody else.

What the user has set stands: PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE or its _FILE, PULUMI_HOME.
"""

import contextlib
import json
import os
import re
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import yaml
from pulumi import automation
from semver import VersionInfo

from edgewright.engine import Engine
from edgewright.local.process import identify
from edgewright.stack import CREDENTIALS, NAMESPACE, config_folder, engine_folder, project, secret_in
from edgewright.usage import is_terminal

Program = Callable[[], None]

# What ties a stack's secrets to a passphrase; kept in the work folder, not in the repository's file.
_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")

_NOT_OURS = (
    "the stack's state was made with another passphrase: say it with PULUMI_CONFIG_PASSPHRASE or "
    "PULUMI_CONFIG_PASSPHRASE_FILE"
)
_LINGERING = "another process is updating this stack; wait for it, or end it and run this again"


@dataclass(frozen=True, slots=True)
class PolicyPack:
    """Rules that a stack is held against: the folder of a pack, and the file that configures it, if there is one."""

    folder: Path
    config: Path | None = None


class StackRun:
    """Operations of the engine on one stack; what the engine says goes to standard output as it comes.

    Each returns whether it succeeded: why not has then been printed, by the engine.
    """

    def __init__(self, root: Path, name: str, engine: Engine, program: Program, pack: PolicyPack | None = None) -> None:
        """root: the folder of Pulumi.yaml; program: declares the stack's resources, run in this process; pack: what
        previews and updates are held against."""
        work, variables = prepare(root, name)
        workspace = automation.LocalWorkspace(
            work_dir=str(work),
            pulumi_home=variables.get("PULUMI_HOME"),
            env_vars=variables,
            pulumi_command=_Command(engine),
            program=program,
        )
        self._root = root
        self._stack = _Stack(name, workspace)
        self._policies: dict[str, Any] = {}
        if pack is not None:  # by whole paths, since the engine runs in the work folder
            self._policies["policy_packs"] = [str(pack.folder.absolute())]
            if pack.config is not None:
                self._policies["policy_pack_configs"] = [str(pack.config.absolute())]

    def preview(self) -> bool:
        """Show what `up` would change; has no effects. What stops it is said once more at the end."""
        stops: dict[str, None] = {}

        def on_event(event: automation.EngineEvent) -> None:
            found = event.policy_event
            if found and found.enforcement_level == "mandatory":
                stops[f"{found.policy_name}: {_name(found)}{_indented(found.message)}"] = None

        done = self._run(
            lambda: self._stack.preview(on_output=_show, on_event=on_event, diff=True, color=_color(), **self._policies)
        )
        if stops:
            print("error: stopped by the policy pack:", *stops, sep="\n  ", file=sys.stderr)
        return done

    def up(self) -> bool:
        """Bring the resources to what the program declares."""
        return self._run(
            lambda: self._stack.up(
                on_output=_show, color=_color(), suppress_progress=True, show_secrets=False, **self._policies
            )
        )

    def refresh(self, *, settle: bool = False) -> bool:
        """Bring the state to what really runs: an edge that has died is dropped from it.

        settle: also forget what an update that was killed was creating; for resources that take over what is there.
        """
        return self._run(
            lambda: self._stack.refresh(
                on_output=_show,
                color=_color(),
                suppress_progress=True,
                show_secrets=False,
                clear_pending_creates=settle or None,
            )
        )

    def destroy(self) -> bool:
        """Delete the resources; the stack and its history stay."""
        return self._run(
            lambda: self._stack.destroy(on_output=_show, color=_color(), suppress_progress=True, show_secrets=False)
        )

    def _run(self, operation: Callable[[], object]) -> bool:
        try:
            try:
                self._on_a_stack_that_exists(operation)
            except automation.ConcurrentUpdateError:
                if not abandoned(self._root):
                    raise
                _show("an update that was killed has left its lock; it is removed")
                self._stack.cancel()
                operation()
        except automation.ConcurrentUpdateError:
            print(f"error: {_LINGERING}", file=sys.stderr)
            return False
        except automation.CommandError as error:
            # Its text holds all the output once more; what is not shown yet is what the CLI itself complains of.
            _forget_the_program()
            complaint = str(error).rpartition("stderr:")[2].strip()
            if complaint:
                print(complaint, file=sys.stderr)
            if "incorrect passphrase" in str(error):
                print(f"error: {_NOT_OURS}", file=sys.stderr)
            return False
        return True

    def _on_a_stack_that_exists(self, operation: Callable[[], object]) -> None:
        try:
            operation()
        except automation.StackNotFoundError:
            self._stack.workspace.create_stack(self._stack.name)
            operation()


class _Command(automation.PulumiCommand):
    """The CLI that was found, wherever it lies; its version is known."""

    def __init__(self, engine: Engine) -> None:
        self.command = str(engine.path)
        self.version = VersionInfo.parse(engine.version)


class _Stack(automation.Stack):
    """A stack without the commands that the SDK adds to each operation, a third of a second each.

    It selects the stack first (every command names it anyway), and afterwards reads outputs and history, which we do
    not use.
    """

    def __init__(self, name: str, workspace: automation.Workspace) -> None:
        self.name = name
        self.workspace = workspace

    def __repr__(self) -> str:
        return f"_Stack({self.name!r})"

    def outputs(self) -> automation.OutputMap:
        return {}

    def info(self, show_secrets: bool = False) -> automation.UpdateSummary:  # noqa: ARG002
        now = datetime.now(UTC)
        return automation.UpdateSummary(
            kind="", start_time=now, message="", environment={}, config={}, result="succeeded"
        )


def _forget_the_program() -> None:
    """Keep Python quiet about the coroutine of a program that the engine gave up on, which the SDK leaves pending."""
    before = sys.unraisablehook

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if "run_in_stack" not in repr(unraisable.object) and "run_pulumi_func" not in repr(unraisable.object):
            before(unraisable)

    sys.unraisablehook = hook


def _name(event: automation.PolicyEvent) -> str:
    return (event.resource_urn or "the stack").rpartition("::")[2]


def _indented(message: str) -> str:
    """The lines of a message of the engine, without its marks of colour."""
    lines = re.sub(r"<\{%\w+%\}>", "", message).strip().splitlines()
    return "".join(f"\n    {line}" for line in lines)


def _show(line: str) -> None:
    print(line, flush=True)


def _color() -> str:
    return "always" if is_terminal(sys.stdout) and "NO_COLOR" not in os.environ else "never"


def environment(root: Path, given: Mapping[str, str], *, local: bool = True) -> dict[str, str]:
    """The variables that the engine needs beyond ``given`` (the user's own, which win). local: a stack that is."""
    home = engine_folder(root)
    # Nothing of a local stack is a download: do not look for one, and do not wait for it when offline. The providers of
    # clouds are downloads, and the engine gets them as it needs them.
    offline = {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"} if local else {}
    needed = {
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **offline,
        # The provider runs in this very interpreter; see plugins/edgewright-local.
        "EDGEWRIGHT_PYTHON": sys.executable,
    }
    if not given.get("PULUMI_CONFIG_PASSPHRASE") and not given.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        # By file, since what the engine starts inherits its environment.
        needed["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(home / "passphrase")
    if not given.get("PULUMI_BACKEND_URL"):
        needed["PULUMI_BACKEND_URL"] = f"file://{home}"
        needed["PULUMI_HOME"] = str(home / "home")  # a backend of the user's own needs the login that is kept in theirs
    return {name: value for name, value in needed.items() if not given.get(name)}


def prepare(root: Path, stack: str) -> tuple[Path, dict[str, str]]:
    """Make the work folder, the passphrase and the state's folder; the work folder and the engine's variables."""
    home = engine_folder(root)
    for folder in (home.parent, home, home / "home", home / "work", home / "work" / stack):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)  # plain `pulumi` may have made it first, and others can enter what that makes
    _make_passphrase(home / "passphrase")
    work = home / "work" / stack
    name = f"Pulumi.{stack}.yaml"
    _write(work / "Pulumi.yaml", _project_for_engine(root))
    own = config_folder(root) / name
    _write(work / name, _stack_for_engine(own, work / name))
    config = cast("dict[str, Any]", _read(own).get("config") or {})
    return work, environment(root, os.environ, local=config.get(f"{NAMESPACE}:topology", "local") == "local")


def abandoned(root: Path) -> bool:
    """Whether the state is locked by processes of this machine that are all gone: an update that was killed."""
    locks = list((engine_folder(root) / ".pulumi" / "locks").rglob("*.json"))
    return bool(locks) and all(_is_abandoned(lock) for lock in locks)


def _is_abandoned(lock: Path) -> bool:
    try:
        found = json.loads(lock.read_text())
        pid, host = int(found["pid"]), str(found["hostname"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return host == socket.gethostname() and identify(pid) is None


def _project_for_engine(root: Path) -> dict[str, Any]:
    found = project(root)
    for name in ("main", "stackConfigDir", "backend"):  # the program is inline; its files and its state lie here
        found.pop(name, None)
    for kind in cast("dict[str, list[dict[str, Any]]]", found.get("plugins") or {}).values():
        for plugin in kind:
            plugin["path"] = str((root / plugin["path"]).resolve())
    return found


def _stack_for_engine(own: Path, before: Path) -> dict[str, Any]:
    wanted = _read(own)
    config = cast("dict[str, Any]", wanted.get("config") or {})
    if not secret_in(config.get(CREDENTIALS)):
        config.pop(CREDENTIALS, None)  # the engine writes its config into the history as it stands
    if not secret_in(config):
        # Plain `pulumi` writes a salt there too, and it may be that of a colleague's passphrase: nothing depends on it.
        found = _read(before)
        wanted = {key: value for key, value in wanted.items() if key not in _ENCRYPTION}
        wanted |= {key: found[key] for key in _ENCRYPTION if key in found}
    return wanted


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    return cast("dict[str, Any]", yaml.safe_load(file.read_text(encoding="utf-8")) or {})


def _write(file: Path, data: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump(dict(data), sort_keys=False), encoding="utf-8")


def _make_passphrase(file: Path) -> None:
    if file.exists():
        return
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".passphrase.")  # 0600
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_urlsafe(32) + "\n")
    with contextlib.suppress(FileExistsError):  # another process was first: its passphrase stands
        os.link(name, file)
    Path(name).unlink()
