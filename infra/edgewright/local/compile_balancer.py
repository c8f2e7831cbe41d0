"""The balancer: one Envoy that opens the public ports, ends TLS, checks hosts and addresses, and spreads requests."""

from typing import Any

from edgewright.edge.model import Edge, Forward, Listener, Waf
from edgewright.local.artifact import Certificate, Exposed, Node
from edgewright.local.bindings import Bindings, ListenerBinding
from edgewright.local.compile_backends import backend_cluster, cluster_name
from edgewright.local.compile_gateway import GATEWAYS, GATEWAYS_HTTP2, bootstrap, gateways_cluster
from edgewright.local.compile_http import access_log, careful_reading, connection_manager, early, first_hygiene
from edgewright.local.compile_limits import bucket, counting_filter
from edgewright.local.compile_replies import direct_problem
from edgewright.local.compile_routes import LISTENER
from edgewright.local.envoy_json import Json, extension, header_is, header_option, quoted, regex, routes_from, socket
from edgewright.local.ports_of import opened_port, redirect_port

_TLS_VERSIONS = {"1.2": "TLSv1_2", "1.3": "TLSv1_3"}
_LOCAL_HOSTS = ("localhost", "127.0.0.1")
"""Names that every local listener answers for, beside the spec's."""

# What Envoys tell each other, and no client.
_INNER_HEADERS = [
    "x-envoy-ratelimited",
    "x-envoy-immediate-health-check-fail",
    "x-envoy-upstream-healthchecked-cluster",
]


def balancer_node(edge: Edge, bindings: Bindings) -> Node:
    """The balancer's node. Listeners that share a port share an Envoy listener, and are told apart by host and SNI."""
    clusters: list[Json] = []
    if any(item.web for item in edge.listeners):
        clusters.append(gateways_cluster(checked=True))
        if _speaks_http2(edge):
            clusters.append(gateways_cluster(checked=True, http2=True))
    raw = sorted({item.backend for item in edge.listeners if item.backend is not None})
    clusters += [backend_cluster(edge.backends[name], bindings.backends.get(name)) for name in raw]
    ports: dict[tuple[str, int], list[Listener]] = {}
    for item in edge.listeners:
        ports.setdefault((_address(item, bindings), opened_port(item, bindings)), []).append(item)
    listeners = [_listener(address, port, items, edge) for (address, port), items in sorted(ports.items())]
    routes = [
        _routes(name, group, edge)
        for (_, port), items in sorted(ports.items())
        if items[0].web
        for name, group in _tables(port, items)
    ]
    redirects = [item for item in edge.listeners if item.redirect_http]
    if redirects:
        port = redirect_port(redirects[0], bindings)
        listeners.append(_redirect_listener(_address(redirects[0], bindings), port, edge))
        routes.append(_redirect_routes(redirects, port, bindings))
    return Node(
        "balancer",
        "balancer",
        bootstrap("balancer", "balancer", edge),
        tuple(clusters),
        tuple(listeners),
        tuple(routes),
    )


def exposed(edge: Edge, bindings: Bindings) -> tuple[Exposed, ...]:
    """The ports that are opened, with the URLs at which a person reaches them."""
    found = [_exposed(item, bindings) for item in edge.listeners]
    redirects = [item for item in edge.listeners if item.redirect_http]
    if redirects:
        item = redirects[0]
        port, address = redirect_port(item, bindings), _address(item, bindings)
        found.append(Exposed(f"{item.name}-redirect", "http", address, port, item.hosts, f"http://localhost:{port}"))
    return tuple(found)


def _exposed(item: Listener, bindings: Bindings) -> Exposed:
    port, address = opened_port(item, bindings), _address(item, bindings)
    # The development certificate is for names; plain HTTP needs none, and an address needs no resolver.
    host = "localhost" if item.protocol in ("https", "tls") else "127.0.0.1" if address == "0.0.0.0" else address  # noqa: S104
    return Exposed(item.name, item.protocol, address, port, item.hosts, f"{item.protocol}://{host}:{port}")


def certificates(edge: Edge) -> tuple[Certificate, ...]:
    """The development certificates that the listeners need."""
    return tuple(
        Certificate(item.name, (*item.hosts, *_LOCAL_HOSTS))
        for item in edge.listeners
        if item.tls is not None and not item.tls.passthrough
    )


def _address(item: Listener, bindings: Bindings) -> str:
    return bindings.listeners.get(item.name, ListenerBinding()).address or bindings.address


# -- listeners ---------------------------------------------------------------------------------------------------------


