"""What the edge speaks: TLS with versions and names, HTTP/2, WebSocket, TCP, redirects, compression."""

import base64
import os
import socket
import ssl
import struct
from collections.abc import Generator

import httpx
import pytest

from local.http import Answer, ask, parse
from local.ports import free_port
from local.shared_edge import SharedEdge, echo, shared_edge

PORTS = ("shop", "modern", "lines", "secret", "passed", "http")


@pytest.fixture(scope="module")
def edge() -> Generator[SharedEdge]:
    ports = {name: free_port() for name in PORTS}
    spec = {
        "name": "protocols",
        "listeners": {
            "shop": {"host": "shop.example", "port": ports["shop"], "redirect_http": True},
            "other": {"host": "other.example", "port": ports["shop"], "tls": {"min_version": "1.3"}},
            "modern": {"port": ports["modern"], "tls": {"min_version": "1.3"}},
            "lines": {"protocol": "tcp", "port": ports["lines"], "backend": "lines"},
            "secret": {"protocol": "tls", "port": ports["secret"], "backend": "lines"},
            "passed": {
                "protocol": "tls",
                "port": ports["passed"],
                "backend": "encrypted",
                "tls": {"passthrough": True},
            },
        },
        "authorizers": {"main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}}},
        "backends": {
            "a": {"port": 1},
            "lines": {"port": 2, "protocol": "tcp"},
            "encrypted": {"port": 3, "protocol": "tcp"},
        },
        "defaults": {"auth": "none"},
        "compression": {"min_size": "1KB", "content_types": ["application/json", "text/plain"]},
        "routes": {
            "ANY /*": "a",
            "WS /live": {"backend": "a", "auth": "main"},
            "WS /ws": "a",
            "GET /protected": {"backend": "a", "auth": "main"},
        },
    }
    listeners = {name: {"port": ports[name]} for name in ("shop", "modern", "lines", "secret", "passed")}
    listeners["other"] = {"port": ports["shop"]}
    listeners["shop"]["http_port"] = ports["http"]
    lines = {"command": ["python", "-m", "edgewright.local.samples", "tcp-echo"], "instances": 3}
    backends = {"a": echo(), "lines": lines, "encrypted": {"address": f"127.0.0.1:{ports['shop']}"}}
    with shared_edge(spec, listeners=listeners, backends=backends) as running:
        yield running


def port(edge: SharedEdge, name: str) -> int:
    return int(edge.bindings["listeners"][name]["port"])


def trusting(edge: SharedEdge, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(edge.folder / "ca.crt"))
    context.maximum_version = most
    return context


def over_tls(edge: SharedEdge, name: str, host: str, **more: ssl.TLSVersion) -> Answer:
    """GET / over TLS to a listener, by a host name that its certificate must have."""
    with (
        socket.create_connection(("127.0.0.1", port(edge, name)), 10) as raw,
        trusting(edge, **more).wrap_socket(raw, server_hostname=host) as connection,
    ):
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while part := connection.recv(65536):
            data += part
    return parse(data)


def test_tls_is_ended_with_a_certificate_of_the_development_authority(edge: SharedEdge) -> None:
    seen = over_tls(edge, "shop", "shop.example").json()
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert over_tls(edge, "shop", "localhost").status == 200


def test_a_client_that_does_not_know_the_authority_refuses(edge: SharedEdge) -> None:
    with (
        pytest.raises(ssl.SSLCertVerificationError),
        socket.create_connection(("127.0.0.1", port(edge, "shop")), 10) as raw,
    ):
        ssl.create_default_context().wrap_socket(raw, server_hostname="shop.example")


def test_listeners_on_one_port_are_told_apart_by_name(edge: SharedEdge) -> None:
    assert over_tls(edge, "other", "other.example").status == 200


def test_tls_1_2_is_spoken_where_allowed_and_nothing_older(edge: SharedEdge) -> None:
    assert over_tls(edge, "shop", "shop.example", most=ssl.TLSVersion.TLSv1_2).status == 200
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        socket.create_connection(("127.0.0.1", port(edge, "shop")), 10) as raw,
    ):
        context.wrap_socket(raw, server_hostname="shop.example")


@pytest.mark.parametrize(("listener", "host"), [("modern", "localhost"), ("other", "other.example")])
def test_tls_1_2_is_refused_where_1_3_is_the_least(edge: SharedEdge, listener: str, host: str) -> None:
    assert over_tls(edge, listener, host).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        over_tls(edge, listener, host, most=ssl.TLSVersion.TLSv1_2)


