"""The interpreter of planned AWS resources itself, on resources that are written by hand."""

import json
from typing import Any

import pytest

from aws_graph import LITERAL, NORMALISERS, READS, Graph, GraphError, Outcome, Reading, Reads, Request, policy_allows
from edgewright.plan.model import Resource

HOST = "api.shop.example"
ISSUER = "https://login.shop.example/"
GOOD = {"iss": ISSUER, "aud": "api://shop", "scope": "orders.read other"}


def made(kind: str, name: str, /, **inputs: Any) -> Resource:
    """A resource, as the recorder has it. kind: such as ``lb/listenerRule``."""
    last = kind.rpartition("/")[2]
    token = f"aws:{kind}:{last[0].upper()}{last[1:]}"
    return Resource(f"urn:{token}::{name}", token, name, None, inputs, (), custom=True)


def ref(short: str, key: str = "arn") -> str:
    return f"${{{short}.{key}}}"


def door(direction: str, name: str, group: str, port: int, **side: Any) -> Resource:
    kind = f"vpc/securityGroup{direction.capitalize()}Rule"
    return made(kind, name, securityGroupId=group, ipProtocol="tcp", fromPort=port, toPort=port, **side)


def rule(listener: str, priority: int, conditions: list[Any], actions: list[Any], transforms: Any = ()) -> Resource:
    return made(
        "lb/listenerRule",
        f"{listener}-{priority}",
        listenerArn=ref(f"lb.Listener {listener}"),
        priority=priority,
        conditions=conditions,
        actions=[{"order": index, **action} for index, action in enumerate(actions, 1)],
        transforms=list(transforms),
    )


def path(*values: str) -> dict[str, Any]:
    return {"pathPattern": {"values": list(values)}}


def regex(*values: str) -> dict[str, Any]:
    return {"pathPattern": {"regexValues": list(values)}}


def forward(*groups: str) -> dict[str, Any]:
    return {
        "type": "forward",
        "forward": {"targetGroups": [{"arn": ref(f"lb.TargetGroup {name}"), "weight": 1} for name in groups]},
    }


def fixed(status: int) -> dict[str, Any]:
    return {"type": "fixed-response", "fixedResponse": {"statusCode": str(status), "contentType": "text/plain"}}


def jwt(*scopes: str) -> dict[str, Any]:
    claims = [{"name": "aud", "format": "single-string", "values": ["api://shop"]}]
    claims += [{"name": "scope", "format": "space-separated-values", "values": list(scopes)}] if scopes else []
    wanted = {"issuer": ISSUER, "jwksEndpoint": "https://login.shop.example/keys", "additionalClaims": claims}
    return {"type": "jwt-validation", "jwtValidation": wanted}


def rewritten(expression: str, replace: str, kind: str = "url-rewrite") -> dict[str, Any]:
    key = "urlRewriteConfig" if kind == "url-rewrite" else "hostHeaderRewriteConfig"
    return {"type": kind, key: {"rewrite": {"regex": expression, "replace": replace}}}


def balancer(name: str, *, internal: bool = False, port: int = 443) -> list[Resource]:
    group = f"sg-{name}"
    listener = made(
        "lb/listener",
        name,
        loadBalancerArn=ref(f"lb.LoadBalancer {name}"),
        port=port,
        protocol="HTTPS" if port == 443 else "HTTP",
        defaultActions=[fixed(404)],
    )
    return [made("lb/loadBalancer", name, internal=internal, securityGroups=[group]), listener]


def service(name: str, address: str) -> list[Resource]:
    arn = ref(f"lb.TargetGroup {name}")
    return [
        made("lb/targetGroup", name, port=8080, protocol="HTTP"),
        made("lb/targetGroupAttachment", f"{name}-1", targetGroupArn=arn, targetId=address, port=8080),
    ]


OPEN = [
    door("ingress", "public", "sg-edge", 443, cidrIpv4="0.0.0.0/0"),
    door("egress", "services", "sg-edge", 8080, cidrIpv4="10.0.0.0/16"),
]


