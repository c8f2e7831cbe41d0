"""What a cloud does with each field of a spec: rows that the compiler reads for its findings and the docs print."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edgewright.edge.model import Edge, Finding, Origin

Level = Literal["native", "approximated", "unsupported"]

Use = tuple[tuple[str, ...], Origin]
"""Where a field is used: the routes that it is about, and the place."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one topology does: for ``native`` what carries it, else the reason; carried_by: what would carry it, or what
    to write instead."""

    level: Level
    how: str
    carried_by: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A field in the columns of a table. uses: where an edge (with its bindings) uses it in the way that the row is
    about (None: only documented).
    """

    field: str
    cells: tuple[Cell, ...]
    uses: Callable[[Edge, Any], Iterator[Use]] | None = None


def findings(rows: Sequence[Row], edge: Edge, bindings: object, column: int) -> tuple[Finding, ...]:
    """What of this edge a column does not carry as it stands, in the order of the table."""
    found: list[Finding] = []
    for row in rows:
        cell = row.cells[column]
        if row.uses is None or cell.level == "native":
            continue
        for routes, origin in row.uses(edge, bindings):
            found.append(Finding(cell.level, row.field, routes, cell.how, cell.carried_by, origin.place))
    return tuple(found)


def rows_text(rows: Sequence[Row]) -> str:
    """The rows of a Markdown table."""
    return "".join(f"| `{row.field}` | {' | '.join(_text(cell) for cell in row.cells)} |\n" for row in rows)


def _text(cell: Cell) -> str:
    words = "; ".join(part for part in (cell.how, cell.carried_by) if part).replace("|", "\\|")
    return f"*{cell.level}*{': ' + words if words else ''}"
