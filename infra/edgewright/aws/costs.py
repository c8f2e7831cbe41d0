"""What planned AWS resources cost without any traffic: a dated table of list prices, and what uses them."""

from collections.abc import Mapping, Sequence
from typing import Any

from edgewright.clouds.inputs import fields, listed
from edgewright.plan import costs
from edgewright.plan.costs import Counter, Price, PriceList, Use, one, uses, without_figure
from edgewright.plan.model import Cost, Resource

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

_PRICES: Mapping[str, Price] = {
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
        once=True,
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

PRICES = PriceList(_PRICES, home="us-east-1", elsewhere="{home} list price, {region} differs", read="2026-11-28")
"""List prices of us-east-1; prices of other regions are not guessed."""

UNKNOWN: Mapping[str, tuple[str, str]] = {
    "aws:lb/trustStore:TrustStore": ("trust store of a balancer", "billed by the hour"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("composite alarm", "billed by the month"),
    "aws:wafv2/ruleGroup:RuleGroup": ("rule group", "billed by the month, and by its rules"),
    "aws:globalaccelerator/accelerator:Accelerator": ("accelerator", "billed by the hour"),
    "aws:acmpca/certificateAuthority:CertificateAuthority": ("private certificate authority", "billed by the month"),
}
"""What is billed without traffic too, but has no confirmed figure here: what it is, and how it is billed."""


def reckon(resources: Sequence[Resource], region: str) -> tuple[Cost, ...]:
    """What these resources cost a month before any traffic, as `edgewright.plan.costs.reckon` has it."""
    return costs.reckon(uses(resources, _COUNTERS), PRICES, region)


# -- how many ----------------------------------------------------------------------------------------------------------


def _list(inputs: Mapping[str, Any], *names: str) -> list[Any] | None:
    """The first of these inputs that is a list; None for one that is known only after deploying."""
    return listed(next((inputs[name] for name in names if inputs.get(name) is not None), None))


def _balancer(inputs: Mapping[str, Any]) -> list[Use]:
    kind = inputs.get("loadBalancerType", "application")
    if kind not in ("application", "network"):
        return [Use(f"{kind} balancer", unknown="billed by the hour")]
    return [Use(str(kind), 1), *([] if inputs.get("internal") is True else _addresses(inputs))]


def _addresses(inputs: Mapping[str, Any]) -> list[Use]:
    """A public balancer has an address in each zone at least; an Elastic IP made for it is counted as itself."""
    if inputs.get("ipAddressType") == "dualstack-without-public-ipv4":
        return []
    zones = _list(inputs, "subnetMappings", "subnets")
    if zones is None:
        return [Use("address", unknown="the number of zones is known only after deploying")]
    own = sum("allocationId" not in fields(zone) for zone in zones)
    return [Use("address", own)] if own else []


def _endpoint(inputs: Mapping[str, Any]) -> list[Use]:
    kind = inputs.get("vpcEndpointType", "Gateway")
    if kind == "Gateway":
        return []
    if kind != "Interface":
        return [Use(f"{kind} endpoint", unknown="billed by the hour and zone")]
    zones = _list(inputs, "subnetIds", "subnetConfigurations")
    if not zones:
        return [Use("endpoint", unknown="the number of zones is known only after deploying")]
    return [Use("endpoint", len(zones))]


def _stage(inputs: Mapping[str, Any]) -> list[Use]:
    if not inputs.get("cacheClusterEnabled"):
        return []
    price = f"cache {inputs.get('cacheClusterSize')}"
    return [
        Use(price, 1) if price in PRICES.by_name else Use("API cache", unknown="its size is not known, or is a new one")
    ]


def _acl(inputs: Mapping[str, Any]) -> list[Use]:
    rules = _list(inputs, "rules")
    if rules is None or "ruleJson" in inputs:
        return [Use("acl", 1), Use("acl rule", unknown="the number of rules is known only after deploying")]
    # A managed group counts as one rule; groups that charge more say so where they are chosen.
    return [Use("acl", 1), Use("acl rule", len(rules))]


def _alarm(inputs: Mapping[str, Any]) -> list[Use]:
    metrics = [found for query in _list(inputs, "metricQueries") or [] if (found := fields(query).get("metric"))]
    # A period below a minute makes an alarm of high resolution, at another price.
    periods = [inputs.get("period"), *(fields(metric).get("period") for metric in metrics)]
    if any(isinstance(period, int | float) and period < 60 for period in periods):
        return [Use("CloudWatch alarm of high resolution", unknown="billed by the month")]
    return [Use("alarm", len(metrics) or 1)]


_COUNTERS: Mapping[str, Counter] = {
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ec2/natGateway:NatGateway": one("nat"),
    "aws:ec2/eip:Eip": one("address"),
    "aws:apigateway/stage:Stage": _stage,
    "aws:wafv2/webAcl:WebAcl": _acl,
    "aws:shield/protection:Protection": one("shield"),
    "aws:shield/subscription:Subscription": one("shield"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/dashboard:Dashboard": one("dashboard"),
    "aws:route53/zone:Zone": one("zone"),
    "aws:kms/key:Key": one("key"),
    **{type_: without_figure(what, why) for type_, (what, why) in UNKNOWN.items()},
}
