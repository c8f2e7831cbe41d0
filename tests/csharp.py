"""The C# of policies as syntax trees: where it stands in a document, whether it parses, and what it may name.

The lists of what policies may use are Microsoft's page "API Management policy expressions" (sections ".NET Framework
types allowed in policy expressions" and "Context variable"), read 2026-11.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

import policy_xsd

_PARSER = Parser(Language(tree_sitter_c_sharp.language()))


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of a document. path: of its element; where: the attribute's name, or ``text``."""

    path: str
    where: str
    code: str


class NotCSharp(Exception):
    """What the grammar does not read."""


# -- reading -----------------------------------------------------------------------------------------------------------


def is_code(value: str | None) -> bool:
    """Whether a gateway reads a value as code. Space around does not matter: Microsoft's own samples of
    ``log-to-eventhub`` and ``set-body`` have it."""
    return value is not None and value.strip()[:2] in ("@(", "@{")


def expressions(root: Any) -> Iterator[Expression]:
    """All expressions of a document (of lxml), in their order."""
    tree = root.getroottree()
    for element in root.iter(policy_xsd.etree.Element):
        for name, value in element.attrib.items():
            if is_code(value):
                yield Expression(tree.getpath(element), name, value)
        if is_code(element.text):
            yield Expression(tree.getpath(element), "text", element.text)


@lru_cache(maxsize=4096)
def parse(code: str) -> Node:
    """The block of an expression's statements; ``@(x)`` is read as ``return x;``.

    Raises NotCSharp where the text is no expression, or the grammar finds an error or something missing.
    """
    code = code.strip()
    closing = {"@(": ")", "@{": "}"}.get(code[:2])
    if closing is None or not code.endswith(closing):
        raise NotCSharp(f"`{code[:40]}` is neither @(...) nor @{{...}}")
    inner = f"return {code[2:-1]};" if closing == ")" else code[2:-1]
    root = _PARSER.parse(f"class A {{ object F() {{ {inner} }} }}".encode()).root_node
    if root.has_error:
        raise NotCSharp(f"`{code[:200]}` does not parse: {next(_wrong(root), '')}")
    whole = root.children[0]
    block = whole.child_by_field_name("body")
    methods = block.named_children if block is not None else []
    if len(root.children) != 1 or len(methods) != 1 or methods[0].type != "method_declaration":
        raise NotCSharp(f"`{code[:200]}` ends its own method")
    body = methods[0].child_by_field_name("body")
    if body is None:
        raise NotCSharp(code)
    statements = [item for item in body.named_children if item.type != "comment"]
    if closing == ")" and (len(statements) != 1 or statements[0].type != "return_statement"):
        raise NotCSharp(f"`{code[:200]}` is more than one expression")
    for item in walk(body):
        if item.type == "comment":
            raise NotCSharp(f"`{code[:200]}` holds a comment")
        # The grammar reads (bool)x.As<T>(y) as ((bool)x.As < T) > (y); C# does not (specification, 6.2.5).
        if item.type == "binary_expression" and re.search(r"[.]\w+ ?< ?\w+$", text(item.children[0])):
            raise NotCSharp(f"`{code[:200]}`: put parentheses around the generic call that is cast")
    return body


def _wrong(node: Node) -> Iterator[str]:
    for item in walk(node):
        if item.is_error or item.is_missing:
            yield f"{'nothing' if item.is_missing else text(item)[:60]!r} at {item.start_point}"


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in their order."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(node.children)


def text(node: Node) -> str:
    """What stands there."""
    return (node.text or b"").decode()


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", '"': '"', "'": "'", "\\": "\\", "a": "\a", "b": "\b"}


def literal(node: Node) -> str:
    """The value of a literal of text or of one character (C# specification, 6.4.5.5 and 6.4.5.6)."""
    raw = text(node)
    if node.type == "verbatim_string_literal":
        return raw[2:-1].replace('""', '"')

    def one(match: re.Match[str]) -> str:
        return chr(int(match[1][1:], 16)) if match[1][0] in "uU" else _ESCAPES[match[1]]

    units = re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", one, raw[1:-1])
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@lru_cache(maxsize=4096)
def literals(code: str) -> tuple[str, ...]:
    """The values of all literals of text, in their order."""
    texts = ("string_literal", "verbatim_string_literal")
    return tuple(literal(item) for item in walk(parse(code)) if item.type in texts)


