"""The C# of policies: that it parses, that no text of a spec becomes code, and what each template means (by a twin)."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import tree_sitter_c_sharp
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Language, Parser

from edgewright.azure import expressions as cs
from edgewright.azure.policy import Document, SetVariable

PARSER = Parser(Language(tree_sitter_c_sharp.language()))

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


def parses(code: cs.Code) -> bool:
    """Whether the text is an expression or a body of statements, by the grammar of C#."""
    text = code.text
    assert text[:2] in ("@(", "@{") and text[-1] == {"(": ")", "{": "}"}[text[1]]
    inner = f"return {text[2:-1]};" if text[1] == "(" else text[2:-1]
    tree = PARSER.parse(f"class A {{ object F() {{ {inner} }} }}".encode())
    return not tree.root_node.has_error


def strings(code: cs.Code) -> list[str]:
    """The texts of all string literals, their escapes resolved."""
    tree = PARSER.parse(f"class A {{ object F() {{ return {code.text[2:-1]}; }} }}".encode())
    found: list[str] = []

    def walk(node: Any) -> None:
        if node.type == "string_literal":
            raw = node.text.decode()[1:-1]
            units = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), raw)
            found.append(units.encode("utf-16", "surrogatepass").decode("utf-16"))
        for child in node.children:
            walk(child)

    walk(tree.root_node)
    return found


TEMPLATES: dict[str, Callable[[str], cs.Code]] = {
    "text": lambda value: cs.Code(f"@({cs.literal(value)})"),
    "lookup": lambda value: cs.lookup({value: [cs.Choice((), value)]}, "denied"),
    "exact match": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("header", value, "exact", value),), "x")]}, "denied"
    ),
    "prefix match": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("query", value, "prefix", value),), "x")]}, "denied"
    ),
    "regex match": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("header", value, "regex", value),), "x")]}, "denied"
    ),
    "present": lambda value: cs.lookup(
        {"a": [cs.Choice((cs.Condition("header", value, "present", "false"),), "x")]}, "denied"
    ),
    "part": lambda value: cs.part("settings", 3),
    "is": lambda value: cs.is_("auth", value),
    "algorithms": lambda value: cs.algorithm_is_none_of(["RS256", value]),
    "all scopes": lambda value: cs.lacks_a_scope(value, [value, "a"]),
    "any scope": lambda value: cs.lacks_all_scopes(value, [value]),
    "claim": lambda value: cs.lacks_claim(value, [value]),
    "product": cs.comes_without_key_of,
    "counter": lambda value: cs.counter(value, "s", ("api_key", "subject", "header"), value),
    "counter of a route": lambda value: cs.counter(value, "m", (), None),
    "below": lambda value: cs.below(value, 2),
    "below nothing": lambda value: cs.below("", 2),
    "location": lambda value: cs.location(value, value, 1),
    "location here": lambda value: cs.location("", None, None),
    "path": lambda value: cs.filled_path([value, 2]),
    "retry": lambda value: cs.tries_again(["connect-failure", "5xx"], [409], non_idempotent=False),
    "problem": lambda value: cs.problem_body(404, value),
    "status": lambda value: cs.problem_status(),
    "user": lambda value: cs.token_subject(),
    "key": lambda value: cs.key_product(),
    "whole query": lambda value: cs.whole_query(),
    "retry after": lambda value: cs.retry_after(),
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_parses_whatever_a_text_holds(template: str, hostile: str) -> None:
    assert parses(TEMPLATES[template](hostile))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_hostile_text_changes_no_structure(template: str) -> None:
    def structure(code: cs.Code) -> list[str]:
        start = "return " if code.text.startswith("@(") else ""
        tree = PARSER.parse(f"class A {{ object F() {{ {start}{code.text[2:-1]}; }} }}".encode())
        found: list[str] = []

        def walk(node: Any) -> None:
            if not node.type.startswith(("string_literal", "escape")):
                found.append(node.type)
                for child in node.children:
                    walk(child)

        walk(tree.root_node)
        return found

    make = TEMPLATES[template]
    for hostile in HOSTILE:
        assert structure(make(hostile)) == structure(make("plain"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_literal_is_the_very_text(value: str) -> None:
    assert strings(cs.Code(f"@({cs.literal(value)})")) == [value]


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


# -- what they mean: twins in Python ------------------------------------------------------------------------------------


def case_of(code: cs.Code, operation: str) -> str:
    """What `lookup` returns for an operation without conditions, read from its text."""
    lines = [line.strip() for line in code.text.splitlines()]
    start = next((at for at, line in enumerate(lines) if line == f'case "{operation}":'), lines.index("default:"))
    told = next(line for line in lines[start:] if line.startswith("return "))
    return told.removeprefix('return "').removesuffix('";')


def test_the_look_up_knows_each_operation_and_denies_others() -> None:
    code = cs.lookup({"a": [cs.Choice((), "one")], "b": [cs.Choice((), "two")], "c": [cs.Choice((), "one")]}, "denied")
    assert [case_of(code, name) for name in ("a", "b", "c", "d")] == ["one", "two", "one", "denied"]


def test_one_operation_more_changes_its_own_lines_only() -> None:
    before = {f"op-{n}": [cs.Choice((), f"settings {n % 3}")] for n in range(20)}
    old = cs.lookup(before, "denied").text.splitlines()
    new = cs.lookup({**before, "op-7b": [cs.Choice((), "its own")]}, "denied").text.splitlines()
    assert set(old) <= set(new)
    assert [line.strip() for line in new if line not in old] == ['case "op-7b":', 'return "its own";']


def test_conditions_that_all_fail_end_denied() -> None:
    code = cs.lookup({"a": [cs.Choice((cs.Condition("header", "x-beta", "present", "true"),), "beta")]}, "denied")
    lines = [line.strip() for line in code.text.splitlines()]
    at = lines.index('if (context.Request.Headers.ContainsKey("x-beta")) { return "beta"; }')
    assert lines[at + 1] == 'return "denied";'


def test_counters_of_other_buckets_and_windows_never_meet() -> None:
    heads = {strings(cs.counter(bucket, window, ("ip",), None))[0] for bucket in ("a", "a:s", "1:a") for window in "sm"}
    assert len(heads) == 6
    assert not any(one != other and other.startswith(one) for one in heads for other in heads)


def test_a_name_of_a_variable_is_our_own() -> None:
    with pytest.raises(ValueError, match='a"b'):
        cs.is_('a"b', "x")
