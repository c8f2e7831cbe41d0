"""A private DNS zone: names that only linked networks resolve, such as a name for an internal balancer."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import privatedns

from edgewright.clouds.part import place, refuse, unknown_keys

BLOCKED = frozenset(
    {
        *("azclient.ms", "azclient.us", "azclient.cn", "azure.com", "azure.us", "azure.cn"),
        *("cloudapp.net", "usgovcloudapp.net", "chinacloudapp.cn"),
        *("core.windows.net", "core.usgovcloudapi.net", "core.chinacloudapi.cn"),
        *("microsoft.com", "microsoft.us", "microsoft.cn", "msidentity.com", "msidentity.us", "msidentity.cn"),
        *("trafficmanager.net", "usgovtrafficmanager.net", "trafficmanager.cn"),
        *("windows.net", "usgovcloudapi.net", "chinacloudapi.cn"),
    }
)
"""Names that Azure does not take for a private zone. Source: Microsoft's "What is an Azure Private DNS zone?", read
2026-11."""

SHARED = frozenset(
    {
        *("azure-api.net", "azure-api.us", "azure-api.cn", "azure.net", "azure-devices.net", "azurecr.io"),
        *("configuration.azure-api.net", "developer.azure-api.net", "management.azure-api.net"),
        *("portal.azure-api.net", "regional.azure-api.net", "scm.azure-api.net"),
        *("azureedge.net", "azurefd.net", "azurewebsites.net", "azmk8s.io", "cloudapp.azure.com", "vault.azure.net"),
        *("blob.core.windows.net", "file.core.windows.net", "queue.core.windows.net", "table.core.windows.net"),
        *("database.windows.net", "servicebus.windows.net", "documents.azure.com", "redis.cache.windows.net"),
        *("microsoftonline.com", "login.microsoftonline.com", "management.azure.com", "mcr.microsoft.com"),
    }
)
"""Names that Azure may take, and that all customers share: a zone of one hides all other services below it from the
linked networks, those of the gateway's own among them."""

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_RECORD = re.compile(rf"@|\*|(\*\.)?{_LABEL}(\.{_LABEL})*")
_TTL = 300
_POLICIES = ("Default", "NxDomainRedirect")


class LinkArgs(TypedDict, total=False):
    """A network that resolves the zone's names."""

    virtual_network_id: Required[pulumi.Input[str]]
    """Its id."""
    registration: bool
    """Whether machines of the network get names in the zone by themselves; a network has one such zone. Default: no."""
    resolution_policy: str
    """``NxDomainRedirect`` asks public DNS for what a ``privatelink`` zone does not have. Default: ``Default``."""


class ARecordArgs(TypedDict, total=False):
    """Addresses of a name."""

    addresses: Required[list[pulumi.Input[str]]]
    """1 to 20 IPv4 addresses."""
    ttl: int
    """Seconds. Default: 300."""


class CnameArgs(TypedDict, total=False):
    """Another name of a host."""

    target: Required[pulumi.Input[str]]
    """The host."""
    ttl: int
    """Seconds. Default: 300."""


