"""Usage plans: keys stay secret, and methods are named with a leading slash."""

from typing import Any, cast

import pulumi
import pytest

from edgewright.aws.usage_plan import UsagePlan, UsagePlanArgs
from mocks.aws.api_recording import SECRET, UNKNOWN, Recording, problems, record, resolved
from mocks.unknowns import unknown

KEY = "k" * 20


def args(**more: Any) -> UsagePlanArgs:
    return cast(UsagePlanArgs, {"api_id": "api1", "stage": "live", **more})


def place(**more: Any) -> Recording:
    return record(lambda: UsagePlan("plan", args(**more)))


def test_a_plan_counts_for_a_stage_and_for_methods_with_a_leading_slash() -> None:
    inputs = place(
        throttle={"rate": 10, "burst": 20.0},
        quota={"limit": 1000.0, "period": "WEEK", "offset": 2},
        methods={"/orders/{id}/GET": {"rate": 1, "burst": 2}},
    ).inputs("apigateway.UsagePlan")
    throttles = [{"path": "/orders/{id}/GET", "rateLimit": 1, "burstLimit": 2}]
    assert inputs["apiStages"] == [{"apiId": "api1", "stage": "live", "throttles": throttles}]
    assert inputs["throttleSettings"] == {"rateLimit": 10, "burstLimit": 20}
    assert inputs["quotaSettings"] == {"limit": 1000, "period": "WEEK", "offset": 2}


def test_a_client_has_a_key_in_the_plan() -> None:
    made = place(clients={"mobile": {}})
    assert "value" not in made.inputs("apigateway.ApiKey")
    assert made.inputs("apigateway.UsagePlanKey") == {
        "usagePlanId": "plan-id",
        "keyId": "plan-key-mobile-id",
        "keyType": "API_KEY",
    }


def test_the_value_of_a_key_is_secret_on_its_way_in_and_out() -> None:
    values: list[bool] = []

    async def keep(output: pulumi.Output[str]) -> None:
        values.append(await output.is_secret())

    def make() -> None:
        plan = UsagePlan("plan", args(clients={"mobile": {"key": KEY}}))
        pulumi.Output.from_input(keep(plan.key_values["mobile"])).apply(lambda _: None)

    made = record(make)
    assert made.inputs("apigateway.ApiKey")["value"] == SECRET
    assert made.one("apigateway.ApiKey").secret_outputs == ("value",)
    assert values == [True]


def test_the_value_of_a_key_can_be_handed_on() -> None:
    values: list[str] = []
    record(lambda: resolved(UsagePlan("plan", args(clients={"mobile": {"key": KEY}})).key_values["mobile"], values))
    assert values == [KEY]


def test_a_plan_can_be_made_before_its_key_is_known() -> None:
    made = record(lambda: UsagePlan("plan", args(stage=unknown(), clients={"a": {"key": unknown()}})), preview=True)
    assert made.inputs("apigateway.UsagePlan")["apiStages"] == [{"apiId": "api1", "stage": UNKNOWN}]
    assert made.inputs("apigateway.ApiKey")["value"] in (UNKNOWN, SECRET)


def test_all_is_below_the_component_and_protected() -> None:
    made = record(lambda: UsagePlan("plan", args(clients={"a": {}}), pulumi.ResourceOptions(protect=True)))
    assert {resource.parent for resource in made.custom} == {made.resources[0].urn}
    assert all(resource.protect for resource in made.resources)


def test_an_override_adjusts_one_clients_key() -> None:
    made = place(clients={"a": {}, "b": {}}, overrides={"keys.a": {"customer_id": "7"}})
    keys = made.of("apigateway.ApiKey")
    assert keys["plan-key-a"].inputs["customerId"] == "7"
    assert "customerId" not in keys["plan-key-b"].inputs


@pytest.mark.parametrize("key", ["k" * 19, "k" * 129])
def test_a_key_of_another_length_is_refused_without_showing_it(key: str) -> None:
    said = problems(lambda: UsagePlan("plan", args(clients={"a": {"key": key}})))
    assert "20 to 128" in said
    assert key not in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"methods": {"orders/GET": {"rate": 1}}}, "leading slash"),
        ({"methods": {"/orders/ANY": {"rate": 1}}}, "one verb"),
        ({"quota": {"limit": 10, "period": "YEAR"}}, "DAY, WEEK, MONTH"),
        ({"quota": {"limit": 0, "period": "DAY"}}, "quota.limit"),
        ({"quota": {"limit": 10, "period": "DAY", "offset": 1}}, "quota.offset"),
        ({"quota": {"limit": 10, "period": "MONTH", "offset": 28}}, "0 to 27"),
        ({"quota": {"period": "DAY"}}, "quota.limit is missing"),
        ({"throttle": {"rate": -1}}, "throttle.rate"),
        ({"api_id": None}, "`api_id` is missing"),
        ({"clients": {"a": {"value": "x"}}}, "`value`"),
        ({"overrides": {"keys.a": {}}}, "keys.a"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_plan_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in problems(lambda: UsagePlan("plan", args(**change)))
