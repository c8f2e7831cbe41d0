"""The commands of docs/policy-packs.md through the real engine: on a stack of ours, and in a repository of somebody else."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from edgewright.engine import obtain
from engine.project import REPOSITORY
from policies.guide import COMMANDS, FILES, SAID, write

HERE = Path(__file__).resolve().parent
ON_OURS, PLAIN, CONFIGURED, MENDED = COMMANDS

PROGRAM = """
import pulumi_aws as aws

aws.lb.LoadBalancer("shop", internal=True, subnets=["subnet-1", "subnet-2"], drop_invalid_header_fields=False,
                    enable_deletion_protection=True, access_logs={"bucket": "logs", "enabled": True})
"""
ONE_RULE = '{"all": "disabled", "alb-drop-invalid-headers": "%s"}'


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, with stand-ins for what the CLI would fetch first on PATH."""
    for name in [name for name in os.environ if name.startswith("PULUMI_")]:
        monkeypatch.delenv(name)
    programs = tmp_path / "bin"
    programs.mkdir()
    starts = {"pulumi-resource-aws": ("stand_in.py", "aws"), "pulumi-language-python": ("language_host.py", "")}
    for name, (script, argument) in starts.items():
        command = f"{shlex.quote(sys.executable)} {shlex.quote(str(HERE / script))} {argument}"
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    (programs / "pulumi").symlink_to(obtain(REPOSITORY).path)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "infra"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "for the test")
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    yield tmp_path / "p"


def run(command: str, folder: Path) -> tuple[int, str]:
    """How a command ends, and what it prints without colours."""
    ran = subprocess.run(
        [*shlex.split(command), "--non-interactive", "--color", "never"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def elsewhere(environment: Path) -> Path:
    """A repository of somebody else, with the files of the guide and a balancer that drops no header."""
    write(environment)
    (environment / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (environment / "__main__.py").write_text(PROGRAM)
    assert run("pulumi stack init dev", environment)[0] == 0
    return environment


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_the_pack_is_run_on_a_stack_of_ours(environment: Path) -> None:
    shutil.copytree(REPOSITORY / "stacks", environment / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    (environment / "policies").symlink_to(REPOSITORY / "policies")
    settings = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text(encoding="utf-8"))
    (environment / "Pulumi.yaml").write_text(yaml.safe_dump({**settings, "plugins": {}, "backend": {}}))
    assert run("pulumi stack init aws-gateway-first", environment)[0] == 0
    code, said = run(ON_OURS, environment)
    assert code == 0, said
    assert "edgewright@v" in said


def test_the_pack_stops_a_preview_elsewhere_and_says_what_the_guide_says(elsewhere: Path) -> None:
    code, said = run(PLAIN, elsewhere)
    assert code != 0
    title, *text = lines(SAID[0])
    assert f"- {title}" in lines(said), said
    assert set(text) <= set(lines(said)), said


def test_a_configuration_of_the_guide_reaches_the_rules(elsewhere: Path) -> None:
    plain, configured = run(PLAIN, elsewhere)[1], run(CONFIGURED, elsewhere)[1]
    assert ("lb-tagged" in plain, "lb-tagged" in configured) == (True, False)
    few = "`subnets` are 2, fewer than 3"
    assert (few in plain, few in configured) == (False, True)


def test_what_the_guide_mends_is_mended(elsewhere: Path) -> None:
    (elsewhere / "mend.json").write_text(ONE_RULE % "mandatory")
    assert run(MENDED, elsewhere)[0] != 0
    (elsewhere / "mend.json").write_text(ONE_RULE % "remediate")
    code, said = run(MENDED, elsewhere)
    assert code == 0, said
    assert "dropInvalidHeaderFields" in said
    assert FILES["mend.json"].strip() == '{"alb-drop-invalid-headers": "remediate"}'
