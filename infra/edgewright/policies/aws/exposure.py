"""Rules over the ways in: nothing goes round a balancer, a gateway or a domain, and nothing public is without a limit.

None guards a control of `tests/data/controls.csv`; `controls.OWN` and `controls.UNASKED` say who asks for the same, and
why there is a rule where nobody does.
"""

from collections.abc import Iterator, Sequence

from edgewright.policies import openapi
from edgewright.policies.aws.api_gateway import (
    API,
    API_INTEGRATION,
    API_MAPPING,
    BASE_PATH_MAPPING,
    INTEGRATION,
    REST_API,
    REST_PUT,
    ROUTING_RULE,
    STAGE,
    VPC_LINK,
)
from edgewright.policies.aws.load_balancer import BALANCER, LISTENER, is_application
from edgewright.policies.aws.rest_api import has_private_endpoint, is_limited, is_private
from edgewright.policies.aws.waf import acls_of, limits_rates
from edgewright.policies.graph import Graph
from edgewright.policies.rule import ELSEWHERE, AnyRule, StackRule
from edgewright.policies.view import View, Violation

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"

# What calls a service, with the property that says where.
_CALLERS = (
    (REST_API, "body"),
    (REST_PUT, "body"),
    (API, "body"),
    (API, "target"),
    (INTEGRATION, "integrationTarget"),
    (INTEGRATION, "uri"),
    (API_INTEGRATION, "integrationUri"),
    (VPC_LINK, "targetArn"),
)


def not_around_the_balancer(stack: Graph) -> Iterator[Violation]:
    """Where a public balancer stands before the gateway, the gateway has no address of its own on the internet."""
    fronts = _balancers_before_the_gateway(stack)
    if not fronts:
        return
    text = f"so its own address leads around `{fronts[0].subject.name}`"
    for api in stack.of(REST_API):
        if not has_private_endpoint(api) and not _has_no_address(api):
            kind = ", ".join(api.texts("endpointConfiguration.types")) or "not said, which means EDGE"
            yield api.fails("endpointConfiguration.types", f"is {kind}, {text}", "disableExecuteApiEndpoint", "body")
    for api in stack.of(API):
        if not _has_no_address(api):
            yield api.fails("disableExecuteApiEndpoint", f"is not true, {text}", "body")


def _has_no_address(api: View) -> bool:
    """Whether an API's own address is off. Its document may say so too; false beside it changes nothing."""
    if api.flag("disableExecuteApiEndpoint") is True:
        return True
    document = api.document("body")
    return document is not None and openapi.turns_address_off(document)


def _balancers_before_the_gateway(stack: Graph) -> Sequence[View]:
    """Public Application Load Balancers of a stack that has a way from its network into API Gateway."""
    services = [endpoint.text("serviceName") for endpoint in stack.of(ENDPOINT)]
    if not any(isinstance(name, str) and ".execute-api" in name for name in services):
        return ()
    return [one for one in stack.of(*BALANCER) if is_application(one) and one.flag("internal") in {None, False}]


# What leads from a domain to an API, with the property that says which. An ApiMapping takes REST APIs too.
_MAPPINGS = ((BASE_PATH_MAPPING, "restApi"), (API_MAPPING, "apiId"), (ROUTING_RULE, "actions"))


def not_around_the_domain(stack: Graph) -> Iterator[Violation]:
    """An API with a domain is reached by that alone: its own address asks for no client certificate, for one thing."""
    for api in stack.of(REST_API, API):
        if has_private_endpoint(api) or not any(stack.referring(api, key, kind) for kind, key in _MAPPINGS):
            continue
        if not _has_no_address(api):
            text = "is not true, so its own address leads around its domain"
            yield api.fails("disableExecuteApiEndpoint", text, "endpointConfiguration.types", "body")


def not_around_the_gateway(stack: Graph) -> Iterator[Violation]:
    """A balancer that a gateway calls is internal: nobody calls it without the gateway."""
    for balancer in stack.of(*BALANCER):
        if balancer.flag("internal") is True:
            continue
        callers = _callers(stack, balancer)
        if callers:
            text = f"is not true, and `{callers[0].subject.name}` calls it: clients can go around the gateway"
            yield balancer.fails("internal", text)


