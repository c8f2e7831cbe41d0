"""Follows a request through the resources of a recorded AWS plan, hop by hop, as the services' documentation says.

Nothing here knows the compiler: what is read are inputs of resources by their wire names, and ``${...}`` references
between them. What documentation leaves open is a parameter (`Reading`), so that a test can try every answer.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, Literal
from urllib.parse import unquote_to_bytes, urlsplit

Claims = Mapping[str, Any]
Judge = Callable[[str, str, str, Claims | None], int | None]
"""A Lambda authorizer: (name of its scheme, method, resource path, claims) to 401, 403 or None, which lets through."""


class GraphError(Exception):
    """Resources that do not fit together, or have something in them that this interpreter does not know."""


# -- how a hop reads a path --------------------------------------------------------------------------------------------


def _removed_dots(path: str) -> str:
    kept: list[str] = []
    parts = path[1:].split("/")
    for index, part in enumerate(parts):
        if part not in (".", ".."):
            kept.append(part)
            continue
        if part == ".." and kept:
            kept.pop()
        if index == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def _merged(path: str) -> str:
    return re.sub("/{2,}", "/", path)


def _unescaped(pattern: str) -> Callable[[str], str]:
    found = re.compile(f"%({pattern})", re.IGNORECASE)
    return lambda path: found.sub(lambda match: chr(int(match[1], 16)), path)


_UNRESERVED = "2[de]|3[0-9]|4[1-9a-f]|5[0-9a]|5f|6[1-9a-f]|7[0-9a]|7e"


def _decoded(path: str) -> str:
    return unquote_to_bytes(path).decode("latin-1")


def _without_parameters(path: str) -> str:
    return re.sub(";[^/]*", "", path)


def _slashes_for_backslashes(path: str) -> str:
    return path.replace("\\", "/")


def _without_last_slash(path: str) -> str:
    return path.rstrip("/") or "/"


def _trimmed(path: str) -> str:
    """Without dots and spaces at the ends of segments; a segment of dots alone is a step and stays."""
    return re.sub(r"(?<=[^/. ])(?:[. ]|%20|%2e)+(?=/|$)", "", path, flags=re.IGNORECASE)


def _cut(pattern: str) -> Callable[[str], str]:
    found = re.compile(f"(?:{pattern}).*", re.IGNORECASE | re.DOTALL)
    return lambda path: found.sub("", path) or "/"


def _overlong(path: str) -> str:
    path = re.sub("%c0%ae", ".", path, flags=re.IGNORECASE)
    return re.sub("%c0%af", "/", path, flags=re.IGNORECASE)


def _one_after_another(*steps: Callable[[str], str]) -> Callable[[str], str]:
    def read(path: str) -> str:
        for step in steps:
            path = step(path)
        return path if path.startswith("/") else "/" + path

    return read


_unreserved = _unescaped(_UNRESERVED)
_slashes = _unescaped("2f|5c")

NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "dot segments": _removed_dots,
    "runs of slashes": _merged,
    "escaped unreserved": _unreserved,
    "escaped slashes": _slashes,
    "escaped dots": _unescaped("2e"),
    "all escapes": _decoded,
    "escapes twice": _one_after_another(_decoded, _decoded),
    "parameters": _without_parameters,
    "backslashes": _slashes_for_backslashes,
    "last slash": _without_last_slash,
    "case": str.lower,
    "ends of segments": _trimmed,
    "NUL ends it": _cut("%00|\x00"),
    "escaped ? and # end it": _cut("%3f|%23"),
    "overlong UTF-8": _overlong,
    "RFC 3986": _one_after_another(_unreserved, _removed_dots),
    "escapes, dots": _one_after_another(_decoded, _removed_dots),
    "escapes, slashes, dots": _one_after_another(_decoded, _merged, _removed_dots),
    "dots, escapes": _one_after_another(_removed_dots, _decoded),
    "parameters, escapes, dots": _one_after_another(_without_parameters, _decoded, _merged, _removed_dots),
    "escapes, parameters, dots": _one_after_another(_decoded, _without_parameters, _merged, _removed_dots),
    "backslashes, dots": _one_after_another(_slashes_for_backslashes, _merged, _removed_dots),
    "escapes, backslashes, dots": _one_after_another(_decoded, _slashes_for_backslashes, _merged, _removed_dots),
    "everything": _one_after_another(
        _overlong, _decoded, _decoded, _slashes_for_backslashes, _without_parameters, _merged, _removed_dots,
        _trimmed, _without_last_slash,
    ),
}  # fmt: skip
"""Ways in which some server is known to read a path as another one; each takes and gives a path without a query."""


@dataclass(frozen=True, slots=True)
class Reads:
    """How one hop takes a path: ``matched`` is what it compares, ``sent`` is what it sends on, both of what it got."""

    name: str
    matched: Callable[[str], str]
    sent: Callable[[str], str]


def _same(path: str) -> str:
    return path


LITERAL = Reads("as it stands", _same, _same)

READS: tuple[Reads, ...] = (
    LITERAL,
    *(Reads(f"{name}, sent so", read, read) for name, read in NORMALISERS.items()),
    *(Reads(f"{name}, sent as it came", read, _same) for name, read in NORMALISERS.items()),
    *(Reads(f"{name} only when sent", _same, read) for name, read in NORMALISERS.items()),
)
"""Literal, and each normaliser in three variants: compared and sent, compared only, sent only."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What documentation leaves open.

    first, second: of the first two hops that read the path (a third one, the services' balancer behind a public one, is
    of the first's kind and reads as that does); regex: whether a balancer's regular expression has to match the whole
    path; rewrites: whether a url-rewrite sees the path only, or the path with its query.
    """

    first: Reads = LITERAL
    second: Reads = LITERAL
    regex: Literal["full", "search"] = "full"
    rewrites: Literal["path", "url"] = "path"


AS_IT_STANDS = Reading()
"""Every hop takes a path as it stands."""


# -- requests and outcomes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it leaves the client.

    target: path and query as sent; headers: lower-case names; token: the claims of a good bearer token, or None; client:
    ``internet``, or the short name of a resource that sends it; address: the client's; certificate: whether it shows one.
    """

    method: str
    target: str
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    token: Claims | None = None
    client: str = "internet"
    port: int = 443
    address: str = "203.0.113.9"
    certificate: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a request came to.

    hops: (name, what happened there); status: the answer of a hop, None when a service answers; groups: target groups
    with weights; targets: (id, port) in them; path: with the query, as the service sees it; host: the same; checked:
    what was asked of the caller; dispatch: headers as the last balancer got them; location: of a redirect.
    """

    hops: tuple[tuple[str, str], ...]
    status: int | None
    groups: tuple[tuple[str, int], ...] = ()
    targets: tuple[tuple[str, int], ...] = ()
    path: str = ""
    host: str = ""
    checked: frozenset[str] = frozenset()
    dispatch: Mapping[str, str] = field(default_factory=dict[str, str])
    location: str = ""

    @property
    def group(self) -> str | None:
        """The target group that gets most."""
        return max(self.groups, key=lambda item: item[1])[0] if self.groups else None


@dataclass(frozen=True, slots=True)
class _Message:
    """A request on its way; everything in it can be compared and hashed."""

    method: str
    path: str
    query: str
    host: str
    headers: tuple[tuple[str, str], ...]
    token: str | None
    address: str
    certificate: bool

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    def having(self, name: str, value: str | None) -> "_Message":
        kept = [(key, one) for key, one in self.headers if key != name.lower()]
        kept += [(name.lower(), value)] if value is not None else []
        return replace(self, headers=tuple(sorted(kept)))

    @property
    def claims(self) -> Claims | None:
        return None if self.token is None else json.loads(self.token)


@dataclass(frozen=True, slots=True)
class _Step:
    """What one hop did: an answer (status), or a message for the next place."""

    what: str
    status: int | None = None
    message: _Message | None = None
    next: tuple[Any, ...] = ()
    checked: frozenset[str] = frozenset()
    location: str = ""


# -- resources ---------------------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"\$\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Item:
    """One resource: its short name, its type without package and module, its inputs."""

    short: str
    kind: str
    inputs: Mapping[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        value = self.inputs.get(name)
        return default if value is None else value


class _Wire:
    """Resources by kind, and what references lead to."""

    def __init__(self, resources: Iterable[Any]) -> None:
        self.items: dict[str, Item] = {}
        self._known: dict[str, Item | None] = {}
        for resource in resources:
            if not resource.custom:
                continue
            kind = resource.short.partition(" ")[0]
            self.items[resource.short] = Item(resource.short, kind, resource.inputs)

    def of(self, *kinds: str) -> list[Item]:
        return [item for item in self.items.values() if item.kind in kinds]

    def item(self, value: Any) -> Item | None:
        """The resource that a reference is of, whatever its property."""
        if not isinstance(value, str):
            return None
        if value not in self._known:
            match = _REFERENCE.fullmatch(value)
            text = match[1] if match else ""
            dots = [index for index, char in enumerate(text) if char == "."]
            self._known[value] = next((self.items[text[:at]] for at in dots if text[:at] in self.items), None)
        return self._known[value]

    def must(self, value: Any, what: str) -> Item:
        found = self.item(value)
        if found is None:
            raise GraphError(f"{what} is `{value}`, which is no resource here")
        return found

    def leading_to(self, item: Item, key: str, *kinds: str) -> list[Item]:
        return [other for other in self.of(*kinds) if self.item(other.get(key)) is item]


# -- security groups ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """One end of a connection: ids of its security groups, its addresses where they are known."""

    name: str
    groups: tuple[str, ...] | None
    addresses: tuple[str, ...] = ()
    internet: bool = False


class _Doors:
    """What security groups let through. A side without known groups (a service) is taken to let in what reaches it."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._rules: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        self._known: dict[tuple[_Side, _Side, int], str | None] = {}
        kinds = {"vpc.SecurityGroupIngressRule": "in", "vpc.SecurityGroupEgressRule": "out"}
        for item in wire.of(*kinds):
            group = str(item.get("securityGroupId"))
            self._rules.setdefault((group, kinds[item.kind]), []).append(item.inputs)
        for item in wire.of("ec2.SecurityGroup"):
            if item.get("ingress") or item.get("egress"):
                raise GraphError(f"{item.short} has rules inside, which nothing here reads")

    def refused(self, source: _Side, target: _Side, port: int) -> str | None:
        """Why nothing goes from one to the other on a port (tcp), or None if it does."""
        key = (source, target, port)
        if key not in self._known:
            self._known[key] = self._refused(source, target, port)
        return self._known[key]

    def _refused(self, source: _Side, target: _Side, port: int) -> str | None:
        if source.groups is not None and not any(
            self._lets(rule, target, port) for group in source.groups for rule in self._rules.get((group, "out"), [])
        ):
            return f"no way out of {source.name} to {target.name} on {port}"
        if target.groups is not None and not any(
            self._lets(rule, source, port) for group in target.groups for rule in self._rules.get((group, "in"), [])
        ):
            return f"no way into {target.name} from {source.name} on {port}"
        return None

    def _lets(self, rule: Mapping[str, Any], other: _Side, port: int) -> bool:
        protocol = str(rule.get("ipProtocol"))
        if protocol not in ("tcp", "6", "-1"):
            return False
        if protocol != "-1" and not int(rule.get("fromPort", -1)) <= port <= int(rule.get("toPort", -1)):
            return False
        group = rule.get("referencedSecurityGroupId")
        if group is not None:
            return other.groups is not None and group in other.groups
        return any(_inside(rule[key], other) for key in ("cidrIpv4", "cidrIpv6") if rule.get(key) is not None)


def _inside(cidr: str, other: _Side) -> bool:
    try:
        network = ip_network(cidr)
    except ValueError:
        return not other.internet  # a network that only the cloud knows: its own
    if network.prefixlen == 0:
        return True
    if not other.addresses:
        return not other.internet and network.is_private
    known = [ip_address(text) for text in other.addresses]
    return any(address.version == network.version and address in network for address in known)


# -- patterns ----------------------------------------------------------------------------------------------------------


@cache
def _regex(text: str) -> re.Pattern[str]:
    """RE2's ``$`` is the end of the text, where Python's also stands before a last line break."""
    found, inside, escaped = "", False, False
    for char in text:
        piece = char
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "[":
            inside = True
        elif char == "]":
            inside = False
        elif char == "$" and not inside:
            piece = r"\Z"
        found += piece
    return re.compile(found)


@cache
def _wildcard(text: str, fold: bool) -> re.Pattern[str]:
    found = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text) and text[at + 1] in "*?\\":
            at += 1
            found += re.escape(text[at])
        else:
            found += {"*": ".*", "?": "."}.get(char, re.escape(char))
        at += 1
    return re.compile(found, re.DOTALL | (re.IGNORECASE if fold else 0))


