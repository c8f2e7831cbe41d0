"""Rules of a load balancer: packed, in the order of the edge, and unmoved by routes that come and go."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.aws.artifact import Rule
from edgewright.aws.compile_rules import VALUES, Want, pack, regex
from edgewright.aws.priorities import FIRST, LAST, Rank, place
from edgewright.edge.decide import Oracle, Request
from edgewright.edge.model import METHODS, Edge, Forward
from edgewright.edge.paths import parse_path
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError


def edge_of(*keys: str, backends: int = 3) -> Edge:
    names = [f"b{number}" for number in range(backends)]
    routes = {key: names[index % backends] for index, key in enumerate(keys)}
    return resolve(
        from_data({"name": "t", "listener": {}, "backends": {name: {"port": 80} for name in names}, "routes": routes})
    )


def wants_of(edge: Edge) -> list[Want]:
    found: list[Want] = []
    for route in edge.routes:
        assert isinstance(route.action, Forward)
        backend = route.action.targets[0][0]
        found.append(Want(route.path, route.methods, (), "web", f"to-{backend}", (route.key,), ({"route": backend},)))
    return found


def values_of(rule: Rule) -> int:
    return sum(len(values) for condition in rule.conditions for values in condition.values())


def served(rules: tuple[Rule, ...], method: str, path: str) -> str | None:
    """The backend of the first rule that matches, as a balancer finds it."""
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if all(_holds(condition, method, path) for condition in rule.conditions):
            return rule.actions[0]["route"]
    return None


def _holds(condition: dict[str, list[str]], method: str, path: str) -> bool:
    if "methods" in condition:
        return method in condition["methods"]
    if "paths" in condition:
        return path in condition["paths"]
    return any(re.search(value, path) for value in condition["path_regex"])


segment = st.sampled_from(["a", "b", "{x}"])
path = st.lists(segment, max_size=3).map(
    lambda parts: "/" + "/".join(part if part[0] != "{" else f"{{x{index}}}" for index, part in enumerate(parts))
)
pattern = st.tuples(path, st.booleans()).map(lambda item: item[0].rstrip("/") + "/*" if item[1] else item[0])
key = st.tuples(st.sampled_from(["GET", "POST", "ANY", "GET,POST"]), pattern).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(key, min_size=1, max_size=12, unique=True), st.lists(st.sampled_from(["a", "b", "c"]), max_size=4))
def test_a_balancer_serves_what_the_oracle_says(keys: list[str], parts: list[str]) -> None:
    try:
        edge = edge_of(*keys)
    except SpecError:
        return
    rules = pack(wants_of(edge))
    oracle = Oracle(edge)
    target = "/" + "/".join(parts)
    for method in METHODS:
        decision = oracle.decide(Request(method, target))
        assert served(rules, method, target) == (decision.targets[0][0] if decision.targets else None)


def test_rules_have_at_most_five_values_and_priorities_of_their_own() -> None:
    edge = edge_of(*(f"GET,POST /s{number}/{{id}}" for number in range(80)))
    rules = pack(wants_of(edge))
    assert max(values_of(rule) for rule in rules) <= VALUES
    assert len({rule.priority for rule in rules}) == len(rules)
    assert all(FIRST <= rule.priority <= LAST + 100 for rule in rules)


def test_three_hundred_routes_to_a_few_backends_fit_in_a_hundred_rules() -> None:
    edge = edge_of(*(f"ANY /service-{number}/*" for number in range(300)), backends=10)
    rules = pack(wants_of(edge))
    assert len(rules) <= 100
    assert sorted(route for rule in rules for route in rule.routes) == sorted(route.key for route in edge.routes)


def test_a_route_that_is_added_changes_only_the_rule_that_it_comes_to() -> None:
    keys = [f"ANY /service-{number}/*" for number in range(60)]
    before = {rule.name: rule for rule in pack(wants_of(edge_of(*keys, backends=1)))}
    after = {rule.name: rule for rule in pack(wants_of(edge_of(*keys, "ANY /new/*", backends=1)))}
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert len(changed) <= 3  # the rule, or the two that it is split into
    moved = [
        name for name in changed if name in before and name in after and before[name].priority != after[name].priority
    ]
    assert moved == []


def test_a_route_of_another_kind_moves_no_priority() -> None:
    before = {rule.name: rule for rule in pack(wants_of(edge_of("GET /a", "ANY /a/*", "GET /b/{id}")))}
    after = {
        rule.name: rule
        for rule in pack(wants_of(edge_of("GET /a", "ANY /a/*", "GET /b/{id}", "ANY /*", "GET /a/{x}/c")))
    }
    assert {name: after[name].priority for name in before} == {name: rule.priority for name, rule in before.items()}


def test_more_methods_than_a_rule_has_room_for_become_several_rules() -> None:
    edge = edge_of("GET,HEAD,POST,PUT,PATCH /x")
    rules = pack(wants_of(edge))
    assert sorted(method for rule in rules for method in rule.conditions[1]["methods"]) == sorted(
        ["GET", "HEAD", "POST", "PUT", "PATCH"]
    )
    assert max(values_of(rule) for rule in rules) <= VALUES


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/a", "/a/*"),
        ("/a/b", "/a/{x}"),
        ("/a/{x}", "/a/*"),
        ("/a/{x}/c", "/a/*"),
        ("/{x}/b", "/{x}/*"),
        ("/a/*", "/{x}/*"),
        ("/{x}/*", "/*"),
        ("/a/b/*", "/a/*"),
    ],
)
def test_a_more_specific_path_stands_before_a_more_general_one(first: str, second: str) -> None:
    assert place(Rank(parse_path(first)), first) < place(Rank(parse_path(second)), second)


@pytest.mark.parametrize(
    ("path", "matches", "misses"),
    [
        ("/orders/*", ["/orders", "/orders/", "/orders/1/2"], ["/ordersold", "/order", "/x/orders"]),
        ("/orders/{id}", ["/orders/1"], ["/orders", "/orders/", "/orders/1/2"]),
        ("/*", ["/", "/x"], []),
        ("/a.b/{x}", ["/a.b/1"], ["/aXb/1"]),
    ],
)
def test_a_path_is_the_same_as_an_expression(path: str, matches: list[str], misses: list[str]) -> None:
    text = regex(parse_path(path))
    assert [item for item in matches if not re.search(text, item)] == []
    assert [item for item in misses if re.search(text, item)] == []
