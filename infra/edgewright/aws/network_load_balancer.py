"""A Network Load Balancer: TCP, TLS and UDP listeners, target groups, logs; hardened by default."""

from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict, cast

import pulumi
import pulumi_aws as aws

from edgewright.aws.balancer_checks import door_problems, in_range, target_group_problems
from edgewright.aws.log_bucket import LogBucket
from edgewright.aws.security_groups import Door, SecurityGroups
from edgewright.aws.target_groups import TargetGroupArgs, make_target_groups
from edgewright.clouds.part import place, refuse, short_name, tagged, unknown_keys

TYPE = "edgewright:aws:NetworkLoadBalancer"

SSL_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
"""As an `ApplicationLoadBalancer`'s: TLS 1.2 with forward secrecy, and 1.3."""

# "Listeners for your Network Load Balancers", "Target groups": which groups a listener may forward to.
_GROUPS = {
    "TCP": ("TCP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
}
_TRANSPORTS = {"TCP": ("tcp",), "TLS": ("tcp",), "UDP": ("udp",), "TCP_UDP": ("tcp", "udp")}


class NetworkListenerArgs(TypedDict, total=False):
    """A listener."""

    port: Required[int]
    protocol: Required[str]
    """``TCP``, ``TLS`` (the balancer ends it), ``UDP`` or ``TCP_UDP``."""
    target_group: Required[str]
    """Name of the target group that everything goes to."""
    certificate_arn: pulumi.Input[str]
    """Of a TLS listener."""
    certificate_arns: Mapping[str, pulumi.Input[str]]
    """Further certificates of a TLS listener, found by the name that a client asks for (SNI); at most 25."""
    ssl_policy: str
    """Of a TLS listener. Default: `SSL_POLICY`."""
    alpn_policy: str
    """Of a TLS listener: ``HTTP1Only``, ``HTTP2Only``, ``HTTP2Optional``, ``HTTP2Preferred`` or ``None``."""
    tcp_idle_timeout_seconds: float
    """Of a TCP listener: 60 to 6000; 350 when left out."""


class NetworkLoadBalancerArgs(TypedDict, total=False):
    """Arguments of `NetworkLoadBalancer`."""

    vpc_id: Required[pulumi.Input[str]]
    subnets: list[pulumi.Input[str]]
    """One or more, each in another zone; or ``addresses``."""
    addresses: Mapping[str, Mapping[str, pulumi.Input[str]]]
    """Instead of ``subnets``, by name: ``{subnet_id, allocation_id}`` for fixed public addresses, or
    ``{subnet_id, private_ipv4_address}``."""
    internal: bool
    """Default: True; a public balancer must be said."""
    ip_address_type: str
    """``ipv4`` (the default) or ``dualstack``."""
    security_group_id: pulumi.Input[str]
    """An existing group; else one is made with ``ingress`` and ``egress``. A balancer made without one can never get
    one, so there always is one."""
    ingress: Mapping[str, Door]
    egress: Mapping[str, Door]
    enforce_security_group_inbound_rules_on_private_link_traffic: str
    """``on`` or ``off``: whether traffic of a link must be let in by the group too. Default: ``on``."""
    listeners: Required[Mapping[str, NetworkListenerArgs]]
    target_groups: Required[Mapping[str, TargetGroupArgs]]
    cross_zone: bool
    """Whether each zone sends to the targets of all. Default: True."""
    client_routing: str
    """``any_availability_zone`` (the default), ``partial_availability_zone_affinity`` or
    ``availability_zone_affinity``."""
    access_logs: Mapping[str, Any]
    """``{bucket, prefix}`` of what TLS listeners log: AWS logs no others. Where there is one and no bucket is named, a
    bucket is made."""
    log_bucket: bool
    """False: no bucket is made."""
    log_retention_days: float
    """How long the made bucket keeps logs; 90 when left out."""
    deletion_protection: bool
    """Default: True."""
    zonal_shift: bool
    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: load_balancer, ``listeners.NAME``, ``target_groups.NAME``, ..."""


class NetworkLoadBalancer(pulumi.ComponentResource):
    """A load balancer for TCP, TLS and UDP.

    Attributes: load_balancer, arn, dns_name, zone_id, security_group_id, doors, log_bucket; by name: listeners,
    certificates, target_groups, target_group_arns, attachments.
    """

    def __init__(self, name: str, args: NetworkLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("NetworkLoadBalancer", name, _problems(cast("Mapping[str, Any]", args)))
        super().__init__(TYPE, name, None, opts)
        self._name, self._args = name, args
        self._overrides = args.get("overrides")

        self.doors = _doors(self, name, args)
        self.security_group_id = self.doors.ids["balancer"] if self.doors is not None else args["security_group_id"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        self.log_bucket = _log_bucket(self, name, args)
        self.load_balancer = self._load_balancer()
        self.arn = self.load_balancer.arn
        self.dns_name = self.load_balancer.dns_name
        self.zone_id = self.load_balancer.zone_id
        made = make_target_groups(
            self._put, name, args["target_groups"], vpc_id=args["vpc_id"], tags=args.get("tags"), protocol="TCP"
        )
        self.target_groups, self.target_group_arns, self.attachments = made.groups, made.arns, made.attachments
        self.listeners = {key: self._listener(key, item) for key, item in args["listeners"].items()}
        self.certificates = {
            f"{key}-{host}": self._put(
                aws.lb.ListenerCertificate,
                f"certificates.{key}-{host}",
                f"{name}-{key}-{host}",
                {"listener_arn": self.listeners[key].arn, "certificate_arn": arn},
            )
            for key, item in args["listeners"].items()
            for host, arn in item.get("certificate_arns", {}).items()
        }
        self.register_outputs({"arn": self.arn, "dnsName": self.dns_name, "targetGroupArns": self.target_group_arns})

    def _put(self, make: Any, key: str, name: str, props: Mapping[str, Any], **options: Any) -> Any:
        return place(make, name, props, parent=self, overrides=self._overrides, key=key, **options)

    def _load_balancer(self) -> aws.lb.LoadBalancer:
        args, name = self._args, self._name
        mappings = [dict(item) for item in args.get("addresses", {}).values()]
        enforced = args.get("enforce_security_group_inbound_rules_on_private_link_traffic", "on")
        return self._put(
            aws.lb.LoadBalancer,
            "load_balancer",
            name,
            {
                "name": short_name(name, args.get("internal", True)),
                "load_balancer_type": "network",
                "internal": args.get("internal", True),
                "subnets": args.get("subnets"),
                "subnet_mappings": mappings or None,
                "security_groups": [self.security_group_id],
                "ip_address_type": args.get("ip_address_type", "ipv4"),
                "enforce_security_group_inbound_rules_on_private_link_traffic": enforced,
                "enable_cross_zone_load_balancing": args.get("cross_zone", True),
                "dns_record_client_routing_policy": args.get("client_routing"),
                "enable_deletion_protection": args.get("deletion_protection", True),
                "enable_zonal_shift": args.get("zonal_shift"),
                "access_logs": self._access_logs(),
                "tags": tagged(args.get("tags"), name),
            },
        )

    def _access_logs(self) -> dict[str, Any] | None:
        # Asked for, they are on also while no listener writes any: one that does may come.
        given = self._args.get("access_logs")
        if given is not None:
            return {"enabled": True, **given}
        return {"enabled": True, "bucket": self.log_bucket.ready, "prefix": "access"} if self.log_bucket else None

    def _listener(self, key: str, item: NetworkListenerArgs) -> aws.lb.Listener:
        secure = item["protocol"] == "TLS"
        return self._put(
            aws.lb.Listener,
            f"listeners.{key}",
            f"{self._name}-{key}",
            {
                "load_balancer_arn": self.arn,
                "port": item["port"],
                "protocol": item["protocol"],
                "certificate_arn": item.get("certificate_arn"),
                "ssl_policy": item.get("ssl_policy", SSL_POLICY) if secure else None,
                "alpn_policy": item.get("alpn_policy"),
                "tcp_idle_timeout_seconds": item.get("tcp_idle_timeout_seconds"),
                "default_actions": [
                    {"type": "forward", "target_group_arn": self.target_group_arns[item["target_group"]]}
                ],
                "tags": tagged(self._args.get("tags"), f"{self._name}-{key}"),
            },
        )


def _ends_tls(args: NetworkLoadBalancerArgs) -> bool:
    return any(item["protocol"] == "TLS" for item in args["listeners"].values())


def _doors(self: NetworkLoadBalancer, name: str, args: NetworkLoadBalancerArgs) -> SecurityGroups | None:
    if "security_group_id" in args:
        return None
    groups: Any = {"balancer": {"ingress": args.get("ingress", {}), "egress": args.get("egress", {})}}
    doors: Any = {"vpc_id": args["vpc_id"], "groups": groups}
    doors |= {"tags": args["tags"]} if "tags" in args else {}
    return SecurityGroups(f"{name}-doors", doors, pulumi.ResourceOptions(parent=self))


def _log_bucket(self: NetworkLoadBalancer, name: str, args: NetworkLoadBalancerArgs) -> LogBucket | None:
    if not args.get("log_bucket", True) or "access_logs" in args or not _ends_tls(args):
        return None
    bucket: Any = {"retention_days": args.get("log_retention_days", 90)}
    bucket |= {"tags": args["tags"]} if "tags" in args else {}
    return LogBucket(f"{name}-logs", bucket, pulumi.ResourceOptions(parent=self))


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: Mapping[str, Any]) -> list[str]:
    missing = [f"`{key}` is missing" for key in ("vpc_id", "listeners", "target_groups") if not args.get(key)]
    if missing:
        return missing
    problems = unknown_keys(args, NetworkLoadBalancerArgs.__annotations__, "the balancer")
    if bool(args.get("subnets")) == bool(args.get("addresses")):
        problems.append("write `subnets`, or `addresses` with a subnet each; one of them")
    for name, item in args["listeners"].items():
        problems += _listener_problems(name, item, args)
    problems += _shared_ports(args)
    problems += [line for name, item in args["target_groups"].items() for line in target_group_problems(name, item)]
    problems += door_problems(args)
    known = ["load_balancer", *(f"{kind}.{name}" for kind in ("listeners", "target_groups") for name in args[kind])]
    overrides: Mapping[str, Any] = args.get("overrides") or {}
    given = {key: item for key, item in overrides.items() if not key.startswith(_INNER)}
    return problems + unknown_keys(given, known, "overrides")


_INNER = ("attachments.", "certificates.")


def _listener_problems(name: str, item: Mapping[str, Any], args: Mapping[str, Any]) -> Iterator[str]:
    at = f"listeners.{name}: "
    protocol, group = item.get("protocol"), item.get("target_group")
    yield from unknown_keys(item, NetworkListenerArgs.__annotations__, f"listeners.{name}")
    if protocol not in _GROUPS:
        yield f"{at}`protocol` is {protocol}; write {', '.join(_GROUPS)}"
        return
    if not 1 <= item.get("port", 0) <= 65535:
        yield f"{at}`port` must be 1 to 65535"
    found = args["target_groups"].get(group)
    if found is None:
        yield f"{at}there is no target group `{group}`; there are {', '.join(args['target_groups'])}"
    elif "existing_arn" not in found and (of := found.get("protocol", "TCP")) not in _GROUPS[protocol]:
        yield f"{at}{protocol} goes to a group of {' or '.join(_GROUPS[protocol])}; `{group}` is {of}"
    if protocol == "TLS" and item.get("certificate_arn") is None:
        yield f"{at}a TLS listener needs a `certificate_arn`"
    for key in ("certificate_arn", "certificate_arns", "ssl_policy", "alpn_policy"):
        if protocol != "TLS" and item.get(key) is not None:
            yield f"{at}`{key}` is for TLS listeners; this one is {protocol}"
    if len(item.get("certificate_arns", {})) > 25:
        yield f"{at}it has {len(item['certificate_arns'])} further certificates; AWS's limit is 25"
    if protocol != "TCP" and "tcp_idle_timeout_seconds" in item:
        yield f"{at}`tcp_idle_timeout_seconds` is for TCP listeners; this one is {protocol}"
    yield from in_range(item, "tcp_idle_timeout_seconds", 60, 6000, at)


def _shared_ports(args: Mapping[str, Any]) -> Iterator[str]:
    taken: dict[tuple[Any, str], str] = {}
    for name, item in args["listeners"].items():
        for transport in _TRANSPORTS.get(item.get("protocol"), ()):
            other = taken.setdefault((item.get("port"), transport), name)
            if other != name:
                yield f"listeners.{name}: `{other}` listens on {transport} {item.get('port')} too"
