"""Sample services to stand behind an edge: auth, orders, payments; and echo and tcp-echo, which show what reached them.

``python -m edgewright.local.samples SERVICE`` listens on 127.0.0.1 at the port in ``PORT``. Nothing is kept on disk.
"""

import argparse
import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.local import http1, websocket

MOST_KEPT = 1_000
"""Orders or payments that a service remembers; the oldest go first."""

MOST_BYTES = 64 * 1_048_576
MOST_DELAY = 600_000
MOST_PATHS = 10_000
"""What may be asked of echo: bytes, milliseconds, and paths that are counted."""

_BODY_SHOWN = 65_536
_ASIDE = re.compile("/healthz|/health/(?:up|down)|/count(?:/reset)?")
_CATALOGUE = (("p1", "Teapot", 2900), ("p2", "Cup", 900), ("p3", "Kettle", 4500))


@dataclass(frozen=True, slots=True)
class Identity:
    """Which service this is. Every JSON answer says it, with the method and the path that reached it."""

    service: str
    instance: str
    version: str

    def reply(
        self, request: http1.Request, data: dict[str, Any] | None = None, status: int = 200, headers: http1.Pairs = ()
    ) -> http1.Response:
        """An answer in JSON."""
        known = {"service": self.service, "instance": self.instance, "version": self.version}
        return http1.json_response(
            {**known, "method": request.method, "path": request.path, **(data or {})}, status, headers
        )

    def missing(self, request: http1.Request, what: str) -> http1.Response:
        """404, in JSON."""
        return self.reply(request, {"error": what}, 404)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a service answers; the pattern is of the whole path."""

    methods: tuple[str, ...]
    path: re.Pattern[str]
    answer: Callable[[http1.Request, str], http1.Answer | Awaitable[http1.Answer]]


def _rule(methods: str, path: str, answer: Callable[[http1.Request, str], Any]) -> Rule:
    return Rule(tuple(methods.split()), re.compile(path), answer)


class Service:
    """A service: rules, first match wins. A path that only other methods have is 405, another 404."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.rules: tuple[Rule, ...] = (_rule("GET HEAD", "/healthz", self.health), *self.more())

    def more(self) -> tuple[Rule, ...]:
        """The rules of the service, besides its health."""
        return ()

    def answer(self, request: http1.Request) -> http1.Answer | Awaitable[http1.Answer]:
        """Answer one request."""
        allowed: list[str] = []
        for rule in self.rules:
            found = rule.path.fullmatch(request.path)
            if found and (not rule.methods or request.method in rule.methods):
                return rule.answer(request, found[1] if rule.path.groups else "")
            allowed += rule.methods if found else ()
        if allowed:
            listed = (("allow", ", ".join(dict.fromkeys(allowed))),)
            return self.identity.reply(request, {"error": "method not allowed"}, 405, listed)
        return self.identity.missing(request, "there is nothing here")

    def health(self, request: http1.Request, _: str) -> http1.Answer:
        """Whether it is well."""
        return self.identity.reply(request, {"status": "up"})


class Auth(Service):
    """Says hello; it issues nothing and checks nothing: tokens are the edge's work."""

    def more(self) -> tuple[Rule, ...]:
        return (
            _rule("POST", "/auth/login", self.login),
            _rule("GET HEAD", "/auth/whoami", self.whoami),
        )

    def login(self, request: http1.Request, _: str) -> http1.Answer:
        """Takes anything that has a user in it."""
        data = _object(request)
        if data is None or not isinstance(data.get("user"), str):
            return self.identity.reply(request, {"error": 'send JSON such as {"user": "ann"}'}, 400)
        return self.identity.reply(request, {"user": data["user"], "hint": "tokens come from the OpenID provider"})

    def whoami(self, request: http1.Request, _: str) -> http1.Answer:
        """The subject that the edge found in the token, if it says so."""
        return self.identity.reply(request, {"subject": request.header("x-edge-subject")})


