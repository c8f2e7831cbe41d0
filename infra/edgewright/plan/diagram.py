"""Draws the way of a request: boxes for a terminal, a mermaid block, or SVG; with a small layout of its own."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape

from edgewright.plan.model import Hop, Link, Plan

_MOST_LINES = 4
"""Lines of what a hop does that a box shows; what is over is counted in the last of them."""


# -- text that is safe to show, and how wide it is ---------------------------------------------------------------------


def plain(text: str) -> str:
    """``text`` on one line, with characters that would steer a terminal (or are no XML) written as ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else _code(one) for one in text)


def _code(one: str) -> str:
    number = ord(one)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def cells(text: str) -> int:
    """How many columns of a terminal ``text`` takes: two for the wide characters of East Asia, none for accents."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def pad(text: str, width: int) -> str:
    """``text`` with spaces behind it up to ``width`` columns."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns, with ``…`` at its end where something was left out."""
    if cells(text) <= width:
        return text
    return _head(text, width - 1).rstrip() + "…"


def _head(text: str, width: int) -> str:
    """As much of ``text`` as fits, but one character at least."""
    kept = text[: max(1, width)]
    while len(kept) > 1 and cells(kept) > width:
        kept = kept[:-1]
    return kept


def cut_left(text: str, width: int) -> str:
    """As `cut`, but the end is kept: the line number of a place is worth more than its path."""
    if cells(text) <= width:
        return text
    kept = text[-max(1, width - 1) :]
    while cells(kept) > width - 1:
        kept = kept[1:]
    return "…" + kept


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` columns, broken at spaces, and inside of words that are longer."""
    lines, line = list[str](), ""
    for word in text.split():
        rest = word
        if line and cells(line) + 1 + cells(rest) <= width:
            line += f" {rest}"
            continue
        if line:
            lines.append(line)
        while cells(rest) > width:
            head = _head(rest, width)
            lines.append(head)
            rest = rest[len(head) :]
        line = rest
    return [*lines, line] if line or not lines else lines


# -- the graph ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Graph:
    """Hops by name, in order; all links; and the links that lead forward, without those that close a circle."""

    hops: Mapping[str, Hop]
    links: tuple[Link, ...]
    forward: tuple[Link, ...]

    def after(self, name: str) -> list[Link]:
        return [link for link in self.forward if link.source == name]


def _graph(plan: Plan) -> _Graph:
    hops = {hop.name: hop for hop in plan.hops}
    for link in plan.links:  # a link to a hop that nobody described is drawn, rather than lost
        hops.setdefault(link.source, Hop(link.source, link.source))
        hops.setdefault(link.target, Hop(link.target, link.target))
    return _Graph(hops, plan.links, _forward(hops, plan.links))


def _forward(hops: Iterable[str], links: Sequence[Link]) -> tuple[Link, ...]:
    following: dict[str, list[Link]] = {name: [] for name in hops}
    for link in links:
        following[link.source].append(link)
    done, closing = set[str](), set[int]()
    for root, links_from in following.items():
        # A walk without recursion: `open_` holds the hops from the root to here.
        walk, open_ = [(root, iter(links_from))], {root}
        while walk and root not in done:
            name, rest = walk[-1]
            for link in rest:
                if link.target in open_:
                    closing.add(id(link))
                elif link.target not in done:
                    walk.append((link.target, iter(following[link.target])))
                    open_.add(link.target)
                    break
            else:
                walk.pop()
                open_.discard(name)
                done.add(name)
    return tuple(link for link in links if id(link) not in closing)


def _in_order(graph: _Graph) -> list[str]:
    """Hops such that each comes after all that lead to it."""
    waiting = dict.fromkeys(graph.hops, 0)
    for link in graph.forward:
        waiting[link.target] += 1
    following: dict[str, list[str]] = {name: [] for name in graph.hops}
    for link in graph.forward:
        following[link.source].append(link.target)
    order = [name for name, count in waiting.items() if not count]
    for name in order:
        for target in following[name]:
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    return order


def _layers(graph: _Graph) -> dict[str, int]:
    """The number of links on the longest way to each hop."""
    layer = dict.fromkeys(graph.hops, 0)
    incoming: dict[str, list[str]] = {name: [] for name in graph.hops}
    for link in graph.forward:
        incoming[link.target].append(link.source)
    for name in _in_order(graph):
        layer[name] = max((layer[source] + 1 for source in incoming[name]), default=0)
    return layer


def _lines(hop: Hop) -> tuple[str, ...]:
    if len(hop.does) <= _MOST_LINES:
        return tuple(map(plain, hop.does))
    return (*map(plain, hop.does[: _MOST_LINES - 1]), f"and {len(hop.does) - _MOST_LINES + 1} more")


# -- for a terminal ----------------------------------------------------------------------------------------------------

_WIDEST_BOX = 36


def text(plan: Plan, *, width: int = 110) -> str:
    """The longest way as boxes from left to right, in rows of at most ``width`` columns; other ways as branches."""
    graph = _graph(plan)
    if not graph.hops:
        return ""
    chain = _chain(graph)
    drawn = set(chain)
    lines, last = _boxes(graph, chain, width)
    branches = dict(_branches(graph, chain, drawn))
    hung = branches.pop(chain[-1], [])
    if hung:
        lines = _hang(lines, last, hung, width)
    for name, rows in branches.items():
        lines += ["", cut(plain(graph.hops[name].title), width), *(cut(row, width) for row in rows)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _chain(graph: _Graph) -> list[str]:
    """The longest way from the first hop; it ends where it would have to choose between several ends."""
    left = dict.fromkeys(graph.hops, 0)
    for name in reversed(_in_order(graph)):
        left[name] = max((left[link.target] + 1 for link in graph.after(name)), default=0)
    chain = [next(iter(graph.hops))]
    while following := list(dict.fromkeys(link.target for link in graph.after(chain[-1]))):
        best = max(following, key=lambda name: left[name])
        if not left[best] and len(following) > 1:
            break
        chain.append(best)
    return chain


@dataclass(slots=True)
class _Row:
    """Lines of text as wide as each other, in which boxes stand; `start`: where the last box begins."""

    lines: list[str]
    start: int = 0


def _boxes(graph: _Graph, chain: Sequence[str], width: int) -> tuple[list[str], int]:
    rows: list[_Row] = []
    widest = min(_WIDEST_BOX, width - 12)
    for before, name in zip((None, *chain), chain, strict=False):
        box = _box(graph.hops[name], widest)
        arrow = "" if before is None else _arrow(_label(graph, before, name, width - cells(box[0]) - 8))
        if rows and cells(rows[-1].lines[1]) + cells(arrow) + cells(box[0]) <= width - 3:
            _append(rows[-1], arrow, box)
            continue
        if rows:
            rows[-1].lines[1] = rows[-1].lines[1][:-1] + "├─ …"
            rows.append(_Row([" " * (cells(arrow) + 2)] * 3))
            rows[-1].lines[1] = f"… {arrow}"
        else:
            rows.append(_Row([""] * 3))
        _append(rows[-1], "", box)
    found: list[str] = []
    for row in rows:
        found += row.lines if not found else ["", *row.lines]
    return found, rows[-1].start


def _append(row: _Row, arrow: str, box: list[str]) -> None:
    """Put a box, and the arrow that leads to it, behind what stands in the row; arrows touch the line of the title."""
    wide = max(map(cells, row.lines))
    row.lines = [pad(line, wide) for line in row.lines]
    row.lines += [" " * wide] * (len(box) - len(row.lines))
    if arrow:
        row.lines[1] = row.lines[1][:-1] + "├"
    row.start = wide + cells(arrow)
    for index in range(len(row.lines)):
        between = arrow if index == 1 else " " * cells(arrow)
        row.lines[index] += between + (box[index] if index < len(box) else " " * cells(box[0]))


def _box(hop: Hop, widest: int) -> list[str]:
    inside = [cut(line, widest) for line in (plain(hop.title), *_lines(hop))]
    wide = max(map(cells, inside))
    return [
        f"┌{'─' * (wide + 2)}┐",
        *(f"│ {pad(line, wide)} │" for line in inside),
        f"└{'─' * (wide + 2)}┘",
    ]


def _arrow(label: str) -> str:
    return f"─ {label} ─▶" if label else "──▶"


def _label(graph: _Graph, source: str, target: str, width: int) -> str:
    """What several links between the same two hops say, once each."""
    texts = [plain(link.text) for link in graph.links if (link.source, link.target) == (source, target) and link.text]
    return cut(", ".join(dict.fromkeys(texts)), max(8, width))


def _branches(graph: _Graph, chain: Sequence[str], drawn: set[str]) -> Iterator[tuple[str, list[str]]]:
    """For each hop that leads elsewhere too, or that nothing leads to: the rows of a tree below it."""
    on_chain = set(pairwise(chain))
    reached = {link.target for link in graph.forward}
    apart = (name for name in graph.hops if name not in reached and name not in chain)
    # The last box first: its branches hang from it, above all others.
    for name in (chain[-1], *chain[:-1], *apart):
        alone = name not in drawn
        drawn.add(name)
        rows = list(_tree(graph, name, drawn, on_chain, ""))
        if rows or alone:
            yield name, rows or ["  (nothing leads here)"]


def _tree(
    graph: _Graph, name: str, drawn: set[str], skip: set[tuple[str, str]], indent: str
) -> Iterator[str]:  # as deep as the longest branch
    targets = list(dict.fromkeys(link.target for link in graph.links if link.source == name))
    targets = [target for target in targets if (name, target) not in skip]
    for target in targets:
        last = target == targets[-1]
        hop = graph.hops[target]
        words = [plain(hop.title), *((", ".join(_lines(hop)),) if hop.does and target not in drawn else ())]
        note = "  (above)" if target in drawn else ""
        yield f"{indent}{'└' if last else '├'}{_arrow(_label(graph, name, target, 40))} {' · '.join(words)}{note}"
        if target not in drawn:
            drawn.add(target)
            yield from _tree(graph, target, drawn, skip, indent + ("   " if last else "│  "))


def _hang(lines: list[str], start: int, rows: Sequence[str], width: int) -> list[str]:
    """Hang the branches of the last box from it; where they would not fit, further to the left."""
    at = start + 2
    if at + max(map(cells, rows)) <= width:
        bottom = next(index for index in range(len(lines) - 1, -1, -1) if lines[index][start : start + 1] == "└")
        mark = lines[bottom]
        lines[bottom] = mark[:at] + "┬" + mark[at + 1 :]
        hung = lines[: bottom + 1]
        for index, row in enumerate(rows):
            line = lines[bottom + 1 + index] if bottom + 1 + index < len(lines) else ""
            hung.append(pad(line[:at], at) + row)
        return [*hung, *(line for line in lines[bottom + 1 + len(rows) :])]
    # The box's own line is cut off by the edge of the window: come back to the left, in sight of the box.
    back = f"{'┌' + '─' * (at - 3) + '┘':>{at + 1}}"
    bottom = lines[-1]
    fits = bottom[start : start + 1] == "└"
    if fits:
        lines[-1] = bottom[:at] + "┬" + bottom[at + 1 :]
        lines = [*lines, back]
    return [*lines, *(cut(f"  {row}", width) for row in rows)]


# -- as mermaid --------------------------------------------------------------------------------------------------------

_MERMAID = str.maketrans(
    {
        '"': "#quot;",
        "#": "#num;",
        "<": "#lt;",
        ">": "#gt;",
        "&": "#amp;",
        "`": "#grave;",
        "\\": "#bsol;",
        "%": "#percnt;",
    }
)
"""Characters that end a label, start markup or a directive, or would end the block around it, as mermaid's entities. By
their names: `#35;` looks like an issue to what makes a comment harmless (`edgewright.ci.markdown`)."""


