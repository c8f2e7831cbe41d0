"""Walks an OpenAPI document: checks shapes, follows local references, and notes problems at their lines."""

from collections.abc import ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

from edgewright.spec.problems import Path, Place, Problem, Sources, did_you_mean
from edgewright.spec.shown import shown

X_EDGE = "x-edge"

_MAX_REFERENCES = 32
"""References that may lead from one to the next."""
_MAX_SUGGESTIONS = 100
"""Problems and warnings with a suggestion; each takes a comparison with all names."""


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping of the document and where it stands."""

    value: Mapping[str, object]
    path: Path

    def get(self, name: str) -> object:
        """The value of a field, or None."""
        return self.value.get(name)

    def items(self) -> ItemsView[str, object]:
        """The fields."""
        return self.value.items()


class Reader:
    """The document, and the problems and warnings that are found on the way."""

    def __init__(self, data: Mapping[str, object], sources: Sources) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._sources = sources
        self._seen: set[tuple[Path, str]] = set()
        self._texts: dict[int, tuple[object, Mapping[str, object]]] = {}
        self.root = Node(_texts_only(data), ())

    def error(self, path: Path, what: str, remedy: str = "", *, key: bool = False, about: Path | None = None) -> None:
        """Note an error at a path of the document; ``about``: the path in the spec that it is about."""
        if self._is_new(path, what):
            self.problems.append(Problem(self._place(path, key, about), what, remedy, code="openapi"))

    def warn(self, path: Path, what: str, remedy: str = "") -> None:
        """Note something that is ignored or doubtful."""
        if self._is_new(path, what):
            self.warnings.append(Problem(self._place(path, True, None), what, remedy, "warning", code="openapi"))

    def suggestion(self, word: str, known: Iterable[str]) -> str:
        """What somebody may have meant by ``word``."""
        enough = len(self.problems) + len(self.warnings) > _MAX_SUGGESTIONS
        return "" if enough else did_you_mean(word, known)

    def line(self, path: Path) -> str:
        """`` on line 5``, or nothing where lines are not known."""
        place = self._sources.place(path, key=True)
        return f" on line {place.line}" if place.line else ""

    def _is_new(self, path: Path, what: str) -> bool:
        """Whether nobody said this of the place before: some parts are looked at more than once."""
        if (path, what) in self._seen:
            return False
        self._seen.add((path, what))
        return True

    def _place(self, path: Path, key: bool, about: Path | None) -> Place:
        place = self._sources.place(path, key=key)
        return place if about is None else Place(place.file, place.line, place.column, about)

    def child(self, parent: Node, name: str) -> Node | None:
        """The mapping in a field; None where there is none, and an error where it is something else."""
        if name not in parent.value:
            return None
        return self._mapping(parent.get(name), (*parent.path, name))

    def x_edge(self, owner: Node) -> Node | None:
        """The `x-edge` of a part of the document, references followed."""
        node = self.child(owner, X_EDGE)
        return self.resolved(node) if node else None

    def resolved(self, node: Node) -> Node | None:
        """What a mapping refers to with `$ref`, or itself; None, and an error, where that leads nowhere."""
        seen = {node.path}
        while isinstance(node.get("$ref"), str):
            target = self._target(str(node.get("$ref")), (*node.path, "$ref"))
            if target is None:
                return None
            if target.path in seen or len(seen) > _MAX_REFERENCES:
                self.error((*node.path, "$ref"), "this reference leads back to itself, or on and on", "write it out")
                return None
            seen.add(target.path)
            node = target
        return node

    def layers(self, node: Node) -> list[Node]:
        """A mapping, and what it refers to: its own fields go first (OpenAPI leaves that open for path items)."""
        if "$ref" not in node.value:
            return [node]
        target = self.resolved(node)
        return [node, target] if target else [node]

    def _target(self, reference: str, path: Path) -> Node | None:
        if not reference.startswith("#/"):
            what = f"{shown(reference)} refers to another document"
            self.error(path, what, "put it into this one, under `components`: only this file is read")
            return None
        here = self.root.value
        found: Path = ()
        for raw in reference[2:].split("/"):
            part = unquote(raw).replace("~1", "/").replace("~0", "~")
            if part not in here:
                self.error(path, f"{shown(reference)} refers to nothing", self.suggestion(part, here))
                return None
            node = self._mapping(here[part], (*found, part))
            if node is None:
                return None
            here, found = node.value, node.path
        return Node(here, found)

    def _mapping(self, value: object, path: Path) -> Node | None:
        if isinstance(value, Mapping):
            return Node(self._text_keys(cast("Mapping[object, object]", value)), path)
        if value is None:
            self.error(path, "it has no value", "write one, or leave it out", key=True)
        else:
            self.error(path, f"expected a mapping, got {shown(value, path)}")
        return None

    def _text_keys(self, value: Mapping[object, object]) -> Mapping[str, object]:
        """``value`` without keys that are no texts; copied once, as references may lead through it many times."""
        if id(value) not in self._texts:
            self._texts[id(value)] = (value, _texts_only(value))
        return self._texts[id(value)][1]


def mapping(value: object) -> Mapping[str, object]:
    """The value, if it is a mapping; else an empty one."""
    return _texts_only(cast("Mapping[object, object]", value)) if isinstance(value, Mapping) else {}


def _texts_only(value: Mapping[object, object] | Mapping[str, object]) -> Mapping[str, object]:
    """The entries with texts as keys: data made in Python may have others, and OpenAPI has none."""
    return {key: item for key, item in _items(value) if isinstance(key, str)}


def _items(value: Mapping[object, object] | Mapping[str, object]) -> Iterator[tuple[object, object]]:
    return iter(cast("Mapping[object, object]", value).items())
