"""Address lists as the ranges that API Management's ``ip-filter`` takes: it knows no CIDR."""

from collections.abc import Sequence
from ipaddress import ip_network


def ranges(cidrs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """First and last address of each block."""
    return tuple((str(net[0]), str(net[-1])) for net in map(ip_network, cidrs))
