"""A policy in one piece, or with its long parts in fragments, for an API whose policy is larger than a document may be.

Each long part is a choice by a text: the look-up by the operation's id, a step by the value of its variable. What
belongs to a text stands in the fragment that the first byte of the text's digest (SHA-256) names; a request computes
the same number, and pays for that fragment alone. One text more changes one fragment of a step; their number is a
power of two with room to grow, and where it doubles each is divided in two.

A fragment's id has the digest of its content: one that changes is another one, so the fragments of the document that is
there are whole until the next document, which includes the new ones, is there; a half-finished update opens nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

from edgewright.azure import expressions as cs
from edgewright.azure.policy import Choose, Fragment, IncludeFragment, Policy, SetVariable, When

MAX_FRAGMENT = 32_000
"""Bytes of a fragment: "32 KB" (Microsoft's page of policy fragments until 2025; 512 KB since, which not every service
need have)."""

ROOM = 2
"""How much larger than on average a fragment may become before their number doubles."""

MOST = 256
"""What one byte tells apart."""

SHARE = 8
"""The part of a document's bytes, one in so many, that a step may have and still stand in it."""

Choices = Mapping[str, Sequence[cs.Choice]]


class Pieces(Protocol):
    """How the long parts of a document are written."""

    @property
    def whole(self) -> bool:
        """Whether all stands in the document."""
        ...

    def lookup(self, choices: Choices, missing: str) -> tuple[Policy, ...]:
        """What finds the settings of an operation."""
        ...

    def branches(self, step: str, variable: str, whens: Mapping[str, When]) -> tuple[Policy, ...]:
        """A step that asks a variable for its value. whens: by value; no caches, which may not stand in fragments."""
        ...


class OnePiece:
    """All in the document."""

    whole = True

    def lookup(self, choices: Choices, missing: str) -> tuple[Policy, ...]:
        """As in `Pieces`."""
        return (SetVariable("settings", cs.lookup(choices, missing)),)

    def branches(self, step: str, variable: str, whens: Mapping[str, When]) -> tuple[Policy, ...]:
        """As in `Pieces`; the names are for fragments."""
        del step, variable
        return (Choose(tuple(whens.values())),)


class InFragments:
    """The look-up, and steps that are long, in fragments. edge: its name, with which the ids begin, since all edges of
    a service share them; limit: bytes of a document."""

    whole = False

    def __init__(self, edge: str, limit: int) -> None:
        self._edge = edge
        self._longest = limit // SHARE
        self.fragments: dict[str, Fragment] = {}
        """What the document includes, by id."""

    def lookup(self, choices: Choices, missing: str) -> tuple[Policy, ...]:
        """As in `Pieces`."""

        def made(part: Sequence[str]) -> Fragment:
            return Fragment((SetVariable("settings", cs.lookup({name: choices[name] for name in part}, missing)),))

        found = _divided(tuple(choices), made)
        unknown = (SetVariable("settings", missing),)
        return self._included("operations", cs.bucket_of_operation(len(found)), found, unknown)

    def branches(self, step: str, variable: str, whens: Mapping[str, When]) -> tuple[Policy, ...]:
        """As in `Pieces`."""

        def made(part: Sequence[str]) -> Fragment:
            return Fragment((Choose(tuple(whens[name] for name in part)),) if part else ())

        if len(made(tuple(whens)).xml().encode()) <= self._longest:
            return (Choose(tuple(whens.values())),)
        found = _divided(tuple(whens), made)
        return self._included(step, cs.bucket_of_variable(variable, len(found)), found)

    def _included(
        self, step: str, number: cs.Code, found: Sequence[Fragment], otherwise: tuple[Policy, ...] = ()
    ) -> tuple[Policy, ...]:
        names = {at: self._id(step, at, item) for at, item in enumerate(found) if item.policies}
        self.fragments |= {name: found[at] for at, name in names.items()}
        whens = tuple(When(cs.number_is("bucket", at), (IncludeFragment(name),)) for at, name in names.items())
        return (SetVariable("bucket", number), Choose(whens, otherwise))

    def _id(self, step: str, at: int, fragment: Fragment) -> str:
        return f"{self._edge}-{step}-{at}-{sha256(fragment.xml().encode()).hexdigest()[:8]}"


def bucket(text: str, count: int) -> int:
    """The number of the fragment that a text belongs to; twin of `expressions.bucket_of_variable`."""
    return sha256(text.encode()).digest()[0] % count


def _divided(names: Sequence[str], made: Callable[[Sequence[str]], Fragment]) -> list[Fragment]:
    """The fragments of these names: as few as have room to grow, and as many as are not too long."""
    size = len(made(names).xml().encode())
    count = 2
    while count < MOST and ROOM * size > count * MAX_FRAGMENT:
        count *= 2
    while True:
        parts: list[list[str]] = [[] for _ in range(count)]
        for name in names:
            parts[bucket(name, count)].append(name)
        found = [made(part) for part in parts]
        if count == MOST or all(len(item.xml().encode()) <= MAX_FRAGMENT for item in found):
            return found
        count *= 2
