"""What rules cost in this process: 1,000 resources in less than 0.5 s of CPU. `make bench` has the figures."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

import aws_stacks
import azure_stacks
from edgewright.policies.enforcement import check
from edgewright.policies.graph import from_plan
from edgewright.policies.view import Subject

BALANCER, LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"


def of_our_stacks() -> list[Subject]:
    """Two plans again and again, under other names, so that what refers to each other still does."""
    plans = aws_stacks.planned("aws-balancer-first"), azure_stacks.planned("azure-appgw-waf")
    subjects = [subject for plan in plans for subject in from_plan(plan.resources)]
    return [
        replace(
            subject,
            urn=f"{subject.urn}-{number}",
            refs={key: frozenset(f"{urn}-{number}" for urn in urns) for key, urns in subject.refs.items()},
        )
        for number in range(1 + 1_000 // len(subjects))
        for subject in subjects
    ]


def of_two_types() -> list[Subject]:
    """Where looking from each resource at each other one would take a quarter of a million looks."""
    found: list[Subject] = []
    for number in range(500):
        balancer = Subject(f"urn:b::{number}", BALANCER, f"b{number}", {"arn": f"arn:{number}"})
        refs = {"loadBalancerArn": frozenset({balancer.urn})}
        found += [balancer, Subject(f"urn:l::{number}", LISTENER, f"l{number}", {"protocol": "HTTP"}, refs)]
    return found


@pytest.mark.parametrize("resources", [of_our_stacks, of_two_types])
def test_a_thousand_resources_take_less_than_half_a_second_of_cpu(resources: Callable[[], list[Subject]]) -> None:
    subjects = resources()
    assert len(subjects) >= 1_000
    spent: list[float] = []
    for _ in range(5):
        start = time.process_time()
        check(subjects)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.5, spent
