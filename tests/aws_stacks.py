"""The AWS stacks of this repository, compiled and planned once for all tests of a process."""

import contextlib
from functools import cache
from pathlib import Path
from typing import cast

from edgewright.aws.compile import Topology
from edgewright.aws.planned import plan
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan
from edgewright.spec.document import load
from edgewright.stack import from_values, owner, values

REPOSITORY = Path(__file__).resolve().parents[1]
STACKS = tuple(sorted(path.name.split(".")[1] for path in (REPOSITORY / "stacks").glob("Pulumi.aws-*.yaml")))
REGION = "eu-west-1"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"


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
def in_new_network(spec: Path, topology: Topology) -> Plan:
    """The plan of a spec for a topology, in a network of its own."""
    bindings = {
        "region": REGION,
        "log_role": "create",
        "network": {"create": {"cidr": "10.9.0.0/16"}},
        "certificate": CERTIFICATE,
    }
    return plan(resolve(load(spec)), bindings, topology)
