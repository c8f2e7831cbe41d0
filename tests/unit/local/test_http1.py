"""The small HTTP server: what it answers, what it refuses, and how it ends."""

import asyncio
import socket
import stat
import struct
from pathlib import Path

import pytest

from edgewright.local import http1
from unit.local.wire import Answer, answers, ask, ask_unix, exchange, request, serving


def reflect(asked: http1.Request) -> http1.Response:
    """What was understood, as JSON."""
    return http1.json_response(
        {
            "method": asked.method,
            "path": asked.path,
            "query": asked.query,
            "headers": asked.headers,
            "body": asked.body.decode("latin-1"),
        }
    )


def server(**bounds: float) -> http1.Server:
    return http1.http_server(reflect, http1.Bounds(**bounds))  # pyright: ignore[reportArgumentType]


def only(found: list[Answer]) -> Answer:
    assert len(found) == 1
    return found[0]


# -- reading


def test_a_request_is_understood() -> None:
    answer = only(ask(server(), request("GET", "/a%20b?x=1&y=%2F", x_one="a", x_two="  b\t")))
    assert answer.status == 200
    assert answer.json["method"] == "GET"
    assert (answer.json["path"], answer.json["query"]) == ("/a%20b", "x=1&y=%2F")
    assert ["x-one", "a"] in answer.json["headers"]
    assert ["x-two", "b"] in answer.json["headers"]


def test_a_repeated_header_keeps_all_values_in_order() -> None:
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nother: 2\r\nx-key: 3\r\n\r\n"
    headers = only(ask(server(), raw)).json["headers"]
    assert [value for name, value in headers if name == "x-key"] == ["1", "3"]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [("http://test/a?b", "/a", "b"), ("HTTP://test", "/", ""), ("http://test?x=1", "/", "x=1"), ("*", "*", "")],
)
def test_other_forms_of_a_target_are_understood(target: str, path: str, query: str) -> None:
    method = "OPTIONS" if target == "*" else "GET"
    answer = only(ask(server(), request(method, target)))
    assert (answer.json["path"], answer.json["query"]) == (path, query)


def test_pipelined_requests_are_answered_in_order() -> None:
    found = ask(server(), *(request("GET", f"/{number}") for number in range(50)))
    assert [answer.json["path"] for answer in found] == [f"/{number}" for number in range(50)]


def test_answers_keep_their_order_when_the_first_takes_longest() -> None:
    async def slow_first(asked: http1.Request) -> http1.Answer:
        await asyncio.sleep(0.05 if asked.path == "/0" else 0)
        return reflect(asked)

    mixed = http1.http_server(lambda asked: reflect(asked) if asked.path == "/2" else slow_first(asked))
    found = ask(mixed, *(request("GET", f"/{number}") for number in range(4)))
    assert [answer.json["path"] for answer in found] == ["/0", "/1", "/2", "/3"]


def test_a_request_may_arrive_byte_by_byte() -> None:
    raw = request("POST", "/slow", b"body")
    answer = only(answers(exchange(server(), *(raw[at : at + 1] for at in range(len(raw))))))
    assert (answer.json["path"], answer.json["body"]) == ("/slow", "body")


def test_a_body_does_not_run_into_the_next_request() -> None:
    found = ask(server(), request("POST", "/1", b"GET /x HTTP/1.1\r\n\r\n"), request("GET", "/2"))
    assert [answer.json["path"] for answer in found] == ["/1", "/2"]
    assert found[0].json["body"] == "GET /x HTTP/1.1\r\n\r\n"


CHUNKED = b"POST /c HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n"


@pytest.mark.parametrize("pieces", ["whole", "bytes"])
def test_a_chunked_body_is_put_together(pieces: str) -> None:
    raw = CHUNKED + b"4\r\nWiki\r\n00a;name=value\r\n0123456789\r\n0\r\nX-Trailer: y\r\n\r\n" + request("GET", "/next")
    parts = [raw] if pieces == "whole" else [raw[at : at + 1] for at in range(len(raw))]
    found = answers(exchange(server(), *parts))
    assert [answer.json["body"] for answer in found] == ["Wiki0123456789", ""]
    assert found[1].json["path"] == "/next"


def test_an_empty_line_before_a_request_is_ignored() -> None:
    assert only(ask(server(), b"\r\n\r\n" + request("GET", "/"))).status == 200


def test_a_client_that_asks_first_is_told_to_go_on_with_its_body() -> None:
    async def scenario(port: int) -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"abc")
        writer.write_eof()
        rest = await reader.read()
        writer.close()
        return first, rest

    first, rest = serving(server(), scenario)
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert only(answers(rest)).json["body"] == "abc"


# -- refusing

LONG = b"x" * 20_000

