"""Rules over policy documents of API Management: XML that resources carry."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
