"""Every way through a policy document: which variables are set when they are read, in which order policies stand, and
whether it ends at a backend or in an answer.

A `choose` is followed by what its conditions say of variables whose value is known: the settings that a look-up can
return are told apart, so that a way is one that a request can take.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from tree_sitter import Node

import csharp
import csharp_twin
import policy_xsd
from csharp_twin import Raised, Stub, Unknown, Unsupported

Scope = Literal["global", "product", "api", "operation", "fragment", "websocket"]
Gateway = Literal["managed", "self-hosted"]

SECTIONS = ("inbound", "backend", "outbound", "on-error")

Found = Iterator[tuple[Any, str]]
"""An element, and what is wrong with it."""


def names(text: str) -> frozenset[str]:
    """A set of words."""
    return frozenset(text.split())


CONTAINERS = names("choose when otherwise retry limit-concurrency wait")
"""Elements that hold policies. What stands in others (`return-response`, `send-request`) is a part of those."""

AUTHENTICATION = names("validate-jwt validate-azure-ad-token validate-client-certificate")
GATES = names("check-header ip-filter")
REFUSED = "refused"
"""What a way has met that passed by a `when` which answers 401: whoever is on it has shown something."""


def generation(tier: str, gateway: Gateway) -> str:
    """The kind of a gateway, as pages of policies name it."""
    if gateway == "self-hosted":
        return "self-hosted"
    return "consumption" if tier == "Consumption" else "v2" if tier.endswith("V2") else "classic"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a document stands. parent: the document of the wider scope, which its ``<base/>`` means; fragments and
    named values, by name, and backends: those that there are (backends None: not checked)."""

    scope: Scope
    tier: str
    gateway: Gateway
    parent: Any = None
    fragments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    named_values: Collection[str] = ()
    backends: Collection[str] | None = None

    @property
    def kind(self) -> str:
        """Of the gateway."""
        return generation(self.tier, self.gateway)


def elements(root: Any) -> Iterator[Any]:
    """An element and all below it, no comments."""
    yield from root.iter(policy_xsd.etree.Element)


def children(element: Any) -> list[Any]:
    """The elements directly below, no comments."""
    return [item for item in element if isinstance(item.tag, str)]


def policies(container: Any) -> Iterator[Any]:
    """The policies of a section, of what they hold too."""
    for item in children(container):
        if item.tag not in ("when", "otherwise"):
            yield item
        if item.tag in CONTAINERS:
            yield from policies(item)


def sections(root: Any) -> Iterator[tuple[str, Any]]:
    """The sections of a document by name."""
    for item in children(root):
        yield item.tag, item


@dataclass(frozen=True, slots=True)
class Way:
    """What has happened on a way so far. variables: set ones, with the value where it is known; seen: kinds of policies
    that were met, own: in this document itself; forwarded: whether a backend was asked."""

    variables: tuple[tuple[str, Any], ...] = ()
    seen: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    forwarded: bool = False

    def sets(self, name: str, value: Any) -> "Way":
        """The way with a variable more."""
        kept = {key: held for key, held in self.variables if key != name}
        return replace(self, variables=tuple(sorted({**kept, name: value}.items(), key=lambda item: item[0])))


@dataclass(frozen=True, slots=True)
class _NotKnown:
    """A value that a variable has, whatever it is."""


NOT_KNOWN = _NotKnown()


