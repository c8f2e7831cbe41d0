"""Every planned resource of the AWS stacks, against AWS's service models and on moto."""

import pytest

from aws_stacks import REGION, REPOSITORY, STACKS, in_new_network, planned
from edgewright.aws.compile import Topology
from edgewright.plan.model import Plan

from .make_calls import run
from .translate import check

SPECS = REPOSITORY / "tests" / "golden" / "aws"
OTHERS: list[tuple[str, Topology]] = [
    ("slice", "balancer-first"),
    ("paths", "balancer-first"),
    ("paths", "gateway-first"),
    ("keys", "gateway-first"),
    ("plain", "gateway-first"),
    ("plain", "balancer-only"),
    ("live", "gateway-first"),
    ("streams", "balancer-only"),
    ("streams", "gateway-first"),
    ("watched", "balancer-first"),
    ("watched", "gateway-first"),
    ("watched", "balancer-only"),
]
PLANS = [*STACKS, *(f"{name} {topology}" for name, topology in OTHERS)]


def plan_of(name: str) -> Plan:
    spec, _, topology = name.partition(" ")
    found = [other for other in OTHERS if other == (spec, topology)]
    return in_new_network(SPECS / f"{spec}.edge.yaml", found[0][1]) if found else planned(name)


@pytest.mark.parametrize("name", PLANS)
def test_aws_would_know_every_input_of_every_call(name: str) -> None:
    assert check(plan_of(name).resources, REGION) == []


@pytest.mark.parametrize("name", PLANS)
def test_moto_takes_every_call_but_for_its_known_gaps(name: str) -> None:
    report = run(plan_of(name).resources, REGION)
    assert report.refused == []
    assert report.closed == []
    assert report.made > 20
