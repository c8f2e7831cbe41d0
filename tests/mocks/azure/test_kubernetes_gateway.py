"""Gateways and services in Kubernetes as components: what is placed, where, with which rights, and what is refused."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_kubernetes
import pytest
from pulumi.runtime.stack import register_stack_transformation

from edgewright.azure.kubernetes_gateway import OBJECTS, KubernetesGateway, balancer_address
from edgewright.azure.kubernetes_services import ECHO_IMAGE, KubernetesServices
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import record
from edgewright.plan.sdk_types import validate
from kubernetes_objects_check import (
    VERSIONS,
    Network,
    Outside,
    objects_of,
    pods_of,
    restricted_problems,
    schema_problems,
    wiring_problems,
)

CLUSTER = "/subscriptions/s/resourceGroups/edge/providers/Microsoft.ContainerService/managedClusters/edge"
IDENTITY = {"name": "own", "resource_group_name": "identities", "client_id": "client", "principal_id": "principal"}
BACKENDS = {"services": {"namespace": "edge-services", "ports": [8080, 9000]}}


@dataclass(frozen=True)
class Case:
    """A component with arguments that use all of it; unknown: those that may be Outputs; override: one that it takes."""

    module: str
    name: str
    args: Mapping[str, Any]
    unknown: tuple[str, ...]
    override: tuple[str, Mapping[str, Any]]

    def make(self, **more: Any) -> Any:
        kind = getattr(importlib.import_module(f"edgewright.azure.{self.module}"), self.name)
        given = {**self.args, **more}
        return kind("it", {key: value for key, value in given.items() if value is not None})

    def __str__(self) -> str:
        return self.name


GATEWAY = Case(
    "kubernetes_gateway",
    "KubernetesGateway",
    {
        "resource_group_name": "edge",
        "location": "westeurope",
        "service_name": "shop",
        "gateway_id": "aks",
        "oidc_issuer_url": "https://westeurope.oic.prod-aks.azure.com/t/c/",
        "image_tag": "2.13.0",
        "kubeconfig": "apiVersion: v1",
        "cluster_id": CLUSTER,
        "load_balancer": {"internal": True, "subnet_name": "balancers", "source_ranges": ["203.0.113.0/24"]},
        "destinations": BACKENDS,
        "backup": {},
        "settings": {"telemetry.logs.std.level": "debug"},
        "tags": {"team": "edge"},
    },
    ("resource_group_name", "location", "service_name", "gateway_id", "oidc_issuer_url", "kubeconfig", "cluster_id"),
    ("deployment", {"metadata": {"name": "gateway", "namespace": "api-gateway", "annotations": {"said": "by hand"}}}),
)
SERVICES = Case(
    "kubernetes_services",
    "KubernetesServices",
    {
        "services": {"orders": {}, "payments": {"image": "registry.example/pay:1.2", "port": 9000, "replicas": 3}},
        "kubeconfig": "apiVersion: v1",
        "cluster_id": CLUSTER,
    },
    ("kubeconfig", "cluster_id"),
    ("services.orders", {"metadata": {"name": "orders", "namespace": "edge-services", "labels": {"said": "by-hand"}}}),
)
CASES = (GATEWAY, SERVICES)


def recorded(case: Case, **more: Any) -> tuple[Resource, ...]:
    return record(lambda: case.make(**more), project="edgewright", stack="test").resources


def inputs(resources: tuple[Resource, ...], name: str) -> Mapping[str, Any]:
    """Of the one with a name, without the component's own."""
    return next(item.inputs for item in resources if item.custom and item.name == f"it-{name}")


