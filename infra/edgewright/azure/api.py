"""An API of API Management: one import of an OpenAPI document, its policy, and products with the keys of clients."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.api_version_set import SCHEMES
from edgewright.azure.arguments import ID, id_problems, key_problems, length_problems, missing_problems
from edgewright.azure.openapi_import import check_document, content_format, link_format, url_problems
from edgewright.azure.product import ProductArgs, link_api, make_product
from edgewright.azure.subscription import (
    SubscriptionArgs,
    client_key_problems,
    make_subscription,
    primary_key,
)
from edgewright.clouds.part import place, refuse, unknown_keys, whole

LINK_FORMATS: Mapping[str, str] = {
    "json": "openapi+json-link",
    "yaml": "openapi-link",
    "swagger": "swagger-link-json",
}


class ApiProductArgs(TypedDict, total=False):
    """A product of this API alone: clients that have a key for it. `Product` is for products of several APIs."""

    display_name: Required[str]
    """Shown in the portal."""
    clients: Required[Mapping[str, pulumi.Input[str] | None]]
    """The key of each client, 1 to 256 characters; None: Azure makes one."""
    description: pulumi.Input[str]
    """1,000 characters at most. Default: none."""
    terms: pulumi.Input[str]
    """What developers agree to in the portal before they get a key. Default: nothing."""


class VersionArgs(TypedDict, total=False):
    """Which version of its version set an API is."""

    set_id: Required[pulumi.Input[str]]
    """Id of an `ApiVersionSet`."""
    name: Required[str]
    """Such as ``v2``, 1 to 100 characters, as requests say it."""
    scheme: Required[str]
    """Of the set: ``Segment``, ``Header`` or ``Query``."""


class ApiArgs(TypedDict, total=False):
    """Arguments of `Api`: one of openapi and openapi_link."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    api_id: Required[str]
    """1 to 80 letters, digits and hyphens; of each version its own. A change replaces the API."""
    path: str
    """Below the host, without slashes at its ends; default: the root. Versions of one set share it."""
    display_name: Required[str]
    """Shown in the portal; 1 to 300 characters."""
    description: pulumi.Input[str]
    """Default: the document's."""
    openapi: pulumi.Input[str]
    """The document: OpenAPI 3.0 as JSON or YAML, Swagger 2.0 as JSON, 4 MB at most. One that is only known later is not
    checked before Azure reads it."""
    openapi_link: pulumi.Input[str]
    """An https address that the service reads the document from. A change of what is there is not seen."""
    openapi_link_format: str
    """``json``, ``yaml`` or ``swagger``; default: by how the address ends, else json."""
    service_url: pulumi.Input[str]
    """The service behind it, where no policy says one; default: the document's first https server."""
    version: VersionArgs
    """Default: the API has no versions."""
    revision: int
    """Number of the revision that this is, 1 or more; default: the one that is current."""
    revision_description: str
    """1 to 256 characters. Default: none."""
    current: bool
    """Makes this revision the one that clients get; default False."""
    policy: pulumi.Input[str]
    """The API's policy, well-formed XML. Default: none."""
    operation_policies: Mapping[str, pulumi.Input[str]]
    """Policies of operations by their id, as the import writes it."""
    key_header: str
    """Where a key is sent; default ``Ocp-Apim-Subscription-Key``."""
    key_query: str
    """Default ``subscription-key``."""
    subscription_required: bool
    """Whether a request without a key is refused before the policy; default True."""
    products: Mapping[str, ApiProductArgs]
    """By id."""
    after: Sequence[Any]
    """Resources: what the policies name and must be there first: backends, named values, fragments."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``api``, ``release``, ``policy``, ``operation_policies.ID``, ``products.ID``,
    ``subscriptions.ID:CLIENT``."""


class Api(pulumi.ComponentResource):
    """An API.

    Attributes: api, release (or None), policy (or None), operation_policies by operation, products, links, and
    subscriptions by ``PRODUCT:CLIENT``; ``keys`` by ``PRODUCT:CLIENT``, secrets; ``id``; ``api_id``, as `Product` takes
    it, without a revision.
    """

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = whole(args)
        refuse("Api", name, _problems(args))
        super().__init__("edgewright:azure:Api", name, None, opts)
        _warn(self, name, args)
        self.api = _api(self, name, args)
        self.id = self.api.id
        self.api_id = self.api.name.apply(without_revision)
        self.policy = _policy(self, name, args)
        self.operation_policies = _operation_policies(self, name, args)
        self.release = _release(self, name, args)
        self.products = _products(self, name, args)
        self.links = _links(self, name, args)
        self.subscriptions = _subscriptions(self, name, args)
        self.keys = {
            f"{product}:{client}": primary_key(
                self.subscriptions[f"{product}:{client}"], _subscription_args(self, args, product, client)
            )
            for product, client in _clients(args)
        }
        self.register_outputs({"id": self.id, "keys": self.keys})


