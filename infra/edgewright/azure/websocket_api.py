"""A WebSocket API of API Management: one path, one service, and a policy of its handshake."""

from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.clouds.part import place, refuse, unknown_keys

HANDSHAKE = "onHandshake"
"""The one operation that a WebSocket API has; Azure makes it."""


class WebSocketApiArgs(TypedDict, total=False):
    """Arguments of `WebSocketApi`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service; not of the tier Consumption."""
    api_id: Required[str]
    """1 to 80 letters, digits and hyphens. A change replaces the API."""
    path: Required[str]
    """Below the host, without a leading slash."""
    display_name: Required[str]
    """Shown in the portal."""
    service_url: Required[pulumi.Input[str]]
    """``ws://`` or ``wss://``, with the path that the service sees."""
    policy: Required[pulumi.Input[str]]
    """Of the handshake, well-formed XML. Caches, CORS and changes of bodies do not work there."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``api``, ``policy``."""


class WebSocketApi(pulumi.ComponentResource):
    """A WebSocket API. Attributes: api, policy; ``id``."""

    def __init__(self, name: str, args: WebSocketApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("WebSocketApi", name, _problems(args))
        super().__init__("edgewright:azure:WebSocketApi", name, None, opts)
        self.api = _api(self, name, args)
        self.id = self.api.id
        self.policy = _policy(self, name, args)
        self.register_outputs({"id": self.id})


def _problems(args: WebSocketApiArgs) -> Iterator[str]:
    url = args["service_url"]
    if isinstance(url, str) and not url.startswith(("ws://", "wss://")):
        yield f"`{url}` is no address of a WebSocket: ws:// or wss://"
    if args["path"].startswith("/") or not args["path"]:
        yield f"the path `{args['path']}` is empty or begins with a slash"
    yield from unknown_keys(args.get("overrides", {}), ("api", "policy"), "overrides")


def _api(parent: WebSocketApi, name: str, args: WebSocketApiArgs) -> apimanagement.Api:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "api_id": args["api_id"],
        "api_type": "websocket",
        "path": args["path"],
        "display_name": args["display_name"],
        "protocols": ["wss"],
        "service_url": args["service_url"],
        # The policy says who may: a product's key is nothing that a browser's WebSocket can send in a header.
        "subscription_required": False,
    }
    return place(apimanagement.Api, f"{name}-api", props, parent=parent, overrides=args.get("overrides"), key="api")


def _policy(parent: WebSocketApi, name: str, args: WebSocketApiArgs) -> apimanagement.ApiOperationPolicy:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "api_id": parent.api.name,
        "operation_id": HANDSHAKE,
        "policy_id": "policy",
        "format": "xml",
        "value": args["policy"],
    }
    overrides = args.get("overrides")
    return place(
        apimanagement.ApiOperationPolicy, f"{name}-policy", props, parent=parent, overrides=overrides, key="policy"
    )
