"""A Standard Load Balancer: frontends, pools, probes and rules, all in the one resource that Azure keeps them in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import network

from edgewright.clouds.part import place, refuse, unknown_keys

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
"""Of a balancer and of its parts (Microsoft's naming rules)."""


class FrontendArgs(TypedDict, total=False):
    """An address of the balancer: internal with ``subnet_id``, else public."""

    subnet_id: pulumi.Input[str]
    """An internal frontend's subnet."""
    private_ip_address: str
    """A fixed address in the subnet; default: one that Azure chooses."""
    public_ip_address_id: pulumi.Input[str]
    """An existing Standard public address; default: one is made."""
    zones: list[str]
    """Default: 1, 2 and 3 together (zone-redundant); ``[]`` in a region without zones."""


class PoolArgs(TypedDict, total=False):
    """A pool that network interfaces and scale sets join by its id; it has nothing of its own."""


class ProbeArgs(TypedDict, total=False):
    """A health probe. Only 200 counts for http(s)."""

    protocol: Required[str]
    """``Tcp``, ``Http`` or ``Https``."""
    port: Required[int]
    """Of the machines."""
    path: str
    """Of ``Http`` and ``Https``."""
    interval_seconds: int
    """5 at least; default 15."""
    probe_threshold: int
    """Answers in a row that change the state; default 2. (``numberOfProbes`` is ignored by Azure.)"""


class RuleArgs(TypedDict, total=False):
    """A rule: from a frontend's port to a pool's."""

    frontend: Required[str]
    """Name of a frontend."""
    pools: Required[list[str]]
    """Names of pools."""
    probe: str
    """Name of a probe; needed, also for UDP."""
    protocol: Required[str]
    """``Tcp``, ``Udp``, or ``All`` (every port; internal frontends only)."""
    frontend_port: Required[int]
    """0 with ``All``."""
    backend_port: Required[int]
    """0 with ``All``."""
    idle_timeout_minutes: int
    """4 to 100; default 4."""
    tcp_reset: bool
    """Tells both sides that an idle connection was dropped; default: on for ``Tcp`` and ``All``."""
    floating_ip: bool
    """Default: off."""


class LoadBalancerArgs(TypedDict, total=False):
    """Arguments of `LoadBalancer`. The SKU is Standard: Basic was retired on 2025-09-30."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    subscription_id: Required[pulumi.Input[str]]
    """Needed, since its parts refer to one another by full ids."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``."""
    load_balancer_name: str
    """Its own name; default: the component's, cut to what Azure takes. A change replaces the balancer."""
    frontends: Required[Mapping[str, FrontendArgs]]
    """By name."""
    pools: Required[Mapping[str, PoolArgs]]
    """By name."""
    probes: Mapping[str, ProbeArgs]
    """By name."""
    rules: Required[Mapping[str, RuleArgs]]
    """By name."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``load_balancer``, ``public_ips.NAME``."""


class LoadBalancer(pulumi.ComponentResource):
    """A Standard Load Balancer.

    Attributes: load_balancer; public_ips by frontend; ``frontend_ips`` and ``pool_ids`` by name; ``id``.
    """

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = args.get("load_balancer_name") or _own_name(name)
        refuse("LoadBalancer", name, _problems(args, own))
        super().__init__("edgewright:azure:LoadBalancer", name, None, opts)
        self.public_ips = _public_ips(self, name, args)
        self.load_balancer = _balancer(self, name, own, args)
        self.id = self.load_balancer.id
        self.pool_ids = {pool: _self_id(args, own, "backendAddressPools", pool) for pool in args["pools"]}
        self.frontend_ips = {frontend: _address(self, frontend, args) for frontend in args["frontends"]}
        self.register_outputs({"id": self.id, "poolIds": self.pool_ids, "frontendIps": self.frontend_ips})


def _own_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:80].strip("-._")


