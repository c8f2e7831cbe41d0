"""A version set of API Management: APIs that are versions of one another, told apart by a segment, header or query."""

from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import id_problems, key_problems, length_problems
from edgewright.clouds.part import place, refuse

SCHEMES: Mapping[str, str | None] = {"Segment": None, "Header": "header_name", "Query": "query_name"}
"""Where a request says its version, and the argument that this needs."""


class ApiVersionSetArgs(TypedDict, total=False):
    """Arguments of `ApiVersionSet`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    version_set_id: Required[str]
    """1 to 80 letters, digits and hyphens. A change replaces it."""
    display_name: Required[str]
    """1 to 100 characters."""
    scheme: Required[str]
    """``Segment`` (behind the API's path), ``Header`` or ``Query``."""
    header_name: str
    """With ``Header``, such as ``Api-Version``."""
    query_name: str
    """With ``Query``, such as ``api-version``."""
    description: pulumi.Input[str]
    """Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs of ``version_set``."""


class ApiVersionSet(pulumi.ComponentResource):
    """A version set. Attributes: version_set; ``id``, as `Api` takes it in ``version``."""

    def __init__(self, name: str, args: ApiVersionSetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("ApiVersionSet", name, _problems(args))
        super().__init__("edgewright:azure:ApiVersionSet", name, None, opts)
        self.version_set = _version_set(self, name, args)
        self.id = self.version_set.id
        self.register_outputs({"id": self.id})


def _problems(args: ApiVersionSetArgs) -> Iterator[str]:
    yield from key_problems(args, ApiVersionSetArgs, ("version_set",), "a version set")
    yield from id_problems("version_set_id", args.get("version_set_id"))
    yield from length_problems(args, {"display_name": 100, "header_name": 100, "query_name": 100})
    scheme: Any = args.get("scheme")
    if scheme is None:
        return
    if scheme not in SCHEMES:
        yield f"there is no scheme `{scheme}`; there are {', '.join(SCHEMES)}"
        return
    for other, key in SCHEMES.items():
        if key is not None and (args.get(key) is not None) != (other == scheme):
            yield f"the scheme {scheme} {'needs' if other == scheme else 'has no'} `{key}`"


def _version_set(parent: ApiVersionSet, name: str, args: ApiVersionSetArgs) -> apimanagement.ApiVersionSet:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "version_set_id": args["version_set_id"],
        "display_name": args["display_name"],
        "versioning_scheme": args["scheme"],
        "version_header_name": args.get("header_name"),
        "version_query_name": args.get("query_name"),
        "description": args.get("description"),
    }
    overrides = args.get("overrides")
    return place(
        apimanagement.ApiVersionSet, f"{name}-versions", props, parent=parent, overrides=overrides, key="version_set"
    )
