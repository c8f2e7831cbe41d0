"""A Front Door with a web application firewall, before a private endpoint of API Management.

Azure forces two phases. API Management takes its public access off only when a private connection is approved, and
never while it is created (Azure/azure-rest-api-specs issue 24947: "not supported if the service does not [have] at
least one approved Private Endpoint Connection"); Front Door makes the connection with the origin, under a name that
Azure generates, and leaves it pending. Nor can the provider approve it: azure-native refuses to create what is already
there ("cannot create already existing resource", its ``CanCreate``). A deployment of a template might, but API
Management was seen to answer "Private Endpoint Connection Request ID is unexpected null" to a request without the
connection's id in its body, and that a template may carry one is unverified. So a person approves, between two updates,
and the second one looks before it closes the door.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement, cdn, frontdoor

from edgewright.azure.compile_waf import CLIENT_HEADER, FRONT_DOOR, argument_problems, front_door, standard
from edgewright.azure.diagnostics import place_diagnostics
from edgewright.azure.gateway_machine import STATUS_PATH
from edgewright.azure.network_regions import private_link_problems, short
from edgewright.clouds.part import place, refuse, unknown_keys

REQUEST_MESSAGE = "edgewright: Front Door to API Management"
"""What a person sees of the connection that is pending. Anybody may ask with the same words: they are no proof."""

_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_SECRET = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.KeyVault/vaults/[^/]+/secrets/[^/]+", re.I
)
_SERVICE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ApiManagement/service/[^/]+", re.I
)
_CONNECTION = re.compile(r"[A-Za-z0-9._-]{1,80}")
_PART = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,38}[A-Za-z0-9])?")

_TIMEOUT = (16, 240)
_PROBE = (5, 31_536_000)


LOGS = ("FrontDoorAccessLog", "FrontDoorHealthProbeLog", "FrontDoorWebApplicationFirewallLog")


class DomainArgs(TypedDict, total=False):
    """A host name of yours, with a certificate (TLS 1.2 and 1.3)."""

    host: Required[str]
    """Such as ``api.shop.example``."""
    certificate_secret_id: pulumi.Input[str]
    """Resource id of a Key Vault secret, ``/subscriptions/.../vaults/V/secrets/NAME`` (not its address); the newest
    version is used. Default: Azure issues a certificate once the DNS records are there."""
    dns_zone_id: pulumi.Input[str]
    """The zone at Azure DNS that has the host; the validation's record is yours to make all the same. Default: none."""


class FrontDoorArgs(TypedDict, total=False):
    """Arguments of `FrontDoor`. The SKU is Premium, which private origins need."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    service_id: Required[pulumi.Input[str]]
    """Resource id of the API Management service: of a tier with private endpoints, and in no virtual network by
    injection. A change makes a new connection, which is pending again."""
    service_host: Required[pulumi.Input[str]]
    """A host name of the service, such as ``shop.azure-api.net``, with its certificate."""
    private_link_location: Required[pulumi.Input[str]]
    """A region of `network_regions.PRIVATE_LINK_LOCATIONS`, best the service's own. 7,200 requests a second go through
    one. A change makes a new connection, which is pending again."""
    connection_name: pulumi.Input[str]
    """Phase 2: name of the connection that a person approved, as `FrontDoor.next_step` tells. Default: phase 1."""
    request_message: str
    """Shown with the pending connection, 1 to 140 characters; default: `REQUEST_MESSAGE`."""
    domains: Mapping[str, DomainArgs]
    """By a name of yours. Default: Front Door's own host name only."""
    default_domain: bool
    """Whether Front Door's own host name, ``*.azurefd.net``, is answered too. Default: only without ``domains``."""
    identity_id: pulumi.Input[str]
    """A user-assigned identity that may read the certificates of ``domains``; needed where there are such."""
    waf: Any
    """A `WafPolicy`: what `compile_waf` made for Front Door. Default: Microsoft's rule sets, Prevention."""
    waf_policy_id: pulumi.Input[str]
    """An existing Premium policy instead."""
    client_header: str
    """The header that has the client's address; default: `compile_waf.CLIENT_HEADER`."""
    health_path: str
    """Default: the status path of API Management."""
    probe_interval_seconds: int
    """Each of Front Door's places asks that often; default 60."""
    response_timeout_seconds: int
    """For the service's answer, 16 to 240; default 60."""
    workspace_id: pulumi.Input[str]
    """A Log Analytics workspace for logs of requests, probes and of the firewall, and metrics. Default: none."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``profile``, ``endpoint``, ``origin_group``, ``origin``, ``certificates.NAME``,
    ``custom_domains.NAME``, ``rule_set``, ``client_rule``, ``route``, ``waf_policy``, ``security_policy``,
    ``diagnostics``."""


