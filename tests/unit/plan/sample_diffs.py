"""Comparisons made by hand for the tests of the comment."""

from dataclasses import replace
from typing import Any

from edgewright.plan.diff import Diff, StackDiff, pair
from edgewright.plan.model import Hop, Link, Note, Plan, PlannedRoute, Policies, Resource, Setting
from edgewright.plan.sides import Planned
from unit.plan import sample_plans as samples


def between(before: Plan | None, after: Plan | None, name: str = "aws-shop") -> StackDiff:
    return pair(name, Planned(before) if before else None, Planned(after) if after else None)


def alone(before: Plan | None, after: Plan | None) -> Diff:
    return Diff((between(before, after),))


def without_check() -> Diff:
    """`GET /products` loses its JWT check on two of three stacks, and gains a throttle."""
    products = samples.route("GET /products", 39, "catalog", rule=700)
    before = replace(samples.shop(), routes=(*samples.ROUTES, products))
    open_ = samples.route("GET /products", 39, "catalog", public=True, rule=700)
    calmer = {
        **open_.settings,
        "throttle": samples.setting("10/s, burst 20, per ip", "routes.GET /products.throttle", 39),
    }
    later = replace(before, routes=(replace(open_, settings=calmer), *samples.ROUTES))
    return Diff(
        (
            between(before, later, "aws-shop"),
            between(before, before, "aws-web"),
            between(replace(before, costs=()), replace(later, costs=()), "azure-shop"),
        )
    )


def other_balancer() -> Diff:
    """The balancer becomes an internal one: it is protected, and two listeners follow it."""

    def plan(internal: bool) -> Plan:
        shop = samples.shop()
        edge = "ApplicationLoadBalancer shop-edge"
        arn = "${lb.LoadBalancer shop-edge-load-balancer.arn}"
        resources = [item for item in shop.resources if item.type != "aws:lb/listener:Listener"]
        resources = [
            replace(item, inputs={**item.inputs, "internal": internal})
            if item.name == "shop-edge-load-balancer"
            else item
            for item in resources
        ]
        resources += [
            samples.resource("lb/listener:Listener", f"shop-edge-{name}", edge, port=port, loadBalancerArn=arn)
            for name, port in (("http", 80), ("https", 443))
        ]
        resources.append(
            samples.resource(
                "apigateway/deployment:Deployment", "shop-api-deployment", edge, triggers={"body": str(internal)}
            )
        )
        return replace(shop, resources=tuple(resources))

    return alone(plan(False), plan(True))


def whole_shop() -> Diff:
    """Every kind of change at once."""
    return alone(samples.shop(), samples.shop_later())


def huge(count: int = 2_000) -> Diff:
    """Each of very many routes becomes public, is carried by another rule, and has a finding and a violation."""
    names = [f"GET /service-{index % 12}/item-{index}" for index in range(count)]

    def plan(public: bool) -> Plan:
        routes = tuple(
            samples.route(name, 20 + index, "web", public=public, rule=index) for index, name in enumerate(names)
        )
        rules = tuple(
            samples.resource("lb/listenerRule:ListenerRule", f"shop-edge-{index}", None, priority=index + public)
            for index in range(count)
        )
        results = tuple(samples.result("lb-rule", rule, "conditions", "is wide open") for rule in rules)
        notes = tuple(Note("warning", "routes", (name,), f"anybody may call {name}") for name in names)
        return replace(
            samples.shop(),
            routes=routes,
            resources=(*samples.shop().resources[:12], *rules),
            findings=notes if public else (),
            policies=Policies(9, results if public else ()),
        )

    return alone(plan(False), plan(True))


def many_stacks(count: int = 300) -> Diff:
    """Very many stacks, each with a small change."""
    stacks = [between(samples.shop(), samples.shop_later(), f"aws-{index}") for index in range(3)]
    return Diff(tuple(replace(stacks[index % 3], name=f"aws-{index:03}") for index in range(count)))


def broken() -> Diff:
    """One stack whose spec is bad on HEAD, one that could not be planned on BASE, and one that went."""
    errors = 'stacks/shop.edge.yaml:39:3: error: route "GET /products": backend: there is no `catlog`; did you mean `catalog`?'
    return Diff(
        (
            pair("aws-shop", Planned(samples.shop()), Planned(None, f"{errors}\n{errors.replace('39', '40')}")),
            pair("aws-web", Planned(None, errors), Planned(samples.shop())),
            pair("old", Planned(samples.shop()), None),
        )
    )


def named(name: str) -> Diff:
    """The same change of the same edge, whatever its parts are called, in every place where a text can stand."""

    def plan(after: bool) -> Plan:
        kind = "lb/targetGroup:TargetGroup"
        settings = {
            "auth": Setting("none: anybody may" if after else f"main with {name}", f"routes.{name}.auth ({name}:1)"),
            "to": Setting(f"{name}{' 1' if after else ' 2'}", name),
            "throttle": Setting(f"1/s, burst 1, per header:{name}", name),
        }
        target = samples.resource(
            kind, f"t-{name}", None, port=1 + after, tags={name: [name, after]}, value=name * (1 + after)
        )
        gone = samples.resource("wafv2/webAcl:WebAcl", f"w-{name}", None, protect=True)
        come = samples.resource(kind, f"n-{name}", None)
        odd = Resource(f"u::{name}", f"aws:{name}:T", f"o-{name}", None, {"a": after}, (), custom=True)
        texts: dict[str, Any] = {"routes": (f"GET /{name}",), "led_by": (f"routes.{name} ({name}:3)",), "remedy": name}
        result = samples.result("rule-1", target, f"a.{name}", f"is {name} {after}", **texts)
        # A path tells results apart: both differ, so one is new and one is gone.
        result = replace(result, path=f"{result.path}.{after}")
        kept = samples.result("rule-2", target, name, name, **texts)
        return Plan(
            name=f"e-{name}",
            topology="aws/balancer-only",
            hops=(Hop("a", f"h {name}", (name, str(after))), Hop("b", f"g {name}")),
            links=(Link("a", "b", f"l {name}"),),
            routes=(PlannedRoute(f"GET /{name}", after, settings, ((name, name),), () if after else ("JWT",)),),
            findings=(Note("warning", f"f {name}", (f"GET /{name}",), f"{name} {after}", name, f"{name}:4"),),
            resources=(target, odd, come if after else gone),
            must_bind=((f"b {name}", f"{name} {after}"),),
            decisions=(f"d {name} {after}",),
            policies=Policies(2, (result, kept), name),
        )

    errors = f"{name}: error: {name}\n{name}"
    return Diff(
        (
            pair(f"s {name}", Planned(plan(False)), Planned(plan(True))),
            pair(f"x {name}", Planned(plan(False)), Planned(None, errors)),
            pair(f"y {name}", None, Planned(plan(True))),
            pair(f"z {name}", Planned(plan(False)), None),
        )
    )


def same() -> Diff:
    """Nothing but lines that moved."""
    return Diff(tuple(between(samples.shop(), samples.shop(), name) for name in ("aws-shop", "aws-web")))
