"""The Azure topologies by name; each is imported when it is asked for."""

from typing import Any

from edgewright.azure.compile import Topology


def topology_class(topology: Topology) -> Any:
    """The component of a topology, taking (name, args, opts)."""
    if topology != "gateway-first":
        raise ValueError(topology)
    from edgewright.azure.gateway_first import GatewayFirst

    return GatewayFirst
