"""The operations of an API from the routes of an edge: their ids, their OpenAPI document, and what each one has."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from edgewright.azure import compile_validation as validation
from edgewright.clouds.path_table import ApiResource, api_resources
from edgewright.edge.model import Route

MAX_ID = 76
"""Characters of an operation's id that an import leaves as they are (Microsoft's page of the OpenAPI import)."""


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
    found = [
        (resource, method, asked)
        for resource in api_resources(routes)
        for method, asked in resource.candidates.items()
        if not (method == "OPTIONS" and crossing)
    ]
    plain = [_id(method, resource) for resource, method, _ in found]
    often = Counter(plain)
    return tuple(
        ApiOperation(
            name if often[name] == 1 and len(name) <= MAX_ID else _told_apart(name, method, resource.path),
            method,
            _path(resource),
            asked,
        )
        for name, (resource, method, asked) in zip(plain, found, strict=True)
    )


def _id(method: str, resource: ApiResource) -> str:
    """As an import would normalise it: small letters, digits and single hyphens."""
    words = _path(resource).replace("*", "rest").strip("/").split("/")
    return re.sub(r"[^a-z0-9]+", "-", f"{method}-{'-'.join(words) or 'root'}".lower()).strip("-")


def _told_apart(name: str, method: str, path: str) -> str:
    digest = sha256(f"{method} {path}".encode()).hexdigest()[:8]
    return f"{name[: MAX_ID - 9].rstrip('-')}-{digest}"


def _path(resource: ApiResource) -> str:
    """As OpenAPI has it. Variables are named by where they stand: names of authors may differ from route to route, and
    would then change with routes that come and go."""
    return "/" + "/".join(
        "*" if item.endswith("+}") else f"{{p{depth}}}" if item.startswith("{") else item
        for depth, item in enumerate(resource.segments, 1)
    )


def openapi(name: str, found: Sequence[ApiOperation]) -> dict[str, Any]:
    """The document that API Management imports: paths, ids, the variables of paths, and of operations whose requests
    are checked what these must be like; nothing that it would drop."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for item in found:
        operation: dict[str, Any] = {
            "operationId": item.id,
            "summary": ", ".join(dict.fromkeys(route.key for route in item.routes)),
            "responses": {"default": {"description": "what the service answers"}},
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
    if schemas:
        document["components"] = {"schemas": dict(sorted(schemas.items()))}
    return document


def _variables(path: str, known: Mapping[int, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The variables of a path. known: schemas by where one stands, from 1."""
    for depth, segment in enumerate(path.strip("/").split("/"), 1):
        if segment.startswith("{"):
            schema = known.get(depth, {"type": "string"})
            yield {"name": segment[1:-1], "in": "path", "required": True, "schema": schema}
