"""Places what was compiled for Azure: what all topologies share. Nothing is decided here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypedDict, cast

import pulumi

from edgewright.azure.artifact import Artifact
from edgewright.azure.bindings import Bindings, read_bindings
from edgewright.azure.compile import compile_edge
from edgewright.azure.topology import Topology
from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, load
from edgewright.spec.problems import Place, Problem, SpecError


class EdgeArgs(TypedDict, total=False):
    """Arguments of an Azure topology."""

    spec: Any
    """The spec: a path to an ``*.edge.yaml``, or its content as data."""

    bindings: Mapping[str, Any]
    """What the stack binds, as `edgewright.azure.bindings.BindingsModel`; values may be Outputs."""

    credentials: Mapping[str, pulumi.Input[str]]
    """Secrets: API keys as ``AUTHORIZER:CLIENT`` (Azure makes those that are not given), the secrets of clients of
    introspection alike, and ``cache:connection``."""

    compiled: Any
    """A `Compiled`, in place of spec and bindings: what the offline plan has compiled already."""

    overrides: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Raw inputs by part and attribute, such as ``{"service": {"service": {"notification_sender_email": "..."}}}``."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A resolved edge with its bindings, compiled for a topology."""

    edge: Edge
    bindings: Bindings
    artifact: Artifact


PRECIOUS = frozenset(
    {
        "azure-native:apimanagement:ApiManagementService",
        "azure-native:apimanagement:Subscription",
        "azure-native:network:LoadBalancer",
        "azure-native:network:PublicIPAddress",
        "azure-native:network:VirtualNetwork",
    }
)
"""Types that a production stack protects: slow or painful to replace, or known to others by address or key."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a topology stands: what all parts are given. parent: the topology's component."""

    name: str
    parent: pulumi.ComponentResource
    compiled: Compiled
    credentials: Mapping[str, Any]
    overrides: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @property
    def artifact(self) -> Artifact:
        """What was compiled."""
        return self.compiled.artifact

    @property
    def bindings(self) -> Bindings:
        """What is bound."""
        return self.compiled.bindings

    def bound(self, name: str) -> Any:
        """A bound value; a placeholder of an offline plan as an Output: parts take it for what is not known yet."""
        value = self.bindings.value(name)
        return pulumi.Output.from_input(value) if isinstance(value, str) and value.startswith("${") else value

    def arguments(self, part: str, *, tagged: bool = True, **given: Any) -> Any:
        """The arguments of a part: those given, and what every part takes."""
        found: dict[str, Any] = {"resource_group_name": self.bound("resource_group"), **given}
        if tagged:
            found["tags"] = {"edgewright:edge": self.artifact.name, **self.bindings.data.tags}
        if part in self.overrides:
            found["overrides"] = self.overrides[part]
        return found

    def options(self) -> pulumi.ResourceOptions:
        """Options of a part. In production what is painful to replace in it is protected (`PRECIOUS`)."""
        protecting = [_protect] if self.bindings.production else None
        return pulumi.ResourceOptions(parent=self.parent, transformations=protecting)


def _protect(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if args.type_ not in PRECIOUS or args.opts.protect is not None:
        return None
    return pulumi.ResourceTransformationResult(
        args.props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    )


def compiled_of(args: EdgeArgs, topology: Topology) -> Compiled:
    """Load, resolve and compile; raises SpecError with everything that is wrong, before anything is registered."""
    given = args.get("compiled")
    if given is not None:
        return cast("Compiled", given)
    spec = args.get("spec")
    document = from_data(cast("Mapping[str, object]", spec)) if isinstance(spec, Mapping) else load(cast("str", spec))
    edge = resolve(document)
    bindings = read_bindings(args.get("bindings", {}), edge, topology)
    found = Compiled(edge, bindings, compile_edge(edge, bindings, topology))
    missing_credentials(found, args.get("credentials", {}))
    return found


CONNECTION = "cache:connection"
"""The credential with the connection string of an existing Redis."""

_OR_BOUND = ", or bind under `credentials` where Key Vault keeps it"


def credential_names(compiled: Compiled) -> tuple[list[str], list[str]]:
    """The names of secrets that a stack must give, and of those that Azure makes where it gives none."""
    data = compiled.bindings.data
    bound = data.cache
    clients = [f"{authorizer}:{client}" for authorizer, client in compiled.artifact.named_values.values()]
    needed = [name for name in clients if name not in data.credentials]
    needed += [CONNECTION] if compiled.artifact.redis and bound is not None and bound.existing else []
    api = compiled.artifact.api
    products = api.products.values() if api is not None else ()
    return needed, [f"{authorizer}:{client}" for authorizer, clients in products for client in clients]


def missing_credentials(compiled: Compiled, given: Mapping[str, Any]) -> None:
    """Raise SpecError for secrets that nobody but the stack knows, and that it does not give."""
    missing = [name for name in credential_names(compiled)[0] if name not in given]
    if missing:
        raise SpecError(
            Problem(
                Place("credentials", path=(name,)),
                f"the secret `{name}` is needed",
                f"write `edgewright:credentials: {{{name}: ...}}` as a secret{'' if name == CONNECTION else _OR_BOUND}",
                code="binding",
            )
            for name in missing
        )


def host_key(host: str, limit: int = 80) -> str:
    """A host name as an id of letters, digits and hyphens, with a digest where another host could have the same:
    `a-b.c` and `a.b-c`, a wildcard, one that is cut."""
    plain = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")
    plain = plain if plain[:1].isalpha() else f"host-{plain}"
    if plain.replace("-", ".") == host and len(plain) <= limit:
        return plain
    digest = sha256(host.encode()).hexdigest()[:6]
    return f"{plain[: limit - 7].strip('-')}-{digest}"


RAW: Mapping[str, tuple[str, ...]] = {"address": ("address", "diagnostics"), "record": ("record",)}
"""Parts that are raw resources, and no component, with their attributes."""


def site(name: str, parent: pulumi.ComponentResource, compiled: Compiled, args: EdgeArgs, parts: Sequence[str]) -> Site:
    """The site of a topology. parts: names that overrides may have."""
    overrides: Mapping[str, Any] = args.get("overrides", {})
    unknown = sorted(set(overrides) - set(parts))
    if unknown:
        raise ValueError(f"{name}: there is no part `{unknown[0]}` to override; there are {', '.join(parts)}")
    for part, attributes in RAW.items():
        wrong = sorted(set(overrides.get(part, {})) - {*attributes})
        if wrong:
            raise ValueError(f"{name}: overrides of `{part}` has no `{wrong[0]}`; it has {', '.join(attributes)}")
    return Site(name, parent, compiled, args.get("credentials", {}), overrides)
