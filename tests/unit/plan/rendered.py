"""Markdown as a browser would get it: elements and texts, and what GitHub would make links and mentions of."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

_VOID = frozenset({"br", "hr", "img"})

REFERENCES = re.compile(
    r"(?:^|\W)@\w"  # somebody is notified
    r"|(?:^|\W)#\d|\bGH-\d"  # another issue says that this one names it
    r"|https?://|\bwww\.\w"
    r"|:[a-z_]+:",
    re.IGNORECASE,
)
"""What GitHub looks for in texts outside of code and links, after the markdown was read."""


@dataclass
class Page(HTMLParser):
    """elements: opening tags with their attributes, in order; prose: texts outside of code and links; words: all."""

    source: str
    elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(MarkdownIt("gfm-like").render(self.source))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> ends what it did not begin"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if not {"code", "pre", "a"} & set(self._open):
            self.prose.append(data)

    def close(self) -> None:
        super().close()
        assert not self._open, f"<{self._open[-1]}> is never closed"

    @property
    def references(self) -> list[str]:
        """What GitHub would make a link or a mention of."""
        return [found[0] for text in self.prose for found in REFERENCES.finditer(text)]

    @property
    def text(self) -> str:
        """All that is read, without what nobody sees."""
        return "".join(self.words).replace("\u200b", "")
