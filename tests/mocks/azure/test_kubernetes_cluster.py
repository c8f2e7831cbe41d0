"""A cluster of AKS as a component: closed by default, over zones, with no credentials in its kubeconfig."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pulumi
import pytest
from pulumi.runtime.stack import register_stack_transformation

from edgewright.azure.kubernetes_cluster import CREDENTIALS, KubernetesCluster
from edgewright.azure.kubernetes_cluster_rules import KubeconfigError
from edgewright.clouds.part import ArgumentsError
from edgewright.plan import recorder
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate

SUBNET = "/subscriptions/s/resourceGroups/edge/providers/Microsoft.Network/virtualNetworks/edge/subnets/cluster"
PLAIN: dict[str, Any] = {
    "subscription_id": "s",
    "resource_group_name": "edge",
    "location": "westeurope",
    "subnet_id": SUBNET,
    "subnet_cidr": "10.0.2.0/24",
    "network_cidr": "10.0.0.0/16",
    "kubernetes_version": "1.34",
    "api_server": {"private": True},
}
FULL: dict[str, Any] = {
    **PLAIN,
    "cluster_name": "edge-eu",
    "api_server": {"authorized_ranges": ["203.0.113.0/24", "198.51.100.7"]},
    "admin_group_ids": ["group"],
    "administrators": {
        "program": {"principal_id": "program"},
        "people": {"principal_id": "p", "principal_type": "Group"},
    },
    "public_ip_scopes": {"network": "/subscriptions/s/resourceGroups/network"},
    "workspace_id": "/subscriptions/s/workspace",
    "user_pool": {"size": "Standard_D8s_v5", "min_count": 3, "max_count": 9, "disk_gb": 256},
    "maintenance": {"day": "Tuesday", "start": "02:30", "hours": 8, "utc_offset": "+01:00"},
    "tags": {"team": "edge"},
}
EXISTING: dict[str, Any] = {
    "subscription_id": "s",
    "existing": {"name": "theirs", "resource_group_name": "their", "oidc_issuer_url": "https://issuer.example/c/"},
}
KUBECONFIG = """
apiVersion: v1
kind: Config
users:
- name: clusterUser
  user:
    exec: {command: kubelogin, args: [get-token, --login, devicecode, --server-id, x]}
