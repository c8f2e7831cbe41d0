"""A web ACL with its address sets, its log, and what it stands before. Import it only where one is made: its SDK module
is large.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

import pulumi
import pulumi_aws as aws

from edgewright.aws.log_group import DEFAULT_RETENTION, allowed_retention
from edgewright.clouds.part import place, refuse, tagged, unknown_keys

TYPE = "edgewright:aws:WebAcl"

REDACTED = ("authorization", "cookie", "x-api-key")
"""Headers that no log shows."""


class WebAclArgs(TypedDict, total=False):
    """Arguments of `WebAcl`."""

    rules: Required[list[Mapping[str, Any]]]
    """Rules in AWS's words, snake_case, with names and priorities; ``{{ip_set:NAME}}`` stands for the ARN of a set."""
    ip_sets: Mapping[str, Mapping[str, Any]]
    """By name: ``{addresses, version: IPV4|IPV6}``."""
    custom_response_bodies: Mapping[str, Mapping[str, Any]]
    """By name: ``{content, content_type}``."""
    default_action: str
    """``allow`` (the default) or ``block``."""
    associations: Mapping[str, pulumi.Input[str]]
    """ARNs of load balancers and REST API stages, by name."""
    log_retention_days: float
    """Days to remember what was blocked; 0 for no log. Default: 365."""
    kms_key_arn: pulumi.Input[str]
    """Key that encrypts that log; its policy must allow CloudWatch Logs. Default: the service's own key."""
    redact_headers: list[str]
    """Default: `REDACTED`."""
    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: web_acl, ``ip_sets.NAME``, log_group, logging, ``associations.NAME``."""


class WebAcl(pulumi.ComponentResource):
    """A regional web ACL. Attributes: web_acl, arn, ip_sets, log_group, logging, associations."""

    def __init__(self, name: str, args: WebAclArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("WebAcl", name, _problems(args))
        super().__init__(TYPE, name, None, opts)
        overrides, tags = args.get("overrides"), args.get("tags")
        self.ip_sets = {
            key: place(
                aws.wafv2.IpSet,
                f"{name}-{key}",
                {
                    "scope": "REGIONAL",
                    "ip_address_version": item["version"],
                    "addresses": item["addresses"],
                    "tags": tagged(tags, f"{name}-{key}"),
                },
                parent=self,
                overrides=overrides,
                key=f"ip_sets.{key}",
            )
            for key, item in args.get("ip_sets", {}).items()
        }
        arns = {f"{{{{ip_set:{key}}}}}": item.arn for key, item in self.ip_sets.items()}
        self.web_acl = place(
            aws.wafv2.WebAcl,
            name,
            {
                "scope": "REGIONAL",
                "default_action": {args.get("default_action", "allow"): {}},
                "rules": _with_sets(list(args["rules"]), arns),
                "custom_response_bodies": [
                    {"key": key, **body} for key, body in args.get("custom_response_bodies", {}).items()
                ]
                or None,
                "visibility_config": {
                    "cloudwatch_metrics_enabled": True,
                    "metric_name": name,
                    "sampled_requests_enabled": True,
                },
                "tags": tagged(tags, name),
            },
            parent=self,
            overrides=overrides,
            key="web_acl",
        )
        self.arn = self.web_acl.arn
        self.log_group, self.logging = self._log(name, args)
        self.associations = {
            key: place(
                aws.wafv2.WebAclAssociation,
                f"{name}-{key}",
                {"web_acl_arn": self.arn, "resource_arn": arn},
                parent=self,
                overrides=overrides,
                key=f"associations.{key}",
            )
            for key, arn in args.get("associations", {}).items()
        }
        self.register_outputs({"arn": self.arn})

    def _log(self, name: str, args: WebAclArgs) -> tuple[Any, Any]:
        days = args.get("log_retention_days", DEFAULT_RETENTION)
        if days == 0:
            return None, None
        overrides = args.get("overrides")
        # The name of the group must begin so ("Logging web ACL traffic", AWS WAF); the rest is the engine's.
        group = place(
            aws.cloudwatch.LogGroup,
            f"{name}-log",
            {
                "name_prefix": "aws-waf-logs-",
                "retention_in_days": allowed_retention(days),
                "kms_key_id": args.get("kms_key_arn"),
                "tags": tagged(args.get("tags"), f"{name}-log"),
            },
            parent=self,
            overrides=overrides,
            key="log_group",
        )
        logging = place(
            aws.wafv2.WebAclLoggingConfiguration,
            f"{name}-logging",
            {
                "resource_arn": self.arn,
                "log_destination_configs": [group.arn],
                "redacted_fields": [
                    {"single_header": {"name": header}} for header in args.get("redact_headers", list(REDACTED))
                ],
                # What was let through is in the logs of what it came to; here is what was not.
                "logging_filter": {
                    "default_behavior": "DROP",
                    "filters": [
                        {
                            "behavior": "KEEP",
                            "requirement": "MEETS_ANY",
                            "conditions": [
                                {"action_condition": {"action": "BLOCK"}},
                                {"action_condition": {"action": "COUNT"}},
                            ],
                        }
                    ],
                },
            },
            parent=self,
            overrides=overrides,
            key="logging",
        )
        return group, logging


def _with_sets(value: Any, arns: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return arns.get(value, value)
    if isinstance(value, Mapping):
        return {key: _with_sets(item, arns) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_with_sets(item, arns) for item in cast("Sequence[Any]", value)]
    return value


def _problems(args: WebAclArgs) -> list[str]:
    problems: list[str] = [] if "rules" in args else ["`rules` is missing"]
    names: dict[str, str] = {}
    for rule in args.get("rules", []):
        for key in ("name", "priority", "statement", "visibility_config"):
            if key not in rule:
                problems.append(f"rule `{rule.get('name', '?')}`: `{key}` is missing")
        priority = str(rule.get("priority"))
        if priority in names:
            problems.append(f"rules `{names[priority]}` and `{rule.get('name')}` have the priority {priority}")
        names[priority] = str(rule.get("name"))
        if ("action" in rule) == ("override_action" in rule):
            problems.append(f"rule `{rule.get('name')}` needs `action`, or `override_action` for a rule group")
    if args.get("default_action", "allow") not in ("allow", "block"):
        problems.append("`default_action` is allow or block")
    for key, item in args.get("ip_sets", {}).items():
        if item.get("version") not in ("IPV4", "IPV6") or "addresses" not in item:
            problems.append(f"ip_sets.{key}: write `addresses`, and `version: IPV4` or IPV6")
    known = ["web_acl", "log_group", "logging"]
    known += [f"ip_sets.{key}" for key in args.get("ip_sets", {})]
    known += [f"associations.{key}" for key in args.get("associations", {})]
    return problems + unknown_keys(args.get("overrides") or {}, known, "overrides")
