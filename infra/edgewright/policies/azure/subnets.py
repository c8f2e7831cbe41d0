"""Subnets that services of API Management are in, and their network security groups."""

import re

from edgewright.policies.azure.identities import means
from edgewright.policies.azure.security_rules import GROUP
from edgewright.policies.graph import Graph
from edgewright.policies.view import View

NETWORK = "azure-native:network:VirtualNetwork"
SUBNET = "azure-native:network:Subnet"

_KEY = "virtualNetworkConfiguration"
SUBNET_ID = f"{_KEY}.subnetResourceId"
_IN_SUBNET = re.compile(r"/subnets/([^/]+)$", re.IGNORECASE)
_IN_NETWORK = re.compile(r"/virtualNetworks/([^/]+)/", re.IGNORECASE)


def subnet_of(stack: Graph, place: View) -> View | None:
    """The subnet that a service, or a region of it, is in: a resource, or an entry of a network's. None for none.

    One that is not in the stack, or not known yet, is remembered at the place.
    """
    if not place.has(SUBNET_ID):
        return None
    sources = _sources(place)
    text = _id(place)
    name, network = _part(_IN_SUBNET, text), _part(_IN_NETWORK, text)
    found = [one for one in stack.of(SUBNET) if one.subject.urn in sources and name in {"", *_names(one)}]
    for one in stack.of(NETWORK):
        if one.subject.urn in sources or network in _names(one):
            found += [part for part in one.children("subnets") if name in {"", _lower(part.text("name"))}]
            found += [part for part in stack.of(SUBNET) if name in _names(part) and _in(part, one)]
    if len({(one.subject.urn, one.path) for one in found}) == 1:
        return found[0]
    place.note(SUBNET_ID, "is of a subnet that is not in the stack, or not known yet")
    return None


def _sources(place: View) -> frozenset[str]:
    """What the id comes from: of a region a plan knows that by itself, the engine together with all regions."""
    refs = place.subject.refs
    whole = "additionalLocations" if place.path else _KEY
    return refs.get(place.path) or refs.get(whole, frozenset())


def _id(place: View) -> str:
    """The id as far as it is known, without a note that it is not: it may not be needed."""
    plain = View(place.subject)
    regions = {region.path: region for region in plain.children("additionalLocations")} if place.path else {}
    text = regions.get(place.path, plain).written(SUBNET_ID)
    return text if isinstance(text, str) else ""


def _part(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1).lower() if found else ""


def _names(view: View) -> set[str]:
    """What a resource is called in Azure, in small letters, as far as that is known."""
    plain = View(view.subject)
    found = (plain.text(key) for key in ("subnetName", "virtualNetworkName", "name") if _is_own(view, key))
    return {text.lower() for text in found if isinstance(text, str)}


def _is_own(view: View, key: str) -> bool:
    return view.subject.type == NETWORK or key != "virtualNetworkName"


def _in(subnet: View, network: View) -> bool:
    """Whether a subnet is one of a network."""
    if network.subject.urn in subnet.subject.refs.get("virtualNetworkName", ()):
        return True
    text = View(subnet.subject).text("virtualNetworkName")
    return isinstance(text, str) and text.lower() in _names(network)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def group_of(stack: Graph, subnet: View) -> View | None:
    """The network security group of a subnet, where it is in the stack; else that is remembered at the subnet."""
    if not subnet.has("networkSecurityGroup"):
        return None
    refs = subnet.subject.refs
    # A plan knows which entry of a network comes from where, the engine what all of them come from.
    sources = refs.get(subnet.path) or refs.get("subnets" if subnet.path else "networkSecurityGroup", frozenset())
    found = [one for one in stack.of(GROUP) if one.subject.urn in sources]
    if len(found) != 1:
        text = subnet.text("networkSecurityGroup.id")
        found = [one for one in found or stack.of(GROUP) if isinstance(text, str) and _named(one, text)]
    if len(found) == 1:
        return found[0]
    subnet.note("networkSecurityGroup.id", "is of a group that is not in the stack, or not known yet")
    return None


def _named(group: View, text: str) -> bool:
    """Whether an id is a group's: by the name that it says, or that the provider has made."""
    if group.has("networkSecurityGroupName"):
        return bool(means(text, group))
    return re.search(f"/{re.escape(group.subject.name)}[0-9a-f]{{8}}$", text, re.IGNORECASE) is not None
