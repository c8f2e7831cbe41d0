"""Which inputs force a resource to be made anew, and what that costs in time and outage, as the clouds' data say."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Replacement:
    """A type whose replacement is known.

    inputs: paths of inputs that cannot be changed in place; time: how long a new one takes, empty where the cloud
    publishes no figure; outage: what breaks meanwhile or afterwards, empty for nothing that a caller would notice;
    sources: the pages that both are from.
    """

    inputs: frozenset[str]
    time: str = ""
    outage: str = ""
    sources: tuple[str, ...] = ()

    @property
    def harmless(self) -> bool:
        """Whether nobody would notice."""
        return not self.outage


def replacement_of(type_: str) -> Replacement | None:
    """What is known of a type; None: nothing is claimed."""
    return _table().get(type_)


def guard_of(type_: str) -> str | None:
    """What a resource of the type guards an edge with, such as ``firewall``; None for most."""
    return _guards().get(type_)


@cache
def _table() -> Mapping[str, Replacement]:
    from edgewright.aws.replacements import REPLACEMENTS as AWS
    from edgewright.azure.replacements import REPLACEMENTS as AZURE

    return {**AWS, **AZURE}


@cache
def _guards() -> Mapping[str, str]:
    from edgewright.aws.replacements import GUARDS as AWS
    from edgewright.azure.replacements import GUARDS as AZURE

    return {**AWS, **AZURE}
