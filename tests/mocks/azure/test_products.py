"""Products and the keys of clients: alone, and below an API."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pytest

from azure_parts import IN_SERVICE, POLICY, SERVICE, named, of, only, recorded, refusal
from edgewright.azure.api import Api, ApiArgs, without_revision
from edgewright.azure.product import Product, ProductArgs
from edgewright.azure.subscription import Subscription, SubscriptionArgs
from edgewright.plan.model import Resource

DOCUMENT = '{"openapi": "3.0.3", "info": {"title": "shop", "version": "1"}, "paths": {}}'


def product_args(**more: Any) -> ProductArgs:
    return cast("ProductArgs", {**IN_SERVICE, "product_id": "partners", "display_name": "Partners", **more})


def subscription_args(**more: Any) -> SubscriptionArgs:
    given = {**IN_SERVICE, "sid": "acme", "scope": f"{SERVICE}/products/partners", "display_name": "Acme", **more}
    return cast("SubscriptionArgs", given)


def product(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: Product("it", product_args(**more)))


def subscription(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: Subscription("it", subscription_args(**more)))


# -- products ----------------------------------------------------------------------------------------------------------


def test_a_product_needs_keys_and_is_published_unless_somebody_says_otherwise() -> None:
    inputs = only(product(), "apimanagement:Product")
    assert (inputs["subscriptionRequired"], inputs["approvalRequired"]) == (True, True)
    assert inputs["state"] == "published"
    assert only(product(published=False), "apimanagement:Product")["state"] == "notPublished"


def test_a_product_says_what_it_is_for_and_what_developers_agree_to_where_somebody_writes_it() -> None:
    inputs = only(product(description="for partners", terms="be kind"), "apimanagement:Product")
    assert (inputs["description"], inputs["terms"]) == ("for partners", "be kind")
    assert not {"description", "terms"} & set(only(product(), "apimanagement:Product"))


def test_an_open_product_says_nothing_about_subscriptions() -> None:
    inputs = only(product(subscription_required=False), "apimanagement:Product")
    assert inputs["subscriptionRequired"] is False
    assert "approvalRequired" not in inputs


def test_developers_do_not_see_a_product_unless_their_group_is_named() -> None:
    assert not of(product(), "apimanagement:ProductGroup")
    link = only(product(groups=["developers"]), "apimanagement:ProductGroup")
    assert (link["groupId"], link["productId"]) == ("developers", "${apimanagement.Product it-product.name}")


def test_apis_are_put_into_it() -> None:
    links = of(product(apis={"orders": "orders-v1", "carts": "carts-v1"}), "apimanagement:ProductApi")
    assert {name: item["apiId"] for name, item in links.items()} == {
        "it-api-orders": "orders-v1",
        "it-api-carts": "carts-v1",
    }


def test_a_product_may_have_a_policy_which_is_called_policy() -> None:
    inputs = only(product(policy=POLICY), "apimanagement:ProductPolicy")
    assert (inputs["policyId"], inputs["format"], inputs["value"]) == ("policy", "xml", POLICY)


# -- subscriptions -----------------------------------------------------------------------------------------------------


def test_a_client_is_active_and_sees_no_traces() -> None:
    inputs = only(subscription(), "apimanagement:Subscription")
    assert (inputs["state"], inputs["allowTracing"]) == ("active", False)


def test_keys_that_are_given_are_secrets() -> None:
    inputs = only(subscription(primary_key="a" * 32, secondary_key="b" * 32), "apimanagement:Subscription")
    assert (inputs["primaryKey"], inputs["secondaryKey"]) == ("[secret]", "[secret]")


def keys(**more: Any) -> dict[str, tuple[str, bool]]:
    """The keys that a subscription gives out, and whether each is a secret."""
    found: dict[str, tuple[str, bool]] = {}

    async def note(made: Subscription) -> None:
        for name, key in (("primary", made.primary_key), ("secondary", made.secondary_key)):
            found[name] = (await key.future() or "", await key.is_secret())

    def program() -> None:
        made = Subscription("it", subscription_args(**more))
        pulumi.CustomResource("test:index:Thing", "last", {"noted": pulumi.Output.from_input(note(made))})

    recorded(program)
    return found


def test_keys_that_azure_makes_are_secret_outputs() -> None:
    assert keys() == {"primary": ("first", True), "secondary": ("second", True)}


def test_a_key_that_is_given_is_given_out_and_the_other_is_azures() -> None:
    assert keys(primary_key="mine") == {"primary": ("mine", True), "secondary": ("second", True)}


def test_a_subscription_waits_for_what_it_is_told_to() -> None:
    def program() -> None:
        made = Product("product", product_args(apis={"orders": "orders"}))
        given = subscription_args(scope=made.id, after=list(made.links.values()))
        Subscription("client", given)

    resources = recorded(program)
    client = named(resources, "client-subscription", "apimanagement:Subscription")
    before = {urn.rpartition("::")[2] for urn in client.dependencies}
    # So it is deleted before them too: a product with a live subscription cannot be deleted.
    assert {"product-product", "product-api-orders"} <= before


# -- below an API ------------------------------------------------------------------------------------------------------


def test_an_apis_own_products_and_clients_stand_right_below_it_with_the_names_they_always_had() -> None:
    clients = {"acme": "k" * 32, "other": None}
    given = {
        **IN_SERVICE,
        "api_id": "shop",
        "display_name": "shop",
        "openapi": DOCUMENT,
        "products": {"partners": {"display_name": "Partners", "clients": clients}},
    }
    resources = recorded(lambda: Api("it", cast("ApiArgs", given)))
    urns = {item.urn.partition("::edgewright::")[2] for item in resources}
    below = "edgewright:azure:Api$azure-native:apimanagement"
    assert {
        f"{below}:Product::it-partners",
        f"{below}:ProductApi::it-partners-api",
        f"{below}:Subscription::it-partners-acme",
        f"{below}:Subscription::it-partners-other",
    } <= urns
    clients_made = of(resources, "apimanagement:Subscription")
    assert clients_made["it-partners-acme"]["sid"] == "partners-acme"
    assert "primaryKey" not in clients_made["it-partners-other"]


def test_a_product_holds_an_api_with_all_its_revisions() -> None:
    assert without_revision("shop;rev=2") == without_revision("shop") == "shop"


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"product_id": "a b"}, "`a b` is no id"),
        ({"display_name": ""}, "`display_name` has 0 characters"),
        ({"subscriptions_limit": 0}, "subscriptions_limit is 0"),
        ({"subscription_required": False, "approval_required": True}, "`approval_required` is about subscriptions"),
        ({"subscription_required": False, "subscriptions_limit": 1}, "`subscriptions_limit` is about subscriptions"),
        ({"groups": ["administrators"]}, "sees every product already"),
        ({"groups": ["guests", "guests"]}, "a group is named twice"),
    ],
)
def test_a_product_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    assert said in refusal(lambda: Product("it", product_args(**more)))[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sid": "acme:1"}, "`acme:1` is no id"),
        ({"state": "gone"}, "there is no state `gone`"),
        ({"scope": f"{SERVICE}/apis"}, "is no product and no API"),
        ({"scope": SERVICE}, "is no product and no API"),
        ({"primary_key": ""}, "primary_key has 0 characters"),
        ({"secondary_key": "x" * 257}, "secondary_key has 257 characters"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    assert said in refusal(lambda: Subscription("it", subscription_args(**more)))[0]