def _internal(frontend: FrontendArgs) -> bool:
    return "subnet_id" in frontend


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: LoadBalancerArgs, own: str) -> Iterator[str]:
    for what in (own, *args["frontends"], *args["pools"], *args.get("probes", {}), *args["rules"]):
        if NAME.fullmatch(what) is None:
            yield f"`{what}` is no name for Azure: 1 to 80 letters, digits, `.`, `_` and `-`"
    if not args["frontends"]:
        yield "a balancer needs a frontend"
    kinds = {_internal(item) for item in args["frontends"].values()}
    if len(kinds) > 1:
        yield "frontends are all internal or all public: Azure takes no mixture"
    for name, frontend in args["frontends"].items():
        if "private_ip_address" in frontend and not _internal(frontend):
            yield f"frontend `{name}` has a private address, and no subnet"
        if "public_ip_address_id" in frontend and _internal(frontend):
            yield f"frontend `{name}` has a public address and a subnet: one of them"
    for name, probe in args.get("probes", {}).items():
        yield from _probe_problems(name, probe)
    for name, rule in args["rules"].items():
        yield from _rule_problems(name, rule, args)
    yield from _twice(args)
    yield from unknown_keys(
        args.get("overrides", {}), ["load_balancer", *(f"public_ips.{name}" for name in args["frontends"])], "overrides"
    )


def _probe_problems(name: str, probe: ProbeArgs) -> Iterator[str]:
    if probe["protocol"] not in ("Tcp", "Http", "Https"):
        yield f"probe `{name}`: there is no protocol `{probe['protocol']}`; there are Tcp, Http, Https"
    if not 1 <= probe["port"] <= 65535:
        yield f"probe `{name}`: {probe['port']} is no port"
    if (probe["protocol"] in ("Http", "Https")) != ("path" in probe):
        yield f"probe `{name}`: a path belongs to Http and Https, and to both"
    if probe.get("interval_seconds", 15) < 5:
        yield f"probe `{name}`: it asks every 5 seconds at most often"


def _rule_problems(name: str, rule: RuleArgs, args: LoadBalancerArgs) -> Iterator[str]:
    if rule["frontend"] not in args["frontends"]:
        yield f"rule `{name}`: there is no frontend `{rule['frontend']}`"
    for pool in rule["pools"]:
        if pool not in args["pools"]:
            yield f"rule `{name}`: there is no pool `{pool}`"
    if rule.get("probe") is None:
        yield f"rule `{name}`: without a probe machines that are down get connections"
    elif rule.get("probe") not in args.get("probes", {}):
        yield f"rule `{name}`: there is no probe `{rule.get('probe')}`"
    everything = rule["protocol"] == "All"
    if rule["protocol"] not in ("Tcp", "Udp", "All"):
        yield f"rule `{name}`: there is no protocol `{rule['protocol']}`; there are Tcp, Udp, All"
    for end in ("frontend_port", "backend_port"):
        port = rule[end]
        if everything != (port == 0) or not 0 <= port <= 65535:
            yield f"rule `{name}`: {end} {port} does not go with {rule['protocol']}"
    frontend = args["frontends"].get(rule["frontend"])
    if everything and frontend is not None and not _internal(frontend):
        yield f"rule `{name}`: All is for internal frontends"
    if not 4 <= rule.get("idle_timeout_minutes", 4) <= 100:
        yield f"rule `{name}`: an idle timeout is 4 to 100 minutes"
    if rule["protocol"] == "Udp" and rule.get("tcp_reset"):
        yield f"rule `{name}`: a UDP rule has no TCP reset"


def _twice(args: LoadBalancerArgs) -> Iterator[str]:
    taken: dict[tuple[str, str, int], str] = {}
    for name, rule in args["rules"].items():
        key = (rule["frontend"], rule["protocol"], rule["frontend_port"])
        if key in taken:
            yield f"rules `{taken[key]}` and `{name}` both take {key[1]} {key[2]} of the frontend `{key[0]}`"
        taken[key] = name


# -- resources ---------------------------------------------------------------------------------------------------------


def _public_ips(parent: LoadBalancer, name: str, args: LoadBalancerArgs) -> dict[str, network.PublicIPAddress]:
    """A static Standard address for each public frontend that brings none."""
    return {
        frontend: place(
            network.PublicIPAddress,
            f"{name}-{frontend}",
            {
                "resource_group_name": args["resource_group_name"],
                "location": args["location"],
                "sku": {"name": "Standard", "tier": "Regional"},
                "public_ip_allocation_method": "Static",
                "public_ip_address_version": "IPv4",
                "zones": item.get("zones", ["1", "2", "3"]),
                "tags": dict(args.get("tags", {})),
            },
            parent=parent,
            overrides=args.get("overrides"),
            key=f"public_ips.{frontend}",
        )
        for frontend, item in args["frontends"].items()
        if not _internal(item) and "public_ip_address_id" not in item
    }


