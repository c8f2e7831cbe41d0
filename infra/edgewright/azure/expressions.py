"""The only C# that policies hold: short reviewed templates, whose holes take names and texts that are escaped here.

A text of a spec gets into code as a C# string literal alone, in which everything but letters, digits and a few signs is
written as ``\\uXXXX`` (C# specification, 6.4.5.6); so it can end neither the literal, nor the attribute, nor begin a
reference to a named value (``{{name}}``), which API Management replaces before it reads the code.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PLAIN = re.compile(r"[A-Za-z0-9 _./:|+=-]")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Code:
    """A policy expression, ``@(...)`` or ``@{...}``. Only this module makes them."""

    text: str


def literal(value: str) -> str:
    """A C# string literal."""
    return '"' + "".join(char if _PLAIN.fullmatch(char) else _escaped(char) for char in value) + '"'


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def text(value: str) -> "str | Code":
    """A text as the value of an attribute or element that takes expressions: plain where that has one reading only."""
    if "{{" in value or value.startswith("@"):
        return Code(f"@({literal(value)})")
    return value


def is_plain(value: str) -> bool:
    """Whether a text can stand where no expression may, and still mean itself."""
    return "{{" not in value and not value.startswith("@")


def _name(value: str) -> str:
    """A name of our own for a variable, as a literal."""
    if not _NAME.fullmatch(value):
        raise ValueError(value)
    return f'"{value}"'


# -- which settings an operation has -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """A match of a header or a query parameter: kind ``exact``, ``prefix``, ``regex``, ``present``; value of `present`
    is ``true`` or ``false``."""

    source: str
    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What an operation has: the first whose conditions all hold; the last one may have none."""

    conditions: tuple[Condition, ...]
    settings: str


def lookup(operations: Mapping[str, Sequence[Choice]], missing: str) -> Code:
    """The settings of the operation that is called, found by one look-up on its id; ``missing`` where it has none.

    Operations with the same choices stand together, in the order of their ids: the code of one changes with it alone.
    """
    groups: dict[tuple[Choice, ...], list[str]] = {}
    for operation in sorted(operations):
        groups.setdefault(tuple(operations[operation]), []).append(operation)
    lines = ["@{", "    switch (context.Operation.Id.ToLowerInvariant()) {"]
    for choices, names in sorted(groups.items(), key=lambda item: item[1][0]):
        lines += [f"        case {literal(name)}:" for name in names]
        for choice in choices:
            told = f"return {literal(choice.settings)};"
            if choice.conditions:
                told = f"if ({' && '.join(_holds(item) for item in choice.conditions)}) {{ {told} }}"
            lines.append(f"            {told}")
        if not choices or choices[-1].conditions:
            lines.append(f"            return {literal(missing)};")
    lines += ["        default:", f"            return {literal(missing)};", "    }", "}"]
    return Code("\n".join(lines))


def _holds(item: Condition) -> str:
    where = {"header": "context.Request.Headers", "query": "context.Request.Url.Query"}[item.source]
    name = literal(item.name)
    if item.kind == "present":
        there = f"{where}.ContainsKey({name})"
        return there if item.value == "true" else f"!{there}"
    # The parentheses of GetValueOrDefault hold the whole value; a header that is sent twice is joined by commas.
    value = f'{where}.GetValueOrDefault({name}, "")'
    if item.kind == "exact":
        return f"{where}.ContainsKey({name}) && {value} == {literal(item.value)}"
    if item.kind == "prefix":
        return f"{value}.StartsWith({literal(item.value)}, StringComparison.Ordinal) && {where}.ContainsKey({name})"
    pattern = literal(f"^(?:{item.value})$")
    return f"{where}.ContainsKey({name}) && Regex.IsMatch({value}, {pattern})"


def part(variable: str, index: int) -> Code:
    """One part of a text of settings that are divided by ``|``."""
    return Code(f"@(((string)context.Variables[{_name(variable)}]).Split('|')[{int(index)}])")


def is_(variable: str, value: str) -> Code:
    """Whether a variable holds a text."""
    return Code(f"@((string)context.Variables[{_name(variable)}] == {literal(value)})")


# -- tokens and keys ---------------------------------------------------------------------------------------------------

TOKEN = "token"  # noqa: S105 (the name of a variable)
"""The variable that holds a token that was checked."""


