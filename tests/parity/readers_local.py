"""What a local artifact does: a request followed through the Envoy balancer, a gateway's routes and its filters."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from edgewright.local.artifact import Artifact, Node
from parity.meaning import keys_at, keys_of
from parity.retries import events
from parity.terms import EDGE, Facts, Json, OneOf, Own, Probe, Unread

_KNOWN = {
    *("name", "listeners", "nodes", "endpoints", "processes", "credentials", "certificates", "identity"),
    *("identity_port", "limits", "routes", "format"),
}
_FILTERS = {
    *("health", "cors", "gzip", "jwt", "token", "scope", "key", "client", "context", "throttle", "limits", "cache-key"),
    *("cache", "router"),
}
_TELLING = ("server", "x-powered-by", "x-envoy-upstream-service-time")
"""What is always taken from answers, before what a spec takes."""

_KEYS = {
    "%REQ(x-edge-client)%": "api_key",
    "%REQ(x-edge-subject)%": "subject",
    "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%": "ip",
}
_PUT_AWAY = (
    *("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range", "accept-encoding"),
    *("authorization", "cookie"),
)
"""What a cache takes from requests, and its Lua puts back or not; no route's own change."""

_RETRIES = {
    "connect-failure": ("connect-failure",),
    "refused-stream": (),
    "reset-before-request": (),
    "reset": ("reset", "connect-failure"),
    "gateway-error": ("gateway-error",),
    "5xx": ("5xx",),
    "retriable-status-codes": (),
}
"""Envoy's conditions in the spec's words; ``reset`` takes in what breaks before a request (Envoy's page of the router)."""

_SPOKEN = {True: OneOf(("h2c", "grpc")), False: OneOf(("http", "tcp", "udp"))}
"""What a cluster speaks, by whether it is HTTP/2; who uses it says the rest."""

_CODES = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}


@dataclass(frozen=True)
class _Sent:
    method: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    scheme: str = "https"


