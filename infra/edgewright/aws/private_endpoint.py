"""The interface endpoint through which a VPC reaches private APIs, at addresses that are known before."""

import ipaddress
from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

from .vpc_link import Peer, peer_problems, peer_rule

TYPE = "edgewright:aws:PrivateEndpoint"

RESERVED_AT_START = 4  # network, router, DNS, kept; and the last address ("Subnet CIDR blocks")


class EndpointSubnetArgs(TypedDict, total=False):
    """Where the endpoint has an address."""

    subnet_id: Required[pulumi.Input[str]]
    """Id of the subnet; one a zone."""

    ipv4: Required[str]
    """The address, plain, inside the subnet; another one replaces the interface."""

    cidr: str
    """The subnet's range, to check that the address lies in it and is free. Default: not checked."""


class ExistingEndpointArgs(TypedDict, total=False):
    """An endpoint that is there already."""

    vpc_endpoint_id: Required[pulumi.Input[str]]
    """Its id."""

    addresses: Required[list[pulumi.Input[str]]]
    """The addresses of its interfaces, one a subnet."""

    security_group_id: pulumi.Input[str]
    """The security group of its interfaces, for those who open a way to it. Default: none."""


class PrivateEndpointArgs(TypedDict, total=False):
    """Arguments of `PrivateEndpoint`: either ``existing``, or a VPC with subnets and who may come in."""

    region: Required[str]
    """Region of the provider, such as eu-central-1; part of the service's name."""

    vpc_id: pulumi.Input[str]
    """The VPC."""

    subnets: dict[str, EndpointSubnetArgs]
    """By name of the zone or of the subnet."""

    ingress: dict[str, Peer]
    """Who may call it, by name, on port 443; gives it a security group of its own that lets nothing else in."""

    security_group_ids: list[pulumi.Input[str]]
    """Existing security groups, beside its own or instead of it. Default: none."""

    policy: pulumi.Input[str]
    """Policy of the endpoint as JSON text: which APIs may be invoked through it. Default: all, of all accounts."""

    private_dns: pulumi.Input[bool]
    """Whether all names under execute-api lead here, for everything in the VPC, public APIs too: those are then out of
    reach. Default: False."""

    existing: ExistingEndpointArgs
    """An endpoint that is there already; nothing is made then."""

    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: endpoint, security_group, rules.NAME."""


class PrivateEndpoint(pulumi.ComponentResource):
    """An interface endpoint for `execute-api`.

    ``id``, ``addresses`` (in the order of the subnets' names; plain when it is made here), ``security_group_id`` (its
    own, else the first given, else None), and the raw resources ``security_group``, ``rules`` (by name), ``endpoint``
    (None for an existing one).
    """

    def __init__(self, name: str, args: PrivateEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("PrivateEndpoint", name, _problems(args))

        self.security_group = _security_group(self, name, args)
        self.rules = _rules(self, name, args)
        self.endpoint = _endpoint(self, name, args)

        self.id = _id(self, args)
        self.addresses = addresses(args)
        self.security_group_id = _security_group_id(self, args)
        self.register_outputs(
            {"endpointId": self.id, "addresses": self.addresses, "securityGroupId": self.security_group_id}
        )


def addresses(args: PrivateEndpointArgs) -> list[pulumi.Input[str]]:
    """The endpoint's addresses, before anything is made."""
    existing = args.get("existing")
    if existing:
        return list(existing.get("addresses", []))
    return [subnet["ipv4"] for _, subnet in sorted(args.get("subnets", {}).items())]