class FrontDoor(pulumi.ComponentResource):
    """A Front Door with a firewall and one private origin.

    Attributes: profile, endpoint, origin_group, origin, certificates and custom_domains (by name), rule_set,
    client_rule, route, waf_policy (None where an existing one is used), security_policy, diagnostics (or None);
    connection (read, not made; None in phase 1); ``front_door_id`` (what ``X-Azure-FDID`` must be), ``host``,
    ``dns_records`` (that ``domains`` need), ``client_header``, ``phase``, ``next_step`` (what a person does now).
    """

    def __init__(self, name: str, args: FrontDoorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("FrontDoor", name, _problems(args))
        super().__init__("edgewright:azure:FrontDoor", name, None, opts)
        self.phase = phase(args.get("connection_name"))
        self.profile = _profile(self, name, args)
        self.endpoint = _endpoint(self, name, args)
        self.certificates = _certificates(self, name, args)
        self.custom_domains = _custom_domains(self, name, args)
        self.waf_policy = _waf_policy(self, name, args)
        self.security_policy = _security_policy(self, name, args)
        self.rule_set = _rule_set(self, name, args)
        self.client_rule = _client_rule(self, name, args)
        self.origin_group = _origin_group(self, name, args)
        self.origin = _origin(self, name, args)
        self.connection = _connection(self, name, args)
        self.route = _route(self, name, args)
        self.diagnostics = _diagnostics(self, name, args)
        self.front_door_id = self.profile.front_door_id
        self.host = self.endpoint.host_name
        self.client_header = args.get("client_header", CLIENT_HEADER)
        self.dns_records = _dns_records(self, args)
        self.next_step = _next_step(self, args)
        self.register_outputs(
            {
                "frontDoorId": self.front_door_id,
                "host": self.host,
                "dnsRecords": self.dns_records,
                "phase": self.phase,
                "nextStep": self.next_step,
            }
        )


# -- phases ------------------------------------------------------------------------------------------------------------


def phase(connection_name: object) -> Literal[1, 2]:
    """1 until the name of an approved connection is known, 2 from then on."""
    return 1 if connection_name is None else 2


def public_network_access(connection_name: object) -> Literal["Enabled", "Disabled"]:
    """For the API Management service, which is placed before its Front Door: open in phase 1, where
    ``check-header X-Azure-FDID`` refuses who comes past Front Door; closed in phase 2.
    """
    return "Enabled" if phase(connection_name) == 1 else "Disabled"


_STEPS: Mapping[int, str] = {
    1: """\
Phase 1: the private connection waits for approval, and Front Door answers errors until then.
1. Find it: its state is Pending, and its description `{message}`; were there two, approve none before you know why:
   az network private-endpoint-connection list --id {service} --output table
2. Approve it, NAME being its name:
   az network private-endpoint-connection approve --id {service}/privateEndpointConnections/NAME
3. Give NAME as `connection_name`, and update again: that takes the public access of API Management off.""",
    2: """\
Phase 2: the connection `{connection}` is approved, and API Management has no public access.
Do not take `connection_name` away: that opens it again. A new private link location or service makes a new connection:
take `connection_name` away first, update, and begin at phase 1.""",
}


def _next_step(self: FrontDoor, args: FrontDoorArgs) -> pulumi.Output[str]:
    values: dict[str, Any] = {
        "service": args["service_id"],
        "message": args.get("request_message", REQUEST_MESSAGE),
        "connection": args.get("connection_name", ""),
    }
    return pulumi.Output.all(**values).apply(lambda found: _STEPS[self.phase].format(**found))


def _connection(
    parent: FrontDoor, name: str, args: FrontDoorArgs
) -> apimanagement.PrivateEndpointConnectionByName | None:
    """The connection as it is, read: a preview of phase 2 fails here unless it is approved, before anything changes."""
    given = args.get("connection_name")
    if given is None:
        return None
    found = apimanagement.PrivateEndpointConnectionByName.get(
        f"{name}-connection",
        pulumi.Output.concat(args["service_id"], "/privateEndpointConnections/", given),
        pulumi.ResourceOptions(parent=parent),
    )

    def look(both: list[Any]) -> None:
        connection, state = both
        _refuse_unapproved(name, connection, state.get("status") if state else None)

    pulumi.Output.all(given, found.private_link_service_connection_state).apply(look)
    return found


def _refuse_unapproved(name: str, connection: str, status: str | None) -> None:
    """Of a plan, which asks no cloud, the status is a stand-in; it is none of these."""
    if status in ("Pending", "Rejected", "Disconnected"):
        problem = f"the connection `{connection}` is {status}: approve it first (see `next_step` of phase 1)"
        refuse("FrontDoor", name, [problem])


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: FrontDoorArgs) -> Iterator[str]:
    yield from unknown_keys(args, FrontDoorArgs.__annotations__, "the Front Door")
    yield from (f"`{key}` is missing" for key in sorted(FrontDoorArgs.__required_keys__) if args.get(key) is None)
    yield from _origin_problems(args)
    for name, item in args.get("domains", {}).items():
        yield from _domain_problems(name, item, args)
    hosts = [str(item.get("host")).lower() for item in args.get("domains", {}).values()]
    for host in sorted({host for host in hosts if hosts.count(host) > 1}):
        yield f"`domains` have `{host}` more than once"
    if args.get("default_domain") is False and not args.get("domains"):
        yield "without `domains` and `default_domain` nothing would be answered"
    existing = args.get("waf_policy_id") is not None
    yield from argument_problems(args.get("waf"), FRONT_DOOR, existing=existing)
    yield from _number_problems(args)
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", args.get("client_header", CLIENT_HEADER)) is None:
        yield f"`client_header` is {args.get('client_header')}: letters, digits and hyphens"
    yield from unknown_keys(args.get("overrides", {}), _attributes(args), "overrides")


