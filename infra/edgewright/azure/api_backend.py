"""A Backend of API Management: one service, or a pool of them by priority and weight, with a circuit breaker."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import duration_problems, key_problems, length_problems, missing_problems
from edgewright.clouds.part import place, refuse, unknown_keys

MAX_POOL = 30
"""Backends of a pool."""
_NAMED = re.compile(r"\{\{[A-Za-z0-9._-]+\}\}")
_REASONS = ("count", "percentage")


class MemberArgs(TypedDict, total=False):
    """A backend of a pool."""

    id: Required[pulumi.Input[str]]
    """Full id of the Backend; not of another pool."""
    weight: Required[int]
    """0 to 100, within the priority."""
    priority: int
    """0 to 100, the lowest first: others are asked when the breakers of all before are open. Default: 1."""


class BreakerArgs(TypedDict, total=False):
    """A circuit breaker: so many failures in an interval open it, and callers get 503. One rule is all that Azure
    takes. Each instance of the gateway counts by itself; not on Consumption."""

    count: int
    """1 or more; or percentage."""
    percentage: int
    """1 to 100 of the requests; or count."""
    interval: Required[str]
    """ISO 8601, such as ``PT1M``."""
    trip_duration: Required[str]
    """ISO 8601; how long it stays open."""
    status_ranges: Sequence[Mapping[str, int]]
    """``{min, max}`` within 200 to 599; or error_reasons, or both."""
    error_reasons: Sequence[str]
    """Such as ``BackendConnectionFailure`` and ``Timeout``."""
    accept_retry_after: bool
    """Whether the service's ``Retry-After`` says how long it stays open; default False."""


class TlsArgs(TypedDict, total=False):
    """What is checked of a service's certificate."""

    validate_certificate_chain: bool
    """Default: True. An own authority belongs to the service's certificates (`ApiManagementArgs`)."""
    validate_certificate_name: bool
    """Default: True."""


class AuthorizationArgs(TypedDict, total=False):
    """The header ``Authorization``."""

    scheme: Required[str]
    """Such as ``Basic``; 1 to 100 characters."""
    parameter: Required[pulumi.Input[str]]
    """A named value, as ``{{name}}``."""


class CredentialsArgs(TypedDict, total=False):
    """What the service is shown. Values are named values, such as `NamedValue.reference`: plain ones are refused.

    A managed identity is not among them: Microsoft's API version 2024-05-01 has no place for it. Write the policy
    ``authentication-managed-identity`` in place of it.
    """

    authorization: AuthorizationArgs
    """Default: none."""
    headers: Mapping[str, pulumi.Input[str]]
    """By name. Default: none."""
    query: Mapping[str, pulumi.Input[str]]
    """By name. Default: none."""
    certificate_ids: Sequence[pulumi.Input[str]]
    """Full ids of client certificates (`ServiceCertificate.id`). Default: none."""


class BackendArgs(TypedDict, total=False):
    """Arguments of `Backend`: one of url and pool."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    backend_id: Required[str]
    """By which policies name it."""
    title: str
    """1 to 300 characters. Default: none."""
    description: str
    """1 to 2,000 characters. Default: none."""
    url: pulumi.Input[str]
    """Of one service, ``https://`` or ``http://``; its certificate's chain and name are checked."""
    pool: Sequence[MemberArgs]
    """Other Backends, 1 to 30; each instance of the gateway chooses by itself."""
    circuit_breaker: BreakerArgs
    """Of a url. Default: none."""
    tls: TlsArgs
    """Of a url. Default: all is checked."""
    credentials: CredentialsArgs
    """Of a url. Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs of ``backend``."""


class Backend(pulumi.ComponentResource):
    """A Backend. Attributes: backend; ``id``."""

    def __init__(self, name: str, args: BackendArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("Backend", name, _problems(args))
        super().__init__("edgewright:azure:Backend", name, None, opts)
        self.backend = _backend(self, name, args)
        self.id = self.backend.id
        self.register_outputs({"id": self.id})


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: BackendArgs) -> Iterator[str]:
    yield from key_problems(args, BackendArgs, ("backend",), "a backend")
    yield from length_problems(args, {"backend_id": 80, "title": 300, "description": 2000})
    if ("url" in args) == ("pool" in args):
        yield "a backend has a url or a pool, one of them"
    url: Any = args.get("url")
    if isinstance(url, str) and not url.startswith(("http://", "https://")):
        yield f"`{url}` is no address of a service: https:// or http://"
    if "pool" in args:
        yield from _pool_problems(args)
    if "circuit_breaker" in args:
        yield from _breaker_problems(args["circuit_breaker"])
    yield from unknown_keys(args.get("tls", {}), TlsArgs.__annotations__, "tls")
    if "credentials" in args:
        yield from _credential_problems(args["credentials"])


def _pool_problems(args: BackendArgs) -> Iterator[str]:
    pool = args.get("pool", [])
    for key, what in (("circuit_breaker", "circuit breaker"), ("tls", "TLS"), ("credentials", "credentials")):
        if key in args:
            yield f"a pool has no {what} of its own: its members have"
    if not 1 <= len(pool) <= MAX_POOL:
        yield f"a pool has 1 to {MAX_POOL} backends, not {len(pool)}"
    for at, item in enumerate(pool, 1):
        yield from unknown_keys(item, MemberArgs.__annotations__, f"member {at}")
        yield from missing_problems(item, MemberArgs, f"member {at}")
        for key in ("weight", "priority"):
            value: Any = item.get(key, 1)
            if isinstance(value, int) and not 0 <= value <= 100:
                yield f"member {at}: {key} is {value}; it is 0 to 100"
    if pool and all(item.get("weight") == 0 for item in pool):
        yield "all members have the weight 0: none would be asked"
    ids = [item["id"] for item in pool if isinstance(item.get("id"), str)]
    if len(set(ids)) < len(ids):
        yield "a backend is in the pool twice: add the weights"


