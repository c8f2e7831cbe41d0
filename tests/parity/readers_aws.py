"""What an artifact of AWS does: a request followed through web ACL, public balancer, API and the services' balancer."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, cast
from urllib.parse import urlsplit

from edgewright.aws.artifact import Artifact, Balancer, LambdaAuthorizer, Rule
from parity.meaning import keys_at, keys_of
from parity.schemas import of_draft4
from parity.terms import EDGE, Elsewhere, Facts, Holds, Json, OneOf, Own, Probe, Unread

_KNOWN = {
    *(
        "name",
        "topology",
        "hosts",
        "stream_hosts",
        "edge_balancer",
        "services",
        "rest",
        "http",
        "websockets",
        "messages",
    ),
    *("network_balancer", "waf", "monitoring", "link_peers", "endpoint_peers", "access_log_days", "ddos_advanced"),
    *("decisions", "findings"),
}
_MANAGED = {
    "AWSManagedRulesCommonRuleSet": "core",
    "AWSManagedRulesKnownBadInputsRuleSet": "known-bad-inputs",
    "AWSManagedRulesSQLiRuleSet": "sql-injection",
    "AWSManagedRulesAmazonIpReputationList": "ip-reputation",
    "AWSManagedRulesAnonymousIpList": "anonymous-ip",
    "AWSManagedRulesBotControlRuleSet": "bots",
}
"""Groups of AWS in the spec's words, from AWS's list of managed rule groups."""

_POLICIES = {"ELBSecurityPolicy-TLS13-1-2-Res-2021-06": "1.2", "ELBSecurityPolicy-TLS13-1-3-2021-06": "1.3"}
_PROTOCOLS = {
    ("HTTP", "HTTP1"): "http",
    ("HTTPS", "HTTP1"): "https",
    ("HTTP", "HTTP2"): "h2c",
    ("HTTP", "GRPC"): "grpc",
    ("TCP", ""): "tcp",
    ("UDP", ""): "udp",
}
_HANDED_ON = {"TCP": ("tcp", "tls"), "UDP": ("udp",)}
_ANY = "x-amazon-apigateway-any-method"
_AUDIENCE = ("aud", "client_id", "azp")
_SKEW = Own("not said by AWS")
_REFRESH = Own("AWS's own")
_BALANCER_ALGORITHMS = ("RS256",)
"""What `jwt-validation` of a balancer takes (AWS's page of the action)."""

_HTTP_ALGORITHMS = ("RS256", "RS384", "RS512")
"""What a JWT authorizer of an HTTP API takes: "only RSA-based algorithms" (AWS's page of HTTP APIs)."""


@dataclass(frozen=True)
class _Sent:
    """A request as it goes on, with what was found on its way."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    facts: Facts = field(default_factory=dict[str, Any])

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())


class Aws:
    """An artifact as a reader."""

    def __init__(self, artifact: Artifact) -> None:
        for item in fields(artifact):
            if item.name not in _KNOWN and getattr(artifact, item.name):
                raise Unread(f"the part `{item.name}` of an artifact of AWS")
        self._artifact = artifact
        self._api = artifact.rest or artifact.http

    # -- the edge ------------------------------------------------------------------------------------------------------

    def whole(self) -> Mapping[str, Facts]:
        """The edge, its listeners, and its backends."""
        artifact = self._artifact
        rest = artifact.rest
        edge: Facts = {
            "name": artifact.name,
            "log.retention": artifact.access_log_days,
            "log.fields": Own("AWS's own fields in the balancers' logs"),
            "log.sample": Own("all requests"),
            "ddos": "advanced" if artifact.ddos_advanced else "standard",
            "compression.min_size": rest.minimum_compression_size if rest is not None else None,
            **self._waf(),
            **self._monitoring(),
        }
        found: dict[str, Facts] = {EDGE: edge, **self._listeners()}
        for balancer in (artifact.edge_balancer, artifact.services):
            for group, backend in balancer.targets.items() if balancer is not None else ():
                found[f"backend {backend}"] = _group(balancer.target_groups[group]) if balancer is not None else {}
        streams = artifact.network_balancer
        for group, backend in streams.targets.items() if streams is not None else ():
            found[f"backend {backend}"] = _group(streams.target_groups[group]) if streams is not None else {}
        return found

    def _waf(self) -> Facts:
        """What a spec's firewall asked for; guards, and rates of routes, are read elsewhere.

        Rules of the baseline are part of any web ACL, as guards are: they refuse what no route could mean.
        """
        plan = self._artifact.waf
        found: Facts = {}
        modes: set[str] = set()
        for rule in plan.rules if plan is not None else ():
            name, statement = rule["name"], rule["statement"]
            if "managed_rule_group_statement" in statement:
                group = statement["managed_rule_group_statement"]
                if group["vendor_name"] != "AWS" or set(group) != {"name", "vendor_name"}:
                    raise Unread(f"the rule group {group}")
                if name == f"baseline-{_MANAGED[group['name']]}" and rule["override_action"] == {"none": {}}:
                    continue
                found["waf.managed"] = tuple(sorted((*found.get("waf.managed", ()), _MANAGED[group["name"]])))
                modes.add("block" if rule["override_action"] == {"none": {}} else "count")
            elif name in ("deny", "allow"):
                found[f"waf.{name}"] = tuple(sorted(_addresses(statement, plan.ip_sets, name) if plan else ()))
                modes.add("block" if "block" in rule["action"] else "count")
            elif name == "rate-per-ip":
                rate = statement["rate_based_statement"]
                if rate.get("scope_down_statement") or rate["aggregate_key_type"] != "IP":
                    raise Unread(f"the rate of an address {rate}")
                found["waf.rate_per_ip"] = round(rate["limit"] / rate["evaluation_window_sec"], 6)
                modes.add("block" if "block" in rule["action"] else "count")
            elif not name.startswith(("path-guard", "slash-guard", "label-", "rate-")):
                raise Unread(f"the rule {name} of the web ACL")
        if len(modes) > 1:
            raise Unread(f"a firewall that is {modes}")
        return found | ({"waf.mode": modes.pop()} if modes else {})

    def _monitoring(self) -> Facts:
        watching = self._artifact.monitoring
        if watching is None:
            return {}
        found: Facts = {
            "monitor.notify": tuple(sorted(watching.notify)),
            "monitor.dashboard": watching.dashboard is not None,
        }
        for name, alarm in watching.alarms.items():
            kind = name.partition("-")[0]
            bound = alarm.threshold
            compared = next(one for one in alarm.queries if one["return_data"])
            if kind in ("errors", "throttled"):
                if alarm.comparison != "GreaterThanThreshold" or "100 *" not in compared["expression"]:
                    raise Unread(f"the alarm {name}")
                leaf = {"errors": "monitor.error_rate", "throttled": "monitor.throttled"}[kind]
                if found.setdefault(leaf, bound) != bound:
                    raise Unread(f"alarms with unlike bounds: {name}")
            elif kind == "latency":
                stat = compared["metric"]["stat"]
                found["monitor.percentile"] = float(stat.removeprefix("p"))
                seconds = compared["metric"]["namespace"] == "AWS/ApplicationELB"
                found["monitor.latency"] = bound * 1000 if seconds else bound
            elif kind == "unhealthy":
                if alarm.comparison != "GreaterThanOrEqualToThreshold":
                    raise Unread(f"the alarm {name}")
                found["monitor.unhealthy_targets"] = bound
            else:
                raise Unread(f"the alarm {name}")
        return found

    def _listeners(self) -> dict[str, Facts]:
        artifact = self._artifact
        found: dict[str, Facts] = {}
        balancer = artifact.edge_balancer
        if balancer is None:
            found["listener *"] = {
                "listener.hosts": tuple(sorted(artifact.hosts)),
                "listener.port": 443,
                "listener.protocol": "https",
                "listener.redirect_http": False,
                "tls.min_version": Own("TLS 1.2 of the domain"),
                "tls.client_ca": Elsewhere("tests/mocks/aws/test_custom_domain.py"),
                "tls.passthrough": False,
            }
        else:
            for name, item in balancer.listeners.items():
                if "redirect_to_https" not in item:
                    found[f"listener {name}"] = self._listener(name, item, balancer)
            if len(found) == 1:
                found["listener *"] = next(iter(found.values()))
        streams = artifact.network_balancer
        for name, item in streams.listeners.items() if streams is not None else ():
            group = streams.target_groups[item["target_group"]] if streams is not None else {}
            ends = item["protocol"] == "TLS"
            found[f"listener {name}"] = {
                "listener.hosts": Holds(artifact.stream_hosts),
                "listener.port": item["port"],
                # A connection that is handed on as it comes may be of TLS or not.
                "listener.protocol": "tls" if ends else OneOf(_HANDED_ON[item["protocol"]]),
                "tls.passthrough": False if ends else OneOf((True, False, None)),
                "listener.redirect_http": False,
                "listener.backend": streams.targets[item["target_group"]] if streams is not None else None,
                "tls.min_version": _POLICIES[item["ssl_policy"]] if ends else None,
            }
            if ends != ("certificate_arn" in item) or (group["protocol"] == "UDP") != (item["protocol"] == "UDP"):
                raise Unread(f"the listener {item}")
        return found

    def _listener(self, name: str, item: Json, balancer: Balancer) -> Facts:
        known = ("port", "protocol", "default_action", "certificate_arn", "ssl_policy", "response_headers")
        _only(item, *known, "mutual_authentication")
        redirects = [one for one in balancer.listeners.values() if one.get("redirect_to_https") == item["port"]]
        mutual = item.get("mutual_authentication")
        if mutual is not None and mutual["mode"] != "verify":
            raise Unread(f"client certificates by {mutual}")
        # Conditions of rules hold the hosts: rules of all listeners of a port are of one.
        hosts = {host for rule in balancer.rules if rule.listener == name for host in _hosts(rule)}
        return {
            # Those of all listeners of a port, which its rules tell apart.
            "listener.hosts": Holds(tuple(sorted(hosts))),
            "listener.port": item["port"],
            "listener.protocol": item["protocol"].lower(),
            "listener.redirect_http": any(one["port"] == 80 for one in redirects),
            "tls.min_version": _POLICIES[item["ssl_policy"]] if "ssl_policy" in item else None,
            "tls.client_ca": mutual["trust_store"] if mutual is not None else None,
            "tls.passthrough": False,
        }

    # -- a request -----------------------------------------------------------------------------------------------------

    def ask(self, probe: Probe) -> Facts | None:
        """The facts of a request's way."""
        sent = _Sent(
            probe.method,
            probe.host,
            probe.path,
            dict(probe.query),
            {name.lower(): value for name, value in probe.headers.items()}
            | ({"upgrade": "websocket", "connection": "upgrade"} if probe.websocket else {}),
        )
        artifact = self._artifact
        facts: Facts | None
        if artifact.edge_balancer is not None:
            facts = self._balanced(artifact.edge_balancer, self._port_of(probe), sent)
        elif probe.websocket:
            facts = self._websocket(sent)
        else:
            facts = self._at_api(sent)
        if facts is None:
            return None
        facts.setdefault("auth.kinds", self._asked_by_tls(probe))
        if artifact.waf is not None and not (probe.websocket and artifact.edge_balancer is None):
            facts |= _throttled(sent, artifact.waf.rules)
        return _finished(facts, probe)

    def _asked_by_tls(self, probe: Probe) -> Any:
        """What a connection must show before any request: of a domain, its component says it and no artifact."""
        balancer = self._artifact.edge_balancer
        if balancer is None:
            return OneOf((("public",), ("mtls",)))
        return ("mtls",) if balancer.listeners[self._port_of(probe)].get("mutual_authentication") else ("public",)

    def _port_of(self, probe: Probe) -> str:
        """The balancer's listener that a listener of the spec is: of its name, else the one that has its hosts."""
        balancer = self._artifact.edge_balancer
        names = [name for name, one in balancer.listeners.items() if "redirect_to_https" not in one] if balancer else []
        if probe.listener in names:
            return probe.listener
        for rule in balancer.rules if balancer is not None else ():
            if any(_wild(host).fullmatch(probe.host) for host in _hosts(rule)):
                return rule.listener
        return names[0]

    def _balanced(self, balancer: Balancer, listener: str, sent: _Sent) -> Facts | None:
        rule = _chosen(balancer, listener, sent)
        if rule is None:
            return None
        facts = dict(sent.facts)
        timed = Own("the balancer's idle timeout, one for all")
        for action in rule.actions:
            kind = next(iter(action))
            if len(action) != 1:
                raise Unread(f"the action {action}")
            if kind == "jwt":
                facts |= _balancer_token(action["jwt"])
            elif kind == "oidc":
                facts |= _balancer_login(action["oidc"])
            elif kind == "fixed":
                return _static(facts, rule, action["fixed"]) | self._balancer_cors(balancer, listener)
            elif kind == "redirect":
                return facts | _redirected(action["redirect"], sent) | self._balancer_cors(balancer, listener)
            elif kind == "forward":
                groups = _only(action["forward"], "target_groups")["target_groups"]
                sent = _transformed(rule.transforms, replace(sent, facts=facts))
                if not set(groups) & set(balancer.targets):  # the API's endpoint holds no service
                    facts = {**facts, **self._listener_cors(balancer, listener)}
                    return self._at_api(replace(sent, facts=facts))
                idle = (balancer.idle_timeout - 1) * 1000 if balancer.idle_timeout > 60 else Own("60 s")
                found = {
                    **sent.facts,
                    "backend": _weights(groups, balancer),
                    "rewrite.path": sent.path,
                    "timeout.request": timed,
                    "timeout.idle": timed,
                }
                if _upgrades(rule):
                    found |= {"websocket": "through", "timeout.idle": idle}
                    del found["timeout.request"]
                return found | self._balancer_cors(balancer, listener)
            else:
                raise Unread(f"the action {action}")
        raise Unread(f"the rule {rule.name} leads nowhere")

    # -- CORS on a balancer --------------------------------------------------------------------------------------------

    def _listener_cors(self, balancer: Balancer, listener: str) -> Facts:
        headers = balancer.listeners[listener].get("response_headers", {})
        unknown = [name for name in headers if name != "strict-transport-security" and "access-control-" not in name]
        if unknown:
            raise Unread(f"the headers {unknown} of a listener")
        if "access-control-allow-origin" not in headers:
            return {}
        return {
            "cors.answers": True,
            "cors.expose_headers": _words(headers.get("access-control-expose-headers", "")),
        }

    def _balancer_cors(self, balancer: Balancer, listener: str) -> Facts:
        """A balancer alone answers every preflight alike, by its listener's headers."""
        headers = balancer.listeners[listener].get("response_headers", {})
        preflight = any(
            "fixed" in action for rule in balancer.rules if rule.name.endswith("-preflight") for action in rule.actions
        )
        if "access-control-allow-methods" not in headers or not preflight:
            return {}
        return {
            **self._listener_cors(balancer, listener),
            "cors.origins": (headers["access-control-allow-origin"],),
            "cors.methods": _words(headers["access-control-allow-methods"]),
            "cors.allow_headers": _words(headers.get("access-control-allow-headers", "")),
            "cors.credentials": headers.get("access-control-allow-credentials") == "true",
            "cors.max_age": int(headers["access-control-max-age"]) * 1000,
        }

    # -- APIs ----------------------------------------------------------------------------------------------------------

    def _at_api(self, sent: _Sent) -> Facts | None:
        api = self._api
        if api is None:
            return None
        place = _find(api.body["paths"], sent.path)
        if place is None:
            return None
        template, values = place
        operations = api.body["paths"][template]
        method = sent.method.lower()
        operation = operations.get(method) or operations.get(_ANY)
        if operation is None:
            return None
        if operation.get("x-amazon-apigateway-integration", {}).get("type") == "mock":
            operation = operations.get(_ANY)
            if operation is None:
                return None  # a preflight's answer, and no route's
        known = ("parameters", "requestBody", "responses", "security", "x-amazon-apigateway-integration")
        _only(operation, *known, "x-amazon-apigateway-request-validator")
        integration = _resolved(api.body, operation["x-amazon-apigateway-integration"])
        facts = {**sent.facts, **self._secured(operation, template, sent.method)}
        facts |= self._method_limits(operation, operations, template, sent.method, facts)
        facts |= self._cached(integration, template, sent.method, facts)
        facts |= _validated(api.body, operation, integration)
        facts |= self._api_cors(sent, template)
        facts["timeout.request"] = integration["timeoutInMillis"]
        facts["timeout.idle"] = Own("the integration's timeout")
        made = _integrated(integration, sent, values, template)
        if self._artifact.services is None:
            raise Unread("an API without a services' balancer")
        return self._dispatched(replace(made, facts={**made.facts, **facts}))

    def _dispatched(self, sent: _Sent) -> Facts | None:
        balancer = self._artifact.services
        if balancer is None:
            raise Unread("no services' balancer")
        rule = _chosen(balancer, "services", sent)
        if rule is None:
            return None
        facts = dict(sent.facts)
        (action,) = rule.actions
        if "fixed" in action or "redirect" in action:
            facts = {leaf: value for leaf, value in facts.items() if not leaf.startswith("timeout.")}
        if "fixed" in action:
            return _static(facts, rule, action["fixed"])
        if "redirect" in action:
            return facts | _redirected(action["redirect"], sent)
        facts["backend"] = _weights(_only(action["forward"], "target_groups")["target_groups"], balancer)
        after = _transformed(rule.transforms, replace(sent, facts=facts))
        return {**after.facts, "rewrite.path": after.path}

    def _secured(self, operation: Json, template: str, method: str) -> Facts:
        api = self._artifact
        asked = operation.get("security", [])
        if not asked:
            return {}
        if len(asked) != 1 or len(asked[0]) != 1:
            raise Unread(f"the security {asked}")
        ((name, scopes),) = asked[0].items()
        scheme = self._api.body["components"]["securitySchemes"][name] if self._api is not None else {}
        authorizer = scheme.get("x-amazon-apigateway-authorizer")
        if authorizer is None:
            return self._by_key(scheme)
        if authorizer["type"] == "jwt":
            return _http_token(authorizer, scopes)
        if authorizer["type"] == "request" and api.rest is not None:
            return _by_function(api.rest.authorizer, authorizer, (f"{method} {template}", f"ANY {template}"))
        raise Unread(f"the authorizer {authorizer}")

    def _by_key(self, scheme: Json) -> Facts:
        rest = self._artifact.rest
        if rest is None or scheme != {"type": "apiKey", "name": "x-api-key", "in": "header"}:
            raise Unread(f"the scheme {scheme}")
        clients = tuple(sorted(client for plan in rest.plans for client in plan.clients))
        return {"auth.kinds": ("api_key",), "key.source": ("header", "x-api-key", ""), "key.clients": clients}

    def _method_limits(self, operation: Json, operations: Json, template: str, method: str, facts: Facts) -> Facts:
        rest, http = self._artifact.rest, self._artifact.http
        found: Facts = {}
        if http is not None:
            key = f"{method} {template}" if method.lower() in operations else f"ANY {template}"
            limit = http.routes.get(key)
            return _per_route(limit["rate"], limit["burst"], key) if limit is not None else {}
        if rest is None:
            return found
        settings = _only(
            rest.methods.get(f"{template.lstrip('/')}/{method}", {}),
            "cache",
            "cache_ttl",
            "throttle_rate",
            "throttle_burst",
        )
        if "throttle_rate" in settings:
            found |= _per_route(settings["throttle_rate"], settings["throttle_burst"], f"{template} {method}")
        if facts.get("auth.kinds") == ("api_key",):
            found |= self._planned(template, method if method.lower() in operations else "ANY")
        return found

    def _planned(self, template: str, method: str) -> Facts:
        rest = self._artifact.rest
        if rest is None or len(rest.plans) != 1:
            raise Unread("keys in several plans")
        plan = rest.plans[0]
        found: Facts = {}
        limit, bucket = plan.throttle, "plan"
        if limit is None:
            limit, bucket = plan.methods.get(f"{template}/{method}"), f"{template} {method}"
        if limit is not None:
            found |= {
                "throttle.rate": round(limit["rate"], 6),
                "throttle.burst": limit["burst"],
                "throttle.per": ("api_key", "ip"),
                "throttle.bucket": bucket,
            }
        if plan.quota is not None:
            found |= {
                "quota.limit": plan.quota["limit"],
                "quota.period": plan.quota["period"].lower(),
                "quota.per": ("api_key", "ip"),
                "quota.bucket": "plan",
            }
        return found

    def _cached(self, integration: Json, template: str, method: str, facts: Facts) -> Facts:
        rest = self._artifact.rest
        settings = rest.methods.get(f"{template.lstrip('/')}/{method}", {}) if rest is not None else {}
        keys = [str(one) for one in integration.get("cacheKeyParameters", ())]
        if not settings.get("cache"):
            return {}
        if rest is None or not rest.cache:
            raise Unread("answers that are kept in a stage without a cache")
        variables = {one[1:-1].removesuffix("+") for one in template.split("/") if one.startswith("{")}
        if {f"method.request.path.{name}" for name in variables} - set(keys):
            raise Unread(f"a cache of {template} that does not tell its paths apart: {keys}")
        query = {one.rpartition("querystring.")[2] for one in keys if ".querystring." in one}
        headers = {one.rpartition("header.")[2].lower() for one in keys if ".header." in one}
        share = "public"
        for kind, name in [*_places(facts)]:
            held = query if kind == "query" else headers
            if name in held:
                held.remove(name)
                share = "per_user"
        return {
            "cache.ttl": settings["cache_ttl"] * 1000,
            "cache.methods": (method,),
            "cache.query": tuple(sorted(query)),
            "cache.headers": tuple(sorted(headers)),
            "cache.share": share,
        }

    def _api_cors(self, sent: _Sent, template: str) -> Facts:
        http = self._artifact.http
        if http is not None:
            cors = http.body.get("x-amazon-apigateway-cors")
            if cors is None:
                return {}
            return {
                "cors.origins": tuple(sorted(cors["allowOrigins"])),
                "cors.methods": tuple(sorted(cors["allowMethods"])),
                "cors.allow_headers": tuple(sorted(cors.get("allowHeaders", ()))),
                "cors.expose_headers": tuple(sorted(cors.get("exposeHeaders", ()))),
                "cors.credentials": cors["allowCredentials"],
                "cors.max_age": cors["maxAge"] * 1000,
                "cors.answers": True,
            }
        rest = self._artifact.rest
        if rest is None:
            return {}
        path = template
        if rest.private:  # the public balancer puts another first segment before a preflight's path
            first = sent.path.strip("/").split("/")[0]
            place = _find(rest.body["paths"], sent.path.replace(f"/{first}", "/edge.preflight", 1))
            if place is None:
                return {}
            path = place[0]
        operation = rest.body["paths"][path].get("options", {})
        if operation.get("x-amazon-apigateway-integration", {}).get("type") != "mock":
            return {}
        return _preflight(operation["x-amazon-apigateway-integration"])

    # -- WebSockets ----------------------------------------------------------------------------------------------------

    def _websocket(self, sent: _Sent) -> Facts | None:
        item = next((one for one in self._artifact.websockets if one.stage == sent.path.lstrip("/")), None)
        if item is None:
            return None
        facts: Facts = {"websocket": "messages"}
        if item.authorizer is not None:
            facts |= _by_function(item.authorizer, {"identitySource": ",".join(item.identity_sources)}, ("$connect",))
        if item.throttle is not None:
            facts |= _per_route(item.throttle["rate"], item.throttle["burst"], item.stage)
        headers = {
            name.removeprefix("integration.request.header."): value[1:-1]
            for name, value in item.headers.items()
            if value.startswith("'")
        }
        facts["timeout.idle"] = Own("10 min")
        return self._dispatched(replace(sent, path=item.path, headers={**sent.headers, **headers}, facts=facts))


# -- balancers ---------------------------------------------------------------------------------------------------------


def _chosen(balancer: Balancer, listener: str, sent: _Sent) -> Rule | None:
    rules = sorted((rule for rule in balancer.rules if rule.listener == listener), key=lambda rule: rule.priority)
    for rule in rules:
        if all(_holds(condition, sent) for condition in rule.conditions):
            guard = not rule.routes
            return None if guard else rule
    return None


def _hosts(rule: Rule) -> tuple[str, ...]:
    return tuple(host for condition in rule.conditions for host in condition.get("hosts", ()))


def _upgrades(rule: Rule) -> bool:
    return any(one.get("header", {}).get("name") == "upgrade" for one in rule.conditions)


def _holds(condition: Json, sent: _Sent) -> bool:
    if len(condition) != 1:
        raise Unread(f"the condition {condition}")
    ((kind, value),) = condition.items()
    match kind:
        case "hosts":
            return any(_wild(one).fullmatch(sent.host) for one in value)
        case "paths":
            return any(_wild(one, fold=False).fullmatch(sent.path) for one in value)
        case "path_regex":
            return any(
                re.fullmatch(one.removeprefix("^").removesuffix("$"), sent.path) or re.match(one, sent.path)
                for one in value
            )
        case "methods":
            return sent.method in value
        case "header":
            told = sent.header(_only(value, "name", "values", "regex")["name"])
            if told is None:
                return False
            wild = any(_wild(one).fullmatch(told) for one in value.get("values", ()))
            return wild or any(re.fullmatch(one, told) for one in value.get("regex", ()))
        case "query":
            return any(
                _wild(_only(one, "key", "value")["key"]).fullmatch(name) and _wild(one["value"]).fullmatch(text)
                for one in value
                for name, text in sent.query.items()
            )
        case _:
            raise Unread(f"the condition {condition}")


def _wild(pattern: str, *, fold: bool = True) -> re.Pattern[str]:
    """A pattern of a balancer. Hosts, headers and queries have no case, paths do (AWS's page of conditions)."""
    pieces = re.findall(r"\\[*?\\]|.", pattern, re.DOTALL)
    words: Mapping[str, str] = {"*": ".*", "?": "."}
    text = "".join(words.get(one) or re.escape(one[-1]) for one in pieces)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if fold else 0))