def test_http_2_is_spoken_over_tls(edge: SharedEdge) -> None:
    with httpx.Client(http2=True, verify=trusting(edge)) as client:
        answers = [client.get(f"https://localhost:{port(edge, 'shop')}/x?n={n}") for n in range(5)]
    assert {answer.http_version for answer in answers} == {"HTTP/2"}
    assert {answer.status_code for answer in answers} == {200}


def test_a_token_is_checked_over_http_2_too(edge: SharedEdge) -> None:
    with httpx.Client(http2=True, verify=trusting(edge)) as client:
        url = f"https://localhost:{port(edge, 'shop')}/protected"
        assert client.get(url).status_code == 401
        assert client.get(url, headers=edge.bearer()).status_code == 200


def test_http_is_redirected_to_https_with_path_and_query(edge: SharedEdge) -> None:
    plain = int(edge.bindings["listeners"]["shop"]["http_port"])
    answer = ask(plain, "/a/b?c=d", host="shop.example")
    assert answer.status == 308
    assert answer.headers["location"] == f"https://shop.example:{port(edge, 'shop')}/a/b?c=d"
    assert ask(plain, "/", host="evil.example").status == 404


def websocket(edge: SharedEdge, path: str, headers: dict[str, str] | None = None) -> tuple[ssl.SSLSocket, bytes]:
    """Open a WebSocket; the connection, and the head of the answer."""
    raw = socket.create_connection(("127.0.0.1", port(edge, "shop")), 10)
    connection = trusting(edge).wrap_socket(raw, server_hostname="shop.example")
    lines = [f"GET {path} HTTP/1.1", "Host: shop.example", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(4096)
        if not part:
            break
        head += part
    return connection, head


def frame(opcode: int, payload: bytes) -> bytes:
    mask = os.urandom(4)
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def read_frame(connection: ssl.SSLSocket) -> tuple[int, bytes]:
    def exactly(count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = connection.recv(count - len(data))
            assert part, "the connection was closed"
            data += part
        return data

    first, size = exactly(2)
    if size == 126:
        (size,) = struct.unpack(">H", exactly(2))
    return first & 0x0F, exactly(size)


def test_a_websocket_carries_frames_both_ways(edge: SharedEdge) -> None:
    connection, head = websocket(edge, "/ws")
    with connection:
        assert b" 101 " in head
        for text in (b"hello", b"x" * 3000):
            connection.sendall(frame(1, text))
            assert read_frame(connection) == (1, text)
        connection.sendall(frame(9, b"ping"))
        assert read_frame(connection) == (10, b"ping")
        connection.sendall(frame(8, struct.pack(">H", 1000)))
        assert read_frame(connection)[0] == 8


def test_a_websocket_needs_the_token_that_its_route_needs(edge: SharedEdge) -> None:
    connection, head = websocket(edge, "/live")
    with connection:
        assert b" 401 " in head
    connection, head = websocket(edge, "/live", edge.bearer())
    with connection:
        assert b" 101 " in head


def test_a_plain_route_takes_no_websocket(edge: SharedEdge) -> None:
    connection, head = websocket(edge, "/elsewhere")
    with connection:
        assert b" 404 " in head


def lines(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(4096)


def test_a_tcp_listener_hands_connections_over_to_all_instances(edge: SharedEdge) -> None:
    seen: set[bytes] = set()
    for _ in range(12):
        with socket.create_connection(("127.0.0.1", port(edge, "lines")), 10) as connection:
            assert lines(connection, b"hello\n") == b"hello\n"
            seen.add(lines(connection, b"who?\n"))
    assert len(seen) == 3


def test_a_tls_listener_ends_tls_and_hands_the_connection_over(edge: SharedEdge) -> None:
    with (
        socket.create_connection(("127.0.0.1", port(edge, "secret")), 10) as raw,
        trusting(edge).wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        assert lines(connection, b"hello\n") == b"hello\n"


def test_a_passed_through_connection_is_the_backends_own_tls(edge: SharedEdge) -> None:
    assert over_tls(edge, "passed", "shop.example").status == 200


def test_answers_are_compressed_for_who_accepts_it_and_when_they_are_large(edge: SharedEdge) -> None:
    with httpx.Client(verify=trusting(edge)) as client:
        url = f"https://localhost:{port(edge, 'shop')}"
        large = client.get(f"{url}/bytes/5000", headers={"accept-encoding": "gzip"})
        assert (large.headers["content-encoding"], large.text) == ("gzip", "x" * 5000)
        assert int(large.headers.get("content-length", "0")) < 1000
        assert "content-encoding" not in client.get(f"{url}/bytes/500", headers={"accept-encoding": "gzip"}).headers
        plain = client.get(f"{url}/bytes/5000", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
