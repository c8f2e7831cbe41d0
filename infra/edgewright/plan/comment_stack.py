"""What the comment of a pull request says of one stack: routes first, then what would be replaced, then the rest."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from edgewright.plan import diagram, show_policies
from edgewright.plan.changes import Changes, ResourceChange
from edgewright.plan.diff import StackDiff
from edgewright.plan.differences import Change
from edgewright.plan.markdown import Part, block, code, escape, folded, header, link, row
from edgewright.plan.model import Plan, PlannedRoute, Resource
from edgewright.plan.replacements import replacement_of
from edgewright.plan.security import RESOURCE, Point
from edgewright.plan.show_changes import LEFT_BEHIND, because, by_cost, is_harmless, is_left_behind, sides
from edgewright.plan.show_markdown import findings_table
from edgewright.plan.show_text import is_priced
from edgewright.plan.words import many

STOPS = "An update would stop"

_NO_CHANGE = "no change"
_MOST_CHANGES = 12
_MOST_NAMES = 12
_LONGEST_VALUE = 120
_LONGEST_ERRORS = 6_000
_MOST_DIAGRAM = 8_000


def each(places: Sequence[str]) -> str:
    """Routes or resources of which the same is said: ``GET /a``, or ``GET /a``, ``GET /b``, each:."""
    return code(places[0]) if len(places) == 1 else f"{names_of(places, _MOST_NAMES)}, each:"


def names_of(names: Sequence[str], most: int = 4) -> str:
    """The first few as code, and how many more there are."""
    over = len(names) - most
    return ", ".join(map(code, names[:most])) + (f" and {over:,} more" if over > 0 else "")


def bold_first(words: str) -> str:
    """What a reader has to see in bold, and what explains it behind."""
    first, semicolon, rest = words.partition(";")
    return f"**{escape(first)}**{escape(semicolon + rest) if rest else ''}"


# -- at a glance -------------------------------------------------------------------------------------------------------


def glance(stack: StackDiff) -> tuple[str, str, str, str]:
    """Cells of the summary: routes, resources, policies, cost."""
    if stack.broken:
        return "**cannot be planned**", "", "", ""
    changes = stack.changes
    if changes is None:
        return f"**{stack.state}**", "", "", ""
    if stack.after is None:
        left = sum(item.custom for item in changes.resources_removed)
        cost = f"{changes.monthly[0]:,.2f} USD" if changes.monthly[0] else ""
        return f"**{stack.state}**", f"**{left:,} left behind**" if left else "", "", cost
    whole = f"**{stack.state}**; " if stack.before is None or stack.before.plan is None else ""
    routes = _counts(
        *_points(changes, of_resources=False),
        (len(changes.routes_added), "added", False),
        (len(changes.routes_removed), "removed", False),
        (sum(bool(_noticed(route.changes)) for route in changes.routes_changed), "changed", False),
    )
    harmless = [is_harmless(change) for change in changes.resources_replaced]
    resources = _counts(
        *_points(changes, of_resources=True),
        (harmless.count(False), "replaced", True),
        (harmless.count(True), "replaced without an outage", False),
        *_other(changes),
    )
    findings = len(changes.findings_added) + len(changes.findings_gone)
    if routes == resources == _NO_CHANGE and findings:
        routes = f"{_NO_CHANGE} but {many(findings, 'finding')}"
    return f"{whole}{routes}", resources, _policies(stack, changes), _cost_cell(stack, changes)


def _points(changes: Changes, *, of_resources: bool) -> Iterator[tuple[int, str, bool]]:
    for points, word, loud in ((changes.weaker, "weaker", True), (changes.stronger, "stronger", False)):
        yield sum((point.rank == RESOURCE) == of_resources for point in points), word, loud


def outages(changes: Changes) -> Iterator[tuple[str, str]]:
    """Each resource that this change itself replaces, if somebody notices; its outage and time as markdown."""
    for change in by_cost(changes.resources_replaced):
        known = replacement_of(change.type)
        if not change.because or is_harmless(change):
            continue
        said = [bold_first(known.outage)] if known is not None and known.outage else []
        said += [f"time: {escape(known.time)}"] if known is not None and known.time else []
        yield change.short, "; ".join(said) or "what that costs is not known here"


def _counts(*counts: tuple[int, str, bool]) -> str:
    words = [f"**{count:,} {what}**" if loud else f"{count:,} {what}" for count, what, loud in counts if count]
    return ", ".join(words) or _NO_CHANGE


def _policies(stack: StackDiff, changes: Changes) -> str:
    plan = stack.after.plan if stack.after is not None else None
    if plan is None or not plan.resources:
        return ""
    if plan.policies is None:
        return show_policies.NOT_RUN
    new = sum(result.stops for result in changes.policies_added)
    words = _counts(
        (new, f"new {'stops' if new == 1 else 'stop'} the update", True),
        (sum(not item.stops for item in changes.policies_added), "other new" if new else "new", False),
        (len(changes.policies_gone), "gone", False),
    )
    kept = sum(result.stops for result in changes.policies_kept)
    return words + (f"; {kept:,} as before {'stops' if kept == 1 else 'stop'} it" if kept else "")


def _cost_cell(stack: StackDiff, changes: Changes) -> str:
    plans = [side.plan for side in (stack.before, stack.after) if side is not None and side.plan is not None]
    if not any(plan.costs for plan in plans):
        return "not reckoned"
    before, after = changes.monthly
    return f"{after:,.2f} USD" if before == after else f"{before:,.2f} → {after:,.2f} USD"


# -- the whole of it ---------------------------------------------------------------------------------------------------


def broken_parts(errors: str, names: Sequence[str], *, alone: bool) -> list[Part]:
    """Stacks that cannot be planned, all for the same reason, such as a policies.json that they share."""
    title = [] if alone else [Part(f"### {names_of(names, _MOST_NAMES)} cannot be planned\n")]
    return [*title, Part(block(errors, _LONGEST_ERRORS), weight=35)]


def parts(stack: StackDiff, *, alone: bool) -> list[Part]:
    """The section of a stack; alone: the title of the document names it already."""
    found = [] if alone else [Part(f"### {code(stack.name)} {stack.state}\n")]
    if stack.before is not None and stack.before.plan is None and stack.before.errors:
        found.append(folded("why it could not be planned before", block(stack.before.errors, _LONGEST_ERRORS), ()))
    changes = stack.changes
    if changes is not None and stack.after is None:
        return [*found, *_left_behind(changes), *_diagrams(stack)]
    if changes is None:
        return found
    return [
        *found,
        *_routes(changes),
        *_moved(changes),
        *_protection(changes),
        *_replaced(changes),
        *_kept_back(changes),
        *_rules(changes),
        *_resources(changes),
        *_findings(changes),
        *_cost(stack, changes),
        *_around(changes),
        *_diagrams(stack),
    ]


def _left_behind(changes: Changes) -> Iterator[Part]:
    """What becomes of a stack whose file goes: nothing, until somebody destroys it."""
    if not is_left_behind(changes):
        return
    yield Part(f"{LEFT_BEHIND}\n")
    routes = [f"- {code(route.key)}\n" for route in changes.routes_removed]
    yield folded(f"{many(len(routes), 'route')} that it goes on to answer", "", routes, noun="route", weight=11)
    rows = [row(*group) for group in _grouped(changes.resources_removed)]
    head = header("Resource", "Names")
    yield folded("What is left behind", head, rows, noun="type", weight=10)


# -- routes ------------------------------------------------------------------------------------------------------------


def _routes(changes: Changes) -> Iterator[Part]:
    keys = _keys(changes)
    weaker, stronger = (
        {where: words for where, words in _by_place(points).items() if where in keys}
        for points in (changes.weaker, changes.stronger)
    )
    changed = {route.key: found for route in changes.routes_changed if (found := _noticed(route.changes))}
    added = {route.key: route for route in changes.routes_added}
    rows: list[str] = []
    for key in weaker:
        said = [bold_first(words) for words in weaker[key]] + [escape(words) for words in stronger.get(key, ())]
        words = (*weaker[key], *stronger.get(key, ()))
        rows.append(row(code(key), "<br>".join([*said, *_what(key, changed, added, words)])))
    for route in changes.routes_added:
        if route.key not in weaker:
            rows.append(row(code(route.key), "<br>".join(["is new", *_what(route.key, {}, added)])))
    rows += [row(code(route.key), "goes: it is answered no more") for route in changes.routes_removed]
    plain = [key for key in changed if key not in weaker and key not in stronger]
    rows += [row(code(key), "<br>".join(_what(key, changed, added))) for key in plain]
    for key in (key for key in stronger if key not in weaker):
        said = [escape(words) for words in stronger[key]]
        rows.append(row(code(key), "<br>".join([*said, *_what(key, changed, added, stronger[key])])))
    yield from _table("Routes", ("Route", "What changes"), rows, "route", 30, open_rows=30)


def _noticed(changes: Iterable[Change]) -> list[Change]:
    """What a caller may notice: not by which rule a route is carried, and at which priority."""
    return [change for change in changes if change.path != "carried by"]


def _keys(changes: Changes) -> set[str]:
    """The routes that something is said of."""
    return {route.key for route in (*changes.routes_added, *changes.routes_changed)}


def _protection(changes: Changes) -> Iterator[Part]:
    """How the edge as a whole is protected differently: resources that guard it, and those that nobody may delete."""
    rows = [f"- {where} {bold_first(what)}\n" for where, what in _of_resources(changes.weaker)]
    rows += [f"- {where} {escape(what)}\n" for where, what in _of_resources(changes.stronger)]
    if rows:
        yield Part("#### Protection\n\n", tuple(rows), noun="point", weight=31)


def _of_resources(points: Iterable[Point]) -> Iterator[tuple[str, str]]:
    """What is said of resources, and of which: each once."""
    found: dict[str, list[str]] = {}
    for point in points:
        if point.rank == RESOURCE:
            found.setdefault(point.what, []).append(point.where)
    for what, places in found.items():
        yield each(places), what


def _by_place(points: Iterable[Point]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for point in points:
        found.setdefault(point.where, []).append(point.what)
    return found


def _what(
    key: str,
    changed: Mapping[str, Sequence[Change]],
    added: Mapping[str, PlannedRoute],
    said: Sequence[str] = (),
) -> list[str]:
    """The settings of a route that are another now, but what was said; or all of a new one."""
    if key in added:
        return [f"**{escape(name)}** {escape(item.text)}" for name, item in added[key].settings.items()]
    return [_changed(item) for item in changed.get(key, ()) if not any(_is_said(item, one) for one in said)]


def _is_said(change: Change, words: str) -> bool:
    """Whether words of a point have both values of a change already, or say one of them in another way."""
    if f"{change.before} → {change.after}" in words:
        return True
    of_it = change.path in ("auth", "takes") or f"loses its {change.path};" in words
    return of_it and words.endswith((f"; before: {change.before}", f", now: {change.after}"))


def _changed(change: Change) -> str:
    before, after = sides(change, _LONGEST_VALUE)
    return f"{code(change.path)}: {_value(before)} → {_value(after)}"


# -- resources ---------------------------------------------------------------------------------------------------------


def _replaced(changes: Changes) -> Iterator[Part]:
    """What this change replaces; folded below it what only follows, and what nobody would notice."""
    ordered = by_cost(changes.resources_replaced)
    first = [change for change in ordered if change.protect or (change.because and not is_harmless(change))]
    rest = [change for change in ordered if change not in first]
    head = ("Resource", "Made anew because", "Time", "Outage", "")
    rows = [_replaced_row(change) for change in first]
    yield from _table("Replaced: taken away and made anew", head, rows, "resource", 29, open_rows=20)
    if rest:
        followers = [_replaced_row(change) for change in rest]
        more = " more" if first else ""
        yield folded(
            f"{many(len(rest), 'resource')}{more} made anew{_why_folded(rest)}",
            header(*head),
            followers,
            noun="resource",
            weight=12,
        )


def _why_folded(rest: Sequence[ResourceChange]) -> str:
    harmless = [is_harmless(change) for change in rest]
    if all(harmless):
        return " without an outage"
    return ": because others are, or without an outage" if any(harmless) else ": because others are"


def _kept_back(changes: Changes) -> Iterator[Part]:
    """What this change would take away for good, and the engine does not."""
    groups = _grouped([resource for resource in changes.resources_removed if resource.protect])
    if rows := [row(*group) for group in groups]:
        title = "#### Protected, so the update stops instead of deleting them\n\n"
        yield Part(f"{title}{header('Resource', 'Names')}", tuple(rows), noun="type", weight=29)


_SAID_ABOVE = ("topology", "name")
_HOSTS = "path.hops[name=client].does"
"""Host names that callers use, the first two."""


def _moved(changes: Changes) -> Iterator[Part]:
    """What is another of the edge as a whole, and so changes every route or resource at once."""
    whole = {item.path: item for item in changes.other}
    if (topology := whole.get("topology")) is not None:
        yield Part(f"**The topology is another**: {_value(topology.before)} → {_value(topology.after)}.\n")
    if (hosts := whole.get(_HOSTS)) is not None:
        yield Part(f"**Callers use another host name**: {_value(hosts.before)} → {_value(hosts.after)}.\n")
    if (name := whole.get("name")) is not None:
        words = f"**The name of the edge is another**: {_value(name.before)} → {_value(name.after)}."
        if gone := sum(resource.custom for resource in changes.resources_removed):
            words += f" Resources are named after it, so {many(gone, 'resource')} would be deleted, and others made "
            words += "in their place."
        yield Part(f"{words}\n")


def _replaced_row(change: ResourceChange) -> str:
    known = replacement_of(change.type)
    forcing = _forcing(change)
    words = because(replace(change, because=()) if forcing else change)
    why = ["**protected, so the update stops here**"] if change.protect else []
    why = "<br>".join([*why, *([_cell(forcing)] if forcing else []), *([escape(words)] if words else [])])
    if known is None:
        return row(code(change.short), why, "", "", "")
    pages = ", ".join(link(f"source {index}", page) for index, page in enumerate(known.sources, 1))
    time = escape(known.time) or ("" if known.harmless else "no figure is published")
    return row(code(change.short), why, time, escape(known.outage) or "none", pages)


def _forcing(change: ResourceChange) -> list[Change]:
    """Changes of the inputs that force it to be made anew, where somebody notices that it is."""
    if is_harmless(change):
        return []
    return [
        item
        for item in change.changes
        if any(item.path == path or item.path.startswith((f"{path}.", f"{path}[")) for path in change.because)
    ]


def _resources(changes: Changes) -> Iterator[Part]:
    """Folded: the table of all stacks has the counts, and what matters of them stands above."""
    changes = replace(changes, resources_removed=tuple(item for item in changes.resources_removed if not item.protect))
    rows = [row("created", *group) for group in _grouped(changes.resources_added)]
    rows += [row("updated", code(item.short), _cell(item.changes)) for item in changes.resources_changed]
    rows += [row("deleted", *group) for group in _grouped(changes.resources_removed)]
    if rows:
        counts = _counts(*_other(changes))
        yield folded(f"Other resources: {counts}", header("", "Resource", "What"), rows, noun="row", weight=10)


def _other(changes: Changes) -> tuple[tuple[int, str, bool], ...]:
    """How many resources come, stay otherwise, and go."""
    return (
        (sum(item.custom for item in changes.resources_added), "created", False),
        (len(changes.resources_changed), "updated", False),
        (sum(item.custom for item in changes.resources_removed), "deleted", False),
    )


def _grouped(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    """Types with how many there are, and the names of the first few; components are nothing in the cloud."""
    made = [resource for resource in resources if resource.custom]
    for type_, count in Counter(resource.type for resource in made).items():
        alike = [resource for resource in made if resource.type == type_]
        kind = alike[0].short.removesuffix(f" {alike[0].name}")
        names = ", ".join(code(resource.name) for resource in alike[:6]) + (
            f" and {count - 6:,} more" if count > 6 else ""
        )
        yield f"{count:,} x {code(kind)}", names


def _cell(changes: Sequence[Change]) -> str:
    lines = [_changed(item) for item in changes[:_MOST_CHANGES]]
    over = len(changes) - _MOST_CHANGES
    return "<br>".join([*lines, *([f"and {over:,} more"] if over > 0 else [])])


def _value(value: str | None) -> str:
    return "none" if value is None else code(value, _LONGEST_VALUE)


# -- rules, findings, cost ---------------------------------------------------------------------------------------------


def _rules(changes: Changes) -> Iterator[Part]:
    new = [item for item in changes.policies_added if show_policies.group_of(item) != "unclear"]
    if new:
        yield show_policies.table(f"#### Policies: {many(len(new), 'new result')}", new, weight=28)
    unclear = [item for item in changes.policies_added if show_policies.group_of(item) == "unclear"]
    if unclear:
        text = f"{escape(show_policies.unclear(unclear), 1_000)}\n"
        yield folded(f"{many(len(unclear), 'new result')} that cannot tell before a value is known", text, ())
    if changes.policies_gone:
        gone = [f"- {code(item.rule)} of {code(item.resource)}\n" for item in changes.policies_gone]
        yield folded(f"{many(len(gone), 'policy result')} gone", "", gone, noun="result", weight=8)
    kept = [item for item in changes.policies_kept if show_policies.group_of(item) != "unclear"]
    if kept:
        head = header("Rule", "Resource", "What", "Led to by", "What to do")
        rows = [show_policies.cells(item) for item in kept]
        said = show_policies.counts(kept)
        yield folded(f"{many(len(kept), 'policy result')} as before: {said}", head, rows, noun="result", weight=7)


def _findings(changes: Changes) -> Iterator[Part]:
    if changes.findings_added:
        title = f"#### Capabilities: {many(len(changes.findings_added), 'new finding')}"
        yield findings_table(title, "new", changes.findings_added)
    if changes.findings_gone:
        gone = [f"- {code(item.field)}: {escape(item.reason)}\n" for item in changes.findings_gone]
        yield folded(f"{many(len(gone), 'finding')} gone", "", gone, noun="finding", weight=6)


def _cost(stack: StackDiff, changes: Changes) -> Iterator[Part]:
    """What is reckoned, and what is not: nobody should take an estimate for a bill."""
    plan = stack.after.plan if stack.after is not None else None
    before, after = changes.monthly
    if plan is None or not plan.resources:
        return
    if not plan.costs:
        yield Part("**Cost**: not reckoned: of all that is planned, nothing is in the list of prices here.\n")
        return
    amount = f"{before:,.2f} → {after:,.2f} USD a month" if before != after else f"{after:,.2f} USD a month, as before"
    left = [cost.what for cost in plan.costs if not is_priced(cost)]
    more = f", {', '.join(escape(what) for what in left[:6])}" if left else ""
    words = f"**Cost**: {amount}: an estimate, at list prices, of what is billed without traffic. Not reckoned: "
    yield Part(f"{words}requests, data, capacity that traffic adds{more}.\n")


# -- around ------------------------------------------------------------------------------------------------------------


def _around(changes: Changes) -> Iterator[Part]:
    other = [item for item in changes.other if item.path not in _SAID_ABOVE and not item.path.startswith("path.")]
    rows = [row(code(item.path), _value(item.before), _value(item.after)) for item in other]
    if rows:
        yield folded(f"{many(len(rows), 'change')} around them", header("What", "Before", "After"), rows, weight=5)


def _diagrams(stack: StackDiff) -> Iterator[Part]:
    """The way of a request before and after, if it is another one."""
    before, after = (side.plan if side is not None else None for side in (stack.before, stack.after))
    drawn = [(name, _drawn(plan)) for name, plan in (("Before", before), ("After", after)) if plan is not None]
    if len({text for _, text in drawn}) == 2 or (len(drawn) == 1 and drawn[0][1]):
        rows = [f"**{name}**\n\n{text}\n" for name, text in drawn]
        yield folded("The way of a request", "", rows, noun="diagram", weight=4)


def _drawn(plan: Plan) -> str:
    if not plan.hops:
        return ""
    text = diagram.mermaid(plan)
    if len(text) > _MOST_DIAGRAM:
        return f"_{many(len(plan.hops), 'hop')}: too many to draw here._\n"
    return f"```mermaid\n{text}```\n"


def _table(
    title: str, names: Sequence[str], rows: Sequence[str], noun: str, weight: int, *, open_rows: int
) -> Iterator[Part]:
    """A table below its title, folded when it is long."""
    if not rows:
        return
    if len(rows) <= open_rows:
        yield Part(f"#### {title}\n\n{header(*names)}", tuple(rows), noun=noun, weight=weight)
    else:
        yield folded(f"{title}: {len(rows):,}", header(*names), rows, noun=noun, weight=weight)