def _listener(address: str, port: int, items: list[Listener], edge: Edge) -> Json:
    first = items[0]
    name = f"port-{port}"
    found: Json = {"name": name, "address": socket(address, port)}
    if first.protocol == "udp":
        found["name"] = f"udp-{port}"
        found["address"]["socket_address"]["protocol"] = "UDP"
        return found | {"listener_filters": [_udp(first)]}
    # Without this two Envoys may share a port without either noticing.
    found["enable_reuse_port"] = False
    if first.protocol == "http":
        return found | {"filter_chains": [{"filters": [_manager(name, edge)]}]}
    if first.protocol == "https":
        tables = _tables(port, items)
        found["listener_filters"] = [_tls_inspector()]
        found["filter_chains"] = [_https_chain(table, item, edge, sni=len(items) > 1) for table, (item,) in tables]
        if len(items) > 1:
            # For `localhost` and clients without SNI; whatever they ask for is then checked by the Host header.
            found["default_filter_chain"] = _https_chain(tables[0][0], first, edge, sni=False) | {"name": "default"}
        return found
    chain: Json = {"filters": [*_address_filter(edge.waf, first), _tcp(first)]}
    if first.tls is not None and not first.tls.passthrough:
        chain["transport_socket"] = _tls(first, alpn=False)
    return found | {"filter_chains": [chain]}


def _tables(port: int, items: list[Listener]) -> list[tuple[str, list[Listener]]]:
    """The route configurations of a port: one for each certificate, so that none answers for another's hosts."""
    if items[0].protocol == "https" and len(items) > 1:
        return [(f"port-{port}-{item.name}", [item]) for item in items]
    return [(f"port-{port}", items)]


def _https_chain(table: str, item: Listener, edge: Edge, *, sni: bool) -> Json:
    chain: Json = {"name": item.name, "filters": [_manager(table, edge)], "transport_socket": _tls(item, alpn=True)}
    if sni:
        chain["filter_chain_match"] = {"server_names": list(item.hosts)}
    return chain


def _tls_inspector() -> Json:
    return extension("tls", "extensions.filters.listener.tls_inspector.v3.TlsInspector")


def _tls(item: Listener, *, alpn: bool) -> Json:
    version = _TLS_VERSIONS[item.tls.min_version if item.tls else "1.2"]
    certificate = {
        "certificate_chain": {"filename": f"tls/{item.name}.crt"},
        "private_key": {"filename": f"tls/{item.name}.key"},
    }
    return extension(
        "tls",
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": version, "tls_maximum_protocol_version": "TLSv1_3"},
            **({"alpn_protocols": ["h2", "http/1.1"]} if alpn else {}),
            "tls_certificates": [certificate],
        },
    )


def _manager(name: str, edge: Edge) -> Json:
    return connection_manager(
        name,
        _address_filters(edge.waf),
        rds=routes_from("xds/balancer", name),
        early_header_mutation_extensions=early(first_hygiene()),
        access_log=access_log(edge.access_log, "balancer", own_only=True),
        # The address that we see is written into X-Forwarded-For by the routes; a client's own list is worth nothing.
        skip_xff_append=True,
        generate_request_id=True,
        upgrade_configs=[{"upgrade_type": "websocket"}],
        **careful_reading(),
    )


def _tcp(item: Listener) -> Json:
    return extension(
        "tcp",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=item.name,
        cluster=cluster_name(item.backend or ""),
        idle_timeout="3600s",
        max_connect_attempts=3,
    )


def _udp(item: Listener) -> Json:
    route = extension("route", "extensions.filters.udp.udp_proxy.v3.Route", cluster=cluster_name(item.backend or ""))
    return extension(
        "udp",
        "extensions.filters.udp.udp_proxy.v3.UdpProxyConfig",
        stat_prefix=item.name,
        idle_timeout="60s",
        matcher={"on_no_match": {"action": route}},
    )


# -- who may come in ---------------------------------------------------------------------------------------------------


def _address_filters(waf: Waf | None) -> list[Json]:
    if waf is None:
        return []
    filters: list[Json] = []
    if waf.allow or waf.deny:
        filters.append(_addresses(waf))
    if waf.rate_per_ip is not None:
        filters.append(_rate_per_ip(waf, *waf.rate_per_ip))
    return filters


def _ranges(texts: tuple[str, ...]) -> list[Json]:
    pairs = [text.rsplit("/", 1) for text in texts]
    return [{"direct_remote_ip": {"address_prefix": address, "prefix_len": int(size)}} for address, size in pairs]


def _addresses(waf: Waf) -> Json:
    return extension("addresses", "extensions.filters.http.rbac.v3.RBAC", **_address_rules(waf))


def _address_filter(waf: Waf | None, item: Listener) -> list[Json]:
    """The address lists before a TCP or TLS listener's backend."""
    if waf is None or not (waf.allow or waf.deny):
        return []
    rules = _address_rules(waf)
    return [extension("addresses", "extensions.filters.network.rbac.v3.RBAC", stat_prefix=item.name, **rules)]


def _address_rules(waf: Waf) -> Json:
    refused: list[Json] = _ranges(waf.deny)
    if waf.allow:
        refused.append({"not_id": {"or_ids": {"ids": _ranges(waf.allow)}}})
    rules = {"action": "DENY", "policies": {"address": {"permissions": [{"any": True}], "principals": refused}}}
    key = "rules" if waf.mode == "block" else "shadow_rules"
    return {key: rules}


