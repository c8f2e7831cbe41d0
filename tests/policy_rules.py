"""What a policy document must be beyond Microsoft's schemas, as data with its source, and a function that checks it.

A deployment is told of some of these mistakes by the control plane, of others by nobody: a gateway skips what it does
not know, a preflight that meets no `cors` answers an empty 200, a section without ``<base/>`` switches wider scopes off.
Each row names the page of Microsoft's policy reference that it is from, read 2026-11; what no page settles is marked
*unverified* and read so that the check is the stricter one.

Besides the rows, every way through a document is walked (`_Walk`): what a `choose` leads to, which variables are set
when they are read, in which order the policies of a way stand, and whether it ends at a backend or in an answer.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from tree_sitter import Node

import csharp
import csharp_twin
import policy_xsd
from csharp_twin import Raised, Stub, Unknown, Unsupported
from edgewright.azure.artifact import Artifact

Scope = Literal["global", "product", "api", "operation", "fragment", "websocket"]
Gateway = Literal["managed", "self-hosted"]

SECTIONS = ("inbound", "backend", "outbound", "on-error")
ALL_GATEWAYS = frozenset({"classic", "v2", "consumption", "self-hosted"})
MANAGED = ALL_GATEWAYS - {"self-hosted"}
ALL_SCOPES = frozenset({"global", "product", "api", "operation", "websocket"})


@dataclass(frozen=True, slots=True)
class Row:
    """What holds for one policy. page: of Microsoft's policy reference, ``NAME-policy``.

    sections: where it may stand; scopes, gateways: which know it; once: in one ``section`` or ``document``, counted with
    what stands inside of `choose` (whether each `when` counts is *unverified*); literal: attributes, and texts of
    elements below, that take no expression; ranges: of whole numbers, None without an end.
    """

    page: str
    sections: tuple[str, ...]
    scopes: frozenset[str] = ALL_SCOPES
    gateways: frozenset[str] = ALL_GATEWAYS
    once: Literal["", "section", "document"] = ""
    literal: frozenset[str] = frozenset()
    ranges: Mapping[str, tuple[int, int | None]] = field(default_factory=dict[str, tuple[int, int | None]])


def _in(sections: str) -> tuple[str, ...]:
    return SECTIONS if sections == "all" else tuple(sections.split())


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The operation of a WebSocket API takes none of these: page "websocket-api", "Unsupported policies".
_NOT_ON_A_HANDSHAKE = _names(
    "mock-response cache-lookup cache-store cross-domain cors jsonp set-method set-body xml-to-json json-to-xml "
    "xsl-transform validate-content validate-parameters validate-headers validate-status-code"
)

_LIMIT_NAMES = (
    "retry-after-header-name retry-after-variable-name remaining-calls-header-name remaining-calls-variable-name "
    "total-calls-header-name"
)
_STATUS = (100, 599)
_ERROR = (400, 599)
_KEPT: Mapping[str, tuple[int, int | None]] = {"renewal-period": (1, 300), "calls": (1, None)}

ROWS: Mapping[str, Row] = {
    # Limits.
    "rate-limit": Row("rate-limit", _in("inbound"), _names("product api operation"), once="document", literal=_names(f"calls renewal-period {_LIMIT_NAMES}"), ranges=_KEPT),
    "rate-limit-by-key": Row("rate-limit-by-key", _in("inbound"), gateways=ALL_GATEWAYS - {"consumption"}, literal=_names(_LIMIT_NAMES), ranges=_KEPT),
    "quota": Row("quota", _in("inbound"), _names("product"), once="document", literal=_names("calls bandwidth renewal-period"), ranges={"calls": (1, None)}),
    # Whether v2 has it: pages contradict each other; tiers.py says what edgewright takes.
    "quota-by-key": Row("quota-by-key", _in("inbound"), gateways=ALL_GATEWAYS - {"consumption"}, literal=_names("calls bandwidth renewal-period first-period-start"), ranges={"calls": (1, None)}),
    "limit-concurrency": Row("limit-concurrency", _in("all"), literal=_names("max-count"), ranges={"max-count": (1, None)}),
    # Who may.
    "check-header": Row("check-header", _in("inbound"), ranges={"failed-check-httpcode": _ERROR}),
    "get-authorization-context": Row("get-authorization-context", _in("inbound"), gateways=MANAGED),
    "ip-filter": Row("ip-filter", _in("inbound"), literal=_names("from to")),
    "validate-azure-ad-token": Row("validate-azure-ad-token", _in("inbound"), literal=_names("output-token-variable-name"), ranges={"failed-validation-httpcode": _ERROR}),
    "validate-jwt": Row("validate-jwt", _in("inbound"), literal=_names("output-token-variable-name n e id url"), ranges={"failed-validation-httpcode": _ERROR, "clock-skew": (0, 600)}),
    "validate-client-certificate": Row("validate-client-certificate", _in("inbound")),
    # Towards backends. On a self-hosted gateway only with a workload identity (how-to of its authentication).
    "authentication-basic": Row("authentication-basic", _in("inbound")),
    "authentication-certificate": Row("authentication-certificate", _in("inbound")),
    "authentication-managed-identity": Row("authentication-managed-identity", _in("inbound"), gateways=MANAGED, literal=_names("client-id output-token-variable-name")),
    "forward-request": Row("forward-request", _in("backend"), ranges={"timeout": (1, None), "timeout-ms": (1, None)}),
    "set-backend-service": Row("set-backend-service", _in("inbound backend")),
    "proxy": Row("proxy", _in("inbound")),
    # Content.
    "validate-content": Row("validate-content", _in("inbound outbound"), literal=_names("errors-variable-name schema-id schema-ref validate-as"), ranges={"max-size": (1, 102_400)}),
    "validate-graphql-request": Row("validate-graphql-request", _in("inbound"), gateways=MANAGED),
    "validate-odata-request": Row("validate-odata-request", _in("inbound")),
    "validate-parameters": Row("validate-parameters", _in("inbound"), once="section", literal=_names("errors-variable-name")),
    "validate-headers": Row("validate-headers", _in("outbound"), once="section", literal=_names("errors-variable-name")),
    "validate-status-code": Row("validate-status-code", _in("outbound"), once="section", literal=_names("errors-variable-name"), ranges={"code": _STATUS}),
    # Caches.
    "cache-lookup": Row("cache-lookup", _in("inbound"), once="section", literal=_names("caching-type vary-by-header vary-by-query-parameter")),
    "cache-store": Row("cache-store", _in("outbound"), once="section", ranges={"duration": (1, None)}),
    "cache-lookup-value": Row("cache-lookup-value", _in("inbound backend outbound"), once="section", literal=_names("caching-type variable-name")),
    "cache-store-value": Row("cache-store-value", _in("inbound backend outbound"), once="section", literal=_names("caching-type"), ranges={"duration": (1, None)}),
    "cache-remove-value": Row("cache-remove-value", _in("inbound backend outbound"), once="section", literal=_names("caching-type")),
    # Changes.
    "set-method": Row("set-method", _in("inbound on-error")),
    "set-status": Row("set-status", _in("all"), ranges={"code": _STATUS}),
    "set-variable": Row("set-variable", _in("all"), literal=_names("name")),
    "set-body": Row("set-body", _in("inbound backend outbound"), literal=_names("template xsi-nil")),
    "set-header": Row("set-header", _in("all")),
    "set-query-parameter": Row("set-query-parameter", _in("inbound backend")),
    "rewrite-uri": Row("rewrite-uri", _in("inbound")),
    "json-to-xml": Row("json-to-xml", _in("inbound outbound on-error")),
    "xml-to-json": Row("xml-to-json", _in("inbound outbound on-error")),
    "find-and-replace": Row("find-and-replace", _in("all")),
    "redirect-content-urls": Row("redirect-content-urls", _in("inbound outbound"), _names("api operation")),
    "xsl-transform": Row("xsl-transform", _in("inbound outbound")),
    "return-response": Row("return-response", _in("all"), literal=_names("response-variable-name")),
    "mock-response": Row("mock-response", _in("inbound outbound on-error"), literal=_names("status-code content-type"), ranges={"status-code": _STATUS}),
    # Other origins. At product scope it fails where a key is in a header: never there.
    "cors": Row("cors", _in("inbound"), ALL_SCOPES - {"product"}, once="section", literal=_names("origin header"), ranges={"preflight-result-max-age": (0, None)}),
    "cross-domain": Row("cross-domain", _in("inbound"), _names("global")),
    "jsonp": Row("jsonp", _in("outbound")),
    # Others.
    "send-request": Row("send-request", _in("all"), literal=_names("response-variable-name ignore-error"), ranges={"timeout": (1, None)}),
    "send-one-way-request": Row("send-one-way-request", _in("all"), ranges={"timeout": (1, None)}),
    "log-to-eventhub": Row("log-to-eventhub", _in("all")),
    "set-backend-service-dapr": Row("set-backend-service-dapr", _in("inbound"), gateways=_names("self-hosted")),
    "publish-to-dapr": Row("publish-to-dapr", _in("inbound outbound backend on-error"), gateways=_names("self-hosted")),
    "invoke-dapr-binding": Row("invoke-dapr-binding", _in("all"), gateways=_names("self-hosted")),
    "trace": Row("trace", _in("all")),
    "emit-metric": Row("emit-metric", _in("inbound backend outbound")),
    # Flow.
    "choose": Row("choose", _in("all")),
    "include-fragment": Row("include-fragment", _in("all"), literal=_names("fragment-id")),
    "retry": Row("retry", _in("all"), ranges={"count": (1, 50), "interval": (1, None), "max-interval": (1, None), "delta": (1, None)}),
    "wait": Row("wait", _in("inbound backend outbound")),
}  # fmt: skip

ON_ERROR = _names(
    "choose set-variable find-and-replace return-response set-header set-method set-status send-request "
    "send-one-way-request log-to-eventhub json-to-xml xml-to-json limit-concurrency mock-response retry trace "
    "include-fragment"
)
"""Policies of ``on-error``: page "api-management-error-handling-policies"; include-fragment by its own page."""

CONTAINERS = _names("choose when otherwise retry limit-concurrency wait")
"""Elements that hold policies. What stands in others (`return-response`, `send-request`) is a part of those."""

AUTHENTICATION = _names("validate-jwt validate-azure-ad-token validate-client-certificate")
GATES = _names("check-header ip-filter")
REFUSED = "refused"
"""What a way has met that passed by a `when` which answers 401: whoever is on it has shown something."""

FRAGMENT_BYTES = 32 * 1024
"""Page "policy-fragments" has said 32 KB and says 512 KB since 2026: the smaller."""

UNTOUCHED = _names("connection content-length keep-alive transfer-encoding")
"""Headers that no policy may change: page "set-header-policy", limitations."""

UNDELETED = _names("server x-forwarded-for")
"""Headers whose removal does nothing: the same page; X-Forwarded-For as it is added after the policies."""


def document_bytes(tier: str) -> int:
    """Of one document: page "api-management-service-limits"."""
    return 16 * 1024 if tier == "Consumption" else 256 * 1024


def generation(tier: str, gateway: Gateway) -> str:
    """The kind of a gateway, as pages of policies name it."""
    if gateway == "self-hosted":
        return "self-hosted"
    return "consumption" if tier == "Consumption" else "v2" if tier.endswith("V2") else "classic"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a document stands. parent: the document of the wider scope, which its ``<base/>`` means; fragments and
    named values, by name, and backends: those that there are (backends None: not checked)."""

    scope: Scope
    tier: str
    gateway: Gateway
    parent: Any = None
    fragments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    named_values: Collection[str] = ()
    backends: Collection[str] | None = None

    @property
    def kind(self) -> str:
        """Of the gateway."""
        return generation(self.tier, self.gateway)


