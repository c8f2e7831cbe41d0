"""Addresses of backends: by which protocol, and whether they can be only inside of a network."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from edgewright.plan.tokens import stands_in

_ADDRESS = re.compile(r"\s*(?P<scheme>[A-Za-z][\w+.-]*)://(?:[^/?#@]*@)?(?P<host>\$\{[^{}]*\}|\[[^\]]*\]|[^:/?#]*)")
# What a plan has for the address of a balancer's frontend, a network interface or a private endpoint.
_PRIVATE_TOKEN = re.compile(r"\.privateIPAddress(es)?(\[\d+\])?\}$", re.IGNORECASE)


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
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_private
        except ValueError:
            return "." not in self.host or self.host.endswith(tuple(suffixes))


@lru_cache(maxsize=512)
def address(text: str) -> Address | None:
    """The address in a text; None where it has no scheme, as behind a named value (``{{orders}}``)."""
    found = _ADDRESS.match(text)
    if found is None:
        return None
    host = found["host"]
    return Address(found["scheme"].lower(), host if stands_in(host) else host.lower().rstrip("."))
