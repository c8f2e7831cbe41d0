"""A named value of API Management: what policies, backends and loggers write as ``{{name}}``."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import key_problems
from edgewright.azure.key_vault import KeyVaultSecretArgs, key_vault_problems, key_vault_props
from edgewright.clouds.part import place, refuse

_NAME = re.compile(r"[A-Za-z0-9._-]{1,256}")
_MOST = 4096
_KINDS = ("value", "key_vault", "plain")


class NamedValueArgs(TypedDict, total=False):
    """Arguments of `NamedValue`: one of value, key_vault and plain."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    name: Required[str]
    """1 to 256 letters, digits, ``.``, ``-`` and ``_``; also its id. A change replaces it."""
    value: pulumi.Input[str]
    """A secret, 1 to 4,096 characters; kept encrypted, also in Pulumi's state."""
    key_vault: KeyVaultSecretArgs
    """A secret in Key Vault, in place of a value."""
    plain: pulumi.Input[str]
    """A value that everybody may read, 1 to 4,096 characters."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs of ``named_value``."""


class NamedValue(pulumi.ComponentResource):
    """A named value. It must be there before a policy that names it: give it as `ApiArgs.after`.

    Attributes: named_value; ``name``; ``reference``, the text ``{{name}}``, known once it is there.
    """

    def __init__(self, name: str, args: NamedValueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("NamedValue", name, _problems(args))
        super().__init__("edgewright:azure:NamedValue", name, None, opts)
        self.named_value = _named_value(self, name, args)
        self.name = self.named_value.display_name
        self.reference = self.named_value.display_name.apply(reference)
        self.register_outputs({"name": self.name, "reference": self.reference})


def reference(name: str) -> str:
    """How a named value is written where it is used."""
    return "{{" + name + "}}"


def _problems(args: NamedValueArgs) -> Iterator[str]:
    yield from key_problems(args, NamedValueArgs, ("named_value",), "a named value")
    name: Any = args.get("name")
    if isinstance(name, str) and _NAME.fullmatch(name) is None:
        yield f"`{name}` is no name of a named value: 1 to 256 letters, digits, `.`, `-` and `_`"
    given = [kind for kind in _KINDS if args.get(kind) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield f"a named value has one of `value` (a secret), `key_vault` and `plain`, not {found}"
    vault = args.get("key_vault")
    if vault is not None:
        yield from key_vault_problems(vault, "key_vault")
    for kind in ("value", "plain"):
        text: Any = args.get(kind)
        if isinstance(text, str) and not (text.strip() and len(text) <= _MOST):
            # Its length only: a secret has no place in a message.
            yield f"`{kind}` is blank or longer than {_MOST:,} characters: it has {len(text)}"


def _named_value(parent: NamedValue, name: str, args: NamedValueArgs) -> apimanagement.NamedValue:
    secret, vault = args.get("value"), args.get("key_vault")
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "named_value_id": args["name"],
        "display_name": args["name"],
        "secret": args.get("plain") is None,
        "value": pulumi.Output.secret(secret) if secret is not None else args.get("plain"),
        "key_vault": key_vault_props(vault) if vault is not None else None,
    }
    overrides = args.get("overrides")
    return place(
        apimanagement.NamedValue, f"{name}-value", props, parent=parent, overrides=overrides, key="named_value"
    )
