"""A typed, guarded view of a resource's inputs: what is not known yet is marked and remembered, and never raised."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Final, cast

from edgewright.plan.tokens import stands_alone, stands_in
from edgewright.policies.types import plain_type


class Unknown(Enum):
    """The type of the marker."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""Stands for a value that nobody knows yet. It equals nothing else, so a rule that compares with it says nothing good."""  # noqa: E501

SENTINELS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
"""What the engine sends for a value that is computed: sdk/go/common/resource/plugin/rpc.go of pulumi/pulumi."""

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Subject:
    """A resource as rules get it, from the engine or from a plan.

    type: as rules name it, without a version of its API; properties: by wire name (camelCase), values as the engine
    sends them or as a plan shows them; refs: urns of the resources that a property's value comes from, by top-level
    property, and of a plan by entry of a list too (``subnets[0]``); delete_before_replace: None where not said.
    """

    urn: str
    type: str
    name: str
    properties: Mapping[str, Any]
    refs: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    delete_before_replace: bool | None = None

    def __post_init__(self) -> None:
        """Take any version of the type's API."""
        object.__setattr__(self, "type", plain_type(self.type))


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule holds against a resource.

    path: of the property, as in ``defaultActions[0].type``; text: what is wrong with it, to read after the path;
    rests_on: paths that the verdict rests on ("" for all): where one of them is unknown, there is no verdict.
    """

    urn: str
    path: str
    text: str
    rests_on: tuple[str, ...]


class View:
    """An object inside of a resource's inputs, or all of them.

    A key may go through objects: ``accessLogs.enabled``. What is absent reads as None, what is unknown as UNKNOWN; the
    latter is remembered (`unread`), so a rule that only compares values neither raises nor passes in silence.
    """

    __slots__ = ("_notes", "_settings", "_values", "path", "subject")

    def __init__(
        self,
        subject: Subject,
        settings: Mapping[str, Any] | None = None,
        *,
        _values: Any = None,
        _path: str = "",
        _notes: dict[str, str] | None = None,
    ) -> None:
        """Look at a resource; settings: of the rule that looks, by name, complete with defaults."""
        self.subject = subject
        self.path = _path
        self._settings: Mapping[str, Any] = settings or {}
        self._values: Any = subject.properties if _values is None else _values
        self._notes: dict[str, str] = {} if _notes is None else _notes

    @property
    def unread(self) -> Mapping[str, str]:
        """Paths that were read and not known, with why."""
        return self._notes

    @property
    def keys(self) -> Sequence[str]:
        """The names of what is there, sorted."""
        return sorted(cast(Mapping[str, Any], self._values))

    def setting(self, name: str) -> Any:
        """A setting of the rule."""
        return self._settings[name]

    def has(self, key: str) -> bool:
        """Whether something is there. An unknown value is there: it will have one. An empty text is not.

        What is inside of an unknown object may be there or not, so that is remembered.
        """
        path, value = self._find(key)
        if value is UNKNOWN and path != self._join(key):
            self._notes.setdefault(path, "is not known yet")
        return value not in (None, "")

    def knows(self, key: str) -> bool:
        """Whether nothing on the way to a value is unknown. The key may go through lists: ``rules[0].action.type``."""
        value: Any = self._values
        for part in parts(key):
            if isinstance(part, str):
                value = unwrapped(value)
            if value is None or value is UNKNOWN:
                break
            if not isinstance(value, Mapping | Sequence) or isinstance(value, str):
                return False
            value = _get(value, part)
        return value is not UNKNOWN

    def text(self, key: str) -> str | Unknown | None:
        """A text. A number is written as people write it (443, not 443.0)."""
        return self._text(*self._find(key))

    def entry(self, name: str) -> str | Unknown | None:
        """A text by its own name, whatever dots it has in it."""
        return self._text(self._join(name), _get(self._values, name))

    def written(self, key: str) -> str | Unknown | None:
        """A text as it is written, with a plan's tokens in it; UNKNOWN where it is one token and nothing else."""
        path, value = self._find(key, whole=True)
        return cast(str | Unknown | None, self._typed(path, value, str, "a text"))

    def last_part(self, key: str) -> str | Unknown | None:
        """What stands behind the last ``/`` of an id: a name, which may be known where what is before it is not."""
        path, value = self._find(key, part=True)
        return cast(str | Unknown | None, self._typed(path, value, str, "a text"))

    def flag(self, key: str) -> bool | Unknown | None:
        """Yes or no. Providers take ``"true"`` for true, so it reads as true."""
        path, value = self._find(key)
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        return cast(bool | Unknown | None, self._typed(path, value, bool, "true or false"))

    def number(self, key: str) -> float | Unknown | None:
        """A number, also where it is written as a text, as providers take it."""
        path, value = self._find(key)
        if isinstance(value, str):
            with suppress(ValueError):
                value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        return cast(float | Unknown | None, self._typed(path, value, float, "a number"))

    def child(self, key: str) -> "View | None":
        """An object; None where it is absent or unknown (which is remembered)."""
        path, value = self._find(key)
        found = self._typed(path, value, Mapping, "an object")
        return self._inside(path, found) if isinstance(found, Mapping) else None

    def item(self, name: str) -> "View | None":
        """An object by its own name, whatever dots it has in it."""
        path = self._join(name)
        found = self._typed(path, _get(self._values, name), Mapping, "an object")
        return self._inside(path, found) if isinstance(found, Mapping) else None

    def children(self, key: str) -> "Sequence[View]":
        """The objects of a list; those that are known. A single object is a list of one."""
        return [self._inside(path, value) for path, value in self._items(key) if isinstance(value, Mapping)]

    def texts(self, key: str) -> Sequence[str]:
        """The texts of a list; those that are known. A single text is a list of one."""
        return [value for _, value in self._items(key) if isinstance(value, str)]

    def numbers(self, key: str) -> Sequence[float]:
        """The numbers of a list; those that are known. A single number is a list of one."""
        return [float(value) for _, value in self._items(key) if isinstance(value, int | float)]

    def count(self, key: str) -> int | Unknown:
        """How many a list has, known or not; 0 for an absent one."""
        path, value = self._find(key)
        if value is None:
            return 0
        if isinstance(value, Mapping) or (isinstance(value, str) and value not in SENTINELS):
            return 1
        found = self._typed(path, value, Sequence, "a list")
        return len(cast(Sequence[Any], found)) if isinstance(found, Sequence) else UNKNOWN

    def document(self, key: str) -> "View | None":
        """The object that a JSON text says (an object is taken as it is); None where it is absent or unknown."""
        path, value = self._find(key, whole=True)
        if isinstance(value, str):
            value = parsed(value)
            if value is None:
                self._notes[path] = "is no JSON that can be read before the deployment"
                return None
        found = self._typed(path, value, Mapping, "a document")
        return self._inside(path, found) if isinstance(found, Mapping) else None

    def note(self, key: str, why: str) -> None:
        """Remember that something could not be told."""
        self._notes.setdefault(self._join(key), why)

    def fails(self, key: str, text: str, *also: str) -> Violation:
        """The property is wrong; the verdict rests on it, and on those in ``also``."""
        return Violation(self.subject.urn, self._join(key), text, tuple(self._join(name) for name in (key, *also)))

    def lacks(self, key: str, text: str) -> Violation:
        """Something that should be there is not; the verdict rests on all that there is to see in this object."""
        return Violation(self.subject.urn, self._join(key), text, (self.path,))

    def holds(self, violation: Violation) -> bool:
        """Whether all that a verdict rests on was known."""
        return not any(related(note, path) for note in self._notes for path in violation.rests_on)

    def _join(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def _inside(self, path: str, values: Any) -> "View":
        return View(self.subject, self._settings, _values=values, _path=path, _notes=self._notes)

    def _find(self, key: str, *, whole: bool = False, part: bool = False) -> tuple[str, Any]:
        """The path and the value of a key that may go through objects.

        Where an object on the way is unknown, so is the value, under the path of that object. whole: a text with tokens
        in it is still a text, as long as it is not one token. part: of a text, only what is behind the last slash.
        """
        values: Any = self._values
        path = self.path
        *way, last = key.split(".")
        for name in way:
            path = f"{path}.{name}" if path else name
            values = _get(values, name)
            values = unwrapped(values)
            if values is None or values is UNKNOWN:
                return path, values
            if not isinstance(values, Mapping):
                return path, self._typed(path, values, Mapping, "an object")
        return f"{path}.{last}" if path else last, _get(values, last, whole=whole, part=part)

    def _items(self, key: str) -> Iterator[tuple[str, Any]]:
        path, value = self._find(key)
        if isinstance(value, str | int | float) or (value is not None and isinstance(value, Mapping)):
            yield path, cast(Any, value)
            return
        found = self._typed(path, value, Sequence, "a list")
        if not isinstance(found, Sequence):
            return
        for index in range(len(cast(Sequence[Any], found))):
            item = _get(cast(Sequence[Any], found), index)
            if item is UNKNOWN:
                self._notes[f"{path}[{index}]"] = "is not known yet"
            elif item is not None:
                yield f"{path}[{index}]", item

    def _text(self, path: str, value: Any) -> str | Unknown | None:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return f"{value:g}" if value < 1e6 else str(int(value))
        return cast(str | Unknown | None, self._typed(path, value, str, "a text"))

    def _typed(self, path: str, value: Any, kind: type[Any], wanted: str) -> Any:
        """The value if it is of that kind, or None; anything else is remembered and UNKNOWN."""
        if value is None or isinstance(value, kind):
            return cast(Any, value)
        self._notes.setdefault(path, "is not known yet" if value is UNKNOWN else f"is not {wanted}")
        return UNKNOWN


def parts(path: str) -> list[str | int]:
    """The names and positions that a path goes through."""
    return [int(index) if index else name for name, index in _PART.findall(path)]


def unwrapped(value: Any) -> Any:
    """The single object of a list, as some providers wrap it; anything else as it is."""
    if isinstance(value, Sequence) and not isinstance(value, str) and len(cast(Sequence[Any], value)) == 1:
        return _get(cast(Sequence[Any], value), 0)
    return cast(Any, value)


def related(one: str, other: str) -> bool:
    """Whether a path is inside of the other, either way; ``""`` is around all."""
    short, long = sorted((one, other), key=len)
    return short in {"", long} or (long.startswith(short) and long[len(short)] in ".[")


@lru_cache(maxsize=64)
def parsed(text: str) -> Any:
    """The object of a JSON text, or None where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast(Any, value) if isinstance(value, dict) else None


def _get(values: Any, key: str | int, *, whole: bool = False, part: bool = False) -> Any:
    """A value, None where there is none, UNKNOWN where it is not known."""
    try:
        value = values[key]
    except (KeyError, IndexError):
        return None
    except Exception as error:
        # The policy framework's proxies raise an error of their own; the framework need not be installed here.
        if hasattr(error, "unknown_type_sentinel"):
            return UNKNOWN
        raise
    if part and isinstance(value, str):
        # Behind the last token: the name of its resource may have a slash of its own.
        behind = value.rpartition("}")[2]
        value = behind.rpartition("/")[2] if "/" in behind else value
    if isinstance(value, str) and (value in SENTINELS or _nobody_knows(value, whole=whole)):
        return UNKNOWN
    return value


def _nobody_knows(text: str, *, whole: bool) -> bool:
    """Whether a plan has a token or a mark there; whole: and nothing else."""
    return stands_alone(text) if whole else stands_in(text)
