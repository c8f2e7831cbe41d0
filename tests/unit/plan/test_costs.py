"""How a plan's cost is reckoned from any cloud's list of prices."""

from edgewright.plan.costs import NOT_PRICED, Price, PriceList, Use, one, reckon, uses, without_figure
from edgewright.plan.model import Cost
from unit.plan import sample_plans as samples

PRICES = PriceList(
    {
        "lamp": Price("lamp", 0.10, "h", "https://cloud.example/lamps", "a page of 2026-01", more="oil on top"),
        "door": Price("door", 5.0, "month", "https://cloud.example/doors", everywhere=True),
        "moat": Price("moat", 3000.0, "month", "https://cloud.example/moats", once=True),
        "well": Price("well", 2.0, "month", "https://cloud.example/wells", region="south"),
    },
    home="north",
    elsewhere="of {home}; {region} may differ",
    read="2026-11-28",
)


def costs(*found: Use, region: str = "north") -> dict[str, Cost]:
    return {cost.what: cost for cost in reckon(found, PRICES, region)}


def test_an_hourly_price_is_for_730_hours() -> None:
    assert costs(Use("lamp", 2))["lamp"] == Cost(
        "lamp",
        2,
        146.0,
        "2 x 0.1 USD/h x 730 h; oil on top",
        "https://cloud.example/lamps (as a page of 2026-01 has it, read 2026-11-28)",
    )


def test_a_monthly_price_is_for_each() -> None:
    cost = costs(Use("door", 3))["door"]
    assert (cost.monthly, cost.basis) == (15.0, "3 x 5 USD/month")
    assert cost.source == "https://cloud.example/doors (read 2026-11-28)"


def test_what_uses_the_same_price_is_one_row() -> None:
    assert [(cost.what, cost.count) for cost in reckon([Use("door", 1), Use("door", 2)], PRICES, "north")] == [
        ("door", 3)
    ]


def test_rows_stand_in_the_order_of_the_list_and_those_without_a_figure_last() -> None:
    found = [Use("ferry", unknown="by the crossing"), Use("door", 1), Use("lamp", 1)]
    assert [cost.what for cost in reckon(found, PRICES, "north")] == ["lamp", "door", "ferry"]


def test_what_is_bought_once_is_counted_once() -> None:
    assert costs(Use("moat", 1), Use("moat", 1))["moat"].monthly == 3000.0


def test_none_of_a_price_is_no_row() -> None:
    assert costs(Use("door", 0)) == {}


def test_a_price_says_whose_it_is_in_any_other_region() -> None:
    assert "of north; south may differ" in costs(Use("lamp", 1), region="south")["lamp"].basis
    assert "differ" not in costs(Use("lamp", 1))["lamp"].basis
    assert "differ" not in costs(Use("door", 1), region="south")["door"].basis


def test_a_figure_of_another_region_than_the_list_says_so_even_at_home() -> None:
    assert "of south; north may differ" in costs(Use("well", 1))["well"].basis
    assert "differ" not in costs(Use("well", 1), region="south")["well"].basis


def test_without_a_figure_it_says_why_and_counts() -> None:
    ferry = Use("ferry", unknown="by the crossing")
    assert costs(ferry, ferry)["ferry"] == Cost("ferry", 2, 0.0, f"{NOT_PRICED}: by the crossing", "")


def test_a_price_whose_number_is_unknown_has_the_name_of_the_price() -> None:
    assert costs(Use("lamp", unknown="known only after deploying"))["lamp"].monthly == 0.0


def test_a_counter_is_found_by_the_type() -> None:
    resources = [samples.resource(type_, "x", None) for type_ in ("a/b:Lamp", "a/b:Ferry", "a/b:Else")]
    counters = {"aws:a/b:Lamp": one("lamp"), "aws:a/b:Ferry": without_figure("ferry", "by the crossing")}
    assert list(uses(resources, counters)) == [Use("lamp", 1), Use("ferry", unknown="by the crossing")]
