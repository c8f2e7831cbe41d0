"""Who may call an operation, as an OpenAPI document says it.

API Management ignores that when it imports the document (Microsoft's page "API import restrictions and known issues"):
its policies ask. It is there for who reads the document, people and the rules of `edgewright.policies`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from edgewright.edge.model import ApiKeyAuthorizer, Authorizer, JwtAuthorizer, Route

_BEARER = {"type": "http", "scheme": "bearer"}


def security(routes: Sequence[Route]) -> list[dict[str, list[str]]]:
    """What the routes of an operation ask for: one of these is needed; an empty one, or none at all, is nothing."""
    found: list[dict[str, list[str]]] = []
    for route in routes:
        names = route.auth.authorizers if route.auth is not None else ()
        requirements: list[dict[str, list[str]]] = [{name: []} for name in names] or [{}]
        found += [one for one in requirements if one not in found]
    return found if any(found) else []


def security_schemes(authorizers: Mapping[str, Authorizer], routes: Sequence[Route]) -> dict[str, dict[str, Any]]:
    """The schemes of the authorizers that routes ask for, by name."""
    used = {name for route in routes if route.auth is not None for name in route.auth.authorizers}
    return {name: _scheme(authorizers[name]) for name in sorted(used)}


def _scheme(item: Authorizer) -> dict[str, Any]:
    if isinstance(item, ApiKeyAuthorizer):
        return {"type": "apiKey", "in": item.source.kind, "name": item.source.name}
    if not isinstance(item, JwtAuthorizer):
        return dict(_BEARER)
    if (item.source.kind, item.source.name.lower()) == ("header", "authorization"):
        return {**_BEARER, "bearerFormat": "JWT"}
    # Of tokens that are elsewhere OpenAPI knows no more than of keys.
    return {"type": "apiKey", "in": item.source.kind, "name": item.source.name}
