"""Alerts on metrics and on queries, who is told, where logs go, and a workbook."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import monitor

from edgewright.azure.compile_monitoring import LEAST_DAYS, MOST_DAYS, Monitoring, receiver
from edgewright.azure.compile_workbook import workbook_text
from edgewright.azure.diagnostics import place_diagnostics
from edgewright.azure.roles import PUBLISHER, assign_role, guid, role_beside
from edgewright.clouds.part import filled, place, refuse, short_name, unknown_keys

TYPE = "edgewright:azure:EdgeMonitoring"

GROUPS, CRITERIA = 5, 5
"""Action groups of a rule (page "Action groups"), and criteria of an alert on metrics."""

_OPERATORS = ("Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual")
_AGGREGATIONS = ("Average", "Count", "Minimum", "Maximum", "Total")
_SINGLE_RESOURCE = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
_SECONDS = {
    "PT1M": 60,
    "PT5M": 300,
    "PT15M": 900,
    "PT30M": 1800,
    "PT1H": 3600,
    "PT6H": 21_600,
    "PT12H": 43_200,
    "P1D": 86_400,
}
"""Windows of both kinds of rules; the longest is no frequency of a metric alert."""


class CriterionArgs(TypedDict, total=False):
    """A bound on a metric."""

    metric: Required[str]
    """Its name in the REST API."""
    aggregation: Required[str]
    """``Average``, ``Count``, ``Minimum``, ``Maximum`` or ``Total``."""
    operator: Required[str]
    """``GreaterThan``, ``GreaterThanOrEqual``, ``LessThan``, ``LessThanOrEqual`` or ``Equals``."""
    threshold: Required[float]
    """In the metric's unit."""
    dimensions: Mapping[str, list[str]]
    """Values that count, by dimension; ``["*"]``: each value is watched by itself. Default: all together."""


class MetricAlertArgs(TypedDict, total=False):
    """A rule on metrics of one resource."""

    description: Required[str]
    """What it means when it sounds, and where to look; 2,048 characters at most."""
    scope: Required[pulumi.Input[str]]
    """Id of the resource."""
    namespace: Required[str]
    """Of the metrics: the resource's type."""
    criteria: Required[list[CriterionArgs]]
    """1 to 5; all must hold."""
    severity: int
    """0 (critical) to 4. Default: 2."""
    window: str
    """What a value is of. Default: PT5M."""
    frequency: str
    """How often it looks. Default: PT1M."""


class QueryRuleArgs(TypedDict, total=False):
    """A rule on a query of the workspace."""

    description: Required[str]
    """What it means when it sounds, and where to look; 4,096 characters at most."""
    query: Required[pulumi.Input[str]]
    """In Kusto's language; its rows have ``column``."""
    column: Required[str]
    """The number that is compared; no row: nothing sounds."""
    threshold: Required[float]
    """In the column's unit."""
    operator: str
    """Default: GreaterThan."""
    severity: int
    """0 (critical) to 4. Default: 2."""
    window: str
    """What the query sees. Default: PT5M."""
    frequency: str
    """How often it runs. Default: PT5M."""


class DiagnosticsArgs(TypedDict, total=False):
    """What a resource sends to the workspace."""

    id: Required[pulumi.Input[str]]
    """The resource's id."""
    logs: list[str]
    """Categories. Default: none."""
    metrics: bool
    """Whether its metrics go there too. Default: no."""


class ApplicationInsightsArgs(TypedDict, total=False):
    """An Application Insights to make, on the workspace."""

    local_authentication: bool
    """Whether who knows the connection string may write. Default: no: only who has the role. Self-hosted gateways need
    it, as the service's identity is not on their machines (unverified)."""
    publishers: Mapping[str, pulumi.Input[str]]
    """Object ids of service principals that may write, by a name of yours, such as the service's own identity."""


