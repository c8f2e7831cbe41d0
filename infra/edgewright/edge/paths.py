"""Route keys and path templates: their grammar, what they match, and which comes first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from edgewright.edge.model import METHODS, PathPattern, Segment

_LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()+,=:@-]+")
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_KEY = re.compile(r"(?P<methods>\S+) +(?P<path>\S+)(?: +\((?P<label>[^()]*)\))?")

T = TypeVar("T")

MAX_SEGMENTS = 32
"""More segments than this are refused; no gateway takes them, and every target's matching stays bounded."""


class PathError(ValueError):
    """A key or path that breaks the grammar; ``what`` and ``remedy`` say how, and what to write instead."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class RouteKey:
    """A parsed key such as ``GET,HEAD /orders/{id} (beta)``; methods None is ``ANY``."""

    methods: tuple[str, ...] | None
    websocket: bool
    path: PathPattern
    label: str


def parse_key(key: str) -> RouteKey:
    """The parts of a route's key.

    Raises PathError for a key that is not ``METHOD /path``, with an optional ``(label)``.
    """
    if key.startswith("/"):
        raise PathError(f"`{key}` has no method", f"write `ANY {key}` or `GET {key}`")
    match = _KEY.fullmatch(key)
    if match is None:
        raise PathError(f"`{key}` is not a route", "write it like `GET /orders/{id}`, `ANY /orders/*` or `WS /live`")
    methods = _methods(match["methods"])
    label = match["label"] or ""
    if match["label"] is not None and _LABEL.fullmatch(label) is None:
        raise PathError(f"`({label})` is not a label", "use lower-case letters, digits and hyphens, such as `(beta)`")
    return RouteKey(methods, match["methods"] == "WS", parse_path(match["path"]), label)


def _methods(text: str) -> tuple[str, ...] | None:
    if text == "ANY":
        return None
    if text == "WS":
        return ("GET",)
    names = text.split(",")
    for name in names:
        if name not in METHODS:
            known = (
                f"`{name.upper()}`" if name.upper() in (*METHODS, "ANY", "WS") else ", ".join((*METHODS, "ANY", "WS"))
            )
            raise PathError(f"`{name}` is not a method", f"write {known}")
    if len(set(names)) != len(names):
        raise PathError(f"`{text}` names a method twice", "name each once")
    return tuple(sorted(names, key=METHODS.index))


def parse_path(text: str) -> PathPattern:
    """The pattern of a path.

    Raises PathError for anything that two gateways could read in different ways: empty and dot segments,
    escapes, a slash at the end, ``*`` elsewhere than as the last segment, a variable that is part of a segment.
    """
    if not text.startswith("/"):
        raise PathError(f"`{text}` does not begin with a slash", f"write `/{text}`")
    if text == "/":
        return PathPattern(())
    parts = text[1:].split("/")
    rest = parts[-1] == "*"
    if rest:
        parts.pop()
    if len(parts) > MAX_SEGMENTS:
        raise PathError(f"the path has {len(parts)} segments", f"use at most {MAX_SEGMENTS}")
    segments = tuple(_segment(part, text) for part in parts)
    names = [item.text for item in segments if item.variable]
    for name in names:
        if names.count(name) > 1:
            raise PathError(f"`{{{name}}}` stands twice in `{text}`", "give each variable a name of its own")
    return PathPattern(segments, rest)


def _segment(part: str, text: str) -> Segment:
    variable = _VARIABLE.fullmatch(part)
    if variable:
        return Segment(variable[1], variable=True)
    if part == "":
        if text.endswith("/"):
            raise PathError(
                f"`{text}` ends with a slash",
                f"write `{text.rstrip('/') or '/'}`, or `{text}*` for all below it",
            )
        raise PathError(f"`{text}` has an empty segment", "write single slashes")
    if part in (".", ".."):
        raise PathError(f"`{text}` has a `{part}` segment", "write the path that it leads to")
    if "{" in part or "}" in part:
        raise PathError(
            f"`{part}` is not a segment",
            "a variable is a whole segment, such as `{id}`, of letters, digits and `_`",
        )
    if "*" in part:
        raise PathError(
            f"`*` stands inside `{text}`",
            "it may only be the last segment, `/*`; use `{name}` for one segment",
        )
    if "%" in part or ";" in part or "?" in part or "#" in part or "\\" in part:
        raise PathError(
            f"`{part}` has a character that gateways read differently",
            "write the path without `%`, `;`, `?`, `#` and `\\`",
        )
    if _LITERAL.fullmatch(part) is None:
        raise PathError(
            f"`{part}` has characters that a path may not have", "use letters, digits and `-._~!$&'()+,=:@`"
        )
    if part.endswith("."):
        raise PathError(f"`{part}` ends with a dot", "some servers drop it; write the segment without it")
    return Segment(part)


def slug(key: RouteKey) -> str:
    """A name for resources, different for different keys: ``get.orders.-id``, ``any.orders.--``.

    A variable is ``-name``, ``/*`` is ``--``; what is not a letter or digit in a literal is escaped as ``_xx``.
    """
    methods = "ws" if key.websocket else "any" if key.methods is None else "+".join(key.methods).lower()
    parts = [f"-{item.text}" if item.variable else _escaped(item.text) for item in key.path.segments]
    parts += ["--"] if key.path.rest else []
    return ".".join([methods, *parts]) + (f"({key.label})" if key.label else "")


def _escaped(text: str) -> str:
    safe = "".join(char if char.isalnum() or char == "-" else f"_{ord(char):02x}" for char in text)
    return f"_2d{safe[1:]}" if safe.startswith("-") else safe


def shape(path: PathPattern) -> tuple[tuple[int, str], ...]:
    """The order of paths, and their identity without the names of variables.

    Segment by segment a literal comes before a variable before ``/*``; a path that ends comes before ``/*``.
    """
    parts = tuple((1, "") if item.variable else (0, item.text) for item in path.segments)
    return (*parts, (2, "") if path.rest else (-1, ""))


def match_path(pattern: PathPattern, path: str) -> Mapping[str, str] | None:
    """The variables (and ``*``, what ``/*`` matched, with its slash) if ``path`` matches, else None.

    ``path`` is normalised and has no query. ``/orders/`` does not match ``/orders``; it does match ``/orders/*``.
    """
    parts = path[1:].split("/") if path != "/" else []
    count = len(pattern.segments)
    if len(parts) < count or (len(parts) > count and not pattern.rest):
        return None
    found: dict[str, str] = {}
    for segment, part in zip(pattern.segments, parts[:count], strict=True):
        if segment.variable:
            if not part:
                return None
            found[segment.text] = part
        elif segment.text != part:
            return None
    if pattern.rest:
        found["*"] = "".join(f"/{part}" for part in parts[count:])
    return found


def fill(pattern: PathPattern, found: Mapping[str, str]) -> str:
    """The path that ``pattern`` makes of what another one matched; with ``rest``, what ``*`` matched is appended."""
    parts = [found[item.text] if item.variable else item.text for item in pattern.segments]
    path = "".join(f"/{part}" for part in parts) + (found.get("*", "") if pattern.rest else "")
    return path or "/"


class PathTree(Generic[T]):
    """Finds the patterns that match a path, or that cover another pattern, without trying them all."""

    def __init__(self) -> None:
        self._literals: dict[str, PathTree[T]] = {}
        self._variable: PathTree[T] | None = None
        self._exact: list[T] = []
        self._rest: list[T] = []

    def insert(self, pattern: PathPattern, item: T) -> None:
        """Put ``item`` where ``pattern`` leads."""
        node = self
        for segment in pattern.segments:
            if segment.variable:
                if node._variable is None:
                    node._variable = PathTree()
                node = node._variable
            else:
                node = node._literals.setdefault(segment.text, PathTree())
        (node._rest if pattern.rest else node._exact).append(item)

    def covering(self, pattern: PathPattern) -> list[T]:
        """What was put at patterns that match everything that ``pattern`` matches, in no order."""
        parts = [None if item.variable else item.text for item in pattern.segments]
        return self._walk(parts, exact=not pattern.rest)

    def matching(self, path: str) -> list[T]:
        """What was put at patterns that match ``path`` (normalised, without a query), in no order."""
        return self._walk(path[1:].split("/") if path != "/" else [], exact=True)

    def _walk(self, parts: Sequence[str | None], *, exact: bool) -> list[T]:
        found: list[T] = []
        nodes: list[PathTree[T]] = [self]
        for part in parts:
            following: list[PathTree[T]] = []
            for node in nodes:
                found += node._rest
                if part is not None and part in node._literals:
                    following.append(node._literals[part])
                if node._variable is not None and part != "":
                    following.append(node._variable)
            nodes = following
        for node in nodes:
            found += node._rest
            found += node._exact if exact else []
        return found
