"""Specs and what they are on each AWS topology, as files that people review."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from edgewright.aws.artifact import Artifact, Balancer
from edgewright.aws.capabilities import ROWS, markdown
from edgewright.aws.compile import TOPOLOGIES, Topology, compile_edge
from edgewright.edge.resolve import resolve
from edgewright.spec import model as spec_model
from edgewright.spec.document import load
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

FOLDER = Path(__file__).parents[2] / "golden" / "aws"
CASES = sorted(path.name.removesuffix(".edge.yaml") for path in FOLDER.glob("*.edge.yaml"))


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("name", CASES)
def test_a_spec_compiles_to_what_was_reviewed(name: str, topology: Topology) -> None:
    edge = resolve(load(FOLDER / f"{name}.edge.yaml"))
    target = FOLDER / f"{name}.{topology}.out.yaml"
    try:
        artifact = compile_edge(edge, {}, topology, placeholders=True)
    except SpecError as error:
        text = f"# {topology} refuses it:\n" + "".join(
            f"# {line.rpartition('/')[2]}\n" for line in str(error).splitlines()
        )
        assert_golden(target, text)
        return
    assert_golden(target, review(artifact))


def review(artifact: Artifact) -> str:
    """An artifact as text: what is the same for every edge is left out."""
    found: dict[str, Any] = {"decisions": list(artifact.decisions)} if artifact.decisions else {}
    for part, balancer in (("edge", artifact.edge_balancer), ("services", artifact.services)):
        if balancer is not None:
            found[part] = _balancer(balancer)
    for part, api in (("rest", artifact.rest), ("http", artifact.http)):
        if api is not None:
            body = {
                key: value
                for key, value in api.body.items()
                if key not in ("openapi", "info", "x-amazon-apigateway-gateway-responses")
            }
            found[part] = body
    if artifact.rest is not None:
        found["methods"] = dict(artifact.rest.methods)
        found["plans"] = [_fields(plan) for plan in artifact.rest.plans]
        found["authorizer"] = artifact.rest.authorizer.config if artifact.rest.authorizer else None
    if artifact.http is not None:
        found["throttles"] = dict(artifact.http.routes)
    for item in artifact.websockets:
        found.setdefault("websockets", {})[item.stage] = {
            key: value.config if key == "authorizer" and value else value for key, value in _fields(item).items()
        }
    for part, streams in (("messages", artifact.messages), ("streams", artifact.network_balancer)):
        if streams is not None:
            found[part] = {
                "listeners": dict(streams.listeners),
                "target_groups": dict(streams.target_groups),
                "doors": {"in": dict(streams.peers.ingress), "out": dict(streams.peers.egress)},
            }
    if artifact.monitoring is not None:
        watching = artifact.monitoring
        found["monitoring"] = {
            "alarms": {name: _fields(item) for name, item in watching.alarms.items()},
            "log_metrics": {name: _fields(item) for name, item in watching.log_metrics.items()},
            "panels": [item["properties"]["title"] for item in (watching.dashboard or {"widgets": []})["widgets"]],
        }
    if artifact.waf is not None:
        found["waf"] = {"capacity": artifact.waf.capacity, "rules": artifact.waf.rules}
    text = yaml.dump(
        {key: value for key, value in found.items() if value},
        Dumper=_Dumper,
        sort_keys=False,
        width=140,
        allow_unicode=True,
    )
    return text + "".join(f"# {str(item).rpartition('/')[2]}\n" for item in artifact.findings)


def _balancer(balancer: Balancer) -> dict[str, Any]:
    return {
        "listeners": dict(balancer.listeners),
        "target_groups": dict(balancer.target_groups),
        "rules": {
            f"{rule.priority} {rule.name}": {
                key: value
                for key, value in {
                    "if": rule.conditions,
                    "then": rule.actions,
                    "as": rule.transforms,
                    "for": rule.routes,
                }.items()
                if value
            }
            for rule in balancer.rules
            if "guard" not in rule.name or rule.name.endswith("slash")
        },
        "doors": {"in": dict(balancer.peers.ingress), "out": dict(balancer.peers.egress)},
        "idle_timeout": balancer.idle_timeout,
    }


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(tuple, yaml.SafeDumper.represent_list)
_Dumper.add_multi_representer(dict, yaml.SafeDumper.represent_dict)


def test_two_compilations_of_a_spec_are_equal() -> None:
    edge = resolve(load(FOLDER / "slice.edge.yaml"))
    first, second = (review(compile_edge(edge, {}, "balancer-first", placeholders=True)) for _ in range(2))
    assert first == second


def test_every_field_of_a_spec_has_a_row_and_every_row_a_field() -> None:
    models = [
        item
        for _, item in inspect.getmembers(spec_model, inspect.isclass)
        if issubclass(item, BaseModel) and item.__module__ == spec_model.__name__ and item.model_fields
    ]
    # Settings is what Defaults and Route have in common; both have rows of their own.
    fields = {f"{item.__name__}.{name}" for item in models if item.__name__ != "Settings" for name in item.model_fields}
    rows = {row.field for row in ROWS}
    assert sorted(fields - rows) == []
    assert sorted(name for name in rows - fields if "(" not in name) == []


def test_rows_that_are_not_native_say_why_and_what_would_carry_it() -> None:
    silent = [row.field for row in ROWS for cell in row.cells if cell.level != "native" and not cell.how]
    stuck = [row.field for row in ROWS for cell in row.cells if cell.level == "unsupported" and not cell.carried_by]
    assert (silent, stuck) == ([], [])


def test_rows_are_named_once() -> None:
    names = [row.field for row in ROWS]
    assert [name for name in names if names.count(name) > 1] == []


def test_the_document_of_the_table_is_what_the_code_prints() -> None:
    assert_golden(Path(__file__).parents[3] / "docs" / "aws.md", markdown())