def _token() -> str:
    return f'((Jwt)context.Variables["{TOKEN}"])'


def algorithm_is_none_of(algorithms: Sequence[str]) -> Code:
    """Whether a checked token is signed in another way than these."""
    known = ", ".join(literal(item) for item in algorithms)
    return Code(f"@(!(new [] {{ {known} }}).Contains({_token()}.Algorithm))")


def _claim(name: str) -> str:
    """The values of a claim as one array: a list claim has several, a scope claim words between spaces.

    Not by ``GetValueOrDefault``, which joins the values by commas.
    """
    return f"({_token()}.Claims.ContainsKey({literal(name)}) ? {_token()}.Claims[{literal(name)}] : new string[0])"


def lacks_a_scope(claim: str, scopes: Sequence[str]) -> Code:
    """Whether a token lacks any of these scopes."""
    return Code(
        f"@((new [] {{ {_listed(scopes)} }}).Any(one => !{_claim(claim)}.SelectMany(v => v.Split(' ')).Contains(one)))"
    )


def lacks_all_scopes(claim: str, scopes: Sequence[str]) -> Code:
    """Whether a token has none of these scopes."""
    return Code(
        f"@(!(new [] {{ {_listed(scopes)} }}).Any(one => {_claim(claim)}.SelectMany(v => v.Split(' ')).Contains(one)))"
    )


def lacks_claim(name: str, values: Sequence[str]) -> Code:
    """Whether a claim has none of these values."""
    return Code(f"@(!(new [] {{ {_listed(values)} }}).Any(one => {_claim(name)}.Contains(one)))")


def _listed(values: Sequence[str]) -> str:
    return ", ".join(literal(item) for item in values)


def comes_without_key_of(product: str) -> Code:
    """Whether a request has no key of a product; keys that are bad were refused before any policy."""
    return Code(
        f"@(context.Subscription == null || context.Product == null || context.Product.Id != {literal(product)})"
    )


# -- whom a limit counts -----------------------------------------------------------------------------------------------

_WHO = {
    "api_key": 'context.Subscription == null ? "" : "api_key:" + context.Subscription.Id',
    "subject": (
        f'!context.Variables.ContainsKey("{TOKEN}") || string.IsNullOrEmpty({_token()}.Subject) ? "" : '
        f'"subject:" + {_token()}.Subject'
    ),
    "ip": '"ip:" + context.Request.IpAddress',
}


def counter(bucket: str, window: str, order: Sequence[str], header: str | None) -> Code:
    """The key of a counter: the bucket, the window, and the first of ``order`` that the request has.

    All counters of a service share one space of keys, so bucket and window stand first, each with its length: no
    value that a client sends can make another bucket's key.
    """
    head = literal(f"{len(bucket)}:{bucket}:{window}:")
    whom = [f"({_WHO[kind]})" if kind != "header" else f"({_of_header(header or '')})" for kind in order]
    if not whom:
        return Code(f"@({head})")
    if order[-1] != "ip":
        whom.append(f"({_WHO['ip']})")
    found = "new [] { " + ", ".join(whom) + ' }.First(one => one != "")'
    return Code(f"@({head} + {found})")


def _of_header(name: str) -> str:
    value = f'context.Request.Headers.GetValueOrDefault({literal(name)}, "")'
    return f'{value} == "" ? "" : "header:" + {value}'


# -- where a request goes on -------------------------------------------------------------------------------------------


def below(prefix: str, segments: int) -> Code:
    """The path of a request with another prefix in place of its first segments."""
    way = "context.Request.OriginalUrl.Path.Split('/')"
    rest = f'string.Concat({way}.Skip({int(segments) + 1}).Select(one => "/" + one))'
    return Code(f"@({literal(prefix)} + {rest})" if prefix else f'@({rest} == "" ? "/" : {rest})')


def location(origin: str, path: str | None, keep_rest: int | None) -> Code:
    """Where a redirect leads, the query kept. origin: empty for the same host; keep_rest: segments that ``path``
    stands for."""
    start = literal(origin) if origin else '"https://" + context.Request.OriginalUrl.Host'
    if path is None:
        way = "context.Request.OriginalUrl.Path"
    elif keep_rest is None:
        way = literal(path)
    else:
        way = f"{literal(path.rstrip('/'))} + {below('', keep_rest).text[2:-1]}"
    return Code(f"@({start} + ({way}) + context.Request.OriginalUrl.QueryString)")


