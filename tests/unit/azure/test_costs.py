"""What a plan of Azure costs a month before any traffic."""

from typing import Any

import pytest

from edgewright.azure.costs import PRICES, reckon
from edgewright.azure.tiers import TIERS
from edgewright.plan.costs import HOURS, NOT_PRICED
from edgewright.plan.model import Cost, Resource

LATER = "${network.Other x.value}"
"""An input that is another resource's output."""


def resource(type_: str, name: str = "x", /, **inputs: Any) -> Resource:
    type_ = type_ if type_.startswith("kubernetes:") else f"azure-native:{type_}"
    return Resource(f"urn:{type_}::{name}", type_, name, None, inputs, (), custom=True)


def of(*resources: Resource, location: str = "eastus") -> dict[str, Cost]:
    return {cost.what: cost for cost in reckon(resources, location)}


def figures(*resources: Resource) -> dict[str, tuple[float, float]]:
    """How many and USD a month, by what it is for."""
    return {what: (cost.count, cost.monthly) for what, cost in of(*resources).items()}


def unpriced(*resources: Resource) -> dict[str, str]:
    """Why there is no figure, by what it is for."""
    return {
        what: cost.basis.removeprefix(f"{NOT_PRICED}: ")
        for what, cost in of(*resources).items()
        if cost.basis.startswith(NOT_PRICED)
    }


# -- API Management ----------------------------------------------------------------------------------------------------


def service(tier: str, capacity: Any = 1, **more: Any) -> Resource:
    return resource("apimanagement:ApiManagementService", "service", sku={"name": tier, "capacity": capacity}, **more)


@pytest.mark.parametrize(
    ("tier", "monthly"),
    [
        ("Developer", 48.03),
        ("Basic", 147.17),
        ("Standard", 686.71),
        ("Premium", 2795.17),
        ("BasicV2", 150.0),
        ("StandardV2", 700.0),
    ],
)
def test_a_unit_costs_by_its_tier(tier: str, monthly: float) -> None:
    assert [cost.monthly for cost in reckon([service(tier)], "eastus")] == [monthly]


def test_every_tier_that_we_place_is_priced_or_says_why_not() -> None:
    assert all(of(service(tier.name)) for tier in TIERS)


@pytest.mark.parametrize(("tier", "monthly"), [("Basic", 294.34), ("Standard", 1373.42), ("BasicV2", 300.0)])
def test_units_of_most_tiers_cost_the_same(tier: str, monthly: float) -> None:
    assert figures(service(tier, 2)) == {f"API Management {tier}, a unit": (2, monthly)}


def test_further_units_of_premium_cost_half() -> None:
    assert figures(service("Premium", 3)) == {
        "API Management Premium, a unit": (1, 2795.17),
        "API Management Premium, each further unit": (2, 2795.17),
    }


def test_further_units_of_standard_v2_cost_less() -> None:
    assert figures(service("StandardV2", 2)) == {
        "API Management StandardV2, first unit": (1, 700.0),
        "API Management StandardV2, each further unit": (1, 500.0),
    }


def test_consumption_has_no_fixed_price() -> None:
    found = of(service("Consumption", 0))
    assert (sum(cost.monthly for cost in found.values()), unpriced(service("Consumption", 0))) == (
        0.0,
        {"API Management Consumption": "billed by the call, nothing without"},
    )


def test_each_further_region_is_named_and_not_guessed() -> None:
    regions = [{"location": place, "sku": {"name": "Premium", "capacity": 1}} for place in ("northeurope", "uksouth")]
    cost = of(service("Premium", additionalLocations=regions))["API Management Premium, a further region"]
    assert (cost.count, cost.monthly, cost.basis) == (2, 0.0, f"{NOT_PRICED}: billed by the hour and unit")


def test_units_that_are_known_later_are_not_priced() -> None:
    assert unpriced(service("Premium", LATER)) == {
        "API Management Premium, a unit": "the number of units is known only after deploying"
    }


