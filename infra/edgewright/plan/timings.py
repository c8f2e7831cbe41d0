"""Where the CPU time of a plan goes, by what it was spent on; for `edgewright plan --timings` and the benchmarks."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from time import process_time

_spent: dict[str, float] = {}


@contextmanager
def spent_on(what: str) -> Generator[None]:
    """Count the CPU seconds of this process while this lasts; one thing at a time, none inside of another."""
    start = process_time()
    try:
        yield
    finally:
        _spent[what] = _spent.get(what, 0.0) + process_time() - start


def spent() -> Mapping[str, float]:
    """Seconds by what they were spent on, in the order in which that began; the rest is the interpreter's start and
    what nobody counted."""
    whole = process_time()
    return {**_spent, "the rest (Python's start, the command line)": whole - sum(_spent.values()), "in all": whole}


def text() -> str:
    """The same as lines."""
    found = spent()
    width = max(len(what) for what in found)
    return "".join(f"{what:<{width}}  {seconds:6.3f} s of CPU\n" for what, seconds in found.items())
