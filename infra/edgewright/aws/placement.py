"""Places what was compiled: one small function for each part of a topology, in the order of a request's path.

Nothing is decided here. A function takes the compiled data and the bound values, makes one part, and gives it back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from edgewright.aws.api_gateway_account import ApiGatewayAccount
from edgewright.aws.application_load_balancer import ApplicationLoadBalancer
from edgewright.aws.artifact import Artifact, Balancer, Json, Peers, Rule
from edgewright.aws.bindings import Bindings
from edgewright.aws.certificate import Certificate
from edgewright.aws.check_bindings import secured_hosts
from edgewright.aws.compile import Topology, compile_edge
from edgewright.aws.compile_edge_balancer import STAGE
from edgewright.aws.compile_rest import body_text
from edgewright.aws.log_bucket import LogBucket
from edgewright.aws.network import Network
from edgewright.aws.security_groups import GroupArgs, SecurityGroups
from edgewright.aws.vpc_link import VpcLink
from edgewright.clouds.part import filled, place
from edgewright.edge.model import Backend, Edge, JwtAuthorizer
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, load

if TYPE_CHECKING:
    from edgewright.aws.network_load_balancer import NetworkLoadBalancer


class EdgeArgs(TypedDict, total=False):
    """Arguments of an AWS topology."""

    spec: Any
    """The spec: a path to an ``*.edge.yaml``, or its content as data."""

    bindings: Mapping[str, Any]
    """What the stack binds, as `edgewright.aws.bindings.AwsBindings`; values may be Outputs."""

    credentials: Mapping[str, pulumi.Input[str]]
    """Secrets: API keys as ``AUTHORIZER:CLIENT`` (else generated), OpenID client secrets as ``oidc:AUTHORIZER``."""

    compiled: Any
    """A `Compiled`, in place of spec and bindings: what the offline plan has compiled already."""

    overrides: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Raw inputs by part and attribute, such as ``{"edge": {"load_balancer": {"idle_timeout": 90}}}``."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A resolved edge with its bindings, compiled for a topology."""

    edge: Edge
    bindings: Bindings
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Site:
    """Where a topology stands: what all parts are given.

    parent: the topology's component; marks: bound values by the marks in compiled data, added to as parts are made.
    """

    name: str
    parent: pulumi.ComponentResource
    compiled: Compiled
    credentials: Mapping[str, Any]
    overrides: Mapping[str, Mapping[str, Mapping[str, Any]]]
    marks: dict[str, Any]

    @property
    def artifact(self) -> Artifact:
        """What was compiled."""
        return self.compiled.artifact

    @property
    def bindings(self) -> Bindings:
        """What is bound."""
        return self.compiled.bindings

    def arguments(self, part: str, **given: Any) -> Any:
        """The arguments of a part: those given, and what every part takes."""
        found: Json = {**given, "tags": {"edgewright:edge": self.artifact.name, **self.bindings.data.tags}}
        if part in self.overrides:
            found["overrides"] = self.overrides[part]
        return found

    def options(self, **more: Any) -> pulumi.ResourceOptions:
        """Options of a part. In production what is painful to replace in it is protected (`PRECIOUS`)."""
        protecting = [_protect] if self.bindings.production else None
        return pulumi.ResourceOptions(parent=self.parent, transformations=protecting, **more)


PRECIOUS = frozenset(
    {
        "aws:acm/certificate:Certificate",
        "aws:apigateway/apiKey:ApiKey",
        "aws:apigateway/domainName:DomainName",
        "aws:apigateway/restApi:RestApi",
        "aws:apigatewayv2/api:Api",
        "aws:apigatewayv2/domainName:DomainName",
        "aws:apigatewayv2/vpcLink:VpcLink",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:s3/bucket:Bucket",
    }
)
"""Types that a production stack protects: slow or painful to replace, or known to others by name.

Rules, settings and target groups are not among them: they come and go with routes and backends.
"""


