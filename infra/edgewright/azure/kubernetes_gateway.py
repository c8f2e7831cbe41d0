"""Self-hosted gateways of API Management in a Kubernetes cluster, with an identity of Entra and no secret."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict, cast

import pulumi
from pulumi_azure_native import managedidentity
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, PersistentVolumeClaim, Service, ServiceAccount
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from edgewright.azure import kubernetes_objects as objects
from edgewright.azure.gateway_machine import RULES
from edgewright.azure.kubernetes_place import PATIENCE, cluster_provider, place_object, provider_problems
from edgewright.clouds.part import place, refuse, unknown_keys, whole

TYPE = "edgewright:azure:KubernetesGateway"

AUDIENCE = "api://AzureADTokenExchange"
"""What tokens of service accounts are for, when Entra takes them."""


class GatewayBalancerArgs(TypedDict, total=False):
    """How clients reach the gateways: by a Standard Load Balancer that Azure's cloud provider keeps."""

    internal: bool
    """With a private address. Default: false."""
    subnet_name: pulumi.Input[str]
    """Of an internal one, in the cluster's network. Default: the nodes' own."""
    address: pulumi.Input[str]
    """A fixed IPv4 address. Default: one that Azure chooses."""
    public_ip_name: pulumi.Input[str]
    """An existing Standard public IP. Default: Azure makes one."""
    public_ip_resource_group: pulumi.Input[str]
    """Its resource group, on which the cluster's identity needs Network Contributor (`KubernetesCluster` has
    ``public_ip_scopes``). Default: the nodes' group."""
    source_ranges: list[str]
    """Who may come in, as IPv4 ranges. Default: everybody."""
    idle_timeout_minutes: int
    """4 to 100; default 4."""


class DestinationArgs(TypedDict, total=False):
    """Where gateways may go by TCP, beside port 443 of everything outside."""

    ports: Required[list[int]]
    """Where pods listen, not what their Services show."""
    namespace: str
    """Of pods in the cluster; or else ``cidr``."""
    cidr: str
    """Of what is outside of the cluster, such as an internal load balancer."""


class BackupArgs(TypedDict, total=False):
    """A shared volume for the last configuration."""

    storage_class: str
    """One that takes ReadWriteMany. Default: azurefile-csi."""
    size: str
    """Default: 50Mi."""


class WorkloadIdentityArgs(TypedDict, total=False):
    """An existing user-assigned identity; the trust in the service account is added to it."""

    name: Required[pulumi.Input[str]]
    """Its own name."""
    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    client_id: Required[pulumi.Input[str]]
    """A UUID."""
    principal_id: Required[pulumi.Input[str]]
    """A UUID."""


class KubernetesGatewayArgs(TypedDict, total=False):
    """Arguments of `KubernetesGateway`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the identity."""
    location: Required[pulumi.Input[str]]
    """Of the identity, such as ``westeurope``."""
    service_name: Required[pulumi.Input[str]]
    """The API Management service: Premium, or Developer (one node a gateway)."""
    gateway_id: Required[pulumi.Input[str]]
    """The gateway's id in API Management (`SelfHostedGateway`)."""
    oidc_issuer_url: Required[pulumi.Input[str]]
    """Of the cluster, as it is written there, to the last slash."""
    image_tag: Required[str]
    """Full version of the container, 2.11.0 or newer; the last three minor ones are supported."""
    image_digest: str
    """``sha256:...``, for an image that never moves. Default: the tag alone."""
    kubeconfig: pulumi.Input[str]
    """Of the cluster; taken as a secret. Default: the provider of Kubernetes in the component's options, which must be
    there then."""
    cluster_id: pulumi.Input[str]
    """Of the cluster, with ``kubeconfig``: another id replaces the objects. Default: changes of the kubeconfig may."""
    name: str
    """Of the objects, up to 44 characters. Default: gateway."""
    namespace: str
    """A namespace for gateways alone, as all else in it is denied. Default: api-gateway."""
    create_namespace: bool
    """False for one that is there; it takes pods of the level ``restricted``. Default: true."""
    profile: str
    """``production`` (default) or ``development``. Production has 3 replicas or more; Developer's API Management takes
    1."""
    replicas: int
    """At least so many gateways. Default: 3, or 1 in development."""
    max_replicas: int
    """At most so many; with the same number there is no autoscaler. Default: 10, or ``replicas`` in development."""
    cpu: str
    """What each asks for. Default: 2 cores, where Microsoft says to start; measure, then change."""
    memory: str
    """What each asks for, and its limit. Default: 2Gi."""
    cpu_target: int
    """Percent of ``cpu``, on average, at which gateways are added. Default: 70."""
    http: bool
    """Whether port 80 is open too; gateways do not redirect by themselves. Default: false."""
    load_balancer: GatewayBalancerArgs
    """Default: a public one, open to everybody on port 443."""
    destinations: Mapping[str, DestinationArgs]
    """Where backends are, by a name of yours. Default: port 443 outside of the cluster."""
    redis_port: int
    """Of an external cache. Default: none."""
    backup: BackupArgs
    """Keeps the last configuration for a start without a way to Azure; then gateways need that volume to start.
    Default: none."""
    settings: Mapping[str, pulumi.Input[str]]
    """More settings of the container by their dotted names, none of them secret. Default: logs as JSON."""
    identity: WorkloadIdentityArgs
    """An existing identity. Default: one is made."""
    tags: Mapping[str, pulumi.Input[str]]
    """Of the identity. Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: provider, identity, federation, namespace, and those of `OBJECTS`."""


