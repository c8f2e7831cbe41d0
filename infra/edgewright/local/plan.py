"""An artifact made ready for this machine: secrets and certificates filled in, ports checked, accepted by Envoy."""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from edgewright.local import certificates, envoy, ports, xds
from edgewright.local.artifact import Artifact, Node, digest, plain
from edgewright.local.credentials import Credentials
from edgewright.local.process import Scrubber
from edgewright.local.state import LocalError, StateFolder

_ACCEPTED = "validated.json"
"""Digests of configurations that this Envoy has accepted, so that a start need not ask again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An artifact with everything filled in that only this machine knows; nodes by name."""

    artifact: Artifact
    nodes: Mapping[str, Node]
    issued: certificates.Issued
    credentials: Credentials

    @property
    def mark(self) -> str:
        """Digest of all that would be served, secrets included."""
        return digest([self.artifact.digest, *(plain(node) for node in self.nodes.values())])


def make(state: StateFolder, artifact: Artifact, given: Mapping[str, str], scrub: Scrubber) -> Plan:
    """Find or generate the API keys, issue the certificates, and fill both in.

    Raises LocalError for credentials that cannot be used. From here on ``scrub`` knows every key.
    """
    credentials = Credentials.fill(state, artifact.credentials, given)
    scrub.add(credentials.secrets)
    issued = certificates.issue(state, artifact.certificates)

    def fill(text: str) -> str:
        return credentials.fill_in(issued.files.get(text, text))

    nodes = {node.name: render(node, fill) for node in artifact.nodes}
    return Plan(artifact, nodes, issued, credentials)


def render(node: Node, fill: Callable[[str], str]) -> Node:
    """The node with every string filled in.

    Every cluster with endpoints from a file follows that file at once: instances that leave it are let go (Envoy
    otherwise keeps them for as long as their health check passes), and new ones get requests once they are healthy.
    """
    bootstrap: dict[str, Any] = xds.rewrite(node.bootstrap, fill)
    static = bootstrap.get("static_resources", {})
    if "clusters" in static:
        static["clusters"] = [_following(item) for item in static["clusters"]]
    return dataclasses.replace(
        node,
        bootstrap=bootstrap,
        clusters=tuple(_following(item) for item in xds.rewrite(node.clusters, fill)),
        listeners=tuple(xds.rewrite(node.listeners, fill)),
        routes=tuple(xds.rewrite(node.routes, fill)),
    )


def check_ports(artifact: Artifact, held: Collection[tuple[str, int]] = ()) -> None:
    """Raise LocalError, naming every port that is in use, who wants it and who holds it; ``held`` are our own."""
    wanted = [(f"listener {item.name!r}", item.address, item.port) for item in artifact.listeners]
    if artifact.identity and artifact.identity_port:
        wanted.append(("the development OpenID provider", "127.0.0.1", artifact.identity_port))
    problems: list[str] = []
    for who, address, port in wanted:
        reason = "" if (address, port) in held else ports.problem(address, port)
        if reason:
            problems.append(f"{who} cannot open {address}:{port}: {reason}")
    if problems:
        raise LocalError(f"{'; '.join(problems)}. Stop what holds it, or bind the listener to another port")


async def validate(state: StateFolder, nodes: Collection[Node], scrub: Scrubber) -> None:
    """Let Envoy read the same configuration in one file, where it finds far more that is wrong than in xDS files.

    Raises LocalError with Envoy's reason.
    """
    # Gateways differ in their own name only: one stands for all.
    distinct: dict[str, Node] = {}
    for node in nodes:
        text = json.dumps(plain(node)).replace(node.name, node.role)
        distinct.setdefault(digest(text), node)
    version = str(envoy.binary())
    known = state.read_json(_ACCEPTED)
    accepted: set[str] = set(known.get(version, ())) if isinstance(known, dict) else set()  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    todo = [node for mark, node in distinct.items() if mark not in accepted]
    reasons = await asyncio.gather(*(asyncio.to_thread(_refusal, state, node, scrub) for node in todo))
    for node, reason in zip(todo, reasons, strict=True):
        if reason:
            raise LocalError(f"Envoy refuses the configuration of {node.name}: {reason}")
    if todo:
        kept = [*distinct, *accepted.difference(distinct)][:16]
        state.write(_ACCEPTED, json.dumps({version: kept}))


def _refusal(state: StateFolder, node: Node, scrub: Scrubber) -> str:
    static = xds.static_bootstrap(node.bootstrap, node.clusters, node.listeners, node.routes)
    return envoy.validate(static, state, node.name, scrub)


def _following(cluster: Mapping[str, Any]) -> dict[str, Any]:
    if cluster.get("type") != "EDS":
        return dict(cluster)
    # Envoy hands a change of health to its threads up to a second after the host itself, merged with others
    # (common_lb_config.update_merge_window): a new instance would be healthy and get no requests for that second.
    balancing = {"update_merge_window": "0s", **cluster.get("common_lb_config", {})}
    return {**cluster, "ignore_health_on_host_removal": True, "common_lb_config": balancing}
