"""Throttles and quotas as ``rate-limit-by-key`` and ``quota-by-key``."""

from collections.abc import Iterator

from edgewright.azure import expressions as cs
from edgewright.azure.policy import Policy, QuotaByKey, RateLimitByKey
from edgewright.edge.model import Key, Quota, Route, Throttle

LONGEST = 300
"""Seconds that the period of a rate limit has at most."""

EPOCH = "2018-01-01T00:00:00Z"
"""A Monday at midnight, from which hours, days and weeks of UTC are whole periods."""

BUCKETS = ("rate-bucket", "quota-bucket")
"""Variables that name the buckets of a route's throttle and quota, where routes with unlike ones share policies."""

PERIODS = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
"""Seconds of a quota's period; a month is 30 days, since the policy counts seconds only."""


def limit_policies(route: Route, callers: cs.Callers = cs.DIRECT, *, named: bool = True) -> tuple[Policy, ...]:
    """The limits of a route. named: whether they name their buckets, else `BUCKETS` do."""
    rate, quota = (throttle_bucket(route), quota_bucket(route)) if named else (None, None)
    return (
        *(_throttle(route.throttle, rate, callers) if route.throttle is not None else ()),
        *(_quota(route.quota, quota, callers) if route.quota is not None else ()),
    )


def throttle_bucket(route: Route) -> str:
    """The bucket of a route's throttle; empty without one."""
    throttle = route.throttle
    if throttle is None:
        return ""
    return f"{throttle.bucket} {route.key}" if throttle.per.kind == "route" else throttle.bucket


def quota_bucket(route: Route) -> str:
    """The bucket of a route's quota; empty without one."""
    quota = route.quota
    if quota is None:
        return ""
    return f"{quota.bucket} {route.key}" if quota.per.kind == "route" else quota.bucket


def address_limits(count: int, seconds: int, callers: cs.Callers = cs.DIRECT) -> tuple[Policy, ...]:
    """A rate by address before everything else; of the whole service, WebSockets included."""
    calls, period = _per_period(count, seconds)
    return (RateLimitByKey(calls, period, cs.counter("waf", "m", ("ip",), None, callers)),)


def lasting(throttle: Throttle) -> tuple[int, int]:
    """The lasting rate as calls in a period: of a minute, or as much more as a rate below one a minute needs."""
    return _per_period(throttle.count, throttle.seconds)


def _per_period(count: int, seconds: int) -> tuple[int, int]:
    for period in (60, LONGEST):
        calls = count * period // seconds
        if calls >= 1:
            return calls, period
    return 1, LONGEST


def is_exact(throttle: Throttle) -> bool:
    """Whether `lasting` is the very rate of the spec."""
    calls, period = lasting(throttle)
    return calls * throttle.seconds == throttle.count * period


def _throttle(throttle: Throttle, bucket: str | None, callers: cs.Callers) -> Iterator[Policy]:
    """Two windows: one of a second holds the burst, one of a minute the lasting rate. Their keys differ: one key with
    two windows is undefined (Microsoft's page of the policy)."""
    calls, period = lasting(throttle)
    if throttle.burst < calls:
        yield RateLimitByKey(throttle.burst, 1, _counter(bucket, "s", throttle.per, callers))
    yield RateLimitByKey(calls, period, _counter(bucket, "m", throttle.per, callers))


def _quota(quota: Quota, bucket: str | None, callers: cs.Callers) -> Iterator[Policy]:
    yield QuotaByKey(quota.limit, PERIODS[quota.period], _counter(bucket, "q", quota.per, callers), EPOCH)


def _counter(bucket: str | None, window: str, per: Key, callers: cs.Callers) -> cs.Code:
    order = () if per.kind == "route" else per.order or ("ip",)
    if bucket is None:
        return cs.counter_in(BUCKETS[window == "q"], window, order, per.header, callers)
    return cs.counter(bucket, window, order, per.header, callers)
