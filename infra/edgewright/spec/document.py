"""A spec together with the places where its parts are written."""

from dataclasses import dataclass, field

from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Sources


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded spec and its sources."""

    spec: EdgeSpec
    sources: Sources = field(default_factory=Sources)
