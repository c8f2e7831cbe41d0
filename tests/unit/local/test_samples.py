"""The sample services: what they answer, what echo shows, and the WebSocket and TCP echoes."""

import asyncio
import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from edgewright.local import http1, websocket
from edgewright.local.samples import MOST_KEPT, server_of
from local.ports import free_port
from unit.local.wire import Answer, answers, ask, exchange, process, request, serving, talk


def one(service: str, method: str, target: str, body: bytes = b"", /, **headers: str) -> Answer:
    """The answer of a fresh instance to one request."""
    found = ask(server_of(service, "7", "v2"), request(method, target, body, **headers))
    assert len(found) == 1
    return found[0]


REQUESTS = {
    ("auth", "GET", "/healthz", b""): 200,
    ("auth", "POST", "/auth/login", b'{"user": "ann", "password": "secret"}'): 200,
    ("auth", "POST", "/auth/login", b"ann"): 400,
    ("auth", "GET", "/auth/whoami", b""): 200,
    ("auth", "GET", "/auth/login", b""): 405,
    ("auth", "GET", "/nothing", b""): 404,
    ("orders", "GET", "/healthz", b""): 200,
    ("orders", "GET", "/products", b""): 200,
    ("orders", "GET", "/orders", b""): 200,
    ("orders", "GET", "/orders/7", b""): 200,
    ("orders", "GET", "/orders/700", b""): 404,
    ("orders", "GET", "/orders/99999999999999999999", b""): 404,
    ("orders", "GET", "/orders/x", b""): 404,
    ("orders", "POST", "/orders", b'{"product": "p1", "quantity": 2}'): 201,
    ("orders", "POST", "/orders", b'{"product": "p9"}'): 400,
    ("orders", "POST", "/orders", b'{"product": []}'): 400,
    ("orders", "POST", "/orders", b"[" * 100_000): 400,
    ("orders", "DELETE", "/orders/7", b""): 405,
    ("orders", "GET", "/live", b""): 426,
    ("payments", "GET", "/payments", b""): 200,
    ("payments", "GET", "/payments/1", b""): 200,
    ("payments", "POST", "/payments", b'{"order": 1, "cents": 2900}'): 201,
    ("payments", "POST", "/payments", b'{"order": 1, "cents": -1}'): 400,
    ("payments", "PUT", "/payments/1", b"{}"): 405,
}


@pytest.mark.parametrize(
    ("asked", "status"), REQUESTS.items(), ids=[f"{item[0]} {item[1]} {item[2][:20]}" for item in REQUESTS]
)
def test_a_service_answers_and_says_who_it_is(asked: tuple[str, str, str, bytes], status: int) -> None:
    service, method, target, body = asked
    answer = one(
        service, method, target, body, authorization="Bearer a-secret", cookie="a-secret", x_api_key="a-secret"
    )
    assert answer.status == status
    assert b"secret" not in answer.body
    if status != 426:
        known = {"service": service, "instance": "7", "version": "v2", "method": method, "path": target}
        assert {name: answer.json[name] for name in known} == known


def test_products_say_when_and_by_whom_they_were_made() -> None:
    server = server_of("orders", "7")
    first, second = ask(server, request("GET", "/products"), request("GET", "/products"))
    assert first.json["served_by"] == "orders/7"
    assert first.json["generated_at"] < second.json["generated_at"]
    assert {"id", "name", "cents"} <= set(first.json["products"][0])


@pytest.mark.parametrize(
    ("service", "kind", "body"),
    [("orders", "order", b'{"product": "p2"}'), ("payments", "payment", b'{"order": 3, "cents": 5}')],
)
def test_what_was_posted_can_be_read(service: str, kind: str, body: bytes) -> None:
    async def scenario(port: int) -> tuple[Answer, Answer]:
        created = answers(await asyncio.to_thread(talk, port, request("POST", f"/{kind}s", body)))[0]
        return created, answers(await asyncio.to_thread(talk, port, request("GET", created.headers["location"])))[0]

    created, found = serving(server_of(service, "1"), scenario)
    assert created.status == 201
    assert found.json[kind] == created.json[kind]


def test_what_a_service_remembers_is_bounded() -> None:
    found = ask(
        server_of("orders", "1"),
        request("POST", "/orders", b'{"product": "p2"}') * (MOST_KEPT + 50),
        request("GET", "/orders"),
    )
    assert len(found[-1].json["orders"]) == MOST_KEPT
    assert found[-1].json["orders"][-1]["id"] == found[-2].json["order"]["id"]


