"""Reads one YAML or JSON document with libyaml, bounded in every direction, and keeps the place of every key and value.

Values are those of YAML 1.2's core schema: `yes`, `on`, `010`, `1_000` and `1:30` are texts, keys are always texts as
written. Anchors, aliases and merge keys (`<<`) work; tags other than the core ones do not. Nothing here is recursive.
"""

import gc
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import yaml

from edgewright.spec.problems import Path, Place, Problem, Sources, SpecError, printable

MAX_BYTES = 8_000_000
"""A larger document is refused; the largest public OpenAPI documents have 7 MB."""
MAX_DEPTH = 64
"""Lists and mappings within each other."""
MAX_VALUES = 400_000
"""Keys, values, lists and mappings as written."""
MAX_ALIASES = 1_000
MAX_ALIASED_VALUES = 50_000
"""What all aliases together may stand for."""
MAX_KEY = 1_024
"""Characters of a key; YAML has this bound for keys without `?`."""
MAX_DIRECTIVES = 16
"""Lines that begin with `%`: libyaml compares each directive with all before it."""

Mark = tuple[int, int]
"""A line and a column, both from 1."""

_MAX_PROBLEMS = 100

_TAG = "tag:yaml.org,2002:"
_CORE = ("str", "int", "float", "bool", "null", "seq", "map")
_KINDS: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null"}
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Numbers as JSON has them, signs allowed. `010` is octal to YAML 1.1 and ten to 1.2: it stays a text, as do numbers
# that no double holds exactly enough or at all.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?")
_DIRECTIVE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")

Read = tuple[Any, Sources, tuple[Problem, ...]]
"""The data, its sources, and the problems that did not stop the reading."""


class _Node:
    """A value with its place; a container's parts are in ``parts`` too, so that places are found along a path."""

    __slots__ = ("data", "height", "keys", "mark", "parts", "size")

    def __init__(self, mark: Mark, data: Any, parts: "dict[str, _Node] | list[_Node] | None" = None) -> None:
        self.mark = mark
        self.data = data
        self.parts = parts
        self.keys: dict[str, Mark] = {}
        self.size = 1
        self.height = 0 if parts is None else 1


