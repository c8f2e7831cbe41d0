"""Resolves routes: each gets its defaults with their origin, and everything that one route can get wrong is checked."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal, cast

from edgewright.edge.collect import Collector
from edgewright.edge.model import (
    Action,
    Auth,
    Authorizer,
    Backend,
    Cache,
    Cors,
    Forward,
    HeaderChange,
    Key,
    Listener,
    Operation,
    Origin,
    Quota,
    Redirect,
    RequestParameter,
    Respond,
    Retry,
    Rewrite,
    Route,
    Throttle,
    Timeouts,
    Validation,
    ValueMatch,
)
from edgewright.edge.paths import PathError, RouteKey, parse_key, parse_path, shape, slug
from edgewright.spec import model as spec_model
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import Path, did_you_mean, dotted

# No cloud's gateway waits longer by default: API Gateway's integration timeout is 29 s unless a quota is raised.
REQUEST_TIMEOUT = 29_000
IDLE_TIMEOUT = 300_000

RETRY_CONDITIONS: tuple[Literal["connect-failure", "reset", "gateway-error", "5xx"], ...] = (
    "connect-failure",
    "reset",
    "gateway-error",
    "5xx",
)
"""What a retry may be for, from the least to the most."""

_UNSAFE = ("POST", "PATCH")
_KINDS = ("exact", "prefix", "regex", "present")
_SUBJECT = ("JwtAuthorizer", "OidcAuthorizer", "IntrospectionAuthorizer", "MtlsAuthorizer")
_SCOPED = ("JwtAuthorizer", "OidcAuthorizer", "IntrospectionAuthorizer")

# Headers that belong to the connection (RFC 9110, 7.6.1), to the message's framing, or to the edge itself.
_FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# RE2 has none of these (github.com/google/re2/wiki/Syntax); they are what makes other engines take exponential time.
_NOT_RE2 = re.compile(r"\(\?(?:[=!>]|<[=!]|\()|\\[1-9]|\\k<|\(\?P=|[*+?}]\+")


def route_order(route: Route) -> tuple[object, ...]:
    """The place of a route in the total order: path, WebSocket, method, header matches, query matches, label."""
    return (
        shape(route.path),
        not route.websocket,
        len(route.methods) if route.methods is not None else 99,
        route.methods or (),
        _match_order(route.headers),
        _match_order(route.query),
        len(route.listeners),
        route.listeners,
        route.label,
        route.key,
    )


def _match_order(matches: tuple[ValueMatch, ...]) -> tuple[object, ...]:
    ranked = sorted((_KINDS.index(item.kind), -len(item.value), item.name, item.value) for item in matches)
    return (-len(matches), tuple(ranked))


class RouteResolver:
    """Resolves the routes of one spec against what the spec declares."""

    def __init__(
        self,
        spec: EdgeSpec,
        listeners: tuple[Listener, ...],
        authorizers: Mapping[str, Authorizer],
        backends: Mapping[str, Backend],
        collect: Collector,
    ) -> None:
        self._spec = spec
        self._listeners = {item.name: item for item in listeners}
        self._web = tuple(item.name for item in listeners if item.web)
        self._authorizers = authorizers
        self._backends = backends
        self._collect = collect
        self._check_defaults()

    def routes(self) -> Iterator[Route]:
        """The routes that could be resolved, in the order in which they are written."""
        for key, item in self._spec.routes.items():
            try:
                parsed = parse_key(key)
            except PathError as error:
                self._collect.error(("routes", key), error.what, error.remedy, code="route-key", key=True)
                continue
            yield self._route(key, parsed, item)

    def _route(self, key: str, parsed: RouteKey, item: spec_model.Route) -> Route:
        path: Path = ("routes", key)
        listeners = self._route_listeners(path, item)
        action = self._action(path, parsed, item)
        auth, public = self._auth(path, item)
        throttle = self._throttle(key, item, auth)
        quota = self._quota(key, item, auth)
        self._check_quota(path, item, throttle, quota)
        timeout = self._timeout(path, item, parsed)
        retry = self._retry(path, item, parsed, action, timeout)
        return Route(
            key=key,
            slug=slug(parsed),
            methods=parsed.methods,
            websocket=parsed.websocket,
            path=parsed.path,
            label=parsed.label,
            listeners=listeners,
            headers=self._matches((*path, "match", "headers"), item.match.headers),
            query=self._matches((*path, "match", "query"), item.match.query),
            action=action,
            auth=auth,
            public_because=public,
            throttle=throttle,
            quota=quota,
            cache=self._cache(path, item, parsed, action, auth),
            cors=self._cors(path, item),
            retry=retry,
            timeout=timeout,
            request_headers=self._headers(path, item, "request"),
            response_headers=self._headers(path, item, "response"),
            rewrite=self._rewrite(path, item, parsed, action),
            validation=self._validation(path, item),
            origin=self._collect.origin(path, key=True),
        )

    def _validation(self, path: Path, item: spec_model.Route) -> Validation | None:
        given = item.validation
        if not given or not (given.parameters or given.body):
            return None
        written = given.operation
        operation = written and Operation(
            tuple(
                RequestParameter(
                    one.source,
                    one.name,
                    one.required or one.source == "path",
                    _schema_text(one.shape),
                )
                for one in written.parameters
            ),
            written.body_required,
            tuple((media, _schema_text(shape)) for media, shape in sorted(written.bodies.items())),
        )
        return Validation(given.parameters, given.body, operation, self._collect.origin((*path, "validate"), key=True))

    # -- where it applies ----------------------------------------------------------------------------------------------

    def _route_listeners(self, path: Path, item: spec_model.Route) -> tuple[str, ...]:
        if item.listener is None:
            return self._web
        found: list[str] = []
        for name in item.listener:
            listener = self._listeners.get(name)
            if listener is None:
                self._collect.unknown((*path, "listener"), "listener", name, self._listeners)
            elif not listener.web:
                self._collect.error(
                    (*path, "listener"),
                    f"listener `{name}` speaks {listener.protocol} and has no routes",
                    code="route-listener",
                )
            else:
                found.append(name)
        return tuple(sorted(set(found)))

    def _matches(self, path: Path, matches: Mapping[str, spec_model.ValueMatch]) -> tuple[ValueMatch, ...]:
        found: list[ValueMatch] = []
        for name in sorted(matches):
            item = matches[name]
            if item.regex is not None:
                self._check_regex((*path, name), item.regex)
                found.append(ValueMatch(name, "regex", item.regex))
            elif item.exact is not None:
                found.append(ValueMatch(name, "exact", item.exact))
            elif item.prefix is not None:
                found.append(ValueMatch(name, "prefix", item.prefix))
            else:
                found.append(ValueMatch(name, "present", "true" if item.present else "false"))
        return tuple(found)

    def _check_regex(self, path: Path, text: str) -> None:
        if _NOT_RE2.search(text):
            self._collect.error(
                path,
                f"`{text}` uses look-around, back-references or possessive repeats",
                "write it in RE2 syntax",
                code="regex",
            )
            return
        try:
            re.compile(text)
        except re.error as error:
            self._collect.error(path, f"`{text}` is not a regular expression: {error.msg}", code="regex")

    # -- what it does --------------------------------------------------------------------------------------------------

    def _action(self, path: Path, parsed: RouteKey, item: spec_model.Route) -> Action:
        if item.redirect is not None:
            return self._redirect((*path, "redirect"), parsed, item.redirect)
        if item.respond is not None:
            if item.respond.status in (204, 304) and item.respond.body:
                self._collect.error(
                    (*path, "respond", "body"),
                    f"a {item.respond.status} answer has no body",
                    "leave it out",
                    code="respond-body",
                )
            return Respond(item.respond.status, item.respond.body, item.respond.content_type)
        weights = item.backend or {}
        for name in weights:
            backend = self._backends.get(name)
            if backend is None:
                self._collect.unknown((*path, "backend"), "backend", name, self._backends)
            elif backend.protocol in ("tcp", "udp"):
                self._collect.error(
                    (*path, "backend"),
                    f"backend `{name}` speaks {backend.protocol}",
                    "a route needs http, https, h2c or grpc",
                    code="route-backend",
                )
            elif parsed.websocket and backend.protocol not in ("http", "https"):
                self._collect.error(
                    (*path, "backend"),
                    f"a WebSocket cannot go to the {backend.protocol} backend `{name}`",
                    code="route-backend",
                )
        total = sum(weights.values())
        if total != 100:
            parts = " + ".join(str(weight) for weight in weights.values())
            self._collect.error(
                (*path, "backend"),
                f"the weights add up to {total} ({parts})",
                "make them add up to 100",
                code="weights",
            )
        return Forward(tuple(sorted(weights.items())))

    def _redirect(self, path: Path, parsed: RouteKey, item: spec_model.Redirect) -> Redirect:
        found = re.fullmatch(r"(https?://[^/]+)?(/.*)?", item.target)
        origin, target = (found[1] or "", found[2]) if found else ("", None)
        keep = bool(target and target.endswith("/*"))
        if target and "{" in target:
            self._collect.error(
                path,
                "a redirect's target cannot use variables",
                "end it with `/*` to keep what `/*` matched",
                code="redirect-target",
            )
        if keep and not parsed.path.rest:
            self._collect.error(
                path,
                f"`{item.target}` keeps what `/*` matched, and the route has no `/*`",
                "leave `/*` out",
                code="redirect-target",
            )
        if keep and target:
            target = target[:-2] or "/"
        if not origin and target == str(parsed.path) and not keep:
            self._collect.error(path, "it redirects to itself", "give another target", code="redirect-target")
        return Redirect(origin, target, keep, item.status)

    def _rewrite(self, path: Path, item: spec_model.Route, parsed: RouteKey, action: Action) -> Rewrite | None:
        rewrite = item.rewrite
        if rewrite is None:
            return None
        path = (*path, "rewrite")
        if not isinstance(action, Forward):
            self._collect.error(path, "there is no backend to rewrite for", "leave `rewrite` out", code="no-backend")
            return None
        if rewrite.host is not None and rewrite.host.startswith("*."):
            self._collect.error((*path, "host"), f"`{rewrite.host}` is not one host name", code="rewrite-host")
        if rewrite.prefix is not None and not parsed.path.rest:
            self._collect.error(
                (*path, "prefix"),
                "the route has no `/*` whose prefix could be replaced",
                "write `path`",
                code="rewrite-path",
            )
        if rewrite.prefix is not None and not parsed.path.literal:
            self._collect.error(
                (*path, "prefix"),
                "the route's prefix has variables",
                "write `path`, which may use them",
                code="rewrite-path",
            )
        written = rewrite.path
        pattern = None
        if written is not None:
            try:
                pattern = parse_path(written)
            except PathError as error:
                self._collect.error((*path, "path"), error.what, error.remedy, code="rewrite-path")
            else:
                for name in pattern.variables:
                    if name not in parsed.path.variables:
                        self._collect.error(
                            (*path, "path"),
                            f"the route has no variable `{{{name}}}`",
                            did_you_mean(name, parsed.path.variables),
                            code="rewrite-path",
                        )
                if pattern.rest and not parsed.path.rest:
                    self._collect.error(
                        (*path, "path"),
                        "it ends with `/*`, and the route does not",
                        "leave `/*` out",
                        code="rewrite-path",
                    )
        prefix = rewrite.prefix
        if prefix is not None:
            try:
                prefix = str(parse_path(prefix))
            except PathError as error:
                self._collect.error((*path, "prefix"), error.what, error.remedy, code="rewrite-path")
            if prefix.endswith("/*"):
                self._collect.error(
                    (*path, "prefix"),
                    "a prefix has no `/*`",
                    f"write `{prefix[:-2] or '/'}`",
                    code="rewrite-path",
                )
        return Rewrite(rewrite.host, prefix, pattern, self._collect.origin(path))

    # -- who may -------------------------------------------------------------------------------------------------------

    def _check_defaults(self) -> None:
        """Check what `defaults` names on its own, so that a mistake there is reported once and at its place."""
        defaults = self._spec.defaults
        if isinstance(defaults.auth, spec_model.Auth):
            if defaults.auth.authorizer is None:
                self._collect.error(
                    ("defaults", "auth"),
                    "it names no authorizer",
                    "add `authorizer: NAME`",
                    code="auth-authorizer",
                )
            self._check_auth(("defaults", "auth"), defaults.auth, defaults.auth.authorizer or ())
        self._check_cors(("defaults", "cors"), defaults.cors)
        self._check_header_names(("defaults", "headers"), defaults.headers)

    def _auth(self, path: Path, item: spec_model.Route) -> tuple[Auth | None, Origin | None]:
        default = self._spec.defaults.auth
        written, where = (item.auth, (*path, "auth")) if item.auth is not None else (default, ("defaults", "auth"))
        if written == "none":
            return None, self._collect.origin(where)
        if written is None:
            if self._spec.authorizers:
                self._collect.error(
                    path,
                    "it neither has nor inherits `auth`",
                    "write `auth: none` to make it public, or name an authorizer, here or in `defaults`",
                    code="auth-missing",
                )
            return None, Origin((), self._collect.origin(path).place)
        names = written.authorizer
        if names is None and isinstance(default, spec_model.Auth):
            names = default.authorizer
        if item.auth is not None:
            if names is None:
                self._collect.error(
                    where,
                    "it names no authorizer, and `defaults` has none",
                    "add `authorizer: NAME`",
                    code="auth-authorizer",
                )
            self._check_auth(where, written, names or (), inherited=written.authorizer is None)
        return (
            Auth(
                authorizers=tuple(sorted(set(names or ()))),
                scopes=tuple(sorted(set(written.scopes))),
                any_scope=tuple(sorted(set(written.any_scope))),
                claims=tuple(sorted((name, tuple(sorted(set(values)))) for name, values in written.claims.items())),
                origin=self._collect.origin(where),
            ),
            None,
        )

    def _check_auth(
        self, path: Path, auth: spec_model.Auth, names: tuple[str, ...], *, inherited: bool = False
    ) -> None:
        if not inherited:
            for name in names:
                if name not in self._authorizers:
                    self._collect.unknown((*path, "authorizer"), "authorizer", name, self._authorizers)
        for name in names:
            authorizer = self._authorizers.get(name)
            if authorizer is not None and type(authorizer).__name__ not in _SCOPED:
                for field in ("scopes", "any_scope", "claims"):
                    if getattr(auth, field):
                        self._collect.error(
                            (*path, field),
                            f"authorizer `{name}` knows no {'claims' if field == 'claims' else 'scopes'}",
                            "only tokens carry them: name a jwt authorizer",
                            code="auth-scopes",
                        )

    # -- how much ------------------------------------------------------------------------------------------------------

    def _throttle(self, key: str, item: spec_model.Route, auth: Auth | None) -> Throttle | None:
        own = item.throttle is not None
        written = item.throttle if own else self._spec.defaults.throttle
        path: Path = ("routes", key, "throttle") if own else ("defaults", "throttle")
        if not isinstance(written, spec_model.Throttle):
            return None
        per = self._key(path, key, written.per, auth)
        return Throttle(
            bucket=key if own or per.kind == "route" else "defaults",
            count=written.rate.requests,
            seconds=written.rate.seconds,
            burst=written.burst or max(1, math.ceil(written.rate.per_second)),
            per=per,
            origin=self._collect.origin(path),
        )

    def _quota(self, key: str, item: spec_model.Route, auth: Auth | None) -> Quota | None:
        own = item.quota is not None
        written = item.quota if own else self._spec.defaults.quota
        path: Path = ("routes", key, "quota") if own else ("defaults", "quota")
        if not isinstance(written, spec_model.Quota):
            return None
        per = self._key(path, key, written.per, auth)
        return Quota(
            bucket=key if own or per.kind == "route" else "defaults",
            limit=written.limit,
            period=written.period,
            per=per,
            origin=self._collect.origin(path),
        )

    def _key(self, path: Path, key: str, per: str, auth: Auth | None) -> Key:
        if per.startswith("header:"):
            header = per.removeprefix("header:").lower()
            self._check_header_name((*path, "per"), header)
            return Key("header", header, ("header", "ip"))
        kind = cast(Literal["client", "ip", "api_key", "subject", "route"], per)
        kinds = {
            type(self._authorizers[name]).__name__
            for name in (auth.authorizers if auth else ())
            if name in self._authorizers
        }
        has_key, has_subject = "ApiKeyAuthorizer" in kinds, any(name in kinds for name in _SUBJECT)
        known = auth is None or all(name in self._authorizers for name in auth.authorizers)
        if kind == "route":
            return Key(kind, None, ())
        if kind == "ip":
            return Key(kind, None, ("ip",))
        if kind == "client":
            order: list[Literal["api_key", "subject", "ip"]] = []
            if has_key:
                order.append("api_key")
            if has_subject:
                order.append("subject")
            return Key(kind, None, (*order, "ip"))
        if known and not (has_key if kind == "api_key" else has_subject):
            needs = "an api_key authorizer" if kind == "api_key" else "an authorizer that knows a subject"
            where = (*path, "per") if path[0] == "routes" else ("routes", key)
            written = path[-1] if path[0] == "routes" else dotted(path)
            self._collect.error(
                where,
                f"`per: {kind}` of `{written}` needs {needs}, and the route has none",
                "write `per: client`, or `per: ip`",
                code="limit-per",
            )
        return Key(kind, None, ("api_key",) if kind == "api_key" else ("subject",))

    def _check_quota(self, path: Path, item: spec_model.Route, throttle: Throttle | None, quota: Quota | None) -> None:
        if throttle is None or quota is None or quota.limit >= throttle.burst:
            return
        own = item.quota is not None or item.throttle is not None
        where = (*path, "quota" if item.quota is not None else "throttle") if own else ("defaults", "quota")
        if not own and any(
            problem.code == "quota-burst" and problem.place.path == where for problem in self._collect.problems
        ):
            return
        self._collect.error(
            where,
            f"a quota of {quota.limit} a {quota.period} is smaller than the throttle's burst of {throttle.burst}: "
            "one burst spends it",
            f"raise the quota, or write a `burst` of at most {quota.limit}",
            code="quota-burst",
        )

    # -- how it travels ------------------------------------------------------------------------------------------------

    def _timeout(self, path: Path, item: spec_model.Route, parsed: RouteKey) -> Timeouts:
        own, default = (
            item.timeout or spec_model.Timeout(),
            self._spec.defaults.timeout or spec_model.Timeout(),
        )
        request = own.request or default.request
        backend = own.backend or default.backend
        idle = own.idle or default.idle
        found = Timeouts(
            request=request.milliseconds if request else REQUEST_TIMEOUT,
            backend=backend.milliseconds if backend else None,
            idle=idle.milliseconds if idle else IDLE_TIMEOUT,
            origin=self._collect.origin(
                (*path, "timeout") if item.timeout else ("defaults", "timeout") if self._spec.defaults.timeout else ()
            ),
        )
        where = found.origin.path or path
        for field, value in (("request", found.request), ("backend", found.backend), ("idle", found.idle)):
            if value == 0:
                self._once(
                    (*where, field),
                    f"{field} is zero",
                    "write how long it may take, such as `29s`",
                    "timeouts-nest",
                )
        if found.backend is not None and found.backend > found.request and not parsed.websocket:
            self._once(
                (*where, "backend"),
                f"one try may take {backend}, longer than the {request or '29s'} that the whole request may take",
                f"write at most `{request or '29s'}`",
                "timeouts-nest",
            )
        return found

    def _once(self, path: Path, what: str, remedy: str, code: str) -> None:
        """An error that many routes may inherit from one place is reported once."""
        if not any(item.code == code and item.place.path == path for item in self._collect.problems):
            self._collect.error(path, what, remedy, code=code)

    def _retry(
        self, path: Path, item: spec_model.Route, parsed: RouteKey, action: Action, timeout: Timeouts
    ) -> Retry | None:
        own = item.retry is not None
        written = item.retry if own else self._spec.defaults.retry
        path = (*path, "retry") if own else ("defaults", "retry")
        if not isinstance(written, spec_model.Retry):
            return None
        if not isinstance(action, Forward) or parsed.websocket:
            if own:
                what = "a WebSocket is never sent again" if parsed.websocket else "there is no backend to try again"
                self._collect.error(path, what, "leave `retry` out", code="no-backend")
            return None
        unsafe = parsed.methods is None or any(method in _UNSAFE for method in parsed.methods)
        said = "non_idempotent" in written.model_fields_set
        taken = " and ".join(method for method in _UNSAFE if parsed.methods is None or method in parsed.methods)
        if own and unsafe and not said and set(written.on) - {"connect-failure"}:
            self._collect.error(
                path,
                f"the route takes {taken}, which a backend may carry out twice",
                "write `non_idempotent: false` to try only idempotent methods again, or `true` to mean it",
                code="retry-non-idempotent",
            )
        if not written.on:
            self._collect.error(
                (*path, "on"),
                "nothing is tried again",
                "leave `retry` out, or name a reason",
                code="retry-on",
            )
        if timeout.backend is not None and timeout.backend * (written.attempts + 1) > timeout.request:
            self._collect.warn(
                path,
                (str(path[1]),) if own else (),
                f"{written.attempts + 1} tries of {timeout.backend} ms exceed the request's {timeout.request} ms",
                "shorten `timeout.backend`: the last tries are cut short",
            )
        conditions = {entry for entry in written.on if not isinstance(entry, int)}
        return Retry(
            attempts=written.attempts,
            on=tuple(name for name in RETRY_CONDITIONS if name in conditions),
            statuses=tuple(sorted({entry for entry in written.on if isinstance(entry, int)})),
            backoff=max(1, written.backoff.milliseconds),
            non_idempotent=written.non_idempotent,
            origin=self._collect.origin(path),
        )

    def _cache(
        self, path: Path, item: spec_model.Route, parsed: RouteKey, action: Action, auth: Auth | None
    ) -> Cache | None:
        cache = item.cache
        if cache is None:
            return None
        path = (*path, "cache")
        if not isinstance(action, Forward) or parsed.websocket:
            self._collect.error(path, "there is no backend's answer to keep", "leave `cache` out", code="no-backend")
        if parsed.methods is not None and not {"GET", "HEAD"} & set(parsed.methods):
            self._collect.error(
                path,
                f"answers to {' and '.join(parsed.methods)} are not kept",
                "cache a GET route",
                code="cache-method",
            )
        if cache.ttl.milliseconds < 1000:
            self._collect.error(
                (*path, "ttl"),
                f"{cache.ttl} is less than a second, the unit of every cache",
                "write at least `1s`",
                code="cache-ttl",
            )
        if auth is not None and cache.share is None:
            self._collect.error(
                path,
                "the route has `auth`, and the cache does not say who may see an answer",
                "write `share: per_user`, or `share: public` if everybody may see everybody's",
                code="cache-share",
            )
        if auth is None and cache.share == "per_user":
            self._collect.error(
                (*path, "share"),
                "a public route knows no users",
                "leave `share` out, or give the route `auth`",
                code="cache-share",
            )
        if "*" in cache.vary_by.query and len(cache.vary_by.query) > 1:
            self._collect.error(
                (*path, "vary_by", "query"),
                "`*` already means every parameter",
                'write `query: "*"`',
                code="cache-vary",
            )
        for name in cache.vary_by.headers:
            if name in ("authorization", "cookie"):
                self._collect.error(
                    (*path, "vary_by", "headers"),
                    f"`{name}` is a secret and no part of a key",
                    "write `share: per_user`",
                    code="cache-vary",
                )
            else:
                self._check_header_name((*path, "vary_by", "headers"), name)
        return Cache(
            ttl=cache.ttl.milliseconds,
            query=tuple(sorted(set(cache.vary_by.query))),
            headers=tuple(sorted(set(cache.vary_by.headers))),
            share=cache.share or "public",
            origin=self._collect.origin(path),
        )

    def _cors(self, path: Path, item: spec_model.Route) -> Cors | None:
        own = item.cors is not None
        written = item.cors if own else self._spec.defaults.cors
        if own:
            self._check_cors((*path, "cors"), written)
        if not isinstance(written, spec_model.Cors):
            return None
        return Cors(
            origins=tuple(sorted(set(written.allow_origins))),
            methods=tuple(sorted(set(written.allow_methods))),
            allow_headers=tuple(sorted(set(written.allow_headers))),
            expose_headers=tuple(sorted(set(written.expose_headers))),
            credentials=written.allow_credentials,
            max_age=written.max_age.milliseconds,
            origin=self._collect.origin((*path, "cors") if own else ("defaults", "cors")),
        )

    def _check_cors(self, path: Path, cors: spec_model.Cors | Literal["none"] | None) -> None:
        if not isinstance(cors, spec_model.Cors):
            return
        any_origin = "*" in cors.allow_origins
        if any_origin and len(cors.allow_origins) > 1:
            self._collect.error(
                (*path, "allow_origins"),
                "`*` already means every origin",
                "name origins, or `*` alone",
                code="cors-origins",
            )
        if not cors.allow_credentials:
            return
        for field, value in (
            ("allow_origins", any_origin),
            ("allow_methods", "*" in cors.allow_methods),
            ("allow_headers", "*" in cors.allow_headers),
        ):
            if value:
                self._collect.error(
                    (*path, field),
                    "`*` with `allow_credentials` would let every site act as the user; browsers refuse it",
                    f"name the {field.removeprefix('allow_')}, or leave `allow_credentials` out",
                    code="cors-credentials",
                )

    # -- headers -------------------------------------------------------------------------------------------------------

    def _headers(self, path: Path, item: spec_model.Route, side: Literal["request", "response"]) -> HeaderChange:
        if side == "request":
            self._check_header_names((*path, "headers"), item.headers)
        found = HeaderChange()
        for headers in (self._spec.defaults.headers, item.headers):
            if headers is None:
                continue
            change: spec_model.HeaderChange = getattr(headers, side)
            settled = {**dict(found.set), **change.set}
            removed = {*found.remove, *change.remove}
            added = [pair for pair in found.add if pair[0] not in change.remove and pair[0] not in change.set]
            added += change.add.items()
            kept = {name: value for name, value in settled.items() if name in change.set or name not in change.remove}
            found = replace(
                found,
                remove=tuple(sorted(removed)),
                set=tuple(sorted(kept.items())),
                add=tuple(sorted(added)),
            )
        return found

    def _check_header_names(self, path: Path, headers: spec_model.Headers | None) -> None:
        if headers is None:
            return
        for side in ("request", "response"):
            change: spec_model.HeaderChange = getattr(headers, side)
            for field in ("remove", "set", "add"):
                for name in getattr(change, field):
                    self._check_header_name((*path, side, field), name)

    def _check_header_name(self, path: Path, name: str) -> None:
        if name in _FRAMING:
            remedy = "write `rewrite: {host: ...}`" if name == "host" else "the edge takes care of it"
            self._collect.error(path, f"`{name}` belongs to the connection", remedy, code="header-name")
        elif name.startswith(("x-edge-", "x-envoy-", ":")):
            self._collect.error(path, f"`{name}` is a name of the edge's own", "use another", code="header-name")


def _schema_text(shape: object) -> str:
    return json.dumps(shape, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
