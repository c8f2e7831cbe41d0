"""Runs a component against mocks and keeps every registration, as the engine would get it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc

from edgewright.clouds.part import ArgumentsError

T = TypeVar("T")

UNKNOWN = "[unknown]"
SECRET = "[secret]"


@dataclass(frozen=True, slots=True)
class Registration:
    """One registered resource; inputs by wire name, with UNKNOWN and SECRET in the place of such values."""

    type: str
    name: str
    urn: str
    parent: str
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    protect: bool
    retain: bool
    secret_outputs: tuple[str, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    resources: list[Registration] = field(default_factory=list)

    def of(self, short: str) -> dict[str, Registration]:
        """By name, those of a type such as ``apigateway.Stage``."""
        return {resource.name: resource for resource in self.resources if short_type(resource.type) == short}

    def one(self, short: str) -> Registration:
        found = self.of(short)
        assert len(found) == 1, f"{short}: {sorted(found)}"
        return next(iter(found.values()))

    def inputs(self, short: str) -> Mapping[str, Any]:
        return self.one(short).inputs

    @property
    def custom(self) -> list[Registration]:
        return [resource for resource in self.resources if not resource.type.startswith("edgewright:")]


def short_type(token: str) -> str:
    module, _, last = token.removeprefix("aws:").rpartition(":")
    return f"{module.partition('/')[0]}.{last}"


def record(
    make: Callable[[], Any], *, preview: bool = False, outputs: Mapping[str, Mapping[str, Any]] | None = None
) -> Recording:
    """Run ``make`` and give back what it registered.

    outputs: what the cloud would add, by short type, such as ``{"acm.Certificate": {...}}``. In a preview nothing is
    known but inputs.
    """
    recording = Recording()
    cloud = _Cloud(preview, outputs or {})
    mocks.set_mocks(cloud, project="shop", stack="test", preview=preview, monitor=_Monitor(cloud, recording))

    def run() -> pulumi.Output[None]:
        make()
        return pulumi.Output.from_input(None)

    mocks.test(run)()
    return recording


def problems(make: Callable[[], Any]) -> str:
    """What a component says about bad arguments; it must say so before it registers a resource."""
    said: list[str] = []

    def run() -> None:
        with pytest.raises(ArgumentsError) as error:
            make()
        said.append(str(error.value))

    assert record(run).custom == []
    return said[0]


def resolved(output: pulumi.Output[T], into: list[T]) -> None:
    """Keep the value of an output that is known."""
    output.apply(into.append)


class _Cloud(mocks.Mocks):
    def __init__(self, preview: bool, outputs: Mapping[str, Mapping[str, Any]]) -> None:
        self.preview = preview
        self.outputs = outputs

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self.preview:
            return None, dict(args.inputs)
        computed = {"arn": f"arn:{args.name}", "executionArn": f"arn:execute:{args.name}", "fqdn": f"{args.name}.fqdn"}
        computed |= {"name": args.inputs.get("name", f"{args.name}-1"), "domainNameId": f"{args.name}-domain-id"}
        return f"{args.name}-id", {**computed, **args.inputs, **self.outputs.get(short_type(args.typ), {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"a component looks nothing up, but called {args.token}")


class _Monitor(mocks.MockMonitor):
    def __init__(self, cloud: _Cloud, recording: Recording) -> None:
        super().__init__(cloud)
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type != "pulumi:pulumi:Stack":
            assert urn not in self.resources, f"registered twice: {urn}"
            inputs = json_format.MessageToDict(request.object)
            self.recording.resources.append(
                Registration(
                    type=request.type,
                    name=request.name,
                    urn=urn,
                    parent=request.parent,
                    inputs=_shown(inputs),
                    dependencies=tuple(sorted(request.dependencies)),
                    protect=request.protect,
                    retain=request.retainOnDelete,
                    secret_outputs=tuple(request.additionalSecretOutputs),
                    aliases=tuple(alias.urn or alias.spec.name for alias in request.aliases),
                )
            )
        return super().RegisterResource(request)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return SECRET
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return UNKNOWN if value == rpc.UNKNOWN else value
