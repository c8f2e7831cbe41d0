"""The server's side of a WebSocket (RFC 6455): the handshake, and a stream that sends back what it receives."""

import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from edgewright.local import http1

if TYPE_CHECKING:
    from asyncio import TimerHandle

MAX_MESSAGE = 1_048_576
"""Bytes of a message, however many frames it comes in."""

CLOSING_SECONDS = 2.0
"""How long the other side may take to answer a close."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")


class Broken(Exception):  # noqa: N818 - a reason to close, not a defect
    """The other side does not keep to the protocol; code: why, as in RFC 6455, 7.4.1."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def accept(request: http1.Request) -> http1.Answer:
    """The answer to a handshake: 101 and an echo from then on, or why not."""
    upgrade = {word.strip().lower() for value in request.values("upgrade") for word in value.split(",")}
    connection = {word.strip().lower() for value in request.values("connection") for word in value.split(",")}
    if request.method != "GET" or not request.version or "websocket" not in upgrade or "upgrade" not in connection:
        headers = (("upgrade", "websocket"), ("connection", "upgrade"))
        return http1.problem(426, "Upgrade required", "This path speaks WebSocket.", headers)
    if request.values("sec-websocket-version") != ["13"]:
        return http1.problem(
            426,
            "Upgrade required",
            "The version must be 13.",
            (("sec-websocket-version", "13"), ("upgrade", "websocket")),
        )
    key = request.values("sec-websocket-key")
    if len(key) != 1 or not _KEY.fullmatch(key[0]):
        return http1.problem(400, "Bad request", "Sec-WebSocket-Key is not one key of 16 bytes.")
    digest = hashlib.sha1(key[0].encode() + _GUID, usedforsecurity=False).digest()
    proof = binascii.b2a_base64(digest, newline=False).decode()
    return http1.Upgrade(Echo, (("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-accept", proof)))


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole message, or a control frame, as a server sends it: not masked."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


class Echo(http1.Stream):
    """Sends each text and binary message back, answers pings, and closes as the protocol wants it."""

    def __init__(self, server: http1.Server) -> None:
        super().__init__(server)
        self._buffer = bytearray()
        self._message = bytearray()
        self._opcode = 0
        self._broken = False
        self._closing: TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        self._buffer += data
        try:
            while self._take_frame():
                pass
        except Broken as broken:
            self._close(broken.code, str(broken))
            # What follows has no meaning any more. It is read all the same: closing on it would reset the connection,
            # and the other side might never learn why.
            self._broken = True
            self._buffer.clear()
            if self.transport.can_write_eof():
                self.transport.write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._closing is not None:
            self._closing.cancel()

    def pause_writing(self) -> None:
        # Who does not read gets no more to read.
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def stop(self) -> None:
        self._close(1001, "the server stops")

    def _take_frame(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2 or self.transport.is_closing():
            return False
        final, opcode, size = buffer[0] & 0x80, buffer[0] & 0x0F, buffer[1] & 0x7F
        if buffer[0] & 0x70:
            raise Broken(1002, "a reserved bit is set")
        if not buffer[1] & 0x80:
            raise Broken(1002, "a client's frame is not masked")
        if opcode >= _CLOSE and (size > 125 or not final):
            raise Broken(1002, "a control frame is long or in parts")
        start = 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return False
            size = int.from_bytes(buffer[2:start], "big")
        if size + len(self._message) > MAX_MESSAGE:
            raise Broken(1009, f"a message is longer than {MAX_MESSAGE} bytes")
        if len(buffer) < start + 4 + size:
            return False
        payload = _unmasked(bytes(buffer[start + 4 : start + 4 + size]), bytes(buffer[start : start + 4]))
        del buffer[: start + 4 + size]
        self._received(opcode, bool(final), payload)
        return True

    def _received(self, opcode: int, final: bool, payload: bytes) -> None:
        if opcode == _PING:
            self.transport.write(frame(_PONG, payload))
        elif opcode == _CLOSE:
            self._closed(payload)
        elif opcode in (_TEXT, _BINARY, _CONTINUATION):
            self._data(opcode, final, payload)
        elif opcode != _PONG:
            raise Broken(1002, "an opcode is unknown")

    def _data(self, opcode: int, final: bool, payload: bytes) -> None:
        if (opcode == _CONTINUATION) != bool(self._opcode):
            raise Broken(1002, "a message begins within another, or goes on without a beginning")
        self._opcode = self._opcode or opcode
        self._message += payload
        if not final:
            return
        message, opcode = bytes(self._message), self._opcode
        self._message.clear()
        self._opcode = 0
        if opcode == _TEXT:
            _must_be_text(message)
        if self._closing is None:
            self.transport.write(frame(opcode, message))

    def _closed(self, payload: bytes) -> None:
        if payload:
            code = int.from_bytes(payload[:2], "big")
            # 1004 to 1006 and 1015 are never sent; below 1000 and from 1015 to 2999 nothing is defined.
            known = 1000 <= code <= 1014 and code not in (1004, 1005, 1006)
            if len(payload) == 1 or not (known or 3000 <= code <= 4999):
                raise Broken(1002, "a close code is malformed")
            _must_be_text(payload[2:])
        if self._closing is None:
            self.transport.write(frame(_CLOSE, payload[:2]))
        self.transport.close()

    def _close(self, code: int, reason: str) -> None:
        if self._closing is not None or self.transport.is_closing():
            return
        self.transport.write(frame(_CLOSE, code.to_bytes(2, "big") + reason.encode()))
        self._closing = self.server.loop.call_later(CLOSING_SECONDS, self.transport.close)


def _unmasked(data: bytes, mask: bytes) -> bytes:
    size = len(data)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def _must_be_text(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise Broken(1007, "a text is not UTF-8") from None
