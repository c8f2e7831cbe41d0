"""Rules over key vaults, and the keys and secrets in them."""

from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = ()
