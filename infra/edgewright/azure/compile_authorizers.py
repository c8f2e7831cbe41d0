"""Authorizers as policies: tokens by ``validate-jwt`` or ``validate-azure-ad-token``, opaque tokens by a question to
their server, API keys by a product."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, cast
from urllib.parse import quote_plus

from edgewright.azure import expressions as cs
from edgewright.azure.policy import (
    CacheLookupValue,
    CacheStoreValue,
    Choose,
    Policy,
    Reference,
    SendRequest,
    SetVariable,
    ValidateAzureAdToken,
    ValidateJwt,
    When,
)
from edgewright.azure.problems import problem
from edgewright.edge.model import ApiKeyAuthorizer, Auth, Authorizer, Edge, IntrospectionAuthorizer, JwtAuthorizer

ALGORITHMS = ("RS256", "RS512", "PS256", "ES256")
"""Asymmetric algorithms that ``validate-jwt`` knows (Microsoft's page of the policy)."""

PATIENCE = 5
"""Seconds that an introspection endpoint has for its answer."""

LEEWAY = 30
"""Seconds that an opaque token may be early, as a JWT may by default."""

_ENTRA = re.compile(r"https://(?:login\.microsoftonline\.com|sts\.windows\.net)/([0-9a-fA-F-]{36})(?:/v2\.0)?/?")


def entra_tenant(issuer: str) -> str | None:
    """The tenant of an issuer that is Microsoft Entra ID; None for another."""
    found = _ENTRA.fullmatch(issuer)
    return found[1].lower() if found else None


def scheme_of(item: JwtAuthorizer) -> str:
    """The word before a token, without the spaces between; empty for none."""
    return item.source.prefix.strip(" ")


def product_of(authorizer: str) -> str:
    """The id of the product whose subscriptions are the clients of an authorizer."""
    return re.sub(r"[^a-z0-9-]+", "-", authorizer.lower()).strip("-") + "-clients"


def by(authorizer: str) -> str:
    """The part ``auth`` of routes that ask for an authorizer; told apart from public ones whatever it is called."""
    return f"by {authorizer}"


def authenticated(item: Authorizer) -> tuple[Policy, ...]:
    """What checks a credential: 401 without a good one."""
    if isinstance(item, ApiKeyAuthorizer):
        refused = problem(401, "Unauthorized", "ApiKey")
        return (Choose((When(cs.comes_without_key_of(product_of(item.name)), (refused,)),)),)
    if isinstance(item, JwtAuthorizer):
        return (_token(item), Choose((When(cs.algorithm_is_none_of(item.algorithms), (_invalid(),)),)))
    raise AssertionError(f"{item.name} is not carried")


def _invalid() -> Policy:
    return problem(401, "Unauthorized", 'Bearer error="invalid_token"')


def authorized(edge: Edge, auth: Auth) -> tuple[Policy, ...]:
    """What checks that a credential is enough: 403, where Microsoft's own policies would answer 401."""
    item = edge.authorizers[auth.authorizers[0]]
    forbidden = problem(403, "Forbidden", 'Bearer error="insufficient_scope"')
    return (Choose(tuple(When(condition, (forbidden,)) for condition in _lacking(item, auth))),)


def _lacking(item: Authorizer, auth: Auth) -> Iterator[cs.Code]:
    if isinstance(item, IntrospectionAuthorizer):
        if auth.scopes:
            yield cs.opaque_lacks_a_scope(auth.scopes)
        if auth.any_scope:
            yield cs.opaque_lacks_all_scopes(auth.any_scope)
        yield from (cs.opaque_lacks_claim(name, values) for name, values in auth.claims)
    elif isinstance(item, JwtAuthorizer):
        if auth.scopes:
            yield cs.lacks_a_scope(item.scope_claim, auth.scopes)
        if auth.any_scope:
            yield cs.lacks_all_scopes(item.scope_claim, auth.any_scope)
        yield from (cs.lacks_claim(name, values) for name, values in auth.claims)
    else:
        raise TypeError(item)


# -- opaque tokens -----------------------------------------------------------------------------------------------------


def keeps(edge: Edge) -> bool:
    """Whether gateways keep anything between requests: answers, or what is known of opaque tokens."""
    return any(route.cache is not None for route in edge.routes) or any(
        item.cache >= 1000 for item in introspections(edge)
    )


def introspections(edge: Edge) -> tuple[IntrospectionAuthorizer, ...]:
    """The authorizers of opaque tokens that routes ask for, by name."""
    used = {name for route in edge.routes if route.auth is not None for name in route.auth.authorizers}
    found = [edge.authorizers[name] for name in sorted(used)]
    return tuple(item for item in found if isinstance(item, IntrospectionAuthorizer))


def credential_of(edge: Edge, authorizer: str) -> str:
    """The named value that holds the credential of an authorizer's client, as `basic_credential` makes it."""
    return f"{edge.name}-{authorizer}-introspection"


def named_values(edge: Edge) -> dict[str, tuple[str, str]]:
    """The named values that the policies need, each with the authorizer and the client whose secret it is made of."""
    return {credential_of(edge, item.name): (item.name, item.client) for item in introspections(edge)}


def basic_credential(client: str, secret: str) -> str:
    """What stands behind ``Basic`` (RFC 6749, 2.3.1): the named value's content. Its signs are no code and no XML."""
    return b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


def introspected(edge: Edge, items: Sequence[IntrospectionAuthorizer], caching: str | None) -> tuple[Policy, ...]:
    """What asks for an opaque token: 401 without an active one, 503 where the endpoint gives no answer.

    items: one of them is asked, by the variable ``auth``; caching: where answers are kept, None: nowhere. All stand
    together, since a section may hold policies of kept values once only.
    """
    caching = caching if any(_kept(item) for item in items) else None
    key = cs.kept_under(f"introspection:{edge.name}:{_digest(items)}:")
    unavailable = problem(503, "Service unavailable")
    asked: list[Policy] = [
        *_asked(edge, items),
        SetVariable(cs.INTROSPECTED, cs.introspected("answer")),
        Choose(
            (
                When(cs.is_(cs.INTROSPECTED, cs.FAILED), (unavailable,), "the endpoint gave no answer"),
                When(cs.is_(cs.INTROSPECTED, cs.INACTIVE), (_invalid(),)),
            ),
            tuple(_stored(items, key, caching)) if caching is not None else (),
        ),
    ]
    policies: list[Policy] = [
        SetVariable(cs.BEARER, cs.bearer()),
        Choose((When(cs.is_(cs.BEARER, ""), (problem(401, "Unauthorized", "Bearer"),)),)),
    ]
    if caching is None:
        policies += asked
    else:
        policies.append(CacheLookupValue(key, cs.INTROSPECTED, caching))
        policies.append(Choose((When(cs.is_missing(cs.INTROSPECTED), tuple(asked)),)))
    return (
        *policies,
        Choose((When(cs.is_out_of_time(LEEWAY), (_invalid(),), "it may have ended since it was asked for"),)),
        SetVariable(cs.SUBJECT, cs.opaque_subject()),
    )


def _asked(edge: Edge, items: Sequence[IntrospectionAuthorizer]) -> Iterator[Policy]:
    requests = {item.name: _request(edge, item) for item in items}
    if len(requests) == 1:
        yield from requests.values()
    else:
        yield Choose(tuple(When(cs.is_("auth", by(name)), (request,)) for name, request in requests.items()))


def _request(edge: Edge, item: IntrospectionAuthorizer) -> SendRequest:
    return SendRequest(
        url=item.endpoint,
        headers=(
            ("Authorization", Reference(credential_of(edge, item.name), before="Basic ")),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        ),
        body=cs.introspection_form(),
        variable="answer",
        timeout=PATIENCE,
    )


def _kept(item: IntrospectionAuthorizer) -> int:
    """Seconds that answers are kept: no longer than the spec says; 0 for none."""
    return item.cache // 1000


def _stored(items: Sequence[IntrospectionAuthorizer], key: cs.Code, caching: str) -> Iterator[Policy]:
    seconds = {by(item.name): _kept(item) for item in items if _kept(item)}
    same = len(set(seconds.values())) == 1
    duration = next(iter(seconds.values())) if same else cs.kept_for(seconds)
    store = CacheStoreValue(key, cs.variable(cs.INTROSPECTED), duration, caching)
    everywhere = len(seconds) == len(items)
    yield store if everywhere else Choose((When(cs.is_one_of("auth", tuple(seconds)), (store,)),))


def _digest(items: Sequence[IntrospectionAuthorizer]) -> str:
    """Of whom is asked: what was kept for another server or client is not found."""
    return sha256(repr([(item.name, item.endpoint, item.client) for item in items]).encode()).hexdigest()[:12]


# -- JWTs --------------------------------------------------------------------------------------------------------------


def _token(item: JwtAuthorizer) -> Policy:
    tenant = entra_tenant(item.issuer)
    if tenant is not None:
        return ValidateAzureAdToken(tenant, item.audiences if item.audience_claim == "aud" else (), cs.TOKEN)
    source = item.source
    kind = {"header": "header-name", "query": "query-parameter-name"}[source.kind]
    return ValidateJwt(
        source=(kind, "Authorization" if source.name == "authorization" else source.name),
        scheme=scheme_of(item) or None,
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
