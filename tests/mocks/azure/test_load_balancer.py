"""The Load Balancer alone: public, internal and Global ones, pools of each kind, ways in and out, and what is refused."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pulumi
import pytest

import arm_bodies
from edgewright.azure.load_balancer import LoadBalancer, LoadBalancerArgs
from edgewright.azure.load_balancer_rules import addresses_of, snat_ports
from edgewright.azure.network_regions import GLOBAL_HOMES, WITHOUT_ZONES
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate

ZERO = "00000000-0000-0000-0000-000000000000"
NETWORK = "/subscriptions/s/resourceGroups/edge/providers/Microsoft.Network"
REGIONAL = f"{NETWORK}/loadBalancers/eu/frontendIPConfigurations/web"
PROBE = {"alive": {"protocol": "Http", "port": 8080, "path": "/healthz"}}
WEB = {
    "frontend": "web",
    "pools": ["machines"],
    "probe": "alive",
    "protocol": "Tcp",
    "frontend_port": 443,
    "backend_port": 8443,
}

PUBLIC: dict[str, Any] = {
    "frontends": {
        "web": {"domain_name_label": "shop-edge", "ddos_protection": True},
        "web6": {"ip_version": "IPv6"},
        "named": {"from_prefix_id": f"{NETWORK}/publicIPPrefixes/1"},
        "out": {"public_ip_prefix_id": f"{NETWORK}/publicIPPrefixes/2", "prefix_length": 30},
    },
    "pools": {"machines": {}, "machines6": {}},
    "probes": PROBE,
    "rules": {
        "web": {**WEB, "distribution": "SourceIP"},
        "web6": {**WEB, "frontend": "web6", "pools": ["machines6"]},
        "game": {**WEB, "protocol": "Udp", "frontend_port": 5000, "backend_port": 5000},
    },
    "nat_rules": {
        "one": {"frontend": "named", "frontend_port": 2222, "backend_port": 22},
        "each": {
            "frontend": "named",
            "frontend_port_range_start": 3000,
            "frontend_port_range_end": 3009,
            "pool": "machines",
            "backend_port": 22,
        },
    },
    "outbound_rules": {"out": {"frontends": ["out"], "pool": "machines", "machines": 10}},
}
INTERNAL: dict[str, Any] = {
    "frontends": {
        "web": {"subnet_id": "/subnets/services", "private_ip_address": "10.0.1.10"},
        "web6": {"subnet_id": "/subnets/services", "ip_version": "IPv6"},
    },
    "pools": {
        "machines": {
            "virtual_network_id": f"{NETWORK}/virtualNetworks/edge",
            "addresses": {"a": {"ip_address": "10.0.1.20"}, "b": {"ip_address": "10.0.1.21"}},
        },
        "machines6": {},
    },
    "probes": PROBE,
    "rules": {
        "all": {**WEB, "protocol": "All", "frontend_port": 0, "backend_port": 0},
        "web6": {**WEB, "frontend": "web6", "pools": ["machines6"], "floating_ip": True},
    },
}
GLOBAL: dict[str, Any] = {
    "tier": "Global",
    "location": "West Europe",
    "frontends": {"web": {}},
    "pools": {"regions": {"frontends": {"eu": REGIONAL, "us": REGIONAL.replace("/eu/", "/us/")}}},
    "rules": {
        "web": {"frontend": "web", "pools": ["regions"], "protocol": "Tcp", "frontend_port": 443, "backend_port": 443}
    },
}
KINDS = {"public": PUBLIC, "internal": INTERNAL, "global": GLOBAL}


def args(of: Mapping[str, Any], **more: Any) -> LoadBalancerArgs:
    given = {"resource_group_name": "edge", "location": "westeurope", "subscription_id": ZERO, **of, **more}
    return cast("LoadBalancerArgs", {key: value for key, value in given.items() if value is not None})


def recorded(make: Callable[[], object], *, preview: bool = False) -> tuple[Resource, ...]:
    return record(make, project="edgewright", stack="test", preview=preview).resources


def made(of: Mapping[str, Any], **more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: LoadBalancer("lb", args(of, **more)))


def balancer(of: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    return next(item.inputs for item in made(of, **more) if item.type == "azure-native:network:LoadBalancer")


def part(of: Mapping[str, Any], kind: str, name: str, **more: Any) -> Mapping[str, Any]:
    return next(item for item in balancer(of, **more)[kind] if item["name"] == name)


def addresses(of: Mapping[str, Any], **more: Any) -> dict[str, Mapping[str, Any]]:
    return {item.name: item.inputs for item in made(of, **more) if item.type.endswith(":PublicIPAddress")}


def refused(of: Mapping[str, Any], **more: Any) -> list[str]:
    with pytest.raises(ArgumentsError) as found:
        made(of, **more)
    return list(found.value.problems)


def changed(of: Mapping[str, Any], *path: str, **change: Any) -> dict[str, Any]:
    """A copy with other values at a place; those that are None are not there."""
    if path:
        return {**of, path[0]: changed(of[path[0]], *path[1:], **change)}
    return {key: value for key, value in {**of, **change}.items() if value is not None}


def without(of: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in of.items() if key not in keys}


# -- what is made ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_it_makes_is_what_the_sdk_and_the_cloud_take(kind: str) -> None:
    resources = made(KINDS[kind])
    assert [item for item in resources if item.custom]
    assert validate(resources) == []
    assert arm_bodies.problems(resources) == []


@pytest.mark.parametrize("kind", KINDS)
def test_parts_name_one_another_by_ids_that_the_balancer_has(kind: str) -> None:
    found = balancer(KINDS[kind])
    own = f"/subscriptions/{ZERO}/resourceGroups/edge/providers/Microsoft.Network/loadBalancers/lb/"
    parts = {
        f"{own}{which}/{item['name']}"
        for which in ("frontendIPConfigurations", "backendAddressPools", "probes")
        for item in found.get(which, [])
    }
    rules = [found.get(which, []) for which in ("loadBalancingRules", "inboundNatRules", "outboundRules")]
    named = list(_ids(rules))
    assert named
    assert set(named) <= parts


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        yield from ([mapping["id"]] if "id" in mapping else [])
        for item in mapping.values():
            yield from _ids(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _ids(item)


@pytest.mark.parametrize("kind", KINDS)
def test_values_may_be_unknown_in_a_preview(kind: str) -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        of = KINDS[kind]
        if kind == "internal":
            of = changed(of, "frontends", "web", subnet_id=other.id)
            of = changed(
                of, "pools", "machines", virtual_network_id=other.id, addresses={"a": {"ip_address": other.id}}
            )
        if kind == "global":
            of = changed(of, "pools", "regions", frontends={"eu": other.id})
        if kind == "public":
            of = changed(of, "frontends", "out", public_ip_prefix_id=other.id)
        LoadBalancer("lb", args(of, resource_group_name=other.id, location=other.id, subscription_id=other.id))

    names = {item.name for item in recorded(program, preview=True) if item.custom}
    assert names - {"other"} == {item.name for item in made(KINDS[kind]) if item.custom}


def test_a_public_frontend_gets_an_address_of_its_own() -> None:
    found = addresses(PUBLIC)
    assert set(found) == {"lb-web", "lb-web6", "lb-named"}
    assert {item["publicIPAddressVersion"] for item in found.values()} == {"IPv4", "IPv6"}
    assert found["lb-web6"]["publicIPAddressVersion"] == "IPv6"
    assert found["lb-web"]["dnsSettings"] == {"domainNameLabel": "shop-edge"}
    assert found["lb-web"]["ddosSettings"] == {"protectionMode": "Enabled"}
    assert found["lb-web6"]["ddosSettings"] == {"protectionMode": "VirtualNetworkInherited"}
    assert found["lb-named"]["publicIPPrefix"] == {"id": f"{NETWORK}/publicIPPrefixes/1"}


def test_a_prefix_is_a_frontend_of_its_own() -> None:
    frontend = part(PUBLIC, "frontendIPConfigurations", "out")
    assert frontend == {"name": "out", "publicIPPrefix": {"id": f"{NETWORK}/publicIPPrefixes/2"}}


def test_an_internal_frontend_has_a_fixed_address_or_one_that_azure_chooses() -> None:
    fixed = part(INTERNAL, "frontendIPConfigurations", "web")
    assert (fixed["privateIPAllocationMethod"], fixed["privateIPAddress"]) == ("Static", "10.0.1.10")
    chosen = part(INTERNAL, "frontendIPConfigurations", "web6")
    assert (chosen["privateIPAllocationMethod"], chosen["privateIPAddressVersion"]) == ("Dynamic", "IPv6")


def test_frontends_are_in_all_zones_where_there_are_zones() -> None:
    assert part(INTERNAL, "frontendIPConfigurations", "web")["zones"] == ["1", "2", "3"]
    assert "zones" not in part(INTERNAL, "frontendIPConfigurations", "web", location="West US")
    assert "zones" not in addresses(PUBLIC, location="northcentralus")["lb-web"]
    zonal = changed(PUBLIC, "frontends", "web", zones=["2"])
    assert addresses(zonal)["lb-web"]["zones"] == ["2"]


def test_a_pool_is_empty_for_machines_that_join_or_has_addresses() -> None:
    assert part(PUBLIC, "backendAddressPools", "machines") == {"name": "machines"}
    members = part(INTERNAL, "backendAddressPools", "machines")["loadBalancerBackendAddresses"]
    assert members[0] == {
        "name": "a",
        "ipAddress": "10.0.1.20",
        "virtualNetwork": {"id": f"{NETWORK}/virtualNetworks/edge"},
    }


def test_pools_that_stand_alone_are_left_to_themselves() -> None:
    pool = f"{NETWORK}/loadBalancers/lb/backendAddressPools/machines"
    found = balancer(
        INTERNAL,
        pools={"machines": {"id": pool}},
        frontends={"web": INTERNAL["frontends"]["web"]},
        rules={"all": INTERNAL["rules"]["all"]},
    )
    assert "backendAddressPools" not in found
    assert found["loadBalancingRules"][0]["backendAddressPools"] == [{"id": pool}]


def test_probes_have_a_threshold_that_azure_heeds() -> None:
    probe = part(PUBLIC, "probes", "alive")
    assert (probe["probeThreshold"], probe["intervalInSeconds"]) == (2, 15)
    assert "numberOfProbes" not in probe


def test_a_udp_rule_is_probed_by_http() -> None:
    rule = part(PUBLIC, "loadBalancingRules", "game")
    assert rule["probe"]["id"].endswith("/probes/alive")
    assert rule["enableTcpReset"] is False


def test_rules_reset_idle_connections_and_lend_no_address() -> None:
    rule = part(PUBLIC, "loadBalancingRules", "web")
    assert (rule["enableTcpReset"], rule["disableOutboundSnat"], rule["enableFloatingIP"]) == (True, True, False)
    assert rule["loadDistribution"] == "SourceIP"
    assert part(INTERNAL, "loadBalancingRules", "web6")["enableFloatingIP"] is True


def test_a_rule_may_lend_its_address_where_nothing_else_is_the_way_out() -> None:
    of = changed(without(PUBLIC, "outbound_rules"), "rules", "web", outbound_snat=True)
    assert part(of, "loadBalancingRules", "web")["disableOutboundSnat"] is False


def test_a_nat_rule_is_for_one_machine_or_for_each_of_a_pool() -> None:
    one = part(PUBLIC, "inboundNatRules", "one")
    assert (one["frontendPort"], one["backendPort"], one["enableTcpReset"]) == (2222, 22, True)
    assert "backendAddressPool" not in one
    each = part(PUBLIC, "inboundNatRules", "each")
    assert (each["frontendPortRangeStart"], each["frontendPortRangeEnd"]) == (3000, 3009)
    assert each["backendAddressPool"]["id"].endswith("/backendAddressPools/machines")


def test_a_nat_rule_that_is_taken_out_is_gone() -> None:
    assert balancer(without(PUBLIC, "nat_rules"))["inboundNatRules"] == []
    assert "inboundNatRules" not in balancer(GLOBAL)


def test_machines_share_the_ports_of_an_outbound_rule() -> None:
    rule = part(PUBLIC, "outboundRules", "out")
    assert rule["allocatedOutboundPorts"] == 25600  # 4 addresses of 64,000 ports for 10 machines
    assert (rule["protocol"], rule["enableTcpReset"], rule["idleTimeoutInMinutes"]) == ("All", True, 4)


def test_ports_are_shared_in_eights_and_less_what_rules_take() -> None:
    assert snat_ports(1, 10) == 6400
    assert snat_ports(1, 7) == 9136
    assert snat_ports(1, 10, taken=1) == 6392
    assert snat_ports(2, 1) == 64000
    of = changed(PUBLIC, "outbound_rules", "out", frontends=["web"])
    assert part(of, "outboundRules", "out")["allocatedOutboundPorts"] == 6392  # ports 443 and 5000 are two eights


def test_a_prefix_has_as_many_addresses_as_its_length_says() -> None:
    assert addresses_of({"public_ip_prefix_id": "p"}) == 2
    assert addresses_of({"public_ip_prefix_id": "p", "prefix_length": 28}) == 16
    assert addresses_of({"public_ip_prefix_id": "p", "prefix_length": 124, "ip_version": "IPv6"}) == 16
    assert addresses_of({}) == 1


def test_a_global_balancer_is_before_those_of_regions_and_asks_by_itself() -> None:
    found = balancer(GLOBAL)
    assert found["sku"] == {"name": "Standard", "tier": "Global"}
    assert [
        item["loadBalancerFrontendIPConfiguration"]["id"]
        for item in found["backendAddressPools"][0]["loadBalancerBackendAddresses"]
    ] == [REGIONAL, REGIONAL.replace("/eu/", "/us/")]
    assert not {"probe", "disableOutboundSnat"} & set(found["loadBalancingRules"][0])
    address = addresses(GLOBAL)["lb-web"]
    assert address["sku"] == {"name": "Standard", "tier": "Global"}
    assert "zones" not in address


def test_ids_for_others_wait_for_the_balancer() -> None:
    def program() -> None:
        lb = LoadBalancer("lb", args(PUBLIC))
        ids = [lb.pool_ids["machines"], lb.nat_rule_ids["one"], lb.frontend_ids["web"]]
        for at, one in enumerate(ids):
            pulumi.CustomResource("test:index:Thing", f"member-{at}", {"value": one})

    resources = recorded(program)
    own = next(item.urn for item in resources if item.type == "azure-native:network:LoadBalancer")
    members = [item for item in resources if item.name.startswith("member")]
    assert all(own in item.dependencies for item in members)
    assert [item.inputs["value"].rpartition("}")[2] for item in members] == [
        "/backendAddressPools/machines",
        "/inboundNatRules/one",
        "/frontendIPConfigurations/web",
    ]


def test_addresses_are_known_of_frontends_that_are_internal_or_made() -> None:
    found: dict[str, set[str]] = {}

    def program() -> None:
        found["public"] = set(LoadBalancer("lb", args(PUBLIC)).frontend_ips)
        found["internal"] = set(LoadBalancer("lb2", args(INTERNAL)).frontend_ips)

    recorded(program)
    assert found == {"public": {"web", "web6", "named"}, "internal": {"web", "web6"}}


def settings(of: Mapping[str, Any], **more: Any) -> dict[str, Mapping[str, Any]]:
    return {item.name: item.inputs for item in made(of, **more) if item.type.endswith(":DiagnosticSetting")}


def test_health_and_attacks_on_its_own_addresses_are_logged_where_there_is_a_workspace() -> None:
    assert settings(PUBLIC) == {}
    found = settings(PUBLIC, workspace_id="/workspaces/logs")
    assert set(found) == {"lb-logs", "lb-web-logs", "lb-web6-logs", "lb-named-logs"}
    assert {item["workspaceId"] for item in found.values()} == {"/workspaces/logs"}
    assert [item["category"] for item in found["lb-logs"]["logs"] if item["enabled"]] == ["LoadBalancerHealthEvent"]
    assert "DDoSProtectionNotifications" in {item["category"] for item in found["lb-web-logs"]["logs"]}
    assert set(settings(INTERNAL, workspace_id="/workspaces/logs")) == {"lb-logs"}


@pytest.mark.parametrize(
    ("attribute", "name"), [("diagnostics", "lb-logs"), ("address_diagnostics.web6", "lb-web6-logs")]
)
def test_what_is_logged_may_be_overridden(attribute: str, name: str) -> None:
    found = settings(PUBLIC, workspace_id="/workspaces/logs", overrides={attribute: {"logs": []}})
    assert [one for one, item in found.items() if item["logs"] == []] == [name]
    assert f"has no `{attribute}`" in refused(PUBLIC, overrides={attribute: {}})[0]


@pytest.mark.parametrize(("attribute", "name"), [("load_balancer", "lb-balancer"), ("public_ips.web", "lb-web")])
def test_a_raw_input_may_be_overridden(attribute: str, name: str) -> None:
    resources = made(PUBLIC, overrides={attribute: {"tags": {"said": "by hand"}}})
    assert next(item for item in resources if item.name == name).inputs["tags"] == {"said": "by hand"}


# -- what is refused ---------------------------------------------------------------------------------------------------

WEB_ONLY = changed(without(PUBLIC, "outbound_rules", "nat_rules"), rules={"web": WEB})
REFUSED: list[tuple[Mapping[str, Any], str]] = [
    (changed(PUBLIC, sku="Basic"), "the SKU Basic was retired on 2025-09-30"),
    (changed(PUBLIC, sku="Gateway"), "the SKU Gateway is for chains of network appliances"),
    (changed(PUBLIC, tier="World"), "there is no tier `World`"),
    (changed(PUBLIC, rule={}), "a balancer has no `rule`"),
    (without(PUBLIC, "pools"), "`pools` is missing"),
    (changed(PUBLIC, "rules", "web", port=1), "rules `web` has no `port`"),
    (changed(PUBLIC, "rules", "web", protocol=None), "rules `web` needs `protocol`"),
    (changed(PUBLIC, load_balancer_name="-"), "`-` is no name"),
    (changed(PUBLIC, "pools", **{"p" * 81: {}}), "is no name for Azure: 1 to 80"),
    (changed(PUBLIC, "pools", Machines={}), "`machines` and `Machines` are one name"),
    # frontends
    (changed(PUBLIC, "frontends", web={"ip_version": "6"}), "there is no ip_version `6`"),
    (changed(PUBLIC, "frontends", web={"subnet_id": "s", "public_ip_address_id": "p"}), "one of subnet_id"),
    (changed(INTERNAL, "frontends", "web", private_ip_address="10.0.1"), "`10.0.1` is no address"),
    (changed(INTERNAL, "frontends", "web6", private_ip_address="10.0.1.4"), "10.0.1.4 is no IPv6 address"),
    (
        changed(INTERNAL, "frontends", more={"subnet_id": "s", "private_ip_address": "10.0.1.10"}),
        "`web` and `more` have the same address",
    ),
    (changed(PUBLIC, "frontends", "web", zones=["0"]), "zones are 0"),
    (changed(PUBLIC, "frontends", "out", zones=["1"]), "an existing address has its own zones"),
    (changed(changed(PUBLIC, location="westus"), "frontends", "web", zones=["1"]), "westus has no zones"),
    (changed(PUBLIC, "frontends", "out", domain_name_label="abc"), "is for an address that is made here"),
    (changed(PUBLIC, "frontends", "web", domain_name_label="Shop"), "`Shop` is no label of a domain"),
    (changed(PUBLIC, "frontends", "out", prefix_length=24), "a prefix of IPv4 is from /28 to /31"),
    (changed(PUBLIC, "frontends", "web", prefix_length=28), "belongs to `public_ip_prefix_id`"),
    # pools
    (changed(INTERNAL, "pools", "machines", id="/x/backendAddressPools/y"), "one of addresses, frontends, id"),
    (changed(INTERNAL, "pools", "machines", addresses={}), "it has no addresses"),
    (changed(INTERNAL, "pools", "machines", virtual_network_id=None), "needs `virtual_network_id`"),
    (changed(INTERNAL, "pools", machines={"addresses": {"a": {}}}), "address `a` needs `ip_address`"),
    (changed(INTERNAL, "pools", "machines", "addresses", a={"ip_address": "x"}), "`x` is no address"),
    (changed(INTERNAL, "pools", "machines", "addresses", c={"ip_address": "10.0.1.20"}), "`a` and `c` are both"),
    (changed(PUBLIC, "pools", machines={"virtual_network_id": "n"}), "`virtual_network_id` belongs to addresses"),
    (changed(PUBLIC, "pools", machines={"frontends": {"eu": REGIONAL}}), "are for the tier Global"),
    (changed(PUBLIC, "pools", machines={"id": "machines"}), "`machines` is no id of a pool"),
    (changed(PUBLIC, "pools", machines={"id": "/loadBalancers/b/backendAddressPools/m"}), "a pool of another balancer"),
    (
        changed(PUBLIC, "pools", machines={"id": f"{NETWORK}/loadBalancers/lb/backendAddressPools/machines"}),
        "one kind would delete the other",
    ),
    # probes
    (changed(PUBLIC, "probes", "alive", protocol="Udp", path=None), "there is no protocol `Udp`; there are Tcp, Http"),
    (changed(PUBLIC, "probes", "alive", path="healthz"), "should begin with a slash"),
    (changed(PUBLIC, "probes", "alive", port=0), "0 is no port"),
    (changed(PUBLIC, "probes", "alive", probe_threshold=0), "probe_threshold is 1 at least"),
    # rules
    (changed(PUBLIC, "rules", "web", pools=["machines", "machines6"]), "a Standard balancer's rule has one"),
    (changed(PUBLIC, "rules", "web", frontend_port=65535), "frontend_port 65535 does not go with Tcp"),
    (changed(PUBLIC, "rules", "web", distribution="Sticky"), "there is no distribution `Sticky`"),
    (changed(PUBLIC, "rules", "web", frontend="out"), "a frontend with a prefix is for outbound rules"),
    (changed(PUBLIC, "rules", "web6", pools=["machines"]), "pool `machines`: IPv4 and IPv6 are in one rule"),
    (changed(INTERNAL, "rules", "web6", pools=["machines"]), "pool `machines`: IPv4 and IPv6 are in one rule"),
    (changed(PUBLIC, "rules", more={**WEB, "frontend_port": 444}), "both send Tcp to port 8443 of the pool"),
    (changed(INTERNAL, "rules", more={**WEB, "backend_port": 1}), "both take Tcp 443 of the frontend `web`"),
    (changed(PUBLIC, "rules", "web", outbound_snat=True), "would lend its address too, beside the outbound rule `out`"),
    (changed(INTERNAL, "rules", "web6", outbound_snat=True), "outbound_snat is for public frontends"),
    # NAT rules
    (changed(PUBLIC, "nat_rules", "one", frontend="other"), "NAT rule `one`: there is no frontend `other`"),
    (changed(PUBLIC, "nat_rules", "one", protocol="All"), "there is no protocol `All`; there are Tcp, Udp"),
    (changed(PUBLIC, "nat_rules", "one", backend_port=0), "backend_port 0 is no port"),
    (changed(PUBLIC, "nat_rules", "one", frontend_port=None), "write `frontend_port`, for one machine"),
    (changed(PUBLIC, "nat_rules", "one", pool="machines"), "write `frontend_port`, for one machine"),
    (changed(PUBLIC, "nat_rules", "each", pool=None), "write `frontend_port`, for one machine"),
    (changed(PUBLIC, "nat_rules", "each", pool="other"), "there is no pool `other`"),
    (changed(PUBLIC, "nat_rules", "each", frontend_port_range_end=2999), "3000 to 2999 are no ports"),
    (changed(PUBLIC, "nat_rules", "one", frontend_port=3005), "both take Tcp 3000-3009 of the frontend `named`"),
    (changed(PUBLIC, "nat_rules", "one", frontend="web", frontend_port=443), "both take Tcp 443 of the frontend `web`"),
    (changed(PUBLIC, "nat_rules", "one", idle_timeout_minutes=31), "4 to 30 minutes"),
    (
        changed(
            INTERNAL,
            nat_rules={
                "each": {
                    "frontend": "web6",
                    "frontend_port_range_start": 3000,
                    "frontend_port_range_end": 3001,
                    "pool": "machines",
                    "backend_port": 22,
                }
            },
        ),
        "NAT rules are for machines that join a pool",
    ),
    # outbound rules
    (changed(PUBLIC, "outbound_rules", "out", frontends=["other"]), "there is no frontend `other`"),
    (changed(PUBLIC, "outbound_rules", "out", frontends=[]), "it has no frontends"),
    (changed(PUBLIC, "outbound_rules", "out", frontends=["out", "out"]), "a frontend is there twice"),
    (changed(PUBLIC, "outbound_rules", "out", pool="other"), "there is no pool `other`"),
    (changed(PUBLIC, "outbound_rules", "out", protocol="Icmp"), "there is no protocol `Icmp`"),
    (changed(PUBLIC, "outbound_rules", "out", protocol="Udp", tcp_reset=True), "a UDP rule has no TCP reset"),
    (changed(PUBLIC, "outbound_rules", "out", idle_timeout_minutes=3), "4 to 100 minutes"),
    (changed(PUBLIC, "outbound_rules", "out", machines=None), "write `machines`, the most that there will be"),
    (changed(PUBLIC, "outbound_rules", "out", machines=0), "machines is 0"),
    (changed(PUBLIC, "outbound_rules", "out", allocated_ports=1001), "a multiple of 8, from 8 to 64000"),
    (changed(PUBLIC, "outbound_rules", "out", allocated_ports=64008), "a multiple of 8, from 8 to 64000"),
    (changed(PUBLIC, "outbound_rules", "out", allocated_ports=32000), "need 320000; the frontends have 256000"),
    (changed(PUBLIC, "outbound_rules", "out", machines=40000), "less than 8 for each"),
    (
        changed(PUBLIC, "outbound_rules", more={"frontends": ["out"], "pool": "machines", "machines": 1}),
        "`out` and `more` both give Tcp to the pool `machines`",
    ),
    (
        changed(
            changed(PUBLIC, "pools", more={}),
            "outbound_rules",
            more={"frontends": ["out"], "pool": "more", "machines": 10},
        ),
        "share frontends: they need 512000 ports of 256000",
    ),
    (
        changed(INTERNAL, outbound_rules={"out": {"frontends": ["web"], "pool": "machines", "machines": 1}}),
        "an internal balancer has no way out",
    ),
    # Global
    (changed(GLOBAL, location="francecentral"), "a Global balancer has its home in .*, not in francecentral"),
    (changed(GLOBAL, probes=PROBE), "asks for the health of regional balancers itself: no probes"),
    (changed(GLOBAL, "rules", "web", probe="alive"), "a Global balancer asks for health itself: no probe"),
    (changed(GLOBAL, nat_rules=PUBLIC["nat_rules"]), "has no NAT rules"),
    (changed(GLOBAL, outbound_rules=PUBLIC["outbound_rules"]), "is no way out"),
    (changed(GLOBAL, "frontends", web={"subnet_id": "s"}), "public and everywhere: no subnet_id"),
    (changed(GLOBAL, "frontends", web={"zones": ["1"]}), "public and everywhere: no zones"),
    (changed(GLOBAL, "pools", regions={}), "a Global balancer's pool has `frontends`"),
    (changed(GLOBAL, "pools", regions={"frontends": {"eu": "eu"}}), "`eu`, of `eu`, is no id of a frontend"),
    (changed(GLOBAL, "rules", "web", protocol="Udp", frontend_port=3), "takes no UDP on port 3"),
    (changed(PUBLIC, overrides={"public_ips.out": {}}), "overrides has no `public_ips.out`"),
]


@pytest.mark.parametrize(("of", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_arguments_that_cannot_be_are_refused_before_anything_is_made(of: Mapping[str, Any], said: str) -> None:
    problems = refused(of)
    assert any(re.search(said, problem) for problem in problems), problems


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = changed(changed(WEB_ONLY, "rules", "web", frontend="app"), "probes", "alive", interval_seconds=1)
    assert len(refused(changed(wrong, sku="Basic"))) == 3


def test_rules_with_floating_ip_may_share_a_port_of_a_pool() -> None:
    more = {**WEB, "frontend_port": 444, "floating_ip": True}
    of = changed(WEB_ONLY, rules={"web": {**WEB, "floating_ip": True}, "more": more})
    assert len(balancer(of)["loadBalancingRules"]) == 2


def test_tcp_and_udp_may_share_a_port_of_a_frontend() -> None:
    of = changed(WEB_ONLY, rules={"web": WEB, "quic": {**WEB, "protocol": "Udp"}})
    assert len(balancer(of)["loadBalancingRules"]) == 2


def test_homes_and_regions_without_zones_are_written_as_azure_writes_them() -> None:
    assert all(re.fullmatch(r"[a-z]+[0-9]?", name) for name in GLOBAL_HOMES | WITHOUT_ZONES)
