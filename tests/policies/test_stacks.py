"""Our own stacks, and every spec of this repository on every topology that takes it, pass all rules without an exemption.

What rules cannot tell of them before they are there stands in ``tests/golden/policies/untold.txt``, to be read in
review: a value that could be told, and is not, is a defect of the plan or of the rules' view of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

import aws_stacks
import azure_stacks
from edgewright.aws.check_bindings import PLAIN_OR_TLS
from edgewright.aws.compile import TOPOLOGIES as AWS
from edgewright.aws.compile import Topology as AwsTopology
from edgewright.aws.planned import plan as plan_aws
from edgewright.azure.planned import plan as plan_azure
from edgewright.azure.topology import Topology as AzureTopology
from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan
from edgewright.policies.enforcement import Finding, check
from edgewright.policies.graph import from_plan
from edgewright.policies.rules import ALL
from edgewright.spec.document import load
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

REPOSITORY = aws_stacks.REPOSITORY
GOLDEN = REPOSITORY / "tests" / "golden" / "policies" / "untold.txt"
STACKS = (*aws_stacks.STACKS, *azure_stacks.STACKS)
SPECS = tuple(sorted((*REPOSITORY.glob("examples/*/*.edge.yaml"), *REPOSITORY.glob("stacks/*.edge.yaml"))))
AZURE: tuple[AzureTopology, ...] = ("gateway-first", "balancer-first", "appgw-waf", "front-door")

TAKEN = frozenset(
    {
        *("catalogue aws/balancer-first", "catalogue aws/gateway-first", "catalogue aws/balancer-only"),
        *("catalogue azure/gateway-first", "catalogue azure/balancer-first"),
        *("catalogue azure/appgw-waf", "catalogue azure/front-door"),
        *("gateway aws/balancer-first", "gateway aws/gateway-first"),
        *("gateway azure/gateway-first", "gateway azure/balancer-first"),
        *("gateway azure/appgw-waf", "gateway azure/front-door"),
        *("hello aws/balancer-first", "hello aws/gateway-first"),
        *("hello azure/gateway-first", "hello azure/balancer-first"),
        *("hello azure/appgw-waf", "hello azure/front-door"),
        "shop aws/balancer-first",
        *("shop azure/gateway-first", "shop azure/balancer-first"),
        *("shop azure/appgw-waf", "shop azure/front-door"),
        *("web aws/balancer-first", "web aws/balancer-only"),
        *("web azure/appgw-waf", "web azure/front-door"),
    }
)
"""Which spec which topology takes; the others are refused for what they cannot carry (docs/aws.md, docs/azure.md)."""


def bound_aws(edge: Edge) -> dict[str, Any]:
    """What a careful stack binds: a network of its own, a certificate, a key for logs, services that speak TLS."""
    return {
        "region": aws_stacks.REGION,
        "profile": "production",
        "log_role": "create",
        "network": {"create": {"cidr": "10.9.0.0/16"}},
        "certificate": aws_stacks.CERTIFICATE,
        "kms_key": f"arn:aws:kms:{aws_stacks.REGION}:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
        "backends": {
            name: {"protocol": "https", "port": 8443}
            for name, backend in edge.backends.items()
            if backend.protocol in PLAIN_OR_TLS
        },
    }


def bound_azure(topology: AzureTopology) -> dict[str, Any]:
    """What a careful stack binds: inside of a network API Management has zones from two units of its tier Premium on."""
    bound = {**azure_stacks.BOUND, "profile": "production"}
    return {**bound, "tier": "Premium", "capacity": 2} if topology == "appgw-waf" else bound


@cache
def planned(spec: Path, topology: str) -> Plan | None:
    """The plan of a spec in a new stack for production; None where the topology cannot carry the spec."""
    edge = resolve(load(spec))
    cloud, _, name = topology.partition("/")
    try:
        if cloud == "aws":
            return plan_aws(edge, bound_aws(edge), cast(AwsTopology, name))
        return plan_azure(edge, bound_azure(cast(AzureTopology, name)), cast(AzureTopology, name))
    except SpecError as error:
        if all("cannot carry" in str(problem) for problem in error.problems):
            return None
        raise


def topologies() -> Iterator[str]:
    yield from (f"aws/{name}" for name in AWS)
    yield from (f"azure/{name}" for name in AZURE)


def plan_of(stack: str) -> Plan:
    return (aws_stacks if stack.startswith("aws-") else azure_stacks).planned(stack)


def spec_of(name: str) -> Path:
    return next(spec for spec in SPECS if spec.name == f"{name}.edge.yaml")


def found(plan: Plan) -> list[Finding]:
    """What all rules say, as they are enforced where nothing is configured."""
    return check(from_plan(plan.resources), ALL)


def held(findings: list[Finding]) -> list[str]:
    """Everything but what cannot be told: violations, and exemptions of any kind."""
    return [shown(finding) for finding in findings if finding.kind != "cannot tell"]


def untold(findings: list[Finding]) -> str:
    lines = [f"  {shown(finding)}\n" for finding in findings if finding.kind == "cannot tell"]
    return "".join(lines) or "  nothing\n"


def shown(finding: Finding) -> str:
    return f"{finding.rule}: {finding.urn.rpartition('::')[2]}: {finding.sentence}"


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_of_this_repository_passes_all_rules(stack: str) -> None:
    assert held(found(plan_of(stack))) == []


def test_the_specs_that_topologies_take_are_those_that_are_checked() -> None:
    taken = {
        f"{spec.name.split('.')[0]} {topology}"
        for spec in SPECS
        for topology in topologies()
        if planned(spec, topology) is not None
    }
    assert taken == TAKEN


@pytest.mark.parametrize("case", sorted(TAKEN))
def test_a_spec_of_this_repository_passes_all_rules_in_production(case: str) -> None:
    name, _, topology = case.partition(" ")
    plan = planned(spec_of(name), topology)
    assert plan is not None
    assert held(found(plan)) == []


def test_what_cannot_be_told_before_an_update_is_what_was_reviewed() -> None:
    plans = {stack: plan_of(stack) for stack in STACKS}
    for case in sorted(TAKEN):
        name, _, topology = case.partition(" ")
        plan = planned(spec_of(name), topology)
        assert plan is not None
        plans[f"{case} (new, for production)"] = plan
    assert_golden(GOLDEN, "".join(f"{name}\n{untold(found(plan))}" for name, plan in plans.items()))


WAF = "aws:wafv2/webAclAssociation:WebAclAssociation"
WEAKER: Mapping[str, tuple[str, str, Mapping[str, Any] | None, str]] = {
    "no web ACL": ("aws-balancer-only", WAF, None, "alb-waf-associated"),
    "an old TLS policy": (
        "aws-balancer-only",
        "aws:lb/listener:Listener",
        {"sslPolicy": "ELBSecurityPolicy-2016-08"},
        "lb-listener-min-tls12",
    ),
    "no deletion protection": (
        "aws-gateway-first",
        "aws:lb/loadBalancer:LoadBalancer",
        {"enableDeletionProtection": False},
        "lb-deletion-protection",
    ),
    "services in the clear": (
        "aws-gateway-first",
        "aws:lb/targetGroup:TargetGroup",
        {"protocol": "HTTP"},
        "target-group-encrypted-protocol",
    ),
    "a method without a limit": (
        "aws-balancer-first",
        "aws:apigateway/methodSettings:MethodSettings",
        {"settings": {"throttlingRateLimit": None, "throttlingBurstLimit": None}},
        "apigw-throttling-configured",
    ),
    "a firewall that only watches": (
        "azure-appgw-waf",
        "azure-native:network:WebApplicationFirewallPolicy",
        {"policySettings": {"mode": "Detection"}},
        "agw-waf-prevention",
    ),
}
"""A stack, what of it is another (None: gone), and the rule that says so."""


def changed(value: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """With other values, also inside of objects; None takes one away."""
    merged = {
        key: changed(value[key], new) if isinstance(new, Mapping) else new  # pyright: ignore[reportUnknownArgumentType]
        for key, new in change.items()
    }
    return {key: item for key, item in {**value, **merged}.items() if item is not None}


@pytest.mark.parametrize("name", WEAKER)
def test_a_stack_that_is_weaker_passes_no_more(name: str) -> None:
    stack, kind, change, rule = WEAKER[name]
    plan = plan_of(stack)
    resources = tuple(
        replace(item, inputs=changed(item.inputs, change or {})) if item.type == kind else item
        for item in plan.resources
        if item.type != kind or change is not None
    )
    assert {finding.rule for finding in found(replace(plan, resources=resources)) if finding.kind == "violation"} == {
        rule
    }
