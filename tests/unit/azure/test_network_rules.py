"""Rules of security groups: what each role opens, why, and what it leaves closed; ranges of networks."""

import re
from typing import Any

import pytest

from edgewright.azure.network_rules import (
    ROLES,
    Opening,
    cidr_problems,
    dns_problems,
    existing_subnet_problems,
    range_problems,
    reaches_out,
    rules_of,
    slots,
    subnet_problems,
)

SUBNETS = {"own": "10.0.0.0/24", "front": "10.0.1.0/24"}


def rules(role: str, direction: str, **more: Any) -> list[dict[str, Any]]:
    found = rules_of(ROLES[role], SUBNETS["own"], subnets=SUBNETS, **more)
    return sorted((item for item in found if item["direction"] == direction), key=lambda item: item["priority"])


def opened(role: str, direction: str, **more: Any) -> set[tuple[str, str, str, str]]:
    """The other end, ours, the protocol and the ports, of what is let through."""
    far, near = ("source", "destination") if direction == "Inbound" else ("destination", "source")
    return {
        (
            str(item.get(f"{far}_address_prefix") or item.get(f"{far}_address_prefixes")),
            item[f"{near}_address_prefix"],
            item["protocol"],
            item.get("destination_port_range") or ",".join(item["destination_port_ranges"]),
        )
        for item in rules(role, direction, **more)
        if item["access"] == "Allow"
    }


def problems(role: str, **more: Any) -> list[str]:
    return list(subnet_problems("own", role, SUBNETS["own"], subnets=SUBNETS, **more))


@pytest.mark.parametrize("role", ROLES)
def test_each_rule_has_its_reason_and_its_source(role: str) -> None:
    assert all(item.why and item.source for item in ROLES[role].rules)
    assert all(len(item.why) <= 140 for item in ROLES[role].rules)


@pytest.mark.parametrize("role", ROLES)
def test_names_and_priorities_of_a_group_are_there_once(role: str) -> None:
    more = [Opening("more", "front", ("1",)), Opening("most", "AzureMonitor", ("2", "3"))]
    found = rules_of(ROLES[role], "10.0.0.0/24", open_to=more, reaches=more, subnets=SUBNETS, dns_servers=["10.0.0.4"])
    assert len({item["name"] for item in found}) == len(found)
    assert len({(item["direction"], item["priority"]) for item in found}) == len(found)


@pytest.mark.parametrize("role", ROLES)
def test_what_comes_in_and_is_not_listed_is_denied_at_last(role: str) -> None:
    last = rules(role, "Inbound")[-1]
    assert (last["access"], last["source_address_prefix"], last["protocol"], last["priority"]) == (
        "Deny",
        "*",
        "*",
        4096,
    )


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"application-gateway", "services"}))
def test_what_goes_out_and_is_not_listed_is_denied_at_last(role: str) -> None:
    last = rules(role, "Outbound")[-1]
    assert (last["access"], last["destination_address_prefix"], last["priority"]) == ("Deny", "*", 4096)


def test_nothing_that_leaves_an_application_gateway_is_limited() -> None:
    assert rules("application-gateway", "Outbound", dns_servers=["10.0.0.4"]) == []
    assert "Azure takes no limits" in problems("application-gateway", reaches=[Opening("a", "Internet", ("443",))])[0]


def test_an_application_gateway_is_managed_and_reached_by_clients() -> None:
    assert opened("application-gateway", "Inbound") == {
        ("Internet", "10.0.0.0/24", "Tcp", "443"),
        ("GatewayManager", "*", "Tcp", "65200-65535"),
        ("AzureLoadBalancer", "*", "*", "*"),
    }


def test_services_reach_everything_but_management_of_the_network_until_it_is_said_what() -> None:
    (denied,) = rules("services", "Outbound")
    assert denied["access"] == "Deny"
    assert (denied["protocol"], denied["destination_address_prefix"]) == ("Tcp", "VirtualNetwork")
    assert denied["destination_port_ranges"] == ["22", "3389"]
    listed = rules("services", "Outbound", reaches=[Opening("store", "Storage", ("443",))])
    assert [item["access"] for item in listed] == ["Allow", "Deny"]


