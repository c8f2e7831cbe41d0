"""A provider that stands in for a cloud's: it keeps what it is given, and makes up what the cloud would add.

It proves wiring, order, diffs and names through the real engine, not that the cloud would accept them. Started by the
engine as ``pulumi-resource-NAME``, with the cloud's package as its argument; prints its port.
"""

import base64
import json
import sys
from concurrent import futures
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

ACCOUNT = "123456789012"
VERSIONS = {"aws": "7.51.1", "azure-native": "3.29.0", "kubernetes": "4.34.2"}
CLOUD = sys.argv[1] if len(sys.argv) > 1 else "aws"


def outputs(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a resource: its inputs, and what the cloud would have added."""
    if CLOUD == "azure-native":
        return {**inputs, **_azure(kind, name, inputs)}
    if CLOUD == "kubernetes":
        return {**inputs, **_kubernetes(kind, inputs)}
    service = kind.split(":")[1].split("/", maxsplit=1)[0]
    added: dict[str, Any] = {
        "arn": f"arn:aws:{service}:eu-west-1:{ACCOUNT}:{name}",
        "name": f"{inputs['namePrefix']}7f3a" if "namePrefix" in inputs else name,
        "dnsName": f"{name}.elb.amazonaws.com",
        "zoneId": "Z0STANDIN",
        "executionArn": f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:{name}",
        "invokeArn": f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{name}/invocations",
        "invokeUrl": f"https://{name}.execute-api.eu-west-1.amazonaws.com",
        "apiEndpoint": f"https://{name}.execute-api.eu-west-1.amazonaws.com",
        "regionalDomainName": f"d-{name}.execute-api.eu-west-1.amazonaws.com",
        "regionalZoneId": "Z0STANDIN",
        "domainNameId": name,
        "value": f"value-of-{name}-that-is-long-enough",
        "arnSuffix": f"app/{name}/50dc6c495c0c9188",
        "bucket": name,
    }
    if kind == "aws:acm/certificate:Certificate":
        hosts = [inputs.get("domainName", ""), *inputs.get("subjectAlternativeNames", [])]
        added["domainValidationOptions"] = [
            {
                "domainName": host,
                "resourceRecordName": f"_x.{host}",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": f"_y.{host}",
            }
            for host in hosts
        ]
    if kind == "aws:route53/record:Record":
        added["fqdn"] = inputs.get("name")
    if kind == "aws:apigatewayv2/domainName:DomainName":
        completed = {"targetDomainName": f"d-{name}.execute-api.eu-west-1.amazonaws.com", "hostedZoneId": "Z0STANDIN"}
        return {**added, **inputs, "domainNameConfiguration": {**inputs["domainNameConfiguration"], **completed}}
    return {**added, **inputs}


def _azure(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What Azure would have added: a resource's own name, identities, hosts and addresses."""
    word = kind.rpartition(":")[2]
    keys = ("resourceName", "serviceName", f"{word[0].lower()}{word[1:]}Id")
    own = next((inputs[key] for key in reversed(keys) if key in inputs), name)
    found: dict[str, Any] = {"name": name if word == "ApiManagementService" else own}
    match word:
        case "ApiManagementService":
            found["gatewayUrl"] = f"https://{name}.azure-api.net"
            found["privateIPAddresses"] = ["10.0.0.4"]
        case "PublicIPAddress":
            found["ipAddress"] = "192.0.2.7"
        case "UserAssignedIdentity":
            found |= {key: _guid(f"{name} {key}") for key in ("clientId", "principalId", "tenantId")}
        case "ManagedCluster":
            issuer = f"https://westeurope.oic.prod-aks.azure.com/{_guid('tenant')}/{_guid(name)}/"
            found["oidcIssuerProfile"] = {"enabled": True, "issuerURL": issuer}
            kubelet = {key: _guid(f"{name} kubelet {key}") for key in ("clientId", "objectId")}
            found["identityProfile"] = {"kubeletidentity": kubelet}
        case "LoadBalancer":
            found["frontendIPConfigurations"] = [
                item if "publicIPAddress" in item else {"privateIPAddress": f"10.0.2.{at}", **item}
                for at, item in enumerate(inputs.get("frontendIPConfigurations", []), 4)
            ]
        case "Component":
            key = _guid(name)
            found |= {"instrumentationKey": key, "connectionString": f"InstrumentationKey={key}"}
        case "AFDEndpoint":
            found["hostName"] = f"{name}-a1b2c3.z01.azurefd.net"
        case "Profile":
            found["frontDoorId"] = _guid(name)
        case "RedisEnterprise":
            found["hostName"] = f"{name}.westeurope.redis.azure.net"
        case _:
            pass
    if isinstance(inputs.get("identity"), dict):
        found["identity"] = _identity(name, inputs["identity"])
    return found


def previewed(inputs: dict[str, Any]) -> dict[str, Any]:
    """What azure-native answers in a preview: inputs; and unknown, not left out, where it answers in another shape.

    See provider/pkg/convert/previewOutputs.go of its repository: ids of identities are given as a list.
    """
    given = inputs.get("identity")
    if not isinstance(given, dict) or "userAssignedIdentities" not in given:
        return inputs
    return {**inputs, "identity": {**given, "userAssignedIdentities": UNKNOWN}}


def _identity(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Azure takes a list of identities, and answers a map with what each is known by."""
    found: dict[str, Any] = {**given}
    if "SystemAssigned" in given.get("type", ""):
        found |= {"principalId": _guid(name), "tenantId": _guid("tenant")}
    ids = given.get("userAssignedIdentities")
    if isinstance(ids, list):
        found["userAssignedIdentities"] = {
            one: {"clientId": _guid(f"{one} client"), "principalId": _guid(f"{one} principal")} for one in ids
        }
    return found


def _guid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def _kubernetes(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a cluster would have added: the address that Azure's balancer has, as the Service asks for it."""
    if kind == "kubernetes:core/v1:Service" and inputs["spec"]["type"] == "LoadBalancer":
        return {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}
    return {}


def identifier(kind: str, name: str, inputs: dict[str, Any]) -> str:
    """The id of a resource, as its provider makes it."""
    if CLOUD == "azure-native":
        return _arm_id(kind, name, inputs)
    metadata = inputs.get("metadata", {})
    if CLOUD == "kubernetes" and "name" in metadata:
        return "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)
    return f"{name}-id"


def _arm_id(kind: str, name: str, inputs: dict[str, Any]) -> str:
    _, module, word = kind.split(":")
    group = inputs.get("resourceGroupName", "group")
    return f"/subscriptions/{_guid('')}/resourceGroups/{group}/providers/Microsoft.{module}/{word}/{name}"


_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://c.hcp.westeurope.azmk8s.io:443"}}],
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "c",
    "users": [
        {
            "name": "u",
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1beta1",
                    "command": "kubelogin",
                    "args": ["get-token", "--environment", "AzurePublicCloud", "--login", "devicecode"],
                }
            },
        }
    ],
}
"""As AKS gives it to a user where local accounts are off: JSON is YAML too."""


