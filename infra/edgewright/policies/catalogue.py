"""The catalogue of rules as Markdown, made from the rules."""

from collections.abc import Iterable, Sequence

from edgewright.policies.controls import sources
from edgewright.policies.levels import default_level
from edgewright.policies.rule import AnyRule, StackRule
from edgewright.policies.rules import UNSEEN


def render(rules: Sequence[AnyRule]) -> str:
    """The catalogue: a table of the rules, then each rule's remedy and limits."""
    lines = [
        "# Rules",
        "",
        "Made from the rules; `mandatory` stops an update, `advisory` warns, `disabled` has to be turned on.",
        "",
        "| rule | severity | level | what must hold | looks at |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| [{rule.name}](#{rule.name}) | {rule.severity} | {default_level(rule)} | {_cell(rule.title)} | {_looks_at(rule)} |"  # noqa: E501
        for rule in rules
    ]
    for rule in rules:
        lines += ["", f"## {rule.name}", "", *_section(rule)]
    if UNSEEN:
        lines += ["", "# Controls without a rule", "", "| control | why | instead |", "|---|---|---|"]
        lines += [f"| {control} | {_cell(why)} | {_cell(instead)} |" for control, (why, instead) in UNSEEN.items()]
    return "\n".join(lines) + "\n"


def _section(rule: AnyRule) -> Iterable[str]:
    yield f"{rule.title}."
    yield ""
    yield f"- Remedy: {rule.remedy}"
    if not isinstance(rule, StackRule) and rule.remediation:
        yield "- Level `remediate` writes it for you."
    if rule.optional:
        yield f"- Off unless it is turned on: {rule.optional}"
    if rule.blind:
        yield f"- Does not see: {rule.blind} Instead: {rule.instead}"
    for name, setting in rule.settings.items():
        yield f"- Setting `{name}`: {setting.meaning}; `{setting.default}` unless said."
    yield f"- Sources: {', '.join(sources(rule))}"


def _looks_at(rule: AnyRule) -> str:
    short = list(dict.fromkeys(kind.rpartition(":")[2] for kind in rule.types))
    text = ", ".join(short[:3]) + (", ..." if len(short) > 3 else "")
    return f"{text}, and what refers to it" if isinstance(rule, StackRule) else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
