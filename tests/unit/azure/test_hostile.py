"""Hostile texts of a spec: refused by name, or carried as the very text, with no other tree, code or reference.

A hole is a place of a spec that takes a text. With a hostile value in it, a spec is either refused by a `SpecError`, or
its documents have the tree of a harmless twin: the same elements and attributes, the same code but for the contents of
literals, and the value, decoded, exactly where the twin has its own.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csharp
import policy_rules
import policy_xsd
from edgewright.azure.artifact import Artifact
from edgewright.azure.compile import compile_edge
from edgewright.azure.policy import (
    CacheLookup,
    CheckHeader,
    Comment,
    Document,
    IncludeFragment,
    Reference,
    ReturnResponse,
    SetHeader,
)
from edgewright.azure.regular_expressions import to_net
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

VALUES: dict[str, str] = {
    "quotes": "a\"b'c",
    "backslashes": 'a\\b\\"c\\',
    "unicode escape": "\\u0022); //",
    "code": "@(context.Request.IpAddress)",
    "body of code": "@{return 1;}",
    "code without spaces": "@(1)",
    "code behind a space": " @(context.Request.IpAddress)",
    "end of code": '");}',
    "end of a call": "x)) || (1 == 1",
    "named value": "{{secret}}",
    "half a named value": "{{",
    "half a named value in a path": "a{{b",
    "end of CDATA": "]]>",
    "comment": "<!--x-->",
    "end of a comment": "--><base/>",
    "hyphens": "a--b",
    "three hyphens": "a---b",
    "hyphen at the end": "a-",
    "element": '"/><return-response/><x a="',
    "entities": "&lt;&#10;&amp;&quot;&x;",
    "line break": "a\nb",
    "line breaks of Windows": "a\r\nb",
    "tab": "a\tb",
    "NUL": "a\0b",
    "half a character": "a\ud800b",
    "no character of XML": "a\ufffeb",
    "two units": "\U0001f600",
    "line separator": "a\u2028b\u2029",
    "from right to left": "\u202eb\u202c\u05d0",
    "bar": "a|b",
    "semicolon": "a;b",
    "percent": "%00%22%2e",
    "format": "{0}$x`y",
    "a brace at the end": "a{",
    "spaces around": " a ",
    "space of no width": "\u200b@(1)",
    "no-break space": "\xa0@{return 1;}",
    "next line": "\x85@(1)",
    "long": "ab" * 5000,
}

# 2048 bits of nothing in particular.
MODULUS = base64.urlsafe_b64encode(b"\xc5" + b"\x5a" * 254 + b"\x01").decode().rstrip("=")


def spec(routes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "authorizers": {
            "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
            "partner": {"api_key": {"clients": ["acme"]}},
        },
        "backends": {"orders": {"port": 8080}, "next": {"port": 8081}},
        "routes": routes or {"GET /a": {"backend": "orders", "auth": "main"}},
        **more,
    }


def route(key: str = "GET /a", **settings: Any) -> dict[str, Any]:
    return spec({key: {"backend": "orders", "auth": "none", **settings}})


def auth(**settings: Any) -> dict[str, Any]:
    return route(auth={"authorizer": "main", **settings})


def jwt(**settings: Any) -> dict[str, Any]:
    claims = {"issuer": "https://login.shop.example/", "audiences": ["api://shop"], **settings}
    return spec(authorizers={"main": {"jwt": claims}})


def keys(kid: str) -> str:
    return json.dumps({"keys": [{"kty": "RSA", "kid": kid, "n": MODULUS, "e": "AQAB"}]})


def host(value: str) -> str:
    """A value before the path of a URL."""
    return value.replace("/", "")


def same(value: str) -> str:
    return value


def in_net(value: str) -> str:
    """A regular expression for a whole value."""
    return f"^(?:{to_net(value)})\\z"


@dataclass(frozen=True)
class Hole:
    """make: the spec with a value in the hole; becomes: what the value is in a document; shown: whether it is there at
    all; plain: a harmless value, whose letters the hole takes."""

    make: Callable[[str], dict[str, Any]]
    becomes: Callable[[str], str] = same
    shown: bool = True
    plain: str = "pqzpqz"


HOLES: dict[str, Hole] = {
    "route's path": Hole(lambda value: route(f"GET /{value}", headers={"request": {"set": {"x-a": "b"}}}), shown=False),
    "route's label": Hole(lambda value: route(f"GET /a ({value})", match={"headers": {"x-a": "b"}}, headers={"request": {"set": {"x-a": "b"}}}), shown=False),
    "header's name": Hole(lambda value: route(headers={"request": {"set": {value: "b"}}}), str.lower),
    "header's value": Hole(lambda value: route(headers={"request": {"set": {"x-a": value}}})),
    "answer's header": Hole(lambda value: route(headers={"response": {"add": {"x-a": value}}})),
    "removed header": Hole(lambda value: route(headers={"response": {"remove": [value]}}), str.lower),
    "matched header": Hole(lambda value: route(match={"headers": {"x-a": value}})),
    "prefix of a header": Hole(lambda value: route(match={"headers": {"x-a": {"prefix": value}}})),
    "regex of a header": Hole(lambda value: route(match={"headers": {"x-a": {"regex": value}}}), in_net),
    "name of a matched header": Hole(lambda value: route(match={"headers": {value: "b"}}), str.lower),
    "matched query": Hole(lambda value: route(match={"query": {"a": value}})),
    "name of a matched query": Hole(lambda value: route(match={"query": {value: {"present": True}}})),
    "scope": Hole(lambda value: auth(scopes=[value])),
    "one of the scopes": Hole(lambda value: auth(any_scope=[value])),
    "claim's name": Hole(lambda value: auth(claims={value: ["b"]})),
    "claim's value": Hole(lambda value: auth(claims={"role": [value]})),
    "scope's claim": Hole(lambda value: {**auth(scopes=["b"]), "authorizers": {"main": {"jwt": {"issuer": "https://a/", "audiences": ["a"], "scope_claim": value}}}}),
    "issuer": Hole(lambda value: jwt(issuer=f"https://login.example/{value}/x"), lambda value: f"https://login.example/{value}/x"),
    "audience": Hole(lambda value: jwt(audiences=[value])),
    "token's header": Hole(lambda value: jwt(**{"from": {"header": value}}), str.lower),
    "token's query": Hole(lambda value: jwt(**{"from": {"query": value}})),
    "token's prefix": Hole(lambda value: jwt(**{"from": {"header": "authorization", "prefix": f"{value} "}}), str.strip),
    "key's id": Hole(lambda value: jwt(jwks=keys(value))),
    "address list": Hole(lambda value: spec(waf={"managed": [], "allow": [f"{value}/24"]}), lambda _: "192.0.2.0", plain="192.0.2.0"),
    "host": Hole(lambda value: spec(listener={"host": value}), shown=False),
    "rewritten host": Hole(lambda value: route(rewrite={"host": value}), str.lower),
    "rewritten path": Hole(lambda value: route(rewrite={"path": f"/{value}"}), lambda value: f"/{value}"),
    "rewritten prefix": Hole(lambda value: route("ANY /a/*", rewrite={"prefix": f"/{value}"}), lambda value: f"/{value}"),
    "backend's name": Hole(lambda value: {**route(backend=value), "backends": {value: {"port": 8080}}}),
    "authorizer's name": Hole(lambda value: {**route(auth=value), "authorizers": {value: {"api_key": {"clients": ["acme"]}}}}, lambda value: f"{value}-clients"),
    "redirect's host": Hole(lambda value: spec({"GET /a": {"redirect": f"https://{host(value)}/b", "auth": "none"}}), lambda value: f"https://{host(value)}"),
    "redirect's path": Hole(lambda value: spec({"GET /a": {"redirect": f"https://a/{value}", "auth": "none"}}), lambda value: f"/{value}"),
    "answer's body": Hole(lambda value: spec({"GET /a": {"respond": {"body": value}, "auth": "none"}})),
    "answer's media type": Hole(lambda value: spec({"GET /a": {"respond": {"content_type": value}, "auth": "none"}}), plain="text/pqzpqz"),
    "header of a throttle": Hole(lambda value: route(throttle={"rate": "5/s", "per": f"header:{value}"}), str.lower),
    "header of a quota": Hole(lambda value: route(quota={"limit": 5, "period": "day", "per": f"header:{value}"}), str.lower),
    "query of a cache": Hole(lambda value: route(cache={"ttl": "10s", "vary_by": {"query": [value]}})),
    "header of a cache": Hole(lambda value: route(cache={"ttl": "10s", "vary_by": {"headers": [value]}}), str.lower),
    "origin": Hole(lambda value: spec(defaults={"cors": {"allow_origins": [f"https://{value}"], "allow_headers": ["a"]}}), lambda value: f"https://{value}"),
    "header of CORS": Hole(lambda value: spec(defaults={"cors": {"allow_origins": ["https://a"], "allow_headers": [value]}}), str.lower),
    "method of CORS": Hole(lambda value: spec(defaults={"cors": {"allow_origins": ["https://a"], "allow_methods": [value], "allow_headers": ["a"]}}), plain="PQZPQZ"),
    "socket's header": Hole(lambda value: spec({"WS /a": {"backend": "orders", "auth": "main", "throttle": {"rate": "5/s", "per": f"header:{value}"}}}), str.lower),
    "socket's scope": Hole(lambda value: spec({"WS /a": {"backend": "orders", "auth": {"authorizer": "main", "scopes": [value]}}})),
    "socket's path": Hole(lambda value: spec({f"WS /{value}": {"backend": "orders", "auth": "main"}}), shown=False),
}  # fmt: skip
"""Every place of a spec whose text gets into a policy, or into a comment of one."""


# -- a document and its harmless twin ----------------------------------------------------------------------------------


def compiled(data: dict[str, Any]) -> Artifact:
    return compile_edge(resolve(from_data(data)), {}, "gateway-first", placeholders=True)


@cache
def harmless(hole: str, value: str) -> Artifact:
    return compiled(HOLES[hole].make(value))


# Names of settings have a digest of what they stand for, and ids of operations are words of the path: they differ.
_SETTINGS = re.compile(
    r"(?:(?:by )?[A-Za-z0-9+:. =-]*\|)*(?:by )?[A-Za-z0-9+:. =-]*:[0-9a-f]{6}(?:\|[A-Za-z0-9+:. =-]*)*"
)
_LENGTH = re.compile(r"\d+:")


def problems(hole: Hole, value: str, plain: str, hostile: Artifact, twin: Artifact) -> Iterator[str]:
    """What a hostile value has changed beyond itself."""
    told = [*policy_rules.documents(hostile)]
    seen: list[str] = []
    for (name, text, around), (_, other, _) in zip(told, policy_rules.documents(twin), strict=True):
        found = policy_rules.problems(text, **around)
        yield from (f"{name}: {one}" for one in found)
        if found and "well-formed" in found[0]:
            return
        yield from (f"{name}: {one}" for one in policy_xsd.problems(text))
        yield from _compared(policy_xsd.parse(text), policy_xsd.parse(other), _Swap(hole, value, plain), seen)
    if hole.shown and not any(hole.becomes(value) in one for one in seen):
        yield f"the value is nowhere: {seen[:5]}"


@dataclass(frozen=True)
class _Swap:
    hole: Hole
    value: str
    plain: str

    def fits(self, text: str, other: str) -> bool:
        """Whether a text is the twin's, with the value for the harmless one, or a name that is made of it."""
        if text == other or text == other.replace(self.plain, self.value):
            return True
        if text == other.replace(self.hole.becomes(self.plain), self.hole.becomes(self.value)):
            return True
        if _SETTINGS.fullmatch(text) and _SETTINGS.fullmatch(other):
            return True
        if _LENGTH.match(text) and _LENGTH.match(other):  # the key of a counter says how long its bucket's name is
            return self.fits(_LENGTH.sub("", text, count=1), _LENGTH.sub("", other, count=1))
        return False


