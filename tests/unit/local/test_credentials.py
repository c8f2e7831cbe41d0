"""API keys: given, generated, kept."""

import stat
from pathlib import Path

import pytest

from edgewright.local.artifact import CredentialRef
from edgewright.local.credentials import FILE, Credentials, kept_key
from edgewright.local.state import LocalError, StateFolder

ACME = CredentialRef("{{credential:main:acme}}", "main", "acme")
ZETA = CredentialRef("{{credential:main:zeta}}", "main", "zeta")


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "s")
    folder.prepare()
    return folder


def test_a_missing_key_is_generated_once_and_kept_for_its_owner(state: StateFolder) -> None:
    first = Credentials.fill(state, [ACME], {})
    second = Credentials.fill(state, [ACME], {})
    assert first.keys == second.keys
    assert len(first.key("main", "acme")) >= 32
    assert stat.S_IMODE((state / FILE).stat().st_mode) == 0o600
    assert kept_key(state, "main", "acme") == first.key("main", "acme")


def test_two_clients_have_two_keys(state: StateFolder) -> None:
    keys = Credentials.fill(state, [ACME, ZETA], {}).keys
    assert len(set(keys.values())) == 2


@pytest.mark.parametrize("name", ["main:acme", "main/acme"])
def test_a_given_key_wins_and_is_not_kept(state: StateFolder, name: str) -> None:
    found = Credentials.fill(state, [ACME], {name: "a-given-key"})
    assert found.fill_in("key={{credential:main:acme}};") == "key=a-given-key;"
    assert not (state / FILE).exists()


def test_a_key_for_two_clients_is_refused(state: StateFolder) -> None:
    with pytest.raises(LocalError, match="same API key") as error:
        Credentials.fill(state, [ACME, ZETA], {"main:acme": "one-for-all", "main:zeta": "one-for-all"})
    assert "one-for-all" not in str(error.value)


@pytest.mark.parametrize("key", ["", "short", "has a space", "line\nbreak", "schlüssel-lang"])
def test_a_key_that_no_header_could_carry_is_refused_unseen(state: StateFolder, key: str) -> None:
    with pytest.raises(LocalError, match="main:acme") as error:
        Credentials.fill(state, [ACME], {"main:acme": key})
    assert not key or key not in str(error.value)


def test_nothing_shows_when_it_is_printed(state: StateFolder) -> None:
    assert "a-given-key" not in repr(Credentials.fill(state, [ACME], {"main:acme": "a-given-key"}))


def test_an_unknown_client_is_answered_with_those_that_there_are(state: StateFolder) -> None:
    with pytest.raises(LocalError, match="known: main:acme"):
        Credentials.fill(state, [ACME], {}).key("main", "acne")
