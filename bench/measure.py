"""CPU time and memory of running processes, from /proc, and where they may run."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Seconds of CPU, user and system, that these processes have used so far."""
    return sum(_cpu(pid) for pid in pids)


def peak_memory(pid: int) -> int:
    """The most bytes of memory that the process ever had resident; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def pin(pids: Iterable[int], cpus: Iterable[int]) -> None:
    """Let all threads of these processes run on these CPUs only."""
    wanted = set(cpus)
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), wanted)


def machine() -> str:
    """The processor, the cores that may be used, and the memory."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"


def _cpu(pid: int) -> float:
    # schedstat counts nanoseconds (Documentation/scheduler/sched-stats.rst); stat counts ticks of 10 ms.
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    except FileNotFoundError:
        pass
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
