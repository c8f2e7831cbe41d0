"""A cluster of Azure Kubernetes Service for gateways and services: private where it can be, with Entra alone."""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Required, TypedDict, cast

import pulumi
from pulumi_azure_native import authorization, containerservice, managedidentity

from edgewright.azure import kubernetes_cluster_rules as rules
from edgewright.azure.diagnostics import place_diagnostics
from edgewright.azure.network_regions import default_zones, zone_problems
from edgewright.azure.roles import assign_role, role_id
from edgewright.clouds.digests import digest, shortened
from edgewright.clouds.part import place, refuse, unknown_keys

TYPE = "edgewright:azure:KubernetesCluster"

NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
"""Built-in roles: Network Contributor, and Azure Kubernetes Service RBAC Cluster Admin."""

CREDENTIALS = "azure-native:containerservice:listManagedClusterUserCredentials"
"""The function of Azure that gives the kubeconfig; an offline plan answers it itself."""

AUDITED = ("cluster-autoscaler", "guard", "kube-audit-admin")
"""Logs of the control plane that go to the workspace: who was let in, what was changed, why nodes came and went."""

STREAMS = ("Microsoft-ContainerInsights-Group-Default",)


class PoolArgs(TypedDict, total=False):
    """A pool of nodes. It scales by itself, with what pods ask for."""

    size: pulumi.Input[str]
    """Of the machines, generation 2, with the feature of encryption at host. Default: Standard_D4s_v5 (4 CPUs, 16 GiB:
    one gateway of 2 CPUs, and room for the rest)."""
    min_count: int
    """At least; in production one for each zone. Default: as many as zones, or 1 in development."""
    max_count: int
    """At most. Default: twice ``min_count``."""
    disk_gb: int
    """Of the system's disk. Default: 128."""


class ApiServerArgs(TypedDict, total=False):
    """Who reaches the API of Kubernetes; one of these. It asks for a token of Entra in any case."""

    private: bool
    """Only from the network: where this program runs must be in it. Default: false."""
    authorized_ranges: list[pulumi.Input[str]]
    """IPv4 ranges, 200 at most: where this program runs, and the address of the NAT gateway, by which nodes come."""
    open: bool
    """From everywhere; in production it must be said. Default: false."""


class MaintenanceArgs(TypedDict, total=False):
    """When patches and images of nodes may be put in; a week apart."""

    day: str
    """Default: Sunday."""
    start: str
    """``HH:MM``. Default: 01:00."""
    hours: int
    """4 at least, 24 at most. Default: 6."""
    utc_offset: str
    """Default: +00:00."""


class AdministratorArgs(TypedDict, total=False):
    """Who may do everything in the cluster."""

    principal_id: Required[pulumi.Input[str]]
    """Object id."""
    principal_type: str
    """``ServicePrincipal`` (default), ``Group`` or ``User``."""


class ExistingClusterArgs(TypedDict, total=False):
    """A cluster that is there, with OIDC issuer, workload identity, Entra, and no local accounts."""

    name: Required[pulumi.Input[str]]
    """Its name."""
    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    oidc_issuer_url: Required[pulumi.Input[str]]
    """As ``az aks show`` gives it, to the last slash."""


