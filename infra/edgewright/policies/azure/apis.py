"""Rules over what API Management publishes: APIs, backends, products, subscriptions, named values."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
