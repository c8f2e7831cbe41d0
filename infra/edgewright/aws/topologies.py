"""The AWS topologies by name; each is imported when it is asked for."""

from typing import Any

from edgewright.aws.compile import Topology


def topology_class(topology: Topology) -> Any:
    """The component of a topology, taking (name, args, opts)."""
    if topology == "balancer-first":
        from edgewright.aws.balancer_first import BalancerFirst

        return BalancerFirst
    if topology == "gateway-first":
        from edgewright.aws.gateway_first import GatewayFirst

        return GatewayFirst
    from edgewright.aws.balancer_only import BalancerOnly

    return BalancerOnly
