"""How policy documents of API Management are read: with code in them, with what is not known yet, and whatever they hold."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.policies.azure.policy_documents import RULES
from edgewright.policies.azure.policy_xml import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_LENGTH,
    Element,
    UnreadableError,
    escaped,
    parsed,
    read,
)
from edgewright.policies.rule import check_resources
from edgewright.policies.view import Subject, View

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "azure").glob("*.xml"))
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
TYPE = "azure-native:apimanagement:ApiPolicy"
ON = [rule for rule in RULES if not rule.optional]


def policy(value: Any, **more: Any) -> Subject:
    return Subject("urn", TYPE, "it", {"apiId": "shop", "value": value, **more})


def said(value: Any, **more: Any) -> set[tuple[str, str, str]]:
    return {(item.rule, item.kind, item.path) for item in check_resources([policy(value, **more)], ON)}


def with_inbound(inner: str) -> str:
    rest = "<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error>"
    return f"<policies><inbound><base />{inner}</inbound>{rest}</policies>"


def tree(element: Element) -> Any:
    """What is in an element; white space apart, which XML changes in attributes."""
    attributes = {name: re.sub(r"\s+", " ", value) for name, value in element.attributes.items()}
    return element.name, element.path, attributes, element.text, [tree(item) for item in element.children]


# -- code --------------------------------------------------------------------------------------------------------------


def without_escapes(document: str) -> str:
    """The same document in the format ``rawxml``: code stands as C# has it."""
    signs = {"&quot;": '"', "&lt;": "<", "&gt;": ">", "&apos;": "'", "&amp;": "&"}

    def plain(found: re.Match[str]) -> str:
        text = found.group(2)
        for escape, sign in signs.items():
            text = text.replace(escape, sign)
        return f"{found.group(1)}{text}{found.group(3)}"

    text = re.sub(r'(=")(@[({][^"]*)(")', plain, document)
    return re.sub(r"(>)(@[({][^<]*)(<)", plain, text)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.name)
