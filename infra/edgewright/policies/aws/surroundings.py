"""Rules over what stands around balancers and gateways: functions, logs, certificates, names."""

import re
from collections.abc import Iterator

from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, Setting, StackRule
from edgewright.policies.secrets import secret_in
from edgewright.policies.view import View, Violation

PERMISSION = "aws:lambda/permission:Permission"
FUNCTION = "aws:lambda/function:Function"
FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
CERTIFICATE = "aws:acm/certificate:Certificate"
RECORD = "aws:route53/record:Record"
FIREHOSE = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"

_STRINGS = {"type": "array", "items": {"type": "string"}}
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, those whose end had come by November 2026.
_ENDED_RUNTIMES = (
    "nodejs",
    *("nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x", "nodejs16.x", "nodejs18.x"),
    *("nodejs20.x", "python2.7", "python3.6", "python3.7", "python3.8", "python3.9", "python3.10"),
    *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet5.0", "dotnet6", "dotnet7", "dotnet8"),
    *("ruby2.5", "ruby2.7", "ruby3.2", "java8", "go1.x", "provided"),
)
_SERVICE = re.compile(r"\.amazonaws\.com(\.cn)?$")
# Of any account, or of a service whose ARNs name none (S3), and any resource there, maybe of one kind.
_ANYBODY = re.compile(r"\*$|arn:[^:]*:[^:]*:[^:]*:\*?:([\w-]+[/:])?\*")
# Names that AWS gives to balancers, gateways and distributions.
_OF_AWS = re.compile(r"\.(amazonaws\.com(\.cn)?|cloudfront\.net)\.?$")


def principal_limited(permission: View) -> Iterator[Violation]:
    """A service may call a function for one source only."""
    principal = permission.text("principal")
    if not isinstance(principal, str) or not _SERVICE.search(principal) or permission.has("sourceAccount"):
        return
    source = View(permission.subject).text("sourceArn")  # without a note: one that is not known will name something
    if not source or (isinstance(source, str) and _ANYBODY.match(source)):
        said = f"`{source}`" if source else "not said"
        yield permission.fails("sourceArn", f"is {said}, so {principal} may call it for anybody", "principal")


def principal_named(permission: View) -> Iterator[Violation]:
    """A function is not for everybody to call, but through a URL that asks who calls, or in an organisation.

    With a URL that does not ask, the provider adds a permission for everybody itself.
    """
    if permission.subject.type == FUNCTION_URL:
        if permission.text("authorizationType") != "AWS_IAM":
            yield permission.fails("authorizationType", "is not AWS_IAM, so everybody may call the function")
        return
    if permission.text("principal") != "*" or permission.has("principalOrgId"):
        return
    if permission.text("functionUrlAuthType") != "AWS_IAM":
        yield permission.fails("principal", "is `*`", "functionUrlAuthType")


def invokes_only(permission: View) -> Iterator[Violation]:
    """A permission is about calling the function, and nothing else."""
    action = permission.text("action")
    if action not in permission.setting("allowed"):
        yield permission.fails("action", f"is {action}")


def gateway_names_route(permission: View) -> Iterator[Violation]:
    """An API may call a function for the stage and method that need it."""
    if permission.text("principal") != "apigateway.amazonaws.com":
        return
    source = permission.text("sourceArn")
    if isinstance(source, str) and _is_for_every_method(source):
        yield permission.fails("sourceArn", "is for every method of the API", "principal")


def _is_for_every_method(source: str) -> bool:
    """Whether an ARN, ``...:API/STAGE/METHOD/PATH``, names neither a method nor a path. A star is any text."""
    api, *rest = source.rpartition(":")[2].split("/")
    match rest:
        case []:
            return api == "*"
        case ["authorizers", *_]:
            return False
        case [stage]:
            return stage == "*"
        case _:
            return set(rest[1:]) == {"*"}


def function_traced(function: View) -> Iterator[Violation]:
    """A function sends traces to X-Ray."""
    if function.text("tracingConfig.mode") != "Active":
        yield function.fails("tracingConfig.mode", "is not Active")


