"""Rules over Azure networks beyond their examples: settings, how addresses are read, and denials that come before."""

import random
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from edgewright.policies.azure import key_vault, load_balancer, network
from edgewright.policies.azure.security_rules import breadth, denies_all, open_to_tcp, openings
from edgewright.policies.rule import Verdict, check_resources
from edgewright.policies.view import Subject, View
from policies.examples import urn_of, wire

RULES = {rule.name: rule for module in (load_balancer, network, key_vault) for rule in module.RULES}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
GROUP = "azure-native:network:NetworkSecurityGroup"
RULE = "azure-native:network:SecurityRule"
BALANCER = "azure-native:network:LoadBalancer"
POOL = "azure-native:network:LoadBalancerBackendAddressPool"
SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
INTERFACE = "azure-native:network:NetworkInterface"
NETWORK = "azure-native:network:VirtualNetwork"
NAT_RULE = "azure-native:network:InboundNatRule"
VAULT = "azure-native:keyvault:Vault"
ADDRESS = "azure-native:network:PublicIPAddress"
ENDPOINT = "azure-native:network:PrivateEndpoint"

OPEN: dict[str, Any] = {
    "name": "open",
    "priority": 200,
    "direction": "Inbound",
    "access": "Allow",
    "protocol": "Tcp",
    "sourceAddressPrefix": "Internet",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "10.0.1.0/24",
    "destinationPortRange": "443",
}
OUT = {**OPEN, "direction": "Outbound", "sourceAddressPrefix": "10.0.1.0/24", "destinationAddressPrefix": "Internet"}
OUTSIDE = {"name": "edge", "publicIPAddress": {"id": "address"}}
INSIDE = {"name": "orders", "subnet": {"id": "subnet"}, "zones": ["1", "2", "3"]}


def subject(
    kind: str, properties: Mapping[str, Any], name: str = "it", refs: Mapping[str, Sequence[Subject]] | None = None
) -> Subject:
    meant = {key: frozenset(target.urn for target in targets) for key, targets in (refs or {}).items()}
    return Subject(urn_of(kind, name), kind, name, wire(properties), meant)


def said(rule: str, *subjects: Subject, **settings: Any) -> list[Verdict]:
    return check_resources(subjects, [RULES[rule]], {rule: settings})


def paths(rule: str, *subjects: Subject, **settings: Any) -> list[str]:
    return [verdict.path for verdict in said(rule, *subjects, **settings) if verdict.kind == "violation"]


def group(*rules: Mapping[str, Any]) -> Subject:
    return subject(GROUP, {"securityRules": list(rules)})


# -- settings ----------------------------------------------------------------------------------------------------------