def _transformed(transforms: Sequence[Json], sent: _Sent) -> _Sent:
    for transform in transforms:
        ((kind, value),) = transform.items()
        text = sent.host if kind == "host" else sent.path
        text = _replaced(value, text)
        if kind == "url":
            sent = replace(sent, path=text)
        elif kind == "host" and value["replace"] == "{{api_host}}":
            continue  # the API's own name
        elif kind == "host":
            sent = replace(sent, host=text, facts={**sent.facts, "rewrite.host": text})
        else:
            raise Unread(f"the transform {transform}")
    # An API's own name has its stage as the first segment.
    return replace(sent, path=sent.path.removeprefix("/live")) if sent.path.startswith("/live/edge.") else sent


def _replaced(rewrite: Json, text: str) -> str:
    """The text with the first match replaced; unchanged where there is none."""
    found = re.search(rewrite["regex"], text)
    if found is None:
        return text
    new = re.sub(r"\$(\$|\d)", lambda one: "$" if one[1] == "$" else found[int(one[1])] or "", rewrite["replace"])
    return text[: found.start()] + new + text[found.end() :]


def _weights(groups: Mapping[str, int], balancer: Balancer) -> dict[str, int]:
    return {balancer.targets[group]: weight for group, weight in groups.items() if weight}


