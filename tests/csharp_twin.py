"""Runs the C# of policies: a small interpreter of the subset that templates use, over the syntax trees of `csharp`.

Values are Python's own, except what .NET tells apart: `Char`, `Boxed` (what ``context.Variables`` gives: an object, of
which nothing but a cast may be asked), `Table` (headers, queries, claims), `JObject` and `Stub` (``context`` and what it
leads to). What a compiler would refuse raises `CompileError`; what would throw at run time raises `Raised`, by the name
of .NET's exception. What the subset lacks raises `Unsupported`: add it here when a new template needs it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

from tree_sitter import Node

from csharp import CONTEXT, is_sum, literal, parse, text, walk


class Unsupported(Exception):
    """C# that this interpreter does not know."""


class CompileError(Exception):
    """What the compiler of C# would refuse, or would read otherwise than a reader does."""


class Raised(Exception):
    """An exception of .NET's, by its name."""


class Unknown(Exception):
    """A value that was asked for and is not known; only where `Stub` was made so."""


# -- values ------------------------------------------------------------------------------------------------------------


class Char(str):
    """A character; a text of one in Python."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Boxed:
    """A value whose static type is object: it compares by reference, and has to be cast."""

    value: Any


class Table:
    """A read-only dictionary of several values each, with API Management's own ``GetValueOrDefault``, which joins the
    values by commas. Names of headers are told apart without case."""

    def __init__(self, values: Mapping[str, str | Sequence[str]], *, case: bool = False) -> None:
        self.case = case
        self.values = {
            name if case else name.lower(): (value,) if isinstance(value, str) else tuple(value)
            for name, value in values.items()
        }

    def get(self, name: str) -> tuple[str, ...] | None:
        """The values of a name."""
        return self.values.get(name if self.case else name.lower())


class JObject:
    """An object of Newtonsoft's."""

    def __init__(self, members: Mapping[str, Any] | None = None) -> None:
        self.members = dict(members or {})


@dataclass(frozen=True, slots=True)
class JToken:
    """A value of JSON that has to be cast. value: Python's."""

    value: Any


@dataclass
class Stub:
    """An object of ``context``: only the members of its type in `csharp.CONTEXT` may be asked for.

    known: whether what is not in ``values`` is null; else asking for it raises Unknown.
    """

    kind: str
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    known: bool = True


def context(
    *,
    request: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
    operation: str = "",
    subscription: str | None = None,
    product: str | None = None,
    error: Mapping[str, str] | None = None,
    managed: bool = True,
    request_id: str = "00000000-0000-0000-0000-000000000000",
) -> Stub:
    """A context. request: method, path, query (text without ``?``), query_case, headers, ip, host, body."""
    asked = dict(request or {})
    query = asked.get("query", "")
    url = Stub(
        "IUrl",
        {
            "Path": asked.get("path", "/"),
            "Host": asked.get("host", "api.example"),
            "Scheme": "https",
            "Port": 443,
            "QueryString": f"?{query}" if query else "",
            "Query": Table(_pairs(query), case=asked.get("query_case", True)),
        },
    )
    values: dict[str, Any] = {
        "Request": Stub(
            "Request",
            {
                "Method": asked.get("method", "GET"),
                "Headers": Table(asked.get("headers", {})),
                "IpAddress": asked.get("ip", "192.0.2.1"),
                "Url": url,
                "OriginalUrl": url,
                "Body": _body(asked.get("body")),
                "Certificate": None,
            },
        ),
        "Variables": dict(variables or {}),
        "Operation": Stub("Operation", {"Id": operation}),
        "RequestId": request_id,
        "Subscription": None if subscription is None else Stub("Subscription", {"Id": subscription}),
        "Product": None if product is None else Stub("Product", {"Id": product}),
        "Response": None if response is None else answer(**response),
        "LastError": None
        if error is None
        else Stub("LastError", {name.title().replace("Policyid", "PolicyId"): value for name, value in error.items()}),
        "User": None,
        "Deployment": Stub("Deployment", {"Gateway": Stub("Gateway", {"IsManaged": managed})}),
    }
    return Stub("context", values)


def answer(status: int = 200, headers: Mapping[str, Any] | None = None, body: str | None = None) -> Stub:
    """A response: of a backend, or of ``send-request``."""
    return Stub("IResponse", {"StatusCode": status, "Headers": Table(headers or {}), "Body": _body(body)})


def token(
    subject: str | None = None, algorithm: str = "RS256", claims: Mapping[str, str | Sequence[str]] | None = None
) -> Stub:
    """A token that was checked."""
    found = {**(claims or {}), **({"sub": subject} if subject is not None else {})}
    return Stub("Jwt", {"Subject": subject, "Algorithm": algorithm, "Claims": Table(found, case=True)})


