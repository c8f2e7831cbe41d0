"""The endpoint of private APIs, at addresses that are known before."""

from typing import Any, cast

import pulumi
import pytest

from edgewright.aws.private_endpoint import PrivateEndpoint, PrivateEndpointArgs
from mocks.aws.api_recording import UNKNOWN, Recording, problems, record, resolved
from mocks.unknowns import unknown

SUBNETS = {
    "b": {"subnet_id": "subnet-b", "ipv4": "10.0.2.10", "cidr": "10.0.2.0/24"},
    "a": {"subnet_id": "subnet-a", "ipv4": "10.0.1.10"},
}
BALANCER = {"port": 443, "security_group_id": "sg-lb"}
EXISTING = {"vpc_endpoint_id": "vpce-1", "addresses": ["10.0.1.10", "10.0.2.10"]}


def args(**more: Any) -> PrivateEndpointArgs:
    given = {"region": "eu-central-1", "vpc_id": "vpc-1", "subnets": SUBNETS, "ingress": {"balancer": BALANCER}, **more}
    return cast(PrivateEndpointArgs, given)


def place(**more: Any) -> Recording:
    return record(lambda: PrivateEndpoint("door", args(**more)))


def subnet(**more: str) -> dict[str, Any]:
    return {"subnets": {"a": {"subnet_id": "subnet-a", "ipv4": "10.0.1.10", "cidr": "10.0.1.0/24", **more}}}


def test_an_endpoint_has_a_fixed_address_in_each_subnet() -> None:
    inputs = place().inputs("ec2.VpcEndpoint")
    assert inputs["serviceName"] == "com.amazonaws.eu-central-1.execute-api"
    assert inputs["vpcEndpointType"] == "Interface"
    assert inputs["subnetIds"] == ["subnet-a", "subnet-b"]
    assert inputs["subnetConfigurations"] == [
        {"subnetId": "subnet-a", "ipv4": "10.0.1.10"},
        {"subnetId": "subnet-b", "ipv4": "10.0.2.10"},
    ]


def test_the_names_of_other_apis_stay_where_they_are() -> None:
    assert place().inputs("ec2.VpcEndpoint")["privateDnsEnabled"] is False


def test_an_endpoint_lets_its_callers_in_alone_and_goes_nowhere() -> None:
    made = place()
    rule = made.of("vpc.SecurityGroupIngressRule")["door-from-balancer"].inputs
    assert (rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) == ("sg-lb", 443, 443)
    assert made.of("vpc.SecurityGroupEgressRule") == {}
    assert made.inputs("ec2.VpcEndpoint")["securityGroupIds"] == ["door-security-group-id"]


def test_an_existing_endpoint_makes_nothing() -> None:
    parts: list[PrivateEndpoint] = []
    ids: list[str] = []

    def make() -> None:
        parts.append(PrivateEndpoint("door", {"region": "eu-central-1", "existing": cast(Any, EXISTING)}))
        resolved(parts[0].id, ids)

    assert record(make).custom == []
    assert ids == ["vpce-1"]
    assert parts[0].addresses == ["10.0.1.10", "10.0.2.10"]


def test_addresses_are_plain_before_anything_is_made() -> None:
    parts: list[PrivateEndpoint] = []
    made = record(lambda: parts.append(PrivateEndpoint("door", args(vpc_id=unknown()))), preview=True)
    assert parts[0].addresses == ["10.0.1.10", "10.0.2.10"]
    assert made.inputs("ec2.VpcEndpoint")["vpcId"] == UNKNOWN


def test_all_is_below_the_component_tagged_and_protected() -> None:
    options = pulumi.ResourceOptions(protect=True)
    made = record(lambda: PrivateEndpoint("door", args(tags={"team": "shop"}), options))
    assert {resource.parent for resource in made.custom} == {made.resources[0].urn}
    assert all(resource.protect and resource.inputs["tags"]["team"] == "shop" for resource in made.custom)


def test_an_override_adjusts_one_raw_resource() -> None:
    made = place(overrides={"endpoint": {"ip_address_type": "dualstack"}})
    assert made.inputs("ec2.VpcEndpoint")["ipAddressType"] == "dualstack"


@pytest.mark.parametrize("address", ["10.0.1.0", "10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.255"])
def test_an_address_that_aws_keeps_is_refused(address: str) -> None:
    assert "is reserved" in problems(lambda: PrivateEndpoint("door", args(**subnet(ipv4=address))))


@pytest.mark.parametrize("address", ["10.0.1.4", "10.0.1.254"])
def test_the_first_and_the_last_free_address_are_taken(address: str) -> None:
    assert place(**subnet(ipv4=address)).inputs("ec2.VpcEndpoint")["subnetConfigurations"][0]["ipv4"] == address


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (subnet(ipv4="10.0.2.10"), "does not lie in 10.0.1.0/24"),
        (subnet(ipv4="10.0.1"), "no IPv4 address"),
        (subnet(cidr="10.0.1.1/24"), "IPv4 range"),
        ({"subnets": {"a": SUBNETS["a"], "b": {**SUBNETS["a"], "subnet_id": "subnet-b"}}}, "of two interfaces"),
        ({"subnets": {}}, "`subnets` is missing"),
        ({"ingress": {}}, "default group"),
        ({"existing": EXISTING}, "vpc_id has no effect"),
        ({"overrides": {"link": {}}}, "endpoint, rules.balancer, security_group"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_endpoint_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in problems(lambda: PrivateEndpoint("door", args(**change)))
