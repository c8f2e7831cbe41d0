"""Rules over the service of API Management: its network, its TLS, its tier, its logs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from edgewright.azure.network_regions import short
from edgewright.policies.azure.api_graph import (
    APIS,
    CACHE,
    CLASSIC,
    IDENTITY_PROVIDER,
    IN_A_NETWORK,
    POLICIES,
    SERVICE,
    ApiGraph,
)
from edgewright.policies.azure.exposure import (
    answers_nobody,
    in_a_network,
    management_port,
    not_around_its_front,
    places,
    private_endpoint,
    subnet_has_group,
)
from edgewright.policies.azure.monitoring import BLIND_TO_SETTINGS, ELSEWHERE, sends_logs
from edgewright.policies.azure.words import is_one, says
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, Setting, StackRule
from edgewright.policies.view import UNKNOWN, View, Violation

GATEWAY_HOST = "azure-native:apimanagement:GatewayHostnameConfiguration"
AUTOSCALE = ("azure-native:monitor:AutoscaleSetting", "azure-native:insights:AutoscaleSetting")
DEFENDED = (
    "azure-native:security:APICollectionByAzureApiManagementService",
    "azure-native:security:APICollection",
)
GENERIC = "azure-native:resources:Resource"

_SECURITY = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security."
_PROTOCOLS = tuple(f"{side}Protocols.{name}" for side in ("", "Backend.") for name in ("Ssl30", "Tls10", "Tls11"))
_ON_BY_DEFAULT = (
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
)
"""`TripleDes168` is off unless somebody turns it on: "customProperties" of the ARM reference of the service."""
_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?")
_GENERATED = 8
"""Characters that azure-native adds to a name of its own making."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_STRINGS = {"type": "array", "items": {"type": "string"}}
_ENTRA = ("aad", "aadb2c")
"""Types of identity providers, in small letters."""


# --- TLS ---


def old_protocols_off(view: View) -> Iterator[Violation]:
    """Neither clients nor backends are spoken to with what is older than TLS 1.2."""
    for key in ("tls10Enabled", "tls11Enabled"):
        if view.flag(key) is True:
            yield view.fails(key, "is true")
    customs = view.child("customProperties")
    for name in _PROTOCOLS if customs is not None else ():
        if customs is not None and _lower(customs.entry(_SECURITY + name)) == "true":
            yield customs.fails(_SECURITY + name, "is True")


def turn_old_protocols_off(view: View) -> Mapping[str, Any]:
    """Those that are on; settings that nobody knows yet cannot be written again, so then nothing is."""
    found = {key: False for key in ("tls10Enabled", "tls11Enabled") if view.flag(key) is True}
    customs = view.child("customProperties")
    written = {name: customs.entry(name) for name in customs.keys} if customs is not None else {}
    on = {_SECURITY + name: "False" for name in _PROTOCOLS if _lower(written.get(_SECURITY + name)) == "true"}
    if not on or UNKNOWN in written.values():
        return found
    return {**found, "customProperties": {**written, **on}}


def weak_ciphers_off(service: View) -> Iterator[Violation]:
    """Ciphers in CBC mode, without forward secrecy, or of 3DES are off. Tiers of version 2 have no such setting."""
    if not says(service, "sku.name", *CLASSIC):
        return
    customs = service.child("customProperties")
    if customs is None:
        yield service.fails(
            "customProperties", f"is not said, so these are on: {', '.join(_ON_BY_DEFAULT)}", "sku.name"
        )
        return
    for name in _ON_BY_DEFAULT:
        if _lower(customs.entry(f"{_SECURITY}Ciphers.{name}")) not in {"false", UNKNOWN}:
            yield customs.fails(f"{_SECURITY}Ciphers.{name}", "is not False")
    if _lower(customs.entry(f"{_SECURITY}Ciphers.TripleDes168")) == "true":
        yield customs.fails(f"{_SECURITY}Ciphers.TripleDes168", "is True")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def client_certificate(service: View) -> Iterator[Violation]:
    """Clients show a certificate on Consumption; on other tiers where that is configured."""
    tier = service.text("sku.name")
    if is_one(tier, "Consumption"):
        if service.flag("enableClientCertificate") is not True:
            yield service.fails("enableClientCertificate", "is not true", "sku.name")
    elif tier is not UNKNOWN and service.setting("everyTier"):
        for host in service.children("hostnameConfigurations"):
            kind = host.text("type")
            proxies = kind is None or is_one(kind, "Proxy")
            if proxies and host.flag("negotiateClientCertificate") is not True:
                yield host.fails("negotiateClientCertificate", "is not true", "type")


