"""An AWS stack as a Pulumi program: its provider, its topology, and what it exports."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from edgewright.aws.artifact import Artifact
from edgewright.aws.bindings import read_bindings
from edgewright.aws.compile import Topology, compile_edge
from edgewright.aws.placement import Compiled
from edgewright.aws.topologies import topology_class
from edgewright.clouds.references import getter, resolve_references, stood_in
from edgewright.edge.model import OidcAuthorizer
from edgewright.edge.resolve import resolve
from edgewright.spec.document import load
from edgewright.stack import Settings


def place_stack(settings: Settings) -> None:
    """Compile the stack's spec, then declare its provider and its topology; raises SpecError before anything is
    declared.

    A value in the bindings may be ``{stack: organization/project/stack, output: name}``: an output of another stack.
    """
    topology = cast(Topology, settings.topology.partition("/")[2])
    edge = resolve(load(settings.spec))
    bindings = read_bindings(
        resolve_references(settings.bindings), edge, topology, source=f"Pulumi.{settings.stack}.yaml bindings"
    )
    compiled = Compiled(edge, bindings, compile_edge(edge, bindings, topology))
    for finding in compiled.artifact.findings:
        say = pulumi.log.warn if finding.level == "unsupported" else pulumi.log.info
        say(str(finding))
    # No default provider: the region is the one that the stack says, and every resource carries where it is from.
    provider = aws.Provider("aws", region=bindings.region, default_tags={"tags": {"edgewright:stack": settings.stack}})
    args: dict[str, Any] = {"compiled": compiled}
    if settings.credentials is not None:
        args["credentials"] = _secrets(settings.credentials, compiled)
    part = topology_class(topology)(edge.name, args, pulumi.ResourceOptions(provider=provider))
    pulumi.export("url", part.url)
    pulumi.export("dnsName", part.dns_name)
    pulumi.export("targetGroups", part.target_groups)
    if getattr(part, "keys", None):
        pulumi.export("keys", pulumi.Output.secret(part.keys))


def check(settings: Settings) -> Artifact:
    """Compile a stack without the engine; outputs of other stacks are stood in for. Raises SpecError."""
    topology = cast(Topology, settings.topology.partition("/")[2])
    edge = resolve(load(settings.spec))
    source = f"Pulumi.{settings.stack}.yaml bindings"
    bindings = read_bindings(stood_in(settings.bindings), edge, topology, source=source)
    return compile_edge(edge, bindings, topology)


def _secrets(given: Any, compiled: Compiled) -> dict[str, Any]:
    """Credentials by the names that the edge has; the engine's config gives them as one Output of a map."""
    rest = compiled.artifact.rest
    names = [f"{plan.authorizer}:{client}" for plan in (rest.plans if rest else ()) for client in plan.clients]
    names += [f"oidc:{item.name}" for item in compiled.edge.authorizers.values() if isinstance(item, OidcAuthorizer)]
    if isinstance(given, Mapping):
        found = cast("Mapping[str, Any]", given)
        return {name: found[name] for name in names if name in found}
    values = pulumi.Output.from_input(given)
    return {name: values.apply(getter(name)) for name in names}
