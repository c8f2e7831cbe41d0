"""An Application Load Balancer: listeners, rules, target groups, certificates, logs; hardened by default."""

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

import pulumi
import pulumi_aws as aws

from edgewright.aws.balancer_checks import balancer_problems
from edgewright.aws.log_bucket import LogBucket
from edgewright.aws.security_groups import Door, SecurityGroups
from edgewright.aws.target_groups import TargetGroupArgs, make_target_groups
from edgewright.clouds.part import place, refuse, short_name, tagged

TYPE = "edgewright:aws:ApplicationLoadBalancer"

SSL_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
"""TLS 1.2 with forward secrecy and authenticated encryption only, and TLS 1.3. Unset would mean a policy of 2016."""

NOT_FOUND: Mapping[str, Any] = {
    "fixed": {
        "status": 404,
        "content_type": "application/json",
        "body": '{"type":"about:blank","title":"Not Found","status":404}',
    }
}


class JwtClaim(TypedDict, total=False):
    """A claim that a token must carry. format: ``single-string``, ``string-array`` or ``space-separated-values``."""

    name: Required[str]
    format: Required[str]
    values: Required[list[pulumi.Input[str]]]


class JwtAction(TypedDict, total=False):
    """A check of a token: RS256, an https JWKS URL, at most ten claims beside the issuer's and the expiry."""

    issuer: Required[pulumi.Input[str]]
    jwks_uri: Required[pulumi.Input[str]]
    claims: list[JwtClaim]


class ForwardAction(TypedDict, total=False):
    """Weights by name of target group, at most five; stickiness_seconds keeps a client with one group."""

    target_groups: Required[Mapping[str, int]]
    stickiness_seconds: float


class RedirectAction(TypedDict, total=False):
    """A redirect; parts left out are the request's. status: ``HTTP_301`` or ``HTTP_302``."""

    protocol: str
    host: str
    path: str
    port: str
    query: str
    status: Required[str]


class FixedAction(TypedDict, total=False):
    """A fixed answer: at most 1,024 characters, one of AWS's five media types."""

    status: Required[int]
    content_type: str
    body: str


class Action(TypedDict, total=False):
    """Exactly one of these; the order of a rule's list is the order of its actions."""

    forward: ForwardAction
    redirect: RedirectAction
    fixed: FixedAction
    jwt: JwtAction
    oidc: Mapping[str, Any]
    """Arguments of ``authenticate_oidc`` in AWS's words; the client secret as a secret."""
    cognito: Mapping[str, Any]
    """Arguments of ``authenticate_cognito`` in AWS's words."""


class Condition(TypedDict, total=False):
    """Exactly one of these."""

    hosts: list[str]
    paths: list[str]
    path_regex: list[str]
    methods: list[str]
    header: Mapping[str, Any]
    """``{name, values}`` or ``{name, regex}``."""
    query: list[Mapping[str, str]]
    source_ips: list[str]


class RuleArgs(TypedDict, total=False):
    """A rule. transforms: ``{"url": {regex, replace}}`` and ``{"host": {regex, replace}}``, one of each at most."""

    listener: Required[str]
    priority: Required[int]
    conditions: Required[list[Condition]]
    actions: Required[list[Action]]
    transforms: list[Mapping[str, Any]]


class ListenerArgs(TypedDict, total=False):
    """A listener."""

    port: Required[int]
    protocol: str
    """``HTTPS`` (the default) or ``HTTP``."""
    certificate_arn: pulumi.Input[str]
    certificate_arns: Mapping[str, pulumi.Input[str]]
    """Further certificates, found by the name that a client asks for (SNI); at most 25."""
    ssl_policy: str
    """Default: `SSL_POLICY`."""
    redirect_to_https: int
    """Answer everything with a redirect to https on this port."""
    mutual_authentication: Mapping[str, Any]
    """``{mode: verify|passthrough, trust_store: NAME or trust_store_arn, ignore_client_certificate_expiry}``."""
    default_action: Action
    """What no rule takes; a 404 when left out."""
    response_headers: Mapping[str, str]
    """Headers on every answer: strict-transport-security, access-control-allow-origin, ... (`RESPONSE_HEADERS`)."""


