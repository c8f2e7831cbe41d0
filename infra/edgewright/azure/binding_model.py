"""The shape of what a stack binds a spec to on Azure: one model for each word; values may be Outputs."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

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
                " takes a certificate, too, as a secret, not as a certificate, key or resource id"
            )
        if found[1]:
            raise ValueError("it should name no version, or it is never renewed")
    return value


def _subnet_id(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith("${") and _SUBNET.fullmatch(value) is None:
        raise ValueError("it should be the id of a subnet: /subscriptions/.../virtualNetworks/NAME/subnets/NAME")
    return value


def _described(value: Any) -> Any:
    """A subnet by its id alone is one of which nothing more is known."""
    return {"id": value} if isinstance(value, str) or hasattr(value, "apply") else value


Value = Annotated[Any, AfterValidator(_text)]
Secret = Annotated[Any, AfterValidator(_text), AfterValidator(_vault_secret)]
SubnetId = Annotated[Any, AfterValidator(_text), AfterValidator(_subnet_id)]
Guid = Annotated[Any, AfterValidator(_text)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class Publisher(_Model):
    """Who answers for the service; Azure asks for both."""

    name: str
    email: str


class CreateNetwork(_Model):
    """A network to create."""

    cidr: str = "10.0.0.0/16"


class SubnetModel(_Model):
    """An existing subnet: its id, and, so that it can be checked, its range and to whom it is delegated (``none``)."""

    id: SubnetId
    cidr: str | None = None
    delegation: str | None = None


Subnet = Annotated[SubnetModel, BeforeValidator(_described)]


class NetworkModel(_Model):
    """``{create: {cidr}}``, or the subnets of an existing network, each by its id or as ``{id, cidr, delegation}``.

    gateway_subnet: of API Management, or of self-hosted gateways; services_subnet: of the services' balancer;
    front_subnet: of the Application Gateway; endpoints_subnet: of private endpoints.
    """

    create: CreateNetwork | None = None
    gateway_subnet: Subnet | None = None
    services_subnet: Subnet | None = None
    front_subnet: Subnet | None = None
    endpoints_subnet: Subnet | None = None


class DnsModel(_Model):
    """The public zone that holds the host, in Azure DNS."""

    zone: str
    resource_group: Value


class PrivateDnsModel(_Model):
    """A private zone to make, in which each backend behind the services' balancer gets its name: ``BACKEND.ZONE``."""

    zone: Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$")]


class IdentityModel(_Model):
    """A user-assigned identity that may read the certificate and the credentials in Key Vault: its resource id and
    client id."""

    id: Value
    client_id: Value


class BackendModel(_Model):
    """Where a backend is: behind a pool of the services' balancer (``pool``), at a URL, or, with gateways on
    Kubernetes, a Service of the cluster (``service``: ``NAME`` or ``NAME.NAMESPACE``), or a small sample that is run
    there (``sample``)."""

    pool: bool = False
    url: str | None = None
    service: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})?$")] | None = None
    sample: bool = False


class AppModel(_Model):
    """The Entra app by which gateways on machines ask for their configuration: its tenant and client id, and the object
    id of its service principal."""

    tenant_id: Guid
    client_id: Guid
    principal_id: Guid


class AppCertificateModel(_Model):
    """The app's certificate in Key Vault: names of the vault and of the certificate there, and the resource id of the
    vault (or better of that one secret), which the machines' identity is let read."""

    vault_name: Value
    secret_name: Value
    scope: Value


class ScaleSetModel(_Model):
    """Self-hosted gateways on machines."""

    app: AppModel
    certificate: AppCertificateModel
    ssh_public_key: Value
    size: str | None = None
    min_count: Annotated[int, Field(ge=2)] = 2
    max_count: Annotated[int, Field(ge=2, le=100)] = 6


class ExistingCluster(_Model):
    """A cluster that is there, with its issuer of tokens for workload identity."""

    name: str
    resource_group: Value
    oidc_issuer_url: Value


class CreateCluster(_Model):
    """A cluster to make. api_server_ranges: who may reach its API (with a network that is there also the address by
    which its nodes go out); admin_group_ids: Entra groups that administer it, among them who runs the stack."""

    kubernetes_version: str | None = None
    api_server_ranges: list[str] = []
    private: bool = False
    admin_group_ids: list[str] = []


class KubernetesModel(_Model):
    """Self-hosted gateways on AKS: in a cluster to make, or an existing one."""

    create: CreateCluster | None = None
    existing: ExistingCluster | None = None
    namespace: Name | None = None
    replicas: Annotated[int, Field(ge=2, le=50)] = 3


class GatewaysModel(_Model):
    """Where the gateways of `balancer-first` run: on machines of a scale set, or on Kubernetes.

    image_tag: full version of the gateway's container, such as 2.13.0; the last three minor ones are supported.
    managed: that they be API Management's own, which is refused, with what does what was meant.
    """

    image_tag: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")] | None = None
    scale_set: ScaleSetModel | None = None
    kubernetes: KubernetesModel | None = None
    managed: bool = False


class CacheModel(_Model):
    """The Redis of a topology whose gateways have no cache of their own. sku: of Azure Managed Redis;
    private_dns_zone: id of an existing zone ``privatelink.redis.azure.net``, of which a network may be linked to one
    only. existing: a Redis that is there is used, and none is made; the credential ``cache:connection`` is its
    connection string, and ``port`` what it has (10000, as Azure Managed Redis; 6380 of Azure Cache for Redis)."""

    existing: bool = False
    port: Annotated[int, Field(ge=1, le=65535)] = 10_000
    sku: str | None = None
    private_dns_zone: Value | None = None


class FrontDoorModel(_Model):
    """Front Door. connection: the name of its private endpoint connection on the service, generated by Azure and known
    after the first update: with it the second one approves the connection and closes the service's public door."""

    connection: str | None = None
    link_location: str | None = None


class AcceptModel(_Model):
    """An unsupported field that is taken as it is."""

    field: str
    routes: list[str] = []
    reason: Annotated[str, Field(min_length=10)]


class BindingsModel(_Model):
    """The bindings of an Azure stack, as ``edgewright:bindings`` holds them.

    resource_group: its name, an existing one; subscription_id: whose it is; location: such as ``westeurope``; profile:
    ``production`` protects what is painful to replace; tier: of API Management, pinned once chosen; capacity: its
    units; publisher: ``{name, email}``; certificate: the Key Vault secret of the host's certificate;
    certificate_identity: ``{id, client_id}`` of an identity that may read it; credentials: by ``AUTHORIZER:CLIENT`` of
    introspection, the Key Vault secret that holds its credential (`edgewright.azure.compile_authorizers`), which the
    same identity may read; dns: the zone of the host; private_dns: a zone for services; workspace: a Log Analytics
    workspace for logs (default: one is made); zones: of a region that has them; gateways: where those of
    `balancer-first` run; cache: their Redis; front_door: what the second phase needs; notify: by the name in
    ``monitor.notify``, an email address, an https webhook, or the id of an action group.
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
    private_dns: PrivateDnsModel | None = None
    certificate: Secret | None = None
    certificate_identity: IdentityModel | None = None
    credentials: dict[str, Secret] = {}
    workspace: Value | None = None
    zones: list[Literal["1", "2", "3"]] | None = None
    gateways: GatewaysModel | None = None
    cache: CacheModel | None = None
    front_door: FrontDoorModel | None = None
    notify: dict[str, Value] = {}
    backends: dict[str, BackendModel] = {}
    accept: list[AcceptModel] = []
    tags: dict[str, Value] = {}