class KubernetesClusterArgs(TypedDict, total=False):
    """Arguments of `KubernetesCluster`: ``subscription_id`` and ``existing``, or what a new one needs."""

    subscription_id: Required[pulumi.Input[str]]
    """Of the cluster."""
    existing: ExistingClusterArgs
    """A cluster to use; with it only ``login`` counts beside it."""
    resource_group_name: pulumi.Input[str]
    """Where it is; needed."""
    location: pulumi.Input[str]
    """Such as ``westeurope``; needed."""
    subnet_id: pulumi.Input[str]
    """Of nodes; needed. A NAT gateway must be on it: there is no other way out."""
    subnet_cidr: str
    """Its range; needed, as ranges must not overlap."""
    network_cidr: str
    """Of its network, checked too. Default: not checked."""
    kubernetes_version: str
    """A minor version such as ``1.34``; needed."""
    cluster_name: str
    """1 to 63 letters, digits, `-` and `_`. Default: the component's name and what the engine adds."""
    profile: str
    """``production`` (default) or ``development``. Production: Standard tier (with an SLA), a node in each zone, a
    closed API server."""
    zones: list[str]
    """Default: all zones, none in a region known to have none."""
    system_pool: PoolArgs
    """For the cluster's own pods alone. AKS lets its ``size`` and ``disk_gb`` not be changed later."""
    user_pool: PoolArgs
    """For gateways and services."""
    pod_cidr: str
    """Of pods (overlay), a /24 for each node. Default: 10.244.0.0/16."""
    service_cidr: str
    """Of Services. Default: 10.245.0.0/16."""
    dns_service_ip: str
    """In ``service_cidr``. Default: its tenth address."""
    api_server: ApiServerArgs
    """Who reaches it; needed in production."""
    admin_group_ids: list[pulumi.Input[str]]
    """Groups of Entra that administer the cluster, by object id. Default: none, roles of Azure alone."""
    administrators: Mapping[str, AdministratorArgs]
    """Who gets the role of the cluster's administrator, by a name of yours; who places objects needs it. Default:
    none."""
    public_ip_scopes: Mapping[str, pulumi.Input[str]]
    """Ids of resource groups with public IPs for balancers, by a name of yours; the cluster gets Network Contributor on
    each. Default: none."""
    workspace_id: pulumi.Input[str]
    """A Log Analytics workspace in the same region, for Container insights and logs of the control plane. Default:
    none."""
    maintenance: MaintenanceArgs
    """Default: Sundays at 01:00 UTC, for six hours."""
    encryption_at_host: pulumi.Input[bool]
    """Disks and caches are encrypted on the host too. Default: true; the subscription must have the feature
    Microsoft.Compute/EncryptionAtHost."""
    login: str
    """How kubelogin, which must be on PATH, logs in for ``kubeconfig``: one of `kubernetes_cluster_rules.LOGINS`.
    Default: azurecli."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags. Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: identity, subnet_access, public_ip_access.NAME, cluster, user_pool, maintenance.KIND,
    administrators.NAME, collection_rule, collection, diagnostics."""


MAINTENANCE = {"cluster": "aksManagedAutoUpgradeSchedule", "nodes": "aksManagedNodeOSUpgradeSchedule"}
"""Kinds of maintenance by the names that AKS knows them by."""


