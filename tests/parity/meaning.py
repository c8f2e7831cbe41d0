"""What a resolved edge means, in the neutral terms: a reader that reads the edge itself and asks the oracle."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from edgewright.edge.decide import Identity, Oracle, Request
from edgewright.edge.model import (
    METHODS,
    ApiKeyAuthorizer,
    Backend,
    Cors,
    Edge,
    Forward,
    HeaderChange,
    IntrospectionAuthorizer,
    JwtAuthorizer,
    Key,
    Listener,
    MtlsAuthorizer,
    OidcAuthorizer,
    Redirect,
    Respond,
    Retry,
    Route,
    Validation,
    ValueMatch,
)
from parity.retries import events
from parity.terms import BUCKETS, EDGE, PER_REQUEST, Facts, Probe, Reader

_UNSAFE = ("POST", "PATCH")
_WORDS = ("v1", "v12", "1", "12", "a", "abc", "x")


class Meaning:
    """The edge as a reader."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._oracle = Oracle(edge)
        scopes = {scope for route in edge.routes if route.auth for scope in (*route.auth.scopes, *route.auth.any_scope)}
        claims = {name: values for route in edge.routes if route.auth for name, values in route.auth.claims}
        self._identities = {name: Identity("s", "c", frozenset(scopes), claims) for name in edge.authorizers}

    def whole(self) -> Mapping[str, Facts]:
        """The edge, its listeners and its backends."""
        found = {EDGE: _edge(self._edge)}
        found |= {f"listener {item.name}": _listener(item) for item in self._edge.listeners}
        return found | {f"backend {name}": backend_facts(item) for name, item in self._edge.backends.items()}

    def ask(self, probe: Probe) -> Facts | None:
        """What the edge does with a request."""
        request = Request(
            probe.method,
            probe.target,
            probe.listener,
            probe.host,
            {name.lower(): value for name, value in probe.headers.items()},
            self._identities,
            websocket=probe.websocket,
        )
        decision = self._oracle.decide(request)
        if decision.route is None:
            return None
        found = route_facts(self._edge, self._edge.route(decision.route))
        if decision.reason == "redirect":
            found["redirect.location"] = decision.location
        elif decision.targets:
            found["rewrite.path"] = decision.path.partition("?")[0]
        return found

    def route_of(self, probe: Probe) -> str | None:
        """The key of the route that a request gets."""
        found = self.ask(probe)
        return found["key"] if found else None


# -- values ------------------------------------------------------------------------------------------------------------


def _edge(edge: Edge) -> Facts:
    found: Facts = {
        "name": edge.name,
        "log.retention": edge.access_log.retention_days,
        "log.fields": tuple(sorted(edge.access_log.fields)),
        "log.sample": edge.access_log.sample,
        "ddos": edge.ddos,
    }
    waf, monitor = edge.waf, edge.monitor
    if waf is not None:
        found |= {
            "waf.mode": waf.mode,
            "waf.managed": tuple(sorted(waf.managed)),
            "waf.allow": tuple(sorted(waf.allow)),
            "waf.deny": tuple(sorted(waf.deny)),
            "waf.rate_per_ip": round(waf.rate_per_ip[0] / waf.rate_per_ip[1], 6) if waf.rate_per_ip else None,
        }
    if monitor is not None:
        found |= {
            "monitor.error_rate": monitor.error_rate,
            "monitor.percentile": monitor.latency_percentile,
            "monitor.latency": monitor.latency_above,
            "monitor.throttled": monitor.throttled,
            "monitor.unhealthy_targets": monitor.unhealthy_targets,
            "monitor.notify": tuple(sorted(monitor.notify)),
            "monitor.dashboard": monitor.dashboard,
        }
    if edge.compression is not None:
        found["compression.min_size"] = edge.compression.min_size
        found["compression.content_types"] = tuple(sorted(edge.compression.content_types))
    return found


def _listener(item: Listener) -> Facts:
    found: Facts = {
        "listener.hosts": item.hosts,
        "listener.port": item.port,
        "listener.protocol": item.protocol,
        "listener.redirect_http": item.redirect_http,
        "listener.backend": item.backend,
    }
    if item.tls is not None:
        passthrough = item.tls.passthrough
        found["tls.min_version"] = None if passthrough else item.tls.min_version
        found["tls.client_ca"] = item.tls.client_ca
        found["tls.passthrough"] = passthrough
    return found