def _balancer(parent: LoadBalancer, name: str, own: str, args: LoadBalancerArgs) -> network.LoadBalancer:
    return place(
        network.LoadBalancer,
        f"{name}-balancer",
        {
            "resource_group_name": args["resource_group_name"],
            "location": args["location"],
            # Given, since the ids of its parts hold it; see `_self_id`.
            "load_balancer_name": own,
            "sku": {"name": "Standard", "tier": "Regional"},
            "frontend_ip_configurations": [
                _frontend(parent, frontend, item) for frontend, item in args["frontends"].items()
            ],
            "backend_address_pools": [{"name": pool} for pool in args["pools"]],
            "probes": [_probe(probe, item) for probe, item in args.get("probes", {}).items()],
            "load_balancing_rules": [_rule(rule, item, own, args) for rule, item in args["rules"].items()],
            "tags": dict(args.get("tags", {})),
        },
        parent=parent,
        overrides=args.get("overrides"),
        key="load_balancer",
    )


def _frontend(parent: LoadBalancer, name: str, item: FrontendArgs) -> dict[str, Any]:
    if not _internal(item):
        made = parent.public_ips.get(name)
        return {"name": name, "public_ip_address": {"id": made.id if made else item.get("public_ip_address_id")}}
    fixed = item.get("private_ip_address")
    found: dict[str, Any] = {
        "name": name,
        "subnet": {"id": item.get("subnet_id")},
        "private_ip_allocation_method": "Static" if fixed else "Dynamic",
        "private_ip_address_version": "IPv4",
        "zones": item.get("zones", ["1", "2", "3"]),
    }
    return found | ({"private_ip_address": fixed} if fixed else {})


def _probe(name: str, item: ProbeArgs) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "protocol": item["protocol"],
        "port": item["port"],
        "interval_in_seconds": item.get("interval_seconds", 15),
        "probe_threshold": item.get("probe_threshold", 2),
    }
    return found | ({"request_path": item["path"]} if "path" in item else {})


def _rule(name: str, item: RuleArgs, own: str, args: LoadBalancerArgs) -> dict[str, Any]:
    return {
        "name": name,
        "frontend_ip_configuration": {"id": _self_id(args, own, "frontendIPConfigurations", item["frontend"])},
        "backend_address_pools": [{"id": _self_id(args, own, "backendAddressPools", pool)} for pool in item["pools"]],
        "probe": {"id": _self_id(args, own, "probes", item.get("probe", ""))},
        "protocol": item["protocol"],
        "frontend_port": item["frontend_port"],
        "backend_port": item["backend_port"],
        "idle_timeout_in_minutes": item.get("idle_timeout_minutes", 4),
        "enable_tcp_reset": item.get("tcp_reset", item["protocol"] != "Udp"),
        "enable_floating_ip": item.get("floating_ip", False),
        # Machines do not reach out by the balancer's address: a NAT gateway or an outbound rule is for that.
        "disable_outbound_snat": True,
    }


def _self_id(args: LoadBalancerArgs, own: str, kind: str, part: str) -> pulumi.Output[str]:
    """The id of a part. Parts are inline only, and Azure wants full ids for them before the balancer is there."""
    return pulumi.Output.concat(
        "/subscriptions/",
        args["subscription_id"],
        "/resourceGroups/",
        args["resource_group_name"],
        f"/providers/Microsoft.Network/loadBalancers/{own}/{kind}/{part}",
    )


def _address(self: LoadBalancer, name: str, args: LoadBalancerArgs) -> pulumi.Output[str]:
    """The address of a frontend: of a public one its own, of an internal one what Azure chose."""
    made = self.public_ips.get(name)
    if made is not None:
        return made.ip_address.apply(lambda found: found or "")
    fixed = args["frontends"][name].get("private_ip_address")
    if fixed is not None:
        return pulumi.Output.from_input(fixed)
    at = list(args["frontends"]).index(name)
    return self.load_balancer.frontend_ip_configurations.apply(
        lambda found: (found[at].private_ip_address or "") if found else ""
    )
