"""Azure's components used alone: what single ones make, and arguments that cannot be."""

from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from mocks.azure.components import CASES, record

COMPONENTS = {case.name: case for case in CASES}
BALANCER = {
    **COMPONENTS["LoadBalancer"].args,
    "frontends": {"web": {}, "queue": {"public_ip_address_id": "/subscriptions/s/ip"}},
    "pools": {"machines": {}},
    "nat_rules": {},
    "outbound_rules": {},
}
NETWORK = {
    **COMPONENTS["Network"].args,
    "subnets": {"gateway": {"cidr": "10.0.0.0/24", "role": "integration"}},
}
SERVICE = COMPONENTS["ApiManagement"].args


def recorded(name: str, args: Mapping[str, Any]) -> tuple[Resource, ...]:
    kind = COMPONENTS[name].kind
    return record(lambda: kind("it", dict(args))).resources


def test_a_key_that_is_given_is_a_secret() -> None:
    made = recorded("Api", COMPONENTS["Api"].args)
    subscription = next(item for item in made if item.name == "it-partners-acme")
    assert subscription.inputs["primaryKey"] == "[secret]"


def test_a_udp_rule_has_no_reset_and_a_tcp_rule_has() -> None:
    balancer = next(item for item in recorded("LoadBalancer", BALANCER) if item.name == "it-balancer")
    resets = {item["name"]: item["enableTcpReset"] for item in balancer.inputs["loadBalancingRules"]}
    assert resets == {"web": True, "queue": False}


def test_an_address_is_made_for_the_public_frontend_that_brings_none() -> None:
    addresses = [item for item in recorded("LoadBalancer", BALANCER) if item.type.endswith(":PublicIPAddress")]
    assert [item.name for item in addresses] == ["it-web"]
    assert addresses[0].inputs["zones"] == ["1", "2", "3"]
    assert addresses[0].inputs["sku"]["name"] == "Standard"


@pytest.mark.parametrize("name", ["LoadBalancer", "ApplicationGatewayWaf", "GatewayScaleSet", "KubernetesCluster"])
def test_in_a_region_without_zones_nothing_is_in_one(name: str) -> None:
    args = {**COMPONENTS[name].args, "location": "westus"}
    made = recorded(name, args)
    words = {"zones", "availabilityZones"}
    assert [item.short for item in made if words & set(item.inputs)] == []
    assert "Zones" not in repr([item.inputs.get("agentPoolProfiles") for item in made])


def changed(of: Mapping[str, Any], *path: str, **change: Any) -> dict[str, Any]:
    """A copy with other values at a place."""
    if not path:
        return {**of, **change}
    return {**of, path[0]: changed(of[path[0]], *path[1:], **change)}


