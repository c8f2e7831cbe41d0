"""The topologies as a program gets them: outputs, protection, tags, what is bound, and what is not known yet."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest

import arm_bodies
from azure_stacks import BOUND, ZERO
from edgewright.azure.compile import compile_edge
from edgewright.azure.placement import PRECIOUS
from edgewright.azure.planned import plan
from edgewright.azure.tiers import BY_NAME
from edgewright.azure.topologies import topology_class
from edgewright.azure.topology import TOPOLOGIES, Topology
from edgewright.edge.resolve import resolve
from edgewright.plan.recorder import Recording
from edgewright.plan.sdk_types import resource_class, validate
from edgewright.plan.tokens import SECRET
from edgewright.spec.document import from_data, load
from edgewright.spec.problems import SpecError
from edgewright.stack import StackError, from_values
from mocks.azure.components import record
from mocks.azure.topologies import (
    GROUP,
    KUBERNETES,
    SCALE_SET,
    SECRETS,
    SUBNETS,
    bindings,
    file_of,
    made,
    make,
    of,
    outputs,
)
from mocks.unknowns import unknown

MADE: list[tuple[str, Topology, Mapping[str, Any]]] = [
    ("slice", "gateway-first", {}),
    ("everything", "gateway-first", {"tier": "Premium", "private_dns": {"zone": "internal.shop.example"}}),
    ("introspection", "gateway-first", {}),
    ("slice", "balancer-first", {}),
    ("introspection", "balancer-first", {"gateways": KUBERNETES}),
    ("streams", "balancer-first", {}),
    ("slice", "appgw-waf", {}),
    ("everything", "appgw-waf", {"workspace": f"{GROUP}/workspace"}),
    ("slice", "front-door", {}),
    ("streams", "front-door", {"front_door": {"connection": "d7017edf-8819-4f84-a113-8c851cfe7805"}}),
]
IDS = [f"{spec} {topology}{' ' if more else ''}{', '.join(more)}" for spec, topology, more in MADE]
DNS = {"zone": "slice.example", "resource_group": "dns"}
BOUND_MORE: Mapping[str, Any] = {
    "dns": DNS,
    "private_dns": {"zone": "internal.shop.example"},
    "zones": ["1", "2"],
}

# Types whose argument of that name is no map of tags.
_TAKES_NO_TAGS = {"azure-native:apimanagement:NamedValue"}


def parts_of(topology: Topology) -> tuple[str, ...]:
    return importlib.import_module(topology_class(topology).__module__).PARTS


def small(**more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        **({} if "listeners" in more else {"listener": {"host": "api.shop.example"}}),
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /a": {"backend": "orders", "auth": "none"}},
        **more,
    }


def refusal(spec: str | Mapping[str, Any], topology: Topology, **more: Any) -> str:
    """What is said of a stack that cannot be; it must be said before anything is registered."""
    said: list[str] = []

    def program() -> None:
        with pytest.raises(SpecError) as error:
            make(spec, topology, **more)
        said.append(str(error.value))

    assert record(program).resources == ()
    return said[0]


# -- what comes out ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "topology", "more"), MADE, ids=IDS)
def test_what_a_topology_makes_is_what_the_sdk_takes_and_azure_would_read(
    spec: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    stack = made(spec, topology, **more)
    assert validate(stack.resources) == []
    assert arm_bodies.problems(stack.resources) == []


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_topology_gives_where_to_point_dns_and_clients(topology: Topology) -> None:
    url, name = outputs(lambda: make("slice", topology), "url", "dns_name")
    assert url == "https://api.slice.example"
    assert {
        "gateway-first": "${apimanagement.ApiManagementService it-service-service.name}.azure-api.net",
        "balancer-first": "${network.PublicIPAddress it-public-edge.ipAddress}",
        "appgw-waf": "${network.PublicIPAddress it-firewall-front.ipAddress}",
        "front-door": "${cdn.AFDEndpoint it-front-door-endpoint.hostName}",
    }[topology] == name


def test_the_address_of_gateways_in_a_cluster_outlives_the_cluster() -> None:
    stack = made("slice", "balancer-first", gateways=KUBERNETES)
    (address,) = of(stack, "network:PublicIPAddress").keys() - {"it-network-nat"}
    (name,) = outputs(lambda: make("slice", "balancer-first", gateways=KUBERNETES), "dns_name")
    assert address == "it-address"
    assert name == "${network.PublicIPAddress it-address.ipAddress}"


def test_the_public_balancer_alone_says_that_it_is_meant_to_be_public() -> None:
    found = of(made("streams", "balancer-first"), "network:LoadBalancer")
    assert found["it-public-balancer"]["tags"]["exposure"] == "clients of streams"
    assert "exposure" not in found["it-services-balancer"]["tags"]
    own = made("streams", "balancer-first", tags={"exposure": "partners"})
    assert of(own, "network:LoadBalancer")["it-public-balancer"]["tags"]["exposure"] == "partners"


def test_what_the_address_of_a_cluster_logs_may_be_overridden() -> None:
    given = {"address": {"diagnostics": {"logs": []}}}
    stack = record(lambda: make("slice", "balancer-first", gateways=KUBERNETES, overrides=given))
    found = of(stack, "monitor:DiagnosticSetting")
    assert [name for name, item in found.items() if item["logs"] == []] == ["it-address-logs"]


def test_balancers_and_networks_of_streams_alone_log_though_nobody_asks_for_alarms() -> None:
    stack = record(lambda: make(RAW_STREAM, "gateway-first"))
    assert len(of(stack, "operationalinsights:Workspace")) == 1
    logged = {item["resourceUri"] for item in of(stack, "monitor:DiagnosticSetting").values()}
    for kind in ("LoadBalancer", "PublicIPAddress", "NetworkSecurityGroup"):
        names = of(stack, f"network:{kind}")
        assert names
        assert {f"${{network.{kind} {name}.id}}" for name in names} <= logged


def test_a_tier_without_logs_has_none_and_its_balancer_of_streams_has() -> None:
    streams = small(
        listeners={
            "web": {"host": "api.shop.example"},
            "raw": {"port": 9000, "protocol": "tcp", "backend": "lines"},
        },
        backends={"orders": {"port": 8080}, "lines": {"port": 9001, "protocol": "tcp"}},
        routes={"GET /a": {"backend": "orders", "auth": "none", "listener": "web"}},
    )
    bound: dict[str, Any] = {
        "tier": "Consumption",
        "profile": "development",
        "backends": {"orders": {"url": "https://o.example"}},
    }
    found = of(record(lambda: make(streams, "gateway-first", **bound)), "monitor:DiagnosticSetting")
    assert "it-public-logs" in found
    assert "it-service-logs" not in found


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_pools_are_given_by_backend_for_machines_to_join(topology: Topology) -> None:
    def program() -> None:
        pulumi.export("pools", make("streams", topology).pools)

    found = record(program).outputs["pools"]
    own = {"gateways"} if topology == "balancer-first" else set[str]()
    assert set(found) == {"orders", "stream-broker", "stream-vault", "stream-game", *own}
    streams = "${network.LoadBalancer it-public-balancer.id}/backendAddressPools/stream-game"
    assert found["stream-game"] == streams
    assert found["orders"].startswith("${network.LoadBalancer it-services-balancer.id}/")


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_streams_have_the_public_balancer_with_their_ports_and_protocols(topology: Topology) -> None:
    stack = made("streams", topology)
    balancer = of(stack, "network:LoadBalancer")["it-public-balancer"]
    rules = {
        item["name"]: (item["protocol"], item["frontendPort"], item["backendPort"])
        for item in balancer["loadBalancingRules"]
    }
    assert {name: rules[name] for name in ("mqtt", "secure", "game")} == {
        "mqtt": ("Tcp", 1883, 1884),
        "secure": ("Tcp", 8883, 8884),
        "game": ("Udp", 5000, 5001),
    }
    assert ("web" in rules) == (topology == "balancer-first")


def test_the_address_of_streams_is_given_beside_the_gateway() -> None:
    (address,) = outputs(lambda: make("streams", "gateway-first"), "address")
    assert address == "${network.PublicIPAddress it-public-edge.ipAddress}"


def test_keys_of_clients_are_given_by_authorizer_and_client_as_secrets() -> None:
    given = {"partner:acme": "a-key-of-twenty-characters"}

    def program() -> None:
        pulumi.export("keys", make("everything", "gateway-first", credentials=given).keys)

    made = record(program)
    assert made.outputs["keys"] == {"partner:acme": SECRET, "partner:globex": SECRET}
    values = {item["sid"]: item.get("primaryKey") for item in of(made, "apimanagement:Subscription").values()}
    assert values == {"partner-clients-acme": SECRET, "partner-clients-globex": None}
    assert "a-key-of-twenty-characters" not in repr(made)


def test_front_door_tells_what_a_person_does_next() -> None:
    (first,) = outputs(lambda: make("slice", "front-door"), "next_step")
    (second,) = outputs(lambda: make("slice", "front-door", front_door={"connection": "c-1"}), "next_step")
    assert first.startswith("Phase 1")
    assert second.startswith("Phase 2")


# -- what holds for everything -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "topology", "more"), MADE, ids=IDS)
def test_everything_stands_below_the_topology_and_has_its_tags(
    spec: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    stack = made(spec, topology, **more)
    tops = [item.urn for item in stack.resources if item.parent is None]
    assert [item.type for item in stack.resources if item.parent is None] == [
        f"edgewright:azure:{topology_class(topology).__name__}"
    ]
    known = {item.urn: item.parent for item in stack.resources}
    for item in stack.resources:
        at = item.urn
        while at not in tops:
            at = str(known[at])
    bare = [
        item.short
        for item in stack.resources
        if item.custom and _takes_tags(item.type) and item.inputs.get("tags", {}).get("team") != "shop"
    ]
    assert bare == []


def _takes_tags(kind: str) -> bool:
    return kind not in _TAKES_NO_TAGS and "tags" in vars(resource_class(kind) or object)


@pytest.mark.parametrize(("spec", "topology", "more"), MADE[::2], ids=IDS[::2])
def test_production_protects_what_is_painful_to_replace_and_development_nothing(
    spec: str, topology: Topology, more: Mapping[str, Any]
) -> None:
    stack = made(spec, topology, **more)
    custom = [item for item in stack.resources if item.custom]
    protected = {item.urn for item in custom if item.protect}
    assert protected == {item.urn for item in custom if item.type in PRECIOUS}
    assert {item.type for item in custom if item.protect} >= {"azure-native:apimanagement:ApiManagementService"}
    relaxed = made(spec, topology, profile="development", **more)
    assert [item.urn for item in relaxed.resources if item.protect] == []


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_protection_that_the_caller_asks_for_reaches_everything(topology: Topology) -> None:
    options = pulumi.ResourceOptions(protect=True)
    stack = record(lambda: make("streams", topology, options, profile="development"))
    assert [item.urn for item in stack.resources if item.custom and not item.protect] == []


# -- what is not known yet ---------------------------------------------------------------------------------------------


def existing(topology: Topology, spec: str, value: Any) -> dict[str, Any]:
    """An existing network, as much of it as is used."""
    names = ["gateway_subnet", "services_subnet"]
    names += ["front_subnet"] if topology == "appgw-waf" else []
    keeps = any(route.cache is not None for route in resolve(load(file_of(spec))).routes)
    names += ["endpoints_subnet"] if topology == "balancer-first" and keeps else []
    return {name: value(f"{SUBNETS}/{name}") for name in names}


def everything_bound(topology: Topology, spec: str, value: Any) -> dict[str, Any]:
    """All that a stack may bind to a value of another resource."""
    found: dict[str, Any] = {
        "resource_group": value("edge"),
        "certificate": value("https://shop-certificates.vault.azure.net/secrets/edge"),
        "certificate_identity": {"id": value(f"{GROUP}/identity"), "client_id": value(ZERO)},
        "dns": {"zone": f"{spec}.example", "resource_group": value("dns")},
        "workspace": value(f"{GROUP}/workspace"),
        "network": existing(topology, spec, value),
        "private_dns": {"zone": "internal.shop.example"},
        "tags": {"team": value("shop")},
    }
    if topology == "balancer-first":
        app, certificate = SCALE_SET["scale_set"]["app"], SCALE_SET["scale_set"]["certificate"]
        found["gateways"] = {
            "image_tag": "2.13.0",
            "scale_set": {
                "app": {key: value(text) for key, text in app.items()},
                "certificate": {key: value(text) for key, text in certificate.items()},
                "ssh_public_key": value(SCALE_SET["scale_set"]["ssh_public_key"]),
            },
        }
        zone = f"{GROUP}/Microsoft.Network/privateDnsZones/privatelink.redis.azure.net"
        found["cache"] = {"private_dns_zone": value(zone)}
    return found


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_all_that_is_bound_may_be_unknown_in_a_preview(topology: Topology) -> None:
    def program(*, hidden: bool) -> None:
        def value(text: str) -> Any:
            return unknown() if hidden else text

        make("everything", topology, **everything_bound(topology, "everything", value))

    known = record(lambda: program(hidden=False))
    preview = record(lambda: program(hidden=True), preview=True)
    before, after = ({item.urn: set(item.inputs) for item in made.resources} for made in (known, preview))
    assert before == after


def test_so_it_is_for_gateways_in_a_cluster_that_is_there() -> None:
    def program(*, hidden: bool) -> None:
        def value(text: str) -> Any:
            return unknown() if hidden else text

        there = {"name": "edge", "resource_group": value("aks"), "oidc_issuer_url": value("https://oidc.example/t/")}
        gateways = {"image_tag": "2.13.0", "kubernetes": {"existing": there}}
        network = existing("balancer-first", "slice", value)
        make("slice", "balancer-first", gateways=gateways, network=network, resource_group=value("edge"))

    known = record(lambda: program(hidden=False))
    preview = record(lambda: program(hidden=True), preview=True)
    assert {item.urn for item in known.resources} == {item.urn for item in preview.resources}
    assert [item for item in known.resources if item.type.endswith(":ManagedCluster")] == []


@pytest.mark.parametrize("topology", ["gateway-first", "balancer-first"])
def test_credentials_may_be_unknown_in_a_preview(topology: Topology) -> None:
    def program(*, hidden: bool) -> None:
        given = {name: unknown() if hidden else text for name, text in SECRETS.items()}
        make("introspection", topology, credentials=given)

    known = record(lambda: program(hidden=False))
    preview = record(lambda: program(hidden=True), preview=True)
    assert {item.urn for item in known.resources} == {item.urn for item in preview.resources}


# -- networks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_existing_network_is_used_and_none_is_made(topology: Topology) -> None:
    stack = made("slice", topology, network=existing(topology, "slice", str))
    assert of(stack, "network:VirtualNetwork") == {}
    assert of(stack, "network:NetworkSecurityGroup") == {}
    used = {text for item in stack.resources if item.custom for text in _texts(item.inputs) if "/subnets/" in text}
    wanted = {"gateway_subnet", "services_subnet"}
    wanted |= {"front_subnet"} if topology == "appgw-waf" else set()
    wanted |= {"endpoints_subnet"} if topology == "balancer-first" else set()
    assert used == {f"{SUBNETS}/{name}" for name in wanted}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_subnets_may_be_described_so_that_they_can_be_checked(topology: Topology) -> None:
    delegated = {"gateway-first": "Microsoft.Web/serverFarms", "front-door": "Microsoft.Web/serverFarms"}

    def described(text: str) -> dict[str, str]:
        found = {"id": text, "cidr": "10.0.0.0/27"}
        return {**found, "delegation": delegated.get(topology, "none")} if text.endswith("gateway_subnet") else found

    network = existing(topology, "slice", described)
    stack = made("slice", topology, network=network)
    assert of(stack, "network:LoadBalancer")


REFUSED_SUBNETS: list[tuple[Topology, str, dict[str, Any], str]] = [
    ("gateway-first", "gateway_subnet", {"cidr": "10.0.0.0/28", "delegation": "Microsoft.Web/serverFarms"}, "too small for `integration`; it needs /27 or larger"),
    ("gateway-first", "gateway_subnet", {"cidr": "10.0.0.0/24", "delegation": "none"}, "it is delegated to nobody; for `integration` it should be delegated to Microsoft.Web/serverFarms"),
    ("gateway-first", "gateway_subnet", {"delegation": "Microsoft.Web/hostingEnvironments"}, "it is delegated to Microsoft.Web/hostingEnvironments"),
    ("gateway-first", "services_subnet", {"cidr": "10.0.1.0/24", "delegation": "Microsoft.Web/serverFarms"}, "for `services` it should be delegated to nobody"),
    ("balancer-first", "gateway_subnet", {"cidr": "10.0.0.0/29"}, "too small for `machines`; it needs /28 or larger"),
    ("balancer-first", "endpoints_subnet", {"cidr": "10.0.0.0/30"}, "too small for `private-endpoints`"),
    ("appgw-waf", "front_subnet", {"cidr": "10.0.0.0/28"}, "too small for `application-gateway`"),
    ("appgw-waf", "gateway_subnet", {"cidr": "10.0.0.0/24", "delegation": "Microsoft.Web/serverFarms"}, "for `internal` it should be delegated to nobody"),
    ("front-door", "gateway_subnet", {"cidr": "here"}, "`here` is no range"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("topology", "subnet", "described", "said"), REFUSED_SUBNETS, ids=[said for *_, said in REFUSED_SUBNETS]
)
def test_a_subnet_in_which_it_would_not_fit_is_refused(
    topology: Topology, subnet: str, described: dict[str, Any], said: str
) -> None:
    network = existing(topology, "slice", str)
    network[subnet] = {"id": network[subnet], **described}
    told = refusal("slice", topology, network=network)
    assert said in told
    assert f"network.{subnet}" in told
    assert "bind another subnet" in told


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_with_a_private_zone_backends_have_names_and_are_asked_by_them(topology: Topology) -> None:
    stack = made("slice", topology, **BOUND_MORE)
    (zone,) = (item for item in of(stack, "privatedns:PrivateZone").values() if "shop" in item["privateZoneName"])
    assert zone["privateZoneName"] == "internal.shop.example"
    records = {item["relativeRecordSetName"] for item in of(stack, "privatedns:PrivateRecordSet").values()}
    assert {"orders", "orders-next"} <= records
    urls = {item.get("url") for item in of(stack, "apimanagement:Backend").values()} - {None}
    assert urls == {"http://orders.internal.shop.example:8080", "http://orders-next.internal.shop.example:8080"}


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_without_one_they_are_asked_by_the_addresses_of_their_balancer(topology: Topology) -> None:
    stack = made("slice", topology)
    urls = {item.get("url") for item in of(stack, "apimanagement:Backend").values()} - {None}
    assert len(urls) == 2
    assert all("it-services-balancer" in str(url) for url in urls)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_host_gets_a_record_in_the_zone_that_is_bound(topology: Topology) -> None:
    stack = made("slice", topology, **BOUND_MORE)
    (found,) = of(stack, "dns:RecordSet").values()
    assert (found["zoneName"], found["relativeRecordSetName"], found["resourceGroupName"]) == (
        "slice.example",
        "api",
        "dns",
    )
    alias = topology in ("gateway-first", "front-door")
    assert found["recordType"] == ("CNAME" if alias else "A")
    assert ("cnameRecord" in found) == alias
    assert ("aRecords" in found) == (not alias)
    assert of(made("slice", topology), "dns:RecordSet") == {}


# -- zones and regions -------------------------------------------------------------------------------------------------


# Front Door has no private endpoints near a region without zones; see below.
@pytest.mark.parametrize(
    ("topology", "own"),
    [
        ("gateway-first", {}),
        ("balancer-first", {"gateways": SCALE_SET}),
        ("balancer-first", {"gateways": KUBERNETES}),
        ("appgw-waf", {}),
    ],
    ids=["gateway-first", "machines", "kubernetes", "appgw-waf"],
)
def test_in_a_region_without_zones_nothing_is_in_one(topology: Topology, own: Mapping[str, Any]) -> None:
    stack = made("streams", topology, location="westus", **own)
    assert [item.short for item in stack.resources if "zones" in str(list(_keys(item.inputs))).lower()] == []
    there = made("streams", topology, **own)
    assert [item for item in there.resources if "zones" in str(list(_keys(item.inputs))).lower()]


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_zones_of_a_region_without_are_refused(topology: Topology) -> None:
    assert "westus has no zones" in refusal("slice", topology, location="westus", zones=["1"])


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_zones_that_the_stack_says_are_those_of_addresses(topology: Topology) -> None:
    stack = made("slice", topology, **BOUND_MORE)
    found = {name: item.get("zones") for name, item in of(stack, "network:PublicIPAddress").items()}
    assert found
    assert {str(zones) for zones in found.values()} == {"['1', '2']"}


@pytest.mark.parametrize(("units", "zones"), [(1, None), (2, 2), (3, 3), (4, 2), (5, 3), (6, 3)])
def test_units_of_the_gateway_are_in_as_many_zones_as_can_share_them_evenly(units: int, zones: int | None) -> None:
    stack = made("slice", "appgw-waf", tier="Premium", capacity=units)
    (service,) = of(stack, "apimanagement:ApiManagementService").values()
    assert (len(service["zones"]) if "zones" in service else None) == zones


def test_a_region_in_which_front_door_has_no_private_endpoints_is_refused_with_those_that_it_has() -> None:
    told = refusal("slice", "front-door", location="westus")
    assert "front_door.link_location" in told
    assert "westus2" in told
    stack = made("slice", "front-door", location="westus", front_door={"link_location": "westus2"})
    (origin,) = of(stack, "cdn:AFDOrigin").values()
    assert origin["sharedPrivateLinkResource"]["privateLinkLocation"] == "westus2"


def test_no_retired_sku_is_used() -> None:
    """Basic addresses and balancers went in 2025, the Enterprise tiers of Redis go in 2027, WAF of version 1 in 2026."""
    for spec, topology, more in MADE:
        stack = made(spec, topology, **more)
        skus = {
            (item.type.rpartition(":")[2], item.inputs["sku"]["name"]) for item in stack.resources if _has_sku(item)
        }
        assert ("PublicIPAddress", "Basic") not in skus
        assert {name for kind, name in skus if kind in ("PublicIPAddress", "LoadBalancer", "NatGateway")} <= {
            "Standard"
        }
        assert all(name.startswith("Balanced_B") for kind, name in skus if kind == "RedisEnterprise")
        assert {name for kind, name in skus if kind == "ApplicationGateway"} <= {"WAF_v2"}
        assert {name for kind, name in skus if kind == "ApiManagementService"} <= set(BY_NAME)


def _has_sku(item: Any) -> bool:
    return isinstance(item.inputs.get("sku"), Mapping) and "name" in item.inputs["sku"]


def test_a_retired_redis_is_refused() -> None:
    from edgewright.clouds.part import ArgumentsError

    with pytest.raises(ArgumentsError, match="is retired on 2027-03-31"):
        made("slice", "balancer-first", cache={"sku": "Enterprise_E10"})


# -- overrides ---------------------------------------------------------------------------------------------------------

BY_HAND: Mapping[str, tuple[str, str, str]] = {
    "network": ("virtual_network", "flow_timeout_in_minutes", "network:VirtualNetwork"),
    "services": ("load_balancer", "id", "network:LoadBalancer"),
    "public": ("load_balancer", "id", "network:LoadBalancer"),
    "names": ("zone", "location", "privatedns:PrivateZone"),
    "service": ("service", "notification_sender_email", "apimanagement:ApiManagementService"),
    "api": ("api", "contact", "apimanagement:Api"),
    "websockets": ("api", "contact", "apimanagement:Api"),
    "redis": ("cluster", "minimum_tls_version", "redisenterprise:RedisEnterprise"),
    "redis_names": ("zone", "location", "privatedns:PrivateZone"),
    "cache": ("cache", "description", "apimanagement:Cache"),
    "certificate": ("certificate", "password", "apimanagement:Certificate"),
    "gateway": ("gateway", "description", "apimanagement:Gateway"),
    "machines": ("autoscale", "name", "monitor:AutoscaleSetting"),
    "cluster": ("cluster", "fqdn_subdomain", "containerservice:ManagedCluster"),
    "gateways": ("identity", "location", "managedidentity:UserAssignedIdentity"),
    "firewall": ("public_ip", "idle_timeout_in_minutes", "network:PublicIPAddress"),
    "service_names": ("zone", "location", "privatedns:PrivateZone"),
    "front_door": ("endpoint", "enabled_state", "cdn:AFDEndpoint"),
}
"""By part: an attribute, an input of it and the type that has it. The others are raw resources, or not placed here."""


@pytest.mark.parametrize(
    ("topology", "gateways"),
    [*((one, None) for one in TOPOLOGIES), ("balancer-first", KUBERNETES)],
    ids=[*TOPOLOGIES, "balancer-first on kubernetes"],
)
def test_an_override_reaches_the_raw_resource_of_its_part(topology: Topology, gateways: Any) -> None:
    own = {"gateways": gateways} if gateways is not None else {}
    absent = {"cluster", "gateways"} if gateways is None else {"public", "services", "names", "machines"}
    parts = [part for part in parts_of(topology) if part in BY_HAND and part not in absent]
    changes = {part: {BY_HAND[part][0]: {BY_HAND[part][1]: f"said of {part}"}} for part in parts}
    spec = with_streams() if gateways is None else small(routes=cached_and_live())
    zone = {"zone": "internal.shop.example"}
    stack = record(lambda: make(spec, topology, overrides=changes, private_dns=zone, **own))
    reached = {
        part: [item.type for item in stack.resources if item.inputs.get(_wire(BY_HAND[part][1])) == f"said of {part}"]
        for part in parts
    }
    assert reached == {part: [f"azure-native:{BY_HAND[part][2]}"] for part in parts}
    assert len(parts) >= 7


def _wire(field: str) -> str:
    return "".join(word if at == 0 else word.title() for at, word in enumerate(field.split("_")))


def with_streams() -> dict[str, Any]:
    """A spec that uses all parts."""
    return small(
        listeners={
            "web": {"host": "api.shop.example"},
            "mqtt": {"protocol": "tcp", "port": 1883, "backend": "broker"},
        },
        backends={"orders": {"port": 8080}, "broker": {"port": 1884, "protocol": "tcp"}},
        routes=cached_and_live(listener="web"),
    )


def cached_and_live(**more: str) -> dict[str, Any]:
    return {
        "GET /a": {"backend": "orders", "auth": "none", "cache": {"ttl": "60s"}, **more},
        "WS /live": {"backend": "orders", "auth": "none", **more},
    }


def test_a_record_may_be_overridden_too() -> None:
    made = record(lambda: make("slice", "gateway-first", dns=DNS, overrides={"record": {"record": {"ttl": 60}}}))
    (found,) = of(made, "dns:RecordSet").values()
    assert found["ttl"] == 60


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_override_of_no_part_is_refused_with_the_parts_that_there_are(topology: Topology) -> None:
    def program() -> None:
        with pytest.raises(ValueError, match=r"there is no part `nonsense`.*network, .*service.*record"):
            make("slice", topology, overrides={"nonsense": {}})

    assert [item for item in record(program).resources if item.custom] == []


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_secret_of_introspection_that_is_missing_is_refused_before_anything_is_registered(topology: Topology) -> None:
    told = refusal("introspection", topology, credentials={"tokens:edge": "secret-1"})
    assert "the secret `partner:shop edge` is needed" in told
    assert "edgewright:credentials" in told
    assert "tokens:edge` is needed" not in told


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_secrets_are_nowhere_in_plain(topology: Topology) -> None:
    stack = made("introspection", topology)
    values = {item["displayName"]: item for item in of(stack, "apimanagement:NamedValue").values()}
    secret = [values[f"opaque-{name}-introspection"] for name in ("tokens", "partner")]
    assert [(item["secret"], item["value"]) for item in secret] == [(True, SECRET)] * 2
    assert "secret-1" not in repr(stack)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_credential_that_key_vault_keeps_is_read_there_by_the_identity_that_is_bound(topology: Topology) -> None:
    kept = "https://shop.vault.azure.net/secrets/tokens"
    stack = made(
        "introspection",
        topology,
        credentials={"partner:shop edge": "secret-2"},
        kept={"tokens:edge": kept},
    )
    values = {item["displayName"]: item for item in of(stack, "apimanagement:NamedValue").values()}
    ours, given = values["opaque-tokens-introspection"], values["opaque-partner-introspection"]
    assert (ours["secret"], ours.get("value")) == (True, None)
    assert ours["keyVault"] == {"secretIdentifier": kept, "identityClientId": ZERO}
    assert (given["value"], given.get("keyVault")) == (SECRET, None)
    (service,) = of(stack, "apimanagement:ApiManagementService").values()
    assert BOUND["certificate_identity"]["id"] in str(service["identity"])


def test_the_service_has_the_identity_that_reads_a_credential_also_without_a_host() -> None:
    spec = small(
        listener={},
        authorizers={"tokens": {"introspection": {"endpoint": "https://a.example/i", "client": "edge"}}},
        routes={"GET /a": {"backend": "orders", "auth": "tokens"}},
    )
    kept = {"tokens:edge": "https://shop.vault.azure.net/secrets/tokens"}
    stack = record(lambda: make(spec, "gateway-first", credentials={}, kept=kept, certificate=None))
    (service,) = of(stack, "apimanagement:ApiManagementService").values()
    assert BOUND["certificate_identity"]["id"] in str(service["identity"])


def test_the_front_address_is_protected_by_its_network_s_plan_and_not_paid_for_twice() -> None:
    stack = record(lambda: make(small(ddos="advanced"), "appgw-waf"))
    assert len(of(stack, "network:DdosProtectionPlan")) == 1
    modes = {name: item["ddosSettings"] for name, item in of(stack, "network:PublicIPAddress").items()}
    assert modes
    assert all(mode == {"protectionMode": "VirtualNetworkInherited"} for mode in modes.values())


def test_the_front_address_in_an_existing_network_has_protection_of_its_own() -> None:
    network = {name: f"{SUBNETS}/{name}" for name in ("gateway_subnet", "services_subnet", "front_subnet")}
    stack = record(lambda: make(small(ddos="advanced"), "appgw-waf", network=network))
    assert of(stack, "network:DdosProtectionPlan") == {}
    (front,) = of(stack, "network:PublicIPAddress").values()
    assert front["ddosSettings"] == {"protectionMode": "Enabled"}


def test_an_existing_redis_is_used_by_its_connection_string() -> None:
    connection = "cache.example:10000,password=key,ssl=True,abortConnect=False"
    credentials = {"cache:connection": connection}
    stack = made("slice", "balancer-first", cache={"existing": True}, credentials=credentials)
    (cache,) = of(stack, "apimanagement:Cache").values()
    assert cache["connectionString"] == SECRET
    assert [item.short for item in stack.resources if "redis" in item.type.lower()] == []
    assert of(stack, "network:PrivateEndpoint") == {}
    assert connection not in repr(stack)


def rules(stack: Recording, group: str) -> dict[str, Mapping[str, Any]]:
    return {item["name"]: item for item in of(stack, "network:NetworkSecurityGroup")[group]["securityRules"]}


@pytest.mark.parametrize("port", [10_000, 6380])
def test_gateways_are_let_out_to_an_existing_redis_wherever_it_is(port: int) -> None:
    credentials = {"cache:connection": f"cache.example:{port},password=key,ssl=True"}
    cache = {"existing": True, "port": port}
    stack = made("slice", "balancer-first", cache=cache, credentials=credentials)
    out = rules(stack, "it-network-gateway")
    peers = {out[f"redis-{word}-out"]["destinationAddressPrefix"] for word in ("near", "far")}
    assert peers == {"VirtualNetwork", "Internet"}
    assert {out[f"redis-{word}-out"]["destinationPortRange"] for word in ("near", "far")} == {str(port)}
    assert list(of(stack, "network:NetworkSecurityGroup")) == ["it-network-gateway", "it-network-services"]


def test_a_redis_for_opaque_tokens_alone_has_its_subnet_too() -> None:
    spec = small(
        authorizers={
            "tokens": {"introspection": {"endpoint": "https://a.example/i", "client": "edge", "cache": "30s"}}
        },
        routes={"GET /a": {"backend": "orders", "auth": "tokens"}},
    )
    network = {name: f"{SUBNETS}/{name}" for name in ("gateway_subnet", "services_subnet")}
    assert "`endpoints_subnet` is missing" in refusal(spec, "balancer-first", network=network)
    network["endpoints_subnet"] = f"{SUBNETS}/endpoints_subnet"
    stack = record(lambda: make(spec, "balancer-first", network=network))
    (endpoint,) = of(stack, "network:PrivateEndpoint").values()
    assert endpoint["subnet"] == {"id": f"{SUBNETS}/endpoints_subnet"}


def test_what_is_not_used_of_an_existing_network_need_not_be_bound() -> None:
    gateways = {"image_tag": "2.13.0", "kubernetes": KUBERNETES["kubernetes"]}
    network = {"gateway_subnet": {"id": f"{SUBNETS}/gateway_subnet", "cidr": "10.0.0.0/24"}}
    stack = record(lambda: make(small(), "balancer-first", network=network, gateways=gateways))
    assert of(stack, "network:LoadBalancer") == {}
    urls = {"orders": {"url": "https://orders.example"}}
    assert record(lambda: make(small(), "gateway-first", network=None, backends=urls)).resources


def test_pods_reach_backends_behind_the_balancer_and_at_other_ports_of_addresses() -> None:
    backends = {"orders": {"pool": True}, "old": {"url": "http://192.168.7.4:8090"}}
    spec = small(
        backends={"orders": {"port": 8080}, "old": {"port": 80}, "inside": {"port": 9000}},
        routes={f"GET /{name}": {"backend": name, "auth": "none"} for name in ("orders", "old", "inside")},
    )
    stack = record(lambda: make(spec, "balancer-first", gateways=KUBERNETES, backends=backends))
    policy = next(item.inputs for item in stack.resources if item.name == "it-gateways-network-policy")
    ways = {
        (str(peer.get("ipBlock", {}).get("cidr")), port["port"])
        for rule in policy["spec"]["egress"]
        for peer in rule["to"]
        for port in rule["ports"]
    }
    assert {("10.9.1.0/24", 8080), ("192.168.7.4/32", 8090), ("None", 9000)} <= ways
    out = rules(stack, "it-network-gateway")["to-192.168.7.4-32-out"]
    assert (out["destinationAddressPrefix"], out["destinationPortRange"]) == ("192.168.7.4/32", "8090")


def test_a_range_that_pods_shall_reach_must_be_said() -> None:
    network = {
        "gateway_subnet": {"id": f"{SUBNETS}/gateway_subnet", "cidr": "10.0.0.0/24"},
        "services_subnet": f"{SUBNETS}/services_subnet",
    }
    told = refusal(small(), "balancer-first", network=network, gateways=KUBERNETES, backends={"orders": {"pool": True}})
    assert "gateways in a cluster shall reach orders in it, and its range is not said" in told


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_gateways_are_let_out_to_backends_and_issuers_at_unusual_ports(topology: Topology) -> None:
    spec = small(
        authorizers={"main": {"jwt": {"issuer": "https://login.example:8443/", "audiences": ["a"]}}},
        backends={"orders": {"port": 8080}, "old": {"port": 80}},
        routes={
            "GET /a": {"backend": "orders", "auth": "main"},
            "GET /b": {"backend": "old", "auth": "none"},
        },
    )
    stack = record(lambda: make(spec, topology, backends={"old": {"url": "http://old.example:8090/x"}}))
    out = rules(stack, "it-network-gateway")["to-internet-out"]
    assert out["destinationAddressPrefix"] == "Internet"
    assert out["destinationPortRanges"] == ["8090", "8443"]


def test_an_existing_redis_without_its_connection_string_is_refused() -> None:
    told = refusal("slice", "balancer-first", cache={"existing": True}, credentials={})
    assert "the secret `cache:connection` is needed" in told


# -- what cannot be ----------------------------------------------------------------------------------------------------


def test_a_balancer_before_managed_gateways_is_refused_with_the_reason_and_what_was_meant() -> None:
    told = refusal("slice", "balancer-first", gateways={"managed": True})
    assert "cannot stand before managed API Management" in told
    assert "brings its own balancer" in told
    assert "azure/balancer-first" in told
    assert "azure/appgw-waf" in told


def test_a_balancer_alone_is_refused_with_the_reason_and_what_was_meant() -> None:
    config = {"spec": "shop.edge.yaml", "topology": "azure/balancer-only"}
    folder = file_of("slice").parents[3] / "stacks"
    with pytest.raises((SpecError, StackError)) as error:
        from_values(folder.parent, folder, "shop", config, source="Pulumi.shop.yaml")
    told = str(error.value)
    assert "neither routes nor tokens" in told
    assert "azure/balancer-first" in told
    assert "azure/appgw-waf" in told


def test_a_tier_with_one_node_for_its_gateway_is_called_out() -> None:
    edge = resolve(from_data(small()))
    bound = bindings("balancer-first", tier="Developer", profile="development")
    decisions = plan(edge, bound, "balancer-first").decisions
    assert any("allows one node for a self-hosted gateway" in text and "Premium" in text for text in decisions)
    assert not any("one node" in text for text in plan(edge, bindings("balancer-first"), "balancer-first").decisions)


@pytest.mark.parametrize(
    ("topology", "tier"),
    [
        ("balancer-first", "Standard"),
        ("balancer-first", "StandardV2"),
        ("appgw-waf", "StandardV2"),
        ("appgw-waf", "Basic"),
        ("front-door", "Premium"),
        ("front-door", "BasicV2"),
        ("gateway-first", "Standard"),
        ("gateway-first", "Consumption"),
    ],
)
def test_a_tier_that_cannot_stand_there_is_refused_with_one_that_can(topology: Topology, tier: str) -> None:
    told = refusal(small(), topology, tier=tier, profile="development")
    assert f"the tier {tier} has no" in told
    assert "is the cheapest that has all that this edge needs" in told


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_hosts_that_would_have_one_id_both_stand(topology: Topology) -> None:
    hosts = ["a-b.c.example", "a.b-c.example", "a.b.c.example"]
    stack = record(lambda: make(small(listener={"host": hosts}), topology))
    kinds = {
        "gateway-first": "apimanagement:ApiManagementService",
        "balancer-first": "apimanagement:GatewayHostnameConfiguration",
        "appgw-waf": "network:ApplicationGateway",
        "front-door": "cdn:AFDCustomDomain",
    }
    assert set(hosts) <= {text for item in of(stack, kinds[topology]).values() for text in _texts(item)}
    tiers = {item["sku"]["name"] for item in of(stack, "apimanagement:ApiManagementService").values()}
    assert tiers == {"StandardV2" if topology == "front-door" else "Premium"}


def test_several_hosts_choose_a_tier_that_has_them() -> None:
    told = refusal(small(listener={"host": ["a.shop.example", "b.shop.example"]}), "gateway-first", tier="StandardV2")
    assert (
        "the tier StandardV2 has no more than one host name of its gateway, needed for the hosts a.shop.example" in told
    )


RAW_STREAM = {
    "name": "raw",
    "listener": {"port": 9000, "protocol": "tcp", "backend": "lines", "host": "raw.shop.example"},
    "backends": {"lines": {"port": 9001, "protocol": "tcp"}},
}


@pytest.mark.parametrize("topology", ["balancer-first", "appgw-waf"])
def test_streams_alone_are_refused_where_all_else_is_for_requests(topology: Topology) -> None:
    told = refusal(RAW_STREAM, topology)
    assert f"{topology} is a way for requests" in told
    assert "azure/gateway-first" in told


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_all_that_a_stack_must_bind_is_said_at_once(topology: Topology) -> None:
    with pytest.raises(SpecError) as error:
        compile_edge(resolve(from_data(small())), {}, topology)
    named = {problem.place.path[0] for problem in error.value.problems}
    assert {"resource_group", "subscription_id", "location", "publisher", "network"} <= named
    assert ("certificate" in named) == (topology != "front-door")
    assert ("gateways" in named) == (topology == "balancer-first")
