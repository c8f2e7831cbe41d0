"""Registrations of self-hosted gateways: what is made, what is left out, what is refused."""

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

import pulumi
import pytest

from edgewright.azure.self_hosted_gateway import SelfHostedGateway, SelfHostedGatewayArgs
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate

GROUP = "/subscriptions/sub/resourceGroups/edge"
CERTIFICATE = f"{GROUP}/providers/Microsoft.ApiManagement/service/example-apim/certificates/api"
ROLES = {"subscription_id": "sub", "service_principal_id": "service-principal", "app_principal_id": "app-principal"}
HOSTNAME = {"hostname": "api.example.com", "certificate_id": CERTIFICATE}
FULL: dict[str, Any] = {
    "apis": {"orders": "orders-api"},
    "hostnames": {"api": HOSTNAME},
    "certificate_authorities": {"company": {"certificate_id": "company-root"}},
    "roles": ROLES,
}


def args(**more: Any) -> SelfHostedGatewayArgs:
    given = {
        "resource_group_name": "edge",
        "service_name": "example-apim",
        "gateway_id": "shop",
        "location_data": {"name": "scale set", "city": "Amsterdam"},
        **more,
    }
    return cast("SelfHostedGatewayArgs", {key: value for key, value in given.items() if value is not None})


def recorded(make: Callable[[], object], *, preview: bool = False, stack: str = "test") -> tuple[Resource, ...]:
    return record(make, project="edgewright", stack=stack, preview=preview).resources


def made(*, stack: str = "test", **more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: SelfHostedGateway("own", args(**more)), stack=stack)


def of(resources: tuple[Resource, ...], kind: str) -> dict[str, Mapping[str, Any]]:
    """Inputs by name of resources of a kind, such as ``apimanagement:Gateway``."""
    return {item.name: item.inputs for item in resources if item.type == f"azure-native:{kind}"}


def test_all_that_it_makes_is_what_the_sdk_takes() -> None:
    resources = made(**FULL)
    assert len([item for item in resources if item.custom]) == 8
    assert validate(resources) == []


def test_a_gateway_has_its_own_id_and_says_where_it_stands() -> None:
    resources = made()
    assert [item.name for item in resources if item.custom] == ["own"]
    assert of(resources, "apimanagement:Gateway")["own"] == {
        "resourceGroupName": "edge",
        "serviceName": "example-apim",
        "gatewayId": "shop",
        "locationData": {"name": "scale set", "city": "Amsterdam"},
    }


def test_apis_are_linked_to_the_gateway() -> None:
    (name, link), *_ = of(made(**FULL), "apimanagement:GatewayApiEntityTag").items()
    assert name == "own-api-orders"
    assert link["apiId"] == "orders-api"
    assert link["gatewayId"] == "${apimanagement.Gateway own.name}"
    assert link["provisioningState"] == "created"


def test_host_names_have_their_key_as_id_and_no_old_tls() -> None:
    inputs = of(made(**FULL), "apimanagement:GatewayHostnameConfiguration")["own-hostname-api"]
    assert (inputs["hcId"], inputs["hostname"], inputs["certificateId"]) == ("api", "api.example.com", CERTIFICATE)
    assert (inputs["tls10Enabled"], inputs["tls11Enabled"]) == (False, False)
    assert (inputs["http2Enabled"], inputs["negotiateClientCertificate"]) == (True, False)


def test_clients_may_be_asked_for_certificates_of_a_private_authority() -> None:
    resources = made(
        hostnames={"api": {**HOSTNAME, "http2": False, "negotiate_client_certificate": True}},
        certificate_authorities={"old": {"certificate_id": "old-root", "is_trusted": False}},
    )
    inputs = of(resources, "apimanagement:GatewayHostnameConfiguration")["own-hostname-api"]
    assert (inputs["http2Enabled"], inputs["negotiateClientCertificate"]) == (False, True)
    authority = of(resources, "apimanagement:GatewayCertificateAuthority")["own-authority-old"]
    assert (authority["certificateId"], authority["isTrusted"]) == ("old-root", False)


def test_roles_allow_what_entra_authentication_needs_and_no_more() -> None:
    roles = of(made(**FULL), "authorization:RoleDefinition")
    assert roles["own-validator-role"]["permissions"] == [{"actions": ["Microsoft.Authorization/*/read"]}]
    assert roles["own-reader-role"]["permissions"] == [
        {"dataActions": ["Microsoft.ApiManagement/service/gateways/getConfiguration/action"]}
    ]
    assert all(role["scope"] == GROUP and role["assignableScopes"] == [GROUP] for role in roles.values())


def test_the_service_validates_in_the_group_and_the_app_reads_at_the_service() -> None:
    found = of(made(**FULL), "authorization:RoleAssignment")
    validator, reader = found["own-validator"], found["own-reader"]
    assert (validator["principalId"], validator["scope"]) == ("service-principal", GROUP)
    assert reader["principalId"] == "app-principal"
    assert reader["scope"] == f"{GROUP}/providers/Microsoft.ApiManagement/service/example-apim"
    assert "own-validator-role" in validator["roleDefinitionId"]
    assert "own-reader-role" in reader["roleDefinitionId"]
    assert {validator["principalType"], reader["principalType"]} == {"ServicePrincipal"}


def test_names_of_roles_and_assignments_are_uuids_that_follow_from_stack_and_name() -> None:
    def names(stack: str) -> list[str]:
        resources = made(stack=stack, **FULL)
        assignments = of(resources, "authorization:RoleAssignment").values()
        roles = of(resources, "authorization:RoleDefinition").values()
        ids = [item["roleAssignmentName"] for item in assignments] + [item["roleDefinitionId"] for item in roles]
        return [str(UUID(one)) for one in ids] + [item["roleName"] for item in roles]

    assert names("test") == names("test")
    assert len(set(names("test")) | set(names("live"))) == 12