def _fits(values: Sequence[str], text: str, *, fold: bool) -> bool:
    return any(_wildcard(value, fold).fullmatch(text) for value in values)


# -- web ACLs ----------------------------------------------------------------------------------------------------------

_TRANSFORMS: Mapping[str, Callable[[str], str]] = {
    "NONE": _same,
    "URL_DECODE": _decoded,
    "LOWERCASE": str.lower,
    "NORMALIZE_PATH": _one_after_another(_merged, _removed_dots),
}

_COUNTED = ("rateBasedStatement", "managedRuleGroupStatement", "ruleGroupReferenceStatement")
"""Statements that depend on more than the request; they can only refuse more."""


class _Acl:
    """A web ACL: rules by priority; the first with an action that ends decides."""

    def __init__(self, wire: _Wire, item: Item) -> None:
        self._wire = wire
        self._item = item
        self._rules = [
            (rule["name"], rule["action"], self._statement(rule["statement"]))
            for rule in sorted(item.get("rules", []), key=lambda rule: rule["priority"])
            if rule.get("action") is not None and not set(_COUNTED) & set(rule["statement"])
        ]

    def status(self, message: _Message) -> tuple[int | None, str]:
        """The answer, or None when it lets through; and the name of the rule."""
        for name, action, holds in self._rules:
            if not holds(message):
                continue
            if "block" in action:
                own = (action["block"] or {}).get("customResponse") or {}
                return int(own.get("responseCode", 403)), name
            if "allow" in action:
                return None, name
        default = self._item.get("defaultAction", {})
        return (403, "default") if "block" in default else (None, "default")

    def _statement(self, statement: Mapping[str, Any]) -> Callable[[_Message], bool]:
        kind, inner = _only(statement, f"a statement of {self._item.short}")
        match kind:
            case "orStatement":
                some = [self._statement(one) for one in inner["statements"]]
                return lambda message: any(one(message) for one in some)
            case "andStatement":
                every = [self._statement(one) for one in inner["statements"]]
                return lambda message: all(one(message) for one in every)
            case "notStatement":
                listed = inner.get("statements") or inner.get("statement")
                negated = self._statement(listed[0] if isinstance(listed, list) else listed)
                return lambda message: not negated(message)
            case "ipSetReferenceStatement":
                texts = self._wire.must(inner["arn"], "an address set").get("addresses", [])
                networks = [ip_network(text) for text in texts]
                return lambda message: _within(message.address, networks)
            case _:
                part, test = self._part(inner), self._test(kind, inner)
                return lambda message: test(part(message))

    def _test(self, kind: str, inner: Mapping[str, Any]) -> Callable[[str], bool]:
        steps = sorted(inner["textTransformations"], key=lambda one: one["priority"])
        unknown = [one["type"] for one in steps if one["type"] not in _TRANSFORMS]
        if unknown:
            raise GraphError(f"{self._item.short} has the transformation {unknown[0]}")
        made = [_TRANSFORMS[one["type"]] for one in steps]
        compare = self._comparison(kind, inner)

        def test(text: str) -> bool:
            for step in made:
                text = step(text)
            return compare(text)

        return test

    def _comparison(self, kind: str, inner: Mapping[str, Any]) -> Callable[[str], bool]:
        match kind:
            case "regexMatchStatement":
                pattern = _regex(inner["regexString"])
                return lambda text: pattern.search(text) is not None
            case "regexPatternSetReferenceStatement":
                listed = self._wire.must(inner["arn"], "a pattern set").get("regularExpressions", [])
                patterns = [_regex(one["regexString"]) for one in listed]
                return lambda text: any(one.search(text) for one in patterns)
            case "byteMatchStatement":
                return lambda text: _bytes_match(inner["positionalConstraint"], inner["searchString"], text)
            case "sizeConstraintStatement":
                return lambda text: _compares(inner["comparisonOperator"], len(text), int(inner["size"]))
            case other:
                raise GraphError(f"{self._item.short} has a {other}")

    def _part(self, inner: Mapping[str, Any]) -> Callable[[_Message], str]:
        kind, found = _only(inner["fieldToMatch"], f"a part of {self._item.short}")
        match kind:
            case "uriPath":
                return lambda message: message.path
            case "method":
                return lambda message: message.method
            case "queryString":
                return lambda message: message.query
            case "singleHeader":
                return lambda message: message.header(found["name"]) or ""
            case other:
                raise GraphError(f"{self._item.short} looks at {other}")


