"""Prints compiled configuration for people to review: compact YAML, what recurs once, sources by their first line."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from edgewright.local.artifact import Artifact

WIDTH = 120
_REPEATED = 160
"""What is shorter than this is printed wherever it stands, however often."""

COMMON = ("local_reply_config", "early_header_mutation_extensions")
"""What every connection manager of a node has, printed once for each role in a text of its own."""

_TYPE = "type.googleapis.com/envoy."
_PLAIN = re.compile(r"\d+(?:\.\d+)?s|[A-Za-z/_.][A-Za-z0-9/_.+^$:-]*(?: [A-Za-z0-9/_.+-]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def review(artifact: Artifact) -> dict[str, str]:
    """The artifact as texts by name: one for each role of nodes, ``common`` for `COMMON`, ``edge`` for the rest."""
    whole = artifact.to_json()
    del whole["nodes"]
    found = {"edge": text(whole)}
    common: dict[str, dict[str, Any]] = {}
    for node in artifact.nodes:
        if node.role in found:
            continue
        parts = {
            "bootstrap": node.bootstrap,
            "clusters": node.clusters,
            "listeners": node.listeners,
            "routes": node.routes,
        }
        taken = common.setdefault(node.role, {})
        found[node.role] = text({name: _without_common(part, taken) for name, part in parts.items()})
    found["common"] = text(common)
    return found


def _without_common(value: Any, taken: dict[str, Any]) -> Any:
    if isinstance(value, Mapping):
        items: Any = value.items()  # pyright: ignore[reportUnknownVariableType]
        kept: dict[str, Any] = {}
        for name, item in items:
            if name in COMMON:
                taken[name] = item
            else:
                kept[name] = _without_common(item, taken)
        return kept
    if isinstance(value, list | tuple):
        sequence: Any = value  # pyright: ignore[reportUnknownVariableType]
        return [_without_common(item, taken) for item in sequence]
    return value


def text(value: Any) -> str:
    """Any plain value as YAML that reads back equal, but for types, which lose their prefix, and long sources."""
    printer = _Printer()
    printer.count(value)
    return "\n".join(printer.block(value, 0)) + "\n"


class _Printer:
    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._anchors: dict[str, str] = {}
        self._names: Counter[str] = Counter()

    def count(self, value: Any) -> None:
        """Learn what recurs; what is inside of something that recurs is not counted again."""
        items = _items(value)
        if not items:
            return
        flow = self.flow(value)
        if len(flow) >= _REPEATED:
            self._seen[flow] += 1
            if self._seen[flow] > 1:
                return
        for _, item in items:
            self.count(item)

    def block(self, value: Any, indent: int, key: str = "") -> list[str]:
        """The lines of a mapping or a list."""
        pad = " " * indent
        lines: list[str] = []
        for name, item in _items(value):
            if isinstance(value, Mapping):
                lines += self._entry(f"{pad}{_scalar(_key(name))}:", name, item, indent + 2)
                continue
            nested = self._entry(f"{pad}-", key, item, indent + 2)
            if len(nested) > 1 and nested[0] == f"{pad}-":
                nested = [f"{pad}- {nested[1].lstrip()}", *nested[2:]]
            lines += nested
        return lines

    def _entry(self, head: str, name: str, item: Any, indent: int) -> list[str]:
        flow = self.flow(item)
        if _items(item):
            if flow in self._anchors:
                return [f"{head} *{self._anchors[flow]}"]
            if self._seen[flow] > 1:
                head += f" &{self._anchor(flow, name)}"
            elif len(head) + 1 + len(flow) <= WIDTH:
                return [f"{head} {flow}"]
            return [head, *self.block(item, indent, name)]
        return [f"{head} {flow}"]

    def _anchor(self, flow: str, name: str) -> str:
        base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "value"
        self._names[base] += 1
        number = self._names[base]
        self._anchors[flow] = base if number == 1 else f"{base}-{number}"
        return self._anchors[flow]

    def flow(self, value: Any) -> str:
        """The value in one line."""
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{_scalar(_key(name))}: {self.flow(item)}" for name, item in _items(value)) + "}"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(self.flow(item) for _, item in _items(value)) + "]"
        return _scalar(value)


def _items(value: Any) -> list[tuple[str, Any]]:
    """The entries of a mapping, or of a list under no names; none of anything else."""
    if isinstance(value, Mapping):
        return [(str(name), item) for name, item in value.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return [("", item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return []


def _key(name: str) -> str:
    return "type" if name == "@type" else name


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if value.startswith(_TYPE):
        return value.removeprefix(_TYPE)
    if value.count("\n") > 3:
        first, *rest = value.strip().splitlines()
        return _scalar(f"{first} ... {len(rest)} more lines")
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not value.endswith(":"):
        return value
    return json.dumps(value, ensure_ascii=False)
