"""What rows of the capability tables let an artifact do in place of what a spec means, in values.

A row says in words how a target differs; here it says it in the neutral terms, so that parity can tell a difference
that was declared from another one. A row that is not here lets nothing differ: it is about what no artifact shows.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgewright.edge.model import Edge
from parity.terms import Facts, OneOf


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is compared: an edge, a column, a subject, and all that is meant of all and of the subject."""

    edge: Edge
    column: str
    subject: str
    meant: Mapping[str, Facts]
    facts: Facts


class _Gone:
    """The leaf is not there at all."""


GONE = _Gone()

Change = Callable[[Place, Any], Any] | Any
Changes = Mapping[str, Change]
Rows = Mapping[str, Changes]

AWS: Rows = {}
AZURE: Rows = {}
LOCAL: Rows = {}
DEVIATIONS: Mapping[str, Rows] = {"aws": AWS, "azure": AZURE, "local": LOCAL}