def _compared(root: Any, twin: Any, swap: _Swap, seen: list[str]) -> Iterator[str]:
    elements, others = [*root.iter()], [*twin.iter()]
    if [item.tag for item in elements] != [item.tag for item in others]:
        yield "there are other elements"
        return
    for element, other in zip(elements, others, strict=True):
        if not isinstance(element.tag, str):
            continue  # a comment: it is there, and ends where it should
        if list(element.attrib) != list(other.attrib):
            yield f"{element.tag} has other attributes"
        pairs = [(element.get(name), other.get(name, "")) for name in element.attrib]
        pairs.append((element.text or "", other.text or ""))
        for text, expected in pairs:
            yield from _told(text, expected, swap, seen)


def _told(text: str, expected: str, swap: _Swap, seen: list[str]) -> Iterator[str]:
    """Two values: plain texts, or code; the hostile one may be a literal where the harmless one is plain."""
    if text == expected:
        seen += csharp.literals(text) if csharp.is_code(text) else [text]
        return
    if not csharp.is_code(text):
        seen.append(text)
        if csharp.is_code(expected):
            yield f"`{text[:60]}` is no code, the twin's is"
        elif not swap.fits(text, expected):
            yield f"`{text[:60]}` stands where `{expected[:60]}` does"
        return
    try:
        found = csharp.literals(text)
        shape = csharp.shape(text)
    except csharp.NotCSharp as error:
        yield str(error)
        return
    seen += found
    if csharp.is_code(expected):
        if shape != csharp.shape(expected):
            yield f"the code `{text[:80]}` is not that of `{expected[:80]}`"
        wanted = csharp.literals(expected)
    else:
        if shape != csharp.shape('@("")'):
            yield f"`{text[:60]}` is code"
        wanted = (expected,)
    for one, other in zip(found, wanted, strict=False):
        if not swap.fits(one, other) and not _is_operation(text):
            yield f"the literal `{one[:60]}` is not `{other[:60]}`"
    if len(found) != len(wanted):
        yield f"{len(found)} literals, not {len(wanted)}"


