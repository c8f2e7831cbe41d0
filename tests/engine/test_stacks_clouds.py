"""The cloud stacks of this repository through the real engine, with a provider that stands in for each cloud's."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewright.up import down, preview, up
from engine.project import REPOSITORY

Capture = pytest.CaptureFixture[str]
STACKS = (
    *("aws-balancer-first", "aws-gateway-first", "aws-balancer-only"),
    *("azure-gateway-first", "azure-balancer-first", "azure-aks", "azure-appgw-waf", "azure-front-door"),
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in list(os.environ):
        if name.startswith("PULUMI_"):
            monkeypatch.delenv(name)
    root = tmp_path / "p"
    settings = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
    del settings["plugins"]
    shutil.copytree(REPOSITORY / "stacks", root / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    (root / "tools").symlink_to(REPOSITORY / "tools")
    folder = tmp_path / "bin"
    folder.mkdir()
    for cloud in ("aws", "azure-native", "kubernetes"):
        plugin = folder / f"pulumi-resource-{cloud}"
        plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY}/tests/engine/stand_in.py" {cloud}\n')
        plugin.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    monkeypatch.chdir(root)
    yield root


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_comes_up_stays_changes_and_goes(stack: str, project: Path, capfd: Capture) -> None:
    assert preview(stack) == 0, capfd.readouterr()
    said = capfd.readouterr().out
    assert re.search(r"\+ \d+ to create", said), said

    assert up(stack, yes=True) == 0, capfd.readouterr()
    created = re.search(r"\+ (\d+) created", capfd.readouterr().out)
    assert created

    assert not assumed_providers(project, stack)

    assert up(stack, yes=True) == 0
    said = capfd.readouterr().out
    assert not re.search(r"^ +\S? ?\d+ (created|updated|replaced|deleted)$", said, re.MULTILINE), said
    assert f"{created[1]} unchanged" in said

    change(project, stack)
    assert up(stack, yes=True) == 0
    said = capfd.readouterr().out
    assert re.search(r"\d+ (created|updated)", said), said
    unchanged = re.search(r"^ +(\d+) unchanged", said, re.MULTILINE)
    assert unchanged, said
    assert int(unchanged[1]) >= int(created[1]) - 6, said  # a route touches a rule or a body, and little else

    unprotect(project, stack)
    assert up(stack, yes=True) == 0
    assert down(stack) == 0, capfd.readouterr()
    assert re.search(r"- \d+ deleted", capfd.readouterr().out)


def assumed_providers(project: Path, stack: str) -> list[str]:
    """Providers that the engine made by itself: they would take the account that the machine happens to have."""
    state = json.loads((project / f".edgewright/pulumi-state/.pulumi/stacks/edgewright/{stack}.json").read_text())
    urns = [str(item["urn"]) for item in state["checkpoint"]["latest"]["resources"]]
    return [urn for urn in urns if "pulumi:providers:" in urn and "::default" in urn]


def settings_of(project: Path, stack: str) -> tuple[Path, dict[str, Any]]:
    file = project / "stacks" / f"Pulumi.{stack}.yaml"
    return file, yaml.safe_load(file.read_text())


def change(project: Path, stack: str) -> None:
    """Add a route for everybody to the stack's spec."""
    _, settings = settings_of(project, stack)
    file = project / "stacks" / settings["config"]["edgewright:spec"]
    spec = yaml.safe_load(file.read_text())
    backend = next(iter(spec["backends"]))
    spec["routes"]["GET /added"] = {"backend": backend, "auth": "none", "throttle": "none"}
    file.write_text(yaml.safe_dump(spec, sort_keys=False))


def unprotect(project: Path, stack: str) -> None:
    """A stack whose profile protects what is painful to replace is destroyed only after that is taken away."""
    file, settings = settings_of(project, stack)
    settings["config"]["edgewright:bindings"]["profile"] = "development"
    file.write_text(yaml.safe_dump(settings, sort_keys=False))


def test_a_front_door_is_complete_after_two_updates(project: Path, capfd: Capture) -> None:
    """The first leaves the service open to its Front Door; the second, which names the connection that a person has
    approved, closes it, and touches nothing else."""
    stack = "azure-front-door"
    assert up(stack, yes=True) == 0, capfd.readouterr()
    first = capfd.readouterr().out
    assert "Phase 1: the private connection waits for approval" in first
    assert "az network private-endpoint-connection list" in first

    file, settings = settings_of(project, stack)
    settings["config"]["edgewright:bindings"]["front_door"] = {"connection": "frontdoor.1"}
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    assert up(stack, yes=True) == 0, capfd.readouterr()
    second = capfd.readouterr().out
    assert "Phase 2: the connection `frontdoor.1` is approved" in second
    assert re.search(r"^ +~ +1 updated$", second, re.MULTILINE), second

    assert up(stack, yes=True) == 0
    said = capfd.readouterr().out
    assert not re.search(r"^ +\S? ?\d+ (created|updated|replaced|deleted)$", said, re.MULTILINE), said
