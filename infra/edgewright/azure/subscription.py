"""A subscription of API Management: the keys of one client, for a product or an API."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import id_problems, key_problems, length_problems
from edgewright.clouds.part import place, refuse

STATES = ("active", "suspended", "cancelled")
_SCOPE = re.compile(r".*/(products|apis)/[^/]+")


class SubscriptionArgs(TypedDict, total=False):
    """Arguments of `Subscription`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    scope: Required[pulumi.Input[str]]
    """Id of a product or an API. Keys for all APIs at once are refused."""
    sid: Required[str]
    """1 to 80 letters, digits and hyphens. A change replaces it, and with it the keys."""
    display_name: Required[str]
    """1 to 100 characters; who the client is."""
    primary_key: pulumi.Input[str] | None
    """A secret, 1 to 256 characters; default: Azure makes one."""
    secondary_key: pulumi.Input[str] | None
    """To change keys without a pause; default: Azure makes one."""
    state: str
    """``active`` (default), ``suspended`` or ``cancelled``."""
    allow_tracing: bool
    """Whether the client may see traces, which show policies and secrets; default: False."""
    after: Sequence[Any]
    """Resources: what must be there first, such as the links of a product."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs of ``subscription``."""


class Subscription(pulumi.ComponentResource):
    """A client's keys. Attributes: subscription; ``id``; ``primary_key`` and ``secondary_key``, secrets."""

    def __init__(self, name: str, args: SubscriptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("Subscription", name, _problems(args))
        super().__init__("edgewright:azure:Subscription", name, None, opts)
        overrides = args.get("overrides")
        self.subscription = make_subscription(
            self, f"{name}-subscription", args, overrides=overrides, key="subscription"
        )
        self.id = self.subscription.id
        self.primary_key, self.secondary_key = _keys(self.subscription, args)
        self.register_outputs({"id": self.id, "primaryKey": self.primary_key, "secondaryKey": self.secondary_key})


def _problems(args: SubscriptionArgs) -> Iterator[str]:
    yield from key_problems(args, SubscriptionArgs, ("subscription",), "a subscription")
    yield from id_problems("sid", args.get("sid"))
    yield from length_problems(args, {"display_name": 100})
    yield from client_key_problems("primary_key", args.get("primary_key"))
    yield from client_key_problems("secondary_key", args.get("secondary_key"))
    if args.get("state", "active") not in STATES:
        yield f"there is no state `{args.get('state')}`; there are {', '.join(STATES)}"
    scope: Any = args.get("scope")
    if isinstance(scope, str) and _SCOPE.fullmatch(scope) is None:
        yield f"the scope `{scope}` is no product and no API: a key opens what one of them has, `.../products/ID`"


def client_key_problems(what: str, value: object) -> Iterator[str]:
    """Whether a text can be a client's key; the text itself is never shown."""
    if isinstance(value, str) and not 1 <= len(value) <= 256:
        yield f"{what} has {len(value)} characters; a key has 1 to 256"


def make_subscription(
    parent: pulumi.Resource,
    name: str,
    args: SubscriptionArgs,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    key: str,
) -> apimanagement.Subscription:
    """The raw resource: made after its product and gone before it, since a product with a live subscription cannot be
    deleted (pulumi-azure-native issue 846)."""
    primary, secondary = args.get("primary_key"), args.get("secondary_key")
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "sid": args["sid"],
        "scope": args["scope"],
        "display_name": args["display_name"],
        "state": args.get("state", "active"),
        "allow_tracing": args.get("allow_tracing", False),
        "primary_key": pulumi.Output.secret(primary) if primary is not None else None,
        "secondary_key": pulumi.Output.secret(secondary) if secondary is not None else None,
    }
    return place(
        apimanagement.Subscription,
        name,
        props,
        parent=parent,
        overrides=overrides,
        key=key,
        delete_before_replace=True,
        depends_on=list(args.get("after", [])),
    )


def primary_key(made: apimanagement.Subscription, args: SubscriptionArgs) -> pulumi.Output[str]:
    """The key that was given, or what Azure made."""
    given = args.get("primary_key")
    return pulumi.Output.secret(given) if given is not None else _made_keys(made, args)[0]


def _keys(made: apimanagement.Subscription, args: SubscriptionArgs) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    first, second = args.get("primary_key"), args.get("secondary_key")
    if first is not None and second is not None:
        return pulumi.Output.secret(first), pulumi.Output.secret(second)
    primary, secondary = _made_keys(made, args)
    return (
        pulumi.Output.secret(first) if first is not None else primary,
        pulumi.Output.secret(second) if second is not None else secondary,
    )


def _made_keys(
    made: apimanagement.Subscription, args: SubscriptionArgs
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """A subscription does not show its keys; a function does: of the same provider, or it asks another subscription."""
    found = apimanagement.list_subscription_secrets_output(
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        sid=made.name,
        opts=pulumi.InvokeOutputOptions(parent=made),
    )
    return (
        pulumi.Output.secret(found.apply(lambda secrets: secrets.primary_key or "")),
        pulumi.Output.secret(found.apply(lambda secrets: secrets.secondary_key or "")),
    )
