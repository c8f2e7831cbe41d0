"""What is not the same in all regions of Azure, as far as networks and balancers care; data, no Pulumi import."""

from collections.abc import Iterator, Mapping

WITHOUT_ZONES = frozenset(
    {
        "australiacentral",
        "australiacentral2",
        "australiasoutheast",
        "brazilsoutheast",
        "canadaeast",
        "francesouth",
        "germanynorth",
        "koreasouth",
        "northcentralus",
        "norwaywest",
        "southafricawest",
        "southindia",
        "switzerlandwest",
        "uaecentral",
        "ukwest",
        "westcentralus",
        "westindia",
        "westus",
    }
)
"""Regions of the public cloud known to have no availability zones. Source: Microsoft's "Azure regions list", as of
2025-09-23. A region that is not here may have zones, or may not: Azure says so when it is asked."""

GLOBAL_HOMES = frozenset(
    {
        "centralus",
        "chinanorth2",
        "eastasia",
        "eastus2",
        "northeurope",
        "southeastasia",
        "uksouth",
        "usgovvirginia",
        "westeurope",
        "westus",
    }
)
"""Where a balancer of the tier Global, and its address, may be made; it serves all regions from there. Source:
Microsoft's "Global Load Balancer", read 2026-11."""

# Microsoft's page "Secure your origin with Private Link in Azure Front Door Premium", "Region availability", read
# 2026-11. The newest copy that could be read is of 2025: a region that Azure added since is refused here, and the one
# nearest to it is as good but for latency.
PRIVATE_LINK_LOCATIONS: Mapping[str, tuple[str, ...]] = {
    "Americas": (
        "brazilsouth",
        "canadacentral",
        "centralus",
        "eastus",
        "eastus2",
        "southcentralus",
        "westus2",
        "westus3",
        "usgovarizona",
        "usgovtexas",
        "usgovvirginia",
    ),
    "Europe": (
        "francecentral",
        "germanywestcentral",
        "northeurope",
        "norwayeast",
        "swedencentral",
        "uksouth",
        "westeurope",
    ),
    "Africa": ("southafricanorth",),
    "Asia Pacific": ("australiaeast", "centralindia", "eastasia", "japaneast", "koreacentral", "southeastasia"),
}
"""Where Front Door has private endpoints, by part of the world."""

ZONES = ("1", "2", "3")


def short(location: str) -> str:
    """A region's name as programs write it: ``West Europe`` is ``westeurope``."""
    return location.replace(" ", "").lower()


def default_zones(location: object) -> list[str]:
    """All zones, or none in a region that is known to have none. location: may be known only later."""
    return [] if isinstance(location, str) and short(location) in WITHOUT_ZONES else list(ZONES)


def zone_problems(what: str, zones: list[str], location: object) -> list[str]:
    """What is wrong with a list of zones."""
    found: list[str] = []
    if not set(zones) <= set(ZONES) or len(set(zones)) < len(zones):
        found.append(f"{what}: zones are {', '.join(zones)}; each of {', '.join(ZONES)} may be there once")
    if zones and isinstance(location, str) and short(location) in WITHOUT_ZONES:
        found.append(f"{what}: {location} has no zones; leave `zones` out")
    return found


def private_link_problems(location: object) -> Iterator[str]:
    """What is wrong with the place of a Front Door's private endpoint. location: may be known only later."""
    known = sorted(region for regions in PRIVATE_LINK_LOCATIONS.values() for region in regions)
    if isinstance(location, str) and not location.startswith("${") and short(location) not in known:
        yield f"Front Door has no private endpoints in `{location}`; take the nearest of {', '.join(known)}"