class EdgeMonitoringArgs(TypedDict, total=False):
    """Arguments of `EdgeMonitoring`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``: that of the workspace."""
    workspace_id: pulumi.Input[str]
    """An existing Log Analytics workspace. Default: one is made where ``retention_days`` is given."""
    retention_days: int
    """Of the workspace that is made: 30 to 730."""
    application_insights: ApplicationInsightsArgs
    """Makes one. Default: none."""
    application_insights_id: pulumi.Input[str]
    """An existing one. Default: none."""
    emails: Mapping[str, pulumi.Input[str]]
    """Addresses that are told, by a name of yours; each must confirm once. Default: none."""
    webhooks: Mapping[str, pulumi.Input[str]]
    """Addresses (https) that are told by Azure's common schema, by a name of yours; secrets. Default: none."""
    action_group_ids: list[pulumi.Input[str]]
    """Existing action groups that are told. Default: none."""
    group_short_name: str
    """1 to 12 characters, shown in messages. Default: the component's name, cut."""
    metric_alerts: Mapping[str, MetricAlertArgs]
    """By name. Default: none."""
    query_rules: Mapping[str, QueryRuleArgs]
    """By name. Default: none."""
    skip_query_validation: bool
    """Whether rules are taken with a table that has had no row yet. Default: yes. (Azure switches a rule off whose
    query fails for a week.)"""
    diagnostics: Mapping[str, DiagnosticsArgs]
    """By name. Azure takes a category of a resource once for a workspace. Default: none."""
    workbook: pulumi.Input[str]
    """JSON of a workbook. Default: none."""
    workbook_title: str
    """Default: the component's name."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: workspace, application_insights, publishers.NAME, action_group, metric_alerts.NAME,
    query_rules.NAME, diagnostics.NAME, workbook."""