def one_balancer(*rules: Resource) -> Graph:
    return Graph([*balancer("edge"), *service("a", "10.0.1.1"), *service("b", "10.0.1.2"), *OPEN, *rules])


def asked(graph: Graph, target: str = "/", method: str = "GET", reading: Reading = Reading(), **more: Any) -> Outcome:  # noqa: B008
    return graph.send(Request(method, target, HOST, **more), reading)


# -- rules -------------------------------------------------------------------------------------------------------------


def test_the_rule_with_the_lowest_priority_that_fits_decides() -> None:
    graph = one_balancer(
        rule("edge", 20, [path("/*")], [forward("b")]),
        rule("edge", 10, [path("/a")], [forward("a")]),
    )
    assert asked(graph, "/a").targets == (("10.0.1.1", 8080),)
    assert asked(graph, "/ab").group == "lb.TargetGroup b"


def test_without_a_rule_the_listener_answers() -> None:
    assert asked(one_balancer(), "/a").status == 404


@pytest.mark.parametrize(
    ("pattern", "given", "fits"),
    [
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("/a", "/A", False),
        (r"/a\*", "/a*", True),
        (r"/a\*", "/ab", False),
    ],
)
def test_wildcards_of_a_path(pattern: str, given: str, *, fits: bool) -> None:
    graph = one_balancer(rule("edge", 1, [path(pattern)], [forward("a")]))
    assert (asked(graph, given.replace("?", "%3f")).status is None) is fits


def test_a_path_is_compared_without_its_query_and_sent_with_it() -> None:
    graph = one_balancer(rule("edge", 1, [path("/a")], [forward("a")]))
    assert asked(graph, "/a?b=c").path == "/a?b=c"


def test_an_expression_has_to_match_all_of_a_path_or_any_part() -> None:
    graph = one_balancer(rule("edge", 1, [regex("/a")], [forward("a")]))
    assert asked(graph, "/x/a").status == 404
    assert asked(graph, "/x/a", reading=Reading(regex="search")).status is None


def test_the_end_of_an_expression_is_the_end_of_the_text() -> None:
    graph = one_balancer(rule("edge", 1, [regex("^/a[^$]$")], [forward("a")]))
    search = Reading(regex="search")
    assert asked(graph, "/ab", reading=search).status is None
    assert asked(graph, "/ab\n", reading=search).status == 404


@pytest.mark.parametrize(
    ("condition", "fits", "fits_not"),
    [
        ({"hostHeader": {"values": ["API.shop.*"]}}, {}, None),
        ({"httpRequestMethod": {"values": ["GET"]}}, {}, {"method": "POST"}),
        ({"httpHeader": {"httpHeaderName": "X-Beta", "values": ["ye?"]}}, {"headers": {"x-beta": "YES"}}, {}),
        ({"httpHeader": {"httpHeaderName": "x-beta", "regexValues": ["^y"]}}, None, {"headers": {"x-beta": "yes"}}),
        ({"queryStrings": [{"key": "v", "value": "2*"}]}, {"target": "/?u=1&v=21"}, {"target": "/?v=1"}),
        ({"sourceIp": {"values": ["203.0.113.0/24"]}}, {}, {"address": "198.51.100.1"}),
    ],
)
def test_conditions(condition: dict[str, Any], fits: Any, fits_not: Any) -> None:
    graph = one_balancer(rule("edge", 1, [condition], [forward("a")]))
    if fits is not None:
        assert asked(graph, **fits).status is None
    if fits_not is not None:
        assert asked(graph, **fits_not).status == 404


