"""What the ranges, version and pools of an AKS cluster may be, and what its kubeconfig must be; no Pulumi import.

Sources: Microsoft's pages on Azure CNI Overlay (a /24 of the pods' range for each node; ranges that are reserved),
system node pools, pools over zones, and authorized ranges of the API server; kubelogin's README. Read 2026-11.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any, cast

import yaml

from edgewright.azure.kubernetes_objects import OLDEST

RESERVED = tuple(map(IPv4Network, ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")))
"""Ranges that a cluster uses by itself."""

AUTHORIZED_RANGES = 200
LOGINS = ("azurecli", "devicecode", "msi", "spn", "workloadidentity")
"""How kubelogin gets a token; none is in the kubeconfig."""

AZURE_KEEPS = 5
"""Addresses of a subnet that are Azure's."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A node pool as it counts: nodes at least and at most, and how many come on top while it is upgraded."""

    name: str
    least: int
    most: int
    surge_percent: int = 33

    @property
    def peak(self) -> int:
        """Nodes at most, during an upgrade."""
        return self.most + -(-self.most * self.surge_percent // 100)


def version_problems(version: str) -> Iterator[str]:
    """Minor versions alone: patches are AKS's own to choose, and a patch written here would be set back to."""
    found = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)?", version)
    if found is None:
        yield f"kubernetes_version is {version!r}; write a minor version such as 1.34"
    elif found[3]:
        yield f"kubernetes_version is {version!r}; write {found[1]}.{found[2]}, as AKS upgrades patches by itself"
    elif (int(found[1]), int(found[2])) < OLDEST:
        yield f"kubernetes_version is {version!r}; the gateway's objects need {OLDEST[0]}.{OLDEST[1]} or newer"


def name_problems(name: str) -> Iterator[str]:
    """A cluster's own name."""
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", name) is None:
        yield f"cluster_name is {name!r}; it must be 1 to 63 letters, digits, `-` and `_`, no `-` or `_` at an end"


def pool_problems(pool: Pool, zones: Sequence[str], *, production: bool) -> Iterator[str]:
    """Counts against zones: each must have a node, or a zone that fails takes all with it."""
    what = f"{pool.name}_pool"
    need = max(len(zones), 1) if production else 1
    if pool.least < need:
        why = f"one for each of {len(zones)} zones" if need > 1 else "a pool is not empty"
        yield f"{what}.min_count is {pool.least}; there must be {need} at least, {why}"
    if not pool.least <= pool.most <= 1000:
        yield f"{what}.max_count is {pool.most}; it must be from min_count, {pool.least}, to 1000"


def range_problems(ranges: Mapping[str, str], dns_service_ip: str | None, pools: Sequence[Pool]) -> Iterator[str]:
    """Ranges by argument: ``subnet_cidr``, ``network_cidr`` (if said), ``pod_cidr``, ``service_cidr``."""
    read: dict[str, IPv4Network] = {}
    for name, text in ranges.items():
        try:
            read[name] = IPv4Network(text)
        except ValueError:
            yield f"{name} is {text!r}; write a range like 10.0.0.0/16"
    yield from _overlaps(read)
    yield from _sizes(read, pools)
    services = read.get("service_cidr")
    if dns_service_ip is not None and services is not None:
        yield from _dns_problems(dns_service_ip, services)


def _overlaps(read: Mapping[str, IPv4Network]) -> Iterator[str]:
    names = list(read)
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            if {first, second} == {"subnet_cidr", "network_cidr"}:
                continue
            if read[first].overlaps(read[second]):
                yield f"{first} {read[first]} and {second} {read[second]} overlap: packets would be lost between them"
        for taken in RESERVED:
            if read[first].overlaps(taken):
                yield f"{first} {read[first]} overlaps {taken}, which a cluster uses by itself"
    subnet, network = read.get("subnet_cidr"), read.get("network_cidr")
    if subnet is not None and network is not None and not subnet.subnet_of(network):
        yield f"subnet_cidr {subnet} is not in network_cidr {network}"


def _sizes(read: Mapping[str, IPv4Network], pools: Sequence[Pool]) -> Iterator[str]:
    peak = sum(pool.peak for pool in pools)
    services, pods, subnet = (read.get(name) for name in ("service_cidr", "pod_cidr", "subnet_cidr"))
    if services is not None and services.prefixlen < 12:
        yield f"service_cidr {services} is too large: /12 at most"
    if pods is not None and pods.num_addresses // 256 < peak:
        yield f"pod_cidr {pods} is too small: each of {peak} nodes (at most, while upgraded) takes a /24"
    if subnet is not None and subnet.num_addresses - AZURE_KEEPS < peak:
        room = max(subnet.num_addresses - AZURE_KEEPS, 0)
        yield f"subnet_cidr {subnet} has room for {room} nodes; there are up to {peak} while pools are upgraded"


def _dns_problems(address: str, services: IPv4Network) -> Iterator[str]:
    try:
        found = IPv4Address(address)
    except AddressValueError:
        yield f"dns_service_ip is {address!r}, which is no IPv4 address"
        return
    if found not in services or found == services[0] or found == services[1] or found == services[-1]:
        yield f"dns_service_ip {found} must be in service_cidr {services}, and not its first two or its last address"


def dns_service_ip(service_cidr: str) -> str:
    """The tenth address of the services' range, as is the custom."""
    return str(IPv4Network(service_cidr)[10])


def authorized_problems(ranges: Sequence[str]) -> Iterator[str]:
    """Of the texts that are known."""
    if len(ranges) > AUTHORIZED_RANGES:
        yield f"api_server.authorized_ranges has {len(ranges)}; there may be {AUTHORIZED_RANGES}"
    for text in ranges:
        try:
            found = IPv4Network(text)
        except ValueError:
            yield f"api_server.authorized_ranges has {text!r}; write an IPv4 address or range"
            continue
        if found.prefixlen == 0:
            yield "api_server.authorized_ranges has 0.0.0.0/0, which is everybody: say `open: True` if that is meant"


class KubeconfigError(ValueError):
    """A kubeconfig with credentials of its own."""


def kubeconfig(text: str, login: str) -> str:
    """A kubeconfig of AKS whose user logs in by kubelogin in another way; the same text otherwise.

    AKS writes ``devicecode``, at which an unattended run would wait for ever. Raises KubeconfigError when a user has a
    certificate, a token or a password: then the cluster still has local accounts, which nobody can tell apart.
    """
    document: Any = yaml.safe_load(text)
    if not isinstance(document, dict):  # what stands in for it in a plan
        return text
    users: list[Any] = cast("Mapping[str, Any]", document).get("users") or []
    for entry in users:
        user: dict[str, Any] = entry.get("user") or {}
        own = sorted({"client-certificate-data", "client-key-data", "password", "token"} & set(user))
        if own or "exec" not in user:
            raise KubeconfigError(
                f"the kubeconfig has {', '.join(own) or 'no login'} for a user: the cluster has local accounts; "
                "disable them and turn on Entra, or give a kubeconfig of your own"
            )
        user["exec"]["args"] = _with_login(user["exec"].get("args") or [], login)
    return yaml.safe_dump(document, sort_keys=False)


def _with_login(args: Sequence[str], login: str) -> list[str]:
    rest = list(args)
    for flag in ("--login", "-l"):
        if flag in rest:
            at = rest.index(flag)
            del rest[at : at + 2]
    return [*(item for item in rest if not item.startswith("--login=")), "--login", login]
