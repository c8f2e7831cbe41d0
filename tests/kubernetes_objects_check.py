"""Judges Kubernetes objects offline: by Kubernetes' own schemas, by what refers to what, and by who may reach whom.

The policies' meaning is that of Kubernetes' page "Network Policies", and Cilium's where AKS has it: ``ipBlock`` matches
what is outside of the cluster alone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import kubernetes_validate
from kubernetes_validate import utils

from edgewright.plan.model import Resource

Object = Mapping[str, Any]

VERSIONS = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
"""Of Kubernetes, from the oldest that takes the objects to the newest whose schemas are installed."""

NAMESPACE = "kubernetes.io/metadata.name"

# The files are of some megabytes, and each is asked for again and again.
utils.schema_contents = cache(utils.schema_contents)


def objects_of(resources: Sequence[Resource]) -> list[dict[str, Any]]:
    """The objects among what was recorded."""
    return [dict(item.inputs) for item in resources if item.type.startswith("kubernetes:")]


def named(found: Object) -> str:
    """Kind and name, for messages."""
    return f"{found['kind']} {found['metadata']['name']}"


def schema_problems(objects: Sequence[Object], version: str) -> list[str]:
    """What Kubernetes' schemas say against objects; fields that they do not know are said too."""
    return [problem for item in objects for problem in _schema_problems(item, version)]


