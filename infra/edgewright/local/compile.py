"""From a resolved edge to what runs on this machine: Envoy configuration as data, and findings."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from edgewright.edge.model import Edge, Finding, Origin, Route
from edgewright.local import compile_auth, compile_limits
from edgewright.local.artifact import Artifact, BackendProcess, RouteSummary, digest
from edgewright.local.bindings import Bindings, read_bindings
from edgewright.local.capabilities import findings as capability_findings
from edgewright.local.compile_backends import cluster_name, fixed_addresses
from edgewright.local.compile_balancer import balancer_node, certificates, exposed
from edgewright.local.compile_gateway import gateway_node
from edgewright.spec.problems import Problem, SpecError


@dataclass(frozen=True, slots=True)
class Compiled:
    """An artifact, and findings: what is approximated here, and what is doubtful."""

    artifact: Artifact
    findings: tuple[Finding, ...]


def compile_edge(edge: Edge, bindings: Bindings | Mapping[str, Any] | None = None) -> Compiled:
    """Compile an edge for this machine. Pure: equal arguments give equal results, whatever the order of keys.

    Raises SpecError with everything that the bindings get wrong, and every field that the local target cannot carry.
    """
    if not isinstance(bindings, Bindings):
        bindings = read_bindings(bindings or {}, edge)
    found = capability_findings(edge, bindings)
    refused = [item for item in found if item.level == "unsupported"]
    if refused:
        raise SpecError(_problem(item) for item in refused)
    return Compiled(_artifact(edge, bindings), found)


def _problem(item: Finding) -> Problem:
    return Problem(
        item.place, f"the local target cannot carry this: {item.reason}", item.carried_by, code="unsupported"
    )


def _artifact(edge: Edge, bindings: Bindings) -> Artifact:
    gateways = range(1, bindings.gateways + 1) if any(item.web for item in edge.listeners) else ()
    return Artifact(
        name=edge.name,
        listeners=exposed(edge, bindings),
        nodes=(balancer_node(edge, bindings), *(gateway_node(edge, bindings, number) for number in gateways)),
        endpoints=_endpoints(edge, bindings),
        processes=_processes(edge, bindings),
        credentials=compile_auth.credential_refs(edge),
        certificates=certificates(edge),
        identity=compile_auth.identity_issuers(edge, bindings),
        identity_port=bindings.identity_port,
        limits=compile_limits.needs_service(edge, bindings.gateways),
        routes=tuple(RouteSummary(route.key, _digest(route, edge)) for route in edge.routes),
    )


def _endpoints(edge: Edge, bindings: Bindings) -> dict[str, tuple[str, ...]]:
    return {
        cluster_name(name): addresses
        for name, backend in edge.backends.items()
        if (addresses := fixed_addresses(backend, bindings.backends.get(name)))
    }


def _processes(edge: Edge, bindings: Bindings) -> tuple[BackendProcess, ...]:
    return tuple(
        BackendProcess(f"{name}-{number}", cluster_name(name), binding.command, dict(binding.env))
        for name in edge.backends
        if (binding := bindings.backends.get(name)) and binding.command
        for number in range(1, binding.instances + 1)
    )


def _digest(route: Route, edge: Edge) -> str:
    """A digest of what a route means, its authorizers included; where that was written does not count."""
    names = route.auth.authorizers if route.auth else ()
    return digest([_meaning(route), [_meaning(edge.authorizers[name]) for name in names]])


def _meaning(value: Any) -> Any:
    if isinstance(value, Origin):
        return None
    if dataclasses.is_dataclass(value):
        fields = {item.name: _meaning(getattr(value, item.name)) for item in dataclasses.fields(value)}
        return {"": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [_meaning(item) for item in cast("tuple[object, ...]", value)]
    return value
