"""What AWS cannot carry, or a stack has bound wrongly: one clear error that says all of it, before anything is made."""

import copy
import re
from typing import Any

import pytest

from edgewright.aws.compile import Topology, compile_edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

SPEC: dict[str, Any] = {
    "name": "shop",
    "listener": {"host": "api.shop.example"},
    "authorizers": {
        "main": {
            "jwt": {
                "issuer": "https://login.shop.example/",
                "audiences": ["api"],
                "jwks_uri": "https://login.shop.example/keys",
            }
        },
        "partner": {"api_key": {"clients": ["acme"]}},
    },
    "backends": {
        "app": {"port": 8080, "health_check": "/healthz"},
        "other": {"port": 9090, "health_check": "/healthz"},
    },
    "defaults": {"auth": "main", "timeout": {"request": "10s"}},
    "routes": {
        "GET /a": "app",
        "GET /b": {"backend": "other", "auth": "none"},
        "GET /k": {"backend": "app", "auth": "partner"},
    },
}
NETWORK: dict[str, Any] = {
    "vpc": "vpc-0123456789abcdef0",
    "cidr": "10.0.0.0/16",
    "public_subnets": ["subnet-1", "subnet-2"],
    "private_subnets": ["subnet-3", "subnet-4"],
    "endpoint_addresses": ["10.0.1.10", "10.0.2.10"],
}
BINDINGS: dict[str, Any] = {
    "region": "eu-west-1",
    "log_role": "create",
    "network": NETWORK,
    "certificate": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
}


def refused(spec: dict[str, Any], bindings: dict[str, Any], topology: Topology) -> str:
    with pytest.raises(SpecError) as caught:
        compile_edge(resolve(from_data(spec)), bindings, topology)
    return str(caught.value)


def with_route(key: str, route: object, **more: Any) -> dict[str, Any]:
    spec = copy.deepcopy(SPEC)
    spec["routes"][key] = route
    return {**spec, **more}


def bound(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BINDINGS), **more}


def network(**more: Any) -> dict[str, Any]:
    return bound(network={**copy.deepcopy(NETWORK), **more})


def test_the_sample_of_these_tests_is_good() -> None:
    assert compile_edge(resolve(from_data(SPEC)), BINDINGS, "balancer-first").rest is not None


@pytest.mark.parametrize(
    ("bindings", "said"),
    [
        (network(private_subnets=[], public_subnets=[], endpoint_addresses=[]), "there is no subnet; a load balancer needs two"),
        (network(private_subnets=["subnet-3"], endpoint_addresses=["10.0.1.10"]), "there is one subnet; a load balancer needs two"),
        (network(zones=["eu-west-1a", "eu-west-1a"]), "all subnets are in eu-west-1a"),
        (network(zones=["eu-west-1a", "us-east-1b"]), "`us-east-1b` is no zone of eu-west-1"),
        (network(public_subnets=["subnet-1", "subnet-1"]), "a subnet stands twice"),
        (network(cidr=None), "there is no `cidr`"),
        (network(endpoint_addresses=["10.0.1.10"]), "the endpoint needs a fixed address in each private subnet"),
        (network(endpoint_addresses=["10.0.1.10", "x"]), "`x` is no IPv4 address"),
        (bound(network={"create": {"cidr": "10.0.0.0/8"}}), "/8 is not between /16 and /22"),
        (bound(network={"create": {"cidr": "10.0.0.0/16", "zones": 1}}), "all subnets would be in one zone"),
        (bound(network={"create": {}, "vpc": "vpc-1"}), "`create` and an existing network are both given"),
        (bound(certificate="arn:aws:iam::123456789012:server-certificate/x"), "is an ARN of iam; one of acm is needed"),
        (bound(certificate="arn:aws:acm:us-east-1:123456789012:certificate/1"), "it is in us-east-1, and the stack in eu-west-1"),
        (bound(certificate="nonsense"), "`nonsense` is no ARN"),
        (bound(certificate_hosts=["www.shop.example"]), "the certificate is for www.shop.example, not for `api.shop.example`"),
        (bound(dns={"zone": "other.example", "zone_id": "Z1"}), "the zone `other.example` does not hold `api.shop.example`"),
        (bound(backends={"app": {"ips": ["10.0.0.1"], "url": "http://10.0.0.2"}}), "ips and url are given"),
        (bound(backends={"app": {"ips": ["ten"]}}), "`ten` is no IPv4 address"),
        (bound(backends={"app": {"url": "https://10.0.0.2", "protocol": "https"}}), "`url` says it already"),
        (bound(backends={"app": {"function": "arn:aws:lambda:eu-west-1:123456789012:function:x", "port": 8443}}), "`function` says it already"),
        (bound(backends={"app": {"protocol": "grpc"}}), "it should be 'http' or 'https'"),
        (bound(backends={"app": {"url": "http://app.internal:80"}}), "`app.internal` is a name, and a target group takes addresses"),
        (bound(backends={"app": {"function": "arn:aws:s3:::x"}}), "is an ARN of s3; one of lambda is needed"),
        (bound(backends={"app": {"function": "arn:aws:lambda:us-east-1:123456789012:function:x"}}), "it is in us-east-1"),
        (bound(backends={"ap": {"ips": ["10.0.0.1"]}}), "the spec has no backend `ap`; did you mean `app`?"),
        (bound(region="Ireland"), "region"),
        (bound(colour="red"), "there is no such setting; known: "),
        (bound(reigon="eu-west-1"), "reigon: there is no such setting; did you mean `region`?"),
        (bound(network={"private_subnet": []}), "network.private_subnet: there is no such setting; did you mean `private_subnets`?"),
        (bound(backends={"app": {"ip": ["10.0.0.1"]}}), "backends.app.ip: there is no such setting; did you mean `ips`?"),
        (bound(accept=[{"felid": "Route.x", "reason": "r"}]), "accept[0].felid: there is no such setting; did you mean `field`?"),
        (bound(profile="prod"), "profile: it should be `production` or `development`"),
        ({"network": NETWORK}, "the stack must bind a region"),
        ({"region": "eu-west-1"}, "the stack must bind a network"),
        (bound(certificate=None), "the stack must bind a certificate for the hosts"),
        (bound(accept=[{"field": "Route.nothing", "reason": "because it is so"}]), "nothing unsupported is called `Route.nothing`"),
    ],
)  # fmt: skip
def test_a_binding_that_cannot_be_is_refused(bindings: dict[str, Any], said: str) -> None:
    assert said in refused(SPEC, bindings, "balancer-first")