def backend_facts(item: Backend) -> Facts:
    """A backend's own."""
    found: Facts = {"backend.port": item.port, "backend.protocol": item.protocol}
    check, breaker = item.health_check, item.circuit_breaker
    if check is not None:
        found |= {
            "health.path": check.path or "(a connection)",
            "health.interval": check.interval,
            "health.timeout": check.timeout,
            "health.healthy": check.healthy_threshold,
            "health.unhealthy": check.unhealthy_threshold,
            "health.statuses": check.statuses if check.path else None,
        }
    if breaker is not None:
        found |= {
            "breaker.errors": breaker.consecutive_errors,
            "breaker.ejection": breaker.ejection,
            "breaker.percent": breaker.max_ejection_percent,
            "breaker.connections": breaker.max_connections,
            "breaker.requests": breaker.max_requests,
        }
    return found


def route_facts(edge: Edge, route: Route) -> Facts:
    """A route's own, whatever the request."""
    found: Facts = {"key": route.key}
    match route.action:
        case Forward(targets=targets):
            found["backend"] = {name: weight for name, weight in targets if weight}
            found["rewrite.host"] = route.rewrite.host if route.rewrite else None
            found["websocket"] = "through" if route.websocket else None
            found |= _times(route)
        case Redirect(status=status):
            found["redirect.status"] = status
        case Respond(status=status, body=body, content_type=kind):
            found |= {"respond.status": status, "respond.body": body, "respond.content_type": kind}
    found["headers.request"] = _changes(route.request_headers)
    found["headers.response"] = _changes(route.response_headers)
    found |= _auth(edge, route)
    if route.throttle is not None:
        order = _order(route.throttle.per)
        found |= {
            "throttle.rate": round(route.throttle.per_second, 6),
            "throttle.burst": route.throttle.burst,
            "throttle.per": order,
            "throttle.bucket": (route.throttle.bucket, route.key if order == ("route",) else ""),
        }
    if route.quota is not None:
        order = _order(route.quota.per)
        found |= {
            "quota.limit": route.quota.limit,
            "quota.period": route.quota.period,
            "quota.per": order,
            "quota.bucket": (route.quota.bucket, route.key if order == ("route",) else ""),
        }
    if route.cache is not None:
        found |= {
            "cache.ttl": route.cache.ttl,
            "cache.methods": tuple(m for m in ("GET", "HEAD") if route.methods is None or m in route.methods),
            "cache.query": route.cache.query,
            "cache.headers": route.cache.headers,
            "cache.share": route.cache.share if route.auth else "public",
        }
    if route.cors is not None and not route.websocket:
        found |= _cors(route.cors)
    if route.retry is not None:
        found |= _retry(route.retry)
    if route.validation is not None:
        found |= _validation(route, route.validation)
    return found


def _times(route: Route) -> Facts:
    times = route.timeout
    if route.websocket:
        return {"timeout.idle": times.idle}
    return {"timeout.request": times.request, "timeout.backend": times.backend, "timeout.idle": times.idle}


def _changes(change: HeaderChange) -> Facts:
    found = {"remove": change.remove, "set": dict(change.set), "add": dict(change.add)}
    return {name: value for name, value in found.items() if value}


def _order(per: Key) -> tuple[str, ...]:
    """Whom a limit counts, one after another; the address stands behind all (`decide.key_of`)."""
    if per.kind == "route":
        return ("route",)
    order = tuple(f"header:{per.header}" if kind == "header" else str(kind) for kind in per.order)
    return order if "ip" in order else (*order, "ip")


def _cors(cors: Cors) -> Facts:
    return {
        "cors.origins": tuple(sorted(cors.origins)),
        "cors.methods": tuple(sorted(cors.methods)),
        "cors.allow_headers": tuple(sorted(cors.allow_headers)),
        "cors.expose_headers": tuple(sorted(cors.expose_headers)),
        "cors.credentials": cors.credentials,
        "cors.max_age": cors.max_age,
        "cors.answers": True,
    }


