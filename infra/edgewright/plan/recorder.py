"""Runs a Pulumi program in this process, with no engine and no cloud, and records what it would register."""

import asyncio
import contextvars
import copy
import gc
import hashlib
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Never, Union, cast, get_args, get_origin

import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi import _types  # pyright: ignore[reportPrivateUsage] (the SDK offers its type metadata nowhere else)
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, Settings, configure, rpc, run_in_stack
from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import alias_pb2, resource_pb2
from pulumi.runtime.settings import SETTINGS, reset_options
from pulumi.runtime.stack import register_stack_transformation

from edgewright.plan.model import Resource
from edgewright.plan.tokens import ADDED, COUNT, SECRET, SHAPES, UNKNOWN, token

Call = Callable[[dict[str, Any]], dict[str, Any]]
"""Answers a data source: from its arguments to its result, both with wire names."""

# The marks inside of objects on the wire: sdk/go/common/resource/{properties,asset,archive}.go of pulumi/pulumi.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the mark of a secret)
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"

_STACK = "pulumi:pulumi:Stack"
_UNKNOWN_BYTES = rpc.UNKNOWN.encode()
_DEPTH = 2
"""How many objects deep the tokens of outputs go; the types of some resources (WAF rules) have no end."""


class RecordError(Exception):
    """A program that cannot be recorded: a name used twice, a data source without an answer, a file that is missing."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a program would register.

    resources: parents before their children, siblings by urn, the stack itself left out; outputs: of the stack, as
    inputs are shown (`Resource.inputs`).
    """

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])


def record(
    program: Callable[[], object],
    *,
    project: str,
    stack: str,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    calls: Mapping[str, Call] | None = None,
) -> Recording:
    """Run ``program`` as the engine would and return what it registers; twice the same program, twice the same result.

    preview: outputs that are not inputs are unknown, as in the first preview of a stack; otherwise they are tokens.
    config: by key, ``name`` (of the project) or ``namespace:name``. calls: answers of data sources by their token, such
    as ``aws:index/getRegion:getRegion``.

    Raises RecordError, and whatever the program or one of its ``apply`` functions raises, as it was raised.
    One run at a time in a process, and not from inside of a running event loop.
    """
    recorder = _Recorder(project, stack, calls or {}, preview=preview)
    settings = {key if ":" in key else f"{project}:{key}": value for key, value in (config or {}).items()}

    def run() -> None:
        register_stack_transformation(recorder.see)
        program()

    async def main() -> None:
        # All of the SDK's state is in context variables: set here, in the task's own context, it ends with the task.
        reset_options()
        configure(Settings(project=project, stack=stack, monitor=recorder, dry_run=preview))
        set_all_config(settings, [])
        try:
            await run_in_stack(run)
        except Exception as error:
            asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # one report is enough
            _raise(cast(Any, SETTINGS).rpc_manager.unhandled_exception or error)

    with _in_haste(), asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(main(), context=contextvars.copy_context())
    return recorder.recording()


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that answers calls to the monitor at once: without threads the order is always the same."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> "asyncio.Future[Any]":  # noqa: ARG002
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # it belongs to who awaits
            future.set_exception(error)
        return future


@contextmanager
def _in_haste() -> Generator[None]:
    """Spare what costs most and serves nobody here; both are settings of the whole process, put back at the end.

    The SDK makes very many small objects that live to the end, so the garbage collector runs seldom (a third less). It
    also takes the whole stack for each resource, to show where it was made (a tenth less without).
    """
    threshold, frozen, limit = gc.get_threshold(), gc.get_freeze_count(), getattr(sys, "tracebacklimit", None)
    if not frozen:
        gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)
    sys.tracebacklimit = 1
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        if not frozen:
            gc.unfreeze()
        if limit is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = limit


def _raise(error: BaseException) -> Never:
    """Raise what the program raised, without what the SDK wraps around it while it serialises."""
    while isinstance(error, ValueError | AssertionError) and str(error).startswith("While processing "):
        inner = error.__cause__
        if inner is None or inner is error:
            break
        error = inner
    if error.__cause__ is error:  # the SDK raises the first failure from itself
        error.__cause__ = None
    raise error