class KubernetesCluster(pulumi.ComponentResource):
    """A cluster: Azure CNI overlay with Cilium, nodes over zones in two pools, Entra with roles of Azure alone.

    ``name``, ``id``, ``oidc_issuer_url``, ``identity_principal_id`` (who joins balancers to the network; empty for an
    existing one), ``kubelet_principal_id`` (who pulls images; empty likewise), ``kubeconfig`` (secret; has no
    credentials, logs in by kubelogin); the raw resources ``identity``, ``subnet_access``, ``public_ip_access`` (by
    name), ``cluster``, ``user_pool``, ``maintenance`` (by kind), ``administrators`` (by name), ``collection_rule``,
    ``collection``, ``diagnostics`` (None where not made).
    """

    def __init__(self, name: str, args: KubernetesClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("KubernetesCluster", name, _problems(args))
        super().__init__(TYPE, name, None, opts)
        new = args.get("existing") is None

        self.identity = _identity(self, name, args) if new else None
        self.subnet_access = _subnet_access(self, name, args)
        self.public_ip_access = _public_ip_access(self, name, args)
        self.cluster = _cluster(self, name, args) if new else None
        self.user_pool = _user_pool(self, name, args)
        self.maintenance = _maintenance(self, name, args)
        self.administrators = _administrators(self, name, args)
        self.collection_rule = _collection_rule(self, name, args)
        self.collection = _collection(self, name, args)
        self.diagnostics = _diagnostics(self, name, args)

        self.name: pulumi.Output[str] = self.cluster.name if self.cluster else _existing(args, "name")
        self.id: pulumi.Output[str] = self.cluster.id if self.cluster else _existing_id(args)
        self.oidc_issuer_url = _issuer(self.cluster) if self.cluster else _existing(args, "oidc_issuer_url")
        none = pulumi.Output.from_input("")
        self.identity_principal_id: pulumi.Output[str] = self.identity.principal_id if self.identity else none
        self.kubelet_principal_id = _kubelet(self.cluster) if self.cluster else none
        self.kubeconfig = _kubeconfig(self, args)
        self.register_outputs({"name": self.name, "id": self.id, "oidcIssuerUrl": self.oidc_issuer_url})


def _existing(args: KubernetesClusterArgs, key: str) -> pulumi.Output[str]:
    given: Mapping[str, Any] = args.get("existing") or {}
    return pulumi.Output.from_input(cast("pulumi.Input[str]", given[key]))


def _existing_id(args: KubernetesClusterArgs) -> pulumi.Output[str]:
    return pulumi.Output.concat(
        "/subscriptions/",
        args["subscription_id"],
        "/resourceGroups/",
        _existing(args, "resource_group_name"),
        "/providers/Microsoft.ContainerService/managedClusters/",
        _existing(args, "name"),
    )


def _issuer(cluster: containerservice.ManagedCluster) -> pulumi.Output[str]:
    """With the id, so that it is unknown as long as the cluster is: a preview may echo the profile without it."""

    def read(found: list[Any]) -> str:
        # `Output.all` makes plain objects of the SDK's.
        profile: Mapping[str, Any] | None = found[0]
        return str(profile.get("issuer_url") or "") if profile else ""

    return pulumi.Output.all(cluster.oidc_issuer_profile, cluster.id).apply(read)


def _kubelet(cluster: containerservice.ManagedCluster) -> pulumi.Output[str]:
    """AKS makes this identity, and says it afterwards."""

    def read(found: Any) -> str:
        identities: Mapping[str, Any] = found or {}
        identity = identities.get("kubeletidentity")
        return str(getattr(identity, "object_id", None) or "")

    profile: pulumi.Output[Any] = cluster.identity_profile
    return profile.apply(read)


def _kubeconfig(self: KubernetesCluster, args: KubernetesClusterArgs) -> pulumi.Output[str]:
    """Of a user, which for Entra has no credentials; never the administrator's."""
    given: Mapping[str, Any] = args.get("existing") or args
    login = args.get("login", "azurecli")

    def read(found: containerservice.ListManagedClusterUserCredentialsResult) -> str:
        if not found.kubeconfigs:
            raise rules.KubeconfigError("AKS gave no kubeconfig: who runs this needs the role to list credentials")
        return rules.kubeconfig(b64decode(found.kubeconfigs[0].value).decode(), login)

    answer = containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=given.get("resource_group_name"),
        resource_name=self.name,
        format="exec",
        opts=pulumi.InvokeOutputOptions(parent=self),
    )
    return pulumi.Output.secret(answer.apply(read))


# -- rights ------------------------------------------------------------------------------------------------------------


def _common(args: KubernetesClusterArgs) -> dict[str, Any]:
    return {
        "resource_group_name": args.get("resource_group_name"),
        "location": args.get("location"),
        "tags": dict(args.get("tags") or {}),
    }


def _identity(self: KubernetesCluster, name: str, args: KubernetesClusterArgs) -> managedidentity.UserAssignedIdentity:
    """Of the control plane. Known before the cluster, so that it has its right to the subnet when it begins."""
    return place(
        managedidentity.UserAssignedIdentity,
        f"{name}-identity",
        _common(args),
        parent=self,
        overrides=args.get("overrides"),
        key="identity",
    )


def _network_access(
    self: KubernetesCluster, name: str, args: KubernetesClusterArgs, scope: Any, key: str
) -> authorization.RoleAssignment:
    props = {
        "principal_id": self.identity.principal_id if self.identity else None,
        "role_definition_id": role_id(args["subscription_id"], NETWORK_CONTRIBUTOR),
        "scope": scope,
    }
    return assign_role(self, name, props, overrides=args.get("overrides"), key=key)


def _subnet_access(
    self: KubernetesCluster, name: str, args: KubernetesClusterArgs
) -> authorization.RoleAssignment | None:
    """On the subnet alone: it joins nodes and internal balancers to it."""
    if self.identity is None:
        return None
    return _network_access(self, f"{name}-subnet-access", args, args.get("subnet_id"), "subnet_access")


def _public_ip_access(
    self: KubernetesCluster, name: str, args: KubernetesClusterArgs
) -> dict[str, authorization.RoleAssignment]:
    return {
        key: _network_access(self, f"{name}-public-ip-{key}", args, scope, f"public_ip_access.{key}")
        for key, scope in (args.get("public_ip_scopes") or {}).items()
    }