def test_services_are_reached_as_opened_and_by_probes_on_the_same_ports() -> None:
    assert opened("services", "Inbound") == set()
    found = opened("services", "Inbound", open_to=[Opening("front", "front", ("8080", "9000"))])
    assert found == {
        ("10.0.1.0/24", "10.0.0.0/24", "Tcp", "8080,9000"),
        ("AzureLoadBalancer", "10.0.0.0/24", "Tcp", "8080,9000"),
    }


def test_an_internal_service_is_reached_by_no_client_but_those_named() -> None:
    closed = opened("internal", "Inbound")
    assert closed == opened("external", "Inbound") - {("Internet", "VirtualNetwork", "Tcp", "443")}
    assert not any(far == "Internet" for far, *_ in closed)
    front = opened("internal", "Inbound", open_to=[Opening("front", "front", ("443",))])
    assert front - closed == {("10.0.1.0/24", "VirtualNetwork", "Tcp", "443")}


def test_instances_of_a_classic_service_share_cache_and_counters_both_ways() -> None:
    shared = {
        ("VirtualNetwork", "VirtualNetwork", "Tcp", "6381-6383"),
        ("VirtualNetwork", "VirtualNetwork", "Udp", "4290"),
    }
    assert shared <= opened("internal", "Inbound")
    assert shared <= opened("internal", "Outbound")


def test_a_classic_service_reaches_what_its_reference_lists() -> None:
    assert {(far, ports) for far, _, protocol, ports in opened("external", "Outbound") if protocol == "Tcp"} == {
        ("Storage", "443"),
        ("Sql", "1433"),
        ("AzureKeyVault", "443"),
        ("AzureMonitor", "1886,443"),
        ("Internet", "80"),
        ("Internet", "443"),
        ("AzureCloud", "12000"),
        ("VirtualNetwork", "6381-6383"),
    }


def test_machines_take_clients_and_probes_and_share_counters_among_themselves() -> None:
    assert opened("machines", "Inbound") == {
        ("Internet", "10.0.0.0/24", "Tcp", "8081"),
        ("AzureLoadBalancer", "10.0.0.0/24", "Tcp", "8080"),
        ("10.0.0.0/24", "10.0.0.0/24", "Udp", "4290,4291"),
    }


def test_machines_reach_their_service_their_image_and_their_packages() -> None:
    assert {(far, ports) for far, _, _, ports in opened("machines", "Outbound")} == {
        ("10.0.0.0/24", "4290,4291"),
        ("ApiManagement", "443"),
        ("AzureKeyVault", "443"),
        ("AzureActiveDirectory", "443"),
        ("Storage", "443"),
        ("MicrosoftContainerRegistry", "443"),
        ("AzureFrontDoor.FirstParty", "443"),
        ("AzureMonitor", "443"),
        ("Internet", "80,443"),
    }


def test_nodes_of_kubernetes_are_open_to_nobody_else_by_default() -> None:
    assert opened("kubernetes", "Inbound") == {
        ("AzureLoadBalancer", "*", "*", "*"),
        ("10.0.0.0/24", "10.0.0.0/24", "*", "*"),
    }


def test_a_service_of_kubernetes_is_opened_by_the_address_that_clients_see() -> None:
    web = Opening("web", "Internet", ("80", "443"))
    found = opened("kubernetes", "Inbound", open_to=[web]) - opened("kubernetes", "Inbound")
    assert found == {("Internet", "*", "Tcp", "80,443")}


def test_nodes_reach_the_control_plane_and_https() -> None:
    assert opened("kubernetes", "Outbound") == {
        ("10.0.0.0/24", "10.0.0.0/24", "*", "*"),
        ("AzureCloud", "10.0.0.0/24", "Udp", "1194"),
        ("AzureCloud", "10.0.0.0/24", "Tcp", "9000"),
        ("Internet", "10.0.0.0/24", "Tcp", "443"),
        ("Internet", "10.0.0.0/24", "Tcp", "80"),
        ("Internet", "10.0.0.0/24", "Udp", "123"),
    }


