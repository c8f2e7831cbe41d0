"""What cannot be on Azure is refused by one clear error before anything is registered, with what to write instead."""

from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.azure.compile import compile_edge
from edgewright.azure.topology import TOPOLOGIES, Topology
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/"
VAULT = "https://v-1.vault.azure.net"
IDENTITY = {"id": "/subscriptions/s/identity", "client_id": "c"}
GATEWAYS: dict[str, Any] = {
    "image_tag": "2.13.0",
    "kubernetes": {"create": {"api_server_ranges": ["203.0.113.0/24"]}},
}


def spec(**more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /a": {"backend": "orders", "auth": "none"}},
        **more,
    }


def refused(data: Mapping[str, Any], bindings: Mapping[str, Any], topology: Topology) -> list[str]:
    with pytest.raises(SpecError) as error:
        compile_edge(resolve(from_data(data)), bindings, topology, placeholders=True)
    return str(error.value).splitlines()


def cached() -> dict[str, Any]:
    return spec(routes={"GET /a": {"backend": "orders", "auth": "none", "cache": {"ttl": "10s"}}})


def opaque() -> dict[str, Any]:
    return spec(
        authorizers={"tokens": {"introspection": {"endpoint": "https://a.example/i", "client": "edge"}}},
        routes={"GET /a": {"backend": "orders", "auth": "tokens"}},
    )


def existing(**subnets: Any) -> dict[str, Any]:
    return {"network": {"gateway_subnet": f"{SUBNET}a", "services_subnet": f"{SUBNET}b", **subnets}}


URL = {"backends": {"orders": {"url": "https://orders.example"}}, "profile": "development"}

CASES: list[tuple[str, Topology, dict[str, Any], dict[str, Any], tuple[str, ...]]] = [
    (
        "a subnet too small",
        "gateway-first",
        spec(),
        {"tier": "StandardV2", **existing(gateway_subnet={"id": f"{SUBNET}a", "cidr": "10.0.0.0/28"})},
        ("gateway_subnet", "/27"),
    ),
    (
        "a subnet delegated wrongly",
        "gateway-first",
        spec(),
        {
            "tier": "StandardV2",
            **existing(
                gateway_subnet={"id": f"{SUBNET}a", "cidr": "10.0.0.0/24", "delegation": "Microsoft.Sql/servers"}
            ),
        },
        ("gateway_subnet", "Microsoft.Web/serverFarms"),
    ),
    (
        "a subnet delegated to nobody where a tier needs it to be",
        "gateway-first",
        spec(),
        {"tier": "StandardV2", **existing(gateway_subnet={"id": f"{SUBNET}a", "delegation": "none"})},
        ("gateway_subnet", "delegated to nobody"),
    ),
    (
        "a delegated subnet for a classic tier",
        "gateway-first",
        spec(),
        {
            "tier": "Premium",
            **existing(gateway_subnet={"id": f"{SUBNET}a", "delegation": "Microsoft.Web/serverFarms"}),
        },
        ("gateway_subnet", "delegat"),
    ),
    (
        "zones in a region without any",
        "gateway-first",
        spec(),
        {"location": "westus", "zones": ["1", "2"]},
        ("zones", "westus has no zones"),
    ),
    (
        "Consumption with a cache",
        "gateway-first",
        cached(),
        {"tier": "Consumption", **URL},
        ("the tier Consumption has no cache of its own", "Developer is the cheapest"),
    ),
    (
        "a certificate that is none of Key Vault's secrets",
        "gateway-first",
        spec(),
        {"certificate": f"{VAULT}/certificates/api"},
        ("certificate", "takes a certificate, too, as a secret"),
    ),
    (
        "a credential in Key Vault of a client that nobody asks with",
        "gateway-first",
        opaque(),
        {"credentials": {"tokens:egde": f"{VAULT}/secrets/edge"}, "certificate_identity": IDENTITY},
        ("credentials.tokens:egde", "no client of an introspection", "there is `tokens:edge`"),
    ),
    (
        "a credential in Key Vault that nobody may read",
        "gateway-first",
        opaque(),
        {"credentials": {"tokens:edge": f"{VAULT}/secrets/edge"}},
        ("certificate_identity", "read `credentials` in Key Vault", "Key Vault Secrets User"),
    ),
    (
        "a credential that is no secret of Key Vault",
        "gateway-first",
        opaque(),
        {"credentials": {"tokens:edge": "hunter2"}, "certificate_identity": IDENTITY},
        ("credentials.tokens:edge", "the id of a secret"),
    ),
    (
        "a certificate of one version",
        "gateway-first",
        spec(),
        {"certificate": f"{VAULT}/secrets/api/{'0' * 32}"},
        ("certificate", "name no version"),
    ),
    (
        "a tier that the provider does not know",
        "gateway-first",
        spec(),
        {"tier": "PremiumV2"},
        ("tier", "does not know the tier `PremiumV2`"),
    ),
    (
        "a Load Balancer before managed API Management",
        "balancer-first",
        spec(),
        {"gateways": {"managed": True}},
        ("cannot stand before managed API Management", "azure/balancer-first", "azure/appgw-waf"),
    ),
    (
        "gateways in two places",
        "balancer-first",
        spec(),
        {"gateways": {**GATEWAYS, "scale_set": None, "kubernetes": None}},
        ("gateways", "a scale set or on Kubernetes, one of them"),
    ),
    (
        "gateways without a version",
        "balancer-first",
        spec(),
        {"gateways": {"kubernetes": GATEWAYS["kubernetes"]}},
        ("gateways.image_tag", "2.13.0"),
    ),
    (
        "self-hosted gateways of a tier that has none",
        "balancer-first",
        spec(),
        {"tier": "Standard"},
        ("the tier Standard has no self-hosted gateways", "Premium is the cheapest"),
    ),
    (
        "a balancer without a certificate's name",
        "balancer-first",
        spec(listener={}),
        {},
        ("Listener.(without a host)", "`host`, with a certificate in Key Vault"),
    ),
    (
        "gateways where API Management has its own",
        "gateway-first",
        spec(),
        {"gateways": GATEWAYS},
        ("gateways", "choose azure/balancer-first"),
    ),
    (
        "a Service of a cluster without a cluster",
        "gateway-first",
        spec(),
        {"backends": {"orders": {"service": "orders"}}},
        ("backends.orders.service", "the gateways are not in one"),
    ),
    (
        "an inside tier for an Application Gateway",
        "appgw-waf",
        spec(),
        {"tier": "StandardV2"},
        ("has no place in a network where only the network reaches it", "Premium is the cheapest"),
    ),
    (
        "a Front Door and a classic tier before machines",
        "front-door",
        spec(),
        {"tier": "Premium"},
        ("private endpoint beside a way to backends", "StandardV2 is the cheapest"),
    ),
    (
        "a Front Door where it has no private endpoints",
        "front-door",
        spec(),
        {"location": "switzerlandnorth"},
        ("front_door.link_location", "no private endpoints in `switzerlandnorth`"),
    ),
    (
        "address lists before streams",
        "gateway-first",
        spec(
            listener=None,
            listeners={"web": {"host": "api.shop.example"}, "queue": {"protocol": "tcp", "port": 5672, "backend": "q"}},
            backends={"orders": {"port": 8080}, "q": {"port": 5672, "protocol": "tcp"}},
            waf={"managed": [], "deny": ["192.0.2.0/24"]},
        ),
        {},
        ("Waf.(address lists before streams)",),
    ),
    (
        "TLS that would end at a Load Balancer",
        "gateway-first",
        spec(
            listener=None,
            listeners={"web": {"host": "api.shop.example"}, "queue": {"protocol": "tls", "port": 8883, "backend": "q"}},
            backends={"orders": {"port": 8080}, "q": {"port": 5672, "protocol": "tcp"}},
        ),
        {},
        ("Listener.(tls that ends at the edge)", "passthrough"),
    ),
    (
        "nobody whom Azure can tell",
        "gateway-first",
        spec(monitor={"error_rate": 1, "notify": ["oncall"]}),
        {"notify": {"oncall": "+41 79 000 00 00"}},
        ("notify.oncall", "an email address, an https webhook"),
    ),
]


