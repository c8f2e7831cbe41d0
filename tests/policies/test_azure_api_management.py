"""What examples of the rules over API Management do not show: defaults, settings, and what the engine does not know yet."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from azure_stacks import STACKS, everything, planned
from edgewright.policies.azure import apis, policy_documents, service
from edgewright.policies.azure.addresses import address, is_own
from edgewright.policies.graph import from_plan
from edgewright.policies.remediation import values_for
from edgewright.policies.rule import AnyRule, Rule, check_resources, complete_settings
from edgewright.policies.view import Subject
from policies.examples import urn_of, wire

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MODULE = "azure-native:apimanagement:"
SERVICE = f"{MODULE}ApiManagementService"
RULES: tuple[AnyRule, ...] = (*service.RULES, *apis.RULES, *policy_documents.RULES)
BY_NAME = {rule.name: rule for rule in RULES}
TOKENS = "<policies><inbound><base /><validate-jwt header-name='Authorization' /></inbound></policies>"
NOTHING = "<policies><inbound><base /></inbound></policies>"


def resource(kind: str, name: str, properties: Mapping[str, Any], **refs: Sequence[Subject]) -> Subject:
    kind = kind if ":" in kind else f"{MODULE}{kind}"
    found = {key: frozenset(one.urn for one in sources) for key, sources in refs.items()}
    return Subject(urn_of(kind, name), kind, name, wire(properties), found)


def said(rule: str, *subjects: Subject, **settings: Any) -> list[tuple[str, str, str]]:
    """Kind, name of the resource and path of what one rule says."""
    names = {subject.urn: subject.name for subject in subjects}
    found = check_resources(subjects, [BY_NAME[rule]], {rule: settings})
    return [(item.kind, names[item.urn], item.path) for item in found]


def kinds(rule: str, *subjects: Subject, **settings: Any) -> set[str]:
    return {kind for kind, _, _ in said(rule, *subjects, **settings)}


EDGE = resource("ApiManagementService", "edge", {"serviceName": "edge", "sku": {"name": "Standard", "capacity": 1}})


def api(name: str = "shop", **more: Any) -> Subject:
    return resource("Api", name, {"apiId": name, "serviceName": UNKNOWN, **more}, serviceName=[EDGE])


def policy_of(one: Subject, value: Any = TOKENS, name: str = "rules", **more: Any) -> Subject:
    properties = {"serviceName": UNKNOWN, "apiId": UNKNOWN, "value": value, **more}
    return resource("ApiPolicy", name, properties, serviceName=[EDGE], apiId=[one])


# -- our own stacks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", [*STACKS, "everything"])
def test_our_stacks_pass_every_rule_that_is_on_and_leave_only_values_open_that_azure_makes(stack: str) -> None:
    plan = everything() if stack == "everything" else planned(stack)
    on = [rule for rule in RULES if not rule.optional]
    subjects = from_plan(plan.resources)
    assert any(subject.type == SERVICE for subject in subjects)
    found = check_resources(subjects, on)
    made = ("apim-named-value-secret-flag", "cannot tell")  # an instrumentation key, the id of a Front Door
    assert [str(verdict) for verdict in found if (verdict.rule, verdict.kind) != made] == []


# -- how a service is reached ------------------------------------------------------------------------------------------

NETWORK = "azure-native:network:"
INSIDE = {"sku": {"name": "Premium"}, "virtualNetworkType": "External"}


def test_a_private_endpoint_that_is_not_known_yet_may_be_the_one_of_a_service() -> None:
    connection = {"name": "gateway", "groupIds": ["Gateway"], "privateLinkServiceId": UNKNOWN}
    endpoint = resource(f"{NETWORK}PrivateEndpoint", "door", {"privateLinkServiceConnections": [connection]})
    assert said("apim-private-endpoint", EDGE, endpoint) == [("cannot tell", "edge", "")]


def test_a_policy_that_is_not_known_yet_may_close_the_gateway_of_a_service() -> None:
    service = resource("ApiManagementService", "edge", {"serviceName": "edge", "sku": {"name": "Premium"}})
    gateways = resource("Gateway", "gateways", {"gatewayId": "shop", "serviceName": UNKNOWN}, serviceName=[service])
    subjects = (service, gateways, api(), policy_of(api(), UNKNOWN))
    found = said("apim-vnet-integrated", *subjects)
    assert ("cannot tell", "edge", "") in found
    assert "violation" not in {kind for kind, _, _ in found}


def origin(service: Subject) -> Subject:
    return resource("azure-native:cdn:AFDOrigin", "origin", {"hostName": UNKNOWN}, hostName=[service])


def test_a_policy_or_a_subnet_that_is_not_known_yet_may_close_the_way_around_a_front() -> None:
    assert kinds("apim-not-around-front", EDGE, origin(EDGE), api(), policy_of(api(), UNKNOWN)) == {"cannot tell"}
    elsewhere = {"virtualNetworkConfiguration": {"subnetResourceId": "/virtualNetworks/other/subnets/api"}}
    service = resource("ApiManagementService", "edge", {"serviceName": "edge", **INSIDE, **elsewhere})
    found = said("apim-not-around-front", service, origin(service), api(), policy_of(api()))
    assert {(kind, name) for kind, name, _ in found} == {("cannot tell", "edge"), ("cannot tell", "shop")}


def test_a_rule_of_a_group_that_is_not_known_yet_may_open_its_management_port() -> None:
    allow = {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "ApiManagement"}
    group = resource(f"{NETWORK}NetworkSecurityGroup", "guard", {"networkSecurityGroupName": "guard"})
    subnet = resource(
        f"{NETWORK}Subnet", "inside", {"networkSecurityGroup": {"id": UNKNOWN}}, networkSecurityGroup=[group]
    )
    service = resource(
        "ApiManagementService",
        "edge",
        {"serviceName": "edge", **INSIDE, "virtualNetworkConfiguration": {"subnetResourceId": UNKNOWN}},
        virtualNetworkConfiguration=[subnet],
    )

    def rule(port: str) -> Subject:
        inputs = {**allow, "priority": 100, "destinationPortRange": port, "networkSecurityGroupName": UNKNOWN}
        return resource(f"{NETWORK}SecurityRule", "management", inputs, networkSecurityGroupName=[group])

    assert said("nsg-apim-management-port", service, subnet, group, rule("3443")) == []
    assert [kind for kind, _, _ in said("nsg-apim-management-port", service, subnet, group, rule("443"))] == [
        "violation"
    ]
    found = said("nsg-apim-management-port", service, subnet, group, rule(UNKNOWN))
    assert ("cannot tell", "guard", "securityRules") in found
    assert "violation" not in {kind for kind, _, _ in found}


# -- the service -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "kind"), [(True, set[str]()), (False, {"violation"}), (None, {"violation"})])
def test_on_consumption_a_client_certificate_is_asked_for_without_any_setting(given: Any, kind: set[str]) -> None:
    it = resource("ApiManagementService", "it", {"sku": {"name": "Consumption"}, "enableClientCertificate": given})
    assert kinds("apim-client-certificate", it) == kind
    assert kinds("apim-client-certificate", it, everyTier=True) == kind


def test_the_tier_is_known_in_any_case() -> None:
    it = resource("ApiManagementService", "it", {"sku": {"name": "consumption"}})
    assert kinds("apim-client-certificate", it) == {"violation"}


def test_on_other_tiers_it_is_not_unless_it_is_configured() -> None:
    hosts = [{"type": "Proxy", "hostName": "api.shop.example"}]
    it = resource("ApiManagementService", "it", {"sku": {"name": "Premium"}, "hostnameConfigurations": hosts})
    assert kinds("apim-client-certificate", it) == set()
    assert kinds("apim-client-certificate", it, everyTier=True) == {"violation"}


def test_where_the_tier_is_not_known_yet_nobody_can_tell() -> None:
    it = resource("ApiManagementService", "it", {"sku": {"name": UNKNOWN}, "enableClientCertificate": False})
    assert kinds("apim-client-certificate", it) == {"cannot tell"}


def test_consumption_is_let_off_what_it_does_not_have() -> None:
    it = resource("ApiManagementService", "it", {"sku": {"name": "Consumption"}})
    for rule in ("apim-min-api-version", "apim-weak-ciphers-disabled", "apim-public-network-disabled"):
        assert kinds(rule, it) == set(), rule


def test_an_autonamed_service_can_be_what_a_name_means_and_nobody_can_tell() -> None:
    it = resource("ApiManagementService", "it", {"sku": {"name": "Standard"}})
    logs = {"resourceUri": "/subscriptions/0/resourceGroups/shop/providers/Microsoft.ApiManagement/service/shop"}
    autoscale = resource("azure-native:monitor:AutoscaleSetting", "growth", {"targetResourceUri": logs["resourceUri"]})
    assert kinds("apim-autoscale", it, autoscale) == {"cannot tell"}


def test_an_autoscale_setting_may_be_on() -> None:
    named = {"targetResourceUri": UNKNOWN, "enabled": UNKNOWN}
    autoscale = resource("azure-native:monitor:AutoscaleSetting", "growth", named, targetResourceUri=[EDGE])
    assert kinds("apim-autoscale", EDGE, autoscale) == {"cannot tell"}


def network(*groups: str) -> list[Subject]:
    found = [resource("azure-native:network:NetworkSecurityGroup", name, {"securityRules": []}) for name in groups]
    subnets = [{"name": name, "networkSecurityGroup": {"id": UNKNOWN}} for name in groups]
    return [*found, resource("azure-native:network:VirtualNetwork", "network", {"subnets": subnets}, subnets=found)]


def inside(one: Subject, subnet: str = UNKNOWN) -> Subject:
    properties = {
        "sku": {"name": "Premium", "capacity": 1},
        "virtualNetworkType": "Internal",
        "virtualNetworkConfiguration": {"subnetResourceId": subnet},
    }
    return resource("ApiManagementService", "it", properties, virtualNetworkConfiguration=[one])


def test_the_one_subnet_of_a_network_is_meant_and_its_group_is_the_one_there_is() -> None:
    subjects = network("gateway")
    found = said("nsg-apim-management-port", inside(subjects[-1]), *subjects)
    assert found == [("violation", "gateway", "securityRules")]  # nobody lets API Management in


def test_which_subnet_of_several_is_meant_or_whose_group_is_whose_may_not_be_known_yet() -> None:
    subjects = network("gateway", "other")
    for subnet in (UNKNOWN, "${network.VirtualNetwork network.id}/subnets/gateway"):
        assert kinds("nsg-apim-management-port", inside(subjects[-1], subnet), *subjects) == {"cannot tell"}


def test_a_subnet_that_is_in_no_stack_is_said_to_be_so() -> None:
    it = inside(EDGE, "/subscriptions/0/resourceGroups/shop/providers/Microsoft.Network/virtualNetworks/shop/subnets/a")
    assert kinds("apim-subnet-nsg", it, EDGE) == {"cannot tell"}


@pytest.mark.parametrize("named", [True, False])
def test_a_subnet_that_is_a_resource_is_found_by_its_name_and_its_networks(named: bool) -> None:
    networks = [
        resource("azure-native:network:VirtualNetwork", name, {"virtualNetworkName": name}) for name in ("one", "two")
    ]

    def subnet(name: str, within: Subject) -> Subject:
        way: dict[str, Any] = {} if named else {"virtualNetworkName": [within]}
        properties = {"subnetName": name, "virtualNetworkName": within.name if named else UNKNOWN}
        return resource("azure-native:network:Subnet", f"{name}-{within.name}", properties, **way)

    subnets = [subnet(name, within) for within in networks for name in ("api", "other")]
    identity = "/subscriptions/0/resourceGroups/shop/providers/Microsoft.Network/virtualNetworks/two/subnets/api"
    it = resource("ApiManagementService", "it", {**inside(EDGE, identity).properties})
    assert said("apim-subnet-nsg", it, *networks, *subnets) == [("violation", "api-two", "networkSecurityGroup")]


def test_a_group_is_found_by_the_name_that_the_provider_made() -> None:
    identity = "/subscriptions/0/resourceGroups/shop/providers/Microsoft.Network/networkSecurityGroups/gateway1a2b3c4d"
    groups = [
        resource("azure-native:network:NetworkSecurityGroup", name, {"securityRules": []}) for name in ("gateway", "b")
    ]
    properties = {"subnetName": "gateway", "networkSecurityGroup": {"id": identity}}
    subnet = resource("azure-native:network:Subnet", "subnet", properties)
    found = said("nsg-apim-management-port", inside(subnet), subnet, *groups)
    assert found == [("violation", "gateway", "securityRules")]


# -- remediations ------------------------------------------------------------------------------------------------------

PREFIX = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security."


def test_settings_beside_an_old_protocol_are_kept_when_it_is_turned_off() -> None:
    rule = BY_NAME["apim-min-tls12"]
    customs = {f"{PREFIX}Protocols.Tls10": "True", f"{PREFIX}Protocols.Tls11": "False", "Other.Http2": "True"}
    assert written(rule, {"customProperties": customs}) == {
        "customProperties": {**customs, f"{PREFIX}Protocols.Tls10": "False"}
    }


def test_settings_that_are_not_known_yet_are_not_written_over() -> None:
    customs = {f"{PREFIX}Protocols.Tls10": "True", "Other.Http2": UNKNOWN}
    assert written(BY_NAME["apim-min-tls12"], {"customProperties": customs}) == {}


def test_old_protocols_of_a_host_name_are_turned_off() -> None:
    rule = BY_NAME["apim-min-tls12"]
    assert written(rule, {"tls10Enabled": True, "tls11Enabled": True}) == {"tls10Enabled": False, "tls11Enabled": False}
    assert written(rule, {"tls10Enabled": False, "customProperties": {f"{PREFIX}Protocols.Tls10": "False"}}) == {}


def written(rule: AnyRule, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    assert isinstance(rule, Rule)
    return values_for(rule, Subject("urn", rule.types[0], "it", properties), complete_settings(rule, {}))


# -- who calls ---------------------------------------------------------------------------------------------------------

ASKING = ("apim-api-authenticated", "apim-api-subscription-required", "apim-public-api-throttled")
OPEN = api(subscriptionRequired=False)


@pytest.mark.parametrize("rule", ASKING)
def test_where_a_policy_of_an_api_is_not_known_yet_nobody_can_tell(rule: str) -> None:
    assert kinds(rule, EDGE, OPEN, policy_of(OPEN, UNKNOWN)) == {"cannot tell"}


@pytest.mark.parametrize("rule", ASKING)
def test_a_policy_that_may_be_of_an_api_leaves_it_open(rule: str) -> None:
    may_be = resource("ApiPolicy", "rules", {"serviceName": UNKNOWN, "apiId": UNKNOWN, "value": TOKENS})
    assert kinds(rule, EDGE, OPEN, may_be) == {"cannot tell"}


@pytest.mark.parametrize("rule", ASKING)
def test_a_fragment_that_is_not_in_the_stack_leaves_open_what_is_in_it(rule: str) -> None:
    value = "<policies><inbound><base /><include-fragment fragment-id='who' /></inbound></policies>"
    assert kinds(rule, EDGE, OPEN, policy_of(OPEN, value)) == {"cannot tell"}


def test_what_is_not_known_leaves_nothing_open_where_the_rest_is_enough() -> None:
    value = TOKENS.replace("<base />", "<base /><include-fragment fragment-id='more' />")
    assert kinds("apim-api-authenticated", EDGE, OPEN, policy_of(OPEN, value)) == set()


def documented(security: list[dict[str, list[str]]]) -> Subject:
    """An API whose one operation says in its document who may call it."""
    said = {"openapi": "3.0.1", "paths": {"/a": {"get": {"operationId": "a", "security": security}}}}
    return api(subscriptionRequired=False, format="openapi+json", value=json.dumps(said))


DOCUMENTED: list[tuple[list[dict[str, list[str]]], set[str]]] = [
    ([{"oauth": []}], {"violation"}),
    ([{}], set()),
    ([{"oauth": []}, {}], set()),  # either will do, and nothing is one of them
]


@pytest.mark.parametrize(("security", "kind"), DOCUMENTED)
def test_a_document_that_says_who_may_call_asks_nobody(security: list[dict[str, list[str]]], kind: set[str]) -> None:
    it = documented(security)
    assert kinds("apim-api-authenticated", EDGE, it, policy_of(it, NOTHING)) == kind
    assert kinds("apim-api-authenticated", EDGE, it, policy_of(it)) == set()
    assert kinds("apim-public-api-throttled", EDGE, it, policy_of(it, NOTHING)) == {"violation"}
    # A policy that asks is for nothing where the document lets everybody in.
    assert kinds("apim-public-api-throttled", EDGE, it, policy_of(it)) == ({"violation"} if not kind else set())


def test_a_header_that_says_which_way_a_request_came_does_not_say_who_calls() -> None:
    def checked(code: str) -> str:
        check = f"<check-header name='X-Way' failed-check-httpcode='{code}'><value>front</value></check-header>"
        return NOTHING.replace("<base />", f"<base />{check}")

    assert kinds("apim-api-authenticated", EDGE, OPEN, policy_of(OPEN, checked("403"))) == {"violation"}
    assert kinds("apim-api-authenticated", EDGE, OPEN, policy_of(OPEN, checked("401"))) == set()


RANGES: list[tuple[str, str, set[str]]] = [
    ("0.0.0.0", "255.255.255.255", {"violation"}),
    ("0.0.0.0", "127.255.255.255", set()),
    ("203.0.113.0", "255.255.255.255", set()),
]


@pytest.mark.parametrize(("first", "last", "kind"), RANGES)
def test_a_filter_that_lets_in_every_address_filters_nothing(first: str, last: str, kind: set[str]) -> None:
    allowed = f"<ip-filter action='allow'><address-range from='{first}' to='{last}' /></ip-filter>"
    value = NOTHING.replace("<base />", f"<base />{allowed}")
    assert kinds("apim-policy-ip-filter", EDGE, OPEN, policy_of(OPEN, value)) == kind


@pytest.mark.parametrize(("own", "kind"), [(NOTHING, set[str]()), ("<policies><inbound /></policies>", {"violation"})])
def test_an_operation_meets_what_is_wider_where_its_own_policy_has_base(own: str, kind: set[str]) -> None:
    properties = {"serviceName": UNKNOWN, "apiId": UNKNOWN, "operationId": "a", "value": own}
    of_a = resource("ApiOperationPolicy", "a", properties, serviceName=[EDGE], apiId=[OPEN])
    assert kinds("apim-api-authenticated", EDGE, OPEN, policy_of(OPEN), of_a) == kind


def test_a_key_is_authentication_where_that_is_configured() -> None:
    keyed = api()
    assert kinds("apim-api-authenticated", EDGE, keyed) == {"violation"}
    assert kinds("apim-api-authenticated", EDGE, keyed, keysSuffice=True) == set()
    assert kinds("apim-api-authenticated", EDGE, OPEN, keysSuffice=True) == {"violation"}


def test_the_policy_of_a_workspace_is_for_its_own_apis() -> None:
    def held(kind: str, name: str, workspace: str, **more: Any) -> Subject:
        return resource(kind, name, {"serviceName": UNKNOWN, "workspaceId": workspace, **more}, serviceName=[EDGE])

    policy = held("WorkspacePolicy", "all", "sales", value=TOKENS)
    ours = held("WorkspaceApi", "ours", "sales", apiId="ours")
    theirs = held("WorkspaceApi", "theirs", "finance", apiId="theirs")
    found = said("apim-api-authenticated", EDGE, policy, ours, theirs, api("alone"))
    assert sorted(name for _, name, _ in found) == ["alone", "theirs"]


def test_the_policy_of_a_product_asks_nothing_of_who_comes_without_its_key() -> None:
    product = resource("Product", "partners", {"serviceName": UNKNOWN, "productId": "partners"}, serviceName=[EDGE])
    named = {"serviceName": UNKNOWN, "productId": UNKNOWN}
    of_product = resource("ProductPolicy", "of", {**named, "value": TOKENS}, serviceName=[EDGE], productId=[product])
    for it, kind in ((api(), set[str]()), (OPEN, {"violation"})):
        link = resource(
            "ProductApi", "link", {**named, "apiId": UNKNOWN}, serviceName=[EDGE], productId=[product], apiId=[it]
        )
        assert kinds("apim-api-authenticated", EDGE, it, product, link, of_product) == kind


def test_one_operation_in_a_document_that_is_not_covered_is_enough() -> None:
    paths = '{"openapi":"3.0.1","paths":{"/a":{"get":{"operationId":"a"}},"/b":{"get":{"operationId":"b"}}}}'
    it = api(format="openapi+json", value=paths)
    properties = {"serviceName": UNKNOWN, "apiId": UNKNOWN, "value": TOKENS}

    def of(name: str) -> Subject:
        return resource("ApiOperationPolicy", name, {**properties, "operationId": name}, serviceName=[EDGE], apiId=[it])

    assert kinds("apim-api-authenticated", EDGE, it, of("a")) == {"violation"}
    assert kinds("apim-api-authenticated", EDGE, it, of("a"), of("b")) == set()


def test_of_a_document_that_is_no_json_nobody_knows_all_operations() -> None:
    it = api(format="openapi", value="openapi: 3.0.1")
    properties = {"serviceName": UNKNOWN, "apiId": UNKNOWN, "operationId": "a", "value": TOKENS}
    of_a = resource("ApiOperationPolicy", "a", properties, serviceName=[EDGE], apiId=[it])
    assert kinds("apim-api-authenticated", EDGE, it, of_a) == {"violation"}


def test_an_operation_whose_id_is_not_known_yet_leaves_open_whether_all_are_covered() -> None:
    it = api()
    properties = {"serviceName": UNKNOWN, "apiId": UNKNOWN, "operationId": "a", "value": TOKENS}
    of_a = resource("ApiOperationPolicy", "a", properties, serviceName=[EDGE], apiId=[it])
    named = {"serviceName": UNKNOWN, "apiId": UNKNOWN}
    known = resource("ApiOperation", "one", {**named, "operationId": "a"}, serviceName=[EDGE], apiId=[it])
    unknown = resource("ApiOperation", "two", {**named, "operationId": UNKNOWN}, serviceName=[EDGE], apiId=[it])
    assert kinds("apim-api-authenticated", EDGE, it, of_a, known) == set()
    assert kinds("apim-api-authenticated", EDGE, it, of_a, known, unknown) == {"cannot tell"}


def test_apis_of_the_same_id_in_two_services_are_told_apart() -> None:
    other = resource("ApiManagementService", "other", {"serviceName": "other", "sku": {"name": "Standard"}})
    twin = resource("Api", "twin", {"apiId": "shop", "serviceName": UNKNOWN}, serviceName=[other])
    here = api()
    properties = {"serviceName": UNKNOWN, "apiId": "shop", "value": TOKENS}
    rules = resource("ApiPolicy", "rules", properties, serviceName=[EDGE])
    assert [name for _, name, _ in said("apim-api-authenticated", EDGE, other, here, twin, rules)] == ["twin"]


def test_an_empty_list_is_not_enough_where_that_is_configured() -> None:
    value = '{"openapi":"3.0.1","info":{"title":"Shop"},"paths":{"/a":{"get":{"security":[]}}}}'
    it = api(format="openapi+json", value=value)
    assert kinds("apim-openapi-security", it) == set()
    assert said("apim-openapi-security", it, acceptEmpty=False) == [
        ("violation", "shop", "value.paths./a.get.security")
    ]


def test_a_document_that_is_not_known_yet_says_nothing() -> None:
    assert kinds("apim-openapi-security", api(format="openapi+json", value=UNKNOWN)) == {"cannot tell"}


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://10.0.0.1", True),
        ("http://edge:secret@192.168.1.1:8080/a", True),
        ("http://[fd00::1]:80", True),
        ("http://[::1]", True),
        ("http://localhost", True),
        ("http://orders.shop.internal.", True),
        ("http://ORDERS.SHOP.LOCAL", True),
        ("http://11.0.0.1", False),
        ("http://203.0.113.7", False),
        ("http://10.0.0.999", False),
        ("http://[2001:db8::1]", False),
        ("http://shop.example#.internal", False),
        ("http://shop.example?.internal", False),
        ("http://${network.LoadBalancer inner.frontendIPConfigurations[a].privateIPAddress}:80", True),
        ("http://${network.PublicIPAddress outer.ipAddress}", None),
    ],
)
def test_an_address_is_private_where_nobody_outside_can_be_meant(url: str, private: bool | None) -> None:
    found = address(url)
    assert found is not None
    assert found.private([".internal", ".local"]) is private


@pytest.mark.parametrize(("text", "own"), [("10.0.0.0/8", True), ("10.0.0.0/7", False), ("fe80::1", True), ("", False)])
def test_a_prefix_is_of_ones_own_where_all_of_it_is(text: str, own: bool) -> None:
    assert is_own(text) is own


def test_private_addresses_are_no_excuse_where_that_is_configured() -> None:
    inner = resource("Backend", "it", {"serviceName": "edge", "url": "http://10.0.0.1", "type": "Single"})
    for rule in ("apim-backend-https", "apim-backend-authenticated"):
        assert kinds(rule, inner) == set(), rule
        assert kinds(rule, inner, acceptPrivate=False) == {"violation"}, rule
    it = api(serviceUrl="http://10.0.0.1")
    assert kinds("apim-api-service-url-https", it, acceptPrivate=False) == {"violation"}
    assert kinds("apim-backend-https", backend("http://orders.corp"), privateSuffixes=[".corp"]) == set()


def backend(url: str, **more: Any) -> Subject:
    return resource("Backend", "it", {"serviceName": "edge", "url": url, "type": "Single", **more})


@pytest.mark.parametrize(
    "url", [UNKNOWN, "http://${network.PublicIPAddress outer.ipAddress}", "{{orders}}", "http://{{a}}"]
)
def test_of_an_address_that_is_not_known_yet_nobody_can_tell(url: str) -> None:
    assert kinds("apim-backend-https", backend(url)) == {"cannot tell"}
    assert kinds("apim-backend-authenticated", backend(url)) == {"cannot tell"}


def test_a_managed_identity_of_a_backend_is_something_to_show() -> None:
    it = backend("https://orders.shop.example", credentials={"managedIdentity": {"resource": "api://orders"}})
    assert kinds("apim-backend-authenticated", it) == set()


def test_a_policy_that_chooses_backends_by_code_may_be_about_any_of_them() -> None:
    one = api()
    value = (
        "<policies><inbound><set-backend-service backend-id='@(\"a\")' /><authentication-basic /></inbound></policies>"
    )
    it = resource("Backend", "it", {"serviceName": UNKNOWN, "url": "https://a.example"}, serviceName=[EDGE])
    assert kinds("apim-backend-authenticated", EDGE, one, policy_of(one, value), it) == set()
    assert kinds("apim-backend-authenticated", EDGE, one, policy_of(one, UNKNOWN), it) == {"cannot tell"}


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_of_a_product_or_an_api_of_the_stack_is_for_that_alone() -> None:
    product = resource("Product", "partners", {"serviceName": "edge", "productId": "partners"})
    scoped = resource("Subscription", "it", {"scope": UNKNOWN, "state": "active"}, scope=[product])
    assert kinds("apim-subscription-scope", scoped) == set()
    assert kinds("apim-subscription-scope", resource("Subscription", "it", {"scope": UNKNOWN})) == {"cannot tell"}


def test_every_named_value_may_be_asked_to_come_from_a_vault() -> None:
    it = resource("NamedValue", "it", {"displayName": "tenant", "value": "0"})
    assert kinds("apim-named-value-keyvault", it) == set()
    assert kinds("apim-named-value-keyvault", it, everyValue=True) == {"violation"}
