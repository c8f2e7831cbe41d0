"""Merges routes that are alike to whoever looks at them first: a whole subtree of paths becomes one pattern.

The public balancer before an API only has to know who may ask. Where everything below ``/orders`` asks for the same,
one pattern says it, and the API behind finds the route. Nothing is merged over a path that leads to something else.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from edgewright.edge.model import METHODS, PathPattern, Route, Segment


@dataclass(frozen=True, slots=True)
class Merged:
    """A pattern (methods None: any) that leads to routes that are all alike."""

    path: PathPattern
    methods: tuple[str, ...] | None
    routes: tuple[Route, ...]


@dataclass(slots=True)
class _Node:
    segments: tuple[Segment, ...]
    children: dict[Segment, "_Node"] = field(default_factory=dict["Segment", "_Node"])
    routes: list[int] = field(default_factory=list[int])


def merge(routes: Sequence[Route], look: Callable[[Route], object]) -> tuple[Merged, ...]:
    """The patterns for these routes (in the order in which they are tried), in that order.

    look: equal for routes that are alike.
    """
    sight = _Sight(routes, look)
    root = _Node(())
    for index, route in enumerate(routes):
        _insert(root, route.path, index)
    found: list[tuple[int, Merged]] = []
    _walk(root, sight, found)
    return tuple(item for _, item in sorted(found, key=lambda pair: pair[0]))


class _Sight:
    """The routes, how they look, and which of them could match a path that another matches."""

    def __init__(self, routes: Sequence[Route], look: Callable[[Route], object]) -> None:
        self.routes = routes
        self.looks = [look(route) for route in routes]
        self._by_first: dict[str, list[int]] = {}
        self._anywhere: list[int] = []
        for index, route in enumerate(routes):
            segments = route.path.segments
            if segments and not segments[0].variable:
                self._by_first.setdefault(segments[0].text, []).append(index)
            else:
                self._anywhere.append(index)

    def overlapping(self, path: PathPattern) -> Iterator[int]:
        """The routes that match something that the path matches, in no order."""
        first = path.segments[0] if path.segments else None
        if first is None or first.variable:
            near: Iterable[int] = range(len(self.routes))
        else:
            near = chain(self._by_first.get(first.text, ()), self._anywhere)
        return (index for index in near if _overlap(self.routes[index].path, path))


def _overlap(one: PathPattern, other: PathPattern) -> bool:
    """Whether there is a path that both match."""
    if len(one.segments) < len(other.segments) and not one.rest:
        return False
    if len(one.segments) > len(other.segments) and not other.rest:
        return False
    return all(
        first.variable or second.variable or first.text == second.text
        for first, second in zip(one.segments, other.segments, strict=False)
    )


def _insert(root: _Node, path: PathPattern, index: int) -> None:
    node = root
    for segment in path.segments:
        key = Segment("", variable=True) if segment.variable else segment
        node = node.children.setdefault(key, _Node((*node.segments, segment)))
    node.routes.append(index)


def _below(node: _Node) -> list[int]:
    found = list(node.routes)
    for child in node.children.values():
        found += _below(child)
    return found


def _walk(node: _Node, sight: _Sight, found: list[tuple[int, Merged]]) -> None:
    mine = _below(node)
    below = PathPattern(node.segments, rest=True)
    if node.segments and len(mine) > 1 and _alike(below, mine, sight):
        picked = tuple(sight.routes[index] for index in sorted(mine))
        found.append((min(mine), Merged(below, None, picked)))
        return
    for rest in (False, True):
        here = [index for index in node.routes if sight.routes[index].path.rest is rest]
        found += _here(here, sight)
    for child in node.children.values():
        _walk(child, sight, found)


def _alike(below: PathPattern, mine: Sequence[int], sight: _Sight) -> bool:
    """Whether all that a path could lead to looks the same, and no header or query tells it."""
    if any(sight.routes[index].headers or sight.routes[index].query for index in mine):
        return False
    return len({sight.looks[index] for index in sight.overlapping(below)}) == 1


def _here(indexes: Sequence[int], sight: _Sight) -> list[tuple[int, Merged]]:
    """The routes of one path, by look; with methods only where another method leads to something not alike."""
    if not indexes:
        return []
    routes = sight.routes
    path = routes[indexes[0]].path
    plain = not any(routes[index].headers or routes[index].query for index in indexes)
    if plain and len({sight.looks[index] for index in indexes}) == 1 and not _others(path, indexes, sight):
        return [(min(indexes), Merged(path, None, tuple(routes[index] for index in indexes)))]
    found: dict[object, list[int]] = {}
    for index in indexes:
        found.setdefault((sight.looks[index], routes[index].methods is None), []).append(index)
    return [
        (
            min(group),
            Merged(path, _methods([routes[index] for index in group]), tuple(routes[index] for index in group)),
        )
        for group in found.values()
    ]


def _others(path: PathPattern, indexes: Sequence[int], sight: _Sight) -> bool:
    """Whether a method that these routes do not have may lead to one that does not look like them."""
    routes = sight.routes
    if any(routes[index].methods is None for index in indexes):
        return False
    left = set(METHODS) - {method for index in indexes for method in routes[index].methods or ()}
    look = sight.looks[indexes[0]]
    return any(
        sight.looks[index] != look and (routes[index].methods is None or left & set(routes[index].methods or ()))
        for index in sight.overlapping(path)
    )


def _methods(routes: Sequence[Route]) -> tuple[str, ...] | None:
    if any(route.methods is None for route in routes):
        return None
    named = {method for route in routes for method in route.methods or ()}
    return tuple(method for method in METHODS if method in named)