def test_a_tier_that_is_not_in_the_list_is_not_priced() -> None:
    assert list(unpriced(service("Isolated"))) == ["API Management Isolated"]


def gateway(name: str = "gateway", of_service: str = "service") -> Resource:
    reference = f"${{apimanagement.ApiManagementService {of_service}.name}}"
    return resource("apimanagement:Gateway", name, serviceName=reference)


def test_each_self_hosted_gateway_of_premium_is_billed() -> None:
    assert figures(service("Premium"), gateway("a"), gateway("b"))["self-hosted gateway"] == (2, 500.0)


def test_a_self_hosted_gateway_of_developer_is_free() -> None:
    assert "self-hosted gateway" not in of(service("Developer"), gateway())


def test_a_self_hosted_gateway_of_a_service_that_is_not_planned_is_not_priced() -> None:
    assert "self-hosted gateway" in unpriced(service("Premium"), gateway(of_service="another"))


# -- before the gateways -----------------------------------------------------------------------------------------------


def application_gateway(tier: str = "WAF_v2", **inputs: Any) -> Resource:
    capacity = inputs.pop("capacity", None)
    return resource(
        "network:ApplicationGateway", "front", sku={"name": tier, "tier": tier, "capacity": capacity}, **inputs
    )


def test_an_application_gateway_pays_for_the_units_that_its_least_instances_reserve() -> None:
    assert figures(application_gateway(autoscaleConfiguration={"minCapacity": 2, "maxCapacity": 10})) == {
        "Application Gateway WAF_v2": (1, 323.39),
        "capacity unit of WAF_v2": (20, 210.24),
    }


def test_an_application_gateway_that_may_go_to_none_pays_the_fixed_part_alone() -> None:
    found = figures(application_gateway(autoscaleConfiguration={"minCapacity": 0, "maxCapacity": 10}))
    assert found == {"Application Gateway WAF_v2": (1, 323.39)}


def test_an_application_gateway_of_fixed_size_pays_for_all_its_instances() -> None:
    assert figures(application_gateway("Standard_v2", capacity=3)) == {
        "Application Gateway Standard_v2, or WAF_v2 with a DDoS plan": (1, 179.58),
        "capacity unit of Standard_v2, or WAF_v2 with a DDoS plan": (30, 175.2),
    }


@pytest.mark.parametrize(
    ("shielded", "where", "monthly"), [(True, "network", 179.58), (False, "network", 323.39), (True, "other", 323.39)]
)
def test_a_firewall_is_free_in_a_network_with_a_ddos_plan(shielded: bool, where: str, monthly: float) -> None:
    network = resource("network:VirtualNetwork", "network", enableDdosProtection=shielded)
    subnet = {"id": f"${{network.VirtualNetwork {where}.id}}/subnets/front"}
    front = application_gateway(
        autoscaleConfiguration={"minCapacity": 0}, gatewayIPConfigurations=[{"name": "gateway", "subnet": subnet}]
    )
    assert sum(cost.monthly for cost in of(network, front).values()) == monthly


def test_an_application_gateway_of_the_first_generation_is_not_priced() -> None:
    assert list(unpriced(application_gateway("WAF", capacity=2))) == ["Application Gateway WAF"]


def test_instances_that_are_known_later_are_not_priced() -> None:
    assert list(unpriced(application_gateway(autoscaleConfiguration={"minCapacity": LATER}))) == [
        "capacity unit of WAF_v2"
    ]


def address(name: str = "address", **inputs: Any) -> Resource:
    sku = {"name": "Standard", "tier": "Regional"}
    return resource("network:PublicIPAddress", name, **{"sku": sku, "publicIPAddressVersion": "IPv4", **inputs})


def test_a_public_address_is_billed_by_the_hour() -> None:
    assert figures(address("a"), address("b")) == {"public IPv4 address": (2, 7.3)}


def test_the_address_of_an_application_gateway_is_in_its_price() -> None:
    front = [{"name": "public", "publicIPAddress": {"id": "${network.PublicIPAddress front.id}"}}]
    found = figures(application_gateway(capacity=1, frontendIPConfigurations=front), address("front"), address("nat"))
    assert found["public IPv4 address"] == (1, 3.65)


