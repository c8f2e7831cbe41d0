"""Request validation: what the imported document says of an operation, and the policies that compare requests with it.

``validate-parameters`` and ``validate-content`` may stand once in a section and take what they compare with from the
operation that is called: so they stand once for all routes, and a route says whether it asks for them. Microsoft's
pages do not say that a parameter, or a body, that is missing is refused: an expression refuses it here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from edgewright.azure import expressions as cs
from edgewright.azure.policy import Choose, Comment, Policy, ValidateContent, ValidateParameters, When
from edgewright.azure.problems import problem
from edgewright.clouds.json_schema import draft4, words_beyond
from edgewright.edge.model import Operation, Route

MAX_BODY = 102_400
"""Bytes of a body that is compared with a schema: what Microsoft's page of the policy has always allowed; since 2026
it says 4 MB."""

BODILESS = ("GET", "HEAD", "OPTIONS")
"""Methods of which an import drops what bodies may be (Microsoft's page of API import restrictions)."""

_JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json", re.IGNORECASE)

# OpenAPI: header parameters of these names are ignored; they are described elsewhere.
_NO_PARAMETERS = ("accept", "content-type", "authorization")

_TEXT = {"type": "string"}


def checked_operation(route: Route) -> Operation | None:
    """What the requests of a route are compared with; None for nothing."""
    return route.validation.operation if route.validation is not None else None


def unknown_words(route: Route) -> list[str]:
    """Words of the schemas of a route that OpenAPI 3.0 has not: an import would drop them."""
    validation, operation = route.validation, checked_operation(route)
    if validation is None or operation is None:
        return []
    texts = [item.schema for item in operation.parameters] if validation.parameters else []
    texts += [text for _, text in operation.bodies] if validation.body else []
    return sorted({word for text in texts for word in words_beyond(json.loads(text))})


# -- the document ------------------------------------------------------------------------------------------------------


def described(routes: Sequence[Route]) -> Route | None:
    """Of the routes of an operation, the one that says what the document has of it: the first that is checked."""
    return next((route for route in routes if checked_operation(route) is not None), None)


def path_schemas(route: Route) -> dict[int, dict[str, Any]]:
    """Schemas of a route's variables by where they stand in its path, from 1."""
    validation, operation = route.validation, checked_operation(route)
    if validation is None or operation is None or not validation.parameters:
        return {}
    by_name = {item.name: item.schema for item in operation.parameters if item.where == "path"}
    return {
        depth: draft4(json.loads(by_name[item.text])) or _TEXT
        for depth, item in enumerate(route.path.segments, 1)
        if item.variable and item.text in by_name
    }


def parameters(route: Route) -> Iterator[dict[str, Any]]:
    """Query parameters and headers as OpenAPI has them."""
    validation, operation = route.validation, checked_operation(route)
    if validation is None or operation is None or not validation.parameters:
        return
    for item in operation.parameters:
        if item.where != "path" and not (item.where == "header" and item.name.lower() in _NO_PARAMETERS):
            schema = draft4(json.loads(item.schema)) or _TEXT
            yield {"name": item.name, "in": item.where, "required": item.required, "schema": schema}


def request_body(route: Route, schemas: dict[str, Any]) -> dict[str, Any] | None:
    """The body as OpenAPI has it; its schemas are added to ``schemas``, since an import takes none that stand inside
    of an operation (Microsoft's page of API import restrictions)."""
    validation, operation = route.validation, checked_operation(route)
    if validation is None or operation is None or not validation.body or not operation.bodies:
        return None
    content: dict[str, Any] = {}
    for media, text in operation.bodies:
        if _JSON.fullmatch(media) is None:
            content[media] = {}
            continue
        name = f"body-{sha256(text.encode()).hexdigest()[:10]}"
        schemas[name] = draft4(json.loads(text))
        content[media] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {"required": operation.body_required, "content": content}


# -- the policies ------------------------------------------------------------------------------------------------------


def content(route: Route) -> tuple[bool, bool, bool, tuple[tuple[str, str], ...]] | None:
    """How a route is checked, None: not at all. Whether parameters are, whether a body is, whether there must be one,
    and the (place, name) of parameters that must be there."""
    validation, operation = route.validation, checked_operation(route)
    if validation is None or operation is None:
        return None
    needed = tuple((str(item["in"]), str(item["name"])) for item in parameters(route) if item["required"])
    body = validation.body and bool(operation.bodies)
    must = validation.body and operation.body_required
    found = (validation.parameters and bool(operation.parameters), body, must, needed)
    return found if any(found) else None


def name(route: Route) -> str:
    """For people: what of a request is checked."""
    parts = content(route)
    if parts is None:
        return ""
    words = ["parameters"] if parts[0] else []
    words += ["body" if parts[2] else "body if any"] if parts[1] or parts[2] else []
    return " ".join((*words, *(name for _, name in parts[3])))


def policies(samples: Mapping[str, Route]) -> Iterator[Policy]:
    """The step that checks requests. samples: a route of each value of the part ``validate``."""
    found = {value: content(route) for value, route in samples.items()}
    refused = (problem(400, "Bad request"),)
    missing = [
        When(cs.lacks_a_parameter("validate", value, parts[3]), refused)
        for value, parts in found.items()
        if parts and parts[3]
    ]
    must = tuple(value for value, parts in found.items() if parts and parts[2])
    missing += [When(cs.is_one_of("validate", must, body=False), refused, "a body is missing")] if must else []
    compared = tuple(value for value, parts in found.items() if parts and parts[0])
    bodies = tuple(value for value, parts in found.items() if parts and parts[1])
    if found:
        yield Comment("What a request must be like")
    if missing:
        yield Choose(tuple(missing))
    if compared:
        yield Choose((When(cs.is_one_of("validate", compared), (ValidateParameters(),)),))
    if bodies:
        media = {media for route in samples.values() for media, _ in _bodies(route) if _JSON.fullmatch(media)}
        checked = ValidateContent(tuple(sorted(media)), MAX_BODY)
        yield Choose((When(cs.is_one_of("validate", bodies, body=True), (checked,)),))


def _bodies(route: Route) -> tuple[tuple[str, str], ...]:
    operation = checked_operation(route)
    return operation.bodies if operation is not None else ()
