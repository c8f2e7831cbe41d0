"""Log groups that end, and what an API writes to them about each request."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

# What CloudWatch Logs accepts, in days (PutRetentionPolicy, retentionInDays).
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)

# A year, so that an incident can still be read when it is found late (Security Hub control CloudWatch.16).
DEFAULT_RETENTION = 365

# "Access-log template 3 KB" (API Gateway quotas).
FORMAT_LIMIT = 3 * 1024

# Fields of the access log by kind of API: name in the log, name in $context. No header, no query string, no token, no
# key's value (`identity.apiKey`); all are the service's own or short texts that it quotes.
# Sources: "Variables for access logging", "Customize HTTP API access logs", "Configure logging for WebSocket APIs".
_EVERY_API = {
    "requestId": "requestId",
    "time": "requestTime",
    "ip": "identity.sourceIp",
    "userAgent": "identity.userAgent",
    "status": "status",
    "integrationStatus": "integration.status",
    "integrationLatency": "integration.latency",
    "integrationError": "integration.error",
    "authorizerError": "authorizer.error",
    "error": "error.message",
    "errorType": "error.responseType",
}
_EVERY_REQUEST = {
    "method": "httpMethod",
    "path": "path",
    "protocol": "protocol",
    "responseLength": "responseLength",
    "responseLatency": "responseLatency",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "rest": {
        **_EVERY_API,
        **_EVERY_REQUEST,
        "route": "resourcePath",
        "extendedRequestId": "extendedRequestId",
        "apiKeyId": "identity.apiKeyId",
        "wafStatus": "waf.status",
    },
    "http": {**_EVERY_API, **_EVERY_REQUEST, "route": "routeKey"},
    "websocket": {
        **_EVERY_API,
        "route": "routeKey",
        "event": "eventType",
        "connectionId": "connectionId",
        "connectedAt": "connectedAt",
        "messageId": "messageId",
    },
}


class AccessLogArgs(TypedDict, total=False):
    """What a stage writes about each request, and where."""

    enabled: bool
    """Whether to write an access log at all. Default: True."""

    retention_days: pulumi.Input[float]
    """Days to keep it; rounded up to what CloudWatch allows, 1 to 3653; never for ever. Default: 365."""

    format: str
    """One line a request, with `$context` variables, under 3 KB. Default: JSON of `FIELDS`, without secrets."""

    kms_key_arn: pulumi.Input[str]
    """Key that encrypts the log group; its policy must allow CloudWatch Logs. Default: the service's own key."""

    destination_arn: pulumi.Input[str]
    """An existing log group (without `:*`) or Firehose stream instead of a log group of our own."""


def whole(value: Any) -> Any:
    """A plain number without its fraction, as hosted components receive floats; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_number(value: object) -> bool:
    """Whether a value is a plain number that can be compared."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def retention_problems(days: Any, what: str) -> list[str]:
    """What is wrong with a retention; none when it is only known later."""
    if not is_number(days) or 1 <= days <= RETENTIONS[-1]:
        return []
    return [f"{what} is {days:g}: a log is kept for 1 to {RETENTIONS[-1]} days, never for ever"]


def allowed_retention(days: pulumi.Input[float]) -> pulumi.Input[float]:
    """The days rounded up to the next that CloudWatch allows; an Output as it is.

    Raises ValueError outside 1 to 3653: 0 would mean for ever.
    """
    if not isinstance(days, int | float):
        return days
    if retention_problems(days, "retention"):
        raise ValueError(retention_problems(days, "retention")[0])
    return next(allowed for allowed in RETENTIONS if allowed >= days)


def log_group(
    name: str,
    retention_days: pulumi.Input[float],
    kms_key_arn: pulumi.Input[str] | None,
    parent: pulumi.Resource,
    tags: Mapping[str, Any] | None,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    key: str,
) -> aws.cloudwatch.LogGroup:
    """A log group below ``parent``; ``key`` is the attribute that holds it, by which overrides name it."""
    return part.place(
        aws.cloudwatch.LogGroup,
        name,
        {
            "retention_in_days": allowed_retention(retention_days),
            "kms_key_id": kms_key_arn,
            "tags": part.tagged(tags, name),
        },
        parent=parent,
        overrides=overrides,
        key=key,
    )


def access_log_group(
    parent: pulumi.Resource,
    name: str,
    args: AccessLogArgs,
    tags: Mapping[str, Any] | None,
    overrides: Mapping[str, Mapping[str, Any]] | None,
) -> aws.cloudwatch.LogGroup | None:
    """The log group of an API's access log, its attribute `log_group`; None when it needs none of its own."""
    if not owns_log_group(args):
        return None
    days = args.get("retention_days", DEFAULT_RETENTION)
    return log_group(f"{name}-access-log", days, args.get("kms_key_arn"), parent, tags, overrides, "log_group")


def access_log_format(fields: Mapping[str, str]) -> str:
    """A JSON object, a line a request: name in the log to name in `$context`."""
    return json.dumps({name: f"$context.{variable}" for name, variable in fields.items()}, separators=(",", ":"))


def access_log_problems(args: AccessLogArgs, what: str = "stage.access_log") -> list[str]:
    """What is wrong with an access log, each with what to write instead."""
    problems = part.unknown_keys(args, AccessLogArgs.__annotations__, what)
    problems += retention_problems(args.get("retention_days"), f"{what}.retention_days")
    text = args.get("format")
    if text is None:
        return problems
    if "$context." not in text:
        problems.append(f"{what}.format names no `$context` variable, so all its lines would be the same")
    if len(text.encode()) >= FORMAT_LIMIT:
        problems.append(f"{what}.format has {len(text.encode())} bytes; API Gateway takes less than {FORMAT_LIMIT}")
    if "\n" in text:
        problems.append(f"{what}.format has a line break; an access log has one line a request")
    if _writes_keys(text):
        problems.append(f"{what}.format writes keys of clients (`identity.apiKey`): write `identity.apiKeyId`")
    return problems


def _writes_keys(text: str) -> bool:
    rest = text.replace("$context.identity.apiKeyId", "")
    return "$context.identity.apiKey" in rest


def access_log_settings(
    args: AccessLogArgs, kind: str, group: aws.cloudwatch.LogGroup | None, waits_for: Sequence[Any] = ()
) -> dict[str, Any] | None:
    """Inputs of a stage for its access log; None when it is off.

    kind: of `FIELDS`. group: our own log group. waits_for: outputs that must be known before a stage may log.
    """
    destination = args.get("destination_arn", group.arn if group else None)
    if destination is None or not args.get("enabled", True):
        return None
    return {
        "destination_arn": after(destination, waits_for),
        "format": args.get("format") or access_log_format(FIELDS[kind]),
    }


def after(value: Any, waits_for: Sequence[Any]) -> Any:
    """The value, known only when all that it waits for is; this is how an order gets into values alone."""
    needed = [item for item in waits_for if item is not None]
    return pulumi.Output.all(value, *needed).apply(lambda found: found[0]) if needed else value


def owns_log_group(args: AccessLogArgs) -> bool:
    """Whether an access log needs a log group of our own."""
    return args.get("enabled", True) and args.get("destination_arn") is None
