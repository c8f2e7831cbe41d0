"""A Front Door before a private endpoint: what is made, in which phase, and what is refused."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi
import pytest

from edgewright.azure import front_door as module
from edgewright.azure.compile_waf import APPLICATION_GATEWAY, CLIENT_HEADER, FRONT_DOOR, compile_waf, standard
from edgewright.azure.front_door import (
    REQUEST_MESSAGE,
    FrontDoor,
    FrontDoorArgs,
    phase,
    public_network_access,
)
from edgewright.azure.network_regions import PRIVATE_LINK_LOCATIONS
from edgewright.clouds.part import ArgumentsError
from edgewright.edge.model import Origin, Waf
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate
from edgewright.spec.problems import NOWHERE

GROUP = "/subscriptions/sub/resourceGroups/edge/providers"
SERVICE = f"{GROUP}/Microsoft.ApiManagement/service/shop"
SECRET = f"{GROUP}/Microsoft.KeyVault/vaults/shop-vault/secrets/api"
NAME = "d7017edf-8819-4f84-a113-8c851cfe7805"
DOMAINS: Mapping[str, Mapping[str, Any]] = {
    "api": {"host": "api.shop.example"},
    "own": {"host": "api.shop.test", "certificate_secret_id": SECRET, "dns_zone_id": "/subscriptions/sub/zone"},
}
FULL: dict[str, Any] = {
    "domains": DOMAINS,
    "identity_id": "/subscriptions/sub/identity",
    "workspace_id": "/subscriptions/sub/workspace",
}


def args(**more: Any) -> FrontDoorArgs:
    given = {
        "resource_group_name": "edge",
        "service_id": SERVICE,
        "service_host": "shop.azure-api.net",
        "private_link_location": "westeurope",
        **more,
    }
    return cast("FrontDoorArgs", {key: value for key, value in given.items() if value is not None})


def recorded(make: Callable[[], object], *, preview: bool = False) -> tuple[Resource, ...]:
    return record(make, project="edgewright", stack="test", preview=preview).resources


def made(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: FrontDoor("it", args(**more)))


def named(resources: tuple[Resource, ...]) -> dict[str, Mapping[str, Any]]:
    return {item.name: item.inputs for item in resources if item.custom}


def outputs(**more: Any) -> dict[str, Any]:
    """What a stack would show of it."""

    def program() -> None:
        found = FrontDoor("it", args(**more))
        for key in ("front_door_id", "host", "dns_records", "phase", "next_step", "client_header"):
            pulumi.export(key, getattr(found, key))

    return dict(record(program, project="edgewright", stack="test").outputs)


# -- what is made ------------------------------------------------------------------------------------------------------


def test_all_that_it_makes_is_what_the_sdk_takes() -> None:
    resources = made(**FULL)
    kinds = [item.type.rpartition(":")[2] for item in resources if item.custom]
    assert sorted(kinds) == [
        "AFDCustomDomain",
        "AFDCustomDomain",
        "AFDEndpoint",
        "AFDOrigin",
        "AFDOriginGroup",
        "DiagnosticSetting",
        "Policy",
        "Profile",
        "Route",
        "Rule",
        "RuleSet",
        "Secret",
        "SecurityPolicy",
    ]
    assert validate(resources) == []


def test_everything_is_below_the_component_and_protected() -> None:
    options = pulumi.ResourceOptions(protect=True)
    resources = recorded(lambda: FrontDoor("it", args(**FULL), options))
    component = next(item for item in resources if not item.custom)
    assert component.type == "edgewright:azure:FrontDoor"
    parts = [item for item in resources if item.custom]
    assert {item.parent for item in parts} == {component.urn}
    assert all(item.protect for item in parts)


@pytest.mark.parametrize("connection", [False, True])
def test_it_can_be_planned_with_nothing_known(connection: bool) -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None}).id
        known = ("resource_group_name", "service_id", "service_host", "private_link_location")
        unknown: dict[str, Any] = dict.fromkeys((*known, "identity_id", "workspace_id"), other)
        own = {**DOMAINS["own"], "certificate_secret_id": other, "dns_zone_id": other}
        unknown["domains"] = {**DOMAINS, "own": own}
        if connection:
            unknown["connection_name"] = other
        FrontDoor("it", args(**unknown))

    found = {item.urn for item in recorded(program, preview=True) if item.name != "other"}
    assert found == {item.urn for item in made(**FULL)}


def test_it_is_premium_and_everywhere() -> None:
    found = named(made())
    assert found["it-profile"]["sku"] == {"name": "Premium_AzureFrontDoor"}
    assert found["it-waf"]["sku"] == {"name": "Premium_AzureFrontDoor"}
    assert {found[name]["location"] for name in ("it-profile", "it-endpoint", "it-waf")} == {"Global"}


# -- the private origin ------------------------------------------------------------------------------------------------


def test_the_origin_is_reached_by_a_private_link_to_the_gateway_alone() -> None:
    found = named(made())
    origins = [inputs for inputs in found.values() if "sharedPrivateLinkResource" in inputs]
    assert origins == [found["it-origin"]]
    assert found["it-origin"]["sharedPrivateLinkResource"] == {
        "groupId": "Gateway",
        "privateLink": {"id": SERVICE},
        "privateLinkLocation": "westeurope",
        "requestMessage": REQUEST_MESSAGE,
    }


def test_the_origins_certificate_is_checked_for_the_host_that_is_asked() -> None:
    origin = named(made())["it-origin"]
    assert (origin["hostName"], origin["originHostHeader"]) == ("shop.azure-api.net", "shop.azure-api.net")
    assert origin["enforceCertificateNameCheck"]


def test_the_status_path_is_probed_by_https() -> None:
    probe = named(made())["it-origins"]["healthProbeSettings"]
    assert (probe["probeProtocol"], probe["probePath"]) == ("Https", "/status-0123456789abcdef")
    assert (probe["probeRequestType"], probe["probeIntervalInSeconds"]) == ("GET", 60)


def test_locations_may_be_written_as_azure_shows_them() -> None:
    link = named(made(private_link_location="West Europe"))["it-origin"]["sharedPrivateLinkResource"]
    assert link["privateLinkLocation"] == "westeurope"


def test_the_table_of_locations_has_each_once_as_azure_writes_it() -> None:
    regions = [region for part in PRIVATE_LINK_LOCATIONS.values() for region in part]
    assert len(set(regions)) == len(regions) > 20
    assert all(region.isalnum() and region == region.lower() for region in regions)


# -- the two phases ----------------------------------------------------------------------------------------------------


def test_phase_1_is_open_and_phase_2_closed() -> None:
    assert (phase(None), public_network_access(None)) == (1, "Enabled")
    assert (phase(NAME), public_network_access(NAME)) == (2, "Disabled")


def test_phase_1_tells_what_a_person_runs() -> None:
    found = outputs()
    assert found["phase"] == 1
    assert f"az network private-endpoint-connection list --id {SERVICE}" in found["next_step"]
    assert f"approve --id {SERVICE}/privateEndpointConnections/NAME" in found["next_step"]
    assert REQUEST_MESSAGE in found["next_step"]
    assert "`connection_name`" in found["next_step"]


def test_phase_2_makes_nothing_more_and_tells_how_to_go_back() -> None:
    assert {item.urn for item in made(connection_name=NAME)} == {item.urn for item in made()}
    found = outputs(connection_name=NAME)
    assert found["phase"] == 2
    assert NAME in found["next_step"]
    assert "begin at phase 1" in found["next_step"]


def test_phase_2_reads_the_connection_by_its_name() -> None:
    ids: list[Any] = []

    def program() -> None:
        found = FrontDoor("it", args(connection_name=NAME))
        assert found.connection is not None
        found.connection.id.apply(ids.append)

    recorded(program)
    assert ids == [f"{SERVICE}/privateEndpointConnections/{NAME}"]
    recorded(lambda: ids.append(FrontDoor("it", args()).connection))
    assert ids[1:] == [None]


@pytest.mark.parametrize("status", ["Pending", "Rejected", "Disconnected"])
def test_phase_2_is_refused_while_the_connection_is_not_approved(status: str) -> None:
    check: Callable[[str, str, str | None], None] = vars(module)["_refuse_unapproved"]
    with pytest.raises(ArgumentsError, match=f"`{NAME}` is {status}: approve it first"):
        check("it", NAME, status)
    check("it", NAME, "Approved")


def test_the_status_that_is_looked_at_is_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str, str | None]] = []

    def look(name: str, connection: str, status: str | None) -> None:
        seen.append((name, connection, status))

    monkeypatch.setattr(module, "_refuse_unapproved", look)
    made(connection_name=NAME)
    ((name, connection, status),) = seen
    assert (name, connection) == ("it", NAME)
    assert status is not None
    assert "privateLinkServiceConnectionState.status" in status


# -- the route ---------------------------------------------------------------------------------------------------------


def test_everything_goes_by_https_and_nothing_is_cached() -> None:
    route = named(made())["it-route"]
    assert route["patternsToMatch"] == ["/*"]
    assert (route["httpsRedirect"], route["forwardingProtocol"]) == ("Enabled", "HttpsOnly")
    assert route["supportedProtocols"] == ["Http", "Https"]
    assert "cacheConfiguration" not in route


def test_no_request_comes_before_the_origin_the_firewall_and_the_rule_are_there() -> None:
    resources = made()
    route = next(item for item in resources if item.name == "it-route")
    before = {item.name for item in resources if item.urn in route.dependencies}
    assert {"it-origin", "it-security", "it-client"} <= before


def test_one_header_has_the_connections_address_and_not_what_a_client_says() -> None:
    found = named(made())
    (action,) = found["it-client"]["actions"]
    assert action["parameters"] == {
        "typeName": "DeliveryRuleHeaderActionParameters",
        "headerAction": "Overwrite",
        "headerName": CLIENT_HEADER,
        "value": "{socket_ip}",
    }
    assert found["it-client"]["conditions"] == []
    assert "it-rules" in found["it-route"]["ruleSets"][0]["id"]
    assert outputs()["client_header"] == CLIENT_HEADER


# -- domains -----------------------------------------------------------------------------------------------------------


def test_domains_have_tls_1_2_at_least_with_a_certificate_of_azures_or_the_vaults() -> None:
    found = named(made(**FULL))
    tls = {name: found[f"it-domain-{name}"]["tlsSettings"] for name in DOMAINS}
    assert {item["minimumTlsVersion"] for item in tls.values()} == {"TLS12"}
    assert tls["api"]["certificateType"] == "ManagedCertificate"
    assert "secret" not in tls["api"]
    assert tls["own"]["certificateType"] == "CustomerCertificate"
    assert "it-certificate-own" in tls["own"]["secret"]["id"]
    parameters = found["it-certificate-own"]["parameters"]
    assert parameters == {"type": "CustomerCertificate", "secretSource": {"id": SECRET}, "useLatestVersion": True}
    assert found["it-profile"]["identity"]["userAssignedIdentities"] == ["/subscriptions/sub/identity"]


def test_with_domains_front_doors_own_host_is_not_answered_unless_asked_for() -> None:
    def link(**more: Any) -> str:
        return named(made(**more))["it-route"]["linkToDefaultDomain"]

    assert link() == "Enabled"
    assert link(**FULL) == "Disabled"
    assert link(**FULL, default_domain=True) == "Enabled"
    assert len(named(made(**FULL))["it-route"]["customDomains"]) == 2


def test_the_records_that_domains_need_are_told() -> None:
    records = outputs(**FULL)["dns_records"]
    assert [(item["type"], item["name"]) for item in records] == [
        ("TXT", "_dnsauth.api.shop.example"),
        ("CNAME", "api.shop.example"),
        ("TXT", "_dnsauth.api.shop.test"),
        ("CNAME", "api.shop.test"),
    ]
    assert "it-domain-api" in records[0]["value"]
    assert "validationToken" in records[0]["value"]
    assert "it-endpoint" in records[1]["value"]


def test_the_id_that_a_gateway_checks_and_the_host_are_told() -> None:
    found = outputs()
    assert "frontDoorId" in found["front_door_id"]
    assert "it-endpoint.hostName" in found["host"]


# -- the firewall ------------------------------------------------------------------------------------------------------


def test_the_firewall_prevents_unless_it_is_told_otherwise() -> None:
    policy = named(made())["it-waf"]
    assert policy["policySettings"]["mode"] == "Prevention"
    assert policy["policySettings"]["enabledState"] == "Enabled"
    sets = {item["ruleSetType"]: item["ruleSetVersion"] for item in policy["managedRules"]["managedRuleSets"]}
    assert sets == {"Microsoft_DefaultRuleSet": "2.1", "Microsoft_BotManagerRuleSet": "1.1"}
    assert named(made(waf=standard(FRONT_DOOR, "Detection")))["it-waf"]["policySettings"]["mode"] == "Detection"


def test_the_firewalls_name_has_letters_and_digits_only() -> None:
    resources = recorded(lambda: FrontDoor("1-shop.edge", args()))
    policy = next(item for item in resources if item.type.endswith("frontdoor:Policy"))
    assert policy.inputs["policyName"] == "shopedgewaf"


def test_a_compiled_firewall_is_its_policy() -> None:
    waf = Waf("block", ("core",), (), ("198.51.100.0/24",), (10, 1), Origin(("waf",), NOWHERE))
    resources = made(waf=compile_waf(waf, FRONT_DOOR))
    assert validate(resources) == []
    rules = {item["name"]: item for item in named(resources)["it-waf"]["customRules"]["rules"]}
    assert rules["Deny1"]["matchConditions"][0]["matchValue"] == ["198.51.100.0/24"]
    assert rules["RatePerAddress"]["rateLimitThreshold"] == 600


def test_the_firewall_is_before_every_name_and_path() -> None:
    parameters = named(made(**FULL))["it-security"]["parameters"]
    assert parameters["type"] == "WebApplicationFirewall"
    assert "it-waf" in parameters["wafPolicy"]["id"]
    (association,) = parameters["associations"]
    assert association["patternsToMatch"] == ["/*"]
    ids = " ".join(item["id"] for item in association["domains"])
    assert all(name in ids for name in ("it-endpoint", "it-domain-api", "it-domain-own"))


def test_an_existing_policy_is_used_instead() -> None:
    found = named(made(waf_policy_id="/subscriptions/sub/policy"))
    assert "it-waf" not in found
    assert found["it-security"]["parameters"]["wafPolicy"] == {"id": "/subscriptions/sub/policy"}


def test_requests_probes_and_the_firewall_are_logged_without_values_of_queries() -> None:
    found = named(made(**FULL))
    categories = {item["category"] for item in found["it-logs"]["logs"] if item["enabled"]}
    assert categories == {"FrontDoorAccessLog", "FrontDoorHealthProbeLog", "FrontDoorWebApplicationFirewallLog"}
    scrubbing = found["it-profile"]["logScrubbing"]
    assert scrubbing["state"] == "Enabled"
    assert [item["matchVariable"] for item in scrubbing["scrubbingRules"]] == ["QueryStringArgNames"]


# -- overrides ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name", "change"),
    [
        ("profile", "it-profile", {"tags": {"said": "by hand"}}),
        ("endpoint", "it-endpoint", {"tags": {"said": "by hand"}}),
        ("certificates.own", "it-certificate-own", {"secret_name": "by-hand"}),
        ("custom_domains.api", "it-domain-api", {"custom_domain_name": "by-hand"}),
        ("waf_policy", "it-waf", {"policy_name": "byhand"}),
        ("security_policy", "it-security", {"security_policy_name": "by-hand"}),
        ("rule_set", "it-rules", {"rule_set_name": "byhand"}),
        ("client_rule", "it-client", {"rule_name": "byhand"}),
        ("origin_group", "it-origins", {"origin_group_name": "by-hand"}),
        ("origin", "it-origin", {"origin_name": "by-hand"}),
        ("route", "it-route", {"route_name": "by-hand"}),
        ("diagnostics", "it-logs", {"name": "by-hand"}),
    ],
)
def test_every_resource_may_be_overridden(key: str, name: str, change: dict[str, Any]) -> None:
    plain, changed = named(made(**FULL)), named(made(**FULL, overrides={key: change}))
    (value,) = change.values()
    assert value in changed[name].values()
    others = set(plain) - {name}
    differing = [other for other in others if value in changed[other].values() and value not in plain[other].values()]
    assert differing == []


# -- what is refused ---------------------------------------------------------------------------------------------------


def domain(**more: Any) -> dict[str, Any]:
    return {"domains": {"api": {**DOMAINS["api"], **more}}}


WRONG_WAF = Waf("block", ("anonymous-ip",), (), (), None, Origin(("waf",), NOWHERE))
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"resource_group_name": None}, "`resource_group_name` is missing"),
    ({"service_id": None}, "`service_id` is missing"),
    ({"service_host": None}, "`service_host` is missing"),
    ({"private_link_location": None}, "`private_link_location` is missing"),
    ({"sku": "Standard"}, "the Front Door has no `sku`"),
    ({"private_link_location": "switzerlandnorth"}, "no private endpoints in `switzerlandnorth`; take the nearest of"),
    ({"service_id": "shop"}, "`service_id` is shop"),
    ({"service_host": "https://shop.azure-api.net"}, "`service_host` is https://shop"),
    ({"connection_name": f"{SERVICE}/privateEndpointConnections/{NAME}"}, "the connection's name alone"),
    ({"request_message": ""}, "1 to 140 characters"),
    ({"request_message": "x" * 141}, "1 to 140 characters"),
    ({"domains": {"1": DOMAINS["api"]}}, "domain `1`: that is no name"),
    (domain(host=None), "domain `api` needs `host`"),
    (domain(host="shop"), "`shop` is no host name"),
    (domain(certificate="managed"), "domain `api` has no `certificate`"),
    ({"domains": {"a": DOMAINS["api"], "b": DOMAINS["api"]}}, "have `api.shop.example` more than once"),
    (
        {**domain(certificate_secret_id="https://shop-vault.vault.azure.net/secrets/api"), "identity_id": "a"},
        "is no resource id; write `/subscriptions/",
    ),
    (domain(certificate_secret_id=SECRET), "name in `identity_id` who may read it"),
    ({"default_domain": False}, "nothing would be answered"),
    ({"waf": standard(APPLICATION_GATEWAY)}, "was compiled for Application Gateway"),
    ({"waf": standard(FRONT_DOOR), "waf_policy_id": "a"}, "write one of `waf` and `waf_policy_id`"),
    ({"waf": compile_waf(WRONG_WAF, FRONT_DOOR)}, "Azure keeps no rules for `anonymous-ip`"),
    ({"response_timeout_seconds": 15}, "`response_timeout_seconds` is 15; it must be 16 to 240"),
    ({"probe_interval_seconds": 4}, "`probe_interval_seconds` is 4"),
    ({"health_path": "status"}, "`health_path` is status"),
    ({"client_header": "X_Client"}, "`client_header` is X_Client"),
    ({"overrides": {"certificates.api": {}}}, "overrides has no `certificates.api`; it has client_rule, endpoint"),
    ({"waf_policy_id": "a", "overrides": {"waf_policy": {}}}, "overrides has no `waf_policy`"),
]


def refused(**more: Any) -> tuple[str, ...]:
    """What is said about arguments; it must be said before anything is registered."""
    said: list[str] = []

    def program() -> None:
        with pytest.raises(ArgumentsError) as error:
            FrontDoor("it", args(**more))
        said.extend(error.value.problems)

    assert [item for item in recorded(program) if item.name == "it"] == []
    return tuple(said)


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_front_door_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    (problem,) = refused(**change)
    assert said in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(service_host=None, private_link_location="mars", health_path="a", **domain(host="b"))) == 4
