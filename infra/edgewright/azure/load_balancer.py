"""A Standard Load Balancer: frontends, pools, probes and rules, all in the one resource that Azure keeps them in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import network

from edgewright.azure.diagnostics import BALANCER_LOGS, place_address_diagnostics, place_diagnostics
from edgewright.azure.load_balancer_rules import (
    allocated_ports,
    balancer_problems,
    ip_version,
    is_global,
    is_internal,
    is_made,
)
from edgewright.azure.network_regions import default_zones
from edgewright.clouds.part import place, refuse, unknown_keys, whole


class FrontendArgs(TypedDict, total=False):
    """An address of the balancer: internal with ``subnet_id``, else public, and made unless one is brought."""

    subnet_id: pulumi.Input[str]
    """An internal frontend's subnet."""
    private_ip_address: str
    """A fixed address in the subnet; default: one that Azure chooses."""
    public_ip_address_id: pulumi.Input[str]
    """An existing Standard public address (of the tier Global for a Global balancer)."""
    public_ip_prefix_id: pulumi.Input[str]
    """All addresses of an existing public prefix; for outbound rules."""
    prefix_length: int
    """Of that prefix, /28 to /31 (IPv6: /124 to /127), which says how many ports there are; default: the smallest."""
    from_prefix_id: pulumi.Input[str]
    """An existing public prefix, of which one address is made."""
    ip_version: str
    """``IPv4`` (default) or ``IPv6``; an internal one of IPv6 needs a subnet that has both."""
    zones: list[str]
    """Of an internal frontend or an address that is made. Default: 1, 2 and 3 together (zone-redundant), none in a
    region known to have none; ``[]`` in another one without zones."""
    domain_name_label: str
    """Makes ``<label>.<region>.cloudapp.azure.com`` the name of an address that is made. Default: no name."""
    ddos_protection: bool
    """Protects an address that is made by itself, paid by the month; default: as its network is."""


class AddressArgs(TypedDict, total=False):
    """A member of a pool, by address."""

    ip_address: Required[pulumi.Input[str]]
    """A private address of a machine or scale set; private endpoints, other balancers and containers cannot be."""
    virtual_network_id: pulumi.Input[str]
    """Its network, which is the balancer's; default: the pool's."""


class PoolArgs(TypedDict, total=False):
    """A pool, of one kind. Empty: network interfaces and scale sets join it by its id, which is the better way."""

    addresses: Mapping[str, AddressArgs]
    """Members by address, by a name of yours. Such members keep Azure's default way out, even where the subnet has
    none: give them a NAT gateway. No Private Link service stands before such a pool."""
    virtual_network_id: pulumi.Input[str]
    """Of the addresses."""
    frontends: Mapping[str, pulumi.Input[str]]
    """For a Global balancer: ids of frontends of public regional balancers, by a name of yours."""
    id: pulumi.Input[str]
    """A pool of this balancer that is a resource of its own, made elsewhere; then all pools are."""


class ProbeArgs(TypedDict, total=False):
    """A health probe. Only 200 counts for http(s)."""

    protocol: Required[str]
    """``Tcp``, ``Http`` or ``Https``, whatever the protocol of the rule; UDP has no probe of its own."""
    port: Required[int]
    """Of the machines."""
    path: str
    """Of ``Http`` and ``Https``."""
    interval_seconds: int
    """5 at least; default 15."""
    probe_threshold: int
    """Answers in a row that change the state; default 2. (``numberOfProbes`` is ignored by Azure.)"""


class RuleArgs(TypedDict, total=False):
    """A rule: from a frontend's port to a pool's."""

    frontend: Required[str]
    """Name of a frontend."""
    pools: Required[list[str]]
    """Name of a pool: one."""
    probe: str
    """Name of a probe; needed, also for UDP, but for a Global balancer, which asks by itself."""
    protocol: Required[str]
    """``Tcp``, ``Udp``, or ``All`` (every port; internal frontends only)."""
    frontend_port: Required[int]
    """1 to 65534; 0 with ``All``."""
    backend_port: Required[int]
    """0 with ``All``. Of a Global balancer: the port of the regional balancers' frontends."""
    idle_timeout_minutes: int
    """4 to 100; default 4."""
    tcp_reset: bool
    """Tells both sides that an idle connection was dropped; default: on for ``Tcp`` and ``All``."""
    floating_ip: bool
    """Machines see the frontend's address, which they need to have; default: off."""
    distribution: str
    """Who stays with a machine: ``Default`` (a connection), ``SourceIP``, ``SourceIPProtocol``."""
    outbound_snat: bool
    """Lends the frontend's address to machines that reach out; default: no, a NAT gateway or an outbound rule is for
    that."""


