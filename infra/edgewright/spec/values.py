"""Values as people write them (``29s``, ``100/s``, ``1MB``), checked, and convertible to one unit each."""

import re
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_DURATION_PART = re.compile(r"([0-9]{1,5})(h|ms|m|s)")
_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_RATE_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_SIZE_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class _Written(str):
    """A string with a grammar; it keeps the form in which it was written."""

    grammar: ClassVar[str]
    examples: ClassVar[tuple[str, ...]]
    summary: ClassVar[str]

    @classmethod
    def parse(cls, value: object) -> Self:
        """The value, checked.

        Raises PydanticCustomError (a ValueError) that says what the form is, with an example.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, str) or re.fullmatch(cls.grammar, value) is None:
            raise PydanticCustomError(
                "written_value",
                "{shown} is not {summary}",
                {
                    "shown": _shown(value),
                    "summary": cls.summary,
                    "remedy": "write it like " + ", ".join(cls.examples),
                },
            )
        return cls(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": f"^(?:{cls.grammar})$",
            "examples": list(cls.examples),
            "title": cls.summary,
            "description": cls.__doc__ or "",
        }


class Duration(_Written):
    """A length of time in the form of GEP-2257: ``500ms``, ``29s``, ``1h30m``; at most four parts, no fractions."""

    grammar = r"(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}"
    examples = ("30s", "5m", "1h30m", "500ms")
    summary = "a duration"

    @property
    def milliseconds(self) -> int:
        """The whole length in milliseconds."""
        return sum(int(count) * _MILLISECONDS[unit] for count, unit in _DURATION_PART.findall(self))


class Rate(_Written):
    """So many requests per second, minute or hour: ``100/s``, ``30/m``, ``1000/h``; at least one."""

    grammar = r"[1-9][0-9]{0,8}/[smh]"
    examples = ("100/s", "30/m", "1000/h")
    summary = "a rate"

    @property
    def requests(self) -> int:
        """Requests in one of its periods."""
        return int(self.split("/")[0])

    @property
    def seconds(self) -> int:
        """The length of its period in seconds: 1, 60 or 3600."""
        return _RATE_SECONDS[self.split("/")[1]]

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class Size(_Written):
    """An amount of data: ``512B``, ``10KB`` (1000), ``1MiB`` (1024 * 1024)."""

    grammar = r"[0-9]{1,9}\s?(?:B|KB|MB|GB|KiB|MiB|GiB)"
    examples = ("512B", "10KB", "1MiB")
    summary = "a size"

    @property
    def bytes(self) -> int:
        """The amount in bytes."""
        number = self.rstrip("KMGiB ")
        return int(number) * _SIZE_BYTES[self[len(number) :].strip()]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
