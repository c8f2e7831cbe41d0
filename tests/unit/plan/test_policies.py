"""What the rules say of a plan: in which order, beside which routes, and which line led to it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from edgewright.cli import main
from edgewright.plan import show_policies, show_text
from edgewright.plan.led_by import Led, LedBy, Written
from edgewright.plan.model import Plan, PlannedRoute, Policies, PolicyResult, Resource
from edgewright.plan.planning import Options, planned
from edgewright.plan.show_json import read
from edgewright.policies import rules
from edgewright.policies.enforcement import EnforcementError
from edgewright.policies.rule import Rule
from edgewright.policies.view import View, Violation
from edgewright.spec import yaml_reader
from edgewright.usage import UsageError
from unit.plan import sample_plans as samples

SPEC = """\
name: shop
listener: {host: api.shop.example}
authorizers:
  main: {jwt: {issuer: "https://login.shop.example/", audiences: ["api://shop"]}}
backends:
  orders: {port: 8080}
  pages: {port: 8081}
defaults:
  auth: main
routes:
  GET /pages/*: {backend: pages, auth: none}
  ANY /orders/*:
    backend: orders
    timeout: {request: 20s}
"""
STACK = """\
config:
  edgewright:spec: shop.edge.yaml
  edgewright:topology: aws/balancer-only
  edgewright:bindings:
    region: eu-west-1
    profile: development
    network: {create: {cidr: 10.0.0.0/16}}
    certificate: arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef
    authorizers:
      main: {jwks_uri: "https://login.shop.example/keys"}
"""


def rule(name: str, *types: str, path: str = "", severity: str = "high", unknown: bool = False) -> Rule:
    """A rule that holds something against all resources of the types, or cannot tell."""

    def check(view: View) -> Iterable[Violation]:
        if unknown:
            view.note(path, "is not known yet")
        else:
            yield view.fails(path, "is wrong")

    return Rule(
        name=name,
        controls=(name,),
        title=f"{name} holds",
        severity=severity,  # type: ignore[arg-type]
        types=types,
        check=check,
        remedy="write it right",
    )


BALANCER, GROUP, ON_RULE = (
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:lb/targetGroup:TargetGroup",
    "aws:lb/listenerRule:ListenerRule",
)
RULES = (
    rule("a-rule-timeout", ON_RULE, path="actions"),
    rule("b-backend", GROUP, path="protocol", severity="critical"),
    rule("c-balancer", BALANCER, path="idleTimeout", severity="low"),
    rule("d-network", "aws:ec2/vpc:Vpc", path="cidrBlock"),
    rule("e-logs", BALANCER, path="accessLogs.enabled", severity="low"),
    rule("f-unclear", GROUP, path="vpcId", unknown=True),
)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stack's file, seen from the project's folder."""
    monkeypatch.setattr(rules, "ALL", RULES)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "shop.edge.yaml").write_text(SPEC)
    file = Path("stacks/Pulumi.shop.yaml")
    file.write_text(STACK)
    yield file


def results(plan: Plan, name: str) -> list[PolicyResult]:
    assert plan.policies is not None
    return [result for result in plan.policies.results if result.rule == name]


# -- what led to it ----------------------------------------------------------------------------------------------------


def test_a_rule_of_a_route_names_the_line_of_the_setting_it_is_about(stack: Path) -> None:
    found = [item for item in results(planned(stack), "a-rule-timeout") if item.routes == ("ANY /orders/*",)]
    assert {item.led_by for item in found} == {("routes.ANY /orders/*.timeout (stacks/shop.edge.yaml:14)",)}


def test_a_target_group_names_the_line_of_its_backend_and_the_routes_that_go_there(stack: Path) -> None:
    found = {item.resource: item for item in results(planned(stack), "b-backend")}
    assert found["shop-edge-pages"].led_by == ("backends.pages (stacks/shop.edge.yaml:7)",)
    assert found["shop-edge-pages"].routes == ("GET /pages/*",)
    assert found["shop-edge-orders"].led_by == ("backends.orders (stacks/shop.edge.yaml:6)",)


def test_a_balancer_names_the_line_of_its_listener(stack: Path) -> None:
    assert [item.led_by for item in results(planned(stack), "c-balancer")] == [("listener (stacks/shop.edge.yaml:2)",)]


def test_a_network_names_the_line_of_the_stacks_file(stack: Path) -> None:
    assert [item.led_by for item in results(planned(stack), "d-network")] == [("network (stacks/Pulumi.shop.yaml:7)",)]


def test_a_key_that_nobody_wrote_is_named_with_the_file_that_could_have_it(stack: Path) -> None:
    found = results(planned(stack), "e-logs")
    assert [item.led_by for item in found] == [("access_log (stacks/shop.edge.yaml does not say it)",)]


def test_bindings_in_a_file_of_their_own_are_named(stack: Path) -> None:
    bindings = Path("bindings.yaml")
    bindings.write_text("region: eu-west-1\nnetwork: {create: {cidr: 10.0.0.0/16}}\n")
    plan = planned(Path("stacks/shop.edge.yaml"), Options(topology="aws/balancer-only", bindings=bindings))
    assert [item.led_by for item in results(plan, "d-network")] == [("network (bindings.yaml:2)",)]


def test_an_operation_that_a_result_names_is_its_route() -> None:
    api = samples.resource("apigateway/restApi:RestApi", "shop-api", None)
    routes = tuple(
        samples.route(key, line, "web") for key, line in (("GET /a", 3), ("ANY /b/*", 4), ("GET /c/{id}", 5))
    )
    found = LedBy(routes, [api], {}, (), None, None, ())
    places = {
        ("body.paths./a.get.security", ""): "GET /a",
        ("body.paths./b/{proxy+}.x-amazon-apigateway-any-method.security", ""): "ANY /b/*",
        ("body", "of `POST /b` is not said"): "ANY /b/*",
        ("body", "of `GET /c/{id}` is not said"): "GET /c/{id}",
    }
    for (path, text), key in places.items():
        assert found.of(api.urn, path, "some-rule", text)[0] == (key,)
    assert found.of(api.urn, "body.paths./nowhere.get", "some-rule", "of `GET /nowhere`") == ((), ())


def test_what_carries_very_many_routes_is_led_to_by_none_of_them() -> None:
    api = samples.resource("apigateway/restApi:RestApi", "shop-api", None)
    routes = tuple(PlannedRoute(f"GET /{n}", True, {}, (("shop-api", ""),)) for n in range(9))
    assert LedBy(routes, [api], {}, (), None, None, ()).of(api.urn, "name", "r", "is wrong") == ((), ())
    assert LedBy(routes[:2], [api], {}, (), None, None, ()).of(api.urn, "name", "r", "is wrong")[0] == (
        "GET /0",
        "GET /1",
    )


def test_a_part_of_a_component_that_carries_a_route_is_led_to_by_it() -> None:
    component = Resource("u::c", "edgewright:azure:Api", "shop-api", None, {}, (), custom=False)
    part = Resource("u::p", "azure-native:apimanagement:ApiPolicy", "shop-api-policy", "u::c", {}, (), custom=True)
    routes = (PlannedRoute("GET /a", True, {}, (("shop-api", ""),)),)
    assert LedBy(routes, [component, part], {}, (), None, None, ()).of("u::p", "value", "r", "is wrong")[0] == (
        "GET /a",
    )


def test_the_longest_name_of_a_backend_that_fits_is_the_one() -> None:
    group = samples.resource("lb/targetGroup:TargetGroup", "shop-edge-orders-next", None)
    sources = yaml_reader.read(b"backends:\n  next: {}\n  orders-next: {}\n", "s.yaml")[1]
    found = LedBy((), [group], {}, ("next", "orders-next", "orders"), Written(sources), None, ())
    assert found.of(group.urn, "port", "r", "is wrong") == ((), ("backends.orders-next (s.yaml:3)",))


# -- in which order ----------------------------------------------------------------------------------------------------


def test_what_stops_the_update_comes_first_then_what_warns_then_what_nobody_can_tell(stack: Path) -> None:
    plan = planned(stack)
    assert plan.policies is not None and plan.policies.rules == len(RULES)
    groups = [name for name, _, _ in show_policies.grouped(plan.policies.results)]
    assert groups == ["stops", "advisory", "unclear"]
    assert plan.policies.results[0].severity == "critical"
    kinds = [show_policies.group_of(result) for result in plan.policies.results]
    assert kinds == sorted(kinds, key=groups.index)


def test_what_nobody_can_tell_is_one_line(stack: Path) -> None:
    lines = show_text.text(planned(stack)).splitlines()
    assert "      f-unclear: vpcId of shop-edge-orders, shop-edge-pages" in lines


def test_of_much_that_nobody_can_tell_a_few_resources_are_named_and_the_rest_counted() -> None:
    found = [
        PolicyResult("x", "cannot tell", "advisory", "low", f"a::b::c::r{number}", "tags", "", "is not known yet", "")
        for number in range(9)
    ]
    assert show_policies.unclear(found) == "x: tags of r0, r1, r2 and 6 more"


def test_an_exemption_that_is_unused_names_the_file_to_change_and_nothing_of_the_rule(stack: Path) -> None:
    config = Path("rules.json")
    gone = {"resource": "shop-edge-old", "reason": "x", "expires": "2099-01-31"}
    config.write_text(json.dumps({"c-balancer": {"exemptions": [gone]}}))
    (found,) = [item for item in results(planned(stack, Options(policy_config=config)), "c-balancer") if not item.path]
    assert (found.kind, found.led_by) == ("unused exemption", ("c-balancer.exemptions (rules.json)",))
    assert found.text.startswith("is exempt, and no resource that the rule looks at is called so; did you mean `shop-")
    assert found.remedy == "Delete the exemption, or correct its `resource`."


def test_the_bindings_of_a_backend_are_named_beside_its_line_in_the_spec(stack: Path) -> None:
    stack.write_text(f"{STACK}    backends: {{orders: {{protocol: http, port: 8080}}}}\n")
    found = {item.resource: item.led_by for item in results(planned(stack), "b-backend")}
    assert found["shop-edge-orders"] == (
        "backends.orders (stacks/shop.edge.yaml:6)",
        "backends.orders (stacks/Pulumi.shop.yaml:11)",
    )


def test_what_is_still_to_bind_is_named_where_there_are_no_bindings(stack: Path) -> None:
    plan = planned(Path("stacks/shop.edge.yaml"), Options(topology="aws/balancer-only"))
    assert {place for item in results(plan, "e-logs") for place in item.led_by} == {
        "access_log (stacks/shop.edge.yaml does not say it)"
    }
    network = LedBy(
        (),
        plan.resources,
        {},
        (),
        Written(yaml_reader.read(b"{}", "x")[1]),
        None,
        (Led("aws:", "", ("stack:profile",)),),
    )
    assert network.of(plan.resources[-1].urn, "", "x", "")[1] == ("profile (not bound)",)


def test_rules_that_are_all_turned_off_do_not_all_hold() -> None:
    assert show_policies.summary(Policies(0)) == "0 rules: none is turned on"


def test_rules_that_all_hold_are_one_line() -> None:
    assert show_policies.summary(Policies(7)) == "7 rules: all hold"


# -- how they are enforced ---------------------------------------------------------------------------------------------


def test_the_configuration_beside_the_stack_holds(stack: Path) -> None:
    Path("stacks/policies.json").write_text(json.dumps({"all": "advisory"}))
    plan = planned(stack)
    assert plan.policies is not None
    assert (plan.policies.configuration, plan.policies.stop) == ("stacks/policies.json", False)


def test_the_configuration_of_the_command_line_holds_instead(stack: Path) -> None:
    Path("stacks/policies.json").write_text(json.dumps({"all": "advisory"}))
    Path("mine.json").write_text(json.dumps({"all": "disabled", "d-network": "mandatory"}))
    plan = planned(stack, Options(policy_config=Path("mine.json")))
    assert plan.policies is not None
    assert [result.rule for result in plan.policies.results] == ["d-network"]


def test_an_exemption_is_shown_with_its_end(stack: Path) -> None:
    exemption = {"resource": "shop-network-network", "reason": "a lab", "expires": "2999-12-31"}
    vpc = next(item.name for item in planned(stack).resources if item.type == "aws:ec2/vpc:Vpc")
    Path("stacks/policies.json").write_text(json.dumps({"d-network": {"exemptions": [{**exemption, "resource": vpc}]}}))
    assert "(exempt until 2999-12-31: a lab)" in " ".join(show_text.text(planned(stack)).split())


def test_a_configuration_that_cannot_be_used_is_refused_with_its_name(stack: Path) -> None:
    Path("stacks/policies.shop.json").write_text(json.dumps({"nonsense": "mandatory"}))
    with pytest.raises(EnforcementError, match=r"stacks/policies\.shop\.json: `nonsense` is no rule"):
        planned(stack)


# -- the command -------------------------------------------------------------------------------------------------------


def test_a_plan_that_would_be_stopped_is_status_1_after_all_is_printed(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(stack)]) == 1
    printed = capsys.readouterr().out
    assert "led to by network (stacks/Pulumi.shop.yaml:7)" in printed
    assert "\nResources" in printed


def test_warnings_alone_are_status_0(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("stacks/policies.json").write_text(json.dumps({"all": "advisory"}))
    assert main(["plan", str(stack)]) == 0
    assert "advisory" in capsys.readouterr().out


def test_rules_that_were_not_run_are_said(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(stack), "--no-policies"]) == 0
    assert "Policies: the rules were not run" in capsys.readouterr().out


def test_results_come_back_from_json(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(stack), "--json"]) == 1
    assert read(json.loads(capsys.readouterr().out)) == planned(stack)


def test_a_plan_of_an_edgewright_without_rules_is_read() -> None:
    from edgewright.plan.show_json import to_json

    data = to_json(samples.shop())
    del data["policies"]
    for route in data["routes"]:
        del route["checks"]
    found = read(data)
    assert found.policies is None
    assert {route.checks for route in found.routes} == {()}


def test_a_stack_of_this_machine_is_told_where_to_look_instead(stack: Path) -> None:
    stack.write_text("config: {'edgewright:spec': shop.edge.yaml}\n")
    with pytest.raises(
        UsageError, match=r"Pulumi\.shop\.yaml is of this machine, which has no plan: `edgewright compile"
    ):
        planned(stack)
    assert len(planned(stack, Options(topology="aws/gateway-first")).routes) == 2


def test_what_exit_statuses_mean_is_said_by_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--help"]) == 0
    assert "1 a file is wrong, the operation failed, or rules stop the update" in " ".join(
        capsys.readouterr().out.split()
    )
