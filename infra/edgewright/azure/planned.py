"""The offline plan of an Azure topology: compiles with placeholders, records the components, and describes the way."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edgewright.azure.artifact import Artifact
from edgewright.azure.bindings import Bindings, read_bindings
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_balancers import streams_of
from edgewright.azure.costs import reckon
from edgewright.azure.topology import Topology
from edgewright.edge.model import Edge, Finding
from edgewright.plan.model import NOBODY, Hop, Link, Owner, Plan, Resource
from edgewright.plan.quick_imports import quickly
from edgewright.plan.routes import notes, planned_routes
from edgewright.plan.timings import spent_on
from edgewright.plan.tokens import SECRET

if TYPE_CHECKING:
    from edgewright.plan.recorder import Call


class PlanError(Exception):
    """Planned resources that the installed SDK would not take; names each. A defect, or an override's."""


def plan(
    edge: Edge,
    bindings: Mapping[str, Any],
    topology: Topology,
    *,
    overrides: Mapping[str, Any] | None = None,
    owner: Owner = NOBODY,
) -> Plan:
    """What a stack with this edge would be. Needs no account; what is not bound is stood in for, and listed.

    owner: the stack, whose name is in urns and in some physical names.
    Raises SpecError for what is wrong with the spec or the bindings, PlanError for inputs that the SDK does not know.
    """
    with spent_on("compiling"):
        read = read_bindings(bindings, edge, topology, placeholders=True)
        artifact = compile_edge(edge, read, topology)
    resources, outputs = _recorded(edge, read, artifact, topology, overrides or {}, owner)
    return Plan(
        name=edge.name,
        topology=f"azure/{topology}",
        hops=tuple(_hops(edge, artifact)),
        links=tuple(_links(edge, artifact)),
        routes=planned_routes(edge, _carried(artifact)),
        findings=notes(_findings(artifact)),
        resources=resources,
        costs=reckon(resources, str(read.value("location"))),
        must_bind=read.missing,
        decisions=artifact.decisions,
        outputs=outputs,
    )


_CALLS: "Mapping[str, Call]" = {
    "azure-native:apimanagement:listSubscriptionSecrets": lambda arguments: {"primaryKey": SECRET} if arguments else {},
    "azure-native:redisenterprise:listDatabaseKeys": lambda arguments: {"primaryKey": SECRET} if arguments else {},
    "azure-native:containerservice:listManagedClusterUserCredentials": lambda arguments: (
        {"kubeconfigs": [{"name": "clusterUser", "value": b64encode(SECRET.encode()).decode()}]} if arguments else {}
    ),
}
"""Functions of Azure that topologies call, and what they would answer."""


def _recorded(
    edge: Edge, bindings: Bindings, artifact: Artifact, topology: Topology, overrides: Mapping[str, Any], owner: Owner
) -> tuple[tuple[Resource, ...], Mapping[str, Any]]:
    """The resources and outputs of the topology's component. Pulumi is imported here: bad specs are told before."""
    with quickly("pulumi_azure_native", "pulumi_kubernetes"):
        with spent_on("importing Pulumi and the SDK's modules"):
            from edgewright.azure.placement import Compiled, credential_names
            from edgewright.azure.topologies import topology_class
            from edgewright.plan.recorder import record
            from edgewright.plan.sdk_types import validate

            make = topology_class(topology)
        compiled = Compiled(edge, bindings, artifact)
        secrets = dict.fromkeys(credential_names(compiled)[0], SECRET)
        args: Any = {"compiled": compiled, "credentials": secrets, "overrides": overrides}
        with spent_on("recording the components (with modules that only some of them need)"):
            recording = record(lambda: make(edge.name, args), project=owner.project, stack=owner.stack, calls=_CALLS)
        with spent_on("checking inputs against the SDK's types"):
            problems = validate(recording.resources)
    if problems:
        raise PlanError("\n".join(problems))
    return recording.resources, recording.outputs


def _findings(artifact: Artifact) -> tuple[Finding, ...]:
    order = {"unsupported": 0, "warning": 1, "approximated": 2}
    return tuple(sorted(artifact.findings, key=lambda item: order[item.level]))


