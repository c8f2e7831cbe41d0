"""What an artifact of Azure does: its policies carried out for a request, its backends, pools and probes."""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlsplit

import azure_gateway
from edgewright.azure.artifact import Api, Artifact, WebSocket
from parity.csharp import Named, Thing, evaluate
from parity.meaning import keys_at
from parity.retries import events
from parity.schemas import of_draft4
from parity.terms import EDGE, Elsewhere, Facts, OneOf, Own, Probe, Unread
from policy_xsd import parse

_KNOWN = {
    *("name", "topology", "tier", "network", "hosts", "api", "websockets", "backends", "pools", "services"),
    *("access_log_days", "ddos_advanced", "decisions", "findings", "subnets", "named_values", "public", "gateways"),
    *("redis", "waf", "plain_values", "monitoring"),
}
_MANAGED = {
    "Microsoft_DefaultRuleSet": ("core", "known-bad-inputs", "sql-injection"),
    "Microsoft_BotManagerRuleSet": ("bots", "ip-reputation"),
}
"""What Microsoft's rule sets hold, in the spec's words (its page of rule groups and rules)."""

_TRUSTED: Mapping[str, tuple[str, ...]] = {
    "appgw-waf": ("x-edgewright-client",),
    "front-door": ("x-edgewright-client", "x-azure-socketip"),
}
"""Headers that hold the client's address where something before the gateway sets them and none comes past it."""

_UNHEALTHY = ("DipAvailability", "UnhealthyHostCount", "OriginHealthPercentage")
_CAPACITY = ("VipAvailability", "Capacity", "CpuPercent_Gateway", "MemoryPercent_Gateway")
_PEERS = {"Tcp": ("tcp", "tls"), "Udp": ("udp",)}
_HELD = ("SUBSCRIPTION", "SUBJECT", "HEADER", "203.0.113.9")
_ALGORITHMS = tuple(f"{kind}{size}" for kind in ("RS", "PS", "ES", "HS") for size in (256, 384, 512))
_PERIODS = {3600: "hour", 86_400: "day", 604_800: "week", 2_592_000: "30 days"}


@dataclass
class _Caller:
    """What a request's context says of who asks; ``subscription`` None: no key."""

    subject: str | None = "SUBJECT"
    subscription: str | None = "SUBSCRIPTION"
    product: str = ""
    claims: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    algorithm: str = "RS256"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: str = ""
    body: bool = True


class _Headers(Named):
    """Headers of which every one that is asked for is there, and is remembered; trusted: those of an address."""

    def __init__(self, trusted: Sequence[str], *, there: bool) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._trusted = trusted
        self._there = there

    def get(self, name: str, default: Any = None) -> Any:
        if name in self._trusted:
            return _HELD[3]
        self.asked.append(name)
        return "HEADER" if self._there else default


def _context(run: "_Run", caller: _Caller, headers: Named | None = None) -> dict[str, Any]:
    probe = run.probe
    sent = Named({name.lower(): value for name, value in {**probe.headers, **caller.headers}.items()})
    sent.update(dict.fromkeys(run.trusted, _HELD[3]))
    variables = dict(run.variables)
    if "subject" in variables:  # of an opaque token
        variables["subject"] = caller.subject or ""
    query = probe.target.partition("?")[2] + caller.query
    url = Thing(
        Path=probe.path, Host=probe.host, QueryString=f"?{query}" if query else "", Query=Named(dict(probe.query))
    )
    token = Thing(
        Subject=caller.subject or "", Algorithm=caller.algorithm, Claims=dict(caller.claims), Issuer="ISSUER", Id="ID"
    )
    request = Thing(
        Method=probe.method,
        IpAddress=_HELD[3],
        Headers=headers if headers is not None else sent,
        Url=url,
        OriginalUrl=url,
        Body=Thing() if caller.body else None,
    )
    keyed = caller.subscription is not None
    return {
        "context": Thing(
            Request=request,
            Variables={**variables, **({"token": token} if caller.subject is not None else {})},
            Subscription=Thing(Id=caller.subscription, Key="KEY") if keyed else None,
            Product=Thing(Id=caller.product) if keyed else None,
            Response=None,
            Deployment=Thing(Gateway=Thing(IsManaged=run.managed)),
        )
    }


@dataclass
class _Run:
    """A request on its way through the sections of a policy."""

    probe: Probe
    trusted: Sequence[str]
    managed: bool
    operation: Mapping[str, Any] | None = None
    variables: dict[str, Any] = field(default_factory=dict[str, Any])
    facts: Facts = field(default_factory=dict[str, Any])
    before: list[Any] = field(default_factory=list[Any])
    settled: bool = True
    """Whether the operation's settings are known: what comes before is the edge's, and not a route's."""
    own_headers: dict[str, str] = field(default_factory=dict[str, str])
    limits: list[tuple[int, int, tuple[str, ...], str]] = field(
        default_factory=list[tuple[int, int, tuple[str, ...], str]]
    )
    answered: bool = False


