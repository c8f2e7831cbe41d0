"""A workbook of Azure Monitor for an edge: JSON by Microsoft's schema ``Notebook/1.0``, the same for the same edge.

Source: repository microsoft/Application-Insights-Workbooks, ``schema/workbook.json``, read 2026-11. Ids of resources
stand as marks ``{{name}}``; a workbook's own parameters stand in single braces.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from edgewright.azure.request_logs import (
    APPLICATION_GATEWAY,
    BALANCER,
    FRONT_DOOR,
    GATEWAY_LOG,
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
from edgewright.edge.model import Monitor

Json = dict[str, Any]


def compile_workbook(name: str, monitor: Monitor, parts: Parts) -> Json:
    """A page by the workbook schema ``Notebook/1.0``: what clients see, what of it is refused, backends, balancers."""
    items = [
        _item("title", 1, {"json": f"# {checked(name)}\nWritten by edgewright from the spec: changes here are lost."}),
        _item("parameters", 9, _time_range()),
        *_request_panels(monitor, parts),
        *_metric_panels(parts),
    ]
    return {
        "version": "Notebook/1.0",
        "items": items,
        "fallbackResourceIds": ["{{workspace}}"],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def workbook_text(body: Json) -> str:
    """A workbook as it is sent, marks and all."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _item(name: str, kind: int, content: Json, width: str = "100") -> Json:
    return {"type": kind, "content": content, "customWidth": width, "name": name}


def _time_range() -> Json:
    hours = (1, 4, 24, 72, 168, 720)
    return {
        "version": "KqlParameterItem/1.0",
        "style": "pills",
        "queryType": 0,
        "resourceType": "microsoft.operationalinsights/workspaces",
        "parameters": [
            {
                # Workbooks want an id; a fixed one, since a random one would be a change in every plan.
                "id": "5c1d3c4e-7a52-4f0b-9d7e-0a6b2f1c8e01",
                "version": "KqlParameterItem/1.0",
                "name": "TimeRange",
                "label": "Time",
                "type": 4,
                "isRequired": True,
                "value": {"durationMs": 4 * 3_600_000},
                "typeSettings": {"selectableValues": [{"durationMs": hour * 3_600_000} for hour in hours]},
            }
        ],
    }


def _request_panels(monitor: Monitor, parts: Parts) -> Iterator[Json]:
    log = seen(parts)
    if log is None:
        return
    asked = rows(log, parts)
    time = "bin(TimeGenerated, {TimeRange:grain})"
    yield _chart(
        "requests-by-status",
        "Requests by status",
        f'{asked}\n| summarize Requests = sum(Weight) by Class = strcat(Status / 100, "xx"), {time}',
    )
    yield _chart(
        "shares",
        "5xx and 429, percent",
        f"{asked}\n| summarize Requests = sum(Weight), Failed = sumif(Weight, Status >= 500),"
        f" Throttled = sumif(Weight, Status == 429) by {time}\n"
        "| project TimeGenerated, Failed = 100.0 * Failed / Requests, Throttled = 100.0 * Throttled / Requests",
    )
    wanted = sorted({50.0, 95.0, 99.0, monitor.latency_percentile or 99.0})
    found = ", ".join(f"P{f'{one:g}'.replace('.', '_')} = {percentile(log, one)}" for one in wanted)
    yield _chart(
        "latency", "Latency, milliseconds", f"{rows(log, parts, sockets=False)}\n| summarize {found} by {time}"
    )
    own = behind(parts)
    if own is not None:
        yield from _gateway_panels(own, parts)


