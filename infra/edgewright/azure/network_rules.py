"""What each kind of subnet may be reached by and may reach: rules of network security groups, as data.

Source: Microsoft's pages "Virtual network configuration reference: API Management" (classic tiers) and "Integrate an
API Management instance with a private virtual network for outbound connections" (v2 tiers), read 2026-11.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any


@dataclass(frozen=True, slots=True)
class Allowed:
    """A rule that lets something through. what: why, as the rule's description; ports: as Azure writes them."""

    name: str
    direction: str
    source: str
    destination: str
    ports: tuple[str, ...]
    what: str
    protocol: str = "Tcp"


@dataclass(frozen=True, slots=True)
class Role:
    """What stands in a subnet. smallest: the longest prefix that Azure takes; delegation: to whom, or None."""

    smallest: int
    delegation: str | None
    rules: tuple[Allowed, ...]


_OUT = "Outbound"
_IN = "Inbound"
_NET = "VirtualNetwork"

_CLASSIC_OUT = (
    Allowed("storage", _OUT, _NET, "Storage", ("443",), "API Management keeps its files in Azure Storage"),
    Allowed("sql", _OUT, _NET, "Sql", ("1433",), "API Management keeps its settings in Azure SQL"),
    Allowed("key-vault", _OUT, _NET, "AzureKeyVault", ("443",), "certificates and named values of Key Vault"),
    Allowed("monitor", _OUT, _NET, "AzureMonitor", ("1886", "443"), "logs and metrics"),
    Allowed("certificates", _OUT, _NET, "Internet", ("80",), "validation of certificates"),
    Allowed("issuers", _OUT, _NET, "Internet", ("443",), "keys of issuers of tokens"),
)
_CLASSIC_IN = (
    Allowed("management", _IN, "ApiManagement", _NET, ("3443",), "the management endpoint"),
    Allowed("balancer", _IN, "AzureLoadBalancer", _NET, ("6390",), "Azure's own load balancer"),
    Allowed("cache", _IN, _NET, _NET, ("6381-6383",), "the cache, between instances"),
    Allowed("counters", _IN, _NET, _NET, ("4290",), "counters of rate limits, between instances", "Udp"),
)

ROLES: Mapping[str, Role] = {
    "external": Role(
        29,
        None,
        (
            Allowed("clients", _IN, "Internet", _NET, ("443",), "clients"),
            *_CLASSIC_IN,
            *_CLASSIC_OUT,
        ),
    ),
    "internal": Role(29, None, (*_CLASSIC_IN, *_CLASSIC_OUT)),
    "integration": Role(
        27,
        "Microsoft.Web/serverFarms",
        (
            Allowed("storage", _OUT, _NET, "Storage", ("443",), "API Management keeps its files in Azure Storage"),
            Allowed("key-vault", _OUT, _NET, "AzureKeyVault", ("443",), "certificates and named values of Key Vault"),
            Allowed("issuers", _OUT, _NET, "Internet", ("443",), "keys of issuers of tokens"),
        ),
    ),
}
"""Of the subnet of API Management: a classic tier reached from outside or inside, or a v2 tier that reaches out."""

_LAST = 4096


def cidr_problems(cidr: str) -> Iterator[str]:
    """What is wrong with the range of a network to create."""
    try:
        whole = IPv4Network(cidr)
    except ValueError:
        yield f"`{cidr}` is no range; write it like 10.0.0.0/16"
        return
    if whole.prefixlen > 22 or not whole.is_private:
        yield f"`{whole}` should be a private range of /22 or larger"


def gateway_rules(role: Role, cidr: str) -> tuple[dict[str, Any], ...]:
    """The rules of a gateway's subnet. What comes in and is not named is denied."""
    allowed = [_rule(item, priority) for item, priority in zip(role.rules, _priorities(), strict=False)]
    to_services = Allowed("services", _OUT, cidr, _NET, ("*",), "services in the network")
    return (*allowed, _rule(to_services, 4000), _denied(_IN), _denied(_OUT))


def services_rules(gateway: str, ports: Sequence[int]) -> tuple[dict[str, Any], ...]:
    """The rules of the services' subnet: the gateway and the balancer's probes, on the ports of services."""
    if not ports:
        return (_denied(_IN),)
    listed = tuple(str(port) for port in ports)
    return (
        _rule(Allowed("gateway", _IN, gateway, _NET, listed, "from the gateway"), 100),
        _rule(Allowed("probes", _IN, "AzureLoadBalancer", _NET, listed, "probes of the load balancer"), 110),
        _denied(_IN),
    )


def _priorities() -> Iterator[int]:
    """Ten apart, in the order of the table."""
    yield from range(100, 4000, 10)


def _rule(item: Allowed, priority: int) -> dict[str, Any]:
    ports = {"destination_port_ranges": list(item.ports)}
    if len(item.ports) == 1:
        ports = {"destination_port_range": item.ports[0]}
    return {
        "name": f"{item.name}-{'in' if item.direction == _IN else 'out'}",
        "description": item.what,
        "priority": priority,
        "direction": item.direction,
        "access": "Allow",
        "protocol": item.protocol,
        "source_address_prefix": item.source,
        "source_port_range": "*",
        "destination_address_prefix": item.destination,
        **ports,
    }


def _denied(direction: str) -> dict[str, Any]:
    """The last rule: Azure's own would let the whole network in, and everything out."""
    return {
        "name": f"nothing-else-{'in' if direction == _IN else 'out'}",
        "description": "what is not named above",
        "priority": _LAST,
        "direction": direction,
        "access": "Deny",
        "protocol": "*",
        "source_address_prefix": "*",
        "source_port_range": "*",
        "destination_address_prefix": "*",
        "destination_port_range": "*",
    }
