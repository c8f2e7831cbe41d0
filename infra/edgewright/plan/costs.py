"""What planned AWS resources cost without any traffic, from a dated table of list prices of us-east-1."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from edgewright.clouds.inputs import fields
from edgewright.plan.model import Cost, Resource

HOURS = 730
"""Hours of a month, as AWS's own calculator takes them."""
HOME = "us-east-1"
"""The region whose list prices stand here; prices of others are not guessed."""
NOT_PRICED = "not priced"
"""How the basis of a cost begins for which there is no figure; its ``monthly`` is 0."""


@dataclass(frozen=True, slots=True)
class Price:
    """A list price. usd: for one `unit`; everywhere: the same in all commercial regions; more: what comes on top.

    page: AWS's own page, which draws most figures by script; stated: a page that states the figure in words, and the
    date that it bears. All were read on `READ`.
    """

    what: str
    usd: float
    unit: str
    page: str
    stated: str = ""
    everywhere: bool = False
    more: str = ""

    @property
    def monthly(self) -> float:
        """USD a month for one."""
        return self.usd * (HOURS if self.unit == "h" else 1)

    @property
    def source(self) -> str:
        """The page, who states the figure, and when it was read."""
        by = f"as {self.stated} has it, " if self.stated else ""
        return f"{self.page} ({by}read {READ})"


READ = "2026-11-28"
"""When the figures were read."""

_AWS = "https://aws.amazon.com"
_BALANCERS = f"{_AWS}/elasticloadbalancing/pricing/"
_BALANCERS_BY = "awsnegotiations.com/elastic-load-balancer-cost.html of 2026-05"
_NETWORK = f"{_AWS}/vpc/pricing/"
_CACHES_BY = "github.com/kejyun/aws-learning-notes, api-gateway/api-gateway-README.md,"
_FIREWALL = f"{_AWS}/waf/pricing/"
_FIREWALL_BY = "c3x.dev/blog/aws-waf-cost-explained"
_WATCH = f"{_AWS}/cloudwatch/pricing/"
_WATCH_BY = "c3x.dev/blog/aws-cloudwatch-metrics-cost"

_CACHES = {
    "0.5": 0.020,
    "1.6": 0.038,
    "6.1": 0.200,
    "13.5": 0.250,
    "28.4": 0.500,
    "58.2": 1.000,
    "118": 1.900,
    "237": 3.800,
}
"""USD an hour by size in GB, as `cacheClusterSize` writes it."""

PRICES: Mapping[str, Price] = {
    "application": Price(
        "Application Load Balancer",
        0.0225,
        "h",
        _BALANCERS,
        _BALANCERS_BY,
        more="0.008 USD an LCU-hour by traffic",
    ),
    "network": Price(
        "Network Load Balancer",
        0.0225,
        "h",
        _BALANCERS,
        _BALANCERS_BY,
        more="0.006 USD an NLCU-hour by traffic",
    ),
    "endpoint": Price(
        "interface endpoint, a zone",
        0.01,
        "h",
        f"{_AWS}/privatelink/pricing/",
        "awsnegotiations.com/privatelink-cost-analysis.html of 2026-05",
        more="0.01 USD a GB",
    ),
    "nat": Price(
        "NAT gateway",
        0.045,
        "h",
        _NETWORK,
        "cloudburn.io/blog/aws-nat-gateway-pricing of 2026-02-24",
        more="0.045 USD a GB",
    ),
    "address": Price(
        "public IPv4 address",
        0.005,
        "h",
        _NETWORK,
        "haufe-akademie.de/en/skill-it/blog/aws-gebuehren-ipv4-adressen",
        everywhere=True,
    ),
    **{
        f"cache {size}": Price(f"API cache of {size} GB", usd, "h", f"{_AWS}/api-gateway/pricing/", _CACHES_BY)
        for size, usd in _CACHES.items()
    },
    "acl": Price("web ACL", 5.0, "month", _FIREWALL, _FIREWALL_BY, everywhere=True, more="0.60 USD a million requests"),
    "acl rule": Price("rule of a web ACL", 1.0, "month", _FIREWALL, _FIREWALL_BY, everywhere=True),
    "shield": Price(
        "Shield Advanced",
        3000.0,
        "month",
        f"{_AWS}/shield/pricing/",
        "awsnegotiations.com/shield-advanced-vs-standard.html",
        everywhere=True,
        more="once for an organisation, for a year: nothing more where it is subscribed",
    ),
    "alarm": Price("CloudWatch alarm, a metric", 0.10, "month", _WATCH, _WATCH_BY),
    "dashboard": Price("CloudWatch dashboard", 3.0, "month", _WATCH, _WATCH_BY, more="three a month are free"),
    "zone": Price(
        "Route 53 hosted zone",
        0.50,
        "month",
        f"{_AWS}/route53/pricing/",
        "ns1.com/resources/aws-dns",
        everywhere=True,
        more="0.10 USD each beyond an account's first 25",
    ),
    "key": Price(
        "KMS key",
        1.0,
        "month",
        f"{_AWS}/kms/pricing/",
        more="requests on top, and 1 USD a month for each of the first two rotations",
    ),
}
"""By a name of our own, in the order to show."""