class Walk:
    """Walks every way through a document."""

    def __init__(self, root: Any, around: Surroundings) -> None:
        self._root = root
        self._around = around
        self._inherited = 0
        self._hits: set[Way] = set()
        self.found: list[tuple[Any, str]] = []

    def run(self) -> None:
        """All sections in the order of a request; ``on-error`` from anywhere, so that nothing is sure to be set."""
        if self._root.tag == "fragment":
            return
        parts = dict(sections(self._root))
        start = {Way()}
        after = self._section(parts.get("inbound"), start)
        backend = parts.get("backend")
        behind = self._section(backend, after)
        for way in behind:
            if not way.forwarded:
                self._say(backend, "a way neither reaches a backend nor answers")
                break
        self._section(parts.get("outbound"), {*behind, *self._hits})
        self._section(parts.get("on-error"), {Way()})

    def _say(self, element: Any, what: str) -> None:
        self.found.append((element if element is not None else self._root, what))

    def _section(self, section: Any, ways: set[Way]) -> set[Way]:
        return ways if section is None else self._policies(children(section), ways)

    def _policies(self, items: Sequence[Any], ways: set[Way]) -> set[Way]:
        for item in items:
            if not ways:
                break
            ways = self._policy(item, ways)
        return ways

    def _policy(self, item: Any, ways: set[Way]) -> set[Way]:
        self._reads(item, ways)
        match item.tag:
            case "base":
                return self._base(item, ways)
            case "include-fragment":
                fragment = self._around.fragments.get(item.get("fragment-id"))
                return ways if fragment is None else self._policies(children(fragment), ways)
            case "choose":
                return self._choose(item, ways)
            case "retry" | "limit-concurrency" | "wait":
                return self._policies(children(item), ways)
            case "return-response" | "mock-response":
                return set()
            case "forward-request":
                if any(way.forwarded for way in ways):
                    self._say(item, "a way forwards twice")
                return {replace(way, forwarded=True) for way in ways}
            case "set-variable":
                return {after for way in ways for after in self._set(item, way)}
            case _:
                return self._met(item, ways)

    def _base(self, item: Any, ways: set[Way]) -> set[Way]:
        section = item.getparent().tag
        parent = self._around.parent
        if parent is None:
            # What is not known is taken to forward, as the global document of a new service does.
            return {replace(way, forwarded=True) for way in ways} if section == "backend" else ways
        self._inherited += 1
        root, self._root = self._root, parent
        around = self._around
        self._around = replace(around, parent=None)
        found = self._section(dict(sections(parent)).get(section), ways)
        self._root, self._around = root, around
        self._inherited -= 1
        return found

    def _choose(self, item: Any, ways: set[Way]) -> set[Way]:
        after: set[Way] = set()
        left = ways
        for one in children(item):
            if one.tag == "otherwise":
                after |= self._policies(children(one), left)
                left = set()
                break
            taken: set[Way] = set()
            passed: set[Way] = set()
            checked, missed = _checked(one.get("condition", ""))
            self._reads(one, left)
            for way in left:
                held = _truth(one.get("condition", ""), way)
                if held is not False:
                    taken.add(_knowing(way, checked))
                if held is not True:
                    passed.add(_knowing(way, missed))
            after |= self._policies(children(one), taken) if taken else set()
            if _refuses(one):
                for way in left:
                    self._ordered(one, way)
                passed = {replace(way, seen=way.seen | {REFUSED}) for way in passed}
            left = passed
        return after | left

    def _set(self, item: Any, way: Way) -> Iterator[Way]:
        name, value = item.get("name", ""), item.get("value", "")
        if not csharp.is_code(value):
            yield way.sets(name, value)
            return
        try:
            found = csharp_twin.run(value, _context(way))
            yield way.sets(name, found if isinstance(found, str | int | bool) else NOT_KNOWN)
        except (Unknown, Unsupported, Raised):
            for one in _told(value) or (NOT_KNOWN,):
                yield way.sets(name, one)
        except csharp_twin.CompileError as error:
            self._say(item, f"it does not compile: {error}")
            yield way.sets(name, NOT_KNOWN)

    def _met(self, item: Any, ways: set[Way]) -> set[Way]:
        for way in ways:
            self._ordered(item, way)
        after = {
            replace(way, seen=way.seen | {item.tag}, own=way.own if self._inherited else way.own | {item.tag})
            for way in ways
        }
        if item.tag == "cache-lookup":
            self._hits |= after
        for name in _sets(item):
            after = {way.sets(name, NOT_KNOWN) for way in after}
        if item.tag == "cache-lookup-value" and item.get("default-value") is None:
            # A miss leaves the variable unset, or null; the page says both.
            after |= {way.sets(item.get("variable-name", ""), NOT_KNOWN) for way in after}
        return after

    def _ordered(self, item: Any, way: Way) -> None:
        tag = item.tag
        if (tag in AUTHENTICATION or _refuses(item)) and "cache-lookup" in way.seen:
            self._say(item, f"`{tag}` below cache-lookup: what is in the cache is given to anybody")
        if tag in GATES and way.seen & AUTHENTICATION:
            self._say(item, f"`{tag}` below authentication")
        if tag in GATES and "cache-lookup" in way.seen:
            self._say(item, f"`{tag}` below cache-lookup: a hit passes it by")
        if tag == "cache-lookup":
            early = way.own & {"rewrite-uri", "set-backend-service"}
            if early:
                self._say(item, f"cache-lookup below {', '.join(sorted(early))}, which only a miss needs")
            private = item.get("allow-private-response-caching", "false") != "false"
            known = self._around.parent is not None or self._around.scope == "api" or self._inherited > 0
            if private and known and not way.seen & (AUTHENTICATION | {REFUSED}):
                self._say(item, "private answers are kept where nobody was authenticated")

    def _reads(self, item: Any, ways: set[Way]) -> None:
        """Variables are set before they are read, on every way."""
        names = {name for value in _read_at(item) for name in _unguarded(value)}
        for name in sorted(names):
            if any(name not in dict(way.variables) for way in ways):
                self._say(item, f"the variable `{name}` is read on a way that has not set it")
        if item.tag == "set-backend-service" and self._around.backends is not None:
            code = item.get("backend-id", "")
            for way in ways if csharp.is_code(code) else ():
                try:
                    backend = csharp_twin.run(code, _context(way))
                except (Unknown, Unsupported, Raised):
                    continue
                if backend not in (*self._around.backends, "none"):
                    self._say(item, f"there is no backend `{backend}`")


