"""Runs a job of a workflow as GitHub's runner does: the shell steps for real, the actions by stand-ins.

A run has what the workflow gives it and nothing else: its own home, the variables of GITHUB, `env` of the workflow, job and
step, outputs, artifacts as zip archives, and a checkout of the depth that is asked for.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from workflows.expressions import condition, substitute
from workflows.repository import PROJECT, Repository, git

WORKFLOWS = PROJECT / ".github/workflows"
Action = Callable[["Run", Mapping[str, str]], None]


class FailedError(Exception):
    """A step failed."""


def workflow(name: str, root: Path = PROJECT) -> dict[str, Any]:
    """A workflow's file, every scalar as text: `on` stays `on`."""
    text = (root / ".github/workflows" / name).read_text()
    return cast("dict[str, Any]", yaml.load(text, Loader=yaml.BaseLoader))


def commands_in(log: str) -> list[str]:
    """The lines of a log that GitHub's runner takes for commands, after actions/runner ActionCommand.cs."""
    return [line for line in re.split(r"[\r\n]", log) if line.lstrip().startswith("::") or "##[" in line]


@dataclass
class Run:
    """One run of one job.

    contexts: github, vars, secrets, needs, matrix; artifacts: what it uploads, by name; steps: outcome by a step's name;
    log: what its shell steps say.
    """

    file: str
    job: str
    folder: Path
    repository: Repository
    revision: str
    contexts: dict[str, Any]
    api: str = ""
    actions: Mapping[str, Action] = field(default_factory=dict[str, Action])
    artifacts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    outputs: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    steps: dict[str, str] = field(default_factory=dict[str, str])
    log: str = ""
    summary: str = ""
    conclusion: str = ""

    @property
    def workspace(self) -> Path:
        """Where the job has checked out."""
        return self.folder / "work"

    @property
    def temp(self) -> Path:
        """`RUNNER_TEMP`."""
        return self.folder / "temp"

    @property
    def definition(self) -> dict[str, Any]:
        """The job as the workflow has it."""
        return workflow(self.file)["jobs"][self.job]

    def start(self) -> "Run":
        """Run it, unless its `if` says no: then its conclusion is `skipped`."""
        for folder in (self.workspace, self.temp, self.folder / "bin", self.folder / "home"):
            folder.mkdir(parents=True, exist_ok=True)
        if not condition(self.definition.get("if"), self._known(), failed=False):
            self.conclusion = "skipped"
            return self
        self.conclusion = "success"
        for step in self.definition["steps"]:
            if not condition(step.get("if"), self._known(), failed=self.conclusion == "failure"):
                self.steps[step["name"]] = "skipped"
                continue
            try:
                self._step(step)
                self.steps[step["name"]] = "success"
            except FailedError:
                self.steps[step["name"]] = self.conclusion = "failure"
        return self

    def results(self) -> dict[str, str]:
        """The job's outputs."""
        given = cast("dict[str, str]", self.definition.get("outputs", {}))
        return {name: substitute(text, self._known()) for name, text in given.items()}

    def program(self, name: str, script: str) -> None:
        """Put a program on the job's PATH."""
        path = self.folder / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\nset -eu\n{script}\n")
        path.chmod(0o755)

    def upload(self, name: str, file: str, data: bytes) -> None:
        """Keep an artifact, as GitHub does: an archive."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr(file, data)
        self.artifacts[name] = archive.getvalue()

    def _known(self) -> dict[str, Any]:
        steps = {name: {"outputs": values} for name, values in self.outputs.items()}
        known = {"inputs": {}, "vars": {}, "secrets": {}, "needs": {}, "matrix": {}, **self.contexts}
        return {**known, "steps": steps, "runner": {"temp": str(self.temp)}}

    def _step(self, step: dict[str, Any]) -> None:
        if "run" in step:
            self._shell(step)
            return
        name = step["uses"].partition("@")[0]
        given = {key: substitute(value, self._known()) for key, value in step.get("with", {}).items()}
        {"actions/checkout": _checkout, "actions/upload-artifact": _upload, **self.actions}[name](self, given)

    def _shell(self, step: dict[str, Any]) -> None:
        assert "${{" not in step["run"], step["run"]
        files = {name: self.temp / f"_{name}" for name in ("output", "summary", "env", "path")}
        for file in files.values():
            file.write_text("")
        script = self.temp / "_script.sh"
        script.write_text(step["run"] + "\n")
        asked = {**workflow(self.file).get("env", {}), **self.definition.get("env", {}), **step.get("env", {})}
        env = {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "CI": "true",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "GITHUB_ENV": str(files["env"]),
            "GITHUB_PATH": str(files["path"]),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_API_URL": self.api,
            "GITHUB_EVENT_PATH": str(self.contexts.get("event_path", "")),
            **_variables(self.contexts["github"]),
            **{name: substitute(value, self._known()) for name, value in asked.items()},
        }
        command = ["bash", "-e", str(script)]
        if step.get("shell") == "bash":
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        done = subprocess.run(
            command, cwd=self.workspace, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, timeout=600,
        )  # fmt: skip
        self.log += done.stdout.decode(errors="replace")
        assert not files["env"].read_text()
        assert not files["path"].read_text()
        self.summary += files["summary"].read_text()
        if "id" in step:
            self.outputs[step["id"]] = _outputs(files["output"].read_text())
        if done.returncode:
            raise FailedError


def _variables(github: Mapping[str, Any]) -> dict[str, str]:
    names = ("repository", "sha", "run_id", "run_number", "run_attempt", "ref", "event_name")
    return {f"GITHUB_{name.upper()}": str(github[name]) for name in names if name in github}


def _outputs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        assert separator, f"this is no output: {line!r}"
        found[name] = value
    return found


def _checkout(run: Run, given: Mapping[str, str]) -> None:
    assert given["persist-credentials"] == "false"
    assert set(given) <= {"persist-credentials", "fetch-depth", "sparse-checkout"}, "no other ref, no other repository"
    shutil.rmtree(run.workspace)
    run.workspace.mkdir()
    git(run.workspace, "init", "--quiet")
    depth = given.get("fetch-depth", "1")
    limit = [] if depth == "0" else [f"--depth={depth}"]
    git(run.workspace, "fetch", "--quiet", *limit, run.repository.folder.as_uri(), run.revision)
    if folders := given.get("sparse-checkout"):
        git(run.workspace, "sparse-checkout", "set", *folders.split())
    git(run.workspace, "checkout", "--quiet", "--detach", "FETCH_HEAD")


def _upload(run: Run, given: Mapping[str, str]) -> None:
    assert given["if-no-files-found"] == "error"
    assert given["overwrite"] == "true"
    assert 1 <= int(given["retention-days"]) <= 7
    path = Path(given["path"])
    if not path.is_file():
        raise FailedError
    run.upload(given["name"], path.name, path.read_bytes())


def makes_a_venv(run: Run, folder: str) -> None:
    """Where a real job installs the requirements: here those of the tests. The code is this project's, as checked out.

    Its own files are used and not the checkout's copies, which would be compiled anew for every test.
    """
    python = run.workspace / folder / "bin/python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(_PYTHON)
    python.chmod(0o755)


def install(run: Run) -> None:
    """A `make` that knows one target, and a `python3` that has the standard library alone."""
    script = run.folder / "python"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_PYTHON)
    script.chmod(0o755)
    run.program(
        "make",
        f'[ "$*" = "-s .venv/.local.stamp" ]\nmkdir -p .venv/bin\ncp {shlex.quote(str(script))} .venv/bin/python',
    )
    run.program("python3", f'exec {shlex.quote(sys._base_executable)} -S "$@"')  # pyright: ignore[reportAttributeAccessIssue]


_PYTHON = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(PROJECT / "infra"))} exec {shlex.quote(sys.executable)} "$@"\n'