def test_an_ipv6_address_is_free() -> None:
    assert of(address(publicIPAddressVersion="IPv6")) == {}


@pytest.mark.parametrize("sku", [{"name": "Basic"}, {"name": "Standard", "tier": "Global"}, {}])
def test_an_address_of_another_kind_is_not_priced(sku: dict[str, str]) -> None:
    assert len(unpriced(address(sku=sku))) == 1


@pytest.mark.parametrize(
    ("sku", "what", "monthly"),
    [
        ("Standard_AzureFrontDoor", "Front Door Standard", 35.0),
        ("Premium_AzureFrontDoor", "Front Door Premium", 330.0),
    ],
)
def test_a_front_door_has_a_base_fee(sku: str, what: str, monthly: float) -> None:
    assert figures(resource("cdn:Profile", sku={"name": sku})) == {what: (1, monthly)}


def test_a_cdn_profile_of_another_kind_is_not_priced() -> None:
    assert len(unpriced(resource("cdn:Profile", sku={"name": "Standard_Microsoft"}))) == 1


# -- balancers and the network -----------------------------------------------------------------------------------------


def balancer(rules: Any, outbound: Any = None, **inputs: Any) -> Resource:
    return resource(
        "network:LoadBalancer",
        **{
            "sku": {"name": "Standard", "tier": "Regional"},
            "loadBalancingRules": rules,
            "outboundRules": outbound,
            **inputs,
        },
    )


@pytest.mark.parametrize("rules", [1, 5])
def test_the_first_five_rules_of_a_balancer_cost_as_much_as_one(rules: int) -> None:
    assert figures(balancer([{}] * rules)) == {"Load Balancer, up to five rules": (1, 18.25)}


def test_each_rule_beyond_five_costs_and_outbound_rules_count() -> None:
    found = figures(balancer([{}] * 6, [{}] * 2, inboundNatRules=[{}] * 9))
    assert found["rule of a Load Balancer beyond five"] == (3, 21.9)


def test_rules_are_counted_for_each_balancer_of_its_own() -> None:
    assert figures(balancer([{}] * 4), balancer([{}] * 4)) == {"Load Balancer, up to five rules": (2, 36.5)}


def test_a_balancer_without_rules_is_free() -> None:
    assert of(balancer([])) == {}


def test_rules_that_are_known_later_are_not_priced() -> None:
    assert list(unpriced(balancer(LATER))) == ["Load Balancer, up to five rules"]


@pytest.mark.parametrize("sku", [{"name": "Gateway"}, {"name": "Standard", "tier": "Global"}])
def test_a_balancer_of_another_kind_is_not_priced(sku: dict[str, str]) -> None:
    assert len(unpriced(balancer([{}], sku=sku))) == 1


@pytest.mark.parametrize(
    ("type_", "what", "monthly"),
    [
        ("network:NatGateway", "NAT gateway", 32.85),
        ("network:PrivateEndpoint", "private endpoint", 7.3),
        ("privatedns:PrivateZone", "private DNS zone", 0.5),
        ("dns:Zone", "DNS zone", 0.5),
        ("network:DdosProtectionPlan", "DDoS Network Protection", 2944.0),
    ],
)
def test_what_has_one_price_has_it_whatever_its_inputs(type_: str, what: str, monthly: float) -> None:
    assert figures(resource(type_)) == {what: (1, monthly)}


def test_one_ddos_plan_protects_all_networks() -> None:
    plans = [resource("network:DdosProtectionPlan", name) for name in "ab"]
    assert figures(*plans)["DDoS Network Protection"] == (1, 2944.0)


@pytest.mark.parametrize(("mode", "count"), [("Enabled", 1), ("VirtualNetworkInherited", 0), ("Disabled", 0)])
def test_an_address_with_protection_of_its_own_pays_for_it(mode: str, count: int) -> None:
    found = figures(address(ddosSettings={"protectionMode": mode}))
    assert found.get("DDoS IP Protection, an address", (0, 0))[0] == count


