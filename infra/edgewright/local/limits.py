"""Counts requests for all gateways together: token buckets exact in time, and calendar quotas that are kept on disk.

It has no configuration: each request says in private headers what to check (see ``Limits``). A gateway asks it as an
external authorizer (Envoy's ``ext_authz`` over HTTP) and fails closed when it is not there.
"""

import argparse
import hashlib
import math
import os
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import TypeVar

from edgewright.local import http1

MAX_BUCKETS = 100_000
"""Buckets that are not full and therefore kept in memory, at 300 to 500 bytes each."""

MAX_COUNTERS = 50_000
"""Quota counts kept in memory; others are on disk only until they are asked for."""

UNRECORDED = 50
"""Requests whose count may be lost by a kill, at most: then they are written down before another is counted."""

RECORD_SECONDS = 0.05
"""After this time they are written down, however few they are."""

_PRUNE_SECONDS = 60.0
_PRUNED_ROWS = 1_000
_KEPT_SECONDS = 3_600
_TEXTS = 2_000
_WHOLE_KEY = 64

_THROTTLES = re.compile(
    r"(?P<id>[^;]+);rate=(?P<rate>\d+(?:\.\d+)?(?:e[+-]?\d+)?);burst=(?P<burst>\d{1,15})(?:\s*,\s*(?=.)|$)",
    re.IGNORECASE,
)
_QUOTAS = re.compile(
    r"(?P<id>[^;]+);limit=(?P<limit>\d{1,15});period=(?P<period>hour|day|week|month)(?:\s*,\s*(?=.)|$)"
)


_T = TypeVar("_T")


class Malformed(Exception):  # noqa: N818 - an answer, not a defect
    """A request does not say what to count, or whom."""


# -- throttles ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket. text: as it was asked for, its identity; interval: seconds a token takes; depth: of all but one.

    A bucket whose rate or burst changes is another one, and begins full.
    """

    text: str
    interval: float
    depth: float


class Throttles:
    """Token buckets, each remembered by one number: the time at which it will be full.

    A bucket that is full is the same as one that was never asked for, so forgetting it loses nothing: in memory are
    those that are not full. Beyond ``most`` of them the ones nearest to full are forgotten, and their callers are given
    the tokens that were missing.

    clock: seconds that only ever go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MAX_BUCKETS) -> None:
        self._clock = clock
        self._most = most
        self._full_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, wanted: Sequence[tuple[Throttle, str]]) -> float:
        """Take a token from each caller's bucket, or from none; seconds until that would work, 0 when it has."""
        now = self._clock()
        wait = 0.0
        taken: list[tuple[str, float]] = []
        for throttle, caller in wanted:
            name = f"{throttle.text}\0{caller}"
            full_at = max(self._full_at.get(name, now), now)
            wait = max(wait, full_at - now - throttle.depth)
            taken.append((name, full_at + throttle.interval))
        if wait > 0:
            return wait
        self._full_at.update(taken)
        if len(self._full_at) > self._most:
            self.sweep(now)
        return 0.0

    def sweep(self, now: float | None = None) -> None:
        """Forget buckets that are full; when that is not enough, also a tenth of the others, the nearest to full."""
        time = self._clock() if now is None else now
        kept = {name: full_at for name, full_at in self._full_at.items() if full_at > time}
        enough = int(self._most * 0.9)
        if len(kept) > enough:
            kept = dict(sorted(kept.items(), key=itemgetter(1))[-enough:])
        self._full_at = kept


def throttle_of(text: str, rate: float, burst: int) -> Throttle:
    """A bucket of ``burst`` tokens, filled with ``rate`` tokens a second. Raises Malformed."""
    if not (0 < rate < math.inf) or burst < 1:
        raise Malformed("a throttle has a rate above 0 and a burst of 1 or more")
    interval = 1 / rate
    # Sums of binary fractions are a little off: a token that is missing by a millionth is there.
    return Throttle(text, interval, (burst - 1) * interval + interval * 1e-6)


# -- quotas ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests a calendar period; id: its place. A change of the limit keeps what was counted."""

    id: str
    limit: int
    period: str