def _static(facts: Facts, rule: Rule, answer: Json) -> Facts:
    _only(answer, "status", "content_type", "body")
    return facts | {
        "respond.status": answer["status"],
        "respond.body": answer["body"],
        "respond.content_type": answer["content_type"],
    }


def _redirected(to: Json, sent: _Sent) -> Facts:
    _only(to, "status", "query", "protocol", "host", "port", "path")
    query = "&".join(f"{name}={value}" for name, value in sent.query.items())
    own = {"path": sent.path[1:], "query": query, "host": sent.host, "protocol": "https", "port": "443"}

    def filled(key: str, default: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda found: own[found[1]], to.get(key, default))

    at = f"{filled('protocol', '#{protocol}').lower()}://{filled('host', '#{host}')}:{filled('port', '#{port}')}"
    asked = filled("query", "#{query}")
    return {
        "redirect.status": int(str(to["status"]).removeprefix("HTTP_")),
        "redirect.location": at + filled("path", "/#{path}") + (f"?{asked}" if asked else ""),
    }


# -- who may -----------------------------------------------------------------------------------------------------------


def _balancer_token(action: Json) -> Facts:
    issuer = _only(action, "issuer", "jwks_uri", "claims")["issuer"]
    found: Facts = {
        "auth.kinds": ("jwt",),
        "auth.claims": {},
        "auth.scopes": (),
        "auth.any_scope": (),
        "auth.refusal": None,
    }
    tokens: Facts = {
        "jwt.issuer": issuer,
        "jwt.keys": keys_at(action["jwks_uri"], issuer),
        "jwt.algorithms": _BALANCER_ALGORITHMS,
        "jwt.source": ("header", "authorization", "Bearer "),
        "jwt.scope_claim": None,
        "jwt.clock_skew": _SKEW,
        "jwt.jwks_refresh": _REFRESH,
    }
    for claim in action["claims"]:
        name, values = claim["name"], tuple(sorted(claim["values"]))
        if name in _AUDIENCE and "jwt.audiences" not in tokens:
            tokens |= {"jwt.audiences": values, "jwt.audience_claim": name}
            continue
        found["auth.refusal"] = 401
        if claim["format"] == "space-separated-values":
            found["auth.scopes"] = values
            tokens["jwt.scope_claim"] = name
        else:
            found["auth.claims"][name] = values
    return found | {leaf: {issuer: value} for leaf, value in tokens.items()}