def _only(given: Mapping[str, Any], what: str) -> tuple[str, Any]:
    """The one key that has a value."""
    found = [(key, value) for key, value in given.items() if value is not None]
    if len(found) != 1:
        raise GraphError(f"{what} has {[key for key, _ in found]}")
    return found[0]


def _within(address: str, networks: Sequence[Any]) -> bool:
    one = ip_address(address)
    return any(one.version == network.version and one in network for network in networks)


def _bytes_match(how: str, wanted: str, text: str) -> bool:
    return {
        "EXACTLY": text == wanted,
        "STARTS_WITH": text.startswith(wanted),
        "ENDS_WITH": text.endswith(wanted),
        "CONTAINS": wanted in text,
        "CONTAINS_WORD": re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None,
    }[how]


def _compares(how: str, size: int, limit: int) -> bool:
    return {
        "EQ": size == limit, "NE": size != limit, "LE": size <= limit,
        "LT": size < limit, "GE": size >= limit, "GT": size > limit,
    }[how]  # fmt: skip


# -- tokens ------------------------------------------------------------------------------------------------------------


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def _has_claim(claims: Claims, wanted: Mapping[str, Any]) -> bool:
    """One of ``additionalClaims`` of a balancer (facts: several values of a list are one of them, of words all)."""
    value = claims.get(wanted["name"])
    values = wanted["values"]
    if value is None:
        return False
    if wanted["format"] == "single-string":
        return isinstance(value, str) and value in values
    if wanted["format"] == "string-array":
        return isinstance(value, list | tuple) and bool(set(_texts(value)) & set(values))
    return set(values) <= set(str(value).split())


def _scopes(claims: Claims) -> set[str]:
    value = claims.get("scope", claims.get("scp", ""))
    return set(str(value).split()) if isinstance(value, str) else set(_texts(value))


# -- load balancers ----------------------------------------------------------------------------------------------------


