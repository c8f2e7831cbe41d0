"""Rules over Azure load balancers and the public addresses in front of them."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
