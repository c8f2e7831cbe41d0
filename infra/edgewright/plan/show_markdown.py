"""A plan as a pull request shows it."""

import re
from collections.abc import Iterator, Sequence

from edgewright.plan import diagram, show_policies
from edgewright.plan.diagram import cut
from edgewright.plan.markdown import Part, code, escape, fit, folded, header, is_address, link, row
from edgewright.plan.model import Note, Plan, PlannedRoute, Setting
from edgewright.plan.show_text import (
    by_level,
    headline,
    is_priced,
    own_settings,
    routes_of,
    shared_settings,
    sources,
    total,
    tree,
)
from edgewright.plan.words import many

_MOST_DIAGRAM = 12_000
_OPEN_ROWS = 15
"""Tables with more rows are folded."""


def markdown(plan: Plan) -> str:
    """The plan, below 60,000 characters: what is over is left out, and named."""
    parts = [Part(f"## {escape(headline(plan))}\n")]
    shared = shared_settings(plan.routes)
    parts += _must_bind(plan)
    parts += _diagram(plan)
    parts += _routes(plan, shared, public=True)
    parts += show_policies.parts(plan.policies)
    for level, heading, notes in by_level(plan.findings):
        parts.append(findings_table(f"### {level.capitalize()} ({len(notes)})", heading, notes))
    parts += _decisions(plan)
    parts += _routes(plan, shared, public=False)
    parts += _resources(plan)
    parts += _costs(plan)
    return fit(parts)


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
    lines = [f"{cut(line, 160)}\n" for line, _ in tree(plan.resources, show_policies.broken(plan.policies))]
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
    from_ = "\nPrices:\n\n" + "".join(f"- {_page(source)}\n" for source in sources(plan.costs))
    yield folded(f"Monthly cost, an estimate: {total(plan.costs)}", head, rows, close=from_, noun="item", weight=4)


_PRICES = "https://aws.amazon.com/"


def _page(source: str) -> str:
    """Where a figure is from; a link only to the cloud's own pages, as a plan that was kept may name any."""
    page, _, rest = source.partition(" ")
    if page.startswith(_PRICES) and is_address(page):
        return f"{link(escape(page.removeprefix('https://')), page)} {escape(rest)}".rstrip()
    return escape(source)