def test_a_condition_that_is_not_known_is_an_error() -> None:
    with pytest.raises(GraphError, match="weather"):
        one_balancer(rule("edge", 1, [{"weather": {"values": ["rain"]}}], [forward("a")]))


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (None, 401),
        (GOOD, None),
        ({**GOOD, "iss": "https://evil.example/"}, 401),
        ({**GOOD, "aud": "api://other"}, 401),
        ({**GOOD, "aud": ["api://shop"]}, 401),  # the rule says that it is a plain text
        ({**GOOD, "scope": "other"}, 401),
        ({"iss": ISSUER, "aud": "api://shop"}, 401),
    ],
)
def test_a_token_is_asked_for_before_a_request_goes_on(token: Any, status: int | None) -> None:
    graph = one_balancer(rule("edge", 1, [path("/*")], [jwt("orders.read"), forward("a")]))
    found = asked(graph, "/a", token=token)
    assert (found.status, found.checked) == (status, frozenset() if status else frozenset({f"jwt {ISSUER}"}))


def test_a_redirect_says_where_to() -> None:
    to = {"type": "redirect", "redirect": {"statusCode": "HTTP_301", "host": "www.shop.example", "path": "/#{path}"}}
    found = asked(one_balancer(rule("edge", 1, [path("/*")], [to])), "/a?b=c")
    assert (found.status, found.location) == (301, "https://www.shop.example:443/a?b=c")


def test_a_transform_changes_what_is_sent_and_one_that_does_not_match_changes_nothing() -> None:
    transforms = [rewritten("^/v1/(.*)$", "/v2/$1"), rewritten("^.*$", "inner", "host-header-rewrite")]
    graph = one_balancer(rule("edge", 1, [path("/*")], [forward("a")], transforms))
    assert (asked(graph, "/v1/x?q").path, asked(graph, "/v1/x").host) == ("/v2/x?q", "inner")
    assert asked(graph, "/v3/x").path == "/v3/x"


def test_a_rewrite_may_see_the_query() -> None:
    graph = one_balancer(rule("edge", 1, [path("/*")], [forward("a")], [rewritten("^/v1/([^/]+)$", "/v2/$1")]))
    assert asked(graph, "/v1/x?q=/").path == "/v2/x?q=/"
    assert asked(graph, "/v1/x?q=/", reading=Reading(rewrites="url")).path == "/v1/x?q=/"


# -- readings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("dot segments", "/a/../b/./c", "/b/c"),
        ("dot segments", "/../../a/..", "/"),
        ("runs of slashes", "//a///b", "/a/b"),
        ("escaped unreserved", "/%61%2e%2f", "/a.%2f"),
        ("escaped slashes", "/a%2Fb%5c%61", "/a/b\\%61"),
        ("escapes twice", "/%2561", "/a"),
        ("parameters", "/a;x=1/b;y", "/a/b"),
        ("backslashes", "\\a\\b", "/a/b"),
        ("last slash", "/a/", "/a"),
        ("case", "/Ab", "/ab"),
        ("ends of segments", "/a./b%20/..", "/a/b/.."),
        ("NUL ends it", "/a%00.png", "/a"),
        ("escaped ? and # end it", "/a%3fb", "/a"),
        ("overlong UTF-8", "/%c0%ae%C0%AE%c0%af", "/../"),
        ("escapes, dots", "/a/..%2fb", "/b"),
        ("everything", "/x;1/%252e%252e\\a.//", "/a"),
    ],
)
def test_what_a_normaliser_reads(name: str, given: str, read: str) -> None:
    assert NORMALISERS[name](given) == read


def test_each_normaliser_comes_in_three_variants() -> None:
    assert len(READS) == 1 + 3 * len(NORMALISERS)
    assert len({one.name for one in READS}) == len(READS)


def test_a_hop_may_compare_a_path_in_another_form_than_it_sends() -> None:
    graph = one_balancer(rule("edge", 1, [path("/b")], [forward("b")]), rule("edge", 2, [path("/a/*")], [forward("a")]))
    dots = NORMALISERS["dot segments"]
    said = {
        one.name: (found.group, found.path)
        for one in (LITERAL, Reads("so", dots, dots), Reads("came", dots, str), Reads("sent", str, dots))
        for found in [asked(graph, "/a/../b", reading=Reading(first=one))]
    }
    assert said == {
        "as it stands": ("lb.TargetGroup a", "/a/../b"),
        "so": ("lb.TargetGroup b", "/b"),
        "came": ("lb.TargetGroup b", "/a/../b"),
        "sent": ("lb.TargetGroup a", "/b"),
    }


