"""`edgewright up`, `down` and `preview`: a stack through the Pulumi engine, or its edge alone without one.

Each returns an exit status: 0 done, 1 refused or failed, 2 wrong use. What is wrong with the spec, its bindings or the
stack's file is printed before anything is started, downloaded or built.
"""

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.engine import EngineError, find, obtain
from edgewright.local import runtime
from edgewright.local.prepare import Prepared, prepare
from edgewright.local.state import LocalError
from edgewright.local.status import Status
from edgewright.spec.problems import SpecError
from edgewright.stack import (
    STATE,
    Settings,
    StackError,
    config_folder,
    engine_knows,
    find_root,
    near,
    read,
    secret_in,
    values,
    was_interrupted,
)
from edgewright.usage import is_terminal
from edgewright.welcome import Running, welcome

if TYPE_CHECKING:
    from edgewright.automation import PolicyPack, StackRun
    from edgewright.engine import Engine


def up(
    stack: str,
    *,
    engine: bool = True,
    yes: bool = False,
    start: Path | None = None,
    policies: Path | None = None,
    policy_config: Path | None = None,
) -> int:
    """Bring the stack up, or to what its spec says now, and print requests to try.

    engine: through `pulumi up`, with state and a diff; else the edge is started or reloaded directly, without state.
    yes: do not ask; without a terminal to ask on, it is needed. start: where to look for the project; default: here.
    policies: the folder of a policy pack that must let it pass; policy_config: of the pack, instead of the
    ``policies.<stack>.json`` or ``policies.json`` beside the stack's file.
    """
    return _told(lambda: _up(_settings(stack, start), _Held(policies, policy_config), engine=engine, yes=yes))


def preview(
    stack: str, *, start: Path | None = None, policies: Path | None = None, policy_config: Path | None = None
) -> int:
    """Print what `up` would change, route by route; changes nothing. Arguments as of `up`."""
    return _told(lambda: _preview(_settings(stack, start), _Held(policies, policy_config)))


def down(stack: str, *, start: Path | None = None) -> int:
    """Take the stack down: `pulumi destroy` where the engine knows of it, and stop whatever still runs.

    Needs no valid spec, and downloads or builds nothing. Done when nothing was there.
    """
    return _told(lambda: _down(find_root((start or Path.cwd()).absolute()), stack))


@dataclass(frozen=True, slots=True)
class _Held:
    """What a stack is held against: a pack's folder and the file that configures it, as they were said."""

    folder: Path | None
    config: Path | None

    def pack(self, settings: Settings) -> "PolicyPack | None":
        """The pack for a stack. StackError where it cannot be one, before the engine is started."""
        if self.folder is None:
            if self.config is not None:
                raise StackError(f"{self.config} configures a policy pack, and none is named: say which")
            return None
        if not (self.folder / "PulumiPolicy.yaml").is_file():
            raise StackError(f"{self.folder} is no policy pack: it has no PulumiPolicy.yaml")
        if self.config is not None and not self.config.is_file():
            raise StackError(f"there is no file {self.config}")
        from edgewright.automation import PolicyPack
        from edgewright.policies.enforcement import file_for

        return PolicyPack(self.folder, self.config or file_for(config_folder(settings.root), settings.stack))


