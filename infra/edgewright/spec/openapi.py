"""Translates an OpenAPI 3.0 or 3.1 document into the data of a spec, and keeps the way back to the document's lines.

Servers give the listener and the path before all routes, paths and operations the routes, security schemes the
authorizers, `security` the `auth` of routes. What OpenAPI has no word for stands in `x-edge`: at the root the fields of
a spec (and `backend`, for all operations that name none), on paths and operations the fields of a route, where the
operation's win; in a security scheme the fields of the authorizer, or a whole authorizer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from edgewright.spec.model import EdgeSpec
from edgewright.spec.openapi_operation import Operations
from edgewright.spec.openapi_reader import X_EDGE, Node, Reader, mapping
from edgewright.spec.openapi_security import Security
from edgewright.spec.openapi_server import server
from edgewright.spec.problems import Path, Problem, Sources

_METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
_ROOT_FIELDS = (
    *("openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags"),
    "externalDocs",
)
_PATH_FIELDS = ("$ref", "summary", "description", "servers", "parameters", "trace")
_OPERATION_FIELDS = (
    *("tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses"),
    *("callbacks", "deprecated", "security", "servers"),
)
"""The fields that OpenAPI 3.0 and 3.1 have; all else begins with `x-`."""
_VENDORS = ("x-amazon-", "x-ms-", "x-google-", "x-kong-")
_OURS = ("backend", "routes")
"""Fields of the root's `x-edge` that are not simply fields of the spec."""
_TARGETS = ("backend", "redirect", "respond")


@dataclass(frozen=True, slots=True)
class Translation:
    """The data of a spec, the sources of its parts in the OpenAPI document, and what is wrong with it or ignored."""

    data: dict[str, object]
    sources: Sources
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def is_openapi(data: object) -> bool:
    """Whether a document is an OpenAPI document, of whatever version."""
    return isinstance(data, Mapping) and ("openapi" in data or "swagger" in data)


def translate(data: Mapping[str, object], sources: Sources) -> Translation:
    """The spec that an OpenAPI document means; what is wrong is in its ``problems``."""
    reader = Reader(data, sources)
    translator = _Translator(reader)
    translator.run()
    moved = Sources(sources.file, _Moved(sources.values, translator.origins), _Moved(sources.keys, translator.origins))
    return Translation(translator.data, moved, tuple(reader.problems), tuple(sorted(reader.warnings, key=_by_place)))


def _by_place(problem: Problem) -> tuple[int, int, str]:
    return (problem.place.line, problem.place.column, problem.what)


