"""A small HTTP/1.1 server on asyncio, for services on loopback or a unix socket that must start at once.

Reading is strict (RFC 9112): what two readers could understand differently is refused, never guessed.
"""

import errno
import os
import re
import signal
import socket
import stat
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import asyncio
    from asyncio import BaseTransport, Protocol, Transport
else:
    # asyncio is imported when a server starts, see `run`; it takes any object with a protocol's methods.
    Protocol = object

Pairs = tuple[tuple[str, str], ...]
"""Headers in order: names and values."""

READ_AHEAD = 262_144
"""Bytes of further requests that are kept while one is being answered; then the connection is not read any more."""

LINGER = 1.0
"""Seconds for a refused client to read why, before its connection is closed."""

_REASONS = {
    100: "Continue",
    101: "Switching Protocols",
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}

_WORD = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
_REQUEST_LINE = re.compile(rf"({_WORD}{{1,32}}) ([!-~]+) HTTP/(\d)\.(\d)")
_FIELD_NAME = re.compile(rf"{_WORD}+")
_METHOD_START = re.compile(_WORD.encode())
_CONTROLS = bytes((*range(9), *range(10, 32), 127))
# Control characters, and line ends that are not CRLF, before the end is there.
_UNFINISHED_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?=[^\n])|(?<!\r)\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t -~]*)?")
_FRAMING = frozenset(("host", "content-length", "transfer-encoding", "connection", "expect"))
_BODILESS = frozenset((204, 304))


class ListenError(Exception):
    """The address cannot be listened on; the text says which and why."""


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """A request that is not answered but refused; its connection is closed, for what follows cannot be trusted."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a client may send. head: bytes of request line and headers; target, body: bytes; headers: their number.

    seconds: how long a request may take to arrive, or an answer to be read. Between requests a connection may be idle
    for as long as the client likes: a gateway keeps its connections, and closing one under a request loses the request.
    """

    head: int = 16_384
    headers: int = 100
    target: int = 8_192
    body: int = 1_048_576
    seconds: float = 30.0


class Request:
    """A request. target: as sent; path: the part before ``?``, still percent-encoded; query: the part after it.

    version: 0 or 1, of HTTP/1.x; headers: names in lower case, in order, repeated ones as often as they were sent;
    close: whether the client wants the connection closed after the answer.
    """

    __slots__ = ("body", "close", "headers", "method", "path", "query", "target", "version")

    def __init__(self, method: str, target: str, version: int = 1, headers: Pairs = (), body: bytes = b"") -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = body
        self.close = False
        origin = target if target.startswith("/") or target == "*" else _origin_form(target)
        self.path, _, self.query = origin.partition("?")

    def header(self, name: str) -> str | None:
        """The first value of a header, by its name in lower case; None without it."""
        for found, value in self.headers:
            if found == name:
                return value
        return None

    def values(self, name: str) -> list[str]:
        """All values of a header, by its name in lower case."""
        return [value for found, value in self.headers if found == name]


@dataclass(slots=True)
class Response:
    """An answer. Length, date and connection headers are the server's; close: end the connection after it."""

    status: int = 200
    body: bytes = b""
    headers: Pairs = ()
    close: bool = False


@dataclass(slots=True)
class Upgrade:
    """Leave HTTP: 101 with these headers, and from then on the connection is the stream's."""

    stream: "Callable[[Server], Stream]"
    headers: Pairs


Answer = Response | Upgrade
Handler = Callable[[Request], Answer | Awaitable[Answer]]
"""Answers a request at once, or later. An exception is answered with 500 and told to stderr without its text."""


def json_response(data: object, status: int = 200, headers: Pairs = ()) -> Response:
    """An answer with ``data`` as JSON."""
    import json

    return Response(status, json.dumps(data).encode(), (("content-type", "application/json"), *headers))


def problem(status: int, title: str, detail: str, headers: Pairs = ()) -> Response:
    """An answer with a problem document (RFC 9457)."""
    import json

    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    return Response(status, body, (("content-type", "application/problem+json"), *headers))


# -- reading -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Head:
    """A request without its body. length: bytes of the body, None when it comes in chunks; awaits: 100-continue."""

    request: Request
    length: int | None
    awaits: bool


