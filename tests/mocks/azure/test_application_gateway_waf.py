"""An Application Gateway with a firewall: what is made, how its parts hold together, what is refused."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi
import pytest

import arm_bodies
from edgewright.azure.application_gateway_waf import FORGEABLE, ApplicationGatewayWaf, ApplicationGatewayWafArgs
from edgewright.azure.compile_waf import APPLICATION_GATEWAY, CLIENT_HEADER, FRONT_DOOR, compile_waf, standard
from edgewright.clouds.part import ArgumentsError
from edgewright.edge.model import Origin, Waf
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate
from edgewright.spec.problems import NOWHERE

GROUP = "/subscriptions/sub/resourceGroups/edge/providers"
SELF = f"{GROUP}/Microsoft.Network/applicationGateways/it"
SECRET = "https://shop-vault.vault.azure.net/secrets/api"
API: Mapping[str, Any] = {"hosts": ["api.shop.example"], "key_vault_secret_id": SECRET}
FULL: dict[str, Any] = {
    "listeners": {
        "api": {"hosts": ["api.shop.example", "api.shop.test"], "key_vault_secret_id": SECRET},
        "rest": {"hosts": ["*.shop.example"], "key_vault_secret_id": SECRET, "redirect_http": False},
        "inside": {"hosts": ["api.shop.example"], "key_vault_secret_id": SECRET, "frontend": "private"},
    },
    "private_ip_address": "10.0.2.10",
    "backend_root_certificates": {"company": "https://shop-vault.vault.azure.net/secrets/root"},
    "domain_name_label": "shop-api",
    "workspace_id": "/subscriptions/sub/workspace",
}


def args(**more: Any) -> ApplicationGatewayWafArgs:
    given = {
        "resource_group_name": "edge",
        "subscription_id": "sub",
        "location": "westeurope",
        "subnet_id": "/subscriptions/sub/subnet",
        "identity_id": "/subscriptions/sub/identity",
        "listeners": {"api": API},
        "backend_addresses": ["10.0.0.5"],
        "backend_host": "shop.azure-api.net",
        **more,
    }
    return cast("ApplicationGatewayWafArgs", {key: value for key, value in given.items() if value is not None})


def recorded(make: Callable[[], object], *, preview: bool = False) -> tuple[Resource, ...]:
    return record(make, project="edgewright", stack="test", preview=preview).resources


def made(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: ApplicationGatewayWaf("it", args(**more)))


def inputs(kind: str, **more: Any) -> Mapping[str, Any]:
    """Inputs of the one resource of a kind, such as ``network:ApplicationGateway``."""
    (found,) = (item for item in made(**more) if item.type == f"azure-native:{kind}")
    return found.inputs


def logs(name: str, **more: Any) -> Mapping[str, Any]:
    """Inputs of a diagnostic setting by its name."""
    (found,) = (item for item in made(**more) if item.type.endswith(":DiagnosticSetting") and item.name == name)
    return found.inputs


def gateway(**more: Any) -> Mapping[str, Any]:
    return inputs("network:ApplicationGateway", **more)


def named(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in parts}


# -- what is made ------------------------------------------------------------------------------------------------------


def test_all_that_it_makes_is_what_the_sdk_takes() -> None:
    resources = made(**FULL)
    kinds = {item.type.rpartition(":")[2] for item in resources if item.custom}
    assert kinds == {"PublicIPAddress", "WebApplicationFirewallPolicy", "ApplicationGateway", "DiagnosticSetting"}
    assert validate(resources) == []


@pytest.mark.parametrize("more", [{}, FULL, {"min_tls": "1.3", "zones": []}], ids=["least", "full", "other"])
def test_all_that_it_makes_are_requests_that_azure_would_read(more: dict[str, Any]) -> None:
    resources = made(**more)
    known = [item for item in resources if arm_bodies.known(item)]
    assert len(known) == 3
    assert arm_bodies.problems(resources) == []


def test_everything_is_below_the_component_and_protected() -> None:
    options = pulumi.ResourceOptions(protect=True)
    resources = recorded(lambda: ApplicationGatewayWaf("it", args(**FULL), options))
    component = next(item for item in resources if not item.custom)
    assert component.type == "edgewright:azure:ApplicationGatewayWaf"
    parts = [item for item in resources if item.custom]
    assert {item.parent for item in parts} == {component.urn}
    assert all(item.protect for item in parts)


def test_it_can_be_planned_with_nothing_known() -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None}).id
        known = ("resource_group_name", "subscription_id", "location", "subnet_id", "identity_id", "backend_host")
        unknown: dict[str, Any] = dict.fromkeys((*known, "workspace_id"), other)
        listeners = {name: {**item, "key_vault_secret_id": other} for name, item in FULL["listeners"].items()}
        addresses = other.apply(lambda found: [found])
        unknown |= {"listeners": listeners, "backend_addresses": addresses}
        ApplicationGatewayWaf("it", args(**{**FULL, **unknown}))

    found = {item.urn for item in recorded(program, preview=True) if item.name != "other"}
    assert found == {item.urn for item in made(**FULL)}


def test_every_id_of_a_part_is_of_a_part_that_is_there() -> None:
    found = gateway(**FULL)
    there = {
        f"{SELF}/{kind}/{item['name']}"
        for kind, parts in found.items()
        if isinstance(parts, list)
        for item in parts
        if isinstance(item, dict)
    }

    def ids(value: Any) -> set[str]:
        if isinstance(value, dict):
            return {str(value["id"])} if set(value) == {"id"} else {one for part in value.values() for one in ids(part)}
        return {one for part in value for one in ids(part)} if isinstance(value, list) else set()

    used = {one for one in ids(dict(found)) if one.startswith(SELF)}
    assert {one.split("/")[-2] for one in used} == {
        "backendAddressPools",
        "backendHttpSettingsCollection",
        "frontendIPConfigurations",
        "frontendPorts",
        "httpListeners",
        "probes",
        "redirectConfigurations",
        "rewriteRuleSets",
        "sslCertificates",
        "trustedRootCertificates",
    }
    assert {one.lower() for one in used} <= {one.lower() for one in there}


# -- the firewall ------------------------------------------------------------------------------------------------------


def test_the_firewall_prevents_unless_it_is_told_otherwise() -> None:
    policy = inputs("network:WebApplicationFirewallPolicy")
    assert (policy["policySettings"]["state"], policy["policySettings"]["mode"]) == ("Enabled", "Prevention")
    sets = {item["ruleSetType"]: item["ruleSetVersion"] for item in policy["managedRules"]["managedRuleSets"]}
    assert sets == {"Microsoft_DefaultRuleSet": "2.1", "Microsoft_BotManagerRuleSet": "1.1"}
    told = inputs("network:WebApplicationFirewallPolicy", waf=standard(APPLICATION_GATEWAY, "Detection"))
    assert told["policySettings"]["mode"] == "Detection"


def test_a_compiled_firewall_is_the_gateways_policy() -> None:
    waf = Waf("block", ("core",), (), ("198.51.100.0/24",), (10, 1), Origin(("waf",), NOWHERE))
    resources = made(waf=compile_waf(waf, APPLICATION_GATEWAY))
    assert arm_bodies.problems(resources) == []
    policy = next(item for item in resources if item.type.endswith(":WebApplicationFirewallPolicy"))
    rules = {item["name"]: item for item in policy.inputs["customRules"]}
    assert rules["Deny1"]["matchConditions"][0]["matchValues"] == ["198.51.100.0/24"]
    assert rules["RatePerAddress"]["rateLimitThreshold"] == 600


def test_every_listener_stands_behind_the_firewall() -> None:
    found = gateway(**FULL)
    assert found["sku"] == {"name": "WAF_v2", "tier": "WAF_v2"}
    assert "it-waf" in found["firewallPolicy"]["id"]
    assert found["forceFirewallPolicyAssociation"]
    assert not [item for item in found["httpListeners"] if "firewallPolicy" in item]


def test_an_existing_policy_and_address_are_used_instead() -> None:
    more = {"waf_policy_id": "/subscriptions/sub/policy", "public_ip_address_id": "/subscriptions/sub/ip"}
    assert [item.name for item in made(**more) if item.custom] == ["it-gateway"]
    found = gateway(**more)
    assert found["firewallPolicy"] == {"id": "/subscriptions/sub/policy"}
    assert found["frontendIPConfigurations"][0]["publicIPAddress"] == {"id": "/subscriptions/sub/ip"}


# -- who the client is -------------------------------------------------------------------------------------------------


def headers(**more: Any) -> dict[str, str]:
    (rewrites,) = gateway(**more)["rewriteRuleSets"]
    (rule,) = rewrites["rewriteRules"]
    assert "conditions" not in rule
    return {item["headerName"]: item["headerValue"] for item in rule["actionSet"]["requestHeaderConfigurations"]}


def test_one_header_has_the_clients_address_whatever_a_client_sends() -> None:
    assert headers()[CLIENT_HEADER] == "{var_client_ip}"
    assert headers(client_header="X-Caller")["X-Caller"] == "{var_client_ip}"


def test_what_a_client_says_of_who_it_is_is_taken_away() -> None:
    found = headers()
    assert found["X-Forwarded-For"] == "{var_client_ip}"
    assert {name for name, value in found.items() if not value} == set(FORGEABLE)
    assert headers(remove_headers=["X-Tenant"])["X-Tenant"] == ""


def test_headers_are_rewritten_on_every_way_to_the_backend() -> None:
    rules = gateway(**FULL)["requestRoutingRules"]
    ways = [item for item in rules if "backendAddressPool" in item]
    assert len(ways) == 4
    assert {item["rewriteRuleSet"]["id"] for item in ways} == {f"{SELF}/rewriteRuleSets/client"}


# -- listeners ---------------------------------------------------------------------------------------------------------


def test_each_exact_host_has_a_listener_and_wildcards_share_one() -> None:
    listeners = named(gateway(**FULL)["httpListeners"])
    https = {name: item for name, item in listeners.items() if item["protocol"] == "Https"}
    assert {name: item.get("hostName") or item["hostNames"] for name, item in https.items()} == {
        "api-1": "api.shop.example",
        "api-2": "api.shop.test",
        "rest": ["*.shop.example"],
        "inside": "api.shop.example",
    }
    assert all(item["requireServerNameIndication"] for item in https.values())
    assert https["api-2"]["sslCertificate"]["id"] == f"{SELF}/sslCertificates/api"
    assert https["inside"]["frontendIPConfiguration"]["id"] == f"{SELF}/frontendIPConfigurations/private"


def test_port_80_only_redirects_each_host_to_itself() -> None:
    found = gateway(**FULL)
    listeners, rules = named(found["httpListeners"]), named(found["requestRoutingRules"])
    http = {name: item for name, item in listeners.items() if item["protocol"] == "Http"}
    assert set(http) == {"api-1-http", "api-2-http", "inside-http"}
    for name, item in http.items():
        assert item["hostName"] == listeners[name.removesuffix("-http")]["hostName"]
        assert "backendAddressPool" not in rules[name]
    redirects = named(found["redirectConfigurations"])
    assert {item["redirectType"] for item in redirects.values()} == {"Permanent"}
    assert redirects["api-1"]["targetListener"]["id"] == f"{SELF}/httpListeners/api-1"


def test_without_a_redirect_port_80_is_closed() -> None:
    found = gateway(listeners={"api": {**API, "redirect_http": False}})
    assert [item["port"] for item in found["frontendPorts"]] == [443]
    assert "redirectConfigurations" not in found


def test_rules_have_priorities_of_their_own_and_exact_hosts_come_before_wildcards() -> None:
    rules = gateway(**FULL)["requestRoutingRules"]
    priorities = {item["name"]: item["priority"] for item in rules}
    assert len(set(priorities.values())) == len(rules) == 7
    assert max(priorities[name] for name in ("api-1", "api-2", "inside")) < priorities["rest"]


def test_tls_is_1_2_at_least_with_forward_secrecy_or_1_3_alone() -> None:
    assert gateway()["sslPolicy"] == {"policyType": "Predefined", "policyName": "AppGwSslPolicy20220101S"}
    assert gateway(min_tls="1.3")["sslPolicy"]["minProtocolVersion"] == "TLSv1_3"
    assert gateway()["enableHttp2"]


def test_certificates_come_from_the_vault_by_the_identity() -> None:
    found = gateway()
    assert found["sslCertificates"] == [{"name": "api", "keyVaultSecretId": SECRET}]
    assert found["identity"] == {"type": "UserAssigned", "userAssignedIdentities": ["/subscriptions/sub/identity"]}


# -- the backend -------------------------------------------------------------------------------------------------------


def test_the_backend_is_the_private_address_asked_by_https_for_its_own_host() -> None:
    def program() -> None:
        addresses = pulumi.Output.from_input(["10.0.0.5", "10.0.0.6"])
        ApplicationGatewayWaf("it", args(backend_addresses=addresses))

    found = next(item for item in recorded(program) if item.name == "it-gateway").inputs
    (pool,) = found["backendAddressPools"]
    assert pool["backendAddresses"] == [{"ipAddress": "10.0.0.5"}, {"ipAddress": "10.0.0.6"}]
    (settings,) = found["backendHttpSettingsCollection"]
    assert (settings["protocol"], settings["port"], settings["hostName"]) == ("Https", 443, "shop.azure-api.net")
    assert not settings["pickHostNameFromBackendAddress"]
    assert settings["cookieBasedAffinity"] == "Disabled"
    assert settings["connectionDraining"] == {"enabled": True, "drainTimeoutInSec": 60}


def test_the_backend_may_be_a_name() -> None:
    (pool,) = gateway(backend_addresses=None, backend_fqdn="shop.azure-api.net")["backendAddressPools"]
    assert pool["backendAddresses"] == [{"fqdn": "shop.azure-api.net"}]


def test_the_status_path_is_asked_every_half_minute_by_the_same_host() -> None:
    (probe,) = gateway()["probes"]
    assert (probe["protocol"], probe["path"]) == ("Https", "/status-0123456789abcdef")
    assert (probe["interval"], probe["timeout"], probe["unhealthyThreshold"]) == (30, 30, 3)
    assert probe["pickHostNameFromBackendHttpSettings"]
    assert "host" not in probe


def test_a_private_authoritys_root_is_trusted_where_it_is_given() -> None:
    (settings,) = gateway(**FULL)["backendHttpSettingsCollection"]
    assert settings["trustedRootCertificates"] == [{"id": f"{SELF}/trustedRootCertificates/company"}]
    (settings,) = gateway()["backendHttpSettingsCollection"]
    assert "trustedRootCertificates" not in settings


# -- where it stands ---------------------------------------------------------------------------------------------------


def test_it_is_in_all_zones_and_has_two_instances_at_least() -> None:
    found = gateway()
    assert found["zones"] == ["1", "2", "3"]
    assert found["autoscaleConfiguration"] == {"minCapacity": 2, "maxCapacity": 10}
    assert inputs("network:PublicIPAddress")["zones"] == ["1", "2", "3"]
    assert "zones" not in gateway(zones=[])


def test_its_address_is_static_and_named_and_protected_if_it_is_asked_for() -> None:
    address = inputs("network:PublicIPAddress", domain_name_label="shop-api", ddos="advanced")
    assert (address["sku"]["name"], address["publicIPAllocationMethod"]) == ("Standard", "Static")
    assert address["dnsSettings"] == {"domainNameLabel": "shop-api"}
    assert address["ddosSettings"] == {"protectionMode": "Enabled"}
    assert inputs("network:PublicIPAddress")["ddosSettings"] == {"protectionMode": "VirtualNetworkInherited"}


def test_a_private_frontend_has_a_fixed_address_beside_the_public_one() -> None:
    frontends = named(gateway(**FULL)["frontendIPConfigurations"])
    assert set(frontends) == {"public", "private"}
    assert frontends["private"]["privateIPAddress"] == "10.0.2.10"
    assert frontends["private"]["privateIPAllocationMethod"] == "Static"


def test_requests_and_what_the_firewall_did_are_logged() -> None:
    sent = logs("it-logs", workspace_id="/subscriptions/sub/workspace")
    categories = {item["category"] for item in sent["logs"] if item["enabled"]}
    assert categories == {"ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"}


def test_attacks_on_its_own_address_are_logged_and_those_on_another_are_its_owners() -> None:
    sent = logs("it-front-logs", workspace_id="/subscriptions/sub/workspace")
    assert "DDoSProtectionNotifications" in {item["category"] for item in sent["logs"] if item["enabled"]}
    brought = made(workspace_id="/subscriptions/sub/workspace", public_ip_address_id="/subscriptions/sub/ip")
    assert [item.name for item in brought if item.type.endswith(":DiagnosticSetting")] == ["it-logs"]


def test_outputs_are_what_a_topology_needs() -> None:
    found: list[ApplicationGatewayWaf] = []
    recorded(lambda: found.append(ApplicationGatewayWaf("it", args())))
    assert found[0].client_header == CLIENT_HEADER
    assert found[0].ip_address is not None
    recorded(lambda: found.append(ApplicationGatewayWaf("it", args(public_ip_address_id="/subscriptions/sub/ip"))))
    assert found[1].ip_address is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("public_ip", "it-front"),
        ("waf_policy", "it-waf"),
        ("application_gateway", "it-gateway"),
    ],
)
def test_every_resource_may_be_overridden(key: str, name: str) -> None:
    resources = made(**FULL, overrides={key: {"tags": {"said": "by hand"}}})
    assert [item.name for item in resources if item.inputs.get("tags") == {"said": "by hand"}] == [name]


@pytest.mark.parametrize(("key", "name"), [("diagnostics", "it-logs"), ("address_diagnostics", "it-front-logs")])
def test_what_is_logged_may_be_overridden(key: str, name: str) -> None:
    assert logs(name, **FULL, overrides={key: {"metrics": []}})["metrics"] == []


# -- what is refused ---------------------------------------------------------------------------------------------------


def api(**more: Any) -> dict[str, Any]:
    return {"listeners": {"api": {**API, **more}}}


WRONG_WAF = Waf("block", ("anonymous-ip",), (), (), None, Origin(("waf",), NOWHERE))
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"resource_group_name": None}, "`resource_group_name` is missing"),
    ({"subnet_id": None}, "`subnet_id` is missing"),
    ({"identity_id": None}, "`identity_id` is missing"),
    ({"backend_host": None}, "`backend_host` is missing"),
    ({"listeners": None}, "`listeners` is missing"),
    ({"sku": "WAF_v1"}, "the gateway has no `sku`"),
    ({"application_gateway_name": "-it"}, "`-it` is no name for Azure"),
    ({"listeners": {}}, "a gateway needs a listener"),
    ({"listeners": {"a/b": API}}, "listener `a/b`: that is no name"),
    (api(hosts=[]), "listener `api` has no host name"),
    (api(hosts=["shop"]), "`shop` is no host name"),
    (api(hosts=["*.shop.example"]), "say `redirect_http: false`"),
    (api(hosts=["api.shop.example", "API.shop.example"]), "listeners `api` and `api` both answer"),
    (api(key_vault_secret_id=None), "listener `api` needs `key_vault_secret_id`"),
    (api(key_vault_secret_id=f"{SECRET}/0123456789abcdef0123456789abcdef"), "without a version"),
    (api(key_vault_secret_id="http://shop.example/api"), "is no secret; write `https://VAULT"),
    (api(frontend="inside"), "there is no frontend `inside`"),
    (api(frontend="private"), "the gateway has no `private_ip_address`"),
    (api(certificate="a"), "listener `api` has no `certificate`"),
    (api(hosts=[f"a{at}.shop.example" for at in range(51)]), "102 listeners, a redirect is one too; Azure takes 100"),
    (
        {"listeners": {"a": {**API, "hosts": ["a.b.example", "b.b.example"]}, "a-1": {**API, "redirect_http": False}}},
        "two listeners would have the name `a-1`",
    ),
    ({"backend_addresses": None}, "one of `backend_addresses` and `backend_fqdn`"),
    ({"backend_fqdn": "shop.azure-api.net"}, "one of `backend_addresses` and `backend_fqdn`"),
    ({"backend_root_certificates": {"company": "root.cer"}}, "the root certificate `company`"),
    ({"waf": standard(FRONT_DOOR)}, "was compiled for Front Door"),
    ({"waf": standard(APPLICATION_GATEWAY), "waf_policy_id": "a"}, "write one of `waf` and `waf_policy_id`"),
    ({"waf": compile_waf(WRONG_WAF, APPLICATION_GATEWAY)}, "Azure keeps no rules for `anonymous-ip`"),
    ({"min_capacity": 11}, "11 to 10 instances"),
    ({"max_capacity": 126}, "2 to 126 instances"),
    ({"min_capacity": 0, "max_capacity": 1}, "0 to 1 instances"),
    ({"request_timeout_seconds": 0}, "`request_timeout_seconds` is 0"),
    ({"drain_seconds": 3_601}, "`drain_seconds` is 3601"),
    ({"zones": ["1", "4"]}, "zones are 1, 4"),
    ({"min_tls": "1.1"}, "`min_tls` is 1.1"),
    ({"health_path": "status"}, "`health_path` is status"),
    ({"client_header": "X_Client"}, "`X_Client` is no header"),
    ({"remove_headers": ["Host"]}, "Azure does not rewrite the header `Host`"),
    ({"remove_headers": ["x-edgewright-client"]}, "has `x-edgewright-client`, which the gateway writes"),
    ({"remove_headers": [f"X-{at}" for at in range(39)]}, "there is room for 38"),
    ({"domain_name_label": "Shop"}, "`domain_name_label` is Shop"),
    ({"ddos": "best"}, "`ddos` is best"),
    ({"public_ip_address_id": "a", "ddos": "advanced"}, "are of an address that is made"),
    ({"overrides": {"probe": {}}}, "overrides has no `probe`; it has application_gateway, public_ip, waf_policy"),
    ({"public_ip_address_id": "a", "overrides": {"public_ip": {}}}, "overrides has no `public_ip`"),
]


def refused(**more: Any) -> tuple[str, ...]:
    """What is said about arguments; it must be said before anything is registered."""
    said: list[str] = []

    def program() -> None:
        with pytest.raises(ArgumentsError) as error:
            ApplicationGatewayWaf("it", args(**more))
        said.extend(error.value.problems)

    assert [item for item in recorded(program) if item.name == "it"] == []
    return tuple(said)


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_gateway_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    (problem,) = refused(**change)
    assert said in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(backend_host=None, min_tls="1.1", zones=["4"], **api(hosts=[]))) == 4