def outputs(program: Callable[[], Mapping[str, Any]], *, preview: bool = False) -> Mapping[str, Any]:
    def run() -> None:
        for name, value in program().items():
            pulumi.export(name, value)

    return record(run, project="edgewright", stack="test", preview=preview).outputs


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_it_makes_is_what_the_sdk_takes(case: Case) -> None:
    resources = recorded(case)
    assert len([item for item in resources if item.type.startswith("kubernetes:")]) >= 11
    assert validate(resources) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_recorded_is_valid_in_each_version_of_kubernetes(case: Case, version: str) -> None:
    found = objects_of(recorded(case))
    assert {item["kind"] for item in found} >= {"Namespace", "Deployment", "Service", "NetworkPolicy"}
    assert schema_problems(found, version) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_typo_in_an_override_is_found_by_the_schemas(case: Case) -> None:
    attribute = case.override[0]
    found = objects_of(recorded(case, overrides={attribute: {"spec": {"replcas": 3}}}))
    assert [problem for problem in schema_problems(found, "1.34") if "replcas" in problem or "required" in problem]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_recorded_refers_to_what_is_there_and_fits_its_namespace(case: Case) -> None:
    found = objects_of(recorded(case))
    assert wiring_problems(found) == []
    pods = [item["spec"]["template"]["spec"] for item in found if item["kind"] == "Deployment"]
    assert [restricted_problems(pod) for pod in pods] == [[]] * len(pods)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_stands_below_the_component(case: Case) -> None:
    resources = recorded(case)
    parts = [item for item in resources if not item.custom]
    assert [item.type for item in parts] == [f"edgewright:azure:{case.name}"]
    assert {item.parent for item in resources if item.custom} == {parts[0].urn}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_may_be_unknown_in_a_preview(case: Case) -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        case.make(**dict.fromkeys(case.unknown, other.id))

    found = record(program, project="edgewright", stack="test", preview=True).resources
    assert {item.name for item in found} - {"other"} == {item.name for item in recorded(case)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_raw_input_may_be_overridden(case: Case) -> None:
    attribute, wanted = case.override
    field, value = next(iter(wanted.items()))
    assert [item for item in recorded(case, overrides={attribute: wanted}) if item.inputs.get(field) == value]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_override_of_what_is_not_there_is_refused_with_what_is(case: Case) -> None:
    with pytest.raises(ArgumentsError, match=f"`nothing`.*{case.override[0]}"):
        recorded(case, overrides={"nothing": {}})


@pytest.mark.parametrize("case", CASES, ids=str)
def test_objects_wait_for_their_namespace(case: Case) -> None:
    resources = recorded(case)
    space = next(item.urn for item in resources if item.type == "kubernetes:core/v1:Namespace")
    for item in resources:
        if item.type.startswith("kubernetes:") and item.urn != space:
            assert space in item.dependencies, item.name


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pods_wait_for_the_policies_that_close_them(case: Case) -> None:
    resources = recorded(case)
    named = {item.urn: item.type for item in resources}
    for item in resources:
        if item.type.endswith(":Deployment"):
            assert [named[urn] for urn in item.dependencies].count("kubernetes:networking.k8s.io/v1:NetworkPolicy") == 2


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_kubeconfig_is_a_secret_and_only_another_cluster_replaces_objects(case: Case) -> None:
    provider = inputs(recorded(case), "kubernetes")
    assert provider["kubeconfig"] == "[secret]"
    assert provider["clusterIdentifier"] == CLUSTER


@pytest.mark.parametrize("case", CASES, ids=str)
def test_without_a_kubeconfig_and_a_provider_it_is_refused(case: Case) -> None:
    with pytest.raises(ArgumentsError, match="none is assumed"):
        recorded(case, kubeconfig=None, cluster_id=None)


@pytest.mark.parametrize("how", ["provider", "list", "map", "parent"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_provider_may_come_with_the_options(case: Case, how: str) -> None:
    kind: Any = {"KubernetesGateway": KubernetesGateway, "KubernetesServices": KubernetesServices}[case.name]
    args: Any = {key: value for key, value in case.args.items() if key not in ("kubeconfig", "cluster_id")}

    def program() -> None:
        provider = pulumi_kubernetes.Provider("cluster", kubeconfig="apiVersion: v1")
        ways = {
            "provider": lambda: pulumi.ResourceOptions(provider=provider),
            "list": lambda: pulumi.ResourceOptions(providers=[provider]),
            "map": lambda: pulumi.ResourceOptions(providers={"kubernetes": provider}),
            "parent": lambda: pulumi.ResourceOptions(
                parent=pulumi.ComponentResource(
                    "test:Parent", "above", None, pulumi.ResourceOptions(providers=[provider])
                )
            ),
        }
        found = kind("it", args, ways[how]())
        assert found.provider is None
        assert (found.deployment if case is GATEWAY else found.deployments["orders"])._provider is provider

    resources = record(program, project="edgewright", stack="test").resources
    providers = [item.name for item in resources if item.type == "pulumi:providers:kubernetes"]
    assert providers == ["cluster"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_namespace_that_is_there_is_not_made(case: Case) -> None:
    kinds = {item["kind"] for item in objects_of(recorded(case, create_namespace=False))}
    assert "Namespace" not in kinds
    assert "Deployment" in kinds


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_argument_that_nobody_knows_is_refused(case: Case) -> None:
    with pytest.raises(ArgumentsError, match="has no `replicsa`"):
        recorded(case, replicsa=3)


# -- the gateway -------------------------------------------------------------------------------------------------------


def test_entra_trusts_the_one_account_of_the_one_cluster() -> None:
    resources = recorded(GATEWAY)
    assert inputs(resources, "federation") == {
        "resourceGroupName": "edge",
        "resourceName": "${managedidentity.UserAssignedIdentity it-identity.name}",
        "issuer": "https://westeurope.oic.prod-aks.azure.com/t/c/",
        "subject": "system:serviceaccount:api-gateway:gateway",
        "audiences": ["api://AzureADTokenExchange"],
    }
    account = next(item for item in objects_of(resources) if item["kind"] == "ServiceAccount")["metadata"]
    assert (account["namespace"], account["name"]) == ("api-gateway", "gateway")


def test_the_trust_names_the_account_where_it_is_said_to_be() -> None:
    resources = recorded(GATEWAY, namespace="edge-eu", name="shop-gateway")
    assert inputs(resources, "federation")["subject"] == "system:serviceaccount:edge-eu:shop-gateway"
    account = next(item for item in objects_of(resources) if item["kind"] == "ServiceAccount")["metadata"]
    assert (account["namespace"], account["name"]) == ("edge-eu", "shop-gateway")


def test_pods_have_the_identity_and_wait_for_the_trust() -> None:
    resources = recorded(GATEWAY)
    account = inputs(resources, "service-account")["metadata"]
    client = "${managedidentity.UserAssignedIdentity it-identity.clientId}"
    assert account["annotations"] == {"azure.workload.identity/client-id": client}
    deployment = next(item for item in resources if item.name == "it-deployment")
    pod = deployment.inputs["spec"]["template"]
    for labels in (account["labels"], pod["metadata"]["labels"]):
        assert labels["azure.workload.identity/use"] == "true"
    assert any(urn.endswith("::it-federation") for urn in deployment.dependencies)


def test_an_existing_identity_is_used_and_only_trusted() -> None:
    resources = recorded(GATEWAY, identity=IDENTITY)
    assert not [item for item in resources if item.type.endswith(":UserAssignedIdentity")]
    federation = inputs(resources, "federation")
    assert (federation["resourceGroupName"], federation["resourceName"]) == ("identities", "own")
    annotations = inputs(resources, "service-account")["metadata"]["annotations"]
    assert annotations == {"azure.workload.identity/client-id": "client"}


def test_the_identity_is_there_for_the_roles_of_the_registration() -> None:
    def program() -> Mapping[str, Any]:
        found = GATEWAY.make()
        return {"client": found.identity_client_id, "principal": found.identity_principal_id}

    made = "${managedidentity.UserAssignedIdentity it-identity."
    assert outputs(program) == {"client": made + "clientId}", "principal": made + "principalId}"}


def test_an_existing_identity_is_there_for_them_too() -> None:
    def program() -> Mapping[str, Any]:
        return {"principal": GATEWAY.make(identity=IDENTITY).identity_principal_id}

    assert outputs(program) == {"principal": "principal"}


def test_nothing_of_the_settings_is_secret_and_there_is_no_secret_at_all() -> None:
    resources = recorded(GATEWAY)
    found = objects_of(resources)
    assert "Secret" not in {item["kind"] for item in found}
    data = next(item for item in found if item["kind"] == "ConfigMap")["data"]
    assert set(data) == {
        "config.service.auth",
        "config.service.endpoint",
        "gateway.name",
        "neighborhood.host",
        "telemetry.logs.local",
        "telemetry.logs.std",
        "telemetry.logs.std.level",
        "telemetry.metrics.local",
    }
    assert data["config.service.auth"] == "workloadIdentity"
    assert data["config.service.endpoint"] == "shop.configuration.azure-api.net"
    assert data["telemetry.logs.std.level"] == "debug"


def test_another_service_rolls_the_gateways() -> None:
    def checksum(service: str) -> str:
        spec = inputs(recorded(GATEWAY, service_name=service), "deployment")["spec"]
        return spec["template"]["metadata"]["annotations"]["checksum/settings"]

    assert checksum("shop") == checksum("shop") != checksum("other")


def test_the_address_is_empty_while_there_is_none_and_unknown_in_a_preview() -> None:
    def program() -> Mapping[str, Any]:
        return {"address": GATEWAY.make().address}

    assert outputs(program) == {"address": ""}
    assert outputs(program, preview=True) == {"address": "[unknown]"}


STATUSES: list[tuple[Any, str]] = [
    (None, ""),
    ({}, ""),
    ({"loadBalancer": None}, ""),
    ({"loadBalancer": {}}, ""),
    ({"loadBalancer": {"ingress": []}}, ""),
    ({"loadBalancer": {"ingress": [{}]}}, ""),
    ({"loadBalancer": {"ingress": [{"ip": "20.1.2.3"}]}}, "20.1.2.3"),
    ({"load_balancer": {"ingress": [{"hostname": "edge.example"}]}}, "edge.example"),
    (SimpleNamespace(load_balancer=None), ""),
    (
        SimpleNamespace(load_balancer=SimpleNamespace(ingress=[SimpleNamespace(ip="10.0.3.4", hostname=None)])),
        "10.0.3.4",
    ),
]


@pytest.mark.parametrize(("status", "address"), STATUSES, ids=[str(status) for status, _ in STATUSES])
def test_the_address_is_read_from_whatever_status_there_is(status: Any, address: str) -> None:
    assert balancer_address(status) == address


def test_the_plain_gateway_is_public_by_https_alone() -> None:
    service = inputs(recorded(GATEWAY, load_balancer=None), "service")["spec"]
    assert service["type"] == "LoadBalancer"
    assert [(port["port"], port["targetPort"]) for port in service["ports"]] == [(443, "https")]


def test_the_balancer_takes_names_that_are_only_known_later() -> None:
    def program() -> None:
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        GATEWAY.make(load_balancer={"public_ip_name": other.id, "public_ip_resource_group": "network"})

    found = record(program, project="edgewright", stack="test").resources
    annotations = inputs(found, "service")["metadata"]["annotations"]
    assert annotations["service.beta.kubernetes.io/azure-pip-name"] == "${index.Thing other.id}"


def test_objects_go_to_the_cluster_of_the_kubeconfig() -> None:
    def program() -> None:
        found = GATEWAY.make()
        assert all(getattr(found, attribute)._provider is found.provider for attribute in ("namespace", *OBJECTS))

    record(program, project="edgewright", stack="test")


def ignored(**more: Any) -> list[str]:
    """What an update of the Deployment leaves as it is."""
    found: list[str] = []

    def see(args: pulumi.ResourceTransformationArgs) -> None:
        if args.type_ == "kubernetes:apps/v1:Deployment":
            found.extend(args.opts.ignore_changes or [])

    def program() -> None:
        register_stack_transformation(see)
        GATEWAY.make(**more)

    record(program, project="edgewright", stack="test")
    return found


def test_an_update_does_not_set_back_what_the_autoscaler_chose() -> None:
    assert ignored() == ["spec.replicas"]
    assert ignored(max_replicas=3) == []


def test_replicas_are_the_autoscalers_and_both_say_three() -> None:
    resources = recorded(GATEWAY)
    assert inputs(resources, "deployment")["spec"]["replicas"] == 3
    assert inputs(resources, "autoscaler")["spec"]["minReplicas"] == 3


def test_development_has_one_gateway_and_no_autoscaler() -> None:
    resources = recorded(GATEWAY, profile="development")
    assert inputs(resources, "deployment")["spec"]["replicas"] == 1
    assert "it-autoscaler" not in {item.name for item in resources}
    with pytest.raises(ArgumentsError, match="overrides has no `autoscaler`"):
        recorded(GATEWAY, profile="development", overrides={"autoscaler": {}})


def test_every_object_is_an_attribute() -> None:
    def program() -> None:
        found = GATEWAY.make()
        for attribute, kind in OBJECTS.items():
            assert isinstance(getattr(found, attribute), kind)

    record(program, project="edgewright", stack="test")


GATEWAY_REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"service_name": None}, "`service_name` is missing"),
    ({"oidc_issuer_url": None}, "`oidc_issuer_url` is missing"),
    ({"service_name": "1shop"}, "service_name is '1shop'"),
    ({"gateway_id": "a gateway"}, "gateway_id is 'a gateway'"),
    ({"oidc_issuer_url": "http://issuer"}, "begins with https"),
    ({"image_tag": "v2"}, "image_tag is 'v2'"),
    ({"replicas": 2}, "in production there are 3 or more"),
    ({"profile": "test"}, "there is no profile `test`"),
    ({"kubeconfig": None}, "`cluster_id` goes with `kubeconfig`"),
    ({"load_balancer": {"private": True}}, "load_balancer has no `private`"),
    ({"load_balancer": {"internal": True, "public_ip_name": "ip"}}, "names a public address"),
    ({"backup": {"where": "here"}}, "backup has no `where`"),
    ({"identity": {"name": "own"}}, "identity needs `client_id`"),
    ({"destinations": {"a": {"namespace": "shop"}}}, "destinations.a needs `ports`"),
    ({"destinations": {"a": {"ports": [80]}}}, "one of `namespace` and `cidr`"),
    ({"settings": {"config.service.auth": "GatewayKey x"}}, "which is written here"),
    ({"settings": {"own.secret": "x"}}, "sounds secret"),
    ({"namespace": "kube-system"}, "name one of its own"),
]


@pytest.mark.parametrize(("change", "said"), GATEWAY_REFUSED, ids=[said for _, said in GATEWAY_REFUSED])
def test_a_gateway_that_cannot_be_is_refused_before_anything_is_made(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ArgumentsError, match=said):
        recorded(GATEWAY, **change)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ArgumentsError) as refused:
        recorded(GATEWAY, image_tag="2", replicas=1, gateway_id="a b", load_balancer={"subnet_name": "x"})
    assert len(refused.value.problems) == 4


