"""Rules of a load balancer from what each path must lead to: packed within AWS's limits, with priorities that stay."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from edgewright.aws.artifact import Json, Rule
from edgewright.aws.priorities import Rank, assign, in_order, place
from edgewright.edge.model import PathPattern, ValueMatch
from edgewright.edge.paths import PathTree

VALUES = 5
"""Values that the conditions of one rule may have together."""

PATTERN_LENGTH = 128
"""Characters that a pattern or a regular expression may have."""

MAX_PATHS = 16
"""Paths that share a rule at most, so that a rule can still be read."""

_SPECIAL = re.compile(r"[.^$*+?()\[\]{}|\\]")


@dataclass(frozen=True, slots=True)
class Want:
    """What a path must lead to.

    methods None: any; hosts empty: any; group: names what is the same for all that may share a rule, such as ``public-
    orders``; conditions: further ones, with ``counts`` values; make: actions and transforms of the group's rule.
    """

    path: PathPattern
    methods: tuple[str, ...] | None
    hosts: tuple[str, ...]
    listener: str
    group: str
    routes: tuple[str, ...]
    actions: tuple[Json, ...]
    transforms: tuple[Json, ...] = ()
    conditions: tuple[Json, ...] = ()
    counts: int = 0
    headers: int = 0
    query: int = 0

    @property
    def rank(self) -> Rank:
        """What decides its priority."""
        return Rank(self.path, self.methods is not None, self.headers, self.query)


def pack(wants: Sequence[Want]) -> tuple[Rule, ...]:
    """The rules, by listener and priority. ``wants`` are in the order in which they must be tried.

    Paths of one group and kind share a rule, at most as many as its conditions leave values for (several regular
    expressions may share a value). Which rule a path is in depends on its text: a path that is added changes the rule
    that it comes to, or splits that one in two, and no other.
    """
    found: list[Rule] = []
    for listener in dict.fromkeys(want.listener for want in wants):
        mine = [part for want in wants if want.listener == listener for part in _by_methods(want)]
        found += _listener(mine)
    return tuple(sorted(found, key=lambda rule: (rule.listener, rule.priority)))


def _by_methods(want: Want) -> Iterable[Want]:
    """A want whose methods and hosts leave no room for a path becomes several."""
    room = VALUES - 1 - len(want.hosts) - want.counts
    if want.methods is None or len(want.methods) <= room:
        return (want,)

    half = max(1, room)
    return (
        replace(want, methods=want.methods[start : start + half], group=f"{want.group}-{number}")
        for number, start in enumerate(range(0, len(want.methods), half), 1)
    )


def _listener(wants: Sequence[Want]) -> list[Rule]:
    groups: dict[object, list[Want]] = {}
    for want in wants:
        key = (want.group, want.rank.kind, want.methods, want.hosts, repr(want.conditions), _by_regex(want.path))
        groups.setdefault(key, []).append(want)
    bins: list[tuple[str, list[Want]]] = []
    for members in groups.values():
        first = members[0]
        room = VALUES - len(first.hosts) - len(first.methods or ()) - first.counts
        for bits, part in _split(members, max(1, room), ""):
            name = first.group + (f"-{''.join(m.lower()[0:4] for m in first.methods)}" if first.methods else "")
            bins.append((name, part) if not bits else (f"{name}-{bits}", part))
    named = _unique(bins)
    order = {id(want): index for index, want in enumerate(wants)}
    listed = sorted(named, key=lambda item: (item[1][0].rank.stretch, min(order[id(want)] for want in item[1])))
    numbers = assign([(place(part[0].rank, _word(name, part)), name) for name, part in listed])
    if not _keeps_order(wants, named, numbers):
        by_order = sorted(named, key=lambda item: min(order[id(want)] for want in item[1]))
        numbers = in_order(name for name, _ in by_order)
    return [_rule(name, part, numbers[name]) for name, part in named]


def _word(name: str, part: Sequence[Want]) -> str:
    """Rules of one path stand together, so that their order is that of the edge; others are spread by their names."""
    return str(part[0].path) if len(part) == 1 else name


def _split(members: list[Want], room: int, bits: str) -> list[tuple[str, list[Want]]]:
    """A bin if they fit, else two by the next bit of each path's digest: what is added elsewhere moves nothing here."""
    if (len(members) <= MAX_PATHS and len(_values(members, room)) <= room) or len(bits) >= 64:
        return [(bits, members)]
    found: list[tuple[str, list[Want]]] = []
    for bit in "01":
        part = [want for want in members if _bits(str(want.path))[len(bits)] == bit]
        found += _split(part, room, bits + bit) if part else []
    return found


