"""Sample services for trying an edge: auth, orders and payments; echo, which shows what reached it; and a TCP echo.

PORT=9001 python -m edgewright.local.samples orders --version v2
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import os
import signal
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from edgewright.local.http1 import Request, Response, as_json, serve

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3

PRODUCTS = (("lamp", "Desk lamp", 3900), ("chair", "Chair", 12900), ("shelf", "Shelf", 7450))


class Sample:
    """What all samples know of themselves."""

    def __init__(self, service: str, instance: str, version: str) -> None:
        self.service = service
        self.instance = instance
        self.version = version
        self.healthy = True

    def answer(self, request: Request, data: dict[str, Any], status: int = 200) -> Response:
        """A JSON answer that says who gave it."""
        who = {"service": self.service, "instance": self.instance, "version": self.version}
        return as_json({**who, "method": request.method, "path": request.path, **data}, status)

    def missing(self, request: Request) -> Response:
        """404."""
        return self.answer(request, {"error": "there is nothing here"}, 404)


def auth(sample: Sample, request: Request) -> Response:
    """The service `auth`: login and whoami under ``/auth``."""
    if request.path == "/auth/login" and request.method == "POST":
        return sample.answer(request, {"message": "this is where a login form would be sent"})
    if request.path == "/auth/whoami":
        return sample.answer(request, {"authenticated": "authorization" in request.headers})
    return sample.answer(request, {}) if request.path.startswith("/auth") else sample.missing(request)


def orders(sample: Sample, request: Request) -> Response:
    """The service `orders`: products, orders, and a WebSocket at ``/live``."""
    parts = request.path.strip("/").split("/")
    if request.path == "/products":
        items = [{"id": name, "title": title, "price_cents": cents} for name, title, cents in PRODUCTS]
        return sample.answer(request, {"generated_at": round(time.time(), 3), "products": items})
    if request.path == "/live":
        return upgrade(request)
    if parts[0] == "orders" and len(parts) == 1:
        if request.method == "POST":
            return sample.answer(request, {"order": {"id": "1001", "status": "accepted"}}, 201)
        return sample.answer(request, {"orders": [{"id": "1000", "status": "shipped"}]})
    if parts[0] == "orders" and len(parts) == 2:
        return sample.answer(request, {"order": {"id": parts[1], "status": "shipped"}})
    return sample.missing(request)


def payments(sample: Sample, request: Request) -> Response:
    """The service `payments`."""
    parts = request.path.strip("/").split("/")
    if parts[0] != "payments":
        return sample.missing(request)
    if request.method == "POST":
        return sample.answer(request, {"payment": {"id": "5001", "status": "pending"}}, 201)
    return sample.answer(request, {"payment": {"id": parts[1] if len(parts) > 1 else "", "status": "paid"}})


class Echo:
    """Shows what reached it, and misbehaves on demand; for tests.

    ``/status/CODE``, ``/delay/MS``, ``/bytes/N``, ``/flaky/N`` (fails N times), ``/count`` (requests by path; DELETE
    resets), POST ``/health/up`` or ``/health/down``, ``/ws`` and ``/live`` (WebSocket), ``/reset`` (breaks the
    connection). A query parameter ``h.NAME=VALUE`` becomes a header of the answer.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: dict[str, int] = {}

    def __call__(self, sample: Sample, request: Request) -> "Response | asyncio.Future[Response] | Any":
        """Answer one request."""
        path = request.path
        if path == "/count":
            if request.method == "DELETE":
                self.counts.clear()
            return as_json(dict(self.counts))
        if path in ("/health/up", "/health/down") and request.method == "POST":
            sample.healthy = path.endswith("up")
            return as_json({"healthy": sample.healthy})
        self.counts[path] += 1
        if request.headers.get("upgrade", "").lower() == "websocket":
            return upgrade(request)
        _, _, rest = path[1:].partition("/")
        number = int(rest) if rest.isdigit() else 0
        if path.startswith("/delay/"):
            return self._later(sample, request, number / 1000)
        if path.startswith("/bytes/"):
            return Response(200, b"x" * min(number, 10_000_000), (("content-type", "text/plain"),))
        if path.startswith("/flaky/"):
            left = self.failures.setdefault(path, number)
            self.failures[path] = left - 1 if left else number
            return self._shown(sample, request, 503 if left else 200)
        if path == "/reset":
            return Response(0, take_over=_Broken)
        return self._shown(sample, request, number if path.startswith("/status/") and 200 <= number <= 599 else 200)

    async def _later(self, sample: Sample, request: Request, seconds: float) -> Response:
        await asyncio.sleep(min(seconds, 60))
        return self._shown(sample, request, 200)

    def _shown(self, sample: Sample, request: Request, status: int) -> Response:
        headers = tuple(
            (name[2:], value) for name, value in parse_qsl(request.query) if name.startswith("h.") and "\n" not in value
        )
        data = {
            "service": sample.service,
            "instance": sample.instance,
            "version": sample.version,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": dict(request.headers),
            "body": request.body.decode("utf-8", "replace")[:1000],
            "length": len(request.body),
            "count": self.counts[request.path],
        }
        return as_json(data, status, headers)


