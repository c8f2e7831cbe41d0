"""What each kind of subnet may be reached by and may reach: rules of network security groups, as data.

Azure's own rules let the whole network in and everything out. Here each direction ends with a denial instead, so that
what is not listed is closed; addresses of the platform (DNS, metadata, DHCP) are not subject to such rules. Where
everything may go out, SSH and Remote Desktop of the network may not: whoever is on one machine is not on all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses, ip_network
from itertools import islice
from typing import Any, Literal

CLASSIC = "Microsoft's 'Virtual network configuration reference: API Management', 2025-06"
V2 = "Microsoft's 'Integrate an Azure API Management instance with a private virtual network for outbound', 2025"
SELF_HOSTED = "Microsoft's 'Self-hosted gateway overview: connectivity', 2025"
AKS = "Microsoft's 'Outbound network and FQDN rules for AKS clusters'; 'Azure CNI Overlay: network security groups'"
APPLICATION_GATEWAY = "Microsoft's 'Application Gateway infrastructure configuration'"
REGISTRY = "Microsoft's 'Virtual network service tags': MicrosoftContainerRegistry depends on AzureFrontDoor.FirstParty"
BALANCER = "Microsoft's 'Azure Load Balancer health probes'"
CHOSEN = "edgewright's choice"

SELF = "<this subnet>"
"""Stands for the subnet's own range."""
NET = "VirtualNetwork"
INTERNET = "Internet"
PROBES = "AzureLoadBalancer"

_OUT = "Outbound"
_IN = "Inbound"
_LAST = 4096


@dataclass(frozen=True, slots=True)
class Allowed:
    """A rule that lets something through.

    peer: the other end, ours: this one; each a service tag, a range, or `SELF`. ports: as Azure writes them, always of
    the destination. why: the rule's description, at most 140 characters; source: where it is documented.
    """

    name: str
    direction: str
    peer: Any
    ports: tuple[str, ...]
    why: str
    source: str = CHOSEN
    protocol: str = "Tcp"
    ours: str = SELF


@dataclass(frozen=True, slots=True)
class Role:
    """What stands in a subnet.

    smallest: the longest prefix that it fits in, and sized_by whom; delegation: to whom, or None. inbound: whether
    anything comes in by the subnet at all. outbound: what may go out: ``listed`` (the rules and what the caller adds),
    ``open`` (all, always), ``open unless listed``, ``none``. probed: probes of a balancer come to the ports that are
    opened. address: what a rule sees as the destination of what comes in.
    """

    smallest: int
    sized_by: str
    delegation: str | None
    rules: tuple[Allowed, ...]
    inbound: bool = True
    outbound: Literal["listed", "open", "open unless listed", "none"] = "listed"
    probed: bool = False
    address: str = SELF


@dataclass(frozen=True, slots=True)
class Opening:
    """What the caller of a network lets through beyond the role. peer: a range, a service tag or a subnet's name."""

    name: str
    peer: Any
    ports: tuple[str, ...]
    protocol: str = "Tcp"
    why: str = ""


# The reference gives VirtualNetwork for API Management's own end, and Azure checks these rules: they stay as written.
def _classic(name: str, direction: str, peer: str, ports: tuple[str, ...], why: str, protocol: str = "Tcp") -> Allowed:
    return Allowed(name, direction, peer, ports, why, CLASSIC, protocol, NET)