def _bits(text: str) -> str:
    return f"{int.from_bytes(sha256(text.encode()).digest()[:8]):064b}"


def _unique(bins: list[tuple[str, list[Want]]]) -> list[tuple[str, list[Want]]]:
    """Groups of one name that differ in kind are told apart by their first path."""
    count: dict[str, int] = {}
    for name, _ in bins:
        count[name] = count.get(name, 0) + 1
    found: list[tuple[str, list[Want]]] = []
    taken: set[str] = set()
    for name, part in bins:
        full = name if count[name] == 1 else f"{name}-{_kind_word(part[0])}"
        while full in taken:
            full += f".{sha256(repr(part[0].rank.kind).encode() + repr(part[0].conditions).encode()).hexdigest()[:4]}"
        taken.add(full)
        found.append((full, part))
    return found


def _kind_word(want: Want) -> str:
    """The kinds of a path's segments: ``.`` a literal, ``-`` a variable, ``--`` all below."""
    word = "".join("v" if item.variable else "s" for item in want.path.segments)
    return word + ("all" if want.path.rest else "")


def _keeps_order(wants: Sequence[Want], named: Sequence[tuple[str, list[Want]]], numbers: dict[str, int]) -> bool:
    """Whether every rule stands before the more general ones that come after it."""
    number = {id(want): numbers[name] for name, part in named for want in part}
    tree: PathTree[tuple[int, int]] = PathTree()
    for index, want in enumerate(wants):
        tree.insert(want.path, (index, number[id(want)]))
    return all(
        mine == index or (mine < index) == (theirs < number[id(want)])
        for index, want in enumerate(wants)
        for mine, theirs in tree.covering(want.path)
    )


def _rule(name: str, part: Sequence[Want], priority: int) -> Rule:
    first = part[0]
    conditions: list[Json] = []
    if first.hosts:
        conditions.append({"hosts": list(first.hosts)})
    room = VALUES - len(first.hosts) - len(first.methods or ()) - first.counts
    values = _values(part, room)
    conditions.append({"path_regex" if values[0].startswith("^") else "paths": values})
    if first.methods is not None:
        conditions.append({"methods": list(first.methods)})
    conditions += first.conditions
    routes = tuple(dict.fromkeys(key for want in part for key in want.routes))
    return Rule(name, first.listener, priority, tuple(conditions), first.actions, first.transforms, routes)


def _values(part: Sequence[Want], room: int) -> list[str]:
    """The values of the path condition: as the paths stand if there is room for each, else regular expressions."""
    if len(part) <= room and not _by_regex(part[0].path):
        return sorted(str(want.path) for want in part)
    alone = sorted(regex(want.path) for want in part)
    if len(alone) <= room:
        return alone
    found: list[str] = []
    for text in alone:
        index = next((at for at, value in enumerate(found) if len(value) + len(text) < PATTERN_LENGTH), None)
        if index is None:
            found.append(text)
        else:
            found[index] += f"|{text}"
    return found


def _by_regex(path: PathPattern) -> bool:
    """Wildcards know no segments: only a path without variables and ``/*`` is compared as it stands."""
    return path.rest or not path.literal


def regex(path: PathPattern) -> str:
    """A regular expression for the whole path. `/orders/*` is one value this way, and two with wildcards."""
    text = "".join("/[^/]+" if item.variable else "/" + escaped(item.text) for item in path.segments)
    return f"^{text}(/.*)?$" if path.rest and text else "^/.*$" if path.rest else f"^{text or '/'}$"


def escaped(text: str) -> str:
    """A literal text inside a regular expression."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], text)


def too_long(path: PathPattern) -> int:
    """By how many characters a path's pattern is over what a condition may have; 0 if it fits."""
    text = regex(path) if _by_regex(path) else str(path)
    return max(0, len(text) - PATTERN_LENGTH)


def value_condition(kind: str, match: ValueMatch) -> Json:
    """The condition of a header or query match; the kinds that there are no conditions for are refused earlier."""
    wild = {"exact": wildcard_literal(match.value), "prefix": wildcard_literal(match.value) + "*", "present": "*"}
    if kind == "header":
        if match.kind == "regex":
            return {"header": {"name": match.name, "regex": [match.value]}}
        return {"header": {"name": match.name, "values": [wild[match.kind]]}}
    return {"query": [{"key": wildcard_literal(match.name), "value": wild[match.kind]}]}


def wildcard_literal(text: str) -> str:
    """A text as a pattern that matches itself only."""
    return re.sub(r"([*?\\])", r"\\\1", text)
