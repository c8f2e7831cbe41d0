"""Reads policy documents of API Management as rules need them, whatever code is in them.

Nothing is fetched and nothing is replaced: a document with a DOCTYPE, one that is too long or too deep, and one that
is no XML are not read, and what a rule would have said of them is left open.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from xml.parsers import expat

from edgewright.plan.tokens import stands_in
from edgewright.policies.azure.words import is_one
from edgewright.policies.view import UNKNOWN, View, Violation

MAX_LENGTH = 1024 * 1024
"""Characters: API Management takes 256 KiB of a document, 512 KiB of a fragment
(https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits)."""
MAX_DEPTH = 100
"""Elements in one another."""
MAX_ELEMENTS = 50_000

SECTIONS = ("inbound", "backend", "outbound", "on-error")
LINKS = ("xml-link", "rawxml-link")


@dataclass(frozen=True, slots=True)
class Element:
    """An element. path: as in ``inbound.choose.when[1].cors``; text: what stands directly in it, without comments."""

    name: str
    path: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    children: "tuple[Element, ...]" = ()
    text: str = ""

    def child(self, name: str) -> "Element | None":
        """The first element of that name directly below."""
        return next((item for item in self.children if item.name == name), None)

    def holds(self, *names: str) -> bool:
        """Whether there is an element of one of the names below."""
        return next(self.within(*names), None) is not None

    def within(self, *names: str) -> "Iterator[Element]":
        """All elements below, however deep; names: only these."""
        waiting = [*reversed(self.children)]
        while waiting:
            item = waiting.pop()
            waiting += reversed(item.children)
            if not names or item.name in names:
                yield item


class UnreadableError(ValueError):
    """A text that is not read; its message says why."""


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document of a resource.

    key: the property that it stands in; root: ``policies`` or ``fragment``.
    """

    view: View
    key: str
    root: Element

    def section(self, name: str) -> Element | None:
        """A section by its name."""
        return self.root.child(name)

    def fails(self, element: Element | None, text: str, *also: str) -> Violation:
        """An element is wrong; the verdict rests on what is in it. None for the document."""
        key = f"{self.key}.{element.path}" if element is not None and element.path else self.key
        return self.view.fails(key, text, *also)

    def knows(self, element: Element, text: str) -> bool:
        """Whether a text of the element is known; where a plan has a token in it that is remembered."""
        if not stands_in(text):
            return True
        self.view.note(f"{self.key}.{element.path}", "is not known yet")
        return False


def read(view: View, key: str = "value") -> Document | None:
    """The policy document of a property; None where it is absent or cannot be read, which is remembered."""
    form, text = view.text("format"), view.written(key)
    if not isinstance(text, str):
        return None
    if form is UNKNOWN:
        return None
    if is_one(form, *LINKS):
        view.note(key, "is read from an address when it is deployed")
        return None
    try:
        return Document(view, key, parsed(text, raw=is_one(form, "rawxml")))
    except UnreadableError as error:
        view.note(key, f"cannot be read: {error}")
        return None


@lru_cache(maxsize=512)
def parsed(text: str, *, raw: bool) -> Element:
    """The root element; raises UnreadableError. raw: code in it is not escaped (format ``rawxml``)."""
    if len(text) > MAX_LENGTH:
        raise UnreadableError(f"it has more than {MAX_LENGTH:,} characters")
    try:
        return _Builder().build(escaped(text) if raw else text)
    except RecursionError as error:
        raise UnreadableError("its code is too deep") from error


class _Builder:
    """Makes elements of what the parser says. (expat reads no file and no address by itself.)"""

    def __init__(self) -> None:
        self._open: list[tuple[str, dict[str, str], list[Element], list[str]]] = [("", {}, [], [])]
        self._count = 0

    def build(self, text: str) -> Element:
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.buffer_text = True
        try:
            parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise UnreadableError(f"it is no XML: {error}") from error
        except UnicodeEncodeError as error:
            raise UnreadableError("it has signs that are none") from error
        return _placed(self._open[0][2][0], "")

    def _doctype(self, *_: object) -> None:
        raise UnreadableError("it has a DOCTYPE")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise UnreadableError("it has too many elements")
        self._open.append((name, attributes, [], []))

    def _end(self, _: str) -> None:
        name, attributes, children, texts = self._open.pop()
        self._open[-1][2].append(Element(name, "", attributes, tuple(children), "".join(texts).strip()))

    def _data(self, text: str) -> None:
        self._open[-1][3].append(text)


