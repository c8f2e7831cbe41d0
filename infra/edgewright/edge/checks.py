"""Checks across routes: duplicates, routes that nothing reaches, methods that fall through, names that nothing uses."""

from collections.abc import Iterator, Mapping

from edgewright.edge.collect import Collector
from edgewright.edge.model import METHODS, Authorizer, Backend, Forward, Listener, Route
from edgewright.edge.paths import PathTree, shape


def check_routes(
    routes: tuple[Route, ...],
    listeners: tuple[Listener, ...],
    authorizers: Mapping[str, Authorizer],
    backends: Mapping[str, Backend],
    collect: Collector,
) -> None:
    """Note everything that is wrong between routes; they come in the order in which they are tried."""
    web = [item for item in listeners if item.web]
    if web and not routes and not collect.problems:
        collect.error(("routes",), "there are no routes", "write `ANY /*: BACKEND`", code="no-routes")
    if routes and listeners and not web:
        collect.error(
            ("routes",),
            "no listener carries routes",
            "add a listener with `protocol: https`",
            code="no-web-listener",
        )
    _duplicates(routes, collect)
    _unreachable(routes, collect)
    _case_variants(routes, collect)
    _fall_through(routes, collect)
    _unused(routes, listeners, authorizers, backends, collect)


def _conditions(route: Route) -> tuple[object, object]:
    return route.headers, route.query


def _methods(route: Route) -> frozenset[str]:
    return frozenset(route.methods if route.methods is not None else METHODS)


def _by_path(routes: tuple[Route, ...]) -> Iterator[list[Route]]:
    """Routes that match the same paths, in order. Only these can take all of each other's requests (see ``shape``)."""
    groups: dict[object, list[Route]] = {}
    for route in routes:
        groups.setdefault((shape(route.path), route.websocket), []).append(route)
    yield from groups.values()


def _duplicates(routes: tuple[Route, ...], collect: Collector) -> None:
    for group in _by_path(routes):
        for index, one in enumerate(group):
            for two in group[:index]:
                if _conditions(one) == _conditions(two) and set(one.listeners) & set(two.listeners):
                    _duplicate(one, two, collect)


def _duplicate(one: Route, two: Route, collect: Collector) -> None:
    shared = _methods(one) & _methods(two)
    if one.methods == two.methods:
        what = f'it is the same route as "{two.key}" at {two.origin.place}'
        remedy = "remove one, or tell them apart with `match`"
    elif shared and not _methods(one) <= _methods(two) and not _methods(one) >= _methods(two):
        what = f'it shares {" and ".join(sorted(shared))} with "{two.key}" at {two.origin.place}'
        remedy = "name each method in one of them"
    else:
        return  # nothing shared, or the one with fewer methods is the more specific
    collect.error(("routes", one.key), what, remedy, code="duplicate-route", key=True)


def _unreachable(routes: tuple[Route, ...], collect: Collector) -> None:
    for group in _by_path(routes):
        for index, route in enumerate(group):
            left = {(listener, method) for listener in route.listeners for method in _methods(route)}
            takers: list[str] = []
            for earlier in group[:index]:
                if not (set(earlier.headers) <= set(route.headers) and set(earlier.query) <= set(route.query)):
                    continue
                if _conditions(earlier) == _conditions(route) and earlier.methods == route.methods:
                    continue  # a duplicate, which is reported as such
                taken = {(listener, method) for listener in earlier.listeners for method in _methods(earlier)}
                if left & taken:
                    takers.append(earlier.key)
                    left -= taken
            if takers and not left:
                shown = ", ".join(f'"{key}"' for key in takers)
                collect.error(
                    ("routes", route.key),
                    f"no request reaches it: {shown} {'take' if len(takers) > 1 else 'takes'} them all",
                    "remove it, or make it more specific",
                    code="unreachable-route",
                    key=True,
                )


def _case_variants(routes: tuple[Route, ...], collect: Collector) -> None:
    seen: dict[object, Route] = {}
    for route in routes:
        folded = tuple((kind, text.lower()) for kind, text in shape(route.path))
        other = seen.setdefault(folded, route)
        if shape(other.path) != shape(route.path):
            collect.warn(
                ("routes", route.key),
                (other.key, route.key),
                f'"{route.key}" and "{other.key}" differ only in case, which some gateways do not tell apart',
                "give them different names",
            )


def fallers(routes: tuple[Route, ...]) -> Iterator[tuple[Route, Route, tuple[str, ...]]]:
    """Routes whose undeclared methods fall through to a less specific route: (specific, general, methods).

    Only the first general route that takes a method is named, and only where it takes it without conditions.
    """
    place = {route.key: index for index, route in enumerate(routes)}
    tree: PathTree[Route] = PathTree()
    for route in routes:
        if not route.websocket and not route.headers and not route.query:
            tree.insert(route.path, route)
    for group in _by_path(routes):
        special = group[-1]
        missing = set(METHODS).difference(*(_methods(route) for route in group))
        if special.websocket or not missing:
            continue
        for general in sorted(tree.covering(special.path), key=lambda route: place[route.key]):
            taken = missing & _methods(general)
            if general in group or not taken or not set(special.listeners) <= set(general.listeners):
                continue
            yield special, general, tuple(method for method in METHODS if method in taken)
            missing -= taken


def _fall_through(routes: tuple[Route, ...], collect: Collector) -> None:
    for special, general, methods in fallers(routes):
        if special.auth is not None and general.auth is None:
            shown = ", ".join(methods)
            collect.warn(
                ("routes", special.key),
                (special.key, general.key),
                f'{shown} {special.path} falls through to "{general.key}", which is public; "{special.key}" is not',
                f'declare the methods on `{special.path}`, or give "{general.key}" `auth`',
            )


def _unused(
    routes: tuple[Route, ...],
    listeners: tuple[Listener, ...],
    authorizers: Mapping[str, Authorizer],
    backends: Mapping[str, Backend],
    collect: Collector,
) -> None:
    used = {name for route in routes if isinstance(route.action, Forward) for name, _ in route.action.targets}
    used |= {item.backend for item in listeners if item.backend is not None}
    for name in backends:
        if name not in used:
            collect.warn(("backends", name), (), f"nothing uses backend `{name}`", "remove it")
    named = {name for route in routes if route.auth for name in route.auth.authorizers}
    for name in authorizers:
        if name not in named:
            collect.warn(("authorizers", name), (), f"no route uses authorizer `{name}`", "remove it")