def certificates_from_vault(service: View) -> Iterator[Violation]:
    """Certificates of host names come from Key Vault, or from Azure itself."""
    for host in service.children("hostnameConfigurations"):
        for key in ("encodedCertificate", "certificatePassword"):
            if host.has(key):
                yield host.fails(key, "is said: a private key in a stack, which nobody renews")
        source = host.text("certificateSource")
        if is_one(source, "Managed", "BuiltIn") or host.has("encodedCertificate"):
            continue
        if not host.has("keyVaultId") and source is not UNKNOWN:
            yield host.fails("keyVaultId", "is not said", "certificateSource")


# --- identity, tier and names ---


def has_identity(service: View) -> Iterator[Violation]:
    """A service has an identity, so that it needs no secrets towards Azure."""
    kind = service.text("identity.type")
    if kind is None or is_one(kind, "None"):
        yield service.fails("identity.type", "is None" if kind else "is not said")


def can_be_in_a_network(service: View) -> Iterator[Violation]:
    """A service has a tier that can be in a virtual network, or reach into one."""
    tier = service.text("sku.name")
    if isinstance(tier, str) and not is_one(tier, *service.setting("tiers")):
        yield service.fails("sku.name", f"is {tier}, which has no way into a virtual network")


def for_production(service: View) -> Iterator[Violation]:
    """A service has a tier with a service level agreement and room to grow."""
    tier = service.text("sku.name")
    if isinstance(tier, str) and not is_one(tier, *service.setting("tiers")):
        yield service.fails("sku.name", f"is {tier}, which is not for production")


def control_plane_version(service: View) -> Iterator[Violation]:
    """Old versions of the control plane's API, which show secrets to who may read only, are refused."""
    if says(service, "sku.name", "Consumption"):
        return
    version = service.text("apiVersionConstraint.minApiVersion")
    least: str = service.setting("version")
    if version is None:
        yield service.fails("apiVersionConstraint.minApiVersion", "is not said", "sku.name")
    elif isinstance(version, str) and not (_DATE.match(version) and version[:10] >= least):
        yield service.fails("apiVersionConstraint.minApiVersion", f"is {version}, older than {least}", "sku.name")


def second_platform(service: View) -> Iterator[Violation]:
    """A service that is injected into a network has a public address of its own, which only ``stv2`` can have."""
    injected = says(service, "sku.name", *CLASSIC) and says(service, "virtualNetworkType", "External", "Internal")
    if injected and not service.has("publicIpAddressId"):
        yield service.fails("publicIpAddressId", "is not said", "sku.name", "virtualNetworkType")


def valid_name(service: View) -> Iterator[Violation]:
    """A name that Azure takes: 1 to 50 letters, digits and hyphens, a letter first."""
    name = service.text("serviceName")
    own = service.subject.name
    if name is None and not (_NAME.fullmatch(own) and len(own) <= 50 - _GENERATED):
        yield service.fails("serviceName", f"is not said, and made of `{own}` it is none that Azure takes")
    elif isinstance(name, str) and not _NAME.fullmatch(name):
        yield service.fails("serviceName", "is not 1 to 50 letters, digits and hyphens, a letter first")


# --- zones and regions ---


def units_per_zone(service: View) -> Iterator[Violation]:
    """Each zone has as many units as any other, one at least."""
    for place in places(service):
        zones, units = place.count("zones"), place.number("sku.capacity")
        if zones is UNKNOWN or units is UNKNOWN or units is None or zones == 0:
            continue
        if units < zones:
            yield place.fails("sku.capacity", f"is {units:g}, and there are {zones} zones", "zones")
        elif units % zones:
            yield place.fails("sku.capacity", f"is {units:g}, which {zones} zones cannot share evenly", "zones")


