"""A service of API Management: what each tier takes, and what is off unless somebody turns it on."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

import arm_bodies
from azure_parts import GROUP, SECRET_ID, named, of, only, recorded, refusal
from edgewright.azure.api_management import ApiManagement, ApiManagementArgs
from edgewright.azure.api_management_args import MASKED
from edgewright.azure.tiers import BY_NAME
from edgewright.plan.model import Resource
from edgewright.plan.sdk_types import validate

ENDPOINT = {
    "subnet_id": f"{GROUP}/subnets/endpoints",
    "private_dns_zone_id": f"{GROUP}/privateDnsZones/privatelink.azure-api.net",
}
HOST = {"host": "api.shop.example", "key_vault_secret_id": SECRET_ID, "identity_client_id": "client"}
OTHER_HOST = {**HOST, "host": "www.shop.example"}
INSIGHTS = {"id": f"{GROUP}/insights", "connection_string": "InstrumentationKey=1;IngestionEndpoint=https://i.example"}
AUTHORITY = {"store": "Root", "certificate": "MIIB"}
ELSEWHERE = {"location": "northeurope"}
INSIDE = {"network": "internal", "subnet_id": f"{GROUP}/subnets/gateway"}


def args(tier: str = "Premium", **more: Any) -> ApiManagementArgs:
    given = {
        "resource_group_name": "edge",
        "location": "westeurope",
        "publisher_name": "Edge",
        "publisher_email": "edge@shop.example",
        "tier": tier,
        **more,
    }
    return cast("ApiManagementArgs", given)


def made(tier: str = "Premium", **more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: ApiManagement("it", args(tier, **more)))


def service(tier: str = "Premium", **more: Any) -> Mapping[str, Any]:
    return only(made(tier, **more), "apimanagement:ApiManagementService")


def refused(tier: str = "Premium", **more: Any) -> tuple[str, ...]:
    return refusal(lambda: ApiManagement("it", args(tier, **more)))


# -- tiers and networks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", BY_NAME)
def test_every_tier_is_a_request_that_azure_would_read(tier: str) -> None:
    resources = made(tier)
    assert only(resources, "apimanagement:ApiManagementService")["sku"]["name"] == tier
    assert validate(resources) == []
    assert arm_bodies.problems(resources) == []


WAYS = [
    ("Developer", "external", "External"),
    ("Developer", "internal", "Internal"),
    ("Premium", "external", "External"),
    ("Premium", "internal", "Internal"),
    ("StandardV2", "integration", "External"),
]


@pytest.mark.parametrize(("tier", "network", "said"), WAYS)
def test_a_service_stands_in_its_subnet(tier: str, network: str, said: str) -> None:
    inputs = service(tier, network=network, subnet_id="the-subnet")
    assert inputs["virtualNetworkType"] == said
    assert inputs["virtualNetworkConfiguration"] == {"subnetResourceId": "the-subnet"}


@pytest.mark.parametrize("tier", BY_NAME)
def test_a_service_is_in_no_other_network(tier: str) -> None:
    possible = {network for name, network, _ in WAYS if name == tier}
    for network in {"external", "internal", "integration"} - possible:
        assert "network" in refused(tier, network=network, subnet_id="the-subnet")[0]


def test_consumption_has_no_units_and_no_custom_properties() -> None:
    inputs = service("Consumption", capacity=2)
    assert inputs["sku"]["capacity"] == 0
    assert "customProperties" not in inputs


def test_consumption_asks_all_clients_for_certificates_by_a_property_of_its_own() -> None:
    assert service("Consumption", enable_client_certificate=True)["enableClientCertificate"] is True
    assert service("Premium")["enableClientCertificate"] is False
    assert "Consumption only" in refused("Premium", enable_client_certificate=True)[0]


@pytest.mark.parametrize("tier", ["Developer", "Basic", "Standard", "Premium"])
def test_weak_protocols_and_ciphers_are_off(tier: str) -> None:
    found = service(tier)["customProperties"]
    off = {name.rpartition(".")[2] for name, value in found.items() if value == "False"}
    assert {"Ssl30", "Tls10", "Tls11", "TripleDes168", "TLS_RSA_WITH_AES_128_CBC_SHA"} <= off
    assert {name.rpartition(".")[2] for name, value in found.items() if value == "True"} == {"Http2"}


def test_a_public_address_of_ours_belongs_to_a_service_in_a_network() -> None:
    assert service(**INSIDE, public_ip_address_id="the-address")["publicIpAddressId"] == "the-address"
    assert "a public address of ours" in refused(public_ip_address_id="the-address")[0]


# -- private endpoints -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["Developer", "Basic", "Standard", "Premium", "StandardV2"])
def test_a_private_endpoint_leads_to_the_gateway_and_has_its_names_in_the_zone(tier: str) -> None:
    resources = made(tier, private_endpoint=ENDPOINT)
    endpoint = only(resources, "network:PrivateEndpoint")
    (connection,) = endpoint["privateLinkServiceConnections"]
    assert connection["groupIds"] == ["Gateway"]
    assert connection["privateLinkServiceId"] == "${apimanagement.ApiManagementService it-service.id}"
    assert endpoint["subnet"] == {"id": ENDPOINT["subnet_id"]}
    names = only(resources, "network:PrivateDnsZoneGroup")
    assert names["privateDnsZoneConfigs"][0]["privateDnsZoneId"] == ENDPOINT["private_dns_zone_id"]


def test_names_may_be_kept_elsewhere_when_that_is_said() -> None:
    resources = made(private_endpoint={**ENDPOINT, "private_dns_zone_id": None})
    assert of(resources, "network:PrivateEndpoint")
    assert not of(resources, "network:PrivateDnsZoneGroup")


def test_an_endpoint_may_stand_beside_integration() -> None:
    resources = made("StandardV2", private_endpoint=ENDPOINT, network="integration", subnet_id="s")
    assert of(resources, "network:PrivateEndpoint")


@pytest.mark.parametrize("tier", ["Consumption", "BasicV2"])
def test_tiers_without_private_endpoints_refuse_one(tier: str) -> None:
    assert f"the tier {tier} has no private endpoints" in refused(tier, private_endpoint=ENDPOINT)[0]


def test_a_public_way_in_stays_unless_it_is_closed() -> None:
    assert service(private_endpoint=ENDPOINT)["publicNetworkAccess"] == "Enabled"


def test_closing_the_public_way_needs_an_endpoint_that_is_there_already() -> None:
    said = refused(private_endpoint=ENDPOINT, public_network_access="Disabled")
    assert len(said) == 1
    assert "first deploy it Enabled" in said[0]
    inputs = service(private_endpoint=ENDPOINT, public_network_access="Disabled", existing_private_endpoint=True)
    assert inputs["publicNetworkAccess"] == "Disabled"


# -- regions and zones -------------------------------------------------------------------------------------------------


def test_further_regions_have_units_zones_and_networks_of_their_own() -> None:
    more = [
        {**ELSEWHERE, "capacity": 3, "zones": ["1", "2", "3"], "subnet_id": "other", "public_ip_address_id": "address"}
    ]
    inputs = service(**INSIDE, additional_locations=more, disable_gateway=True)
    assert inputs["disableGateway"] is True
    assert inputs["additionalLocations"] == [
        {
            "location": "northeurope",
            "sku": {"name": "Premium", "capacity": 3},
            "disableGateway": False,
            "zones": ["1", "2", "3"],
            "virtualNetworkConfiguration": {"subnetResourceId": "other"},
            "publicIpAddressId": "address",
        }
    ]


# -- people ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", [name for name in BY_NAME if name != "Consumption"])
def test_there_is_no_developer_portal_unless_somebody_wants_one(tier: str) -> None:
    assert service(tier)["developerPortalStatus"] == "Disabled"
    assert service(tier, developer_portal=True)["developerPortalStatus"] == "Enabled"


@pytest.mark.parametrize("tier", [name for name in BY_NAME if name != "Consumption"])
def test_old_versions_of_the_control_plane_are_refused(tier: str) -> None:
    assert service(tier)["apiVersionConstraint"] == {"minApiVersion": "2021-08-01"}


def test_consumption_is_told_nothing_of_either() -> None:
    assert "apiVersionConstraint" not in service("Consumption")
    # What the provider writes where nothing is said.
    assert service("Consumption")["developerPortalStatus"] == "Enabled"


# -- hosts and certificates --------------------------------------------------------------------------------------------


def test_the_first_host_of_the_gateway_is_the_default_and_no_client_is_asked_for_a_certificate() -> None:
    portal = {**HOST, "host": "portal.shop.example", "endpoint": "DeveloperPortal"}
    inputs = service(hosts=[portal, HOST, OTHER_HOST], identities=["an-identity"], developer_portal=True)
    found = {item["hostName"]: item for item in inputs["hostnameConfigurations"]}
    assert [name for name, item in found.items() if item["defaultSslBinding"]] == ["api.shop.example"]
    assert found["portal.shop.example"]["type"] == "DeveloperPortal"
    assert not any(item["negotiateClientCertificate"] for item in found.values())
    assert {item["certificateSource"] for item in found.values()} == {"KeyVault"}


def test_a_host_may_ask_clients_for_a_certificate() -> None:
    inputs = service(hosts=[{**HOST, "negotiate_client_certificate": True}], identities=["an-identity"])
    assert inputs["hostnameConfigurations"][0]["negotiateClientCertificate"] is True


def test_only_developer_and_premium_have_several_hosts_of_the_gateway() -> None:
    for tier in BY_NAME:
        if tier in ("Developer", "Premium"):
            assert len(service(tier, hosts=[HOST, OTHER_HOST], identities=["i"])["hostnameConfigurations"]) == 2
        else:
            assert (
                "has one host name of the gateway, not 2"
                in refused(tier, hosts=[HOST, OTHER_HOST], identities=["i"])[0]
            )


def test_a_service_has_its_own_identity_beside_those_that_are_given() -> None:
    assert service()["identity"] == {"type": "SystemAssigned"}
    both = service(identities=["an-identity"])["identity"]
    assert both == {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"an-identity": {}}}


def test_authorities_are_trusted_without_keys() -> None:
    inputs = service("Standard", certificate_authorities=[AUTHORITY])
    assert inputs["certificates"] == [{"storeName": "Root", "encodedCertificate": "MIIB"}]


# -- logs --------------------------------------------------------------------------------------------------------------


def test_nothing_is_logged_that_was_not_asked_for() -> None:
    assert [item.type for item in made() if item.custom] == ["azure-native:apimanagement:ApiManagementService"]


def test_telemetry_is_written_by_the_services_own_identity_which_may_do_nothing_else() -> None:
    resources = made(application_insights=INSIGHTS)
    credentials = only(resources, "apimanagement:Logger")["credentials"]
    assert credentials["identityClientId"] == "SystemAssigned"
    role = only(resources, "authorization:RoleAssignment")
    assert role["scope"] == INSIGHTS["id"]
    assert role["roleDefinitionId"].startswith("/subscriptions/00000000-0000-0000-0000-000000000000/providers/")
    assert role["roleDefinitionId"].endswith("3913510d-42f4-4e42-8a64-420c390055eb")
    assert role["principalType"] == "ServicePrincipal"


def test_a_logger_waits_for_the_right_to_write() -> None:
    resources = made(application_insights=INSIGHTS)
    role = named(resources, "it-insights-access", "authorization:RoleAssignment")
    assert role.urn in named(resources, "it-insights-logger", "apimanagement:Logger").dependencies


def test_an_identity_that_is_given_needs_no_role_of_ours() -> None:
    resources = made(application_insights={**INSIGHTS, "identity_client_id": "client"}, identities=["i"])
    assert only(resources, "apimanagement:Logger")["credentials"]["identityClientId"] == "client"
    assert not of(resources, "authorization:RoleAssignment")


def test_a_key_is_a_named_value_that_the_logger_only_names() -> None:
    resources = made(application_insights={"id": INSIGHTS["id"], "instrumentation_key": "the key"})
    value = only(resources, "apimanagement:NamedValue")
    assert (value["secret"], value["value"]) == (False, "the key")
    assert only(resources, "apimanagement:Logger")["credentials"] == {
        "instrumentationKey": "{{application-insights-key}}"
    }
    assert arm_bodies.problems(resources) == []


def test_bodies_headers_queries_and_addresses_are_not_logged() -> None:
    found = only(made(application_insights=INSIGHTS), "apimanagement:Diagnostic")
    assert found["diagnosticId"] == "applicationinsights"
    assert found["logClientIp"] is False
    for side in ("frontend", "backend"):
        for message in (found[side]["request"], found[side]["response"]):
            assert message["headers"] == []
            assert message["body"] == {"bytes": 0}
            assert message["dataMasking"]["queryParams"] == [{"value": "*", "mode": "Hide"}]


def test_secrets_are_hidden_also_where_headers_are_logged() -> None:
    wanted = {**INSIGHTS, "headers": ["Authorization", "Accept"], "sampling": 5, "body_bytes": 100}
    found = only(made(application_insights=wanted), "apimanagement:Diagnostic")
    message = found["frontend"]["request"]
    assert message["headers"] == ["Authorization", "Accept"]
    assert message["body"] == {"bytes": 100}
    assert {item["value"] for item in message["dataMasking"]["headers"]} == set(MASKED)
    assert found["sampling"] == {"samplingType": "fixed", "percentage": 5}
    assert found["alwaysLog"] == "allErrors"


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, Mapping[str, Any], str]] = [
    ("Gold", {}, "there is no tier `Gold`"),
    ("Premium", {"service_name": "1shop"}, "`1shop` is no name of a service"),
    ("Premium", {"publisher_name": "x" * 101}, "`publisher_name` has 101 characters"),
    ("Premium", {"network": "front", "subnet_id": "s"}, "there is no network `front`"),
    ("Premium", {"network": "internal"}, "needs a subnet"),
    ("Premium", {**INSIDE, "private_endpoint": ENDPOINT}, "has no private endpoints; leave it out"),
    ("Developer", {**INSIDE, "existing_private_endpoint": True}, "has no private endpoints; leave it out"),
    ("Premium", {"private_endpoint": {"subnet_id": "s"}}, "needs `private_dns_zone_id`"),
    ("Premium", {"private_endpoint": {"private_dns_zone_id": None}}, "needs `subnet_id`"),
    (
        "Premium",
        {"private_endpoint": {**ENDPOINT, "private_dns_zone_id": "/zones/azure-api.net"}},
        "the zone's name must be `privatelink.azure-api.net`",
    ),
    ("Premium", {"public_network_access": "Off"}, "Enabled or Disabled, not `Off`"),
    ("Premium", {"capacity": 32}, "1 to 31 units, not 32"),
    ("Developer", {"capacity": 2}, "1 to 1 units, not 2"),
    ("StandardV2", {"zones": ["1"]}, "the tier StandardV2 has no zones"),
    ("Premium", {"zones": ["1", "2"]}, "2 zones and 1 units"),
    ("Premium", {"zones": ["4"]}, "there are 1, 2 and 3"),
    ("Standard", {"additional_locations": [ELSEWHERE]}, "Premium has additional locations"),
    ("Premium", {"additional_locations": [{"location": "West Europe"}]}, "the region westeurope is there twice"),
    ("Premium", {"additional_locations": [{"capacity": 2}]}, "additional location 1 needs `location`"),
    ("Premium", {**INSIDE, "additional_locations": [ELSEWHERE]}, "all regions of a service in a network"),
    ("Premium", {"additional_locations": [{**ELSEWHERE, "zones": ["1", "2"]}]}, "2 zones and 1 units"),
    ("Premium", {"additional_locations": [{**ELSEWHERE, "public_ip_address_id": "a"}]}, "for a service in a network"),
    ("Premium", {"disable_gateway": True}, "would leave no gateway"),
    (
        "Premium",
        {"disable_gateway": True, "additional_locations": [{**ELSEWHERE, "disable_gateway": True}]},
        "said of all regions",
    ),
    ("Premium", {"hosts": [HOST]}, "name it in `identities`"),
    ("Premium", {"hosts": [HOST, HOST], "identities": ["i"]}, "`api.shop.example` is there twice"),
    ("Premium", {"hosts": [{**HOST, "host": "api"}], "identities": ["i"]}, "`api` is no name of a host"),
    ("Premium", {"hosts": [{**HOST, "endpoint": "Admin"}], "identities": ["i"]}, "there is no endpoint `Admin`"),
    ("BasicV2", {"hosts": [{**HOST, "endpoint": "Scm"}], "identities": ["i"]}, "takes no host name for Scm"),
    (
        "Premium",
        {"hosts": [{**HOST, "key_vault_secret_id": f"{SECRET_ID}/0123"}], "identities": ["i"]},
        "leave the version out",
    ),
    ("Premium", {"hosts": [{**HOST, "key_vault_secret_id": "here"}], "identities": ["i"]}, "it is like https://VAULT"),
    ("Consumption", {"hosts": [{**HOST, "host": "*.shop.example"}], "identities": ["i"]}, "takes no wildcard"),
    (
        "Consumption",
        {"hosts": [{**HOST, "negotiate_client_certificate": True}], "identities": ["i"]},
        "say `enable_client_certificate`",
    ),
    ("Consumption", {"developer_portal": True}, "the tier Consumption has none"),
    (
        "Premium",
        {"hosts": [{**HOST, "endpoint": "DeveloperPortal"}], "identities": ["i"]},
        "a host for DeveloperPortal needs `developer_portal`",
    ),
    ("StandardV2", {"certificate_authorities": [AUTHORITY]}, "classic tiers do"),
    ("Premium", {"certificate_authorities": [AUTHORITY] * 11}, "10 certificate authorities at most, not 11"),
    ("Premium", {"certificate_authorities": [{**AUTHORITY, "store": "My"}]}, "there is no store `My`"),
    ("Premium", {"certificate_authorities": [{**AUTHORITY, "certificate": "-----BEGIN"}]}, "not in base64"),
    ("Consumption", {"workspace_id": "w"}, "has no logs of requests"),
    ("Premium", {"application_insights": {"id": "i"}}, "has one of `connection_string` and `instrumentation_key`"),
    ("Premium", {"application_insights": {"connection_string": "c"}}, "application_insights needs `id`"),
    (
        "Premium",
        {"application_insights": {"id": "i", "instrumentation_key": "k", "identity_client_id": "c"}},
        "has an identity with `connection_string`",
    ),
    ("Premium", {"application_insights": {**INSIGHTS, "sampling": 101}}, "0 to 100 percent"),
    ("Premium", {"application_insights": {**INSIGHTS, "body_bytes": 9000}}, "0 to 8192"),
]


@pytest.mark.parametrize(("tier", "more", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_what_cannot_be_is_refused_before_anything_is_made(tier: str, more: Mapping[str, Any], said: str) -> None:
    assert [problem for problem in refused(tier, **more) if said in problem]


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(service_name="1", capacity=40, hosts=[HOST])) == 3
