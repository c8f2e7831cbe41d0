"""The only C# that policies hold: short reviewed templates, whose holes take names and texts that are escaped here.

A text of a spec gets into code as a C# string literal alone, in which everything but letters, digits and a few signs is
written as ``\\uXXXX`` (C# specification, 6.4.5.6); so it can end neither the literal, nor the attribute, nor begin a
reference to a named value (``{{name}}``), which API Management replaces before it reads the code.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgewright.azure.regular_expressions import to_net

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 _./:|+=-]")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Code:
    """A policy expression, ``@(...)`` or ``@{...}``. Only this module makes them."""

    text: str


def literal(value: str) -> str:
    """A C# string literal."""
    return '"' + _NOT_PLAIN.sub(lambda match: _escaped(match[0]), value) + '"'


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


# A gateway trims a value before it looks for code, as Microsoft's samples of `set-body` have it, and it replaces
# `{{name}}` anywhere before it reads anything. XML 1.0 (2.2, 2.11) has these characters alone, and CR is a line break.
_READ_OTHERWISE = re.compile(
    r"\A[\s\u200b\ufeff]|[\s\u200b\ufeff]\Z|\A@|\{\{|[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def is_plain(value: str) -> bool:
    """Whether a text of a policy means itself: as it is printed it is neither code, nor a named value, nor changed by
    being trimmed or by XML."""
    return _READ_OTHERWISE.search(value) is None


def text(value: str) -> "str | Code":
    """A text as the value of an attribute or element that takes expressions: as it is where it is plain."""
    return value if is_plain(value) else Code(f"@({literal(value)})")


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
    where = _WHERE[item.source]
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
    pattern = literal(f"^(?:{to_net(item.value)})\\z")
    return f"{where}.ContainsKey({name}) && Regex.IsMatch({value}, {pattern}, {_MATCHED})"


# RE2 never takes long; .NET tries ways out, and may take for ever: what a client sends is given up and refused (500).
_MATCHED = "RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(250)"


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


# -- opaque tokens -----------------------------------------------------------------------------------------------------

BEARER = "bearer"
"""The variable that holds a token as it was sent; empty without one."""

INTROSPECTED = "introspected"
"""The variable that holds what is known of an opaque token, as JSON."""

SUBJECT = "subject"
"""The variable that holds the subject of an opaque token; empty where it has none."""

FAILED, INACTIVE = "failed", "inactive"
"""What `INTROSPECTED` holds in place of JSON: the endpoint gave no answer that can be read, or said no."""

_SENT = f'(string)context.Variables["{BEARER}"]'
_KNOWN = f'JObject.Parse((string)context.Variables["{INTROSPECTED}"])'
_SHA256 = "System.Security.Cryptography.SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes({}))"


def bearer() -> Code:
    """The token of ``Authorization: Bearer``, empty without one; it has the signs that RFC 6750, 2.1 lets it have."""
    return Code(
        """@{
    var sent = context.Request.Headers.GetValueOrDefault("Authorization", "");
    var word = sent.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? sent.Substring(7).Trim() : "";
    return Regex.IsMatch(word, "^[A-Za-z0-9._~+/-]+=*\\\\z") ? word : "";
}"""
    )


def kept_under(prefix: str) -> Code:
    """The key of what is known of a token: the authorizer and a digest, so that no cache holds a token."""
    digest = f"Convert.ToBase64String({_SHA256.format(_SENT)})"
    return Code(f'@({literal(prefix)} + (string)context.Variables["auth"] + ":" + {digest})')


def introspection_form() -> Code:
    """The form that asks for a token (RFC 7662, 2.1)."""
    return Code(f'@("token=" + System.Uri.EscapeDataString({_SENT}) + "&token_type_hint=access_token")')


def introspected(response: str) -> Code:
    """The endpoint's answer as JSON if the token is active, else `INACTIVE`; `FAILED` for all that is no answer."""
    name = _name(response)
    return Code(
        f"""@{{
    var answer = context.Variables.ContainsKey({name}) ? (IResponse)context.Variables[{name}] : null;
    if (answer == null || answer.StatusCode != 200) {{ return "{FAILED}"; }}
    try {{
        var found = answer.Body.As<JObject>();
        if (found["active"].Type != JTokenType.Boolean) {{ return "{FAILED}"; }}
        return (bool)found["active"] ? found.ToString(Newtonsoft.Json.Formatting.None) : "{INACTIVE}";
    }} catch {{ return "{FAILED}"; }}
}}"""
    )


def is_out_of_time(leeway: int) -> Code:
    """Whether an opaque token is past its end, or not valid yet by more than ``leeway`` seconds; also if it says so in
    another way than by a number."""
    return Code(
        f"""@{{
    var known = {_KNOWN};
    var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    try {{
        return (known["exp"] != null && (double)known["exp"] <= now)
            || (known["nbf"] != null && (double)known["nbf"] > now + {int(leeway)});
    }} catch {{ return true; }}
}}"""
    )


def opaque_subject() -> Code:
    """The subject of an opaque token; empty where it has none."""
    return Code(f'@((string)({_KNOWN}["sub"]) ?? "")')


def _member(name: str) -> str:
    """The values of a member of what is known of an opaque token: a list has several."""
    said = "v.Type == JTokenType.Boolean ? v.ToString().ToLowerInvariant() : (string)v"
    return (
        f"(new [] {{ {_KNOWN}[{literal(name)}] }}).Where(v => v != null && v.Type != JTokenType.Null)"
        f".SelectMany(v => v.Type == JTokenType.Array ? v.Children() : Enumerable.Repeat(v, 1)).Select(v => {said})"
    )


def opaque_lacks_a_scope(scopes: Sequence[str]) -> Code:
    """Whether an opaque token lacks any of these scopes (RFC 7662: words between spaces)."""
    return Code(f"@((new [] {{ {_listed(scopes)} }}).Except({_member('scope')}.SelectMany(v => v.Split(' '))).Any())")


def opaque_lacks_all_scopes(scopes: Sequence[str]) -> Code:
    """Whether an opaque token has none of these scopes."""
    held = f"{_member('scope')}.SelectMany(v => v.Split(' '))"
    return Code(f"@(!(new [] {{ {_listed(scopes)} }}).Intersect({held}).Any())")


def opaque_lacks_claim(name: str, values: Sequence[str]) -> Code:
    """Whether what is known of an opaque token has none of these values under a name."""
    return Code(f"@(!(new [] {{ {_listed(values)} }}).Intersect({_member(name)}).Any())")


def kept_for(seconds: Mapping[str, int]) -> Code:
    """Seconds by the value of the variable ``auth``; 1 for others."""
    found = "1"
    for name, value in sorted(seconds.items(), reverse=True):
        found = f'(string)context.Variables["auth"] == {literal(name)} ? {int(value)} : {found}'
    return Code(f"@({found})")


# -- whom a limit counts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Callers:
    """By what a request says who asks. address: the header that holds the client's address, None: the connection has
    it; opaque: whether tokens may be opaque ones, whose subject is in a variable."""

    address: str | None = None
    opaque: bool = False


DIRECT = Callers()
"""Callers whose connections end at the gateway, and whose tokens are JWTs."""

_TOKEN_SUBJECT = (
    f'!context.Variables.ContainsKey("{TOKEN}") || string.IsNullOrEmpty({_token()}.Subject) ? "" : '
    f'"subject:" + {_token()}.Subject'
)
_OPAQUE_SUBJECT = f'(string)context.Variables["{SUBJECT}"]'


def _who(kind: str, header: str | None, callers: Callers) -> str:
    if kind == "api_key":
        return 'context.Subscription == null ? "" : "api_key:" + context.Subscription.Id'
    if kind == "header":
        return _of_header(header or "")
    if kind == "ip":
        return f'"ip:" + {_address(callers)}'
    if not callers.opaque:
        return _TOKEN_SUBJECT
    opaque = f'{_OPAQUE_SUBJECT} == "" ? "" : "subject:" + {_OPAQUE_SUBJECT}'
    return f'context.Variables.ContainsKey("{SUBJECT}") ? ({opaque}) : ({_TOKEN_SUBJECT})'


def _address(callers: Callers) -> str:
    if callers.address is None:
        return "context.Request.IpAddress"
    return f'context.Request.Headers.GetValueOrDefault({literal(callers.address)}, "")'


def counter(bucket: str, window: str, order: Sequence[str], header: str | None, callers: Callers = DIRECT) -> Code:
    """The key of a counter: the bucket, the window, and the first of ``order`` that the request has.

    All counters of a service share one space of keys, so bucket and window stand first, each with its length: no
    value that a client sends can make another bucket's key.
    """
    return _counter(literal(f"{len(bucket)}:{bucket}:{window}:"), order, header, callers)


def counter_in(variable: str, window: str, order: Sequence[str], header: str | None, callers: Callers = DIRECT) -> Code:
    """As `counter`, for the bucket that a variable names."""
    bucket = f"(string)context.Variables[{_name(variable)}]"
    return _counter(f'({bucket}).Length + ":" + {bucket} + {literal(f":{window}:")}', order, header, callers)


def _counter(head: str, order: Sequence[str], header: str | None, callers: Callers) -> Code:
    whom = [f"({_who(kind, header, callers)})" for kind in order]
    if not whom:
        return Code(f"@({head})")
    if order[-1] != "ip":
        whom.append(f"({_who('ip', None, callers)})")
    found = "new [] { " + ", ".join(whom) + ' }.First(one => one != "")'
    return Code(f"@({head} + {found})")


def _of_header(name: str) -> str:
    value = f'context.Request.Headers.GetValueOrDefault({literal(name)}, "")'
    return f'{value} == "" ? "" : "header:" + {value}'


# -- what stands around a gateway --------------------------------------------------------------------------------------


def on_managed_gateway() -> Code:
    """Whether Azure's own gateway runs the policy, and no self-hosted one."""
    return Code("@(context.Deployment.Gateway.IsManaged)")


def has_no_header(name: str) -> Code:
    """Whether a request has no such header, or an empty one."""
    return Code(f'@(context.Request.Headers.GetValueOrDefault({literal(name)}, "") == "")')


# -- what a request must be like ---------------------------------------------------------------------------------------

_WHERE = {"header": "context.Request.Headers", "query": "context.Request.Url.Query"}


def lacks_a_parameter(variable: str, value: str, names: Sequence[tuple[str, str]]) -> Code:
    """Whether a variable holds a text, and a request lacks one of these parameters: (``header`` or ``query``, name)."""
    there = " && ".join(f"{_WHERE[where]}.ContainsKey({literal(name)})" for where, name in names)
    return Code(f"@((string)context.Variables[{_name(variable)}] == {literal(value)} && !({there}))")


def is_one_of(variable: str, values: Sequence[str], body: bool | None = None) -> Code:
    """Whether a variable holds one of these texts; body: and the request has one, or has none."""
    held = f"(string)context.Variables[{_name(variable)}]"
    found = (
        f"{held} == {literal(values[0])}" if len(values) == 1 else f"new [] {{ {_listed(values)} }}.Contains({held})"
    )
    if body is not None:
        found += f" && context.Request.Body {'!=' if body else '=='} null"
    return Code(f"@({found})")


# -- which part of a long policy a request needs -----------------------------------------------------------------------


def bucket_of_operation(count: int) -> Code:
    """The number of the part, of ``count`` ones, that knows the operation: the first byte of its id's digest."""
    return Code(f"@({_SHA256.format('context.Operation.Id.ToLowerInvariant()')}[0] % {int(count)})")


def bucket_of_variable(variable: str, count: int) -> Code:
    """The number of the part, of ``count`` ones, that knows what a variable holds."""
    held = f"(string)context.Variables[{_name(variable)}]"
    return Code(f"@({_SHA256.format(held)}[0] % {int(count)})")


def number_is(variable: str, value: int) -> Code:
    """Whether a variable holds a number."""
    return Code(f"@((int)context.Variables[{_name(variable)}] == {int(value)})")


def is_missing(variable: str) -> Code:
    """Whether a variable was not set, or is empty."""
    name = _name(variable)
    return Code(f"@(!context.Variables.ContainsKey({name}) || string.IsNullOrEmpty((string)context.Variables[{name}]))")


# -- where a request goes on -------------------------------------------------------------------------------------------


_PATH = "context.Request.OriginalUrl.Path"


def _rest(segments: int) -> str:
    """What the path of a request has behind its first segments, with a slash before each; nothing of ``/`` itself."""
    if segments == 0:
        return f'({_PATH} == "/" ? "" : {_PATH})'
    return f"string.Concat({_PATH}.Split('/').Skip({int(segments) + 1}).Select(one => \"/\" + one))"


def _below(prefix: str, segments: int) -> str:
    rest = _rest(segments)
    return f"{literal(prefix)} + {rest}" if prefix else f'({rest} == "" ? "/" : {rest})'


def below(prefix: str, segments: int) -> Code:
    """The path of a request with another prefix in place of its first segments. prefix: without a slash at its end,
    empty: none."""
    return Code(f"@({_below(prefix, segments)})")


@dataclass(frozen=True, slots=True)
class Host:
    """By which name a client asks. header: in which what stands before the gateway says it, since it asks the gateway
    by another one; None: the request has it. known: the names that it may be; the first stands for any other."""

    header: str | None = None
    known: tuple[str, ...] = ()


ASKED = Host()
"""The name by which the gateway itself is asked."""


def _host(host: Host) -> str:
    if host.header is None:
        return "context.Request.OriginalUrl.Host"
    if len(host.known) == 1:
        return literal(host.known[0])
    said = f"context.Request.Headers.GetValueOrDefault({literal(host.header)}, "
    if not host.known:
        return f"{said}context.Request.OriginalUrl.Host)"
    same = f'one == {said}"").ToLowerInvariant()'
    return f"(new [] {{ {_listed(host.known)} }}.FirstOrDefault(one => {same}) ?? {literal(host.known[0])})"


def location(origin: str, path: str | None, keep_rest: int | None, host: Host = ASKED) -> Code:
    """Where a redirect leads, the query kept. origin: empty for the host that was asked; keep_rest: segments that
    ``path`` stands for."""
    start = literal(origin) if origin else f'"https://" + {_host(host)}'
    new = literal(path or "") if keep_rest is None else _below((path or "").rstrip("/"), keep_rest)
    return Code(f"@({start} + {_PATH if path is None else new} + context.Request.OriginalUrl.QueryString)")


def filled_path(pieces: Sequence[str | int], rest: int | None = None) -> Code:
    """A path of literal segments, and of the request's own by their number. rest: what the request has behind so many
    segments stands at its end."""
    words = [
        f"\"/\" + {_PATH}.Split('/')[{piece + 1}]" if isinstance(piece, int) else literal(f"/{piece}")
        for piece in pieces
    ]
    if rest is not None:
        words.append(_rest(rest) if words else _below("", rest))
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
    """Who asks, by the token; by one without a subject nobody who could ask again."""
    subject = f"{_token()}.Subject"
    return Code(f'@(string.IsNullOrEmpty({subject}) ? "request:" + context.RequestId : "subject:" + {subject})')


def opaque_user() -> Code:
    """Who asks, by an opaque token: its subject, or the token itself, since some have none."""
    token = f'"token:" + Convert.ToBase64String({_SHA256.format(_SENT)})'
    return Code(f'@({_OPAQUE_SUBJECT} == "" ? {token} : "subject:" + {_OPAQUE_SUBJECT})')


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


def problem_status(*, validated: bool = False) -> Code:
    """The status of an error, by its reason; what is not known keeps the status that it has.

    validated: whether requests are checked against their operation.
    """
    lines = ["@{", "    switch (context.LastError.Reason) {"]
    for reasons, status, _title in _REASONS:
        lines += [f"        case {literal(reason)}:" for reason in reasons]
        lines.append(f"            return {status};")
    lines += ["        default:"]
    known = ['context.LastError.Source == "validate-jwt" ? 401']
    if validated:
        known.append('new [] { "validate-parameters", "validate-content" }.Contains(context.LastError.Source) ? 400')
    lines.append(f"            return {' : '.join(known)} : context.Response.StatusCode;")
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