def test_an_address_with_protection_of_its_own_beside_a_plan_is_not_guessed() -> None:
    found = [address(ddosSettings={"protectionMode": "Enabled"}), resource("network:DdosProtectionPlan", "plan")]
    assert unpriced(*found) == {"DDoS IP Protection, an address": "a plan for networks may cover it"}


def test_an_address_under_a_plan_that_it_names_pays_nothing_of_its_own() -> None:
    settings = {"protectionMode": "Enabled", "ddosProtectionPlan": {"id": "/plans/mine"}}
    assert list(of(address(ddosSettings=settings))) == ["public IPv4 address"]


def test_an_application_gateways_address_pays_for_its_own_protection_too() -> None:
    front = [{"publicIPAddress": {"id": "${network.PublicIPAddress front.id}"}}]
    protected = address("front", ddosSettings={"protectionMode": "Enabled"})
    found = figures(application_gateway(capacity=1, frontendIPConfigurations=front), protected)
    assert found["DDoS IP Protection, an address"] == (1, 199.0)


# -- machines, clusters, caches ----------------------------------------------------------------------------------------


def scale_set(size: str = "Standard_D2s_v5", capacity: Any = 2, disk: Any = None, **profile: Any) -> Resource:
    disk = {"managedDisk": {"storageAccountType": "Premium_LRS"}} if disk is None else disk
    return resource(
        "compute:VirtualMachineScaleSet",
        sku={"name": size, "capacity": capacity},
        virtualMachineProfile={"storageProfile": {"osDisk": disk}, **profile},
    )


def test_machines_cost_by_their_size_each_with_its_disk() -> None:
    assert figures(scale_set(capacity=3)) == {
        "machine Standard_D2s_v5, Linux": (3, 210.24),
        "OS disk, premium SSD of 32 GiB": (3, 15.84),
    }


def test_a_disk_costs_by_the_size_that_is_written() -> None:
    disk = {"managedDisk": {"storageAccountType": "Premium_LRS"}, "diskSizeGB": 128}
    assert figures(scale_set(disk=disk))["OS disk, premium SSD of 128 GiB"] == (2, 39.42)


def test_a_disk_on_the_machine_itself_is_free() -> None:
    disk = {"diffDiskSettings": {"option": "Local"}}
    assert list(of(scale_set(disk=disk))) == ["machine Standard_D2s_v5, Linux"]


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (scale_set("Standard_M416ms_v2"), "machine Standard_M416ms_v2"),
        (scale_set(capacity=LATER), "machine Standard_D2s_v5, Linux"),
        (scale_set(priority="Spot"), "spot machine Standard_D2s_v5"),
        (scale_set(disk={"managedDisk": {"storageAccountType": "StandardSSD_LRS"}}), "OS disk that is no premium SSD"),
        (
            scale_set(disk={"managedDisk": {"storageAccountType": "Premium_LRS"}, "diskSizeGB": 77}),
            "OS disk of 77 GiB",
        ),
    ],
)
def test_machines_and_disks_without_a_confirmed_price_are_not_guessed(found: Resource, what: str) -> None:
    assert list(unpriced(found)) == [what]


def pool(**inputs: Any) -> dict[str, Any]:
    return {"vmSize": "Standard_D4s_v5", "count": 3, "osDiskType": "Managed", "osDiskSizeGB": 128, **inputs}


def test_the_pools_of_a_cluster_are_its_own_and_those_beside_it() -> None:
    cluster = resource("containerservice:ManagedCluster", agentPoolProfiles=[pool()], sku={"tier": "Free"})
    assert figures(cluster, resource("containerservice:AgentPool", "user", **pool(count=1))) == {
        "machine Standard_D4s_v5, Linux": (4, 560.64),
        "OS disk, premium SSD of 128 GiB": (4, 78.84),
    }


