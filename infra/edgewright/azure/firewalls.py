"""What Azure's firewalls refuse, by the names of their rules: one that detects refuses nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from edgewright.clouds.inputs import fields, objects

RATE_PER_ADDRESS = "RatePerAddress"
"""The name of the rule that counts the requests of each address."""

_MINUTES: Mapping[Any, int] = {"OneMin": 1, "FiveMins": 5}


def _custom(inputs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    custom = inputs.get("customRules")
    return list(objects(fields(custom).get("rules") or custom))  # a list, or an object with one


def _per_address(inputs: Mapping[str, Any]) -> float | None:
    for rule in _custom(inputs):
        if rule.get("name") == RATE_PER_ADDRESS:
            limit = rule.get("rateLimitThreshold")
            minutes = _MINUTES.get(rule.get("rateLimitDuration")) or rule.get("rateLimitDurationInMinutes")
            return limit / minutes if isinstance(limit, int) and isinstance(minutes, int) and minutes else None
    return None


def _policy(inputs: Mapping[str, Any]) -> Iterator[str]:
    settings = fields(inputs.get("policySettings"))
    if settings.get("mode") != "Prevention" or "Disabled" in (settings.get("state"), settings.get("enabledState")):
        return
    for rule in _custom(inputs):
        if rule.get("action") == "Block":
            yield str(rule.get("name"))
    for group in objects(fields(inputs.get("managedRules")).get("managedRuleSets")):
        yield str(group.get("ruleSetType"))


REFUSED: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {
    "azure-native:network:WebApplicationFirewallPolicy": _policy,
    "azure-native:frontdoor:Policy": _policy,
}
"""By type."""

PER_ADDRESS: Mapping[str, Callable[[Mapping[str, Any]], float | None]] = dict.fromkeys(REFUSED, _per_address)
"""By type: how many requests a minute one address may send, whatever the route; None: as many as it likes."""
