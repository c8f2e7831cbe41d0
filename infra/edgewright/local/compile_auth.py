"""Who may: JWT providers, what a token must carry, API keys, as filters of the gateway and their settings per route."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from edgewright.edge.model import ApiKeyAuthorizer, Auth, Authorizer, Edge, JwtAuthorizer
from edgewright.local.artifact import CredentialRef, IdentityIssuer
from edgewright.local.bindings import Bindings
from edgewright.local.compile_http import CLIENT_STATE
from edgewright.local.envoy_json import ON, Json, exact, extension, on_route, seconds

SUBJECT = "x-edge-subject"
CLIENT = "x-edge-client"
ISSUER = "x-edge-issuer"
"""Private headers: a token's subject and issuer, and the client whose API key was checked; clients' own are removed."""

IDENTITY = "idp"
"""The cluster of the development OpenID provider."""

# Debian, Ubuntu and Alpine keep the system's authorities here; a binding may name another file one day.
SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?")

_JWT = "extensions.filters.http.jwt_authn.v3."
_RBAC = "extensions.filters.http.rbac.v3."
_KEYS = "extensions.filters.http.api_key_auth.v3."


def jwt_authorizers(edge: Edge) -> tuple[JwtAuthorizer, ...]:
    """The JWT authorizers that routes use."""
    return tuple(item for item in _used(edge) if isinstance(item, JwtAuthorizer))


def key_authorizers(edge: Edge) -> tuple[ApiKeyAuthorizer, ...]:
    """The API key authorizers that routes use."""
    return tuple(item for item in _used(edge) if isinstance(item, ApiKeyAuthorizer))


def _used(edge: Edge) -> list[Authorizer]:
    names = {name for route in edge.routes if route.auth for name in route.auth.authorizers}
    return [item for item in edge.authorizers.values() if item.name in names]


def identity_issuers(edge: Edge, bindings: Bindings) -> tuple[IdentityIssuer, ...]:
    """What the development OpenID provider issues: tokens of the authorizers whose keys nobody else gives."""
    return tuple(
        IdentityIssuer(
            item.name,
            item.issuer,
            item.audiences,
            item.algorithms,
            item.scope_claim,
            _scopes(edge, item.name),
            item.audience_claim,
        )
        for item in jwt_authorizers(edge)
        if _jwks_uri(item, bindings) is None and item.jwks is None
    )


def _scopes(edge: Edge, authorizer: str) -> tuple[str, ...]:
    found = {
        scope
        for route in edge.routes
        if route.auth and authorizer in route.auth.authorizers
        for scope in (*route.auth.scopes, *route.auth.any_scope)
    }
    return tuple(sorted(found))


def _jwks_uri(item: JwtAuthorizer, bindings: Bindings) -> str | None:
    return bindings.jwks_uris.get(item.name, item.jwks_uri)


def credential_refs(edge: Edge) -> tuple[CredentialRef, ...]:
    """The API keys that the runtime must know."""
    return tuple(
        CredentialRef(placeholder(item.name, client), item.name, client)
        for item in key_authorizers(edge)
        for client in item.clients
    )


def placeholder(authorizer: str, client: str) -> str:
    """What stands for a client's API key until the runtime writes the file."""
    return f"{{{{credential:{authorizer}:{client}}}}}"


# -- filters -----------------------------------------------------------------------------------------------------------


def jwt_filter(edge: Edge, bindings: Bindings) -> Json:
    """The filter that checks signatures, issuer, audience and expiry; a requirement for each set of authorizers."""
    sets = {route.auth.authorizers for route in edge.routes if route.auth and _all_jwt(edge, route.auth)}
    requirements = {requirement(names): _requirement(names) for names in sorted(sets)}
    return extension(
        "jwt",
        f"{_JWT}JwtAuthentication",
        providers={item.name: _provider(item, edge, bindings) for item in jwt_authorizers(edge)},
        requirement_map=requirements,
    ) | {"disabled": True}


def _all_jwt(edge: Edge, auth: Auth) -> bool:
    return all(isinstance(edge.authorizers[name], JwtAuthorizer) for name in auth.authorizers)


def requirement(names: Iterable[str]) -> str:
    """The name of the requirement that one of these authorizers accepts."""
    return "|".join(names)


def _requirement(names: tuple[str, ...]) -> Json:
    if len(names) == 1:
        return {"provider_name": names[0]}
    return {"requires_any": {"requirements": [{"provider_name": name} for name in names]}}