class Azure:
    """An artifact as a reader."""

    def __init__(self, artifact: Artifact) -> None:
        for item in fields(artifact):
            if item.name not in _KNOWN and getattr(artifact, item.name):
                raise Unread(f"the part `{item.name}` of an artifact of Azure")
        self._artifact = artifact
        if artifact.api is not None and artifact.api.fragments:
            raise Unread("a look-up in fragments")
        self._gateway = azure_gateway.Gateway(artifact.api) if artifact.api is not None else None
        self._trusted = _TRUSTED.get(artifact.topology, ())
        self._managed = artifact.gateways == "managed"
        self._documents: dict[str, Any] = {}

    # -- the edge ------------------------------------------------------------------------------------------------------

    def whole(self) -> Mapping[str, Facts]:
        """The edge, its one listener, and its backends."""
        artifact = self._artifact
        edge: Facts = {
            "name": artifact.name,
            "log.retention": artifact.access_log_days,
            "log.fields": Own("Azure's own fields"),
            "log.sample": Own("all requests"),
            "ddos": "advanced" if artifact.ddos_advanced else "standard",
            **self._addresses(),
            **self._firewall(),
            **self._monitoring(),
        }
        listener: Facts = {
            "listener.hosts": tuple(sorted(artifact.hosts)),
            "listener.port": 443,
            "listener.protocol": "https",
            "listener.redirect_http": False,
            "tls.min_version": Own("weak protocols are off"),
            "tls.passthrough": False,
        }
        if artifact.waf is not None:  # an Application Gateway's or Front Door's own listeners
            shown = "test_front_door" if artifact.topology == "front-door" else "test_application_gateway_waf"
            listener["listener.redirect_http"] = Elsewhere(f"tests/mocks/azure/{shown}.py")
        found = {EDGE: edge, "listener *": listener, **self._public(listener)}
        found |= {f"backend {item.backend}": self._of_websocket(item) for item in artifact.websockets}
        return found | {f"backend {name}": self._backend(name) for name in artifact.backends}

    def _firewall(self) -> Facts:
        """The policy of the firewall before the gateways, if it is for the spec and not only what Microsoft has."""
        policy = self._artifact.waf
        if policy is None or not policy.carried:
            return {}
        found: Facts = {
            "waf.mode": {"Prevention": "block", "Detection": "count"}[policy.mode],
            "waf.managed": tuple(sorted(name for item in policy.rule_sets for name in _MANAGED[item.type])),
        }
        for rule in policy.rules:
            ranges = [one for condition in rule.conditions for one in condition.ranges]
            negated = {condition.negated for condition in rule.conditions}
            if rule.rate is not None and not rule.conditions:
                found["waf.rate_per_ip"] = round(rule.rate.limit / (rule.rate.minutes * 60), 6)
            elif rule.rate is None and len(negated) == 1:
                leaf = "waf.allow" if negated.pop() else "waf.deny"
                found[leaf] = tuple(sorted((*found.get(leaf, ()), *ranges)))
            else:
                raise Unread(f"the rule {rule.name} of the firewall")
        return found

    def _monitoring(self) -> Facts:
        """Alerts by queries and by metrics; those of Azure's own capacity and paths are no spec's."""
        watching = self._artifact.monitoring
        if watching is None:
            return {}
        found: Facts = {
            "monitor.notify": tuple(sorted(watching.notify)),
            "monitor.dashboard": watching.workbook is not None,
        }
        for name, rule in watching.query_rules.items():
            slow = re.search(r"percentilew?\(Milliseconds, (?:Weight, )?([0-9.]+)\)", rule.query)
            if rule.column == "Slow" and slow is not None:
                found |= {"monitor.percentile": float(slow[1]), "monitor.latency": rule.threshold}
            elif rule.column == "Share" and "Status >= 500)" in rule.query:
                found["monitor.error_rate"] = rule.threshold
            elif rule.column == "Share" and "Status == 429)" in rule.query:
                found["monitor.throttled"] = rule.threshold
            else:
                raise Unread(f"the query of {name}")
        for name, alert in watching.metric_alerts.items():
            one = alert.criteria[0]
            if one.metric == "Percentage5XX":
                found["monitor.error_rate"] = one.threshold
            elif one.metric in _UNHEALTHY and "*" in str(one.dimensions):
                found["monitor.unhealthy_targets"] = 1  # each by itself
            elif one.metric in _UNHEALTHY:
                found.setdefault("monitor.unhealthy_targets", "a share of the machines")
            elif one.metric not in _CAPACITY:
                raise Unread(f"the alert {name} on {one.metric}")
        return found

    def _public(self, web: Facts) -> dict[str, Facts]:
        """Listeners of the public balancer: streams, and the way to gateways on machines."""
        balancer = self._artifact.public
        found: dict[str, Facts] = {}
        for name, rule in balancer.rules.items() if balancer is not None else ():
            (pool,) = rule["pools"]
            if pool == "gateways":
                found[f"listener {name}"] = {**web, "listener.port": rule["frontend_port"]}
                continue
            backend = pool.removeprefix("stream-")
            found[f"listener {name}"] = {
                "listener.hosts": (),
                "listener.port": rule["frontend_port"],
                "listener.protocol": OneOf(_PEERS[rule["protocol"]]),
                "listener.redirect_http": False,
                "listener.backend": backend,
                "tls.passthrough": OneOf((True, False, None)),
            }
            spoken = OneOf(("tcp", "udp")) if rule["protocol"] == "Udp" else "tcp"
            checked = _checked(balancer.probes[rule["probe"]]) if balancer is not None else {}
            found[f"backend {backend}"] = {"backend.port": rule["backend_port"], "backend.protocol": spoken, **checked}
        return found

    def _of_websocket(self, item: WebSocket) -> Facts:
        """The backend of a WebSocket API, which names its service itself."""
        parts = urlsplit(re.sub(r"\{\{address:[^}]*\}\}", "address", item.url))
        protocol = {"ws": "http", "wss": "https"}[parts.scheme]
        return {
            "backend.port": parts.port or (443 if protocol == "https" else 80),
            "backend.protocol": protocol,
            **self._probe(item.backend),
        }

    def _addresses(self) -> Facts:
        """What stands before everything else in every policy; all documents must say the same."""
        said: list[Facts] = []
        if self._artifact.api is not None:
            said.append(self._before(self._artifact.api.policy, "settings"))
        said += [self._before(item.policy, None) for item in self._artifact.websockets]
        if any(one != said[0] for one in said):
            raise Unread(f"address rules that differ between APIs: {said}")
        return said[0] if said else {}

    def _before(self, policy: str, until: str | None) -> Facts:
        found: Facts = {}
        for item in _elements(parse(policy).find("inbound")):
            if item.tag == "set-variable" and item.get("name") == until:
                break
            if item.tag == "ip-filter":
                kind = {"allow": "waf.allow", "forbid": "waf.deny"}[item.get("action")]
                found[kind] = _cidrs([(one.get("from"), one.get("to")) for one in item])
            elif item.tag == "rate-limit-by-key" and _bucket_of(item) == "3:waf:m:":
                found["waf.rate_per_ip"] = round(int(item.get("calls")) / int(item.get("renewal-period")), 6)
        return {**found, "waf.mode": "block"} if found else {}

    def _backend(self, name: str) -> Facts:
        plan = self._artifact.backends[name]
        parts = urlsplit(re.sub(r"\{\{address:[^}]*\}\}", "address", plan.url))
        found: Facts = {
            "backend.port": parts.port or (443 if parts.scheme == "https" else 80),
            "backend.protocol": parts.scheme,
        }
        if (parts.scheme == "https") != plan.tls:
            raise Unread(f"a backend {plan.url} whose certificate is {'' if plan.tls else 'not '}checked")
        rule = plan.circuit_breaker
        if rule is not None:
            found["breaker.errors"] = _only(rule, "count", "interval", "trip_duration", "status_ranges")["count"]
            found["breaker.ejection"] = _iso(rule["trip_duration"])
        return found | self._probe(name)

    def _probe(self, name: str) -> Facts:
        services = self._artifact.services
        if services is None or name not in services.rules:
            return {}
        rule = _only(services.rules[name], "frontend", "pools", "probe", "protocol", "frontend_port", "backend_port")
        if rule["pools"] != [name] or rule["frontend_port"] != rule["backend_port"]:
            raise Unread(f"the rule {rule}")
        return _checked(services.probes[rule["probe"]])

    # -- a request -----------------------------------------------------------------------------------------------------

    def ask(self, probe: Probe) -> Facts | None:
        """The facts of the policies that a request meets."""
        if probe.websocket:
            return self._websocket(probe)
        api, gateway = self._artifact.api, self._gateway
        if api is None or gateway is None:
            return None
        asked = azure_gateway.Request(probe.method, probe.path, dict(probe.headers), dict(probe.query))
        operation = gateway._operation(asked)
        if operation is None:
            return None
        text = gateway._default
        for condition, told in gateway._cases.get(operation, []):
            if condition is None or azure_gateway._holds(condition, asked):
                text = told
                break
        if text.startswith("denied|"):
            return None
        documented = next(
            one for path in api.body["paths"].values() for one in path.values() if one["operationId"] == operation
        )
        run = _Run(probe, self._trusted, self._managed, {**documented, "components": api.body.get("components", {})})
        run.settled = False
        run.variables["settings"] = text
        own = api.operation_policies.get(operation)
        for section in ("inbound", "backend", "outbound"):
            if section == "backend" and run.answered:
                break
            items = list(_elements(self._document(api.policy).find(section)))
            if own is not None:
                items = _nested(list(_elements(self._document(own).find(section))), items)
            self._do(items, run, section, api)
        return self._finished(run)

    def _document(self, text: str) -> Any:
        if text not in self._documents:
            self._documents[text] = parse(text)
        return self._documents[text]

    def _websocket(self, probe: Probe) -> Facts | None:
        item = next((one for one in self._artifact.websockets if one.path == probe.path.lstrip("/")), None)
        if item is None:
            return None
        run = _Run(probe, self._trusted, self._managed)
        self._do(list(_elements(self._document(item.policy).find("inbound"))), run, "inbound", None)
        parts = urlsplit(re.sub(r"\{\{address:[^}]*\}\}", "address", item.url))
        if parts.scheme not in ("ws", "wss"):
            raise Unread(item.url)
        run.facts |= {"backend": {item.backend: 100}, "rewrite.path": parts.path or "/", "websocket": "through"}
        run.facts["timeout.idle"] = Own("API Management's own")
        return self._finished(run)

    def _finished(self, run: _Run) -> Facts:
        found = run.facts
        name = found.pop("backend id", None)
        if "introspection.client" in found:
            found["introspection.client"] = self._artifact.named_values[found["introspection.client"]][1]
        if name is not None and not run.answered:
            pool = self._artifact.pools.get(name)
            if pool is None and name not in self._artifact.backends:
                raise Unread(f"the backend {name}")
            found["backend"] = {one: weight for one, weight in pool if weight} if pool is not None else {name: 100}
        found.setdefault("auth.kinds", ("public",))
        if found["auth.kinds"] != ("public",):
            found = {"auth.scopes": (), "auth.any_scope": (), "auth.claims": {}, **found}
        found |= _throttle(run.limits)
        if not run.probe.websocket and "backend" in found:
            found.setdefault("rewrite.path", run.probe.path)
            found["timeout.idle"] = Own("API Management's own")
        for side in ("headers.request", "headers.response"):
            found.setdefault(side, {})
        cached = found.pop("cache", None)
        if cached is not None:
            found |= cached
        return found

    # -- policies ------------------------------------------------------------------------------------------------------

    def _do(self, items: Sequence[Any], run: _Run, section: str, api: Api | None) -> None:
        for item in items:
            if run.answered:
                return
            handler = _HANDLERS.get(item.tag)
            if item.tag == "choose":
                self._choose(item, run, section, api)
            elif item.tag == "retry":
                _retry(item, run)
                self._do(list(_elements(item)), run, "retry", api)
            elif handler is not None:
                handler(item, run, section)
            else:
                raise Unread(f"the policy <{item.tag}>")

    def _choose(self, item: Any, run: _Run, section: str, api: Api | None) -> None:
        for branch in _elements(item):
            if branch.tag == "otherwise":
                self._do(list(_elements(branch)), run, section, api)
                return
            condition = branch.get("condition")
            if condition.startswith("@{"):
                _refusal(branch)  # of an opaque token that is out of its time
            elif 'Variables["validate"]' in condition and next(_elements(branch)).tag == "return-response":
                _asks_for(condition, branch, run)
            elif "JObject.Parse" in condition:
                _opaque_needs(condition, branch, run)
            elif ".Algorithm" in condition or ".Claims" in condition or "context.Subscription" in condition:
                self._refuses(condition, branch, run, api)
            elif evaluate(condition, _context(run, _Caller())):
                self._do(list(_elements(branch)), run, section, api)
                return

    def _refuses(self, condition: str, branch: Any, run: _Run, api: Api | None) -> None:
        """A branch for callers that lack something: what, is found by callers that lack one thing after another."""
        status = _refusal(branch)

        def refused(caller: _Caller) -> bool:
            return bool(evaluate(condition, _context(run, caller)))

        if ".Algorithm" in condition:
            taken = tuple(sorted(name for name in _ALGORITHMS if not refused(_Caller(algorithm=name))))
            for leaf in ("jwt.algorithms",):
                run.facts[leaf] = dict.fromkeys(run.facts["jwt.issuer"], taken)
        elif "context.Subscription" in condition:
            if api is None or not refused(_Caller(subscription=None)):
                raise Unread(f"keys that nobody needs: {condition[:100]}")
            known = [name for name in api.products if not refused(_Caller(product=name))]
            if len(known) != 1:
                raise Unread(f"the products {known}")
            kind, name = self._key_source(api)
            run.facts["auth.kinds"] = ("api_key",)
            run.facts["key.source"] = (kind, name, "")
            run.facts["key.clients"] = tuple(sorted(api.products[known[0]][1]))
        else:
            _needs(condition, refused, status, run)

    def _key_source(self, api: Api) -> tuple[str, str]:
        """Where an API takes keys from."""
        if len(api.key) == 1:
            return next(iter(api.key.items()))
        raise Unread(f"keys in {dict(api.key)}")


