"""API Management policies as a tree of dataclasses, printed as well-formed XML (``format="xml"``).

Names of classes and fields are those of Microsoft's policy reference; each class prints its attributes and children in
the order of its schema. A value that is a text means that very text: here alone is decided how it is printed, so that a
gateway reads nothing else in it. What is meant as code is a `Code`, what is meant as a named value a `Reference`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edgewright.azure.expressions import Code, is_plain, text
from edgewright.spec.problems import NOWHERE, Problem, SpecError, printable


@dataclass(frozen=True, slots=True)
class Reference:
    """A named value of the service, which a gateway puts in before it reads; before: a text in front of it."""

    name: str
    before: str = ""


Value = str | int | bool | Code | Reference

TAKES_CODE = frozenset({"set-body", "set-header/value", "set-url", "set-variable@value"})
"""Places of which Microsoft's pages say "Policy expressions are allowed", those that a text of a spec may stand in."""


@dataclass(frozen=True, slots=True)
class Node:
    """An XML element: what every policy becomes. text: only without children."""

    name: str
    attributes: tuple[tuple[str, Value], ...] = ()
    children: "tuple[Node | Comment, ...]" = ()
    text: Value | None = None

    def node(self) -> "Node":
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark for who reads the policy in the portal."""

    text: str

    def node(self) -> "Comment":
        """Itself."""
        return self


class Policy(Protocol):
    """What can stand in a section."""

    def node(self) -> "Node | Comment":
        """The element."""
        ...


def _nodes(policies: Sequence[Policy]) -> "tuple[Node | Comment, ...]":
    return tuple(item.node() for item in policies)


@dataclass(frozen=True, slots=True)
class Base:
    """What the wider scope does."""

    def node(self) -> Node:
        """``<base/>``."""
        return Node("base")


@dataclass(frozen=True, slots=True)
class Cors:
    """CORS; max_age in seconds."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    credentials: bool
    max_age: int

    def node(self) -> Node:
        """``<cors>``. terminate-unmatched-request is always written: Microsoft's page contradicts itself on it."""
        methods = Node(
            "allowed-methods",
            (("preflight-result-max-age", self.max_age),),
            _texts("method", self.methods),
        )
        children = [
            Node("allowed-origins", children=_texts("origin", self.origins)),
            methods,
            *_group("allowed-headers", "header", self.allow_headers),
            *_group("expose-headers", "header", self.expose_headers),
        ]
        attributes = (("allow-credentials", self.credentials), ("terminate-unmatched-request", False))
        return Node("cors", attributes, tuple(children))


def _texts(name: str, values: Sequence[str]) -> tuple[Node, ...]:
    return tuple(Node(name, text=value) for value in values)


def _group(name: str, item: str, values: Sequence[str]) -> list[Node]:
    return [Node(name, children=_texts(item, values))] if values else []


@dataclass(frozen=True, slots=True)
class IpFilter:
    """Addresses from and to, inclusive."""

    action: str
    ranges: tuple[tuple[str, str], ...]

    def node(self) -> Node:
        """``<ip-filter>``; a single address is a range of one."""
        children = tuple(Node("address-range", (("from", start), ("to", end))) for start, end in self.ranges)
        return Node("ip-filter", (("action", self.action),), children)


@dataclass(frozen=True, slots=True)
class ValidateJwt:
    """source: ``header-name`` or ``query-parameter-name``, and its value; clock_skew in seconds; keys: RSA (id, n, e);
    claims: one of the values of each is needed."""

    source: tuple[str, str]
    scheme: str | None
    openid_configs: tuple[str, ...]
    keys: tuple[tuple[str, str, str], ...]
    audiences: tuple[str, ...]
    issuers: tuple[str, ...]
    claims: tuple[tuple[str, tuple[str, ...]], ...]
    clock_skew: int
    variable: str

    def node(self) -> Node:
        """``<validate-jwt>``."""
        attributes: list[tuple[str, Value]] = [self.source]
        if self.scheme is not None:
            attributes.append(("require-scheme", self.scheme))
        attributes += [
            ("failed-validation-httpcode", 401),
            ("failed-validation-error-message", "Unauthorized"),
            ("require-expiration-time", True),
            ("require-signed-tokens", True),
            ("clock-skew", self.clock_skew),
            ("output-token-variable-name", self.variable),
        ]
        keys = tuple(Node("key", (("id", name), ("n", n), ("e", e))) for name, n, e in self.keys)
        children = [
            *(Node("openid-config", (("url", url),)) for url in self.openid_configs),
            *([Node("issuer-signing-keys", children=keys)] if keys else []),
            *_group("audiences", "audience", self.audiences),
            *_group("issuers", "issuer", self.issuers),
        ]
        if self.claims:
            claims = tuple(
                Node("claim", (("name", name), ("match", "any")), _texts("value", values))
                for name, values in self.claims
            )
            children.append(Node("required-claims", children=claims))
        return Node("validate-jwt", tuple(attributes), tuple(children))


