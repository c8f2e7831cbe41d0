"""Alarms, metrics from logs and the dashboard: what each topology watches, and what a change of the spec changes."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.aws.artifact import Artifact, Monitoring
from edgewright.aws.compile import TOPOLOGIES, Topology, compile_edge
from edgewright.aws.compile_monitoring import MOST_QUERIES, dashboard_text
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data

MONITOR = {
    "error_rate": 5,
    "latency": {"percentile": 99.9, "above": "500ms"},
    "throttled": 10,
    "unhealthy_targets": 2,
    "notify": ["oncall"],
}


def compiled(
    topology: Topology, *, monitor: Any = MONITOR, backends: tuple[str, ...] = ("orders",), **more: Any
) -> Artifact:
    spec: dict[str, Any] = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {name: {"port": 8080} for name in backends},
        "defaults": {"timeout": {"request": "29s"}},
        "routes": {f"GET /{name}": name for name in backends},
        **more,
    }
    spec |= {"monitor": monitor} if monitor else {}
    return compile_edge(resolve(from_data(spec)), {}, topology, placeholders=True)


def watched(topology: Topology, **more: Any) -> Monitoring:
    found = compiled(topology, **more).monitoring
    assert found is not None
    return found


def metrics(monitoring: Monitoring, alarm: str) -> list[str]:
    queries = monitoring.alarms[alarm].queries
    return [f"{item['metric']['namespace']} {item['metric']['metric_name']}" for item in queries if "metric" in item]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_edge_that_does_not_ask_is_not_watched(topology: Topology) -> None:
    assert compiled(topology, monitor=None).monitoring is None


@pytest.mark.parametrize(
    ("topology", "errors"),
    [
        (
            "balancer-first",
            ["AWS/ApplicationELB HTTPCode_ELB_5XX_Count", "AWS/ApplicationELB HTTPCode_Target_5XX_Count"],
        ),
        (
            "balancer-only",
            ["AWS/ApplicationELB HTTPCode_ELB_5XX_Count", "AWS/ApplicationELB HTTPCode_Target_5XX_Count"],
        ),
        ("gateway-first", ["AWS/ApiGateway 5xx"]),
    ],
)
def test_errors_are_counted_where_clients_arrive(topology: Topology, errors: list[str]) -> None:
    assert metrics(watched(topology), "errors")[:-1] == errors


def test_a_rest_api_has_names_of_its_own_for_its_metrics() -> None:
    found = watched("gateway-first", routes={"GET /orders": {"backend": "orders", "cache": {"ttl": "60s"}}})
    assert metrics(found, "errors") == ["AWS/ApiGateway 5XXError", "AWS/ApiGateway Count"]
    dimensions = found.alarms["errors"].queries[0]["metric"]["dimensions"]
    assert dimensions == {"ApiName": "{{api_name}}", "Stage": "{{api_stage}}"}


@pytest.mark.parametrize(("topology", "bound"), [("balancer-only", 0.5), ("gateway-first", 500.0)])
def test_latency_is_compared_in_the_unit_of_the_metric(topology: Topology, bound: float) -> None:
    alarm = watched(topology).alarms["latency"]
    assert alarm.threshold == bound
    assert alarm.queries[0]["metric"]["stat"] == "p99.9"


def test_a_share_of_few_requests_says_nothing() -> None:
    expression = watched("gateway-first").alarms["errors"].queries[-1]["expression"]
    assert expression == "IF(FILL(requests, 0) >= 20, 100 * (FILL(errors0, 0)) / (FILL(requests, 0)), 0)"


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_exactly_one_query_of_an_alarm_is_compared(topology: Topology) -> None:
    for name, alarm in watched(topology).alarms.items():
        assert [item["return_data"] for item in alarm.queries].count(True) == 1, name


def test_what_an_api_throttles_is_counted_in_its_access_log() -> None:
    found = watched("gateway-first")
    assert found.log_metrics["throttled"].pattern == '{ $.status = "429" }'
    assert metrics(found, "throttled") == ["edgewright/shop Throttled", "AWS/ApiGateway Count"]


def test_what_a_web_acl_throttles_is_counted_by_rule_and_belongs_to_the_whole() -> None:
    route = {"backend": "orders", "throttle": {"rate": "10/s", "per": "ip"}}
    found = watched("balancer-only", routes={"GET /orders": route})
    assert found.log_metrics == {}
    assert metrics(found, "throttled") == ["AWS/WAFV2 BlockedRequests", "AWS/ApplicationELB RequestCount"]
    rule = found.alarms["throttled"].queries[0]["metric"]["dimensions"]["Rule"]
    assert rule.startswith("rate-")
    assert found.alarms["throttled"].queries[-1]["expression"].endswith("/ (FILL(requests, 0) + FILL(blocked0, 0)), 0)")


def test_an_alarm_has_no_more_queries_than_aws_takes() -> None:
    routes = {f"GET /r{n}": {"backend": "orders", "throttle": {"rate": f"{n}/s", "per": "ip"}} for n in range(1, 11)}
    alarm = watched("balancer-first", routes=routes).alarms["throttled"]
    assert len(alarm.queries) == MOST_QUERIES


def test_without_anything_that_throttles_there_is_no_such_alarm() -> None:
    assert "throttled" not in watched("balancer-only").alarms


def test_each_backend_has_an_alarm_for_its_instances() -> None:
    found = watched("balancer-first", backends=("orders", "stock"))
    alarm = found.alarms["unhealthy-services-stock"]
    assert (alarm.threshold, alarm.comparison) == (2.0, "GreaterThanOrEqualToThreshold")
    assert alarm.queries[0]["metric"]["dimensions"] == {
        "LoadBalancer": "{{suffix:services}}",
        "TargetGroup": "{{suffix:services:stock}}",
    }


def test_a_function_has_no_instances() -> None:
    function = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    spec = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /orders": "orders"},
        "monitor": MONITOR,
    }
    bindings = {"backends": {"orders": {"function": function}}}
    found = compile_edge(resolve(from_data(spec)), bindings, "balancer-only", placeholders=True).monitoring
    assert found is not None
    assert [name for name in found.alarms if name.startswith("unhealthy")] == []


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_backend_that_is_added_adds_its_alarm_and_changes_no_other(topology: Topology) -> None:
    before, after = (watched(topology, backends=names).alarms for names in (("orders",), ("orders", "stock")))
    assert {name: after[name] for name in before} == before
    assert [name.rpartition("-")[2] for name in set(after) - set(before)] == ["stock"]


def test_each_websocket_has_an_alarm_for_its_messages() -> None:
    found = watched("gateway-first", routes={"WS /live": "orders"})
    assert metrics(found, "errors-live")[-1] == "AWS/ApiGateway MessageCount"
    assert "errors" not in found.alarms


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_dashboard_is_json_with_panels_that_do_not_overlap(topology: Topology) -> None:
    body = watched(topology, backends=("orders", "stock")).dashboard
    assert body is not None
    widgets: list[Mapping[str, Any]] = json.loads(dashboard_text(body))["widgets"]
    assert len({(item["x"], item["y"]) for item in widgets}) == len(widgets) >= 4


def test_a_spec_may_do_without_the_dashboard() -> None:
    assert watched("balancer-only", monitor={**MONITOR, "dashboard": False}).dashboard is None
