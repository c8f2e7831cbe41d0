"""Compares what artifacts do with what specs mean: each leaf of each subject is the same, or declared, or a difference."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, cast

from pydantic import BaseModel

from edgewright.aws import capabilities as aws_table
from edgewright.aws import compile as aws
from edgewright.azure import capabilities as azure_table
from edgewright.azure import compile as azure
from edgewright.edge.model import Edge, Finding
from edgewright.edge.resolve import resolve
from edgewright.local import capabilities as local_table
from edgewright.local import compile as local
from edgewright.spec import model as spec_model
from edgewright.spec.problems import SpecError
from parity import specs
from parity.deviations import ABSENT, ANYTHING, DEVIATIONS, GONE, PLATFORM, WHOLE, Place
from parity.meaning import Meaning, Questions
from parity.readers_aws import Aws
from parity.readers_azure import Azure
from parity.readers_local import Local
from parity.terms import EDGE, LEAVES, Elsewhere, Facts, Holds, OneOf, Own, Reader, leaves_of

NATIVE, APPROXIMATED, UNSUPPORTED = "native", "approximated", "unsupported"
LEVELS = (NATIVE, APPROXIMATED, UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Column:
    """A target in one of its forms, as the capability tables have columns."""

    target: str
    name: str

    @property
    def title(self) -> str:
        """As a table has it."""
        return self.target if self.target == "local" else f"{self.target} {self.name}"


def columns() -> tuple[Column, ...]:
    """Every form of every target that the capability tables know."""
    return (
        *(Column("aws", name) for name in aws_table.COLUMNS),
        *(Column("azure", name) for name in azure_table.COLUMNS),
        Column("local", "local"),
    )


# -- compiling ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Declared:
    """A row of a capability table that an edge meets."""

    row: str
    level: str
    routes: tuple[str, ...]
    reason: str

    def covers(self, edge: Edge, subject: str) -> bool:
        """Whether it is about a route, the backend of one, a listener that one is for, or the edge as a whole."""
        if not self.routes or subject in self.routes:
            return True
        kind, _, name = subject.partition(" ")
        mine = [route for route in edge.routes if route.key in self.routes]
        if kind == "backend":
            return any(name == target for route in mine for target, _ in getattr(route.action, "targets", ()))
        return kind == "listener" and any(name in route.listeners for route in mine)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An artifact (None: refused) with what its compiler declares."""

    artifact: Any
    declared: tuple[Declared, ...]
    refused: tuple[Declared, ...] = ()


class Refusal(Exception):
    """A compiler refuses an edge for something that no capability table declares."""


def compiled(edge: Edge, column: Column, *, accept_all: bool) -> Outcome:
    """An edge for one column. accept_all: what is unsupported and may be accepted is, so that the rest is compared."""
    if column.target == "local":
        return _local(edge)
    module, table = (aws, aws_table) if column.target == "aws" else (azure, azure_table)
    topology, _, kind = column.name.partition("/")
    bound: dict[str, Any] = {"gateway": kind} if kind else {}
    make = cast("Callable[..., Any]", module.compile_edge)
    try:
        artifact = make(edge, bound, topology, placeholders=True)
        return Outcome(artifact, _declared(artifact.findings, table.ROWS))
    except SpecError as error:
        if any(problem.code != "unsupported" for problem in error.problems):
            raise Refusal(f"{column.title}: {error}") from error
    read = cast("Callable[..., Any]", module.read_bindings)
    bindings = read(bound, edge, topology, placeholders=True)
    findings = cast("Callable[..., Any]", table.findings)(edge, bindings, column.name)
    unsupported = [item for item in _declared(findings, table.ROWS) if item.level == UNSUPPORTED]
    never = tuple(item for item in unsupported if item.row.startswith(table.NEVER_ACCEPTED))
    if never or not accept_all:
        return Outcome(None, (), tuple(unsupported))
    accept = [
        {"field": row, "reason": "to compare the rest"} for row in dict.fromkeys(item.row for item in unsupported)
    ]
    try:
        artifact = make(edge, {**bound, "accept": accept}, topology, placeholders=True)
    except SpecError as error:
        raise Refusal(f"{column.title}, all accepted: {error}") from error
    return Outcome(artifact, _declared(artifact.findings, table.ROWS))


