"""What AWS WAF refuses, by the names of its rules: one that only counts refuses nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from edgewright.clouds.inputs import fields, objects

REFUSING = {"block", "captcha", "challenge"}
"""Actions that do not let a request through (docs.aws.amazon.com/waf, "Using rule actions")."""


def _acl(inputs: Mapping[str, Any]) -> Iterator[str]:
    if "block" in fields(inputs.get("defaultAction")):
        yield "what no rule allows"
    for rule in objects(inputs.get("rules")):
        # A group's own actions hold unless they are overridden.
        if REFUSING & set(fields(rule.get("action"))) or "none" in fields(rule.get("overrideAction")):
            yield str(rule.get("name"))


REFUSED: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {"aws:wafv2/webAcl:WebAcl": _acl}
"""By type."""