@pytest.mark.parametrize(
    ("topology", "spec", "said"),
    [
        ("balancer-first", with_route("GET /s", {"backend": "app", "timeout": {"request": "31s"}}), "a REST API waits 29 s at most"),
        ("balancer-first", with_route("GET /s", {"backend": "app", "quota": {"limit": 1, "period": "day", "per": "subject"}}), "AWS counts quotas by API key only"),
        ("balancer-first", with_route("GET /s", {"backend": "app", "auth": "partner", "quota": {"limit": 1, "period": "hour"}}), "a usage plan counts days, weeks and months"),
        ("balancer-first", with_route("GET /s", {"backend": "app", "retry": {}}), "nothing on AWS's way sends a request twice"),
        ("balancer-first", with_route("GET /s", {"backend": "app", "auth": "none", "cache": {"ttl": "2h"}}), "the cache takes whole seconds up to 3600"),
        ("balancer-first", with_route("GET /s", {"backend": "app", "auth": "none", "cache": {"ttl": "1m", "vary_by": {"query": "*"}}}), "a key names its parameters"),
        ("balancer-first", with_route("GET /edge.x", "app"), "the balancer says by such a segment who may ask"),
        ("balancer-first", with_route("GET /a~b", "app"), "a resource of an API has letters, digits"),
        ("balancer-first", with_route("GET /s", {"backend": "app", "auth": {"any_scope": ["a", "b"]}}), "a balancer asks for all values of a claim"),
        ("balancer-first", with_route("GET /s", {"backend": "app", "headers": {"response": {"set": {"x-a": "b"}}}}), "a REST API that hands answers through"),
        ("gateway-first", with_route("GET /ping", "app"), "/ping and /sping are API Gateway's own"),
        ("gateway-first", with_route("GET /s (beta)", {"backend": "app", "match": {"headers": {"x-beta": "1"}}}), "an API does not route by headers or query"),
        ("balancer-only", with_route("GET /s", {"backend": "app", "auth": "none", "cache": {"ttl": "1m"}}), "a load balancer keeps no answers"),
        ("balancer-only", with_route("GET /s", {"auth": "none", "respond": {"status": 302, "body": ""}}), "a balancer answers with 2xx, 4xx or 5xx"),
        ("balancer-only", with_route("GET /s", {"backend": "app", "headers": {"request": {"set": {"x-a": "b"}}}}), "a load balancer changes no request headers"),
        ("balancer-only", with_route(f"GET /{'x' * 130}/{{id}}", "app"), "a balancer's pattern has 128 characters at most"),
    ],
)  # fmt: skip
def test_what_a_topology_cannot_carry_is_refused(topology: Topology, spec: dict[str, Any], said: str) -> None:
    assert said in refused(spec, BINDINGS, topology)