class _Broken(asyncio.Protocol):
    """Takes a connection over to break it."""

    def __init__(self, transport: asyncio.Transport, rest: bytes) -> None:  # noqa: ARG002
        transport.abort()


# -- WebSocket ---------------------------------------------------------------------------------------------------------


def upgrade(request: Request) -> Response:
    """Take over the connection as a WebSocket that sends back what it gets (RFC 6455); 426 for anything else."""
    key = request.headers.get("sec-websocket-key", "")
    if request.headers.get("upgrade", "").lower() != "websocket" or not key:
        return as_json({"error": "this is a WebSocket"}, 426, (("upgrade", "websocket"),))
    accept = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
    headers = (("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", accept))
    return Response(101, b"", headers, take_over=WebSocketEcho)


class WebSocketEcho(asyncio.Protocol):
    """Sends back texts and binaries, answers pings, and closes when asked to."""

    def __init__(self, transport: asyncio.Transport, rest: bytes) -> None:
        self._transport = transport
        self._data = b""
        self._message = b""
        self._opcode = 0
        if rest:
            self.data_received(rest)

    def data_received(self, data: bytes) -> None:
        """Asyncio's."""
        self._data += data
        while True:
            frame = _frame(self._data)
            if frame is None:
                return
            final, opcode, payload, used = frame
            self._data = self._data[used:]
            if opcode == 8 or len(self._message) + len(payload) > 1 << 20:
                self._send(8, payload[:2] if opcode == 8 else struct.pack(">H", 1009))
                self._transport.close()
                return
            if opcode == 9:
                self._send(10, payload)
            elif opcode in (0, 1, 2):
                self._opcode = opcode or self._opcode
                self._message += payload
                if final:
                    self._send(self._opcode, self._message)
                    self._message = b""

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([size])
        elif size < 1 << 16:
            head += b"\x7e" + struct.pack(">H", size)
        else:
            head += b"\x7f" + struct.pack(">Q", size)
        self._transport.write(head + payload)


def _frame(data: bytes) -> tuple[bool, int, bytes, int] | None:
    """The first frame: final, opcode, unmasked payload, and the bytes that it takes; None when it is not all there."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size == 126:
        size, start = (struct.unpack(">H", data[2:4])[0], 4) if len(data) >= 4 else (0, 1 << 30)
    elif size == 127:
        size, start = (struct.unpack(">Q", data[2:10])[0], 10) if len(data) >= 10 else (0, 1 << 30)
    masked = bool(data[1] & 0x80)
    end = start + (4 if masked else 0) + size
    if len(data) < end:
        return None
    payload = data[end - size : end]
    if masked:
        mask = data[start : start + 4]
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bool(data[0] & 0x80), data[0] & 0x0F, payload, end


# -- TCP ---------------------------------------------------------------------------------------------------------------


class TcpEcho(asyncio.Protocol):
    """Sends back what it gets; the line ``who?`` is answered with the instance."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Asyncio's."""
        if self._transport is not None:
            self._transport.write(f"{self._instance}\n".encode() if data.strip() == b"who?" else data)


async def _serve_tcp(instance: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    server = await loop.create_server(lambda: TcpEcho(instance), "127.0.0.1", port)
    await stopped.wait()
    server.close()


# -- running -----------------------------------------------------------------------------------------------------------

SERVICES: dict[str, Callable[[], Callable[[Sample, Request], Any]]] = {
    "auth": lambda: auth,
    "orders": lambda: orders,
    "payments": lambda: payments,
    "echo": Echo,
}


def handler(sample: Sample) -> Callable[[Request], Any]:
    """The handler of a sample service, with ``/healthz`` in front."""
    service = SERVICES[sample.service]()

    def handle(request: Request) -> Any:
        if request.path == "/healthz":
            return Response(200 if sample.healthy else 503, json.dumps({"healthy": sample.healthy}).encode())
        return service(sample, request)

    return handle


def main() -> None:
    """Run one sample service on 127.0.0.1:$PORT until SIGTERM."""
    parser = argparse.ArgumentParser(description="a sample service behind a local edge")
    parser.add_argument("service", choices=[*SERVICES, "tcp-echo"])
    parser.add_argument("--instance", default=os.environ.get("EDGEWRIGHT_INSTANCE") or os.environ.get("PORT", "1"))
    parser.add_argument("--version", default="v1")
    given = parser.parse_args()
    port = os.environ.get("PORT", "")
    if not port.isdigit():
        parser.error("the variable PORT must say where to listen")
    with contextlib.suppress(KeyboardInterrupt):
        if given.service == "tcp-echo":
            asyncio.run(_serve_tcp(given.instance, int(port)))
        else:
            asyncio.run(serve(handler(Sample(given.service, given.instance, given.version)), port=int(port)))


if __name__ == "__main__":
    main()
