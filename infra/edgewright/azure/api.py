"""An API of API Management: one import of an OpenAPI document, its policy, and products with the keys of clients."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.clouds.part import place, refuse, unknown_keys

_ID = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,78}[a-zA-Z0-9])?")
MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a document that is imported inline (Microsoft's page of API import restrictions)."""


class ProductArgs(TypedDict, total=False):
    """A product: clients that have a key for the API."""

    display_name: Required[str]
    """Shown in the portal."""
    clients: Required[Mapping[str, pulumi.Input[str] | None]]
    """The key of each client, 1 to 256 characters; None: Azure makes one."""


class ApiArgs(TypedDict, total=False):
    """Arguments of `Api`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    api_id: Required[str]
    """1 to 80 letters, digits and hyphens. A change replaces the API."""
    path: str
    """Below the host; default: the root."""
    display_name: Required[str]
    """Shown in the portal."""
    openapi: Required[pulumi.Input[str]]
    """The document, OpenAPI 3.0 as JSON, 4 MB at most."""
    policy: Required[pulumi.Input[str]]
    """The API's policy, well-formed XML."""
    operation_policies: Mapping[str, pulumi.Input[str]]
    """Policies of operations by their id."""
    key_header: str
    """Where a key is sent; default ``Ocp-Apim-Subscription-Key``."""
    key_query: str
    """Default ``subscription-key``."""
    subscription_required: bool
    """Whether a request without a key is refused before the policy; default True."""
    products: Mapping[str, ProductArgs]
    """By id."""
    after: Sequence[pulumi.Resource]
    """What the policies name and must be there first: backends, named values, fragments."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``api``, ``policy``, ``products.ID``, ``subscriptions.ID:CLIENT``."""


class Api(pulumi.ComponentResource):
    """An API.

    Attributes: api, policy, operation_policies by operation, products, links, and subscriptions by ``PRODUCT:CLIENT``;
    ``keys`` by ``PRODUCT:CLIENT``, secrets; ``id``.
    """

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("Api", name, _problems(args))
        super().__init__("edgewright:azure:Api", name, None, opts)
        self.api = _api(self, name, args)
        self.id = self.api.id
        self.policy = _policy(self, name, args)
        self.operation_policies = _operation_policies(self, name, args)
        self.products = _products(self, name, args)
        self.links = _links(self, name, args)
        self.subscriptions = _subscriptions(self, name, args)
        self.keys = {key: _key(item, key, args) for key, item in self.subscriptions.items()}
        self.register_outputs({"id": self.id, "keys": self.keys})


def _problems(args: ApiArgs) -> Iterator[str]:
    for what in (args["api_id"], *args.get("products", {})):
        if _ID.fullmatch(what) is None:
            yield f"`{what}` is no id: 1 to 80 letters, digits and hyphens"
    document = args["openapi"]
    if isinstance(document, str) and len(document.encode()) > MAX_DOCUMENT:
        yield f"the OpenAPI document has {len(document.encode()):,} bytes; 4 MB are imported at most"
    if len(args.get("path", "")) > 128:
        yield "a path of an API has 128 characters at most"
    subscriptions = [
        f"{product}:{client}" for product, item in args.get("products", {}).items() for client in item["clients"]
    ]
    for key in subscriptions:
        if _ID.fullmatch(key.replace(":", "-")) is None:
            yield f"`{key}` is no id of a subscription: letters, digits and hyphens"
    known = [
        "api",
        "policy",
        *(f"products.{product}" for product in args.get("products", {})),
        *(f"subscriptions.{key}" for key in subscriptions),
    ]
    yield from unknown_keys(args.get("overrides", {}), known, "overrides")


def _where(args: ApiArgs) -> dict[str, Any]:
    return {"resource_group_name": args["resource_group_name"], "service_name": args["service_name"]}