def _callers(stack: Graph, balancer: View) -> Sequence[View]:
    """What calls a balancer: by itself, or by one of its listeners."""
    doors = [balancer, *stack.referring(balancer, "loadBalancerArn", *LISTENER)]
    return [
        caller
        for kind, key in _CALLERS
        for caller in stack.of(kind)
        if any(door.subject.urn in caller.subject.refs.get(key, ()) for door in doors)
    ]


def balancer_limited(stack: Graph) -> Iterator[Violation]:
    """A public Application Load Balancer has a web ACL that limits rates, or a gateway behind it that does.

    One without any web ACL is left to `alb-waf-associated`: it has nothing to limit with.
    """
    for balancer in stack.of(*BALANCER):
        if not is_application(balancer) or balancer.flag("internal") is True:
            continue
        acls = acls_of(stack, balancer)
        if not acls or _any_limits(stack, balancer, acls) or _gateway_limits(stack, balancer):
            continue
        yield balancer.lacks("", "has a web ACL without a rule that limits rates, so one client can use all there is")


def _any_limits(stack: Graph, target: View, acls: Sequence[View]) -> bool:
    """Whether a web ACL limits rates. Notes at the target where nobody can say."""
    if any(limits_rates(stack, acl) for acl in acls):
        return True
    if any(acl.unread for acl in acls):
        target.note("", "what its web ACL does is not known yet")
    return False


def _gateway_limits(stack: Graph, balancer: View) -> bool:
    """Whether the balancer stands before a gateway all of whose stages have a limit."""
    if balancer not in _balancers_before_the_gateway(stack):
        return False
    stages = stack.of(STAGE)
    limited = [stage for stage in stages if is_limited(stack, stage)]
    if any(stage.unread for stage in stages):
        balancer.note("", "what the stages behind it limit is not known yet")
    return bool(stages) and len(limited) == len(stages)


def stage_limited(stack: Graph) -> Iterator[Violation]:
    """A REST stage that the internet reaches has a limit: of its own, or of its web ACL."""
    for stage in stack.of(STAGE):
        if is_limited(stack, stage) or is_private(stack, stage):
            continue
        if not _any_limits(stack, stage, acls_of(stack, stage)):
            yield stage.lacks("", "has no limit of its own, and no web ACL that limits rates")


RULES: tuple[AnyRule, ...] = (
    StackRule(
        name="apigw-not-around-balancer",
        controls=(),
        title="A gateway behind a public load balancer is not reachable around it",
        severity="high",
        types=(REST_API, API),
        check=not_around_the_balancer,
        remedy="endpointConfiguration: {types: PRIVATE} with a policy that names the endpoint; or disableExecuteApiEndpoint.",  # noqa: E501
        blind="A balancer and its endpoint (execute-api) in another stack than the API.",
        instead=ELSEWHERE,
    ),
    StackRule(
        name="apigw-not-around-domain",
        controls=(),
        title="An API with a domain is not reachable around it",
        severity="medium",
        types=(REST_API, API),
        check=not_around_the_domain,
        remedy="disableExecuteApiEndpoint: true",
        blind="Domains in other stacks.",
        instead=ELSEWHERE,
    ),
    StackRule(
        name="lb-not-around-gateway",
        controls=(),
        title="A load balancer behind a gateway is not reachable around it",
        severity="high",
        types=BALANCER,
        check=not_around_the_gateway,
        remedy="internal: true; a VPC link reaches it inside of the network.",
        blind="APIs of other stacks.",
        instead=ELSEWHERE,
    ),
    StackRule(
        name="alb-public-throttled",
        controls=(),
        title="A load balancer that faces the internet has a limit of requests",
        severity="medium",
        types=BALANCER,
        check=balancer_limited,
        remedy="A rule of the web ACL with rateBasedStatement, or a limit for all methods of the stages behind it.",
        blind="Web ACLs of other stacks; balancers without one are those of alb-waf-associated.",
        instead=ELSEWHERE,
    ),
    StackRule(
        name="apigw-public-stage-throttled",
        controls=(),
        title="A REST stage that the internet reaches has a limit of requests",
        severity="medium",
        types=(STAGE,),
        check=stage_limited,
        remedy='MethodSettings for "*/*" with throttlingRateLimit and throttlingBurstLimit; or a web ACL that limits rates.',  # noqa: E501
        blind="Limits of usage plans, which hold for keys only.",
        instead="apigwv2-throttling-configured is about HTTP and WebSocket APIs.",
    ),
)
