"""The offline plan of real stacks: what it prints, that it is the same twice, and what a change to a spec changes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aws_stacks import REPOSITORY, STACKS, planned
from edgewright.aws.compile import TOPOLOGIES, Topology
from edgewright.aws.planned import plan
from edgewright.cli import main
from edgewright.edge.resolve import resolve
from edgewright.plan.changes import compare
from edgewright.plan.model import Plan
from edgewright.plan.show_changes import text as changes_text
from edgewright.plan.show_text import text
from edgewright.spec.document import from_data
from golden_files import assert_golden

FOLDER = REPOSITORY / "tests" / "golden" / "plan"
STACK_FILES = REPOSITORY / "stacks"

SPEC: Mapping[str, Any] = {
    "name": "shop",
    "listener": {"host": "api.shop.example"},
    "authorizers": {
        "main": {
            "jwt": {
                "issuer": "https://login.shop.example/",
                "audiences": ["api://shop"],
                "jwks_uri": "https://login.shop.example/keys",
            }
        }
    },
    "backends": {"orders": {"port": 8080}, "payments": {"port": 8081}, "pages": {"port": 8082}},
    "defaults": {"auth": "main", "timeout": {"request": "29s"}},
    "routes": {
        "GET /pages/*": {"backend": "pages", "auth": "none"},
        "ANY /orders/*": {"backend": "orders", "auth": {"scopes": ["orders.read"]}},
        "POST /payments": "payments",
    },
}


@cache
def planned_without(topology: Topology, *routes: str, backend: str = "") -> Plan:
    """The plan of `SPEC` without some routes and a backend."""
    return plan(resolve(from_data(without(*routes, backend=backend))), {}, topology)


def without(*routes: str, backend: str = "") -> dict[str, Any]:
    kept = {key: item for key, item in SPEC["routes"].items() if key not in routes}
    return {**SPEC, "routes": kept, "backends": {key: item for key, item in SPEC["backends"].items() if key != backend}}


# -- what is printed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", STACKS)
def test_the_plan_of_a_stack_is_what_was_reviewed(stack: str) -> None:
    assert_golden(FOLDER / f"stack.{stack}.txt", text(planned(stack)))


def test_a_plan_without_bindings_lists_first_what_the_stack_must_bind() -> None:
    lines = text(planned_without("balancer-first")).splitlines()
    heading = next(index for index, line in enumerate(lines) if "must bind" in line.lower())
    assert heading < next(index for index, line in enumerate(lines) if "GET /pages/*" in line)
    names = [name for name, _ in planned_without("balancer-first").must_bind]
    assert names == ["region", "network", "certificate", "log_role"]


def test_a_stand_in_is_a_reference_in_the_plan_and_never_an_invented_value() -> None:
    inputs = json.dumps([dict(item.inputs) for item in planned_without("balancer-first").resources])
    assert "${bind.network.vpc}" in inputs and "${bind.certificate}" in inputs


# -- the same twice ----------------------------------------------------------------------------------------------------


_PROGRAM = """
import sys
from edgewright.cli import main
sys.exit(main(sys.argv[1:]))
"""
_ORDINARY = """
import sys
from contextlib import nullcontext
import edgewright.plan.quick_imports as quick
quick.quickly = lambda *packages: nullcontext()
from edgewright.cli import main
sys.exit(main(sys.argv[1:]))
"""


def _of_a_process(program: str, stack: str, seed: str) -> str:
    command = [sys.executable, "-c", program, "plan", str(STACK_FILES / f"Pulumi.{stack}.yaml"), "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY / "infra")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=600)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("stack", STACKS)
def test_two_plans_of_a_stack_are_the_same_to_the_byte(stack: str) -> None:
    first, second = _of_a_process(_PROGRAM, stack, "1"), _of_a_process(_PROGRAM, stack, "2")
    assert first == second
    assert json.loads(first)["resources"]


def test_the_quick_way_to_import_the_sdk_gives_the_plan_that_the_ordinary_one_gives() -> None:
    stack = "aws-balancer-first"
    assert _of_a_process(_PROGRAM, stack, "1") == _of_a_process(_ORDINARY, stack, "1")


# -- a change ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("route", list(SPEC["routes"]))
def test_a_route_that_is_added_changes_no_row_of_another(route: str, topology: Topology) -> None:
    before, after = planned_without(topology, route), planned_without(topology)
    changes = compare(before, after)
    assert [item.key for item in changes.routes_added] == [route]
    assert not changes.routes_removed
    assert not [item.key for item in changes.routes_changed]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_route_that_is_added_changes_no_rule_but_its_own(topology: Topology) -> None:
    before, after = planned_without(topology, "ANY /orders/*"), planned_without(topology)
    rules = [
        {item.name: item.inputs for item in one.resources if item.type == "aws:lb/listenerRule:ListenerRule"}
        for one in (before, after)
    ]
    assert {name: rules[1][name] for name in rules[0]} == rules[0]
    assert all("orders" in name for name in set(rules[1]) - set(rules[0]))


@pytest.mark.parametrize("topology", ["balancer-first", "gateway-first"])
def test_a_route_that_is_added_to_a_known_backend_adds_no_resource_to_a_gateway(topology: Topology) -> None:
    more = {**SPEC, "routes": {**SPEC["routes"], "GET /payments/{id}": "payments"}}
    after = plan(resolve(from_data(more)), {}, topology)
    added = {item.urn for item in after.resources} - {item.urn for item in planned_without(topology).resources}
    assert [item for item in added if "apigateway" in item] == []


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_backend_that_is_removed_takes_only_its_own_things_with_it(topology: Topology) -> None:
    before = planned_without(topology)
    after = planned_without(topology, "POST /payments", backend="payments")
    gone = [item.name for item in before.resources if item.urn not in {one.urn for one in after.resources}]
    assert gone and all("payments" in name or "8081" in name or "main" in name for name in gone)
    assert not {item.urn for item in after.resources} - {item.urn for item in before.resources}


def test_a_change_that_takes_a_check_away_is_told_first() -> None:
    open_to_all = {**SPEC, "routes": {**SPEC["routes"], "POST /payments": {"backend": "payments", "auth": "none"}}}
    changes = compare(planned_without("balancer-only"), plan(resolve(from_data(open_to_all)), {}, "balancer-only"))
    told = changes_text(changes)
    assert "POST /payments" in told.split("\n\n")[1]


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A file with the spec."""
    path = tmp_path / "shop.edge.yaml"
    path.write_text(json.dumps(SPEC))
    return path