def _protect(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if args.type_ not in PRECIOUS or args.opts.protect is not None:
        return None
    return pulumi.ResourceTransformationResult(
        args.props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    )


def compiled_of(args: EdgeArgs, topology: Topology) -> Compiled:
    """Load, resolve and compile; raises SpecError with everything that is wrong, before anything is registered."""
    given = args.get("compiled")
    if given is not None:
        return cast("Compiled", given)
    from edgewright.aws.bindings import read_bindings

    spec = args.get("spec")
    document = from_data(cast("Mapping[str, object]", spec)) if isinstance(spec, Mapping) else load(cast("str", spec))
    edge = resolve(document)
    bindings = read_bindings(args.get("bindings", {}), edge, topology)
    return Compiled(edge, bindings, compile_edge(edge, bindings, topology))


def site(name: str, parent: pulumi.ComponentResource, compiled: Compiled, args: EdgeArgs, parts: Sequence[str]) -> Site:
    """The site of a topology. parts: names that overrides may have."""
    overrides: Mapping[str, Any] = args.get("overrides", {})
    unknown = sorted(set(overrides) - set(parts))
    if unknown:
        raise ValueError(f"{name}: there is no part `{unknown[0]}` to override; there are {', '.join(parts)}")
    marks: dict[str, Any] = {}
    for authorizer in compiled.edge.authorizers.values():
        if isinstance(authorizer, JwtAuthorizer) and (keys := compiled.bindings.jwks_uri(authorizer)) is not None:
            marks[f"jwks_uri:{authorizer.name}"] = late(keys)
        if (pool := compiled.bindings.user_pool(authorizer.name)) is not None:
            marks[f"user_pool:{authorizer.name}"] = pool
        if (secret := args.get("credentials", {}).get(f"oidc:{authorizer.name}")) is not None:
            marks[f"oidc_secret:{authorizer.name}"] = pulumi.Output.secret(secret)
    return Site(name, parent, compiled, args.get("credentials", {}), overrides, marks)


def late(value: Any) -> Any:
    """A placeholder of an offline plan as an Output: parts take it for a value that is not known yet."""
    return pulumi.Output.from_input(value) if isinstance(value, str) and value.startswith("${") else value


def bound(value: Any, marks: Mapping[str, Any]) -> Any:
    """Compiled data with values in place of marks. A text that is one mark becomes the value itself."""
    if isinstance(value, str):
        if value.startswith("{{") and value.endswith("}}") and value.count("{{") == 1:
            return marks[value[2:-2]]
        return filled(value, marks) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: bound(item, marks) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [bound(item, marks) for item in cast("Sequence[Any]", value)]
    return value


# -- network and names -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ground:
    """The network that everything stands on. addresses: plain ones for the API's endpoint, one a private subnet."""

    vpc_id: Any
    public_subnets: Sequence[Any]
    private_subnets: Sequence[Any]
    addresses: Sequence[str]
    part: Network | None


def place_network(site: Site) -> Ground:
    """The bound network, or one that is made."""
    existing = site.bindings.existing_network
    network = site.bindings.data.network
    if existing is not None:
        vpc, public, private = existing
        site.marks["vpc_cidr"] = late(site.bindings.vpc_cidr)
        subnets = [[late(item) for item in items] for items in (public, private)]
        return Ground(late(vpc), subnets[0], subnets[1], site.bindings.endpoint_addresses, None)
    create = network.create if network is not None else None
    if create is None:
        raise AssertionError("bindings are checked before")
    region = site.bindings.region
    zones = (
        [f"{region}{letter}" for letter in "abcdef"[: create.zones]] if isinstance(create.zones, int) else create.zones
    )
    part = Network(
        f"{site.name}-network",
        site.arguments(
            "network", region=region, cidr=create.cidr, zones=zones, nat=create.nat, **log_settings(site, "flow_logs_")
        ),
        site.options(),
    )
    site.marks["vpc_cidr"] = create.cidr
    cidrs = part.private_cidrs or []
    return Ground(
        part.vpc_id, part.public_subnet_ids, part.private_subnet_ids, [_address(item) for item in cidrs], part
    )


def _address(cidr: str) -> str:
    """The address of the API's endpoint in a subnet: the eleventh, well clear of the five that AWS keeps."""
    from ipaddress import IPv4Network

    return str(IPv4Network(cidr)[10])


def place_certificate(site: Site) -> Certificate | None:
    """The certificate of the hosts: bound, or issued and validated in the zone; sets the mark ``certificate``."""
    data = site.bindings.data
    given = data.certificate or site.bindings.placeholders.get("certificate")
    if given is not None:
        site.marks["certificate"] = late(given)
        return None
    hosts = secured_hosts(site.compiled.edge, site.artifact.topology)
    if data.dns is None or not hosts:
        return None
    part = Certificate(
        f"{site.name}-certificate",
        site.arguments(
            "certificate",
            host=hosts[0],
            alternative_hosts=list(hosts[1:]),
            zone_id=data.dns.zone_id,
            zone_name=data.dns.zone,
        ),
        site.options(),
    )
    site.marks["certificate"] = part.arn
    return part


def place_doors(site: Site, ground: Ground) -> SecurityGroups:
    """Security groups of the parts that the artifact has, by name, from compiled peers."""
    args: dict[str, GroupArgs] = {
        key: cast(
            "GroupArgs",
            {
                "description": f"{site.artifact.name}: {key}",
                "ingress": bound(peers.ingress, site.marks),
                "egress": bound(peers.egress, site.marks),
            },
        )
        for key, peers in _peers(site.artifact).items()
    }
    return SecurityGroups(
        f"{site.name}-doors", site.arguments("doors", vpc_id=ground.vpc_id, groups=args), site.options()
    )


def _peers(artifact: Artifact) -> dict[str, Peers]:
    """What each part that has a security group opens, in the order of a request's path."""
    found = {
        "edge": artifact.edge_balancer.peers if artifact.edge_balancer is not None else Peers(),
        "endpoint": artifact.endpoint_peers,
        "link": artifact.link_peers,
        "services": artifact.services.peers if artifact.services is not None else Peers(),
        "messages": artifact.messages.peers if artifact.messages is not None else Peers(),
        "streams": artifact.network_balancer.peers if artifact.network_balancer is not None else Peers(),
    }
    return {key: peers for key, peers in found.items() if peers.ingress or peers.egress}


def place_records(site: Site, hosts: Sequence[str], dns_name: Any, zone_id: Any) -> dict[str, aws.route53.Record]:
    """Address records of hosts that lead to a load balancer, where the stack binds a zone."""
    dns = site.bindings.data.dns
    if dns is None:
        return {}
    found: dict[str, aws.route53.Record] = {}
    for host in hosts:
        found[host] = place(
            aws.route53.Record,
            f"{site.name}-{host}",
            {
                "zone_id": dns.zone_id,
                "name": host,
                "type": "A",
                "aliases": [{"name": dns_name, "zone_id": zone_id, "evaluate_target_health": True}],
            },
            parent=site.parent,
        )
    return found


# -- balancers ---------------------------------------------------------------------------------------------------------


def place_logs(site: Site) -> LogBucket | None:
    """The bucket of the balancers' logs: bound, or one that is made; sets the mark ``logs``."""
    bound_bucket = site.bindings.data.log_bucket
    if bound_bucket is not None:
        site.marks["logs"] = late(bound_bucket)
        return None
    days = site.artifact.access_log_days
    bucket = LogBucket(f"{site.name}-logs", site.arguments("logs", retention_days=days), site.options())
    site.marks["logs"] = bucket.ready
    return bucket


def log_settings(site: Site, prefix: str = "") -> Json:
    """Arguments of a part that writes to a log group: how long it is kept, and by which key it is encrypted.

    prefix: before ``retention_days``, where the part has other things to keep.
    """
    key = site.bindings.data.kms_key
    return {
        f"{prefix}retention_days": site.artifact.access_log_days,
        **({"kms_key_arn": late(key)} if key is not None else {}),
    }


def place_balancer(
    site: Site,
    part: str,
    balancer: Balancer,
    subnets: Sequence[Any],
    ground: Ground,
    group: pulumi.Output[str],
    targets: Mapping[str, Any] | None = None,
) -> ApplicationLoadBalancer:
    """A load balancer with its rules. targets: of target groups that hold no services, by group."""
    groups = {
        key: {**bound(item, site.marks), **_targets(site, key, balancer)}
        for key, item in balancer.target_groups.items()
    }
    for key, found in (targets or {}).items():
        groups[key]["targets"] = found
    args = site.arguments(
        part,
        vpc_id=ground.vpc_id,
        subnets=list(subnets),
        internal=balancer.internal,
        security_group_id=group,
        listeners=bound(balancer.listeners, site.marks),
        target_groups=groups,
        rules={rule.name: _rule(rule, site) for rule in balancer.rules},
        rules_limit=site.bindings.limit("alb_rules", 100),
        idle_timeout=balancer.idle_timeout,
        deletion_protection=site.bindings.production,
    )
    if balancer.trust_stores:
        args["trust_stores"] = {name: _trust_store(site, name) for name in balancer.trust_stores}
    args |= {
        f"{kind}_logs": {"bucket": site.marks["logs"], "prefix": f"{part}/{kind}"} for kind in ("access", "connection")
    }
    return ApplicationLoadBalancer(f"{site.name}-{part}", args, site.options())


def place_streams(site: Site, ground: Ground, doors: Mapping[str, Any]) -> "NetworkLoadBalancer | None":
    """The public Network Load Balancer of tcp, tls and udp listeners; None without any."""
    balancer = site.artifact.network_balancer
    if balancer is None:
        return None
    from edgewright.aws.network_load_balancer import NetworkLoadBalancer

    groups = {
        key: {**item, **targets_of(site.compiled.edge.backends[balancer.targets[key]], site.bindings)}
        for key, item in balancer.target_groups.items()
    }
    args = site.arguments(
        "streams",
        vpc_id=ground.vpc_id,
        subnets=list(ground.public_subnets),
        internal=False,
        security_group_id=doors["streams"],
        listeners=bound(balancer.listeners, site.marks),
        target_groups=groups,
        deletion_protection=site.bindings.production,
        access_logs={"bucket": site.marks["logs"], "prefix": "streams"},
    )
    return NetworkLoadBalancer(f"{site.name}-streams", args, site.options())


def stream_records(site: Site, streams: "NetworkLoadBalancer | None") -> dict[str, aws.route53.Record]:
    """Address records of the hosts of tcp, tls and udp listeners."""
    if streams is None:
        return {}
    return place_records(site, site.artifact.stream_hosts, streams.dns_name, streams.zone_id)


def stream_names(
    site: Site, streams: "NetworkLoadBalancer | None"
) -> tuple[pulumi.Output[str] | None, pulumi.Output[str] | None]:
    """Where DNS should point and clients connect to, of an edge without web listeners."""
    balancer = site.artifact.network_balancer
    if streams is None or balancer is None:
        return None, None
    first = next(iter(balancer.listeners.values()))
    host = pulumi.Output.from_input((site.artifact.stream_hosts or (streams.dns_name,))[0])
    url = host.apply(lambda at: f"{first['protocol'].lower()}://{at}:{first['port']}")
    return streams.dns_name, url


def balancer_names(
    site: Site, edge: ApplicationLoadBalancer | None, streams: "NetworkLoadBalancer | None"
) -> tuple[pulumi.Output[str] | None, pulumi.Output[str] | None]:
    """Where DNS should point and clients connect to, where a public balancer stands first."""
    balancer = site.artifact.edge_balancer
    if edge is None or balancer is None:
        return stream_names(site, streams)
    secure = any(item.get("protocol") == "HTTPS" for item in balancer.listeners.values())
    host = pulumi.Output.from_input(site.artifact.hosts[0] if site.artifact.hosts else edge.dns_name)
    return edge.dns_name, host.apply(lambda at: f"{'https' if secure else 'http'}://{at}")


def target_groups(
    site: Site, balancer: ApplicationLoadBalancer | None, streams: "NetworkLoadBalancer | None"
) -> dict[str, Any]:
    """ARNs of target groups, for the stacks of services to attach themselves: by backend, and ``BACKEND-tcp`` for
    those of tcp, tls and udp listeners.
    """
    artifact = site.artifact
    found: dict[str, Any] = {}
    web = artifact.services or artifact.edge_balancer
    if balancer is not None and web is not None:
        found |= {key: balancer.target_group_arns[key] for key in web.targets if key in balancer.target_group_arns}
    if streams is not None and artifact.network_balancer is not None:
        found |= {key: streams.target_group_arns[key] for key in artifact.network_balancer.targets}
    return found


def key_values(plans: Mapping[str, Any]) -> dict[str, Any]:
    """API keys by ``AUTHORIZER:CLIENT``, as secrets."""
    return {
        f"{authorizer}:{client}": value
        for authorizer, plan in plans.items()
        for client, value in plan.key_values.items()
    }


def _rule(rule: Rule, site: Site) -> Json:
    return {
        "listener": rule.listener,
        "priority": rule.priority,
        "conditions": list(rule.conditions),
        "actions": bound(rule.actions, site.marks),
        "transforms": bound(rule.transforms, site.marks),
    }


def _trust_store(site: Site, name: str) -> Json:
    bundle = site.bindings.data.trust_bundles.get(name)
    if bundle is None:
        return {"bucket": late(site.bindings.placeholders[f"bundle:{name}"]), "key": "bundle.pem"}
    return {"bucket": bundle.bucket, "key": bundle.key, "version": bundle.version}


def _targets(site: Site, group: str, balancer: Balancer) -> Json:
    name = balancer.targets.get(group)
    return targets_of(site.compiled.edge.backends[name], site.bindings) if name is not None else {}


def targets_of(backend: Backend, bindings: Bindings) -> Json:
    """What a backend's target group holds, as the arguments of a balancer have it."""
    item = bindings.data.backends.get(backend.name)
    if item is None or item.target_group is not None:
        return {}
    if item.autoscaling_group is not None:
        return {"autoscaling_group": item.autoscaling_group}
    if item.function is not None:
        return {"targets": {"function": {"id": item.function}}}
    port = bindings.spoken(backend).port
    if item.url is not None:
        host = str(urlsplit(item.url).hostname)
        return {"targets": {host: {"id": host, "port": port}}}
    found = [*item.ips, *item.instances]
    if not found:
        return {}
    return {"targets": {_target_name(index, one): {"id": one, "port": port} for index, one in enumerate(found, 1)}}


def _target_name(index: int, value: Any) -> str:
    """By its address where it is known, so that one that goes renames no other."""
    return value if isinstance(value, str) and not value.startswith("${") else str(index)


# -- APIs --------------------------------------------------------------------------------------------------------------


def place_link(site: Site, ground: Ground, group: pulumi.Output[str]) -> VpcLink:
    """The way from an API into the network; sets the mark ``vpc_link``."""
    link = VpcLink(
        f"{site.name}-link",
        site.arguments("link", subnets=list(ground.private_subnets)[:10], security_group_ids=[group]),
        site.options(),
    )
    site.marks["vpc_link"] = link.id
    return link


def api_body(site: Site, body: Json) -> pulumi.Output[str]:
    """The OpenAPI text of an API, with its bound values."""
    return filled(body_text(body), site.marks)


def place_log_role(site: Site) -> ApiGatewayAccount | None:
    """The region's role by which API Gateway writes logs, where the stack is the one that sets it."""
    artifact = site.artifact
    if artifact.rest is None and not artifact.websockets:
        return None
    if (site.bindings.data.log_role or "create") != "create":
        return None
    return ApiGatewayAccount(f"{site.name}-log-role", site.arguments("log-role"), site.options())


def rest_arguments(site: Site, log_role: Any, **more: Any) -> Any:
    """The arguments of a REST API that both gateway topologies share. log_role: what its stage waits for, or None."""
    rest = site.artifact.rest
    if rest is None:
        raise AssertionError("the topology has no REST API")
    data = site.bindings.data
    stage: Json = {
        "name": STAGE,
        "methods": dict(rest.methods),
        "access_log": log_settings(site),
    }
    if log_role is not None:
        stage["log_role_arn"] = log_role
    if rest.cache:
        # SUCCEED_WITHOUT keeps a browser's reload from a 403, and no client from the cache (facts, section 3).
        stage["cache"] = {"size": data.cache_size, "unauthorized_strategy": "SUCCEED_WITHOUT_RESPONSE_HEADER"}
    found = site.arguments("api", region=site.bindings.region, body=api_body(site, rest.body), stage=stage, **more)
    if rest.minimum_compression_size is not None:
        found["minimum_compression_size"] = rest.minimum_compression_size
    return found


def private_policy(vpc_endpoint_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """The policy of an API, or a domain, that is called through one endpoint only."""
    return pulumi.Output.from_input(vpc_endpoint_id).apply(_only_through)


def _only_through(endpoint: str) -> str:
    allow: Json = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    deny: Json = {**allow, "Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceVpce": endpoint}}}
    return json.dumps({"Version": "2012-10-17", "Statement": [deny, allow]}, separators=(",", ":"))


