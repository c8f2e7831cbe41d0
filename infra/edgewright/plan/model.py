"""A plan as data: what a stack would make, what a request goes through, what each route gets. No Pulumi import."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose resources are planned: the names of a project and of one of its stacks."""

    project: str
    stack: str


NOBODY = Owner("edgewright", "plan")
"""For a plan of a spec alone."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource that would be registered.

    inputs: by wire name (camelCase). A value of another resource stands in them as the text ``${NAME.property}``, where
    NAME is the short name (`short`) of that resource, alone or inside a longer text; a secret is ``[secret]``.
    dependencies: urns, sorted; custom: False for components; protect: as it holds, from parents too.
    """

    urn: str
    type: str
    name: str
    parent: str | None
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    custom: bool
    protect: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """Type and name for people: ``lb.Listener shop-https`` of ``aws:lb/listener:Listener``."""
        package, _, last = self.type.rpartition(":")
        module = package.partition(":")[2].partition("/")[0]
        return f"{module}.{last} {self.name}" if module else f"{last} {self.name}"


@dataclass(frozen=True, slots=True)
class Setting:
    """An effective value of a route, as people read it, and where it was written (`Origin.text`)."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class PlannedRoute:
    """One route: its key, whether anybody may call it, and what holds for it.

    settings: by name, in the order to show: auth, backend, throttle, quota, cache, timeout, ...; carried_by: the
    resources that carry it, as (resource name, what there) such as ``("shop-rule-orders", "priority 1200")``; checks:
    what a caller has to show, one of these: ``JWT``, ``API key``, ...; empty for a public route; takes: whose, such as
    ``JWTs of https://login.shop.example/ for api://shop``; any of them will do.
    """

    key: str
    public: bool
    settings: Mapping[str, Setting]
    carried_by: tuple[tuple[str, str], ...] = ()
    checks: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hop:
    """A stop of a request: title such as ``Application Load Balancer``; what it does, a line each."""

    name: str
    title: str
    does: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """What goes from one hop to another: names of hops, and words such as ``HTTPS 443, Host kept``."""

    source: str
    target: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A finding. level as in `edgewright.edge.model.Finding`; place: ``file:line`` or empty."""

    level: Literal["approximated", "unsupported", "warning"]
    field: str
    routes: tuple[str, ...]
    reason: str
    remedy: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """Something billed by the hour. monthly: USD for 730 hours; basis: how it was reckoned; source: with its date."""

    what: str
    count: float
    monthly: float
    basis: str
    source: str


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What a rule says about a resource.

    kind and level: as of `edgewright.policies.enforcement.Finding`; urn: of the resource, its name where there is none,
    or empty for the stack; path: of the property, empty for the resource as a whole; title: what must hold; text: what
    is wrong, to read after the path; routes: keys of those that led to the resource; led_by: the places of the spec, or
    of the stack's file, that led to it: ``routes.GET /x (shop.edge.yaml:39)``.
    """

    rule: str
    kind: Literal[
        "violation", "cannot tell", "exempt", "expired exemption", "unused exemption", "remediated", "broken rule"
    ]
    level: Literal["disabled", "advisory", "mandatory", "remediate"]
    severity: Literal["critical", "high", "medium", "low"]
    urn: str
    path: str
    title: str
    text: str
    remedy: str
    routes: tuple[str, ...] = ()
    led_by: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """The name of the resource."""
        return self.urn.rpartition("::")[2] or "the stack"

    @property
    def stops(self) -> bool:
        """Whether the update would be stopped."""
        return self.level == "mandatory"


@dataclass(frozen=True, slots=True)
class Policies:
    """What came of the rules. rules: how many were run; configuration: the file that says how they are enforced, or
    empty; results: those that stop the update first, then violations, exemptions, and what nobody can tell yet."""

    rules: int
    results: tuple[PolicyResult, ...] = ()
    configuration: str = ""

    @property
    def stop(self) -> bool:
        """Whether the update would be stopped."""
        return any(result.stops for result in self.results)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that `edgewright plan` shows.

    must_bind: what the stack still has to bind, with what stands in for it; decisions: why the compiler chose what it
    chose, a line each; routes: public ones first, then in the order of the edge; policies: None where the rules were
    not run.
    """

    name: str
    topology: str
    hops: tuple[Hop, ...]
    links: tuple[Link, ...]
    routes: tuple[PlannedRoute, ...]
    findings: tuple[Note, ...]
    resources: tuple[Resource, ...]
    costs: tuple[Cost, ...] = ()
    must_bind: tuple[tuple[str, str], ...] = ()
    decisions: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    policies: Policies | None = None
