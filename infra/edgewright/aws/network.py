"""A network for an edge: public subnets for balancers, private ones for services, two zones and more."""

import json
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.aws.log_group import DEFAULT_RETENTION, allowed_retention
from edgewright.clouds.part import place, refuse, tagged, unknown_keys

TYPE = "edgewright:aws:Network"

_NATS = ("none", "single", "per_zone")


class NetworkArgs(TypedDict, total=False):
    """Arguments of `Network`: ``cidr`` makes one; ``vpc_id`` with subnets uses one that is there."""

    region: Required[str]
    """Such as ``eu-west-1``; plain."""
    cidr: str
    """Its addresses, /16 to /22; plain."""
    zones: list[str]
    """Zone names; the region's ``a`` and ``b`` when left out."""
    nat: str
    """A way out for private subnets: ``none`` (the default), ``single`` or ``per_zone``."""
    vpc_id: pulumi.Input[str]
    public_subnet_ids: list[pulumi.Input[str]]
    private_subnet_ids: list[pulumi.Input[str]]
    flow_logs_retention_days: float
    """Days to remember refused connections; 0 for no log. Default: 365."""
    kms_key_arn: pulumi.Input[str]
    """Key that encrypts that log; its policy must allow CloudWatch Logs. Default: the service's own key."""
    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: vpc, internet_gateway, ``public_subnets.ZONE``, ``private_subnets.ZONE``, ..."""


class Network(pulumi.ComponentResource):
    """A network that is made, or one that is there.

    Attributes: vpc_id, public_subnet_ids, private_subnet_ids, zones, private_cidrs (plain; None for an existing one),
    vpc, default_security_group, internet_gateway, public_table, private_tables, public_subnets, private_subnets, nats,
    addresses.
    """

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("Network", name, _problems(args))
        super().__init__(TYPE, name, None, opts)
        self._name, self._overrides, self._tags = name, args.get("overrides"), args.get("tags")
        self.zones = zones_of(args)
        self.vpc: aws.ec2.Vpc | None = None
        self.private_cidrs: list[str] | None = None
        if "cidr" in args:
            self._make(args)
        else:
            self.vpc_id = pulumi.Output.from_input(args.get("vpc_id", ""))
            self.public_subnet_ids = [pulumi.Output.from_input(item) for item in args.get("public_subnet_ids", [])]
            self.private_subnet_ids = [pulumi.Output.from_input(item) for item in args.get("private_subnet_ids", [])]
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "publicSubnetIds": self.public_subnet_ids,
                "privateSubnetIds": self.private_subnet_ids,
            }
        )

    def _make(self, args: NetworkArgs) -> None:
        name = self._name
        public, private = subnet_cidrs(args.get("cidr", ""), len(self.zones))
        self.private_cidrs = private
        self.vpc = vpc = self._put(
            aws.ec2.Vpc,
            "vpc",
            name,
            {"cidr_block": args.get("cidr"), "enable_dns_support": True, "enable_dns_hostnames": True},
        )
        self.vpc_id = vpc.id
        # The group that everything without one falls into lets nothing through.
        self.default_security_group = self._put(
            aws.ec2.DefaultSecurityGroup, "default_security_group", f"{name}-default", {"vpc_id": self.vpc_id}
        )
        self.flow_log = self._flow_log(args.get("flow_logs_retention_days", DEFAULT_RETENTION), args.get("kms_key_arn"))
        self.internet_gateway = self._put(
            aws.ec2.InternetGateway, "internet_gateway", f"{name}-internet", {"vpc_id": self.vpc_id}
        )
        self.public_table = self._table("public")
        self._route("public", self.public_table, {"gateway_id": self.internet_gateway.id})
        self.public_subnets = {
            zone: self._subnet("public", zone, cidr) for zone, cidr in zip(self.zones, public, strict=True)
        }
        self.private_subnets = {
            zone: self._subnet("private", zone, cidr) for zone, cidr in zip(self.zones, private, strict=True)
        }
        self.addresses: dict[str, aws.ec2.Eip] = {}
        self.nats = dict(self._nat(zone) for zone in self._nat_zones(args.get("nat", "none")))
        self.private_tables: dict[str, aws.ec2.RouteTable] = {}
        for zone in self.zones:
            table = self.private_tables[zone] = self._table(f"private-{zone}")
            if self.nats:
                nat = self.nats.get(zone) or next(iter(self.nats.values()))
                self._route(f"private-{zone}", table, {"nat_gateway_id": nat.id})
            self._associate(f"public-{zone}", self.public_subnets[zone], self.public_table)
            self._associate(f"private-{zone}", self.private_subnets[zone], table)
        self.public_subnet_ids = [item.id for item in self.public_subnets.values()]
        self.private_subnet_ids = [item.id for item in self.private_subnets.values()]

    def _put(
        self, make: Any, key: str, name: str, props: Mapping[str, Any], *, tags: bool = True, **options: Any
    ) -> Any:
        given = {**props, "tags": tagged(self._tags, name)} if tags else props
        return place(make, name, given, parent=self, overrides=self._overrides, key=key, **options)

    def _subnet(self, kind: str, zone: str, cidr: str) -> aws.ec2.Subnet:
        return self._put(
            aws.ec2.Subnet,
            f"{kind}_subnets.{zone}",
            f"{self._name}-{kind}-{zone}",
            {"vpc_id": self.vpc_id, "availability_zone": zone, "cidr_block": cidr, "map_public_ip_on_launch": False},
        )

    def _table(self, kind: str) -> aws.ec2.RouteTable:
        return self._put(aws.ec2.RouteTable, f"tables.{kind}", f"{self._name}-{kind}", {"vpc_id": self.vpc_id})

    def _route(self, kind: str, table: aws.ec2.RouteTable, to: Mapping[str, Any]) -> aws.ec2.Route:
        props = {"route_table_id": table.id, "destination_cidr_block": "0.0.0.0/0", **to}
        return self._put(aws.ec2.Route, f"routes.{kind}", f"{self._name}-{kind}-out", props, tags=False)

    def _associate(self, kind: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable) -> aws.ec2.RouteTableAssociation:
        props = {"subnet_id": subnet.id, "route_table_id": table.id}
        return self._put(
            aws.ec2.RouteTableAssociation, f"associations.{kind}", f"{self._name}-{kind}-table", props, tags=False
        )

    def _nat_zones(self, nat: str) -> list[str]:
        return {"none": [], "single": self.zones[:1], "per_zone": self.zones}[nat]

    def _nat(self, zone: str) -> tuple[str, aws.ec2.NatGateway]:
        address = self.addresses[zone] = self._put(
            aws.ec2.Eip, f"addresses.{zone}", f"{self._name}-nat-{zone}", {"domain": "vpc"}
        )
        props = {"subnet_id": self.public_subnets[zone].id, "allocation_id": address.allocation_id}
        return zone, self._put(
            aws.ec2.NatGateway,
            f"nats.{zone}",
            f"{self._name}-nat-{zone}",
            props,
            depends_on=[self.internet_gateway],
        )

    def _flow_log(self, days: float, key: pulumi.Input[str] | None) -> aws.ec2.FlowLog | None:
        if not days:
            return None
        name = f"{self._name}-refused"
        props = {"retention_in_days": allowed_retention(days), "kms_key_id": key}
        group = self._put(aws.cloudwatch.LogGroup, "flow_log_group", name, props)
        assume = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        }
        role = self._put(aws.iam.Role, "flow_log_role", name, {"assume_role_policy": _policy(assume)})
        self._put(
            aws.iam.RolePolicy,
            "flow_log_policy",
            name,
            {"role": role.id, "policy": group.arn.apply(_may_write)},
            tags=False,
        )
        return self._put(
            aws.ec2.FlowLog,
            "flow_log",
            name,
            {
                "vpc_id": self.vpc_id,
                "traffic_type": "REJECT",
                "log_destination": group.arn,
                "iam_role_arn": role.arn,
            },
        )


def zones_of(args: NetworkArgs) -> list[str]:
    """The zones that are named, else the first two of the region."""
    return list(args.get("zones") or [f"{args['region']}{letter}" for letter in "ab"])


def subnet_cidrs(cidr: str, zones: int) -> tuple[list[str], list[str]]:
    """Addresses of public and private subnets, one a zone.

    Each private one has a sixteenth of the network, each public one an eighth or sixteenth of the last of these.
    """
    blocks = list(IPv4Network(cidr).subnets(prefixlen_diff=4))
    public = list(blocks[-1].subnets(prefixlen_diff=3 if blocks[-1].prefixlen > 24 else 4))
    return [str(item) for item in public[:zones]], [str(item) for item in blocks[:zones]]


def _problems(args: NetworkArgs) -> list[str]:
    problems: list[str] = []
    if "region" not in args:
        return ["`region` is missing"]
    existing = [key for key in ("vpc_id", "public_subnet_ids", "private_subnet_ids") if key in args]
    if ("cidr" in args) == bool(existing):
        problems.append("give `cidr` for a network to make, or `vpc_id` with subnets for one that is there")
    if "vpc_id" in args and not (args.get("public_subnet_ids") or args.get("private_subnet_ids")):
        problems.append("the network has no subnets; name `private_subnet_ids` or `public_subnet_ids`")
    zones = zones_of(args)
    if "cidr" in args:
        problems += _made(args, zones)
    if args.get("nat", "none") not in _NATS:
        problems.append(f"`nat` is {args.get('nat')}; it may be {', '.join(_NATS)}")
    return problems + unknown_keys(
        {key.partition(".")[0]: 1 for key in args.get("overrides") or {}}, _KEYS, "overrides"
    )


_KEYS = (
    "vpc",
    "default_security_group",
    "internet_gateway",
    "public_subnets",
    "private_subnets",
    "tables",
    "routes",
    "associations",
    "nats",
    "addresses",
    "flow_log",
    "flow_log_group",
    "flow_log_role",
    "flow_log_policy",
)


def _made(args: NetworkArgs, zones: list[str]) -> list[str]:
    problems: list[str] = []
    if len(zones) < 2:
        problems.append(f"`zones` has {len(zones)}; a load balancer needs two")
    if len(set(zones)) != len(zones):
        problems.append("`zones` names a zone twice")
    if len(zones) > 6:
        problems.append(f"`zones` has {len(zones)}; six are the most that there is room for")
    problems += [f"`{zone}` is no zone of {args['region']}" for zone in zones if not zone.startswith(args["region"])]
    try:
        network = IPv4Network(args.get("cidr", ""))
    except ValueError:
        return [*problems, f"`{args.get('cidr')}` is no IPv4 network; write it like 10.0.0.0/16"]
    if not 16 <= network.prefixlen <= 22:
        problems.append(f"`cidr` is a /{network.prefixlen}; it may be /16 to /22")
    return problems


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _may_write(arn: str) -> str:
    actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    return _policy({"Effect": "Allow", "Action": actions, "Resource": f"{arn}:*"})
