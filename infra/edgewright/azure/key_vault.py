"""A secret of Key Vault that API Management reads by itself, as values and certificates name it."""

from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi

from edgewright.azure.arguments import missing_problems, secret_id_problems
from edgewright.clouds.part import unknown_keys


class KeyVaultSecretArgs(TypedDict, total=False):
    """A secret. The identity needs ``Key Vault Secrets User`` on it before the service reads it."""

    secret_id: Required[pulumi.Input[str]]
    """``https://VAULT.vault.azure.net/secrets/NAME``, without a version: a renewed one is taken within 4 hours."""
    identity_client_id: pulumi.Input[str]
    """Client id of a user-assigned identity of the service; default: the service's own identity."""


def key_vault_problems(args: Mapping[str, Any], what: str) -> Iterator[str]:
    """What is wrong with a secret's arguments."""
    yield from unknown_keys(args, KeyVaultSecretArgs.__annotations__, what)
    yield from missing_problems(args, KeyVaultSecretArgs, what)
    yield from secret_id_problems(f"{what}.secret_id", args.get("secret_id"))


def key_vault_props(args: KeyVaultSecretArgs) -> dict[str, Any]:
    """As resources of API Management take it."""
    identity = args.get("identity_client_id")
    return {
        "secret_identifier": args["secret_id"],
        **({"identity_client_id": identity} if identity is not None else {}),
    }
