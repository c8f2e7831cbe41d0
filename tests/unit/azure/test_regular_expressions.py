"""RE2 in .NET's syntax: what a pattern means in a policy is what RE2 means by it, or it is refused by name."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csharp_twin
from edgewright.azure.compile import compile_edge
from edgewright.azure.regular_expressions import PatternError, to_net
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError


def matches(pattern: str, text: str) -> bool:
    """Whether .NET finds a whole text to match."""
    return csharp_twin.pattern(f"^(?:{to_net(pattern)})\\z").search(text) is not None


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("v1", "v1", "v1\n"),
        ("v1$", "v1", "v1\n"),
        ("v1|w", "w", "v1w"),
        ("(?P<major>v)1", "v1", "v"),
        (r"\d+", "123", "\u0661\u0662"),
        (r"\D", "\u0661", "1"),
        (r"\w+", "a_1", "\u00e9"),
        (r"\W", "\u00e9", "a"),
        (r"a\sb", "a b", "a\u00a0b"),
        (r"a\Sb", "a\u00a0b", "a b"),
        (r"a\b.+", "a\u00e9", "ab"),
        (r"a\B.+", "ab", "a-"),
        (r"[\d_]+", "1_", "\u0661"),
        (r"[^\W]", "a", "\u00e9"),
        (r"[\D]", "\u0661", "1"),
        (r"[\S]", "\u00a0", "\t"),
        ("[a-z-[aeiou]]", "a]", "b"),
        ("[]a]", "]", "b"),
        ("[^]a]", "b", "]"),
        (r"[a\-z]", "-", "b"),
        ("[a-]", "-", "b"),
        ("[-a]", "-", "b"),
        (r"[\]^-]", "^", "\\"),
        ("a{2}", "aa", "a{2}"),
        ("a{x}", "a{x}", "ax"),
        ("a#b c", "a#b c", "a"),
        ("a.b", "a-b", "a\nb"),
        ("(?s)a.b", "a\nb", "ab"),
        ("(?i)v1", "V1", "v2"),
        ("(?i:v)1x", "V1x", "V1X"),
        ("(?s-i:.)", "\n", "ab"),
        (r"\x41\t", "A\t", "a\t"),
        (r"a\.b\_", "a.b_", "a-b_"),
        ("a+?b*?", "aab", "b"),
        ("\U0001f600+", "\U0001f600\U0001f600", "\U0001f601"),
        ("", "", "a"),
    ],
)
def test_a_pattern_means_what_it_means_to_re2(pattern: str, yes: str, no: str) -> None:
    assert matches(pattern, yes)
    assert not matches(pattern, no)


REFUSED = (
    "[[:alpha:]]", r"a\Z", "a{,3}", "(?x)a b", "(?m)^a$", "(?a)a", "(?u:a)", "(?#remark)a", r"\0", r"[\b]",
    r"\u0041", "[\U0001f600]", r"\x{41}", r"\pL", r"\Qa\E", r"\C", "(?U)a", "(?<name>a)",
)  # fmt: skip


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_is_read_in_several_ways_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        to_net(pattern)


# Python warns of sets of sets, which it does not have.
pytestmark = pytest.mark.filterwarnings("ignore:Possible:FutureWarning")


def edge(pattern: str, key: str = "GET /a") -> dict[str, object]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {key: {"backend": "orders", "match": {"headers": {"x-a": {"regex": pattern}}}}},
    }


@pytest.mark.parametrize("pattern", ["[[:alpha:]]", "(?x)a b", "a{,3}"])
def test_a_spec_is_told_which_route_has_it(pattern: str) -> None:
    with pytest.raises(SpecError, match=r"ValueMatch\.\(regex that \.NET reads otherwise\) of GET /a:"):
        compile_edge(resolve(from_data(edge(pattern))), {}, "gateway-first", placeholders=True)


def test_a_pattern_that_cannot_be_written_is_not_accepted_away() -> None:
    accept = [{"field": "ValueMatch.(regex that .NET reads otherwise)", "reason": "nobody would write that"}]
    with pytest.raises(SpecError, match="cannot be accepted away"):
        compile_edge(resolve(from_data(edge("(?x)a b"))), {"accept": accept}, "gateway-first", placeholders=True)


# Pieces that Python in ASCII mode reads as RE2 does; `\s` alone has one more sign there, the vertical tab.
PIECES = st.sampled_from(
    [
        *"ab1_-.^|{}]#&~é ", "(", ")", "(?:", "(?P<n>", "[", "[^", "*", "+", "?", "{2}", "{1,}", "{", "$", r"\d", r"\D",
        r"\w", r"\W", r"\S", r"\b", r"\B", r"\.", r"\-", r"\[", r"\]", r"\\", r"\x61", r"\n", "[a-b]", "[^a-]", "[]-]",
    ]
)  # fmt: skip
TEXTS = st.text(st.sampled_from("ab1_-.^|{}[]#&~\\é\u0661 \n$"), max_size=6)


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=7).map("".join), st.lists(TEXTS, min_size=4, max_size=12))
def test_any_pattern_is_refused_or_means_the_same(pattern: str, texts: list[str]) -> None:
    try:
        wanted = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
        net = csharp_twin.pattern(f"^(?:{to_net(pattern)})\\z")
    except (re.error, PatternError):
        return
    for text in texts:
        if not text and r"\B" in pattern:
            continue  # Python finds no \B in nothing, up to 3.13; RE2 does
        assert (wanted.fullmatch(text) is not None) == (net.search(text) is not None), (pattern, text)
