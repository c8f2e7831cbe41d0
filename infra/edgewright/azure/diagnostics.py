"""What a resource sends to a Log Analytics workspace."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from edgewright.clouds.part import place

# Microsoft's "Supported log categories" of Microsoft.Network/loadBalancers, publicIPAddresses, networkSecurityGroups.
BALANCER_LOGS = ("LoadBalancerHealthEvent",)
ADDRESS_LOGS = ("DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports")
GROUP_LOGS = ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter")


def place_diagnostics(
    parent: pulumi.Resource,
    name: str,
    resource_id: pulumi.Input[str],
    workspace_id: pulumi.Input[str],
    logs: Sequence[str],
    *,
    metrics: bool,
    dedicated: bool = True,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    key: str = "diagnostics",
) -> Any:
    """A diagnostic setting. logs: categories; dedicated: in tables of their own, which queries ask."""
    from pulumi_azure_native import monitor

    props = {
        "resource_uri": resource_id,
        "workspace_id": workspace_id,
        "log_analytics_destination_type": "Dedicated" if dedicated else None,
        "logs": [{"category": category, "enabled": True} for category in logs],
        "metrics": [{"category": "AllMetrics", "enabled": True}] if metrics else None,
    }
    return place(monitor.DiagnosticSetting, name, props, parent=parent, overrides=overrides, key=key)


def place_address_diagnostics(
    parent: pulumi.Resource,
    name: str,
    address_id: pulumi.Input[str],
    workspace_id: pulumi.Input[str],
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    key: str,
) -> Any:
    """A diagnostic setting of a public address: attacks on it, and metrics. There are no tables of their own."""
    return place_diagnostics(
        parent,
        name,
        address_id,
        workspace_id,
        ADDRESS_LOGS,
        metrics=True,
        dedicated=False,
        overrides=overrides,
        key=key,
    )