_CLASSIC = (
    _classic("management", _IN, "ApiManagement", ("3443",), "the management endpoint"),
    _classic("balancer", _IN, PROBES, ("6390",), "Azure's own load balancer"),
    _classic("cache", _IN, NET, ("6381-6383",), "the cache, between instances"),
    _classic("counters", _IN, NET, ("4290",), "counters of rate limits, between instances", "Udp"),
    _classic("storage", _OUT, "Storage", ("443",), "API Management keeps its files in Azure Storage"),
    _classic("sql", _OUT, "Sql", ("1433",), "API Management keeps its settings in Azure SQL"),
    _classic("key-vault", _OUT, "AzureKeyVault", ("443",), "certificates and named values of Key Vault"),
    _classic("monitor", _OUT, "AzureMonitor", ("1886", "443"), "logs and metrics"),
    _classic("certificates", _OUT, INTERNET, ("80",), "validation of certificates"),
    _classic("issuers", _OUT, INTERNET, ("443",), "keys of issuers of tokens; certificates, Entra, diagnostics"),
    _classic("time", _OUT, INTERNET, ("123",), "time", "Udp"),
    # The reference names no destination; Azure's own addresses are the narrowest that can hold it (*unverified*).
    _classic("diagnostics", _OUT, "AzureCloud", ("12000",), "diagnostics of API Management's machines"),
    _classic("cache", _OUT, NET, ("6381-6383",), "the cache, between instances"),
    _classic("counters", _OUT, NET, ("4290",), "counters of rate limits, between instances", "Udp"),
)

_GATEWAY_OUT = (
    # What the tags do not cover of it, the rule for issuers does; the tags say what is needed should that be narrowed.
    Allowed("configuration", _OUT, "ApiManagement", ("443",), "configuration of the gateway", SELF_HOSTED),
    Allowed(
        "key-vault", _OUT, "AzureKeyVault", ("443",), "the certificate that the gateway signs in with", SELF_HOSTED
    ),
    Allowed("entra", _OUT, "AzureActiveDirectory", ("443",), "sign-in to API Management", SELF_HOSTED),
    Allowed("storage", _OUT, "Storage", ("443",), "quotas and calls that API Management records", SELF_HOSTED),
    Allowed("registry", _OUT, "MicrosoftContainerRegistry", ("443",), "the gateway's image", REGISTRY),
    Allowed("registry-data", _OUT, "AzureFrontDoor.FirstParty", ("443",), "layers of images", REGISTRY),
    Allowed("monitor", _OUT, "AzureMonitor", ("443",), "logs and metrics", SELF_HOSTED),
)

ROLES: Mapping[str, Role] = {
    # -- API Management, classic tiers, injected: reached from outside, or only from where `open_to` says.
    "external": Role(
        29,
        CLASSIC,
        None,
        (_classic("clients", _IN, INTERNET, ("443",), "clients"), *_CLASSIC),
        address=NET,
    ),
    "internal": Role(29, CLASSIC, None, _CLASSIC, address=NET),
    # -- API Management, v2 tiers: reaches out by the subnet; rules for what comes in have no effect.
    "integration": Role(
        27,
        V2,
        "Microsoft.Web/serverFarms",
        (
            Allowed(
                "storage", _OUT, "Storage", ("443",), "API Management keeps its files in Azure Storage", V2, ours=NET
            ),
            Allowed("key-vault", _OUT, "AzureKeyVault", ("443",), "certificates and named values", V2, ours=NET),
            Allowed("issuers", _OUT, INTERNET, ("443",), "keys of issuers of tokens", ours=NET),
        ),
        inbound=False,
    ),
    # -- Self-hosted gateways on a scale set, behind a public balancer.
    "machines": Role(
        28,
        CHOSEN,  # 11 addresses: six machines, and those of an upgrade beside them
        None,
        (
            Allowed("clients", _IN, INTERNET, ("8081",), "clients; the balancer keeps their address", SELF_HOSTED),
            Allowed("probes", _IN, PROBES, ("8080",), "the balancer asks the status path", BALANCER),
            Allowed("counters", _IN, SELF, ("4290", "4291"), "counters and heartbeat of gateways", SELF_HOSTED, "Udp"),
            Allowed("counters", _OUT, SELF, ("4290", "4291"), "counters and heartbeat of gateways", SELF_HOSTED, "Udp"),
            *_GATEWAY_OUT,
            Allowed("packages", _OUT, INTERNET, ("80", "443"), "package archives, keys of issuers of tokens"),
        ),
    ),
    # -- Nodes of AKS. What they need has names, not addresses, so that HTTPS cannot be narrowed by such rules (AKS).
    "kubernetes": Role(
        27,
        CHOSEN,  # 27 addresses: nodes, those of an upgrade beside them, and internal balancers
        None,
        (
            Allowed("balancer", _IN, PROBES, ("*",), "probes, on ports that Kubernetes chooses", BALANCER, "*", "*"),
            Allowed("cluster", _IN, SELF, ("*",), "nodes among themselves; AKS supports no less", AKS, "*"),
            Allowed("cluster", _OUT, SELF, ("*",), "nodes among themselves; AKS supports no less", AKS, "*"),
            Allowed("control", _OUT, "AzureCloud", ("1194",), "tunnel to the control plane", AKS, "Udp"),
            Allowed("control-tcp", _OUT, "AzureCloud", ("9000",), "tunnel to the control plane", AKS),
            Allowed("https", _OUT, INTERNET, ("443",), "API server, registry, Azure, Entra, issuers of tokens", AKS),
            Allowed("packages", _OUT, INTERNET, ("80",), "security updates of nodes", AKS),
            Allowed("time", _OUT, INTERNET, ("123",), "time", AKS, "Udp"),
        ),
        # The balancer of AKS keeps the address (floating IP): a rule sees the service's, not the node's.
        address="*",
    ),
    "application-gateway": Role(
        27,
        CHOSEN,  # Microsoft advises /24, for 125 instances; this holds ten, and as many beside them in maintenance
        None,
        (
            Allowed("clients", _IN, INTERNET, ("443",), "clients", APPLICATION_GATEWAY),
            Allowed(
                "manager", _IN, "GatewayManager", ("65200-65535",), "Azure's management", APPLICATION_GATEWAY, ours="*"
            ),
            Allowed("balancer", _IN, PROBES, ("*",), "Azure's own load balancer", APPLICATION_GATEWAY, "*", "*"),
        ),
        # "Outbound internet connectivity can't be blocked": no rule may deny anything there.
        outbound="open",
    ),
    "private-endpoints": Role(29, "Azure's smallest subnet", None, (), outbound="none"),
    # -- What stands behind the gateway. What it needs of the world, only its owner knows.
    "services": Role(29, "Azure's smallest subnet", None, (), outbound="open unless listed", probed=True),
}
"""By role: API Management (``external``, ``internal``, ``integration``), self-hosted gateways (``machines``,
``kubernetes``), ``application-gateway``, ``private-endpoints`` and ``services``."""


