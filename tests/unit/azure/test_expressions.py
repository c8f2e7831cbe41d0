"""The C# of policies: that it parses, that no text of a spec becomes code, and what each template means.

What a template means is told by a table: cases of code, a context, and the value that it must have there, worked out
here without the template's help. `csharp_twin` runs the code. A new template needs a table (`@table("its name")`, a
function that yields `Case`); a syntax that the interpreter lacks raises `Unsupported`, and is added there.
"""

import base64
import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csharp
import csharp_twin
import policy_xsd
from csharp_twin import CompileError, Raised, Stub, answer, context, run, token
from edgewright.azure import expressions as cs
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_fragments import bucket
from edgewright.azure.compile_policy import ANYBODY, NONE, PARTS, backend_id
from edgewright.azure.policy import Document, SetVariable
from edgewright.edge.decide import Oracle, Request, key_of
from edgewright.edge.model import Key
from edgewright.edge.paths import fill, match_path, parse_path
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data

GOLDEN = Path(__file__).parents[2] / "golden" / "azure"

HOSTILE = (
    '"); System.IO.File.Delete("x"); //',
    "@(context.Request.IpAddress)",
    "@{ return 1; }",
    "{{secret}}",
    '"/><return-response/><x a="',
    "]]>",
    "--><base/><!--",
    "\\u0022",
    "a\nb",
    "\u2028",
    "\U0001f600",
    "' or ''='",
)


# -- what they mean ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """code: an expression; of: the context that it is asked in; means: its value there, or an exception's type."""

    code: cs.Code
    of: Stub
    means: Any


Cases = Callable[[], Iterator[Case]]
TABLES: dict[str, Cases] = {}


def table(name: str) -> Callable[[Cases], Cases]:
    """Say that these are the cases of the template of this name."""

    def put(cases: Cases) -> Cases:
        TABLES[name] = cases
        return cases

    return put


def templates() -> set[str]:
    """The public functions of `expressions` that make code."""
    return {
        name
        for name, function in inspect.getmembers(cs, inspect.isfunction)
        if function.__module__ == cs.__name__
        and not name.startswith("_")
        and "Code" in str(inspect.signature(function).return_annotation)
    }


def operation(name: str) -> Stub:
    return context(operation=name)


def subsets(items: Sequence[str]) -> Iterator[tuple[str, ...]]:
    yield from chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


@table("text")
def _text() -> Iterator[Case]:
    for value in (
        "@",
        "@x",
        "@(1)",
        "@{ return 1; }",
        "{{a}}",
        "a{{b}}c",
        "{{",
        '@("")',
        "@\u2028",
        " a",
        "a\n",
        "a\rb",
        "\0",
    ):
        code = cs.text(value)
        assert isinstance(code, cs.Code)
        yield Case(code, context(), value)


MATCHES = (
    cs.Condition("header", "x-a", "exact", "v1"),
    cs.Condition("header", "x-a", "exact", ""),
    cs.Condition("header", "x-a", "prefix", "v"),
    cs.Condition("header", "x-a", "prefix", ""),
    cs.Condition("header", "x-a", "regex", "v[0-9]+"),
    cs.Condition("header", "x-a", "regex", "v1|w"),
    cs.Condition("header", "x-a", "regex", ""),
    cs.Condition("header", "x-a", "present", "true"),
    cs.Condition("header", "x-a", "present", "false"),
    cs.Condition("query", "x-a", "exact", "v1"),
    cs.Condition("query", "x-a", "prefix", "v"),
    cs.Condition("query", "x-a", "regex", ".*1"),
    cs.Condition("query", "x-a", "present", "true"),
    cs.Condition("query", "x-a", "present", "false"),
)


def holds(item: cs.Condition, headers: dict[str, str], query: dict[str, str]) -> bool:
    """What a match means."""
    value = ({name.lower(): one for name, one in headers.items()} if item.source == "header" else query).get(item.name)
    if item.kind == "present":
        return (value is not None) is (item.value == "true")
    if value is None:
        return False
    return {
        "exact": value == item.value,
        "prefix": value.startswith(item.value),
        "regex": re.fullmatch(item.value, value) is not None,
    }[item.kind]


@table("lookup")
def _lookup() -> Iterator[Case]:
    plain = cs.lookup({"a": [cs.Choice((), "one")], "b-c": [cs.Choice((), "two")], "d": [cs.Choice((), "one")]}, "no")
    for name, means in (
        ("a", "one"),
        ("A", "one"),
        ("b-c", "two"),
        ("d", "one"),
        ("e", "no"),
        ("", "no"),
        ("aa", "no"),
    ):
        yield Case(plain, operation(name), means)
    values: list[str | None] = [None, "", "v1", "v12", "v", "w", "V1", "xv1", "v1x", 'v"1', "\U0001f600"]
    for item, header, query in product(MATCHES, values, values):
        headers = {} if header is None else {"X-A": header}
        asked = {} if query is None else {"x-a": query}
        code = cs.lookup({"a": [cs.Choice((item,), "found"), cs.Choice((), "else")]}, "no")
        url = "&".join(f"{name}={value}" for name, value in asked.items())
        means = "found" if holds(item, headers, asked) else "else"
        yield Case(code, context(operation="a", request={"headers": headers, "query": url}), means)
    two = (cs.Condition("header", "x-a", "exact", "1"), cs.Condition("query", "b", "present", "true"))
    code = cs.lookup({"a": [cs.Choice(two, "both"), cs.Choice(two[:1], "one")]}, "no")
    for headers, query, means in (
        ({"x-a": "1"}, "b=", "both"),
        ({"x-a": "1"}, "", "one"),
        ({}, "b=1", "no"),
        ({"x-a": "2"}, "b=1", "no"),
    ):
        yield Case(code, context(operation="a", request={"headers": headers, "query": query}), means)