def test_the_command_plans_a_spec_without_an_account(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(spec), "--topology", "aws/balancer-only", "--no-policies"]) == 0
    assert "GET /pages/*" in capsys.readouterr().out


def test_a_plan_that_was_kept_is_shown_as_it_was(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["plan", str(spec), "--topology", "aws/gateway-first", "--json"])
    kept = spec.parent / "plan.json"
    kept.write_text(capsys.readouterr().out)
    assert main(["plan", str(kept)]) == status
    shown = capsys.readouterr().out
    assert main(["plan", str(spec), "--topology", "aws/gateway-first"]) == status
    assert capsys.readouterr().out == shown


def test_the_command_diff_tells_what_a_change_does(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = spec.parent / "after.edge.yaml"
    after.write_text(json.dumps(without("POST /payments")))
    assert main(["diff", str(spec), str(after), "--topology", "aws/balancer-only", "--no-policies"]) == 0
    assert "POST /payments" in capsys.readouterr().out


def test_the_picture_of_the_way_of_a_request_is_written_where_it_was_asked_for(spec: Path) -> None:
    picture = spec.parent / "way.svg"
    assert main(["plan", str(spec), "--topology", "aws/gateway-first", "--svg", str(picture), "--no-policies"]) == 0
    assert picture.read_text().startswith("<svg") and "HTTP API" in picture.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--topology"),
        (["--topology", "aws/nonsense"], "balancer-first"),
        (["--topology", "mars/balancer-only"], "aws/balancer-first"),
    ],
)
def test_a_plan_for_nowhere_is_wrong_use(
    spec: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(spec), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_spec_that_a_topology_cannot_carry_is_refused_before_anything_is_planned(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cached = {"backend": "pages", "auth": "none", "cache": {"ttl": "60s"}}
    spec.write_text(json.dumps({**SPEC, "routes": {"GET /pages/*": cached}}))
    assert main(["plan", str(spec), "--topology", "aws/balancer-only"]) == 1
    error = capsys.readouterr().err
    assert "Route.cache" in error and "balancer-first or gateway-first" in error