def _local(edge: Edge) -> Outcome:
    """Ports are bound as the spec says: those that follow otherwise are this machine's (`ports_of`)."""
    bound = {
        "listeners": {
            item.name: {"port": item.port, **({"http_port": 80} if item.redirect_http else {})}
            for item in edge.listeners
        }
    }
    names = {_spec_name(row.field): row.field for row in local_table.ROWS}
    bindings = local.read_bindings(bound, edge)
    declared = tuple(
        Declared(names[item.field], item.level, item.routes, item.reason)
        for item in local_table.findings(edge, bindings)
        if item.field in names
    )
    try:
        return Outcome(local.compile_edge(edge, bound).artifact, declared)
    except SpecError as error:
        refused = tuple(item for item in declared if item.level == UNSUPPORTED)
        if len(refused) < len({problem.what for problem in error.problems}):
            raise Refusal(f"local: {error}") from error
        return Outcome(None, (), refused)


def _spec_name(field: str) -> str:
    return local_table._spec_name(field)


def _declared(findings: Iterable[Finding], rows: Sequence[Any]) -> tuple[Declared, ...]:
    names = {row.field for row in rows}
    return tuple(
        Declared(item.field, item.level, item.routes, item.reason)
        for item in findings
        if item.level != "warning" and item.field in names
    )


class _Readers(Protocol):
    def __call__(self, artifact: Any) -> Reader: ...


READERS: Mapping[str, _Readers] = {"aws": Aws, "azure": Azure, "local": Local}


# -- comparing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a column does with one leaf of one subject. row: the one that declares it; note: who shows what no artifact
    says."""

    spec: str
    column: Column
    subject: str
    leaf: str
    level: str
    row: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference that nothing declares. near: rows of the same field that say something else."""

    spec: str
    column: Column
    subject: str
    leaf: str
    expected: Any
    found: Any
    near: tuple[str, ...] = ()

    def __str__(self) -> str:
        near = f"\n    declared, but otherwise: {', '.join(self.near)}" if self.near else ""
        return (
            f"{self.spec}: {self.column.title}: {self.subject}: {self.leaf}"
            f"\n    the spec means: {self.expected!r}\n    the artifact does: {self.found!r}{near}"
        )


@dataclass(slots=True)
class Compared:
    """All verdicts and differences of some specs; declared: rows that were met, by column and spec."""

    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    differences: list[Difference] = field(default_factory=list[Difference])
    declared: dict[Column, dict[str, list[str]]] = field(default_factory=dict[Column, dict[str, list[str]]])


def compare(
    name: str,
    edge: Edge,
    column: Column,
    into: Compared,
    *,
    accept_all: bool = True,
    change: Callable[[Any], Any] | None = None,
) -> None:
    """Compare one edge on one column. accept_all: as in `compiled`; change: applied to the artifact first, to see what
    is reported."""
    outcome = compiled(edge, column, accept_all=accept_all)
    _, questions, meant = _prepared(edge)
    for item in (*outcome.declared, *outcome.refused):
        into.declared.setdefault(column, {}).setdefault(item.row, []).append(name)
    if outcome.artifact is None:
        _refused(name, column, outcome.refused, meant, into)
        return
    artifact = change(outcome.artifact) if change is not None else outcome.artifact
    found = questions.collect(READERS[column.target](artifact))
    for subject, facts in meant.items():
        mine = found.get(subject)
        if mine is None:
            mine = found.get("listener *", {}) if subject.startswith("listener ") else {}
        if not mine and subject.startswith("backend ") and subject.removeprefix("backend ") not in _used(edge):
            continue  # nothing leads to it
        place = Place(edge, column.name, subject, meant, facts, mine)
        for leaf in LEAVES:
            if leaf in facts or leaf in mine:
                _compare(name, column, place, leaf, mine.get(leaf), outcome.declared, into)


_PREPARED: dict[int, tuple[Edge, Questions, dict[str, Facts]]] = {}


def _prepared(edge: Edge) -> tuple[Edge, Questions, dict[str, Facts]]:
    """The questions about an edge and what it means, once for all columns."""
    if id(edge) not in _PREPARED:
        questions = Questions(edge)
        _PREPARED[id(edge)] = (edge, questions, questions.collect(Meaning(edge)))
    return _PREPARED[id(edge)]


def _used(edge: Edge) -> set[str]:
    routes = {name for route in edge.routes for name, weight in getattr(route.action, "targets", ()) if weight}
    return routes | {item.backend for item in edge.listeners if item.backend is not None}