def _is_operation(code: str) -> bool:
    """Whether code is the look-up, whose labels are ids of operations: words of the path."""
    return re.match(r"@\{\s*switch \(context\.Operation\.Id", code) is not None


# -- each value in each hole -------------------------------------------------------------------------------------------


def wrong(name: str, value: str) -> list[str]:
    """What is wrong with a value in a hole; nothing if it is refused."""
    hole = HOLES[name]
    try:
        hostile = compiled(hole.make(value))
    except SpecError as error:
        return [] if str(error).strip() else ["it is refused without a word"]
    return list(problems(hole, value, hole.plain, hostile, harmless(name, hole.plain)))


@pytest.mark.parametrize("name", HOLES)
def test_a_hostile_text_is_refused_by_name_or_carried_as_it_is(name: str) -> None:
    found = {kind: wrong(name, value) for kind, value in VALUES.items()}
    assert {kind: what for kind, what in found.items() if what} == {}


@pytest.mark.parametrize("name", HOLES)
def test_a_harmless_text_is_carried_by_every_hole(name: str) -> None:
    hole = HOLES[name]
    assert list(problems(hole, hole.plain, hole.plain, harmless(name, hole.plain), harmless(name, hole.plain))) == []


def test_most_hostile_texts_get_through_where_a_field_takes_any_text() -> None:
    def carried(name: str) -> int:
        count = 0
        for value in VALUES.values():
            try:
                compiled(HOLES[name].make(value))
                count += 1
            except (SpecError, ValueError):
                pass
        return count

    for name in ("header's value", "matched header", "claim's value", "answer's body"):
        assert carried(name) >= 20, name


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("issuer", "Jwt.(texts with other meanings)"),
        ("audience", "Jwt.(texts with other meanings)"),
        ("token's prefix", "Jwt.(texts with other meanings)"),
        ("key's id", "Jwt.(texts with other meanings)"),
        ("query of a cache", "VaryBy.(names with other meanings)"),
        ("origin", "Cors.(origins with other meanings)"),
    ],
)
@pytest.mark.parametrize("kind", ["named value", "half a named value in a path", "no character of XML"])
def test_where_no_expression_may_stand_a_text_is_refused_by_the_name_of_its_field(
    name: str, field: str, kind: str
) -> None:
    with pytest.raises(SpecError, match=re.escape(f"gateway-first cannot carry {field}")):
        compiled(HOLES[name].make(VALUES[kind]))


