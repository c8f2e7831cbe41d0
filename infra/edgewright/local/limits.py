"""The limits service: exact token buckets and calendar quotas for all gateways together, asked through ext_authz.

It has no configuration: each request says in headers, which only the gateways' routes set, what is to be counted.
"""

import argparse
import asyncio
import hashlib
import math
import os
import secrets
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edgewright.local.http1 import Request, Response, problem, serve

MAX_BUCKETS = 100_000
"""Buckets in memory (about 300 bytes each); beyond, those that are full are forgotten first, then the longest idle."""

SAVE_SECONDS = 0.05
"""Quota counts are written this often: what kill -9 may lose."""

PERIODS = ("hour", "day", "week", "month")


@dataclass(slots=True)
class Bucket:
    """Tokens at a time of the monotonic clock."""

    tokens: float
    at: float
    rate: float
    burst: int

    def level(self, now: float) -> float:
        """The tokens that it would hold now."""
        return min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)


class Buckets:
    """Token buckets by name and caller; clock: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MAX_BUCKETS) -> None:
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, key: str, rate: float, burst: int) -> float:
        """Take a token; 0 when there was one, else the seconds until there is."""
        now = self._clock()
        place = (name, key)
        bucket = self._buckets.get(place)
        if bucket is None:
            self._make_room(now)
            bucket = self._buckets[place] = Bucket(burst, now, rate, burst)
        else:
            self._buckets.move_to_end(place)
            # A change of the limit keeps what was spent.
            bucket.tokens, bucket.at, bucket.rate, bucket.burst = min(burst, bucket.level(now)), now, rate, burst
        # Tokens are sums of small steps: a hair below one is one.
        if bucket.tokens >= 1 - 1e-9:
            bucket.tokens = max(0.0, bucket.tokens - 1)
            return 0.0
        return (1 - bucket.tokens) / rate

    def _make_room(self, now: float) -> None:
        if len(self._buckets) < self._most:
            return
        full = [place for place, item in self._buckets.items() if item.level(now) >= item.burst]
        for place in full:
            del self._buckets[place]
        while len(self._buckets) >= self._most:
            self._buckets.popitem(last=False)


def window(period: str, now: datetime) -> tuple[str, datetime]:
    """The calendar window of ``now`` (UTC): its name, and when the next begins. Weeks begin on Monday (ISO 8601)."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "hour":
        start = now.replace(minute=0, second=0, microsecond=0)
        return start.strftime("%Y-%m-%dT%H"), start + timedelta(hours=1)
    if period == "day":
        return day.strftime("%Y-%m-%d"), day + timedelta(days=1)
    if period == "week":
        start = day - timedelta(days=day.weekday())
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02d}", start + timedelta(days=7)
    start = day.replace(day=1)
    return start.strftime("%Y-%m"), (start + timedelta(days=31)).replace(day=1)