def problems(
    xml: str,
    *,
    scope: Scope,
    tier: str = "Premium",
    gateway: Gateway = "managed",
    parent: str | None = None,
    fragments: Mapping[str, str] | None = None,
    named_values: Collection[str] = (),
    backends: Collection[str] | None = None,
) -> list[str]:
    """All that is wrong with a document, each with its place; empty if nothing is.

    Not what the schemas find (`policy_xsd.problems`): both are meant to be asked.
    """
    try:
        root = policy_xsd.parse(xml)
        around = Surroundings(
            scope,
            tier,
            gateway,
            policy_xsd.parse(parent) if parent is not None else None,
            {name: policy_xsd.parse(text) for name, text in (fragments or {}).items()},
            named_values,
            backends,
        )
    except policy_xsd.etree.XMLSyntaxError as error:
        return [f"it is not well-formed: {error}"]
    found = [f"{_place(element)}: {what}" for check in CHECKS for element, what in check(root, around)]
    size = len(xml.encode())
    most = FRAGMENT_BYTES if scope == "fragment" else document_bytes(tier)
    if size > most:
        found.append(f"it has {size:,} bytes; {most:,} are taken")
    return list(dict.fromkeys(found))


Found = Iterator[tuple[Any, str]]


def _place(element: Any) -> str:
    return re.sub(r"^/policies/", "", element.getroottree().getpath(element)) if element is not None else "document"


