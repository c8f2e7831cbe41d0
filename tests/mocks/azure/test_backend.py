"""Backends: one service or a pool, certificates checked, credentials as named values."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

import arm_bodies
from azure_parts import IN_SERVICE, SERVICE, only, recorded, refusal
from edgewright.azure.api_backend import Backend, BackendArgs

URL = "https://orders.example"
BREAKER = {
    "count": 5,
    "interval": "PT1M",
    "trip_duration": "PT30S",
    "status_ranges": [{"min": 500, "max": 599}],
}
MEMBER = {"id": f"{SERVICE}/backends/orders", "weight": 90}
OTHER = {"id": f"{SERVICE}/backends/orders-new", "weight": 10}


def args(**more: Any) -> BackendArgs:
    return cast("BackendArgs", {**IN_SERVICE, "backend_id": "orders", **more})


def backend(**more: Any) -> Mapping[str, Any]:
    resources = recorded(lambda: Backend("it", args(**more)))
    assert arm_bodies.problems(resources) == []
    return only(resources, "apimanagement:Backend")


def refused(**more: Any) -> tuple[str, ...]:
    return refusal(lambda: Backend("it", args(**more)))


def test_a_services_certificate_is_checked_in_full() -> None:
    inputs = backend(url=URL)
    assert inputs["tls"] == {"validateCertificateChain": True, "validateCertificateName": True}
    assert (inputs["type"], inputs["protocol"], inputs["url"]) == ("Single", "http", URL)


def test_checking_less_is_possible_and_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    inputs = backend(url=URL, tls={"validate_certificate_name": False})
    assert inputs["tls"] == {"validateCertificateChain": True, "validateCertificateName": False}
    assert "its certificate is not checked in full" in capsys.readouterr().err


def test_a_safe_backend_has_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    backend(url=URL)
    assert capsys.readouterr().err == ""


def test_a_pool_has_neither_url_nor_protocol() -> None:
    inputs = backend(pool=[MEMBER, OTHER])
    assert inputs["type"] == "Pool"
    assert not {"url", "protocol", "tls"} & set(inputs)


def test_members_are_asked_by_priority_and_within_it_by_weight() -> None:
    inputs = backend(pool=[MEMBER, {**OTHER, "priority": 2}])
    assert [(item["priority"], item["weight"]) for item in inputs["pool"]["services"]] == [(1, 90), (2, 10)]


def test_a_breaker_is_one_rule() -> None:
    (rule,) = backend(url=URL, circuit_breaker=BREAKER)["circuitBreaker"]["rules"]
    assert rule == {
        "name": "errors",
        "tripDuration": "PT30S",
        "failureCondition": {"count": 5, "interval": "PT1M", "statusCodeRanges": [{"min": 500, "max": 599}]},
    }


def test_a_breaker_may_count_a_share_and_reasons_and_listen_to_the_service() -> None:
    given = {
        "percentage": 50,
        "interval": "PT1M",
        "trip_duration": "P1D",
        "error_reasons": ["Timeout"],
        "accept_retry_after": True,
    }
    (rule,) = backend(url=URL, circuit_breaker=given)["circuitBreaker"]["rules"]
    assert rule["failureCondition"] == {"percentage": 50, "interval": "PT1M", "errorReasons": ["Timeout"]}
    assert rule["acceptRetryAfter"] is True


def test_credentials_are_named_values_and_certificates() -> None:
    certificate = f"{SERVICE}/certificates/orders"
    given = {
        "authorization": {"scheme": "Bearer", "parameter": "{{token}}"},
        "headers": {"X-Key": "{{key}}"},
        "query": {"code": "{{code}}"},
        "certificate_ids": [certificate],
    }
    assert backend(url=URL, credentials=given)["credentials"] == {
        "authorization": {"scheme": "Bearer", "parameter": "{{token}}"},
        "header": {"X-Key": ["{{key}}"]},
        "query": {"code": ["{{code}}"]},
        "certificateIds": [certificate],
    }


REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({}, "a url or a pool, one of them"),
    ({"url": URL, "pool": [MEMBER]}, "a url or a pool, one of them"),
    ({"url": "orders.example"}, "no address of a service"),
    ({"url": URL, "title": ""}, "`title` has 0 characters"),
    ({"url": URL, "backend_id": "x" * 81}, "`backend_id` has 81 characters"),
    ({"pool": []}, "1 to 30 backends, not 0"),
    ({"pool": [{**MEMBER, "id": f"b{n}"} for n in range(31)]}, "1 to 30 backends, not 31"),
    ({"pool": [{**MEMBER, "weight": 101}]}, "member 1: weight is 101"),
    ({"pool": [{**MEMBER, "priority": -1}]}, "member 1: priority is -1"),
    ({"pool": [{"id": "b"}]}, "member 1 needs `weight`"),
    ({"pool": [{**MEMBER, "weight": 0}, {**OTHER, "weight": 0}]}, "all members have the weight 0"),
    ({"pool": [MEMBER, MEMBER]}, "in the pool twice"),
    ({"pool": [MEMBER], "circuit_breaker": BREAKER}, "a pool has no circuit breaker of its own"),
    ({"pool": [MEMBER], "credentials": {}}, "a pool has no credentials of its own"),
    ({"url": URL, "circuit_breaker": {**BREAKER, "percentage": 5}}, "not count and percentage"),
    ({"url": URL, "circuit_breaker": {**BREAKER, "count": 0}}, "circuit_breaker.count is 0"),
    ({"url": URL, "circuit_breaker": {**BREAKER, "interval": "1m"}}, "circuit_breaker.interval is `1m`"),
    ({"url": URL, "circuit_breaker": {**BREAKER, "trip_duration": "PT"}}, "circuit_breaker.trip_duration is `PT`"),
    ({"url": URL, "circuit_breaker": {**BREAKER, "status_ranges": []}}, "nothing would be a failure"),
    (
        {"url": URL, "circuit_breaker": {**BREAKER, "status_ranges": [{"min": 599, "max": 500}]}},
        "a range is within 200 to 599",
    ),
    ({"url": URL, "tls": {"validate_chain": True}}, "tls has no `validate_chain`"),
    ({"url": URL, "credentials": {"headers": {"X-Key": "abc"}}}, "credentials.headers.X-Key is a plain text"),
    ({"url": URL, "credentials": {"managed_identity": {}}}, "`authentication-managed-identity`"),
    ({"url": URL, "credentials": {"proxy": {}}}, "credentials has no `proxy`"),
]


@pytest.mark.parametrize(("more", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_backend_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    assert [problem for problem in refused(**more) if said in problem]


def test_a_plain_credential_is_not_in_the_message_that_refuses_it() -> None:
    said = refused(url=URL, credentials={"authorization": {"scheme": "Bearer", "parameter": "hush"}})
    assert "hush" not in said[0]