def _origin_problems(args: FrontDoorArgs) -> Iterator[str]:
    location: Any = args.get("private_link_location")
    yield from private_link_problems(location)
    service: Any = args.get("service_id")
    if isinstance(service, str) and _SERVICE.fullmatch(service) is None:
        yield f"`service_id` is {service}: write `/subscriptions/.../providers/Microsoft.ApiManagement/service/NAME`"
    host: Any = args.get("service_host")
    if isinstance(host, str) and _HOST.fullmatch(host) is None:
        yield f"`service_host` is {host}: write a host name, such as `shop.azure-api.net`"
    connection: Any = args.get("connection_name")
    if isinstance(connection, str) and _CONNECTION.fullmatch(connection) is None:
        yield f"`connection_name` is {connection}: write the connection's name alone, without the id before it"
    if not 1 <= len(args.get("request_message", REQUEST_MESSAGE)) <= 140:
        yield "`request_message` has 1 to 140 characters"


def _domain_problems(name: str, item: DomainArgs, args: FrontDoorArgs) -> Iterator[str]:
    what = f"domain `{name}`"
    yield from unknown_keys(item, DomainArgs.__annotations__, what)
    if _PART.fullmatch(name) is None:
        yield f"{what}: that is no name for Azure: 1 to 40 letters, digits and hyphens, a letter first"
    host: Any = item.get("host")
    if host is None:
        yield f"{what} needs `host`"
    elif _HOST.fullmatch(host.removeprefix("*.")) is None:
        yield f"{what}: `{host}` is no host name; write it like `api.shop.example`"
    secret: Any = item.get("certificate_secret_id")
    if isinstance(secret, str) and _SECRET.fullmatch(secret) is None:
        yield f"{what}: `{secret}` is no resource id; write `/subscriptions/.../vaults/VAULT/secrets/NAME`"
    if secret is not None and args.get("identity_id") is None:
        yield f"{what} has a certificate in a vault: name in `identity_id` who may read it"


