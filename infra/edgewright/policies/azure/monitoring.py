"""Rules over what is sent to logs, and what every resource carries: diagnostic settings, alerts, tags."""

from collections.abc import Collection, Iterator

from edgewright.policies.azure.identities import referring
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, Setting, StackRule
from edgewright.policies.tags import tagged
from edgewright.policies.view import View, Violation

DIAGNOSTICS = ("azure-native:monitor:DiagnosticSetting", "azure-native:insights:DiagnosticSetting")
"""The second is the type's name in azure-native before 3."""
ACTIVITY_ALERT = ("azure-native:monitor:ActivityLogAlert", "azure-native:insights:ActivityLogAlert")

NETWORK_GROUP = "azure-native:network:NetworkSecurityGroup"
PUBLIC_ADDRESS = "azure-native:network:PublicIPAddress"
TAGGED = (
    "azure-native:apimanagement:ApiManagementService",
    "azure-native:network:ApplicationGateway",
    "azure-native:network:LoadBalancer",
    NETWORK_GROUP,
    PUBLIC_ADDRESS,
    "azure-native:network:WebApplicationFirewallPolicy",
    "azure-native:cdn:Profile",
    "azure-native:frontdoor:Policy",
)

ELSEWHERE = "Run the pack over the other stack too, and let Azure Policy look at the subscription."
"""What to do `instead`, where a rule does not see what another stack has."""

BLIND_TO_SETTINGS = "Diagnostic settings in other stacks, or that Azure Policy makes (deployIfNotExists)."

# https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings
_DESTINATIONS = (
    "workspaceId",
    "storageAccountId",
    "eventHubAuthorizationRuleId",
    "marketplacePartnerId",
    "serviceBusRuleId",
)
_METRICS = "AllMetrics"


def sends_logs(
    stack: Graph, target: View, categories: Collection[str], *, groups: Collection[str] = ("allLogs",)
) -> Iterator[Violation]:
    """Diagnostic settings send all categories of a resource's logs somewhere, in one setting or in several.

    categories: as Azure names them, ``AllMetrics`` for metrics; none means that any log will do. groups: of categories
    that hold all of them, ``allLogs`` always, for some services ``audit`` too.
    """
    settings = referring(stack, target, "resourceUri", *DIAGNOSTICS)
    if not settings:
        yield target.lacks("", "has no diagnostic setting, so it sends no logs")
        return
    sent = {name for setting in settings for name in _sent(setting)}
    for setting in settings:
        if setting.unread:
            target.note("", f"what `{setting.subject.name}` sends is not known yet")
    if not categories:
        if not sent - {_METRICS}:
            yield target.lacks("", "sends no logs: no diagnostic setting has one that is on and goes anywhere")
        return
    every = bool(sent & set(groups))
    missing = [name for name in categories if name not in sent and (name == _METRICS or not every)]
    if missing:
        yield target.lacks("", f"does not send {', '.join(missing)} anywhere")


def _sent(setting: View) -> Iterator[str]:
    """Categories and groups that a setting sends somewhere."""
    if not any(setting.has(key) for key in _DESTINATIONS):
        return
    for key in ("logs", "metrics"):
        for entry in setting.children(key):
            # Both are read, so that what is unknown is remembered whatever the other says.
            names = (entry.text("category"), entry.text("categoryGroup"))
            if entry.flag("enabled") is True:
                yield from (name for name in names if isinstance(name, str))


_OPERATIONS = {
    NETWORK_GROUP: "Microsoft.Network/networkSecurityGroups",
    PUBLIC_ADDRESS: "Microsoft.Network/publicIPAddresses",
}
"""What is watched, with the beginning of its operations."""

_WIDE = frozenset({"category", "operationname", "resourceprovider", "resourcetype"})
"""Fields of an alert's conditions that leave no resource of the kind out."""


def changes_are_told(stack: Graph) -> Iterator[Violation]:
    """Somebody is told when a security group or a public address is changed or deleted."""
    alerts = stack.of(*ACTIVITY_ALERT)
    told = {operation for alert in alerts for operation in _told(alert)}
    unread = [alert.subject.name for alert in alerts if alert.unread]
    for resource in stack.of(*_OPERATIONS):
        for name in unread:
            resource.note("", f"what `{name}` looks for is not known yet")
        kind = _OPERATIONS[resource.subject.type]
        missing = [verb for verb in ("write", "delete") if f"{kind}/{verb}".lower() not in told]
        if missing:
            yield resource.lacks(
                "", f"has no activity log alert for {' and '.join(f'{kind}/{verb}' for verb in missing)}"
            )


def _told(alert: View) -> Iterator[str]:
    """Operations that an alert tells of, in small letters; none where it is off, tells nobody, or looks at a part."""
    conditions = alert.children("condition.allOf")
    fields = {field.lower() for item in conditions if isinstance(field := item.text("field"), str)}
    inner = [leaf for item in conditions for leaf in item.children("anyOf")]
    on = alert.flag("enabled") in (None, True) and alert.count("actions.actionGroups") != 0
    if not on or not fields <= _WIDE:
        return
    for leaf in (*conditions, *inner):
        field = leaf.text("field")
        if isinstance(field, str) and field.lower() == "operationname":
            yield from (text.lower() for text in (*leaf.texts("equals"), *leaf.texts("containsAny")))


RULES: tuple[AnyRule, ...] = (
    Rule(
        name="resource-tagged",
        controls=("resource-tagged",),
        title="What is billed and seen by itself has tags",
        severity="low",
        types=TAGGED,
        check=tagged("tags"),
        remedy="tags: whose it is, at least.",
        settings={
            "required": Setting({"type": "array", "items": {"type": "string"}}, [], "tags that must be there"),
        },
    ),
    StackRule(
        name="subscription-activity-alerts",
        controls=("subscription-activity-alerts",),
        title="Somebody is told when security groups and public addresses are changed or deleted",
        severity="low",
        types=tuple(_OPERATIONS),
        check=changes_are_told,
        remedy="An azure-native:monitor:ActivityLogAlert with scopes: [the subscription], condition: {allOf: [{field: category, equals: Administrative}, {field: operationName, equals: Microsoft.Network/networkSecurityGroups/write}]} and actions, one for each operation.",  # noqa: E501
        optional="One set of alerts does for all stacks of a subscription; turn it on for the stack that has it.",
        blind="Alerts in other stacks, and which subscription `scopes` names.",
        instead=ELSEWHERE,
    ),
)
