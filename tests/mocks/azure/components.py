"""Every Azure component with arguments that use all of it: what tests of what they have in common run over."""

import importlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from edgewright.plan.recorder import Call, Recording
from edgewright.plan.recorder import record as recorded
from edgewright.plan.tokens import SECRET
from mocks.unknowns import with_unknown

ZERO = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{ZERO}/resourceGroups/edge/providers"
SERVICE = f"{GROUP}/Microsoft.ApiManagement/service/shop"
WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/logs"
IDENTITY = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/edge"
NETWORK = f"{GROUP}/Microsoft.Network/virtualNetworks/edge"
VAULT_SECRET = "https://shop-vault.vault.azure.net/secrets/api"
POLICY = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
DOCUMENT = """{"openapi": "3.0.1", "info": {"title": "shop", "version": "1"}, "paths": {
  "/a": {"get": {"operationId": "get-a", "responses": {"200": {"description": "it"}}}}}}"""
PLACE = {"resource_group_name": "edge", "location": "westeurope"}
IN_SERVICE = {"resource_group_name": "edge", "service_name": "shop"}
BY_HAND = {"description": "said by hand"}

CALLS: Mapping[str, Call] = {
    "azure-native:apimanagement:listSubscriptionSecrets": lambda given: {"primaryKey": SECRET} if given else {},
    "azure-native:redisenterprise:listDatabaseKeys": lambda given: {"primaryKey": SECRET} if given else {},
    "azure-native:containerservice:listManagedClusterUserCredentials": lambda given: (
        {"kubeconfigs": [{"name": "clusterUser", "value": b64encode(b"kubeconfig").decode()}]} if given else {}
    ),
}
"""What functions of Azure that components call would answer."""


@dataclass(frozen=True, slots=True)
class Case:
    """A component: module and class, its arguments, and one override that it takes; more: arguments that are resources,
    made in the program."""

    module: str
    name: str
    args: Mapping[str, Any]
    override: tuple[str, Mapping[str, Any]]
    more: Callable[[], Mapping[str, Any]] = dict

    def make(self, options: pulumi.ResourceOptions | None = None, **more: Any) -> Any:
        """Place it."""
        return self.kind("it", {**self.args, **self.more(), **more}, options)

    def make_unknown(self) -> Any:
        """Place it with all unknown that may be."""
        return self.kind("it", {**with_unknown(self.hints, self.args), **self.more()}, None)

    @property
    def kind(self) -> Callable[..., Any]:
        return getattr(self._module, self.name)

    @property
    def hints(self) -> Any:
        return getattr(self._module, f"{self.name}Args")

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"edgewright.azure.{self.module}")

    def __str__(self) -> str:
        return self.name


def record(make: Callable[[], Any], *, preview: bool = False) -> Recording:
    return recorded(make, project="edgewright", stack="test", preview=preview, calls=CALLS)


def _redis() -> Mapping[str, Any]:
    """A Redis of ours, in place of a connection string."""
    from edgewright.azure.managed_redis import ManagedRedis

    endpoint = {"subnet_id": f"{NETWORK}/subnets/endpoints", "private_dns_zone_id": None}
    return {"redis": ManagedRedis("redis", {**PLACE, "private_endpoint": endpoint})}  # pyright: ignore[reportArgumentType]