class _Translator:
    """Fills ``data``, and for each part of it notes in ``origins`` the path that it came from."""

    def __init__(self, reader: Reader) -> None:
        self.data: dict[str, object] = {}
        self.origins: dict[Path, Path] = {(): ()}
        self._reader = reader
        self._root = reader.root
        self._edge = reader.x_edge(reader.root) or Node({}, (X_EDGE,))
        self._security = Security(reader, self._edge)
        self._operations = Operations(reader)
        self._prefix = ""
        self._routes: dict[str, object] = {}
        self._homeless: list[Node] = []
        self._vendors: dict[str, list[Path]] = {}

    def run(self) -> None:
        """Translate everything, in the order in which later parts need earlier ones."""
        if not self._version():
            return
        for name, value in self._edge.items():
            if name not in _OURS:
                self._put((name,), value, (*self._edge.path, name))
        self._check_fields(self._root, _ROOT_FIELDS, "a document")
        self._misplaced()
        self._name()
        self._listener()
        self._defaults()
        self._vendor(self._root)
        self._paths()
        self._more_routes()
        self._put(("routes",), self._routes, ("paths",))
        self._authorizers()
        self._without_backend()
        self._ignored()

    def _version(self) -> bool:
        version = self._root.get("openapi")
        if re.fullmatch(r"3\.[01](\.[0-9]+)?", str(version)):
            return True
        old = self._root.get("swagger") is not None
        what = "this is Swagger 2.0" if old else f"`openapi: {str(version)[:20]}` is not a version that is read here"
        remedy = "convert it to OpenAPI 3.0 or 3.1" if old else "write `openapi: 3.1.0` or `openapi: 3.0.3`"
        self._reader.error(("swagger",) if old else ("openapi",), what, remedy)
        return False

    def _name(self) -> None:
        info = self._reader.child(self._root, "info")
        title = info.get("title") if info else None
        if "name" not in self.data and isinstance(title, str):
            slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-0123456789")[:40].strip("-")
            if slug:
                self._put(("name",), slug, ("info", "title"))

    def _listener(self) -> None:
        found = server(self._reader)
        self._prefix = found.prefix
        if "listeners" in self.data or not found.listener:
            return
        written = self.data.get("listener", {})
        if isinstance(written, Mapping):
            own = cast("Mapping[str, object]", written)
            for name in [name for name in found.listener if name not in own]:
                self.origins["listener", name] = ("servers", 0, "url")
            self.origins.setdefault(("listener",), ("servers", 0))
            self.data["listener"] = {**found.listener, **own}

    def _defaults(self) -> None:
        """The document's own `security` is the default of all routes, unless `x-edge` says another."""
        defaults = self.data.get("defaults", {})
        if "security" not in self._root.value or not isinstance(defaults, Mapping):
            return
        given = cast("Mapping[str, object]", defaults)
        if "auth" in given:
            self._replaced(self._root, given["auth"], (*self._edge.path, "defaults", "auth"))
            return
        auth = self._security.auth(self._root)
        if auth is not None:
            self.origins["defaults", "auth"] = ("security",)
            self.data["defaults"] = {**given, "auth": auth}

    # -- routes

    def _paths(self) -> None:
        paths = self._reader.child(self._root, "paths")
        if paths is None:
            if "routes" not in self._edge.value and self._root.get("paths") is None:
                self._reader.error((), "there are no `paths`", "write `paths: {/orders: {get: ...}}`")
            return
        for path in paths.value:
            if path.startswith("x-"):
                continue
            if not path.startswith("/"):
                self._reader.error((*paths.path, path), f"the path `{path}` does not begin with a slash", "", key=True)
                continue
            item = self._reader.child(paths, path)
            if item:
                self._path_item(path, self._reader.layers(item))

    def _path_item(self, path: str, layers: list[Node]) -> None:
        """One path; with `$ref` it has two layers, its own fields before those it refers to."""
        inherited: dict[str, tuple[object, Path]] = {}
        for layer in reversed(layers):
            inherited |= self._route_fields(layer)
            self._vendor(layer)
            self._check_fields(layer, (*_METHODS, *_PATH_FIELDS), "a path")
            self._not_served(layer)
        for method in _METHODS:
            owner = next((layer for layer in layers if method in layer.value), None)
            operation = self._reader.child(owner, method) if owner else None
            if operation:
                self._operation(path, method, operation, layers, inherited)

    def _operation(
        self,
        path: str,
        method: str,
        operation: Node,
        layers: Sequence[Node],
        inherited: Mapping[str, tuple[object, Path]],
    ) -> None:
        full = self._prefix if path == "/" and self._prefix else f"{self._prefix}{path}"
        key = f"{method.upper()} {full}"
        fields = {**inherited, **self._route_fields(operation)}
        self._check_fields(operation, _OPERATION_FIELDS, "an operation")
        if "auth" in fields and "security" in operation.value:
            self._replaced(operation, *fields["auth"])
        elif "security" in operation.value:
            auth = self._security.auth(operation, key)
            if auth is not None:
                fields["auth"] = (auth, (*operation.path, "security"))
        if not any(name in fields for name in _TARGETS):
            default = self._default_backend()
            if default is None:
                self._homeless.append(operation)
                return
            fields["backend"] = default
        if "validate" in fields:
            fields["validate"] = self._checked(*fields["validate"], operation, layers)
        self.origins["routes", key] = operation.path
        for name, (_, origin) in fields.items():
            self.origins["routes", key, name] = origin
        self._routes[key] = {name: value for name, (value, _) in fields.items()}
        self._vendor(operation)
        if operation.get("servers"):
            self._reader.warn(
                (*operation.path, "servers"), "servers of an operation are ignored", "use its own `listener`"
            )
        if operation.get("callbacks"):
            what = "callbacks are ignored: services send them, and they do not come through the edge"
            self._reader.warn((*operation.path, "callbacks"), what)

    def _checked(self, written: object, origin: Path, operation: Node, layers: Sequence[Node]) -> tuple[object, Path]:
        """What `validate` says, with the operation that it is about unless it says one itself."""
        if written is not True and not isinstance(written, Mapping):
            return written, origin
        details = mapping(cast("object", written))
        if "operation" in details:
            return details, origin
        return {**details, "operation": self._operations.read(operation, layers)}, origin

    def _route_fields(self, owner: Node) -> dict[str, tuple[object, Path]]:
        """The fields of `x-edge` on a path or operation, each with its path; a text is short for its backend."""
        if isinstance(owner.get(X_EDGE), str):
            return {"backend": (owner.get(X_EDGE), (*owner.path, X_EDGE))}
        node = self._reader.x_edge(owner)
        return {name: (value, (*node.path, name)) for name, value in node.items()} if node else {}

    def _default_backend(self) -> tuple[object, Path] | None:
        """What the root's `x-edge` says, or the only backend there is."""
        if self._edge.get("backend") is not None:
            return self._edge.get("backend"), (*self._edge.path, "backend")
        backends = self._edge.get("backends")
        names = list(mapping(backends))
        return (names[0], (*self._edge.path, "backends", names[0])) if len(names) == 1 else None

    def _more_routes(self) -> None:
        """Routes of the root's `x-edge`, as written: the server's path is not put before them."""
        routes = self._reader.child(self._edge, "routes") if "routes" in self._edge.value else None
        for key, value in routes.items() if routes else ():
            origin = (*self._edge.path, "routes", key)
            if key in self._routes:
                self._reader.error(origin, f"`{key}` is an operation of the document already", "keep one", key=True)
            else:
                self._routes[key] = value
                self.origins["routes", key] = origin

    def _authorizers(self) -> None:
        written = self.data.get("authorizers", {})
        found = self._security.authorizers()
        if found and isinstance(written, Mapping):
            merged = dict(cast("Mapping[str, object]", written))
            for name, (value, origins) in found.items():
                merged[name] = value
                self.origins |= {("authorizers", name, *path): origin for path, origin in origins.items()}
            self.data["authorizers"] = merged
            self.origins.setdefault(("authorizers",), ("components", "securitySchemes"))

    def _without_backend(self) -> None:
        count = len(self._homeless)
        if count and not self._reader.problems:
            what = f"{count} operations have no backend, this one first" if count > 1 else "it has no backend"
            remedy = "write `x-edge: {backend: orders}` in it, on its path, or at the root for all"
            self._reader.error(self._homeless[0].path, what, remedy, key=True)

    # -- what is ignored

    def _check_fields(self, node: Node, known: tuple[str, ...], what: str) -> None:
        """Unknown fields are errors: a slip in `security` or `x-edge` must not open what it was to close."""
        for name in node.value:
            if name in known or name == X_EDGE:
                continue
            if name.startswith("x-"):
                if get_close_matches(name.lower(), (X_EDGE,), cutoff=0.8):
                    said, remedy = f"`{name}` is not known here", f"did you mean `{X_EDGE}`?"
                    self._reader.error((*node.path, name), said, remedy, key=True)
                continue
            remedy = self._reader.suggestion(name.lower(), (*known, X_EDGE))
            if what == "a document" and name in EdgeSpec.model_fields:
                remedy = f"write it in `{X_EDGE}`"
            self._reader.error((*node.path, name), f"{what} has no field `{name}`", remedy, key=True)

    def _misplaced(self) -> None:
        """`x-edge` where nothing reads it."""
        places = [self._reader.child(self._root, name) for name in ("info", "paths", "components")]
        for node in places:
            if node and X_EDGE in node.value:
                what = f"`{X_EDGE}` has no meaning here"
                remedy = "write it at the root, in a path, in an operation or in a security scheme"
                self._reader.error((*node.path, X_EDGE), what, remedy, key=True)

    def _replaced(self, owner: Node, auth: object, origin: Path) -> None:
        """Warn where `auth` in `x-edge` quietly opens what `security` closes, or comes from further out.

        Beside `security` it is how to say what OpenAPI has no word for, such as claims.
        """
        beside = owner is self._root or origin[: len(owner.path)] == owner.path
        if auth != "none" and beside:
            return
        what = f"`security` is not used: `auth` in `{X_EDGE}`{self._reader.line(origin)} goes before it"
        self._reader.warn((*owner.path, "security"), what, "write one of them")

    def _not_served(self, layer: Node) -> None:
        if "trace" in layer.value:
            self._reader.warn((*layer.path, "trace"), "TRACE is not routed: it shows a client what it must not see")
        if layer.get("servers"):
            self._reader.warn((*layer.path, "servers"), "servers of a path are ignored", "use its own `listener`")

    def _ignored(self) -> None:
        if self._root.get("webhooks"):
            self._reader.warn(("webhooks",), "webhooks are ignored: services send them")
        self._security.warn_of_unused()
        for name, places in self._vendors.items():
            many = f", here and in {len(places) - 1} more places" if len(places) > 1 else ""
            self._reader.warn(places[0], f"`{name}` is ignored{many}", "say it in `x-edge`")

    def _vendor(self, node: Node) -> None:
        for name in node.value:
            if name.startswith(_VENDORS):
                self._vendors.setdefault(name, []).append((*node.path, name))

    def _put(self, path: Path, value: object, origin: Path) -> None:
        self.data[str(path[0])] = value
        self.origins[path] = origin


class _Moved(Mapping[Path, tuple[int, int]]):
    """Places of the spec's parts: those of the parts of the OpenAPI document that they came from."""

    def __init__(self, base: Mapping[Path, tuple[int, int]], origins: Mapping[Path, Path]) -> None:
        self._base = base
        self._origins = origins

    def __getitem__(self, path: Path) -> tuple[int, int]:
        for length in range(len(path), -1, -1):
            origin = self._origins.get(path[:length])
            if origin is not None:
                return self._base[(*origin, *path[length:])]
        raise KeyError(path)

    def __iter__(self) -> Iterator[Path]:
        return (path for path, origin in self._origins.items() if origin in self._base)

    def __len__(self) -> int:
        return sum(1 for _ in self)
