"""The objects of a self-hosted gateway, and of services behind it, in Kubernetes' own terms; no Pulumi import.

Sources: Microsoft's pages "Guidance for running self-hosted gateway on Kubernetes in production" and "Use Microsoft
Entra workload identity authentication for the self-hosted gateway", the gateway's Helm chart (1.15), and
cloud-provider-azure's table of annotations; read 2026-11. The objects need Kubernetes 1.30 (the sleep before a stop).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from edgewright.azure.gateway_machine import HTTP_PORT, HTTPS_PORT, IMAGE, RULES, STATUS_PATH, USER
from edgewright.clouds import digests

Text = Any
"""A text, or what stands for one that is only known later: it is carried, and not looked at."""

SYNC_PORT = 4290
HEARTBEAT_PORT = 4291
"""UDP, among gateways: the counters of rate limits, and who is there."""

OLDEST = (1, 30)
"""The oldest version of Kubernetes that takes the objects."""

GATEWAY = "api-management-gateway"
SERVICE = "edge-service"
"""Values of the label ``app.kubernetes.io/name``: of gateways, and of services behind them."""

USE_IDENTITY = {"azure.workload.identity/use": "true"}
"""The label of workload identity; without it on the **pod** the webhook gives no token."""

_NAME = "app.kubernetes.io/name"
_INSTANCE = "app.kubernetes.io/instance"
_NAMESPACE = "kubernetes.io/metadata.name"
_AZURE = "service.beta.kubernetes.io/azure-"

# Not what gives a machine its own credentials and settings.
_OUTSIDE: Mapping[str, Any] = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["168.63.129.16/32", "169.254.0.0/16"]}}

_SECRETIVE = re.compile(r"(?i)secret|password|passphrase|credential|token$|key$|connection-?string")
_WORDS = "1 to {} lower-case letters, digits and hyphens, a letter first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """How clients reach the gateway: a Service's balancer of Azure.

    internal: with a private address, in ``subnet_name`` or else in the nodes' subnet; address: a fixed one, private or
    of an existing public IP; public_ip_name: an existing Standard public IP, in ``public_ip_resource_group`` or else in
    the nodes' group; source_ranges: who may come in, everybody if empty; idle_timeout_minutes: 4 to 100.
    """

    internal: bool = False
    subnet_name: Text = ""
    address: Text = ""
    public_ip_name: Text = ""
    public_ip_resource_group: Text = ""
    source_ranges: tuple[str, ...] = ()
    idle_timeout_minutes: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where gateways may go by TCP: pods of a ``namespace``, or a ``cidr`` outside of the cluster; one of them.

    ports: those where pods listen, as a policy sees what goes through a Service only behind it.
    """

    ports: tuple[int, ...]
    namespace: str = ""
    cidr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A volume that keeps the last configuration, for a start without a way to Azure; all gateways share it."""

    storage_class: str = "azurefile-csi"
    size: str = "50Mi"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What the objects of a gateway are made from.

    name, namespace: of the objects; gateway_id: its id in API Management; endpoint: the service's configuration
    endpoint, a host; client_id: of the identity that the gateway has; image_tag: a full version; image_digest:
    ``sha256:...``; replicas: at least so many; max_replicas: at most, and no autoscaler if they are the same; cpu,
    memory: what each asks for (Microsoft: two cores and 2 GiB to start with, then measure); cpu_target: percent of
    ``cpu`` at which one is added; http: whether port 80 is open too; destinations: by a name; redis_port: of an
    external cache; settings: of the gateway, by their dotted names, nothing secret.
    """

    name: str
    namespace: str
    gateway_id: Text
    endpoint: Text
    client_id: Text
    image_tag: str
    image_digest: str = ""
    replicas: int = 3
    max_replicas: int = 10
    cpu: str = "2"
    memory: str = "2Gi"
    cpu_target: int = 70
    http: bool = False
    balancer: Balancer = Balancer()
    destinations: Mapping[str, Destination] = field(default_factory=dict[str, Destination])
    redis_port: int | None = None
    backup: Backup | None = None
    settings: Mapping[str, Text] = field(default_factory=dict[str, Text])


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """A service behind the gateway.

    image: with its tag or digest; port: where it listens; path: of its probes; user: by number, not 0; files_name: of a
    ConfigMap that is mounted at /srv, and then ``command`` runs instead of the image's own, with PORT and SERVICE in
    its environment.
    """

    name: str
    namespace: str
    image: Text
    port: int = 8080
    path: str = "/healthz"
    replicas: int = 2
    user: int = 65532
    cpu: str = "100m"
    memory: str = "128Mi"
    command: tuple[str, ...] = ()
    files_name: str = ""