UNKNOWN: Mapping[str, tuple[str, str]] = {
    "aws:lb/trustStore:TrustStore": ("trust store of a balancer", "billed by the hour"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("composite alarm", "billed by the month"),
    "aws:wafv2/ruleGroup:RuleGroup": ("rule group", "billed by the month, and by its rules"),
    "aws:globalaccelerator/accelerator:Accelerator": ("accelerator", "billed by the hour"),
    "aws:acmpca/certificateAuthority:CertificateAuthority": ("private certificate authority", "billed by the month"),
}
"""What is billed without traffic too, but has no confirmed figure here: what it is, and how it is billed."""


@dataclass(frozen=True, slots=True)
class _Use:
    """So many of a price; or, without a number, why there is none."""

    price: str
    count: float = 0
    unknown: str = ""


def reckon(resources: Sequence[Resource], region: str) -> tuple[Cost, ...]:
    """What these resources cost a month before any traffic, an item a row, in the order of `PRICES`.

    Resources that are bound rather than made are not in a plan, and so not here. Items without a known figure come
    last, with the basis ``not priced: why``.
    """
    counts: dict[str, float] = {}
    unknown: dict[tuple[str, str], int] = {}
    for resource in resources:
        counter = _COUNTERS.get(resource.type)
        for use in counter(resource.inputs) if counter is not None else ():
            if use.unknown:
                what = PRICES[use.price].what if use.price in PRICES else use.price
                unknown[what, use.unknown] = unknown.get((what, use.unknown), 0) + 1
            else:
                counts[use.price] = counts.get(use.price, 0) + use.count
        if resource.type in UNKNOWN:
            unknown[UNKNOWN[resource.type]] = unknown.get(UNKNOWN[resource.type], 0) + 1
    if "shield" in counts:
        counts["shield"] = 1  # one subscription, however many are protected
    found = [_cost(price, counts[name], region) for name, price in PRICES.items() if counts.get(name)]
    return (*found, *(Cost(what, count, 0.0, f"{NOT_PRICED}: {why}", "") for (what, why), count in unknown.items()))


def _cost(price: Price, count: float, region: str) -> Cost:
    each = f"{count:g} x {price.usd:g} USD/{price.unit}" + (f" x {HOURS} h" if price.unit == "h" else "")
    words = [each]
    if region != HOME and not price.everywhere:
        words.append(f"{HOME} list price, {region} differs")
    words += [price.more] if price.more else []
    return Cost(price.what, count, round(count * price.monthly, 2), "; ".join(words), price.source)


# -- how many ----------------------------------------------------------------------------------------------------------

_Counter = Callable[[Mapping[str, Any]], Sequence[_Use]]


def _one(price: str) -> _Counter:
    return lambda _inputs: [_Use(price, 1)]


def _list(inputs: Mapping[str, Any], *names: str) -> list[Any] | None:
    """The first of these inputs that is a list; None for one that is known only after deploying."""
    found: Any = next((inputs[name] for name in names if inputs.get(name) is not None), None)
    return [] if found is None else cast("list[Any]", found) if isinstance(found, list) else None


def _balancer(inputs: Mapping[str, Any]) -> list[_Use]:
    kind = inputs.get("loadBalancerType", "application")
    if kind not in ("application", "network"):
        return [_Use(f"{kind} balancer", unknown="billed by the hour")]
    return [_Use(str(kind), 1), *([] if inputs.get("internal") is True else _addresses(inputs))]


def _addresses(inputs: Mapping[str, Any]) -> list[_Use]:
    """A public balancer has an address in each zone at least; an Elastic IP made for it is counted as itself."""
    if inputs.get("ipAddressType") == "dualstack-without-public-ipv4":
        return []
    zones = _list(inputs, "subnetMappings", "subnets")
    if zones is None:
        return [_Use("address", unknown="the number of zones is known only after deploying")]
    own = sum("allocationId" not in fields(zone) for zone in zones)
    return [_Use("address", own)] if own else []


def _endpoint(inputs: Mapping[str, Any]) -> list[_Use]:
    kind = inputs.get("vpcEndpointType", "Gateway")
    if kind == "Gateway":
        return []
    if kind != "Interface":
        return [_Use(f"{kind} endpoint", unknown="billed by the hour and zone")]
    zones = _list(inputs, "subnetIds", "subnetConfigurations")
    if not zones:
        return [_Use("endpoint", unknown="the number of zones is known only after deploying")]
    return [_Use("endpoint", len(zones))]


def _stage(inputs: Mapping[str, Any]) -> list[_Use]:
    if not inputs.get("cacheClusterEnabled"):
        return []
    price = f"cache {inputs.get('cacheClusterSize')}"
    return [_Use(price, 1) if price in PRICES else _Use("API cache", unknown="its size is not known, or is a new one")]


def _acl(inputs: Mapping[str, Any]) -> list[_Use]:
    rules = _list(inputs, "rules")
    if rules is None or "ruleJson" in inputs:
        return [_Use("acl", 1), _Use("acl rule", unknown="the number of rules is known only after deploying")]
    # A managed group counts as one rule; groups that charge more say so where they are chosen.
    return [_Use("acl", 1), _Use("acl rule", len(rules))]


def _alarm(inputs: Mapping[str, Any]) -> list[_Use]:
    metrics = [found for query in _list(inputs, "metricQueries") or [] if (found := fields(query).get("metric"))]
    # A period below a minute makes an alarm of high resolution, at another price.
    periods = [inputs.get("period"), *(fields(metric).get("period") for metric in metrics)]
    if any(isinstance(period, int | float) and period < 60 for period in periods):
        return [_Use("CloudWatch alarm of high resolution", unknown="billed by the month")]
    return [_Use("alarm", len(metrics) or 1)]


_COUNTERS: Mapping[str, _Counter] = {
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ec2/natGateway:NatGateway": _one("nat"),
    "aws:ec2/eip:Eip": _one("address"),
    "aws:apigateway/stage:Stage": _stage,
    "aws:wafv2/webAcl:WebAcl": _acl,
    "aws:shield/protection:Protection": _one("shield"),
    "aws:shield/subscription:Subscription": _one("shield"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/dashboard:Dashboard": _one("dashboard"),
    "aws:route53/zone:Zone": _one("zone"),
    "aws:kms/key:Key": _one("key"),
}
