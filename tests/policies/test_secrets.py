"""What is taken for a secret by its name or by its looks, and what is not."""

import pytest

from edgewright.policies.secrets import secret_in
from edgewright.policies.view import UNKNOWN


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "DB_PASS", "dbPwd", "apiKey", "x-api-key", "privateKey", "CLIENT_SECRET", "token"],
)
def test_a_value_is_a_secret_by_its_name(name: str) -> None:
    assert secret_in(name, "hunter2") == f"a secret, by its name `{name}`"


@pytest.mark.parametrize("name", ["compass", "bypass", "keys", "monkey", "tokens_a_minute", "secretary"])
def test_a_name_that_only_sounds_like_one_is_none(name: str) -> None:
    assert secret_in(name, "hunter2") == ""


@pytest.mark.parametrize("value", ["true", "False", "on", "0", "/shop/db", "arn:aws:ssm:x", "${stageVariables.db}", ""])
def test_whether_there_is_a_secret_and_where_it_is_kept_is_none(value: str) -> None:
    assert secret_in("USE_SECRET", value) == ""


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("AKIA" + "A" * 16, "an access key of AWS"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("https://edge:hunter2@orders.example", "an address with a password"),
    ],
)
def test_a_value_is_a_secret_by_its_looks_and_is_never_repeated(value: str, kind: str) -> None:
    assert secret_in("endpoint", value) == kind


@pytest.mark.parametrize("value", [None, UNKNOWN])
def test_what_is_not_known_is_not_judged(value: object) -> None:
    assert secret_in("password", value) == ""  # pyright: ignore[reportArgumentType]