def zone_redundant(stack: Graph) -> Iterator[Violation]:
    """A Premium service is in two zones or more, in each region; not one whose own gateway answers nobody."""
    found = ApiGraph(stack)
    for service in found.services:
        if not says(service, "sku.name", "Premium"):
            continue
        for place in places(service):
            zones = place.count("zones")
            if zones is UNKNOWN or zones >= 2 or _has_no_zones(stack, place) or answers_nobody(found, service):
                continue
            yield place.fails("zones", "names one zone" if zones else "is not said")


def _has_no_zones(stack: Graph, place: View) -> bool:
    without: list[str] = stack.setting("withoutZones")
    location = place.text("location") if without else None
    return isinstance(location, str) and short(location) in map(short, without)


def several_regions(service: View) -> Iterator[Violation]:
    """A Premium service is in more than one region."""
    if says(service, "sku.name", "Premium") and service.count("additionalLocations") == 0:
        yield service.fails("additionalLocations", "is not said", "sku.name")


def regions_answer(service: View) -> Iterator[Violation]:
    """The gateways of other regions are on."""
    for place in service.children("additionalLocations"):
        if place.flag("disableGateway") is True:
            yield place.fails("disableGateway", "is true, so this region answers nobody")


def scales(stack: Graph) -> Iterator[Violation]:
    """A service grows and shrinks by itself."""
    found = ApiGraph(stack)
    for service in found.services:
        if not says(service, "sku.name", "Standard", "Premium", "Isolated"):
            continue
        settings = found.naming(service, "targetResourceUri", *AUTOSCALE)
        if not any(_is_on(setting, service) for setting in settings):
            yield service.lacks("", "has no autoscale setting that is on" if settings else "has no autoscale setting")


def _is_on(setting: View, service: View) -> bool:
    """Whether an autoscale setting is on, which it is only where that is said."""
    on = setting.flag("enabled")
    if on is UNKNOWN:
        service.note("", f"whether `{setting.subject.name}` is on is not known yet")
    return on is True


def caches(stack: Graph) -> Iterator[Violation]:
    """A service keeps answers, or has an external cache that policies can keep them in."""
    found = ApiGraph(stack)
    for service in found.services:
        if found.held(service, CACHE):
            continue
        documents = [found.document(policy) for policy in found.held(service, *POLICIES)]
        if None in documents:
            service.note("", "a policy of it cannot be read before the deployment")
        if not any(one.root.holds("cache-lookup", "cache-lookup-value") for one in documents if one is not None):
            yield service.lacks("", "has no external cache, and no policy of it looks into one")


# --- networks: each service by itself; more in `exposure` ---


def internal(service: View) -> Iterator[Violation]:
    """A service is reached from its network alone."""
    if not says(service, "virtualNetworkType", "Internal"):
        yield service.fails("virtualNetworkType", "is not Internal")


def public_access_off(service: View) -> Iterator[Violation]:
    """A service is reached by private endpoints alone. On Consumption there are none, inside a network they are not
    needed."""
    if says(service, "sku.name", "Consumption") or says(service, "virtualNetworkType", "Internal"):
        return
    if not says(service, "publicNetworkAccess", "Disabled"):
        yield service.fails("publicNetworkAccess", "is not Disabled", "sku.name", "virtualNetworkType")


# --- logs, people and the rest ---


def logs_sent(stack: Graph) -> Iterator[Violation]:
    """The logs of a service's gateways go somewhere. Consumption has none."""
    for service in stack.of(SERVICE):
        if not says(service, "sku.name", "Consumption"):
            yield from sends_logs(stack, service, ("GatewayLogs",), groups=("allLogs", "audit"))


