"""What a Standard Load Balancer takes, checked before anything is made, and how many ports its machines get; pure.

Source, unless said otherwise: Microsoft's pages on Azure Load Balancer ("Outbound rules", "Backend pool management",
"Inbound NAT rules", "Global Load Balancer", "Multiple frontends") and the schema of Microsoft.Network, read 2026-11.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from edgewright.azure.network_regions import GLOBAL_HOMES, short, zone_problems

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
"""Of a balancer and of its parts (Microsoft's naming rules)."""

PORTS = 64000
"""Of each address of a frontend, for connections of machines to the world."""

_DOMAIN = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
_VERSIONS = {"IPv4": 4, "IPv6": 6}
_SIZES = {"IPv4": (28, 31, 32), "IPv6": (124, 127, 128)}
_FRONTEND_KINDS = ("subnet_id", "public_ip_address_id", "public_ip_prefix_id", "from_prefix_id")
_POOL_KINDS = ("addresses", "frontends", "id")

Args = Mapping[str, Any]


# -- what follows from the arguments -----------------------------------------------------------------------------------


def is_internal(frontend: Args) -> bool:
    """Whether a frontend is in a subnet."""
    return "subnet_id" in frontend


def is_made(frontend: Args) -> bool:
    """Whether a public address is made for a frontend."""
    return not any(kind in frontend for kind in ("subnet_id", "public_ip_address_id", "public_ip_prefix_id"))


def is_global(args: Args) -> bool:
    """Whether a balancer is before balancers of regions."""
    return args.get("tier", "Regional") == "Global"


def ip_version(frontend: Args) -> str:
    """``IPv4`` or ``IPv6``."""
    return frontend.get("ip_version", "IPv4")


def addresses_of(frontend: Args) -> int:
    """How many addresses a frontend has: one, or those of a prefix, which is the smallest unless said otherwise."""
    if "public_ip_prefix_id" not in frontend:
        return 1
    _, least, bits = _SIZES.get(ip_version(frontend), _SIZES["IPv4"])
    return 2 ** (bits - frontend.get("prefix_length", least))


def snat_ports(addresses: int, machines: int, taken: int = 0) -> int:
    """Ports of each machine, when ``machines`` share the ports of ``addresses``.

    A multiple of 8, as Azure gives them. taken: groups of 8 ports that rules for what comes in use.
    """
    return min(PORTS, (PORTS * addresses - 8 * taken) // machines // 8 * 8)


def allocated_ports(rule: Args, args: Args) -> int:
    """Ports of each machine by an outbound rule: those that it gives, or an equal share."""
    given = rule.get("allocated_ports")
    return given if given is not None else snat_ports(_addresses(rule, args), rule["machines"], _taken(rule, args))


def _addresses(rule: Args, args: Args) -> int:
    return sum(addresses_of(args["frontends"][name]) for name in rule["frontends"])


def _taken(rule: Args, args: Args) -> int:
    """Groups of 8 ports, of the frontends of an outbound rule, that other rules use."""
    groups = {
        (claim.frontend, group)
        for claim in _claims(args)
        if claim.frontend in rule["frontends"]
        for group in range(claim.first // 8, min(claim.last, 65535) // 8 + 1)
    }
    return len(groups)


class _Claim:
    """Ports of a frontend that a rule takes."""

    __slots__ = ("first", "frontend", "last", "protocols", "rule", "said")

    def __init__(self, rule: str, frontend: str, protocol: str, first: int, last: int) -> None:
        self.rule = rule
        self.frontend = frontend
        self.protocols = {"Tcp", "Udp"} if protocol == "All" else {protocol}
        self.first, self.last = (0, 65535) if protocol == "All" else (first, last)
        self.said = f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def _claims(args: Args) -> list[_Claim]:
    found = [
        _Claim(name, rule["frontend"], rule["protocol"], rule["frontend_port"], rule["frontend_port"])
        for name, rule in args.get("rules", {}).items()
    ]
    for name, rule in args.get("nat_rules", {}).items():
        first = rule.get("frontend_port", rule.get("frontend_port_range_start"))
        last = rule.get("frontend_port", rule.get("frontend_port_range_end"))
        if first is not None and last is not None:
            found.append(_Claim(name, rule["frontend"], rule.get("protocol", "Tcp"), first, last))
    return found


# -- checks ------------------------------------------------------------------------------------------------------------


def balancer_problems(args: Args, own: str) -> Iterator[str]:
    """All that is wrong with a balancer whose arguments have their shape. own: its name."""
    yield from _kind_problems(args)
    yield from _name_problems(args, own)
    if not args["frontends"]:
        yield "a balancer needs a frontend"
    if len({is_internal(item) for item in args["frontends"].values()}) > 1:
        yield "frontends are all internal or all public: Azure takes no mixture"
    for name, frontend in args["frontends"].items():
        yield from (f"frontend `{name}`: {problem}" for problem in _frontend_problems(frontend, args))
    yield from _same_address(args["frontends"])
    for name, pool in args["pools"].items():
        yield from (f"pool `{name}`: {problem}" for problem in _pool_problems(pool, args, own))
    if 0 < sum("id" in pool for pool in args["pools"].values()) < len(args["pools"]):
        yield "pools are all the balancer's own or all stand alone: one kind would delete the other"
    for name, probe in args.get("probes", {}).items():
        yield from (f"probe `{name}`: {problem}" for problem in _probe_problems(probe))
    for name, rule in args.get("rules", {}).items():
        yield from (f"rule `{name}`: {problem}" for problem in _rule_problems(rule, args))
    for name, rule in args.get("nat_rules", {}).items():
        yield from (f"NAT rule `{name}`: {problem}" for problem in _nat_problems(rule, args))
    for name, rule in args.get("outbound_rules", {}).items():
        yield from (f"outbound rule `{name}`: {problem}" for problem in _outbound_problems(rule, args))
    yield from _twice(args)
    yield from _versions(args)
    yield from _snat(args)
    if is_global(args):
        yield from _global_problems(args)


def _kind_problems(args: Args) -> Iterator[str]:
    sku, tier = args.get("sku", "Standard"), args.get("tier", "Regional")
    if sku == "Basic":
        yield "the SKU Basic was retired on 2025-09-30; leave `sku` out, it is Standard"
    elif sku == "Gateway":
        yield "the SKU Gateway is for chains of network appliances, which this is not; leave `sku` out"
    elif sku != "Standard":
        yield f"there is no SKU `{sku}`; leave it out, it is Standard"
    if tier not in ("Regional", "Global"):
        yield f"there is no tier `{tier}`; there are Regional, Global"


def _name_problems(args: Args, own: str) -> Iterator[str]:
    if NAME.fullmatch(own) is None:
        yield _no_name(own)
    for kind in ("frontends", "pools", "probes", "rules", "nat_rules", "outbound_rules"):
        seen: dict[str, str] = {}
        for name in args.get(kind, {}):
            if NAME.fullmatch(name) is None:
                yield _no_name(name)
            if name.lower() in seen:
                yield f"{kind}: `{seen[name.lower()]}` and `{name}` are one name for Azure"
            seen[name.lower()] = name
    for pool in args["pools"].values():
        for name in (*pool.get("addresses", {}), *pool.get("frontends", {})):
            if NAME.fullmatch(name) is None:
                yield _no_name(name)


def _no_name(what: str) -> str:
    return f"`{what}` is no name for Azure: 1 to 80 letters, digits, `.`, `_` and `-`"


def _frontend_problems(frontend: Args, args: Args) -> Iterator[str]:
    version = ip_version(frontend)
    if version not in _VERSIONS:
        yield f"there is no ip_version `{version}`; there are IPv4, IPv6"
        return
    kinds = [kind for kind in _FRONTEND_KINDS if kind in frontend]
    if len(kinds) > 1:
        yield f"one of {', '.join(_FRONTEND_KINDS)}, not {' and '.join(kinds)}"
    private = frontend.get("private_ip_address")
    if private is not None and not is_internal(frontend):
        yield "it has a private address, and no subnet"
    if isinstance(private, str):
        yield from _address_problems(private, version)
    if "zones" in frontend and not (is_internal(frontend) or is_made(frontend)):
        yield "an existing address has its own zones; leave `zones` out"
    yield from zone_problems("it", frontend.get("zones", []), args["location"])
    for key in ("domain_name_label", "ddos_protection"):
        if key in frontend and not is_made(frontend):
            yield f"`{key}` is for an address that is made here"
    label = frontend.get("domain_name_label")
    if isinstance(label, str) and _DOMAIN.fullmatch(label) is None:
        yield f"`{label}` is no label of a domain: 3 to 63 small letters, digits and hyphens, a letter first"
    if "prefix_length" in frontend:
        yield from _prefix_problems(frontend, version)


def _prefix_problems(frontend: Args, version: str) -> Iterator[str]:
    most, least, _ = _SIZES[version]
    if "public_ip_prefix_id" not in frontend:
        yield "`prefix_length` belongs to `public_ip_prefix_id`"
    if not most <= frontend["prefix_length"] <= least:
        yield f"a prefix of {version} is from /{most} to /{least}, not /{frontend['prefix_length']}"


def _address_problems(address: str, version: str) -> Iterator[str]:
    try:
        found = ip_address(address)
    except ValueError:
        yield f"`{address}` is no address"
        return
    if found.version != _VERSIONS[version]:
        yield f"{address} is no {version} address"


def _same_address(frontends: Mapping[str, Args]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for name, frontend in frontends.items():
        for kind in ("private_ip_address", "public_ip_address_id", "public_ip_prefix_id"):
            value = frontend.get(kind)
            if not isinstance(value, str):
                continue
            if (kind, value) in seen:
                yield f"frontends `{seen[kind, value]}` and `{name}` have the same address; rules may share a frontend"
            seen[kind, value] = name


def _pool_problems(pool: Args, args: Args, balancer: str) -> Iterator[str]:
    kinds = [kind for kind in _POOL_KINDS if kind in pool]
    if len(kinds) > 1:
        yield f"one of {', '.join(_POOL_KINDS)}, not {' and '.join(kinds)}"
    if "frontends" in pool and not is_global(args):
        yield "frontends of balancers are for the tier Global"
    if "addresses" in pool and not pool["addresses"]:
        yield "it has no addresses; leave them out for machines that join by the pool's id"
    if "virtual_network_id" in pool and "addresses" not in pool:
        yield "`virtual_network_id` belongs to addresses"
    own = pool.get("id")
    if isinstance(own, str) and "/backendAddressPools/" not in own:
        yield f"`{own}` is no id of a pool"
    elif isinstance(own, str) and f"/loadbalancers/{balancer}/".lower() not in own.lower():
        yield f"`{own}` is a pool of another balancer than `{balancer}`; rules are for pools of their own balancer"
    yield from _member_problems(pool)


def _member_problems(pool: Args) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for name, member in pool.get("addresses", {}).items():
        network = member.get("virtual_network_id", pool.get("virtual_network_id"))
        if network is None:
            yield f"address `{name}` needs `virtual_network_id`, of its own or of the pool"
        address = member["ip_address"]
        if not isinstance(address, str):
            continue
        try:
            ip_address(address)
        except ValueError:
            yield f"address `{name}`: `{address}` is no address"
        if (address, str(network)) in seen:
            yield f"addresses `{seen[address, str(network)]}` and `{name}` are both {address}"
        seen[address, str(network)] = name
    for name, frontend in pool.get("frontends", {}).items():
        if isinstance(frontend, str) and "/frontendIPConfigurations/" not in frontend:
            yield f"`{frontend}`, of `{name}`, is no id of a frontend of a balancer"


def _probe_problems(probe: Args) -> Iterator[str]:
    if probe["protocol"] not in ("Tcp", "Http", "Https"):
        yield f"there is no protocol `{probe['protocol']}`; there are Tcp, Http, Https"
    if not 1 <= probe["port"] <= 65535:
        yield f"{probe['port']} is no port"
    if (probe["protocol"] in ("Http", "Https")) != ("path" in probe):
        yield "a path belongs to Http and Https, and to both"
    elif not probe.get("path", "/").startswith("/"):
        yield f"the path `{probe['path']}` should begin with a slash"
    if probe.get("interval_seconds", 15) < 5:
        yield "it asks every 5 seconds at most often"
    if probe.get("probe_threshold", 2) < 1:
        yield "probe_threshold is 1 at least"


def _rule_problems(rule: Args, args: Args) -> Iterator[str]:
    yield from _inbound_problems(rule, args)
    for pool in rule["pools"]:
        if pool not in args["pools"]:
            yield f"there is no pool `{pool}`"
    if len(rule["pools"]) != 1:
        yield f"it has {len(rule['pools'])} pools; a Standard balancer's rule has one"
    if not is_global(args):
        probe = rule.get("probe")
        if probe is None:
            yield "without a probe machines that are down get connections"
        elif probe not in args.get("probes", {}):
            yield f"there is no probe `{probe}`"
    everything = rule["protocol"] == "All"
    if rule["protocol"] not in ("Tcp", "Udp", "All"):
        yield f"there is no protocol `{rule['protocol']}`; there are Tcp, Udp, All"
    for end, most in (("frontend_port", 65534), ("backend_port", 65535)):
        port = rule[end]
        if everything != (port == 0) or not 0 <= port <= most:
            yield f"{end} {port} does not go with {rule['protocol']}"
    frontend = args["frontends"].get(rule["frontend"])
    if everything and frontend is not None and not is_internal(frontend):
        yield "All is for internal frontends"
    if not 4 <= rule.get("idle_timeout_minutes", 4) <= 100:
        yield "an idle timeout is 4 to 100 minutes"
    distribution = rule.get("distribution", "Default")
    if distribution not in ("Default", "SourceIP", "SourceIPProtocol"):
        yield f"there is no distribution `{distribution}`; there are Default, SourceIP, SourceIPProtocol"
    if rule.get("outbound_snat") and frontend is not None and (is_internal(frontend) or is_global(args)):
        yield "outbound_snat is for public frontends of a region"


def _inbound_problems(rule: Args, args: Args) -> Iterator[str]:
    frontend = args["frontends"].get(rule["frontend"])
    if frontend is None:
        yield f"there is no frontend `{rule['frontend']}`"
    elif "public_ip_prefix_id" in frontend:
        # *Unverified*: the pages speak of prefixes for outbound rules alone.
        yield "a frontend with a prefix is for outbound rules; make an address of the prefix, by `from_prefix_id`"
    if rule.get("protocol", "Tcp") == "Udp" and rule.get("tcp_reset"):
        yield "a UDP rule has no TCP reset"


def _nat_problems(rule: Args, args: Args) -> Iterator[str]:
    yield from _inbound_problems(rule, args)
    if rule.get("protocol", "Tcp") not in ("Tcp", "Udp"):
        yield f"there is no protocol `{rule['protocol']}`; there are Tcp, Udp"
    if not 1 <= rule["backend_port"] <= 65535:
        yield f"backend_port {rule['backend_port']} is no port"
    if not 4 <= rule.get("idle_timeout_minutes", 4) <= 30:
        yield "an idle timeout of a NAT rule is 4 to 30 minutes"
    single = "frontend_port" in rule
    ranged = [key for key in ("frontend_port_range_start", "frontend_port_range_end", "pool") if key in rule]
    if single == bool(ranged) or (ranged and len(ranged) < 3):
        yield (
            "write `frontend_port`, for one machine that joins the rule, or `frontend_port_range_start`, "
            "`frontend_port_range_end` and `pool`, for each machine of a pool"
        )
        return
    first: int = rule["frontend_port_range_start" if ranged else "frontend_port"]
    last: int = rule["frontend_port_range_end" if ranged else "frontend_port"]
    if ranged:
        yield from _nat_pool_problems(rule, args)
    if not 1 <= first <= last <= 65534:
        yield f"{first} to {last} are no ports of a frontend: 1 to 65534, the first first"


def _nat_pool_problems(rule: Args, args: Args) -> Iterator[str]:
    pool = args["pools"].get(rule["pool"])
    if pool is None:
        yield f"there is no pool `{rule['pool']}`"
    elif "addresses" in pool:
        yield f"the pool `{rule['pool']}` has addresses; NAT rules are for machines that join a pool"


def _outbound_problems(rule: Args, args: Args) -> Iterator[str]:
    missing = [name for name in rule["frontends"] if name not in args["frontends"]]
    yield from (f"there is no frontend `{name}`" for name in missing)
    if not rule["frontends"]:
        yield "it has no frontends"
    if any(is_internal(args["frontends"].get(name, {})) for name in rule["frontends"]):
        yield "an internal balancer has no way out: a NAT gateway is, or a public balancer beside it"
    if len(set(rule["frontends"])) < len(rule["frontends"]):
        yield "a frontend is there twice"
    if rule["pool"] not in args["pools"]:
        yield f"there is no pool `{rule['pool']}`"
    protocol = rule.get("protocol", "All")
    if protocol not in ("Tcp", "Udp", "All"):
        yield f"there is no protocol `{protocol}`; there are Tcp, Udp, All"
    if protocol == "Udp" and rule.get("tcp_reset"):
        yield "a UDP rule has no TCP reset"
    if not 4 <= rule.get("idle_timeout_minutes", 4) <= 100:
        yield "an idle timeout is 4 to 100 minutes"
    if not missing and rule["frontends"]:
        yield from _port_problems(rule, args)


def _port_problems(rule: Args, args: Args) -> Iterator[str]:
    ports, machines = rule.get("allocated_ports"), rule.get("machines")
    if ports is None and machines is None:
        yield (
            "write `machines`, the most that there will be, or `allocated_ports` of each: "
            "Azure's own share shrinks as the pool grows, and connections break"
        )
        return
    if machines is not None and machines < 1:
        yield f"machines is {machines}; it is 1 at least"
        return
    if ports is not None and (ports < 8 or ports % 8 or ports > PORTS):
        yield f"allocated_ports is {ports}; it is a multiple of 8, from 8 to {PORTS}"
        return
    most = PORTS * _addresses(rule, args) - 8 * _taken(rule, args)
    if ports is None and allocated_ports(rule, args) < 8:
        yield f"{machines} machines share {most} ports: less than 8 for each; more addresses give more"
    elif ports is not None and ports * (machines or 1) > most:
        yield f"{machines or 1} machines with {ports} ports need {ports * (machines or 1)}; the frontends have {most}"


def _twice(args: Args) -> Iterator[str]:
    """What only one rule may have: ports of a frontend, ports of a pool, a pool's way out."""
    claims = _claims(args)
    for at, claim in enumerate(claims):
        for other in claims[:at]:
            if (
                claim.frontend == other.frontend
                and claim.protocols & other.protocols
                and claim.first <= other.last
                and other.first <= claim.last
            ):
                yield (
                    f"rules `{other.rule}` and `{claim.rule}` both take {claim.said} of the frontend `{claim.frontend}`"
                )
    yield from _same_backend(args.get("rules", {}))
    yield from _same_way_out(args.get("outbound_rules", {}))
    yield from _shared_ports(args)


def _same_backend(rules: Mapping[str, Args]) -> Iterator[str]:
    seen: dict[tuple[str, str, int], str] = {}
    for name, rule in rules.items():
        if rule.get("floating_ip", False):
            continue
        for pool in rule["pools"]:
            key = (pool, rule["protocol"], rule["backend_port"])
            if key in seen:
                yield (
                    f"rules `{seen[key]}` and `{name}` both send {key[1]} to port {key[2]} of the pool `{pool}`: "
                    "another backend_port, or floating_ip on both"
                )
            seen[key] = name


def _same_way_out(rules: Mapping[str, Args]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for name, rule in rules.items():
        protocol = rule.get("protocol", "All")
        for one in ("Tcp", "Udp") if protocol == "All" else (protocol,):
            other = seen.setdefault((rule["pool"], one), name)
            if other != name:
                yield f"outbound rules `{other}` and `{name}` both give {one} to the pool `{rule['pool']}`"


def _shared_ports(args: Args) -> Iterator[str]:
    """Outbound rules of several pools that share a frontend share its ports too."""
    rules = {
        name: rule for name, rule in args.get("outbound_rules", {}).items() if not [*_outbound_problems(rule, args)]
    }
    said: set[tuple[str, ...]] = set()
    for frontend in args["frontends"]:
        names = tuple(name for name, rule in rules.items() if frontend in rule["frontends"])
        if len(names) < 2 or names in said:
            continue
        said.add(names)
        union = {"frontends": sorted({one for name in names for one in rules[name]["frontends"]})}
        have = PORTS * _addresses(union, args) - 8 * _taken(union, args)
        need = sum(allocated_ports(rules[name], args) * rules[name].get("machines", 1) for name in names)
        if need > have:
            listed = ", ".join(f"`{name}`" for name in names)
            yield f"outbound rules {listed} share frontends: they need {need} ports of {have}; say `allocated_ports`"


def _versions(args: Args) -> Iterator[str]:
    """A pool is reached by IPv4 or by IPv6: Azure translates neither into the other."""
    used: dict[str, set[str]] = {name: set(_member_versions(pool)) for name, pool in args["pools"].items()}
    for pool, frontends in _uses(args):
        if pool in used:
            used[pool] |= {ip_version(args["frontends"][one]) for one in frontends if one in args["frontends"]}
    for pool, versions in used.items():
        if len(versions) > 1:
            yield f"pool `{pool}`: IPv4 and IPv6 are in one rule; it takes a pool for each, of one version"


def _member_versions(pool: Args) -> Iterator[str]:
    for member in pool.get("addresses", {}).values():
        address = member["ip_address"]
        if isinstance(address, str) and re.fullmatch(r"[0-9.]+|[0-9a-fA-F:.]+", address):
            yield "IPv6" if ":" in address else "IPv4"


def _uses(args: Args) -> Iterator[tuple[str, Iterable[str]]]:
    """Each pool with the frontends that a rule has for it."""
    for rule in args.get("rules", {}).values():
        yield from ((pool, (rule["frontend"],)) for pool in rule["pools"])
    for rule in args.get("nat_rules", {}).values():
        if "pool" in rule:
            yield rule["pool"], (rule["frontend"],)
    for rule in args.get("outbound_rules", {}).values():
        yield rule["pool"], rule["frontends"]


def _snat(args: Args) -> Iterator[str]:
    """A way out is given by an outbound rule or by a load balancing rule; Azure refuses both for one address."""
    for name, rule in args.get("rules", {}).items():
        for other, outbound in args.get("outbound_rules", {}).items():
            shared = rule["frontend"] in outbound["frontends"] or outbound["pool"] in rule["pools"]
            if rule.get("outbound_snat") and shared:
                yield f"rule `{name}` would lend its address too, beside the outbound rule `{other}`: no outbound_snat"


def _global_problems(args: Args) -> Iterator[str]:
    location = args["location"]
    if isinstance(location, str) and short(location) not in GLOBAL_HOMES:
        yield f"a Global balancer has its home in {', '.join(sorted(GLOBAL_HOMES))}, not in {location}"
    for kind, what in (
        ("probes", "asks for the health of regional balancers itself: no probes"),
        ("nat_rules", "has no NAT rules; those of the regions have"),
        ("outbound_rules", "is no way out; NAT gateways or outbound rules of the regions are"),
    ):
        if args.get(kind):
            yield f"a Global balancer {what}"
    for name, frontend in args["frontends"].items():
        given = [key for key in ("subnet_id", "zones", "public_ip_prefix_id", "from_prefix_id") if key in frontend]
        yield from (f"frontend `{name}`: a Global balancer's frontend is public and everywhere: no {k}" for k in given)
    for name, pool in args["pools"].items():
        if not pool.get("frontends"):
            yield f"pool `{name}`: a Global balancer's pool has `frontends`, ids of those of public regional balancers"
    for name, rule in args.get("rules", {}).items():
        if rule.get("probe") is not None:
            yield f"rule `{name}`: a Global balancer asks for health itself: no probe"
        if rule["protocol"] == "Udp" and rule["frontend_port"] == 3:
            yield f"rule `{name}`: a Global balancer takes no UDP on port 3"
