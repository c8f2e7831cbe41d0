"""CPU per request of the local edge and of the leanest configuration written by hand, side by side in the same run.

The load generator and the backend have one CPU to themselves, and what is measured has another. The two take turns, so
that whatever else the machine does falls on both; the ratio is the median of the ratios of neighbours.
"""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.local.edges import admin
from tests.local.issuer import Issuer
from tests.local.load import attack

from bench import lean, measure
from bench.scenarios import SCENARIOS, Scenario
from edgewright.local import envoy, runtime
from edgewright.local.ports import free_port
from edgewright.local.prepare import prepare
from edgewright.spec.model import EdgeSpec

CONCURRENCY = 2
"""Worker threads of each Envoy, as in the local target."""

CONNECTIONS = 32
WARM_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU microseconds a request, run by run; part: one ``gateway`` alone, or the ``edge`` with its balancer."""

    scenario: str
    part: str
    ours: tuple[float, ...]
    lean: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the ratios of neighbours."""
        return statistics.median(one / other for one, other in zip(self.ours, self.lean, strict=True))


@dataclass(frozen=True, slots=True)
class Memory:
    """The peak of resident memory by process, in bytes."""

    ours: dict[str, int]
    lean: dict[str, int]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: an edge that runs. socket: of its first gateway; pids: by name."""

    socket: Path
    port: int
    pids: dict[str, int]

    def cpu_of(self, part: str) -> list[int]:
        """The processes whose CPU counts: one gateway alone or all, and whatever they ask on the way."""
        if part == "edge":
            return [pid for name, pid in self.pids.items() if name not in ("supervisor", "idp")]
        return [pid for name, pid in self.pids.items() if name in ("gateway-1", "limits")]


def measure_costs(
    folder: Path, *, runs: int, seconds: float, say: Callable[[str], None]
) -> Generator[tuple[list[Cost], Memory]]:
    """Measure the scenarios, one after another; yields the costs of a gateway and of the edge, and memory."""
    issuer = Issuer()
    for number, scenario in enumerate(SCENARIOS):
        say(f"{scenario.name}: {runs} runs of {seconds:g} s, ours and lean in turns")
        with ExitStack() as stack:
            upstream = stack.enter_context(_backend(folder / f"{number}-backend"))
            ours = stack.enter_context(_ours(folder / f"{number}-ours", scenario, upstream, issuer))
            mine = stack.enter_context(_lean(folder / f"{number}-lean", scenario, upstream, issuer))
            costs = [
                _cost(scenario, part, ours, mine, issuer, runs=runs, seconds=seconds) for part in ("gateway", "edge")
            ]
            memory = Memory(_memory(ours), _memory(mine))
        yield costs, memory


def _cost(
    scenario: Scenario, part: str, ours: Subject, mine: Subject, issuer: Issuer, *, runs: int, seconds: float
) -> Cost:
    found: dict[str, list[float]] = {"ours": [], "lean": []}
    for run in range(-1, runs):
        order = (("ours", ours), ("lean", mine))
        for name, subject in order if run % 2 else reversed(order):
            cost = _per_request(scenario, part, subject, issuer, WARM_SECONDS if run < 0 else seconds)
            if run >= 0:
                found[name].append(cost)
    return Cost(scenario.name, part, tuple(found["ours"]), tuple(found["lean"]))


def _per_request(scenario: Scenario, part: str, subject: Subject, issuer: Issuer, seconds: float) -> float:
    pids = subject.cpu_of(part)
    load_cpus, _ = _cpus()
    before = measure.cpu_seconds(pids)
    if part == "edge":
        target = scenario.target(f"http://127.0.0.1:{subject.port}", issuer)
        report = attack([target], seconds=seconds, rate=0, workers=CONNECTIONS, cpus=load_cpus)
    else:
        # As the balancer would send it.
        target = scenario.target("http://localhost", issuer)
        target = replace(target, headers={**target.headers, "x-forwarded-for": "127.0.0.1"})
        report = attack([target], seconds=seconds, rate=0, workers=CONNECTIONS, socket=subject.socket, cpus=load_cpus)
    used = measure.cpu_seconds(pids) - before
    if report.failed:
        raise RuntimeError(f"{scenario.name}, {part}: not a measurement, requests failed: {report}")
    return used / report.total * 1e6


def _cpus() -> tuple[Sequence[int], Sequence[int]]:
    """Where load and backend run, and where what is measured runs."""
    cpus = sorted(os.sched_getaffinity(0))
    return (cpus[:1], cpus[1:2]) if len(cpus) > 1 else (cpus, cpus)


def _memory(subject: Subject) -> dict[str, int]:
    return {name: measure.peak_memory(pid) for name, pid in subject.pids.items()}


# -- what is measured --------------------------------------------------------------------------------------------------


@contextmanager
def _ours(folder: Path, scenario: Scenario, upstream: int, issuer: Issuer) -> Generator[Subject]:
    port = free_port()
    bindings = {"backends": {"orders": {"address": f"127.0.0.1:{upstream}"}}}
    artifact = prepare(EdgeSpec.model_validate(scenario.spec(port, issuer)), bindings).artifact
    try:
        status = runtime.start(artifact, folder)
        pids = {name: pid for name, pid in status.processes.items() if pid}
        pids["supervisor"] = status.pid
        measure.pin([pid for name, pid in pids.items() if name != "supervisor"], _cpus()[1])
        yield Subject(folder / "gateway-1.sock", port, pids)
    finally:
        runtime.stop(folder)


@contextmanager
def _lean(folder: Path, scenario: Scenario, upstream: int, issuer: Issuer) -> Generator[Subject]:
    port = free_port()
    features = scenario.features(issuer)
    with ExitStack() as stack:
        pids = {
            name: stack.enter_context(_envoy(folder, name, lean.gateway(name, upstream, features)))
            for name in lean.GATEWAYS
        }
        pids["balancer"] = stack.enter_context(_envoy(folder, "balancer", lean.balancer(port)))
        measure.pin(pids.values(), _cpus()[1])
        yield Subject(folder / "gateway-1.sock", port, pids)


@contextmanager
def _backend(folder: Path) -> Generator[int]:
    port = free_port()
    with _envoy(folder, "backend", lean.backend(port)) as pid:
        measure.pin([pid], _cpus()[0])
        yield port


@contextmanager
def _envoy(folder: Path, name: str, config: lean.Json) -> Generator[int]:
    """Run an Envoy with this configuration until the block is left; gives its pid once it is ready."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(config))
    with (folder / f"{name}.err").open("wb") as log:
        process = subprocess.Popen(
            envoy.command(f"{name}.json", concurrency=CONCURRENCY), cwd=folder, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 20
        while not _ready(folder / f"{name}.admin"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Envoy does not take {name}.json: {(folder / f'{name}.err').read_text()[-2000:]}")
            time.sleep(0.01)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _ready(socket: Path) -> bool:
    try:
        return admin(socket, "/ready").strip() == "LIVE"
    except OSError:
        return False
