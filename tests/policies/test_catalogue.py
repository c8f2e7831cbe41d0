"""The documents that are made from the rules say what the rules say."""

import re

import pytest

from aws_stacks import REPOSITORY
from edgewright import cli
from edgewright.policies.catalogue import render
from edgewright.policies.rule import Rule
from edgewright.policies.rules import ALL, UNSEEN
from edgewright.policies.schema import text
from golden_files import assert_golden

DOCS = REPOSITORY / "docs"
CATALOGUE = render()


def section(name: str) -> str:
    found = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##|\Z)", CATALOGUE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} has no section"
    return found[1]


def test_the_catalogue_of_the_documents_is_that_of_the_rules() -> None:
    assert_golden(DOCS / "policies.md", CATALOGUE)


def test_the_schema_of_the_documents_is_that_of_the_rules() -> None:
    assert_golden(DOCS / "policies.schema.json", text())


@pytest.mark.parametrize(("option", "expected"), [("--policies", CATALOGUE), ("--policy-config", text())])
def test_the_command_line_prints_them(capsys: pytest.CaptureFixture[str], option: str, expected: str) -> None:
    assert cli.main(["schema", option]) == 0
    assert capsys.readouterr().out == expected


def test_each_rule_has_a_row_that_leads_to_its_section() -> None:
    rows = re.findall(r"^\| \[([^\]]+)\]\(#([^)]+)\) \| (\w+) \|", CATALOGUE, re.MULTILINE)
    assert rows == [(rule.name, rule.name, rule.severity) for rule in ALL]
    assert [rule.name for rule in ALL if CATALOGUE.count(f"\n### {rule.name}\n") != 1] == []


def test_a_section_says_what_to_write_what_is_not_seen_and_what_can_be_set() -> None:
    for rule in ALL:
        found = section(rule.name)
        assert f"- Remedy: {rule.remedy}" in found
        assert ("writes it for you" in found) == (isinstance(rule, Rule) and rule.remediation is not None)
        assert ("- Off unless it is turned on: " in found) == bool(rule.optional)
        if rule.blind:
            assert f"- Does not see: {rule.blind} Instead: {rule.instead}" in found
        for name, setting in rule.settings.items():
            assert f"- Setting `{name}`: {setting.meaning}; " in found


def test_a_section_says_who_asks_for_the_same_or_why_nobody_does() -> None:
    assert "- Sources: AzPol:425bea59, Azure.FrontDoorWAF.PreventionMode," in section("afd-waf-prevention")
    assert "- No rule set asks for it: who may call, " in section("lb-not-around-gateway")
    assert [rule.name for rule in ALL if not re.search("^- (Sources|No rule set)", section(rule.name), re.M)] == []


def test_a_control_without_a_rule_says_why_and_what_sees_it() -> None:
    for control, (why, instead) in UNSEEN.items():
        assert f"| {control} | {why} | {instead} |".replace("\n", " ") in CATALOGUE


def test_no_cell_of_a_table_breaks_its_row() -> None:
    for line in CATALOGUE.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)
            assert len(cells) in {5, 7}, line