def _told(act: Callable[[], int]) -> int:
    """Errors that are meant for the person who typed, as text; and no traceback for an interrupt."""
    try:
        return act()
    except SpecError as error:
        print(error, file=sys.stderr)
        count = len(error.problems)
        print(f"{count} problem{'' if count == 1 else 's'}; nothing was changed", file=sys.stderr)
    except (StackError, EngineError, LocalError) as error:
        print(f"error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 1


def _settings(stack: str, start: Path | None) -> Settings:
    return read(find_root((start or Path.cwd()).absolute()), stack)


def _up(settings: Settings, held: _Held, *, engine: bool, yes: bool) -> int:
    pack = held.pack(settings)
    if pack is not None and not engine:
        raise StackError("a policy pack is run by the engine: run without --without-engine")
    if settings.topology != "local":
        return _up_cloud(settings, pack, engine=engine, yes=yes)
    prepared = prepare(settings.spec, settings.bindings)
    if not engine:
        for note in prepared.notes:
            print(note, file=sys.stderr)
        status = _without_engine(settings, prepared)
    else:
        if not yes and not _can_ask():
            return 2
        with_engine = _through(settings, obtain(settings.root, say=_say), pack)
        if not yes and not _wanted(with_engine, settings.stack):
            return 1
        if not _settled(with_engine, settings.root, settings.stack) or not with_engine.up():
            return 1
        status = runtime.status(settings.state_dir)
        if status is None:
            raise LocalError(f"the edge in {settings.state_dir} was started and has gone; its logs are there")
    for warning in status.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(welcome(prepared.edge, _running(settings, status, engine=engine)), end="")
    return 0


def _up_cloud(settings: Settings, pack: "PolicyPack | None", *, engine: bool, yes: bool) -> int:
    _check_cloud(settings)
    if not engine:
        raise StackError(f"`{settings.stack}` is a stack on {settings.topology}: only the engine can bring it up")
    if not yes and not _can_ask():
        return 2
    with_engine = _through(settings, obtain(settings.root, say=_say), pack)
    if not yes and not _wanted(with_engine, settings.stack):
        return 1
    return 0 if with_engine.up() else 1


def _can_ask() -> bool:
    """Whether there is a terminal to ask on; says so where there is none."""
    if is_terminal(sys.stdin):
        return True
    print("error: there is no terminal to ask on; say --yes", file=sys.stderr)
    return False


def _wanted(run: "StackRun", stack: str) -> bool:
    """Whether what a preview shows is wanted; of one that fails, such as by a policy, nobody is asked."""
    if not run.preview():
        return False
    try:
        return input(f"bring `{stack}` up like this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _check_cloud(settings: Settings) -> None:
    """Say what is wrong with a cloud stack before the engine is started; print what is not carried as it stands."""
    if settings.topology.startswith("azure/"):
        from edgewright.azure.program import check as check_azure

        findings = check_azure(settings).findings
    else:
        from edgewright.aws.program import check as check_aws

        findings = check_aws(settings).findings
    for finding in findings:
        print(finding, file=sys.stderr)


def _preview(settings: Settings, held: _Held) -> int:
    pack = held.pack(settings)
    if settings.topology == "local":
        prepare(settings.spec, settings.bindings)
    else:
        _check_cloud(settings)
    return 0 if _through(settings, obtain(settings.root, say=_say), pack).preview() else 1


def _down(root: Path, stack: str) -> int:
    state_dir = root / STATE / stack
    ran = runtime.status(state_dir) is not None
    known = engine_knows(root, stack)
    engine = find(root) if known else None
    done = not known
    if engine:
        from edgewright.automation import StackRun

        run = StackRun(root, stack, engine, lambda: None)
        done = _settled(run, root, stack) and run.destroy()
    elif known:
        print(
            "error: there is no Pulumi CLI: the edge is stopped, and its stack's state still names it", file=sys.stderr
        )
    runtime.stop(state_dir)  # also an edge that the engine does not know of, and what a crash left behind
    print(f"{stack} is down" if ran or known else f"{stack} was not up")
    return 0 if done else 1


def _settled(run: "StackRun", root: Path, stack: str) -> bool:
    """Clear up after an update that was killed: creating an edge takes over one that runs, so nothing is lost."""
    return not was_interrupted(root, stack) or run.refresh(settle=True)


def _without_engine(settings: Settings, prepared: Prepared) -> Status:
    file = config_folder(settings.root) / f"Pulumi.{settings.stack}.yaml"
    if secret_in(values(file).get("credentials")):
        raise StackError(
            f"{file}: edgewright:credentials is encrypted, and only the engine can read it: run without "
            "--without-engine, or leave it out here and take the generated keys"
        )
    act = runtime.update if runtime.status(settings.state_dir) else runtime.start
    return act(prepared.artifact, settings.state_dir, settings.credentials or {}, work_dir=settings.root)


def _through(settings: Settings, engine: "Engine", pack: "PolicyPack | None") -> "StackRun":
    from edgewright.automation import StackRun
    from edgewright.program import program

    folder = config_folder(settings.root)

    def declare() -> None:
        program(settings.root, folder, settings.credentials)

    return StackRun(settings.root, settings.stack, engine, declare, pack)


def _running(settings: Settings, status: Status, *, engine: bool) -> Running:
    return Running(
        stack=settings.stack,
        url=status.url,
        urls=status.listeners,
        ca=str(near(status.ca_certificate)) if status.ca_certificate else "",
        program=_program(),
        down="make down" if engine and _make_stops(settings) else f"{_program()} down {settings.stack}",
    )


def _make_stops(settings: Settings) -> bool:
    makefile = settings.root / "Makefile"
    return settings.stack == "local" and makefile.is_file() and "\ndown:" in makefile.read_text(encoding="utf-8")


def _program() -> str:
    """How this shell calls edgewright: by its name if that finds this very program, else by a path."""
    own = Path(sys.executable).parent / "edgewright"
    found = shutil.which("edgewright")
    if found and Path(found).resolve() == own.resolve():
        return "edgewright"
    if not own.is_file():
        return f"{shlex.quote(sys.executable)} -m edgewright.cli"
    return shlex.quote(str(near(own)))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
