"""Rules over Application Gateway: its firewall, TLS, listeners, backends and sizes."""

from collections.abc import Iterator

from edgewright.policies.azure.monitoring import BLIND_TO_SETTINGS, ELSEWHERE, sends_logs
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, StackRule
from edgewright.policies.view import View, Violation

GATEWAY = "azure-native:network:ApplicationGateway"

ACCESS_LOG, FIREWALL_LOG = "ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"
"""https://learn.microsoft.com/azure/application-gateway/application-gateway-diagnostics"""


def has_firewall(gateway: View) -> bool:
    """Whether its tier is one with a firewall."""
    tier = gateway.text("sku.tier")
    return isinstance(tier, str) and tier.startswith("WAF")


def logs_requests(stack: Graph) -> Iterator[Violation]:
    """A gateway sends the log of its requests somewhere, and that of its firewall if it has one."""
    for gateway in stack.of(GATEWAY):
        yield from sends_logs(stack, gateway, (ACCESS_LOG, FIREWALL_LOG) if has_firewall(gateway) else (ACCESS_LOG,))


RULES: tuple[AnyRule, ...] = (
    StackRule(
        name="agw-diagnostic-settings",
        controls=("agw-diagnostic-settings",),
        title="A gateway sends the logs of its requests and of its firewall somewhere",
        severity="medium",
        types=(GATEWAY,),
        check=logs_requests,
        remedy=f"An azure-native:monitor:DiagnosticSetting with resourceUri: the gateway's id, workspaceId, and logs: [{{category: {ACCESS_LOG}, enabled: true}}, {{category: {FIREWALL_LOG}, enabled: true}}].",  # noqa: E501
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
)
