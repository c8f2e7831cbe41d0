"""The Network Load Balancer for tcp, tls and udp listeners."""

from edgewright.aws.artifact import Json, NetworkBalancer, Peers
from edgewright.aws.bindings import Bindings
from edgewright.aws.compile_edge_balancer import SSL_POLICIES
from edgewright.aws.compile_services import target_peers
from edgewright.aws.compile_targets import network_target_group
from edgewright.edge.model import Edge


def network_balancer(edge: Edge, bindings: Bindings) -> NetworkBalancer | None:
    """The balancer of the listeners that carry no routes; None without any."""
    streams = [item for item in edge.listeners if not item.web]
    if not streams:
        return None
    listeners: dict[str, Json] = {}
    groups: dict[str, Json] = {}
    targets: dict[str, str] = {}
    ingress: dict[str, Json] = {}
    for item in streams:
        if item.backend is None:
            raise AssertionError("the model lets no such listener through")
        backend = edge.backends[item.backend]
        ends = item.protocol == "tls" and not (item.tls and item.tls.passthrough)
        protocol = "UDP" if item.protocol == "udp" else "TCP"
        group = f"{item.backend}-{protocol.lower()}"
        groups[group] = network_target_group(backend, bindings, protocol)
        targets[group] = item.backend
        listener: Json = {"port": item.port, "protocol": "TLS" if ends else protocol, "target_group": group}
        if ends:
            listener["certificate_arn"] = "{{certificate}}"
            listener["ssl_policy"] = SSL_POLICIES[item.tls.min_version if item.tls else "1.2"]
        listeners[item.name] = listener
        ingress[f"public-{item.port}-{protocol.lower()}"] = {
            "port": item.port,
            "protocol": protocol.lower(),
            "cidr_ipv4": "0.0.0.0/0",
            "description": "from the internet",
        }
    names = sorted(set(targets.values()))
    egress = target_peers([edge.backends[name] for name in names], bindings)
    return NetworkBalancer(listeners, groups, targets, Peers(ingress, egress))
