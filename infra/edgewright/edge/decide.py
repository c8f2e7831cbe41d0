"""The oracle: what a resolved edge means for one request, in executable form; targets are tested against it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from edgewright.edge.model import (
    Edge,
    Forward,
    Key,
    Listener,
    Redirect,
    Respond,
    Rewrite,
    Route,
    ValueMatch,
)
from edgewright.edge.paths import PathTree, fill, match_path

# Characters and escapes that two servers on the way may read differently; no route is chosen by a path with them.
_AMBIGUOUS = re.compile(
    r"(?i);|%3b|%5c|\\|%00|%23|%3f|%2f|%c[01]|%25(?:2e|2f|5c|3b|25|00|23)|(?:\.|%2e|%20)(?:/|$)|%(?![0-9a-f]{2})"
)
_UNRESERVED = re.compile(r"%(2[dD]|2[eE]|3[0-9]|4[1-9a-fA-F]|5[0-9aA]|5[fF]|6[1-9a-fA-F]|7[0-9aA]|7[eE])")


@dataclass(frozen=True, slots=True)
class Identity:
    """What an authorizer found in a request: a subject with scopes and claims, or a client with a key."""

    subject: str = ""
    client: str = ""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrives.

    target: path and query as sent; headers: lower-case names; identities: by authorizer, those whose credential is
    there and good (a bad credential is as none); address: the client's.
    """

    method: str
    target: str
    listener: str = "default"
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    identities: Mapping[str, Identity] = field(default_factory=dict[str, Identity])
    address: str = "127.0.0.1"
    websocket: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What the edge does with a request.

    status: the edge's own answer, or None when a backend answers; route: its key, or None where none was found;
    throttle and quota: (bucket, key) that are counted, in the order of counting; targets: weighted backends;
    path and host: what the backend sees; location: of a redirect; cache_key: equal for requests that share an answer.
    """

    status: int | None
    route: str | None = None
    reason: Literal[
        "", "path", "host", "no-route", "unauthenticated", "forbidden", "redirect", "respond", "preflight"
    ] = ""
    targets: tuple[tuple[str, int], ...] = ()
    path: str = ""
    host: str = ""
    location: str = ""
    throttle: tuple[str, str] | None = None
    quota: tuple[str, str] | None = None
    cache_key: tuple[str, ...] | None = None


class Oracle:
    """Decides requests of one edge."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._listeners = {item.name: item for item in edge.listeners}
        self._tree: PathTree[int] = PathTree()
        for index, route in enumerate(edge.routes):
            self._tree.insert(route.path, index)

    def decide(self, request: Request) -> Decision:
        """The decision on one request; throttles and quotas are named, not counted, since they depend on others."""
        listener = self._listeners[request.listener]
        if not _host_matches(listener, request.host):
            return Decision(404, reason="host")
        raw, _, query = request.target.partition("?")
        path = normalise(raw)
        if path is None:
            return Decision(400, reason="path")
        route = self._route(request, path, _query(query))
        if route is None:
            return Decision(404, reason="no-route")
        if _preflight(request) and route.cors is not None:
            return Decision(200, route.key, "preflight")
        refused = _refused(route, request)
        if refused is not None:
            return refused
        return self._carry_out(route, request, path, query)

    def _route(self, request: Request, path: str, query: Mapping[str, str]) -> Route | None:
        for index in sorted(self._tree.matching(path)):
            route = self._edge.routes[index]
            if request.listener not in route.listeners or route.websocket != request.websocket:
                continue
            if not (route.methods is None or request.method in route.methods or _asks_for(route, request)):
                continue
            if all(_matches(item, request.headers.get(item.name)) for item in route.headers) and all(
                _matches(item, query.get(item.name)) for item in route.query
            ):
                return route
        return None

    def _carry_out(self, route: Route, request: Request, path: str, query: str) -> Decision:
        throttle = (route.throttle.bucket, key_of(route.throttle.per, route, request)) if route.throttle else None
        quota = (route.quota.bucket, key_of(route.quota.per, route, request)) if route.quota else None
        suffix = f"?{query}" if query else ""
        match route.action:
            case Respond(status=status):
                return Decision(status, route.key, "respond", throttle=throttle, quota=quota)
            case Redirect() as redirect:
                found = match_path(route.path, path) or {}
                target = redirect.path if redirect.path is not None else path
                if redirect.keep_rest:
                    target = target.rstrip("/") + found.get("*", "") or "/"
                return Decision(
                    redirect.status,
                    route.key,
                    "redirect",
                    location=redirect.origin_url + target + suffix,
                    throttle=throttle,
                    quota=quota,
                )
            case Forward(targets=targets):
                return Decision(
                    None,
                    route.key,
                    targets=targets,
                    path=_rewritten(route, path) + suffix,
                    host=route.rewrite.host if route.rewrite and route.rewrite.host else request.host,
                    throttle=throttle,
                    quota=quota,
                    cache_key=_cache_key(route, request, path, query),
                )