class _NoMocks(Mocks):
    """The base class asks for mocks; the recorder answers everything itself."""

    def new_resource(self, args: MockResourceArgs) -> Never:
        raise NotImplementedError(args.typ)

    def call(self, args: MockCallArgs) -> Never:
        raise NotImplementedError(args.token)


class _Recorder(MockMonitor):
    """Stands where the engine's resource monitor would be; names of methods are those of its gRPC service."""

    def __init__(self, project: str, stack: str, calls: Mapping[str, Call], *, preview: bool) -> None:
        super().__init__(_NoMocks())
        self._prefix = f"urn:pulumi:{stack}::{project}::"
        self._calls = calls
        self._preview = preview
        self._found: dict[str, Resource] = {}
        self._states: dict[str, resource_pb2.RegisterResourceResponse] = {}
        self._classes: dict[str, type] = {}
        self._twice: list[str] = []
        self._root = ""
        self._outputs: dict[str, Any] = {}

    def recording(self) -> Recording:
        """What was recorded; RecordError when a urn was registered more than once."""
        if self._twice:
            listed = "\n".join(f"  {urn}" for urn in sorted(set(self._twice)))
            raise RecordError(f"registered more than once; give each its own name:\n{listed}")
        found = self._found

        def path(resource: Resource) -> tuple[str, ...]:
            parent = found.get(resource.parent or "")
            return (*path(parent), resource.urn) if parent else (resource.urn,)

        ordered = sorted(found.values(), key=path)
        return Recording(tuple(ordered), self._outputs)

    def see(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """Remember the class behind a type, and drop the aliases that SDKs add to each resource.

        Those name older types only. azure-native adds 23 to 60 to each resource, and each costs several tasks.
        """
        self._classes.setdefault(args.type_, type(args.resource))
        aliases = cast(list[Any] | None, args.opts.aliases)
        if not aliases or not isinstance(args.resource, pulumi.CustomResource):
            return None
        opts = copy.copy(args.opts)
        opts.aliases = [alias for alias in aliases if not _older_type(alias)]
        return pulumi.ResourceTransformationResult(args.props, opts)

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Record a resource and answer with its urn, its id and the outputs that are no inputs."""
        urn = self._urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            self._root = urn
            return resource_pb2.RegisterResourceResponse(urn=urn)
        self._refuse(request)
        if urn in self._found:
            self._twice.append(urn)
        inputs = plain(request.object)
        resource = Resource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=None if request.parent in {"", self._root} else request.parent,
            inputs=inputs,
            dependencies=self._dependencies(request, urn),
            custom=request.custom,
            protect=request.protect,
            aliases=tuple(self._alias(alias, request) for alias in cast(Iterable[alias_pb2.Alias], request.aliases)),
        )
        self._found[urn] = resource
        response = resource_pb2.RegisterResourceResponse(urn=urn)
        if request.custom:
            response.id = request.importId or ("" if self._preview else token(resource.short, "id"))
        self._answer(resource, request.object, request.additionalSecretOutputs, response.object)
        self._states[urn] = response
        return response

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Keep the outputs of the stack."""
        if request.urn == self._root:
            self._outputs = plain(request.outputs)
        return empty_pb2.Empty()

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        """Answer ``Thing.get(...)`` with tokens; what is only read is not part of the plan."""
        urn = self._urn(request.parent, request.type, request.name)
        resource = Resource(urn, request.type, request.name, None, plain(request.properties), (), custom=True)
        response = resource_pb2.ReadResourceResponse(urn=urn, id=request.id)
        self._answer(resource, request.properties, request.additionalSecretOutputs, response.properties)
        return response

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """Answer a data source from the table, or refuse it."""
        arguments = plain(request.args)
        if request.tok == "pulumi:pulumi:getResource":
            answer = self._state(str(arguments.get("urn")))
        elif request.tok in self._calls:
            answer = self._calls[request.tok](arguments)
        else:
            raise RecordError(f"calls `{request.tok}`, which asks the cloud; a plan is offline: give the value instead")
        response = resource_pb2.ResourceInvokeResponse()
        fields: struct_pb2.Struct = getattr(response, "return")
        for key, value in answer.items():
            _write(fields.fields[key], value)
        return response

    def Call(self, request: resource_pb2.ResourceCallRequest) -> Never:  # noqa: N802
        """Methods of resources run in a provider, and there is none."""
        raise RecordError(f"calls `{request.tok}`, which runs in a provider; a plan is offline")

    def RegisterStackTransform(self, request: Any) -> Never:  # noqa: N802, ARG002
        """Transforms are run by the engine, and there is none."""
        raise RecordError("registers a transform, which the engine runs; a plan knows transformations only")

    RegisterStackInvokeTransform = RegisterStackTransform

    def _refuse(self, request: resource_pb2.RegisterResourceRequest) -> None:
        if request.remote:
            raise RecordError(f"`{request.name}` ({request.type}) is made by a provider; a plan is offline")
        if list(cast(Iterable[Any], request.transforms)):
            raise RecordError(
                f"`{request.name}` has transforms, which the engine runs; a plan knows transformations only"
            )

    def _urn(self, parent: str, kind: str, name: str) -> str:
        """The urn as the engine builds it: with the types of all parents but the stack."""
        chain = parent.split("::", 3)[2] if parent else _STACK
        return f"{self._prefix}{'' if chain == _STACK else chain + '$'}{kind}::{name}"

    def _dependencies(self, request: resource_pb2.RegisterResourceRequest, urn: str) -> tuple[str, ...]:
        urns = set(request.dependencies)
        for listed in request.propertyDependencies.values():
            urns.update(listed.urns)
        return tuple(sorted(other for other in urns if other != urn and other in self._found))

    def _alias(self, alias: alias_pb2.Alias, request: resource_pb2.RegisterResourceRequest) -> str:
        if alias.urn:
            return alias.urn
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        urn = self._urn(parent, spec.type or request.type, spec.name or request.name)
        _, _, stack, rest = urn.split(":", 3)
        project, rest = rest.removeprefix(":").split("::", 1)
        return f"urn:pulumi:{spec.stack or stack}::{spec.project or project}::{rest}"

    def _state(self, urn: str) -> dict[str, Any]:
        if urn not in self._found:
            raise RecordError(f"reads `{urn}`, which the program does not register")
        response = self._states[urn]
        return {"urn": urn, "id": response.id, "state": {**self._found[urn].inputs, **plain(response.object)}}

    def _answer(
        self, resource: Resource, given: struct_pb2.Struct, secret: Iterable[str], answer: struct_pb2.Struct
    ) -> None:
        """Write the outputs of a resource. What it leaves out the SDK takes from the inputs, except in a preview."""
        kind = self._classes.get(resource.type) if resource.custom else None
        outputs: Mapping[str, Any] = _outputs(kind) if kind else {}
        if self._preview:
            _echo(given, answer, outputs)
        else:
            if _UNKNOWN_BYTES in given.SerializeToString():
                _echo_unknown(given, answer)
            if resource.custom:
                _add_tokens(resource, outputs, given, answer)
        if kind is not None:
            _echo_keyed(kind, given, answer)
        for name in secret:
            _hide(name, given, answer)


def _older_type(alias: Any) -> bool:
    """Whether an alias says nothing but another type, as those of SDKs do."""
    if not isinstance(alias, pulumi.Alias):
        return False
    rest: tuple[Any, ...] = (alias.name, alias.parent, alias.stack, alias.project)
    return isinstance(alias.type_, str) and all(item is ... for item in rest)


def _echo(given: struct_pb2.Struct, answer: struct_pb2.Struct, outputs: Mapping[str, Any]) -> None:
    """Copy the inputs, except an object given where the output is a text: a provider would turn it into one."""
    for key, value in given.fields.items():
        if not (isinstance(outputs.get(key), str) and _is_object(value)):
            answer.fields[key].CopyFrom(value)


def _is_object(value: struct_pb2.Value) -> bool:
    """Whether it is an object of the program, and not a secret, an asset or a reference."""
    return value.HasField("struct_value") and _SIGNATURE not in value.struct_value.fields


def _marked_as(mark: str, struct: struct_pb2.Struct) -> bool:
    return _SIGNATURE in struct.fields and struct.fields[_SIGNATURE].string_value == mark


def _echo_unknown(given: struct_pb2.Struct, answer: struct_pb2.Struct) -> None:
    """Copy the inputs with something unknown in them, which the SDK would otherwise take for None."""
    for key, value in given.fields.items():
        if _UNKNOWN_BYTES in value.SerializeToString():
            answer.fields[key].CopyFrom(value)


def _echo_keyed(kind: type, given: struct_pb2.Struct, answer: struct_pb2.Struct) -> None:
    """Answer objects for lists where the type of an output says so: azure-native takes ids of identities as a list, and
    gives them as an object by id."""
    for name, hint in _types.resource_types(kind).items():
        source = answer if name in answer.fields else given
        if name not in source.fields or not _is_object(source.fields[name]):
            continue
        value = struct_pb2.Value()
        value.CopyFrom(source.fields[name])
        if _keyed(hint, value.struct_value):
            answer.fields[name].CopyFrom(value)


def _keyed(hint: Any, value: struct_pb2.Struct) -> bool:
    """Put objects by id in place of lists in an output; whether there was one. With an unknown id all is unknown."""
    if not (isinstance(hint, type) and _types.is_output_type(hint)):
        return False
    changed = False
    for name, of in _types.output_type_types(hint).items():
        if name not in value.fields or get_origin(of) not in {Mapping, dict}:
            continue
        listed = value.fields[name]
        if not listed.HasField("list_value"):
            continue
        ids = [item.string_value for item in listed.list_value.values]
        if rpc.UNKNOWN in ids:
            listed.string_value = rpc.UNKNOWN
        else:
            listed.struct_value.SetInParent()
            for item in ids:
                listed.struct_value.fields[item].struct_value.SetInParent()
        changed = True
    return changed


def _add_tokens(
    resource: Resource, outputs: Mapping[str, Any], given: struct_pb2.Struct, answer: struct_pb2.Struct
) -> None:
    short = resource.short

    def at(path: str) -> str:
        return token(short, path)

    for name, template in outputs.items():
        if name not in given.fields:
            shape = SHAPES.get((resource.type, name))
            _write(answer.fields[name], shape(resource.inputs, at) if shape else _filled(template, at))
    # Optional outputs too, which are there when they were given.
    for (of, name), parts in ADDED.items():
        if of != resource.type or name not in given.fields:
            continue
        if _is_object(given.fields[name]) or _is_list(given.fields[name]):
            answer.fields[name].CopyFrom(given.fields[name])
            for path, fields in _objects(name, answer.fields[name]):
                for part in parts:
                    if part not in fields:
                        fields[part].string_value = at(f"{path}.{part}")


def _is_list(value: struct_pb2.Value) -> bool:
    return value.HasField("list_value")


def _objects(name: str, value: struct_pb2.Value) -> list[tuple[str, Any]]:
    """An object, or those of a list, each with its path: their fields, to be written. In a list an object is known by
    its name, if it has one: others that come or go change nothing about it."""
    if not _is_list(value):
        return [(name, value.struct_value.fields)]
    found: list[tuple[str, Any]] = []
    for at, item in enumerate(value.list_value.values):
        if _is_object(item):
            fields: Any = item.struct_value.fields
            found.append((f"{name}[{fields['name'].string_value if 'name' in fields else at}]", fields))
    return found


def _hide(name: str, given: struct_pb2.Struct, answer: struct_pb2.Struct) -> None:
    """Make an output secret, as the engine does with those that an SDK or a program names as secret."""
    source = answer if name in answer.fields else given
    if name not in source.fields:
        return
    value = struct_pb2.Value()
    value.CopyFrom(source.fields[name])
    if value.HasField("struct_value") and _marked_as(_SECRET, value.struct_value):
        return
    answer.fields[name].Clear()
    fields = answer.fields[name].struct_value.fields
    fields[_SIGNATURE].string_value = _SECRET
    fields["value"].CopyFrom(value)


@cache
def _outputs(kind: type) -> Mapping[str, Any]:
    """The outputs of a class by wire name: a path where a token goes, None for unknown, lists and objects of those.

    What is optional and no text is there only when it was given, so it is left out. Of a class without getters, as
    a dynamic provider has, nothing is taken for optional.
    """
    annotated = _types._raw_return_hints(kind)  # pyright: ignore[reportPrivateUsage]
    return {
        wire: _template(hint, wire, _DEPTH)
        for wire, hint in _types.resource_types(kind).items()
        if wire not in {"id", "urn"} and (_is_text(hint) or not _is_optional(annotated.get(wire)))
    }


def _template(hint: Any, path: str, depth: int) -> Any:
    if _is_text(hint):
        return path
    if get_origin(hint) is not None and len(of := get_args(hint)) == 1:
        item = _types.unwrap_type(of[0])
        items = [_template(item, f"{path}[{index}]", depth) for index in range(COUNT if item is str else 1)]
        return items if items[0] is not None else None
    if isinstance(hint, type) and _types.is_output_type(hint) and depth > 0:
        hints = _types.output_type_types(hint).items()
        fields = {wire: _template(of, f"{path}.{wire}", depth - 1) for wire, of in hints}
        # One unknown field would make the whole output unknown, so what is no text is left out.
        return {wire: template for wire, template in fields.items() if template is not None}
    return None


def _is_text(hint: Any) -> bool:
    return hint is str or hint is Any or (get_origin(hint) in {Union, UnionType} and str in get_args(hint))


def _is_optional(annotated: Any) -> bool:
    """Whether an output may be missing: it is annotated as ``Output[Optional[...]]``."""
    of = get_args(annotated)
    return bool(of) and type(None) in get_args(of[0])


def _filled(template: Any, at: Callable[[str], str]) -> Any:
    if isinstance(template, str):
        return at(template)
    if isinstance(template, list):
        return [_filled(item, at) for item in cast(list[Any], template)]
    if isinstance(template, dict):
        return {key: _filled(item, at) for key, item in cast(dict[str, Any], template).items()}
    return UNKNOWN


def _write(target: struct_pb2.Value, value: Any) -> None:
    """Write plain data as the wire has it; marks become what they stand for."""
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, str):
        if value == SECRET:
            target.struct_value.fields[_SIGNATURE].string_value = _SECRET
            target.struct_value.fields["value"].string_value = SECRET
        else:
            target.string_value = rpc.UNKNOWN if value == UNKNOWN else value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for key, item in cast(Mapping[str, Any], value).items():
            _write(target.struct_value.fields[key], item)
    else:
        target.list_value.SetInParent()
        for item in value:
            _write(target.list_value.values.add(), item)


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The values of a message as plain data: marks for secrets and unknowns, whole numbers as int, hashes for files."""
    return {
        key: _plain(value) for key, value in sorted(struct.fields.items()) if value.WhichOneof("kind") != "null_value"
    }


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text == rpc.UNKNOWN else text
    if kind == "struct_value":
        struct = value.struct_value
        return _marked(struct) if _SIGNATURE in struct.fields else plain(struct)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _marked(struct: struct_pb2.Struct) -> Any:
    """What an object with a signature stands for."""
    fields = struct.fields
    mark = fields[_SIGNATURE].string_value
    if mark == _SECRET:
        return SECRET
    if mark == _REFERENCE:
        value = fields["id"] if "id" in fields else fields["urn"]
        return _plain(value) if value.string_value else UNKNOWN
    if mark == _ASSET:
        return {"asset": _asset(fields)}
    if mark == _ARCHIVE:
        return {"archive": _archive(fields)}
    raise RecordError(f"an input has an object of an unknown kind, with the signature {mark}")


def _asset(fields: Mapping[str, struct_pb2.Value]) -> dict[str, str]:
    """The name of a file (``text`` for a text) with the SHA-256 of its content; for a remote one its address."""
    if "uri" in fields:
        return {"uri": fields["uri"].string_value}
    if "text" in fields:
        return {"text": hashlib.sha256(fields["text"].string_value.encode()).hexdigest()}
    path = Path(fields["path"].string_value)
    return {path.name: _hash(path)}


def _archive(fields: Mapping[str, struct_pb2.Value]) -> dict[str, Any]:
    """The SHA-256 of each file by its name in the archive; a file that is an archive has its own."""
    if "uri" in fields:
        return {"uri": fields["uri"].string_value}
    if "assets" in fields:
        return plain(fields["assets"].struct_value)
    path = Path(fields["path"].string_value)
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.is_file())
        return {item.relative_to(path).as_posix(): _hash(item) for item in files}
    return {path.name: _hash(path)}


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordError(f"cannot read `{path}`: {error.strerror}") from error
