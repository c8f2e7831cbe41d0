"""`python -m bench`: measure the local edge, plans and rules, print tables, keep the figures in ``bench-results/``."""

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import measure
from bench.cost import Cost, Memory, measure_costs
from bench.plans import measure_plans
from bench.policies import measure_policies
from bench.times import Time, measure_times

GOAL = 1.10
RESULTS = Path("bench-results")


def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for; 0 when it was measured, whatever came out."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each measurement; the median counts (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a run under load (default 2)")
    parser.add_argument("--only", choices=("cost", "times", "plans", "policies"), help="measure only a part")
    options = parser.parse_args(arguments)
    costs: list[Cost] = []
    memory: dict[str, Memory] = {}
    times: list[Time] = []
    plans: list[Time] = []
    policies: list[Time] = []
    began = time.monotonic()
    # Short, since the path of a unix socket is.
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        if options.only in (None, "cost"):
            for found, peak in measure_costs(Path(name), runs=options.runs, seconds=options.seconds, say=_say):
                costs.extend(found)
                for cost in found:
                    _say(f"  {cost.part}: {cost.ratio:.2f} times the one by hand")
                memory[found[0].scenario] = peak
        if options.only in (None, "times"):
            times = measure_times(Path(name), runs=options.runs, say=_say)
        if options.only in (None, "plans"):
            plans = measure_plans(Path(name) / "plans", runs=options.runs, say=_say)
        if options.only in (None, "policies"):
            policies = measure_policies(Path(name) / "empty", runs=options.runs, say=_say)
    print(_tables(costs, memory, times))
    if plans:
        print(_seconds("CPU seconds and peak memory of whole processes, offline plans", plans))
        print("where the seconds of one such plan go")
        print("".join(f"  {item.what}: {item.note}\n" for item in plans if item.note), end="")
    if policies:
        print(_seconds("CPU seconds of rules", policies))
        print("".join(f"  {item.what}: {item.note}\n" for item in policies if item.note), end="")
    print(f"measured in {time.monotonic() - began:.0f} s on {measure.machine()}")
    print(f"figures of every run: {_keep(costs, memory, [*times, *plans, *policies])}")
    return 0


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _tables(costs: list[Cost], memory: dict[str, Memory], times: list[Time]) -> str:
    parts: list[str] = []
    if costs:
        rows = [
            [
                cost.scenario,
                cost.part,
                f"{statistics.median(cost.ours):.1f}",
                f"{statistics.median(cost.lean):.1f}",
                f"{cost.ratio:.2f}x",
            ]
            for cost in costs
        ]
        title = f"CPU per request in microseconds, against the leanest configuration by hand (goal {GOAL:.2f}x)"
        parts.append(_table(title, ["request", "part", "ours", "by hand", "ratio"], rows))
    if memory:
        last = list(memory.values())[-1]
        names = sorted({*last.ours, *last.lean})
        rows = [[name, _mib(last.ours.get(name)), _mib(last.lean.get(name))] for name in names]
        parts.append(_table("Peak memory in MiB", ["process", "ours", "by hand"], rows))
    if times:
        parts.append(_seconds("Seconds", times))
    return "\n\n".join(parts)


def _seconds(title: str, times: list[Time]) -> str:
    rows = [[item.what, f"{item.median:.3f}", f"{max(item.seconds):.3f}", _mib(item.memory)] for item in times]
    return _table(title, ["what", "median", "longest", "MiB"], rows)


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(row: list[str]) -> str:
        words = (
            f"{word:<{width}}" if word == row[0] else f"{word:>{width}}"
            for word, width in zip(row, widths, strict=True)
        )
        return "  ".join(words).rstrip()

    return "\n".join([title, line(head), *(line(row) for row in rows)])


def _mib(size: int | None) -> str:
    return f"{size / 2**20:.0f}" if size else "-"


def _keep(costs: list[Cost], memory: dict[str, Memory], times: list[Time]) -> Path:
    now = datetime.now(UTC)
    data: dict[str, Any] = {
        "date": now.isoformat(timespec="seconds"),
        "machine": measure.machine(),
        "costs": [{**asdict(cost), "ratio": cost.ratio} for cost in costs],
        "memory": {name: asdict(peak) for name, peak in memory.items()},
        "times": [{**asdict(item), "median": item.median} for item in times],
    }
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(data, indent=1) + "\n")
    return file


if __name__ == "__main__":
    sys.exit(main())
