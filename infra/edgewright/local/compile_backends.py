"""Backends as clusters: balancing over healthy instances, health checks, ejection, and what they speak."""

import re

from edgewright.edge.model import Backend, CircuitBreaker, HealthCheck
from edgewright.local.bindings import BackendBinding
from edgewright.local.compile_auth import verified_tls
from edgewright.local.compile_clusters import ejection, thresholds
from edgewright.local.envoy_json import Json, seconds, socket, typed, xds

_HTTP = "extensions.upstreams.http.v3.HttpProtocolOptions"
_IP = re.compile(r"(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):\d+")


def cluster_name(backend: str) -> str:
    """The cluster of a backend; the prefix keeps it apart from the edge's own."""
    return f"backend-{backend}"


def fixed_addresses(backend: Backend, binding: BackendBinding | None) -> tuple[str, ...]:
    """The addresses that do not change while the edge runs; empty for what the edge starts itself, or finds by DNS."""
    if binding is None:
        return (f"127.0.0.1:{backend.port}",)
    return binding.addresses if all(_IP.fullmatch(item) for item in binding.addresses) else ()


def backend_cluster(backend: Backend, binding: BackendBinding | None) -> Json:
    """The cluster of a backend."""
    name = cluster_name(backend.name)
    cluster: Json = {
        "name": name,
        "connect_timeout": "2s",
        "lb_policy": "ROUND_ROBIN",
        "common_lb_config": {
            # With a panic threshold, ejected and unhealthy instances would get requests when there are many of them.
            "healthy_panic_threshold": {"value": 0},
            "ignore_new_hosts_until_first_hc": backend.health_check is not None,
        },
        "circuit_breakers": _thresholds(backend.circuit_breaker),
        "outlier_detection": _ejection(backend.circuit_breaker),
    }
    names = binding.addresses if binding else ()
    if names and not fixed_addresses(backend, binding):
        cluster |= {"type": "STRICT_DNS", "dns_lookup_family": "V4_PREFERRED", "load_assignment": _by_name(name, names)}
    else:
        cluster |= {"type": "EDS", "eds_cluster_config": {"eds_config": xds("xds/eds", name)}}
    if backend.health_check is not None:
        cluster["health_checks"] = [_health_check(backend, backend.health_check)]
    if backend.protocol in ("h2c", "grpc"):
        cluster["typed_extension_protocol_options"] = http2_upstream()
    if backend.protocol == "https":
        host = names[0].rsplit(":", 1)[0] if names else "localhost"
        cluster["transport_socket"] = verified_tls(host)
    return cluster


def http2_upstream() -> Json:
    """The options of a cluster that is spoken to in HTTP/2, without TLS's help."""
    return {f"envoy.{_HTTP}": typed(_HTTP, explicit_http_config={"http2_protocol_options": {}})}


def _by_name(name: str, addresses: tuple[str, ...]) -> Json:
    hosts = [item.rsplit(":", 1) for item in addresses]
    endpoints = [{"endpoint": {"address": socket(host.strip("[]"), int(port))}} for host, port in hosts]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}


def _thresholds(breaker: CircuitBreaker | None) -> Json:
    return thresholds(breaker.max_requests, breaker.max_connections) if breaker else thresholds(4096)


def _ejection(breaker: CircuitBreaker | None) -> Json:
    """A broken connection ejects an instance for a moment always; answers with 5xx only where the spec asks for it."""
    if breaker is None:
        return ejection()
    return {
        **ejection(
            failures=breaker.consecutive_errors,
            rest=seconds(max(1, breaker.ejection)),
            percent=breaker.max_ejection_percent,
        ),
        "consecutive_5xx": breaker.consecutive_errors,
        "enforcing_consecutive_5xx": 100,
        "max_ejection_time": seconds(max(300_000, breaker.ejection)),
    }


def _health_check(backend: Backend, check: HealthCheck) -> Json:
    found: Json = {
        "timeout": seconds(check.timeout),
        "interval": seconds(check.interval),
        # By default a cluster without traffic is checked once a minute: dead instances would linger.
        "no_traffic_interval": seconds(check.interval),
        "no_traffic_healthy_interval": seconds(check.interval),
        "healthy_threshold": check.healthy_threshold,
        "unhealthy_threshold": check.unhealthy_threshold,
        # An instance that is not up yet is looked at again soon, so that an edge is ready in a moment.
        "unhealthy_interval": seconds(min(check.interval, 1000)),
    }
    if check.path is None or backend.protocol in ("tcp", "udp"):
        return found | {"tcp_health_check": {}}
    http: Json = {
        "path": check.path,
        "expected_statuses": [{"start": low, "end": high + 1} for low, high in check.statuses],
    }
    if backend.protocol in ("h2c", "grpc"):
        http["codec_client_type"] = "HTTP2"
    return found | {"http_health_check": http}
