"""The helper for golden files."""

from pathlib import Path

import pytest

from golden_files import Golden, assert_golden


def test_a_file_with_the_same_text_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Golden, "update", False)
    (tmp_path / "a.txt").write_text("one\n", encoding="utf-8")
    assert_golden(tmp_path / "a.txt", "one\n")


def test_a_difference_is_shown_with_the_command_that_accepts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Golden, "update", False)
    (tmp_path / "a.txt").write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"--update-golden[\s\S]*-two\n\+three"):
        assert_golden(tmp_path / "a.txt", "one\nthree\n")


def test_a_missing_file_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Golden, "update", False)
    with pytest.raises(AssertionError, match=r"there is no a\.txt"):
        assert_golden(tmp_path / "a.txt", "one\n")


def test_updating_writes_the_file_and_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Golden, "update", True)
    assert_golden(tmp_path / "new" / "a.txt", "one\n")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "one\n"