CASES = (
    Case(
        "network",
        "Network",
        {
            **PLACE,
            "cidr": "10.0.0.0/16",
            "subnets": {
                "gateway": {
                    "cidr": "10.0.0.0/24",
                    "role": "integration",
                    "reaches": [{"name": "services", "peer": "services", "ports": ["8080"]}],
                },
                "services": {
                    "cidr": "10.0.1.0/24",
                    "role": "services",
                    "open_to": [{"name": "gateway", "peer": "10.0.0.0/24", "ports": ["8080"]}],
                },
                "nodes": {"cidr": "10.0.4.0/24", "role": "kubernetes", "pods": "10.244.0.0/16"},
                "old": {"cidr": "10.0.5.0/24", "role": "machines", "security_group_id": f"{GROUP}/group"},
            },
            "dns_servers": ["10.0.1.10"],
            "ddos_protection": True,
            "workspace_id": WORKSPACE,
        },
        ("virtual_network", {"flow_timeout_in_minutes": 10}),
    ),
    Case(
        "load_balancer",
        "LoadBalancer",
        {
            **PLACE,
            "subscription_id": ZERO,
            "workspace_id": WORKSPACE,
            "frontends": {
                "web": {"domain_name_label": "shop", "ddos_protection": True, "from_prefix_id": f"{GROUP}/prefix"},
                "queue": {"public_ip_address_id": f"{GROUP}/address"},
            },
            "pools": {"machines": {"addresses": {"one": {"ip_address": "10.0.1.4", "virtual_network_id": NETWORK}}}},
            "probes": {"alive": {"protocol": "Https", "port": 8443, "path": "/healthz"}},
            "rules": {
                "web": {
                    "frontend": "web",
                    "pools": ["machines"],
                    "probe": "alive",
                    "protocol": "Tcp",
                    "frontend_port": 443,
                    "backend_port": 8443,
                },
                "queue": {
                    "frontend": "queue",
                    "pools": ["machines"],
                    "probe": "alive",
                    "protocol": "Udp",
                    "frontend_port": 5000,
                    "backend_port": 5000,
                },
            },
            "nat_rules": {"ssh": {"frontend": "web", "backend_port": 22, "frontend_port": 2222}},
            "outbound_rules": {"out": {"frontends": ["web"], "pool": "machines", "machines": 10}},
        },
        ("public_ips.web", {"idle_timeout_in_minutes": 10}),
    ),
    Case(
        "private_dns_zone",
        "PrivateDnsZone",
        {
            "resource_group_name": "edge",
            "zone_name": "internal.shop.example",
            "links": {"edge": {"virtual_network_id": NETWORK, "registration": False}},
            "a_records": {"orders": {"addresses": ["10.0.1.5", "10.0.1.6"], "ttl": 60}},
            "cnames": {"shop": {"target": "orders.internal.shop.example", "ttl": 60}},
        },
        ("a_records.orders", {"ttl": 30}),
    ),
    Case(
        "api_management",
        "ApiManagement",
        {
            **PLACE,
            "publisher_name": "Edge",
            "publisher_email": "edge@shop.example",
            "tier": "Premium",
            "capacity": 2,
            "network": "internal",
            "subnet_id": f"{NETWORK}/subnets/gateway",
            "public_ip_address_id": f"{GROUP}/address",
            "zones": ["1", "2"],
            "additional_locations": [
                {"location": "northeurope", "capacity": 1, "subnet_id": f"{GROUP}/subnet", "public_ip_address_id": "ip"}
            ],
            "identities": [IDENTITY],
            "hosts": [
                {"host": "api.shop.example", "key_vault_secret_id": VAULT_SECRET, "identity_client_id": ZERO},
            ],
            "certificate_authorities": [{"store": "Root", "certificate": "MIIB"}],
            "workspace_id": WORKSPACE,
            "application_insights": {
                "id": f"{GROUP}/Microsoft.Insights/components/shop",
                "connection_string": "InstrumentationKey=1",
                "sampling": 50.0,
            },
        },
        ("diagnostics", {"storage_account_id": "said by hand"}),
    ),
    Case(
        "api",
        "Api",
        {
            **IN_SERVICE,
            "api_id": "shop",
            "display_name": "shop",
            "description": "of the shop",
            "openapi": DOCUMENT,
            "service_url": "https://shop.example",
            "version": {"set_id": f"{SERVICE}/apiVersionSets/shop", "name": "v2", "scheme": "Segment"},
            "revision": 2,
            "revision_description": "the second",
            "current": True,
            "policy": POLICY,
            "operation_policies": {"get-a": POLICY},
            "products": {"partners": {"display_name": "Partners", "clients": {"acme": "k" * 32, "globex": None}}},
        },
        ("api", BY_HAND),
    ),
    Case(
        "api_version_set",
        "ApiVersionSet",
        {
            **IN_SERVICE,
            "version_set_id": "shop",
            "display_name": "shop",
            "scheme": "Header",
            "header_name": "Api-Version",
            "description": "versions",
        },
        ("version_set", BY_HAND),
    ),
    Case(
        "api_backend",
        "Backend",
        {
            **IN_SERVICE,
            "backend_id": "orders",
            "title": "Orders",
            "url": "https://orders.example",
            "circuit_breaker": {
                "count": 5,
                "interval": "PT1M",
                "trip_duration": "PT30S",
                "status_ranges": [{"min": 500, "max": 599}],
            },
            "tls": {"validate_certificate_name": True},
            "credentials": {
                "authorization": {"scheme": "Basic", "parameter": "{{orders}}"},
                "headers": {"X-Key": "{{key}}"},
                "query": {"key": "{{key}}"},
                "certificate_ids": [f"{SERVICE}/certificates/orders"],
            },
        },
        ("backend", BY_HAND),
    ),
    Case(
        "named_value",
        "NamedValue",
        {**IN_SERVICE, "name": "orders", "key_vault": {"secret_id": VAULT_SECRET, "identity_client_id": ZERO}},
        ("named_value", {"display_name": "by-hand"}),
    ),
    Case(
        "policy_fragment",
        "PolicyFragment",
        {
            **IN_SERVICE,
            "fragment_id": "who",
            "value": '<fragment><set-header name="X-Who"><value>me</value></set-header></fragment>',
            "description": "who it is",
        },
        ("fragment", BY_HAND),
    ),
    Case(
        "product",
        "Product",
        {
            **IN_SERVICE,
            "product_id": "partners",
            "display_name": "Partners",
            "description": "of the shop",
            "subscriptions_limit": 3,
            "apis": {"shop": "shop"},
            "groups": ["developers"],
            "policy": POLICY,
        },
        ("product", {"terms": "said by hand"}),
    ),
    Case(
        "subscription",
        "Subscription",
        {
            **IN_SERVICE,
            "scope": f"{SERVICE}/products/partners",
            "sid": "acme",
            "display_name": "Acme",
            "primary_key": "k" * 32,
            "secondary_key": "l" * 32,
        },
        ("subscription", {"owner_id": "/users/said-by-hand"}),
    ),
    Case(
        "service_certificate",
        "ServiceCertificate",
        {
            **IN_SERVICE,
            "certificate_id": "api",
            "key_vault": {"secret_id": VAULT_SECRET, "identity_client_id": ZERO},
        },
        ("certificate", {"certificate_id": "by-hand"}),
    ),
    Case(
        "websocket_api",
        "WebSocketApi",
        {
            **IN_SERVICE,
            "api_id": "live",
            "path": "live",
            "display_name": "live",
            "description": "of the shop",
            "service_url": "ws://10.0.0.4:8080/live",
            "policy": POLICY,
        },
        ("api", BY_HAND),
    ),
    Case("external_cache", "ExternalCache", {**IN_SERVICE, "description": "ours"}, ("cache", BY_HAND), _redis),
    Case(
        "managed_redis",
        "ManagedRedis",
        {
            **PLACE,
            "sku": "Balanced_B1",
            "private_endpoint": {
                "subnet_id": f"{NETWORK}/subnets/endpoints",
                "private_dns_zone_id": f"{GROUP}/Microsoft.Network/privateDnsZones/privatelink.redis.azure.net",
            },
        },
        ("cluster", {"minimum_tls_version": "1.3"}),
    ),
    Case(
        "self_hosted_gateway",
        "SelfHostedGateway",
        {
            **IN_SERVICE,
            "gateway_id": "shop",
            "location_data": {"name": "scale set", "city": "Amsterdam"},
            "description": "ours",
            "apis": {"orders": "orders-api"},
            "hostnames": {"api": {"hostname": "api.shop.example", "certificate_id": f"{SERVICE}/certificates/api"}},
            "certificate_authorities": {"company": {"certificate_id": "company-root"}},
            "roles": {
                "subscription_id": ZERO,
                "service_principal_id": "service-principal",
                "app_principal_id": "app-principal",
            },
        },
        ("gateway", BY_HAND),
    ),
    Case(
        "gateway_scale_set",
        "GatewayScaleSet",
        {
            **PLACE,
            "subnet_id": f"{NETWORK}/subnets/gateway",
            "pool_ids": [f"{GROUP}/pool"],
            "machine": {
                "gateway_name": "shop",
                "service_name": "example-apim",
                "tenant_id": ZERO,
                "client_id": ZERO,
                "vault_name": "example-vault",
                "secret_name": "gateway-app",
                "image_tag": "2.13.0",
                "neighborhood_host": "gateways.internal.shop.example",
            },
            "ssh_public_key": "ssh-ed25519 AAAA",
            "subscription_id": ZERO,
            "vault_id": f"{GROUP}/Microsoft.KeyVault/vaults/example-vault/secrets/gateway-app",
            "size": "Standard_D4s_v5",
            "image": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"},
            "admin_username": "ops",
            "min_count": 3,
            "max_count": 9,
            "cpu_high": 60,
            "cpu_low": 20,
            "encryption_at_host": True,
        },
        ("autoscale", {"name": "by-hand"}),
    ),
    Case(
        "kubernetes_cluster",
        "KubernetesCluster",
        {
            **PLACE,
            "subscription_id": ZERO,
            "subnet_id": f"{NETWORK}/subnets/nodes",
            "subnet_cidr": "10.0.0.0/24",
            "network_cidr": "10.0.0.0/16",
            "kubernetes_version": "1.34",
            "cluster_name": "edge",
            "system_pool": {"size": "Standard_D4s_v5", "min_count": 3, "max_count": 6, "disk_gb": 128},
            "user_pool": {"size": "Standard_D4s_v5"},
            "api_server": {"authorized_ranges": ["203.0.113.0/24"]},
            "admin_group_ids": [ZERO],
            "administrators": {"pipeline": {"principal_id": ZERO}},
            "public_ip_scopes": {"edge": f"/subscriptions/{ZERO}/resourceGroups/edge"},
            "workspace_id": WORKSPACE,
            "maintenance": {"day": "Monday", "hours": 4},
            "encryption_at_host": True,
        },
        ("user_pool", {"gpu_instance_profile": "said by hand"}),
    ),
    Case(
        "kubernetes_gateway",
        "KubernetesGateway",
        {
            **PLACE,
            "service_name": "shop",
            "gateway_id": "aks",
            "oidc_issuer_url": "https://westeurope.oic.prod-aks.azure.com/t/c/",
            "image_tag": "2.13.0",
            "kubeconfig": "apiVersion: v1",
            "cluster_id": f"{GROUP}/Microsoft.ContainerService/managedClusters/edge",
            "replicas": 4,
            "max_replicas": 8,
            "cpu_target": 60,
            "load_balancer": {
                "public_ip_name": "edge",
                "public_ip_resource_group": "edge",
                "source_ranges": ["203.0.113.0/24"],
                "idle_timeout_minutes": 10,
            },
            "destinations": {"services": {"namespace": "edge-services", "ports": [8080, 9000]}},
            "redis_port": 10_000,
            "backup": {},
            "settings": {"telemetry.logs.std.level": "debug"},
        },
        ("federation", {"audiences": ["said-by-hand"]}),
    ),
    Case(
        "kubernetes_services",
        "KubernetesServices",
        {
            "services": {
                "orders": {},
                "payments": {"image": "registry.example/pay:1.2", "port": 9000, "replicas": 3, "user": 1000},
            },
            "kubeconfig": "apiVersion: v1",
            "cluster_id": f"{GROUP}/Microsoft.ContainerService/managedClusters/edge",
        },
        ("echo_script", {"immutable": False}),
    ),
    Case(
        "application_gateway_waf",
        "ApplicationGatewayWaf",
        {
            **PLACE,
            "subscription_id": ZERO,
            "subnet_id": f"{NETWORK}/subnets/front",
            "identity_id": IDENTITY,
            "listeners": {
                "api": {"hosts": ["api.shop.example"], "key_vault_secret_id": VAULT_SECRET},
                "rest": {
                    "hosts": ["*.shop.example"],
                    "key_vault_secret_id": VAULT_SECRET,
                    "redirect_http": False,
                },
                "inside": {
                    "hosts": ["api.shop.example"],
                    "key_vault_secret_id": VAULT_SECRET,
                    "frontend": "private",
                },
            },
            "private_ip_address": "10.0.2.10",
            "backend_addresses": ["10.0.0.5"],
            "backend_host": "shop.azure-api.net",
            "backend_root_certificates": {"company": "https://shop-vault.vault.azure.net/secrets/root"},
            "domain_name_label": "shop-api",
            "min_capacity": 3,
            "max_capacity": 9,
            "request_timeout_seconds": 30,
            "drain_seconds": 30,
            "workspace_id": WORKSPACE,
        },
        ("public_ip", {"idle_timeout_in_minutes": 10}),
    ),
    Case(
        "front_door",
        "FrontDoor",
        {
            "resource_group_name": "edge",
            "service_id": SERVICE,
            "service_host": "shop.azure-api.net",
            "private_link_location": "westeurope",
            "connection_name": "d7017edf-8819-4f84-a113-8c851cfe7805",
            "domains": {
                "api": {"host": "api.shop.example"},
                "own": {
                    "host": "api.shop.test",
                    "certificate_secret_id": f"{GROUP}/Microsoft.KeyVault/vaults/shop-vault/secrets/api",
                    "dns_zone_id": f"{GROUP}/Microsoft.Network/dnsZones/shop.test",
                },
            },
            "identity_id": IDENTITY,
            "probe_interval_seconds": 30,
            "response_timeout_seconds": 30,
            "workspace_id": WORKSPACE,
        },
        ("endpoint", {"enabled_state": "Disabled"}),
    ),
    Case(
        "edge_monitoring",
        "EdgeMonitoring",
        {
            **PLACE,
            "retention_days": 90,
            "application_insights": {"publishers": {"service": ZERO}},
            "emails": {"oncall": "oncall@shop.example"},
            "webhooks": {"chat": "https://hooks.shop.example/T0/B0"},
            "action_group_ids": [f"{GROUP}/microsoft.insights/actionGroups/all"],
            "metric_alerts": {
                "capacity": {
                    "description": "Full: add units.",
                    "scope": SERVICE,
                    "namespace": "Microsoft.ApiManagement/service",
                    "criteria": [
                        {"metric": "Requests", "aggregation": "Total", "operator": "GreaterThan", "threshold": 5.0}
                    ],
                    "severity": 1,
                }
            },
            "query_rules": {
                "latency": {
                    "description": "Slow: look at the backends.",
                    "query": "ApiManagementGatewayLogs | summarize Slow = percentile(TotalTime, 99)",
                    "column": "Slow",
                    "threshold": 500.0,
                    "severity": 2,
                }
            },
            "diagnostics": {"service": {"id": SERVICE, "logs": ["GatewayLogs"], "metrics": True}},
            "workbook": '{"version":"Notebook/1.0","items":[]}',
        },
        ("metric_alerts.capacity", {"auto_mitigate": False}),
    ),
)
