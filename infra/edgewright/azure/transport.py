"""What clients have to speak to an edge on Azure: the least TLS that an Application Gateway takes."""

from collections.abc import Callable, Mapping
from typing import Any

from edgewright.clouds.inputs import fields

_POLICIES: Mapping[Any, str] = {
    "AppGwSslPolicy20150501": "TLS 1.0",
    "AppGwSslPolicy20170401": "TLS 1.1",
    "AppGwSslPolicy20170401S": "TLS 1.2",
    "AppGwSslPolicy20220101": "TLS 1.2",
    "AppGwSslPolicy20220101S": "TLS 1.2",
}
"""learn.microsoft.com/azure/application-gateway/application-gateway-ssl-policy-overview"""
_VERSIONS: Mapping[Any, str] = {f"TLSv1_{minor}": f"TLS 1.{minor}" for minor in range(4)}


def _gateway(inputs: Mapping[str, Any]) -> str | None:
    policy = fields(inputs.get("sslPolicy"))
    return _POLICIES.get(policy.get("policyName")) or _VERSIONS.get(policy.get("minProtocolVersion"))


LEAST_TLS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "azure-native:network:ApplicationGateway": _gateway
}
"""By type; None where it is not said, or known only later."""
