"""Rules over firewall policies of Application Gateway and Front Door."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
