"""The arguments of `ApiManagement`, and what cannot be: by tier, network, host, region and log."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi

from edgewright.azure.arguments import key_problems, length_problems, missing_problems, secret_id_problems
from edgewright.azure.private_link import PrivateEndpointArgs, endpoint_problems
from edgewright.azure.tiers import BY_NAME, Tier
from edgewright.clouds.part import unknown_keys

ENDPOINT_ZONE = "privatelink.azure-api.net"
NETWORKS = ("none", "external", "internal", "integration")
MAX_AUTHORITIES = 10
STORES = ("Root", "CertificateAuthority")
MASKED = ("Authorization", "Cookie", "Set-Cookie", "Ocp-Apim-Subscription-Key", "X-Api-Key")
"""Headers whose values are never logged, also where somebody asks for the header."""

_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?")
_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+")


def _any_tier(tier: Tier) -> bool:
    return tier.name in BY_NAME


def _not_consumption(tier: Tier) -> bool:
    return tier.name != "Consumption"


def _classic(tier: Tier) -> bool:
    return tier.classic


ENDPOINTS = {
    "Proxy": _any_tier,
    "DeveloperPortal": _not_consumption,
    "Management": _classic,
    "Scm": _classic,
    "ConfigurationApi": _classic,
}
"""What may have a host name of its own, and on which tiers."""


class HostArgs(TypedDict, total=False):
    """A host name, with its certificate."""

    host: Required[str]
    """Such as ``api.shop.example``."""
    key_vault_secret_id: Required[pulumi.Input[str]]
    """Without a version, so that a renewed certificate is taken."""
    identity_client_id: Required[pulumi.Input[str]]
    """Client id of an identity of the service that may read the secret."""
    endpoint: str
    """By the names of `ENDPOINTS`; default ``Proxy``, the gateway, which has several on Developer and Premium only."""
    negotiate_client_certificate: bool
    """Whether clients are asked for a certificate; a policy checks it. Default False."""


class CertificateAuthorityArgs(TypedDict, total=False):
    """An authority that the gateway trusts, of backends and of clients."""

    store: Required[str]
    """``Root``, or ``CertificateAuthority`` for one between."""
    certificate: Required[pulumi.Input[str]]
    """Its certificate in base64, without a key."""


class AdditionalLocationArgs(TypedDict, total=False):
    """A further region of the gateway; Premium only."""

    location: Required[pulumi.Input[str]]
    """Such as ``northeurope``."""
    capacity: int
    """Units; default 1."""
    zones: list[str]
    """Not more than units. Default: Azure chooses."""
    subnet_id: pulumi.Input[str]
    """In that region; needed where the service is in a network."""
    public_ip_address_id: pulumi.Input[str]
    """A Standard address in that region, of a service in a network. Default: Azure's own."""
    disable_gateway: bool
    """Takes the region out of service without deleting it; default False."""


class ApplicationInsightsArgs(TypedDict, total=False):
    """Telemetry of requests in Application Insights: one of connection_string and instrumentation_key."""

    id: Required[pulumi.Input[str]]
    """Full id of the Application Insights."""
    connection_string: pulumi.Input[str]
    """Where it is; who writes is an identity of the service."""
    identity_client_id: pulumi.Input[str]
    """Client id of a user-assigned identity of the service that is Monitoring Metrics Publisher there. Default: the
    service's own identity, which is given that role."""
    instrumentation_key: pulumi.Input[str]
    """In place of an identity, where Application Insights takes keys; kept as a named value. It is no secret."""
    sampling: float
    """Percent of requests, 0 to 100; errors are always logged. Default 100, which costs a gateway up to half of its
    throughput (Microsoft's page)."""
    headers: Sequence[str]
    """Headers of requests and answers that are logged, `MASKED` ones without their values. Default: none."""
    body_bytes: int
    """Of bodies, 0 to 8,192. Default 0: bodies hold what clients trust us with."""
    log_client_ip: bool
    """Default False."""
    metrics: bool
    """Whether ``emit-metric`` works; default False."""


