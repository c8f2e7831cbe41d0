"""Two plans compared."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgewright.plan import show_changes as changes
from edgewright.plan.changes import Changes, compare
from edgewright.plan.differences import Change
from edgewright.plan.model import Cost, Note, Plan, PlannedRoute, Policies, PolicyResult, Resource, Setting
from golden_files import assert_golden
from unit.plan import sample_plans as samples

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def routes(*found: PlannedRoute) -> Plan:
    return replace(samples.EMPTY, routes=found)


def route(
    key: str = "GET /a", public: bool = False, checks: tuple[str, ...] = ("JWT",), **settings: str
) -> PlannedRoute:
    texts = {name: Setting(text, "there (a.yaml:1)") for name, text in settings.items()}
    return PlannedRoute(key, public, texts, checks=() if public else checks)


def limited(name: str, text: str) -> PlannedRoute:
    return replace(route(), settings={name: Setting(text, "there (a.yaml:1)")})


def stronger(before: PlannedRoute, after: PlannedRoute) -> list[str]:
    return [item.what for item in compare(routes(before), routes(after)).stronger]


def weaker(before: PlannedRoute, after: PlannedRoute) -> list[str]:
    return [item.what for item in compare(routes(before), routes(after)).weaker]


def of_inputs(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    plans = [
        replace(samples.EMPTY, resources=(samples.resource(type_, "x", None, **inputs),)) for inputs in (before, after)
    ]
    return compare(*plans)


def differences(before: Any, after: Any) -> list[Change]:
    found = of_inputs("lb/listener:Listener", {"v": before}, {"v": after}).resources_changed
    return list(found[0].changes) if found else []


# -- as a whole --------------------------------------------------------------------------------------------------------


def test_the_changes_of_the_shop_are_the_golden_ones() -> None:
    found = compare(samples.shop(), samples.shop_later())
    assert_golden(GOLDEN / "changes.txt", changes.text(found))


def test_no_change_is_one_line() -> None:
    found = compare(samples.shop(), samples.shop())
    assert found.nothing
    assert changes.text(found) == "Nothing changes: the same routes, resources and findings.\n"


def test_lines_that_only_moved_are_no_change() -> None:
    before = samples.shop()
    moved = [
        replace(
            route,
            settings={name: replace(item, origin="x (shop.edge.yaml:999)") for name, item in route.settings.items()},
        )
        for route in before.routes
    ]
    notes = [replace(note, place="shop.edge.yaml:999") for note in before.findings]
    assert compare(before, replace(before, routes=tuple(moved), findings=tuple(notes))).nothing


def test_another_cost_alone_is_a_change() -> None:
    cost = Cost("x", 1, 5.0, "b", "s")
    found = compare(samples.EMPTY, replace(samples.EMPTY, costs=(cost,)))
    assert not found.nothing
    assert "0.00 → 5.00 USD" in changes.text(found)


def test_weaker_security_stands_before_all_else() -> None:
    lines = changes.text(compare(samples.shop(), samples.shop_later())).splitlines()
    start = lines.index("LOOK AT THIS FIRST: security is weaker")
    assert not any(line.startswith("  ") and line.lstrip()[0] in "+-~!" for line in lines[:start])
    assert lines[start + 1] == (
        "  ! GET /orders: loses its JWT check: anybody may call it now; before: main with orders.read"
    )


@pytest.mark.parametrize("width", [60, 110])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for pair in ((samples.shop(), samples.shop_later()), (samples.shop(), samples.hostile())):
        assert max(map(len, changes.text(compare(*pair), width=width).splitlines())) <= width


def test_no_text_of_a_spec_steers_the_terminal() -> None:
    text = changes.text(compare(samples.EMPTY, samples.hostile()))
    assert all(one.isprintable() or one == "\n" for one in text)


# -- security ----------------------------------------------------------------------------------------------------------


def test_a_route_that_became_public_is_weaker() -> None:
    assert weaker(route(auth="main"), route(public=True, auth="none: anybody may")) == [
        "loses its JWT check: anybody may call it now; before: main"
    ]


def test_a_route_that_is_no_longer_public_is_a_change_but_not_weaker() -> None:
    before, after = route(public=True, auth="none: anybody may"), route(auth="main")
    assert weaker(before, after) == []
    assert compare(routes(before), routes(after)).routes_changed[0].changes == (
        Change("auth", "none: anybody may", "main"),
    )


def test_a_new_public_route_is_weaker_and_a_new_one_with_authentication_is_not() -> None:
    found = compare(routes(), routes(route("GET /p", public=True), route("GET /q", auth="main")))
    assert [item.where for item in found.weaker] == ["GET /p"]


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("main with a and b", "main with a", "no longer needs the scope b"),
        ("main with a", "main", "no longer needs the scope a"),
        ("main with a", "main with b", "no longer needs the scope a"),
        ("main", "main or keys", "who may call it is another now"),
        ("main", "keys", "who may call it is another now"),
        ("main with one of a, b", "main with one of a, b, c", "who may call it is another now"),
        ("main with one of a, b", "main", "who may call it is another now"),
        ("main where tenant is x", "main", "who may call it is another now"),
        ("main with a where tenant is x", "main with a where tenant is x or y", "who may call it is another now"),
    ],
)
def test_authentication_that_asks_for_less_is_weaker(before: str, after: str, what: str) -> None:
    assert [text.partition(";")[0] for text in weaker(route(auth=before), route(auth=after))] == [what]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("main", "main with a"),
        ("main with a", "main with a and b"),
        ("main or keys", "main"),
        ("main with one of a, b", "main with one of a"),
        ("main", "main where tenant is x"),
        ("main with a", "main with a with one of b, c where tenant is x"),
    ],
)
def test_authentication_that_asks_for_more_is_not_weaker(before: str, after: str) -> None:
    assert weaker(route(auth=before), route(auth=after)) == []
    assert stronger(route(auth=before), route(auth=after)) == [f"asks for more; {before} → {after}"]


def test_a_route_that_gains_a_check_is_stronger() -> None:
    before, after = route(public=True, auth="none: anybody may"), route(auth="main", checks=("API key",))
    assert stronger(before, after) == ["gains an API key check; it was public, now: main"]


def test_another_kind_of_check_is_weaker_and_says_which_it_was() -> None:
    before, after = route(auth="main"), route(auth="partner", checks=("API key",))
    assert weaker(before, after) == ["loses its JWT check, and has an API key check; main → partner"]


OURS, OTHERS = ("JWTs of https://login.shop.example/ for api://shop", "JWTs of https://evil.example/ for api://shop")


@pytest.mark.parametrize(
    ("before", "after", "weaker", "stronger"),
    [
        ((OURS,), (OTHERS,), f"takes {OTHERS} now; before: {OURS}", None),
        ((OURS,), (OURS, OTHERS), f"takes {OTHERS} now; {OURS} → {OURS}, {OTHERS}", None),
        ((OURS, OTHERS), (OURS,), None, f"takes {OTHERS} no more; {OURS}, {OTHERS} → {OURS}"),
        ((OURS, OTHERS), (OTHERS, OURS), None, None),
        ((), (OURS,), None, None),  # a plan that was kept long ago
    ],
)
def test_an_authorizer_of_the_same_name_that_takes_something_else_is_told_of_each_route(
    before: tuple[str, ...], after: tuple[str, ...], weaker: str | None, stronger: str | None
) -> None:
    old, new = (replace(route(auth="main"), takes=takes) for takes in (before, after))
    found = compare(routes(old), routes(new))
    assert [point.what for point in found.weaker] == ([weaker] if weaker else [])
    assert [point.what for point in found.stronger] == ([stronger] if stronger else [])
    assert bool(found.routes_changed) == bool(weaker or stronger)


def test_a_plan_that_does_not_say_what_is_checked_still_says_that_a_route_became_public() -> None:
    before, after = route(auth="main", checks=()), route(public=True)
    assert weaker(before, after) == ["loses its authentication: anybody may call it now; before: main"]


@pytest.mark.parametrize(
    ("name", "before", "after", "way"),
    [
        ("throttle", "5/s, burst 10, per ip", "50/s, burst 10, per ip", "weaker"),
        ("throttle", "5/s, burst 10, per ip", "300/min, burst 20, per ip", "weaker"),
        ("throttle", "5/s, burst 10, per ip", "1/s, burst 100, per ip", "stronger"),
        ("throttle", "10/30s, burst 1, per ip", "9/30s, burst 1, per ip", "stronger"),
        ("quota", "10,000 a day, per key", "10,001 a day, per key", "weaker"),
        ("quota", "10,000 a day, per key", "10,000 a week, per key", "stronger"),
    ],
)
def test_a_limit_that_lets_more_through_is_weaker(name: str, before: str, after: str, way: str) -> None:
    one, other = limited(name, before), limited(name, after)
    more = [f"its {name} lets {'more' if way == 'weaker' else 'less'} through; {before} → {after}"]
    assert (weaker(one, other), stronger(one, other)) == ((more, []) if way == "weaker" else ([], more))


def test_the_same_rate_written_in_another_way_is_neither() -> None:
    one, other = route(throttle="5/s, burst 10, per ip"), route(throttle="300/min, burst 10, per ip")
    assert (weaker(one, other), stronger(one, other)) == ([], [])


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (None, "https://a", "lets pages of https://a read its answers; no CORS → https://a"),
        ("https://a", "*", "lets pages of * read its answers; https://a → *"),
        ("*", "* with credentials", "lets pages of * with credentials read its answers; * → * with credentials"),
    ],
)
def test_pages_that_may_read_answers_now_are_weaker(before: str | None, after: str, what: str) -> None:
    old = route(cors=before) if before else route()
    assert weaker(old, route(cors=after)) == [what]
    assert stronger(route(cors=after), old)[0].startswith("lets fewer pages read its answers")


def test_a_cache_that_is_new_on_a_route_with_authentication_is_weaker() -> None:
    assert "are cached now (30s)" in weaker(route(auth="main"), route(auth="main", cache="30s"))[0]


def test_a_cache_on_a_public_route_is_not_weaker() -> None:
    assert weaker(route(public=True), route(public=True, cache="30s")) == []


def test_a_cache_that_no_longer_keeps_users_apart_is_weaker() -> None:
    assert "no longer keeps users apart" in weaker(route(cache="30s for each user"), route(cache="30s"))[0]


@pytest.mark.parametrize("name", ["throttle", "quota"])
def test_a_limit_that_is_gone_is_weaker_and_one_that_comes_is_stronger(name: str) -> None:
    one = limited(name, "10/s")
    assert weaker(one, route()) == [f"loses its {name}; before: 10/s"]
    assert stronger(route(), one) == [f"gains a {name}: 10/s"]


@pytest.mark.parametrize(
    ("type_", "what"),
    [
        ("aws:wafv2/webAcl:WebAcl", "a web application firewall"),
        ("aws:wafv2/webAclAssociation:WebAclAssociation", "an association with the web application firewall"),
        ("aws:shield/protection:Protection", "a protection against denial of service"),
        ("azure-native:network:WebApplicationFirewallPolicy", "a web application firewall"),
        ("azure-native:network:NetworkSecurityGroup", "a set of network rules"),
    ],
)
def test_a_guard_that_goes_is_weaker_and_one_that_comes_is_stronger(type_: str, what: str) -> None:
    guard = Resource("u::x", type_, "x", None, {}, (), custom=True)
    plans = samples.EMPTY, replace(samples.EMPTY, resources=(guard,))
    assert [item.what for item in compare(plans[1], plans[0]).weaker] == [f"goes: the edge loses {what}"]
    assert [item.what for item in compare(*plans).stronger] == [f"comes: the edge gains {what}"]


def named(name: str, *suffixes: str) -> Plan:
    guards = (samples.resource("wafv2/webAcl:WebAcl", f"{name}-{suffix}", None, protect=True) for suffix in suffixes)
    return replace(samples.EMPTY, name=name, resources=tuple(guards))


def test_a_guard_that_comes_again_under_the_new_name_of_the_edge_is_not_lost() -> None:
    found = compare(named("shop", "waf"), named("store", "waf"))
    assert (found.weaker, found.stronger) == ((), ())
    assert len(found.resources_added) == len(found.resources_removed) == 1
    assert [point.what for point in compare(named("shop", "waf", "x"), named("store", "waf")).weaker] == [
        "goes: the edge loses a web application firewall"
    ]


def test_what_comes_again_under_a_new_name_and_protects_less_is_weaker() -> None:
    after = named("store", "waf")
    after = replace(after, resources=(replace(after.resources[0], protect=False),))
    assert [(point.where, point.what) for point in compare(named("shop", "waf"), after).weaker] == [
        ("wafv2.WebAcl store-waf", "is no longer protected from deletion")
    ]


def test_what_anybody_may_call_is_said_first_then_the_edge_as_a_whole_then_limits() -> None:
    acl = samples.resource("wafv2/webAcl:WebAcl", "acl", None)
    kept = [replace(route(auth="main", throttle="5/s, burst 5, per ip"), key=key) for key in ("GET /a", "GET /b")]
    opened = replace(route(public=True, throttle="9/s, burst 9, per ip"), key="GET /b")
    slower = replace(route(auth="other", throttle="9/s, burst 9, per ip"), key="GET /a")
    new = replace(route(public=True), key="GET /new")
    found = compare(
        replace(samples.EMPTY, routes=tuple(kept), resources=(acl,)),
        replace(samples.EMPTY, routes=(slower, opened, new)),
    )
    assert [point.where for point in found.weaker] == [
        *("GET /b", "GET /new", "GET /a", "wafv2.WebAcl acl", "GET /a", "GET /b")
    ]


def test_a_resource_that_loses_its_protection_is_weaker() -> None:
    plans = [
        replace(samples.EMPTY, resources=(samples.resource("lb/loadBalancer:LoadBalancer", "x", None, protect=on),))
        for on in (True, False)
    ]
    assert [item.what for item in compare(*plans).weaker] == ["is no longer protected from deletion"]


# -- routes ------------------------------------------------------------------------------------------------------------


def test_each_setting_is_compared() -> None:
    found = compare(routes(route(to="a", timeout="29s")), routes(route(to="b", cache="1s")))
    assert found.routes_changed[0].changes == (
        Change("to", "a", "b"),
        Change("timeout", "29s", None),
        Change("cache", None, "1s"),
    )


def test_a_route_added_changes_only_its_own_row() -> None:
    before = samples.shop()
    after = replace(before, routes=(*before.routes, samples.route("GET /new", 50, "web")))
    found = compare(before, after)
    assert [route.key for route in found.routes_added] == ["GET /new"]
    assert replace(found, routes_added=()).nothing


def test_what_carries_a_route_is_compared() -> None:
    before = route()
    after = replace(before, carried_by=(("rule", "priority 5"),))
    assert compare(routes(before), routes(after)).routes_changed[0].changes == (
        Change("carried by", None, "rule (priority 5)"),
    )


def test_another_order_of_routes_is_a_change() -> None:
    found = compare(routes(route("GET /a"), route("GET /b")), routes(route("GET /b"), route("GET /a")))
    assert found.other == (Change("routes (order)", '["GET /a", "GET /b"]', '["GET /b", "GET /a"]'),)


# -- resources ---------------------------------------------------------------------------------------------------------


def test_an_input_is_named_by_its_path() -> None:
    assert differences({"a": {"b": 1}}, {"a": {"b": 2}}) == [Change("v.a.b", "1", "2")]


def test_keys_that_are_no_names_stand_in_brackets() -> None:
    assert differences({"/x": 1}, {"/x": 2}) == [Change('v["/x"]', "1", "2")]


def test_json_in_a_text_is_compared_by_what_it_says() -> None:
    assert differences('{"a": 1, "b": [1, {"c": 2}]}', '{"b":[1,{"c":3}],"a":1}') == [Change("v.b[1].c", "2", "3")]
    assert differences('{"a": 1}', '{ "a" : 1 }') == []


def test_a_text_that_only_looks_like_json_is_a_text() -> None:
    assert differences("{broken", "{broken too") == [Change("v", '"{broken"', '"{broken too"')]


def test_items_with_names_are_told_apart_by_them() -> None:
    before, after = [{"name": "a", "n": 1}, {"name": "b", "n": 2}], [{"name": "b", "n": 3}]
    assert differences(before, after) == [
        Change("v[name=a]", json.dumps(before[0], sort_keys=True), None),
        Change("v[name=b].n", "2", "3"),
    ]


def test_named_items_in_another_order_are_a_change() -> None:
    items = [{"name": "a"}, {"name": "b"}]
    assert differences(items, items[::-1]) == [Change("v (order)", '["a", "b"]', '["b", "a"]')]


def test_an_item_put_into_a_list_is_the_only_change() -> None:
    items = [{"x": {"n": index}} for index in range(6)]
    assert differences(items, [*items[:2], {"x": {"n": 99}}, *items[2:]]) == [Change("v[2]", None, '{"x": {"n": 99}}')]


def test_a_short_list_of_values_is_shown_whole() -> None:
    assert differences(["/a"], ["/a", "/b"]) == [Change("v", '["/a"]', '["/a", "/b"]')]


def test_true_is_not_one() -> None:
    assert differences(True, 1) == [Change("v", "true", "1")]


def test_a_missing_input_is_not_null() -> None:
    found = of_inputs("lb/listener:Listener", {}, {"v": None})
    assert found.resources_changed[0].changes == (Change("v", None, "null"),)


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("lb/targetGroup:TargetGroup", "port"),
        ("lb/targetGroup:TargetGroup", "protocol"),
        ("lb/targetGroup:TargetGroup", "protocolVersion"),
        ("lb/targetGroup:TargetGroup", "targetType"),
        ("lb/targetGroup:TargetGroup", "vpcId"),
        ("lb/targetGroup:TargetGroup", "name"),
        ("lb/loadBalancer:LoadBalancer", "internal"),
        ("lb/loadBalancer:LoadBalancer", "loadBalancerType"),
        ("lb/loadBalancer:LoadBalancer", "name"),
        ("vpc/securityGroupIngressRule:SecurityGroupIngressRule", "securityGroupId"),
        ("vpc/securityGroupEgressRule:SecurityGroupEgressRule", "securityGroupId"),
        ("apigatewayv2/api:Api", "protocolType"),
        ("apigatewayv2/vpcLink:VpcLink", "subnetIds"),
        ("apigatewayv2/vpcLink:VpcLink", "securityGroupIds"),
        ("ec2/vpcEndpoint:VpcEndpoint", "serviceName"),
        ("ec2/vpcEndpoint:VpcEndpoint", "vpcId"),
        ("apigateway/domainName:DomainName", "domainName"),
        ("wafv2/webAcl:WebAcl", "scope"),
        ("wafv2/webAcl:WebAcl", "name"),
    ],
)
def test_an_input_that_cannot_change_in_place_replaces_the_resource(type_: str, name: str) -> None:
    found = of_inputs(type_, {name: "old", "tags": {"a": "1"}}, {name: "new", "tags": {"a": "2"}})
    assert found.resources_changed == ()
    assert found.resources_replaced[0].because == (name,)
    assert f"REPLACED, because of {name}" in " ".join(changes.text(found).split())


def test_any_input_of_a_rest_api_changes_in_place() -> None:
    assert of_inputs("apigateway/restApi:RestApi", {"name": "a"}, {"name": "b"}).resources_replaced == ()


def test_an_alias_is_the_same_resource_under_another_name() -> None:
    old = samples.resource("lb/listener:Listener", "old", None, port=1)
    new = replace(samples.resource("lb/listener:Listener", "new", None, port=1), aliases=(old.urn,))
    found = compare(replace(samples.EMPTY, resources=(old,)), replace(samples.EMPTY, resources=(new,)))
    assert found.resources_added == found.resources_removed == ()
    assert found.resources_changed[0].changes == (Change("(urn)", old.urn, new.urn),)


def test_resources_that_come_and_go_are_named() -> None:
    before, after = (
        replace(samples.EMPTY, resources=(samples.resource("lb/listener:Listener", name, None),)) for name in "ab"
    )
    text = changes.text(compare(before, after))
    assert "  + lb.Listener b" in text
    assert "  - lb.Listener a" in text


def test_very_many_of_a_type_are_one_line() -> None:
    many: tuple[Resource, ...] = tuple(
        samples.resource("lb/listenerRule:ListenerRule", f"r{index}", None) for index in range(90)
    )
    assert "  + 90 x lb.ListenerRule\n" in changes.text(compare(samples.EMPTY, replace(samples.EMPTY, resources=many)))


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_findings_come_and_go() -> None:
    old, new = Note("warning", "a", (), "one"), Note("unsupported", "b", ("GET /x",), "two")
    found = compare(replace(samples.EMPTY, findings=(old,)), replace(samples.EMPTY, findings=(new,)))
    assert found.findings_added == (new,)
    assert found.findings_gone == (old,)
    assert "  + unsupported: b (GET /x): two" in changes.text(found)


@pytest.mark.parametrize(
    "other",
    [
        {"topology": "aws/balancer-only"},
        {"decisions": ("because",)},
        {"must_bind": (("network", "x"),)},
        {"outputs": {"url": "https://x"}},
        {"hops": samples.HOPS[:1]},
        {"links": samples.LINKS[:1]},
    ],
)
def test_whatever_else_of_a_plan_differs_is_said(other: Mapping[str, Any]) -> None:
    found = compare(samples.EMPTY, replace(samples.EMPTY, **other))
    assert len(found.other) == 1
    assert not found.nothing


def test_a_finding_that_is_said_of_more_routes_is_new_for_those_only() -> None:
    old, new = Note("warning", "a", ("GET /x", "GET /y"), "one"), Note("warning", "a", ("GET /y", "GET /z"), "one")
    found = compare(replace(samples.EMPTY, findings=(old,)), replace(samples.EMPTY, findings=(new,)))
    assert found.findings_added == (replace(new, routes=("GET /z",)),)
    assert found.findings_gone == (replace(old, routes=("GET /x",)),)


def test_a_finding_that_becomes_one_of_the_whole_edge_is_new() -> None:
    old, new = Note("warning", "a", ("GET /x",), "one"), Note("warning", "a", (), "one")
    found = compare(replace(samples.EMPTY, findings=(old,)), replace(samples.EMPTY, findings=(new,)))
    assert (found.findings_added, found.findings_gone) == ((new,), ())


# -- policies ----------------------------------------------------------------------------------------------------------


def judged(*results: PolicyResult) -> Plan:
    return replace(samples.EMPTY, policies=Policies(3, results))


def test_results_of_rules_are_new_gone_or_as_before() -> None:
    one, two, three = (samples.result(name, samples.BALANCER, "p", "is wrong") for name in ("one", "two", "three"))
    found = compare(judged(one, two), judged(two, three))
    assert (found.policies_added, found.policies_gone, found.policies_kept) == ((three,), (one,), (two,))
    assert not found.nothing


def test_a_result_in_other_words_is_as_before() -> None:
    one = samples.result("one", samples.BALANCER, "p", "is wrong")
    assert compare(judged(one), judged(replace(one, text="is bad", led_by=("x",)))).nothing


def test_a_result_that_would_stop_the_update_now_is_new() -> None:
    one = samples.result("one", samples.BALANCER, "p", "is wrong", level="advisory")
    assert compare(judged(one), judged(replace(one, level="mandatory"))).policies_added


def test_nothing_is_gone_where_the_rules_were_not_run() -> None:
    one = samples.result("one", samples.BALANCER, "p", "is wrong")
    assert compare(judged(one), samples.EMPTY).policies_gone == ()


# -- replacements ------------------------------------------------------------------------------------------------------


def test_what_names_a_resource_that_is_made_anew_follows_it_and_so_do_others() -> None:
    def edge(internal: bool) -> Plan:
        return replace(
            samples.EMPTY,
            resources=(
                samples.resource("lb/loadBalancer:LoadBalancer", "b", None, internal=internal),
                samples.resource("lb/listener:Listener", "l", None, loadBalancerArn="${lb.LoadBalancer b.arn}"),
                samples.resource("lb/listenerRule:ListenerRule", "r", None, listenerArn="${lb.Listener l.arn}"),
                samples.resource("lb/listenerRule:ListenerRule", "other", None, listenerArn="arn:1"),
                samples.resource("route53/record:Record", "n", None, aliases=["${lb.LoadBalancer b.dnsName}"]),
            ),
        )

    found = compare(edge(False), edge(True)).resources_replaced
    assert [(item.short, item.because, item.follows) for item in found] == [
        ("lb.LoadBalancer b", ("internal",), ()),
        ("lb.Listener l", (), ("lb.LoadBalancer b",)),
        ("lb.ListenerRule r", (), ("lb.Listener l",)),
    ]


def test_what_is_protected_says_that_the_update_stops() -> None:
    plans = [
        replace(
            samples.EMPTY,
            resources=(samples.resource("lb/loadBalancer:LoadBalancer", "b", None, protect=True, internal=internal),),
        )
        for internal in (False, True)
    ]
    assert "it is protected, so the update stops here" in changes.text(compare(*plans))
    assert "is protected, so the update stops instead of deleting it" in changes.text(compare(plans[0], samples.EMPTY))


def test_an_input_inside_of_another_replaces_only_by_itself() -> None:
    def cluster(**profile: str) -> Plan:
        kind = "azure-native:containerservice:ManagedCluster"
        made = Resource("u::c", kind, "c", None, {"networkProfile": profile}, (), custom=True)
        return replace(samples.EMPTY, resources=(made,))

    before = cluster(networkPlugin="azure", loadBalancerSku="standard")
    assert compare(before, cluster(networkPlugin="azure", loadBalancerSku="basic")).resources_replaced == ()
    found = compare(before, cluster(networkPlugin="none", loadBalancerSku="standard")).resources_replaced
    assert [item.because for item in found] == [("networkProfile.networkPlugin",)]


def test_resources_of_two_stacks_are_compared_by_their_place_and_not_by_the_names_of_the_stacks() -> None:
    before = samples.resource("lb/listener:Listener", "x", None, port=443)
    elsewhere = before.urn.replace("urn:pulumi:plan::edgewright::", "urn:pulumi:prod::shop::")
    after = replace(before, urn=elsewhere, inputs={"port": 8443})
    assert elsewhere != before.urn
    found = compare(replace(samples.EMPTY, resources=(before,)), replace(samples.EMPTY, resources=(after,)))
    assert (found.resources_added, found.resources_removed) == ((), ())
    (change,) = found.resources_changed
    assert [item.path for item in change.changes] == ["port"]


def test_an_alias_is_followed_from_one_stack_to_another() -> None:
    before = samples.resource("lb/listener:Listener", "old", None, port=443)
    after = samples.resource("lb/listener:Listener", "new", None, port=443)
    after = replace(after, urn=after.urn.replace("urn:pulumi:plan::", "urn:pulumi:prod::"), aliases=(before.urn,))
    found = compare(replace(samples.EMPTY, resources=(before,)), replace(samples.EMPTY, resources=(after,)))
    assert (found.resources_added, found.resources_removed) == ((), ())
