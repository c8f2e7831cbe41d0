"""`edgewright serve FILE`: one edge in the foreground, which reloads when its files are saved."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgewright.local.artifact import Artifact
from edgewright.local.state import LocalError, StateFolder, already_running
from edgewright.local.status import Status
from edgewright.local.supervisor import Supervisor
from edgewright.spec.problems import SpecError

LOOK_SECONDS = 0.25
"""How often the files are looked at."""


class Compiled(Protocol):
    """What is needed of a compiled spec; :class:`edgewright.local.prepare.Prepared` is one."""

    @property
    def artifact(self) -> Artifact: ...
    @property
    def findings(self) -> Iterable[object]: ...


@dataclass(frozen=True, slots=True)
class _Stamp:
    inode: int
    size: int
    modified: int


class Watch:
    """Files, and whether any of them is another than at the last look.

    Looked at by name, so that it also sees editors which save by putting a new file in the old one's place.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether a file has changed, come or gone since this was last asked."""
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> Mapping[Path, _Stamp | None]:
        return {path: _stamp(path) for path in self._files}


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def serve(
    files: Iterable[Path],
    compile_files: Callable[[], Compiled],
    state: StateFolder,
    credentials: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    """Run the edge until Ctrl-C or SIGTERM, then let its requests finish and stop it; a second Ctrl-C does not wait.

    files: what is watched; compile_files: compiles what they say now. Raises SpecError or LocalError when it cannot
    start; afterwards, what is wrong with an edit is said, and the edge goes on as it was.
    """
    state.prepare()
    holder = state.holder()
    if holder:
        raise already_running(state, holder)
    watch = Watch(files)
    compiled = compile_files()
    _tell_findings(compiled, say)
    asyncio.run(_Session(watch, compile_files, state, credentials, say).run(compiled))


@dataclass(frozen=True, slots=True)
class _Session:
    watch: Watch
    compile_files: Callable[[], Compiled]
    state: StateFolder
    credentials: Mapping[str, str]
    say: Callable[[str], None]

    async def run(self, compiled: Compiled) -> None:
        supervisor = Supervisor(self.state, say=self.say)
        loop = asyncio.get_running_loop()
        following: list[asyncio.Task[None]] = []

        def stop() -> None:
            self.say("stopping; again to stop at once")
            supervisor.ask_to_stop()

        async def ready(status: Status) -> None:
            _tell(status, self.say)
            following.append(loop.create_task(self._follow(supervisor)))
            self.say("watching for changes; Ctrl-C stops it")

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            await supervisor.run(compiled.artifact, self.credentials, ready)
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        self.say("stopped")

    async def _follow(self, supervisor: Supervisor) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.watch.changed():
                await self._reload(supervisor)

    async def _reload(self, supervisor: Supervisor) -> None:
        before = supervisor.artifact
        began = time.monotonic()
        try:
            compiled = await asyncio.to_thread(self.compile_files)
            _tell_findings(compiled, self.say)
            await supervisor.update(compiled.artifact, self.credentials)
        except Exception as error:
            # Whatever an edit brings about, it must not take the running edge away from the person who made it.
            known = isinstance(error, SpecError | LocalError | OSError)
            self.say(str(error) if known else f"unexpected {type(error).__name__}: {error}")
            self.say("not reloaded; the edge goes on as it was")
            return
        changes = difference(before, compiled.artifact)
        spent = (time.monotonic() - began) * 1000
        self.say(f"reloaded in {spent:.0f} ms: {', '.join(changes) if changes else 'nothing has changed'}")


def difference(old: Artifact, new: Artifact) -> list[str]:
    """What a person sees change: ``+ GET /new``, ``- GET /old``, ``~ GET /other``; ``settings`` when no route did."""
    before = {route.key: route.digest for route in old.routes}
    after = {route.key: route.digest for route in new.routes}
    added = [f"+ {key}" for key in after if key not in before]
    removed = [f"- {key}" for key in before if key not in after]
    changed = [f"~ {key}" for key in after if key in before and after[key] != before[key]]
    found = [*added, *removed, *changed]
    if not found and old.digest != new.digest:
        found = ["settings"]
    return found if len(found) <= 12 else [*found[:12], f"and {len(found) - 12} more"]


def _tell(status: Status, say: Callable[[str], None]) -> None:
    say(f"{status.name} is up at {status.url}")
    for name, url in status.listeners.items():
        if url != status.url:
            say(f"  listener {name}: {url}")
    if status.ca_certificate:
        say(f"  trust it with: --cacert {status.ca_certificate}")
    for warning in status.warnings:
        say(f"warning: {warning}")


def _tell_findings(compiled: Compiled, say: Callable[[str], None]) -> None:
    for finding in compiled.findings:
        say(str(finding))
