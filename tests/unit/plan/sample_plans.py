"""Plans written by hand for the tests of what shows a plan."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgewright.aws.costs import reckon
from edgewright.plan.model import Hop, Link, Note, Plan, PlannedRoute, Policies, PolicyResult, Resource, Setting

FILE = "shop.edge.yaml"
STACK = "urn:pulumi:plan::edgewright::"


def setting(text: str, origin: str = "built in", line: int = 0) -> Setting:
    return Setting(text, f"{origin} ({FILE}:{line})" if line else origin)


TIMEOUT = setting("29s")
THROTTLE = setting("100/s, burst 200, per client (key, else subject, else ip)", "defaults.throttle", 12)
AUTH = setting("main", "defaults.auth", 11)


def route(key: str, line: int, /, to: str, public: bool = False, rule: int = 0, **more: Setting) -> PlannedRoute:
    """A route with the defaults of the shop's edge; ``more`` replaces or adds settings."""
    at = f"routes.{key}"
    auth = setting("none: anybody may", f"{at}.public", line) if public else AUTH
    settings = {"auth": auth, "to": setting(to, at, line), "throttle": THROTTLE, "timeout": TIMEOUT} | more
    carried = (("shop-edge-" + str(rule), f"priority {rule}"),) if rule else ()
    return PlannedRoute(key, public, settings, carried, () if public else ("JWT",))


ROUTES = (
    route("GET /health", 20, "web", public=True, rule=100),
    route("GET /products/*", 22, "catalog", public=True, rule=200, cache=setting("60s by page", "routes.GET /products/*.cache", 24)),
    route("GET /orders", 26, "orders", rule=300, auth=setting("main with orders.read", "routes.GET /orders.auth", 27)),
    route("POST /orders", 28, "orders", rule=400, auth=setting("main with orders.read and orders.write", "routes.POST /orders.auth", 29), quota=setting("10,000 a day, per key", "routes.POST /orders.quota", 30)),
    route("GET /orders/{id}", 31, "orders 90 %, orders-next 10 %", rule=500),
    route("WS /live", 33, "live", rule=600, timeout=setting("idle 60s", "routes.WS /live.timeout", 34)),
)  # fmt: skip

HOPS = (
    Hop("client", "client", ("shop.example.com",)),
    Hop("edge", "Application Load Balancer", ("HTTPS 443, HTTP 80", "14 rules", "WAF: 6 rules", "checks tokens")),
    Hop("endpoint", "execute-api endpoint", ("private addresses",)),
    Hop("api", "private REST API", ("12 paths", "4 cached or throttled", "API keys, quotas")),
    Hop("link", "VPC link"),
    Hop("services", "services' balancer", ("internal", "5 rules")),
    Hop("streams", "Network Load Balancer", ("TCP 5432",)),
    Hop("backend web", "web", ("http 8080",)),
    Hop("backend catalog", "catalog", ("http 8080",)),
    Hop("backend orders", "orders", ("https 8443",)),
    Hop("backend live", "live", ("http 9000",)),
    Hop("backend db", "db", ("tcp 5432",)),
)
LINKS = (
    Link("client", "edge", "HTTPS"),
    Link("edge", "endpoint", "HTTPS 443"),
    Link("endpoint", "api", "HTTPS"),
    Link("api", "link", ""),
    Link("link", "services", "HTTP"),
    Link("services", "backend web", "HTTP"),
    Link("services", "backend catalog", "HTTP"),
    Link("services", "backend orders", "HTTPS"),
    Link("edge", "backend live", "WebSocket"),
    Link("client", "streams", "TCP"),
    Link("streams", "backend db", "TCP"),
)

FINDINGS = (
    Note("unsupported", "quota.per", ("POST /orders",), "a usage plan counts keys, not subjects", "bind a key for each client, or write `per: key`", f"{FILE}:30"),
    Note("warning", "listeners.http", (), "port 80 answers with a redirect only", "", f"{FILE}:5"),
    Note("approximated", "throttle", tuple(f"GET /r{index}" for index in range(9)), "token bucket of API Gateway, best effort: short bursts may pass", "put a rate rule on the WAF for a hard limit", f"{FILE}:12"),
    Note("approximated", "cache.ttl", ("GET /products/*",), "a cached answer may live a second longer"),
)  # fmt: skip

BODY: Mapping[str, Any] = {
    "openapi": "3.0.1",
    "paths": {
        "/orders": {
            "get": {"security": [{"main": ["orders.read"]}]},
            "post": {"security": [{"main": ["orders.write"]}]},
        },
        "/products/{proxy+}": {"get": {}},
    },
}


def resource(
    type_: str, name: str, parent: str | None = "BalancerFirst shop", /, *, protect: bool = False, **inputs: Any
) -> Resource:
    """``lb/listener:Listener`` is of the provider; a type without a colon is a component; parent: ``Type name``."""
    custom = ":" in type_
    full = f"aws:{type_}" if custom else f"edgewright:aws:{type_}"
    return Resource(urn(full, name), full, name, parent_urn(parent), inputs, (), custom, protect)


def urn(type_: str, name: str) -> str:
    return f"{STACK}{type_}::{name}"


