"""What holds for every component of API Management: used alone, with unknown values, overridden."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

import arm_bodies
from azure_parts import GROUP, IN_SERVICE, POLICY, SECRET_ID, SERVICE, recorded
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.sdk_types import validate

DOCUMENT = """
openapi: 3.0.3
info: {title: shop, version: "1"}
paths:
  /orders/{id}:
    get:
      operationId: get-order
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: the order}}
"""
ENDPOINT = {
    "subnet_id": f"{GROUP}/subnets/endpoints",
    "private_dns_zone_id": f"{GROUP}/privateDnsZones/privatelink.azure-api.net",
}


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


BY_HAND = {"description": "said by hand"}
CASES = (
    Case(
        "api_management",
        "ApiManagement",
        {
            "resource_group_name": "edge",
            "location": "westeurope",
            "publisher_name": "Edge",
            "publisher_email": "edge@shop.example",
            "tier": "Premium",
            "capacity": 3,
            "zones": ["1", "2", "3"],
            "private_endpoint": ENDPOINT,
            "additional_locations": [{"location": "northeurope", "capacity": 2, "zones": ["1"]}],
            "identities": [f"{GROUP}/identity"],
            "hosts": [
                {
                    "host": "api.shop.example",
                    "key_vault_secret_id": SECRET_ID,
                    "identity_client_id": "client",
                    "negotiate_client_certificate": True,
                },
            ],
            "certificate_authorities": [{"store": "Root", "certificate": "MIIB"}],
            "workspace_id": f"{GROUP}/workspace",
            "application_insights": {"id": f"{GROUP}/insights", "connection_string": "InstrumentationKey=1"},
            "tags": {"team": "edge"},
        },
        ("resource_group_name", "location", "publisher_name", "publisher_email", "workspace_id"),
        ("insights_logger", BY_HAND),
    ),
    Case(
        "api",
        "Api",
        {
            **IN_SERVICE,
            "api_id": "shop-v2",
            "path": "shop",
            "display_name": "shop",
            "openapi": DOCUMENT,
            "version": {"set_id": f"{SERVICE}/apiVersionSets/shop", "name": "v2", "scheme": "Segment"},
            "revision": 3,
            "revision_description": "faster",
            "current": True,
            "policy": POLICY,
            "operation_policies": {"get-order": POLICY},
            "products": {"partners": {"display_name": "Partners", "clients": {"acme": "k" * 32, "other": None}}},
        },
        ("resource_group_name", "service_name", "openapi", "policy"),
        ("api", BY_HAND),
    ),
    Case(
        "api_version_set",
        "ApiVersionSet",
        {
            **IN_SERVICE,
            "version_set_id": "shop",
            "display_name": "Shop",
            "scheme": "Header",
            "header_name": "Api-Version",
        },
        ("resource_group_name", "service_name"),
        ("version_set", BY_HAND),
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
        ("api", BY_HAND),
    ),
    Case(
        "product",
        "Product",
        {
            **IN_SERVICE,
            "product_id": "partners",
            "display_name": "Partners",
            "description": "who sells with us",
            "approval_required": True,
            "subscriptions_limit": 2,
            "apis": {"orders": "orders"},
            "groups": ["developers"],
            "policy": POLICY,
        },
        ("resource_group_name", "service_name", "description", "policy"),
        ("product", {"terms": "said by hand"}),
    ),
    Case(
        "subscription",
        "Subscription",
        {
            **IN_SERVICE,
            "sid": "acme",
            "scope": f"{SERVICE}/products/partners",
            "display_name": "Acme",
            "primary_key": "k" * 32,
        },
        ("resource_group_name", "service_name", "scope", "primary_key"),
        ("subscription", {"ownerId": "/users/1"}),
    ),
    Case(
        "named_value",
        "NamedValue",
        {**IN_SERVICE, "name": "orders.key", "value": "a secret"},
        ("resource_group_name", "service_name", "value"),
        ("named_value", {"tags": ["by hand"]}),
    ),
    Case(
        "service_certificate",
        "ServiceCertificate",
        {**IN_SERVICE, "certificate_id": "orders", "key_vault": {"secret_id": SECRET_ID}},
        ("resource_group_name", "service_name"),
        ("certificate", {"password": "by hand"}),
    ),
    Case(
        "policy_fragment",
        "PolicyFragment",
        {**IN_SERVICE, "fragment_id": "limits", "value": "<fragment><set-status code='200' /></fragment>"},
        ("resource_group_name", "service_name", "value"),
        ("fragment", BY_HAND),
    ),
    Case(
        "api_backend",
        "Backend",
        {
            **IN_SERVICE,
            "backend_id": "orders",
            "title": "Orders",
            "description": "the orders",
            "url": "https://orders.example",
            "circuit_breaker": {
                "percentage": 50,
                "interval": "PT1M",
                "trip_duration": "PT30S",
                "status_ranges": [{"min": 500, "max": 599}],
                "error_reasons": ["Timeout"],
                "accept_retry_after": True,
            },
            "credentials": {
                "authorization": {"scheme": "Basic", "parameter": "{{orders}}"},
                "headers": {"X-Key": "{{orders.key}}"},
                "query": {"key": "{{orders.key}}"},
                "certificate_ids": [f"{SERVICE}/certificates/orders"],
            },
        },
        ("resource_group_name", "service_name", "url"),
        ("backend", {"resourceId": "by hand"}),
    ),
    Case(
        "external_cache",
        "ExternalCache",
        {**IN_SERVICE, "connection_string": "redis.example:10000,password=p,ssl=True,abortConnect=False"},
        ("resource_group_name", "service_name", "connection_string"),
        ("cache", BY_HAND),
    ),
    Case(
        "managed_redis",
        "ManagedRedis",
        {
            "resource_group_name": "edge",
            "location": "westeurope",
            "private_endpoint": {
                "subnet_id": f"{GROUP}/subnets/endpoints",
                "private_dns_zone_id": f"{GROUP}/privateDnsZones/privatelink.redis.azure.net",
            },
        },
        ("resource_group_name", "location"),
        ("cluster", {"tags": {"said": "by hand"}}),
    ),
)
WITHOUT_SCHEMA = {
    "azure-native:authorization:RoleAssignment",
    "azure-native:monitor:DiagnosticSetting",
    "azure-native:redisenterprise:Database",
    "azure-native:redisenterprise:RedisEnterprise",
}
"""Types of services whose schemas are not at hand; their inputs are checked against the SDK's types, as all are."""