# -- parts -------------------------------------------------------------------------------------------------------------


def _object(version: str, kind: str, metadata: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": dict(metadata), **rest}


def _meta(name: Text, namespace: str, labels: Mapping[str, str], annotations: Mapping[str, Text] | None = None) -> Any:
    found = {"name": name, "namespace": namespace, "labels": dict(labels)}
    return found | ({"annotations": dict(annotations)} if annotations else {})


def labels(app: str, instance: str) -> dict[str, str]:
    """What objects are found by; never changed, as selectors cannot be."""
    return {_NAME: app, _INSTANCE: instance}


def namespace(name: str) -> dict[str, Any]:
    """A namespace that only takes pods of the level ``restricted``.

    It asks for neither of what the gateway lacks: a read-only root file system is no part of it.
    """
    level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("audit", "enforce", "warn")}
    return _object("v1", "Namespace", {"name": name, "labels": level})


def default_deny(name: str, space: str, own: Mapping[str, str]) -> dict[str, Any]:
    """Nothing in or out of any pod of the namespace, but for what another policy lets through."""
    return _policy(name, space, own, {}, [], [])


def _policy(
    name: str,
    space: str,
    own: Mapping[str, str],
    selector: Mapping[str, Any],
    ingress: list[dict[str, Any]],
    egress: list[dict[str, Any]],
) -> dict[str, Any]:
    spec: dict[str, Any] = {"podSelector": dict(selector), "policyTypes": ["Ingress", "Egress"]}
    spec |= {"ingress": ingress} if ingress else {}
    spec |= {"egress": egress} if egress else {}
    return _object("networking.k8s.io/v1", "NetworkPolicy", _meta(name, space, own), spec=spec)


def _ports(protocol: str, *ports: int) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": protocol} for port in sorted(set(ports))]


def disruption_budget(name: str, space: str, own: Mapping[str, str]) -> dict[str, Any]:
    """One pod at a time; one that is not healthy anyway does not hold a node back."""
    spec = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": dict(own)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return _object("policy/v1", "PodDisruptionBudget", _meta(name, space, own), spec=spec)