@dataclass(frozen=True, slots=True)
class ValidateAzureAdToken:
    """A token of Microsoft Entra ID for one tenant."""

    tenant: str
    audiences: tuple[str, ...]
    variable: str

    def node(self) -> Node:
        """``<validate-azure-ad-token>``."""
        attributes = (
            ("tenant-id", self.tenant),
            ("failed-validation-httpcode", 401),
            ("failed-validation-error-message", "Unauthorized"),
            ("output-token-variable-name", self.variable),
        )
        return Node("validate-azure-ad-token", attributes, tuple(_group("audiences", "audience", self.audiences)))


@dataclass(frozen=True, slots=True)
class RateLimitByKey:
    """calls in each period of so many seconds."""

    calls: int
    period: int
    counter: Code

    def node(self) -> Node:
        """``<rate-limit-by-key>``."""
        attributes = (("calls", self.calls), ("renewal-period", self.period), ("counter-key", self.counter))
        return Node("rate-limit-by-key", (*attributes, ("retry-after-header-name", "Retry-After")))


@dataclass(frozen=True, slots=True)
class QuotaByKey:
    """calls in each period of so many seconds, counted from ``start`` (UTC)."""

    calls: int
    period: int
    counter: Code
    start: str

    def node(self) -> Node:
        """``<quota-by-key>``."""
        attributes = (
            ("calls", self.calls),
            ("renewal-period", self.period),
            ("counter-key", self.counter),
            ("first-period-start", self.start),
        )
        return Node("quota-by-key", attributes)


NO_PARAMETER = "x-edgewright-none"
"""A query parameter that no service has, for caches that do not vary by the query."""


@dataclass(frozen=True, slots=True)
class CacheLookup:
    """private: whether answers to requests with an Authorization header are kept."""

    headers: tuple[str, ...]
    query: tuple[str, ...]
    private: bool
    caching_type: str

    def node(self) -> Node:
        """``<cache-lookup>``."""
        attributes = (
            ("vary-by-developer", False),
            ("vary-by-developer-groups", False),
            ("caching-type", self.caching_type),
            ("downstream-caching-type", "none"),
            ("must-revalidate", True),
            ("allow-private-response-caching", self.private),
        )
        children = [Node("vary-by-header", text=name) for name in self.headers]
        # Where none is named all are part of the key, older pages say; newer ones are silent: so one always is.
        children.append(Node("vary-by-query-parameter", text=";".join(self.query or (NO_PARAMETER,))))
        return Node("cache-lookup", attributes, tuple(children))


@dataclass(frozen=True, slots=True)
class CacheStore:
    """seconds that an answer is kept."""

    seconds: int

    def node(self) -> Node:
        """``<cache-store>``."""
        return Node("cache-store", (("duration", self.seconds),))


@dataclass(frozen=True, slots=True)
class CacheLookupValue:
    """A value that was kept, as a variable; where there is none, no variable is set."""

    key: Code
    variable: str
    caching_type: str

    def node(self) -> Node:
        """``<cache-lookup-value>``."""
        attributes = (("key", self.key), ("variable-name", self.variable), ("caching-type", self.caching_type))
        return Node("cache-lookup-value", attributes)


@dataclass(frozen=True, slots=True)
class CacheStoreValue:
    """seconds that a value is kept."""

    key: Code
    value: Code
    seconds: int | Code
    caching_type: str

    def node(self) -> Node:
        """``<cache-store-value>``."""
        attributes: tuple[tuple[str, Value], ...] = (
            ("key", self.key),
            ("value", self.value),
            ("duration", self.seconds),
            ("caching-type", self.caching_type),
        )
        return Node("cache-store-value", attributes)


@dataclass(frozen=True, slots=True)
class CheckHeader:
    """403 without a header of this very value."""

    name: str
    value: Value

    def node(self) -> Node:
        """``<check-header>``."""
        attributes = (
            ("name", self.name),
            ("failed-check-httpcode", 403),
            ("failed-check-error-message", "Forbidden"),
            ("ignore-case", False),
        )
        return Node("check-header", attributes, (Node("value", text=self.value),))


