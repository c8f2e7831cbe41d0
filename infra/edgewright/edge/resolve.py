"""From a spec to the edge that it means: defaults applied, names bound, routes in order, every error at once."""

from edgewright.edge.checks import check_routes
from edgewright.edge.collect import Collector
from edgewright.edge.model import AccessLog, Compression, Edge, Monitor
from edgewright.edge.resolve_authorizers import resolve_authorizers
from edgewright.edge.resolve_backends import resolve_backends
from edgewright.edge.resolve_listeners import resolve_listeners
from edgewright.edge.resolve_routes import RouteResolver, route_order
from edgewright.edge.resolve_waf import resolve_waf
from edgewright.spec.document import Document
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import SpecError


def resolve(document: Document | EdgeSpec) -> Edge:
    """What a spec means.

    Raises SpecError with every problem there is. Doubtful things that do not stop it are in ``Edge.findings``.
    Equal specs give equal edges, whatever the order of their keys.
    """
    if isinstance(document, EdgeSpec):
        document = Document(document)
    spec = document.spec
    collect = Collector(document.sources)
    listeners = resolve_listeners(spec, collect)
    authorizers = resolve_authorizers(spec, collect)
    backends = resolve_backends(spec, collect)
    resolver = RouteResolver(spec, listeners, authorizers, backends, collect)
    routes = tuple(sorted(resolver.routes(), key=route_order))
    check_routes(routes, listeners, authorizers, backends, collect)
    waf = resolve_waf(spec, collect)
    if collect.problems:
        raise SpecError(collect.problems)
    return Edge(
        name=spec.name,
        listeners=listeners,
        authorizers=authorizers,
        backends=backends,
        routes=routes,
        waf=waf,
        access_log=_access_log(spec, collect),
        monitor=_monitor(spec, collect),
        ddos=spec.ddos,
        compression=_compression(spec, collect),
        findings=tuple(sorted(collect.findings, key=str)),
    )


def _access_log(spec: EdgeSpec, collect: Collector) -> AccessLog:
    log = spec.access_log
    return AccessLog(int(log.retention[:-1]), log.fields, log.sample, collect.origin(("access_log",)))


def _monitor(spec: EdgeSpec, collect: Collector) -> Monitor | None:
    monitor = spec.monitor
    if monitor is None:
        return None
    return Monitor(
        error_rate=monitor.error_rate,
        latency_percentile=monitor.latency.percentile if monitor.latency else None,
        latency_above=monitor.latency.above.milliseconds if monitor.latency else None,
        throttled=monitor.throttled,
        unhealthy_targets=monitor.unhealthy_targets,
        notify=monitor.notify,
        dashboard=monitor.dashboard,
        origin=collect.origin(("monitor",)),
    )


def _compression(spec: EdgeSpec, collect: Collector) -> Compression | None:
    if spec.compression is None:
        return None
    return Compression(
        spec.compression.min_size.bytes, spec.compression.content_types, collect.origin(("compression",))
    )
