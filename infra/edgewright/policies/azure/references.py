"""What refers to what in Azure: by reference, by a name of its own, or by an id that is written out."""

from collections.abc import Sequence

from edgewright.policies.graph import Graph
from edgewright.policies.view import View

_AROUND = ("resourceGroupName", "virtualNetworkName", "profileName")
"""Names of what a resource is in, which stand in its id too."""


def referring(stack: Graph, target: View, key: str, *types: str) -> Sequence[View]:
    """Resources of the types whose property means the target.

    As `Graph.referring`, which knows references, and by the target's name or id where a program has written them out.
    """
    found = list(stack.referring(target, key, *types))
    there = {other.subject.urn for other in found}
    for other in stack.of(*types):
        # Not by its own view: what is unknown there is the business of `Graph.referring`.
        text = None if key in other.subject.refs else View(other.subject).text(key)
        if other.subject.urn not in there and isinstance(text, str) and means(text, target):
            found.append(other)
    return found


def means(text: str, target: View) -> bool:
    """Whether a name, or an id that is written out, is that of the target, as far as the target says its names.

    Azure compares both without regard to capitals.
    """
    *way, name = text.lower().split("/")
    kind = target.subject.type.rpartition(":")[2].lower()
    if name not in _names(target, but=_AROUND):
        return False
    if not way:
        return True
    # `ApplicationGateway` is one of `applicationGateways`, `ApiManagementService` of `service`, `AFDCustomDomain` of
    # `customDomains`.
    fits = way[-1].startswith(kind) or kind.endswith(way[-1].removesuffix("s"))
    return fits and all(_known(target, key) in (None, *way) for key in _AROUND)


def _names(target: View, *, but: Sequence[str]) -> set[str]:
    keys = (key for key in target.keys if key.endswith("Name") and key not in but)
    return {text for key in keys if (text := _known(target, key)) is not None}


def _known(target: View, key: str) -> str | None:
    """A name in small letters, without a note if it is unknown."""
    text = View(target.subject).text(key)
    return text.lower() if isinstance(text, str) else None