def test_readings_that_take_a_path_for_the_same_are_tried_once() -> None:
    graph = one_balancer(rule("edge", 1, [path("/*")], [forward("a")]))
    assert len(list(graph.outcomes(Request("GET", "/a", HOST), READS, READS))) == 1
    assert len(list(graph.outcomes(Request("GET", "/a/", HOST), READS, READS))) == 4


# -- web ACLs ----------------------------------------------------------------------------------------------------------


def acl(statement: dict[str, Any], action: str = "block", *, at: str = "lb.LoadBalancer edge") -> list[Resource]:
    rules = [{"name": "r", "priority": 1, "action": {action: {}}, "statement": statement}]
    return [
        made("wafv2/webAcl", "acl", rules=rules, defaultAction={"allow": {}}),
        made("wafv2/webAclAssociation", "at", resourceArn=ref(at), webAclArn=ref("wafv2.WebAcl acl")),
    ]


def on_path(kind: str, transformation: str = "NONE", **more: Any) -> dict[str, Any]:
    steps = [{"priority": 0, "type": transformation}]
    return {kind: {"fieldToMatch": {"uriPath": {}}, "textTransformations": steps, **more}}


@pytest.mark.parametrize(
    ("statement", "refused", "let_in"),
    [
        (on_path("regexMatchStatement", regexString=r"\.\./"), "/a/../b", "/a/%2e%2e/b"),
        (on_path("regexMatchStatement", "URL_DECODE", regexString=r"\.\./"), "/a/%2e%2e/b", "/a/b"),
        (on_path("byteMatchStatement", positionalConstraint="CONTAINS", searchString="//"), "/a//b", "/a/b"),
        (
            {"notStatement": {"statements": [on_path("regexMatchStatement", regexString="^/a")]}},
            "/b",
            "/a",
        ),
        (
            {"orStatement": {"statements": [on_path("regexMatchStatement", regexString=text) for text in ("x", "y")]}},
            "/y",
            "/z",
        ),
    ],
)
def test_a_web_acl_refuses_before_any_rule(statement: dict[str, Any], refused: str, let_in: str) -> None:
    first = rule("edge", 1, [path("/*")], [forward("a")])
    graph = Graph([*balancer("edge"), *service("a", "10.0.1.1"), *OPEN, first, *acl(statement)])
    assert asked(graph, refused).status == 403
    assert asked(graph, let_in).status is None
    # It sees the path as it came, however the balancer reads it.
    assert asked(graph, refused, reading=Reading(first=READS[1])).status == 403


def test_counting_rules_and_web_acls_of_something_else_refuse_nothing() -> None:
    first = rule("edge", 1, [path("/*")], [forward("a")])
    everything = on_path("regexMatchStatement", regexString=".")
    for more in (
        acl(everything, "count"),
        acl(everything, at="lb.LoadBalancer other"),
        acl({"rateBasedStatement": {}}),
    ):
        assert asked(Graph([*balancer("edge"), *service("a", "10.0.1.1"), *OPEN, first, *more])).status is None


# -- security groups ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0, 1])
def test_without_a_door_on_either_side_nothing_goes_through(missing: int) -> None:
    doors = [one for index, one in enumerate(OPEN) if index != missing]
    first = rule("edge", 1, [path("/*")], [forward("a")])
    found = asked(Graph([*balancer("edge"), *service("a", "10.0.1.1"), *doors, first]))
    assert (found.status, found.targets) == ((0, 504)[missing], ())


def test_an_internal_balancer_is_not_reached_from_the_internet_whatever_its_doors_are() -> None:
    doors = [door("ingress", "all", "sg-inner", 443, cidrIpv4="0.0.0.0/0")]
    graph = Graph([*balancer("inner", internal=True), *doors])
    assert graph.send(Request("GET", "/", HOST), at="lb.LoadBalancer inner").status == 0


