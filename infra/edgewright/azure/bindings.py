"""What a stack binds a spec to on Azure: network, names, certificates, targets. Values may be Outputs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from edgewright.azure.network_rules import cidr_problems
from edgewright.azure.tiers import BY_NAME
from edgewright.edge.model import Edge, Forward
from edgewright.spec.problems import Place, Problem, SpecError, did_you_mean

GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_VAULT = re.compile(
    r"https://[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]\.vault\.azure\.net"
    r"/secrets/[0-9a-zA-Z-]{1,127}(/[0-9a-f]{32})?/?"
)
_SUBNET = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/virtualNetworks/[^/]+/subnets/[^/]+",
    re.IGNORECASE,
)


def _text(value: Any) -> Any:
    """A text, or something of the engine's that becomes one."""
    if isinstance(value, str):
        if not value:
            raise ValueError("it must not be empty")
        return value
    if hasattr(value, "apply"):
        return value
    raise ValueError("it should be a text")


def _vault_secret(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith("${"):
        found = _VAULT.fullmatch(value)
        if found is None:
            raise ValueError(
                "it should be the id of a secret, such as https://NAME.vault.azure.net/secrets/shop: API Management"
                " takes a certificate as a secret, not as a certificate, key or resource id"
            )
        if found[1]:
            raise ValueError("it should name no version, or the certificate is never renewed")
    return value


def _subnet_id(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith("${") and _SUBNET.fullmatch(value) is None:
        raise ValueError("it should be the id of a subnet: /subscriptions/.../virtualNetworks/NAME/subnets/NAME")
    return value


Value = Annotated[Any, AfterValidator(_text)]
Secret = Annotated[Any, AfterValidator(_text), AfterValidator(_vault_secret)]
Subnet = Annotated[Any, AfterValidator(_text), AfterValidator(_subnet_id)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class Publisher(_Model):
    """Who answers for the service; Azure asks for both."""

    name: str
    email: str


class CreateNetwork(_Model):
    """A network to create."""

    cidr: str = "10.0.0.0/16"


class NetworkModel(_Model):
    """``{create: {cidr}}``, or ``gateway_subnet`` and ``services_subnet`` of an existing network."""

    create: CreateNetwork | None = None
    gateway_subnet: Subnet | None = None
    services_subnet: Subnet | None = None


class DnsModel(_Model):
    """The public zone that holds the host, in Azure DNS."""

    zone: str
    resource_group: Value


class IdentityModel(_Model):
    """A user-assigned identity that may read the certificate: its resource id and client id."""

    id: Value
    client_id: Value


class BackendModel(_Model):
    """Where a backend is: behind a pool of the services' balancer (``pool``), or at a URL."""

    pool: bool = False
    url: str | None = None


class AcceptModel(_Model):
    """An unsupported field that is taken as it is."""

    field: str
    routes: list[str] = []
    reason: Annotated[str, Field(min_length=10)]


class BindingsModel(_Model):
    """The bindings of an Azure stack, as ``edgewright:bindings`` holds them.

    resource_group: its name, an existing one; subscription_id: whose it is; location: such as ``westeurope``;
    profile: ``production`` protects what is painful to replace; tier: of API Management, pinned once chosen; capacity:
    its units; publisher: ``{name, email}``; certificate: the Key Vault secret of the host's certificate;
    certificate_identity: ``{id, client_id}`` of an identity that may read it; dns: the zone of the host; workspace: a
    Log Analytics workspace for logs; zones: of a region that has them.
    """

    resource_group: Value | None = None
    subscription_id: Annotated[str, StringConstraints(pattern=GUID)] | None = None
    location: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]+$")] | None = None
    profile: Annotated[str, StringConstraints(pattern="^(production|development)$")] = "production"
    tier: str | None = None
    capacity: Annotated[int, Field(ge=1)] = 1
    publisher: Publisher | None = None
    network: NetworkModel | None = None
    dns: DnsModel | None = None
    certificate: Secret | None = None
    certificate_identity: IdentityModel | None = None
    workspace: Value | None = None
    zones: list[str] = ["1", "2", "3"]
    backends: dict[str, BackendModel] = {}
    accept: list[AcceptModel] = []
    tags: dict[str, Value] = {}


_STAND_INS = {
    "resource_group": ("a resource group", "write `resource_group: NAME` of an existing one"),
    "subscription_id": ("a subscription", "write `subscription_id: 00000000-0000-0000-0000-000000000000`"),
    "location": ("a location", "write `location: westeurope`"),
    "publisher": ("who publishes the API", "write `publisher: {name: ..., email: ...}`"),
    "network": ("a network, existing or to create", "write `network: {create: {cidr: 10.0.0.0/16}}`, or two subnets"),
    "certificate": (
        "a certificate for the host",
        "write `certificate: https://NAME.vault.azure.net/secrets/NAME`; API Management issues none",
    ),
}


_STAND_INS["certificate_identity"] = (
    "an identity that may read the certificate",
    "write `certificate_identity: {id: ..., client_id: ...}` of a user-assigned identity with the role Key Vault"
    " Secrets User on the vault: a service's own identity is not there before the service is",
)


@dataclass(frozen=True, slots=True)
class Bindings:
    """Bindings that were read. missing: what stands in by a placeholder, with what it is; offline: whether it is for a
    plan, where what is missing is listed and not refused.
    """

    data: BindingsModel
    missing: tuple[tuple[str, str], ...] = ()
    placeholders: Mapping[str, str] = field(default_factory=dict[str, str])
    offline: bool = False

    @property
    def production(self) -> bool:
        """Whether what is painful to replace is protected."""
        return self.data.profile == "production"

    def value(self, name: str) -> Any:
        """A bound value, or its placeholder."""
        return getattr(self.data, name, None) or self.placeholders.get(name)

    def url_of(self, backend: str) -> str | None:
        """Where a backend is, if it is not behind the services' balancer."""
        found = self.data.backends.get(backend)
        return found.url if found else None


def pooled(edge: Edge, bindings: Bindings) -> tuple[str, ...]:
    """The backends of routes that stand behind the services' balancer: those without a URL."""
    used = {name for route in edge.routes if isinstance(route.action, Forward) for name, _ in route.action.targets}
    return tuple(name for name in edge.backends if name in used and bindings.url_of(name) is None)


def read_bindings(
    data: Mapping[str, Any], edge: Edge, *, source: str = "bindings", placeholders: bool = False
) -> Bindings:
    """The bindings as data, checked against the edge that they are for.

    placeholders: fill in what must be bound and is not (the offline plan does), and list it in ``missing``.
    Raises SpecError with everything that is wrong; ``source`` is the name that problems are reported under.
    """
    try:
        found = BindingsModel.model_validate(data)
    except ValidationError as error:
        raise SpecError(_problem(source, item["loc"], _words(item)) for item in error.errors()) from None
    problems = list(_problems(found, edge, source))
    bound = Bindings(found)
    missing = [name for name in _needed(edge, bound) if getattr(found, name) is None]
    if not placeholders:
        problems += [
            _problem(source, (name,), f"the stack must bind {_STAND_INS[name][0]}", _STAND_INS[name][1])
            for name in missing
        ]
    if problems:
        raise SpecError(problems)
    stand_ins = {name: f"${{bind.{name}}}" for name in missing}
    told = tuple((name, f"{_STAND_INS[name][0]}: {stand_ins[name]}") for name in missing)
    return Bindings(found, told, stand_ins, placeholders)


def _needed(edge: Edge, bound: Bindings) -> Iterator[str]:
    yield from ("resource_group", "subscription_id", "location", "publisher")
    if pooled(edge, bound) or any(not item.web for item in edge.listeners):
        yield "network"
    if any(item.web and item.hosts for item in edge.listeners):
        yield "certificate"
        yield "certificate_identity"


def _problems(found: BindingsModel, edge: Edge, source: str) -> Iterator[Problem]:
    if found.tier is not None and found.tier not in BY_NAME:
        what = f"there is no tier `{found.tier}`"
        if found.tier.lower() == "premiumv2":
            what = "the provider's API version does not know the tier `PremiumV2`"
        yield _problem(source, ("tier",), what, did_you_mean(found.tier, BY_NAME))
    for name, item in found.backends.items():
        if name not in edge.backends:
            yield _problem(
                source, ("backends", name), f"the spec has no backend `{name}`", did_you_mean(name, edge.backends)
            )
        if item.pool and item.url is not None:
            yield _problem(source, ("backends", name), "a backend is behind a pool or at a URL, not both")
        if item.url is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", item.url):
            yield _problem(
                source, ("backends", name, "url"), f"`{item.url}` is no URL", "write it like https://orders.example"
            )
    hosts = [host for item in edge.listeners if item.web for host in item.hosts]
    for host in hosts:
        if found.dns is not None and not host.endswith(f".{found.dns.zone}"):
            yield _problem(source, ("dns",), f"the host `{host}` is not in the zone `{found.dns.zone}`", "another zone")
    network = found.network
    if network is not None and network.create is not None:
        yield from (
            _problem(source, ("network", "create", "cidr"), what) for what in cidr_problems(network.create.cidr)
        )
    if (
        network is not None
        and network.create is None
        and (network.gateway_subnet is None or network.services_subnet is None)
    ):
        yield _problem(
            source, ("network",), "an existing network needs both subnets", "write gateway_subnet and services_subnet"
        )
    if network is not None and network.create is not None and (network.gateway_subnet or network.services_subnet):
        yield _problem(
            source, ("network",), "a network is created or there, not both", "remove `create` or the subnets"
        )


def _words(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(item["msg"])[:200].replace("Input should", "it should").removeprefix("Value error, ")


def _problem(source: str, path: tuple[int | str, ...], what: str, remedy: str = "") -> Problem:
    return Problem(Place(source, path=path), what, remedy, code="binding")
