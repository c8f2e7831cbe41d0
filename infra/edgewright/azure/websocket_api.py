"""A WebSocket API of API Management: one path, one service, and a policy of its handshake."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import id_problems, key_problems, length_problems
from edgewright.azure.openapi_import import url_problems
from edgewright.clouds.part import place, refuse

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
    """Shown in the portal; 1 to 300 characters."""
    description: pulumi.Input[str]
    """Default: none."""
    service_url: Required[pulumi.Input[str]]
    """``ws://`` or ``wss://``, with the path that the service sees."""
    policy: Required[pulumi.Input[str]]
    """Of the handshake, well-formed XML. Caches, CORS and changes of bodies do not work there."""
    subscription_required: bool
    """Whether a handshake without a key is refused before the policy; default False: the policy says who may, since a
    browser's WebSocket cannot send a header."""
    after: Sequence[Any]
    """Resources: what the policy names and must be there first: named values, fragments."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``api``, ``policy``."""


class WebSocketApi(pulumi.ComponentResource):
    """A WebSocket API. Attributes: api, policy; ``id``; ``api_id``, as `Product` takes it."""

    def __init__(self, name: str, args: WebSocketApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("WebSocketApi", name, _problems(args))
        super().__init__("edgewright:azure:WebSocketApi", name, None, opts)
        self.api = _api(self, name, args)
        self.id = self.api.id
        self.api_id = self.api.name
        self.policy = _policy(self, name, args)
        self.register_outputs({"id": self.id})


def _problems(args: WebSocketApiArgs) -> Iterator[str]:
    yield from key_problems(args, WebSocketApiArgs, ("api", "policy"), "a WebSocket API")
    yield from id_problems("api_id", args.get("api_id"))
    yield from length_problems(args, {"display_name": 300})
    url: Any = args.get("service_url")
    if isinstance(url, str) and not url.startswith(("ws://", "wss://")):
        yield f"`{url}` is no address of a WebSocket: ws:// or wss://"
    path: Any = args.get("path")
    if path is None:
        return
    if path.startswith("/") or not path:
        yield f"the path `{path}` is empty or begins with a slash"
    else:
        yield from url_problems(path, None)


def _api(parent: WebSocketApi, name: str, args: WebSocketApiArgs) -> apimanagement.Api:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "api_id": args["api_id"],
        "api_type": "websocket",
        "path": args["path"],
        "display_name": args["display_name"],
        "description": args.get("description"),
        "protocols": ["wss"],
        "service_url": args["service_url"],
        "subscription_required": args.get("subscription_required", False),
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
    return place(
        apimanagement.ApiOperationPolicy,
        f"{name}-policy",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="policy",
        depends_on=list(args.get("after", [])),
    )