def mermaid(plan: Plan) -> str:
    """A mermaid flowchart, from left to right; texts cannot break out of their labels."""
    graph = _graph(plan)
    names = {name: f"h{index}" for index, name in enumerate(graph.hops)}
    lines = ["flowchart LR"]
    for name, hop in graph.hops.items():
        label = "<br/>".join(_in_label(line) for line in (hop.title, *_lines(hop)))
        lines.append(f'  {names[name]}["{label}"]')
    for link in graph.links:
        label = f'|"{_in_label(link.text)}"|' if link.text else ""
        lines.append(f"  {names[link.source]} -->{label} {names[link.target]}")
    return "\n".join(lines) + "\n"


_MOST_IN_LABEL = 80
"""Of what a hop or a link says."""


def _in_label(text: str) -> str:
    return cut(plain(text[: _MOST_IN_LABEL + 1]), _MOST_IN_LABEL).translate(_MERMAID)


# -- as SVG ------------------------------------------------------------------------------------------------------------

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_TITLE, _LINE, _LABEL = 13, 12, 11
"""Sizes of text in pixels."""
_MARGIN, _TOP, _PADDING, _GAP, _PORT, _TURN = 24, 52, 12, 20, 20, 48
"""Pixels: around all; above the first box; inside of a box; between boxes; between arrows at a box; of a curve."""
_BACK = 40
"""Pixels that an arrow which closes a circle hangs below its boxes."""
_LONGEST_TITLE, _LONGEST_LINE, _LONGEST_LABEL = 36, 40, 36

