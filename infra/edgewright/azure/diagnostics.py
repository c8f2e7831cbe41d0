"""What a resource sends to a Log Analytics workspace."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from edgewright.clouds.part import place


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