class Local:
    """An artifact as a reader."""

    def __init__(self, artifact: Artifact) -> None:
        for item in fields(artifact):
            if item.name not in _KNOWN and getattr(artifact, item.name):
                raise Unread(f"the part `{item.name}` of a local artifact")
        self._artifact = artifact
        self._balancer = next(item for item in artifact.nodes if item.role == "balancer")
        gateways = [item for item in artifact.nodes if item.role == "gateway"]
        self._gateways = len(gateways)
        self._gateway: Node | None = gateways[0] if gateways else None
        if any(item.routes != gateways[0].routes or item.clusters != gateways[0].clusters for item in gateways):
            raise Unread("gateways that do not do the same")
        self._filters = _by_name(_manager(self._listener_of(self._gateway, "edge"))) if self._gateway else {}
        if set(self._filters) - _FILTERS:
            raise Unread(f"the filters {sorted(set(self._filters) - _FILTERS)}")

    def _listener_of(self, node: Node, name: str) -> Json:
        return cast("Json", next(item for item in node.listeners if item["name"] == name))

    # -- the edge ------------------------------------------------------------------------------------------------------

    def whole(self) -> Mapping[str, Facts]:
        """The edge, its listeners and its backends."""
        artifact = self._artifact
        edge: Facts = {
            "name": artifact.name,
            "ddos": "standard",
            "log.retention": Own("until they grow"),
            **self._log(),
        }
        gzip = self._filters.get("gzip")
        if gzip is not None:
            common = gzip["response_direction_config"]["common_config"]
            edge |= {
                "compression.min_size": common["min_content_length"],
                "compression.content_types": tuple(sorted(common["content_type"])),
            }
        edge |= self._waf()
        found: dict[str, Facts] = {EDGE: edge}
        found |= {
            f"listener {item.name}": self._listener(item) for item in artifact.listeners if not _redirects(item.name)
        }
        clusters = {str(one["name"]): one for node in artifact.nodes for one in node.clusters}
        for name, cluster in clusters.items():
            if name.startswith("backend-"):
                found[f"backend {name.removeprefix('backend-')}"] = self._backend(name, cast("Json", cluster))
        return found

    def _log(self) -> Facts:
        node = self._gateway or self._balancer
        listeners = [one for one in node.listeners if _http(cast("Json", one))]
        if not listeners:
            return {"log.fields": Own(), "log.sample": Own()}
        (entry,) = _manager(cast("Json", listeners[0]))["access_log"]
        written = set(entry["typed_config"]["log_format"]["json_format"]) - {"client"}
        every = 15
        sample = 1.0
        for one in _walk(entry["filter"]):
            if "runtime_filter" in one:
                share = one["runtime_filter"]["percent_sampled"]
                sample = share["numerator"] / {"MILLION": 1_000_000}[share["denominator"]]
        if sample < 1 and not any("status_code_filter" in one for one in _walk(entry["filter"])):
            raise Unread("failed requests that are not logged")
        return {"log.fields": tuple(sorted(written)) if len(written) < every else (), "log.sample": sample}

    def _waf(self) -> Facts:
        """Address lists and rates of the balancer's web listeners, which must be alike."""
        said = [
            _address_rules(_by_name(_manager(cast("Json", one))))
            for one in self._balancer.listeners
            if _http(cast("Json", one))
        ]
        raw = [
            _address_rules({f["name"]: f["typed_config"] for f in chain["filters"]})
            for one in self._balancer.listeners
            if "filter_chains" in one and not _http(cast("Json", one))
            for chain in one["filter_chains"]
        ]
        for one in raw:
            lists = {
                leaf: value for leaf, value in (said[0] if said else one).items() if leaf in ("waf.allow", "waf.deny")
            }
            if {leaf: value for leaf, value in one.items() if leaf in ("waf.allow", "waf.deny")} != lists:
                raise Unread("address lists that do not hold before a raw listener")
        if any(one != said[0] for one in said):
            raise Unread(f"address rules that differ between listeners: {said}")
        return said[0] if said else (raw[0] if raw else {})

    def _listener(self, item: Any) -> Facts:
        envoy = next(
            cast("Json", one)
            for one in self._balancer.listeners
            if one["address"]["socket_address"]["port_value"] == item.port
            and ("protocol" in one["address"]["socket_address"]) == (item.protocol == "udp")
        )
        chains = [one for one in envoy.get("filter_chains", ()) if one.get("name", item.name) == item.name]
        chain: Json = chains[0] if chains else {"filters": []}
        tls = chain.get("transport_socket")
        found: Facts = {
            "listener.hosts": tuple(sorted(item.hosts)),
            "listener.port": item.port,
            "listener.protocol": item.protocol,
            "listener.redirect_http": self._redirected(item),
            "listener.backend": _raw_backend(envoy, chain),
            "tls.min_version": None,
            "tls.client_ca": None,
            "tls.passthrough": item.protocol == "tls" and tls is None,
        }
        if tls is not None:
            context = tls["typed_config"]["common_tls_context"]
            if set(context) - {"tls_params", "alpn_protocols", "tls_certificates"}:
                raise Unread(f"TLS with {sorted(context)}")
            versions = {"TLSv1_2": "1.2", "TLSv1_3": "1.3"}
            found["tls.min_version"] = versions[context["tls_params"]["tls_minimum_protocol_version"]]
        return found

    def _redirected(self, item: Any) -> bool:
        """Whether port 80 sends a request for one of its hosts to this listener's port."""
        host = item.hosts[0].replace("*", "any") if item.hosts else "edge.example"
        for table in self._balancer.routes:
            if str(table["name"]).startswith("redirect-"):
                route = _in_table(table, _Sent("GET", host, "/", (), {}))
                if route is not None and route["redirect"].get("https_redirect"):
                    return bool(route["redirect"]["port_redirect"] == item.port)
        return False

    def _backend(self, name: str, cluster: Json) -> Facts:
        ports = {int(address.rpartition(":")[2]) for address in self._artifact.endpoints.get(name, ())}
        if len(ports) != 1:
            raise Unread(f"the ports {ports} of {name}")
        http2 = "typed_extension_protocol_options" in cluster
        found: Facts = {
            "backend.port": ports.pop(),
            "backend.protocol": "https" if "transport_socket" in cluster else _SPOKEN[http2],
        }
        checks = cluster.get("health_checks", ())
        if checks:
            (check,) = checks
            http = check.get("http_health_check")
            found |= {
                "health.path": http["path"] if http else "(a connection)",
                "health.interval": _ms(check["interval"]),
                "health.timeout": _ms(check["timeout"]),
                "health.healthy": check["healthy_threshold"],
                "health.unhealthy": check["unhealthy_threshold"],
                "health.statuses": tuple((one["start"], one["end"] - 1) for one in http["expected_statuses"])
                if http
                else None,
            }
        ejected = cluster["outlier_detection"]
        if ejected["enforcing_consecutive_5xx"]:
            limits = cluster["circuit_breakers"]["thresholds"][0]
            if ejected["consecutive_5xx"] != ejected["consecutive_local_origin_failure"]:
                raise Unread(f"ejection by {ejected}")
            found |= {
                "breaker.errors": ejected["consecutive_5xx"],
                "breaker.ejection": _ms(ejected["base_ejection_time"]),
                "breaker.percent": ejected["max_ejection_percent"],
                "breaker.connections": limits["max_connections"],
                "breaker.requests": limits["max_requests"],
            }
        return found

    # -- a request -----------------------------------------------------------------------------------------------------

    def ask(self, probe: Probe) -> Facts | None:
        """The facts of the routes and filters that a request meets."""
        headers = {name.lower(): value for name, value in probe.headers.items()}
        if probe.websocket:
            headers |= {"upgrade": "websocket", "connection": "upgrade"}
        public = next((one for one in self._artifact.listeners if one.name == probe.listener), None)
        if public is None or self._gateway is None:
            return None
        scheme = public.protocol
        sent = _Sent(probe.method, probe.host, probe.path, tuple(probe.query.items()), headers, scheme)
        tables = [
            one
            for one in self._balancer.routes
            if one["name"] in (f"port-{public.port}", f"port-{public.port}-{public.name}")
        ]
        (table,) = tables
        hosted = _virtual_host(table, sent)
        route = _in_table(table, sent)
        if route is None or hosted is None or "route" not in route:
            return None
        added = {one["header"]["key"]: one["header"]["value"] for one in hosted["request_headers_to_add"]}
        headers["x-edgewright-listener"] = added["x-edgewright-listener"]
        if not str(route["route"]["cluster"]).startswith("gateways"):
            raise Unread(f"the balancer's way to {route['route']['cluster']}")
        found = _in_table(self._table("edge"), sent)
        return self._at_gateway(found, sent, probe) if found is not None else None

    def _table(self, name: str) -> Json:
        if self._gateway is None:
            raise Unread("no gateway")
        return cast("Json", next(one for one in self._gateway.routes if one["name"] == name))

    def _at_gateway(self, route: Json, sent: _Sent, probe: Probe) -> Facts | None:
        known = {"name", "match", "route", "redirect", "direct_response", "metadata", "typed_per_filter_config"}
        known |= {"request_headers_to_remove", "response_headers_to_add", "response_headers_to_remove"}
        if set(route) - known:
            raise Unread(f"{sorted(set(route) - known)} of a route")
        settings = route.get("typed_per_filter_config", {})
        if set(settings) - _FILTERS:
            raise Unread(f"the settings of {sorted(set(settings) - _FILTERS)}")
        facts: Facts = {"auth.kinds": ("public",), **self._who(settings)}
        cached = "cache" in settings
        mutations = settings["context"]["mutations"] if "context" in settings else {}
        facts |= self._limits(settings, mutations.get("request_mutations", ()))
        facts["headers.request"] = _changed(mutations.get("request_mutations", ()), cached=cached)
        facts["headers.response"] = _answered(mutations.get("response_mutations", ()), cached=cached)
        if "cors" in settings and not probe.websocket:  # which no browser asks leave for
            facts |= _cors(settings["cors"]["config"])
        if "direct_response" in route:
            return self._own_answer(facts, route)
        if "redirect" in route:
            return facts | {
                "redirect.status": _CODES[route["redirect"]["response_code"]],
                "redirect.location": _location(route["redirect"], sent),
            }
        action = route["route"]
        if cached:
            facts |= self._cache(settings, route["metadata"]["filter_metadata"], probe)
            mark = next(one for one in mutations["request_mutations"] if _set_name(one) == "x-edge-route")
            headers = {**sent.headers, "x-edge-route": mark["append"]["header"]["value"]}
            inner = _in_table(self._table("origin"), _Sent(sent.method, sent.host, sent.path, sent.query, headers))
            if inner is None or action["cluster"] not in ("misses", "origin"):
                raise Unread("a cache that asks nobody")
            action = inner["route"]
        if probe.websocket != bool(action.get("upgrade_configs")):
            return None  # Envoy: upgrade_failed
        return facts | _forwarded(action, sent, self._unsafe(route, sent, probe))

    def _own_answer(self, facts: Facts, route: Json) -> Facts | None:
        if "context" not in route.get("typed_per_filter_config", {}):
            return None  # a refusal that no route of the spec asks for
        answer = route["direct_response"]
        (kind,) = [one["header"]["value"] for one in route["response_headers_to_add"]]
        body = answer.get("body", {}).get("inline_string", "")
        return facts | {
            "respond.status": answer["status"],
            "respond.body": body,
            "respond.content_type": kind.replace("%%", "%"),
        }

    def _unsafe(self, route: Json, sent: _Sent, probe: Probe) -> tuple[str, ...]:
        """What a POST on the same way is tried again for."""
        asked = _Sent("POST", sent.host, sent.path, sent.query, sent.headers, sent.scheme)
        found = _in_table(self._table("edge"), asked)
        if (
            found is None
            or found["name"] != route["name"]
            or "route" not in found
            or "cluster" not in {**found["route"], "cluster": 1}
        ):
            return ()
        return _tried(found["route"])

    # -- who may -------------------------------------------------------------------------------------------------------

    def _who(self, settings: Json) -> Facts:
        if "key" in settings:
            return self._keys(settings["key"]["config"])
        if "jwt" not in settings:
            if "token" in settings or "scope" in settings:
                raise Unread("tokens that are looked at and not checked")
            return {}
        chain = self._filters["jwt"]
        need = chain["requirement_map"][settings["jwt"]["config"]["requirement_name"]]
        names = (
            [need["provider_name"]]
            if "provider_name" in need
            else [one["provider_name"] for one in need["requires_any"]["requirements"]]
        )
        found: Facts = {
            "auth.kinds": tuple("jwt" for _ in names),
            "auth.scopes": (),
            "auth.any_scope": (),
            "auth.claims": {},
        }
        if "token" not in settings:
            raise Unread("tokens of any algorithm")
        checked = _good_tokens(_rules(settings["token"], "DENY"))
        for name in names:
            provider = chain["providers"][name]
            issuer = provider["issuer"]
            algorithms, claim, audiences = _of(checked, issuer)
            if "audiences" in provider and tuple(sorted(provider["audiences"])) != audiences:
                raise Unread("two lists of audiences")
            tokens: Facts = {
                "jwt.issuer": issuer,
                "jwt.audiences": audiences,
                "jwt.keys": self._jwks(provider, issuer),
                "jwt.algorithms": algorithms,
                "jwt.source": _source(provider),
                "jwt.scope_claim": None,
                "jwt.audience_claim": claim,
                "jwt.clock_skew": provider["clock_skew_seconds"] * 1000,
                "jwt.jwks_refresh": _ms(provider["remote_jwks"]["cache_duration"])
                if "remote_jwks" in provider
                else None,
            }
            if not provider["require_expiration"]:
                raise Unread("tokens without an expiry")
            for leaf, value in tokens.items():
                found.setdefault(leaf, {})[issuer] = value
        if "scope" in settings:
            found |= _needed(_rules(settings["scope"], "ALLOW"), found, self._scope_claims(names))
        return found

    def _scope_claims(self, names: Sequence[str]) -> dict[str, str]:
        """The claim of scopes of each issuer: the one that is divided at spaces beside the usual one, or the usual."""
        found: dict[str, str] = {}
        for name in names:
            provider = self._filters["jwt"]["providers"][name]
            divided = [
                one for one in provider["normalize_payload_in_metadata"]["space_delimited_claims"] if one != "scope"
            ]
            found[provider["issuer"]] = divided[0] if divided else "scope"
        return found

    def _jwks(self, provider: Json, issuer: str) -> Any:
        if "local_jwks" in provider:
            return keys_of(provider["local_jwks"]["inline_string"])
        remote = provider["remote_jwks"]["http_uri"]
        if remote["cluster"] == "idp":
            return "the development provider's"
        return keys_at(remote["uri"], issuer)

    def _keys(self, settings: Json) -> Facts:
        (source,) = settings["key_sources"]
        ((kind, name),) = source.items()
        if not settings["forwarding"]["hide_credentials"]:
            raise Unread("keys that services see")
        return {
            "auth.kinds": ("api_key",),
            "auth.scopes": (),
            "auth.any_scope": (),
            "auth.claims": {},
            "key.source": (kind, name, ""),
            "key.clients": tuple(sorted(one["client"] for one in settings["credentials"])),
        }

    # -- how much ------------------------------------------------------------------------------------------------------

    def _limits(self, settings: Json, mutations: Sequence[Json]) -> Facts:
        found: Facts = {}
        plan = next((_set_value(one) for one in mutations if _set_name(one) == "x-edge-plan"), None)
        asked: Json = {}
        if "limits" in settings:
            service = settings["limits"]["config"]["check_settings"]["http_service"]
            for one in service["authorization_request"]["headers_to_add"]:
                words = one["value"].replace("%%", "%").split(";")
                asked[one["key"]] = {"plan": words[0], **dict(word.split("=") for word in words[1:])}
        if plan is not None:
            (bucket,) = [
                one["token_bucket"]
                for one in self._filters["throttle"]["descriptors"]
                if one["entries"][0] == {"key": "plan", "value": plan}
            ]
            if ("local_cluster_rate_limit" in self._filters["throttle"]) != (self._gateways > 1):
                raise Unread("a bucket that each gateway has for itself")
            found |= {
                "throttle.rate": round(bucket["tokens_per_fill"] / _ms(bucket["fill_interval"]) * 1000, 6),
                "throttle.burst": bucket["max_tokens"],
                "throttle.per": _order(mutations, "x-edge-key"),
                "throttle.bucket": plan,
            }
        if "x-edge-throttle" in asked:
            told = asked["x-edge-throttle"]
            found |= {
                "throttle.rate": round(float(told["rate"]), 6),
                "throttle.burst": int(told["burst"]),
                "throttle.per": _order(mutations, "x-edge-throttle-key"),
                "throttle.bucket": told["plan"],
            }
        if "x-edge-quota" in asked:
            told = asked["x-edge-quota"]
            found |= {
                "quota.limit": int(told["limit"]),
                "quota.period": told["period"],
                "quota.per": _order(mutations, "x-edge-quota-key"),
                "quota.bucket": told["plan"],
            }
        if set(asked) - {"x-edge-throttle", "x-edge-quota"}:
            raise Unread(f"limits by {sorted(asked)}")
        return found

    def _cache(self, settings: Json, metadata: Json, probe: Probe) -> Facts:
        key, origin = metadata["cache-key"], metadata["origin"]
        if "cache-key" not in settings or key["ttl"] != origin["ttl"] or key.get("user") != origin.get("user"):
            raise Unread("a cache whose filters disagree")
        asked = tuple(
            method
            for method in ("GET", "HEAD")
            if self._caches(
                _Sent(method, probe.host, probe.path, tuple(probe.query.items()), dict(probe.headers)), probe
            )
        )
        return {
            "cache.ttl": key["ttl"] * 1000,
            "cache.methods": asked,
            "cache.query": tuple(sorted(key.get("q", ()))),
            "cache.headers": tuple(sorted(key.get("h", ()))),
            "cache.share": "per_user" if key.get("user") else "public",
        }

    def _caches(self, sent: _Sent, probe: Probe) -> bool:
        headers = {name.lower(): value for name, value in sent.headers.items()} | {
            "x-edgewright-listener": probe.listener
        }
        route = _in_table(self._table("edge"), _Sent(sent.method, sent.host, sent.path, sent.query, headers))
        return route is not None and "cache" in route.get("typed_per_filter_config", {})


