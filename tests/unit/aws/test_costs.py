"""What a plan of AWS costs a month before any traffic."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edgewright.aws.costs import PRICES, UNKNOWN, reckon
from edgewright.plan.costs import HOURS, NOT_PRICED
from edgewright.plan.model import Cost, Resource
from golden_files import assert_golden
from unit.plan import sample_plans as samples

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def of(type_: str, **inputs: Any) -> dict[str, Cost]:
    """What one resource costs in us-east-1, by what it is for."""
    return by_what([samples.resource(type_, "x", None, **inputs)])


def by_what(resources: Sequence[Resource], region: str = "us-east-1") -> dict[str, Cost]:
    return {cost.what: cost for cost in reckon(resources, region)}


def test_the_costs_of_the_shop_are_the_golden_ones() -> None:
    lines = [
        f"{cost.count:g} | {cost.what} | {cost.monthly:.2f} | {cost.basis} | {cost.source}"
        for cost in samples.shop().costs
    ]
    assert_golden(GOLDEN / "costs.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("type_", "inputs", "what", "monthly"),
    [
        ("lb/loadBalancer:LoadBalancer", {"internal": True}, "Application Load Balancer", 16.43),
        ("lb/loadBalancer:LoadBalancer", {"internal": True, "loadBalancerType": "network"}, "Network Load Balancer", 16.43),
        ("ec2/vpcEndpoint:VpcEndpoint", {"vpcEndpointType": "Interface", "subnetIds": ["a", "b", "c"]}, "interface endpoint, a zone", 21.90),
        ("ec2/natGateway:NatGateway", {}, "NAT gateway", 32.85),
        ("ec2/eip:Eip", {}, "public IPv4 address", 3.65),
        ("wafv2/webAcl:WebAcl", {"rules": [{}, {}]}, "rule of a web ACL", 2.0),
        ("wafv2/webAcl:WebAcl", {"rules": [{}, {}]}, "web ACL", 5.0),
        ("shield/protection:Protection", {}, "Shield Advanced", 3000.0),
        ("cloudwatch/metricAlarm:MetricAlarm", {"period": 300}, "CloudWatch alarm, a metric", 0.10),
        ("cloudwatch/dashboard:Dashboard", {}, "CloudWatch dashboard", 3.0),
        ("route53/zone:Zone", {}, "Route 53 hosted zone", 0.50),
        ("kms/key:Key", {}, "KMS key", 1.0),
    ],
)  # fmt: skip
def test_each_kind_has_its_list_price(type_: str, inputs: dict[str, Any], what: str, monthly: float) -> None:
    assert of(type_, **inputs)[what].monthly == monthly


@pytest.mark.parametrize(
    ("size", "hourly"),
    [
        ("0.5", 0.02),
        ("1.6", 0.038),
        ("6.1", 0.2),
        ("13.5", 0.25),
        ("28.4", 0.5),
        ("58.2", 1.0),
        ("118", 1.9),
        ("237", 3.8),
    ],
)
def test_a_cache_costs_by_its_size(size: str, hourly: float) -> None:
    costs = of("apigateway/stage:Stage", cacheClusterEnabled=True, cacheClusterSize=size)
    assert costs[f"API cache of {size} GB"].monthly == round(hourly * HOURS, 2)


@pytest.mark.parametrize("inputs", [{}, {"cacheClusterEnabled": False, "cacheClusterSize": "237"}])
def test_a_stage_without_a_cache_costs_nothing_by_the_hour(inputs: dict[str, Any]) -> None:
    assert of("apigateway/stage:Stage", **inputs) == {}


def test_a_cache_of_a_size_that_is_not_known_is_not_priced() -> None:
    assert of("apigateway/stage:Stage", cacheClusterEnabled=True, cacheClusterSize="999")["API cache"].basis.startswith(
        NOT_PRICED
    )


def test_a_public_balancer_has_an_address_in_each_zone() -> None:
    assert of("lb/loadBalancer:LoadBalancer", subnets=["a", "b"])["public IPv4 address"].count == 2


@pytest.mark.parametrize("inputs", [{"internal": True}, {"ipAddressType": "dualstack-without-public-ipv4"}])
def test_a_balancer_without_public_addresses_pays_for_none(inputs: dict[str, Any]) -> None:
    assert list(of("lb/loadBalancer:LoadBalancer", subnets=["a"], **inputs)) == ["Application Load Balancer"]


def test_an_elastic_address_of_a_balancer_is_counted_once() -> None:
    eip = samples.resource("ec2/eip:Eip", "a", None)
    balancer = samples.resource(
        "lb/loadBalancer:LoadBalancer",
        "b",
        None,
        loadBalancerType="network",
        subnetMappings=[{"subnetId": "a", "allocationId": "${ec2.Eip a.id}"}],
    )
    assert by_what([eip, balancer])["public IPv4 address"].count == 1


def test_a_gateway_endpoint_is_free() -> None:
    assert of("ec2/vpcEndpoint:VpcEndpoint", serviceName="s3") == {}


@pytest.mark.parametrize(
    ("type_", "inputs", "what"),
    [
        ("ec2/vpcEndpoint:VpcEndpoint", {"vpcEndpointType": "Interface", "subnetIds": "${ec2.Vpc x.subnets}"}, "interface endpoint, a zone"),
        ("ec2/vpcEndpoint:VpcEndpoint", {"vpcEndpointType": "GatewayLoadBalancer"}, "GatewayLoadBalancer endpoint"),
        ("lb/loadBalancer:LoadBalancer", {"subnets": "${ec2.Vpc x.subnets}"}, "public IPv4 address"),
        ("lb/loadBalancer:LoadBalancer", {"loadBalancerType": "gateway"}, "gateway balancer"),
        ("wafv2/webAcl:WebAcl", {"ruleJson": "[]"}, "rule of a web ACL"),
        ("cloudwatch/metricAlarm:MetricAlarm", {"period": 10}, "CloudWatch alarm of high resolution"),
        *((type_.removeprefix("aws:"), {}, what) for type_, (what, _) in UNKNOWN.items()),
    ],
)  # fmt: skip
def test_what_cannot_be_reckoned_says_why_instead_of_a_figure(type_: str, inputs: dict[str, Any], what: str) -> None:
    cost = of(type_, **inputs)[what]
    assert cost.basis.startswith(f"{NOT_PRICED}: ")
    assert (cost.monthly, cost.source) == (0.0, "")


def test_an_alarm_on_several_metrics_pays_for_each() -> None:
    queries = [
        {"id": "e", "expression": "a/b"},
        {"id": "a", "metric": {"period": 60}},
        {"id": "b", "metric": {"period": 60}},
    ]
    assert of("cloudwatch/metricAlarm:MetricAlarm", metricQueries=queries)["CloudWatch alarm, a metric"].count == 2


def test_one_subscription_protects_many() -> None:
    protections = [samples.resource("shield/protection:Protection", name, None) for name in "abc"]
    assert by_what(protections)["Shield Advanced"].monthly == 3000.0


def test_resources_of_a_kind_are_one_row() -> None:
    gateways = [samples.resource("ec2/natGateway:NatGateway", name, None) for name in "abc"]
    cost = by_what(gateways)["NAT gateway"]
    assert (cost.count, cost.monthly) == (3, 98.55)
    assert cost.basis.startswith("3 x 0.045 USD/h x 730 h")


def test_the_prices_of_other_regions_are_not_invented() -> None:
    gateway = [samples.resource("ec2/natGateway:NatGateway", "x", None)]
    assert "eu-central-1 differs" in by_what(gateway, "eu-central-1")["NAT gateway"].basis
    assert "differs" not in by_what(gateway)["NAT gateway"].basis


def test_a_price_that_is_the_same_everywhere_needs_no_such_note() -> None:
    assert (
        "differs"
        not in by_what([samples.resource("ec2/eip:Eip", "x", None)], "eu-central-1")["public IPv4 address"].basis
    )


def test_components_and_unbilled_resources_cost_nothing() -> None:
    resources = [samples.resource("Network", "x", None), samples.resource("lb/listenerRule:ListenerRule", "y", None)]
    assert reckon(resources, "us-east-1") == ()


def test_every_figure_has_an_address_and_a_date() -> None:
    for price in PRICES.by_name.values():
        source = PRICES.source(price)
        assert source.startswith("https://aws.amazon.com/")
        assert "read 20" in source
