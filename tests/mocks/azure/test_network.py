"""The network of an edge: what is made, what it is closed to, its ways out, and what is refused."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi
import pytest

import arm_bodies
from edgewright.azure.network import Network, NetworkArgs
from edgewright.azure.network_rules import ROLES
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate

ALL = {role: {"cidr": f"10.0.{at}.0/24", "role": role} for at, role in enumerate(ROLES)}
FULL: dict[str, Any] = {
    "subnets": {
        **ALL,
        "services": {
            **ALL["services"],
            "open_to": [{"name": "gateway", "peer": "internal", "ports": ["8080"], "why": "the gateway"}],
            "reaches": [{"name": "store", "peer": "Storage", "ports": ["443", "445"]}],
        },
        "kubernetes": {**ALL["kubernetes"], "pods": "10.244.0.0/16"},
    },
    "ddos_protection": True,
    "dns_servers": ["10.0.255.4"],
    "tags": {"team": "edge"},
}


def args(**more: Any) -> NetworkArgs:
    given = {
        "resource_group_name": "edge",
        "location": "westeurope",
        "cidr": "10.0.0.0/16",
        "subnets": ALL,
        **more,
    }
    return cast("NetworkArgs", {key: value for key, value in given.items() if value is not None})


def only(**more: Any) -> dict[str, Any]:
    """Subnets: one of services."""
    return {"own": {"cidr": "10.0.0.0/24", "role": "services", **more}}


def recorded(make: Callable[[], object], *, preview: bool = False) -> tuple[Resource, ...]:
    return record(make, project="edgewright", stack="test", preview=preview).resources


def made(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: Network("net", args(**more)))


def of(resources: tuple[Resource, ...], kind: str) -> dict[str, Mapping[str, Any]]:
    return {item.name: item.inputs for item in resources if item.type == f"azure-native:network:{kind}"}


def subnets(**more: Any) -> dict[str, Mapping[str, Any]]:
    return {item["name"]: item for item in of(made(**more), "VirtualNetwork")["net-network"]["subnets"]}


def refused(**more: Any) -> list[str]:
    with pytest.raises(ArgumentsError) as found:
        made(**more)
    return list(found.value.problems)


def test_all_that_it_makes_is_what_the_sdk_and_the_cloud_take() -> None:
    resources = made(**FULL)
    assert len([item for item in resources if item.custom]) == len(ROLES) + 4
    assert validate(resources) == []
    assert arm_bodies.problems(resources) == []


def test_everything_stands_below_the_component() -> None:
    resources = made(**FULL)
    part = next(item for item in resources if not item.custom)
    assert part.type == "edgewright:azure:Network"
    assert {item.parent for item in resources if item.custom} == {part.urn}


def test_values_may_be_unknown_in_a_preview() -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        peers = [{"name": "office", "peer": other.id, "ports": ["443"]}]
        more = {"subnets": {**ALL, **only(open_to=peers, cidr="10.0.200.0/24")}, "ddos_plan_id": other.id}
        Network("net", args(resource_group_name=other.id, location=other.id, nat_gateway_id=other.id, **more))

    names = {item.name for item in recorded(program, preview=True) if item.custom}
    assert {"net-network", "net-own", "net-internal"} < names


def test_each_subnet_has_a_group_of_its_own_and_no_default_way_out() -> None:
    found = subnets()
    assert set(found) == set(ROLES)
    assert len({item["networkSecurityGroup"]["id"] for item in found.values()}) == len(ROLES)
    assert {item["defaultOutboundAccess"] for item in found.values()} == {False}
    assert {item["privateEndpointNetworkPolicies"] for item in found.values()} == {"Enabled"}


def test_what_reaches_out_of_the_network_does_so_by_the_nat_gateway() -> None:
    assert {name for name, item in subnets().items() if "natGateway" not in item} == {
        "application-gateway",
        "private-endpoints",
    }


def test_a_subnet_may_say_otherwise() -> None:
    assert "natGateway" not in subnets(subnets=only(nat=False))["own"]
    assert (
        "natGateway"
        in subnets(subnets={"own": {"cidr": "10.0.0.0/24", "role": "private-endpoints", "nat": True}})["own"]
    )


def test_no_nat_gateway_is_made_where_none_is_needed() -> None:
    resources = made(subnets={"own": {"cidr": "10.0.0.0/24", "role": "private-endpoints"}})
    assert of(resources, "NatGateway") == of(resources, "PublicIPAddress") == {}


def test_an_existing_nat_gateway_is_used() -> None:
    resources = made(nat_gateway_id="/nat/1")
    assert of(resources, "NatGateway") == of(resources, "PublicIPAddress") == {}
    assert subnets(nat_gateway_id="/nat/1")["machines"]["natGateway"] == {"id": "/nat/1"}


def test_the_address_of_the_nat_gateway_is_in_all_zones_where_there_are_zones() -> None:
    assert of(made(), "PublicIPAddress")["net-nat"]["zones"] == ["1", "2", "3"]
    assert of(made(zones=["2"]), "PublicIPAddress")["net-nat"]["zones"] == ["2"]
    assert "zones" not in of(made(location="West US"), "PublicIPAddress")["net-nat"]


def logged(**more: Any) -> dict[str, Mapping[str, Any]]:
    resources = made(workspace_id="/workspaces/logs", **more)
    return {item.name: item.inputs for item in resources if item.type.endswith(":DiagnosticSetting")}


def test_groups_and_the_nat_gateways_address_are_logged_where_there_is_a_workspace() -> None:
    assert [item for item in made() if item.type.endswith(":DiagnosticSetting")] == []
    found = logged()
    assert set(found) == {"net-logs-nat", *(f"net-{role}-logs" for role in ROLES)}
    assert {item["workspaceId"] for item in found.values()} == {"/workspaces/logs"}
    assert {item["category"] for item in found["net-services-logs"]["logs"] if item["enabled"]} == {
        "NetworkSecurityGroupEvent",
        "NetworkSecurityGroupRuleCounter",
    }
    assert "DDoSProtectionNotifications" in {item["category"] for item in found["net-logs-nat"]["logs"]}


def test_what_is_its_owners_is_not_logged() -> None:
    assert logged(subnets=only(security_group_id="/group/1"), nat_gateway_id="/nat/1") == {}


@pytest.mark.parametrize(
    ("attribute", "name"),
    [("group_diagnostics.services", "net-services-logs"), ("nat_diagnostics", "net-logs-nat")],
)
def test_what_is_logged_may_be_overridden(attribute: str, name: str) -> None:
    found = logged(overrides={attribute: {"logs": []}})
    assert [one for one, item in found.items() if item["logs"] == []] == [name]
    assert f"has no `{attribute}`" in refused(overrides={attribute: {}})[0]


def test_the_address_of_the_nat_gateway_is_in_the_networks_ddos_plan() -> None:
    address = of(made(), "PublicIPAddress")["net-nat"]
    assert address["ddosSettings"] == {"protectionMode": "VirtualNetworkInherited"}


def test_an_existing_security_group_is_used_instead() -> None:
    resources = made(subnets=only(security_group_id="/group/1"))
    assert of(resources, "NetworkSecurityGroup") == {}
    assert subnets(subnets=only(security_group_id="/group/1"))["own"]["networkSecurityGroup"] == {"id": "/group/1"}


def test_the_subnet_of_an_integrated_service_alone_is_delegated() -> None:
    delegated = {name: item["delegations"] for name, item in subnets().items() if "delegations" in item}
    assert [item["serviceName"] for item in delegated["integration"]] == ["Microsoft.Web/serverFarms"]
    assert set(delegated) == {"integration"}


def test_a_subnet_is_opened_to_another_by_its_name() -> None:
    group = of(made(**FULL), "NetworkSecurityGroup")["net-services"]
    rule = next(item for item in group["securityRules"] if item["name"] == "gateway-in")
    assert (rule["sourceAddressPrefix"], rule["destinationPortRange"]) == (ALL["internal"]["cidr"], "8080")
    assert rule["description"] == "the gateway"


def test_protection_is_by_a_plan_of_its_own_or_an_existing_one() -> None:
    own = made(ddos_protection=True)
    network = of(own, "VirtualNetwork")["net-network"]
    assert list(of(own, "DdosProtectionPlan")) == ["net-ddos"]
    assert network["enableDdosProtection"] is True
    assert "net-ddos" in network["ddosProtectionPlan"]["id"]
    existing = made(ddos_plan_id="/plan/1")
    assert of(existing, "DdosProtectionPlan") == {}
    assert of(existing, "VirtualNetwork")["net-network"]["ddosProtectionPlan"] == {"id": "/plan/1"}
    assert of(made(), "VirtualNetwork")["net-network"]["enableDdosProtection"] is False


def test_own_dns_servers_are_the_networks() -> None:
    network = of(made(dns_servers=["10.0.255.4"]), "VirtualNetwork")["net-network"]
    assert network["dhcpOptions"] == {"dnsServers": ["10.0.255.4"]}


def test_ids_of_subnets_are_by_name() -> None:
    ids: dict[str, str] = {}

    def program() -> None:
        for name, value in Network("net", args()).subnet_ids.items():
            value.apply(lambda found, name=name: ids.setdefault(name, found))

    recorded(program)
    assert set(ids) == set(ROLES)
    assert all(value.endswith(f"/subnets/{name}") for name, value in ids.items())


def test_a_subnet_added_before_another_changes_nothing_of_it() -> None:
    more = {"first": {"cidr": "10.0.9.0/24", "role": "machines"}, **only()}
    assert subnets(subnets=more)["own"] == subnets(subnets=only())["own"]


@pytest.mark.parametrize(
    ("attribute", "kind", "name"),
    [
        ("virtual_network", "VirtualNetwork", "net-network"),
        ("security_groups.internal", "NetworkSecurityGroup", "net-internal"),
        ("nat_gateway", "NatGateway", "net-nat"),
        ("nat_ip", "PublicIPAddress", "net-nat"),
        ("ddos_plan", "DdosProtectionPlan", "net-ddos"),
    ],
)
def test_a_raw_input_may_be_overridden(attribute: str, kind: str, name: str) -> None:
    resources = made(**FULL, overrides={attribute: {"tags": {"said": "by hand"}}})
    assert of(resources, kind)[name]["tags"] == {"said": "by hand"}


def test_an_override_of_what_is_not_made_is_refused() -> None:
    assert "has no `nat_ip`" in refused(nat_gateway_id="/nat/1", overrides={"nat_ip": {}})[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"subnets": {}}, "a network needs a subnet"),
        ({"cidr": None}, "`cidr` is missing"),
        ({"gateway": "internal"}, "a network has no `gateway`"),
        ({"subnets": {"own": {"cidr": "10.0.0.0/24"}}}, "subnet `own` needs `role`"),
        ({"subnets": only(open_to=[{"name": "a", "peer": "Internet"}])}, "subnet `own`, open_to `a` needs `ports`"),
        ({"subnets": only(open_to=[{"name": "a", "from": "Internet"}])}, "open_to `a` has no `from`"),
        ({"subnets": only(role="front")}, "there is no role `front`"),
        ({"subnets": only(cidr="10.1.0.0/24")}, "is not in the network's"),
        ({"subnets": only(role="integration", cidr="10.0.0.0/28")}, "too small for `integration`"),
        ({"subnets": {**only(), "more": {"cidr": "10.0.0.0/25", "role": "services"}}}, "overlap"),
        (
            {"subnets": only(security_group_id="/g", open_to=[{"name": "a", "peer": "Internet", "ports": ["1"]}])},
            "rules of an existing security group are its owner's",
        ),
        ({"ddos_protection": True, "ddos_plan_id": "/plan"}, "write one of `ddos_plan_id`"),
        ({"nat_gateway_id": "/nat", "zones": ["1"]}, "an existing gateway has its own"),
        ({"zones": ["4"]}, "zones are 4"),
        ({"location": "westus", "zones": ["1"]}, "westus has no zones"),
        ({"dns_servers": ["dns"]}, "`dns` is no address"),
    ],
)
def test_arguments_that_cannot_be_are_refused_before_anything_is_made(more: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in refused(**more))


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(subnets=only(role="front", cidr="10.1.0.0/24"), zones=["4"], dns_servers=["dns"])) == 4
