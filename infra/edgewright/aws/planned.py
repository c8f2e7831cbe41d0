"""The offline plan of an AWS topology: compiles with placeholders, records the components, and describes the way."""

from collections.abc import Iterator, Mapping
from typing import Any

from edgewright.aws.artifact import Artifact, WebSocket
from edgewright.aws.bindings import Bindings, read_bindings
from edgewright.aws.compile import Topology, compile_edge, log_role
from edgewright.aws.costs import reckon
from edgewright.edge.model import Edge, Finding
from edgewright.plan.model import NOBODY, Hop, Link, Owner, Plan, Resource
from edgewright.plan.quick_imports import quickly
from edgewright.plan.routes import notes, planned_routes
from edgewright.plan.timings import spent_on


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
        topology=f"aws/{topology}",
        hops=tuple(_hops(edge, read, artifact)),
        links=tuple(_links(artifact)),
        routes=planned_routes(edge, _carried(edge, artifact)),
        findings=notes(_findings(artifact)),
        resources=resources,
        costs=reckon(resources, read.region),
        must_bind=(*read.missing, *(("log_role", f"{what}: {how}") for what, how in log_role(artifact, read))),
        decisions=artifact.decisions,
        outputs=outputs,
    )


def _recorded(
    edge: Edge, bindings: Bindings, artifact: Artifact, topology: Topology, overrides: Mapping[str, Any], owner: Owner
) -> tuple[tuple[Resource, ...], Mapping[str, Any]]:
    """The resources and outputs of the topology's component. Pulumi is imported here: bad specs are told before."""
    with quickly("pulumi_aws"):
        with spent_on("importing Pulumi and the SDK's modules"):
            from edgewright.aws.placement import Compiled
            from edgewright.aws.topologies import topology_class
            from edgewright.plan.recorder import record
            from edgewright.plan.sdk_types import validate

            make = topology_class(topology)
        args: Any = {"compiled": Compiled(edge, bindings, artifact), "overrides": overrides}
        with spent_on("recording the components (with modules that only some of them need)"):
            recording = record(lambda: make(edge.name, args), project=owner.project, stack=owner.stack)
        with spent_on("checking inputs against the SDK's types"):
            problems = validate(recording.resources)
    if problems:
        raise PlanError("\n".join(problems))
    return recording.resources, recording.outputs


def _findings(artifact: Artifact) -> tuple[Finding, ...]:
    order = {"unsupported": 0, "warning": 1, "approximated": 2}
    return tuple(sorted(artifact.findings, key=lambda item: order[item.level]))


def _carried(edge: Edge, artifact: Artifact) -> dict[str, list[tuple[str, str]]]:
    """The rules and paths that carry each route."""
    found: dict[str, list[tuple[str, str]]] = {route.key: [] for route in edge.routes}
    for part, balancer in (("edge", artifact.edge_balancer), ("services", artifact.services)):
        for rule in balancer.rules if balancer is not None else ():
            for key in rule.routes:
                found[key].append((f"{artifact.name}-{part}-{rule.name}", f"priority {rule.priority}"))
    return found


# -- the way of a request ----------------------------------------------------------------------------------------------


def _hops(edge: Edge, bindings: Bindings, artifact: Artifact) -> Iterator[Hop]:
    yield Hop("client", "client", tuple(artifact.hosts[:2]))
    if artifact.edge_balancer is not None:
        does = [f"{item['protocol']} {item['port']}" for item in artifact.edge_balancer.listeners.values()]
        lines = [", ".join(does), f"{len(artifact.edge_balancer.rules)} rules"]
        lines += [f"WAF: {len(artifact.waf.rules)} rules"] if artifact.waf is not None else []
        lines += ["checks tokens"] if _checks_tokens(artifact) else []
        yield Hop("edge", "Application Load Balancer", tuple(lines))
    if artifact.rest is not None:
        if artifact.rest.private:
            yield Hop("endpoint", "execute-api endpoint", ("private addresses",))
        does = [f"{len(artifact.rest.body['paths'])} paths"]
        does += [f"{len(artifact.rest.methods)} cached or throttled"] if artifact.rest.methods else []
        does += ["API keys, quotas"] if artifact.rest.plans else []
        does += (
            [f"WAF: {len(artifact.waf.rules)} rules"] if artifact.waf is not None and not artifact.rest.private else []
        )
        yield Hop("api", "private REST API" if artifact.rest.private else "REST API", tuple(does))
    if artifact.http is not None:
        yield Hop("api", "HTTP API", (f"{len(artifact.http.body['paths'])} paths",))
    for item in artifact.websockets:
        yield Hop(f"websocket {item.stage}", "WebSocket API", (f"/{item.stage}", *_connecting(item)))
    if artifact.messages is not None:
        yield Hop("messages", "Network Load Balancer", ("internal, with a VPC link",))
    if artifact.services is not None:
        if artifact.rest is not None or artifact.http is not None:
            yield Hop("link", "VPC link")
        yield Hop("services", "services' balancer", ("internal", f"{len(artifact.services.rules)} rules"))
    if artifact.network_balancer is not None:
        does = [f"{item['protocol']} {item['port']}" for item in artifact.network_balancer.listeners.values()]
        yield Hop("streams", "Network Load Balancer", tuple(does))
    for name, said in edge.backends.items():
        backend = bindings.spoken(said)
        yield Hop(f"backend {name}", name, (f"{backend.protocol} {backend.port}",))


def _connecting(item: WebSocket) -> tuple[str, ...]:
    return ("checks tokens by a Lambda function",) if item.authorizer is not None else ()


def _checks_tokens(artifact: Artifact) -> bool:
    rules = artifact.edge_balancer.rules if artifact.edge_balancer is not None else ()
    return any("jwt" in action or "oidc" in action for rule in rules for action in rule.actions)


def _links(artifact: Artifact) -> Iterator[Link]:
    at = "client"
    if artifact.edge_balancer is not None:
        listeners = artifact.edge_balancer.listeners.values()
        yield Link("client", "edge", "HTTPS" if any(item["protocol"] == "HTTPS" for item in listeners) else "HTTP")
        at = "edge"
    if artifact.rest is not None and artifact.rest.private:
        yield Link("edge", "endpoint", "HTTPS 443")
        yield Link("endpoint", "api", "HTTPS")
        at = "api"
    elif artifact.rest is not None or artifact.http is not None:
        yield Link("client", "api", "HTTPS")
        at = "api"
    if artifact.services is not None:
        protocol = artifact.services.listeners["services"]["protocol"]
        if artifact.rest is not None or artifact.http is not None:
            yield Link(at, "link", "")
            yield Link("link", "services", protocol)
        for item in artifact.websockets:
            yield Link("client", f"websocket {item.stage}", "WebSocket")
            yield Link(f"websocket {item.stage}", "messages", "each message a POST")
        if artifact.messages is not None:
            yield Link("messages", "services", protocol)
        for name in artifact.services.targets.values():
            yield Link("services", f"backend {name}", "")
    if artifact.edge_balancer is not None:
        for name in dict.fromkeys(artifact.edge_balancer.targets.values()):
            yield Link("edge", f"backend {name}", "WebSocket" if artifact.services is not None else "")
    if artifact.network_balancer is not None:
        yield Link("client", "streams", "TCP, TLS, UDP")
        for name in dict.fromkeys(artifact.network_balancer.targets.values()):
            yield Link("streams", f"backend {name}", "")