@pytest.mark.parametrize(
    ("topology", "data", "bindings", "said"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_cannot_be_is_refused_with_what_to_write(
    topology: Topology, data: dict[str, Any], bindings: dict[str, Any], said: tuple[str, ...]
) -> None:
    data = {key: value for key, value in data.items() if value is not None}
    lines = refused(data, bindings, topology)
    assert len(lines) == 1, lines
    for text in said:
        assert text in lines[0]


def test_3001_operations_are_too_many_for_developer() -> None:
    routes = {f"GET /r{number}": {"backend": "orders", "auth": "none"} for number in range(3_001)}
    lines = refused(spec(routes=routes), {"tier": "Developer", "profile": "development"}, "gateway-first")
    assert len(lines) == 1
    assert "3,001 operations; the tier Developer has 3,000 at most" in lines[0]


def test_a_policy_that_is_too_large_even_in_fragments_is_refused_with_its_size() -> None:
    deny = [f"10.{number // 250}.{number % 250}.1/32" for number in range(9_000)]
    lines = refused(spec(waf={"managed": [], "deny": deny}), {}, "gateway-first")
    assert len(lines) == 1
    assert "the API's policy would have" in lines[0]
    assert "takes 262,144" in lines[0]


def test_all_that_is_wrong_is_said_at_once() -> None:
    bindings = {"tier": "Gold", "zones": ["1"], "location": "westus", "backends": {"order": {"url": "x"}}}
    lines = refused(spec(), bindings, "gateway-first")
    assert len(lines) == 4


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_what_a_topology_needs_bound_is_listed_and_stood_in_for(topology: Topology) -> None:
    from edgewright.azure.bindings import read_bindings

    edge = resolve(from_data(spec(monitor={"error_rate": 1, "notify": ["oncall"]})))
    found = read_bindings({}, edge, topology, placeholders=True)
    with pytest.raises(SpecError) as error:
        read_bindings({}, edge, topology)
    assert len(found.missing) == len(error.value.problems)
    assert {"resource_group", "notify.oncall"} <= {name for name, _ in found.missing}
    assert ("gateways" in dict(found.missing)) == (topology == "balancer-first")
    assert ("certificate" in dict(found.missing)) == (topology != "front-door")


def test_a_front_door_says_in_which_phase_it_is_and_what_comes_next() -> None:
    edge = resolve(from_data(spec()))
    first = compile_edge(edge, {}, "front-door", placeholders=True).decisions[-1]
    second = compile_edge(edge, {"front_door": {"connection": "shop.1"}}, "front-door", placeholders=True).decisions[-1]
    assert first.startswith("phase 1 of 2")
    assert "`front_door: {connection: NAME}`" in first
    assert second.startswith("phase 2 of 2")
    assert "`shop.1`" in second


def test_one_node_of_developer_behind_a_balancer_is_called_out() -> None:
    edge = resolve(from_data(spec()))
    bindings = {"tier": "Developer", "profile": "development"}
    assert any(
        "nothing to balance" in item
        for item in compile_edge(edge, bindings, "balancer-first", placeholders=True).decisions
    )
    assert not any(
        "nothing to balance" in item for item in compile_edge(edge, {}, "balancer-first", placeholders=True).decisions
    )