def _balancer_login(action: Json) -> Facts:
    return {
        "auth.kinds": ("oidc",),
        "oidc.issuer": action["issuer"],
        "oidc.client": action["client_id"],
        "oidc.scopes": tuple(sorted(action["scope"].split())),
    }


def _http_token(authorizer: Json, scopes: Sequence[str]) -> Facts:
    given = _only(authorizer["jwtConfiguration"], "issuer", "audience")
    issuer = given["issuer"]
    one = tuple(sorted(scopes))
    tokens: Facts = {
        "jwt.issuer": issuer,
        "jwt.audiences": tuple(sorted(given["audience"])),
        "jwt.keys": "the issuer's",
        "jwt.algorithms": _HTTP_ALGORITHMS,
        "jwt.source": _identity_source(authorizer["identitySource"]),
        "jwt.scope_claim": OneOf(("scope", "scp")) if one else None,
        "jwt.audience_claim": OneOf(("aud", "client_id")),
        "jwt.clock_skew": _SKEW,
        "jwt.jwks_refresh": _REFRESH,
    }
    # An HTTP API asks for one of the scopes.
    return {
        "auth.kinds": ("jwt",),
        "auth.claims": {},
        "auth.scopes": one if len(one) == 1 else (),
        "auth.any_scope": one if len(one) > 1 else (),
        "auth.refusal": 403 if one else None,
        **{leaf: {issuer: value} for leaf, value in tokens.items()},
    }


