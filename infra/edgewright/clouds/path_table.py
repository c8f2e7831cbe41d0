"""Routes of an edge as the resources of an API: a tree in which no gateway ever has to go back and try again.

A gateway that has taken the branch ``/orders/list`` does not come back for ``/orders/*``, nor does a resource that has
no ``POST`` hand it on to a less specific one. So the tree is completed: each resource names, for each method, the
route that the order of the edge gives, inherited ones included (the same idea as making a finite automaton
deterministic).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from edgewright.edge.model import METHODS, PathPattern, Route

GREEDY = "proxy"
"""The variable that stands for all that is left of a path: ``{proxy+}``."""


@dataclass(frozen=True, slots=True)
class ApiResource:
    """One resource.

    path: as API Gateway writes it, ``/orders/{id}/{proxy+}``; segments: the same, one by one; methods: the route of
    each method that has one; names: per route key, the author's variable names with the names in ``path``; candidates:
    per method, the routes that are asked in turn, of which only the last may have no header or query matches.
    """

    path: str
    segments: tuple[str, ...]
    methods: Mapping[str, Route]
    names: Mapping[str, Mapping[str, str]]
    candidates: Mapping[str, tuple[Route, ...]]

    @property
    def greedy(self) -> bool:
        """Whether it is the ``{proxy+}`` of its parent."""
        return self.path.endswith("{" + GREEDY + "+}")

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables in the path, ``proxy`` included."""
        return tuple(item[1:-1].removesuffix("+") for item in self.segments if item.startswith("{"))

    @property
    def any_route(self) -> Route | None:
        """The route of ``ANY``: one that was written for all methods and holds for one at least."""
        return next((route for route in self.methods.values() if route.methods is None), None)


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict[str, "_Node"])
    variable: "_Node | None" = None
    exact: list[int] = field(default_factory=list[int])
    rest: list[int] = field(default_factory=list[int])


def api_resources(routes: Sequence[Route]) -> tuple[ApiResource, ...]:
    """The resources that carry these routes (in the order in which they are tried), shortest paths first.

    Routes are those of one API: no WebSocket ones.
    """
    root = _Node()
    for index, route in enumerate(routes):
        _insert(root, route.path, index)
    found: list[ApiResource] = []
    for segments, exact, below in _walk([root], (), (), _level_names(routes)):
        if exact:
            found.append(_resource(segments, exact, routes))
        if below:
            found.append(_resource((*segments, "{" + GREEDY + "+}"), below, routes))
    return tuple(item for item in found if item.methods)


def _insert(root: _Node, path: PathPattern, index: int) -> None:
    node = root
    for segment in path.segments:
        if segment.variable:
            node.variable = node.variable or _Node()
            node = node.variable
        else:
            node = node.literals.setdefault(segment.text, _Node())
    (node.rest if path.rest else node.exact).append(index)


def _level_names(routes: Sequence[Route]) -> dict[int, str]:
    """One name for the variable at each depth: a level of an API may have one only. The first by name is taken."""
    found: dict[int, str] = {}
    for route in routes:
        for depth, segment in enumerate(route.path.segments):
            if segment.variable:
                found[depth] = min(found.get(depth, segment.text), segment.text)
    taken: set[str] = {GREEDY}
    for depth in sorted(found):
        name = found[depth]
        while name in taken:
            name += str(depth)
        found[depth] = name
        taken.add(name)
    return found


def _walk(
    nodes: list[_Node], segments: tuple[str, ...], inherited: tuple[int, ...], names: Mapping[int, str]
) -> Iterator[tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]]:
    """Each path with the routes that match it, and those that match everything below it that no child takes."""
    rest = (*inherited, *(index for node in nodes for index in node.rest))
    exact = tuple(sorted((*rest, *(index for node in nodes for index in node.exact))))
    variables = [node.variable for node in nodes if node.variable is not None]
    literals = sorted({text for node in nodes for text in node.literals})
    # With a variable child, that child takes any one segment, and its own {proxy+} what lies below.
    yield segments, exact, tuple(sorted(rest)) if not variables else ()
    for text in literals:
        following = [node.literals[text] for node in nodes if text in node.literals] + variables
        yield from _walk(following, (*segments, text), rest, names)
    if variables:
        yield from _walk(variables, (*segments, "{" + names[len(segments)] + "}"), rest, names)


def _resource(segments: tuple[str, ...], indexes: tuple[int, ...], routes: Sequence[Route]) -> ApiResource:
    candidates: dict[str, tuple[Route, ...]] = {}
    for method in METHODS:
        found = tuple(_asked(method, indexes, routes))
        if found:
            candidates[method] = found
    methods = {method: found[0] for method, found in candidates.items()}
    every = {route.key: route for found in candidates.values() for route in found}
    names = {key: _names(route.path, segments) for key, route in every.items()}
    return ApiResource("/" + "/".join(segments), segments, methods, names, candidates)


def _asked(method: str, indexes: tuple[int, ...], routes: Sequence[Route]) -> Iterator[Route]:
    for index in indexes:
        route = routes[index]
        if route.methods is None or method in route.methods:
            yield route
            if not route.headers and not route.query:
                return


def _names(path: PathPattern, segments: tuple[str, ...]) -> dict[str, str]:
    """The author's variables, each with what stands at its place: a variable of the resource, or a literal text."""
    return {item.text: segments[depth] for depth, item in enumerate(path.segments) if item.variable}
