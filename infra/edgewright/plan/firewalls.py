"""What a web application firewall refuses, as the clouds' data say."""

from collections.abc import Mapping
from typing import Any


def refused(type_: str, inputs: Mapping[str, Any]) -> frozenset[str] | None:
    """The names of the rules that refuse; None for a type that is no firewall."""
    from edgewright.aws.firewalls import REFUSED as AWS
    from edgewright.azure.firewalls import REFUSED as AZURE

    found = AWS.get(type_) or AZURE.get(type_)
    return frozenset(found(inputs)) if found is not None else None


def per_address(type_: str, inputs: Mapping[str, Any]) -> float | None:
    """How many requests a minute one address may send; None: as many as it likes, or it is no firewall."""
    from edgewright.aws.firewalls import PER_ADDRESS as AWS
    from edgewright.azure.firewalls import PER_ADDRESS as AZURE

    found = AWS.get(type_) or AZURE.get(type_)
    return found(inputs) if found is not None else None