def _compare(
    name: str,
    column: Column,
    place: Place,
    leaf: str,
    found: Any,
    declared: Sequence[Declared],
    into: Compared,
) -> None:
    expected = place.facts.get(leaf)
    if same(expected, found, LEAVES[leaf].default):
        if not empty(expected) or not empty(found):
            note = found.shown_by if isinstance(found, Elsewhere) else ""
            refused = next((item for item in declared if _refuses(item, column, place, leaf)), None)
            level, row = (NATIVE, "") if refused is None else (UNSUPPORTED, refused.row)
            into.verdicts.append(Verdict(name, column, place.subject, leaf, level, row, note))
        return
    near: list[str] = []
    for item in declared:
        changes = DEVIATIONS[column.target].get(item.row, {})
        if not item.covers(place.edge, place.subject):
            continue
        if WHOLE in changes and item.level == UNSUPPORTED and _is_route(place.subject):
            into.verdicts.append(Verdict(name, column, place.subject, leaf, item.level, item.row))
            return
        if leaf not in changes:
            continue
        if lets(changes[leaf], item.level, place, expected, found, LEAVES[leaf].default):
            into.verdicts.append(Verdict(name, column, place.subject, leaf, item.level, item.row))
            return
        near.append(item.row)
    into.differences.append(Difference(name, column, place.subject, leaf, expected, found, tuple(near)))


def _refuses(item: Declared, column: Column, place: Place, leaf: str) -> bool:
    """Whether a row would have refused this if the stack had not accepted it."""
    changes = DEVIATIONS[column.target].get(item.row, {})
    return item.level == UNSUPPORTED and leaf in changes and item.covers(place.edge, place.subject)


def lets(change: Any, level: str, place: Place, expected: Any, found: Any, default: Any) -> bool:
    """Whether a declared row lets an artifact do this in place of what is meant."""
    value = change(place, expected) if callable(change) else change
    if value is ANYTHING:
        return level == UNSUPPORTED
    if value is PLATFORM:
        inner = cast("dict[str, Any]", found).values() if isinstance(found, dict) else (found,)
        return all(isinstance(one, Own) for one in inner)
    values = value.values if isinstance(value, OneOf) else (None if value is GONE else value,)
    return any(same(one, found, default) for one in values)


def empty(value: Any) -> bool:
    """Whether a value says that there is nothing."""
    return value is None or value is False or (isinstance(value, tuple | dict | frozenset | str) and not value)


def same(expected: Any, found: Any, default: Any) -> bool:
    """Whether an artifact does what is meant."""
    if isinstance(found, Elsewhere):
        return True
    if isinstance(found, Own):
        return expected == default or (empty(expected) and empty(default))
    if isinstance(found, OneOf):
        return expected in found.values
    if isinstance(found, Holds):
        return set(cast("tuple[Any, ...]", expected or ())) <= set(found.values)
    if isinstance(expected, dict) and isinstance(found, dict):
        one, other = cast("dict[str, Any]", expected), cast("dict[str, Any]", found)
        return set(one) == set(other) and all(same(one[key], other[key], default) for key in one)
    if isinstance(expected, frozenset) and isinstance(found, frozenset):
        # Routes that a target does not tell apart look alike to it.
        return expected <= found and bool(expected) == bool(found)
    return expected == found or (empty(expected) and empty(found))


def _refused(
    name: str, column: Column, refused: Sequence[Declared], meant: Mapping[str, Facts], into: Compared
) -> None:
    """A refusal is declared where the spec uses what its rows are about."""
    for item in refused:
        leaves = DEVIATIONS[column.target].get(item.row, {})
        hit = [
            (subject, leaf)
            for subject, facts in meant.items()
            for leaf in leaves
            if leaf != WHOLE
            if (not item.routes or subject in item.routes or not _is_route(subject))
            and (
                used(facts, leaf)
                or (item.row in ABSENT and leaf not in facts)
                or (item.row in ABSENT and empty(facts[leaf]))
            )
        ]
        if not hit:
            into.differences.append(
                Difference(
                    name, column, EDGE, "reached", "a spec that uses it", f"refused for {item.row}: {item.reason}"
                )
            )
        for subject, leaf in hit:
            into.verdicts.append(Verdict(name, column, subject, leaf, UNSUPPORTED, item.row))


def _is_route(subject: str) -> bool:
    return subject != EDGE and not subject.startswith(("listener ", "backend "))


def used(facts: Facts, leaf: str) -> bool:
    """Whether something is said that is not the default."""
    value, default = facts.get(leaf), LEAVES[leaf].default
    if isinstance(value, dict) and leaf.startswith("jwt."):
        return any(one != default for one in cast("dict[str, Any]", value).values())
    return not empty(value) and value != default


# -- all of it ---------------------------------------------------------------------------------------------------------


@cache
def edges() -> Mapping[str, Edge]:
    """The small specs and the examples, resolved."""
    return {name: resolve(document) for name, document in {**specs.small(), **specs.examples()}.items()}


