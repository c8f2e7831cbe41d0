"""Requests as bytes, so that nothing between a test and the edge makes them nicer than they are."""

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; headers by lower-case name, repeated ones joined by a comma; status 0: the connection was closed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(
    port: int,
    path: str = "/",
    headers: Headers = (),
    *,
    method: str = "GET",
    body: bytes = b"",
    host: str = "localhost",
    source: str = "127.0.0.1",
    timeout: float = 20,
) -> Answer:
    """One request on a connection of its own, from the loopback address ``source``; the path is sent as it is."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in pairs]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    data = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return send(port, data, source=source, timeout=timeout)


def send(port: int, data: bytes, *, source: str = "127.0.0.1", timeout: float = 20) -> Answer:
    """Send these bytes and read one answer until the connection closes."""
    with socket.create_connection(("127.0.0.1", port), timeout, (source, 0)) as connection:
        connection.sendall(data)
        return read(connection)


def read(connection: socket.socket) -> Answer:
    """Read until the other side closes."""
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return parse(data)


def parse(data: bytes) -> Answer:
    """The answer in these bytes."""
    if not data:
        return Answer(0, {}, b"")
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    return Answer(int(first.split(" ")[1]), headers, body)


def _unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        count = int(size, 16)
        if count == 0:
            break
        body, data = body + data[:count], data[count + 2 :]
    return body
