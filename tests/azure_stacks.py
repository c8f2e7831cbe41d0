"""The Azure stacks of this repository, planned once for all tests of a process."""

import contextlib
from functools import cache
from pathlib import Path
from typing import Any, cast

from edgewright.azure.planned import plan
from edgewright.azure.topology import Topology
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan
from edgewright.spec.document import load
from edgewright.stack import from_values, owner, values

REPOSITORY = Path(__file__).resolve().parents[1]
STACKS = tuple(sorted(path.name.split(".")[1] for path in (REPOSITORY / "stacks").glob("Pulumi.azure-*.yaml")))
ZERO = "00000000-0000-0000-0000-000000000000"
BOUND: dict[str, Any] = {
    "subscription_id": ZERO,
    "resource_group": "edge",
    "location": "westeurope",
    "publisher": {"name": "Edge", "email": "edge@shop.example"},
    "network": {"create": {"cidr": "10.9.0.0/16"}},
    "certificate": "https://shop-certificates.vault.azure.net/secrets/edge",
    "certificate_identity": {"id": f"/subscriptions/{ZERO}/identity", "client_id": ZERO},
}
"""What a stack must bind."""


@cache
def planned(stack: str) -> Plan:
    """The plan of a stack with what it binds; its places are those that one reads at the top of the repository."""
    folder = REPOSITORY / "stacks"
    file = folder / f"Pulumi.{stack}.yaml"
    with contextlib.chdir(REPOSITORY):
        settings = from_values(REPOSITORY, folder, stack, values(file), source=str(file))
        topology = cast(Topology, settings.topology.partition("/")[2])
        return plan(resolve(load(settings.spec)), settings.bindings, topology, owner=owner(folder, stack))


@cache
def everything() -> Plan:
    """The plan of the spec that uses all that a managed gateway carries, in a network of its own."""
    spec = REPOSITORY / "tests" / "golden" / "azure" / "everything.edge.yaml"
    return plan(resolve(load(spec)), BOUND, "gateway-first")
