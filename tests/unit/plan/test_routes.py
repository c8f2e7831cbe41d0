"""What a plan says that a route accepts: whatever lets another caller in reads differently."""

from typing import Any

import pytest

from edgewright.edge.resolve import resolve
from edgewright.plan.routes import planned_routes
from edgewright.spec.document import from_data

JWT = {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}
OIDC = {"issuer": "https://login.shop.example/", "client": "edge"}
INTROSPECTION = {"endpoint": "https://login.shop.example/introspect", "client": "edge"}


def takes(client_ca: str = "partners", **authorizer: Any) -> tuple[str, ...]:
    data = {
        "name": "shop",
        "listener": {"host": "api.shop.example", "tls": {"client_ca": client_ca}},
        "authorizers": {"main": authorizer},
        "routes": {"GET /a": {"respond": {"status": 204}, "auth": "main"}},
    }
    [route] = planned_routes(resolve(from_data(data)), {})
    return route.takes


@pytest.mark.parametrize(
    ("authorizer", "texts"),
    [
        ({"jwt": JWT}, ("JWTs of https://login.shop.example/ for api://shop, RS256",)),
        (
            {"jwt": {**JWT, "audiences": ["a", "b"], "audience_claim": "azp", "jwks_uri": "https://keys.example/k"}},
            (
                "JWTs of https://login.shop.example/ for a (azp), RS256, keys at https://keys.example/k",
                "JWTs of https://login.shop.example/ for b (azp), RS256, keys at https://keys.example/k",
            ),
        ),
        ({"api_key": {"clients": ["acme", "beta"]}}, ("the API key of acme", "the API key of beta")),
        ({"oidc": OIDC}, ("logins at https://login.shop.example/ as edge",)),
        ({"introspection": INTROSPECTION}, ("tokens that https://login.shop.example/introspect accepts",)),
        ({"mtls": {"subjects": ["acme"]}}, ("certificates for acme by partners",)),
        ({"mtls": {}}, ("certificates for anybody by partners",)),
    ],
)
def test_what_an_authorizer_accepts_is_said(authorizer: dict[str, Any], texts: tuple[str, ...]) -> None:
    assert takes(**authorizer) == texts


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"jwt": JWT}, {"jwt": {**JWT, "issuer": "https://login.evil.example/"}}),
        ({"jwt": JWT}, {"jwt": {**JWT, "jwks_uri": "https://login.evil.example/keys"}}),
        ({"jwt": JWT}, {"jwt": {**JWT, "algorithms": ["RS256", "ES256"]}}),
        ({"mtls": {}}, {"mtls": {}, "client_ca": "others"}),
    ],
)
def test_what_accepts_something_else_reads_differently(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert set(takes(**before)).isdisjoint(takes(**after))


def test_how_long_keys_are_kept_lets_nobody_else_in() -> None:
    assert takes(jwt=JWT) == takes(jwt={**JWT, "jwks_refresh": "1h", "clock_skew": "10s"})