class ApplicationLoadBalancerArgs(TypedDict, total=False):
    """Arguments of `ApplicationLoadBalancer`."""

    vpc_id: Required[pulumi.Input[str]]
    subnets: Required[list[pulumi.Input[str]]]
    """Two or more, in different zones."""
    internal: bool
    """Default: True; a public balancer must be said."""
    ip_address_type: str
    """``ipv4`` (the default) or ``dualstack``."""
    security_group_id: pulumi.Input[str]
    """An existing group; else one is made with ``ingress`` and ``egress``."""
    ingress: Mapping[str, Door]
    egress: Mapping[str, Door]
    listeners: Required[Mapping[str, ListenerArgs]]
    target_groups: Mapping[str, TargetGroupArgs]
    rules: Mapping[str, RuleArgs]
    rules_limit: int
    """The account's quota of rules; 100 when left out."""
    trust_stores: Mapping[str, Mapping[str, Any]]
    """By name: ``{bucket, key, version}`` of certificates of authorities."""
    access_logs: Mapping[str, Any]
    connection_logs: Mapping[str, Any]
    health_check_logs: Mapping[str, Any]
    """``{bucket, prefix}``; without any, a bucket for access and connection logs is made."""
    log_bucket: bool
    """False: no bucket is made, and what is not named is not logged."""
    log_retention_days: float
    """How long the made bucket keeps logs; 90 when left out."""
    idle_timeout: float
    """1 to 4000; 60 when left out."""
    client_keep_alive: float
    """60 to 604800; 3600 when left out."""
    deletion_protection: bool
    """Default: True."""
    desync_mitigation_mode: str
    """Default: ``strictest``."""
    web_acl_arn: pulumi.Input[str]
    zonal_shift: bool
    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: load_balancer, ``listeners.NAME``, ``rules.NAME``, ``target_groups.NAME``, ..."""


RESPONSE_HEADERS: Mapping[str, str] = {
    "server": "routing_http_response_server_enabled",
    "strict-transport-security": "routing_http_response_strict_transport_security_header_value",
    "access-control-allow-origin": "routing_http_response_access_control_allow_origin_header_value",
    "access-control-allow-methods": "routing_http_response_access_control_allow_methods_header_value",
    "access-control-allow-headers": "routing_http_response_access_control_allow_headers_header_value",
    "access-control-allow-credentials": "routing_http_response_access_control_allow_credentials_header_value",
    "access-control-expose-headers": "routing_http_response_access_control_expose_headers_header_value",
    "access-control-max-age": "routing_http_response_access_control_max_age_header_value",
    "content-security-policy": "routing_http_response_content_security_policy_header_value",
    "x-content-type-options": "routing_http_response_x_content_type_options_header_value",
    "x-frame-options": "routing_http_response_x_frame_options_header_value",
}
"""Headers that a listener can put on every answer, with the argument of each."""


class ApplicationLoadBalancer(pulumi.ComponentResource):
    """A load balancer for HTTP.

    Attributes: load_balancer, arn, dns_name, zone_id, security_group_id, doors, log_bucket; by name: listeners,
    certificates, rules, target_groups, target_group_arns, attachments, permissions, trust_stores.
    """

    def __init__(
        self, name: str, args: ApplicationLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        refuse("ApplicationLoadBalancer", name, balancer_problems(cast("Mapping[str, Any]", args), RESPONSE_HEADERS))
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
        self.trust_stores = {key: self._trust_store(key, item) for key, item in args.get("trust_stores", {}).items()}
        made = make_target_groups(
            self._put,
            name,
            args.get("target_groups", {}),
            vpc_id=args["vpc_id"],
            tags=args.get("tags"),
            protocol="HTTP",
        )
        self.target_groups, self.target_group_arns = made.groups, made.arns
        self.attachments, self.permissions = made.attachments, made.permissions
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
        self.rules = {key: self._rule(key, item) for key, item in args.get("rules", {}).items()}
        self.web_acl_association = self._web_acl()
        self.register_outputs({"arn": self.arn, "dnsName": self.dns_name, "targetGroupArns": self.target_group_arns})

    # -- resources, in the order of a request
    # ---------------------------------------------------------------------------

    def _put(self, make: Any, key: str, name: str, props: Mapping[str, Any], **options: Any) -> Any:
        return place(make, name, props, parent=self, overrides=self._overrides, key=key, **options)

    def _load_balancer(self) -> aws.lb.LoadBalancer:
        args, name = self._args, self._name
        return self._put(
            aws.lb.LoadBalancer,
            "load_balancer",
            name,
            {
                "name": short_name(name, args.get("internal", True)),
                "load_balancer_type": "application",
                "internal": args.get("internal", True),
                "subnets": args["subnets"],
                "security_groups": [self.security_group_id],
                "ip_address_type": args.get("ip_address_type", "ipv4"),
                "idle_timeout": args.get("idle_timeout", 60),
                "client_keep_alive": args.get("client_keep_alive"),
                "enable_deletion_protection": args.get("deletion_protection", True),
                "drop_invalid_header_fields": True,
                "desync_mitigation_mode": args.get("desync_mitigation_mode", "strictest"),
                "xff_header_processing_mode": "append",
                "enable_waf_fail_open": False,
                "enable_zonal_shift": args.get("zonal_shift"),
                "access_logs": self._log("access_logs", "access"),
                "connection_logs": self._log("connection_logs", "connection"),
                "health_check_logs": self._log("health_check_logs", None),
                "tags": tagged(args.get("tags"), name),
            },
        )

    def _log(self, key: str, prefix: str | None) -> dict[str, Any] | None:
        given = cast("Mapping[str, Any] | None", self._args.get(key))
        if given is not None:
            return {"enabled": True, **given}
        if self.log_bucket is None or prefix is None:
            return None
        return {"enabled": True, "bucket": self.log_bucket.ready, "prefix": prefix}

    def _trust_store(self, key: str, item: Mapping[str, Any]) -> aws.lb.TrustStore:
        return self._put(
            aws.lb.TrustStore,
            f"trust_stores.{key}",
            f"{self._name}-{key}",
            {
                "ca_certificates_bundle_s3_bucket": item["bucket"],
                "ca_certificates_bundle_s3_key": item["key"],
                "ca_certificates_bundle_s3_object_version": item.get("version"),
                "tags": tagged(self._args.get("tags"), f"{self._name}-{key}"),
            },
        )

    def _listener(self, key: str, item: ListenerArgs) -> aws.lb.Listener:
        secure = item.get("protocol", "HTTPS") == "HTTPS"
        action: Any = item.get("default_action", NOT_FOUND)
        if "redirect_to_https" in item:
            action = {"redirect": {"protocol": "HTTPS", "port": str(item["redirect_to_https"]), "status": "HTTP_301"}}
        props: dict[str, Any] = {
            "load_balancer_arn": self.arn,
            "port": item["port"],
            "protocol": "HTTPS" if secure else "HTTP",
            "default_actions": self._actions([action]),
            # Tells attackers nothing of what answers.
            "routing_http_response_server_enabled": False,
            "tags": tagged(self._args.get("tags"), f"{self._name}-{key}"),
        }
        if secure:
            props |= {"certificate_arn": item.get("certificate_arn"), "ssl_policy": item.get("ssl_policy", SSL_POLICY)}
        props |= {RESPONSE_HEADERS[header]: value for header, value in item.get("response_headers", {}).items()}
        if (mutual := item.get("mutual_authentication")) is not None:
            found = {name: value for name, value in mutual.items() if name != "trust_store"}
            if "trust_store" in mutual:
                found["trust_store_arn"] = self.trust_stores[mutual["trust_store"]].arn
            props["mutual_authentication"] = found
        return self._put(aws.lb.Listener, f"listeners.{key}", f"{self._name}-{key}", props)

    def _rule(self, key: str, item: RuleArgs) -> aws.lb.ListenerRule:
        return self._put(
            aws.lb.ListenerRule,
            f"rules.{key}",
            f"{self._name}-{key}",
            {
                "listener_arn": self.listeners[item["listener"]].arn,
                "priority": item["priority"],
                "conditions": [condition(one) for one in item["conditions"]],
                "actions": self._actions(item["actions"]),
                "transforms": [transform(one) for one in item.get("transforms", [])] or None,
                "tags": tagged(self._args.get("tags"), key),
            },
        )

    def _actions(self, actions: Sequence[Action]) -> list[dict[str, Any]]:
        return [self._action(item, order) for order, item in enumerate(actions, 1)]

    def _action(self, action: Action, order: int) -> dict[str, Any]:
        kind, given = next(iter(cast("Mapping[str, Any]", action).items()))
        if kind == "forward":
            found: dict[str, Any] = {
                "target_groups": [
                    {"arn": self.target_group_arns[name], "weight": weight}
                    for name, weight in given["target_groups"].items()
                ]
            }
            if "stickiness_seconds" in given:
                found["stickiness"] = {"enabled": True, "duration": given["stickiness_seconds"]}
            return {"type": "forward", "order": order, "forward": found}
        if kind == "fixed":
            answer = {
                "content_type": given.get("content_type", "text/plain"),
                "status_code": str(given["status"]),
                "message_body": given.get("body"),
            }
            return {
                "type": "fixed-response",
                "order": order,
                "fixed_response": {name: value for name, value in answer.items() if value},
            }
        if kind == "redirect":
            parts = {name: value for name, value in given.items() if name != "status"}
            return {"type": "redirect", "order": order, "redirect": {**parts, "status_code": given["status"]}}
        if kind == "jwt":
            return {"type": "jwt-validation", "order": order, "jwt_validation": _jwt(given)}
        words = {"oidc": "authenticate-oidc", "cognito": "authenticate-cognito"}
        return {"type": words[kind], "order": order, words[kind].replace("-", "_"): _login(given)}

    def _web_acl(self) -> Any:
        arn = self._args.get("web_acl_arn")
        if arn is None:
            return None
        from pulumi_aws import wafv2  # large, so only where it is used

        props = {"resource_arn": self.arn, "web_acl_arn": arn}
        return self._put(wafv2.WebAclAssociation, "web_acl_association", f"{self._name}-waf", props)


def condition(given: Condition) -> dict[str, Any]:
    """A condition in the provider's words."""
    kind, value = next(iter(cast("Mapping[str, Any]", given).items()))
    if kind == "header":
        values = {"regex_values": value["regex"]} if "regex" in value else {"values": value["values"]}
        return {"http_header": {"http_header_name": value["name"], **values}}
    if kind == "query":
        return {"query_strings": [dict(item) for item in value]}
    words = {
        "hosts": ("host_header", "values"),
        "paths": ("path_pattern", "values"),
        "path_regex": ("path_pattern", "regex_values"),
        "methods": ("http_request_method", "values"),
        "source_ips": ("source_ip", "values"),
    }
    outer, inner = words[kind]
    return {outer: {inner: list(value)}}


