"""Two plans compared."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgewright.plan import changes
from edgewright.plan.changes import Change, Changes, compare
from edgewright.plan.model import Cost, Note, Plan, PlannedRoute, Resource, Setting
from golden_files import assert_golden
from unit.plan import sample_plans as samples

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def routes(*found: PlannedRoute) -> Plan:
    return replace(samples.EMPTY, routes=found)


def route(key: str = "GET /a", public: bool = False, **settings: str) -> PlannedRoute:
    return PlannedRoute(key, public, {name: Setting(text, "there (a.yaml:1)") for name, text in settings.items()})


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
    assert_golden(GOLDEN / "changes.md", changes.markdown(found))


def test_no_change_is_one_line() -> None:
    found = compare(samples.shop(), samples.shop())
    assert found.nothing
    assert (
        changes.text(found) == changes.markdown(found) == "Nothing changes: the same routes, resources and findings.\n"
    )


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
    assert lines[start + 1] == "  ! GET /orders: anybody may call it now; before: main with orders.read"


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
        "anybody may call it now; before: main"
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
    assert [text.partition(":")[0] for text in weaker(route(auth=before), route(auth=after))] == [what]


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


def test_a_cache_that_is_new_on_a_route_with_authentication_is_weaker() -> None:
    assert "are cached now (30s)" in weaker(route(auth="main"), route(auth="main", cache="30s"))[0]


def test_a_cache_on_a_public_route_is_not_weaker() -> None:
    assert weaker(route(public=True), route(public=True, cache="30s")) == []


def test_a_cache_that_no_longer_keeps_users_apart_is_weaker() -> None:
    assert "no longer keeps users apart" in weaker(route(cache="30s for each user"), route(cache="30s"))[0]


@pytest.mark.parametrize(("name", "what"), [("throttle", "is no longer throttled"), ("quota", "no longer has a quota")])
def test_a_limit_that_is_gone_is_weaker(name: str, what: str) -> None:
    assert weaker(route("GET /a", False, **{name: "10/s"}), route()) == [f"{what}; before: 10/s"]


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
    assert f"REPLACED, made anew because of {name}" in changes.text(found)


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


def test_the_markdown_of_very_many_changes_stays_below_the_limit() -> None:
    document = changes.markdown(compare(samples.EMPTY, samples.wide(3000)))
    assert len(document) < 60_000
    assert "routes more: left out here" in document