def _elements(root: Any) -> Iterator[Any]:
    yield from root.iter(policy_xsd.etree.Element)


def _children(element: Any) -> list[Any]:
    return [item for item in element if isinstance(item.tag, str)]


def _policies(container: Any) -> Iterator[Any]:
    """The policies of a section, of what they hold too."""
    for item in _children(container):
        if item.tag not in ("when", "otherwise"):
            yield item
        if item.tag in CONTAINERS:
            yield from _policies(item)


def _sections(root: Any) -> Iterator[tuple[str, Any]]:
    for item in _children(root):
        yield item.tag, item


# -- rows --------------------------------------------------------------------------------------------------------------


def _form(root: Any, around: Surroundings) -> Found:
    """Root, sections, and where ``<base/>`` may and must stand."""
    wanted = "fragment" if around.scope == "fragment" else "policies"
    if root.tag != wanted:
        yield root, f"the root is `{root.tag}`, not `{wanted}`"
        return
    for item in root.iter("base"):
        if around.scope in ("global", "fragment"):
            yield item, f"there is no <base/> in a {around.scope} document"
        elif item.getparent().getparent() is not root:
            yield item, "<base/> stands directly in a section"
    if wanted == "fragment":
        for item in _elements(root):
            if item.tag in SECTIONS:
                yield item, "a fragment has no sections"
        return
    names = [item.tag for item in _children(root)]
    if names != list(SECTIONS):
        yield root, f"the sections are {', '.join(names)}, not {', '.join(SECTIONS)}"
    for name, section in _sections(root):
        bases = section.findall("base")
        if len(bases) > 1:
            yield section, "<base/> stands twice"
        if not bases and name != "backend" and around.scope != "global":
            yield section, "without <base/> the wider scopes are switched off"
        if name == "backend" and len(_children(section)) != 1:
            yield section, f"the backend section has {len(_children(section))} policies, not one"