def test_a_group_lets_in_the_group_that_it_names_only() -> None:
    doors = [
        door("ingress", "in", "sg-inner", 443, referencedSecurityGroupId="sg-edge"),
        *[
            door("egress", f"out-{name}", f"sg-{name}", 443, referencedSecurityGroupId="sg-inner")
            for name in ("edge", "x")
        ],
    ]
    graph = Graph([*balancer("edge"), *balancer("x"), *balancer("inner", internal=True), *doors])

    def knock(name: str) -> int | None:
        return graph.send(
            Request("GET", "/", HOST, client=f"lb.LoadBalancer {name}"), at="lb.LoadBalancer inner"
        ).status

    assert (knock("edge"), knock("x")) == (404, 0)


def test_rules_inside_a_security_group_are_an_error() -> None:
    with pytest.raises(GraphError, match="inside"):
        Graph([made("ec2/securityGroup", "g", ingress=[{"fromPort": 1}])])


# -- policies ----------------------------------------------------------------------------------------------------------

ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
DENY = {**ALLOW, "Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}


@pytest.mark.parametrize(
    ("statements", "endpoint", "allowed"),
    [
        ([ALLOW, DENY], "vpce-1", True),
        ([ALLOW, DENY], "vpce-2", False),
        ([ALLOW, DENY], None, False),
        ([DENY], "vpce-1", False),
        ([{**ALLOW, "Condition": {"StringEquals": {"aws:SourceVpce": ["vpce-1"]}}}], None, False),
    ],
)
def test_a_policy_by_endpoint(statements: list[Any], endpoint: str | None, *, allowed: bool) -> None:
    assert policy_allows({"Statement": statements}, endpoint) is allowed


# -- a private REST API behind a balancer ------------------------------------------------------------------------------

ENDPOINT = "ec2.VpcEndpoint e"
POLICY = json.dumps(
    {"Statement": [ALLOW, {**DENY, "Condition": {"StringNotEquals": {"aws:SourceVpce": ref(ENDPOINT, "id")}}}]}
)


def to_service(where: str, header: str, **more: Any) -> dict[str, Any]:
    names = [part[1:-1] for part in where.split("/") if part.startswith("{")]
    mapped = {f"integration.request.path.{name}": f"method.request.path.{name}" for name in names}
    integration = {
        "type": "http_proxy",
        "httpMethod": "ANY",
        "uri": f"https://{HOST}:443{where}",
        "connectionType": "VPC_LINK",
        "connectionId": ref("apigatewayv2.VpcLink l", "id"),
        "integrationTarget": ref("lb.LoadBalancer inner"),
        "requestParameters": {"integration.request.header.x-to": f"'{header}'", **mapped},
    }
    return {"x-amazon-apigateway-integration": integration, **more}


PATHS: dict[str, Any] = {
    "/public/auth/{proxy+}": {"x-amazon-apigateway-any-method": to_service("/auth/{proxy}", "a")},
    "/main/orders/{id}": {"get": to_service("/orders/{id}", "b")},
    "/main/orders/new": {"post": to_service("/orders/new", "b")},
    "/keys/x": {"get": to_service("/x", "a", security=[{"key": []}])},
    "/cors": {
        "options": {
            "x-amazon-apigateway-integration": {"type": "mock", "responses": {"default": {"statusCode": "200"}}}
        }
    },
}


def chain(
    *, guard: bool = False, prefixed: bool = True, domain: bool = True, leave_out: str = "", scheme: str = "https"
) -> Graph:
    """A public balancer, an endpoint, a private API, and a balancer that dispatches by header."""
    body = {
        "openapi": "3.0.1",
        "paths": PATHS
        if prefixed
        else {path.replace("/public/", "/").replace("/main/", "/"): at for path, at in PATHS.items()},
        "components": {"securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
        "x-amazon-apigateway-gateway-responses": {"MISSING_AUTHENTICATION_TOKEN": {"statusCode": 404}},
    }

    def prefix(name: str) -> list[Any]:
        host = (
            []
            if domain
            else [
                rewritten(
                    "^.*$", f"{ref('apigateway.RestApi r', 'id')}.execute-api.eu.amazonaws.com", "host-header-rewrite"
                )
            ]
        )
        stage = "" if domain else "/live"
        return [*host, rewritten("^/(.*)$", f"{stage}/{name}/$1" if prefixed else f"{stage}/$1")]

    header = "httpHeader"
    found = [
        *balancer("edge"),
        *balancer("inner", internal=True),
        *service("a", "10.0.1.1"),
        *service("b", "10.0.1.2"),
        door("ingress", "public", "sg-edge", 443, cidrIpv4="0.0.0.0/0"),
        door("egress", "edge", "sg-edge", 443, referencedSecurityGroupId="sg-e"),
        door("ingress", "e", "sg-e", 443, referencedSecurityGroupId="sg-edge"),
        door("egress", "l", "sg-l", 443, referencedSecurityGroupId="sg-inner"),
        door("ingress", "inner", "sg-inner", 443, referencedSecurityGroupId="sg-l"),
        door("egress", "inner", "sg-inner", 8080, cidrIpv4="10.0.0.0/16"),
        *([rule("edge", 1, [regex(r"^.*/\.\.(/.*)?$")], [fixed(400)])] if guard else []),
        rule("edge", 10, [path("/auth/*", "/keys/*", "/cors")], [forward("api")], prefix("public")),
        rule("edge", 20, [path("/orders/*")], [jwt("orders.read"), forward("api")], prefix("main")),
        made("lb/targetGroup", "api", port=443, protocol="HTTPS"),
        made(
            "lb/targetGroupAttachment", "api", targetGroupArn=ref("lb.TargetGroup api"), targetId="10.0.9.9", port=443
        ),
        made("ec2/vpcEndpoint", "e", securityGroupIds=["sg-e"], subnetConfigurations=[{"ipv4": "10.0.9.9"}]),
        made(
            "apigateway/restApi",
            "r",
            body=json.dumps(body).replace("https://", f"{scheme}://"),
            policy=POLICY,
            endpointConfiguration={"types": "PRIVATE"},
        ),
        made("apigateway/stage", "s", restApi=ref("apigateway.RestApi r", "id"), stageName="live"),
        made("apigatewayv2/vpcLink", "l", securityGroupIds=["sg-l"]),
        rule("inner", 1, [{header: {"httpHeaderName": "x-to", "values": ["a"]}}], [forward("a")]),
        rule("inner", 2, [{header: {"httpHeaderName": "x-to", "values": ["b"]}}], [forward("b")]),
        made("apigateway/usagePlan", "p", apiStages=[{"apiId": ref("apigateway.RestApi r", "id"), "stage": "live"}]),
    ]
    if domain:
        found += [
            made(
                "apigateway/domainName", "d", domainName=HOST, endpointConfiguration={"types": "PRIVATE"}, policy=POLICY
            ),
            made(
                "apigateway/basePathMapping",
                "m",
                domainName=HOST,
                domainNameId=ref("apigateway.DomainName d", "domainNameId"),
                restApi=ref("apigateway.RestApi r", "id"),
                stageName="live",
            ),
            made(
                "apigateway/domainNameAccessAssociation",
                "as",
                domainNameArn=ref("apigateway.DomainName d"),
                accessAssociationSource=ref(ENDPOINT, "id"),
            ),
        ]
    return Graph([one for one in found if one.name != leave_out or one.type.startswith("aws:lb/listener")])


@pytest.mark.parametrize("domain", [True, False])
def test_a_request_goes_through_all_hops_to_its_service(*, domain: bool) -> None:
    found = asked(chain(domain=domain), "/orders/7?x=1", token=GOOD)
    assert (found.group, found.path, found.host) == ("lb.TargetGroup b", "/orders/7?x=1", HOST)
    assert found.dispatch["x-to"] == "b"
    assert [name.partition(" ")[2] for name, _ in found.hops] == ["edge", "e", "r", "l", "inner", ""]


def test_without_a_token_it_ends_at_the_first_hop() -> None:
    found = asked(chain(), "/orders/7")
    assert (found.status, len(found.hops)) == (401, 1)


def test_a_header_of_the_client_is_overwritten() -> None:
    assert asked(chain(), "/orders/7", token=GOOD, headers={"x-to": "a"}).group == "lb.TargetGroup b"


def test_the_api_does_not_go_back_from_a_literal_to_a_variable() -> None:
    assert asked(chain(), "/orders/new", token=GOOD).status == 404
    assert asked(chain(), "/orders/new", method="POST", token=GOOD).status is None


def test_a_key_is_asked_for() -> None:
    graph = chain()
    inside = Request("GET", "/keys/x", HOST, client="lb.LoadBalancer edge")
    assert graph.send(inside, at="10.0.9.9").status == 403
    keyed = Request("GET", "/keys/x", HOST, {"x-api-key": "good"}, client="lb.LoadBalancer edge")
    assert graph.send(keyed, at="10.0.9.9").checked == {"key"}


def test_a_mock_answers_itself() -> None:
    inside = Request("OPTIONS", "/cors", HOST, client="lb.LoadBalancer edge")
    assert chain().send(inside, at="10.0.9.9").status == 200


@pytest.mark.parametrize(("leave_out", "status"), [("d", 403), ("m", 403), ("as", 403), ("", None)])
def test_the_endpoint_knows_an_api_by_its_name_only(leave_out: str, status: int | None) -> None:
    assert asked(chain(leave_out=leave_out), "/auth/x").status == status


def test_nobody_reaches_the_private_api_from_the_internet() -> None:
    own = f"{ref('apigateway.RestApi r', 'id')}.execute-api.eu.amazonaws.com"
    for host, target in ((HOST, "/main/orders/7"), (own, "/live/main/orders/7")):
        assert chain().send(Request("GET", target, host), at="front").targets == ()
        assert chain(domain=False).send(Request("GET", target, host), at="front").targets == ()
    assert chain().send(Request("GET", "/main/orders/7", HOST), at="10.0.9.9").status == 0


# What the graph is for: a way round a check is found where there is one, and not where there is none.


def round_the_check(graph: Graph) -> set[str]:
    """Readings under which someone without a token reaches the protected service."""
    request = Request("GET", "/auth/../orders/7", HOST)
    outcomes = graph.outcomes(request, (LITERAL,), READS)
    return {second.name for _, second, found in outcomes if second and found.group == "lb.TargetGroup b"}


def test_two_hops_that_read_a_path_differently_are_a_way_round_a_check() -> None:
    assert "dot segments, sent so" in round_the_check(chain(prefixed=False))


def test_a_prefix_alone_still_leads_elsewhere_under_its_own_prefix_only() -> None:
    assert round_the_check(chain(prefixed=True)) == set()
    climbs = Request("GET", "/auth/../../main/orders/7", HOST)
    found = chain(prefixed=True).outcomes(climbs, (LITERAL,), READS)
    assert any(one.group == "lb.TargetGroup b" for *_, one in found)


def test_a_guard_closes_it() -> None:
    for target in ("/auth/../orders/7", "/auth/../../main/orders/7"):
        for _, _, found in chain(guard=True).outcomes(Request("GET", target, HOST), (LITERAL,), READS):
            assert found.status == 400


# -- an HTTP API -------------------------------------------------------------------------------------------------------


def http_api(**more: Any) -> Graph:
    def to(header: str, **mapped: str) -> dict[str, Any]:
        return {
            "type": "http_proxy",
            "uri": ref("lb.Listener inner"),
            "connectionType": "VPC_LINK",
            "connectionId": ref("apigatewayv2.VpcLink l", "id"),
            "requestParameters": {"overwrite:header.x-to": header, **mapped},
            "tlsConfig": {"serverNameToVerify": HOST},
        }

    scheme = {
        "type": "oauth2",
        "x-amazon-apigateway-authorizer": {
            "type": "jwt",
            "jwtConfiguration": {"issuer": ISSUER, "audience": ["api://shop"]},
        },
    }
    integrations = {"a": to("a"), "b": to("b", **{"overwrite:path": "/v2/$request.path.id"})}

    def operation(name: str, scopes: list[str] | None = None) -> dict[str, Any]:
        at = {"$ref": f"#/components/x-amazon-apigateway-integrations/{name}"}
        return {"x-amazon-apigateway-integration": at, "security": [{"main": scopes}] if scopes is not None else []}

    body = {
        "paths": {
            "/{proxy+}": {"x-amazon-apigateway-any-method": operation("a")},
            "/orders/{id}": {"get": operation("b", ["orders.read", "orders.admin"])},
        },
        "components": {"securitySchemes": {"main": scheme}, "x-amazon-apigateway-integrations": integrations},
    }
    api = made("apigatewayv2/api", "h", body=json.dumps(body), **more)
    header = "httpHeader"
    return Graph(
        [
            api,
            made("apigatewayv2/stage", "s", apiId=ref("apigatewayv2.Api h", "id"), name="$default"),
            made("apigatewayv2/vpcLink", "l", securityGroupIds=["sg-l"]),
            made("apigatewayv2/domainName", "d", domainName=HOST),
            made(
                "apigatewayv2/apiMapping", "m", apiId=ref("apigatewayv2.Api h", "id"), domainName=HOST, stage="$default"
            ),
            *balancer("inner", internal=True),
            *service("a", "10.0.1.1"),
            *service("b", "10.0.1.2"),
            door("egress", "l", "sg-l", 443, referencedSecurityGroupId="sg-inner"),
            door("ingress", "inner", "sg-inner", 443, referencedSecurityGroupId="sg-l"),
            door("egress", "inner", "sg-inner", 8080, cidrIpv4="10.0.0.0/16"),
            rule("inner", 1, [{header: {"httpHeaderName": "x-to", "values": ["a"]}}], [forward("a")]),
            rule("inner", 2, [{header: {"httpHeaderName": "x-to", "values": ["b"]}}], [forward("b")]),
        ]
    )


def test_an_http_api_overwrites_header_and_path() -> None:
    found = asked(http_api(), "/orders/7", token=GOOD, headers={"x-to": "a"})
    assert (found.group, found.path, found.checked) == ("lb.TargetGroup b", "/v2/7", {"main"})
    assert asked(http_api(), "/x/y").path == "/x/y"


@pytest.mark.parametrize(
    ("token", "status"), [(None, 401), ({**GOOD, "aud": "api://other"}, 401), ({**GOOD, "scope": "x"}, 403)]
)
def test_an_http_api_asks_for_a_token_with_one_of_the_scopes(token: Any, status: int) -> None:
    assert asked(http_api(), "/orders/7", token=token).status == status


def test_an_http_api_that_decodes_what_it_sends_hides_a_slash_from_the_hop_behind() -> None:
    decodes = next(one for one in READS if one.name == "all escapes only when sent")
    found = asked(http_api(), "/orders%2f7", reading=Reading(first=decodes))
    assert (found.group, found.path) == ("lb.TargetGroup a", "/orders/7")


def test_the_name_that_aws_gives_an_api_can_be_shut() -> None:
    own = f"{ref('apigatewayv2.Api h', 'id')}.execute-api.eu.amazonaws.com"
    assert http_api().send(Request("GET", "/x", own)).status is None
    assert http_api(disableExecuteApiEndpoint=True).send(Request("GET", "/x", own)).status == 0


def test_an_api_that_speaks_plain_http_to_a_tls_listener_gets_nowhere() -> None:
    found = asked(chain(scheme="http"), "/auth/x")
    assert (found.status, found.targets) == (503, ())
    assert "HTTPS" in found.hops[-1][1]