def _provider(item: JwtAuthorizer, edge: Edge, bindings: Bindings) -> Json:
    claims = [(SUBJECT, "sub")]
    if len(jwt_authorizers(edge)) > 1:
        # Two issuers may call two people by one name.
        claims.append((ISSUER, "iss"))
    provider: Json = {
        "issuer": item.issuer,
        "forward": True,
        "require_expiration": True,
        # Zero would mean Envoy's default of 60 s.
        "clock_skew_seconds": max(1, item.clock_skew // 1000),
        "payload_in_metadata": "jwt",
        "header_in_metadata": "header",
        "normalize_payload_in_metadata": {"space_delimited_claims": _scope_claims(item)},
        "claim_to_headers": [{"header_name": header, "claim_name": claim} for header, claim in claims],
        # Keeps verified tokens until they expire: 1.45 instead of 2.4 times the CPU of a plain request.
        "jwt_cache_config": {"jwt_cache_size": 1000, "jwt_max_token_size": 8192},
    }
    if item.audience_claim == "aud":
        # Chooses among authorizers of one issuer; the exact check is `_bad_tokens`', since Envoy takes `https://a/` for
        # `http://a` here (jwt_verify_lib compares without scheme and final slash).
        provider["audiences"] = list(item.audiences)
    source = item.source
    if source.kind == "header":
        # Without an explicit source Envoy would also take `?access_token=`.
        provider["from_headers"] = [{"name": source.name, "value_prefix": source.prefix}]
    elif source.kind == "cookie":
        provider["from_cookies"] = [source.name]
    else:
        provider["from_params"] = [source.name]
    if item.jwks is not None and item.name not in bindings.jwks_uris:
        provider["local_jwks"] = {"inline_string": item.jwks}
    else:
        provider["remote_jwks"] = _remote_jwks(item, _jwks_uri(item, bindings))
    return provider


def _scope_claims(item: JwtAuthorizer) -> list[str]:
    return sorted({"scope", item.scope_claim})


def _remote_jwks(item: JwtAuthorizer, uri: str | None) -> Json:
    return {
        "http_uri": {
            "uri": uri or f"http://{IDENTITY}/{item.name}/jwks",
            "cluster": IDENTITY if uri is None else jwks_cluster_name(item.name),
            "timeout": "5s",
        },
        "cache_duration": seconds(max(1000, item.jwks_refresh)),
        # Fetched when the configuration arrives, not by the first request; a failed fetch is tried again soon.
        "async_fetch": {"failed_refetch_duration": "1s"},
    }


def jwks_cluster_name(authorizer: str) -> str:
    """The cluster of an authorizer's JWKS endpoint."""
    return f"jwks-{authorizer}"


def jwks_clusters(edge: Edge, bindings: Bindings) -> list[Json]:
    """A cluster for each JWKS endpoint outside; https ones are verified against the system's authorities."""
    found: list[Json] = []
    for item in jwt_authorizers(edge):
        uri = _jwks_uri(item, bindings)
        if uri is None:
            continue
        parts = urlsplit(uri)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        cluster: Json = {
            "name": jwks_cluster_name(item.name),
            "type": "STRICT_DNS",
            "dns_lookup_family": "V4_PREFERRED",
            "connect_timeout": "5s",
            "load_assignment": {
                "cluster_name": jwks_cluster_name(item.name),
                "endpoints": [
                    {
                        "lb_endpoints": [
                            {
                                "endpoint": {
                                    "address": {
                                        "socket_address": {
                                            "address": host,
                                            "port_value": parts.port or (443 if secure else 80),
                                        }
                                    }
                                }
                            }
                        ]
                    }
                ],
            },
        }
        if secure:
            cluster["transport_socket"] = verified_tls(host)
        found.append(cluster)
    return found


def verified_tls(host: str) -> Json:
    """TLS to a server whose certificate must be ``host``'s, signed by an authority of the system."""
    return extension(
        "tls",
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=host,
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "validation_context": {
                "trusted_ca": {"filename": SYSTEM_AUTHORITIES},
                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": exact(host)}],
            },
        },
    )


def key_filter() -> Json:
    """The filter that checks API keys; the keys are in the routes' settings."""
    return extension("key", f"{_KEYS}ApiKeyAuth") | {"disabled": True}


def client_filter() -> Json:
    """The filter that remembers an API key's client for the log."""
    remember = {
        "object_key": CLIENT_STATE,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": f"%REQ({CLIENT})%"}},
    }
    state = "extensions.filters.http.set_filter_state.v3.Config"
    return extension("client", state, on_request_headers=[remember]) | {"disabled": True}


def token_filter() -> Json:
    """The filter that refuses (401) tokens of another algorithm or audience claim, or with critical extensions."""
    return extension("token", f"{_RBAC}RBAC") | {"disabled": True}


def scope_filter() -> Json:
    """The filter that refuses (403) callers without the scopes or claims."""
    return extension("scope", f"{_RBAC}RBAC") | {"disabled": True}


