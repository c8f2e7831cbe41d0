"""What to write in a spec, in bindings or in policies.json, where a component of edgewright made the resource.

A rule's own remedy names the property of a resource, which the component sets. Here are the rules that a spec or its
bindings can break, each with the setting that mends it.
"""

from collections.abc import Mapping

_SPEAKS_TLS = (
    "In the bindings, backends: {NAME: {protocol: https, port: ...}}: the service speaks TLS there; a certificate of "
    "its own making will do. A service of TCP or UDP needs an exemption."
)
_FIREWALL = "In the spec, waf: {managed: [core, known-bad-inputs]}."
_LIMITED = "In the spec, defaults: {throttle: {rate: 100/s}} for all routes, or waf: {rate_per_ip: 50/s}."
_THROTTLE = "In the spec, defaults: {throttle: {rate: 100/s}}, or the throttle of a route."
_AUTH = "In the spec, the auth of the route, or of defaults."

REMEDIES: Mapping[str, str] = {
    # AWS
    "target-group-encrypted-protocol": _SPEAKS_TLS,
    "target-group-encrypted-health-check": _SPEAKS_TLS,
    "nlb-listener-tls": (
        "In the spec, protocol: tls of the listener; where the service itself speaks TLS, or nothing is secret, its "
        "port in passthroughPorts of the rule, in policies.json."
    ),
    "alb-waf-associated": _FIREWALL,
    "alb-waf-log4j-rules": _FIREWALL,
    "apigw-stage-waf": _FIREWALL,
    "apigw-waf-log4j-rules": _FIREWALL,
    "waf-log4j-rule": _FIREWALL,
    "alb-public-throttled": _LIMITED,
    "apigw-api-has-authorizer": _AUTH,
    "apigwv2-route-authorization": f"{_AUTH} A route that everybody may call is named in public of the rule.",
    "lb-deletion-protection": "In the bindings, profile: production.",
    "lb-multi-az": "In the bindings, network: {create: {zones: ...}}, or subnets in as many zones.",
    "log-group-kms": "In the bindings, kms_key: the ARN of a key that the logs service may use.",
    "log-group-retention-one-year": "In the spec, access_log: {retention: 365d}.",
    "sg-no-all-ports-public": (
        "If the listener is meant to be public, its port beside 80 and 443 in ports of the rule, in policies.json."
    ),
    # Azure
    "apim-zone-redundant": "In the bindings, capacity: 2 or more: the tier Premium has zones from two units on.",
    "apim-api-authenticated": _AUTH,
    "apim-api-subscription-required": _AUTH,
    "apim-named-value-keyvault": (
        "In the bindings, credentials: {AUTHORIZER:CLIENT: https://NAME.vault.azure.net/secrets/SECRET}, and the "
        "certificate_identity that may read it; the secret holds what stands behind Basic, the base64 of CLIENT:SECRET."
    ),
    "apim-public-api-throttled": _THROTTLE,
    "lb-health-probe-specific": (
        "In the spec, backends: {NAME: {health_check: /healthz}}. A service of TCP or UDP needs an exemption."
    ),
    "agw-waf-bot-protection": _FIREWALL,
    "afd-waf-rule-sets": _FIREWALL,
    "afd-waf-bot-protection": _FIREWALL,
    "agw-waf-prevention": "In the spec, waf: {mode: block}.",
    "afd-waf-prevention": "In the spec, waf: {mode: block}.",
    "nsg-no-any-inbound": (
        "If the listener is meant to be public, its port beside the defaults in ports of the rule, in policies.json."
    ),
    "nsg-no-internet-udp": "If the listener is meant to be public, its port in ports of the rule, in policies.json.",
}
"""By the name of the rule. Settings of a rule are in `docs/policies.md`."""


def made_by_one(urn: str) -> bool:
    """Whether a component of edgewright made the resource: its types, outermost first, stand in its urn."""
    parts = urn.split("::")
    parents = parts[2].split("$")[:-1] if len(parts) == 4 else []
    return any(parent.startswith(("edgewright:aws:", "edgewright:azure:")) for parent in parents)
