"""A small edge written by hand: a balancer before two gateways, and the backends that a test names."""

import socket
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgewright.local.artifact import (
    Artifact,
    BackendProcess,
    Certificate,
    CredentialRef,
    Exposed,
    Node,
    RouteSummary,
    digest,
)

ANSWERER = (sys.executable, str(Path(__file__).with_name("answerer.py")))
TYPE = "type.googleapis.com/envoy."
GATEWAYS = ("gateway-1", "gateway-2")


def typed(name: str, **fields: Any) -> dict[str, Any]:
    """A typed_config."""
    return {"@type": TYPE + name, **fields}


def to(cluster: str, prefix: str = "/") -> dict[str, Any]:
    """A route of everything below ``prefix`` to a cluster."""
    return {
        "match": {"prefix": prefix},
        "route": {
            "cluster": cluster,
            "timeout": "15s",
            "retry_policy": _retry(),
            "cluster_not_found_response_code": "SERVICE_UNAVAILABLE",
        },
    }


def saying(text: str, prefix: str = "/") -> dict[str, Any]:
    """A route that answers by itself."""
    return {
        "match": {"prefix": prefix},
        "direct_response": {"status": 200, "body": {"inline_string": text}},
    }


def marking(value: str) -> dict[str, Any]:
    """A filter of a gateway's listener that says ``x-filters: value`` in each answer."""
    append = {"append": {"header": {"key": "x-filters", "value": value}}}
    return {
        "name": "mark",
        "typed_config": typed(
            "extensions.filters.http.header_mutation.v3.HeaderMutation",
            mutations={"response_mutations": [append]},
        ),
    }


def keys(placeholder: str) -> dict[str, Any]:
    """A filter of a gateway's listener that wants an API key in ``x-api-key``."""
    return {
        "name": "keys",
        "typed_config": typed(
            "extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
            credentials=[{"key": placeholder, "client": "tester"}],
            key_sources=[{"header": "x-api-key"}],
        ),
    }


def edge(
    port: int,
    routes: Sequence[Mapping[str, Any]],
    *,
    backends: Mapping[str, int | Sequence[str]] | None = None,
    filters: Sequence[Mapping[str, Any]] = (),
    credentials: Sequence[CredentialRef] = (),
    tls: bool = False,
    gateways: Sequence[str] = GATEWAYS,
    generation: str = "1",
    check: Mapping[str, Any] | None = None,
) -> Artifact:
    """An edge on 127.0.0.1:``port``.

    backends: by name, how many instances the edge starts, or where they answer; generation: part of the command of
    those instances, so that another one replaces them.
    """
    given = {"app": 1} if backends is None else backends
    clusters = [_backend(f"backend-{name}", check) for name in given]
    scheme = "https" if tls else "http"
    return Artifact(
        name="handmade",
        listeners=(Exposed("web", scheme, "127.0.0.1", port, ("localhost",), f"{scheme}://localhost:{port}"),),
        nodes=(
            _balancer(port, tls=tls),
            *(
                Node(
                    name=name,
                    role="gateway",
                    bootstrap=_bootstrap(name, gateways=True),
                    clusters=tuple(clusters),
                    listeners=(_listener(name, {"pipe": {"path": f"{name}.sock", "mode": 0o600}}, filters),),
                    routes=({"name": "routes", "virtual_hosts": [_host(routes)]},),
                )
                for name in gateways
            ),
        ),
        endpoints={f"backend-{name}": tuple(item) for name, item in given.items() if not isinstance(item, int)},
        processes=tuple(
            BackendProcess(f"{name}-{number}", f"backend-{name}", (*ANSWERER, name, generation))
            for name, count in given.items()
            if isinstance(count, int)
            for number in range(1, count + 1)
        ),
        credentials=tuple(credentials),
        certificates=(Certificate("web", ("localhost",)),) if tls else (),
        routes=tuple(RouteSummary(f"ANY {route['match'].get('prefix', '*')}", digest(dict(route))) for route in routes),
    )


def _balancer(port: int, *, tls: bool) -> Node:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    listener = _listener("balancer", address, ())
    if tls:
        files = {
            "certificate_chain": {"filename": "tls/web.crt"},
            "private_key": {"filename": "tls/web.key"},
        }
        listener["filter_chains"][0]["transport_socket"] = {
            "name": "tls",
            "typed_config": typed(
                "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                common_tls_context={"tls_certificates": [files]},
            ),
        }
    gateways = {
        **_eds("gateways"),
        "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 1,
            "base_ejection_time": "1s",
            "interval": "1s",
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }
    return Node(
        name="balancer",
        role="balancer",
        bootstrap=_bootstrap("balancer", gateways=False),
        clusters=(gateways,),
        listeners=(listener,),
        routes=({"name": "routes", "virtual_hosts": [_host([to("gateways")])]},),
    )


def _bootstrap(name: str, *, gateways: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "node": {"id": name, "cluster": "edge"},
        "admin": {"address": {"pipe": {"path": f"admin/{name}.sock", "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": _source(f"xds/{name}/lds.json"),
            "cds_config": _source(f"xds/{name}/cds.json"),
        },
    }
    if gateways:
        found["cluster_manager"] = {"local_cluster_name": "gateways"}
        found["static_resources"] = {"clusters": [_eds("gateways")]}
    return found


def _listener(node: str, address: Mapping[str, Any], filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    manager = typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=node,
        rds={"route_config_name": "routes", "config_source": _source(f"xds/{node}/rds-routes.json")},
        access_log=[
            {
                "name": "log",
                "typed_config": typed(
                    "extensions.access_loggers.file.v3.FileAccessLog",
                    path="log/access.log",
                    log_format={"json_format": {"path": "%PATH(NQ)%", "status": "%RESPONSE_CODE%"}},
                ),
            }
        ],
        http_filters=[
            *filters,
            {"name": "router", "typed_config": typed("extensions.filters.http.router.v3.Router")},
        ],
    )
    chain: dict[str, Any] = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": node, "address": address, "enable_reuse_port": False, "filter_chains": [chain]}


def _host(routes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"name": "all", "domains": ["*"], "routes": list(routes)}


def _backend(name: str, check: Mapping[str, Any] | None) -> dict[str, Any]:
    health = {
        "timeout": "1s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/healthz"},
    }
    return {
        **_eds(name),
        "health_checks": [{**health, **(check or {})}],
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
    }


def _eds(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "EDS",
        "connect_timeout": "1s",
        "eds_cluster_config": {"eds_config": _source(f"xds/eds/{name}.json")},
    }


def _source(path: str) -> dict[str, Any]:
    folder = {"path": str(Path(path).parent)}
    return {"path_config_source": {"path": path, "watched_directory": folder}, "resource_api_version": "V3"}


def _retry() -> dict[str, Any]:
    return {
        "retry_on": "connect-failure,reset-before-request,reset,refused-stream",
        "num_retries": 3,
        "host_selection_retry_max_attempts": "10",
        "retry_host_predicate": [
            {
                "name": "previous",
                "typed_config": typed(
                    "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                ),
            }
        ],
        "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
    }


@contextmanager
def holding_a_port() -> Generator[int]:
    """A port on which this very process listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        yield int(holder.getsockname()[1])