class EdgeMonitoring(pulumi.ComponentResource):
    """Watches an edge.

    Attributes: workspace, application_insights, action_group and workbook (None where not made); publishers,
    metric_alerts, query_rules and diagnostics by name; ``workspace_id`` and ``application_insights_id`` (or None), and
    ``connection_string``, a secret, of an Application Insights that is made.
    """

    def __init__(self, name: str, args: EdgeMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("EdgeMonitoring", name, _problems(args, name))
        super().__init__(TYPE, name, None, opts)

        self.workspace = _workspace(self, name, args)
        self.workspace_id: Any = self.workspace.id if self.workspace else args.get("workspace_id")
        self.application_insights = _insights(self, name, args)
        self.application_insights_id: Any = (
            self.application_insights.id if self.application_insights else args.get("application_insights_id")
        )
        self.connection_string = (
            pulumi.Output.secret(self.application_insights.connection_string) if self.application_insights else None
        )
        self.publishers = _publishers(self, name, args)
        self.diagnostics = {key: _diagnostics(self, name, args, key) for key in args.get("diagnostics", {})}
        self.action_group = _action_group(self, name, args)
        self.metric_alerts = {key: _metric_alert(self, name, args, key) for key in args.get("metric_alerts", {})}
        self.query_rules = {key: _query_rule(self, name, args, key) for key in args.get("query_rules", {})}
        self.workbook = _workbook(self, name, args)
        self.register_outputs({"workspaceId": self.workspace_id})


def from_compiled(
    plan: Monitoring, marks: Mapping[str, pulumi.Input[str]], targets: Mapping[str, str]
) -> EdgeMonitoringArgs:
    """The arguments that follow from what was compiled: all but the place, the workspace and Application Insights.

    marks: ids by their marks, at least those that are used; targets: what the stack has bound the names of
    ``monitor.notify`` to. Raises KeyError for what is not bound, and ValueError for an id that is none.
    """
    marks = {name: pulumi.Output.from_input(value).apply(_plain_id) for name, value in marks.items()}
    found: dict[str, Any] = {
        "metric_alerts": {
            key: {
                "description": item.description,
                "severity": item.severity,
                "scope": marks[item.scope],
                "namespace": item.namespace,
                "criteria": [
                    {
                        "metric": one.metric,
                        "aggregation": one.aggregation,
                        "operator": one.operator,
                        "threshold": one.threshold,
                        "dimensions": {name: list(values) for name, values in one.dimensions.items()},
                    }
                    for one in item.criteria
                ],
                "window": item.window,
                "frequency": item.frequency,
            }
            for key, item in plan.metric_alerts.items()
        },
        "query_rules": {
            key: {
                "description": item.description,
                "severity": item.severity,
                "query": filled(item.query, marks),
                "column": item.column,
                "threshold": item.threshold,
                "window": item.window,
                "frequency": item.frequency,
            }
            for key, item in plan.query_rules.items()
        },
        "diagnostics": {
            key: {"id": marks[item.resource], "logs": list(item.logs), "metrics": item.metrics}
            for key, item in plan.diagnostics.items()
        },
        "emails": {name: targets[name] for name in plan.notify if receiver(targets[name]) == "email"},
        "webhooks": {name: targets[name] for name in plan.notify if receiver(targets[name]) == "webhook"},
        "action_group_ids": [targets[name] for name in plan.notify if receiver(targets[name]) == "action_group"],
    }
    if plan.workbook is not None:
        found["workbook"] = filled(workbook_text(plan.workbook), marks)
    args: Any = found
    return args


def _plain_id(value: str) -> str:
    """An id goes into texts of queries: one that would end a text, or that is no id, is refused."""
    if re.fullmatch(r"/[^\"\\{}\x00-\x1f]+|\$\{[^\"\\{}\x00-\x1f]+\}", value) is None:
        raise ValueError(f"{value!r} is no id of a resource")
    return value


# -- resources ---------------------------------------------------------------------------------------------------------


def _where(args: EdgeMonitoringArgs) -> dict[str, Any]:
    return {"resource_group_name": args["resource_group_name"], "tags": dict(args.get("tags", {}))}


def _workspace(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs) -> Any:
    days = args.get("retention_days")
    if days is None:
        return None
    from pulumi_azure_native import operationalinsights

    return place(
        operationalinsights.Workspace,
        f"{name}-workspace",
        {
            **_where(args),
            "location": args["location"],
            "workspace_name": short_name(f"{name}-workspace", limit=63),
            "sku": {"name": "PerGB2018"},
            "retention_in_days": days,
            "features": {
                # Nothing here writes with the workspace's keys.
                "disable_local_auth": True,
                "enable_log_access_using_only_resource_permissions": True,
                # Else 30 days may be 31 (page "Manage data retention").
                **({"immediate_purge_data_on30_days": True} if days == LEAST_DAYS else {}),
            },
        },
        parent=self,
        overrides=args.get("overrides"),
        key="workspace",
    )


def _insights(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs) -> Any:
    wanted = args.get("application_insights")
    if wanted is None:
        return None
    from pulumi_azure_native import applicationinsights

    return place(
        applicationinsights.Component,
        f"{name}-insights",
        {
            **_where(args),
            "location": args["location"],
            "kind": "web",
            "application_type": "web",
            "ingestion_mode": "LogAnalytics",
            "workspace_resource_id": self.workspace_id,
            # API Management writes with its identity (page "Integrate Azure API Management with Application Insights").
            "disable_local_auth": not wanted.get("local_authentication", False),
            # Addresses of clients are personal; Azure's default, said.
            "disable_ip_masking": False,
        },
        parent=self,
        overrides=args.get("overrides"),
        key="application_insights",
    )


def _publishers(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs) -> dict[str, Any]:
    insights = self.application_insights
    if insights is None:
        return {}
    role = role_beside(insights.id, PUBLISHER)
    return {
        key: assign_role(
            self,
            f"{name}-publisher-{key}",
            {"principal_id": principal, "role_definition_id": role, "scope": insights.id},
            overrides=args.get("overrides"),
            key=f"publishers.{key}",
        )
        for key, principal in args.get("application_insights", {}).get("publishers", {}).items()
    }


def _diagnostics(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs, key: str) -> monitor.DiagnosticSetting:
    item = args.get("diagnostics", {})[key]
    return place_diagnostics(
        self,
        f"{name}-{key}",
        item["id"],
        self.workspace_id,
        item.get("logs", []),
        metrics=item.get("metrics", False),
        overrides=args.get("overrides"),
        key=f"diagnostics.{key}",
    )


def _action_group(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs) -> monitor.ActionGroup | None:
    emails, webhooks = args.get("emails", {}), args.get("webhooks", {})
    if not emails and not webhooks:
        return None
    return place(
        monitor.ActionGroup,
        f"{name}-told",
        {
            **_where(args),
            "location": "Global",
            "enabled": True,
            "group_short_name": _group_short_name(args, name),
            "email_receivers": [
                {"name": key, "email_address": address, "use_common_alert_schema": True}
                for key, address in emails.items()
            ],
            "webhook_receivers": [
                # Such addresses often are their own password.
                {"name": key, "service_uri": pulumi.Output.secret(address), "use_common_alert_schema": True}
                for key, address in webhooks.items()
            ],
        },
        parent=self,
        overrides=args.get("overrides"),
        key="action_group",
    )


def _group_short_name(args: EdgeMonitoringArgs, name: str) -> str:
    return args.get("group_short_name") or re.sub(r"[^A-Za-z0-9-]", "-", name)[:12].strip("-")


def _told(self: EdgeMonitoring, args: EdgeMonitoringArgs) -> list[Any]:
    return [*([self.action_group.id] if self.action_group else []), *args.get("action_group_ids", [])]


def _metric_alert(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs, key: str) -> monitor.MetricAlert:
    item = args.get("metric_alerts", {})[key]
    return place(
        monitor.MetricAlert,
        f"{name}-{key}",
        {
            **_where(args),
            "location": "global",
            "description": item["description"],
            "severity": item.get("severity", 2),
            "enabled": True,
            "scopes": [item["scope"]],
            "window_size": item.get("window", "PT5M"),
            "evaluation_frequency": item.get("frequency", "PT1M"),
            "auto_mitigate": True,
            # Classes and no dicts: where a type is one of several, the SDK does not translate names of dicts.
            "criteria": monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type=_SINGLE_RESOURCE,
                all_of=[
                    _criterion(item["namespace"], f"criterion{number}", one)
                    for number, one in enumerate(item["criteria"])
                ],
            ),
            "actions": [{"action_group_id": group} for group in _told(self, args)],
        },
        parent=self,
        overrides=args.get("overrides"),
        key=f"metric_alerts.{key}",
    )