def _api(parent: Api, name: str, args: ApiArgs) -> apimanagement.Api:
    props: dict[str, Any] = {
        **_where(args),
        "api_id": args["api_id"],
        "path": args.get("path", ""),
        "display_name": args["display_name"],
        "protocols": ["https"],
        "format": "openapi+json",
        "value": args["openapi"],
        # Else required query parameters would become part of the path.
        "translate_required_query_parameters_conduct": "query",
        "subscription_required": args.get("subscription_required", True),
        "subscription_key_parameter_names": {
            "header": args.get("key_header", "Ocp-Apim-Subscription-Key"),
            "query": args.get("key_query", "subscription-key"),
        },
    }
    return place(apimanagement.Api, f"{name}-api", props, parent=parent, overrides=args.get("overrides"), key="api")


def _policy(parent: Api, name: str, args: ApiArgs) -> apimanagement.ApiPolicy:
    """The id must be ``policy``: a name of the engine's own makes a policy that Azure does not know (issue 1838)."""
    props = {
        **_where(args),
        "api_id": parent.api.name,
        "policy_id": "policy",
        "format": "xml",
        "value": args["policy"],
    }
    return place(
        apimanagement.ApiPolicy,
        f"{name}-policy",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="policy",
        depends_on=list(args.get("after", [])),
    )


def _operation_policies(parent: Api, name: str, args: ApiArgs) -> dict[str, apimanagement.ApiOperationPolicy]:
    return {
        operation: place(
            apimanagement.ApiOperationPolicy,
            f"{name}-{operation}",
            {
                **_where(args),
                "api_id": parent.api.name,
                "operation_id": operation,
                "policy_id": "policy",
                "format": "xml",
                "value": value,
            },
            parent=parent,
            # The operation comes with the import; what its policy builds on comes with the API's.
            depends_on=[parent.policy],
        )
        for operation, value in args.get("operation_policies", {}).items()
    }


def _products(parent: Api, name: str, args: ApiArgs) -> dict[str, apimanagement.Product]:
    return {
        product: place(
            apimanagement.Product,
            f"{name}-{product}",
            {
                **_where(args),
                "product_id": product,
                "display_name": item["display_name"],
                "subscription_required": True,
                "approval_required": False,
                "state": "published",
            },
            parent=parent,
            overrides=args.get("overrides"),
            key=f"products.{product}",
        )
        for product, item in args.get("products", {}).items()
    }


def _links(parent: Api, name: str, args: ApiArgs) -> dict[str, apimanagement.ProductApi]:
    return {
        product: place(
            apimanagement.ProductApi,
            f"{name}-{product}-api",
            {**_where(args), "product_id": made.name, "api_id": parent.api.name},
            parent=parent,
        )
        for product, made in parent.products.items()
    }


def _subscriptions(parent: Api, name: str, args: ApiArgs) -> dict[str, apimanagement.Subscription]:
    """A subscription for each client, made after its product and gone before it: a product with a live one cannot be
    deleted (pulumi-azure-native issue 846)."""
    return {
        f"{product}:{client}": place(
            apimanagement.Subscription,
            f"{name}-{product}-{client}",
            {
                **_where(args),
                "sid": f"{product}-{client}",
                "scope": parent.products[product].id,
                "display_name": client,
                "state": "active",
                "allow_tracing": False,
                "primary_key": pulumi.Output.secret(key) if key is not None else None,
            },
            parent=parent,
            overrides=args.get("overrides"),
            key=f"subscriptions.{product}:{client}",
            delete_before_replace=True,
            depends_on=[parent.links[product]],
        )
        for product, item in args.get("products", {}).items()
        for client, key in item["clients"].items()
    }


def _key(made: apimanagement.Subscription, key: str, args: ApiArgs) -> pulumi.Output[str]:
    """The key that was given, or what Azure made: a subscription does not show it, a function does."""
    product, _, client = key.partition(":")
    given = args.get("products", {})[product]["clients"][client]
    if given is not None:
        return pulumi.Output.secret(given)
    found = apimanagement.list_subscription_secrets_output(
        resource_group_name=args["resource_group_name"], service_name=args["service_name"], sid=made.name
    )
    return pulumi.Output.secret(found.apply(lambda secrets: secrets.primary_key or ""))
