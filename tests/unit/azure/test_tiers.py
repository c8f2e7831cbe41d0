"""Which tier of API Management an edge gets, and what a tier that a stack has pinned has not."""

from typing import Any

import pytest

from edgewright.azure.artifact import Artifact
from edgewright.azure.compile import compile_edge
from edgewright.azure.costs import reckon
from edgewright.azure.tiers import BY_NAME, FEATURES, TIERS, Tier, cheapest
from edgewright.azure.topology import Topology
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Resource
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

HOSTS = ["api.shop.example", "shop.example"]


def compiled(topology: Topology, hosts: list[str], **bindings: Any) -> Artifact:
    spec = {
        "name": "shop",
        "listener": {"host": hosts},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /a": {"backend": "orders", "throttle": {"rate": "5/s", "per": "ip"}}},
    }
    bound = {"backends": {"orders": {"url": "https://orders.example"}}, **bindings}
    return compile_edge(resolve(from_data(spec)), bound, topology, placeholders=True)


def test_one_host_name_needs_no_tier_of_its_own() -> None:
    assert compiled("gateway-first", HOSTS[:1], profile="development").tier == "Developer"
    assert compiled("gateway-first", HOSTS[:1], profile="production").tier == "Basic"


@pytest.mark.parametrize("units", [1, 2, 4, 10])
@pytest.mark.parametrize("operations", [1, 3_001, 10_001, 50_001])
def test_no_tier_that_would_do_costs_less_in_a_plan_than_the_one_that_is_named(operations: int, units: int) -> None:
    for need in FEATURES:
        would_do = [
            tier
            for tier in TIERS
            if need in tier.features and tier.operations >= operations and (tier.units == 0 or tier.units >= units)
        ]
        named = cheapest([need], operations, units)
        assert named in would_do or (named, would_do) == (None, []), need
        assert named is None or monthly(named, units) == min(monthly(tier, units) for tier in would_do), need


def monthly(tier: Tier, units: int) -> float:
    """What a plan says that so many units cost."""
    sku = {"name": tier.name, "capacity": units if tier.units else 0}
    kind = "azure-native:apimanagement:ApiManagementService"
    return sum(
        cost.monthly
        for cost in reckon([Resource("urn", kind, "service", None, {"sku": sku}, (), custom=True)], "eastus")
    )


def test_a_tier_without_room_for_the_units_of_a_stack_is_not_chosen() -> None:
    def tier(profile: str, capacity: int) -> str:
        return compiled("gateway-first", HOSTS[:1], profile=profile, capacity=capacity).tier

    assert [tier("development", capacity) for capacity in (1, 2, 3)] == ["Developer", "Basic", "BasicV2"]
    assert [tier("production", capacity) for capacity in (2, 3, 11)] == ["Basic", "BasicV2", "Premium"]
    told = compiled("gateway-first", HOSTS[:1], capacity=3).decisions[0]
    assert "the tier BasicV2, the cheapest with 3 units and what the edge needs: " in told
    with pytest.raises(SpecError, match=r"room for 1 operations and 32 units; .*bind fewer units") as error:
        compiled("gateway-first", HOSTS[:1], capacity=32)
    assert "no tier of API Management has all that this edge needs" in str(error.value)


@pytest.mark.parametrize(("profile", "tier"), [("development", "Developer"), ("production", "Premium")])
def test_several_host_names_get_the_cheapest_tier_that_takes_them(profile: str, tier: str) -> None:
    artifact = compiled("gateway-first", HOSTS, profile=profile)
    assert artifact.tier == tier
    assert (
        "more than one host name of its gateway for the hosts api.shop.example, shop.example" in artifact.decisions[0]
    )
    assert "several_hosts" in BY_NAME[tier].features


@pytest.mark.parametrize("topology", ["gateway-first", "appgw-waf"])
def test_a_tier_that_takes_one_host_name_is_refused_with_the_one_that_takes_several(topology: Topology) -> None:
    with pytest.raises(SpecError) as error:
        compiled(topology, HOSTS, tier="StandardV2")
    told = str(error.value)
    assert "the tier StandardV2 has no more than one host name of its gateway, needed for the hosts api.shop" in told
    assert "Premium is the cheapest that has all that this edge needs" in told


@pytest.mark.parametrize("topology", ["front-door", "balancer-first"])
def test_host_names_that_are_not_the_managed_gateways_need_no_tier(topology: Topology) -> None:
    assert compiled(topology, HOSTS).tier == compiled(topology, HOSTS[:1]).tier
    assert "more than one host name" not in " ".join(compiled(topology, HOSTS).decisions)
