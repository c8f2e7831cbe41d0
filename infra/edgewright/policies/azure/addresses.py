"""Addresses of backends: by which protocol, and whether they can be only inside of a network."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from edgewright.plan.tokens import stands_in

_ADDRESS = re.compile(r"\s*(?P<scheme>[A-Za-z][\w+.-]*)://(?:[^/?#@]*@)?(?P<host>\$\{[^{}]*\}|\[[^\]]*\]|[^:/?#]*)")
# What a plan has for the address of a balancer's frontend, a network interface or a private endpoint.
_PRIVATE_TOKEN = re.compile(r"\.privateIPAddress(es)?(\[\d+\])?\}$", re.IGNORECASE)

_OWN = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
_OWN_4 = tuple(IPv4Network(text) for text in _OWN)
_OWN_6 = tuple(IPv6Network(text) for text in ("fc00::/7", "fe80::/10", "::1/128"))
"""RFC 1918, 6598, 1122, 3927, 4193 and 4291. (Python counts addresses of documentation as private too.)"""


def is_own(text: str) -> bool:
    """Whether an address or a prefix is in networks of one's own only. A text that is neither is not."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return False
    if isinstance(network, IPv6Network):
        return any(network.subnet_of(own) for own in _OWN_6)
    return any(network.subnet_of(own) for own in _OWN_4)


@dataclass(frozen=True, slots=True)
class Address:
    """scheme and host in small letters; a host that a plan does not know yet is its token."""

    scheme: str
    host: str

    def private(self, suffixes: Iterable[str]) -> bool | None:
        """Whether nobody outside of a network can be meant; None where the host is not known yet.

        suffixes: of names that are resolved inside only.
        """
        if stands_in(self.host):
            return True if _PRIVATE_TOKEN.search(self.host) else None
        if "{{" in self.host:  # a named value
            return None
        host = self.host.strip("[]")
        if ":" in host or host.replace(".", "").isdigit():
            return is_own(host)
        return "." not in host or host.endswith(tuple(suffixes))


@lru_cache(maxsize=512)
def address(text: str) -> Address | None:
    """The address in a text; None where it has no scheme, as behind a named value (``{{orders}}``)."""
    found = _ADDRESS.match(text)
    if found is None:
        return None
    host = found["host"]
    return Address(found["scheme"].lower(), host if stands_in(host) else host.lower().rstrip("."))
