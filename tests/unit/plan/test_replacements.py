"""What replacements cost: the tables name inputs that the SDKs have, and pages of the clouds."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from edgewright.aws import replacements as aws
from edgewright.aws.led_by import LED_BY as AWS_LED_BY
from edgewright.azure import replacements as azure
from edgewright.azure.led_by import LED_BY as AZURE_LED_BY
from edgewright.plan.led_by import Led
from edgewright.plan.model import Resource
from edgewright.plan.replacements import guard_of, replacement_of
from edgewright.plan.sdk_types import problems, resource_class

TABLE = {**aws.REPLACEMENTS, **azure.REPLACEMENTS}
HOSTS = {"aws": "docs.aws.amazon.com", "azure-native": "learn.microsoft.com"}


@pytest.mark.parametrize("type_", [*TABLE, *aws.GUARDS, *azure.GUARDS])
def test_a_type_is_one_of_the_installed_sdk(type_: str) -> None:
    assert resource_class(type_) is not None


@pytest.mark.parametrize("type_", list(TABLE))
def test_what_forces_a_replacement_is_an_input_of_the_type(type_: str) -> None:
    for path in TABLE[type_].inputs:
        value: Any = "${x.T x.y}"
        for name in reversed(path.split(".")):
            value = {name: value}
        found = problems(Resource("u::x", type_, "x", None, value, (), custom=True))
        assert [text for text in found if "is not known" in text] == []


@pytest.mark.parametrize("type_", list(TABLE))
def test_what_is_said_of_a_replacement_has_a_page_of_the_cloud(type_: str) -> None:
    known = TABLE[type_]
    hosts = {urlsplit(page).netloc for page in known.sources}
    assert hosts <= {HOSTS[type_.partition(":")[0]]}
    assert hosts or not (known.time or known.outage)


def test_nothing_is_claimed_of_a_type_without_a_row() -> None:
    assert replacement_of("aws:sqs/queue:Queue") is None
    assert guard_of("aws:sqs/queue:Queue") is None


@pytest.mark.parametrize("table", [AWS_LED_BY, AZURE_LED_BY])
def test_no_row_of_what_led_to_a_resource_hides_a_later_one(table: tuple[Led, ...]) -> None:
    for index, row in enumerate(table):
        before = [
            other for other in table[:index] if row.type.startswith(other.type) and row.path.startswith(other.path)
        ]
        assert before == [], row
