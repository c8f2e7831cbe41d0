"""JSON Schemas in the words of OpenAPI 3.0, which the gateways of clouds know at most."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

_BEYOND = frozenset(
    (
        *("if", "then", "else", "contains", "prefixItems", "patternProperties", "propertyNames", "dependentSchemas"),
        *("dependentRequired", "unevaluatedProperties", "unevaluatedItems", "discriminator", "$defs", "$dynamicRef"),
    )
)


def words_beyond(schema: Any) -> list[str]:
    """Words of a schema that no gateway knows."""
    return sorted({word for word in _words(schema) if word in _BEYOND})


def _words(schema: Any, *, names: bool = False) -> Iterator[str]:
    """The keywords of a schema; names: whether it is a mapping of names, whose keys are none."""
    if isinstance(schema, Mapping):
        for key, item in cast("Mapping[str, Any]", schema).items():
            if not names:
                yield key
            yield from _words(item, names=key == "properties" and not names)
    elif isinstance(schema, list):
        for item in cast("list[Any]", schema):
            yield from _words(item)


def draft4(schema: Any, *, names: bool = False) -> Any:
    """A schema in the words of OpenAPI 3.0, which says ``null`` among types, ``const`` and open bounds otherwise."""
    if isinstance(schema, list):
        return [draft4(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, Mapping):
        return schema
    given = cast("Mapping[str, Any]", schema)
    found: dict[str, Any] = {key: draft4(item, names=key == "properties" and not names) for key, item in given.items()}
    if names:
        return found
    kinds = found.get("type")
    if isinstance(kinds, list):
        rest = [kind for kind in cast("list[str]", kinds) if kind != "null"]
        found |= {"nullable": True} if len(rest) < len(cast("list[str]", kinds)) else {}
        if len(rest) == 1:
            found["type"] = rest[0]
        else:
            del found["type"]
            found["anyOf"] = [{"type": kind} for kind in rest]
    if "const" in found:
        found["enum"] = [found.pop("const")]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        value = found.get(exclusive)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found |= {bound: value, exclusive: True}
    return found