@lru_cache(maxsize=4096)
def shape(code: str) -> tuple[str, ...]:
    """The syntax tree with the contents of literals of text left out: names, numbers and signs are part of it."""
    return tuple(_shape(parse(code)))


def _shape(node: Node) -> Iterator[str]:
    if node.type in ("string_literal", "verbatim_string_literal"):
        yield '"..."'
    elif not node.children:
        yield text(node)
    else:
        yield node.type
        for child in node.children:
            yield from _shape(child)
        yield ";"


def is_sum(node: Node) -> bool:
    """Whether what the grammar reads as a cast, ``(a.b) + c``, is a sum: before a sign there is none but to a type that
    is a keyword (C# specification, 12.9.7)."""
    if node.type != "cast_expression":
        return False
    kind, value = node.child_by_field_name("type"), node.child_by_field_name("value")
    signed = value is not None and value.type == "prefix_unary_expression" and text(value.children[0]) in ("+", "-")
    return signed and kind is not None and kind.type in ("identifier", "qualified_name")


# -- what may be named -------------------------------------------------------------------------------------------------

ALL = frozenset({"*"})


def _only(names: str) -> frozenset[str]:
    return frozenset(names.split())


_LINQ = (
    "Aggregate All Any Average Cast Concat Contains Count DefaultIfEmpty Distinct ElementAt ElementAtOrDefault Except "
    "First FirstOrDefault GroupBy Intersect Join Last LastOrDefault Max Min OfType OrderBy OrderByDescending Reverse "
    "Select SelectMany SequenceEqual Single SingleOrDefault Skip SkipWhile Sum Take TakeWhile ThenBy ToArray "
    "ToDictionary ToList ToLookup Union Where Zip"
)
_STRING = (
    "Chars Compare CompareTo Concat Contains EndsWith Equals Format GetHashCode IndexOf IndexOfAny Insert "
    "IsNullOrEmpty IsNullOrWhiteSpace Join LastIndexOf Length PadLeft PadRight Remove Replace Split StartsWith "
    "Substring ToCharArray ToLower ToLowerInvariant ToString ToUpper ToUpperInvariant Trim TrimEnd TrimStart Empty"
)

TYPES: Mapping[str, frozenset[str]] = {
    # Of the language, which stand for types of System.
    "bool": ALL, "byte": ALL, "char": ALL, "decimal": ALL, "double": ALL, "int": ALL, "long": ALL, "object": ALL,
    "short": ALL, "string": ALL, "uint": ALL, "ulong": ALL, "ushort": ALL,
    "Newtonsoft.Json.Formatting": ALL,
    "Newtonsoft.Json.JsonConvert": _only("SerializeObject DeserializeObject"),
    "Newtonsoft.Json.Linq.JArray": ALL,
    "Newtonsoft.Json.Linq.JContainer": ALL,
    "Newtonsoft.Json.Linq.JObject": ALL,
    "Newtonsoft.Json.Linq.JProperty": ALL,
    "Newtonsoft.Json.Linq.JToken": ALL,
    "Newtonsoft.Json.Linq.JTokenType": ALL,
    "Newtonsoft.Json.Linq.JValue": ALL,
    "System.Array": ALL,
    "System.BitConverter": ALL,
    "System.Boolean": ALL,
    "System.Collections.Generic.Dictionary": ALL,
    "System.Collections.Generic.HashSet": ALL,
    "System.Collections.Generic.IDictionary": ALL,
    "System.Collections.Generic.IEnumerable": ALL,
    "System.Collections.Generic.IReadOnlyDictionary": ALL,
    "System.Collections.Generic.KeyValuePair": ALL,
    "System.Collections.Generic.List": ALL,
    "System.Convert": ALL,
    "System.DateTime": _only(
        "Add AddDays AddHours AddMilliseconds AddMinutes AddMonths AddSeconds AddTicks AddYears Date Day DayOfWeek "
        "DayOfYear DaysInMonth Hour IsDaylightSavingTime IsLeapYear MaxValue Millisecond Minute MinValue Month Now "
        "Parse Second Subtract Ticks TimeOfDay Today ToString UtcNow Year"
    ),
    "System.DateTimeKind": _only("Utc"),
    "System.DateTimeOffset": ALL,
    "System.Exception": ALL,
    "System.Guid": ALL,
    "System.Int32": ALL,
    "System.Int64": ALL,
    "System.Linq.Enumerable": ALL,
    "System.Math": ALL,
    "System.Net.IPAddress": ALL,
    "System.Net.WebUtility": ALL,
    "System.Security.Cryptography.HashAlgorithm": ALL,
    "System.Security.Cryptography.HMACSHA256": ALL,
    "System.Security.Cryptography.SHA256": ALL,
    "System.Security.Cryptography.SHA256Managed": ALL,
    "System.Security.Cryptography.SHA512": ALL,
    "System.Security.Cryptography.X509Certificates.X509Certificate2": ALL,
    "System.String": ALL,
    "System.StringComparer": ALL,
    "System.StringComparison": ALL,
    "System.StringSplitOptions": ALL,
    "System.Text.Encoding": ALL,
    "System.Text.RegularExpressions.Regex": _only("IsMatch Match Matches Replace Unescape Split"),
    "System.Text.RegularExpressions.RegexOptions": ALL,
    "System.Text.StringBuilder": ALL,
    "System.TimeSpan": ALL,
    "System.Uri": ALL,
    "System.UriPartial": ALL,
    # API Management's own.
    "BasicAuthCredentials": _only("Password UserId"),
    "IResponse": _only("Body Headers StatusCode StatusReason"),
    "Jwt": _only("Algorithm Audiences Claims ExpirationTime Id Issuer IssuedAt NotBefore Subject Type"),
}  # fmt: skip
"""Types by full name (those of the page that an edge could want), with the members that are allowed."""

