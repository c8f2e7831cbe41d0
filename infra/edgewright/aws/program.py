"""An AWS stack as a Pulumi program: its provider, its topology, and what it exports."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from edgewright.aws.bindings import read_bindings
from edgewright.aws.compile import Topology, compile_edge
from edgewright.aws.placement import Compiled
from edgewright.aws.topologies import topology_class
from edgewright.edge.resolve import resolve
from edgewright.spec.document import load
from edgewright.stack import Settings


def place_stack(settings: Settings) -> None:
    """Compile the stack's spec, then declare its provider and its topology; raises SpecError before anything is declared.

    A value in the bindings may be ``{stack: organization/project/stack, output: name}``: an output of another stack.
    """
    topology = cast(Topology, settings.topology.partition("/")[2])
    edge = resolve(load(settings.spec))
    bindings = read_bindings(
        resolve_references(settings.bindings), edge, topology, source=f"Pulumi.{settings.stack}.yaml bindings"
    )
    compiled = Compiled(edge, bindings, compile_edge(edge, bindings, topology))
    for finding in compiled.artifact.findings:
        pulumi.log.warn(str(finding)) if finding.level == "unsupported" else pulumi.log.info(str(finding))
    # No default provider: the region is the one that the stack says, and every resource carries where it is from.
    provider = aws.Provider("aws", region=bindings.region, default_tags={"tags": {"edgewright:stack": settings.stack}})
    args: dict[str, Any] = {"compiled": compiled}
    if settings.credentials is not None:
        args["credentials"] = _Secrets(settings.credentials, compiled)
    part = topology_class(topology)(edge.name, args, pulumi.ResourceOptions(provider=provider))
    pulumi.export("url", part.url)
    pulumi.export("dnsName", part.dns_name)
    pulumi.export("targetGroups", part.target_groups)
    if getattr(part, "keys", None):
        pulumi.export("keys", pulumi.Output.secret(part.keys))


def resolve_references(value: Any) -> Any:
    """Bindings with outputs of other stacks in place of ``{stack, output}``."""
    if isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        if set(found) == {"stack", "output"}:
            return _reference(str(found["stack"])).require_output(str(found["output"]))
        return {key: resolve_references(item) for key, item in found.items()}
    if isinstance(value, list):
        return [resolve_references(item) for item in cast("list[Any]", value)]
    return value


def _reference(stack: str) -> pulumi.StackReference:
    """One reference for each stack, however often it is named."""
    known = _references.setdefault(pulumi.get_stack(), {})
    if stack not in known:
        known[stack] = pulumi.StackReference(stack)
    return known[stack]


_references: dict[str, dict[str, pulumi.StackReference]] = {}


class _Secrets(dict[str, Any]):
    """Credentials of the stack's config, an Output of a map, as a map of Outputs: by the names that the spec has."""

    def __init__(self, secret: Any, compiled: Compiled) -> None:
        names = [
            f"{plan.authorizer}:{client}"
            for plan in (compiled.artifact.rest.plans if compiled.artifact.rest else ())
            for client in plan.clients
        ]
        names += [f"oidc:{name}" for name in compiled.edge.authorizers]
        given = secret if isinstance(secret, Mapping) else None
        super().__init__(
            {name: cast("Mapping[str, Any]", given)[name] for name in names if given is not None and name in given}
            if given is not None
            else {
                name: pulumi.Output.from_input(secret).apply(lambda found, name=name: found.get(name)) for name in names
            }
        )