def _rows(root: Any, around: Surroundings) -> Found:
    """Policies that are known, where they may stand, on this gateway."""
    sections = [("", root)] if around.scope == "fragment" else list(_sections(root))
    for name, section in sections:
        for item in _policies(section):
            yield from _row(item, name, around)
            if item.tag == "include-fragment" and item.get("fragment-id") in around.fragments:
                for inner in _policies(around.fragments[item.get("fragment-id")]):
                    yield from ((item, f"in the fragment: {what}") for _, what in _row(inner, name, around))


def _row(item: Any, section: str, around: Surroundings) -> Found:
    if item.tag == "base":
        return
    row = ROWS.get(item.tag)
    if row is None:
        yield item, f"`{item.tag}` is not known to this table"
        return
    if section and (section not in row.sections or (section == "on-error" and item.tag not in ON_ERROR)):
        yield item, f"`{item.tag}` may not stand in {section}"
    if around.scope != "fragment" and around.scope not in row.scopes:
        yield item, f"`{item.tag}` may not stand at {around.scope} scope"
    if around.scope == "websocket" and item.tag in _NOT_ON_A_HANDSHAKE:
        yield item, f"the handshake of a WebSocket takes no `{item.tag}`"
    if around.kind not in row.gateways:
        how = "skips it in silence" if around.kind == "self-hosted" else "has it not"
        yield item, f"`{item.tag}`: a {around.kind} gateway {how}"


def _counts(root: Any, around: Surroundings) -> Found:
    """What may stand once in a section, or in a document."""
    seen: dict[str, int] = {}
    for _, section in [("", root)] if around.scope == "fragment" else _sections(root):
        here: dict[str, int] = {}
        for item in _policies(section):
            once = ROWS[item.tag].once if item.tag in ROWS else ""
            here[item.tag] = here.get(item.tag, 0) + 1
            seen[item.tag] = seen.get(item.tag, 0) + 1
            if once == "section" and here[item.tag] > 1:
                yield item, f"`{item.tag}` may stand once in a section"
            if once == "document" and seen[item.tag] > 1:
                yield item, f"`{item.tag}` may stand once in a document"


def _values(root: Any, around: Surroundings) -> Found:
    """Numbers in their ranges, and no expressions where none are taken."""
    for item in _elements(root):
        row = ROWS.get(item.tag)
        if row is None or _is_part(item):
            continue
        for inner in _elements(item):
            if inner is not item and inner.tag in ROWS:
                continue
            for name, value in [*inner.attrib.items(), (inner.tag, inner.text)]:
                if name in row.literal and csharp.is_code(value):
                    yield inner, f"`{name}` takes no expression"
                if name in row.ranges and name in inner.attrib:
                    yield from _ranged(inner, name, value, row.ranges[name])
    for item in root.iter("set-status"):
        yield from _ranged(item, "code", item.get("code", ""), _STATUS)


def _is_part(item: Any) -> bool:
    """Whether an element that has a policy's name is a part of another (`header` of cors is none)."""
    parent = item.getparent()
    return parent is not None and parent.tag in ("return-response", "send-request", "send-one-way-request")


def _ranged(item: Any, name: str, value: str, bounds: tuple[int, int | None]) -> Found:
    low, high = bounds
    if csharp.is_code(value):
        return
    if not re.fullmatch(r"-?\d+", value):
        yield item, f"`{name}` is `{value}`, no whole number"
    elif int(value) < low or (high is not None and int(value) > high):
        yield item, f"`{name}` is {value}, not {low} to {high if high is not None else 'any'}"


# -- combinations ------------------------------------------------------------------------------------------------------


def _limits(root: Any, around: Surroundings) -> Found:
    """Periods of quotas, and counters that two limits share."""
    counters: dict[str, tuple[str, str, str]] = {}
    for item in _elements(root):
        if item.tag in ("quota", "quota-by-key"):
            period = item.get("renewal-period", "")
            # Of quota-by-key: 300 at least, or 0 for ever; its page. Of quota no least is told: the same.
            if period.isdigit() and 0 < int(period) < 300:
                yield item, f"a period of {period} s is shorter than 300 s"
            if not period:
                yield item, "a quota needs a renewal-period"
            if item.get("calls") is None and item.get("bandwidth") is None:
                yield item, "a quota needs calls or bandwidth"
            start = item.get("first-period-start")
            if start is not None and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", start):
                yield item, f"first-period-start is `{start}`, not yyyy-MM-ddTHH:mm:ssZ"
        if item.tag in ("rate-limit-by-key", "quota-by-key"):
            size = (item.tag, item.get("calls", ""), item.get("renewal-period", ""))
            key = item.get("counter-key", "")
            if counters.setdefault(key, size) != size:
                yield item, "another limit counts under the same key with other numbers: undefined on v2"


def _crossing(root: Any, around: Surroundings) -> Found:
    """CORS: first of the section, and no `*` with credentials."""
    for item in root.iter("cors"):
        section = item.getparent()
        if section.tag not in ("inbound", "fragment") or _children(section)[0] is not item:
            yield item, "cors is not the first policy of inbound: a preflight may not find it"
        origins = [(one.text or "").strip() for one in item.iterfind("allowed-origins/origin")]
        if "*" in origins and len(origins) > 1:
            yield item, "`*` stands beside other origins"
        texts = [(one.text or "").strip() for one in item.iter("origin", "method", "header")]
        if "*" in texts and item.get("allow-credentials", "false") != "false":
            yield item, "`*` with credentials"
        if item.get("terminate-unmatched-request") is None:
            yield item, "terminate-unmatched-request is not said: pages contradict each other on its default"
        for origin in origins:
            if origin != "*" and not re.fullmatch(r"https?://[^/?#*\s]+/?", origin):
                yield item, f"`{origin}` is no origin"