class NatRuleArgs(TypedDict, total=False):
    """Forwards a port to one machine, whose interface joins the rule by its id, or a range to machines of a pool."""

    frontend: Required[str]
    """Name of a frontend."""
    backend_port: Required[int]
    """Of the machines."""
    protocol: str
    """``Tcp`` (default) or ``Udp``."""
    frontend_port: int
    """For one machine, 1 to 65534."""
    frontend_port_range_start: int
    """For a pool: the first port; each machine gets one."""
    frontend_port_range_end: int
    """The last one; a pool that grows beyond the range is stopped."""
    pool: str
    """Name of the pool, with a range."""
    idle_timeout_minutes: int
    """4 to 30; default 4."""
    tcp_reset: bool
    """Default: on for ``Tcp``."""
    floating_ip: bool
    """Default: off."""


class OutboundRuleArgs(TypedDict, total=False):
    """A way out for machines of a pool, by public addresses of the balancer. (A NAT gateway is the simpler one.)"""

    frontends: Required[list[str]]
    """Names of frontends; each address has 64,000 ports."""
    pool: Required[str]
    """Name of a pool."""
    machines: int
    """The most machines that the pool will have, which share the ports equally."""
    allocated_ports: int
    """Ports of each machine instead, a multiple of 8. One of the two is needed; with both, their product is checked."""
    protocol: str
    """``All`` (default), ``Tcp`` or ``Udp``."""
    idle_timeout_minutes: int
    """4 to 100; default 4, which frees ports soonest."""
    tcp_reset: bool
    """Default: on, but for ``Udp``."""


class LoadBalancerArgs(TypedDict, total=False):
    """Arguments of `LoadBalancer`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    subscription_id: Required[pulumi.Input[str]]
    """Needed, since its parts refer to one another by full ids."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``; of a Global balancer one of `network_regions.GLOBAL_HOMES`."""
    load_balancer_name: str
    """Its own name; default: the component's, cut to what Azure takes. A change replaces the balancer."""
    sku: str
    """``Standard``, which is the default: Basic was retired on 2025-09-30."""
    tier: str
    """``Regional`` (default), or ``Global``: before public balancers of regions, the nearest healthy one for each
    client. A change replaces the balancer."""
    frontends: Required[Mapping[str, FrontendArgs]]
    """By name."""
    pools: Required[Mapping[str, PoolArgs]]
    """By name."""
    probes: Mapping[str, ProbeArgs]
    """By name."""
    rules: Mapping[str, RuleArgs]
    """By name. Default: none, as where there are outbound or NAT rules only."""
    nat_rules: Mapping[str, NatRuleArgs]
    """By name; the balancer has no others. Default: none."""
    outbound_rules: Mapping[str, OutboundRuleArgs]
    """By name. Default: none."""
    workspace_id: pulumi.Input[str]
    """A Log Analytics workspace for health events, attacks on addresses that are made, and metrics. Default: none."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``load_balancer``, ``public_ips.NAME``, ``diagnostics``,
    ``address_diagnostics.NAME``."""


class LoadBalancer(pulumi.ComponentResource):
    """A Standard Load Balancer.

    ``id``; ``frontend_ids``, ``pool_ids`` and ``nat_rule_ids`` by name, for members to join; ``frontend_ips`` by name,
    of internal frontends and of addresses that are made; the raw resources ``load_balancer`` and ``public_ips`` (by
    frontend), ``diagnostics`` (or None) and ``address_diagnostics`` (by frontend).
    """

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = whole(args)
        own = args.get("load_balancer_name") or _own_name(name)
        refuse("LoadBalancer", name, _problems(args, own))
        super().__init__("edgewright:azure:LoadBalancer", name, None, opts)
        self.public_ips = _public_ips(self, name, args)
        self.load_balancer = _balancer(self, name, own, args)
        self.diagnostics = _diagnostics(self, name, args)
        self.address_diagnostics = _address_diagnostics(self, name, args)
        self.id = self.load_balancer.id
        self.frontend_ids = _ids(self, "frontendIPConfigurations", args["frontends"])
        self.pool_ids = _pool_ids(self, args)
        self.nat_rule_ids = _ids(self, "inboundNatRules", args.get("nat_rules", {}))
        self.frontend_ips = _addresses(self, args)
        self.register_outputs({"id": self.id, "poolIds": self.pool_ids, "frontendIps": self.frontend_ips})