# -- matching ----------------------------------------------------------------------------------------------------------


def _virtual_host(table: Any, sent: _Sent) -> Json | None:
    """An exact name before a wildcard before any (Envoy's page of virtual hosts)."""
    hosts = table["virtual_hosts"]
    ranked = [
        (rank, one) for one in hosts for name in one["domains"] if (rank := _host_rank(name, sent.host)) is not None
    ]
    return cast("Json", min(ranked, key=lambda pair: pair[0])[1]) if ranked else None


def _host_rank(name: str, host: str) -> int | None:
    """How a domain matches a host, the best first; None where it does not."""
    if name == host:
        return 0
    if name.startswith("*.") and host.endswith(name[1:]):
        return 1
    return 2 if name == "*" else None


def _in_table(table: Any, sent: _Sent) -> Json | None:
    host = _virtual_host(table, sent)
    return next((one for one in host["routes"] if _fits(one["match"], sent)), None) if host is not None else None


def _fits(match: Json, sent: _Sent) -> bool:
    known = {"path", "prefix", "path_separated_prefix", "safe_regex", "headers", "query_parameters"}
    if set(match) - known:
        raise Unread(f"the match {match}")
    path = sent.path
    if "path" in match and path != match["path"]:
        return False
    if "prefix" in match and not path.startswith(match["prefix"]):
        return False
    if "path_separated_prefix" in match:
        prefix = match["path_separated_prefix"]
        if path != prefix and not path.startswith(prefix + "/"):
            return False
    if "safe_regex" in match and re.fullmatch(match["safe_regex"]["regex"], path) is None:
        return False
    told = {**sent.headers, ":method": sent.method, ":authority": sent.host}
    if not all(_value_fits(one, told.get(one["name"].lower())) for one in match.get("headers", ())):
        return False
    query = dict(sent.query)
    return all(_value_fits(one, query.get(one["name"])) for one in match.get("query_parameters", ()))