def test_a_document_reads_the_same_with_its_code_escaped_or_not(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    raw = without_escapes(text)
    assert raw != text or "&quot;" not in text
    assert tree(parsed(raw, raw=True)) == tree(parsed(text, raw=False))


@pytest.mark.parametrize(
    "code",
    [
        '@("a" + ")")',
        '@("a\\")" + 1)',
        '@(@"a"") " + "b")',
        "@(')' == '\"')",
        '@(1 /* ) " */ < 2)',
        "@{ // it's ) \"\n return 1 < 2 && true; }",
        '@($"{context.Variables["a"]})")',
        '@($"{{ {(true ? "}" : $"{1}")} )")',
        '@($@"\\{1}""{2}")',
        '@(new Dictionary<string, int[]> {{"a", new [] {1}}})',
    ],
)
def test_code_ends_where_c_sharp_ends_it(code: str) -> None:
    found = parsed(f'<a b="{code}"><c>{code}</c><d e="1" /></a>', raw=True)
    assert found.attributes["b"] == code.replace("\n", " ")
    assert [(item.name, item.text) for item in found.children] == [("c", code), ("d", "")]


def test_what_looks_like_code_in_a_remark_is_none() -> None:
    assert parsed('<a><!-- "@( --><![CDATA[>@(]]></a>', raw=True).text == ">@("


def test_elements_of_one_name_are_numbered() -> None:
    found = parsed("<a><b><c /></b><d /><b><c /><c /></b></a>", raw=False)
    assert [item.path for item in found.within("c")] == ["b[0].c", "b[1].c[0]", "b[1].c[1]"]


# -- what is not read --------------------------------------------------------------------------------------------------

UNREADABLE = {
    "no XML": "<policies><inbound>",
    "no text": "",
    "two roots": "<policies /><policies />",
    "a document type": '<!DOCTYPE policies [<!ENTITY a "b">]><policies><inbound>&a;</inbound></policies>',
    "entities of entities": '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>',
    "a file": '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a />',
    "an entity that is not there": "<policies>&a;</policies>",
    "signs that are none": "<policies>\ud800</policies>",
    "too long": f"<policies>{' ' * MAX_LENGTH}</policies>",
    "too deep": "<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1),
    "too many": f"<a>{'<b/>' * MAX_ELEMENTS}</a>",
}


@pytest.mark.parametrize("why", UNREADABLE)
@pytest.mark.parametrize("form", ["xml", "rawxml"])
def test_of_a_document_that_cannot_be_read_nobody_can_tell(why: str, form: str) -> None:
    found = said(UNREADABLE[why], format=form)
    assert found == {(rule.name, "cannot tell", "value") for rule in ON if TYPE in rule.types}


@pytest.mark.parametrize(
    "code",
    [
        '<a b="@(',
        '<a b="@(1"',
        '<a b="@("',
        '<a b="@(])"',
        '<a b="@(/*"',
        '<a b="@($@"',
        '<a b="@($"{',
        "<!-- ",
        '<a b="@(@"',
    ],
)
def test_code_that_does_not_end_is_said_as_such(code: str) -> None:
    with pytest.raises(UnreadableError):
        escaped(code)


@pytest.mark.parametrize("opening", ["<!--", "/*", '$"{', "(", "'", '@"', "<![CDATA["])
def test_a_document_of_nothing_but_openings_is_refused(opening: str) -> None:
    with pytest.raises(UnreadableError):
        parsed(f'<a b="@({opening * 20_000}', raw=True)


@given(st.text("<>/=\"'@(){}[]!-$\\&;*ab \n", max_size=60), st.booleans())
@settings(deadline=None)
def test_any_text_is_read_or_said_to_be_unreadable(text: str, raw: bool) -> None:
    for document in (text, f'<a b="@({text})" />', f"<a>@{{{text}}}</a>"):
        try:
            parsed(document, raw=raw)
        except UnreadableError as error:
            assert str(error)


@pytest.mark.parametrize("form", ["xml-link", "rawxml-link"])
def test_of_a_document_at_an_address_nobody_can_tell(form: str) -> None:
    assert {kind for _, kind, _ in said("https://shop.example/policy.xml", format=form)} == {"cannot tell"}


def test_of_a_document_in_a_format_that_is_not_known_yet_nobody_can_tell() -> None:
    assert {(kind, path) for _, kind, path in said(with_inbound(""), format=UNKNOWN)} == {("cannot tell", "format")}


@pytest.mark.parametrize("value", [UNKNOWN, "[unknown]", "${apimanagement.PolicyFragment shop.value}"])
def test_of_a_document_that_is_not_known_yet_nobody_can_tell(value: str) -> None:
    assert {(kind, path) for _, kind, path in said(value)} == {("cannot tell", "value")}


# -- what a plan does not know yet -------------------------------------------------------------------------------------

TOKEN = "${network.PublicIPAddress edge.ipAddress}"


def test_a_token_where_it_does_not_matter_is_nothing_to_say() -> None:
    assert (
        said(with_inbound(f"<ip-filter action='allow'><address>10.0.0.1</address></ip-filter><!-- {TOKEN} -->"))
        == set()
    )


def test_a_token_where_it_matters_is_not_known_there_and_the_rest_is() -> None:
    origins = f"<cors><allowed-origins><origin>https://{TOKEN}</origin><origin>*</origin></allowed-origins></cors>"
    at = "value.inbound.cors.allowed-origins"
    assert said(with_inbound(origins)) == {
        ("apim-policy-cors-no-wildcard", "cannot tell", f"{at}.origin[0]"),
        ("apim-policy-cors-no-wildcard", "violation", f"{at}.origin[1]"),
        ("apim-policy-no-inline-secrets", "cannot tell", f"{at}.origin[0]"),
    }


def test_a_document_without_a_value_is_none() -> None:
    assert read(View(Subject("urn", TYPE, "it", {"apiId": "shop"}))) is None


# -- settings ----------------------------------------------------------------------------------------------------------


def test_base_may_be_asked_to_come_first() -> None:
    rest = "<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error>"
    value = f"<policies><inbound><cors /><base /></inbound>{rest}</policies>"
    found = check_resources([policy(value)], ON, {"apim-policy-base": {"first": True}})
    assert [(item.rule, item.path) for item in found] == [("apim-policy-base", "value.inbound")]
    assert check_resources([policy(value)], ON) == []