class _Balancer:
    """An Application Load Balancer with its listeners and rules."""

    def __init__(self, wire: _Wire, item: Item) -> None:
        self._wire = wire
        self.item = item
        self.internal = bool(item.get("internal", False))
        self.side = _Side(item.short, tuple(item.get("securityGroups", [])))
        self.listeners = {
            int(one.get("port")): one for one in wire.leading_to(item, "loadBalancerArn", "lb.Listener", "alb.Listener")
        }
        self._rules = {
            one.short: [
                (rule, [self._condition(condition) for condition in rule.get("conditions", [])])
                for rule in sorted(
                    wire.leading_to(one, "listenerArn", "lb.ListenerRule", "alb.ListenerRule"),
                    key=lambda rule: int(rule.get("priority")),
                )
            ]
            for one in self.listeners.values()
        }
        associations = wire.of("wafv2.WebAclAssociation")
        self.acls = [
            _Acl(wire, wire.must(one.get("webAclArn"), "a web ACL"))
            for one in associations
            if wire.item(one.get("resourceArn")) is item
        ]

    def step(self, port: int, message: _Message, reads: Reads, reading: Reading) -> _Step:
        """What the balancer does with a request on one of its ports."""
        listener = self.listeners.get(port)
        if listener is None:
            return _Step(f"nothing listens on {port}", 0)
        for acl in self.acls:
            status, name = acl.status(message)
            if status is not None:
                return _Step(f"web ACL: {name}", status)
        mutual = listener.get("mutualAuthentication", {})
        if mutual.get("mode") == "verify" and not message.certificate:
            return _Step("no client certificate", 0)
        path = reads.matched(message.path)
        for rule, tests in self._rules[listener.short]:
            if all(holds(message, path, reading.regex) for holds in tests):
                return self._act(
                    rule.short, rule.get("actions", []), rule.get("transforms", []), message, reads, reading
                )
        return self._act(listener.short, listener.get("defaultActions", []), [], message, reads, reading)

    def _condition(self, condition: Mapping[str, Any]) -> Callable[[_Message, str, str], bool]:
        """A test of a message, its path as it is read, and the mode of regular expressions."""
        kind, inner = _only(condition, f"a condition of {self.item.short}")
        match kind:
            case "pathPattern":
                path_of = _either(inner, fold=False)
                return lambda _, path, mode: path_of(path, mode)
            case "hostHeader":
                host_of = _either(inner, fold=True)
                return lambda message, _, mode: host_of(message.host.lower(), mode)
            case "httpHeader":
                value_of, name = _either(inner, fold=True), inner["httpHeaderName"]
                return lambda message, _, mode: value_of(message.header(name), mode)
            case "httpRequestMethod":
                methods = frozenset(inner["values"])
                return lambda message, _path, _mode: message.method in methods
            case "sourceIp":
                networks = [ip_network(one) for one in inner["values"]]
                return lambda message, _path, _mode: _within(message.address, networks)
            case "queryStrings":
                return lambda message, _path, _mode: any(_in_query(one, message.query) for one in inner)
            case other:
                raise GraphError(f"{self.item.short} has a condition {other}")

    def _act(
        self,
        name: str,
        actions: Sequence[Mapping[str, Any]],
        transforms: Sequence[Mapping[str, Any]],
        message: _Message,
        reads: Reads,
        reading: Reading,
    ) -> _Step:
        checked: set[str] = set()
        for action in sorted(actions, key=lambda one: int(one.get("order") or 0)):
            match action["type"]:
                case "jwt-validation":
                    wanted = action["jwtValidation"]
                    if not _balancer_takes(wanted, message.claims):
                        return _Step(f"{name}: token", 401)
                    checked.add(f"jwt {wanted['issuer']}")
                case "authenticate-oidc":
                    wanted = action["authenticateOidc"]
                    if message.claims is None or message.claims.get("iss") != wanted["issuer"]:
                        deny = wanted.get("onUnauthenticatedRequest") == "deny"
                        return _Step(f"{name}: login", 401 if deny else 302)
                    checked.add(f"oidc {wanted['issuer']}")
                case "fixed-response":
                    status = int(action["fixedResponse"]["statusCode"])
                    return _Step(name, status, checked=frozenset(checked))
                case "redirect":
                    to = action["redirect"]
                    status = int(to["statusCode"].removeprefix("HTTP_"))
                    return _Step(name, status, checked=frozenset(checked), location=_location(to, message))
                case "forward":
                    groups = tuple(self._groups(action))
                    path, query, host = _transformed(transforms, message, reads, reading)
                    sent = replace(message, path=path, query=query, host=host)
                    return _Step(name, None, sent, groups, frozenset(checked))
                case _:
                    raise GraphError(f"{name} has an action {action['type']}")
        raise GraphError(f"{name} has no action that ends")

    def _groups(self, action: Mapping[str, Any]) -> Iterator[tuple[Item | str, int]]:
        inner = action.get("forward") or {}
        listed: list[dict[str, Any]] = inner.get("targetGroups") or [{"arn": action.get("targetGroupArn")}]
        for one in listed:
            yield self._wire.item(one["arn"]) or str(one["arn"]), int(one.get("weight", 1))


def _either(inner: Mapping[str, Any], *, fold: bool) -> Callable[[str | None, str], bool]:
    """Whether a text fits one of the values or regular expressions, in the mode; a text that is not there does not."""
    wild = [_wildcard(value, fold) for value in inner.get("values") or ()]
    patterns = [_regex(value) for value in inner.get("regexValues") or ()]

    def test(text: str | None, mode: str) -> bool:
        if text is None:
            return False
        if any(one.fullmatch(text) for one in wild):
            return True
        return any(one.fullmatch(text) if mode == "full" else one.search(text) for one in patterns)

    return test


def _in_query(wanted: Mapping[str, Any], query: str) -> bool:
    for part in query.split("&"):
        key, _, value = part.partition("=")
        same = wanted.get("key") is None or _fits([wanted["key"]], key, fold=True)
        if part and same and _fits([wanted["value"]], value, fold=True):
            return True
    return False


def _balancer_takes(wanted: Mapping[str, Any], claims: Claims | None) -> bool:
    return (
        claims is not None
        and claims.get("iss") == wanted["issuer"]
        and all(_has_claim(claims, one) for one in wanted.get("additionalClaims") or ())
    )


def _transformed(
    transforms: Sequence[Mapping[str, Any]], message: _Message, reads: Reads, reading: Reading
) -> tuple[str, str, str]:
    path, query, host = reads.sent(message.path), message.query, message.host
    for transform in transforms:
        kind = transform["type"]
        if kind == "host-header-rewrite":
            host = _replaced(transform["hostHeaderRewriteConfig"]["rewrite"], host)
        elif kind == "url-rewrite":
            rewrite = transform["urlRewriteConfig"]["rewrite"]
            if reading.rewrites == "path" or not query:
                path = _replaced(rewrite, path)
            else:
                path, _, query = _replaced(rewrite, f"{path}?{query}").partition("?")
        else:
            raise GraphError(f"a transform is a {kind}")
    return path, query, host


def _replaced(rewrite: Mapping[str, str], text: str) -> str:
    """The text with the first match replaced; unchanged where there is none (facts, section 3)."""
    found = _regex(rewrite["regex"]).search(text)
    if found is None:
        return text
    new = re.sub(r"\$(\$|\d)", lambda part: "$" if part[1] == "$" else found[int(part[1])] or "", rewrite["replace"])
    return text[: found.start()] + new + text[found.end() :]