def filled_path(pieces: Sequence[str | int]) -> Code:
    """A path of literal segments, and of the request's own by their number."""
    words = [
        f"\"/\" + context.Request.OriginalUrl.Path.Split('/')[{piece + 1}]"
        if isinstance(piece, int)
        else literal(f"/{piece}")
        for piece in pieces
    ]
    return Code(f"@({' + '.join(words) or literal('/')})")


def variable(name: str) -> Code:
    """A text that was put into a variable."""
    return Code(f"@((string)context.Variables[{_name(name)}])")


def number(name: str) -> Code:
    """A number that was put into a variable."""
    return Code(f"@((int)context.Variables[{_name(name)}])")


def status_is(status: int) -> Code:
    """Whether the variable ``status`` is this."""
    return Code(f'@((int)context.Variables["status"] == {int(status)})')


def token_subject() -> Code:
    """Who asks, by the token."""
    return Code(f'@("subject:" + {_token()}.Subject)')


def whole_query() -> Code:
    """The query of a request, for a cache that varies by all of it."""
    return Code("@(context.Request.OriginalUrl.QueryString)")


def key_product() -> Code:
    """Who asks, by the API key."""
    return Code('@("key:" + context.Subscription.Id)')


_TRIES = {
    "connect-failure": "context.Response == null",
    "reset": "context.Response == null",
    "gateway-error": "context.Response == null || new [] { 502, 503, 504 }.Contains(context.Response.StatusCode)",
    "5xx": "context.Response == null || context.Response.StatusCode >= 500",
}


def tries_again(on: Sequence[str], statuses: Sequence[int], *, non_idempotent: bool) -> Code:
    """Whether a request is tried again after an answer, or after none."""
    words = [_TRIES[item] for item in on]
    if statuses:
        listed = ", ".join(str(int(item)) for item in statuses)
        words.append(f"context.Response != null && new [] {{ {listed} }}.Contains(context.Response.StatusCode)")
    asked = " || ".join(f"({item})" for item in dict.fromkeys(words))
    if non_idempotent:
        return Code(f"@({asked})")
    safe = 'new [] { "GET", "HEAD", "OPTIONS", "PUT", "DELETE" }.Contains(context.Request.Method)'
    return Code(f"@({safe} && ({asked}))")


# -- errors ------------------------------------------------------------------------------------------------------------

_REASONS: Sequence[tuple[Sequence[str], int, str]] = (
    (("OperationNotFound",), 404, "Not found"),
    (("SubscriptionKeyNotFound", "SubscriptionKeyInvalid"), 401, "Unauthorized"),
    (("RateLimitExceeded", "QuotaExceeded"), 429, "Too many requests"),
    (("BackendConnectionFailure",), 502, "Bad gateway"),
    (("Timeout",), 504, "Gateway timeout"),
)


def problem_status() -> Code:
    """The status of an error, by its reason; what is not known keeps the status that it has."""
    lines = ["@{", "    switch (context.LastError.Reason) {"]
    for reasons, status, _title in _REASONS:
        lines += [f"        case {literal(reason)}:" for reason in reasons]
        lines.append(f"            return {status};")
    lines += ["        default:"]
    lines += ['            return context.LastError.Source == "validate-jwt" ? 401 : context.Response.StatusCode;']
    lines += ["    }", "}"]
    return Code("\n".join(lines))


def retry_after() -> Code:
    """When to come back, as the limit has said it."""
    return Code('@(context.Response.Headers.GetValueOrDefault("Retry-After", "1"))')


def problem_body(status: int | None, title: str) -> Code:
    """A problem document (RFC 9457) for a status, or for that of the response."""
    number = str(status) if status is not None else '(int)context.Variables["status"]'
    name = literal(title) if title else '"Error"'
    return Code(
        '@(new JObject(new JProperty("type", "about:blank"), '
        f'new JProperty("title", {name}), new JProperty("status", {number}), '
        'new JProperty("instance", context.Request.OriginalUrl.Path), '
        'new JProperty("request_id", context.RequestId)).ToString(Newtonsoft.Json.Formatting.None))'
    )
