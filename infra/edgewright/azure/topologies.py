"""The Azure topologies by name; each is imported when it is asked for."""

from typing import Any

from edgewright.azure.topology import Topology


def topology_class(topology: Topology) -> Any:
    """The component of a topology, taking (name, args, opts)."""
    match topology:
        case "gateway-first":
            from edgewright.azure.gateway_first import GatewayFirst

            return GatewayFirst
        case "balancer-first":
            from edgewright.azure.balancer_first import BalancerFirst

            return BalancerFirst
        case "appgw-waf":
            from edgewright.azure.appgw_waf import AppGwWaf

            return AppGwWaf
        case "front-door":
            from edgewright.azure.front_door_first import FrontDoorFirst

            return FrontDoorFirst
