"""The network of an edge: named subnets, each closed but for what its role needs and what is said, and a way out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import network

from edgewright.azure import network_rules as rules
from edgewright.azure.diagnostics import GROUP_LOGS, place_address_diagnostics, place_diagnostics
from edgewright.azure.network_regions import default_zones, zone_problems
from edgewright.clouds.part import place, refuse, unknown_keys


class OpenArgs(TypedDict, total=False):
    """What a subnet lets through beyond what its role needs."""

    name: Required[str]
    """Of the rule; unlike all others of its subnet and direction."""
    peer: Required[pulumi.Input[str]]
    """The other end: the source in ``open_to``, the destination in ``reaches``. A range, a service tag such as
    ``Internet`` or ``AzureMonitor``, or the name of another subnet of this network."""
    ports: Required[list[str]]
    """Of the destination: ``443``, ``8000-8100``, or ``*`` for all."""
    protocol: str
    """``Tcp`` (default), ``Udp`` or ``*``."""
    why: str
    """The rule's description, at most 140 characters. Default: the other end."""


class SubnetArgs(TypedDict, total=False):
    """A subnet."""

    cidr: Required[str]
    """Its range, in the network's; it overlaps no other."""
    role: Required[str]
    """What stands in it, by the names of `network_rules.ROLES`; this gives its rules, its delegation and its least
    size."""
    open_to: Sequence[OpenArgs]
    """Who may reach it, beyond what the role needs. Default: nobody."""
    reaches: Sequence[OpenArgs]
    """What it may reach, beyond what the role needs. Default: nothing; for ``services`` everything."""
    pods: str
    """For ``kubernetes`` with Azure CNI Overlay: the range of pods, which the subnet's rules hold for too."""
    security_group_id: pulumi.Input[str]
    """An existing security group; its rules are its owner's. Default: one is made."""
    nat: bool
    """Whether it goes out by the NAT gateway. Default: where it reaches out of the network."""


class NetworkArgs(TypedDict, total=False):
    """Arguments of `Network`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``."""
    cidr: Required[str]
    """A private range; `network_rules.slots` divides it."""
    subnets: Required[Mapping[str, SubnetArgs]]
    """By name."""
    nat_gateway_id: pulumi.Input[str]
    """An existing NAT gateway. Default: one is made where a subnet needs it."""
    zones: list[str]
    """Of the NAT gateway's address. Default: all zones, none in a region known to have none."""
    ddos_protection: bool
    """Makes a DDoS protection plan, which is paid by the month and serves many networks. Default: false."""
    ddos_plan_id: pulumi.Input[str]
    """An existing plan instead."""
    dns_servers: list[str]
    """The network's own DNS servers; subnets whose ways out are listed may reach them. Default: Azure's, which private
    DNS zones need."""
    workspace_id: pulumi.Input[str]
    """A Log Analytics workspace for what security groups let through and refuse, and for attacks on the NAT gateway's
    address. Default: none."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: virtual_network, security_groups.NAME, nat_gateway, nat_ip, ddos_plan,
    group_diagnostics.NAME, nat_diagnostics."""


class Network(pulumi.ComponentResource):
    """A virtual network.

    ``id``, ``name``, ``subnet_ids`` by name, and the raw resources ``virtual_network``, ``security_groups`` by subnet,
    ``nat_ip``, ``nat_gateway``, ``ddos_plan``, ``nat_diagnostics`` (None where not made), and ``group_diagnostics`` by
    subnet.
    """

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("Network", name, _problems(args))
        super().__init__("edgewright:azure:Network", name, None, opts)
        self.ddos_plan = _ddos_plan(self, name, args)
        self.nat_ip = _nat_ip(self, name, args)
        self.nat_gateway = _nat_gateway(self, name, args)
        self.security_groups = _security_groups(self, name, args)
        self.virtual_network = _virtual_network(self, name, args)
        self.group_diagnostics = _group_diagnostics(self, name, args)
        self.nat_diagnostics = _nat_diagnostics(self, name, args)
        self.id = self.virtual_network.id
        self.name = self.virtual_network.name
        self.subnet_ids = {one: pulumi.Output.concat(self.id, "/subnets/", one) for one in args["subnets"]}
        self.register_outputs({"id": self.id, "subnetIds": self.subnet_ids})


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: NetworkArgs) -> list[str]:
    given: Mapping[str, Any] = args
    missing = [f"`{key}` is missing" for key in sorted(NetworkArgs.__required_keys__) if given.get(key) is None]
    unknown = unknown_keys(args, NetworkArgs.__annotations__, "a network")
    shape = [] if missing else list(_shape_problems(args))
    if missing or unknown or shape:
        return [*missing, *unknown, *shape]
    return [
        *rules.range_problems(args["cidr"], _ranges(args)),
        *(problem for name, subnet in args["subnets"].items() for problem in _subnet_problems(name, subnet, args)),
        *_ways_problems(args),
        *unknown_keys(args.get("overrides", {}), _attributes(args), "overrides"),
    ]


