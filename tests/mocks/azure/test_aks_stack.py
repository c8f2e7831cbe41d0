"""Gateways on AKS as the topology places them: the cluster has room for them, and its nodes can reach its API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewright.azure.planned import plan
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan
from edgewright.spec.document import load
from edgewright.spec.problems import SpecError

STACKS = Path(__file__).resolve().parents[3] / "stacks"
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/"


def bindings(**changes: Any) -> dict[str, Any]:
    """Those of the example, with changes."""
    found = yaml.safe_load((STACKS / "Pulumi.azure-aks.yaml").read_text())["config"]["edgewright:bindings"]
    return {**found, **changes}


def kubernetes(**changes: Any) -> dict[str, Any]:
    """The example's gateways, with changes to where they run."""
    found = bindings()["gateways"]
    return {**found, "kubernetes": {**found["kubernetes"], **changes}}


def planned(**changes: Any) -> Plan:
    return plan(resolve(load(STACKS / "hello.edge.yaml")), bindings(**changes), "balancer-first")


def inputs(found: Plan, kind: str) -> Mapping[str, Any]:
    (one,) = [item.inputs for item in found.resources if item.type.endswith(f":{kind}")]
    return one


@pytest.mark.parametrize(
    ("profile", "replicas", "nodes"), [("development", 3, 4), ("development", 8, 10), ("production", 3, 13)]
)
def test_there_are_nodes_for_all_gateways_and_for_those_of_an_update(profile: str, replicas: int, nodes: int) -> None:
    found = planned(profile=profile, gateways=kubernetes(replicas=replicas))
    assert inputs(found, "AgentPool")["maxCount"] == nodes
    deployment = next(item for item in found.resources if item.name == "hello-gateways-deployment")
    # Each asks for more than half of what a node of four processors has.
    assert deployment.inputs["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "2"


def test_nodes_may_reach_the_api_by_the_address_that_they_come_from() -> None:
    found = inputs(planned(), "ManagedCluster")["apiServerAccessProfile"]["authorizedIPRanges"]
    assert found == ["203.0.113.0/24", "${network.PublicIPAddress hello-network-nat.ipAddress}/32"]


def test_of_an_existing_network_the_stack_says_the_range_of_nodes() -> None:
    network = {"gateway_subnet": {"id": f"{SUBNET}a", "cidr": "10.1.0.0/24"}, "services_subnet": f"{SUBNET}b"}
    cluster = inputs(planned(network=network), "ManagedCluster")
    assert cluster["agentPoolProfiles"][0]["vnetSubnetID"] == f"{SUBNET}a"
    assert cluster["apiServerAccessProfile"]["authorizedIPRanges"] == ["203.0.113.0/24"]


def test_nodes_in_a_subnet_of_which_only_the_id_is_known_are_refused_with_the_remedy() -> None:
    with pytest.raises(SpecError, match=r"write it as `\{id: \.\.\., cidr: 10\.0\.0\.0/24\}`"):
        planned(network={"gateway_subnet": f"{SUBNET}a", "services_subnet": f"{SUBNET}b"})
