"""All resources of a stack, and which of them refer to which: from the engine's record or from a plan's tokens."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from edgewright.plan.model import Resource
from edgewright.policies.view import Subject, View

_TOKEN = re.compile(r"\$\{([^{}]+)\}")
_IDENTITIES = ("arn", "id")
_NOBODY = frozenset[str]()


@dataclass(slots=True)
class _Sources:
    """Resources of a type by what one of their properties refers to. Positions are those in the stack.

    unsure: the first whose value is not known and comes from nowhere in the stack.
    """

    by_urn: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    by_text: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    unsure: int | None = None


class Index:
    """The resources of a stack by type and by what they refer to: made once, for all rules that look at the stack.

    Nothing in it depends on the rule that looks, and what is not asked for is never made.
    """

    __slots__ = ("_positions", "_referrers", "_sources", "_targets", "subjects")

    def __init__(self, subjects: Iterable[Subject]) -> None:
        """Look at a stack."""
        self.subjects: tuple[Subject, ...] = tuple(subjects)
        self._positions: dict[str, list[int]] = {}
        for position, subject in enumerate(self.subjects):
            self._positions.setdefault(subject.type, []).append(position)
        self._sources: dict[tuple[str, str], _Sources] = {}
        self._targets: dict[str, tuple[dict[str, int], dict[str, list[int]]]] = {}
        self._referrers: dict[str, set[str]] | None = None

    def of(self, kind: str) -> Sequence[int]:
        """Where the resources of a type are."""
        return self._positions.get(kind, ())

    def sources(self, kind: str, key: str, target: Subject) -> tuple[Sequence[int], int | None]:
        """Resources of the type whose property refers to the target, and the first that may."""
        found = self._sources.get((kind, key))
        if found is None:
            found = self._sources[kind, key] = self._read_sources(kind, key)
        hits = found.by_urn.get(target.urn, ())
        for text in _identities(target) if found.by_text else ():
            hits = [*hits, *found.by_text.get(text, ())]
        return sorted(set(hits)), found.unsure

    def targets(self, kind: str, key: str, source: Subject) -> Sequence[int]:
        """Resources of the type that a property of the source refers to."""
        found = self._targets.get(kind)
        if found is None:
            found = self._targets[kind] = self._read_targets(kind)
        by_urn, by_text = found
        hits = [by_urn[urn] for urn in source.refs.get(key.partition(".")[0], _NOBODY) if urn in by_urn]
        for text in _stated(source, key)[0] if by_text else ():
            hits.extend(by_text.get(text, ()))
        return sorted(set(hits))

    def referrers(self, target: Subject) -> Iterable[str]:
        """The types of the resources that refer to the target, with whatever property."""
        if self._referrers is None:
            self._referrers = {}
            for subject in self.subjects:
                for urns in subject.refs.values():
                    for urn in urns:
                        self._referrers.setdefault(urn, set()).add(subject.type)
        return self._referrers.get(target.urn, ())

    def _read_sources(self, kind: str, key: str) -> _Sources:
        found = _Sources()
        for position in self.of(kind):
            source = self.subjects[position]
            urns = source.refs.get(key.partition(".")[0], _NOBODY)
            for urn in urns:
                found.by_urn.setdefault(urn, []).append(position)
            texts, known = _stated(source, key)
            for text in texts:
                found.by_text.setdefault(text, []).append(position)
            # What is unknown and comes from other resources of the stack is theirs.
            if not known and not urns and found.unsure is None:
                found.unsure = position
        return found

    def _read_targets(self, kind: str) -> tuple[dict[str, int], dict[str, list[int]]]:
        by_text: dict[str, list[int]] = {}
        for position in self.of(kind):
            for text in _identities(self.subjects[position]):
                by_text.setdefault(text, []).append(position)
        return {self.subjects[position].urn: position for position in self.of(kind)}, by_text


class Graph:
    """A stack as one rule sees it: the views of resources, made when they are asked for."""

    __slots__ = ("_index", "_settings", "views")

    def __init__(self, subjects: Iterable[Subject] | Index, settings: Mapping[str, Any] | None = None) -> None:
        """Look at a stack, or at what another rule has read of it; settings: of the rule that looks, complete."""
        self.views: dict[str, View] = {}
        self._settings: Mapping[str, Any] = settings or {}
        self._index = subjects if isinstance(subjects, Index) else Index(subjects)

    def setting(self, name: str) -> Any:
        """A setting of the rule."""
        return self._settings[name]

    def of(self, *types: str) -> Sequence[View]:
        """All resources of the types, in the order of the stack."""
        return [self._view(position) for kind in types for position in self._index.of(kind)]

    def referring(self, target: View, key: str, *types: str) -> Sequence[View]:
        """Resources of the types whose property refers to the target.

        One whose value is unknown and comes from nowhere in the stack may be meant for the target: that is remembered
        at the target, so that `View.lacks` does not hold.
        """
        found: list[View] = []
        for kind in types:
            positions, unsure = self._index.sources(kind, key, target.subject)
            found += map(self._view, positions)
            if unsure is not None:
                other = self._index.subjects[unsure]
                target.note("", f"may be what `{other.name}` refers to: its `{key}` is not known yet")
        return found

    def referred(self, source: View, key: str, *types: str) -> Sequence[View]:
        """Resources of the types that a property refers to."""
        return [self._view(position) for kind in types for position in self._index.targets(kind, key, source.subject)]

    def used(self, target: View, *, but: Sequence[str]) -> bool:
        """Whether a resource of any other type refers to the target, with whatever property."""
        return any(kind not in but for kind in self._index.referrers(target.subject))

    def _view(self, position: int) -> View:
        subject = self._index.subjects[position]
        view = self.views.get(subject.urn)
        if view is None:
            view = self.views[subject.urn] = View(subject, self._settings)
        return view


def _stated(source: Subject, key: str) -> tuple[Iterable[str], bool]:
    """What a property says of other resources (a text, ``{id: ...}``, or a list of them), and whether all is known."""
    view = View(source)  # of its own, so that no rule is told that it was read
    objects = view.children(key)
    texts = view.texts(key) if not objects else [text for inside in objects for text in _identified(inside)]
    return texts, not view.unread


def _identities(target: Subject) -> Iterable[str]:
    return _identified(View(target))


def _identified(view: View) -> list[str]:
    return [text for name in _IDENTITIES if isinstance(text := view.text(name), str)]


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
            dict(_refs(resource.inputs, short)),
        )
        for resource in listed
    ]


def _refs(inputs: Mapping[str, Any], short: Mapping[str, str]) -> Iterable[tuple[str, frozenset[str]]]:
    """What each property comes from, and each entry of one that is a list."""
    for key, value in inputs.items():
        if urns := frozenset(_urns(value, short)):
            yield key, urns
            for index, item in enumerate(cast(list[Any], value) if isinstance(value, list) else ()):
                if urns := frozenset(_urns(item, short)):
                    yield f"{key}[{index}]", urns


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
