"""What to write in a spec, in a stack's bindings on Azure, or in policies.json, for what our components make."""

from collections.abc import Mapping

from edgewright.policies.in_spec import AUTH, FIREWALL

REMEDIES: Mapping[str, str] = {
    "apim-zone-redundant": "In the bindings, capacity: 2 or more: the tier Premium has zones from two units on.",
    "apim-api-authenticated": AUTH,
    "apim-api-subscription-required": AUTH,
    "apim-named-value-keyvault": (
        "In the bindings, credentials: {AUTHORIZER:CLIENT: https://NAME.vault.azure.net/secrets/SECRET}, and the "
        "certificate_identity that may read it; the secret holds what stands behind Basic, the base64 of CLIENT:SECRET."
    ),
    "apim-public-api-throttled": "In the spec, defaults: {throttle: {rate: 100/s}}, or the throttle of a route.",
    "lb-health-probe-specific": (
        "In the spec, backends: {NAME: {health_check: /healthz}}. A service of TCP or UDP needs an exemption."
    ),
    "agw-waf-bot-protection": FIREWALL,
    "afd-waf-rule-sets": FIREWALL,
    "afd-waf-bot-protection": FIREWALL,
    "agw-waf-prevention": "In the spec, waf: {mode: block}.",
    "afd-waf-prevention": "In the spec, waf: {mode: block}.",
    "nsg-no-any-inbound": (
        "If the listener is meant to be public, its port beside the defaults in ports of the rule, in policies.json."
    ),
    "nsg-no-internet-udp": "If the listener is meant to be public, its port in ports of the rule, in policies.json.",
}
"""By the name of the rule."""
