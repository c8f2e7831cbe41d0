"""Target groups of load balancers and what is in them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds.part import short_name, tagged

Put = Callable[..., Any]
"""Makes a raw resource: class, the key that overrides name it by, its name, its inputs, and options by keyword."""


class TargetGroupArgs(TypedDict, total=False):
    """A target group. Numbers in seconds."""

    port: float
    protocol: str
    protocol_version: str
    target_type: str
    """``ip`` (the default), ``instance``, ``lambda`` or ``alb``."""
    health_check: Mapping[str, Any]
    targets: Mapping[str, Mapping[str, Any]]
    """By name: ``{id, port, availability_zone}``."""
    autoscaling_group: pulumi.Input[str]
    existing_arn: pulumi.Input[str]
    deregistration_delay: float
    slow_start: float
    algorithm: str
    anomaly_mitigation: bool
    stickiness: Mapping[str, Any]
    preserve_client_ip: bool
    """Of a Network Load Balancer: whether targets see the client's address."""
    proxy_protocol_v2: bool
    """Of a Network Load Balancer: whether the client's address is written before the stream."""
    connection_termination: bool
    """Of a Network Load Balancer: whether connections end when a target is taken out."""


@dataclass(frozen=True, slots=True)
class TargetGroups:
    """What was made, by name: groups, ARNs of all, attachments, and permissions to call functions."""

    groups: Mapping[str, aws.lb.TargetGroup]
    arns: Mapping[str, Any]
    attachments: Mapping[str, pulumi.Resource]
    permissions: Mapping[str, aws.lambda_.Permission]


def make_target_groups(
    put: Put,
    name: str,
    groups: Mapping[str, TargetGroupArgs],
    *,
    vpc_id: pulumi.Input[str],
    tags: Mapping[str, Any] | None,
    protocol: str,
) -> TargetGroups:
    """Make the groups and what is in them. name: of the balancer; protocol: of a group that says none."""
    made = {
        key: put(
            aws.lb.TargetGroup,
            f"target_groups.{key}",
            f"{name}-{key}",
            _props(f"{name}-{key}", item, vpc_id, tags, protocol),
        )
        for key, item in groups.items()
        if "existing_arn" not in item
    }
    arns: dict[str, Any] = {
        key: item["existing_arn"] if "existing_arn" in item else made[key].arn for key, item in groups.items()
    }
    permissions = {key: _permission(put, name, key, item, arns[key]) for key, item in groups.items() if _invokes(item)}
    return TargetGroups(made, arns, dict(_attachments(put, name, groups, arns, permissions)), permissions)


def _props(
    name: str, item: TargetGroupArgs, vpc_id: pulumi.Input[str], tags: Mapping[str, Any] | None, protocol: str
) -> dict[str, Any]:
    kind = item.get("target_type", "ip")
    check = item.get("health_check")
    props: dict[str, Any] = {
        "target_type": kind,
        "tags": tagged(tags, name),
        "health_check": {"enabled": True, **check} if check is not None else None,
    }
    if kind != "lambda":
        props |= {
            "vpc_id": vpc_id,
            "port": item.get("port"),
            "protocol": item.get("protocol", protocol),
            "protocol_version": item.get("protocol_version"),
            "deregistration_delay": item.get("deregistration_delay", 30),
            "slow_start": item.get("slow_start"),
            "load_balancing_algorithm_type": item.get("algorithm"),
            "load_balancing_anomaly_mitigation": "on" if item.get("anomaly_mitigation") else None,
            "stickiness": item.get("stickiness"),
            "preserve_client_ip": _written(item.get("preserve_client_ip")),
            "proxy_protocol_v2": item.get("proxy_protocol_v2"),
            "connection_termination": item.get("connection_termination"),
        }
    # No name of its own unless it must be: with a fixed one a replacement would find it taken.
    forces = [props.get(key) for key in ("port", "protocol", "protocol_version", "target_type")]
    props["name"] = short_name(name, *forces)
    return props


def _written(value: bool | None) -> str | None:
    """The provider takes this one as a text, so that it can tell false from not said."""
    return None if value is None else str(value).lower()


def _permission(put: Put, name: str, key: str, item: TargetGroupArgs, arn: Any) -> aws.lambda_.Permission:
    target = next(iter(item.get("targets", {}).values()))
    return put(
        aws.lambda_.Permission,
        f"permissions.{key}",
        f"{name}-{key}-invoke",
        {
            "action": "lambda:InvokeFunction",
            "function": target["id"],
            "principal": "elasticloadbalancing.amazonaws.com",
            "source_arn": arn,
        },
    )


def _attachments(
    put: Put,
    balancer: str,
    groups: Mapping[str, TargetGroupArgs],
    arns: Mapping[str, Any],
    permissions: Mapping[str, pulumi.Resource],
) -> Iterator[tuple[str, pulumi.Resource]]:
    for key, item in groups.items():
        for target, at in item.get("targets", {}).items():
            props = {
                "target_group_arn": arns[key],
                "target_id": at["id"],
                "port": at.get("port"),
                "availability_zone": at.get("availability_zone"),
            }
            # A function refuses to be a target of a group that may not call it.
            depends = {"depends_on": [permissions[key]]} if key in permissions else {}
            name = f"{key}-{target}"
            yield (
                name,
                put(aws.lb.TargetGroupAttachment, f"attachments.{name}", f"{balancer}-{name}", props, **depends),
            )
        if "autoscaling_group" in item:
            props = {"autoscaling_group_name": item["autoscaling_group"], "lb_target_group_arn": arns[key]}
            name = f"{key}-group"
            yield name, put(aws.autoscaling.Attachment, f"attachments.{name}", f"{balancer}-{name}", props)


def _invokes(item: TargetGroupArgs) -> bool:
    return item.get("target_type") == "lambda" and bool(item.get("targets"))