SETTINGS: list[tuple[str, Subject, dict[str, Any], dict[str, Any]]] = [
    ("nsg-no-any-inbound", group({**OPEN, "destinationPortRange": "8883"}), {}, {"ports": [443, 8883]}),
    ("nsg-no-any-inbound", group(OPEN), {"ports": [8883]}, {}),
    ("nsg-no-internet-udp", group({**OPEN, "protocol": "Udp"}), {}, {"ports": [443]}),
    ("nsg-no-public-egress", group({**OUT, "destinationPortRange": "8443"}), {}, {"ports": [8443]}),
    ("nsg-no-public-egress", group(OUT), {"ports": []}, {}),
    (
        "nsg-flow-logs",
        subject(
            "azure-native:network:FlowLog",
            {
                "enabled": True,
                "retentionPolicy": {"days": 120},
                "flowAnalyticsConfiguration": {"networkWatcherFlowAnalyticsConfiguration": {"enabled": True}},
            },
        ),
        {"days": 121},
        {"days": 120},
    ),
    ("nsg-name-valid", subject(GROUP, {"networkSecurityGroupName": "front"}), {"prefix": "nsg-"}, {"prefix": "fr"}),
    ("subnet-has-nsg", subject(NETWORK, {"subnets": [{"name": "old"}]}), {}, {"exempt": ["OLD"]}),
    ("subnet-has-nsg", subject(NETWORK, {"subnets": [{"name": "GatewaySubnet"}]}), {"exempt": []}, {}),
    ("subnet-private", subject(NETWORK, {"subnets": [{"name": "old"}]}), {}, {"exempt": ["old"]}),
    (
        "vnet-dns",
        subject(
            NETWORK,
            {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "dhcpOptions": {"dnsServers": ["10.0.0.4", "10.1.0.4"]},
            },
        ),
        {"local": True},
        {},
    ),
    (
        "lb-health-probe-specific",
        subject(BALANCER, {"probes": [{"name": "alive", "protocol": "Tcp", "port": 9000}]}),
        {"ports": [9000]},
        {},
    ),
    (
        "lb-public-frontend-justified",
        subject(BALANCER, {"frontendIPConfigurations": [OUTSIDE], "tags": {"public": "clients"}}),
        {},
        {"tag": "public"},
    ),
    (
        "lb-public-frontend-justified",
        subject(BALANCER, {"frontendIPConfigurations": [OUTSIDE]}),
        {"allowed": ["other"]},
        {"allowed": ["it"]},
    ),
    (
        "lb-no-inbound-nat-mgmt-ports",
        subject(BALANCER, {"frontendIPConfigurations": [OUTSIDE], "inboundNatRules": [{"backendPort": 2222}]}),
        {"ports": [2222]},
        {},
    ),
    (
        "lb-name-valid",
        subject(BALANCER, {"loadBalancerName": "lbi-shop", "frontendIPConfigurations": [OUTSIDE]}),
        {"internalPrefix": "lbi-", "publicPrefix": "lbe-"},
        {"internalPrefix": "lbe-", "publicPrefix": "lbi-"},
    ),
    (
        "lb-backend-two-instances",
        subject(POOL, {"loadBalancerBackendAddresses": [{"ipAddress": "10.0.0.4"}, {"ipAddress": "10.0.0.5"}]}),
        {"members": 3},
        {},
    ),
    ("lb-backend-two-instances", subject(POOL, {}), {"empty": False}, {}),
    ("pip-names-valid", subject(ADDRESS, {"publicIpAddressName": "edge"}), {"prefix": "pip-"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "of", "against", "fits"), SETTINGS, ids=[f"{at} {case[0]}" for at, case in enumerate(SETTINGS)]
)
def test_a_setting_decides(rule: str, of: Subject, against: dict[str, Any], fits: dict[str, Any]) -> None:
    assert paths(rule, of, **against) != []
    assert said(rule, of, **fits) == []


def test_the_default_ports_of_lateral_traversal_may_be_others() -> None:
    denied = {**OUT, "access": "Deny", "destinationAddressPrefix": "VirtualNetwork", "sourceAddressPrefix": "*"}
    of = group({**denied, "destinationPortRange": "5985"})
    assert paths("nsg-lateral-traversal", of) == ["", ""]
    assert said("nsg-lateral-traversal", of, ports=[5985]) == []


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "meant"),
    [
        (["*"], "any"),
        (["any"], "any"),
        (["0.0.0.0/0"], "any"),
        (["::/0"], "any"),
        (["0.0.0.0/1"], "any"),
        (["128.0.0.0/2", "10.0.0.0/8"], "any"),
        (["2000::/3"], "any"),
        (["10.0.0.0/7"], "any"),  # as much of it as is public
        ([f"{first}.0.0.0/9" for first in range(11, 25, 2)], "any"),
        (["internet"], "internet"),
        (["internet", "10.0.0.0/8"], "internet"),
        (["internet", "*"], "any"),
        (["azurecloud"], "azure"),
        (["azurecloud.westeurope"], "azure"),
        ([], None),
        (["10.0.0.0/8"], None),
        (["172.16.0.0/12", "192.168.0.0/16", "fc00::/7"], None),
        (["11.0.0.0/8"], None),  # one owner's
        (["203.0.113.0/24", "2001:db8::/32"], None),
        (["virtualnetwork"], None),
        (["azureloadbalancer"], None),
        (["azurefrontdoor.backend"], None),
    ],
    ids=str,
)
def test_addresses_mean_the_internet_however_they_are_written(listed: list[str], meant: str | None) -> None:
    assert breadth(listed) == meant


# -- denials that come before ------------------------------------------------------------------------------------------