def _administrators(
    self: KubernetesCluster, name: str, args: KubernetesClusterArgs
) -> dict[str, authorization.RoleAssignment]:
    overrides = dict(args.get("overrides") or {})
    made: dict[str, authorization.RoleAssignment] = {}
    for key, item in (args.get("administrators") or {}).items():
        attribute = f"administrators.{key}"
        kind = {"principal_type": item.get("principal_type", "ServicePrincipal")}
        props = {
            "principal_id": item["principal_id"],
            "role_definition_id": role_id(args["subscription_id"], CLUSTER_ADMIN),
            "scope": self.cluster.id if self.cluster else None,
        }
        wanted = {**overrides, attribute: {**kind, **overrides.get(attribute, {})}}
        made[key] = assign_role(self, f"{name}-administrator-{key}", props, overrides=wanted, key=attribute)
    return made


# -- the cluster -------------------------------------------------------------------------------------------------------


def _production(args: KubernetesClusterArgs) -> bool:
    return args.get("profile", "production") == "production"


def _zones(args: KubernetesClusterArgs) -> list[str]:
    return list(args.get("zones", default_zones(args.get("location"))))


def _pool(args: KubernetesClusterArgs, which: Literal["system", "user"]) -> tuple[PoolArgs, rules.Pool]:
    given: PoolArgs = (args.get("system_pool") if which == "system" else args.get("user_pool")) or {}
    least = given.get("min_count", max(len(_zones(args)), 1) if _production(args) else 1)
    return given, rules.Pool(which, least, given.get("max_count", 2 * least))


def _cluster(self: KubernetesCluster, name: str, args: KubernetesClusterArgs) -> containerservice.ManagedCluster:
    props: dict[str, Any] = {
        **_common(args),
        "resource_name_": args.get("cluster_name"),
        "dns_prefix": _dns_prefix(args.get("cluster_name", name)),
        "kubernetes_version": args.get("kubernetes_version"),
        "sku": {"name": "Base", "tier": "Standard" if _production(args) else "Free"},
        "support_plan": "KubernetesOfficial",
        "identity": {"type": "UserAssigned", "user_assigned_identities": [self.identity.id] if self.identity else []},
        **_access(args),
        "network_profile": _network_profile(args),
        "agent_pool_profiles": [{"name": "system", **_nodes(args, "system")}],
        **_upkeep(),
        **_hardening(args),
    }
    access = [self.subnet_access, *self.public_ip_access.values()]
    return place(
        containerservice.ManagedCluster,
        f"{name}-cluster",
        props,
        parent=self,
        overrides=args.get("overrides"),
        key="cluster",
        depends_on=[item for item in access if item is not None],
        # The autoscaler's: an update must not set it back.
        ignore_changes=["agentPoolProfiles[0].count"],
    )


def _dns_prefix(name: str) -> str:
    """1 to 54 letters, digits and hyphens, in the names of the API server."""
    return re.sub(r"[^A-Za-z0-9-]", "-", name)[:54].strip("-") or "cluster"


def _access(args: KubernetesClusterArgs) -> dict[str, Any]:
    """Entra and roles of Azure; local accounts would go round both."""
    api: ApiServerArgs = args.get("api_server") or {}
    private = api.get("private", False)
    server: dict[str, Any] = {"enable_private_cluster": private, "disable_run_command": True}
    if private:
        server |= {"enable_private_cluster_public_fqdn": False, "private_dns_zone": "system"}
    elif api.get("authorized_ranges"):
        server["authorized_ip_ranges"] = api.get("authorized_ranges")
    entra: dict[str, Any] = {"managed": True, "enable_azure_rbac": True}
    if args.get("admin_group_ids"):
        entra["admin_group_object_ids"] = args.get("admin_group_ids")
    return {
        "aad_profile": entra,
        "disable_local_accounts": True,
        "enable_rbac": True,
        "api_server_access_profile": server,
        "oidc_issuer_profile": {"enabled": True},
    }


def _ranges(args: KubernetesClusterArgs) -> dict[str, str]:
    found = {
        "subnet_cidr": args.get("subnet_cidr"),
        "network_cidr": args.get("network_cidr"),
        "pod_cidr": args.get("pod_cidr", "10.244.0.0/16"),
        "service_cidr": args.get("service_cidr", "10.245.0.0/16"),
    }
    return {name: text for name, text in found.items() if text is not None}


