"""Compares what artifacts do with what specs mean: each leaf of each subject is the same, or declared, or a difference."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, cast

from edgewright.aws import capabilities as aws_table
from edgewright.aws import compile as aws
from edgewright.azure import capabilities as azure_table
from edgewright.azure import compile as azure
from edgewright.edge.model import Edge, Finding
from edgewright.edge.resolve import resolve
from edgewright.local import capabilities as local_table
from edgewright.local import compile as local
from edgewright.spec.document import Document
from edgewright.spec.problems import SpecError
from parity.deviations import ABSENT, ANYTHING, DEVIATIONS, GONE, PLATFORM, Place
from parity.meaning import Meaning, Questions
from parity.readers_aws import Aws
from parity.readers_azure import Azure
from parity.readers_local import Local
from parity.terms import EDGE, LEAVES, Elsewhere, Facts, OneOf, Own, Reader

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
    accept = [{"field": row, "reason": "to compare the rest"} for row in dict.fromkeys(item.row for item in unsupported)]
    try:
        artifact = make(edge, {**bound, "accept": accept}, topology, placeholders=True)
    except SpecError as error:
        raise Refusal(f"{column.title}, all accepted: {error}") from error
    return Outcome(artifact, _declared(artifact.findings, table.ROWS))


def _local(edge: Edge) -> Outcome:
    """Ports are bound as the spec says: those that follow otherwise are this machine's (`ports_of`)."""
    bound = {
        "listeners": {
            item.name: {"port": item.port, **({"http_port": 80} if item.redirect_http else {})} for item in edge.listeners
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
    questions = Questions(edge)
    meant = questions.collect(Meaning(edge))
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
        note = found.shown_by if isinstance(found, Elsewhere) else ""
        if not empty(expected) or not empty(found):
            into.verdicts.append(Verdict(name, column, place.subject, leaf, NATIVE, note=note))
        return
    near: list[str] = []
    for item in declared:
        changes = DEVIATIONS[column.target].get(item.row, {})
        if leaf not in changes or not item.covers(place.edge, place.subject):
            continue
        if lets(changes[leaf], place, expected, found, LEAVES[leaf].default):
            into.verdicts.append(Verdict(name, column, place.subject, leaf, item.level, item.row))
            return
        near.append(item.row)
    into.differences.append(Difference(name, column, place.subject, leaf, expected, found, tuple(near)))


def lets(change: Any, place: Place, expected: Any, found: Any, default: Any) -> bool:
    """Whether a declared row lets an artifact do this in place of what is meant."""
    value = change(place, expected) if callable(change) else change
    if value is ANYTHING:
        return True
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
            if (not item.routes or subject in item.routes or not _is_route(subject))
            and (used(facts, leaf) or (item.row in ABSENT and leaf not in facts) or (item.row in ABSENT and empty(facts[leaf])))
        ]
        if not hit:
            into.differences.append(
                Difference(name, column, EDGE, "reached", "a spec that uses it", f"refused for {item.row}: {item.reason}")
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


@cache
def edge_of(document: Document) -> Edge:
    """A document, resolved once."""
    return resolve(document)