def _refusal(branch: Any) -> int:
    """The status of a branch that refuses."""
    status = next((int(one.get("code")) for one in branch.iter("set-status")), None)
    if status is None or next(_elements(branch)).tag != "return-response":
        raise Unread(f"a branch that refuses nobody: {branch.get('condition')[:100]}")
    return status


def _asks_for(condition: str, branch: Any, run: _Run) -> None:
    """A branch for requests that lack parameters, or a body."""
    if _refusal(branch) != 400:
        raise Unread(f"a check that answers {_refusal(branch)}")
    named = re.findall(r"context\.Request\.(Headers|Url\.Query)\.ContainsKey\((\"(?:[^\"\\]|\\.)*\")\)", condition)
    names = [(kind, str(evaluate(f"@({name})", {}))) for kind, name in named]

    def refused(*there: tuple[str, str], body: bool = True) -> bool:
        probe = replace(
            run.probe,
            headers={name: "1" for kind, name in there if kind == "Headers"},
            query={name: "1" for kind, name in there if kind != "Headers"},
        )
        return bool(evaluate(condition, _context(replace(run, probe=probe), _Caller(body=body))))

    if not names:
        if refused(body=False) and not refused(body=True):
            run.facts["validate.body_required"] = True
        return
    if not refused():
        return  # another route's
    if refused(*names) or not all(refused(*(one for one in names if one != name)) for name in names):
        raise Unread(f"parameters by {condition[:200]}")
    run.facts["validate.parameters"] = tuple(
        sorted(("header", name.lower()) if kind == "Headers" else ("query", name) for kind, name in names)
    )