def _tokens(root: Any, around: Surroundings) -> Found:
    for item in root.iter("validate-jwt"):
        sources = [
            name for name in ("header-name", "query-parameter-name", "token-value") if item.get(name) is not None
        ]
        if len(sources) != 1:
            yield item, f"it reads the token from {len(sources)} places, not one"
        if item.get("require-scheme") is not None and item.get("header-name", "").lower() != "authorization":
            yield item, "require-scheme is ignored but for the header Authorization"
        keys = item.findall("openid-config") + item.findall("issuer-signing-keys/key")
        if not keys:
            yield item, "it has no keys"
        for name in ("require-signed-tokens", "require-expiration-time"):
            if item.get(name, "true") != "true":
                yield item, f"{name} is off"
        for one in item.findall("openid-config"):
            if not one.get("url", "").startswith("https://"):
                yield one, "the metadata of an issuer is read by https only"
        for one in item.findall("issuer-signing-keys/key"):
            if (one.get("n") is None) != (one.get("e") is None):
                yield one, "a modulus needs its exponent"
        if not item.findall("issuers/issuer") and not item.findall("openid-config"):
            yield item, "it asks for no issuer"
    for item in [*root.iter("validate-jwt"), *root.iter("validate-azure-ad-token")]:
        audiences, claims = item.findall("audiences/audience"), item.findall("required-claims/claim")
        if not audiences and not claims:
            yield item, "it asks for no audience"
        for one in claims:
            if not one.findall("value"):
                yield one, "a claim without a value asks for nothing"


def _headers(root: Any, around: Surroundings) -> Found:
    for item in root.iter("set-header"):
        name, action = item.get("name", "").lower(), item.get("exists-action", "override")
        if name in UNTOUCHED:
            yield item, f"`{name}` cannot be changed"
        if action == "delete" and name in UNDELETED and not _is_part(item):
            yield item, f"`{name}` cannot be deleted"
        if (action == "delete") != (not item.findall("value")):
            yield item, f"a header with the action {action} has {len(item.findall('value'))} values"


def _caches(root: Any, around: Surroundings) -> Found:
    """A look-up has a store, and a gateway its cache."""
    lookups, stores = list(root.iter("cache-lookup")), list(root.iter("cache-store"))
    if bool(lookups) != bool(stores):
        yield (lookups or stores)[0], "cache-lookup and cache-store need each other"
    for item in _elements(root):
        if not item.tag.startswith("cache-") or item.tag == "cache-store":
            continue
        if around.kind in ("self-hosted", "consumption") and item.get("caching-type") != "external":
            yield item, f"a {around.kind} gateway has no cache of its own: caching-type must be external"
    if around.scope == "fragment":
        for item in lookups:
            yield item, "cache-lookup may not stand in a fragment"


def _routing(root: Any, around: Surroundings) -> Found:
    for item in root.iter("set-backend-service"):
        given = [name for name in ("backend-id", "base-url") if item.get(name) is not None]
        if len(given) != 1:
            yield item, "it names a backend-id or a base-url, one of them"
        parents = [] if around.parent is None else list(around.parent.iter("set-backend-service"))
        if given == ["base-url"] and any(one.get("backend-id") is not None for one in parents):
            yield item, "where a wider scope names a backend-id, base-url does not override it"
        backend = item.get("backend-id")
        if backend is not None and not csharp.is_code(backend) and backend not in (around.backends or (backend,)):
            yield item, f"there is no backend `{backend}`"
    for item in root.iter("forward-request"):
        if item.get("timeout") is not None and item.get("timeout-ms") is not None:
            yield item, "timeout and timeout-ms are both said"
        above = item.getparent()
        if above.tag == "retry" and item.get("buffer-request-body") != "true":
            yield item, "a body that is not kept cannot be sent again"
    for item in root.iter("rewrite-uri"):
        if item.get("copy-unmatched-params") is None:
            yield item, "copy-unmatched-params is not said: page and schema contradict each other on its default"
        template = item.get("template", "")
        if not template.startswith("/") and not csharp.is_code(template):
            yield item, "a template begins with a slash, or is an expression as a whole"


def _addresses(root: Any, around: Surroundings) -> Found:
    for item in root.iter("ip-filter"):
        inside = _children(item)
        if not inside:
            yield item, "it lists no address"
        for one in inside:
            ends = [one.text or ""] if one.tag == "address" else [one.get("from", ""), one.get("to", "")]
            if any(csharp.is_code(end) for end in ends):
                continue
            try:
                parsed = [ipaddress.ip_address(end.strip()) for end in ends]
            except ValueError:
                yield one, f"{' to '.join(ends)} is no address (a range is no CIDR)"
                continue
            if parsed[0].version != parsed[-1].version or int(parsed[0]) > int(parsed[-1]):
                yield one, f"{' to '.join(ends)} is empty"