def _location(to: Mapping[str, str], message: _Message) -> str:
    own = {"path": message.path[1:], "query": message.query, "host": message.host, "protocol": "https", "port": "443"}

    def filled(key: str, default: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda match: own[match[1]], to.get(key) or default)

    query = filled("query", "#{query}")
    at = f"{filled('protocol', '#{protocol}').lower()}://{filled('host', '#{host}')}"
    return f"{at}:{filled('port', '#{port}')}{filled('path', '/#{path}')}" + (f"?{query}" if query else "")


# -- APIs --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict[str, "_Node"])
    variable: "tuple[str, _Node] | None" = None
    greedy: "tuple[str, _Node] | None" = None
    path: str = ""
    operations: Mapping[str, Any] | None = None


_ANY = "x-amazon-apigateway-any-method"
_HEADER, _IN_PATH = "integration.request.header.", "integration.request.path."


class _Api:
    """A REST or HTTP API: its body as a tree in which nothing ever goes back."""

    def __init__(self, wire: _Wire, item: Item, judge: Judge | None) -> None:
        self._wire = wire
        self._judge = judge
        self.item = item
        self.rest = item.kind == "apigateway.RestApi"
        body: Any = item.get("body")
        self.body: Mapping[str, Any] = json.loads(body) if isinstance(body, str) else body
        self.private = (item.get("endpointConfiguration") or {}).get("types") == "PRIVATE"
        self.open = not item.get("disableExecuteApiEndpoint", False)
        self.policy: Mapping[str, Any] | None = json.loads(item.get("policy")) if item.get("policy") else None
        self.stages = [
            str(stage.get("stageName" if self.rest else "name"))
            for stage in wire.leading_to(
                item, "restApi" if self.rest else "apiId", "apigateway.Stage", "apigatewayv2.Stage"
            )
        ]
        self.acls = [
            _Acl(wire, wire.must(one.get("webAclArn"), "a web ACL"))
            for one in wire.of("wafv2.WebAclAssociation")
            if (stage := wire.item(one.get("resourceArn"))) is not None
            and stage.kind == "apigateway.Stage"
            and wire.item(stage.get("restApi")) is item
        ]
        self.keyed = any(
            wire.item(stage.get("apiId")) is item
            for plan in wire.of("apigateway.UsagePlan")
            for stage in plan.get("apiStages", [])
        )
        self._root = _Node()
        for path, operations in self.body["paths"].items():
            self._insert(path, operations)

    def _insert(self, path: str, operations: Mapping[str, Any]) -> None:
        node = self._root
        for segment in path[1:].split("/") if path != "/" else []:
            if segment.endswith("+}"):
                node.greedy = node.greedy or (segment[1:-2], _Node())
                name, node = node.greedy
            elif segment.startswith("{"):
                node.variable = node.variable or (segment[1:-1], _Node())
                name, node = node.variable
            else:
                node = node.literals.setdefault(segment, _Node())
                continue
            if name != segment.strip("{}+"):
                raise GraphError(f"{self.item.short}: a level of {path} has the variables {name} and {segment}")
        node.path, node.operations = path, operations

    def step(self, message: _Message, reads: Reads) -> _Step:
        """What the API does with a request whose path is already without the stage or base path."""
        for acl in self.acls:
            status, name = acl.status(message)
            if status is not None:
                return _Step(f"web ACL: {name}", status)
        asks = message.header("origin") is not None and message.header("access-control-request-method") is not None
        if not self.rest and message.method == "OPTIONS" and asks and self.body.get("x-amazon-apigateway-cors"):
            return _Step("preflight", 204)
        found = self._find(reads.matched(message.path))
        operation = None
        if found is not None:
            node, values = found
            operation = (node.operations or {}).get(message.method.lower()) or (node.operations or {}).get(_ANY)
        if found is None or operation is None:
            return _Step("no such route", self._status("MISSING_AUTHENTICATION_TOKEN", 403) if self.rest else 404)
        node, values = found
        refused, checked = self._secured(operation, message, node.path)
        if refused is not None:
            return _Step(f"{node.path}: refused", refused)
        integration = self._resolved(operation["x-amazon-apigateway-integration"])
        if integration["type"] == "mock":
            answer = (integration.get("responses") or {}).get("default", {})
            return _Step(f"{node.path}: mock", int(answer.get("statusCode", 200)), checked=checked)
        if integration["type"] != "http_proxy" or integration.get("connectionType") != "VPC_LINK":
            raise GraphError(f"{self.item.short} {node.path}: an integration {integration['type']}")
        link = self._wire.must(integration["connectionId"], f"the link of {node.path}")
        make = self._to_target if self.rest else self._to_listener
        sent, balancer, port, secure = make(integration, message, reads, values)
        return _Step(node.path, None, sent, (link, balancer, port, secure), checked)

    def _find(self, path: str) -> tuple[_Node, dict[str, str]] | None:
        node, values = self._root, dict[str, str]()
        segments = path[1:].split("/") if path != "/" else []
        for index, segment in enumerate(segments):
            if segment in node.literals:
                node = node.literals[segment]
            elif node.variable is not None and segment:
                values[node.variable[0]] = segment
                node = node.variable[1]
            elif node.greedy is not None:
                values[node.greedy[0]] = "/".join(segments[index:])
                return node.greedy[1], values
            else:
                return None
        return (node, values) if node.operations is not None else None

    def _status(self, name: str, default: int) -> int:
        own = self.body.get("x-amazon-apigateway-gateway-responses", {}).get(name, {})
        return int(own.get("statusCode", default))

    def _resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in value:
            return value
        found: Any = self.body
        for part in str(value["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        return found

    def _secured(self, operation: Mapping[str, Any], message: _Message, path: str) -> tuple[int | None, frozenset[str]]:
        """A status that refuses, and what was asked for. Root-level security is ignored by the import (facts)."""
        checked: set[str] = set()
        for requirement in operation.get("security") or ():
            for name, scopes in requirement.items():
                scheme = self.body["components"]["securitySchemes"][name]
                refused = self._asked(name, scheme, scopes, message, path)
                if refused is not None:
                    return refused, frozenset()
                checked.add(name)
        return None, frozenset(checked)

    def _asked(
        self, name: str, scheme: Mapping[str, Any], scopes: Sequence[str], message: _Message, path: str
    ) -> int | None:
        authorizer = scheme.get("x-amazon-apigateway-authorizer")
        if authorizer is None:
            if not self.rest or scheme.get("name") != "x-api-key":
                raise GraphError(f"{self.item.short}: the scheme {name} asks for nothing")
            good = self.keyed and message.header("x-api-key") == "good"
            return None if good else self._status("INVALID_API_KEY", 403)
        claims = message.claims
        if claims is None:
            return self._status("UNAUTHORIZED", 401)
        if authorizer["type"] == "jwt":
            wanted = authorizer["jwtConfiguration"]
            named = _texts(claims.get("aud", claims.get("client_id", "")))
            if claims.get("iss") != wanted["issuer"] or not set(named) & set(wanted["audience"]):
                return 401
            return None if not scopes or _scopes(claims) & set(scopes) else 403
        if authorizer["type"] == "cognito_user_pools":
            pools = [str(arn).rpartition("/")[2] for arn in authorizer["providerARNs"]]
            if not any(str(claims.get("iss", "")).endswith(f"/{pool}") for pool in pools):
                return self._status("UNAUTHORIZED", 401)
            return None if not scopes or _scopes(claims) & set(scopes) else self._status("ACCESS_DENIED", 403)
        if authorizer["type"] == "request" and self._judge is not None:
            return self._judge(name, message.method, path, claims)
        raise GraphError(f"{self.item.short}: nobody judges for {name}")

    def _to_target(
        self, integration: Mapping[str, Any], message: _Message, reads: Reads, values: Mapping[str, str]
    ) -> tuple[_Message, Item, int, str]:
        """A REST API's way on: the address gives port, Host and path, and the target the balancer."""
        balancer = self._wire.must(integration.get("integrationTarget"), f"the target of {integration['uri']}")
        parts = urlsplit(integration["uri"])
        filled: dict[str, str] = {}
        sent = message
        for key, source in (integration.get("requestParameters") or {}).items():
            if key.startswith(_IN_PATH):
                filled[key.removeprefix(_IN_PATH)] = values[source.rpartition(".")[2]]
            elif key.startswith(_HEADER) and source.startswith("'"):
                sent = sent.having(key.removeprefix(_HEADER), source[1:-1].replace("\\'", "'"))
        path = re.sub(r"\{(\w+)\}", lambda match: filled[match[1]], parts.path) or "/"
        port = parts.port or (443 if parts.scheme == "https" else 80)
        sent = replace(sent, path=reads.sent(path), host=parts.hostname or "")
        return sent, balancer, port, (parts.hostname or "") if parts.scheme == "https" else ""

    def _to_listener(
        self, integration: Mapping[str, Any], message: _Message, reads: Reads, values: Mapping[str, str]
    ) -> tuple[_Message, Item, int, str]:
        """An HTTP API's way on: the listener is named, and the path is the request's unless it is overwritten."""
        listener = self._wire.must(integration["uri"], "the listener of an integration")
        balancer = self._wire.must(listener.get("loadBalancerArn"), f"the balancer of {listener.short}")
        sent, path = message, message.path
        for key, value in (integration.get("requestParameters") or {}).items():
            how, _, what = key.partition(":")
            if what == "path" and how == "overwrite":
                path = re.sub(r"\$request\.path\.(\w+)", lambda match: values[match[1]], value)
                path = path.replace("$request.path", message.path)
            elif what.startswith("header."):
                name = what.removeprefix("header.")
                before = sent.header(name)
                new = {"overwrite": value, "remove": None, "append": f"{before},{value}" if before else value}[how]
                sent = sent.having(name, new)
            else:
                raise GraphError(f"{self.item.short}: a mapping {key}")
        secure = (integration.get("tlsConfig") or {}).get("serverNameToVerify", "")
        return replace(sent, path=reads.sent(path)), balancer, int(listener.get("port")), secure


def policy_allows(policy: Mapping[str, Any] | None, endpoint: str | None) -> bool:
    """Whether a resource policy lets a call through. endpoint: the id of the interface endpoint, None from outside."""
    if policy is None:
        return True
    effects = [one["Effect"] for one in policy["Statement"] if _applies(one, endpoint)]
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Any], endpoint: str | None) -> bool:
    found = True
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, value in tests.items():
            if key.lower() != "aws:sourcevpce" or operator not in ("StringEquals", "StringNotEquals"):
                raise GraphError(f"a policy asks for {operator} {key}")
            # A key that is not in the request: StringEquals fails, StringNotEquals holds.
            same = endpoint is not None and endpoint in _texts(value)
            found = found and same == (operator == "StringEquals")
    return found


