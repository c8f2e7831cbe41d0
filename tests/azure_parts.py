"""What tests of Azure's components share: recording one, and finding the inputs of what it made."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/edge"
SERVICE = f"{GROUP}/providers/Microsoft.ApiManagement/service/shop"
IN_SERVICE: Mapping[str, Any] = {"resource_group_name": "edge", "service_name": "shop"}
POLICY = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
SECRET_ID = "https://shop-secrets.vault.azure.net/secrets/orders"

CALLS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "azure-native:apimanagement:listSubscriptionSecrets": lambda _: {"primaryKey": "first", "secondaryKey": "second"},
    "azure-native:redisenterprise:listDatabaseKeys": lambda _: {"primaryKey": "redis-key"},
}
"""What functions of Azure answer."""


def recorded(make: Callable[[], object], *, preview: bool = False) -> tuple[Resource, ...]:
    """What a program would register."""
    return record(make, project="edgewright", stack="test", preview=preview, calls=CALLS).resources


def of(resources: tuple[Resource, ...], kind: str) -> dict[str, Mapping[str, Any]]:
    """Inputs by name of the resources of a kind, such as ``apimanagement:Product``."""
    return {item.name: item.inputs for item in resources if item.type == f"azure-native:{kind}"}


def only(resources: tuple[Resource, ...], kind: str) -> Mapping[str, Any]:
    """Inputs of the one resource of a kind."""
    (inputs,) = of(resources, kind).values()
    return inputs


def named(resources: tuple[Resource, ...], name: str, kind: str) -> Resource:
    """A resource by name and kind."""
    return next(item for item in resources if item.name == name and item.type == f"azure-native:{kind}")


def refusal(make: Callable[[], object]) -> tuple[str, ...]:
    """The problems for which a component refuses its arguments, before anything is registered."""
    with pytest.raises(ArgumentsError) as refused:
        recorded(make)
    return refused.value.problems
