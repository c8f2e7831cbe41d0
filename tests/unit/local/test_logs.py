"""Reading the logs of an edge."""

from pathlib import Path

import pytest

from edgewright.local.logs import show
from edgewright.local.state import LocalError


def _shown(folder: Path, name: str | None, lines: int = 10) -> list[str]:
    found: list[str] = []
    show(folder, name, lines=lines, follow=False, write=found.append)
    return found


def test_the_last_lines_of_one_log_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n2\n3\n")
    assert _shown(tmp_path, "a", lines=2) == ["2", "3"]


def test_several_logs_have_their_names_before_each_line(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n")
    (tmp_path / "b.log").write_text("2\n")
    assert _shown(tmp_path, None) == ["a: 1", "b: 2"]


@pytest.mark.parametrize("name", ["c", "../secret", "a.log"])
def test_an_unknown_name_says_which_there_are(tmp_path: Path, name: str) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.log").write_text("1\n")
    (tmp_path / "secret.log").write_text("x\n")
    with pytest.raises(LocalError, match=r"known: a$"):
        _shown(tmp_path / "log", name)


def test_what_a_log_holds_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("\x1b[2Jgone\n")
    assert _shown(tmp_path, "a") == ["\\x1b[2Jgone"]


def test_following_goes_on_in_the_file_that_takes_its_place(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("1\n")
    found: list[str] = []

    def write_more() -> bool:
        if found == ["1"]:
            with log.open("a") as file:
                file.write("2\nhal")
        elif found == ["1", "2"]:
            with log.open("a") as file:
                file.write("f\n")
            log.rename(tmp_path / "a.log.1")
            log.write_text("3\n")
        return found == ["1", "2", "half", "3"]

    show(tmp_path, "a", lines=5, follow=True, write=found.append, until=write_more)
    assert found == ["1", "2", "half", "3"]
