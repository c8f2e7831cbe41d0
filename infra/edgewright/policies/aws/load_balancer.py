"""Rules over AWS load balancers: listeners, balancers, target groups, and what they need beside them."""

import re
from collections.abc import Callable, Iterable, Iterator

from edgewright.policies.aws.references import types_behind
from edgewright.policies.aws.waf import ASSOCIATION, missing_groups
from edgewright.policies.graph import Graph
from edgewright.policies.rule import ELSEWHERE, AnyRule, Check, Remediation, Rule, Setting, StackRule
from edgewright.policies.tags import tagged
from edgewright.policies.view import UNKNOWN, Unknown, View, Violation

LISTENER = ("aws:lb/listener:Listener", "aws:alb/listener:Listener")
LISTENER_CERTIFICATE = (
    "aws:lb/listenerCertificate:ListenerCertificate",
    "aws:alb/listenerCertificate:ListenerCertificate",
)
LISTENER_RULE = ("aws:lb/listenerRule:ListenerRule", "aws:alb/listenerRule:ListenerRule")
BALANCER = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
TARGET_GROUP = ("aws:lb/targetGroup:TargetGroup", "aws:alb/targetGroup:TargetGroup")
CLASSIC = "aws:elb/loadBalancer:LoadBalancer"
SCALING_GROUP = "aws:autoscaling/group:Group"
SCALING_ATTACHMENT = "aws:autoscaling/attachment:Attachment"
TRAFFIC_SOURCE = "aws:autoscaling/trafficSourceAttachment:TrafficSourceAttachment"
ADDRESS = "aws:ec2/eip:Eip"
PROTECTION = "aws:shield/protection:Protection"

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""What a remediation writes: recommended by ELB.17, TLS 1.2 and 1.3 with forward secrecy, post-quantum where clients can."""  # noqa: E501

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
_OLD_POLICIES = tuple(
    f"ELBSecurityPolicy-{name}"
    for name in (
        "2014",
        "2015",
        "2016-08",
        "TLS-1-0",
        "TLS-1-1",
        "FS-2018-06",
        "FS-1-1-2019-08",
        "TLS13-1-0",
        "TLS13-1-1",
    )
)
_RECOMMENDED_POLICIES = frozenset(
    f"ELBSecurityPolicy-{name}"
    for name in (
        "TLS13-1-3-2021-06",
        "TLS13-1-3-FIPS-2023-04",
        "TLS13-1-2-Res-2021-06",
        "TLS13-1-2-Res-FIPS-2023-04",
        "TLS13-1-3-PQ-2025-09",
        "TLS13-1-3-FIPS-PQ-2025-09",
        "TLS13-1-2-Res-PQ-2025-09",
        "TLS13-1-2-Res-FIPS-PQ-2025-09",
    )
)
_TLS = ("HTTPS", "TLS")
_ACM = re.compile(r"arn:aws[\w-]*:acm:")
_STRINGS = {"type": "array", "items": {"type": "string"}}


def _protocol(view: View, key: str = "protocol") -> str | Unknown | None:
    """A protocol in capitals: the provider takes it in any case."""
    said = view.text(key)
    return said.upper() if isinstance(said, str) else said


def plain_http_redirects(listener: View) -> Iterator[Violation]:
    """Every default action of an HTTP listener redirects to HTTPS."""
    if _protocol(listener) == "HTTP":
        yield from _not_redirected(listener, "defaultActions")


def plain_http_rules_redirect(stack: Graph) -> Iterator[Violation]:
    """Every action of a rule on an HTTP listener redirects to HTTPS."""
    for rule in stack.of(*LISTENER_RULE):
        for listener in stack.referred(rule, "listenerArn", *LISTENER):
            if _protocol(listener) == "HTTP":
                yield from _not_redirected(rule, "actions")


def _not_redirected(view: View, key: str) -> Iterator[Violation]:
    for action in view.children(key):
        if action.text("type") != "redirect":
            yield action.fails("type", "answers over plain HTTP instead of redirecting")
        elif action.text("redirect.protocol") != "HTTPS":
            yield action.fails("redirect.protocol", "is not HTTPS, so the redirect stays on plain HTTP")


def says_its_protocol(listener: View) -> Iterator[Violation]:
    """A listener says its protocol. One with neither port nor protocol belongs to a Gateway Load Balancer."""
    if not listener.has("protocol"):
        if listener.has("port"):
            yield listener.fails("protocol", "is not said, and an Application Load Balancer takes HTTP then")
    elif _protocol(listener) == "HTTP" and not listener.setting("acceptRedirects"):
        yield listener.fails("protocol", "is HTTP, also where it only redirects")


def terminates_tls(stack: Graph) -> Iterator[Violation]:
    """A listener of a Network Load Balancer terminates TLS, but for ports that are known to pass it through.

    An Application Load Balancer behind it terminates TLS itself, which rules over its own listeners see.
    """
    for listener in stack.of(*LISTENER):
        protocol = _protocol(listener)
        if protocol not in {"TCP", "UDP", "TCP_UDP", "TCP_QUIC"}:  # QUIC alone is never in the clear
            continue
        port = listener.number("port") if stack.setting("passthroughPorts") else None
        if port in stack.setting("passthroughPorts"):
            continue
        groups = stack.referred(listener, "defaultActions", *TARGET_GROUP)
        if not groups or any(group.text("targetType") != "alb" for group in groups):
            yield listener.fails("protocol", f"is {protocol}: nothing at the balancer says who may read it", "port")


def refuses_old_tls(listener: View) -> Iterator[Violation]:
    """The TLS policy is said and has neither TLS 1.0 nor 1.1."""
    if _protocol(listener) in _TLS and (problem := _old(listener)):
        yield listener.fails("sslPolicy", problem, "protocol")


def _old(listener: View) -> str:
    policy = listener.text("sslPolicy")
    if not policy:
        return "is not said, and the default of the API (2016-08) has TLS 1.0"
    if isinstance(policy, str) and policy.startswith(_OLD_POLICIES):
        return f"is {policy}, which has TLS 1.0 or 1.1"
    return ""


def newest_tls(listener: View) -> dict[str, str]:
    """A TLS policy of today, where it is missing or old."""
    return {"sslPolicy": TLS_POLICY} if _protocol(listener) in _TLS and _old(listener) else {}


def recommended_tls(listener: View) -> Iterator[Violation]:
    """The TLS policy is one that AWS recommends. Those that `refuses_old_tls` refuses are left to it."""
    if _protocol(listener) not in _TLS or _old(listener):
        return
    policy = listener.text("sslPolicy")
    if policy not in _RECOMMENDED_POLICIES:
        yield listener.fails("sslPolicy", f"is {policy}, which AWS does not recommend")


def post_quantum_tls(listener: View) -> Iterator[Violation]:
    """The TLS policy offers post-quantum key exchange."""
    if _protocol(listener) not in _TLS:
        return
    policy = listener.text("sslPolicy")
    if policy is None or (isinstance(policy, str) and "-PQ-" not in policy):
        yield listener.fails("sslPolicy", "has no post-quantum key exchange")


def acm_certificate(stack: Graph) -> Iterator[Violation]:
    """Certificates come from ACM, which renews them. One that is not there yet is known by where it comes from."""
    for view in stack.of(*LISTENER, *LISTENER_CERTIFICATE):
        if view.subject.type in LISTENER and _protocol(view) not in _TLS:
            continue
        if not view.has("certificateArn"):
            yield view.fails("certificateArn", "is not said")
        elif not _of_acm(view):
            yield view.fails("certificateArn", "is no certificate of ACM, so nothing renews it")


def _of_acm(view: View) -> bool:
    """Whether a certificate is one of ACM, by where it comes from, or by its ARN."""
    behind = types_behind(view, "certificateArn")
    if any(kind.startswith("aws:acm/") for kind in behind):
        return True
    if any(kind.startswith("aws:iam/") for kind in behind):
        return False
    return _ACM.match(str(view.text("certificateArn"))) is not None


def _balancer(kind: str) -> Callable[[View], bool]:
    return lambda balancer: (balancer.text("loadBalancerType") or "application") == kind


is_application = _balancer("application")
_is_network = _balancer("network")


def drops_invalid_headers(balancer: View) -> Iterator[Violation]:
    """Header fields that HTTP does not allow are dropped, not handed on to be read in two ways."""
    if is_application(balancer) and balancer.flag("dropInvalidHeaderFields") is not True:
        yield balancer.fails("dropInvalidHeaderFields", "is not true", "loadBalancerType")


def _writing(kind: str) -> Check:
    is_kind = _balancer(kind)

    def writes_access_logs(balancer: View) -> Iterator[Violation]:
        """Access logs are on, and have a bucket."""
        if not is_kind(balancer):
            return
        if not balancer.has("accessLogs.bucket"):
            yield balancer.fails("accessLogs.bucket", "is not said", "loadBalancerType")
        elif balancer.flag("accessLogs.enabled") is not True:
            yield balancer.fails("accessLogs.enabled", "is not true, and false is the default", "loadBalancerType")

    return writes_access_logs


def _write(kind: str) -> Remediation:
    is_kind = _balancer(kind)

    def turn_access_logs_on(balancer: View) -> dict[str, bool]:
        """Turn access logs on where there is a bucket for them."""
        wanted = is_kind(balancer) and balancer.has("accessLogs.bucket") and not balancer.flag("accessLogs.enabled")
        return {"accessLogs.enabled": True} if wanted else {}

    return turn_access_logs_on


def _switched_on(key: str, when: Callable[[View], bool]) -> Remediation:
    """Write true where it is not, but not over what is unknown."""

    def switch_on(view: View) -> dict[str, bool]:
        return {key: True} if when(view) and view.flag(key) in {None, False} else {}

    return switch_on


def deletion_protection(balancer: View) -> Iterator[Violation]:
    """Nobody deletes it by mistake."""
    if balancer.flag("enableDeletionProtection") is not True:
        yield balancer.fails("enableDeletionProtection", "is not true")


def crosses_zones(balancer: View) -> Iterator[Violation]:
    """A network or gateway balancer uses targets of all zones (an application balancer always does)."""
    kind = balancer.text("loadBalancerType")
    if kind in {"network", "gateway"} and balancer.flag("enableCrossZoneLoadBalancing") is not True:
        yield balancer.fails("enableCrossZoneLoadBalancing", "is not true")


def mitigates_desync(balancer: View) -> Iterator[Violation]:
    """Requests that two parsers read differently are not just watched."""
    if not is_application(balancer):
        return
    mode = balancer.text("desyncMitigationMode")
    if mode not in {None, "", "defensive", "strictest"}:
        yield balancer.fails("desyncMitigationMode", f"is {mode}", "loadBalancerType")


def many_zones(balancer: View) -> Iterator[Violation]:
    """It has subnets in as many zones as are asked for (a balancer has one subnet a zone)."""
    wanted: int = balancer.setting("zones")
    subnets, mappings = balancer.count("subnets"), balancer.count("subnetMappings")
    if not isinstance(subnets, int) or not isinstance(mappings, int):
        return
    known = View(balancer.subject).texts("subnets")  # without a note of those that are not known: they count as others
    found = max(subnets - len(known) + len(set(known)), mappings)
    if found < wanted:
        yield balancer.fails("subnets", f"are {found}, fewer than {wanted}", "subnetMappings")


def _inside(kind: str) -> Check:
    is_kind = _balancer(kind)

    def stays_inside(balancer: View) -> Iterator[Violation]:
        """It has no public addresses, or it says that it is meant to."""
        if not is_kind(balancer) or balancer.flag("internal") is True:
            return
        key: str = balancer.setting("tag")
        tags = balancer.child("tags")
        meant = tags is not None and key in tags.keys
        if not meant and balancer.subject.name not in balancer.setting("allowed"):
            text = f"is not true, and neither tag `{key}` nor the configuration says that it is meant to be public"
            yield balancer.fails("internal", text, "tags", "loadBalancerType")

    return stays_inside


def has_web_acl(stack: Graph) -> Iterator[Violation]:
    """An Application Load Balancer that faces the internet has a web ACL."""
    for balancer in stack.of(*BALANCER):
        if not is_application(balancer) or balancer.flag("internal") is True:
            continue
        if not stack.referring(balancer, "resourceArn", ASSOCIATION):
            yield balancer.lacks("", "has no web ACL")


def has_log4j_groups(stack: Graph) -> Iterator[Violation]:
    """The web ACL of a balancer has the managed rule groups that are asked for."""
    for balancer in stack.of(*BALANCER):
        yield from missing_groups(stack, balancer)


def has_listener(stack: Graph) -> Iterator[Violation]:
    """A balancer has something that listens."""
    for balancer in stack.of(*BALANCER):
        if not stack.referring(balancer, "loadBalancerArn", *LISTENER):
            yield balancer.lacks("", "has no listener")


def has_shield(stack: Graph) -> Iterator[Violation]:
    """A balancer that faces the internet has Shield Advanced.

    A Network Load Balancer has it by its addresses, and takes none itself:
    https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_CreateProtection.html
    """
    for balancer in stack.of(*BALANCER):
        if balancer.flag("internal") is True:
            continue
        if is_application(balancer):
            if not _is_protected(stack, balancer):
                yield balancer.lacks("", "has no Shield Advanced protection")
            continue
        if not _is_network(balancer):
            continue
        addresses = stack.referred(balancer, "subnetMappings", ADDRESS)
        if not addresses or not all(_is_protected(stack, address) for address in addresses):
            yield balancer.lacks("", "has no Elastic IP addresses with Shield Advanced protection")


def _is_protected(stack: Graph, target: View) -> bool:
    return bool(stack.referring(target, "resourceArn", PROTECTION))


def targets_encrypted(group: View) -> Iterator[Violation]:
    """Requests reach the targets encrypted."""
    protocol = _protocol(group)
    if group.text("targetType") in {"lambda", "alb"} or protocol == "GENEVE":
        return
    if protocol not in {"HTTPS", "TLS", "QUIC", *group.setting("accepted")}:
        yield group.fails("protocol", f"is {protocol or 'not said'}, so the last part of the way is open", "targetType")


def health_checks_encrypted(group: View) -> Iterator[Violation]:
    """Health checks use HTTPS."""
    if group.text("targetType") == "lambda":
        return
    protocol = _protocol(group, "healthCheck.protocol")
    if protocol != "HTTPS":
        text = f"is {protocol or 'not said, which means HTTP, or TCP at a Network Load Balancer'}"
        yield group.fails("healthCheck.protocol", text, "targetType")


def health_check_defined(group: View) -> Iterator[Violation]:
    """A target group for HTTP says what a healthy target answers to."""
    if _protocol(group) not in {"HTTP", "HTTPS"} or group.text("targetType") == "lambda":
        return
    if group.flag("healthCheck.enabled") is False:
        yield group.fails("healthCheck.enabled", "is false", "targetType")
    elif not group.has("healthCheck.path"):
        yield group.fails("healthCheck.path", "is not said, so it is `/`", "targetType")


def scaling_group_health(stack: Graph) -> Iterator[Violation]:
    """An Auto Scaling group behind a balancer believes the balancer's health checks."""
    for group in stack.of(SCALING_GROUP):
        kinds = group.text("healthCheckType")
        if kinds is not UNKNOWN and "ELB" in (kinds or "").split(","):
            continue
        if _is_behind_a_balancer(stack, group):
            text = "is not ELB, so targets that answer nothing stay"
            yield group.fails("healthCheckType", text, *_FROM_BALANCERS, "trafficSources")


