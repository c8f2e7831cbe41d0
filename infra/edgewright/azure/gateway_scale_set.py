"""Self-hosted gateways on a scale set of machines, behind a load balancer's pool."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict, cast

import pulumi
from pulumi_azure_native import authorization, compute, managedidentity, monitor

from edgewright.azure import gateway_machine
from edgewright.azure.network_regions import default_zones, zone_problems
from edgewright.azure.roles import assign_role, role_id
from edgewright.clouds.part import place, refuse, unknown_keys

TYPE = "edgewright:azure:GatewayScaleSet"

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
"""The built-in role Key Vault Secrets User: reads the values of secrets."""

UBUNTU = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
"""Ubuntu 24.04 LTS, generation 2; ``latest``, as automatic upgrades of the image need it."""

KEYS = ("ssh-ed25519 ", "ssh-rsa ")
"""How the public keys begin that Azure takes."""


class MachineArgs(TypedDict, total=False):
    """What each gateway needs to know; nothing of it is secret (see `gateway_machine.MachineSettings`)."""

    gateway_name: Required[pulumi.Input[str]]
    """The gateway's id in API Management."""
    service_name: Required[pulumi.Input[str]]
    """The API Management service."""
    tenant_id: Required[pulumi.Input[str]]
    """Of the Entra app that may read the gateway's configuration."""
    client_id: Required[pulumi.Input[str]]
    """Of the same app."""
    vault_name: Required[pulumi.Input[str]]
    """The key vault that keeps the app's certificate."""
    secret_name: Required[pulumi.Input[str]]
    """The certificate's name there."""
    image_tag: Required[str]
    """Full version of the container, such as 2.13.0; the last three minor ones are supported."""
    neighborhood_host: pulumi.Input[str]
    """A private DNS name that resolves to all gateways, so that they share rate counters. Default: none."""


class IdentityArgs(TypedDict, total=False):
    """An existing user-assigned identity that may read the secret already."""

    id: Required[pulumi.Input[str]]
    """Its resource id."""
    client_id: Required[pulumi.Input[str]]
    """Its client id, a UUID."""


