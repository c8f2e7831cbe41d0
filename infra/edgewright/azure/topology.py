"""The names of the Azure topologies, and why some that one might look for are not among them."""

from collections.abc import Mapping
from typing import Literal

Topology = Literal["gateway-first", "balancer-first", "appgw-waf", "front-door"]

TOPOLOGIES: tuple[Topology, ...] = ("gateway-first", "balancer-first", "appgw-waf", "front-door")

MEANT_INSTEAD = (
    "write `azure/balancer-first`, where a Load Balancer stands before self-hosted gateways, or `azure/appgw-waf`,"
    " where an Application Gateway stands before API Management"
)

NOT_THERE: Mapping[str, str] = {
    "balancer-only": (
        "a Load Balancer of Azure knows connections and no requests: it has neither routes nor tokens, and cannot front"
        f" API Management, which brings its own; {MEANT_INSTEAD}"
    )
}
"""Topologies of other clouds that Azure has not, with the reason and what does what was meant."""
