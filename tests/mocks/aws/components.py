"""Every AWS component with arguments that use all of it: what tests of what they have in common run over."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from mocks.unknowns import with_unknown

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
ROLE = "arn:aws:iam::123456789012:role/logs"
GROUP = {"port": 8080, "targets": {"one": {"id": "10.0.1.10", "port": 8080}}, "health_check": {"path": "/healthz"}}
JWT = {
    "jwt": {
        "issuer": "https://login.example/",
        "jwks_uri": "https://login.example/keys",
        "claims": [{"name": "aud", "format": "single-string", "values": ["api://shop"]}],
    }
}
RULE = {
    "listener": "https",
    "priority": 10,
    "conditions": [{"paths": ["/orders/*"]}, {"methods": ["GET"]}],
    "actions": [JWT, {"forward": {"target_groups": {"orders": 90, "next": 10}, "stickiness_seconds": 60}}],
    "transforms": [{"url": {"regex": "^/orders", "replace": "/v2"}}],
}
FROM_ANYWHERE = {"port": 443, "cidr_ipv4": "0.0.0.0/0", "description": "from the internet"}
TO_SERVICES = {"port": 8080, "security_group_id": "sg-services", "description": "to services"}
REST_BODY = '{"openapi":"3.0.1","info":{"title":"shop","version":"1"},"paths":{}}'
OVERRIDDEN = {"description": "said by hand"}


@dataclass(frozen=True, slots=True)
class Case:
    """A component: module and class, its arguments, and one override that it takes with the type that it reaches."""

    module: str
    name: str
    args: Mapping[str, Any]
    override: tuple[str, Mapping[str, Any]]

    def make(self, options: pulumi.ResourceOptions | None = None, **more: Any) -> Any:
        """Place it."""
        return self.kind("it", {**self.args, **more}, options)

    def make_unknown(self) -> Any:
        """Place it with all unknown that may be."""
        return self.kind("it", with_unknown(self.hints, self.args), None)

    @property
    def kind(self) -> Callable[..., Any]:
        return getattr(self._module, self.name)

    @property
    def hints(self) -> Any:
        return getattr(self._module, f"{self.name}Args")

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"edgewright.aws.{self.module}")

    def __str__(self) -> str:
        return self.name


OUTPUTS = {
    "ec2.Eip": {"allocationId": "eipalloc-1"},
    "acm.Certificate": {
        "domainValidationOptions": [
            {
                "domainName": host,
                "resourceRecordName": f"_{host}",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "v",
            }
            for host in ("api.shop.example", "shop.example")
        ]
    },
}
"""What the cloud adds to what was asked for."""

CASES = (
    Case(
        "network",
        "Network",
        {"region": "eu-central-1", "cidr": "10.0.0.0/16", "nat": "per_zone"},
        ("vpc", {"enable_dns_support": False}),
    ),
    Case("log_bucket", "LogBucket", {"retention_days": 7}, ("bucket", {"force_destroy": True})),
    Case(
        "security_groups",
        "SecurityGroups",
        {
            "vpc_id": "vpc-1",
            "groups": {
                "edge": {"ingress": {"all": FROM_ANYWHERE}, "egress": {"in": {"port": 80, "group": "inner"}}},
                "inner": {"ingress": {"edge": {"port": 80, "group": "edge"}}, "egress": {"services": TO_SERVICES}},
            },
        },
        ("groups.edge", OVERRIDDEN),
    ),
    Case(
        "application_load_balancer",
        "ApplicationLoadBalancer",
        {
            "vpc_id": "vpc-1",
            "subnets": ["subnet-1", "subnet-2"],
            "internal": False,
            "ingress": {"all": FROM_ANYWHERE},
            "egress": {"services": TO_SERVICES},
            "listeners": {
                "https": {
                    "port": 443,
                    "certificate_arn": CERTIFICATE,
                    "certificate_arns": {"other": CERTIFICATE},
                    "mutual_authentication": {"mode": "verify", "trust_store": "clients"},
                },
                "http": {"port": 80, "protocol": "HTTP", "redirect_to_https": 443},
            },
            "trust_stores": {"clients": {"bucket": "trust", "key": "ca.pem"}},
            "target_groups": {
                "orders": GROUP,
                "next": {"existing_arn": "arn:next"},
                "workers": {"port": 8080, "target_type": "instance", "autoscaling_group": "workers"},
                "function": {"target_type": "lambda", "targets": {"it": {"id": "arn:function"}}},
            },
            "rules": {"orders": RULE},
            "web_acl_arn": "arn:acl",
        },
        ("load_balancer", {"idle_timeout": 90}),
    ),
    Case(
        "network_load_balancer",
        "NetworkLoadBalancer",
        {
            "vpc_id": "vpc-1",
            "subnets": ["subnet-1", "subnet-2"],
            "internal": False,
            "ingress": {"all": {"port": 8883, "cidr_ipv4": "0.0.0.0/0"}},
            "egress": {"services": TO_SERVICES},
            "listeners": {
                "broker": {
                    "port": 8883,
                    "protocol": "TLS",
                    "target_group": "broker",
                    "certificate_arn": CERTIFICATE,
                    "certificate_arns": {"other": CERTIFICATE},
                },
                "names": {"port": 53, "protocol": "UDP", "target_group": "names"},
            },
            "target_groups": {
                "broker": {"port": 1883, "protocol": "TCP", "targets": {"one": {"id": "10.0.1.10", "port": 1883}}},
                "names": {"port": 5353, "protocol": "UDP", "autoscaling_group": "names"},
            },
        },
        ("load_balancer", {"enable_cross_zone_load_balancing": False}),
    ),
    Case(
        "certificate",
        "Certificate",
        {"host": "api.shop.example", "zone_id": "Z1", "alternative_hosts": ["*.shop.example"]},
        ("certificate", {"key_algorithm": "EC_prime256v1"}),
    ),
    Case(
        "custom_domain",
        "CustomDomain",
        {
            "host": "api.shop.example",
            "region": "eu-central-1",
            "kind": "rest",
            "zone_id": "Z1",
            "mappings": {"api": {"api_id": "api-1", "stage": "live"}},
        },
        ("domain", {"routing_mode": "ROUTING_RULE_ONLY"}),
    ),
    Case(
        "rest_api",
        "RestApi",
        {"region": "eu-central-1", "body": REST_BODY, "stage": {"methods": {"orders/GET": {"throttle_rate": 10.0}}}},
        ("api", OVERRIDDEN),
    ),
    Case("http_api", "HttpApi", {"region": "eu-central-1", "body": REST_BODY}, ("api", OVERRIDDEN)),
    Case(
        "websocket_api",
        "WebSocketApi",
        {
            "region": "eu-central-1",
            "routes": {"$connect": {"integration_uri": "http://service/", "authorizer": "tokens"}},
            "authorizers": {"tokens": {"lambda_invoke_arn": "arn:function", "identity_sources": []}},
        },
        ("api", OVERRIDDEN),
    ),
    Case(
        "websocket_link",
        "WebSocketLink",
        {
            "vpc_id": "vpc-1",
            "subnets": ["subnet-1", "subnet-2"],
            "security_group_id": "sg-1",
            "listeners": {"in": {"port": 80, "protocol": "TCP", "target_group": "in"}},
            "target_groups": {"in": {"port": 80, "target_type": "alb", "targets": {"services": {"id": "arn:lb"}}}},
        },
        ("balancer.load_balancer", {"enable_cross_zone_load_balancing": False}),
    ),
    Case(
        "vpc_link",
        "VpcLink",
        {
            "vpc_id": "vpc-1",
            "subnets": ["subnet-1", "subnet-2"],
            "egress": {"services": {"port": 443, "cidr_ipv4": "10.0.0.0/16"}},
        },
        ("security_group", OVERRIDDEN),
    ),
    Case(
        "private_endpoint",
        "PrivateEndpoint",
        {
            "region": "eu-central-1",
            "vpc_id": "vpc-1",
            "subnets": {
                "a": {"subnet_id": "subnet-1", "ipv4": "10.0.1.10"},
                "b": {"subnet_id": "subnet-2", "ipv4": "10.0.2.10"},
            },
            "ingress": {"balancer": {"port": 443, "security_group_id": "sg-lb"}},
        },
        ("endpoint", {"private_dns_enabled": True}),
    ),
    Case(
        "usage_plan",
        "UsagePlan",
        {"api_id": "api-1", "stage": "live", "clients": {"acme": {}}, "throttle": {"rate": 5.0, "burst": 10.0}},
        ("plan", OVERRIDDEN),
    ),
    Case("api_gateway_account", "ApiGatewayAccount", {}, ("role", OVERRIDDEN)),
    Case(
        "authorizer_function",
        "AuthorizerFunction",
        {
            "region": "eu-central-1",
            "config": {"authorizers": {}, "requirements": {}, "methods": {}, "api_keys": False},
        },
        ("function", OVERRIDDEN),
    ),
    Case(
        "edge_monitoring",
        "EdgeMonitoring",
        {
            "alarms": {
                "errors": {
                    "description": "too many errors",
                    "queries": [
                        {
                            "id": "errors",
                            "return_data": True,
                            "metric": {
                                "namespace": "AWS/ApiGateway",
                                "metric_name": "5xx",
                                "period": 60,
                                "stat": "Sum",
                            },
                        }
                    ],
                    "threshold": 5.0,
                }
            },
            "log_metrics": {
                "throttled": {
                    "log_group": "log",
                    "pattern": "{ $.status = 429 }",
                    "namespace": "edge",
                    "metric": "Throttled",
                }
            },
            "dashboard_body": '{"widgets":[]}',
            "notify": ["arn:aws:sns:eu-central-1:123456789012:oncall"],
        },
        ("alarms.errors", {"threshold": 7.0}),
    ),
    Case(
        "shield_protection",
        "ShieldProtection",
        {"resources": {"edge": "arn:lb"}, "health_checks": {"edge": "arn:check"}},
        ("protections.edge", {"name": "another"}),
    ),
    Case(
        "web_acl",
        "WebAcl",
        {
            "rules": [
                {
                    "name": "deny",
                    "priority": 1,
                    "action": {"block": {}},
                    "statement": {"ip_set_reference_statement": {"arn": "{{ip_set:deny}}"}},
                    "visibility_config": {
                        "metric_name": "deny",
                        "cloudwatch_metrics_enabled": True,
                        "sampled_requests_enabled": True,
                    },
                }
            ],
            "ip_sets": {"deny": {"addresses": ["192.0.2.0/24"], "version": "IPV4"}},
            "associations": {"edge": "arn:lb"},
        },
        ("web_acl", OVERRIDDEN),
    ),
)