@cache
def everything() -> Compared:
    """Every spec on every column."""
    found = Compared()
    for name, edge in edges().items():
        for column in columns():
            compare(name, edge, column, found, accept_all=name in specs.small())
    return found


def vocabulary() -> list[str]:
    """Every field that a spec can use, as ``Model.name``, in the order of the model."""
    found: dict[str, None] = {}
    for _, model in inspect.getmembers(spec_model, inspect.isclass):
        if issubclass(model, BaseModel) and model.__module__ == spec_model.__name__ and model.__name__ != "Settings":
            found |= dict.fromkeys(f"{model.__name__}.{name}" for name in model.model_fields)
    return list(found)


def fields_of(value: Any) -> set[str]:
    """The fields that a spec, or a part of one, was written with."""
    if isinstance(value, BaseModel):
        mine = {f"{type(value).__name__}.{name}" for name in value.model_fields_set}
        return mine.union(*(fields_of(getattr(value, name)) for name in value.model_fields_set))
    if isinstance(value, dict):
        return set[str]().union(*(fields_of(one) for one in cast("dict[str, Any]", value).values()))
    if isinstance(value, tuple | list):
        return set[str]().union(*(fields_of(one) for one in cast("tuple[Any, ...]", value)))
    return set()


# -- the document ------------------------------------------------------------------------------------------------------

_HEAD = """# Parity: each field on each target, read from artifacts

<!-- Written by `pytest tests/unit/test_parity.py --update-golden`, from what the compilers make of {count} small specs
and of every example. -->

What an artifact does with a field is read from the artifact alone, route by route, and compared with what the spec
means. *native*: the same in every spec that uses the field. *approximated*, *unsupported*: in the spec that is named, in
the way that the capability table of the target declares; anything else fails a test. A cell may say several: a field
is often carried in one use and not in another. An empty cell: what uses the field was refused for another.

| field | {titles} |
|---|{line}
"""


def markdown() -> str:
    """The matrix, and what is declared beside it."""
    listed = columns()
    head = _HEAD.format(
        count=len(specs.small()), titles=" | ".join(item.title for item in listed), line="---|" * len(listed)
    )
    cells = _cells()
    rows = [
        f"| `{field}` | {' | '.join(_cell(cells.get((field, item), {})) for item in listed)} |\n"
        for field in vocabulary()
        if leaves_of(field)
    ]
    return head + "".join(rows) + _declared_only() + _elsewhere()


def _cells() -> dict[tuple[str, Column], dict[str, str]]:
    """By field and column, the levels that were found, each with the first small spec that shows it."""
    uses = {name: fields_of(document.spec) for name, document in specs.small().items()}
    found: dict[tuple[str, Column], dict[str, str]] = {}
    order = {name: number for number, name in enumerate(uses)}
    for item in sorted((one for one in everything().verdicts if one.spec in uses), key=lambda one: order[one.spec]):
        for name in LEAVES[item.leaf].fields:
            if name in uses[item.spec]:
                found.setdefault((name, item.column), {}).setdefault(item.level, item.spec)
    return found


def _cell(levels: Mapping[str, str]) -> str:
    if set(levels) == {NATIVE}:
        return NATIVE
    return "; ".join(
        f"{level} (`{levels[level]}`)" if level != NATIVE else level for level in LEVELS if level in levels
    )


def _declared_only() -> str:
    """Rows that were met and that no artifact shows."""
    shown = {(item.column.target, item.row) for item in everything().verdicts if item.row}
    found: dict[tuple[str, str], list[str]] = {}
    for column, rows in everything().declared.items():
        for row in rows:
            if (column.target, row) not in shown:
                found.setdefault((column.target, row), []).append(column.name)
    lines = [f"| `{row}` | {target} | {', '.join(names)} |\n" for (target, row), names in sorted(found.items())]
    head = (
        "\n## Declared only\n\nRows of the capability tables that these specs meet, and whose difference no artifact shows:"
        " it lies in\nhow the platform counts, or in what it does by itself.\n\n| row | target | columns |\n|---|---|---|\n"
    )
    return head + "".join(lines)


def _elsewhere() -> str:
    """Leaves that no artifact says, since a component reads them from the edge."""
    found = sorted({(item.column.title, item.leaf, item.note) for item in everything().verdicts if item.note})
    head = (
        "\n## Not in an artifact\n\nWhat a component places from the edge itself, with the test that shows it.\n\n"
        "| column | what | shown by |\n|---|---|---|\n"
    )
    return head + "".join(f"| {title} | {leaf} | `{note}` |\n" for title, leaf, note in found)
