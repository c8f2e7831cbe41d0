"""All rules there are, by cloud, and the controls that have none."""

from collections.abc import Mapping

from edgewright.policies import aws, azure
from edgewright.policies.rule import AnyRule

ALL: tuple[AnyRule, ...] = (*aws.RULES, *azure.RULES)

UNSEEN: Mapping[str, tuple[str, str]] = {**aws.UNSEEN, **azure.UNSEEN}
"""Controls of `tests/data/controls.csv` without a rule: why no input shows them, and what to do instead."""
