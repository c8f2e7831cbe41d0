"""Small specs that the tests of the edge start from."""

from typing import Any

from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Problem, SpecError

SHOP: dict[str, Any] = {
    "name": "shop",
    "listener": {"host": "api.shop.example", "tls": {"min_version": "1.2"}},
    "authorizers": {
        "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
        "partner": {"api_key": {"clients": ["acme", "globex"]}},
    },
    "backends": {
        "auth": {"port": 8080, "health_check": "/healthz"},
        "orders": {"port": 8080, "health_check": {"path": "/healthz", "interval": "10s", "unhealthy_threshold": 3}},
        "orders-next": {"port": 8080},
        "payments": {"port": 8080},
    },
    "defaults": {
        "auth": "main",
        "throttle": {"rate": "100/s", "burst": 200, "per": "client"},
        "timeout": {"request": "29s"},
    },
    "routes": {
        "ANY /auth/*": {"backend": "auth", "auth": "none"},
        "GET /products": {"backend": "orders", "auth": "none", "cache": {"ttl": "60s", "vary_by": {"query": "*"}}},
        "ANY /orders/*": {"backend": {"orders": 90, "orders-next": 10}, "auth": {"scopes": ["orders.read"]}},
        "ANY /payments/*": {"backend": "payments", "auth": {"scopes": ["payments.write"]}},
        "GET /partners/{id}": {"backend": "orders", "auth": "partner"},
        "WS /live": "orders",
    },
}


def spec(**changes: Any) -> EdgeSpec:
    """The shop with some of its top-level fields replaced."""
    return EdgeSpec.model_validate({**SHOP, **changes})


def shop(**changes: Any) -> Edge:
    """The resolved shop with some of its top-level fields replaced."""
    return resolve(spec(**changes))


def with_routes(routes: dict[str, Any], **changes: Any) -> Edge:
    """The resolved shop with these routes."""
    return shop(routes=routes, **changes)


def problems(**changes: Any) -> tuple[Problem, ...]:
    """What is wrong with the shop after the changes."""
    try:
        resolve(spec(**changes))
    except SpecError as error:
        return error.problems
    return ()


def only_problem(**changes: Any) -> Problem:
    """The one thing that is wrong with the shop after the changes."""
    found = problems(**changes)
    assert len(found) == 1, [str(item) for item in found]
    return found[0]