def _retry(retry: Retry) -> Facts:
    return {
        "retry.attempts": retry.attempts,
        "retry.on": events(retry.on, retry.statuses),
        "retry.backoff": retry.backoff,
        "retry.non_idempotent": retry.non_idempotent,
    }


def _validation(route: Route, item: Validation) -> Facts:
    found: Facts = {"validate.parameters": None, "validate.shapes": None, "validate.body": None}
    operation = item.operation
    if operation is None:
        return {"validate.parameters": "nothing is known", "validate.body": "nothing is known"}
    if item.parameters:
        asked = [one for one in operation.parameters if one.where != "path"]
        found["validate.parameters"] = tuple(
            sorted(
                (one.where, one.name.lower() if one.where == "header" else one.name) for one in asked if one.required
            )
        )
        depths = {one.text: str(at) for at, one in enumerate(route.path.segments, 1) if one.variable}
        found["validate.shapes"] = {
            f"{one.where} {depths[one.name] if one.where == 'path' else one.name}": json.loads(one.schema)
            for one in operation.parameters
            if one.schema not in ("{}", '{"type":"string"}')
        }
    if item.body:
        found["validate.body"] = {media: json.loads(text) for media, text in operation.bodies}
        found["validate.body_required"] = operation.body_required
    return found


# -- who may -----------------------------------------------------------------------------------------------------------


def _auth(edge: Edge, route: Route) -> Facts:
    auth = route.auth
    if auth is None:
        return {"auth.kinds": ("public",)}
    items = [edge.authorizers[name] for name in auth.authorizers]
    scopes, any_scope = auth.scopes, auth.any_scope
    if len(any_scope) == 1:  # one of one is all of one
        scopes, any_scope = tuple(sorted({*scopes, *any_scope})), ()
    needs = scopes or any_scope or auth.claims
    found: Facts = {
        "auth.scopes": scopes,
        "auth.any_scope": any_scope,
        "auth.claims": dict(auth.claims),
        "auth.refusal": 403 if needs else None,
    }
    kinds: list[str] = []
    tokens: Facts = {}
    for item in items:
        match item:
            case JwtAuthorizer():
                kinds.append("jwt")
                for leaf, value in token_facts(item, scoped=bool(scopes or any_scope)).items():
                    tokens.setdefault(leaf, {})[item.issuer] = value
            case ApiKeyAuthorizer():
                kinds.append("api_key")
                found["key.source"] = (item.source.kind, item.source.name, item.source.prefix)
                found["key.clients"] = tuple(sorted(item.clients))
            case OidcAuthorizer():
                kinds.append("oidc")
                found |= {
                    "oidc.issuer": item.issuer,
                    "oidc.client": item.client,
                    "oidc.scopes": tuple(sorted(item.scopes)),
                }
            case IntrospectionAuthorizer():
                kinds.append("introspection")
                found |= {
                    "introspection.endpoint": item.endpoint,
                    "introspection.client": item.client,
                    "introspection.cache": item.cache,
                }
            case MtlsAuthorizer():
                kinds.append("mtls")
                found["mtls.subjects"] = item.subjects
    return {"auth.kinds": tuple(sorted(kinds)), **found, **tokens}


def token_facts(item: JwtAuthorizer, *, scoped: bool) -> Facts:
    """How one issuer's tokens are checked."""
    keys = keys_of(item.jwks) if item.jwks is not None else keys_at(item.jwks_uri, item.issuer)
    return {
        "jwt.issuer": item.issuer,
        "jwt.audiences": tuple(sorted(item.audiences)),
        "jwt.keys": keys,
        "jwt.algorithms": tuple(sorted(item.algorithms)),
        "jwt.source": (item.source.kind, item.source.name, item.source.prefix),
        "jwt.scope_claim": item.scope_claim if scoped else None,
        "jwt.audience_claim": item.audience_claim,
        "jwt.clock_skew": item.clock_skew,
        "jwt.jwks_refresh": item.jwks_refresh if item.jwks is None else None,
    }