class _Frame:
    """A list or mapping that is not finished: what waits for a value, and what is merged at its end."""

    __slots__ = ("anchor", "key", "key_mark", "merge", "merged", "node")

    def __init__(self, node: _Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: str | None = None
        self.merge = False
        self.key_mark: Mark = (0, 0)
        self.merged: list[_Node] = []


def read(content: bytes, file: str) -> Read:
    """The one document in ``content``.

    Raises SpecError when there is no document to go on with. Duplicate keys, keys that are not texts, and unknown tags
    are among the problems that are returned; the first of two equal keys counts.
    """
    reader = _Reader(file)
    with _without_garbage_collection():
        try:
            root = reader.root(_text(content, file))
        except SpecError as error:
            raise SpecError((*reader.problems, *error.problems)) from None
    sources = Sources(file, _Places(root, of_keys=False), _Places(root, of_keys=True))
    return root.data, sources, tuple(reader.problems)


@contextmanager
def _without_garbage_collection() -> Generator[None]:
    """Many small objects and no cycles: the collector would only cost time (a third of it was left without it)."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _text(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        raise too_large(file)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SpecError([Problem(Place(file, 1, 1), "the file is in UTF-16", "save it as UTF-8", code="encoding")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The error counts from behind a byte order mark.
        before = error.object[: error.start].decode("utf-8", "replace")
        what = f"the byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise SpecError([Problem(_place(file, before), what, "save the file as UTF-8", code="encoding")]) from None
    found = _FORBIDDEN.search(text)
    if found:
        what = f"there is a character that YAML does not allow, U+{ord(found[0]):04X}"
        place = _place(file, text[: found.start()])
        raise SpecError([Problem(place, what, 'take it out, or write it as an escape in "..."', code="character")])
    if text.count("%") > MAX_DIRECTIVES:
        _check_directives(text, file)
    return text


def _check_directives(text: str, file: str) -> None:
    for number, found in enumerate(_DIRECTIVE.finditer(text), 1):
        if number > MAX_DIRECTIVES:
            what = f"more than {MAX_DIRECTIVES} lines begin with `%`"
            place = _place(file, text[: found.end() - 1])
            raise SpecError([Problem(place, what, "leave `%YAML` and `%TAG` out", code="size")])


def _place(file: str, before: str) -> Place:
    lines = before.split("\n")
    return Place(file, len(lines), len(lines[-1]) + 1)


def too_large(file: str) -> SpecError:
    """The error for a file that is larger than MAX_BYTES."""
    what = f"it is larger than {MAX_BYTES // 1_000_000} MB"
    return SpecError(
        [Problem(Place(file), what, "a spec is text that people read: write less, or split it", code="size")]
    )


class _Reader:
    """Builds nodes from libyaml's events, with a stack of its own."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Node | None] = {}
        self._root: _Node | None = None
        self._documents = self._values = self._aliases = self._aliased = 0
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    def root(self, text: str) -> _Node:
        """The node of the whole document; raises SpecError."""
        try:
            for event in _events(text):
                handler = self._handlers.get(cast("type[Any]", type(event)))
                if handler:
                    handler(event)
        except yaml.MarkedYAMLError as error:
            raise SpecError([self._syntax(error, text)]) from None
        except yaml.YAMLError as error:
            raise self._fatal((1, 1), f"it is not YAML: {_cut(str(error))}", "", "yaml") from None
        if self._root is None or self._root.data is None:
            raise SpecError(
                [Problem(Place(self._file, 1, 1), "the file is empty", "begin with `name: shop`", code="empty")]
            )
        return self._root

    # -- events

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._fatal(_mark(event), "a second document begins here", "keep one document a file", "documents")

    def _scalar(self, event: Any) -> None:
        self._count(event)
        mark = _mark(event)
        frame = self._stack[-1] if self._stack else None
        if frame and isinstance(frame.node.parts, dict) and frame.key is None:
            if len(event.value) > MAX_KEY:
                raise self._fatal(mark, f"a key is longer than {MAX_KEY} characters", "write a shorter one", "size")
            if event.tag is not None:
                self._check_tag(event, mark)
            self._anchor(event.anchor, _Node(mark, event.value))
            # Only a plain `<<` is a merge key; a quoted one is a text.
            frame.merge = event.value == "<<" and bool(event.implicit[0])
            frame.key, frame.key_mark = event.value, mark
            return
        node = _Node(mark, self._value(event, mark))
        self._anchor(event.anchor, node)
        self._add(node)

    def _open(self, event: Any) -> None:
        self._count(event)
        mark = _mark(event)
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if self._check_tag(event, mark) not in (None, kind):
            self._note(mark, "this is not what its tag says", "leave the tag out", "tag")
        if len(self._stack) >= MAX_DEPTH:
            raise self._too_deep(mark)
        frame = self._stack[-1] if self._stack else None
        if frame and isinstance(frame.node.parts, dict) and frame.key is None:
            raise self._fatal(mark, "a key is a list or a mapping", "a key is a text; put it in quotes", "key")
        node = _Node(mark, {}, {}) if kind == "map" else _Node(mark, [], [])
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(node, event.anchor))

    def _close(self, _: Any) -> None:
        frame = self._stack.pop()
        for node in frame.merged:
            self._merge(frame.node, node)
        self._anchor(frame.anchor, frame.node)
        self._add(frame.node)

    def _alias(self, event: Any) -> None:
        self._count(event)
        mark, name = _mark(event), str(event.anchor)
        if name not in self._anchors:
            raise self._fatal(mark, f"there is no anchor `&{_cut(name)}` before this alias", "", "alias")
        node = self._anchors[name]
        if node is None:
            raise self._fatal(mark, f"`*{_cut(name)}` stands within what it stands for", "write it out", "alias")
        self._aliases += 1
        self._aliased += node.size
        if self._aliases > MAX_ALIASES or self._aliased > MAX_ALIASED_VALUES:
            what = f"aliases stand for more than {MAX_ALIASED_VALUES} values, or there are more than {MAX_ALIASES}"
            raise self._fatal(mark, what, "write less with aliases", "alias-bomb")
        if len(self._stack) + node.height > MAX_DEPTH:
            raise self._too_deep(mark)
        frame = self._stack[-1]
        if isinstance(frame.node.parts, dict) and frame.key is None:
            if not isinstance(node.data, str):
                raise self._fatal(mark, "a key is not a text", "a key is a text; put it in quotes", "key")
            frame.key, frame.key_mark = node.data, mark
            return
        self._add(node)

    # -- building

    def _add(self, node: _Node) -> None:
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        parent = frame.node
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if isinstance(parent.parts, list):
            parent.parts.append(node)
            parent.data.append(node.data)
            return
        key, frame.key = frame.key, None
        if key is None or parent.parts is None:
            return
        if frame.merge:
            frame.merge = False
            self._merged(frame, node)
        elif key in parent.parts:
            self._duplicate(key, frame.key_mark, parent.keys[key])
        else:
            self._put(parent, key, frame.key_mark, node)

    def _put(self, parent: _Node, key: str, mark: Mark, node: _Node) -> None:
        if isinstance(parent.parts, dict):
            parent.parts[key], parent.data[key], parent.keys[key] = node, node.data, mark

    def _merged(self, frame: _Frame, node: _Node) -> None:
        nodes = node.parts if isinstance(node.parts, list) else [node]
        if not all(isinstance(item.parts, dict) for item in nodes):
            self._note(frame.key_mark, "`<<` merges a mapping, or a list of them", "write `<<: *name`", "merge")
            return
        frame.merged += nodes

    def _merge(self, into: _Node, node: _Node) -> None:
        if isinstance(into.parts, dict) and isinstance(node.parts, dict):
            for key, part in node.parts.items():
                if key not in into.parts:
                    self._put(into, key, node.keys[key], part)

    def _duplicate(self, key: str, mark: Mark, first: Mark) -> None:
        what = f"the key `{_cut(key)}` stands here again; it is first on line {first[0]}, column {first[1]}"
        self._note(mark, what, "keep one of them", "duplicate-key")

    def _anchor(self, name: str | None, node: _Node) -> None:
        if name:
            self._anchors[name] = node

    def _value(self, event: Any, mark: Mark) -> object:
        text: str = event.value
        if event.tag is None:
            return _resolved(text) if event.implicit[0] else text
        tag = self._check_tag(event, mark)
        if tag in (None, "str"):
            return text
        value = _resolved(text)
        kind = _KINDS[type(value)]
        if tag == kind or (tag == "float" and kind == "int"):
            return value
        self._note(mark, f"`{_cut(text)}` is not what its tag `!!{tag}` says", "leave the tag out", "tag")
        return text

    def _check_tag(self, event: Any, mark: Mark) -> str | None:
        """The tag's name if there is one of the core tags."""
        tag: str | None = event.tag
        if tag in (None, "!"):
            return None
        name = tag.removeprefix(_TAG)
        if tag.startswith(_TAG) and name in _CORE:
            return name
        shown = "!!" + name if tag.startswith(_TAG) else tag
        self._note(mark, f"the tag `{_cut(shown)}` is not known here", "leave it out", "tag")
        return None

    # -- problems

    def _count(self, event: Any) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._fatal(_mark(event), f"there are more than {MAX_VALUES} keys and values", "write less", "size")

    def _too_deep(self, mark: Mark) -> SpecError:
        return self._fatal(mark, f"lists and mappings are more than {MAX_DEPTH} deep", "write it flatter", "depth")

    def _fatal(self, mark: Mark, what: str, remedy: str, code: str) -> SpecError:
        return SpecError([Problem(Place(self._file, *mark), what, remedy, code=code)])

    def _note(self, mark: Mark, what: str, remedy: str, code: str) -> None:
        if len(self.problems) >= _MAX_PROBLEMS:
            raise self._fatal(mark, "there are too many problems to read on", "correct those above first", "more")
        path = tuple(self._path())
        self.problems.append(Problem(Place(self._file, *mark, path=path), what, remedy, code=code))

    def _path(self) -> Iterator[str | int]:
        """Where the reader is now, down to the list or mapping that is open."""
        for outer, _ in zip(self._stack, self._stack[1:], strict=False):
            if isinstance(outer.node.parts, list):
                yield len(outer.node.parts)
            elif outer.key is not None:
                yield outer.key

    def _syntax(self, error: yaml.MarkedYAMLError, text: str) -> Problem:
        mark = error.problem_mark or error.context_mark
        place = Place(self._file, mark.line + 1, mark.column + 1) if mark else Place(self._file, 1, 1)
        problem, context = str(error.problem or ""), str(error.context or "")
        char = _char_at(text, place)
        what, remedy = problem or "it is not YAML", ""
        for words, around, said, advice in _SYNTAX:
            if words in problem and around in context and (words != _NO_TOKEN or char in _STARTS[said]):
                what, remedy = said, advice
                break
        begin = error.context_mark
        if begin and (begin.line + 1, begin.column + 1) != (place.line, place.column) and "{begin}" in what:
            what = what.replace("{begin}", f" of line {begin.line + 1}, column {begin.column + 1}")
        return Problem(place, what.replace("{begin}", ""), remedy, code="yaml")


