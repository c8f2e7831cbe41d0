"""What moto 5.2 lacks of what is used here: where it fails or forgets, how a call does without, and why that is moto's fault."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

Cut = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that AWS takes and moto does not.

    part: JMESPath over the parameters of a call; where it finds something, the gap matters; empty for every call of the
    operation. error: pattern of what moto then answers; a gap without one is forgotten silently, and `forgotten` is where
    the answer would show it. cut: the parameters without the part; without one the call is not made, and `instead` is
    taken for its answer. reason: what moto does, for people.
    """

    service: str
    operation: str
    reason: str
    part: str = ""
    error: str = ""
    forgotten: str = ""
    cut: Cut | None = None
    instead: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        """For people: ``elbv2 CreateRule Transforms``."""
        return f"{self.service} {self.operation} {self.part}".strip()

    def matters(self, service: str, operation: str, params: Mapping[str, Any]) -> bool:
        """Whether a call asks for what is missing."""
        if (service, operation) != (self.service, self.operation):
            return False
        return not self.part or bool(jmespath.search(self.part, params))


def _without_jwt(key: str) -> Cut:
    def cut(params: Mapping[str, Any]) -> dict[str, Any]:
        return {**params, key: [item for item in params[key] if item["Type"] != "jwt-validation"]}

    return cut


def _patterns_as_values(params: Mapping[str, Any]) -> dict[str, Any]:
    """The regular expressions of conditions as plain values: their number is still checked."""

    def plain(condition: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: {"Values" if name == "RegexValues" else name: item for name, item in value.items()}
            if isinstance(value, Mapping)
            else value
            for key, value in condition.items()
        }

    return {**params, "Conditions": [plain(item) for item in params["Conditions"]]}


def _without_health_check_logs(params: Mapping[str, Any]) -> dict[str, Any]:
    kept = [item for item in params["Attributes"] if not item["Key"].startswith("health_check_logs.")]
    return {**params, "Attributes": kept}


_NOT_IMPLEMENTED = "has not been implemented|Not yet implemented"

_TRUST_STORE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:truststore/stand-in/0123456789abcdef"

GAPS: tuple[Gap, ...] = (
    Gap(
        "elbv2",
        "CreateRule",
        "reads `Values` of a condition that has only `RegexValues`",
        part="Conditions[].*.RegexValues[]",
        error="KeyError.*Values",
        cut=_patterns_as_values,
    ),
    Gap(
        "elbv2",
        "CreateRule",
        "does not know the action jwt-validation (2025-11)",
        part="Actions[?Type=='jwt-validation']",
        error="'jwt-validation' at 'actions",
        cut=_without_jwt("Actions"),
    ),
    Gap(
        "elbv2",
        "CreateListener",
        "does not know the action jwt-validation (2025-11)",
        part="DefaultActions[?Type=='jwt-validation']",
        error="'jwt-validation' at 'actions",
        cut=_without_jwt("DefaultActions"),
    ),
    Gap("elbv2", "CreateRule", "forgets transforms", part="Transforms", forgotten="Rules[0].Transforms"),
    Gap(
        "elbv2",
        "CreateListener",
        "forgets mutual authentication",
        part="MutualAuthentication",
        forgotten="Listeners[0].MutualAuthentication",
    ),
    Gap(
        "elbv2",
        "ModifyLoadBalancerAttributes",
        "has no bucket and prefix for health check logs (2025-11)",
        part="Attributes[?starts_with(Key, 'health_check_logs.')]",
        error=r"Key health_check_logs\.s3\.\w+ not valid",
        cut=_without_health_check_logs,
    ),
    Gap(
        "elbv2",
        "CreateTrustStore",
        "has no trust stores",
        error=_NOT_IMPLEMENTED,
        instead={"TrustStores": [{"TrustStoreArn": _TRUST_STORE, "Name": "stand-in"}]},
    ),
    Gap("elbv2", "AddTrustStoreRevocations", "has no trust stores", error=_NOT_IMPLEMENTED),
    Gap("elbv2", "ModifyCapacityReservation", "has no reserved capacity", error=_NOT_IMPLEMENTED),
    Gap(
        "apigateway",
        "CreateDomainNameAccessAssociation",
        "has no access associations of private domains",
        error=_NOT_IMPLEMENTED,
        instead={
            "domainNameAccessAssociationArn": (
                "arn:aws:apigateway:eu-west-1:123456789012:/domainnameaccessassociations/domainname/stand-in"
            )
        },
    ),
    Gap(
        "apigateway",
        "GenerateClientCertificate",
        "has no client certificates",
        error=_NOT_IMPLEMENTED,
        instead={"clientCertificateId": "standin0"},
    ),
    Gap(
        "apigateway",
        "CreateRestApi",
        "forgets binary media types",
        part="binaryMediaTypes",
        forgotten="binaryMediaTypes[0]",
    ),
    Gap("apigateway", "CreateStage", "forgets canaries", part="canarySettings", forgotten="canarySettings"),
    Gap(
        "apigateway",
        "PutIntegration",
        "forgets the VPC link",
        part="connectionId",
        forgotten="connectionId",
    ),
    Gap(
        "apigateway",
        "PutIntegration",
        "forgets the load balancer behind the VPC link",
        part="integrationTarget",
        forgotten="integrationTarget",
    ),
    Gap(
        "apigateway",
        "PutIntegration",
        "forgets cache keys",
        part="cacheKeyParameters",
        forgotten="cacheKeyParameters[0]",
    ),
    Gap(
        "apigateway",
        "CreateDomainName",
        "forgets mutual TLS",
        part="mutualTlsAuthentication",
        forgotten="mutualTlsAuthentication",
    ),
    Gap(
        "apigatewayv2",
        "CreateDeployment",
        "has no deployments",
        error=_NOT_IMPLEMENTED,
        instead={"DeploymentId": "standin0"},
    ),
)
"""Checked by each run: a gap that is closed is reported, and its line can go."""