def test_pods_of_an_overlay_reach_one_another_and_are_reached_by_nodes() -> None:
    for direction in ("Inbound", "Outbound"):
        more = opened("kubernetes", direction, pods="10.244.0.0/16") - opened("kubernetes", direction)
        assert ("10.244.0.0/16", "10.244.0.0/16", "*", "*") in more
        assert len(more) == 2


def test_private_endpoints_are_reached_by_the_subnets_named_and_begin_nothing() -> None:
    assert opened("private-endpoints", "Inbound") == set()
    named = opened("private-endpoints", "Inbound", open_to=[Opening("front", "front", ("443",))])
    assert named == {("10.0.1.0/24", "10.0.0.0/24", "Tcp", "443")}
    assert opened("private-endpoints", "Outbound", dns_servers=["10.0.0.4"]) == set()
    assert "begin no connections" in problems("private-endpoints", reaches=[Opening("a", "Internet", ("443",))])[0]


def test_own_dns_servers_are_reached_where_the_ways_out_are_listed() -> None:
    found = rules("machines", "Outbound", dns_servers=["10.1.0.4", "10.1.0.5"])
    dns = [item for item in found if item["name"].startswith("dns")]
    assert [(item["protocol"], item["destination_port_range"]) for item in dns] == [("Udp", "53"), ("Tcp", "53")]
    assert dns[0]["destination_address_prefixes"] == ["10.1.0.4/31"]
    assert opened("services", "Outbound", dns_servers=["10.1.0.4"]) == set()


@pytest.mark.parametrize(
    ("role", "peer", "needed"),
    [
        ("external", None, True),
        ("integration", None, True),
        ("machines", None, True),
        ("kubernetes", None, True),
        ("application-gateway", None, False),
        ("private-endpoints", None, False),
        ("services", None, True),
        ("services", "front", False),
        ("services", "VirtualNetwork", False),
        ("services", "192.168.0.0/24", False),
        ("services", "AzureMonitor", True),
        ("services", "203.0.113.0/24", True),
    ],
)
def test_a_way_out_of_the_network_is_needed_by_what_reaches_out_of_it(
    role: str, peer: str | None, needed: bool
) -> None:
    reaches = [Opening("more", peer, ("443",))] if peer else []
    assert reaches_out(ROLES[role], reaches, SUBNETS) is needed


def test_a_network_is_divided_into_slots_that_stay_where_they_are() -> None:
    assert slots("10.40.0.0/16")[:3] == ("10.40.0.0/24", "10.40.1.0/24", "10.40.2.0/24")
    assert slots("10.40.0.0/16", 2) == ("10.40.0.0/24", "10.40.1.0/24")
    assert len(slots("10.40.0.0/22")) == 4


@pytest.mark.parametrize("cidr", ["10.0.0.0/23", "198.51.100.0/22", "10.0.0.1/16", "network"])
def test_a_network_that_slots_cannot_divide_is_refused(cidr: str) -> None:
    assert len(list(cidr_problems(cidr))) == 1


def test_ranges_may_stand_in_any_order() -> None:
    assert list(range_problems("10.0.0.0/16", {"b": "10.0.9.0/24", "a": "10.0.0.0/24"})) == []