def _body(value: str | None) -> Stub | None:
    return None if value is None else Stub("IMessageBody", {"text": value})


def _pairs(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part:
            found.setdefault(name, []).append(value)
    return found


# -- the interpreter ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lambda:
    """A function of the code's own."""

    names: tuple[str, ...]
    body: Node
    scope: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Type:
    """A type by its name, as the beginning of a static member."""

    name: str


@dataclass(frozen=True, slots=True)
class _Return:
    value: Any


class _Break:
    pass


def run(code: str, of: Stub) -> Any:
    """The value of an expression in a context."""
    block = _checked(code)
    found = _Run({"context": of}).statements(block.named_children)
    if not isinstance(found, _Return):
        raise CompileError("not all ways end with a return")
    return found.value


@lru_cache(maxsize=4096)
def _checked(code: str) -> Node:
    """An expression's block, after what a compiler would say before anything runs."""
    block = parse(code)
    for node in walk(block):
        if node.type == "implicit_array_creation_expression" and not _named(node.named_children[-1]):
            raise CompileError("new [] { } has no type")
        if node.type == "switch_body":
            labels = [text(part) for section in node.named_children for part in _patterns(section)]
            if len(set(labels)) != len(labels):
                raise CompileError("a label stands twice")
    if block.named_children and not _ends(block.named_children[-1]):
        raise CompileError("not all ways end with a return")
    return block


def _patterns(section: Node) -> list[Node]:
    return [part for part in section.named_children if part.type == "constant_pattern"]


def _ends(node: Node) -> bool:
    """Whether control cannot pass a statement."""
    match node.type:
        case "return_statement" | "throw_statement":
            return True
        case "block":
            return bool(node.named_children) and _ends(node.named_children[-1])
        case "if_statement":
            other = node.child_by_field_name("alternative")
            return other is not None and _ends(_get(node, "consequence")) and _ends(other)
        case "switch_statement":
            sections = _get(node, "body").named_children
            bodies = [[one for one in section.named_children if one.type != "constant_pattern"] for section in sections]
            full = [body for body in bodies if body]
            has_default = any(text(section).startswith("default") for section in sections)
            return has_default and bool(bodies[-1]) and all(_ends(body[-1]) for body in full)
        case "try_statement":
            parts = [_get(node, "body")]
            parts += [_get(one, "body") for one in node.named_children if one.type == "catch_clause"]
            return all(_ends(part) for part in parts)
        case _:
            return False


def _get(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    if found is None:
        raise Unsupported(f"{node.type} without {name}")
    return found


def _named(node: Node) -> list[Node]:
    return [item for item in node.named_children if item.type != "comment"]


class _Run:
    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope

    # -- statements ----------------------------------------------------------------------------------------------------

    def statements(self, nodes: Sequence[Node]) -> "_Return | _Break | None":
        for node in nodes:
            found = self.statement(node)
            if found is not None:
                return found
        return None

    def statement(self, node: Node) -> "_Return | _Break | None":
        match node.type:
            case "return_statement":
                return _Return(self.value(_named(node)[0]) if _named(node) else None)
            case "block":
                return self.statements(node.named_children)
            case "if_statement":
                if self.truth(_get(node, "condition")):
                    return self.statement(_get(node, "consequence"))
                other = node.child_by_field_name("alternative")
                return self.statement(other) if other is not None else None
            case "switch_statement":
                return self.switch(node)
            case "break_statement":
                return _Break()
            case "expression_statement":
                self.value(_named(node)[0])
            case "local_declaration_statement":
                for item in _named(_named(node)[0]):
                    if item.type == "variable_declarator":
                        values = _named(item)[1:]
                        self.scope[text(_get(item, "name"))] = self.value(values[0]) if values else None
            case "foreach_statement":
                name = text(_get(node, "left"))
                for one in _items(self.value(_get(node, "right"))):
                    self.scope[name] = one
                    found = self.statement(_get(node, "body"))
                    if isinstance(found, _Return):
                        return found
                    if isinstance(found, _Break):
                        break
            case "try_statement":
                try:
                    return self.statement(_get(node, "body"))
                except Raised:
                    clause = next((one for one in node.named_children if one.type == "catch_clause"), None)
                    return self.statement(_get(clause, "body")) if clause is not None else None
            case _:
                raise Unsupported(f"statement {node.type}: {text(node)[:60]}")
        return None

    def switch(self, node: Node) -> "_Return | None":
        value = self.value(_get(node, "value"))
        sections = _get(node, "body").named_children
        start = next(
            (at for at, one in enumerate(sections) for label in _patterns(one) if self.value(label) == value), None
        )
        if start is None:
            start = next((at for at, one in enumerate(sections) if text(one).startswith("default")), None)
        if start is None:
            return None
        for section in sections[start:]:
            body = [one for one in section.named_children if one.type != "constant_pattern"]
            if body:
                found = self.statements(body)
                if found is None:
                    raise CompileError("control falls through from one case to the next")
                return found if isinstance(found, _Return) else None
        raise CompileError("an empty switch section at the end")

    # -- expressions ---------------------------------------------------------------------------------------------------

    def truth(self, node: Node) -> bool:
        value = self.value(node)
        if not isinstance(value, bool):
            raise CompileError(f"`{text(node)[:60]}` is no bool")
        return value

    def value(self, node: Node) -> Any:
        known: Callable[[Node], Any] | None = getattr(self, f"_{node.type}", None)
        if known is None:
            raise Unsupported(f"{node.type}: {text(node)[:60]}")
        return known(node)

    def _string_literal(self, node: Node) -> str:
        return literal(node)

    _verbatim_string_literal = _string_literal

    def _character_literal(self, node: Node) -> Char:
        return Char(literal(node))

    def _integer_literal(self, node: Node) -> int:
        return int(text(node).rstrip("uUlL"), 0)

    def _boolean_literal(self, node: Node) -> bool:
        return text(node) == "true"

    def _null_literal(self, node: Node) -> None:
        return None

    def _constant_pattern(self, node: Node) -> Any:
        return self.value(_named(node)[0])

    def _parenthesized_expression(self, node: Node) -> Any:
        return self.value(_named(node)[0])

    def _identifier(self, node: Node) -> Any:
        name = text(node)
        return self.scope[name] if name in self.scope else Type(name)

    def _predefined_type(self, node: Node) -> Type:
        return Type(text(node))

    def _argument(self, node: Node) -> Any:
        return self.value(_named(node)[-1])

    def _lambda_expression(self, node: Node) -> Lambda:
        parameters = _get(node, "parameters")
        names = tuple(text(one).split()[-1] for one in _named(parameters)) or (text(parameters),)
        for name in names:
            if name in self.scope:
                raise CompileError(f"`{name}` is already a name of the method")
        return Lambda(names, _get(node, "body"), self.scope)

    def _conditional_expression(self, node: Node) -> Any:
        # An operator of lower precedence inside the condition is what a reader overlooks: it has to have parentheses.
        return self.value(_get(node, "consequence" if self.truth(_get(node, "condition")) else "alternative"))

    def _prefix_unary_expression(self, node: Node) -> Any:
        sign, inner = text(node.children[0]), node.children[-1]
        if sign == "!":
            return not self.truth(inner)
        if sign == "-":
            return -self.value(inner)
        raise Unsupported(text(node))

    def _binary_expression(self, node: Node) -> Any:
        left, right, sign = _get(node, "left"), _get(node, "right"), text(_get(node, "operator"))
        if sign == "&&":
            return self.truth(left) and self.truth(right)
        if sign == "||":
            return self.truth(left) or self.truth(right)
        one = self.value(left)
        if sign == "??":
            return self.value(right) if one is None else one
        other = self.value(right)
        if sign in ("==", "!="):
            return _equal(one, other) == (sign == "==")
        if sign == "+":
            return _plus(one, other)
        if isinstance(one, int | float) and isinstance(other, int | float):
            return {
                "-": lambda: one - other, "*": lambda: one * other, "<": lambda: one < other, "%": lambda: one % other,
                ">": lambda: one > other, "<=": lambda: one <= other, ">=": lambda: one >= other,
            }[sign]()  # fmt: skip
        if one is None or other is None:
            return False  # a comparison with null is false
        raise CompileError(f"no `{sign}` of {one!r} and {other!r}")

    def _cast_expression(self, node: Node) -> Any:
        if is_sum(node):
            left: Any = self.scope
            for word in text(_get(node, "type")).split("."):
                left = left[word] if left is self.scope else _read(left, word)
            signed = _get(node, "value")
            if text(signed.children[0]) != "+":
                raise Unsupported(text(node))
            return _plus(left, self.value(signed.children[-1]))
        return _as(text(_get(node, "type")), self.value(_get(node, "value")))

    def _as_expression(self, node: Node) -> Any:
        try:
            return _as(text(_get(node, "right")), self.value(_get(node, "left")))
        except Raised:
            return None

    def _implicit_array_creation_expression(self, node: Node) -> tuple[Any, ...]:
        found = tuple(self.value(one) for one in _named(node.named_children[-1]))
        kinds = {bool if isinstance(one, bool) else str if isinstance(one, str) else type(one) for one in found}
        if len(kinds - {type(None)}) > 1:
            raise CompileError(f"an array of {kinds}")
        return found

    def _array_creation_expression(self, node: Node) -> tuple[Any, ...]:
        items = next((one for one in node.named_children if one.type == "initializer_expression"), None)
        if items is not None:
            return tuple(self.value(one) for one in _named(items))
        kind = text(_get(node, "type"))
        if not kind.endswith("[0]"):
            raise Unsupported(text(node))
        return ()

    def _object_creation_expression(self, node: Node) -> Any:
        name = text(_get(node, "type"))
        given = node.child_by_field_name("arguments")
        arguments = [self.value(one) for one in _named(given)] if given is not None else []
        if name == "JProperty":
            return (arguments[0], arguments[1])
        if name == "JObject":
            found = JObject()
            for key, value in arguments:
                if key in found.members:
                    raise Raised("ArgumentException")
                found.members[key] = value
            items = node.child_by_field_name("initializer")
            for one in _named(items) if items is not None else []:
                key = self.value(_named(_named(one)[0])[0])
                found.members[key] = self.value(_named(one)[-1])
            return found
        raise Unsupported(text(node)[:60])

    def _interpolated_string_expression(self, node: Node) -> str:
        parts = ""
        for one in node.named_children:
            if one.type in ("string_content", "interpolated_string_text"):
                parts += text(one)
            elif one.type == "interpolation":
                parts += _shown(self.value(next(item for item in one.named_children if "brace" not in item.type)))
        return parts

    def _assignment_expression(self, node: Node) -> Any:
        name, sign = text(_get(node, "left")), text(_get(node, "operator"))
        if name not in self.scope or sign not in ("=", "+="):
            raise Unsupported(text(node)[:60])
        value = self.value(_get(node, "right"))
        self.scope[name] = value if sign == "=" else _plus(self.scope[name], value)
        return self.scope[name]

    def _member_access_expression(self, node: Node) -> Any:
        return self._chain(node)

    def _element_access_expression(self, node: Node) -> Any:
        return self._chain(node)

    def _invocation_expression(self, node: Node) -> Any:
        return self._chain(node)

    def _conditional_access_expression(self, node: Node) -> Any:
        return self._chain(node)

    def _chain(self, node: Node) -> Any:
        """A chain of members, calls and indexers. After ``?.`` of null the whole chain is null; and a cast before a
        chain is a cast of its end, where the grammar reads ``(bool)x?.y`` as ``((bool)x)?.y``."""
        links: list[Node] = []
        while True:
            links.append(node)
            if node.type in ("member_access_expression", "element_access_expression"):
                node = _get(node, "expression")
            elif node.type == "invocation_expression":
                node = _get(node, "function")
            elif node.type == "conditional_access_expression":
                node = _get(node, "condition")
                if node.type in ("binary_expression", "prefix_unary_expression", "conditional_expression"):
                    raise Unsupported(f"the grammar misreads `?.` in `{text(node)[:60]}`: write parentheses")
            else:
                break
        links.pop()
        casts: list[str] = []
        if any(link.type == "conditional_access_expression" for link in links):
            while node.type == "cast_expression":
                casts.append(text(_get(node, "type")))
                node = _get(node, "value")
        value = self.value(node)
        for link in reversed(links):
            if link.type == "conditional_access_expression":
                if value is None:
                    break
                value = self._bound(value, _named(link)[-1])
            else:
                value = self._link(value, link)
        for kind in reversed(casts):
            value = _as(kind, value)
        return value

    def _link(self, value: Any, link: Node) -> Any:
        match link.type:
            case "member_access_expression":
                return _Member(value, text(_get(link, "name"))).read_or_keep(link)
            case "element_access_expression":
                return _index(value, self.value(_named(_get(link, "subscript"))[0]))
            case _:
                return self._called(value, link)

    def _bound(self, value: Any, binding: Node) -> Any:
        if binding.type == "member_binding_expression":
            return _Member(value, text(_get(binding, "name"))).read_or_keep(binding)
        if binding.type == "element_binding_expression":
            return _index(value, self.value(_named(binding)[0]))
        if binding.type == "invocation_expression":
            return self._called(self._bound(value, _get(binding, "function")), binding)
        if binding.type == "member_access_expression":
            inner = self._bound(value, _get(binding, "expression"))
            return _Member(inner, text(_get(binding, "name"))).read_or_keep(binding)
        raise Unsupported(f"?{binding.type}")

    def _called(self, function: Any, node: Node) -> Any:
        if not isinstance(function, _Member):
            raise Unsupported(f"a call of {function!r}")
        arguments: list[Any] = []
        for one in _named(_get(node, "arguments")):
            if text(one).startswith("out "):
                arguments.append(_Out(self.scope, text(_named(one)[-1]).split()[-1]))
            else:
                arguments.append(self.value(one))
        return _call(function.value, function.name, arguments, self._apply)

    def _apply(self, function: Lambda, *arguments: Any) -> Any:
        inner = {**function.scope, **dict(zip(function.names, arguments, strict=True))}
        made = _Run(inner)
        if function.body.type == "block":
            found = made.statements(function.body.named_children)
            return found.value if isinstance(found, _Return) else None
        return made.value(function.body)


@dataclass(frozen=True, slots=True)
class _Out:
    scope: dict[str, Any]
    name: str


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of a value that may be about to be called."""

    value: Any
    name: str

    def read_or_keep(self, node: Node) -> Any:
        """Itself before a call, else what it holds."""
        parent = node.parent
        called = parent is not None and parent.type == "invocation_expression" and _get(parent, "function") == node
        if called or (parent is not None and parent.type == "conditional_access_expression" and self._is_call(parent)):
            return self
        return _read(self.value, self.name)

    @staticmethod
    def _is_call(parent: Node) -> bool:
        outer = parent.parent
        return outer is not None and outer.type == "invocation_expression" and _get(outer, "function") == parent


# -- what .NET does ----------------------------------------------------------------------------------------------------


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, Boxed):
        return _shown(value.value)
    if isinstance(value, str | int):
        return str(value)
    raise Unsupported(f"the text of {value!r}")


def _plus(one: Any, other: Any) -> Any:
    if isinstance(one, str) or isinstance(other, str):
        return _shown(one) + _shown(other)
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    raise CompileError(f"no `+` of {one!r} and {other!r}")


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, Boxed) or isinstance(other, Boxed):
        raise CompileError("an object compares by reference: cast it first")
    plain = (str, int, bool)
    if isinstance(one, plain) and isinstance(other, plain) and type(one) is not type(other):
        raise CompileError(f"no `==` of {one!r} and {other!r}")
    return bool(one == other)


def _items(value: Any) -> Sequence[Any]:
    if value is None:
        raise Raised("NullReferenceException")
    if isinstance(value, tuple | list):
        return cast("Sequence[Any]", value)
    if isinstance(value, str):
        return [Char(one) for one in value]
    if isinstance(value, JToken) and isinstance(value.value, list):
        return [JToken(one) for one in cast("list[Any]", value.value)]
    raise CompileError(f"{value!r} cannot be counted through")


_PLAIN: Mapping[str, type] = {"string": str, "int": int, "long": int, "bool": bool, "String": str, "Int32": int}


def _as(name: str, value: Any) -> Any:
    """A cast."""
    nullable = name.endswith("?")
    kind = name.rstrip("?")
    inner = value.value if isinstance(value, Boxed) else value
    if isinstance(inner, JToken):
        return _json_as(kind, inner.value, nullable=nullable)
    if inner is None:
        if kind in ("int", "long", "double", "bool") and not nullable:
            raise Raised("NullReferenceException")
        return None
    wanted = _PLAIN.get(kind)
    if wanted is not None:
        good = isinstance(inner, wanted) and isinstance(inner, bool) == (wanted is bool)
        if not good:
            raise Raised("InvalidCastException")
        return inner
    if isinstance(inner, Stub):
        if inner.kind != kind:
            raise Raised("InvalidCastException")
        return inner
    if kind == "object":
        return Boxed(inner)
    if kind in ("JObject",) and isinstance(inner, JObject):
        return inner
    if kind.endswith("[]") and isinstance(inner, tuple):
        return cast("tuple[Any, ...]", inner)
    raise Raised("InvalidCastException")


def _json_as(kind: str, value: Any, *, nullable: bool) -> Any:
    """Newtonsoft's explicit conversions."""
    if value is None:
        if kind == "string" or nullable:
            return None
        raise Raised("ArgumentException")
    if kind == "string":
        if isinstance(value, dict | list):
            raise Raised("ArgumentException")
        return _shown(value)
    if kind == "bool":
        if isinstance(value, str):
            if value.strip().lower() in ("true", "false"):
                return value.strip().lower() == "true"
            raise Raised("FormatException")
        if isinstance(value, bool | int):
            return bool(value)
        raise Raised("ArgumentException")
    if kind in ("int", "long"):
        if isinstance(value, str):
            if re.fullmatch(r"\s*[+-]?\d+\s*", value):
                return int(value)
            raise Raised("FormatException")
        if isinstance(value, bool | int | float):
            return int(value)
        raise Raised("ArgumentException")
    if kind == "double":
        if isinstance(value, bool | int | float):
            return float(value)
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise Raised("FormatException" if isinstance(value, str) else "ArgumentException") from error
    if kind in ("JArray", "JObject", "JToken", "JValue"):
        fits = {"JArray": list, "JObject": dict}.get(kind)
        if fits is not None and not isinstance(value, fits):
            raise Raised("InvalidCastException")
        return JObject(cast("dict[str, Any]", value)) if kind == "JObject" else JToken(value)
    raise Unsupported(f"JSON as {kind}")


def _read(value: Any, name: str) -> Any:
    """A property."""
    if value is None:
        raise Raised("NullReferenceException")
    if isinstance(value, Stub):
        if name not in CONTEXT[value.kind]:
            raise CompileError(f"{value.kind} has no {name}")
        if name not in value.values and not value.known:
            raise Unknown(f"{value.kind}.{name}")
        return value.values.get(name)
    if isinstance(value, Type):
        full = f"{value.name}.{name}"
        if full in ("string.Empty", "String.Empty"):
            return ""
        return Type(full)
    if isinstance(value, Boxed):
        raise CompileError(f"object has no {name}")
    if isinstance(value, str | tuple) and name == "Length":
        return len(value.encode("utf-16-le")) // 2 if isinstance(value, str) else len(cast("tuple[Any, ...]", value))
    if isinstance(value, JToken) and name == "Type":
        return Type(f"JTokenType.{_json_type(value.value)}")
    raise Unsupported(f"{value!r}.{name}")


def _json_type(value: Any) -> str:
    if value is None:
        return "Null"
    kinds = ((bool, "Boolean"), (int, "Integer"), (float, "Float"), (str, "String"), (list, "Array"), (dict, "Object"))
    return next(name for kind, name in kinds if isinstance(value, kind))


def _index(value: Any, key: Any) -> Any:
    if value is None:
        raise Raised("NullReferenceException")
    if isinstance(value, dict):  # context.Variables
        variables = cast("dict[str, Any]", value)
        if key not in variables:
            raise Raised("KeyNotFoundException")
        if isinstance(variables[key], Unknown):
            raise variables[key]
        return Boxed(variables[key])
    if isinstance(value, Table):
        found = value.get(key)
        if found is None:
            raise Raised("KeyNotFoundException")
        return found
    if isinstance(value, JObject):
        return JToken(value.members[key]) if value.members.get(key) is not None or key in value.members else None
    if isinstance(value, JToken):
        if isinstance(value.value, Mapping):
            members = cast("Mapping[str, Any]", value.value)
            return JToken(members[key]) if key in members else None
        if isinstance(value.value, list) and isinstance(key, int):
            return JToken(cast("list[Any]", value.value)[key])
        raise Raised("InvalidOperationException")
    if isinstance(value, tuple | list | str):
        items = cast("Sequence[Any]", value)
        if not 0 <= key < len(items):
            raise Raised("IndexOutOfRangeException")
        return Char(items[key]) if isinstance(value, str) else items[key]
    raise Unsupported(f"{value!r}[{key!r}]")


def pattern(text_: str) -> re.Pattern[str]:
    """A regular expression as .NET reads it, so far as Python's differs: ``$`` is also before a last line break, named
    groups are ``(?<name>``, and there is no ``(?P<name>``."""
    if "(?P" in text_:
        raise Raised("ArgumentException")
    if re.search(r"(?<!\\)-\[", text_):
        raise Unsupported("a set that is taken from a set")
    escaped = re.sub(r"\\.|\(\?<(?![=!])|\$", _net, text_)
    return re.compile(escaped)


def _net(match: re.Match[str]) -> str:
    return {"(?<": "(?P<", "$": r"(?=\n?\Z)", r"\z": r"\Z", r"\Z": r"(?=\n?\Z)"}.get(match[0], match[0])


def _call(value: Any, name: str, arguments: list[Any], apply: Callable[..., Any]) -> Any:
    name, _, generic = name.partition("<")
    if isinstance(value, Type):
        return _static(f"{value.name}.{name}", arguments)
    if value is None:
        raise Raised("NullReferenceException")
    if isinstance(value, Boxed):
        raise CompileError(f"object has no {name}")
    if isinstance(value, _Hash) and name == "ComputeHash":
        return value.compute(arguments[0])
    if isinstance(value, dict):
        return _of_variables(cast("dict[str, Any]", value), name, arguments)
    if isinstance(value, Table):
        return _of_table(value, name, arguments)
    if isinstance(value, Stub) and value.kind == "IMessageBody" and name == "As":
        return _body_as(generic.rstrip(">"), value.values["text"])
    if isinstance(value, JObject):
        return _of_object(value, name, arguments)
    if isinstance(value, JToken) and name == "ToString":
        return _shown(value.value) if not isinstance(value.value, dict | list) else _json(value.value)
    if isinstance(value, JToken) and name == "Children":
        found = value.value
        return tuple(JToken(one) for one in cast("list[Any]", found)) if isinstance(found, list) else ()
    if isinstance(value, str) and (name in _STRING or name not in _SEQUENCE):
        return _of_string(value, name, arguments)
    if isinstance(value, int) and name == "ToString":
        return _shown(value)
    return _of_sequence(_items(value), name, arguments, apply)


def _of_variables(value: dict[str, Any], name: str, arguments: list[Any]) -> Any:
    if name == "ContainsKey":
        if isinstance(value.get(arguments[0]), Unknown):
            raise value[arguments[0]]
        return arguments[0] in value
    if name == "GetValueOrDefault":
        if arguments[0] in value:
            if isinstance(value[arguments[0]], Unknown):
                raise value[arguments[0]]
            return value[arguments[0]]
        return arguments[1] if len(arguments) > 1 else None
    raise Unsupported(f"Variables.{name}")


def _of_table(value: Table, name: str, arguments: list[Any]) -> Any:
    found = value.get(arguments[0])
    if name == "ContainsKey":
        return found is not None
    if name == "GetValueOrDefault":
        return ",".join(found) if found is not None else (arguments[1] if len(arguments) > 1 else None)
    if name == "TryGetValue":
        arguments[1].scope[arguments[1].name] = found
        return found is not None
    raise Unsupported(f"a table's {name}")


def _of_object(value: JObject, name: str, arguments: list[Any]) -> Any:
    if name == "ToString":
        if arguments and arguments[0] != Type("Newtonsoft.Json.Formatting.None"):
            raise Unsupported("an indented object")
        return _json(value.members)
    if name in ("ContainsKey", "TryGetValue"):
        return arguments[0] in value.members
    if name == "GetValue":
        return _index(value, arguments[0])
    raise Unsupported(f"JObject.{name}")


def _json(value: Any) -> str:
    plain = value.members if isinstance(value, JObject) else value
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _body_as(kind: str, value: str) -> Any:
    if kind == "string":
        return value
    try:
        found = json.loads(value)
    except ValueError as error:
        raise Raised("JsonReaderException") from error
    if kind == "JObject":
        if not isinstance(found, dict):
            raise Raised("JsonReaderException")
        return JObject(cast("dict[str, Any]", found))
    if kind in ("JToken", "JArray"):
        return JToken(found)
    raise Unsupported(f"a body as {kind}")


def _ordinal(arguments: list[Any]) -> Callable[[str], str]:
    """How texts are folded before they are compared. A comparison by culture is what nobody wants here."""
    if len(arguments) < 2:
        raise CompileError("a comparison by culture: say StringComparison.Ordinal")
    kinds: Mapping[str, Callable[[str], str]] = {"Ordinal": str, "OrdinalIgnoreCase": str.upper}
    return kinds[arguments[1].name.removeprefix("System.").removeprefix("StringComparison.")]


def _of_string(value: str, name: str, arguments: list[Any]) -> Any:
    match name:
        case "Split":
            if len(arguments) != 1 or not isinstance(arguments[0], Char):
                raise Unsupported(f"Split of {arguments!r}")
            return tuple(value.split(arguments[0]))
        case "StartsWith" | "EndsWith":
            fold = _ordinal(arguments)
            one, other = fold(value), fold(arguments[0])
            return one.startswith(other) if name == "StartsWith" else one.endswith(other)
        case "Contains":
            return arguments[0] in value  # ordinal
        case "Equals":
            return (
                value == arguments[0]
                if len(arguments) == 1
                else _ordinal(arguments)(value) == _ordinal(arguments)(arguments[0])
            )
        case "IndexOf":
            return value.find(arguments[0])
        case "Substring":
            start = arguments[0]
            if not 0 <= start <= len(value) or (len(arguments) > 1 and start + arguments[1] > len(value)):
                raise Raised("ArgumentOutOfRangeException")
            return value[start:] if len(arguments) == 1 else value[start : start + arguments[1]]
        case "Trim":
            return value.strip("".join(arguments) or None)
        case "TrimStart":
            return value.lstrip("".join(arguments) or None)
        case "TrimEnd":
            return value.rstrip("".join(arguments) or None)
        case "Replace":
            return value.replace(arguments[0], arguments[1])
        case "ToLowerInvariant":
            return value.lower()
        case "ToUpperInvariant":
            return value.upper()
        case "ToString":
            return value
        case _:
            raise Unsupported(f"string.{name}")


_STRING = frozenset({"Contains"})
_SEQUENCE = frozenset({
    "Any", "All", "Select", "SelectMany", "Where", "Contains", "First", "FirstOrDefault", "Last", "Skip", "Take",
    "Count", "Distinct", "Concat", "Intersect", "Except", "ToArray", "ToList",
})  # fmt: skip


def _number(value: Any) -> int:
    return int(value)


def _of_sequence(value: Sequence[Any], name: str, arguments: list[Any], apply: Callable[..., Any]) -> Any:
    first: Any = arguments[0] if arguments else None
    function: Lambda | None = first if isinstance(first, Lambda) else None

    def holds(one: Any) -> bool:
        if function is None:
            return True
        found = apply(function, one)
        if not isinstance(found, bool):
            raise CompileError(f"a condition that gives {found!r}")
        return found

    match name:
        case "Any":
            return any(holds(one) for one in value)
        case "All":
            return all(holds(one) for one in value)
        case "Where":
            return tuple(one for one in value if holds(one))
        case "Count":
            return sum(holds(one) for one in value)
        case "Select":
            return tuple(apply(cast("Lambda", function), one) for one in value)
        case "SelectMany":
            return tuple(item for one in value for item in _items(apply(cast("Lambda", function), one)))
        case "Contains":
            return any(_equal(one, first) for one in value)
        case "First" | "FirstOrDefault":
            found = next((one for one in value if holds(one)), _MISSING)
            if found is _MISSING and name == "First":
                raise Raised("InvalidOperationException")
            return None if found is _MISSING else found
        case "Last":
            if not value:
                raise Raised("InvalidOperationException")
            return value[-1]
        case "Skip":
            return tuple(value[max(0, _number(first)) :])
        case "Take":
            return tuple(value[: max(0, _number(first))])
        case "Concat":
            return (*value, *_items(first))
        case "Intersect":
            return tuple(dict.fromkeys(one for one in value if one in _items(first)))
        case "Except":
            return tuple(dict.fromkeys(one for one in value if one not in _items(first)))
        case "Distinct":
            return tuple(dict.fromkeys(value))
        case "ToArray" | "ToList":
            return tuple(value)
        case _:
            raise Unsupported(f"a sequence's {name}")


_MISSING = object()

NOW = 1_800_000_000
"""The second that the interpreter's clock stands at."""


def _joined(arguments: Iterable[Any]) -> str:
    return "".join(_shown(one) for one in arguments)


def _static(name: str, arguments: list[Any]) -> Any:
    name = name.removeprefix("System.")
    match name:
        case "string.IsNullOrEmpty" | "String.IsNullOrEmpty":
            return arguments[0] in (None, "")
        case "string.IsNullOrWhiteSpace" | "String.IsNullOrWhiteSpace":
            return arguments[0] is None or not arguments[0].strip()
        case "string.Concat" | "String.Concat":
            single = len(arguments) == 1 and not isinstance(arguments[0], str)
            return _joined(_items(arguments[0]) if single else arguments)
        case "string.Join" | "String.Join":
            single = len(arguments) == 2 and not isinstance(arguments[1], str)
            return arguments[0].join(_shown(one) for one in (_items(arguments[1]) if single else arguments[1:]))
        case "string.Equals" | "String.Equals":
            fold = _ordinal(arguments[1:]) if len(arguments) > 2 else str
            one, other = arguments[:2]
            return one is other if one is None or other is None else fold(one) == fold(other)
        case "Regex.IsMatch":
            if arguments[2:3] not in ([], [Type("RegexOptions.CultureInvariant")]):
                raise Unsupported("Regex.IsMatch with other options")
            return pattern(arguments[1]).search(arguments[0]) is not None
        case "TimeSpan.FromMilliseconds":
            return arguments[0]
        case "Uri.EscapeDataString" | "WebUtility.UrlEncode" | "Net.WebUtility.UrlEncode":
            return quote(arguments[0], safe="-_.~")
        case "int.Parse" | "long.Parse":
            if not re.fullmatch(r"\s*[+-]?\d+\s*", arguments[0]):
                raise Raised("FormatException")
            return int(arguments[0])
        case "Encoding.UTF8.GetBytes" | "Text.Encoding.UTF8.GetBytes":
            return tuple(arguments[0].encode())
        case "Encoding.UTF8.GetString" | "Text.Encoding.UTF8.GetString":
            return bytes(arguments[0]).decode(errors="replace")
        case "Convert.ToBase64String":
            return base64.b64encode(bytes(arguments[0])).decode()
        case "Convert.FromBase64String":
            return tuple(base64.b64decode(arguments[0], validate=True))
        case "BitConverter.ToString":
            return "-".join(f"{one:02X}" for one in arguments[0])
        case "JObject.Parse" | "Newtonsoft.Json.Linq.JObject.Parse":
            if arguments[0] is None:
                raise Raised("ArgumentNullException")
            return _body_as("JObject", arguments[0])
        case "Enumerable.Repeat" | "Linq.Enumerable.Repeat":
            return (arguments[0],) * arguments[1]
        case "SHA256.Create" | "Security.Cryptography.SHA256.Create":
            return _Hash()
        case "DateTimeOffset.UtcNow.ToUnixTimeSeconds":
            return NOW
        case "Guid.NewGuid":
            raise Unsupported("a chance value")
        case _:
            raise Unsupported(name)


@dataclass(frozen=True, slots=True)
class _Hash:
    """What ``SHA256.Create()`` gives."""

    def compute(self, value: Sequence[int]) -> tuple[int, ...]:
        """``ComputeHash``."""
        return tuple(hashlib.sha256(bytes(value)).digest())
