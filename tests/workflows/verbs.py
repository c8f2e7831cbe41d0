"""Calls a verb of `edgewright.ci` in this process, with the variables that a job has."""

import io
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from edgewright.ci.__main__ import main
from workflows.github_api import REPOSITORY, TOKEN
from workflows.runner import commands_in


@dataclass(frozen=True)
class Done:
    """What a call has come to: whether it went well, its log, the outputs of the step, and the page's summary."""

    ok: bool
    log: str
    outputs: Mapping[str, str]
    summary: str


def call(folder: Path, api: str, *arguments: str, **variables: str) -> Done:
    """Run a verb; its log must be free of commands."""
    files = {name: folder / f"_{name}" for name in ("output", "summary")}
    for file in files.values():
        file.write_text("")
    given = {
        "GITHUB_API_URL": api,
        "GITHUB_OUTPUT": str(files["output"]),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "5",
        "GITHUB_RUN_NUMBER": "2",
        "GITHUB_STEP_SUMMARY": str(files["summary"]),
        "GITHUB_TOKEN": TOKEN,
        **variables,
    }
    log = io.StringIO()
    with patch.dict(os.environ, given), redirect_stdout(log), redirect_stderr(log):
        status = main(arguments)
    assert commands_in(log.getvalue()) == []
    lines = files["output"].read_text().splitlines()
    outputs = {name: value for name, _, value in (line.partition("=") for line in lines)}
    return Done(status == 0, log.getvalue(), outputs, files["summary"].read_text())
