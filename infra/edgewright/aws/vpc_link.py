"""A VPC link (version 2) and the only ways out of it."""

from collections.abc import Iterable, Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

from . import log_group as logs

TYPE = "edgewright:aws:VpcLink"

SUBNETS_LIMIT = 10  # subnets of one link (API Gateway quotas)
PEER_ADDRESSES = ("cidr_ipv4", "cidr_ipv6", "security_group_id", "prefix_list_id")


class Peer(TypedDict, total=False):
    """One side of a connection: exactly one address, and a TCP port."""

    port: Required[pulumi.Input[float]]
    """TCP port, 1 to 65535."""

    cidr_ipv4: pulumi.Input[str]
    """IPv4 range, such as 10.0.0.0/16."""

    cidr_ipv6: pulumi.Input[str]
    """IPv6 range."""

    security_group_id: pulumi.Input[str]
    """All that has this security group."""

    prefix_list_id: pulumi.Input[str]
    """A managed list of ranges."""


class VpcLinkArgs(TypedDict, total=False):
    """Arguments of `VpcLink`."""

    subnets: Required[list[pulumi.Input[str]]]
    """Ids of the subnets the link stands in, of different zones; 1 to 10."""

    vpc_id: pulumi.Input[str]
    """The VPC, for the link's own security group; needed with ``egress``."""

    egress: dict[str, Peer]
    """Where the link may go, by name; gives it a security group of its own that lets nothing else out and nothing in.
    Default: none."""

    security_group_ids: list[pulumi.Input[str]]
    """Existing security groups, beside its own or instead of it. Default: none."""

    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: link, security_group, rules.NAME."""


class VpcLink(pulumi.ComponentResource):
    """A way of API Gateway into a VPC, for HTTP APIs and REST APIs.

    A link cannot be changed: other subnets or security groups replace it, the new one first. It falls asleep after 60
    days without traffic. ``id``, ``security_group_id`` (its own, or the first given), and the raw resources
    ``security_group`` (None without ``egress``), ``rules`` (by name), ``link``.
    """

    def __init__(self, name: str, args: VpcLinkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("VpcLink", name, _problems(args))
        given = args.get("security_group_ids", [])

        self.security_group = _security_group(self, name, args)
        self.rules = _rules(self, name, args)
        own = [self.security_group.id] if self.security_group else []
        self.link = _link(self, name, args, [*own, *given])

        self.id = self.link.id
        self.security_group_id = pulumi.Output.from_input([*own, *given][0])
        self.register_outputs({"linkId": self.id, "securityGroupId": self.security_group_id})


def peer_rule(peer: Peer) -> dict[str, Any]:
    """Inputs that an ingress and an egress rule share."""
    addresses: dict[str, Any] = {key: peer.get(key) for key in PEER_ADDRESSES}
    addresses["referenced_security_group_id"] = addresses.pop("security_group_id")
    port = logs.whole(peer["port"])
    return {"ip_protocol": "tcp", "from_port": port, "to_port": port, **addresses}


def peer_problems(peers: Mapping[str, Peer], what: str) -> list[str]:
    """What is wrong with peers: unknown keys, no port, not exactly one address."""
    problems: list[str] = []
    for name, peer in peers.items():
        given = [key for key in PEER_ADDRESSES if peer.get(key) is not None]
        port: Any = peer.get("port", 0)
        problems += part.unknown_keys(peer, Peer.__annotations__, f"{what}.{name}")
        if logs.is_number(port) and not _is_port(port):
            problems.append(f"{what}.{name}.port must be a TCP port, 1 to 65535")
        if len(given) != 1:
            problems.append(f"{what}.{name} has {' and '.join(given) or 'no address'}; write one of {_listed()}")
    return problems


def _is_port(port: Any) -> bool:
    return 1 <= port <= 65535 and port == int(port)


def _listed() -> str:
    return ", ".join(PEER_ADDRESSES)


def _security_group(self: VpcLink, name: str, args: VpcLinkArgs) -> aws.ec2.SecurityGroup | None:
    if not args.get("egress"):
        return None
    return part.place(
        aws.ec2.SecurityGroup,
        f"{name}-security-group",
        {
            "description": f"VPC link {name}",
            "vpc_id": args.get("vpc_id"),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="security_group",
    )


def _rules(self: VpcLink, name: str, args: VpcLinkArgs) -> dict[str, aws.vpc.SecurityGroupEgressRule]:
    group = self.security_group
    if group is None:
        return {}
    return {
        key: part.place(
            aws.vpc.SecurityGroupEgressRule,
            f"{name}-to-{key}",
            {
                "security_group_id": group.id,
                "description": f"to {key}",
                **peer_rule(peer),
                "tags": part.tagged(args.get("tags"), f"{name}-to-{key}"),
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"rules.{key}",
        )
        for key, peer in args.get("egress", {}).items()
    }


def _link(self: VpcLink, name: str, args: VpcLinkArgs, groups: Iterable[pulumi.Input[str]]) -> aws.apigatewayv2.VpcLink:
    return part.place(
        aws.apigatewayv2.VpcLink,
        name,
        {
            "subnet_ids": args["subnets"],
            "security_group_ids": list(groups),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="link",
    )


def _problems(args: VpcLinkArgs) -> list[str]:
    subnets = args.get("subnets") or []
    plain = [subnet for subnet in subnets if isinstance(subnet, str)]
    egress = args.get("egress", {})
    problems = part.unknown_keys(args, VpcLinkArgs.__annotations__, "the link")
    if not 1 <= len(subnets) <= SUBNETS_LIMIT:
        problems.append(f"subnets has {len(subnets)}; a link stands in 1 to {SUBNETS_LIMIT}")
    problems += [f"subnets has `{subnet}` twice" for subnet in sorted(set(plain)) if plain.count(subnet) > 1]
    if egress and args.get("vpc_id") is None:
        problems.append("egress needs `vpc_id`, for the link's security group")
    if not egress and not args.get("security_group_ids"):
        problems.append("write `egress`, where the link may go, or `security_group_ids`: a link has a security group")
    problems += peer_problems(egress, "egress")
    known = ["link", *(["security_group"] if egress else []), *(f"rules.{key}" for key in egress)]
    return problems + part.unknown_keys(args.get("overrides") or {}, known, "overrides")