class ApiManagementArgs(TypedDict, total=False):
    """Arguments of `ApiManagement`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``."""
    publisher_name: Required[pulumi.Input[str]]
    """Shown to developers; 1 to 100 characters."""
    publisher_email: Required[pulumi.Input[str]]
    """Gets Azure's notices; 1 to 100 characters."""
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
    public_ip_address_id: pulumi.Input[str]
    """A Standard address with a DNS label, of a service in a network by ``external`` or ``internal``. Default: Azure's
    own."""
    private_endpoint: PrivateEndpointArgs
    """A private way in, beside the public one; not with ``external`` and ``internal``. Default: none."""
    public_network_access: str
    """``Enabled`` (default), or ``Disabled``: by private endpoints only."""
    existing_private_endpoint: bool
    """Says that the service is there already and has an approved private endpoint, ours or another's: Azure takes
    ``Disabled`` only then, so that a stack needs two runs. Default False."""
    zones: list[str]
    """Premium only, not more than units. Default: Azure spreads units over the zones of a region by itself."""
    additional_locations: list[AdditionalLocationArgs]
    """Further regions; Premium only. Default: none."""
    disable_gateway: bool
    """Takes the first region out of service; with additional locations only. Default False."""
    identities: list[pulumi.Input[str]]
    """Ids of user-assigned identities, beside the service's own."""
    hosts: list[HostArgs]
    """Host names; the gateway's first is the default."""
    certificate_authorities: list[CertificateAuthorityArgs]
    """Classic tiers only, 10 at most; self-hosted gateways have their own. Default: none."""
    enable_client_certificate: bool
    """Consumption only, where host names cannot ask: every request has to bring a certificate. Default False."""
    developer_portal: bool
    """Whether there is a developer portal, not on Consumption; default False: until somebody gives it an identity
    provider, developers sign in there with passwords."""
    workspace_id: pulumi.Input[str]
    """A Log Analytics workspace for logs of requests and metrics."""
    application_insights: ApplicationInsightsArgs
    """Telemetry of requests. Default: none."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``service``, ``diagnostics``, ``private_endpoint``, ``zone_group``, ``insights_access``,
    ``insights_key``, ``insights_logger``, ``insights_diagnostic``."""


def service_problems(args: ApiManagementArgs) -> Iterator[str]:
    yield from key_problems(args, ApiManagementArgs, _attributes(args), "a service")
    yield from length_problems(args, {"publisher_name": 100, "publisher_email": 100})
    if "service_name" in args and _NAME.fullmatch(args["service_name"]) is None:
        yield f"`{args['service_name']}` is no name of a service: 1 to 50 letters, digits and hyphens, a letter first"
    tier = BY_NAME.get(args.get("tier", ""))
    if tier is None:
        yield f"there is no tier `{args.get('tier')}`; there are {', '.join(BY_NAME)}"
        return
    yield from _network_problems(args, tier)
    yield from _access_problems(args, tier)
    yield from _capacity_problems(args, tier)
    yield from _location_problems(args, tier)
    yield from _host_problems(args, tier)
    yield from _certificate_problems(args, tier)
    yield from _log_problems(args, tier)


def _attributes(args: ApiManagementArgs) -> list[str]:
    insights: Mapping[str, Any] = args.get("application_insights") or {}
    endpoint: Mapping[str, Any] = args.get("private_endpoint") or {}
    return [
        "service",
        "diagnostics",
        *(["private_endpoint"] if endpoint else []),
        *(["zone_group"] if endpoint.get("private_dns_zone_id") is not None else []),
        *(["insights_logger", "insights_diagnostic"] if insights else []),
        *(["insights_access"] if own_identity(insights) else []),
        *(["insights_key"] if insights.get("instrumentation_key") is not None else []),
    ]


def own_identity(insights: Mapping[str, Any]) -> bool:
    """Whether the service's own identity writes the telemetry."""
    return insights.get("connection_string") is not None and insights.get("identity_client_id") is None


def _network_problems(args: ApiManagementArgs, tier: Tier) -> Iterator[str]:
    network = args.get("network", "none")
    private = "private_backends" in tier.features
    if network not in NETWORKS:
        yield f"there is no network `{network}`; there are {', '.join(NETWORKS)}"
    elif network != "none" and (network == "integration") != (private and not tier.classic):
        yield f"the tier {tier.name} is not in a network by `{network}`; StandardV2 is by `integration`"
    elif network in ("external", "internal") and not private:
        yield f"the tier {tier.name} is in no network: Developer and Premium are, by `external` or `internal`"
    if (network != "none") != ("subnet_id" in args):
        yield "a service in a network needs a subnet, and one in none has none"
    if args.get("public_ip_address_id") is not None and network not in ("external", "internal"):
        yield "a public address of ours is for a service in a network by `external` or `internal`"


