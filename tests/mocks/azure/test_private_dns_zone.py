"""Private DNS zones: names for balancers and services, networks that resolve them, and what is refused."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi
import pytest

from edgewright.azure.private_dns_zone import BLOCKED, SHARED, PrivateDnsZone, PrivateDnsZoneArgs
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate

FULL: dict[str, Any] = {
    "links": {"edge": {"virtual_network_id": "/networks/edge"}},
    "a_records": {"@": {"addresses": ["10.0.1.4"]}, "orders": {"addresses": ["10.0.1.5", "10.0.1.6"], "ttl": 60}},
    "cnames": {"shop": {"target": "orders.internal.shop.example"}},
    "tags": {"team": "edge"},
}


def args(**more: Any) -> PrivateDnsZoneArgs:
    given = {"resource_group_name": "edge", "zone_name": "internal.shop.example", **FULL, **more}
    return cast("PrivateDnsZoneArgs", {key: value for key, value in given.items() if value is not None})


def recorded(make: Callable[[], object], *, preview: bool = False) -> tuple[Resource, ...]:
    return record(make, project="edgewright", stack="test", preview=preview).resources


def made(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: PrivateDnsZone("dns", args(**more)))


def of(resources: tuple[Resource, ...], kind: str) -> dict[str, Mapping[str, Any]]:
    return {item.name: item.inputs for item in resources if item.type == f"azure-native:privatedns:{kind}"}


def refused(**more: Any) -> list[str]:
    with pytest.raises(ArgumentsError) as found:
        made(**more)
    return list(found.value.problems)


def test_all_that_it_makes_is_what_the_sdk_takes() -> None:
    resources = made()
    assert len([item for item in resources if item.custom]) == 5
    assert validate(resources) == []


def test_everything_stands_below_the_component() -> None:
    resources = made()
    part = next(item for item in resources if not item.custom)
    assert part.type == "edgewright:azure:PrivateDnsZone"
    assert {item.parent for item in resources if item.custom} == {part.urn}


def test_values_may_be_unknown_in_a_preview() -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        PrivateDnsZone(
            "dns",
            args(
                resource_group_name=other.id,
                zone_name=pulumi.Output.concat(other.id, ".azure-api.net"),
                links={"edge": {"virtual_network_id": other.id}},
                a_records={"@": {"addresses": [other.id]}},
                cnames={"portal": {"target": other.id}},
            ),
        )

    names = {item.name for item in recorded(program, preview=True) if item.custom}
    assert names == {"other", "dns-zone", "dns-link-edge", "dns-a-apex", "dns-cname-portal"}


def test_a_zone_has_its_name_and_is_nowhere_in_particular() -> None:
    zone = of(made(), "PrivateZone")["dns-zone"]
    assert (zone["privateZoneName"], zone["location"], zone["tags"]) == (
        "internal.shop.example",
        "global",
        {"team": "edge"},
    )


def test_links_and_records_come_after_the_zone() -> None:
    resources = made()
    zone = next(item for item in resources if item.type.endswith(":PrivateZone"))
    rest = [item for item in resources if item.custom and item is not zone]
    assert len(rest) == 4
    assert all(zone.urn in item.dependencies for item in rest)


def test_machines_are_not_registered_unless_asked_for() -> None:
    assert of(made(), "VirtualNetworkLink")["dns-link-edge"]["registrationEnabled"] is False
    asked = made(links={"edge": {"virtual_network_id": "/n", "registration": True}})
    assert of(asked, "VirtualNetworkLink")["dns-link-edge"]["registrationEnabled"] is True


def test_a_record_has_its_addresses_and_its_time_to_live() -> None:
    records = of(made(), "PrivateRecordSet")
    assert (records["dns-a-orders"]["recordType"], records["dns-a-orders"]["ttl"]) == ("A", 60)
    assert records["dns-a-orders"]["aRecords"] == [{"ipv4Address": "10.0.1.5"}, {"ipv4Address": "10.0.1.6"}]
    assert (records["dns-a-apex"]["relativeRecordSetName"], records["dns-a-apex"]["ttl"]) == ("@", 300)


def test_a_cname_has_its_target() -> None:
    cname = of(made(), "PrivateRecordSet")["dns-cname-shop"]
    assert cname["recordType"] == "CNAME"
    assert cname["cnameRecord"] == {"cname": "orders.internal.shop.example"}


def test_an_existing_zone_is_added_to() -> None:
    resources = made(existing=True)
    assert of(resources, "PrivateZone") == {}
    assert {item["privateZoneName"] for item in of(resources, "PrivateRecordSet").values()} == {"internal.shop.example"}


def test_full_names_are_known_by_record() -> None:
    hosts: dict[str, str] = {}

    def program() -> None:
        for name, host in PrivateDnsZone("dns", args()).hosts.items():
            host.apply(lambda found, name=name: hosts.setdefault(name, found))

    recorded(program)
    assert hosts == {
        "@": "internal.shop.example",
        "orders": "orders.internal.shop.example",
        "shop": "shop.internal.shop.example",
    }


@pytest.mark.parametrize(
    "zone", ["shop.azure-api.net", "privatelink.azure-api.net", "privatelink.blob.core.windows.net"]
)
def test_a_zone_of_one_service_or_of_private_endpoints_is_made(zone: str) -> None:
    assert of(made(zone_name=zone), "PrivateZone")["dns-zone"]["privateZoneName"] == zone


@pytest.mark.parametrize("zone", sorted(SHARED - BLOCKED))
def test_a_zone_that_would_hide_the_services_of_all_is_refused(zone: str) -> None:
    assert any("would hide them all" in problem for problem in refused(zone_name=zone))


@pytest.mark.parametrize("zone", ["windows.net", "Azure.com", "trafficmanager.net"])
def test_a_zone_that_azure_keeps_for_itself_is_refused(zone: str) -> None:
    assert any("Azure takes no zone of that name" in problem for problem in refused(zone_name=zone))


@pytest.mark.parametrize("zone", ["example", "shop.example.", "shop..example", "-a.example", "a b.example"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    assert any("is no zone" in problem for problem in refused(zone_name=zone))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"zone_name": None}, "`zone_name` is missing"),
        ({"zone": "a.example"}, "a private zone has no `zone`"),
        ({"links": {"edge": {}}}, "links `edge` needs `virtual_network_id`"),
        ({"links": {"edge": {"network": "/n"}}}, "links `edge` has no `network`"),
        (
            {"links": {"edge": {"virtual_network_id": "/n", "resolution_policy": "Other"}}},
            "there is no resolution_policy `Other`",
        ),
        (
            {"links": {"edge": {"virtual_network_id": "/n", "resolution_policy": "NxDomainRedirect"}}},
            "for zones that begin with `privatelink.`",
        ),
        ({"a_records": {"a": {"addresses": []}}}, "1 to 20 addresses, not 0"),
        ({"a_records": {"a": {"addresses": ["10.0.0.1", "10.0.0.1"]}}}, "an address is there twice"),
        ({"a_records": {"a": {"addresses": ["fd00::1"]}}}, "`fd00::1` is no IPv4 address"),
        ({"a_records": {"a": {"addresses": ["10.0.0.1"], "ttl": 0}}}, "a ttl is 1 to 2147483647"),
        ({"a_records": {"a b": {"addresses": ["10.0.0.1"]}}}, "`a b`: that is no name of a record"),
        ({"a_records": {"Shop": {"addresses": ["10.0.0.1"]}}}, "`Shop` and `shop` are one name"),
        ({"cnames": {"@": {"target": "a.example"}}, "a_records": {}}, "a zone itself has no other name"),
        ({"cnames": {"a": {"target": "http://a.example"}}}, "`http://a.example` is no host"),
        ({"existing": True, "links": {}, "a_records": {}, "cnames": {}}, "there is nothing to do"),
        ({"existing": True, "overrides": {"zone": {}}}, "overrides has no `zone`"),
        ({"overrides": {"nothing": {}}}, "overrides has no `nothing`; it has a_records.@"),
    ],
)
def test_arguments_that_cannot_be_are_refused_before_anything_is_made(more: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in refused(**more))


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(zone_name="azure-api.net", a_records={"a b": {"addresses": ["x"]}})) == 3


@pytest.mark.parametrize(
    ("attribute", "kind", "name", "change"),
    [
        ("zone", "PrivateZone", "dns-zone", {"tags": {"said": "by hand"}}),
        ("links.edge", "VirtualNetworkLink", "dns-link-edge", {"tags": {"said": "by hand"}}),
        ("a_records.@", "PrivateRecordSet", "dns-a-apex", {"ttl": 5}),
        ("cnames.shop", "PrivateRecordSet", "dns-cname-shop", {"ttl": 5}),
    ],
)
def test_a_raw_input_may_be_overridden(attribute: str, kind: str, name: str, change: dict[str, Any]) -> None:
    key, value = next(iter(change.items()))
    assert of(made(overrides={attribute: change}), kind)[name][key] == value
