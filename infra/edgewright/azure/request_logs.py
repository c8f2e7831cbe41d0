"""The requests of an edge in the logs of Azure Monitor: which table has them, and how a query asks for them.

Sources, read 2026-11: "Azure Monitor Logs reference" of the tables, "Observability in Azure API Management" and "Create
or edit a log search alert rule" (Microsoft). Ids of resources stand as marks ``{{name}}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SERVICE = "Microsoft.ApiManagement/service"
BALANCER = "Microsoft.Network/loadBalancers"
APPLICATION_GATEWAY = "Microsoft.Network/applicationGateways"
FRONT_DOOR = "Microsoft.Cdn/profiles"
"""Namespaces of metrics: the types of what has them."""

ENOUGH = 100
"""Requests in a window below which a share or a percentile of them says nothing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands in a topology and can be watched. The ids of what is watched are the marks.

    gateway: who answers requests, ``managed`` or ``self_hosted``; None where there are streams only. tier: of API
    Management. apis and websockets: ids of APIs. front: what stands before the gateway. balancers: by part
    (mark ``{{balancer:PART}}``), with the number of instances where it is known. insights: whether the gateway's
    requests go to Application Insights (mark ``{{insights}}``).
    """

    gateway: Literal["managed", "self_hosted"] | None
    tier: str = ""
    apis: tuple[str, ...] = ()
    websockets: tuple[str, ...] = ()
    front: Literal["application_gateway", "front_door"] | None = None
    balancers: Mapping[str, int | None] = field(default_factory=dict[str, "int | None"])
    insights: bool = False


def literal(name: str) -> str:
    """A name as a text of the query language, whatever is in it.

    Refused with ValueError: control characters, which a text cannot hold, and braces: workbooks read them as
    parameters, and we as marks, inside of texts too.
    """
    return '"' + checked(name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def checked(name: str) -> str:
    """The name, if it can stand in a query or a workbook; ValueError as in `literal`."""
    if not name or any(sign in "{}" or not sign.isprintable() for sign in name):
        raise ValueError(f"{name!r} cannot stand in a query: control characters and braces are read as something else")
    return name


@dataclass(frozen=True, slots=True)
class Log:
    """A table of requests. resource: mark of who wrote it; status, milliseconds, weight: where it holds these."""

    table: str
    resource: str
    status: str
    milliseconds: str
    weight: str = "1"


GATEWAY_LOG = Log("ApiManagementGatewayLogs", "service", "ResponseCode", "TotalTime")
# Application Insights may hold one row for several requests: ItemCount.
INSIGHTS_LOG = Log("AppRequests", "insights", "toint(ResultCode)", "DurationMs", "ItemCount")
ACCESS_LOG = Log("AGWAccessLogs", "application_gateway", "HttpStatus", "1000.0 * TimeTaken")


def behind(parts: Parts) -> Log | None:
    """The gateway's own log of requests; None where it has none.

    Self-hosted gateways send no logs to Azure Monitor (footnote 3 of "Observability in Azure API Management"), and the
    tier Consumption has none: what they hold is in Application Insights, or nowhere.
    """
    if parts.gateway == "managed" and parts.tier != "Consumption":
        return GATEWAY_LOG
    return INSIGHTS_LOG if parts.gateway is not None and parts.insights else None


def seen(parts: Parts) -> Log | None:
    """The log of what clients see."""
    return ACCESS_LOG if parts.front == "application_gateway" else behind(parts)


def rows(log: Log, parts: Parts, *, sockets: bool = True) -> str:
    """The requests of this edge. sockets: with those that become WebSockets, whose time is not that of an answer."""
    lines = [log.table, f'| where _ResourceId =~ "{{{{{log.resource}}}}}"']
    apis = (*parts.apis, *(parts.websockets if sockets else ()))
    if log is GATEWAY_LOG and apis:
        # A service may have other APIs.
        lines.append(f"| where ApiId in~ ({', '.join(literal(api) for api in apis)})")
    lines.append(f"| extend Status = {log.status}, Milliseconds = {log.milliseconds}, Weight = {log.weight}")
    return "\n".join(lines)


def percentile(log: Log, of: float) -> str:
    """The expression of a percentile of `rows`."""
    if log.weight == "1":
        return f"percentile(Milliseconds, {of:g})"
    return f"percentilew(Milliseconds, Weight, {of:g})"


def capacity_metrics(tier: str) -> tuple[str, ...]:
    """Of a tier: classic tiers have ``Capacity``, v2 tiers the processor and the memory of the gateway, Consumption
    none (page "Capacity of an Azure API Management instance")."""
    if tier == "Consumption":
        return ()
    return ("CpuPercent_Gateway", "MemoryPercent_Gateway") if tier.endswith("V2") else ("Capacity",)
