"""The C# of policy expressions, carried out: as much of the language as policies hold, with its own precedence.

What is not known raises `Unread`: an expression is never guessed at.
"""

# Methods are listed as small functions, whose arguments are whatever C# gives them.
# pyright: reportUnknownLambdaType=false

import ast
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from parity.terms import Unread

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<char>'(?:[^'\\]|\\.)')|(?P<number>\d+)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>=>|==|!=|<=|>=|&&|\|\||\?\?|[()\[\]{}.,?:!+<>]))"""
)

Scope = Mapping[str, Any]
Node = Callable[[Scope], Any]


class Thing(dict[str, Any]):
    """An object with properties."""


class Named(dict[str, Any]):
    """A collection by names that have no case, such as headers."""


@cache
def compiled(code: str) -> Node:
    """An expression, without ``@(`` and ``)``."""
    return _Parser(code).whole()


def evaluate(value: str, scope: Scope) -> Any:
    """The value of an attribute or text of a policy: an expression is carried out, anything else is a text."""
    value = value.strip()
    if value.startswith("@{"):
        raise Unread(f"statements: {value[:80]}")
    if value.startswith("@("):
        return compiled(value[2:-1])(scope)
    return value


class _Parser:
    def __init__(self, code: str) -> None:
        self._code = code
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while code[at:].strip():
            found = _TOKEN.match(code, at)
            if found is None:
                raise Unread(f"a sign in `{code[at : at + 40]}`")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        self._at = 0

    def whole(self) -> Node:
        node = self._ternary()
        if self._at != len(self._tokens):
            raise Unread(f"`{self._code[:80]}` goes on")
        return node

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][1] if at < len(self._tokens) else ""

    def _kind(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][0] if at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        text = self._peek()
        if wanted and text != wanted:
            raise Unread(f"`{wanted}` where `{text}` is in `{self._code[:120]}`")
        self._at += 1
        return text

    # -- from loose to tight -------------------------------------------------------------------------------------------

    def _ternary(self) -> Node:
        test = self._binary(0)
        if self._peek() != "?":
            return test
        self._take()
        yes = self._ternary()
        self._take(":")
        no = self._ternary()
        return lambda scope: yes(scope) if _truth(test(scope)) else no(scope)

    _LEVELS = (("??",), ("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+",))

    def _binary(self, level: int) -> Node:
        if level == len(self._LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._kind() == "sign" and self._peek() in self._LEVELS[level]:
            left = _joined(self._take(), left, self._binary(level + 1))
        return left

    def _unary(self) -> Node:
        if self._peek() == "!" and self._kind() == "sign":
            self._take()
            inner = self._unary()
            return lambda scope: not _truth(inner(scope))
        if self._peek() == "(" and self._kind(1) == "name" and self._peek(2) == ")" and self._peek(1) in _CASTS:
            self._take()
            name = self._take()
            self._take(")")
            inner = self._unary()
            return lambda scope: _cast(name, inner(scope))
        return self._postfix(self._primary())

    def _postfix(self, node: Node) -> Node:
        while self._peek() in (".", "["):
            if self._take() == "[":
                index = self._ternary()
                self._take("]")
                node = _at(node, index)
                continue
            name = self._take()
            node = _called(node, name, self._arguments("(", ")")) if self._peek() == "(" else _property(node, name)
        return node

    def _arguments(self, start: str, end: str) -> list[Node]:
        self._take(start)
        found: list[Node] = []
        while self._peek() != end:
            found.append(self._argument())
            if self._peek() == ",":
                self._take()
        self._take(end)
        return found

    def _argument(self) -> Node:
        if self._kind() == "name" and self._peek(1) == "=>":
            name = self._take()
            self._take("=>")
            body = self._ternary()
            return lambda scope: lambda value: body({**scope, name: value})
        return self._ternary()

    def _primary(self) -> Node:
        kind, text = self._kind(), self._take()
        if kind in ("text", "char"):
            value: Any = ast.literal_eval(text)
            return lambda _: value
        if kind == "number":
            return lambda _: int(text)
        if text == "(":
            node = self._ternary()
            self._take(")")
            return node
        if text == "new":
            return self._new()
        if kind != "name":
            raise Unread(f"`{text}` in `{self._code[:120]}`")
        if text in ("true", "false", "null"):
            known = {"true": True, "false": False, "null": None}[text]
            return lambda _: known
        return lambda scope: scope[text] if text in scope else _Static(text)

    def _new(self) -> Node:
        if self._kind() == "name":
            kind = self._take()
            if self._peek() == "(":
                inner = self._arguments("(", ")")
                return lambda scope: (kind, [one(scope) for one in inner])
            self._take("[")
            if self._kind() == "number" and self._take() == "0":
                self._take("]")
                return lambda _: list[Any]()
            raise Unread(f"new {kind}[...]")
        self._take("[")
        self._take("]")
        items = self._arguments("{", "}")
        return lambda scope: [one(scope) for one in items]


_CASTS = ("string", "int", "Jwt", "bool", "IResponse")


class _Static(str):
    """The name of a class."""

    __slots__ = ()


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unread(f"{value!r} is no truth value")
    return value


def _cast(name: str, value: Any) -> Any:
    kinds: dict[str, type] = {"string": str, "int": int, "bool": bool}
    if name in kinds and not isinstance(value, kinds[name]):
        raise Unread(f"{value!r} as a {name}")
    return value


def _text(value: Any) -> str:
    return "" if value is None else "true" if value is True else "false" if value is False else str(value)


def _joined(sign: str, left: Node, right: Node) -> Node:
    def node(scope: Scope) -> Any:
        one = left(scope)
        if sign == "||":
            return _truth(one) or _truth(right(scope))
        if sign == "&&":
            return _truth(one) and _truth(right(scope))
        if sign == "??":
            return one if one is not None else right(scope)
        two = right(scope)
        if sign in ("==", "!="):
            return (one == two) == (sign == "==")
        if sign == "+":
            return one + two if isinstance(one, int) and isinstance(two, int) else _text(one) + _text(two)
        return {"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}[sign]

    return node


def _at(node: Node, index: Node) -> Node:
    def found(scope: Scope) -> Any:
        value, key = node(scope), index(scope)
        if isinstance(value, Named):
            return value[str(key).lower()]
        return value[key]

    return found


def _property(node: Node, name: str) -> Node:
    def found(scope: Scope) -> Any:
        value = node(scope)
        if isinstance(value, Thing):
            if name not in value:
                raise Unread(f"the property {name}")
            return value[name]
        if name in ("Length", "Count") and isinstance(value, str | list):
            return len(cast("list[Any]", value))
        if isinstance(value, _Static):
            return _Static(f"{value}.{name}")
        raise Unread(f"the property {name} of {value!r}")

    return found


def _called(node: Node, name: str, arguments: list[Node]) -> Node:
    def found(scope: Scope) -> Any:
        value, given = node(scope), [one(scope) for one in arguments]
        for kind, methods in _METHODS:
            if isinstance(value, kind) and not isinstance(value, _Static | Thing):
                if name in methods:
                    return methods[name](value, *given)
                break
        if isinstance(value, _Static) and f"{value}.{name}" in _STATICS:
            return _STATICS[f"{value}.{name}"](*given)
        raise Unread(f"the method {name} of {type(value).__name__}")

    return found


def _named(value: Named, name: str, default: Any) -> Any:
    return value.get(name.lower(), default)


def _first(value: list[Any], test: Callable[[Any], Any] | None = None) -> Any:
    return next(one for one in value if test is None or _truth(test(one)))


_METHODS: tuple[tuple[type, Mapping[str, Callable[..., Any]]], ...] = (
    (
        str,
        {
            "Split": lambda text, *by: text.split(by[0]),
            "StartsWith": lambda text, start, *_: text.startswith(start),
            "EndsWith": lambda text, end, *_: text.endswith(end),
            "Contains": lambda text, part: part in text,
            "ToLowerInvariant": lambda text: text.lower(),
            "ToLower": lambda text: text.lower(),
            "Trim": lambda text: text.strip(),
            "TrimEnd": lambda text, *by: text.rstrip("".join(by)),
            "TrimStart": lambda text, *by: text.lstrip("".join(by)),
            "Substring": lambda text, start, *n: text[start : start + n[0]] if n else text[start:],
            "Replace": lambda text, old, new: text.replace(old, new),
        },
    ),
    (
        list,
        {
            "Skip": lambda items, number: items[number:],
            "Take": lambda items, number: items[:number],
            "Select": lambda items, make: [make(one) for one in items],
            "SelectMany": lambda items, make: [inner for one in items for inner in make(one)],
            "Where": lambda items, test: [one for one in items if _truth(test(one))],
            "Any": lambda items, *test: any(_truth(test[0](one)) for one in items) if test else bool(items),
            "All": lambda items, test: all(_truth(test(one)) for one in items),
            "First": _first,
            "Contains": lambda items, one: one in items,
        },
    ),
    (
        Named,
        {
            "ContainsKey": lambda items, name: name.lower() in items,
            "GetValueOrDefault": _named,
        },
    ),
    (
        dict,
        {
            "ContainsKey": lambda items, name: name in items,
            "GetValueOrDefault": lambda items, name, default: items.get(name, default),
        },
    ),
)

_STATICS: Mapping[str, Callable[..., Any]] = {
    "string.Concat": lambda *items: "".join(items[0] if len(items) == 1 and isinstance(items[0], list) else items),
    "string.Join": lambda by, items: by.join(items),
    "string.IsNullOrEmpty": lambda text: not text,
    "Regex.IsMatch": lambda text, pattern: re.search(pattern, text) is not None,
}