def read_head(data: bytes, bounds: Bounds) -> Head:
    """Read a request line and headers, without the empty line at their end. Raises Refused."""
    if _forbidden(data):
        raise Refused(400, "There is a control character, or a line that does not end in CRLF, in the headers.")
    lines = data.decode("latin-1").split("\r\n")
    parts = _REQUEST_LINE.fullmatch(lines[0])
    if not parts:
        raise Refused(400, "The request line is malformed.")
    method, target, major, minor = parts.groups()
    if major != "1":
        raise Refused(505, "This server speaks HTTP/1.1.")
    if len(target) > bounds.target:
        raise Refused(414, f"The request target is longer than {bounds.target} bytes.")
    if len(lines) - 1 > bounds.headers:
        raise Refused(431, f"There are more than {bounds.headers} headers.")
    headers: list[tuple[str, str]] = []
    framing: dict[str, list[str]] = {}
    for line in lines[1:]:
        written, colon, value = line.partition(":")
        name = _NAMES.get(written) or _field_name(written)
        if not colon or not name:
            raise Refused(400, "A header is malformed.")
        value = value.strip(" \t")
        headers.append((name, value))
        if name in _FRAMING:
            framing.setdefault(name, []).append(value)
    request = Request(method, target, min(int(minor), 1), tuple(headers))
    if len(framing.get("host", ())) > 1 or (request.version and "host" not in framing):
        raise Refused(400, "A request has exactly one Host header.")
    if "connection" in framing or not request.version:
        options = {word.strip().lower() for value in framing.get("connection", ()) for word in value.split(",")}
        request.close = "close" in options or (not request.version and "keep-alive" not in options)
    length = _length(framing, request.version, bounds.body)
    awaits = False
    if "expect" in framing and request.version:
        if [value.lower() for value in framing["expect"]] != ["100-continue"]:
            raise Refused(417, "The only expectation that can be met is 100-continue.")
        awaits = length != 0
    return Head(request, length, awaits)


_NAMES: dict[str, str] = {}
_MOST_NAMES = 1_000


def _field_name(written: str) -> str:
    """The name in lower case, remembered, since the same few come again and again; empty when it is none."""
    if not _FIELD_NAME.fullmatch(written):
        return ""
    name = written.lower()
    if len(_NAMES) < _MOST_NAMES and len(written) <= 64:
        _NAMES[written] = name
    return name


def _forbidden(data: bytes) -> bool:
    """Whether there is a control character, or a line end that is not CRLF: all that are there must be in pairs."""
    return len(data) - len(data.translate(None, _CONTROLS)) != 2 * data.count(b"\r\n")


def _length(framing: dict[str, list[str]], version: int, most: int) -> int | None:
    coding = framing.get("transfer-encoding")
    lengths = framing.get("content-length")
    if coding is not None:
        # Both at once, or a coding that an HTTP/1.0 proxy passed on, is how requests are smuggled (RFC 9112, 6.1).
        if lengths is not None or not version:
            raise Refused(400, "The body's length is said in two ways.")
        if [value.lower() for value in coding] != ["chunked"]:
            raise Refused(501, "The only transfer coding is chunked.")
        return None
    if lengths is None:
        return 0
    if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
        raise Refused(400, "Content-Length is not one number.")
    # More digits than any bound has: Python refuses to convert thousands of them.
    if len(lengths[0]) > 15 or int(lengths[0]) > most:
        raise Refused(413, f"The body is longer than {most} bytes.")
    return int(lengths[0])


def _origin_form(target: str) -> str:
    """The path and query of an absolute-form target, which every server must accept (RFC 9112, 3.2.2)."""
    found = re.fullmatch(r"https?://[^/?#]+(/[^?#]*)?(\?[^#]*)?", target, re.IGNORECASE)
    if not found:
        raise Refused(400, "The request target is malformed.")
    return (found[1] or "/") + (found[2] or "")


class _Chunks:
    """A chunked body as it arrives; takes what it understands from the front of the buffer."""

    __slots__ = ("_bounds", "_left", "_trailers", "body")

    def __init__(self, bounds: Bounds) -> None:
        self.body = bytearray()
        self._bounds = bounds
        self._left = -1
        self._trailers = -1

    def take(self, buffer: bytearray) -> bool:
        """Whether the body is complete now. Raises Refused."""
        while self._trailers < 0:
            if self._left < 0 and not self._take_size(buffer):
                return False
            if self._left == 0:
                self._trailers = 0
                break
            if len(buffer) < self._left + 2:
                return False
            if not buffer.startswith(b"\r\n", self._left):
                raise Refused(400, "A chunk does not end where it said.")
            self.body += buffer[: self._left]
            del buffer[: self._left + 2]
            self._left = -1
        return self._take_trailers(buffer)

    def _take_size(self, buffer: bytearray) -> bool:
        line = _line(buffer, 256)
        if line is None:
            return False
        size = _CHUNK_SIZE.fullmatch(line)
        if not size:
            raise Refused(400, "The size of a chunk is malformed.")
        self._left = int(size[1], 16)
        if len(self.body) + self._left > self._bounds.body:
            raise Refused(413, f"The body is longer than {self._bounds.body} bytes.")
        return True

    def _take_trailers(self, buffer: bytearray) -> bool:
        """Trailers are read and left out: nothing here has a use for them."""
        while True:
            line = _line(buffer, self._bounds.head)
            if line is None:
                return False
            if not line:
                return True
            self._trailers += len(line)
            if self._trailers > self._bounds.head:
                raise Refused(431, "The trailers are too long.")
            if not _FIELD_NAME.fullmatch(line.partition(b":")[0].decode("latin-1")) or _forbidden(line):
                raise Refused(400, "A trailer is malformed.")


