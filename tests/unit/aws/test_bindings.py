"""What a stack says about its backends on AWS, beside where they are."""

from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.aws.artifact import Json
from edgewright.aws.compile import compile_edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

SPEC: dict[str, Any] = {
    "name": "shop",
    "listener": {"host": "api.shop.example"},
    "backends": {"app": {"port": 8080, "health_check": "/healthz"}, "calls": {"port": 50051, "protocol": "grpc"}},
    "routes": {"GET /a": {"backend": "app", "auth": "none"}, "POST /b": {"backend": "calls", "auth": "none"}},
}
BINDINGS: dict[str, Any] = {
    "region": "eu-west-1",
    "network": {"create": {"cidr": "10.0.0.0/16"}},
    "certificate": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
}


def compiled(**backends: Any) -> tuple[Json, Mapping[str, Json]]:
    """The target group of `app`, and where its balancer may go."""
    artifact = compile_edge(resolve(from_data(SPEC)), {**BINDINGS, "backends": backends}, "balancer-only")
    balancer = artifact.edge_balancer
    assert balancer is not None
    return balancer.target_groups["app"], balancer.peers.egress


def told(group: Json) -> tuple[Any, Any, Any]:
    return group["protocol"], group["port"], group["health_check"]["protocol"]


def test_a_backend_is_as_the_spec_says_where_the_stack_says_nothing() -> None:
    group, egress = compiled()
    assert told(group) == ("HTTP", 8080, "HTTP")
    assert egress["tcp-8080"]["port"] == 8080


@pytest.mark.parametrize(
    "bound",
    [
        {"protocol": "https", "port": 8443},
        {"ips": ["10.0.1.10"], "protocol": "https", "port": 8443},
        {"url": "https://10.0.1.10:8443"},
    ],
)
def test_services_that_speak_tls_here_are_reached_and_checked_by_https_at_their_port(bound: Any) -> None:
    group, egress = compiled(app=bound)
    assert told(group) == ("HTTPS", 8443, "HTTPS")
    assert egress["tcp-8443"]["port"] == 8443
    assert "tcp-8080" not in egress


def test_an_address_without_a_port_is_at_the_port_of_its_scheme() -> None:
    assert told(compiled(app={"url": "https://10.0.1.10"})[0]) == ("HTTPS", 443, "HTTPS")
    assert told(compiled(app={"url": "http://10.0.1.10"})[0]) == ("HTTP", 80, "HTTP")


def test_a_protocol_alone_keeps_the_port_and_a_port_alone_the_protocol() -> None:
    assert told(compiled(app={"protocol": "https"})[0]) == ("HTTPS", 8080, "HTTPS")
    assert told(compiled(app={"port": 9090})[0]) == ("HTTP", 9090, "HTTP")


def test_what_is_neither_http_nor_https_is_as_the_spec_says_on_every_stack() -> None:
    with pytest.raises(SpecError, match="the spec says grpc, and only http and https may be told apart by a stack"):
        compiled(calls={"protocol": "https"})
    with_url = compile_edge(
        resolve(from_data(SPEC)),
        {**BINDINGS, "backends": {"calls": {"url": "http://10.0.1.10:50052"}}},
        "balancer-only",
    )
    assert with_url.edge_balancer is not None
    group = with_url.edge_balancer.target_groups["calls"]
    assert (group["protocol_version"], group["port"]) == ("GRPC", 50052)