def _criterion(namespace: str, name: str, item: CriterionArgs) -> monitor.MetricCriteriaArgs:
    return monitor.MetricCriteriaArgs(
        criterion_type="StaticThresholdCriterion",
        name=name,
        metric_namespace=namespace,
        metric_name=item["metric"],
        time_aggregation=item["aggregation"],
        operator=item["operator"],
        threshold=item["threshold"],
        dimensions=[
            monitor.MetricDimensionArgs(name=dimension, operator="Include", values=list(values))
            for dimension, values in item.get("dimensions", {}).items()
        ],
    )


def _query_rule(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs, key: str) -> monitor.ScheduledQueryRule:
    item = args.get("query_rules", {})[key]
    return place(
        monitor.ScheduledQueryRule,
        f"{name}-query-{key}",
        {
            **_where(args),
            "location": args["location"],
            "kind": "LogAlert",
            "display_name": f"{name} {key}",
            "description": item["description"],
            "severity": item.get("severity", 2),
            "enabled": True,
            "scopes": [self.workspace_id],
            "window_size": item.get("window", "PT5M"),
            "evaluation_frequency": item.get("frequency", "PT5M"),
            "auto_mitigate": True,
            "skip_query_validation": args.get("skip_query_validation", True),
            "criteria": {
                "all_of": [
                    {
                        "query": item["query"],
                        "metric_measure_column": item["column"],
                        "time_aggregation": "Maximum",
                        "operator": item.get("operator", "GreaterThan"),
                        "threshold": item["threshold"],
                        "failing_periods": {"number_of_evaluation_periods": 1, "min_failing_periods_to_alert": 1},
                    }
                ]
            },
            "actions": {"action_groups": _told(self, args)},
        },
        parent=self,
        overrides=args.get("overrides"),
        key=f"query_rules.{key}",
    )