_STYLE = """\
text{font-family:%s}
@media (prefers-color-scheme: dark){
.ground{fill:#0d1117}.box{fill:#161b22;stroke:#8b949e}.first{stroke:#58a6ff}
.title{fill:#f0f6fc}.line{fill:#b1bac4}.label{fill:#c9d1d9}.link{stroke:#8b949e}.tip{fill:#8b949e}
}"""


@dataclass(slots=True)
class _Place:
    """A box, or the point where a long arrow passes a layer (`hop` is None); pixels."""

    hop: Hop | None
    width: int
    height: int
    x: int = 0
    y: int = 0
    order: float = 0.0
    entries: list[str] = field(default_factory=list[str])

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class _Way:
    """An arrow with the keys of the places it visits, both ends included."""

    text: str
    places: tuple[str, ...]


def svg(plan: Plan) -> str:
    """A drawing with its own background, readable in light and dark, whole without any other file."""
    graph = _graph(plan)
    places, ways, columns = _placed(graph)
    _order(columns, ways, places)
    width, height = _position(columns, ways, places)
    back = [link for link in graph.links if link not in graph.forward]
    height += _BACK if back else 0
    name = escape(plain(f"{plan.name} on {plan.topology}"))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' role="img" aria-labelledby="name">',
        f'<title id="name">The way of a request: {name}</title>',
        f"<style>{_STYLE % _FONT}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>',
        f'<rect class="ground" width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text class="title" x="{_MARGIN}" y="30" font-size="15" font-weight="600" fill="#1f2328">{name}</text>',
    ]
    # Arrows first, so that a box is never crossed out; labels last, so that an arrow never crosses one out.
    parts += [_drawn_way(way, places) for way in ways]
    parts += [_drawn_back(link, places) for link in back]
    first = next(iter(graph.hops), None)
    parts += [_drawn_box(place, first=key == first) for key, place in places.items() if place.hop is not None]
    parts += [_drawn_label(way, places) for way in ways if way.text]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _placed(graph: _Graph) -> tuple[dict[str, _Place], list[_Way], list[list[str]]]:
    """The places of each column from left to right. An arrow over several columns gets a point in each between."""
    layer = _layers(graph)
    columns: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    places: dict[str, _Place] = {}
    for name, hop in graph.hops.items():
        places[name] = _Place(hop, *_size(hop))
        columns[layer[name]].append(name)
    ways: list[_Way] = []
    texts: dict[tuple[str, str], str] = {}
    for link in graph.forward:
        texts[link.source, link.target] = _label(graph, link.source, link.target, _LONGEST_LABEL)
    for number, ((source, target), label) in enumerate(texts.items()):
        between: list[str] = []
        for column in range(layer[source] + 1, layer[target]):
            key = f"\0{number} {column}"  # no name of a hop
            places[key] = _Place(None, 0, 8)
            columns[column].append(key)
            between.append(key)
        ways.append(_Way(label, (source, *between, target)))
    for way in ways:
        last = places[way.places[-1]]
        last.entries.append(way.places[-2])
        last.height = max(last.height, _PORT * (len(last.entries) + 1))
    return places, ways, columns


