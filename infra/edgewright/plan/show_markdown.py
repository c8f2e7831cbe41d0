"""A plan as a pull request shows it: GitHub flavoured markdown that no text of a spec can break out of."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright.plan import diagram
from edgewright.plan.diagram import cut, plain
from edgewright.plan.model import Note, Plan, PlannedRoute, Setting
from edgewright.plan.show_text import (
    by_level,
    headline,
    is_priced,
    many,
    own_settings,
    routes_of,
    shared_settings,
    sources,
    total,
    tree,
)

if TYPE_CHECKING:
    from edgewright.plan.changes import Changes

MOST = 60_000
"""Characters of a document. GitHub takes 65,536 in a comment; a tool that posts it may put a few words before."""

_MOST_DIAGRAM = 12_000
_LONGEST_CELL = 300
_SMALL = 3_000
"""Characters of rows up to which a part is never cut for the sake of a longer one."""
_OPEN_ROWS = 15
"""Tables with more rows are folded."""


def markdown(plan: Plan, *, changes: "Changes | None" = None) -> str:
    """The plan, after what changes if that is given. Below 60,000 characters: what is over is left out, and named."""
    parts = [Part(f"## {escape(headline(plan))}\n")]
    if changes is not None:
        from edgewright.plan.changes import parts as parts_of_changes

        parts += parts_of_changes(changes)
    shared = shared_settings(plan.routes)
    parts += _must_bind(plan)
    parts += _diagram(plan)
    parts += _routes(plan, shared, public=True)
    for level, heading, notes in by_level(plan.findings):
        parts.append(findings_table(f"### {level.capitalize()} ({len(notes)})", heading, notes))
    parts += _decisions(plan)
    parts += _routes(plan, shared, public=False)
    parts += _resources(plan)
    parts += _costs(plan)
    return fit(parts)


# -- text that stays where it is put -----------------------------------------------------------------------------------

_ESCAPES = str.maketrans({**{one: f"&#{ord(one)};" for one in "|\\@#`$"}, **{one: f"\\{one}" for one in "*_[]~"}})
_SIMPLE = re.compile(r"[^`|\\<>&\s]+(?: [^`|\\<>&\s]+)*")


def escape(words: str, longest: int = _LONGEST_CELL) -> str:
    """Words that are shown as they are: no markup, no HTML, no mention of a person, no end of a table's cell."""
    return html.escape(cut(plain(words), longest), quote=False).translate(_ESCAPES)


def code(words: str, longest: int = _LONGEST_CELL) -> str:
    """The same in the font of code; as a code span where that is safe, else as an element around escaped words."""
    if not words:
        return ""
    short = cut(plain(words), longest)
    return f"`{short}`" if _SIMPLE.fullmatch(short) else f"<code>{escape(short, longest)}</code>"


def row(*cells: str) -> str:
    """A row of a table; the cells are markdown already."""
    return f"| {' | '.join(cells)} |\n"


def header(*names: str) -> str:
    """The head of a table."""
    return row(*names) + row(*("---" for _ in names))