# -- the graph ---------------------------------------------------------------------------------------------------------


class Graph:
    """The resources of a plan as a way of requests.

    resources: as `edgewright.plan.model.Resource`; judge: answers for Lambda authorizers, whose code is not in a plan.
    """

    def __init__(self, resources: Iterable[Any], judge: Judge | None = None) -> None:
        self.wire = _Wire(resources)
        self._doors = _Doors(self.wire)
        self._balancers = {
            item.short: _Balancer(self.wire, item) for item in self.wire.of("lb.LoadBalancer", "alb.LoadBalancer")
        }
        apis = [*self.wire.of("apigateway.RestApi"), *self.wire.of("apigatewayv2.Api")]
        self._apis = {item.short: _Api(self.wire, item, judge) for item in apis if item.get("body") is not None}
        self._endpoints = {
            str(one["ipv4"]): item
            for item in self.wire.of("ec2.VpcEndpoint")
            for one in item.get("subnetConfigurations", [])
        }
        self._targets: dict[str, list[tuple[str, int]]] = {}
        for item in self.wire.of("lb.TargetGroupAttachment", "alb.TargetGroupAttachment"):
            group = self.wire.item(item.get("targetGroupArn"))
            if group is not None:
                port = int(item.get("port") or group.get("port") or 0)
                self._targets.setdefault(group.short, []).append((str(item.get("targetId")), port))
        self._memo: dict[Any, _Step] = {}

    # what there is

    @property
    def balancers(self) -> Mapping[str, bool]:
        """Load balancers by short name, and whether they are internal."""
        return {name: one.internal for name, one in self._balancers.items()}

    @property
    def apis(self) -> tuple[str, ...]:
        """APIs by short name."""
        return tuple(self._apis)

    def targets(self, group: str) -> tuple[tuple[str, int], ...]:
        """(id, port) of what is in a target group."""
        return tuple(sorted(self._targets.get(group, ())))

    @property
    def endpoint_addresses(self) -> Mapping[str, str]:
        """Fixed addresses of interface endpoints, with the short name of each endpoint."""
        return {address: item.short for address, item in self._endpoints.items()}

    # following

    def send(self, request: Request, reading: Reading = AS_IT_STANDS, *, at: str | None = None) -> Outcome:
        """Where a request comes to. at: a short name or address to knock at, else what the internet finds."""
        return next(self.outcomes(request, (reading.first,), (reading.second,), reading, at=at))[2]

    def outcomes(
        self,
        request: Request,
        first: tuple[Reads, ...],
        second: tuple[Reads, ...],
        reading: Reading = AS_IT_STANDS,
        *,
        at: str | None = None,
    ) -> Iterator[tuple[Reads, Reads | None, Outcome]]:
        """The outcome for each pair of readings that make a difference (those of `reading` itself are left aside).

        Readings that take the same path for the same are tried once; the second is None where no second hop was reached.
        """
        path, _, query = request.target.partition("?")
        headers = tuple(sorted((name.lower(), value) for name, value in request.headers.items()))
        token = None if request.token is None else json.dumps(request.token, sort_keys=True)
        message = _Message(
            request.method, path, query, request.host, headers, token, request.address, request.certificate
        )
        place, refused = self._entrance(request, at)
        if refused:
            yield first[0], None, Outcome((refused,), 0)
            return
        start = _Way((), message, place, frozenset())
        for alike in _alike(first, path):
            way = self._advance(start, alike[0], reading)
            if isinstance(way, Outcome):
                yield alike[0], None, way
                continue
            for others in _alike(second, way.message.path):
                after = self._advance(way, others[0], reading)
                for outcome, reads in self._to_the_end(after, alike, reading):
                    yield reads, others[0], outcome

    def _to_the_end(
        self, way: "_Way | Outcome", reads: tuple[Reads, ...], reading: Reading
    ) -> Iterator[tuple[Outcome, Reads]]:
        """The hops after the second, which read as the first does; readings alike to that may differ here."""
        if isinstance(way, Outcome):
            yield way, reads[0]
            return
        for alike in _alike(reads, way.message.path):
            yield from self._to_the_end(self._advance(way, alike[0], reading), alike, reading)

    def _entrance(self, request: Request, at: str | None) -> tuple[tuple[Any, ...], tuple[str, str] | None]:
        side = self._client(request)
        if at is None:
            public = [one for one in self._balancers.values() if not one.internal]
            if public:
                return self._at_balancer(public[0], side, request.port)
            return ("front", None), None
        if at in self._balancers:
            return self._at_balancer(self._balancers[at], side, request.port)
        if at in self._apis or at == "front":
            return ("front", None), None
        if at in self._endpoints:
            item = self._endpoints[at]
            refused = (
                "a private address" if side.internet else self._doors.refused(side, self._side(item), request.port)
            )
            return ("endpoint", item), (item.short, refused) if refused else None
        known = [name for name, targets in self._targets.items() if any(one == at for one, _ in targets)]
        if not known:
            raise GraphError(f"there is no `{at}`")
        return (), (at, "a private address") if side.internet and ip_address(at).is_private else None

    def _at_balancer(
        self, balancer: _Balancer, side: _Side, port: int
    ) -> tuple[tuple[Any, ...], tuple[str, str] | None]:
        name = balancer.item.short
        if balancer.internal and side.internet:
            return (), (name, "an internal balancer has private addresses")
        refused = self._doors.refused(side, balancer.side, port)
        return ("balancer", balancer, port), (name, refused) if refused else None

    def _client(self, request: Request) -> _Side:
        if request.client == "internet":
            return _Side("internet", None, (request.address,), internet=True)
        return self._side(self.wire.items[request.client])

    def _side(self, item: Item) -> _Side:
        groups = tuple(item.get("securityGroups") or item.get("securityGroupIds") or ())
        addresses = tuple(address for address, one in self._endpoints.items() if one is item)
        return _Side(item.short, groups, addresses)

    def _advance(self, way: "_Way", reads: Reads, reading: Reading) -> "_Way | Outcome":
        """Through the next hop that reads the path, and all that follows from it."""
        match way.place:
            case ("balancer", balancer, port):
                key = (
                    balancer.item.short,
                    port,
                    way.message,
                    *_both(reads, way.message.path),
                    reading.regex,
                    reading.rewrites,
                )
                step = self._memo.get(key) or balancer.step(port, way.message, reads, reading)
                self._memo[key] = step
                return self._from_balancer(way, balancer, step)
            case ("endpoint", item):
                return self._through_endpoint(way, item, reads)
            case ("front", _):
                return self._through_front(way, reads)
            case other:
                raise GraphError(f"no place {other}")

    def _from_balancer(self, way: "_Way", balancer: _Balancer, step: _Step) -> "_Way | Outcome":
        name = balancer.item.short
        if step.message is None:
            return way.ended(name, step)
        hops = (*way.hops, (name, step.what))
        checked = way.checked | step.checked
        groups = [(group if isinstance(group, str) else group.short, weight) for group, weight in step.next]
        targets = tuple(sorted(target for group, _ in groups for target in self._targets.get(group, ())))
        endpoints = {self._endpoints[address].short for address, _ in targets if address in self._endpoints}
        if endpoints and not all(address in self._endpoints for address, _ in targets):
            raise GraphError(f"{name}: a rule leads to endpoints and to services")
        for address, port in targets:
            side = self._side(self._endpoints[address]) if address in self._endpoints else _service(address)
            refused = self._doors.refused(balancer.side, side, port)
            if refused:
                return Outcome((*hops, (address, refused)), 504, checked=checked)
        if endpoints:
            secure = {str(self.wire.items[group].get("protocol")) for group, _ in groups}
            if secure != {"HTTPS"}:
                return Outcome((*hops, (endpoints.pop(), "speaks HTTPS only")), 502, checked=checked)
            return _Way(hops, step.message, ("endpoint", self.wire.items[endpoints.pop()]), checked)
        path = step.message.path + (f"?{step.message.query}" if step.message.query else "")
        return Outcome(
            (*hops, ("services", ", ".join(group for group, _ in groups))),
            None,
            tuple(groups),
            targets,
            path,
            step.message.host,
            checked,
            dict(way.message.headers),
        )

    # through API Gateway

    def _through_endpoint(self, way: "_Way", item: Item, reads: Reads) -> "_Way | Outcome":
        token = f"${{{item.short}.id}}"
        found = self._named(way.message, item) or self._default_name(way.message, private=True)
        if found is None:
            return Outcome((*way.hops, (item.short, f"no API is called {way.message.host}")), 403, checked=way.checked)
        api, base, what = found
        if not policy_allows(api.policy, token):
            return Outcome((*way.hops, (item.short, f"{api.item.short}: policy")), 403, checked=way.checked)
        return self._through_api(way.after(item.short, what), api, base, reads)

    def _through_front(self, way: "_Way", reads: Reads) -> "_Way | Outcome":
        found = self._named(way.message, None) or self._default_name(way.message, private=False)
        if found is None:
            return Outcome((*way.hops, ("internet", f"no name {way.message.host}")), 0)
        api, base, what = found
        if not policy_allows(api.policy, None):
            return Outcome((*way.hops, (api.item.short, "policy")), 403)
        return self._through_api(way.after("internet", what), api, base, reads)

    def _through_api(self, way: "_Way", api: _Api, base: str, reads: Reads) -> "_Way | Outcome":
        """base: what of the path comes before the API's own: empty, or ``/live``; it is compared as the path is read."""
        raw, read = way.message.path, reads.matched(way.message.path)
        if base:
            if not (read + "/").startswith(base + "/"):
                return Outcome(
                    (*way.hops, (api.item.short, f"no stage or base path in {read}")), 403, checked=way.checked
                )
            raw = raw[len(base) :] or "/" if (raw + "/").startswith(base + "/") else raw
            read = read[len(base) :] or "/"
        own = Reads(reads.name, lambda _: read, reads.sent)
        message = replace(way.message, path=raw)
        key = (api.item.short, message, read, reads.name if reads.sent is not _same else "")
        step = self._memo.get(key) or api.step(message, own)
        self._memo[key] = step
        if step.message is None:
            return way.ended(api.item.short, step)
        link, balancer, port, secure = step.next
        after = way.after(api.item.short, step.what)
        checked = way.checked | step.checked
        one = self._balancers[balancer.short]
        refused = self._doors.refused(self._side(link), one.side, port) or _tls_problem(one, port, secure)
        if refused:
            return Outcome((*after.hops, (link.short, refused)), 503, checked=checked)
        hops = (*after.hops, (link.short, f"to {balancer.short} on {port}"))
        return _Way(hops, step.message, ("balancer", one, port), checked)

    def _named(self, message: _Message, endpoint: Item | None) -> tuple[_Api, str, str] | None:
        """The API, base path and words for a custom domain. endpoint: through which it is asked, None from the internet."""
        for domain in self.wire.of("apigateway.DomainName", "apigatewayv2.DomainName"):
            if _host(message.host) != str(domain.get("domainName")).lower():
                continue
            private = (domain.get("endpointConfiguration") or {}).get("types") == "PRIVATE"
            if private and (endpoint is None or not self._associated(domain, endpoint)):
                continue
            policy = json.loads(domain.get("policy")) if domain.get("policy") else None
            if private and not policy_allows(policy, f"${{{endpoint.short}.id}}" if endpoint else None):
                continue
            found = self._mapped(domain, message.path, private=private)
            if found is not None:
                return (*found, f"{domain.short}")
        return None

    def _associated(self, domain: Item, endpoint: Item) -> bool:
        return any(
            self.wire.item(one.get("domainNameArn")) is domain
            and self.wire.item(one.get("accessAssociationSource")) is endpoint
            for one in self.wire.of("apigateway.DomainNameAccessAssociation")
        )

    def _mapped(self, domain: Item, path: str, *, private: bool) -> tuple[_Api, str] | None:
        best: tuple[_Api, str] | None = None
        for one in self.wire.of("apigateway.BasePathMapping", "apigatewayv2.ApiMapping"):
            name = one.get("domainName")
            if self.wire.item(name) is not domain and name != domain.get("domainName"):
                continue
            if private and self.wire.item(one.get("domainNameId")) is not domain:
                continue  # several private domains may have one name, and only the id tells them apart
            api = self._apis[self.wire.must(one.get("restApi") or one.get("apiId"), one.short).short]
            stage = self._text(one.get("stageName") or one.get("stage"))
            if stage not in api.stages:
                raise GraphError(f"{one.short} names the stage {stage}; there are {api.stages}")
            base = str(one.get("basePath") or one.get("apiMappingKey") or "")
            base = f"/{base}" if base else ""
            if (path + "/").startswith(base + "/") and (best is None or len(base) > len(best[1])):
                best = api, base
        return best

    def _text(self, value: Any) -> str:
        """A value, or what the input is that a reference leads to."""
        item = self.wire.item(value)
        return str(value) if item is None else str(item.get(str(value).rstrip("}").rpartition(".")[2], value))

    def _default_name(self, message: _Message, *, private: bool) -> tuple[_Api, str, str] | None:
        """The API by its own name: ``ID.execute-api.REGION.amazonaws.com`` and the stage as the first segment."""
        for api in self._apis.values():
            name = f"${{{api.item.short}.id}}.execute-api.".lower()
            if not message.host.lower().startswith(name) or not api.open or (api.private and not private):
                continue
            for stage in api.stages:
                if stage == "$default":
                    return api, "", "its own name"
                if (message.path + "/").startswith(f"/{stage}/"):
                    return api, f"/{stage}", f"its own name, stage {stage}"
        return None


