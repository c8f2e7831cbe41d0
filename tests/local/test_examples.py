"""The examples, as their READMEs tell a reader to run them: every command, and what it is said to print."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())


@dataclass(frozen=True, slots=True)
class Running:
    """An example that is being served from a folder of its own, on ports of its own."""

    folder: Path
    readme: str
    environment: dict[str, str]


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)


def commands(readme: str) -> list[tuple[str, str]]:
    """The commands of the console blocks, each with what is printed."""
    found: list[tuple[str, str]] = []
    for block in blocks(readme, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.strip()))
    return found


@pytest.fixture(params=NAMES)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Running]:
    name = str(request.param)
    shutil.copytree(EXAMPLES / name, tmp_path / "examples" / name)
    ports = {known: str(free_port()) for known in ("8443", "8080", "9000")}
    for path in (tmp_path / "examples" / name).iterdir():
        text = path.read_text()
        for known, port in ports.items():
            text = re.sub(rf"(?<!\d){known}(?!\d)(?!, health_check)", port, text)
        path.write_text(text)
    readme = (tmp_path / "examples" / name / "README.md").read_text()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "edgewright"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m edgewright.cli "$@"\n')
    program.chmod(0o755)
    infra = str(EXAMPLES.parent / "infra")
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": infra}
    (serve,) = blocks(readme, "sh")
    process = subprocess.Popen(
        shlex.split(serve), cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        state = shlex.split(serve)[-1]
        deadline = time.monotonic() + 300
        while subprocess.run(
            [str(program), "status", "--state", state], cwd=tmp_path, env=environment, capture_output=True, check=False
        ).returncode:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "it does not come up"
            time.sleep(0.1)
        yield Running(tmp_path, readme, environment)
    finally:
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=300)[0]
    assert "Traceback" not in output


def test_every_command_of_its_readme_prints_what_it_says(running: Running) -> None:
    said = commands(running.readme)
    assert len(said) >= 2
    for command, output in said:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=running.folder,
            env=running.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.stdout.strip().lower() == output.lower(), f"{command}\n{done.stderr}"


def test_there_is_an_example_for_each_of_the_three_pictures() -> None:
    assert NAMES == ["balancer", "edge", "gateway"]
    for name in NAMES:
        readme = (EXAMPLES / name / "README.md").read_text()
        assert "```mermaid" in readme