def parent_urn(parent: str | None) -> str | None:
    return urn(f"edgewright:aws:{parent.split(' ')[0]}", parent.split(" ")[1]) if parent else None


def _resources() -> tuple[Resource, ...]:
    network, edge, api = "Network shop-network", "ApplicationLoadBalancer shop-edge", "RestApi shop-api"
    return (
        resource("BalancerFirst", "shop", None),
        resource("Network", "shop-network"),
        resource("ApplicationLoadBalancer", "shop-edge"),
        resource("RestApi", "shop-api"),
        resource("WebAcl", "shop-waf"),
        resource("ec2/vpc:Vpc", "shop-network-vpc", network, cidrBlock="10.0.0.0/16"),
        *(resource("ec2/subnet:Subnet", f"shop-network-{kind}-{zone}", network, availabilityZone=f"eu-central-1{zone}") for kind in ("public", "private") for zone in "ab"),
        resource("ec2/eip:Eip", "shop-network-nat", network),
        resource("ec2/natGateway:NatGateway", "shop-network-nat", network, allocationId="${ec2.Eip shop-network-nat.id}"),
        resource("lb/loadBalancer:LoadBalancer", "shop-edge-load-balancer", edge, protect=True, internal=False, subnets=["${ec2.Subnet shop-network-public-a.id}", "${ec2.Subnet shop-network-public-b.id}"]),
        resource("lb/listener:Listener", "shop-edge-https", edge, port=443, protocol="HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"),
        *(resource("lb/listenerRule:ListenerRule", f"shop-edge-{number}", edge, priority=number, conditions=[{"pathPattern": {"values": [f"/r{number}"]}}]) for number in range(100, 1500, 100)),
        resource("ec2/vpcEndpoint:VpcEndpoint", "shop-endpoint", vpcEndpointType="Interface", serviceName="com.amazonaws.eu-central-1.execute-api", subnetIds=["${ec2.Subnet shop-network-private-a.id}", "${ec2.Subnet shop-network-private-b.id}"]),
        resource("apigateway/restApi:RestApi", "shop-api-api", api, protect=True, body=json.dumps(BODY), name="shop"),
        resource("apigateway/stage:Stage", "shop-api-stage", api, cacheClusterEnabled=True, cacheClusterSize="0.5", variables={"token": "[secret]"}),
        resource("wafv2/webAcl:WebAcl", "shop-waf-acl", "WebAcl shop-waf", scope="REGIONAL", rules=[{"name": f"rule-{number}", "priority": number} for number in range(6)]),
        resource("lb/trustStore:TrustStore", "shop-trust"),
    )  # fmt: skip


def result(rule: str, resource_: Resource, path: str, text: str, /, **more: Any) -> PolicyResult:
    """A violation of a mandatory rule; ``more`` replaces fields."""
    fields: dict[str, Any] = {
        "kind": "violation",
        "level": "mandatory",
        "severity": "high",
        "title": f"What {rule} asks for holds",
        "remedy": f"write what {rule} asks for",
    }
    return PolicyResult(rule=rule, urn=resource_.urn, path=path, text=text, **(fields | more))


BALANCER = resource("lb/loadBalancer:LoadBalancer", "shop-edge-load-balancer", "ApplicationLoadBalancer shop-edge")
RULE = resource("lb/listenerRule:ListenerRule", "shop-edge-100", "ApplicationLoadBalancer shop-edge")

POLICIES = Policies(
    12,
    (
        result("lb-listener-tls", RULE, "protocol", "is HTTP", routes=("GET /health",), led_by=(f"routes.GET /health ({FILE}:20)",)),
        result("lb-access-logs", BALANCER, "accessLogs.enabled", "is not true", level="advisory", severity="low", led_by=(f"access_log ({FILE} does not say it)",)),
        result("lb-drop-headers", BALANCER, "dropInvalidHeaderFields", "becomes true", kind="remediated", level="advisory", severity="medium"),
        result("lb-deletion-protection", BALANCER, "enableDeletionProtection", "is not true (exempt until 2027-01-31: it is torn down each night)", kind="exempt", level="advisory", severity="medium"),
        result("lb-certificate", BALANCER, "certificateArn", "is not known yet", kind="cannot tell", level="advisory", severity="medium"),
        result("lb-certificate", RULE, "certificateArn", "is not known yet", kind="cannot tell", level="advisory", severity="medium"),
    ),
    "stacks/policies.json",
)  # fmt: skip


def shop() -> Plan:
    """Two ways in, five backends, findings of each level, something to bind, and costs."""
    resources = _resources()
    return Plan(
        name="shop",
        topology="aws/balancer-first",
        hops=HOPS,
        links=LINKS,
        routes=ROUTES,
        findings=FINDINGS,
        resources=resources,
        costs=reckon(resources, "eu-central-1"),
        must_bind=(("network", "a new VPC 10.0.0.0/16 in two zones"), ("certificates.shop.example.com", "a placeholder ARN")),
        decisions=("REST API, not HTTP API: cache (GET /products/*) and quota (POST /orders) need it", "WebSocket rides on the balancer"),
        outputs={"url": "https://shop.example.com", "dnsName": "${lb.LoadBalancer shop-edge-load-balancer.dnsName}"},
        policies=POLICIES,
    )  # fmt: skip