def _schema_problems(found: Object, version: str) -> Iterator[str]:
    try:
        used = kubernetes_validate.validate(dict(found), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{named(found)}: {'/'.join(map(str, error.path))}: {error.message[:200]}"
    else:
        if used != version:
            yield f"{named(found)}: there are no schemas of {version}"


# -- what refers to what -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pod:
    """As policies and Services see one. ports: by name, number and protocol; address: none, as it is in the cluster."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    ports: Mapping[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])


@dataclass(frozen=True)
class Outside:
    """What has an address that is none of the cluster's."""

    address: str


@dataclass(frozen=True)
class OwnNode:
    """The node that a pod is on; Kubernetes always lets it in, for probes."""


End = Pod | Outside | OwnNode


def pods_of(objects: Sequence[Object]) -> list[Pod]:
    """One of each Deployment."""
    return [_pod(item) for item in objects if item["kind"] == "Deployment"]


def _pod(deployment: Object) -> Pod:
    template = deployment["spec"]["template"]
    ports = {
        port["name"]: (port["containerPort"], port.get("protocol", "TCP"))
        for container in template["spec"]["containers"]
        for port in container["ports"]
    }
    return Pod(deployment["metadata"]["namespace"], template["metadata"]["labels"], ports)


def wiring_problems(objects: Sequence[Object]) -> list[str]:
    """References that lead nowhere: of selectors, of ports by name, and of objects by name."""
    return [problem for item in objects for problem in _wiring_problems(item, objects)]


def _wiring_problems(found: Object, objects: Sequence[Object]) -> Iterator[str]:
    kind, what = found["kind"], named(found)
    if kind == "Namespace":
        return
    space = found["metadata"]["namespace"]
    pods = [pod for pod in pods_of(objects) if pod.namespace == space]
    if kind == "Service":
        behind = [pod for pod in pods if _within(found["spec"]["selector"], pod.labels)]
        if len(behind) != 1:
            yield f"{what}: its selector finds {len(behind)} kinds of pods"
        for port in found["spec"]["ports"]:
            if not behind or behind[0].ports.get(port["targetPort"], (0, ""))[1] != port["protocol"]:
                yield f"{what}: no container has the port {port['targetPort']} of {port['protocol']}"
    selector = found.get("spec", {}).get("podSelector") or found.get("spec", {}).get("selector")
    selecting = kind in ("PodDisruptionBudget", "Deployment", "NetworkPolicy") and bool(selector)
    if selecting and sum(_selects(selector, pod.labels) for pod in pods) != 1:
        yield f"{what}: its selector finds no pods of one kind"
    if kind == "HorizontalPodAutoscaler":
        target = found["spec"]["scaleTargetRef"]
        yield from _absent(what, objects, target["kind"], target["name"], space)
    if kind == "Deployment":
        yield from _pod_wiring(what, found["spec"]["template"]["spec"], objects, space)


def _pod_wiring(what: str, spec: Object, objects: Sequence[Object], space: str) -> Iterator[str]:
    if "serviceAccountName" in spec:
        yield from _absent(what, objects, "ServiceAccount", spec["serviceAccountName"], space)
    volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
    for volume in volumes.values():
        if "configMap" in volume:
            yield from _absent(what, objects, "ConfigMap", volume["configMap"]["name"], space)
        if "persistentVolumeClaim" in volume:
            claim = volume["persistentVolumeClaim"]["claimName"]
            yield from _absent(what, objects, "PersistentVolumeClaim", claim, space)
    for container in spec["containers"]:
        for source in container.get("envFrom", []):
            yield from _absent(what, objects, "ConfigMap", source["configMapRef"]["name"], space)
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                yield f"{what}: there is no volume {mount['name']}"
        names = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if container[probe]["httpGet"]["port"] not in names:
                yield f"{what}: no port has the name that {probe} asks"


def _absent(what: str, objects: Sequence[Object], kind: str, name: str, space: str) -> Iterator[str]:
    if not any(
        item["kind"] == kind and item["metadata"]["name"] == name and item["metadata"]["namespace"] == space
        for item in objects
    ):
        yield f"{what}: there is no {kind} {name} in {space}"


def _within(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return wanted.items() <= labels.items()


def _selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """A label selector; an empty one selects all."""
    return _within(selector.get("matchLabels", {}), labels) and all(
        _expression(item, labels) for item in selector.get("matchExpressions", [])
    )


def _expression(item: Object, labels: Mapping[str, str]) -> bool:
    key, values = item["key"], item.get("values", [])
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[item["operator"]]


# -- Pod Security Standards --------------------------------------------------------------------------------------------


def restricted_problems(spec: Object) -> list[str]:
    """What keeps a pod out of a namespace of the level ``restricted`` (Kubernetes' page "Pod Security Standards")."""
    found = [f"{key} is on" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    found += [
        f"volume {item['name']} is of a kind that is not allowed"
        for item in spec.get("volumes", [])
        if not allowed & set(item)
    ]
    pod = spec.get("securityContext", {})
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        own = container.get("securityContext", {})
        both = {**pod, **own}
        if own.get("allowPrivilegeEscalation") is not False:
            found.append("privileges may grow")
        if own.get("privileged"):
            found.append("it is privileged")
        if "ALL" not in own.get("capabilities", {}).get("drop", []):
            found.append("capabilities are kept")
        if set(own.get("capabilities", {}).get("add", [])) - {"NET_BIND_SERVICE"}:
            found.append("capabilities are added")
        if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
            found.append("it may run as root")
        if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append("it has no seccomp profile")
        if any("hostPort" in port for port in container.get("ports", [])):
            found.append("it takes a port of the host")
    return found


# -- who may reach whom ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """A cluster as its policies make it. objects: all of them; what has no policy is open, as in Kubernetes."""

    objects: Sequence[Object]

    def may(self, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection is let out at the one end and in at the other."""
        return self._side(source, "Egress", target, target, port, protocol) and self._side(
            target, "Ingress", source, target, port, protocol
        )

    def served(self, source: End, service: str, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection to a port of a Service reaches its pods."""
        found = next(item for item in self.objects if item["kind"] == "Service" and item["metadata"]["name"] == service)
        ranges = found["spec"].get("loadBalancerSourceRanges", [])
        if ranges and isinstance(source, Outside) and not any(_in(source.address, cidr) for cidr in ranges):
            return False
        pods = [
            pod
            for pod in pods_of(self.objects)
            if pod.namespace == found["metadata"]["namespace"] and _within(found["spec"]["selector"], pod.labels)
        ]
        ways = [
            self.may(source, pod, pod.ports[item["targetPort"]][0], protocol)
            for item in found["spec"]["ports"]
            if item["port"] == port and item["protocol"] == protocol
            for pod in pods
        ]
        return bool(ways) and all(ways)

    def _side(self, end: End, direction: str, other: End, target: End, port: int, protocol: str) -> bool:
        """One end's policies: none that select it let everything through; else one rule must."""
        if not isinstance(end, Pod) or isinstance(other, OwnNode):
            return True
        policies = [
            item
            for item in self.objects
            if item["kind"] == "NetworkPolicy"
            and item["metadata"]["namespace"] == end.namespace
            and direction in _types(item["spec"])
            and _selects(item["spec"]["podSelector"], end.labels)
        ]
        peers = "from" if direction == "Ingress" else "to"
        return not policies or any(
            self._peers(rule.get(peers), other, end.namespace) and _port(rule.get("ports"), target, port, protocol)
            for item in policies
            for rule in item["spec"].get(direction.lower(), [])
        )

    def _peers(self, peers: Sequence[Object] | None, other: End, own: str) -> bool:
        """No list, or an empty one, is everybody."""
        return not peers or any(self._peer(peer, other, own) for peer in peers)

    def _peer(self, peer: Object, other: End, own: str) -> bool:
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            return (
                isinstance(other, Outside)
                and _in(other.address, block["cidr"])
                and not any(_in(other.address, cidr) for cidr in block.get("except", []))
            )
        if not isinstance(other, Pod):
            return False
        spaces = peer.get("namespaceSelector")
        in_space = other.namespace == own if spaces is None else _selects(spaces, self._labels(other.namespace))
        return in_space and _selects(peer.get("podSelector", {}), other.labels)

    def _labels(self, namespace: str) -> dict[str, str]:
        """Of a namespace; Kubernetes adds its name."""
        made = [item for item in self.objects if item["kind"] == "Namespace" and item["metadata"]["name"] == namespace]
        own: Mapping[str, str] = made[0]["metadata"].get("labels", {}) if made else {}
        return {**own, NAMESPACE: namespace}


def _types(spec: Object) -> Sequence[str]:
    return spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]


def _in(address: str, cidr: str) -> bool:
    return IPv4Address(address) in IPv4Network(cidr)


def _port(ports: Sequence[Object] | None, target: End, port: int, protocol: str) -> bool:
    """No list, or an empty one, is every port. A name is that of a container's port at the target."""
    if not ports:
        return True
    for item in ports:
        wanted = item.get("port")
        if isinstance(wanted, str):
            wanted = target.ports.get(wanted, (0, ""))[0] if isinstance(target, Pod) else 0
        last = item.get("endPort", wanted)
        if item.get("protocol", "TCP") == protocol and (wanted is None or wanted <= port <= last):
            return True
    return False


def copied(objects: Sequence[Object]) -> list[dict[str, Any]]:
    """Deep copies, to change."""
    return json.loads(json.dumps(objects))
