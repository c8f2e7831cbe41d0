"""An Application Gateway with a web application firewall, before the private address of API Management."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import network

from edgewright.azure.compile_waf import (
    APPLICATION_GATEWAY,
    CLIENT_HEADER,
    application_gateway,
    argument_problems,
    standard,
)
from edgewright.azure.diagnostics import place_address_diagnostics, place_diagnostics
from edgewright.azure.gateway_machine import STATUS_PATH
from edgewright.azure.network_regions import default_zones, zone_problems
from edgewright.clouds.part import place, refuse, unknown_keys, whole

FORGEABLE = (
    "Forwarded",
    "True-Client-IP",
    "X-Azure-ClientIP",
    "X-Azure-FDID",
    "X-Azure-SocketIP",
    "X-Client-IP",
    "X-Forwarded-Host",
    "X-Original-URL",
    "X-Real-IP",
    "X-Rewrite-URL",
)
"""Headers by which others say who a client is or what it asked for; a client's own are taken away."""

# Microsoft's page "Rewrite HTTP headers and URL with Application Gateway", read 2026-11: the gateway appends
# `client:port` to an X-Forwarded-For that a client may have begun, and so does `add_x_forwarded_for_proxy`, but for the
# port. `client_ip` is the address of the connection. A header that is set replaces what came (all of it, if it came
# more than once: unverified); one that is set to nothing is taken away. Names may have letters, digits and hyphens:
# headers with others are dropped, so that none of a like name gets through.
_CLIENT = "{var_client_ip}"
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
"""Of a gateway and of its parts (Microsoft's naming rules)."""
_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_SECRET = re.compile(r"https://[A-Za-z0-9-]+\.vault\.[a-z.]+/secrets/[A-Za-z0-9-]+/?")
_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")

# "Application Gateway limits", read 2026-11.
_HOSTS_OF_LISTENER, _LISTENERS, _HEADERS_OF_SET, _INSTANCES, _TIMEOUT = 5, 100, 40, 125, 86_400

# Exact host names before wildcards: of two listeners that fit, the one whose rule has the lower number is taken.
_EXACT, _WILDCARD, _REDIRECT = 100, 10_000, 15_000
_STEP = 10

