"""The rules as a whole: their names, what they guard, and that they can be run over real plans."""

import csv
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from aws_stacks import REPOSITORY
from aws_stacks import STACKS as AWS_STACKS
from aws_stacks import planned as planned_on_aws
from azure_stacks import STACKS as AZURE_STACKS
from azure_stacks import planned as planned_on_azure
from edgewright.plan.model import Resource
from edgewright.plan.sdk_types import problems
from edgewright.policies.controls import OWN, SOURCES, UNASKED, framework, sources
from edgewright.policies.graph import Graph, from_plan
from edgewright.policies.rule import AnyRule, Rule, StackRule, check_resources
from edgewright.policies.rules import ALL, UNSEEN, named
from edgewright.policies.schema import WRONG, converted
from edgewright.policies.view import Subject, View, Violation
from policies.examples import examples

SEVERITIES = ("critical", "high", "medium", "low")
CLOUDS = {"aws": "aws", "azure": "azure-native"}
# An input does not show it at all, or only the running service does.
NOT_SEEN = ("[n/a]", "[runtime]")


def _controls() -> dict[str, dict[str, str]]:
    with (REPOSITORY / "tests" / "data" / "controls.csv").open(encoding="utf-8", newline="") as file:
        return {row["our_key"]: row for row in csv.DictReader(file)}


CONTROLS = _controls()
GUARDED = {control for rule in ALL for control in rule.controls}


# Some rules guard what is no control of the list.
FROM_CONTROLS = [rule for rule in ALL if rule.controls]


def _worst(rule: AnyRule) -> str:
    return min((CONTROLS[control]["severity"] for control in rule.controls), key=SEVERITIES.index)


def test_every_control_is_guarded_by_a_rule_or_said_to_be_unseen() -> None:
    assert sorted(CONTROLS.keys() - GUARDED - UNSEEN.keys()) == []


def test_no_control_is_both_guarded_and_unseen() -> None:
    assert sorted(GUARDED & UNSEEN.keys()) == []


def test_what_rules_guard_and_what_is_unseen_are_controls() -> None:
    assert sorted((GUARDED | UNSEEN.keys()) - CONTROLS.keys()) == []


def test_every_core_control_that_an_input_shows_has_a_rule() -> None:
    shown = {
        key
        for key, row in CONTROLS.items()
        if "[core]" in row["notes"] and not any(mark in row["notes"] for mark in NOT_SEEN)
    }
    assert len(shown) > 150
    assert sorted(shown - GUARDED) == []


def test_what_is_unseen_says_why_and_what_sees_it() -> None:
    assert [control for control, (why, instead) in UNSEEN.items() if not why.strip() or not instead.strip()] == []


def test_a_rule_is_as_severe_as_the_worst_control_that_it_guards() -> None:
    wrong = {rule.name: (rule.severity, _worst(rule)) for rule in FROM_CONTROLS if rule.severity != _worst(rule)}
    assert wrong == {}


def test_a_rule_that_is_for_one_control_and_alone_for_it_has_its_name() -> None:
    guards = [control for rule in ALL for control in rule.controls]
    alone = {rule.name: rule.controls for rule in ALL if [guards.count(control) for control in rule.controls] == [1]}
    assert {name: controls for name, controls in alone.items() if controls != (name,)} == {}


def test_names_are_unique_and_can_be_typed() -> None:
    names = [rule.name for rule in ALL]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    assert {"all", "environments"}.isdisjoint(names), "words of the configuration"


def test_a_rule_says_what_must_hold_and_what_to_write_instead() -> None:
    assert [rule.name for rule in ALL if not rule.title.strip() or rule.title.endswith(".")] == []
    assert [rule.name for rule in ALL if not rule.remedy.strip()] == []


def test_a_rule_that_is_blind_for_something_says_what_sees_it() -> None:
    assert [rule.name for rule in ALL if bool(rule.blind) != bool(rule.instead)] == []


def test_a_rule_looks_at_resources_of_the_cloud_of_its_controls() -> None:
    wrong = {
        rule.name: kind
        for rule in FROM_CONTROLS
        for kind in rule.types
        if not {CLOUDS[CONTROLS[control]["cloud"]] for control in rule.controls} >= {kind.partition(":")[0]}
    }
    assert wrong == {}
    assert [rule.name for rule in ALL if not rule.types] == []


def test_the_types_that_rules_look_at_are_those_of_the_installed_sdks() -> None:
    """Or what they were called before: a resource keeps its old type as an alias."""
    registered = {package: _text(package, "__init__.py") for package in ("pulumi_aws", "pulumi_azure_native")}
    unknown: list[str] = []
    for rule in ALL:
        known = [kind for kind in rule.types if f'"{kind}":' in registered[_package(kind)]]
        renamed = "".join(
            _text(_package(kind), _module(kind), "*.py") for kind in known if len(known) < len(rule.types)
        )
        unknown += [kind for kind in rule.types if kind not in known and f'type_="{kind}"' not in renamed]
    assert unknown == []


# Names that the SDK does not have, and why rules look at them all the same.
_OTHER_VERSIONS = {
    "stageName": "aws:apigateway/deployment:Deployment until version 6 of the provider",
    "backendHttpSettingsCollection[0].validateCertChainAndExpiry": "API versions of 2025",
    "credentials.managedIdentity": "azure-native:apimanagement:Backend in previews of the API",
}


