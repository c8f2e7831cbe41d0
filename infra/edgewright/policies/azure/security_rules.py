"""What rules of network security groups let through: read in either form, and in Azure's order of priorities."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Literal, TypeVar

from edgewright.policies.azure.identities import referring
from edgewright.policies.azure.words import says
from edgewright.policies.graph import Graph
from edgewright.policies.view import UNKNOWN, Unknown, View, Violation

GROUP = "azure-native:network:NetworkSecurityGroup"
RULE = "azure-native:network:SecurityRule"

Direction = Literal["Inbound", "Outbound"]
Breadth = Literal["any", "internet", "azure"]
"""How much an end of a rule means: every address, also those of the network (``any``), the tag ``Internet``, or all
machines of Azure, whoever rents them."""

Ports = tuple[tuple[int, int], ...]
"""Ranges, both ends in them."""

_ALL: Ports = ((0, 65535),)
_ANY = {"*", "any"}
_MOST = {4: 2**24, 6: 2**112}
"""Public addresses (a /8, a /16 of IPv6) above which ranges are as good as the internet: 0.0.0.0/1 is half of it."""
_PORTED = {"tcp", "udp", "*"}
_Network = TypeVar("_Network", IPv4Network, IPv6Network)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a rule lets through, as far as no rule before it denies it.

    view: the rule; peer: how much the other end means; protocol: ``tcp``, ``udp``, ``*`` or one without ports;
    ports: of the destination, none for a protocol without; rests_on: what the verdict rests on.
    """

    view: View
    peer: Breadth
    protocol: str
    ports: Ports
    rests_on: tuple[str, ...]

    @property
    def public(self) -> bool:
        """Whether the other end is the internet, or more."""
        return self.peer != "azure"

    @property
    def every(self) -> bool:
        """Whether all ports are open."""
        return self.ports == _ALL

    def hit(self, ports: Iterable[int]) -> list[int]:
        """Those of the ports that are open."""
        return [port for port in ports if any(first <= port <= last for first, last in self.ports)]

    def only(self, ports: Sequence[int]) -> bool:
        """Whether no other ports are open."""
        count = sum(last - first + 1 for first, last in self.ports)
        return len(self.hit(set(ports))) == count

    def fails(self, text: str) -> Violation:
        """It is against a rule."""
        ranges = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ports)
        what = "all ports" if self.every else f"ports {ranges}" if ranges else "what has no ports"
        protocol = "every protocol" if self.protocol == "*" else self.protocol.upper()
        return Violation(self.view.subject.urn, self.view.path, f"opens {what} ({protocol}) {text}", self.rests_on)


def openings(view: View, direction: Direction) -> Iterator[Opening]:
    """What a group, or a rule that stands alone, opens to the internet or to more than that.

    A denial with a smaller number, in the same group, closes what it covers wholly: every address, protocol and source
    port. One in another resource is not seen, so that what rests on it is reported.
    """
    rules = [view] if view.subject.type == RULE else view.children("securityRules")
    ours = [rule for rule in rules if says(rule, "direction", direction)]
    far, near = ends(direction)
    for rule in ours:
        if not says(rule, "access", "Allow"):
            continue
        peer = breadth(addresses(rule, far))
        protocol = _protocol(rule) if peer is not None else None
        if peer is None or protocol is None:
            continue
        ports = ports_of(rule) if protocol in _PORTED else ()
        if ports is None:
            continue
        before = _denials_before(rule, ours)
        for denial in before:
            if _closes(denial, rule, protocol, far, near):
                ports = _without(ports, ports_of(denial) or ())
        if ports or protocol not in _PORTED:
            rests_on = (rule.path, *_unsure(view, rules), *(one.path for one in before))
            yield Opening(rule, peer, protocol, ports, rests_on)


def in_order(stack: Graph, group: View, direction: Direction) -> list[View] | None:
    """The rules of a group for a direction, inline or alone, by priority; None where a part of that is not known."""
    alone = referring(stack, group, "networkSecurityGroupName", RULE)
    found: list[tuple[float, View]] = []
    known = group.count("securityRules") == len(group.children("securityRules"))
    for rule in (*group.children("securityRules"), *alone):
        way, priority = rule.text("direction"), rule.number("priority")
        if isinstance(way, Unknown) or isinstance(priority, Unknown):
            known = False
        elif (way or "").lower() == direction.lower():
            found.append((priority or 0, rule))
    if not known:
        group.note("securityRules", "are not all known yet")
        return None
    return [rule for _, rule in sorted(found, key=lambda item: item[0])]


def ends(direction: Direction) -> tuple[str, str]:
    """The prefixes of the properties of the other end, and of ours."""
    return ("source", "destination") if direction == "Inbound" else ("destination", "source")