def signs_in_with_entra(stack: Graph) -> Iterator[Violation]:
    """Where there is a portal, developers sign in with Entra ID; without it they have passwords."""
    found = ApiGraph(stack)
    for service in found.services:
        if says(service, "sku.name", "Consumption") or says(service, "developerPortalStatus", "Disabled"):
            continue
        kinds = {
            _lower(provider.text(key))
            for provider in found.held(service, IDENTITY_PROVIDER)
            for key in ("type", "identityProviderName")
        }
        if UNKNOWN in kinds and not kinds & {*_ENTRA}:
            service.note("", "which identity providers it has is not known yet")
        if not kinds & {*_ENTRA}:
            text = "is not Disabled, and no identity provider of the type aad or aadB2C is there"
            yield service.lacks("developerPortalStatus", text)


def defended(stack: Graph) -> Iterator[Violation]:
    """APIs are watched by Defender for APIs. It watches REST APIs only."""
    found = ApiGraph(stack)
    for api in found.apis:
        kind = api.text("apiType")
        if (kind is None or is_one(kind, "http")) and not found.of_api(api, *DEFENDED):
            yield api.lacks("", "is not onboarded to Defender for APIs")


def direct_management_off(resource: View) -> Iterator[Violation]:
    """The management API of the service's own, beside Azure's control plane, stays off, as it is unless told."""
    if _is(resource, "tenant", "access") and resource.flag("properties.enabled") is True:
        yield resource.fails("properties.enabled", "is true", "resourceType", "resourceName")


def no_passwords(resource: View) -> Iterator[Violation]:
    """A portal that is configured here takes no passwords of its own."""
    if _is(resource, "portalconfigs", None) and resource.flag("properties.enableBasicAuth") is not False:
        yield resource.fails("properties.enableBasicAuth", "is not false", "resourceType")


def delegation_secure(resource: View) -> Iterator[Violation]:
    """Where signing in is delegated, requests are signed with a key and go by HTTPS."""
    if not _is(resource, "portalsettings", "delegation"):
        return
    kinds = ("properties.subscriptions.enabled", "properties.userRegistration.enabled")
    if not any(resource.flag(key) in {True, UNKNOWN} for key in kinds):
        return
    url = resource.written("properties.url")
    if url is not UNKNOWN and not (url or "").lower().startswith("https://"):
        yield resource.fails("properties.url", f"is {url}" if url else "is not said", *kinds)
    if not resource.has("properties.validationKey"):
        yield resource.fails("properties.validationKey", "is not said", *kinds)


def _is(resource: View, kind: str, name: str | None) -> bool:
    """Whether a generic resource is of API Management and of a kind."""
    provider = resource.text("resourceProviderNamespace")
    if provider is not UNKNOWN and _lower(provider) != "microsoft.apimanagement":
        return False
    found = _lower(resource.text("resourceType"))
    if not isinstance(found, str) or found.rpartition("/")[2] != kind:
        return False
    return name is None or _lower(resource.text("resourceName")) == name


_OTHER_WAYS = "What the portal, the classic provider (`azure:apimanagement`) or a script sets."
_ASK_AZURE = "Ask Azure itself on a schedule, with `az rest`."
_OTHER_POLICIES = "Policies of APIs in other stacks, and whether a condition in a policy ever holds."
_CALL_IT = "A test that calls the service's own address, and is refused."
_PUBLIC = (
    "A service that clients call themselves is public; where something stands before it, `apim-not-around-front` asks "
    "for this or for as much."
)

