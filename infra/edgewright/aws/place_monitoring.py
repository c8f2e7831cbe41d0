"""Places what watches an edge: alarms, metrics from logs, and a dashboard, with the names that only AWS gives."""

from typing import TYPE_CHECKING, Any

import pulumi

from edgewright.aws import placement
from edgewright.aws.placement import Site
from edgewright.clouds.part import filled

if TYPE_CHECKING:
    from edgewright.aws.edge_monitoring import EdgeMonitoring


def place_monitoring(site: Site, **parts: Any) -> "EdgeMonitoring | None":
    """What watches the parts of a topology, by their names: edge, services, streams, api, waf, websockets.

    None where the spec does not ask for it; the modules that only this needs are imported only then.
    """
    plan = site.artifact.monitoring
    if plan is None:
        return None
    from edgewright.aws.compile_monitoring import BAD, PERIODS, dashboard_text
    from edgewright.aws.edge_monitoring import EdgeMonitoring

    marks = {**site.marks, "region": site.bindings.region}
    for name in ("edge", "services", "streams"):
        if parts.get(name) is not None:
            marks |= _balancer_marks(name, parts[name])
    if parts.get("api") is not None:
        api = parts["api"]
        marks |= {"api_id": api.id, "api_stage": api.stage_name, "api_name": api.api.name}
        marks |= {"api_log": api.log_group.name} if api.log_group is not None else {}
    if parts.get("waf") is not None:
        marks["web_acl"] = parts["waf"].web_acl.name
    if parts.get("websockets") is not None:
        marks |= {f"websocket:{stage}": api.id for stage, api in parts["websockets"].apis.items()}
    args = site.arguments(
        "monitoring",
        alarms={
            name: {
                "description": item.description,
                "queries": placement.bound(item.queries, marks),
                "threshold": item.threshold,
                "comparison": item.comparison,
                "periods": PERIODS,
                "bad_periods": BAD,
            }
            for name, item in plan.alarms.items()
        },
        log_metrics={
            name: {
                "log_group": placement.bound(item.log, marks),
                "pattern": item.pattern,
                "namespace": item.namespace,
                "metric": item.metric,
            }
            for name, item in plan.log_metrics.items()
        },
        notify=[site.bindings.topic(name) for name in plan.notify],
    )
    if plan.dashboard is not None:
        args["dashboard_body"] = filled(dashboard_text(plan.dashboard), marks)
    return EdgeMonitoring(f"{site.name}-monitoring", args, site.options())


def _balancer_marks(name: str, balancer: Any) -> dict[str, Any]:
    """The last parts of ARNs, by which metrics know balancers and target groups."""
    found: dict[str, Any] = {f"suffix:{name}": pulumi.Output.from_input(balancer.arn).apply(_balancer_suffix)}
    for group, arn in balancer.target_group_arns.items():
        found[f"suffix:{name}:{group}"] = pulumi.Output.from_input(arn).apply(_group_suffix)
    return found


def _balancer_suffix(arn: str) -> str:
    return arn.partition(":loadbalancer/")[2] or arn


def _group_suffix(arn: str) -> str:
    return arn.rpartition(":")[2]