_NO_TOKEN = "cannot start any token"  # noqa: S105
_TAB = "a tab stands where only spaces may"
_SIGN = "a text may not begin with this character"
_STARTS = {_TAB: "\t", _SIGN: "@`%*&!|>"}
_UNCLOSED = "did not find expected ',' or "
_SYNTAX: tuple[tuple[str, str, str, str], ...] = (
    # libyaml's problem, its context, what is said, and the remedy
    (_NO_TOKEN, "", _TAB, "indent with spaces"),
    (_NO_TOKEN, "", _SIGN, "put the text in quotes"),
    ("tab character", "", _TAB, "indent with spaces"),
    (
        "mapping values are not allowed",
        "",
        "a colon stands where no key can be",
        "put a text that has `: ` in quotes, or check the indentation",
    ),
    (
        "could not find expected ':'",
        "",
        "this is neither a key with a colon nor part of what is before it",
        "write `key: value`, and check the indentation",
    ),
    (
        "did not find expected key",
        "block mapping",
        "the indentation fits no mapping{begin}",
        "begin all keys of a mapping in the same column",
    ),
    (
        "did not find expected '-'",
        "",
        "the indentation fits no list{begin}",
        "begin all `-` of a list in the same column",
    ),
    (
        "block sequence entries are not allowed",
        "",
        "a list item stands where none can be",
        "put the list on lines of its own",
    ),
    (_UNCLOSED, "flow mapping", "the `{`{begin} is not closed, or a comma is missing", "write `{a: 1, b: 2}`"),
    (_UNCLOSED, "flow sequence", "the `[`{begin} is not closed, or a comma is missing", "write `[a, b]`"),
    (
        "did not find expected node content",
        "",
        "a value is missing, or a comma or bracket is too many",
        "write `[a, b]` or `{a: 1, b: 2}`",
    ),
    ("unexpected end of stream", "quoted scalar", "the quotes{begin} are not closed", "close them"),
    ("unknown escape character", "", "the escape is not known", r"write `\\` for a backslash, or use '...'"),
    ("invalid Unicode character escape", "", "the escape is no character", "write the character itself"),
    ("incompatible YAML document", "", "the version of YAML is not known", "leave `%YAML` out"),
    (
        "did not find expected <document start>",
        "",
        "something stands after the end of the document",
        "check the indentation",
    ),
)