@table("part")
def _part() -> Iterator[Case]:
    for index, word in enumerate(("a", "", "c d", "e")):
        yield Case(cs.part("settings", index), context(variables={"settings": "a||c d|e"}), word)


@table("is_")
def _is() -> Iterator[Case]:
    for one, other in product(("", "a", "A", "a ", 'a"b', "\u0130"), repeat=2):
        yield Case(cs.is_("auth", one), context(variables={"auth": other}), one == other)


@table("algorithm_is_none_of")
def _algorithm() -> Iterator[Case]:
    for known, used in product(
        (("RS256",), ("RS256", "ES256")), ("RS256", "ES256", "none", "HS256", "rs256", "RS25", "")
    ):
        yield Case(
            cs.algorithm_is_none_of(known), context(variables={"token": token(algorithm=used)}), used not in known
        )


WORDS = ("read", "write", "admin")


def tokens(claim: str) -> Iterator[tuple[dict[str, Any], set[str], set[str]]]:
    """Claims of a token, the words between spaces in one of them, and its values as they stand."""
    yield {}, set(), set()
    yield {"other": "read write admin"}, set(), set()
    yield {claim: ""}, {""}, {""}
    for held in subsets(WORDS):
        if held:
            yield {claim: " ".join(held)}, set(held), {" ".join(held)}
            yield {claim: list(held)}, set(held), set(held)
            yield {claim: [" ".join(held), "extra"]}, {*held, "extra"}, {" ".join(held), "extra"}
    yield {claim: "read,write"}, {"read,write"}, {"read,write"}
    yield {claim: "readwrite READ"}, {"readwrite", "READ"}, {"readwrite READ"}
    yield {claim.upper(): "read write admin"}, set(), set()


@table("lacks_a_scope")
def _lacks_a_scope() -> Iterator[Case]:
    for (claims, words, _), needed in product(tokens("scp"), [one for one in subsets(WORDS) if one]):
        yield Case(
            cs.lacks_a_scope("scp", needed),
            context(variables={"token": token("s", claims=claims)}),
            not set(needed) <= words,
        )


@table("lacks_all_scopes")
def _lacks_all_scopes() -> Iterator[Case]:
    for (claims, words, _), needed in product(tokens("scope"), [one for one in subsets(WORDS) if one]):
        yield Case(
            cs.lacks_all_scopes("scope", needed),
            context(variables={"token": token("s", claims=claims)}),
            not set(needed) & words,
        )


@table("lacks_claim")
def _lacks_claim() -> Iterator[Case]:
    wanted = [*(one for one in subsets(WORDS) if one), ("read write",), ("read,write",)]
    for (claims, _, values), needed in product(tokens("role"), wanted):
        yield Case(
            cs.lacks_claim("role", needed),
            context(variables={"token": token("s", claims=claims)}),
            not set(needed) & values,
        )


@table("comes_without_key_of")
def _comes_without_key_of() -> Iterator[Case]:
    for subscription, bought in product((None, "acme"), (None, "gold", "Gold", "silver")):
        good = subscription is not None and bought == "gold"
        yield Case(cs.comes_without_key_of("gold"), context(subscription=subscription, product=bought), not good)


CALLERS: tuple[dict[str, str | None], ...] = tuple(
    {"api_key": key, "subject": subject, "header": header, "ip": "192.0.2.7"}
    for key, subject, header in product((None, "acme"), (None, "", "alice"), (None, "", "north"))
)


def asking(caller: dict[str, str | None]) -> Stub:
    """The context of a caller; a subject None: no token at all."""
    variables = {"token": token(caller["subject"])} if caller["subject"] is not None else {}
    headers = {"x-tenant": caller["header"]} if caller["header"] is not None else {}
    return context(
        variables=variables, subscription=caller["api_key"], request={"headers": headers, "ip": caller["ip"]}
    )


ORDERS: tuple[tuple[str, ...], ...] = (
    (), ("ip",), ("api_key",), ("subject",), ("api_key", "ip"), ("subject", "ip"), ("api_key", "subject", "ip"), ("header", "ip"), ("header",),
)  # fmt: skip


@table("counter")
def _counter() -> Iterator[Case]:
    for order, caller in product(ORDERS, CALLERS):
        who = next((f"{kind}:{caller[kind]}" for kind in (*order, "ip") if caller[kind]), "")
        header = "x-tenant" if "header" in order else None
        means = "8:GET /a:b:m:" + (who if order else "")
        yield Case(cs.counter("GET /a:b", "m", order, header), asking(caller), means)
        at = asking(caller)
        at.values["Request"].values["IpAddress"] = "10.0.0.1"  # of what stands before the gateway
        at.values["Request"].values["Headers"].values["x-client-ip"] = (caller["ip"],)
        yield Case(cs.counter("GET /a:b", "m", order, header, cs.Callers("X-Client-IP")), at, means)
        # An opaque token: its subject is known, and empty where it has none.
        opaque = asking({**caller, "subject": None})
        if caller["subject"] is not None:
            opaque.values["Variables"]["subject"] = caller["subject"]
        for of in (asking(caller), opaque):
            yield Case(cs.counter("GET /a:b", "m", order, header, cs.Callers(opaque=True)), of, means)


@table("counter_in")
def _counter_in() -> Iterator[Case]:
    for order, caller, shared in product(ORDERS, CALLERS[:4], ("", "a", "GET /a:b")):
        who = next((f"{kind}:{caller[kind]}" for kind in (*order, "ip") if caller[kind]), "")
        of = asking(caller)
        of.values["Variables"]["rate-bucket"] = shared
        code = cs.counter_in("rate-bucket", "s", order, "x-tenant" if "header" in order else None)
        yield Case(code, of, f"{len(shared)}:{shared}:s:" + (who if order else ""))


PATHS = ("/v1", "/v1/", "/v1/x", "/v1/x/y", "/v1//x", "/v1/%20")


