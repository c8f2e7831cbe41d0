"""Alarms, the metrics that they need, and a dashboard, from a spec's ``monitor``; in CloudWatch's words.

Sources of the metrics' names: "CloudWatch metrics for your Application Load Balancer", "CloudWatch metrics for your
Network Load Balancer", "Amazon API Gateway dimensions and metrics", "AWS WAF metrics and dimensions"; read 2026-11.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgewright.aws.artifact import (
    Alarm,
    Balancer,
    Http,
    Json,
    LogMetric,
    Monitoring,
    NetworkBalancer,
    Rest,
    WafPlan,
    WebSocket,
)
from edgewright.edge.model import Edge, Monitor

PERIOD = 60
"""Seconds that one value of a metric is of."""

PERIODS, BAD = 5, 3
"""An alarm looks at so many values, and sounds when so many of them are over its bound."""

ENOUGH = 20
"""Requests in a period below which a share of them says nothing."""

MOST_QUERIES = 10
"""Of an alarm ("CloudWatch quotas")."""

_ALB, _NLB, _API, _WAF = "AWS/ApplicationELB", "AWS/NetworkELB", "AWS/ApiGateway", "AWS/WAFV2"


@dataclass(frozen=True, slots=True)
class Parts:
    """What an edge has that can be watched."""

    edge: Balancer | None
    services: Balancer | None
    rest: Rest | None
    http: Http | None
    websockets: Sequence[WebSocket]
    streams: NetworkBalancer | None
    waf: WafPlan | None


@dataclass(frozen=True, slots=True)
class _Front:
    """Where clients arrive. errors: metrics that add up; latency: its metric, and what a second is in its unit."""

    namespace: str
    dimensions: Mapping[str, str]
    requests: str
    errors: tuple[str, ...]
    latency: str
    second: int


def compile_monitoring(edge: Edge, parts: Parts) -> Monitoring | None:
    """What watches an edge; None where the spec does not ask."""
    monitor = edge.monitor
    if monitor is None:
        return None
    front = _front(parts)
    logs = dict(_log_metrics(edge, parts)) if monitor.throttled is not None else {}
    alarms: dict[str, Alarm] = {}
    if front is not None:
        alarms |= dict(_front_alarms(monitor, front, edge, parts))
    alarms |= dict(_websocket_alarms(monitor, parts))
    alarms |= dict(_target_alarms(monitor, parts))
    return Monitoring(alarms, logs, monitor.notify, _dashboard(parts, front) if monitor.dashboard else None)


def _front(parts: Parts) -> _Front | None:
    if parts.edge is not None:
        errors = ("HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count")
        where = {"LoadBalancer": "{{suffix:edge}}"}
        return _Front(_ALB, where, "RequestCount", errors, "TargetResponseTime", 1)
    if parts.rest is not None:
        where = {"ApiName": "{{api_name}}", "Stage": "{{api_stage}}"}
        return _Front(_API, where, "Count", ("5XXError",), "Latency", 1000)
    if parts.http is not None:
        where = {"ApiId": "{{api_id}}", "Stage": "{{api_stage}}"}
        return _Front(_API, where, "Count", ("5xx",), "Latency", 1000)
    return None


def _query(name: str, namespace: str, metric: str, dimensions: Mapping[str, str], stat: str = "Sum") -> Json:
    found: Json = {"namespace": namespace, "metric_name": metric, "period": PERIOD, "stat": stat}
    return {"id": name, "metric": {**found, "dimensions": dict(dimensions)}, "return_data": False}


def _share(counted: Sequence[Json], of: Json, label: str, apart: Sequence[Json] = ()) -> tuple[Json, ...]:
    """Percent that some metrics together are of another; nothing while there are too few to say.

    apart: those of the counted that the other does not hold yet.
    """
    total = _sum(counted)
    whole = _sum((of, *apart))
    expression = f"IF({whole} >= {ENOUGH}, 100 * ({total}) / ({whole}), 0)"
    return (*counted, of, {"id": "share", "expression": expression, "label": label, "return_data": True})


def _sum(queries: Sequence[Json]) -> str:
    return " + ".join(f"FILL({item['id']}, 0)" for item in queries)


def _front_alarms(monitor: Monitor, front: _Front, edge: Edge, parts: Parts) -> Iterator[tuple[str, Alarm]]:
    requests = _query("requests", front.namespace, front.requests, front.dimensions)
    if monitor.error_rate is not None:
        errors = [
            _query(f"errors{number}", front.namespace, name, front.dimensions)
            for number, name in enumerate(front.errors)
        ]
        words = f"More than {monitor.error_rate:g} % of requests fail with 5xx: look at the logs of the services."
        yield "errors", Alarm(words, _share(errors, requests, "5xx, percent"), monitor.error_rate)
    if monitor.latency_above is not None:
        percentile = monitor.latency_percentile or 99
        query = _query("latency", front.namespace, front.latency, front.dimensions, f"p{percentile:g}")
        words = f"One request in {100 / max(0.01, 100 - percentile):.0f} takes longer than {monitor.latency_above} ms."
        bound = monitor.latency_above * front.second / 1000
        yield "latency", Alarm(words, ({**query, "return_data": True},), bound)
    if monitor.throttled is not None:
        by_api = tuple(_throttled_by_api(edge, parts))
        by_waf = tuple(_throttled_by_waf(parts))[: MOST_QUERIES - 2 - len(by_api)]
        # A balancer counts requests that it sends on: those that its web ACL refuses are not among them.
        apart = by_waf if front.namespace == _ALB else ()
        if by_waf or by_api:
            words = (
                f"More than {monitor.throttled:g} % of requests are answered with 429: a client or a limit is wrong."
            )
            yield (
                "throttled",
                Alarm(words, _share((*by_waf, *by_api), requests, "429, percent", apart), monitor.throttled),
            )


def _rate_rules(parts: Parts) -> list[str]:
    rules = parts.waf.rules if parts.waf is not None else ()
    return [rule["visibility_config"]["metric_name"] for rule in rules if "rate_based_statement" in rule["statement"]]


def _throttled_by_waf(parts: Parts) -> Iterator[Json]:
    """A query for each rate rule; those that an alarm has no room for are on the dashboard."""
    for number, rule in enumerate(_rate_rules(parts)):
        where = {"WebACL": "{{web_acl}}", "Region": "{{region}}", "Rule": rule}
        yield _query(f"blocked{number}", _WAF, "BlockedRequests", where)


def _throttled_by_api(edge: Edge, parts: Parts) -> Iterator[Json]:
    for name, item in _log_metrics(edge, parts):
        yield _query(name, item.namespace, item.metric, {})


def _log_metrics(edge: Edge, parts: Parts) -> Iterator[tuple[str, LogMetric]]:
    """API Gateway has no metric of 429 alone, but writes each into its access log, as a text."""
    if parts.rest is not None or parts.http is not None:
        yield "throttled", LogMetric("{{api_log}}", '{ $.status = "429" }', f"edgewright/{edge.name}", "Throttled")


def _websocket_alarms(monitor: Monitor, parts: Parts) -> Iterator[tuple[str, Alarm]]:
    if monitor.error_rate is None:
        return
    for item in parts.websockets:
        where = {"ApiId": f"{{{{websocket:{item.stage}}}}}", "Stage": item.stage}
        errors = [
            _query(f"errors{n}", _API, name, where) for n, name in enumerate(("IntegrationError", "ExecutionError"))
        ]
        messages = _query("messages", _API, "MessageCount", where)
        words = f"More than {monitor.error_rate:g} % of the messages of {item.route} fail."
        yield f"errors-{item.stage}", Alarm(words, _share(errors, messages, "failed, percent"), monitor.error_rate)


def _target_alarms(monitor: Monitor, parts: Parts) -> Iterator[tuple[str, Alarm]]:
    if monitor.unhealthy_targets is None:
        return
    for part, group, backend, namespace in _groups(parts):
        where = {"LoadBalancer": f"{{{{suffix:{part}}}}}", "TargetGroup": f"{{{{suffix:{part}:{group}}}}}"}
        query = _query("unhealthy", namespace, "UnHealthyHostCount", where, "Maximum")
        words = f"{monitor.unhealthy_targets} or more instances of {backend} do not answer their health check."
        bound = float(monitor.unhealthy_targets)
        yield (
            f"unhealthy-{part}-{group}",
            Alarm(words, ({**query, "return_data": True},), bound, "GreaterThanOrEqualToThreshold"),
        )


def _groups(parts: Parts) -> Iterator[tuple[str, str, str, str]]:
    """Part, target group, backend and namespace of all groups that hold services, but for functions."""
    for part, item, namespace in (
        ("edge", parts.edge, _ALB),
        ("services", parts.services, _ALB),
        ("streams", parts.streams, _NLB),
    ):
        for group, backend in item.targets.items() if item is not None else ():
            if item is not None and item.target_groups[group].get("target_type") != "lambda":
                yield part, group, backend, namespace


# -- the dashboard -----------------------------------------------------------------------------------------------------


def _dashboard(parts: Parts, front: _Front | None) -> Json:
    """A page: what clients see, then what of it is refused, then the services."""
    panels: list[tuple[str, list[Json]]] = []
    if front is not None:
        where = front.dimensions
        panels += [
            ("Requests and 5xx", [_series(front.namespace, name, where) for name in (front.requests, *front.errors)]),
            ("Latency", [_series(front.namespace, front.latency, where, stat) for stat in ("p50", "p90", "p99")]),
        ]
        refused = [
            _series(_WAF, "BlockedRequests", {"WebACL": "{{web_acl}}", "Region": "{{region}}", "Rule": rule})
            for rule in _rate_rules(parts)
        ]
        if refused:
            panels.append(("Throttled by the web ACL", refused))
    for item in parts.websockets:
        where = {"ApiId": f"{{{{websocket:{item.stage}}}}}", "Stage": item.stage}
        names = ("ConnectCount", "MessageCount", "IntegrationError", "ExecutionError")
        panels.append((item.route, [_series(_API, name, where) for name in names]))
    for part, group, backend, namespace in _groups(parts):
        where = {"LoadBalancer": f"{{{{suffix:{part}}}}}", "TargetGroup": f"{{{{suffix:{part}:{group}}}}}"}
        series = [_series(namespace, name, where, "Maximum") for name in ("HealthyHostCount", "UnHealthyHostCount")]
        panels.append((f"Instances of {backend} ({part})", series))
    return {"widgets": [_widget(number, title, series) for number, (title, series) in enumerate(panels[:MOST_WIDGETS])]}


MOST_WIDGETS = 500
"""Of a dashboard ("CloudWatch quotas")."""


def _series(namespace: str, metric: str, dimensions: Mapping[str, str], stat: str = "Sum") -> Json:
    return {"namespace": namespace, "metric": metric, "dimensions": dict(dimensions), "stat": stat}


def _widget(number: int, title: str, series: Sequence[Json]) -> Json:
    metrics = [
        [
            item["namespace"],
            item["metric"],
            *(word for pair in item["dimensions"].items() for word in pair),
            {"stat": item["stat"]},
        ]
        for item in series
    ]
    return {
        "type": "metric",
        "x": 12 * (number % 2),
        "y": 6 * (number // 2),
        "width": 12,
        "height": 6,
        "properties": {
            "title": title,
            "metrics": metrics,
            "region": "{{region}}",
            "period": PERIOD,
            "view": "timeSeries",
        },
    }


def dashboard_text(body: Json) -> str:
    """The body of a dashboard as it is sent, marks and all."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