class PrivateDnsZoneArgs(TypedDict, total=False):
    """Arguments of `PrivateDnsZone`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    zone_name: Required[pulumi.Input[str]]
    """Such as ``internal.shop.example``, ``<service>.azure-api.net``, or ``privatelink.azure-api.net``."""
    existing: bool
    """The zone is there already, in that resource group; links and records are added. Default: it is made."""
    links: Mapping[str, LinkArgs]
    """Networks, by a name of yours. Default: none."""
    a_records: Mapping[str, ARecordArgs]
    """By name in the zone; ``@`` is the zone itself, ``*`` all that has no record. Default: none."""
    cnames: Mapping[str, CnameArgs]
    """By name in the zone. Default: none."""
    tags: Mapping[str, pulumi.Input[str]]
    """On the zone and its links. Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: zone, links.NAME, a_records.NAME, cnames.NAME."""


class PrivateDnsZone(pulumi.ComponentResource):
    """A private DNS zone with its links and records.

    ``zone_name``, ``hosts`` (full names by record), and the raw resources ``zone`` (None with an existing one),
    ``links``, ``a_records``, ``cnames`` (each by name).
    """

    def __init__(self, name: str, args: PrivateDnsZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("PrivateDnsZone", name, _problems(args))
        super().__init__("edgewright:azure:PrivateDnsZone", name, None, opts)
        self.zone = _zone(self, name, args)
        # The zone's own name, so that links and records come after it.
        self.zone_name = self.zone.name if self.zone is not None else pulumi.Output.from_input(args["zone_name"])
        self.links = _links(self, name, args)
        self.a_records = _a_records(self, name, args)
        self.cnames = _cnames(self, name, args)
        self.hosts = {one: _host(one, args["zone_name"]) for one in (*self.a_records, *self.cnames)}
        self.register_outputs({"zoneName": self.zone_name, "hosts": self.hosts})


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: PrivateDnsZoneArgs) -> list[str]:
    given: Mapping[str, Any] = args
    missing = [f"`{key}` is missing" for key in sorted(PrivateDnsZoneArgs.__required_keys__) if given.get(key) is None]
    unknown = unknown_keys(args, PrivateDnsZoneArgs.__annotations__, "a private zone")
    shape = [
        *_shape_problems("links", args.get("links", {}), LinkArgs),
        *_shape_problems("a_records", args.get("a_records", {}), ARecordArgs),
        *_shape_problems("cnames", args.get("cnames", {}), CnameArgs),
    ]
    if missing or unknown or shape:
        return [*missing, *unknown, *shape]
    return [
        *_zone_problems(args),
        *_link_problems(args),
        *_record_problems(args),
        *unknown_keys(args.get("overrides", {}), _attributes(args), "overrides"),
    ]


def _shape_problems(which: str, given: Mapping[str, Any], kind: Any) -> Iterator[str]:
    for name, item in given.items():
        yield from unknown_keys(item, kind.__annotations__, f"{which} `{name}`")
        needed = sorted(kind.__required_keys__)
        yield from (f"{which} `{name}` needs `{key}`" for key in needed if item.get(key) is None)


def _zone_problems(args: PrivateDnsZoneArgs) -> Iterator[str]:
    zone = args["zone_name"]
    if not isinstance(zone, str):
        return
    short = zone.lower().rstrip(".")
    labels = short.split(".")
    if zone.endswith(".") or not 2 <= len(labels) <= 34 or len(zone) > 253 or _HOST.fullmatch(zone) is None:
        yield f"`{zone}` is no zone: 2 to 34 labels, 253 characters at most, no dot at the end"
    if short in BLOCKED:
        yield f"`{zone}` is Microsoft's own; Azure takes no zone of that name"
    elif short in SHARED:
        yield f"`{zone}` is shared by all customers: the zone would hide them all; write the one host, `<name>.{short}`"
    if args.get("existing") and not (args.get("links") or args.get("a_records") or args.get("cnames")):
        yield "an existing zone, no links and no records: there is nothing to do"


def _link_problems(args: PrivateDnsZoneArgs) -> Iterator[str]:
    zone = args["zone_name"]
    for name, link in args.get("links", {}).items():
        policy = link.get("resolution_policy", "Default")
        if policy not in _POLICIES:
            yield f"links `{name}`: there is no resolution_policy `{policy}`; there are {', '.join(_POLICIES)}"
        elif policy != "Default" and isinstance(zone, str) and not zone.lower().startswith("privatelink."):
            yield f"links `{name}`: resolution_policy is for zones that begin with `privatelink.`"


def _record_problems(args: PrivateDnsZoneArgs) -> Iterator[str]:
    addresses, cnames = args.get("a_records", {}), args.get("cnames", {})
    ttls = {
        **{f"a_records `{name}`": item.get("ttl", _TTL) for name, item in addresses.items()},
        **{f"cnames `{name}`": item.get("ttl", _TTL) for name, item in cnames.items()},
    }
    yield from (
        f"{what}: a ttl is 1 to 2147483647 seconds, not {ttl}" for what, ttl in ttls.items() if not 0 < ttl < 2**31
    )
    for which, names in (("a_records", addresses), ("cnames", cnames)):
        yield from (
            f"{which} `{name}`: that is no name of a record; write it without the zone, `@` for the zone itself"
            for name in names
            if _RECORD.fullmatch(name) is None
        )
    seen: dict[str, str] = {}
    for name in (*addresses, *cnames):
        if name.lower() in seen:
            yield f"`{seen[name.lower()]}` and `{name}` are one name: it has addresses or another name, once"
        seen[name.lower()] = name
    for name, item in addresses.items():
        yield from _address_problems(f"a_records `{name}`", item["addresses"])
    for name, item in cnames.items():
        target: Any = item["target"]
        if name == "@":
            yield "cnames `@`: a zone itself has no other name; give it addresses"
        if isinstance(target, str) and _HOST.fullmatch(target) is None:
            yield f"cnames `{name}`: `{target}` is no host"


def _address_problems(what: str, addresses: list[Any]) -> Iterator[str]:
    plain = [one for one in addresses if isinstance(one, str)]
    if not 1 <= len(addresses) <= 20:
        yield f"{what}: 1 to 20 addresses, not {len(addresses)}"
    if len(set(plain)) < len(plain):
        yield f"{what}: an address is there twice"
    for one in plain:
        try:
            IPv4Address(one)
        except ValueError:
            yield f"{what}: `{one}` is no IPv4 address"


def _attributes(args: PrivateDnsZoneArgs) -> list[str]:
    return [
        *([] if args.get("existing") else ["zone"]),
        *(f"links.{name}" for name in args.get("links", {})),
        *(f"a_records.{name}" for name in args.get("a_records", {})),
        *(f"cnames.{name}" for name in args.get("cnames", {})),
    ]


# -- resources ---------------------------------------------------------------------------------------------------------


def _zone(self: PrivateDnsZone, name: str, args: PrivateDnsZoneArgs) -> privatedns.PrivateZone | None:
    if args.get("existing"):
        return None
    return place(
        privatedns.PrivateZone,
        f"{name}-zone",
        {
            "resource_group_name": args["resource_group_name"],
            "private_zone_name": args["zone_name"],
            "location": "global",
            "tags": dict(args.get("tags", {})),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="zone",
    )


def _links(self: PrivateDnsZone, name: str, args: PrivateDnsZoneArgs) -> dict[str, privatedns.VirtualNetworkLink]:
    return {
        one: place(
            privatedns.VirtualNetworkLink,
            f"{name}-link-{one}",
            {
                "resource_group_name": args["resource_group_name"],
                "private_zone_name": self.zone_name,
                "location": "global",
                "virtual_network": {"id": link["virtual_network_id"]},
                "registration_enabled": link.get("registration", False),
                "resolution_policy": link.get("resolution_policy"),
                "tags": dict(args.get("tags", {})),
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"links.{one}",
        )
        for one, link in args.get("links", {}).items()
    }


def _a_records(self: PrivateDnsZone, name: str, args: PrivateDnsZoneArgs) -> dict[str, privatedns.PrivateRecordSet]:
    return {
        one: _record(
            self,
            f"{name}-a-{_word(one)}",
            args,
            f"a_records.{one}",
            {
                "relative_record_set_name": one,
                "record_type": "A",
                "ttl": item.get("ttl", _TTL),
                "a_records": [{"ipv4_address": address} for address in item["addresses"]],
            },
        )
        for one, item in args.get("a_records", {}).items()
    }


def _cnames(self: PrivateDnsZone, name: str, args: PrivateDnsZoneArgs) -> dict[str, privatedns.PrivateRecordSet]:
    return {
        one: _record(
            self,
            f"{name}-cname-{_word(one)}",
            args,
            f"cnames.{one}",
            {
                "relative_record_set_name": one,
                "record_type": "CNAME",
                "ttl": item.get("ttl", _TTL),
                "cname_record": {"cname": item["target"]},
            },
        )
        for one, item in args.get("cnames", {}).items()
    }


def _record(
    self: PrivateDnsZone, name: str, args: PrivateDnsZoneArgs, key: str, props: Mapping[str, Any]
) -> privatedns.PrivateRecordSet:
    return place(
        privatedns.PrivateRecordSet,
        name,
        {"resource_group_name": args["resource_group_name"], "private_zone_name": self.zone_name, **props},
        parent=self,
        overrides=args.get("overrides"),
        key=key,
    )


def _word(record: str) -> str:
    """A record's name as part of a logical one."""
    return {"@": "apex", "*": "any"}.get(record, record.replace("*.", "any."))


def _host(record: str, zone: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(zone) if record == "@" else pulumi.Output.concat(record, ".", zone)
