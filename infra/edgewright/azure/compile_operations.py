"""The operations of an API from the routes of an edge: their ids, their OpenAPI document, and what each one has."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

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
    """The document that API Management imports: paths, ids, and the variables of paths, nothing that it would drop."""
    paths: dict[str, dict[str, Any]] = {}
    for item in found:
        operation: dict[str, Any] = {
            "operationId": item.id,
            "summary": ", ".join(dict.fromkeys(route.key for route in item.routes)),
            "responses": {"default": {"description": "what the service answers"}},
        }
        variables = list(_variables(item.path))
        if variables:
            operation["parameters"] = variables
        paths.setdefault(item.path, {})[item.method.lower()] = operation
    return {"openapi": "3.0.1", "info": {"title": name, "version": "1"}, "paths": paths}


def _variables(path: str) -> Iterator[dict[str, Any]]:
    for segment in path.split("/"):
        if segment.startswith("{"):
            yield {"name": segment[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
