"""docs/azure-aks.md, run from its first command to its last as far as a machine without Azure can.

The engine and the CLIs of Pulumi and edgewright are real; Azure, Kubernetes and what reaches them are stood in for
(`stand_in`, `reader`), and refuse what the real ones would.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edgewright.engine import find
from engine.project import REPOSITORY
from engine.reader import filling

pytestmark = pytest.mark.xdist_group("guide-aks")  # it is followed once

GUIDE = (REPOSITORY / "docs" / "azure-aks.md").read_text(encoding="utf-8")
PROGRAMS = ("az", "kubectl", "kubelogin", "curl", "python3", "pip")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

YOURS = {
    "SUBSCRIPTION": "11111111-2222-3333-4444-555555555555",
    "LOCATION": "northeurope",
    "GROUP": "kitchen",
    "ZONE": "kitchen.example",
    "VAULT": "kitchen-certificates",
    "EMAIL": "cook@kitchen.example",
    "MY_RANGE": "198.51.100.7/32",
}
"""What a reader fills in, none of it as in the guide: what is written into the steps by mistake is found by it."""


@dataclass(frozen=True)
class Command:
    """A command, or a block of them, and what the guide says that it prints; None where it says nothing."""

    text: str
    prints: str | None


def commands() -> list[Command]:
    found: list[Command] = []
    for language, block in FENCE.findall(GUIDE):
        if language == "sh":
            found.append(Command(_filled(block), None))
        elif language == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append(Command(f"{command}\n", output.strip()))
    return found


def _filled(block: str) -> str:
    """The block with this reader's own values, where it is the one that asks for them."""
    for name, value in YOURS.items():
        block = re.sub(rf"^{name}=\S+", f"{name}={value}", block, flags=re.MULTILINE)
    return block


