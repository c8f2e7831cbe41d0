"""Translates the security of an OpenAPI document: schemes to authorizers, requirements to the `auth` of routes."""

import re
from collections.abc import Mapping
from typing import cast

from edgewright.spec.openapi_reader import X_EDGE, Node, Reader, mapping
from edgewright.spec.problems import Path, did_you_mean
from edgewright.spec.shown import shown

_KINDS = ("jwt", "api_key", "oidc", "introspection", "mtls")
_TYPES = ("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect")
_SCHEMES = ("components", "securitySchemes")
_DISCOVERY = "/.well-known/openid-configuration"

_NEEDED: dict[str, tuple[tuple[str, str], ...]] = {
    "jwt": (("issuer", "https://login.shop.example/"), ("audiences", "[api://shop]")),
    "api_key": (("clients", "[acme]"),),
}
"""What OpenAPI does not say of an authorizer, with examples."""

Alternative = tuple[str, str, tuple[str, ...]]
"""The scheme, its authorizer and the scopes of one way in."""

Found = dict[str, tuple[object, dict[Path, Path]]]
"""Authorizers by name: the value, and the origins of its parts, by their paths within it."""


class Security:
    """Schemes become authorizers when a requirement names them."""

    def __init__(self, reader: Reader, edge: Node) -> None:
        self._reader = reader
        components = reader.child(reader.root, "components")
        self._schemes = reader.child(components, "securitySchemes") if components else None
        self._written = frozenset(mapping(edge.get("authorizers")))
        self._used: dict[str, str] = {}
        self._names: set[str] = set()
        self._offered: dict[str, frozenset[str]] = {}
        self._referred: set[str] = set()

    def auth(self, owner: Node, route: str = "") -> object:
        """The `auth` that the `security` of an operation, or of the document, means; None with an error."""
        path = (*owner.path, "security")
        about: Path = ("routes", route, "auth") if route else path
        requirements = owner.get("security")
        items = cast("list[object]", requirements) if isinstance(requirements, list | tuple) else None
        if items is None or not all(_is_requirement(item) for item in items):
            self._reader.error(path, "`security` is a list of mappings", "write `security: [{main: []}]`", about=about)
            return None
        nodes = [Node(cast("Mapping[str, object]", item), (*path, number)) for number, item in enumerate(items)]
        if not any(node.value for node in nodes):
            return "none"
        for node in nodes:
            if not node.value:
                what = "`{}` lets everybody in, so the others check nothing"
                remedy = "take it out, or write `security: []` for a public route"
                self._reader.error(node.path, what, remedy, about=about)
                return None
        found = [self._alternative(node, about) for node in nodes]
        ways = [item for item in found if item is not None]
        return self._joined(ways, path, about) if len(ways) == len(nodes) else None

    def authorizers(self) -> Found:
        """The authorizers of all schemes that were named so far."""
        found: Found = {}
        for scheme, name in self._used.items():
            node = self._scheme(scheme)
            if node is not None and name not in self._written:
                authorizer = self._authorizer(scheme, node)
                if authorizer:
                    found[name] = authorizer
        return found

    def warn_of_unused(self) -> None:
        """Warn of schemes that nothing names."""
        for scheme in self._schemes.value if self._schemes else ():
            if scheme not in self._used and scheme not in self._referred and not scheme.startswith("x-"):
                path = (*_SCHEMES, scheme)
                self._reader.warn(
                    path, f"the security scheme `{scheme}` is used by no operation", "name it in `security`"
                )

    # -- requirements

    def _alternative(self, node: Node, about: Path) -> Alternative | None:
        if len(node.value) > 1:
            names = " and ".join(f"`{name}`" for name in node.value)
            remedy = "the edge checks one credential a request: keep one, and check the other in the backend"
            self._reader.error(node.path, f"it needs {names} at once", remedy, about=about)
            return None
        [(scheme, scopes)] = node.items()
        if self._authorizer_name(scheme, (*node.path, scheme), about) is None:
            return None
        if not isinstance(scopes, list | tuple) or not all(
            isinstance(item, str) for item in cast("list[object]", scopes)
        ):
            self._reader.error((*node.path, scheme), "scopes are a list of texts", "write `[]` for none", about=about)
            return None
        words = tuple(dict.fromkeys(cast("list[str]", scopes)))
        self._check_scopes(scheme, words, (*node.path, scheme))
        return scheme, self._used[scheme], words

    def _joined(self, ways: list[Alternative], path: Path, about: Path) -> object:
        names = list(dict.fromkeys(name for _, name, _ in ways))
        scopes = [words for _, _, words in ways]
        authorizer: object = names[0] if len(names) == 1 else names
        if len({frozenset(words) for words in scopes}) == 1:
            return {"authorizer": authorizer, "scopes": list(scopes[0])} if scopes[0] else authorizer
        if len(names) == 1 and all(len(words) == 1 for words in scopes):
            return {"authorizer": authorizer, "any_scope": [words[0] for words in scopes]}
        what = "its alternatives ask for different scopes"
        self._reader.error(path, what, "ask for the same scopes in all, or write `auth` in `x-edge`", about=about)
        return None

    def _check_scopes(self, scheme: str, words: tuple[str, ...], path: Path) -> None:
        """Scopes that no flow of the scheme offers are warned of: no token can carry them."""
        if scheme not in self._offered:
            node = self._scheme(scheme)
            flows = mapping(node.get("flows") if node else None).values()
            self._offered[scheme] = frozenset(word for flow in flows for word in mapping(mapping(flow).get("scopes")))
        offered = self._offered[scheme]
        for word in words:
            if offered and word not in offered:
                what = f"no flow of `{scheme}` offers the scope `{word}`"
                self._reader.warn(path, what, self._reader.suggestion(word, offered))

    # -- schemes

    def _scheme(self, name: str) -> Node | None:
        node = self._reader.child(self._schemes, name) if self._schemes and name in self._schemes.value else None
        if node is None or "$ref" not in node.value:
            return node
        target = self._reader.resolved(node)
        if target and target.path[:2] == _SCHEMES:
            self._referred.add(str(target.path[-1]))
        return target

    def _authorizer_name(self, scheme: str, path: Path, about: Path) -> str | None:
        """The name of a scheme's authorizer; an error for a scheme that is not there."""
        if scheme in self._used:
            return self._used[scheme]
        known: Mapping[str, object] = self._schemes.value if self._schemes else {}
        if scheme not in known and scheme not in self._written:
            what = f"there is no security scheme `{scheme[:60]}`"
            remedy = self._reader.suggestion(scheme, {*known, *self._written})
            self._reader.error(path, what, remedy, key=True, about=about)
            return None
        node = self._scheme(scheme)
        edge = self._reader.child(node, X_EDGE) if node else None
        given = edge.get("name") if edge else None
        name = given if isinstance(given, str) else _slug(scheme)
        if name in self._names:
            what = f"two security schemes would be called `{name}`"
            where = (*_SCHEMES, scheme)
            self._reader.error(where, what, "write `x-edge: {name: main}` in one of them", key=True)
        self._used[scheme] = name
        self._names.add(name)
        return name

    def _authorizer(self, scheme: str, node: Node) -> tuple[object, dict[Path, Path]] | None:
        edge = self._reader.x_edge(node) or Node({}, node.path)
        details = {name: value for name, value in edge.items() if name != "name"}
        if any(kind in details for kind in _KINDS):
            return details, {(): edge.path}
        kind, derived = self._kind(scheme, node, details)
        if kind is None:
            return None
        missing = [(name, value) for name, value in _NEEDED.get(kind, ()) if name not in {**derived, **details}]
        if missing:
            names = " and ".join(f"`{name}`" for name, _ in missing)
            remedy = ", ".join(f"{name}: {value}" for name, value in missing)
            what = f"the security scheme `{scheme}` does not say its {names}"
            self._reader.error(node.path, what, f"write `x-edge: {{{remedy}}}` in it", key=True)
            return None
        origins: dict[Path, Path] = {(): node.path, (kind,): edge.path}
        origins |= {(kind, name): node.path for name in derived if name not in details}
        return {kind: {**derived, **details}}, origins

    def _kind(self, scheme: str, node: Node, details: Mapping[str, object]) -> tuple[str | None, dict[str, object]]:
        """The kind of authorizer, and what the scheme says of it."""
        match node.get("type"):
            case "http":
                return self._http(node)
            case "oauth2":
                return "jwt", {}
            case "openIdConnect":
                return self._openid(scheme, node, details)
            case "apiKey":
                return self._api_key(node)
            case "mutualTLS":
                return "mtls", {}
            case other:
                remedy = did_you_mean(other, _TYPES) if isinstance(other, str) else f"write one of {', '.join(_TYPES)}"
                what = f"a security scheme has no type {shown(other)}" if other else f"`{scheme}` has no `type`"
                self._reader.error((*node.path, "type"), what, remedy)
                return None, {}

    def _http(self, node: Node) -> tuple[str | None, dict[str, object]]:
        scheme = node.get("scheme")
        if isinstance(scheme, str) and scheme.lower() == "bearer":
            return "jwt", {}
        remedy = "use `scheme: bearer`, or another authorizer in `x-edge`"
        self._reader.error((*node.path, "scheme"), f"the edge does not check the HTTP scheme {shown(scheme)}", remedy)
        return None, {}

    def _openid(self, scheme: str, node: Node, details: Mapping[str, object]) -> tuple[str | None, dict[str, object]]:
        url = node.get("openIdConnectUrl")
        if "issuer" in details or not isinstance(url, str) or not url.endswith(_DISCOVERY):
            return "jwt", {}
        issuer = url.removesuffix(_DISCOVERY)
        what = f"the issuer of `{scheme}` is taken to be `{issuer}`, without a slash at its end"
        self._reader.warn((*node.path, "openIdConnectUrl"), what, "write `issuer` in its `x-edge`, as tokens have it")
        return "jwt", {"issuer": issuer}

    def _api_key(self, node: Node) -> tuple[str | None, dict[str, object]]:
        where, name = node.get("in"), node.get("name")
        if where not in ("header", "query", "cookie"):
            self._reader.error((*node.path, "in"), f"expected header, query or cookie, got {shown(where)}")
            return None, {}
        if not isinstance(name, str):
            self._reader.error(node.path, "an apiKey has a `name`", "write `name: x-api-key`")
            return None, {}
        return "api_key", {"from": {str(where): name}}


def _is_requirement(item: object) -> bool:
    """Whether it is a mapping from texts: another key must never be left out, as `{}` would let everybody in."""
    return isinstance(item, Mapping) and all(isinstance(key, str) for key in cast("Mapping[object, object]", item))


def _slug(scheme: str) -> str:
    """A name of ours for a scheme: `bearerAuth` is `bearer-auth`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", scheme).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-0123456789")[:40].strip("-") or "main"