def _opaque_needs(condition: str, branch: Any, run: _Run) -> None:
    """A branch for opaque tokens that lack scopes, or a claim; the code says it in two ways only."""
    run.facts["auth.refusal"] = _refusal(branch)
    text = r"\"(?:[^\"\\]|\\.)*\""
    listed = re.match(
        rf"@\((!?)\(?new \[\] \{{ ((?:{text}(?:, )?)+) \}}\)?",
        condition.replace("@((new", "@(new").replace("@(!(new", "@(!new"),
    )
    named = re.search(rf'\(string\)context\.Variables\["introspected"\]\)\[({text})\]', condition)
    if listed is None or named is None:
        raise Unread(condition[:200])
    values = tuple(sorted(str(evaluate(f"@({one})", {})) for one in re.findall(text, listed[2])))
    name = str(evaluate(f"@({named[1]})", {}))
    words = ".SelectMany(v => v.Split(' '))" in condition
    some = bool(listed[1]) and ".Intersect(" in condition
    if not some and ".Except(" not in condition:
        raise Unread(condition[:200])
    if words and name == "scope":
        leaf = "auth.any_scope" if some else "auth.scopes"
        run.facts[leaf] = tuple(sorted({*run.facts.get(leaf, ()), *values}))
    elif some and not words:
        run.facts.setdefault("auth.claims", {})[name] = values
    else:
        raise Unread(condition[:200])


