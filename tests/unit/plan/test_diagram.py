"""The way of a request, drawn."""

import re
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from edgewright.plan import diagram
from edgewright.plan.model import Hop, Link, Plan
from golden_files import assert_golden
from unit.plan import sample_plans as samples

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"
SVG = "{http://www.w3.org/2000/svg}"


def plan(hops: str, *links: str) -> Plan:
    """``plan("a b", "a b HTTPS")``."""
    found = [link.split(" ", 2) for link in links]
    made = tuple(Link(item[0], item[1], item[2] if len(item) > 2 else "") for item in found)
    return replace(samples.EMPTY, hops=tuple(Hop(name, name) for name in hops.split()), links=made)


def fan(count: int) -> Plan:
    """A client, a balancer, so many backends."""
    names = [f"b{index}" for index in range(count)]
    return plan(" ".join(("client", "edge", *names)), "client edge HTTPS", *(f"edge {name} HTTP" for name in names))


# -- text --------------------------------------------------------------------------------------------------------------


def test_the_drawn_way_is_the_golden_one() -> None:
    assert_golden(GOLDEN / "shop.diagram.txt", diagram.text(samples.shop()))


def test_hops_stand_from_left_to_right_with_the_protocol_on_the_arrow() -> None:
    assert (
        diagram.text(plan("a b", "a b HTTPS")) == "┌───┐          ┌───┐\n│ a ├─ HTTPS ─▶│ b │\n└───┘          └───┘\n"
    )


def test_a_way_that_is_too_wide_goes_on_in_the_next_row() -> None:
    drawn = diagram.text(
        plan(
            "aaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbb ccccccccccccccc",
            "aaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbb HTTPS",
            "bbbbbbbbbbbbbbbbbbbbb ccccccccccccccc HTTP",
        ),
        width=70,
    )
    lines = drawn.splitlines()
    assert lines[1].endswith("├─ …")
    assert lines[5].startswith("… ─ HTTP ─▶│ ccccccccccccccc │")


@pytest.mark.parametrize("width", [60, 80, 110])
@pytest.mark.parametrize("of", [samples.shop(), samples.chain(9), samples.hostile(), fan(30)])
def test_no_row_is_wider_than_asked(of: Plan, width: int) -> None:
    assert max(map(diagram.cells, diagram.text(of, width=width).splitlines())) <= width


def test_boxes_are_closed() -> None:
    drawn = diagram.text(samples.shop())
    assert drawn.count("┌") == drawn.count("┐") == drawn.count("┘") == 6


def test_several_ends_hang_from_the_last_box() -> None:
    lines = diagram.text(fan(3)).splitlines()
    start = lines[0].rindex("┌")
    assert lines[2][start:] == "└─┬────┘"
    assert [line[start + 2 :] for line in lines[3:]] == ["├─ HTTP ─▶ b0", "├─ HTTP ─▶ b1", "└─ HTTP ─▶ b2"]


def test_branches_go_back_to_the_left_where_they_would_not_fit() -> None:
    wide = Hop("b", "b", ("x" * 36,))
    drawn = diagram.text(
        replace(
            fan(3),
            hops=(Hop("client", "client " + "y" * 20), Hop("edge", "edge"), wide, *fan(3).hops[2:]),
            links=(*fan(3).links, Link("edge", "b")),
        ),
        width=60,
    )
    assert "  ├─ HTTP ─▶ b0" in drawn.splitlines()
    assert all(len(line) <= 60 for line in drawn.splitlines())


def test_a_branch_of_another_hop_is_drawn_below_its_name() -> None:
    lines = diagram.text(samples.shop()).splitlines()
    at = lines.index("Application Load Balancer")
    assert lines[at + 1] == "└─ WebSocket ─▶ live · http 9000"


def test_a_branch_goes_on_below_itself() -> None:
    lines = diagram.text(samples.shop()).splitlines()
    at = lines.index("client")
    assert lines[at + 1 : at + 3] == ["└─ TCP ─▶ Network Load Balancer · TCP 5432", "   └─ TCP ─▶ db · tcp 5432"]


def test_every_hop_and_every_link_is_drawn() -> None:
    of = samples.shop()
    drawn = diagram.text(of)
    assert all(hop.title in drawn for hop in of.hops)
    assert drawn.count("▶") == len(of.links)


def test_a_circle_ends() -> None:
    drawn = diagram.text(plan("a b c", "a b", "b c", "c a again", "b b self"))
    assert "again ─▶ a  (above)" in drawn
    assert "self ─▶ b  (above)" in drawn


def test_a_hop_that_nothing_leads_to_is_said() -> None:
    assert "c\n  (nothing leads here)" in diagram.text(plan("a b c", "a b"))


def test_a_link_to_a_hop_that_is_not_described_is_drawn() -> None:
    assert "│ b │" in diagram.text(plan("a", "a b"))


def test_a_hop_with_more_lines_than_fit_counts_the_rest() -> None:
    drawn = diagram.text(replace(samples.EMPTY, hops=(Hop("a", "a", ("1", "2", "3", "4", "5", "6")),)))
    assert [line.strip("│ ") for line in drawn.splitlines()[1:-1]] == ["a", "1", "2", "3", "and 3 more"]


def test_a_plan_without_hops_has_no_drawing() -> None:
    assert diagram.text(samples.EMPTY) == ""


@pytest.mark.parametrize(
    ("words", "width", "lines"),
    [
        ("a b c", 3, ["a b", "c"]),
        ("abcdef", 4, ["abcd", "ef"]),
        ("", 5, [""]),
        ("日本語です", 4, ["日本", "語で", "す"]),
    ],
)
def test_words_are_wrapped_by_columns(words: str, width: int, lines: list[str]) -> None:
    assert diagram.wrap(words, width) == lines


