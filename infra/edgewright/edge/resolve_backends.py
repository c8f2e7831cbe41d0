"""Resolves backends: health checks and circuit breakers in milliseconds and ranges."""

from edgewright.edge.collect import Collector
from edgewright.edge.model import Backend, CircuitBreaker, HealthCheck
from edgewright.spec import model as spec_model
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Path


def resolve_backends(spec: EdgeSpec, collect: Collector) -> dict[str, Backend]:
    """The backends by name."""
    return {name: _backend(name, spec.backends[name], collect) for name in sorted(spec.backends)}


def _backend(name: str, item: spec_model.Backend, collect: Collector) -> Backend:
    path: Path = ("backends", name)
    return Backend(
        name=name,
        port=item.port,
        protocol=item.protocol,
        health_check=_health_check(path, item, collect),
        circuit_breaker=_circuit_breaker((*path, "circuit_breaker"), item.circuit_breaker, collect),
        origin=collect.origin(path),
    )


def _health_check(path: Path, backend: spec_model.Backend, collect: Collector) -> HealthCheck | None:
    check = backend.health_check
    if check is None:
        return None
    path = (*path, "health_check")
    if check.path is not None and backend.protocol == "tcp":
        collect.error(
            (*path, "path"),
            "a tcp backend has no paths",
            "leave `path` out: a connection that opens is enough",
            code="health-check",
        )
    for field in ("interval", "timeout"):
        if getattr(check, field).milliseconds < 1:
            collect.error((*path, field), f"{field} is zero", "write at least `1s`", code="health-check")
    if check.timeout.milliseconds > check.interval.milliseconds:
        collect.error(
            (*path, "timeout"),
            f"a check may take {check.timeout}, longer than the {check.interval} between two checks",
            f"write at most `{check.interval}`",
            code="timeouts-nest",
        )
    statuses: list[tuple[int, int]] = []
    for index, item in enumerate(check.expected_statuses):
        low, high = (item, item) if isinstance(item, int) else (int(item[:3]), int(item[4:]))
        if low > high:
            collect.error(
                (*path, "expected_statuses", index),
                f"`{item}` is an empty range",
                f"write `{high}-{low}`",
                code="health-check",
            )
        statuses.append((low, high))
    if not statuses:
        collect.error((*path, "expected_statuses"), "no status is good", "write `[200]`", code="health-check")
    return HealthCheck(
        path=check.path,
        interval=check.interval.milliseconds,
        timeout=check.timeout.milliseconds,
        healthy_threshold=check.healthy_threshold,
        unhealthy_threshold=check.unhealthy_threshold,
        statuses=tuple(sorted(statuses)),
        origin=collect.origin(path),
    )


def _circuit_breaker(path: Path, item: spec_model.CircuitBreaker | None, collect: Collector) -> CircuitBreaker | None:
    if item is None:
        return None
    return CircuitBreaker(
        consecutive_errors=item.consecutive_errors,
        ejection=item.ejection.milliseconds,
        max_ejection_percent=item.max_ejection_percent,
        max_connections=item.max_connections,
        max_requests=item.max_requests,
        origin=collect.origin(path),
    )
