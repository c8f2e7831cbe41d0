"""What a web application firewall refuses, by the names of its rules: one that only counts refuses nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

_REFUSING = {"block", "captcha", "challenge"}
"""Actions of AWS's rules that do not let a request through (docs.aws.amazon.com/waf, "Using rule actions")."""


def refused(type_: str, inputs: Mapping[str, Any]) -> frozenset[str] | None:
    """The rules that refuse; None for a type that is no firewall."""
    if type_ == "aws:wafv2/webAcl:WebAcl":
        return frozenset(_aws(inputs))
    if type_ in ("azure-native:network:WebApplicationFirewallPolicy", "azure-native:frontdoor:Policy"):
        return frozenset(_azure(inputs))
    return None


def _aws(inputs: Mapping[str, Any]) -> Iterator[str]:
    if "block" in _map(inputs.get("defaultAction")):
        yield "what no rule allows"
    for rule in _list(inputs.get("rules")):
        # A group's own actions hold unless they are overridden.
        if _REFUSING & set(_map(rule.get("action"))) or "none" in _map(rule.get("overrideAction")):
            yield str(rule.get("name"))


def _azure(inputs: Mapping[str, Any]) -> Iterator[str]:
    settings = _map(inputs.get("policySettings"))
    if settings.get("mode") != "Prevention" or "Disabled" in (settings.get("state"), settings.get("enabledState")):
        return
    custom = inputs.get("customRules")
    for rule in _list(_map(custom).get("rules") or custom):  # a list, or a map with one
        if rule.get("action") == "Block":
            yield str(rule.get("name"))
    for group in _list(_map(inputs.get("managedRules")).get("managedRuleSets")):
        yield str(group.get("ruleSetType"))


def _map(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Iterator[Mapping[str, Any]]:
    for item in cast("Sequence[object]", value) if isinstance(value, list | tuple) else ():
        yield _map(item)
