"""What led to a resource: routes, and the lines of the spec or of the stack's file that a reviewer has to look at."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from edgewright.plan.model import PlannedRoute, Resource
from edgewright.spec.problems import Path, Place, Sources, dotted

MOST_ROUTES = 4
"""What carries more routes than this, such as an API as a whole, is not led to by any one of them."""


@dataclass(frozen=True, slots=True)
class Led:
    """A row of a cloud's table: how a type and a property's path begin, and the keys that lead there.

    keys: ``spec:waf`` of the spec, ``stack:network`` of the stack's bindings.
    """

    type: str
    path: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A file and where its parts stand. root: keys that stand before those that are asked for."""

    sources: Sources
    root: Path = ()

    def has(self, path: Path) -> bool:
        """Whether the key is written there."""
        return (*self.root, *path) in self.sources.keys

    def place(self, path: Path) -> Place:
        """Where the key stands, or the nearest thing around it."""
        return replace(self.sources.place((*self.root, *path), key=True), path=path)

    def text(self, path: Path) -> str:
        """``waf (shop.edge.yaml:12)``; of a key that is not there, the file that could have it."""
        place = self.sources.place((*self.root, *path), key=True)
        if self.has(path):
            return f"{dotted(path)} ({place.file}:{place.line})"
        return f"{dotted(path)} ({place.file} does not say it)" if place.file else dotted(path)


_ABOUT = (
    ("throttl", "throttle"),
    ("rate", "throttle"),
    ("quota", "quota"),
    ("cach", "cache"),
    ("cors", "cors"),
    ("timeout", "timeout"),
    ("auth", "auth"),
    ("secur", "auth"),
    ("jwt", "auth"),
    ("key", "auth"),
    ("protocol", "to"),
)
"""Words of a rule's name or of a path, and the setting of a route that they are about; the first that fits."""

_OPERATION = re.compile(r"`([A-Z]+) (/[^`]*)`")
_IN_BODY = re.compile(r"paths\.(/.*)\.(get|head|post|put|patch|delete|options|x-amazon-apigateway-any-method)\b")


class LedBy:
    """Finds routes and places for the resources of one plan."""

    def __init__(
        self,
        routes: Sequence[PlannedRoute],
        resources: Sequence[Resource],
        refs: Mapping[str, Iterable[str]],
        backends: Sequence[str],
        spec: Written | None,
        stack: Written | None,
        table: Sequence[Led],
    ) -> None:
        """refs: urns of the resources that a resource refers to, by its own urn; table: of the cloud."""
        self._routes = {route.key: route for route in routes}
        self._resources = {resource.urn: resource for resource in resources}
        self._backends = backends
        self._files = {"spec": spec, "stack": stack}
        self._table = table
        self._carried: dict[str, list[str]] = {}
        for route in routes:
            for name, _ in route.carried_by:
                self._carried.setdefault(name, []).append(route.key)
        self._behind: dict[str, list[str]] = {}
        for urn, others in refs.items():
            for other in others:
                self._behind.setdefault(other, []).extend(self._carried.get(self._resources[urn].name, ()))

    def of(self, urn: str, path: str, rule: str, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Keys of routes, and places, for what a rule says about a property."""
        resource = self._resources.get(urn)
        if resource is None:
            return (), ()
        said = tuple(dict.fromkeys(_operations(path, text, self._routes)))
        direct = said or self._carried_here(resource)
        # Else what the routes forward to.
        keys = direct or _few(self._behind.get(urn, ()))
        backend, spec = "" if direct else self._backend(resource), self._files["spec"]
        if backend and spec is not None:
            return keys, tuple(self._of_backend(backend, spec))
        if keys:
            about = f"{rule} {path}".lower()
            return keys, tuple(dict.fromkeys(_origin(self._routes[key], about) for key in keys))
        return (), tuple(self._by_type(resource, path))

    def _carried_here(self, resource: Resource) -> tuple[str, ...]:
        """The routes that the resource carries, or the component that it is a part of."""
        named = (self._carried.get(one.name) for one in self._with_parents(resource))
        return _few(next((keys for keys in named if keys), ()))

    def _with_parents(self, resource: Resource) -> Iterator[Resource]:
        at: Resource | None = resource
        while at is not None:
            yield at
            at = self._resources.get(at.parent or "")

    def _backend(self, resource: Resource) -> str:
        """The backend that it is made for: names of resources end with those of the spec."""
        parent = self._resources.get(resource.parent or "")
        for name in (resource.name, parent.name if parent is not None else ""):
            fitting = [backend for backend in self._backends if name.endswith(f"-{backend}")]
            if fitting:
                return max(fitting, key=len)
        return ""

    def _of_backend(self, name: str, spec: Written) -> Iterator[str]:
        """Where a backend is described, and where the stack says what speaks there."""
        key, stack = ("backends", name), self._files["stack"]
        yield spec.text(key)
        if stack is not None and stack.has(key):
            yield stack.text(key)

    def _by_type(self, resource: Resource, path: str) -> Iterator[str]:
        row = next(
            (row for row in self._table if resource.type.startswith(row.type) and path.startswith(row.path)), None
        )
        keys = [key.partition(":") for key in (row.keys if row is not None else ())]
        known = [(file, tuple(name.split("."))) for where, _, name in keys if (file := self._files[where]) is not None]
        written = [(file, key) for file, key in known if file.has(key)]
        for file, key in (written or known)[:1]:
            yield file.text(key)
        if keys and not known and self._files["spec"] is not None:
            yield f"{keys[0][2]} (not bound)"


def _few(keys: Sequence[str]) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(keys))
    return unique if len(unique) <= MOST_ROUTES else ()


def _operations(path: str, text: str, known: Container[str]) -> Iterator[str]:
    """The routes of the operations that a path or a text names."""
    inside = _IN_BODY.search(path)
    named = [(method, where) for method, where in _OPERATION.findall(text)]
    named += [(inside[2].upper(), inside[1])] if inside else []
    for method, where in named:
        # `/orders/*` of a spec is two paths of a document: `/orders`, and what stands below it.
        below = re.sub(r"/\{[^{}]+\+\}$", "/*", where)
        either = dict.fromkeys((where, below, f"{where.rstrip('/')}/*"))
        found = next((f"{word} {one}" for one in either for word in (method, "ANY") if f"{word} {one}" in known), None)
        if found is not None:
            yield found


def _origin(route: PlannedRoute, about: str) -> str:
    """Where the setting was written that the words are about, else the route itself."""
    for word, name in _ABOUT:
        if word in about and name in route.settings and route.settings[name].origin != "built in":
            return route.settings[name].origin
    return route.settings["to"].origin if "to" in route.settings else f"routes.{route.key}"