def _needs(condition: str, refused: Any, status: int, run: _Run) -> None:
    """Scopes or a claim. A scope may stand among words of one text; a claim's value is one of an array."""
    listed = re.search(r"new \[\] \{ ([^}]*) \}", condition)
    named = re.search(r"\.Claims\[(\"(?:[^\"\\]|\\.)*\")\]", condition)
    if listed is None or named is None:
        raise Unread(condition[:200])
    values: list[str] = [evaluate(f"@({one})", {}) for one in re.findall(r"\"(?:[^\"\\]|\\.)*\"", listed[1])]
    claim: str = evaluate(f"@({named[1]})", {})

    def with_(*held: str, joined: bool) -> _Caller:
        return _Caller(claims={claim: [" ".join(held)] if joined else list(held)})

    if not refused(_Caller()) or refused(with_(*values, joined=False)):
        raise Unread(f"what is needed by {condition[:200]}")
    run.facts["auth.refusal"] = status
    words = not refused(with_("other", *values, joined=True))
    enough = [one for one in values if not refused(with_(one, joined=words))]
    missed = [one for one in values if refused(with_(*(v for v in values if v != one), "other", joined=words))]
    if not words:
        if enough != values:
            raise Unread(f"a claim of which one value is not enough: {condition[:200]}")
        run.facts.setdefault("auth.claims", {})[claim] = tuple(sorted(values))
        return
    run.facts["jwt.scope_claim"] = dict.fromkeys(run.facts["jwt.issuer"], claim)
    if missed == values:
        run.facts["auth.scopes"] = tuple(sorted({*run.facts.get("auth.scopes", ()), *values}))
    elif enough == values:
        run.facts["auth.any_scope"] = tuple(sorted(values))
    else:
        raise Unread(f"neither all nor one: {condition[:200]}")


# -- single policies ---------------------------------------------------------------------------------------------------


def _nothing(item: Any, run: _Run, section: str) -> None:
    """``base`` of the widest scope, and what `_before` has read."""


def _cors(item: Any, run: _Run, section: str) -> None:
    methods = item.find("allowed-methods")
    run.facts |= {
        "cors.origins": _texts(item, "allowed-origins"),
        "cors.methods": _texts(item, "allowed-methods"),
        "cors.allow_headers": _texts(item, "allowed-headers"),
        "cors.expose_headers": _texts(item, "expose-headers"),
        "cors.credentials": item.get("allow-credentials") == "true",
        "cors.max_age": int(methods.get("preflight-result-max-age")) * 1000,
        "cors.answers": True,
    }


def _texts(item: Any, name: str) -> tuple[str, ...]:
    group = item.find(name)
    return tuple(sorted(str(one.text) for one in _elements(group))) if group is not None else ()


def _set_variable(item: Any, run: _Run, section: str) -> None:
    name = item.get("name")
    if name == "settings":
        run.settled = True
        return  # the look-up itself, which `azure_gateway` carries out
    if name in ("bearer", "introspected", "subject"):
        run.variables[name] = {"bearer": "TOKEN", "introspected": "{}", "subject": "SUBJECT"}[name]
        return  # of an opaque token, whose steps `_send_request` reads
    run.variables[name] = evaluate(item.get("value"), _context(run, _Caller()))