# -- echo


def test_echo_shows_what_reached_it() -> None:
    answer = one("echo", "PUT", "/a/b%20c?x=1&x=2&y=", b"\xffbody", x_edge_subject="ann", X_Mixed="Case")
    assert answer.json["target"] == "/a/b%20c?x=1&x=2&y="
    assert answer.json["query"] == "x=1&x=2&y="
    assert answer.json["parameters"] == {"x": ["1", "2"], "y": [""]}
    assert answer.json["headers"]["x-edge-subject"] == "ann"
    assert answer.json["headers"]["x-mixed"] == "Case"
    assert answer.json["body"].endswith("body")
    assert answer.json["body_bytes"] == 5


def test_echo_shows_a_repeated_header_joined_and_one_by_one() -> None:
    raw = b"GET / HTTP/1.1\r\nhost: a\r\nx-key: 1\r\nx-key: 2\r\n\r\n"
    data = ask(server_of("echo", "1"), raw)[0].json
    assert data["headers"]["x-key"] == "1, 2"
    assert data["raw_headers"][1:] == [["x-key", "1"], ["x-key", "2"]]


@pytest.mark.parametrize("status", [200, 204, 304, 404, 418, 503, 599])
def test_echo_answers_with_the_status_that_is_wanted(status: int) -> None:
    assert one("echo", "GET", f"/status/{status}").status == status


def test_echo_waits_as_long_as_is_wanted() -> None:
    async def scenario(port: int) -> tuple[float, Any]:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        data = await asyncio.to_thread(talk, port, request("GET", "/delay/120"))
        return loop.time() - begin, answers(data)[0].json

    seconds, data = serving(server_of("echo", "1"), scenario)
    assert seconds >= 0.12
    assert data["path"] == "/delay/120"
    assert one("echo", "GET", "/delay/999999999").status == 400


def test_echo_sends_as_many_bytes_as_are_wanted() -> None:
    answer = one("echo", "GET", "/bytes/1000000")
    assert len(answer.body) == 1_000_000
    assert one("echo", "GET", "/bytes/999999999").status == 400


def test_echo_counts_requests_by_path_until_it_begins_anew() -> None:
    found = ask(
        server_of("echo", "1"),
        request("GET", "/a?x=1"),
        request("GET", "/a?x=2"),
        request("GET", "/b"),
        request("GET", "/healthz"),
        request("GET", "/count"),
        request("GET", "/count?path=/a"),
        request("DELETE", "/count"),
        request("GET", "/count?path=/a"),
    )
    assert found[1].json["count"] == 2
    assert found[4].json["counts"] == {"/a": 2, "/b": 1}
    assert [found[5].json["count"], found[7].json["count"]] == [2, 0]


def test_echo_fails_as_often_as_is_wanted_and_then_is_well() -> None:
    wanted = [request("GET", "/flaky/2?id=1")] * 4 + [request("GET", "/flaky/1?id=2")] * 2
    again = [request("POST", "/count/reset"), request("GET", "/flaky/2?id=1")]
    found = [answer.status for answer in ask(server_of("echo", "1"), *wanted, *again)]
    assert found == [503, 503, 200, 200, 503, 200, 200, 503]


def test_echo_can_be_made_to_fail_its_health_check() -> None:
    steps = ["/healthz", "/health/down", "/healthz", "/health/up", "/healthz", "/health/sideways"]
    found = ask(server_of("echo", "1"), *(request("GET", step) for step in steps))
    assert [answer.status for answer in found] == [200, 200, 503, 200, 200, 200]
    assert found[5].json["path"] == "/health/sideways"


@pytest.mark.parametrize("path", ["/x", "/status/404", "/bytes/3", "/flaky/1"])
def test_echo_sends_the_headers_that_are_wanted(path: str) -> None:
    raw = exchange(
        server_of("echo", "1"),
        request("GET", f"{path}?cache-control=max-age%3D60&vary=accept&set-cookie=a%3D1&set-cookie=b%3D2&etag=%22x%22"),
    ).decode()
    lines = raw.split("\r\n")
    assert {"cache-control: max-age=60", "vary: accept", "set-cookie: a=1", "set-cookie: b=2", 'etag: "x"'} <= set(
        lines
    )


