"""Request validation of a REST API: models of bodies, required parameters, and which validator checks what.

API Gateway compares JSON bodies with JSON Schema draft 4, and of parameters only asks whether required ones are there
("Request validation for REST APIs in API Gateway", "Amazon API Gateway important notes"; read 2026-11).
"""

import json
import re
from collections.abc import Mapping

from edgewright.aws.artifact import Json
from edgewright.clouds.json_schema import draft4, words_beyond
from edgewright.edge.model import Route, Validation

VALIDATORS: Mapping[str, Json] = {
    "all": {"validateRequestBody": True, "validateRequestParameters": True},
    "body": {"validateRequestBody": True, "validateRequestParameters": False},
    "parameters": {"validateRequestBody": False, "validateRequestParameters": True},
}
"""By name, as they stand at the root of a body."""

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
    return sorted({word for _, text in bodies for word in words_beyond(json.loads(text))})


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
