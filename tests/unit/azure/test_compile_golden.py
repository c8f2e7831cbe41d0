"""Specs and what they are on each Azure topology, as files that people review."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from edgewright.azure.artifact import Artifact, Balancer
from edgewright.azure.capabilities import ROWS, markdown
from edgewright.azure.compile import compile_edge
from edgewright.azure.topology import TOPOLOGIES, Topology
from edgewright.edge.resolve import resolve
from edgewright.spec import model as spec_model
from edgewright.spec.document import load
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

FOLDER = Path(__file__).parents[2] / "golden" / "azure"
CASES = sorted(path.name.removesuffix(".edge.yaml") for path in FOLDER.glob("*.edge.yaml"))


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("name", CASES)
def test_a_spec_compiles_to_what_was_reviewed(name: str, topology: Topology) -> None:
    edge = resolve(load(FOLDER / f"{name}.edge.yaml"))
    target = FOLDER / f"{name}.{topology}.out.yaml"
    try:
        artifact = compile_edge(edge, {}, topology, placeholders=True)
    except SpecError as error:
        lines = str(error).replace(f"{FOLDER}/", "").splitlines()
        text = f"# {topology} refuses it:\n" + "".join(f"# {line}\n" for line in lines)
        assert_golden(target, text)
        return
    assert_golden(target, review(artifact))
    if topology != "gateway-first" and name != "slice":
        return  # the policies are those of gateway-first, but for what the slice shows
    for item in artifact.websockets:
        assert_golden(FOLDER / f"{name}.{topology}.{item.id}.xml", item.policy)
    if artifact.api is not None:
        assert_golden(FOLDER / f"{name}.{topology}.policy.xml", artifact.api.policy)
        for operation, policy in artifact.api.operation_policies.items():
            assert_golden(FOLDER / f"{name}.{topology}.{operation}.xml", policy)


def review(artifact: Artifact) -> str:
    """An artifact as text, the policies apart."""
    found: dict[str, Any] = {
        "tier": artifact.tier,
        "network": artifact.network,
        "gateways": artifact.gateways,
        "hosts": list(artifact.hosts),
        "decisions": list(artifact.decisions),
        "backends": {
            name: f"{item.url} {item.circuit_breaker or ''}".strip() for name, item in artifact.backends.items()
        },
        "pools": {name: dict(item) for name, item in artifact.pools.items()},
    }
    if artifact.api is not None:
        paths = artifact.api.body["paths"]
        found["operations"] = {
            operation["operationId"]: f"{method.upper()} {path}  ({operation['summary']})"
            for path, methods in paths.items()
            for method, operation in methods.items()
        }
        checked = {
            operation["operationId"]: _checked(operation)
            for methods in paths.values()
            for operation in methods.values()
        }
        found |= {"checked": {name: item for name, item in checked.items() if item}} if any(checked.values()) else {}
        components = artifact.api.body.get("components", {})
        found |= {"schemas": components["schemas"]} if "schemas" in components else {}
        found["callers"] = {
            operation["operationId"]: " or ".join(next(iter(one), "everybody") for one in operation["security"])
            or "everybody"
            for methods in paths.values()
            for operation in methods.values()
        }
        found["schemes"] = components.get("securitySchemes", {})
        found["keys"] = dict(artifact.api.key)
        found["products"] = {name: [who, *clients] for name, (who, clients) in artifact.api.products.items()}
    if artifact.named_values:
        found["named_values"] = {
            name: f"the secret of the client `{client}` of {who}"
            for name, (who, client) in artifact.named_values.items()
        }
    if artifact.websockets:
        found["websockets"] = {item.id: f"{item.route} -> {item.url}" for item in artifact.websockets}
    for part, balancer in (("services", artifact.services), ("public", artifact.public)):
        if balancer is not None:
            found[part] = _balancer(balancer)
    if artifact.waf is not None:
        found["waf"] = {"mode": artifact.waf.mode, "rule sets": [item.type for item in artifact.waf.rule_sets]}
    if artifact.monitoring is not None:
        watched = artifact.monitoring
        found["alarms"] = {**{name: item.scope for name, item in watched.metric_alerts.items()}}
        found["alarms"] |= {name: item.query for name, item in watched.query_rules.items()}
        found["told"] = list(watched.notify)
    found["subnets"] = {name: item["role"] for name, item in artifact.subnets.items()}
    found["findings"] = [f"{item.level}: {item.field} {list(item.routes)}: {item.reason}" for item in artifact.findings]
    return yaml.safe_dump(json.loads(json.dumps(found)), sort_keys=False, allow_unicode=True, width=120)


def _checked(operation: dict[str, Any]) -> dict[str, Any]:
    """What the imported document has of an operation's requests, beside its variables."""
    plain = {"type": "string"}
    parameters = {
        f"{item['in']} {item['name']}{' *' if item['required'] else ''}": item["schema"]
        for item in operation.get("parameters", [])
        if item["in"] != "path" or item["schema"] != plain
    }
    body = operation.get("requestBody", {})
    media = {name: item.get("schema", {}).get("$ref", "anything") for name, item in body.get("content", {}).items()}
    return parameters | ({f"body{' *' if body['required'] else ''}": media} if body else {})


def _balancer(item: Balancer) -> dict[str, Any]:
    parts = ("frontends", "pools", "probes", "rules")
    return {"internal": item.internal, **{part: dict(getattr(item, part)) for part in parts}}


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


def test_each_row_stands_once() -> None:
    fields = [row.field for row in ROWS]
    assert sorted(set(fields)) == sorted(fields)


def test_each_row_has_a_cell_for_each_topology() -> None:
    assert [row.field for row in ROWS if len(row.cells) != len(TOPOLOGIES)] == []


def test_what_is_not_native_says_why_and_what_to_write() -> None:
    for row in ROWS:
        for cell in row.cells:
            assert cell.level == "native" or cell.how, row.field
            assert cell.level != "unsupported" or (cell.carried_by and row.uses), row.field


def test_the_document_is_the_table() -> None:
    assert_golden(Path(__file__).parents[3] / "docs" / "azure.md", markdown())