def _size(hop: Hop) -> tuple[int, int]:
    lines = _lines(hop)
    wide = [_pixels(cut(plain(hop.title), _LONGEST_TITLE), _TITLE) * 1.12]
    wide += [_pixels(cut(line, _LONGEST_LINE), _LINE) for line in lines]
    return max(96, int(max(wide)) + 2 * _PADDING), 36 + 17 * len(lines)


_WIDTHS = {
    **dict.fromkeys("ijlI.,:;'|", 0.38),
    **dict.fromkeys(' ()[]ftr/\\-!"', 0.46),
    **dict.fromkeys("mwMW@%", 1.02),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", 0.8),
    **dict.fromkeys("#+<=>^~", 0.86),
}
"""Of an em; those of DejaVu Sans, the widest of the usual fonts, rounded up: text never leaves its box."""


def _pixels(line: str, size: int) -> float:
    return size * sum(_WIDTHS.get(one, 0.66) if one.isascii() else 0.75 * max(1, cells(one)) for one in line)


def _order(columns: Sequence[list[str]], ways: Sequence[_Way], places: Mapping[str, _Place]) -> None:
    """Put each place near the middle of those that lead to it, then of those that it leads to: fewer crossings."""
    before: dict[str, list[str]] = {key: [] for key in places}
    behind: dict[str, list[str]] = {key: [] for key in places}
    for way in ways:
        for left, right in pairwise(way.places):
            behind[left].append(right)
            before[right].append(left)
    for column in columns:
        for index, key in enumerate(column):
            places[key].order = index
    for beside, sweep in ((before, columns), (behind, columns[::-1]), (before, columns)):
        for column in sweep:
            middle = {key: _mean([places[other].order for other in beside[key]], places[key].order) for key in column}
            column.sort(key=lambda key, middle=middle: middle[key])
            for index, key in enumerate(column):
                places[key].order = index
    for place in places.values():
        place.entries.sort(key=lambda key: places[key].order)


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _position(columns: Sequence[list[str]], ways: Sequence[_Way], places: Mapping[str, _Place]) -> tuple[int, int]:
    """Set the pixels of all places; answer the size of the drawing."""
    lengths = [sum(places[key].height + _GAP for key in column) - _GAP for column in columns]
    tallest = max(lengths, default=0)
    room: dict[str, int] = {}
    for way in ways:
        last = way.places[-1]
        room[last] = max(room.get(last, 0), int(_pixels(way.text, _LABEL)) + 28 if way.text else 24)
    x = _MARGIN
    for index, column in enumerate(columns):
        x += _TURN + max((room.get(key, 24) for key in column), default=24) if index else 0
        y = _TOP + (tallest - lengths[index]) // 2
        wide = max(places[key].width for key in column)
        for key in column:
            place = places[key]
            place.x, place.y = x, y
            place.width = wide  # boxes of a column line up
            y += place.height + _GAP
        x += wide
    return max(x + _MARGIN, 320), _TOP + tallest + _MARGIN


