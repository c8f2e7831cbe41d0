"""What planned resources cost without any traffic: reckoned from a cloud's dated table of list prices."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.plan.model import Cost, Resource

HOURS = 730
"""Hours of a month, as the clouds' own calculators take them."""
NOT_PRICED = "not priced"
"""How the basis of a cost begins for which there is no figure; its ``monthly`` is 0."""


@dataclass(frozen=True, slots=True)
class Price:
    """A list price. usd: for one `unit`; everywhere: the same in all commercial regions; more: what comes on top.

    page: the cloud's own page, which draws most figures by script; stated: a page that states the figure in words, and
    the date that it bears. region: whose price it is, where that is not the list's `home`. once: one for all, however
    many ask for it.
    """

    what: str
    usd: float
    unit: str
    page: str
    stated: str = ""
    everywhere: bool = False
    more: str = ""
    region: str = ""
    once: bool = False

    @property
    def monthly(self) -> float:
        """USD a month for one."""
        return self.usd * (HOURS if self.unit == "h" else 1)


@dataclass(frozen=True, slots=True)
class PriceList:
    """A cloud's prices.

    by_name: by a name of our own, in the order to show; home: the region whose prices they are; elsewhere: what is said
    of a price in another region, with ``{home}`` and ``{region}``; read: the date of reading.
    """

    by_name: Mapping[str, Price]
    home: str
    elsewhere: str
    read: str

    def source(self, price: Price) -> str:
        """The page, who states the figure, and when it was read."""
        by = f"as {price.stated} has it, " if price.stated else ""
        return f"{price.page} ({by}read {self.read})"

    def cost(self, name: str, count: float, region: str) -> Cost:
        """So many of a price, in a region."""
        price = self.by_name[name]
        words = [f"{count:g} x {price.usd:g} USD/{price.unit}" + (f" x {HOURS} h" if price.unit == "h" else "")]
        home = price.region or self.home
        if region != home and not price.everywhere:
            words.append(self.elsewhere.format(home=home, region=region))
        words += [price.more] if price.more else []
        return Cost(price.what, count, round(count * price.monthly, 2), "; ".join(words), self.source(price))


@dataclass(frozen=True, slots=True)
class Use:
    """So many of a price; or, with `unknown`, why there is no number, and `price` may be any words then."""

    price: str
    count: float = 0
    unknown: str = ""


Counter = Callable[[Mapping[str, Any]], Sequence[Use]]
"""What a resource with these inputs uses."""


def one(price: str) -> Counter:
    """One of a price, whatever the inputs."""
    return lambda _inputs: [Use(price, 1)]


def without_figure(what: str, why: str) -> Counter:
    """For what is billed, but has no figure here."""
    return lambda _inputs: [Use(what, unknown=why)]


def uses(resources: Iterable[Resource], counters: Mapping[str, Counter]) -> Iterator[Use]:
    """What these resources use, by a counter for each type; other types are not billed by the hour or month."""
    for resource in resources:
        counter = counters.get(resource.type)
        if counter is not None:
            yield from counter(resource.inputs)


def reckon(found: Iterable[Use], prices: PriceList, region: str) -> tuple[Cost, ...]:
    """What is used costs so much a month before any traffic: an item a row, in the order of the list.

    Resources that are bound rather than made are not in a plan, and so not here. Items without a known figure come
    last, with the basis ``not priced: why``.
    """
    counts: dict[str, float] = {}
    unknown: dict[tuple[str, str], int] = {}
    for use in found:
        if use.unknown:
            what = prices.by_name[use.price].what if use.price in prices.by_name else use.price
            unknown[what, use.unknown] = unknown.get((what, use.unknown), 0) + 1
        else:
            counts[use.price] = 1 if prices.by_name[use.price].once else counts.get(use.price, 0) + use.count
    rows = [prices.cost(name, counts[name], region) for name in prices.by_name if counts.get(name)]
    return (*rows, *(Cost(what, count, 0.0, f"{NOT_PRICED}: {why}", "") for (what, why), count in unknown.items()))
