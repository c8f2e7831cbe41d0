"""A policy fragment: policies that others include by its id."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict
from xml.etree import ElementTree

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import key_problems
from edgewright.clouds.part import place, refuse

_ID = re.compile(r"\w|\w[\w-]{0,78}\w", re.ASCII)
MAX_FRAGMENT = 32 * 1024
"""Bytes. Microsoft's page of fragments said 32 KB for years, and says 512 KB since 2026-02; which services take that is
*unverified*, and Azure's own check before a deployment does not look at policies."""
_SECTIONS = ("inbound", "backend", "outbound", "on-error", "policies")
_NOT_INSIDE: Mapping[str, str] = {
    "base": "it belongs to the policy that includes the fragment",
    "include-fragment": "fragments do not nest",
    "cache-lookup": "it works in policies only",
    "cache-store": "it works in policies only",
    **dict.fromkeys(_SECTIONS, "a fragment is included in a section, and has none"),
}


class PolicyFragmentArgs(TypedDict, total=False):
    """Arguments of `PolicyFragment`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    fragment_id: Required[str]
    """By which ``include-fragment`` names it: 1 to 80 letters, digits, ``_`` and ``-``. A change replaces it."""
    value: Required[pulumi.Input[str]]
    """Well-formed XML with the root ``fragment``, 32 KB at most."""
    description: pulumi.Input[str]
    """1,000 characters at most. Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs of ``fragment``."""


class PolicyFragment(pulumi.ComponentResource):
    """A fragment. It must be there before a policy that includes it: give it as `ApiArgs.after`.

    Attributes: fragment; ``id``; ``fragment_id``. A rate limit inside counts for the fragment, wherever it is included.
    """

    def __init__(self, name: str, args: PolicyFragmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("PolicyFragment", name, _problems(args))
        super().__init__("edgewright:azure:PolicyFragment", name, None, opts)
        self.fragment = _fragment(self, name, args)
        self.id = self.fragment.id
        self.fragment_id = self.fragment.name
        self.register_outputs({"id": self.id, "fragmentId": self.fragment_id})


def _problems(args: PolicyFragmentArgs) -> Iterator[str]:
    yield from key_problems(args, PolicyFragmentArgs, ("fragment",), "a fragment")
    name: Any = args.get("fragment_id")
    if isinstance(name, str) and _ID.fullmatch(name) is None:
        yield f"`{name}` is no id of a fragment: 1 to 80 letters, digits, `_` and `-`"
    description = args.get("description")
    if isinstance(description, str) and not 1 <= len(description) <= 1000:
        yield f"the description has {len(description)} characters; it has 1 to 1000"
    value: Any = args.get("value")
    if isinstance(value, str):
        yield from fragment_problems(value)


def fragment_problems(value: str) -> list[str]:
    """What is wrong with a fragment's text: size, form, and elements that do not work inside."""
    size = len(value.encode())
    found = [f"the fragment has {size:,} bytes; {MAX_FRAGMENT:,} at most"] if size > MAX_FRAGMENT else []
    try:
        root = ElementTree.fromstring(value)  # noqa: S314 (the caller's own text)
    except ElementTree.ParseError as error:
        return [*found, f"the fragment is no well-formed XML ({error}): write `&quot;`, `&lt;`, `&amp;` in expressions"]
    if root.tag != "fragment":
        found.append(f"the root is `<{root.tag}>`; it must be `<fragment>`")
    inside = dict.fromkeys(item.tag for item in root.iter() if item is not root)
    return [*found, *(f"`<{tag}>` cannot be in a fragment: {_NOT_INSIDE[tag]}" for tag in inside if tag in _NOT_INSIDE)]


def _fragment(parent: PolicyFragment, name: str, args: PolicyFragmentArgs) -> apimanagement.PolicyFragment:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        # So azure-native calls the name of a fragment.
        "id": args["fragment_id"],
        "format": "xml",
        "value": args["value"],
        "description": args.get("description"),
    }
    overrides = args.get("overrides")
    return place(
        apimanagement.PolicyFragment, f"{name}-fragment", props, parent=parent, overrides=overrides, key="fragment"
    )