class GatewayScaleSetArgs(TypedDict, total=False):
    """Arguments of `GatewayScaleSet`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``."""
    subnet_id: Required[pulumi.Input[str]]
    """Where the machines stand; with a way out to package archives, registry, vault, Entra and API Management."""
    pool_ids: Required[list[pulumi.Input[str]]]
    """Pools of a load balancer that the machines' interfaces join; 1 at least."""
    machine: Required[MachineArgs]
    """What each gateway needs to know."""
    ssh_public_key: Required[pulumi.Input[str]]
    """RSA or Ed25519, in OpenSSH's format; there are no passwords."""
    subscription_id: pulumi.Input[str]
    """Of the vault; needed with ``vault_id``."""
    vault_id: pulumi.Input[str]
    """Resource id of the vault, or better of the one secret, that an identity of the machines' own may read. One of
    ``vault_id`` and ``identity`` is needed."""
    identity: IdentityArgs
    """An existing identity instead."""
    size: pulumi.Input[str]
    """Of the machines; 2 CPUs and 4 GiB at least, generation 2. Default: Standard_D2s_v5."""
    image: Mapping[str, pulumi.Input[str]]
    """``publisher``, ``offer``, ``sku``, ``version`` of an image with cloud-init and apt. Default: Ubuntu 24.04 LTS."""
    admin_username: pulumi.Input[str]
    """Default: gatewayadmin."""
    zones: list[str]
    """Default: all zones, none in a region known to have none. A change replaces the scale set."""
    min_count: int
    """Machines at least, 2 or more. Default: 2."""
    max_count: int
    """Machines at most, up to 100. Default: 6."""
    cpu_high: int
    """Percent of CPU, on average, above which a machine is added. Default: 70."""
    cpu_low: int
    """Percent below which one is taken away; at most half of ``cpu_high``, so that this does not swing. Default: 30."""
    encryption_at_host: pulumi.Input[bool]
    """Disks and caches are encrypted on the host too. Default: true; the subscription must have the feature
    Microsoft.Compute/EncryptionAtHost."""
    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: identity, secret_access, scale_set, autoscale."""


class GatewayScaleSet(pulumi.ComponentResource):
    """Machines that run the self-hosted gateway in Docker, which Microsoft calls best for evaluation.

    Uniform orchestration: all machines are alike, and rolling upgrades with surge, upgrades of the image and repair are
    supported together there; what Flexible adds, mixed sizes and spot machines, a gateway does not need. A surge also
    brings new cloud-init to all machines, as it replaces them.

    ``id``, ``identity_id``, ``identity_client_id``, and the raw resources ``identity``, ``secret_access`` (None with an
    existing identity), ``scale_set``, ``autoscale``.
    """

    def __init__(self, name: str, args: GatewayScaleSetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("GatewayScaleSet", name, _problems(args))
        super().__init__(TYPE, name, None, opts)
        given = args.get("identity")

        self.identity = _identity(self, name, args)
        self.identity_id = pulumi.Output.from_input(_of(given, "id", self.identity))
        self.identity_client_id = pulumi.Output.from_input(_of(given, "client_id", self.identity))
        self.secret_access = _secret_access(self, name, args)
        self.scale_set = _scale_set(self, name, args)
        self.autoscale = _autoscale(self, name, args)

        self.id = self.scale_set.id
        self.register_outputs({"scaleSetId": self.id, "identityId": self.identity_id})


def _of(given: IdentityArgs | None, key: str, made: managedidentity.UserAssignedIdentity | None) -> Any:
    return getattr(made, key) if made else cast("Mapping[str, Any]", given)[key]


def _common(args: GatewayScaleSetArgs) -> dict[str, Any]:
    return {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "tags": dict(args.get("tags") or {}),
    }


def _identity(
    self: GatewayScaleSet, name: str, args: GatewayScaleSetArgs
) -> managedidentity.UserAssignedIdentity | None:
    if args.get("identity"):
        return None
    return place(
        managedidentity.UserAssignedIdentity,
        f"{name}-identity",
        _common(args),
        parent=self,
        overrides=args.get("overrides"),
        key="identity",
    )


def _secret_access(self: GatewayScaleSet, name: str, args: GatewayScaleSetArgs) -> authorization.RoleAssignment | None:
    if self.identity is None:
        return None
    return assign_role(
        self,
        f"{name}-secret-access",
        {
            "principal_id": self.identity.principal_id,
            "role_definition_id": role_id(args.get("subscription_id", ""), SECRETS_USER),
            "scope": args.get("vault_id"),
        },
        overrides=args.get("overrides"),
        key="secret_access",
    )


def _scale_set(self: GatewayScaleSet, name: str, args: GatewayScaleSetArgs) -> compute.VirtualMachineScaleSet:
    """Its count is autoscale's: an update must not set it back. Machines wait for the right to read the secret."""
    zones = args.get("zones", default_zones(args["location"]))
    return place(
        compute.VirtualMachineScaleSet,
        name,
        {
            **_common(args),
            "orchestration_mode": "Uniform",
            "sku": {"name": args.get("size", "Standard_D2s_v5"), "tier": "Standard", "capacity": _counts(args)[0]},
            "identity": {"type": "UserAssigned", "user_assigned_identities": [self.identity_id]},
            "zones": zones or None,
            "platform_fault_domain_count": 1,  # spread as widely as possible within a zone
            "single_placement_group": False,
            "overprovision": False,  # surge needs it, and gateways that vanish again confuse a balancer
            "upgrade_policy": _upgrade_policy(),
            # Half an hour: a machine installs, pulls the image, and may wait for its role to reach Key Vault.
            "automatic_repairs_policy": {"enabled": True, "grace_period": "PT30M", "repair_action": "Replace"},
            "virtual_machine_profile": _profile(self, args),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="scale_set",
        ignore_changes=["sku.capacity"],
        depends_on=[self.secret_access] if self.secret_access else [],
    )


def _upgrade_policy() -> dict[str, Any]:
    """New machines first, a fifth of them at a time, and back when they do not become healthy."""
    return {
        "mode": "Rolling",
        "rolling_upgrade_policy": {
            "max_surge": True,
            "max_batch_instance_percent": 20,
            "max_unhealthy_instance_percent": 20,
            "max_unhealthy_upgraded_instance_percent": 20,
            "pause_time_between_batches": "PT1M",
            "rollback_failed_instances_on_policy_breach": True,
        },
        "automatic_os_upgrade_policy": {"enable_automatic_os_upgrade": True, "use_rolling_upgrade_policy": True},
    }


def _profile(self: GatewayScaleSet, args: GatewayScaleSetArgs) -> dict[str, Any]:
    return {
        "os_profile": _os_profile(self, args),
        "storage_profile": {
            "image_reference": dict(args.get("image") or UBUNTU),
            "os_disk": {
                "create_option": "FromImage",
                "caching": "ReadWrite",
                "managed_disk": {"storage_account_type": "Premium_LRS"},
            },
        },
        "security_profile": {
            "security_type": "TrustedLaunch",
            "uefi_settings": {"secure_boot_enabled": True, "v_tpm_enabled": True},
            "encryption_at_host": args.get("encryption_at_host", True),
        },
        "network_profile": {"network_interface_configurations": [_interface(args)]},
        "extension_profile": {"extensions": [_health()]},
        "diagnostics_profile": {"boot_diagnostics": {"enabled": True}},
    }


def _os_profile(self: GatewayScaleSet, args: GatewayScaleSetArgs) -> dict[str, Any]:
    user = pulumi.Output.from_input(args.get("admin_username", "gatewayadmin"))
    key = {
        "path": pulumi.Output.concat("/home/", user, "/.ssh/authorized_keys"),
        "key_data": args["ssh_public_key"],
    }
    return {
        "computer_name_prefix": "gateway",
        "admin_username": user,
        "custom_data": _custom_data(args["machine"], self.identity_client_id),
        "linux_configuration": {"disable_password_authentication": True, "ssh": {"public_keys": [key]}},
    }


def _interface(args: GatewayScaleSetArgs) -> dict[str, Any]:
    """One address in the subnet, none that is public."""
    return {
        "name": "gateway",
        "primary": True,
        "ip_configurations": [
            {
                "name": "gateway",
                "primary": True,
                "subnet": {"id": args["subnet_id"]},
                "load_balancer_backend_address_pools": [{"id": pool} for pool in args["pool_ids"]],
            }
        ],
    }


def _health() -> dict[str, Any]:
    """Version 1 of the extension: it counts 200 as healthy. Version 2 wants a body that the gateway does not send."""
    return {
        "name": "health",
        "publisher": "Microsoft.ManagedServices",
        "type": "ApplicationHealthLinux",
        "type_handler_version": "1.0",
        "auto_upgrade_minor_version": True,
        "settings": {
            "protocol": "http",
            "port": gateway_machine.HTTP_PORT,
            "requestPath": gateway_machine.STATUS_PATH,
        },
    }


def _custom_data(machine: MachineArgs, identity_client_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """Cloud-init, in base64. What is only known later is checked then, as what is known now was before."""
    settings = _settings(machine)
    later = {key: value for key, value in machine.items() if not isinstance(value, str | None)}

    def filled(values: Mapping[str, str]) -> str:
        return b64encode(gateway_machine.cloud_init(gateway_machine.with_values(settings, values)).encode()).decode()

    return pulumi.Output.all(**{**later, "identity_client_id": identity_client_id}).apply(filled)


def _settings(machine: MachineArgs) -> gateway_machine.MachineSettings:
    """The machine's settings, with marks for what is only known later."""
    known = {
        key: value if isinstance(value, str) else gateway_machine.mark(key)
        for key, value in machine.items()
        if value is not None
    }
    return gateway_machine.MachineSettings(**known, identity_client_id=gateway_machine.mark("identity_client_id"))


def _autoscale(self: GatewayScaleSet, name: str, args: GatewayScaleSetArgs) -> monitor.AutoscaleSetting:
    """Adds after 5 minutes, takes away after 10: too many gateways cost less than too few."""
    least, most = _counts(args)
    target = self.scale_set.id
    return place(
        monitor.AutoscaleSetting,
        f"{name}-autoscale",
        {
            **_common(args),
            "enabled": True,
            "target_resource_uri": target,
            "profiles": [
                {
                    "name": "cpu",
                    "capacity": {"minimum": str(least), "maximum": str(most), "default": str(least)},
                    "rules": [
                        _rule(target, "Increase", "GreaterThan", args.get("cpu_high", 70), "PT5M"),
                        _rule(target, "Decrease", "LessThan", args.get("cpu_low", 30), "PT10M"),
                    ],
                }
            ],
        },
        parent=self,
        overrides=args.get("overrides"),
        key="autoscale",
    )


def _rule(target: pulumi.Input[str], direction: str, operator: str, threshold: int, window: str) -> dict[str, Any]:
    return {
        "metric_trigger": {
            "metric_name": "Percentage CPU",
            "metric_resource_uri": target,
            "operator": operator,
            "threshold": threshold,
            "statistic": "Average",
            "time_aggregation": "Average",
            "time_grain": "PT1M",
            "time_window": window,
        },
        "scale_action": {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": window},
    }


def _counts(args: GatewayScaleSetArgs) -> tuple[int, int]:
    # Whole numbers of programs in other languages arrive as floats, and Azure takes no text such as `2.0`.
    return int(args.get("min_count", 2)), int(args.get("max_count", 6))


def _problems(args: GatewayScaleSetArgs) -> list[str]:
    own = args.get("identity") is None
    attributes = ["scale_set", "autoscale", *(["identity", "secret_access"] if own else [])]
    return [
        *unknown_keys(args, GatewayScaleSetArgs.__annotations__, "the scale set"),
        *_missing_problems(args),
        *_identity_problems(args),
        *_machine_problems(args),
        *_key_problems(args),
        *_count_problems(args),
        *_place_problems(args),
        *unknown_keys(args.get("overrides") or {}, attributes, "overrides"),
    ]


def _missing_problems(args: GatewayScaleSetArgs) -> Iterator[str]:
    needed = sorted(GatewayScaleSetArgs.__required_keys__)
    yield from (f"`{key}` is missing" for key in needed if args.get(key) is None)


def _identity_problems(args: GatewayScaleSetArgs) -> Iterator[str]:
    identity = args.get("identity")
    if (identity is None) == (args.get("vault_id") is None):
        yield "write one of `vault_id`, for an identity of its own, and `identity`, which may read the secret already"
    if args.get("vault_id") is not None and args.get("subscription_id") is None:
        yield "`vault_id` needs `subscription_id`"
    if identity is not None:
        yield from unknown_keys(identity, IdentityArgs.__annotations__, "identity")
        yield from (f"identity needs `{key}`" for key in IdentityArgs.__annotations__ if identity.get(key) is None)
        client: Any = identity.get("client_id")
        if isinstance(client, str) and not gateway_machine.fits("identity_client_id", client):
            yield f"identity.client_id is {client!r}; it must be a UUID"


def _machine_problems(args: GatewayScaleSetArgs) -> Iterator[str]:
    machine: Any = args.get("machine")
    if machine is None:
        return
    unknown = unknown_keys(machine, MachineArgs.__annotations__, "machine")
    missing = [f"machine needs `{key}`" for key in sorted(MachineArgs.__required_keys__) if machine.get(key) is None]
    yield from [*unknown, *missing]
    if not unknown and not missing:
        yield from (f"machine.{problem}" for problem in gateway_machine.problems(_settings(machine)))


def _key_problems(args: GatewayScaleSetArgs) -> Iterator[str]:
    key: Any = args.get("ssh_public_key")
    if isinstance(key, str) and (not key.startswith(KEYS) or "\n" in key.strip()):
        yield f"ssh_public_key must be one line that begins with {' or '.join(one.strip() for one in KEYS)}"


def _count_problems(args: GatewayScaleSetArgs) -> Iterator[str]:
    least, most = _counts(args)
    high, low = args.get("cpu_high", 70), args.get("cpu_low", 30)
    if least < 2:
        yield f"min_count is {least}; there must be 2 at least, as machines are replaced"
    if not least <= most <= 100:
        yield f"max_count is {most}; it must be from min_count, {least}, to 100"
    if not 0 < low <= high / 2 or high > 100:
        yield f"cpu_low is {low} and cpu_high {high}; they are percents, and cpu_low is at most half of cpu_high"


def _place_problems(args: GatewayScaleSetArgs) -> Iterator[str]:
    image = args.get("image")
    if args.get("pool_ids") == []:
        yield "`pool_ids` is empty: nothing would reach the gateways"
    yield from zone_problems("the machines", args.get("zones", []), args.get("location"))
    if image is not None and set(image) != set(UBUNTU):
        yield f"image has {', '.join(sorted(image))}; it needs {', '.join(sorted(UBUNTU))}"