def _identity_source(text: str) -> Any:
    """A token in a header may have ``Bearer`` before it, or not (AWS's page of JWT authorizers)."""
    found = re.fullmatch(r"\$request\.(header|querystring)\.(.+)", text)
    if found is None:
        raise Unread(f"the identity source {text}")
    if found[1] == "querystring":
        return ("query", found[2], "")
    return OneOf((("header", found[2].lower(), "Bearer "), ("header", found[2].lower(), "")))


def _by_function(function: LambdaAuthorizer | None, authorizer: Json, names: Sequence[str]) -> Facts:
    """What the Lambda authorizer of this package is told of a method."""
    if function is None:
        raise Unread("an authorizer without its function")
    config = _only(function.config, "authorizers", "requirements", "methods", "api_keys")
    known = next((config["methods"][name] for name in names if name in config["methods"]), None)
    if known is None:
        return {"auth.kinds": ("nobody",)}  # the function denies what it does not know
    need = _only(config["requirements"][known], "authorizers", "scopes", "any_scope", "claims")
    claims = {name: tuple(sorted(values)) for name, values in need["claims"].items()}
    found: Facts = {
        "auth.kinds": (),
        "auth.scopes": tuple(sorted(need["scopes"])),
        "auth.any_scope": tuple(sorted(need["any_scope"])),
        "auth.claims": claims,
        "auth.refusal": 403 if need["scopes"] or need["any_scope"] or claims else None,
    }
    if len(found["auth.any_scope"]) == 1:
        found |= {"auth.scopes": tuple(sorted({*found["auth.scopes"], *found["auth.any_scope"]})), "auth.any_scope": ()}
    scoped = found["auth.scopes"] or found["auth.any_scope"]
    places: set[tuple[str, str]] = set()
    for name in need["authorizers"]:
        item = config["authorizers"][name]
        source = item["source"]
        places.add((source["kind"], source["name"].lower() if source["kind"] == "header" else source["name"]))
        found["auth.kinds"] = (*found["auth.kinds"], "jwt")
        keys = (
            keys_of(json.dumps(item["jwks"])) if item["jwks"] else keys_at(_unmarked(item["jwks_uri"]), item["issuer"])
        )
        tokens: Facts = {
            "jwt.issuer": item["issuer"],
            "jwt.audiences": tuple(sorted(item["audiences"])),
            "jwt.keys": keys,
            "jwt.algorithms": tuple(sorted(item["algorithms"])),
            "jwt.source": (source["kind"], source["name"], source["prefix"]),
            "jwt.scope_claim": item["scope_claim"] if scoped else None,
            "jwt.audience_claim": item["audience_claim"],
            "jwt.clock_skew": item["clock_skew"] * 1000,
            "jwt.jwks_refresh": item["jwks_refresh"] * 1000 if not item["jwks"] else None,
        }
        for leaf, value in tokens.items():
            found.setdefault(leaf, {})[item["issuer"]] = value
    # A request that lacks an identity source is refused before the function: it must be where the tokens are.
    sources = [one for one in str(authorizer.get("identitySource", "")).split(",") if one]
    told = {("query" if ".querystring." in one else "header", one.rpartition(".")[2]) for one in sources}
    told = {(kind, name.lower() if kind == "header" else name) for kind, name in told}
    if told and told != places:
        raise Unread(f"an authorizer that looks at {told} for tokens in {places}")
    return found