MALFORMED = {
    "no version": (b"GET /\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "a tab": (b"GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "a method that is no word": (b"G(T / HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "a target that is no path": (b"GET orders HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "an authority as target": (b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "a target beyond ASCII": (b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", 505),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "line feeds only": (b"GET / HTTP/1.1\nhost: a\n\n", 400),
    "a lone line feed in a value": (b"GET / HTTP/1.1\r\nhost: a\r\nx: 1\n2\r\n\r\n", 400),
    "a lone carriage return in a value": (b"GET / HTTP/1.1\r\nhost: a\r\nx: 1\r2\r\n\r\n", 400),
    "a null": (b"GET / HTTP/1.1\r\nhost: a\r\nx: 1\x002\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
    "a space before the colon": (b"GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2\r\n\r\n", 400),
    "a header without a name": (b"GET / HTTP/1.1\r\nhost: a\r\n: 1\r\n\r\n", 400),
    "a header without a colon": (b"GET / HTTP/1.1\r\nhost: a\r\nabc\r\n\r\n", 400),
    "a long target": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 414),
    "a target without end": (b"GET /" + LONG, 414),
    "long headers": (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + LONG + b"\r\n\r\n", 431),
    "headers without end": (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + LONG, 431),
    "many headers": (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: 1\r\n" * 100 + b"\r\n", 431),
    "two lengths": (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na", 400),
    "a list of lengths": (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\na", 400),
    "a negative length": (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400),
    "a length with a sign": (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\na", 400),
    "a length in other digits": (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: \xb2\r\n\r\naa", 400),
    "a length that is too long": (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1048577\r\n\r\n", 413),
    "a length of 5000 digits": (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n", 413),
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "another coding": (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "a coding that looks like chunked": (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \x0bchunked\r\n\r\n", 400),
    "another expectation": (b"GET / HTTP/1.1\r\nhost: a\r\nexpect: 200-ok\r\n\r\n", 417),
    "a chunk size that is no number": (CHUNKED + b"0x4\r\nWiki\r\n0\r\n\r\n", 400),
    "a chunk size that is negative": (CHUNKED + b"-1\r\n\r\n", 400),
    "a chunk size that ends in a line feed": (CHUNKED + b"4\nWiki\r\n0\r\n\r\n", 400),
    "a chunk longer than it says": (CHUNKED + b"4\r\nWikipedia\r\n0\r\n\r\n", 400),
    "a chunk that is too long": (CHUNKED + b"ffffffff\r\n", 413),
    "chunks that are too long together": (CHUNKED + (b"fffff\r\n" + b"a" * 0xFFFFF + b"\r\n") * 2, 413),
    "a chunk size that does not end": (CHUNKED + b"4;" + b"a" * 400, 400),
    "trailers without end": (CHUNKED + b"0\r\n" + b"x: 1\r\n" * 5_000, 431),
}


@pytest.mark.parametrize(("raw", "status"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_refused_and_what_follows_is_not_read(raw: bytes, status: int) -> None:
    answer = only(ask(server(), raw, request("GET", "/smuggled")))
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status


def test_a_request_that_does_not_arrive_in_time_is_refused() -> None:
    async def scenario(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost")
        data = await reader.read()
        writer.close()
        return data

    assert only(answers(serving(server(seconds=0.1), scenario))).status == 408


def test_a_client_that_sends_too_much_still_reads_why_it_is_refused() -> None:
    raw = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8000000\r\n\r\n"
    assert only(answers(exchange(server(), raw, *[b"a" * 200_000] * 40))).status == 413


# -- answering


def test_a_connection_is_kept_until_somebody_wants_it_closed() -> None:
    found = ask(server(), request("GET", "/1"), request("GET", "/2", connection="x, Close"), request("GET", "/3"))
    assert [answer.json["path"] for answer in found] == ["/1", "/2"]
    assert "connection" not in found[0].headers
    assert found[1].headers["connection"] == "close"


def test_http_1_0_closes_unless_it_asks_to_stay() -> None:
    closed = ask(server(), b"GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
    assert [answer.json["path"] for answer in closed] == ["/1"]
    kept = ask(server(), b"GET /1 HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
    assert [answer.json["path"] for answer in kept] == ["/1", "/2"]
    assert kept[0].headers["connection"] == "keep-alive"


def test_head_has_the_length_and_no_body() -> None:
    raw = exchange(server(), request("HEAD", "/"))
    assert raw.endswith(b"\r\n\r\n")
    assert b"content-length: " in raw
    assert b"content-length: 0" not in raw


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_can_have_no_body_has_none(status: int) -> None:
    raw = exchange(http1.http_server(lambda _: http1.Response(status, b"ignored")), request("GET", "/"))
    assert raw.startswith(f"HTTP/1.1 {status} ".encode())
    assert raw.endswith(b"\r\n\r\n")
    assert b"content-length" not in raw


def test_an_answer_has_a_date_that_others_can_read() -> None:
    from email.utils import parsedate_to_datetime

    date = only(ask(server(), request("GET", "/"))).headers["date"]
    assert parsedate_to_datetime(date).tzname() == "UTC"


@pytest.mark.parametrize("value", ["a\r\nx-injected: 1", "a\nb", "a\rb", "a\0b", "snow\N{SNOWMAN}"])
def test_a_header_that_would_split_the_answer_is_not_sent(value: str, capfd: pytest.CaptureFixture[str]) -> None:
    raw = exchange(http1.http_server(lambda _: http1.Response(headers=(("x", value),))), request("GET", "/"))
    assert only(answers(raw)).status == 500
    assert b"injected" not in raw
    assert "Error in http1.py" in capfd.readouterr().err


def test_a_defect_is_answered_with_500_and_its_text_stays_here(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(_: http1.Request) -> http1.Response:
        raise RuntimeError("a-secret")

    async def broken_later(_: http1.Request) -> http1.Response:
        raise RuntimeError("a-secret")

    for handler in (broken, broken_later):
        found = ask(http1.http_server(handler), request("GET", "/"), request("GET", "/"))
        assert [answer.status for answer in found] == [500, 500]
        assert b"a-secret" not in found[0].body
    told = capfd.readouterr().err
    assert "RuntimeError in test_http1.py" in told
    assert "a-secret" not in told


def test_a_client_that_does_not_read_stops_the_work_for_it() -> None:
    answered = 0

    def large(_: http1.Request) -> http1.Response:
        nonlocal answered
        answered += 1
        return http1.Response(body=b"x" * 1_000_000)

    async def scenario(port: int) -> tuple[int, int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(request("GET", "/") * 100)
        await asyncio.sleep(0.2)
        while_blocked = answered
        writer.write_eof()
        size = 0
        while data := await reader.read(1_000_000):
            size += len(data)
        writer.close()
        return while_blocked, size

    while_blocked, size = serving(http1.http_server(large), scenario)
    assert while_blocked < 50
    assert answered == 100
    assert size > 100_000_000


def test_work_for_a_client_that_left_is_given_up() -> None:
    given_up = asyncio.Event()

    async def forever(_: http1.Request) -> http1.Response:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return http1.Response()

    async def scenario(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET", "/"))
        await asyncio.sleep(0.02)
        # A reset: an end alone may be that of somebody who still waits for the answer.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await given_up.wait()

    serving(http1.http_server(forever), scenario)
    assert given_up.is_set()


# -- listening and ending


def test_a_stopping_server_finishes_what_was_begun_and_drops_who_is_idle() -> None:
    release = asyncio.Event()

    async def held(_: http1.Request) -> http1.Response:
        await release.wait()
        return http1.Response(body=b"done")

    async def run() -> tuple[bytes, bytes]:
        busy = http1.http_server(held)
        port = await busy.listen_tcp(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        idle, idle_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET", "/"))
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(busy.stop(20))
        closed = await idle.read()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        release.set()
        data = await reader.read()
        await stopping
        writer.close()
        idle_writer.close()
        return closed, data

    closed, data = asyncio.run(run())
    assert closed == b""
    answer = only(answers(data))
    assert answer.body == b"done"
    assert answer.headers["connection"] == "close"


def test_a_unix_socket_is_open_to_its_owner_only(tmp_path: Path) -> None:
    async def run() -> tuple[int, list[Answer]]:
        own = server()
        await own.listen_unix(tmp_path / "a.sock")
        mode = stat.S_IMODE((tmp_path / "a.sock").stat().st_mode)
        found = await asyncio.to_thread(ask_unix, tmp_path / "a.sock", request("GET", "/unix"))
        await own.stop(0)
        return mode, found

    mode, found = asyncio.run(run())
    assert mode == 0o600
    assert only(found).json["path"] == "/unix"


def test_a_socket_that_is_left_over_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    async def run() -> None:
        first, second = server(), server()
        await first.listen_unix(tmp_path / "a.sock")
        with pytest.raises(http1.ListenError, match="another process listens there"):
            await second.listen_unix(tmp_path / "a.sock")
        await first.stop(0)
        await second.listen_unix(tmp_path / "a.sock")
        await second.stop(0)
        (tmp_path / "file").write_text("mine")
        with pytest.raises(http1.ListenError, match="something else of this name"):
            await second.listen_unix(tmp_path / "file")

    asyncio.run(run())
    assert (tmp_path / "file").read_text() == "mine"


def test_a_port_in_use_is_a_plain_error() -> None:
    async def run() -> None:
        first = server()
        port = await first.listen_tcp(0)
        with pytest.raises(http1.ListenError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            await server().listen_tcp(port)
        await first.stop(0)

    asyncio.run(run())


def test_more_connections_than_the_bound_are_closed_at_once() -> None:
    async def scenario(port: int) -> list[bytes]:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        found: list[bytes] = []
        for reader, writer in pairs:
            try:
                writer.write(request("GET", "/", connection="close"))
                found.append((await reader.read())[:12])
            except OSError:
                found.append(b"")
            writer.close()
        return found

    assert serving(http1.http_server(reflect, connections=2), scenario) == [b"HTTP/1.1 200", b"HTTP/1.1 200", b""]
