"""Planned azure-native resources as the request bodies of Azure Resource Manager, validated by Microsoft's schemas.

azure-native lays the object ``properties`` flat, also that of parts of a resource; here it is put back, by the schema.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

from edgewright.plan.model import Resource

FOLDER = Path(__file__).parent / "data" / "arm"
FILES = {"apimanagement": "Microsoft.ApiManagement.json", "network": "Microsoft.Network.NRP.json"}

# azure-native's type, the schema's name for it, and the inputs that are in the path of a request.
_PATHS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "apimanagement:ApiManagementService": ("service", ("serviceName",)),
    "apimanagement:Api": ("service_apis", ("serviceName", "apiId")),
    "apimanagement:ApiPolicy": ("service_apis_policies", ("serviceName", "apiId", "policyId")),
    "apimanagement:ApiOperationPolicy": (
        "service_apis_operations_policies",
        ("serviceName", "apiId", "operationId", "policyId"),
    ),
    "apimanagement:ApiRelease": ("service_apis_releases", ("serviceName", "apiId", "releaseId")),
    "apimanagement:ApiVersionSet": ("service_apiVersionSets", ("serviceName", "versionSetId")),
    "apimanagement:Backend": ("service_backends", ("serviceName", "backendId")),
    "apimanagement:Cache": ("service_caches", ("serviceName", "cacheId")),
    "apimanagement:Certificate": ("service_certificates", ("serviceName", "certificateId")),
    "apimanagement:Diagnostic": ("service_diagnostics", ("serviceName", "diagnosticId")),
    "apimanagement:Gateway": ("service_gateways", ("serviceName", "gatewayId")),
    "apimanagement:GatewayApiEntityTag": ("service_gateways_apis", ("serviceName", "gatewayId", "apiId")),
    "apimanagement:GatewayHostnameConfiguration": (
        "service_gateways_hostnameConfigurations",
        ("serviceName", "gatewayId", "hcId"),
    ),
    "apimanagement:Logger": ("service_loggers", ("serviceName", "loggerId")),
    "apimanagement:NamedValue": ("service_namedValues", ("serviceName", "namedValueId")),
    "apimanagement:PolicyFragment": ("service_policyFragments", ("serviceName", "id")),
    "apimanagement:Product": ("service_products", ("serviceName", "productId")),
    "apimanagement:ProductApi": ("service_products_apis", ("serviceName", "productId", "apiId")),
    "apimanagement:ProductGroup": ("service_products_groups", ("serviceName", "productId", "groupId")),
    "apimanagement:ProductPolicy": ("service_products_policies", ("serviceName", "productId", "policyId")),
    "apimanagement:Subscription": ("service_subscriptions", ("serviceName", "sid")),
    "network:DdosProtectionPlan": ("ddosProtectionPlans", ("ddosProtectionPlanName",)),
    "network:ApplicationGateway": ("applicationGateways", ("applicationGatewayName",)),
    "network:LoadBalancer": ("loadBalancers", ("loadBalancerName",)),
    "network:NatGateway": ("natGateways", ("natGatewayName",)),
    "network:NetworkSecurityGroup": ("networkSecurityGroups", ("networkSecurityGroupName",)),
    "network:PrivateDnsZoneGroup": (
        "privateEndpoints_privateDnsZoneGroups",
        ("privateEndpointName", "privateDnsZoneGroupName"),
    ),
    "network:PrivateEndpoint": ("privateEndpoints", ("privateEndpointName",)),
    "network:PublicIPAddress": ("publicIPAddresses", ("publicIpAddressName",)),
    "network:VirtualNetwork": ("virtualNetworks", ("virtualNetworkName",)),
    "network:WebApplicationFirewallPolicy": (
        "ApplicationGatewayWebApplicationFirewallPolicies",
        ("policyName",),
    ),
}

# The schema's pattern of the name is of its last part only.
_LAST_PART = {"apimanagement:PolicyFragment"}

# Words of azure-native for words of the schema.
_RENAMED = {"translateRequiredQueryParametersConduct": "translateRequiredQueryParameters"}


@cache
def _document(module: str) -> dict[str, Any]:
    return _simple(json.loads((FOLDER / FILES[module]).read_text(encoding="utf-8")))


def _simple(value: Any) -> Any:
    """Without the alternative that each place has for expressions of templates, and closed: no unknown property."""
    if isinstance(value, list):
        return [_simple(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "oneOf" in value:
        rest = [item for item in value["oneOf"] if "expression" not in str(item.get("$ref", ""))]
        if len(rest) == 1:
            return _simple({**{key: item for key, item in value.items() if key != "oneOf"}, **rest[0]})
    found = {key: _simple(item) for key, item in value.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object" and found["properties"]:
        found.setdefault("additionalProperties", False)
    return found


def known(resource: Resource) -> bool:
    """Whether there is a schema for it."""
    return resource.type.removeprefix("azure-native:") in _PATHS


def body(resource: Resource) -> dict[str, Any]:
    """The body of the request that makes a resource; KeyError for a type without a schema."""
    short = resource.type.removeprefix("azure-native:")
    name, path = _PATHS[short]
    document = _document(short.partition(":")[0])
    schema = document["resourceDefinitions"][name]
    inputs = {
        _RENAMED.get(key, key): value
        for key, value in resource.inputs.items()
        if key not in (*path, "resourceGroupName")
    }
    found = _unflattened(inputs, schema, document)
    own = [str(resource.inputs.get(key, resource.name)) for key in (path[-1:] if short in _LAST_PART else path)]
    return {
        **({"properties": {}} if "properties" in schema["properties"] else {}),
        **found,
        "name": "/".join("stand-in" if "${" in item else item for item in own),
        "apiVersion": schema["properties"]["apiVersion"]["enum"][0],
        "type": schema["properties"]["type"]["enum"][0],
    }


def _unflattened(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """Put back into ``properties`` what azure-native laid beside it, here and in all parts."""
    schema = _resolved(schema, document)
    if isinstance(value, list) and schema.get("type") == "object":
        # azure-native has a list of identities where Azure has an object by their ids.
        return {str(item): {} for item in value}
    if isinstance(value, list):
        return [_unflattened(item, schema.get("items", {}), document) for item in value]
    if not isinstance(value, dict):
        return value
    fields: Mapping[str, Any] = schema.get("properties", {})
    inner = _resolved(fields.get("properties", {}), document).get("properties")
    if inner is not None and "properties" not in value:
        above = {key: item for key, item in value.items() if key in fields}
        below = {key: item for key, item in value.items() if key not in fields}
        value = {**above, "properties": below} if below else above
    return {key: _unflattened(item, fields.get(key, {}), document) for key, item in value.items()}


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = str(schema.get("$ref", ""))
    return document["definitions"][reference.rpartition("/")[2]] if reference.startswith("#/definitions/") else schema


def problems(resources: Sequence[Resource]) -> list[str]:
    """What the schemas find wrong with all that have one, each with the resource and the place."""
    return [found for resource in resources if known(resource) for found in _problems(resource)]


def _problems(resource: Resource) -> Iterator[str]:
    short = resource.type.removeprefix("azure-native:")
    document = _document(short.partition(":")[0])
    schema = {**document["resourceDefinitions"][_PATHS[short][0]], "definitions": document["definitions"]}
    for error in Draft4Validator(schema).iter_errors(body(resource)):
        # What only the cloud knows stands in a plan as a text, `${...}`, and fits everywhere.
        if isinstance(error.instance, str) and ("${" in error.instance or error.instance.startswith("[")):
            continue
        place = "/".join(str(item) for item in error.absolute_path)
        yield f"{resource.short}: {place}: {error.message[:300]}"