def window(period: str, now: float) -> tuple[int, int]:
    """The period (UTC) that a time lies in: its first second and the first after it, in seconds since 1970.

    period: ``hour``, ``day``, ``week`` (from Monday, as in ISO 8601) or ``month``.
    """
    second = math.floor(now)
    if period == "hour":
        start = second - second % 3600
        return start, start + 3600
    day = second // 86400
    if period == "day":
        return day * 86400, (day + 1) * 86400
    if period == "week":
        # 1970-01-01 was a Thursday.
        monday = day - (day + 3) % 7
        return monday * 86400, (monday + 7) * 86400
    first = date.fromordinal(day + _EPOCH).replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return (first.toordinal() - _EPOCH) * 86400, (following.toordinal() - _EPOCH) * 86400


_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(slots=True)
class Counter:
    """What one caller has used of one period; starts, ends: as of :func:`window`."""

    row: bytes
    starts: int
    ends: int
    used: int


class Quotas:
    """Counts of calendar periods, in a SQLite file.

    At most ``UNRECORDED`` counts are in memory only; call :meth:`record` within ``RECORD_SECONDS`` of the first, which
    ``waiting`` tells. A kill loses no more than those; a power failure, what the system had not written yet. On disk a
    caller is a keyed hash of 16 bytes, and a row goes an hour after its period has ended.

    path: the file, or ``:memory:``; clock: seconds since 1970. Raises sqlite3.Error for a file that is not ours, or
    that another process has open: two could not count together.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        clock: Callable[[], float] = time.time,
        *,
        most: int = MAX_COUNTERS,
        waiting: Callable[[], object] = lambda: None,
    ) -> None:
        self._clock = clock
        self._most = most
        self._waiting = waiting
        self._counters: dict[str, Counter] = {}
        self._changed: dict[bytes, Counter] = {}
        self._unrecorded = 0
        self._pruned_at = -math.inf
        self._database = sqlite3.connect(path, isolation_level=None, timeout=0.25)
        try:
            self._salt = self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> bytes:
        # EXCLUSIVE: another process is refused, since two would not see each other's counts in memory. NORMAL: a commit
        # waits for the system to have it, not for the disk.
        for setting in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
            self._database.execute(f"PRAGMA {setting}")
        for statement in (
            "CREATE TABLE IF NOT EXISTS salt (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB NOT NULL)",
            "CREATE TABLE IF NOT EXISTS counts"
            " (row BLOB PRIMARY KEY, ends INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID",
            "CREATE INDEX IF NOT EXISTS counts_by_end ON counts (ends)",
        ):
            self._database.execute(statement)
        self._database.execute("INSERT OR IGNORE INTO salt VALUES (1, ?)", (os.urandom(32),))
        return bytes(self._database.execute("SELECT value FROM salt").fetchone()[0])

    def __len__(self) -> int:
        return len(self._counters)

    @property
    def unrecorded(self) -> int:
        """Counts that are in memory only."""
        return self._unrecorded

    def take(self, wanted: Sequence[tuple[Quota, str]]) -> tuple[list[int], int | None]:
        """Count a request of each caller, or of none of them.

        What is left of each quota, and None; or, when one is used up, the time at which the last of those that are
        begins again, in seconds since 1970. Raises sqlite3.Error when counts cannot be written down.
        """
        if self._unrecorded >= UNRECORDED:
            self.record()
        now = self._clock()
        found = [(quota, self._counter(quota, caller, now)) for quota, caller in wanted]
        left = [max(0, quota.limit - counter.used) for quota, counter in found]
        if 0 in left:
            return left, max(counter.ends for quota, counter in found if counter.used >= quota.limit)
        for _, counter in found:
            counter.used += 1
            self._changed[counter.row] = counter
        self._unrecorded += 1
        if self._unrecorded == 1:
            self._waiting()
        return [item - 1 for item in left], None

    def now(self) -> float:
        """Seconds since 1970, by its clock."""
        return self._clock()

    def _counter(self, quota: Quota, caller: str, now: float) -> Counter:
        name = f"{quota.id}\0{quota.period}\0{caller}"
        counter = self._counters.get(name)
        if counter is not None and counter.starts <= now < counter.ends:
            return counter
        starts, ends = window(quota.period, now)
        text = f"{name}\0{starts}".encode("utf-8", "surrogatepass")
        row = hashlib.blake2b(text, key=self._salt, digest_size=16).digest()
        kept = self._changed.get(row)
        if kept is None:
            found = self._database.execute("SELECT used FROM counts WHERE row = ?", (row,)).fetchone()
            kept = Counter(row, starts, ends, int(found[0]) if found else 0)
        if counter is None and len(self._counters) >= self._most:
            self._forget()
        self._counters[name] = kept
        return kept

    def _forget(self) -> None:
        """Forget the tenth that came first; of those, what has changed is still known until it is written down."""
        for name in list(self._counters)[: max(1, self._most // 10)]:
            del self._counters[name]

    def record(self) -> None:
        """Write down what has changed. Raises sqlite3.Error, and keeps it for the next time."""
        if not self._changed:
            return
        now = self._clock()
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(
                "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (row) DO UPDATE SET used = excluded.used",
                [(counter.row, counter.ends, counter.used) for counter in self._changed.values()],
            )
            if not 0 <= now - self._pruned_at < _PRUNE_SECONDS:
                # In portions, so that no request waits for a million rows.
                pruned = database.execute(
                    "DELETE FROM counts WHERE row IN (SELECT row FROM counts WHERE ends <= ? LIMIT ?)",
                    (now - _KEPT_SECONDS, _PRUNED_ROWS),
                ).rowcount
                self._pruned_at = now if pruned < _PRUNED_ROWS else -math.inf
            database.execute("COMMIT")
        except sqlite3.Error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        self._changed.clear()
        self._unrecorded = 0

    def close(self) -> None:
        """Write down what has changed, and close the file."""
        try:
            self.record()
        finally:
            self._database.close()


# -- the service -------------------------------------------------------------------------------------------------------

_ALLOWED = http1.Response()


class Limits:
    """Answers whether a request may pass: 200, 429 with Retry-After, or 500 when it does not say what to count.

    ``x-edge-throttle: <bucket id>;rate=<tokens a second>;burst=<tokens>`` with the caller in ``x-edge-throttle-key``;
    ``x-edge-quota: <quota id>;limit=<requests>;period=<hour|day|week|month>`` with the caller in ``x-edge-quota-key``.
    Several of a kind are repeated headers, or one with commas; they share one key, or have as many. Throttles come
    first, so that a throttled request does not use up a quota.
    """

    def __init__(self, throttles: Throttles, quotas: Quotas) -> None:
        self._throttles = throttles
        self._quotas = quotas
        self._read_throttles: dict[str, tuple[Throttle, ...]] = {}
        self._read_quotas: dict[str, tuple[Quota, ...]] = {}

    def answer(self, request: http1.Request) -> http1.Response:
        """Check one request."""
        try:
            throttles, quotas = self._wanted(request)
        except Malformed as error:
            return http1.problem(500, "Malformed limit", f"The gateway asked for a limit that cannot be read: {error}.")
        if throttles:
            wait = self._throttles.take(throttles)
            if wait > 0:
                return _refusal(wait, "The limit on the rate of requests is reached")
        if not quotas:
            return _ALLOWED
        left, ends = self._quotas.take(quotas)
        tightest = min(range(len(left)), key=left.__getitem__)
        headers = (
            ("x-quota-limit", str(quotas[tightest][0].limit)),
            ("x-quota-remaining", str(left[tightest])),
        )
        if ends is None:
            return http1.Response(headers=headers)
        quota = quotas[tightest][0]
        used_up = f"The quota of {quota.limit} requests a {quota.period} is used up"
        return _refusal(ends - self._quotas.now(), used_up, headers)

    def _wanted(self, request: http1.Request) -> tuple[list[tuple[Throttle, str]], list[tuple[Quota, str]]]:
        throttles: list[Throttle] = []
        quotas: list[Quota] = []
        throttle_keys: list[str] = []
        quota_keys: list[str] = []
        for name, value in request.headers:
            if not name.startswith("x-edge-"):
                continue
            if name == "x-edge-throttle":
                throttles += self._read_throttles.get(value) or self._throttles_in(value)
            elif name == "x-edge-throttle-key":
                throttle_keys.append(value)
            elif name == "x-edge-quota":
                quotas += self._read_quotas.get(value) or self._quotas_in(value)
            elif name == "x-edge-quota-key":
                quota_keys.append(value)
        if not throttles and not quotas:
            raise Malformed("it names neither a throttle nor a quota")
        return _paired(throttles, throttle_keys, "throttle"), _paired(quotas, quota_keys, "quota")

    def _throttles_in(self, text: str) -> tuple[Throttle, ...]:
        found = tuple(
            throttle_of(item[0].rstrip(" ,\t"), float(item["rate"]), int(item["burst"]))
            for item in _all(_THROTTLES, text, "throttle")
        )
        _remember(self._read_throttles, text, found)
        return found

    def _quotas_in(self, text: str) -> tuple[Quota, ...]:
        found = tuple(Quota(item["id"], int(item["limit"]), item["period"]) for item in _all(_QUOTAS, text, "quota"))
        _remember(self._read_quotas, text, found)
        return found


def _remember(known: dict[str, _T], text: str, value: _T) -> None:
    if len(known) >= _TEXTS:
        known.clear()
    known[text] = value


def _all(pattern: re.Pattern[str], text: str, what: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        item = pattern.match(text, at)
        if not item:
            raise Malformed(f"x-edge-{what} is malformed")
        found.append(item)
        at = item.end()
    if not found:
        raise Malformed(f"x-edge-{what} is empty")
    return found


def _paired(limits: list[_T], keys: list[str], what: str) -> list[tuple[_T, str]]:
    if not limits:
        return []
    if not keys or not all(keys):
        raise Malformed(f"x-edge-{what}-key is missing")
    if len(keys) == 1:
        caller = _short(keys[0])
        return [(limit, caller) for limit in limits]
    if len(keys) != len(limits):
        raise Malformed(f"x-edge-{what}-key does not fit x-edge-{what}")
    return [(limit, _short(key)) for limit, key in zip(limits, keys, strict=True)]


def _short(caller: str) -> str:
    """The caller, hashed when it is long: a key may be as long as a header, and memory is not."""
    if len(caller) <= _WHOLE_KEY:
        return caller
    return hashlib.blake2b(caller.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def _refusal(seconds: float, why: str, headers: http1.Pairs = ()) -> http1.Response:
    # In whole seconds, and late enough: a caller that comes back then is let in.
    after = max(1, math.ceil(seconds - 1e-6))
    unit = "second" if after == 1 else "seconds"
    answer = ("retry-after", str(after))
    return http1.problem(429, "Too many requests", f"{why}; try again in {after} {unit}.", (answer, *headers))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m edgewright.local.limits", description=__doc__)
    parser.add_argument("--socket", required=True, help="unix socket to listen on")
    parser.add_argument("--state", required=True, help="file that keeps the counts of quotas")
    given = parser.parse_args(arguments)
    os.umask(0o077)

    async def serve() -> None:
        server = http1.http_server(Limits(Throttles(), quotas).answer)
        await server.listen_unix(given.socket)
        await server.until_stopped()

    def record_soon(seconds: float = RECORD_SECONDS) -> None:
        import asyncio

        asyncio.get_running_loop().call_later(seconds, record)

    def record() -> None:
        try:
            quotas.record()
        except sqlite3.Error as error:
            http1.complain(f"{given.state} cannot be written: {error}")
            record_soon(1.0)

    try:
        quotas = Quotas(given.state, waiting=record_soon)
        try:
            return http1.run(serve)
        finally:
            quotas.close()
    except sqlite3.Error as error:
        if "locked" in str(error):
            return http1.complain(f"another process counts in {given.state}; stop it first")
        return http1.complain(f"{given.state} cannot be used: {error}; remove it to begin with unused quotas")


if __name__ == "__main__":
    raise SystemExit(main())
