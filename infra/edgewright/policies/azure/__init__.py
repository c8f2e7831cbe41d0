"""Rules over resources of Azure."""

from collections.abc import Mapping

from edgewright.policies.azure import (
    apis,
    application_gateway,
    front_door,
    key_vault,
    load_balancer,
    monitoring,
    network,
    policy_documents,
    service,
    waf,
)
from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = (
    *service.RULES,
    *apis.RULES,
    *policy_documents.RULES,
    *load_balancer.RULES,
    *application_gateway.RULES,
    *waf.RULES,
    *front_door.RULES,
    *network.RULES,
    *key_vault.RULES,
    *monitoring.RULES,
)

UNSEEN: Mapping[str, tuple[str, str]] = {
    "apim-certificate-not-expired": (
        "When a certificate ends is an output of the service (hostnameConfigurations[].certificate.expiry).",
        "Certificates that Key Vault renews, and an alert on its event CertificateNearExpiry; "
        "`apim-hostname-cert-from-keyvault` asks for Key Vault.",
    ),
    "apim-api-unused-removed": (
        "Whether anybody calls an API is in its logs only.",
        "A query of ApiManagementGatewayLogs for operations without requests in 30 days, or Defender for APIs.",
    ),
}
