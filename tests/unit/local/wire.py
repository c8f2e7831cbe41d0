"""Talking to small servers in tests: bytes out, bytes in; in this process, or to a service in one of its own."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright.local import http1

SECONDS = 30.0
"""Only so that a test cannot hang."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; headers by their name in lower case, the last of a repeated one."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


def answers(data: bytes) -> list[Answer]:
    """All answers in these bytes, one after the other."""
    found: list[Answer] = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines[1:])
        headers = {name.lower(): value for name, _, value in pairs}
        size = int(headers.get("content-length", 0))
        found.append(Answer(int(lines[0].split(" ")[1]), headers, data[:size]))
        data = data[size:]
    return found


def request(method: str, target: str, body: bytes = b"", /, **headers: str) -> bytes:
    """A request; underscores in names of headers stand for hyphens."""
    lines = [f"{method} {target} HTTP/1.1", "host: test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body or method in ("POST", "PUT"):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def serving(server: http1.Server, scenario: Callable[[int], Awaitable[Any]]) -> Any:
    """Run a scenario against a server on a free port; what the scenario returns."""

    async def run() -> Any:
        port = await server.listen_tcp(0)
        try:
            async with asyncio.timeout(SECONDS):
                return await scenario(port)
        finally:
            await server.stop(0)

    return asyncio.run(run())


def exchange(server: http1.Server, *pieces: bytes) -> bytes:
    """Send these pieces on one connection, each on its own, and then end; everything that came back."""

    async def scenario(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.002 if len(pieces) > 1 else 0)
        with suppress(OSError):
            writer.write_eof()
        data = await reader.read()
        writer.close()
        return data

    return serving(server, scenario)


def ask(server: http1.Server, *requests: bytes) -> list[Answer]:
    """Send requests on one connection, and read all answers."""
    return answers(exchange(server, b"".join(requests)))


def ask_unix(path: Path, *requests: bytes) -> list[Answer]:
    """The same at a unix socket, without asyncio."""
    return answers(talk(path, b"".join(requests)))


def talk(where: Path | int, data: bytes) -> bytes:
    """Send bytes to a unix socket or a port of 127.0.0.1, and then end; everything that came back."""
    with connected(where) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        found = b""
        while piece := sock.recv(65_536):
            found += piece
        return found


def connected(where: Path | int) -> socket.socket:
    """A connection to a unix socket or to a port of 127.0.0.1."""
    sock = socket.socket(socket.AF_UNIX if isinstance(where, Path) else socket.AF_INET)
    sock.settimeout(SECONDS)
    try:
        sock.connect(str(where) if isinstance(where, Path) else ("127.0.0.1", where))
    except BaseException:
        sock.close()
        raise
    return sock


@contextmanager
def process(
    module: str, *arguments: str, where: Path | int, cwd: Path, env: Mapping[str, str] | None = None
) -> Generator["subprocess.Popen[str]"]:
    """A service in a process of its own, once it listens; ended whatever happens."""
    package = Path(http1.__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", f"edgewright.local.{module}", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(package), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                connected(where).close()
                break
            except OSError:
                assert child.poll() is None, child.communicate()[0]
                assert time.monotonic() < deadline, "it does not listen"
                time.sleep(0.005)
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()