@table("below")
def _below() -> Iterator[Case]:
    for prefix, path in product(("", "/v2", "/a/b"), PATHS):
        rest = (match_path(parse_path("/v1/*"), path) or {})["*"]
        yield Case(cs.below(prefix, 1), context(request={"path": path}), (prefix + rest) or "/")
    for prefix, path in product(("", "/all"), ("/", "/x", "/x/", "/x/y")):
        rest = (match_path(parse_path("/*"), path) or {})["*"]
        yield Case(cs.below(prefix, 0), context(request={"path": path}), (prefix + rest) or "/")


@table("location")
def _location() -> Iterator[Case]:
    for origin, path, query in product(("", "https://www.example"), PATHS, ("", "a=1&b=2")):
        asked = context(request={"path": path, "query": query, "host": "here.example"})
        start, end = origin or "https://here.example", f"?{query}" if query else ""
        yield Case(cs.location(origin, None, None), asked, start + path + end)
        yield Case(cs.location(origin, "/new", None), asked, start + "/new" + end)
        rest = (match_path(parse_path("/v1/*"), path) or {})["*"]
        yield Case(cs.location(origin, "/", 1), asked, start + (rest or "/") + end)
        yield Case(cs.location(origin, "/new", 1), asked, start + "/new" + rest + end)
        yield Case(cs.location(origin, "/new/", 1), asked, start + "/new" + rest + end)

    # Behind a front, which asks by a name of its own, the client's is in a header.
    one, two = ("api.shop.example",), ("api.shop.example", "shop.example")
    for known, said, means in (
        ((), "any.example", "any.example"),
        ((), None, "gateway.azure-api.net"),
        (one, "api.shop.example", "api.shop.example"),
        (one, "evil.example", "api.shop.example"),
        (two, "shop.example", "shop.example"),
        (two, "SHOP.example", "shop.example"),
        (two, "api.shop.example", "api.shop.example"),
        (two, "evil.example", "api.shop.example"),
        (two, "shop.example,evil.example", "api.shop.example"),
        (two, None, "api.shop.example"),
    ):
        headers = {} if said is None else {"x-original-host": said}
        asked = context(request={"path": "/v1/x", "host": "gateway.azure-api.net", "headers": headers})
        code = cs.location("", "/new", 1, cs.Host("X-Original-Host", known))
        yield Case(code, asked, f"https://{means}/new/x")
        yield Case(cs.location("https://a", "/new", 1, cs.Host("X-Original-Host", known)), asked, "https://a/new/x")


@table("filled_path")
def _filled_path() -> Iterator[Case]:
    route, written = parse_path("/admin/{a}/of/{b}"), parse_path("/x/{b}/{a}/y")
    found = match_path(route, "/admin/one/of/two%20") or {}
    asked = context(request={"path": "/admin/one/of/two%20"})
    yield Case(cs.filled_path(["x", 3, 1, "y"]), asked, fill(written, found))
    yield Case(cs.filled_path(["x"]), asked, "/x")
    yield Case(cs.filled_path([]), asked, "/")
    pieces: tuple[tuple[str | int, ...], ...] = ((), ("x",), (0,), ("x", 0))
    for part, path in product(pieces, PATHS):
        rest = (match_path(parse_path("/v1/*"), path) or {})["*"]
        before = "".join(f"/{'v1' if one == 0 else one}" for one in part)
        yield Case(cs.filled_path(part, 1), context(request={"path": path}), (before + rest) or "/")
    for path in ("/", "/x", "/x/"):
        rest = (match_path(parse_path("/*"), path) or {})["*"]
        yield Case(cs.filled_path(["b"], 0), context(request={"path": path}), "/b" + rest)


@table("variable")
def _variable() -> Iterator[Case]:
    for value in ("", "items", '"'):
        yield Case(cs.variable("backend"), context(variables={"backend": value}), value)


@table("number")
def _number() -> Iterator[Case]:
    for value in (0, 404):
        yield Case(cs.number("status"), context(variables={"status": value}), value)


@table("status_is")
def _status_is() -> Iterator[Case]:
    for one, other in product((401, 429, 500), repeat=2):
        yield Case(cs.status_is(one), context(variables={"status": other}), one == other)


@table("token_subject")
def _token_subject() -> Iterator[Case]:
    for subject in ("alice", "bob"):
        yield Case(cs.token_subject(), context(variables={"token": token(subject)}), f"subject:{subject}")


@table("whole_query")
def _whole_query() -> Iterator[Case]:
    for query in ("", "a=1", "b=2&a=1"):
        yield Case(cs.whole_query(), context(request={"query": query}), f"?{query}" if query else "")


@table("key_product")
def _key_product() -> Iterator[Case]:
    for name in ("acme", "globex"):
        yield Case(cs.key_product(), context(subscription=name), f"key:{name}")


# -- opaque tokens, as RFC 7662 has their answers --


def known(**members: Any) -> Stub:
    """What is known of an opaque token, as a variable."""
    return context(variables={"introspected": json.dumps({"active": True, **members})})


@table("bearer")
def _bearer() -> Iterator[Case]:
    for sent, means in (
        (None, ""),
        ("", ""),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("Bearer abc", "abc"),
        ("bEARER abc", "abc"),
        ("Bearer  abc ", "abc"),
        ("Bearer aA0-._~+/==", "aA0-._~+/=="),
        ("Bearer a b", ""),
        ('Bearer a"b', ""),
        ("Bearer a=b", ""),
        ("Bearer \u00e9", ""),
        ("Bearer abc\ndef", ""),
        ("Basic abc", ""),
        ("Bearerabc", ""),
        ("Bearer abc,Bearer def", ""),
    ):
        headers = {} if sent is None else {"AUTHORIZATION": sent}
        yield Case(cs.bearer(), context(request={"headers": headers}), means)