# -- ranges ------------------------------------------------------------------------------------------------------------


def cidr_problems(cidr: str) -> Iterator[str]:
    """What is wrong with the range of a network that a topology divides by `slots`."""
    whole = _network(cidr)
    if whole is None:
        yield f"`{cidr}` is no range; write it like 10.0.0.0/16"
    elif whole.prefixlen > 22 or not _private(whole):
        yield f"`{whole}` should be a private range of /22 or larger"


def slots(cidr: str, count: int = 8) -> tuple[str, ...]:
    """The first /24s of a network, in order; a topology gives each of its subnets one, and never another later.

    The gateway has the first, services have the second. A network of less than ``count`` /24s has fewer.
    """
    return tuple(str(one) for one in islice(IPv4Network(cidr).subnets(new_prefix=24), count))


def range_problems(cidr: str, subnets: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the ranges of a network and of its subnets, by name."""
    whole = _network(cidr)
    if whole is None:
        yield f"`{cidr}` is no range; write it like 10.0.0.0/16"
    elif not _private(whole) or not 2 <= whole.prefixlen <= 29:
        yield f"`{whole}` should be a private range of /29 or larger"
    ranges = {name: _network(given) for name, given in subnets.items()}
    yield from (
        f"subnet `{name}`: `{subnets[name]}` is no range; write it like 10.0.0.0/24"
        for name, found in ranges.items()
        if found is None
    )
    known = {name: found for name, found in ranges.items() if found is not None}
    for name, found in known.items():
        if whole is not None and not found.subnet_of(whole):
            yield f"subnet `{name}`: {found} is not in the network's {whole}"
    names = list(known)
    for at, name in enumerate(names):
        for other in names[at + 1 :]:
            if known[name].overlaps(known[other]):
                yield f"subnets `{name}` and `{other}` overlap: {known[name]} and {known[other]}"


def existing_subnet_problems(role: str, *, cidr: str | None, delegation: str | None) -> list[str]:
    """What is wrong with an existing subnet for what shall stand in it, as a stack describes it.

    cidr: its range; delegation: whom it is delegated to, ``none`` for nobody; each None where the stack does not say.
    """
    if role not in ROLES:
        return [_no_role(role)]
    found = [] if cidr is None else list(_size_problems(role, cidr))
    wanted = ROLES[role].delegation or "nobody"
    given = "nobody" if (delegation or "").lower() == "none" else delegation
    if given is not None and given.lower() != wanted.lower():
        found.append(f"it is delegated to {given}; for `{role}` it should be delegated to {wanted}")
    return found


def _size_problems(role: str, cidr: str) -> Iterator[str]:
    found = _network(cidr)
    smallest = ROLES[role].smallest
    if found is None:
        yield f"`{cidr}` is no range; write it like 10.0.0.0/24"
    elif found.prefixlen > smallest:
        yield f"{found} is too small for `{role}`; it needs /{smallest} or larger ({ROLES[role].sized_by})"


def _network(cidr: str) -> IPv4Network | None:
    try:
        return IPv4Network(cidr)
    except ValueError:
        return None


_PRIVATE = tuple(IPv4Network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


def _private(found: IPv4Network) -> bool:
    """Of RFC 1918 or RFC 6598, which Azure takes for networks."""
    return any(found.subnet_of(one) for one in _PRIVATE)


# -- openings ----------------------------------------------------------------------------------------------------------

_TAG = re.compile(r"[A-Z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,69}[A-Za-z0-9_])?")
"""Of subnets (80 at most) and of rules, which get an ending; the shorter limit is kept for both."""
_PROTOCOLS = ("Tcp", "Udp", "*")
_OURS = {"dns", "dns-tcp", "pods", "nodes-to-pods", "probes", "management", "nothing-else"}
_MOST = 250
"""Openings of a direction: Azure has 1,000 rules and priorities to 4096; ours are ten apart."""


def subnet_problems(
    name: str,
    role: str,
    cidr: str,
    *,
    open_to: Sequence[Opening] = (),
    reaches: Sequence[Opening] = (),
    subnets: Mapping[str, str],
    pods: str | None = None,
) -> Iterator[str]:
    """What is wrong with a subnet of a network; subnets: ranges by name, of the whole network."""
    what = f"subnet `{name}`"
    if _NAME.fullmatch(name) is None:
        yield f"{what}: that is no name for Azure: 1 to 71 letters, digits, `.`, `_` and `-`"
    if role not in ROLES:
        yield f"{what}: {_no_role(role)}"
        return
    if _network(cidr) is not None:
        yield from (f"{what}: {problem}" for problem in _size_problems(role, cidr))
    found = ROLES[role]
    if open_to and not found.inbound:
        yield f"{what}: nothing comes in by a subnet of `{role}`; leave `open_to` out"
    if reaches and found.outbound == "open":
        yield f"{what}: Azure takes no limits of what leaves a subnet of `{role}`; leave `reaches` out"
    if reaches and found.outbound == "none":
        yield f"{what}: `{role}` begin no connections; leave `reaches` out"
    if pods is not None and role != "kubernetes":
        yield f"{what}: `pods` is for kubernetes"
    elif pods is not None and _network(pods) is None:
        yield f"{what}: pods `{pods}` is no range; write it like 10.244.0.0/16"
    for which, direction, given in (("open_to", _IN, open_to), ("reaches", _OUT, reaches)):
        if len(given) > _MOST:
            yield f"{what}: {which} has {len(given)} entries; {_MOST} at most"
        own = {item.name for item in found.rules if item.direction == direction} | _OURS
        yield from _opening_problems(f"{what}, {which}", given, own, subnets)


def _opening_problems(what: str, given: Sequence[Opening], own: set[str], subnets: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set(own)
    for item in given:
        where = f"{what} `{item.name}`"
        if _NAME.fullmatch(item.name) is None:
            yield f"{where}: that is no name for Azure: 1 to 71 letters, digits, `.`, `_` and `-`"
        if item.name.lower() in seen:
            yield f"{where}: there is another rule of that name; choose another one"
        seen.add(item.name.lower())
        if item.protocol not in _PROTOCOLS:
            yield f"{where}: there is no protocol `{item.protocol}`; there are {', '.join(_PROTOCOLS)}"
        if len(item.why) > 140:
            yield f"{where}: `why` has {len(item.why)} characters; Azure takes 140"
        if isinstance(item.peer, str):
            yield from _peer_problems(where, item.peer, subnets)
        if not item.ports:
            yield f"{where}: no ports; write `*` for all"
        yield from (f"{where}: `{port}` is no port and no range of ports" for port in item.ports if not _is_port(port))


def _peer_problems(where: str, peer: str, subnets: Mapping[str, str]) -> Iterator[str]:
    if peer in subnets or _TAG.fullmatch(peer):
        return
    if peer in ("*", "0.0.0.0/0"):
        yield f"{where}: `{peer}` is everything; say which: {INTERNET}, {NET}, a range or a subnet"
        return
    try:
        ip_network(peer)
    except ValueError:
        names = ", ".join(subnets)
        yield f"{where}: `{peer}` is no range, no service tag (as AzureMonitor) and no subnet; subnets are {names}"


def _is_port(text: Any) -> bool:
    if text == "*":
        return True
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text) if isinstance(text, str) else None
    if match is None:
        return False
    first, last = int(match[1]), int(match[2] or match[1])
    return 0 < first <= last <= 65535


def _no_role(role: str) -> str:
    return f"there is no role `{role}`; there are {', '.join(ROLES)}"


# -- rules -------------------------------------------------------------------------------------------------------------


def rules_of(
    role: Role,
    cidr: str,
    *,
    open_to: Sequence[Opening] = (),
    reaches: Sequence[Opening] = (),
    subnets: Mapping[str, str],
    dns_servers: Sequence[str] = (),
    pods: str | None = None,
) -> tuple[dict[str, Any], ...]:
    """The rules of a subnet's security group: those of its role, what is opened, and a denial of all else.

    dns_servers: a network's own; they are reached by an ordinary way, unlike Azure's.
    """
    listed = role.outbound in ("listed", "none") or (role.outbound == "open unless listed" and bool(reaches))
    last = [_denied(_OUT)] if listed else [_management_denied()] if role.outbound == "open unless listed" else []
    coming = [*(_opened(item, _IN, role.address, subnets) for item in open_to), *_probed(role, open_to)]
    going = [_opened(item, _OUT, SELF, subnets) for item in reaches]
    fixed = [*role.rules, *_pods(pods)]
    ins = [item for item in fixed if item.direction == _IN]
    outs = [item for item in fixed if item.direction == _OUT]
    if listed and role.outbound != "none":
        outs += _dns(dns_servers)
    return (
        *_numbered([*ins], 100, cidr),
        *_numbered(coming, 1000, cidr),
        _denied(_IN),
        *_numbered([*outs], 100, cidr),
        *_numbered(going, 1000, cidr),
        *last,
    )


def reaches_out(role: Role, reaches: Sequence[Opening], subnets: Mapping[str, str]) -> bool:
    """Whether a subnet needs a way out of the network: a NAT gateway, since it has no other by default."""
    if role.outbound == "open":
        return False  # an application gateway has its own address
    if role.outbound == "open unless listed" and not reaches:
        return True
    going = [item.peer for item in role.rules if item.direction == _OUT and item.peer != SELF]
    return any(_outside(peer, subnets) for peer in (*going, *(item.peer for item in reaches)))


def _outside(peer: Any, subnets: Mapping[str, str]) -> bool:
    if not isinstance(peer, str):
        return True
    if peer in subnets or peer == NET:
        return False
    found = _network(peer)
    return found is None or not _private(found)


def _opened(item: Opening, direction: str, ours: str, subnets: Mapping[str, str]) -> Allowed:
    peer = subnets.get(item.peer, item.peer) if isinstance(item.peer, str) else item.peer
    word = "from" if direction == _IN else "to"
    named = item.peer if isinstance(item.peer, str) else "elsewhere"
    why = item.why or f"{word} {named}"
    return Allowed(item.name, direction, peer, item.ports, why, CHOSEN, item.protocol, ours)


def _probed(role: Role, open_to: Sequence[Opening]) -> Iterator[Allowed]:
    """Probes of a balancer, on the ports that are opened."""
    ports = list(dict.fromkeys(port for item in open_to for port in item.ports))
    if role.probed and ports:
        ports = ["*"] if "*" in ports else ports
        yield Allowed("probes", _IN, PROBES, tuple(ports), "probes of the load balancer", BALANCER)


def _pods(pods: str | None) -> Iterator[Allowed]:
    """An overlay's pods: what they send to one another is not encapsulated, and is subject to the subnet's rules."""
    if pods is None:
        return
    why = "pods among themselves, with their own addresses"
    yield Allowed("pods", _IN, pods, ("*",), why, AKS, "*", pods)
    yield Allowed("pods", _OUT, pods, ("*",), why, AKS, "*", pods)
    yield Allowed("nodes-to-pods", _IN, SELF, ("*",), "nodes to pods", AKS, "*", pods)
    yield Allowed("nodes-to-pods", _OUT, pods, ("*",), "nodes to pods", AKS, "*")


def _dns(servers: Sequence[str]) -> list[Allowed]:
    if not servers:
        return []
    peers = [str(one) for one in collapse_addresses(IPv4Network(server) for server in servers)]
    return [
        Allowed(name, _OUT, peers, ("53",), "the network's own DNS servers", CHOSEN, protocol)
        for name, protocol in (("dns", "Udp"), ("dns-tcp", "Tcp"))
    ]


def dns_problems(servers: Sequence[Any]) -> Iterator[str]:
    """What is wrong with a network's own DNS servers."""
    for server in servers:
        try:
            IPv4Address(server)
        except ValueError:
            yield f"dns_servers: `{server}` is no address"


def _numbered(items: Sequence[Allowed], first: int, cidr: str) -> Iterator[dict[str, Any]]:
    """Priorities ten apart, in the order of the table."""
    for at, item in enumerate(items):
        yield _rule(item, first + 10 * at, cidr)


def _rule(item: Allowed, priority: int, cidr: str) -> dict[str, Any]:
    ends = {"source": item.peer, "destination": item.ours}
    if item.direction == _OUT:
        ends = {"source": item.ours, "destination": item.peer}
    ports: dict[str, Any] = {"destination_port_ranges": list(item.ports)}
    if len(item.ports) == 1:
        ports = {"destination_port_range": item.ports[0]}
    return {
        "name": f"{item.name}-{'in' if item.direction == _IN else 'out'}",
        "description": item.why,
        "priority": priority,
        "direction": item.direction,
        "access": "Allow",
        "protocol": item.protocol,
        **_end("source", ends["source"], cidr),
        "source_port_range": "*",
        **_end("destination", ends["destination"], cidr),
        **ports,
    }


def _end(which: str, peer: Any, cidr: str) -> dict[str, Any]:
    if isinstance(peer, list):
        return {f"{which}_address_prefixes": peer}
    return {f"{which}_address_prefix": cidr if isinstance(peer, str) and peer == SELF else peer}


def _management_denied() -> dict[str, Any]:
    """Where all else may go out: no way on from machine to machine."""
    why = "SSH and Remote Desktop of the network; whoever needs them lists what the subnet reaches"
    return _denial("management-out", why, _OUT, "Tcp", NET, {"destination_port_ranges": ["22", "3389"]})


def _denied(direction: str) -> dict[str, Any]:
    """The last rule: Azure's own would let the whole network in, and everything out."""
    name = f"nothing-else-{'in' if direction == _IN else 'out'}"
    return _denial(name, "what is not named above", direction, "*", "*", {"destination_port_range": "*"})


def _denial(
    name: str, why: str, direction: str, protocol: str, destination: str, ports: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "description": why,
        "priority": _LAST,
        "direction": direction,
        "access": "Deny",
        "protocol": protocol,
        "source_address_prefix": "*",
        "source_port_range": "*",
        "destination_address_prefix": destination,
        **ports,
    }
