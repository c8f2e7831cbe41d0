"""Rules over CloudFront in front of balancers and gateways: distributions, those of many tenants, and the tenants."""

import re
from collections.abc import Iterator

from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, StackRule
from edgewright.policies.view import UNKNOWN, View, Violation

DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
MULTITENANT = "aws:cloudfront/multitenantDistribution:MultitenantDistribution"
TENANT = "aws:cloudfront/distributionTenant:DistributionTenant"
LOG_SOURCE = "aws:cloudwatch/logDeliverySource:LogDeliverySource"
LOG_DELIVERY = "aws:cloudwatch/logDelivery:LogDelivery"

# Those of a distribution for many tenants have other names.
_BEHAVIORS = ("defaultCacheBehavior", "orderedCacheBehaviors", "cacheBehaviors")
_ORIGIN_CONFIGS = ("customOriginConfig", "customOriginConfigs")
_TLS = re.compile(r"TLSv1\.2_(2021|2025)$|TLSv1\.3")
_OLD_ORIGIN_TLS = {"SSLv3", "TLSv1", "TLSv1.1"}


def hardened(distribution: View) -> Iterator[Violation]:
    """A CloudFront in front of an API or a balancer speaks HTTPS both ways, and has a web ACL."""
    for behavior in (one for key in _BEHAVIORS for one in distribution.children(key)):
        if behavior.text("viewerProtocolPolicy") not in {"https-only", "redirect-to-https"}:
            yield behavior.fails("viewerProtocolPolicy", "lets requests come in the clear")
    version = distribution.text("viewerCertificate.minimumProtocolVersion")
    if version is None or (isinstance(version, str) and not _TLS.match(version)):
        yield distribution.fails("viewerCertificate.minimumProtocolVersion", f"is {version or 'not said'}")
    if not distribution.has("webAclId"):
        yield distribution.fails("webAclId", "is not said")
    for origin in distribution.children("origins"):
        for config in (one for key in _ORIGIN_CONFIGS for one in origin.children(key)):
            if config.text("originProtocolPolicy") != "https-only":
                yield config.fails("originProtocolPolicy", "is not https-only")
            for version in config.texts("originSslProtocols"):
                if version in _OLD_ORIGIN_TLS:
                    yield config.fails("originSslProtocols", f"have {version}")


def keeps_web_acl(tenant: View) -> Iterator[Violation]:
    """A tenant has the distribution's web ACL or one of its own: ``disable`` takes it away, ``override`` exchanges it.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_WebAclCustomization.html
    """
    key = "customizations.webAcl.action"
    if tenant.text(key) == "disable":
        yield tenant.fails(key, "is disable, so what this tenant serves has no web ACL")


def writes_logs(stack: Graph) -> Iterator[Violation]:
    """A distribution writes access logs: to a bucket by itself, or by a delivery of CloudWatch Logs.

    One for many tenants has the latter only.
    """
    for distribution in stack.of(DISTRIBUTION, MULTITENANT):
        if distribution.has("loggingConfig.bucket") or _delivers(stack, distribution):
            continue
        if distribution.subject.type == DISTRIBUTION:
            yield distribution.lacks("loggingConfig.bucket", "is not said, and no delivery takes its access logs")
        else:
            yield distribution.lacks("", "has no delivery that takes its access logs")


def _delivers(stack: Graph, distribution: View) -> bool:
    """Whether a delivery takes the access logs of a distribution. Notes at it where nobody can say."""
    for source in stack.referring(distribution, "resourceArn", LOG_SOURCE):
        if source.text("logType") == "ACCESS_LOGS" and _is_delivered(stack, source):
            return True
        if source.unread:
            distribution.note("", f"what `{source.subject.name}` sends, and whether it is taken, is not known yet")
    return False


def _is_delivered(stack: Graph, source: View) -> bool:
    """Whether there is a delivery for a source of logs, which it refers to or names."""
    if stack.referring(source, "deliverySourceName", LOG_DELIVERY):
        return True
    name = View(source.subject).text("name")
    named = {View(delivery.subject).text("deliverySourceName") for delivery in stack.of(LOG_DELIVERY)}
    return name in named - {None, UNKNOWN}


_CONTROLS = ("cloudfront-front-tls-waf-logs",)

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="cloudfront-front-tls-waf",
        controls=_CONTROLS,
        title="A CloudFront in front speaks HTTPS both ways, and has a web ACL",
        severity="medium",
        types=(DISTRIBUTION, MULTITENANT),
        check=hardened,
        remedy="viewerProtocolPolicy: https-only; minimumProtocolVersion: TLSv1.2_2021; webAclId.",
    ),
    Rule(
        name="cloudfront-tenant-waf",
        controls=_CONTROLS,
        title="A tenant of a CloudFront distribution has a web ACL",
        severity="medium",
        types=(TENANT,),
        check=keeps_web_acl,
        remedy="No customizations.webAcl, or one with action: override and the arn of another web ACL.",
    ),
    StackRule(
        name="cloudfront-front-logs",
        controls=_CONTROLS,
        title="A CloudFront in front writes access logs",
        severity="medium",
        types=(DISTRIBUTION, MULTITENANT),
        check=writes_logs,
        remedy="loggingConfig; or a LogDeliverySource with its ARN and logType ACCESS_LOGS, and a LogDelivery of that.",
        blind="Deliveries in other stacks.",
        instead="Security Hub CloudFront.5 sees the account.",
    ),
)
