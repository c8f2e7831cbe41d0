"""Constant load on an edge, with an account of every request: vegeta, and a strict load generator of our own.

Both run as child processes, keep connections alive and send at a constant rate. They differ in one thing. vegeta
stands on Go's HTTP client, which sends a GET again by itself when a kept connection breaks before the first byte of its
answer (net/http, ``persistConn.shouldRetryRequest``), and so does not see every broken connection. The strict generator
sends each request once: an answer that does not come is a failure. A test that says "no request failed" asks both.

vegeta is the one on PATH, else the one in ``tools/bin``, else it is built from the modules pinned in ``tools/load``.
Without Go the strict generator takes its place, so that no test is skipped.
"""

import asyncio
import base64
import contextlib
import csv
import fcntl
import json
import math
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "github.com/tsenart/vegeta/v12"
REQUEST_SECONDS = 30.0
"""How long an answer may take before its request counts as failed."""
BEGUN = "begun"
"""The file that the strict generator writes when it has sent its first request."""

Kind = Literal["vegeta", "strict"]


@dataclass(frozen=True, slots=True)
class Target:
    """A request; an attack takes its targets in turn."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. at: seconds since the first was sent; status: 0 when no answer came, and ``error`` says why."""

    at: float
    status: int
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of every request of an attack, in the order in which they were sent."""

    samples: tuple[Sample, ...]

    @property
    def total(self) -> int:
        """Requests sent."""
        return len(self.samples)

    @property
    def ok(self) -> int:
        """Requests answered with a status of 200 to 399."""
        return sum(1 for item in self.samples if 200 <= item.status < 400)

    @property
    def failed(self) -> int:
        """All others."""
        return self.total - self.ok

    @property
    def by_status(self) -> dict[int, int]:
        """How many had which status; 0 stands for no answer."""
        return dict(sorted(Counter(item.status for item in self.samples).items()))

    @property
    def errors(self) -> dict[str, int]:
        """How many had no answer, by the reason."""
        return dict(Counter(item.error or "no reason given" for item in self.samples if item.status == 0))

    @property
    def seconds(self) -> float:
        """From the first request sent to the last answer."""
        return max((item.at + item.seconds for item in self.samples), default=0.0)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.total / self.seconds if self.seconds else 0.0

    def between(self, begin: float, end: float) -> "Report":
        """Only the requests that were sent from second ``begin`` to before second ``end``."""
        return Report(tuple(item for item in self.samples if begin <= item.at < end))

    def latency(self, percentile: float) -> float:
        """Seconds within which this percentage of the requests was over; 0 without requests."""
        ordered = sorted(item.seconds for item in self.samples)
        return ordered[max(0, math.ceil(len(ordered) * percentile / 100) - 1)] if ordered else 0.0

    def __str__(self) -> str:
        return (
            f"{self.total} requests at {self.rate:.0f}/s, {self.failed} failed, statuses {self.by_status}, "
            f"errors {self.errors}, p50 {self.latency(50) * 1000:.1f} ms, p99 {self.latency(99) * 1000:.1f} ms"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """An attack. rate: requests a second, 0 for as fast as ``workers`` requests at once go; seconds: 0 until stopped.

    workers: most requests at once; root_cert: the authority that is trusted for https; socket: a unix socket that is
    connected to, whatever the URLs say.
    """

    targets: tuple[Target, ...]
    seconds: float
    rate: float
    workers: int
    root_cert: Path | None = None
    socket: Path | None = None


class Attack:
    """A load generator that is running."""

    def __init__(self, plan: Plan, generator: Kind, cpus: Sequence[int] = ()) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="load-")
        self._generator = generator
        folder = Path(self._folder.name)
        command = _vegeta_command(plan, folder) if generator == "vegeta" else _strict_command(plan, folder)
        # A SIGINT that comes before the generator listens for it would just end it, so it starts with that held back.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with (folder / "log").open("wb") as log:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        if cpus:
            os.sched_setaffinity(self._process.pid, cpus)
        self._begun = folder / ("results" if generator == "vegeta" else BEGUN)

    def wait_for_first(self) -> None:
        """Wait until the first request is sent (vegeta tells it when that one has its answer), or the attack has ended.

        A machine that is busy takes seconds to start a process; a test that sleeps instead may end before any load.
        """
        limit = time.monotonic() + 60
        while self._process.poll() is None and not (self._begun.is_file() and self._begun.stat().st_size):
            if time.monotonic() > limit:
                self.kill()
                raise RuntimeError(f"{self._generator} has sent nothing in a minute")
            time.sleep(0.005)

    def stop(self) -> Report:
        """Send no more requests, wait for the answers that are still to come, and account for all of them."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> Report:
        """Wait until it ends by itself; RuntimeError with what it said when it fails."""
        folder = Path(self._folder.name)
        try:
            self._process.wait(600)
            if self._process.returncode != 0:
                said = (folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._generator} ended with status {self._process.returncode}: {said}")
            return _vegeta_report(folder) if self._generator == "vegeta" else _strict_report(folder)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it without a report; nothing happens when it has ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def start(
    targets: Sequence[Target],
    *,
    rate: float,
    seconds: float = 0,
    workers: int = 64,
    root_cert: Path | None = None,
    socket: Path | None = None,
    generator: Kind = "vegeta",
    cpus: Sequence[int] = (),
) -> Attack:
    """Begin an attack in the background, and return when it sends; see :class:`Plan`.

    cpus: where the generator may run, anywhere when empty.
    """
    plan = Plan(tuple(targets), seconds, rate, workers, root_cert, socket)
    running = Attack(plan, generator if vegeta() else "strict", cpus)
    running.wait_for_first()
    return running