def keys_at(uri: str | None, issuer: str) -> str:
    """Where keys are; ``the issuer's`` for what its discovery would lead to, as far as anybody can tell."""
    usual = f"{issuer.rstrip('/')}/.well-known/jwks.json"
    return "the issuer's" if uri is None or uri == usual else uri


def keys_of(jwks: str) -> tuple[str, ...]:
    """Inline keys by what is in them: the modulus, or the point."""
    found: list[dict[str, Any]] = json.loads(jwks)["keys"]
    return tuple(sorted(str(key.get("n") or key.get("x")) for key in found))


# -- routes by requests ------------------------------------------------------------------------------------------------


class _Remembered:
    """A reader that is asked each question once."""

    def __init__(self, reader: Reader) -> None:
        self.whole = reader.whole
        self._reader = reader
        self._known: dict[object, Facts | None] = {}

    def ask(self, probe: Probe) -> Facts | None:
        """As the reader."""
        key = (probe.listener, probe.method, probe.target, tuple(probe.headers.items()), probe.websocket)
        if key not in self._known:
            self._known[key] = self._reader.ask(probe)
        return self._known[key]


class Questions:
    """The requests by which the routes of an edge are asked of every reader alike."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._meaning = Meaning(edge)
        self._web = [item for item in edge.listeners if item.web]
        self.base = {route.key: self._base(route) for route in edge.routes}

    def _base(self, route: Route) -> Probe:
        """A request that gets the route: what others match may have to be there, where they want it not to be."""
        others = {item.name: "x" for one in self._edge.routes for item in one.headers}
        asked = {item.name: "x" for one in self._edge.routes for item in one.query}
        headers = {item.name: value for item in route.headers if (value := _sample(item)) is not None}
        query = {item.name: value for item in route.query if (value := _sample(item)) is not None}
        for more in (False, True):
            for listener, path, method in product(self._web, _paths(route), route.methods or METHODS):
                probe = Probe(
                    listener.name,
                    _host(listener),
                    "GET" if route.websocket else method,
                    path,
                    {**others, **headers} if more else headers,
                    {**asked, **query} if more else query,
                    route.websocket,
                )
                if self._meaning.route_of(probe) == route.key:
                    return probe
        raise AssertionError(f"no request gets the route {route.key}")

    def collect(self, reader: Reader) -> dict[str, Facts]:
        """What a reader says, by subject."""
        reader = _Remembered(reader)
        found = {subject: dict(facts) for subject, facts in reader.whole().items()}
        plain = {key: reader.ask(probe) for key, probe in self.base.items()}
        self._kinds = {key: _signature(facts) for key, facts in plain.items()}
        for route in self._edge.routes:
            facts = plain[route.key]
            if facts is None:
                found[route.key] = {"reached": False}
                continue
            found[route.key] = {name: value for name, value in facts.items() if name not in BUCKETS and name != "key"}
            found[route.key] |= {"reached": True, **self._asked(route, reader)}
            for leaf in _told_by_no_request(route):
                found[route.key].pop(leaf, None)
            for leaf in BUCKETS:
                if leaf in facts:
                    whom = leaf.replace("bucket", "per")
                    mine = (facts[leaf], facts.get(whom))
                    found[route.key][leaf.replace("bucket", "shared")] = tuple(
                        sorted(
                            key for key, other in plain.items() if other and (other.get(leaf), other.get(whom)) == mine
                        )
                    )
        return found

    def _asked(self, route: Route, reader: Reader) -> Facts:
        base = self.base[route.key]
        found: Facts = {}
        ports = {item.name: item.port for item in self._web}
        if not route.websocket:
            found["methods"] = {method: self._led(reader, replace(base, method=method)) for method in METHODS}
        found["paths"] = {path: self._led(reader, replace(base, path=path)) for path in _around(route)}
        found["listeners"] = {
            item.name: self._led(reader, replace(base, listener=item.name, host=_host(item))) for item in self._web
        }
        found["match.headers"] = {
            name: self._led(reader, replace(base, headers=headers))
            for name, headers in _variants(route.headers, base.headers)
        }
        found["match.query"] = {
            name: self._led(reader, replace(base, query=query)) for name, query in _variants(route.query, base.query)
        }
        sent = [path for path in _paths(route) if self._meaning.route_of(replace(base, path=path)) == route.key]
        for leaf in PER_REQUEST:
            told: dict[str, str] = {}
            for path in sent:
                probe = replace(base, path=path, query={**base.query, "page": "2"})
                facts = reader.ask(probe)
                if facts is not None and leaf in facts:
                    told[path] = (
                        _relative(facts[leaf], probe.host, ports[probe.listener])
                        if leaf == "redirect.location"
                        else facts[leaf]
                    )
            found[leaf] = told or None
        return found

    def _led(self, reader: Reader, probe: Probe) -> frozenset[str]:
        """The routes that look like what a request got; empty where it got none."""
        facts = reader.ask(probe)
        if facts is None:
            return frozenset()
        mine = _signature(facts)
        alike = frozenset(key for key, kind in self._kinds.items() if kind == mine) or frozenset({"something else"})
        # A handshake that no WebSocket's route takes may go on as the plain request that it also is.
        return frozenset(key for key in alike if key.startswith("WS ")) if probe.websocket else alike


_TELLING = ("auth.", "jwt.", "key.", "backend", "redirect.status", "respond.", "headers.", "rewrite.host", "websocket")


def _signature(facts: Facts | None) -> str:
    """Equal for what is done alike, whatever the request; by what a route's methods have in common."""
    if facts is None:
        return "nothing"
    return repr(sorted((name, value) for name, value in facts.items() if name.startswith(_TELLING)))


