"""Named values and certificates: secret unless somebody says plain, and from Key Vault without a version."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

import arm_bodies
from azure_parts import IN_SERVICE, SECRET_ID, only, recorded, refusal
from edgewright.azure.named_value import NamedValue, NamedValueArgs, reference
from edgewright.azure.service_certificate import ServiceCertificate, ServiceCertificateArgs


def args(**more: Any) -> NamedValueArgs:
    return cast("NamedValueArgs", {**IN_SERVICE, "name": "orders.key", **more})


def value(**more: Any) -> Mapping[str, Any]:
    resources = recorded(lambda: NamedValue("it", args(**more)))
    assert arm_bodies.problems(resources) == []
    return only(resources, "apimanagement:NamedValue")


def certificate(**more: Any) -> ServiceCertificateArgs:
    given = {**IN_SERVICE, "certificate_id": "orders", "key_vault": {"secret_id": SECRET_ID}, **more}
    return cast("ServiceCertificateArgs", given)


def test_a_value_is_a_secret() -> None:
    inputs = value(value="very secret")
    assert (inputs["secret"], inputs["value"]) == (True, "[secret]")


def test_a_plain_value_is_shown_as_it_is() -> None:
    inputs = value(plain="https://orders.example")
    assert (inputs["secret"], inputs["value"]) == (False, "https://orders.example")


def test_a_secret_of_key_vault_is_read_by_the_services_own_identity_or_another() -> None:
    own = value(key_vault={"secret_id": SECRET_ID})
    assert own["secret"] is True
    assert own["keyVault"] == {"secretIdentifier": SECRET_ID}
    assert "value" not in own
    other = value(key_vault={"secret_id": SECRET_ID, "identity_client_id": "client"})
    assert other["keyVault"]["identityClientId"] == "client"


def test_its_name_is_its_id_too() -> None:
    inputs = value(value="v")
    assert inputs["displayName"] == inputs["namedValueId"] == "orders.key"


def test_a_reference_is_what_policies_write() -> None:
    assert reference("orders.key") == "{{orders.key}}"


def test_a_certificate_comes_from_key_vault_only() -> None:
    inputs = only(recorded(lambda: ServiceCertificate("it", certificate())), "apimanagement:Certificate")
    assert inputs["keyVault"] == {"secretIdentifier": SECRET_ID}
    assert "data" not in inputs
    assert "password" not in inputs


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "not none"),
        ({"value": "a", "plain": "b"}, "not value and plain"),
        ({"name": "orders key", "value": "v"}, "`orders key` is no name of a named value"),
        ({"name": "x" * 257, "value": "v"}, "1 to 256 letters"),
        ({"value": "   "}, "`value` is blank"),
        ({"plain": "x" * 4097}, "longer than 4,096 characters: it has 4097"),
        ({"key_vault": {"secret_id": f"{SECRET_ID}/0123"}}, "leave the version out"),
        ({"key_vault": {"secret_id": "https://shop.example/secrets/a"}}, "it is like https://VAULT"),
        ({"key_vault": {}}, "key_vault needs `secret_id`"),
        ({"key_vault": {"secret_id": SECRET_ID, "version": "1"}}, "key_vault has no `version`"),
    ],
)
def test_a_value_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    assert said in refusal(lambda: NamedValue("it", args(**more)))[0]


def test_a_secret_is_not_in_the_message_that_refuses_it() -> None:
    said = refusal(lambda: NamedValue("it", args(value="hush" * 2000)))
    assert "hush" not in said[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"certificate_id": "a/b"}, "`a/b` is no id"),
        ({"key_vault": {"secret_id": f"{SECRET_ID}/0123"}}, "leave the version out"),
    ],
)
def test_a_certificate_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    assert said in refusal(lambda: ServiceCertificate("it", certificate(**more)))[0]
