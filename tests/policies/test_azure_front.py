"""Rules over what stands before API Management, run over plans of our own stacks, and what no example can show."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest

from azure_stacks import BOUND, REPOSITORY, STACKS, everything, planned
from edgewright.azure.planned import plan
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan
from edgewright.policies.azure import application_gateway, front_door, monitoring, waf
from edgewright.policies.azure.identities import means
from edgewright.policies.graph import from_plan
from edgewright.policies.rule import AnyRule, Rule, check_resources
from edgewright.policies.view import UNKNOWN, Subject, View
from edgewright.spec.document import load
from policies.examples import urn_of

RULES: tuple[AnyRule, ...] = (*application_gateway.RULES, *waf.RULES, *front_door.RULES, *monitoring.RULES)
ON = [rule for rule in RULES if not rule.optional]
BY_NAME = {rule.name: rule for rule in RULES}

APPGW, FRONT_DOOR = "azure-appgw-waf", "azure-front-door"
SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def said(resources: list[Subject]) -> list[tuple[str, str, str]]:
    return [(verdict.rule, verdict.kind, verdict.path) for verdict in check_resources(resources, ON)]


# -- our own stacks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", STACKS)
def test_our_stacks_break_no_rule_and_leave_nothing_open(stack: str) -> None:
    assert said(from_plan(planned(stack).resources)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_knows_enough_of_our_stacks(stack: str) -> None:
    """What a plan has tokens in is unknown to the engine as a whole, until the first update."""
    preview = [
        Subject(subject.urn, subject.type, subject.name, unknown_where_tokens_are(subject.properties), subject.refs)
        for subject in from_plan(planned(stack).resources)
    ]
    assert said(preview) == []


def unknown_where_tokens_are(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: unknown_where_tokens_are(item) for key, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [unknown_where_tokens_are(item) for item in cast(list[Any], value)]
    return SENTINEL if isinstance(value, str) and "${" in value else value


@pytest.mark.parametrize("topology", ["appgw-waf", "front-door"])
def test_what_stands_in_front_is_no_weaker_for_development(topology: Any) -> None:
    hello = resolve(load(REPOSITORY / "stacks" / "hello.edge.yaml"))
    assert said(from_plan(plan(hello, {**BOUND, "profile": "development"}, topology).resources)) == []


def test_the_stack_that_has_all_of_a_managed_gateway_breaks_none() -> None:
    assert said(from_plan(everything().resources)) == []


@pytest.mark.parametrize("topology", ["appgw-waf", "front-door"])
@pytest.mark.parametrize("firewall", ["", "waf: {}\n", "waf: {managed: [sql-injection], rate_per_ip: 100/s}\n"])
def test_a_spec_that_asks_for_a_firewall_has_no_weaker_one(tmp_path: Path, topology: Any, firewall: str) -> None:
    spec = tmp_path / "hello.edge.yaml"
    hello = (REPOSITORY / "stacks" / "hello.edge.yaml").read_text(encoding="utf-8")
    spec.write_text(f"{hello}\n{firewall}", encoding="utf-8")
    assert said(from_plan(plan(resolve(load(spec)), BOUND, topology).resources)) == []


def test_a_spec_whose_firewall_only_counts_breaks_the_rule_on_that(tmp_path: Path) -> None:
    spec = tmp_path / "hello.edge.yaml"
    hello = (REPOSITORY / "stacks" / "hello.edge.yaml").read_text(encoding="utf-8")
    spec.write_text(f"{hello}\nwaf: {{mode: count}}\n", encoding="utf-8")
    found = said(from_plan(plan(resolve(load(spec)), BOUND, "front-door").resources))
    assert found == [("afd-waf-prevention", "violation", "policySettings.mode")]


def test_our_stacks_have_what_the_rules_look_at() -> None:
    there = {resource.type for stack in STACKS for resource in planned(stack).resources}
    unseen = {rule.name for rule in ON if not there & set(rule.types)}
    assert unseen == {"agw-for-containers-security-policy"}


# -- the same, with one thing taken away or changed --------------------------------------------------------------------

Change = Callable[[dict[str, Any]], None]


def without(plan_: Plan, kind: str, name: str) -> list[Subject]:
    left = [item for item in plan_.resources if not (item.type == kind and item.name.endswith(name))]
    assert len(left) == len(plan_.resources) - 1
    return from_plan(left)


TAKEN_AWAY = [
    (APPGW, "azure-native:monitor:DiagnosticSetting", "firewall-logs", "agw-diagnostic-settings"),
    (FRONT_DOOR, "azure-native:monitor:DiagnosticSetting", "front-door-logs", "afd-diagnostic-settings"),
]


@pytest.mark.parametrize(("stack", "kind", "name", "rule"), TAKEN_AWAY, ids=lambda item: str(item).rpartition(":")[2])
def test_a_stack_that_loses_its_logs_breaks_the_rule(stack: str, kind: str, name: str, rule: str) -> None:
    assert said(without(planned(stack), kind, name)) == [(rule, "violation", "")]


def test_a_front_door_that_loses_its_security_policy_has_names_without_a_firewall() -> None:
    found = check_resources(without(planned(FRONT_DOOR), front_door.SECURITY_POLICY, "security"), ON)
    # The endpoint's own name answers nothing: the route is not linked to it.
    assert [(verdict.rule, verdict.urn.rpartition("$")[2].partition("::")[0]) for verdict in found] == [
        ("afd-waf-attached", front_door.DOMAIN)
    ]


def small_subnet(inputs: dict[str, Any]) -> None:
    (front,) = (subnet for subnet in inputs["subnets"] if subnet["name"] == "front")
    front["addressPrefix"] = "10.43.2.0/26"


def answer_http(inputs: dict[str, Any]) -> None:
    (rule,) = (rule for rule in inputs["requestRoutingRules"] if rule["name"] == "edge-http")
    del rule["redirectConfiguration"]


def open_backend(inputs: dict[str, Any]) -> None:
    inputs["backendHttpSettingsCollection"][0] |= {"protocol": "Http", "port": 80}


def no_policy(inputs: dict[str, Any]) -> None:
    del inputs["firewallPolicy"]


def no_redirect(inputs: dict[str, Any]) -> None:
    inputs["httpsRedirect"] = "Disabled"


def other_paths(inputs: dict[str, Any]) -> None:
    inputs["parameters"]["associations"][0]["patternsToMatch"] = ["/api/*"]


def no_tags(inputs: dict[str, Any]) -> None:
    del inputs["tags"]


CHANGED: list[tuple[str, str, Change, str, str]] = [
    (APPGW, application_gateway.NETWORK, small_subnet, "agw-subnet-size", "subnets[2].addressPrefix"),
    (
        APPGW,
        application_gateway.GATEWAY,
        answer_http,
        "agw-https-listeners",
        "requestRoutingRules[1].redirectConfiguration",
    ),
    (
        APPGW,
        application_gateway.GATEWAY,
        open_backend,
        "agw-backend-https",
        "backendHttpSettingsCollection[0].protocol",
    ),
    (APPGW, application_gateway.GATEWAY, no_policy, "agw-waf-enabled", "firewallPolicy"),
    (APPGW, waf.GATEWAY_POLICY, no_tags, "resource-tagged", "tags"),
    (FRONT_DOOR, front_door.ROUTE, no_redirect, "afd-https-only", "httpsRedirect"),
    (
        FRONT_DOOR,
        front_door.SECURITY_POLICY,
        other_paths,
        "afd-waf-all-paths",
        "parameters.associations[0].patternsToMatch",
    ),
]


@pytest.mark.parametrize(
    ("stack", "kind", "change", "rule", "path"), CHANGED, ids=lambda item: getattr(item, "__name__", "")
)
def test_a_stack_that_is_changed_breaks_the_rule(stack: str, kind: str, change: Change, rule: str, path: str) -> None:
    subjects: list[Subject] = []
    for subject in from_plan(planned(stack).resources):
        if subject.type == kind:
            inputs = deepcopy(dict(subject.properties))
            change(inputs)
            subjects.append(Subject(subject.urn, subject.type, subject.name, inputs, subject.refs))
        else:
            subjects.append(subject)
    assert said(subjects) == [(rule, "violation", path)]


# -- what examples do not show -----------------------------------------------------------------------------------------


FIREWALL = {"wafPolicy": {"id": "/policies/shop"}}
OTHERS = {"associations": [{"domains": [{"id": "/profiles/world/afdEndpoints/other"}], "patternsToMatch": ["/*"]}]}
LATER = {"associations": [{"domains": [{"id": SENTINEL}], "patternsToMatch": ["/*"]}]}
PROTECTING: list[tuple[Any, str]] = [
    ({**FIREWALL, **OTHERS}, "violation"),
    ({**FIREWALL, **LATER}, "cannot tell"),
    ({**FIREWALL, "associations": SENTINEL}, "cannot tell"),
    (SENTINEL, "cannot tell"),
    (OTHERS, "violation"),
]


@pytest.mark.parametrize(("parameters", "kind"), PROTECTING)
def test_a_security_policy_whose_names_are_known_later_may_be_the_one_of_an_endpoint(
    parameters: Any, kind: str
) -> None:
    endpoint = Subject(urn_of(front_door.ENDPOINT, "shop"), front_door.ENDPOINT, "shop", {"endpointName": "shop"})
    policy = Subject(
        urn_of(front_door.SECURITY_POLICY, "it"), front_door.SECURITY_POLICY, "it", {"parameters": parameters}
    )
    found = check_resources([endpoint, policy], [BY_NAME["afd-waf-attached"]])
    assert {verdict.kind for verdict in found if verdict.urn == endpoint.urn} == {kind}


def test_exclusions_that_name_their_rules_are_accepted_where_a_stack_says_so() -> None:
    narrow = {
        "ruleSetType": "OWASP",
        "ruleSetVersion": "3.2",
        "ruleGroups": [{"ruleGroupName": "SQLI", "rules": [{"ruleId": "942100"}]}],
    }
    wide = {"ruleSetType": "OWASP", "ruleSetVersion": "3.2", "ruleGroups": [{"ruleGroupName": "SQLI"}]}
    header = {"matchVariable": "RequestHeaderNames", "selectorMatchOperator": "Equals", "selector": "authorization"}
    policy = Subject(
        urn_of(waf.GATEWAY_POLICY, "shop"),
        waf.GATEWAY_POLICY,
        "shop",
        {
            "managedRules": {
                "exclusions": [
                    {**header, "exclusionManagedRuleSets": [narrow]},
                    {**header, "exclusionManagedRuleSets": [wide]},
                    header,
                ],
                "exceptions": [{"matchVariable": "RequestURI", "exceptionManagedRuleSets": [narrow]}],
            }
        },
    )
    rules = [BY_NAME["agw-waf-no-exclusions"]]
    assert len(check_resources([policy], rules)) == 4
    left = check_resources([policy], rules, {"agw-waf-no-exclusions": {"acceptNarrow": True}})
    assert [verdict.path for verdict in left] == [f"managedRules.exclusions[{at}].matchVariable" for at in (1, 2)]


REMEDIED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("agw-min-tls12", {}, {"sslPolicy": {"policyType": "Predefined", "policyName": "AppGwSslPolicy20220101S"}}),
    # One that somebody chose, and one that profiles may not stand beside.
    ("agw-min-tls12", {"sslPolicy": {"policyName": "AppGwSslPolicy20150501"}}, {}),
    ("agw-min-tls12", {"sslPolicy": SENTINEL}, {}),
    ("agw-min-tls12", {"sslProfiles": [{"name": "partners"}]}, {}),
    (
        "agw-connection-draining",
        {
            "backendHttpSettingsCollection": [
                {"name": "none"},
                {"name": "off", "connectionDraining": {"enabled": False, "drainTimeoutInSec": 5.0}},
                {"name": "on", "connectionDraining": {"enabled": True, "drainTimeoutInSec": 5.0}},
                {"name": "unknown", "connectionDraining": {"enabled": SENTINEL, "drainTimeoutInSec": 5.0}},
                {"name": "all unknown", "connectionDraining": SENTINEL},
            ]
        },
        {
            "backendHttpSettingsCollection[0].connectionDraining": {"enabled": True, "drainTimeoutInSec": 60},
            "backendHttpSettingsCollection[1].connectionDraining.enabled": True,
        },
    ),
    ("agw-http2-enabled", {}, {"enableHttp2": True}),
    ("agw-http2-enabled", {"enableHttp2": False}, {"enableHttp2": True}),
    ("agw-http2-enabled", {"enableHttp2": True}, {}),
    ("agw-http2-enabled", {"enableHttp2": SENTINEL}, {}),
]


@pytest.mark.parametrize(("name", "properties", "wanted"), REMEDIED, ids=str)
def test_what_can_be_remedied_is_and_what_is_not_known_is_left(
    name: str, properties: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    rule = BY_NAME[name]
    assert isinstance(rule, Rule)
    assert rule.remediation is not None
    gateway = Subject(urn_of(application_gateway.GATEWAY, "shop"), application_gateway.GATEWAY, "shop", properties)
    assert rule.remediation(View(gateway)) == wanted


PARTS: list[tuple[str, Any]] = [
    ("/subscriptions/0/httpListeners/shop", "shop"),
    ("shop", "shop"),
    ("${network.VirtualNetwork a/b.id}/subnets/front", "front"),
    ("/resourceGroups/${resources.ResourceGroup shop.name}/httpListeners/shop", "shop"),
    ("${network.Subnet a/b.id}", UNKNOWN),
    ("/httpListeners/${network.Thing it.name}", UNKNOWN),
    ("/httpListeners/${network.Thing it.name}-http", UNKNOWN),
    (SENTINEL, UNKNOWN),
]


@pytest.mark.parametrize(("text", "part"), PARTS)
def test_the_last_part_of_an_id_is_known_where_the_first_is_not(text: str, part: object) -> None:
    view = View(Subject("urn", "type", "name", {"reference": {"id": text}}))
    assert view.last_part("reference.id") == part
    assert bool(view.unread) == (part is UNKNOWN)


IN_SHOP = "/subscriptions/0/resourceGroups/shop/providers/"
MEANT: list[tuple[str, str, dict[str, Any], bool | None]] = [
    ("network:ApplicationGateway", "front", {"applicationGatewayName": "Front"}, True),
    (
        "network:ApplicationGateway",
        f"{IN_SHOP}Microsoft.Network/applicationGateways/FRONT",
        {"applicationGatewayName": "front", "resourceGroupName": "Shop"},
        True,
    ),
    (
        "apimanagement:ApiManagementService",
        f"{IN_SHOP}Microsoft.ApiManagement/service/api",
        {"serviceName": "api"},
        True,
    ),
    (
        "network:PublicIPAddress",
        f"{IN_SHOP}Microsoft.Network/publicIPAddresses/ip",
        {"publicIpAddressName": "ip"},
        True,
    ),
    ("cdn:AFDCustomDomain", f"{IN_SHOP}Microsoft.Cdn/profiles/w/customDomains/d", {"customDomainName": "d"}, True),
    ("network:VirtualNetwork", f"{IN_SHOP}Microsoft.Network/virtualNetworks/n", {"virtualNetworkName": "n"}, True),
    (
        "network:Subnet",
        f"{IN_SHOP}Microsoft.Network/virtualNetworks/n/subnets/s",
        {"virtualNetworkName": "other", "subnetName": "s"},
        False,
    ),
    (
        "network:LoadBalancer",
        f"{IN_SHOP}Microsoft.Network/applicationGateways/front",
        {"loadBalancerName": "front"},
        False,
    ),
    (
        "network:ApplicationGateway",
        f"{IN_SHOP}Microsoft.Network/applicationGateways/front",
        {"applicationGatewayName": "front", "resourceGroupName": "other"},
        False,
    ),
    (
        "network:ApplicationGateway",
        f"{IN_SHOP}Microsoft.Network/applicationGateways/front",
        {"applicationGatewayName": "front", "resourceGroupName": SENTINEL},
        None,
    ),
    (
        "network:ApplicationGateway",
        f"{IN_SHOP}Microsoft.Network/applicationGateways/front",
        {"applicationGatewayName": SENTINEL, "resourceGroupName": "shop"},
        None,
    ),
    ("network:ApplicationGateway", f"{IN_SHOP}Microsoft.Network/applicationGateways/front", {}, False),
]


@pytest.mark.parametrize(("kind", "text", "properties", "meant"), MEANT, ids=lambda item: str(item)[-30:])
def test_an_id_that_is_written_out_means_what_has_its_names(
    kind: str, text: str, properties: Mapping[str, Any], meant: bool | None
) -> None:
    target = View(Subject(urn_of(kind, "it"), f"azure-native:{kind}", "it", properties))
    assert means(text, target) is meant
    assert not target.unread