_TLS: Mapping[str, Mapping[str, Any]] = {
    # 1.2 and 1.3, ECDHE with AES-GCM only.
    "1.2": {"policy_type": "Predefined", "policy_name": "AppGwSslPolicy20220101S"},
    # The suites are those towards backends, where 1.2 is the newest that the gateway speaks.
    "1.3": {
        "policy_type": "CustomV2",
        "min_protocol_version": "TLSv1_3",
        "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    },
}
"""By the lowest version."""

_DDOS = {"standard": "VirtualNetworkInherited", "advanced": "Enabled"}


LOGS = ("ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog")


class ListenerArgs(TypedDict, total=False):
    """Host names that are answered on port 443, with a certificate for all of them."""

    hosts: Required[list[str]]
    """Such as ``api.shop.example`` or ``*.shop.example``."""
    key_vault_secret_id: Required[pulumi.Input[str]]
    """``https://VAULT.vault.azure.net/secrets/NAME``, without a version, so that a renewed certificate is taken within
    four hours. The vault is of the same subscription."""
    redirect_http: bool
    """Whether port 80 answers with the address on 443, for good. Default: true. Azure redirects no wildcard."""
    frontend: str
    """``public`` (default) or ``private``."""


class ApplicationGatewayWafArgs(TypedDict, total=False):
    """Arguments of `ApplicationGatewayWaf`. The SKU is WAF_v2."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    subscription_id: Required[pulumi.Input[str]]
    """Needed, since its parts refer to one another by full ids."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``."""
    subnet_id: Required[pulumi.Input[str]]
    """A subnet of its own. It must be reached on 443 (and 80), by ``GatewayManager`` on 65200-65535, and by
    ``AzureLoadBalancer``."""
    identity_id: Required[pulumi.Input[str]]
    """A user-assigned identity that may already read the certificates (role Key Vault Secrets User)."""
    listeners: Required[Mapping[str, ListenerArgs]]
    """By a name of yours."""
    backend_addresses: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Private addresses of the API Management service; this or ``backend_fqdn``."""
    backend_fqdn: pulumi.Input[str]
    """A name that resolves to them in the gateway's network."""
    backend_host: Required[pulumi.Input[str]]
    """The host name to ask for: the service answers to its own only, such as ``shop.azure-api.net``. Its certificate
    must be for it."""
    backend_root_certificates: Mapping[str, pulumi.Input[str]]
    """Key Vault secret ids of roots of a private authority, by a name of yours. Default: public authorities."""
    application_gateway_name: str
    """Its own name; default: the component's, cut to what Azure takes. A change replaces the gateway."""
    waf: Any
    """A `WafPolicy`: what `compile_waf` made for Application Gateway. Default: Microsoft's rule sets, Prevention."""
    waf_policy_id: pulumi.Input[str]
    """An existing policy instead."""
    zones: list[str]
    """Default: all zones (zone-redundant), none in a region known to have none. A change replaces the gateway."""
    min_capacity: int
    """Instances at least, 0 to 125; default 2, without which the loss of one is an outage of minutes."""
    max_capacity: int
    """Instances at most, 2 to 125; default 10."""
    min_tls: str
    """``1.2`` (default; 1.3 is spoken too) or ``1.3``."""
    request_timeout_seconds: int
    """For the backend's answer, 1 to 86,400; default 60."""
    drain_seconds: int
    """How long connections to an address that was taken out live on, 1 to 3,600; default 60."""
    health_path: str
    """Default: the status path of API Management."""
    client_header: str
    """The header that has the client's address; default: `compile_waf.CLIENT_HEADER`."""
    remove_headers: list[str]
    """Headers that a client may not send; default: `FORGEABLE`."""
    public_ip_address_id: pulumi.Input[str]
    """An existing Standard address; default: one is made."""
    domain_name_label: str
    """A name for the address, ``LABEL.LOCATION.cloudapp.azure.com``; default: none."""
    ddos: str
    """Of the address: ``standard`` (default: what the network has) or ``advanced`` (billed by the address)."""
    private_ip_address: str
    """A fixed address in the subnet, for listeners with ``frontend: private``. Default: none."""
    workspace_id: pulumi.Input[str]
    """A Log Analytics workspace for logs of requests and of the firewall, attacks on an address that is made, and
    metrics. Default: none."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``public_ip``, ``waf_policy``, ``application_gateway``, ``diagnostics``,
    ``address_diagnostics``."""


class ApplicationGatewayWaf(pulumi.ComponentResource):
    """An Application Gateway with a firewall.

    Attributes: public_ip, waf_policy (each None where an existing one is used), application_gateway, diagnostics and
    address_diagnostics (or None); ``id``, ``ip_address`` (of a public address that is made, else None),
    ``client_header``.
    """

    def __init__(self, name: str, args: ApplicationGatewayWafArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = whole(args)
        own = args.get("application_gateway_name") or _own_name(name)
        refuse("ApplicationGatewayWaf", name, _problems(args, own))
        super().__init__("edgewright:azure:ApplicationGatewayWaf", name, None, opts)
        self.public_ip = _public_ip(self, name, args)
        self.waf_policy = _waf_policy(self, name, args)
        self.application_gateway = _gateway(self, name, own, args)
        self.diagnostics = _diagnostics(self, name, args)
        self.address_diagnostics = _address_diagnostics(self, name, args)
        self.id = self.application_gateway.id
        self.ip_address = self.public_ip.ip_address if self.public_ip is not None else None
        self.client_header = args.get("client_header", CLIENT_HEADER)
        self.register_outputs({"id": self.id, "ipAddress": self.ip_address})


def _own_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:80].strip("-._")


# -- listeners, one for each exact host name ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Listener:
    """name: of the listener, its rule and, with ``-http``, of what redirects to it; certificate: name of its own."""

    name: str
    hosts: tuple[str, ...]
    wildcard: bool
    certificate: str
    frontend: str
    redirected: bool


def _listeners(args: ApplicationGatewayWafArgs) -> list[_Listener]:
    """Azure redirects to no listener with several host names ("Application Gateway multiple site hosting"): an exact
    name has a listener of its own, and wildcards stand together.
    """
    found: list[_Listener] = []
    for name, item in args["listeners"].items():
        exact = [(host,) for host in item["hosts"] if "*" not in host]
        wild = [host for host in item["hosts"] if "*" in host]
        groups = [
            *exact,
            *(tuple(wild[at : at + _HOSTS_OF_LISTENER]) for at in range(0, len(wild), _HOSTS_OF_LISTENER)),
        ]
        for at, hosts in enumerate(groups):
            own = name if len(groups) == 1 else f"{name}-{at + 1}"
            redirected = item.get("redirect_http", True)
            found.append(_Listener(own, hosts, "*" in hosts[0], name, item.get("frontend", "public"), redirected))
    return found


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: ApplicationGatewayWafArgs, own: str) -> Iterator[str]:
    yield from unknown_keys(args, ApplicationGatewayWafArgs.__annotations__, "the gateway")
    missing = [key for key in sorted(ApplicationGatewayWafArgs.__required_keys__) if args.get(key) is None]
    yield from (f"`{key}` is missing" for key in missing)
    if NAME.fullmatch(own) is None:
        yield f"`{own}` is no name for Azure: 1 to 80 letters, digits, `.`, `_` and `-`"
    if "listeners" not in missing:
        yield from _listener_problems(args)
    if (args.get("backend_addresses") is None) == (args.get("backend_fqdn") is None):
        yield "write one of `backend_addresses` and `backend_fqdn`: where API Management is"
    existing = args.get("waf_policy_id") is not None
    yield from argument_problems(args.get("waf"), APPLICATION_GATEWAY, existing=existing)
    yield from _size_problems(args)
    yield from _header_problems(args)
    yield from _frontend_problems(args)
    for root, secret in args.get("backend_root_certificates", {}).items():
        yield from _secret_problems(f"the root certificate `{root}`", secret)
    yield from unknown_keys(args.get("overrides", {}), _attributes(args), "overrides")


