"""Rules over what is sent to logs, and what every resource carries: diagnostic settings, alerts, tags."""

from collections.abc import Collection, Iterator, Sequence

from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule
from edgewright.policies.view import View, Violation

DIAGNOSTICS = ("azure-native:monitor:DiagnosticSetting", "azure-native:insights:DiagnosticSetting")
"""The second is the type's name in azure-native before 3."""

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
    settings = _settings_of(stack, target)
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


def _settings_of(stack: Graph, target: View) -> Sequence[View]:
    found = list(stack.referring(target, "resourceUri", *DIAGNOSTICS))
    there = {setting.subject.urn for setting in found}
    return [
        *found,
        *(one for one in stack.of(*DIAGNOSTICS) if one.subject.urn not in there and _written_out(one, target)),
    ]


def _written_out(setting: View, target: View) -> bool:
    """Whether a setting has the target's id as a text of its own, by the name that the target has in Azure."""
    if "resourceUri" in setting.subject.refs:
        return False
    # Not by the setting's own view: what is unknown there is the business of `Graph.referring`.
    uri = View(setting.subject).text("resourceUri")
    if not isinstance(uri, str):
        return False
    kind = target.subject.type.rpartition(":")[2].lower()
    *_, collection, name = f"//{uri}".lower().split("/")
    # `ApplicationGateway` is one of `applicationGateways`, and `ApiManagementService` one of `service`.
    fits = collection.startswith(kind) or kind.endswith(collection)
    return fits and name in {
        own.lower() for key in target.keys if key.endswith("Name") and (own := _known(target, key)) is not None
    }


def _known(target: View, key: str) -> str | None:
    """A text, without a note if it is unknown."""
    text = View(target.subject).text(key)
    return text if isinstance(text, str) else None


def _sent(setting: View) -> Iterator[str]:
    """Categories and groups that a setting sends somewhere."""
    if not any(setting.has(key) for key in _DESTINATIONS):
        return
    for key in ("logs", "metrics"):
        for entry in setting.children(key):
            # Read all three, so that what is unknown is remembered whatever the others say.
            names = (entry.text("category"), entry.text("categoryGroup"))
            if entry.flag("enabled") is True:
                yield from (name for name in names if isinstance(name, str))


RULES: tuple[AnyRule, ...] = ()