def place_usage_plans(site: Site, api: Any) -> dict[str, Any]:
    """Usage plans with the keys of their clients, by authorizer."""
    from edgewright.aws.usage_plan import UsagePlan

    rest = site.artifact.rest
    found: dict[str, Any] = {}
    for plan in rest.plans if rest is not None else ():
        clients: dict[str, Json] = {}
        for client in plan.clients:
            secret = site.credentials.get(f"{plan.authorizer}:{client}")
            clients[client] = {} if secret is None else {"key": pulumi.Output.secret(secret)}
        part = f"plan-{plan.authorizer}"
        args = site.arguments(part, api_id=api.id, stage=api.stage_name, clients=clients)
        args |= {"throttle": plan.throttle} if plan.throttle else {}
        args |= {"quota": plan.quota} if plan.quota else {}
        args |= {"methods": dict(plan.methods)} if plan.methods else {}
        found[plan.authorizer] = UsagePlan(f"{site.name}-{part}", args, site.options())
    return found


def place_shield(site: Site, **resources: Any) -> Any:
    """Shield Advanced for what is named; None where the spec does not ask for it."""
    if not site.artifact.ddos_advanced or not resources:
        return None
    from edgewright.aws.shield_protection import ShieldProtection

    return ShieldProtection(f"{site.name}-shield", site.arguments("shield", resources=resources), site.options())


def place_waf(site: Site, **associations: Any) -> Any:
    """The web ACL before what is named; None where there is none. Imports the WAF's module only then: it is a large
    one.
    """
    plan = site.artifact.waf
    if plan is None:
        return None
    from edgewright.aws.web_acl import WebAcl

    args = site.arguments(
        "waf",
        rules=list(plan.rules),
        ip_sets=plan.ip_sets,
        custom_response_bodies=plan.custom_response_bodies,
        associations=associations,
        **log_settings(site, "log_"),
    )
    return WebAcl(f"{site.name}-waf", args, site.options())
