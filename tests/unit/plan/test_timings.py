"""Where the CPU time of a plan goes."""

from time import process_time

import pytest

from edgewright.plan import timings


def burn(seconds: float) -> None:
    until = process_time() + seconds
    while process_time() < until:
        pass


def test_time_is_counted_by_what_it_is_spent_on_and_the_rest_is_said() -> None:
    for what, seconds in (("one", 0.02), ("two", 0.01), ("one", 0.02)):
        with timings.spent_on(what):
            burn(seconds)
    found = timings.spent()
    assert 0.04 <= found["one"] < found["in all"]
    assert 0.01 <= found["two"] < found["one"]
    assert sum(found.values()) == pytest.approx(2 * found["in all"])
    assert [line.partition("  ")[0] for line in timings.text().splitlines()][-1] == "in all"


def test_what_fails_is_counted_too() -> None:
    with pytest.raises(ValueError, match="no"), timings.spent_on("failing"):
        burn(0.01)
        raise ValueError("no")
    assert timings.spent()["failing"] >= 0.01
