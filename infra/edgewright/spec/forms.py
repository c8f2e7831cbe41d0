"""How texts and their shorter forms are checked and described, for people and for editors alike."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BeforeValidator, Discriminator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, Strict, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

T = TypeVar("T")

Int = Annotated[int, Strict()]
"""A whole number, written as one: neither `"80"` nor `80.5` nor `true`."""

Float = Annotated[float, Strict()]
"""A number, written as one."""

Bool = Annotated[bool, Strict()]
"""`true` or `false`, and nothing that merely looks like it."""


@dataclass(frozen=True, slots=True)
class Text:
    """An annotation: the form that a text must have.

    pattern: a regular expression for the whole text. words: the form in words, after "is not".
    lower: upper case is taken, and turned to lower case.
    """

    pattern: str
    words: str
    examples: tuple[str, ...]
    longest: int | None = None
    lower: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        bound = {} if self.longest is None else {"maxLength": self.longest}
        pattern = f"^(?:{self.pattern})$"
        rule = {"title": self.words, "pattern": pattern, **bound}
        return {"examples": list(self.examples), **handler(schema), **rule}

    def _checked(self, value: str) -> str:
        if self._fits(value):
            return value.lower() if self.lower else value
        mended = next((item for item in _mended(value) if self._fits(item)), None)
        remedy = f"did you mean `{mended}`?" if mended else "write it like " + " or ".join(self.examples)
        raise PydanticCustomError("form", "{words}", {"words": self.words, "remedy": remedy})

    def _fits(self, value: str) -> bool:
        return (self.longest is None or len(value) <= self.longest) and re.fullmatch(self.pattern, value) is not None


def _mended(value: str) -> tuple[str, ...]:
    """What somebody may have meant who wrote ``value``: the usual slips undone."""
    if len(value) > 100:
        return ()
    bare = value.strip()
    return (bare, bare.lower(), re.sub(r"[\s_]+", "-", bare).lower(), f"/{bare}", bare.upper()) if bare else ()


@dataclass(frozen=True, slots=True)
class Short:
    """An annotation: a shorter way to write the value.

    expand: turns the short form into the long one, and leaves the long one as it is.
    schema: the JSON Schemas of the short forms, from that of the long one.
    """

    expand: Callable[[Any], Any]
    schemas: Callable[[JsonSchemaValue], list[JsonSchemaValue]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        long = handler(schema)
        forms = cast("list[JsonSchemaValue]", long["anyOf"]) if set(long) == {"anyOf"} else [long]
        return {"anyOf": [*self.schemas(handler.resolve_ref_schema(long)), *forms]}


def list_of_one(value: Any) -> Any:
    """A list for a single text."""
    return [value] if isinstance(value, str) else value


def field_of(schema: JsonSchemaValue, name: str) -> JsonSchemaValue:
    """The JSON Schema of a model's field, without what is said of it there."""
    return {key: value for key, value in schema["properties"][name].items() if key not in ("description", "default")}


def _unlike(value: Any) -> Any:
    """Fails where two keys differ in case only: turned to lower case, one would silently replace the other."""
    keys = [key for key in cast("dict[object, object]", value) if isinstance(key, str)] if _is_dict(value) else []
    first: dict[str, str] = {}
    for key in keys:
        other = first.setdefault(key.lower(), key)
        if other != key:
            raise PydanticCustomError(
                "alike",
                "`{one}` and `{two}` are the same name, as case does not count",
                {"one": other[:60], "two": key[:60], "remedy": "keep one of them"},
            )
    return value


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


Unlike = BeforeValidator(_unlike)
"""An annotation of a mapping: its keys differ in more than case."""

_ONE = Short(list_of_one, lambda long: [dict(long["items"])])

Many = Annotated[tuple[T, ...], _ONE]
"""A list; one text stands for a list of it."""

OneOrMore = Annotated[tuple[T, ...], Field(min_length=1), _ONE]
"""A list that is not empty; one text stands for a list of it."""


def _none_or_details(value: Any) -> str:
    return "<none>" if isinstance(value, str) else "<details>"


NONE = Annotated[Literal["none"], Tag("<none>")]
"""The word `none`."""

OrNone = Annotated[Annotated[T, Tag("<details>")] | NONE, Discriminator(_none_or_details)]
"""The details, or `none`; which of them is meant is seen from the value, so that an error speaks of that one only."""


def _number_or_word(value: Any) -> str:
    return "<word>" if isinstance(value, str) else "<number>"


N = TypeVar("N")
NumberOr = Annotated[Annotated[N, Tag("<number>")] | Annotated[T, Tag("<word>")], Discriminator(_number_or_word)]
"""A number or a word, each with its own rules."""