def test_a_query_that_caches_vary_by_is_one_name() -> None:
    with pytest.raises(SpecError, match=re.escape("VaryBy.(names with other meanings)")):
        compiled(HOLES["query of a cache"].make("a;b"))


def test_what_a_policy_would_read_otherwise_is_not_accepted_away() -> None:
    for field, name in (
        ("VaryBy.(names with other meanings)", "query of a cache"),
        ("Jwt.(texts with other meanings)", "issuer"),
        ("Cors.(origins with other meanings)", "origin"),
    ):
        with pytest.raises(SpecError, match="cannot be accepted away"):
            compile_edge(
                resolve(from_data(HOLES[name].make("{{secret}}"))),
                {"accept": [{"field": field, "reason": "nobody would write that"}]},
                "gateway-first",
                placeholders=True,
            )


@pytest.mark.parametrize("value", ["{{x}}", "@(1)", " a", "a ", "a\rb", "a\0b", "\ufffe", "\ud800"])
def test_a_place_that_takes_no_expression_prints_no_text_that_means_something_else(value: str) -> None:
    for policy in (SetHeader(value, "delete"), CacheLookup((), (value,), False, "internal"), IncludeFragment(value)):
        with pytest.raises(SpecError, match="would be read as code or as a named value"):
            Document(inbound=(policy,)).xml()