def _workbook(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs) -> Any:
    body = args.get("workbook")
    if body is None:
        return None
    from pulumi_azure_native import applicationinsights

    return place(
        applicationinsights.Workbook,
        f"{name}-workbook",
        {
            **_where(args),
            "location": args["location"],
            # Azure wants a UUID. (The SDK's word has a second underscore: the first is the engine's name.)
            "resource_name_": guid(f"{name}-workbook"),
            "kind": "shared",
            "category": "workbook",
            "display_name": args.get("workbook_title", name),
            "version": "Notebook/1.0",
            "source_id": self.workspace_id,
            "serialized_data": body,
        },
        parent=self,
        overrides=args.get("overrides"),
        key="workbook",
        # The new one would have the same name.
        delete_before_replace=True,
    )


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: EdgeMonitoringArgs, name: str) -> Iterator[str]:
    yield from unknown_keys(args, EdgeMonitoringArgs.__annotations__, "the monitoring")
    yield from (f"`{key}` is missing" for key in ("resource_group_name", "location") if args.get(key) is None)
    yield from _workspace_problems(args)
    yield from _told_problems(args, name)
    for key, item in args.get("metric_alerts", {}).items():
        yield from _metric_problems(key, item)
    for key, item in args.get("query_rules", {}).items():
        yield from _query_problems(key, item)
    for key, item in args.get("diagnostics", {}).items():
        at = f"diagnostics.{key}"
        yield from unknown_keys(item, DiagnosticsArgs.__annotations__, at)
        if "id" not in item:
            yield f"{at}: `id` is missing"
        if not item.get("logs") and not item.get("metrics"):
            yield f"{at} sends nothing: name categories in `logs`, or say `metrics: True`"
    yield from unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides")


def _workspace_problems(args: EdgeMonitoringArgs) -> Iterator[str]:
    days = args.get("retention_days")
    own = args.get("workspace_id") is not None
    if own and days is not None:
        yield "`workspace_id` and `retention_days`: an existing workspace keeps its own retention; give one of them"
    if days is not None and not LEAST_DAYS <= days <= MOST_DAYS:
        yield f"a workspace keeps logs {LEAST_DAYS} to {MOST_DAYS} days, not {days}"
    if not own and days is None:
        needing = [key for key in ("query_rules", "diagnostics", "workbook", "application_insights") if args.get(key)]
        if needing or args.get("application_insights") is not None:
            what = ", ".join(needing or ["application_insights"])
            yield f"{what} need a workspace: give `workspace_id`, or `retention_days` to make one"
    if args.get("application_insights") is not None:
        yield from unknown_keys(
            args.get("application_insights", {}), ApplicationInsightsArgs.__annotations__, "application_insights"
        )
        if args.get("application_insights_id") is not None:
            yield "`application_insights` makes one and `application_insights_id` names one: give one of them"


