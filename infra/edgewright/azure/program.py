"""An Azure stack as a Pulumi program: its provider, its topology, and what it exports."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_azure_native as azure_native

from edgewright.azure.artifact import Artifact
from edgewright.azure.bindings import read_bindings
from edgewright.azure.compile import compile_edge
from edgewright.azure.placement import Compiled, credential_names, missing_credentials
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
    args: dict[str, Any] = {"compiled": compiled, "credentials": _secrets(settings.credentials, compiled)}
    # No default provider: the subscription is the one that the stack says.
    provider = azure_native.Provider("azure", subscription_id=bindings.data.subscription_id)
    part = topology_class(topology)(edge.name, args, pulumi.ResourceOptions(provider=provider))
    for name, value in _outputs(part).items():
        pulumi.export(name, value)


def _outputs(part: Any) -> dict[str, Any]:
    """What users of a stack need: where it is reached, its keys, and the names by which tools of Azure ask for it."""
    found: dict[str, Any] = {"pools": part.pools, "keys": pulumi.Output.secret(part.keys)}
    if part.service is not None:
        found |= {"url": part.url, "dnsName": part.dns_name, "serviceName": part.service.name}
    address = getattr(part, "address", None)
    if address is not None:
        found["address"] = address
    if hasattr(part, "next_step"):
        found |= {"nextStep": part.next_step, "dnsRecords": part.dns_records}
    running = getattr(part, "kubernetes", None)
    if running is not None:
        found["clusterName"] = running.cluster.name
        found["gatewayNamespace"] = running.gateway.namespace_name
        found["gatewayName"] = running.gateway.name
        if running.samples is not None:
            found["samplesNamespace"] = running.samples.namespace_name
    return found


def check(settings: Settings) -> Artifact:
    """Compile a stack without the engine; outputs of other stacks are stood in for. Raises SpecError."""
    edge, topology = resolve(load(settings.spec)), _topology(settings)
    source = f"Pulumi.{settings.stack}.yaml bindings"
    return compile_edge(edge, read_bindings(stood_in(settings.bindings), edge, topology, source=source), topology)


def _topology(settings: Settings) -> Topology:
    return cast(Topology, settings.topology.partition("/")[2])


def _secrets(given: Any, compiled: Compiled) -> dict[str, Any]:
    """Secrets by the names that the edge has; the engine's config gives them as one Output of a map."""
    names = [name for kind in credential_names(compiled) for name in kind]
    if given is None or isinstance(given, Mapping):
        found = cast("Mapping[str, Any]", given or {})
        missing_credentials(compiled, found)
        return {name: found[name] for name in names if name in found}
    values = pulumi.Output.from_input(given)
    return {name: values.apply(getter(name)) for name in names}