def _access_problems(args: ApiManagementArgs, tier: Tier) -> Iterator[str]:
    endpoint: Any = args.get("private_endpoint")
    access = args.get("public_network_access", "Enabled")
    existing = args.get("existing_private_endpoint", False)
    injected = args.get("network") in ("external", "internal")
    asks = [
        what
        for what, asked in (
            ("a private endpoint", endpoint is not None),
            ("`existing_private_endpoint`", existing),
            ("`public_network_access` Disabled", access == "Disabled"),
        )
        if asked
    ]
    if endpoint is not None:
        yield from endpoint_problems(endpoint, "private_endpoint", ENDPOINT_ZONE)
    if access not in ("Enabled", "Disabled"):
        yield f"public_network_access is Enabled or Disabled, not `{access}`"
    if asks and "private_endpoint" not in tier.features:
        yield f"{asks[0]}: the tier {tier.name} has no private endpoints"
    elif asks and injected:
        yield (
            f"{asks[0]}: a service in a network by `{args.get('network')}` has no private endpoints; leave it out, or "
            "the network"
        )
    elif access == "Disabled" and not existing:
        yield (
            "`public_network_access` Disabled is taken of a service that is there already and has an approved private "
            "endpoint: first deploy it Enabled with one, approve that, then say `existing_private_endpoint`"
        )


def _capacity_problems(args: ApiManagementArgs, tier: Tier) -> Iterator[str]:
    capacity = args.get("capacity", 1)
    if tier.units and not 1 <= capacity <= tier.units:
        yield f"the tier {tier.name} has 1 to {tier.units} units, not {capacity}"
    yield from _zone_problems("the service", args.get("zones"), capacity, tier)


def _zone_problems(what: str, zones: Sequence[str] | None, capacity: int, tier: Tier) -> Iterator[str]:
    if not zones:
        return
    if "zones" not in tier.features:
        yield f"the tier {tier.name} has no zones: Premium has"
    elif len(set(zones)) < len(zones) or not set(zones) <= {"1", "2", "3"}:
        yield f"{what} has the zones {', '.join(zones)}; there are 1, 2 and 3, each once"
    elif capacity < len(zones):
        yield f"{what} has {len(zones)} zones and {capacity} units; each zone needs a unit"


def _location_problems(args: ApiManagementArgs, tier: Tier) -> Iterator[str]:
    more = args.get("additional_locations", [])
    inside = args.get("network", "none") in ("external", "internal")
    if more and tier.name != "Premium":
        yield f"the tier {tier.name} has one region: Premium has additional locations"
    if args.get("disable_gateway") and not more:
        yield "`disable_gateway` would leave no gateway: it is for a service with additional locations"
    if more and args.get("disable_gateway") and all(item.get("disable_gateway") for item in more):
        yield "`disable_gateway` is said of all regions: no gateway would be left"
    for at, item in enumerate(more, 1):
        what = f"additional location {at}"
        yield from unknown_keys(item, AdditionalLocationArgs.__annotations__, what)
        yield from missing_problems(item, AdditionalLocationArgs, what)
        if ("subnet_id" in item) != inside:
            yield f"{what}: all regions of a service in a network have a subnet, and those of one in none have none"
        if "public_ip_address_id" in item and not inside:
            yield f"{what}: a public address of ours is for a service in a network"
        if not 1 <= item.get("capacity", 1) <= tier.units:
            yield f"{what} has 1 to {tier.units} units, not {item.get('capacity')}"
        yield from _zone_problems(what, item.get("zones"), item.get("capacity", 1), tier)
    known: list[Any] = [args.get("location"), *(item.get("location") for item in more)]
    named = [one.lower().replace(" ", "") for one in known if isinstance(one, str)]
    yield from (f"the region {one} is there twice" for one in sorted({one for one in named if named.count(one) > 1}))


