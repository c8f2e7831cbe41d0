"""What Azure's firewalls refuse, by the names of their rules: one that detects refuses nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from edgewright.clouds.inputs import fields, objects


def _policy(inputs: Mapping[str, Any]) -> Iterator[str]:
    settings = fields(inputs.get("policySettings"))
    if settings.get("mode") != "Prevention" or "Disabled" in (settings.get("state"), settings.get("enabledState")):
        return
    custom = inputs.get("customRules")
    for rule in objects(fields(custom).get("rules") or custom):  # a list, or an object with one
        if rule.get("action") == "Block":
            yield str(rule.get("name"))
    for group in objects(fields(inputs.get("managedRules")).get("managedRuleSets")):
        yield str(group.get("ruleSetType"))


REFUSED: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {
    "azure-native:network:WebApplicationFirewallPolicy": _policy,
    "azure-native:frontdoor:Policy": _policy,
}
"""By type."""