# -- per route ---------------------------------------------------------------------------------------------------------


def route_settings(edge: Edge, auth: Auth) -> Json:
    """The settings of the filters above for a route with ``auth``."""
    settings: Json = {}
    first = edge.authorizers[auth.authorizers[0]]
    if isinstance(first, ApiKeyAuthorizer):
        settings |= {"key": _route_keys(first), "client": ON}
        return settings
    tokens = [item for item in (edge.authorizers[name] for name in auth.authorizers) if isinstance(item, JwtAuthorizer)]
    settings["jwt"] = on_route(f"{_JWT}PerRouteConfig", requirement_name=requirement(auth.authorizers))
    settings["token"] = _route_rbac("DENY", "token", {"or_ids": {"ids": _bad_tokens(tokens)}})
    needed = _needed(auth, tokens)
    if needed is not None:
        settings["scope"] = _route_rbac("ALLOW", "scope", needed)
    return settings


def _route_keys(item: ApiKeyAuthorizer) -> Json:
    return on_route(
        f"{_KEYS}ApiKeyAuthPerRoute",
        credentials=[{"key": placeholder(item.name, client), "client": client} for client in item.clients],
        key_sources=[{item.source.kind: item.source.name}],
        forwarding={"header": CLIENT, "hide_credentials": True},
    )


def _route_rbac(action: str, name: str, principal: Json) -> Json:
    rules = {"action": action, "policies": {name: {"permissions": [{"any": True}], "principals": [principal]}}}
    return on_route(f"{_RBAC}RBACPerRoute", rbac={"rules": rules})


def _metadata(path: list[str], value: Json) -> Json:
    return {
        "sourced_metadata": {
            "metadata_matcher": {
                "filter": "envoy.filters.http.jwt_authn",
                "path": [{"key": part} for part in path],
                "value": value,
            },
            "metadata_source": "DYNAMIC",
        }
    }


def _is(path: list[str], text: str) -> Json:
    return _metadata(path, {"string_match": exact(text)})


def _has(path: list[str], text: str) -> Json:
    """The claim is this text, or a list with it."""
    listed = _metadata(path, {"list_match": {"one_of": {"string_match": exact(text)}}})
    return _any([_is(path, text), listed])


def _claims(path: list[str], text: str) -> Json:
    """As :func:`_has`, and a claim that is a truth value or a number is what it is written as."""
    found = [_is(path, text), _metadata(path, {"list_match": {"one_of": {"string_match": exact(text)}}})]
    if text in ("true", "false"):
        found.append(_metadata(path, {"bool_match": text == "true"}))
    elif _NUMBER.fullmatch(text):
        found.append(_metadata(path, {"double_match": {"exact": float(text)}}))
    return _any(found)


def _any(parts: list[Json]) -> Json:
    return parts[0] if len(parts) == 1 else {"or_ids": {"ids": parts}}


def _all(parts: list[Json]) -> Json:
    return parts[0] if len(parts) == 1 else {"and_ids": {"ids": parts}}


def _bad_tokens(tokens: list[JwtAuthorizer]) -> list[Json]:
    # `crit` names extensions that must be understood (RFC 7515, 4.1.11); Envoy understands none and ignores it.
    bad = [_metadata(["header", "crit"], {"present_match": True})]
    # Of two headers Envoy reads one and the backend perhaps the other; a token has no comma, by which they are joined.
    names = {item.source.name for item in tokens if item.source.kind == "header"}
    bad += [{"header": {"name": name, "string_match": {"contains": ","}}} for name in sorted(names)]
    several = len({item.issuer for item in tokens}) > 1
    good: list[Json] = []
    for item in tokens:
        parts = [_any([_is(["header", "alg"], name) for name in item.algorithms])]
        parts.append(_any([_has(["jwt", item.audience_claim], audience) for audience in item.audiences]))
        if several:
            parts.append(_is(["jwt", "iss"], item.issuer))
        good.append(_all(parts))
    return [*bad, {"not_id": _any(good)}]


def _needed(auth: Auth, tokens: list[JwtAuthorizer]) -> Json | None:
    if not (auth.scopes or auth.any_scope or auth.claims):
        return None
    claims = [_any([_claims(["jwt", name], value) for value in values]) for name, values in auth.claims]
    several = len({item.issuer for item in tokens}) > 1
    found: list[Json] = []
    for item in tokens:
        path = ["jwt", item.scope_claim]
        parts = [_has(path, scope) for scope in auth.scopes]
        if auth.any_scope:
            parts.append(_any([_has(path, scope) for scope in auth.any_scope]))
        parts += claims
        if several:
            parts.append(_is(["jwt", "iss"], item.issuer))
        found.append(_all(parts))
    return _any(found)
