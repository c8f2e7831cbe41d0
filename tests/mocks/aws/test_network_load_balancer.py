"""A Network Load Balancer in AWS's own terms: TCP, TLS and UDP, what is safe without being said, and what is refused."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from edgewright.aws.network_load_balancer import NetworkLoadBalancer, NetworkLoadBalancerArgs
from mocks.aws.api_recording import Recording, problems, record
from mocks.aws.components import CERTIFICATE, TO_SERVICES

TCP = {"port": 9000, "protocol": "TCP", "target_group": "lines"}
TLS = {"port": 8883, "protocol": "TLS", "target_group": "lines", "certificate_arn": CERTIFICATE}
UDP = {"port": 53, "protocol": "UDP", "target_group": "names"}
GROUPS = {"lines": {"port": 9001, "protocol": "TCP"}, "names": {"port": 5353, "protocol": "UDP"}}
DOOR = {"port": 9000, "cidr_ipv4": "0.0.0.0/0"}


def args(*listeners: Any, **more: Any) -> NetworkLoadBalancerArgs:
    given = {
        "vpc_id": "vpc-1",
        "subnets": ["subnet-1"],
        "ingress": {"all": {**DOOR, "port": (listeners or (TCP,))[0]["port"]}},
        "egress": {"services": TO_SERVICES},
        "listeners": {f"l{number}": item for number, item in enumerate(listeners or (TCP,))},
        "target_groups": GROUPS,
        **more,
    }
    return cast(NetworkLoadBalancerArgs, {key: item for key, item in given.items() if item is not None})


def place(*listeners: Any, **more: Any) -> Recording:
    return record(lambda: NetworkLoadBalancer("lb", args(*listeners, **more)))


def test_a_balancer_is_internal_kept_from_deletion_and_has_a_security_group() -> None:
    inputs = place().inputs("lb.LoadBalancer")
    assert (inputs["loadBalancerType"], inputs["internal"]) == ("network", True)
    assert inputs["enableDeletionProtection"] is True
    assert inputs["enableCrossZoneLoadBalancing"] is True
    assert inputs["securityGroups"] == ["lb-doors-balancer-id"]
    assert inputs["enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "on"


def test_a_stream_goes_to_its_target_group() -> None:
    made = place(TCP, UDP)
    first, second = (made.of("lb.Listener")[name].inputs for name in ("lb-l0", "lb-l1"))
    assert first["defaultActions"] == [{"type": "forward", "targetGroupArn": "arn:lb-lines"}]
    assert (second["protocol"], second["defaultActions"][0]["targetGroupArn"]) == ("UDP", "arn:lb-names")
    assert not {"sslPolicy", "certificateArn"} & set(first)


def test_tls_ends_at_the_balancer_with_a_policy_of_today() -> None:
    inputs = place({**TLS, "alpn_policy": "HTTP2Preferred"}).inputs("lb.Listener")
    assert inputs["certificateArn"] == CERTIFICATE
    assert inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert inputs["alpnPolicy"] == "HTTP2Preferred"


def test_a_bucket_is_made_for_tls_alone_since_aws_logs_nothing_else() -> None:
    assert place(TCP).of("s3.Bucket") == {}
    made = place(TLS)
    assert made.inputs("lb.LoadBalancer")["accessLogs"]["enabled"] is True
    assert made.one("s3.BucketPolicy").urn in made.one("lb.LoadBalancer").dependencies
    named = place(TLS, access_logs={"bucket": "mine", "prefix": "p"})
    assert named.of("s3.Bucket") == {}
    assert named.inputs("lb.LoadBalancer")["accessLogs"] == {"enabled": True, "bucket": "mine", "prefix": "p"}


def test_logs_that_are_asked_for_are_on_before_a_listener_comes_that_writes_any() -> None:
    named = place(TCP, access_logs={"bucket": "mine", "prefix": "p"})
    assert named.inputs("lb.LoadBalancer")["accessLogs"] == {"enabled": True, "bucket": "mine", "prefix": "p"}


def test_addresses_may_be_kept() -> None:
    addresses = {"a": {"subnet_id": "subnet-1", "allocation_id": "eip-1"}}
    inputs = place(subnets=None, addresses=addresses, internal=False).inputs("lb.LoadBalancer")
    assert inputs["subnetMappings"] == [{"subnetId": "subnet-1", "allocationId": "eip-1"}]
    assert "subnets" not in inputs


def test_targets_see_the_client_as_asked_for() -> None:
    group = {**GROUPS["lines"], "preserve_client_ip": False, "proxy_protocol_v2": True, "connection_termination": True}
    inputs = place(target_groups={"lines": group}).inputs("lb.TargetGroup")
    assert inputs["preserveClientIp"] == "false"
    assert (inputs["proxyProtocolV2"], inputs["connectionTermination"]) == (True, True)
    assert "preserveClientIp" not in place().of("lb.TargetGroup")["lb-lines"].inputs


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no listener": (lambda: args(listeners={}), "`listeners` is missing"),
    "neither subnets nor addresses": (lambda: args(subnets=None), "one of them"),
    "both subnets and addresses": (lambda: args(addresses={"a": {"subnet_id": "s"}}), "one of them"),
    "TLS without a certificate": (lambda: args({**TLS, "certificate_arn": None}), "needs a `certificate_arn`"),
    "a certificate on TCP": (lambda: args({**TCP, "certificate_arn": CERTIFICATE}), "for TLS listeners"),
    "a policy on TCP": (lambda: args({**TCP, "ssl_policy": "x"}), "for TLS listeners"),
    "a protocol that it does not speak": (lambda: args({**TCP, "protocol": "HTTP"}), "write TCP"),
    "a group that is not there": (lambda: args({**TCP, "target_group": "x"}), "no target group `x`"),
    "UDP behind TCP": (lambda: args({**TCP, "target_group": "names"}), "goes to a group of TCP"),
    "TCP behind UDP": (lambda: args({**UDP, "target_group": "lines"}), "goes to a group of UDP"),
    "UDP behind a group of the default": (
        lambda: args({**UDP, "target_group": "plain"}, target_groups={"plain": {"port": 5353}}),
        "goes to a group of UDP or TCP_UDP; `plain` is TCP",
    ),
    "a port twice": (lambda: args(TCP, {**TLS, "port": 9000}), "listens on tcp 9000 too"),
    "a port that is none": (lambda: args({**TCP, "port": 70000}), "1 to 65535"),
    "an idle timeout on UDP": (lambda: args({**UDP, "tcp_idle_timeout_seconds": 60}), "for TCP listeners"),
    "an idle timeout that is too short": (lambda: args({**TCP, "tcp_idle_timeout_seconds": 59}), "60 to 6000"),
    "26 further certificates": (lambda: args({**TLS, "certificate_arns": {str(n): "a" for n in range(26)}}), "limit is 25"),
    "a door without a listener": (lambda: args(ingress={"x": {"port": 22, "cidr_ipv4": "0.0.0.0/0"}}), "no listener is there"),
    "nobody who could reach it": (lambda: args(ingress=None), "nobody could reach it"),
    "an argument that is none": (lambda: args(nonsense=1), "nonsense"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_balancer_is_refused_with(name: str) -> None:
    given, said = REFUSED[name]
    assert said in problems(lambda: NetworkLoadBalancer("lb", given()))


def test_tcp_and_udp_may_share_a_port() -> None:
    assert len(place({**TCP, "port": 53}, UDP).of("lb.Listener")) == 2