def _validate_jwt(item: Any, run: _Run, section: str) -> None:
    issuers = [one.text for one in item.iterfind("issuers/issuer")]
    if len(issuers) != 1:
        raise Unread(f"the issuers {issuers}")
    issuer = issuers[0]
    header, query = item.get("header-name"), item.get("query-parameter-name")
    scheme = item.get("require-scheme")
    claims = {one.get("name"): tuple(sorted(v.text for v in one)) for one in item.iterfind("required-claims/claim")}
    audiences = _texts(item, "audiences")
    claim = "aud"
    if len(claims) == 1 and not audiences:
        claim, audiences = next(iter(claims.items()))
    elif claims:
        raise Unread(f"the claims {claims}")
    inline = tuple(sorted(one.get("n") for one in item.iterfind("issuer-signing-keys/key")))
    urls = [one.get("url").removesuffix("/.well-known/openid-configuration") for one in item.iterfind("openid-config")]
    if (len(urls), bool(inline)) not in ((1, False), (0, True)):
        raise Unread(f"keys at {urls} and {len(inline)} inline")
    keys = inline or keys_at(None if urls[0] == issuer.rstrip("/") else urls[0], issuer)
    prefix = f"{scheme} " if scheme else ""
    place = ("header", header.lower(), prefix) if header else ("query", query, "")
    if item.get("require-signed-tokens") != "true" or item.get("require-expiration-time") != "true":
        raise Unread("tokens without a signature or an expiry")
    run.facts |= {
        "auth.kinds": ("jwt",),
        "jwt.issuer": {issuer: issuer},
        "jwt.audiences": {issuer: audiences},
        "jwt.keys": {issuer: keys},
        "jwt.algorithms": {issuer: "any that the keys have"},
        "jwt.source": {issuer: place},
        "jwt.scope_claim": {issuer: None},
        "jwt.audience_claim": {issuer: claim},
        "jwt.clock_skew": {issuer: int(item.get("clock-skew")) * 1000},
        "jwt.jwks_refresh": {issuer: None if inline else Own("an hour")},
    }


def _validate_azure_ad_token(item: Any, run: _Run, section: str) -> None:
    tenant = item.get("tenant-id")
    issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
    audiences = _texts(item, "audiences")
    if not audiences:
        raise Unread("tokens of Entra ID for anybody")
    values: Facts = {
        "jwt.issuer": OneOf((issuer, f"https://sts.windows.net/{tenant}/")),
        "jwt.audiences": audiences,
        "jwt.keys": "the issuer's",
        "jwt.algorithms": "any that the keys have",
        "jwt.source": ("header", "authorization", "Bearer "),
        "jwt.scope_claim": None,
        "jwt.audience_claim": "aud",
        "jwt.clock_skew": Own("API Management's"),
        "jwt.jwks_refresh": Own("an hour"),
    }
    run.facts["auth.kinds"] = ("jwt",)
    run.facts |= {leaf: {issuer: value} for leaf, value in values.items()}


def _rate_limit(item: Any, run: _Run, section: str) -> None:
    if _bucket_of(item) == "3:waf:m:":
        return
    if not run.settled:
        raise Unread("a throttle before the settings")
    order, bucket = _counts(item.get("counter-key"), run)
    run.limits.append((int(item.get("calls")), int(item.get("renewal-period")), order, bucket))


def _quota(item: Any, run: _Run, section: str) -> None:
    order, bucket = _counts(item.get("counter-key"), run)
    period = int(item.get("renewal-period"))
    # Whole periods of UTC, weeks from Monday: 2018-01-01 was one.
    if item.get("first-period-start") != "2018-01-01T00:00:00Z":
        raise Unread(f"periods from {item.get('first-period-start')}")
    run.facts |= {
        "quota.limit": int(item.get("calls")),
        "quota.period": _PERIODS[period],
        "quota.per": order,
        "quota.bucket": bucket,
    }


def _bucket_of(item: Any) -> str:
    """The bucket of a counter, as its key begins."""
    found = re.match(r"@\(\"((?:[^\"\\]|\\.)*)\"", item.get("counter-key"))
    return str(evaluate(f'@("{found[1]}")', {})) if found else ""


def _counts(key: str, run: _Run) -> tuple[tuple[str, ...], str]:
    """Whom a counter counts, one after another, and its bucket: by requests that lack one thing after another."""
    # What an authorizer does not find cannot be counted: a request without a token has no subject.
    kinds = run.facts.get("auth.kinds", ("public",))
    caller = _Caller(
        subject="SUBJECT" if {"jwt", "introspection"} & set(kinds) else None,
        subscription="SUBSCRIPTION" if "api_key" in kinds else None,
    )
    headers = _Headers(run.trusted, there=True)
    order: list[str] = []
    bucket = ""
    while True:
        text = str(evaluate(key, _context(run, caller, headers)))
        held = next((one for one in _HELD if one in text), None)
        bucket = text.partition(held)[0] if held else text
        bucket = bucket.removesuffix("api_key:").removesuffix("subject:").removesuffix("header:").removesuffix("ip:")
        if held is None:
            return ("route",), bucket
        if held == "SUBSCRIPTION":
            order.append("api_key")
            caller = replace(caller, subscription=None)
        elif held == "SUBJECT":
            order.append("subject")
            caller = replace(caller, subject=None)
        elif held == "HEADER":
            order.append(f"header:{headers.asked[-1].lower()}")
            headers = _Headers(run.trusted, there=False)
        else:
            return (*order, "ip"), bucket


def _throttle(limits: Sequence[tuple[int, int, tuple[str, ...], str]]) -> Facts:
    """A window of a second is the burst, a longer one the lasting rate."""
    if not limits:
        return {}
    if len({order for _, _, order, _ in limits}) != 1 or len(limits) > 2:
        raise Unread(f"the limits {limits}")
    lasting = max(limits, key=lambda one: one[1])
    burst = min(calls for calls, _, _, _ in limits)
    return {
        "throttle.rate": round(lasting[0] / lasting[1], 6),
        "throttle.burst": burst,
        "throttle.per": lasting[2],
        "throttle.bucket": lasting[3],
    }


