"""Turns recorded AWS resources into the API calls that the provider makes for them, and checks those calls by the models."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgewright.plan.model import Resource
from edgewright.plan.tokens import SECRET, UNKNOWN, stands_in, token

from . import model_check

REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. service: as boto3 names clients; operation: as the API does; params: they may hold texts of other resources.

    keep: outputs of the resource that the answer gives, as JMESPath over the answer, where ``params`` (those of the call),
    ``inputs`` (those of the resource), ``region``, ``account`` and the function ``after(text, mark)`` can be used too.
    offline: checked against the model and not made.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    keep: Mapping[str, str] = field(default_factory=dict[str, str])
    offline: bool = False


class Inputs:
    """The inputs of a resource while they are translated; what nobody takes is in no call, and that is a problem."""

    def __init__(self, resource: Resource, region: str) -> None:
        self.resource = resource
        self.region = str(resource.inputs.get("region", region))
        self._left = {key: value for key, value in resource.inputs.items() if key not in _NEVER_SENT}

    def take(self, name: str, default: Any = None) -> Any:
        """The value of an input, which then counts as sent."""
        return self._left.pop(name, default)

    def some(self, *names: str) -> dict[str, Any]:
        """Those of the inputs that were given."""
        return {name: self._left.pop(name) for name in names if name in self._left}

    def rest(self) -> dict[str, Any]:
        """All that is left."""
        taken, self._left = self._left, {}
        return taken

    def name(self, key: str = "name") -> str:
        """The physical name: as given, after the prefix that was given, or as the engine makes it."""
        given, prefix = self._left.pop(key, None), self._left.pop(f"{key}Prefix", None)
        if given is not None:
            return str(given)
        suffix = hashlib.sha256(self.resource.urn.encode()).hexdigest()[:7]
        return f"{prefix}{suffix}" if prefix is not None else f"{self.resource.name}-{suffix}"

    def own(self, output: str) -> str:
        """The text of an output of this resource, for a later call of it."""
        return token(self.resource.short, output)

    @property
    def left(self) -> list[str]:
        """Inputs that nobody took."""
        return sorted(self._left)


Translator = Callable[[Inputs], Sequence[Call]]

_NEVER_SENT = frozenset({"region", "tagsAll", "forceDestroy", "skipDestroy", "timeouts", "__defaults"})
"""Inputs that the provider keeps for itself, on whatever type."""


def calls(resource: Resource, region: str = REGION) -> tuple[Call, ...]:
    """The calls that make a resource, in their order; none for components and for what has no API.

    Raises LookupError for a type without a translator, ValueError when an input is in no call.
    """
    if not resource.custom or resource.type.startswith(_PROVIDERS) or resource.type in WITHOUT_API:
        return ()
    translator = TRANSLATORS.get(resource.type)
    if translator is None:
        raise LookupError(f"{resource.type} has no translator")
    inputs = Inputs(resource, region)
    made = tuple(translator(inputs))
    if inputs.left:
        raise ValueError(f"{', '.join(inputs.left)} is in no call")
    return made


def check(resources: Iterable[Resource], region: str = REGION) -> list[str]:
    """What the service models have against the resources, a line each, with the short name of the resource."""
    return [f"{resource.short}: {problem}" for resource in resources for problem in _problems(resource, region)]


def _problems(resource: Resource, region: str) -> list[str]:
    try:
        made = calls(resource, region)
    except (LookupError, ValueError) as error:
        return [str(error)]
    found = [problem for call in made for problem in model_check.problems(call.service, call.operation, call.params)]
    rule = NAMES.get(resource.type)
    if rule and made:
        name = made[0].params.get(rule[0])
        if isinstance(name, str) and not stands_in(name) and not re.fullmatch(rule[1], name):
            found.append(f"the name {name!r} has {len(name)} characters and does not match {rule[1]}")
    return list(dict.fromkeys(found))


_BALANCER_NAME = r"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?"

NAMES: Mapping[str, tuple[str, str]] = {
    # API reference of Elastic Load Balancing, CreateLoadBalancer and CreateTargetGroup: Name.
    "aws:lb/loadBalancer:LoadBalancer": ("Name", _BALANCER_NAME),
    "aws:lb/targetGroup:TargetGroup": ("Name", _BALANCER_NAME),
    # User guide of S3, "General purpose bucket naming rules".
    "aws:s3/bucket:Bucket": ("Bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
}
"""Rules for physical names that the models leave out: the parameter and its pattern."""


# --- from wire names to the API's -------------------------------------------------------------------------------------


def fit(value: Any, shape: Any, renames: Mapping[str, str] | None = None) -> Any:
    """A wire value as the shape has it: names, lists of one, maps that are lists of pairs, texts of numbers.

    renames: wire name to the API's, at any depth, where they differ by more than case or a plural; what the shape does
    not know keeps its name, so that the check of the model reports it.
    """
    given = renames or {}
    if isinstance(value, str) and value in {UNKNOWN, SECRET}:
        return value
    return _FITS.get(shape.type_name, _as_it_is)(value, shape, given)


def params(
    service: str, operation: str, inputs: Mapping[str, Any], renames: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Inputs by wire name as the parameters of an operation; None is left out."""
    shape: Any = model_check.service_model(service).operation_model(operation).input_shape
    return fit({key: value for key, value in inputs.items() if value is not None}, shape, renames)


def _fit_structure(value: Any, shape: Any, renames: Mapping[str, str]) -> Any:
    if isinstance(value, list | tuple) and len(value) == 1:  # a block that the provider has as a list of at most one
        value = value[0]
    if not isinstance(value, Mapping) or shape.is_document_type:
        return value
    members: Mapping[str, Any] = shape.members
    fitted: dict[str, Any] = {}
    for key, item in value.items():
        name = _member(key, members, renames)
        fitted[name] = fit(item, members[name], renames) if name in members else item
    return fitted


def _fit_list(value: Any, shape: Any, renames: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping) and shape.member.type_name == "structure":
        pair = _pair(shape.member.members)
        if pair:
            return [{pair[0]: key, pair[1]: fit(value[key], shape.member.members[pair[1]])} for key in sorted(value)]
    items = value if isinstance(value, list | tuple) else [value]
    return [fit(item, shape.member, renames) for item in items]


def _fit_map(value: Any, shape: Any, renames: Mapping[str, str]) -> Any:
    return (
        {key: fit(item, shape.value, renames) for key, item in value.items()} if isinstance(value, Mapping) else value
    )


def _fit_string(value: Any, shape: Any, renames: Mapping[str, str]) -> Any:
    del shape, renames
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):  # a policy that was given as an object
        return json.dumps(value)
    return str(value) if isinstance(value, int | float) else value


def _fit_integer(value: Any, shape: Any, renames: Mapping[str, str]) -> Any:
    del shape, renames
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else value


def _fit_boolean(value: Any, shape: Any, renames: Mapping[str, str]) -> Any:
    del shape, renames
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _as_it_is(value: Any, shape: Any, renames: Mapping[str, str]) -> Any:
    del shape, renames
    return value


_FITS: Mapping[str, Callable[[Any, Any, Mapping[str, str]], Any]] = {
    "structure": _fit_structure,
    "list": _fit_list,
    "map": _fit_map,
    "string": _fit_string,
    "integer": _fit_integer,
    "long": _fit_integer,
    "boolean": _fit_boolean,
}

_PAIRS = (("key", "value"), ("tagkey", "tagvalue"), ("name", "value"))