def _rate_per_ip(waf: Waf, count: int, period: int) -> Json:
    descriptor = {"entries": [{"key": "remote_address"}], "token_bucket": bucket(count, period, count)}
    return counting_filter("rate-per-ip", [descriptor], [{"remote_address": {}}], enforced=waf.mode == "block")


# -- routes ------------------------------------------------------------------------------------------------------------


def _virtual_hosts(item: Listener, routes: list[Json], *, first: bool, **fields: Any) -> list[Json]:
    """The virtual hosts of a listener; one for each wildcard, which means one label where Envoy takes any number."""
    if not item.hosts:
        return [{"name": item.name, "domains": ["*"], "routes": routes, **fields}]
    found: list[Json] = []
    plain = [*(host for host in item.hosts if not host.startswith("*.")), *(_LOCAL_HOSTS if first else ())]
    if plain:
        found.append({"name": item.name, "domains": plain, "routes": routes, **fields})
    for host in item.hosts:
        if host.startswith("*."):
            label = {"name": ":authority", "string_match": regex(rf"(?i)[^.]+{quoted(host[1:])}"), "invert_match": True}
            deeper = direct_problem("host", {"prefix": "/", "headers": [label]}, 404, "Not found")
            found.append(
                {"name": f"{item.name} {host}", "domains": [host], "routes": [deeper, *routes], **fields},
            )
    return found


def _routes(name: str, items: list[Listener], edge: Edge) -> Json:
    """The virtual hosts of these listeners; this machine's own names lead to the first of a port."""
    hosts: list[Json] = []
    shared = [item for item in edge.listeners if item.port == items[0].port and item.protocol == items[0].protocol]
    for item in items:
        hosts += _virtual_hosts(
            item,
            [
                direct_problem("private", {"path_separated_prefix": "/_edge"}, 404, "Not found"),
                *_to_gateways(http2=_speaks_http2(edge)),
            ],
            first=item.name == shared[0].name,
            request_headers_to_add=[
                header_option("x-forwarded-for", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
                header_option(LISTENER, item.name),
            ],
            response_headers_to_remove=_INNER_HEADERS,
        )
    return {"name": name, "ignore_port_in_host_matching": True, "virtual_hosts": hosts}


def _speaks_http2(edge: Edge) -> bool:
    """Whether a backend needs HTTP/2 all the way: gRPC has trailers and streams both ways, which HTTP/1.1 loses."""
    targets = {name for route in edge.routes if isinstance(route.action, Forward) for name, _ in route.action.targets}
    return any(edge.backends[name].protocol in ("grpc", "h2c") for name in targets)


def _to_gateways(*, http2: bool) -> list[Json]:
    """The ways to the gateways.

    What a gateway that dies had not answered is asked of another. A request that it had taken is tried again only if
    sending it twice means nothing else than once; others only if no byte of them had been taken.
    """
    grpc = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
    unsafe = header_is(":method", regex("POST|PATCH"))
    found: list[Json] = []
    if http2:
        found.append(_to(GATEWAYS_HTTP2, _UNTAKEN, [grpc]))
    return [*found, _to(GATEWAYS, _UNTAKEN, [unsafe]), _to(GATEWAYS, f"{_UNTAKEN},reset", [])]


_UNTAKEN = "connect-failure,refused-stream,reset-before-request"


def _to(cluster: str, retry_on: str, headers: list[Json]) -> Json:
    return {
        "name": "gateways",
        "match": {"prefix": "/", **({"headers": headers} if headers else {})},
        "route": _action(cluster, retry_on),
    }


def _action(cluster: str, retry_on: str) -> Json:
    return {
        "cluster": cluster,
        # The gateway keeps the time.
        "timeout": "0s",
        "idle_timeout": "3600s",
        "retry_policy": {
            "retry_on": retry_on,
            "num_retries": 3,
            "retry_host_predicate": [
                extension("previous", "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")
            ],
            "host_selection_retry_max_attempts": 10,
            "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
        },
    }


def _redirect_listener(address: str, port: int, edge: Edge) -> Json:
    name = f"redirect-{port}"
    manager = connection_manager(
        name,
        _address_filters(edge.waf),
        rds=routes_from("xds/balancer", name),
        early_header_mutation_extensions=early(first_hygiene()),
        access_log=access_log(edge.access_log, "balancer", own_only=True),
        skip_xff_append=True,
        **careful_reading(),
    )
    return {
        "name": name,
        "address": socket(address, port),
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [manager]}],
    }


def _redirect_routes(items: list[Listener], port: int, bindings: Bindings) -> Json:
    hosts: list[Json] = []
    for index, item in enumerate(items):
        redirect = {
            "https_redirect": True,
            "port_redirect": opened_port(item, bindings),
            "response_code": "PERMANENT_REDIRECT",
        }
        routes: list[Json] = [{"name": "https", "match": {"prefix": "/"}, "redirect": redirect}]
        hosts += _virtual_hosts(item, routes, first=index == 0)
    return {"name": f"redirect-{port}", "ignore_port_in_host_matching": True, "virtual_hosts": hosts}
