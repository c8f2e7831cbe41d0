"""Nobody gets to services, gateways or the cache but by what stands before them; and the graph that says so would see it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from azure_graph import INTERNET, PROBES, End, Flow, Graph, GraphError, ways_round
from azure_stacks import REPOSITORY, STACKS, planned
from edgewright.azure.topology import Topology
from edgewright.plan.model import Resource
from edgewright.stack import values
from mocks.azure.topologies import KUBERNETES, made

CONNECTION = {"front_door": {"connection": "d7017edf-8819-4f84-a113-8c851cfe7805"}}
KINDS: list[tuple[str, Topology, Mapping[str, Any]]] = [
    ("gateway-first", "gateway-first", {}),
    ("gateway-first on a classic tier", "gateway-first", {"tier": "Premium"}),
    ("balancer-first on machines", "balancer-first", {}),
    ("balancer-first on kubernetes", "balancer-first", {"gateways": KUBERNETES}),
    ("appgw-waf", "appgw-waf", {}),
    ("front-door, phase 1", "front-door", {}),
    ("front-door, phase 2", "front-door", CONNECTION),
]
SPECS = ("slice", "everything", "streams")
WAYS = [(spec, *kind) for spec in SPECS for kind in KINDS]
IDS = [f"{spec} {name}" for spec, name, *_ in WAYS]


def graph(spec: str, topology: Topology, **more: Any) -> Graph:
    return Graph(made(spec, topology, **more).resources)


# -- the law -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "_name", "topology", "more"), WAYS, ids=IDS)
def test_there_is_no_way_round(spec: str, _name: str, topology: Topology, more: Mapping[str, Any]) -> None:
    """The internet, services of Azure, all subnets and other places in the network, on every port at which a rule
    begins or ends: who gets to services, gateways or the cache is who has to."""
    assert ways_round(graph(spec, topology, **more), topology) == []


@pytest.mark.parametrize(("spec", "_name", "topology", "more"), WAYS, ids=IDS)
def test_every_port_that_is_open_is_needed_and_every_need_is_let_through(
    spec: str, _name: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    found = graph(spec, topology, **more)
    assert found.needs()
    assert found.unused() == []


@pytest.mark.parametrize("stack", STACKS)
def test_so_it_is_for_the_stacks_of_this_repository(stack: str) -> None:
    settings = values(REPOSITORY / "stacks" / f"Pulumi.{stack}.yaml")
    found = Graph(planned(stack).resources)
    assert ways_round(found, str(settings["topology"]).partition("/")[2]) == []
    assert found.unused() == []


# -- the same in words -------------------------------------------------------------------------------------------------


def by_port(found: Graph, subnet: str) -> dict[str, list[str]]:
    """Who gets into a subnet, by protocol and port as text."""
    opened = found.open_to(subnet)
    return {source: sorted(f"{protocol} {port}" for protocol, port in ways) for source, ways in opened.items()}


@pytest.mark.parametrize(("_name", "topology", "more"), KINDS, ids=[name for name, *_ in KINDS])
def test_services_are_reached_by_their_gateways_and_by_probes(
    _name: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    found = graph("slice", topology, backends={"orders": {"pool": True}, "orders-next": {"pool": True}}, **more)
    assert by_port(found, "services") == {"gateway": ["Tcp 8080"], "probes": ["Tcp 8080"]}


@pytest.mark.parametrize(("_name", "topology", "more"), KINDS, ids=[name for name, *_ in KINDS])
def test_streams_open_the_ports_of_their_machines_and_no_others(
    _name: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    found = by_port(graph("streams", topology, **more), "services")
    assert found["the internet"] == ["Tcp 1884", "Tcp 8884", "Udp 5001"]
    if "gateways" not in more:
        assert found["gateway"] == ["Tcp 8080"]
    assert "elsewhere in the network" not in found


def test_gateways_on_machines_are_reached_on_8081_and_by_probes_alone() -> None:
    found = by_port(graph("slice", "balancer-first"), "gateway")
    public = {source: ways for source, ways in found.items() if source not in ("probes", "gateway")}
    assert {str(ways) for ways in public.values()} == {"['Tcp 8081']"}
    assert found["probes"] == ["Tcp 8080"]
    assert found["gateway"] == ["Udp 4290", "Udp 4291"]
    assert {"services", "endpoints", "elsewhere in the network"}.isdisjoint(found)


def test_the_application_gateway_alone_reaches_api_management() -> None:
    found = by_port(graph("slice", "appgw-waf"), "gateway")
    assert [source for source, ways in found.items() if "Tcp 443" in ways] == ["front"]
    assert "the internet" not in found
    assert found["probes"] == ["Tcp 6390"]


def test_the_application_gateway_is_reached_by_clients_and_reaches_no_service() -> None:
    found = graph("slice", "appgw-waf")
    assert by_port(found, "front")["the internet"] == ["Tcp 443"]
    assert "front" not in by_port(found, "services")


@pytest.mark.parametrize("more", [{}, {"gateways": KUBERNETES}], ids=["machines", "kubernetes"])
def test_the_cache_is_reached_by_gateways_alone(more: Mapping[str, Any]) -> None:
    assert by_port(graph("slice", "balancer-first", **more), "endpoints") == {"gateway": ["Tcp 10000"]}


def test_the_subnet_of_a_v2_tier_lets_nobody_in() -> None:
    assert by_port(graph("slice", "gateway-first"), "gateway") == {}


def anything(_document: Any) -> bool:
    return True


@pytest.mark.parametrize("topology", ["balancer-first", "front-door"])
def test_each_api_closes_the_public_door_of_api_management_by_itself(topology: Topology) -> None:
    found = graph("everything", topology)
    assert len(found.policies) == 2  # one for requests, one for WebSockets
    assert all(len(documents) == 1 for documents in found.policies.values())
    assert len(found.narrower) == 2
    assert found.open_apis(anything) == []


def test_front_door_closes_the_public_door_in_its_second_phase() -> None:
    access = [graph("slice", "front-door", **more).service.inputs["publicNetworkAccess"] for more in ({}, CONNECTION)]
    assert access == ["Enabled", "Disabled"]


# -- that it would be seen ---------------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]


def changed(resources: tuple[Resource, ...], name: str, change: Change) -> Graph:
    """The graph with another input in the resource of a name, and no other."""
    (index,) = (at for at, item in enumerate(resources) if item.custom and item.name == name)
    inputs = copy.deepcopy(dict(resources[index].inputs))
    change(inputs)
    return Graph([*resources[:index], replace(resources[index], inputs=inputs), *resources[index + 1 :]])


def rule_of(inputs: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in inputs["securityRules"] if item["name"] == name)


def widened(name: str, **more: Any) -> Change:
    """A rule with other values."""

    def change(inputs: dict[str, Any]) -> None:
        rule = rule_of(inputs, name)
        for key in more:
            rule.pop(f"{key}s", None)
        rule.update(more)

    return change


def without(name: str) -> Change:
    return lambda inputs: inputs["securityRules"].remove(rule_of(inputs, name))


def before_all(**rule: Any) -> Change:
    """One more rule, asked first."""
    base = {
        "name": "added",
        "priority": 99,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
    }
    return lambda inputs: inputs["securityRules"].append({**base, **rule})


def text(old: str, new: str) -> Change:
    """A policy with another text."""

    def change(inputs: dict[str, Any]) -> None:
        assert old in inputs["value"]
        inputs["value"] = inputs["value"].replace(old, new, 1)

    return change


def given(**more: Any) -> Change:
    return lambda inputs: inputs.update(more)


def public_machines(inputs: dict[str, Any]) -> None:
    interface = inputs["virtualMachineProfile"]["networkProfile"]["networkInterfaceConfigurations"][0]
    interface["ipConfigurations"][0]["publicIPAddressConfiguration"] = {"name": "public"}


_CHOOSE = '<when condition="@(context.Deployment.Gateway.IsManaged)">'
_FORGED = {"sourceAddressPrefix": "*", "destinationPortRange": "8080"}

MUTATIONS: list[tuple[str, Topology, Mapping[str, Any], str, Change, str]] = [
    ("the services' rule for everybody", "gateway-first", {}, "it-network-services", widened("gateway-in", sourceAddressPrefix="*"), "the internet gets into services on Tcp 8080"),
    ("the services' rule for the network", "gateway-first", {}, "it-network-services", widened("gateway-in", sourceAddressPrefix="VirtualNetwork"), "elsewhere in the network gets into services"),
    ("probes' rule for all ports", "appgw-waf", {}, "it-network-services", widened("probes-in", destinationPortRange="*"), "probes gets into services"),
    ("no last rule", "gateway-first", {}, "it-network-services", without("nothing-else-in"), "elsewhere in the network gets into services"),
    ("a rule before all others", "appgw-waf", {}, "it-network-services", before_all(**_FORGED), "the internet gets into services on Tcp 8080"),
    ("a range larger than the gateway's subnet", "balancer-first", {}, "it-network-services", widened("gateway-in", sourceAddressPrefix="10.9.0.0/22"), "services gets into services"),
    ("SSH to machines", "balancer-first", {}, "it-network-gateway", widened("clients-in", destinationPortRange="22"), "the internet gets into gateway on Tcp 22"),
    ("the status path of machines", "balancer-first", {}, "it-network-gateway", widened("probes-in", sourceAddressPrefix="Internet"), "the internet gets into gateway on Tcp 8080"),
    ("everything of a protocol", "balancer-first", {}, "it-network-gateway", widened("clients-in", protocol="*"), "the internet gets into gateway on Udp 8081"),
    ("machines with public addresses", "balancer-first", {}, "it-machines", public_machines, "has the public address gateway"),
    ("clients to the cache", "balancer-first", {}, "it-network-endpoints", widened("gateway-in", sourceAddressPrefix="Internet"), "the internet gets into endpoints on Tcp 10000"),
    ("services to the cache", "balancer-first", {}, "it-network-endpoints", widened("gateway-in", sourceAddressPrefix="10.9.0.0/23"), "services gets into endpoints on Tcp 10000"),
    ("a cache with a public address", "balancer-first", {}, "it-redis-cluster", given(publicNetworkAccess="Enabled"), "it-redis-cluster is reached from the internet"),
    ("a policy that lets managed gateways answer", "balancer-first", {}, "it-api-policy", text(_CHOOSE, '<when condition="@(false)">'), "the managed gateway lets in"),
    ("a closing that answers 200", "balancer-first", {}, "it-api-policy", text('<set-status code="403"', '<set-status code="200"'), "the managed gateway lets in"),
    ("an answer before the closing", "balancer-first", {}, "it-api-policy", text("<inbound>", '<inbound><cache-lookup vary-by-developer="false" vary-by-developer-groups="false" />'), "the managed gateway lets in"),
    ("a service with an address outside", "appgw-waf", {}, "it-service-service", given(virtualNetworkType="External"), "an address outside of the network"),
    ("the service for the whole network", "appgw-waf", {}, "it-network-gateway", widened("front-in", sourceAddressPrefix="VirtualNetwork"), "services gets into gateway on Tcp 443"),
    ("the service for the internet", "appgw-waf", {}, "it-network-gateway", widened("front-in", sourceAddressPrefix="Internet"), "the internet gets into gateway on Tcp 443"),
    ("a check of Front Door that answers 200", "front-door", {}, "it-api-policy", text('failed-check-httpcode="403"', 'failed-check-httpcode="200"'), "past Front Door is let in"),
    ("a check of another header", "front-door", {}, "it-api-policy", text("X-Azure-FDID", "X-Azure-Ref"), "past Front Door is let in"),
    ("a check of an id that is written down", "front-door", {}, "it-api-policy", text("{{slice-front-door}}", "11111111-1111-1111-1111-111111111111"), "past Front Door is let in"),
    ("an id of another Front Door", "front-door", {}, "it-slice-front-door-value", given(value="of another"), "past Front Door is let in"),
    ("the public door again in phase 2", "front-door", CONNECTION, "it-api-policy", text("X-Azure-FDID", "X-Azure-Ref"), ""),
    ("a port of a machine", "gateway-first", {}, "it-services-balancer", lambda inputs: inputs["inboundNatRules"].append({"name": "ssh"}), "leads to single machines"),
    ("an API server for everybody", "balancer-first", {"gateways": KUBERNETES}, "it-cluster-cluster", lambda inputs: inputs["apiServerAccessProfile"].pop("authorizedIPRanges"), "is open to everybody"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("_what", "topology", "more", "name", "change", "seen"), MUTATIONS, ids=[what for what, *_ in MUTATIONS]
)
def test_a_way_round_would_be_seen(
    _what: str, topology: Topology, more: Mapping[str, Any], name: str, change: Change, seen: str
) -> None:
    found = ways_round(changed(made("slice", topology, **more).resources, name, change), topology)
    if seen:
        assert any(seen in one for one in found), found
    else:
        assert found == []  # the door is shut: nothing needs the policy


def test_a_handshake_that_lets_managed_gateways_in_would_be_seen() -> None:
    resources = made("everything", "balancer-first").resources
    (name,) = (item.name for item in resources if item.inputs.get("operationId") == "onHandshake")
    found = ways_round(changed(resources, name, text(_CHOOSE, '<when condition="@(false)">')), "balancer-first")
    assert found == ["apimanagement.Api it-everything-ws-live-api: the managed gateway lets in"]


def test_an_operation_that_leaves_the_policy_of_its_api_out_would_be_seen() -> None:
    resources = made("everything", "balancer-first").resources
    found = ways_round(changed(resources, "it-api-get-items", text("<base />", "")), "balancer-first")
    assert found == [
        "apimanagement.ApiOperationPolicy it-api-get-items begins without that of its API: the managed gateway lets in"
    ]


def test_a_public_address_that_nothing_has_would_be_seen() -> None:
    resources = made("slice", "gateway-first").resources
    address = next(item for item in resources if item.type.endswith(":PublicIPAddress"))
    more = Graph([*resources, replace(address, name="forgotten", urn=f"{address.urn}-2")])
    assert ways_round(more, "gateway-first") == [
        "network.PublicIPAddress forgotten is of nothing that stands before the edge"
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (before_all(sourceAddressPrefix="10.9.2.0/24", destinationPortRange="9999"), "it-network-services/added is needed by nothing"),
        (widened("gateway-in", destinationPortRange="8080-8090"), "it-network-services/gateway-in lets 8080-8090 through, and nothing needs 8090"),
        (widened("probes-in", destinationPortRange="*"), "it-network-services/probes-in lets 0-65535 through, and nothing needs"),
        (without("gateway-in"), "/nothing-else-in stops gateway to services Tcp 8080: the backend orders"),
        (without("probes-in"), "/nothing-else-in stops probes to services Tcp 8080: the probe of orders"),
    ],
    ids=["nobody needs it", "more ports", "all ports", "backends", "probes"],
)  # fmt: skip
def test_a_rule_too_many_or_too_few_would_be_seen(change: Change, said: str) -> None:
    found = changed(made("slice", "gateway-first").resources, "it-network-services", change).unused()
    assert any(said in one for one in found), found


# -- that rules are read as Azure reads them ---------------------------------------------------------------------------


def asked(change: Change, source: End, port: int) -> bool:
    """Whether a connection to services passes."""
    found = changed(made("slice", "gateway-first").resources, "it-network-services", change)
    return found.passes(Flow(source, found.subnets["services"].end(), port, "Tcp", ""))


def test_of_two_rules_that_fit_the_lower_number_decides() -> None:
    deny = {"access": "Deny", "sourceAddressPrefix": "AzureLoadBalancer", "destinationPortRange": "8080"}
    assert asked(before_all(**deny, priority=4000), PROBES, 8080)
    assert not asked(before_all(**deny), PROBES, 8080)


def test_azures_own_rules_come_last() -> None:
    inside = End("elsewhere", "10.9.200.1", frozenset({"VirtualNetwork"}))
    assert asked(without("nothing-else-in"), inside, 22)
    assert asked(without("nothing-else-in"), PROBES, 22)
    assert not asked(without("nothing-else-in"), INTERNET, 22)
    assert not asked(given(), inside, 22)


def test_both_ends_have_to_let_it_through() -> None:
    resources = made("slice", "gateway-first").resources
    flow = (Graph(resources).subnets["gateway"].end(), Graph(resources).subnets["services"].end(), 8080, "Tcp", "")
    assert Graph(resources).passes(Flow(*flow))
    assert not changed(resources, "it-network-gateway", without("services-out")).passes(Flow(*flow))
    assert not changed(resources, "it-network-services", without("gateway-in")).passes(Flow(*flow))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (before_all(sourceAddressPrefix="*", destinationPortRange="1", priority=1000), "two rules have one priority"),
        (before_all(sourceAddressPrefix="*", destinationPortRange="1", sourcePortRange="53"), "ports of the source"),
        (before_all(destinationPortRange="1"), "neither sourceAddressPrefix nor sourceAddressPrefixes"),
    ],
    ids=["priority", "ports of the source", "no source"],
)
def test_what_azure_would_refuse_or_nothing_here_reads_stops_it(change: Change, said: str) -> None:
    found = changed(made("slice", "gateway-first").resources, "it-network-services", change)
    with pytest.raises(GraphError, match=said):
        ways_round(found, "gateway-first")