"""
LOCAL_ACCOUNT = "users: [{name: clusterUser, user: {client-certificate-data: QQ==, client-key-data: QQ==}}]"


def answering(text: str = KUBECONFIG) -> Mapping[str, recorder.Call]:
    """What Azure would answer when it is asked for the kubeconfig."""
    found = {"kubeconfigs": [{"name": "clusterUser", "value": b64encode(text.encode()).decode()}]}
    return {CREDENTIALS: lambda _arguments: found}


def recording(
    args: Mapping[str, Any],
    use: Callable[[KubernetesCluster], object] = id,
    *,
    kubeconfig: str = KUBECONFIG,
    preview: bool = False,
) -> Any:
    def program() -> None:
        use(KubernetesCluster("it", cast("Any", dict(args))))

    return record(program, project="edgewright", stack="test", calls=answering(kubeconfig), preview=preview)


def recorded(args: Mapping[str, Any] = PLAIN, **more: Any) -> tuple[Resource, ...]:
    given = {**args, **more}
    return recording({key: value for key, value in given.items() if value is not None}).resources


def inputs(resources: tuple[Resource, ...], name: str) -> Any:
    return next(item.inputs for item in resources if item.custom and item.name == f"it-{name}")


def cluster(args: Mapping[str, Any] = PLAIN, **more: Any) -> Any:
    return inputs(recorded(args, **more), "cluster")


def outputs(args: Mapping[str, Any], *names: str, preview: bool = False) -> Mapping[str, Any]:
    def use(found: KubernetesCluster) -> None:
        for name in names:
            pulumi.export(name, getattr(found, name))

    return recording(args, use, preview=preview).outputs


@pytest.mark.parametrize("args", [PLAIN, FULL], ids=["plain", "full"])
def test_what_it_makes_is_what_the_sdk_takes(args: Mapping[str, Any]) -> None:
    resources = recorded(args)
    assert len([item for item in resources if item.custom]) == (6 if args is PLAIN else 12)
    assert validate(resources) == []


def test_everything_stands_below_the_component() -> None:
    resources = recorded(FULL)
    parts = [item for item in resources if not item.custom]
    assert [item.type for item in parts] == ["edgewright:azure:KubernetesCluster"]
    assert {item.parent for item in resources if item.custom} == {parts[0].urn}


def test_values_may_be_unknown_in_a_preview() -> None:
    unknown = ("subscription_id", "resource_group_name", "location", "subnet_id", "workspace_id")

    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        args = {**FULL, **dict.fromkeys(unknown, other.id), "api_server": {"authorized_ranges": [other.id]}}
        KubernetesCluster("it", cast("Any", args))

    found = record(program, project="edgewright", stack="test", preview=True).resources
    assert {item.name for item in found} - {"other"} == {item.name for item in recorded(FULL)}


def attributes() -> Iterator[tuple[str, str]]:
    yield from (
        ("identity", "identity"),
        ("subnet_access", "subnet-access"),
        ("public_ip_access.network", "public-ip-network"),
        ("cluster", "cluster"),
        ("user_pool", "user-pool"),
        ("maintenance.cluster", "maintenance-cluster"),
        ("maintenance.nodes", "maintenance-nodes"),
        ("administrators.program", "administrator-program"),
        ("collection_rule", "collection-rule"),
        ("collection", "collection"),
        ("diagnostics", "logs"),
    )


WORDS = {
    "identity": "tags",
    "subnet_access": "description",
    "public_ip_access.network": "description",
    "cluster": "tags",
    "user_pool": "tags",
    "maintenance.cluster": "maintenance_window",
    "maintenance.nodes": "maintenance_window",
    "administrators.program": "description",
    "collection_rule": "tags",
    "collection": "description",
    "diagnostics": "logs",
}


@pytest.mark.parametrize(("attribute", "name"), list(attributes()))
def test_each_raw_resource_may_be_overridden(attribute: str, name: str) -> None:
    word = WORDS[attribute]
    value: Any = {
        "tags": {"said": "by hand"},
        "description": "by hand",
        "maintenance_window": {"start_time": "05:00", "schedule": {"daily": {"interval_days": 1}}},
        "logs": [{"category": "kube-audit", "enabled": True}],
    }[word]
    before, after = (
        inputs(recorded(FULL, overrides=overrides), name) for overrides in ({}, {attribute: {word: value}})
    )
    wire = "maintenanceWindow" if word == "maintenance_window" else word
    assert before.get(wire) != after[wire]


def test_an_override_of_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(ArgumentsError, match=r"`diagnostics`.*user_pool"):
        recorded(PLAIN, overrides={"diagnostics": {}})


# -- who gets in -------------------------------------------------------------------------------------------------------


def test_only_entra_lets_anybody_in() -> None:
    found = cluster(FULL)
    assert found["disableLocalAccounts"] is True
    assert found["enableRBAC"] is True
    assert found["aadProfile"] == {"managed": True, "enableAzureRBAC": True, "adminGroupObjectIDs": ["group"]}


def test_workloads_have_identities() -> None:
    found = cluster()
    assert found["oidcIssuerProfile"] == {"enabled": True}
    assert found["securityProfile"]["workloadIdentity"] == {"enabled": True}


def test_a_private_api_server_has_no_public_name() -> None:
    assert cluster()["apiServerAccessProfile"] == {
        "enablePrivateCluster": True,
        "enablePrivateClusterPublicFQDN": False,
        "privateDNSZone": "system",
        "disableRunCommand": True,
    }


def test_a_public_api_server_has_the_ranges_that_are_said() -> None:
    assert cluster(FULL)["apiServerAccessProfile"] == {
        "authorizedIPRanges": ["203.0.113.0/24", "198.51.100.7"],
        "enablePrivateCluster": False,
        "disableRunCommand": True,
    }


def test_an_open_api_server_must_be_said_in_production_and_not_in_development() -> None:
    with pytest.raises(ArgumentsError, match="open to everybody"):
        recorded(PLAIN, api_server=None)
    said = cluster(PLAIN, api_server={"open": True})["apiServerAccessProfile"]
    assert said == {"enablePrivateCluster": False, "disableRunCommand": True}
    assert cluster(PLAIN, api_server=None, profile="development")["apiServerAccessProfile"] == said


def test_the_clusters_identity_may_change_the_subnet_alone() -> None:
    resources = recorded(PLAIN)
    roles = [item.inputs for item in resources if item.type.endswith(":RoleAssignment")]
    assert [(role["scope"], role["principalId"]) for role in roles] == [
        (SUBNET, "${managedidentity.UserAssignedIdentity it-identity.principalId}")
    ]
    assert roles[0]["roleDefinitionId"].endswith("/4d97b98b-1d4f-4787-a291-c67834d212e7")
    made = next(item for item in resources if item.name == "it-cluster")
    assert any(urn.endswith("::it-subnet-access") for urn in made.dependencies)
    assert made.inputs["identity"]["userAssignedIdentities"] == [
        "${managedidentity.UserAssignedIdentity it-identity.id}"
    ]


def test_groups_of_public_addresses_are_opened_to_it_by_name() -> None:
    assert inputs(recorded(FULL), "public-ip-network")["scope"] == "/subscriptions/s/resourceGroups/network"


def test_administrators_get_the_role_on_this_cluster_alone() -> None:
    resources = recorded(FULL)
    program, people = inputs(resources, "administrator-program"), inputs(resources, "administrator-people")
    assert (program["principalId"], program["principalType"]) == ("program", "ServicePrincipal")
    assert (people["principalId"], people["principalType"]) == ("p", "Group")
    assert program["scope"] == people["scope"] == "${containerservice.ManagedCluster it-cluster.id}"
    assert program["roleDefinitionId"].endswith("/b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b")


# -- network and nodes -------------------------------------------------------------------------------------------------


def test_pods_have_an_overlay_with_policies_of_cilium_and_the_subnets_way_out() -> None:
    assert cluster()["networkProfile"] == {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkDataplane": "cilium",
        "networkPolicy": "cilium",
        "outboundType": "userAssignedNATGateway",
        "loadBalancerSku": "standard",
        "podCidr": "10.244.0.0/16",
        "serviceCidr": "10.245.0.0/16",
        "dnsServiceIP": "10.245.0.10",
    }


def test_the_system_pool_is_for_the_clusters_own_pods_and_the_user_pool_is_not() -> None:
    resources = recorded(FULL)
    (system,) = inputs(resources, "cluster")["agentPoolProfiles"]
    user = inputs(resources, "user-pool")
    assert (system["mode"], system["nodeTaints"]) == ("System", ["CriticalAddonsOnly=true:NoSchedule"])
    assert (user["mode"], user.get("nodeTaints")) == ("User", None)
    assert (user["vmSize"], user["minCount"], user["maxCount"], user["osDiskSizeGB"]) == ("Standard_D8s_v5", 3, 9, 256)


def test_nodes_are_over_zones_scale_and_are_closed() -> None:
    resources = recorded()
    for pool in (inputs(resources, "cluster")["agentPoolProfiles"][0], inputs(resources, "user-pool")):
        assert pool["availabilityZones"] == ["1", "2", "3"]
        assert (pool["enableAutoScaling"], pool["minCount"], pool["maxCount"]) == (True, 3, 6)
        assert pool["vnetSubnetID"] == SUBNET
        assert pool["enableNodePublicIP"] is False
        assert pool["enableEncryptionAtHost"] is True
        assert pool["securityProfile"] == {"enableSecureBoot": True, "enableVTPM": True, "sshAccess": "Disabled"}


def test_another_size_is_another_pool_and_more_nodes_are_not() -> None:
    names = [
        inputs(recorded(PLAIN, user_pool=pool), "user-pool")["agentPoolName"]
        for pool in ({}, {"max_count": 9}, {"size": "Standard_D8s_v5"})
    ]
    assert names[0] == names[1] != names[2]
    assert all(len(name) <= 12 and name.isalnum() and name.islower() for name in names)


def test_an_update_does_not_set_back_what_the_autoscaler_chose() -> None:
    found: dict[str, Any] = {}

    def see(args: pulumi.ResourceTransformationArgs) -> None:
        if args.opts.ignore_changes:
            found[args.type_] = args.opts.ignore_changes

    def program() -> None:
        register_stack_transformation(see)
        KubernetesCluster("it", cast("Any", PLAIN))

    record(program, project="edgewright", stack="test", calls=answering())
    assert found == {
        "azure-native:containerservice:ManagedCluster": ["agentPoolProfiles[0].count"],
        "azure-native:containerservice:AgentPool": ["count"],
    }


def test_production_has_an_sla_and_development_one_node_in_each_pool() -> None:
    assert cluster()["sku"] == {"name": "Base", "tier": "Standard"}
    resources = recorded(PLAIN, profile="development")
    found = inputs(resources, "cluster")
    assert found["sku"] == {"name": "Base", "tier": "Free"}
    assert found["agentPoolProfiles"][0]["minCount"] == inputs(resources, "user-pool")["minCount"] == 1


def test_pools_have_the_minor_version_of_the_control_plane() -> None:
    resources = recorded(PLAIN, kubernetes_version="1.35")
    found = inputs(resources, "cluster")
    versions = [found["kubernetesVersion"], found["agentPoolProfiles"][0]["orchestratorVersion"]]
    assert [*versions, inputs(resources, "user-pool")["orchestratorVersion"]] == ["1.35"] * 3


# -- upkeep ------------------------------------------------------------------------------------------------------------


def test_patches_and_images_of_nodes_come_by_themselves() -> None:
    assert cluster()["autoUpgradeProfile"] == {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"}


def test_they_come_in_the_window_that_is_said() -> None:
    resources = recorded(FULL)
    windows = {
        item.inputs["configName"]: item.inputs["maintenanceWindow"] for item in resources if "Maintenance" in item.type
    }
    assert set(windows) == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    for window in windows.values():
        assert window == {
            "schedule": {"weekly": {"dayOfWeek": "Tuesday", "intervalWeeks": 1}},
            "startTime": "02:30",
            "durationHours": 8,
            "utcOffset": "+01:00",
        }


def test_what_no_pod_uses_is_cleaned_and_policies_of_azure_are_on() -> None:
    found = cluster()
    assert found["securityProfile"]["imageCleaner"] == {"enabled": True, "intervalHours": 168}
    assert found["addonProfiles"] == {"azurepolicy": {"enabled": True}}
    assert found["nodeResourceGroupProfile"] == {"restrictionLevel": "ReadOnly"}


def test_a_workspace_gets_insights_by_identity_and_the_control_planes_logs() -> None:
    resources = recorded(FULL)
    addon = inputs(resources, "cluster")["addonProfiles"]["omsagent"]
    assert addon == {
        "enabled": True,
        "config": {"logAnalyticsWorkspaceResourceID": "/subscriptions/s/workspace", "useAADAuth": "true"},
    }
    rule, bound = inputs(resources, "collection-rule"), inputs(resources, "collection")
    assert rule["destinations"]["logAnalytics"][0]["workspaceResourceId"] == "/subscriptions/s/workspace"
    assert rule["dataFlows"][0]["destinations"] == [rule["destinations"]["logAnalytics"][0]["name"]]
    assert bound["associationName"] == "ContainerInsightsExtension"
    assert bound["dataCollectionRuleId"] == "${monitor.DataCollectionRule it-collection-rule.id}"
    assert bound["resourceUri"] == "${containerservice.ManagedCluster it-cluster.id}"
    logs = inputs(resources, "logs")["logs"]
    assert {item["category"] for item in logs if item["enabled"]} == {"cluster-autoscaler", "guard", "kube-audit-admin"}


# -- what comes out ----------------------------------------------------------------------------------------------------


def test_the_kubeconfig_is_a_secret() -> None:
    assert outputs(PLAIN, "kubeconfig") == {"kubeconfig": "[secret]"}


@pytest.mark.parametrize("login", ["azurecli", "workloadidentity"])
def test_the_kubeconfig_logs_in_as_it_is_told(login: str) -> None:
    seen: list[str] = []
    recording({**PLAIN, "login": login}, lambda found: found.kubeconfig.apply(seen.append))
    assert f"- {login}" in seen[0]
    assert "devicecode" not in seen[0]


def test_credentials_of_a_local_account_are_refused() -> None:
    with pytest.raises(KubeconfigError, match="local accounts"):
        recording(EXISTING, lambda found: pulumi.export("kubeconfig", found.kubeconfig), kubeconfig=LOCAL_ACCOUNT)


def test_azure_is_asked_for_a_users_credentials_of_this_cluster() -> None:
    asked: list[Mapping[str, Any]] = []

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append(arguments)
        return answering()[CREDENTIALS](arguments)

    record(
        lambda: KubernetesCluster("it", cast("Any", EXISTING)),
        project="edgewright",
        stack="test",
        calls={CREDENTIALS: answer},
    )
    assert asked == [{"resourceGroupName": "their", "resourceName": "theirs", "format": "exec"}]


def test_a_new_cluster_gives_its_name_id_and_identity() -> None:
    found = outputs(PLAIN, "name", "id", "identity_principal_id")
    assert found == {
        "name": "${containerservice.ManagedCluster it-cluster.name}",
        "id": "${containerservice.ManagedCluster it-cluster.id}",
        "identity_principal_id": "${managedidentity.UserAssignedIdentity it-identity.principalId}",
    }


def test_what_only_azure_knows_is_unknown_in_a_preview() -> None:
    names = ("name", "id", "oidc_issuer_url", "identity_principal_id", "kubelet_principal_id")
    assert outputs(PLAIN, *names, preview=True) == dict.fromkeys(names, "[unknown]")


def test_an_existing_cluster_is_used_and_nothing_is_made() -> None:
    assert [item for item in recorded(EXISTING) if item.custom] == []
    assert outputs(EXISTING, "name", "id", "oidc_issuer_url", "identity_principal_id") == {
        "name": "theirs",
        "id": "/subscriptions/s/resourceGroups/their/providers/Microsoft.ContainerService/managedClusters/theirs",
        "oidc_issuer_url": "https://issuer.example/c/",
        "identity_principal_id": "",
    }


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[Mapping[str, Any], Mapping[str, Any], str]] = [
    (PLAIN, {"subscription_id": None}, "`subscription_id` is missing"),
    (PLAIN, {"subnet_id": None}, "`subnet_id` is missing"),
    (PLAIN, {"kubernetes_version": None}, "`kubernetes_version` is missing"),
    (PLAIN, {"kubernetes_version": "1.34.2"}, "write 1.34"),
    (PLAIN, {"kubernetes_version": "1.29"}, "need 1.30 or newer"),
    (PLAIN, {"kubernetes_version": "latest"}, "a minor version"),
    (PLAIN, {"cluster_name": "a" * 64}, "1 to 63"),
    (PLAIN, {"cluster_name": "-edge"}, "1 to 63"),
    (PLAIN, {"profile": "test"}, "there is no profile `test`"),
    (PLAIN, {"zones": ["1", "4"]}, "zones are 1, 4"),
    (PLAIN, {"user_pool": {"min_count": 2}}, "user_pool.min_count is 2; there must be 3 at least, one for each"),
    (PLAIN, {"system_pool": {"min_count": 1}}, "system_pool.min_count is 1"),
    (PLAIN, {"user_pool": {"max_count": 2}}, "user_pool.max_count is 2"),
    (PLAIN, {"user_pool": {"nodes": 2}}, "user_pool has no `nodes`"),
    (PLAIN, {"pod_cidr": "10.0.0.0/16"}, "pod_cidr 10.0.0.0/16 overlap"),
    (PLAIN, {"service_cidr": "10.0.2.0/24"}, "service_cidr 10.0.2.0/24 overlap"),
    (PLAIN, {"subnet_cidr": "10.0.2.0/28"}, "has room for 11 nodes; there are up to 16"),
    (PLAIN, {"dns_service_ip": "10.9.0.10"}, "must be in service_cidr"),
    (PLAIN, {"api_server": {"private": True, "open": True}}, "more than one of"),
    (PLAIN, {"api_server": {"authorized_ranges": ["0.0.0.0/0"]}}, "which is everybody"),
    (PLAIN, {"api_server": {"authorized_ranges": ["here"]}}, "write an IPv4 address"),
    (PLAIN, {"api_server": {"ranges": []}}, "api_server has no `ranges`"),
    (PLAIN, {"maintenance": {"day": "Someday"}}, "maintenance.day"),
    (PLAIN, {"maintenance": {"start": "25:00"}}, "maintenance.start"),
    (PLAIN, {"maintenance": {"hours": 2}}, "it is 4 to 24"),
    (PLAIN, {"maintenance": {"utc_offset": "CET"}}, "maintenance.utc_offset"),
    (PLAIN, {"administrators": {"me": {}}}, "administrators.me needs `principal_id`"),
    (PLAIN, {"login": "password"}, "login is 'password'"),
    (EXISTING, {"existing": {"name": "theirs"}}, "existing needs `oidc_issuer_url`"),
    (EXISTING, {"subnet_id": SUBNET}, "`subnet_id` is for a new cluster"),
]


@pytest.mark.parametrize(("args", "change", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_a_cluster_that_cannot_be_is_refused_before_anything_is_made(
    args: Mapping[str, Any], change: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(ArgumentsError, match=said):
        recorded(args, **change)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ArgumentsError) as refused:
        recorded(PLAIN, kubernetes_version="1.2", pod_cidr="10.0.0.0/16", api_server=None, user_pool={"min_count": 1})
    places = ("kubernetes_version", "pod_cidr", "api_server", "user_pool")
    assert all(any(place in problem for problem in refused.value.problems) for place in places)


def test_a_region_without_zones_may_have_fewer_nodes() -> None:
    found = cluster(PLAIN, zones=[], system_pool={"min_count": 1}, user_pool={"min_count": 2})
    assert "availabilityZones" not in found["agentPoolProfiles"][0]