def decide(edge: Edge, request: Request) -> Decision:
    """The decision on one request; make an :class:`Oracle` once for many."""
    return Oracle(edge).decide(request)


def normalise(path: str) -> str | None:
    """The one reading of a path that all targets agree on, or None for a path that has no single reading (400).

    Escaped unreserved characters are decoded, backslashes read as slashes, dot segments removed (RFC 3986, 6.2.2), and
    then runs of slashes merged, in this order.
    """
    if not path.startswith("/") or len(path) > 8192:
        return None
    path = _UNRESERVED.sub(lambda match: unquote(match[0]), path)
    path = path.replace("\\", "/")
    kept: list[str] = []
    parts = path[1:].split("/")
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == ".":
            if last:
                kept.append("")
        elif part == "..":
            if kept:
                kept.pop()
            if last:
                kept.append("")
        else:
            kept.append(part)
    path = re.sub(r"/{2,}", "/", "/" + "/".join(kept))
    if _AMBIGUOUS.search(path) or any(ord(char) < 0x21 or ord(char) > 0x7E for char in path):
        return None
    return path


def key_of(per: Key, route: Route, request: Request) -> str:
    """Whom a limit counts this request for: kind and value, such as ``ip:127.0.0.1``."""
    if per.kind == "route":
        return f"route:{route.key}"
    identities = [
        request.identities[name]
        for name in (route.auth.authorizers if route.auth else ())
        if name in request.identities
    ]
    for kind in per.order:
        if kind == "api_key":
            value = next((item.client for item in identities if item.client), "")
        elif kind == "subject":
            value = next((item.subject for item in identities if item.subject), "")
        elif kind == "header":
            value = request.headers.get(per.header or "", "")
        else:
            value = request.address
        if value:
            return f"{kind}:{value}"
    return f"ip:{request.address}"


def _host_matches(listener: Listener, host: str) -> bool:
    if not listener.hosts:
        return True
    host = re.sub(r":\d+$", "", host.lower()).removesuffix(".")
    return any(
        host == name or (name.startswith("*.") and host.partition(".")[2] == name[2:]) for name in listener.hosts
    )


def _query(query: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part and name not in found:
            found[name] = value
    return found


def _matches(item: ValueMatch, value: str | None) -> bool:
    if item.kind == "present":
        return (value is not None) == (item.value == "true")
    if value is None:
        return False
    if item.kind == "exact":
        return value == item.value
    return value.startswith(item.value) if item.kind == "prefix" else re.fullmatch(item.value, value) is not None


def _preflight(request: Request) -> bool:
    return (
        request.method == "OPTIONS"
        and "origin" in request.headers
        and "access-control-request-method" in request.headers
    )


def _asks_for(route: Route, request: Request) -> bool:
    wanted = request.headers.get("access-control-request-method", "")
    return route.cors is not None and _preflight(request) and wanted in (route.methods or ())


def _refused(route: Route, request: Request) -> Decision | None:
    auth = route.auth
    if auth is None:
        return None
    known = [request.identities[name] for name in auth.authorizers if name in request.identities]
    if not known:
        return Decision(401, route.key, "unauthenticated")
    identity = known[0]
    allowed = (
        set(auth.scopes) <= identity.scopes
        and (not auth.any_scope or bool(set(auth.any_scope) & identity.scopes))
        and all(set(values) & set(identity.claims.get(name, ())) for name, values in auth.claims)
    )
    return None if allowed else Decision(403, route.key, "forbidden")


def _rewritten(route: Route, path: str) -> str:
    rewrite: Rewrite | None = route.rewrite
    if rewrite is None:
        return path
    found = match_path(route.path, path) or {}
    if rewrite.path is not None:
        return fill(rewrite.path, found)
    if rewrite.prefix is not None:
        return (rewrite.prefix.rstrip("/") + found.get("*", "")) or "/"
    return path


def _cache_key(route: Route, request: Request, path: str, query: str) -> tuple[str, ...] | None:
    cache = route.cache
    if cache is None or request.method not in ("GET", "HEAD"):
        return None
    pairs = sorted(part for part in query.split("&") if part)
    if "*" not in cache.query:
        pairs = [part for part in pairs if part.partition("=")[0] in cache.query]
    headers = [f"{name}={request.headers.get(name, '')}" for name in cache.headers]
    user = ""
    if cache.share == "per_user" and route.auth is not None:
        identities = [request.identities[name] for name in route.auth.authorizers if name in request.identities]
        user = next((item.client or item.subject for item in identities), "")
    return (request.listener, route.key, path, *pairs, *headers, user)