@dataclass(frozen=True)
class Read:
    """A guide that was followed. said: what each command printed; state: of the stack after the first `up`."""

    root: Path
    ran: int
    errors: str
    said: list[str]
    state: list[dict[str, Any]]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    root = tmp_path_factory.mktemp("guide") / "p"
    for name in ("stacks", "plugins"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Pulumi.yaml", "PulumiPlugin.yaml", "pyproject.toml", "requirements.txt"):
        shutil.copy(REPOSITORY / name, root / name)
    out = root.parent / "out"
    (root.parent / "memory").mkdir()
    out.mkdir()
    lines = ["set -eo pipefail"]
    for at, command in enumerate(commands()):
        lines += [f"echo {at} > {out}/ran", f"{{\n{command.text}}} > {out}/{at} 2> {out}/{at}.err"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=root, env=environment(root.parent), stdin=subprocess.DEVNULL, check=False
    )
    last = int((out / "ran").read_text())
    errors = (out / f"{last}.err").read_text() + (out / f"{last}").read_text() if done.returncode else ""
    kept = root.parent / "memory" / "state.json"
    state = json.loads(kept.read_text())["checkpoint"]["latest"]["resources"] if kept.is_file() else []
    said = [(out / str(at)).read_text().strip() for at in range(last + 1)]
    return Read(root, last + (done.returncode == 0), errors, said, state)


def environment(folder: Path) -> dict[str, str]:
    """With stand-ins first on PATH, and nothing of Pulumi's that the machine has set."""
    programs = folder / "bin"
    programs.mkdir()
    here = REPOSITORY / "tests" / "engine"
    starts = {name: (here / "reader.py", name) for name in PROGRAMS}
    starts |= {f"pulumi-resource-{name}": (here / "stand_in.py", name) for name in ("azure-native", "kubernetes")}
    starts |= {"pulumi-language-python": (here / "language_host.py", "")}
    for name, (script, argument) in starts.items():
        _script(programs / name, f"{shlex.quote(str(script))} {argument}")
    _script(programs / "edgewright", "-m edgewright.cli")
    engine = find(REPOSITORY)
    assert engine is not None, "there is no Pulumi CLI"
    (programs / "pulumi").symlink_to(engine.path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY / "infra"),
        "READER_MEMORY": str(folder / "memory"),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def _script(path: Path, arguments: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
    path.chmod(0o755)


def test_nothing_that_looks_like_a_command_is_left_out() -> None:
    assert {language for language, _ in FENCE.findall(GUIDE)} == {"sh", "console", "mermaid"}
    assert len(commands()) > 25


def test_every_command_runs(read: Read) -> None:
    assert not read.errors, f"{commands()[read.ran].text}\n{read.errors[-3000:]}"
    assert read.ran == len(commands())


def test_every_command_prints_what_the_guide_says(read: Read) -> None:
    wanted = [(command.text, command.prints) for command in commands() if command.prints is not None]
    said = [
        (command.text, said) for command, said in zip(commands(), read.said, strict=False) if command.prints is not None
    ]
    assert said == wanted


def test_what_the_reader_fills_in_is_what_the_stack_gets(read: Read) -> None:
    by_type = {item["type"]: item["inputs"] for item in read.state if "inputs" in item}
    service = by_type["azure-native:apimanagement:ApiManagementService"]
    assert (service["resourceGroupName"], service["location"]) == (YOURS["GROUP"], YOURS["LOCATION"])
    assert service["publisherEmail"] == YOURS["EMAIL"]
    (identity,) = service["identity"]["userAssignedIdentities"]
    assert identity.startswith(f"/subscriptions/{YOURS['SUBSCRIPTION']}/resourceGroups/{YOURS['GROUP']}/")
    cluster = by_type["azure-native:containerservice:ManagedCluster"]
    assert cluster["apiServerAccessProfile"]["authorizedIPRanges"][0] == YOURS["MY_RANGE"]
    assert cluster["aadProfile"]["adminGroupObjectIDs"] == [_answered("ad group create")]
    certificate = by_type["azure-native:apimanagement:Certificate"]["keyVault"]
    assert certificate["secretIdentifier"] == f"https://{YOURS['VAULT']}.vault.azure.net/secrets/hello"
    assert certificate["identityClientId"] == _answered("identity create")
    assert by_type["azure-native:dns:RecordSet"]["zoneName"] == YOURS["ZONE"]
    host = by_type["azure-native:apimanagement:GatewayHostnameConfiguration"]["hostname"]
    assert host == f"hello.{YOURS['ZONE']}"


def _answered(command: str) -> str:
    """An id that az has answered."""
    return filling({"ad group create": "guid:group", "identity create": "guid:client"}[command], {})


def test_every_kind_of_object_is_said_why(read: Read) -> None:
    placed = {
        item["type"].rpartition(":")[2] for item in read.state if re.match("azure-native|kubernetes", item["type"])
    }
    assert len(placed) > 20
    assert {kind for kind in placed if f"`{kind}`" not in GUIDE} == set()


MODULES = {"applicationinsights": "Insights", "dns": "Network", "monitor": "Insights"}
"""Resource providers of Azure by modules of azure-native, where they are called otherwise."""


def test_every_resource_provider_is_registered_but_the_one_that_always_is(read: Read) -> None:
    (loop,) = re.findall(r"for namespace in (.*?); do", GUIDE, re.DOTALL)
    registered = {name.lower() for name in loop.replace("\\\n", " ").split()}
    modules: set[str] = {item["type"].split(":")[1] for item in read.state if item["type"].startswith("azure-native:")}
    needed = {MODULES.get(module, module).lower() for module in modules}
    assert needed - registered == {"authorization"}


def test_an_update_touches_what_the_guide_says(read: Read) -> None:
    route, version, count = (
        next(said for command, said in zip(commands(), read.said, strict=True) if mark in command.text)
        for mark in ("respond: {status", "2.12.1", "replicas: 4")
    )
    assert "2 updated" in route  # the API's import and its policy
    assert "Deployment" not in route
    assert "1 updated" in version
    assert "hello-gateways-deployment updated" in version
    assert "hello-gateways-deployment updated" in count
    assert "hello-cluster-user-pool updated" in count


def test_at_the_end_nothing_is_left(read: Read) -> None:
    state = read.root / ".edgewright/pulumi-state/.pulumi/stacks/edgewright/azure-aks.json"
    assert not json.loads(state.read_text())["checkpoint"]["latest"].get("resources")
    assert not list(read.root.glob("*.pem")) and not list((read.root / "stacks").glob("*.bak"))


WRONG = {
    "a command of az that there is not": "az apim gateway list",
    "a parameter of az": "az group create --nam kitchen --location x",
    "a parameter of az that is missing": "az group create --name kitchen",
    "a value of az": "az role assignment create --role Owner --scope /x",
    "a thing that nobody has made": "az keyvault create --resource-group nowhere --name kitchen",
    "a flag of kubectl": "kubectl get pods --name-space hello-gateways",
    "a verb of kubectl": "kubectl restart deployment/gateway",
    "a kind of Kubernetes": "kubectl get deploiments --namespace hello-gateways",
    "a namespace that is not placed": "kubectl get pods --namespace elsewhere",
    "an object that is not placed": "kubectl logs deployment/gatway --namespace hello-gateways",
    "a flag of curl": "curl --slient https://hello.kitchen.example/world",
}


@pytest.mark.parametrize("command", WRONG.values(), ids=WRONG.keys())
def test_the_stand_ins_refuse_what_is_wrong_in(command: str, tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    state = tmp_path / ".edgewright/pulumi-state/.pulumi/stacks/edgewright/azure-aks.json"
    state.parent.mkdir(parents=True)
    space = {"kind": "Namespace", "metadata": {"name": "hello-gateways"}}
    one = {"kind": "Deployment", "metadata": {"name": "gateway", "namespace": "hello-gateways"}}
    placed = [{"type": f"kubernetes:v1:{item['kind']}", "inputs": item} for item in (space, one)]
    state.write_text(json.dumps({"checkpoint": {"latest": {"resources": placed}}}))
    (tmp_path / "config").write_text('{"login": "azurecli"}')
    variables = {**environment(tmp_path), "KUBECONFIG": str(tmp_path / "config")}
    right = "kubectl logs deployment/gateway --namespace hello-gateways"
    runs = [
        subprocess.run(shlex.split(text), cwd=tmp_path, env=variables, capture_output=True, check=False)
        for text in (right, command)
    ]
    assert [done.returncode for done in runs] == [0, 2], runs