@pytest.mark.parametrize("value", ["{{x}}", "@(1)", " a", "a ", "a\rb", "a\0b", "\ufffe", "\u200b@(1)"])
def test_a_place_that_takes_expressions_has_such_a_text_as_a_literal(value: str) -> None:
    root = policy_xsd.parse(
        Document(inbound=(SetHeader("x-a", "override", (value,)), ReturnResponse(200, "", (), value))).xml()
    )
    for code in (root.findtext("inbound/set-header/value"), root.findtext("inbound/return-response/set-body")):
        assert csharp.shape(code) == csharp.shape('@("")')
        assert csharp.literals(code) == (value,)


@pytest.mark.parametrize(
    "text", ["-->", "a--b", "a---b", "----", "-", "{{x}}", "{{{x", "\0", "\ufffe", "\ud800", "a\nb", "\u202e<b/>"]
)
def test_a_remark_is_one_comment_in_which_nothing_is_replaced(text: str) -> None:
    shown = Document(inbound=(Comment(text), Comment(text))).xml()
    assert [type(item.tag) for item in policy_xsd.parse(shown).find("inbound")] == [type(policy_xsd.etree.Comment)] * 2
    assert "{{" not in shown
    assert shown.isascii() or all(char.isprintable() or char == "\n" for char in shown)


def test_a_named_value_is_meant_and_never_written_by_a_spec() -> None:
    shown = Document(inbound=(CheckHeader("x-id", Reference("front-door")),)).xml()
    assert "<value>{{front-door}}</value>" in shown


# -- any text at all ---------------------------------------------------------------------------------------------------

NASTY = st.sampled_from("\"'<>&@(){}[]\\;:/=|-#%$`!, \n\ta0é\u2028\u202e\U0001f600")
ANY = st.text(NASTY | st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=16)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(HOLES)), ANY)
def test_any_text_is_refused_by_name_or_carried_as_it_is(name: str, value: str) -> None:
    assert wrong(name, value) == []
