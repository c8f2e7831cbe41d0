"""Rules as policies of Pulumi (CrossGuard), one by one: for the pack in ``policies/`` and for packs elsewhere.

    from pulumi_policy import PolicyPack
    from edgewright.policies.pack import policies
    from edgewright.policies.rules import named

    PolicyPack("acme", policies(named("alb-drop-invalid-headers", "alb-access-logs-enabled")))

What a rule cannot tell yet is raised as the framework's own error of unknown values, after all violations have been
reported: the framework makes an advisory diagnostic of it, whatever the level of the policy (docs/adr/0019).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from edgewright.policies.controls import framework
from edgewright.policies.enforcement import (
    EnforcementError,
    Exemption,
    Finding,
    configured,
    decided,
    exempt,
    expired,
    remedy,
    utc_today,
)
from edgewright.policies.levels import default_level
from edgewright.policies.remediation import values_for, write
from edgewright.policies.rule import AnyRule, Rule, StackRule, Verdict, complete_settings, judge, judge_stack
from edgewright.policies.rules import ALL
from edgewright.policies.schema import rule_schema
from edgewright.policies.types import plain_type
from edgewright.policies.view import Subject

_AT_MOST = 10
"""How many unknown properties a diagnostic names."""

_Settings = Mapping[str, Any]
_Args = ResourceValidationArgs | StackValidationArgs


class CannotTellError(UnknownValueError):
    """What a rule rests on is not known yet. The framework reports the message as an advisory diagnostic."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Say what is not known, and of which resource."""
        super().__init__(UNKNOWN_STRING_VALUE, [])
        said = [f"{finding.sentence} ({finding.urn.rpartition('::')[2]})" for finding in findings[:_AT_MOST]]
        more = f"; and {len(findings) - _AT_MOST} more" if len(findings) > _AT_MOST else ""
        self.message = f"it cannot tell yet: {'; '.join(said)}{more}"


def policies(rules: Iterable[AnyRule] = ALL) -> list[Policy]:
    """The policies of rules, to be given to a `PolicyPack`."""
    return [policy(rule) for rule in rules]


def policy(rule: AnyRule) -> Policy:
    """A rule as a policy: its level by severity, its settings and exemptions as the engine configures them."""
    about: dict[str, Any] = {
        "name": rule.name,
        "description": f"{rule.title}.",
        "display_name": rule.title,
        "enforcement_level": EnforcementLevel(default_level(rule)),
        "config_schema": PolicyConfigSchema({name: dict(kind) for name, kind in rule_schema(rule).items()}),
        "severity": Severity(rule.severity),
        "tags": sorted({kind.partition(":")[0] for kind in rule.types}),
        "remediation_steps": rule.remedy,
    }
    if known := framework(rule):
        about["framework"] = PolicyComplianceFramework(known.name, reference=known.reference)
        about["url"] = known.url or None
    if isinstance(rule, StackRule):
        return StackValidationPolicy(validate=_stack_validation(rule), **about)
    remediate = _remediation(rule) if rule.remediation else None
    return ResourceValidationPolicy(validate=_validation(rule), remediate=remediate, **about)


def _validation(rule: Rule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    types = frozenset(rule.types)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if plain_type(args.resource_type) in types:
            subject = _subject_of_resource(args)
            _tell(rule, args, report, [subject.urn], lambda settings: judge(rule, subject, settings))

    return validate


def _stack_validation(rule: StackRule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    types = frozenset(rule.types)

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        if any(plain_type(resource.resource_type) in types for resource in args.resources):
            # Anew for each rule: the framework unpacks the stack for each policy, and does not say that it is the same.
            subjects = [_subject_in_stack(resource) for resource in args.resources]
            urns = [subject.urn for subject in subjects if subject.type in types]
            _tell(rule, args, report, urns, lambda settings: judge_stack(rule, subjects, settings))

    return validate


def _remediation(rule: Rule) -> Callable[[ResourceValidationArgs], Any]:
    types = frozenset(rule.types)

    def remediate(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
        if plain_type(args.resource_type) not in types:
            return None
        subject = _subject_of_resource(args)
        # A configuration or a path that is wrong ends in a violation, which says it.
        with suppress(EnforcementError, LookupError, TypeError):
            settings, exemptions = configured(rule, args.get_config())
            if exempt(exemptions, subject.urn, utc_today()):
                return None
            values = values_for(rule, subject, complete_settings(rule, settings))
            write(args.props, values)
            return args.props if values else None
        return None

    return remediate


def _tell(
    rule: AnyRule,
    args: _Args,
    report: ReportViolation,
    urns: Sequence[str],
    look: Callable[[_Settings], Iterable[Verdict]],
) -> None:
    """Report what a rule says, each with its resource. urns: of what it looks at."""
    try:
        settings, exemptions = configured(rule, args.get_config())
    except EnforcementError as error:
        report(f"It is configured wrongly, and looks at nothing until that is mended:\n{error}", None)
        return
    findings = _findings(look(complete_settings(rule, settings)), exemptions, urns)
    stopping = [finding for finding in findings if finding.kind not in {"cannot tell", "exempt"}]
    for finding in stopping:
        what_to_do = remedy(finding, rule)
        report(finding.sentence + (f"\nRemedy: {what_to_do}" if what_to_do else ""), finding.urn or None)
    if unknown := [finding for finding in findings if finding.kind == "cannot tell"]:
        raise CannotTellError(unknown)
    if findings and not stopping:
        args.not_applicable("; ".join(finding.sentence for finding in findings))


def _findings(verdicts: Iterable[Verdict], exemptions: Sequence[Exemption], urns: Iterable[str]) -> list[Finding]:
    """The level is left to the engine, which knows what is configured."""
    today = utc_today()
    found = [decided(verdict, "mandatory", exemptions, today) for verdict in verdicts]
    found.extend(expired("mandatory", exemptions, urns, today))
    return found


def _subject_of_resource(args: ResourceValidationArgs) -> Subject:
    return Subject(
        args.urn, args.resource_type, args.name, args.props, delete_before_replace=args.opts.delete_before_replace
    )


def _subject_in_stack(resource: PolicyResource) -> Subject:
    refs = {
        key: frozenset(other.urn for other in others)
        for key, others in resource.property_dependencies.items()
        if others
    }
    return Subject(
        resource.urn,
        resource.resource_type,
        resource.name,
        resource.props,
        refs,
        resource.opts.delete_before_replace,
    )