def digest(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()


@table("kept_under")
def _kept_under() -> Iterator[Case]:
    for prefix, word, by in product(("", "introspection:shop:"), ("abc", "abd"), ("by main", "by other")):
        of = context(variables={"bearer": word, "auth": by})
        yield Case(cs.kept_under(prefix), of, f"{prefix}{by}:{digest(word)}")


@table("introspection_form")
def _introspection_form() -> Iterator[Case]:
    for word, shown in (("abc", "abc"), ("a+/=", "a%2B%2F%3D"), ("a~-._", "a~-._")):
        yield Case(
            cs.introspection_form(),
            context(variables={"bearer": word}),
            f"token={shown}&token_type_hint=access_token",
        )


@table("introspected")
def _introspected() -> Iterator[Case]:
    for status, body, means in (
        (200, '{"active":true,"sub":"alice"}', '{"active":true,"sub":"alice"}'),
        (200, '{"active": true}', '{"active":true}'),
        (200, '{"active": false}', "inactive"),
        (200, '{"active": false, "sub": "alice"}', "inactive"),
        (200, '{"active": "true"}', "failed"),
        (200, '{"active": 1}', "failed"),
        (200, '{"active": null}', "failed"),
        (200, "{}", "failed"),
        (200, "[]", "failed"),
        (200, "no", "failed"),
        (200, "", "failed"),
        (200, None, "failed"),
        (401, '{"active": true}', "failed"),
        (500, '{"active": true}', "failed"),
    ):
        yield Case(cs.introspected("answer"), context(variables={"answer": answer(status, body=body)}), means)
    yield Case(cs.introspected("answer"), context(), "failed")
    yield Case(cs.introspected("answer"), context(variables={"answer": None}), "failed")


@table("is_out_of_time")
def _is_out_of_time() -> Iterator[Case]:
    now = csharp_twin.NOW
    for members, means in (
        ({}, False),
        ({"exp": now + 1}, False),
        ({"exp": now}, True),
        ({"exp": now - 1}, True),
        ({"exp": now + 0.5}, False),
        ({"exp": str(now + 1)}, False),
        ({"exp": "soon"}, True),
        ({"exp": None}, True),
        ({"exp": [now + 1]}, True),
        ({"exp": {}}, True),
        ({"nbf": now}, False),
        ({"nbf": now + 30}, False),
        ({"nbf": now + 31}, True),
        ({"nbf": "later"}, True),
        ({"nbf": None}, True),
        ({"exp": now + 1, "nbf": now + 31}, True),
        ({"exp": now + 1, "nbf": now}, False),
    ):
        yield Case(cs.is_out_of_time(30), known(**members), means)
    yield Case(cs.is_out_of_time(0), known(nbf=now + 1), True)


@table("opaque_subject")
def _opaque_subject() -> Iterator[Case]:
    for members, means in (
        ({}, ""),
        ({"sub": None}, ""),
        ({"sub": ""}, ""),
        ({"sub": "alice"}, "alice"),
        ({"sub": 7}, "7"),
    ):
        yield Case(cs.opaque_subject(), known(**members), means)


@table("opaque_user")
def _opaque_user() -> Iterator[Case]:
    for subject, word in product(("", "alice", "bob"), ("abc", "abd")):
        of = context(variables={"subject": subject, "bearer": word})
        yield Case(cs.opaque_user(), of, f"subject:{subject}" if subject else f"token:{digest(word)}")


@table("opaque_lacks_a_scope")
def _opaque_lacks_a_scope() -> Iterator[Case]:
    for (claims, words, _), needed in product(tokens("scope"), [one for one in subsets(WORDS) if one]):
        yield Case(cs.opaque_lacks_a_scope(needed), known(**claims), not set(needed) <= words)
    yield Case(cs.opaque_lacks_a_scope(WORDS[:1]), known(scope=None), True)


@table("opaque_lacks_all_scopes")
def _opaque_lacks_all_scopes() -> Iterator[Case]:
    for (claims, words, _), needed in product(tokens("scope"), [one for one in subsets(WORDS) if one]):
        yield Case(cs.opaque_lacks_all_scopes(needed), known(**claims), not set(needed) & words)
    yield Case(cs.opaque_lacks_all_scopes(WORDS), known(scope=None), True)


@table("opaque_lacks_claim")
def _opaque_lacks_claim() -> Iterator[Case]:
    wanted = [*(one for one in subsets(WORDS) if one), ("read write",), ("read,write",)]
    for (claims, _, values), needed in product(tokens("role"), wanted):
        yield Case(cs.opaque_lacks_claim("role", needed), known(**claims), not set(needed) & values)
    for value, needed, means in (
        (None, "", True),
        (True, "true", False),
        (True, "True", True),
        (False, "false", False),
        (7, "7", False),
        ([None, "a"], "a", False),
        ([None], "", True),
        ([True, 7], "true", False),
        ([], "", True),
    ):
        yield Case(cs.opaque_lacks_claim("role", (needed,)), known(role=value), means)


@table("kept_for")
def _kept_for() -> Iterator[Case]:
    for by, means in (("by main", 30), ("by other", 5), ("by none", 1), ("", 1)):
        yield Case(cs.kept_for({"by main": 30, "by other": 5}), context(variables={"auth": by}), means)


# -- what stands around --


@table("on_managed_gateway")
def _on_managed_gateway() -> Iterator[Case]:
    for managed in (True, False):
        yield Case(cs.on_managed_gateway(), context(managed=managed), managed)


@table("has_no_header")
def _has_no_header() -> Iterator[Case]:
    for headers, means in (
        ({}, True),
        ({"x-client-ip": ""}, True),
        ({"X-CLIENT-IP": "192.0.2.1"}, False),
        ({"x-client": "192.0.2.1"}, True),
    ):
        yield Case(cs.has_no_header("X-Client-IP"), context(request={"headers": headers}), means)


@table("lacks_a_parameter")
def _lacks_a_parameter() -> Iterator[Case]:
    names = (("query", "page"), ("header", "X-Tenant"))
    for value, headers, query in product(
        ("checked", "other"), ({}, {"x-tenant": ""}), ("", "page=", "PAGE=1", "page=1")
    ):
        there = bool(headers) and query.startswith("page=")
        of = context(request={"headers": headers, "query": query}, variables={"validate": value})
        yield Case(cs.lacks_a_parameter("validate", "checked", names), of, value == "checked" and not there)


@table("is_one_of")
def _is_one_of() -> Iterator[Case]:
    for values, held, body, wanted in product(
        (("a",), ("a", "b")), ("a", "b", "A", ""), (None, "", "{}"), (None, True, False)
    ):
        of = context(request={"body": body}, variables={"validate": held})
        means = held in values and (wanted is None or wanted is (body is not None))
        yield Case(cs.is_one_of("validate", values, body=wanted), of, means)


@table("is_missing")
def _is_missing() -> Iterator[Case]:
    for variables, means in (
        ({}, True),
        ({"introspected": ""}, True),
        ({"introspected": None}, True),
        ({"introspected": "a"}, False),
    ):
        yield Case(cs.is_missing("introspected"), context(variables=variables), means)


@table("bucket_of_operation")
def _bucket_of_operation() -> Iterator[Case]:
    for name, count in product(("get-a", "GET-A", "post-b-c", ""), (2, 8, 256)):
        yield Case(cs.bucket_of_operation(count), operation(name), bucket(name.lower(), count))


@table("bucket_of_variable")
def _bucket_of_variable() -> Iterator[Case]:
    for value, count in product(("a", "A", "\u00e9", ""), (2, 8, 256)):
        of = context(variables={"needs": value})
        yield Case(cs.bucket_of_variable("needs", count), of, sha256(value.encode()).digest()[0] % count)


@table("number_is")
def _number_is() -> Iterator[Case]:
    for one, other in product((0, 1, 255), repeat=2):
        yield Case(cs.number_is("bucket", one), context(variables={"bucket": other}), one == other)


CONDITIONS = ("connect-failure", "reset", "gateway-error", "5xx")


@table("tries_again")
def _tries_again() -> Iterator[Case]:
    safe = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
    for on, statuses, any_method in product(subsets(CONDITIONS), ((), (409, 503)), (False, True)):
        if not on and not statuses:
            continue
        code = cs.tries_again(on, statuses, non_idempotent=any_method)
        for method, status in product(("GET", "PUT", "POST", "PATCH"), (None, 200, 404, 409, 500, 502, 503, 504, 599)):
            broken = status is None and bool(on)
            bad = status is not None and (
                ("gateway-error" in on and status in (502, 503, 504))
                or ("5xx" in on and status >= 500)
                or status in statuses
            )
            response = None if status is None else {"status": status}
            yield Case(
                code,
                context(request={"method": method}, response=response),
                (any_method or method in safe) and (broken or bad),
            )


@table("problem_status")
def _problem_status() -> Iterator[Case]:
    known = {
        "OperationNotFound": 404, "SubscriptionKeyNotFound": 401, "SubscriptionKeyInvalid": 401, "RateLimitExceeded": 429,
        "QuotaExceeded": 429, "BackendConnectionFailure": 502, "Timeout": 504,
    }  # fmt: skip
    for reason, means in known.items():
        yield Case(
            cs.problem_status(), context(error={"reason": reason, "source": "x"}, response={"status": 500}), means
        )
    for source, status in product(("validate-jwt", "ip-filter", "forward-request", None), (403, 500)):
        of = context(
            error={"reason": "Other", "source": source} if source else {"reason": "Other"}, response={"status": status}
        )
        yield Case(cs.problem_status(), of, 401 if source == "validate-jwt" else status)


@table("retry_after")
def _retry_after() -> Iterator[Case]:
    for headers, means in (({}, "1"), ({"retry-after": "17"}, "17"), ({"Retry-After": "0"}, "0")):
        yield Case(cs.retry_after(), context(response={"status": 429, "headers": headers}), means)


@table("problem_body")
def _problem_body() -> Iterator[Case]:
    of = context(request={"path": '/a"b'}, variables={"status": 418}, request_id="r-1")
    for status, title in ((404, "Not found"), (None, ""), (500, 'a"b\\c\u2028{{x}}'), (None, "Other")):
        body = {
            "type": "about:blank",
            "title": title or "Error",
            "status": status or 418,
            "instance": '/a"b',
            "request_id": "r-1",
        }
        yield Case(cs.problem_body(status, title), of, json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def test_every_template_has_a_table() -> None:
    assert templates() == set(TABLES)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_template_means_what_its_table_says(name: str) -> None:
    asked = 0
    values: set[str] = set()
    for case in TABLES[name]():
        found = run(case.code.text, case.of)
        assert found == case.means and type(found) is type(case.means), (case.code.text, case.of)
        asked += 1
        values.add(repr(case.means))
    assert asked >= 2
    assert len(values) >= 2, "a table with one answer shows nothing"


# -- what they mean together with the edge -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["client", "ip", "header"])
def test_a_counter_tells_callers_apart_as_the_oracle_does(kind: Any) -> None:
    order: Any = {"client": ("api_key", "subject", "ip"), "ip": ("ip",), "header": ("header", "ip")}[kind]
    per = Key(kind, "x-tenant" if kind == "header" else None, order)
    code = cs.counter("bucket", "m", order, per.header)
    edge = resolve(from_data(spec({"GET /a": {"backend": "orders", "auth": ["main", "partner"]}})))
    from edgewright.edge.decide import Identity

    for caller in CALLERS:
        identities = {
            **({"main": Identity(subject=caller["subject"] or "")} if caller["subject"] is not None else {}),
            **({"partner": Identity(client=caller["api_key"])} if caller["api_key"] is not None else {}),
        }
        headers = {"x-tenant": caller["header"]} if caller["header"] is not None else {}
        asked = Request("GET", "/a", headers=headers, identities=identities, address=caller["ip"] or "")
        assert run(code.text, asking(caller)) == f"6:bucket:m:{key_of(per, edge.routes[0], asked)}"


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
BUCKETS = st.tuples(VALUES, st.sampled_from(["s", "m", "q"]), VALUES, st.sampled_from(["ip", "header"]))


@settings(max_examples=150, deadline=None)
@given(BUCKETS, BUCKETS)
def test_no_two_buckets_or_callers_share_a_counter(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    def key(bucket: str, window: str, value: str, kind: str) -> str:
        of = context(
            request={
                "headers": {"x-tenant": value} if kind == "header" else {},
                "ip": "" if kind == "header" else value,
            }
        )
        return str(run(cs.counter(bucket, window, (kind, "ip") if kind != "ip" else ("ip",), "x-tenant").text, of))

    def who(bucket: str, window: str, value: str, kind: str) -> tuple[str, ...]:
        return (bucket, window, kind if value else "ip", value)

    assert (key(*one) == key(*other)) == (who(*one) == who(*other))


def spec(routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "authorizers": {
            "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
            "partner": {"api_key": {"clients": ["acme"]}},
        },
        "backends": {"orders": {"port": 8080}, "next": {"port": 8081}, "third": {"port": 8082}},
        "routes": routes,
        **more,
    }


def test_the_look_up_of_a_policy_finds_the_route_that_the_oracle_says() -> None:
    """Every kind of match, by the code that was compiled."""
    kinds: tuple[Any, ...] = ("v1", {"prefix": "v"}, {"regex": "v[12]|w+"}, {"present": True}, {"present": False})
    for kind, source in product(kinds, ("headers", "query")):
        routes = {
            "GET /a": {"backend": "orders", "auth": "none"},
            "GET /a (told)": {"backend": "next", "auth": "none", "match": {source: {"x-a": kind}}},
            "GET /a (both)": {"backend": "third", "auth": "main", "match": {source: {"x-a": kind, "x-b": "1"}}},
        }
        edge = resolve(from_data(spec(routes)))
        api = compile_edge(edge, {}, "gateway-first", placeholders=True).api
        assert api is not None
        code = policy_xsd.parse(api.policy).find(".//set-variable[@name='settings']").get("value")
        oracle = Oracle(edge)
        values = (None, "", "v1", "v2", "v12", "w", "ww", "V1", "x")
        for one, other in product(values, (None, "1", "2")):
            sent = {name: value for name, value in (("x-a", one), ("x-b", other)) if value is not None}
            url = "&".join(f"{name}={value}" for name, value in sent.items()) if source == "query" else ""
            decision = oracle.decide(
                Request("GET", f"/a?{url}", host="api.shop.example", headers=sent if source == "headers" else {})
            )
            route = edge.route(decision.route or "")
            asked = {
                "query": url,
                "headers": {name.upper(): value for name, value in sent.items()} if source == "headers" else {},
            }
            found = dict(zip(PARTS, run(code, context(operation="get-a", request=asked)).split("|"), strict=True))
            assert found["backend"] == (backend_id(route) or NONE), (kind, source, sent)
            assert found["auth"] == (f"by {route.auth.authorizers[0]}" if route.auth else ANYBODY)


def test_a_redirect_puts_what_the_star_matched_behind_its_path() -> None:
    of = context(request={"path": "/old/x/y", "query": "a=1"})
    assert run(cs.location("https://www.example", "/new", 1).text, of) == "https://www.example/new/x/y?a=1"


def test_a_regular_expression_is_for_the_whole_value() -> None:
    code = cs.lookup({"a": [cs.Choice((cs.Condition("query", "v", "regex", "v1"),), "found")]}, "no")
    assert run(code.text, context(operation="a", request={"query": "v=v1\n"})) == "no"


def test_a_regular_expression_has_an_end_in_time() -> None:
    code = cs.lookup({"a": [cs.Choice((cs.Condition("header", "v", "regex", "(a+)+b"),), "found")]}, "no").text
    assert re.search(r"Regex\.IsMatch\(.*, RegexOptions\.CultureInvariant, TimeSpan\.FromMilliseconds\(250\)\)", code)


def test_a_named_group_of_re2_is_read() -> None:
    code = cs.lookup({"a": [cs.Choice((cs.Condition("query", "v", "regex", "(?P<major>v1)"),), "found")]}, "no")
    assert run(code.text, context(operation="a", request={"query": "v=v1"})) == "found"


@pytest.mark.parametrize("value", [" @(context.Request.IpAddress)", "\n@{ return 1; }", "\t@(1)", "\ufeff@(1)"])
def test_a_text_with_space_before_what_looks_like_code_is_a_literal(value: str) -> None:
    shown = cs.text(value)
    assert isinstance(shown, cs.Code)
    assert csharp.literals(shown.text) == (value,)


# -- grammar -----------------------------------------------------------------------------------------------------------

MAKERS: dict[str, Callable[[str], cs.Code]] = {
    "text": lambda value: cs.Code(f"@({cs.literal(value)})"),
    "lookup": lambda value: cs.lookup({value: [cs.Choice((), value)]}, value),
    "exact match": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("header", value, "exact", value),), "x")]}, "denied"
    ),
    "prefix match": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("query", value, "prefix", value),), "x")]}, "denied"
    ),
    "regex match": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("header", value, "regex", "v[0-9]+"),), "x")]}, "denied"
    ),
    "present": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("header", value, "present", "false"),), "x")]}, "denied"
    ),
    "is_": lambda value: cs.is_("auth", value),
    "algorithm_is_none_of": lambda value: cs.algorithm_is_none_of(["RS256", value]),
    "lacks_a_scope": lambda value: cs.lacks_a_scope(value, [value, "a"]),
    "lacks_all_scopes": lambda value: cs.lacks_all_scopes(value, [value]),
    "lacks_claim": lambda value: cs.lacks_claim(value, [value]),
    "comes_without_key_of": cs.comes_without_key_of,
    "counter": lambda value: cs.counter(value, "s", ("api_key", "subject", "header"), value),
    "counter of a route": lambda value: cs.counter(value, "m", (), None),
    "counter_in": lambda value: cs.counter_in("rate-bucket", "s", ("header",), value),
    "counter behind a front": lambda value: cs.counter("a", "s", ("ip",), None, cs.Callers(value)),
    "kept_under": cs.kept_under,
    "kept_for": lambda value: cs.kept_for({value: 30}),
    "opaque_lacks_a_scope": lambda value: cs.opaque_lacks_a_scope([value, "a"]),
    "opaque_lacks_all_scopes": lambda value: cs.opaque_lacks_all_scopes([value]),
    "opaque_lacks_claim": lambda value: cs.opaque_lacks_claim(value, [value, "a"]),
    "has_no_header": cs.has_no_header,
    "lacks_a_parameter": lambda value: cs.lacks_a_parameter("validate", value, [("query", value), ("header", value)]),
    "is_one_of": lambda value: cs.is_one_of("auth", [value, "a"], body=True),
    "below": lambda value: cs.below(value, 2),
    "location": lambda value: cs.location(value, f"/{value}x", 1),
    "location behind a front": lambda value: cs.location("", "/x", None, cs.Host(value, (value, "a"))),
    "filled_path": lambda value: cs.filled_path([value, 2]),
    "problem_body": lambda value: cs.problem_body(404, value),
}
"""Templates that take a text, with it in every hole."""


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("maker", MAKERS)
def test_a_hostile_text_changes_no_structure(maker: str, hostile: str) -> None:
    harmless = "p" * len(hostile)  # counters say how long a bucket's name is
    code, plain = MAKERS[maker](hostile).text, MAKERS[maker](harmless).text
    assert csharp.shape(code) == csharp.shape(plain)
    found = csharp.literals(code)
    assert any(hostile in one for one in found)
    assert tuple(one.replace(hostile, harmless) for one in found) == csharp.literals(plain)


