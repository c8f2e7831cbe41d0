"""What a policy's look-up makes of a request, against the oracle: the same route, or none, for each."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from azure_gateway import Gateway, Request
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_policy import ANYBODY, NONE, backend_id
from edgewright.edge.decide import Identity, Oracle
from edgewright.edge.decide import Request as Asked
from edgewright.edge.model import METHODS, Edge, PathPattern, Route
from edgewright.edge.resolve import resolve
from edgewright.spec.document import load

TESTS = Path(__file__).parents[2]
SPECS = [
    TESTS / "golden" / "azure" / "slice.edge.yaml",
    TESTS / "golden" / "azure" / "everything.edge.yaml",
    TESTS / "golden" / "azure" / "paths.edge.yaml",
    TESTS.parent / "stacks" / "shop.edge.yaml",
    TESTS.parent / "stacks" / "catalogue.edge.yaml",
]


def paths_of(pattern: PathPattern) -> Iterator[str]:
    """Paths that it matches, and some beside it."""
    for word in ("v", "list", "mine"):
        base = "".join(f"/{word if item.variable else item.text}" for item in pattern.segments)
        yield base or "/"
        for more in ("/below", "/below/deep", "x", "/list"):
            yield (base or "") + (more if base or more.startswith("/") else f"/{more}")


def requests_of(edge: Edge) -> Iterator[Request]:
    """Every method on paths of every route, with and without what its matches ask for."""
    paths = sorted({path for route in edge.routes for path in paths_of(route.path)})
    headers: list[dict[str, str]] = [{}]
    queries: list[dict[str, str]] = [{}]
    for route in edge.routes:
        for matches, kinds in ((route.headers, headers), (route.query, queries)):
            for item in matches:
                value = {"present": "x", "regex": "v12"}.get(item.kind, item.value)
                kinds += [{item.name: value}, {item.name: f"{value}-and-more"}, {item.name: "other"}]
    for method, path, sent, query in product(METHODS, paths, headers, queries):
        yield Request(method, path, sent, query)


@pytest.mark.parametrize("file", SPECS, ids=lambda path: path.name.partition(".")[0])
def test_a_request_gets_the_route_that_the_oracle_says(file: Path) -> None:
    edge = resolve(load(file))
    api = compile_edge(edge, {}, "gateway-first", placeholders=True).api
    assert api is not None
    gateway, oracle = Gateway(api), Oracle(edge)
    crossing = any(route.cors is not None for route in edge.routes)
    seen: set[str] = set()
    asked = 0
    for request in requests_of(edge):
        if crossing and request.method == "OPTIONS":
            continue  # answered by the policy of CORS
        expected = _route(edge, oracle, request)
        found = gateway.settings(request)
        assert (found is None) == (expected is None), request
        asked += 1
        if found is not None and expected is not None:
            assert found["auth"] == (f"by {expected.auth.authorizers[0]}" if expected.auth else ANYBODY), request
            assert found["backend"] == (backend_id(expected) or NONE), request
            wants = expected.auth is not None and (
                expected.auth.scopes or expected.auth.any_scope or expected.auth.claims
            )
            assert (found["needs"] != NONE) == bool(wants), request
            assert (found["cache"] != NONE) == (expected.cache is not None), request
            assert (found["limits"] != NONE) == bool(expected.throttle or expected.quota), request
            seen.add(expected.key)
    assert asked > 100
    assert seen == {route.key for route in edge.routes if not route.websocket}


def _route(edge: Edge, oracle: Oracle, request: Request) -> Route | None:
    """The route of a request from a caller who may all."""
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    host = next((host for item in edge.listeners for host in item.hosts), "")
    decision = oracle.decide(
        Asked(
            request.method,
            request.path + (f"?{query}" if query else ""),
            listener=edge.listeners[0].name,
            host=host,
            headers={name.lower(): value for name, value in request.headers.items()},
            identities={name: Identity(subject="s", client="c") for name in edge.authorizers},
        )
    )
    return edge.route(decision.route) if decision.route is not None else None
