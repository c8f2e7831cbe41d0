"""Rules over virtual networks: security groups, subnets, network interfaces."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