_CLIENTS = [ip_address(text) for text in ("1.1.1.1", "8.8.8.8", "100.0.0.1", "141.2.3.4", "203.0.113.7", "220.1.2.3")]
_WORDS = ("*", "Internet", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.113.0/24", "VirtualNetwork")
_HERE = ip_address("10.0.1.4")


def _lets_in(rules: Sequence[Mapping[str, Any]], client: Any, port: int) -> bool:
    """What Azure does with TCP from a client to a port of 10.0.1.4: the first rule that fits, in the order of numbers."""
    for rule in sorted(rules, key=lambda one: one["priority"]):
        low, _, high = str(rule["destinationPortRange"]).replace("*", "0-65535").partition("-")
        if (
            rule["protocol"] in {"*", "Tcp"}
            and int(low) <= port <= int(high or low)
            and _is_in(client, rule["sourceAddressPrefix"])
            and _is_in(_HERE, rule["destinationAddressPrefix"])
            and rule["sourcePortRange"] == "*"
        ):
            return rule["access"] == "Allow"
    return False


def _is_in(address: Any, word: str) -> bool:
    if word == "VirtualNetwork":
        return address in ip_network("10.0.0.0/8")
    return word in {"*", "Internet"} or address in ip_network(word)


def test_what_is_open_to_everybody_is_seen_whatever_is_denied_before_it() -> None:
    chance = random.Random(6)
    opened = closed = 0
    for _ in range(600):
        rules = [
            {
                **OPEN,
                "priority": priority,
                "access": chance.choice(["Allow", "Deny"]),
                "protocol": chance.choice(["Tcp", "Udp", "*"]),
                "sourceAddressPrefix": chance.choice(_WORDS),
                "sourcePortRange": chance.choice(["*", "*", "*", "1024-65535"]),
                "destinationAddressPrefix": chance.choice(["*", "10.0.1.0/24", "10.0.2.0/24"]),
                "destinationPortRange": chance.choice(["*", "22", "20-25", "23-443", "80", "0-79"]),
            }
            for priority in chance.sample(range(100, 200), 5)
        ]
        view = View(group(*rules))
        seen = [one for one in openings(view, "Inbound") if one.protocol in {"tcp", "*"} and one.public]
        for port in (22, 80, 443):
            if all(_lets_in(rules, client, port) for client in _CLIENTS):
                opened += 1
                assert any(one.hit([port]) for one in seen), (port, rules)
            elif not any(one.hit([port]) for one in seen):
                closed += 1
    assert opened > 200
    assert closed > 200, "hardly anything is closed: nothing is proved"


def test_a_denial_that_is_not_known_yet_leaves_it_open_whether_something_is_closed() -> None:
    denied = {**OPEN, "access": "Deny", "protocol": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}
    allowed = {**OPEN, "destinationPortRange": "22"}
    for unknown in ({"priority": UNKNOWN}, {"priority": 100, "sourceAddressPrefix": UNKNOWN}):
        found = said("nsg-no-internet-ssh", group(allowed, {**denied, "priority": 100, **unknown}))
        assert {verdict.kind for verdict in found} == {"cannot tell"}
    known = said("nsg-no-internet-ssh", group(allowed, {**denied, "priority": 300, "sourceAddressPrefix": UNKNOWN}))
    assert [verdict.kind for verdict in known] == ["violation"], "a denial that comes later is of no interest"


def test_a_rule_in_the_list_that_is_not_known_yet_may_be_a_denial() -> None:
    of = subject(GROUP, {"securityRules": [{**OPEN, "destinationPortRange": "22"}, UNKNOWN]})
    assert {verdict.kind for verdict in said("nsg-no-internet-ssh", of)} == {"cannot tell"}


def test_ports_that_are_none_are_not_passed_in_silence() -> None:
    found = said("nsg-no-internet-ssh", group({**OPEN, "destinationPortRange": "ssh"}))
    assert [(verdict.kind, verdict.text) for verdict in found] == [("cannot tell", "has `ssh`, which is no port")]


# -- who belongs to whom -----------------------------------------------------------------------------------------------


def machines(capacity: Any, *pools: str, **refs: Sequence[Subject]) -> Subject:
    entries = [{"id": pool} for pool in pools]
    inside = {"ipConfigurations": [{"loadBalancerBackendAddressPools": entries}]}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [inside]}}
    return subject(
        SCALE_SET, {"sku": {"capacity": capacity}, "virtualMachineProfile": profile}, name="machines", refs=refs
    )


