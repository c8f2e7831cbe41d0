"""The look-up of operations in fragments, for an API whose policy would be larger than a document may be.

An operation stands in the fragment that the first byte of its id's digest (SHA-256) names; a request computes the same
number and pays for that fragment alone. One operation more changes one fragment. Their number is a power of two with
room to grow: where it doubles, each is divided in two, under new names, so that the old ones hold until the document
that includes the new ones is there.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from edgewright.azure import expressions as cs
from edgewright.azure.policy import Choose, Fragment, IncludeFragment, Policy, SetVariable, When

MAX_FRAGMENT = 32_000
"""Bytes of a fragment: "32 KB" (Microsoft's page of policy fragments until 2025; 512 KB since, which not all regions
need have)."""

ROOM = 2
"""How much larger than on average a fragment may become before their number doubles."""

MOST = 256
"""What one byte tells apart."""


def bucket(operation: str, count: int) -> int:
    """The number of the fragment that knows an operation; twin of `expressions.bucket_of`."""
    return sha256(operation.lower().encode()).digest()[0] % count


def in_fragments(
    edge: str, choices: Mapping[str, Sequence[cs.Choice]], missing: str
) -> tuple[tuple[Policy, ...], dict[str, Fragment]]:
    """The policies that find the settings of an operation, and the fragments that they include, by id."""
    whole = len(_part(choices, missing).xml().encode())
    count = 2
    while count < MOST and ROOM * whole > count * MAX_FRAGMENT:
        count *= 2
    found = _parts(choices, missing, count)
    while count < MOST and any(len(item.xml().encode()) > MAX_FRAGMENT for item in found):
        count *= 2
        found = _parts(choices, missing, count)
    names = [f"{edge}-operations-{count}-{number}" for number in range(count)]
    whens = tuple(When(cs.number_is("bucket", at), (IncludeFragment(name),)) for at, name in enumerate(names))
    lookup = (SetVariable("bucket", cs.bucket_of(count)), Choose(whens, (SetVariable("settings", missing),)))
    return lookup, dict(zip(names, found, strict=True))


def _parts(choices: Mapping[str, Sequence[cs.Choice]], missing: str, count: int) -> list[Fragment]:
    parts: list[dict[str, Sequence[cs.Choice]]] = [{} for _ in range(count)]
    for operation, found in choices.items():
        parts[bucket(operation, count)][operation] = found
    return [_part(part, missing) for part in parts]


def _part(choices: Mapping[str, Sequence[cs.Choice]], missing: str) -> Fragment:
    return Fragment((SetVariable("settings", cs.lookup(choices, missing)),))
