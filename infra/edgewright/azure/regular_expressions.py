"""RE2, in which specs write, in the syntax of .NET, in which policies match: translated, or refused.

Sources: RE2's page "Syntax" and Microsoft's "Regular Expression Language". Refused is what .NET has not, and what those
who read a spec do not agree on: Python checks it, Envoy (RE2) runs it. Characters beyond U+FFFF are two to .NET: a dot
takes one of the two.
"""

import re

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
"""ASCII alone, as in RE2; .NET's own take the digits and letters of all scripts."""

_OTHERS = {
    "D": r"\u0000-\u002f\u003a-\uffff",
    "W": r"\u0000-\u002f\u003a-\u0040\u005b-\u005e\u0060\u007b-\uffff",
    "S": r"\u0000-\u0008\u000b\u000e-\u001f\u0021-\uffff",
}
"""What is not in `_CLASSES`."""

_WORD = f"[{_CLASSES['w']}]"
_EDGES = {
    "b": f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    "B": f"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
}
_SAME = frozenset("afnrtv")
_SPECIAL = frozenset(r"\*+?|{}[]()^$.#-")
_TOKEN = re.compile(
    r"(?P<named>\(\?P<\w+>)|(?P<group>\(\?(?:[is]*(?:-[is]+)?):|\((?!\?))"
    r"|(?P<repeat>\{[0-9]+(?:,[0-9]*)?\}|[*+?])|(?P<sign>[|).^])|(?P<end>\$)"
    r"|(?P<hex>\\x[0-9A-Fa-f]{2})|(?P<escape>\\.)|(?P<set>\[)|(?P<wrong>\(\?|\{,[0-9]*\}|\\)|(?P<char>.)",
    re.DOTALL,
)


class PatternError(ValueError):
    """A pattern that has no reading in .NET that all agree on."""


def to_net(pattern: str) -> str:
    """The pattern as .NET reads it. Raises PatternError; its text says why."""
    flags = re.match(r"\(\?([is]+)\)", pattern)
    if flags is not None:
        return f"(?{flags[1]}:{to_net(pattern[flags.end() :])})"
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        if found is None:
            raise AssertionError(pattern[at:])
        at = found.end()
        if found.lastgroup == "set":
            told, at = _set(pattern, at)
            parts.append(told)
        else:
            parts.append(_token(found.lastgroup or "", found[0]))
    return "".join(parts)


def _token(kind: str, text: str) -> str:
    match kind:
        case "named":
            return "("
        case "group" | "repeat" | "sign" | "hex":
            return text
        case "end":
            return r"\z"  # .NET's `$` stands before a last line break too
        case "escape":
            return _escape(text[1])
        case "char":
            return f"(?:{text})" if text > "\uffff" else _literal(text)
        case _:
            raise PatternError(f"`{text}` is not RE2, or is read in several ways")


def _escape(letter: str) -> str:
    if letter in _CLASSES:
        return f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES:
        return f"[^{_CLASSES[letter.lower()]}]"
    if letter in _EDGES:
        return _EDGES[letter]
    if letter in "Az":
        return f"\\{letter}"
    return _plain_escape(letter)


def _plain_escape(letter: str) -> str:
    """An escape for one character."""
    if letter in _SAME:
        return f"\\{letter}"
    if letter.isascii() and not letter.isalnum():
        return _literal(letter)
    raise PatternError(f"`\\{letter}` is not RE2, or is read in several ways")


def _literal(char: str) -> str:
    return f"\\{char}" if char in _SPECIAL else char


def _set(pattern: str, at: int) -> tuple[str, int]:
    """A set of characters, from behind its bracket, and the place behind it."""
    parts = ["["]
    if pattern.startswith("^", at):
        parts.append("^")
        at += 1
    first = True
    while first or not pattern.startswith("]", at):
        low, at = _member(pattern, at)
        first = False
        if pattern.startswith("-", at) and not pattern.startswith("]", at + 1):
            high, at = _member(pattern, at + 1)
            low = f"{low}-{high}"
        parts.append(low)
    return "".join((*parts, "]")), at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    """One member of a set. A bracket inside is itself: .NET would take sets away by it."""
    char = pattern[at : at + 1]
    if not char or char > "\uffff":
        raise PatternError("a set of characters has none beyond U+FFFF in .NET")
    if pattern.startswith("[:", at):
        raise PatternError("classes by name, such as `[:alpha:]`, are read in several ways")
    if char != "\\":
        return _literal(char), at + 1
    number = re.compile(r"\\x[0-9A-Fa-f]{2}").match(pattern, at)
    if number is not None:
        return number[0], number.end()
    letter = pattern[at + 1 : at + 2]
    return _CLASSES.get(letter) or _OTHERS.get(letter) or _plain_escape(letter), at + 2
