"""A gateway: one Envoy with the whole chain of filters, reached by the balancer through a unix socket."""

from edgewright.edge.model import Edge
from edgewright.local import compile_auth, compile_cache, compile_limits
from edgewright.local.artifact import Node
from edgewright.local.bindings import Bindings
from edgewright.local.compile_backends import backend_cluster, http2_upstream
from edgewright.local.compile_clusters import ejection, thresholds
from edgewright.local.compile_http import access_log, careful_reading, connection_manager, early, second_hygiene
from edgewright.local.compile_routes import misses_table, origin_table, owner_table, route_table
from edgewright.local.envoy_json import Json, exact, extension, pipe, routes_from, xds

GATEWAYS = "gateways"
"""The cluster of all gateways, on the balancer and, to count them, on each gateway."""

GATEWAYS_HTTP2 = "gateways-http2"
"""The same gateways over HTTP/2, on the balancer, for gRPC."""

READY = "/_edge/ready"
"""Where the balancer asks whether a gateway is well; the balancer lets no client ask it."""

MAX_CONNECTIONS = 10_000


def gateway_node(edge: Edge, bindings: Bindings, number: int) -> Node:
    """The node of the gateway with this number, from 1."""
    name = f"gateway-{number}"
    cached = compile_cache.keeps_answers(edge)
    listeners = [_public(edge, bindings, name)]
    routes = [route_table(edge, bindings)]
    if cached:
        listeners.append(_inner("origin", [compile_cache.origin_filter()], name))
        routes.append(origin_table(edge))
    if cached and bindings.gateways > 1:
        listeners += [_inner("misses", [], name), _owner(name)]
        routes += [misses_table(), owner_table()]
    return Node(
        name, "gateway", bootstrap(name, GATEWAYS, edge), _clusters(edge, bindings), tuple(listeners), tuple(routes)
    )


def bootstrap(name: str, cluster: str, edge: Edge) -> Json:
    """What a node is started with; everything else comes by files that may change."""
    found: Json = {
        "node": {"id": name, "cluster": cluster},
        "admin": {"address": pipe(f"admin/{name}.sock")},
        "dynamic_resources": {"lds_config": xds(f"xds/{name}", "lds"), "cds_config": xds(f"xds/{name}", "cds")},
        "overload_manager": {
            "resource_monitors": [
                extension(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    max_active_downstream_connections=MAX_CONNECTIONS,
                )
            ]
        },
        "layered_runtime": {"layers": [{"name": "static", "static_layer": {"re2.max_program_size.error_level": 1000}}]},
    }
    if cluster == GATEWAYS:
        # Shared throttles divide by the number of live gateways, which this cluster tells; it must be a static one.
        found["static_resources"] = {"clusters": [gateways_cluster(checked=False)]}
        found["cluster_manager"] = {"local_cluster_name": GATEWAYS}
        if compile_cache.keeps_answers(edge):
            found["bootstrap_extensions"] = [
                extension(
                    "envoy.bootstrap.internal_listener",
                    "extensions.bootstrap.internal_listener.v3.InternalListener",
                )
            ]
    return found


def gateways_cluster(*, checked: bool, http2: bool = False) -> Json:
    """The gateways by their sockets, as the runtime finds them alive; ``checked`` with health checks and ejection."""
    found: Json = {
        "name": GATEWAYS_HTTP2 if http2 else GATEWAYS,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": xds("xds/eds", GATEWAYS),
            **({"service_name": GATEWAYS} if http2 else {}),
        },
        "connect_timeout": "1s",
        "lb_policy": "ROUND_ROBIN",
    }
    if not checked:
        return found
    if http2:
        found["typed_extension_protocol_options"] = http2_upstream()
    return found | {
        "circuit_breakers": thresholds(8192),
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "health_checks": [
            {
                "timeout": "0.5s",
                "interval": "0.5s",
                "no_traffic_interval": "0.5s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "http_health_check": {"path": READY},
            }
        ],
        # The first broken connection takes a gateway out, before its health check does.
        "outlier_detection": ejection(),
    }


def _clusters(edge: Edge, bindings: Bindings) -> tuple[Json, ...]:
    web = [item for item in edge.backends.values() if item.protocol not in ("tcp", "udp")]
    found = [backend_cluster(item, bindings.backends.get(item.name)) for item in web]
    found += compile_auth.jwks_clusters(edge, bindings)
    if compile_auth.identity_issuers(edge, bindings):
        found.append(_identity())
    if compile_limits.needs_service(edge, bindings.gateways):
        found.append(_limits())
    if compile_cache.keeps_answers(edge):
        found.append(compile_cache.inner_cluster(compile_cache.ORIGIN))
        if bindings.gateways > 1:
            found.append(compile_cache.inner_cluster(compile_cache.MISSES))
            found.append(compile_cache.owners_cluster(bindings.gateways))
    return tuple(found)


