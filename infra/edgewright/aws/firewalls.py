"""What AWS WAF refuses, by the names of its rules: one that only counts refuses nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from edgewright.clouds.inputs import fields, objects

RATE_PER_IP = "rate-per-ip"
"""The name of the rule that counts the requests of each address."""

REFUSING = {"block", "captcha", "challenge"}
"""Actions that do not let a request through (docs.aws.amazon.com/waf, "Using rule actions")."""


def _acl(inputs: Mapping[str, Any]) -> Iterator[str]:
    if "block" in fields(inputs.get("defaultAction")):
        yield "what no rule allows"
    for rule in objects(inputs.get("rules")):
        # A group's own actions hold unless they are overridden.
        if REFUSING & set(fields(rule.get("action"))) or "none" in fields(rule.get("overrideAction")):
            yield str(rule.get("name"))


def _per_address(inputs: Mapping[str, Any]) -> float | None:
    for rule in objects(inputs.get("rules")):
        if rule.get("name") == RATE_PER_IP:
            rate = fields(fields(rule.get("statement")).get("rateBasedStatement"))
            limit, seconds = rate.get("limit"), rate.get("evaluationWindowSec")
            return limit * 60 / seconds if isinstance(limit, int) and isinstance(seconds, int) and seconds else None
    return None


REFUSED: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {"aws:wafv2/webAcl:WebAcl": _acl}
"""By type."""

PER_ADDRESS: Mapping[str, Callable[[Mapping[str, Any]], float | None]] = {"aws:wafv2/webAcl:WebAcl": _per_address}
"""By type: how many requests a minute one address may send, whatever the route; None: as many as it likes."""