def test_every_template_that_takes_a_text_is_among_the_makers() -> None:
    taking = {
        name
        for name in templates()
        if any("str" in str(one.annotation) for one in inspect.signature(getattr(cs, name)).parameters.values())
    }
    # Names of variables are our own; the others take lists of words that are ours too.
    ours = {
        *("part", "variable", "number", "tries_again", "introspected", "is_missing", "number_is", "bucket_of_variable")
    }
    assert taking - ours <= set(MAKERS)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_template_parses_and_names_what_policies_may_use(name: str) -> None:
    for code in {case.code.text for case in TABLES[name]()}:
        assert csharp.outside(code) == ()


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.xml")), ids=lambda path: path.stem)
def test_every_expression_of_a_document_parses_and_names_what_policies_may_use(file: Path) -> None:
    found = list(csharp.expressions(policy_xsd.parse(file.read_text(encoding="utf-8"))))
    assert found
    for item in found:
        assert csharp.outside(item.code) == (), item


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_literal_is_the_very_text(value: str) -> None:
    assert csharp.literals(f"@({cs.literal(value)})") == (value,)
    assert run(f"@({cs.literal(value)})", context()) == value


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_no_code_holds_what_api_management_replaces(value: str) -> None:
    assert "{{" not in cs.literal(value)
    shown = cs.text(value)
    assert isinstance(shown, cs.Code) or ("{{" not in shown and not shown.startswith("@"))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_a_document_gives_back_the_texts_that_went_in(value: str) -> None:
    text = cs.text(value)
    document = Document(inbound=(SetVariable("v", text),)).xml()
    found = ElementTree.fromstring(document).find("inbound/set-variable")
    assert found is not None
    assert found.get("value") == (text.text if isinstance(text, cs.Code) else value)


