"""The operations of an API from the routes of an edge: their ids, their OpenAPI document, and what each one has."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from edgewright.azure import compile_validation as validation
from edgewright.azure.compile_security import security, security_schemes
from edgewright.clouds.path_table import ApiResource, api_resources
from edgewright.edge.model import Authorizer, Route

MAX_ID = 76
"""Characters of an operation's id that an import leaves as they are (Microsoft's page of the OpenAPI import)."""

MAX_WORD = MAX_ID - len("options-")

MAX_SUMMARY = 300
"""Characters of an operation's name in API Management, which the import takes from the summary (``displayName``)."""


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """An operation: method, path as OpenAPI has it (``/orders/*`` for all below), and the routes that are asked in
    turn."""

    id: str
    method: str
    path: str
    routes: tuple[Route, ...]


def operations(routes: Sequence[Route]) -> tuple[ApiOperation, ...]:
    """The operations that carry these routes, by path and method. No WebSocket routes.

    A method of a path that has CORS has no OPTIONS: an operation for it would switch preflights off (Microsoft's page
    of the ``cors`` policy).
    """
    crossing = any(route.cors is not None for route in routes)
    found: list[ApiOperation] = []
    for resource in api_resources(routes):
        path = _path(resource)
        word = _word(path)
        for method, asked in resource.candidates.items():
            if not (method == "OPTIONS" and crossing):
                found.append(ApiOperation(f"{method.lower()}-{word}", method, path, asked))
    return tuple(found)


# A segment that is its own word in an id, and that no other part of an id is written as: variables are `p1`, `/*` is
# `rest`, `/` is `root`, and a digest has eight signs.
_OWN_WORD = re.compile(r"(?!p[0-9]+$|rest$|root$|[0-9a-f]{8}$)[a-z0-9]+")


def _word(path: str) -> str:
    """A path as an import would normalise it: small letters, digits and single hyphens. Where that loses something it
    has its digest, whatever other paths there are: a route that is added gives no other one's operation a new id."""
    segments = path.strip("/").split("/") if path != "/" else []
    literals = [item for item in segments if item != "*" and not item.startswith("{")]
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(segments).replace("*", "rest").lower()).strip("-") or "root"
    if len(plain) <= MAX_WORD and all(_OWN_WORD.fullmatch(item) for item in literals):
        return plain
    digest = sha256(path.encode()).hexdigest()[:8]
    return f"{plain[: MAX_WORD - 9].rstrip('-')}-{digest}"


def _path(resource: ApiResource) -> str:
    """As OpenAPI has it. Variables are named by where they stand: names of authors may differ from route to route, and
    would then change with routes that come and go."""
    return "/" + "/".join(
        "*" if item.endswith("+}") else f"{{p{depth}}}" if item.startswith("{") else item
        for depth, item in enumerate(resource.segments, 1)
    )


def openapi(name: str, found: Sequence[ApiOperation], authorizers: Mapping[str, Authorizer]) -> dict[str, Any]:
    """The document that API Management imports: paths, ids, the variables of paths, and of operations whose requests
    are checked what these must be like. It has nothing else that would be dropped but who may call, see
    `compile_security`."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for item in found:
        operation: dict[str, Any] = {
            "operationId": item.id,
            "summary": _summary(list(dict.fromkeys(route.key for route in item.routes))),
            "responses": {"default": {"description": "what the service answers"}},
            "security": security(item.routes),
        }
        described = validation.described(item.routes)
        known = validation.path_schemas(described) if described is not None else {}
        given = list(_variables(item.path, known))
        if described is not None:
            given += validation.parameters(described)
            body = validation.request_body(described, schemas) if item.method not in validation.BODILESS else None
            operation |= {"requestBody": body} if body is not None else {}
        if given:
            operation["parameters"] = given
        paths.setdefault(item.path, {})[item.method.lower()] = operation
    document: dict[str, Any] = {"openapi": "3.0.1", "info": {"title": name, "version": "1"}, "paths": paths}
    schemes = security_schemes(authorizers, [route for item in found for route in item.routes])
    parts = {"schemas": dict(sorted(schemas.items())), "securitySchemes": schemes}
    components = {name: part for name, part in parts.items() if part}
    return {**document, "components": components} if components else document


def _summary(keys: Sequence[str]) -> str:
    """For people: the routes, so many as there is room for."""
    for shown in range(len(keys), 0, -1):
        left = f" and {len(keys) - shown} more" if shown < len(keys) else ""
        text = ", ".join(keys[:shown]) + left
        if len(text) <= MAX_SUMMARY:
            return text
    return f"{keys[0][: MAX_SUMMARY - 20]}..." + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")


def carried_by(found: Sequence[ApiOperation]) -> dict[str, tuple[str, ...]]:
    """The ids of the operations that carry each route, by its key."""
    carried: dict[str, list[str]] = {}
    for item in found:
        for route in item.routes:
            carried.setdefault(route.key, []).append(item.id)
    return {key: tuple(names) for key, names in carried.items()}


def _variables(path: str, known: Mapping[int, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The variables of a path. known: schemas by where one stands, from 1."""
    for depth, segment in enumerate(path.strip("/").split("/"), 1):
        if segment.startswith("{"):
            schema = known.get(depth, {"type": "string"})
            yield {"name": segment[1:-1], "in": "path", "required": True, "schema": schema}
