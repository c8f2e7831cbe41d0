"""What is wrong with a spec, and where: problems, places, and the map from a document's paths to lines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from heapq import nsmallest
from typing import Literal

Path = tuple[str | int, ...]
"""Where in a document: keys and list positions from its root, such as ``("routes", "GET /x", "throttle", "rate")``."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file: 1-based line and column; without a file (a spec made in Python) only the path is known."""

    file: str = ""
    line: int = 0
    column: int = 0
    path: Path = field(default=(), compare=False)

    def __str__(self) -> str:
        if self.line:
            return f"{self.file or '<spec>'}:{self.line}:{self.column}"
        return self.file or "<spec>"


NOWHERE = Place()
"""The place of what has none."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (``error``) or doubtful (``warning``).

    what: a clause without a full stop; remedy: what to write instead, a clause, possibly empty.
    """

    place: Place
    what: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"
    code: str = ""

    @property
    def route(self) -> str:
        """The key of the route that it is about, or an empty string."""
        path = self.place.path
        return str(path[1]) if len(path) > 1 and path[0] == "routes" else ""

    @property
    def field(self) -> str:
        """The field within the route (or within the document), dotted: ``throttle.rate``."""
        path = self.place.path
        return dotted(path[2:] if self.route else path)

    def __str__(self) -> str:
        route = f'route "{printable(self.route)}": ' if self.route else ""
        name = f"{printable(self.field)}: " if self.field else ""
        remedy = f"; {printable(self.remedy)}" if self.remedy else ""
        return f"{printable(str(self.place))}: {self.severity}: {route}{name}{printable(self.what)}{remedy}"


class SpecError(Exception):
    """A spec that cannot be used; it carries every problem, in the order of their places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda item: (item.place, str(item))))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Sources:
    """From paths in a document to their lines and columns; empty for a spec made in Python.

    keys: where each key stands; values: where its value begins.
    """

    file: str = ""
    values: Mapping[Path, tuple[int, int]] = field(default_factory=dict[Path, tuple[int, int]])
    keys: Mapping[Path, tuple[int, int]] = field(default_factory=dict[Path, tuple[int, int]])

    def place(self, path: Path, *, key: bool = False) -> Place:
        """The place of ``path``, or of the nearest thing around it that the file has; ``key``: of the key itself."""
        for length in range(len(path), -1, -1):
            part = path[:length]
            first, second = (self.keys, self.values) if key or length < len(path) else (self.values, self.keys)
            found = first.get(part) or second.get(part)
            if found:
                return Place(self.file, *found, path=path)
        return Place(self.file, path=path)


def dotted(path: Path) -> str:
    """A path as people read it: ``("defaults", "throttle")`` is ``defaults.throttle``, list positions in brackets."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def printable(text: str) -> str:
    """The text with control characters shown as escapes, so that a hostile spec cannot write to a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean `orders`?``, or the list of what is known, or an empty string when nothing is."""
    names = sorted(known)
    close = get_close_matches(word, _near(word, names), n=1, cutoff=0.6) if len(word) <= 200 else []
    if close:
        return f"did you mean `{close[0]}`?"
    if names:
        shown = ", ".join(f"`{name}`" for name in names[:12]) + (", ..." if len(names) > 12 else "")
        return f"known: {shown}"
    return ""


def _near(word: str, names: list[str]) -> list[str]:
    """The names that are compared with a word: of very many, those that have nearly its length."""
    if len(names) <= 200:
        return names
    return nsmallest(200, names, key=lambda name: abs(len(name) - len(word)))
