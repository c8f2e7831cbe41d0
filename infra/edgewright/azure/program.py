"""An Azure stack as a Pulumi program: its provider, its topology, and what it exports."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_azure_native as azure_native

from edgewright.azure.artifact import Artifact
from edgewright.azure.bindings import read_bindings
from edgewright.azure.compile import compile_edge
from edgewright.azure.placement import Compiled
from edgewright.azure.topologies import topology_class
from edgewright.azure.topology import Topology
from edgewright.clouds.references import getter, resolve_references, stood_in
from edgewright.edge.resolve import resolve
from edgewright.spec.document import load
from edgewright.stack import Settings


def place_stack(settings: Settings) -> None:
    """Compile the stack's spec, then declare its provider and its topology; raises SpecError before anything is
    declared.

    A value in the bindings may be ``{stack: organization/project/stack, output: name}``: an output of another stack.
    """
    topology = _topology(settings)
    edge = resolve(load(settings.spec))
    bindings = read_bindings(
        resolve_references(settings.bindings), edge, topology, source=f"Pulumi.{settings.stack}.yaml bindings"
    )
    compiled = Compiled(edge, bindings, compile_edge(edge, bindings, topology))
    for finding in compiled.artifact.findings:
        say = pulumi.log.warn if finding.level == "unsupported" else pulumi.log.info
        say(str(finding))
    # No default provider: the subscription is the one that the stack says.
    provider = azure_native.Provider("azure", subscription_id=bindings.data.subscription_id)
    args: dict[str, Any] = {"compiled": compiled}
    if settings.credentials is not None:
        args["credentials"] = _secrets(settings.credentials, compiled)
    part = topology_class(topology)(edge.name, args, pulumi.ResourceOptions(provider=provider))
    pulumi.export("url", part.url)
    pulumi.export("dnsName", part.dns_name)
    pulumi.export("pools", part.pools)


def check(settings: Settings) -> Artifact:
    """Compile a stack without the engine; outputs of other stacks are stood in for. Raises SpecError."""
    edge, topology = resolve(load(settings.spec)), _topology(settings)
    source = f"Pulumi.{settings.stack}.yaml bindings"
    return compile_edge(edge, read_bindings(stood_in(settings.bindings), edge, topology, source=source), topology)


def _topology(settings: Settings) -> Topology:
    return cast(Topology, settings.topology.partition("/")[2])


def _secrets(given: Any, compiled: Compiled) -> dict[str, Any]:
    """API keys by the names that the edge has; the engine's config gives them as one Output of a map."""
    api = compiled.artifact.api
    products = api.products.values() if api is not None else ()
    names = [f"{authorizer}:{client}" for authorizer, clients in products for client in clients]
    if isinstance(given, Mapping):
        found = cast("Mapping[str, Any]", given)
        return {name: found[name] for name in names if name in found}
    values = pulumi.Output.from_input(given)
    return {name: values.apply(getter(name)) for name in names}
