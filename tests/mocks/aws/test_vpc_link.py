"""A VPC link and the only ways out of it."""

from typing import Any, cast

import pulumi
import pytest

from edgewright.aws.vpc_link import VpcLink, VpcLinkArgs
from mocks.aws.api_recording import UNKNOWN, Recording, problems, record, resolved
from mocks.unknowns import unknown

BALANCER = {"port": 443.0, "security_group_id": "sg-lb"}


def args(**more: Any) -> VpcLinkArgs:
    return cast(VpcLinkArgs, {"vpc_id": "vpc-1", "subnets": ["subnet-a", "subnet-b"], **more})


def place(**more: Any) -> Recording:
    return record(lambda: VpcLink("link", args(**more)))


def test_a_link_goes_to_its_peers_alone_and_lets_nothing_in() -> None:
    made = place(egress={"balancer": BALANCER})
    assert made.inputs("ec2.SecurityGroup")["vpcId"] == "vpc-1"
    assert not {"ingress", "egress"} & set(made.inputs("ec2.SecurityGroup"))
    assert made.of("vpc.SecurityGroupIngressRule") == {}
    rule = made.of("vpc.SecurityGroupEgressRule")["link-to-balancer"].inputs
    assert rule["referencedSecurityGroupId"] == "sg-lb"
    assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (443, 443, "tcp")
    assert rule["securityGroupId"] == "link-security-group-id"


def test_a_link_stands_in_its_subnets_with_its_own_and_given_groups() -> None:
    inputs = place(egress={"balancer": BALANCER}, security_group_ids=["sg-1"]).inputs("apigatewayv2.VpcLink")
    assert inputs["subnetIds"] == ["subnet-a", "subnet-b"]
    assert inputs["securityGroupIds"] == ["link-security-group-id", "sg-1"]


def test_existing_groups_take_the_place_of_an_own_one() -> None:
    found: list[str] = []
    made = record(lambda: resolved(VpcLink("link", args(security_group_ids=["sg-1"])).security_group_id, found))
    assert made.of("ec2.SecurityGroup") == {}
    assert found == ["sg-1"]


def test_a_link_can_be_planned_with_nothing_known() -> None:
    made = record(
        lambda: VpcLink(
            "link",
            args(vpc_id=unknown(), subnets=[unknown()], egress={"lb": {"port": unknown(), "cidr_ipv4": unknown()}}),
        ),
        preview=True,
    )
    assert made.inputs("apigatewayv2.VpcLink")["subnetIds"] == [UNKNOWN]
    assert made.inputs("vpc.SecurityGroupEgressRule")["fromPort"] == UNKNOWN


def test_all_is_below_the_component_tagged_and_protected() -> None:
    options = pulumi.ResourceOptions(protect=True)
    made = record(lambda: VpcLink("link", args(egress={"lb": BALANCER}, tags={"team": "shop"}), options))
    assert {resource.parent for resource in made.custom} == {made.resources[0].urn}
    assert all(resource.protect and resource.inputs["tags"]["team"] == "shop" for resource in made.custom)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "egress"),
        ({"egress": {"lb": BALANCER}, "subnets": []}, "1 to 10"),
        ({"egress": {"lb": BALANCER}, "subnets": [f"subnet-{at}" for at in range(11)]}, "1 to 10"),
        ({"egress": {"lb": BALANCER}, "subnets": ["subnet-a", "subnet-a"]}, "twice"),
        ({"egress": {"lb": BALANCER}, "vpc_id": None}, "vpc_id"),
        ({"egress": {"lb": {"port": 443}}}, "no address"),
        ({"egress": {"lb": {**BALANCER, "cidr_ipv4": "10.0.0.0/8"}}}, "cidr_ipv4 and security_group_id"),
        ({"egress": {"lb": {"security_group_id": "sg-lb"}}}, "1 to 65535"),
        ({"egress": {"lb": {**BALANCER, "port": 70000}}}, "1 to 65535"),
        ({"egress": {"lb": BALANCER}, "overrides": {"rules.db": {}}}, "rules.lb"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_link_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in problems(lambda: VpcLink("link", args(**change)))