# -- services ----------------------------------------------------------------------------------------------------------


def test_services_say_their_urls_and_where_a_gateway_has_to_be_let() -> None:
    def program() -> Mapping[str, Any]:
        found = SERVICES.make()
        return {"urls": found.urls, "destinations": found.destinations}

    assert outputs(program) == {
        "urls": {
            "orders": "http://orders.edge-services.svc.cluster.local:8080",
            "payments": "http://payments.edge-services.svc.cluster.local:9000",
        },
        "destinations": {"it": {"namespace": "edge-services", "ports": [8080, 9000]}},
    }


def test_a_service_without_an_image_is_the_echo_and_another_is_its_image() -> None:
    found = objects_of(recorded(SERVICES))
    pods = {
        item["metadata"]["name"]: item["spec"]["template"]["spec"]["containers"][0]
        for item in found
        if item["kind"] == "Deployment"
    }
    assert (pods["orders"]["image"], pods["orders"]["command"]) == (ECHO_IMAGE, ["python3", "/srv/echo.py"])
    assert "@sha256:" in ECHO_IMAGE
    assert pods["payments"]["image"] == "registry.example/pay:1.2"
    assert "command" not in pods["payments"]
    script = next(item for item in found if item["kind"] == "ConfigMap")
    assert "class Echo" in script["data"]["echo.py"]
    compile(script["data"]["echo.py"], "echo.py", "exec")


