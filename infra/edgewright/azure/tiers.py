"""The tiers of API Management as data: what each has and costs, and the cheapest one that has what an edge needs.

Source: Microsoft's page "Feature-based comparison of the API Management tiers" and the pages of each feature, read
2026-11; of prices, what `edgewright.azure.costs` names. Premium v2 is not among them: the provider's API version
2024-05-01 does not know it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier. features: by the names in `FEATURES`; operations: how many an instance may have; policy_bytes: of one
    document; units: at most, 0 where it is billed by the call; usd: an hour of a unit by the list prices of East US;
    further_usd: of each unit after the first, where it is another price."""

    name: str
    features: frozenset[str]
    operations: int
    policy_bytes: int
    units: int
    usd: float
    further_usd: float | None = None

    @property
    def classic(self) -> bool:
        """Whether it is of the first generation, which is injected into a network rather than integrated."""
        return self.name in ("Developer", "Basic", "Standard", "Premium")

    def hourly(self, units: int) -> float:
        """USD an hour of so many units, before any call."""
        further = self.usd if self.further_usd is None else self.further_usd
        return self.usd + further * (units - 1)


FEATURES: Mapping[str, str] = {
    "sla": "a service level agreement",
    "rate_limit_by_key": "rate limits by a key",
    "quota_by_key": "quotas by a key",
    "cache": "a cache of its own",
    "circuit_breaker": "circuit breakers",
    "websocket": "WebSocket APIs",
    "private_backends": "a way to backends in a network",
    "internal": "a place in a network where only the network reaches it",
    "private_endpoint": "private endpoints",
    "private_both": "a private endpoint beside a way to backends in a network",
    "zones": "availability zones",
    "self_hosted": "self-hosted gateways",
    "several_hosts": "more than one host name of its gateway",
    "logs": "logs of requests in Log Analytics",
}

_GATEWAY = {"rate_limit_by_key", "quota_by_key", "cache", "circuit_breaker", "websocket", "logs"}

# quota-by-key on the v2 tiers is listed by Microsoft's newest page and was not by older ones.
TIERS: tuple[Tier, ...] = (
    Tier("Consumption", frozenset({"sla"}), 3_000, 16 * 1024, 0, 0.0),
    Tier(
        "Developer",
        frozenset({*_GATEWAY, "private_backends", "internal", "private_endpoint", "self_hosted", "several_hosts"}),
        3_000,
        256 * 1024,
        1,
        0.0658,
    ),
    Tier("Basic", frozenset({*_GATEWAY, "sla", "private_endpoint"}), 10_000, 256 * 1024, 2, 0.2016),
    Tier("BasicV2", frozenset({*_GATEWAY, "sla"}), 10_000, 256 * 1024, 10, 0.20548),
    Tier("Standard", frozenset({*_GATEWAY, "sla", "private_endpoint"}), 50_000, 256 * 1024, 4, 0.9407),
    Tier(
        "StandardV2",
        frozenset({*_GATEWAY, "sla", "private_backends", "private_endpoint", "private_both"}),
        50_000,
        256 * 1024,
        10,
        0.9589,
        0.68493,
    ),
    Tier(
        "Premium",
        frozenset({
            *(*_GATEWAY, "sla", "private_backends", "internal", "private_endpoint"),
            *("zones", "self_hosted", "several_hosts"),
        }),
        75_000,
        256 * 1024,
        31,
        3.829,
        1.9145,
    ),
)  # fmt: skip
"""From the cheapest unit. Of several units StandardV2 is cheaper than Standard."""

BY_NAME: Mapping[str, Tier] = {item.name: item for item in TIERS}


def lacking(tier: Tier, needs: Iterable[str]) -> tuple[str, ...]:
    """Of these features, those that a tier has not."""
    return tuple(need for need in needs if need not in tier.features)


def cheapest(needs: Iterable[str], operations: int, units: int) -> Tier | None:
    """The tier that costs least before any call, of those with all these features and room for so many operations and
    units; None if no tier has. One that is billed by the call has no units, and is asked for none."""
    wanted = tuple(needs)
    fit = (
        item
        for item in TIERS
        if not lacking(item, wanted) and item.operations >= operations and (not item.units or item.units >= units)
    )
    return min(fit, key=lambda item: item.hourly(units), default=None)
