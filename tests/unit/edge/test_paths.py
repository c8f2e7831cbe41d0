"""Route keys and path templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.edge.model import METHODS, PathPattern
from edgewright.edge.paths import PathError, PathTree, fill, match_path, parse_key, parse_path, shape, slug


def covers(general: PathPattern, special: PathPattern) -> bool:
    """Whether every path that ``special`` matches is matched by ``general`` too: what the tree finds, one by one."""
    if special.rest and not general.rest:
        return False
    count = len(general.segments)
    if len(special.segments) < count or (len(special.segments) > count and not general.rest):
        return False
    pairs = zip(general.segments, special.segments[:count], strict=True)
    return all(one.variable or (not two.variable and one.text == two.text) for one, two in pairs)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    parts = draw(
        st.lists(st.sampled_from(["a", "b", "orders"]) | st.integers(0, 9).map(lambda n: f"{{v{n}}}"), max_size=4)
    )
    names = [part for part in parts if part.startswith("{")]
    parts = [part for index, part in enumerate(parts) if part not in parts[:index] or part not in names]
    rest = draw(st.booleans())
    return ("".join(f"/{part}" for part in parts) + ("/*" if rest else "")) or "/"


PATHS = st.lists(st.sampled_from(["a", "b", "orders", "c", ""]), max_size=5).map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("key", "methods", "path", "label"),
    [
        ("GET /products", ("GET",), "/products", ""),
        ("ANY /orders/*", None, "/orders/*", ""),
        ("POST,GET /x", ("GET", "POST"), "/x", ""),
        ("GET /products (beta)", ("GET",), "/products", "beta"),
        ("ANY /", None, "/", ""),
        ("ANY /*", None, "/*", ""),
        ("GET /a/{id}/b/{other_id}/*", ("GET",), "/a/{id}/b/{other_id}/*", ""),
    ],
)
def test_a_key_is_a_method_a_path_and_perhaps_a_label(
    key: str, methods: tuple[str, ...] | None, path: str, label: str
) -> None:
    parsed = parse_key(key)
    assert (parsed.methods, str(parsed.path), parsed.label, parsed.websocket) == (methods, path, label, False)


def test_ws_is_a_websocket_on_get() -> None:
    parsed = parse_key("WS /live")
    assert parsed.websocket
    assert parsed.methods == ("GET",)


@pytest.mark.parametrize(
    ("key", "what", "remedy"),
    [
        ("/products", "has no method", "`ANY /products`"),
        ("get /products", "is not a method", "`GET`"),
        ("FETCH /products", "is not a method", "GET, HEAD"),
        ("GET,GET /x", "names a method twice", "once"),
        ("GET", "is not a route", "GET /orders/{id}"),
        ("GET products", "does not begin with a slash", "`/products`"),
        ("GET /a//b", "empty segment", "single"),
        ("GET /a/", "ends with a slash", "`/a`"),
        ("GET /a/../b", "`..` segment", "leads to"),
        ("GET /a/./b", "`.` segment", "leads to"),
        ("GET /a/*/b", "inside", "last segment"),
        ("GET /a*", "inside", "last segment"),
        ("GET /v{n}", "is not a segment", "whole segment"),
        ("GET /{a b}", "is not a route", "GET /orders/{id}"),
        ("GET /{1}", "is not a segment", "letters"),
        ("GET /{a}/{a}", "stands twice", "name of its own"),
        ("GET /a%2fb", "read differently", "without `%`"),
        ("GET /a;b", "read differently", "`;`"),
        ("GET /a?b", "read differently", "`?`"),
        ("GET /é", "may not have", "letters"),
        ("GET /a.", "ends with a dot", "without it"),
        ("GET /a (Beta!)", "is not a label", "lower-case"),
        ("GET /" + "/".join("a" * 33), "33 segments", "at most 32"),
    ],
)
def test_a_key_that_breaks_the_grammar_says_what_and_what_instead(key: str, what: str, remedy: str) -> None:
    with pytest.raises(PathError) as caught:
        parse_key(key)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("/orders/*", "/orders", {"*": ""}),
        ("/orders/*", "/orders/", {"*": "/"}),
        ("/orders/*", "/orders/7/x", {"*": "/7/x"}),
        ("/orders/*", "/ordersold", None),
        ("/orders", "/orders/", None),
        ("/orders/{id}", "/orders/7", {"id": "7"}),
        ("/orders/{id}", "/orders/", None),
        ("/orders/{id}", "/orders/7/x", None),
        ("/orders/{id}/*", "/orders/7", {"id": "7", "*": ""}),
        ("/*", "/", {"*": ""}),
        ("/*", "/a", {"*": "/a"}),
        ("/", "/", {}),
        ("/", "/a", None),
    ],
)
def test_a_path_matches_on_segment_boundaries(pattern: str, path: str, found: dict[str, str] | None) -> None:
    assert match_path(parse_path(pattern), path) == found


def test_literals_come_before_variables_before_the_rest_segment_by_segment() -> None:
    ordered = ["/", "/a", "/a/b", "/a/b/*", "/a/{x}", "/a/{x}/*", "/a/*", "/{x}", "/*"]
    assert sorted(set(ordered), key=lambda text: shape(parse_path(text))) == ordered


@given(patterns(), patterns(), PATHS)
def test_a_pattern_that_covers_another_matches_all_that_it_matches(one: str, two: str, path: str) -> None:
    general, special = parse_path(one), parse_path(two)
    if covers(general, special) and match_path(special, path) is not None:
        assert match_path(general, path) is not None


@given(patterns(), patterns())
def test_a_pattern_that_comes_first_never_covers_a_later_one_of_another_shape(one: str, two: str) -> None:
    first, second = sorted((parse_path(one), parse_path(two)), key=shape)
    if shape(first) != shape(second):
        assert not covers(first, second)


@given(st.lists(patterns(), max_size=8), PATHS, patterns())
def test_the_tree_finds_what_trying_every_pattern_finds(texts: list[str], path: str, other: str) -> None:
    found = [parse_path(text) for text in texts]
    tree: PathTree[int] = PathTree()
    for index, pattern in enumerate(found):
        tree.insert(pattern, index)
    assert sorted(tree.matching(path)) == [i for i, item in enumerate(found) if match_path(item, path) is not None]
    special = parse_path(other)
    assert sorted(tree.covering(special)) == [i for i, item in enumerate(found) if covers(item, special)]


@given(patterns())
def test_a_path_prints_as_it_was_written(text: str) -> None:
    assert str(parse_path(text)) == text


@given(st.lists(st.tuples(st.sampled_from([*METHODS, "ANY", "WS"]), patterns()), min_size=2, max_size=2, unique=True))
def test_different_keys_have_different_slugs(pairs: list[tuple[str, str]]) -> None:
    one, two = (slug(parse_key(f"{method} {path}")) for method, path in pairs)
    assert one != two


def test_slugs_tell_variables_from_literals_and_escape_what_is_special() -> None:
    keys = ["GET /a/{id}", "GET /a/id", "GET /a/-id", "GET /a.b", "GET /a/b", "GET /a_2eb", "GET /A/b", "GET /a (x)"]
    assert len({slug(parse_key(key)) for key in keys}) == len(keys)


def test_a_rewrite_fills_variables_and_the_rest() -> None:
    found = match_path(parse_path("/users/{id}/*"), "/users/7/orders/3") or {}
    assert fill(parse_path("/v2/{id}/*"), found) == "/v2/7/orders/3"
    assert fill(parse_path("/v2/{id}"), found) == "/v2/7"
    assert fill(parse_path("/*"), found) == "/orders/3"
