"""What `edgewright up` prints at the end: the URL, requests to try as they stand, and how to take it all down. Pure."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from edgewright.edge.model import ApiKeyAuthorizer, Edge, Forward, JwtAuthorizer, Route


@dataclass(frozen=True, slots=True)
class Running:
    """A running edge, as far as a request to it needs to know.

    urls: the URL of each listener by name; ca: path of the development CA, empty without TLS; program: how this shell
    calls edgewright; down: the command that stops it.
    """

    stack: str
    url: str
    urls: Mapping[str, str]
    ca: str
    program: str
    down: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A request to try: what it shows, the status it gets, and the command line."""

    shows: str
    status: int
    command: str


def welcome(edge: Edge, running: Running) -> str:
    """The whole text, ending in a newline."""
    lines = ["", f"  {edge.name} is up: {running.url}", ""]
    for sample in samples(edge, running):
        lines += [f"  # {sample.status}: {sample.shows}", f"  {sample.command}", ""]
    lines += [f"  stop it with: {running.down}", ""]
    return "\n".join(lines)


def samples(edge: Edge, running: Running) -> tuple[Sample, ...]:
    """Up to three requests: a public one (cached, where there is a cache), one with a token, and that one without."""
    public = [route for route in edge.routes if route.auth is None and _simple(route)]
    public.sort(key=lambda route: (route.cache is None, route.path.rest))
    protected = [
        route for route in edge.routes if route.auth is not None and _simple(route) and _authorizer(edge, route)
    ]
    protected.sort(key=lambda route: (route.path.rest, not _scopes(route)))
    found: list[Sample] = []
    if public:
        route = public[0]
        cached = ", cached: the second time it does not reach the service" if route.cache else ""
        found.append(Sample(f"{route.key} is public{cached}", 200, _curl(running, route, ())))
    if protected:
        route = protected[0]
        scopes = _scopes(route)
        needs = f" with the scope {' '.join(scopes)}" if scopes else ""
        credential = _credential(edge, route, running)
        what = "an API key" if isinstance(edge.authorizers[_authorizer(edge, route)], ApiKeyAuthorizer) else "a token"
        found.append(Sample(f"{route.key} wants {what}{needs}", 200, _curl(running, route, credential)))
        found.append(Sample("the same without one", 401, _curl(running, route, ())))
    return tuple(found)


def _simple(route: Route) -> bool:
    """Whether a plain GET of the path alone reaches it, and a service answers."""
    gets = route.methods is None or "GET" in route.methods
    return bool(
        gets
        and not route.websocket
        and not route.headers
        and not route.query
        and route.path.literal
        and isinstance(route.action, Forward)
        and not (route.auth and route.auth.claims)
    )


def _scopes(route: Route) -> tuple[str, ...]:
    return (route.auth.scopes + route.auth.any_scope[:1]) if route.auth else ()


def _authorizer(edge: Edge, route: Route) -> str:
    """The first authorizer of the route whose credential we can make here; empty when there is none."""
    for name in route.auth.authorizers if route.auth else ():
        found = edge.authorizers.get(name)
        if isinstance(found, JwtAuthorizer) or (isinstance(found, ApiKeyAuthorizer) and found.clients):
            return name
    return ""


def _credential(edge: Edge, route: Route, running: Running) -> tuple[str, ...]:
    """The arguments of curl that carry a credential, already quoted; empty when we cannot make one."""
    name = _authorizer(edge, route)
    found = edge.authorizers.get(name)
    if not isinstance(found, JwtAuthorizer | ApiKeyAuthorizer):
        return ()
    words = ["token", name]
    if isinstance(found, ApiKeyAuthorizer):
        words = ["key", name, found.clients[0]]
    else:
        for scope in _scopes(route):
            words += ["--scope", scope]
    if running.stack != "local":
        words += ["--stack", running.stack]
    made = f"$({running.program} {shlex.join(words)})"
    source = found.source
    if source.kind == "header":
        return ("-H", f'"{source.name}: {source.prefix}{made}"')
    if source.kind == "cookie":
        return ("-b", f'"{source.name}={made}"')
    return ("-G", "--data-urlencode", f'"{source.name}={made}"')


def _curl(running: Running, route: Route, credential: tuple[str, ...]) -> str:
    url = next((running.urls[name] for name in route.listeners if running.urls.get(name)), running.url)
    words = ["curl", "-i"]
    if url.startswith("https:") and running.ca:
        words += ["--cacert", shlex.quote(running.ca)]
    words += credential
    path = route.path.prefix or "/"
    words.append(shlex.quote(url.rstrip("/") + path))
    return " ".join(words)
