"""GitHub flavoured markdown that no text of a spec can break out of, in documents that stay below a limit.

What a spec says may come with a pull request from anybody. Two layers read it: the markdown itself, and what GitHub (or
GitLab) does with the text that came out, which makes links, mentions and references of what looks like one. Characters
are escaped for the first, and parted by a zero-width space for the second.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edgewright.plan.diagram import cells, cut, plain, wrap
from edgewright.plan.words import many

MOST = 60_000
"""UTF-16 units of a document. GitHub takes 65,536 in a comment; a tool that posts it may put a few words before."""

LONGEST_CELL = 300
_WIDTH = 92
"""Cells of a line in a fence: what a comment on GitHub has room for."""
_SMALL = 3_000
"""Units of rows that each part has before any has more."""
_ROOM = 300
"""Units that are kept for the words about parts that are left out."""

# -- text that stays where it is put -----------------------------------------------------------------------------------

_APART = "&#8203;"
"""A zero-width space: seen by nobody, and no part of any name."""

_ESCAPES = str.maketrans({**{one: f"&#{ord(one)};" for one in "|\\@#`$"}, **{one: f"\\{one}" for one in "*_[]~"}})

_LINKED = re.compile(
    r"[@#!$%^~](?=\w)"  # @someone, #123; GitLab's !1, $1, %1, ^1, ~label
    r"|&(?=\d)"  # GitLab's epics
    r"|:(?=//)"  # https://...
    r"|\bwww(?=\.)"
    r"|(?<=\w)\.(?=(?:[a-z]{2}|biz|com|edu|gov|net|org|pro|web|xxx|aero|asia|coop|info|museum|name|shop|рф|xn--\w+)\b)"
    r"|:(?=[\w+-]+:)"  # :smile:
    r"|\b(?-i:[A-Z]{2,10})-(?=\d)"  # GH-123, and references to other trackers
    r"|\b[0-9a-f]{6}(?=[0-9a-f]{1,34}\b)"  # commits
    r"|\b(?:mailto|xmpp)(?=:)",
    re.IGNORECASE,
)
"""What GitHub and GitLab make links of, up to the place where a zero-width space parts it. See `docs.github.com`
(basic-writing-and-formatting-syntax; autolinked-references-and-urls), the autolinks of github.github.com/gfm, and
docs.gitlab.com/user/markdown (GitLab-specific references). Azure DevOps takes `evil.com` for an address too, with the
endings that linkify-it has."""

_FIRST = re.compile(r"[-+=]|\d{1,9}(?=[.)])")
"""What at the start of a line would begin a list, or make a heading of the line before it."""

_SIMPLE = re.compile(r"[^`|\\<>&\s]+(?: [^`|\\<>&\s]+)*")


def escape(words: str, longest: int = LONGEST_CELL) -> str:
    """Words that are shown as they are: no markup, no HTML, no mention, no link, no end of a table's cell."""
    short = cut(plain(words[: longest + 1]), longest).strip()
    parted = _LINKED.sub(lambda found: f"{found[0]}\0", short)
    shown = html.escape(parted, quote=False).translate(_ESCAPES).replace("\0", _APART)
    first = _FIRST.match(short)
    return f"&#{ord(shown[0])};{shown[1:]}" if first else shown


def code(words: str, longest: int = LONGEST_CELL) -> str:
    """The same in the font of code; as a code span where that is safe, else as an element around escaped words."""
    if not words:
        return ""
    short = cut(plain(words[: longest + 1]), longest)
    return f"`{short}`" if _SIMPLE.fullmatch(short) else f"<code>{escape(short, longest)}</code>"


def block(text: str, longest: int, language: str = "text") -> str:
    """Lines as they are, in a fence that none of them can end; none begins one that a runner or a bot would obey.

    Long ones go on in the next, further in: a page does not break what stands in a fence, and its end is out of sight.
    """
    shown = [cut(plain(line), LONGEST_CELL).replace("<!--", "<! --") for line in text[:longest].splitlines()]
    broken = [[line] if cells(line) <= _WIDTH else wrap(line, _WIDTH) for line in shown]
    lines = [f"·{'   ' if index else ' '}{part}" for parts in broken for index, part in enumerate(parts)]
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    return "\n".join([f"{fence}{language}", *lines, *(["…"] if len(text) > longest else []), fence]) + "\n"


