"""A plan as `edgewright plan` prints it: what to do first, the way of a request, routes, findings, resources, costs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from edgewright.plan import diagram, show_policies
from edgewright.plan.costs import NOT_PRICED
from edgewright.plan.diagram import cells, cut, cut_left, pad, plain, wrap
from edgewright.plan.model import Cost, Note, Plan, PlannedRoute, PolicyResult, Resource, Setting
from edgewright.plan.words import listed, many

LEVELS = (
    ("unsupported", "unsupported: not carried, an error unless accepted"),
    ("warning", "warning"),
    ("approximated", "approximated: carried, not exactly as written"),
)
"""Levels of findings as they are shown, the worst first, each with its heading."""

FEWEST_FOLDED = 4
"""So many components of one type below one parent are shown as one line."""


def text(plan: Plan, *, width: int = 110, color: bool = False) -> str:
    """The whole plan for a terminal of ``width`` columns (at least 60); color: with ANSI colours."""
    width = max(60, width)
    ink = _Ink(color)
    sections = (
        _must_bind(plan, width, ink),
        _path(plan, width, ink),
        _decisions(plan, width, ink),
        _routes(plan, width, ink),
        _policies(plan, width, ink),
        _findings(plan, width, ink),
        _resources(plan, width, ink),
        _costs(plan, width, ink),
    )
    lines = [ink.bold(line) for line in wrap(headline(plan), width)]
    for section in sections:
        found = list(section)
        lines += ["", *found] if found else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def headline(plan: Plan) -> str:
    """Name, topology and counts in one line."""
    levels = Counter(note.level for note in plan.findings)
    words = [
        f"{many(len(plan.routes), 'route')} ({sum(route.public for route in plan.routes)} public)",
        many(sum(resource.custom for resource in plan.resources), "resource"),
        *(f"{levels[level]} {level}" for level, _ in LEVELS if levels[level]),
        *([show_policies.stopped(plan.policies)] if plan.policies is not None and plan.policies.stop else []),
    ]
    return f"{plain(plan.name)} on {plain(plan.topology)}: {', '.join(words)}"


@dataclass(frozen=True, slots=True)
class _Ink:
    """Puts colour on text that is padded already; does nothing when off."""

    on: bool

    def _put(self, code: str, words: str) -> str:
        return f"\x1b[{code}m{words}\x1b[0m" if self.on and words.strip() else words

    def bold(self, words: str) -> str:
        return self._put("1", words)

    def dim(self, words: str) -> str:
        return self._put("2", words)

    def alarm(self, words: str) -> str:
        return self._put("1;31", words)

    def level(self, level: str, words: str) -> str:
        return self._put({"unsupported": "1;31", "warning": "33"}.get(level, "36"), words)


# -- first things ------------------------------------------------------------------------------------------------------


def _must_bind(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    if not plan.must_bind:
        return
    about = ": the stack is not complete without these; the plan shows stand-ins"
    yield from _heading("Bind first", about, width, ink.alarm)
    names = [plain(name) for name, _ in plan.must_bind]
    wide = min(max(map(cells, names)), width // 2)
    for name, (_, stands_in) in zip(names, plan.must_bind, strict=True):
        yield from _columns(((name, wide), (f"here: {plain(stands_in)}", width - wide - 4)), ink)


def _path(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    drawn = diagram.text(plan, width=width)
    if drawn:
        yield ink.bold("The way of a request")
        yield from drawn.splitlines()


def _decisions(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    if plan.decisions:
        yield ink.bold("Why so")
    for decision in plan.decisions:
        yield from _bullet(plain(decision), width)


def _bullet(words: str, width: int) -> Iterator[str]:
    for index, line in enumerate(wrap(words, width - 4)):
        yield ("    " if index else "  - ") + line


def _heading(title: str, words: str, width: int, paint: Callable[[str], str]) -> Iterator[str]:
    """A title in its colour, and what is said beside it, wrapped."""
    first, *rest = wrap(f"{title}{words}", width)
    yield paint(title) + first.removeprefix(title)
    yield from (f"  {line}" for line in rest)


def _columns(columns: Sequence[tuple[str, int]], ink: _Ink) -> Iterator[str]:
    """One row of columns, each wrapped to its width, two spaces between; the last one in a faint colour."""
    wrapped = [wrap(words, wide) for words, wide in columns]
    for index in range(max(map(len, wrapped))):
        row = [
            pad(lines[index] if index < len(lines) else "", wide)
            for lines, (_, wide) in zip(wrapped, columns, strict=True)
        ]
        yield "  " + "  ".join([*row[:-1], ink.dim(row[-1])])


# -- routes ------------------------------------------------------------------------------------------------------------


def shared_settings(routes: Sequence[PlannedRoute]) -> dict[str, Setting]:
    """What more than half of the routes (three at least) have alike, text and origin: it is said once."""
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for route in routes:
        for name, setting in route.settings.items():
            counts.setdefault(name, Counter())[setting.text, setting.origin] += 1
    found: dict[str, Setting] = {}
    for name, counter in counts.items():
        (words, origin), count = counter.most_common(1)[0]
        if count >= 3 and count * 2 > len(routes):
            found[name] = Setting(words, origin)
    return found


def own_settings(route: PlannedRoute, shared: Mapping[str, Setting]) -> list[tuple[str, str, str]]:
    """What is to be said of a route beside `shared`: name, text, origin. Who may call a public route is always said."""
    found = [
        (name, setting.text, _short_origin(setting.origin, route.key))
        for name, setting in route.settings.items()
        if shared.get(name) != setting or (route.public and name == "auth")
    ]
    # A route without a setting that is said for all has to deny it.
    found += [(name, "none", "") for name in shared if name not in route.settings]
    if route.carried_by:
        by = ", ".join(f"{resource} ({what})" if what else resource for resource, what in route.carried_by)
        found.append(("carried by", by, ""))
    return found


def _short_origin(origin: str, key: str) -> str:
    """``shop.edge.yaml:27`` of ``routes.GET /orders.auth (shop.edge.yaml:27)``: the route says the rest itself."""
    path, opening, place = origin.rpartition(" (")
    own = f"routes.{key}"
    return place.removesuffix(")") if opening and (path == own or path.startswith(f"{own}.")) else origin


def _fit_origin(origin: str, width: int) -> str:
    """The origin as it is, else without the folder, else with the line alone, else its end."""
    path, opening, place = origin.rpartition(" (")
    name = place.rpartition("/")[2]
    shorter = (f"{path}{opening}{name}", f"{path}{opening}:{name.rpartition(':')[2]}") if opening else (name,)
    return next((item for item in (origin, *shorter) if cells(item) <= width), cut_left(origin, width))


def _routes(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    if not plan.routes:
        yield ink.bold("Routes") + ": none"
        return
    public = sum(route.public for route in plan.routes)
    about = f": {len(plan.routes):,}, {public:,} of them public; with where each setting comes from"
    yield from _heading("Routes", about, width, ink.bold)
    shared = shared_settings(plan.routes)
    rows = {route.key: own_settings(route, shared) for route in plan.routes}
    said = [(name, setting.text, setting.origin) for name, setting in shared.items()]
    table = _Table.fit(plan.routes, rows.values(), width)
    if said:
        yield ""
        yield "  For all routes unless said otherwise:"
        for name, words, origin in said:
            yield from _Table.fit((), [said], width).row("", name, words, origin, ink)
    for public_ones in (True, False):
        group = [route for route in plan.routes if route.public == public_ones]
        if group:
            yield ""
        for route in group:
            yield from _route(route, rows[route.key], table, ink)


def _route(route: PlannedRoute, rows: Sequence[tuple[str, str, str]], table: "_Table", ink: _Ink) -> Iterator[str]:
    mark = ink.alarm("PUBLIC") if route.public else "      "
    key = plain(route.key)
    rest = list(rows) or [("", "as all", "")]
    if cells(key) > table.key:
        for line in wrap(key, table.width - 10):
            yield f"  {mark}  {line}"
            mark = "      "
        key = ""
    for index, (name, words, origin) in enumerate(rest):
        lines = table.row("" if index else key, name, words, origin, ink)
        if not index and key:
            yield f"  {mark}" + next(lines)[8:]
        yield from lines


@dataclass(frozen=True, slots=True)
class _Table:
    """Widths of the columns of routes: key, name of a setting, its text, and where it comes from."""

    width: int
    key: int
    name: int
    words: int

    @classmethod
    def fit(
        cls, routes: Iterable[PlannedRoute], rows: Iterable[Iterable[tuple[str, str, str]]], width: int
    ) -> "_Table":
        flat = [row for group in rows for row in group]
        key = _column([cells(plain(route.key)) for route in routes], width * 3 // 10)
        name = max((cells(row[0]) for row in flat), default=4)
        room = width - 10 - key - 2 - name - 2
        words = max((cells(plain(row[1])) for row in flat), default=10)
        return cls(width, key, name, max(12, min(words, room * 11 // 20)))

    def row(self, key: str, name: str, words: str, origin: str, ink: _Ink) -> Iterator[str]:
        room = self.width - 10 - self.key - 2 - self.name - 2
        wide = self.words if origin else room  # where nothing stands behind, the text may have the place
        for index, line in enumerate(wrap(plain(words), wide)):
            first = "" if index else _fit_origin(plain(origin), room - self.words - 2)
            left = pad("" if index else key, self.key + 2) + pad("" if index else name, self.name)
            yield f"          {left}  {pad(line, self.words)}" + (f"  {ink.dim(first)}" if first else "")


def _column(widths: Sequence[int], most: int) -> int:
    """The width of a column that holds all of its texts but those that are longer than ``most``."""
    return max((wide for wide in widths if wide <= most), default=most if widths else 0)


# -- findings ----------------------------------------------------------------------------------------------------------


def by_level(findings: Iterable[Note]) -> Iterator[tuple[str, str, list[Note]]]:
    """Level, heading and findings, the worst level first; levels without any are left out."""
    all_of_them = list(findings)
    for level, heading in LEVELS:
        notes = [note for note in all_of_them if note.level == level]
        if notes:
            yield level, heading, notes


def routes_of(note: Note, most: int = 4) -> str:
    """The routes of a finding, the first few by name."""
    return listed(list(map(plain, note.routes)), most)


def _findings(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    if not plan.findings:
        yield ink.bold("Findings") + ": none"
        return
    yield ink.bold("Findings")
    for level, heading, notes in by_level(plan.findings):
        yield "  " + ink.level(level, cut(f"{heading} ({len(notes)})", width - 2))
        for note in notes:
            yield from _finding(note, width, ink)


def _finding(note: Note, width: int, ink: _Ink) -> Iterator[str]:
    place = cut_left(plain(note.place), width // 3)
    about = f"{plain(note.field)}: {routes_of(note)}" if note.routes else plain(note.field)
    lines = wrap(about, width - 6 - cells(place))
    for index, line in enumerate(lines):
        yield "    " + (ink.bold(pad(line, width - 6 - cells(place))) + "  " + ink.dim(place) if not index else line)
    for line in wrap(plain(note.reason), width - 6):
        yield f"      {line}"
    for index, line in enumerate(wrap(plain(note.remedy), width - 8) if note.remedy else ()):
        yield ("        " if index else "      → ") + line


# -- policies ----------------------------------------------------------------------------------------------------------


def _policies(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    """What stops the update beside its resource and the line that led to it; what nobody can tell yet in a line."""
    if plan.policies is None:
        yield from _heading("Policies", f": {show_policies.NOT_RUN}", width, ink.bold)
        return
    paint = ink.alarm if plan.policies.stop else ink.bold
    yield from _heading("Policies", f": {show_policies.summary(plan.policies)}", width, paint)
    for name, heading, results in show_policies.grouped(plan.policies.results):
        level = {"stops": "unsupported", "advisory": "warning"}.get(name, "approximated")
        for index, line in enumerate(wrap(f"{heading} ({len(results)})", width - 2)):
            yield "  " + (ink.level(level, line) if not index else f"  {line}")
        if name == "unclear":
            yield from _under(show_policies.unclear(results), width)
            continue
        for _, alike in groupby(results, key=lambda result: (result.rule, result.remedy)):
            yield from _rule(list(alike), width, ink)


def _rule(results: Sequence[PolicyResult], width: int, ink: _Ink) -> Iterator[str]:
    """The resources that one rule is about, and its remedy once."""
    for line in wrap(f"{results[0].rule} ({results[0].severity})", width - 4):
        yield "    " + ink.bold(line)
    for result in results:
        words = f"{plain(result.resource)}: {plain(show_policies.what(result))}"
        for index, line in enumerate(wrap(words, width - 8)):
            yield ("        " if index else "      ") + line
        for place in result.led_by or result.routes:
            yield "        " + ink.dim(_fit_origin(f"led to by {plain(place)}", width - 8))
    for index, line in enumerate(wrap(plain(results[0].remedy), width - 8) if results[0].remedy else ()):
        yield ("        " if index else "      → ") + line


def _under(words: str, width: int) -> Iterator[str]:
    yield from (f"      {line}" for line in wrap(words, width - 6))


# -- resources ---------------------------------------------------------------------------------------------------------


def _resources(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    if not plan.resources:
        return
    made = sum(resource.custom for resource in plan.resources)
    parts = len(plan.resources) - made
    kept = sum(resource.protect for resource in plan.resources if resource.custom)
    counts = f": {made:,}, in {many(parts, 'component')}" + (f"; {kept:,} protected from deletion" if kept else "")
    yield from _heading("Resources", counts, width, ink.bold)
    for line, breaks in tree(plan.resources, show_policies.broken(plan.policies)):
        yield "  " + (ink.alarm if breaks else str)(cut(line, width - 2))


def tree(resources: Sequence[Resource], broken: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, bool]]:
    """Resources below their components, alike siblings on one line: ``12 x lb.ListenerRule``.

    broken: by urn, the rules that a resource breaks; with each line, whether it says any.
    """
    known = {resource.urn for resource in resources}
    children: dict[str | None, list[Resource]] = {}
    for resource in resources:
        children.setdefault(resource.parent if resource.parent in known else None, []).append(resource)
    sizes: dict[str, int] = {}
    for resource in reversed(resources):
        sizes[resource.urn] = _size(resource, children, sizes)
    for root in _siblings(children.get(None, [])):
        yield from _branch(root, children, sizes, broken, "", "")


def _size(resource: Resource, children: Mapping[str | None, list[Resource]], sizes: dict[str, int]) -> int:
    if resource.urn not in sizes:  # parents usually stand before their children, and so are looked at after them
        below = sum(_size(child, children, sizes) for child in children.get(resource.urn, ()))
        sizes[resource.urn] = below + resource.custom
    return sizes[resource.urn]


def _siblings(resources: Sequence[Resource]) -> list[list[Resource]]:
    groups: dict[str, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(resource.type, []).append(resource)
    return list(groups.values())


def _branch(
    group: list[Resource],
    children: Mapping[str | None, list[Resource]],
    sizes: Mapping[str, int],
    broken: Mapping[str, Sequence[str]],
    lead: str,
    below: str,
) -> Iterator[tuple[str, bool]]:
    """The lines of resources of one type below one parent; lead: before the first line, below: before all under it."""
    inner = any(resource.urn in children for resource in group)
    if len(group) > 1 and (not inner or len(group) >= FEWEST_FOLDED):
        total = sum(sizes[resource.urn] for resource in group)
        kind = plain(group[0].short.partition(" ")[0])
        kept = sum(resource.protect for resource in group)
        counts = f" ({many(total, 'resource')})" if inner else ""
        counts += (", protected" if kept == len(group) else f", {kept} protected") if kept else ""
        rules = _rules(group, children, broken)
        yield f"{lead}{len(group)} x {kind}{counts}{_breaks(rules)}", bool(rules)
        return
    for index, resource in enumerate(group):
        last = index == len(group) - 1
        below_this, lead_this = below, lead
        if lead and not last:
            lead_this, below_this = lead[:-3] + "├─ ", below[:-3] + "│  "
        rules = broken.get(resource.urn, ())
        count = f" ({sizes[resource.urn]})" if resource.urn in children else ""
        kept = ", protected" if resource.protect else ""
        yield f"{lead_this}{plain(resource.short)}{count}{kept}{_breaks(rules)}", bool(rules)
        groups = _siblings(children.get(resource.urn, []))
        for number, inner_group in enumerate(groups):
            end = number == len(groups) - 1
            yield from _branch(
                inner_group,
                children,
                sizes,
                broken,
                below_this + ("└─ " if end else "├─ "),
                below_this + ("   " if end else "│  "),
            )


def _rules(
    resources: Iterable[Resource], children: Mapping[str | None, list[Resource]], broken: Mapping[str, Sequence[str]]
) -> list[str]:
    """The rules that resources break, and what is below them."""
    found: dict[str, None] = {}
    for resource in resources:
        found |= dict.fromkeys(broken.get(resource.urn, ()))
        found |= dict.fromkeys(_rules(children.get(resource.urn, ()), children, broken))
    return list(found)


def _breaks(rules: Sequence[str]) -> str:
    return f", breaks {', '.join(rules)}" if rules else ""


# -- costs -------------------------------------------------------------------------------------------------------------


def is_priced(cost: Cost) -> bool:
    """Whether there is a figure for it."""
    return not cost.basis.startswith(NOT_PRICED)


def total(costs: Iterable[Cost]) -> str:
    """The sum in words: ``about 98.55 USD a month before any traffic``."""
    found = list(costs)
    unknown = sum(not is_priced(cost) for cost in found)
    left = f", {many(unknown, 'item')} not priced" if unknown else ""
    return f"about {sum(cost.monthly for cost in found):,.2f} USD a month before any traffic{left}"


def sources(costs: Iterable[Cost]) -> list[str]:
    """Where the figures are from, each once."""
    return list(dict.fromkeys(cost.source for cost in costs if cost.source))


def _costs(plan: Plan, width: int, ink: _Ink) -> Iterator[str]:
    if not plan.costs:
        return
    yield from _heading("Monthly cost, an estimate", f": {total(plan.costs)}", width, ink.bold)
    amounts = [f"{cost.monthly:,.2f}" if is_priced(cost) else "?" for cost in plan.costs]
    names = [f"{cost.count:g} x {plain(cost.what)}" for cost in plan.costs]
    wide, name = max(map(cells, amounts)), min(max(map(cells, names)), width // 3)
    for amount, words, cost in zip(amounts, names, plan.costs, strict=True):
        row = ((amount.rjust(wide), wide), (words, name), (plain(cost.basis), width - wide - name - 6))
        yield from _amounts(row, ink)
    for source in sources(plan.costs):
        yield from (ink.dim(line) for line in _bullet(plain(source), width))


def _amounts(row: Sequence[tuple[str, int]], ink: _Ink) -> Iterator[str]:
    (amount, wide), *rest = row
    for index, line in enumerate(_columns(rest, ink)):
        yield f"  {' ' * wide if index else amount}{line}"
