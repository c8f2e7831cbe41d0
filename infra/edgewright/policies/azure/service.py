"""Rules over the service of API Management: its network, its TLS, its tier, its logs."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
