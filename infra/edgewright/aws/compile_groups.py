"""Groups of routes that ask for the same of a caller, and what each balancer or gateway is told of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from edgewright.aws.artifact import Json
from edgewright.aws.bindings import Bindings
from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Auth,
    Authorizer,
    Edge,
    JwtAuthorizer,
    MtlsAuthorizer,
    OidcAuthorizer,
    Route,
)

PREFIX = "edge."
"""What the first segment of a path behind a public balancer begins with; no route of a spec may."""

Kind = Literal["public", "jwt", "key", "oidc", "mtls", "other"]


@dataclass(frozen=True, slots=True)
class Group:
    """What callers must show. name: a slug such as ``main.orders-read``, ``public``; kind: of its authorizers."""

    name: str
    kind: Kind
    auth: Auth | None

    @property
    def prefix(self) -> str:
        """The first segment of its routes' paths in an API behind a public balancer."""
        return PREFIX + self.name


PUBLIC = Group("public", "public", None)


def groups_of(edge: Edge, routes: Sequence[Route]) -> Mapping[str, Group]:
    """The group of each route, by its key."""
    found: dict[object, Group] = {}
    result: dict[str, Group] = {}
    for route in routes:
        auth = route.auth
        if auth is None:
            result[route.key] = PUBLIC
            continue
        key = (auth.authorizers, auth.scopes, auth.any_scope, auth.claims)
        if key not in found:
            found[key] = Group(_name(auth, {item.name for item in found.values()}), kind_of(edge, auth), auth)
        result[route.key] = found[key]
    return result


def kind_of(edge: Edge, auth: Auth) -> Kind:
    """The kind of the authorizers of a route; ``other`` when they are mixed or of a kind that AWS has nothing for."""
    kinds: set[Kind] = {_kind(edge.authorizers[name]) for name in auth.authorizers}
    return kinds.pop() if len(kinds) == 1 else "other"


def _kind(item: Authorizer) -> Kind:
    kinds: dict[type, Kind] = {
        JwtAuthorizer: "jwt",
        ApiKeyAuthorizer: "key",
        OidcAuthorizer: "oidc",
        MtlsAuthorizer: "mtls",
    }
    return kinds.get(type(item), "other")


def _name(auth: Auth, taken: set[str]) -> str:
    words = [".".join(auth.authorizers)]
    words += [_word(scope) for scope in auth.scopes]
    words += ["any", *(_word(scope) for scope in auth.any_scope)] if auth.any_scope else []
    words += [_word(f"{name}-{'-'.join(values)}") for name, values in auth.claims]
    name = ".".join(words)
    if len(name) > 60 or name in taken or name == PUBLIC.name:
        meaning = repr((auth.authorizers, auth.scopes, auth.any_scope, auth.claims))
        name = f"{name[:48].rstrip('.')}.{sha256(meaning.encode()).hexdigest()[:8]}"
    return name


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def balancer_actions(edge: Edge, group: Group, bindings: Bindings) -> tuple[Json, ...]:
    """What a balancer does before it sends a request of this group on."""
    if group.auth is None or group.kind not in ("jwt", "oidc"):
        return ()  # keys are checked by the API behind, certificates by the listener
    item = edge.authorizers[group.auth.authorizers[0]]
    if isinstance(item, JwtAuthorizer):
        return ({"jwt": _jwt(item, group.auth, bindings)},)
    if isinstance(item, OidcAuthorizer):
        return ({"oidc": _oidc(item, bindings)},)
    raise AssertionError(item)


def _jwt(item: JwtAuthorizer, auth: Auth, bindings: Bindings) -> Json:
    claims: list[Json] = [
        {
            "name": item.audience_claim,
            "format": "string-array" if len(item.audiences) > 1 else bindings.audience_format(item.name),
            "values": list(item.audiences),
        }
    ]
    if auth.scopes or auth.any_scope:
        values = list(auth.scopes or auth.any_scope)
        claims.append({"name": item.scope_claim, "format": "space-separated-values", "values": values})
    for name, values in auth.claims:
        claims.append(
            {"name": name, "format": "string-array" if len(values) > 1 else "single-string", "values": list(values)}
        )
    return {"issuer": item.issuer, "jwks_uri": bindings.jwks_uri(item), "claims": claims}


def _oidc(item: OidcAuthorizer, bindings: Bindings) -> Json:
    at = bindings.oidc(item)
    return {
        "issuer": item.issuer,
        "authorization_endpoint": at["authorization_endpoint"],
        "token_endpoint": at["token_endpoint"],
        "user_info_endpoint": at["user_info_endpoint"],
        "client_id": item.client,
        "client_secret": f"{{{{oidc_secret:{item.name}}}}}",
        "scope": " ".join(item.scopes),
        "on_unauthenticated": "authenticate",
    }
