"""Edges that are made in Python, started for a test, changed while it runs, and stopped whatever happens."""

import http.client
import json
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from edgewright.local import envoy, runtime
from edgewright.local.prepare import prepare
from edgewright.local.status import Status
from edgewright.spec.model import EdgeSpec


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RunningEdge:
    """An edge in a state folder of its own, with a plain http listener on ``port``."""

    def __init__(self, state: Path, port: int, bindings: Mapping[str, Any], credentials: Mapping[str, str]) -> None:
        self.state = state
        self.port = port
        self._bindings = bindings
        self._credentials = credentials

    @property
    def url(self) -> str:
        """Where its http listener is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, spec: Mapping[str, Any]) -> Status:
        """Start it, with this spec."""
        return runtime.start(self._artifact(spec), self.state, self._credentials)

    def update(self, spec: Mapping[str, Any]) -> Status:
        """Change it to this spec."""
        return runtime.update(self._artifact(spec), self.state, self._credentials)

    def stop(self) -> None:
        """Stop it; its counts stay."""
        runtime.stop(self.state)

    def pid(self, process: str) -> int | None:
        """The pid of one of its processes, such as ``gateway-1``; None while it is down."""
        status = runtime.status(self.state)
        return status.processes.get(process) if status else None

    def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def requests_of(self, node: str) -> int:
        """How many requests of clients a node has begun to answer since it started."""
        stats = admin(self.state / "admin" / f"{node}.sock", r"/stats?filter=downstream_rq_total")
        lines = [line.partition(": ") for line in stats.splitlines() if line.startswith("http.")]
        return sum(int(value) for name, _, value in lines if not name.startswith("http.admin."))

    def _artifact(self, spec: Mapping[str, Any]) -> Any:
        return prepare(EdgeSpec.model_validate(spec), self._bindings).artifact


@contextmanager
def edge(
    state: Path,
    port: int,
    spec: Mapping[str, Any],
    *,
    bindings: Mapping[str, Any] | None = None,
    credentials: Mapping[str, str] | None = None,
) -> Generator[RunningEdge]:
    """A running edge; the spec has an http listener on ``port``, and its backends are `fast_backend` unless bound."""
    backends = {name: fast_backend() for name in spec["backends"]}
    running = RunningEdge(state, port, {"backends": backends, **(bindings or {})}, credentials or {})
    try:
        running.start(spec)
        yield running
    finally:
        running.stop()


def fast_backend(instances: int = 2) -> dict[str, Any]:
    """A binding to instances that answer every request with 200 and cost next to nothing: Envoys of their own."""
    hcm = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "x" * 256}}}
    manager = {
        "@type": hcm,
        "stat_prefix": "backend",
        "http_filters": [{"name": "router", "typed_config": router}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": "PORT"}}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    listener = {"name": "all", "address": address, "enable_reuse_port": False, "filter_chains": [chain]}
    config = json.dumps({"static_resources": {"listeners": [listener]}}).replace('"PORT"', "${PORT}")
    options = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "error")
    return {"command": [str(envoy.binary()), "--config-yaml", config, *options], "instances": instances}


def admin(path: Path, target: str) -> str:
    """The answer to a GET at an Envoy's admin interface on a unix socket."""
    connection = http.client.HTTPConnection("admin", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(10)
        connection.sock.connect(str(path))
        connection.request("GET", target)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def eventually(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether the condition comes true within a time that is only there so that a test cannot hang."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        if condition():
            return True
        sleep(0.02)
    return False