def addresses(rule: View, end: str) -> list[str]:
    """The prefixes and tags of an end, small letters; application security groups are none."""
    return [word.lower() for key in (f"{end}AddressPrefix", f"{end}AddressPrefixes") for word in _words(rule, key)]


def ports_of(rule: View, end: str = "destination") -> Ports | None:
    """The ports of an end; None where what is known are none, which is noted."""
    found: list[tuple[int, int]] = []
    for key in (f"{end}PortRange", f"{end}PortRanges"):
        for word in _words(rule, key):
            ports = _range(word)
            if ports is None:
                rule.note(key, f"has `{word}`, which is no port")
            else:
                found.append(ports)
    return _joined(found) or None


def breadth(listed: Sequence[str]) -> Breadth | None:
    """How much prefixes and tags mean together; None for less than the internet."""
    if any(word in _ANY for word in listed):
        return "any"
    networks = [network for word in listed if (network := _network(word)) is not None]
    if _public([one for one in networks if isinstance(one, IPv4Network)]) > _MOST[4]:
        return "any"
    if _public([one for one in networks if isinstance(one, IPv6Network)]) > _MOST[6]:
        return "any"
    if "internet" in listed:
        return "internet"
    return "azure" if any(word.partition(".")[0] == "azurecloud" for word in listed) else None


def _public(networks: Sequence[_Network]) -> int:
    """How many public addresses ranges have together."""
    return sum(one.num_addresses for one in collapse_addresses(networks) if not one.is_private)


def covers_network(listed: Sequence[str]) -> bool:
    """Whether prefixes and tags cover the whole virtual network."""
    return breadth(listed) == "any" or "virtualnetwork" in listed


def denies_all(rule: View) -> bool:
    """Whether a rule denies whatever comes from anywhere, to all of the network."""
    return (
        says(rule, "access", "Deny")
        and breadth(addresses(rule, "source")) == "any"
        and covers_network(addresses(rule, "destination"))
        and _protocol(rule) == "*"
        and ports_of(rule) == _ALL
    )


def open_to_tcp(rule: View, port: int) -> bool:
    """Whether a rule is about TCP to a port, whatever it does with it."""
    return _protocol(rule) in {"tcp", "*"} and any(first <= port <= last for first, last in ports_of(rule) or ())


def _protocol(rule: View) -> str | None:
    found = rule.text("protocol")
    if not isinstance(found, str):
        return None
    return "*" if found.lower() in {"*", "any"} else found.lower()


def _words(rule: View, key: str) -> list[str]:
    """The texts of a property that is one or a list; numbers too, which some write for ports."""
    one = rule.text(key) if key.endswith(("Range", "Prefix")) else None
    if isinstance(one, Unknown):
        return []
    found = [one] if one is not None else list(rule.texts(key))
    count = rule.count(key) if one is None else 1
    if isinstance(count, int) and count > len(found):
        rule.note(key, "is not known yet, or is no list of texts")
    return [word.strip() for text in found for word in text.split(",")]


@lru_cache(maxsize=4096)
def _network(word: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(word, strict=False)
    except ValueError:
        return None


def _range(word: str) -> tuple[int, int] | None:
    if word == "*":
        return _ALL[0]
    first, _, last = word.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        return None


def _joined(ranges: Iterable[tuple[int, int]]) -> Ports:
    """Ranges in order, those that touch as one; port 0 is no port, so 1 to 65535 are all."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return _ALL if found in ([(0, 65535)], [(1, 65535)]) else tuple(found)


def _without(ports: Ports, closed: Ports) -> Ports:
    left = list(ports)
    for low, high in closed:
        left = [
            part
            for first, last in left
            for part in ((first, min(last, low - 1)), (max(first, high + 1), last))
            if part[0] <= part[1]
        ]
    return _joined(left)


def _denials_before(rule: View, rules: Sequence[View]) -> list[View]:
    """Denials that come before a rule, or may."""
    own = rule.number("priority")
    found: list[View] = []
    for other in rules:
        if other is not rule and says(other, "access", "Deny"):
            number = other.number("priority")
            if number is UNKNOWN or own is UNKNOWN or (number is not None and own is not None and number < own):
                found.append(other)
    return found


def _closes(denial: View, rule: View, protocol: str, far: str, near: str) -> bool:
    """Whether a denial covers all that a rule lets through on its ports."""
    if _protocol(denial) not in {"*", protocol} or ports_of(denial, "source") != _ALL:
        return False
    mine, ours = addresses(denial, near), addresses(rule, near)
    whole = breadth(mine) == "any" or (bool(mine) and set(ours) <= set(mine))
    return whole and breadth(addresses(denial, far)) in {"any", "internet"}


def _unsure(view: View, rules: Sequence[View]) -> tuple[str, ...]:
    """The list, where a rule in it is not known: it may be a denial."""
    if view.subject.type == RULE:
        return ()
    return () if view.count("securityRules") == len(rules) else ("securityRules",)
