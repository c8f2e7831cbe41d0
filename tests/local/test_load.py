"""The load generators account for every request: what the server says that it did is what their reports say."""

import asyncio
import shutil
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from local.client import until
from local.load import Kind, Target, attack, start, vegeta
from local.ports import free_port

GENERATORS: tuple[Kind, ...] = ("vegeta", "strict")


class Server:
    """Counts its requests by path, and does what the path says: answers 200 or 503, or cuts the connection."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.requests: Counter[str] = Counter()
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                self.requests[path] += 1
                if path == "/cut":
                    return
                if path == "/chunked":
                    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
                elif path == "/last":
                    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
                    return
                else:
                    status = b"503 Busy" if path == "/busy" else b"200 OK"
                    writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@contextmanager
def _server() -> Generator[Server]:
    port = free_port()
    server = Server(port)
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(server.serve, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listening.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.mark.parametrize("generator", GENERATORS)
def test_every_status_is_counted(generator: Kind) -> None:
    with _server() as server:
        targets = [Target("GET", server.url + path) for path in ("/", "/busy", "/chunked", "/last")]
        report = attack(targets, seconds=1, rate=200, workers=8, generator=generator)
        assert report.total == server.requests.total()
        assert report.by_status == {200: report.total - server.requests["/busy"], 503: server.requests["/busy"]}
        assert report.failed == server.requests["/busy"] > 0
        assert report.errors == {}


@pytest.mark.parametrize("generator", GENERATORS)
def test_connections_are_kept(generator: Kind) -> None:
    with _server() as server:
        report = attack([Target("GET", server.url)], seconds=1, rate=300, workers=4, generator=generator)
        assert report.total > 100
        assert server.connections <= 4


def test_the_strict_generator_sends_each_request_once_and_sees_each_lost_answer() -> None:
    with _server() as server:
        targets = [Target("GET", server.url + path) for path in ("/", "/", "/cut")]
        report = attack(targets, seconds=1, rate=200, workers=8, generator="strict")
        assert report.total == server.requests.total()
        assert report.failed == server.requests["/cut"] > 0
        assert report.by_status == {0: report.failed, 200: report.ok}
        assert sum(report.errors.values()) == report.failed


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_server_that_is_not_there_fails_every_request(generator: Kind) -> None:
    report = attack([Target("GET", f"http://127.0.0.1:{free_port()}")], seconds=0.5, rate=100, generator=generator)
    assert report.total == report.failed > 10
    assert report.by_status == {0: report.total}


@pytest.mark.parametrize("generator", GENERATORS)
def test_an_attack_in_the_background_ends_when_it_is_told_to_and_accounts_for_all(generator: Kind) -> None:
    with _server() as server:
        running = start([Target("GET", server.url)], rate=200, workers=8, generator=generator)
        until(lambda: server.requests.total() > 50)
        report = running.stop()
        assert report.total == report.ok == server.requests.total() > 50


def test_requests_keep_their_method_headers_and_body() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head + await reader.readexactly(4))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    async def run(generator: Kind) -> None:
        port = free_port()
        async with await asyncio.start_server(serve, "127.0.0.1", port):
            target = Target("PUT", f"http://127.0.0.1:{port}/a?b=c", {"x-caller": "me"}, b"body")
            await asyncio.to_thread(attack, [target], seconds=0.1, rate=10, generator=generator)

    for generator in GENERATORS:
        asyncio.run(run(generator))
        assert seen, generator
        head = seen[0].decode()
        assert head.startswith("PUT /a?b=c HTTP/1.1\r\n")
        assert "x-caller: me" in head.lower()
        assert head.endswith("\r\n\r\nbody")
        seen.clear()


def test_vegeta_is_built_where_there_is_go() -> None:
    assert vegeta() is not None or shutil.which("go") is None