def _identity() -> Json:
    return {
        "name": compile_auth.IDENTITY,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": xds("xds/eds", compile_auth.IDENTITY)},
        "connect_timeout": "1s",
    }


def _limits() -> Json:
    return {
        "name": compile_limits.LIMITS,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [{"max_requests": 8192, "max_pending_requests": 8192, "max_retries": 1024}]},
        "load_assignment": {
            "cluster_name": compile_limits.LIMITS,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": pipe("limits.sock")}}]}],
        },
    }


def _public(edge: Edge, bindings: Bindings, name: str) -> Json:
    manager = connection_manager(
        "edge",
        _filters(edge, bindings),
        rds=routes_from(f"xds/{name}", "edge"),
        early_header_mutation_extensions=early(second_hygiene()),
        access_log=access_log(edge.access_log, name, clients=bool(compile_auth.key_authorizers(edge))),
        # The balancer writes the client's address; nothing else reaches this socket.
        xff_num_trusted_hops=1,
        preserve_external_request_id=True,
        always_set_request_id_in_response=True,
        generate_request_id=True,
        **careful_reading(),
    )
    return {
        "name": "edge",
        "address": pipe(f"{name}.sock"),
        "per_connection_buffer_limit_bytes": 1 << 20,
        "filter_chains": [{"filters": [manager]}],
    }


def _filters(edge: Edge, bindings: Bindings) -> list[Json]:
    """The chain, in the order of a request; a filter that no route needs is left out."""
    routes = edge.routes
    filters = [_health()]
    if any(route.cors is not None for route in routes):
        filters.append(extension("cors", "extensions.filters.http.cors.v3.Cors") | {"disabled": True})
    if edge.compression is not None:
        filters.append(_compressor(edge))
    if compile_auth.jwt_authorizers(edge):
        filters += [compile_auth.jwt_filter(edge, bindings), compile_auth.token_filter()]
        if any(route.auth and (route.auth.scopes or route.auth.any_scope or route.auth.claims) for route in routes):
            filters.append(compile_auth.scope_filter())
    if compile_auth.key_authorizers(edge):
        filters += [compile_auth.key_filter(), compile_auth.client_filter()]
    filters.append(extension("context", "extensions.filters.http.header_mutation.v3.HeaderMutation"))
    throttle = compile_limits.throttle_filter(edge, bindings.gateways)
    if throttle is not None:
        filters.append(throttle)
    if compile_limits.needs_service(edge, bindings.gateways):
        filters.append(compile_limits.service_filter())
    if compile_cache.keeps_answers(edge):
        filters += compile_cache.cache_filters()
    return filters


def _health() -> Json:
    return extension(
        "health",
        "extensions.filters.http.health_check.v3.HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": exact(READY)}],
    )


def _compressor(edge: Edge) -> Json:
    compression = edge.compression
    common: Json = {}
    if compression is not None:
        common = {"min_content_length": compression.min_size, "content_type": list(compression.content_types)}
    return extension(
        "gzip",
        "extensions.filters.http.compressor.v3.Compressor",
        # Else backends compress too, and their `Vary` keeps answers out of the cache.
        response_direction_config={"common_config": common, "remove_accept_encoding_header": True},
        compressor_library=extension("gzip", "extensions.compression.gzip.compressor.v3.Gzip"),
    )


def _inner(listener: str, filters: list[Json], node: str) -> Json:
    manager = _inner_manager(listener, filters, node)
    return {"name": listener, "internal_listener": {}, "filter_chains": [{"filters": [manager]}]}


def _owner(node: str) -> Json:
    manager = _inner_manager("owner", [compile_cache.store()], node)
    return {"name": "owner", "address": pipe(f"{node}-cache.sock"), "filter_chains": [{"filters": [manager]}]}


def _inner_manager(name: str, filters: list[Json], node: str) -> Json:
    """A connection manager that only our own requests reach: it reads them as they are."""
    return connection_manager(
        name,
        filters,
        rds=routes_from(f"xds/{node}", name),
        preserve_external_request_id=True,
        generate_request_id=False,
        use_remote_address=False,
        skip_xff_append=True,
        stream_idle_timeout="0s",
    )