def _placed(element: Element, path: str) -> Element:
    """With paths: an element that has others of its name beside it is numbered."""
    names = Counter(item.name for item in element.children)
    seen: Counter[str] = Counter()
    children: list[Element] = []
    for item in element.children:
        place = f"{item.name}[{seen[item.name]}]" if names[item.name] > 1 else item.name
        seen[item.name] += 1
        children.append(_placed(item, f"{path}.{place}" if path else place))
    return Element(element.name, path, element.attributes, tuple(children), element.text)


# -- code that is not escaped ------------------------------------------------------------------------------------------

# What is no code whatever it looks like, or where code begins: right behind a quote or an element's end.
_BEGINS = re.compile(r"(?P<skip><!--|<!\[CDATA\[)|(?:=\s*[\"']|>)\s*(?=@[({])")
_CLOSES = {"<!--": "-->", "<![CDATA[": "]]>", "//": "\n", "/*": "*/", "(": ")", "[": "]", "{": "}"}
_IN_CODE = re.compile(
    r"""(?P<skip>//|/\*)|'(?:\\.|[^'\\\n])+'|(?P<text>\$@"|@\$"|\$"|@"|")|(?P<open>[(\[{])|(?P<close>[)\]}])"""
)
_PLAIN_TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"')
_VERBATIM_TEXT = re.compile(r'@"(?:""|[^"])*"')


def escaped(text: str) -> str:
    """The document with its code escaped, so that it is XML. Raises UnreadableError where code does not end."""
    parts: list[str] = []
    at = 0
    while (found := _BEGINS.search(text, at)) is not None:
        end = _past(text, found) if found["skip"] else found.end()
        parts.append(text[at:end])
        at = end
        if not found["skip"]:
            end = _code_end(text, at + 1) + 1
            parts.append(text[at:end].translate(_SIGNS))
            at = end
    parts.append(text[at:])
    return "".join(parts)


def _past(text: str, found: re.Match[str]) -> int:
    """Behind what begins there."""
    closing = _CLOSES[found["skip"]]
    end = text.find(closing, found.end())
    if end < 0:
        raise UnreadableError("a comment in it does not end")
    return end + len(closing)


_SIGNS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


def _code_end(text: str, at: int) -> int:
    """Where the bracket at a place is closed, texts and comments of C# left out."""
    waiting = [_CLOSES[text[at]]]
    at += 1
    while (found := _IN_CODE.search(text, at)) is not None:
        if found["open"]:
            waiting.append(_CLOSES[found["open"]])
        elif found["close"]:
            if found["close"] != waiting.pop():
                break
            if not waiting:
                return found.start()
        elif found["skip"]:
            at = _past(text, found)
            continue
        at = _text_end(text, found.start()) if found["text"] else found.end()
    raise UnreadableError("code in it does not end")


def _text_end(text: str, at: int) -> int:
    """Behind a text of C#: plain, verbatim, or with code in braces."""
    if "$" not in text[at : at + 2]:
        found = (_VERBATIM_TEXT if text[at] == "@" else _PLAIN_TEXT).match(text, at)
        if found is None:
            raise UnreadableError("a text in its code does not end")
        return found.end()
    skipped = ("{{", "}}", '""') if "@" in text[at : at + 2] else ("{{", "}}")
    escapes = "" if "@" in text[at : at + 2] else "\\"
    at = text.index('"', at) + 1
    while at < len(text):
        here = text[at]
        if text[at : at + 2] in skipped or here == escapes:
            at += 2
        elif here == '"':
            return at + 1
        else:
            at = _code_end(text, at) + 1 if here == "{" else at + 1
    raise UnreadableError("a text in its code does not end")
