"""Our own edges on Azure, on every topology, against the rules over balancers, networks and vaults: no exemption."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from azure_stacks import REPOSITORY, STACKS, everything, planned
from edgewright.azure.planned import plan
from edgewright.azure.topology import TOPOLOGIES, Topology
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan
from edgewright.policies.azure import key_vault, load_balancer, network
from edgewright.policies.graph import from_plan
from edgewright.policies.rule import Verdict, check_resources
from edgewright.spec.document import parse
from mocks.azure.topologies import KUBERNETES, SPECS, bindings

EXAMPLES = REPOSITORY / "examples"
RULES = [rule for module in (load_balancer, network, key_vault) for rule in module.RULES if not rule.optional]


OURS: Mapping[str, tuple[Path, Sequence[str]]] = {
    "example gateway": (EXAMPLES / "gateway" / "gateway.edge.yaml", []),
    "example edge": (
        EXAMPLES / "edge" / "edge.edge.yaml",
        ["  port: 8443\n", '  tls: {min_version: "1.3"}\n', "  WS /live:         orders\n"],
    ),
    **{name: (REPOSITORY / "stacks" / f"{name}.edge.yaml", []) for name in ("catalogue", "hello", "shop", "web")},
    **{name: (SPECS / f"{name}.edge.yaml", []) for name in ("slice", "watched", "streams")},
}
"""Specs, and what of an example no topology of Azure carries: another port than 443, TLS 1.3 alone, a WebSocket whose
headers are changed. (The example of a balancer is plain HTTP without a host: none of it is left.)"""

FIREWALLS = ("appgw-waf", "front-door")
CARRIED = [
    (name, topology)
    for name in OURS
    for topology in TOPOLOGIES
    if name != "streams" and (name != "web" or topology in FIREWALLS)
]
"""The spec `web` asks for a firewall."""

STREAMS = {
    "nsg-no-any-inbound": {"ports": [80, 443, 8081, 1884, 8884]},
    "nsg-no-internet-udp": {"ports": [5001]},
}
"""What a team says of the spec `streams`: the ports, behind the balancer, that clients reach directly."""


@cache
def made(spec: str, topology: Topology, *, kubernetes: bool = False) -> Plan:
    file, without = OURS[spec]
    text = file.read_text(encoding="utf-8")
    for part in without:
        assert part in text, f"{file.name} has no {part!r} any more"
        text = text.replace(part, "")
    more = {"gateways": KUBERNETES} if kubernetes else {}
    return plan(resolve(parse(text.encode())), bindings(topology, **more), topology)


def verdicts(found: Plan, settings: Mapping[str, Mapping[str, Any]] | None = None) -> list[Verdict]:
    return check_resources(from_plan(found.resources), RULES, settings)


@pytest.mark.parametrize("stack", STACKS)
def test_our_stacks_pass_and_nothing_of_them_is_untold(stack: str) -> None:
    assert verdicts(planned(stack)) == []


@pytest.mark.parametrize(("spec", "topology"), CARRIED)
def test_our_specs_pass_on_every_topology(spec: str, topology: Topology) -> None:
    assert verdicts(made(spec, topology)) == []


def test_gateways_in_a_cluster_pass() -> None:
    assert verdicts(made("slice", "balancer-first", kubernetes=True)) == []


def test_a_spec_that_uses_everything_passes() -> None:
    assert verdicts(everything()) == []


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_streams_pass_where_their_ports_are_said(topology: Topology) -> None:
    assert verdicts(made("streams", topology), STREAMS) == []


def test_streams_are_seen_where_their_ports_are_not_said() -> None:
    found = verdicts(made("streams", "gateway-first"))
    assert {verdict.rule for verdict in found} == {"nsg-no-any-inbound", "nsg-no-internet-udp"}
