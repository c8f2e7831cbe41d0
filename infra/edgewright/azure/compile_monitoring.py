"""Alerts, queries and a workbook from a spec's ``monitor``, in Azure Monitor's words. Ids of resources stand as marks.

Sources, read 2026-11: Microsoft's "Supported metrics" of Microsoft.ApiManagement/service, Microsoft.Cdn/profiles,
Microsoft.Network/loadBalancers and Microsoft.Network/applicationGateways; "Choosing the right type of alert rule";
"Create or edit a log search alert rule"; "Manage data retention in a Log Analytics workspace". Nothing was deployed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgewright.azure.compile_workbook import Json, compile_workbook
from edgewright.azure.request_logs import (
    APPLICATION_GATEWAY,
    BALANCER,
    ENOUGH,
    FRONT_DOOR,
    INSIGHTS_LOG,
    SERVICE,
    Log,
    Parts,
    behind,
    capacity_metrics,
    checked,
    percentile,
    rows,
    seen,
)
from edgewright.clouds.capability_table import Level
from edgewright.edge.model import Edge, Monitor

WINDOW, FREQUENCY = "PT5M", "PT5M"
"""Of a query. Logs arrive minutes late, and a frequency of one minute forbids parts of the language and costs most."""

FULL = 80
"""Percent of a service's capacity; from Microsoft's example of autoscaling API Management."""

AVAILABLE = 90
"""Percent of the data path below which Azure's own resource health calls a Load Balancer degraded."""

LEAST_DAYS, MOST_DAYS = 30, 730
"""Of a workspace's retention. Single tables go down to 4 days and, asleep, up to 12 years; a workspace does not."""

_ERROR, _WARNING = 1, 2
"""Of Azure's severities, 0 critical to 4 verbose: requests are lost, and requests are or may soon be worse."""