def _own_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:80].strip("-._")


# -- checks ------------------------------------------------------------------------------------------------------------

_PARTS: Mapping[str, Any] = {
    "frontends": FrontendArgs,
    "pools": PoolArgs,
    "probes": ProbeArgs,
    "rules": RuleArgs,
    "nat_rules": NatRuleArgs,
    "outbound_rules": OutboundRuleArgs,
}


def _problems(args: LoadBalancerArgs, own: str) -> list[str]:
    given: Mapping[str, Any] = args
    missing = [f"`{key}` is missing" for key in sorted(LoadBalancerArgs.__required_keys__) if given.get(key) is None]
    shape = [
        *missing,
        *unknown_keys(args, LoadBalancerArgs.__annotations__, "a balancer"),
        *(problem for kind, shape in _PARTS.items() for problem in _shape_problems(kind, given.get(kind) or {}, shape)),
    ]
    if shape:
        return shape
    made = [name for name, item in args["frontends"].items() if is_made(item)]
    known = ["load_balancer", *(f"public_ips.{name}" for name in made)]
    if args.get("workspace_id") is not None:
        known += ["diagnostics", *(f"address_diagnostics.{name}" for name in made)]
    return [*balancer_problems(args, own), *unknown_keys(args.get("overrides", {}), known, "overrides")]


def _shape_problems(kind: str, given: Mapping[str, Any], shape: Any) -> Iterator[str]:
    """What is missing in a part, or too much: all else is asked only of what has its shape."""
    for name, item in given.items():
        what = f"{kind} `{name}`"
        yield from unknown_keys(item, shape.__annotations__, what)
        yield from (f"{what} needs `{key}`" for key in sorted(shape.__required_keys__) if item.get(key) is None)
        for one, member in item.get("addresses", {}).items():
            yield from unknown_keys(member, AddressArgs.__annotations__, f"{what}, address `{one}`")
            if member.get("ip_address") is None:
                yield f"{what}, address `{one}` needs `ip_address`"


# -- resources ---------------------------------------------------------------------------------------------------------


