"""Target groups from backends: protocol, health check, and what of it AWS takes."""

from edgewright.aws.artifact import Json
from edgewright.aws.bindings import Bindings
from edgewright.edge.model import Backend, HealthCheck

_PROTOCOLS = {
    "http": ("HTTP", "HTTP1"),
    "https": ("HTTPS", "HTTP1"),
    "h2c": ("HTTP", "HTTP2"),
    "grpc": ("HTTP", "GRPC"),
}


def target_type(name: str, bindings: Bindings) -> str:
    """What a backend's targets are: ip unless instances, a group of them or a function is bound."""
    bound = bindings.data.backends.get(name)
    if bound is None:
        return "ip"
    if bound.function is not None:
        return "lambda"
    return "instance" if bound.instances or bound.autoscaling_group is not None else "ip"


def target_group(backend: Backend, bindings: Bindings) -> Json:
    """The target group of a backend behind an Application Load Balancer, without its targets."""
    bound = bindings.data.backends.get(backend.name)
    if bound is not None and bound.target_group is not None:
        return {"existing_arn": bound.target_group}
    kind = target_type(backend.name, bindings)
    if kind == "lambda":
        return {"target_type": "lambda"}
    backend = bindings.spoken(backend)
    protocol, version = _PROTOCOLS[backend.protocol]
    found: Json = {
        "port": backend.port,
        "protocol": protocol,
        "protocol_version": version,
        "target_type": kind,
        "health_check": health_check(backend.health_check, protocol),
    }
    if backend.circuit_breaker is not None:
        found["algorithm"] = "weighted_random"
        found["anomaly_mitigation"] = True
    return found


def health_check(check: HealthCheck | None, protocol: str) -> Json:
    """AWS's bounds: 5 to 300 s between checks, 2 to 120 s for one and less than between, 2 to 10 in a row."""
    if check is None:
        return {"path": "/", "protocol": protocol, "matcher": "200-499", "interval": 30, "timeout": 5}
    interval = min(300, max(5, -(-check.interval // 1000)))
    timeout = min(120, max(2, -(-check.timeout // 1000)), interval - 1)
    return {
        "path": check.path or "/",
        "protocol": protocol,
        "matcher": matcher(check.statuses) if check.path else "200-499",
        "interval": interval,
        "timeout": timeout,
        "healthy_threshold": max(2, check.healthy_threshold),
        "unhealthy_threshold": max(2, check.unhealthy_threshold),
    }


def matcher(statuses: tuple[tuple[int, int], ...]) -> str:
    """``200,204-299``; a balancer takes 200 to 499."""
    parts: list[str] = []
    for low, high in statuses:
        first, last = max(200, low), min(499, high)
        if first <= last:
            parts.append(str(first) if first == last else f"{first}-{last}")
    return ",".join(parts) or "200"


def network_target_group(backend: Backend, bindings: Bindings, protocol: str) -> Json:
    """The target group of a backend behind a Network Load Balancer; protocol TCP or UDP."""
    backend = bindings.spoken(backend)
    check = backend.health_check
    health: Json = {"protocol": "TCP", "interval": 10, "healthy_threshold": 2, "unhealthy_threshold": 2}
    if check is not None:
        interval = min(300, max(5, -(-check.interval // 1000)))
        thresholds = {
            "healthy_threshold": max(2, check.healthy_threshold),
            "unhealthy_threshold": max(2, check.unhealthy_threshold),
        }
        health = {"protocol": "TCP", "interval": interval, **thresholds}
        if check.path:
            health |= {"protocol": "HTTP", "path": check.path, "matcher": matcher(check.statuses)}
    return {
        "port": backend.port,
        "protocol": protocol,
        "target_type": target_type(backend.name, bindings),
        "health_check": health,
    }