def _look(monitor: Monitor) -> str:
    return "Look at the workbook of this edge" if monitor.dashboard else "Look at the logs in the workspace"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A bound on a metric. dimensions: the values that count; ``*`` splits: each value is then watched by itself."""

    metric: str
    aggregation: str
    operator: str
    threshold: float
    dimensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True, slots=True)
class MetricAlert:
    """A rule on metrics of one resource (a mark); all criteria must hold."""

    description: str
    severity: int
    scope: str
    namespace: str
    criteria: tuple[Criterion, ...]
    window: str = "PT5M"
    frequency: str = "PT1M"


@dataclass(frozen=True, slots=True)
class QueryRule:
    """A rule on a query of the workspace; column: the number that is compared with the bound."""

    description: str
    severity: int
    query: str
    column: str
    threshold: float
    window: str = WINDOW
    frequency: str = FREQUENCY


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What a resource (a mark) sends to the workspace: categories of logs, and whether its metrics too."""

    resource: str
    logs: tuple[str, ...]
    metrics: bool


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What watches an edge. notify: names of targets, bound by the stack; approximated: field, and how it differs."""

    metric_alerts: Mapping[str, MetricAlert]
    query_rules: Mapping[str, QueryRule]
    diagnostics: Mapping[str, Diagnostics]
    notify: tuple[str, ...]
    workbook: Json | None
    approximated: tuple[tuple[str, str], ...]


def compile_monitoring(edge: Edge, parts: Parts) -> Monitoring | None:
    """What watches an edge; None where the spec does not ask. Raises ValueError for a name that no query may hold."""
    monitor = edge.monitor
    if monitor is None:
        return None
    return Monitoring(
        metric_alerts=dict(_metric_alerts(monitor, parts)),
        query_rules=dict(_query_rules(monitor, parts)),
        diagnostics=dict(_diagnostics(parts)),
        notify=monitor.notify,
        workbook=compile_workbook(edge.name, monitor, parts) if monitor.dashboard else None,
        approximated=tuple(_approximated(monitor, parts)),
    )


def receiver(target: str) -> Literal["email", "webhook", "action_group"] | None:
    """What a stack has bound a name of ``monitor.notify`` to; None for what Azure cannot tell."""
    if re.fullmatch(r"[^@\s<>,;\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", target):
        return "email"
    if re.fullmatch(r"https://[^\s/?#@]+([/?#]\S*)?", target):
        return "webhook"
    if re.fullmatch(
        r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/microsoft\.insights/actionGroups/[^/]+", target, re.I
    ):
        return "action_group"
    return None


def workspace_days(days: int) -> int:
    """The retention that a workspace can have, nearest to what an access log asks."""
    return min(max(days, LEAST_DAYS), MOST_DAYS)


# -- alerts by queries -------------------------------------------------------------------------------------------------


def _query_rules(monitor: Monitor, parts: Parts) -> Iterator[tuple[str, QueryRule]]:
    """What metrics do not carry: an alert on metrics knows no quotient of two, and no percentile."""
    look = _look(monitor)
    log = seen(parts)
    if log is None:
        return
    if monitor.error_rate is not None and parts.front != "front_door":
        words = (
            f"More than {monitor.error_rate:g} % of the requests of five minutes were answered with 5xx. {look}:"
            " which backends fail, and whether it is the gateway itself (502 and 503 without a backend)."
        )
        yield "errors", _share("Status >= 500", words, _ERROR, monitor.error_rate, log, parts)
    if monitor.latency_above is not None:
        yield "latency", _slow(monitor, monitor.latency_above, log, parts)
    if monitor.throttled is not None:
        words = (
            f"More than {monitor.throttled:g} % of the requests of five minutes were answered with 429. {look}: one"
            " client that asks too much, or a limit that is too low for all."
        )
        yield "throttled", _share("Status == 429", words, _WARNING, monitor.throttled, log, parts)


def _share(condition: str, words: str, severity: int, bound: float, log: Log, parts: Parts) -> QueryRule:
    query = (
        f"{rows(log, parts)}\n"
        f"| summarize Requests = sum(Weight), Counted = sumif(Weight, {condition})\n"
        f"| where Requests >= {ENOUGH}\n"
        "| project Share = 100.0 * Counted / Requests"
    )
    return QueryRule(words, severity, query, "Share", bound)


def _slow(monitor: Monitor, above: int, log: Log, parts: Parts) -> QueryRule:
    asked = monitor.latency_percentile or 99
    look = _look(monitor)
    words = (
        f"More than {100 - asked:g} % of the requests of five minutes took longer than {above} ms. {look}:"
        " whether the time is spent in backends or in the gateway, and whether its capacity is used up."
    )
    query = (
        f"{rows(log, parts, sockets=False)}\n"
        f"| summarize Requests = sum(Weight), Slow = {percentile(log, asked)}\n"
        f"| where Requests >= {ENOUGH}\n"
        "| project Slow"
    )
    return QueryRule(words, _WARNING, query, "Slow", float(above))


# -- alerts by metrics -------------------------------------------------------------------------------------------------


def _metric_alerts(monitor: Monitor, parts: Parts) -> Iterator[tuple[str, MetricAlert]]:
    look = _look(monitor)
    if parts.front == "front_door":
        yield from _front_door_alerts(monitor)
    if parts.gateway is not None and seen(parts) is None:
        yield from _counted_alerts(monitor, parts)
    if parts.gateway == "managed":
        yield from _capacity_alerts(parts)
    if parts.front == "application_gateway" and monitor.unhealthy_targets is not None:
        words = f"The Application Gateway's probe does not reach API Management. {look}, and at the service's network."
        # Its pool is the one address of the service, so one is all; the pools of several settings are told apart.
        bound = Criterion("UnhealthyHostCount", "Average", "GreaterThanOrEqual", 1, {"BackendSettingsPool": ("*",)})
        yield (
            "unhealthy-application-gateway",
            MetricAlert(words, _ERROR, "application_gateway", APPLICATION_GATEWAY, (bound,)),
        )
    yield from _balancer_alerts(monitor, parts)


def _front_door_alerts(monitor: Monitor) -> Iterator[tuple[str, MetricAlert]]:
    """Front Door has the share as a metric; with the number of requests as a second condition it is what is asked."""
    look = _look(monitor)
    if monitor.error_rate is not None:
        words = (
            f"More than {monitor.error_rate:g} % of the requests at Front Door were answered with 5xx. {look}: whether"
            " API Management answers so, or is not reached."
        )
        criteria = (
            Criterion("Percentage5XX", "Average", "GreaterThan", monitor.error_rate),
            Criterion("RequestCount", "Total", "GreaterThanOrEqual", ENOUGH),
        )
        yield "errors", MetricAlert(words, _ERROR, "front_door", FRONT_DOOR, criteria)
    if monitor.unhealthy_targets is not None:
        words = f"Front Door's probes of API Management fail. {look}, and at the approval of the private endpoint."
        bound = Criterion("OriginHealthPercentage", "Average", "LessThan", 50, {"Origin": ("*",)})
        yield "unhealthy-front-door", MetricAlert(words, _ERROR, "front_door", FRONT_DOOR, (bound,))


def _counted_alerts(monitor: Monitor, parts: Parts) -> Iterator[tuple[str, MetricAlert]]:
    """Where there is no log: counts and a mean in place of shares and a percentile, so that they sound too early.

    Self-hosted gateways send these metrics through their service (page "Configure cloud metrics and logs").
    """
    look = _look(monitor)
    only = {"ApiId": (*parts.apis, *parts.websockets)} if parts.apis or parts.websockets else {}
    if monitor.error_rate is not None and parts.front != "front_door":
        bound = Criterion(
            "Requests",
            "Total",
            "GreaterThan",
            _at_least(monitor.error_rate),
            {"GatewayResponseCodeCategory": ("5xx",), **only},
        )
        words = f"More than {bound.threshold:g} requests of five minutes were answered with 5xx. {look}."
        yield "errors", MetricAlert(words, _ERROR, "service", SERVICE, (bound,))
    if monitor.latency_above is not None:
        slow = {"ApiId": parts.apis} if parts.apis else {}
        bound = Criterion("Duration", "Average", "GreaterThan", monitor.latency_above, slow)
        words = f"Requests of five minutes took longer than {monitor.latency_above} ms on the average. {look}."
        yield "latency", MetricAlert(words, _WARNING, "service", SERVICE, (bound,))
    if monitor.throttled is not None:
        bound = Criterion(
            "Requests",
            "Total",
            "GreaterThan",
            _at_least(monitor.throttled),
            {"GatewayResponseCode": ("429",), **only},
        )
        words = f"More than {bound.threshold:g} requests of five minutes were answered with 429. {look}."
        yield "throttled", MetricAlert(words, _WARNING, "service", SERVICE, (bound,))


def _at_least(percent: float) -> float:
    """The number that a share is of the least traffic that says anything."""
    return float(int(percent * ENOUGH / 100))


def _capacity_alerts(parts: Parts) -> Iterator[tuple[str, MetricAlert]]:
    """A service that is full throttles nobody: it drops connections (page "Capacity of an API Management instance")."""
    for metric in capacity_metrics(parts.tier):
        words = (
            f"For half an hour API Management has used more than {FULL} % ({metric}). A full service drops connections:"
            " add units, or look for policies and bodies that cost too much."
        )
        name = "memory" if metric.startswith("Memory") else "capacity"
        bound = Criterion(metric, "Average", "GreaterThan", FULL)
        yield name, MetricAlert(words, _WARNING, "service", SERVICE, (bound,), "PT30M", "PT5M")


def _balancer_alerts(monitor: Monitor, parts: Parts) -> Iterator[tuple[str, MetricAlert]]:
    for part, instances in parts.balancers.items():
        scope = f"balancer:{checked(part)}"
        words = (
            f"The path of data through the Load Balancer ({part}) answers less than {AVAILABLE} % of Azure's tests: no"
            " instance is healthy, or Azure has a fault. Look at the instances, then at the resource's health."
        )
        bound = Criterion("VipAvailability", "Average", "LessThan", AVAILABLE)
        yield f"path-{part}", MetricAlert(words, _ERROR, scope, BALANCER, (bound,))
        if monitor.unhealthy_targets is not None:
            yield f"unhealthy-{part}", _unhealthy(monitor.unhealthy_targets, part, instances, scope)


def _unhealthy(count: int, part: str, instances: int | None, scope: str) -> MetricAlert:
    """The metric is a share of probes: instances are counted where it is known how many there are."""
    if count > 1 and instances is not None:
        down = min(count, instances)
        words = f"{down} or more of {instances} instances behind the Load Balancer ({part}) do not answer its probe."
        bound = Criterion("DipAvailability", "Average", "LessThanOrEqual", round(100 * (1 - down / instances), 2))
    else:
        words = f"An instance behind the Load Balancer ({part}) answers less than half of its probes."
        each = {"BackendIPAddress": ("*",), "BackendPort": ("*",)}
        bound = Criterion("DipAvailability", "Average", "LessThan", 50, each)
    words += " Look at the service on it and at what its health check asks."
    return MetricAlert(words, _WARNING, scope, BALANCER, (bound,))


# -- what is sent to the workspace -------------------------------------------------------------------------------------


def _diagnostics(parts: Parts) -> Iterator[tuple[str, Diagnostics]]:
    """Categories by Microsoft's "Supported log categories".

    Azure takes a category once for a workspace: a service whose component makes a setting itself gets no second one.
    """
    if parts.gateway == "managed" and parts.tier != "Consumption":
        sockets = ("WebSocketConnectionLogs",) if parts.websockets else ()
        yield "service", Diagnostics("service", ("GatewayLogs", *sockets), metrics=True)
    if parts.front == "application_gateway":
        logs = ("ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog")
        yield "application_gateway", Diagnostics("application_gateway", logs, metrics=True)
    if parts.front == "front_door":
        logs = ("FrontDoorAccessLog", "FrontDoorHealthProbeLog", "FrontDoorWebApplicationFirewallLog")
        yield "front_door", Diagnostics("front_door", logs, metrics=True)
    for part in parts.balancers:
        yield f"balancer-{part}", Diagnostics(f"balancer:{part}", ("LoadBalancerHealthEvent",), metrics=True)


# -- what is not quite as the spec says --------------------------------------------------------------------------------

_LATE = (
    "a share of five minutes of the log of requests, which arrives some minutes late; below 100 requests it is silent"
)
_INSIGHTS = "counted in Application Insights, which a self-hosted gateway does not promise to reach with every request"
_COUNT = (
    "a count in place of a share, since there is no log of requests: it sounds at the number that the share is of 100"
    " requests in five minutes, so early on a busy edge"
)
_MEAN = "a mean in place of a percentile, since there is no log of requests"
_BEHIND = {
    "Monitor.latency": "measured at API Management, without Front Door's own time and the way there",
    "Monitor.throttled": "measured at API Management, without what Front Door's own rules refuse",
}
_EACH = "Azure counts no instances, but says which share of probes is answered: every one that fails sounds by itself"
_SAME: Mapping[str, tuple[Level, str]] = {
    "Monitor.unhealthy_targets": ("native", "probes of the Load Balancer, for each instance"),
    "Monitor.(unhealthy_targets above 1)": ("approximated", _EACH),
    "Monitor.notify": ("native", "an email address, an https webhook, or an existing action group"),
    "Monitor.dashboard": ("native", "a workbook"),
}
_FROM_LOG: Mapping[str, tuple[Level, str]] = {
    "Monitor.error_rate": ("native", _LATE),
    "Monitor.latency": ("native", "a percentile of the log of requests, without those that become WebSockets"),
    "Monitor.throttled": ("native", _LATE),
}

CAPABILITIES: Mapping[str, Mapping[str, tuple[Level, str]]] = {
    "gateway-first": {**_FROM_LOG, **_SAME},
    "balancer-first": {
        **dict.fromkeys(_FROM_LOG, ("approximated", _INSIGHTS)),
        **_SAME,
        "Monitor.(unhealthy_targets above 1)": (
            "approximated",
            f"exact for the gateways, whose number is known; {_EACH}",
        ),
    },
    "appgw-waf": {
        **_FROM_LOG,
        "Monitor.latency": ("native", "a percentile of the Application Gateway's log, to the last byte sent"),
        **_SAME,
    },
    "front-door": {
        "Monitor.error_rate": ("native", "Front Door's own metric"),
        **{name: ("approximated", text) for name, text in _BEHIND.items()},
        **_SAME,
    },
}
"""By topology and field: level and text for the table of capabilities."""

RETENTION = (
    "approximated",
    f"a workspace keeps its logs {LEAST_DAYS} to {MOST_DAYS} days: the nearest; an existing one keeps them as it does",
)
"""Of ``AccessLog.retention``, for all topologies."""


def _approximated(monitor: Monitor, parts: Parts) -> Iterator[tuple[str, str]]:
    """What this edge's monitoring does otherwise than the spec says, by field."""
    log = behind(parts)
    asked = {
        "Monitor.error_rate": monitor.error_rate,
        "Monitor.latency": monitor.latency_above,
        "Monitor.throttled": monitor.throttled,
    }
    exact = {"Monitor.error_rate"} if parts.front == "front_door" else set[str]()
    if parts.front == "application_gateway" or parts.gateway is None:
        exact = set(asked)
    for name, bound in asked.items():
        if bound is None or name in exact:
            continue
        texts = [_BEHIND[name]] if parts.front == "front_door" else []
        if log is None:
            texts.append(_MEAN if name == "Monitor.latency" else _COUNT)
        elif log is INSIGHTS_LOG:
            texts.append(_INSIGHTS)
        if texts:
            yield name, "; ".join(texts)
    count = monitor.unhealthy_targets
    if count is not None and count > 1 and (parts.front is not None or None in parts.balancers.values()):
        yield "Monitor.unhealthy_targets", f"not {count} instances: {_EACH}"