def test_without_an_echo_there_is_no_script() -> None:
    found = objects_of(recorded(SERVICES, services={"payments": {"image": "registry.example/pay:1.2"}}))
    assert "ConfigMap" not in {item["kind"] for item in found}


def test_services_have_no_address_outside_of_the_cluster() -> None:
    kinds = {item["spec"]["type"] for item in objects_of(recorded(SERVICES)) if item["kind"] == "Service"}
    assert kinds == {"ClusterIP"}


def test_together_clients_reach_gateways_and_gateways_services_and_nobody_goes_round() -> None:
    found = [*objects_of(recorded(GATEWAY)), *objects_of(recorded(SERVICES))]
    network = Network(found)
    pods = {pod.labels["app.kubernetes.io/instance"]: pod for pod in pods_of(found)}
    client, stranger = Outside("203.0.113.9"), Outside("192.0.2.1")
    assert network.served(client, "gateway", 443)
    assert not network.served(stranger, "gateway", 443)
    assert network.served(pods["gateway"], "orders", 8080)
    assert network.served(pods["gateway"], "payments", 9000)
    assert not network.served(client, "orders", 8080)
    assert not network.served(pods["orders"], "payments", 9000)
    assert not network.may(pods["orders"], Outside("20.50.1.1"), 443)


def test_a_gateway_that_is_not_let_out_to_services_reaches_none() -> None:
    found = [*objects_of(recorded(GATEWAY, destinations=None)), *objects_of(recorded(SERVICES))]
    gateway = next(pod for pod in pods_of(found) if pod.namespace == "api-gateway")
    assert not Network(found).served(gateway, "orders", 8080)


SERVICES_REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"services": {}}, "`services` is empty"),
    ({"services": {"a": {"ports": 1}}}, "services.a has no `ports`"),
    ({"services": {"a": {"port": 80}}}, "below 1024 only root"),
    ({"services": {"A": {}}}, "the name of services.A"),
    ({"services": {"a": {"image": "pay"}}}, "a tag or a digest"),
    ({"namespace": "default"}, "name one of its own"),
    ({"namespace": "api-gateway"}, "services need one of their own"),
    ({"kubeconfig": None}, "`cluster_id` goes with `kubeconfig`"),
]


@pytest.mark.parametrize(("change", "said"), SERVICES_REFUSED, ids=[said for _, said in SERVICES_REFUSED])
def test_services_that_cannot_be_are_refused_before_anything_is_made(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ArgumentsError, match=said):
        recorded(SERVICES, **change)