def _number_problems(args: FrontDoorArgs) -> Iterator[str]:
    for key, (least, most) in (("response_timeout_seconds", _TIMEOUT), ("probe_interval_seconds", _PROBE)):
        if not least <= args.get(key, 60) <= most:
            yield f"`{key}` is {args.get(key)}; it must be {least} to {most}"
    if not args.get("health_path", STATUS_PATH).startswith("/"):
        yield f"`health_path` is {args.get('health_path')}; it must begin with a slash"


def _attributes(args: FrontDoorArgs) -> list[str]:
    domains = args.get("domains", {})
    always = ("profile", "endpoint", "origin_group", "origin", "rule_set", "client_rule", "route", "security_policy")
    return [
        *always,
        *(f"custom_domains.{name}" for name in domains),
        *(f"certificates.{name}" for name, item in domains.items() if item.get("certificate_secret_id") is not None),
        *([] if args.get("waf_policy_id") is not None else ["waf_policy"]),
        *([] if args.get("workspace_id") is None else ["diagnostics"]),
    ]


# -- resources ---------------------------------------------------------------------------------------------------------


def _of_profile(parent: FrontDoor, args: FrontDoorArgs) -> dict[str, Any]:
    return {"resource_group_name": args["resource_group_name"], "profile_name": parent.profile.name}


def _profile(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.Profile:
    identity = args.get("identity_id")
    scrubbed = {"match_variable": "QueryStringArgNames", "selector_match_operator": "EqualsAny", "state": "Enabled"}
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "location": "Global",
        "sku": {"name": "Premium_AzureFrontDoor"},
        "identity": {"type": "UserAssigned", "user_assigned_identities": [identity]} if identity is not None else None,
        "origin_response_timeout_seconds": args.get("response_timeout_seconds", 60),
        # A query may have a token; logs say only that there was one.
        "log_scrubbing": {"state": "Enabled", "scrubbing_rules": [scrubbed]},
        "tags": dict(args.get("tags", {})),
    }
    overrides = args.get("overrides")
    return place(cdn.Profile, f"{name}-profile", props, parent=parent, overrides=overrides, key="profile")