def test_everything_is_said_at_once_with_place_reason_and_remedy() -> None:
    spec = with_route("GET /s", {"backend": "app", "retry": {}, "timeout": {"request": "31s"}})
    said = refused(spec, BINDINGS, "balancer-first")
    assert 'route "GET /s"' in said
    assert "`retry: none`" in said
    assert "`timeout: {request: 29s}`" in said


def routes(count: int) -> dict[str, Any]:
    return {f"GET /r{number}": {"backend": "app", "auth": "none"} for number in range(count)}


def test_an_http_api_has_three_hundred_routes_and_not_one_more() -> None:
    spec = {**SPEC, "authorizers": {}, "defaults": {"timeout": {"request": "10s"}}}
    bindings = bound(gateway="http")
    artifact = compile_edge(resolve(from_data({**spec, "routes": routes(300)})), bindings, "gateway-first")
    assert artifact.http is not None
    said = refused({**spec, "routes": routes(301)}, bindings, "gateway-first")
    assert "the HTTP API would have 301 routes; AWS's limit is 300" in said
    assert "limits: {http_routes: 301}" in said


def test_a_raised_quota_is_bound() -> None:
    spec = {**SPEC, "authorizers": {}, "defaults": {"timeout": {"request": "10s"}}, "routes": routes(301)}
    assert compile_edge(resolve(from_data(spec)), bound(limits={"http_routes": 301}), "gateway-first").http is not None


def test_an_unsupported_field_may_be_accepted_with_a_reason_and_stays_in_the_plan() -> None:
    spec = with_route("GET /s", {"backend": "app", "retry": {}})
    accept = [{"field": "Route.retry", "routes": ["GET /s"], "reason": "the service retries by itself"}]
    artifact = compile_edge(resolve(from_data(spec)), bound(accept=accept), "balancer-first")
    assert [item.field for item in artifact.findings if item.level == "unsupported"] == ["Route.retry"]


def test_authentication_cannot_be_accepted_away() -> None:
    spec = with_route("GET /s", {"backend": "app", "auth": {"any_scope": ["a", "b"]}})
    accept = [{"field": "Auth.any_scope", "reason": "we take the risk of it"}]
    assert "cannot be accepted away" in refused(spec, bound(accept=accept), "balancer-first")


def test_a_pinned_api_that_no_longer_fits_is_an_error_and_no_replacement() -> None:
    spec = with_route("GET /s", {"backend": "app", "auth": "none", "cache": {"ttl": "1m"}})
    assert "an HTTP API keeps no answers" in refused(spec, bound(gateway="http"), "gateway-first")


def test_the_fields_that_decide_for_a_rest_api_are_named() -> None:
    spec = with_route("GET /s", {"backend": "app", "auth": "none", "cache": {"ttl": "1m"}})
    artifact = compile_edge(resolve(from_data(spec)), BINDINGS, "gateway-first")
    assert artifact.rest is not None
    assert "a REST API, for Route.cache of GET /s: an HTTP API keeps no answers" in artifact.decisions


@pytest.mark.parametrize(
    ("route", "gateway", "said"),
    [
        ({"headers": {"request": {"set": {"x-a": "$request.header.authorization"}}}}, "http", "reads `$`"),
        ({"headers": {"response": {"set": {"x-a": "costs $5"}}}}, "http", "reads `$`"),
        ({"rewrite": {"path": "/$context.accountId"}}, "http", "reads `$`"),
        ({"headers": {"request": {"set": {"x-a": "it's"}}}}, "rest", "between quotes"),
        ({"headers": {"request": {"set": {"x-a": "back\\"}}}}, "rest", "between quotes"),
        ({"headers": {"request": {"set": {"x!a": "1"}}}}, "rest", "takes letters, digits"),
        ({"headers": {"request": {"set": {"x-amz-date": "1"}}}}, "http", "x-amz-"),
        ({"headers": {"response": {"set": {"access-control-allow-origin": "*"}}}}, "http", "access-control-"),
    ],
)
def test_no_value_of_a_spec_becomes_an_expression_of_api_gateway(
    route: dict[str, Any], gateway: str, said: str
) -> None:
    spec = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "defaults": {"timeout": {"request": "29s"}},
        "routes": {"GET /a": {"backend": "orders", **route}},
    }
    with pytest.raises(SpecError, match=re.escape(said)):
        compile_edge(resolve(from_data(spec)), {"gateway": gateway}, "gateway-first", placeholders=True)
