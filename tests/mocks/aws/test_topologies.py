"""The topologies as a program gets them: outputs, protection, tags, what is bound, and what is not known yet."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pytest

from aws_stacks import REPOSITORY
from edgewright.aws.compile import TOPOLOGIES, Topology
from edgewright.aws.placement import PRECIOUS, EdgeArgs
from edgewright.aws.topologies import topology_class
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.sdk_types import resource_class
from edgewright.spec.problems import SpecError
from mocks.aws.api_recording import SECRET, UNKNOWN, Recording, resolved
from mocks.aws.api_recording import record as recorded
from mocks.aws.components import OUTPUTS
from mocks.unknowns import unknown

SPECS = REPOSITORY / "tests" / "golden" / "aws"
NETWORK = {
    "vpc": "vpc-1",
    "cidr": "10.0.0.0/16",
    "public_subnets": ["subnet-1", "subnet-2"],
    "private_subnets": ["subnet-3", "subnet-4"],
}
BINDINGS: Mapping[str, Any] = {
    "region": "eu-west-1",
    "log_role": "existing",
    "network": NETWORK,
    "certificate": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
    "tags": {"team": "shop"},
}
MADE: list[tuple[str, Topology, Mapping[str, Any]]] = [
    ("slice", "balancer-first", {}),
    ("plain", "balancer-only", {}),
    ("keys", "gateway-first", {}),
    ("live", "gateway-first", {"websocket_host": "ws.shop.example"}),
    ("streams", "balancer-only", {}),
    ("watched", "balancer-first", {"notify": {"oncall": "arn:aws:sns:eu-west-1:123456789012:oncall"}}),
    ("watched", "gateway-first", {"notify": {"oncall": "arn:aws:sns:eu-west-1:123456789012:oncall"}}),
]


def record(make: Any, *, preview: bool = False) -> Recording:
    return recorded(make, preview=preview, outputs=OUTPUTS)


def bindings(topology: Topology, **more: Any) -> dict[str, Any]:
    addresses = {"endpoint_addresses": ["10.0.11.10", "10.0.12.10"]} if topology == "balancer-first" else {}
    return {**BINDINGS, "network": {**NETWORK, **addresses}, **more}


def make(
    name: str,
    topology: Topology,
    options: pulumi.ResourceOptions | None = None,
    *,
    overrides: Any = None,
    credentials: Any = None,
    **more: Any,
) -> Any:
    args: dict[str, Any] = {"spec": str(SPECS / f"{name}.edge.yaml"), "bindings": bindings(topology, **more)}
    args |= {"overrides": overrides} if overrides else {}
    args |= {"credentials": credentials} if credentials else {}
    return topology_class(topology)("it", cast(EdgeArgs, args), options)


# -- what comes out ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "topology", "more"), MADE)
def test_a_topology_gives_where_to_point_dns_and_clients(
    name: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    found: list[Any] = []

    def program() -> None:
        part = make(name, topology, **more)
        resolved(part.url, found)
        assert part.dns_name is not None

    record(program)
    assert found[0].startswith("https://") and found[0].endswith((".example", ".example/"))


def test_the_target_groups_are_given_by_backend_for_the_stacks_of_services() -> None:
    found: list[Any] = []

    def program() -> None:
        part = make("streams", "balancer-only")
        resolved(pulumi.Output.all(**part.target_groups), found)

    record(program)
    assert found == [
        {
            "pages": "arn:it-edge-pages",
            "broker-tcp": "arn:it-streams-broker-tcp",
            "names-udp": "arn:it-streams-names-udp",
        }
    ]


def test_the_addresses_of_websockets_are_given_by_route() -> None:
    found: list[Any] = []

    def program() -> None:
        resolved(pulumi.Output.all(**make("live", "gateway-first", websocket_host="ws.shop.example").urls), found)

    record(program)
    assert found == [{"WS /live": "wss://ws.shop.example/live", "WS /news": "wss://ws.shop.example/news"}]


def test_an_api_key_that_was_given_is_the_clients_and_a_secret() -> None:
    given = {"partner:acme": "a-key-of-twenty-characters"}
    made = record(lambda: make("keys", "gateway-first", credentials=given))
    values = {key.inputs.get("value") for key in made.of("apigateway.ApiKey").values()}
    assert values == {SECRET, None}
    assert "a-key-of-twenty-characters" not in repr(made)


# -- what holds for everything -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "topology", "more"), MADE)
def test_everything_stands_below_the_topology_and_has_its_tags(
    name: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    made = record(lambda: make(name, topology, **more))
    known = {item.urn: item.parent for item in made.resources}
    top = made.resources[0].urn
    for item in made.resources[1:]:
        at = item.urn
        while at != top:
            at = known[at]
    bare = [
        item.urn
        for item in made.custom
        if "tags" in vars(resource_class(item.type) or object) and item.inputs.get("tags", {}).get("team") != "shop"
    ]
    assert bare == []


@pytest.mark.parametrize(("name", "topology", "more"), MADE)
def test_production_protects_what_is_painful_to_replace_and_development_nothing(
    name: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    made = record(lambda: make(name, topology, profile="production", **more))
    assert {item.urn for item in made.custom if item.protect} == {
        item.urn for item in made.custom if item.type in PRECIOUS
    }
    assert any(item.protect for item in made.custom)
    assert not any(item.protect for item in record(lambda: make(name, topology, profile="development", **more)).custom)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_protection_that_the_caller_asks_for_reaches_everything(topology: Topology) -> None:
    made = record(lambda: make("streams", topology, pulumi.ResourceOptions(protect=True), profile="development"))
    assert [item.urn for item in made.custom if not item.protect] == []


@pytest.mark.parametrize(("name", "topology", "more"), MADE)
def test_bound_values_may_be_unknown_in_a_preview(name: str, topology: Topology, more: Mapping[str, Any]) -> None:
    def program(*, hidden: bool) -> Any:
        def value(text: str) -> Any:
            return unknown() if hidden else text

        network = bindings(topology)["network"]
        found = {
            **network,
            "vpc": value("vpc-1"),
            "public_subnets": [value(item) for item in network["public_subnets"]],
            "private_subnets": [value(item) for item in network["private_subnets"]],
        }
        return make(name, topology, network=found, certificate=value(BINDINGS["certificate"]), **more)

    known, hidden = record(lambda: program(hidden=False)), record(lambda: program(hidden=True), preview=True)
    assert sorted(item.urn for item in known.resources) == sorted(item.urn for item in hidden.resources)
    balancers = hidden.of("lb.LoadBalancer").values()
    assert balancers and all(item.inputs["subnets"] == [UNKNOWN, UNKNOWN] for item in balancers)


# -- what the stack says -----------------------------------------------------------------------------------------------


def test_the_role_for_logs_is_made_where_the_stack_says_so_and_stays_when_it_goes() -> None:
    assert record(lambda: make("keys", "gateway-first")).of("apigateway.Account") == {}
    made = record(lambda: make("keys", "gateway-first", log_role="create"))
    assert made.one("apigateway.Account").retain
    assert made.one("apigateway.Account").urn in made.one("apigateway.Stage").dependencies


def test_a_stack_that_does_not_say_who_sets_the_role_for_logs_is_refused() -> None:
    with pytest.raises(SpecError, match="log_role: create"):
        make("keys", "gateway-first", log_role=None)


@pytest.mark.parametrize(("name", "topology", "more"), MADE)
def test_every_log_group_is_kept_as_the_spec_says_and_encrypted_with_the_key_of_the_stack(
    name: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    def told(**bound: Any) -> set[tuple[Any, Any]]:
        given: dict[str, Any] = {**more, "network": {"create": {"cidr": "10.0.0.0/16"}}, **bound}
        groups = record(lambda: make(name, topology, **given)).of("cloudwatch.LogGroup")
        return {(group.inputs["retentionInDays"], group.inputs.get("kmsKeyId")) for group in groups.values()}

    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    assert told(kms_key=key) == {(30, key)}
    assert told() == {(30, None)}


def test_services_that_speak_tls_here_are_targets_at_their_port() -> None:
    bound = {"app": {"ips": ["10.0.1.10"], "protocol": "https", "port": 8443}}
    made = record(lambda: make("plain", "balancer-only", backends=bound))
    (target,) = made.of("lb.TargetGroupAttachment").values()
    assert (target.inputs["targetId"], target.inputs["port"]) == ("10.0.1.10", 8443)


def test_an_override_reaches_the_raw_resource_of_a_part() -> None:
    change = {"services": {"load_balancer": {"idle_timeout": 300}}}
    made = record(lambda: make("keys", "gateway-first", overrides=change))
    assert made.inputs("lb.LoadBalancer")["idleTimeout"] == 300


def test_an_override_of_no_part_is_refused_with_the_parts_that_there_are() -> None:
    def program() -> None:
        with pytest.raises(ValueError, match="services") as error:
            make("keys", "gateway-first", overrides={"nonsense": {}})
        assert not isinstance(error.value, ArgumentsError)

    record(program)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_edge_of_streams_alone_needs_no_web_parts(topology: Topology) -> None:
    spec = {
        "name": "raw",
        "listener": {"port": 9000, "protocol": "tcp", "backend": "lines", "host": "raw.shop.example"},
        "backends": {"lines": {"port": 9001, "protocol": "tcp"}},
    }
    found: list[Any] = []

    def program() -> None:
        dns = {"zone": "shop.example", "zone_id": "Z1"}
        args = {"spec": spec, "bindings": bindings(topology, certificate=None, dns=dns)}
        resolved(topology_class(topology)("it", cast(EdgeArgs, args)).url, found)

    made = record(program)
    assert [item.inputs["loadBalancerType"] for item in made.of("lb.LoadBalancer").values()] == ["network"]
    assert made.inputs("route53.Record")["name"] == "raw.shop.example"
    assert found == ["tcp://raw.shop.example:9000"]
