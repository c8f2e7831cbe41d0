"""What clients have to speak to an edge on AWS: the least TLS, and whether they must show a certificate."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from edgewright.clouds.inputs import fields, objects

_OLD = "TLS 1.0"
_POLICY = re.compile(r"TLS13-1-(\d)|(?:TLS|FS)-1-(\d)|TLS13_1_(\d)|TLS_1_(\d)")
"""Where the names of policies have it: ``ELBSecurityPolicy-TLS13-1-2-2021-06``, ``SecurityPolicy_TLS13_1_3_2025_09``
or ``TLS_1_2``. Those without a version, such as ``ELBSecurityPolicy-2016-08``, begin at 1.0
(docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html)."""


def _least(policy: object) -> str | None:
    """The least version that a policy takes; None for one that is known only later."""
    if policy is None:
        return _OLD
    if not isinstance(policy, str) or "${" in policy:
        return None
    found = _POLICY.search(policy)
    return f"TLS 1.{next(filter(None, found.groups()))}" if found else _OLD


def _listener(inputs: Mapping[str, Any]) -> str | None:
    return _least(inputs.get("sslPolicy")) if inputs.get("protocol") in ("HTTPS", "TLS") else ""


def _domain(inputs: Mapping[str, Any]) -> str | None:
    # A REST API's domain has it at its top, others in a configuration.
    inner = next(objects(inputs.get("domainNameConfigurations")), fields(inputs.get("domainNameConfiguration")))
    return _least(inputs.get("securityPolicy") or inner.get("securityPolicy"))


_LISTENER = "aws:lb/listener:Listener"
_DOMAINS = ("aws:apigateway/domainName:DomainName", "aws:apigatewayv2/domainName:DomainName")

LEAST_TLS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    _LISTENER: _listener,
    **dict.fromkeys(_DOMAINS, _domain),
}
"""By type: ``TLS 1.2``; empty without TLS; None where it is known only later."""

CERTIFICATES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    _LISTENER: lambda inputs: fields(inputs.get("mutualAuthentication")).get("mode") == "verify",
    **dict.fromkeys(_DOMAINS, lambda inputs: inputs.get("mutualTlsAuthentication") is not None),
}
"""By type: whether a client without a certificate is refused."""