_FROM_BALANCERS = ("targetGroupArns", "loadBalancers")


def _is_behind_a_balancer(stack: Graph, group: View) -> bool:
    attached = stack.referring(group, "autoscalingGroupName", TRAFFIC_SOURCE)
    sources = [*group.children("trafficSources"), *(found for one in attached if (found := one.child("trafficSource")))]
    return bool(
        any(group.count(key) for key in _FROM_BALANCERS)
        or any(source.text("type") in {None, "elb", "elbv2"} for source in sources)
        or stack.referring(group, "autoscalingGroupName", SCALING_ATTACHMENT)
    )


def classic(balancer: View) -> Iterable[Violation]:
    """There is no Classic Load Balancer."""
    return (balancer.fails("", "is a Classic Load Balancer"),)


has_tags = tagged("tags", "tagsAll")

DEFAULT_TAGS = "Tags that the provider adds to everything (defaultTags)."
DEFAULT_TAGS_INSTEAD = "Turn the rule off where the provider has default tags."
_TAGS = {"required": Setting(_STRINGS, [], "tags that must be there")}
_EDGE_IS_PUBLIC = (
    "A balancer at the edge is there to be public; its TLS, web ACL, ports and limits are watched instead. "
    "Turn it on where balancers are internal unless they say otherwise."
)
_PUBLIC = {
    "tag": Setting({"type": "string"}, "exposure", "a balancer with this tag is meant to be public"),
    "allowed": Setting(_STRINGS, [], "names of balancers that are meant to be public"),
}
_GROUPS = {
    "groups": Setting(
        _STRINGS,
        ["AWSManagedRulesKnownBadInputsRuleSet"],
        "managed rule groups that must be there; AWSManagedRulesAnonymousIpList refuses clients in data centres too",
    )
}

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="alb-http-redirects-to-https",
        controls=("alb-http-redirects-to-https",),
        title="A listener for HTTP only redirects to HTTPS",
        severity="critical",
        types=LISTENER,
        check=plain_http_redirects,
        remedy='defaultActions: [{type: redirect, redirect: {protocol: HTTPS, port: "443", statusCode: HTTP_301}}]',
    ),
    StackRule(
        name="alb-http-rules-redirect-to-https",
        controls=("alb-http-redirects-to-https",),
        title="Rules of a listener for HTTP only redirect to HTTPS",
        severity="critical",
        types=LISTENER_RULE,
        check=plain_http_rules_redirect,
        remedy="Move the rule to the HTTPS listener, or let it redirect with protocol HTTPS.",
        blind="Rules on a listener of another stack.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="lb-listener-secure-protocol",
        controls=("lb-listener-secure-protocol",),
        title="A listener says its protocol, and it is HTTPS or TLS",
        severity="high",
        types=LISTENER,
        check=says_its_protocol,
        remedy="protocol: HTTPS (Application Load Balancer) or TLS (Network Load Balancer).",
        settings={
            "acceptRedirects": Setting(
                {"type": "boolean"},
                True,
                "accept HTTP where it only redirects, as Checkov and Trivy do; ELB.18 does not",
            )
        },
    ),
    StackRule(
        name="nlb-listener-tls",
        controls=("nlb-listener-tls",),
        title="A listener of a Network Load Balancer terminates TLS",
        severity="medium",
        types=LISTENER,
        check=terminates_tls,
        remedy="protocol: TLS with certificateArn and sslPolicy; or name the port in `passthroughPorts`.",
        settings={
            "passthroughPorts": Setting(
                {"type": "array", "items": {"type": "integer"}}, [], "ports whose TLS the targets terminate"
            )
        },
        blind="Application Load Balancers behind it in other stacks.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="lb-listener-min-tls12",
        controls=("lb-listener-min-tls12",),
        title="A listener has a TLS policy without TLS 1.0 and 1.1",
        severity="critical",
        types=LISTENER,
        check=refuses_old_tls,
        remedy=f"sslPolicy: {TLS_POLICY}",
        remediation=newest_tls,
    ),
    Rule(
        name="lb-listener-recommended-ssl-policy",
        controls=("lb-listener-recommended-ssl-policy",),
        title="A listener has a TLS policy that AWS recommends",
        severity="medium",
        types=LISTENER,
        check=recommended_tls,
        remedy=f"sslPolicy: {TLS_POLICY}, or another of Security Hub's ELB.17.",
    ),
    Rule(
        name="lb-listener-post-quantum-tls",
        controls=("lb-listener-post-quantum-tls",),
        title="A listener offers post-quantum key exchange",
        severity="low",
        types=LISTENER,
        check=post_quantum_tls,
        remedy=f"sslPolicy: {TLS_POLICY}",
        optional="Whether what is read today must stay secret for decades is for its owner to say.",
    ),
    StackRule(
        name="lb-listener-acm-certificate",
        controls=("lb-listener-acm-certificate",),
        title="Certificates of listeners come from ACM",
        severity="medium",
        types=(*LISTENER, *LISTENER_CERTIFICATE),
        check=acm_certificate,
        remedy="certificateArn: the ARN of an aws:acm/certificate:Certificate.",
        blind="Where a certificate comes from that another stack gives out, before the update.",
        instead="The check after the update, which has its ARN.",
    ),
    Rule(
        name="alb-drop-invalid-headers",
        controls=("alb-drop-invalid-headers",),
        title="An Application Load Balancer drops invalid header fields",
        severity="high",
        types=BALANCER,
        check=drops_invalid_headers,
        remedy="dropInvalidHeaderFields: true",
        remediation=_switched_on("dropInvalidHeaderFields", is_application),
    ),
    Rule(
        name="alb-access-logs-enabled",
        controls=("alb-access-logs-enabled",),
        title="An Application Load Balancer writes access logs",
        severity="medium",
        types=BALANCER,
        check=_writing("application"),
        remedy="accessLogs: {bucket: ..., enabled: true}",
        remediation=_write("application"),
    ),
    Rule(
        name="nlb-access-logs-enabled",
        controls=("nlb-access-logs-enabled",),
        title="A Network Load Balancer writes access logs",
        severity="medium",
        types=BALANCER,
        check=_writing("network"),
        remedy="accessLogs: {bucket: ..., enabled: true}; only TLS listeners write them.",
        remediation=_write("network"),
    ),
    Rule(
        name="lb-deletion-protection",
        controls=("lb-deletion-protection",),
        title="A load balancer has deletion protection",
        severity="medium",
        types=BALANCER,
        check=deletion_protection,
        remedy="enableDeletionProtection: true",
        remediation=_switched_on("enableDeletionProtection", lambda _: True),
    ),
    Rule(
        name="nlb-cross-zone-enabled",
        controls=("nlb-cross-zone-enabled",),
        title="A Network or Gateway Load Balancer uses targets of all zones",
        severity="medium",
        types=BALANCER,
        check=crosses_zones,
        remedy="enableCrossZoneLoadBalancing: true; traffic between zones is billed.",
    ),
    Rule(
        name="alb-desync-mitigation",
        controls=("alb-desync-mitigation",),
        title="An Application Load Balancer refuses requests that can be read in two ways",
        severity="medium",
        types=BALANCER,
        check=mitigates_desync,
        remedy="desyncMitigationMode: strictest, or defensive, the default.",
    ),
    Rule(
        name="lb-multi-az",
        controls=("lb-multi-az",),
        title="A load balancer is in several zones",
        severity="medium",
        types=BALANCER,
        check=many_zones,
        remedy="subnets (or subnetMappings): one in each of at least two zones.",
        blind="In which zone a subnet is: each subnet counts as a zone, as AWS takes only one a zone.",
        instead="AWS refuses two subnets of one zone; AWS Config: elbv2-multiple-az.",
        settings={"zones": Setting({"type": "integer", "minimum": 1}, 2, "how many zones at least")},
    ),
    StackRule(
        name="alb-waf-associated",
        controls=("alb-waf-associated",),
        title="An Application Load Balancer that faces the internet has a web ACL",
        severity="medium",
        types=BALANCER,
        check=has_web_acl,
        remedy="An aws:wafv2/webAclAssociation:WebAclAssociation with its ARN as resourceArn.",
        blind="Associations in other stacks, and those that Firewall Manager makes.",
        instead="Security Hub ELB.16 sees the account; exempt balancers that Firewall Manager covers.",
    ),
    StackRule(
        name="alb-waf-log4j-rules",
        controls=("alb-waf-log4j-rules",),
        title="The web ACL of a load balancer has the rule group for known bad inputs",
        severity="medium",
        types=BALANCER,
        check=has_log4j_groups,
        remedy="A rule of the web ACL with managedRuleGroupStatement: {vendorName: AWS, name: ...}.",
        blind="Web ACLs of other stacks.",
        instead="Run the pack over the stack that has the web ACL: waf-log4j-rule.",
        settings=_GROUPS,
    ),
    Rule(
        name="alb-not-internet-facing",
        controls=("alb-not-internet-facing",),
        title="An Application Load Balancer is internal, or says that it is meant to be public",
        severity="high",
        types=BALANCER,
        check=_inside("application"),
        remedy="internal: true; or a tag `exposure`, whose value says why.",
        optional=_EDGE_IS_PUBLIC,
        settings=_PUBLIC,
    ),
    Rule(
        name="nlb-not-internet-facing",
        controls=("nlb-not-internet-facing",),
        title="A Network Load Balancer is internal, or says that it is meant to be public",
        severity="medium",
        types=BALANCER,
        check=_inside("network"),
        remedy="internal: true; or a tag `exposure`, whose value says why.",
        optional=_EDGE_IS_PUBLIC,
        settings=_PUBLIC,
    ),
    Rule(
        name="target-group-encrypted-protocol",
        controls=("target-group-encrypted-protocol",),
        title="Requests reach targets encrypted",
        severity="medium",
        types=TARGET_GROUP,
        check=targets_encrypted,
        remedy="protocol: HTTPS or TLS; the balancer takes any certificate of a target, also a self-signed one.",
        settings={
            "accepted": Setting(_STRINGS, [], "protocols to accept beside these, such as TCP for TLS passed through")
        },
    ),
    Rule(
        name="target-group-encrypted-health-check",
        controls=("target-group-encrypted-health-check",),
        title="Health checks use HTTPS",
        severity="medium",
        types=TARGET_GROUP,
        check=health_checks_encrypted,
        remedy="healthCheck: {protocol: HTTPS}",
    ),
    Rule(
        name="target-group-health-check-defined",
        controls=("target-group-health-check-defined",),
        title="A target group for HTTP says the path of its health check",
        severity="low",
        types=TARGET_GROUP,
        check=health_check_defined,
        remedy="healthCheck: {path: /healthz}",
    ),
    StackRule(
        name="lb-has-listener",
        controls=("lb-has-listener",),
        title="A load balancer has a listener",
        severity="low",
        types=BALANCER,
        check=has_listener,
        remedy="An aws:lb/listener:Listener with its ARN, or no load balancer.",
        blind="Listeners in other stacks.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="lb-tagged",
        controls=("lb-tagged",),
        title="A load balancer has tags",
        severity="low",
        types=BALANCER,
        check=has_tags,
        remedy="tags: whose it is, at least.",
        blind=DEFAULT_TAGS,
        instead=DEFAULT_TAGS_INSTEAD,
        settings=_TAGS,
    ),
    Rule(
        name="lb-listener-tagged",
        controls=("lb-listener-tagged",),
        title="A listener has tags",
        severity="low",
        types=LISTENER,
        check=has_tags,
        remedy="tags: whose it is, at least.",
        blind=DEFAULT_TAGS,
        instead=DEFAULT_TAGS_INSTEAD,
        settings=_TAGS,
    ),
    StackRule(
        name="lb-shield-advanced",
        controls=("lb-shield-advanced",),
        title="A load balancer that faces the internet has Shield Advanced",
        severity="low",
        types=BALANCER,
        check=has_shield,
        remedy="An aws:shield/protection:Protection with its ARN as resourceArn; of a Network Load Balancer with that of each of its Elastic IP addresses.",  # noqa: E501
        optional="Shield Advanced costs 3,000 USD a month for an organisation.",
        blind="Protections in other stacks, and those that Firewall Manager makes.",
        instead="AWS Config: shield-advanced-enabled-autorenew; Firewall Manager's own report.",
    ),
    StackRule(
        name="asg-elb-health-check",
        controls=("asg-elb-health-check",),
        title="An Auto Scaling group behind a load balancer uses its health checks",
        severity="low",
        types=(SCALING_GROUP,),
        check=scaling_group_health,
        remedy="healthCheckType: ELB",
        blind="Target groups that another stack attaches.",
        instead="Security Hub AutoScaling.1 sees the account.",
    ),
    Rule(
        name="classic-elb-not-used",
        controls=("classic-elb-not-used",),
        title="There is no Classic Load Balancer",
        severity="medium",
        types=(CLASSIC,),
        check=classic,
        remedy="aws:lb/loadBalancer:LoadBalancer; all other rules are for that.",
    ),
)