def _shape_problems(args: NetworkArgs) -> Iterator[str]:
    """What is missing in subnets and openings, or too much: all else is asked only of what has its shape."""
    if not args["subnets"]:
        yield "a network needs a subnet"
    for name, subnet in args["subnets"].items():
        what = f"subnet `{name}`"
        yield from unknown_keys(subnet, SubnetArgs.__annotations__, what)
        yield from (f"{what} needs `{key}`" for key in sorted(SubnetArgs.__required_keys__) if subnet.get(key) is None)
        for which in ("open_to", "reaches"):
            for opening in subnet.get(which, ()):
                where = f"{what}, {which} `{opening.get('name')}`"
                yield from unknown_keys(opening, OpenArgs.__annotations__, where)
                needed = sorted(OpenArgs.__required_keys__)
                yield from (f"{where} needs `{key}`" for key in needed if opening.get(key) is None)


def _subnet_problems(name: str, subnet: SubnetArgs, args: NetworkArgs) -> Iterator[str]:
    if "security_group_id" in subnet and (subnet.get("open_to") or subnet.get("reaches")):
        yield f"subnet `{name}`: rules of an existing security group are its owner's; leave open_to and reaches out"
    yield from rules.subnet_problems(
        name,
        subnet["role"],
        subnet["cidr"],
        open_to=_openings(subnet.get("open_to")),
        reaches=_openings(subnet.get("reaches")),
        subnets=_ranges(args),
        pods=subnet.get("pods"),
    )


def _ways_problems(args: NetworkArgs) -> Iterator[str]:
    if "ddos_plan_id" in args and args.get("ddos_protection"):
        yield "write one of `ddos_plan_id`, an existing plan, and `ddos_protection`, which makes one"
    if "nat_gateway_id" in args and "zones" in args:
        yield "`zones` are of the NAT gateway's address, and an existing gateway has its own"
    yield from zone_problems("the NAT gateway's address", args.get("zones", []), args["location"])
    yield from rules.dns_problems(args.get("dns_servers", []))


def _attributes(args: NetworkArgs) -> list[str]:
    own = [name for name, subnet in args["subnets"].items() if "security_group_id" not in subnet]
    logged = args.get("workspace_id") is not None
    return [
        "virtual_network",
        *(f"security_groups.{name}" for name in own),
        *(["nat_gateway", "nat_ip"] if _makes_nat(args) else []),
        *(["ddos_plan"] if args.get("ddos_protection") else []),
        *(f"group_diagnostics.{name}" for name in own if logged),
        *(["nat_diagnostics"] if logged and _makes_nat(args) else []),
    ]


# -- what follows from the arguments -----------------------------------------------------------------------------------


def _ranges(args: NetworkArgs) -> dict[str, str]:
    return {name: subnet["cidr"] for name, subnet in args["subnets"].items()}


def _openings(given: Sequence[OpenArgs] | None) -> list[rules.Opening]:
    return [
        rules.Opening(
            item["name"], item["peer"], tuple(item["ports"]), item.get("protocol", "Tcp"), item.get("why", "")
        )
        for item in given or ()
    ]


def _uses_nat(subnet: SubnetArgs, args: NetworkArgs) -> bool:
    given = subnet.get("nat")
    if given is not None:
        return given
    role = rules.ROLES.get(subnet["role"])
    return role is not None and rules.reaches_out(role, _openings(subnet.get("reaches")), _ranges(args))


def _makes_nat(args: NetworkArgs) -> bool:
    return "nat_gateway_id" not in args and any(_uses_nat(subnet, args) for subnet in args["subnets"].values())


def _common(args: NetworkArgs) -> dict[str, Any]:
    return {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "tags": dict(args.get("tags", {})),
    }


# -- resources ---------------------------------------------------------------------------------------------------------


def _ddos_plan(self: Network, name: str, args: NetworkArgs) -> network.DdosProtectionPlan | None:
    if not args.get("ddos_protection"):
        return None
    return place(
        network.DdosProtectionPlan,
        f"{name}-ddos",
        _common(args),
        parent=self,
        overrides=args.get("overrides"),
        key="ddos_plan",
    )