def _value_fits(item: Json, value: str | None) -> bool:
    if set(item) - {"name", "present_match", "string_match", "invert_match"}:
        raise Unread(f"the match {item}")
    if "present_match" in item:
        return (value is not None) == item["present_match"]
    found = value is not None and _text_fits(item["string_match"], value)
    return found != bool(item.get("invert_match"))


def _text_fits(match: Json, value: str) -> bool:
    fold = match.get("ignore_case", False)
    if fold:
        value = value.lower()
    kinds = set(match) - {"ignore_case"}
    if kinds == {"exact"}:
        return value == (match["exact"].lower() if fold else match["exact"])
    if kinds == {"prefix"}:
        return value.startswith(match["prefix"])
    if kinds == {"safe_regex"}:
        return re.fullmatch(match["safe_regex"]["regex"], value) is not None
    raise Unread(f"the match {match}")


# -- routes ------------------------------------------------------------------------------------------------------------


def _forwarded(action: Json, sent: _Sent, unsafe: tuple[str, ...]) -> Facts:
    known = {"cluster", "weighted_clusters", "timeout", "idle_timeout", "upgrade_configs", "retry_policy"}
    known |= {"host_rewrite_literal", "regex_rewrite"}
    if set(action) - known:
        raise Unread(f"{sorted(set(action) - known)} of a way on")
    several = action.get("weighted_clusters", {"clusters": [{"name": action.get("cluster"), "weight": 100}]})[
        "clusters"
    ]
    socket = bool(action.get("upgrade_configs"))
    found: Facts = {
        "backend": {one["name"].removeprefix("backend-"): one["weight"] for one in several},
        "rewrite.host": action.get("host_rewrite_literal"),
        "rewrite.path": _rewritten(action["regex_rewrite"], sent.path) if "regex_rewrite" in action else sent.path,
        "websocket": "through" if socket else None,
        "timeout.idle": _ms(action["idle_timeout"]),
    }
    policy = action["retry_policy"]
    if not socket:
        found["timeout.request"] = _ms(action["timeout"])
        found["timeout.backend"] = _ms(policy["per_try_timeout"]) if "per_try_timeout" in policy else None
    if "retry_back_off" in policy and sent.method not in ("POST", "PATCH"):
        found |= {
            "retry.attempts": policy["num_retries"],
            "retry.on": _tried(action),
            "retry.backoff": _ms(policy["retry_back_off"]["base_interval"]),
            "retry.non_idempotent": bool(set(unsafe) - {"connect-failure"}),
        }
    elif "retry_back_off" in policy:
        safe = bool(set(_tried(action)) - {"connect-failure"})
        found |= {
            "retry.attempts": policy["num_retries"],
            "retry.on": _tried(action),
            "retry.backoff": _ms(policy["retry_back_off"]["base_interval"]),
            "retry.non_idempotent": safe,
        }
    return found


