"""Gateways on machines: what is made, how machines start, who may what, and what is refused."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi
import pytest
import yaml

from edgewright.azure.gateway_machine import MachineError, MachineSettings, cloud_init
from edgewright.azure.gateway_scale_set import GatewayScaleSet, GatewayScaleSetArgs
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate
from edgewright.plan.tokens import UNKNOWN

ID = "00000000-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{ID}/resourceGroups/edge"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/example-vault/secrets/gateway-app"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/edge/subnets/gateway"
MACHINE = {
    "gateway_name": "shop",
    "service_name": "example-apim",
    "tenant_id": ID,
    "client_id": ID.replace("1", "2"),
    "vault_name": "example-vault",
    "secret_name": "gateway-app",
    "image_tag": "2.13.0",
}
CLIENT = ID.replace("1", "3")
IDENTITY = {"id": f"{GROUP}/identity", "client_id": CLIENT}
OWN = {"identity": IDENTITY, "vault_id": None, "subscription_id": None}
"""Changes to an identity that is there already."""


def args(**more: Any) -> GatewayScaleSetArgs:
    given = {
        "resource_group_name": "edge",
        "location": "westeurope",
        "subnet_id": SUBNET,
        "pool_ids": ["pool-1", "pool-2"],
        "machine": MACHINE,
        "ssh_public_key": "ssh-ed25519 AAAA ops",
        "subscription_id": ID,
        "vault_id": VAULT,
        **more,
    }
    return cast("GatewayScaleSetArgs", {key: value for key, value in given.items() if value is not None})


def recorded(make: Callable[[], object], *, preview: bool = False) -> tuple[Resource, ...]:
    return record(make, project="edgewright", stack="test", preview=preview).resources


def made(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: GatewayScaleSet("own", args(**more)))


def of(resources: tuple[Resource, ...], kind: str) -> Resource:
    """The resource of a kind, such as ``compute:VirtualMachineScaleSet``."""
    (found,) = (item for item in resources if item.type == f"azure-native:{kind}")
    return found


def scale_set(**more: Any) -> Mapping[str, Any]:
    return of(made(**more), "compute:VirtualMachineScaleSet").inputs


def profile(**more: Any) -> Mapping[str, Any]:
    return scale_set(**more)["virtualMachineProfile"]


def started(**more: Any) -> str:
    """What cloud-init reads."""
    return b64decode(profile(**more)["osProfile"]["customData"], validate=True).decode()


# -- what is made ------------------------------------------------------------------------------------------------------


def test_all_that_it_makes_is_what_the_sdk_takes() -> None:
    resources = made(tags={"team": "shop"})
    assert [item.type.rpartition(":")[2] for item in resources if item.custom] == [
        "RoleAssignment",
        "VirtualMachineScaleSet",
        "UserAssignedIdentity",
        "AutoscaleSetting",
    ]
    assert validate(resources) == []


def test_so_it_is_with_an_identity_that_is_there() -> None:
    resources = made(**OWN)
    assert [item.type.rpartition(":")[2] for item in resources if item.custom] == [
        "VirtualMachineScaleSet",
        "AutoscaleSetting",
    ]
    assert validate(resources) == []
    identity = of(resources, "compute:VirtualMachineScaleSet").inputs["identity"]
    assert identity == {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY["id"]]}


def test_all_is_below_the_component_and_protected() -> None:
    resources = recorded(lambda: GatewayScaleSet("own", args(), pulumi.ResourceOptions(protect=True)))
    (component,) = (item for item in resources if not item.custom)
    assert component.type == "edgewright:azure:GatewayScaleSet"
    parts = [item for item in resources if item.custom]
    assert {item.parent for item in parts} == {component.urn}
    assert all(item.protect for item in parts)


def test_what_takes_tags_has_them() -> None:
    found = {item.type.rpartition(":")[2]: item.inputs.get("tags") for item in made(tags={"team": "shop"})}
    tags = {"team": "shop"}
    assert found["UserAssignedIdentity"] == found["VirtualMachineScaleSet"] == found["AutoscaleSetting"] == tags


def test_machines_join_all_pools_in_their_subnet() -> None:
    (interface,) = profile()["networkProfile"]["networkInterfaceConfigurations"]
    (address,) = interface["ipConfigurations"]
    assert address["subnet"] == {"id": SUBNET}
    assert address["loadBalancerBackendAddressPools"] == [{"id": "pool-1"}, {"id": "pool-2"}]


def test_machines_are_spread_over_all_zones() -> None:
    found = scale_set()
    assert found["zones"] == ["1", "2", "3"]
    assert (found["platformFaultDomainCount"], found["singlePlacementGroup"]) == (1, False)


def test_a_region_without_zones_has_none() -> None:
    assert "zones" not in scale_set(location="westus")
    assert "zones" not in scale_set(zones=[])
    assert scale_set(zones=["2"])["zones"] == ["2"]


def test_size_image_and_user_may_be_chosen() -> None:
    image = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}
    found = scale_set(size="Standard_D4s_v5", image=image, admin_username="ops")
    machine = found["virtualMachineProfile"]
    assert found["sku"]["name"] == "Standard_D4s_v5"
    assert machine["storageProfile"]["imageReference"] == image
    assert machine["osProfile"]["adminUsername"] == "ops"
    (key,) = machine["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"]
    assert key == {"path": "/home/ops/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAA ops"}


# -- how machines start ------------------------------------------------------------------------------------------------


def test_machines_start_by_the_cloud_init_of_a_gateway_machine() -> None:
    expected = cloud_init(MachineSettings(**MACHINE, identity_client_id=CLIENT))
    assert started(**OWN) == expected


def test_what_cloud_init_gets_is_yaml_that_it_knows_as_its_own() -> None:
    text = started(**OWN)
    assert text.startswith("#cloud-config\n")
    document = yaml.safe_load(text)
    assert {"packages", "write_files", "runcmd"} <= set(document)
    files = {item["path"]: item["content"] for item in document["write_files"]}
    assert "gateway.name=shop\n" in files["/etc/apim-gateway/gateway.env"]
    assert f'"identity": "{CLIENT}"' in files["/etc/apim-gateway/certificate.json"]


def test_it_is_less_than_azure_takes() -> None:
    assert len(started(**OWN).encode()) < 16 * 1024  # cloud-init's own data source; Azure takes 64 KB in base64


def test_an_identity_of_its_own_is_known_to_the_machines_once_it_is_there() -> None:
    files = {item["path"]: item["content"] for item in yaml.safe_load(started())["write_files"]}
    assert (
        "${managedidentity.UserAssignedIdentity own-identity.clientId}" in files["/etc/apim-gateway/certificate.json"]
    )


def test_values_of_other_resources_are_filled_in_when_they_are_known() -> None:
    def program() -> None:
        later = {key: pulumi.Output.from_input(value) for key, value in MACHINE.items() if key != "image_tag"}
        machine = {**later, "image_tag": "2.13.0", "neighborhood_host": pulumi.Output.from_input("gateways.internal")}
        GatewayScaleSet("own", args(**{**OWN, "machine": machine}))

    found = of(recorded(program), "compute:VirtualMachineScaleSet").inputs["virtualMachineProfile"]["osProfile"]
    expected = MachineSettings(**MACHINE, identity_client_id=CLIENT, neighborhood_host="gateways.internal")
    assert b64decode(found["customData"]).decode() == cloud_init(expected)


def test_a_value_that_turns_out_not_to_fit_stops_the_update() -> None:
    def program() -> None:
        machine = {**MACHINE, "service_name": pulumi.Output.from_input("shop\nreboot: now")}
        GatewayScaleSet("own", args(**{**OWN, "machine": machine}))

    with pytest.raises(MachineError, match="service_name"):
        recorded(program)


def test_no_secret_is_in_what_machines_are_given() -> None:
    """Custom data can be read by everybody on the machine: it says where the certificate is, and has none."""
    text = started()
    assert "clientSecret" not in text
    assert "BEGIN" not in text
    assert "config.service.auth=azureAdApp" in text


# -- secure by default -------------------------------------------------------------------------------------------------


def test_there_is_no_password_to_guess() -> None:
    found = profile()["osProfile"]
    assert found["linuxConfiguration"]["disablePasswordAuthentication"] is True
    assert "adminPassword" not in found


def test_machines_start_trusted_and_are_encrypted_on_their_host() -> None:
    assert profile()["securityProfile"] == {
        "securityType": "TrustedLaunch",
        "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
        "encryptionAtHost": True,
    }
    assert profile(encryption_at_host=False)["securityProfile"]["encryptionAtHost"] is False


def test_no_machine_has_a_public_address() -> None:
    (interface,) = profile()["networkProfile"]["networkInterfaceConfigurations"]
    assert all("publicIPAddressConfiguration" not in item for item in interface["ipConfigurations"])
    assert all(item["primary"] for item in interface["ipConfigurations"])


def test_machines_are_replaced_by_new_ones_first_and_back_when_those_are_not_healthy() -> None:
    found = scale_set()
    policy = found["upgradePolicy"]
    assert policy["mode"] == "Rolling"
    assert policy["rollingUpgradePolicy"]["maxSurge"] is True
    assert policy["rollingUpgradePolicy"]["rollbackFailedInstancesOnPolicyBreach"] is True
    assert policy["automaticOSUpgradePolicy"] == {"enableAutomaticOSUpgrade": True, "useRollingUpgradePolicy": True}
    assert found["overprovision"] is False
    assert found["automaticRepairsPolicy"]["enabled"] is True


def test_health_is_what_the_status_path_says() -> None:
    (extension,) = profile()["extensionProfile"]["extensions"]
    assert (extension["publisher"], extension["type"]) == ("Microsoft.ManagedServices", "ApplicationHealthLinux")
    assert extension["settings"] == {"protocol": "http", "port": 8080, "requestPath": "/status-0123456789abcdef"}


# -- who may what ------------------------------------------------------------------------------------------------------


def test_the_machines_may_read_the_one_secret_and_nothing_else() -> None:
    resources = made()
    access = of(resources, "authorization:RoleAssignment").inputs
    assert access["scope"] == VAULT
    # Key Vault Secrets User, of Microsoft's list of built-in roles.
    role = f"/subscriptions/{ID}/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"
    assert access["roleDefinitionId"] == role
    assert access["principalId"] == "${managedidentity.UserAssignedIdentity own-identity.principalId}"
    assert access["principalType"] == "ServicePrincipal"


def test_machines_wait_for_their_right() -> None:
    resources = made()
    access = of(resources, "authorization:RoleAssignment")
    assert access.urn in of(resources, "compute:VirtualMachineScaleSet").dependencies


# -- how many ----------------------------------------------------------------------------------------------------------


def test_there_are_two_to_six_machines_by_their_cpu() -> None:
    resources = made()
    (found,) = of(resources, "monitor:AutoscaleSetting").inputs["profiles"]
    assert found["capacity"] == {"minimum": "2", "maximum": "6", "default": "2"}
    rules = {item["scaleAction"]["direction"]: item["metricTrigger"] for item in found["rules"]}
    assert (rules["Increase"]["operator"], rules["Increase"]["threshold"]) == ("GreaterThan", 70)
    assert (rules["Decrease"]["operator"], rules["Decrease"]["threshold"]) == ("LessThan", 30)
    target = "${compute.VirtualMachineScaleSet own.id}"
    assert {item["metricResourceUri"] for item in rules.values()} == {target}
    assert of(resources, "monitor:AutoscaleSetting").inputs["targetResourceUri"] == target


def test_bounds_and_thresholds_may_be_chosen() -> None:
    resources = made(min_count=3, max_count=100, cpu_high=80, cpu_low=40)
    (found,) = of(resources, "monitor:AutoscaleSetting").inputs["profiles"]
    assert found["capacity"] == {"minimum": "3", "maximum": "100", "default": "3"}
    assert [item["metricTrigger"]["threshold"] for item in found["rules"]] == [80, 40]
    assert of(resources, "compute:VirtualMachineScaleSet").inputs["sku"]["capacity"] == 3


def test_whole_numbers_of_a_program_in_another_language_stay_whole() -> None:
    """They arrive as floats, and Azure takes no count such as `2.0`."""
    (found,) = of(made(min_count=2.0, max_count=4.0), "monitor:AutoscaleSetting").inputs["profiles"]
    assert found["capacity"] == {"minimum": "2", "maximum": "4", "default": "2"}


# -- previews and overrides --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False])
def test_it_can_be_planned_with_nothing_known(own: bool) -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None}).id
        identity = {"vault_id": other, "subscription_id": other}
        if not own:
            identity = {**OWN, "identity": {"id": other, "client_id": other}}
        GatewayScaleSet(
            "own",
            args(
                resource_group_name=other,
                location=other,
                subnet_id=other,
                pool_ids=[other],
                machine={key: value if key == "image_tag" else other for key, value in MACHINE.items()},
                ssh_public_key=other,
                size=other,
                image=dict.fromkeys(("publisher", "offer", "sku", "version"), other),
                admin_username=other,
                encryption_at_host=other,
                tags={"team": other},
                **identity,
            ),
        )

    found = recorded(program, preview=True)
    expected = made(**({} if own else OWN))
    assert {item.urn for item in found if item.name != "other"} == {item.urn for item in expected}
    machine = of(found, "compute:VirtualMachineScaleSet").inputs["virtualMachineProfile"]
    assert machine["osProfile"]["customData"] == UNKNOWN


@pytest.mark.parametrize(
    ("key", "name", "change", "wire"),
    [
        ("identity", "own-identity", {"resource_name_": "by hand"}, "resourceName"),
        ("secret_access", "own-secret-access", {"description": "by hand"}, "description"),
        ("scale_set", "own", {"vm_scale_set_name": "by hand"}, "vmScaleSetName"),
        ("autoscale", "own-autoscale", {"name": "by hand"}, "name"),
    ],
)
def test_every_resource_may_be_overridden(key: str, name: str, change: dict[str, Any], wire: str) -> None:
    resources = made(overrides={key: change})
    assert [item.name for item in resources if item.inputs.get(wire) == "by hand"] == [name]
    assert validate(resources) == []


# -- what is refused ---------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"resource_group_name": None}, "`resource_group_name` is missing"),
    ({"location": None}, "`location` is missing"),
    ({"subnet_id": None}, "`subnet_id` is missing"),
    ({"machine": None}, "`machine` is missing"),
    ({"ssh_public_key": None}, "`ssh_public_key` is missing"),
    ({"pool_ids": None}, "`pool_ids` is missing"),
    ({"pool_ids": []}, "`pool_ids` is empty"),
    ({"count": 3}, "the scale set has no `count`"),
    ({"vault_id": None}, "write one of `vault_id`"),
    ({"identity": IDENTITY}, "write one of `vault_id`"),
    ({"subscription_id": None}, "`vault_id` needs `subscription_id`"),
    ({**OWN, "identity": {"id": "a"}}, "identity needs `client_id`"),
    ({**OWN, "identity": {**IDENTITY, "name": "a"}}, "identity has no `name`"),
    ({**OWN, "identity": {**IDENTITY, "client_id": "me"}}, "identity.client_id is 'me'; it must be a UUID"),
    ({"machine": {**MACHINE, "image_tag": None}}, "machine needs `image_tag`"),
    ({"machine": {**MACHINE, "image_tag": "latest"}}, "machine.image_tag is 'latest'"),
    ({"machine": {**MACHINE, "gateway_name": "a\nb"}}, "machine.gateway_name is"),
    ({"machine": {**MACHINE, "client_secret": "a"}}, "machine has no `client_secret`"),
    ({"ssh_public_key": "ecdsa-sha2-nistp256 AAAA"}, "ssh_public_key must be one line"),
    ({"ssh_public_key": "ssh-rsa AAAA\nssh-rsa BBBB"}, "ssh_public_key must be one line"),
    ({"min_count": 1}, "min_count is 1"),
    ({"min_count": 5, "max_count": 4}, "max_count is 4"),
    ({"max_count": 101}, "max_count is 101"),
    ({"cpu_low": 50}, "cpu_low is 50"),
    ({"cpu_high": 101, "cpu_low": 20}, "cpu_low is 20 and cpu_high 101"),
    ({"zones": ["4"]}, "zones are 4"),
    ({"zones": ["1", "1"]}, "each of 1, 2, 3 may be there once"),
    ({"zones": ["1"], "location": "westus"}, "westus has no zones"),
    ({"image": {"offer": "a"}}, "it needs offer, publisher, sku, version"),
    ({"overrides": {"network": {}}}, "overrides has no `network`; it has autoscale, identity, scale_set"),
    ({**OWN, "overrides": {"secret_access": {}}}, "overrides has no `secret_access`"),
]


def refused(**more: Any) -> tuple[str, ...]:
    """What is said about arguments; it must be said before anything is registered."""
    said: list[str] = []

    def program() -> None:
        with pytest.raises(ArgumentsError) as error:
            GatewayScaleSet("own", args(**more))
        said.extend(error.value.problems)

    assert recorded(program) == ()
    return tuple(said)


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_scale_set_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    (problem,) = refused(**change)
    assert said in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(min_count=1, pool_ids=[], location="westus", zones=["1"], cpu_low=0)) == 4
