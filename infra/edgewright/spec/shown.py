"""Shows values and expectations in messages: as they are written in YAML, cut short, and never a secret."""

import re
from collections.abc import Iterable
from typing import Any, cast

from edgewright.spec import schema
from edgewright.spec.problems import Path, printable

_LONGEST = 60
_SECRET_NAME = re.compile(r"(?i)secret|passw|token|credential$|private|authorization|cookie|api.?key|jwks")
_SECRET_VALUE = re.compile(
    r"-----BEGIN"  # PEM
    r"|\beyJ[A-Za-z0-9_-]{8}"  # a JSON Web Token
    r"|://[^/\s@]*@"  # a password in a URL
    r"|(?i:bearer|basic)\s+\S{8}"
)
_LONG_KEY = re.compile(r"[A-Za-z0-9+_-]{24,}")


def shown(value: object, path: Path = ()) -> str:
    """The value as a reader of the spec would recognise it; what may be a secret is only named as such."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value) if isinstance(value, float) or abs(value) < 10**_LONGEST else "a huge number"
    if isinstance(value, str):
        if value and is_secret(value, path):
            return "a text that may be secret"
        text = printable(value[: _LONGEST + 1])
        return f'"{text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."}"'
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    return "nothing" if value is None else f"a Python {type(value).__name__}"


def is_secret(value: str, path: Path = ()) -> bool:
    """Whether a text looks like a credential, or stands where one would."""
    names = [part for part in path if isinstance(part, str)]
    begin = value[:4096]
    # Keys made by machines have letters and digits. (One expression for both takes a time that grows with the square.)
    keys = any(re.search("[0-9]", word) and re.search("[A-Za-z]", word) for word in _LONG_KEY.findall(begin))
    return keys or bool(_SECRET_VALUE.search(begin) or (names and _SECRET_NAME.search(names[-1])))


def expected(schemas: list[dict[str, Any]]) -> str:
    """What may stand in a place, in words: ``a whole number between 1 and 65535``."""
    forms = [form for item in schemas for form in schema.forms(item)]
    words = list(dict.fromkeys(word for form in forms for word in _words(form)))
    return either(words) if words else "something else"


def either(words: Iterable[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *most, last = list(words)
    return f"{', '.join(most)} or {last}" if most else last


def choices(schemas: list[dict[str, Any]]) -> list[str]:
    """The words that may stand in a place, where those are given one by one."""
    forms = [form for item in schemas for form in schema.forms(item)]
    named = [form.get("enum", [form["const"]] if "const" in form else []) for form in forms]
    return [word for words in named for word in cast("list[object]", words) if isinstance(word, str)]


def example(schemas: list[dict[str, Any]]) -> str:
    """An example of what may stand in a place, as it is written in YAML."""
    for form in [form for item in schemas for form in schema.forms(item)]:
        for found in (form.get("examples"), form.get("enum"), [form["const"]] if "const" in form else None):
            if found:
                return _yaml(found[0])
        if form.get("type") == "array":
            return f"[{example([form['items']])}]"
        if form.get("type") == "object" and form.get("required"):
            fields = (f"{name}: {example([form['properties'][name]])}" for name in form["required"])
            return "{" + ", ".join(fields) + "}"
    return "..."


def _words(form: dict[str, Any]) -> list[str]:
    kind = form.get("type")
    if "enum" in form or "const" in form:
        return [f"`{_yaml(item)}`" for item in form.get("enum", [form.get("const")])]
    if kind in ("integer", "number"):
        return [("a whole number" if kind == "integer" else "a number") + _bounds(form)]
    if kind == "boolean":
        return ["`true`", "`false`"]
    if kind == "string":
        title = str(form.get("title", ""))
        name = title if 0 < len(title) <= 30 else "a text"
        return [f"{name} such as `{form['examples'][0]}`" if form.get("examples") else name]
    if kind == "array":
        return [f"a list such as `[{example([form['items']])}]`"]
    return [_mapping(form)]


def _mapping(form: dict[str, Any]) -> str:
    if form.get("required"):
        return f"a mapping such as `{example([form])}`"
    names = [f"`{name}`" for name in form.get("properties", {})]
    return f"a mapping ({', '.join([*names[:4], '...'] if len(names) > 5 else names)})" if names else "a mapping"


def _bounds(form: dict[str, Any]) -> str:
    low, high = form.get("minimum"), form.get("maximum")
    above, below = form.get("exclusiveMinimum"), form.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" between {_number(low)} and {_number(high)}"
    words = [
        f"{word} {_number(bound)}"
        for word, bound in (("of at least", low), ("above", above), ("of at most", high), ("below", below))
        if bound is not None
    ]
    return " " + " and ".join(words).replace("and of", "and") if words else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _yaml(value: object) -> str:
    """A scalar as it is written in YAML; texts that would be read as numbers are in quotes."""
    if isinstance(value, str) and (value == "*" or re.fullmatch(r"[0-9.]+", value)):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)