class Quotas:
    """Counts of calendar windows, kept in a file; callers stand in it only as salted hashes."""

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, bytes, str], int] = {}
        self._ends: dict[tuple[str, bytes, str], float] = {}
        self._changed: set[tuple[str, bytes, str]] = set()
        before = os.umask(0o077)
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS salt (value BLOB NOT NULL)")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS counts (quota TEXT, key BLOB, window TEXT, ends REAL, count INTEGER,"
                " PRIMARY KEY (quota, key, window)) WITHOUT ROWID"
            )
        finally:
            os.umask(before)
        row = self._db.execute("SELECT value FROM salt").fetchone()
        self._salt: bytes = row[0] if row else secrets.token_bytes(16)
        if row is None:
            self._db.execute("INSERT INTO salt VALUES (?)", (self._salt,))
        for quota, key, name, ends, count in self._db.execute("SELECT quota, key, window, ends, count FROM counts"):
            self._counts[quota, key, name] = count
            self._ends[quota, key, name] = ends

    def count(self, quota: str, caller: str, limit: int, period: str) -> tuple[int, int]:
        """Count one request: what remains (-1: refused, and not counted), and the seconds to the next window."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        name, following = window(period, now)
        key = hashlib.blake2b(caller.encode(), key=self._salt, digest_size=16).digest()
        place = (quota, key, f"{period}:{name}")
        left = max(1, math.ceil((following - now).total_seconds()))
        count = self._counts.get(place, 0)
        if count >= limit:
            return -1, left
        self._counts[place] = count + 1
        self._ends[place] = following.timestamp()
        self._changed.add(place)
        return limit - count - 1, left

    def save(self) -> None:
        """Write what has changed, and forget windows that are over."""
        now = self._clock()
        if not self._changed:
            return
        rows = [(*place, self._ends[place], self._counts[place]) for place in self._changed]
        self._changed.clear()
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?, ?)", rows)
            self._db.execute("DELETE FROM counts WHERE ends < ?", (now - 60,))
        for place in [place for place, ends in self._ends.items() if ends < now - 60]:
            del self._ends[place], self._counts[place]

    def close(self) -> None:
        """Write what is left and close the file."""
        self.save()
        self._db.close()


class MalformedError(ValueError):
    """A header that does not say what to count."""


def parse_throttle(text: str) -> tuple[str, float, int]:
    """``name;rate=1.5;burst=10``: the bucket, tokens a second, and the burst. Raises MalformedError."""
    name, fields = _fields(text)
    try:
        rate, burst = float(fields["rate"]), int(fields["burst"])
    except (KeyError, ValueError):
        raise MalformedError("x-edge-throttle") from None
    if not (rate > 0 and math.isfinite(rate)) or burst < 1:
        raise MalformedError("x-edge-throttle")
    return name, rate, burst


def parse_quota(text: str) -> tuple[str, int, str]:
    """``name;limit=1000;period=day``: the quota, its limit and period. Raises MalformedError."""
    name, fields = _fields(text)
    try:
        limit, period = int(fields["limit"]), fields["period"]
    except (KeyError, ValueError):
        raise MalformedError("x-edge-quota") from None
    if limit < 1 or period not in PERIODS:
        raise MalformedError("x-edge-quota")
    return name, limit, period


def _fields(text: str) -> tuple[str, Mapping[str, str]]:
    name, *parts = text.split(";")
    pairs = [part.partition("=") for part in parts]
    return name, {key.strip(): value for key, _, value in pairs}


class Service:
    """Answers the gateways: 200 to let a request through, 429 with ``retry-after`` not to."""

    def __init__(self, buckets: Buckets, quotas: Quotas) -> None:
        self._buckets = buckets
        self._quotas = quotas

    def answer(self, request: Request) -> Response:
        """Throttles first: a request that is throttled does not burn quota."""
        headers = request.headers
        throttle, quota = headers.get("x-edge-throttle"), headers.get("x-edge-quota")
        try:
            if throttle is None and quota is None:
                raise MalformedError("nothing to count")
            if throttle is not None:
                wait = self._buckets.take(*_placed(parse_throttle(throttle), headers.get("x-edge-throttle-key")))
                if wait > 0:
                    return _refused("too fast", math.ceil(wait))
            if quota is None:
                return Response()
            name, limit, period = parse_quota(quota)
            caller = headers.get("x-edge-quota-key")
            if not caller:
                raise MalformedError("x-edge-quota-key")
            remaining, left = self._quotas.count(name, caller, limit, period)
        except MalformedError as error:
            return problem(500, f"what to count is not understood: {error}")
        counted = (("x-quota-limit", str(limit)), ("x-quota-remaining", str(max(0, remaining))))
        if remaining < 0:
            return _refused(f"the quota of {limit} a {period} is used up", left, counted)
        return Response(200, b"", counted)


def _placed(parsed: tuple[str, float, int], key: str | None) -> tuple[str, str, float, int]:
    if not key:
        raise MalformedError("x-edge-throttle-key")
    name, rate, burst = parsed
    return name, key, rate, burst


def _refused(detail: str, seconds: int, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return problem(429, detail, (("retry-after", str(max(1, seconds))), *headers))


async def _run(socket: str, state: str) -> None:
    quotas = Quotas(state)
    service = Service(Buckets(), quotas)

    async def save() -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            quotas.save()

    saving = asyncio.create_task(save())
    try:
        await serve(service.answer, socket=socket)
    finally:
        saving.cancel()
        quotas.close()


def main() -> None:
    """Run the service until SIGTERM."""
    parser = argparse.ArgumentParser(description="the limits service of a local edge")
    parser.add_argument("--socket", required=True, help="the unix socket to listen on")
    parser.add_argument("--state", required=True, help="the file that quotas are kept in")
    arguments = parser.parse_args()
    Path(arguments.state).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(_run(arguments.socket, arguments.state))


if __name__ == "__main__":
    main()