def _line(buffer: bytearray, most: int) -> bytes | None:
    """Take a line from the front, without its CRLF; None when it is not complete yet."""
    end = buffer.find(b"\r\n", 0, most + 2)
    if end < 0:
        if len(buffer) > most:
            raise Refused(400, "A line within the body is too long.")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


# -- writing -----------------------------------------------------------------------------------------------------------

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Clock:
    """The Date header, made once a second; its names are English whatever the locale is."""

    second = 0
    line = ""

    @classmethod
    def date(cls) -> str:
        now = int(time.time())
        if now != cls.second:
            at = time.gmtime(now)
            day = f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year}"
            cls.line = f"date: {day} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT\r\n"
            cls.second = now
        return cls.line


def encode(response: Response, method: str = "GET", version: int = 1, close: bool = False) -> bytes:
    """The bytes of an answer. Raises ValueError for a header that would split it, or that Latin-1 cannot carry."""
    status, headers = response.status, response.headers
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers) or "\0" in lines:
        raise ValueError("a header holds a line break")
    if close:
        lines += "connection: close\r\n"
    elif not version:
        lines += "connection: keep-alive\r\n"
    if status >= 200 and status not in _BODILESS:
        lines += f"content-length: {len(response.body)}\r\n"
        body = b"" if method == "HEAD" else response.body
    else:
        body = b""
    date = _Clock.date() if status >= 200 else ""
    return f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n{date}{lines}\r\n".encode("latin-1") + body


def _failed(error: Exception) -> Response:
    """The answer to a defect. What it says stays here: the text of an exception may hold what the client sent."""
    import traceback
    from pathlib import Path

    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{Path(item.filename).name}:{item.lineno} {item.name}" for item in reversed(frames))
    print(f"edgewright: {type(error).__name__} in {where}", file=sys.stderr, flush=True)
    return problem(500, "Internal error", "The request could not be answered; the service's log says where it failed.")


# -- connections -------------------------------------------------------------------------------------------------------


class Stream(Protocol):
    """A connection; a subclass says what is done with what arrives. ``transport`` is there once it is connected."""

    transport: "Transport"

    def __init__(self, server: "Server") -> None:
        self.server = server

    def connection_made(self, transport: "BaseTransport") -> None:
        """The connection is there."""
        self.transport = cast("Transport", transport)
        self.server.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The connection is gone."""
        self.server.left(self)

    def data_received(self, data: bytes) -> None:
        """Something has arrived."""
        raise NotImplementedError

    def eof_received(self) -> bool | None:
        """The client will send no more; a true value keeps the connection open for answers."""
        return None

    def pause_writing(self) -> None:
        """The client reads too slowly."""

    def resume_writing(self) -> None:
        """The client has caught up."""

    def expire(self, now: float) -> None:
        """Called every second, with the loop's time."""

    def stop(self) -> None:
        """The server stops: finish what was begun, and close."""
        self.transport.close()