def _breaker_problems(breaker: BreakerArgs) -> Iterator[str]:
    yield from unknown_keys(breaker, BreakerArgs.__annotations__, "circuit_breaker")
    yield from missing_problems(breaker, BreakerArgs, "circuit_breaker")
    given = [key for key in _REASONS if breaker.get(key) is not None]
    if len(given) != 1:
        yield f"circuit_breaker has one of count and percentage, not {' and '.join(given) or 'none'}"
    count, percentage = breaker.get("count"), breaker.get("percentage")
    if isinstance(count, int) and count < 1:
        yield f"circuit_breaker.count is {count}; it is 1 or more"
    if isinstance(percentage, int) and not 1 <= percentage <= 100:
        yield f"circuit_breaker.percentage is {percentage}; it is 1 to 100"
    for key in ("interval", "trip_duration"):
        yield from duration_problems(f"circuit_breaker.{key}", breaker.get(key))
    if not breaker.get("status_ranges") and not breaker.get("error_reasons"):
        yield "circuit_breaker needs `status_ranges` or `error_reasons`: nothing would be a failure"
    for item in breaker.get("status_ranges", []):
        low, high = item.get("min"), item.get("max")
        if low is None or high is None or not 200 <= low <= high <= 599:
            yield f"circuit_breaker.status_ranges has {low} to {high}; a range is within 200 to 599"


def _credential_problems(credentials: CredentialsArgs) -> Iterator[str]:
    if "managed_identity" in credentials:
        yield (
            "credentials have no managed identity in Microsoft's API version 2024-05-01: write the policy "
            "`authentication-managed-identity`"
        )
    known = [*CredentialsArgs.__annotations__, "managed_identity"]
    yield from unknown_keys(credentials, known, "credentials")
    authorization = credentials.get("authorization")
    if authorization is not None:
        yield from unknown_keys(authorization, AuthorizationArgs.__annotations__, "credentials.authorization")
        yield from missing_problems(authorization, AuthorizationArgs, "credentials.authorization")
        yield from _plain("credentials.authorization.parameter", authorization.get("parameter"))
    for kind in ("headers", "query"):
        for name, value in credentials.get(kind, {}).items():
            yield from _plain(f"credentials.{kind}.{name}", value)


def _plain(what: str, value: object) -> Iterator[str]:
    """A secret in plain; its text is not shown."""
    if isinstance(value, str) and _NAMED.search(value) is None:
        yield f"{what} is a plain text, which all who read the backend see: make a NamedValue, and write `{{{{name}}}}`"


# -- resources ---------------------------------------------------------------------------------------------------------


def _backend(parent: Backend, name: str, args: BackendArgs) -> apimanagement.Backend:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "backend_id": args["backend_id"],
        "title": args.get("title"),
        "description": args.get("description"),
    }
    if "url" in args:
        checked = {"validate_certificate_chain": True, "validate_certificate_name": True, **args.get("tls", {})}
        props |= {"type": "Single", "protocol": "http", "url": args["url"], "tls": checked}
    else:
        # Without url and protocol, or Azure answers 400.
        props |= {"type": "Pool", "pool": {"services": [_member(item) for item in args.get("pool", [])]}}
    if "circuit_breaker" in args:
        props["circuit_breaker"] = {"rules": [_rule(args["circuit_breaker"])]}
    if "credentials" in args:
        props["credentials"] = _credentials(args["credentials"])
    overrides = args.get("overrides")
    made = place(apimanagement.Backend, f"{name}-backend", props, parent=parent, overrides=overrides, key="backend")
    if not all(args.get("tls", {}).values()):
        pulumi.log.warn(f"Backend `{name}`: its certificate is not checked in full: who answers is not sure", made)
    return made


def _member(item: MemberArgs) -> dict[str, Any]:
    return {"id": item["id"], "weight": item["weight"], "priority": item.get("priority", 1)}


def _rule(breaker: BreakerArgs) -> dict[str, Any]:
    condition: dict[str, Any] = {
        **{key: value for key in _REASONS if (value := breaker.get(key)) is not None},
        "interval": breaker["interval"],
    }
    if breaker.get("status_ranges"):
        condition["status_code_ranges"] = [dict(item) for item in breaker.get("status_ranges", [])]
    if breaker.get("error_reasons"):
        condition["error_reasons"] = list(breaker.get("error_reasons", []))
    rule: dict[str, Any] = {
        "name": "errors",
        "trip_duration": breaker["trip_duration"],
        "failure_condition": condition,
    }
    return rule | ({"accept_retry_after": True} if breaker.get("accept_retry_after") else {})


def _credentials(credentials: CredentialsArgs) -> dict[str, Any]:
    found: dict[str, Any] = {}
    authorization = credentials.get("authorization")
    if authorization is not None:
        found["authorization"] = dict(authorization)
    for kind, raw in (("headers", "header"), ("query", "query")):
        values: Mapping[str, pulumi.Input[str]] = credentials.get(kind, {})
        if values:
            found[raw] = {name: [value] for name, value in values.items()}
    if credentials.get("certificate_ids"):
        found["certificate_ids"] = list(credentials.get("certificate_ids", []))
    return found
