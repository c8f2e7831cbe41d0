"""Plans of Azure stacks: what they show and what they refuse. Traps of the provider are in test_traps.py."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from azure_stacks import BOUND, REPOSITORY, STACKS, everything, planned
from edgewright.azure.bindings import read_bindings
from edgewright.azure.planned import plan
from edgewright.azure.topology import Topology
from edgewright.edge.resolve import resolve
from edgewright.plan.comment import comment
from edgewright.plan.diff import Diff, pair
from edgewright.plan.model import Plan, Resource
from edgewright.plan.show_json import text as json_text
from edgewright.plan.show_text import is_priced, text
from edgewright.plan.sides import Planned
from edgewright.spec.document import from_data, load
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

FOLDER = REPOSITORY / "tests" / "golden" / "plan"


def of_type(found: Plan, kind: str) -> list[Resource]:
    return [item for item in found.resources if item.type == f"azure-native:{kind}"]


def small(**more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /a": {"backend": "orders", "auth": "none"}},
        **more,
    }


@pytest.mark.parametrize("stack", STACKS)
def test_the_plan_of_a_stack_is_what_was_reviewed(stack: str) -> None:
    assert_golden(FOLDER / f"stack.{stack}.txt", text(planned(stack)))


def test_a_second_plan_is_byte_identical() -> None:
    edge = resolve(from_data(small()))
    assert json_text(plan(edge, BOUND, "gateway-first")) == json_text(plan(edge, BOUND, "gateway-first"))


def test_a_stack_that_binds_all_has_nothing_left_to_bind() -> None:
    assert [planned(stack).must_bind for stack in STACKS] == [() for _ in STACKS]


def test_a_dearer_tier_shows_in_the_comment_of_a_pull_request() -> None:
    edge = resolve(from_data(small()))
    before, after = (plan(edge, {**BOUND, "tier": tier}, "gateway-first") for tier in ("StandardV2", "Premium"))
    found = comment(Diff((pair("shop", Planned(before), Planned(after)),)))
    assert "**Cost**: 754.75 → 2,849.92 USD a month" in found


def test_each_cost_has_its_source_or_says_why_it_has_no_figure() -> None:
    found = [cost for stack in STACKS for cost in planned(stack).costs]
    assert {bool(cost.source) for cost in found} == {True, False}
    assert all(bool(cost.source) == is_priced(cost) == (cost.monthly > 0) for cost in found)


def test_there_is_no_resource_for_each_route() -> None:
    def count(routes: int) -> int:
        many = {f"GET /r{n}": {"backend": "orders", "auth": "none"} for n in range(routes)}
        return len(plan(resolve(from_data(small(routes=many))), BOUND, "gateway-first").resources)

    assert count(60) == count(2)


def test_a_policy_comes_after_the_backends_that_it_names() -> None:
    plan_ = everything()
    policy = of_type(plan_, "apimanagement:ApiPolicy")[0]
    backends = {item.urn for item in of_type(plan_, "apimanagement:Backend")}
    assert len(backends) == 4
    assert backends <= set(policy.dependencies)


def test_a_classic_tier_is_injected_and_its_subnet_is_not_delegated() -> None:
    found = plan(resolve(from_data(small())), {**BOUND, "tier": "Premium"}, "gateway-first")
    network = of_type(found, "network:VirtualNetwork")[0]
    gateway = next(item for item in network.inputs["subnets"] if item["name"] == "gateway")
    assert "delegations" not in gateway
    groups = {item.name: item.inputs["securityRules"] for item in of_type(found, "network:NetworkSecurityGroup")}
    opened = {
        (rule["sourceAddressPrefix"], rule.get("destinationPortRange"))
        for rule in groups["shop-network-gateway"]
        if (rule["direction"], rule["access"]) == ("Inbound", "Allow")
    }
    assert opened == {
        ("Internet", "443"),
        ("ApiManagement", "3443"),
        ("AzureLoadBalancer", "6390"),
        ("VirtualNetwork", "6381-6383"),
        ("VirtualNetwork", "4290"),
    }


def test_services_are_reached_by_the_gateway_and_probes_alone() -> None:
    group = next(item for item in of_type(everything(), "network:NetworkSecurityGroup") if "services" in item.name)
    coming = [rule for rule in group.inputs["securityRules"] if rule["direction"] == "Inbound"]
    rules = sorted(coming, key=lambda rule: rule["priority"])
    assert [(rule["sourceAddressPrefix"], rule["access"]) for rule in rules] == [
        ("10.9.0.0/24", "Allow"),
        ("AzureLoadBalancer", "Allow"),
        ("*", "Deny"),
    ]
    assert rules[0]["destinationPortRanges"] == ["8080", "8081", "9000"]


def test_weak_protocols_are_off_and_the_service_is_protected() -> None:
    service = of_type(everything(), "apimanagement:ApiManagementService")[0]
    properties = service.inputs["customProperties"]
    assert service.protect
    assert {
        properties[f"Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.{name}"]
        for name in ("Ssl30", "Tls10", "Tls11")
    } == {"False"}
    assert service.inputs["identity"]["type"].startswith("SystemAssigned")


def test_keys_are_secrets_and_their_subscriptions_go_before_their_product() -> None:
    found = everything()
    subscriptions = of_type(found, "apimanagement:Subscription")
    products = {item.urn for item in of_type(found, "apimanagement:Product")}
    assert [item.inputs["sid"] for item in subscriptions] == ["partner-clients-acme", "partner-clients-globex"]
    for item in subscriptions:
        assert products <= set(item.dependencies)
    part = next(item for item in found.resources if item.type == "edgewright:azure:GatewayFirst")
    assert part.custom is False
    assert "primaryKey" not in json.dumps([item.inputs for item in subscriptions])


@pytest.mark.parametrize(
    ("bindings", "said"),
    [
        ({"tier": "Consumption"}, r"the tier Consumption has no way to backends in a network"),
        ({"tier": "PremiumV2"}, r"does not know the tier `PremiumV2`"),
        ({"tier": "Gold"}, r"there is no tier `Gold`"),
        ({"tier": "StandardV2", "capacity": 11}, r"10 units at most, not 11"),
        ({"certificate": "https://v-1.vault.azure.net/certificates/edge"}, r"takes a certificate, too, as a secret"),
        ({"certificate": f"https://v-1.vault.azure.net/secrets/edge/{'a' * 32}"}, r"it should name no version"),
        ({"network": {"create": {"cidr": "10.0.0.0/24"}}}, r"a private range of /22 or larger"),
        ({"network": {"gateway_subnet": "subnet-1", "services_subnet": "x"}}, r"it should be the id of a subnet"),
        (
            {"network": {"gateway_subnet": "${a.b}"}},
            r"needs `gateway_subnet`, `services_subnet`, and `services_subnet` is missing",
        ),
        ({"backends": {"order": {"url": "https://a"}}}, r"no backend `order`; did you mean `orders`"),
        ({"backends": {"orders": {"url": "orders"}}}, r"`orders` is no URL"),
        ({"dns": {"zone": "other.example", "resource_group": "dns"}}, r"not in the zone `other.example`"),
        ({"subscription_id": "mine"}, r"subscription_id"),
        ({"colour": "red"}, r"there is no such setting"),
        ({"accept": [{"field": "Waf.managed", "reason": "said twice over"}]}, r"nothing unsupported is called"),
    ],
)
def test_bindings_that_cannot_be_are_refused_before_anything_is_made(bindings: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        plan(resolve(from_data(small())), {**BOUND, **bindings}, "gateway-first")


def test_a_spec_that_outgrows_its_tier_is_told_the_cheapest_that_has_it() -> None:
    quota = small(
        authorizers={"partner": {"api_key": {"clients": ["acme"]}}},
        routes={"GET /a": {"backend": "orders", "auth": "partner", "quota": {"limit": 10, "period": "day"}}},
    )
    bound = {
        **BOUND,
        "tier": "Consumption",
        "profile": "development",
        "backends": {"orders": {"url": "https://o.example"}},
    }
    with pytest.raises(
        SpecError, match=r"has no quotas by a key, needed for the quota of GET /a; Developer is the cheapest"
    ):
        plan(resolve(from_data(quota)), bound, "gateway-first")


def test_without_a_choice_the_plan_says_which_tier_and_why() -> None:
    found = plan(resolve(from_data(small())), BOUND, "gateway-first")
    assert len(found.decisions) == 1
    assert re.search(r"the tier StandardV2, the cheapest .* a way to backends in a network", found.decisions[0])


def test_too_many_operations_for_a_tier_are_refused() -> None:
    many = {f"ANY /r{n}/*": {"backend": "orders", "auth": "none"} for n in range(220)}
    bound = {**BOUND, "tier": "Developer", "profile": "development"}
    with pytest.raises(SpecError, match=r"3,080 operations; the tier Developer has 3,000 at most"):
        plan(resolve(from_data(small(routes=many))), bound, "gateway-first")


def test_what_a_stack_must_bind_is_listed_by_the_plan_and_refused_by_the_program() -> None:
    edge = resolve(from_data(small()))
    found = plan(edge, {}, "gateway-first")
    assert [name for name, _ in found.must_bind] == [
        "resource_group",
        "subscription_id",
        "location",
        "publisher",
        "network",
        "certificate",
        "certificate_identity",
    ]
    with pytest.raises(SpecError) as refused:
        read_bindings({}, edge, "gateway-first")
    assert len(refused.value.problems) == 7


def test_a_websocket_has_an_api_whose_handshake_asks_for_the_token() -> None:
    found = everything()
    api = next(item for item in of_type(found, "apimanagement:Api") if item.inputs.get("apiType") == "websocket")
    assert (api.inputs["path"], api.inputs["protocols"]) == ("live", ["wss"])
    assert api.inputs["serviceUrl"].startswith("ws://")
    assert api.inputs["serviceUrl"].endswith(":8080/live")
    policy = next(item for item in of_type(found, "apimanagement:ApiOperationPolicy") if api.urn in item.dependencies)
    assert policy.inputs["operationId"] == "onHandshake"
    assert "<validate-jwt" in policy.inputs["value"]
    assert "cache-lookup" not in policy.inputs["value"]


@pytest.mark.parametrize("spec", ["shop", "catalogue"])
def test_the_samples_of_this_repository_have_a_plan_on_azure(spec: str) -> None:
    edge = resolve(load(REPOSITORY / "stacks" / f"{spec}.edge.yaml"))
    found = plan(edge, BOUND, "gateway-first")
    assert {item.key for item in found.routes} == {item.key for item in edge.routes}
    assert all(item.carried_by for item in found.routes)


STREAMS: dict[str, Any] = {
    "name": "queue",
    "listeners": {"mqtt": {"protocol": "tcp", "port": 1883, "backend": "broker"}},
    "backends": {"broker": {"port": 1884, "protocol": "tcp", "health_check": {"interval": "10s"}}},
}


_PLAN = "import sys; from edgewright.cli import main; sys.exit(main(sys.argv[1:]))"
_ORDINARY = "from contextlib import nullcontext; import edgewright.plan.quick_imports as q; q.quickly = lambda *p: nullcontext(); "


@pytest.mark.parametrize("stack", ["azure-balancer-first", "azure-appgw-waf"])
def test_the_quick_way_to_import_the_sdk_gives_the_plan_that_the_ordinary_one_gives(stack: str) -> None:
    file = str(REPOSITORY / "stacks" / f"Pulumi.{stack}.yaml")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "infra")}

    def planned_by(program: str) -> str:
        command = [sys.executable, "-c", program, "plan", file, "--json"]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=600).stdout

    quick = planned_by(_PLAN)
    assert json.loads(quick)["resources"]
    assert quick == planned_by(_ORDINARY + _PLAN)


def test_the_quick_way_to_import_reads_a_few_files_of_a_large_package() -> None:
    """All 200 resources of the network would cost a quarter of a second."""
    program = _PLAN.replace("sys.exit(main(sys.argv[1:]))", "main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)")
    file = str(REPOSITORY / "stacks" / "Pulumi.azure-balancer-first.yaml")
    command = [sys.executable, "-c", program, "plan", file, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "infra")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=600)
    found = [name for name in done.stderr.split() if name.startswith("pulumi_azure_native.network.")]
    assert 5 < len(found) < 20


def test_streams_alone_are_a_balancer_and_no_service_of_api_management() -> None:
    found = plan(resolve(from_data(STREAMS)), BOUND, "gateway-first")
    kinds = {item.type.rpartition(":")[2] for item in found.resources if item.type.startswith("azure-native:network")}
    assert {"LoadBalancer", "PublicIPAddress"} <= kinds
    assert not of_type(found, "apimanagement:ApiManagementService")
    assert found.decisions == ("no API Management: the edge has connections and datagrams alone",)


def test_streams_alone_are_watched_where_their_spec_asks_for_it() -> None:
    spec = {**STREAMS, "monitor": {"unhealthy_targets": 1}}
    found = plan(resolve(from_data(spec)), BOUND, "gateway-first")
    assert of_type(found, "operationalinsights:Workspace")
    assert of_type(found, "monitor:MetricAlert")


@pytest.mark.parametrize("topology", ["balancer-first", "appgw-waf", "front-door"])
def test_streams_alone_are_refused_where_all_else_is_for_requests(topology: Topology) -> None:
    with pytest.raises(SpecError, match="connections and datagrams alone; azure/gateway-first"):
        plan(resolve(from_data(STREAMS)), BOUND, topology)


def test_the_identity_of_gateways_in_a_cluster_trusts_the_issuer_of_that_cluster() -> None:
    resources = planned("azure-aks").resources
    (cluster,) = (item for item in resources if item.type.endswith(":ManagedCluster"))
    (trust,) = (item for item in resources if item.type.endswith(":FederatedIdentityCredential"))
    assert trust.inputs["issuer"] == f"${{{cluster.short}.oidcIssuerProfile.issuerURL}}"
