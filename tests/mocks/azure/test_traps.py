"""What pulumi-azure-native and Azure trip people up with, as tests over whole plans: none of it is in ours.

Issues by number are those of pulumi/pulumi-azure-native. What the control plane would answer was not seen by us.
"""

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import pulumi
import pytest
import yaml

from azure_stacks import BOUND, REPOSITORY, STACKS, everything, planned
from edgewright.azure.compile_operations import MAX_ID
from edgewright.azure.planned import plan
from edgewright.azure.self_hosted_gateway import SelfHostedGateway
from edgewright.edge.resolve import resolve
from edgewright.plan.model import Plan, Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import resource_class
from edgewright.plan.show_json import text as json_text
from edgewright.spec.document import from_data


class _Loader(yaml.SafeLoader):
    """YAML as we read it: ``on`` is a word."""


_Loader.yaml_implicit_resolvers = {
    sign: [item for item in found if item[0] != "tag:yaml.org,2002:bool" or sign in "tTfF"]
    for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
SPEC: dict[str, Any] = yaml.load(
    (REPOSITORY / "tests" / "golden" / "azure" / "everything.edge.yaml").read_text(encoding="utf-8"), _Loader
)


def of_type(found: Plan, kind: str) -> list[Resource]:
    return [item for item in found.resources if item.type == f"azure-native:{kind}"]


def plans() -> Iterator[Plan]:
    """All plans of this repository."""
    yield everything()
    yield from (planned(stack) for stack in STACKS)


def managed() -> list[Resource]:
    return [item for found in plans() for item in found.resources if item.custom]


@cache
def self_hosted() -> tuple[Resource, ...]:
    """A self-hosted gateway with all that belongs to one."""
    certificate = "/subscriptions/s/resourceGroups/edge/providers/Microsoft.ApiManagement/service/shop/certificates/api"
    args: Any = {
        "resource_group_name": "edge",
        "service_name": "shop",
        "gateway_id": "shop",
        "location_data": {"name": "scale set"},
        "apis": {"shop": "shop"},
        "hostnames": {"api": {"hostname": "api.shop.example", "certificate_id": certificate}},
        "certificate_authorities": {"company": {"certificate_id": "company"}},
    }
    return record(lambda: SelfHostedGateway("own", args), project="edgewright", stack="test").resources


@cache
def without(*routes: str) -> Plan:
    """The plan of the spec that uses everything, but these routes."""
    spec = {**SPEC, "routes": {key: value for key, value in SPEC["routes"].items() if key not in routes}}
    return plan(resolve(from_data(spec)), BOUND, "gateway-first")


# -- names that the engine must not choose -----------------------------------------------------------------------------

# The last part of each one's path. Where it is left out, azure-native takes the logical name and random letters: for a
# policy a name that Azure does not know (1838), for the others an id that nothing else of ours would refer to.
ID_ARGUMENTS: Mapping[str, str] = {
    "Api": "api_id",
    "ApiOperationPolicy": "policy_id",
    "ApiPolicy": "policy_id",
    "ApiVersionSet": "version_set_id",
    "Authorization": "authorization_id",
    "AuthorizationServer": "authsid",
    "Backend": "backend_id",
    "Cache": "cache_id",
    "Certificate": "certificate_id",
    "Diagnostic": "diagnostic_id",
    "Gateway": "gateway_id",
    "GatewayApiEntityTag": "api_id",
    "GatewayCertificateAuthority": "certificate_id",
    "GatewayHostnameConfiguration": "hc_id",
    "Logger": "logger_id",
    "NamedValue": "named_value_id",
    "OpenIdConnectProvider": "opid",
    "Policy": "policy_id",
    "PolicyFragment": "id",
    "Product": "product_id",
    "ProductApi": "api_id",
    "ProductPolicy": "policy_id",
    "Subscription": "sid",
    "Tag": "tag_id",
}


@pytest.mark.parametrize("name", ID_ARGUMENTS)
def test_the_sdk_calls_the_id_of_a_type_as_the_table_says(name: str) -> None:
    kind: Any = resource_class(f"azure-native:apimanagement:{name}")
    taken: Callable[..., Any] = getattr(kind, "_internal_init")  # noqa: B009 (the SDK shows its arguments nowhere else)
    assert ID_ARGUMENTS[name] in inspect.signature(taken).parameters


def test_no_id_in_api_management_is_left_to_the_engine() -> None:
    seen: set[str] = set()
    for item in (*managed(), *self_hosted()):
        module, _, name = item.type.removeprefix("azure-native:").partition(":")
        if module != "apimanagement" or name == "ApiManagementService":
            continue
        argument = re.sub(r"_([a-z])", lambda match: match[1].upper(), ID_ARGUMENTS[name])
        assert isinstance(item.inputs.get(argument), str), f"{item.short} has no {argument}"
        seen.add(name)
    assert {"Api", "ApiPolicy", "Backend", "Product", "Subscription", "GatewayHostnameConfiguration"} <= seen


def test_a_policy_is_called_policy_and_is_well_formed_xml() -> None:
    found = [item for item in managed() if re.search(r":(\w*Policy)$", item.type) and ":apimanagement:" in item.type]
    assert {(item.inputs["policyId"], item.inputs["format"]) for item in found} == {("policy", "xml")}
    assert len({item.type for item in found}) == 2
    for item in found:
        ET.fromstring(item.inputs["value"])


def test_the_global_policy_of_a_service_is_left_alone() -> None:
    """It exists already, and azure-native can adopt it only where its text is the one that it expects (1729, 3688)."""
    assert not [item for item in managed() if item.type == "azure-native:apimanagement:Policy"]


def test_the_service_is_named_by_the_engine_since_a_deleted_one_keeps_its_name_for_two_days() -> None:
    services = of_type(everything(), "apimanagement:ApiManagementService")
    assert [item.inputs.get("serviceName") for item in services] == [None]


# -- products ----------------------------------------------------------------------------------------------------------


def requests_of(monkeypatch: pytest.MonkeyPatch, make: Callable[[], object]) -> dict[str, Any]:
    """The raw registrations by name and type; what a plan does not show, such as options."""
    from edgewright.plan import recorder

    kind: Any = getattr(recorder, "_Recorder")  # noqa: B009 (a test looks behind it)
    found: dict[str, Any] = {}
    original = kind.RegisterResource

    def register(self: Any, request: Any) -> Any:
        answer = original(self, request)
        found[answer.urn] = request
        return answer

    monkeypatch.setattr(kind, "RegisterResource", register)
    make()
    return found


def test_subscriptions_are_gone_before_their_product_and_before_their_successors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A product with a live subscription cannot be deleted (846): what depends on it is deleted first, and one with the
    same id cannot be made beside it."""
    found = requests_of(monkeypatch, lambda: plan(resolve(from_data(SPEC)), BOUND, "gateway-first"))
    subscriptions = [item for item in found.values() if item.type.endswith(":Subscription")]
    assert len(subscriptions) == 2
    for item in subscriptions:
        assert item.deleteBeforeReplace
        kinds = {urn.split("::")[2].rpartition("$")[2] for urn in item.dependencies}
        assert {"azure-native:apimanagement:Product", "azure-native:apimanagement:ProductApi"} <= kinds


def test_a_key_that_is_given_is_shown_nowhere() -> None:
    for item in of_type(everything(), "apimanagement:Subscription"):
        assert item.inputs.get("primaryKey") in (None, "[secret]")


@pytest.mark.parametrize("route", [key for key in SPEC["routes"] if key != "GET /partners/feed"])
def test_no_change_of_a_route_makes_a_product_or_a_subscription_anew(route: str) -> None:
    def products(found: Plan) -> list[Resource]:
        kinds = ("Product", "ProductApi", "Subscription")
        return [item for kind in kinds for item in of_type(found, f"apimanagement:{kind}")]

    assert products(without(route)) == products(everything())


# -- balancers ---------------------------------------------------------------------------------------------------------


def test_parts_of_a_balancer_are_in_it_and_nowhere_else() -> None:
    """Rules and probes exist inline only; pools beside inline ones undo one another at each update."""
    alone = ("LoadBalancerBackendAddressPool", "InboundNatRule")
    for found in plans():
        assert not [item for kind in alone for item in of_type(found, f"network:{kind}")]
        for item in of_type(found, "network:LoadBalancer"):
            parts = ("frontendIPConfigurations", "backendAddressPools", "probes", "loadBalancingRules")
            assert all(item.inputs[part] for part in parts)


def test_the_parts_of_a_balancer_name_one_another_by_ids_that_it_has() -> None:
    balancer = of_type(everything(), "network:LoadBalancer")[0]
    own = balancer.inputs["loadBalancerName"]
    parts = {
        f"{kind}/{item['name']}"
        for kind in ("frontendIPConfigurations", "backendAddressPools", "probes")
        for item in balancer.inputs[kind]
    }
    pattern = re.compile(
        rf"/subscriptions/[^/]+/resourceGroups/edge/providers/Microsoft.Network/loadBalancers/{own}/(.+)"
    )
    named = list(_ids(balancer.inputs["loadBalancingRules"]))
    assert len(named) == 9
    for item in named:
        match = pattern.fullmatch(item)
        assert match is not None, item
        assert match[1] in parts


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "id":
                yield item
            else:
                yield from _ids(item)
    if isinstance(value, list):
        for item in value:
            yield from _ids(item)


def test_probes_have_a_threshold_and_rules_reset_and_lend_no_address() -> None:
    """``numberOfProbes`` is ignored by Azure."""
    balancer = of_type(everything(), "network:LoadBalancer")[0]
    assert all(item["probeThreshold"] and "numberOfProbes" not in item for item in balancer.inputs["probes"])
    assert all(item["enableTcpReset"] and item["disableOutboundSnat"] for item in balancer.inputs["loadBalancingRules"])
    assert balancer.inputs["sku"]["name"] == "Standard"


# -- backends and networks ---------------------------------------------------------------------------------------------


def test_a_pool_has_neither_url_nor_protocol() -> None:
    """With them Azure answers 400."""
    pools = [item for item in of_type(everything(), "apimanagement:Backend") if item.inputs["type"] == "Pool"]
    assert len(pools) == 1
    assert not {"url", "protocol"} & set(pools[0].inputs)
    assert [item["weight"] for item in pools[0].inputs["pool"]["services"]] == [95, 5]


def test_a_circuit_breaker_has_one_rule() -> None:
    breakers = [item.inputs["circuitBreaker"] for item in managed() if "circuitBreaker" in item.inputs]
    assert breakers
    assert all(len(item["rules"]) == 1 for item in breakers)


def test_the_subnet_of_a_v2_tier_is_delegated_and_large_enough() -> None:
    network = of_type(everything(), "network:VirtualNetwork")[0]
    gateway = next(item for item in network.inputs["subnets"] if item["name"] == "gateway")
    assert of_type(everything(), "apimanagement:ApiManagementService")[0].inputs["sku"]["name"] == "StandardV2"
    assert [item["serviceName"] for item in gateway["delegations"]] == ["Microsoft.Web/serverFarms"]
    assert int(gateway["addressPrefix"].partition("/")[2]) <= 27
    assert gateway["defaultOutboundAccess"] is False


def test_subnets_are_in_their_network_and_nowhere_else() -> None:
    """A subnet of its own and an inline one undo one another."""
    assert not [item for item in managed() if item.type == "azure-native:network:Subnet"]


# -- aliases -----------------------------------------------------------------------------------------------------------


def test_a_plan_without_the_sdks_aliases_has_the_graph_of_one_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-native adds an alias to each resource for each older version of its type. A real stack keeps them: the
    engine finds resources by them that another version of the SDK made. A plan has no older state to find."""
    from edgewright.plan import recorder

    kind: Any = getattr(recorder, "_Recorder")  # noqa: B009 (a test looks behind it)

    def see(self: Any, args: pulumi.ResourceTransformationArgs) -> None:
        getattr(self, "_classes").setdefault(args.type_, type(args.resource))  # noqa: B009

    short, edge = everything(), resolve(from_data(SPEC))
    monkeypatch.setattr(kind, "see", see)
    full = plan(edge, BOUND, "gateway-first")
    assert [replace(item, aliases=()) for item in full.resources] == list(short.resources)
    counts = {item.type: len(item.aliases) for item in full.resources if item.custom}
    assert not any(item.aliases for item in short.resources)
    # Measured 2026-11 with azure-native 3.29: 704 aliases for 31 resources, 4 to 60 each; a plan with them takes four
    # times as long (0.98 s in place of 0.24 s).
    assert min(counts.values()) > 1
    assert sum(len(item.aliases) for item in full.resources) > 300


def test_aliases_that_a_program_says_itself_stay_in_a_plan() -> None:
    def program() -> None:
        pulumi.CustomResource("test:index:Thing", "new", {}, pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")]))

    (found,) = record(program, project="edgewright", stack="test").resources
    assert [item.rpartition("::")[2] for item in found.aliases] == ["old"]


# -- operations --------------------------------------------------------------------------------------------------------


def operations(found: Plan) -> dict[tuple[str, str], dict[str, Any]]:
    """Operations of the API by path and method."""
    api = next(item for item in of_type(found, "apimanagement:Api") if "value" in item.inputs)
    body = json.loads(api.inputs["value"])
    return {(path, method): item for path, methods in body["paths"].items() for method, item in methods.items()}


def small(*routes: str) -> Plan:
    spec = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {route: {"backend": "orders", "auth": "none"} for route in routes},
    }
    return plan(resolve(from_data(spec)), BOUND, "gateway-first")


def ids(found: Plan) -> dict[tuple[str, str], str]:
    return {where: item["operationId"] for where, item in operations(found).items()}


def test_ids_of_operations_are_what_an_import_would_make_of_them() -> None:
    """An import writes small letters, digits and hyphens, and cuts at 76; operations that match none it deletes."""
    for found in (*plans(), small("GET /A_b/C.d", "GET /x/*", f"GET /a{'/long' * 30}", "GET /~x/@'", "GET /")):
        names = list(ids(found).values())
        assert names
        for name in names:
            assert re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_ID] == name
        assert len({name.lower() for name in names}) == len(names)


