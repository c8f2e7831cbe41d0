"""Resources of an API against the oracle: each request ends at the route that the edge gives it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.clouds.path_table import ApiResource, api_resources
from edgewright.edge.decide import Oracle, Request
from edgewright.edge.model import METHODS
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError


def edge_of(*keys: str):
    return resolve(
        from_data({"name": "t", "listener": {}, "backends": {"b": {"port": 80}}, "routes": dict.fromkeys(keys, "b")})
    )


def served(resources: tuple[ApiResource, ...], method: str, path: str) -> str | None:
    """A gateway that never goes back: at each level the literal, else the variable, else {proxy+}."""
    known = {item.segments: item for item in resources}
    nodes = {item.segments[:length] for item in resources for length in range(len(item.segments) + 1)}
    at: tuple[str, ...] = ()
    parts = list(path.split("/")[1:]) if path != "/" else []
    for index, part in enumerate(parts):
        variables = [
            item for item in nodes if len(item) == len(at) + 1 and item[:-1] == at and item[-1].startswith("{")
        ]
        if (*at, part) in nodes:
            at = (*at, part)
            continue
        assert len(variables) <= 1, "a level of an API has one variable only"
        if not variables:
            return None
        if variables[0][-1] == "{proxy+}":
            resource = known[variables[0]]
            route = resource.methods.get(method)
            return route.key if route else None
        if not part:
            return None
        at = variables[0]
        del index
    resource = known.get(at)
    route = resource.methods.get(method) if resource else None
    return route.key if route else None


segment = st.sampled_from(["a", "b", "{x}", "{y}"])
path = st.lists(segment, max_size=4).map(
    lambda parts: (
        "/" + "/".join(part if part[0] != "{" else f"{part[:-1]}{index}}}" for index, part in enumerate(parts))
    )
)
pattern = st.tuples(path, st.booleans()).map(lambda item: item[0].rstrip("/") + "/*" if item[1] else item[0])
key = st.tuples(st.sampled_from(["GET", "POST", "ANY", "GET,POST"]), pattern).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(key, min_size=1, max_size=8, unique=True), st.lists(st.sampled_from(["a", "b", "c"]), max_size=5))
def test_every_request_ends_at_the_route_of_the_oracle_without_going_back(keys: list[str], parts: list[str]) -> None:
    try:
        edge = edge_of(*keys)
    except SpecError:
        return
    oracle = Oracle(edge)
    resources = api_resources(edge.routes)
    target = "/" + "/".join(parts)
    for method in METHODS:
        assert served(resources, method, target) == oracle.decide(Request(method, target)).route


def test_a_variable_and_the_rest_of_a_path_share_a_level() -> None:
    found = {item.path: dict(item.methods) for item in api_resources(edge_of("GET /o/{id}", "ANY /o/*").routes)}
    assert list(found) == ["/o", "/o/{id}", "/o/{id}/{proxy+}"]
    assert found["/o/{id}"]["GET"].key == "GET /o/{id}"
    assert found["/o/{id}"]["POST"].key == "ANY /o/*"


def test_the_rest_of_a_path_matches_its_parent_too() -> None:
    assert [item.path for item in api_resources(edge_of("ANY /o/*").routes)] == ["/o", "/o/{proxy+}"]


def test_a_level_has_one_name_for_its_variable_and_each_route_keeps_its_own() -> None:
    edge = edge_of("GET /u/{bizId}/a", "GET /u/{userId}/b")
    found = {item.path: item for item in api_resources(edge.routes)}
    assert list(found) == ["/u/{bizId}/a", "/u/{bizId}/b"]
    assert found["/u/{bizId}/b"].names["GET /u/{userId}/b"] == {"userId": "{bizId}"}


def test_names_of_two_levels_differ() -> None:
    edge = edge_of("GET /a/{x}/{y}", "GET /b/{y}/{x}")
    for item in api_resources(edge.routes):
        assert len(set(item.variables)) == len(item.variables), item.path


@pytest.mark.parametrize("keys", [["ANY /*"], ["GET /", "ANY /*"]])
def test_the_root_is_a_resource(keys: list[str]) -> None:
    assert [item.path for item in api_resources(edge_of(*keys).routes)] == ["/", "/{proxy+}"]