def _unmarked(uri: str | None) -> str | None:
    """A bound address is the stack's word for where the issuer's keys are."""
    return None if uri is None or uri.startswith("{{jwks_uri:") else uri


def _places(facts: Facts) -> Iterator[tuple[str, str]]:
    """Where the credentials of a route are."""
    kinds = facts.get("auth.kinds", ("public",))
    if kinds == ("api_key",):
        yield "header", "x-api-key"
    for source in facts.get("jwt.source", {}).values() if "jwt" in kinds else ():
        places = source.values if isinstance(source, OneOf) else (source,)
        yield from {(kind, name) for kind, name, _ in places}


# -- integrations ------------------------------------------------------------------------------------------------------


def _find(paths: Mapping[str, Any], path: str) -> tuple[str, dict[str, str]] | None:
    """The resource of a path: a literal before a variable before ``{proxy+}``, without going back."""
    segments = path.strip("/").split("/") if path != "/" else []
    templates = {name: tuple(name.strip("/").split("/")) if name != "/" else () for name in paths}
    at: tuple[str, ...] = ()
    values: dict[str, str] = {}
    for index, segment in enumerate(segments):
        following = {one[index] for one in templates.values() if len(one) > index and one[:index] == at}
        variable = next((one for one in following if one.startswith("{") and not one.endswith("+}")), None)
        greedy = next((one for one in following if one.endswith("+}")), None)
        if segment in following:
            at = (*at, segment)
        elif variable is not None and segment:
            at, values[variable[1:-1]] = (*at, variable), segment
        elif greedy is not None:
            at, values[greedy[1:-2]] = (*at, greedy), "/".join(segments[index:])
            break
        else:
            return None
    found = next((name for name, one in templates.items() if one == at), None)
    return (found, values) if found is not None else None


