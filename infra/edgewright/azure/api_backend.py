"""A Backend of API Management: one service, or a pool of them by weight, with a circuit breaker."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.clouds.part import place, refuse, unknown_keys


class MemberArgs(TypedDict, total=False):
    """A backend of a pool."""

    id: Required[pulumi.Input[str]]
    """Full id of the Backend."""
    weight: Required[int]
    """0 to 100."""


class BreakerArgs(TypedDict, total=False):
    """A circuit breaker: so many answers of these statuses in an interval open it. One rule is all that Azure takes."""

    count: Required[int]
    """1 or more."""
    interval: Required[str]
    """ISO 8601, such as ``PT1M``."""
    trip_duration: Required[str]
    """ISO 8601."""
    status_ranges: Required[Sequence[Mapping[str, int]]]
    """``{min, max}``."""


class BackendArgs(TypedDict, total=False):
    """Arguments of `Backend`: one of url and pool."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    backend_id: Required[str]
    """By which policies name it."""
    url: pulumi.Input[str]
    """Of one service; its certificate's chain and name are checked."""
    pool: Sequence[MemberArgs]
    """Other Backends by weight; each instance of the gateway chooses by itself."""
    circuit_breaker: BreakerArgs
    """Default: none."""
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


def _problems(args: BackendArgs) -> Iterator[str]:
    if ("url" in args) == ("pool" in args):
        yield "a backend has a url or a pool, one of them"
    if "pool" in args and "circuit_breaker" in args:
        yield "a pool has no circuit breaker of its own: its members have"
    pool = args.get("pool", [])
    if "pool" in args and not 1 <= len(pool) <= 30:
        yield f"a pool has 1 to 30 backends, not {len(pool)}"
    if not 1 <= len(args["backend_id"]) <= 80:
        yield f"`{args['backend_id']}` is no id: 1 to 80 characters"
    yield from unknown_keys(args.get("overrides", {}), ("backend",), "overrides")


def _backend(parent: Backend, name: str, args: BackendArgs) -> apimanagement.Backend:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "backend_id": args["backend_id"],
    }
    if "url" in args:
        props |= {
            "type": "Single",
            "protocol": "http",
            "url": args["url"],
            "tls": {"validate_certificate_chain": True, "validate_certificate_name": True},
        }
    else:
        # Without url and protocol, or Azure answers 400.
        members = [{"id": item["id"], "weight": item["weight"], "priority": 1} for item in args.get("pool", [])]
        props |= {"type": "Pool", "pool": {"services": members}}
    breaker = args.get("circuit_breaker")
    if breaker is not None:
        rule = {
            "name": "errors",
            "trip_duration": breaker["trip_duration"],
            "failure_condition": {
                "count": breaker["count"],
                "interval": breaker["interval"],
                "status_code_ranges": [dict(item) for item in breaker["status_ranges"]],
            },
        }
        props["circuit_breaker"] = {"rules": [rule]}
    overrides = args.get("overrides")
    return place(apimanagement.Backend, f"{name}-backend", props, parent=parent, overrides=overrides, key="backend")