def test_a_scale_set_counts_in_the_pool_that_it_names_of_several() -> None:
    pools = {"backendAddressPools": [{"name": "one"}, {"name": "two"}]}
    of = subject(BALANCER, pools)
    mine = machines(1, "${network.LoadBalancer it.id}/backendAddressPools/two", virtualMachineProfile=[of])
    assert paths("lb-backend-two-instances", of, mine) == ["backendAddressPools[1]"]


def test_a_scale_set_whose_pool_is_not_known_yet_may_be_in_any() -> None:
    of = subject(BALANCER, {"backendAddressPools": [{"name": "one"}, {"name": "two"}]})
    found = said("lb-backend-two-instances", of, machines(1, UNKNOWN, virtualMachineProfile=[of]))
    assert {verdict.kind for verdict in found} == {"cannot tell"}
    assert {verdict.path for verdict in found if verdict.urn == of.urn} == {
        "backendAddressPools[0]",
        "backendAddressPools[1]",
    }


@pytest.mark.parametrize("capacity", [UNKNOWN, None], ids=["unknown", "the autoscaler's"])
def test_a_scale_set_of_a_size_that_nobody_knows_is_not_called_too_small(capacity: Any) -> None:
    of = subject(BALANCER, {"backendAddressPools": [{"name": "one"}]})
    found = said("lb-backend-two-instances", of, machines(capacity, UNKNOWN, virtualMachineProfile=[of]))
    assert {verdict.kind for verdict in found} == {"cannot tell"}


def test_a_machine_that_is_in_a_pool_twice_is_one_member() -> None:
    of = subject(POOL, {"loadBalancerName": "shop"})
    both = {"ipConfigurations": [{"loadBalancerBackendAddressPools": [{"id": "pool"}, {"id": "pool"}]}]}
    assert paths("lb-backend-two-instances", of, subject(INTERFACE, both, "one", {"ipConfigurations": [of]})) == [""]


def test_a_nat_rule_of_a_balancer_elsewhere_is_not_passed_in_silence() -> None:
    of = subject(NAT_RULE, {"loadBalancerName": "elsewhere", "backendPort": 22})
    assert [verdict.kind for verdict in said("lb-nat-rule-no-mgmt-ports", of)] == ["cannot tell"]
    harmless = subject(NAT_RULE, {"loadBalancerName": "elsewhere", "backendPort": 443})
    assert said("lb-nat-rule-no-mgmt-ports", harmless) == []


def test_a_nat_rule_leads_from_the_frontend_that_it_names() -> None:
    of = subject(BALANCER, {"loadBalancerName": "shop", "frontendIPConfigurations": [INSIDE, OUTSIDE]})
    front = "${network.LoadBalancer it.id}/frontendIPConfigurations/"
    for name, expected in (("orders", []), ("edge", ["backendPort"])):
        given = {"loadBalancerName": "shop", "backendPort": 22, "frontendIPConfiguration": {"id": front + name}}
        assert paths("lb-nat-rule-no-mgmt-ports", of, subject(NAT_RULE, given, "nat")) == expected


def test_a_rule_that_stands_alone_is_of_the_group_that_it_names_and_of_no_other() -> None:
    closed = {**OPEN, "access": "Deny", "priority": 100, "protocol": "*", "destinationPortRange": "*"}
    closed |= {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}
    first, second = (
        subject(GROUP, {"networkSecurityGroupName": name, "securityRules": [OPEN]}, name) for name in ("a", "b")
    )
    alone = subject(RULE, {**closed, "networkSecurityGroupName": "b"}, "alone")
    found = said("nsg-not-deny-all-first", first, second, alone)
    assert [(verdict.kind, verdict.urn) for verdict in found] == [("violation", alone.urn)]


def test_a_rule_that_stands_alone_and_is_not_known_yet_leaves_its_group_open() -> None:
    of = subject(GROUP, {"networkSecurityGroupName": "a", "securityRules": [OPEN]}, "a")
    alone = subject(
        RULE,
        {**OUT, "access": "Deny", "networkSecurityGroupName": "a", "destinationAddressPrefix": UNKNOWN},
        "alone",
    )
    assert {verdict.kind for verdict in said("nsg-lateral-traversal", of, alone)} == {"cannot tell"}