def _attributes(args: ApplicationGatewayWafArgs) -> list[str]:
    made = {
        "public_ip": args.get("public_ip_address_id") is None,
        "waf_policy": args.get("waf_policy_id") is None,
        "application_gateway": True,
        "diagnostics": args.get("workspace_id") is not None,
        "address_diagnostics": args.get("workspace_id") is not None and args.get("public_ip_address_id") is None,
    }
    return [key for key, there in made.items() if there]


def _listener_problems(args: ApplicationGatewayWafArgs) -> Iterator[str]:
    if not args["listeners"]:
        yield "a gateway needs a listener"
    complete = True
    for name, item in args["listeners"].items():
        found = list(_one_listener_problems(name, item, args))
        complete = complete and bool(item.get("hosts"))
        yield from found
    if complete:
        yield from _host_problems(_listeners(args))


def _one_listener_problems(name: str, item: ListenerArgs, args: ApplicationGatewayWafArgs) -> Iterator[str]:
    what = f"listener `{name}`"
    yield from unknown_keys(item, ListenerArgs.__annotations__, what)
    if NAME.fullmatch(name) is None or len(name) > 60:
        yield f"{what}: that is no name for Azure: 1 to 60 letters, digits, `.`, `_` and `-`"
    if not item.get("hosts"):
        yield f"{what} has no host name; without one it would answer for every name"
    for host in item.get("hosts") or ():
        if _HOST.fullmatch(host.removeprefix("*.")) is None:
            yield f"{what}: `{host}` is no host name; write it like `api.shop.example` or `*.shop.example`"
        elif "*" in host and item.get("redirect_http", True):
            yield f"{what}: Azure redirects no wildcard: say `redirect_http: false`, or give `{host}` its own listener"
    secret: Any = item.get("key_vault_secret_id")
    if secret is None:
        yield f"{what} needs `key_vault_secret_id`"
    yield from _secret_problems(what, secret)
    frontend = item.get("frontend", "public")
    if frontend not in ("public", "private"):
        yield f"{what}: there is no frontend `{frontend}`; there are public, private"
    elif frontend == "private" and args.get("private_ip_address") is None:
        yield f"{what} is private, and the gateway has no `private_ip_address`"


def _secret_problems(what: str, secret: Any) -> Iterator[str]:
    if isinstance(secret, str) and _SECRET.fullmatch(secret) is None:
        yield f"{what}: `{secret}` is no secret; write `https://VAULT.vault.azure.net/secrets/NAME`, without a version"


def _host_problems(listeners: Sequence[_Listener]) -> Iterator[str]:
    taken: dict[tuple[str, str], str] = {}
    for item in listeners:
        for host in item.hosts:
            key = (item.frontend, host.lower())
            if key in taken:
                yield f"listeners `{taken[key]}` and `{item.certificate}` both answer for `{host}`"
            taken[key] = item.certificate
    names = [name for item in listeners for name in (item.name, *([f"{item.name}-http"] if item.redirected else []))]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two listeners would have the name `{name}`: rename one"
    if len(names) > _LISTENERS:
        yield f"{len(names)} listeners, a redirect is one too; Azure takes {_LISTENERS}: share hosts by a wildcard"


