"""A private endpoint of a service of Azure, with its names in a private zone: what components with one share."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Required, TypedDict

import pulumi

from edgewright.azure.arguments import missing_problems
from edgewright.clouds.part import place, unknown_keys

if TYPE_CHECKING:
    from pulumi_azure_native import network

# The network's SDK module is large: it is imported where an endpoint is made.


class PrivateEndpointArgs(TypedDict, total=False):
    """Where a private endpoint stands."""

    subnet_id: Required[pulumi.Input[str]]
    """A subnet without a delegation."""
    private_dns_zone_id: Required[pulumi.Input[str] | None]
    """The zone that gets its names; None where names are kept elsewhere. Without a name callers still resolve the
    public address, and are refused there."""


def endpoint_problems(args: Mapping[str, Any], what: str, zone: str) -> Iterator[str]:
    """What is wrong with an endpoint's arguments; zone: the name that Azure gives such zones."""
    yield from unknown_keys(args, PrivateEndpointArgs.__annotations__, what)
    yield from (
        problem for problem in missing_problems(args, PrivateEndpointArgs, what) if "private_dns_zone_id" not in problem
    )
    if "private_dns_zone_id" not in args:
        yield f"{what} needs `private_dns_zone_id`: of a zone `{zone}`, or None where names are kept elsewhere"
    zone_id = args.get("private_dns_zone_id")
    if isinstance(zone_id, str) and not zone_id.endswith(f"/{zone}"):
        yield f"{what}.private_dns_zone_id is `{zone_id}`; the zone's name must be `{zone}`"


def place_endpoint(
    parent: pulumi.Resource,
    name: str,
    target_id: pulumi.Input[str],
    group: str,
    args: PrivateEndpointArgs,
    common: Mapping[str, Any],
    overrides: Mapping[str, Mapping[str, Any]] | None,
) -> "network.PrivateEndpoint":
    """The endpoint. group: the part of the target, such as ``Gateway``; common: resource group, location and tags."""
    from pulumi_azure_native import network

    connection = {"name": group, "private_link_service_id": target_id, "group_ids": [group]}
    props = {
        **common,
        "subnet": {"id": args["subnet_id"]},
        "private_link_service_connections": [connection],
    }
    return place(
        network.PrivateEndpoint, f"{name}-endpoint", props, parent=parent, overrides=overrides, key="private_endpoint"
    )


def place_zone_group(
    parent: pulumi.Resource,
    name: str,
    endpoint: "network.PrivateEndpoint",
    args: PrivateEndpointArgs,
    common: Mapping[str, Any],
    overrides: Mapping[str, Mapping[str, Any]] | None,
) -> "network.PrivateDnsZoneGroup | None":
    """The endpoint's names in the zone; Azure keeps them."""
    from pulumi_azure_native import network

    zone = args["private_dns_zone_id"]
    if zone is None:
        return None
    props = {
        "resource_group_name": common["resource_group_name"],
        "private_endpoint_name": endpoint.name,
        "private_dns_zone_group_name": "default",
        "private_dns_zone_configs": [{"name": "zone", "private_dns_zone_id": zone}],
    }
    return place(
        network.PrivateDnsZoneGroup, f"{name}-names", props, parent=parent, overrides=overrides, key="zone_group"
    )