def _requests(root: Any, around: Surroundings) -> Found:
    for item in root.iter("send-request"):
        if not item.get("response-variable-name"):
            yield item, "nothing holds the answer: response-variable-name"
        if item.get("timeout") is None and item.get("timeout-ms") is None:
            yield item, "without a timeout it waits a minute"
        if item.get("mode", "new") == "new":
            for name in ("set-url", "set-method"):
                if not (item.findtext(name) or "").strip():
                    yield item, f"a new request needs {name}"


def _references(root: Any, around: Surroundings) -> Found:
    """Fragments and named values that there are. A named value is replaced wherever it stands, before anything is
    read; whether in a comment too is *unverified*."""
    for item in root.iter("include-fragment"):
        name = item.get("fragment-id", "")
        if name not in around.fragments:
            yield item, f"there is no fragment `{name}`"
        if around.scope == "fragment":
            yield item, "a fragment may not include another"
    for item in root.iter():
        texts = [item.text or "", item.tail or ""]
        texts += list(item.attrib.values()) if isinstance(item.tag, str) else []
        for text in texts:
            for match in re.finditer(r"\{\{(.*?)(\}\}|$)", text, re.DOTALL):
                name = match[1].strip()
                if match[2] == "" or not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
                    yield _owner(item), f"`{match[0][:40]}` is no reference to a named value"
                elif name not in around.named_values:
                    yield _owner(item), f"there is no named value `{name}`"


def _owner(item: Any) -> Any:
    return item if isinstance(item.tag, str) else item.getparent()


def _code(root: Any, around: Surroundings) -> Found:
    """Every expression parses, and names what policies may use."""
    for item in _elements(root):
        for value in (*item.attrib.values(), item.text):
            if csharp.is_code(value):
                try:
                    yield from ((item, what) for what in csharp.outside(value))
                except csharp.NotCSharp as error:
                    yield item, str(error)


