"""Reads the update plan that `pulumi preview --save-plan` writes: what the engine would do, without a single value.

The file is ``DeploymentPlanV1`` of pulumi/pulumi (sdk/go/common/apitype/plan.go): by URN, the operations on a resource,
and its goal. The goal and the outputs hold every input in the open but the secrets, which the stack's secrets provider
encrypts; so a plan is sealed before it is kept (`edgewright.ci.sealed`), and only operations and names are shown.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from edgewright.ci.job import CiError, inert

MOST_LINES = 200
_REPLACED = frozenset({"replace", "create-replacement", "delete-replaced", "read-replacement", "discard-replaced"})
_KINDS = (
    ("+-", "to replace", _REPLACED | {"import-replacement"}),
    ("- ", "to delete", frozenset({"delete"})),
    ("~ ", "to update", frozenset({"update"})),
    ("+ ", "to create", frozenset({"create"})),
    ("= ", "to import", frozenset({"import"})),
)
"""What may happen to a resource, worst first: the engine's operations of each kind (pkg/resource/deploy/step.go)."""
_UNCHANGED = frozenset({"same", "read", "refresh", "discard", "remove-pending-replace", "diff", "extend-parameterize"})


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """What would happen to a resource. rank: of the kind, the worst is 0."""

    rank: int
    type: str
    name: str

    def __str__(self) -> str:
        return inert(f"{_KINDS[self.rank][0]} {self.type}  {self.name}")


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """What the engine would do: the steps, worst first, and how many resources stay as they are."""

    steps: tuple[Step, ...]
    unchanged: int

    @property
    def headline(self) -> str:
        """The counts in words: ``1 to replace, 2 to create, 40 unchanged``."""
        counts = Counter(step.rank for step in self.steps)
        said = [f"{counts[rank]} {words}" for rank, (_, words, _) in enumerate(_KINDS) if counts[rank]]
        return ", ".join(
            [*said, f"{self.unchanged} unchanged"] if said else ["no changes", f"{self.unchanged} unchanged"]
        )

    def text(self) -> str:
        """The counts and the steps, as lines; very many are cut, the worst stay."""
        lines = [self.headline, *map(str, self.steps[:MOST_LINES])]
        over = len(self.steps) - MOST_LINES
        return "\n".join([*lines, *([f"… and {over} more"] if over > 0 else [])]) + "\n"


def read(content: bytes) -> UpdatePlan:
    """The steps in a saved plan; CiError when it is none."""
    try:
        data = json.loads(content)
        resources = cast("Mapping[str, Mapping[str, Any]]", data.get("resourcePlans") or {})
        found = [(urn, frozenset(map(str, plan.get("steps") or ()))) for urn, plan in resources.items()]
        manifest = data["manifest"]
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise CiError(f"this is no update plan of Pulumi: {type(error).__name__}") from None
    if not isinstance(manifest, Mapping):
        raise CiError("this is no update plan of Pulumi: it has no manifest")
    steps: list[Step] = []
    unchanged = 0
    for urn, operations in found:
        rank = _rank(operations)
        if rank is None:
            unchanged += 1
        else:
            steps.append(Step(rank, *_type_and_name(urn)))
    return UpdatePlan(tuple(sorted(steps)), unchanged)


def _rank(operations: frozenset[str]) -> int | None:
    for rank, (_, _, kinds) in enumerate(_KINDS):
        if operations & kinds:
            return rank
    if unknown := operations - _UNCHANGED:
        raise CiError(f"this Pulumi plans operations that are not known here: {', '.join(sorted(unknown))}")
    return None


def _type_and_name(urn: str) -> tuple[str, str]:
    """Of ``urn:pulumi:stack::project::parent$type::name``; a name may have ``::`` in it."""
    parts = urn.split("::", 3)
    if len(parts) != 4:
        raise CiError("this is no update plan of Pulumi: a resource has no URN")
    return parts[2].rpartition("$")[2], parts[3]
