"""Alarms on metrics, metrics from logs, and a dashboard."""

from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds.part import place, refuse, tagged, unknown_keys

TYPE = "edgewright:aws:EdgeMonitoring"

QUERIES = 10
"""Metrics of one alarm ("CloudWatch quotas")."""

_COMPARISONS = (
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)


class AlarmArgs(TypedDict, total=False):
    """An alarm on metrics."""

    description: Required[str]
    """What it means when it sounds, and where to look."""

    queries: Required[list[Mapping[str, Any]]]
    """As ``metric_queries`` of a metric alarm, in the provider's words; exactly one has ``return_data: True``."""

    threshold: Required[float]
    """In the unit of the query that is compared."""

    comparison: str
    """Default: GreaterThanThreshold."""

    periods: int
    """How many values it looks at. Default: 5."""

    bad_periods: int
    """How many of these must be over the bound. Default: 3."""


class LogMetricArgs(TypedDict, total=False):
    """A metric that counts lines of a log."""

    log_group: Required[pulumi.Input[str]]
    """Name of the log group."""

    pattern: Required[str]
    """Which lines, in CloudWatch Logs' words."""

    namespace: Required[str]
    metric: Required[str]


class EdgeMonitoringArgs(TypedDict, total=False):
    """Arguments of `EdgeMonitoring`."""

    alarms: Mapping[str, AlarmArgs]
    """By name; the name is part of the alarm's. Default: none."""

    log_metrics: Mapping[str, LogMetricArgs]
    """By name. Default: none."""

    dashboard_body: pulumi.Input[str]
    """JSON text of a dashboard. Default: none."""

    notify: list[pulumi.Input[str]]
    """ARNs of SNS topics that are told when an alarm sounds and when it stops. A topic that is encrypted needs a key
    whose policy lets CloudWatch use it: with AWS's own key for SNS nobody is told. Default: none."""

    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``alarms.NAME``, ``log_metrics.NAME``, dashboard."""


class EdgeMonitoring(pulumi.ComponentResource):
    """Watches an edge. Attributes: alarms and log_metrics by name, dashboard (None without a body)."""

    def __init__(self, name: str, args: EdgeMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("EdgeMonitoring", name, _problems(args))
        super().__init__(TYPE, name, None, opts)

        self.log_metrics = {key: _log_metric(self, name, args, key) for key in args.get("log_metrics", {})}
        self.alarms = {key: _alarm(self, name, args, key) for key in args.get("alarms", {})}
        self.dashboard = _dashboard(self, name, args)
        self.register_outputs({"alarms": {key: item.arn for key, item in self.alarms.items()}})


def _log_metric(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs, key: str) -> aws.cloudwatch.LogMetricFilter:
    item = args.get("log_metrics", {})[key]
    counted = {
        "name": item["metric"],
        "namespace": item["namespace"],
        "value": "1",
        "default_value": "0",
        "unit": "Count",
    }
    return place(
        aws.cloudwatch.LogMetricFilter,
        f"{name}-{key}",
        {"log_group_name": item["log_group"], "pattern": item["pattern"], "metric_transformation": counted},
        parent=self,
        overrides=args.get("overrides"),
        key=f"log_metrics.{key}",
    )


def _alarm(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs, key: str) -> aws.cloudwatch.MetricAlarm:
    item = args.get("alarms", {})[key]
    notify = list(args.get("notify", []))
    return place(
        aws.cloudwatch.MetricAlarm,
        f"{name}-{key}",
        {
            "alarm_description": item["description"],
            "comparison_operator": item.get("comparison", "GreaterThanThreshold"),
            "threshold": item["threshold"],
            "evaluation_periods": item.get("periods", 5),
            "datapoints_to_alarm": item.get("bad_periods", 3),
            # Without requests there are no values, and nothing is wrong.
            "treat_missing_data": "notBreaching",
            "metric_queries": list(item["queries"]),
            "alarm_actions": notify or None,
            "ok_actions": notify or None,
            "tags": tagged(args.get("tags"), f"{name}-{key}"),
        },
        parent=self,
        overrides=args.get("overrides"),
        key=f"alarms.{key}",
    )


def _dashboard(self: EdgeMonitoring, name: str, args: EdgeMonitoringArgs) -> aws.cloudwatch.Dashboard | None:
    if "dashboard_body" not in args:
        return None
    return place(
        aws.cloudwatch.Dashboard,
        name,
        # The provider names no dashboards; the stack tells two edges of one account apart.
        {"dashboard_name": f"{name}-{pulumi.get_stack()}", "dashboard_body": args["dashboard_body"]},
        parent=self,
        overrides=args.get("overrides"),
        key="dashboard",
    )


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: EdgeMonitoringArgs) -> Iterator[str]:
    yield from unknown_keys(args, EdgeMonitoringArgs.__annotations__, "the monitoring")
    for key, item in args.get("alarms", {}).items():
        yield from _alarm_problems(key, item)
    for key, item in args.get("log_metrics", {}).items():
        missing = sorted(LogMetricArgs.__required_keys__ - set(item))
        yield from (f"log_metrics.{key}: `{name}` is missing" for name in missing)
    known = [f"{kind}.{key}" for kind in ("alarms", "log_metrics") for key in args.get(kind, {})]
    yield from unknown_keys(args.get("overrides") or {}, ["dashboard", *known], "overrides")


def _alarm_problems(key: str, item: AlarmArgs) -> Iterator[str]:
    at = f"alarms.{key}: "
    missing = sorted(AlarmArgs.__required_keys__ - set(item))
    yield from (f"{at}`{name}` is missing" for name in missing)
    queries = item.get("queries", [])
    returned = [query for query in queries if query.get("return_data")]
    if len(returned) != 1:
        yield f"{at}{len(returned)} of its queries have `return_data: True`; exactly one is compared"
    if len(queries) > QUERIES:
        yield f"{at}it has {len(queries)} queries; AWS's limit is {QUERIES}"
    if item.get("comparison", _COMPARISONS[0]) not in _COMPARISONS:
        yield f"{at}`comparison` is {item.get('comparison')}; write {', '.join(_COMPARISONS)}"
    if not 1 <= item.get("bad_periods", 3) <= item.get("periods", 5):
        yield f"{at}`bad_periods` must be 1 to `periods`"
