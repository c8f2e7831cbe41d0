"""Azure's components used alone: with plain values, with unknown ones, overridden, and with arguments that cannot be."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate

ZERO = "00000000-0000-0000-0000-000000000000"
POLICY = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
DOCUMENT = """{"openapi": "3.0.1", "info": {"title": "shop", "version": "1"}, "paths": {
  "/a": {"get": {"operationId": "get-a", "responses": {"200": {"description": "it"}}}}}}"""
PLACE = {"resource_group_name": "edge", "location": "westeurope"}
IN_SERVICE = {"resource_group_name": "edge", "service_name": "shop"}


@dataclass(frozen=True)
class Case:
    """A component with arguments that use all of it; unknown: those that may be Outputs; override: one that it takes."""

    module: str
    name: str
    args: Mapping[str, Any]
    unknown: tuple[str, ...]
    override: tuple[str, Mapping[str, Any]]

    def make(self, **more: Any) -> Any:
        kind = getattr(importlib.import_module(f"edgewright.azure.{self.module}"), self.name)
        return kind("it", {**self.args, **more})

    def __str__(self) -> str:
        return self.name


CASES = (
    Case(
        "load_balancer",
        "LoadBalancer",
        {
            **PLACE,
            "subscription_id": ZERO,
            "frontends": {"web": {}, "queue": {"public_ip_address_id": "/subscriptions/s/ip"}},
            "pools": {"machines": {}},
            "probes": {"alive": {"protocol": "Https", "port": 8443, "path": "/healthz"}},
            "rules": {
                "web": {
                    "frontend": "web",
                    "pools": ["machines"],
                    "probe": "alive",
                    "protocol": "Tcp",
                    "frontend_port": 443,
                    "backend_port": 8443,
                },
                "queue": {
                    "frontend": "queue",
                    "pools": ["machines"],
                    "probe": "alive",
                    "protocol": "Udp",
                    "frontend_port": 5000,
                    "backend_port": 5000,
                },
            },
        },
        ("resource_group_name", "location", "subscription_id"),
        ("load_balancer", {"tags": {"said": "by hand"}}),
    ),
    Case(
        "network",
        "Network",
        {**PLACE, "cidr": "10.0.0.0/16", "subnets": {"gateway": {"cidr": "10.0.0.0/24", "role": "integration"}}},
        ("resource_group_name", "location"),
        ("virtual_network", {"tags": {"said": "by hand"}}),
    ),
    Case(
        "api_management",
        "ApiManagement",
        {
            **PLACE,
            "publisher_name": "Edge",
            "publisher_email": "edge@shop.example",
            "tier": "Premium",
            "capacity": 2,
            "network": "internal",
            "subnet_id": "/subscriptions/s/subnet",
            "zones": ["1", "2"],
            "identities": ["/subscriptions/s/identity"],
            "hosts": [
                {
                    "host": "api.shop.example",
                    "key_vault_secret_id": "https://v-1.vault.azure.net/secrets/api",
                    "identity_client_id": ZERO,
                }
            ],
            "workspace_id": "/subscriptions/s/workspace",
        },
        ("resource_group_name", "location", "publisher_name", "publisher_email", "subnet_id", "workspace_id"),
        ("service", {"tags": {"said": "by hand"}}),
    ),
    Case(
        "api",
        "Api",
        {
            **IN_SERVICE,
            "api_id": "shop",
            "display_name": "shop",
            "openapi": DOCUMENT,
            "policy": POLICY,
            "operation_policies": {"get-a": POLICY},
            "products": {"partners": {"display_name": "Partners", "clients": {"acme": "k" * 32}}},
        },
        ("resource_group_name", "service_name", "openapi", "policy"),
        ("api", {"description": "said by hand"}),
    ),
    Case(
        "api_backend",
        "Backend",
        {
            **IN_SERVICE,
            "backend_id": "orders",
            "url": "https://orders.example",
            "circuit_breaker": {
                "count": 5,
                "interval": "PT1M",
                "trip_duration": "PT30S",
                "status_ranges": [{"min": 500, "max": 599}],
            },
        },
        ("resource_group_name", "service_name", "url"),
        ("backend", {"description": "said by hand"}),
    ),
    Case(
        "websocket_api",
        "WebSocketApi",
        {
            **IN_SERVICE,
            "api_id": "live",
            "path": "live",
            "display_name": "live",
            "service_url": "ws://10.0.0.4:8080/live",
            "policy": POLICY,
        },
        ("resource_group_name", "service_name", "service_url", "policy"),
        ("api", {"description": "said by hand"}),
    ),
)


def recorded(case: Case, **more: Any) -> tuple[Resource, ...]:
    return record(lambda: case.make(**more), project="edgewright", stack="test").resources


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_it_makes_is_what_the_sdk_takes(case: Case) -> None:
    resources = recorded(case)
    assert [item for item in resources if item.custom]
    assert validate(resources) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_stands_below_the_component(case: Case) -> None:
    resources = recorded(case)
    parts = [item for item in resources if not item.custom]
    assert [item.type for item in parts] == [f"edgewright:azure:{case.name}"]
    assert {item.parent for item in resources if item.custom} == {parts[0].urn}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_may_be_unknown_in_a_preview(case: Case) -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        case.make(**dict.fromkeys(case.unknown, other.id))

    found = record(program, project="edgewright", stack="test", preview=True).resources
    known = recorded(case)
    assert {item.name for item in found} - {"other"} == {item.name for item in known}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_raw_input_may_be_overridden(case: Case) -> None:
    attribute, wanted = case.override
    field, value = next(iter(wanted.items()))
    resources = recorded(case, overrides={attribute: wanted})
    assert [item for item in resources if item.inputs.get(field) == value]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_override_of_what_is_not_there_is_refused_with_what_is(case: Case) -> None:
    with pytest.raises(ArgumentsError, match=f"`nothing`.*{case.override[0]}"):
        recorded(case, overrides={"nothing": {}})


def test_a_key_that_is_given_is_a_secret() -> None:
    case = next(item for item in CASES if item.name == "Api")
    subscription = next(item for item in recorded(case) if item.type.endswith(":Subscription"))
    assert subscription.inputs["primaryKey"] == "[secret]"


def test_a_udp_rule_has_no_reset_and_a_tcp_rule_has() -> None:
    case = CASES[0]
    balancer = next(item for item in recorded(case) if item.type.endswith(":LoadBalancer") and item.custom)
    resets = {item["name"]: item["enableTcpReset"] for item in balancer.inputs["loadBalancingRules"]}
    assert resets == {"web": True, "queue": False}


def test_an_address_is_made_for_the_public_frontend_that_brings_none() -> None:
    addresses = [item for item in recorded(CASES[0]) if item.type.endswith(":PublicIPAddress")]
    assert [item.name for item in addresses] == ["it-web"]
    assert addresses[0].inputs["zones"] == ["1", "2", "3"]
    assert addresses[0].inputs["sku"]["name"] == "Standard"


def changed(of: Mapping[str, Any], *path: str, **change: Any) -> dict[str, Any]:
    """A copy with other values at a place."""
    if not path:
        return {**of, **change}
    return {**of, path[0]: changed(of[path[0]], *path[1:], **change)}


BALANCER = CASES[0].args
SERVICE = CASES[2].args
REFUSED: list[tuple[int, Mapping[str, Any], str]] = [
    (0, changed(BALANCER, "rules", "web", frontend="app"), "there is no frontend `app`"),
    (0, changed(BALANCER, "rules", "web", pools=["other"]), "there is no pool `other`"),
    (0, changed(BALANCER, "rules", "web", probe="other"), "there is no probe `other`"),
    (0, changed(BALANCER, "rules", "web", probe=None), "without a probe"),
    (0, changed(BALANCER, "rules", "web", protocol="SCTP"), "no protocol `SCTP`"),
    (0, changed(BALANCER, "rules", "web", frontend_port=0), "frontend_port 0 does not go with Tcp"),
    (0, changed(BALANCER, "rules", "web", idle_timeout_minutes=101), "4 to 100 minutes"),
    (0, changed(BALANCER, "rules", "web", protocol="All", frontend_port=0, backend_port=0), "for internal frontends"),
    (0, changed(BALANCER, "rules", "queue", tcp_reset=True), "a UDP rule has no TCP reset"),
    (0, changed(BALANCER, "rules", "queue", frontend="web", protocol="Tcp", frontend_port=443), "both take Tcp 443"),
    (0, changed(BALANCER, "frontends", queue={"subnet_id": "s"}), "all internal or all public"),
    (0, changed(BALANCER, "frontends", web={"private_ip_address": "10.0.0.4"}), "a private address, and no subnet"),
    (0, changed(BALANCER, "probes", "alive", protocol="Tcp"), "a path belongs to Http and Https"),
    (0, changed(BALANCER, "probes", "alive", interval_seconds=2), "every 5 seconds"),
    (0, changed(BALANCER, "pools", **{"bad name": {}}), "`bad name` is no name"),
    (1, {**CASES[1].args, "cidr": "10.1.0.0/16"}, "10.0.0.0/24 is not in the network's"),
    (1, {**CASES[1].args, "cidr": "here"}, "`here` is no range"),
    (1, changed(CASES[1].args, "subnets", "gateway", role="front"), "there is no role `front`"),
    (2, {**SERVICE, "tier": "Gold"}, "there is no tier `Gold`"),
    (2, {**SERVICE, "tier": "Standard", "zones": []}, "the tier Standard is in no network"),
    (2, {**SERVICE, "tier": "StandardV2", "zones": []}, "StandardV2 is by `integration`"),
    (2, {**SERVICE, "network": "none"}, "a service in a network needs a subnet, and one in none has none"),
    (2, {**SERVICE, "capacity": 32}, "1 to 31 units, not 32"),
    (2, {**SERVICE, "service_name": "1shop"}, "`1shop` is no name of a service"),
    (2, {**SERVICE, "identities": []}, "name it in `identities`"),
    (3, {**CASES[3].args, "api_id": "shop/1"}, "`shop/1` is no id"),
    (3, {**CASES[3].args, "openapi": "x" * (4 * 1024 * 1024 + 1)}, "4 MB are imported at most"),
    (3, {**CASES[3].args, "path": "p" * 129}, "128 characters"),
    (4, {**CASES[4].args, "pool": []}, "a url or a pool, one of them"),
    (5, {**CASES[5].args, "service_url": "http://a"}, "no address of a WebSocket"),
    (5, {**CASES[5].args, "path": "/live"}, "begins with a slash"),
]


@pytest.mark.parametrize(("which", "args", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_arguments_that_cannot_be_are_refused_before_anything_is_made(
    which: int, args: Mapping[str, Any], said: str
) -> None:
    case = CASES[which]
    with pytest.raises(ArgumentsError, match=said):
        recorded(case, **args)


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = changed(changed(BALANCER, "rules", "web", frontend="app"), "probes", "alive", interval_seconds=1)
    with pytest.raises(ArgumentsError) as refused:
        recorded(CASES[0], **wrong)
    assert len(refused.value.problems) == 2
