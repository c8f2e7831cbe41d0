"""Merges routes that are alike to whoever looks at them first: a whole subtree of paths becomes one pattern.

The public balancer before an API only has to know who may ask. Where everything below ``/orders`` asks for the same, one
pattern says it, and the API behind finds the route. Nothing is merged over a path that leads to something else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgewright.edge.model import METHODS, PathPattern, Route, Segment
from edgewright.edge.paths import PathTree


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
    looks = [look(route) for route in routes]
    root = _Node(())
    tree: PathTree[int] = PathTree()
    for index, route in enumerate(routes):
        tree.insert(route.path, index)
        _insert(root, route.path, index)
    found: list[tuple[int, Merged]] = []
    _walk(root, routes, looks, tree, found)
    return tuple(item for _, item in sorted(found, key=lambda pair: pair[0]))


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


def _walk(
    node: _Node, routes: Sequence[Route], looks: Sequence[object], tree: PathTree[int], found: list[tuple[int, Merged]]
) -> None:
    mine = _below(node)
    alike = {looks[index] for index in mine}
    if node.segments and len(mine) > 1 and len(alike) == 1 and _alone(node, mine, looks, alike.pop(), routes):
        picked = tuple(routes[index] for index in sorted(mine))
        found.append((min(mine), Merged(PathPattern(node.segments, rest=True), None, picked)))
        return
    for exact in (True, False):
        here = [index for index in node.routes if routes[index].path.rest is not exact]
        found += _here(here, routes, looks, tree)
    for child in node.children.values():
        _walk(child, routes, looks, tree, found)


def _alone(node: _Node, mine: Sequence[int], looks: Sequence[object], look: object, routes: Sequence[Route]) -> bool:
    """Whether no other route that is not alike could match anything at or below the node; and no matches tell it."""
    if any(routes[index].headers or routes[index].query for index in mine):
        return False
    inside = set(mine)
    return all(
        index in inside or looks[index] == look or not _overlaps(routes[index].path, node.segments)
        for index in range(len(routes))
    )


def _overlaps(path: PathPattern, below: tuple[Segment, ...]) -> bool:
    """Whether a path could match something at or below these segments."""
    if len(path.segments) < len(below) and not path.rest:
        return False
    return all(
        one.variable or two.variable or one.text == two.text for one, two in zip(path.segments, below, strict=False)
    )


def _here(
    indexes: Sequence[int], routes: Sequence[Route], looks: Sequence[object], tree: PathTree[int]
) -> list[tuple[int, Merged]]:
    """The routes of one path, by look; with methods only where another method leads to something not alike."""
    if not indexes:
        return []
    path = routes[indexes[0]].path
    plain = [index for index in indexes if not (routes[index].headers or routes[index].query)]
    if plain and len(plain) == len(indexes) and len(_leads_to(path, routes, looks, tree)) == 1:
        return [(min(plain), Merged(path, None, tuple(routes[index] for index in plain)))]
    found: dict[object, list[int]] = {}
    for index in indexes:
        found.setdefault((looks[index], routes[index].methods is None), []).append(index)
    return [
        (
            min(group),
            Merged(path, _methods([routes[index] for index in group]), tuple(routes[index] for index in group)),
        )
        for group in found.values()
    ]


def _leads_to(path: PathPattern, routes: Sequence[Route], looks: Sequence[object], tree: PathTree[int]) -> set[object]:
    """The looks that the methods of a path lead to, by the order of the routes."""
    covering = sorted(tree.covering(path))
    found: set[object] = set()
    for method in METHODS:
        for index in covering:
            route = routes[index]
            if route.methods is None or method in route.methods:
                found.add((looks[index], bool(route.headers or route.query)))
                if not (route.headers or route.query):
                    break
    return found


def _methods(routes: Sequence[Route]) -> tuple[str, ...] | None:
    if any(route.methods is None for route in routes):
        return None
    named = {method for route in routes for method in route.methods or ()}
    return tuple(method for method in METHODS if method in named)