def row(*cells: str) -> str:
    """A row of a table; the cells are markdown already."""
    return f"| {' | '.join(cells)} |\n"


def header(*names: str) -> str:
    """The head of a table."""
    return row(*names) + row(*("---" for _ in names))


def link(words: str, url: str) -> str:
    """A link to an address of our own tables, or one that `is_address` let through."""
    return f"[{words}]({url})"


_ADDRESS = re.compile(r"about:blank|https?://[A-Za-z0-9.\-:]+(?:/[A-Za-z0-9\-._~!$&'*+,;=:@%/?#]*)?")


def is_address(text: str) -> bool:
    """Whether it is an address that may stand in a link as it is; ``about:blank`` is where there is no page."""
    return len(text) <= 2_000 and _ADDRESS.fullmatch(text) is not None


# -- parts that fit ----------------------------------------------------------------------------------------------------


def size(text: str) -> int:
    """How long GitHub takes a text to be: in UTF-16 units at most."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a document. Rows may be left out from the end; all else stays.

    head, close and foot stand around the rows, and a note of what was left out comes between the last two; noun: what
    a row is, for that note; weight: the parts with less are cut first; whole: with none of its rows it is nothing.
    """

    head: str
    rows: tuple[str, ...] = ()
    close: str = ""
    foot: str = ""
    noun: str = "row"
    weight: int = 0
    note: str = ""
    """What stands after the note of what was left out, such as a link to the whole."""

    def render(self, count: int) -> str:
        """The part with its first ``count`` rows."""
        left = len(self.rows) - count
        note = ""
        if left:
            note = f"\n_{many(left, self.noun)} more: left out here, to stay below {MOST:,} characters.{self.note}_\n"
        return f"{self.head}{''.join(self.rows[:count])}{self.close}{note}{self.foot}\n"


def folded(
    summary: str, head: str, rows: Iterable[str], *, close: str = "", noun: str = "row", weight: int = 0
) -> Part:
    """A part that is opened by a click; summary: plain words."""
    begin = f"<details><summary>{escape(summary)}</summary>\n\n"
    return Part(begin + head, tuple(rows), close, "\n</details>\n", noun, weight)


def fit(parts: Sequence[Part], most: int | None = MOST, note: str = "") -> str:
    """All parts, one after the other, in fewer than ``most`` units: rows are left out, whole and from the end.
    None: there is no limit.

    Small parts stay whole, and each long one keeps its first rows; then those with more weight get theirs. Where even
    the heads are too many, parts are left out from the end, and counted. note: markdown behind each word of what was
    left out.
    """
    if most is None:
        return "\n".join(part.render(len(part.rows)).rstrip("\n") + "\n" for part in parts)
    kept = [replace(part, note=note) for part in parts]
    bare = [size(part.render(0)) + 1 for part in kept]
    needed, left = sum(bare), 0
    while kept and needed > most - _ROOM - size(note):
        needed -= bare[len(kept) - 1]
        kept.pop()
        left += 1
    if left:
        kept.append(Part(f"_{many(left, 'section')} more: left out here, to stay below {MOST:,} characters.{note}_\n"))
        needed += size(kept[-1].render(0)) + 1
    counts = _rows_that_fit(kept, most - 1 - needed)
    return "\n".join(part.render(count).rstrip("\n") + "\n" for part, count in zip(kept, counts, strict=True))


def _rows_that_fit(parts: Sequence[Part], budget: int) -> list[int]:
    """How many rows of each part: some of each first, then as many as there is room for, by weight."""
    counts = [0 for _ in parts]
    for share in (_SMALL, budget):
        for index in sorted(range(len(parts)), key=lambda index: -parts[index].weight):
            rows = parts[index].rows
            taken = sum(map(size, rows[: counts[index]]))
            for line in rows[counts[index] :]:
                long = size(line)
                if long > budget or taken + long > share:
                    break
                budget -= long
                taken += long
                counts[index] += 1
    return counts