_SHORT: Mapping[str, str] = {name.rpartition(".")[2]: name for name in TYPES}

_TEXTS = "string[]"
_MAP = "IReadOnlyDictionary"
CONTEXT: Mapping[str, Mapping[str, str]] = {
    "context": {
        "Api": "IApi", "Deployment": "Deployment", "Elapsed": "System.TimeSpan", "LastError": "LastError",
        "Operation": "Operation", "Product": "Product", "Request": "Request", "RequestId": "System.Guid",
        "Response": "IResponse", "Subscription": "Subscription", "Timestamp": "System.DateTime", "Tracing": "bool",
        "User": "User", "Variables": "Variables", "Trace": "",
    },
    "IApi": {
        "Id": "string", "IsCurrentRevision": "bool", "Name": "string", "Path": "string", "Revision": "string",
        "ServiceUrl": "IUrl", "Version": "string", "Protocols": _TEXTS, "SubscriptionKeyParameterNames": "Names",
    },
    "Deployment": {
        "Gateway": "Gateway", "GatewayId": "string", "Region": "string", "ServiceId": "string", "ServiceName": "string",
        "Certificates": _MAP,
    },
    "Gateway": {"Id": "string", "InstanceId": "string", "IsManaged": "bool"},
    "LastError": dict.fromkeys(("Source", "Reason", "Message", "Scope", "Section", "Path", "PolicyId"), "string"),
    "Operation": dict.fromkeys(("Id", "Method", "Name", "UrlTemplate"), "string"),
    "Product": {
        "Apis": "", "ApprovalRequired": "bool", "Groups": "", "Id": "string", "Name": "string", "State": "",
        "SubscriptionLimit": "int?", "SubscriptionRequired": "bool",
    },
    "Request": {
        "Body": "IMessageBody", "Certificate": "System.Security.Cryptography.X509Certificates.X509Certificate2",
        "Headers": "Headers", "IpAddress": "string", "MatchedParameters": "Matched", "Method": "string",
        "OriginalUrl": "IUrl", "Url": "IUrl", "PrivateEndpointConnection": "Endpoint",
    },
    "IResponse": {"Body": "IMessageBody", "Headers": "Headers", "StatusCode": "int", "StatusReason": "string"},
    "Headers": {"GetValueOrDefault": "string", "ContainsKey": "bool", "TryGetValue": "bool", "Keys": _TEXTS, "[]": _TEXTS},
    "Query": {"GetValueOrDefault": "string", "ContainsKey": "bool", "TryGetValue": "bool", "Keys": _TEXTS, "[]": _TEXTS},
    "Claims": {"GetValueOrDefault": "string", "ContainsKey": "bool", "TryGetValue": "bool", "Keys": _TEXTS, "[]": _TEXTS},
    "Matched": {"GetValueOrDefault": "string", "ContainsKey": "bool", "TryGetValue": "bool", "Keys": _TEXTS, "[]": "string"},
    "Variables": {"GetValueOrDefault": "", "ContainsKey": "bool", "TryGetValue": "bool", "Keys": _TEXTS, "[]": "object"},
    "IMessageBody": {"As": ""},
    "Subscription": {
        "CreatedDate": "System.DateTime", "EndDate": "System.DateTime", "Id": "string", "Key": "string",
        "Name": "string", "PrimaryKey": "string", "SecondaryKey": "string", "StartDate": "System.DateTime",
    },
    "User": {
        "Email": "string", "FirstName": "string", "Groups": "", "Id": "string", "Identities": "", "LastName": "string",
        "Note": "string", "RegistrationDate": "System.DateTime",
    },
    "IUrl": {
        "Host": "string", "Path": "string", "Port": "int", "Query": "Query", "QueryString": "string", "Scheme": "string",
    },
    "Jwt": {
        "Algorithm": "string", "Audiences": _TEXTS, "Claims": "Claims", "ExpirationTime": "System.DateTime",
        "Id": "string", "Issuer": "string", "IssuedAt": "System.DateTime", "NotBefore": "System.DateTime",
        "Subject": "string", "Type": "string",
    },
    "Names": {"Header": "string", "Query": "string"},
    "Endpoint": {"Name": "string", "GroupId": "string", "MemberName": "string"},
}  # fmt: skip
"""The members of ``context`` and of what they lead to, each with its type; empty: not followed further. ``[]``: what an
indexer gives. Headers and queries are read-only dictionaries, so these have a dictionary's members too."""

