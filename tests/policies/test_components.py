"""Remedies in words of a spec: each is there for a rule, is said of what components make, and mends what it is for."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
import yaml

import aws_stacks
import azure_stacks
from edgewright.aws.compile import TOPOLOGIES as AWS_ALL
from edgewright.aws.compile import Topology as AwsTopology
from edgewright.aws.planned import plan as plan_aws
from edgewright.azure.planned import plan as plan_azure
from edgewright.azure.topology import TOPOLOGIES as AZURE_ALL
from edgewright.azure.topology import Topology as AzureTopology
from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan
from edgewright.policies.components import REMEDIES, made_by_one
from edgewright.policies.enforcement import Finding, check, load, remedy
from edgewright.policies.graph import from_plan
from edgewright.policies.rules import ALL, named
from edgewright.spec import document
from edgewright.spec.problems import SpecError

SPEC: Mapping[str, Any] = {
    "name": "shop",
    "listener": {"host": "api.shop.example"},
    "authorizers": {"main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}}},
    "backends": {"orders": {"port": 8080}},
    "defaults": {"auth": "none"},
    "routes": {"GET /orders": {"backend": "orders"}},
}
AWS: Mapping[str, Any] = {
    "region": "eu-west-1",
    "log_role": "create",
    "network": {"create": {"cidr": "10.0.0.0/16"}},
    "certificate": aws_stacks.CERTIFICATE,
}
STREAM = {
    "listeners": {"web": {"host": "api.shop.example"}, "broker": {"port": 8883, "protocol": "tcp", "backend": "mq"}}
}
MQ = {"backends": {"orders": {"port": 8080}, "mq": {"port": 1883, "protocol": "tcp"}}}
TLS_STREAM = {"host": "mq.shop.example", "port": 8883, "protocol": "tls", "backend": "mq"}
FIREWALL = {"waf": {"managed": ["core", "known-bad-inputs"]}}
THROTTLE = {"defaults": {"auth": "none", "throttle": {"rate": "100/s"}}}
AUTH = {"defaults": {"auth": "main"}}

Case = tuple[str, Mapping[str, Any], Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]
CASES: Mapping[str, Case] = {
    "target-group-encrypted-protocol": (
        "aws/balancer-only",
        {},
        {},
        {},
        {"backends": {"orders": {"protocol": "https", "port": 8443}}},
    ),
    "target-group-encrypted-health-check": (
        "aws/gateway-first",
        {},
        {},
        {},
        {"backends": {"orders": {"protocol": "https", "port": 8443}}},
    ),
    "nlb-listener-tls": (
        "aws/balancer-only",
        {"listener": None, **STREAM, **MQ},
        {},
        {"listeners": {"web": {"host": "api.shop.example"}, "broker": TLS_STREAM}},
        {},
    ),
    "alb-waf-associated": ("aws/balancer-only", {}, {}, FIREWALL, {}),
    "alb-waf-log4j-rules": ("aws/balancer-only", {"waf": {"managed": ["ip-reputation"]}}, {}, FIREWALL, {}),
    "waf-log4j-rule": ("aws/balancer-only", {"waf": {"managed": ["ip-reputation"]}}, {}, FIREWALL, {}),
    "apigw-stage-waf": ("aws/gateway-first", {}, {"gateway": "rest"}, FIREWALL, {}),
    "alb-public-throttled": ("aws/balancer-only", FIREWALL, {}, THROTTLE, {}),
    "alb-public-throttled by address": ("aws/balancer-only", FIREWALL, {}, {"waf": {"rate_per_ip": "50/s"}}, {}),
    "apigw-api-has-authorizer": ("aws/gateway-first", {}, {"gateway": "rest"}, AUTH, {}),
    "apigwv2-route-authorization": ("aws/gateway-first", {"routes": {"WS /live": "orders"}}, {}, AUTH, {}),
    "lb-deletion-protection": ("aws/balancer-only", {}, {"profile": "development"}, {}, {"profile": "production"}),
    "log-group-kms": (
        "aws/gateway-first",
        {},
        {},
        {},
        {"kms_key": "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"},
    ),
    "log-group-retention-one-year": (
        "aws/gateway-first",
        {"access_log": {"retention": "30d"}},
        {},
        {"access_log": {"retention": "365d"}},
        {},
    ),
    "apim-zone-redundant": ("azure/appgw-waf", {}, {"tier": "Premium"}, {}, {"capacity": 2}),
    "apim-api-authenticated": ("azure/gateway-first", {"routes": {"WS /live": "orders"}}, {}, AUTH, {}),
    "apim-api-subscription-required": ("azure/gateway-first", {"routes": {"WS /live": "orders"}}, {}, AUTH, {}),
    "apim-named-value-keyvault": (
        "azure/gateway-first",
        {
            "authorizers": {"tokens": {"introspection": {"endpoint": "https://a.example/i", "client": "edge"}}},
            "defaults": {"auth": "tokens"},
        },
        {},
        {},
        {"credentials": {"tokens:edge": "https://shop.vault.azure.net/secrets/tokens"}},
    ),
    "apim-public-api-throttled": ("azure/gateway-first", {}, {}, THROTTLE, {}),
    "lb-health-probe-specific": (
        "azure/gateway-first",
        {},
        {},
        {"backends": {"orders": {"port": 8080, "health_check": "/healthz"}}},
        {},
    ),
    "agw-waf-bot-protection": ("azure/appgw-waf", {"waf": {"managed": []}}, {}, FIREWALL, {}),
    "afd-waf-rule-sets": ("azure/front-door", {"waf": {"managed": ["ip-reputation"]}}, {}, FIREWALL, {}),
    "afd-waf-bot-protection": ("azure/front-door", {"waf": {"managed": []}}, {}, FIREWALL, {}),
    "agw-waf-prevention": ("azure/appgw-waf", {"waf": {"mode": "count"}}, {}, FIREWALL, {}),
    "afd-waf-prevention": ("azure/front-door", {"waf": {"mode": "count"}}, {}, FIREWALL, {}),
}
"""Rule: topology, what of the spec and of the bindings breaks it, and what mends it."""

PORTS: Mapping[str, tuple[str, str, list[int]]] = {
    "sg-no-all-ports-public": ("aws/balancer-only", "ports", [80, 443, 8883]),
    "nlb-listener-tls": ("aws/balancer-only", "passthroughPorts", [8883]),
    "nsg-no-any-inbound": ("azure/gateway-first", "ports", [80, 443, 8081, 8883, 1883]),
}
"""Rules that a listener of machines breaks, and the setting that takes its port."""


def broken(
    folder: Path,
    topology: str,
    spec: Mapping[str, Any],
    bindings: Mapping[str, Any],
    configuration: Mapping[str, Any] = MappingProxyType({}),
) -> list[Finding]:
    """The violations of a spec."""
    file = folder / "shop.edge.yaml"
    file.write_text(yaml.safe_dump({key: value for key, value in spec.items() if value is not None}))
    made = planned(resolve(document.load(file)), topology, bindings)
    return [
        finding
        for finding in check(from_plan(made.resources), ALL, load(configuration, ALL))
        if finding.kind == "violation"
    ]


def planned(edge: Edge, topology: str, bindings: Mapping[str, Any]) -> Plan:
    cloud, _, name = topology.partition("/")
    if cloud == "aws":
        return plan_aws(edge, {**AWS, **bindings}, cast(AwsTopology, name))
    return plan_azure(edge, {**azure_stacks.BOUND, **bindings}, cast(AzureTopology, name))


@pytest.mark.parametrize("case", CASES)
def test_what_a_remedy_says_mends_what_it_is_for(tmp_path: Path, case: str) -> None:
    name = case.partition(" ")[0]
    topology, spec, bindings, mended, bound = CASES[case]
    before = broken(tmp_path, topology, {**SPEC, **spec}, bindings)
    of_rule = [finding for finding in before if finding.rule == name]
    assert of_rule, sorted({finding.rule for finding in before})
    assert {remedy(finding, *named(name)) for finding in of_rule} == {REMEDIES[name]}
    after = broken(tmp_path, topology, {**SPEC, **spec, **mended}, {**bindings, **bound})
    assert [finding.sentence for finding in after if finding.rule == name] == []


@pytest.mark.parametrize("name", PORTS)
def test_a_port_that_is_meant_to_be_open_is_let_through_by_the_setting_that_the_remedy_names(
    tmp_path: Path, name: str
) -> None:
    topology, setting, ports = PORTS[name]
    spec = {**SPEC, "listener": None, **STREAM, **MQ}
    assert name in {finding.rule for finding in broken(tmp_path, topology, spec, {})}
    assert f"{setting} of the rule, in policies.json" in REMEDIES[name]
    assert name not in {finding.rule for finding in broken(tmp_path, topology, spec, {}, {name: {setting: ports}})}


def test_more_zones_that_a_stack_asks_of_itself_are_written_where_the_remedy_says(tmp_path: Path) -> None:
    asked = {"lb-multi-az": {"zones": 3}}
    three = {"network": {"create": {"zones": 3}}}
    assert "lb-multi-az" in {item.rule for item in broken(tmp_path, "aws/balancer-only", SPEC, {}, asked)}
    assert "lb-multi-az" not in {item.rule for item in broken(tmp_path, "aws/balancer-only", SPEC, three, asked)}


SPECS = sorted(
    path
    for pattern in ("stacks/*.edge.yaml", "examples/*/*.edge.yaml", "tests/golden/*/*.edge.yaml")
    for path in aws_stacks.REPOSITORY.glob(pattern)
)


@pytest.mark.parametrize("topology", [*(f"aws/{name}" for name in AWS_ALL), *(f"azure/{name}" for name in AZURE_ALL)])
def test_what_stops_the_update_of_a_component_has_a_remedy_in_words_of_the_spec(topology: str) -> None:
    stopping: set[str] = set()
    plans = 0
    for file in SPECS:
        try:  # some of the golden files hold what is refused, everywhere or by this topology
            made = planned(resolve(document.load(file)), topology, {})
        except SpecError:
            continue
        plans += 1
        stopping |= {item.rule for item in check(from_plan(made.resources), ALL) if item.level == "mandatory"}
    assert plans >= len(SPECS) // 4
    assert stopping
    assert stopping <= set(REMEDIES)


def test_a_remedy_is_there_for_a_rule_that_is_there() -> None:
    assert set(REMEDIES) <= {rule.name for rule in ALL}


@pytest.mark.parametrize(
    ("types", "ours"),
    [
        ("edgewright:aws:BalancerOnly$edgewright:aws:ApplicationLoadBalancer$aws:lb/loadBalancer:LoadBalancer", True),
        ("acme:web:Shop$edgewright:azure:FrontDoor$azure-native:cdn:Profile", True),
        ("aws:lb/loadBalancer:LoadBalancer", False),
        ("acme:web:Shop$aws:lb/loadBalancer:LoadBalancer", False),
        ("edgewright-local:index:Edge$aws:lb/loadBalancer:LoadBalancer", False),
    ],
)
def test_a_component_of_ours_is_told_by_the_types_in_the_urn(types: str, ours: bool) -> None:
    assert made_by_one(f"urn:pulumi:prod::shop::{types}::edgewright:aws:x") is ours
    assert made_by_one("shop") is False


def test_a_resource_of_another_program_has_the_remedy_of_its_own_words() -> None:
    (rule,) = named("lb-deletion-protection")
    finding = Finding(
        rule.name, "violation", "mandatory", "urn:pulumi:prod::shop::aws:lb/loadBalancer:LoadBalancer::x", "", ""
    )
    assert remedy(finding, rule) == rule.remedy
    assert load({}, (rule,)).levels == {rule.name: "mandatory"}
