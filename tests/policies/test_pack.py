"""Rules as policies, in this process, with the values that the policy framework hands them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy

import edgewright
from edgewright.policies.graph import Graph
from edgewright.policies.pack import policies, policy
from edgewright.policies.rule import Rule, StackRule, check_resources, judge, judge_stack
from edgewright.policies.rules import ALL, named
from edgewright.policies.view import Subject, View, Violation
from policies.analyzer import PACK, REPOSITORY, running
from policies.examples import examples, urn_of

RULES = {rule.name: rule for rule in ALL}
LISTENER = "aws:lb/listener:Listener"


def options(subject: Subject) -> PolicyResourceOptions:
    return PolicyResourceOptions(False, [], subject.delete_before_replace, [], PolicyCustomTimeouts(0, 0, 0), [])


def said(policy: Policy, subjects: Iterable[Subject], config: dict[str, Any]) -> tuple[list[str], str]:
    """The urns of what a policy reports, and what it cannot tell."""
    reported: list[str] = []

    def report(_message: str, urn: str | None = None) -> None:
        reported.append(urn or "")

    try:
        if isinstance(policy, StackValidationPolicy):
            policy.validate(StackValidationArgs(resources(subjects), config), report)
        elif isinstance(policy, ResourceValidationPolicy):
            for subject in subjects:
                policy.validate(resource_args(subject, config), report)
    except UnknownValueError as error:
        return reported, error.message
    return reported, ""


def resource_args(subject: Subject, config: dict[str, Any]) -> ResourceValidationArgs:
    props = unknown_checking_proxy(dict(subject.properties))
    return ResourceValidationArgs(subject.type, props, subject.urn, subject.name, options(subject), None, config)


def resources(subjects: Iterable[Subject]) -> list[PolicyResource]:
    made = {
        subject.urn: PolicyResource(
            subject.type,
            unknown_checking_proxy(dict(subject.properties)),
            subject.urn,
            subject.name,
            options(subject),
            None,
            None,
            [],
            {},
        )
        for subject in subjects
    }
    for subject in subjects:
        made[subject.urn].property_dependencies = {
            key: [made[urn] for urn in urns] for key, urns in subject.refs.items()
        }
    return list(made.values())


@pytest.mark.parametrize("example", examples(), ids=str)
def test_a_policy_reads_the_framework_s_proxies_as_its_rule_reads_plain_values(example: Any) -> None:
    rule = RULES[example.rule]
    expected = check_resources(example.subjects, [rule], {rule.name: example.settings})
    reported, cannot_tell = said(policy(rule), example.subjects, dict(example.settings))
    assert sorted(reported) == sorted(verdict.urn for verdict in expected if verdict.kind == "violation")
    assert cannot_tell == ""


def test_there_is_a_policy_for_each_rule_that_is_asked_for() -> None:
    found = policies(named("alb-drop-invalid-headers", "lb-has-listener"))
    assert [(item.name, type(item)) for item in found] == [
        ("alb-drop-invalid-headers", ResourceValidationPolicy),
        ("lb-has-listener", StackValidationPolicy),
    ]
    assert [item.name for item in policies()] == [rule.name for rule in ALL]


def test_only_rules_that_can_write_what_is_right_have_a_remediation() -> None:
    for rule, item in zip(ALL, policies(), strict=True):
        if isinstance(item, ResourceValidationPolicy):
            assert item.has_remediation() == (isinstance(rule, Rule) and rule.remediation is not None)


def test_an_optional_rule_is_disabled_by_default() -> None:
    optional = next(rule for rule in ALL if rule.optional)
    assert policy(optional).enforcement_level is EnforcementLevel.DISABLED


def test_a_rule_looks_at_nothing_but_its_types() -> None:
    def never(_: View) -> Iterable[Violation]:
        raise AssertionError("it was asked")

    other = Subject(urn_of("aws:s3/bucket:Bucket", "b"), "aws:s3/bucket:Bucket", "b", {})
    assert said(policy(one_rule(never)), [other], {}) == ([], "")


def one_rule(check: Callable[[View], Iterable[Violation]], name: str = "made-up") -> Rule:
    return Rule(
        name=name,
        controls=("alb-drop-invalid-headers",),
        title="Something holds",
        severity="high",
        types=(LISTENER,),
        check=check,
        remedy="Write something else.",
    )


def broken(_: View) -> Iterable[Violation]:
    return [{}["the-secret"]]


def broken_for_stacks(_: Graph) -> Iterable[Violation]:
    raise ValueError("the-secret")


def test_a_rule_that_is_broken_says_so_and_where_and_not_what_it_held() -> None:
    subject = Subject(urn_of(LISTENER, "it"), LISTENER, "it", {})
    (found,) = judge(one_rule(broken), subject, {})
    assert (found.kind, found.urn, found.path) == ("broken rule", subject.urn, "")
    assert "KeyError in test_pack.py, line " in found.text
    assert "the-secret" not in found.text


def test_a_stack_rule_that_is_broken_says_so_of_the_stack() -> None:
    rule = StackRule(
        name="made-up",
        controls=("lb-has-listener",),
        title="Something holds",
        severity="high",
        types=(LISTENER,),
        check=broken_for_stacks,
        remedy="Write something else.",
    )
    (found,) = judge_stack(rule, (), {})
    assert (found.kind, found.urn) == ("broken rule", "")
    reported, _ = said(policy(rule), [Subject(urn_of(LISTENER, "it"), LISTENER, "it", {})], {})
    assert reported == [""]


def test_a_broken_rule_takes_no_other_with_it() -> None:
    fine = one_rule(lambda view: [view.fails("port", "is wrong")], "fine")
    subject = Subject(urn_of(LISTENER, "it"), LISTENER, "it", {"port": 80.0})
    found = check_resources([subject], [one_rule(broken), fine])
    assert [(verdict.rule, verdict.kind) for verdict in found] == [("made-up", "broken rule"), ("fine", "violation")]


BROKEN_PACK = """
from pulumi_policy import PolicyPack
from edgewright.policies.pack import policies
from edgewright.policies.rule import Rule
from edgewright.policies.rules import named