def _spread(own: Mapping[str, str]) -> list[dict[str, Any]]:
    """Over zones, then hosts, as well as there is room: a zone that is down must not keep pods from another one.

    Each revision by itself (``pod-template-hash``), so that an update ends as evenly as it began.
    """
    return [
        {
            "labelSelector": {"matchLabels": dict(own)},
            "matchLabelKeys": ["pod-template-hash"],
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def _pod_security(user: int) -> dict[str, Any]:
    return {
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "runAsGroup": user,
        "runAsNonRoot": True,
        "runAsUser": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container_security(*, read_only: bool) -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": read_only,
    }


def _probe(path: str, *, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "failureThreshold": failures,
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
    }


def _probes(path: str, *, slow: bool) -> dict[str, Any]:
    """A start may take five minutes if ``slow``, else one: until then nothing else is probed."""
    return {
        "livenessProbe": _probe(path, period=10, timeout=5, failures=6),
        "readinessProbe": _probe(path, period=5, timeout=3, failures=3),
        "startupProbe": _probe(path, period=10, timeout=5, failures=30 if slow else 6),
    }


def _deployment(
    name: str,
    space: str,
    own: Mapping[str, str],
    *,
    replicas: int,
    template: Mapping[str, Any],
    surge: str | int,
) -> dict[str, Any]:
    """None goes before another came; a quarter more at a time."""
    spec = {
        "minReadySeconds": 10,
        "progressDeadlineSeconds": 900,  # a new node may have to come first
        "replicas": replicas,
        "revisionHistoryLimit": 5,
        "selector": {"matchLabels": dict(own)},
        "strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 0}, "type": "RollingUpdate"},
        "template": dict(template),
    }
    return _object("apps/v1", "Deployment", _meta(name, space, own), spec=spec)


# -- the gateway -------------------------------------------------------------------------------------------------------


def gateway_labels(given: GatewaySettings) -> dict[str, str]:
    """Of the gateway's objects and pods."""
    return labels(GATEWAY, given.name)


def discovery_name(given: GatewaySettings) -> str:
    """Of the Service that all gateways find one another by."""
    return f"{given.name}-instance-discovery"


def gateway_environment(given: GatewaySettings) -> dict[str, Text]:
    """The gateway's settings, sorted. Names have dots, which ``envFrom`` takes."""
    found: dict[str, Text] = {
        **given.settings,
        "config.service.auth": "workloadIdentity",
        "config.service.endpoint": given.endpoint,
        "gateway.name": given.gateway_id,
        "neighborhood.host": discovery_name(given),
    }
    defaults = {
        "telemetry.logs.local": "none",  # nothing listens in the pod
        "telemetry.logs.std": "json",
        "telemetry.logs.std.level": "info",
        "telemetry.metrics.local": "none",
    }
    return dict(sorted({**defaults, **found}.items()))


_OWN_SETTINGS = ("config.service.auth", "config.service.endpoint", "gateway.name", "neighborhood.host")


def digest(data: Mapping[str, str]) -> str:
    """Of the texts of a ConfigMap; another one is another ConfigMap, so that it rolls the pods."""
    return digests.digest(json.dumps(dict(data), sort_keys=True))


def config_name(name: str, found: str) -> str:
    """A ConfigMap's name, with its digest: pods of the old revision keep theirs while the new ones start."""
    return f"{name}-{digests.shortened(found, 10)}"


def config_map(name: Text, space: str, own: Mapping[str, str], data: Mapping[str, Text]) -> dict[str, Any]:
    """A ConfigMap that never changes; what is new has another name."""
    return _object("v1", "ConfigMap", _meta(name, space, own), data=dict(data), immutable=True)


def service_account(given: GatewaySettings) -> dict[str, Any]:
    """Without a token for Kubernetes itself: workload identity mounts its own, for Entra alone."""
    meta = _meta(
        given.name,
        given.namespace,
        {**gateway_labels(given), **USE_IDENTITY},
        {"azure.workload.identity/client-id": given.client_id},
    )
    return _object("v1", "ServiceAccount", meta, automountServiceAccountToken=False)


def claim(given: GatewaySettings, backup: Backup) -> dict[str, Any]:
    """The volume of the backup, which all gateways mount."""
    spec = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": backup.size}},
        "storageClassName": backup.storage_class,
    }
    return _object("v1", "PersistentVolumeClaim", _meta(given.name, given.namespace, gateway_labels(given)), spec=spec)


def gateway_image(given: GatewaySettings) -> str:
    """With its full version, and the digest if there is one."""
    return f"{IMAGE}:{given.image_tag}" + (f"@{given.image_digest}" if given.image_digest else "")


def gateway_deployment(given: GatewaySettings, config: Text, found: Text) -> dict[str, Any]:
    """The gateways. config: name of the ConfigMap; found: its digest.

    The memory that is asked for is the limit too. There is none for the processor: what is free may be used, and a
    throttled gateway is a slow one.
    """
    own = gateway_labels(given)
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "containers": [_gateway_container(given, config)],
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": _pod_security(USER),
        "serviceAccountName": given.name,
        "terminationGracePeriodSeconds": 60,
        "topologySpreadConstraints": _spread(own),
    }
    if given.backup is not None:
        pod["volumes"] = [{"name": "config", "persistentVolumeClaim": {"claimName": given.name}}]
    template = {
        "metadata": {"annotations": {"checksum/settings": found}, "labels": {**own, **USE_IDENTITY}},
        "spec": pod,
    }
    return _deployment(given.name, given.namespace, own, replicas=given.replicas, template=template, surge="25%")