def _tried(action: Json) -> tuple[str, ...]:
    policy = action["retry_policy"]
    words = policy["retry_on"].split(",")
    if set(words) - set(_RETRIES):
        raise Unread(f"tries for {words}")
    statuses = policy.get("retriable_status_codes", ()) if "retriable-status-codes" in words else ()
    names = {name for word in words for name in _RETRIES[word]}
    # `reset` of a spec is a connection that breaks; what fails before a byte is sent is a connection that fails.
    if "reset" in words and "connect-failure" not in words and "refused-stream" not in words:
        names.discard("connect-failure")
    return events(names, statuses)


def _rewritten(rewrite: Json, path: str) -> str:
    pattern = rewrite["pattern"]["regex"]
    return re.sub(
        pattern, lambda found: re.sub(r"\\(\d)", lambda one: found[int(one[1])] or "", rewrite["substitution"]), path
    )


def _location(redirect: Json, sent: _Sent) -> str:
    known = {"scheme_redirect", "host_redirect", "port_redirect", "response_code", "regex_rewrite", "path_redirect"}
    if set(redirect) - known:
        raise Unread(f"the redirect {redirect}")
    scheme = redirect.get("scheme_redirect", sent.scheme)
    port = f":{redirect['port_redirect']}" if "port_redirect" in redirect else ""
    path = sent.path
    if "regex_rewrite" in redirect:
        path = _rewritten(redirect["regex_rewrite"], path)
    elif "path_redirect" in redirect:
        path = redirect["path_redirect"]
    query = "&".join(f"{name}={value}" for name, value in sent.query)
    return f"{scheme}://{redirect.get('host_redirect', sent.host)}{port}{path}" + (f"?{query}" if query else "")


