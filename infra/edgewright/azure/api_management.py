"""A service of API Management: its tier, identity, host names, network, protocols and logs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.api_management_args import (
    MASKED,
    AdditionalLocationArgs,
    ApiManagementArgs,
    ApplicationInsightsArgs,
    CertificateAuthorityArgs,
    HostArgs,
    own_identity,
    service_problems,
)
from edgewright.azure.diagnostics import place_diagnostics
from edgewright.azure.private_link import place_endpoint, place_zone_group
from edgewright.azure.tiers import BY_NAME, Tier
from edgewright.clouds.part import place, refuse

if TYPE_CHECKING:
    from pulumi_azure_native import authorization
    from pulumi_azure_native import network as azure_network

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


MIN_API_VERSION = "2021-08-01"
"""Of the control plane: older ones are retired since June 2024 (Microsoft's page "API version retirements")."""


class ApiManagement(pulumi.ComponentResource):
    """A service.

    Attributes: service; private_endpoint, zone_group, diagnostics, insights_access, insights_key, insights_logger,
    insights_diagnostic (each or None); ``name``, ``id``, ``gateway_url``, ``gateway_host``, ``principal_id`` of its own
    identity, ``private_ip_addresses``.
    """

    def __init__(self, name: str, args: ApiManagementArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("ApiManagement", name, service_problems(args))
        super().__init__("edgewright:azure:ApiManagement", name, None, opts)
        self.service = _service(self, name, args)
        self.name = self.service.name
        self.id = self.service.id
        self.gateway_url = self.service.gateway_url
        self.gateway_host = self.service.gateway_url.apply(lambda url: url.removeprefix("https://").partition("/")[0])
        self.private_ip_addresses = self.service.private_ip_addresses
        self.principal_id = self.service.identity.apply(lambda found: (found.principal_id or "") if found else "")
        self.private_endpoint = _private_endpoint(self, name, args)
        self.zone_group = _zone_group(self, name, args)
        self.diagnostics = _diagnostics(self, name, args)
        self.insights_access = _insights_access(self, name, args)
        self.insights_key = _insights_key(self, name, args)
        self.insights_logger = _insights_logger(self, name, args)
        self.insights_diagnostic = _insights_diagnostic(self, name, args)
        self.register_outputs({"name": self.name, "gatewayUrl": self.gateway_url})


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
        "hostname_configurations": _hosts(args.get("hosts", [])) or None,
        "certificates": [_authority(item) for item in args.get("certificate_authorities", [])] or None,
        "enable_client_certificate": True if args.get("enable_client_certificate") else None,
        "custom_properties": _custom_properties(tier.name, classic=tier.classic),
        # Said rather than left out: v2 tiers call it External too when they only reach out.
        "virtual_network_type": {"none": "None", "internal": "Internal"}.get(network, "External"),
        "virtual_network_configuration": {"subnet_resource_id": args["subnet_id"]} if "subnet_id" in args else None,
        "public_ip_address_id": args.get("public_ip_address_id"),
        "zones": args.get("zones") or None,
        "additional_locations": [_location(item, tier) for item in args.get("additional_locations", [])] or None,
        "disable_gateway": True if args.get("disable_gateway") else None,
        "public_network_access": args.get("public_network_access", "Enabled"),
        **_control_plane(tier, args),
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


def _control_plane(tier: Tier, args: ApiManagementArgs) -> dict[str, Any]:
    """No portal unless somebody wants one, and no old versions of the API, in which who may read a service reads its
    secrets too. Consumption has neither."""
    if tier.name == "Consumption":
        return {}
    portal = "Enabled" if args.get("developer_portal", False) else "Disabled"
    return {"developer_portal_status": portal, "api_version_constraint": {"min_api_version": MIN_API_VERSION}}


def _keyed(identities: list[pulumi.Input[str]]) -> pulumi.Output[dict[str, Any]]:
    """By id, as the service wants them."""
    return pulumi.Output.all(*identities).apply(lambda ids: {str(item): {} for item in ids})


def _hosts(hosts: Sequence[HostArgs]) -> list[dict[str, Any]]:
    first = next((at for at, item in enumerate(hosts) if item.get("endpoint", "Proxy") == "Proxy"), None)
    return [_host(item, first=at == first) for at, item in enumerate(hosts)]


def _host(item: HostArgs, *, first: bool) -> dict[str, Any]:
    return {
        "type": item.get("endpoint", "Proxy"),
        "host_name": item["host"],
        "key_vault_id": item["key_vault_secret_id"],
        "identity_client_id": item["identity_client_id"],
        "certificate_source": "KeyVault",
        "default_ssl_binding": first,
        "negotiate_client_certificate": item.get("negotiate_client_certificate", False),
    }


def _authority(item: CertificateAuthorityArgs) -> dict[str, Any]:
    return {"store_name": item["store"], "encoded_certificate": item["certificate"]}


def _location(item: AdditionalLocationArgs, tier: Tier) -> dict[str, Any]:
    found: dict[str, Any] = {
        "location": item["location"],
        "sku": {"name": tier.name, "capacity": item.get("capacity", 1)},
        "disable_gateway": item.get("disable_gateway", False),
    }
    if item.get("zones"):
        found["zones"] = item.get("zones")
    if "subnet_id" in item:
        found["virtual_network_configuration"] = {"subnet_resource_id": item["subnet_id"]}
    if "public_ip_address_id" in item:
        found["public_ip_address_id"] = item["public_ip_address_id"]
    return found


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


def _private_endpoint(
    parent: ApiManagement, name: str, args: ApiManagementArgs
) -> "azure_network.PrivateEndpoint | None":
    """Approved at once where who deploys may approve it."""
    endpoint = args.get("private_endpoint")
    if endpoint is None:
        return None
    return place_endpoint(parent, name, parent.service.id, "Gateway", endpoint, _common(args), args.get("overrides"))


def _zone_group(
    parent: ApiManagement, name: str, args: ApiManagementArgs
) -> "azure_network.PrivateDnsZoneGroup | None":
    endpoint, made = args.get("private_endpoint"), parent.private_endpoint
    if endpoint is None or made is None:
        return None
    return place_zone_group(parent, name, made, endpoint, _common(args), args.get("overrides"))


def _common(args: ApiManagementArgs) -> dict[str, Any]:
    return {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "tags": dict(args.get("tags", {})),
    }


def _diagnostics(parent: ApiManagement, name: str, args: ApiManagementArgs) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None:
        return None
    overrides = args.get("overrides")
    return place_diagnostics(
        parent, f"{name}-logs", parent.service.id, workspace, ("GatewayLogs",), metrics=True, overrides=overrides
    )


# -- Application Insights ----------------------------------------------------------------------------------------------


def _insights_access(
    parent: ApiManagement, name: str, args: ApiManagementArgs
) -> "authorization.RoleAssignment | None":
    insights = args.get("application_insights")
    if insights is None or not own_identity(insights):
        return None
    from edgewright.azure.roles import PUBLISHER, assign_role, role_beside

    role = role_beside(insights["id"], PUBLISHER)
    return assign_role(
        parent,
        f"{name}-insights-access",
        {"principal_id": parent.principal_id, "role_definition_id": role, "scope": insights["id"]},
        overrides=args.get("overrides"),
        key="insights_access",
    )


def _insights_key(parent: ApiManagement, name: str, args: ApiManagementArgs) -> apimanagement.NamedValue | None:
    """A value that the logger names. It is not marked as secret: an instrumentation key says which Application Insights
    is meant and lets nobody read (https://learn.microsoft.com/azure/azure-monitor/app/connection-strings)."""
    key = args.get("application_insights", {}).get("instrumentation_key")
    if key is None:
        return None
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": parent.service.name,
        "named_value_id": "application-insights-key",
        "display_name": "application-insights-key",
        "secret": False,
        "value": key,
    }
    return place(
        apimanagement.NamedValue,
        f"{name}-insights-key",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="insights_key",
    )


def _insights_logger(parent: ApiManagement, name: str, args: ApiManagementArgs) -> apimanagement.Logger | None:
    insights = args.get("application_insights")
    if insights is None:
        return None
    if parent.insights_key is not None:
        named = parent.insights_key.display_name.apply(lambda found: "{{" + found + "}}")
        credentials: dict[str, Any] = {"instrumentationKey": named}
    else:
        credentials = {
            "connectionString": pulumi.Output.secret(insights.get("connection_string", "")),
            "identityClientId": insights.get("identity_client_id", "SystemAssigned"),
        }
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": parent.service.name,
        "logger_id": "application-insights",
        "logger_type": "applicationInsights",
        "resource_id": insights["id"],
        "credentials": credentials,
        "is_buffered": True,
    }
    return place(
        apimanagement.Logger,
        f"{name}-insights-logger",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="insights_logger",
        depends_on=[parent.insights_access] if parent.insights_access is not None else [],
    )


