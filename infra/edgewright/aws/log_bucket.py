"""A bucket for the logs of load balancers: the delivery service's to write, encrypted, and emptied by age."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds.part import place, refuse, tagged, unknown_keys

TYPE = "edgewright:aws:LogBucket"

_ATTRIBUTES = ("bucket", "public_access", "ownership", "encryption", "lifecycle", "policy")


class LogBucketArgs(TypedDict, total=False):
    """Arguments of `LogBucket`."""

    retention_days: float
    """After how many days logs are deleted; 90 when left out."""
    force_destroy: bool
    """Delete the bucket with what is in it; False when left out."""
    tags: Mapping[str, pulumi.Input[str]]
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: bucket, public_access, ownership, encryption, lifecycle, policy."""


class LogBucket(pulumi.ComponentResource):
    """A bucket that load balancers may write their logs to.

    Attributes: bucket, public_access, ownership, encryption, lifecycle, policy; ``name``, ``arn``; ``ready`` is the
    name once the policy is there: a balancer tries to write when its logs are turned on.
    """

    def __init__(self, name: str, args: LogBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        problems = unknown_keys(args.get("overrides") or {}, _ATTRIBUTES, "overrides")
        if isinstance(days := args.get("retention_days", 90), int | float) and days < 1:
            problems.append(f"`retention_days` is {days}; it must be 1 or more")
        refuse("LogBucket", name, problems)
        super().__init__(TYPE, name, None, opts)
        self._overrides = args.get("overrides")

        self.bucket: aws.s3.Bucket = self._put(
            aws.s3.Bucket,
            "bucket",
            name,
            {"force_destroy": args.get("force_destroy", False), "tags": tagged(args.get("tags"), name)},
        )
        self.name, self.arn = self.bucket.bucket, self.bucket.arn
        here = {"bucket": self.bucket.id}
        self.public_access = self._put(
            aws.s3.BucketPublicAccessBlock,
            "public_access",
            f"{name}-private",
            {
                **here,
                "block_public_acls": True,
                "block_public_policy": True,
                "ignore_public_acls": True,
                "restrict_public_buckets": True,
            },
        )
        self.ownership = self._put(
            aws.s3.BucketOwnershipControls,
            "ownership",
            f"{name}-ownership",
            {**here, "rule": {"object_ownership": "BucketOwnerEnforced"}},
        )
        # Logs of load balancers are written with the service's own key only ("Access logs", Elastic Load Balancing).
        self.encryption = self._put(
            aws.s3.BucketServerSideEncryptionConfiguration,
            "encryption",
            f"{name}-encryption",
            {**here, "rules": [{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}]},
        )
        self.lifecycle = self._put(
            aws.s3.BucketLifecycleConfiguration,
            "lifecycle",
            f"{name}-lifecycle",
            {
                **here,
                "rules": [
                    {
                        "id": "logs-end",
                        "status": "Enabled",
                        "filter": {"prefix": ""},
                        "expiration": {"days": args.get("retention_days", 90)},
                        "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
                    }
                ],
            },
        )
        self.policy: aws.s3.BucketPolicy = self._put(
            aws.s3.BucketPolicy,
            "policy",
            f"{name}-policy",
            {**here, "policy": self.arn.apply(delivery_policy)},
            depends_on=[self.public_access],
        )
        self.ready = self.policy.bucket
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _put(self, make: Any, key: str, name: str, props: Mapping[str, Any], **options: Any) -> Any:
        return place(make, name, props, parent=self, overrides=self._overrides, key=key, **options)


def delivery_policy(arn: str) -> str:
    """Lets the services that deliver logs write, and nobody come without TLS.

    Application Load Balancers: logdelivery.elasticloadbalancing.amazonaws.com; Network Load Balancers:
    delivery.logs.amazonaws.com ("Enable access logs", Elastic Load Balancing user guides).
    """
    everything = [arn, f"{arn}/*"]
    statements: list[dict[str, Any]] = [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": everything,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "ApplicationLoadBalancers",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{arn}/*",
        },
        {
            "Sid": "NetworkLoadBalancers",
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{arn}/*",
        },
        {
            "Sid": "NetworkLoadBalancersLook",
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
            "Resource": arn,
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
