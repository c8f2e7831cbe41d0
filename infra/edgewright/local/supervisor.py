"""The supervisor of a local edge: it holds the state folder, keeps the edge running, and does what it is asked to."""

import asyncio
import contextlib
import datetime
import json
import os
import resource
import secrets
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

from edgewright.local import certificates, change, control
from edgewright.local import plan as plans
from edgewright.local.artifact import Artifact
from edgewright.local.fleet import Fleet, now
from edgewright.local.node import LINGER_SECONDS
from edgewright.local.plan import Plan
from edgewright.local.process import Keeper, Scrubber, marked, send
from edgewright.local.state import LocalError, StateFolder, clean
from edgewright.local.status import Status

DRAIN_SECONDS = 5.0
"""How long a stop waits for the requests under way, unless told otherwise."""

ACCESS_LOG_BYTES = 50_000_000
"""Files that Envoy writes itself are set aside beyond this; one earlier file is kept."""

HOUSEKEEPING_SECONDS = 2.0
RENEWAL_BEATS = 1800
"""Certificates are looked at once in so many rounds of housekeeping: hourly."""


class Supervisor:
    """Runs one local edge in this process, on its main thread (see :class:`Process`).

    say: gets lines for a person or a log; work_dir: where the commands of backends run, by default here.
    """

    def __init__(self, state: StateFolder, *, work_dir: Path | None = None, say: Callable[[str], None] = print) -> None:
        self.scrub = Scrubber()
        self._state = state
        self._work_dir = work_dir or Path.cwd()
        self._write = say
        self._run = secrets.token_hex(8)
        self._plan: Plan | None = None
        self._fleet: Fleet | None = None
        self._notes: tuple[str, ...] = ()
        self._changing = asyncio.Lock()
        self._stop = asyncio.Event()
        self._drain = DRAIN_SECONDS
        self._tasks: set[asyncio.Task[None]] = set()
        self._pruning = False

    async def run(
        self,
        artifact: Artifact,
        credentials: Mapping[str, str],
        ready: Callable[[Status], Awaitable[None]],
    ) -> None:
        """Start the edge, call ``ready`` once it serves, keep it until :meth:`ask_to_stop`, then drain and stop.

        Raises LocalError when it cannot start; nothing is left running then.
        """
        self._state.prepare()
        before = self._state.last_run()
        with self._state.hold(self._run):
            await _end(before)
            clean(self._state)
            # A core file would hold API keys and private keys.
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            _raise_descriptor_limit()
            server = control.Server(self._state, self._answer)
            try:
                stopping = asyncio.ensure_future(self._stop.wait())
                starting = asyncio.ensure_future(self._start(artifact, credentials))
                await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
                if not starting.done():
                    starting.cancel()
                    raise LocalError("the edge was stopped before it was ready")
                starting.result()
                await server.open()
                self._background(self._keep_house())
                await ready(await self.status())
                await stopping
            finally:
                await self._close()
                await server.close()
                clean(self._state)

    def ask_to_stop(self, drain: float | None = None) -> None:
        """Make :meth:`run` drain and return; asked twice, it no longer waits for requests."""
        if self._stop.is_set():
            self._drain = 0.0
        elif drain is not None:
            self._drain = drain
        self._stop.set()

    async def update(self, artifact: Artifact, credentials: Mapping[str, str], work_dir: Path | None = None) -> Status:
        """Change the edge while it serves.

        Raises LocalError with the reason when the change is refused; the edge then goes on as it was.
        """
        async with self._changing:
            old, fleet = self._running()
            if self._stop.is_set():
                raise LocalError("the edge is being stopped")
            fleet.work_dir = work_dir or fleet.work_dir
            new = await asyncio.to_thread(plans.make, self._state, artifact, credentials, self.scrub)
            if new.mark != old.mark:
                notes = await change.apply(fleet, old, new, self.scrub)
                self._plan = new
                self._notes = (*new.credentials.notes, *notes)
                self._retire(fleet, new.artifact)
                self._save(new)
                self._prune_later(fleet)
        return await self.status()

    async def status(self) -> Status:
        """How it is now; raises LocalError while it is starting."""
        plan, fleet = self._running()
        artifact = plan.artifact
        healths = await fleet.healths()
        return Status(
            name=artifact.name,
            alive=all(node.up for node in fleet.nodes.values()),
            pid=os.getpid(),
            state_dir=self._state.path,
            url=artifact.url,
            listeners={item.name: item.url for item in artifact.listeners},
            digest=artifact.digest,
            routes=tuple(route.key for route in artifact.routes),
            backends=healths,
            processes={keeper.name: keeper.pid for keeper in fleet.keepers},
            warnings=(*self._notes, *fleet.warnings(healths)),
            ca_certificate=self._state / certificates.AUTHORITY if artifact.certificates else None,
        )

    @property
    def artifact(self) -> Artifact:
        """What it serves now; raises LocalError while it is starting."""
        return self._running()[0].artifact

    def say(self, text: str) -> None:
        """Tell the person, or the log, without secrets."""
        self._write(self.scrub(text))

    async def _answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return await self._do(request)
        except LocalError as error:
            self.say(f"{request.get('op')} refused: {error}")
            raise
        except Exception as error:
            self.say(traceback.format_exc())
            text = self.scrub(f"{type(error).__name__}: {error}")
            raise LocalError(f"unexpected: {text}; see {self._state / 'log/supervisor.log'}") from error

    async def _do(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        match request.get("op"):
            case "status":
                return {"status": (await self.status()).to_json()}
            case "artifact":
                return {"artifact": self.artifact.to_json()}
            case "credential":
                credentials = self._running()[0].credentials
                return {"key": credentials.key(request["authorizer"], request["client"])}
            case "update":
                artifact = Artifact.from_json(request["artifact"])
                folder = Path(request["work_dir"]) if request.get("work_dir") else None
                changed = await self.update(artifact, request.get("credentials", {}), folder)
                self.say(f"now serving {artifact.digest}")
                return {"status": changed.to_json()}
            case "stop":
                self.ask_to_stop(float(request.get("drain", DRAIN_SECONDS)))
                return {}
            case other:
                raise LocalError(f"the supervisor does not know {other!r}; is it of another version?")

    async def _start(self, artifact: Artifact, credentials: Mapping[str, str]) -> None:
        plans.check_ports(artifact)
        for name in ("admin", "bootstrap", "log"):
            self._state.folder(name)
        plan = plans.make(self._state, artifact, credentials, self.scrub)
        self._fleet = Fleet(self._state, self._run, self.scrub, self._work_dir)
        await change.bring_up(self._fleet, plan, self.scrub)
        self._plan = plan
        self._notes = plan.credentials.notes
        self._save(plan)

    def _running(self) -> tuple[Plan, Fleet]:
        if self._plan is None or self._fleet is None:
            raise LocalError("the edge is still starting")
        return self._plan, self._fleet

    def _save(self, plan: Plan) -> None:
        self._state.write("artifact.json", json.dumps(plan.artifact.to_json()))

    # ---- after a change

    def _retire(self, fleet: Fleet, artifact: Artifact) -> None:
        for item in fleet.instances:
            if not item.draining and item.process not in artifact.processes:
                item.draining = True
                self._background(fleet.retire_instance(item))
        if (fleet.limits and not artifact.limits) or (fleet.identity and not artifact.identity):
            self._background(self._end_services(fleet))

    async def _end_services(self, fleet: Fleet) -> None:
        # Requests that have chosen them before the change may still come; and the next change may want them again.
        await asyncio.sleep(LINGER_SECONDS)
        async with self._changing:
            artifact = self.artifact
            if fleet.limits and not artifact.limits:
                await fleet.limits.stop(2.0)
                fleet.limits = None
            if fleet.identity and not artifact.identity:
                await fleet.identity.stop(2.0)
                fleet.identity = None

    def _prune_later(self, fleet: Fleet) -> None:
        async def prune() -> None:
            try:
                more = True
                while more:
                    await asyncio.sleep(LINGER_SECONDS + 0.1)
                    async with self._changing:
                        more = await change.prune(fleet)
                        certificates.sweep(self._state, self._running()[0].issued)
            finally:
                self._pruning = False

        if not self._pruning:
            self._pruning = True
            self._background(prune())

    async def _keep_house(self) -> None:
        """Bound the logs that Envoy writes itself, renew certificates in time, and end when the folder is gone."""
        beats = 0
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            beats += 1
            plan, fleet = self._running()
            if self._state.is_lost():
                self.say(f"{self._state.path} was removed while the edge ran; stopping")
                self.ask_to_stop()
                return
            if set_aside(self._state / "log", ACCESS_LOG_BYTES):
                for node in fleet.nodes.values():
                    with contextlib.suppress(OSError):
                        await node.admin.post("/reopen_logs")
            if beats % RENEWAL_BEATS == 0:
                await self.update(plan.artifact, plan.credentials.given)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception:
                self.say(traceback.format_exc())

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- stop

    async def _close(self) -> None:
        """Let requests finish, then end everything; nothing that this run started outlives it."""
        self._stop.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self._changing.acquire()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        fleet = self._fleet
        if fleet:
            await self._drain_all(fleet)
            # From the client's side inwards, so that nobody meets a part that is gone.
            await _stop_all(node.keeper for node in fleet.balancers)
            await _stop_all(node.keeper for node in fleet.gateways)
            await _stop_all(fleet.keepers, grace=5.0)
        await _end(self._run)

    async def _drain_all(self, fleet: Fleet) -> None:
        entrances = [node for node in fleet.balancers or fleet.gateways if node.up]
        for node in entrances:
            with contextlib.suppress(OSError):
                await node.admin.post("/drain_listeners")
        began = now()
        # A second request to stop sets the time to zero.
        while now() - began < self._drain:
            if not any([await node.active() for node in entrances]):
                return
            await asyncio.sleep(0.02)


def set_aside(folder: Path, limit: int) -> bool:
    """Rename files beyond ``limit`` bytes to ``<name>.1``, in place of an earlier one; whether there were any."""
    large = [path for path in folder.iterdir() if path.suffix != ".1" and path.stat().st_size > limit]
    for path in large:
        path.replace(path.with_name(f"{path.name}.1"))
    return bool(large)


async def _stop_all(keepers: Iterable[Keeper], grace: float = 2.0) -> None:
    await asyncio.gather(*(keeper.stop(grace) for keeper in keepers))


async def _end(run: str) -> None:
    """End what a run may have left: only processes that carry its mark."""
    for _ in range(200):
        remains = marked(run)
        if not remains:
            return
        for process in remains:
            send(process, signal.SIGKILL)
        await asyncio.sleep(0.02)


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(arguments: list[str] | None = None) -> int:
    """``python -m edgewright.local.supervisor STATE_DIR REPORT_FD``: run detached, from a request on standard input.

    The request is one JSON object ``{"artifact", "credentials", "work_dir"}``; the report, one JSON line on the
    descriptor, is ``{"ok": true, "status"}`` once the edge serves, or ``{"ok": false, "error"}``.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 2 or not given[1].isdigit():
        print("usage: python -m edgewright.local.supervisor STATE_DIR REPORT_FD", file=sys.stderr)
        return 2
    state, report = StateFolder(given[0]), int(given[1])
    request = json.load(sys.stdin)
    # From here on a child of init: whoever started it need not wait for it.
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    os.set_inheritable(report, False)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    return asyncio.run(_detached(state, request, report))


async def _detached(state: StateFolder, request: Mapping[str, Any], report: int) -> int:
    def say(text: str) -> None:
        moment = datetime.datetime.now().astimezone().isoformat(timespec="milliseconds")
        print(f"{moment} {text}", flush=True)

    def tell(answer: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError), os.fdopen(report, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(answer) + "\n")

    async def ready(status: Status) -> None:
        supervisor.say(f"serving {status.digest} at {status.url}")
        tell({"ok": True, "status": status.to_json()})

    supervisor = Supervisor(state, work_dir=Path(request["work_dir"]), say=say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.ask_to_stop)
    try:
        await supervisor.run(Artifact.from_json(request["artifact"]), request["credentials"], ready)
    except LocalError as error:
        supervisor.say(f"not started: {error}")
        tell({"ok": False, "error": supervisor.scrub(str(error))})
        return 1
    except Exception as error:
        supervisor.say(traceback.format_exc())
        text = supervisor.scrub(f"{type(error).__name__}: {error}")
        tell({"ok": False, "error": f"the supervisor failed: {text}; see {state / 'log/supervisor.log'}"})
        return 70
    supervisor.say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