def _size_problems(args: ApplicationGatewayWafArgs) -> Iterator[str]:
    least, most = args.get("min_capacity", 2), args.get("max_capacity", 10)
    if not 0 <= least <= most or not 2 <= most <= _INSTANCES:
        yield f"{least} to {most} instances: it must be 0 or more to 2 to {_INSTANCES}"
    for key, default, highest in (("request_timeout_seconds", 60, _TIMEOUT), ("drain_seconds", 60, 3_600)):
        seconds = args.get(key, default)
        if not 1 <= seconds <= highest:
            yield f"`{key}` is {seconds}; it must be 1 to {highest}"
    yield from zone_problems("the gateway", args.get("zones", []), args.get("location"))
    if args.get("min_tls", "1.2") not in _TLS:
        yield f"`min_tls` is {args.get('min_tls')}; it must be {' or '.join(_TLS)}"
    if not args.get("health_path", STATUS_PATH).startswith("/"):
        yield f"`health_path` is {args.get('health_path')}; it must begin with a slash"


def _header_problems(args: ApplicationGatewayWafArgs) -> Iterator[str]:
    header, removed = args.get("client_header", CLIENT_HEADER), args.get("remove_headers", list(FORGEABLE))
    for name in (header, *removed):
        if _HEADER.fullmatch(name) is None:
            yield f"`{name}` is no header that Azure rewrites: letters, digits and hyphens"
        elif name.lower() in ("host", "connection", "upgrade"):
            yield f"Azure does not rewrite the header `{name}`"
    written = {header.lower(), "x-forwarded-for"}
    for name in removed:
        if name.lower() in written:
            yield f"`remove_headers` has `{name}`, which the gateway writes"
    if len(removed) + len(written) > _HEADERS_OF_SET:
        yield f"`remove_headers` has {len(removed)} headers; there is room for {_HEADERS_OF_SET - len(written)}"


def _frontend_problems(args: ApplicationGatewayWafArgs) -> Iterator[str]:
    label, given = args.get("domain_name_label"), args.get("public_ip_address_id") is not None
    if label is not None and _LABEL.fullmatch(label) is None:
        yield f"`domain_name_label` is {label}: 3 to 63 small letters, digits and hyphens, a letter first"
    if args.get("ddos", "standard") not in _DDOS:
        yield f"`ddos` is {args.get('ddos')}; it must be {' or '.join(_DDOS)}"
    if given and (label is not None or "ddos" in args):
        yield "`domain_name_label` and `ddos` are of an address that is made, and `public_ip_address_id` brings one"


# -- resources ---------------------------------------------------------------------------------------------------------