def _cors(policy: Json) -> Facts:
    origins = policy["allow_origin_string_match"]
    if policy["forward_not_matching_preflights"]:
        raise Unread("preflights that services see")
    return {
        "cors.origins": tuple(sorted("*" if "safe_regex" in one else one["exact"] for one in origins)),
        "cors.methods": _words(policy["allow_methods"]),
        "cors.allow_headers": _words(policy["allow_headers"]),
        "cors.expose_headers": _words(policy["expose_headers"]),
        "cors.credentials": policy["allow_credentials"],
        "cors.max_age": int(policy["max_age"]) * 1000,
        "cors.answers": True,
    }


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted(one for one in text.split(", ") if one))


# -- mutations of headers ----------------------------------------------------------------------------------------------


def _set_name(mutation: Json) -> str:
    return str(mutation.get("append", {}).get("header", {}).get("key", ""))


def _set_value(mutation: Json) -> str:
    return str(mutation["append"]["header"]["value"]).replace("%%", "%")


def _changed(mutations: Sequence[Json], *, cached: bool) -> Json:
    """The changes of a request that are a route's: the edge's own headers begin with ``x-edge-``."""
    own = [one for one in mutations if not _set_name(one).startswith("x-edge-")]
    if cached:
        # The cache's come last: each once, in their order.
        for name in reversed(_PUT_AWAY):
            found = {"remove": name}
            if found in own:
                own.reverse()
                own.remove(found)
                own.reverse()
    return _as_changes(own)


