"""Rules over Application Gateways: listeners, TLS, backends, size."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