def broken(view):
    return [view.setting("there is none")]

def fix(view):
    raise ValueError("no")

PolicyPack("acme", policies([
    Rule(name="broken", controls=("alb-drop-invalid-headers",), title="Something holds", severity="low",
         types=("aws:lb/loadBalancer:LoadBalancer",), check=broken, remedy="Nothing.", remediation=fix),
    *named("alb-drop-invalid-headers"),
]))
"""


def test_a_broken_rule_stops_neither_the_analyzer_nor_the_other_rules(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(BROKEN_PACK)
    kind = "aws:lb/loadBalancer:LoadBalancer"
    shop = Subject(urn_of(kind, "shop"), kind, "shop", {"dropInvalidHeaderFields": False})
    with running(tmp_path) as pack:
        found = pack.analyze(shop).diagnostics
        assert [(item.rule, item.level) for item in found] == [
            ("broken", "advisory"),
            ("alb-drop-invalid-headers", "mandatory"),
        ]
        assert "the rule itself is broken (KeyError in __main__.py, line 8)" in found[0].message
        pack.configure({"broken": "remediate"}, [one_rule(broken, "broken")])
        assert pack.remediate(shop) == []


def test_the_pack_has_the_version_of_the_package_and_says_what_it_needs_to_run() -> None:
    import yaml

    found = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    assert found["version"] == edgewright.__version__
    assert found["description"]
    project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text(encoding="utf-8"))
    environment = project["runtime"]["options"]["virtualenv"]
    assert found["runtime"] == {"name": "python", "options": {"virtualenv": f"../{environment}"}}
