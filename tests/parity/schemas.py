"""JSON Schemas of OpenAPI 3.0, whose words are those of draft 4, in the words of JSON Schema again."""

from typing import Any, cast

Json = dict[str, Any]


def of_draft4(schema: Any, *, names: bool = False) -> Any:
    """A schema in the words of OpenAPI 3.0 in those of JSON Schema again."""
    if isinstance(schema, list):
        return [of_draft4(one) for one in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found = {key: of_draft4(one, names=key == "properties" and not names) for key, one in cast("Json", schema).items()}
    if names:
        return found
    if found.pop("nullable", False):
        found["type"] = [found["type"], "null"]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if found.get(exclusive) is True:
            found[exclusive] = found.pop(bound)
    return found
