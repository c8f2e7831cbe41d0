"""What to write in a spec, in a stack's bindings on AWS, or in policies.json, for what our components make."""

from collections.abc import Mapping

from edgewright.policies.in_spec import AUTH, FIREWALL

_SPEAKS_TLS = (
    "In the bindings, backends: {NAME: {protocol: https, port: ...}}: the service speaks TLS there; a certificate of "
    "its own making will do. A service of TCP or UDP needs an exemption."
)
_LIMITED = "In the spec, defaults: {throttle: {rate: 100/s}} for all routes, or waf: {rate_per_ip: 50/s}."

REMEDIES: Mapping[str, str] = {
    "target-group-encrypted-protocol": _SPEAKS_TLS,
    "target-group-encrypted-health-check": _SPEAKS_TLS,
    "nlb-listener-tls": (
        "In the spec, protocol: tls of the listener; where the service itself speaks TLS, or nothing is secret, its "
        "port in passthroughPorts of the rule, in policies.json."
    ),
    "alb-waf-associated": FIREWALL,
    "alb-waf-log4j-rules": FIREWALL,
    "apigw-stage-waf": FIREWALL,
    "apigw-waf-log4j-rules": FIREWALL,
    "waf-log4j-rule": FIREWALL,
    "alb-public-throttled": _LIMITED,
    "apigw-api-has-authorizer": AUTH,
    "apigwv2-route-authorization": f"{AUTH} A route that everybody may call is named in public of the rule.",
    "lb-deletion-protection": "In the bindings, profile: production.",
    "lb-multi-az": "In the bindings, network: {create: {zones: ...}}, or subnets in as many zones.",
    "log-group-kms": "In the bindings, kms_key: the ARN of a key that the logs service may use.",
    "log-group-retention-one-year": "In the spec, access_log: {retention: 365d}, or as long as the rule is set to.",
    "sg-no-all-ports-public": (
        "If the listener is meant to be public, its port beside 80 and 443 in ports of the rule, in policies.json."
    ),
}
"""By the name of the rule."""
