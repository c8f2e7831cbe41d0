"""Planned resources as request bodies of Azure Resource Manager."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import arm_bodies
from azure_stacks import BOUND, STACKS, everything, planned
from edgewright.azure.planned import plan
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan, Resource
from edgewright.spec.document import load

Change = Callable[[dict[str, Any]], object]

ELSEWHERE = (
    *("applicationinsights", "authorization", "cdn", "compute", "containerservice", "dns", "frontdoor", "insights"),
    *("managedidentity", "monitor", "operationalinsights", "privatedns", "redisenterprise"),
)
"""Services of Azure whose schemas are not at hand; their inputs are checked against the SDK's types, as all are."""


def plans() -> dict[str, Plan]:
    return {**{stack: planned(stack) for stack in STACKS}, "everything": everything()}


@pytest.mark.parametrize("name", plans())
def test_every_resource_is_a_request_that_azure_would_read(name: str) -> None:
    assert arm_bodies.problems(plans()[name].resources) == []


@pytest.mark.parametrize("tier", ["Developer", "StandardV2", "Premium"])
def test_so_it_is_on_every_tier_that_has_a_network(tier: str) -> None:
    from azure_stacks import REPOSITORY

    edge = resolve(load(REPOSITORY / "tests" / "golden" / "azure" / "slice.edge.yaml"))
    found = plan(edge, {**BOUND, "tier": tier, "profile": "development"}, "gateway-first")
    assert arm_bodies.problems(found.resources) == []


def test_resources_without_a_schema_are_known_by_name() -> None:
    for found in plans().values():
        without = {item.type for item in found.resources if item.custom and not arm_bodies.known(item)}
        ours = {item for item in without if item.startswith("azure-native:")}
        assert {item.split(":")[1] for item in ours} <= set(ELSEWHERE)


def changed(kind: str, change: Change) -> Resource:
    resource = next(item for item in everything().resources if item.type == f"azure-native:{kind}")
    inputs = copy.deepcopy(dict(resource.inputs))
    change(inputs)
    return replace(resource, inputs=inputs)


WRONG: list[tuple[str, Change]] = [
    ("network:LoadBalancer", lambda inputs: inputs["loadBalancingRules"][0].update(protocol="SCTP")),
    ("network:LoadBalancer", lambda inputs: inputs["probes"][0].pop("port")),
    ("network:LoadBalancer", lambda inputs: inputs["probes"][0].update(treshold=3)),
    ("network:NetworkSecurityGroup", lambda inputs: inputs["securityRules"][0].pop("priority")),
    ("network:VirtualNetwork", lambda inputs: inputs["subnets"][0].update(adressPrefix="10.0.0.0/24")),
    ("apimanagement:ApiManagementService", lambda inputs: inputs["sku"].update(name="Gold")),
    ("apimanagement:ApiManagementService", lambda inputs: inputs.pop("publisherEmail")),
    ("apimanagement:ApiPolicy", lambda inputs: inputs.update(policyId="mine")),
    ("apimanagement:Backend", lambda inputs: inputs.update(protocol="grpc")),
    ("apimanagement:Subscription", lambda inputs: inputs.update(colour="red")),
]


@pytest.mark.parametrize(("kind", "change"), WRONG)
def test_a_wrong_request_is_found(kind: str, change: Change) -> None:
    assert arm_bodies.problems([changed(kind, change)])
