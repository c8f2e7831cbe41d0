"""Policy fragments: well-formed, small, and with nothing inside that does not work there."""

from typing import Any, cast

import pytest

from azure_parts import IN_SERVICE, only, recorded, refusal
from edgewright.azure.policy_fragment import MAX_FRAGMENT, PolicyFragment, PolicyFragmentArgs, fragment_problems

LIMIT = '<fragment><rate-limit calls="5" renewal-period="1" /></fragment>'


def args(**more: Any) -> PolicyFragmentArgs:
    return cast("PolicyFragmentArgs", {**IN_SERVICE, "fragment_id": "shop_limits", "value": LIMIT, **more})


def test_a_fragment_has_its_name_as_id_and_is_xml() -> None:
    inputs = only(recorded(lambda: PolicyFragment("it", args(description="limits"))), "apimanagement:PolicyFragment")
    assert inputs["id"] == "shop_limits"
    assert (inputs["format"], inputs["value"], inputs["description"]) == ("xml", LIMIT, "limits")


def test_a_fragment_of_the_largest_size_is_taken() -> None:
    rest = MAX_FRAGMENT - len("<fragment><!----></fragment>")
    assert fragment_problems(f"<fragment><!--{'x' * rest}--></fragment>") == []
    assert "at most" in fragment_problems(f"<fragment><!--{'x' * (rest + 1)}--></fragment>")[0]


@pytest.mark.parametrize("tag", ["base", "include-fragment", "cache-lookup", "cache-store", "inbound", "on-error"])
def test_what_does_not_work_inside_is_refused_wherever_it_stands(tag: str) -> None:
    (problem,) = fragment_problems(f"<fragment><choose><when condition='true'><{tag} /></when></choose></fragment>")
    assert f"`<{tag}>` cannot be in a fragment" in problem


def test_the_cache_of_values_works_inside() -> None:
    assert fragment_problems("<fragment><cache-lookup-value key='a' variable-name='b' /></fragment>") == []


def test_an_expression_in_quotes_has_to_be_escaped() -> None:
    raw = '<fragment><set-variable name="a" value="@(context.Variables["b"])" /></fragment>'
    (problem,) = fragment_problems(raw)
    assert "write `&quot;`" in problem


def test_another_root_is_refused() -> None:
    assert fragment_problems("<policies />") == ["the root is `<policies>`; it must be `<fragment>`"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"fragment_id": "-limits"}, "`-limits` is no id of a fragment"),
        ({"fragment_id": "x" * 81}, "is no id of a fragment"),
        ({"description": "x" * 1001}, "the description has 1001 characters"),
        ({"value": "<fragment>"}, "no well-formed XML"),
    ],
)
def test_a_fragment_that_cannot_be_is_refused(more: dict[str, Any], said: str) -> None:
    assert said in refusal(lambda: PolicyFragment("it", args(**more)))[0]