@dataclass(frozen=True, slots=True)
class _Way:
    """A request under way: hops behind it, the message, the next place, what was asked for so far."""

    hops: tuple[tuple[str, str], ...]
    message: _Message
    place: tuple[Any, ...]
    checked: frozenset[str]

    def after(self, name: str, what: str) -> "_Way":
        return replace(self, hops=(*self.hops, (name, what)))

    def ended(self, name: str, step: _Step) -> Outcome:
        hops = (*self.hops, (name, step.what))
        return Outcome(hops, step.status, checked=self.checked | step.checked, location=step.location)


def _service(address: str) -> _Side:
    try:
        ip_address(address)
    except ValueError:
        return _Side(address, None)
    return _Side(address, None, (address,))


def _tls_problem(balancer: _Balancer, port: int, secure: str) -> str | None:
    listener = balancer.listeners.get(port)
    if listener is None:
        return f"nothing listens on {port} of {balancer.item.short}"
    protocol = str(listener.get("protocol"))
    if (protocol == "HTTPS") != bool(secure):
        return f"{balancer.item.short} speaks {protocol} on {port}, and the API {'HTTPS' if secure else 'HTTP'}"
    return None


def _both(reads: Reads, path: str) -> tuple[str, str]:
    return _taken(reads.matched, path), _taken(reads.sent, path)


@lru_cache(maxsize=500_000)
def _taken(read: Callable[[str], str], path: str) -> str:
    return read(path)


@lru_cache(maxsize=100_000)
def _alike(reads: tuple[Reads, ...], path: str) -> tuple[tuple[Reads, ...], ...]:
    """Readings, those together that take this path for the same."""
    found: dict[tuple[str, str], list[Reads]] = {}
    for one in reads:
        found.setdefault(_both(one, path), []).append(one)
    return tuple(tuple(alike) for alike in found.values())


def _host(text: str) -> str:
    return re.sub(r":\d+$", "", text.lower()).removesuffix(".")