@pytest.mark.parametrize(
    ("words", "cut", "left"), [("abc", "abc", "abc"), ("abcdef", "abc…", "…def"), ("日本語", "日…", "…語")]
)
def test_words_are_cut_by_columns(words: str, cut: str, left: str) -> None:
    assert (diagram.cut(words, 4), diagram.cut_left(words, 4)) == (cut, left)


# -- mermaid -----------------------------------------------------------------------------------------------------------


def test_mermaid_names_hops_and_labels_arrows() -> None:
    assert (
        diagram.mermaid(plan("a b", "a b HTTPS", "b a"))
        == 'flowchart LR\n  h0["a"]\n  h1["b"]\n  h0 -->|"HTTPS"| h1\n  h1 --> h0\n'
    )


def test_no_text_breaks_out_of_its_mermaid_label() -> None:
    for line in diagram.mermaid(samples.hostile()).splitlines()[1:]:
        inside = re.fullmatch(r'  h\d+(?:\["(.*)"\]| -->(?:\|"(.*)"\|)? h\d+)', line)
        assert inside is not None, line
        text = (inside[1] or inside[2] or "").replace("<br/>", "")
        assert not re.search(r'["<>`&%\\]', text)


# -- SVG ---------------------------------------------------------------------------------------------------------------


def boxes(svg: str) -> dict[str, tuple[float, float, float, float]]:
    """By title: left, top, right and bottom of each box."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        title = group.find(f"{SVG}text[@class='title']")
        assert rect is not None
        assert title is not None
        x, y, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found[title.text or ""] = (x, y, x + wide, y + high)
    return found


def test_the_svg_is_the_golden_one() -> None:
    assert_golden(GOLDEN / "shop.svg", diagram.svg(samples.shop()))


@pytest.mark.parametrize(
    "of",
    [
        samples.shop(),
        samples.hostile(),
        samples.EMPTY,
        samples.chain(50),
        fan(48),
        plan("a b", "a b", "b a back", "a a self"),
    ],
)
def test_the_svg_is_xml(of: Plan) -> None:
    assert ElementTree.fromstring(diagram.svg(of)).tag == f"{SVG}svg"


@pytest.mark.parametrize("of", [samples.shop(), samples.chain(20), fan(30)])
def test_boxes_do_not_touch_and_stand_inside_of_the_drawing(of: Plan) -> None:
    drawn = diagram.svg(of)
    root = ElementTree.fromstring(drawn)
    places = boxes(drawn)
    assert len(places) == len(of.hops)
    for one, other in combinations(places.values(), 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    for left, top, right, bottom in places.values():
        assert left > 0 and top > 0 and right < float(root.attrib["width"]) and bottom < float(root.attrib["height"])


def test_each_hop_stands_right_of_all_that_lead_to_it() -> None:
    of = samples.shop()
    places = boxes(diagram.svg(of))
    titles = {hop.name: hop.title for hop in of.hops}
    for link in of.links:
        assert places[titles[link.source]][2] < places[titles[link.target]][0]


# Widths of DejaVu Sans Bold in thousandths of an em, the widest of the usual fonts, for some texts of boxes.
@pytest.mark.parametrize(
    ("title", "em"),
    [("Application Load Balancer", 14.7), ("WWWWWMMMMM", 10.5), ("private REST API", 9.5), ("mmmmmmmm", 8.4)],
)
def test_a_box_is_wide_enough_for_its_title(title: str, em: float) -> None:
    left, _, right, _ = boxes(diagram.svg(replace(samples.EMPTY, hops=(Hop("a", title),))))[title]
    assert right - left >= em * 13 + 24


def test_a_very_long_title_is_cut_and_whole_in_its_tooltip() -> None:
    drawn = diagram.svg(replace(samples.EMPTY, hops=(Hop("a", "x" * 200),)))
    assert f"<title>{'x' * 200}</title>" in drawn
    (left, _, right, _) = next(iter(boxes(drawn).values()))
    assert right - left < 500


def test_an_arrow_over_several_layers_passes_between_the_boxes() -> None:
    of = plan("a b c d", "a b", "b c", "c d", "a d far")
    drawn = diagram.svg(of)
    places = boxes(drawn)
    way = next(path for path in re.findall(r'd="(M[^"]+)"', drawn) if path.count("C") > 1)
    flat = [int(y) for y in re.findall(r"L\d+ (\d+)", way)][:-1]
    for name in "bc":
        _, top, _, bottom = places[name]
        assert all(y < top or y > bottom for y in flat)


def test_arrows_into_one_box_have_places_of_their_own() -> None:
    drawn = diagram.svg(plan("a b c d", "a b one", "a c two", "b d three", "c d four"))
    (left, top, _, bottom) = boxes(drawn)["d"]
    ends = [int(y) for y in re.findall(rf'L{left:.0f} (\d+)" ', drawn)]
    assert len(set(ends)) == 2
    assert all(top < y < bottom for y in ends)


def test_the_svg_brings_its_own_background_for_light_and_dark() -> None:
    drawn = diagram.svg(samples.shop())
    assert '<rect class="ground"' in drawn
    assert "@media (prefers-color-scheme: dark)" in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "").replace("http 8080", "").replace(
        "http 9000", ""
    ).replace("https 8443", "")


def test_fifty_hops_take_less_than_thirty_milliseconds_of_cpu() -> None:
    of = samples.chain(50)
    spent = []
    for _ in range(5):
        start = time.process_time()
        diagram.svg(of)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.03


@pytest.mark.parametrize("draw", [diagram.text, diagram.mermaid, diagram.svg])
def test_the_same_plan_is_the_same_drawing(draw: Callable[[Plan], str]) -> None:
    assert draw(samples.shop()) == draw(samples.shop())
