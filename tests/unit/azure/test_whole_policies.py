"""Requests carried through whole policies, with their code run, against what the oracle decides."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

import azure_gateway
from csharp_twin import answer, token
from edgewright.azure.artifact import Artifact
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_authorizers import entra_tenant, product_of
from edgewright.azure.compile_policy import USER
from edgewright.edge.decide import Decision, Identity, Oracle, Request
from edgewright.edge.model import ApiKeyAuthorizer, Edge, IntrospectionAuthorizer, JwtAuthorizer, PathPattern
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, load
from policy_twin import Asked, Outcome, carry

REPOSITORY = Path(__file__).parents[3]
GOLDEN = REPOSITORY / "tests" / "golden" / "azure"
SPECS = [
    GOLDEN / "slice.edge.yaml",
    GOLDEN / "everything.edge.yaml",
    GOLDEN / "paths.edge.yaml",
    GOLDEN / "introspection.edge.yaml",
    GOLDEN / "validated.edge.yaml",
    REPOSITORY / "stacks" / "shop.edge.yaml",
    REPOSITORY / "stacks" / "catalogue.edge.yaml",
]
HOST = "api.shop.example"
WORDS = ("read", "items.read", "items.admin", "orders.read", "payments.write", "Directory.Read")


def spec(routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": HOST},
        "authorizers": {
            "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
            "partner": {"api_key": {"clients": ["acme", "globex"]}},
        },
        "backends": {"orders": {"port": 8080}, "next": {"port": 8081}},
        "defaults": {"auth": "none"},
        "routes": routes,
        **more,
    }


def callers(edge: Edge) -> Iterator[dict[str, Identity]]:
    """Nobody; and one with every credential, of few and of many rights."""
    yield {}
    for subject, scopes, claims in (
        ("alice", (), {}),
        ("alice", WORDS, {"role": ["admin"]}),
        ("bob", WORDS[:2], {"role": ["guest", "owner"]}),
    ):
        yield {
            name: Identity(client="acme" if subject == "alice" else "globex")
            if isinstance(item, ApiKeyAuthorizer)
            else Identity(subject=subject, scopes=frozenset(scopes), claims=claims)
            for name, item in edge.authorizers.items()
        }


def paths(pattern: PathPattern) -> Iterator[str]:
    for word in ("v", "list"):
        base = "".join(f"/{word if item.variable else item.text}" for item in pattern.segments)
        yield base or "/"
        yield f"{base}/below/deep"


def requests(edge: Edge) -> Iterator[Request]:
    """Of every route, from every caller, with and without what matches and limits look at."""
    found = sorted({path for route in edge.routes for path in paths(route.path)})
    headers: list[dict[str, str]] = [{}, {"x-tenant": "north", "accept-language": "de"}]
    queries = ["", "page=2&a=1"]
    for route in edge.routes:
        headers += [{item.name: "v12" if item.kind == "regex" else item.value} for item in route.headers]
        queries += [f"{item.name}={'v12' if item.kind == 'regex' else item.value}" for item in route.query]
    host = next((one for item in edge.listeners for one in item.hosts), HOST)
    for identities, path, method, sent, query in product(
        callers(edge), found, ("GET", "PUT", "POST", "DELETE"), headers, queries
    ):
        target = f"{path}?{query}" if query else path
        yield Request(method, target, edge.listeners[0].name, host, sent, identities, "192.0.2.7")


def carried(edge: Edge, artifact: Artifact, gateway: azure_gateway.Gateway, request: Request) -> Outcome:
    """The same request through the documents."""
    api = artifact.api
    assert api is not None
    path, _, query = request.target.partition("?")
    operation = gateway._operation(azure_gateway.Request(request.method, path))
    if operation is None:
        return Outcome(status=404)
    tokens, key, answers, sent = {}, None, {}, dict(request.headers)
    for name, identity in request.identities.items():
        item = edge.authorizers[name]
        if isinstance(item, JwtAuthorizer):
            claims = {
                **identity.claims,
                **({item.scope_claim: " ".join(sorted(identity.scopes))} if identity.scopes else {}),
            }
            tokens[entra_tenant(item.issuer) or item.issuer] = token(identity.subject, item.algorithms[0], claims)
        elif isinstance(item, IntrospectionAuthorizer):
            known = {
                **identity.claims,
                "active": True,
                "sub": identity.subject,
                "scope": " ".join(sorted(identity.scopes)),
            }
            answers[item.endpoint] = answer(200, body=json.dumps(known))
            sent["authorization"] = "Bearer opaque"
        else:
            key = (identity.client, product_of(name))
    asked = Asked(request.method, path, operation, query, request.host, sent, request.address, tokens, key, answers)
    own = api.operation_policies.get(operation)
    fragments = getattr(api, "fragments", {})
    if own is not None:
        return carry(own, asked, api.policy, fragments)
    return carry(api.policy, asked, fragments=fragments)


def compiled(edge: Edge) -> tuple[Artifact, azure_gateway.Gateway]:
    artifact = compile_edge(edge, {}, "gateway-first", placeholders=True)
    assert artifact.api is not None
    return artifact, azure_gateway.Gateway(artifact.api)


def differs(edge: Edge, artifact: Artifact, decision: Decision, outcome: Outcome, request: Request) -> str:
    """How an outcome is not what was decided; empty if it is."""
    if outcome.status != decision.status:
        return f"status {outcome.status}, not {decision.status}"
    if decision.reason == "redirect":
        wanted = decision.location if "://" in decision.location else f"https://{request.host}{decision.location}"
        return "" if outcome.headers["location"] == wanted else f"to {outcome.headers['location']}, not {wanted}"
    if decision.status is not None:
        return ""
    targets = artifact.pools.get(outcome.backend or "", ((outcome.backend, 100),))
    if tuple(targets) != decision.targets:
        return f"to {targets}, not {decision.targets}"
    if outcome.path != decision.path:
        return f"asks for {outcome.path}, not {decision.path}"
    host = outcome.sent.get("host", request.host)
    return "" if host == decision.host else f"host {host}, not {decision.host}"


EACH = 25
"""Requests that are carried for each route and answer."""


def check(edge: Edge) -> int:
    artifact, gateway = compiled(edge)
    oracle = Oracle(edge)
    buckets: dict[tuple[str, str], str] = {}
    keys: dict[str, tuple[str, str]] = {}
    done = 0
    asked = list(requests(edge))
    Random(7).shuffle(asked)  # so that those which are carried are of all kinds
    seen: Counter[tuple[str | None, int | None]] = Counter()
    for request in asked[:20_000]:
        decision = oracle.decide(request)
        seen[decision.route, decision.status] += 1
        if seen[decision.route, decision.status] > EACH:
            continue
        outcome = carried(edge, artifact, gateway, request)
        route = edge.route(decision.route) if decision.route is not None else None
        if outcome.status == 400 and route is not None and route.validation is not None:
            continue  # what a request must be like is not the oracle's
        assert differs(edge, artifact, decision, outcome, request) == "", (request, decision)
        done += 1
        if decision.throttle is not None:
            lasting = [key for tag, key, _, _ in outcome.counted if tag == "rate-limit-by-key" and ":s:" not in key]
            assert len(lasting) == 1
            # One bucket has one key, and one key one bucket.
            assert buckets.setdefault(decision.throttle, lasting[0]) == lasting[0]
            assert keys.setdefault(lasting[0], decision.throttle) == decision.throttle
        if decision.quota is not None:
            assert [tag for tag, *_ in outcome.counted].count("quota-by-key") == 1
        if request.method == "GET" and decision.status is None:
            assert (outcome.kept_by is not None) == (decision.cache_key is not None), request
    assert {route.key for route in edge.routes if not route.websocket} <= {route for route, _ in seen}
    return done


@pytest.mark.parametrize("file", SPECS, ids=lambda path: path.name.partition(".")[0])
def test_a_request_is_answered_or_sent_on_as_the_oracle_decides(file: Path) -> None:
    assert check(resolve(load(file))) > 40


CHANGES: dict[str, dict[str, Any]] = {
    "prefix": {"ANY /v1/*": {"backend": "orders", "rewrite": {"prefix": "/v2"}}},
    "prefix that is the root": {"ANY /v1/*": {"backend": "orders", "rewrite": {"prefix": "/"}}},
    "path": {"GET /a/{x}/b/{y}": {"backend": "orders", "rewrite": {"path": "/{y}/of/{x}"}}},
    "prefix of the root": {"ANY /*": {"backend": "orders", "rewrite": {"prefix": "/all"}}},
    "path with the rest": {"ANY /a/{x}/*": {"backend": "orders", "rewrite": {"path": "/b/{x}/*"}}},
    "path with the rest alone": {"ANY /a/{x}/*": {"backend": "orders", "rewrite": {"path": "/*"}}},
    "path with the rest of the root": {"ANY /*": {"backend": "orders", "rewrite": {"path": "/b/*"}}},
    "path of no variables": {"GET /a/{x}": {"backend": "orders", "rewrite": {"path": "/"}}},
    "host": {"GET /a": {"backend": "orders", "rewrite": {"host": "inner.example"}}},
    "canary": {"ANY /a/*": {"backend": {"orders": 90, "next": 10}}},
    "redirect of a path": {"GET /a/*": {"redirect": "https://www.example/b"}},
    "redirect of a host": {"GET /a/*": {"redirect": "https://www.example"}},
    "redirect with the rest": {"GET /was/*": {"redirect": "https://www.example/new/*"}},
    "redirect here with the rest": {"GET /*": {"redirect": "/new/*"}},
    "redirect to the root, with the rest": {"GET /a/*": {"redirect": {"target": "https://www.example/*", "status": 302}}},
    "redirect here": {"GET /a": {"redirect": "/b"}},
    "limits": {
        "GET /a": {"backend": "orders", "auth": "main", "throttle": {"rate": "5/s", "per": "client"}},
        "GET /b": {"backend": "orders", "throttle": {"rate": "5/m", "per": "header:x-tenant"}},
        "GET /c/*": {"backend": "orders", "auth": "partner", "throttle": {"rate": "5/s", "per": "api_key"}},
        "GET /d": {"backend": "orders", "auth": "main", "throttle": {"rate": "5/s", "per": "subject"}},
        "GET /e": {"backend": "orders", "throttle": {"rate": "5/s", "per": "route"}, "quota": {"limit": 9, "period": "day", "per": "ip"}},
    },
    "rights": {
        "GET /a": {"backend": "orders", "auth": {"authorizer": "main", "scopes": ["read", "orders.read"], "claims": {"role": ["admin", "owner"]}}},
        "PUT /a": {"backend": "orders", "auth": {"authorizer": "main", "any_scope": ["items.admin", "nothing"]}},
        "GET /b": {"backend": "orders", "auth": {"authorizer": "main", "claims": {"role": ["owner"], "other": ["x"]}}},
        "ANY /c/*": {"backend": "next", "auth": "partner"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_route_changes_is_what_the_oracle_says(name: str) -> None:
    edge = resolve(from_data(spec(CHANGES[name])))
    assert check(edge) > 10


def test_an_answer_for_one_user_is_kept_by_the_user_whatever_the_client_sends() -> None:
    routes = {
        "GET /a": {
            "backend": "orders",
            "auth": "main",
            "cache": {"ttl": "10s", "share": "per_user", "vary_by": {"query": "*"}},
        }
    }
    edge = resolve(from_data(spec(routes)))
    artifact, gateway = compiled(edge)
    seen: set[tuple[tuple[str, str], ...] | None] = set()
    for subject, query, sent in product(("alice", "bob"), ("a=1", "a=2"), ({}, {USER: "subject:bob"})):
        request = Request("GET", f"/a?{query}", host=HOST, headers=sent, identities={"main": Identity(subject=subject)})
        seen.add(carried(edge, artifact, gateway, request).kept_by)
    assert len(seen) == 4