RULES: tuple[AnyRule, ...] = (
    StackRule(
        name="apim-vnet-integrated",
        controls=("apim-vnet-integrated",),
        title="A service of API Management is in a virtual network, where its tier can be",
        severity="medium",
        types=(SERVICE,),
        check=in_a_network,
        remedy="virtualNetworkType: External (or Internal), virtualNetworkConfiguration: {subnetResourceId: ...}; or, "
        "where self-hosted gateways take the requests, a policy that refuses what comes to the managed one "
        "(`context.Deployment.Gateway.IsManaged`).",
        blind=_OTHER_POLICIES,
        instead=_CALL_IT,
    ),
    Rule(
        name="apim-vnet-internal",
        controls=("apim-vnet-internal",),
        title="A service of API Management is reached from its network alone",
        severity="medium",
        types=(SERVICE,),
        check=internal,
        remedy="virtualNetworkType: Internal",
        optional=_PUBLIC,
    ),
    Rule(
        name="apim-public-network-disabled",
        controls=("apim-public-network-disabled",),
        title="A service of API Management is reached by private endpoints alone",
        severity="medium",
        types=(SERVICE,),
        check=public_access_off,
        remedy="publicNetworkAccess: Disabled, once the service is there and its private endpoint is approved.",
        optional=_PUBLIC,
    ),
    StackRule(
        name="apim-private-endpoint",
        controls=("apim-private-endpoint",),
        title="A service of API Management that is in no virtual network has a private endpoint",
        severity="medium",
        types=(SERVICE,),
        check=private_endpoint,
        remedy="A PrivateEndpoint with privateLinkServiceConnections: [{privateLinkServiceId: the service, groupIds: "
        "[Gateway]}]; or a virtual network.",
        blind=f"Private endpoints in other stacks. {_OTHER_POLICIES}",
        instead=f"{ELSEWHERE} {_CALL_IT}",
    ),
    StackRule(
        name="apim-not-around-front",
        controls=(),
        title="A gateway cannot be called around the Front Door, Application Gateway or Load Balancer before it",
        severity="high",
        types=(SERVICE,),
        check=not_around_its_front,
        remedy="virtualNetworkType: Internal, or publicNetworkAccess: Disabled; else a policy of each API that refuses "
        "the others: check-header X-Azure-FDID behind a Front Door, ip-filter or a certificate behind an Application "
        "Gateway, a condition on `context.Deployment.Gateway.IsManaged` behind a balancer of self-hosted gateways.",
        blind=f"What stands before a service in another stack. {_OTHER_POLICIES}",
        instead=_CALL_IT,
    ),
    StackRule(
        name="apim-subnet-nsg",
        controls=("apim-subnet-nsg",),
        title="The subnet of a service of API Management has a network security group",
        severity="medium",
        types=(SERVICE,),
        check=subnet_has_group,
        remedy="networkSecurityGroup: {id: ...} of the subnet.",
        blind="Subnets in other stacks.",
        instead=ELSEWHERE,
    ),
    StackRule(
        name="nsg-apim-management-port",
        controls=("nsg-apim-management-port",),
        title="Only API Management reaches the management port of a service in a network, and Azure its probes",
        severity="medium",
        types=(SERVICE,),
        check=management_port,
        remedy="Inbound rules of the subnet's group: ApiManagement to 3443, AzureLoadBalancer to 6390, nobody else.",
        blind="Groups in other stacks.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="apim-min-tls12",
        controls=("apim-min-tls12",),
        title="A gateway speaks TLS 1.2 or newer, to clients and to backends",
        severity="high",
        types=(SERVICE, GATEWAY_HOST),
        check=old_protocols_off,
        remedy="customProperties: {Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10: 'False', "
        "...}; of a self-hosted gateway's host name, tls10Enabled and tls11Enabled: false.",
        blind="What a service that was made before April 2018 has on by default.",
        instead="Say each of the properties.",
        remediation=turn_old_protocols_off,
    ),
    Rule(
        name="apim-weak-ciphers-disabled",
        controls=("apim-weak-ciphers-disabled",),
        title="A service of API Management offers no weak ciphers",
        severity="high",
        types=(SERVICE,),
        check=weak_ciphers_off,
        remedy="customProperties: {Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Ciphers.NAME: 'False', ...}",
    ),
    Rule(
        name="apim-client-certificate",
        controls=("apim-client-certificate",),
        title="A service on Consumption asks clients for a certificate",
        severity="medium",
        types=(SERVICE,),
        check=client_certificate,
        remedy="enableClientCertificate: true; on other tiers negotiateClientCertificate: true of each host name.",
        blind="Whether a policy looks at the certificate.",
        instead="`validate-client-certificate` in the policy, and a test without a certificate.",
        settings={"everyTier": Setting({"type": "boolean"}, False, "ask for it on other tiers too, of the host names")},
    ),
    Rule(
        name="apim-hostname-cert-from-keyvault",
        controls=("apim-hostname-cert-from-keyvault",),
        title="Certificates of a service's host names come from Key Vault",
        severity="medium",
        types=(SERVICE,),
        check=certificates_from_vault,
        remedy="hostnameConfigurations: [{keyVaultId: https://VAULT.vault.azure.net/secrets/NAME, certificateSource: "
        "KeyVault, ...}], without a version, so that a renewed one is taken.",
    ),
    Rule(
        name="apim-managed-identity",
        controls=("apim-managed-identity",),
        title="A service of API Management has a managed identity",
        severity="medium",
        types=(SERVICE,),
        check=has_identity,
        remedy="identity: {type: SystemAssigned}",
    ),
    Rule(
        name="apim-sku-supports-vnet",
        controls=("apim-sku-supports-vnet",),
        title="A service of API Management has a tier with a way into a virtual network",
        severity="medium",
        types=(SERVICE,),
        check=can_be_in_a_network,
        remedy="sku: {name: StandardV2} or Premium; Developer where nothing depends on it.",
        settings={"tiers": Setting(_STRINGS, list(IN_A_NETWORK), "tiers that are accepted")},
    ),
    Rule(
        name="apim-sku-production",
        controls=("apim-sku-production",),
        title="A service of API Management has a tier for production",
        severity="low",
        types=(SERVICE,),
        check=for_production,
        remedy="sku: {name: StandardV2} or Premium.",
        optional="Stacks for development have Developer; turn it on for those of production.",
        settings={
            "tiers": Setting(
                _STRINGS, ["Standard", "StandardV2", "Premium", "PremiumV2", "Isolated"], "tiers that are accepted"
            )
        },
    ),
    Rule(
        name="apim-min-api-version",
        controls=("apim-min-api-version",),
        title="Old versions of the control plane's API, which show secrets to readers, are refused",
        severity="low",
        types=(SERVICE,),
        check=control_plane_version,
        remedy="apiVersionConstraint: {minApiVersion: '2021-08-01'}",
        settings={"version": Setting({"type": "string"}, "2021-08-01", "the oldest version that may be let through")},
    ),
    Rule(
        name="apim-platform-stv2",
        controls=("apim-platform-stv2",),
        title="A service that is injected into a network runs on the platform stv2",
        severity="high",
        types=(SERVICE,),
        check=second_platform,
        remedy="publicIpAddressId: a static address of the Standard SKU, which moves the service to stv2.",
        optional="New services are stv2, with or without an address of their own; for stacks that import old ones.",
        blind="The platform itself, which is an output (platformVersion).",
        instead="`az apim show --query platformVersion`",
    ),
    StackRule(
        name="apim-zone-redundant",
        controls=("apim-zone-redundant",),
        title="A Premium service of API Management is in two zones or more",
        severity="medium",
        types=(SERVICE,),
        check=zone_redundant,
        remedy="zones: ['1', '2'], and a unit for each; also in additionalLocations.",
        blind=f"Zones that Azure chooses by itself. {_OTHER_POLICIES}",
        instead="Name the zones: then a preview shows them.",
        settings={
            "withoutZones": Setting(_STRINGS, [], "regions that have no zones, written as the service's location")
        },
    ),
    Rule(
        name="apim-zone-units",
        controls=("apim-zone-units",),
        title="Units of a service of API Management are shared evenly by its zones",
        severity="medium",
        types=(SERVICE,),
        check=units_per_zone,
        remedy="sku: {capacity: as many as there are zones, or twice as many}",
    ),
    Rule(
        name="apim-multi-region",
        controls=("apim-multi-region",),
        title="A Premium service of API Management is in more than one region",
        severity="low",
        types=(SERVICE,),
        check=several_regions,
        remedy="additionalLocations: [{location: ..., sku: ...}]",
        optional="A second region costs as much as the first; turn it on where an edge has to outlive one.",
    ),
    Rule(
        name="apim-multi-region-gateway-enabled",
        controls=("apim-multi-region-gateway-enabled",),
        title="The gateways of a service's other regions are on",
        severity="low",
        types=(SERVICE,),
        check=regions_answer,
        remedy="disableGateway: false, once the incident is over that turned it off.",
    ),
    StackRule(
        name="apim-autoscale",
        controls=("apim-autoscale",),
        title="A service of API Management grows by itself",
        severity="low",
        types=(SERVICE,),
        check=scales,
        remedy="An AutoscaleSetting with enabled: true whose targetResourceUri is the service.",
        optional="A new unit takes long to come, so it is for slow growth only, and it is billed.",
        blind="Autoscale settings in other stacks.",
        instead=ELSEWHERE,
    ),
    StackRule(
        name="apim-caching",
        controls=("apim-caching",),
        title="A service of API Management keeps answers",
        severity="low",
        types=(SERVICE,),
        check=caches,
        remedy="`cache-lookup` and `cache-store` in policies, or a Cache.",
        optional="Not every API has answers that may be kept.",
    ),
    Rule(
        name="apim-name-valid",
        controls=("apim-name-valid",),
        title="A service of API Management has a name that Azure takes",
        severity="low",
        types=(SERVICE,),
        check=valid_name,
        remedy="serviceName: 1 to 50 letters, digits and hyphens, a letter first.",
        blind="Whether the name is free: a deleted service holds it for 48 hours.",
        instead="`az apim check-name`",
    ),
    StackRule(
        name="apim-diagnostic-settings",
        controls=("apim-diagnostic-settings",),
        title="The logs of API Management's gateways are sent somewhere",
        severity="medium",
        types=(SERVICE,),
        check=logs_sent,
        remedy="A DiagnosticSetting: {resourceUri: the service, workspaceId: ..., logs: [{category: GatewayLogs, "
        "enabled: true}]}",
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
    StackRule(
        name="apim-aad-identity-provider",
        controls=("apim-aad-identity-provider", "apim-portal-basic-auth-disabled"),
        title="Developers sign in to a portal with Entra ID, or there is no portal",
        severity="medium",
        types=(SERVICE,),
        check=signs_in_with_entra,
        remedy="developerPortalStatus: Disabled, or an IdentityProvider of the type aad.",
        blind="Whether passwords are off beside it.",
        instead="`apim-portal-basic-auth-disabled`, for portals that a stack configures.",
    ),
    Rule(
        name="apim-portal-basic-auth-disabled",
        controls=("apim-portal-basic-auth-disabled",),
        title="A developer portal takes no passwords of its own",
        severity="medium",
        types=(GENERIC,),
        check=no_passwords,
        remedy="properties: {enableBasicAuth: false} of the resource service/portalconfigs.",
        blind=_OTHER_WAYS,
        instead=_ASK_AZURE,
    ),
    Rule(
        name="apim-direct-management-disabled",
        controls=("apim-direct-management-disabled",),
        title="The direct management API of API Management is off",
        severity="low",
        types=(GENERIC,),
        check=direct_management_off,
        remedy="properties: {enabled: false} of the resource service/tenant/access.",
        blind=_OTHER_WAYS,
        instead=_ASK_AZURE,
    ),
    Rule(
        name="apim-delegation-secure",
        controls=("apim-delegation-secure",),
        title="Signing in that is delegated is signed, and goes by HTTPS",
        severity="medium",
        types=(GENERIC,),
        check=delegation_secure,
        remedy="properties: {url: https://..., validationKey: ...} of the resource service/portalsettings/delegation.",
        blind=_OTHER_WAYS,
        instead=_ASK_AZURE,
    ),
    StackRule(
        name="apim-defender-for-apis",
        controls=("apim-defender-for-apis",),
        title="REST APIs are watched by Defender for APIs",
        severity="high",
        types=APIS,
        check=defended,
        remedy="An APICollectionByAzureApiManagementService with the API's id, beside the plan of the subscription.",
        optional="Defender for APIs is billed by calls, and onboarded for a whole subscription at once.",
        blind="APIs that are onboarded in other stacks or by Azure Policy.",
        instead=ELSEWHERE,
    ),
)
