"""Where the controls that rules guard are asked for: identifiers in the public rule sets."""

from edgewright.policies.aws import controls as aws
from edgewright.policies.azure import controls as azure
from edgewright.policies.rule import AnyRule

SOURCES = {**aws.SOURCES, **azure.SOURCES}
"""By key of `tests/data/controls.csv`."""


def sources(rule: AnyRule) -> tuple[str, ...]:
    """Where the same is asked for as the rule asks."""
    return tuple(dict.fromkeys(source for control in rule.controls for source in SOURCES[control]))
