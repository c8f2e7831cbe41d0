"""What stands in a plan for what only a cloud knows: tokens, marks, shapes of lists and objects. No Pulumi import."""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

UNKNOWN = "[unknown]"
"""Shown for a value that nobody knows before the stack is there, and that is no text."""

SECRET = "[secret]"  # noqa: S105 (the mark, not a secret)
"""Shown for every secret, whatever it is."""

COUNT = 3
"""How many texts a list has whose length only the cloud knows."""

Shape = Callable[[Mapping[str, Any], Callable[[str], str]], Any]
"""Makes the value of an output from a resource's inputs (as they are shown) and a function from a path to its token."""

_TOKEN = re.compile(r"\$\{(bind\.[^{}]+|[\w.:-]+ [^{}]+\.[^{}]+)\}")
"""An output of a resource; or what a stack still has to bind, ``${bind.certificate}``."""


def token(short: str, path: str) -> str:
    """The text for an output: ``${lb.LoadBalancer shop.arn}``; short: `Resource.short`; path: with wire names."""
    return f"${{{short}.{path}}}"


def stands_in(text: str) -> bool:
    """Whether the text is a mark or contains a token, so that nobody can say yet what it will be."""
    return text in {UNKNOWN, SECRET} or ("${" in text and _TOKEN.search(text) is not None)


def stands_alone(text: str) -> bool:
    """Whether the text is a mark or one token, so that nobody can say anything of what it will be."""
    return text in {UNKNOWN, SECRET} or _TOKEN.fullmatch(text) is not None


def _validation_options(inputs: Mapping[str, Any], at: Callable[[str], str]) -> list[dict[str, Any]]:
    """One record for each name of a certificate, the first name first."""
    names = [inputs.get("domainName", UNKNOWN), *_listed(inputs.get("subjectAlternativeNames"))]
    fields = ("resourceRecordName", "resourceRecordType", "resourceRecordValue")
    return [
        {"domainName": name, **{field: at(f"domainValidationOptions[{index}].{field}") for field in fields}}
        for index, name in enumerate(dict.fromkeys(names))
    ]


def _interfaces(inputs: Mapping[str, Any], at: Callable[[str], str]) -> list[str]:
    """One network interface for each subnet of an endpoint."""
    return [at(f"networkInterfaceIds[{index}]") for index in range(len(_listed(inputs.get("subnetIds"))) or COUNT)]


def _dns_entries(inputs: Mapping[str, Any], at: Callable[[str], str]) -> list[dict[str, str]]:
    """The name of the Region, then one for each subnet."""
    fields = ("dnsName", "hostedZoneId")
    count = 1 + len(_listed(inputs.get("subnetIds")))
    return [{field: at(f"dnsEntries[{index}].{field}") for field in fields} for index in range(count)]


def _gateway_url(_inputs: Mapping[str, Any], at: Callable[[str], str]) -> str:
    """With its host as a text of its own, which some parts take out of it.

    https://learn.microsoft.com/azure/api-management/configure-custom-domain ("service-name.azure-api.net")
    """
    return f"https://{at('name')}.azure-api.net"


def _private_address(_inputs: Mapping[str, Any], at: Callable[[str], str]) -> list[str]:
    """One for the service, which has one region here.

    https://learn.microsoft.com/azure/api-management/api-management-howto-ip-addresses
    """
    return [at("privateIPAddresses[0]")]


def _listed(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


SHAPES: Mapping[tuple[str, str], Shape] = {
    ("aws:acm/certificate:Certificate", "domainValidationOptions"): _validation_options,
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "dnsEntries"): _dns_entries,
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "networkInterfaceIds"): _interfaces,
    ("azure-native:apimanagement:ApiManagementService", "gatewayUrl"): _gateway_url,
    ("azure-native:apimanagement:ApiManagementService", "privateIPAddresses"): _private_address,
}
"""Outputs by type and wire name whose shape follows from the inputs; everything else follows from its type."""

ADDED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("azure-native:network:LoadBalancer", "frontendIPConfigurations"): ("privateIPAddress",),
    ("aws:apigatewayv2/domainName:DomainName", "domainNameConfiguration"): ("hostedZoneId", "targetDomainName"),
    ("azure-native:apimanagement:ApiManagementService", "identity"): ("principalId", "tenantId"),
    ("azure-native:containerservice:ManagedCluster", "oidcIssuerProfile"): ("issuerURL",),
}
"""What a provider adds inside an object that the program gave, or each of a list, by type and wire name."""
