"""The balancer: one Envoy that opens the public ports, ends TLS, checks hosts and addresses, and spreads requests."""

from edgewright.edge.model import Edge, Listener, Waf
from edgewright.local.artifact import Certificate, Exposed, Node
from edgewright.local.bindings import Bindings, ListenerBinding
from edgewright.local.compile_backends import backend_cluster, cluster_name
from edgewright.local.compile_gateway import GATEWAYS, bootstrap, gateways_cluster
from edgewright.local.compile_http import access_log, careful_reading, connection_manager, early, first_hygiene
from edgewright.local.compile_replies import direct_problem
from edgewright.local.compile_routes import LISTENER
from edgewright.local.envoy_json import Json, extension, header_option, routes_from, socket
from edgewright.local.ports_of import opened_port, redirect_port

_TLS_VERSIONS = {"1.2": "TLSv1_2", "1.3": "TLSv1_3"}
_LOCAL_HOSTS = ("localhost", "127.0.0.1")
"""Names that every local listener answers for, beside the spec's."""

_ALWAYS = {"default_value": {"numerator": 100}}

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
    raw = sorted({item.backend for item in edge.listeners if item.backend is not None})
    clusters += [backend_cluster(edge.backends[name], bindings.backends.get(name)) for name in raw]
    ports: dict[tuple[str, int], list[Listener]] = {}
    for item in edge.listeners:
        ports.setdefault((_address(item, bindings), opened_port(item, bindings)), []).append(item)
    listeners = [_listener(address, port, items, edge) for (address, port), items in sorted(ports.items())]
    routes = [_routes(items, port) for (_, port), items in sorted(ports.items()) if items[0].web]
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
    if first.web:
        filters = [_manager(name, edge)]
        if first.protocol == "http":
            return found | {"filter_chains": [{"filters": filters}]}
        chains = [_https_chain(item, filters, sni=len(items) > 1) for item in items]
        return found | {"listener_filters": [_tls_inspector()], "filter_chains": chains}
    chain: Json = {"filters": [_tcp(first)]}
    if first.tls is not None and not first.tls.passthrough:
        chain["transport_socket"] = _tls(first, alpn=False)
    return found | {"filter_chains": [chain]}


def _https_chain(item: Listener, filters: list[Json], *, sni: bool) -> Json:
    chain: Json = {"name": item.name, "filters": filters, "transport_socket": _tls(item, alpn=True)}
    if sni and item.hosts:
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
        access_log=access_log(edge.access_log, "balancer"),
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
    refused: list[Json] = _ranges(waf.deny)
    if waf.allow:
        refused.append({"not_id": {"or_ids": {"ids": _ranges(waf.allow)}}})
    rules = {"action": "DENY", "policies": {"address": {"permissions": [{"any": True}], "principals": refused}}}
    key = "rules" if waf.mode == "block" else "shadow_rules"
    return extension("addresses", "extensions.filters.http.rbac.v3.RBAC", **{key: rules})


def _rate_per_ip(waf: Waf, count: int, period: int) -> Json:
    unbounded = {"max_tokens": 1_000_000_000, "tokens_per_fill": 1_000_000_000, "fill_interval": "1s"}
    bucket = {"max_tokens": max(1, count), "tokens_per_fill": count, "fill_interval": f"{period}s"}
    return extension(
        "rate-per-ip",
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="rate_per_ip",
        token_bucket=unbounded,
        always_consume_default_token_bucket=False,
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS if waf.mode == "block" else {"default_value": {"numerator": 0}},
        descriptors=[{"entries": [{"key": "remote_address"}], "token_bucket": bucket}],
        rate_limits=[{"actions": [{"remote_address": {}}]}],
        max_dynamic_descriptors=10_000,
        enable_retry_after_header=True,
    )


# -- routes ------------------------------------------------------------------------------------------------------------


def _hosts(item: Listener, *, alone: bool) -> list[str]:
    return ["*"] if not item.hosts else [*item.hosts, *(_LOCAL_HOSTS if alone else ())]


def _routes(items: list[Listener], port: int) -> Json:
    """A virtual host for each listener of a port; this machine's own names lead to the first of them."""
    hosts = [
        {
            "name": item.name,
            "domains": _hosts(item, alone=index == 0),
            "request_headers_to_add": [
                header_option("x-forwarded-for", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
                header_option(LISTENER, item.name),
            ],
            "response_headers_to_remove": _INNER_HEADERS,
            "routes": [
                direct_problem("private", {"path_separated_prefix": "/_edge"}, 404, "Not found"),
                {"name": "gateways", "match": {"prefix": "/"}, "route": _to_gateways()},
            ],
        }
        for index, item in enumerate(items)
    ]
    return {"name": f"port-{port}", "ignore_port_in_host_matching": True, "virtual_hosts": hosts}


def _to_gateways() -> Json:
    return {
        "cluster": GATEWAYS,
        # The gateway keeps the time.
        "timeout": "0s",
        "idle_timeout": "3600s",
        "retry_policy": {
            # What a gateway that dies had not answered is asked of another. A request that it had taken is tried again
            # only if sending it twice means nothing else than once.
            "retry_on": "connect-failure,refused-stream,reset-before-request,reset",
            "num_retries": 3,
            "retriable_request_headers": [
                {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|PUT|DELETE|OPTIONS|TRACE"}}}
            ],
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
        access_log=access_log(edge.access_log, "balancer"),
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
    hosts = [
        {
            "name": item.name,
            "domains": _hosts(item, alone=index == 0),
            "routes": [
                {
                    "name": "https",
                    "match": {"prefix": "/"},
                    "redirect": {
                        "https_redirect": True,
                        "port_redirect": opened_port(item, bindings),
                        "response_code": "PERMANENT_REDIRECT",
                    },
                }
            ],
        }
        for index, item in enumerate(items)
    ]
    return {"name": f"redirect-{port}", "ignore_port_in_host_matching": True, "virtual_hosts": hosts}
