"""WebSockets of gateway-first: what an API of its own cannot carry, and the host that the stack must bind."""

from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.aws.artifact import Artifact
from edgewright.aws.compile import Topology, compile_edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

AUTHORIZERS = {
    "main": {"jwt": {"issuer": "https://a.example/", "audiences": ["a"], "jwks_uri": "https://a.example/keys"}},
    "keys": {"api_key": {"from": {"header": "x-api-key"}, "clients": ["acme"]}},
}
BOUND: Mapping[str, Any] = {
    "region": "eu-west-1",
    "log_role": "create",
    "network": {"create": {"cidr": "10.0.0.0/16"}},
    "dns": {"zone": "shop.example", "zone_id": "Z1"},
    "websocket_host": "ws.shop.example",
}


def spec(key: str = "WS /live", route: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "authorizers": AUTHORIZERS,
        "backends": {"orders": {"port": 8080}, "next": {"port": 8081}},
        "routes": {key: {"backend": "orders", "auth": "none", **(route or {})}},
        **more,
    }


def compiled(data: Mapping[str, Any], topology: Topology = "gateway-first", **bound: Any) -> Artifact:
    bindings = {key: item for key, item in {**BOUND, **bound}.items() if item is not None}
    return compile_edge(resolve(from_data(data)), bindings, topology)


def test_an_edge_of_websockets_alone_needs_no_other_api() -> None:
    artifact = compiled(spec())
    assert (artifact.rest, artifact.http, artifact.link_peers.egress) == (None, None, {})
    assert [item.stage for item in artifact.websockets] == ["live"]
    assert artifact.services is not None
    assert list(artifact.services.peers.ingress) == ["messages"]


@pytest.mark.parametrize("topology", ["balancer-first", "balancer-only"])
def test_a_balancer_carries_a_websocket_itself(topology: Topology) -> None:
    data = spec("WS /live/*", {"auth": "main"}, authorizers={"main": AUTHORIZERS["main"]})
    data["routes"]["GET /a"] = {"backend": "orders", "auth": "none", "timeout": {"request": "29s"}}
    artifact = compiled(data, topology, websocket_host=None)
    assert artifact.websockets == ()
    assert artifact.edge_balancer is not None
    assert any("WS /live/*" in rule.routes for rule in artifact.edge_balancer.rules)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (spec("WS /live/{id}"), "known by one segment"),
        (spec("WS /live/*"), "known by one segment"),
        (spec("WS /a.b"), "known by one segment"),
        (spec(route={"backend": {"orders": 90, "next": 10}}), "messages of one connection"),
        (spec(route={"auth": "keys"}), "asks for tokens only"),
        (spec(route={"throttle": {"rate": "1/s", "per": "ip"}}), "counts by route only"),
        (spec(route={"headers": {"request": {"set": {"x-a": "1"}}}}), "its own headers only"),
        (spec(waf={"managed": ["core"]}), "takes no web ACL"),
        (spec(waf={"deny": ["192.0.2.0/24"]}), "the address lists would not hold there"),
    ],
)
def test_what_a_websocket_api_cannot_carry_is_refused(data: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        compiled(data)


def test_address_lists_cannot_be_accepted_away_before_a_websocket() -> None:
    accept = [
        {"field": field, "reason": "it will be fine, really"}
        for field in ("Waf.(before a WebSocket)", "Waf.allow.(before a WebSocket)", "EdgeSpec.waf")
    ]
    with pytest.raises(SpecError, match="cannot be accepted away"):
        compiled(spec(waf={"deny": ["192.0.2.0/24"]}), accept=accept)


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        ({"websocket_host": None}, "AWS lets it share none with another API"),
        ({"websocket_host": "api.shop.example"}, "is the other API's"),
        ({"websocket_host": "ws.other.example"}, "does not hold `ws.other.example`"),
        (
            {
                "certificate": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
                "dns": None,
                "certificate_hosts": ["api.shop.example"],
            },
            "not for `ws.shop.example`",
        ),
    ],
)
def test_a_host_of_websockets_that_cannot_be_is_refused(bound: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        compiled(spec(), **bound)


def test_an_api_behind_a_balancer_must_have_a_route() -> None:
    with pytest.raises(SpecError, match="the API behind the balancer would be empty"):
        compiled(spec(), "balancer-first", websocket_host=None)


def test_a_host_for_nothing_is_refused() -> None:
    with pytest.raises(SpecError, match="there is no WebSocket API"):
        compiled(spec("GET /a"))