def _network_profile(args: KubernetesClusterArgs) -> dict[str, Any]:
    ranges = _ranges(args)
    services = ranges["service_cidr"]
    return {
        "network_plugin": "azure",
        "network_plugin_mode": "overlay",
        "network_dataplane": "cilium",
        "network_policy": "cilium",
        "outbound_type": "userAssignedNATGateway",
        "load_balancer_sku": "standard",
        "pod_cidr": ranges["pod_cidr"],
        "service_cidr": services,
        "dns_service_ip": args.get("dns_service_ip") or rules.dns_service_ip(services),
    }


def _nodes(args: KubernetesClusterArgs, which: Literal["system", "user"]) -> dict[str, Any]:
    """What both pools have. SSH is off: nodes are replaced, and debugged by the API."""
    given, pool = _pool(args, which)
    return {
        "mode": "System" if which == "system" else "User",
        "type": "VirtualMachineScaleSets",
        # Said, or pools would stay behind when the control plane goes to another minor version.
        "orchestrator_version": args.get("kubernetes_version"),
        "vm_size": given.get("size", "Standard_D4s_v5"),
        "os_type": "Linux",
        "os_sku": "Ubuntu",
        "os_disk_type": "Managed",
        "os_disk_size_gb": given.get("disk_gb", 128),
        "vnet_subnet_id": args.get("subnet_id"),
        "availability_zones": _zones(args) or None,
        "enable_auto_scaling": True,
        "count": pool.least,
        "min_count": pool.least,
        "max_count": pool.most,
        "enable_node_public_ip": False,
        "enable_encryption_at_host": args.get("encryption_at_host", True),
        "security_profile": {"enable_secure_boot": True, "enable_vtpm": True, "ssh_access": "Disabled"},
        "upgrade_settings": {"max_surge": f"{pool.surge_percent}%", "drain_timeout_in_minutes": 30},
        **({"node_taints": ["CriticalAddonsOnly=true:NoSchedule"]} if which == "system" else {}),
    }


def _upkeep() -> dict[str, Any]:
    """Patches of Kubernetes and images of nodes come by themselves; images that no pod uses go."""
    return {
        "auto_upgrade_profile": {"upgrade_channel": "patch", "node_os_upgrade_channel": "NodeImage"},
        "auto_scaler_profile": {"expander": "least-waste", "skip_nodes_with_local_storage": "false"},
    }


def _hardening(args: KubernetesClusterArgs) -> dict[str, Any]:
    addons: dict[str, Any] = {"azurepolicy": {"enabled": True}}
    workspace = args.get("workspace_id")
    if workspace is not None:
        # By identity: the workspace's key would be in the cluster otherwise.
        config = {"logAnalyticsWorkspaceResourceID": workspace, "useAADAuth": "true"}
        addons["omsagent"] = {"enabled": True, "config": config}
    return {
        "addon_profiles": addons,
        "security_profile": {
            "image_cleaner": {"enabled": True, "interval_hours": 168},
            "workload_identity": {"enabled": True},
        },
        "storage_profile": {
            "blob_csi_driver": {"enabled": False},
            "disk_csi_driver": {"enabled": True},
            "file_csi_driver": {"enabled": True},
            "snapshot_controller": {"enabled": True},
        },
        # What AKS makes for the cluster is changed by AKS alone.
        "node_resource_group_profile": {"restriction_level": "ReadOnly"},
    }


