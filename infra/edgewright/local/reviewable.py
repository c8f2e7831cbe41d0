"""Prints compiled configuration for people to review: compact YAML, what recurs once, sources by their first line."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edgewright.local.artifact import Artifact, Node

WIDTH = 120
_REPEATED = 160
"""What is shorter than this is printed wherever it stands, however often."""

_TYPE = "type.googleapis.com/envoy."
_PLAIN = re.compile(r"[A-Za-z/_.][A-Za-z0-9/_.+^$:-]*(?: [A-Za-z0-9/_.+-]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def review(artifact: Artifact) -> dict[str, str]:
    """The artifact as texts by name: one for each role of nodes, and ``edge`` for everything that is not a node."""
    whole = artifact.to_json()
    del whole["nodes"]
    found = {"edge": text(whole)}
    for node in artifact.nodes:
        found.setdefault(node.role, node_text(node))
    return found


def node_text(node: Node) -> str:
    """One node."""
    return text(
        {
            "bootstrap": node.bootstrap,
            "listeners": list(node.listeners),
            "routes": list(node.routes),
            "clusters": list(node.clusters),
        }
    )


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
        if isinstance(value, Mapping | list | tuple):
            flow = self.flow(value)
            if len(flow) >= _REPEATED:
                self._seen[flow] += 1
                if self._seen[flow] > 1:
                    return
            for item in value.values() if isinstance(value, Mapping) else value:
                self.count(item)

    def block(self, value: Any, indent: int, key: str = "") -> list[str]:
        """The lines of a mapping or a list."""
        pad = " " * indent
        lines: list[str] = []
        if isinstance(value, Mapping):
            for name, item in value.items():
                head = f"{pad}{_scalar(_key(str(name)))}:"
                lines += self._entry(head, str(name), item, indent + 2)
            return lines
        for item in value:
            nested = self._entry(f"{pad}-", key, item, indent + 2)
            if len(nested) > 1 and nested[0] == f"{pad}-":
                nested = [f"{pad}- {nested[1].lstrip()}", *nested[2:]]
            lines += nested
        return lines

    def _entry(self, head: str, name: str, item: Any, indent: int) -> list[str]:
        flow = self.flow(item)
        if isinstance(item, Mapping | list | tuple) and item:
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
            return "{" + ", ".join(f"{_scalar(_key(str(key)))}: {self.flow(item)}" for key, item in value.items()) + "}"
        if isinstance(value, Sequence) and not isinstance(value, str):
            return "[" + ", ".join(self.flow(item) for item in value) + "]"
        return _scalar(value)


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
