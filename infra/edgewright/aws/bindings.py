"""What a stack binds a spec to on AWS: network, names, certificates, targets. Values may be Outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict
from urllib.parse import urlsplit

from pydantic import ValidationError

from edgewright.aws.binding_model import BindingsModel
from edgewright.aws.check_bindings import PLAIN_OR_TLS, missing_of, problems_of
from edgewright.edge.model import Backend, Edge, JwtAuthorizer, OidcAuthorizer
from edgewright.spec.binding_problems import problem, problems_in
from edgewright.spec.problems import Problem, SpecError, did_you_mean

PLACEHOLDER_ADDRESSES = ("192.0.2.10", "192.0.2.26")
"""Of the block that RFC 5737 keeps for documentation."""


class NetworkBinding(TypedDict, total=False):
    """``{create: {cidr, zones, nat}}``, or ``vpc`` with ``private_subnets`` (and ``public_subnets`` for public
    balancers).
    """

    create: Mapping[str, Any]
    vpc: Any
    cidr: str
    public_subnets: list[Any]
    private_subnets: list[Any]
    zones: list[str]
    endpoint_addresses: list[str]


class AwsBindings(TypedDict, total=False):
    """The bindings of an AWS stack, as ``edgewright:bindings`` holds them. Every leaf but the plain ones takes an
    Output.
    """

    region: str
    """Such as ``eu-west-1``; plain. None is assumed."""
    profile: str
    """``production`` (protects what is painful to replace) or ``development``."""
    network: NetworkBinding
    """An existing VPC, or one to create."""
    dns: Mapping[str, Any]
    """``{zone: shop.example, zone_id: Z...}``: the public zone that holds the host; a certificate is issued in it."""
    certificate: Any
    """ARN of an ACM certificate for the host in the region; else one is issued when there is ``dns``."""
    certificate_hosts: list[str]
    """Names on that certificate; when given they are checked against the hosts of the edge."""
    domain: str
    """balancer-first: how the API is known behind the balancer: ``private``, ``regional`` or ``rewrite`` (ADR 0012)."""
    websocket_host: str
    """gateway-first: the host of ``WS`` routes, whose API can share none with another; below it their paths."""
    log_role: str
    """REST and WebSocket APIs: ``create`` sets the region's role by which API Gateway writes logs (in one stack of an
    account's region; it stays when the stack goes), ``existing`` says that it is set."""
    gateway: str
    """gateway-first: pins ``http`` or ``rest``; an edge that no longer fits is an error, not a replacement."""
    backends: Mapping[str, Any]
    """By name: one of ips, instances, autoscaling_group, function, target_group, url; a security_group to open;
    protocol and port where they are others here than the spec says: ``https`` for services that show a certificate, any
    at all, since a load balancer checks none."""
    authorizers: Mapping[str, Any]
    """By name: jwks_uri, user_pool, audience_format, endpoints of an OpenID provider."""
    trust_bundles: Mapping[str, Any]
    """By the name in ``tls.client_ca``: ``{bucket, key, version}``."""
    notify: Mapping[str, Any]
    """By the name in ``monitor.notify``: ARN of an SNS topic."""
    cache_size: str
    """GB of the stage's cache, ``0.5`` to ``237``."""
    log_bucket: Any
    """Bucket for the balancers' logs; else one is created."""
    kms_key: Any
    """ARN of the key for log groups; its policy must allow CloudWatch Logs. Else the service's own."""
    limits: Mapping[str, int]
    """Raised quotas of the account, by the names in docs/aws.md."""
    shield_subscribed: bool
    """That the account has Shield Advanced; needed for ``ddos: advanced``."""
    accept: list[Mapping[str, Any]]
    """Unsupported fields that are accepted: ``{field, routes, reason}``."""
    tags: Mapping[str, Any]
    """On everything that takes tags."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An unsupported field that the stack takes as it is."""

    field: str
    routes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Bindings:
    """Bindings that were read. data: the validated model; missing: what stands in by a placeholder, with what it is.

    offline: whether it is for a plan, where what is missing is listed and not refused.
    """

    data: BindingsModel
    accept: tuple[Accepted, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    placeholders: Mapping[str, str] = field(default_factory=dict[str, str])
    offline: bool = False

    @property
    def region(self) -> str:
        """The region, or its placeholder."""
        return self.data.region or self.placeholders["region"]

    @property
    def production(self) -> bool:
        """Whether what is painful to replace is protected."""
        return self.data.profile == "production"

    def bound_jwks_uri(self, name: str) -> Any:
        """Where the stack says that an authorizer's keys are, or None."""
        bound = self.data.authorizers.get(name)
        return bound.jwks_uri if bound else None

    def jwks_uri(self, item: JwtAuthorizer) -> Any:
        """Where an authorizer's keys are: of the spec, or bound; a placeholder in a plan; else None."""
        return item.jwks_uri or self.bound_jwks_uri(item.name) or self.placeholders.get(f"jwks_uri:{item.name}")

    def audience_format(self, name: str) -> str:
        """How tokens write a single audience; said where they write a list."""
        bound = self.data.authorizers.get(name)
        return bound.audience_format if bound else "single-string"

    def user_pool(self, name: str) -> Any:
        """ARN of the Cognito user pool of an authorizer, or None."""
        bound = self.data.authorizers.get(name)
        return bound.user_pool if bound else None

    def oidc(self, item: OidcAuthorizer) -> Mapping[str, Any]:
        """The endpoints of an OpenID provider."""
        bound = self.data.authorizers.get(item.name)
        base = item.issuer.rstrip("/")
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "user_info_endpoint": "userinfo"}
        return {key: (getattr(bound, key) if bound else None) or f"{base}/{word}" for key, word in names.items()}

    @property
    def existing_network(self) -> tuple[Any, list[Any], list[Any]] | None:
        """VPC, public and private subnets that are there; None when the network is to be created."""
        network = self.data.network
        if network is None:
            found = self.placeholders
            names = ("1", "2")
            return (
                found["network.vpc"],
                [found[f"network.public_subnets.{name}"] for name in names],
                [found[f"network.private_subnets.{name}"] for name in names],
            )
        return None if network.create else (network.vpc, network.public_subnets, network.private_subnets)

    @property
    def vpc_cidr(self) -> Any:
        """The addresses of an existing network."""
        network = self.data.network
        return self.placeholders["network.cidr"] if network is None else network.cidr

    @property
    def endpoint_addresses(self) -> list[str]:
        """Fixed addresses for the API's endpoint, one a private subnet; those for documentation without a network."""
        network = self.data.network
        return list(PLACEHOLDER_ADDRESSES) if network is None else list(network.endpoint_addresses)

    def domain_kind(self, hosts: tuple[str, ...]) -> str:
        """How the API behind a balancer is known: as bound, or by its own name where the edge has none."""
        return self.data.domain if hosts else "rewrite"

    def websocket_host(self, hosts: tuple[str, ...]) -> str | None:
        """The host of WebSocket APIs; None without one, as for an edge without hosts."""
        return (self.data.websocket_host or self.placeholders.get("websocket_host")) if hosts else None

    def topic(self, name: str) -> Any:
        """ARN of the topic that a name of ``monitor.notify`` stands for."""
        return self.data.notify.get(name) or self.placeholders[f"notify:{name}"]

    @property
    def certified(self) -> bool:
        """Whether there is a certificate for the hosts: bound, a placeholder, or one to issue in the zone."""
        return bool(self.data.certificate or self.data.dns or "certificate" in self.placeholders)

    def spoken(self, backend: Backend) -> Backend:
        """A backend with the protocol and the port that it has in this stack."""
        bound = self.data.backends.get(backend.name)
        if bound is None:
            return backend
        if bound.url is not None:
            parts = urlsplit(bound.url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            spoken = parts.scheme if backend.protocol in PLAIN_OR_TLS else None
            return replace(backend, protocol=spoken or backend.protocol, port=port)
        return replace(backend, protocol=bound.protocol or backend.protocol, port=bound.port or backend.port)

    def limit(self, name: str, default: int) -> int:
        """A quota: as the account has it raised, else AWS's default."""
        return self.data.limits.get(name, default)


def read_bindings(
    data: Mapping[str, Any], edge: Edge, topology: str, *, source: str = "bindings", placeholders: bool = False
) -> Bindings:
    """The bindings as data, checked against the edge that they are for.

    placeholders: fill in what must be bound and is not (the offline plan does), and list it in ``missing``.
    Raises SpecError with everything that is wrong; ``source`` is the name that problems are reported under.
    """
    try:
        found = BindingsModel.model_validate(data)
    except ValidationError as error:
        raise SpecError(problems_in(error, BindingsModel, source)) from None
    problems = _unknown_names(found, edge, source)
    problems += [problem(source, path, what, remedy) for path, what, remedy in problems_of(found, edge, topology)]
    missing = missing_of(found, edge, topology)
    if not placeholders:
        problems += [
            problem(source, tuple(item.name.split(".")), f"the stack must bind {item.what}", item.remedy)
            for item in missing
        ]
    if problems:
        raise SpecError(problems)
    return Bindings(
        found,
        tuple(Accepted(item.field, tuple(item.routes), item.reason) for item in found.accept),
        tuple((item.name, f"{item.what}: {item.values[0][1]}") for item in missing),
        {name: value for item in missing for name, value in item.values},
        placeholders,
    )


def _unknown_names(found: BindingsModel, edge: Edge, source: str) -> list[Problem]:
    known = {
        "backends": list(edge.backends),
        "authorizers": list(edge.authorizers),
        "trust_bundles": [item.tls.client_ca for item in edge.listeners if item.tls and item.tls.client_ca],
        "notify": list(edge.monitor.notify) if edge.monitor else [],
    }
    return [
        problem(source, (part, name), f"the spec has no {part.removesuffix('s')} `{name}`", did_you_mean(name, names))
        for part, names in known.items()
        for name in getattr(found, part)
        if name not in names
    ]
