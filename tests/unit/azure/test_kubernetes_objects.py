"""The objects of gateways and services: valid for each version, wired, restricted, and closed but for what is needed."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgewright.azure import kubernetes_cluster_rules as rules
from edgewright.azure import kubernetes_echo
from edgewright.azure import kubernetes_objects as objects
from edgewright.azure.kubernetes_objects import Backup, Balancer, Destination, GatewaySettings, ServiceSettings
from kubernetes_objects_check import (
    VERSIONS,
    Network,
    Outside,
    OwnNode,
    Pod,
    copied,
    named,
    pods_of,
    restricted_problems,
    schema_problems,
    wiring_problems,
)

PLAIN = GatewaySettings(
    name="gateway",
    namespace="api-gateway",
    gateway_id="aks",
    endpoint="shop.configuration.azure-api.net",
    client_id="11111111-2222-3333-4444-555555555555",
    image_tag="2.13.0",
    destinations={"services": Destination(namespace="edge-services", ports=(8080, 9000))},
)
FULL = replace(
    PLAIN,
    image_digest="sha256:" + "a" * 64,
    http=True,
    balancer=Balancer(
        internal=True,
        subnet_name="balancers",
        address="10.0.3.4",
        source_ranges=("203.0.113.0/24", "198.51.100.0/24"),
        idle_timeout_minutes=30,
    ),
    destinations={**PLAIN.destinations, "old": Destination(cidr="10.9.0.0/24", ports=(8443,))},
    redis_port=6380,
    backup=Backup(),
    settings={"net.server.http.forwarded.proto.enabled": "true"},
)
ORDERS = ServiceSettings(
    name="orders", namespace="edge-services", image="mcr.microsoft.com/echo:1.2", files_name="echo"
)
PAYMENTS = ServiceSettings(name="payments", namespace="edge-services", image="registry.example/pay:1", port=9000)


def gateway(given: GatewaySettings = PLAIN) -> list[dict[str, Any]]:
    data = objects.gateway_environment(given)
    digest = objects.digest(data)
    made = objects.gateway_objects(given, objects.config_name(given.name, digest), digest)
    return [objects.namespace(given.namespace), *made.values()]


def services() -> list[dict[str, Any]]:
    return [
        objects.namespace("edge-services"),
        objects.default_deny("default-deny", "edge-services", {}),
        objects.config_map("echo", "edge-services", {}, {"echo.py": "pass"}),
        *(
            body
            for item in (ORDERS, PAYMENTS)
            for body in objects.service_objects(item, gateway_namespace="api-gateway").values()
        ),
    ]


def one(kind: str, found: list[dict[str, Any]], name: str = "gateway") -> dict[str, Any]:
    return next(item for item in found if item["kind"] == kind and item["metadata"]["name"] == name)


def pod_of(found: list[dict[str, Any]], name: str = "gateway") -> dict[str, Any]:
    return one("Deployment", found, name)["spec"]["template"]


ALL = [*gateway(FULL), *services()]


# -- Kubernetes' own schemas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_in_each_version_of_kubernetes(version: str) -> None:
    assert schema_problems([*ALL, *gateway(PLAIN)], version) == []


def typo(found: dict[str, Any]) -> None:
    found["spec"]["template"]["spec"]["containers"][0]["imagePulPolicy"] = "Always"


def text_for_number(found: dict[str, Any]) -> None:
    found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = "60"


def no_selector(found: dict[str, Any]) -> None:
    del found["spec"]["selector"]


def no_container_name(found: dict[str, Any]) -> None:
    del found["spec"]["template"]["spec"]["containers"][0]["name"]


def list_for_map(found: dict[str, Any]) -> None:
    found["metadata"]["labels"] = ["a"]


@pytest.mark.parametrize("change", [typo, text_for_number, no_selector, no_container_name, list_for_map])
def test_the_schemas_find_what_is_wrong_with_a_deployment(change: Callable[[dict[str, Any]], None]) -> None:
    deployment = copied([one("Deployment", ALL)])[0]
    change(deployment)
    assert len(schema_problems([deployment], "1.34")) == 1


@pytest.mark.parametrize("kind", sorted({item["kind"] for item in ALL}))
def test_the_schemas_find_a_field_too_much_in_each_kind(kind: str) -> None:
    found = copied([next(item for item in ALL if item["kind"] == kind)])[0]
    found.setdefault("spec" if "spec" in found else "metadata", {})["nothing"] = 1
    assert "nothing" in schema_problems([found], "1.34")[0]


# -- what refers to what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [PLAIN, FULL], ids=["plain", "full"])
def test_selectors_ports_and_names_lead_to_what_is_there(given: GatewaySettings) -> None:
    assert wiring_problems([*gateway(given), *services()]) == []


def other_label(found: list[dict[str, Any]]) -> None:
    pod_of(found)["metadata"]["labels"]["app.kubernetes.io/instance"] = "other"


def other_port(found: list[dict[str, Any]]) -> None:
    pod_of(found)["spec"]["containers"][0]["ports"][1]["name"] = "tls"


def other_protocol(found: list[dict[str, Any]]) -> None:
    pod_of(found)["spec"]["containers"][0]["ports"][2]["protocol"] = "TCP"


def other_config(found: list[dict[str, Any]]) -> None:
    pod_of(found)["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"] = "gone"


def other_target(found: list[dict[str, Any]]) -> None:
    one("HorizontalPodAutoscaler", found)["spec"]["scaleTargetRef"]["name"] = "gone"


def other_account(found: list[dict[str, Any]]) -> None:
    pod_of(found)["spec"]["serviceAccountName"] = "default"


@pytest.mark.parametrize("change", [other_label, other_port, other_protocol, other_config, other_target, other_account])
def test_a_reference_that_leads_nowhere_is_found(change: Callable[[list[dict[str, Any]]], None]) -> None:
    found = copied(gateway())
    change(found)
    assert wiring_problems(found)


def test_container_service_probe_and_policy_have_the_same_ports() -> None:
    found = gateway(FULL)
    pod = pods_of(found)[0]
    served = {pod.ports[port["targetPort"]][0] for port in one("Service", found)["spec"]["ports"]}
    policy = one("NetworkPolicy", found)["spec"]
    opened = {port["port"] for rule in policy["ingress"] for port in rule["ports"] if port["protocol"] == "TCP"}
    assert served == opened == {8080, 8081}
    container = pod_of(found)["spec"]["containers"][0]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert (pod.ports[asked["port"]][0], asked["path"]) == (8080, "/status-0123456789abcdef")


# -- the gateway -------------------------------------------------------------------------------------------------------


def test_workload_identity_is_on_the_account_and_on_the_pod() -> None:
    found = gateway()
    account = one("ServiceAccount", found)
    assert account["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert account["metadata"]["annotations"] == {"azure.workload.identity/client-id": PLAIN.client_id}
    assert pod_of(found)["metadata"]["labels"]["azure.workload.identity/use"] == "true"


def test_no_token_of_kubernetes_is_mounted() -> None:
    for found in (gateway(), services()):
        for item in found:
            if item["kind"] == "Deployment":
                assert item["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    assert one("ServiceAccount", gateway())["automountServiceAccountToken"] is False


def test_pods_fit_the_level_that_their_namespaces_enforce() -> None:
    for item in ALL:
        if item["kind"] == "Deployment":
            assert restricted_problems(item["spec"]["template"]["spec"]) == [], named(item)
        if item["kind"] == "Namespace":
            assert item["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_pod_that_may_become_root_would_not_fit() -> None:
    spec = copied([pod_of(gateway())])[0]["spec"]
    spec["securityContext"]["runAsUser"] = 0
    spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert restricted_problems(spec) == ["privileges may grow", "it may run as root"]


def test_the_gateway_has_a_root_that_it_can_write_and_services_have_not() -> None:
    assert pod_of(gateway())["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is False
    assert pod_of(services(), "orders")["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_none_goes_before_another_came_and_what_is_open_may_end() -> None:
    deployment = one("Deployment", gateway())["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": 0}
    pod = deployment["template"]["spec"]
    sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    # Azure's probe of a node: every 5 seconds, twice.
    assert 10 < sleep < pod["terminationGracePeriodSeconds"] == 60


def test_a_start_may_take_five_minutes() -> None:
    probe = pod_of(gateway())["spec"]["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 300


def test_gateways_spread_over_zones_and_hosts_and_a_lost_zone_holds_none_back() -> None:
    spread = pod_of(gateway())["spec"]["topologySpreadConstraints"]
    assert [item["topologyKey"] for item in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert {item["whenUnsatisfiable"] for item in spread} == {"ScheduleAnyway"}


def test_each_gateway_asks_for_two_cores_and_two_gigabytes() -> None:
    resources = pod_of(gateway())["spec"]["containers"][0]["resources"]
    assert resources == {"limits": {"memory": "2Gi"}, "requests": {"cpu": "2", "memory": "2Gi"}}


def test_the_image_is_a_full_version_and_a_digest_if_given() -> None:
    image = "mcr.microsoft.com/azure-api-management/gateway:2.13.0"
    assert pod_of(gateway())["spec"]["containers"][0]["image"] == image
    assert pod_of(gateway(FULL))["spec"]["containers"][0]["image"] == f"{image}@sha256:{'a' * 64}"


def test_another_setting_is_another_config_map_and_rolls_the_pods() -> None:
    before, after = gateway(), gateway(replace(PLAIN, settings={"telemetry.logs.std.level": "debug"}))
    names = [
        next(item for item in found if item["kind"] == "ConfigMap")["metadata"]["name"] for found in (before, after)
    ]
    sums = [pod_of(found)["metadata"]["annotations"]["checksum/settings"] for found in (before, after)]
    assert names[0] != names[1]
    assert sums[0] != sums[1]
    assert names[0] == f"gateway-{sums[0][:10]}"


def test_the_same_settings_are_the_same_objects_whatever_their_order() -> None:
    there = {"telemetry.a": "1", "telemetry.b": "2"}
    back = dict(reversed(there.items()))
    texts = [json.dumps(gateway(replace(PLAIN, settings=given))) for given in (there, back)]
    assert texts[0] == texts[1]


def test_settings_are_sorted_and_say_how_the_gateway_logs_in() -> None:
    data = next(item for item in gateway() if item["kind"] == "ConfigMap")["data"]
    assert list(data) == sorted(data)
    assert data["config.service.auth"] == "workloadIdentity"
    assert data["config.service.endpoint"] == "shop.configuration.azure-api.net"
    assert data["gateway.name"] == "aks"
    assert data["neighborhood.host"] == "gateway-instance-discovery"


def test_discovery_finds_gateways_that_are_not_ready_too() -> None:
    spec = one("Service", gateway(), "gateway-instance-discovery")["spec"]
    assert spec["clusterIP"] == "None"
    assert spec["publishNotReadyAddresses"] is True
    assert {(port["port"], port["protocol"]) for port in spec["ports"]} == {(4290, "UDP"), (4291, "UDP")}


def test_only_https_is_open_unless_http_is_asked_for() -> None:
    assert [port["port"] for port in one("Service", gateway())["spec"]["ports"]] == [443]
    assert [port["port"] for port in one("Service", gateway(FULL))["spec"]["ports"]] == [80, 443]


def test_a_plain_balancer_is_public_and_keeps_the_addresses_of_clients() -> None:
    service = one("Service", gateway())
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert service["metadata"]["annotations"] == {
        "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "4"
    }
    assert "loadBalancerSourceRanges" not in service["spec"]


def test_an_internal_balancer_says_its_subnet_and_address() -> None:
    service = one("Service", gateway(FULL))
    assert service["metadata"]["annotations"] == {
        "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
        "service.beta.kubernetes.io/azure-load-balancer-internal-subnet": "balancers",
        "service.beta.kubernetes.io/azure-load-balancer-ipv4": "10.0.3.4",
        "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "30",
    }
    assert service["spec"]["loadBalancerSourceRanges"] == ["198.51.100.0/24", "203.0.113.0/24"]


def test_an_existing_public_address_is_named_with_its_group() -> None:
    given = Balancer(public_ip_name="edge-ip", public_ip_resource_group="network")
    annotations = objects.balancer_annotations(given)
    assert annotations["service.beta.kubernetes.io/azure-pip-name"] == "edge-ip"
    assert annotations["service.beta.kubernetes.io/azure-load-balancer-resource-group"] == "network"


def test_the_backup_is_shared_and_where_the_gateway_looks_for_it() -> None:
    found = gateway(FULL)
    claim = one("PersistentVolumeClaim", found)["spec"]
    assert claim["accessModes"] == ["ReadWriteMany"]
    assert claim["resources"]["requests"]["storage"] == "50Mi"
    assert pod_of(found)["spec"]["containers"][0]["volumeMounts"] == [{"mountPath": "/apim/config", "name": "config"}]
    assert pod_of(found)["spec"]["securityContext"]["fsGroup"] == 1001


def test_the_autoscaler_never_goes_below_what_is_asked_for() -> None:
    spec = one("HorizontalPodAutoscaler", gateway())["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
    fixed = gateway(replace(PLAIN, max_replicas=3))
    assert "HorizontalPodAutoscaler" not in {item["kind"] for item in fixed}


def test_one_gateway_at_a_time_is_disturbed() -> None:
    assert one("PodDisruptionBudget", gateway())["spec"]["maxUnavailable"] == 1


# -- who may reach whom ------------------------------------------------------------------------------------------------

CLIENT = Outside("203.0.113.9")
STRANGER = Outside("192.0.2.1")
AZURE = Outside("20.50.1.1")
MACHINE = Outside("169.254.169.254")
WIRE = Outside("168.63.129.16")
OLD = Outside("10.9.0.7")
NODE = OwnNode()
DNS = Pod("kube-system", {"k8s-app": "kube-dns"})
OTHER = Pod("kube-system", {"k8s-app": "metrics"})
NEIGHBOUR = Pod("shop", {"app.kubernetes.io/name": "web"})
GATEWAY = Pod("api-gateway", objects.gateway_labels(PLAIN), pods_of(gateway())[0].ports)
LIAR = Pod("shop", objects.gateway_labels(PLAIN))
SQUATTER = Pod("api-gateway", {"app": "other"})
ORDER = Pod("edge-services", objects.service_labels(ORDERS), {"http": (8080, "TCP")})
PAY = Pod("edge-services", objects.service_labels(PAYMENTS), {"http": (9000, "TCP")})

FLOWS: list[tuple[str, Any, Any, int, str, bool]] = [
    ("a client to the gateway by HTTPS", CLIENT, GATEWAY, 8081, "TCP", True),
    ("a client to the gateway by HTTP", CLIENT, GATEWAY, 8080, "TCP", False),
    ("a client to a service", CLIENT, ORDER, 8080, "TCP", False),
    ("a client to the counters", CLIENT, GATEWAY, 4290, "UDP", False),
    ("the gateway to a service", GATEWAY, ORDER, 8080, "TCP", True),
    ("the gateway to a service on another port", GATEWAY, PAY, 9000, "TCP", True),
    ("the gateway to a port that a service does not serve", GATEWAY, ORDER, 9000, "TCP", False),
    ("the gateway to DNS", GATEWAY, DNS, 53, "UDP", True),
    ("the gateway to DNS by TCP", GATEWAY, DNS, 53, "TCP", True),
    ("the gateway to what else is in kube-system", GATEWAY, OTHER, 53, "UDP", False),
    ("the gateway to Azure", GATEWAY, AZURE, 443, "TCP", True),
    ("the gateway to Azure in the clear", GATEWAY, AZURE, 80, "TCP", False),
    ("the gateway to the machine's credentials", GATEWAY, MACHINE, 443, "TCP", False),
    ("the gateway to the machine's settings", GATEWAY, WIRE, 443, "TCP", False),
    ("the gateway to Redis that nobody named", GATEWAY, AZURE, 6380, "TCP", False),
    ("a gateway to another's counters", GATEWAY, GATEWAY, 4290, "UDP", True),
    ("a gateway to another's heartbeat", GATEWAY, GATEWAY, 4291, "UDP", True),
    ("a neighbour to the counters", NEIGHBOUR, GATEWAY, 4290, "UDP", False),
    ("a neighbour to a service", NEIGHBOUR, ORDER, 8080, "TCP", False),
    ("a pod with the gateway's labels in another namespace, to a service", LIAR, ORDER, 8080, "TCP", False),
    ("a pod without the gateway's labels in its namespace, to a service", SQUATTER, ORDER, 8080, "TCP", False),
    ("a pod in the gateway's namespace, anywhere", SQUATTER, AZURE, 443, "TCP", False),
    ("a client to a pod in the gateway's namespace", CLIENT, SQUATTER, 8081, "TCP", False),
    ("a service to another", ORDER, PAY, 9000, "TCP", False),
    ("a service to anywhere", ORDER, AZURE, 443, "TCP", False),
    ("a service to the gateway", ORDER, GATEWAY, 8081, "TCP", False),
    ("the node's probe of the gateway", NODE, GATEWAY, 8080, "TCP", True),
    ("the node's probe of a service", NODE, ORDER, 8080, "TCP", True),
]


@pytest.mark.parametrize(
    ("source", "target", "port", "protocol", "wanted"), [f[1:] for f in FLOWS], ids=[f[0] for f in FLOWS]
)
def test_what_may_pass_passes_and_nothing_else(
    source: Any, target: Any, port: int, protocol: str, wanted: bool
) -> None:
    assert Network([*gateway(), *services()]).may(source, target, port, protocol) is wanted


NAMED: list[tuple[str, Any, Any, int, bool]] = [
    ("a named client by HTTPS", CLIENT, GATEWAY, 8081, True),
    ("a named client by HTTP, as asked for", CLIENT, GATEWAY, 8080, True),
    ("a stranger", STRANGER, GATEWAY, 8081, False),
    ("a neighbour, who has no address outside", NEIGHBOUR, GATEWAY, 8081, False),
    ("the gateway to a named range", GATEWAY, OLD, 8443, True),
    ("the gateway to another port there", GATEWAY, OLD, 8080, False),
    ("the gateway to Redis", GATEWAY, AZURE, 6380, True),
]


@pytest.mark.parametrize(("source", "target", "port", "wanted"), [f[1:] for f in NAMED], ids=[f[0] for f in NAMED])
def test_named_clients_destinations_and_a_cache_open_that_and_no_more(
    source: Any, target: Any, port: int, wanted: bool
) -> None:
    assert Network([*gateway(FULL), *services()]).may(source, target, port) is wanted


def test_the_balancer_serves_named_clients_on_its_ports() -> None:
    network = Network(gateway(FULL))
    assert network.served(CLIENT, "gateway", 443)
    assert network.served(CLIENT, "gateway", 80)
    assert not network.served(STRANGER, "gateway", 443)
    assert not network.served(CLIENT, "gateway", 8081)
    assert not Network(gateway()).served(CLIENT, "gateway", 80)


def test_without_the_denial_a_stray_pod_would_be_open_and_without_the_rule_the_gateway_closed() -> None:
    def without(name: str) -> Network:
        return Network(
            [item for item in gateway() if (item["kind"], item["metadata"]["name"]) != ("NetworkPolicy", name)]
        )

    assert without("gateway-default-deny").may(CLIENT, SQUATTER, 8081)
    assert not without("gateway").may(CLIENT, GATEWAY, 8081)


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"name": "Gateway"}, "name is 'Gateway'"),
    ({"name": "g" * 45}, "1 to 44"),
    ({"name": "1gateway"}, "a letter first"),
    ({"namespace": "default"}, "name one of its own"),
    ({"namespace": "kube-system"}, "name one of its own"),
    ({"image_tag": "2"}, "a full version"),
    ({"image_tag": "latest"}, "a full version"),
    ({"image_tag": "2.10.4"}, "needs 2.11.0"),
    ({"image_digest": "sha256:abc"}, "64 hexadecimal"),
    ({"replicas": 0}, "1 at least"),
    ({"max_replicas": 2}, "from replicas, 3"),
    ({"cpu_target": 100}, "from 1 to 95"),
    ({"cpu": "two"}, "a quantity of Kubernetes"),
    ({"memory": "2GB"}, "a quantity of Kubernetes"),
    ({"redis_port": 0}, "redis_port is 0"),
    ({"backup": Backup(size="much")}, "backup.size"),
    ({"balancer": Balancer(internal=True, public_ip_name="ip")}, "one of them"),
    ({"balancer": Balancer(subnet_name="balancers")}, "internal: True"),
    ({"balancer": Balancer(address="20.1.1.1", public_ip_name="ip")}, "follows from the name"),
    ({"balancer": Balancer(public_ip_resource_group="network")}, "needs `public_ip_name`"),
    ({"balancer": Balancer(address="10.0.0.300")}, "no IPv4 address"),
    ({"balancer": Balancer(internal=True, address="20.1.1.1")}, "an internal one is private"),
    ({"balancer": Balancer(source_ranges=("10.0.0.1/8",))}, "no range"),
    ({"balancer": Balancer(idle_timeout_minutes=3)}, "4 to 100"),
    ({"destinations": {"a": Destination(ports=(80,))}}, "one of `namespace` and `cidr`"),
    ({"destinations": {"a": Destination(ports=(), namespace="shop")}}, "ports is empty"),
    ({"destinations": {"a": Destination(ports=(0,), namespace="shop")}}, "no port"),
    ({"destinations": {"a": Destination(ports=(1,), namespace="Shop")}}, "destinations.a.namespace"),
    ({"destinations": {"a": Destination(ports=(1,), cidr="here")}}, "destinations.a.cidr"),
    ({"settings": {"config.service.auth": "GatewayKey x"}}, "which is written here"),
    ({"settings": {"certificates.local.password": "x"}}, "sounds secret"),
    ({"settings": {"config.service.auth.azureAd.clientSecret": "x"}}, "sounds secret"),
    ({"settings": {"telemetry logs": "x"}}, "no name of a setting"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_settings_that_cannot_be_are_said(change: Mapping[str, Any], said: str) -> None:
    found = objects.gateway_problems(replace(PLAIN, **change))
    assert len(found) == 1
    assert said in found[0]


def test_good_settings_have_no_problems() -> None:
    assert objects.gateway_problems(PLAIN) == []
    assert objects.gateway_problems(FULL) == []
    assert objects.service_problems(ORDERS) == []


def test_what_is_only_known_later_is_taken_as_right() -> None:
    later: Any = object()
    given = Balancer(internal=True, subnet_name=later, address=later)
    assert objects.gateway_problems(replace(PLAIN, balancer=given)) == []
    assert later in objects.balancer_annotations(given).values()


SERVICES_REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"name": "Orders"}, "the name of services.Orders"),
    ({"port": 80}, "below 1024 only root"),
    ({"path": "healthz"}, "begins with a slash"),
    ({"replicas": 0}, "1 at least"),
    ({"user": 0}, "root is not taken"),
    ({"image": "registry.example:5000/orders"}, "a tag or a digest"),
    ({"image": "orders:latest"}, "`latest` moves"),
    ({"memory": "lots"}, "services.orders.memory"),
]


@pytest.mark.parametrize(("change", "said"), SERVICES_REFUSED, ids=[said for _, said in SERVICES_REFUSED])
def test_a_service_that_cannot_be_is_said(change: Mapping[str, Any], said: str) -> None:
    found = objects.service_problems(replace(ORDERS, **change))
    assert [problem for problem in found if said in problem]


# -- the echo ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The program as a pod runs it: its file alone, with nothing else to import."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), "SERVICE": "orders", "HOSTNAME": "orders-1"}
    process = subprocess.Popen([sys.executable, "-I", str(Path(kubernetes_echo.__file__))], env=environment)
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    yield url
    process.terminate()
    assert process.wait(10) == 0


def test_the_echo_says_what_it_was_asked_and_hides_credentials(echo: str) -> None:
    headers = {"Authorization": "Bearer x", "Ocp-Apim-Subscription-Key": "k", "X-Request-Id": "7"}
    request = urllib.request.Request(f"{echo}/orders/1?page=2", data=b"{}", headers=headers, method="PUT")
    with urllib.request.urlopen(request, timeout=5) as answer:
        found = json.load(answer)
    assert (found["service"], found["pod"]) == ("orders", "orders-1")
    assert (found["method"], found["path"], found["query"]) == ("PUT", "/orders/1", {"page": ["2"]})
    assert found["body_bytes"] == 2
    assert found["headers"]["Authorization"] == found["headers"]["Ocp-Apim-Subscription-Key".title()] == "(hidden)"
    assert found["headers"]["X-Request-Id"] == "7"


def test_the_echo_refuses_a_large_body(echo: str) -> None:
    request = urllib.request.Request(echo, data=b"x" * (kubernetes_echo.LIMIT + 1))
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)):
        urllib.request.urlopen(request, timeout=5).close()


# -- a cluster's ranges ------------------------------------------------------------------------------------------------

POOLS = (rules.Pool("system", 3, 6), rules.Pool("user", 3, 6))
RANGES = {
    "subnet_cidr": "10.0.2.0/24",
    "network_cidr": "10.0.0.0/16",
    "pod_cidr": "10.244.0.0/16",
    "service_cidr": "10.245.0.0/16",
}
RANGES_REFUSED: list[tuple[Mapping[str, str], str]] = [
    ({"pod_cidr": "10.0.0.0/16"}, "overlap"),
    ({"service_cidr": "10.244.128.0/17"}, "overlap"),
    ({"subnet_cidr": "10.1.0.0/24"}, "is not in network_cidr"),
    ({"subnet_cidr": "10.0.2.0/29"}, "room for 3 nodes"),
    ({"pod_cidr": "10.244.0.0/21"}, "is too small"),
    ({"pod_cidr": "10.244.0.0/25"}, "is too small"),
    ({"service_cidr": "172.30.4.0/24"}, "uses by itself"),
    ({"service_cidr": "11.0.0.0/8"}, "too large"),
    ({"pod_cidr": "pods"}, "write a range"),
]


@pytest.mark.parametrize(
    ("change", "said"), RANGES_REFUSED, ids=[f"{said} {change}" for change, said in RANGES_REFUSED]
)
def test_ranges_that_cannot_be_are_said(change: Mapping[str, str], said: str) -> None:
    found = list(rules.range_problems({**RANGES, **change}, None, POOLS))
    assert [problem for problem in found if said in problem]


def test_good_ranges_have_no_problems_and_dns_has_the_tenth_address() -> None:
    address = rules.dns_service_ip(RANGES["service_cidr"])
    assert address == "10.245.0.10"
    assert list(rules.range_problems(RANGES, address, POOLS)) == []


@pytest.mark.parametrize("address", ["10.245.0.0", "10.245.0.1", "10.246.0.10", "10.245.255.255", "dns"])
def test_dns_has_an_address_of_services(address: str) -> None:
    assert len(list(rules.range_problems(RANGES, address, POOLS))) == 1


def test_nodes_while_pools_are_upgraded_are_counted() -> None:
    assert rules.Pool("user", 3, 6).peak == 8


# -- kubeconfig --------------------------------------------------------------------------------------------------------

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters:
- name: edge
  cluster: {server: "https://edge.example:443", certificate-authority-data: QQ==}
users:
- name: clusterUser
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: kubelogin, args: [ARGS]}
"""


@pytest.mark.parametrize(
    "given",
    [
        "get-token, --login, devicecode, --server-id, x",
        "get-token, --login=devicecode, --server-id, x",
        "get-token, --server-id, x",
    ],
)
def test_a_kubeconfig_logs_in_as_it_is_told(given: str) -> None:
    text = rules.kubeconfig(KUBECONFIG.replace("ARGS", given), "workloadidentity")
    assert "devicecode" not in text
    assert text.count("workloadidentity") == text.count("--login") == text.count("--server-id") == 1
    assert "https://edge.example:443" in text


@pytest.mark.parametrize("own", ["client-certificate-data: QQ==", "token: secret-text", "password: secret-text"])
def test_a_kubeconfig_with_credentials_is_refused_without_repeating_them(own: str) -> None:
    text = KUBECONFIG.replace("ARGS", "get-token") + f"    {own}\n"
    with pytest.raises(rules.KubeconfigError, match="local accounts") as refused:
        rules.kubeconfig(text, "azurecli")
    assert "secret-text" not in str(refused.value)


def test_what_stands_in_for_a_kubeconfig_stays_as_it_is() -> None:
    assert rules.kubeconfig("[secret]", "azurecli") == "[secret]"
