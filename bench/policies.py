"""What rules cost: over 1,000 resources of real plans in this process, and through the analyzer, beside empty ones."""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, cast

from tests import aws_stacks, azure_stacks
from tests.policies.analyzer import PACK, Analyzer, request_of, running, stack_request_of

from bench import measure
from bench.times import Time
from edgewright.plan.tokens import stands_in
from edgewright.policies.enforcement import check
from edgewright.policies.graph import from_plan
from edgewright.policies.levels import default_level
from edgewright.policies.rule import StackRule
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject

RESOURCES = 1000
GOAL_SECONDS = 0.5
GOAL_RATIO = 1.3

_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_BALANCER, _LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"

# As many policies as there are rules, in the same levels, that look at nothing.
_EMPTY = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy
def nothing(args, report):
    return None
PolicyPack("empty", [
    (StackValidationPolicy if stack else ResourceValidationPolicy)(
        name=name, description=name, validate=nothing, enforcement_level=EnforcementLevel(level))
    for name, stack, level in {policies!r}
])
"""


def measure_policies(folder: Path, *, runs: int, say: Callable[[str], None]) -> list[Time]:
    """All of it."""
    say("rules over resources")
    plans = [from_plan(aws_stacks.planned(stack).resources) for stack in aws_stacks.STACKS]
    plans += [from_plan(azure_stacks.planned(stack).resources) for stack in azure_stacks.STACKS]
    planned = [subject for _, subject in zip(range(RESOURCES), _copies(plans), strict=False)]
    found = [
        _in_process(f"in process: {RESOURCES:,} resources of our stacks' plans (goal {GOAL_SECONDS} s)", planned, runs),
        _in_process(f"in process: one stack of {RESOURCES:,} balancers and listeners", _one_stack(), runs),
    ]
    return [*found, *_through_the_analyzer(folder, [_on_the_wire(subject) for subject in planned], runs, say)]


def _in_process(what: str, subjects: list[Subject], runs: int) -> Time:
    seconds: list[float] = []
    for _ in range(runs):
        began = time.process_time()
        check(subjects)
        seconds.append(time.process_time() - began)
    return Time(what, tuple(seconds))


def _through_the_analyzer(
    folder: Path, subjects: list[Subject], runs: int, say: Callable[[str], None]
) -> Iterable[Time]:
    """Both packs stay up and take turns, in alternating order; what counts is the CPU time of their processes."""
    folder.mkdir(parents=True, exist_ok=True)
    policies = [(rule.name, isinstance(rule, StackRule), default_level(rule)) for rule in ALL]
    (folder / "__main__.py").write_text(_EMPTY.format(policies=policies))
    seconds: dict[str, list[float]] = {"ours": [], "empty": []}
    with running(PACK) as ours, running(folder) as empty:
        packs = {"ours": ours, "empty": empty}
        for run in range(runs):
            say(f"through the analyzer, run {run + 1} of {runs}")
            for name in ("ours", "empty") if run % 2 else ("empty", "ours"):
                seconds[name].append(_asked(packs[name], subjects))
    ratio = statistics.median(one / other for one, other in zip(seconds["ours"], seconds["empty"], strict=True))
    what = f"through the analyzer: {len(policies)} rules on {RESOURCES:,} resources"
    note = f"{ratio:.2f} times as many empty policies (goal {GOAL_RATIO})"
    return Time(what, tuple(seconds["ours"]), note=note), Time("beside it: empty policies", tuple(seconds["empty"]))


def _asked(pack: Analyzer, subjects: list[Subject]) -> float:
    """CPU seconds of the pack's process for each resource and then the stack."""
    resources = [request_of(subject) for subject in subjects]
    stack = stack_request_of(subjects)
    began = measure.cpu_seconds([pack.pid])
    for request in resources:
        pack.stub.Analyze(request)
    pack.stub.AnalyzeStack(stack)
    return measure.cpu_seconds([pack.pid]) - began


def _copies(plans: list[list[Subject]]) -> Iterator[Subject]:
    """The plans again and again, each time under other names, so that what refers to each other still does."""
    for number in count():
        for plan in plans:
            for subject in plan:
                refs = {key: frozenset(f"{urn}-{number}" for urn in urns) for key, urns in subject.refs.items()}
                yield replace(subject, urn=f"{subject.urn}-{number}", name=f"{subject.name}-{number}", refs=refs)


def _one_stack() -> list[Subject]:
    """Where looking from each resource at each other one would take a quarter of a million looks."""
    found: list[Subject] = []
    for number in range(RESOURCES // 2):
        balancer = Subject(f"urn:b::{number}", _BALANCER, f"b{number}", {"arn": f"arn:{number}"})
        properties = {"loadBalancerArn": _UNKNOWN, "protocol": "HTTP", "port": 80.0}
        refs = {"loadBalancerArn": frozenset({balancer.urn})}
        found += [balancer, Subject(f"urn:l::{number}", _LISTENER, f"l{number}", properties, refs)]
    return found


def _on_the_wire(subject: Subject) -> Subject:
    return replace(subject, properties=_sent(subject.properties))


def _sent(value: Any) -> Any:
    """As the engine sends it in a preview: every number a float, and a mark for what is not known."""
    if isinstance(value, str):
        return _UNKNOWN if stands_in(value) else value
    if isinstance(value, Mapping):
        return {key: _sent(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_sent(item) for item in cast("list[Any]", value)]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