def _host_problems(args: ApiManagementArgs, tier: Tier) -> Iterator[str]:
    hosts = args.get("hosts", [])
    if hosts and not args.get("identities"):
        yield "a host's certificate is read by a user-assigned identity: name it in `identities`"
    gateway = [item for item in hosts if item.get("endpoint", "Proxy") == "Proxy"]
    if len(gateway) > 1 and "several_hosts" not in tier.features:
        yield f"the tier {tier.name} has one host name of the gateway, not {len(gateway)}: Developer and Premium do"
    portal = args.get("developer_portal", False)
    if portal and tier.name == "Consumption":
        yield "`developer_portal`: the tier Consumption has none"
    elif not portal and any(item.get("endpoint") == "DeveloperPortal" for item in hosts):
        yield "a host for DeveloperPortal needs `developer_portal`: without, there is none"
    names = [str(item.get("host", "")).lower() for item in hosts]
    yield from (f"the host `{one}` is there twice" for one in sorted({one for one in names if names.count(one) > 1}))
    for item in hosts:
        host: Any = item.get("host")
        what = f"the host `{host}`"
        yield from unknown_keys(item, HostArgs.__annotations__, what)
        yield from missing_problems(item, HostArgs, what)
        yield from secret_id_problems(f"key_vault_secret_id of {what}", item.get("key_vault_secret_id"))
        endpoint = item.get("endpoint", "Proxy")
        if endpoint not in ENDPOINTS:
            yield f"{what}: there is no endpoint `{endpoint}`; there are {', '.join(ENDPOINTS)}"
        elif not ENDPOINTS[endpoint](tier):
            yield f"{what}: the tier {tier.name} takes no host name for {endpoint}"
        if isinstance(host, str) and _HOST.fullmatch(host.lower()) is None:
            yield f"{what} is no name of a host"
        if tier.name == "Consumption" and str(host).startswith("*"):
            yield f"{what}: the tier Consumption takes no wildcard"
        if tier.name == "Consumption" and item.get("negotiate_client_certificate"):
            yield f"{what}: on Consumption say `enable_client_certificate` of the service in place of negotiation"


def _certificate_problems(args: ApiManagementArgs, tier: Tier) -> Iterator[str]:
    authorities = args.get("certificate_authorities", [])
    if authorities and not tier.classic:
        yield f"the tier {tier.name} takes no certificate authorities: classic tiers do"
    if len(authorities) > MAX_AUTHORITIES:
        yield f"a service has {MAX_AUTHORITIES} certificate authorities at most, not {len(authorities)}"
    for at, item in enumerate(authorities, 1):
        yield from unknown_keys(item, CertificateAuthorityArgs.__annotations__, f"authority {at}")
        yield from missing_problems(item, CertificateAuthorityArgs, f"authority {at}")
        if item.get("store", "Root") not in STORES:
            yield f"authority {at}: there is no store `{item.get('store')}`; there are {', '.join(STORES)}"
        text: Any = item.get("certificate")
        if isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9+/\r\n]+=*\s*", text) is None:
            yield f"authority {at}: the certificate is not in base64; leave out the lines with hyphens"
    if args.get("enable_client_certificate") and tier.name != "Consumption":
        yield (
            "`enable_client_certificate` is of the tier Consumption only: say `negotiate_client_certificate` of hosts, "
            "and check the certificate in a policy"
        )


def _log_problems(args: ApiManagementArgs, tier: Tier) -> Iterator[str]:
    if args.get("workspace_id") is not None and "logs" not in tier.features:
        yield f"the tier {tier.name} has no logs of requests"
    insights = args.get("application_insights")
    if insights is None:
        return
    yield from unknown_keys(insights, ApplicationInsightsArgs.__annotations__, "application_insights")
    yield from missing_problems(insights, ApplicationInsightsArgs, "application_insights")
    key, text = insights.get("instrumentation_key"), insights.get("connection_string")
    if (key is None) == (text is None):
        yield "application_insights has one of `connection_string` and `instrumentation_key`"
    if key is not None and insights.get("identity_client_id") is not None:
        yield "application_insights has an identity with `connection_string`, not with `instrumentation_key`"
    if not 0 <= insights.get("sampling", 100) <= 100:
        yield f"application_insights.sampling is {insights.get('sampling')}; it is 0 to 100 percent"
    if not 0 <= insights.get("body_bytes", 0) <= 8192:
        yield f"application_insights.body_bytes is {insights.get('body_bytes')}; it is 0 to 8192"
