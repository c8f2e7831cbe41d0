"""What a violation of a rule leads to: levels as Pulumi has them, by severity unless configured."""

from collections.abc import Mapping
from typing import Literal, get_args

from edgewright.policies.rule import AnyRule, Rule, Severity

Level = Literal["disabled", "advisory", "mandatory", "remediate"]
"""Disabled rules are not run, advisory ones warn, mandatory ones stop the update, and those that remediate write the
right value, and stop the update where they cannot."""

LEVELS: Mapping[Severity, Level] = {
    "critical": "mandatory",
    "high": "mandatory",
    "medium": "mandatory",
    "low": "advisory",
}
"""By severity; rules that are optional are disabled."""


def default_level(rule: AnyRule) -> Level:
    """The level of a rule that nothing is configured for."""
    return "disabled" if rule.optional else LEVELS[rule.severity]


def possible_levels(rule: AnyRule) -> tuple[Level, ...]:
    """The levels that a rule can have."""
    can = isinstance(rule, Rule) and rule.remediation is not None
    return tuple(level for level in get_args(Level) if can or level != "remediate")


def at_most(level: Level, rule: AnyRule) -> Level:
    """The level; for a rule that cannot remediate, mandatory instead, as the engine has it."""
    return level if level in possible_levels(rule) else "mandatory"


def stops(level: Level) -> Level:
    """The level of what is left after remediation, as the engine has it."""
    return "mandatory" if level == "remediate" else level
