"""Priorities of load balancer rules: the order of routes as numbers that stay when a route is added.

A rule's number comes from its own conditions alone. The kinds of its segments (a literal comes before a variable before
``/*``) choose a stretch of the number line, as arithmetic coding does, and its path a place in that stretch. Two rules
that can match one request have paths of different kinds, or the same path; so their order is right whatever other rules
there are. Only a rule whose place is taken moves, to the next free one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from edgewright.edge.model import PathPattern

FIRST, LAST = 1_000, 49_999
"""What routes use. The balancer takes 1 to 50,000; guards stand before, and nothing behind."""

# Shares of a stretch, in the order of precedence; common kinds get more room.
_SEGMENT = {"literal": (0.0, 0.78), "variable": (0.78, 0.92), "rest": (0.92, 1.0)}
_COUNT = {3: (0.0, 0.1), 2: (0.1, 0.25), 1: (0.25, 0.5), 0: (0.5, 1.0)}
_METHODS = {True: (0.0, 0.6), False: (0.6, 1.0)}


@dataclass(frozen=True, slots=True)
class Rank:
    """What decides the place of a rule. headers, query: how many matches; methods: whether some are named."""

    path: PathPattern
    methods: bool = False
    headers: int = 0
    query: int = 0

    @property
    def stretch(self) -> tuple[float, float]:
        """The part of 0..1 that rules of this kind share."""
        kinds = ["variable" if item.variable else "literal" for item in self.path.segments]
        steps = [_SEGMENT[kind] for kind in (*kinds, "rest" if self.path.rest else "literal")]
        steps += [_METHODS[self.methods], _COUNT[min(self.headers, 3)], _COUNT[min(self.query, 3)]]
        low, width = 0.0, 1.0
        for start, end in steps:
            low, width = low + start * width, (end - start) * width
        return low, width

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for rules that share a stretch."""
        return (
            tuple(item.variable for item in self.path.segments),
            self.path.rest,
            self.methods,
            self.headers,
            self.query,
        )


def place(rank: Rank, word: str) -> int:
    """Where a rule would stand if it were alone. word: what tells it from others of its kind, such as its path."""
    low, width = rank.stretch
    part = int.from_bytes(sha256(word.encode()).digest()[:6]) / 2**48
    return FIRST + int((low + width * part) * (LAST - FIRST))


def assign(wanted: Sequence[tuple[int, str]]) -> dict[str, int]:
    """A number for each name; ``wanted`` are its place and name, in the order in which they must stand where equal."""
    taken: set[int] = set()
    found: dict[str, int] = {}
    for number, name in wanted:
        free = number
        while free in taken:
            free += 1
        taken.add(free)
        found[name] = free
    return found


def in_order(names: Iterable[str]) -> dict[str, int]:
    """Numbers by position, for rules whose kinds leave too little room; they move when a rule is added."""
    listed = list(names)
    step = max(1, (LAST - FIRST) // max(1, len(listed)))
    return {name: FIRST + index * min(step, 100) for index, name in enumerate(listed)}
