"""What a job writes into its log, its outputs and its files."""

import os
import stat
import sys
from pathlib import Path

import pytest

from edgewright.ci import job
from workflows.runner import commands_in


@pytest.mark.parametrize(
    "text",
    [
        "::set-env name=PATH::/tmp",
        "   ::add-mask::a",
        "\t::stop-commands::x",
        "\u00a0::error::no-break space",
        "\u2003::error::em space",
        "\x0b::error::vertical tab",
        "##[add-mask]a",
        "words ##[set-env name=A]b",
        "words ###[command]x",
        "##vso[task.setvariable variable=a]b",
        "a\r::error::b",
        "a\u2028::error::b",
        "a\x85::error::b",
        "a\x0c::error::b",
        "a\n::error::b",
        "\x1b[0Ksection_start:1:a\r",
        "\ufeff::error::byte order mark",
        "::::error::",
    ],
)
def test_no_text_becomes_a_command_in_a_log(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    job.say(text)
    job.fail(text)
    said = capsys.readouterr()
    log = said.out + said.err
    assert commands_in(log) == []
    assert "##" not in log
    assert "\x1b" not in log
    assert any(character.isalpha() for character in log)


def test_ordinary_words_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    job.say("grüße: a::b, std::string, # 1, 日本語", "")
    assert capsys.readouterr().out == "grüße: a::b, std::string, # 1, 日本語\n\n"


def test_a_long_line_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    job.say("x" * 10_000)
    assert len(capsys.readouterr().out) < 600


def test_a_program_speaks_through_the_log_and_its_status_counts(capfd: pytest.CaptureFixture[str]) -> None:
    script = "import sys; print('::set-output name=a::b'); print('##[x]', file=sys.stderr); sys.exit(3)"
    assert job.quietly([sys.executable, "-c", script], seconds=60) == 3
    said = capfd.readouterr()
    assert sorted(said.out.splitlines()) == ["# #[x]", ": :set-output name=a::b"]
    assert commands_in(said.out + said.err) == []


def test_a_program_that_does_not_end_is_ended(capfd: pytest.CaptureFixture[str]) -> None:
    assert job.quietly([sys.executable, "-c", "import time; time.sleep(600)"], seconds=0.2) == -1
    assert "it was ended" in capfd.readouterr().out


def test_an_output_is_one_line_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    job.output(stacks='[{"stack": "web"}]', any="true", policies="")
    job.output(tree="abc")
    assert file.read_text() == 'stacks=[{"stack": "web"}]\nany=true\npolicies=\ntree=abc\n'


@pytest.mark.parametrize("value", ["a\nb=c", "a\r", "a\u2028b"])
def test_a_value_with_a_second_line_is_no_output(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    with pytest.raises(ValueError, match="one line"):
        job.output(a=value)
    assert not (tmp_path / "output").exists()


def test_a_variable_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAN_KEY", raising=False)
    with pytest.raises(job.CiError, match="PLAN_KEY"):
        job.setting("PLAN_KEY")


def test_a_plan_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder/plan"
    job.write(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"x"
    assert os.listdir(path.parent) == ["plan"]  # noqa: PTH208
