"""The network of an edge: subnets of the gateway and of services, each closed but for what it needs, and a way out."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import network

from edgewright.azure.network_rules import ROLES, Role, cidr_problems, gateway_rules, services_rules
from edgewright.clouds.part import place, refuse, unknown_keys


class NetworkArgs(TypedDict, total=False):
    """Arguments of `Network`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``."""
    cidr: Required[str]
    """A /22 or larger; the gateway has its first /24, services its second."""
    gateway: Required[str]
    """What stands in the gateway's subnet, by the names of `network_rules.ROLES`."""
    service_ports: Required[list[int]]
    """Ports of services that the gateway may reach."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: virtual_network, gateway_rules, service_rules, nat_gateway, nat_ip."""


class Network(pulumi.ComponentResource):
    """A virtual network with two subnets.

    Attributes: nat_ip, nat_gateway, gateway_rules and service_rules (security groups), virtual_network;
    ``gateway_subnet_id``, ``services_subnet_id``.
    """

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("Network", name, _problems(args))
        super().__init__("edgewright:azure:Network", name, None, opts)
        gateway, services = _ranges(args["cidr"])
        role = ROLES[args["gateway"]]
        self.nat_ip = _nat_ip(self, name, args)
        self.nat_gateway = _nat_gateway(self, name, args)
        self.gateway_rules = _group(self, f"{name}-gateway", "gateway_rules", gateway_rules(role, gateway), args)
        ports = sorted(set(args["service_ports"]))
        self.service_rules = _group(self, f"{name}-services", "service_rules", services_rules(gateway, ports), args)
        self.virtual_network = _virtual_network(self, name, args, role, gateway, services)
        self.gateway_subnet_id = pulumi.Output.concat(self.virtual_network.id, "/subnets/gateway")
        self.services_subnet_id = pulumi.Output.concat(self.virtual_network.id, "/subnets/services")
        self.register_outputs({"gatewaySubnetId": self.gateway_subnet_id, "servicesSubnetId": self.services_subnet_id})


def _problems(args: NetworkArgs) -> Iterator[str]:
    yield from cidr_problems(args["cidr"])
    if args["gateway"] not in ROLES:
        yield f"there is no gateway `{args['gateway']}`; there are {', '.join(ROLES)}"
    for port in args["service_ports"]:
        if not 1 <= port <= 65535:
            yield f"{port} is no port"
    known = ("virtual_network", "gateway_rules", "service_rules", "nat_gateway", "nat_ip")
    yield from unknown_keys(args.get("overrides", {}), known, "overrides")


def _ranges(cidr: str) -> tuple[str, str]:
    first, second, *_ = IPv4Network(cidr).subnets(new_prefix=24)
    return str(first), str(second)


def _common(args: NetworkArgs) -> dict[str, Any]:
    return {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "tags": dict(args.get("tags", {})),
    }


def _nat_ip(parent: Network, name: str, args: NetworkArgs) -> network.PublicIPAddress:
    props = {
        **_common(args),
        "sku": {"name": "Standard", "tier": "Regional"},
        "public_ip_allocation_method": "Static",
        "public_ip_address_version": "IPv4",
    }
    overrides = args.get("overrides")
    return place(network.PublicIPAddress, f"{name}-nat", props, parent=parent, overrides=overrides, key="nat_ip")


def _nat_gateway(parent: Network, name: str, args: NetworkArgs) -> network.NatGateway:
    """The way out: keys of issuers are fetched by it. Subnets have no other (default outbound access is off)."""
    props = {**_common(args), "sku": {"name": "Standard"}, "public_ip_addresses": [{"id": parent.nat_ip.id}]}
    overrides = args.get("overrides")
    return place(network.NatGateway, f"{name}-nat", props, parent=parent, overrides=overrides, key="nat_gateway")


def _group(
    parent: Network, name: str, key: str, rules: Sequence[dict[str, Any]], args: NetworkArgs
) -> network.NetworkSecurityGroup:
    """A security group, its rules inline: what is not here is not there, whoever added it."""
    return place(
        network.NetworkSecurityGroup,
        name,
        {**_common(args), "security_rules": list(rules)},
        parent=parent,
        overrides=args.get("overrides"),
        key=key,
    )


def _virtual_network(
    parent: Network, name: str, args: NetworkArgs, role: Role, gateway: str, services: str
) -> network.VirtualNetwork:
    """The network with its subnets inline: Azure takes no two writes to subnets of one network at a time."""
    nat = {"nat_gateway": {"id": parent.nat_gateway.id}, "default_outbound_access": False}
    delegation = (
        {"delegations": [{"name": "gateway", "service_name": role.delegation}]} if role.delegation is not None else {}
    )
    subnets = [
        {
            "name": "gateway",
            "address_prefix": gateway,
            "network_security_group": {"id": parent.gateway_rules.id},
            **delegation,
            **nat,
        },
        {
            "name": "services",
            "address_prefix": services,
            "network_security_group": {"id": parent.service_rules.id},
            "private_endpoint_network_policies": "Enabled",
            **nat,
        },
    ]
    props = {**_common(args), "address_space": {"address_prefixes": [args["cidr"]]}, "subnets": subnets}
    overrides = args.get("overrides")
    return place(
        network.VirtualNetwork, f"{name}-network", props, parent=parent, overrides=overrides, key="virtual_network"
    )
