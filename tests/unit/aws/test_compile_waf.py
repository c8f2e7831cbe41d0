"""The web ACL: what it refuses, what it counts, in which order, and what of it moves when something is added."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from edgewright.aws.compile_buckets import rate_buckets
from edgewright.aws.compile_waf import FLOOR, MANAGED, PATTERN, RateBucket, Requests, WafPlan, compile_waf, joined
from edgewright.edge.model import Edge
from edgewright.edge.paths import parse_path
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data


def edge_of(routes: Mapping[str, Any], **more: Any) -> Edge:
    authorizers = {
        "main": {"jwt": {"issuer": "https://a.example/", "audiences": ["a"], "jwks_uri": "https://a.example/keys"}},
        "other": {
            "jwt": {
                "issuer": "https://b.example/",
                "audiences": ["b"],
                "jwks_uri": "https://b.example/keys",
                "from": {"header": "x-token"},
            }
        },
        "keys": {"api_key": {"from": {"header": "x-api-key"}, "clients": ["acme"]}},
    }
    spec = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "authorizers": authorizers,
        "backends": {"orders": {"port": 8080}},
        "routes": {key: {"backend": "orders", "auth": "none", **item} for key, item in routes.items()},
        **more,
    }
    return resolve(from_data(spec))


def plan_of(edge: Edge, *, routes_too: bool = False) -> WafPlan:
    found = compile_waf(edge.waf, rate_buckets(edge, routes_too=routes_too), guard_paths=True)
    assert found is not None
    return found


def rules_of(edge: Edge, *, routes_too: bool = False) -> dict[str, Any]:
    return {rule["name"]: rule for rule in plan_of(edge, routes_too=routes_too).rules}


def bucket(name: str, rate: tuple[int, int] = (10, 1), key: str = "ip") -> RateBucket:
    return RateBucket(name, rate, 0, key, (Requests((parse_path(f"/{name}"),), None),))


# -- nothing, and the guard --------------------------------------------------------------------------------------------


def test_without_anything_to_do_there_is_no_web_acl() -> None:
    assert compile_waf(None, (), guard_paths=False) is None


def test_the_guard_of_paths_refuses_with_400_whatever_the_mode() -> None:
    for mode in ("block", "count"):
        guard = rules_of(edge_of({"GET /a": {}}, waf={"mode": mode}))["path-guard"]
        assert guard["action"]["block"]["custom_response"]["response_code"] == 400


@pytest.mark.parametrize(
    "path",
    [
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "/a\\b",
        "/a;b",
        "/a%2fb",
        "/a%2Eb",
        "/a%00",
        "/a%c0%ae",
        "/a%zz",
        "/a%41",
        "/a b",
    ],
)
def test_paths_with_two_readings_match_the_guard(path: str) -> None:
    assert any(re.search(pattern, path) for pattern in guard_patterns())


@pytest.mark.parametrize("path", ["/", "/a", "/a/b.c", "/a-b_c~d", "/%20x", "/caf%C3%A9", "/a.b/c", "/a@b", "/a+b"])
def test_ordinary_paths_do_not(path: str) -> None:
    assert not any(re.search(pattern, path) for pattern in guard_patterns())


def guard_patterns() -> Sequence[str]:
    guard = rules_of(edge_of({"GET /a": {}}))["path-guard"]
    parts = guard["statement"]["or_statement"]["statements"]
    return [part["regex_match_statement"]["regex_string"] for part in parts]


# -- lists and managed rule sets -----------------------------------------------------------------------------------------


def test_address_lists_are_sets_by_version_and_stand_first() -> None:
    waf = {"deny": ["192.0.2.0/24", "2001:db8::/32"], "allow": ["198.51.100.0/24"]}
    plan = plan_of(edge_of({"GET /a": {}}, waf=waf))
    assert plan.ip_sets == {
        "deny-ipv4": {"addresses": ["192.0.2.0/24"], "version": "IPV4"},
        "deny-ipv6": {"addresses": ["2001:db8::/32"], "version": "IPV6"},
        "allow-ipv4": {"addresses": ["198.51.100.0/24"], "version": "IPV4"},
    }
    assert [rule["name"] for rule in plan.rules][:2] == ["deny", "allow"]
    assert "not_statement" in plan.rules[1]["statement"]


def test_a_managed_rule_set_is_named_as_aws_names_it_and_counts_where_the_mode_says() -> None:
    for mode, action in (("block", "none"), ("count", "count")):
        rule = rules_of(edge_of({"GET /a": {}}, waf={"mode": mode, "managed": ["core"]}))["core"]
        assert rule["statement"]["managed_rule_group_statement"]["name"] == MANAGED["core"][0]
        assert rule["override_action"] == {action: {}}
        assert "action" not in rule


def test_capacity_is_reckoned_from_the_rules() -> None:
    bare = plan_of(edge_of({"GET /a": {}}, waf={"managed": ["sql-injection"]})).capacity
    more = plan_of(edge_of({"GET /a": {}}, waf={"managed": ["core", "sql-injection"]})).capacity
    assert more - bare == 700


def test_a_web_acl_that_nobody_asked_for_blocks_what_is_known_to_be_bad() -> None:
    rule = rules_of(edge_of({"GET /a": {}}))["baseline-known-bad-inputs"]
    group = rule["statement"]["managed_rule_group_statement"]
    assert group == {"name": "AWSManagedRulesKnownBadInputsRuleSet", "vendor_name": "AWS"}
    assert rule["override_action"] == {"none": {}}


def test_a_firewall_of_the_spec_has_the_rule_sets_that_the_spec_says_and_no_other() -> None:
    rules = rules_of(edge_of({"GET /a": {}}, waf={"managed": ["core"]}))
    assert "core" in rules
    assert not [name for name in rules if "known-bad-inputs" in name]


# -- throttles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "limit"), [("1/s", 60), ("100/s", 6000), ("30/m", 30), ("5/m", FLOOR), ("100/h", FLOOR), ("1000/h", 17)]
)
def test_a_rate_is_counted_over_a_minute_from_ten_on(rate: str, limit: int) -> None:
    rules = rules_of(edge_of({"GET /a": {"throttle": {"rate": rate, "per": "ip"}}}))
    statements = [rule["statement"].get("rate_based_statement") for rule in rules.values()]
    assert [(one["limit"], one["evaluation_window_sec"]) for one in statements if one] == [(limit, 60)]


def test_too_many_requests_are_answered_with_429_and_when_to_come_again() -> None:
    edge = edge_of({"GET /a": {"throttle": {"rate": "1/s", "per": "ip"}}})
    answer = next(
        rule["action"]["block"]["custom_response"]
        for rule in plan_of(edge).rules
        if "rate_based_statement" in rule["statement"]
    )
    assert answer["response_code"] == 429
    assert answer["response_headers"] == [{"name": "retry-after", "value": "60"}]
    body = json.loads(plan_of(edge).custom_response_bodies[answer["custom_response_body_key"]]["content"])
    assert body["status"] == 429


def test_a_throttle_by_a_header_counts_addresses_where_the_header_is_missing() -> None:
    rules = rules_of(edge_of({"GET /a": {"throttle": {"rate": "1/s", "per": "header:x-tenant"}}}))
    rates = {name: rule for name, rule in rules.items() if name.startswith("rate-")}
    first, second = rates.values()
    keys = first["statement"]["rate_based_statement"]
    assert keys["aggregate_key_type"] == "CUSTOM_KEYS"
    assert keys["custom_keys"][0]["header"]["name"] == "x-tenant"
    rest = second["statement"]["rate_based_statement"]
    assert rest["aggregate_key_type"] == "IP"
    assert "not_statement" in json.dumps(rest["scope_down_statement"])


def test_addresses_are_those_of_the_connection_and_never_of_a_header_that_a_client_writes() -> None:
    edge = edge_of({"GET /a": {"throttle": {"rate": "1/s", "per": "ip"}}}, waf={"rate_per_ip": "5/s"})
    assert "FORWARDED_IP" not in json.dumps(plan_of(edge).rules)


def test_a_throttle_per_route_is_counted_only_where_no_api_does() -> None:
    edge = edge_of({"GET /a": {"throttle": {"rate": "1/s", "per": "route"}}})
    assert rate_buckets(edge, routes_too=False) == ()
    assert [one.key for one in rate_buckets(edge, routes_too=True)] == ["route"]


def test_a_throttle_of_api_keys_is_the_usage_plans() -> None:
    edge = edge_of({"GET /a": {"auth": "keys", "throttle": {"rate": "1/s", "per": "api_key"}}})
    assert rate_buckets(edge, routes_too=True) == ()


def test_a_default_throttle_is_one_bucket_for_each_way_to_know_a_caller() -> None:
    throttle = {"throttle": {"rate": "1/s", "per": "client"}}
    edge = edge_of(
        {"GET /a": {"auth": "main"}, "GET /b": {"auth": "main"}, "GET /c": {"auth": "other"}, "GET /d": {}},
        defaults=throttle,
    )
    found = rate_buckets(edge, routes_too=False)
    assert sorted(one.key for one in found) == ["ip", "token:authorization", "token:x-token"]
    assert len({one.name for one in found}) == 3


def test_rules_have_names_and_priorities_of_their_own() -> None:
    routes = {f"GET /r{number}": {"throttle": {"rate": f"{number}/s", "per": "ip"}} for number in range(1, 10)}
    rules = plan_of(edge_of(routes)).rules
    assert len({rule["name"] for rule in rules}) == len({rule["priority"] for rule in rules}) == len(rules)


def test_what_marks_a_request_stands_before_what_counts_it() -> None:
    rules = rules_of(edge_of({"GET /a": {"throttle": {"rate": "1/s", "per": "ip"}}}))
    label = next(rule for name, rule in rules.items() if name.startswith("label-"))
    rate = next(rule for name, rule in rules.items() if name.startswith("rate-"))
    assert label["priority"] < rate["priority"]
    assert (
        label["rule_labels"][0]["name"]
        == rate["statement"]["rate_based_statement"]["scope_down_statement"]["label_match_statement"]["key"]
    )


def test_a_throttle_that_is_added_changes_no_rule_of_another() -> None:
    names = [f"b{number}" for number in range(30)]
    before = compile_waf(None, [bucket(name) for name in names[1:]], guard_paths=True)
    after = compile_waf(None, [bucket(name) for name in names], guard_paths=True)
    assert before is not None and after is not None
    old, new = ({rule["name"]: rule for rule in plan.rules} for plan in (before, after))
    assert {name: new[name] for name in old} == old
    assert set(new) - set(old) == {"label-b0", "rate-b0"}


def test_the_order_of_the_throttles_changes_nothing() -> None:
    buckets = [bucket(f"b{number}") for number in range(10)]
    assert compile_waf(None, buckets, guard_paths=True) == compile_waf(None, buckets[::-1], guard_paths=True)


def test_expressions_are_joined_up_to_their_longest() -> None:
    found = joined([f"^/a{number:03}$" for number in range(200)])
    assert all(len(text) <= PATTERN for text in found)
    assert sorted("|".join(found).split("|")) == sorted(f"^/a{number:03}$" for number in range(200))
    assert len(found) == 4


# -- which requests a throttle counts --------------------------------------------------------------------------------------


def counted(edge: Edge, name: str, method: str, path: str) -> bool:
    """Whether the rule that marks the requests of a bucket marks this one, by an interpreter of its statement."""
    rule = rules_of(edge)[f"label-{name}"]
    return _matches(rule["statement"], method, path)


def _matches(statement: Mapping[str, Any], method: str, path: str) -> bool:
    kind, given = next(iter(statement.items()))
    if kind == "and_statement":
        return all(_matches(one, method, path) for one in given["statements"])
    if kind == "or_statement":
        return any(_matches(one, method, path) for one in given["statements"])
    if kind == "not_statement":
        return not _matches(given["statement"], method, path)
    if kind == "regex_match_statement":
        return re.search(given["regex_string"], path) is not None
    assert kind == "byte_match_statement"
    return given["search_string"] == method


DEFAULT = {"throttle": {"rate": "1/s", "per": "ip"}}


def test_a_route_without_a_throttle_takes_nothing_from_another_method_of_its_path() -> None:
    edge = edge_of({"GET /a": {}, "POST /a": {"throttle": "none"}}, defaults=DEFAULT)
    assert counted(edge, "defaults-ip", "GET", "/a")
    assert not counted(edge, "defaults-ip", "POST", "/a")


def test_a_throttle_of_its_own_on_a_wide_route_leaves_a_narrow_one_to_the_default() -> None:
    own = {"throttle": {"rate": "9/s", "per": "ip"}}
    edge = edge_of({"ANY /a/*": own, "GET /a/b": {}}, defaults=DEFAULT)
    assert counted(edge, "defaults-ip", "GET", "/a/b")
    assert not counted(edge, "defaults-ip", "GET", "/a/c")
    assert counted(edge, "any__a__--", "GET", "/a/c")
    assert not counted(edge, "any__a__--", "GET", "/a/b")
    assert counted(edge, "any__a__--", "POST", "/a/b")


def test_a_narrow_route_of_its_own_is_not_counted_by_the_default_of_a_wide_one() -> None:
    edge = edge_of({"ANY /*": {}, "GET /a/{id}": {"throttle": "none"}}, defaults=DEFAULT)
    assert counted(edge, "defaults-ip", "GET", "/b/1")
    assert counted(edge, "defaults-ip", "DELETE", "/a/1")
    assert not counted(edge, "defaults-ip", "GET", "/a/1")


def test_callers_that_are_known_by_a_token_are_not_counted_by_their_address_too() -> None:
    throttle = {"throttle": {"rate": "1/s", "per": "client"}}
    edge = edge_of({"GET /a": {"auth": "main"}, "GET /b": {}}, defaults=throttle)
    assert not counted(edge, "defaults-ip", "GET", "/a")
    assert counted(edge, "defaults-token-authorization", "GET", "/a")


def test_names_that_look_alike_stay_apart() -> None:
    throttle = {"throttle": {"rate": "1/s", "per": "header:x-tenant"}}
    paths = ("/a/b", "/a-b", "/a", "/a/ip", "/" + "x" * 120, "/" + "x" * 121)
    routes = {f"GET {path}": throttle for path in paths}
    rules = plan_of(edge_of(routes)).rules
    labels = [rule["rule_labels"][0]["name"] for rule in rules if "rule_labels" in rule]
    assert len({rule["name"] for rule in rules}) == len(rules)
    assert len(set(labels)) == len(labels) == 6
    assert all(len(rule["name"]) <= 128 for rule in rules)