def _told_by_no_request(route: Route) -> tuple[str, ...]:
    """Leaves of tries that a route's methods do not show: what may not be sent twice is tried again by no target's
    word, and what may be has nothing to say yes to."""
    if route.methods is not None and not set(route.methods) & set(_UNSAFE):
        return ("retry.non_idempotent",)
    only = route.methods is not None and set(route.methods) <= set(_UNSAFE)
    careful = route.retry is not None and not route.retry.non_idempotent
    return ("retry.attempts", "retry.on", "retry.backoff") if only and careful else ()


def _relative(location: str, host: str, port: int) -> str:
    """A location; without its origin where that is the listener's own."""
    location = location.replace(f"//{host}:{port}/", f"//{host}/", 1)
    location = re.sub(r"^(https://[^/:]+):443(?=/|$)", r"\1", location)
    location = re.sub(r"^(http://[^/:]+):80(?=/|$)", r"\1", location)
    return re.sub(rf"^https?://{re.escape(host)}(?=/|\?|$)", "", location) or "/"


def _host(listener: Listener) -> str:
    """A host that a listener answers for."""
    return listener.hosts[0].replace("*", "any") if listener.hosts else "edge.example"


def _paths(route: Route) -> tuple[str, ...]:
    """Paths that the route's pattern matches."""
    base = "".join(f"/{'v1' if item.variable else item.text}" for item in route.path.segments)
    return (f"{base}/below", f"{base}/below/deep", base or "/") if route.path.rest else (base or "/",)


def _around(route: Route) -> tuple[str, ...]:
    """Paths in and beside it."""
    base = "".join(f"/{'v1' if item.variable else item.text}" for item in route.path.segments)
    return tuple(dict.fromkeys((base or "/", f"{base}/below", f"{base}/below/deep", f"{base}x" if base else "/x")))


def _sample(item: ValueMatch) -> str | None:
    if item.kind == "present":
        return "x" if item.value == "true" else None
    if item.kind == "regex":
        return next(word for word in _WORDS if re.fullmatch(item.value, word))
    return item.value if item.kind == "exact" else f"{item.value}1"


def _variants(matches: tuple[ValueMatch, ...], sent: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Headers or query parameters as a match does not want them, or almost does."""
    found: list[tuple[str, dict[str, str]]] = []
    for item in matches:
        others = {name: value for name, value in sent.items() if name != item.name}
        found.append((f"{item.name} missing", others))
        value = sent.get(item.name, "x")
        changed = {"other": "zz-other", "more": f"{value}more", "before": f"not{value}", "capital": value.upper()}
        found += [(f"{item.name} {how}", {**others, item.name: text}) for how, text in changed.items()]
    return found