def test_a_wanted_header_cannot_split_the_answer() -> None:
    raw = exchange(server_of("echo", "1"), request("GET", "/x?vary=a%0d%0aset-cookie:%20injected"))
    assert raw.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nset-cookie" not in raw


# -- WebSocket

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY = base64.b64encode(b"0123456789abcdef").decode()
HANDSHAKE = {
    "upgrade": "WebSocket",
    "connection": "keep-alive, Upgrade",
    "sec_websocket_version": "13",
    "sec_websocket_key": KEY,
}


def masked(opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0) -> bytes:
    """A frame as a client sends it."""
    size, mask = len(payload), os.urandom(4)
    first = bytes((0x80 * final | reserved | opcode,))
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65_536:
        length = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    return first + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Opcodes and payloads of whole frames as a server sends them."""
    found: list[tuple[int, bytes]] = []
    while data:
        assert data[0] & 0x80
        assert not data[1] & 0x80
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        found.append((data[0] & 0x0F, data[start : start + size]))
        data = data[start + size :]
    return found


def websocket_says(*sent: bytes, service: str = "orders") -> list[tuple[int, bytes]]:
    """What comes back after a handshake, until the connection is closed."""
    head, _, rest = exchange(server_of(service, "1"), request("GET", "/live", **HANDSHAKE), *sent).partition(
        b"\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 101 ")
    return frames(rest)


def closed(code: int, reason: bytes = b"") -> bytes:
    return masked(CLOSE, code.to_bytes(2, "big") + reason)


def test_the_handshake_proves_that_it_was_read() -> None:
    raw = exchange(server_of("orders", "1"), request("GET", "/live", **HANDSHAKE)).decode().lower()
    proof = base64.b64encode(hashlib.sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
    assert raw.startswith("http/1.1 101 switching protocols\r\n")
    assert f"sec-websocket-accept: {proof.lower()}\r\n" in raw
    assert "upgrade: websocket\r\n" in raw
    assert "connection: upgrade\r\n" in raw


def test_the_handshake_of_the_standard_has_the_answer_of_the_standard() -> None:
    headers = {**HANDSHAKE, "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}
    raw = exchange(server_of("orders", "1"), request("GET", "/live", **headers)).decode()
    assert "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in raw


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"upgrade": "h2c"}, 426),
        ({"connection": "keep-alive"}, 426),
        ({"sec_websocket_version": "8"}, 426),
        ({"sec_websocket_key": "short"}, 400),
        ({"sec_websocket_key": ""}, 400),
    ],
)
def test_another_handshake_is_refused(change: dict[str, str], status: int) -> None:
    answer = one("orders", "GET", "/live", **{**HANDSHAKE, **change})
    assert answer.status == status
    if "sec_websocket_version" in change:
        assert answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("service", ["orders", "echo"])
def test_messages_come_back_as_they_were_sent(service: str) -> None:
    sizes = [0, 1, 125, 126, 65_535, 65_536, 300_000]
    sent = [b"x" * size for size in sizes]
    found = websocket_says(
        *(masked(BINARY, item) for item in sent), masked(TEXT, "gr\xfc\xdfe".encode()), closed(1000), service=service
    )
    assert [payload for opcode, payload in found if opcode == BINARY] == sent
    assert found[-2:] == [(TEXT, "gr\xfc\xdfe".encode()), (CLOSE, (1000).to_bytes(2, "big"))]


def test_a_message_in_parts_comes_back_whole_with_a_ping_between_them() -> None:
    text = "\N{SNOWMAN} and more".encode()
    parts = [masked(TEXT, text[:2], final=False), masked(PING, b"now"), masked(0, text[2:5], final=False)]
    found = websocket_says(b"".join([*parts, masked(0, text[5:]), closed(1000)]))
    assert found == [(PONG, b"now"), (TEXT, text), (CLOSE, (1000).to_bytes(2, "big"))]


def test_frames_may_arrive_byte_by_byte_and_with_the_handshake() -> None:
    frame = masked(TEXT, b"hello")
    data = exchange(
        server_of("orders", "1"),
        request("GET", "/live", **HANDSHAKE) + frame,
        *(frame[at : at + 1] for at in range(len(frame))),
    )
    assert frames(data.partition(b"\r\n\r\n")[2]) == [(TEXT, b"hello"), (TEXT, b"hello")]


BROKEN = {
    "a frame without mask": (bytes((0x81, 1)) + b"x", 1002),
    "a reserved bit": (masked(TEXT, b"x", reserved=0x40), 1002),
    "an unknown opcode": (masked(3), 1002),
    "an unknown control opcode": (masked(11), 1002),
    "a long ping": (masked(PING, b"x" * 126), 1002),
    "a ping in parts": (masked(PING, final=False), 1002),
    "a continuation of nothing": (masked(0, b"x"), 1002),
    "a message within another": (masked(TEXT, b"x", final=False) + masked(TEXT, b"y"), 1002),
    "text that is not UTF-8": (masked(TEXT, b"\xff"), 1007),
    "a message that is too long": (masked(BINARY, b"x" * 600_000, final=False) + masked(0, b"x" * 600_000), 1009),
    "a close code of one byte": (masked(CLOSE, b"\x03"), 1002),
    "a close code that is never sent": (closed(1005), 1002),
    "a close code that means nothing": (closed(2999), 1002),
    "a close reason that is not UTF-8": (closed(1000, b"\xff"), 1007),
}


@pytest.mark.parametrize(("sent", "code"), BROKEN.values(), ids=BROKEN)
def test_who_breaks_the_protocol_is_told_why_and_hears_no_more(sent: bytes, code: int) -> None:
    found = websocket_says(sent + masked(TEXT, b"after"))
    assert [opcode for opcode, _ in found] == [CLOSE]
    assert int.from_bytes(found[0][1][:2], "big") == code


def test_a_close_without_a_code_is_answered_without_one() -> None:
    assert websocket_says(masked(CLOSE) + masked(TEXT, b"after")) == [(CLOSE, b"")]


def test_a_stopping_server_says_that_it_goes_away() -> None:
    async def run() -> bytes:
        server = server_of("orders", "1")
        port = await server.listen_tcp(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET", "/live", **HANDSHAKE))
        await reader.readuntil(b"\r\n\r\n")
        stopping = asyncio.create_task(server.stop(20))
        frame = await reader.readexactly(4)
        writer.write(closed(1001))
        await reader.read()
        await stopping
        writer.close()
        return frame

    frame = asyncio.run(run())
    assert frame[0] == 0x80 | CLOSE
    assert int.from_bytes(frame[2:4], "big") == 1001


def test_a_frame_is_written_with_the_shortest_length() -> None:
    assert [len(websocket.frame(BINARY, b"x" * size)) - size for size in (125, 126, 65_535, 65_536)] == [2, 4, 4, 10]


# -- TCP and processes


def test_tcp_echo_gives_back_what_it_gets() -> None:
    sent = os.urandom(3_000_000)

    async def scenario(port: int) -> bytes:
        return await asyncio.to_thread(_both_ways, port, sent)

    assert serving(server_of("tcp-echo", "1"), scenario) == sent


def _both_ways(port: int, sent: bytes) -> bytes:
    from threading import Thread

    from unit.local.wire import connected

    with connected(port) as sock:
        writer = Thread(target=sock.sendall, args=(sent,))
        writer.start()
        found = b""
        while len(found) < len(sent):
            found += sock.recv(1_000_000)
        writer.join()
        return found


def test_a_sample_listens_at_its_port_and_is_named_after_it(tmp_path: Path) -> None:
    port = free_port()
    with process("samples", "orders", "--version", "v3", where=port, cwd=tmp_path, env={"PORT": str(port)}) as child:
        answer = answers(talk(port, request("GET", "/orders/1")))[0]
        assert (answer.json["instance"], answer.json["version"]) == (str(port), "v3")
        child.terminate()
        assert child.wait() == 0
        assert child.communicate()[0] == ""


def test_a_sample_that_cannot_listen_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    import sys

    port = free_port()
    package = str(Path(http1.__file__).parents[2])
    command = [sys.executable, "-P", "-m", "edgewright.local.samples", "echo"]
    with process("samples", "echo", where=port, cwd=tmp_path, env={"PORT": str(port)}):
        found = subprocess.run(
            command, env={"PYTHONPATH": package, "PORT": str(port)}, capture_output=True, text=True, check=False
        )
    assert found.returncode == 1
    assert found.stderr == f"edgewright: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    unset = subprocess.run(command, env={"PYTHONPATH": package}, capture_output=True, text=True, check=False)
    assert unset.returncode == 2
    assert "PORT" in unset.stderr