def _resolved(body: Json, value: Json) -> Json:
    if "$ref" not in value:
        return value
    found: Any = body
    for part in str(value["$ref"]).removeprefix("#/").split("/"):
        found = found[part]
    return found


def _integrated(integration: Json, sent: _Sent, values: Mapping[str, str], template: str) -> _Sent:
    """The request that an integration makes, with the header changes that a service sees."""
    rest = urlsplit(integration["uri"])
    known = ("type", "httpMethod", "uri", "connectionType", "connectionId", "requestParameters", "timeoutInMillis")
    if rest.scheme:
        _only(integration, *known, "integrationTarget", "passthroughBehavior", "cacheKeyParameters")
    else:
        _only(integration, *known, "payloadFormatVersion", "tlsConfig", "responseParameters")
    if integration["type"] != "http_proxy" or integration["httpMethod"] not in ("ANY", sent.method):
        raise Unread(f"the integration {integration['type']} {integration['httpMethod']}")
    changes: Json = {}
    headers = dict(sent.headers)
    path = sent.path
    filled: dict[str, str] = {}
    for key, value in integration.get("requestParameters", {}).items():
        name = key.rpartition("header.")[2].lower()
        if key.startswith("integration.request.path."):
            filled[key.rpartition(".")[2]] = values[value.rpartition(".")[2]]
        elif key.startswith(("integration.request.querystring.", "integration.request.header.")) and value.startswith(
            "method."
        ):
            if key.rpartition("request.")[2] != value.rpartition("request.")[2]:
                raise Unread(f"{key}: {value}")
        elif key.startswith("integration.request.header.") and value.startswith("'"):
            headers[name] = value[1:-1]
            changes.setdefault("set", {})[name] = value[1:-1]
        elif key == "overwrite:path":
            path = re.sub(r"\$request\.path\.(\w+)", lambda one: values[one[1]], value)
        elif key.startswith("overwrite:header."):
            headers[name] = value
            changes.setdefault("set", {})[name] = value
        elif key.startswith("append:header."):
            changes.setdefault("add", {})[name] = value
        elif key.startswith("remove:header."):
            changes["remove"] = tuple(sorted((*changes.get("remove", ()), name)))
        else:
            raise Unread(f"the mapping {key}: {value}")
    if rest.scheme:
        path = re.sub(r"\{(\w+)\}", lambda one: filled[one[1]], rest.path) or "/"
    dispatch = changes["set"].pop("x-edgewright-backend")
    if dispatch != headers["x-edgewright-backend"]:
        raise Unread("two services")
    changes = {kind: value for kind, value in changes.items() if value}
    answers = _answers(integration.get("responseParameters", {}))
    return replace(sent, path=path, headers=headers, facts={"headers.request": changes, "headers.response": answers})


def _answers(by_status: Json) -> Json:
    """Changes of answers; those of all statuses that are named must be alike."""
    kinds = list(by_status.values())
    if any(one != kinds[0] for one in kinds):
        raise Unread("answers that are changed by their status")
    found: Json = {}
    for key, value in kinds[0].items() if kinds else ():
        how, _, name = key.partition(":header.")
        if how == "remove":
            found["remove"] = tuple(sorted((*found.get("remove", ()), name)))
        else:
            found.setdefault({"overwrite": "set", "append": "add"}[how], {})[name] = value
    return found


def _validated(body: Json, operation: Json, integration: Json) -> Facts:
    name = operation.get("x-amazon-apigateway-request-validator")
    if name is None:
        return {}
    checks = body["x-amazon-apigateway-request-validators"][name]
    found: Facts = {}
    if checks["validateRequestParameters"]:
        found["validate.parameters"] = tuple(
            sorted(
                (one["in"], one["name"].lower() if one["in"] == "header" else one["name"])
                for one in operation.get("parameters", ())
                if one["required"] and one["in"] != "path"
            )
        )
    if checks["validateRequestBody"]:
        request = operation.get("requestBody", {"content": {}, "required": False})
        found["validate.body"] = {
            media: of_draft4(_resolved(body, one["schema"])) for media, one in request["content"].items()
        }
        found["validate.body_required"] = request["required"]
    return found


def _preflight(integration: Json) -> Facts:
    answer = integration["responses"]["default"]
    headers = {
        name.rpartition(".header.")[2].lower(): value[1:-1] for name, value in answer["responseParameters"].items()
    }
    template = answer["responseTemplates"]["application/json"]
    origins = re.findall(r'\$origin == "([^"]*)"', template)
    return {
        "cors.origins": tuple(sorted(origins)) or (headers["access-control-allow-origin"],),
        "cors.methods": _words(headers.get("access-control-allow-methods", "")),
        "cors.allow_headers": _words(headers.get("access-control-allow-headers", "")),
        "cors.credentials": headers.get("access-control-allow-credentials") == "true",
        "cors.max_age": int(headers["access-control-max-age"]) * 1000,
    }


# -- limits ------------------------------------------------------------------------------------------------------------


def _per_route(rate: float, burst: int, bucket: str) -> Facts:
    return {
        "throttle.rate": round(rate, 6),
        "throttle.burst": burst,
        "throttle.per": ("route",),
        "throttle.bucket": bucket,
    }


