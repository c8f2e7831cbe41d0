"""The control socket of a supervisor: one JSON line asks, one JSON line answers, and only its owner is heard."""

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from edgewright.local.state import CONTROL, LocalError, StateFolder

MAX_LINE = 64 * 1024 * 1024
"""The longest request: an artifact of some ten thousand routes."""

Handler = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Answers a request; a LocalError that it raises becomes the answer ``{"ok": false, "error": ...}``."""


class Server:
    """Listens on ``control.sock`` (0600) in the state folder."""

    def __init__(self, state: StateFolder, handler: Handler) -> None:
        self._state = state
        self._handler = handler
        self._server: asyncio.AbstractServer | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take the place of a socket that an earlier supervisor left behind, and listen."""
        (self._state / CONTROL).unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | getattr(socket, "SOCK_CLOEXEC", 0))
        # The folder is closed to others; the mask closes the socket itself too, from its first moment.
        mask = os.umask(0o177)
        try:
            listening.bind(self._state.socket(CONTROL))
        finally:
            os.umask(mask)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=MAX_LINE)

    async def close(self) -> None:
        """Stop listening and remove the socket; answers under way are still sent."""
        if self._server:
            self._server.close()
            (self._state / CONTROL).unlink(missing_ok=True)
            if self._clients:
                await asyncio.wait(self._clients, timeout=1)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._clients.add(task)
        try:
            peer = peer_uid(writer.get_extra_info("socket"))
            if peer is not None and peer not in (os.geteuid(), 0):
                return
            line = await reader.readuntil(b"\n")
            writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return
        finally:
            if task:
                self._clients.discard(task)
            writer.close()

    async def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
        except ValueError:
            return {"ok": False, "error": "the request is not one line of JSON"}
        if not isinstance(request, dict):
            return {"ok": False, "error": "the request is not a JSON object"}
        try:
            return {"ok": True, **await self._handler(request)}  # pyright: ignore[reportUnknownArgumentType]
        except LocalError as error:
            return {"ok": False, "error": str(error)}


def ask(state: StateFolder, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    """Send a request and return its answer.

    Raises LocalError with what the supervisor says is wrong, and OSError (TimeoutError too) when nobody answers.
    """
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        client.settimeout(timeout)
        client.connect(state.socket(CONTROL))
        client.sendall(json.dumps(request).encode() + b"\n")
        data = bytearray()
        while not data.endswith(b"\n"):
            part = client.recv(1 << 20)
            if not part:
                raise ConnectionResetError("the supervisor went away while it was asked")
            data += part
    answer = json.loads(data)
    if not answer.pop("ok", False):
        raise LocalError(str(answer.get("error", "the supervisor refused")))
    return answer


def peer_uid(connection: Any) -> int | None:
    """The user at the other end of a unix socket, as the kernel knows it; None where it cannot be asked."""
    if sys.platform != "linux":
        return None
    # unix(7): struct ucred is pid, uid, gid.
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", data)[1])
