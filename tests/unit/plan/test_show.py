"""A plan as text, markdown and JSON."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgewright.plan import show_json, show_markdown, show_policies, show_text
from edgewright.plan.diagram import cells
from edgewright.plan.model import Note, Plan, PlannedRoute, Policies, Resource, Setting
from golden_files import assert_golden
from unit.plan import sample_plans as samples

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"
REPOSITORY = Path(__file__).parents[3]


def section(text: str, heading: str) -> str:
    """The lines from that heading up to the next one, which begins at the left after an empty line."""
    start = text.index(f"\n{heading}") + 1
    end = re.search(r"\n\n(?=[A-Z])", text[start:])
    return text[start : start + end.start()] if end else text[start:]


# -- text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "plan"), [("shop", samples.shop()), ("wide", samples.wide(24)), ("empty", samples.EMPTY)]
)
def test_the_text_of_a_plan_is_the_golden_one(name: str, plan: Plan) -> None:
    assert_golden(GOLDEN / f"{name}.txt", show_text.text(plan))


def test_what_to_bind_stands_before_everything_else() -> None:
    lines = show_text.text(samples.shop()).splitlines()
    start = lines.index("") + 1  # behind the headline
    assert lines[start].startswith("Bind first")
    assert "network" in lines[start + 1]


def test_nothing_is_said_of_bindings_when_all_are_there() -> None:
    assert "Bind first" not in show_text.text(replace(samples.shop(), must_bind=()))


@pytest.mark.parametrize("width", [60, 80, 110, 160])
@pytest.mark.parametrize("plan", [samples.shop(), samples.hostile(), samples.wide(40), samples.chain(7)])
def test_no_line_is_wider_than_the_terminal(plan: Plan, width: int) -> None:
    widest = max(show_text.text(plan, width=width).splitlines(), key=cells)
    assert cells(widest) <= width, widest


def test_public_routes_come_first_and_bear_their_mark() -> None:
    mixed = replace(samples.shop(), routes=tuple(reversed(samples.ROUTES)))
    routes = section(show_text.text(mixed), "Routes")
    marks = [line.split()[0] == "PUBLIC" for line in routes.splitlines() if re.search(r"(GET|POST|WS) /", line)]
    assert marks == [True, True, False, False, False, False]


def test_who_may_call_a_public_route_is_said_even_if_it_is_so_for_all() -> None:
    everybody = PlannedRoute("GET /a", True, {"auth": Setting("none: anybody may", "defaults")})
    plan = replace(samples.EMPTY, routes=tuple(replace(everybody, key=f"GET /{index}") for index in range(5)))
    assert section(show_text.text(plan), "Routes").count("none: anybody may") == 6


def test_a_setting_of_most_routes_is_said_once() -> None:
    assert show_text.text(samples.wide(300)).count("100/s, burst 200") == 1


def test_a_route_without_a_setting_that_is_said_for_all_denies_it() -> None:
    lines = section(show_text.text(samples.wide(30)), "Routes").splitlines()
    start = next(index for index, line in enumerate(lines) if "/item-1 " in line)
    assert any(line.split() == ["throttle", "none"] for line in lines[start : start + 3])


def test_the_same_value_from_another_place_is_said_with_its_place() -> None:
    routes = samples.wide(9).routes
    other = replace(routes[4], settings={**routes[4].settings, "timeout": Setting("29s", "routes.x.timeout (a:9)")})
    rows = show_text.own_settings(other, show_text.shared_settings((*routes[:4], other, *routes[5:])))
    assert ("timeout", "29s", "routes.x.timeout (a:9)") in rows


def test_three_hundred_routes_take_no_more_than_two_lines_each() -> None:
    assert len(section(show_text.text(samples.wide(300)), "Routes").splitlines()) < 2 * 300


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("defaults.auth (shop.edge.yaml:7)", "defaults.auth (shop.edge.yaml:7)"),
        ("defaults.throttle (some/folder/shop.edge.yaml:7)", "defaults.throttle (shop.edge.yaml:7)"),
        ("defaults.throttle (a-very-long-name-of-a-file.edge.yaml:4711)", "defaults.throttle (:4711)"),
        ("x" * 80 + " (some.edge.yaml:4711)", "xxx (some.edge.yaml:4711)"),
    ],
)
def test_where_a_setting_comes_from_keeps_its_line_when_it_is_cut(origin: str, shown: str) -> None:
    route = PlannedRoute("GET /a", False, {"timeout": Setting("y" * 90, origin)})
    assert shown in show_text.text(replace(samples.EMPTY, routes=(route,)), width=110)


def test_the_worst_findings_come_first() -> None:
    backwards = replace(samples.shop(), findings=tuple(reversed(samples.FINDINGS)))
    found = section(show_text.text(backwards), "Findings")
    assert found.index("unsupported") < found.index("warning") < found.index("approximated")


def test_a_finding_says_why_where_and_what_to_do() -> None:
    found = section(show_text.text(samples.shop()), "Findings")
    assert "quota.per: POST /orders" in found
    assert "shop.edge.yaml:30" in found
    assert "a usage plan counts keys, not subjects" in found
    assert "→ bind a key for each client" in found


def _tree(resources: Sequence[Resource]) -> list[str]:
    return [line for line, _ in show_text.tree(resources, {})]


def test_alike_resources_are_one_line_and_others_keep_their_names() -> None:
    tree = _tree(samples.shop().resources)
    assert "│  └─ 14 x lb.ListenerRule" in tree
    assert "│  ├─ lb.Listener shop-edge-https" in tree
    assert not any("shop-edge-100" in line for line in tree)


def test_protected_resources_say_so() -> None:
    tree = _tree(samples.shop().resources)
    assert "│  ├─ lb.LoadBalancer shop-edge-load-balancer, protected" in tree


def test_rules_that_are_broken_stand_beside_their_resource_or_those_that_it_is_folded_into() -> None:
    parts = [samples.resource("Certificate", f"c{index}", None) for index in range(5)]
    inner = samples.resource("acm/certificate:Certificate", "c3-x", "Certificate c3")
    alone = samples.resource("lb/listener:Listener", "l", None)
    stops = samples.result("tls", inner, "protocol", "is HTTP", kind="violation", level="mandatory")
    results = (
        samples.result("logs", alone, "", "lacks logs", kind="violation", level="advisory"),
        replace(stops, urn=alone.urn),
        stops,
        samples.result("unclear", alone, "", "is not known yet", kind="cannot tell", level="advisory"),
    )
    broken = show_policies.broken(Policies(3, results))
    assert list(show_text.tree((*parts, inner, alone), broken)) == [
        ("5 x aws.Certificate (1 resource), breaks tls", True),
        ("lb.Listener l, breaks tls, logs (advisory)", True),
    ]
    plan = replace(samples.shop(), resources=(alone,), policies=Policies(3, results))
    assert "  lb.Listener l, breaks tls, logs (advisory)\n" in show_text.text(plan)
    assert "lb.Listener l, breaks tls, logs (advisory)\n" in show_markdown.markdown(plan)


def test_many_components_of_a_type_are_one_line_with_what_is_in_them() -> None:
    parts = [samples.resource("Certificate", f"c{index}", None) for index in range(5)]
    inner = [
        samples.resource("acm/certificate:Certificate", f"c{index}-x", f"Certificate c{index}") for index in range(5)
    ]
    assert _tree((*parts, *inner)) == ["5 x aws.Certificate (5 resources)"]


def test_a_few_components_of_a_type_are_shown_with_all_that_is_in_them() -> None:
    parts = [samples.resource("Certificate", f"c{index}", None) for index in range(2)]
    inner = [
        samples.resource("acm/certificate:Certificate", f"c{index}-x", f"Certificate c{index}") for index in range(2)
    ]
    assert _tree((*parts, *inner)) == [
        "aws.Certificate c0 (1)",
        "└─ acm.Certificate c0-x",
        "aws.Certificate c1 (1)",
        "└─ acm.Certificate c1-x",
    ]


def test_the_cost_is_called_an_estimate_and_names_its_sources_and_their_date() -> None:
    costs = section(show_text.text(samples.shop()), "Monthly cost")
    assert "an estimate" in costs.splitlines()[0]
    assert "https://aws.amazon.com/waf/pricing/" in costs
    assert re.search(r"read\s+20\d\d-\d\d-\d\d", costs)


def test_what_has_no_price_is_no_zero() -> None:
    line = next(line for line in show_text.text(samples.shop()).splitlines() if "trust store" in line and " x " in line)
    assert line.split()[0] == "?"
    assert "not priced" in line


def test_colour_changes_no_letter_and_no_column() -> None:
    plan = samples.shop()
    coloured = show_text.text(plan, color=True)
    assert "\x1b[1;31mPUBLIC\x1b[0m" in coloured
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines()) + "\n"
    assert plain == show_text.text(plan)


def test_no_text_of_a_spec_steers_the_terminal() -> None:
    assert all(one.isprintable() or one == "\n" for one in show_text.text(samples.hostile()))


# -- markdown ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "plan"), [("shop", samples.shop()), ("hostile", samples.hostile())])
def test_the_markdown_of_a_plan_is_the_golden_one(name: str, plan: Plan) -> None:
    assert_golden(GOLDEN / f"{name}.md", show_markdown.markdown(plan))


def rows_of(markdown: str) -> list[tuple[int, int]]:
    """For each row of a table: the cells that the head of its table has, and its own."""
    found, columns = [], 0
    for line in markdown.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        count = len(re.findall(r"(?<!\\)\|", line)) - 1
        columns = columns or count
        found.append((columns, count))
    return found


@pytest.mark.parametrize("plan", [samples.shop(), samples.hostile(), samples.wide(300)])
def test_every_row_has_as_many_cells_as_its_table(plan: Plan) -> None:
    document = show_markdown.markdown(plan)
    assert rows_of(document)
    assert all(columns == count for columns, count in rows_of(document))


def test_hostile_texts_stay_text() -> None:
    document = show_markdown.markdown(samples.hostile())
    allowed = re.sub(r"</?(details|summary|code|sub|br/?)>", "", document)
    outside = re.sub(r"```text\n.*?\n```", "", allowed, flags=re.DOTALL)
    assert not re.search(r"<[a-z/!]", outside)
    assert "@someone" not in document
    assert document.count("<details>") == document.count("</details>")
    assert document.count("\n```") % 2 == 0


def test_a_fence_is_longer_than_any_in_what_it_holds() -> None:
    plan = replace(samples.EMPTY, resources=(samples.resource("lb/listener:Listener", "a ````` b", None),))
    assert "\n``````text\n" in show_markdown.markdown(plan)


@pytest.mark.parametrize("words", ["plain", "a|b", "a\\|b", "`", "``x``", "<b>", "&lt;", " lead", "a\nb", "@me", "a b"])
def test_code_holds_any_text(words: str) -> None:
    shown = show_markdown.code(words)
    simple = re.fullmatch(r"[\w@]+( \w+)*", words.replace("\n", " ")) is not None
    assert shown.startswith("`" if simple else "<code>")
    assert "|" not in shown
    assert "\n" not in shown


@pytest.mark.parametrize("count", [10, 300, 3000])
def test_a_document_stays_below_its_limit(count: int) -> None:
    plan = samples.wide(count)
    document = show_markdown.markdown(plan)
    assert len(document) < 60_000


def test_rows_are_left_out_whole_and_the_document_says_how_many() -> None:
    document = show_markdown.markdown(samples.wide(3000))
    shown = document.count("| `GET /service-")
    assert 0 < shown < 3000
    assert f"_{3000 - shown:,} routes more: left out here" in document
    assert all(columns == count for columns, count in rows_of(document))
    assert document.rstrip().endswith("</details>")


def test_public_routes_and_findings_outlast_the_others() -> None:
    noise = samples.wide(3000)
    plan = replace(noise, routes=(*samples.ROUTES[:2], *noise.routes))
    document = show_markdown.markdown(plan)
    assert "| `GET /health` |" in document
    assert "a usage plan counts keys" in document
    assert "NAT gateway" in document


def test_a_diagram_that_is_too_large_is_named_instead() -> None:
    assert "300 hops: too many to draw here" in show_markdown.markdown(samples.chain(300))


# -- JSON --------------------------------------------------------------------------------------------------------------

PLANS = [samples.shop(), samples.hostile(), samples.wide(30), samples.EMPTY]


def test_the_json_of_a_plan_is_the_golden_one() -> None:
    assert_golden(GOLDEN / "shop.json", show_json.text(samples.shop()))


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_comes_back_exactly(plan: Plan) -> None:
    back = show_json.read(json.loads(show_json.text(plan)))
    assert back == plan
    assert show_json.text(back) == show_json.text(plan)


def test_equal_plans_are_the_same_bytes_however_their_inputs_were_put_together() -> None:
    first = samples.resource("lb/listener:Listener", "a", None, port=1, tags={"x": "1", "y": "2"})
    second = samples.resource("lb/listener:Listener", "a", None, tags={"y": "2", "x": "1"}, port=1)
    plans = [replace(samples.EMPTY, resources=(item,)) for item in (first, second)]
    assert plans[0] == plans[1]
    assert show_json.text(plans[0]) == show_json.text(plans[1])


def test_settings_keep_the_order_in_which_they_are_shown() -> None:
    back = show_json.read(json.loads(show_json.text(samples.shop())))
    assert list(back.routes[0].settings) == ["auth", "to", "throttle", "timeout"]


def test_the_text_is_indented_json_with_an_end_of_line() -> None:
    text = show_json.text(samples.shop())
    assert text.startswith('{\n  "version": 1,\n  "name": "shop",\n')
    assert text.endswith("}\n")


@pytest.mark.parametrize("version", [0, 2, "1", True, 1.5])
def test_another_version_is_refused_with_what_to_do(version: Any) -> None:
    data = {**show_json.to_json(samples.shop()), "version": version}
    with pytest.raises(show_json.PlanFormatError, match="reads version 1; plan again with"):
        show_json.read(data)


def test_a_file_that_is_no_plan_is_refused() -> None:
    with pytest.raises(show_json.PlanFormatError, match="no plan: it has no `version`"):
        show_json.read({"openapi": "3.0.1"})
    with pytest.raises(show_json.PlanFormatError, match="a plan is a JSON object"):
        show_json.read([])  # type: ignore[arg-type]


GONE = object()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("routes",), GONE, r"^routes is missing"),
        (("routes", 1, "key"), GONE, r"^routes\[1\]\.key is missing"),
        (("routes", 0, "public"), "yes", r"^routes\[0\]\.public: true or false is expected, not a text"),
        (("path", "hops", 2, "does"), "x", r"^path\.hops\[2\]\.does: a list is expected, not a text"),
        (("path", "hops", 2, "does"), [1], r"^path\.hops\[2\]\.does\[0\]: a text is expected, not a number"),
        (("costs", 0, "count"), True, r"^costs\[0\]\.count: a number is expected, not true or false"),
        (("findings", 0, "level"), "bad", r"^findings\[0\]\.level: one of .* not 'bad'"),
        (("routes", 3), None, r"^routes\[3\]: an object is expected, not null"),
        (("routes", 0, "settings", "auth"), "x", r"^routes\[0\]\.settings\.auth: an object is expected"),
    ],
)
def test_a_damaged_plan_is_refused_with_its_place(path: tuple[str | int, ...], value: Any, message: str) -> None:
    data = json.loads(show_json.text(samples.shop()))
    at: Any = data
    for key in path[:-1]:
        at = at[key]
    if value is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    with pytest.raises(show_json.PlanFormatError, match=message):
        show_json.read(data)


def test_fields_of_a_later_edgewright_are_left_aside() -> None:
    data = {**show_json.to_json(samples.shop()), "new": 1}
    assert show_json.read(data) == samples.shop()


def test_the_page_describes_every_key_in_its_order() -> None:
    page = (REPOSITORY / "docs" / "plan.json.md").read_text(encoding="utf-8")
    data = show_json.to_json(samples.shop())
    assert re.findall(r"^\| `(\w+)` \|", page.partition("## path")[0], re.MULTILINE) == list(data)
    for name in ("routes", "findings", "resources", "costs", "must_bind"):
        part = re.split(r"^## ", page.partition(f"\n## {name}\n")[2], flags=re.MULTILINE)[0]
        named = dict.fromkeys(re.findall(r"^\| `(\w+)", part, re.MULTILINE))
        assert list(named) == list(data[name][0])
    results = re.split(r"^## ", page.partition("\n## policies\n")[2], flags=re.MULTILINE)[0]
    assert re.findall(r"^\| `results\[\]\.(\w+)`", results, re.MULTILINE) == list(data["policies"]["results"][0])
    assert re.findall(r"^\| `(\w+)` \|", results, re.MULTILINE) == list(data["policies"])


def test_a_finding_of_every_level_comes_back() -> None:
    notes = tuple(Note(level, "f", (), "r") for level in ("approximated", "unsupported", "warning"))
    plan = replace(samples.EMPTY, findings=notes)
    assert show_json.read(show_json.to_json(plan)).findings == notes