def answer(token: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a function of the cloud answers; raises KeyError for one that nobody has asked for yet."""
    name = f"{arguments.get('serviceName', '')}-{arguments.get('sid', '')}"
    encoded = base64.b64encode(json.dumps(_KUBECONFIG).encode()).decode()
    answers: dict[str, dict[str, Any]] = {
        "azure-native:apimanagement:listSubscriptionSecrets": {
            "primaryKey": f"primary-{_guid(name)}",
            "secondaryKey": f"secondary-{_guid(name)}",
        },
        "azure-native:containerservice:listManagedClusterUserCredentials": {
            "kubeconfigs": [{"name": "clusterUser", "value": encoded}]
        },
        "azure-native:redisenterprise:listDatabaseKeys": {
            "primaryKey": _guid("redis"),
            "secondaryKey": _guid("redis2"),
        },
    }
    return answers[token]


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """What the engine asks of a provider; see the facts of the protocol in pulumi's provider.proto."""

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSIONS[CLOUD])

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=CLOUD == "azure-native", acceptResources=False
        )

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()  # unknown: the engine compares the inputs itself

    def Create(self, request: Any, context: Any) -> Any:
        kind, name = request.urn.rsplit("::", 2)[-2].split("$")[-1], request.urn.rsplit("::", 1)[-1]
        inputs = json_format.MessageToDict(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(previewed(inputs)))
        found = outputs(kind, name, inputs)
        return provider_pb2.CreateResponse(id=identifier(kind, name, inputs), properties=_struct(found))

    def Update(self, request: Any, context: Any) -> Any:
        kind, name = request.urn.rsplit("::", 2)[-2].split("$")[-1], request.urn.rsplit("::", 1)[-1]
        inputs = json_format.MessageToDict(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_struct(previewed(inputs)))
        return provider_pb2.UpdateResponse(properties=_struct(outputs(kind, name, inputs)))

    def Read(self, request: Any, context: Any) -> Any:
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        found = provider_pb2.InvokeResponse()
        getattr(found, "return").CopyFrom(_struct(answer(request.tok, json_format.MessageToDict(request.args))))
        return found

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def _struct(value: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(value, struct_pb2.Struct())


def main() -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(StandIn(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