def _carried(artifact: Artifact) -> dict[str, list[tuple[str, str]]]:
    """The operations that carry each route."""
    found: Mapping[str, Sequence[str]] = artifact.api.carried if artifact.api is not None else {}
    carried = {key: [(f"{artifact.name}-api", _operations(names))] for key, names in found.items()}
    return carried | {item.route: [(item.id, "a WebSocket API of its own")] for item in artifact.websockets}


def _operations(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"operation {names[0]}"
    return f"operations {', '.join(names[:2])}" + (f" and {len(names) - 2} more" if len(names) > 2 else "")


_FRONTS = {
    "gateway-first": None,
    "balancer-first": ("Load Balancer", "public", "TCP"),
    "appgw-waf": ("Application Gateway", "WAF", "HTTPS"),
    "front-door": ("Front Door", "WAF", "HTTPS"),
}
"""What stands before the gateways: its kind, what it does, and what it is asked by."""

_GATEWAYS = {
    "managed": "API Management",
    "machines": "self-hosted gateways",
    "kubernetes": "self-hosted gateways",
}

_INTO = {
    "balancer-first": "TLS, untouched",
    "appgw-waf": "HTTPS, in the network",
    "front-door": "private endpoint",
}


def _hops(edge: Edge, artifact: Artifact) -> Iterator[Hop]:
    yield Hop("client", "client", tuple(artifact.hosts[:2]))
    front = _FRONTS[artifact.topology]
    if front is not None and (artifact.api is not None or artifact.websockets):
        yield Hop("front", front[0], (front[1],))
    if artifact.api is not None:
        does = [artifact.tier] if artifact.gateways == "managed" else [_where(artifact)]
        does += [f"{artifact.api.operations} operations"]
        does += [f"{len(artifact.api.products)} products of keys"] if artifact.api.products else []
        yield Hop("api", _GATEWAYS[artifact.gateways], tuple(does))
    for item in artifact.websockets:
        yield Hop(f"websocket {item.id}", "WebSocket API", (f"/{item.path}",))
    if artifact.services is not None:
        yield Hop("services", "Load Balancer", ("internal", f"{len(artifact.services.rules)} rules"))
    for name in artifact.backends:
        backend = edge.backends[name]
        yield Hop(f"backend {name}", name, (f"{backend.protocol} {backend.port}",))
    streams = streams_of(edge)
    if streams:
        yield Hop("streams", "Load Balancer", ("public", *(f"{item.protocol} {item.port}" for item in streams)))
    for name in sorted({item.backend for item in streams if item.backend is not None} - set(artifact.backends)):
        backend = edge.backends[name]
        yield Hop(f"backend {name}", name, (f"{backend.protocol} {backend.port}",))


def _where(artifact: Artifact) -> str:
    return "on a scale set" if artifact.gateways == "machines" else "on Kubernetes"


def _links(edge: Edge, artifact: Artifact) -> Iterator[Link]:
    behind = tuple(artifact.services.rules) if artifact.services is not None else ()
    front = _FRONTS[artifact.topology]
    before, by = "client", "HTTPS"
    if front is not None and (artifact.api is not None or artifact.websockets):
        yield Link("client", "front", front[2])
        before, by = "front", _INTO[artifact.topology]
    if artifact.api is not None:
        yield Link(before, "api", by)
        if any(name in behind for name in artifact.backends):
            yield Link("api", "services", "in the network")
        for name, item in artifact.backends.items():
            scheme = item.url.partition(":")[0].upper()
            yield Link("services" if name in behind else "api", f"backend {name}", scheme)
    for item in artifact.websockets:
        yield Link(before, f"websocket {item.id}", "WebSocket")
        if item.backend in behind:
            yield Link(f"websocket {item.id}", "services", "in the network")
        else:
            yield Link(f"websocket {item.id}", f"backend {item.backend}", "WebSocket")
    streams = streams_of(edge)
    if streams:
        yield Link("client", "streams", "connections and datagrams")
        for name in sorted({item.backend for item in streams if item.backend is not None}):
            yield Link("streams", f"backend {name}", edge.backends[name].protocol.upper())
