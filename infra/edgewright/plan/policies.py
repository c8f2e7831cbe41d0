"""The rules run over a plan, in this process: what they find, beside the routes and the lines that led to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.plan.model import Plan, Policies, PolicyResult

if TYPE_CHECKING:
    from edgewright.plan.led_by import Led, Written
    from edgewright.policies.enforcement import Finding
    from edgewright.policies.rule import AnyRule
    from edgewright.policies.view import Subject

ORDER = ("broken rule", "expired exemption", "violation", "remediated", "exempt", "unused exemption", "cannot tell")
"""Of kinds, after what stops the update."""

_ABOUT_EXEMPTIONS = ("expired exemption", "unused exemption")
"""Kinds that are led to by the configuration."""

_SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Files:
    """What a plan was made of, for the places that results name. backends: the names of the spec's."""

    spec: "Written | None" = None
    stack: "Written | None" = None
    backends: Sequence[str] = ()


def judged(plan: Plan, configuration: Path | None, files: Callable[[], Files] = Files) -> Plan:
    """The plan with what the rules say of it.

    configuration: how they are enforced; None: by default. files: called when there is something to say.
    Raises EnforcementError for a configuration that cannot be used.
    """
    from edgewright.policies.enforcement import check, for_file, load
    from edgewright.policies.graph import from_plan
    from edgewright.policies.rules import ALL

    enforcement = load({}, ALL) if configuration is None else for_file(configuration, ALL)
    subjects = from_plan(plan.resources)
    findings = check(subjects, ALL, enforcement)
    name = configuration.as_posix() if configuration is not None else ""
    results = _results(plan, findings, {rule.name: rule for rule in ALL}, subjects, files(), name) if findings else []
    cloud = plan.topology.partition("/")[0]
    run = sum(_is_of(rule, cloud) and enforcement.levels[rule.name] != "disabled" for rule in ALL)
    return replace(plan, policies=Policies(run, tuple(sorted(results, key=_order)), name))


def _is_of(rule: "AnyRule", cloud: str) -> bool:
    """Whether a rule looks at resources of a cloud: their types begin with `aws:`, `azure-native:` or `kubernetes:`."""
    return any(kind.startswith("aws:") == (cloud == "aws") for kind in rule.types)


def _results(
    plan: Plan,
    findings: "Sequence[Finding]",
    rules: "Mapping[str, AnyRule]",
    subjects: "Sequence[Subject]",
    files: Files,
    configuration: str,
) -> list[PolicyResult]:
    from edgewright.plan.led_by import LedBy
    from edgewright.policies.enforcement import remedy

    led_by = LedBy(
        plan.routes,
        plan.resources,
        {subject.urn: frozenset[str]().union(*subject.refs.values()) for subject in subjects},
        files.backends,
        files.spec,
        files.stack,
        _table(plan.topology),
    )
    found: list[PolicyResult] = []
    for finding in findings:
        rule = rules[finding.rule]
        if finding.kind in _ABOUT_EXEMPTIONS:
            routes, places = (), (f"{finding.rule}.exemptions ({configuration})",)
        else:
            routes, places = led_by.of(finding.urn, finding.path, finding.rule, finding.text)
        found.append(
            PolicyResult(
                finding.rule,
                finding.kind,
                finding.level,
                rule.severity,
                finding.urn,
                finding.path,
                rule.title,
                finding.text,
                remedy(finding, rule),
                routes,
                places,
            )
        )
    return found


def _table(topology: str) -> "Sequence[Led]":
    if topology.startswith("azure/"):
        from edgewright.azure.led_by import LED_BY
    else:
        from edgewright.aws.led_by import LED_BY
    return LED_BY


def _order(result: PolicyResult) -> tuple[bool, int, bool, int, str, str, str]:
    return (
        not result.stops,
        ORDER.index(result.kind),
        result.level == "advisory",
        _SEVERITIES.index(result.severity),
        result.rule,
        result.urn,
        result.path,
    )
