"""Where the controls that rules guard are asked for: identifiers in the public rule sets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgewright.policies.aws import controls as aws
from edgewright.policies.azure import controls as azure
from edgewright.policies.rule import AnyRule

SOURCES: Mapping[str, tuple[str, ...]] = {**aws.SOURCES, **azure.SOURCES}
"""By key of `tests/data/controls.csv`."""
OWN: Mapping[str, tuple[str, ...]] = {**aws.OWN, **azure.OWN}
"""By name of a rule that guards none of these controls."""
UNASKED: Mapping[str, str] = {**aws.UNASKED, **azure.UNASKED}
"""Why there is a rule that no public rule set has, by its name."""

# Each service has a page, and each control a heading on it:
# https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-1
_SECURITY_HUB = re.compile(r"([A-Za-z][A-Za-z0-9]+)\.(\d+)")
_BENCHMARK = re.compile(r"MCSB:(.+)")


@dataclass(frozen=True, slots=True)
class Framework:
    """A compliance framework that asks for the same. url: of the control's description, "" where it has none."""

    name: str
    reference: str
    url: str = ""


def sources(rule: AnyRule) -> tuple[str, ...]:
    """Where the same is asked for as the rule asks; empty for a rule of `UNASKED`."""
    of_controls = dict.fromkeys(source for control in rule.controls for source in SOURCES[control])
    return (*of_controls,) or OWN.get(rule.name, ())


def framework(rule: AnyRule) -> Framework | None:
    """The cloud's own framework: AWS Security Hub, or Microsoft's benchmark. None where neither asks for it."""
    for source in sources(rule):
        if found := _SECURITY_HUB.fullmatch(source):
            service, number = found[1].lower(), found[2]
            page = f"https://docs.aws.amazon.com/securityhub/latest/userguide/{service}-controls.html"
            return Framework("AWS Security Hub", source, f"{page}#{service}-{number}")
        if found := _BENCHMARK.fullmatch(source):
            return Framework("Microsoft cloud security benchmark", found[1])
    return None
