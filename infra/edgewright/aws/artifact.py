"""What an edge becomes on AWS, as data in AWS's own terms; bound values stand in it as marks ``{{name}}``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgewright.edge.model import Finding

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a load balancer.

    conditions, actions, transforms: as the arguments of `ApplicationLoadBalancer` have them; routes: keys of the routes
    that it carries, empty for guards.
    """

    name: str
    listener: str
    priority: int
    conditions: tuple[Json, ...]
    actions: tuple[Json, ...]
    transforms: tuple[Json, ...] = ()
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peers:
    """Who may reach a part and what it may reach: doors by name, as `security_groups.Door`."""

    ingress: Mapping[str, Json] = field(default_factory=dict[str, Json])
    egress: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Balancer:
    """An Application Load Balancer: listeners, target groups and settings as its component's arguments have them.

    targets: the backend of each target group that holds services; others are wired by the topology.
    """

    internal: bool
    listeners: Mapping[str, Json]
    target_groups: Mapping[str, Json]
    targets: Mapping[str, str]
    rules: tuple[Rule, ...]
    peers: Peers
    idle_timeout: int
    trust_stores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkBalancer:
    """A Network Load Balancer; targets as in `Balancer`."""

    listeners: Mapping[str, Json]
    target_groups: Mapping[str, Json]
    targets: Mapping[str, str]
    peers: Peers


@dataclass(frozen=True, slots=True)
class LambdaAuthorizer:
    """What the authorizer function is told (`authorizer_package.archive_files`), without secrets."""

    config: Json


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """Clients of API keys with the throttle and quota that they share, as the arguments of the component."""

    authorizer: str
    clients: tuple[str, ...]
    throttle: Json | None
    quota: Json | None
    methods: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Rest:
    """A REST API. methods: settings unlike the stage's, by ``path/METHOD``; cache: whether any route caches."""

    body: Json
    private: bool
    methods: Mapping[str, Json]
    cache: bool
    plans: tuple[UsagePlan, ...]
    authorizer: LambdaAuthorizer | None
    minimum_compression_size: int | None


@dataclass(frozen=True, slots=True)
class Http:
    """An HTTP API. routes: throttles by route key."""

    body: Json
    routes: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class WebSocket:
    """A WebSocket API. route: the key of the one that it carries; stage: its name, which is the route's path too.

    path: what the service sees; headers: mappings of each message's request; identity_sources: what must be there to
    connect, empty where the function looks for itself; throttle: ``{rate, burst}`` of connecting.
    """

    route: str
    stage: str
    path: str
    headers: Json
    authorizer: LambdaAuthorizer | None
    identity_sources: tuple[str, ...]
    throttle: Json | None


@dataclass(frozen=True, slots=True)
class WafPlan:
    """A web ACL. rules: by priority, as the arguments of `aws.wafv2.WebAcl` have them; marks ``{{ip_set:NAME}}`` stand
    for ARNs; capacity: in units, reckoned from AWS's table."""

    rules: tuple[Json, ...]
    ip_sets: dict[str, Json] = field(default_factory=dict[str, Json])
    custom_response_bodies: dict[str, Json] = field(default_factory=dict[str, Json])
    capacity: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm. queries: as ``metric_queries`` of a metric alarm, marks ``{{NAME}}`` for what is known later; one of
    them is compared with the threshold."""

    description: str
    queries: tuple[Json, ...]
    threshold: float
    comparison: str = "GreaterThanThreshold"


@dataclass(frozen=True, slots=True)
class LogMetric:
    """A metric counted from an API's access log. log: the mark of the log group; pattern: in CloudWatch Logs' words."""

    log: str
    pattern: str
    namespace: str
    metric: str


@dataclass(frozen=True, slots=True)
class Monitoring:
    """alarms and log_metrics by name; notify: names of topics; dashboard: its body, or None."""

    alarms: Mapping[str, Alarm]
    log_metrics: Mapping[str, LogMetric]
    notify: tuple[str, ...]
    dashboard: Json | None


@dataclass(frozen=True, slots=True)
class Artifact:
    """An edge compiled for one AWS topology.

    edge_balancer: the public one (balancer-first, balancer-only); services: the internal one of the gateway topologies;
    messages: between WebSocket APIs and services; network_balancer: of tcp, tls and udp listeners;
    decisions: what the compiler chose and why; hosts: names of the web edge; stream_hosts: of the
    network balancer; findings: what is not native.
    """

    name: str
    topology: Literal["balancer-first", "gateway-first", "balancer-only"]
    hosts: tuple[str, ...]
    stream_hosts: tuple[str, ...]
    edge_balancer: Balancer | None
    services: Balancer | None
    rest: Rest | None
    http: Http | None
    websockets: tuple[WebSocket, ...]
    messages: NetworkBalancer | None
    network_balancer: NetworkBalancer | None
    waf: WafPlan | None
    monitoring: Monitoring | None
    link_peers: Peers
    endpoint_peers: Peers
    access_log_days: int
    ddos_advanced: bool
    decisions: tuple[str, ...]
    findings: tuple[Finding, ...]