def _answered(mutations: Sequence[Json], *, cached: bool) -> Json:
    own = [
        one
        for one in mutations
        if not _set_name(one).startswith("x-edge-") and not str(one.get("remove", "")).startswith("x-edge-")
    ]
    for name in _TELLING if own else ():
        own.remove({"remove": name})
    if cached:
        own.remove({"remove": "cache-control"})
        own = [one for one in own if "%RESP(X-EDGE-" not in json.dumps(one)]
    vary = {"append": {"header": {"key": "vary", "value": "Origin"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}}
    if vary in own:
        own.remove(vary)  # what CORS asks for
    return _as_changes(own)


def _as_changes(mutations: Sequence[Json]) -> Json:
    found: Json = {}
    for one in mutations:
        if "remove" in one:
            found["remove"] = tuple(sorted((*found.get("remove", ()), one["remove"])))
            continue
        kinds = {"OVERWRITE_IF_EXISTS_OR_ADD": "set", "APPEND_IF_EXISTS_OR_ADD": "add"}
        found.setdefault(kinds[one["append"]["append_action"]], {})[_set_name(one)] = _set_value(one)
    return found


def _order(mutations: Sequence[Json], header: str) -> tuple[str, ...]:
    """Whom a limit counts: the first value of a key that does not come out empty stays."""
    found: list[str] = []
    for one in mutations:
        if _set_name(one) != header:
            continue
        value = str(one["append"]["header"]["value"])
        action = one["append"]["append_action"]
        if (value, action) == ("route", "OVERWRITE_IF_EXISTS_OR_ADD"):
            return ("route",)
        if action != "ADD_IF_ABSENT":
            raise Unread(f"a key of {one}")
        named = re.fullmatch(r"%REQ\((.*)\)%", value)
        if value in _KEYS:
            found.append(_KEYS[value])
        elif named is not None:
            found.append(f"header:{named[1].lower()}")
        else:
            raise Unread(f"a key of {value}")
    return tuple(found)


# -- tokens ------------------------------------------------------------------------------------------------------------


def _rules(settings: Json, action: str) -> Json:
    rules = settings["config"]["rbac"]["rules"]
    ((_, policy),) = rules["policies"].items()
    if rules["action"] != action or policy["permissions"] != [{"any": True}] or len(policy["principals"]) != 1:
        raise Unread(f"the rules {rules}")
    return cast("Json", policy["principals"][0])


def _all(item: Json) -> list[Json]:
    return cast("list[Json]", item["and_ids"]["ids"]) if "and_ids" in item else [item]


def _any(item: Json) -> list[Json]:
    return cast("list[Json]", item["or_ids"]["ids"]) if "or_ids" in item else [item]


def _said(item: Json) -> tuple[tuple[str, ...], str]:
    """A path of a token's metadata and the text that it is, alone or in a list."""
    matcher = item["sourced_metadata"]["metadata_matcher"]
    if matcher["filter"] != "envoy.filters.http.jwt_authn":
        raise Unread(f"metadata of {matcher['filter']}")
    value = matcher["value"]
    path = tuple(one["key"] for one in matcher["path"])
    if "list_match" in value:
        value = value["list_match"]["one_of"]
    if "bool_match" in value:
        return path, "true" if value["bool_match"] else "false"
    if "double_match" in value:
        return path, f"{value['double_match']['exact']:g}"
    return path, value["string_match"]["exact"]


def _one_of(item: Json) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A path and the texts, one of which it holds."""
    said = [_said(one) for inner in _any(item) for one in _any(inner)]
    paths = {path for path, _ in said}
    if len(paths) != 1:
        raise Unread(f"one of {paths}")
    return paths.pop(), tuple(sorted({text for _, text in said}))


def _good_tokens(refused: Json) -> list[dict[tuple[str, ...], tuple[str, ...]]]:
    """What a good token is, for each issuer: of paths, the values."""
    good = [one["not_id"] for one in _any(refused) if "not_id" in one]
    if len(good) != 1:
        raise Unread(f"tokens that are refused by {refused}")
    return [dict(_one_of(part) for part in _all(kind)) for kind in _alternatives(good[0])]


def _alternatives(item: Json) -> list[Json]:
    """The alternatives that are whole conjunctions; one alone stands by itself."""
    several = "or_ids" in item and all("and_ids" in one for one in item["or_ids"]["ids"])
    return _any(item) if several else [item]


def _of(kinds: Sequence[Mapping[tuple[str, ...], tuple[str, ...]]], issuer: str) -> tuple[Any, str, tuple[str, ...]]:
    mine = [one for one in kinds if one.get(("jwt", "iss"), (issuer,)) == (issuer,)]
    if len(mine) != 1:
        raise Unread(f"tokens of {issuer}")
    algorithms = mine[0]["header", "alg"]
    audiences = [(path[1], values) for path, values in mine[0].items() if path[0] == "jwt" and path[1] != "iss"]
    if len(audiences) != 1:
        raise Unread(f"the audiences {audiences}")
    return algorithms, audiences[0][0], audiences[0][1]


def _needed(allowed: Json, found: Facts, claims_of: Mapping[str, str]) -> Facts:
    """Scopes and claims that are needed; of several issuers, the same ones in the claim of each."""
    told: list[Facts] = []
    issuers = list(found["jwt.issuer"])
    scope_claims: dict[str, str | None] = dict.fromkeys(issuers)
    for kind in _alternatives(allowed):
        one: Facts = {"auth.scopes": (), "auth.any_scope": (), "auth.claims": {}, "auth.refusal": 403}
        parts = [_one_of(part) for part in _all(kind)]
        issuer = next((values[0] for path, values in parts if path == ("jwt", "iss")), issuers[0])
        for path, values in parts:
            if path == ("jwt", "iss"):
                continue
            if path == ("jwt", claims_of[issuer]):
                scope_claims[issuer] = path[1]
                if len(values) == 1:
                    one["auth.scopes"] = tuple(sorted({*one["auth.scopes"], *values}))
                else:
                    one["auth.any_scope"] = values
            else:
                one["auth.claims"][path[1]] = values
        told.append(one)
    if any(one != told[0] for one in told):
        raise Unread("issuers whose tokens need unlike scopes")
    return {**told[0], "jwt.scope_claim": scope_claims}


def _source(provider: Json) -> tuple[str, str, str]:
    kinds = [name for name in ("from_headers", "from_cookies", "from_params") if name in provider]
    if len(kinds) != 1 or len(provider[kinds[0]]) != 1:
        raise Unread(f"tokens in {kinds}")
    (item,) = provider[kinds[0]]
    if kinds[0] == "from_headers":
        return ("header", item["name"], item["value_prefix"])
    return ({"from_cookies": "cookie", "from_params": "query"}[kinds[0]], item, "")


# -- pieces ------------------------------------------------------------------------------------------------------------


def _http(listener: Json) -> bool:
    chains = listener.get("filter_chains", ())
    return any(one["filters"][-1]["name"] == "http" for one in chains)


def _manager(listener: Json) -> Json:
    return cast("Json", listener["filter_chains"][0]["filters"][-1]["typed_config"])


def _by_name(manager: Json) -> dict[str, Json]:
    return {one["name"]: one["typed_config"] for one in manager["http_filters"]}


def _redirects(name: str) -> bool:
    return name.endswith("-redirect")


def _raw_backend(envoy: Json, chain: Json) -> str | None:
    clusters = [
        one["cluster"] for one in _walk([envoy.get("listener_filters", []), chain["filters"]]) if "cluster" in one
    ]
    names = {str(one).removeprefix("backend-") for one in clusters if str(one).startswith("backend-")}
    return names.pop() if len(names) == 1 else None


def _address_rules(filters: Mapping[str, Json]) -> Facts:
    known = {"addresses", "rate-per-ip", "router", "http", "tcp"}
    if set(filters) - known:
        raise Unread(f"the filters {sorted(filters)} of the balancer")
    found: Facts = {}
    modes: set[str] = set()
    lists = filters.get("addresses")
    if lists is not None:
        modes.add("block" if "rules" in lists else "count")
        rules = lists.get("rules") or lists["shadow_rules"]
        if rules["action"] != "DENY":
            raise Unread(f"addresses by {rules['action']}")
        ((_, policy),) = rules["policies"].items()
        denied: list[str] = []
        for one in policy["principals"]:
            if "not_id" in one:
                found["waf.allow"] = tuple(sorted(_range(inner) for inner in one["not_id"]["or_ids"]["ids"]))
            else:
                denied.append(_range(one))
        found["waf.deny"] = tuple(sorted(denied))
    rate = filters.get("rate-per-ip")
    if rate is not None:
        modes.add("block" if rate["filter_enforced"]["default_value"]["numerator"] == 100 else "count")
        (descriptor,) = rate["descriptors"]
        bucket = descriptor["token_bucket"]
        found["waf.rate_per_ip"] = round(bucket["tokens_per_fill"] / _ms(bucket["fill_interval"]) * 1000, 6)
    if len(modes) > 1:
        raise Unread(f"a firewall that is {modes}")
    return found | ({"waf.mode": modes.pop()} if modes else {})


def _range(item: Json) -> str:
    one = item["direct_remote_ip"]
    return str(ipaddress.ip_network(f"{one['address_prefix']}/{one['prefix_len']}"))


def _ms(text: str) -> int:
    return round(float(text.removesuffix("s")) * 1000)


def _walk(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield cast("Json", value)
        for one in cast("Json", value).values():
            yield from _walk(one)
    elif isinstance(value, list | tuple):
        for one in cast("list[Any]", value):
            yield from _walk(one)
