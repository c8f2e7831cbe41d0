"""EdgeMonitoring used alone: what it makes, whom it tells, where logs go, and what it refuses."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pulumi
import pytest

from edgewright.azure.compile_monitoring import Monitoring, compile_monitoring
from edgewright.azure.edge_monitoring import EdgeMonitoring, EdgeMonitoringArgs, from_compiled
from edgewright.azure.request_logs import Parts
from edgewright.clouds.part import ArgumentsError
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate
from edgewright.spec.document import from_data

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/edge/providers"
SERVICE = f"{GROUP}/Microsoft.ApiManagement/service/shop"
BALANCER = f"{GROUP}/Microsoft.Network/loadBalancers/services"
WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/logs"

METRIC_ALERT: dict[str, Any] = {
    "description": "Full: add units.",
    "scope": SERVICE,
    "namespace": "Microsoft.ApiManagement/service",
    "criteria": [
        {
            "metric": "Requests",
            "aggregation": "Total",
            "operator": "GreaterThan",
            "threshold": 5,
            "dimensions": {"GatewayResponseCodeCategory": ["5xx"]},
        }
    ],
}
QUERY_RULE: dict[str, Any] = {
    "description": "Slow: look at the backends.",
    "query": "ApiManagementGatewayLogs\n| summarize Slow = percentile(TotalTime, 99)\n| project Slow",
    "column": "Slow",
    "threshold": 500,
}
ARGS: dict[str, Any] = {
    "resource_group_name": "edge",
    "location": "westeurope",
    "retention_days": 90,
    "application_insights": {"publishers": {"service": "11111111-1111-1111-1111-111111111111"}},
    "emails": {"oncall": "oncall@shop.example"},
    "webhooks": {"chat": "https://hooks.shop.example/T0/B0"},
    "action_group_ids": [f"{GROUP}/microsoft.insights/actionGroups/all"],
    "metric_alerts": {"capacity": METRIC_ALERT},
    "query_rules": {"latency": QUERY_RULE},
    "diagnostics": {"service": {"id": SERVICE, "logs": ["GatewayLogs"], "metrics": True}},
    "workbook": '{"version":"Notebook/1.0","items":[]}',
    "tags": {"team": "edge"},
}
ALONE = {"resource_group_name": "edge", "location": "westeurope"}


def made(args: Mapping[str, Any] = ARGS, **more: Any) -> tuple[Resource, ...]:
    given: Any = {**args, **more}
    return record(lambda: EdgeMonitoring("it", given), project="edgewright", stack="test").resources


def one(resources: tuple[Resource, ...], kind: str) -> Resource:
    (found,) = [item for item in resources if item.type == f"azure-native:{kind}"]
    return found


# -- what it makes -----------------------------------------------------------------------------------------------------


def test_what_it_makes_is_what_the_sdk_takes() -> None:
    resources = made()
    assert len([item for item in resources if item.custom]) == 8
    assert validate(resources) == []


def test_everything_stands_below_the_component() -> None:
    resources = made()
    (part,) = [item for item in resources if not item.custom]
    assert part.type == "edgewright:azure:EdgeMonitoring"
    assert {item.parent for item in resources if item.custom} == {part.urn}


def test_values_may_be_unknown_in_a_preview() -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        given: Any = {
            **ARGS,
            **dict.fromkeys(("resource_group_name", "location", "workbook"), other.id),
            "emails": {"oncall": other.id},
            "webhooks": {"chat": other.id},
            "action_group_ids": [other.id],
            "application_insights": {"publishers": {"service": other.id}},
            "metric_alerts": {"capacity": {**METRIC_ALERT, "scope": other.id}},
            "query_rules": {"latency": {**QUERY_RULE, "query": other.id}},
            "diagnostics": {"service": {"id": other.id, "logs": ["GatewayLogs"]}},
        }
        EdgeMonitoring("it", given)

    found = record(program, project="edgewright", stack="test", preview=True).resources
    assert {item.name for item in found} - {"other"} == {item.name for item in made()}


@pytest.mark.parametrize(
    ("attribute", "wanted"),
    [
        ("workspace", {"retentionInDays": 31}),
        ("application_insights", {"samplingPercentage": 50}),
        ("publishers.service", {"description": "by hand"}),
        ("action_group", {"enabled": False}),
        ("metric_alerts.capacity", {"severity": 4}),
        ("query_rules.latency", {"muteActionsDuration": "PT1H"}),
        ("diagnostics.service", {"storageAccountId": "/storage"}),
        ("workbook", {"description": "by hand"}),
    ],
)
def test_a_raw_input_of_each_resource_may_be_overridden(attribute: str, wanted: Mapping[str, Any]) -> None:
    field, value = next(iter(wanted.items()))
    snake = re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", field)
    resources = made(overrides={attribute: {snake: value}})
    assert len([item for item in resources if item.inputs.get(field) == value]) == 1


def test_nothing_is_made_that_is_not_asked() -> None:
    assert [item.type for item in made(ALONE)] == ["edgewright:azure:EdgeMonitoring"]


def test_an_existing_workspace_and_application_insights_are_taken_and_not_made() -> None:
    args = {key: value for key, value in ARGS.items() if key not in ("retention_days", "application_insights")}
    resources = made(args, workspace_id=WORKSPACE, application_insights_id="/insights")
    kinds = {item.type.rpartition(":")[2] for item in resources}
    assert not kinds & {"Workspace", "Component", "RoleAssignment"}
    assert one(resources, "monitor:DiagnosticSetting").inputs["workspaceId"] == WORKSPACE
    assert one(resources, "monitor:ScheduledQueryRule").inputs["scopes"] == [WORKSPACE]
    assert one(resources, "applicationinsights:Workbook").inputs["sourceId"] == WORKSPACE


# -- secure by default -------------------------------------------------------------------------------------------------


def test_a_workspace_has_no_keys_that_work_and_keeps_as_long_as_asked() -> None:
    workspace = one(made(), "operationalinsights:Workspace").inputs
    assert workspace["features"]["disableLocalAuth"] is True
    assert (workspace["retentionInDays"], workspace["sku"]["name"]) == (90, "PerGB2018")


@pytest.mark.parametrize(("days", "purged"), [(30, True), (31, None)])
def test_thirty_days_are_not_thirty_one(days: int, purged: bool | None) -> None:
    workspace = one(made(retention_days=days), "operationalinsights:Workspace").inputs
    assert workspace["features"].get("immediatePurgeDataOn30Days") is purged


def test_application_insights_takes_nothing_from_who_only_knows_its_connection_string() -> None:
    insights = one(made(), "applicationinsights:Component").inputs
    assert insights["disableLocalAuth"] is True
    assert insights["ingestionMode"] == "LogAnalytics"
    assert insights["workspaceResourceId"].startswith("${operationalinsights.Workspace it-workspace")


def test_who_writes_to_application_insights_has_a_role_on_it_alone() -> None:
    role = one(made(), "authorization:RoleAssignment").inputs
    assert role["scope"].startswith("${applicationinsights.Component it-insights")
    assert role["roleDefinitionId"].endswith("/roleDefinitions/3913510d-42f4-4e42-8a64-420c390055eb")
    assert role["principalType"] == "ServicePrincipal"


def test_self_hosted_gateways_may_write_by_the_connection_string_where_that_is_said() -> None:
    insights = one(made(application_insights={"local_authentication": True}), "applicationinsights:Component").inputs
    assert insights["disableLocalAuth"] is False


def test_the_address_of_a_webhook_is_a_secret_and_that_of_a_person_is_not() -> None:
    group = one(made(), "monitor:ActionGroup").inputs
    assert group["webhookReceivers"] == [{"name": "chat", "serviceUri": "[secret]", "useCommonAlertSchema": True}]
    assert group["emailReceivers"] == [
        {"name": "oncall", "emailAddress": "oncall@shop.example", "useCommonAlertSchema": True}
    ]


# -- rules -------------------------------------------------------------------------------------------------------------


def test_an_alert_on_metrics_is_of_one_resource_and_resolves_itself() -> None:
    alert = one(made(), "monitor:MetricAlert").inputs
    assert alert["criteria"]["odataType"] == "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
    assert alert["criteria"]["allOf"] == [
        {
            "criterionType": "StaticThresholdCriterion",
            "dimensions": [{"name": "GatewayResponseCodeCategory", "operator": "Include", "values": ["5xx"]}],
            "metricName": "Requests",
            "metricNamespace": "Microsoft.ApiManagement/service",
            "name": "criterion0",
            "operator": "GreaterThan",
            "threshold": 5,
            "timeAggregation": "Total",
        }
    ]
    assert (alert["scopes"], alert["autoMitigate"], alert["location"]) == ([SERVICE], True, "global")
    assert (alert["windowSize"], alert["evaluationFrequency"], alert["severity"]) == ("PT5M", "PT1M", 2)


def test_a_rule_on_a_query_measures_its_column_and_needs_no_table_yet() -> None:
    rule = one(made(), "monitor:ScheduledQueryRule").inputs
    (condition,) = rule["criteria"]["allOf"]
    assert (condition["metricMeasureColumn"], condition["threshold"], condition["operator"]) == (
        "Slow",
        500,
        "GreaterThan",
    )
    assert rule["skipQueryValidation"] is True
    assert rule["kind"] == "LogAlert"
    assert one(made(skip_query_validation=False), "monitor:ScheduledQueryRule").inputs["skipQueryValidation"] is False


def test_every_rule_tells_the_group_that_is_made_and_those_that_exist() -> None:
    resources = made()
    expected = ["${monitor.ActionGroup it-told.id}", ARGS["action_group_ids"][0]]
    alert = one(resources, "monitor:MetricAlert").inputs
    assert [item["actionGroupId"] for item in alert["actions"]] == expected
    assert one(resources, "monitor:ScheduledQueryRule").inputs["actions"]["actionGroups"] == expected


def test_logs_go_to_tables_of_their_own() -> None:
    setting = one(made(), "monitor:DiagnosticSetting").inputs
    assert setting["logAnalyticsDestinationType"] == "Dedicated"
    assert setting["logs"] == [{"category": "GatewayLogs", "enabled": True}]
    assert setting["metrics"] == [{"category": "AllMetrics", "enabled": True}]


def test_a_workbook_has_a_uuid_that_is_the_same_in_every_plan_and_another_in_another_stack() -> None:
    first, again = (one(made(), "applicationinsights:Workbook").inputs["resourceName"] for _ in range(2))
    given: Any = ARGS
    other = record(lambda: EdgeMonitoring("it", given), project="edgewright", stack="other").resources
    assert UUID(first).version == 5
    assert first == again
    assert first != one(other, "applicationinsights:Workbook").inputs["resourceName"]


# -- from what was compiled --------------------------------------------------------------------------------------------


def compiled(*, parts: Parts | None = None, notify: tuple[str, ...] = ("oncall", "chat", "all")) -> Monitoring:
    spec: dict[str, Any] = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /a": {"backend": "orders", "auth": "none"}},
        "monitor": {
            "error_rate": 5,
            "latency": {"percentile": 95, "above": "500ms"},
            "throttled": 10,
            "unhealthy_targets": 1,
            "notify": list(notify),
        },
    }
    found = compile_monitoring(
        resolve(from_data(spec)), parts or Parts("managed", "StandardV2", ("shop",), balancers={"services": None})
    )
    assert found is not None
    return found


TARGETS = {
    "oncall": "oncall@shop.example",
    "chat": "https://hooks.shop.example/T0/B0",
    "all": f"{GROUP}/microsoft.insights/actionGroups/all",
}
MARKS = {"service": SERVICE, "balancer:services": BALANCER, "workspace": WORKSPACE}


def placed(marks: Mapping[str, Any] = MARKS, **options: Any) -> tuple[Resource, ...]:
    def program() -> None:
        args: EdgeMonitoringArgs = {
            **from_compiled(compiled(), marks, TARGETS),
            "resource_group_name": "edge",
            "location": "westeurope",
            "workspace_id": marks["workspace"],
        }
        EdgeMonitoring("shop-monitoring", args)

    return record(program, project="edgewright", stack="test", **options).resources


def test_what_was_compiled_is_placed_with_ids_for_its_marks() -> None:
    resources = placed()
    assert validate(resources) == []
    rules = [item.inputs for item in resources if item.type.endswith(":ScheduledQueryRule")]
    assert len(rules) == 3
    for rule in rules:
        assert f'| where _ResourceId =~ "{SERVICE}"' in rule["criteria"]["allOf"][0]["query"].splitlines()
    workbook = json.loads(one(resources, "applicationinsights:Workbook").inputs["serializedData"])
    assert workbook["fallbackResourceIds"] == [WORKSPACE]
    assert "{{" not in json.dumps(workbook)
    scopes = {item.inputs["scopes"][0] for item in resources if item.type.endswith(":MetricAlert")}
    assert scopes == {SERVICE, BALANCER}


def test_names_of_who_is_told_become_receivers_by_the_form_of_what_is_bound() -> None:
    args = from_compiled(compiled(), MARKS, TARGETS)
    assert set(args.get("emails", {})) == {"oncall"}
    assert set(args.get("webhooks", {})) == {"chat"}
    assert args.get("action_group_ids") == [TARGETS["all"]]


def test_ids_may_be_those_of_resources_that_are_not_there_yet() -> None:
    def program() -> None:
        service = pulumi.CustomResource("test:index:Thing", "service", {"value": None})
        args: Any = {
            **from_compiled(compiled(), {**MARKS, "service": service.id}, TARGETS),
            **ALONE,
            "retention_days": 30,
        }
        EdgeMonitoring("it", args)

    for preview in (True, False):
        found = record(program, project="edgewright", stack="test", preview=preview).resources
        assert len([item for item in found if item.type.endswith(":ScheduledQueryRule")]) == 3
        rule = next(item for item in found if item.type.endswith(":ScheduledQueryRule"))
        service = next(item for item in found if item.name == "service")
        assert service.urn in rule.dependencies


@pytest.mark.parametrize("hostile", ['/x" or 1 == 1 //', "/x\\", "/x\n| union y", "/x{TimeRange}", "x", ""])
def test_what_is_no_id_gets_into_no_query(hostile: str) -> None:
    with pytest.raises(ValueError, match="is no id of a resource"):
        placed({**MARKS, "service": hostile})


def test_what_nobody_has_bound_is_missed_before_anything_is_made() -> None:
    with pytest.raises(KeyError, match="all"):
        from_compiled(compiled(), MARKS, {"oncall": "a@b.example", "chat": "https://c.example/"})
    with pytest.raises(KeyError, match="balancer:services"):
        from_compiled(compiled(), {"service": SERVICE, "workspace": WORKSPACE}, TARGETS)


# -- what it refuses ---------------------------------------------------------------------------------------------------


def _alert(**change: Any) -> dict[str, Any]:
    return {"metric_alerts": {"a": {**METRIC_ALERT, **change}}}


def _criterion(**change: Any) -> dict[str, Any]:
    return _alert(criteria=[{**METRIC_ALERT["criteria"][0], **change}])


def _rule(**change: Any) -> dict[str, Any]:
    return {"query_rules": {"a": {**QUERY_RULE, **change}}}


REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"colour": "red"}, r"has no `colour`"),
    ({"location": None}, r"`location` is missing"),
    ({"workspace_id": WORKSPACE}, r"`workspace_id` and `retention_days`"),
    ({"retention_days": 29}, r"30 to 730 days, not 29"),
    ({"retention_days": 731}, r"30 to 730 days, not 731"),
    ({"retention_days": None}, r"query_rules, diagnostics, workbook, application_insights need a workspace"),
    ({"application_insights": {"key": "x"}}, r"application_insights has no `key`"),
    ({"application_insights_id": "/x"}, r"makes one and `application_insights_id` names one"),
    ({"emails": {"a": "nobody"}}, r"emails\.a is no address of mail"),
    ({"webhooks": {"a": "http://a.example/"}}, r"webhooks\.a is no address by https"),
    ({"emails": {"a": "a@b.example"}, "webhooks": {"a": "https://a.example/"}}, r"names in an action group are unique"),
    ({"action_group_ids": ["/a"] * 5}, r"6 action groups; a rule tells 5"),
    ({"group_short_name": "more than twelve"}, r"1 to 12 characters"),
    (_alert(severity=5), r"a severity is 0 to 4, not 5"),
    (_alert(description="x" * 2049), r"2,048 characters at most"),
    (_alert(criteria=[]), r"1 to 5 criteria, not 0"),
    (_alert(window="PT7M"), r"no window or frequency `PT7M`"),
    (_alert(frequency="PT15M"), r"what lies between is never seen"),
    (_alert(colour="red"), r"metric_alerts\.a has no `colour`"),
    (_criterion(operator="Above"), r"no operator `Above`"),
    (_criterion(aggregation="P99"), r"no aggregation `P99`"),
    ({"metric_alerts": {"a": {"description": "x"}}}, r"metric_alerts\.a: `scope` is missing"),
    (_alert(criteria=[{"metric": "m"}]), r"criteria\[0\]: `threshold` is missing"),
    (
        _alert(criteria=[METRIC_ALERT["criteria"][0], {**METRIC_ALERT["criteria"][0], "dimensions": {"D": ["*"]}}]),
        r"with several criteria a dimension has one value",
    ),
    (_rule(description="x" * 4097), r"4,096 characters at most"),
    (_rule(operator="in"), r"no operator `in`"),
    (_rule(frequency="PT1H"), r"what lies between is never seen"),
    ({"query_rules": {"a": {"description": "x"}}}, r"query_rules\.a: `column` is missing"),
    ({"diagnostics": {"a": {"logs": ["x"]}}}, r"diagnostics\.a: `id` is missing"),
    ({"diagnostics": {"a": {"id": "/x"}}}, r"sends nothing"),
    ({"overrides": {"nothing": {}}}, r"`nothing`.*metric_alerts\.capacity"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_arguments_that_cannot_be_are_refused_before_anything_is_made(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ArgumentsError, match=said):
        made(**change)


def test_a_bad_address_of_a_webhook_is_not_repeated_since_it_may_be_a_secret() -> None:
    with pytest.raises(ArgumentsError) as refused:
        made(webhooks={"chat": "http://hooks.shop.example/SECRET"})
    assert "SECRET" not in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ArgumentsError) as refused:
        made(retention_days=1, group_short_name="x" * 13, **_alert(severity=9, window="P7D"))
    assert len(refused.value.problems) == 4