def _endpoint(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.AFDEndpoint:
    props = {
        **_of_profile(parent, args),
        "location": "Global",
        "enabled_state": "Enabled",
        # A name that is given up can be had again by this tenant alone, so that a forgotten CNAME leads to no other's.
        "auto_generated_domain_name_label_scope": "TenantReuse",
        "tags": dict(args.get("tags", {})),
    }
    overrides = args.get("overrides")
    return place(cdn.AFDEndpoint, f"{name}-endpoint", props, parent=parent, overrides=overrides, key="endpoint")


def _certificates(parent: FrontDoor, name: str, args: FrontDoorArgs) -> dict[str, cdn.Secret]:
    """Certificates of Key Vault, by domain."""
    return {
        key: place(
            cdn.Secret,
            f"{name}-certificate-{key}",
            {
                **_of_profile(parent, args),
                "parameters": cdn.CustomerCertificateParametersArgs(
                    type="CustomerCertificate",
                    secret_source=cdn.ResourceReferenceArgs(id=item.get("certificate_secret_id")),
                    use_latest_version=True,
                ),
            },
            parent=parent,
            overrides=args.get("overrides"),
            key=f"certificates.{key}",
        )
        for key, item in args.get("domains", {}).items()
        if item.get("certificate_secret_id") is not None
    }


def _custom_domains(parent: FrontDoor, name: str, args: FrontDoorArgs) -> dict[str, cdn.AFDCustomDomain]:
    found: dict[str, cdn.AFDCustomDomain] = {}
    for key, item in args.get("domains", {}).items():
        own = parent.certificates.get(key)
        zone = item.get("dns_zone_id")
        tls: dict[str, Any] = {
            "certificate_type": "CustomerCertificate" if own is not None else "ManagedCertificate",
            "minimum_tls_version": "TLS12",
            "cipher_suite_set_type": "TLS12_2023",
        }
        if own is not None:
            tls["secret"] = {"id": own.id}
        props = {
            **_of_profile(parent, args),
            "host_name": item["host"],
            "tls_settings": tls,
            "azure_dns_zone": {"id": zone} if zone is not None else None,
        }
        found[key] = place(
            cdn.AFDCustomDomain,
            f"{name}-domain-{key}",
            props,
            parent=parent,
            overrides=args.get("overrides"),
            key=f"custom_domains.{key}",
        )
    return found


def _waf_policy(parent: FrontDoor, name: str, args: FrontDoorArgs) -> frontdoor.Policy | None:
    if args.get("waf_policy_id") is not None:
        return None
    props = {
        "resource_group_name": args["resource_group_name"],
        "location": "Global",
        # Given: Azure takes letters and digits only, and the engine's own has a hyphen.
        "policy_name": _letters(f"{name}waf"),
        "sku": {"name": "Premium_AzureFrontDoor"},
        **front_door(args.get("waf") or standard(FRONT_DOOR)),
        "tags": dict(args.get("tags", {})),
    }
    overrides = args.get("overrides")
    return place(frontdoor.Policy, f"{name}-waf", props, parent=parent, overrides=overrides, key="waf_policy")


def _letters(text: str) -> str:
    """Letters and digits, a letter first."""
    return re.sub(r"^[0-9]+", "", re.sub(r"[^A-Za-z0-9]", "", text))[-128:]


def _security_policy(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.SecurityPolicy:
    """The firewall before every name that the endpoint answers to."""
    policy = parent.waf_policy.id if parent.waf_policy is not None else args.get("waf_policy_id")
    domains = [{"id": item.id} for item in (parent.endpoint, *parent.custom_domains.values())]
    props = {
        **_of_profile(parent, args),
        "parameters": {
            "type": "WebApplicationFirewall",
            "waf_policy": {"id": policy},
            "associations": [{"domains": domains, "patterns_to_match": ["/*"]}],
        },
    }
    overrides = args.get("overrides")
    return place(
        cdn.SecurityPolicy, f"{name}-security", props, parent=parent, overrides=overrides, key="security_policy"
    )


def _rule_set(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.RuleSet:
    """Its name and its rule's are given: letters and digits only, and unique in the profile."""
    props = {**_of_profile(parent, args), "rule_set_name": "client"}
    return place(cdn.RuleSet, f"{name}-rules", props, parent=parent, overrides=args.get("overrides"), key="rule_set")


def _client_rule(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.Rule:
    """Who the client is: ``socket_ip``, the address of its connection; ``client_ip`` is what X-Forwarded-For says
    (Microsoft's page "Azure Front Door Rule set server variables").
    """
    # Of the SDK's own types, which say which of nine kinds of action this is.
    overwritten = cdn.DeliveryRuleRequestHeaderActionArgs(
        name="ModifyRequestHeader",
        parameters=cdn.HeaderActionParametersArgs(
            type_name="DeliveryRuleHeaderActionParameters",
            header_action="Overwrite",
            header_name=args.get("client_header", CLIENT_HEADER),
            value="{socket_ip}",
        ),
    )
    props = {
        **_of_profile(parent, args),
        "rule_set_name": parent.rule_set.name,
        "rule_name": "client",
        "order": 1,
        "conditions": [],
        "actions": [overwritten],
        "match_processing_behavior": "Continue",
    }
    return place(cdn.Rule, f"{name}-client", props, parent=parent, overrides=args.get("overrides"), key="client_rule")


def _origin_group(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.AFDOriginGroup:
    """Of private origins only: Front Door takes no public one beside them."""
    props = {
        **_of_profile(parent, args),
        "health_probe_settings": {
            "probe_protocol": "Https",
            "probe_path": args.get("health_path", STATUS_PATH),
            # The status path is documented for GET.
            "probe_request_type": "GET",
            "probe_interval_in_seconds": args.get("probe_interval_seconds", 60),
        },
        "load_balancing_settings": {
            "sample_size": 4,
            "successful_samples_required": 3,
            "additional_latency_in_milliseconds": 50,
        },
        "session_affinity_state": "Disabled",
    }
    overrides = args.get("overrides")
    return place(cdn.AFDOriginGroup, f"{name}-origins", props, parent=parent, overrides=overrides, key="origin_group")


def _origin(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.AFDOrigin:
    location = pulumi.Output.from_input(args["private_link_location"]).apply(short)
    props = {
        **_of_profile(parent, args),
        "origin_group_name": parent.origin_group.name,
        "host_name": args["service_host"],
        "origin_host_header": args["service_host"],
        "http_port": 80,
        "https_port": 443,
        "enforce_certificate_name_check": True,
        "enabled_state": "Enabled",
        "priority": 1,
        "weight": 1000,
        "shared_private_link_resource": {
            "group_id": "Gateway",
            "private_link": {"id": args["service_id"]},
            "private_link_location": location,
            "request_message": args.get("request_message", REQUEST_MESSAGE),
        },
    }
    return place(cdn.AFDOrigin, f"{name}-origin", props, parent=parent, overrides=args.get("overrides"), key="origin")


def _route(parent: FrontDoor, name: str, args: FrontDoorArgs) -> cdn.Route:
    """HTTPS only: HTTP is there to be redirected. Nothing is cached: the gateway does, which knows who may see what."""
    domains = parent.custom_domains
    default = args.get("default_domain", not domains)
    props = {
        **_of_profile(parent, args),
        "endpoint_name": parent.endpoint.name,
        "origin_group": {"id": parent.origin_group.id},
        "custom_domains": [{"id": item.id} for item in domains.values()],
        "link_to_default_domain": "Enabled" if default else "Disabled",
        "patterns_to_match": ["/*"],
        "supported_protocols": ["Http", "Https"],
        "https_redirect": "Enabled",
        "forwarding_protocol": "HttpsOnly",
        "rule_sets": [{"id": parent.rule_set.id}],
        "enabled_state": "Enabled",
    }
    return place(
        cdn.Route,
        f"{name}-route",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="route",
        # A group without an origin takes no route; and no request comes before the firewall and the rule are there.
        depends_on=[parent.origin, parent.security_policy, parent.client_rule],
    )


def _diagnostics(parent: FrontDoor, name: str, args: FrontDoorArgs) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None:
        return None
    overrides = args.get("overrides")
    return place_diagnostics(
        parent,
        f"{name}-logs",
        parent.profile.id,
        workspace,
        ("FrontDoorAccessLog", "FrontDoorHealthProbeLog", "FrontDoorWebApplicationFirewallLog"),
        metrics=True,
        dedicated=False,
        overrides=overrides,
    )


def _dns_records(parent: FrontDoor, args: FrontDoorArgs) -> list[dict[str, Any]]:
    """Of each domain: a TXT record that proves whose it is, and the CNAME that leads to Front Door."""
    found: list[dict[str, Any]] = []
    for key, item in args.get("domains", {}).items():
        host = item["host"]
        token = parent.custom_domains[key].validation_properties.apply(lambda of: of.validation_token if of else None)
        found += [
            {"type": "TXT", "name": f"_dnsauth.{host.removeprefix('*.')}", "value": token},
            {"type": "CNAME", "name": host, "value": parent.endpoint.host_name},
        ]
    return found
