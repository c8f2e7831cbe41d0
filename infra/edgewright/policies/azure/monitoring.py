"""Rules over what is sent to logs, and what every resource carries: diagnostic settings, alerts, tags."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
