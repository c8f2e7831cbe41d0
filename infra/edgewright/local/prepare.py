"""From a spec in any form, and its bindings, to a compiled local edge: the whole way, without effects."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright.edge.model import Edge, Finding
from edgewright.edge.resolve import resolve
from edgewright.local.artifact import Artifact
from edgewright.local.compile import compile_edge
from edgewright.spec.document import Document, load
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Problem

Source = str | Path | Document | EdgeSpec | Edge
"""A spec: the path of its file, or the spec itself, loaded, made in Python or resolved."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled edge: what it means, what runs, and what a person should know of it."""

    edge: Edge
    artifact: Artifact
    findings: tuple[Finding, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it, as lines: what is doubtful in the document, and what differs here."""
        return tuple(str(item) for item in (*self.warnings, *self.findings))


def prepare(source: Source, bindings: Mapping[str, Any] | None = None) -> Prepared:
    """Load, resolve and compile.

    Raises SpecError with every problem, those of the bindings and unsupported fields included.
    """
    if isinstance(source, str | Path):
        source = load(source)
    warnings = source.warnings if isinstance(source, Document) else ()
    edge = source if isinstance(source, Edge) else resolve(source)
    compiled = compile_edge(edge, bindings or {})
    return Prepared(edge, compiled.artifact, (*edge.findings, *compiled.findings), warnings)