def test_one_operation_more_changes_its_own_lines_only() -> None:
    before = {f"op-{n}": [cs.Choice((), f"settings {n % 3}")] for n in range(20)}
    old = cs.lookup(before, "denied").text.splitlines()
    new = cs.lookup({**before, "op-7b": [cs.Choice((), "its own")]}, "denied").text.splitlines()
    assert set(old) <= set(new)
    assert [line.strip() for line in new if line not in old] == ['case "op-7b":', 'return "its own";']


def test_a_name_of_a_variable_is_our_own() -> None:
    with pytest.raises(ValueError, match='a"b'):
        cs.is_('a"b', "x")


# -- the twin itself ---------------------------------------------------------------------------------------------------

OF = context(
    request={"path": "/a/b", "query": "q=1&q=2&z=", "headers": {"X-One": ["1", "2"], "authorization": "Bearer t"}},
    response={"status": 503},
    variables={"text": "a b", "number": 5, "token": token("alice", claims={"scp": ["a", "b c"]}), "answer": answer(200, {"a": "b"}, '{"active": true, "scope": "a b", "exp": 7, "aud": ["x"], "sub": null}'), "none": None},
    operation="Op",
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ('@("a" + 1 + true + null)', "a1True"),
        ('@(1 + 2 + "a")', "3a"),
        ('@("a" + "b" == "ab" ? "yes" : "no")', "yes"),
        ("@(1 + 2 == 3 && !(2 > 3))", True),
        ('@(context.Request.Headers.GetValueOrDefault("x-ONE", ""))', "1,2"),
        ('@(context.Request.Headers["x-one"][1])', "2"),
        ('@(context.Request.Headers.ContainsKey("x-two"))', False),
        ('@(context.Request.Url.Query.GetValueOrDefault("q", ""))', "1,2"),
        ('@(context.Request.Url.Query.ContainsKey("z"))', True),
        ('@{ string[] found; if (context.Request.Headers.TryGetValue("X-One", out found)) { return found.Length; } return 0; }', 2),
        ('@((string)context.Variables["text"])', "a b"),
        ('@(context.Variables.GetValueOrDefault("gone", "else"))', "else"),
        ('@(((string)context.Variables["text"]).Split(\' \').Length)', 2),
        ('@(new [] { "a", "b" }.Select(one => one + "!").Skip(1).First())', "b!"),
        ('@(new [] { "a", "b c" }.SelectMany(one => one.Split(\' \')).Contains("c"))', True),
        ('@(((Jwt)context.Variables["token"]).Claims["scp"].Any(one => one == "a"))', True),
        ('@(((Jwt)context.Variables["token"])?.Subject ?? "nobody")', "alice"),
        ('@(context.User?.Id ?? "nobody")', "nobody"),
        ('@((bool?)((IResponse)context.Variables["answer"])?.Body.As<JObject>(preserveContent: true)["active"] ?? false)', True),
        ('@((bool?)((IResponse)context.Variables["none"])?.Body.As<JObject>()["active"] ?? false)', False),
        ('@(((string)(((IResponse)context.Variables["answer"]).Body.As<JObject>(true)["scope"]) ?? "").Split(\' \').Contains("b"))', True),
        ('@((string)(((IResponse)context.Variables["answer"]).Body.As<JObject>(true)["sub"]) == null)', True),
        ('@(((IResponse)context.Variables["answer"]).Body.As<JObject>(true)["gone"] == null)', True),
        ('@((long)(((IResponse)context.Variables["answer"]).Body.As<JObject>(true)["exp"]) > DateTimeOffset.UtcNow.ToUnixTimeSeconds())', False),
        ('@(((IResponse)context.Variables["answer"]).StatusCode == 200)', True),
        ('@("a.b".StartsWith("a.", StringComparison.Ordinal))', True),
        ('@("aBc".Substring(1).ToUpperInvariant())', "BC"),
        ('@(Regex.IsMatch("v1x", "^(?:v1)$"))', False),
        ('@("a" + (context.Request.Url.Path) + context.Request.Url.QueryString)', "a/a/b?q=1&q=2&z="),
        ('@(string.Join("-", new [] { "a", "b" }))', "a-b"),
        ('@(Uri.EscapeDataString("a b&c=d/é"))', "a%20b%26c%3Dd%2F%C3%A9"),
        ('@(Convert.ToBase64String(Encoding.UTF8.GetBytes("a:é")))', "YTrDqQ=="),
        ('@($"{context.Operation.Id}-{1}")', "Op-1"),
        ('@(context.Deployment.Gateway.IsManaged)', True),
        ('@(JObject.Parse("{\\"a\\":[1,null]}")["a"].Type == JTokenType.Array)', True),
        ('@(JObject.Parse("{\\"a\\":[\\"x\\",\\"y\\"]}")["a"].Children().Select(v => (string)v).Contains("y"))', True),
        ('@((double)(JObject.Parse("{\\"a\\":7.5}")["a"]) <= 8)', True),
        ('@(Enumerable.Repeat("a", 2).Count())', 2),
        ('@(System.Security.Cryptography.SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(""))[0] % 8)', 0xE3 % 8),
        ('@{ try { return JObject.Parse("no")["a"].ToString(); } catch { return "caught"; } }', "caught"),
        ('@{ var sum = ""; foreach (var one in new [] { "a", "b" }) { sum += one; } return sum; }', "ab"),
        ('@{ try { return int.Parse("x"); } catch (Exception) { return -1; } }', -1),
        ('@(new JObject(new JProperty("a", 1), new JProperty("b", "é\\"")).ToString(Newtonsoft.Json.Formatting.None))', '{"a":1,"b":"é\\""}'),
    ],
)  # fmt: skip
def test_the_twin_reads_code_as_net_does(code: str, means: Any) -> None:
    found = run(code, OF)
    assert found == means
    assert type(found) is type(means)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ('@(context.Variables["gone"])', "KeyNotFoundException"),
        ('@((int)context.Variables["text"])', "InvalidCastException"),
        ('@((Jwt)context.Variables["answer"])', "InvalidCastException"),
        ("@(context.User.Id)", "NullReferenceException"),
        ('@("a".Split(\' \')[1])', "IndexOutOfRangeException"),
        ('@(new [] { "a" }.First(one => one == "b"))', "InvalidOperationException"),
        ('@((bool)(((IResponse)context.Variables["answer"]).Body.As<JObject>(true)["sub"]))', "ArgumentException"),
        ('@(Regex.IsMatch("a", "(?P<x>a)"))', "ArgumentException"),
    ],
)  # fmt: skip
def test_the_twin_throws_where_net_does(code: str, error: str) -> None:
    with pytest.raises(Raised, match=error):
        run(code, OF)


@pytest.mark.parametrize(
    "code",
    [
        '@(context.Variables["text"] == "a b")',
        '@(context.Variables["text"].Length)',
        "@(new [] { })",
        '@(1 == "1")',
        '@("a" ? 1 : 2)',
        '@(!"a")',
        '@{ switch ("a") { case "a": return 1; case "a": return 2; default: return 3; } }',
        '@{ switch ("a") { case "a": return 1; } }',
        "@{ if (true) { return 1; } }",
        '@("a".StartsWith("a"))',
        "@(context.Request.Gone)",
        '@(new [] { "a", 1 })',
    ],
)
def test_the_twin_refuses_what_does_not_compile_or_is_a_trap(code: str) -> None:
    with pytest.raises(CompileError):
        run(code, OF)


def test_the_twin_says_what_it_does_not_know() -> None:
    with pytest.raises(csharp_twin.Unsupported):
        run("@(typeof(string))", OF)
