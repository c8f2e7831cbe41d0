"""Specs that are followed through their planned resources, with bindings that give every service an address of its own."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_graph import Claims, Graph, Judge
from edgewright.aws.artifact import Artifact
from edgewright.aws.bindings import read_bindings
from edgewright.aws.compile import Topology, compile_edge
from edgewright.edge.decide import Identity
from edgewright.edge.model import Edge, JwtAuthorizer
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.spec.document import from_data

ISSUER = "https://login.shop.example/"

_BASE: dict[str, Any] = {
    "authorizers": {
        "main": {
            "jwt": {
                "issuer": ISSUER,
                "audiences": ["api://shop"],
                "jwks_uri": "https://login.shop.example/.well-known/jwks.json",
            }
        }
    },
    "defaults": {"auth": "main", "timeout": {"request": "10s"}},
}

SLICE: dict[str, Any] = {
    **_BASE,
    "name": "shop",
    "listener": {"host": "api.shop.example", "tls": {"min_version": "1.2"}, "redirect_http": True},
    "defaults": {
        **_BASE["defaults"],
        "throttle": {"rate": "100/s", "burst": 200, "per": "client"},
        "cors": {"allow_origins": ["https://www.shop.example"], "allow_methods": ["GET", "POST"]},
    },
    "backends": {name: {"port": 8080} for name in ("auth", "orders", "orders-next", "payments")},
    "routes": {
        "ANY /auth/*": {"backend": "auth", "auth": "none"},
        "GET /products": {
            "backend": "orders",
            "auth": "none",
            "cache": {"ttl": "60s", "vary_by": {"query": ["page"]}},
        },
        "ANY /orders/*": {"backend": {"orders": 90, "orders-next": 10}, "auth": {"scopes": ["orders.read"]}},
        "ANY /payments/*": {"backend": "payments", "auth": {"scopes": ["payments.write"]}},
        "WS /live": "orders",
    },
}
"""Five routes: cached and public, public, a canary with a scope, a scope, a WebSocket."""

PATHS: dict[str, Any] = {
    **_BASE,
    "name": "paths",
    "listener": {"host": "api.paths.example", "tls": {"min_version": "1.2"}},
    "backends": {name: {"port": 8080} for name in ("app", "old", "beta", "mail")},
    "routes": {
        # All of these are of one service, so that only the path tells what a caller must show.
        "ANY /*": {"backend": "app", "auth": "none"},
        "GET /admin": "app",
        "ANY /admin/*": {"backend": "app", "auth": {"scopes": ["admin"]}},
        "GET /admin/help": {"backend": "app", "auth": "none"},
        "GET /users/{id}": {"backend": "app", "auth": "none"},
        "PUT,DELETE /users/{id}": {"backend": "app", "auth": {"scopes": ["users.write"]}},
        "GET /users/{user}/mail": "mail",
        "ANY /users/me/*": {"backend": "app", "auth": {"scopes": ["self"]}},
        "POST /users/me/photo": {"backend": "app", "auth": "none"},
        "GET /files/{name}/{part}": {"backend": "app", "auth": "none"},
        "GET /files/{name}/secret": {"backend": "app", "auth": {"scopes": ["files"]}},
        "GET /files/open/secret": {"backend": "app", "auth": "none"},
        # Rewritten: what a service sees is not what was asked for.
        "ANY /v1/*": {"backend": "old", "rewrite": {"prefix": "/legacy"}},
        "GET /v1/status": {"backend": "old", "auth": "none", "rewrite": {"path": "/legacy/status"}},
        "GET /find/{word}": {"backend": "old", "auth": "none", "rewrite": {"path": "/search/{word}/all"}},
        "GET /open/*": {"backend": "old", "auth": "none", "rewrite": {"prefix": "/"}},
    },
}
"""Many overlapping paths: methods with different auth, public ``/*`` beside what is protected, rewrites."""

MATCHED: dict[str, Any] = {
    **PATHS,
    "name": "matched",
    "listener": {"host": "api.matched.example", "tls": {"min_version": "1.2"}},
    "routes": {
        **PATHS["routes"],
        "GET /admin/help (beta)": {
            "backend": "beta",
            "auth": {"scopes": ["beta"]},
            "match": {"headers": {"x-beta": "yes"}},
        },
        "GET /news": {"backend": "app", "auth": "none"},
        "GET /news (early)": {"backend": "beta", "auth": "main", "match": {"query": {"early": "1"}}},
        "ANY /lab/*": {"backend": "app", "auth": {"scopes": ["lab"]}},
        "ANY /lab/* (open)": {"backend": "beta", "auth": "none", "match": {"headers": {"x-lab": {"prefix": "open-"}}}},
        "GET /moved": {"redirect": {"target": "https://api.matched.example/admin/help", "status": 301}, "auth": "none"},
        "GET /gone": {"respond": {"status": 410, "body": "gone"}, "auth": "none"},
    },
}
"""The same, with routes that headers or the query choose, and answers of the edge itself."""

CACHED: dict[str, Any] = {
    **PATHS,
    "name": "cached",
    "listener": {"host": "api.cached.example", "tls": {"min_version": "1.2"}},
    "routes": {
        **PATHS["routes"],
        "GET /prices/{day}": {
            "backend": "app",
            "auth": {"scopes": ["prices"]},
            "cache": {"ttl": "60s", "share": "per_user"},
        },
    },
}
"""The same, with a cache, which needs a REST API."""

APART: dict[str, Any] = {
    **_BASE,
    "name": "apart",
    "listener": {"host": "api.apart.example", "tls": {"min_version": "1.2"}},
    "backends": {name: {"port": 8080} for name in ("web", "api", "both", "old", "search")},
    "routes": {
        "ANY /*": {"backend": "web", "auth": "none"},
        "ANY /api/*": {"backend": "api", "auth": {"scopes": ["api"]}},
        "PUT /api/{id}": {"backend": "api", "auth": {"scopes": ["api"]}},
        # One service, and yet none of its paths can be taken for one that asks for less: each has its method.
        "GET /me": {"backend": "both", "auth": "main"},
        "POST /items/{id}": {"backend": "both", "auth": {"scopes": ["items"]}},
        "GET /status": {"backend": "web", "auth": "none"},
        "ANY /v1/*": {"backend": "old", "rewrite": {"prefix": "/legacy"}},
        "GET /find/{word}": {"backend": "search", "auth": "none", "rewrite": {"path": "/search/{word}/all"}},
    },
}
"""Services that are public or protected as a whole, which an HTTP API can carry."""

KEYS: dict[str, Any] = {
    **_BASE,
    "name": "keys",
    "listener": {"host": "api.keys.example", "tls": {"min_version": "1.2"}},
    "authorizers": {**_BASE["authorizers"], "partner": {"api_key": {"clients": ["acme", "globex"]}}},
    "backends": {"app": {"port": 8080}},
    "routes": {
        "ANY /*": {"backend": "app", "auth": "none"},
        "GET /reports/{id}": {"backend": "app", "auth": "partner"},
        "GET /reports/{id}/raw": {"backend": "app", "auth": {"scopes": ["raw"]}},
        "GET /me": "app",
    },
}
"""Keys beside tokens, on one service."""

CARRIED: Mapping[Topology, tuple[dict[str, Any], ...]] = {
    "balancer-first": (SLICE, PATHS, MATCHED, CACHED, KEYS, APART),
    "gateway-first": (SLICE, PATHS, CACHED, KEYS, APART),
    "balancer-only": (SLICE, PATHS, MATCHED),
}
"""What each topology can carry; `shaped` leaves out what it cannot in the slice. In gateway-first APART is an HTTP API, the others are
REST APIs."""

CASES: tuple[tuple[str, Topology], ...] = tuple(
    (spec["name"], topology) for topology, specs in CARRIED.items() for spec in specs
)
"""Names of specs with topologies, as parameters of tests."""

ENDPOINT_ADDRESSES = ("10.0.11.10", "10.0.12.10")


def shaped(spec: Mapping[str, Any], topology: Topology) -> dict[str, Any]:
    """The spec without what the topology cannot carry: a cache, or WebSockets beside an API of gateway-first."""
    routes: dict[str, Any] = {}
    for key, route in spec["routes"].items():
        if topology == "gateway-first" and key.startswith("WS "):
            continue
        if topology == "balancer-only" and isinstance(route, dict):
            routes[key] = {name: value for name, value in route.items() if name != "cache"}
        else:
            routes[key] = route
    return {**spec, "routes": routes}


def bindings_of(edge: Edge, topology: Topology, **more: Any) -> dict[str, Any]:
    """Bindings with one address for each service, by the order of their names: 10.0.20.1, 10.0.20.2, ..."""
    network: dict[str, Any] = {
        "vpc": "vpc-1",
        "cidr": "10.0.0.0/16",
        "public_subnets": ["subnet-1", "subnet-2"],
        "private_subnets": ["subnet-3", "subnet-4"],
        "endpoint_addresses": list(ENDPOINT_ADDRESSES) if topology == "balancer-first" else [],
    }
    return {
        "region": "eu-west-1",
        "log_role": "create",
        "network": network,
        "certificate": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
        "backends": {name: {"ips": [address]} for name, address in addresses_of(edge).items()},
        **more,
    }


def addresses_of(edge: Edge) -> dict[str, str]:
    """The address of each backend."""
    return {name: f"10.0.20.{number}" for number, name in enumerate(sorted(edge.backends), 1)}


@dataclass(frozen=True, slots=True)
class Planned:
    """A spec placed by a topology: the edge, its artifact, the recorded resources, and the graph of them."""

    edge: Edge
    artifact: Artifact
    resources: tuple[Resource, ...]
    graph: Graph
    topology: Topology

    @property
    def host(self) -> str:
        """The edge's name."""
        return self.artifact.hosts[0]


@cache
def planned(name: str, topology: Topology, domain: str = "private", gateway: str = "") -> Planned:
    """Record the spec of this name. domain, gateway: as the bindings of the stack have them."""
    spec = next(spec for spec in CARRIED[topology] if spec["name"] == name)
    return place_spec(shaped(spec, topology), topology, domain=domain, gateway=gateway)


def place_spec(spec: Mapping[str, Any], topology: Topology, *, domain: str = "private", gateway: str = "") -> Planned:
    """Record any spec."""
    from edgewright.aws.placement import Compiled
    from edgewright.aws.topologies import topology_class

    edge = resolve(from_data(spec))
    more = {"domain": domain} if topology == "balancer-first" else {"gateway": gateway} if gateway else {}
    bindings = read_bindings(bindings_of(edge, topology, **more), edge, topology)
    artifact = compile_edge(edge, bindings, topology)
    make = topology_class(topology)
    args: Any = {"compiled": Compiled(edge, bindings, artifact)}
    resources = record(lambda: make(edge.name, args), project="test", stack="plan").resources
    return Planned(edge, artifact, resources, Graph(resources, _judge(artifact, resources)), topology)


def _judge(artifact: Artifact, resources: tuple[Resource, ...]) -> Judge | None:
    """Answers as the Lambda authorizer does, from the configuration that stands beside it in the plan.

    A plan has the SHA-256 of each file only, so the compiled configuration is taken, and compared with that.
    """
    authorizer = artifact.rest.authorizer if artifact.rest is not None else None
    if authorizer is None:
        return None
    from edgewright.aws.authorizer_package import archive_files

    text = archive_files(authorizer.config)["config.json"]
    function = next(item for item in resources if item.type == "aws:lambda/function:Function")
    recorded = function.inputs["code"]["archive"]["config.json"]
    if hashlib.sha256(text.encode()).hexdigest() not in json.dumps(recorded):
        raise AssertionError("the function has another configuration than the one that was compiled")
    config: Any = authorizer.config

    def judge(_scheme: str, method: str, path: str, claims: Claims | None) -> int | None:
        wanted = config["requirements"][config["methods"][f"{method} {path}"]]
        named = [config["authorizers"][name] for name in wanted["authorizers"]]
        known = claims is not None and any(
            claims.get("iss") == one["issuer"] and claims.get(one["audience_claim"]) in one["audiences"]
            for one in named
        )
        if not known or claims is None:
            return 401
        scopes = set(str(claims.get(named[0]["scope_claim"], "")).split())
        enough = set(wanted["scopes"]) <= scopes and (
            not wanted["any_scope"] or bool(set(wanted["any_scope"]) & scopes)
        )
        return None if enough else 403

    return judge


# -- callers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Who sends a request: as the graph sees it (a token's claims, headers), and as the oracle does."""

    name: str
    token: Claims | None
    headers: Mapping[str, str]
    identities: Mapping[str, Identity]


ANYBODY = Caller("anybody", None, {}, {})


def callers_of(edge: Edge) -> tuple[Caller, ...]:
    """Anybody, and one for each thing that routes ask for, who can show that and nothing else."""
    found: dict[str, Caller] = {ANYBODY.name: ANYBODY}
    for route in edge.routes:
        if route.auth is None:
            continue
        item = edge.authorizers[route.auth.authorizers[0]]
        scopes = frozenset((*route.auth.scopes, *route.auth.any_scope))
        name = " ".join([item.name, *sorted(scopes)])
        if isinstance(item, JwtAuthorizer):
            claims = {"iss": item.issuer, item.audience_claim: item.audiences[0], item.scope_claim: " ".join(scopes)}
            found[name] = Caller(name, claims, {}, {item.name: Identity(subject="somebody", scopes=scopes)})
        else:
            found[name] = Caller(name, None, {"x-api-key": "good"}, {item.name: Identity(client="acme")})
    return tuple(found.values())


def somebody(edge: Edge) -> Caller:
    """Who can show everything that any route asks for."""
    everyone = callers_of(edge)
    scopes = frozenset(scope for one in everyone for identity in one.identities.values() for scope in identity.scopes)
    tokens = [one.token for one in everyone if one.token is not None]
    token = {**tokens[0], "scope": " ".join(sorted(scopes))} if tokens else None
    identities = {
        name: Identity(identity.subject, identity.client, scopes if identity.subject else frozenset())
        for one in everyone
        for name, identity in one.identities.items()
    }
    headers = {key: value for one in everyone for key, value in one.headers.items()}
    return Caller("somebody with everything", token, headers, identities)
