"""What an edge becomes on Azure, as data in Azure's own terms; bound values stand in it as marks ``{{name}}``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edgewright.azure.compile_monitoring import Monitoring
from edgewright.azure.compile_waf import WafPolicy
from edgewright.azure.topology import Topology
from edgewright.edge.model import Finding

Json = dict[str, Any]

Gateways = Literal["managed", "machines", "kubernetes"]
"""What answers requests: API Management's own gateways, or self-hosted ones on machines or Kubernetes."""


@dataclass(frozen=True, slots=True)
class Api:
    """An API of API Management. body: OpenAPI; policy, operation_policies (by operation id) and fragments (by their own
    id, to be there before the policy): XML; key: the names that an API key may have, ``header`` and ``query``;
    products: clients by product, with the authorizer's name; carried: ids of operations by the key of each route."""

    body: Json
    policy: str
    operation_policies: Mapping[str, str]
    fragments: Mapping[str, str]
    key: Mapping[str, str]
    products: Mapping[str, tuple[str, tuple[str, ...]]]
    operations: int
    carried: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class WebSocket:
    """A WebSocket API. route: the key of the one that it carries; id: of the API; path: below the host, without a
    leading slash; url: of the service, with a mark as in `BackendPlan`; policy: of its handshake, XML."""

    route: str
    id: str
    path: str
    backend: str
    url: str
    policy: str


@dataclass(frozen=True, slots=True)
class BackendPlan:
    """A Backend. url: with a mark for the address of the balancer in front of its machines; tls: whether the chain and
    name of its certificate are checked; circuit_breaker: as the component's argument."""

    url: str
    tls: bool
    circuit_breaker: Json | None


@dataclass(frozen=True, slots=True)
class Balancer:
    """A Load Balancer: frontends, pools, probes and rules as its component's arguments have them."""

    internal: bool
    frontends: Mapping[str, Json]
    pools: Mapping[str, Json]
    probes: Mapping[str, Json]
    rules: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Artifact:
    """An edge compiled for one Azure topology.

    tier: of API Management; network: how it is in a network (``external``, ``internal``, ``integration``, or ``none``);
    subnets: as arguments of `Network`, by name; services: the internal balancer before the backends that have machines;
    public: the one before self-hosted gateways on machines and before tcp and udp listeners; redis: whether gateways
    need a cache that is not their own; waf: the policy of a firewall before the gateways; pools: weighted backends by
    the id of their pool; named_values: secret named values that the policies hold as marks, each with the authorizer
    and the client of whose secret `compile_authorizers.basic_credential` makes it; plain_values: those that are no
    secrets, which the topology knows (the id of a Front Door); decisions: what the compiler chose and why.
    """

    name: str
    topology: Topology
    tier: str
    network: str
    subnets: Mapping[str, Json]
    hosts: tuple[str, ...]
    api: Api | None
    websockets: tuple[WebSocket, ...]
    backends: Mapping[str, BackendPlan]
    pools: Mapping[str, tuple[tuple[str, int], ...]]
    named_values: Mapping[str, tuple[str, str]]
    plain_values: tuple[str, ...]
    services: Balancer | None
    public: Balancer | None
    gateways: Gateways
    redis: bool
    waf: WafPolicy | None
    monitoring: Monitoring | None
    access_log_days: int
    ddos_advanced: bool
    decisions: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def web(self) -> bool:
        """Whether there is anything for API Management; else the edge is streams alone."""
        return self.api is not None or bool(self.websockets)