class Kept:
    """Things with a number, the newest ``MOST_KEPT`` of them."""

    def __init__(self, *first: dict[str, Any]) -> None:
        self._items: dict[int, dict[str, Any]] = {}
        self._last = 0
        for item in first:
            self.add(item)

    def add(self, item: dict[str, Any]) -> dict[str, Any]:
        """Keep it under the next number; with that number."""
        self._last += 1
        self._items[self._last] = {"id": self._last, **item}
        if len(self._items) > MOST_KEPT:
            del self._items[next(iter(self._items))]
        return self._items[self._last]

    def find(self, number: str) -> dict[str, Any] | None:
        """The one with this number."""
        return self._items.get(int(number)) if len(number) < 10 else None

    def all(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        return list(self._items.values())


class Orders(Service):
    """Products, orders, and a WebSocket that echoes."""

    def __init__(self, identity: Identity) -> None:
        self.orders = Kept(*({"product": f"p{1 + n % 3}", "quantity": 1 + n % 4} for n in range(9)))
        super().__init__(identity)

    def more(self) -> tuple[Rule, ...]:
        return (
            _rule("GET HEAD", "/products", self.products),
            _rule("GET HEAD", "/orders", self.all),
            _rule("POST", "/orders", self.add),
            _rule("GET HEAD", r"/orders/([0-9]+)", self.one),
            _rule("", "/live", _live),
        )

    def products(self, request: http1.Request, _: str) -> http1.Answer:
        """The catalogue; when and by whom it was made shows whether it came from a cache."""
        made = {"generated_at": round(time.time(), 6), "served_by": f"{self.identity.service}/{self.identity.instance}"}
        products = [{"id": number, "name": name, "cents": cents} for number, name, cents in _CATALOGUE]
        return self.identity.reply(request, {**made, "products": products})

    def all(self, request: http1.Request, _: str) -> http1.Answer:
        """All orders."""
        return self.identity.reply(request, {"orders": self.orders.all()})

    def one(self, request: http1.Request, number: str) -> http1.Answer:
        """One order."""
        found = self.orders.find(number)
        return (
            self.identity.reply(request, {"order": found}) if found else self.identity.missing(request, "no such order")
        )

    def add(self, request: http1.Request, _: str) -> http1.Answer:
        """Take an order."""
        data = _object(request)
        product, quantity = (data or {}).get("product"), (data or {}).get("quantity", 1)
        known = [number for number, _, _ in _CATALOGUE]
        if product not in known or not isinstance(quantity, int) or not 1 <= quantity <= 100:
            return self.identity.reply(request, {"error": 'send JSON such as {"product": "p1", "quantity": 2}'}, 400)
        order = self.orders.add({"product": product, "quantity": quantity})
        return self.identity.reply(request, {"order": order}, 201, (("location", f"/orders/{order['id']}"),))


class Payments(Service):
    """Takes payments, and shows them."""

    def __init__(self, identity: Identity) -> None:
        self.payments = Kept({"order": 1, "cents": 2900, "state": "paid"})
        super().__init__(identity)

    def more(self) -> tuple[Rule, ...]:
        return (
            _rule("GET HEAD", "/payments", self.all),
            _rule("POST", "/payments", self.add),
            _rule("GET HEAD", r"/payments/([0-9]+)", self.one),
        )

    def all(self, request: http1.Request, _: str) -> http1.Answer:
        """All payments."""
        return self.identity.reply(request, {"payments": self.payments.all()})

    def one(self, request: http1.Request, number: str) -> http1.Answer:
        """One payment."""
        found = self.payments.find(number)
        if not found:
            return self.identity.missing(request, "no such payment")
        return self.identity.reply(request, {"payment": found})

    def add(self, request: http1.Request, _: str) -> http1.Answer:
        """Take a payment."""
        data = _object(request) or {}
        order, cents = data.get("order"), data.get("cents")
        if not isinstance(order, int) or not isinstance(cents, int) or not 1 <= cents <= 10**9:
            return self.identity.reply(request, {"error": 'send JSON such as {"order": 1, "cents": 2900}'}, 400)
        payment = self.payments.add({"order": order, "cents": cents, "state": "paid"})
        return self.identity.reply(request, {"payment": payment}, 201, (("location", f"/payments/{payment['id']}"),))


class Echo(Service):
    """Shows what reached it, headers too, and misbehaves when it is asked to: for tests, never with real secrets.

    ``/status/{code}``, ``/delay/{ms}``, ``/bytes/{n}``; ``/flaky/{n}`` fails n times with 503, counted by path and
    query; ``/health/up`` and ``/health/down`` set what ``/healthz`` says; ``/live`` and ``/ws`` are WebSockets; any
    other path is reflected. ``GET /count`` tells the requests by path, ``GET /count?path=/x`` those of one, ``DELETE
    /count`` begins anew (and lets ``/flaky`` fail again); these and the health paths are not counted. On any path the
    query parameters ``cache-control``, ``vary``, ``set-cookie`` (as often as wanted) and ``etag``, and any ``h.NAME``,
    become headers of the answer.
    """

    def __init__(self, identity: Identity) -> None:
        self.counts: dict[str, int] = {}
        self.failures: dict[str, int] = {}
        self.well = True
        super().__init__(identity)

    def more(self) -> tuple[Rule, ...]:
        return (
            _rule("GET", "/count", self.count),
            _rule("DELETE POST", "/count(?:/reset)?", self.reset),
            _rule("", "/health/(up|down)", self.set_health),
            _rule("", r"/status/([2-5][0-9]{2})", self.status),
            _rule("", r"/delay/([0-9]{1,9})", self.delay),
            _rule("", r"/bytes/([0-9]{1,9})", self.bytes),
            _rule("", r"/flaky/([0-9]{1,9})", self.flaky),
            _rule("", "/live|/ws", _live),
            _rule("", ".*", self.reflect),
        )

    def answer(self, request: http1.Request) -> http1.Answer | Awaitable[http1.Answer]:
        path = request.path
        if not _ASIDE.fullmatch(path) and (path in self.counts or len(self.counts) < MOST_PATHS):
            self.counts[path] = self.counts.get(path, 0) + 1
        return super().answer(request)

    def health(self, request: http1.Request, _: str) -> http1.Answer:
        state = "up" if self.well else "down"
        return self.identity.reply(request, {"status": state}, 200 if self.well else 503)

    def set_health(self, request: http1.Request, state: str) -> http1.Answer:
        """From now on it is well, or not."""
        self.well = state == "up"
        return self.identity.reply(request, {"status": state})

    def count(self, request: http1.Request, _: str) -> http1.Answer:
        """How many requests it has seen."""
        asked = _query(request).get("path")
        if asked:
            return self.identity.reply(request, {"count": self.counts.get(asked[0], 0)})
        return self.identity.reply(request, {"counts": self.counts})

    def reset(self, request: http1.Request, _: str) -> http1.Answer:
        """Count from 0 again."""
        self.counts.clear()
        self.failures.clear()
        return self.identity.reply(request, {"counts": {}})

    def reflect(self, request: http1.Request, _: str) -> http1.Answer:
        """What reached it."""
        return self._reflected(request)

    def status(self, request: http1.Request, code: str) -> http1.Answer:
        """The same, with a status."""
        return self._reflected(request, int(code))

    async def delay(self, request: http1.Request, milliseconds: str) -> http1.Answer:
        """The same, after a while."""
        import asyncio

        if int(milliseconds) > MOST_DELAY:
            return self.identity.reply(request, {"error": f"at most {MOST_DELAY} ms"}, 400)
        await asyncio.sleep(int(milliseconds) / 1000)
        return self._reflected(request)

    def bytes(self, request: http1.Request, size: str) -> http1.Answer:
        """So many bytes."""
        if int(size) > MOST_BYTES:
            return self.identity.reply(request, {"error": f"at most {MOST_BYTES} bytes"}, 400)
        return self._with_headers(request, http1.Response(200, b"x" * int(size), (("content-type", "text/plain"),)))

    def flaky(self, request: http1.Request, times: str) -> http1.Answer:
        """503 so many times, then 200."""
        failed = self.failures.get(request.target, 0)
        if failed < int(times) and (failed or len(self.failures) < MOST_PATHS):
            self.failures[request.target] = failed + 1
            return self._reflected(request, 503)
        return self._reflected(request)

    def _reflected(self, request: http1.Request, status: int = 200) -> http1.Answer:
        joined: dict[str, str] = {}
        for name, value in request.headers:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        data = {
            "target": request.target,
            "query": request.query,
            "parameters": _query(request),
            "headers": joined,
            "raw_headers": [list(pair) for pair in request.headers],
            "body": request.body[:_BODY_SHOWN].decode("utf-8", "replace"),
            "body_bytes": len(request.body),
            "generated_at": round(time.time(), 6),
            "count": self.counts.get(request.path, 0),
        }
        return self._with_headers(request, self.identity.reply(request, data, status))

    def _with_headers(self, request: http1.Request, response: http1.Response) -> http1.Answer:
        query = _query(request) if request.query else {}
        names = ("cache-control", "vary", "etag", "set-cookie")
        wanted = tuple((name, value) for name in names for value in query.get(name, ()))
        wanted += tuple((name[2:], value) for name in query if name.startswith("h.") for value in query[name])
        if not all(value.isascii() and value.isprintable() for _, value in wanted):
            return self.identity.reply(request, {"error": "a header is one line of ASCII"}, 400)
        response.headers = (*response.headers, *wanted)
        return response


class TcpEcho(http1.Stream):
    """A plain TCP connection: what comes goes back; only the line ``who?`` is answered with the instance."""

    def __init__(self, server: http1.Server, instance: str) -> None:
        super().__init__(server)
        self._instance = instance

    def data_received(self, data: bytes) -> None:
        self.transport.write(f"{self._instance}\n".encode() if data.strip() == b"who?" else data)

    def eof_received(self) -> None:
        # asyncio closes the connection once what was written is out.
        return

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()


SERVICES: dict[str, type[Service]] = {"auth": Auth, "orders": Orders, "payments": Payments, "echo": Echo}
TCP = "tcp-echo"


def _live(request: http1.Request, _: str) -> http1.Answer:
    return websocket.accept(request)


def _object(request: http1.Request) -> dict[str, Any] | None:
    """The JSON object in the body; None when there is none."""
    try:
        data: object = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _query(request: http1.Request) -> dict[str, list[str]]:
    from urllib.parse import parse_qs

    return parse_qs(request.query, keep_blank_values=True)


def server_of(name: str, instance: str, version: str = "v1") -> http1.Server:
    """The server of a service; it does not listen yet."""
    if name == TCP:
        return http1.Server(lambda server: TcpEcho(server, instance))
    return http1.http_server(SERVICES[name](Identity(name, instance, version)).answer)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m edgewright.local.samples", description=__doc__)
    parser.add_argument("service", choices=[*SERVICES, TCP])
    parser.add_argument("--instance", help="what it calls itself (default: its port)")
    parser.add_argument("--version", default="v1", help="the version that it says it is (default: v1)")
    given = parser.parse_args(arguments)
    try:
        port = int(os.environ["PORT"])
    except (KeyError, ValueError):
        parser.error("the variable PORT must hold the port to listen on")

    async def serve() -> None:
        server = server_of(given.service, given.instance or str(port), given.version)
        await server.listen_tcp(port)
        await server.until_stopped()

    return http1.run(serve)


if __name__ == "__main__":
    raise SystemExit(main())
