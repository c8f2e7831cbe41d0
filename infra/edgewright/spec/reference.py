"""Prints the reference of the spec, one table a model, from the models themselves."""

import types
from collections.abc import Iterator
from typing import Annotated, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from edgewright.spec.docstrings import described
from edgewright.spec.values import Duration, Rate, Size

_HEAD = """# The edge spec

<!-- Written by `edgewright schema --reference`; a test compares it with the models. -->

Every field there is. A spec is YAML, JSON, or `EdgeSpec` in Python; unknown fields are errors. Durations are `500ms`,
`29s`, `1h30m`; rates `100/s`, `30/m`, `1000/h`; sizes `512B`, `10KB`, `1MiB`. A field without a default that is not
optional must be given.
"""

_WORDS: dict[object, str] = {str: "text", int: "number", float: "number", bool: "true or false"}
_VALUES: dict[object, str] = {Duration: "duration", Rate: "rate", Size: "size"}


def text() -> str:
    """The reference as Markdown."""
    return "\n".join([_HEAD, *(_table(model) for model in _models(described(), []))])


def _models(model: type[BaseModel], seen: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """``model`` and all that it uses, each once, in the order in which they are met."""
    if model not in seen:
        seen.append(model)
        for field in model.model_fields.values():
            for used in _used(field.annotation):
                _models(used, seen)
    return seen


def _used(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _used(part)


def _table(model: type[BaseModel]) -> str:
    lines = [f"## {model.__name__}", "", _flat(model.__doc__), "", "| field | form | default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        lines.append(
            f"| `{field.alias or name}` | {_form(field.annotation)} | {_default(field)} | {_flat(field.description)} |"
        )
    return "\n".join([*lines, ""])


def _flat(words: str | None) -> str:
    return " ".join((words or "").split()).replace("|", "\\|")


def _form(annotation: object) -> str:
    if annotation in _VALUES or annotation in _WORDS:
        return _VALUES.get(annotation) or _WORDS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _form(args[0])
    if origin is Literal:
        return ", ".join(f"`{str(item).lower() if isinstance(item, bool) else item}`" for item in args)
    if origin in (Union, types.UnionType):
        return " or ".join(_form(part) for part in args if part is not type(None))
    if origin is tuple:
        return f"list of {_form(args[0])}"
    if origin is dict:
        return f"map of {_form(args[0])} to {_form(args[1])}"
    return "any"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value: object = field.default
    if value is None or value is PydanticUndefined or value in ((), {}):
        return ""
    if isinstance(value, BaseModel):
        return "as below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return (
        ", ".join(f"`{item}`" for item in cast("tuple[object, ...]", value))
        if isinstance(value, tuple)
        else f"`{value}`"
    )
