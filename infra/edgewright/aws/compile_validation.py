"""Request validation of a REST API: models of bodies, required parameters, and which validator checks what.

API Gateway compares JSON bodies with JSON Schema draft 4, and of parameters only asks whether required ones are there
("Request validation for REST APIs in API Gateway", "Amazon API Gateway important notes"; read 2026-11).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from edgewright.aws.artifact import Json
from edgewright.edge.model import Route, Validation

VALIDATORS: Mapping[str, Json] = {
    "all": {"validateRequestBody": True, "validateRequestParameters": True},
    "body": {"validateRequestBody": True, "validateRequestParameters": False},
    "parameters": {"validateRequestBody": False, "validateRequestParameters": True},
}
"""By name, as they stand at the root of a body."""

_BEYOND = frozenset(
    (
        *("if", "then", "else", "contains", "prefixItems", "patternProperties", "propertyNames", "dependentSchemas"),
        *("dependentRequired", "unevaluatedProperties", "unevaluatedItems", "discriminator", "$defs", "$dynamicRef"),
    )
)
_JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json")

# OpenAPI: header parameters of these names are ignored; they are described elsewhere.
_NO_PARAMETERS = ("accept", "content-type", "authorization")


def validator_of(validation: Validation) -> str:
    """The name of the validator of a route."""
    if validation.parameters and validation.body:
        return "all"
    return "body" if validation.body else "parameters"


def unknown_words(validation: Validation) -> list[str]:
    """Words of the bodies' schemas that API Gateway's models do not know."""
    bodies = validation.operation.bodies if validation.operation is not None and validation.body else ()
    return sorted({word for _, text in bodies for word in _words(json.loads(text)) if word in _BEYOND})


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


def required_parameters(route: Route) -> dict[tuple[str, str], Json]:
    """Query parameters and headers that requests must have, as OpenAPI has them; path's are always there."""
    validation = route.validation
    if validation is None or validation.operation is None or not validation.parameters:
        return {}
    return {
        (item.where, item.name): {"name": item.name, "in": item.where, "required": True, "schema": {"type": "string"}}
        for item in validation.operation.parameters
        if item.required and item.where != "path" and item.name.lower() not in _NO_PARAMETERS
    }


def request_body(route: Route, models: dict[str, Json]) -> Json | None:
    """The body of an operation, as OpenAPI has it, with its models added to ``models``; None where none is checked."""
    validation = route.validation
    if validation is None or validation.operation is None or not validation.body:
        return None
    content: Json = {}
    for number, (media, text) in enumerate(validation.operation.bodies, 1):
        if _JSON.fullmatch(media) is None:
            continue
        name = "Body" + "".join(word.title() for word in re.findall(r"[a-z0-9]+", f"{route.slug}-{number}"))
        models[name] = draft4(json.loads(text))
        content[media] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {"required": validation.operation.body_required, "content": content} if content else None


def draft4(schema: Any, *, names: bool = False) -> Any:
    """A schema in the words of OpenAPI 3.0, which says ``null`` among types, ``const`` and open bounds otherwise."""
    if isinstance(schema, list):
        return [draft4(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, Mapping):
        return schema
    given = cast("Mapping[str, Any]", schema)
    found: Json = {key: draft4(item, names=key == "properties" and not names) for key, item in given.items()}
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
