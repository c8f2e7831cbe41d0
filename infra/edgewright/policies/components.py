"""What to write in a spec, in bindings or in policies.json, where a component of edgewright made the resource.

A rule's own remedy names the property of a resource, which the component sets. Here are the rules that a spec or its
bindings can break, each with the setting that mends it.
"""

from collections.abc import Mapping

from edgewright.policies.aws import components as aws
from edgewright.policies.azure import components as azure

REMEDIES: Mapping[str, str] = {**aws.REMEDIES, **azure.REMEDIES}
"""By the name of the rule. Settings of a rule are in `docs/policies.md`."""


def made_by_one(urn: str) -> bool:
    """Whether a component of edgewright made the resource: its types, outermost first, stand in its urn."""
    parts = urn.split("::")
    parents = parts[2].split("$")[:-1] if len(parts) == 4 else []
    return any(parent.startswith(("edgewright:aws:", "edgewright:azure:")) for parent in parents)
