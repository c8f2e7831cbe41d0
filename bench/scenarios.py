"""What is measured: the features of a request, as a spec of ours and as a configuration written by hand."""

from dataclasses import dataclass
from typing import Any

from tests.local.issuer import AUDIENCE, URL, Issuer
from tests.local.load import Target

from bench.lean import Features

PATH = "/orders"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request; every throttle is far above what can be offered, and every cached request is a hit."""

    name: str
    jwt: bool = False
    throttle: bool = False
    cache: bool = False

    def features(self, issuer: Issuer) -> Features:
        """The same for the configuration written by hand."""
        return Features(self.jwt, self.throttle, self.cache, issuer=URL, audience=AUDIENCE, jwks=issuer.jwks)

    def spec(self, port: int, issuer: Issuer) -> dict[str, Any]:
        """The spec of an edge with this one route on an http listener."""
        route: dict[str, Any] = {"backend": "orders"}
        if self.jwt:
            route["auth"] = "main"
        if self.throttle:
            route["throttle"] = {"rate": "1000000/s", "burst": 1_000_000, "per": "client"}
        if self.cache:
            route["cache"] = {"ttl": "1h", "vary_by": {"query": "*"}, **({"share": "public"} if self.jwt else {})}
        return {
            "name": "bench",
            "listener": {"protocol": "http", "port": port},
            **({"authorizers": {"main": issuer.authorizer}} if self.jwt else {}),
            "backends": {"orders": {"port": 8080, "health_check": "/healthz"}},
            "routes": {f"GET {PATH}": route},
        }

    def target(self, url: str, issuer: Issuer) -> Target:
        """The request, as a client sends it."""
        return Target("GET", f"{url}{PATH}?page=1", issuer.headers() if self.jwt else {})


SCENARIOS = (
    Scenario("plain"),
    Scenario("JWT", jwt=True),
    Scenario("JWT + throttle", jwt=True, throttle=True),
    Scenario("JWT + throttle + cache hit", jwt=True, throttle=True, cache=True),
)
