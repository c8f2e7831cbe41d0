"""The way of WebSocket APIs into a network: a VPC link of version 1, which takes a Network Load Balancer only."""

from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.aws.network_load_balancer import NetworkLoadBalancer
from edgewright.clouds.part import place, refuse, tagged, unknown_keys

TYPE = "edgewright:aws:WebSocketLink"


class WebSocketLinkArgs(TypedDict, total=False):
    """Arguments of `WebSocketLink`."""

    vpc_id: Required[pulumi.Input[str]]
    subnets: Required[list[pulumi.Input[str]]]
    """Private subnets, of different zones."""

    security_group_id: Required[pulumi.Input[str]]
    """Of the balancer: it needs no way in, since a link asks no security group, and one way out, to what is behind."""

    listeners: Required[Mapping[str, Mapping[str, Any]]]
    target_groups: Required[Mapping[str, Mapping[str, Any]]]
    """Of the Network Load Balancer, as its component has them."""

    access_logs: Mapping[str, Any]
    """Of the balancer, as its component has them; a listener of TLS alone writes any."""

    deletion_protection: bool
    """Default: True."""

    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: link, and of the balancer as ``balancer.ATTRIBUTE``."""


class WebSocketLink(pulumi.ComponentResource):
    """An internal Network Load Balancer and a link to it.

    ``id`` of the link, ``dns_name`` of the balancer, ``balancer`` (the component), ``link`` (the raw resource).
    """

    def __init__(self, name: str, args: WebSocketLinkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        overrides = args.get("overrides") or {}
        inner = {key.removeprefix("balancer."): item for key, item in overrides.items() if key.startswith("balancer.")}
        outer = {key: item for key, item in overrides.items() if not key.startswith("balancer.")}
        problems = [f"`{key}` is missing" for key in sorted(WebSocketLinkArgs.__required_keys__) if key not in args]
        refuse("WebSocketLink", name, [*problems, *unknown_keys(outer, ("link", "balancer.ATTRIBUTE"), "overrides")])
        super().__init__(TYPE, name, None, opts)

        given: Any = {
            "vpc_id": args["vpc_id"],
            "subnets": args["subnets"],
            "internal": True,
            "security_group_id": args["security_group_id"],
            "listeners": args["listeners"],
            "target_groups": args["target_groups"],
            # The link's traffic comes by AWS's own network: with this on, the group would have to let all of it in.
            "enforce_security_group_inbound_rules_on_private_link_traffic": "off",
            "deletion_protection": args.get("deletion_protection", True),
            "tags": args.get("tags") or {},
            "overrides": inner,
            **({"access_logs": args["access_logs"]} if "access_logs" in args else {}),
        }
        self.balancer = NetworkLoadBalancer(f"{name}-balancer", given, pulumi.ResourceOptions(parent=self))
        self.link = place(
            aws.apigateway.VpcLink,
            name,
            {"target_arn": self.balancer.arn, "tags": tagged(args.get("tags"), name)},
            parent=self,
            overrides=overrides,
            key="link",
        )
        self.id = self.link.id
        self.dns_name = self.balancer.dns_name
        self.register_outputs({"linkId": self.id})
