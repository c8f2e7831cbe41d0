"""A provider that stands in for a cloud's: it keeps what it is given, and makes up what the cloud would add.

It proves wiring, order, diffs and names through the real engine, not that the cloud would accept them. Started by the
engine as ``pulumi-resource-NAME``, with the cloud's package as its argument; prints its port.
"""

import sys
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

ACCOUNT = "123456789012"
VERSIONS = {"aws": "7.51.1", "azure-native": "3.29.0"}
CLOUD = sys.argv[1] if len(sys.argv) > 1 else "aws"


def outputs(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a resource: its inputs, and what AWS would have added."""
    if CLOUD == "azure-native":
        return {**_azure(kind, name, inputs), **inputs}
    service = kind.split(":")[1].split("/", maxsplit=1)[0]
    added: dict[str, Any] = {
        "arn": f"arn:aws:{service}:eu-west-1:{ACCOUNT}:{name}",
        "name": name,
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
    return {**added, **inputs}


def _azure(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What Azure would have added: a resource's own name, hosts and addresses."""
    word = kind.rpartition(":")[2]
    own = next((inputs[key] for key in (f"{word[0].lower()}{word[1:]}Id", "serviceName") if key in inputs), name)
    found: dict[str, Any] = {"name": name if word == "ApiManagementService" else own}
    if word == "ApiManagementService":
        found["gatewayUrl"] = f"https://{name}.azure-api.net"
        found["privateIPAddresses"] = ["10.0.0.4"]
    if word == "PublicIPAddress":
        found["ipAddress"] = "192.0.2.7"
    return found


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """What the engine asks of a provider; see the facts of the protocol in pulumi's provider.proto."""

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSIONS[CLOUD])

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=False, acceptResources=False)

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()  # unknown: the engine compares the inputs itself

    def Create(self, request: Any, context: Any) -> Any:
        kind, name = request.urn.rsplit("::", 2)[-2].split("$")[-1], request.urn.rsplit("::", 1)[-1]
        found = outputs(kind, name, json_format.MessageToDict(request.properties))
        return provider_pb2.CreateResponse(id=f"{name}-id", properties=_struct(found))

    def Update(self, request: Any, context: Any) -> Any:
        kind, name = request.urn.rsplit("::", 2)[-2].split("$")[-1], request.urn.rsplit("::", 1)[-1]
        return provider_pb2.UpdateResponse(
            properties=_struct(outputs(kind, name, json_format.MessageToDict(request.news)))
        )

    def Read(self, request: Any, context: Any) -> Any:
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

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
