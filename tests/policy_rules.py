"""What a policy document must be beyond Microsoft's schemas, as data with its source, and a function that checks it.

A deployment is told of some of these mistakes by the control plane, of others by nobody: a gateway skips what it does
not know, a preflight that meets no `cors` answers an empty 200, a section without ``<base/>`` switches wider scopes off.
Each row names the page of Microsoft's policy reference that it is from, read 2026-11; what no page settles is marked
*unverified* and read so that the check is the stricter one.

Besides the rows, every way through a document is walked, see `policy_ways`.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import csharp
import policy_xsd
from edgewright.azure.artifact import Artifact
from policy_ways import (
    SECTIONS,
    Found,
    Gateway,
    Scope,
    Surroundings,
    Walk,
    children,
    elements,
    names,
    policies,
    sections,
)

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


# The operation of a WebSocket API takes none of these: page "websocket-api", "Unsupported policies".
_NOT_ON_A_HANDSHAKE = names(
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
    "rate-limit": Row("rate-limit", _in("inbound"), names("product api operation"), once="document", literal=names(f"calls renewal-period {_LIMIT_NAMES}"), ranges=_KEPT),
    "rate-limit-by-key": Row("rate-limit-by-key", _in("inbound"), gateways=ALL_GATEWAYS - {"consumption"}, literal=names(_LIMIT_NAMES), ranges=_KEPT),
    "quota": Row("quota", _in("inbound"), names("product"), once="document", literal=names("calls bandwidth renewal-period"), ranges={"calls": (1, None)}),
    # Whether v2 has it: pages contradict each other; tiers.py says what edgewright takes.
    "quota-by-key": Row("quota-by-key", _in("inbound"), gateways=ALL_GATEWAYS - {"consumption"}, literal=names("calls bandwidth renewal-period first-period-start"), ranges={"calls": (1, None)}),
    "limit-concurrency": Row("limit-concurrency", _in("all"), literal=names("max-count"), ranges={"max-count": (1, None)}),
    # Who may.
    "check-header": Row("check-header", _in("inbound"), ranges={"failed-check-httpcode": _ERROR}),
    "get-authorization-context": Row("get-authorization-context", _in("inbound"), gateways=MANAGED),
    "ip-filter": Row("ip-filter", _in("inbound"), literal=names("from to")),
    "validate-azure-ad-token": Row("validate-azure-ad-token", _in("inbound"), literal=names("output-token-variable-name"), ranges={"failed-validation-httpcode": _ERROR}),
    "validate-jwt": Row("validate-jwt", _in("inbound"), literal=names("output-token-variable-name n e id url"), ranges={"failed-validation-httpcode": _ERROR, "clock-skew": (0, 600)}),
    "validate-client-certificate": Row("validate-client-certificate", _in("inbound")),
    # Towards backends. On a self-hosted gateway only with a workload identity (how-to of its authentication).
    "authentication-basic": Row("authentication-basic", _in("inbound")),
    "authentication-certificate": Row("authentication-certificate", _in("inbound")),
    "authentication-managed-identity": Row("authentication-managed-identity", _in("inbound"), gateways=MANAGED, literal=names("client-id output-token-variable-name")),
    "forward-request": Row("forward-request", _in("backend"), ranges={"timeout": (1, None), "timeout-ms": (1, None)}),
    "set-backend-service": Row("set-backend-service", _in("inbound backend")),
    "proxy": Row("proxy", _in("inbound")),
    # Content.
    "validate-content": Row("validate-content", _in("inbound outbound"), literal=names("errors-variable-name schema-id schema-ref validate-as"), ranges={"max-size": (1, 102_400)}),
    "validate-graphql-request": Row("validate-graphql-request", _in("inbound"), gateways=MANAGED),
    "validate-odata-request": Row("validate-odata-request", _in("inbound")),
    "validate-parameters": Row("validate-parameters", _in("inbound"), once="section", literal=names("errors-variable-name")),
    "validate-headers": Row("validate-headers", _in("outbound"), once="section", literal=names("errors-variable-name")),
    "validate-status-code": Row("validate-status-code", _in("outbound"), once="section", literal=names("errors-variable-name"), ranges={"code": _STATUS}),
    # Caches.
    "cache-lookup": Row("cache-lookup", _in("inbound"), once="section", literal=names("caching-type vary-by-header vary-by-query-parameter")),
    "cache-store": Row("cache-store", _in("outbound"), once="section", ranges={"duration": (1, None)}),
    "cache-lookup-value": Row("cache-lookup-value", _in("inbound backend outbound"), once="section", literal=names("caching-type variable-name")),
    "cache-store-value": Row("cache-store-value", _in("inbound backend outbound"), once="section", literal=names("caching-type"), ranges={"duration": (1, None)}),
    "cache-remove-value": Row("cache-remove-value", _in("inbound backend outbound"), once="section", literal=names("caching-type")),
    # Changes.
    "set-method": Row("set-method", _in("inbound on-error")),
    "set-status": Row("set-status", _in("all"), ranges={"code": _STATUS}),
    "set-variable": Row("set-variable", _in("all"), literal=names("name")),
    "set-body": Row("set-body", _in("inbound backend outbound"), literal=names("template xsi-nil")),
    "set-header": Row("set-header", _in("all")),
    "set-query-parameter": Row("set-query-parameter", _in("inbound backend")),
    "rewrite-uri": Row("rewrite-uri", _in("inbound")),
    "json-to-xml": Row("json-to-xml", _in("inbound outbound on-error")),
    "xml-to-json": Row("xml-to-json", _in("inbound outbound on-error")),
    "find-and-replace": Row("find-and-replace", _in("all")),
    "redirect-content-urls": Row("redirect-content-urls", _in("inbound outbound"), names("api operation")),
    "xsl-transform": Row("xsl-transform", _in("inbound outbound")),
    "return-response": Row("return-response", _in("all"), literal=names("response-variable-name")),
    "mock-response": Row("mock-response", _in("inbound outbound on-error"), literal=names("status-code content-type"), ranges={"status-code": _STATUS}),
    # Other origins. At product scope it fails where a key is in a header: never there.
    "cors": Row("cors", _in("inbound"), ALL_SCOPES - {"product"}, once="section", literal=names("origin header"), ranges={"preflight-result-max-age": (0, None)}),
    "cross-domain": Row("cross-domain", _in("inbound"), names("global")),
    "jsonp": Row("jsonp", _in("outbound")),
    # Others.
    "send-request": Row("send-request", _in("all"), literal=names("response-variable-name ignore-error"), ranges={"timeout": (1, None)}),
    "send-one-way-request": Row("send-one-way-request", _in("all"), ranges={"timeout": (1, None)}),
    "log-to-eventhub": Row("log-to-eventhub", _in("all")),
    "set-backend-service-dapr": Row("set-backend-service-dapr", _in("inbound"), gateways=names("self-hosted")),
    "publish-to-dapr": Row("publish-to-dapr", _in("inbound outbound backend on-error"), gateways=names("self-hosted")),
    "invoke-dapr-binding": Row("invoke-dapr-binding", _in("all"), gateways=names("self-hosted")),
    "trace": Row("trace", _in("all")),
    "emit-metric": Row("emit-metric", _in("inbound backend outbound")),
    # Flow.
    "choose": Row("choose", _in("all")),
    "include-fragment": Row("include-fragment", _in("all"), literal=names("fragment-id")),
    "retry": Row("retry", _in("all"), ranges={"count": (1, 50), "interval": (1, None), "max-interval": (1, None), "delta": (1, None)}),
    "wait": Row("wait", _in("inbound backend outbound")),
}  # fmt: skip

ON_ERROR = names(
    "choose set-variable find-and-replace return-response set-header set-method set-status send-request "
    "send-one-way-request log-to-eventhub json-to-xml xml-to-json limit-concurrency mock-response retry trace "
    "include-fragment"
)
"""Policies of ``on-error``: page "api-management-error-handling-policies"; include-fragment by its own page."""

FRAGMENT_BYTES = 32 * 1024
"""Page "policy-fragments" has said 32 KB and says 512 KB since 2026: the smaller."""

UNTOUCHED = names("connection content-length keep-alive transfer-encoding")
"""Headers that no policy may change: page "set-header-policy", limitations."""

UNDELETED = names("server x-forwarded-for")
"""Headers whose removal does nothing: the same page; X-Forwarded-For as it is added after the policies."""


def document_bytes(tier: str) -> int:
    """Of one document: page "api-management-service-limits"."""
    return 16 * 1024 if tier == "Consumption" else 256 * 1024


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


def _place(element: Any) -> str:
    return re.sub(r"^/policies/", "", element.getroottree().getpath(element)) if element is not None else "document"


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
        for item in elements(root):
            if item.tag in SECTIONS:
                yield item, "a fragment has no sections"
        return
    names = [item.tag for item in children(root)]
    if names != list(SECTIONS):
        yield root, f"the sections are {', '.join(names)}, not {', '.join(SECTIONS)}"
    for name, section in sections(root):
        bases = section.findall("base")
        if len(bases) > 1:
            yield section, "<base/> stands twice"
        if not bases and name != "backend" and around.scope != "global":
            yield section, "without <base/> the wider scopes are switched off"
        if name == "backend" and len(children(section)) != 1:
            yield section, f"the backend section has {len(children(section))} policies, not one"


def _rows(root: Any, around: Surroundings) -> Found:
    """Policies that are known, where they may stand, on this gateway."""
    parts = [("", root)] if around.scope == "fragment" else list(sections(root))
    for name, section in parts:
        for item in policies(section):
            yield from _row(item, name, around)
            if item.tag == "include-fragment" and item.get("fragment-id") in around.fragments:
                for inner in policies(around.fragments[item.get("fragment-id")]):
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
    for _, section in [("", root)] if around.scope == "fragment" else sections(root):
        here: dict[str, int] = {}
        for item in policies(section):
            once = ROWS[item.tag].once if item.tag in ROWS else ""
            here[item.tag] = here.get(item.tag, 0) + 1
            seen[item.tag] = seen.get(item.tag, 0) + 1
            if once == "section" and here[item.tag] > 1:
                yield item, f"`{item.tag}` may stand once in a section"
            if once == "document" and seen[item.tag] > 1:
                yield item, f"`{item.tag}` may stand once in a document"


def _values(root: Any, around: Surroundings) -> Found:
    """Numbers in their ranges, and no expressions where none are taken."""
    for item in elements(root):
        row = ROWS.get(item.tag)
        if row is None or _is_part(item):
            continue
        for inner in elements(item):
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
    for item in elements(root):
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
            told = key.startswith('@("') or not csharp.is_code(key)  # else a variable names whom it is for
            if told and counters.setdefault(key, size) != size:
                yield item, "another limit counts under the same key with other numbers: undefined on v2"


def _crossing(root: Any, around: Surroundings) -> Found:
    """CORS: first of the section, and no `*` with credentials."""
    for item in root.iter("cors"):
        section = item.getparent()
        if section.tag not in ("inbound", "fragment") or children(section)[0] is not item:
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
    for item in elements(root):
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
        inside = children(item)
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
    for item in elements(root):
        for value in (*item.attrib.values(), item.text):
            if csharp.is_code(value):
                try:
                    yield from ((item, what) for what in csharp.outside(value))
                except csharp.NotCSharp as error:
                    yield item, str(error)


def _ways(root: Any, around: Surroundings) -> Found:
    walk = Walk(root, around)
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
        "fragments": getattr(artifact.api, "fragments", {}),
        "named_values": (*artifact.named_values, *artifact.plain_values),
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
