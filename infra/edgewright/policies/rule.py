"""Rules as data, and how they are run over resources: by type, in this process."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from traceback import extract_tb
from typing import Any, Literal

from edgewright.policies.graph import Graph, Index
from edgewright.policies.view import Subject, View, Violation

Severity = Literal["critical", "high", "medium", "low"]
Check = Callable[[View], Iterable[Violation]]
Remediation = Callable[[View], Mapping[str, Any]]
"""New values by path, such as ``{"accessLogs.enabled": True}``; empty where nothing is to be done."""

StackCheck = Callable[[Graph], Iterable[Violation]]

ELSEWHERE = "Run the pack over the other stack too, and let AWS Config look at the account."
LINT_DOCUMENT = "`edgewright check` lints documents that a spec leads to; let a test lint others."
"""What to do `instead`, where several rules say the same."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be configured of a rule. kind: its JSON schema; default: when nothing is said."""

    kind: Mapping[str, Any]
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule over one resource by itself: where its values come from only a rule over the stack sees.

    name: also in configurations; controls: of controls.csv; title: what must hold; severity: as in controls.csv;
    types: resources that it looks at; remedy: what to write instead; optional: why it is off unless configured, empty
    for rules that are on; blind: what it cannot see, empty for nothing; instead: what sees that; remediation: only
    where nothing can break.
    """

    name: str
    controls: tuple[str, ...]
    title: str
    severity: Severity
    types: tuple[str, ...]
    check: Check
    remedy: str
    optional: str = ""
    blind: str = ""
    instead: str = ""
    remediation: Remediation | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRule:
    """A rule over all resources of a stack and how they refer to each other. Fields as of `Rule`."""

    name: str
    controls: tuple[str, ...]
    title: str
    severity: Severity
    types: tuple[str, ...]
    check: StackCheck
    remedy: str
    optional: str = ""
    blind: str = ""
    instead: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])


AnyRule = Rule | StackRule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says about a resource.

    kind: ``violation``, ``cannot tell`` where a property is unknown that it rests on, or ``broken rule`` where the rule
    itself failed, so that nobody looked; path: of the property; urn: "" where a broken rule looked at a whole stack.
    """

    rule: str
    kind: Literal["violation", "cannot tell", "broken rule"]
    urn: str
    path: str
    text: str


def check_resources(
    subjects: Iterable[Subject],
    rules: Iterable[AnyRule],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Verdict]:
    """Run rules over resources; settings: of rules, by name of the rule and of the setting.

    Verdicts come resource by resource, in the order of the resources, then rules over the stack.
    """
    given = settings or {}
    index = Index(subjects)
    by_type: dict[str, list[tuple[Rule, Mapping[str, Any]]]] = {}
    of_stacks: list[StackRule] = []
    for rule in rules:
        if isinstance(rule, StackRule):
            of_stacks.append(rule)
            continue
        complete = complete_settings(rule, given.get(rule.name, {}))
        for kind in rule.types:
            by_type.setdefault(kind, []).append((rule, complete))
    found = [
        verdict
        for subject in map(_alone, index.subjects)
        for rule, complete in by_type.get(subject.type, ())
        for verdict in judge(rule, subject, complete)
    ]
    for rule in of_stacks:
        found.extend(judge_stack(rule, index, complete_settings(rule, given.get(rule.name, {}))))
    return found


def _alone(subject: Subject) -> Subject:
    """A resource as the engine shows it by itself: it does not say where values come from."""
    return replace(subject, refs={}) if subject.refs else subject


def judge(rule: Rule, subject: Subject, settings: Mapping[str, Any]) -> list[Verdict]:
    """What a rule says about one resource; settings: complete. Never raises: a rule that fails is a verdict too."""
    view = View(subject, settings)
    try:
        violations = list(rule.check(view))
    except Exception as error:
        return [_broken(rule, subject.urn, error)]
    return _verdicts(rule.name, {subject.urn: view}, violations)


def judge_stack(rule: StackRule, subjects: Iterable[Subject] | Index, settings: Mapping[str, Any]) -> list[Verdict]:
    """What a rule says about a stack; settings: complete. Never raises, as `judge`."""
    graph = Graph(subjects, settings)
    try:
        violations = list(rule.check(graph))
    except Exception as error:
        return [_broken(rule, "", error)]
    return _verdicts(rule.name, graph.views, violations)


def complete_settings(rule: AnyRule, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a rule, with defaults where nothing is given."""
    return {name: given.get(name, setting.default) for name, setting in rule.settings.items()}


def _failed_at(error: Exception) -> str:
    """What failed and where in the rule, without the error's own text: it may repeat a secret."""
    place = extract_tb(error.__traceback__)[:2][-1]  # the first is the call of the rule
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"


def _broken(rule: AnyRule, urn: str, error: Exception) -> Verdict:
    text = f"was not looked at: the rule itself is broken ({_failed_at(error)}). Report it, and disable it until then"
    return Verdict(rule.name, "broken rule", urn, "", text)


def _verdicts(name: str, views: Mapping[str, View], violations: Iterable[Violation]) -> list[Verdict]:
    found = [
        Verdict(name, "violation", violation.urn, violation.path, violation.text)
        for violation in violations
        if violation.urn not in views or views[violation.urn].holds(violation)
    ]
    found += [
        Verdict(name, "cannot tell", urn, path, why) for urn, view in views.items() for path, why in view.unread.items()
    ]
    return found