class HttpStream(Stream):
    """A connection that carries requests one after the other; answers keep their order however they are pipelined."""

    def __init__(self, server: "Server", handler: Handler, bounds: Bounds) -> None:
        super().__init__(server)
        self._handler = handler
        self._bounds = bounds
        self._buffer = bytearray()
        self._scanned = 0
        self._head: Head | None = None
        self._chunks: _Chunks | None = None
        self._task: asyncio.Task[None] | None = None
        self._paused = False
        self._ending = False
        self._stopping = False
        self._finished_sending = False
        self._since = 0.0

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        self._buffer += data
        if self._task is None and not self._paused:
            self._advance()
        elif len(self._buffer) > READ_AHEAD:
            self.transport.pause_reading()

    def eof_received(self) -> bool | None:
        if self._ending or (self._task is None and not self._paused):
            return None
        self._finished_sending = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._paused = True
        self._since = self.server.now()

    def resume_writing(self) -> None:
        self._paused = False
        self._since = 0.0
        if self._task is None:
            self._advance()

    def expire(self, now: float) -> None:
        if not self._since or now - self._since < self._bounds.seconds or self._ending:
            return
        if self._paused:
            self.transport.abort()
        elif self._task is None:
            self._refuse(Refused(408, f"The request did not arrive within {self._bounds.seconds:g} seconds."))

    def stop(self) -> None:
        if self._task is None and not self._paused and self._head is None and not self._buffer:
            self.transport.close()
        else:
            self._stopping = True

    def _advance(self) -> None:
        """Answer every request that is complete, until one takes its time or the client does not read."""
        while self._task is None and not self._paused and not self._ending:
            try:
                request = self._next()
            except Refused as refused:
                self._refuse(refused)
                return
            if request is None:
                if self._finished_sending:
                    self.transport.close()
                return
            self._since = 0.0
            self._answer(request)

    def _next(self) -> Request | None:
        """Take the next request from the buffer; None when it is not complete yet. Raises Refused."""
        buffer = self._buffer
        if self._head is None:
            if not buffer:
                return None
            head = self._take_head(buffer)
            if head is None:
                self._since = self._since or self.server.now()
                return None
            if head.length == 0:
                return head.request
            self._head = head
            self._chunks = _Chunks(self._bounds) if head.length is None else None
            if head.awaits and not buffer:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        head = self._head
        complete = self._chunks.take(buffer) if self._chunks else len(buffer) >= (head.length or 0)
        if not complete:
            self._since = self._since or self.server.now()
            return None
        if self._chunks:
            head.request.body = bytes(self._chunks.body)
        else:
            head.request.body = bytes(buffer[: head.length])
            del buffer[: head.length]
        self._head = self._chunks = None
        return head.request

    def _take_head(self, buffer: bytearray) -> Head | None:
        # An empty line before a request is to be ignored (RFC 9112, 2.2).
        while buffer.startswith(b"\r\n"):
            del buffer[:2]
            self._scanned = 0
        most = self._bounds.head
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if 0 <= end <= most:
            data = bytes(buffer[:end])
            del buffer[: end + 4]
            self._scanned = 0
            return read_head(data, self._bounds)
        if end > most or len(buffer) > most:
            line = buffer.find(b"\r\n")
            too_long = 414 if line < 0 or line > self._bounds.target + 64 else 431
            raise Refused(too_long, f"The request line and the headers are longer than {most} bytes.")
        # Not to wait for the end of something that cannot become a request.
        if (buffer and not _METHOD_START.match(buffer)) or _UNFINISHED_FORBIDDEN.search(buffer, self._scanned):
            raise Refused(400, "This is not an HTTP/1.1 request.")
        self._scanned = max(0, len(buffer) - 3)
        return None

    def _answer(self, request: Request) -> None:
        try:
            result = self._handler(request)
        except Exception as error:
            result = _failed(error)
        if isinstance(result, Response):
            self._write(request, result)
        elif isinstance(result, Upgrade):
            self._leave(result)
        else:
            self._task = self.server.loop.create_task(self._answer_later(request, result))

    async def _answer_later(self, request: Request, awaited: Awaitable[Answer]) -> None:
        try:
            result = await awaited
        except Exception as error:
            result = _failed(error)
        self._task = None
        if self.transport.is_closing():
            return
        if isinstance(result, Upgrade):
            self._leave(result)
            return
        self._write(request, result)
        if not self._ending:
            self.transport.resume_reading()
            self._advance()

    def _write(self, request: Request, response: Response) -> None:
        close = request.close or response.close or self._stopping
        try:
            data = encode(response, request.method, request.version, close)
        except ValueError as error:
            data = encode(_failed(error), request.method, request.version, close)
        self.transport.write(data)
        if close:
            self._ending = True
            self.transport.close()

    def _refuse(self, refused: Refused) -> None:
        title = _REASONS.get(refused.status, "")
        self.transport.write(encode(problem(refused.status, title, refused.detail), close=True))
        # Closing with unread input resets the connection, and the client would never see why (RFC 9112, 9.6).
        self._ending = True
        self._buffer.clear()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.server.loop.call_later(LINGER, self.transport.close)

    def _leave(self, upgrade: Upgrade) -> None:
        self.transport.write(encode(Response(101, headers=upgrade.headers)))
        self._ending = True
        self.server.left(self)
        stream = upgrade.stream(self.server)
        self.transport.set_protocol(stream)
        stream.connection_made(self.transport)
        self.transport.resume_reading()
        if self._buffer:
            stream.data_received(bytes(self._buffer))
            self._buffer.clear()