def test_existing_roles_are_assigned_instead() -> None:
    resources = made(roles={**ROLES, "validator_role_id": "role-v", "reader_role_id": "role-r"})
    assert of(resources, "authorization:RoleDefinition") == {}
    found = of(resources, "authorization:RoleAssignment")
    assert {name: item["roleDefinitionId"] for name, item in found.items()} == {
        "own-validator": "role-v",
        "own-reader": "role-r",
    }


@pytest.mark.parametrize(
    ("principal", "names"),
    [
        ("service_principal_id", {"own-validator", "own-validator-role"}),
        ("app_principal_id", {"own-reader", "own-reader-role"}),
    ],
)
def test_a_principal_that_is_left_out_gets_no_role(principal: str, names: set[str]) -> None:
    resources = made(roles={"subscription_id": "sub", principal: "someone"})
    assert {item.name for item in resources if "authorization" in item.type} == names


def test_it_can_be_planned_with_nothing_known() -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None}).id
        SelfHostedGateway(
            "own",
            args(
                resource_group_name=other,
                service_name=other,
                location_data={"name": other},
                apis={"orders": other},
                hostnames={
                    "api": {"hostname": other, "certificate_id": other, "negotiate_client_certificate": other},
                    "shop": HOSTNAME,
                },
                certificate_authorities={"company": {"certificate_id": other}},
                roles=dict.fromkeys(ROLES, other),
            ),
        )

    found = {item.urn for item in recorded(program, preview=True) if item.name != "other"}
    known: Any = {**FULL, "hostnames": {"api": HOSTNAME, "shop": HOSTNAME}}
    expected = made(**known)
    assert found == {item.urn for item in expected}


def test_all_is_below_the_component_and_protected() -> None:
    options = pulumi.ResourceOptions(protect=True)
    resources = recorded(lambda: SelfHostedGateway("own", args(**FULL), options))
    component = next(item for item in resources if not item.custom)
    assert component.type == "edgewright:azure:SelfHostedGateway"
    parts = [item for item in resources if item.custom]
    assert {item.parent for item in parts} == {component.urn}
    assert all(item.protect for item in parts)


@pytest.mark.parametrize(
    ("key", "name", "change", "wire"),
    [
        ("gateway", "own", {"description": "by hand"}, "description"),
        ("api_links.orders", "own-api-orders", {"api_id": "by hand"}, "apiId"),
        ("hostnames.api", "own-hostname-api", {"hostname": "by hand"}, "hostname"),
        ("certificate_authorities.company", "own-authority-company", {"certificate_id": "by hand"}, "certificateId"),
        ("validator_role", "own-validator-role", {"description": "by hand"}, "description"),
        ("reader_role", "own-reader-role", {"role_name": "by hand"}, "roleName"),
        ("validator_assignment", "own-validator", {"description": "by hand"}, "description"),
        ("reader_assignment", "own-reader", {"description": "by hand"}, "description"),
    ],
)
def test_every_resource_may_be_overridden(key: str, name: str, change: dict[str, Any], wire: str) -> None:
    resources = made(**FULL, overrides={key: change})
    assert [item.name for item in resources if item.inputs.get(wire) == "by hand"] == [name]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"resource_group_name": None}, "`resource_group_name` is missing"),
    ({"service_name": None}, "`service_name` is missing"),
    ({"gateway_id": None}, "`gateway_id` is missing"),
    ({"location_data": None}, "`location_data` is missing"),
    ({"location_data": {"city": "Amsterdam"}}, "location_data needs `name`"),
    ({"location_data": {"name": "a", "street": "b"}}, "location_data has no `street`"),
    ({"gateway_id": "a b"}, "gateway_id is 'a b'"),
    ({"gateway_id": "{{gateway}}"}, "gateway_id is '{{gateway}}'"),
    ({"gateway": "shop"}, "the gateway has no `gateway`"),
    ({"hostnames": {"a/b": HOSTNAME}}, "the id of a host name is 'a/b'"),
    ({"hostnames": {"api": {"hostname": "api.example.com"}}}, "hostnames.api needs `certificate_id`"),
    ({"hostnames": {"api": {**HOSTNAME, "tls": "1.0"}}}, "hostnames.api has no `tls`"),
    (
        {"hostnames": {"api": HOSTNAME, "shop": {**HOSTNAME, "negotiate_client_certificate": True}}},
        "the same for all host names",
    ),
    ({"certificate_authorities": {"company": {}}}, "certificate_authorities.company needs `certificate_id`"),
    ({"certificate_authorities": {"company": {"certificate_id": "a", "b": 1}}}, "company has no `b`"),
    ({"roles": {"subscription_id": "sub"}}, "nobody would get one"),
    ({"roles": {**ROLES, "subscription_id": None}}, "roles needs `subscription_id`"),
    ({"roles": {**ROLES, "owner": "a"}}, "roles has no `owner`"),
    ({"roles": {**ROLES, "app_principal_id": None, "reader_role_id": "a"}}, "needs `app_principal_id`"),
    ({"overrides": {"reader_role": {}}}, "overrides has no `reader_role`; it has gateway"),
]


def refused(**more: Any) -> tuple[str, ...]:
    """What is said about arguments; it must be said before anything is registered."""
    said: list[str] = []

    def program() -> None:
        with pytest.raises(ArgumentsError) as error:
            SelfHostedGateway("own", args(**more))
        said.extend(error.value.problems)

    assert [item for item in recorded(program) if item.custom] == []
    return tuple(said)


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_gateway_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    (problem,) = refused(**change)
    assert said in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(gateway_id="a b", roles={"subscription_id": "sub"}, hostnames={"api": {}})) == 4