def _resolved(text: str) -> object:
    """The value of a plain scalar by YAML 1.2's core schema, as far as JSON has it too."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-0123456789":
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _events(text: str) -> Iterator[Any]:
    parse: Callable[..., Any] = yaml.parse  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return parse(text, Loader=yaml.CSafeLoader)


def _mark(event: Any) -> Mark:
    start = event.start_mark
    return (start.line + 1, start.column + 1)


def _char_at(text: str, place: Place) -> str:
    lines = text.split("\n", place.line)
    line = lines[place.line - 1] if len(lines) >= place.line else ""
    return line[place.column - 1 : place.column] or "\n"


def _cut(text: str) -> str:
    shown = printable(text[:61])
    return shown if len(text) <= 60 else shown[:57] + "..."


@dataclass(frozen=True, slots=True, eq=False)
class _Places(Mapping[Path, Mark]):
    """Marks by path, found by walking the nodes when somebody asks; no path is made before."""

    root: _Node
    of_keys: bool

    def __getitem__(self, path: Path) -> Mark:
        node, mark = self.root, None if self.of_keys else self.root.mark
        for part in path:
            inner = _part(node, part)
            if inner is None:
                raise KeyError(path)
            mark = node.keys.get(str(part)) if self.of_keys else inner.mark
            node = inner
        if mark is None:
            raise KeyError(path)
        return mark

    def __iter__(self) -> Iterator[Path]:
        waiting: list[tuple[Path, _Node]] = [((), self.root)]
        while waiting:
            path, node = waiting.pop()
            if path in self:
                yield path
            entries = node.parts.items() if isinstance(node.parts, dict) else enumerate(node.parts or ())
            waiting += [((*path, part), inner) for part, inner in entries]

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _part(node: _Node, part: str | int) -> _Node | None:
    if isinstance(node.parts, dict):
        return node.parts.get(part) if isinstance(part, str) else None
    if isinstance(node.parts, list) and isinstance(part, int) and 0 <= part < len(node.parts):
        return node.parts[part]
    return None
