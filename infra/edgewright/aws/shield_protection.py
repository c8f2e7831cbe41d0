"""Shield Advanced for what clients reach: a subscription of the account, for a year, that is not made here."""

from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds.part import place, refuse, tagged, unknown_keys

TYPE = "edgewright:aws:ShieldProtection"


class ShieldProtectionArgs(TypedDict, total=False):
    """Arguments of `ShieldProtection`."""

    resources: Required[Mapping[str, pulumi.Input[str]]]
    """ARNs by name, of what Shield Advanced protects: Application Load Balancers, Elastic IP addresses, CloudFront
    distributions, accelerators, hosted zones. No APIs of API Gateway."""

    health_checks: Mapping[str, pulumi.Input[str]]
    """ARNs of Route 53 health checks, by the name of the resource whose health they tell: with one, an attack is
    seen by what it does. Default: none."""

    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``protections.NAME``, ``health_checks.NAME``."""


class ShieldProtection(pulumi.ComponentResource):
    """Protects resources. Attributes: protections and health_checks by name.

    The account must have the subscription: without it AWS refuses each of these.
    """

    def __init__(self, name: str, args: ShieldProtectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("ShieldProtection", name, _problems(args))
        super().__init__(TYPE, name, None, opts)
        overrides = args.get("overrides")

        self.protections = {
            key: place(
                aws.shield.Protection,
                f"{name}-{key}",
                {"name": f"{name}-{key}", "resource_arn": arn, "tags": tagged(args.get("tags"), f"{name}-{key}")},
                parent=self,
                overrides=overrides,
                key=f"protections.{key}",
            )
            for key, arn in args["resources"].items()
        }
        self.health_checks = {
            key: place(
                aws.shield.ProtectionHealthCheckAssociation,
                f"{name}-{key}-health",
                {"shield_protection_id": self.protections[key].id, "health_check_arn": arn},
                parent=self,
                overrides=overrides,
                key=f"health_checks.{key}",
            )
            for key, arn in args.get("health_checks", {}).items()
        }
        self.register_outputs({"protections": {key: item.id for key, item in self.protections.items()}})


def _problems(args: ShieldProtectionArgs) -> list[str]:
    if not args.get("resources"):
        return ["`resources` is missing: what is to be protected"]
    resources, checks = args["resources"], args.get("health_checks", {})
    problems = unknown_keys(args, ShieldProtectionArgs.__annotations__, "the protection")
    problems += unknown_keys(checks, resources, "health_checks")
    problems += [
        f"resources.{key}: Shield Advanced protects no APIs; put a load balancer before it"
        for key, arn in resources.items()
        if isinstance(arn, str) and ":apigateway:" in arn
    ]
    known = [*(f"protections.{key}" for key in resources), *(f"health_checks.{key}" for key in checks)]
    return problems + unknown_keys(args.get("overrides") or {}, known, "overrides")
