"""A service of API Management: its tier, identity, host names, network, protocols and logs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.tiers import BY_NAME
from edgewright.clouds.part import place, refuse, unknown_keys

_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?")
_PROPERTIES = "Microsoft.WindowsAzure.ApiManagement.Gateway."
_PROTOCOLS = ("Ssl30", "Tls10", "Tls11")
_CIPHERS = (
    "TripleDes168",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
)
"""Without forward secrecy, or in CBC mode with SHA-1: off."""


class HostArgs(TypedDict, total=False):
    """A host name of the gateway, with its certificate."""

    host: Required[str]
    """Such as ``api.shop.example``."""
    key_vault_secret_id: Required[pulumi.Input[str]]
    """Without a version, so that a renewed certificate is taken."""
    identity_client_id: Required[pulumi.Input[str]]
    """Client id of an identity of the service that may read the secret."""


class ApiManagementArgs(TypedDict, total=False):
    """Arguments of `ApiManagement`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``."""
    publisher_name: Required[pulumi.Input[str]]
    """Shown to developers."""
    publisher_email: Required[pulumi.Input[str]]
    """Gets Azure's notices."""
    tier: Required[str]
    """By the names of `tiers.BY_NAME`. A change between classic and v2 tiers replaces the service."""
    capacity: int
    """Units; default 1; 0 on Consumption."""
    service_name: str
    """Unique in all of Azure; default: chosen by the engine. A deleted service keeps its name for 48 hours."""
    network: str
    """``none`` (default), ``external`` and ``internal`` (classic Developer and Premium), ``integration`` (v2)."""
    subnet_id: pulumi.Input[str]
    """Of the network, unless ``none``."""
    zones: list[str]
    """Premium only."""
    identities: list[pulumi.Input[str]]
    """Ids of user-assigned identities, beside the service's own."""
    hosts: list[HostArgs]
    """Host names of the gateway; the first is the default."""
    workspace_id: pulumi.Input[str]
    """A Log Analytics workspace for logs of requests and metrics."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``service``, ``diagnostics``."""


