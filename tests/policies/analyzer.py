"""A policy pack in its own process, as the engine runs it, and what it answers."""

import os
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from edgewright.policies.levels import Level, default_level
from edgewright.policies.rule import AnyRule
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject

REPOSITORY = Path(__file__).resolve().parents[2]
PACK = REPOSITORY / "policies"
_OPTIONS = [("grpc.max_receive_message_length", 1024**2 * 400)]  # as the engine has it
_SECONDS = 300.0

LEVELS: Mapping[Level, analyzer_pb2.EnforcementLevel.ValueType] = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "disabled": analyzer_pb2.DISABLED,
    "remediate": analyzer_pb2.REMEDIATE,
}
_NAMES = {number: name for name, number in LEVELS.items()}


@dataclass(frozen=True)
class Diagnostic:
    """What a person sees of a policy."""

    rule: str
    level: str
    urn: str
    message: str


@dataclass(frozen=True)
class Answer:
    """What the pack says. not_applicable: reasons by rule."""

    diagnostics: tuple[Diagnostic, ...]
    not_applicable: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Remediation:
    """What a rule writes: all properties of the resource, as the engine takes them over."""

    rule: str
    properties: Mapping[str, Any]
    problem: str


class Analyzer:
    """A running pack. stub: to ask it without reading the answer; pid: of its process."""

    def __init__(self, stub: analyzer_pb2_grpc.AnalyzerStub, pid: int) -> None:
        """Talk to a pack that has started."""
        self.stub: Any = stub
        self.pid = pid

    def info(self) -> Any:
        """What the pack says about itself and its policies."""
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=_SECONDS)

    def configure(self, values: Mapping[str, Any], rules: Iterable[AnyRule] = ALL) -> None:
        """Replace the configuration; values: as `--policy-pack-config` takes them.

        As the engine does: each rule gets its level, and its settings with the defaults of the schema
        (ReconcilePolicyPackConfig in pkg/resource/analyzer/config.go of pulumi/pulumi).
        """
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for rule in rules:
            value: Any = values.get(rule.name, {})
            said: dict[str, Any] = {"enforcementLevel": value} if isinstance(value, str) else dict(value)
            level = said.pop("enforcementLevel", values.get("all", default_level(rule)))
            config = request.policyConfig[rule.name]
            config.enforcementLevel = LEVELS[level]
            config.properties.update({**{name: item.default for name, item in rule.settings.items()}, **said})
        self.stub.Configure(request, timeout=_SECONDS)

    def analyze(self, subject: Subject) -> Answer:
        """What the rules over one resource say."""
        return _answer(self.stub.Analyze(request_of(subject), timeout=_SECONDS))

    def analyze_stack(self, subjects: Iterable[Subject]) -> Answer:
        """What the rules over a stack say."""
        return _answer(self.stub.AnalyzeStack(stack_request_of(subjects), timeout=_SECONDS))

    def remediate(self, subject: Subject) -> Sequence[Remediation]:
        """What rules write."""
        found = self.stub.Remediate(request_of(subject), timeout=_SECONDS)
        return [
            Remediation(item.policyName, json_format.MessageToDict(item.properties), item.diagnostic)
            for item in found.remediations
        ]


def request_of(subject: Subject) -> analyzer_pb2.AnalyzeRequest:
    """The engine's question about a resource."""
    return analyzer_pb2.AnalyzeRequest(
        urn=subject.urn,
        type=subject.type,
        name=subject.name,
        properties=_struct(subject.properties),
        options=_options(subject),
    )


def stack_request_of(subjects: Iterable[Subject]) -> analyzer_pb2.AnalyzeStackRequest:
    """The engine's question about a stack."""
    return analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                urn=subject.urn,
                type=subject.type,
                name=subject.name,
                properties=_struct(subject.properties),
                options=_options(subject),
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=sorted(urns))
                    for key, urns in subject.refs.items()
                },
            )
            for subject in subjects
        ]
    )


@contextmanager
def running(pack: Path = PACK, environment: Mapping[str, str] | None = None) -> Generator[Analyzer]:
    """Start a pack as the engine does, and stop it."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "infra"), **(environment or {})},
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert port.isdigit(), f"the pack did not start: {port}"
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS) as channel:
            yield Analyzer(analyzer_pb2_grpc.AnalyzerStub(channel), process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _struct(values: Mapping[str, Any]) -> Struct:
    return json_format.ParseDict(dict(values), Struct())


def _options(subject: Subject) -> analyzer_pb2.AnalyzerResourceOptions:
    defined = subject.delete_before_replace is not None
    return analyzer_pb2.AnalyzerResourceOptions(
        deleteBeforeReplaceDefined=defined, deleteBeforeReplace=bool(subject.delete_before_replace)
    )


def _answer(response: analyzer_pb2.AnalyzeResponse) -> Answer:
    return Answer(
        tuple(
            Diagnostic(item.policyName, _NAMES[item.enforcementLevel], item.urn, item.message)
            for item in response.diagnostics
        ),
        {item.policy_name: item.reason for item in response.not_applicable},
    )