def _insights_diagnostic(parent: ApiManagement, name: str, args: ApiManagementArgs) -> apimanagement.Diagnostic | None:
    """Of all APIs. Its id says which kind of logger it uses."""
    insights = args.get("application_insights")
    if insights is None or parent.insights_logger is None:
        return None
    message = _message(insights)
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": parent.service.name,
        "diagnostic_id": "applicationinsights",
        "logger_id": parent.insights_logger.id,
        "always_log": "allErrors",
        "http_correlation_protocol": "W3C",
        "log_client_ip": insights.get("log_client_ip", False),
        "metrics": insights.get("metrics", False),
        "sampling": {"sampling_type": "fixed", "percentage": insights.get("sampling", 100)},
        "verbosity": "information",
        "frontend": {"request": message, "response": message},
        "backend": {"request": message, "response": message},
    }
    return place(
        apimanagement.Diagnostic,
        f"{name}-insights",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="insights_diagnostic",
    )


def _message(insights: ApplicationInsightsArgs) -> dict[str, Any]:
    """What is logged of a request or an answer. Queries are hidden as a whole: keys and tokens travel there too."""
    return {
        "headers": list(insights.get("headers", [])),
        "body": {"bytes": insights.get("body_bytes", 0)},
        "data_masking": {
            "headers": [{"value": header, "mode": "Hide"} for header in MASKED],
            "query_params": [{"value": "*", "mode": "Hide"}],
        },
    }
