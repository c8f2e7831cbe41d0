"""Services in a Kubernetes cluster that only gateways reach; by default an echo, for hands-on examples."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Required, TypedDict, cast

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from edgewright.azure import kubernetes_objects as objects
from edgewright.azure.kubernetes_place import PATIENCE, cluster_provider, place_object, provider_problems
from edgewright.clouds.part import refuse, unknown_keys

TYPE = "edgewright:azure:KubernetesServices"

ECHO_IMAGE = (
    "mcr.microsoft.com/azurelinux/distroless/python:3.12"
    "@sha256:88eb935992271c4ab82773efbb34290e7448c9df778c9505d0e5b184ec25d07e"
)
"""Microsoft's Python without a shell, in which our echo runs. The digest is from a public scan of 2026-10-06; that it
starts with this command as this user was not tried: *unverified*."""

ECHO_COMMAND = ("python3", "/srv/echo.py")


class ServiceArgs(TypedDict, total=False):
    """A service."""

    image: pulumi.Input[str]
    """With a tag that does not move, or a digest; it runs as ``user``, with a read-only file system but for /tmp, and
    listens on ``port``. Default: an echo of what it is asked."""
    port: int
    """Above 1023. Default: 8080."""
    path: str
    """Of probes, by GET; 200 to 399 is healthy. Default: /healthz."""
    replicas: int
    """Default: 2."""
    user: int
    """By number, not root. Default: 65532."""
    cpu: str
    """What each asks for. Default: 100m."""
    memory: str
    """What each asks for, and its limit. Default: 128Mi."""


class KubernetesServicesArgs(TypedDict, total=False):
    """Arguments of `KubernetesServices`."""

    services: Required[Mapping[str, ServiceArgs]]
    """By name, up to 63 lower-case letters, digits and hyphens."""
    namespace: str
    """Of services alone, as all else in it is denied. Default: edge-services."""
    create_namespace: bool
    """False for one that is there; it takes pods of the level ``restricted``. Default: true."""
    gateway_namespace: str
    """Whose gateways come in. Default: api-gateway, as in `KubernetesGateway`."""
    kubeconfig: pulumi.Input[str]
    """Of the cluster; taken as a secret. Default: the provider of Kubernetes in the component's options, which must be
    there then."""
    cluster_id: pulumi.Input[str]
    """Of the cluster, with ``kubeconfig``: another id replaces the objects. Default: changes of the kubeconfig may."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: provider, namespace, default_deny, echo_script, and NAME of a service in deployments,
    services, network_policies and disruption_budgets, such as ``services.orders``."""


PARTS: Mapping[str, Any] = {
    "network_policies": NetworkPolicy,
    "disruption_budgets": PodDisruptionBudget,
    "deployments": Deployment,
    "services": Service,
}
"""What each service has, by attribute, in the order in which it is placed."""


class KubernetesServices(pulumi.ComponentResource):
    """Services with pods, a name in the cluster, and the rule that only gateways come in and nothing goes out.

    ``urls`` by name, for backends of a gateway; ``destinations`` as `KubernetesGateway` takes them; ``namespace_name``;
    the raw resources ``provider``, ``namespace``, ``echo_script`` (None where not made), ``default_deny``, and by name
    ``deployments``, ``services``, ``network_policies``, ``disruption_budgets``.
    """

    def __init__(self, name: str, args: KubernetesServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("KubernetesServices", name, [*_problems(args), *provider_problems(args.get("kubeconfig"), opts)])
        super().__init__(TYPE, name, None, opts)
        settings = _settings(args)

        self.provider = cluster_provider(
            self, name, args.get("kubeconfig"), args.get("cluster_id"), args.get("overrides")
        )
        self.namespace_name = _space(args)
        self.namespace = _namespace(self, name, args)
        self.default_deny = _default_deny(self, name, args)
        self.echo_script = _echo_script(self, name, args)
        placed = _services(self, name, args, settings)
        self.network_policies: dict[str, NetworkPolicy] = placed["network_policies"]
        self.disruption_budgets: dict[str, PodDisruptionBudget] = placed["disruption_budgets"]
        self.deployments: dict[str, Deployment] = placed["deployments"]
        self.services: dict[str, Service] = placed["services"]

        self.urls = {item.name: objects.service_url(item) for item in settings}
        ports = sorted({item.port for item in settings})
        self.destinations: dict[str, Any] = {name: {"namespace": self.namespace_name, "ports": ports}}
        self.register_outputs({"urls": self.urls, "namespace": self.namespace_name})


def echo_script() -> str:
    """The program of the echo."""
    return Path(__file__).with_name("kubernetes_echo.py").read_text(encoding="utf-8")


def _space(args: KubernetesServicesArgs) -> str:
    return args.get("namespace", "edge-services")


def _script_name() -> str:
    return objects.config_name("echo", objects.digest({"echo.py": echo_script()}))


def _settings(args: KubernetesServicesArgs) -> list[objects.ServiceSettings]:
    return [_setting(name, item, _space(args)) for name, item in sorted(args["services"].items())]


def _setting(name: str, item: ServiceArgs, space: str) -> objects.ServiceSettings:
    given: dict[str, Any] = {key: value for key, value in item.items() if value is not None}
    if "image" not in given:
        given |= {"image": ECHO_IMAGE, "command": ECHO_COMMAND, "files_name": _script_name()}
    return objects.ServiceSettings(name=name, namespace=space, **given)


def _echoes(args: KubernetesServicesArgs) -> bool:
    return any(item.get("image") is None for item in args["services"].values())


def _namespace(self: KubernetesServices, name: str, args: KubernetesServicesArgs) -> Namespace | None:
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


def _default_deny(self: KubernetesServices, name: str, args: KubernetesServicesArgs) -> NetworkPolicy:
    return place_object(
        NetworkPolicy,
        f"{name}-default-deny",
        objects.default_deny("default-deny", _space(args), {}),
        parent=self,
        provider=self.provider,
        overrides=args.get("overrides"),
        key="default_deny",
        depends_on=[self.namespace] if self.namespace else [],
    )


def _echo_script(self: KubernetesServices, name: str, args: KubernetesServicesArgs) -> ConfigMap | None:
    if not _echoes(args):
        return None
    return place_object(
        ConfigMap,
        f"{name}-echo-script",
        objects.config_map(_script_name(), _space(args), {}, {"echo.py": echo_script()}),
        parent=self,
        provider=self.provider,
        overrides=args.get("overrides"),
        key="echo_script",
        depends_on=[self.namespace] if self.namespace else [],
    )


def _services(
    self: KubernetesServices, name: str, args: KubernetesServicesArgs, settings: list[objects.ServiceSettings]
) -> dict[str, Any]:
    """By attribute, then by name of the service. Pods wait for what denies, and for the script that they run."""
    gateways = args.get("gateway_namespace", "api-gateway")
    before = [item for item in (self.namespace, self.default_deny, self.echo_script) if item is not None]
    placed: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for item in settings:
        bodies = objects.service_objects(item, gateways)
        for part, make in PARTS.items():
            pods = [placed["network_policies"][item.name]] if part == "deployments" else []
            options: dict[str, Any] = {"depends_on": [*before, *pods]}
            if part in ("deployments", "services"):
                options["custom_timeouts"] = PATIENCE
            placed[part][item.name] = place_object(
                make,
                f"{name}-{item.name}",
                bodies[part],
                parent=self,
                provider=self.provider,
                overrides=args.get("overrides"),
                key=f"{part}.{item.name}",
                **options,
            )
    return placed


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: KubernetesServicesArgs) -> list[str]:
    shape = list(_shape_problems(args))
    if shape:
        return shape  # the rest could not be read
    return [
        *objects.namespace_problems("namespace", _space(args)),
        *objects.namespace_problems("gateway_namespace", args.get("gateway_namespace", "api-gateway")),
        *(problem for item in _settings(args) for problem in objects.service_problems(item)),
        *_same_problems(args),
        *unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides"),
    ]


def _shape_problems(args: KubernetesServicesArgs) -> Iterator[str]:
    given = cast("Mapping[str, Any]", args)
    yield from unknown_keys(given, KubernetesServicesArgs.__annotations__, "the services")
    if not given.get("services"):
        yield "`services` is empty: there would be nothing to reach"
    services: Mapping[str, Mapping[str, Any]] = given.get("services") or {}
    for name, item in services.items():
        yield from unknown_keys(item, ServiceArgs.__annotations__, f"services.{name}")
    if given.get("cluster_id") is not None and given.get("kubeconfig") is None:
        yield "`cluster_id` goes with `kubeconfig`: a provider that is given has its own"


def _same_problems(args: KubernetesServicesArgs) -> Iterator[str]:
    if _space(args) == args.get("gateway_namespace", "api-gateway"):
        yield f"namespace and gateway_namespace are both `{_space(args)}`; services need one of their own"


def _attributes(args: KubernetesServicesArgs) -> list[str]:
    return [
        "default_deny",
        *(["namespace"] if args.get("create_namespace", True) else []),
        *(["echo_script"] if _echoes(args) else []),
        *(["provider"] if args.get("kubeconfig") is not None else []),
        *(f"{part}.{name}" for part in PARTS for name in args["services"]),
    ]