def transform(given: Mapping[str, Any]) -> dict[str, Any]:
    """A transform in the provider's words."""
    kind, value = next(iter(given.items()))
    rewrite = {"rewrite": {"regex": value["regex"], "replace": value["replace"]}}
    if kind == "host":
        return {"type": "host-header-rewrite", "host_header_rewrite_config": rewrite}
    return {"type": "url-rewrite", "url_rewrite_config": rewrite}


def _jwt(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"issuer": given["issuer"], "jwks_endpoint": given["jwks_uri"]}
    if claims := given.get("claims"):
        found["additional_claims"] = [dict(item) for item in claims]
    return found


def _login(given: Mapping[str, Any]) -> dict[str, Any]:
    words = {"on_unauthenticated": "on_unauthenticated_request"}
    return {words.get(name, name): value for name, value in given.items()}


def _doors(self: ApplicationLoadBalancer, name: str, args: ApplicationLoadBalancerArgs) -> SecurityGroups | None:
    if "security_group_id" in args:
        return None
    groups: Any = {"balancer": {"ingress": args.get("ingress", {}), "egress": args.get("egress", {})}}
    doors: Any = {"vpc_id": args["vpc_id"], "groups": groups}
    doors |= {"tags": args["tags"]} if "tags" in args else {}
    return SecurityGroups(f"{name}-doors", doors, pulumi.ResourceOptions(parent=self))


def _log_bucket(self: ApplicationLoadBalancer, name: str, args: ApplicationLoadBalancerArgs) -> LogBucket | None:
    if not args.get("log_bucket", True) or {"access_logs", "connection_logs", "health_check_logs"} & set(args):
        return None
    bucket: Any = {"retention_days": args.get("log_retention_days", 90)}
    bucket |= {"tags": args["tags"]} if "tags" in args else {}
    return LogBucket(f"{name}-logs", bucket, pulumi.ResourceOptions(parent=self))