def shop_later() -> Plan:
    """The shop after a change that nobody should let through unread."""
    before = shop()
    routes = (
        ROUTES[0],
        ROUTES[1],
        route("GET /orders", 26, "orders", public=True, rule=300),
        route("POST /orders", 28, "orders", rule=400, auth=setting("main with orders.read", "routes.POST /orders.auth", 29)),
        route("GET /orders/{id}", 31, "orders", rule=500, cache=setting("30s", "routes.GET /orders/{id}.cache", 32)),
        route("GET /debug", 40, "web", public=True, rule=700),
    )  # fmt: skip
    resources = {item.short.partition(".")[2]: item for item in before.resources if item.name != "shop-trust"}
    body = json.loads(json.dumps(BODY))
    body["paths"]["/orders"]["post"]["security"] = []
    changed = {
        "RestApi shop-api-api": {"body": json.dumps(body)},
        "LoadBalancer shop-edge-load-balancer": {"internal": True},
        "WebAcl shop-waf-acl": {
            "rules": [{"name": f"rule-{number}", "priority": number + (number > 3)} for number in (0, 1, 3, 4, 5)]
        },
        "ListenerRule shop-edge-100": {"conditions": [{"pathPattern": {"values": ["/health", "/healthz"]}}]},
    }
    for name, inputs in changed.items():
        resources[name] = replace(resources[name], inputs={**resources[name].inputs, **inputs})
    resources["RestApi shop-api-api"] = replace(resources["RestApi shop-api-api"], protect=False)
    planned = (
        *resources.values(),
        resource("lb/targetGroup:TargetGroup", "shop-edge-web", "ApplicationLoadBalancer shop-edge", port=8080),
    )
    return replace(
        before,
        routes=routes,
        findings=(*FINDINGS[1:], Note("warning", "routes", ("GET /debug",), "anybody may call it")),
        resources=planned,
        costs=reckon(planned, "eu-central-1"),
        must_bind=before.must_bind[:1],
        links=tuple(link for link in LINKS if link.target != "backend live"),
        policies=replace(POLICIES, results=(result("lb-internal", BALANCER, "internal", "is true", led_by=(f"listener ({FILE}:4)",)), *POLICIES.results[:1], *POLICIES.results[2:])),
    )  # fmt: skip


HOSTILE_KEY = "GET /a|b`c`<img src=x onerror=alert(1)>\n| x |\n```\n</details>@someone \\| \x1b[31m"


def hostile() -> Plan:
    """Texts that try to break out of whatever they are shown in."""
    return Plan(
        name="ev<il> & `co`",
        topology="aws/balancer-only",
        hops=(Hop("a", '"]; click a "javascript:alert(1)" %%{init: {}}%%', ("<script>alert(1)</script>", "``` # &amp;")), Hop("b", "b]]>--\x00", ())),
        links=(Link("a", "b", '|"x|```'),),
        routes=(
            PlannedRoute(HOSTILE_KEY, True, {"auth": Setting("none | <b>\n- x", "a|b"), "to": Setting("**x** _y_ [z](http://x) #12", "`o`")}, (("r|1", "p\n1"),)),
            PlannedRoute("GET /" + "x" * 300, False, {"auth": Setting("main", "defaults")}),
        ),
        findings=(Note("unsupported", "f|g", (HOSTILE_KEY,), "why | <script>\n# big", "`do` <b>", "x|y:1"),),
        resources=(resource("lb/listener:Listener", "evil|<b>`x`\x1b[0m", None),),
        must_bind=(("net|<b>", "x\ny"),),
        decisions=("**because** </details> | @someone", "- one", "1. two", "+ #3"),
        policies=Policies(1, (result("r|1", resource("lb/listener:Listener", "evil|<b>`x`\x1b[0m", None), "a[`b`]", "is <i> | @someone", routes=(HOSTILE_KEY,), led_by=("routes.GET /|`a` (x|y:1)",)),), "x|`y`"),
    )  # fmt: skip


def wide(count: int) -> Plan:
    """A plan with ``count`` routes and no more than a few ways to be different."""
    before = shop()
    routes = [route(f"GET /service-{index % 12}/item-{index}", 20 + index, f"service-{index % 12}") for index in range(count)]  # fmt: skip
    routes[1] = replace(
        routes[1], settings={name: item for name, item in routes[1].settings.items() if name != "throttle"}
    )
    return replace(before, routes=tuple(routes))


def chain(length: int) -> Plan:
    """A way of ``length`` hops that ends at one backend, each hop with four lines."""
    hops = tuple(Hop(f"h{index}", f"hop number {index}", ("one", "two", "three", "four")) for index in range(length))
    links = tuple(Link(f"h{index}", f"h{index + 1}", "HTTPS 443") for index in range(length - 1))
    return Plan("chain", "aws/balancer-only", hops, links, (), (), ())


EMPTY = Plan("empty", "aws/gateway-first", (), (), (), (), ())
