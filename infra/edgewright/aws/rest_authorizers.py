"""Who may call a method of a public REST API: Cognito's authorizer, or the Lambda authorizer of this package."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from edgewright.aws.artifact import Json, LambdaAuthorizer
from edgewright.aws.bindings import Bindings
from edgewright.aws.compile_groups import Group
from edgewright.clouds.path_table import ApiResource
from edgewright.edge.model import Auth, Edge, JwtAuthorizer

KEY_SCHEME = "api-key"


def security_schemes(edge: Edge, groups: Mapping[str, Group], bindings: Bindings, *, private: bool) -> Json:
    """The schemes of a body: one for each group of routes, since the gateway keeps what an authorizer said by
    authorizer.
    """
    found: Json = {}
    for group in sorted({item.name: item for item in groups.values()}.values(), key=lambda item: item.name):
        if group.kind == "key":
            found[KEY_SCHEME] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
        elif group.kind == "jwt" and not private:
            found[group.name] = jwt_scheme(edge, group, bindings)
    return found


def operation_security(group: Group, bindings: Bindings, edge: Edge, *, private: bool) -> list[Json]:
    """What one operation asks for. At the root of a body it would be ignored, so it stands at each operation."""
    if group.kind == "key":
        return [{KEY_SCHEME: []}]
    if group.kind == "jwt" and not private:
        scopes = (
            list(group.auth.scopes or group.auth.any_scope) if group.auth and cognito(edge, group, bindings) else []
        )
        return [{group.name: scopes}]
    return []


def jwt_scheme(edge: Edge, group: Group, bindings: Bindings) -> Json:
    """How a token is checked. The one place to change when the provider types API Gateway's own JWT authorizer."""
    if cognito(edge, group, bindings):
        item = _jwt(edge, group)
        return {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {
                "type": "cognito_user_pools",
                "providerARNs": [f"{{{{user_pool:{item.name}}}}}"],
            },
        }
    sources = identity_sources(edge, group)
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "authorizerUri": "{{authorizer_uri}}",
            "identitySource": ",".join(sources),
            # Without an identity source there is nothing to remember an answer by.
            "authorizerResultTtlInSeconds": 300 if sources else 0,
        },
    }


def cognito(edge: Edge, group: Group, bindings: Bindings) -> bool:
    """Whether Cognito's own authorizer carries a group: a bound pool, and at most one scope (it asks for any)."""
    auth = group.auth
    if auth is None or len(auth.authorizers) != 1 or auth.claims or len(auth.scopes) > 1:
        return False
    item = edge.authorizers[auth.authorizers[0]]
    return isinstance(item, JwtAuthorizer) and bindings.user_pool(item.name) is not None and is_cognito(item.issuer)


def is_cognito(issuer: str) -> bool:
    """Whether an issuer is a Cognito user pool."""
    host = urlsplit(issuer).hostname or ""
    return host.startswith("cognito-idp.") and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def identity_sources(edge: Edge, group: Group) -> tuple[str, ...]:
    """Where the gateway finds the token; a request without it gets 401 without a call. None for several places, or a
    cookie.
    """
    names = group.auth.authorizers if group.auth else ()
    found: set[str] = set()
    for name in names:
        item = edge.authorizers[name]
        if not isinstance(item, JwtAuthorizer) or item.source.kind == "cookie":
            return ()
        where = "querystring" if item.source.kind == "query" else "header"
        found.add(
            f"method.request.{where}.{'Authorization' if item.source.name == 'authorization' else item.source.name}"
        )
    return tuple(found) if len(found) == 1 else ()


def authorizer_config(
    edge: Edge, resources: Sequence[ApiResource], groups: Mapping[str, Group], bindings: Bindings
) -> LambdaAuthorizer | None:
    """What the function is told; None when no route needs it."""
    needed = {item.name: item for item in groups.values() if item.kind == "jwt" and not cognito(edge, item, bindings)}
    if not needed:
        return None
    methods: dict[str, str] = {}
    for resource in resources:
        for method, route in resource.methods.items():
            group = groups[route.key]
            if group.name in needed:
                methods[f"{method} {resource.path}"] = group.name
    return LambdaAuthorizer(lambda_config(edge, needed, methods, bindings))


def lambda_config(edge: Edge, groups: Mapping[str, Group], methods: Mapping[str, str], bindings: Bindings) -> Json:
    """The file that stands beside the function."""
    names = sorted({name for group in groups.values() if group.auth for name in group.auth.authorizers})
    return {
        "authorizers": {name: _config(edge.authorizers[name], bindings) for name in names},
        "requirements": {name: _requirement(group.auth) for name, group in sorted(groups.items()) if group.auth},
        "methods": dict(sorted(methods.items())),
        "api_keys": False,
    }


def _config(item: object, bindings: Bindings) -> Json:
    if not isinstance(item, JwtAuthorizer):
        raise TypeError(item)
    return {
        "issuer": item.issuer,
        "audiences": list(item.audiences),
        "audience_claim": item.audience_claim,
        # Without either, the function asks the issuer's discovery document.
        "jwks_uri": None if item.jwks else _keys_at(item, bindings),
        "jwks": json.loads(item.jwks) if item.jwks else None,
        "algorithms": list(item.algorithms),
        "source": {"kind": item.source.kind, "name": item.source.name, "prefix": item.source.prefix},
        "scope_claim": item.scope_claim,
        "clock_skew": item.clock_skew // 1000,
        "jwks_refresh": item.jwks_refresh // 1000,
    }


def _keys_at(item: JwtAuthorizer, bindings: Bindings) -> str | None:
    if item.jwks_uri is not None:
        return item.jwks_uri
    return f"{{{{jwks_uri:{item.name}}}}}" if bindings.bound_jwks_uri(item.name) is not None else None


def _requirement(auth: Auth) -> Json:
    return {
        "authorizers": list(auth.authorizers),
        "scopes": list(auth.scopes),
        "any_scope": list(auth.any_scope),
        "claims": {name: list(values) for name, values in auth.claims},
    }


def _jwt(edge: Edge, group: Group) -> JwtAuthorizer:
    item = edge.authorizers[group.auth.authorizers[0]] if group.auth else None
    if not isinstance(item, JwtAuthorizer):
        raise TypeError(item)
    return item