def _security_group(self: PrivateEndpoint, name: str, args: PrivateEndpointArgs) -> aws.ec2.SecurityGroup | None:
    if not args.get("ingress") or "existing" in args:
        return None
    return part.place(
        aws.ec2.SecurityGroup,
        f"{name}-security-group",
        {
            "description": f"Endpoint {name}",
            "vpc_id": args.get("vpc_id"),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="security_group",
    )


def _rules(self: PrivateEndpoint, name: str, args: PrivateEndpointArgs) -> dict[str, aws.vpc.SecurityGroupIngressRule]:
    group = self.security_group
    if group is None:
        return {}
    return {
        key: part.place(
            aws.vpc.SecurityGroupIngressRule,
            f"{name}-from-{key}",
            {
                "security_group_id": group.id,
                "description": f"from {key}",
                **peer_rule(peer),
                "tags": part.tagged(args.get("tags"), f"{name}-from-{key}"),
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"rules.{key}",
        )
        for key, peer in args.get("ingress", {}).items()
    }


def _endpoint(self: PrivateEndpoint, name: str, args: PrivateEndpointArgs) -> aws.ec2.VpcEndpoint | None:
    if "existing" in args:
        return None
    subnets = [subnet for _, subnet in sorted(args.get("subnets", {}).items())]
    own = [self.security_group.id] if self.security_group else []
    return part.place(
        aws.ec2.VpcEndpoint,
        name,
        {
            "vpc_id": args.get("vpc_id"),
            "service_name": f"com.amazonaws.{args['region']}.execute-api",
            "vpc_endpoint_type": "Interface",
            # The provider wants both: the subnets, and the address in each.
            "subnet_ids": [subnet.get("subnet_id") for subnet in subnets],
            "subnet_configurations": [
                {"subnet_id": subnet.get("subnet_id"), "ipv4": subnet.get("ipv4")} for subnet in subnets
            ],
            "security_group_ids": [*own, *args.get("security_group_ids", [])],
            "policy": args.get("policy"),
            "private_dns_enabled": args.get("private_dns", False),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="endpoint",
    )


def _id(self: PrivateEndpoint, args: PrivateEndpointArgs) -> pulumi.Output[str]:
    if self.endpoint:
        return self.endpoint.id
    return pulumi.Output.from_input(args.get("existing", {}).get("vpc_endpoint_id", ""))


def _security_group_id(self: PrivateEndpoint, args: PrivateEndpointArgs) -> pulumi.Output[str] | None:
    if self.security_group:
        return self.security_group.id
    given = [args.get("existing", {}).get("security_group_id"), *args.get("security_group_ids", [])]
    first = next((group for group in given if group is not None), None)
    return None if first is None else pulumi.Output.from_input(first)


# ---- checks ----


def _problems(args: PrivateEndpointArgs) -> list[str]:
    problems = part.unknown_keys(args, PrivateEndpointArgs.__annotations__, "the endpoint")
    if "region" not in args:
        problems.append("`region` is missing")
    problems += _existing_problems(args) if "existing" in args else _own_problems(args)
    return problems + part.unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides")


def _attributes(args: PrivateEndpointArgs) -> list[str]:
    if "existing" in args:
        return []
    ingress = args.get("ingress", {})
    return ["endpoint", *(["security_group"] if ingress else []), *(f"rules.{key}" for key in ingress)]


def _existing_problems(args: PrivateEndpointArgs) -> list[str]:
    existing = args.get("existing", {})
    beside = [
        key for key in ("vpc_id", "subnets", "ingress", "security_group_ids", "policy", "private_dns") if key in args
    ]
    problems = part.unknown_keys(existing, ExistingEndpointArgs.__annotations__, "existing")
    problems += [f"existing.{key} is missing" for key in ("vpc_endpoint_id", "addresses") if not existing.get(key)]
    problems += [f"{key} has no effect on an existing endpoint: leave it out" for key in beside]
    return problems + _address_problems({str(at): value for at, value in enumerate(existing.get("addresses", []))})


def _own_problems(args: PrivateEndpointArgs) -> list[str]:
    subnets = args.get("subnets", {})
    problems = [f"`{key}` is missing, or write `existing`" for key in ("vpc_id", "subnets") if not args.get(key)]
    if not args.get("ingress") and not args.get("security_group_ids"):
        problems.append(
            "write `ingress`, who may call it, or `security_group_ids`: else it takes the VPC's default group"
        )
    problems += peer_problems(args.get("ingress", {}), "ingress")
    for key, subnet in subnets.items():
        what = f"subnets.{key}"
        problems += part.unknown_keys(subnet, EndpointSubnetArgs.__annotations__, what)
        problems += [f"{what}.{item} is missing" for item in ("subnet_id", "ipv4") if subnet.get(item) is None]
        problems += _place_problems(subnet, what)
    return problems + _address_problems({key: subnet.get("ipv4") for key, subnet in subnets.items()})


def _address_problems(given: Mapping[str, Any]) -> list[str]:
    """Addresses that are none, or of two places; those only known later are left alone."""
    plain = {key: value for key, value in given.items() if isinstance(value, str)}
    problems = [f"`{value}` is no IPv4 address" for value in plain.values() if _ipv4(value) is None]
    twice = sorted({value for value in plain.values() if list(plain.values()).count(value) > 1})
    return problems + [f"`{value}` is the address of two interfaces" for value in twice]


def _place_problems(subnet: EndpointSubnetArgs, what: str) -> list[str]:
    address = _ipv4(subnet.get("ipv4", ""))
    if "cidr" not in subnet:
        return []
    text = subnet["cidr"]
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        return [f"{what}.cidr is `{text}`; write an IPv4 range, such as 10.0.1.0/24"]
    if address is None:
        return []
    if address not in network:
        return [f"{what}.ipv4 {address} does not lie in {network}"]
    at = int(address) - int(network.network_address)
    if at < RESERVED_AT_START or address == network.broadcast_address:
        return [f"{what}.ipv4 {address} is reserved: AWS keeps the first {RESERVED_AT_START} and the last of {network}"]
    return []


def _ipv4(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None
