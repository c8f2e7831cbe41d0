"""Reading YAML: values, places, and everything that is refused."""

from typing import Any

import pytest

from edgewright.spec.problems import Problem, SpecError
from edgewright.spec.yaml_reader import MAX_BYTES, MAX_DEPTH, MAX_KEY, MAX_VALUES, Mark, read


def data(text: str) -> Any:
    found, _, problems = read(text.encode(), "a.yaml")
    assert problems == ()
    return found


def fatal(content: str | bytes) -> Problem:
    """The one problem that stopped the reading."""
    with pytest.raises(SpecError) as caught:
        read(content.encode() if isinstance(content, str) else content, "a.yaml")
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def at(problem: Problem) -> tuple[int, int]:
    return problem.place.line, problem.place.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ("8080", 8080),
        ("-5", -5),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-11-23", "2026-11-23"),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        (".5", ".5"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("99999999999999999999", "99999999999999999999"),
        ('"80"', "80"),
        ("!!str 80", "80"),
        ("! 80", "80"),
        ("!!float 80", 80),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = data(f"a: {text}\n")["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("key", ["on", "yes", "200", "null", "1:30", "010", "true"])
def test_keys_are_texts_as_they_are_written(key: str) -> None:
    assert data(f"{key}: 1\n") == {key: 1}


def test_json_is_read_with_tabs_and_escapes() -> None:
    assert data('{"a":\n\t{"b": [1, "x\\/\\u00e9", null, true]}}') == {"a": {"b": [1, "x/é", None, True]}}


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read(b"\xef\xbb\xbfname: shop\n", "a.yaml")[0] == {"name": "shop"}


def test_keys_and_values_have_their_places() -> None:
    _, sources, _ = read(b"a:\n  - b: 1\n    cc:   [x, {d: y}]\n", "a.yaml")
    assert str(sources.place(("a",))) == "a.yaml:2:3"
    assert str(sources.place(("a", 0, "cc"), key=True)) == "a.yaml:3:5"
    assert str(sources.place(("a", 0, "cc", 1, "d"))) == "a.yaml:3:19"
    assert str(sources.place(("a", 0, "cc", 7, "unknown"))) == "a.yaml:3:5"
    assert sources.values[("a", 0, "cc", 0)] == (3, 12)
    assert set(sources.keys) == {("a",), ("a", 0, "b"), ("a", 0, "cc"), ("a", 0, "cc", 1, "d")}
    assert len(sources.values) == 8


def test_columns_count_characters_and_not_bytes() -> None:
    _, sources, _ = read("é€𝄞: {b: 1}\n".encode(), "a.yaml")
    assert sources.keys[("é€𝄞", "b")] == (1, 7)


def test_an_alias_has_the_value_and_the_places_of_its_anchor() -> None:
    found, sources, _ = read(b"a: &x {p: 1}\nb: *x\n", "a.yaml")
    assert found == {"a": {"p": 1}, "b": {"p": 1}}
    assert sources.values[("b", "p")] == (1, 11)


def test_merge_keys_fill_in_what_is_not_written() -> None:
    found = data("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: [*a, {x: 9, z: 4}]}\nd: {'<<': 1}\n")
    assert found == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}, "c": {"x": 1, "y": 2, "z": 4}, "d": {"<<": 1}}


def test_each_duplicate_key_is_reported_with_both_places_and_the_first_counts() -> None:
    found, _, problems = read(b"a: 1\nb: {c: 1, c: 2}\na: 3\n", "a.yaml")
    assert found == {"a": 1, "b": {"c": 1}}
    assert [at(problem) for problem in problems] == [(2, 11), (3, 1)]
    assert "first on line 2, column 5" in problems[0].what
    assert "first on line 1, column 1" in problems[1].what


def test_very_many_duplicate_keys_end_the_reading() -> None:
    with pytest.raises(SpecError) as caught:
        read(b"a: 1\n" * 10_000, "a.yaml")
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1].what == "there are too many problems to read on"


def test_a_merge_of_something_else_is_a_problem() -> None:
    _, _, problems = read(b"a: {<<: 1}\n", "a.yaml")
    assert [at(problem) for problem in problems] == [(1, 5)]


def test_tags_are_refused_and_the_rest_is_read() -> None:
    found, _, problems = read(b"a: !!python/object:os.system x\nb: !!binary aGk=\nc: 1\n", "a.yaml")
    assert found["c"] == 1
    assert [(at(problem), problem.code) for problem in problems] == [((1, 4), "tag"), ((2, 4), "tag")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\n!x b: 2\n", (2, 1)),
        ("!!python/name:os.system a: 1\n", (1, 1)),
        ("a: !!str {b: 1}\n", (1, 4)),
        ("a: !!map [b]\n", (1, 4)),
        ("a: !!seq b\n", (1, 4)),
    ],
)
def test_a_tag_that_says_something_else_is_a_problem_also_of_keys_and_of_lists(text: str, place: Mark) -> None:
    _, _, problems = read(text.encode(), "a.yaml")
    assert [(at(problem), problem.code) for problem in problems] == [(place, "tag")]


