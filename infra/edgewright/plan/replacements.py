"""Which inputs force a resource to be made anew, and what that costs in time and outage, as the clouds' data say."""

from collections.abc import Mapping
from functools import cache

from edgewright.clouds.replacement import Replacement


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
