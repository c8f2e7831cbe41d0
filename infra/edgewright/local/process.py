"""Child processes: they die with their parent, write bounded logs without secrets, and come back when they die."""

import asyncio
import collections
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

MARK = "EDGEWRIGHT_RUN"
"""Variable in the environment of all that a run starts, grandchildren too, by which the remains of a run are found."""

LOG_BYTES = 5_000_000
"""Beyond this a log is renamed to ``<name>.log.1``, in place of the one before: two files are the most."""

BACKOFF = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the first, second, ... restart in a row; the last holds from then on."""

STEADY = 10.0
"""A child that lived for this many seconds starts again at the first step of the backoff."""

_PR_SET_PDEATHSIG = 1
_LINUX = sys.platform == "linux"
_LIBC = ctypes.CDLL(None, use_errno=True) if _LINUX else None


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, not to be mistaken for a later one with the same pid: ``start`` is its start time in clock ticks."""

    pid: int
    start: int


def identify(pid: int) -> Identity | None:
    """The process that has this pid now; None when there is none, or only a zombie."""
    if not _LINUX:
        return _identify_by_ps(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # proc(5): the second field, in parentheses, may hold anything; state is the third and start time the 22nd.
    words = text.rpartition(")")[2].split()
    return None if words[0] in "ZX" else Identity(pid, int(words[19]))


def _identify_by_ps(pid: int) -> Identity | None:
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return Identity(pid, hash(done.stdout.strip())) if done.stdout.strip() else None


def alive(process: Identity) -> bool:
    """Whether this very process still runs."""
    return identify(process.pid) == process


def send(process: Identity, number: int) -> bool:
    """Send a signal to this very process, never to one that took over its pid; False when it is gone."""
    if hasattr(signal, "pidfd_send_signal"):
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:
            return False
        try:
            # The descriptor names whoever has the pid now; only then is it compared, so nothing can slip in between.
            if not alive(process):
                return False
            signal.pidfd_send_signal(descriptor, number)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True
    if not alive(process):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
        return True
    return False


def marked(run: str) -> list[Identity]:
    """Everything alive that carries the mark of a run in its environment, as far as this user can see."""
    if not run or not _LINUX:
        return []
    mark = f"{MARK}={run}".encode()
    found: list[Identity] = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        process = identify(int(entry.name)) if mark in environment else None
        if process:
            found.append(process)
    return found


class Scrubber:
    """Replaces secrets in text that is about to be shown or logged."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Know these secrets from now on."""
        self._secrets.update(secret for secret in secrets if len(secret) >= 4)

    def __call__(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


class Log:
    """A bounded log file (0600) that keeps the last lines at hand.

    secrets: applied to every line before it is kept or written.
    """

    def __init__(self, path: Path, scrub: Scrubber, limit: int = LOG_BYTES) -> None:
        self.path = path
        self.tail: collections.deque[str] = collections.deque(maxlen=200)
        self._scrub = scrub
        self._limit = limit
        self._partial = b""
        self._file: IO[bytes] | None = None

    def feed(self, data: bytes) -> None:
        """Take output as it comes; whole lines are written."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > 65536:
            lines.append(self._partial)
            self._partial = b""
        if lines:
            self.write(line.decode("utf-8", "replace") for line in lines)

    def write(self, lines: Iterable[str]) -> None:
        """Write whole lines, given without their newline."""
        clean = [self._scrub(line) for line in lines]
        self.tail.extend(clean)
        file = self._file or self._open()
        if file.tell() > self._limit:
            file.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            file = self._open()
        file.write("".join(f"{line}\n" for line in clean).encode())
        file.flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._partial:
            rest, self._partial = self._partial, b""
            self.write([rest.decode("utf-8", "replace")])
        if self._file:
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "ab")
        return self._file


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a child once: the command, and what its environment has beyond the one all children get."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])


class Process:
    """One running child, in a session of its own, whose output goes to a log.

    To be created on the main thread: Linux sends the death signal when the *thread* that forked ends.
    """

    def __init__(self, launch: Launch, *, cwd: Path, env: Mapping[str, str], log: Log) -> None:
        self._log = log
        reading, writing = os.pipe()
        try:
            self._popen = subprocess.Popen(
                launch.argv,
                cwd=cwd,
                env={**env, **launch.env},
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
                umask=0o077,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - forked on the main thread
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self.pid = self._popen.pid
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[int] = self._loop.create_future()
        self._output = reading
        os.set_blocking(reading, False)
        self._loop.add_reader(reading, self._read)
        self._descriptor = _open_pidfd(self.pid)
        if self._descriptor is None:
            self._poller = self._loop.create_task(self._poll())
        else:
            self._loop.add_reader(self._descriptor, self._reap)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._gone.done()

    async def ended(self) -> int:
        """Wait for its end: the exit status, or the negative number of the signal."""
        return await asyncio.shield(self._gone)

    def signal(self, number: int) -> None:
        """Send a signal to it and to all that it started, in its own session."""
        if not self.running:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def stop(self, grace: float) -> None:
        """Ask it to end, wait ``grace`` seconds, then end it; its own children go with it."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self.ended()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.ended()

    def _reap(self) -> None:
        status = self._popen.poll()
        if status is None:
            return
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        # What the child started itself is still in its session; nothing of it may outlive the child.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._read()
        self._close_output()
        if not self._gone.done():
            self._gone.set_result(status)

    async def _poll(self) -> None:
        while self._popen.poll() is None:
            await asyncio.sleep(0.02)
        self._reap()

    def _read(self) -> None:
        while self._output >= 0:
            try:
                data = os.read(self._output, 65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._close_output()
                return
            self._log.feed(data)

    def _close_output(self) -> None:
        if self._output >= 0:
            self._loop.remove_reader(self._output)
            os.close(self._output)
            self._output = -1


class Keeper:
    """A child that is started again whenever it dies.

    launch: called before every start (a fresh port, a socket file removed); ready: waits until the child serves;
    changed: called whenever ``up`` has changed.
    """

    def __init__(
        self,
        name: str,
        *,
        launch: Callable[[], Launch],
        ready: Callable[["Keeper"], Awaitable[None]],
        changed: Callable[["Keeper"], Awaitable[None]],
        cwd: Path,
        env: Mapping[str, str],
        log: Log,
    ) -> None:
        self.name = name
        self.log = log
        self.up = False
        self.starts = 0
        self.exit_status: int | None = None
        self._launch = launch
        self._ready = ready
        self._changed = changed
        self._cwd = cwd
        self._env = env
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._was_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the child that runs now."""
        return self._process.pid if self._process and self._process.running else None

    def start(self) -> None:
        """Start it; it is started again until :meth:`stop`."""
        self._stopping.clear()
        self._task = asyncio.get_running_loop().create_task(self._keep(), name=f"keep {self.name}")

    async def wait_up(self, timeout: float) -> bool:
        """Wait until it serves, at most ``timeout`` seconds; whether it does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._was_up.wait()
        return self.up

    def signal(self, number: int) -> None:
        """Send a signal to the child that runs now."""
        if self._process:
            self._process.signal(number)

    async def stop(self, grace: float) -> None:
        """End it for good."""
        self._stopping.set()
        if self._process:
            await self._process.stop(grace)
        if self._task:
            await self._task
            self._task = None
        self.log.close()

    async def replace(self, grace: float) -> None:
        """End the child and start a new one at once."""
        await self.stop(grace)
        self.start()

    async def _keep(self) -> None:
        failures = 0
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            began = clock()
            try:
                self.starts += 1
                self._process = Process(self._launch(), cwd=self._cwd, env=self._env, log=self.log)
                await self._live(self._process)
            except OSError as error:
                self.exit_status = 127
                self.log.write([f"edgewright: cannot start {self.name}: {error}"])
            if self._stopping.is_set():
                return
            failures = 0 if clock() - began > STEADY else failures + 1
            delay = BACKOFF[min(max(failures - 1, 0), len(BACKOFF) - 1)]
            self.log.write([f"edgewright: {self.name} ended ({self._how()}), starts again in {delay:g} s"])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()

    async def _live(self, process: Process) -> None:
        serving = asyncio.ensure_future(self._ready(self))
        ending = asyncio.ensure_future(process.ended())
        try:
            await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
            if serving.done() and not ending.done():
                serving.result()
                await self._set(True)
            self.exit_status = await ending
        finally:
            serving.cancel()
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
            if self.up:
                await self._set(False)

    async def _set(self, up: bool) -> None:
        self.up = up
        if up:
            self._was_up.set()
        else:
            self._was_up.clear()
        await self._changed(self)

    def _how(self) -> str:
        status = self.exit_status or 0
        if status >= 0:
            return f"exit status {status}"
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"


def _die_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            # The parent may have died before the line above: then no signal will ever come.
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _open_pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