def attack(
    targets: Sequence[Target],
    *,
    seconds: float,
    rate: float,
    workers: int = 64,
    root_cert: Path | None = None,
    socket: Path | None = None,
    generator: Kind = "vegeta",
    cpus: Sequence[int] = (),
) -> Report:
    """Send constant load for so many seconds and account for it."""
    return start(
        targets,
        rate=rate,
        seconds=seconds,
        workers=workers,
        root_cert=root_cert,
        socket=socket,
        generator=generator,
        cpus=cpus,
    ).wait()


@contextmanager
def load(
    targets: Sequence[Target],
    *,
    rate: float,
    workers: int = 64,
    root_cert: Path | None = None,
    generator: Kind = "vegeta",
) -> Generator[Attack]:
    """Load while a block runs; the block calls ``stop`` for the report, and whatever happens in it, the load ends."""
    running = start(targets, rate=rate, workers=workers, root_cert=root_cert, generator=generator)
    try:
        yield running
    finally:
        running.kill()


# -- vegeta ------------------------------------------------------------------------------------------------------------


@cache
def vegeta() -> Path | None:
    """The vegeta executable, built once if need be; None where there is neither vegeta nor Go."""
    found = shutil.which("vegeta")
    if found:
        return Path(found)
    tools = ROOT / "tools" / "bin"
    target = tools / "vegeta"
    go = shutil.which("go")
    if target.is_file() or not go:
        return target if target.is_file() else None
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / ".vegeta.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_file():
            return target
        part = tools / f".vegeta.{os.getpid()}"
        build = [go, "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", str(part), PACKAGE]
        try:
            done = subprocess.run(
                build, cwd=ROOT / "tools" / "load", capture_output=True, text=True, timeout=900, check=False
            )
            if done.returncode != 0:
                print(f"vegeta cannot be built, our own generator takes its place:\n{done.stderr}", file=sys.stderr)
                return None
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    return target


def _vegeta_command(plan: Plan, folder: Path) -> list[str]:
    lines = [
        {
            "method": item.method,
            "url": item.url,
            "header": {name: [value] for name, value in item.headers.items()},
            **({"body": base64.b64encode(item.body).decode()} if item.body else {}),
        }
        for item in plan.targets
    ]
    (folder / "targets").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return [
        str(vegeta()),
        "attack",
        "-format=json",
        f"-targets={folder / 'targets'}",
        f"-output={folder / 'results'}",
        f"-rate={f'{round(plan.rate * 60)}/1m' if plan.rate else '0'}",
        f"-duration={plan.seconds:g}s",
        f"-workers={min(plan.workers, 16)}",
        f"-max-workers={plan.workers}",
        # Kept idle, and at all: without the second, Go's client may dial one more than it has requests at once.
        f"-connections={plan.workers}",
        f"-max-connections={plan.workers}",
        f"-timeout={REQUEST_SECONDS:g}s",
        "-max-body=0",
        "-redirects=-1",
        "-http2=false",
        *([f"-root-certs={plan.root_cert}"] if plan.root_cert else []),
        # The DNS cache, which is on by default, dials by itself and would pass the socket by.
        *((f"-unix-socket={plan.socket}", "-dns-ttl=-1") if plan.socket else ()),
    ]