def test_a_pool_that_scales_is_counted_at_its_fewest() -> None:
    scaled = pool(enableAutoScaling=True, minCount=2, maxCount=9)
    assert figures(resource("containerservice:AgentPool", **scaled))["machine Standard_D4s_v5, Linux"][0] == 2


def test_the_control_plane_costs_by_its_tier() -> None:
    def cluster(**sku: str) -> Resource:
        return resource("containerservice:ManagedCluster", sku=sku)

    assert figures(cluster(name="Base", tier="Standard")) == {"Kubernetes control plane, Standard": (1, 73.0)}
    assert of(cluster(name="Base", tier="Free")) == {}
    assert list(unpriced(cluster(name="Base", tier="Premium"))) == ["Kubernetes control plane, Base Premium"]
    assert len(unpriced(cluster(name="Automatic", tier="Standard"))) == 1


@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        (pool(scaleSetPriority="Spot"), "spot machine Standard_D4s_v5"),
        (pool(enableAutoScaling=True, minCount=LATER), "machine Standard_D4s_v5, Linux"),
        (pool(osDiskSizeGB=77), "OS disk of 77 GiB"),
    ],
)
def test_pools_without_a_confirmed_price_are_not_guessed(inputs: dict[str, Any], what: str) -> None:
    assert list(unpriced(resource("containerservice:AgentPool", **inputs))) == [what]


def test_a_size_without_premium_disks_says_so() -> None:
    assert set(unpriced(resource("containerservice:AgentPool", **pool(vmSize="Standard_D4_v5")))) == {
        "machine Standard_D4_v5",
        "OS disk that is no premium SSD",
    }


def cluster_service(name: str, ports: int, kind: str = "LoadBalancer", internal: bool = False) -> Resource:
    annotations = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"} if internal else {}
    spec = {"type": kind, "ports": [{"port": number} for number in range(1, ports + 1)]}
    return resource("kubernetes:core/v1:Service", name, metadata={"annotations": annotations}, spec=spec)


def test_the_services_of_a_cluster_share_a_balancer() -> None:
    found = figures(cluster_service("a", 3), cluster_service("b", 3))
    assert (found["Load Balancer, up to five rules"][0], found["rule of a Load Balancer beyond five"][0]) == (1, 1)


def test_internal_services_of_a_cluster_have_a_balancer_of_their_own() -> None:
    found = figures(cluster_service("a", 3), cluster_service("b", 3, internal=True))
    assert found == {"Load Balancer, up to five rules": (2, 36.5)}


def test_services_inside_of_a_cluster_have_none() -> None:
    assert of(cluster_service("a", 1, "ClusterIP")) == {}


@pytest.mark.parametrize(
    ("sku", "hourly"), [("Balanced_B0", 0.016), ("Balanced_B1", 0.032), ("Balanced_B3", 0.065), ("Balanced_B5", 0.156)]
)
def test_a_redis_has_two_nodes_unless_it_is_without_high_availability(sku: str, hourly: float) -> None:
    def redis(**inputs: str) -> Resource:
        return resource("redisenterprise:RedisEnterprise", sku={"name": sku}, **inputs)

    what = f"node of Managed Redis {sku}"
    assert figures(redis()) == {what: (2, round(2 * hourly * HOURS, 2))}
    assert figures(redis(highAvailability="Disabled")) == {what: (1, round(hourly * HOURS, 2))}


def test_a_redis_of_another_size_is_not_priced() -> None:
    found = resource("redisenterprise:RedisEnterprise", sku={"name": "MemoryOptimized_M10"})
    assert list(unpriced(found)) == ["Managed Redis MemoryOptimized_M10"]


# -- monitoring --------------------------------------------------------------------------------------------------------


def alert(*criteria: dict[str, Any], **inputs: Any) -> Resource:
    return resource("monitor:MetricAlert", **{"scopes": ["a"], "criteria": {"allOf": list(criteria)}, **inputs})