def test_the_core_tags_may_be_written() -> None:
    assert data("!!map {!!str a: !!seq [!!int 1]}\n") == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a: 1\n\tb: 2\n", (2, 1), "tab"),
        ("\ta: 1\n", (1, 1), "tab"),
        ("a: b: c\n", (1, 5), "colon"),
        ("a: @b\n", (1, 4), "begin with this character"),
        ("a: 'b\n", (2, 1), "the quotes of line 1, column 4 are not closed"),
        ("a: [b\n", (2, 1), "the `[` of line 1, column 4 is not closed"),
        ("a: {b: c\n", (2, 1), "the `{` of line 1, column 4 is not closed"),
        ("a: 1\nb\nc: 2\n", (3, 1), "neither a key"),
        ("a:\n  - b\n c: d\n", (3, 2), "indentation"),
        ("a: *b\n", (1, 4), "no anchor `&b`"),
        ("a: &x [*x]\n", (1, 8), "within what it stands for"),
        ("? [a]\n: 1\n", (1, 3), "a key is a list"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document"),
        ("", (1, 1), "empty"),
        ("# only a comment\n", (1, 1), "empty"),
        ("---\n...\n", (1, 1), "empty"),
        ("a: 1\nb: \x07\n", (2, 4), "U+0007"),
        ("a: \x00", (1, 4), "U+0000"),
        ('a: "\\ud800"', (1, 7), "escape"),
    ],
)
def test_what_is_not_yaml_is_one_plain_error(text: str, place: tuple[int, int], word: str) -> None:
    problem = fatal(text)
    assert at(problem) == place
    assert word in problem.what


@pytest.mark.parametrize(
    ("content", "place", "remedy"),
    [
        (b"a: 1\nb: caf\xe9\n", (2, 7), "save the file as UTF-8"),
        (b"\xef\xbb\xbfa: \xff", (1, 4), "save the file as UTF-8"),
        ("a: 1".encode("utf-16"), (1, 1), "save it as UTF-8"),
    ],
)
def test_other_encodings_are_refused(content: bytes, place: tuple[int, int], remedy: str) -> None:
    problem = fatal(content)
    assert (at(problem), problem.remedy) == (place, remedy)


@pytest.mark.parametrize(
    "text", ["[" * 10_000, "{a: " * 10_000, "- " * 10_000, "".join(f"{' ' * i}a:\n" for i in range(200))]
)
def test_deep_nesting_is_one_plain_error(text: str) -> None:
    assert fatal(text).code == "depth"


def test_nesting_as_deep_as_is_allowed_is_read() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    found = data(text)
    for _ in range(MAX_DEPTH - 1):
        found = found[0]
    assert found == []


def test_an_alias_may_not_make_it_deeper_than_allowed() -> None:
    half = MAX_DEPTH // 2 + 1
    text = f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}\n"
    assert fatal(text).code == "depth"


def test_an_alias_bomb_is_one_plain_error() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert fatal("\n".join(lines)).code == "alias-bomb"


def test_a_merge_bomb_is_one_plain_error() -> None:
    keys = ", ".join(f"k{i}: 1" for i in range(1_000))
    lines = [f"a: &a {{{keys}}}", *(f"b{i}: {{<<: *a}}" for i in range(100))]
    assert fatal("\n".join(lines)).code == "alias-bomb"


def test_very_many_aliases_are_one_plain_error() -> None:
    assert fatal("a: &a x\nb: [" + "*a, " * 1_001 + "]").code == "alias-bomb"


def test_a_document_that_is_too_large_is_one_plain_error() -> None:
    problem = fatal(b"a" * (MAX_BYTES + 1))
    assert (problem.code, problem.what) == ("size", "it is larger than 8 MB")


def test_too_many_values_are_one_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_VALUES >= 300_000
    monkeypatch.setattr("edgewright.spec.yaml_reader.MAX_VALUES", 100)
    assert fatal("- a\n" * 101).code == "size"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028"])
def test_a_flood_of_directives_is_one_plain_error(end: str) -> None:
    # libyaml compares each with all before it: some hundred thousand would take minutes that nothing can interrupt.
    problem = fatal("".join(f"%TAG !a{i}! x{end}" for i in range(100_000)) + "--- a")
    assert (problem.code, problem.what) == ("size", "more than 16 lines begin with `%`")


def test_percent_signs_elsewhere_are_no_directives() -> None:
    assert data("%YAML 1.2\n---\na:" + " 5%" * 100)["a"].startswith("5% 5%")


def test_a_key_is_bounded() -> None:
    assert data(f"? {'a' * MAX_KEY}\n: 1\n") == {"a" * MAX_KEY: 1}
    problem = fatal(f"b: 1\n? {'a' * (MAX_KEY + 1)}\n: 1\n")
    assert (at(problem), problem.what) == ((2, 3), "a key is longer than 1024 characters")


def test_problems_before_a_fatal_one_are_reported_with_it() -> None:
    with pytest.raises(SpecError) as caught:
        read(b"a: 1\na: 2\nb: [\n", "a.yaml")
    assert [problem.code for problem in caught.value.problems] == ["duplicate-key", "yaml"]


def test_a_long_or_hostile_key_is_cut_and_escaped_in_messages() -> None:
    key = '"\\e[31m' + "x" * 500 + '"'
    _, _, problems = read(f"{{{key}: 1, {key}: 2}}".encode(), "a.yaml")
    assert "\x1b" not in str(problems[0])
    assert len(str(problems[0])) < 300
