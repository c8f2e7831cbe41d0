"""The catalogue of rules as Markdown, made from the rules."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from edgewright.policies.components import REMEDIES
from edgewright.policies.controls import UNASKED, framework, sources
from edgewright.policies.levels import LEVELS, default_level
from edgewright.policies.rule import AnyRule, Rule, StackRule
from edgewright.policies.rules import BY_CLOUD, UNSEEN

_INTRODUCTION = """\
# Rules

{count} rules hold resources on AWS and Azure against {controls} controls of the public rule sets.
[Policy packs](policy-packs.md) says how to run them, here and elsewhere, how to configure them, and how to exempt a
resource from one.

A rule that is `mandatory` stops an update, one that is `advisory` warns, one that is `disabled` is off until it is
turned on. Unless configured, the level follows the severity: {levels}. A rule that rests on a value which nobody knows
before the deployment says that it cannot tell yet, and warns.

This page is made from the rules (`make docs`)."""


def render(by_cloud: Mapping[str, Sequence[AnyRule]] = BY_CLOUD, unseen: Mapping[str, tuple[str, str]] = UNSEEN) -> str:
    """The catalogue: for each cloud a table of its rules and what there is to know of each, then what no rule sees."""
    rules = [rule for listed in by_cloud.values() for rule in listed]
    controls = {control for rule in rules for control in rule.controls}
    levels = ", ".join(f"{severity} is {level}" for severity, level in LEVELS.items())
    lines = [_INTRODUCTION.format(count=len(rules), controls=len(controls), levels=levels)]
    for cloud, listed in by_cloud.items():
        lines += [
            "",
            f"## {cloud}",
            "",
            "| rule | severity | level | what must hold | looks at |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(rule) for rule in listed]
        for rule in listed:
            lines += ["", f"### {rule.name}", "", *_section(rule)]
    if unseen:
        lines += ["", "## Controls without a rule", "", "| control | why | instead |", "|---|---|---|"]
        lines += [f"| {control} | {_cell(why)} | {_cell(instead)} |" for control, (why, instead) in unseen.items()]
    return "\n".join(lines) + "\n"


def _row(rule: AnyRule) -> str:
    cells = (
        f"[{rule.name}](#{rule.name})",
        rule.severity,
        default_level(rule),
        _cell(rule.title),
        _looks_at(rule),
    )
    return f"| {' | '.join(cells)} |"


def _section(rule: AnyRule) -> Iterator[str]:
    yield f"{rule.title}."
    yield ""
    yield f"- Remedy: {rule.remedy}"
    if rule.name in REMEDIES:
        yield f"- Of an edge of edgewright: {REMEDIES[rule.name]}"
    if isinstance(rule, Rule) and rule.remediation:
        yield "- Level `remediate` writes it for you."
    if rule.optional:
        yield f"- Off unless it is turned on: {rule.optional}"
    if rule.blind:
        yield f"- Does not see: {rule.blind} Instead: {rule.instead}"
    for name, setting in rule.settings.items():
        yield f"- Setting `{name}`: {setting.meaning}; `{json.dumps(setting.default)}` unless said."
    yield f"- Looks at: {', '.join(f'`{kind}`' for kind in rule.types)}"
    if rule.controls not in {(), (rule.name,)}:
        yield f"- Controls: {', '.join(rule.controls)}"
    listed = list(_sources(rule))
    yield f"- Sources: {', '.join(listed)}" if listed else f"- No rule set asks for it: {UNASKED[rule.name]}"


def _sources(rule: AnyRule) -> Iterable[str]:
    known = framework(rule)
    for source in sources(rule):
        linked = known is not None and known.url and source == known.reference
        yield f"[{source}]({known.url})" if known and linked else source


def _looks_at(rule: AnyRule) -> str:
    short = list(dict.fromkeys(kind.rpartition(":")[2] for kind in rule.types))
    text = ", ".join(short[:3]) + (", ..." if len(short) > 3 else "")
    return f"{text}, and what refers to it" if isinstance(rule, StackRule) else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