def test_the_properties_of_examples_are_inputs_of_the_installed_sdks() -> None:
    """Where a rule reads a name that no resource has, its examples have the same slip."""
    found: set[str] = set()
    for example in examples():
        for subject in example.subjects:
            inputs = {key: value for key, value in subject.properties.items() if key not in {"arn", "id"}}
            resource = Resource(subject.urn, subject.type, subject.name, None, inputs, (), custom=True)
            for problem in problems(resource):
                name, unknown, _ = problem.removeprefix(f"{resource.short}: ").partition(" is not known; ")
                if unknown and name not in _OTHER_VERSIONS:
                    found.add(f"{example}: {problem}")
    assert sorted(found) == []


def test_examples_of_rules_over_one_resource_say_nothing_of_others() -> None:
    """The engine asks such a rule about one resource, and does not say what its values come from."""
    rules = {rule.name: rule for rule in ALL}
    alone = [example for example in examples() if isinstance(rules[example.rule], Rule)]
    assert [
        str(example) for example in alone if len(example.subjects) > 1 or any(item.refs for item in example.subjects)
    ] == []


def _package(kind: str) -> str:
    return f"pulumi_{kind.partition(':')[0].replace('-', '_')}"


def _module(kind: str) -> str:
    return kind.split(":")[1].partition("/")[0]


def _text(package: str, *names: str) -> str:
    """The text of the files of an SDK, which is not imported."""
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent.joinpath(*names[:-1])
    return "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob(names[-1])))


def test_every_control_has_the_sources_of_the_list() -> None:
    listed = {key: tuple(part for part in row["source_ids"].split(";") if part) for key, row in CONTROLS.items()}
    assert {key: SOURCES.get(key) for key in CONTROLS if set(SOURCES.get(key, ())) != set(listed[key])} == {}
    assert sorted(SOURCES.keys() - CONTROLS.keys()) == []
    assert [rule.name for rule in FROM_CONTROLS if not sources(rule)] == []


def test_a_rule_for_no_control_says_who_asks_for_the_same_or_why_it_is_there() -> None:
    others = {rule.name for rule in ALL if not rule.controls}
    assert sorted(OWN.keys() & UNASKED.keys()) == []
    assert sorted((OWN.keys() | UNASKED.keys()) ^ others) == []
    assert [rule.name for rule in ALL if not sources(rule) and not UNASKED[rule.name].endswith(".")] == []


def test_a_rule_points_at_the_page_of_its_control_in_security_hub() -> None:
    found = framework(named("alb-drop-invalid-headers")[0])
    assert found is not None
    assert (found.name, found.reference) == ("AWS Security Hub", "ELB.4")
    assert found.url == "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-4"


def test_settings_are_of_kinds_that_a_configuration_can_have_and_their_defaults_fit() -> None:
    wrong = {
        f"{rule.name}.{name}": setting.default
        for rule in ALL
        for name, setting in rule.settings.items()
        if converted(setting.kind, setting.default) is WRONG or not setting.meaning.strip()
    }
    assert wrong == {}
    assert [rule.name for rule in ALL if {"exemptions", "enforcementLevel"} & rule.settings.keys()] == []


def test_rules_are_picked_by_name_and_all_wrong_names_are_said() -> None:
    assert [rule.name for rule in named("alb-drop-invalid-headers", "sg-no-public-ssh")] == [
        "alb-drop-invalid-headers",
        "sg-no-public-ssh",
    ]
    with pytest.raises(ValueError, match="`alb-drop-headers` is no rule") as error:
        named("alb-drop-headers", "sg-no-public-ssh", "no-such-thing-at-all")
    assert "`no-such-thing-at-all` is no rule" in str(error.value)


@pytest.mark.parametrize("stack", [*AWS_STACKS, *AZURE_STACKS])
def test_the_rules_can_be_run_over_the_plan_of_a_stack(stack: str) -> None:
    planned = planned_on_aws if stack in AWS_STACKS else planned_on_azure
    subjects = from_plan(planned(stack).resources)
    verdicts = check_resources(subjects, ALL)
    assert [verdict for verdict in verdicts if verdict.kind == "broken rule"] == []
    assert {verdict.urn for verdict in verdicts} <= {subject.urn for subject in subjects}
    looked = {kind for rule in ALL if isinstance(rule, Rule) for kind in rule.types}
    assert looked & {subject.type for subject in subjects}, "no rule looks at any of it"


def test_where_values_come_from_is_seen_by_rules_over_the_stack_alone_as_in_the_engine() -> None:
    about: dict[str, Any] = {"controls": (), "title": "", "severity": "low", "types": ("a:b:C",), "remedy": ""}
    seen: dict[str, object] = {}

    def alone(view: View) -> Iterator[Violation]:
        seen["alone"] = view.subject.refs
        yield from ()

    def together(stack: Graph) -> Iterator[Violation]:
        seen["together"] = [view.subject.refs for view in stack.of("a:b:C")]
        yield from ()

    refs = {"vpc": frozenset({"urn"})}
    rules = (Rule(name="alone", check=alone, **about), StackRule(name="together", check=together, **about))
    check_resources([Subject("urn:x", "a:b:C", "x", {}, refs)], rules)
    assert seen == {"alone": {}, "together": [refs]}
