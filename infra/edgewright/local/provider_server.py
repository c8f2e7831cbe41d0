"""Serve the provider `edgewright-local` to a Pulumi engine over gRPC.

The engine starts ``pulumi-resource-edgewright-local ENGINE``, reads a port from its standard output and calls it. This
is the plain service and not ``pulumi.provider.experimental.provider.Provider``: that one drops the old inputs from a
diff, which is all that we compare, and sends a Python traceback with every refusal.
"""
# ruff: noqa: N802, ARG002 (the names and arguments are those of the service, ResourceProvider)

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, TypeVar, cast

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

import edgewright
from edgewright.local import runtime
from edgewright.local.provider import TYPE, UNKNOWN, EdgeProvider, Kind, Properties, ProviderError, Runtime

# How the engine marks values (sdk/go/common/resource/properties.go, sdk/go/common/resource/plugin/rpc.go).
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the mark of a secret, not one)
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_MOST_BYTES = 400 * 1024 * 1024  # as the engine's own channels: an artifact may be large

Call = TypeVar("Call", bound=Callable[..., Any])


def decode(message: struct_pb2.Struct) -> Properties:
    """Plain values from the wire: secrets opened, unknown values as `UNKNOWN`."""
    return {key: _decode(value) for key, value in json_format.MessageToDict(message).items()}


def encode(properties: Mapping[str, Any], *, secret: frozenset[str] = frozenset()) -> struct_pb2.Struct:
    """Plain values to the wire; the properties named by ``secret`` are marked so that the engine encrypts them."""
    message = struct_pb2.Struct()
    for key, value in properties.items():
        plain = _encode(value)
        message[key] = {_SIGNATURE: _SECRET, "value": plain} if key in secret else plain
    return message


def _decode(value: Any) -> Any:
    if value == _UNKNOWN:
        return UNKNOWN
    if isinstance(value, list):
        return [_decode(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get(_SIGNATURE) == _SECRET:
            return _decode(fields.get("value"))
        return {key: _decode(item) for key, item in fields.items()}
    return value


def _encode(value: Any) -> Any:
    if value is UNKNOWN:
        return _UNKNOWN
    if isinstance(value, Mapping):
        return {key: _encode(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in cast("list[Any]", value)]
    return value


def _answering(call: Call) -> Call:
    """Refusals as their plain text; a bug as its type and text to the engine and its traceback to standard error."""

    @wraps(call)
    def wrapper(self: "ProviderService", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(self, request, context)
        except self.refusals as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:
            traceback.print_exc()
            context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")

    return wrapper  # pyright: ignore[reportReturnType]


class ProviderService(provider_pb2_grpc.ResourceProviderServicer):
    """The calls that an engine makes, each one line away from `EdgeProvider`.

    refusals: the runtime's exceptions whose text is meant for the person at the keyboard.
    """

    def __init__(self, provider: EdgeProvider, *, refusals: tuple[type[Exception], ...] = ()) -> None:
        super().__init__()
        self.provider = provider
        self.refusals = (ProviderError, *refusals)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=edgewright.__version__)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    @_answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._expect(request.urn)
        checked = self.provider.check(decode(request.news))
        return provider_pb2.CheckResponse(
            inputs=_inputs(checked.inputs),
            failures=[
                provider_pb2.CheckFailure(property=failure.property, reason=failure.reason)
                for failure in checked.failures
            ],
        )

    @_answering
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        changes = self.provider.diff(request.id, decode(request.old_inputs), decode(request.news))
        detailed = {
            path: provider_pb2.PropertyDiff(
                kind=_kind(kind, replace=path in changes.replaces), inputDiff=path in changes.inputs
            )
            for path, kind in {**changes.inputs, **changes.outputs}.items()
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=changes.replaces,
            diffs=sorted({path.split("[", 1)[0] for path in detailed}),
            detailedDiff=detailed,
            hasDetailedDiff=True,
            deleteBeforeReplace=bool(changes.replaces),
        )

    @_answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        identity, outputs = self.provider.create(decode(request.properties), preview=request.preview)
        return provider_pb2.CreateResponse(id=identity, properties=encode(outputs))

    @_answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        outputs = self.provider.update(request.id, decode(request.news), preview=request.preview)
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    @_answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._expect(request.urn)
        found = self.provider.read(request.id, decode(request.inputs))
        if found is None:
            return provider_pb2.ReadResponse()  # an empty id: it is gone
        return provider_pb2.ReadResponse(id=found.id, properties=encode(found.outputs), inputs=_inputs(found.inputs))

    @_answering
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.provider.delete(request.id)
        return empty_pb2.Empty()

    def _expect(self, urn: str) -> None:
        kind = urn.split("::")[2].rsplit("$", 1)[-1] if urn.count("::") >= 3 else ""
        if kind != TYPE:
            raise ProviderError(f"there is no resource {kind or urn} here; there is {TYPE}")


def _inputs(properties: Properties) -> struct_pb2.Struct:
    # Whoever gave the keys, and however: they are secrets in the state.
    return encode(properties, secret=frozenset({"credentials"}))


def _kind(kind: Kind, *, replace: bool) -> Any:
    name = f"{kind.name}_REPLACE" if replace else kind.name
    return provider_pb2.PropertyDiff.Kind.Value(name)


def serve(effects: Runtime, *, refusals: tuple[type[Exception], ...] = ()) -> None:
    """Serve on a free port of 127.0.0.1, print the port, and go on until the engine ends this process, or is gone.

    An engine that is killed ends nobody: the provider looks for itself, once a second.
    """
    engine = os.getppid()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4, thread_name_prefix="provider"),
        options=[("grpc.max_receive_message_length", _MOST_BYTES), ("grpc.max_send_message_length", _MOST_BYTES)],
    )
    service = ProviderService(EdgeProvider(effects), refusals=refusals)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    done = threading.Event()

    def end(_signal: int, _frame: object) -> None:
        done.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(port, flush=True)
    while not done.wait(1) and os.getppid() == engine:
        pass
    server.stop(grace=None)


def main() -> int:
    """The plugin ``pulumi-resource-edgewright-local``; its one argument, the engine's address, is not needed."""
    serve(runtime, refusals=(runtime.LocalError,))
    return 0


if __name__ == "__main__":
    sys.exit(main())
