"""All rules there are, by cloud, and the controls that have none."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from edgewright.policies import aws, azure
from edgewright.policies.rule import AnyRule
from edgewright.spec.problems import printable

BY_CLOUD: Mapping[str, tuple[AnyRule, ...]] = {"AWS": aws.RULES, "Azure": azure.RULES}

ALL: tuple[AnyRule, ...] = (*aws.RULES, *azure.RULES)

UNSEEN: Mapping[str, tuple[str, str]] = {**aws.UNSEEN, **azure.UNSEEN}
"""Controls of `tests/data/controls.csv` without a rule: why no input shows them, and what to do instead."""


def named(*names: str) -> tuple[AnyRule, ...]:
    """The rules of these names, in this order. Raises ValueError with every name that there is not."""
    known = {rule.name: rule for rule in ALL}
    problems = [no_rule(name, known) for name in names if name not in known]
    if problems:
        raise ValueError("\n".join(problems))
    return tuple(known[name] for name in names)


def no_rule(name: str, known: Iterable[str]) -> str:
    """What to say of a name that no rule has."""
    near = get_close_matches(name, known, 1)
    return f"`{printable(name)}` is no rule" + (f"; did you mean `{near[0]}`?" if near else "")