# -- servers -----------------------------------------------------------------------------------------------------------


class Server:
    """Listens, and ends gracefully. stream: makes the stream of each connection; connections: the most at a time."""

    loop: "asyncio.AbstractEventLoop"

    def __init__(self, stream: "Callable[[Server], Stream]", *, connections: int = 1_000) -> None:
        self._stream = stream
        self._connections = connections
        self._streams: set[Stream] = set()
        self._servers: list[asyncio.Server] = []
        self._ticking: asyncio.TimerHandle | None = None

    async def listen_tcp(self, port: int, address: str = "127.0.0.1") -> int:
        """Listen on a port, 0 for any that is free; the port. Raises ListenError."""
        sock = socket.socket(socket.AF_INET)
        try:
            # Only for what an earlier process left in TIME_WAIT: on Linux two listeners still exclude each other.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
        except OSError as error:
            sock.close()
            raise ListenError(f"cannot listen on {address}:{port}: {error.strerror}") from None
        await self._listen(sock)
        return int(sock.getsockname()[1])

    async def listen_unix(self, path: str | os.PathLike[str]) -> None:
        """Listen on a unix socket that only its owner can open; one that is left over goes. Raises ListenError."""
        name = os.fspath(path)
        sock = socket.socket(socket.AF_UNIX)
        # With the mask, the socket never is open to others, not even before a chmod.
        mask = os.umask(0o177)
        try:
            try:
                sock.bind(name)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                _remove_dead(name)
                sock.bind(name)
        except OSError as error:
            sock.close()
            raise ListenError(f"cannot listen on {name}: {error.strerror or error}") from None
        finally:
            os.umask(mask)
        await self._listen(sock)

    async def _listen(self, sock: socket.socket) -> None:
        import asyncio

        self.loop = asyncio.get_running_loop()
        self._servers.append(await self.loop.create_server(lambda: self._stream(self), sock=sock, backlog=1024))
        if self._ticking is None:
            self._ticking = self.loop.call_later(1.0, self._tick)

    def now(self) -> float:
        """The loop's time in seconds; never 0."""
        return self.loop.time() or 1e-9

    def joined(self, stream: Stream) -> None:
        """A stream has its connection; beyond the bound it is closed at once."""
        if len(self._streams) >= self._connections:
            stream.transport.abort()
        self._streams.add(stream)

    def left(self, stream: Stream) -> None:
        """A stream has lost its connection, or given it away."""
        self._streams.discard(stream)

    async def until_stopped(self, grace: float = 5.0) -> None:
        """Serve until SIGTERM or SIGINT, then :meth:`stop`."""
        import asyncio

        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, stopped.set)
        await stopped.wait()
        await self.stop(grace)

    async def stop(self, grace: float = 5.0) -> None:
        """Take no more connections, let requests that were begun finish for so many seconds, and close."""
        import asyncio

        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        for stream in tuple(self._streams):
            stream.stop()
        deadline = self.now() + grace
        while self._streams and self.now() < deadline:
            await asyncio.sleep(0.005)
        for stream in tuple(self._streams):
            stream.transport.abort()
        await asyncio.sleep(0)

    def _tick(self) -> None:
        now = self.now()
        for stream in tuple(self._streams):
            stream.expire(now)
        self._ticking = self.loop.call_later(1.0, self._tick)


def http_server(handler: Handler, bounds: Bounds | None = None, *, connections: int = 1_000) -> Server:
    """A server that answers HTTP/1.1 requests."""
    limits = bounds or Bounds()
    return Server(lambda server: HttpStream(server, handler, limits), connections=connections)


def _remove_dead(name: str) -> None:
    """Remove a socket that nobody listens on; raises OSError for anything else that has this name."""
    from pathlib import Path

    path = Path(name)
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise OSError("there is something else of this name")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(name)
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError("another process listens there")


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run a service in this process, which does nothing else; the exit status. A ListenError is told on stderr."""
    # asyncio imports ssl where there is one and does without where there is none: a seventh of what its import costs.
    if "asyncio" not in sys.modules and "ssl" not in sys.modules:
        cast("dict[str, object]", sys.modules)["ssl"] = None
    import asyncio

    try:
        asyncio.run(main())
    except ListenError as error:
        return complain(error)
    return 0


def complain(reason: object) -> int:
    """Tell a person why the service ends; the exit status, 1."""
    print(f"edgewright: {reason}", file=sys.stderr, flush=True)
    return 1