def _set_header(item: Any, run: _Run, section: str) -> None:
    name, how = str(item.get("name")).lower(), item.get("exists-action")
    values = [str(one.text or "") for one in _elements(item)]
    if how != "delete" and len(values) != 1:
        raise Unread(f"the values {values} of {name}")
    if section == "inbound" and name == "host" and how == "override":
        run.facts["rewrite.host"] = evaluate(values[0], _context(run, _Caller()))
        return
    if section == "inbound" and how == "override" and values[0].startswith("@(") and "context." in values[0]:
        run.own_headers[name] = values[0]  # for the key of a cache
        return
    kind = {"delete": "remove", "override": "set", "append": "add"}[how]
    leaf = "headers.request" if section == "inbound" else "headers.response"
    changes = run.facts.setdefault(leaf, {})
    if kind == "remove":
        changes["remove"] = tuple(sorted((*changes.get("remove", ()), name)))
    else:
        told = str(evaluate(values[0], _context(run, _Caller())))
        changes.setdefault(kind, {})[name] = told


def _cache_lookup(item: Any, run: _Run, section: str) -> None:
    if run.probe.method != "GET":  # Microsoft's page: answers to GET alone are kept
        return
    share, query, headers = "public", list[str](), list[str]()
    names = [name for one in item.iterfind("vary-by-query-parameter") for name in str(one.text).split(";")]
    query += [name for name in names if name != "x-edgewright-none"]
    for one in item.iterfind("vary-by-header"):
        made = run.own_headers.get(str(one.text).lower())
        if made is None:
            headers.append(str(one.text).lower())
        elif 'Variables["subject"]' in made:
            share = "per_user"
        elif _differs(made, run, _Caller(), _Caller(query="&other=1")):
            query = ["*"]
        elif _differs(made, run, _Caller(subject="A", subscription="A"), _Caller(subject="B", subscription="B")):
            share = "per_user"
        else:
            raise Unread(f"a cache by {made}")
    anybody = item.get("allow-private-response-caching") == "true"
    if anybody != (run.facts.get("auth.kinds", ("public",)) != ("public",)):
        raise Unread("answers to credentials are kept where nobody asks for one, or the other way round")
    run.facts["cache"] = {
        "cache.methods": ("GET",),
        "cache.query": tuple(sorted(query)),
        "cache.headers": tuple(sorted(headers)),
        "cache.share": share,
    }


def _differs(value: str, run: _Run, one: _Caller, other: _Caller) -> bool:
    return evaluate(value, _context(run, one)) != evaluate(value, _context(run, other))


def _cache_store(item: Any, run: _Run, section: str) -> None:
    if "cache" in run.facts:
        run.facts["cache"]["cache.ttl"] = int(item.get("duration")) * 1000


def _send_request(item: Any, run: _Run, section: str) -> None:
    """The question for an opaque token (RFC 7662); without a kept answer each request asks."""
    (credential,) = [
        one.find("value").text for one in item.iterfind("set-header") if one.get("name") == "Authorization"
    ]
    found = re.fullmatch(r"Basic \{\{(.+)\}\}", str(credential))
    if item.get("response-variable-name") != "answer" or item.find("set-method").text != "POST" or found is None:
        raise Unread("a question that is no introspection")
    run.facts |= {
        "auth.kinds": ("introspection",),
        "introspection.endpoint": evaluate(item.find("set-url").text, {}),
        "introspection.client": found[1],
        "introspection.cache": 0,
    }


def _store_value(item: Any, run: _Run, section: str) -> None:
    run.facts["introspection.cache"] = int(evaluate(str(item.get("duration")), _context(run, _Caller()))) * 1000


def _check_header(item: Any, run: _Run, section: str) -> None:
    if item.get("name").lower() != "x-azure-fdid":
        raise Unread(f"a check of {item.get('name')}")


def _validate_parameters(item: Any, run: _Run, section: str) -> None:
    if item.get("specified-parameter-action") != "prevent" or item.get("unspecified-parameter-action") != "ignore":
        raise Unread("parameters that are looked at and let through")
    if run.operation is None:
        raise Unread("a check against no operation")
    shapes: Facts = {}
    for one in run.operation.get("parameters", ()):
        name = re.sub(r"^p(?=\d+$)", "", one["name"]) if one["in"] == "path" else one["name"]
        if one["schema"] != {"type": "string"}:
            shapes[f"{one['in']} {name}"] = of_draft4(one["schema"])
    run.facts["validate.shapes"] = shapes


def _validate_content(item: Any, run: _Run, section: str) -> None:
    actions = [item.get("unspecified-content-type-action"), *(one.get("action") for one in item)]
    if set(actions) != {"prevent"} or run.operation is None:
        raise Unread("bodies that are looked at and let through")
    if run.probe.method in ("GET", "HEAD", "OPTIONS"):
        return
    schemas = run.operation["components"].get("schemas", {})
    content = run.operation.get("requestBody", {}).get("content", {})
    run.facts["validate.body"] = {
        media: of_draft4(schemas[one["schema"]["$ref"].rpartition("/")[2]]) if "schema" in one else {}
        for media, one in content.items()
    }