def test_an_endpoint_that_nobody_knows_where_it_leads_may_be_the_vaults() -> None:
    vault = subject(VAULT, {"vaultName": "shop"})
    leads = {"privateLinkServiceConnections": [{"privateLinkServiceId": UNKNOWN}]}
    found = said("kv-private-endpoint", vault, subject(ENDPOINT, leads, "endpoint"))
    assert {verdict.kind for verdict in found} == {"cannot tell"}
    other = subject(VAULT, {"vaultName": "other"}, "other")
    its = subject(ENDPOINT, leads, "endpoint", {"privateLinkServiceConnections": [other]})
    assert [verdict.kind for verdict in said("kv-private-endpoint", vault, its)] == ["violation"]


def test_an_endpoint_of_a_vault_may_name_it_by_its_id() -> None:
    vault = subject(VAULT, {"vaultName": "shop", "resourceGroupName": "edge"})
    there = "/subscriptions/0/resourceGroups/edge/providers/Microsoft.KeyVault/vaults/"
    for name, expected in (("shop", []), ("other", [""])):
        leads = {"privateLinkServiceConnections": [{"privateLinkServiceId": there + name}]}
        assert paths("kv-private-endpoint", vault, subject(ENDPOINT, leads, "endpoint")) == expected


@pytest.mark.parametrize(
    ("rule", "kind", "properties", "written"),
    [
        ("kv-soft-delete", VAULT, {"properties": {"enableSoftDelete": False}}, {"properties.enableSoftDelete": True}),
        ("kv-soft-delete", VAULT, {"properties": {}}, {}),
        ("kv-soft-delete", VAULT, {"properties": {"enableSoftDelete": UNKNOWN}}, {}),
        ("pip-ddos-protection", ADDRESS, {}, {"ddosSettings.protectionMode": "VirtualNetworkInherited"}),
        (
            "pip-ddos-protection",
            ADDRESS,
            {"ddosSettings": {"protectionMode": "Disabled"}},
            {"ddosSettings.protectionMode": "VirtualNetworkInherited"},
        ),
        ("pip-ddos-protection", ADDRESS, {"ddosSettings": {"protectionMode": "Enabled"}}, {}),
        ("pip-ddos-protection", ADDRESS, {"ddosSettings": UNKNOWN}, {}),
    ],
)
def test_a_remediation_writes_what_nothing_breaks_of_and_over_nothing_unknown(
    rule: str, kind: str, properties: dict[str, Any], written: dict[str, Any]
) -> None:
    remediation = getattr(RULES[rule], "remediation", None)
    assert remediation is not None
    assert remediation(View(subject(kind, properties))) == written


DENY_ALL = {
    "access": "Deny",
    "protocol": "*",
    "sourceAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
    "destinationPortRange": "*",
}
DENIALS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"destinationAddressPrefix": "VirtualNetwork"}, True),
    ({"access": "Allow"}, False),
    ({"protocol": "Tcp"}, False),
    ({"sourceAddressPrefix": "203.0.113.0/24"}, False),
    ({"destinationAddressPrefix": "10.0.1.0/24"}, False),
    ({"destinationPortRange": "1-65534"}, False),
]


@pytest.mark.parametrize(("change", "all_of_it"), DENIALS)
def test_a_denial_of_less_than_everything_is_not_one_of_everything(change: dict[str, str], all_of_it: bool) -> None:
    assert denies_all(View(Subject("urn", "type", "rule", {**DENY_ALL, **change}))) is all_of_it


@pytest.mark.parametrize(("protocol", "about"), [("Tcp", True), ("*", True), ("Udp", False), ("Icmp", False)])
def test_a_rule_is_about_tcp_to_a_port_by_its_protocol_too(protocol: str, about: bool) -> None:
    rule = View(Subject("urn", "type", "rule", {"protocol": protocol, "destinationPortRange": "3440-3445"}))
    assert open_to_tcp(rule, 3443) is about
    assert not open_to_tcp(rule, 443)
