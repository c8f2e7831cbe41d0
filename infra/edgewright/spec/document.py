"""A spec together with the places where its parts are written, and the ways to load one."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Literal, cast

from pydantic import BaseModel, ValidationError

from edgewright.spec import openapi, yaml_reader
from edgewright.spec.explain import explain
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Path, Place, Problem, Sources, SpecError
from edgewright.spec.shown import shown

MAX_PROBLEMS = 100
"""More problems than this are counted, and not shown."""

STDIN = "<stdin>"


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded spec and its sources.

    warnings: what is doubtful about the document itself, such as parts of an OpenAPI document that an edge ignores.
    """

    spec: EdgeSpec
    sources: Sources = field(default_factory=Sources)
    warnings: tuple[Problem, ...] = ()


def load(path: str | FilePath) -> Document:
    """The spec in a file of YAML or JSON, which may be an OpenAPI 3.0 or 3.1 document; ``-`` reads standard input.

    Raises SpecError with every problem that can be known, also when the file cannot be read (code ``unreadable``).
    """
    if str(path) == "-":
        if sys.stdin is None:
            raise SpecError([Problem(Place(STDIN), "it cannot be read: it is closed", code="unreadable")])
        return parse(sys.stdin.buffer.read(yaml_reader.MAX_BYTES + 1), STDIN)
    name = str(path)
    try:
        with FilePath(path).open("rb") as file:
            # One byte more than is allowed tells a larger file, also where there is no size to ask for.
            content = file.read(yaml_reader.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SpecError([Problem(Place(name), f"it cannot be read: {reason.lower()}", code="unreadable")]) from None
    return parse(content, name)


def parse(content: bytes, file: str = "<spec>") -> Document:
    """The spec in ``content``, YAML or JSON, which may be an OpenAPI document; ``file`` is its name in messages.

    Raises SpecError with every problem that can be known.
    """
    data, sources, problems = yaml_reader.read(content, file)
    return _document(data, sources, problems)


def from_data(data: Mapping[str, object], sources: Sources | None = None) -> Document:
    """The spec in plain Python data: dictionaries, lists, texts, numbers and truth values, or parts of the model.

    Raises SpecError with every problem that can be known.
    """
    return _document(data, sources or Sources(), ())


def _document(data: object, sources: Sources, problems: tuple[Problem, ...]) -> Document:
    found, more = list(problems), 0
    warnings: tuple[Problem, ...] = ()
    if openapi.is_openapi(data):
        translated = openapi.translate(cast("Mapping[str, object]", data), sources)
        data, sources, warnings = translated.data, translated.sources, translated.warnings
        found += translated.problems
        if not data:  # a version of OpenAPI that is not read here
            raise SpecError(found)
    plain = _Plain(sources)
    clean = plain.of(data, ())
    found += plain.problems
    spec: EdgeSpec | None = None
    if not isinstance(clean, dict):
        what = f"a spec is a mapping, and this is {shown(clean)}"
        found.append(Problem(sources.place(()), what, "begin with `name: shop`", code="value"))
    elif not plain.hopeless:
        try:
            spec = EdgeSpec.model_validate(clean, by_alias=True, by_name=False)
        except ValidationError as error:
            explained, more = explain(error, cast("object", clean), sources, plain.empty)
            found += explained
    if found or spec is None:
        raise SpecError(_few(found, more, "problems"))
    return Document(spec, sources, tuple(_few(warnings, 0, "warnings")))


def _few(problems: Sequence[Problem], more: int, what: Literal["problems", "warnings"]) -> Sequence[Problem]:
    """The first of very many problems, and how many more there are; ``more``: how many were left out before."""
    more += len(problems) - MAX_PROBLEMS
    if more <= 0:
        return problems
    kept = SpecError(problems).problems[:MAX_PROBLEMS]
    last = Place(kept[-1].place.file, sys.maxsize, 0)
    severity = "error" if what == "problems" else "warning"
    return [*kept, Problem(last, f"there are {more} more {what}", "", severity, code="more")]


class _Plain:
    """Copies data, so that only what YAML could have held is validated: no empty values, no foreign types."""

    def __init__(self, sources: Sources) -> None:
        self.problems: list[Problem] = []
        self.empty: set[Path] = set()
        self.hopeless = False
        self._sources = sources
        self._left = yaml_reader.MAX_VALUES

    def of(self, value: object, path: Path) -> object:
        """The copy of ``value``."""
        self._left -= 1
        if self._left < 0 or len(path) > yaml_reader.MAX_DEPTH:
            if not self.hopeless:
                self._note(path[:8], "the data is too large, too deep, or contains itself", "write less", "depth")
            self.hopeless = True
            return None
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[object, object]", value), path)
        if isinstance(value, list | tuple):
            items = cast("list[object] | tuple[object, ...]", value)
            return [self._item(item, (*path, index)) for index, item in enumerate(items)]
        if isinstance(value, str) and not _is_text(value):
            self._note(path, "there is half a character (a surrogate) in it", "write text", "character")
            return None
        if value is None or isinstance(value, str | int | float | BaseModel):
            return value
        self._note(path, f"it is {shown(value)}", "a spec has texts, numbers, lists and mappings", "value")
        return None

    def _mapping(self, value: Mapping[object, object], path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, item in value.items():
            if not isinstance(key, str) or not _is_text(key):
                self._note(path, f"the key {shown(key)} is not a text", "put it in quotes", "key")
            elif len(key) > yaml_reader.MAX_KEY:
                what = f"a key is longer than {yaml_reader.MAX_KEY} characters"
                self._note(path, what, "write a shorter one", "size")
            elif (copy := self._item(item, (*path, key))) is not None:
                found[key] = copy
        return found

    def _item(self, value: object, path: Path) -> object:
        copy = self.of(value, path)
        if value is None:
            self._note(path, "it has no value", "write one, or leave it out", "empty")
        elif copy is None:
            self.empty.add(path)
        return copy

    def _note(self, path: Path, what: str, remedy: str, code: str) -> None:
        self.empty.add(path)
        self.problems.append(Problem(self._sources.place(path), what, remedy, code=code))


def _is_text(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in value) if not value.isascii() else True
