"""A usage plan: keys of clients, and how much each of them may call."""

import re
from collections.abc import Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

from . import log_group as logs
from .rest_api import VERBS, ThrottleArgs, choice_problems, range_problems, throttle_problems

TYPE = "edgewright:aws:UsagePlan"

KEY_LENGTH = (20, 128)  # characters of a key's value (CreateApiKey refuses others)

# The largest offset of a period that the provider takes.
LAST_OFFSET: Mapping[str, int] = {"DAY": 0, "WEEK": 6, "MONTH": 27}
_METHOD_PATH = re.compile(rf"/\S*/({'|'.join(VERBS)})")


class ClientArgs(TypedDict, total=False):
    """One client of the API."""

    key: pulumi.Input[str]
    """Value of its key, 20 to 128 characters; kept as a secret. Default: made by API Gateway."""

    enabled: pulumi.Input[bool]
    """Whether the key is accepted. Default: True."""

    description: pulumi.Input[str]
    """For people. Default: the provider's."""


class QuotaArgs(TypedDict, total=False):
    """How many requests a period has, for each key."""

    limit: Required[pulumi.Input[float]]
    """Requests, at least 1."""

    period: Required[str]
    """DAY, WEEK or MONTH."""

    offset: pulumi.Input[float]
    """Taken off in the first period; 0 for DAY, up to 6 for WEEK, up to 27 for MONTH. Default: 0."""


class UsagePlanArgs(TypedDict, total=False):
    """Arguments of `UsagePlan`."""

    api_id: Required[pulumi.Input[str]]
    """Id of the REST API."""

    stage: Required[pulumi.Input[str]]
    """Name of its stage; take it from the stage, so that the plan waits for it."""

    clients: dict[str, ClientArgs]
    """By name. Default: none."""

    throttle: ThrottleArgs
    """For each key, over all methods. Default: the stage's."""

    quota: QuotaArgs
    """For each key. Default: none."""

    methods: dict[str, ThrottleArgs]
    """For each key, by method as ``/orders/{id}/GET``: here with a leading slash, unlike in a stage. Default: none."""

    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: plan, keys.CLIENT, memberships.CLIENT."""


class UsagePlan(pulumi.ComponentResource):
    """A usage plan of one stage; API Gateway counts best effort, so its numbers are targets.

    ``id``, ``key_values`` and ``key_ids`` (by client; the values are secret), and the raw resources ``plan``, ``keys``
    and ``memberships`` (by client).
    """

    def __init__(self, name: str, args: UsagePlanArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("UsagePlan", name, _problems(args))
        clients = args.get("clients", {})

        self.plan = _plan(self, name, args)
        self.keys = {client: _key(self, name, args, client) for client in clients}
        self.memberships = {client: _membership(self, name, args, client) for client in clients}

        self.id = self.plan.id
        self.key_ids: dict[str, pulumi.Output[str]] = {client: key.id for client, key in self.keys.items()}
        self.key_values: dict[str, pulumi.Output[str]] = {
            client: pulumi.Output.secret(key.value) for client, key in self.keys.items()
        }
        self.register_outputs({"planId": self.id, "keyIds": self.key_ids, "keyValues": self.key_values})


def _plan(self: UsagePlan, name: str, args: UsagePlanArgs) -> aws.apigateway.UsagePlan:
    throttles = [{"path": path, **_throttle(own)} for path, own in sorted(args.get("methods", {}).items())]
    stage: dict[str, Any] = {"api_id": args["api_id"], "stage": args["stage"]}
    return part.place(
        aws.apigateway.UsagePlan,
        name,
        {
            "api_stages": [{**stage, "throttles": throttles} if throttles else stage],
            "throttle_settings": _throttle(args.get("throttle", {})) or None,
            "quota_settings": _quota(args),
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="plan",
    )


def _throttle(throttle: ThrottleArgs) -> dict[str, Any]:
    given = {"rate_limit": throttle.get("rate"), "burst_limit": logs.whole(throttle.get("burst"))}
    return {key: value for key, value in given.items() if value is not None}


def _quota(args: UsagePlanArgs) -> dict[str, Any] | None:
    quota = args.get("quota")
    return {key: logs.whole(value) for key, value in quota.items()} if quota else None


def _key(self: UsagePlan, name: str, args: UsagePlanArgs, client: str) -> aws.apigateway.ApiKey:
    """Its value is a secret in the state, made here or not: `ApiKey` says so of its output."""
    wanted = args.get("clients", {})[client]
    value = wanted.get("key")
    return part.place(
        aws.apigateway.ApiKey,
        f"{name}-key-{client}",
        {
            "value": None if value is None else pulumi.Output.secret(value),
            "enabled": wanted.get("enabled", True),
            "description": wanted.get("description"),
            "tags": part.tagged(args.get("tags"), client),
        },
        parent=self,
        overrides=args.get("overrides"),
        key=f"keys.{client}",
    )


def _membership(self: UsagePlan, name: str, args: UsagePlanArgs, client: str) -> aws.apigateway.UsagePlanKey:
    return part.place(
        aws.apigateway.UsagePlanKey,
        f"{name}-client-{client}",
        {"usage_plan_id": self.plan.id, "key_id": self.keys[client].id, "key_type": "API_KEY"},
        parent=self,
        overrides=args.get("overrides"),
        key=f"memberships.{client}",
    )


# ---- checks ----


def _problems(args: UsagePlanArgs) -> list[str]:
    clients = args.get("clients", {})
    known = ["plan", *(f"{kind}.{client}" for client in clients for kind in ("keys", "memberships"))]
    return [
        *part.unknown_keys(args, UsagePlanArgs.__annotations__, "the plan"),
        *[f"`{key}` is missing" for key in ("api_id", "stage") if args.get(key) is None],
        *throttle_problems(args.get("throttle", {}), "throttle"),
        *_quota_problems(args),
        *_method_problems(args),
        *[problem for name, client in clients.items() for problem in _client_problems(client, f"clients.{name}")],
        *part.unknown_keys(args.get("overrides") or {}, known, "overrides"),
    ]


def _quota_problems(args: UsagePlanArgs) -> list[str]:
    quota = args.get("quota")
    if quota is None:
        return []
    period = quota.get("period", "DAY")
    problems = part.unknown_keys(quota, QuotaArgs.__annotations__, "quota")
    problems += [f"quota.{key} is missing" for key in ("limit", "period") if quota.get(key) is None]
    problems += choice_problems(period, tuple(LAST_OFFSET), "quota.period")
    problems += range_problems(quota.get("limit"), 1, None, "quota.limit")
    last = LAST_OFFSET.get(period, 0)
    return problems + range_problems(quota.get("offset"), 0, last, f"quota.offset of a {period}")


def _method_problems(args: UsagePlanArgs) -> list[str]:
    problems: list[str] = []
    for path, throttle in args.get("methods", {}).items():
        if not _METHOD_PATH.fullmatch(path):
            problems.append(
                f"methods[{path}]: write the path with its leading slash and one verb, such as `/orders/{{id}}/GET`"
            )
        problems += throttle_problems(throttle, f"methods[{path}]")
    return problems


def _client_problems(client: ClientArgs, what: str) -> list[str]:
    """Never shows the key."""
    key = client.get("key")
    low, high = KEY_LENGTH
    problems = part.unknown_keys(client, ClientArgs.__annotations__, what)
    if isinstance(key, str) and not low <= len(key) <= high:
        problems.append(f"{what}.key has {len(key)} characters; a key has {low} to {high}")
    return problems
