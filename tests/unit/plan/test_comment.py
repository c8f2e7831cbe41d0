"""The comment of a pull request: what it says, in which order, how long it is, and that no name is more than text."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgewright.ci.markdown import harmless
from edgewright.plan.comment import MARKER, comment
from edgewright.plan.diff import Diff, pair
from edgewright.plan.markdown import escape, is_address, size
from edgewright.plan.model import Hop, Note, Plan, PlannedRoute, Policies, Resource
from edgewright.plan.show_changes import text_of_stacks
from edgewright.plan.sides import Planned
from edgewright.usage import UsageError
from golden_files import assert_golden
from unit.plan import sample_diffs as diffs
from unit.plan import sample_plans as samples
from unit.plan.rendered import Page

GOLDEN = Path(__file__).parents[2] / "golden" / "diff"
LINK = "https://github.com/shop/edge/actions/runs/1"

DIFFS: dict[str, Callable[[], Diff]] = {
    "without-check": diffs.without_check,
    "other-balancer": diffs.other_balancer,
    "whole-shop": diffs.whole_shop,
    "huge": diffs.huge,
    "new-stack": lambda: diffs.alone(None, samples.shop()),
    "deleted-stack": lambda: diffs.alone(samples.shop(), None),
    "broken": diffs.broken,
    "same": diffs.same,
    "hostile": lambda: diffs.named(NASTY[0]),
}

NASTY = (
    "`a`|b<img src=x onerror=alert(1)>**x**</details><!-- edgewright -->@someone #12 [l](http://evil) ![i](http://evil)",
    "\n# h\n\n- l\n```\n::set-output name=a::b\n</code></td></tr></table>",
    "]]></summary>\\| \\` ~~s~~ <https://evil.example> www.evil.example GH-1 :smile: a@b.example",
    "\x1b[31m\u202egnp\u2069\x00\ud800",
    '"]; click a "javascript:alert(1)" %%{init: {}}%% <br/>',
    "* a",
    "> q",
    "1. one",
    "    code",
    "[^1] $x$ ==h== {{7*7}} ${{ secrets.X }}",
    "---",
    "| a | b |",
    "&lt;b&gt; &#64;someone &commat;someone",
    "/merge",
    "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
)


@cache
def made(name: str) -> str:
    return comment(DIFFS[name](), LINK)


@pytest.mark.parametrize("name", list(DIFFS))
def test_the_comment_is_the_golden_one(name: str) -> None:
    assert_golden(GOLDEN / f"{name}.md", made(name))


@pytest.mark.parametrize("name", list(DIFFS))
def test_the_same_change_is_the_same_comment(name: str) -> None:
    assert comment(DIFFS[name](), LINK) == made(name)


@pytest.mark.parametrize("name", list(DIFFS))
def test_a_comment_is_found_again_by_its_first_line(name: str) -> None:
    text = made(name)
    assert text.startswith(f"{MARKER}\n")
    assert text.count(MARKER) == 1


@pytest.mark.parametrize("name", list(DIFFS))
def test_whoever_posts_it_and_makes_it_harmless_changes_nothing_that_is_seen(name: str) -> None:
    text = made(name).removeprefix(f"{MARKER}\n")
    posted = harmless(text)
    # But a picture in HTML, which is written out in a block too.
    assert posted.replace("\N{WORD JOINER}", "").replace("&lt;", "<") == text.replace("&lt;", "<")
    # An entity of mermaid that is parted would be shown as it stands.
    assert not re.search("#\N{WORD JOINER}", "".join(re.findall(r"```mermaid\n.*?```", posted, re.DOTALL)))


def test_of_a_stack_whose_file_goes_nothing_is_said_to_go_but_the_file() -> None:
    """Nobody updates it any more: neither is it stopped, nor are its resources deleted, nor does it cost less."""
    for said in (made("deleted-stack"), text_of_stacks(DIFFS["deleted-stack"]())):
        assert "Only its file goes." in " ".join(said.split())
        for wrong in ("would stop", "update stops", "would be deleted", "answered no more", "0.00 USD |"):
            assert wrong not in said.replace("100.43 USD |", "")
    assert "**28 left behind**" in made("deleted-stack")
    assert made("deleted-stack").count("100.43") == 1


@pytest.mark.parametrize("name", list(DIFFS))
def test_all_that_is_opened_is_closed_in_the_rendered_page(name: str) -> None:
    page = Page(made(name))
    assert {tag for tag, _ in page.elements} <= {
        *("h2", "h3", "h4", "p", "ul", "li", "strong", "em", "code", "pre", "a", "br", "sub", "blockquote"),
        *("table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    }
    assert page.comments == [" edgewright "]


# -- what is said ------------------------------------------------------------------------------------------------------


def test_a_route_that_loses_its_check_stands_out_before_all_else() -> None:
    lines = comment(diffs.without_check()).splitlines()
    first = next(line for line in lines if line.startswith("> - "))
    said = (
        "> - `GET /products` **loses its JWT check: anybody may call it now**; before: main (`aws-shop`, `azure-shop`)"
    )
    assert first == said
    assert lines.index(first) < 8


def with_routes(*routes: PlannedRoute) -> Plan:
    return replace(samples.EMPTY, routes=routes)


def limited(name: str, text: str, *, public: bool = False) -> PlannedRoute:
    found = samples.route(f"GET /{name}", 1, "web", public=public)
    return replace(found, settings={**found.settings, "throttle": samples.setting(text, "defaults", 1)})


def test_a_lost_check_is_said_before_the_many_limits_of_another_stack() -> None:
    names = [f"r{index}" for index in range(30)]
    before = with_routes(*(limited(name, f"5/s, burst {index}, per ip") for index, name in enumerate(names)))
    after = with_routes(*(limited(name, f"9/s, burst {index}, per ip") for index, name in enumerate(names)))
    opened = diffs.between(
        with_routes(samples.route("GET /z", 1, "web")), with_routes(samples.route("GET /z", 1, "web", public=True)), "z"
    )
    lines = comment(Diff((diffs.between(before, after, "a"), opened))).splitlines()
    points = [line for line in lines if line.startswith("> - ")]
    assert points[0].startswith("> - `GET /z` **loses its JWT check")
    assert points[-1] == "> - and 11 more, below"


def test_what_is_said_of_many_routes_alike_is_said_once() -> None:
    sides = (
        with_routes(*(limited(name, f"{rate}/s, burst 9, per ip") for name in ("a", "b", "c"))) for rate in (5, 50)
    )
    points = [line for line in comment(diffs.alone(*sides)).splitlines() if line.startswith("> - ")]
    assert points == [
        "> - `GET /a`, `GET /b`, `GET /c`, each: **its throttle lets more through**; "
        "5/s, burst 9, per ip → 50/s, burst 9, per ip"
    ]


def test_what_a_point_says_of_a_setting_is_not_said_again() -> None:
    before = samples.route("GET /a", 1, "main")
    after = samples.route("GET /a", 1, "web", public=True)
    text = comment(diffs.alone(with_routes(before), with_routes(after)))
    assert "; before: main<br>`to`: `main` → `web` |" in text
    assert "`auth`:" not in text


def test_stacks_that_cannot_be_planned_for_the_same_reason_say_it_once() -> None:
    errors = "stacks/policies.json: `no-such-rule` is no rule"
    stacks = [pair(name, Planned(samples.shop()), Planned(None, errors)) for name in ("aws-a", "aws-b")]
    text = comment(Diff((*stacks, diffs.between(samples.shop(), samples.shop(), "local"))))
    assert "## 2 of 3 stacks cannot be planned\n" in text
    assert "> - cannot be planned: `aws-a`, `aws-b`\n" in text
    assert "### `aws-a`, `aws-b` cannot be planned\n" in text
    assert text.count("no-such-rule") == 1


def test_what_is_replaced_and_what_breaks_meanwhile_is_seen_at_once() -> None:
    text = comment(diffs.other_balancer())
    said = text.index("> - `lb.LoadBalancer shop-edge-load-balancer`: **a new DNS name: callers arrive")
    assert text.index("> **Taken away and made anew, and what breaks meanwhile**") < said < text.index("> [!IMPORTANT]")
    # Neither what only follows, nor what nobody notices.
    assert not re.search("^> - `(lb.Listener|apigateway)", text, re.MULTILINE)


def test_what_would_be_deleted_is_not_called_replaced_and_says_that_the_update_stops() -> None:
    subnets = tuple(samples.resource("ec2/subnet:Subnet", name, None, protect=True) for name in ("a", "b"))
    text = comment(diffs.alone(replace(samples.EMPTY, resources=subnets), samples.EMPTY))
    assert "#### Protected, so the update stops instead of deleting them\n" in text
    assert "| 2 x `ec2.Subnet` | `a`, `b` |\n" in text
    assert "Other resources" not in text
    assert "Replaced" not in text


def test_an_edge_of_another_name_topology_or_host_says_so_before_its_resources() -> None:
    acl = samples.resource("wafv2/webAcl:WebAcl", "shop-waf", None)
    before = replace(
        samples.EMPTY,
        name="shop",
        topology="aws/gateway-first",
        resources=(acl,),
        hops=(Hop("client", "client", ("a.example",)),),
    )
    after = replace(
        before,
        name="store",
        topology="aws/balancer-first",
        resources=(samples.resource("wafv2/webAcl:WebAcl", "store-waf", None),),
        hops=(Hop("client", "client", ("b.example",)),),
    )
    text = comment(diffs.alone(before, after))
    assert '**The topology is another**: `"aws/gateway-first"` → `"aws/balancer-first"`.\n' in text
    assert '**Callers use another host name**: `["a.example"]` → `["b.example"]`.\n' in text
    assert '**The name of the edge is another**: `"shop"` → `"store"`.' in text
    assert "so 1 resource would be deleted, and others made in their place.\n" in text
    assert "weaker" not in text
    assert "around them" not in text


def test_an_edge_without_resources_that_has_another_name_says_it_too() -> None:
    text = comment(diffs.alone(replace(samples.EMPTY, name="shop"), replace(samples.EMPTY, name="store")))
    assert '**The name of the edge is another**: `"shop"` → `"store"`.\n' in text


def test_networks_that_are_replaced_for_the_same_reason_are_one_point() -> None:
    sides = (
        replace(
            samples.EMPTY,
            resources=tuple(
                samples.resource("ec2/subnet:Subnet", name, None, cidrBlock=f"10.{net}.0.0/24") for name in ("a", "b")
            ),
        )
        for net in (0, 1)
    )
    assert "> - `ec2.Subnet a`, `ec2.Subnet b`, each: **it cannot go while" in comment(diffs.alone(*sides))


def test_other_resources_are_folded_and_counted_one_by_one() -> None:
    text = comment(diffs.alone(None, samples.shop()))
    assert "<details><summary>Other resources: 28 created</summary>\n" in text


def test_long_values_are_shown_from_where_they_differ() -> None:
    policy = "azure-native:apimanagement:ApiPolicy"
    sides = (
        replace(
            samples.EMPTY,
            resources=(
                Resource("u::t::p", policy, "p", None, {"value": "x" * 400 + f"calls={calls}"}, (), custom=True),
            ),
        )
        for calls in (5, 50)
    )
    diff = diffs.alone(*sides)
    assert re.search('`value`: `…x+calls=5"` → `…x+calls=50"`', comment(diff))
    assert re.search('value: …x+calls=5" →\\s+…x+calls=50"', text_of_stacks(diff))


def test_what_protects_the_edge_as_a_whole_is_counted_with_resources_and_not_with_routes() -> None:
    acls = [samples.resource("wafv2/webAcl:WebAcl", "acl", None, protect=on) for on in (True, False)]
    text = comment(diffs.alone(*(replace(samples.EMPTY, resources=(acl,)) for acl in acls)))
    assert "| `aws-shop` | no change | **1 weaker**, 1 updated |" in text


def test_a_stack_of_which_only_findings_change_does_not_say_that_nothing_does() -> None:
    after = replace(samples.EMPTY, findings=(Note("warning", "routes", (), "anybody may call it"),))
    assert "| `aws-shop` | no change but 1 finding | no change |" in comment(diffs.alone(samples.EMPTY, after))


def test_new_results_that_stop_nothing_are_other_ones_only_beside_some_that_do() -> None:
    target = samples.resource("lb/loadBalancer:LoadBalancer", "x", None)
    results = [replace(samples.result("r", target, path, "is"), level="advisory") for path in ("a", "b")]
    bare = replace(samples.EMPTY, resources=(target,), policies=Policies(9, ()))
    plans = [
        replace(bare, policies=Policies(9, tuple(some)))
        for some in (results, [samples.result("s", target, "a", "is"), *results])
    ]
    cells = [comment(diffs.alone(bare, plan)) for plan in plans]
    assert "| no change | 2 new |" in cells[0]
    assert "| **1 new stops the update**, 2 other new |" in cells[1]


def test_stacks_that_stay_as_they_are_are_one_line() -> None:
    text = comment(diffs.without_check())
    assert "No change: `aws-web`\n" in text
    assert text.count("aws-web") == 2  # and that its rules stop it, as before


def test_routes_stand_before_what_is_replaced_then_the_rules_and_then_other_resources() -> None:
    text = comment(diffs.whole_shop())
    order = ["#### Routes", "#### Replaced", "#### Policies", ">Other resources", "#### Capabilities", "**Cost**"]
    places = [text.index(heading) for heading in order]
    assert places == sorted(places)


def test_weaker_routes_stand_before_others_and_stronger_ones_behind() -> None:
    before = replace(
        samples.EMPTY, routes=tuple(samples.route(f"GET /{name}", 1, "web", public=name == "c") for name in "abcd")
    )
    later = [samples.route(f"GET /{name}", 1, "other" if name == "b" else "web", public=name == "d") for name in "abcd"]
    rows = [
        line
        for line in comment(diffs.alone(before, replace(before, routes=tuple(later)))).splitlines()
        if line.startswith("| `GET")
    ]
    assert [row.split("`")[1] for row in rows] == ["GET /d", "GET /b", "GET /c"]


def test_what_is_replaced_without_an_outage_alone_says_so() -> None:
    kind = "apigateway/deployment:Deployment"
    sides = (
        replace(samples.EMPTY, resources=(samples.resource(kind, "d", None, triggers={"body": body}),))
        for body in ("a", "b")
    )
    assert "<summary>1 resource made anew without an outage</summary>" in comment(diffs.alone(*sides))


def test_long_errors_break_where_the_page_ends() -> None:
    text = comment(diffs.broken())
    assert (
        '· stacks/shop.edge.yaml:39:3: error: route "GET /products": backend: there is no `catlog`; did\n'
        "·   you mean `catalog`?\n"
    ) in text
    found = [line for block in re.findall("```text\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert found and max(map(len, found)) <= 96


def test_a_replacement_says_what_it_costs_and_where_that_is_from() -> None:
    rows = [line for line in comment(diffs.other_balancer()).splitlines() if line.startswith("| `lb.LoadBalancer")]
    assert len(rows) == 1
    assert "**protected, so the update stops here**<br>`internal`: `false` → `true` |" in rows[0]
    assert "| until it is active |" in rows[0] and "a new DNS name" in rows[0]
    assert "](https://docs.aws.amazon.com/elasticloadbalancing/" in rows[0]


def test_what_follows_a_replacement_says_what_it_follows() -> None:
    text = comment(diffs.other_balancer())
    assert "| `lb.Listener shop-edge-http` | lb.LoadBalancer shop-edge-load-balancer is made anew |" in text


def test_a_replacement_that_nobody_notices_stands_last_and_does_not_shout() -> None:
    text = comment(diffs.other_balancer())
    assert "**3 replaced**, 1 replaced without an outage" in text
    rows = [line for line in text.splitlines() if line.startswith("| `") and "docs.aws" in line]
    assert rows[-1].startswith("| `apigateway.Deployment")
    assert "3 resources more made anew: because others are, or without an outage</summary>" in text


def test_new_violations_are_shown_and_those_that_were_there_are_folded() -> None:
    text = comment(diffs.whole_shop())
    new, folded = text.index("`lb-internal`"), text.index("as before: 1 stops the update")
    assert new < folded < text.index("`lb-listener-tls`")
    assert "- `lb-access-logs` of `shop-edge-load-balancer`\n" in text


def test_a_stack_that_cannot_be_planned_shows_why() -> None:
    page = Page(comment(diffs.broken()))
    said = " ".join(page.text.replace("·", "").split())
    assert 'route "GET /products": backend: there is no `catlog`; did you mean `catalog`?' in said
    assert "could not be planned before" in page.text


def test_the_way_of_a_request_is_drawn_before_and_after_only_where_it_changes() -> None:
    assert comment(diffs.whole_shop()).count("```mermaid") == 2
    assert "mermaid" not in comment(diffs.without_check())


def test_what_guards_the_edge_as_a_whole_is_no_route() -> None:
    acl = samples.resource("wafv2/webAcl:WebAcl", "shop-waf-acl", None)
    plans = replace(samples.EMPTY, resources=(acl,)), samples.EMPTY
    gone, come = comment(diffs.alone(*plans)), comment(diffs.alone(*reversed(plans)))
    assert "- `wafv2.WebAcl shop-waf-acl` **goes: the edge loses a web application firewall**\n" in gone
    assert "> - `wafv2.WebAcl shop-waf-acl` **goes: the edge loses a web application firewall**\n" in gone
    assert "- `wafv2.WebAcl shop-waf-acl` comes: the edge gains a web application firewall\n" in come
    assert "#### Routes" not in gone + come


def test_an_edge_that_goes_protects_nothing_less() -> None:
    assert "weaker" not in comment(diffs.alone(samples.shop(), None))


def test_nothing_is_said_of_a_cost_that_nobody_reckoned() -> None:
    text = comment(diffs.without_check())
    assert (
        "| `azure-shop` | **1 weaker**, 1 stronger, 1 changed | no change | no change; 1 as before stops it | not reckoned |"
        in text
    )


# -- how long it is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [diffs.many_stacks, lambda: diffs.named("\U0001f600" * 400), lambda: diffs.huge(500)])
def test_a_comment_stays_below_the_limit_of_github_whatever_the_change(make: Callable[[], Diff]) -> None:
    text = comment(make(), LINK)
    assert size(text) < 65_536 and len(text.encode()) < 262_144
    Page(text)


def test_what_is_left_out_is_counted_with_a_link_to_all_of_it() -> None:
    text = made("huge")
    assert (
        f"routes more: left out here, to stay below 60,000 characters. All of it is in [the artifact]({LINK})._" in text
    )
    shown = text.count("` | **loses its JWT check: anybody may call it now**; before: main |")
    assert f"_{2_000 - shown:,} routes more" in text


def test_what_matters_most_outlasts_the_rest() -> None:
    text = made("huge")
    assert "`GET /service-11/item-11` and 1,988 more, each: **loses its JWT check" in text
    assert "2,000 violations of mandatory rules, all new (`lb-rule`)" in text
    assert "| `lb-rule`<br>high |" in text


def test_of_very_many_stacks_those_that_do_not_fit_are_counted() -> None:
    text = comment(diffs.many_stacks(), LINK)
    assert "sections more: left out here" in text
    assert "## 300 of 300 stacks change" in text


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a)[b](c", "https://a b", "http://<x>", "https://a\n", "x"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        comment(diffs.same(), address)


def test_an_address_of_a_run_is_one() -> None:
    assert is_address(f"{LINK}?pr=1#summary")


# -- names are text ----------------------------------------------------------------------------------------------------

TAME = "name"
ELEMENTS = Page(comment(diffs.named(TAME), LINK)).elements


@pytest.mark.parametrize("name", NASTY)
def test_a_hostile_name_changes_nothing_but_its_own_text(name: str) -> None:
    page = Page(comment(diffs.named(name), LINK))
    assert page.elements == ELEMENTS
    assert page.comments == [" edgewright "]
    assert page.references == []


@given(st.text(min_size=1, max_size=60) | st.lists(st.sampled_from(NASTY), min_size=1, max_size=3).map("".join))
@settings(max_examples=40)
@example("a" * 5_000)
@example(";")
@example(" ")
def test_no_name_changes_anything_but_its_own_text(name: str) -> None:
    page = Page(comment(diffs.named(name), LINK))
    assert page.elements == ELEMENTS
    assert page.comments == [" edgewright "]


@given(st.text(max_size=80))
@settings(max_examples=200)
def test_a_text_is_shown_as_it_is_and_calls_nobody(text: str) -> None:
    page = Page(f"- {escape(text)} end\n")
    assert [tag for tag, _ in page.elements] == ["ul", "li"]
    assert page.references == []


def test_a_text_of_ten_megabytes_is_cut() -> None:
    assert size(comment(diffs.named("x" * 10_000_000))) < 60_000


def test_lines_of_a_comment_are_no_commands_to_a_runner_or_a_bot() -> None:
    for name in NASTY:
        for line in comment(diffs.named(name)).splitlines():
            assert not line.lstrip().startswith(("::", "##[", "/"))
