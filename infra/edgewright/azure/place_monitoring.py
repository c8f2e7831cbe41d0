"""Places where logs go, and what watches an edge: alarms, who is told, a workbook."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgewright.azure.compile_monitoring import workspace_days
from edgewright.azure.placement import Site

if TYPE_CHECKING:
    from edgewright.azure.edge_monitoring import EdgeMonitoring
    from edgewright.azure.load_balancer import LoadBalancer

# The SDK's modules of Azure Monitor are imported where they are used.

_OWN = ("service", "application_gateway", "front_door", "balancer-services", "balancer-public")
"""What sends its logs to the workspace by itself, as part of its own component."""


def place_logs(site: Site) -> "EdgeMonitoring | None":
    """Where logs go: a workspace, unless the stack has one, and for self-hosted gateways an Application Insights."""
    self_hosted = site.artifact.gateways != "managed"
    workspace = site.bindings.data.workspace
    artifact = site.artifact
    asked = artifact.tier != "Consumption" if artifact.web else artifact.monitoring is not None
    # Networks, balancers and their addresses log too, whatever stands behind them.
    silent = not asked and not artifact.subnets and artifact.services is None and artifact.public is None
    if (workspace is not None and not self_hosted) or silent:
        return None
    from edgewright.azure.edge_monitoring import EdgeMonitoring

    args = site.arguments("logs", location=site.bound("location"))
    if workspace is not None:
        args["workspace_id"] = workspace
    else:
        args["retention_days"] = workspace_days(site.artifact.access_log_days)
    if self_hosted:
        # The service's identity is not where the gateways are: they write with the key.
        args["application_insights"] = {"local_authentication": True}
    return EdgeMonitoring(f"{site.name}-logs", args, site.options())


def workspace_of(site: Site, logs: "EdgeMonitoring | None") -> Any:
    """The workspace's id; None where there is none."""
    return logs.workspace_id if logs is not None else site.bindings.data.workspace


def insights_of(logs: "EdgeMonitoring | None") -> dict[str, Any]:
    """Application Insights as an argument of `ApiManagement`; empty where there is none."""
    made = logs.application_insights if logs is not None else None
    if made is None:
        return {}
    return {"application_insights": {"id": made.id, "instrumentation_key": made.instrumentation_key}}


def balancer_marks(services: "LoadBalancer | None", public: "LoadBalancer | None") -> dict[str, Any]:
    """The ids of balancers by their marks."""
    found = {"balancer:services": services, "balancer:public": public}
    return {name: balancer.id for name, balancer in found.items() if balancer is not None}


def place_monitoring(site: Site, logs: "EdgeMonitoring | None", marks: Mapping[str, Any]) -> "EdgeMonitoring | None":
    """What watches the edge, where its spec asks for it. marks: ids of what is watched."""
    plan = site.artifact.monitoring
    if plan is None:
        return None
    from edgewright.azure.edge_monitoring import EdgeMonitoring, from_compiled

    workspace = workspace_of(site, logs)
    insights = logs.application_insights_id if logs is not None else None
    known = {**marks, "workspace": workspace, **({"insights": insights} if insights is not None else {})}
    found: dict[str, Any] = {**from_compiled(plan, known, site.bindings.data.notify)}
    found["diagnostics"] = {name: item for name, item in found["diagnostics"].items() if name not in _OWN}
    args = site.arguments("monitoring", location=site.bound("location"), workspace_id=workspace, **found)
    if insights is not None:
        args["application_insights_id"] = insights
    return EdgeMonitoring(f"{site.name}-monitoring", args, site.options())