@pytest.mark.parametrize("route", list(SPEC["routes"]))
def test_a_route_that_is_added_gives_no_operation_another_id(route: str) -> None:
    before, after = ids(without(route)), ids(everything())
    assert {where: after[where] for where in before} == before


@pytest.mark.parametrize(
    ("there", "added"),
    [
        ("GET /orders/{id}", "GET /orders/{id}/lines"),
        ("GET /a/{x}", "GET /a/{x}/{y}"),
        ("ANY /a/*", "GET /a"),
        ("GET /a", "ANY /*"),
    ],
)
def test_a_route_beside_another_keeps_that_ones_id(there: str, added: str) -> None:
    before, after = ids(small(there)), ids(small(there, added))
    assert {where: after[where] for where in before} == before


@pytest.mark.parametrize(
    ("there", "added"),
    [
        ("GET /a-b", "GET /a/b"),
        ("GET /a_b", "GET /a.b"),
        ("GET /a/p2", "GET /a/{x}"),
        ("GET /a/rest", "GET /a/*"),
        ("GET /root", "GET /"),
        (f"GET /{'a' * 80}/b", f"GET /{'a' * 80}/c"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_route_that_is_written_alike_keeps_the_others_id(there: str, added: str, turned: bool) -> None:
    there, added = (added, there) if turned else (there, added)
    before, after = ids(small(there)), ids(small(there, added))
    assert {where: after[where] for where in before} == before


def test_the_name_of_a_variable_is_not_in_an_id() -> None:
    assert set(ids(small("GET /a/{x}")).values()) == set(ids(small("GET /a/{other}")).values())


# -- a change changes what it is about ---------------------------------------------------------------------------------

CACHED = tuple(key for key, value in SPEC["routes"].items() if isinstance(value, dict) and "cache" in value)


def settings(found: Plan) -> dict[str, str]:
    """What the API's policy says of each operation, by its id."""
    code = _policy(found)
    shown: dict[str, str] = {}
    waiting: list[str] = []
    lines: list[tuple[str, str]] = re.findall(r'case "([^"]+)":|return "([^"]+)";', code.partition("default:")[0])
    for case, said in lines:
        if case:
            waiting.append(case)
        else:
            shown |= dict.fromkeys(waiting, said)
            waiting = []
    assert not waiting
    return shown


def _policy(found: Plan) -> str:
    (policy,) = of_type(found, "apimanagement:ApiPolicy")
    tree = ET.fromstring(policy.inputs["value"])
    return next(item.attrib["value"] for item in tree.iter("set-variable") if item.attrib["name"] == "settings")


def branches(found: Plan) -> set[str]:
    (policy,) = of_type(found, "apimanagement:ApiPolicy")
    return {
        ET.tostring(item, encoding="unicode").strip() for item in ET.fromstring(policy.inputs["value"]).iter("when")
    }


@pytest.mark.parametrize("route", [key for key in SPEC["routes"] if key not in CACHED and not key.startswith("WS ")])
def test_a_route_that_is_added_changes_the_document_and_the_policy_and_no_other_resource(route: str) -> None:
    before, after = without(route), everything()
    there = {item.urn: item for item in after.resources}
    changed = {
        item.type.rpartition(":")[2]
        for item in before.resources
        if there[item.urn].inputs != item.inputs or there[item.urn].custom != item.custom
    }
    new = {
        item.type.rpartition(":")[2]
        for item in after.resources
        if item.urn not in {one.urn for one in before.resources}
    }
    # Backends of a route that was their only one have their place behind the balancer.
    allowed = {"Api", "ApiPolicy"} | ({"LoadBalancer", "NetworkSecurityGroup"} if new & {"Backend"} else set[str]())
    assert {"Api", "ApiPolicy"} <= changed <= allowed
    assert new <= {"Backend", "Product", "ProductApi", "Subscription"}


@pytest.mark.parametrize("route", [key for key in SPEC["routes"] if not key.startswith("WS ")])
def test_a_route_that_is_added_changes_no_operation_and_no_settings_of_others(route: str) -> None:
    before, after = operations(without(route)), operations(everything())
    of_others = {where for where, item in after.items() if route not in item["summary"].split(", ")}
    kept = of_others & set(before)
    assert kept
    assert {where: after[where] for where in kept} == {where: before[where] for where in kept}
    said_before, said_after = settings(without(route)), settings(everything())
    names = [after[where]["operationId"] for where in kept]
    assert [said_after[name] for name in names] == [said_before[name] for name in names]
    # A path beside one for all below takes the methods of that one with it, and says of them what that one says.
    of_route = {item["summary"]: said_before[item["operationId"]] for item in before.values()}
    for where in of_others - kept:
        assert said_after[after[where]["operationId"]] == of_route[after[where]["summary"]]


@pytest.mark.parametrize("route", [key for key in SPEC["routes"] if key not in CACHED and not key.startswith("WS ")])
def test_a_route_that_is_added_changes_no_branch_of_the_policy(route: str) -> None:
    before, after = branches(without(route)), branches(everything())
    assert before
    assert before <= after


@pytest.mark.parametrize("route", CACHED)
def test_a_second_way_to_cache_moves_the_first_into_a_policy_of_its_operation(route: str) -> None:
    """``cache-lookup`` may stand only once in a section: this is the one thing of a route that another one moves."""
    assert not [item for item in of_type(without(route), "apimanagement:ApiOperationPolicy") if "get-" in item.name]
    own = [item.inputs["operationId"] for item in of_type(everything(), "apimanagement:ApiOperationPolicy")]
    assert sorted(own) == ["get-items", "get-items-mine", "onHandshake"]


def test_a_websocket_that_is_added_is_an_api_of_its_own_and_changes_nothing() -> None:
    before, after = without("WS /live"), everything()
    there = {item.urn: item for item in after.resources}
    assert [item for item in before.resources if there[item.urn] != item] == []
    new = [item for item in after.resources if item.urn not in {one.urn for one in before.resources}]
    assert [item.type.rpartition(":")[2] for item in new] == ["WebSocketApi", "Api", "ApiOperationPolicy"]


# -- the same every time -----------------------------------------------------------------------------------------------

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from azure_stacks import STACKS, everything, planned
from edgewright.plan.show_json import text
for plan in (everything(), *(planned(stack) for stack in STACKS)):
    sys.stdout.write(text(plan))
"""


def _of_a_process(seed: str) -> str:
    command = [sys.executable, "-c", _PROGRAM, str(REPOSITORY / "tests")]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY / "infra")}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=600).stdout


def test_plans_of_two_processes_are_the_same_to_the_byte() -> None:
    first, second = _of_a_process("1"), _of_a_process("2")
    assert first == second
    assert first.startswith(json_text(everything()))