def _common(args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    return {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "tags": dict(args.get("tags", {})),
    }


def _zones(args: ApplicationGatewayWafArgs) -> list[str]:
    return args.get("zones", default_zones(args["location"]))


def _public_ip(
    parent: ApplicationGatewayWaf, name: str, args: ApplicationGatewayWafArgs
) -> network.PublicIPAddress | None:
    if args.get("public_ip_address_id") is not None:
        return None
    label = args.get("domain_name_label")
    props = {
        **_common(args),
        "sku": {"name": "Standard", "tier": "Regional"},
        "public_ip_allocation_method": "Static",
        "public_ip_address_version": "IPv4",
        "zones": _zones(args) or None,
        "dns_settings": {"domain_name_label": label} if label is not None else None,
        "ddos_settings": {"protection_mode": _DDOS[args.get("ddos", "standard")]},
    }
    overrides = args.get("overrides")
    return place(network.PublicIPAddress, f"{name}-front", props, parent=parent, overrides=overrides, key="public_ip")


def _waf_policy(
    parent: ApplicationGatewayWaf, name: str, args: ApplicationGatewayWafArgs
) -> network.WebApplicationFirewallPolicy | None:
    if args.get("waf_policy_id") is not None:
        return None
    policy = args.get("waf") or standard(APPLICATION_GATEWAY)
    return place(
        network.WebApplicationFirewallPolicy,
        f"{name}-waf",
        {**_common(args), **application_gateway(policy)},
        parent=parent,
        overrides=args.get("overrides"),
        key="waf_policy",
    )


def _gateway(
    parent: ApplicationGatewayWaf, name: str, own: str, args: ApplicationGatewayWafArgs
) -> network.ApplicationGateway:
    """The gateway with all its parts: there are none outside it."""
    listeners = _listeners(args)
    redirected = [item for item in listeners if item.redirected]
    policy = parent.waf_policy.id if parent.waf_policy is not None else args.get("waf_policy_id")
    roots = args.get("backend_root_certificates", {})
    props: dict[str, Any] = {
        **_common(args),
        # Given, since the ids of its parts hold it; see `_part`.
        "application_gateway_name": own,
        "sku": {"name": "WAF_v2", "tier": "WAF_v2"},
        "autoscale_configuration": {
            "min_capacity": args.get("min_capacity", 2),
            "max_capacity": args.get("max_capacity", 10),
        },
        "zones": _zones(args) or None,
        "identity": {"type": "UserAssigned", "user_assigned_identities": [args["identity_id"]]},
        "firewall_policy": {"id": policy},
        "force_firewall_policy_association": True,
        "ssl_policy": dict(_TLS[args.get("min_tls", "1.2")]),
        "enable_http2": True,
        "gateway_ip_configurations": [{"name": "gateway", "subnet": {"id": args["subnet_id"]}}],
        "frontend_ip_configurations": _frontends(parent, args),
        "frontend_ports": [
            {"name": "https", "port": 443},
            *([{"name": "http", "port": 80}] if redirected else []),
        ],
        "ssl_certificates": [
            {"name": key, "key_vault_secret_id": item["key_vault_secret_id"]} for key, item in args["listeners"].items()
        ],
        "trusted_root_certificates": [{"name": key, "key_vault_secret_id": secret} for key, secret in roots.items()]
        or None,
        "http_listeners": [
            *(_https_listener(item, own, args) for item in listeners),
            *(_http_listener(item, own, args) for item in redirected),
        ],
        "redirect_configurations": [_redirect(item, own, args) for item in redirected] or None,
        "rewrite_rule_sets": [_rewrites(args)],
        "request_routing_rules": _rules(listeners, own, args),
        "backend_http_settings_collection": [_settings(own, args)],
        "probes": [_probe(args)],
        "backend_address_pools": [{"name": "api-management", "backend_addresses": _addresses(args)}],
    }
    return place(
        network.ApplicationGateway,
        f"{name}-gateway",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="application_gateway",
    )


def _frontends(parent: ApplicationGatewayWaf, args: ApplicationGatewayWafArgs) -> list[dict[str, Any]]:
    """The public one is there in any case: a WAF_v2 gateway without one is another deployment of Azure's."""
    address = parent.public_ip.id if parent.public_ip is not None else args.get("public_ip_address_id")
    public = {"name": "public", "public_ip_address": {"id": address}}
    fixed = args.get("private_ip_address")
    if fixed is None:
        return [public]
    private = {
        "name": "private",
        "subnet": {"id": args["subnet_id"]},
        "private_ip_allocation_method": "Static",
        "private_ip_address": fixed,
    }
    return [public, private]


def _https_listener(item: _Listener, own: str, args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    return {
        **_listener(item, own, args, "https"),
        "name": item.name,
        "protocol": "Https",
        "ssl_certificate": {"id": _part(args, own, "sslCertificates", item.certificate)},
        "require_server_name_indication": True,
    }


def _http_listener(item: _Listener, own: str, args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    """Of the same host name: one that took any would send a client wherever its Host says."""
    return {**_listener(item, own, args, "http"), "name": f"{item.name}-http", "protocol": "Http"}


def _listener(item: _Listener, own: str, args: ApplicationGatewayWafArgs, port: str) -> dict[str, Any]:
    return {
        "frontend_ip_configuration": {"id": _part(args, own, "frontendIPConfigurations", item.frontend)},
        "frontend_port": {"id": _part(args, own, "frontendPorts", port)},
        **({"host_names": list(item.hosts)} if item.wildcard else {"host_name": item.hosts[0]}),
    }


def _redirect(item: _Listener, own: str, args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    return {
        "name": item.name,
        "redirect_type": "Permanent",
        "target_listener": {"id": _part(args, own, "httpListeners", item.name)},
        "include_path": True,
        "include_query_string": True,
    }


def _rules(listeners: Sequence[_Listener], own: str, args: ApplicationGatewayWafArgs) -> list[dict[str, Any]]:
    exact = [item for item in listeners if not item.wildcard]
    wild = [item for item in listeners if item.wildcard]
    redirected = [item for item in listeners if item.redirected]
    return [
        *(_to_backend(item, _EXACT + _STEP * at, own, args) for at, item in enumerate(exact)),
        *(_to_backend(item, _WILDCARD + _STEP * at, own, args) for at, item in enumerate(wild)),
        *(_to_https(item, _REDIRECT + _STEP * at, own, args) for at, item in enumerate(redirected)),
    ]


def _to_backend(item: _Listener, priority: int, own: str, args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    return {
        "name": item.name,
        "rule_type": "Basic",
        "priority": priority,
        "http_listener": {"id": _part(args, own, "httpListeners", item.name)},
        "backend_address_pool": {"id": _part(args, own, "backendAddressPools", "api-management")},
        "backend_http_settings": {"id": _part(args, own, "backendHttpSettingsCollection", "api-management")},
        "rewrite_rule_set": {"id": _part(args, own, "rewriteRuleSets", "client")},
    }


def _to_https(item: _Listener, priority: int, own: str, args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    return {
        "name": f"{item.name}-http",
        "rule_type": "Basic",
        "priority": priority,
        "http_listener": {"id": _part(args, own, "httpListeners", f"{item.name}-http")},
        "redirect_configuration": {"id": _part(args, own, "redirectConfigurations", item.name)},
    }


def _rewrites(args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    """Who the client is: the address of its connection, whatever it says itself."""
    written = [args.get("client_header", CLIENT_HEADER), "X-Forwarded-For"]
    removed = args.get("remove_headers", list(FORGEABLE))
    headers = [
        *({"header_name": name, "header_value": _CLIENT} for name in written),
        *({"header_name": name, "header_value": ""} for name in removed),
    ]
    rule = {"name": "client", "rule_sequence": 100, "action_set": {"request_header_configurations": headers}}
    return {"name": "client", "rewrite_rules": [rule]}


def _settings(own: str, args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    roots = args.get("backend_root_certificates", {})
    found: dict[str, Any] = {
        "name": "api-management",
        "protocol": "Https",
        "port": 443,
        "host_name": args["backend_host"],
        "pick_host_name_from_backend_address": False,
        "cookie_based_affinity": "Disabled",
        "request_timeout": args.get("request_timeout_seconds", 60),
        "connection_draining": {"enabled": True, "drain_timeout_in_sec": args.get("drain_seconds", 60)},
        "probe": {"id": _part(args, own, "probes", "status")},
    }
    if roots:
        found["trusted_root_certificates"] = [{"id": _part(args, own, "trustedRootCertificates", key)} for key in roots]
    return found


def _probe(args: ApplicationGatewayWafArgs) -> dict[str, Any]:
    return {
        "name": "status",
        "protocol": "Https",
        "path": args.get("health_path", STATUS_PATH),
        "pick_host_name_from_backend_http_settings": True,
        "interval": 30,
        "timeout": 30,
        "unhealthy_threshold": 3,
        "match": {"status_codes": ["200"]},
    }


def _addresses(args: ApplicationGatewayWafArgs) -> Any:
    given = args.get("backend_addresses")
    if given is None:
        return [{"fqdn": args.get("backend_fqdn")}]
    return pulumi.Output.from_input(given).apply(lambda found: [{"ip_address": address} for address in found or []])


def _diagnostics(
    parent: ApplicationGatewayWaf, name: str, args: ApplicationGatewayWafArgs
) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None:
        return None
    overrides = args.get("overrides")
    return place_diagnostics(
        parent,
        f"{name}-logs",
        parent.application_gateway.id,
        workspace,
        ("ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"),
        metrics=True,
        overrides=overrides,
    )


def _address_diagnostics(
    parent: ApplicationGatewayWaf, name: str, args: ApplicationGatewayWafArgs
) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None or parent.public_ip is None:
        return None
    overrides = args.get("overrides")
    return place_address_diagnostics(
        parent, f"{name}-front-logs", parent.public_ip.id, workspace, overrides=overrides, key="address_diagnostics"
    )


def _part(args: ApplicationGatewayWafArgs, own: str, kind: str, part: str) -> pulumi.Output[str]:
    """The id of a part. Parts are inline only, and Azure wants full ids for them before the gateway is there."""
    return pulumi.Output.concat(
        "/subscriptions/",
        args["subscription_id"],
        "/resourceGroups/",
        args["resource_group_name"],
        f"/providers/Microsoft.Network/applicationGateways/{own}/{kind}/{part}",
    )