@pytest.mark.parametrize(
    ("cidr", "subnets", "said"),
    [
        ("10.0.0.0/16", {"a": "10.1.0.0/24"}, "subnet `a`: 10.1.0.0/24 is not in the network's 10.0.0.0/16"),
        ("10.0.0.0/16", {"a": "10.0.0.0/23", "b": "10.0.1.0/24"}, "subnets `a` and `b` overlap"),
        ("10.0.0.0/16", {"a": "10.0.0.1/24"}, "`10.0.0.1/24` is no range"),
        ("8.8.8.0/24", {}, "a private range of /29 or larger"),
        ("10.0.0.0/30", {}, "a private range of /29 or larger"),
    ],
)
def test_ranges_that_cannot_be_are_refused(cidr: str, subnets: dict[str, str], said: str) -> None:
    found = list(range_problems(cidr, subnets))
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        (Opening("a", "font", ("443",)), "`font` is no range, no service tag .* subnets are own, front"),
        (Opening("a", "*", ("443",)), "`\\*` is everything; say which"),
        (Opening("a", "0.0.0.0/0", ("443",)), "is everything"),
        (Opening("a", "front", ()), "no ports"),
        (Opening("a", "front", ("70000",)), "`70000` is no port"),
        (Opening("a", "front", ("9-8",)), "`9-8` is no port"),
        (Opening("a", "front", ("443",), "tcp"), "there is no protocol `tcp`"),
        (Opening("a b", "front", ("443",)), "`a b`: that is no name"),
        (Opening("clients", "front", ("443",)), "there is another rule of that name"),
        (Opening("a", "front", ("443",), why="w" * 141), "141 characters; Azure takes 140"),
    ],
)
def test_an_opening_that_cannot_be_is_refused(opening: Opening, said: str) -> None:
    found = problems("machines", open_to=[opening])
    assert len(found) == 1
    assert re.search(said, found[0])


def test_two_openings_of_one_name_are_refused() -> None:
    twice = [Opening("a", "front", ("1",)), Opening("A", "front", ("2",))]
    assert "another rule of that name" in problems("services", open_to=twice)[0]


def test_what_comes_in_by_an_integrated_subnet_cannot_be_opened() -> None:
    assert "nothing comes in" in problems("integration", open_to=[Opening("a", "front", ("443",))])[0]


def test_pods_belong_to_kubernetes() -> None:
    assert "`pods` is for kubernetes" in problems("services", pods="10.244.0.0/16")[0]


@pytest.mark.parametrize(("role", "smallest"), [(name, role.smallest) for name, role in ROLES.items()])
def test_a_subnet_has_room_for_what_stands_in_it(role: str, smallest: int) -> None:
    fits, small = f"10.0.0.0/{smallest}", f"10.0.0.0/{smallest + 1}"
    assert list(subnet_problems("own", role, fits, subnets={"own": fits})) == []
    assert f"too small for `{role}`" in next(subnet_problems("own", role, small, subnets={"own": small}))


@pytest.mark.parametrize(
    ("role", "cidr", "delegation", "said"),
    [
        ("integration", "10.0.0.0/27", "none", "delegated to nobody; for `integration` .* Microsoft.Web/serverFarms"),
        ("integration", "10.0.0.0/28", "Microsoft.Web/serverFarms", "too small .* needs /27"),
        ("internal", "10.0.0.0/29", "Microsoft.Web/serverFarms", "for `internal` it should be delegated to nobody"),
        ("front", None, None, "there is no role `front`"),
    ],
)
def test_an_existing_subnet_that_does_not_fit_is_said_so(
    role: str, cidr: str | None, delegation: str | None, said: str
) -> None:
    found = existing_subnet_problems(role, cidr=cidr, delegation=delegation)
    assert len(found) == 1
    assert re.search(said, found[0])


def test_an_existing_subnet_that_fits_has_no_problem() -> None:
    assert existing_subnet_problems("integration", cidr="10.0.0.0/24", delegation="microsoft.web/serverfarms") == []
    assert existing_subnet_problems("external", cidr="10.0.0.0/29", delegation="none") == []


@pytest.mark.parametrize("role", ["external", "integration"])
def test_of_an_existing_subnet_what_is_not_said_is_not_asked(role: str) -> None:
    assert existing_subnet_problems(role, cidr=None, delegation=None) == []


def test_a_dns_server_is_an_address() -> None:
    assert list(dns_problems(["10.0.0.4"])) == []
    assert "`dns` is no address" in next(dns_problems(["dns"]))
