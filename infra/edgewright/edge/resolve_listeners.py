"""Resolves listeners: ports and protocols made explicit, and no two in each other's way."""

from collections.abc import Iterator

from edgewright.edge.collect import Collector
from edgewright.edge.model import Listener, TlsSettings
from edgewright.spec import model as spec_model
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Path

_PORTS = {"http": 80, "https": 443}


def resolve_listeners(spec: EdgeSpec, collect: Collector) -> tuple[Listener, ...]:
    """The listeners by name; those that have errors are kept as far as they make sense, so that more can be checked."""
    found = tuple(_listener(name, path, item, spec, collect) for name, path, item in _written(spec))
    if not found:
        collect.error((), "there is no listener", "write `listener: {host: api.shop.example}`", code="no-listener")
    _check_ports(found, collect)
    return found


def _written(spec: EdgeSpec) -> Iterator[tuple[str, Path, spec_model.Listener]]:
    if spec.listener is not None:
        yield "default", ("listener",), spec.listener
    for name in sorted(spec.listeners):
        yield name, ("listeners", name), spec.listeners[name]


def _listener(name: str, path: Path, item: spec_model.Listener, spec: EdgeSpec, collect: Collector) -> Listener:
    secure = item.protocol in ("https", "tls")
    port = item.port or _PORTS.get(item.protocol)
    if port is None:
        collect.error(path, f"a {item.protocol} listener needs a `port`", "write `port: 5432`", code="listener-port")
    if item.tls is not None and not secure:
        collect.error(
            (*path, "tls"),
            f"`tls` does not fit `protocol: {item.protocol}`",
            "use https or tls",
            code="listener-tls",
        )
    if item.tls is not None and item.tls.passthrough and item.protocol != "tls":
        collect.error(
            (*path, "tls", "passthrough"),
            "`passthrough` is for a tls listener",
            "an https edge must read requests to route them",
            code="listener-tls",
        )
    if item.redirect_http and item.protocol != "https":
        collect.error(
            (*path, "redirect_http"),
            f"there is no https on this {item.protocol} listener to redirect to",
            code="listener-redirect",
        )
    if len(set(item.host)) != len(item.host):
        collect.error((*path, "host"), "a host stands twice", "name each once", code="listener-host")
    _check_backend(path, item, spec, collect)
    tls = item.tls or spec_model.Tls()
    return Listener(
        name=name,
        hosts=tuple(sorted(set(item.host))),
        port=port or 0,
        protocol=item.protocol,
        tls=TlsSettings(tls.min_version, tls.client_ca, tls.passthrough) if secure else None,
        redirect_http=item.redirect_http,
        backend=item.backend,
        origin=collect.origin(path),
    )


def _check_backend(path: Path, item: spec_model.Listener, spec: EdgeSpec, collect: Collector) -> None:
    web = item.protocol in ("http", "https")
    if web and item.backend is not None:
        collect.error(
            (*path, "backend"),
            f"an {item.protocol} listener has routes and no backend of its own",
            f"write a route `ANY /*: {item.backend}`",
            code="listener-backend",
        )
    if web:
        return
    if item.backend is None:
        collect.error(
            path,
            f"a {item.protocol} listener needs a `backend`",
            "name one of `backends`",
            code="listener-backend",
        )
        return
    backend = spec.backends.get(item.backend)
    if backend is None:
        collect.unknown((*path, "backend"), "backend", item.backend, spec.backends)
    elif (item.protocol == "udp") != (backend.protocol == "udp"):
        collect.error(
            (*path, "backend"),
            f"a {item.protocol} listener cannot hand over to the {backend.protocol} backend `{item.backend}`",
            f"give the backend `protocol: {'udp' if item.protocol == 'udp' else 'tcp'}`",
            code="listener-backend",
        )


def _check_ports(listeners: tuple[Listener, ...], collect: Collector) -> None:
    for index, one in enumerate(listeners):
        for two in listeners[:index]:
            if one.port != two.port or (one.protocol == "udp") != (two.protocol == "udp"):
                continue
            path = one.origin.path
            if one.protocol != two.protocol or not one.web:
                collect.error(
                    path,
                    f"port {one.port} is already listener `{two.name}`'s",
                    "use another port",
                    code="listener-port",
                )
            elif not one.hosts or not two.hosts or set(one.hosts) & set(two.hosts):
                collect.error(
                    path,
                    f"it shares port {one.port} and a host with listener `{two.name}`",
                    "give each hosts of its own",
                    code="listener-host",
                )
        if one.redirect_http and one.protocol == "https":
            for two in listeners:
                if two.port == 80 and two.protocol != "udp":
                    collect.error(
                        (*one.origin.path, "redirect_http"),
                        f"port 80 is already listener `{two.name}`'s",
                        f"leave out `redirect_http`, or listener `{two.name}`",
                        code="listener-port",
                    )
