"""What `edgewright up` prints at the end: requests that show what the edge does, as one would type them."""

import shlex

import pytest

from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.spec.model import EdgeSpec
from edgewright.welcome import Running, samples, welcome

RUNNING = Running(
    stack="local",
    url="https://localhost:8443",
    urls={"main": "https://localhost:8443"},
    ca=".edgewright/local/ca.crt",
    program=".venv/bin/edgewright",
    down="make down",
)


def edge(routes: dict[str, object], **more: object) -> Edge:
    return resolve(
        EdgeSpec.model_validate(
            {
                "name": "shop",
                "listener": {"host": "api.shop.example"},
                "authorizers": {
                    "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
                    "partner": {"api_key": {"clients": ["acme"]}},
                },
                "backends": {"orders": {"port": 8080}},
                "routes": routes,
                **more,
            }
        )
    )


SHOP: dict[str, object] = {
    "GET /": {"redirect": "https://www.shop.example/", "auth": "none"},
    "GET /about": {"backend": "orders", "auth": "none"},
    "GET /products": {"backend": "orders", "auth": "none", "cache": {"ttl": "60s"}},
    "POST /orders": {"backend": "orders", "auth": {"authorizer": "main", "scopes": ["orders.write"]}},
    "GET /orders/{id}": {"backend": "orders", "auth": {"authorizer": "main", "scopes": ["orders.read"]}},
    "ANY /orders/*": {"backend": "orders", "auth": {"authorizer": "main", "scopes": ["orders.read"]}},
}


def test_the_requests_are_a_cached_one_a_protected_one_and_that_one_without_a_token() -> None:
    found = samples(edge(SHOP), RUNNING)
    assert [item.status for item in found] == [200, 200, 401]
    curl = "curl -i --cacert .edgewright/local/ca.crt"
    token = '"authorization: Bearer $(.venv/bin/edgewright token main --scope orders.read)"'
    assert [item.command for item in found] == [
        f"{curl} https://localhost:8443/products",
        f"{curl} -H {token} https://localhost:8443/orders",
        f"{curl} https://localhost:8443/orders",
    ]
    assert "cached" in found[0].shows


def test_an_api_key_is_asked_for_by_authorizer_and_client() -> None:
    found = samples(edge({"GET /partners": {"backend": "orders", "auth": "partner"}}), RUNNING)
    assert "$(.venv/bin/edgewright key partner acme)" in found[0].command
    assert found[0].command.startswith("curl -i --cacert .edgewright/local/ca.crt -H ")
    assert found[1].status == 401


def test_an_edge_without_protected_routes_shows_only_the_public_one() -> None:
    assert [item.status for item in samples(edge({"GET /a": {"backend": "orders", "auth": "none"}}), RUNNING)] == [200]


def test_a_route_that_no_plain_get_reaches_is_not_shown() -> None:
    routes: dict[str, object] = {
        "POST /a": {"backend": "orders", "auth": "none"},
        "GET /b/{id}": {"backend": "orders", "auth": "none"},
        "WS /c": {"backend": "orders", "auth": "none"},
        "GET /d": {"redirect": "/a", "auth": "none"},
    }
    assert samples(edge(routes), RUNNING) == ()


def test_every_command_is_one_that_a_shell_understands() -> None:
    for item in samples(edge(SHOP), RUNNING):
        assert shlex.split(item.command)[0] == "curl"


@pytest.mark.parametrize("text", ["shop is up: https://localhost:8443", "# 401: the same without one", "make down"])
def test_the_text_says_where_what_and_how_to_stop(text: str) -> None:
    assert text in welcome(edge(SHOP), RUNNING)