def _nat_ip(self: Network, name: str, args: NetworkArgs) -> network.PublicIPAddress | None:
    if not _makes_nat(args):
        return None
    props = {
        **_common(args),
        "sku": {"name": "Standard", "tier": "Regional"},
        "public_ip_allocation_method": "Static",
        "public_ip_address_version": "IPv4",
        "zones": args.get("zones", default_zones(args["location"])) or None,
        # Azure's default, said, so that nobody takes the address out of the network's plan unseen.
        "ddos_settings": {"protection_mode": "VirtualNetworkInherited"},
    }
    overrides = args.get("overrides")
    return place(network.PublicIPAddress, f"{name}-nat", props, parent=self, overrides=overrides, key="nat_ip")


def _nat_gateway(self: Network, name: str, args: NetworkArgs) -> network.NatGateway | None:
    """The way out: keys of issuers are fetched by it. Subnets have no other (default outbound access is off)."""
    if self.nat_ip is None:
        return None
    props = {**_common(args), "sku": {"name": "Standard"}, "public_ip_addresses": [{"id": self.nat_ip.id}]}
    overrides = args.get("overrides")
    return place(network.NatGateway, f"{name}-nat", props, parent=self, overrides=overrides, key="nat_gateway")


def _security_groups(self: Network, name: str, args: NetworkArgs) -> dict[str, network.NetworkSecurityGroup]:
    """Groups with their rules inline: what is not here is not there, whoever added it."""
    return {
        one: place(
            network.NetworkSecurityGroup,
            f"{name}-{one}",
            {
                **_common(args),
                "security_rules": list(
                    rules.rules_of(
                        rules.ROLES[subnet["role"]],
                        subnet["cidr"],
                        open_to=_openings(subnet.get("open_to")),
                        reaches=_openings(subnet.get("reaches")),
                        subnets=_ranges(args),
                        dns_servers=args.get("dns_servers", ()),
                        pods=subnet.get("pods"),
                    )
                ),
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"security_groups.{one}",
        )
        for one, subnet in args["subnets"].items()
        if "security_group_id" not in subnet
    }


def _group_diagnostics(self: Network, name: str, args: NetworkArgs) -> dict[str, pulumi.CustomResource]:
    """What groups log has no tables of its own, and no metrics."""
    workspace = args.get("workspace_id")
    if workspace is None:
        return {}
    return {
        one: place_diagnostics(
            self,
            f"{name}-{one}-logs",
            group.id,
            workspace,
            GROUP_LOGS,
            metrics=False,
            dedicated=False,
            overrides=args.get("overrides"),
            key=f"group_diagnostics.{one}",
        )
        for one, group in self.security_groups.items()
    }


def _nat_diagnostics(self: Network, name: str, args: NetworkArgs) -> pulumi.CustomResource | None:
    workspace = args.get("workspace_id")
    if workspace is None or self.nat_ip is None:
        return None
    overrides = args.get("overrides")
    return place_address_diagnostics(
        self, f"{name}-logs-nat", self.nat_ip.id, workspace, overrides=overrides, key="nat_diagnostics"
    )


def _virtual_network(self: Network, name: str, args: NetworkArgs) -> network.VirtualNetwork:
    """The network with its subnets inline: Azure takes no two writes to subnets of one network at a time."""
    plan = self.ddos_plan.id if self.ddos_plan is not None else args.get("ddos_plan_id")
    servers = args.get("dns_servers")
    return place(
        network.VirtualNetwork,
        f"{name}-network",
        {
            **_common(args),
            "address_space": {"address_prefixes": [args["cidr"]]},
            "dhcp_options": {"dns_servers": servers} if servers else None,
            "enable_ddos_protection": True if plan is not None else None,
            "ddos_protection_plan": {"id": plan} if plan is not None else None,
            "subnets": [_subnet(self, one, subnet, args) for one, subnet in args["subnets"].items()],
        },
        parent=self,
        overrides=args.get("overrides"),
        key="virtual_network",
    )


def _subnet(self: Network, name: str, subnet: SubnetArgs, args: NetworkArgs) -> dict[str, Any]:
    made = self.security_groups.get(name)
    found: dict[str, Any] = {
        "name": name,
        "address_prefix": subnet["cidr"],
        "network_security_group": {"id": made.id if made is not None else subnet.get("security_group_id")},
        # Without it, rules do not hold for private endpoints.
        "private_endpoint_network_policies": "Enabled",
        "default_outbound_access": False,
    }
    delegation = rules.ROLES[subnet["role"]].delegation
    if delegation is not None:
        found["delegations"] = [{"name": name, "service_name": delegation}]
    if _uses_nat(subnet, args):
        found["nat_gateway"] = {"id": self.nat_gateway.id if self.nat_gateway else args.get("nat_gateway_id")}
    return found