class ApiManagement(pulumi.ComponentResource):
    """A service.

    Attributes: service; diagnostics (or None); ``name``, ``id``, ``gateway_url``, ``gateway_host``, ``principal_id`` of
    its own identity, ``private_ip_addresses``.
    """

    def __init__(self, name: str, args: ApiManagementArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("ApiManagement", name, _problems(args))
        super().__init__("edgewright:azure:ApiManagement", name, None, opts)
        self.service = _service(self, name, args)
        self.name = self.service.name
        self.id = self.service.id
        self.gateway_url = self.service.gateway_url
        self.gateway_host = self.service.gateway_url.apply(lambda url: url.partition("://")[2].partition("/")[0])
        self.private_ip_addresses = self.service.private_ip_addresses
        self.principal_id = self.service.identity.apply(lambda found: (found.principal_id or "") if found else "")
        self.diagnostics = _diagnostics(self, name, args)
        self.register_outputs({"name": self.name, "gatewayUrl": self.gateway_url})


def _problems(args: ApiManagementArgs) -> Iterator[str]:
    tier = BY_NAME.get(args["tier"])
    if tier is None:
        yield f"there is no tier `{args['tier']}`; there are {', '.join(BY_NAME)}"
        return
    network = args.get("network", "none")
    capacity = args.get("capacity", 1)
    if network not in ("none", "external", "internal", "integration"):
        yield f"there is no network `{network}`; there are none, external, internal, integration"
    elif network != "none" and (network == "integration") != (tier.name == "StandardV2"):
        yield f"the tier {tier.name} is not in a network by `{network}`; StandardV2 is by `integration`"
    elif network in ("external", "internal") and tier.name not in ("Developer", "Premium"):
        yield f"the tier {tier.name} is in no network: Developer and Premium are, by `external` or `internal`"
    if (network != "none") != ("subnet_id" in args):
        yield "a service in a network needs a subnet, and one in none has none"
    if args.get("zones") and tier.name != "Premium":
        yield f"the tier {tier.name} has no zones: Premium has"
    if tier.units and not 1 <= capacity <= tier.units:
        yield f"the tier {tier.name} has 1 to {tier.units} units, not {capacity}"
    if "service_name" in args and _NAME.fullmatch(args["service_name"]) is None:
        yield f"`{args['service_name']}` is no name of a service: 1 to 50 letters, digits and hyphens, a letter first"
    if args.get("workspace_id") is not None and tier.name == "Consumption":
        yield "the tier Consumption has no logs of requests"
    if args.get("hosts") and not args.get("identities"):
        yield "a host's certificate is read by a user-assigned identity: name it in `identities`"
    yield from unknown_keys(args.get("overrides", {}), ("service", "diagnostics"), "overrides")


def _service(parent: ApiManagement, name: str, args: ApiManagementArgs) -> apimanagement.ApiManagementService:
    tier = BY_NAME[args["tier"]]
    identities = args.get("identities", [])
    network = args.get("network", "none")
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "service_name": args.get("service_name"),
        "publisher_name": args["publisher_name"],
        "publisher_email": args["publisher_email"],
        "sku": {"name": tier.name, "capacity": args.get("capacity", 1) if tier.units else 0},
        "identity": {
            "type": "SystemAssigned, UserAssigned" if identities else "SystemAssigned",
            **({"user_assigned_identities": _keyed(identities)} if identities else {}),
        },
        "hostname_configurations": [_host(item, first=not at) for at, item in enumerate(args.get("hosts", []))] or None,
        "custom_properties": _custom_properties(tier.name, classic=tier.classic),
        # Said rather than left out: v2 tiers call it External too when they only reach out.
        "virtual_network_type": {"none": "None", "internal": "Internal"}.get(network, "External"),
        "virtual_network_configuration": {"subnet_resource_id": args["subnet_id"]} if "subnet_id" in args else None,
        "zones": args.get("zones") or None,
        "public_network_access": "Enabled",
        "tags": dict(args.get("tags", {})),
    }
    return place(
        apimanagement.ApiManagementService,
        f"{name}-service",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="service",
    )


def _keyed(identities: list[pulumi.Input[str]]) -> pulumi.Output[dict[str, Any]]:
    """By id, as the service wants them."""
    return pulumi.Output.all(*identities).apply(lambda ids: {str(item): {} for item in ids})


def _host(item: HostArgs, *, first: bool) -> dict[str, Any]:
    return {
        "type": "Proxy",
        "host_name": item["host"],
        "key_vault_id": item["key_vault_secret_id"],
        "identity_client_id": item["identity_client_id"],
        "certificate_source": "KeyVault",
        "default_ssl_binding": first,
        "negotiate_client_certificate": False,
    }


def _custom_properties(tier: str, *, classic: bool) -> dict[str, str] | None:
    """Weak protocols off, on both sides; weak ciphers too where a tier takes that; HTTP/2 on."""
    if tier == "Consumption":
        return None
    found = {f"{_PROPERTIES}Security.Protocols.{name}": "False" for name in _PROTOCOLS}
    found |= {f"{_PROPERTIES}Security.Backend.Protocols.{name}": "False" for name in _PROTOCOLS}
    if classic:
        found |= {f"{_PROPERTIES}Security.Ciphers.{name}": "False" for name in _CIPHERS}
        found[f"{_PROPERTIES}Protocols.Server.Http2"] = "True"
    return found


def _diagnostics(parent: ApiManagement, name: str, args: ApiManagementArgs) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None:
        return None
    from pulumi_azure_native import monitor

    props = {
        "resource_uri": parent.service.id,
        "workspace_id": workspace,
        "log_analytics_destination_type": "Dedicated",
        "logs": [{"category": "GatewayLogs", "enabled": True}],
        "metrics": [{"category": "AllMetrics", "enabled": True}],
    }
    overrides = args.get("overrides")
    return place(
        monitor.DiagnosticSetting, f"{name}-logs", props, parent=parent, overrides=overrides, key="diagnostics"
    )