def _gateway_container(given: GatewaySettings, config: Text) -> dict[str, Any]:
    found: dict[str, Any] = {
        "envFrom": [{"configMapRef": {"name": config}}],
        "image": gateway_image(given),
        "imagePullPolicy": "IfNotPresent",
        # The balancer's probe needs ten seconds to see that a node's gateway goes; what is open ends in the other 45.
        "lifecycle": {"preStop": {"sleep": {"seconds": 15}}},
        "name": "gateway",
        "ports": [
            {"containerPort": HTTP_PORT, "name": "http", "protocol": "TCP"},
            {"containerPort": HTTPS_PORT, "name": "https", "protocol": "TCP"},
            {"containerPort": SYNC_PORT, "name": "sync", "protocol": "UDP"},
            {"containerPort": HEARTBEAT_PORT, "name": "heartbeat", "protocol": "UDP"},
        ],
        "resources": {
            "limits": {"memory": given.memory},
            "requests": {"cpu": given.cpu, "memory": given.memory},
        },
        "securityContext": _container_security(read_only=False),  # the gateway supports no read-only root
        **_probes(STATUS_PATH, slow=True),
    }
    if given.backup is not None:
        found["volumeMounts"] = [{"mountPath": "/apim/config", "name": "config"}]
    return found


def gateway_service(given: GatewaySettings) -> dict[str, Any]:
    """What clients reach. ``Local`` keeps their addresses, and lets Azure's probe ask each node for a ready gateway."""
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"}]
    if given.http:
        ports.insert(0, {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"})
    own = gateway_labels(given)
    spec: dict[str, Any] = {
        "externalTrafficPolicy": "Local",
        "ports": ports,
        "selector": own,
        "type": "LoadBalancer",
    }
    if given.balancer.source_ranges:
        spec["loadBalancerSourceRanges"] = sorted(given.balancer.source_ranges)
    meta = _meta(given.name, given.namespace, own, balancer_annotations(given.balancer))
    return _object("v1", "Service", meta, spec=spec)


def balancer_annotations(given: Balancer) -> dict[str, Text]:
    """What Azure's cloud provider reads."""
    found = {
        "load-balancer-internal": "true" if given.internal else "",
        "load-balancer-internal-subnet": given.subnet_name,
        "load-balancer-ipv4": given.address,
        "load-balancer-resource-group": given.public_ip_resource_group,
        "load-balancer-tcp-idle-timeout": str(given.idle_timeout_minutes),
        "pip-name": given.public_ip_name,
    }
    # An Output has no truth: only a text that is empty is left out.
    return {f"{_AZURE}{key}": value for key, value in found.items() if not isinstance(value, str) or value}


def discovery_service(given: GatewaySettings) -> dict[str, Any]:
    """A name for all gateways, also those that are not ready: they count requests too, and a limit holds for all."""
    own = gateway_labels(given)
    spec = {
        "clusterIP": "None",
        "ports": [
            {"name": "sync", "port": SYNC_PORT, "protocol": "UDP", "targetPort": "sync"},
            {"name": "heartbeat", "port": HEARTBEAT_PORT, "protocol": "UDP", "targetPort": "heartbeat"},
        ],
        "publishNotReadyAddresses": True,
        "selector": own,
        "type": "ClusterIP",
    }
    return _object("v1", "Service", _meta(discovery_name(given), given.namespace, own), spec=spec)


def autoscaler(given: GatewaySettings) -> dict[str, Any]:
    """By use of the processor; down slowly, one pod in two minutes."""
    spec = {
        "behavior": {
            "scaleDown": {
                "policies": [{"periodSeconds": 120, "type": "Pods", "value": 1}],
                "stabilizationWindowSeconds": 600,
            }
        },
        "maxReplicas": given.max_replicas,
        "metrics": [
            {
                "resource": {
                    "name": "cpu",
                    "target": {"averageUtilization": given.cpu_target, "type": "Utilization"},
                },
                "type": "Resource",
            }
        ],
        "minReplicas": given.replicas,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": given.name},
    }
    return _object(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        _meta(given.name, given.namespace, gateway_labels(given)),
        spec=spec,
    )


def gateway_policy(given: GatewaySettings) -> dict[str, Any]:
    """What may reach gateways, and what they may reach.

    Probes need no rule: Kubernetes always lets a pod's own node in, and Azure's probe asks the node, not the pod.
    ``ipBlock`` is for what is outside: with Cilium in AKS it matches neither pods nor nodes.
    """
    own = gateway_labels(given)
    peers = [{"podSelector": {"matchLabels": own}}]
    clients = [{"ipBlock": {"cidr": cidr}} for cidr in sorted(given.balancer.source_ranges)]
    served = _ports("TCP", HTTPS_PORT, *([HTTP_PORT] if given.http else []))
    among = _ports("UDP", SYNC_PORT, HEARTBEAT_PORT)
    ingress = [{"from": peers, "ports": among}, {"ports": served} | ({"from": clients} if clients else {})]
    egress = [
        _to_dns(),
        {"ports": among, "to": peers},
        # Configuration, Entra, the management endpoint, storage, logs, keys of issuers; and backends by HTTPS.
        {
            "ports": _ports("TCP", 443),
            "to": [_OUTSIDE],
        },
        *(_to(item) for _, item in sorted(given.destinations.items())),
    ]
    if given.redis_port is not None:
        egress.append({"ports": _ports("TCP", given.redis_port), "to": [_OUTSIDE]})
    return _policy(given.name, given.namespace, own, {"matchLabels": own}, ingress, egress)


def _to_dns() -> dict[str, Any]:
    """CoreDNS, by the label that AKS gives it."""
    target = {
        "namespaceSelector": {"matchLabels": {_NAMESPACE: "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return {"ports": [*_ports("TCP", 53), *_ports("UDP", 53)], "to": [target]}


def _to(item: Destination) -> dict[str, Any]:
    peer = (
        {"namespaceSelector": {"matchLabels": {_NAMESPACE: item.namespace}}}
        if item.namespace
        else {"ipBlock": {"cidr": item.cidr}}
    )
    return {"ports": _ports("TCP", *item.ports), "to": [peer]}


def gateway_objects(given: GatewaySettings, config: Text, found: Text) -> dict[str, dict[str, Any]]:
    """Every object but the namespace, by the attribute that holds it in `KubernetesGateway`."""
    own = gateway_labels(given)
    objects = {
        "config_map": config_map(config, given.namespace, own, gateway_environment(given)),
        "default_deny": default_deny(f"{given.name}-default-deny", given.namespace, own),
        "deployment": gateway_deployment(given, config, found),
        "discovery_service": discovery_service(given),
        "disruption_budget": disruption_budget(given.name, given.namespace, own),
        "network_policy": gateway_policy(given),
        "service": gateway_service(given),
        "service_account": service_account(given),
    }
    if given.max_replicas > given.replicas:
        objects["autoscaler"] = autoscaler(given)
    if given.backup is not None:
        objects["claim"] = claim(given, given.backup)
    return dict(sorted(objects.items()))


# -- services behind it ------------------------------------------------------------------------------------------------


def service_labels(given: ServiceSettings) -> dict[str, str]:
    """Of a service's objects and pods."""
    return labels(SERVICE, given.name)


def service_deployment(given: ServiceSettings) -> dict[str, Any]:
    """Its pods; their file system is read-only, but for /tmp."""
    own = service_labels(given)
    mounts = [{"mountPath": "/tmp", "name": "tmp"}]  # noqa: S108 (a volume of the pod)
    volumes: list[dict[str, Any]] = [{"emptyDir": {"sizeLimit": "64Mi"}, "name": "tmp"}]
    container: dict[str, Any] = {
        "image": given.image,
        "imagePullPolicy": "IfNotPresent",
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "name": "service",
        "ports": [{"containerPort": given.port, "name": "http", "protocol": "TCP"}],
        "resources": {
            "limits": {"memory": given.memory},
            "requests": {"cpu": given.cpu, "memory": given.memory},
        },
        "securityContext": _container_security(read_only=True),
        "volumeMounts": mounts,
        **_probes(given.path, slow=False),
    }
    if given.files_name:
        container["command"] = list(given.command)
        container["env"] = [{"name": "PORT", "value": str(given.port)}, {"name": "SERVICE", "value": given.name}]
        mounts.insert(0, {"mountPath": "/srv", "name": "files"})
        volumes.insert(0, {"configMap": {"name": given.files_name}, "name": "files"})
    pod = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": _pod_security(given.user),
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": _spread(own),
        "volumes": volumes,
    }
    template = {"metadata": {"labels": own}, "spec": pod}
    return _deployment(given.name, given.namespace, own, replicas=given.replicas, template=template, surge=1)


def cluster_service(given: ServiceSettings) -> dict[str, Any]:
    """Its name in the cluster."""
    own = service_labels(given)
    spec = {
        "ports": [{"name": "http", "port": given.port, "protocol": "TCP", "targetPort": "http"}],
        "selector": own,
        "type": "ClusterIP",
    }
    return _object("v1", "Service", _meta(given.name, given.namespace, own), spec=spec)


def service_policy(given: ServiceSettings, gateway_namespace: str) -> dict[str, Any]:
    """Gateways of one namespace come in, and nothing goes out."""
    own = service_labels(given)
    gateways = {
        "namespaceSelector": {"matchLabels": {_NAMESPACE: gateway_namespace}},
        "podSelector": {"matchLabels": {_NAME: GATEWAY}},
    }
    ingress = [{"from": [gateways], "ports": _ports("TCP", given.port)}]
    return _policy(given.name, given.namespace, own, {"matchLabels": own}, ingress, [])


def service_objects(given: ServiceSettings, gateway_namespace: str) -> dict[str, dict[str, Any]]:
    """Every object of a service, by kind of attribute in `KubernetesServices`."""
    own = service_labels(given)
    return {
        "deployments": service_deployment(given),
        "disruption_budgets": disruption_budget(given.name, given.namespace, own),
        "network_policies": service_policy(given, gateway_namespace),
        "services": cluster_service(given),
    }


def service_url(given: ServiceSettings) -> str:
    """For a gateway's backend."""
    return f"http://{given.name}.{given.namespace}.svc.cluster.local:{given.port}"


# -- checks ------------------------------------------------------------------------------------------------------------


def gateway_problems(given: GatewaySettings) -> list[str]:
    """What is wrong with settings; what is only known later is taken as right."""
    return [
        *name_problems("name", given.name, 63 - len("-instance-discovery")),
        *namespace_problems("namespace", given.namespace),
        *_image_problems(given),
        *_count_problems(given),
        *_balancer_problems(given.balancer),
        *(problem for name, item in given.destinations.items() for problem in _destination_problems(name, item)),
        *([] if given.redis_port is None else port_problems("redis_port", given.redis_port)),
        *([] if given.backup is None else _quantity_problems("backup.size", given.backup.size)),
        *_setting_problems(given.settings),
    ]


def service_problems(given: ServiceSettings) -> list[str]:
    """What is wrong with a service."""
    what = f"services.{given.name}"
    found = [
        *name_problems(f"the name of {what}", given.name, 63),
        *port_problems(f"{what}.port", given.port),
        *_quantity_problems(f"{what}.cpu", given.cpu),
        *_quantity_problems(f"{what}.memory", given.memory),
    ]
    if given.port < 1024:
        found.append(f"{what}.port is {given.port}; below 1024 only root listens, so let it listen above")
    if not given.path.startswith("/"):
        found.append(f"{what}.path is {given.path!r}; it begins with a slash")
    if given.replicas < 1:
        found.append(f"{what}.replicas is {given.replicas}; there must be 1 at least")
    if given.user < 1:
        found.append(f"{what}.user is {given.user}; it must be a number above 0, as root is not taken")
    if isinstance(given.image, str) and not re.search(r"(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$", given.image):
        found.append(f"{what}.image is {given.image!r}; it must end with a tag or a digest, so that it does not move")
    if isinstance(given.image, str) and given.image.endswith(":latest"):
        found.append(f"{what}.image is {given.image!r}; `latest` moves: write a version or a digest")
    return found


def name_problems(what: str, name: str, limit: int) -> list[str]:
    """Names of Services are the strictest (RFC 1035)."""
    if len(name) <= limit and re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name):
        return []
    return [f"{what} is {name!r}; it must be {_WORDS.format(limit)}"]


def namespace_problems(what: str, name: str) -> list[str]:
    """A namespace of its own: policies deny all else in it."""
    if name in ("default", "gatekeeper-system") or name.startswith("kube-"):
        return [f"{what} is {name!r}, where other things are; name one of its own"]
    return name_problems(what, name, 63)


def port_problems(what: str, port: int) -> list[str]:
    """Of TCP."""
    return [] if 1 <= port <= 65535 else [f"{what} is {port}, which is no port"]


def _quantity_problems(what: str, text: str) -> list[str]:
    fits = re.fullmatch(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", text)
    return [] if fits else [f"{what} is {text!r}; write a quantity of Kubernetes, such as 2, 500m or 2Gi"]


def _image_problems(given: GatewaySettings) -> Iterator[str]:
    tag = given.image_tag
    if re.fullmatch(RULES["image_tag"][0], tag) is None:
        yield f"image_tag is {tag!r}; it must be {RULES['image_tag'][1]}"
    elif tuple(int(part) for part in tag.partition("-")[0].split(".")[:2]) < (2, 11):
        yield f"image_tag is {tag!r}; workload identity needs 2.11.0 or newer"
    if given.image_digest and re.fullmatch(r"sha256:[0-9a-f]{64}", given.image_digest) is None:
        yield f"image_digest is {given.image_digest!r}; it must be sha256: and 64 hexadecimal digits"


def _count_problems(given: GatewaySettings) -> Iterator[str]:
    if given.replicas < 1:
        yield f"replicas is {given.replicas}; there must be 1 at least"
    if given.max_replicas < given.replicas:
        yield f"max_replicas is {given.max_replicas}; it must be from replicas, {given.replicas}, on"
    if not 1 <= given.cpu_target <= 95:
        yield f"cpu_target is {given.cpu_target}; it is a percent from 1 to 95"
    yield from _quantity_problems("cpu", given.cpu)
    yield from _quantity_problems("memory", given.memory)


def _balancer_problems(given: Balancer) -> Iterator[str]:
    public, private = _given(given.public_ip_name), _given(given.subnet_name)
    if given.internal and public:
        yield "load_balancer is internal, and names a public address: one of them"
    if private and not given.internal:
        yield "load_balancer.subnet_name is for an internal one: write `internal: True` too"
    if public and _given(given.address):
        yield "load_balancer has `address` and `public_ip_name`: the address follows from the name, so leave it out"
    if _given(given.public_ip_resource_group) and not public:
        yield "load_balancer.public_ip_resource_group needs `public_ip_name`"
    if isinstance(given.address, str) and given.address and not _address(given.address):
        yield f"load_balancer.address is {given.address!r}, which is no IPv4 address"
    if given.internal and _address(given.address) and not IPv4Address(given.address).is_private:
        yield f"load_balancer.address is {given.address}; an internal one is private"
    for cidr in given.source_ranges:
        yield from cidr_problems("load_balancer.source_ranges", cidr)
    if not 4 <= given.idle_timeout_minutes <= 100:
        yield f"load_balancer.idle_timeout_minutes is {given.idle_timeout_minutes}; it is 4 to 100"


def _given(value: Text) -> bool:
    return not isinstance(value, str) or value != ""


def _address(value: Text) -> bool:
    try:
        return isinstance(value, str) and bool(IPv4Address(value))
    except AddressValueError:
        return False


def cidr_problems(what: str, cidr: str) -> Iterator[str]:
    """A range of IPv4, with nothing set behind its prefix."""
    try:
        IPv4Network(cidr)
    except ValueError as error:
        yield f"{what} has {cidr!r}, which is no range like 10.0.0.0/16: {error}"


def _destination_problems(name: str, item: Destination) -> Iterator[str]:
    what = f"destinations.{name}"
    if bool(item.namespace) == bool(item.cidr):
        yield f"{what} needs one of `namespace` and `cidr`"
    if item.namespace:
        yield from name_problems(f"{what}.namespace", item.namespace, 63)
    if item.cidr:
        yield from cidr_problems(f"{what}.cidr", item.cidr)
    if not item.ports:
        yield f"{what}.ports is empty: nothing would be reached"
    for port in item.ports:
        yield from port_problems(f"{what}.ports", port)


def _setting_problems(settings: Mapping[str, Text]) -> Iterator[str]:
    for name in sorted(settings):
        if name in _OWN_SETTINGS:
            yield f"settings has `{name}`, which is written here: leave it out"
        elif _SECRETIVE.search(name):
            yield f"settings has `{name}`, which sounds secret: everybody who reads the namespace reads a ConfigMap"
        elif not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name):
            yield f"settings has `{name}`, which is no name of a setting"