def _throttled(sent: _Sent, rules: Sequence[Json]) -> Facts:
    """The rates of a web ACL that count a request, by the labels that its rules put on it."""
    labels = {
        one["name"]
        for rule in rules
        for one in rule.get("rule_labels", ())
        if _matches(rule["statement"], sent, frozenset())
    }
    found: list[tuple[str, Json]] = []
    for rule in rules:
        rate = rule["statement"].get("rate_based_statement")
        if rate is None or rule["name"] == "rate-per-ip":
            continue
        scope = rate.get("scope_down_statement")
        mine = [one for one in _statements(scope) if "label_match_statement" in one]
        if len(mine) != 1 or "block" not in rule["action"]:
            raise Unread(f"the rule {rule['name']}")
        if mine[0]["label_match_statement"]["key"] in labels:
            found.append((mine[0]["label_match_statement"]["key"], rate))
    if not found:
        return {}
    names = {name for name, _ in found}
    if len(names) > 1:
        raise Unread(f"several throttles of one request: {names}")
    order: list[str] = []
    for _, rate in found:
        kind = rate["aggregate_key_type"]
        if kind == "CUSTOM_KEYS":
            (key,) = rate["custom_keys"]
            order.append(f"header:{key['header']['name'].lower()}")
        else:
            order.append({"IP": "ip", "CONSTANT": "route"}[kind])
    rates = {round(rate["limit"] / rate["evaluation_window_sec"], 6) for _, rate in found}
    if len(rates) != 1:
        raise Unread(f"the rates {rates}")
    return {
        "throttle.rate": rates.pop(),
        "throttle.burst": None,
        "throttle.per": tuple(order),
        "throttle.bucket": names.pop(),
    }


def _statements(statement: Json | None) -> Iterator[Json]:
    if statement is None:
        return
    yield statement
    for kind in ("and_statement", "or_statement"):
        for one in statement.get(kind, {}).get("statements", ()):
            yield from _statements(one)
    if "not_statement" in statement:
        yield from _statements(statement["not_statement"]["statement"])


def _matches(statement: Json, sent: _Sent, labels: frozenset[str]) -> bool:
    ((kind, value),) = statement.items()
    match kind:
        case "and_statement":
            return all(_matches(one, sent, labels) for one in value["statements"])
        case "or_statement":
            return any(_matches(one, sent, labels) for one in value["statements"])
        case "not_statement":
            return not _matches(value["statement"], sent, labels)
        case "regex_match_statement":
            if value["field_to_match"] != {"uri_path": {}}:
                raise Unread(f"the statement {value}")
            return re.search(value["regex_string"], sent.path) is not None
        case "byte_match_statement":
            if value["field_to_match"] != {"method": {}} or value["positional_constraint"] != "EXACTLY":
                raise Unread(f"the statement {value}")
            return value["search_string"] == sent.method
        case _:
            raise Unread(f"the statement {kind}")


def _addresses(statement: Json, sets: Mapping[str, Json], name: str) -> list[str]:
    """The ranges of a rule: those of an allow list stand in a negation."""
    if ("not_statement" in statement) != (name == "allow"):
        raise Unread(f"the list {name}")
    inner = statement["not_statement"]["statement"] if name == "allow" else statement
    found: list[str] = []
    for one in _statements(inner):
        if "ip_set_reference_statement" in one:
            mark = str(one["ip_set_reference_statement"]["arn"])
            found += sets[mark.removeprefix("{{ip_set:").removesuffix("}}")]["addresses"]
        elif "or_statement" not in one:
            raise Unread(f"the list {one}")
    return found


# -- backends ----------------------------------------------------------------------------------------------------------


def _group(group: Json) -> Facts:
    _only(
        group,
        *("port", "protocol", "protocol_version", "target_type", "health_check", "algorithm", "anomaly_mitigation"),
    )
    check = group["health_check"]
    network = group["protocol"] in ("TCP", "UDP")
    if network and "path" not in check:
        return _by_connection(group, check)
    found: Facts = {
        "backend.port": group["port"],
        "backend.protocol": _PROTOCOLS[group["protocol"], group.get("protocol_version", "")],
        "health.path": check.get("path"),
        "health.interval": check["interval"] * 1000,
        "health.timeout": check["timeout"] * 1000 if "timeout" in check else Own("AWS's own"),
        "health.healthy": check.get("healthy_threshold"),
        "health.unhealthy": check.get("unhealthy_threshold"),
        "health.statuses": _statuses(check["matcher"]) if "matcher" in check else None,
    }
    if group.get("anomaly_mitigation"):
        found["breaker.errors"] = "more than the others"
    return found


def _by_connection(group: Json, check: Json) -> Facts:
    """A group of a Network Load Balancer always has a check, which costs nothing where a spec asks for none."""
    return {
        "backend.port": group["port"],
        "backend.protocol": _PROTOCOLS[group["protocol"], ""],
        "health.path": OneOf((None, "(a connection)")),
        "health.interval": OneOf((None, check["interval"] * 1000)),
        "health.timeout": Own("AWS's own"),
        "health.healthy": OneOf((None, check["healthy_threshold"])),
        "health.unhealthy": OneOf((None, check["unhealthy_threshold"])),
    }


def _statuses(text: str) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found.append((int(low), int(high or low)))
    return tuple(sorted(found))


# -- pieces ------------------------------------------------------------------------------------------------------------


def _finished(facts: Facts, probe: Probe) -> Facts:
    facts.setdefault("auth.kinds", ("public",))
    if facts["auth.kinds"] != ("public",):
        facts = {"auth.scopes": (), "auth.any_scope": (), "auth.claims": {}, **facts}
    for side in ("headers.request", "headers.response"):
        facts.setdefault(side, {})
    return facts


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted(one for one in text.split(",") if one))


def _only(given: Any, *known: str) -> Json:
    """The same, if it has nothing else."""
    if set(given) - set(known):
        raise Unread(f"{sorted(set(given) - set(known))} beside {sorted(known)}")
    return cast("Json", given)