REFUSED: list[tuple[str, Mapping[str, Any], str]] = [
    ("LoadBalancer", changed(BALANCER, "rules", "web", frontend="app"), "there is no frontend `app`"),
    ("LoadBalancer", changed(BALANCER, "rules", "web", pools=["other"]), "there is no pool `other`"),
    ("LoadBalancer", changed(BALANCER, "rules", "web", probe="other"), "there is no probe `other`"),
    ("LoadBalancer", changed(BALANCER, "rules", "web", probe=None), "without a probe"),
    ("LoadBalancer", changed(BALANCER, "rules", "web", protocol="SCTP"), "no protocol `SCTP`"),
    ("LoadBalancer", changed(BALANCER, "rules", "web", frontend_port=0), "frontend_port 0 does not go with Tcp"),
    ("LoadBalancer", changed(BALANCER, "rules", "web", idle_timeout_minutes=101), "4 to 100 minutes"),
    (
        "LoadBalancer",
        changed(BALANCER, "rules", "web", protocol="All", frontend_port=0, backend_port=0),
        "for internal frontends",
    ),
    ("LoadBalancer", changed(BALANCER, "rules", "queue", tcp_reset=True), "a UDP rule has no TCP reset"),
    (
        "LoadBalancer",
        changed(BALANCER, "rules", "queue", frontend="web", protocol="Tcp", frontend_port=443),
        "both take Tcp 443",
    ),
    ("LoadBalancer", changed(BALANCER, "frontends", queue={"subnet_id": "s"}), "all internal or all public"),
    (
        "LoadBalancer",
        changed(BALANCER, "frontends", web={"private_ip_address": "10.0.0.4"}),
        "a private address, and no subnet",
    ),
    ("LoadBalancer", changed(BALANCER, "probes", "alive", protocol="Tcp"), "a path belongs to Http and Https"),
    ("LoadBalancer", changed(BALANCER, "probes", "alive", interval_seconds=2), "every 5 seconds"),
    ("LoadBalancer", changed(BALANCER, "pools", **{"bad name": {}}), "`bad name` is no name"),
    ("Network", {**NETWORK, "cidr": "10.1.0.0/16"}, "10.0.0.0/24 is not in the network's"),
    ("Network", {**NETWORK, "cidr": "here"}, "`here` is no range"),
    ("Network", changed(NETWORK, "subnets", "gateway", role="front"), "there is no role `front`"),
    ("ApiManagement", {**SERVICE, "tier": "Gold"}, "there is no tier `Gold`"),
    ("ApiManagement", {**SERVICE, "tier": "Standard", "zones": []}, "the tier Standard is in no network"),
    ("ApiManagement", {**SERVICE, "tier": "StandardV2", "zones": []}, "StandardV2 is by `integration`"),
    (
        "ApiManagement",
        {**SERVICE, "network": "none"},
        "a service in a network needs a subnet, and one in none has none",
    ),
    ("ApiManagement", {**SERVICE, "capacity": 32}, "1 to 31 units, not 32"),
    ("ApiManagement", {**SERVICE, "service_name": "1shop"}, "`1shop` is no name of a service"),
    ("ApiManagement", {**SERVICE, "identities": []}, "name it in `identities`"),
    ("Api", {**COMPONENTS["Api"].args, "api_id": "shop/1"}, "`shop/1` is no id"),
    ("Api", {**COMPONENTS["Api"].args, "openapi": "x" * (4 * 1024 * 1024 + 1)}, "4 MB are imported at most"),
    ("Api", {**COMPONENTS["Api"].args, "path": "p" * 129}, "128 characters"),
    ("Backend", {**COMPONENTS["Backend"].args, "pool": []}, "a url or a pool, one of them"),
    ("WebSocketApi", {**COMPONENTS["WebSocketApi"].args, "service_url": "http://a"}, "no address of a WebSocket"),
    ("WebSocketApi", {**COMPONENTS["WebSocketApi"].args, "path": "/live"}, "begins with a slash"),
    ("KubernetesCluster", {**COMPONENTS["KubernetesCluster"].args, "zones": ["4"]}, "the nodes: zones are 4"),
    (
        "ApplicationGatewayWaf",
        {**COMPONENTS["ApplicationGatewayWaf"].args, "location": "westus", "zones": ["1"]},
        "westus has no zones",
    ),
    ("ApplicationGatewayWaf", {**COMPONENTS["ApplicationGatewayWaf"].args, "waf": {}}, "what `compile_waf` makes"),
    ("FrontDoor", {**COMPONENTS["FrontDoor"].args, "waf": {}}, "what `compile_waf` makes"),
]


@pytest.mark.parametrize(("name", "args", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_arguments_that_cannot_be_are_refused_before_anything_is_made(
    name: str, args: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(ArgumentsError, match=said):
        recorded(name, args)


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = changed(changed(BALANCER, "rules", "web", frontend="app"), "probes", "alive", interval_seconds=1)
    with pytest.raises(ArgumentsError) as refused:
        recorded("LoadBalancer", wrong)
    assert len(refused.value.problems) == 2