# -- ways --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """What has happened on a way so far. variables: set ones, with the value where it is known; seen: kinds of policies
    that were met, own: of this document; end: "" while it goes on."""

    variables: tuple[tuple[str, Any], ...] = ()
    seen: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    forwarded: bool = False

    def sets(self, name: str, value: Any) -> "Way":
        """The way with a variable more."""
        kept = {key: held for key, held in self.variables if key != name}
        return replace(self, variables=tuple(sorted({**kept, name: value}.items(), key=lambda item: item[0])))


@dataclass(frozen=True, slots=True)
class _NotKnown:
    """A value that a variable has, whatever it is."""


NOT_KNOWN = _NotKnown()


class _Walk:
    """Walks every way through a document."""

    def __init__(self, root: Any, around: Surroundings) -> None:
        self._root = root
        self._around = around
        self._inherited = 0
        self._hits: set[Way] = set()
        self.found: list[tuple[Any, str]] = []

    def run(self) -> None:
        """All sections in the order of a request; ``on-error`` from anywhere, so that nothing is sure to be set."""
        if self._root.tag == "fragment":
            return
        sections = dict(_sections(self._root))
        start = {Way()}
        after = self._section(sections.get("inbound"), start)
        backend = sections.get("backend")
        behind = self._section(backend, after)
        for way in behind:
            if not way.forwarded:
                self._say(backend, "a way neither reaches a backend nor answers")
                break
        self._section(sections.get("outbound"), {*behind, *self._hits})
        self._section(sections.get("on-error"), {Way()})

    def _say(self, element: Any, what: str) -> None:
        self.found.append((element if element is not None else self._root, what))

    def _section(self, section: Any, ways: set[Way]) -> set[Way]:
        return ways if section is None else self._policies(_children(section), ways)

    def _policies(self, items: Sequence[Any], ways: set[Way]) -> set[Way]:
        for item in items:
            if not ways:
                break
            ways = self._policy(item, ways)
        return ways

    def _policy(self, item: Any, ways: set[Way]) -> set[Way]:
        self._reads(item, ways)
        match item.tag:
            case "base":
                return self._base(item, ways)
            case "include-fragment":
                fragment = self._around.fragments.get(item.get("fragment-id"))
                return ways if fragment is None else self._policies(_children(fragment), ways)
            case "choose":
                return self._choose(item, ways)
            case "retry" | "limit-concurrency" | "wait":
                return self._policies(_children(item), ways)
            case "return-response" | "mock-response":
                return set()
            case "forward-request":
                if any(way.forwarded for way in ways):
                    self._say(item, "a way forwards twice")
                return {replace(way, forwarded=True) for way in ways}
            case "set-variable":
                return {after for way in ways for after in self._set(item, way)}
            case _:
                return self._met(item, ways)

    def _base(self, item: Any, ways: set[Way]) -> set[Way]:
        section = item.getparent().tag
        parent = self._around.parent
        if parent is None:
            # What is not known is taken to forward, as the global document of a new service does.
            return {replace(way, forwarded=True) for way in ways} if section == "backend" else ways
        self._inherited += 1
        root, self._root = self._root, parent
        around = self._around
        self._around = replace(around, parent=None)
        found = self._section(dict(_sections(parent)).get(section), ways)
        self._root, self._around = root, around
        self._inherited -= 1
        return found

    def _choose(self, item: Any, ways: set[Way]) -> set[Way]:
        after: set[Way] = set()
        left = ways
        for one in _children(item):
            if one.tag == "otherwise":
                after |= self._policies(_children(one), left)
                left = set()
                break
            taken: set[Way] = set()
            passed: set[Way] = set()
            checked = frozenset(_checked(one.get("condition", "")))
            self._reads(one, left)
            for way in left:
                held = _truth(one.get("condition", ""), way)
                if held is not False:
                    told = way
                    for name in checked:
                        told = told if name in dict(told.variables) else told.sets(name, NOT_KNOWN)
                    taken.add(told)
                if held is not True:
                    passed.add(way)
            after |= self._policies(_children(one), taken) if taken else set()
            if _refuses(one):
                for way in left:
                    self._ordered(one, way)
                passed = {replace(way, seen=way.seen | {REFUSED}) for way in passed}
            left = passed
        return after | left

    def _set(self, item: Any, way: Way) -> Iterator[Way]:
        name, value = item.get("name", ""), item.get("value", "")
        if not csharp.is_code(value):
            yield way.sets(name, value)
            return
        try:
            found = csharp_twin.run(value, _context(way))
            yield way.sets(name, found if isinstance(found, str | int | bool) else NOT_KNOWN)
        except (Unknown, Unsupported, Raised):
            for one in _told(value) or (NOT_KNOWN,):
                yield way.sets(name, one)
        except csharp_twin.CompileError as error:
            self._say(item, f"it does not compile: {error}")
            yield way.sets(name, NOT_KNOWN)

    def _met(self, item: Any, ways: set[Way]) -> set[Way]:
        for way in ways:
            self._ordered(item, way)
        after = {
            replace(way, seen=way.seen | {item.tag}, own=way.own if self._inherited else way.own | {item.tag})
            for way in ways
        }
        if item.tag == "cache-lookup":
            self._hits |= after
        for name in _sets(item):
            after = {way.sets(name, NOT_KNOWN) for way in after}
        return after

    def _ordered(self, item: Any, way: Way) -> None:
        tag = item.tag
        if (tag in AUTHENTICATION or _refuses(item)) and "cache-lookup" in way.seen:
            self._say(item, f"`{tag}` below cache-lookup: what is in the cache is given to anybody")
        if tag in GATES and way.seen & AUTHENTICATION:
            self._say(item, f"`{tag}` below authentication")
        if tag in GATES and "cache-lookup" in way.seen:
            self._say(item, f"`{tag}` below cache-lookup: a hit passes it by")
        if tag == "cache-lookup":
            early = way.own & {"rewrite-uri", "set-backend-service"}
            if early:
                self._say(item, f"cache-lookup below {', '.join(sorted(early))}, which only a miss needs")
            private = item.get("allow-private-response-caching", "false") != "false"
            known = self._around.parent is not None or self._around.scope == "api" or self._inherited > 0
            if private and known and not way.seen & (AUTHENTICATION | {REFUSED}):
                self._say(item, "private answers are kept where nobody was authenticated")

    def _reads(self, item: Any, ways: set[Way]) -> None:
        """Variables are set before they are read, on every way."""
        names = {name for value in _read_at(item) for name in _unguarded(value)}
        for name in sorted(names):
            if any(name not in dict(way.variables) for way in ways):
                self._say(item, f"the variable `{name}` is read on a way that has not set it")
        if item.tag == "set-backend-service" and self._around.backends is not None:
            code = item.get("backend-id", "")
            for way in ways if csharp.is_code(code) else ():
                try:
                    backend = csharp_twin.run(code, _context(way))
                except (Unknown, Unsupported, Raised):
                    continue
                if backend not in (*self._around.backends, "none"):
                    self._say(item, f"there is no backend `{backend}`")


def _refuses(item: Any) -> bool:
    """Whether a `when` answers 401 or 403."""
    found = [one.get("code") for one in item.iterfind("return-response/set-status")] if item.tag == "when" else []
    return bool({"401", "403"} & set(found))


def _read_at(item: Any) -> Iterator[str]:
    """The code of an element itself, and of what is a part of it."""
    inner = _children(item) if item.tag in CONTAINERS else list(_elements(item))
    for one in [item, *(() if item.tag in CONTAINERS else inner)]:
        for value in (*one.attrib.values(), one.text):
            if csharp.is_code(value):
                yield value


def _sets(item: Any) -> Iterator[str]:
    """Variables that a policy is sure to have set when it is done."""
    for name in (
        "output-token-variable-name",
        "response-variable-name",
        "remaining-calls-variable-name",
        "context-variable-name",
    ):
        if item.get(name):
            yield item.get(name)
    # A miss without a default leaves the variable unset, or null; its page says both.
    if item.tag == "cache-lookup-value" and item.get("default-value") is not None:
        yield item.get("variable-name")


def _context(way: Way) -> Stub:
    variables = {
        name: Unknown(name) if isinstance(value, _NotKnown) else value for name, value in dict(way.variables).items()
    }
    return Stub("context", {"Variables": variables}, known=False)


def _truth(condition: str, way: Way) -> bool | None:
    """Whether a condition holds on a way; None where that cannot be told."""
    if not csharp.is_code(condition):
        return condition.strip().lower() == "true"
    try:
        found = csharp_twin.run(condition, _context(way))
    except (Unknown, Unsupported, Raised, csharp_twin.CompileError, csharp.NotCSharp):
        return None
    return found if isinstance(found, bool) else None


@lru_cache(maxsize=4096)
def _told(code: str) -> tuple[str, ...]:
    """All texts that a body of statements can return, where it returns literals alone."""
    try:
        returns = [item for item in csharp.walk(csharp.parse(code)) if item.type == "return_statement"]
    except csharp.NotCSharp:
        return ()
    values = [one.named_children[0] for one in returns if one.named_children]
    if any(one.type != "string_literal" for one in values):
        return ()
    return tuple(dict.fromkeys(csharp.literal(one) for one in values))


@lru_cache(maxsize=4096)
def _unguarded(code: str) -> frozenset[str]:
    """Variables that an expression reads by an indexer without having asked whether they are there."""
    try:
        return frozenset(_reads(csharp.parse(code), frozenset()))
    except csharp.NotCSharp:
        return frozenset()


@lru_cache(maxsize=4096)
def _checked(code: str) -> frozenset[str]:
    """Variables that are there where an expression holds."""
    try:
        block = csharp.parse(code)
    except csharp.NotCSharp:
        return frozenset()
    first = block.named_children[0]
    return frozenset(_sure(first.named_children[0])[0]) if first.type == "return_statement" else frozenset()


def _sure(node: Node) -> tuple[frozenset[str], frozenset[str]]:
    """The variables that are there if a condition holds, and if it does not."""
    nothing: frozenset[str] = frozenset()
    if node.type == "parenthesized_expression":
        return _sure(node.named_children[0])
    if node.type == "prefix_unary_expression" and node.children[0].type == "!":
        yes, no = _sure(node.children[1])
        return no, yes
    if node.type == "binary_expression":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = csharp.text(node.children[1])
        if left is not None and right is not None and sign in ("&&", "||"):
            one, other = _sure(left), _sure(right)
            if sign == "&&":
                return one[0] | other[0], one[1] & other[1]
            return one[0] & other[0], one[1] | other[1]
    match = re.fullmatch(r'context\.Variables\.ContainsKey\("([^"\\]*)"\)', csharp.text(node))
    return (frozenset({match[1]}), nothing) if match else (nothing, nothing)


def _reads(node: Node, known: frozenset[str]) -> Iterator[str]:
    if node.type == "binary_expression":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = csharp.text(node.children[1])
        if left is not None and right is not None and sign in ("&&", "||"):
            yield from _reads(left, known)
            yield from _reads(right, known | _sure(left)[0 if sign == "&&" else 1])
            return
    if node.type == "conditional_expression":
        condition = node.child_by_field_name("condition")
        yes, no = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        if condition is not None and yes is not None and no is not None:
            yield from _reads(condition, known)
            yield from _reads(yes, known | _sure(condition)[0])
            yield from _reads(no, known | _sure(condition)[1])
            return
    match = re.fullmatch(r'context\.Variables\["([^"\\]*)"\]', csharp.text(node))
    if match and match[1] not in known:
        yield match[1]
        return
    sure = known
    for child in node.children:
        yield from _reads(child, sure)
        if child.type == "if_statement":
            condition, then = child.child_by_field_name("condition"), child.child_by_field_name("consequence")
            if condition is not None and then is not None and "return" in csharp.text(then):
                sure = sure | _sure(condition)[1]


def _ways(root: Any, around: Surroundings) -> Found:
    walk = _Walk(root, around)
    walk.run()
    yield from walk.found


Check = Callable[[Any, Surroundings], Found]
CHECKS: tuple[Check, ...] = (
    _form, _rows, _counts, _values, _limits, _crossing, _tokens, _headers, _caches, _routing, _addresses, _requests,
    _references, _code, _ways,
)  # fmt: skip


# -- what was compiled -------------------------------------------------------------------------------------------------


def documents(artifact: Artifact) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The documents of a compiled edge: a name, the text, and what `problems` is to know of where it stands."""
    known: dict[str, Any] = {
        "tier": artifact.tier,
        "fragments": getattr(artifact, "fragments", {}),
        "named_values": getattr(artifact, "named_values", ()),
        "backends": (*artifact.backends, *artifact.pools),
    }
    if artifact.api is not None:
        yield "api", artifact.api.policy, {"scope": "api", **known}
        for name, text in artifact.api.operation_policies.items():
            yield name, text, {"scope": "operation", "parent": artifact.api.policy, **known}
    for item in artifact.websockets:
        yield item.id, item.policy, {"scope": "websocket", **known}
    for name, text in known["fragments"].items():
        yield name, text, {"scope": "fragment", **known}