@dataclass(frozen=True, slots=True)
class ValidateParameters:
    """Parameters as the operation has them; others are let through."""

    def node(self) -> Node:
        """``<validate-parameters>``, which may stand once in a section."""
        attributes = (("specified-parameter-action", "prevent"), ("unspecified-parameter-action", "ignore"))
        return Node("validate-parameters", attributes)


@dataclass(frozen=True, slots=True)
class ValidateContent:
    """A body as the operation has it, of one of its media types alone. json: those that are compared with a schema;
    max_size in bytes."""

    json: tuple[str, ...]
    max_size: int

    def node(self) -> Node:
        """``<validate-content>``."""
        attributes = (
            ("unspecified-content-type-action", "prevent"),
            ("max-size", self.max_size),
            ("size-exceeded-action", "prevent"),
        )
        children = tuple(
            Node("content", (("type", name), ("validate-as", "json"), ("action", "prevent"))) for name in self.json
        )
        return Node("validate-content", attributes, children)


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A POST of the gateway's own; timeout in seconds. Without an answer the variable holds null."""

    url: Value
    headers: tuple[tuple[str, Value], ...]
    body: Value
    variable: str
    timeout: int

    def node(self) -> Node:
        """``<send-request>``."""
        attributes = (
            ("mode", "new"),
            ("response-variable-name", self.variable),
            ("timeout", self.timeout),
            ("ignore-error", True),
        )
        children = (
            Node("set-url", text=self.url),
            Node("set-method", text="POST"),
            *(SetHeader(name, "override", (value,)).node() for name, value in self.headers),
            Node("set-body", text=self.body),
        )
        return Node("send-request", attributes, children)


@dataclass(frozen=True, slots=True)
class IncludeFragment:
    """What a `Fragment` of this id holds."""

    fragment: str

    def node(self) -> Node:
        """``<include-fragment>``."""
        return Node("include-fragment", (("fragment-id", self.fragment),))


@dataclass(frozen=True, slots=True)
class SetVariable:
    """A variable of the request."""

    name: str
    value: Value

    def node(self) -> Node:
        """``<set-variable>``."""
        return Node("set-variable", (("name", self.name), ("value", self.value)))


@dataclass(frozen=True, slots=True)
class SetHeader:
    """action: ``override``, ``append``, ``skip`` or ``delete``."""

    name: str
    action: str
    values: tuple[Value, ...] = ()

    def node(self) -> Node:
        """``<set-header>``."""
        children = tuple(Node("value", text=value) for value in self.values)
        return Node("set-header", (("name", self.name), ("exists-action", self.action)), children)


@dataclass(frozen=True, slots=True)
class SetBackendService:
    """The id of a Backend."""

    backend: Value

    def node(self) -> Node:
        """``<set-backend-service>``."""
        return Node("set-backend-service", (("backend-id", self.backend),))


@dataclass(frozen=True, slots=True)
class RewriteUri:
    """Another path for the backend; the query is kept."""

    template: Value

    def node(self) -> Node:
        """``<rewrite-uri>``; copy-unmatched-params is written, since page and schema contradict each other."""
        return Node("rewrite-uri", (("template", self.template), ("copy-unmatched-params", True)))


@dataclass(frozen=True, slots=True)
class ReturnResponse:
    """An answer of the gateway's own."""

    status: int | Code
    reason: str
    headers: tuple[tuple[str, Value], ...] = ()
    body: Value | None = None

    def node(self) -> Node:
        """``<return-response>``."""
        children: list[Node] = [Node("set-status", (("code", self.status), ("reason", self.reason)))]
        children += [SetHeader(name, "override", (value,)).node() for name, value in self.headers]
        children += [Node("set-body", text=self.body)] if self.body is not None else []
        return Node("return-response", children=tuple(children))


