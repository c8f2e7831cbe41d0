"""A saved plan between two runs: who has not the key can neither read nor make one."""

import json
import time
import zlib

import pytest
from cryptography.fernet import Fernet

from edgewright.ci import sealed
from edgewright.ci.job import CiError
from edgewright.ci.sealed import SavedPlan

KEY = "0123456789abcdef" * 3
PLAN = SavedPlan("web", "1" * 40, b'{"manifest": {}, "value": "hunter2"}\nsecond line\n')


def test_a_sealed_plan_is_opened_as_it_was() -> None:
    assert sealed.unseal(sealed.seal(PLAN, KEY), KEY) == PLAN


def test_nothing_of_a_plan_can_be_read_in_it() -> None:
    data = sealed.seal(PLAN, KEY)
    for text in (b"hunter2", b"web", PLAN.tree.encode(), zlib.compress(PLAN.content)[:20]):
        assert text not in data


@pytest.mark.parametrize("at", [0, 10, 60, -1])
def test_a_plan_that_was_touched_is_refused(at: int) -> None:
    data = bytearray(sealed.seal(PLAN, KEY))
    data[at] = ord("A") if data[at] != ord("A") else ord("B")
    with pytest.raises(CiError, match="was not sealed with this PLAN_KEY"):
        sealed.unseal(bytes(data), KEY)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(CiError, match="was not sealed with this PLAN_KEY"):
        sealed.unseal(sealed.seal(PLAN, KEY), KEY[::-1])


def test_a_plan_of_eight_days_ago_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sealed.seal(PLAN, KEY)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 8 * 24 * 3600)
    with pytest.raises(CiError, match="older than 7 days"):
        sealed.unseal(data, KEY)


@pytest.mark.parametrize("key", ["", "short", "x" * 31])
def test_a_key_that_could_be_guessed_is_refused_with_the_remedy(key: str) -> None:
    with pytest.raises(CiError, match=r"openssl rand -base64 32 \| gh secret set PLAN_KEY"):
        sealed.seal(PLAN, key)


def test_a_plan_that_grows_beyond_all_bounds_when_opened_is_refused() -> None:
    key = sealed._cipher(KEY)
    assert isinstance(key, Fernet)
    about = json.dumps({"stack": "web", "tree": "1"}).encode() + b"\n"
    bomb = key.encrypt(zlib.compress(about + b"\0" * (sealed.MOST_BYTES + 1)))
    assert len(bomb) < 1_000_000
    with pytest.raises(CiError, match="larger than 50 MB"):
        sealed.unseal(bomb, KEY)
