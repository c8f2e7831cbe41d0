"""What a resource of Azure is called, and what names it: by reference, by its name, or by an id that is written out."""

from collections.abc import Iterator, Sequence

from edgewright.policies.graph import Graph
from edgewright.policies.view import UNKNOWN, Unknown, View

_AROUND = ("resourceGroupName", "virtualNetworkName", "profileName")
"""Names of what a resource is in, which stand in its id too."""


def points(view: View, key: str) -> bool:
    """Whether a property is a reference, as ``{id: ...}``. One to something new has an id that is known later."""
    reference = view.child(key)
    return reference is not None and reference.has("id")


def referring(stack: Graph, target: View, key: str, *types: str) -> Sequence[View]:
    """Resources of the types whose property means the target.

    As `Graph.referring`, which knows references, and by the target's name or id where a program has written them out.
    """
    found = list(stack.referring(target, key, *types))
    there = {other.subject.urn for other in found}
    for other in stack.of(*types):
        # Not by its own view: what is unknown there is the business of `Graph.referring`.
        text = None if key in other.subject.refs else View(other.subject).text(key)
        if other.subject.urn in there or not isinstance(text, str):
            continue
        meant = means(text, target)
        if meant:
            found.append(other)
        elif meant is None:
            target.note("", f"`{other.subject.name}` may refer to it: its own names are not known yet")
    return found


def means(text: str, target: View) -> bool | None:
    """Whether a name, or an id that is written out, is that of the target; None where its names are not known yet.

    Azure compares both without regard to capitals.
    """
    *way, name = text.lower().split("/")
    kind = target.subject.type.rpartition(":")[2].lower()
    # `ApplicationGateway` is one of `applicationGateways`, `ApiManagementService` of `service`, `AFDCustomDomain` of
    # `customDomains`.
    if way and not (way[-1].startswith(kind) or kind.endswith(way[-1].removesuffix("s"))):
        return False
    own = [known for key, known in _names(target) if not _around(key, kind)]
    around = [known for key, known in _names(target) if _around(key, kind)] if way else []
    if (name not in own and UNKNOWN not in own) or any(isinstance(one, str) and one not in way for one in around):
        return False
    return True if name in own and UNKNOWN not in around else None


def _around(key: str, kind: str) -> bool:
    """Whether a name is that of something around the target. (A network has its own name as virtualNetworkName.)"""
    return key in _AROUND and key.removesuffix("Name").lower() != kind


def _names(target: View) -> Iterator[tuple[str, str | Unknown]]:
    """Names that the target says, in small letters, without a note if they are unknown."""
    plain = View(target.subject)
    for key in target.keys:
        text = plain.text(key) if key.endswith("Name") else None
        if text is not None:
            yield key, text.lower() if isinstance(text, str) else text