def _vegeta_report(folder: Path) -> Report:
    """Read vegeta's own record of every request; its summary is not needed."""
    with subprocess.Popen(
        [str(vegeta()), "encode", "-to=csv", str(folder / "results")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        # Columns: time in ns, status, latency in ns, bytes out, bytes in, error, and more that is not needed here.
        rows = [(int(row[0]), int(row[1]), int(row[2]), row[5]) for row in csv.reader(process.stdout)]
    if process.returncode != 0:
        raise RuntimeError(f"vegeta encode ended with status {process.returncode}")
    rows.sort()
    begin = rows[0][0] if rows else 0
    # vegeta calls every status outside 200-399 an error too; ours is one without an answer.
    return Report(
        tuple(
            Sample((at - begin) / 1e9, status, latency / 1e9, "" if status else error)
            for at, status, latency, error in rows
        )
    )


# -- the strict generator ----------------------------------------------------------------------------------------------


def _strict_command(plan: Plan, folder: Path) -> list[str]:
    data = {
        "targets": [
            [item.method, item.url, dict(item.headers), base64.b64encode(item.body).decode()] for item in plan.targets
        ],
        "seconds": plan.seconds,
        "rate": plan.rate,
        "workers": plan.workers,
        "root_cert": str(plan.root_cert) if plan.root_cert else None,
        "socket": str(plan.socket) if plan.socket else None,
    }
    (folder / "plan.json").write_text(json.dumps(data))
    return [sys.executable, str(Path(__file__).resolve()), str(folder)]


def _strict_report(folder: Path) -> Report:
    return Report(tuple(Sample(*item) for item in json.loads((folder / "samples.json").read_text())))


@dataclass(frozen=True, slots=True)
class _Origin:
    host: str
    port: int
    tls: bool


@dataclass(slots=True)
class _Request:
    """A request that is due: its bytes, whether its answer has no body by its method, and when it was to be sent."""

    data: bytes
    bodyless: bool
    origin: _Origin
    due: float


class _Connection(asyncio.Protocol):
    """A kept connection that carries one request at a time, each exactly once."""

    def __init__(self, run: "_Run", origin: _Origin) -> None:
        self.origin = origin
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._request: _Request | None = None
        self._buffer = bytearray()
        self._status = 0
        self._left = 0  # bytes of the body still to come; -1: until the connection is closed; -2: chunks
        self._reading_body = False
        self._close = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: _Request) -> None:
        assert self._transport
        self._request = request
        self._transport.write(request.data)

    def expire(self, before: float) -> None:
        """Give up on a request that was due before then."""
        if self._request and self._request.due < before:
            self._end("no answer in time")
            self.abort()

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._request is None:
            # Nobody asked: what comes next could not be told from an answer.
            self.abort()
            return
        self._buffer += data
        try:
            self._parse()
        except ValueError as error:
            self._end(f"not HTTP: {error}")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._request and self._reading_body and self._left == -1:
            self._end("")
        elif self._request:
            self._end(f"connection lost before the end of the answer: {exc or 'closed by the edge'}")
        self._run.lost(self)

    def _parse(self) -> None:
        while not self._reading_body:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._head(bytes(self._buffer[:end]).decode("latin-1"))
            del self._buffer[: end + 4]
        if self._left == -2:
            self._chunks()
        elif self._left >= 0:
            if len(self._buffer) < self._left:
                return
            if len(self._buffer) > self._left:
                raise ValueError("more bytes than the answer has")
            self._answered()

    def _head(self, text: str) -> None:
        first, *lines = text.split("\r\n")
        version, status, *_ = first.split(" ", 2)
        if not version.startswith("HTTP/1.") or not status.isdigit():
            raise ValueError(first[:80])
        if status.startswith("1"):
            return  # an interim answer; the real one follows
        self._status = int(status)
        headers = {name.strip().lower(): value.strip().lower() for name, _, value in (i.partition(":") for i in lines)}
        self._close = "close" in headers.get("connection", "") or version == "HTTP/1.0"
        assert self._request
        if self._request.bodyless or self._status in (204, 304):
            self._left = 0
        elif "chunked" in headers.get("transfer-encoding", ""):
            self._left = -2
        else:
            self._left = int(headers.get("content-length", "-1"))
        self._reading_body = True

    def _chunks(self) -> None:
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                return
            size = int(bytes(self._buffer[:end]).split(b";")[0], 16)
            if len(self._buffer) < end + 2 + size + 2:
                return
            del self._buffer[: end + 2 + size + 2]
            if size == 0:
                self._answered()
                return

    def _answered(self) -> None:
        self._buffer.clear()
        close = self._close
        self._end("")
        if close and self._transport:
            self._transport.close()
        self._run.idle(self)

    def _end(self, error: str) -> None:
        request, self._request = self._request, None
        assert request
        self._run.done(request, 0 if error else self._status, error)
        self._reading_body = False
        self._buffer.clear()


class _Run:
    """Sends on a schedule that waits for no answer; a request without a free connection is late, and still sent."""

    def __init__(self, plan: Mapping[str, Any], begun: Path) -> None:
        self._begun: Path | None = begun
        self._loop = asyncio.get_running_loop()
        self._seconds = float(plan["seconds"])
        self._rate = float(plan["rate"])
        self._workers = int(plan["workers"])
        self._socket: str | None = plan["socket"]
        self._context: ssl.SSLContext | None = None
        if plan["root_cert"]:
            self._context = ssl.create_default_context(cafile=plan["root_cert"])
        self._targets = [_encode(*item) for item in plan["targets"]]
        self._samples: list[tuple[float, int, float, str]] = []
        self._connections: set[_Connection] = set()
        self._idle: dict[_Origin, list[_Connection]] = {origin: [] for _, _, origin in self._targets}
        self._waiting: deque[_Request] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._outstanding = 0
        self._sent = 0
        self._stopping = False

    async def run(self) -> list[tuple[float, int, float, str]]:
        self._loop.add_signal_handler(signal.SIGINT, self._stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        began = self._loop.time()
        swept = began
        while not self._stopping:
            now = self._loop.time()
            if self._seconds and now - began >= self._seconds:
                break
            if self._rate:
                for _ in range(int((now - began) * self._rate) + 1 - self._sent):
                    self._submit(began + self._sent / self._rate)
            else:
                for _ in range(self._workers - self._outstanding):
                    self._submit(now)
            if self._begun and (self._connections or self._samples):
                self._begun.write_text("begun")
                self._begun = None
            if now - swept > 1:
                swept = now
                self._sweep(now)
            await asyncio.sleep(0.001)
        self._stopping = True
        limit = self._loop.time() + REQUEST_SECONDS + 1
        while self._outstanding and self._loop.time() < limit:
            self._sweep(self._loop.time())
            await asyncio.sleep(0.005)
        for connection in list(self._connections):
            connection.abort()
        first = min((item[0] for item in self._samples), default=0.0)
        return sorted((at - first, status, seconds, error) for at, status, seconds, error in self._samples)

    def idle(self, connection: _Connection) -> None:
        """The connection has its answer and is free."""
        if not connection.usable:
            return
        for index, request in enumerate(self._waiting):
            if request.origin == connection.origin:
                del self._waiting[index]
                connection.send(request)
                return
        if not self._rate and not self._stopping:
            data, bodyless, origin = self._targets[self._sent % len(self._targets)]
            if origin == connection.origin:
                self._sent += 1
                self._outstanding += 1
                connection.send(_Request(data, bodyless, origin, self._loop.time()))
                return
        self._idle[connection.origin].append(connection)

    def lost(self, connection: _Connection) -> None:
        """The connection is gone."""
        self._connections.discard(connection)
        for request in [item for item in self._waiting if item.origin == connection.origin][:1]:
            self._waiting.remove(request)
            self._open(request)

    def done(self, request: _Request, status: int, error: str) -> None:
        """A request is over."""
        self._outstanding -= 1
        self._samples.append((request.due, status, self._loop.time() - request.due, error))

    def _stop(self) -> None:
        self._stopping = True

    def _sweep(self, now: float) -> None:
        for connection in list(self._connections):
            connection.expire(now - REQUEST_SECONDS)

    def _submit(self, due: float) -> None:
        data, bodyless, origin = self._targets[self._sent % len(self._targets)]
        self._sent += 1
        self._outstanding += 1
        request = _Request(data, bodyless, origin, due)
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.usable:
                connection.send(request)
                return
        if len(self._connections) + len(self._opening) < self._workers:
            self._open(request)
        else:
            self._waiting.append(request)

    def _open(self, request: _Request) -> None:
        task = asyncio.create_task(self._connect(request))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, request: _Request) -> None:
        origin = request.origin
        tls: dict[str, Any] = {"ssl": self._context, "server_hostname": origin.host} if origin.tls else {}
        connection = _Connection(self, origin)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                if self._socket:
                    await self._loop.create_unix_connection(lambda: connection, self._socket, **tls)
                else:
                    await self._loop.create_connection(lambda: connection, origin.host, origin.port, **tls)
        except OSError as error:
            self.done(request, 0, f"no connection: {error}")
            return
        self._connections.add(connection)
        if connection.usable:
            connection.send(request)
        else:
            self.done(request, 0, "connection lost before it was used")


def _encode(method: str, url: str, headers: Mapping[str, str], body: str) -> tuple[bytes, bool, _Origin]:
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    content = base64.b64decode(body)
    lines = {"host": parts.netloc, "user-agent": "edgewright-load", **{name.lower(): headers[name] for name in headers}}
    if content or method in ("POST", "PUT", "PATCH"):
        lines["content-length"] = str(len(content))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    origin = _Origin(parts.hostname or "127.0.0.1", parts.port or (443 if tls else 80), tls)
    return head.encode("latin-1") + content, method == "HEAD", origin


def main(folder: Path) -> None:
    """Run the strict generator on ``plan.json`` in the folder, and write ``samples.json`` there."""
    plan = json.loads((folder / "plan.json").read_text())

    async def run() -> list[tuple[float, int, float, str]]:
        return await _Run(plan, folder / BEGUN).run()

    (folder / "samples.json").write_text(json.dumps(asyncio.run(run())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