def _refuses(item: Any) -> bool:
    """Whether a `when` answers 401 or 403."""
    found = [one.get("code") for one in item.iterfind("return-response/set-status")] if item.tag == "when" else []
    return bool({"401", "403"} & set(found))


def _read_at(item: Any) -> Iterator[str]:
    """The code of an element itself, and of what is a part of it."""
    inner = children(item) if item.tag in CONTAINERS else list(elements(item))
    for one in [item, *(() if item.tag in CONTAINERS else inner)]:
        for value in (*one.attrib.values(), one.text):
            if csharp.is_code(value):
                yield value


def _sets(item: Any) -> Iterator[str]:
    """Variables that a policy is sure to have set when it is done."""
    for name in (
        "output-token-variable-name",
        "response-variable-name",
        "remaining-calls-variable-name",
        "context-variable-name",
    ):
        if item.get(name):
            yield item.get(name)
    if item.tag == "cache-lookup-value" and item.get("default-value") is not None:
        yield item.get("variable-name")


def _context(way: Way) -> Stub:
    variables = {
        name: Unknown(name) if isinstance(value, _NotKnown) else value for name, value in dict(way.variables).items()
    }
    return Stub("context", {"Variables": variables}, known=False)


def _knowing(way: Way, names: Collection[str]) -> Way:
    """A way that has shown these variables to be there."""
    for name in names:
        way = way if name in dict(way.variables) else way.sets(name, NOT_KNOWN)
    return way


def _truth(condition: str, way: Way) -> bool | None:
    """Whether a condition holds on a way; None where that cannot be told."""
    if not csharp.is_code(condition):
        return condition.strip().lower() == "true"
    try:
        found = csharp_twin.run(condition, _context(way))
    except (Unknown, Unsupported, Raised, csharp_twin.CompileError, csharp.NotCSharp):
        return None
    return found if isinstance(found, bool) else None


@lru_cache(maxsize=4096)
def _told(code: str) -> tuple[str, ...]:
    """All texts that a body of statements can return, where it returns literals alone."""
    try:
        returns = [item for item in csharp.walk(csharp.parse(code)) if item.type == "return_statement"]
    except csharp.NotCSharp:
        return ()
    values = [one.named_children[0] for one in returns if one.named_children]
    if any(one.type != "string_literal" for one in values):
        return ()
    return tuple(dict.fromkeys(csharp.literal(one) for one in values))


@lru_cache(maxsize=4096)
def _unguarded(code: str) -> frozenset[str]:
    """Variables that an expression reads by an indexer without having asked whether they are there."""
    try:
        return frozenset(_reads(csharp.parse(code), frozenset()))
    except csharp.NotCSharp:
        return frozenset()


@lru_cache(maxsize=4096)
def _checked(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """Variables that are there where an expression holds, and where it does not."""
    try:
        first = csharp.parse(code).named_children[0]
    except csharp.NotCSharp:
        return frozenset(), frozenset()
    return _sure(first.named_children[0]) if first.type == "return_statement" else (frozenset(), frozenset())


def _sure(node: Node) -> tuple[frozenset[str], frozenset[str]]:
    """The variables that are there if a condition holds, and if it does not."""
    nothing: frozenset[str] = frozenset()
    if node.type == "parenthesized_expression":
        return _sure(node.named_children[0])
    if node.type == "prefix_unary_expression" and node.children[0].type == "!":
        yes, no = _sure(node.children[1])
        return no, yes
    if node.type == "binary_expression":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = csharp.text(node.children[1])
        if left is not None and right is not None and sign in ("&&", "||"):
            one, other = _sure(left), _sure(right)
            if sign == "&&":
                return one[0] | other[0], one[1] & other[1]
            return one[0] & other[0], one[1] | other[1]
    match = re.fullmatch(r'context\.Variables\.ContainsKey\("([^"\\]*)"\)', csharp.text(node))
    return (frozenset({match[1]}), nothing) if match else (nothing, nothing)


def _reads(node: Node, known: frozenset[str]) -> Iterator[str]:
    if node.type == "binary_expression":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = csharp.text(node.children[1])
        if left is not None and right is not None and sign in ("&&", "||"):
            yield from _reads(left, known)
            yield from _reads(right, known | _sure(left)[0 if sign == "&&" else 1])
            return
    if node.type == "conditional_expression":
        condition = node.child_by_field_name("condition")
        yes, no = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        if condition is not None and yes is not None and no is not None:
            yield from _reads(condition, known)
            yield from _reads(yes, known | _sure(condition)[0])
            yield from _reads(no, known | _sure(condition)[1])
            return
    match = re.fullmatch(r'context\.Variables\["([^"\\]*)"\]', csharp.text(node))
    if match and match[1] not in known:
        yield match[1]
        return
    sure = known
    for child in node.children:
        yield from _reads(child, sure)
        if child.type == "if_statement":
            condition, then = child.child_by_field_name("condition"), child.child_by_field_name("consequence")
            if condition is not None and then is not None and "return" in csharp.text(then):
                sure = sure | _sure(condition)[1]
