"""GitHub's expressions, as far as these workflows use them: contexts, comparison, `&&`, `||`, `!`, and a few functions.

After https://docs.github.com/actions/reference/evaluate-expressions-in-workflows-and-actions. What is not known here is an
error, so that no condition is passed over.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<op>==|!=|&&|\|\||[!(),])|(?P<name>[A-Za-z_][\w.-]*))")
_STATUS = re.compile(r"\b(?:cancelled|always|success|failure)\(\)")

Contexts = Mapping[str, Any]


def substitute(text: str, contexts: Contexts) -> str:
    """A text with its ``${{ }}`` replaced."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: shown(evaluate(found[1], contexts)), text, flags=re.DOTALL)


def condition(text: str | None, contexts: Contexts, *, failed: bool) -> bool:
    """Whether a step or job with this `if` runs, after ``failed`` or not."""
    if text is None:
        return not failed
    found = re.fullmatch(r"\s*\$\{\{(.*)\}\}\s*", text, flags=re.DOTALL)
    expression = found[1] if found else text
    if not _STATUS.search(expression) and failed:
        return False
    functions = {"success": lambda: not failed, "failure": lambda: failed}
    return bool(evaluate(expression, contexts, functions))


def shown(value: Any) -> str:
    """A value as it stands in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def evaluate(text: str, contexts: Contexts, functions: Mapping[str, Callable[[], bool]] | None = None) -> Any:
    """The value of an expression."""
    parser = _Parser(text, contexts, functions or {})
    value = parser.either()
    assert parser.token is None, f"what is {parser.token!r} in {text!r}?"
    return value


class _Parser:
    def __init__(self, text: str, contexts: Contexts, functions: Mapping[str, Callable[[], bool]]) -> None:
        self._text, self._at = text.rstrip(), 0
        self._contexts, self._functions = contexts, functions
        self.token: tuple[str, str] | None = None
        self._next()

    def _next(self) -> tuple[str, str] | None:
        before, self.token = self.token, None
        if self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            assert found, f"this is no expression: {self._text!r}"
            self._at = found.end()
            self.token = cast("tuple[str, str]", (found.lastgroup, found[found.lastgroup or 0]))
        return before

    def _take(self, operator: str) -> bool:
        if self.token == ("op", operator):
            self._next()
            return True
        return False

    def either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = other if value else value
        return value

    def _compared(self) -> Any:
        value = self._single()
        for operator in ("==", "!="):
            if self._take(operator):
                same = shown(value).lower() == shown(self._single()).lower()
                return same == (operator == "==")
        return value

    def _single(self) -> Any:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            value = self.either()
            assert self._take(")")
            return value
        kind, text = self._next() or ("", "")
        if kind == "text":
            return text[1:-1].replace("''", "'")
        assert kind == "name", f"an expression ends in {self._text!r}"
        return self._call(text) if self._take("(") else self._look_up(text)

    def _call(self, name: str) -> Any:
        given: list[Any] = []
        while not self._take(")"):
            given.append(self.either())
            self._take(",")
        if name in self._functions:
            return self._functions[name]()
        known: Mapping[str, Callable[..., Any]] = {
            "cancelled": lambda: False,
            "always": lambda: True,
            "format": _format,
            "fromJSON": json.loads,
            "startsWith": _starts_with,
        }
        return known[name](*given)

    def _look_up(self, name: str) -> Any:
        if name in ("true", "false"):
            return name == "true"
        first, *rest = name.split(".")
        assert first in self._contexts, f"there is no context `{first}` here"
        value: Any = self._contexts[first]
        for part in rest:
            value = cast("Mapping[str, Any]", value).get(part) if isinstance(value, Mapping) else None
        return "" if value is None else value


def _format(text: str, *values: Any) -> str:
    return re.sub(r"\{(\d)\}", lambda found: shown(values[int(found[1])]), text)


def _starts_with(text: Any, start: Any) -> bool:
    return shown(text).lower().startswith(shown(start).lower())
