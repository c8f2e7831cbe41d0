"""Resolves authorizers: presets applied, sources of credentials made explicit, durations in milliseconds."""

from typing import Literal

from edgewright.edge.collect import Collector
from edgewright.edge.model import (
    ApiKeyAuthorizer,
    Authorizer,
    CredentialSource,
    IntrospectionAuthorizer,
    JwtAuthorizer,
    MtlsAuthorizer,
    OidcAuthorizer,
)
from edgewright.spec import model as spec_model
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Path

AudienceClaim = Literal["aud", "client_id", "azp"]

# Where providers put scopes and audience in access tokens: Entra writes delegated permissions to `scp`; Cognito's
# access tokens have no `aud` but `client_id` (Amazon Cognito guide, "Understanding user pool JSON web tokens");
# the others follow RFC 9068.
PRESETS: dict[str, tuple[str, AudienceClaim]] = {
    "entra": ("scp", "aud"),
    "cognito": ("scope", "client_id"),
    "auth0": ("scope", "aud"),
    "keycloak": ("scope", "aud"),
}


def resolve_authorizers(spec: EdgeSpec, collect: Collector) -> dict[str, Authorizer]:
    """The authorizers by name."""
    return {name: _authorizer(name, spec.authorizers[name], spec, collect) for name in sorted(spec.authorizers)}


def _authorizer(name: str, item: spec_model.Authorizer, spec: EdgeSpec, collect: Collector) -> Authorizer:
    path: Path = ("authorizers", name)
    origin = collect.origin(path)
    if item.jwt is not None:
        return _jwt(name, item.jwt, collect)
    if item.api_key is not None:
        return _api_key(name, item.api_key, collect)
    if item.oidc is not None:
        return OidcAuthorizer(name, item.oidc.issuer, item.oidc.client, item.oidc.scopes, origin)
    if item.introspection is not None:
        asked = item.introspection
        return IntrospectionAuthorizer(name, asked.endpoint, asked.client, asked.cache.milliseconds, origin)
    if item.mtls is None:
        raise AssertionError("the model lets no empty authorizer through")
    listeners = [one for one in (spec.listener, *spec.listeners.values()) if one is not None]
    if not any(listener.tls is not None and listener.tls.client_ca for listener in listeners):
        collect.error(
            (*path, "mtls"),
            "no listener asks for client certificates",
            "give a listener `tls: {client_ca: NAME}`",
            code="mtls-listener",
        )
    return MtlsAuthorizer(name, item.mtls.subjects, origin)


def _jwt(name: str, jwt: spec_model.Jwt, collect: Collector) -> JwtAuthorizer:
    path: Path = ("authorizers", name, "jwt")
    scope_claim, audience_claim = PRESETS[jwt.preset] if jwt.preset else ("scope", "aud")
    if len(set(jwt.algorithms)) != len(jwt.algorithms):
        collect.error((*path, "algorithms"), "an algorithm stands twice", "name each once", code="duplicate-value")
    if jwt.clock_skew.milliseconds > 600_000:
        collect.error(
            (*path, "clock_skew"),
            f"{jwt.clock_skew} lets expired tokens in for that long",
            "use at most 10m",
            code="clock-skew",
        )
    return JwtAuthorizer(
        name=name,
        issuer=jwt.issuer,
        audiences=jwt.audiences,
        jwks_uri=jwt.jwks_uri,
        jwks=jwt.jwks,
        algorithms=jwt.algorithms,
        source=_source(jwt.source, "Bearer "),
        scope_claim=jwt.scope_claim or scope_claim,
        audience_claim=jwt.audience_claim or audience_claim,
        clock_skew=jwt.clock_skew.milliseconds,
        jwks_refresh=jwt.jwks_refresh.milliseconds,
        origin=collect.origin(path),
    )


def _api_key(name: str, item: spec_model.ApiKey, collect: Collector) -> ApiKeyAuthorizer:
    path: Path = ("authorizers", name, "api_key")
    if len(set(item.clients)) != len(item.clients):
        collect.error((*path, "clients"), "a client stands twice", "name each once", code="duplicate-value")
    return ApiKeyAuthorizer(name, _source(item.source, ""), tuple(sorted(set(item.clients))), collect.origin(path))


def _source(source: spec_model.CredentialSource | None, prefix: str) -> CredentialSource:
    if source is None:
        return CredentialSource("header", "authorization", prefix)
    if source.header is not None:
        bearer = prefix if source.header == "authorization" else ""
        return CredentialSource("header", source.header, bearer if source.prefix is None else source.prefix)
    if source.cookie is not None:
        return CredentialSource("cookie", source.cookie)
    return CredentialSource("query", source.query or "")