def test_an_alert_pays_for_each_time_series() -> None:
    dimensions = [{"name": "x", "values": ["1", "2"]}, {"name": "y", "values": ["a", "b", "c"]}]
    found = figures(alert({"metricName": "m"}, {"metricName": "n", "dimensions": dimensions}))
    assert found == {"time series of a metric alert": (7, 0.7)}


def test_an_alert_on_several_resources_pays_for_each() -> None:
    assert figures(alert({}, scopes=["a", "b"]))["time series of a metric alert"] == (2, 0.2)


def test_a_dynamic_threshold_costs_as_much_again() -> None:
    assert figures(alert({"criterionType": "DynamicThresholdCriterion"})) == {
        "time series of a metric alert": (1, 0.1),
        "dynamic threshold of a time series": (1, 0.1),
    }


@pytest.mark.parametrize("values", [["*"], LATER])
def test_time_series_that_nobody_can_count_are_not_priced(values: Any) -> None:
    assert list(unpriced(alert({"dimensions": [{"name": "x", "values": values}]}))) == ["time series of a metric alert"]


@pytest.mark.parametrize(
    ("frequency", "what", "monthly"),
    [
        ("PT1M", "rule on logs, each 1 min", 3.0),
        ("PT5M", "rule on logs, each 5 min", 1.5),
        ("PT10M", "rule on logs, each 10 min", 1.0),
        ("PT15M", "rule on logs, each 15 min", 0.5),
        ("P1D", "rule on logs, each 15 min", 0.5),
    ],
)
def test_a_rule_on_logs_costs_by_how_often_it_looks(frequency: str, what: str, monthly: float) -> None:
    found = resource("monitor:ScheduledQueryRule", evaluationFrequency=frequency, criteria={"allOf": [{"query": "q"}]})
    assert figures(found) == {what: (1, monthly)}


@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        ({"evaluationFrequency": LATER}, "rule on logs"),
        ({"evaluationFrequency": "PT7M"}, "rule on logs, each PT7M"),
        (
            {"evaluationFrequency": "PT5M", "criteria": {"allOf": [{"dimensions": [{"name": "x"}]}]}},
            "further time series of a rule on logs",
        ),
    ],
)
def test_of_a_rule_on_logs_nothing_is_guessed(inputs: dict[str, Any], what: str) -> None:
    assert list(unpriced(resource("monitor:ScheduledQueryRule", **inputs))) == [what]


@pytest.mark.parametrize("type_", ["monitor:MetricAlert", "monitor:ScheduledQueryRule"])
def test_alerts_that_are_off_cost_nothing(type_: str) -> None:
    assert of(resource(type_, enabled=False, evaluationFrequency="PT5M", criteria={"allOf": [{}]}, scopes=["a"])) == {}


@pytest.mark.parametrize(
    ("type_", "what"),
    [("operationalinsights:Workspace", "Log Analytics workspace"), ("keyvault:Vault", "key vault")],
)
def test_what_is_billed_by_use_alone_is_named_without_a_figure(type_: str, what: str) -> None:
    assert unpriced(resource(type_))[what].endswith("nothing without")


# -- the list ----------------------------------------------------------------------------------------------------------


def test_the_prices_of_other_regions_are_not_invented() -> None:
    assert (
        "eastus list price, westeurope may differ"
        in of(service("Premium"), location="westeurope")["API Management Premium, a unit"].basis
    )
    assert "may differ" not in of(service("Premium"))["API Management Premium, a unit"].basis
    assert "may differ" not in of(resource("network:NatGateway"), location="westeurope")["NAT gateway"].basis


def test_unbilled_resources_cost_nothing() -> None:
    unbilled = ("apimanagement:Api", "network:VirtualNetwork", "network:NetworkSecurityGroup", "frontdoor:Policy")
    assert reckon([resource(type_) for type_ in unbilled], "eastus") == ()


def test_every_figure_has_an_address_somebody_who_states_it_and_a_date() -> None:
    for price in PRICES.by_name.values():
        assert price.stated
        source = PRICES.source(price)
        assert source.startswith("https://azure.microsoft.com/pricing/details/")
        assert "read 20" in source