@dataclass(frozen=True, slots=True)
class When:
    """A condition and what is done where it holds."""

    condition: Code
    policies: tuple[Policy, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Choose:
    """The first whose condition holds, else ``otherwise``."""

    whens: tuple[When, ...]
    otherwise: tuple[Policy, ...] = ()

    def node(self) -> Node:
        """``<choose>``."""
        children: list[Node] = []
        for item in self.whens:
            remark = (Comment(item.remark),) if item.remark else ()
            children.append(Node("when", (("condition", item.condition),), (*remark, *_nodes(item.policies))))
        if self.otherwise:
            children.append(Node("otherwise", children=_nodes(self.otherwise)))
        return Node("choose", children=tuple(children))


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """timeout in seconds; buffered: the body is kept for another try; streamed: an answer goes on piece by piece."""

    timeout: int
    buffered: bool = False
    streamed: bool = False

    def node(self) -> Node:
        """``<forward-request>``."""
        attributes: list[tuple[str, Value]] = [("timeout", self.timeout), ("follow-redirects", False)]
        attributes += [("buffer-request-body", True)] if self.buffered else []
        attributes += [("buffer-response", False)] if self.streamed else []
        return Node("forward-request", tuple(attributes))


@dataclass(frozen=True, slots=True)
class Retry:
    """count: further tries; interval in seconds."""

    condition: Code
    count: int
    interval: int
    policies: tuple[Policy, ...]

    def node(self) -> Node:
        """``<retry>``; the first try is made before the condition is looked at."""
        attributes = (
            ("condition", self.condition),
            ("count", self.count),
            ("interval", self.interval),
            ("first-fast-retry", self.interval == 0),
        )
        return Node("retry", attributes, _nodes(self.policies))


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document: its four sections."""

    inbound: tuple[Policy, ...] = field(default=(Base(),))
    backend: tuple[Policy, ...] = field(default=(Base(),))
    outbound: tuple[Policy, ...] = field(default=(Base(),))
    on_error: tuple[Policy, ...] = field(default=(Base(),))

    def xml(self) -> str:
        """The document as text, indented by two, with a final newline."""
        sections = (
            ("inbound", self.inbound),
            ("backend", self.backend),
            ("outbound", self.outbound),
            ("on-error", self.on_error),
        )
        return xml(Node("policies", children=tuple(Node(name, children=_nodes(items)) for name, items in sections)))


@dataclass(frozen=True, slots=True)
class Fragment:
    """Policies that a document includes; neither ``<base/>`` nor another fragment may stand in it."""

    policies: tuple[Policy, ...]

    def xml(self) -> str:
        """The fragment as text."""
        return xml(Node("fragment", children=_nodes(self.policies)))


def xml(node: Node) -> str:
    """An element as text.

    Raises SpecError for a text that means something else where it would stand; what is compiled has none, since such
    fields of a spec are refused by their names.
    """
    lines: list[str] = []
    _print(node, "", "", lines)
    return "\n".join(lines) + "\n"


def _print(node: "Node | Comment", parent: str, indent: str, lines: list[str]) -> None:
    if isinstance(node, Comment):
        lines.append(f"{indent}<!-- {_remark(node.text)} -->")
        return
    head = node.name
    for name, value in node.attributes:
        head += f" {name}={_attribute(value, f'{node.name}@{name}')}"
    if node.text is not None:
        where = node.name if node.name in TAKES_CODE else f"{parent}/{node.name}"
        lines.append(f"{indent}<{head}>{_escaped(_shown(node.text, where))}</{node.name}>")
    elif not node.children:
        lines.append(f"{indent}<{head} />")
    else:
        lines.append(f"{indent}<{head}>")
        for child in node.children:
            _print(child, node.name, indent + "  ", lines)
        lines.append(f"{indent}</{node.name}>")


def _remark(text: str) -> str:
    """A text that ends no comment (XML 1.0, 2.5), and in which nothing is replaced: whether a named value is replaced
    in a comment too is *unverified*."""
    return _escaped(re.sub(r"([-{])(?=\1)", r"\1 ", printable(text)))


def _escaped(text: str) -> str:
    """Without signs that XML reads. (The standard library's function is in a module that imports an HTTP client.)"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(value: Value, where: str) -> str:
    """In quotes. XML reads a line break in an attribute as a space: to C# they are the same, in a text they are not."""
    found = _escaped(_shown(value, where)).replace('"', "&quot;")
    return f'"{found}"' if isinstance(value, Code) else f'"{found.replace(chr(10), "&#10;").replace(chr(9), "&#9;")}"'


def _shown(value: Value, where: str) -> str:
    """A value as a gateway is to find it; where: ``element@attribute``, or the element's own name or ``above/name``."""
    if isinstance(value, Code):
        return value.text
    if isinstance(value, Reference):
        return f"{value.before}{{{{{value.name}}}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or is_plain(value):
        return str(value)
    if where in TAKES_CODE:
        return _shown(text(value), where)
    what = f"`{printable(value[:80])}` would be read as code or as a named value, or is no text of XML, in `{where}`"
    raise SpecError([Problem(NOWHERE, what, "another text", code="text")])