def function_hardened(function: View) -> Iterator[Violation]:
    """A function has a runtime that AWS still mends, and no secrets in its environment."""
    runtime = function.text("runtime")
    if runtime in _ENDED_RUNTIMES:
        yield function.fails("runtime", f"is {runtime}, which gets no security updates any more")
    variables = function.child("environment.variables")
    for name in variables.keys if variables else ():
        found = secret_in(name, variables.text(name) if variables and "." not in name else None)
        if found and variables:
            yield variables.fails(name, f"looks like {found}")


def retention(group: View) -> Iterator[Violation]:
    """Logs end some day. Those of the class DELIVERY do after two, whatever is said."""
    if group.text("logGroupClass") == "DELIVERY":
        return
    days = group.number("retentionInDays")
    if not days:
        said = "not said" if days is None else "0"
        text = f"is {said}, so logs are kept, and billed, for ever"
        yield group.fails("retentionInDays", text, "logGroupClass")


def retention_of_a_year(group: View) -> Iterator[Violation]:
    """Logs are kept for a year (0 keeps them for ever). A missing number is left to `retention`."""
    days = group.number("retentionInDays")
    if isinstance(days, float) and 0 < days < group.setting("days"):
        yield group.fails("retentionInDays", f"is {days:g}, fewer than {group.setting('days')}")


def own_key(group: View) -> Iterator[Violation]:
    """Logs are encrypted with a key of the account."""
    if not group.has("kmsKeyId"):
        yield group.fails("kmsKeyId", "is not said, so the key is AWS's")


def transparent(certificate: View) -> Iterator[Violation]:
    """Certificates are logged where everybody can see who got one."""
    if certificate.text("options.certificateTransparencyLoggingPreference") == "DISABLED":
        yield certificate.fails("options.certificateTransparencyLoggingPreference", "is DISABLED: browsers refuse it")


def no_wildcard(certificate: View) -> Iterator[Violation]:
    """A certificate names what it is for."""
    for key in ("domainName", "subjectAlternativeNames"):
        for name in certificate.texts(key):
            if name.startswith("*."):
                yield certificate.fails(key, f"has `{name}`, good for every host")


def strong_key(certificate: View) -> Iterator[Violation]:
    """An RSA key has 2048 bits or more."""
    if certificate.text("keyAlgorithm") == "RSA_1024":
        yield certificate.fails("keyAlgorithm", "is RSA_1024")


def record_follows(stack: Graph) -> Iterator[Violation]:
    """An alias follows what it points at, so that it ends with it and nobody else can take the name."""
    for record in stack.of(RECORD):
        for alias in () if "aliases" in record.subject.refs else record.children("aliases"):
            name = alias.text("name")
            if isinstance(name, str) and _OF_AWS.search(name.lower()):
                yield alias.fails("name", "is typed in, so it stays when what it points at is gone")


def stream_encrypted(stream: View) -> Iterator[Violation]:
    """A delivery stream of logs is encrypted with a key of the account."""
    name = stream.text("name")
    if not isinstance(name, str | None) or not (name or stream.subject.name).startswith(
        ("aws-waf-logs-", "amazon-apigateway-")
    ):
        return
    if stream.flag("serverSideEncryption.enabled") is not True:
        yield stream.fails("serverSideEncryption.enabled", "is not true", "name")
    elif stream.text("serverSideEncryption.keyType") != "CUSTOMER_MANAGED_CMK":
        yield stream.fails("serverSideEncryption.keyType", "is not CUSTOMER_MANAGED_CMK", "name")


