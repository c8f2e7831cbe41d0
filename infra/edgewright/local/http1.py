"""A small HTTP/1.1 server for our own local services: quick to start, bounded in all it reads, on loopback or a socket.

Seven such processes start with an edge; importing a full framework costs each half a second of CPU (docs/adr/0010).
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

MAX_HEAD = 64 * 1024
"""Bytes of a request's line and headers; more is answered 431."""

MAX_BODY = 1 << 20
"""Bytes of a request's body; more is answered 413."""

_REASONS = {int(item): item.phrase for item in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """A request. target: as sent, path and query; headers: lower-case names, repeated ones joined by a comma."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``take_over`` gets the connection after the head was sent (101), or without one (status 0)."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    take_over: "Callable[[asyncio.Transport, bytes], asyncio.Protocol] | None" = field(default=None, compare=False)


Handler = Callable[[Request], Response | Awaitable[Response]]


def as_json(data: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A JSON answer."""
    body = json.dumps(data, separators=(", ", ": ")).encode()
    return Response(status, body, (("content-type", "application/json"), *headers))


def problem(status: int, detail: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A problem document (RFC 9457)."""
    data: dict[str, Any] = {"type": "about:blank", "title": _REASONS.get(status, "Error"), "status": status}
    if detail:
        data["detail"] = detail
    body = json.dumps(data, separators=(",", ":")).encode()
    return Response(status, body, (("content-type", "application/problem+json"), *headers))


class _Refused(Exception):  # noqa: N818 - it is an answer
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.answer = problem(status, detail)


class Connection(asyncio.Protocol):
    """One connection: requests are answered one after the other, in order, also when they come at once."""

    def __init__(self, handler: Handler, open_connections: "set[Connection]") -> None:
        self._handler = handler
        self._all = open_connections
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._busy: asyncio.Future[Response] | None = None
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's."""
        self._transport = cast("asyncio.Transport", transport)
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Asyncio's."""
        self._all.discard(self)
        self._transport = None
        if self._busy is not None:
            self._busy.cancel()

    def data_received(self, data: bytes) -> None:
        """Asyncio's."""
        self._data += data
        if self._busy is None:
            self._next()
        elif len(self._data) > MAX_HEAD + MAX_BODY and self._transport is not None:
            self._transport.pause_reading()

    def close_when_idle(self) -> None:
        """Take no further request, and close when the one under way is answered."""
        self._closing = True
        if self._busy is None and self._transport is not None:
            self._transport.close()

    def _next(self) -> None:
        while self._transport is not None and not self._transport.is_closing():
            try:
                parsed = _parse(self._data)
            except _Refused as refused:
                self._send(refused.answer, close=True)
                return
            if parsed is None:
                return
            request, used = parsed
            self._data = self._data[used:]
            close = self._closing or request.headers.get("connection", "").lower() == "close"
            try:
                answer = self._handler(request)
            except Exception as error:
                self._failed(error)
                continue
            if isinstance(answer, Response):
                self._send(answer, close=close, head=request.method == "HEAD")
                continue
            self._wait(answer, request, close=close)
            return

    def _wait(self, answer: Awaitable[Response], request: Request, *, close: bool) -> None:
        self._busy = asyncio.ensure_future(answer)

        def done(future: "asyncio.Future[Response]") -> None:
            self._busy = None
            if future.cancelled() or self._transport is None:
                return
            error = future.exception()
            if error is not None:
                self._failed(error)
            else:
                self._send(future.result(), close=close or self._closing, head=request.method == "HEAD")
            self._go_on()

        self._busy.add_done_callback(done)

    def _go_on(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()
            self._next()

    def _failed(self, error: BaseException) -> None:
        print(f"error: {type(error).__name__}", flush=True)  # its text may quote the request
        self._send(problem(500), close=False)

    def _send(self, answer: Response, *, close: bool, head: bool = False) -> None:
        transport = self._transport
        if transport is None:
            return
        if answer.status == 0 and answer.take_over is not None:
            transport.set_protocol(answer.take_over(transport, b""))
            return
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.status >= 200 and answer.status != 204:
            lines.append(f"content-length: {len(answer.body)}")
        if close:
            lines.append("connection: close")
        content = b"" if head or answer.status in (204, 304) else answer.body
        transport.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + content)
        if answer.take_over is not None:
            self._all.discard(self)
            rest, self._data = self._data, b""
            transport.set_protocol(answer.take_over(transport, rest))
            self._transport = None
        elif close:
            transport.close()


def _parse(data: bytes) -> tuple[Request, int] | None:
    """The first request in ``data`` and how many bytes it takes; None when it is not all there."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MAX_HEAD:
            raise _Refused(431, "the headers are too long")
        return None
    if end > MAX_HEAD:
        raise _Refused(431, "the headers are too long")
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[0].isalpha() or not words[2].startswith("HTTP/1."):
        raise _Refused(400, "this is not a request of HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or line[0] in " \t":
            raise _Refused(400, "a header is malformed")
        name, value = name.lower(), value.strip()
        if name in ("content-length", "transfer-encoding", "host") and name in headers:
            raise _Refused(400, f"{name} stands twice")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    start = end + 4
    body = _body(headers, data, start)
    if body is None:
        return None
    content, used = body
    return Request(words[0], words[1], headers, content), used


def _body(headers: Mapping[str, str], data: bytes, start: int) -> tuple[bytes, int] | None:
    coding = headers.get("transfer-encoding")
    length = headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise _Refused(400, "only chunked bodies, or a content-length, are understood")
        return _chunks(data, start)
    if length is None:
        return b"", start
    if not (length.isascii() and length.isdigit()):
        raise _Refused(400, "content-length is not a number")
    size = int(length)
    if size > MAX_BODY:
        raise _Refused(413, "the body is too long")
    if len(data) < start + size:
        return None
    return data[start : start + size], start + size


def _chunks(data: bytes, start: int) -> tuple[bytes, int] | None:
    body = b""
    while True:
        end = data.find(b"\r\n", start)
        if end < 0:
            if len(data) - start > 1024:
                raise _Refused(400, "a chunk is malformed")
            return None
        try:
            size = int(data[start:end].partition(b";")[0], 16)
        except ValueError:
            raise _Refused(400, "a chunk is malformed") from None
        if size < 0 or len(body) + size > MAX_BODY:
            raise _Refused(413, "the body is too long")
        start = end + 2
        if size == 0:
            trailer = data.find(b"\r\n", start)
            if trailer < 0:
                return None
            if trailer == start:
                return body, start + 2
            raise _Refused(400, "trailers are not understood")
        if len(data) < start + size + 2:
            return None
        body += data[start : start + size]
        if data[start + size : start + size + 2] != b"\r\n":
            raise _Refused(400, "a chunk is malformed")
        start += size + 2


async def serve(
    handler: Handler, *, port: int = 0, socket: str | None = None, stopped: asyncio.Event | None = None
) -> None:
    """Serve on 127.0.0.1:``port`` or on the unix socket until SIGTERM or SIGINT (or ``stopped``), then finish.

    What is under way may take five seconds more.
    """
    loop = asyncio.get_running_loop()
    stopped = stopped or asyncio.Event()
    connections: set[Connection] = set()

    def connection() -> Connection:
        return Connection(handler, connections)

    if socket is not None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(socket)  # noqa: PTH108 - pathlib costs start-up time
        before = os.umask(0o177)
        try:
            server = await loop.create_unix_server(connection, socket, backlog=1024)
        finally:
            os.umask(before)
    else:
        server = await loop.create_server(connection, "127.0.0.1", port, backlog=1024)
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    await stopped.wait()
    server.close()
    for item in list(connections):
        item.close_when_idle()
    for _ in range(500):
        if not connections:
            break
        await asyncio.sleep(0.01)
