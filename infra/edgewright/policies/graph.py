"""All resources of a stack, and which of them refer to which: from the engine's record or from a plan's tokens."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from edgewright.plan.model import Resource
from edgewright.policies.view import Subject, View

_TOKEN = re.compile(r"\$\{([^{}]+)\}")
_IDENTITIES = ("arn", "id")


class Graph:
    """The views of a stack's resources, made when they are asked for."""

    __slots__ = ("_by_type", "_settings", "views")

    def __init__(self, subjects: Iterable[Subject], settings: Mapping[str, Any] | None = None) -> None:
        """Look at a stack; settings: of the rule that looks, complete."""
        self.views: dict[str, View] = {}
        self._settings: Mapping[str, Any] = settings or {}
        self._by_type: dict[str, list[Subject]] = {}
        for subject in subjects:
            self._by_type.setdefault(subject.type, []).append(subject)

    def setting(self, name: str) -> Any:
        """A setting of the rule."""
        return self._settings[name]

    def of(self, *types: str) -> Sequence[View]:
        """All resources of the types, in the order of the stack."""
        return [self._view(subject) for kind in types for subject in self._by_type.get(kind, ())]

    def referring(self, target: View, key: str, *types: str) -> Sequence[View]:
        """Resources of the types whose property refers to the target.

        One whose value is unknown and comes from nowhere in the stack may be meant for the target: that is remembered
        at the target, so that `View.lacks` does not hold.
        """
        found: list[View] = []
        for other in self.of(*types):
            meant = refers(other.subject, key, target.subject)
            if meant:
                found.append(other)
            elif meant is None:
                target.note("", f"`{other.subject.name}` may refer to it: its `{key}` is not known yet")
        return found

    def referred(self, source: View, key: str, *types: str) -> Sequence[View]:
        """Resources of the types that a property refers to."""
        return [other for other in self.of(*types) if refers(source.subject, key, other.subject)]

    def used(self, target: View, *, but: Sequence[str]) -> bool:
        """Whether a resource of any other type refers to the target, with whatever property."""
        return any(
            target.subject.urn in urns
            for kind, subjects in self._by_type.items()
            if kind not in but
            for subject in subjects
            for urns in subject.refs.values()
        )

    def _view(self, subject: Subject) -> View:
        if subject.urn not in self.views:
            self.views[subject.urn] = View(subject, self._settings)
        return self.views[subject.urn]


def refers(source: Subject, key: str, target: Subject) -> bool | None:
    """Whether a top-level property of one resource refers to another; None where nobody can say yet."""
    urns = source.refs.get(key.partition(".")[0], frozenset[str]())
    if target.urn in urns:
        return True
    here = _plain_text(source, key)
    if here is None:
        # Unknown, but it comes from other resources of the stack: then it is theirs.
        return False if urns or key.partition(".")[0] not in source.properties else None
    return any(here == there for there in (_plain_text(target, name) for name in _IDENTITIES) if there)


def _plain_text(subject: Subject, key: str) -> str | None:
    """A known text, without a note that it was read."""
    value = View(subject).text(key)
    return value if isinstance(value, str) else None


def from_plan(resources: Iterable[Resource]) -> list[Subject]:
    """The resources of a plan, without components."""
    listed = [resource for resource in resources if resource.custom]
    short = {resource.short: resource.urn for resource in listed}
    return [
        Subject(
            resource.urn,
            resource.type,
            resource.name,
            resource.inputs,
            {key: urns for key, value in resource.inputs.items() if (urns := frozenset(_urns(value, short)))},
        )
        for resource in listed
    ]


def _urns(value: Any, short: Mapping[str, str]) -> Iterable[str]:
    """The resources whose tokens stand in a value."""
    if isinstance(value, str):
        for inside in _TOKEN.findall(value) if "${" in value else ():
            # Both names and paths may have dots in them, so the longest name wins.
            name = cast(str, inside)
            while "." in name:
                name = name.rpartition(".")[0]
                if name in short:
                    yield short[name]
                    break
    elif isinstance(value, Mapping):
        for item in cast(Mapping[str, Any], value).values():
            yield from _urns(item, short)
    elif isinstance(value, Sequence):
        for item in cast(Sequence[Any], value):
            yield from _urns(item, short)