def _public_ips(self: LoadBalancer, name: str, args: LoadBalancerArgs) -> dict[str, network.PublicIPAddress]:
    """A static Standard address for each public frontend that brings none."""
    return {
        frontend: place(
            network.PublicIPAddress,
            f"{name}-{frontend}",
            {
                "resource_group_name": args["resource_group_name"],
                "location": args["location"],
                "sku": {"name": "Standard", "tier": args.get("tier", "Regional")},
                "public_ip_allocation_method": "Static",
                "public_ip_address_version": ip_version(item),
                # A Global address is in all regions, and in no zone of one.
                "zones": None if is_global(args) else item.get("zones", default_zones(args["location"])) or None,
                "public_ip_prefix": {"id": item["from_prefix_id"]} if "from_prefix_id" in item else None,
                "dns_settings": _dns(item),
                # Azure's default, said, so that nobody takes an address out of a network's plan unseen.
                "ddos_settings": {
                    "protection_mode": "Enabled" if item.get("ddos_protection") else "VirtualNetworkInherited"
                },
                "tags": dict(args.get("tags", {})),
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"public_ips.{frontend}",
        )
        for frontend, item in args["frontends"].items()
        if is_made(item)
    }


def _dns(item: FrontendArgs) -> dict[str, Any] | None:
    return {"domain_name_label": item["domain_name_label"]} if "domain_name_label" in item else None


def _balancer(self: LoadBalancer, name: str, own: str, args: LoadBalancerArgs) -> network.LoadBalancer:
    # What Azure also has as a resource of its own, the provider keeps where the input is left out. That is right for
    # pools that stand alone, and wrong for NAT rules: the last one that is taken out of the arguments has to go.
    inline = not any("id" in pool for pool in args["pools"].values())
    nat_rules, outbound = args.get("nat_rules", {}), args.get("outbound_rules", {})
    return place(
        network.LoadBalancer,
        f"{name}-balancer",
        {
            "resource_group_name": args["resource_group_name"],
            "location": args["location"],
            # Given, since the ids of its parts hold it; see `_self_id`.
            "load_balancer_name": own,
            "sku": {"name": "Standard", "tier": args.get("tier", "Regional")},
            "frontend_ip_configurations": [
                _frontend(self, frontend, item, args) for frontend, item in args["frontends"].items()
            ],
            "backend_address_pools": [_pool(pool, item) for pool, item in args["pools"].items()] if inline else None,
            "probes": [_probe(probe, item) for probe, item in args.get("probes", {}).items()],
            "load_balancing_rules": [_rule(rule, item, own, args) for rule, item in args.get("rules", {}).items()],
            "inbound_nat_rules": (
                None if is_global(args) else [_nat_rule(rule, item, own, args) for rule, item in nat_rules.items()]
            ),
            "outbound_rules": [_outbound_rule(rule, item, own, args) for rule, item in outbound.items()] or None,
            "tags": dict(args.get("tags", {})),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="load_balancer",
    )


def _diagnostics(self: LoadBalancer, name: str, args: LoadBalancerArgs) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None:
        return None
    overrides = args.get("overrides")
    balancer = self.load_balancer.id
    return place_diagnostics(
        self, f"{name}-logs", balancer, workspace, BALANCER_LOGS, metrics=True, overrides=overrides
    )


def _address_diagnostics(self: LoadBalancer, name: str, args: LoadBalancerArgs) -> dict[str, pulumi.CustomResource]:
    workspace = args.get("workspace_id")
    if workspace is None:
        return {}
    return {
        frontend: place_address_diagnostics(
            self,
            f"{name}-{frontend}-logs",
            address.id,
            workspace,
            overrides=args.get("overrides"),
            key=f"address_diagnostics.{frontend}",
        )
        for frontend, address in self.public_ips.items()
    }


def _frontend(self: LoadBalancer, name: str, item: FrontendArgs, args: LoadBalancerArgs) -> dict[str, Any]:
    if "public_ip_prefix_id" in item:
        return {"name": name, "public_ip_prefix": {"id": item["public_ip_prefix_id"]}}
    if not is_internal(item):
        made = self.public_ips.get(name)
        return {"name": name, "public_ip_address": {"id": made.id if made else item.get("public_ip_address_id")}}
    fixed = item.get("private_ip_address")
    found: dict[str, Any] = {
        "name": name,
        "subnet": {"id": item.get("subnet_id")},
        "private_ip_allocation_method": "Static" if fixed else "Dynamic",
        "private_ip_address_version": ip_version(item),
    }
    zones = item.get("zones", default_zones(args["location"]))
    return found | ({"private_ip_address": fixed} if fixed else {}) | ({"zones": zones} if zones else {})


def _pool(name: str, item: PoolArgs) -> dict[str, Any]:
    members: list[dict[str, Any]] = [
        {
            "name": one,
            "ip_address": member["ip_address"],
            "virtual_network": {"id": member.get("virtual_network_id", item.get("virtual_network_id"))},
        }
        for one, member in item.get("addresses", {}).items()
    ]
    members += [
        {"name": one, "load_balancer_frontend_ip_configuration": {"id": frontend}}
        for one, frontend in item.get("frontends", {}).items()
    ]
    return {"name": name} | ({"load_balancer_backend_addresses": members} if members else {})


def _probe(name: str, item: ProbeArgs) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "protocol": item["protocol"],
        "port": item["port"],
        "interval_in_seconds": item.get("interval_seconds", 15),
        "probe_threshold": item.get("probe_threshold", 2),
    }
    return found | ({"request_path": item["path"]} if "path" in item else {})


def _rule(name: str, item: RuleArgs, own: str, args: LoadBalancerArgs) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "frontend_ip_configuration": {"id": _self_id(args, own, "frontendIPConfigurations", item["frontend"])},
        "backend_address_pools": [{"id": _pool_id(args, own, pool)} for pool in item["pools"]],
        "protocol": item["protocol"],
        "frontend_port": item["frontend_port"],
        "backend_port": item["backend_port"],
        "idle_timeout_in_minutes": item.get("idle_timeout_minutes", 4),
        "enable_tcp_reset": item.get("tcp_reset", item["protocol"] != "Udp"),
        "enable_floating_ip": item.get("floating_ip", False),
    }
    if "distribution" in item:
        found["load_distribution"] = item["distribution"]
    if is_global(args):
        return found
    return found | {
        "probe": {"id": _self_id(args, own, "probes", item.get("probe", ""))},
        # Machines do not reach out by the balancer's address: a NAT gateway or an outbound rule is for that.
        "disable_outbound_snat": not item.get("outbound_snat", False),
    }


