"""Throttles exact in time, calendar quotas that are kept, and the service that answers for both."""

import math
import signal
import sqlite3
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.local import http1
from edgewright.local.limits import (
    UNRECORDED,
    Limits,
    Malformed,
    Quota,
    Quotas,
    Throttle,
    Throttles,
    throttle_of,
    window,
)
from unit.local.wire import Answer, ask_unix, process, request


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def at(text: str) -> float:
    """Seconds since 1970 of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def bucket(rate: float, burst: int, name: str = "b") -> Throttle:
    return throttle_of(f"{name};{rate};{burst}", rate, burst)


def admitted(throttles: Throttles, limit: Throttle, caller: str = "a", tries: int = 1) -> int:
    """How many of so many requests at this moment are let through."""
    return sum(throttles.take([(limit, caller)]) == 0 for _ in range(tries))


# -- throttles


def test_a_new_caller_has_the_burst_and_no_more() -> None:
    throttles = Throttles(Clock())
    assert admitted(throttles, bucket(10, 5), tries=20) == 5
    assert admitted(throttles, bucket(10, 5), "another", tries=20) == 5


@pytest.mark.parametrize(
    ("rate", "burst", "offered"), [(100, 200, 400), (5 / 60, 5, 1), (1 / 3600, 1, 0.01), (7, 2, 50)]
)
def test_over_time_the_rate_is_admitted_exactly(rate: float, burst: int, offered: float) -> None:
    clock = Clock(12_345.678)
    throttles = Throttles(clock)
    limit = bucket(rate, burst)
    seconds, count = 1_000 / rate, 0
    begin, steps = clock.now, int(seconds * offered)
    for step in range(steps):
        clock.now = begin + step / offered
        count += admitted(throttles, limit)
    # The burst, and a token for each interval that has passed; the last may still be on its way.
    assert count == pytest.approx(burst + (steps - 1) / offered * rate, abs=1)


@pytest.mark.parametrize("rate", [1 / 60, 5 / 60, 1 / 3600, 1 / 86400, 3, 7, 1_000, 1 / 3])
def test_a_token_is_there_exactly_one_interval_later(rate: float) -> None:
    clock = Clock(98_765.4321)
    throttles = Throttles(clock)
    limit = throttle_of("b", float(f"{rate:.9g}"), 3)
    assert admitted(throttles, limit, tries=4) == 3
    begin = clock.now
    clock.now = begin + 0.999 / rate
    assert admitted(throttles, limit) == 0
    clock.now = begin + 1 / rate
    assert admitted(throttles, limit, tries=2) == 1
    clock.now = begin + 1_000 / rate
    assert admitted(throttles, limit, tries=10) == 3


def test_the_wait_that_is_told_is_the_one_that_is_needed() -> None:
    clock = Clock()
    throttles = Throttles(clock)
    limit = bucket(5 / 60, 5)
    admitted(throttles, limit, tries=5)
    clock.now += 2
    assert throttles.take([(limit, "a")]) == pytest.approx(10, abs=1e-4)


def test_a_refused_request_takes_no_token() -> None:
    clock = Clock()
    throttles = Throttles(clock)
    limit = bucket(1, 1)
    assert admitted(throttles, limit, tries=1_000) == 1
    clock.now += 1
    assert admitted(throttles, limit) == 1


def test_of_several_buckets_all_give_a_token_or_none() -> None:
    throttles = Throttles(Clock())
    wide, narrow = bucket(1, 5, "wide"), bucket(1, 2, "narrow")
    both = [(wide, "a"), (narrow, "a")]
    assert [throttles.take(both) == 0 for _ in range(4)] == [True, True, False, False]
    assert admitted(throttles, wide, tries=10) == 3


def test_full_buckets_are_forgotten_and_others_are_not() -> None:
    clock = Clock()
    throttles = Throttles(clock, most=100)
    slow, fast = bucket(1 / 3600, 1, "slow"), bucket(1_000, 1, "fast")
    assert admitted(throttles, slow, "kept") == 1
    for caller in range(10_000):
        clock.now += 0.001
        assert admitted(throttles, fast, str(caller)) == 1
        assert len(throttles) <= 101
    assert admitted(throttles, slow, "kept") == 0


def test_memory_is_bounded_when_no_bucket_is_full() -> None:
    clock = Clock()
    throttles = Throttles(clock, most=100)
    nearly_full, empty = bucket(1 / 60, 2, "nearly full"), bucket(1 / 3600, 1, "empty")
    for caller in range(50):
        admitted(throttles, empty, str(caller))
    for caller in range(5_000):
        admitted(throttles, nearly_full, str(caller))
        assert len(throttles) <= 100
    # Those that went are the ones nearest to full.
    assert sum(admitted(throttles, empty, str(caller)) for caller in range(50)) == 0


@settings(max_examples=100, deadline=None)
@given(
    rate=st.sampled_from([0.01, 1 / 3, 1.0, 50.0]),
    burst=st.integers(1, 20),
    steps=st.lists(st.floats(0, 30, allow_subnormal=False), min_size=1, max_size=80),
)
def test_it_admits_what_a_bucket_with_counted_tokens_admits(rate: float, burst: int, steps: list[float]) -> None:
    clock, tokens = Clock(0.0), float(burst)
    throttles = Throttles(clock)
    limit = bucket(rate, burst)
    for step in steps:
        clock.now += step
        tokens = min(burst, tokens + step * rate)
        if abs(tokens - 1) < 1e-5:
            return  # a tie, which rounding decides
        expected = tokens >= 1
        tokens -= expected
        assert admitted(throttles, limit) == expected


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (math.inf, 1), (math.nan, 1), (1, 0)])
def test_a_bucket_that_makes_no_sense_is_malformed(rate: float, burst: int) -> None:
    with pytest.raises(Malformed):
        throttle_of("b", rate, burst)


# -- periods


@pytest.mark.parametrize(
    ("period", "now", "starts", "ends"),
    [
        ("hour", "2026-11-23T23:59:59.999", "2026-11-23T23:00", "2026-11-24T00:00"),
        ("hour", "2026-11-24T00:00:00", "2026-11-24T00:00", "2026-11-24T01:00"),
        ("day", "2026-11-23T23:59:59.999", "2026-11-23", "2026-11-24"),
        ("day", "2024-02-28T12:00", "2024-02-28", "2024-02-29"),
        ("day", "2024-02-29T12:00", "2024-02-29", "2024-03-01"),
        ("day", "2025-12-31T23:59", "2025-12-31", "2026-01-01"),
        ("week", "2026-11-23T00:00", "2026-11-23", "2026-11-30"),
        ("week", "2026-11-22T23:59:59", "2026-11-16", "2026-11-23"),
        ("week", "2021-01-01T00:00", "2020-12-28", "2021-01-04"),
        ("week", "2024-12-31T08:00", "2024-12-30", "2025-01-06"),
        ("week", "2024-02-29T08:00", "2024-02-26", "2024-03-04"),
        ("month", "2024-02-01T00:00", "2024-02-01", "2024-03-01"),
        ("month", "2024-02-29T23:59:59", "2024-02-01", "2024-03-01"),
        ("month", "2023-02-28T23:59:59", "2023-02-01", "2023-03-01"),
        ("month", "2100-02-28T12:00", "2100-02-01", "2100-03-01"),
        ("month", "2026-04-30T23:59:59.5", "2026-04-01", "2026-05-01"),
        ("month", "2026-05-31T23:59:59", "2026-05-01", "2026-06-01"),
        ("month", "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_period_is_a_calendars(period: str, now: str, starts: str, ends: str) -> None:
    assert window(period, at(now)) == (at(starts), at(ends))


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)),
    st.sampled_from(["hour", "day", "week", "month"]),
)
def test_periods_follow_each_other_without_gaps(moment: datetime, period: str) -> None:
    now = moment.replace(tzinfo=UTC).timestamp()
    starts, ends = window(period, now)
    assert starts <= now < ends
    assert window(period, ends)[0] == ends
    first = datetime.fromtimestamp(starts, UTC)
    assert (first.minute, first.second) == (0, 0)
    if period == "week":
        assert first.isocalendar()[:2] == moment.isocalendar()[:2]
        assert first.isoweekday() == 1
        assert ends - starts == timedelta(days=7).total_seconds()
    if period == "month":
        assert (first.year, first.month, first.day) == (moment.year, moment.month, 1)


# -- quotas


def used_up(quotas: Quotas, quota: Quota, caller: str = "a", tries: int = 100) -> int:
    """How many of so many requests are counted before one is refused."""
    for number in range(tries):
        if quotas.take([(quota, caller)])[1] is not None:
            return number
    return tries


def test_a_quota_lets_its_limit_through_and_says_what_is_left() -> None:
    clock = Clock(at("2026-11-23T10:00"))
    quotas = Quotas(":memory:", clock)
    quota = Quota("q", 3, "day")
    assert [quotas.take([(quota, "a")]) for _ in range(4)] == [
        ([2], None),
        ([1], None),
        ([0], None),
        ([0], at("2026-11-24")),
    ]
    assert quotas.take([(quota, "b")]) == ([2], None)


@pytest.mark.parametrize(
    ("period", "last", "first"),
    [
        ("hour", "2026-11-23T10:59:59.99", "2026-11-23T11:00"),
        ("day", "2024-02-29T23:59:59.99", "2024-03-01T00:00"),
        ("week", "2026-11-22T23:59:59.99", "2026-11-23T00:00"),
        ("month", "2026-12-31T23:59:59.99", "2027-01-01T00:00"),
    ],
)
def test_a_new_period_begins_with_the_whole_quota(period: str, last: str, first: str) -> None:
    clock = Clock(at(last))
    quotas = Quotas(":memory:", clock)
    quota = Quota("q", 5, period)
    assert used_up(quotas, quota) == 5
    clock.now = at(first)
    assert used_up(quotas, quota) == 5


def test_a_clock_that_is_set_back_finds_the_old_count_again() -> None:
    clock = Clock(at("2026-11-23T23:59:59"))
    quotas = Quotas(":memory:", clock)
    quota = Quota("q", 5, "day")
    assert used_up(quotas, quota, tries=3) == 3
    clock.now += 2
    assert used_up(quotas, quota) == 5
    clock.now -= 2
    assert used_up(quotas, quota) == 2


def test_a_changed_limit_keeps_the_count_and_another_period_has_its_own() -> None:
    quotas = Quotas(":memory:", Clock(at("2026-11-23T10:00")))
    assert used_up(quotas, Quota("q", 5, "day")) == 5
    assert used_up(quotas, Quota("q", 8, "day")) == 3
    assert quotas.take([(Quota("q", 2, "day"), "a")])[1] is not None
    assert used_up(quotas, Quota("q", 5, "month")) == 5


def test_of_several_quotas_all_count_or_none() -> None:
    quotas = Quotas(":memory:", Clock(at("2026-11-23T10:00")))
    wide, narrow = Quota("wide", 10, "month"), Quota("narrow", 2, "hour")
    found = [quotas.take([(wide, "a"), (narrow, "a")]) for _ in range(3)]
    assert found == [([9, 1], None), ([8, 0], None), ([8, 0], at("2026-11-23T11:00"))]
    assert used_up(quotas, wide) == 8


def test_counts_are_still_there_after_a_restart(tmp_path: Path) -> None:
    clock = Clock(at("2026-11-23T10:00"))
    quota = Quota("q", 100, "month")
    for _ in range(3):
        quotas = Quotas(tmp_path / "limits.db", clock)
        assert used_up(quotas, quota, tries=20) == 20
        quotas.close()
    assert used_up(Quotas(tmp_path / "limits.db", clock), quota) == 40


def test_no_more_than_the_stated_number_of_counts_is_ever_unrecorded(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "limits.db", Clock(at("2026-11-23T10:00")))
    found: list[int] = []
    for number in range(500):
        quotas.take([(Quota("q", 1_000, "day"), str(number % 7))])
        found.append(quotas.unrecorded)
    assert max(found) == UNRECORDED


def test_it_is_told_when_counts_begin_to_wait() -> None:
    told: list[int] = []
    quotas = Quotas(":memory:", Clock(at("2026-11-23T10:00")), waiting=lambda: told.append(1))
    used_up(quotas, Quota("q", 9, "day"), tries=5)
    assert len(told) == 1
    quotas.record()
    assert quotas.unrecorded == 0
    used_up(quotas, Quota("q", 9, "day"), tries=1)
    assert len(told) == 2


def test_counts_that_left_memory_come_back_from_the_file(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "limits.db", Clock(at("2026-11-23T10:00")), most=10)
    quota = Quota("q", 20, "day")
    random, used = Random(1), dict.fromkeys(range(200), 0)
    for _ in range(3_000):
        caller = random.randrange(200)
        left, ends = quotas.take([(quota, str(caller))])
        if ends is None:
            used[caller] += 1
            assert left == [20 - used[caller]]
        assert len(quotas) <= 11
    assert len([count for count in used.values() if count > 5]) > 150


def test_no_caller_and_no_quota_can_be_read_from_the_file(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "limits.db", Clock(at("2026-11-23T10:00")))
    quotas.take([(Quota("GET /orders|subject", 5, "day"), "ann@shop.example")])
    quotas.record()
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert data
    assert b"ann" not in data
    assert b"orders" not in data
    quotas.close()


def test_a_row_goes_after_its_period_has_ended(tmp_path: Path) -> None:
    clock = Clock(at("2026-11-23T10:30"))
    quotas = Quotas(tmp_path / "limits.db", clock)
    for caller in range(30):
        quotas.take([(Quota("q", 5, "hour"), str(caller))])
    quotas.take([(Quota("q", 5, "month"), "a")])
    quotas.record()
    clock.now = at("2026-11-23T12:30")
    quotas.take([(Quota("q", 5, "hour"), "new")])
    quotas.close()
    database = sqlite3.connect(tmp_path / "limits.db")
    ends = [row[0] for row in database.execute("SELECT ends FROM counts ORDER BY ends")]
    database.close()
    assert ends == [at("2026-11-23T13:00"), at("2026-12-01")]


def test_a_second_counter_on_the_same_file_is_refused(tmp_path: Path) -> None:
    first = Quotas(tmp_path / "limits.db")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Quotas(tmp_path / "limits.db")
    first.close()


# -- the service


class Service:
    """The service without a socket, with clocks that the test moves."""

    def __init__(self) -> None:
        self.monotonic = Clock()
        self.wall = Clock(at("2026-11-23T10:00:00"))
        self.limits = Limits(Throttles(self.monotonic), Quotas(":memory:", self.wall))

    def ask(self, *headers: tuple[str, str]) -> Answer:
        response = self.limits.answer(http1.Request("POST", "/check/orders", headers=headers))
        return Answer(response.status, dict(response.headers), response.body)


THROTTLE = ("x-edge-throttle", "defaults.throttle|api_key-ip;rate=0.0833333333;burst=5")
THROTTLE_KEY = ("x-edge-throttle-key", "10.0.0.1")
QUOTA = ("x-edge-quota", "GET /partners/orders/{id}|api_key;limit=2;period=day")
QUOTA_KEY = ("x-edge-quota-key", "acme")


def test_what_is_within_its_limits_passes_without_a_body() -> None:
    answer = Service().ask(THROTTLE, THROTTLE_KEY)
    assert (answer.status, answer.body, answer.headers) == (200, b"", {})


def test_a_throttled_request_is_told_when_to_come_back() -> None:
    service = Service()
    assert [service.ask(THROTTLE, THROTTLE_KEY).status for _ in range(6)] == [200] * 5 + [429]
    service.monotonic.now += 2.5
    refused = service.ask(THROTTLE, THROTTLE_KEY)
    assert refused.headers["retry-after"] == "10"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json == {
        "type": "about:blank",
        "title": "Too many requests",
        "status": 429,
        "detail": "The limit on the rate of requests is reached; try again in 10 seconds.",
    }
    service.monotonic.now += 10
    assert service.ask(THROTTLE, THROTTLE_KEY).status == 200


def test_retry_after_is_at_least_one_second() -> None:
    service = Service()
    limit = ("x-edge-throttle", "a;rate=1e+03;burst=1")
    assert [service.ask(limit, THROTTLE_KEY).status for _ in range(2)] == [200, 429]
    assert service.ask(limit, THROTTLE_KEY).headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("period", "now", "after"),
    [
        ("hour", "2026-11-23T10:59:59.5", 1),
        ("day", "2026-11-23T22:00:00", 7_200),
        ("week", "2026-11-23T00:00:00", 604_800),
        ("month", "2024-02-28T00:00:00", 172_800),
    ],
)
def test_who_has_used_up_a_quota_is_told_when_the_next_period_begins(period: str, now: str, after: int) -> None:
    service = Service()
    service.wall.now = at(now)
    quota = ("x-edge-quota", f"q;limit=1;period={period}")
    passed, refused = service.ask(quota, QUOTA_KEY), service.ask(quota, QUOTA_KEY)
    assert (passed.status, passed.headers["x-quota-remaining"]) == (200, "0")
    assert (refused.status, refused.headers["retry-after"]) == (429, str(after))
    assert refused.headers["x-quota-limit"] == "1"
    assert f"1 requests a {period}" in refused.json["detail"]
    service.wall.now += after
    assert service.ask(quota, QUOTA_KEY).status == 200


def test_a_throttled_request_does_not_use_up_a_quota() -> None:
    service = Service()
    throttle = ("x-edge-throttle", "t;rate=1;burst=1")
    found: list[Answer] = []
    for _ in range(2):
        found += [service.ask(throttle, THROTTLE_KEY, QUOTA, QUOTA_KEY) for _ in range(5)]
        service.monotonic.now += 1
    assert [answer.status for answer in found] == [200, 429, 429, 429, 429] * 2
    assert [answer.headers["x-quota-remaining"] for answer in found if answer.status == 200] == ["1", "0"]
    assert service.ask(throttle, THROTTLE_KEY, QUOTA, QUOTA_KEY).headers["x-quota-remaining"] == "0"


@pytest.mark.parametrize("joined", [True, False], ids=["one header", "two headers"])
def test_several_throttles_are_all_checked(joined: bool) -> None:
    texts = ["GET /a,b|ip;rate=1;burst=9", "route, too|route;rate=1;burst=2"]
    headers = [("x-edge-throttle", text) for text in ([", ".join(texts)] if joined else texts)]
    service = Service()
    assert [service.ask(*headers, THROTTLE_KEY).status for _ in range(4)] == [200, 200, 429, 429]
    # The wide one has given two tokens, and is the same bucket however it is asked for.
    assert [service.ask(("x-edge-throttle", texts[0]), THROTTLE_KEY).status for _ in range(8)] == [200] * 7 + [429]


def test_several_throttles_may_have_a_key_each() -> None:
    service = Service()
    headers = [("x-edge-throttle", "a;rate=1;burst=2"), ("x-edge-throttle", "b;rate=1;burst=2")]
    ann, bob = ("x-edge-throttle-key", "ann"), ("x-edge-throttle-key", "bob")
    assert [service.ask(*headers, ann, bob).status for _ in range(3)] == [200, 200, 429]
    assert service.ask(*headers, bob, ann).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (THROTTLE_KEY,),
        (THROTTLE,),
        (THROTTLE, QUOTA_KEY),
        (THROTTLE, ("x-edge-throttle-key", "")),
        (THROTTLE, THROTTLE_KEY, THROTTLE_KEY),
        (THROTTLE, THROTTLE_KEY, QUOTA),
        (THROTTLE, THROTTLE_KEY, ("x-edge-quota", ""), QUOTA_KEY),
        *(
            ((("x-edge-throttle", text)), THROTTLE_KEY)
            for text in (
                "",
                "a",
                ";rate=1;burst=1",
                "a;rate=1",
                "a;rate=1;burst=",
                "a;rate=x;burst=1",
                "a;rate=-1;burst=1",
                "a;rate=0;burst=1",
                "a;rate=1;burst=0",
                "a;rate=1;burst=1.5",
                "a;rate=nan;burst=1",
                "a;rate=1e999;burst=1",
                "a;rate=1;burst=1;more",
                "a;rate=1;burst=1 b;rate=1;burst=1",
            )
        ),
        *(
            ((("x-edge-quota", text)), QUOTA_KEY)
            for text in ("a;limit=1", "a;limit=1;period=year", "a;limit=-1;period=day", "a;limit=1;period=daylight")
        ),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_500_so_that_the_gateway_fails_closed(headers: tuple[tuple[str, str], ...]) -> None:
    answer = Service().ask(*headers)
    assert answer.status == 500
    assert answer.json["status"] == 500


def test_a_long_key_is_a_caller_of_its_own_and_is_not_kept_whole() -> None:
    service = Service()
    limit = ("x-edge-throttle", "a;rate=1;burst=1")
    long = ["k" * 4_000 + end for end in "ab"]
    assert [service.ask(limit, ("x-edge-throttle-key", key)).status for key in long * 2] == [200, 200, 429, 429]


def test_counts_that_cannot_be_written_down_stop_the_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quotas = Quotas(tmp_path / "limits.db", Clock(at("2026-11-23T10:00")))
    quota = Quota("q", 1_000, "day")
    real: Callable[[], None] = quotas.record

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(quotas, "record", full)
    assert used_up(quotas, quota, tries=UNRECORDED) == UNRECORDED
    with pytest.raises(sqlite3.OperationalError):
        quotas.take([(quota, "a")])
    monkeypatch.setattr(quotas, "record", real)
    assert quotas.take([(quota, "a")]) == ([1_000 - UNRECORDED - 1], None)


# -- the process


def checks(count: int, limit: int = 1_000, caller: str = "acme") -> bytes:
    """So many requests to check, pipelined."""
    quota = {"x_edge_quota": f"q;limit={limit};period=month", "x_edge_quota_key": caller}
    return request("GET", "/check/orders/7", **quota) * count


ARGUMENTS = ("limits", "--socket", "limits.sock", "--state", "limits.db")


def test_a_kill_loses_no_more_counts_than_stated(tmp_path: Path) -> None:
    path, asked, rounds = tmp_path / "limits.sock", 333, 3
    for number in range(rounds):
        with process(*ARGUMENTS, where=path, cwd=tmp_path) as child:
            found = ask_unix(path, checks(asked))
            assert [answer.status for answer in found] == [200] * asked
            used = 1_000 - int(found[-1].headers["x-quota-remaining"])
            assert (number + 1) * asked - number * UNRECORDED <= used <= (number + 1) * asked
            child.send_signal(signal.SIGKILL)
            child.wait()


def test_the_end_of_the_service_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "limits.sock"
    for number in range(3):
        with process(*ARGUMENTS, where=path, cwd=tmp_path) as child:
            assert [answer.headers["x-quota-remaining"] for answer in ask_unix(path, checks(7))][-1] == str(
                1_000 - 7 * (number + 1)
            )
            child.terminate()
            assert child.wait() == 0
            assert child.communicate()[0] == ""


def test_nobody_else_can_open_its_socket_or_its_counts(tmp_path: Path) -> None:
    path = tmp_path / "limits.sock"
    with process(*ARGUMENTS, where=path, cwd=tmp_path):
        ask_unix(path, checks(60))
        modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in tmp_path.iterdir()}
    assert {"limits.sock", "limits.db"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_file_that_is_not_its_own_is_left_alone_with_a_plain_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgewright.local.limits import main

    (tmp_path / "limits.db").write_bytes(b"not a database, " * 100)
    assert main(["--socket", str(tmp_path / "s"), "--state", str(tmp_path / "limits.db")]) == 1
    told = capsys.readouterr().err
    assert "cannot be used" in told
    assert "remove it to begin with unused quotas" in told
    assert (tmp_path / "limits.db").read_bytes().startswith(b"not a database")