RULES: tuple[AnyRule, ...] = (
    Rule(
        name="lambda-permission-source-arn",
        controls=("lambda-permission-source-arn",),
        title="A service may call a function for one source only",
        severity="critical",
        types=(PERMISSION,),
        check=principal_limited,
        remedy="sourceArn: the ARN of the API, the target group or what else calls.",
    ),
    Rule(
        name="lambda-permission-not-public",
        controls=("lambda-permission-not-public",),
        title="Not everybody may call a function",
        severity="critical",
        types=(PERMISSION, FUNCTION_URL),
        check=principal_named,
        remedy="principal: a service or an account; authorizationType of a URL: AWS_IAM.",
    ),
    Rule(
        name="lambda-permission-action",
        controls=("lambda-permission-action",),
        title="A permission is about calling the function",
        severity="low",
        types=(PERMISSION,),
        check=invokes_only,
        remedy="action: lambda:InvokeFunction",
        settings={
            "allowed": Setting(
                _STRINGS, ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"], "actions that are allowed"
            )
        },
    ),
    Rule(
        name="apigw-public-lambda-proxy",
        controls=("apigw-public-lambda-proxy",),
        title="An API may call a function for the method that needs it",
        severity="medium",
        types=(PERMISSION,),
        check=gateway_names_route,
        remedy="sourceArn: .../live/GET/orders, or with /*/GET/orders for every stage.",
    ),
    Rule(
        name="lambda-authorizer-tracing",
        controls=("lambda-authorizer-tracing",),
        title="A function sends traces to X-Ray",
        severity="low",
        types=(FUNCTION,),
        check=function_traced,
        remedy="tracingConfig: {mode: Active}, and the role may write traces.",
    ),
    Rule(
        name="lambda-authorizer-hardening",
        controls=("lambda-authorizer-hardening",),
        title="A function has a supported runtime and no secrets in its environment",
        severity="medium",
        types=(FUNCTION,),
        check=function_hardened,
        remedy="runtime: nodejs24.x, python3.13 or newer; secrets from Secrets Manager.",
        blind="Code signing, VPC and concurrency, which an authorizer does not need.",
        instead="Checkov has rules for functions in general.",
    ),
    Rule(
        name="log-group-retention-set",
        controls=("log-group-retention-set",),
        title="Logs are kept for a time that is said",
        severity="medium",
        types=(LOG_GROUP,),
        check=retention,
        remedy="retentionInDays: 365",
    ),
    Rule(
        name="log-group-retention-one-year",
        controls=("log-group-retention-one-year",),
        title="Logs are kept for a year",
        severity="low",
        types=(LOG_GROUP,),
        check=retention_of_a_year,
        remedy="retentionInDays: 365",
        settings={"days": Setting({"type": "integer", "minimum": 1}, 365, "how many days at least")},
    ),
    Rule(
        name="log-group-kms",
        controls=("log-group-kms",),
        title="Logs are encrypted with a key of the account",
        severity="low",
        types=(LOG_GROUP,),
        check=own_key,
        remedy="kmsKeyId: the ARN of an aws:kms/key:Key that the logs service may use.",
    ),
    Rule(
        name="acm-transparency-logging",
        controls=("acm-transparency-logging",),
        title="Certificates are in the transparency logs",
        severity="low",
        types=(CERTIFICATE,),
        check=transparent,
        remedy="options: {certificateTransparencyLoggingPreference: ENABLED}, the default.",
    ),
    Rule(
        name="acm-no-wildcard-domain",
        controls=("acm-no-wildcard-domain",),
        title="A certificate names the hosts it is for",
        severity="low",
        types=(CERTIFICATE,),
        check=no_wildcard,
        remedy="domainName and subjectAlternativeNames: the hosts.",
    ),
    Rule(
        name="acm-strong-key",
        controls=("acm-strong-key",),
        title="A certificate has a strong key",
        severity="high",
        types=(CERTIFICATE,),
        check=strong_key,
        remedy="keyAlgorithm: EC_prime256v1 or RSA_2048.",
        blind="The key of a certificate that is imported.",
        instead="AWS Config: acm-certificate-rsa-check.",
    ),
    StackRule(
        name="dns-record-target-exists",
        controls=("dns-record-target-exists",),
        title="An alias follows what it points at",
        severity="low",
        types=(RECORD,),
        check=record_follows,
        remedy="aliases: the dnsName and zoneId outputs of the balancer or domain.",
        blind="Records that are no alias.",
        instead="A scan of the zone for names that nothing answers to.",
    ),
    Rule(
        name="firehose-waf-log-encrypted",
        controls=("firehose-waf-log-encrypted",),
        title="A delivery stream of logs is encrypted with a key of the account",
        severity="low",
        types=(FIREHOSE,),
        check=stream_encrypted,
        remedy="serverSideEncryption: {enabled: true, keyType: CUSTOMER_MANAGED_CMK, keyArn: ...}",
        blind="Streams whose names do not start with aws-waf-logs- or amazon-apigateway-.",
        instead="Names that WAF and API Gateway accept start so; other streams are not theirs.",
    ),
)
