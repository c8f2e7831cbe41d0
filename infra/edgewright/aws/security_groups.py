"""The security groups of a topology: made first, so that each may name another, then opened door by door."""

from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds.part import place, refuse, tagged, unknown_keys


class Door(TypedDict, total=False):
    """Traffic that is let through: ``port`` (to ``to_port``), to or from exactly one other side."""

    port: Required[int]
    to_port: int
    protocol: str
    """``tcp`` or ``udp``; tcp when left out."""
    cidr_ipv4: pulumi.Input[str]
    cidr_ipv6: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    """A group's id."""
    group: str
    """The name of another group of this part."""
    description: str


class GroupArgs(TypedDict, total=False):
    """One security group: who may come in and where it may go, by name. Nothing else is open, outwards neither."""

    description: str
    ingress: Mapping[str, Door]
    egress: Mapping[str, Door]


class SecurityGroupsArgs(TypedDict, total=False):
    """Arguments of `SecurityGroups`."""

    vpc_id: Required[pulumi.Input[str]]
    groups: Required[Mapping[str, GroupArgs]]
    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``groups.NAME``, ``rules.GROUP-ingress-NAME``, ``rules.GROUP-egress-NAME``."""


_SIDES = ("cidr_ipv4", "cidr_ipv6", "security_group_id", "group")


class SecurityGroups(pulumi.ComponentResource):
    """Security groups that know each other. Attributes: groups and ids by name, rules by ``GROUP-ingress-NAME``."""

    def __init__(self, name: str, args: SecurityGroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("edgewright:aws:SecurityGroups", name, None, opts)
        _check(name, args)
        overrides, tags = args.get("overrides"), args.get("tags")
        self.groups = {
            key: place(
                aws.ec2.SecurityGroup,
                f"{name}-{key}",
                {
                    "vpc_id": args["vpc_id"],
                    "description": group.get("description", f"{name}: {key}"),
                    "revoke_rules_on_delete": True,
                    "tags": tagged(tags, f"{name}-{key}"),
                },
                parent=self,
                overrides=overrides,
                key=f"groups.{key}",
            )
            for key, group in args["groups"].items()
        }
        self.ids = {key: group.id for key, group in self.groups.items()}
        self.rules: dict[str, pulumi.Resource] = {}
        kinds: tuple[tuple[str, Any], ...] = (
            ("ingress", aws.vpc.SecurityGroupIngressRule),
            ("egress", aws.vpc.SecurityGroupEgressRule),
        )
        for key, group in args["groups"].items():
            for direction, kind in kinds:
                for door, at in group.get(direction, {}).items():
                    rule = f"{key}-{direction}-{door}"
                    self.rules[rule] = place(
                        kind,
                        f"{name}-{rule}",
                        {"security_group_id": self.ids[key], **self._door(at), "tags": tagged(tags, f"{name}-{rule}")},
                        parent=self,
                        overrides=overrides,
                        key=f"rules.{rule}",
                    )
        self.register_outputs({"ids": self.ids})

    def _door(self, at: Door) -> dict[str, Any]:
        found: dict[str, Any] = {
            "ip_protocol": at.get("protocol", "tcp"),
            "from_port": at["port"],
            "to_port": at.get("to_port", at["port"]),
            "cidr_ipv4": at.get("cidr_ipv4"),
            "cidr_ipv6": at.get("cidr_ipv6"),
            "referenced_security_group_id": at.get("security_group_id"),
            "description": at.get("description"),
        }
        if "group" in at:
            found["referenced_security_group_id"] = self.ids[at["group"]]
        return found


def _check(name: str, args: SecurityGroupsArgs) -> None:
    problems = [f"`{key}` is missing" for key in ("vpc_id", "groups") if key not in args]
    groups = args.get("groups", {})
    keys = [f"groups.{key}" for key in groups]
    for key, group in groups.items():
        for direction in ("ingress", "egress"):
            for door, at in group.get(direction, {}).items():
                where = f"groups.{key}.{direction}.{door}"
                keys.append(f"rules.{key}-{direction}-{door}")
                sides = [side for side in _SIDES if at.get(side) is not None]
                if len(sides) != 1:
                    problems.append(f"{where}: name one of {', '.join(_SIDES)}, not {len(sides)}")
                if "group" in at and at["group"] not in groups:
                    problems.append(f"{where}: there is no group `{at['group']}`; there are {', '.join(groups)}")
                if not 1 <= at.get("port", 0) <= 65535:
                    problems.append(f"{where}: `port` must be 1 to 65535")
    problems += unknown_keys(args.get("overrides") or {}, keys, "overrides")
    refuse("SecurityGroups", name, problems)