def _rewrite(item: Any, run: _Run, section: str) -> None:
    if item.get("copy-unmatched-params") != "true":
        raise Unread("a rewritten path without the query")
    run.facts["rewrite.path"] = evaluate(item.get("template"), _context(run, _Caller()))


def _return_response(item: Any, run: _Run, section: str) -> None:
    context = _context(run, _Caller())
    status = int(item.find("set-status").get("code"))
    headers = {
        one.get("name").lower(): str(evaluate(one.find("value").text or "", context))
        for one in item.iterfind("set-header")
    }
    body = item.find("set-body")
    run.answered = True
    if "location" in headers:
        run.facts |= {"redirect.status": status, "redirect.location": headers.pop("location")}
    else:
        run.facts |= {
            "respond.status": status,
            "respond.content_type": headers.pop("content-type", ""),
            "respond.body": str(evaluate(body.text or "", context)) if body is not None else "",
        }
    if headers:
        raise Unread(f"the headers {headers} of an answer")


def _retry(item: Any, run: _Run) -> None:
    condition = item.get("condition")

    scopes = {
        method: _context(replace(run, probe=replace(run.probe, method=method)), _Caller()) for method in ("GET", "POST")
    }

    def tried(method: str, status: int | None) -> bool:
        scope = scopes[method]
        scope["context"]["Response"] = None if status is None else Thing(StatusCode=status)
        return bool(evaluate(condition, scope))

    names = ("connect-failure", "reset") if tried("GET", None) else ()
    run.facts |= {
        "retry.attempts": int(item.get("count")),
        "retry.backoff": int(item.get("interval")) * 1000,
        "retry.on": events(names, [status for status in range(400, 600) if tried("GET", status)]),
        "retry.non_idempotent": tried("POST", None) or any(tried("POST", status) for status in range(400, 600)),
    }


def _forward(item: Any, run: _Run, section: str) -> None:
    if item.get("follow-redirects") != "false":
        raise Unread("redirects of a service that are followed")
    if (section == "retry") != (item.get("buffer-request-body") == "true"):
        raise Unread("a body that is kept, or not, against the number of tries")
    milliseconds = int(item.get("timeout")) * 1000
    if section == "retry":
        run.facts |= {"timeout.request": None, "timeout.backend": milliseconds}
    else:
        run.facts |= {"timeout.request": milliseconds, "timeout.backend": None}


def _set_backend(item: Any, run: _Run, section: str) -> None:
    run.facts["backend id"] = evaluate(item.get("backend-id"), _context(run, _Caller()))


_HANDLERS: Mapping[str, Any] = {
    "base": _nothing,
    "ip-filter": _nothing,
    "cors": _cors,
    "set-variable": _set_variable,
    "validate-jwt": _validate_jwt,
    "validate-azure-ad-token": _validate_azure_ad_token,
    "rate-limit-by-key": _rate_limit,
    "quota-by-key": _quota,
    "set-header": _set_header,
    "cache-lookup": _cache_lookup,
    "cache-store": _cache_store,
    "rewrite-uri": _rewrite,
    "return-response": _return_response,
    "set-backend-service": _set_backend,
    "send-request": _send_request,
    "cache-lookup-value": _nothing,
    "cache-store-value": _store_value,
    "check-header": _check_header,
    "validate-parameters": _validate_parameters,
    "validate-content": _validate_content,
    "forward-request": _forward,
}


# -- pieces ------------------------------------------------------------------------------------------------------------


def _checked(given: Mapping[str, Any]) -> Facts:
    """A probe of a balancer."""
    probe = _only(given, "protocol", "port", "interval_seconds", "probe_threshold", "path")
    milliseconds = probe["interval_seconds"] * 1000
    found: Facts = {
        "health.path": probe.get("path", "(a connection)"),
        "health.interval": milliseconds,
        "health.timeout": milliseconds,
        "health.healthy": probe["probe_threshold"],
        "health.unhealthy": probe["probe_threshold"],
        "health.statuses": ((200, 200),) if "path" in probe else None,
    }
    if "path" in probe:
        return found
    # Where a spec asks for no check, a balancer has one all the same, which costs nothing.
    return {leaf: OneOf((None, value)) for leaf, value in found.items()}


def _elements(parent: Any) -> Iterator[Any]:
    """Children without comments."""
    return parent.iterchildren("*")


def _nested(own: Sequence[Any], wider: Sequence[Any]) -> list[Any]:
    """A section of an operation, with the API's in place of its ``base``."""
    found: list[Any] = []
    for item in own:
        found += wider if item.tag == "base" else [item]
    return found


def _only(given: Mapping[str, Any], *known: str) -> Mapping[str, Any]:
    """The same, if it has nothing else."""
    if set(given) - set(known):
        raise Unread(f"{sorted(set(given) - set(known))} beside {sorted(known)}")
    return given


def _cidrs(ranges: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    found: list[str] = []
    for first, last in ranges:
        nets = ipaddress.summarize_address_range(ipaddress.ip_address(first), ipaddress.ip_address(last))
        found += [str(one) for one in nets]
    return tuple(sorted(found))


def _iso(text: str) -> int:
    """Milliseconds of ``PT30S``."""
    found = re.fullmatch(r"PT(?:(\d+)M)?(?:(\d+)S)?", text)
    if found is None:
        raise Unread(text)
    return (int(found[1] or 0) * 60 + int(found[2] or 0)) * 1000