def _nat_rule(name: str, item: NatRuleArgs, own: str, args: LoadBalancerArgs) -> dict[str, Any]:
    protocol = item.get("protocol", "Tcp")
    found: dict[str, Any] = {
        "name": name,
        "frontend_ip_configuration": {"id": _self_id(args, own, "frontendIPConfigurations", item["frontend"])},
        "protocol": protocol,
        "backend_port": item["backend_port"],
        "idle_timeout_in_minutes": item.get("idle_timeout_minutes", 4),
        "enable_tcp_reset": item.get("tcp_reset", protocol == "Tcp"),
        "enable_floating_ip": item.get("floating_ip", False),
    }
    if "pool" not in item:
        return found | {"frontend_port": item.get("frontend_port")}
    return found | {
        "frontend_port_range_start": item.get("frontend_port_range_start"),
        "frontend_port_range_end": item.get("frontend_port_range_end"),
        "backend_address_pool": {"id": _pool_id(args, own, item["pool"])},
    }


def _outbound_rule(name: str, item: OutboundRuleArgs, own: str, args: LoadBalancerArgs) -> dict[str, Any]:
    protocol = item.get("protocol", "All")
    return {
        "name": name,
        "frontend_ip_configurations": [
            {"id": _self_id(args, own, "frontendIPConfigurations", frontend)} for frontend in item["frontends"]
        ],
        "backend_address_pool": {"id": _pool_id(args, own, item["pool"])},
        "protocol": protocol,
        "allocated_outbound_ports": allocated_ports(item, args),
        "idle_timeout_in_minutes": item.get("idle_timeout_minutes", 4),
        "enable_tcp_reset": item.get("tcp_reset", protocol != "Udp"),
    }


# -- ids and addresses -------------------------------------------------------------------------------------------------


def _self_id(args: LoadBalancerArgs, own: str, kind: str, part: str) -> pulumi.Output[str]:
    """The id of a part. Parts are inline only, and Azure wants full ids for them before the balancer is there."""
    return pulumi.Output.concat(
        "/subscriptions/",
        args["subscription_id"],
        "/resourceGroups/",
        args["resource_group_name"],
        f"/providers/Microsoft.Network/loadBalancers/{own}/{kind}/{part}",
    )


def _pool_id(args: LoadBalancerArgs, own: str, pool: str) -> pulumi.Output[str]:
    existing = args["pools"][pool].get("id")
    if existing is not None:
        return pulumi.Output.from_input(existing)
    return _self_id(args, own, "backendAddressPools", pool)


def _ids(self: LoadBalancer, kind: str, parts: Mapping[str, Any]) -> dict[str, pulumi.Output[str]]:
    """Ids of parts for others, who have to wait until the balancer is there."""
    return {part: pulumi.Output.concat(self.id, f"/{kind}/{part}") for part in parts}


def _pool_ids(self: LoadBalancer, args: LoadBalancerArgs) -> dict[str, pulumi.Output[str]]:
    existing = {name: pool["id"] for name, pool in args["pools"].items() if "id" in pool}
    made = _ids(self, "backendAddressPools", args["pools"])
    return {name: pulumi.Output.from_input(existing[name]) if name in existing else made[name] for name in made}


def _addresses(self: LoadBalancer, args: LoadBalancerArgs) -> dict[str, pulumi.Output[str]]:
    return {
        name: _address(self, name, item)
        for name, item in args["frontends"].items()
        if name in self.public_ips or is_internal(item)
    }


def _address(self: LoadBalancer, name: str, item: FrontendArgs) -> pulumi.Output[str]:
    """The address of a frontend: of a public one its own, of an internal one what Azure chose."""
    made = self.public_ips.get(name)
    if made is not None:
        return made.ip_address.apply(lambda found: found or "")
    fixed = item.get("private_ip_address")
    if fixed is not None:
        return pulumi.Output.from_input(fixed)
    return self.load_balancer.frontend_ip_configurations.apply(
        lambda found: next((one.private_ip_address or "" for one in found or () if one.name == name), "")
    )
