"""Resolves the web application firewall: address lists are checked and brought to one form."""

import ipaddress

from edgewright.edge.collect import Collector
from edgewright.edge.model import Waf
from edgewright.spec.model import EdgeSpec


def resolve_waf(spec: EdgeSpec, collect: Collector) -> Waf | None:
    """The firewall, or None; an address range that is none is an error, one with host bits set too."""
    waf = spec.waf
    if waf is None:
        return None
    allow = _ranges(waf.allow, "allow", collect)
    deny = _ranges(waf.deny, "deny", collect)
    for text in sorted(set(allow) & set(deny)):
        collect.error(
            ("waf", "deny"),
            f"`{text}` is allowed and denied",
            "keep it in one of the lists",
            code="waf-conflict",
        )
    rate = (waf.rate_per_ip.requests, waf.rate_per_ip.seconds) if waf.rate_per_ip else None
    return Waf(waf.mode, waf.managed, allow, deny, rate, collect.origin(("waf",)))


def _ranges(texts: tuple[str, ...], field: str, collect: Collector) -> tuple[str, ...]:
    found: list[str] = []
    for index, text in enumerate(texts):
        path = ("waf", field, index)
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            collect.error(path, f"`{text}` is not an address range", "write it like `10.0.0.0/8`", code="cidr")
            continue
        if str(network) != str(ipaddress.ip_interface(text)):
            collect.error(path, f"`{text}` has bits set beyond its prefix", f"write `{network}`", code="cidr")
            continue
        found.append(str(network))
    return tuple(found)
