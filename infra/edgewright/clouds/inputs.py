"""Inputs of resources as JSON, read without trust: what is not there, or is known only later, is empty."""

from collections.abc import Iterator, Mapping
from typing import Any, cast


def fields(value: object) -> Mapping[str, Any]:
    """An object; anything else is an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """The items of a list as objects; anything else has none."""
    for item in cast("list[object]", value) if isinstance(value, list | tuple) else ():
        yield fields(item)


def listed(value: object) -> list[Any] | None:
    """A list; an empty one where nothing is written; None for one that is known only later."""
    return [] if value is None else cast("list[Any]", value) if isinstance(value, list) else None