def _told_problems(args: EdgeMonitoringArgs, name: str) -> Iterator[str]:
    for key, kind, what in (("emails", "email", "address of mail"), ("webhooks", "webhook", "address by https")):
        targets: Mapping[str, Any] = args.get(key, {})
        for who, target in targets.items():
            if isinstance(target, str) and receiver(target) != kind:
                # The address itself may be a secret.
                yield f"{key}.{who} is no {what}"
    groups = len(args.get("action_group_ids", [])) + bool(args.get("emails") or args.get("webhooks"))
    if groups > GROUPS:
        yield f"{groups} action groups; a rule tells {GROUPS} at most"
    both = sorted(set(args.get("emails", {})) & set(args.get("webhooks", {})))
    yield from (f"`{who}` is in emails and in webhooks: names in an action group are unique" for who in both)
    if re.fullmatch(r"[^\s][^\x00-\x1f]{0,11}", _group_short_name(args, name)) is None:
        yield f"group_short_name `{_group_short_name(args, name)}`: 1 to 12 characters"


def _metric_problems(key: str, item: MetricAlertArgs) -> Iterator[str]:
    at = f"metric_alerts.{key}"
    yield from unknown_keys(item, MetricAlertArgs.__annotations__, at)
    yield from (f"{at}: `{one}` is missing" for one in sorted(MetricAlertArgs.__required_keys__ - set(item)))
    yield from _rule_problems(at, item, 2048, "PT1M")
    criteria = item.get("criteria", [])
    if not 1 <= len(criteria) <= CRITERIA:
        yield f"{at}: 1 to {CRITERIA} criteria, not {len(criteria)}"
    for number, one in enumerate(criteria):
        where = f"{at}.criteria[{number}]"
        yield from unknown_keys(one, CriterionArgs.__annotations__, where)
        missing = sorted(CriterionArgs.__required_keys__ - set(one))
        yield from (f"{where}: `{name}` is missing" for name in missing)
        for field, known in (("operator", _OPERATORS), ("aggregation", _AGGREGATIONS)):
            if field in one and one.get(field) not in known:
                yield f"{where}: there is no {field} `{one.get(field)}`; there are {', '.join(known)}"
        split = [name for name, values in one.get("dimensions", {}).items() if list(values) == ["*"] or len(values) > 1]
        if split and len(criteria) > 1:
            yield f"{where}: with several criteria a dimension has one value, and {', '.join(split)} has more"


def _query_problems(key: str, item: QueryRuleArgs) -> Iterator[str]:
    at = f"query_rules.{key}"
    yield from unknown_keys(item, QueryRuleArgs.__annotations__, at)
    yield from (f"{at}: `{one}` is missing" for one in sorted(QueryRuleArgs.__required_keys__ - set(item)))
    yield from _rule_problems(at, item, 4096, "PT5M")
    if item.get("operator", _OPERATORS[1]) not in _OPERATORS:
        yield f"{at}: there is no operator `{item.get('operator')}`; there are {', '.join(_OPERATORS)}"


def _rule_problems(at: str, item: Mapping[str, Any], longest: int, frequency: str) -> Iterator[str]:
    """What both kinds of rules share."""
    if len(item.get("description", "")) > longest:
        yield f"{at}: a description has {longest:,} characters at most"
    if item.get("severity", 2) not in range(5):
        yield f"{at}: a severity is 0 to 4, not {item.get('severity')}"
    window, often = item.get("window", "PT5M"), item.get("frequency", frequency)
    unknown = [one for one in (window, often) if one not in _SECONDS]
    yield from (f"{at}: there is no window or frequency `{one}`; there are {', '.join(_SECONDS)}" for one in unknown)
    if not unknown and _SECONDS[often] > _SECONDS[window]:
        yield f"{at}: it looks every {often} at {window}: what lies between is never seen"


def _attributes(args: EdgeMonitoringArgs) -> list[str]:
    publishers = args.get("application_insights", {}).get("publishers", {})
    return [
        "workspace",
        "application_insights",
        *(f"publishers.{key}" for key in publishers),
        "action_group",
        *(f"{kind}.{key}" for kind in ("metric_alerts", "query_rules", "diagnostics") for key in args.get(kind, {})),
        "workbook",
    ]