def _gateway_panels(log: Log, parts: Parts) -> Iterator[Json]:
    asked = rows(log, parts)
    time = "bin(TimeGenerated, {TimeRange:grain})"
    managed = log is GATEWAY_LOG
    # As API Management writes it into its telemetry (seen in public code, unverified).
    cache = "Cache" if managed else 'tostring(Properties["Cache"])'
    yield _chart("cache", "Cache", f"{asked}\n| summarize Requests = sum(Weight) by Answer = {cache}, {time}")
    # OperationName is Azure's name for the kind of entry, and Url holds what clients put into queries.
    by = "ApiId, OperationId, Method" if managed else 'Name, Api = tostring(Properties["API Name"])'
    yield _table(
        "throttled",
        "Throttled",
        f"{asked}\n| where Status == 429\n| summarize Requests = sum(Weight) by {by}\n| top 20 by Requests desc",
    )
    yield _table(
        "routes",
        "Routes",
        f"{asked}\n| summarize Requests = sum(Weight), Failed = sumif(Weight, Status >= 500),"
        f" P95 = {percentile(log, 95)} by {by}\n| top 50 by Requests desc",
    )
    if managed:
        yield _table(
            "reasons",
            "Why requests fail",
            f"{asked}\n| where isnotempty(LastErrorReason)\n"
            "| summarize Requests = sum(Weight) by LastErrorSource, LastErrorReason, Status\n| top 20 by Requests desc",
        )
        backends = (
            f"{asked}\n| where isnotempty(BackendId)\n| summarize Requests = sum(Weight),"
            " Failed = sumif(Weight, BackendResponseCode >= 500), P50 = percentile(BackendTime, 50),"
            " P99 = percentile(BackendTime, 99) by BackendId\n| order by Requests desc"
        )
    else:
        backends = (
            'AppDependencies\n| where _ResourceId =~ "{{insights}}"\n| summarize Requests = sum(ItemCount),'
            " Failed = sumif(ItemCount, Success == false), P50 = percentilew(DurationMs, ItemCount, 50),"
            " P99 = percentilew(DurationMs, ItemCount, 99) by Target\n| order by Requests desc"
        )
    yield _table("backends", "Backends", backends)


def _chart(name: str, title: str, query: str) -> Json:
    return _item(name, 3, _query(title, query, "timechart"), "50")


def _table(name: str, title: str, query: str) -> Json:
    return _item(name, 3, _query(title, query, "table"), "50")


def _query(title: str, query: str, visualization: str) -> Json:
    return {
        "version": "KqlItem/1.0",
        "query": query,
        "size": 0,
        "title": title,
        "timeContextFromParameter": "TimeRange",
        "queryType": 0,
        "resourceType": "microsoft.operationalinsights/workspaces",
        "crossComponentResources": ["{{workspace}}"],
        "visualization": visualization,
    }


_AGGREGATIONS = {"Total": 1, "Minimum": 2, "Maximum": 3, "Average": 4, "Count": 7}


def _metric_panels(parts: Parts) -> Iterator[Json]:
    if parts.front == "front_door":
        series = [("Percentage4XX", "Average", ""), ("Percentage5XX", "Average", ""), ("TotalLatency", "Average", "")]
        yield _metrics("front-door", "Front Door", "front_door", FRONT_DOOR, series)
        health = [("OriginHealthPercentage", "Average", "Origin")]
        yield _metrics("front-door-origins", "Front Door: health", "front_door", FRONT_DOOR, health)
    if parts.front == "application_gateway":
        series = [("ResponseStatus", "Total", "HttpStatusGroup"), ("FailedRequests", "Total", "")]
        yield _metrics("gateway-front", "Application Gateway", "application_gateway", APPLICATION_GATEWAY, series)
        health = [("HealthyHostCount", "Average", ""), ("UnhealthyHostCount", "Average", "")]
        yield _metrics(
            "gateway-hosts", "Application Gateway: hosts", "application_gateway", APPLICATION_GATEWAY, health
        )
    if parts.gateway is not None and seen(parts) is None:
        series = [("Requests", "Total", "GatewayResponseCodeCategory"), ("Duration", "Average", "")]
        yield _metrics("requests", "Requests and their duration", "service", SERVICE, series)
    if parts.gateway == "managed" and (metrics := capacity_metrics(parts.tier)):
        series = [(metric, "Average", "") for metric in metrics]
        yield _metrics("capacity", "Capacity of API Management, percent", "service", SERVICE, series)
    for part in parts.balancers:
        series = [("VipAvailability", "Average", ""), ("DipAvailability", "Average", "BackendIPAddress")]
        yield _metrics(f"balancer-{part}", f"Load Balancer ({part}), percent", f"balancer:{part}", BALANCER, series)


def _metrics(name: str, title: str, mark: str, kind: str, series: Sequence[tuple[str, str, str]]) -> Json:
    space = kind.lower()
    metrics = [
        {
            "namespace": space,
            # Between the hyphens stands a category, which may be left out.
            "metric": f"{space}--{metric}",
            "aggregation": _AGGREGATIONS[aggregation],
            **({"splitBy": split} if split else {}),
        }
        for metric, aggregation, split in series
    ]
    content: Json = {
        "version": "MetricsItem/2.0",
        "chartId": f"chart-{name}",
        "size": 0,
        "chartType": 2,
        "title": title,
        "resourceType": space,
        "metricScope": 0,
        "resourceIds": [f"{{{{{mark}}}}}"],
        "timeContextFromParameter": "TimeRange",
        "metrics": metrics,
    }
    return _item(name, 10, content, "50")
