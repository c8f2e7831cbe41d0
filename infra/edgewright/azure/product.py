"""A product of API Management: APIs that clients subscribe to together, and who may."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import id_problems, key_problems, length_problems
from edgewright.clouds.part import place, refuse


class ProductArgs(TypedDict, total=False):
    """Arguments of `Product`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    product_id: Required[str]
    """1 to 80 letters, digits and hyphens. A change replaces it, once its subscriptions are gone."""
    display_name: Required[str]
    """1 to 300 characters."""
    description: pulumi.Input[str]
    """1,000 characters at most. Default: none."""
    terms: pulumi.Input[str]
    """What developers agree to in the portal before they get a key. Default: nothing."""
    subscription_required: bool
    """Whether a client needs a key; default True. Without, everybody may call the APIs."""
    approval_required: bool
    """Whether somebody approves each subscription that a developer asks for in the portal; default True."""
    subscriptions_limit: int
    """Of one developer, 1 or more. Default: no limit."""
    published: bool
    """Whether its keys work, and the portal shows it to its groups; default True."""
    apis: Mapping[str, pulumi.Input[str]]
    """Ids of APIs within the service (`Api.api_id`), by a name of yours. Default: none."""
    groups: Sequence[str]
    """Ids of groups whose developers see it in the portal, such as ``developers``. Default: administrators only."""
    policy: pulumi.Input[str]
    """Of the product, well-formed XML; the one place for ``quota``. Default: none."""
    after: Sequence[Any]
    """Resources: what the policy names and must be there first."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``product``, ``links.NAME``, ``group_links.GROUP``, ``policy``."""


class Product(pulumi.ComponentResource):
    """A product.

    Attributes: product; links by API; group_links by group; policy (or None); ``id``, the scope of a `Subscription`;
    ``product_id``. A `Subscription` of it is deleted before it; those that developers made in the portal are not known
    here, and Azure refuses to delete the product before somebody deletes them.
    """

    def __init__(self, name: str, args: ProductArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("Product", name, _problems(args))
        super().__init__("edgewright:azure:Product", name, None, opts)
        overrides = args.get("overrides")
        self.product = make_product(self, f"{name}-product", args, overrides=overrides, key="product")
        self.id = self.product.id
        self.product_id = self.product.name
        self.links = {
            key: link_api(self, f"{name}-api-{key}", self.product, api, args, overrides=overrides, key=f"links.{key}")
            for key, api in args.get("apis", {}).items()
        }
        self.group_links = _group_links(self, name, args)
        self.policy = _policy(self, name, args)
        self.register_outputs({"id": self.id, "productId": self.product_id})


def _problems(args: ProductArgs) -> Iterator[str]:
    groups = args.get("groups", [])
    attributes = [
        "product",
        *(f"links.{key}" for key in args.get("apis", {})),
        *(f"group_links.{group}" for group in groups),
        *(["policy"] if args.get("policy") is not None else []),
    ]
    yield from key_problems(args, ProductArgs, attributes, "a product")
    yield from id_problems("product_id", args.get("product_id"))
    yield from length_problems(args, {"display_name": 300, "description": 1000})
    for group in groups:
        yield from id_problems("the group", group)
        if group == "administrators":
            yield "the group `administrators` sees every product already: leave it out"
    if len(set(groups)) < len(groups):
        yield "a group is named twice"
    limit = args.get("subscriptions_limit")
    if isinstance(limit, int) and limit < 1:
        yield f"subscriptions_limit is {limit}; it is 1 or more"
    if not args.get("subscription_required", True):
        for key in ("approval_required", "subscriptions_limit"):
            if args.get(key):
                yield f"`{key}` is about subscriptions, and this product asks for none"


def make_product(
    parent: pulumi.Resource,
    name: str,
    args: ProductArgs,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    key: str,
) -> apimanagement.Product:
    """The raw resource."""
    required = args.get("subscription_required", True)
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "product_id": args["product_id"],
        "display_name": args["display_name"],
        "description": args.get("description"),
        "terms": args.get("terms"),
        "subscription_required": required,
        # Azure refuses it, even False, where no subscription is needed.
        "approval_required": args.get("approval_required", True) if required else None,
        "subscriptions_limit": args.get("subscriptions_limit"),
        "state": "published" if args.get("published", True) else "notPublished",
    }
    return place(apimanagement.Product, name, props, parent=parent, overrides=overrides, key=key)


def link_api(
    parent: pulumi.Resource,
    name: str,
    product: apimanagement.Product,
    api_id: pulumi.Input[str],
    args: ProductArgs,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    key: str = "",
) -> apimanagement.ProductApi:
    """Puts an API into a product."""
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "product_id": product.name,
        "api_id": api_id,
    }
    return place(apimanagement.ProductApi, name, props, parent=parent, overrides=overrides, key=key)


def _group_links(parent: Product, name: str, args: ProductArgs) -> dict[str, apimanagement.ProductGroup]:
    return {
        group: place(
            apimanagement.ProductGroup,
            f"{name}-group-{group}",
            {
                "resource_group_name": args["resource_group_name"],
                "service_name": args["service_name"],
                "product_id": parent.product.name,
                "group_id": group,
            },
            parent=parent,
            overrides=args.get("overrides"),
            key=f"group_links.{group}",
        )
        for group in args.get("groups", [])
    }


def _policy(parent: Product, name: str, args: ProductArgs) -> apimanagement.ProductPolicy | None:
    policy = args.get("policy")
    if policy is None:
        return None
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "product_id": parent.product.name,
        "policy_id": "policy",
        "format": "xml",
        "value": policy,
    }
    return place(
        apimanagement.ProductPolicy,
        f"{name}-policy",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="policy",
        depends_on=list(args.get("after", [])),
    )
