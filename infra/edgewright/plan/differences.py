"""Where two values differ, as deep as possible: inputs of resources, texts of JSON, lists whose items have names."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is another now. path: ``rules[name=a].priority``; None: not there."""

    path: str
    before: str | None
    after: str | None


MISSING: Any = object()
"""Stands for a value that is not there."""

_IDENTITIES = ("name", "key", "id", "Sid", "priority")
"""Fields that tell the items of a list apart, if each item has one of its own."""
_SCALARS = (str, int, float, bool, type(None))
_SHORT = 5
"""Lists of so many plain values are shown whole: a condition of a rule has five at most."""
_MOST_COMPARED = 4_000_000
"""Pairs of items that two lists without names may have; longer lists are compared by position."""


def differences(before: Any, after: Any, path: str) -> Iterator[Change]:
    """Each place where two values differ, as deep as possible."""
    if before is MISSING or after is MISSING:
        if before is not after:
            yield Change(path, shown(before), shown(after))
        return
    before, after = _opened(before, after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        old, new = cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after)
        for key in sorted({*old, *new}):
            yield from differences(old.get(key, MISSING), new.get(key, MISSING), _at(path, key))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _in_lists(list(cast("list[Any]", before)), list(cast("list[Any]", after)), path)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Change(path, shown(before), shown(after))


def _opened(before: Any, after: Any) -> tuple[Any, Any]:
    """Two JSON texts as what they say: an OpenAPI body or a policy that is only written differently is no change."""
    if isinstance(before, str) and isinstance(after, str) and before != after:
        old, new = _parsed(before), _parsed(after)
        if old is not None and new is not None:
            return old, new
    return before, after


def _parsed(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _in_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Change]:
    for field in _IDENTITIES:
        old, new = _by(before, field), _by(after, field)
        if old is not None and new is not None:
            for key in dict.fromkeys((*old, *new)):
                yield from differences(old.get(key, MISSING), new.get(key, MISSING), f"{path}[{field}={key}]")
            yield from moved([key for key in old if key in new], [key for key in new if key in old], path)
            return
    if all(isinstance(item, _SCALARS) for item in (*before, *after)) and max(len(before), len(after)) <= _SHORT:
        if before != after:
            yield Change(path, shown(before), shown(after))
        return
    if len(before) * len(after) > _MOST_COMPARED:
        for index in range(max(len(before), len(after))):
            old, new = (items[index] if index < len(items) else MISSING for items in (before, after))
            yield from differences(old, new, f"{path}[{index}]")
        return
    texts = [[json.dumps(item, sort_keys=True, default=str) for item in items] for items in (before, after)]
    for kind, low, high, start, end in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        alike = high - low == end - start
        for index in range(low, high):
            other = after[start + index - low] if alike else MISSING
            yield from differences(before[index], other, f"{path}[{index}]")
        for index in range(start, end) if not alike else ():
            yield from differences(MISSING, after[index], f"{path}[{index}]")


def _by(items: list[Any], field: str) -> dict[Any, Any] | None:
    """Items by that field, if each is an object with a value of its own there."""
    found: dict[Any, Any] = {}
    for item in items:
        key = cast("Mapping[str, Any]", item).get(field) if isinstance(item, Mapping) else None
        if not isinstance(key, str | int) or key in found:
            return None
        found[key] = item
    return found


def moved(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Change]:
    """The change of an order, if there is one."""
    if list(before) != list(after):
        yield Change(f"{path} (order)", shown(list(before)), shown(list(after)))


def _at(path: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][\w-]*", key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def apart(before: str, after: str, longest: int) -> tuple[str, str]:
    """Two texts; where they are longer than that and begin alike, from a little before the place where they part."""
    pairs = enumerate(zip(before, after, strict=False))
    alike = next((index for index, (one, other) in pairs if one != other), min(len(before), len(after)))
    if max(len(before), len(after)) <= longest or alike <= longest // 2:
        return before, after
    start = alike - longest // 4
    return f"…{before[start:]}", f"…{after[start:]}"


def shown(value: Any) -> str | None:
    """A value as JSON; None for one that is not there."""
    return None if value is MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
