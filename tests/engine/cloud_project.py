"""A project with the cloud stacks of this repository, for the real engine, with stand-ins for each cloud's provider."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewright.automation import prepare
from edgewright.engine import obtain
from engine.project import REPOSITORY

HERE = Path(__file__).resolve().parent
PACK = REPOSITORY / "policies"
STACKS = (
    *("aws-balancer-first", "aws-gateway-first", "aws-balancer-only"),
    *("azure-gateway-first", "azure-balancer-first", "azure-aks", "azure-appgw-waf", "azure-front-door"),
)


@dataclass(frozen=True)
class CloudProject:
    """The project's folder; its stacks' files may be changed, they are copies."""

    root: Path

    def settings(self, stack: str) -> tuple[Path, dict[str, Any]]:
        """The file of a stack, and what is in it."""
        file = self.root / "stacks" / f"Pulumi.{stack}.yaml"
        return file, yaml.safe_load(file.read_text())

    def bind(self, stack: str, **bindings: Any) -> None:
        """Write into a stack's bindings."""
        file, settings = self.settings(stack)
        settings["config"]["edgewright:bindings"] |= bindings
        file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def add_route(self, stack: str) -> None:
        """Add a route for everybody to the stack's spec."""
        _, settings = self.settings(stack)
        file = self.root / "stacks" / settings["config"]["edgewright:spec"]
        spec = yaml.safe_load(file.read_text())
        backend = next(iter(spec["backends"]))
        spec["routes"]["GET /added"] = {"backend": backend, "auth": "none", "throttle": "none"}
        file.write_text(yaml.safe_dump(spec, sort_keys=False))

    def state(self, stack: str) -> list[dict[str, Any]]:
        """The resources of a stack as the engine keeps them."""
        file = self.root / f".edgewright/pulumi-state/.pulumi/stacks/edgewright/{stack}.json"
        latest: Mapping[str, Any] = json.loads(file.read_text())["checkpoint"].get("latest") or {}
        return list(latest.get("resources") or [])

    def pulumi(self, stack: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the CLI itself on a stack, with the passphrase of `edgewright up`."""
        _, variables = prepare(self.root, stack)
        own = {
            "PULUMI_CONFIG_PASSPHRASE_FILE": variables["PULUMI_CONFIG_PASSPHRASE_FILE"],
            "PULUMI_HOME": str(self.root.parent / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        return subprocess.run(
            [str(obtain(self.root).path), "--non-interactive", "--color", "never", *words, "--stack", stack],
            cwd=self.root,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )

    def previewed(self, stack: str) -> list[dict[str, Any]]:
        """What `pulumi preview --json` says that each resource would be."""
        self.pulumi(stack, "stack", "init")
        ran = self.pulumi(stack, "preview", "--json")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return [step["newState"] for step in json.loads(ran.stdout)["steps"]]


@contextmanager
def cloud_project(folder: Path) -> Generator[CloudProject]:
    """A project below an empty folder, with its stand-ins on PATH while this lasts; the working folder is the project's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PULUMI_")]:
            patch.delenv(name)
        root = folder / "p"
        settings = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
        del settings["plugins"]
        shutil.copytree(REPOSITORY / "stacks", root / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        (root / "tools").symlink_to(REPOSITORY / "tools")
        patch.setenv("PATH", f"{programs(folder)}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("PYTHONPATH", str(REPOSITORY / "infra"))
        patch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
        patch.chdir(root)
        yield CloudProject(root)


def programs(folder: Path) -> Path:
    """What the engine starts, in a folder for PATH: a provider for each cloud, the host of programs and policy packs."""
    made = folder / "bin"
    made.mkdir()
    starts = {
        f"pulumi-resource-{cloud}": f"{shlex.quote(str(HERE / 'stand_in.py'))} {cloud}"
        for cloud in ("aws", "azure-native", "kubernetes")
    }
    starts["pulumi-language-python"] = f"{shlex.quote(str(HERE / 'language_host.py'))}"
    for name, arguments in starts.items():
        (made / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
        (made / name).chmod(0o755)
    return made
