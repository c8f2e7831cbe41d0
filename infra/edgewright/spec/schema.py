"""The JSON Schema of a spec, for editors and for messages: every field, every shorter form, nothing else allowed."""

import json
from functools import cache
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from edgewright.spec.docstrings import described

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:edgewright:edge-spec"


class _Generate(GenerateJsonSchema):
    """As pydantic does it, but as a spec is written: no nulls, no titles that only repeat a field's name."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default", ...) is None or isinstance(found.get("default"), dict) or found.get("default") == []:
            found.pop("default")
        return found

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        # A text such as `none` may fit several forms: any of them will do, where `oneOf` would refuse it.
        return {"anyOf": super().tagged_union_schema(schema)["oneOf"]}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        found = super().dict_schema(schema)
        if "patternProperties" in found:
            found["additionalProperties"] = False
        return found


@cache
def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a spec as it is written in YAML or JSON.

    It may accept what loading refuses where a rule crosses fields; it never refuses what loading accepts.
    """
    found = described().model_json_schema(by_alias=True, mode="validation", schema_generator=_Generate)
    return {"$schema": DIALECT, "$id": ID, **found, "title": "An edge spec"}


def text() -> str:
    """The same as JSON text with a line's end."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def forms(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The forms that a part of the schema allows: references followed, alternatives taken apart."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        return forms(cast("dict[str, Any]", json_schema()["$defs"][name]))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return [form for part in cast("list[dict[str, Any]]", schema[word]) for form in forms(part)]
    return [schema]


def below(schemas: list[dict[str, Any]], part: str | int) -> list[dict[str, Any]]:
    """What the schemas say of the field, entry or item ``part``."""
    found: list[dict[str, Any]] = []
    for form in [form for schema in schemas for form in forms(schema)]:
        if isinstance(part, int):
            found += [form["items"]] if "items" in form else []
        elif part in form.get("properties", {}):
            found.append(form["properties"][part])
        elif form.get("additionalProperties"):
            found.append(form["additionalProperties"])
        else:
            found += list(cast("dict[str, dict[str, Any]]", form.get("patternProperties", {})).values())
    return found


def at(path: tuple[str | int, ...]) -> list[dict[str, Any]]:
    """What the schema says of a place in a spec; nothing where the schema has no such place."""
    found = [json_schema()]
    for part in path:
        found = below(found, part)
    return found
