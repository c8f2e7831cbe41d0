"""What a job says: its log, its outputs and its summary, in which no text of a change can become a command."""

import os
import re
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

LONGEST_LINE = 500

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class CiError(Exception):
    """What stops a verb; the text says what is wrong and what to do, a line for each thing."""


def visible(text: str) -> str:
    """``text`` with what nobody sees (controls, changes of direction, half characters) as ``\\x1b``; lines stay."""
    return "".join(one if one == "\n" or unicodedata.category(one) not in _HIDDEN else _code(one) for one in text)


def _code(one: str) -> str:
    number = ord(one)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def inert(text: str) -> str:
    """One line for the log of a job, which no runner takes for a command.

    GitHub reads ``::command::`` at the beginning of a line, after spaces too, and ``##[command]`` anywhere in it
    (actions/runner, ActionCommand.cs); Azure Pipelines reads ``##vso[`` and ``##[``
    (https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands). A GitLab section begins with an
    escape character (https://docs.gitlab.com/ci/jobs/job_logs/), which `visible` writes out.
    """
    shown = re.sub("#(?=#)", "# ", visible(text.replace("\n", " ")))
    if shown.lstrip().startswith("::"):
        shown = shown.replace("::", ": :", 1)
    return shown if len(shown) <= LONGEST_LINE else shown[:LONGEST_LINE] + "…"


def say(*lines: str) -> None:
    """Lines for the log."""
    for text in lines:
        for line in text.splitlines() or [""]:
            print(inert(line), flush=True)


def quietly(command: Sequence[str | Path], *, seconds: float) -> int:
    """Run a program, and put what it says into the log, as it comes and as inert lines; its exit status.

    A program that takes longer is ended, and counts as failed.
    """
    with subprocess.Popen(
        list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        late = threading.Event()
        timer = threading.Timer(seconds, lambda: (late.set(), process.kill()))
        timer.start()
        try:
            for line in process.stdout or ():
                say(line.decode("utf-8", "replace"))
        finally:
            timer.cancel()
            process.kill()
    if late.is_set():
        say(f"it was ended: it took longer than {seconds:.0f} s")
        return -1
    return process.returncode


def output(**values: str) -> None:
    """Outputs of the step, for `if:` and the matrix of later jobs; each is one line."""
    for name, value in values.items():
        if not _NAME.fullmatch(name) or value.splitlines() not in ([], [value]):
            raise ValueError(f"an output of a step is one line: {name}")
    if os.environ.get("TF_BUILD"):
        for name, value in values.items():
            # The one command that we write ourselves; % is escaped as the agent asks for.
            shown = value.replace("%", "%AZP25")
            print(f"##vso[task.setvariable variable={name};isOutput=true]{shown}", flush=True)
    _append("GITHUB_OUTPUT", (f"{name}={value}" for name, value in values.items()))


def summary(markdown: str) -> None:
    """Markdown for the page of the run."""
    _append("GITHUB_STEP_SUMMARY", [markdown])


def _append(variable: str, lines: Iterable[str]) -> None:
    """Nothing where no runner asks for it: on a laptop the log says the same."""
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def setting(name: str) -> str:
    """A variable of the environment that a verb cannot do without."""
    if found := os.environ.get(name):
        return found
    raise CiError(f"the variable {name} is not set: the workflow's `env:` gives it to this step")


def write(path: Path, data: bytes) -> None:
    """Write a file that only this user reads, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 (a descriptor)
        file.write(data)


def fail(error: object) -> int:
    """Say why a verb cannot go on; its exit status."""
    for line in str(error).splitlines():
        print(f"error: {inert(line)}", file=sys.stderr, flush=True)
    return 1