def without_revision(name: str) -> str:
    """An API's id without a revision's number: what products hold is the API with all its revisions."""
    return name.partition(";")[0]


def _clients(args: ApiArgs) -> list[tuple[str, str]]:
    return [(product, client) for product, item in args.get("products", {}).items() for client in item["clients"]]


# -- checks ------------------------------------------------------------------------------------------------------------


def _problems(args: ApiArgs) -> Iterator[str]:
    yield from key_problems(args, ApiArgs, _attributes(args), "an API")
    yield from id_problems("api_id", args.get("api_id"))
    yield from length_problems(args, {"display_name": 300, "revision_description": 256})
    yield from _version_problems(args)
    yield from _revision_problems(args)
    yield from _document_problems(args)
    yield from _product_problems(args)


def _attributes(args: ApiArgs) -> list[str]:
    products: Mapping[str, Any] = args.get("products", {})
    return [
        "api",
        *(["policy"] if args.get("policy") is not None else []),
        *(["release"] if args.get("current") else []),
        *(f"operation_policies.{operation}" for operation in args.get("operation_policies", {})),
        *(f"products.{product}" for product in products),
        *(
            f"subscriptions.{product}:{client}"
            for product in products
            for client in products[product].get("clients", ())
        ),
    ]


def _version_problems(args: ApiArgs) -> Iterator[str]:
    version = args.get("version")
    segment = None
    if version is not None:
        yield from unknown_keys(version, VersionArgs.__annotations__, "version")
        yield from missing_problems(version, VersionArgs, "version")
        name: Any = version.get("name", "")
        if not 1 <= len(name) <= 100 or "/" in name or " " in name:
            yield f"the version `{name}` is not 1 to 100 characters without spaces and slashes"
        if version.get("scheme") not in (None, *SCHEMES):
            yield f"there is no scheme `{version.get('scheme')}`; there are {', '.join(SCHEMES)}"
        segment = name if version.get("scheme") == "Segment" else None
    yield from url_problems(args.get("path", ""), segment)


def _revision_problems(args: ApiArgs) -> Iterator[str]:
    revision = args.get("revision")
    if revision is None:
        yield from (
            f"`{key}` needs `revision`: what is not a revision is the current one already"
            for key in ("current", "revision_description")
            if args.get(key)
        )
    elif revision < 1:
        yield f"the revision is {revision}; it is 1 or more"


def _document_problems(args: ApiArgs) -> Iterator[str]:
    document, link, form = args.get("openapi"), args.get("openapi_link"), args.get("openapi_link_format")
    if (document is None) == (link is None):
        yield "an API has one of `openapi` and `openapi_link`"
    if form is not None and (form not in LINK_FORMATS or link is None):
        yield f"openapi_link_format is {', '.join(LINK_FORMATS)}, of an openapi_link; not `{form}`"
    if isinstance(link, str) and not link.startswith("https://"):
        yield f"openapi_link is `{link}`; the document is read by https"
    if isinstance(document, str):
        checked = check_document(document)
        yield from checked.problems
        if not checked.problems:
            yield from _operation_problems(checked.operation_ids, args)


def _operation_problems(known: Sequence[str], args: ApiArgs) -> Iterator[str]:
    """Policies of operations that the document does not have; ids are compared as they are written once imported."""
    for operation in args.get("operation_policies", {}):
        if operation.lower() not in known:
            listed = ", ".join(sorted(known)[:10]) or "none"
            yield f"a policy is for the operation `{operation}`, which the document does not have; it has {listed}"


def _product_problems(args: ApiArgs) -> Iterator[str]:
    for product, item in args.get("products", {}).items():
        yield from id_problems("the product", product)
        yield from unknown_keys(item, ApiProductArgs.__annotations__, f"products.{product}")
        yield from missing_problems(item, ApiProductArgs, f"products.{product}")
        yield from length_problems(item, {"display_name": 300, "description": 1000})
        for client, key in (item.get("clients") or {}).items():
            if ID.fullmatch(f"{product}-{client}") is None:
                yield f"`{product}:{client}` is no id of a subscription: letters, digits and hyphens"
            yield from client_key_problems(f"the key of `{product}:{client}`", key)


def _warn(parent: Api, name: str, args: ApiArgs) -> None:
    document = args.get("openapi")
    if isinstance(document, str):
        for warning in check_document(document).warnings:
            pulumi.log.warn(f"Api `{name}`: {warning}", parent)


# -- resources ---------------------------------------------------------------------------------------------------------


def _where(args: ApiArgs) -> dict[str, Any]:
    return {"resource_group_name": args["resource_group_name"], "service_name": args["service_name"]}


