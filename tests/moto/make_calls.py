"""Makes the calls of recorded AWS resources on moto, in this process, with the ids that moto gives."""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from graphlib import TopologicalSorter
from typing import Any
from unittest.mock import patch

import boto3
import jmespath
from botocore import xform_name
from jmespath import functions

from edgewright.clouds import digests
from edgewright.plan.model import Resource
from edgewright.plan.tokens import SECRET, UNKNOWN, stands_in
from moto import mock_aws

from .known_gaps import GAPS, Gap
from .translate import REGION, Call, calls

ACCOUNT = "123456789012"
"""Moto's account."""

_HOLE = re.compile(r"\$\{([^{}]+)\}")
_BOUND = re.compile(r"\$\{bind\.[^{}]+\}")
"""What a stack would bind: any text will do."""
_MANAGED = "arn:aws:iam::aws:policy/"
_GLOBAL = {"shield": "us-east-1"}


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. Resources are named by `Resource.short`.

    made: resources all of whose calls went through, but for what moto lacks; refused: with moto's error; gaps: with the
    reason, once for each resource and gap; closed: resources with the name of a known gap that they did not meet.
    """

    made: int
    refused: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    gaps: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    closed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def run(resources: Iterable[Resource], region: str = REGION, gaps: Sequence[Gap] = GAPS) -> Report:
    """Make everything on an empty moto, each resource after those that it names.

    Existing things that the resources only name, such as ``vpc-0a1b`` or the ARN of a certificate, are made when they are
    named first (`_EXISTING`). region: for resources without their own; gaps: what moto is known to lack.
    """
    listed = [resource for resource in resources if resource.custom]
    managed = any(_MANAGED in json.dumps(resource.inputs, default=str) for resource in listed)
    # Without its machine images, which take half a second for each Region, EC2 has all that is needed here.
    images = patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"})
    with images, mock_aws(config={"iam": {"load_aws_managed_policies": managed}}):
        maker = _Maker(region, listed, gaps)
        for resource in in_order(listed):
            maker.make(resource)
        return maker.report()


def in_order(resources: Sequence[Resource]) -> list[Resource]:
    """Each after those that it depends on; graphlib.CycleError when they go round."""
    by_urn = {resource.urn: resource for resource in resources}
    names = _by_short(resources)
    graph: TopologicalSorter[str] = TopologicalSorter()
    for resource in resources:
        named = {names[short].urn for short in _named(resource.inputs, names)}
        wanted = {urn for urn in resource.dependencies if urn in by_urn} | named
        graph.add(resource.urn, *sorted(wanted - {resource.urn}))
    return [by_urn[urn] for urn in graph.static_order()]


def _by_short(resources: Iterable[Resource]) -> dict[str, Resource]:
    return {resource.short: resource for resource in resources}


def _named(value: Any, names: Mapping[str, Resource]) -> set[str]:
    """Short names of the resources that a value names."""
    found = (_split(hole, names) for hole in _HOLE.findall(json.dumps(value, default=str, ensure_ascii=False)))
    return {short for short, _ in filter(None, found)}


def _split(hole: str, names: Mapping[str, Any]) -> tuple[str, str] | None:
    """``lb.LoadBalancer shop.arn`` as the name and the path; names of resources may have dots."""
    for place in (index for index, letter in enumerate(hole) if letter == "."):
        if hole[:place] in names:
            return hole[:place], hole[place + 1 :]
    return None


@cache
def _session() -> Any:
    """One for all runs, as it reads the service models only once; its credentials are of nobody."""
    return boto3.Session("testing", "testing")


class _Functions(functions.Functions):
    """What the outputs of translators need beyond JMESPath."""

    @functions.signature({"types": ["string"]}, {"types": ["string"]})
    def _func_after(self, text: str, mark: str) -> str:
        return text.rpartition(mark)[2]


_OPTIONS = jmespath.Options(custom_functions=_Functions())


class _Refused(Exception):
    """A call cannot be made or was refused."""


class _Maker:
    """Makes resources one by one and remembers their outputs."""

    def __init__(self, region: str, resources: Sequence[Resource], gaps: Sequence[Gap]) -> None:
        self._region = region
        self._gaps = gaps
        self._names = _by_short(resources)
        self._clients: dict[tuple[str, str], Any] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._failed: set[str] = set()
        self._existing = Existing(self.client)
        self._made = 0
        self._refused: list[tuple[str, str]] = []
        self._met: dict[tuple[str, str], None] = {}
        self._closed: dict[tuple[str, str], None] = {}

    def report(self) -> Report:
        return Report(self._made, self._refused, list(self._met), list(self._closed))

    def client(self, service: str, region: str | None = None) -> Any:
        key = (service, _GLOBAL.get(service) or region or self._region)
        if key not in self._clients:
            self._clients[key] = _session().client(service, region_name=key[1])
        return self._clients[key]

    def make(self, resource: Resource) -> None:
        """Make one resource; what goes wrong is in the report."""
        short = resource.short
        try:
            given = replace(resource, inputs=self._existing.replaced(resource.inputs))
            inputs = self._filled(given.inputs)
            self._outputs[short] = dict(inputs)
            region = inputs.get("region", self._region)
            for call in calls(given, self._region):
                if not call.offline:
                    self._call(short, call, inputs, region)
        except (_Refused, LookupError, ValueError) as error:
            self._failed.add(short)
            self._refused.append((short, str(error)))
        else:
            self._made += 1

    def _call(self, short: str, call: Call, inputs: Mapping[str, Any], region: str) -> None:
        params = self._filled(call.params)
        answer = self._answer(short, call, params, region)
        scope = {**answer, "params": params, "inputs": inputs, "region": region, "account": ACCOUNT}
        for name, path in call.keep.items():
            value = jmespath.search(path, scope, _OPTIONS)
            if value is not None:
                self._outputs[short][name] = value

    def _answer(self, short: str, call: Call, params: Mapping[str, Any], region: str) -> Mapping[str, Any]:
        """Make a call; what moto is known to lack is cut off when, and only when, moto refuses it."""
        open_gaps = [gap for gap in self._gaps if gap.matters(call.service, call.operation, params)]
        while True:
            try:
                answer = getattr(self.client(call.service, region), xform_name(call.operation))(**params)
            except Exception as error:  # moto raises whatever its code runs into
                text = f"{type(error).__name__}: {error}"
                gap = next((gap for gap in open_gaps if gap.error and re.search(gap.error, text)), None)
                if gap is None:
                    raise _Refused(f"{call.service} {call.operation}: {text}") from error
                open_gaps.remove(gap)
                self._met[short, gap.reason] = None
                if gap.cut is None:
                    return gap.instead
                params = gap.cut(params)
            else:
                for gap in open_gaps:
                    lacks = bool(gap.forgotten) and not jmespath.search(gap.forgotten, answer)
                    (self._met if lacks else self._closed)[short, gap.reason if lacks else gap.name] = None
                return answer

    def _filled(self, value: Any) -> Any:
        """A value with the outputs of other resources in it."""
        if isinstance(value, Mapping):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._filled(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> Any:
        if text == SECRET:
            return "stand-in-of-a-secret-of-thirty-two"
        if text == UNKNOWN:
            raise _Refused("an input is unknown; only recordings that are no previews can be made")
        text = digests.TOKEN.sub(r"\1", text)  # any digest will do
        whole = _HOLE.fullmatch(text)
        if whole and _split(whole[1], self._names):
            return self._output(whole[1])
        filled = _HOLE.sub(lambda hole: str(self._output(hole[1])) if _split(hole[1], self._names) else hole[0], text)
        if stands_in(_BOUND.sub("", filled)):
            raise _Refused(f"{filled} names a resource that is not there")
        return filled

    def _output(self, hole: str) -> Any:
        short, path = _split(hole, self._names) or ("", "")
        if short in self._failed:
            raise _Refused(f"needs {short}, which was refused")
        value = jmespath.search(path, self._outputs.get(short, {}))
        if value is None:
            raise _Refused(f"${{{hole}}}: moto gave no such output")
        return value


# --- what exists already ----------------------------------------------------------------------------------------------


class Existing:
    """Makes, once each, what resources name and do not make, and knows what moto calls it."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self._client = client
        self._known: dict[tuple[str, str], str] = {}
        self._vpc = ""
        self._subnets = 0

    def replaced(self, value: Any, key: str = "") -> Any:
        """Inputs with moto's names for existing things; key: the wire name that the value stands at."""
        if isinstance(value, Mapping):
            return {name: self.replaced(item, name) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.replaced(item, key) for item in value]
        if isinstance(value, str):
            for keys, pattern, make in _EXISTING:
                if (not keys or key in keys) and re.fullmatch(pattern, value):
                    if (pattern, value) not in self._known:
                        self._known[pattern, value] = make(self, value)
                    return self._known[pattern, value]
        return value

    def vpc(self, name: str) -> str:
        """One VPC, whatever it is called."""
        del name
        self._vpc = self._vpc or self._client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        return self._vpc

    def subnet(self, name: str) -> str:
        """A subnet of the VPC, each in the next zone."""
        self._subnets += 1
        ec2 = self._client("ec2")
        zones = ec2.describe_availability_zones()["AvailabilityZones"]
        zone = zones[self._subnets % len(zones)]["ZoneName"]
        block = f"10.0.{self._subnets}.0/24"
        return ec2.create_subnet(VpcId=self.vpc(name), CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]

    def security_group(self, name: str) -> str:
        """A group of the VPC."""
        made = self._client("ec2").create_security_group(GroupName=name, Description="existing", VpcId=self.vpc(name))
        return made["GroupId"]

    def certificate(self, name: str) -> str:
        """A certificate in the Region that the ARN names."""
        acm = self._client("acm", name.split(":")[3])
        return acm.request_certificate(DomainName="existing.example", ValidationMethod="DNS")["CertificateArn"]

    def function(self, name: str) -> str:
        """A function in the Region that the ARN names."""
        region = name.split(":")[3]
        trust = '{"Version": "2012-10-17", "Statement": []}'
        role = self._client("iam").create_role(
            RoleName=f"existing-{self._subnets}-{len(self._known)}", AssumeRolePolicyDocument=trust
        )
        made = self._client("lambda", region).create_function(
            FunctionName=name.rpartition(":")[2],
            Runtime="nodejs22.x",
            Role=role["Role"]["Arn"],
            Handler="i.h",
            Code={"ZipFile": b"0"},
        )
        return str(made["FunctionArn"])

    def zone(self, name: str) -> str:
        """The zone of the root, as every name is within it."""
        made = self._client("route53").create_hosted_zone(Name=".", CallerReference=name)
        return made["HostedZone"]["Id"].rpartition("/")[2]

    def target_group(self, name: str) -> str:
        """A target group of the VPC, for HTTP to addresses."""
        given = {
            "Name": name.split("/")[1],
            "Protocol": "HTTP",
            "Port": 80,
            "TargetType": "ip",
            "VpcId": self.vpc(name),
        }
        return self._client("elbv2").create_target_group(**given)["TargetGroups"][0]["TargetGroupArn"]

    def autoscaling_group(self, name: str) -> str:
        """An empty group of that name."""
        client = self._client("autoscaling")
        client.create_launch_configuration(
            LaunchConfigurationName=name, ImageId="ami-12345678", InstanceType="t3.micro"
        )
        subnet = self.subnet(name)
        client.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=0, LaunchConfigurationName=name, VPCZoneIdentifier=subnet
        )
        return name


_EXISTING: tuple[tuple[frozenset[str], str, Callable[[Existing, str], str]], ...] = (
    (frozenset(), r"vpc-[0-9a-z]+", Existing.vpc),
    (frozenset(), r"subnet-[0-9a-z]+", Existing.subnet),
    (frozenset(), r"sg-[0-9a-z]+", Existing.security_group),
    (frozenset(), r"arn:aws:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+", Existing.certificate),
    (frozenset(), r"arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/[\w-]+/\w+", Existing.target_group),
    (frozenset(), r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+", Existing.function),
    (frozenset({"zoneId"}), r"Z[A-Z0-9]+", Existing.zone),
    (frozenset({"autoscalingGroupName"}), r"(?!\$\{).+", Existing.autoscaling_group),
)
"""What is recognised as existing: wire names (none: any), the pattern of its name, and how moto gets one."""
