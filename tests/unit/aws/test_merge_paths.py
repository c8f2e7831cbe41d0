"""Merging of paths that ask for the same of a caller, against the oracle."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.aws.compile_rules import regex
from edgewright.aws.merge_paths import merge
from edgewright.edge.decide import Identity, Oracle, Request
from edgewright.edge.model import METHODS, Edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError


def edge_of(**routes: str) -> Edge:
    return resolve(
        from_data(
            {
                "name": "t",
                "listener": {},
                "authorizers": {
                    name: {"jwt": {"issuer": f"https://{name}/", "audiences": ["a"]}} for name in ("u", "v")
                },
                "backends": {"b": {"port": 80}},
                "routes": {key: {"backend": "b", "auth": auth} for key, auth in routes.items()},
            }
        )
    )


def look(route: object) -> object:
    auth = getattr(route, "auth", None)
    return auth.authorizers if auth else None


segment = st.sampled_from(["a", "b", "{x}"])
path = st.lists(segment, max_size=3).map(
    lambda parts: "/" + "/".join(part if part[0] != "{" else f"{{x{index}}}" for index, part in enumerate(parts))
)
pattern = st.tuples(path, st.booleans()).map(lambda item: item[0].rstrip("/") + "/*" if item[1] else item[0])
key = st.tuples(st.sampled_from(["GET", "POST", "ANY"]), pattern).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(key, st.sampled_from(["none", "u", "v"]), min_size=1, max_size=8),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=4),
)
def test_the_first_pattern_that_matches_asks_for_what_the_route_asks_for(
    routes: dict[str, str], parts: list[str]
) -> None:
    try:
        edge = edge_of(**routes)
    except SpecError:
        return
    merged = merge(edge.routes, look)
    oracle = Oracle(edge)
    target = "/" + "/".join(parts)
    known = {"u": Identity("me"), "v": Identity("me")}
    for method in METHODS:
        decision = oracle.decide(Request(method, target, identities=known))
        if decision.route is None:
            continue
        first = next(
            item
            for item in merged
            if re.search(regex(item.path), target) and (item.methods is None or method in item.methods)
        )
        assert look(first.routes[0]) == look(edge.route(decision.route))


def test_a_subtree_that_asks_for_the_same_is_one_pattern() -> None:
    edge = edge_of(**{"GET /o/{id}": "u", "ANY /o/*": "u", "POST /o/x/y": "u", "GET /p": "none"})
    assert [(str(item.path), item.methods) for item in merge(edge.routes, look)] == [("/o/*", None), ("/p", None)]


def test_nothing_is_merged_over_a_path_that_asks_for_something_else() -> None:
    edge = edge_of(**{"GET /o/a": "u", "GET /o/b": "u", "GET /{any}/c": "none"})
    assert [str(item.path) for item in merge(edge.routes, look)] == ["/o/a", "/o/b", "/{any}/c"]


def test_methods_are_named_where_they_ask_for_different_things() -> None:
    edge = edge_of(**{"GET /o": "none", "POST /o": "u"})
    assert [item.methods for item in merge(edge.routes, look)] == [("GET",), ("POST",)]


def test_methods_are_named_where_others_fall_through_to_something_else() -> None:
    edge = edge_of(**{"GET /o": "none", "ANY /*": "u"})
    assert [(str(item.path), item.methods) for item in merge(edge.routes, look)] == [("/o", ("GET",)), ("/*", None)]