_ANYWHERE = _only(f"{_LINQ} {_STRING}") | _only(
    # Of JSON, of moments, and of what is made of bytes; and API Management's own extension methods.
    "Value Values HasValues Children Type GetValue SelectToken Parse Add ToUnixTimeSeconds Key Groups Success GetBytes "
    "ComputeHash GetString AsJwt AsBasic TryParseJwt TryParseBasic HasValue GetValueOrDefault ContainsKey TryGetValue "
    "Host Scheme AbsolutePath Thumbprint Subject Issuer NotBefore NotAfter VerifyNoRevocation Verify TotalSeconds"
)
"""Members of what the checker has no type for: of String, Enumerable, JToken and a few more, all of them allowed."""

PROPERTIES = frozenset({"HasValue"})


@lru_cache(maxsize=4096)
def outside(code: str) -> tuple[str, ...]:
    """What an expression names that policies may not use, or that no page of Microsoft's knows."""
    return tuple(_Names(parse(code)).problems())


class _Names:
    def __init__(self, block: Node) -> None:
        self._block = block
        self._own = {"context": "context"}
        for item in walk(block):
            if item.type in ("implicit_parameter", "parameter"):
                self._own[text(item).split()[-1]] = ""
            if item.type == "variable_declarator":
                value = item.named_children[-1]
                self._own[text(item.child_by_field_name("name") or item)] = self._kind(value)
            if item.type in ("foreach_statement", "catch_declaration", "declaration_expression"):
                name = item.child_by_field_name("left") or item.child_by_field_name("name")
                self._own[text(name) if name is not None else ""] = ""

    def problems(self) -> Iterator[str]:
        for item in walk(self._block):
            if item.type == "member_access_expression" and not self._part_of_more(item):
                yield from self._chain(item)
            if item.type == "member_binding_expression":
                yield from self._member("", text(_field(item, "name")).split("<")[0])
            if is_sum(item):
                yield from self._words(text(_field(item, "type")).split("."))
            elif item.type in ("cast_expression", "object_creation_expression", "array_creation_expression"):
                yield from self._type(_field(item, "type"))
            if item.type in (
                "variable_declaration",
                "foreach_statement",
                "catch_declaration",
                "declaration_expression",
            ):
                kind = item.child_by_field_name("type")
                yield from self._type(kind) if kind is not None and kind.type != "implicit_type" else ()
            if item.type == "type_argument_list":
                for one in item.named_children:
                    yield from self._type(one)
            if item.type == "identifier" and self._alone(item) and text(item) not in self._own:
                yield f"`{text(item)}` is not known"

    def _part_of_more(self, node: Node) -> bool:
        parent = node.parent
        return parent is not None and parent.type == "member_access_expression" and self._is(parent, "expression", node)

    @staticmethod
    def _is(parent: Node, name: str, node: Node) -> bool:
        found = parent.child_by_field_name(name)
        return found is not None and found == node

    def _alone(self, node: Node) -> bool:
        """Whether a word stands for a value by itself: not as a member, a type or a declaration."""
        parent = node.parent
        if parent is None:
            return False
        if parent.type in ("member_access_expression", "element_access_expression"):
            return self._is(parent, "expression", node) and parent.type == "element_access_expression"
        if parent.type == "argument" and self._is(parent, "name", node):
            return False
        return parent.type in (
            "argument", "binary_expression", "prefix_unary_expression", "parenthesized_expression", "return_statement",
            "conditional_expression", "conditional_access_expression", "interpolation", "initializer_expression",
        )  # fmt: skip

    def _chain(self, node: Node) -> Iterator[str]:
        """Of the longest chain of names: a static type with its member, or a value with its members."""
        dotted = _dotted(node)
        if dotted is not None and dotted[0] not in self._own:
            name, member = _longest(dotted)
            if name is None:
                yield f"the type of `{'.'.join(dotted)}` is not allowed in policies"
            elif member and TYPES[name] != ALL and member not in TYPES[name]:
                yield f"`{name}.{member}` is not allowed in policies"
            return
        yield from self._followed(node)

    def _words(self, words: list[str]) -> Iterator[str]:
        kind = self._own.get(words[0], "")
        for word in words[1:]:
            yield from self._member(kind, word)
            kind = CONTEXT.get(kind, {}).get(word, "")

    def _followed(self, node: Node) -> Iterator[str]:
        expression = _field(node, "expression")
        if expression.type == "member_access_expression":
            yield from self._followed(expression)
        yield from self._member(self._kind(expression), text(_field(node, "name")).split("<")[0])

    def _member(self, kind: str, name: str) -> Iterator[str]:
        known = CONTEXT.get(kind)
        if known is not None:
            allowed = name in known or (kind in ("Headers", "Query", "Claims", "Matched") and name in _ANYWHERE)
            if not allowed:
                yield f"`{kind}` has no member `{name}`"
        elif kind in TYPES and TYPES[kind] != ALL:
            if name not in TYPES[kind]:
                yield f"`{kind}.{name}` is not allowed in policies"
        elif name not in _ANYWHERE:
            yield f"`{name}` is a member of nothing that policies may use"

    def _kind(self, node: Node) -> str:
        """The type of an expression, where the tables know it."""
        match node.type:
            case "identifier":
                return self._own.get(text(node), "")
            case "parenthesized_expression":
                return self._kind(node.named_children[0])
            case "cast_expression":
                name = text(_field(node, "type")).rstrip("?")
                return name if name in CONTEXT else _SHORT.get(name, name)
            case "member_access_expression":
                return CONTEXT.get(self._kind(_field(node, "expression")), {}).get(text(_field(node, "name")), "")
            case "invocation_expression":
                return self._kind(_field(node, "function"))
            case "conditional_expression":
                return self._kind(_field(node, "consequence")) or self._kind(_field(node, "alternative"))
            case "element_access_expression":
                return CONTEXT.get(self._kind(_field(node, "expression")), {}).get("[]", "")
            case _:
                return ""

    def _type(self, node: Node) -> Iterator[str]:
        name = re.sub(r"[?\[\]0-9 ]|<.*>", "", text(node))
        if name not in TYPES and name not in _SHORT and name not in CONTEXT:
            yield f"the type `{name}` is not allowed in policies"


def _field(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    if found is None:
        raise NotCSharp(f"{node.type} without {name}: {text(node)}")
    return found


def _dotted(node: Node) -> list[str] | None:
    """The words of ``A.B.C``; None for a chain that is more than names."""
    if node.type in ("identifier", "predefined_type"):
        return [text(node)]
    if node.type != "member_access_expression":
        return None
    before = _dotted(_field(node, "expression"))
    return None if before is None else [*before, text(_field(node, "name")).split("<")[0]]


def _longest(dotted: list[str]) -> tuple[str | None, str]:
    """The type that a chain begins with, by its full or its last name, and the member of it that is named."""
    for count in range(len(dotted), 0, -1):
        name = ".".join(dotted[:count])
        full = name if name in TYPES else _SHORT.get(name) if count == 1 else None
        if full is not None:
            return full, dotted[count] if count < len(dotted) else ""
    return None, ""