def _user_pool(self: KubernetesCluster, name: str, args: KubernetesClusterArgs) -> containerservice.AgentPool | None:
    """By itself, so that a change of it touches no other pool (pulumi-azure-native issue 4264).

    Its name follows from what replaces it: the new one is there before the old one goes.
    """
    if self.cluster is None:
        return None
    nodes = _nodes(args, "user")
    forces = ("vm_size", "os_disk_size_gb", "availability_zones", "enable_encryption_at_host")
    texts = pulumi.Output.all(*(nodes[key] for key in forces), args.get("subnet_id"))
    return place(
        containerservice.AgentPool,
        f"{name}-user-pool",
        {
            "resource_group_name": args.get("resource_group_name"),
            "resource_name_": self.cluster.name,
            "agent_pool_name": texts.apply(lambda found: "user" + shortened(digest(repr(found)), 6)),
            **nodes,
            "tags": dict(args.get("tags") or {}),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="user_pool",
        ignore_changes=["count"],
    )


def _maintenance(
    self: KubernetesCluster, name: str, args: KubernetesClusterArgs
) -> dict[str, containerservice.MaintenanceConfiguration]:
    if self.cluster is None:
        return {}
    given: MaintenanceArgs = args.get("maintenance") or {}
    window = {
        "schedule": {"weekly": {"day_of_week": given.get("day", "Sunday"), "interval_weeks": 1}},
        "start_time": given.get("start", "01:00"),
        "duration_hours": given.get("hours", 6),
        "utc_offset": given.get("utc_offset", "+00:00"),
    }
    return {
        kind: place(
            containerservice.MaintenanceConfiguration,
            f"{name}-maintenance-{kind}",
            {
                "resource_group_name": args.get("resource_group_name"),
                "resource_name_": self.cluster.name,
                "config_name": config,
                "maintenance_window": window,
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"maintenance.{kind}",
        )
        for kind, config in MAINTENANCE.items()
    }


# -- what is watched ---------------------------------------------------------------------------------------------------


def _collection_rule(self: KubernetesCluster, name: str, args: KubernetesClusterArgs) -> pulumi.CustomResource | None:
    """What Container insights collects. Azure wants the rule in the workspace's region."""
    workspace = args.get("workspace_id")
    if workspace is None or self.cluster is None:
        return None
    from pulumi_azure_native import monitor

    settings = {"interval": "1m", "namespaceFilteringMode": "Off", "enableContainerLogV2": True}
    source = {
        "name": "ContainerInsightsExtension",
        "extension_name": "ContainerInsights",
        "extension_settings": {"dataCollectionSettings": settings},
        "streams": list(STREAMS),
    }
    return place(
        monitor.DataCollectionRule,
        f"{name}-collection-rule",
        {
            **_common(args),
            "kind": "Linux",
            "data_sources": {"extensions": [source]},
            "data_flows": [{"streams": list(STREAMS), "destinations": ["workspace"]}],
            "destinations": {"log_analytics": [{"name": "workspace", "workspace_resource_id": workspace}]},
        },
        parent=self,
        overrides=args.get("overrides"),
        key="collection_rule",
    )


def _collection(self: KubernetesCluster, name: str, args: KubernetesClusterArgs) -> pulumi.CustomResource | None:
    """Binds the rule to the cluster, by the name that Container insights looks for."""
    if self.collection_rule is None or self.cluster is None:
        return None
    from pulumi_azure_native import monitor

    return place(
        monitor.DataCollectionRuleAssociation,
        f"{name}-collection",
        {
            "association_name": "ContainerInsightsExtension",
            "data_collection_rule_id": self.collection_rule.id,
            "resource_uri": self.cluster.id,
        },
        parent=self,
        overrides=args.get("overrides"),
        key="collection",
    )


def _diagnostics(self: KubernetesCluster, name: str, args: KubernetesClusterArgs) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None or self.cluster is None:
        return None
    overrides = args.get("overrides")
    return place_diagnostics(
        self, f"{name}-logs", self.cluster.id, workspace, AUDITED, metrics=False, overrides=overrides
    )


# -- checks ------------------------------------------------------------------------------------------------------------

_NEEDED = ("resource_group_name", "location", "subnet_id", "subnet_cidr", "kubernetes_version")
_WITH_EXISTING = ("subscription_id", "existing", "login", "overrides")


def _problems(args: KubernetesClusterArgs) -> list[str]:
    existing: Mapping[str, Any] | None = args.get("existing")
    return [
        *unknown_keys(args, KubernetesClusterArgs.__annotations__, "the cluster"),
        *(["`subscription_id` is missing"] if cast("Mapping[str, Any]", args).get("subscription_id") is None else []),
        *_part_problems(args),
        *_login_problems(args),
        *(_new_problems(args) if existing is None else _existing_problems(args, existing)),
        *unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides"),
    ]


def _part_problems(args: KubernetesClusterArgs) -> Iterator[str]:
    given: Mapping[str, Any] = cast("Mapping[str, Any]", args)
    parts: Mapping[str, Any] = {
        "existing": ExistingClusterArgs,
        "system_pool": PoolArgs,
        "user_pool": PoolArgs,
        "api_server": ApiServerArgs,
        "maintenance": MaintenanceArgs,
    }
    for key, kind in parts.items():
        yield from unknown_keys(given.get(key) or {}, kind.__annotations__, key)
    for name, item in (args.get("administrators") or {}).items():
        yield from unknown_keys(item, AdministratorArgs.__annotations__, f"administrators.{name}")
        if "principal_id" not in item:
            yield f"administrators.{name} needs `principal_id`"
        elif item.get("principal_type", "Group") not in ("ServicePrincipal", "Group", "User"):
            yield f"administrators.{name}.principal_type must be one of ServicePrincipal, Group, User"


def _login_problems(args: KubernetesClusterArgs) -> Iterator[str]:
    login: str = args.get("login", "azurecli")
    if login not in rules.LOGINS:
        yield f"login is {login!r}; there are {', '.join(rules.LOGINS)}"


def _existing_problems(args: KubernetesClusterArgs, existing: Mapping[str, Any]) -> Iterator[str]:
    needed = sorted(ExistingClusterArgs.__required_keys__)
    yield from (f"existing needs `{key}`" for key in needed if existing.get(key) is None)
    more = sorted(set(args) - set(_WITH_EXISTING))
    if more:
        yield f"`{'`, `'.join(more)}` is for a new cluster: leave it out, or `existing`"
    issuer = existing.get("oidc_issuer_url")
    if isinstance(issuer, str) and not issuer.startswith("https://"):
        yield f"existing.oidc_issuer_url is {issuer!r}; it begins with https://"


def _new_problems(args: KubernetesClusterArgs) -> Iterator[str]:
    given: Mapping[str, Any] = cast("Mapping[str, Any]", args)
    yield from (f"`{key}` is missing" for key in _NEEDED if given.get(key) is None)
    profile = given.get("profile", "production")
    if profile not in ("production", "development"):
        yield f"there is no profile `{profile}`; there are production, development"
    if "cluster_name" in args:
        yield from rules.name_problems(args["cluster_name"])
    if args.get("kubernetes_version") is not None:
        yield from rules.version_problems(args.get("kubernetes_version", ""))
    pools = [_pool(args, "system")[1], _pool(args, "user")[1]]
    yield from zone_problems("the nodes", args.get("zones", []), args.get("location"))
    for pool in pools:
        yield from rules.pool_problems(pool, _zones(args), production=_production(args))
    yield from rules.range_problems(_ranges(args), args.get("dns_service_ip"), pools)
    yield from _api_server_problems(args)
    yield from _maintenance_problems(args.get("maintenance") or {})


def _api_server_problems(args: KubernetesClusterArgs) -> Iterator[str]:
    api: ApiServerArgs = args.get("api_server") or {}
    ranges = api.get("authorized_ranges") or []
    ways = [bool(api.get("private")), bool(ranges), bool(api.get("open"))]
    if sum(ways) > 1:
        yield "api_server has more than one of `private`, `authorized_ranges` and `open`: one of them"
    if not any(ways) and _production(args):
        yield (
            "api_server is open to everybody: write `private: True`, or `authorized_ranges`; "
            "or `open: True` if that is meant"
        )
    yield from rules.authorized_problems([item for item in ranges if isinstance(item, str)])


def _maintenance_problems(given: MaintenanceArgs) -> Iterator[str]:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    if given.get("day", "Sunday") not in days:
        yield f"maintenance.day is {given.get('day')!r}; there are {', '.join(days)}"
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", given.get("start", "01:00")):
        yield f"maintenance.start is {given.get('start')!r}; write it like 01:00"
    if not 4 <= given.get("hours", 6) <= 24:
        yield f"maintenance.hours is {given.get('hours')}; it is 4 to 24"
    if not re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", given.get("utc_offset", "+00:00")):
        yield f"maintenance.utc_offset is {given.get('utc_offset')!r}; write it like +01:00"


def _attributes(args: KubernetesClusterArgs) -> list[str]:
    if args.get("existing") is not None:
        return []
    return [
        "identity",
        "subnet_access",
        *(f"public_ip_access.{key}" for key in args.get("public_ip_scopes") or {}),
        "cluster",
        "user_pool",
        *(f"maintenance.{kind}" for kind in MAINTENANCE),
        *(f"administrators.{key}" for key in args.get("administrators") or {}),
        *(["collection_rule", "collection", "diagnostics"] if args.get("workspace_id") is not None else []),
    ]
