"""Bindings of an Azure stack: read, checked against the edge and the topology, and stood in for in offline plans."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from edgewright.azure.binding_model import BindingsModel
from edgewright.azure.check_bindings import STAND_INS, needed, problems_of, stand_in_target, unbound_targets
from edgewright.azure.network_regions import default_zones
from edgewright.azure.topology import Topology
from edgewright.edge.model import Edge, Forward
from edgewright.spec.binding_problems import problem, problems_in
from edgewright.spec.problems import SpecError

SAMPLES = "services"
"""What the namespace of sample services has behind the edge's name, and where backends without a binding are looked
for in a cluster."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """Bindings that were read. missing: what stands in by a placeholder, with what it is."""

    data: BindingsModel
    missing: tuple[tuple[str, str], ...] = ()
    placeholders: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def production(self) -> bool:
        """Whether what is painful to replace is protected."""
        return self.data.profile == "production"

    @property
    def on_kubernetes(self) -> bool:
        """Whether self-hosted gateways run in a cluster."""
        return self.data.gateways is not None and self.data.gateways.kubernetes is not None

    @property
    def zones(self) -> list[str]:
        """The zones that are used: those that the stack says, else all that the region has."""
        return list(self.data.zones) if self.data.zones is not None else default_zones(self.data.location)

    def value(self, name: str) -> Any:
        """A bound value, or its placeholder."""
        return getattr(self.data, name, None) or self.placeholders.get(name)

    def url_of(self, backend: str) -> str | None:
        """Where a backend is, if the stack says a URL."""
        found = self.data.backends.get(backend)
        return found.url if found else None

    def service_of(self, backend: str, edge: str) -> str | None:
        """The host name of a backend's Service in the cluster; None where gateways are elsewhere, or it is."""
        found = self.data.backends.get(backend)
        if not self.on_kubernetes or (found is not None and (found.pool or found.url is not None)):
            return None
        name, _, namespace = (found.service if found and found.service else backend).partition(".")
        return f"{name}.{namespace or f'{edge}-{SAMPLES}'}.svc.cluster.local"


def pooled(edge: Edge, bindings: Bindings) -> tuple[str, ...]:
    """The backends of routes that stand behind the services' balancer: those without a URL or a Service."""
    used = {name for route in edge.routes if isinstance(route.action, Forward) for name, _ in route.action.targets}
    return tuple(
        name
        for name in edge.backends
        if name in used and bindings.url_of(name) is None and bindings.service_of(name, edge.name) is None
    )


def read_bindings(
    data: Mapping[str, Any], edge: Edge, topology: Topology, *, source: str = "bindings", placeholders: bool = False
) -> Bindings:
    """The bindings as data, checked against the edge and the topology that they are for.

    placeholders: fill in what must be bound and is not (the offline plan does), and list it in ``missing``.
    Raises SpecError with everything that is wrong; ``source`` is the name that problems are reported under.
    """
    try:
        found = BindingsModel.model_validate(data)
    except ValidationError as error:
        raise SpecError(problems_in(error, BindingsModel, source)) from None
    behind = pooled(edge, Bindings(found))
    problems = [problem(source, *item) for item in problems_of(found, edge, topology, behind)]
    missing = [name for name in needed(edge, topology, behind) if getattr(found, name) is None]
    targets = list(unbound_targets(found, edge))
    if not placeholders:
        problems += [
            problem(source, (name,), f"the stack must bind {STAND_INS[name].what}", STAND_INS[name].remedy)
            for name in missing
        ]
        remedy = "write an email address, an https webhook, or the id of an action group"
        problems += [
            problem(source, ("notify", name), f"the stack must bind who `{name}` is", remedy) for name in targets
        ]
    if problems:
        raise SpecError(problems)
    models: dict[str, Any] = {n: STAND_INS[n].model for n in missing if STAND_INS[n].model is not None}
    if targets:
        models["notify"] = {**found.notify, **{name: stand_in_target(name) for name in targets}}
    if models:
        found = BindingsModel.model_validate({**data, **models})
    stand_ins = {name: f"${{bind.{name}}}" for name in missing if name not in models}
    told = tuple((name, f"{STAND_INS[name].what}: ${{bind.{name}}}") for name in missing)
    told += tuple((f"notify.{name}", f"who `{name}` is: {stand_in_target(name)}") for name in targets)
    return Bindings(found, told, stand_ins)
