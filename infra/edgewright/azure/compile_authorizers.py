"""Authorizers as policies: tokens by ``validate-jwt`` or ``validate-azure-ad-token``, API keys by a product."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from edgewright.azure import expressions as cs
from edgewright.azure.policy import Choose, Policy, ValidateAzureAdToken, ValidateJwt, When
from edgewright.azure.problems import problem
from edgewright.edge.model import ApiKeyAuthorizer, Auth, Authorizer, Edge, JwtAuthorizer

ALGORITHMS = ("RS256", "RS512", "PS256", "ES256")
"""Asymmetric algorithms that ``validate-jwt`` knows (Microsoft's page of the policy)."""

_ENTRA = re.compile(r"https://(?:login\.microsoftonline\.com|sts\.windows\.net)/([0-9a-fA-F-]{36})(?:/v2\.0)?/?")


def entra_tenant(issuer: str) -> str | None:
    """The tenant of an issuer that is Microsoft Entra ID; None for another."""
    found = _ENTRA.fullmatch(issuer)
    return found[1].lower() if found else None


def product_of(authorizer: str) -> str:
    """The id of the product whose subscriptions are the clients of an authorizer."""
    return re.sub(r"[^a-z0-9-]+", "-", authorizer.lower()).strip("-") + "-clients"


def authenticated(item: Authorizer) -> tuple[Policy, ...]:
    """What checks a credential: 401 without a good one."""
    if isinstance(item, ApiKeyAuthorizer):
        refused = problem(401, "Unauthorized", "ApiKey")
        return (Choose((When(cs.comes_without_key_of(product_of(item.name)), (refused,)),)),)
    if isinstance(item, JwtAuthorizer):
        invalid = problem(401, "Unauthorized", 'Bearer error="invalid_token"')
        return (_token(item), Choose((When(cs.algorithm_is_none_of(item.algorithms), (invalid,)),)))
    raise AssertionError(f"{item.name} is not carried")


def authorized(edge: Edge, auth: Auth) -> tuple[Policy, ...]:
    """What checks that a credential is enough: 403, where Microsoft's own policies would answer 401."""
    item = edge.authorizers[auth.authorizers[0]]
    if not isinstance(item, JwtAuthorizer):
        raise TypeError(item)
    forbidden = problem(403, "Forbidden", 'Bearer error="insufficient_scope"')
    whens: list[When] = []
    if auth.scopes:
        whens.append(When(cs.lacks_a_scope(item.scope_claim, auth.scopes), (forbidden,)))
    if auth.any_scope:
        whens.append(When(cs.lacks_all_scopes(item.scope_claim, auth.any_scope), (forbidden,)))
    whens += [When(cs.lacks_claim(name, values), (forbidden,)) for name, values in auth.claims]
    return (Choose(tuple(whens)),)


def _token(item: JwtAuthorizer) -> Policy:
    tenant = entra_tenant(item.issuer)
    if tenant is not None:
        return ValidateAzureAdToken(tenant, item.audiences if item.audience_claim == "aud" else (), cs.TOKEN)
    source = item.source
    kind = {"header": "header-name", "query": "query-parameter-name"}[source.kind]
    scheme = source.prefix.strip() or None
    return ValidateJwt(
        source=(kind, "Authorization" if source.name == "authorization" else source.name),
        scheme=scheme,
        openid_configs=()
        if item.jwks is not None
        else (f"{item.issuer.rstrip('/')}/.well-known/openid-configuration",),
        keys=tuple(rsa_keys(item)),
        audiences=item.audiences if item.audience_claim == "aud" else (),
        issuers=(item.issuer,),
        claims=((item.audience_claim, item.audiences),) if item.audience_claim != "aud" else (),
        clock_skew=item.clock_skew // 1000,
        variable=cs.TOKEN,
    )


def rsa_keys(item: JwtAuthorizer) -> Iterator[tuple[str, str, str]]:
    """Inline keys as (id, modulus, exponent)."""
    if item.jwks is None:
        return
    for number, key in enumerate(cast("list[dict[str, Any]]", json.loads(item.jwks)["keys"])):
        if key.get("kty") == "RSA":
            yield str(key.get("kid") or f"key-{number}"), str(key["n"]), str(key["e"])