def made(case: Case, **more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: case.make(**more))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_it_makes_is_what_the_sdk_takes(case: Case) -> None:
    resources = made(case)
    assert [item for item in resources if item.custom]
    assert validate(resources) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_it_makes_is_a_request_that_azure_would_read(case: Case) -> None:
    resources = made(case)
    assert {item.type for item in resources if item.custom and not arm_bodies.known(item)} <= WITHOUT_SCHEMA
    assert arm_bodies.problems(resources) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_stands_below_the_component(case: Case) -> None:
    resources = made(case)
    parts = [item for item in resources if not item.custom]
    assert [item.type for item in parts] == [f"edgewright:azure:{case.name}"]
    assert {item.parent for item in resources if item.custom} == {parts[0].urn}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_may_be_unknown_in_a_preview(case: Case) -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        case.make(**dict.fromkeys(case.unknown, other.id))

    found = recorded(program, preview=True)
    assert {item.name for item in found} - {"other"} == {item.name for item in made(case)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_raw_input_may_be_overridden(case: Case) -> None:
    attribute, wanted = case.override
    field, value = next(iter(wanted.items()))
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    resources = made(case, overrides={attribute: {snake: value}})
    assert [item for item in resources if item.inputs.get(field) == value]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_override_of_what_is_not_there_is_refused_with_what_is(case: Case) -> None:
    with pytest.raises(ArgumentsError, match=f"`nothing`.*{case.override[0]}"):
        made(case, overrides={"nothing": {}})


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_key_that_is_not_an_argument_is_refused(case: Case) -> None:
    with pytest.raises(ArgumentsError, match="has no `colour`"):
        made(case, colour="red")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_missing_is_said_before_anything_is_made(case: Case) -> None:
    with pytest.raises(ArgumentsError, match="needs `resource_group_name`"):
        made(case, resource_group_name=None)