def _entry(place: _Place, source: str, places: Mapping[str, _Place]) -> int:
    """Where an arrow meets the left side of a box: each has its own place there; a single one comes straight."""
    if place.hop is None:
        return place.middle
    if len(place.entries) == 1 and place.y + 12 <= places[source].middle <= place.y + place.height - 12:
        return places[source].middle
    step = place.height / (len(place.entries) + 1)
    return place.y + round(step * (place.entries.index(source) + 1))


def _drawn_way(way: _Way, places: Mapping[str, _Place]) -> str:
    start = places[way.places[0]]
    x, y = start.x + start.width, start.middle
    path = [f"M{x} {y}"]
    for before, key in pairwise(way.places):
        place = places[key]
        to, turned = _entry(place, before, places), x + _TURN
        if to == y:
            path.append(f"L{turned} {to}")
        else:
            path.append(f"C{x + _TURN * 3 // 4} {y} {x + _TURN // 4} {to} {turned} {to}")
        end = place.x if place.hop is not None else place.x + place.width
        path.append(f"L{end} {to}")
        x, y = end, to
    return (
        f'<path class="link" d="{"".join(path)}" fill="none" stroke="#57606a" stroke-width="1.5"'
        ' marker-end="url(#tip)"/>'
    )


def _drawn_back(link: Link, places: Mapping[str, _Place]) -> str:
    """An arrow that closes a circle: dashed, below the boxes."""
    source, target = places[link.source], places[link.target]
    (x, y), (to, bottom) = ((place.x + place.width // 2, place.y + place.height) for place in (source, target))
    x += 12 if source is target else 0
    return (
        f'<path class="link" d="M{x} {y}C{x} {y + _BACK} {to - 12} {bottom + _BACK} {to - 12} {bottom}" fill="none"'
        ' stroke="#57606a" stroke-width="1.5" stroke-dasharray="4 3" marker-end="url(#tip)">'
        f"<title>{escape(plain(link.text))}</title></path>"
    )


def _drawn_box(place: _Place, *, first: bool) -> str:
    hop = place.hop
    if hop is None:
        raise AssertionError("a point is not drawn")
    lines = _lines(hop)
    top = place.y + (place.height - 36 - 17 * len(lines)) // 2
    x = place.x + _PADDING
    whole = escape("\n".join(map(plain, (hop.title, *hop.does))))
    parts = [
        f"<g><title>{whole}</title>",
        f'<rect class="box{" first" if first else ""}" x="{place.x}" y="{place.y}" width="{place.width}"'
        f' height="{place.height}" rx="6" fill="#f6f8fa" stroke="{"#0969da" if first else "#57606a"}"/>',
        f'<text class="title" x="{x}" y="{top + 23}" font-size="{_TITLE}" font-weight="600" fill="#1f2328">'
        f"{escape(cut(plain(hop.title), _LONGEST_TITLE))}</text>",
    ]
    parts += [
        f'<text class="line" x="{x}" y="{top + 41 + 17 * index}" font-size="{_LINE}" fill="#424a53">'
        f"{escape(cut(line, _LONGEST_LINE))}</text>"
        for index, line in enumerate(lines)
    ]
    return "".join([*parts, "</g>"])


def _drawn_label(way: _Way, places: Mapping[str, _Place]) -> str:
    place = places[way.places[-1]]
    y = _entry(place, way.places[-2], places) - 5
    return (
        f'<text class="label" x="{place.x - 14}" y="{y}" font-size="{_LABEL}" text-anchor="end" fill="#1f2328">'
        f"{escape(way.text)}</text>"
    )
