"""How long things take: an edge to its first answer, a reload, compiling many routes, refusing hostile files."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local.edges import RunningEdge, fast_backend

from bench import measure
from edgewright.edge.resolve import resolve
from edgewright.local import runtime
from edgewright.local.compile import compile_edge
from edgewright.local.ports import free_port
from edgewright.local.prepare import prepare
from edgewright.spec.document import load
from edgewright.spec.model import EdgeSpec

ROUTES = (300, 1000)

_KINDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/{id}", {"backend": "orders"}),
    ("ANY", "", {"backend": "orders", "auth": {"scopes": ["orders.read"]}}),
    ("GET", "", {"backend": "auth", "auth": "none", "cache": {"ttl": "60s"}}),
    ("POST", "", {"backend": "payments", "throttle": {"rate": "10/s", "burst": 20, "per": "subject"}}),
    ("ANY", "/*", {"backend": {"orders": 90, "payments": 10}, "rewrite": {"prefix": "/v2"}}),
)


@dataclass(frozen=True, slots=True)
class Time:
    """What took how many seconds, run by run; memory: the peak of a process in bytes, 0 where it is not of interest."""

    what: str
    seconds: tuple[float, ...]
    memory: int = 0
    note: str = ""

    @property
    def median(self) -> float:
        """The median run."""
        return statistics.median(self.seconds)


def measure_times(folder: Path, *, runs: int, say: Callable[[str], None]) -> list[Time]:
    """All of them."""
    say("cold starts")
    found = [_cold_start(folder / f"cold-{run}") for run in range(runs)]
    times = [
        Time("cold start: spec in memory to first 200", tuple(item[0] for item in found)),
        Time("of it: resolve and compile", tuple(item[1] for item in found)),
        _command(folder / "command", runs),
    ]
    say("reloads")
    times.append(_reload(folder / "reload", runs))
    say("compiling")
    for count in ROUTES:
        times.extend(_compile(folder, count, runs))
    say("hostile files")
    return [*times, *_hostile(folder / "hostile", runs)]


def shop(port: int, routes: int = 0) -> dict[str, Any]:
    """A spec with three backends and so many further routes, with tokens, limits and caches among them."""
    more: dict[str, dict[str, Any]] = {}
    for number in range(routes):
        method, rest, route = _KINDS[number % len(_KINDS)]
        more[f"{method} /area-{number // 20}/thing-{number}{rest}"] = route
    return {
        "name": "shop",
        "listener": {"protocol": "http", "port": port},
        "authorizers": {"main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}}},
        "backends": {name: {"port": 8080, "health_check": "/healthz"} for name in ("auth", "orders", "payments")},
        "defaults": {"auth": "main", "throttle": {"rate": "100/s", "burst": 200, "per": "client"}},
        "routes": {"GET /public": {"backend": "orders", "auth": "none"}, **more},
    }


def _bindings() -> dict[str, Any]:
    return {"backends": {name: fast_backend(1) for name in ("auth", "orders", "payments")}}


def _cold_start(folder: Path) -> tuple[float, float]:
    port = free_port()
    spec = shop(port)
    bindings = _bindings()
    edge = RunningEdge(folder, port, bindings, {})
    try:
        began = time.perf_counter()
        artifact = prepare(EdgeSpec.model_validate(spec), bindings).artifact
        compiled = time.perf_counter()
        runtime.start(artifact, folder)
        answer = edge.ask("/public")
        ready = time.perf_counter()
        if answer.status != 200:
            raise RuntimeError(f"the first request was answered with {answer.status}")
        return ready - began, compiled - began
    finally:
        edge.stop()


def _command(folder: Path, runs: int) -> Time:
    """The same from a shell: a new Python, its imports and the spec's file are in it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = (
        "import json, sys; from pathlib import Path\n"
        "from edgewright.local import runtime; from edgewright.local.prepare import prepare\n"
        "spec, bindings, state = sys.argv[1:]\n"
        "runtime.start(prepare(Path(spec), json.loads(Path(bindings).read_text())).artifact, state)\n"
    )
    seconds: list[float] = []
    for run in range(runs):
        port = free_port()
        spec = _write(folder / f"{run}.edge.yaml", shop(port))
        bindings = _write(folder / f"{run}.json", _bindings())
        state = folder / f"state-{run}"
        edge = RunningEdge(state, port, {}, {})
        try:
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", program, str(spec), str(bindings), str(state)], check=True)
            answer = edge.ask("/public")
            seconds.append(time.perf_counter() - began)
            if answer.status != 200:
                raise RuntimeError(f"the first request was answered with {answer.status}")
        finally:
            edge.stop()
    return Time("cold start: new process, spec's file to first 200", tuple(seconds))


def _reload(folder: Path, runs: int) -> Time:
    port = free_port()
    bindings = _bindings()
    edge = RunningEdge(folder, port, bindings, {})
    seconds: list[float] = []
    try:
        edge.start(shop(port))
        for run in range(2 * runs):
            began = time.perf_counter()
            edge.update(shop(port, routes=1 + run))
            seconds.append(time.perf_counter() - began)
        return Time("reload: one more route, until all gateways have it", tuple(seconds))
    finally:
        edge.stop()


def _compile(folder: Path, count: int, runs: int) -> list[Time]:
    spec = shop(8080, count)
    file = _write(folder / f"{count}.edge.yaml", spec)
    read: list[float] = []
    resolved: list[float] = []
    compiled: list[float] = []
    for _ in range(runs):
        began = time.process_time()
        document = load(file)
        read.append(time.process_time() - began)
        began = time.process_time()
        edge = resolve(document)
        resolved.append(time.process_time() - began)
        began = time.process_time()
        compile_edge(edge, {})
        compiled.append(time.process_time() - began)
    return [
        Time(f"{count} routes: load the file (CPU)", tuple(read)),
        Time(f"{count} routes: resolve (CPU)", tuple(resolved)),
        Time(f"{count} routes: compile (CPU)", tuple(compiled)),
    ]


def _hostile(folder: Path, runs: int) -> list[Time]:
    folder.mkdir(parents=True, exist_ok=True)
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 40)
    )
    files = {
        "alias bomb (9^40 values)": bomb,
        "50 MB": "name: shop\nroutes:\n" + "".join(f"  GET /a{i}: orders\n" for i in range(50_000_000 // 20)),
        "nested 10,000 deep": "name: " + "[" * 10_000 + "]" * 10_000 + "\n",
    }
    times: list[Time] = []
    for number, (what, text) in enumerate(files.items()):
        file = folder / f"{number}.edge.yaml"
        file.write_text(text)
        seconds: list[float] = []
        memory = 0
        for _ in range(runs):
            took, peak, status = _run([sys.executable, "-m", "edgewright", "check", str(file)], folder / "said")
            if status != 1 or "Traceback" in (folder / "said").read_text():
                raise RuntimeError(f"{what}: status {status}: {(folder / 'said').read_text()[-500:]}")
            seconds.append(took)
            memory = max(memory, peak)
        times.append(Time(f"edgewright check, {what}", tuple(seconds), memory, note="refused with status 1"))
    return times


def _run(command: list[str], output: Path) -> tuple[float, int, int]:
    """Seconds, peak memory in bytes and exit status of a command."""
    began = time.perf_counter()
    peak = 0
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        while process.poll() is None:
            # Looked at again and again: what wait4 tells at the end begins with the peak of the parent.
            peak = max(peak, measure.peak_memory(process.pid))
            time.sleep(0.002)
    return time.perf_counter() - began, peak, process.returncode


def _write(file: Path, data: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, indent=1))
    return file