OBJECTS: Mapping[str, Any] = {
    "service_account": ServiceAccount,
    "config_map": ConfigMap,
    "claim": PersistentVolumeClaim,
    "default_deny": NetworkPolicy,
    "network_policy": NetworkPolicy,
    "discovery_service": Service,
    "disruption_budget": PodDisruptionBudget,
    "deployment": Deployment,
    "autoscaler": HorizontalPodAutoscaler,
    "service": Service,
}
"""What stands in the namespace, by attribute, in the order in which it is placed."""


class KubernetesGateway(pulumi.ComponentResource):
    """Gateways in a cluster. `SelfHostedGateway` registers them, ends TLS and gives the roles: pass
    ``identity_principal_id`` to it as ``app_principal_id``.

    Microsoft's page names an app of Entra here; that a user-assigned identity does as well is unverified. Both get
    their tokens by the same exchange.

    ``address`` of the balancer (empty while there is none), ``identity_client_id``, ``identity_principal_id``,
    ``namespace_name``, ``name``; the raw resources ``provider``, ``identity``, ``federation``, ``namespace``,
    ``service_account``, ``config_map``, ``claim``, ``default_deny``, ``network_policy``, ``discovery_service``,
    ``disruption_budget``, ``deployment``, ``autoscaler``, ``service`` (None where not made).
    """

    def __init__(self, name: str, args: KubernetesGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = whole(args)
        refuse("KubernetesGateway", name, [*_problems(args), *provider_problems(args.get("kubeconfig"), opts)])
        super().__init__(TYPE, name, None, opts)
        own = args.get("identity")

        self.provider = cluster_provider(
            self, name, args.get("kubeconfig"), args.get("cluster_id"), args.get("overrides")
        )
        self.identity = _identity(self, name, args)
        self.identity_client_id = pulumi.Output.from_input(_of(own, "client_id", self.identity))
        self.identity_principal_id = pulumi.Output.from_input(_of(own, "principal_id", self.identity))
        self.federation = _federation(self, name, args)

        settings = _settings(args, self.identity_client_id)
        self.name = settings.name
        self.namespace_name = settings.namespace
        self.namespace = _namespace(self, name, args)
        placed = _objects(self, name, args, settings)
        self.service_account: ServiceAccount = placed["service_account"]
        self.config_map: ConfigMap = placed["config_map"]
        self.claim: PersistentVolumeClaim | None = placed.get("claim")
        self.default_deny: NetworkPolicy = placed["default_deny"]
        self.network_policy: NetworkPolicy = placed["network_policy"]
        self.discovery_service: Service = placed["discovery_service"]
        self.disruption_budget: PodDisruptionBudget = placed["disruption_budget"]
        self.deployment: Deployment = placed["deployment"]
        self.autoscaler: HorizontalPodAutoscaler | None = placed.get("autoscaler")
        self.service: Service = placed["service"]

        self.address = self.service.status.apply(balancer_address)
        self.register_outputs(
            {
                "address": self.address,
                "identityClientId": self.identity_client_id,
                "identityPrincipalId": self.identity_principal_id,
                "namespace": self.namespace_name,
            }
        )


def balancer_address(status: Any) -> str:
    """The first address, or host name, in the status of a Service; empty while there is none."""
    entries: list[Any] = _field(_field(status, "load_balancer", "loadBalancer"), "ingress") or []
    for entry in entries:
        found = _field(entry, "ip") or _field(entry, "hostname")
        if found:
            return str(found)
    return ""


def _field(value: Any, *names: str) -> Any:
    """Of a typed output or of a plain object, whichever the SDK gives; None where there is none."""
    for name in names:
        found = cast("Mapping[str, Any]", value).get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if found is not None:
            return found
    return None


def _of(given: WorkloadIdentityArgs | None, key: str, made: managedidentity.UserAssignedIdentity | None) -> Any:
    return getattr(made, key) if made else cast("Mapping[str, Any]", given)[key]


# -- Azure -------------------------------------------------------------------------------------------------------------


def _identity(
    self: KubernetesGateway, name: str, args: KubernetesGatewayArgs
) -> managedidentity.UserAssignedIdentity | None:
    if args.get("identity"):
        return None
    props = {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "tags": dict(args.get("tags") or {}),
    }
    return place(
        managedidentity.UserAssignedIdentity,
        f"{name}-identity",
        props,
        parent=self,
        overrides=args.get("overrides"),
        key="identity",
    )


def _federation(
    self: KubernetesGateway, name: str, args: KubernetesGatewayArgs
) -> managedidentity.FederatedIdentityCredential:
    """Entra takes the tokens of this one service account of this one cluster."""
    own: Mapping[str, Any] = args.get("identity") or {}
    return place(
        managedidentity.FederatedIdentityCredential,
        f"{name}-federation",
        {
            "resource_group_name": own.get("resource_group_name", args["resource_group_name"]),
            "resource_name_": self.identity.name if self.identity else own.get("name"),
            "issuer": args["oidc_issuer_url"],
            "subject": f"system:serviceaccount:{_space(args)}:{_own_name(args)}",
            "audiences": [AUDIENCE],
        },
        parent=self,
        overrides=args.get("overrides"),
        key="federation",
    )


# -- Kubernetes --------------------------------------------------------------------------------------------------------


def _namespace(self: KubernetesGateway, name: str, args: KubernetesGatewayArgs) -> Namespace | None:
    if not args.get("create_namespace", True):
        return None
    return place_object(
        Namespace,
        f"{name}-namespace",
        objects.namespace(_space(args)),
        parent=self,
        provider=self.provider,
        overrides=args.get("overrides"),
        key="namespace",
    )


def _objects(
    self: KubernetesGateway, name: str, args: KubernetesGatewayArgs, settings: objects.GatewaySettings
) -> dict[str, Any]:
    """Pods wait for their account, settings, volume, for Entra's trust, and for what denies all else."""
    digest = pulumi.Output.all(**objects.gateway_environment(settings)).apply(objects.digest)
    config = digest.apply(lambda found: objects.config_name(settings.name, found))
    bodies = objects.gateway_objects(settings, config, digest)
    space = [self.namespace] if self.namespace else []
    placed: dict[str, Any] = {}
    for key, make in OBJECTS.items():
        if key not in bodies:
            continue
        before = ("service_account", "config_map", "claim", "default_deny", "network_policy")
        pods = [*(placed[item] for item in before if item in placed), self.federation] if key == "deployment" else []
        options: dict[str, Any] = {"depends_on": [*space, *pods]}
        if key in ("deployment", "discovery_service", "service"):
            options["custom_timeouts"] = PATIENCE
        if key == "deployment" and "autoscaler" in bodies:
            options["ignore_changes"] = ["spec.replicas"]  # they are the autoscaler's
        placed[key] = place_object(
            make,
            f"{name}-{key.replace('_', '-')}",
            bodies[key],
            parent=self,
            provider=self.provider,
            overrides=args.get("overrides"),
            key=key,
            **options,
        )
    return placed


def _space(args: KubernetesGatewayArgs) -> str:
    return args.get("namespace", "api-gateway")


def _own_name(args: KubernetesGatewayArgs) -> str:
    return args.get("name", "gateway")


def _settings(args: KubernetesGatewayArgs, client_id: Any) -> objects.GatewaySettings:
    given: Mapping[str, Any] = args
    replicas, most = _counts(args)
    backup = args.get("backup")
    optional = ("image_digest", "cpu", "memory", "cpu_target", "http", "redis_port")
    plain: dict[str, Any] = {key: value for key in optional if (value := given.get(key)) is not None}
    return objects.GatewaySettings(
        name=_own_name(args),
        namespace=_space(args),
        gateway_id=args["gateway_id"],
        endpoint=_endpoint(args["service_name"]),
        client_id=client_id,
        image_tag=args["image_tag"],
        replicas=replicas,
        max_replicas=most,
        balancer=_balancer(args.get("load_balancer") or {}),
        destinations={name: _destination(item) for name, item in (args.get("destinations") or {}).items()},
        backup=None if backup is None else objects.Backup(**backup),
        settings=args.get("settings") or {},
        **plain,
    )


def _counts(args: KubernetesGatewayArgs) -> tuple[int, int]:
    """Replicas at least and at most."""
    production = args.get("profile", "production") == "production"
    least = args.get("replicas", 3 if production else 1)
    return least, args.get("max_replicas", max(10, least) if production else least)


def _endpoint(service: Any) -> Any:
    return pulumi.Output.concat(service, ".configuration.azure-api.net")


def _balancer(given: GatewayBalancerArgs) -> objects.Balancer:
    rest: dict[str, Any] = {key: value for key, value in given.items() if key != "source_ranges"}
    return objects.Balancer(**rest, source_ranges=tuple(given.get("source_ranges", [])))


def _destination(given: DestinationArgs) -> objects.Destination:
    return objects.Destination(
        ports=tuple(given["ports"]), namespace=given.get("namespace", ""), cidr=given.get("cidr", "")
    )


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: KubernetesGatewayArgs) -> list[str]:
    shape = [*_shape_problems(args), *_missing_problems(args)]
    return [
        *shape,
        *_value_problems(args),
        # What has another shape cannot be read any further.
        *([] if shape else objects.gateway_problems(_settings(args, ""))),
        *_profile_problems(args),
        *unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides"),
    ]