def _pair(members: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of key and value in the items of a list that stands for a map, such as tags."""
    by_case = {name.casefold(): name for name in members}
    return next(((by_case[key], by_case[value]) for key, value in _PAIRS if key in by_case and value in by_case), None)


def _member(key: str, members: Mapping[str, Any], renames: Mapping[str, str]) -> str:
    """The API's name of a wire name. Wire names of lists are plural, whatever the API says."""
    if renames.get(key) in members:
        return renames[key]
    by_case = {name.casefold(): name for name in members}
    low = key.casefold()
    candidates = (low, low.removesuffix("s"), f"{low}s")
    return next((by_case[item] for item in candidates if item in by_case), key)


def _dropped(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _same(*names: str) -> dict[str, str]:
    """Outputs that are the inputs of the same name."""
    return {name: f"inputs.{name}" for name in names}


def one(service: str, operation: str, keep: Mapping[str, str] | None = None, /, **renames: str) -> Translator:
    """A translator for a type that one call makes, with all of its inputs."""

    def translate(inputs: Inputs) -> list[Call]:
        return [Call(service, operation, params(service, operation, inputs.rest(), renames), keep or {})]

    return translate


def named(
    service: str, operation: str, keep: Mapping[str, str] | None = None, /, key: str = "name", **renames: str
) -> Translator:
    """As `one`, for a type whose name the engine makes when none is given; key: its wire name."""

    def translate(inputs: Inputs) -> list[Call]:
        name = inputs.name(key)
        return [Call(service, operation, params(service, operation, {key: name, **inputs.rest()}, renames), keep or {})]

    return translate


# --- elastic load balancing -------------------------------------------------------------------------------------------

_BALANCER_ATTRIBUTES: Mapping[str, str] = {
    "clientKeepAlive": "client_keep_alive.seconds",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dnsRecordClientRoutingPolicy": "dns_record.client_routing_policy",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableHttp2": "routing.http2.enabled",
    "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enableWafFailOpen": "waf.fail_open.enabled",
    "enableXffClientPort": "routing.http.xff_client_port.enabled",
    "enableZonalShift": "zonal_shift.config.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "secondaryIpsAutoAssignedPerSubnet": "secondary_ips.auto_assigned.per_subnet",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
}
_BALANCER_LOGS = {
    "accessLogs": "access_logs",
    "connectionLogs": "connection_logs",
    "healthCheckLogs": "health_check_logs",
}

_GROUP_ATTRIBUTES: Mapping[str, str] = {
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "preserveClientIp": "preserve_client_ip.enabled",
    "proxyProtocolV2": "proxy_protocol_v2.enabled",
    "slowStart": "slow_start.duration_seconds",
}
_GROUP_HEALTH: Mapping[tuple[str, str], str] = {
    ("dnsFailover", "minimumHealthyTargetsCount"): "target_group_health.dns_failover.minimum_healthy_targets.count",
    (
        "dnsFailover",
        "minimumHealthyTargetsPercentage",
    ): "target_group_health.dns_failover.minimum_healthy_targets.percentage",
    ("unhealthyStateRouting", "minimumHealthyTargetsCount"): (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
    ),
    ("unhealthyStateRouting", "minimumHealthyTargetsPercentage"): (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
    ),
}

_ACTION_RENAMES: Mapping[str, str] = {
    "arn": "TargetGroupArn",
    "authenticateCognito": "AuthenticateCognitoConfig",
    "authenticateOidc": "AuthenticateOidcConfig",
    "duration": "DurationSeconds",
    "fixedResponse": "FixedResponseConfig",
    "forward": "ForwardConfig",
    "jwtValidation": "JwtValidationConfig",
    "redirect": "RedirectConfig",
    "stickiness": "TargetGroupStickinessConfig",
}
_CONDITION_FIELDS: Mapping[str, str] = {
    "hostHeader": "host-header",
    "httpHeader": "http-header",
    "httpRequestMethod": "http-request-method",
    "pathPattern": "path-pattern",
    "queryStrings": "query-string",
    "sourceIp": "source-ip",
}
_BALANCER_OUTPUTS = {
    "id": "LoadBalancers[0].LoadBalancerArn",
    "arn": "LoadBalancers[0].LoadBalancerArn",
    "arnSuffix": "after(LoadBalancers[0].LoadBalancerArn, 'loadbalancer/')",
    "dnsName": "LoadBalancers[0].DNSName",
    "name": "LoadBalancers[0].LoadBalancerName",
    "vpcId": "LoadBalancers[0].VpcId",
    "zoneId": "LoadBalancers[0].CanonicalHostedZoneId",
}


def _pairs(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Attributes of a load balancer, a listener or a target group, as texts."""
    return [
        {"Key": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
        for key, value in found.items()
        if value is not None
    ]


def _load_balancer(inputs: Inputs) -> list[Call]:
    attributes = {_BALANCER_ATTRIBUTES[key]: value for key, value in inputs.some(*_BALANCER_ATTRIBUTES).items()}
    for wire, prefix in _BALANCER_LOGS.items():
        logs = inputs.take(wire) or {}
        attributes |= {f"{prefix}.s3.{key}": logs[key] for key in ("enabled", "bucket", "prefix") if key in logs}
    capacity = inputs.take("minimumLoadBalancerCapacity")
    enforce = inputs.take("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    groups = inputs.take("securityGroups")
    create = {
        "name": inputs.name(),
        "scheme": "internal" if inputs.take("internal") else "internet-facing",
        "securityGroups": groups,
        **inputs.rest(),
    }
    renames = {"loadBalancerType": "Type", "privateIpv4Address": "PrivateIPv4Address", "ipv6Address": "IPv6Address"}
    arn = inputs.own("arn")
    found = [
        Call("elbv2", "CreateLoadBalancer", params("elbv2", "CreateLoadBalancer", create, renames), _BALANCER_OUTPUTS)
    ]
    if attributes:
        sent = {"LoadBalancerArn": arn, "Attributes": _pairs(attributes)}
        found.append(Call("elbv2", "ModifyLoadBalancerAttributes", sent))
    if enforce is not None:
        sent = {
            "LoadBalancerArn": arn,
            "SecurityGroups": groups or [],
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": enforce,
        }
        found.append(Call("elbv2", "SetSecurityGroups", sent))
    if capacity is not None:
        sent = params(
            "elbv2", "ModifyCapacityReservation", {"loadBalancerArn": arn, "minimumLoadBalancerCapacity": capacity}
        )
        found.append(Call("elbv2", "ModifyCapacityReservation", sent))
    return found


def _listener_attribute(wire: str) -> str:
    """``routingHttpResponseXFrameOptionsHeaderValue`` as ``routing.http.response.x_frame_options.header_value``."""
    parts = re.fullmatch(r"routingHttp(Request|Response)(\w+?)(HeaderName|HeaderValue|Enabled)", wire)
    if parts is None:
        raise ValueError(f"{wire} is in no call")
    side, middle, end = (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", part).lower() for part in parts.groups()
    )
    return f"routing.http.{side}.{middle}.{end}"


def _listener(inputs: Inputs) -> list[Call]:
    attributes = {
        _listener_attribute(key): inputs.take(key)
        for key in sorted(inputs.resource.inputs)
        if key.startswith("routingHttp")
    }
    attributes |= {"tcp.idle_timeout.seconds": inputs.take("tcpIdleTimeoutSeconds")}
    certificate, alpn = inputs.take("certificateArn"), inputs.take("alpnPolicy")
    create = {
        "certificates": [{"certificateArn": certificate}] if certificate else None,
        "alpnPolicy": [alpn] if alpn else None,
        **inputs.rest(),
    }
    renames = {**_ACTION_RENAMES, "advertiseTrustStoreCaNames": "AdvertiseTrustStoreCaNames"}
    keep = {"id": "Listeners[0].ListenerArn", "arn": "Listeners[0].ListenerArn"}
    found = [Call("elbv2", "CreateListener", params("elbv2", "CreateListener", create, renames), keep)]
    if sent := _pairs(attributes):
        found.append(Call("elbv2", "ModifyListenerAttributes", {"ListenerArn": inputs.own("arn"), "Attributes": sent}))
    return found


def _condition(given: Mapping[str, Any]) -> dict[str, Any]:
    """One condition as the API has it: the field, and the configuration named after it."""
    found: dict[str, Any] = {}
    for wire, value in given.items():
        name = _CONDITION_FIELDS.get(wire)
        if name is None:
            found[wire] = value
            continue
        config = wire.removesuffix("s") if wire == "queryStrings" else wire
        found |= {"field": name, f"{config}Config": {"values": value} if wire == "queryStrings" else value}
    return found


def _listener_rule(inputs: Inputs) -> list[Call]:
    conditions = [_condition(item) for item in _list(inputs.take("conditions"))]
    renames = {**_ACTION_RENAMES, "rewrite": "Rewrites"}
    create = params("elbv2", "CreateRule", {"conditions": conditions, **inputs.rest()}, renames)
    return [Call("elbv2", "CreateRule", create, {"id": "Rules[0].RuleArn", "arn": "Rules[0].RuleArn"})]


def _listener_certificate(inputs: Inputs) -> list[Call]:
    sent = {
        "ListenerArn": inputs.take("listenerArn"),
        "Certificates": [{"CertificateArn": inputs.take("certificateArn")}],
    }
    return [Call("elbv2", "AddListenerCertificates", sent)]


def _health_check(given: Mapping[str, Any], grpc: bool) -> dict[str, Any]:
    names = {
        "enabled": "healthCheckEnabled",
        "healthyThreshold": "healthyThresholdCount",
        "interval": "healthCheckIntervalSeconds",
        "path": "healthCheckPath",
        "port": "healthCheckPort",
        "protocol": "healthCheckProtocol",
        "timeout": "healthCheckTimeoutSeconds",
        "unhealthyThreshold": "unhealthyThresholdCount",
    }
    found = {names.get(key, key): value for key, value in given.items() if key != "matcher"}
    if "matcher" in given:
        found["matcher"] = {"grpcCode" if grpc else "httpCode": given["matcher"]}
    return found


def _stickiness(given: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a target group's stickiness; the duration's name depends on the kind."""
    kind = given.get("type")
    durations = {
        "lb_cookie": "stickiness.lb_cookie.duration_seconds",
        "app_cookie": "stickiness.app_cookie.duration_seconds",
    }
    found = {
        "stickiness.enabled": given.get("enabled", True),
        "stickiness.type": kind,
        "stickiness.app_cookie.cookie_name": given.get("cookieName"),
    }
    if kind in durations:
        found[durations[str(kind)]] = given.get("cookieDuration")
    return found


def _target_group(inputs: Inputs) -> list[Call]:
    attributes = {_GROUP_ATTRIBUTES[key]: value for key, value in inputs.some(*_GROUP_ATTRIBUTES).items()}
    if stickiness := inputs.take("stickiness"):
        attributes |= _stickiness(stickiness)
    health = inputs.take("targetGroupHealth") or {}
    attributes |= {key: (health.get(wire[0]) or {}).get(wire[1]) for wire, key in _GROUP_HEALTH.items()}
    for item in _list(inputs.take("targetFailovers")):
        attributes |= {"target_failover.on_deregistration": item.get("onDeregistration")}
        attributes |= {"target_failover.on_unhealthy": item.get("onUnhealthy")}
    for item in _list(inputs.take("targetHealthStates")):
        key = "target_health_state.unhealthy"
        attributes |= {f"{key}.connection_termination.enabled": item.get("enableUnhealthyConnectionTermination")}
        attributes |= {f"{key}.draining_interval_seconds": item.get("unhealthyDrainingInterval")}
    grpc = inputs.resource.inputs.get("protocolVersion") == "GRPC"
    create = {"name": inputs.name(), **_health_check(inputs.take("healthCheck") or {}, grpc), **inputs.rest()}
    keep = {
        "id": "TargetGroups[0].TargetGroupArn",
        "arn": "TargetGroups[0].TargetGroupArn",
        "arnSuffix": "join('', ['targetgroup/', after(TargetGroups[0].TargetGroupArn, 'targetgroup/')])",
        "name": "TargetGroups[0].TargetGroupName",
    }
    found = [Call("elbv2", "CreateTargetGroup", params("elbv2", "CreateTargetGroup", create), keep)]
    if sent := _pairs(attributes):
        arn = inputs.own("arn")
        found.append(Call("elbv2", "ModifyTargetGroupAttributes", {"TargetGroupArn": arn, "Attributes": sent}))
    return found


def _target_group_attachment(inputs: Inputs) -> list[Call]:
    target = inputs.some("targetId", "port", "availabilityZone", "quicServerId")
    sent = {"targetGroupArn": inputs.take("targetGroupArn"), "targets": [target]}
    return [Call("elbv2", "RegisterTargets", params("elbv2", "RegisterTargets", sent, {"targetId": "Id"}))]


def _trust_store_revocation(inputs: Inputs) -> list[Call]:
    sent = {
        "TrustStoreArn": inputs.take("trustStoreArn"),
        "RevocationContents": [
            _dropped(
                {
                    "S3Bucket": inputs.take("revocationsS3Bucket"),
                    "S3Key": inputs.take("revocationsS3Key"),
                    "S3ObjectVersion": inputs.take("revocationsS3ObjectVersion"),
                }
            )
        ],
    }
    return [Call("elbv2", "AddTrustStoreRevocations", sent)]


# --- networks ---------------------------------------------------------------------------------------------------------


def _tagged(inputs: Inputs, kind: str) -> dict[str, Any]:
    tags = inputs.take("tags") or {}
    listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": listed}]} if listed else {}


def _ec2(
    inputs: Inputs, operation: str, kind: str, keep: Mapping[str, str], given: Mapping[str, Any], **renames: str
) -> Call:
    tags = _tagged(inputs, kind)
    return Call("ec2", operation, {**params("ec2", operation, given, renames), **tags}, keep)


def _vpc(inputs: Inputs) -> list[Call]:
    switches = inputs.some("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")
    keep = {
        "id": "Vpc.VpcId",
        "cidrBlock": "Vpc.CidrBlock",
        "arn": "join('', ['arn:aws:ec2:', region, ':', account, ':vpc/', Vpc.VpcId])",
        "ipv6CidrBlock": "Vpc.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock",
    }
    renames = {"assignGeneratedIpv6CidrBlock": "AmazonProvidedIpv6CidrBlock"}
    tags = _tagged(inputs, "vpc")
    made = [Call("ec2", "CreateVpc", {**params("ec2", "CreateVpc", inputs.rest(), renames), **tags}, keep)]
    for key, value in switches.items():  # the API takes one attribute a call
        sent = {"VpcId": inputs.own("id"), key[0].upper() + key[1:]: {"Value": value}}
        made.append(Call("ec2", "ModifyVpcAttribute", sent))
    return made


_SUBNET_SWITCHES: Mapping[str, str] = {
    "assignIpv6AddressOnCreation": "AssignIpv6AddressOnCreation",
    "enableDns64": "EnableDns64",
    "enableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch": "EnableResourceNameDnsAAAARecordOnLaunch",
    "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
}


def _subnet(inputs: Inputs) -> list[Call]:
    switches, hostname = inputs.some(*_SUBNET_SWITCHES), inputs.take("privateDnsHostnameTypeOnLaunch")
    keep = {"id": "Subnet.SubnetId", "arn": "Subnet.SubnetArn", "availabilityZone": "Subnet.AvailabilityZone"}
    tags = _tagged(inputs, "subnet")
    made = [Call("ec2", "CreateSubnet", {**params("ec2", "CreateSubnet", inputs.rest()), **tags}, keep)]
    subnet = {"SubnetId": inputs.own("id")}
    for key, value in switches.items():
        made.append(Call("ec2", "ModifySubnetAttribute", {**subnet, _SUBNET_SWITCHES[key]: {"Value": value}}))
    if hostname is not None:
        made.append(Call("ec2", "ModifySubnetAttribute", {**subnet, "PrivateDnsHostnameTypeOnLaunch": hostname}))
    return made


def _internet_gateway(inputs: Inputs) -> list[Call]:
    vpc = inputs.take("vpcId")
    keep = {"id": "InternetGateway.InternetGatewayId"}
    made = [Call("ec2", "CreateInternetGateway", _tagged(inputs, "internet-gateway"), keep)]
    if vpc is not None:
        sent = {"InternetGatewayId": inputs.own("id"), "VpcId": vpc}
        made.append(Call("ec2", "AttachInternetGateway", sent))
    return made


_ROUTE_RENAMES = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
}


def _route_table(inputs: Inputs) -> list[Call]:
    routes, gateways = _list(inputs.take("routes")), _list(inputs.take("propagatingVgws"))
    table = inputs.own("id")
    made = [_ec2(inputs, "CreateRouteTable", "route-table", {"id": "RouteTable.RouteTableId"}, inputs.some("vpcId"))]
    for route in routes:
        made.append(
            Call("ec2", "CreateRoute", params("ec2", "CreateRoute", {"routeTableId": table, **route}, _ROUTE_RENAMES))
        )
    made += [Call("ec2", "EnableVgwRoutePropagation", {"RouteTableId": table, "GatewayId": item}) for item in gateways]
    return made


def _tags_of(kind: str, operation: str, keep: Mapping[str, str], **renames: str) -> Translator:
    """A translator for what one EC2 call makes, with its tags."""

    def translate(inputs: Inputs) -> list[Call]:
        tags = _tagged(inputs, kind)
        return [Call("ec2", operation, {**params("ec2", operation, inputs.rest(), renames), **tags}, keep)]

    return translate


_PERMISSION_OF: Mapping[str, tuple[str, str]] = {
    "cidrIpv4": ("IpRanges", "CidrIp"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _security_group_rule(operation: str) -> Translator:
    def translate(inputs: Inputs) -> list[Call]:
        permission = _dropped(
            {
                "IpProtocol": inputs.take("ipProtocol"),
                "FromPort": inputs.take("fromPort"),
                "ToPort": inputs.take("toPort"),
            }
        )
        said = inputs.take("description")
        for key, value in inputs.some(*_PERMISSION_OF).items():
            place, name = _PERMISSION_OF[key]
            permission[place] = [_dropped({name: value, "Description": said})]
        sent = {
            "GroupId": inputs.take("securityGroupId"),
            "IpPermissions": [permission],
            **_tagged(inputs, "security-group-rule"),
        }
        keep = {
            "id": "SecurityGroupRules[0].SecurityGroupRuleId",
            "securityGroupRuleId": "SecurityGroupRules[0].SecurityGroupRuleId",
        }
        return [Call("ec2", operation, sent, keep)]

    return translate


def _inline_permission(rule: Mapping[str, Any], group: str) -> dict[str, Any]:
    said = rule.get("description") or None
    pairs = [*_list(rule.get("securityGroups")), *([group] if rule.get("self") else [])]
    places = {
        "IpRanges": ("CidrIp", _list(rule.get("cidrBlocks"))),
        "Ipv6Ranges": ("CidrIpv6", _list(rule.get("ipv6CidrBlocks"))),
        "PrefixListIds": ("PrefixListId", _list(rule.get("prefixListIds"))),
        "UserIdGroupPairs": ("GroupId", pairs),
    }
    permission: dict[str, Any] = {"IpProtocol": rule.get("protocol")}
    if str(rule.get("protocol")) != "-1":
        permission |= {"FromPort": rule.get("fromPort"), "ToPort": rule.get("toPort")}
    for place, (name, values) in places.items():
        if values:
            permission[place] = [_dropped({name: value, "Description": said}) for value in values]
    return permission


def _inline_rules(inputs: Inputs, group: str) -> list[Call]:
    made: list[Call] = []
    for key, operation in (("ingress", "AuthorizeSecurityGroupIngress"), ("egress", "AuthorizeSecurityGroupEgress")):
        rules = [_inline_permission(rule, group) for rule in _list(inputs.take(key))]
        if rules:
            made.append(Call("ec2", operation, {"GroupId": group, "IpPermissions": rules}))
    return made


_ALL_OUT = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


def _security_group(inputs: Inputs) -> list[Call]:
    group = inputs.own("id")
    create = {
        "groupName": inputs.name(),
        "description": inputs.take("description", "Managed by Pulumi"),
        **inputs.some("vpcId"),
    }
    inputs.take("revokeRulesOnDelete")
    keep = {"id": "GroupId", "arn": "SecurityGroupArn"}
    # EC2 gives each group a rule that lets all out; the provider takes it away.
    revoke = Call("ec2", "RevokeSecurityGroupEgress", {"GroupId": group, "IpPermissions": _ALL_OUT})
    made = [_ec2(inputs, "CreateSecurityGroup", "security-group", keep, create), revoke]
    return [*made, *_inline_rules(inputs, group)]


def _default_security_group(inputs: Inputs) -> list[Call]:
    group = inputs.own("id")
    filters = [{"Name": "vpc-id", "Values": [inputs.take("vpcId")]}, {"Name": "group-name", "Values": ["default"]}]
    inputs.take("revokeRulesOnDelete")
    tags = [{"Key": key, "Value": value} for key, value in sorted((inputs.take("tags") or {}).items())]
    found = Call("ec2", "DescribeSecurityGroups", {"Filters": filters}, {"id": "SecurityGroups[0].GroupId"})
    made = [found, Call("ec2", "RevokeSecurityGroupEgress", {"GroupId": group, "IpPermissions": _ALL_OUT})]
    if tags:
        made.append(Call("ec2", "CreateTags", {"Resources": [group], "Tags": tags}))
    return [*made, *_inline_rules(inputs, group)]


def _vpc_endpoint(inputs: Inputs) -> list[Call]:
    inputs.take("autoAccept")
    tags = _tagged(inputs, "vpc-endpoint")
    renames = {"policy": "PolicyDocument"}
    keep = {
        "id": "VpcEndpoint.VpcEndpointId",
        "arn": "join('', ['arn:aws:ec2:', region, ':', account, ':vpc-endpoint/', VpcEndpoint.VpcEndpointId])",
        "dnsEntries": "VpcEndpoint.DnsEntries[].{dnsName: DnsName, hostedZoneId: HostedZoneId}",
        "networkInterfaceIds": "VpcEndpoint.NetworkInterfaceIds",
    }
    return [
        Call("ec2", "CreateVpcEndpoint", {**params("ec2", "CreateVpcEndpoint", inputs.rest(), renames), **tags}, keep)
    ]


_LOGGED: Mapping[str, str] = {
    "vpcId": "VPC",
    "subnetId": "Subnet",
    "eniId": "NetworkInterface",
    "transitGatewayId": "TransitGateway",
    "transitGatewayAttachmentId": "TransitGatewayAttachment",
    "regionalNatGatewayId": "RegionalNatGateway",
}


def _flow_log(inputs: Inputs) -> list[Call]:
    logged = inputs.some(*_LOGGED)
    create = {
        "resourceIds": list(logged.values()),
        "resourceType": next((_LOGGED[key] for key in logged), None),
        "logDestinationType": inputs.take("logDestinationType", "cloud-watch-logs"),
    }
    renames = {"iamRoleArn": "DeliverLogsPermissionArn", "deliverCrossAccountRole": "DeliverCrossAccountRole"}
    tags = _tagged(inputs, "vpc-flow-log")
    sent = {**params("ec2", "CreateFlowLogs", {**create, **inputs.rest()}, renames), **tags}
    return [Call("ec2", "CreateFlowLogs", sent, {"id": "FlowLogIds[0]"})]


# --- API Gateway, REST ------------------------------------------------------------------------------------------------

_REST_OUTPUTS = {
    "id": "id",
    "name": "name",
    "rootResourceId": "rootResourceId",
    "arn": "join('', ['arn:aws:apigateway:', region, '::/restapis/', id])",
    "executionArn": "join('', ['arn:aws:execute-api:', region, ':', account, ':', id])",
}


def _rest_api(inputs: Inputs) -> list[Call]:
    body, mode = inputs.take("body"), inputs.take("putRestApiMode", "overwrite")
    put = {**inputs.some("failOnWarnings", "parameters"), "mode": mode}
    create = params("apigateway", "CreateRestApi", {"name": inputs.name(), **inputs.rest()})
    made = [Call("apigateway", "CreateRestApi", create, _REST_OUTPUTS)]
    if body is None:
        return made
    api = inputs.own("id")
    sent = params("apigateway", "PutRestApi", {"restApiId": api, "body": body, **put})
    made.append(Call("apigateway", "PutRestApi", sent, offline=True))
    if body != UNKNOWN:
        made += body_calls(read_body(body), api, inputs.own("rootResourceId"), inputs.own)
    return made


def read_body(text: str) -> Mapping[str, Any]:
    """The OpenAPI document of an API; ValueError when it is no JSON object."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"body is no JSON: {error}") from error
    if isinstance(found, dict):
        return found
    raise ValueError("body is no JSON object")


_VERBS = ("get", "head", "post", "put", "patch", "delete", "options", "x-amazon-apigateway-any-method")
_PARAMETER_PLACES = {"path": "path", "query": "querystring", "header": "header"}


def body_calls(body: Mapping[str, Any], api: str, root: str, own: Callable[[str], str]) -> list[Call]:
    """An OpenAPI body as the calls that say the same, one resource and method at a time.

    Moto loses half of a body when it imports one, and the model of PutRestApi takes any bytes; so the parts are checked
    as explicit calls. own: makes the text of an output of the API, for ids.
    """
    schemes: Mapping[str, Any] = body.get("components", {}).get("securitySchemes", {})
    made: list[Call] = []
    for name, item in body.get("x-amazon-apigateway-request-validators", {}).items():
        sent = {"restApiId": api, "name": name, **item}
        made.append(Call("apigateway", "CreateRequestValidator", sent, {_validator(name): "id"}))
    for name, scheme in body.get("components", {}).get("schemas", {}).items():
        sent = {"restApiId": api, "name": name, "contentType": "application/json", "schema": json.dumps(scheme)}
        made.append(Call("apigateway", "CreateModel", sent))
    made += _authorizer_calls(schemes, api)
    for kind, item in body.get("x-amazon-apigateway-gateway-responses", {}).items():
        sent = params("apigateway", "PutGatewayResponse", {"restApiId": api, "responseType": kind, **item})
        made.append(Call("apigateway", "PutGatewayResponse", sent))
    places = {"/": root}
    for number, path in enumerate(_with_parents(body.get("paths", {})), 1):
        parent, _, part = path.rpartition("/")
        sent = {"restApiId": api, "parentId": places[parent or "/"], "pathPart": part}
        made.append(Call("apigateway", "CreateResource", sent, {f"resource{number}": "id"}))
        places[path] = own(f"resource{number}")
    for path, item in body.get("paths", {}).items():
        for verb in _VERBS:
            if verb in item:
                made += _method_calls(
                    item[verb], item, body, {"restApiId": api, "resourceId": places[path.rstrip("/") or "/"]}, verb, own
                )
    return made


def _with_parents(paths: Iterable[str]) -> list[str]:
    """All paths and what is above them, parents first."""
    found: dict[str, None] = {}
    for path in paths:
        parts = [part for part in path.split("/") if part]
        for length in range(1, len(parts) + 1):
            found["/" + "/".join(parts[:length])] = None
    return sorted(found, key=lambda path: (path.count("/"), path))


def _validator(name: str) -> str:
    return "validator" + hashlib.sha256(name.encode()).hexdigest()[:8]


def _authorizer(name: str) -> str:
    return "authorizer" + hashlib.sha256(name.encode()).hexdigest()[:8]


def _authorizer_calls(schemes: Mapping[str, Any], api: str) -> list[Call]:
    made: list[Call] = []
    for name, scheme in schemes.items():
        given = scheme.get("x-amazon-apigateway-authorizer")
        if given is None:
            continue
        source = (
            f"method.request.header.{scheme['name']}"
            if scheme.get("in") == "header" and given.get("type") != "request"
            else None
        )
        sent = {
            "restApiId": api,
            "name": name,
            "identitySource": source,
            **given,
            "type": str(given.get("type")).upper(),
        }
        call = params("apigateway", "CreateAuthorizer", sent)
        made.append(Call("apigateway", "CreateAuthorizer", call, {_authorizer(name): "id"}))
    return made


def _method_calls(
    operation: Mapping[str, Any],
    item: Mapping[str, Any],
    body: Mapping[str, Any],
    place: Mapping[str, str],
    verb: str,
    own: Callable[[str], str],
) -> list[Call]:
    at = {**place, "httpMethod": "ANY" if verb.startswith("x-") else verb.upper()}
    validator = operation.get(
        "x-amazon-apigateway-request-validator", body.get("x-amazon-apigateway-request-validator")
    )
    method = {
        **at,
        **_authorization(operation, body, own),
        "operationName": operation.get("operationId"),
        "requestParameters": _request_parameters([*item.get("parameters", []), *operation.get("parameters", [])])
        or None,
        "requestModels": _request_models(operation.get("requestBody", {})) or None,
        "requestValidatorId": own(_validator(validator)) if validator else None,
    }
    made = [Call("apigateway", "PutMethod", _dropped(method))]
    for status, response in operation.get("responses", {}).items():
        if str(status).isdigit():
            headers = {f"method.response.header.{header}": False for header in response.get("headers", {})}
            sent = {**at, "statusCode": str(status), "responseParameters": headers or None}
            made.append(Call("apigateway", "PutMethodResponse", _dropped(sent)))
    if integration := operation.get("x-amazon-apigateway-integration"):
        made += _integration_calls(integration, at)
    return made


def _integration_calls(given: Mapping[str, Any], at: Mapping[str, str]) -> list[Call]:
    found = {key: value for key, value in given.items() if key not in {"responses", "httpMethod"}}
    found["type"] = str(found.get("type")).upper()
    renames = {"passthroughBehavior": "passthroughBehavior"}
    if "passthroughBehavior" in found:
        found["passthroughBehavior"] = str(found["passthroughBehavior"]).upper()
    sent = params(
        "apigateway", "PutIntegration", {**at, **found, "integrationHttpMethod": given.get("httpMethod")}, renames
    )
    made = [Call("apigateway", "PutIntegration", sent)]
    for pattern, response in given.get("responses", {}).items():
        answer = params("apigateway", "PutIntegrationResponse", {**at, **response})
        if pattern != "default":
            answer["selectionPattern"] = pattern
        made.append(Call("apigateway", "PutIntegrationResponse", answer))
    return made


def _authorization(operation: Mapping[str, Any], body: Mapping[str, Any], own: Callable[[str], str]) -> dict[str, Any]:
    """What a method asks for, from the security of its operation or of the whole API."""
    schemes: Mapping[str, Any] = body.get("components", {}).get("securitySchemes", {})
    found: dict[str, Any] = {"authorizationType": "NONE", "apiKeyRequired": False}
    for requirement in operation.get("security", body.get("security", [])):
        for name, scopes in requirement.items():
            scheme = schemes.get(name)
            if scheme is None:
                raise ValueError(f"body asks for the security scheme `{name}`, which is not there")
            authorizer = scheme.get("x-amazon-apigateway-authorizer")
            if authorizer is not None:
                kind = "COGNITO_USER_POOLS" if authorizer.get("type") == "cognito_user_pools" else "CUSTOM"
                found |= {"authorizationType": kind, "authorizerId": own(_authorizer(name))}
                found |= {"authorizationScopes": list(scopes)} if scopes else {}
            elif scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
                found["authorizationType"] = "AWS_IAM"
            elif scheme.get("type") == "apiKey":
                found["apiKeyRequired"] = True
    return found


def _request_parameters(given: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    return {
        f"method.request.{_PARAMETER_PLACES[item['in']]}.{item['name']}": bool(item.get("required"))
        for item in given
        if item.get("in") in _PARAMETER_PLACES
    }


def _request_models(given: Mapping[str, Any]) -> dict[str, str]:
    references = {kind: item.get("schema", {}).get("$ref", "") for kind, item in given.get("content", {}).items()}
    return {kind: reference.rpartition("/")[2] for kind, reference in references.items() if reference}


def _patch(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Replacements by path; values are texts."""
    return [
        {"op": "replace", "path": path, "value": str(value).lower() if isinstance(value, bool) else str(value)}
        for path, value in found.items()
        if value is not None
    ]


def _rest_stage(inputs: Inputs) -> list[Call]:
    log = inputs.take("accessLogSettings") or {}
    certificate = inputs.take("clientCertificateId")
    api, stage = inputs.resource.inputs.get("restApi"), inputs.resource.inputs.get("stageName")
    renames = {"restApi": "restApiId", "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled"}
    keep = {
        **_same("stageName"),
        "id": "join('-', ['ags', inputs.restApi, stageName])",
        "arn": "join('', ['arn:aws:apigateway:', region, '::/restapis/', inputs.restApi, '/stages/', stageName])",
        "executionArn": "join('', ['arn:aws:execute-api:', region, ':', account, ':', inputs.restApi, '/', stageName])",
        "invokeUrl": "join('', ['https://', inputs.restApi, '.execute-api.', region, '.amazonaws.com/', stageName])",
    }
    made = [Call("apigateway", "CreateStage", params("apigateway", "CreateStage", inputs.rest(), renames), keep)]
    patch = _patch(
        {
            "/accessLogSettings/destinationArn": log.get("destinationArn"),
            "/accessLogSettings/format": log.get("format"),
            "/clientCertificateId": certificate,
        }
    )
    if patch:
        made.append(Call("apigateway", "UpdateStage", {"restApiId": api, "stageName": stage, "patchOperations": patch}))
    return made


_METHOD_SETTINGS: Mapping[str, str] = {
    "cacheDataEncrypted": "caching/dataEncrypted",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cachingEnabled": "caching/enabled",
    "dataTraceEnabled": "logging/dataTrace",
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "requireAuthorizationForCacheControl": "caching/requireAuthorizationForCacheControl",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
    "unauthorizedCacheControlHeaderStrategy": "caching/unauthorizedCacheControlHeaderStrategy",
}


_METHOD_PATH = re.compile(r"\*/\*|~1[^/]*/(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|\*)")


def _method_settings(inputs: Inputs) -> list[Call]:
    settings = inputs.take("settings") or {}
    unknown = sorted(set(settings) - set(_METHOD_SETTINGS))
    if unknown:
        raise ValueError(f"settings.{', settings.'.join(unknown)} is in no call")
    path = inputs.take("methodPath")
    if isinstance(path, str) and not stands_in(path) and not _METHOD_PATH.fullmatch(path):
        # API reference, PatchOperation: a slash within a name of the JSON pointer is written ~1.
        raise ValueError(f"methodPath {path!r} is neither `*/*` nor like `~1orders~1{{id}}/GET`")
    patch = _patch({f"/{path}/{_METHOD_SETTINGS[key]}": value for key, value in settings.items()})
    sent = {"restApiId": inputs.take("restApi"), "stageName": inputs.take("stageName"), "patchOperations": patch}
    return [Call("apigateway", "UpdateStage", sent)]


def _usage_plan(inputs: Inputs) -> list[Call]:
    stages: list[dict[str, Any]] = []
    for stage in _list(inputs.take("apiStages")):
        throttles = {
            item["path"]: {key: item[key] for key in item if key != "path"} for item in _list(stage.get("throttles"))
        }
        wrong = [path for path in throttles if not path.startswith("/") and not stands_in(path)]
        if wrong:
            raise ValueError(f"throttles of {', '.join(wrong)}: the path is written with a leading slash")
        stages.append(
            _dropped({"apiId": stage.get("apiId"), "stage": stage.get("stage"), "throttle": throttles or None})
        )
    code = inputs.take("productCode")
    create = {"name": inputs.name(), "apiStages": stages or None, **inputs.rest()}
    renames = {"quotaSettings": "quota", "throttleSettings": "throttle"}
    keep = {"id": "id", "arn": "join('', ['arn:aws:apigateway:', region, '::/usageplans/', id])"}
    made = [Call("apigateway", "CreateUsagePlan", params("apigateway", "CreateUsagePlan", create, renames), keep)]
    if code is not None:
        sent = {"usagePlanId": inputs.own("id"), "patchOperations": _patch({"/productCode": code})}
        made.append(Call("apigateway", "UpdateUsagePlan", sent))
    return made


def _api_key(inputs: Inputs) -> list[Call]:
    create = {"name": inputs.name(), "enabled": inputs.take("enabled", True), **inputs.rest()}
    return [
        Call(
            "apigateway",
            "CreateApiKey",
            params("apigateway", "CreateApiKey", create),
            {"id": "id", "value": "value", "name": "name"},
        )
    ]


_DOMAIN_OUTPUTS = {
    **_same("domainName"),
    "id": "inputs.domainName",
    "arn": "domainNameArn || join('', ['arn:aws:apigateway:', region, '::/domainnames/', domainName])",
    "domainNameId": "domainNameId || 'abcdefghij'",
    "regionalDomainName": "regionalDomainName",
    "regionalZoneId": "regionalHostedZoneId",
    "cloudfrontDomainName": "distributionDomainName",
    "cloudfrontZoneId": "distributionHostedZoneId",
}


def _deployment(inputs: Inputs) -> list[Call]:
    inputs.take("triggers")  # they only make the engine replace the deployment
    sent = params("apigateway", "CreateDeployment", inputs.rest(), {"restApi": "restApiId"})
    return [Call("apigateway", "CreateDeployment", sent, {"id": "id"})]


def _account(inputs: Inputs) -> list[Call]:
    patch = _patch({"/cloudwatchRoleArn": inputs.take("cloudwatchRoleArn")})
    return [Call("apigateway", "UpdateAccount", {"patchOperations": patch})]


def _rest_api_policy(inputs: Inputs) -> list[Call]:
    policy = inputs.take("policy")
    text = json.dumps(policy) if isinstance(policy, Mapping) else policy
    sent = {"restApiId": inputs.take("restApiId"), "patchOperations": _patch({"/policy": text})}
    return [Call("apigateway", "UpdateRestApi", sent)]


# --- API Gateway, HTTP and WebSocket ----------------------------------------------------------------------------------


def _api(inputs: Inputs) -> list[Call]:
    body, warnings = inputs.take("body"), inputs.take("failOnWarnings")
    create = {"name": inputs.name(), **inputs.rest()}
    keep = {
        "id": "ApiId",
        "apiEndpoint": "ApiEndpoint",
        "arn": "join('', ['arn:aws:apigateway:', region, '::/apis/', ApiId])",
        "executionArn": "join('', ['arn:aws:execute-api:', region, ':', account, ':', ApiId])",
    }
    made = [Call("apigatewayv2", "CreateApi", params("apigatewayv2", "CreateApi", create), keep)]
    if body is None:
        return made
    if body != UNKNOWN:
        read_body(body)
    sent = _dropped({"Body": body, "FailOnWarnings": warnings})
    # The provider makes the API and imports the body over it, so that the id is known first.
    return [*made, Call("apigatewayv2", "ReimportApi", {"ApiId": inputs.own("id"), **sent})]


def _http_stage(inputs: Inputs) -> list[Call]:
    settings = {
        item["routeKey"]: {key: item[key] for key in item if key != "routeKey"}
        for item in _list(inputs.take("routeSettings"))
    }
    create = {"name": inputs.name(), "routeSettings": settings or None, **inputs.rest()}
    keep = {
        "id": "StageName",
        "name": "StageName",
        "arn": "join('', ['arn:aws:apigateway:', region, '::/apis/', inputs.apiId, '/stages/', StageName])",
        "executionArn": "join('', ['arn:aws:execute-api:', region, ':', account, ':', inputs.apiId, '/', StageName])",
        "invokeUrl": "join('', ['https://', inputs.apiId, '.execute-api.', region, '.amazonaws.com/', StageName])",
    }
    sent = params("apigatewayv2", "CreateStage", create, {"name": "StageName"})
    return [Call("apigatewayv2", "CreateStage", sent, keep)]


def _http_domain(inputs: Inputs) -> list[Call]:
    configuration = inputs.take("domainNameConfiguration")
    create = {"domainNameConfigurations": [configuration], **inputs.rest()}
    keep = {
        "id": "DomainName",
        "domainName": "DomainName",
        "arn": "DomainNameArn",
        "domainNameConfiguration": (
            "{targetDomainName: DomainNameConfigurations[0].ApiGatewayDomainName || join('', ['d-0.execute-api.', region,"
            " '.amazonaws.com']), hostedZoneId: DomainNameConfigurations[0].HostedZoneId || 'Z1UJRXOUMOOFQ8'}"
        ),
    }
    return [Call("apigatewayv2", "CreateDomainName", params("apigatewayv2", "CreateDomainName", create), keep)]


def _http_integration(inputs: Inputs) -> list[Call]:
    answers = {item["statusCode"]: item["mappings"] for item in _list(inputs.take("responseParameters"))}
    create = {"responseParameters": answers or None, **inputs.rest()}
    renames = {"timeoutMilliseconds": "TimeoutInMillis"}
    sent = params("apigatewayv2", "CreateIntegration", create, renames)
    return [Call("apigatewayv2", "CreateIntegration", sent, {"id": "IntegrationId"})]


def _http_route(inputs: Inputs) -> list[Call]:
    given = {
        item["requestParameterKey"]: {"required": item["required"]} for item in _list(inputs.take("requestParameters"))
    }
    create = {"requestParameters": given or None, **inputs.rest()}
    return [Call("apigatewayv2", "CreateRoute", params("apigatewayv2", "CreateRoute", create), {"id": "RouteId"})]


def _http_deployment(inputs: Inputs) -> list[Call]:
    inputs.take("triggers")
    sent = params("apigatewayv2", "CreateDeployment", inputs.rest())
    return [Call("apigatewayv2", "CreateDeployment", sent, {"id": "DeploymentId"})]


# --- certificates and names -------------------------------------------------------------------------------------------


def _certificate(inputs: Inputs) -> list[Call]:
    if "privateKey" in inputs.resource.inputs:
        renames = {"certificateBody": "Certificate"}
        sent = params("acm", "ImportCertificate", inputs.rest(), renames)
        return [Call("acm", "ImportCertificate", sent, {"id": "CertificateArn", "arn": "CertificateArn"})]
    inputs.take("earlyRenewalDuration")
    renames = {"validationOptions": "DomainValidationOptions"}
    ask = params("acm", "RequestCertificate", inputs.rest(), renames)
    options = (
        "Certificate.DomainValidationOptions[].{domainName: DomainName, resourceRecordName: ResourceRecord.Name,"
        " resourceRecordType: ResourceRecord.Type, resourceRecordValue: ResourceRecord.Value}"
    )
    return [
        Call("acm", "RequestCertificate", ask, {"id": "CertificateArn", "arn": "CertificateArn"}),
        Call("acm", "DescribeCertificate", {"CertificateArn": inputs.own("arn")}, {"domainValidationOptions": options}),
    ]


def _record(inputs: Inputs) -> list[Call]:
    zone = inputs.take("zoneId")
    aliases = _list(inputs.take("aliases"))
    records = [{"value": value} for value in _list(inputs.take("records"))]
    first = {
        key: (_list(inputs.take(f"{key}RoutingPolicies")) or [{}])[0]
        for key in ("weighted", "latency", "failover", "geolocation")
    }
    geo = {f"{key}Code": value for key, value in first["geolocation"].items()}
    alias: dict[str, Any] = dict(aliases[0]) if aliases else {}
    change = {
        "action": "UPSERT" if inputs.take("allowOverwrite") else "CREATE",
        "resourceRecordSet": _dropped(
            {
                "name": inputs.take("name"),
                "type": inputs.take("type"),
                "TTL": inputs.take("ttl"),
                "resourceRecords": records or None,
                "aliasTarget": {"dnsName" if key == "name" else key: value for key, value in alias.items()} or None,
                "setIdentifier": inputs.take("setIdentifier"),
                "healthCheckId": inputs.take("healthCheckId"),
                "multiValueAnswer": inputs.take("multivalueAnswerRoutingPolicy"),
                "weight": first["weighted"].get("weight"),
                "region": first["latency"].get("region"),
                "failover": first["failover"].get("type"),
                "geoLocation": geo or None,
            }
        ),
    }
    renames = {"zoneId": "HostedZoneId"}
    sent = params(
        "route53", "ChangeResourceRecordSets", {"hostedZoneId": zone, "changeBatch": {"changes": [change]}}, renames
    )
    keep = {"id": "join('_', [inputs.zoneId, inputs.name, inputs.type])", "fqdn": "inputs.name", "name": "inputs.name"}
    return [Call("route53", "ChangeResourceRecordSets", sent, keep)]


def _zone(inputs: Inputs) -> list[Call]:
    vpcs = [
        {"VPCId": item["vpcId"], "VPCRegion": item.get("vpcRegion", inputs.region)}
        for item in _list(inputs.take("vpcs"))
    ]
    tags = [{"Key": key, "Value": value} for key, value in sorted((inputs.take("tags") or {}).items())]
    create = {
        **params("route53", "CreateHostedZone", inputs.some("name", "delegationSetId")),
        "CallerReference": hashlib.sha256(inputs.resource.urn.encode()).hexdigest()[:16],
        "HostedZoneConfig": {"Comment": inputs.take("comment", "Managed by Pulumi"), "PrivateZone": bool(vpcs)},
    }
    if vpcs:
        create["VPC"] = vpcs[0]
    zone = inputs.own("zoneId")
    bare = "after(HostedZone.Id, '/hostedzone/')"
    keep = {"id": bare, "zoneId": bare, "name": "inputs.name", "nameServers": "DelegationSet.NameServers"}
    made = [Call("route53", "CreateHostedZone", create, keep)]
    made += [Call("route53", "AssociateVPCWithHostedZone", {"HostedZoneId": zone, "VPC": vpc}) for vpc in vpcs[1:]]
    if tags:
        sent = {"ResourceType": "hostedzone", "ResourceId": zone, "AddTags": tags}
        made.append(Call("route53", "ChangeTagsForResource", sent))
    return made


# --- firewall, logs, alarms, topics -----------------------------------------------------------------------------------


def _web_acl(inputs: Inputs) -> list[Call]:
    bodies = {
        item["key"]: {key: item[key] for key in item if key != "key"}
        for item in _list(inputs.take("customResponseBodies"))
    }
    rules = inputs.take("ruleJson")
    bodies_by_kind = _list((inputs.take("associationConfig") or {}).get("requestBodies"))
    limits = {
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper(): value
        for item in bodies_by_kind
        for kind, value in item.items()
    }
    create = {
        "name": inputs.name(),
        "customResponseBodies": bodies or None,
        "associationConfig": {"requestBody": limits} if limits else None,
        **inputs.rest(),
    }
    sent = params("wafv2", "CreateWebACL", create)
    if isinstance(rules, str):
        sent["Rules"] = json.loads(rules)
    sent.setdefault("Rules", [])
    keep = {"id": "Summary.Id", "arn": "Summary.ARN", "name": "Summary.Name"}
    return [Call("wafv2", "CreateWebACL", sent, keep)]


def _ip_set(inputs: Inputs) -> list[Call]:
    create = {"name": inputs.name(), "addresses": inputs.take("addresses", []), **inputs.rest()}
    return [
        Call("wafv2", "CreateIPSet", params("wafv2", "CreateIPSet", create), {"id": "Summary.Id", "arn": "Summary.ARN"})
    ]


def _web_acl_logging(inputs: Inputs) -> list[Call]:
    sent = params("wafv2", "PutLoggingConfiguration", {"loggingConfiguration": inputs.rest()})
    return [Call("wafv2", "PutLoggingConfiguration", sent, {"id": "inputs.resourceArn"})]


def _log_group(inputs: Inputs) -> list[Call]:
    name, days = inputs.name(), inputs.take("retentionInDays")
    create = params("logs", "CreateLogGroup", {"logGroupName": name, **inputs.rest()})
    arn = "join('', ['arn:aws:logs:', region, ':', account, ':log-group:', params.logGroupName])"
    made = [
        Call("logs", "CreateLogGroup", create, {"id": "params.logGroupName", "name": "params.logGroupName", "arn": arn})
    ]
    if days:
        made.append(Call("logs", "PutRetentionPolicy", {"logGroupName": name, "retentionInDays": days}))
    return made


def _metric_filter(inputs: Inputs) -> list[Call]:
    """PutMetricFilter: the provider has one transformation, whose numbers it writes as texts."""
    counted = dict(inputs.take("metricTransformation"))
    sent = {
        "filterName": inputs.name(),
        "filterPattern": inputs.take("pattern"),
        "metricTransformations": [
            {
                "metricName": counted.pop("name"),
                "metricNamespace": counted.pop("namespace"),
                "metricValue": counted.pop("value"),
                "defaultValue": float(counted.pop("defaultValue")),
                **counted,
            }
        ],
        **inputs.rest(),
    }
    return [Call("logs", "PutMetricFilter", params("logs", "PutMetricFilter", sent))]


def _metric_alarm(inputs: Inputs) -> list[Call]:
    queries: list[dict[str, Any]] = []
    for query in _list(inputs.take("metricQueries")):
        given = dict(query)
        metric = dict(given.pop("metric", None) or {})
        if metric:
            inner = {key: metric.pop(key) for key in ("metricName", "namespace", "dimensions") if key in metric}
            given["metricStat"] = {"metric": inner, **metric}
        queries.append(given)
    create = {"alarmName": inputs.name(), "metrics": queries or None, **inputs.rest()}
    sent = params("cloudwatch", "PutMetricAlarm", create)
    arn = "join('', ['arn:aws:cloudwatch:', region, ':', account, ':alarm:', params.AlarmName])"
    keep = {"id": "params.AlarmName", "name": "params.AlarmName", "arn": arn}
    return [Call("cloudwatch", "PutMetricAlarm", sent, keep)]


_TOPIC_ATTRIBUTES: Mapping[str, str] = {
    "archivePolicy": "ArchivePolicy",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_SUBSCRIPTION_ATTRIBUTES: Mapping[str, str] = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}


def _attributes(inputs: Inputs, names: Mapping[str, str]) -> dict[str, str]:
    return {
        names[key]: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in inputs.some(*names).items()
    }


def _topic(inputs: Inputs) -> list[Call]:
    create = {"name": inputs.name(), "attributes": _attributes(inputs, _TOPIC_ATTRIBUTES) or None, **inputs.rest()}
    return [Call("sns", "CreateTopic", params("sns", "CreateTopic", create), {"id": "TopicArn", "arn": "TopicArn"})]


def _topic_subscription(inputs: Inputs) -> list[Call]:
    for key in ("confirmationTimeoutInMinutes", "endpointAutoConfirms"):
        inputs.take(key)
    create = {
        "topicArn": inputs.take("topic"),
        "attributes": _attributes(inputs, _SUBSCRIPTION_ATTRIBUTES) or None,
        "returnSubscriptionArn": True,
        **inputs.rest(),
    }
    return [
        Call(
            "sns", "Subscribe", params("sns", "Subscribe", create), {"id": "SubscriptionArn", "arn": "SubscriptionArn"}
        )
    ]


def _topic_policy(inputs: Inputs) -> list[Call]:
    policy = inputs.take("policy")
    text = json.dumps(policy) if isinstance(policy, Mapping) else policy
    sent = {"TopicArn": inputs.take("arn"), "AttributeName": "Policy", "AttributeValue": text}
    return [Call("sns", "SetTopicAttributes", sent)]


# --- buckets, roles, functions, and the rest --------------------------------------------------------------------------


def _bucket(inputs: Inputs) -> list[Call]:
    name = inputs.name("bucket")
    lock = inputs.take("objectLockEnabled")
    tags = [{"Key": key, "Value": value} for key, value in sorted((inputs.take("tags") or {}).items())]
    create: dict[str, Any] = {"Bucket": name.lower() if not stands_in(name) else name}
    if lock is not None:
        create["ObjectLockEnabledForBucket"] = lock
    if inputs.region != "us-east-1":  # the one Region that must not be named
        create["CreateBucketConfiguration"] = {"LocationConstraint": inputs.region}
    keep = {
        "id": "params.Bucket",
        "bucket": "params.Bucket",
        "arn": "join('', ['arn:aws:s3:::', params.Bucket])",
        "bucketDomainName": "join('', [params.Bucket, '.s3.amazonaws.com'])",
        "bucketRegionalDomainName": "join('', [params.Bucket, '.s3.', region, '.amazonaws.com'])",
    }
    made = [Call("s3", "CreateBucket", create, keep)]
    if tags:
        made.append(Call("s3", "PutBucketTagging", {"Bucket": create["Bucket"], "Tagging": {"TagSet": tags}}))
    return made


def _bucket_part(operation: str, place: str, within: str = "") -> Translator:
    """A setting of a bucket: place is the parameter that carries it; within, where its own inputs lie when not at the top."""

    def translate(inputs: Inputs) -> list[Call]:
        given = {
            "bucket": inputs.take("bucket"),
            **inputs.some("expectedBucketOwner", "mfa", "transitionDefaultMinimumObjectSize"),
        }
        inner = inputs.take(within) if within else inputs.rest()
        return [
            Call(
                "s3",
                operation,
                params("s3", operation, {**given, place: inner}),
                {"id": "inputs.bucket", "bucket": "inputs.bucket"},
            )
        ]

    return translate


def _role(inputs: Inputs) -> list[Call]:
    inputs.take("forceDetachPolicies")
    attached, inline = _list(inputs.take("managedPolicyArns")), _list(inputs.take("inlinePolicies"))
    create = {"roleName": inputs.name(), **inputs.rest()}
    renames = {"assumeRolePolicy": "AssumeRolePolicyDocument"}
    keep = {"id": "Role.RoleName", "name": "Role.RoleName", "arn": "Role.Arn", "uniqueId": "Role.RoleId"}
    role = inputs.own("name")
    made = [Call("iam", "CreateRole", params("iam", "CreateRole", create, renames), keep)]
    made += [Call("iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn}) for arn in attached]
    for item in inline:
        sent = {"RoleName": role, "PolicyName": item["name"], "PolicyDocument": item["policy"]}
        made.append(Call("iam", "PutRolePolicy", sent))
    return made


def _role_policy(inputs: Inputs) -> list[Call]:
    sent = {"roleName": inputs.take("role"), "policyName": inputs.name(), "policyDocument": inputs.take("policy")}
    return [Call("iam", "PutRolePolicy", params("iam", "PutRolePolicy", sent))]


_FUNCTION_CODE = {
    "s3Bucket": "S3Bucket",
    "s3Key": "S3Key",
    "s3ObjectVersion": "S3ObjectVersion",
    "imageUri": "ImageUri",
}


def _function(inputs: Inputs) -> list[Call]:
    for key in ("sourceCodeHash", "codeSha256", "replaceSecurityGroupsOnDestroy", "replacementSecurityGroupIds"):
        inputs.take(key)
    code: dict[str, Any] = {_FUNCTION_CODE[key]: value for key, value in inputs.some(*_FUNCTION_CODE).items()}
    if inputs.take("code") is not None:
        code["ZipFile"] = _EMPTY_ZIP
    if source := inputs.take("sourceKmsKeyArn"):
        code["SourceKMSKeyArn"] = source
    reserved = inputs.take("reservedConcurrentExecutions")
    create = {"functionName": inputs.name(), "code": code, **inputs.rest()}
    path = (
        "join('', ['arn:aws:apigateway:', region, ':lambda:path/2015-03-31/functions/', FunctionArn, '/invocations'])"
    )
    keep = {
        "id": "FunctionName",
        "name": "FunctionName",
        "arn": "FunctionArn",
        "invokeArn": path,
        "qualifiedArn": "join(':', [FunctionArn, Version])",
        "version": "Version",
    }
    made = [Call("lambda", "CreateFunction", params("lambda", "CreateFunction", create), keep)]
    if reserved is not None:
        sent = {"FunctionName": inputs.own("name"), "ReservedConcurrentExecutions": reserved}
        made.append(Call("lambda", "PutFunctionConcurrency", sent))
    return made


_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
"""An archive without files; recordings hold hashes of files only."""


def _permission(inputs: Inputs) -> list[Call]:
    create = {"functionName": inputs.take("function"), "statementId": inputs.name("statementId"), **inputs.rest()}
    return [Call("lambda", "AddPermission", params("lambda", "AddPermission", create))]


def _attachment(inputs: Inputs) -> list[Call]:
    group, target, classic = inputs.take("autoscalingGroupName"), inputs.take("lbTargetGroupArn"), inputs.take("elb")
    if target is None:
        return [
            Call("autoscaling", "AttachLoadBalancers", {"AutoScalingGroupName": group, "LoadBalancerNames": [classic]})
        ]
    return [
        Call(
            "autoscaling",
            "AttachLoadBalancerTargetGroups",
            {"AutoScalingGroupName": group, "TargetGroupARNs": [target]},
        )
    ]


def _key(inputs: Inputs) -> list[Call]:
    rotate, period = inputs.take("enableKeyRotation"), inputs.take("rotationPeriodInDays")
    inputs.take("deletionWindowInDays")
    renames = {"customerMasterKeySpec": "KeySpec", "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck"}
    keep = {"id": "KeyMetadata.KeyId", "keyId": "KeyMetadata.KeyId", "arn": "KeyMetadata.Arn"}
    made = [Call("kms", "CreateKey", params("kms", "CreateKey", inputs.rest(), renames), keep)]
    if rotate:
        sent = _dropped({"KeyId": inputs.own("keyId"), "RotationPeriodInDays": period})
        made.append(Call("kms", "EnableKeyRotation", sent))
    return made


_PROVIDERS = "pulumi:providers:"

TRANSLATORS: Mapping[str, Translator] = {
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/listenerCertificate:ListenerCertificate": _listener_certificate,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": _target_group_attachment,
    "aws:lb/trustStore:TrustStore": named(
        "elbv2",
        "CreateTrustStore",
        {"id": "TrustStores[0].TrustStoreArn", "arn": "TrustStores[0].TrustStoreArn"},
    ),
    "aws:lb/trustStoreRevocation:TrustStoreRevocation": _trust_store_revocation,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _security_group_rule("AuthorizeSecurityGroupIngress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _security_group_rule("AuthorizeSecurityGroupEgress"),
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:ec2/internetGateway:InternetGateway": _internet_gateway,
    "aws:ec2/routeTable:RouteTable": _route_table,
    "aws:ec2/route:Route": one("ec2", "CreateRoute", egressOnlyGatewayId="EgressOnlyInternetGatewayId"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": one("ec2", "AssociateRouteTable", {"id": "AssociationId"}),
    "aws:ec2/natGateway:NatGateway": _tags_of("natgateway", "CreateNatGateway", {"id": "NatGateway.NatGatewayId"}),
    "aws:ec2/eip:Eip": _tags_of(
        "elastic-ip",
        "AllocateAddress",
        {"id": "AllocationId", "allocationId": "AllocationId", "publicIp": "PublicIp"},
    ),
    "aws:ec2/securityGroup:SecurityGroup": _security_group,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _default_security_group,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:ec2/flowLog:FlowLog": _flow_log,
    "aws:apigateway/restApi:RestApi": _rest_api,
    "aws:apigateway/restApiPolicy:RestApiPolicy": _rest_api_policy,
    "aws:apigateway/deployment:Deployment": _deployment,
    "aws:apigateway/stage:Stage": _rest_stage,
    "aws:apigateway/methodSettings:MethodSettings": _method_settings,
    "aws:apigateway/usagePlan:UsagePlan": _usage_plan,
    "aws:apigateway/apiKey:ApiKey": _api_key,
    "aws:apigateway/usagePlanKey:UsagePlanKey": one("apigateway", "CreateUsagePlanKey", {"id": "id"}),
    "aws:apigateway/domainName:DomainName": one("apigateway", "CreateDomainName", _DOMAIN_OUTPUTS),
    "aws:apigateway/basePathMapping:BasePathMapping": one(
        "apigateway", "CreateBasePathMapping", restApi="restApiId", stageName="stage"
    ),
    "aws:apigateway/domainNameAccessAssociation:DomainNameAccessAssociation": one(
        "apigateway", "CreateDomainNameAccessAssociation", {"arn": "domainNameAccessAssociationArn"}
    ),
    "aws:apigateway/account:Account": _account,
    "aws:apigateway/vpcLink:VpcLink": named("apigateway", "CreateVpcLink", {"id": "id"}),
    "aws:apigateway/clientCertificate:ClientCertificate": one(
        "apigateway", "GenerateClientCertificate", {"id": "clientCertificateId"}
    ),
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/stage:Stage": _http_stage,
    "aws:apigatewayv2/vpcLink:VpcLink": named("apigatewayv2", "CreateVpcLink", {"id": "VpcLinkId"}),
    "aws:apigatewayv2/domainName:DomainName": _http_domain,
    "aws:apigatewayv2/apiMapping:ApiMapping": one("apigatewayv2", "CreateApiMapping", {"id": "ApiMappingId"}),
    "aws:apigatewayv2/integration:Integration": _http_integration,
    "aws:apigatewayv2/integrationResponse:IntegrationResponse": one(
        "apigatewayv2", "CreateIntegrationResponse", {"id": "IntegrationResponseId"}
    ),
    "aws:apigatewayv2/route:Route": _http_route,
    "aws:apigatewayv2/routeResponse:RouteResponse": one(
        "apigatewayv2", "CreateRouteResponse", {"id": "RouteResponseId"}
    ),
    "aws:apigatewayv2/authorizer:Authorizer": named("apigatewayv2", "CreateAuthorizer", {"id": "AuthorizerId"}),
    "aws:apigatewayv2/deployment:Deployment": _http_deployment,
    "aws:acm/certificate:Certificate": _certificate,
    "aws:route53/record:Record": _record,
    "aws:route53/zone:Zone": _zone,
    "aws:wafv2/webAcl:WebAcl": _web_acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": one("wafv2", "AssociateWebACL"),
    "aws:wafv2/ipSet:IpSet": _ip_set,
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": _web_acl_logging,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _metric_filter,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
    "aws:cloudwatch/dashboard:Dashboard": one("cloudwatch", "PutDashboard"),
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketPolicy:BucketPolicy": one("s3", "PutBucketPolicy", {"id": "inputs.bucket"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket_part(
        "PutPublicAccessBlock", "publicAccessBlockConfiguration"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _bucket_part(
        "PutBucketOwnershipControls", "ownershipControls"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _bucket_part(
        "PutBucketEncryption", "serverSideEncryptionConfiguration"
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _bucket_part(
        "PutBucketLifecycleConfiguration", "lifecycleConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_part(
        "PutBucketVersioning", "versioningConfiguration", "versioningConfiguration"
    ),
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": one("iam", "AttachRolePolicy", role="RoleName"),
    "aws:lambda/function:Function": _function,
    "aws:lambda/permission:Permission": _permission,
    "aws:autoscaling/attachment:Attachment": _attachment,
    "aws:shield/protection:Protection": named("shield", "CreateProtection", {"id": "ProtectionId"}),
    "aws:kms/key:Key": _key,
}
"""By type token. An output that no call keeps is the input of the same name."""

WITHOUT_API: Mapping[str, str] = {
    "aws:acm/certificateValidation:CertificateValidation": "waits until the certificate is issued",
}
"""Types that call nothing that changes anything, with the reason."""