# -- parts that fit ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a document. Rows may be left out from the end; all else stays.

    head, close and foot stand around the rows, and a note of what was left out comes between the last two; noun: what
    a row is, for that note; weight: the parts with less are cut first.
    """

    head: str
    rows: tuple[str, ...] = ()
    close: str = ""
    foot: str = ""
    noun: str = "row"
    weight: int = 0

    def render(self, count: int) -> str:
        """The part with its first ``count`` rows."""
        left = len(self.rows) - count
        note = ""
        if left:
            note = f"\n_{many(left, self.noun)} more: left out here, to stay below {MOST:,} characters._\n"
        return f"{self.head}{''.join(self.rows[:count])}{self.close}{note}{self.foot}\n"


def folded(
    summary: str, head: str, rows: Iterable[str], *, close: str = "", noun: str = "row", weight: int = 0
) -> Part:
    """A part that is opened by a click."""
    begin = f"<details><summary>{html.escape(plain(summary), quote=False)}</summary>\n\n"
    return Part(begin + head, tuple(rows), close, "\n</details>\n", noun, weight)


def fit(parts: Sequence[Part], most: int = MOST) -> str:
    """All parts, one after the other, in fewer than ``most`` characters: rows are left out, whole and from the end.

    Small parts stay whole; of the long ones those with more weight get their rows first.
    """
    sizes = [sum(map(len, part.rows)) for part in parts]
    budget = most - 1 - sum(len(part.render(0)) for part in parts)
    counts: dict[int, int] = {}
    for index in sorted(range(len(parts)), key=lambda index: (sizes[index] > _SMALL, -parts[index].weight)):
        for count, line in enumerate(parts[index].rows, 1):
            if len(line) > budget:
                break
            budget -= len(line)
            counts[index] = count
    return "\n".join(part.render(counts.get(index, 0)).rstrip("\n") + "\n" for index, part in enumerate(parts))


# -- the parts of a plan -----------------------------------------------------------------------------------------------


def _must_bind(plan: Plan) -> Iterator[Part]:
    if plan.must_bind:
        rows = (row(code(name), escape(stands_in)) for name, stands_in in plan.must_bind)
        head = "### Bind first\n\nThe stack is not complete without these; the plan shows stand-ins.\n\n"
        yield Part(head + header("What", "Stands in here"), tuple(rows), noun="binding", weight=8)


def _diagram(plan: Plan) -> Iterator[Part]:
    if not plan.hops and not plan.links:
        return
    drawn = diagram.mermaid(plan)
    if len(drawn) > _MOST_DIAGRAM:
        yield Part(f"### The way of a request\n\n_{many(len(plan.hops), 'hop')}: too many to draw here._\n")
    else:
        yield Part(f"### The way of a request\n\n```mermaid\n{drawn}```\n")


def _routes(plan: Plan, shared: dict[str, Setting], *, public: bool) -> Iterator[Part]:
    routes = [route for route in plan.routes if route.public == public]
    if not routes:
        return
    said = "".join(f"- {_setting(name, item.text, item.origin)}\n" for name, item in shared.items())
    said = f"For all routes unless said otherwise:\n\n{said}\n" if said else ""
    rows = tuple(row(code(route.key), _settings(route, shared)) for route in routes)
    if public:
        head = f"### Public: anybody may call {'it' if len(routes) == 1 else 'these'} ({len(routes):,})\n\n"
        if len(routes) > _OPEN_ROWS:
            summary = f"{many(len(routes), 'public route')}"
            yield Part(head)
            yield folded(summary, said + header("Public route", "Settings"), rows, noun="public route", weight=6)
        else:
            yield Part(head + said + header("Public route", "Settings"), rows, noun="public route", weight=6)
        return
    summary = f"{many(len(routes), 'route')} with authentication, and where each setting comes from"
    yield folded(summary, said + header("Route", "Settings"), rows, noun="route", weight=3)


def _settings(route: PlannedRoute, shared: dict[str, Setting]) -> str:
    return "<br>".join(_setting(*item) for item in own_settings(route, shared)) or "as all"


def _setting(name: str, words: str, origin: str) -> str:
    return f"**{escape(name)}** {escape(words)}" + (f" <sub>{escape(origin)}</sub>" if origin else "")


def findings_table(title: str, heading: str, notes: Sequence[Note]) -> Part:
    """Findings of one kind as a table, folded when there are many."""
    rows = tuple(
        row(code(note.field), code(routes_of(note)), escape(note.reason), escape(note.remedy), code(note.place))
        for note in notes
    )
    head = header("Field", "Routes", "Why", "What to do", "Where")
    if len(rows) > _OPEN_ROWS:
        part = folded(f"{many(len(rows), 'finding')}: {heading}", head, rows, noun="finding", weight=7)
        return Part(f"{title}\n\n{part.head}", part.rows, part.close, part.foot, part.noun, part.weight)
    return Part(f"{title}\n\n{head}", rows, noun="finding", weight=7)


def _decisions(plan: Plan) -> Iterator[Part]:
    if plan.decisions:
        rows = (f"- {escape(decision)}\n" for decision in plan.decisions)
        yield Part("### Why so\n\n", tuple(rows), noun="decision", weight=5)


def _resources(plan: Plan) -> Iterator[Part]:
    if not plan.resources:
        return
    lines = [f"{cut(line, 160)}\n" for line in tree(plan.resources)]
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    made = sum(resource.custom for resource in plan.resources)
    yield folded(many(made, "resource"), f"{fence}text\n", lines, close=f"{fence}\n", noun="line", weight=2)


def _costs(plan: Plan) -> Iterator[Part]:
    if not plan.costs:
        return
    rows = [
        row(
            escape(cost.what), f"{cost.count:g}", f"{cost.monthly:,.2f}" if is_priced(cost) else "?", escape(cost.basis)
        )
        for cost in plan.costs
    ]
    head = "| What | Count | USD a month | How |\n| --- | ---: | ---: | --- |\n"
    from_ = "\nPrices:\n\n" + "".join(f"- {escape(source)}\n" for source in sources(plan.costs))
    yield folded(f"Monthly cost, an estimate: {total(plan.costs)}", head, rows, close=from_, noun="item", weight=4)