def _shape_problems(args: KubernetesGatewayArgs) -> Iterator[str]:
    yield from unknown_keys(args, KubernetesGatewayArgs.__annotations__, "the gateway")
    parts = {"load_balancer": GatewayBalancerArgs, "backup": BackupArgs, "identity": WorkloadIdentityArgs}
    for key, kind in parts.items():
        yield from unknown_keys(cast("Mapping[str, Any]", args.get(key) or {}), kind.__annotations__, key)
    for name, item in (args.get("destinations") or {}).items():
        yield from unknown_keys(item, DestinationArgs.__annotations__, f"destinations.{name}")
        if "ports" not in item:
            yield f"destinations.{name} needs `ports`"


def _missing_problems(args: KubernetesGatewayArgs) -> Iterator[str]:
    given: Mapping[str, Any] = args
    yield from (
        f"`{key}` is missing" for key in sorted(KubernetesGatewayArgs.__required_keys__) if given.get(key) is None
    )
    identity: Mapping[str, Any] | None = args.get("identity")
    if identity is not None:
        needed = sorted(WorkloadIdentityArgs.__required_keys__)
        yield from (f"identity needs `{key}`" for key in needed if identity.get(key) is None)


def _value_problems(args: KubernetesGatewayArgs) -> Iterator[str]:
    """Of texts that are known; what is only known later goes into a text by itself, and can break nothing."""
    given: Mapping[str, Any] = args
    for key, rule in (("service_name", "service_name"), ("gateway_id", "gateway_name")):
        value = given.get(key)
        if isinstance(value, str) and re.fullmatch(RULES[rule][0], value) is None:
            yield f"{key} is {value!r}; it must be {RULES[rule][1]}"
    issuer = given.get("oidc_issuer_url")
    if isinstance(issuer, str) and not issuer.startswith("https://"):
        yield f"oidc_issuer_url is {issuer!r}; it begins with https://"
    if given.get("cluster_id") is not None and given.get("kubeconfig") is None:
        yield "`cluster_id` goes with `kubeconfig`: a provider that is given has its own"


def _profile_problems(args: KubernetesGatewayArgs) -> Iterator[str]:
    profile: str = args.get("profile", "production")
    if profile not in ("production", "development"):
        yield f"there is no profile `{profile}`; there are production, development"
    elif profile == "production" and args.get("replicas", 3) < 3:
        yield (
            f"replicas is {args.get('replicas')}; in production there are 3 or more, one for each zone: write "
            "`profile: development` for fewer"
        )


def _attributes(args: KubernetesGatewayArgs) -> list[str]:
    least, most = _counts(args)
    optional = {"autoscaler": most > least, "claim": args.get("backup") is not None}
    found = ["federation", *(item for item in OBJECTS if optional.get(item, True))]
    return [
        *found,
        *([] if args.get("identity") else ["identity"]),
        *(["namespace"] if args.get("create_namespace", True) else []),
        *(["provider"] if args.get("kubeconfig") is not None else []),
    ]