def _api(parent: Api, name: str, args: ApiArgs) -> apimanagement.Api:
    revision, version = args.get("revision"), args.get("version")
    props: dict[str, Any] = {
        **_where(args),
        "api_id": _revised_id(args),
        "path": args.get("path", ""),
        "display_name": args["display_name"],
        "description": args.get("description"),
        "protocols": ["https"],
        **_document(args),
        "service_url": args.get("service_url"),
        # Else required query parameters would become part of the path.
        "translate_required_query_parameters_conduct": "query",
        "subscription_required": args.get("subscription_required", True),
        "subscription_key_parameter_names": {
            "header": args.get("key_header", "Ocp-Apim-Subscription-Key"),
            "query": args.get("key_query", "subscription-key"),
        },
        "api_version": version["name"] if version is not None else None,
        "api_version_set_id": version["set_id"] if version is not None else None,
        "api_revision": str(revision) if revision is not None else None,
        "api_revision_description": args.get("revision_description"),
    }
    return place(apimanagement.Api, f"{name}-api", props, parent=parent, overrides=args.get("overrides"), key="api")


def _revised_id(args: ApiArgs) -> str:
    """With a revision's number: without, it would be the current revision, whichever that is by then."""
    revision = args.get("revision")
    return args["api_id"] if revision is None else f"{args['api_id']};rev={revision}"


def _document(args: ApiArgs) -> dict[str, Any]:
    link: Any = args.get("openapi_link")
    if link is not None:
        given = args.get("openapi_link_format")
        return {"format": LINK_FORMATS[given] if given is not None else _later(link, link_format), "value": link}
    document: Any = args.get("openapi")
    return {"format": _later(document, content_format), "value": document}


def _later(value: Any, form: Any) -> Any:
    """What follows from a text, now or when it is known."""
    return form(value) if isinstance(value, str) else pulumi.Output.from_input(value).apply(form)


def _policy(parent: Api, name: str, args: ApiArgs) -> apimanagement.ApiPolicy | None:
    """The id must be ``policy``: a name of the engine's own makes a policy that Azure does not know (issue 1838)."""
    if args.get("policy") is None:
        return None
    props = {
        **_where(args),
        "api_id": parent.api.name,
        "policy_id": "policy",
        "format": "xml",
        "value": args.get("policy"),
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
            overrides=args.get("overrides"),
            key=f"operation_policies.{operation}",
            # The operation comes with the import; what its policy builds on comes with the API's.
            depends_on=[parent.policy] if parent.policy is not None else list(args.get("after", [])),
        )
        for operation, value in args.get("operation_policies", {}).items()
    }


def _release(parent: Api, name: str, args: ApiArgs) -> apimanagement.ApiRelease | None:
    """Makes the revision current, once its policies are there. ``isCurrent`` of an API does nothing (azure-sdk-for-net
    issue 5050).

    azure-native has one input for the API in the request's path and the one in its body, of 80 characters at most, so
    that the full id that Microsoft's examples have in the body does not fit (pulumi-azure-native issue 2137). Whether
    Azure takes the short one there is *unverified*; where it does not, the deployment fails and says so.
    """
    if not args.get("current"):
        return None
    props = {
        **_where(args),
        "api_id": parent.api.name,
        "release_id": f"revision-{args.get('revision')}",
        "notes": args.get("revision_description"),
    }
    policies = [item for item in (parent.policy, *parent.operation_policies.values()) if item is not None]
    return place(
        apimanagement.ApiRelease,
        f"{name}-release",
        props,
        parent=parent,
        overrides=args.get("overrides"),
        key="release",
        depends_on=policies,
    )


def _product_args(args: ApiArgs, product: str) -> ProductArgs:
    item = args.get("products", {})[product]
    found: ProductArgs = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "product_id": product,
        "display_name": item["display_name"],
    }
    if "description" in item:
        found["description"] = item["description"]
    if "terms" in item:
        found["terms"] = item["terms"]
    return found


def _subscription_args(parent: Api, args: ApiArgs, product: str, client: str) -> SubscriptionArgs:
    return {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "sid": f"{product}-{client}",
        "scope": parent.products[product].id,
        "display_name": client,
        "primary_key": args.get("products", {})[product]["clients"][client],
        "after": [parent.links[product]],
    }


def _products(parent: Api, name: str, args: ApiArgs) -> dict[str, apimanagement.Product]:
    overrides = args.get("overrides")
    return {
        product: make_product(
            parent,
            f"{name}-{product}",
            _product_args(args, product),
            overrides=overrides,
            key=f"products.{product}",
        )
        for product in args.get("products", {})
    }


def _links(parent: Api, name: str, args: ApiArgs) -> dict[str, apimanagement.ProductApi]:
    api = parent.api.name if args.get("revision") is None else parent.api_id
    return {
        product: link_api(parent, f"{name}-{product}-api", made, api, _product_args(args, product))
        for product, made in parent.products.items()
    }


def _subscriptions(parent: Api, name: str, args: ApiArgs) -> dict[str, apimanagement.Subscription]:
    overrides = args.get("overrides")
    return {
        f"{product}:{client}": make_subscription(
            parent,
            f"{name}-{product}-{client}",
            _subscription_args(parent, args, product, client),
            overrides=overrides,
            key=f"subscriptions.{product}:{client}",
        )
        for product, client in _clients(args)
    }
