"""Roles of Azure: assigned to service principals, by names that are the same in every plan."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pulumi
from pulumi_azure_native import authorization

from edgewright.clouds.part import place

PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
"""The role Monitoring Metrics Publisher, which writes telemetry and reads none."""


_LISTED = "/providers/Microsoft.Authorization/roleDefinitions/"


def role_id(subscription: pulumi.Input[str], role: str) -> pulumi.Output[str]:
    """The full id of a built-in role: roles are listed below a subscription. subscription: its id, a UUID."""
    return pulumi.Output.concat("/subscriptions/", subscription, _LISTED, role)


def role_beside(resource: pulumi.Input[str], role: str) -> pulumi.Output[str]:
    """The same in the subscription of a resource, by that one's id."""
    subscription = pulumi.Output.from_input(resource).apply(lambda found: "/".join(found.split("/")[:3]))
    return pulumi.Output.concat(subscription, _LISTED, role)


def guid(name: str) -> str:
    """A UUID that follows from project, stack and name.

    Azure wants UUIDs as the names of roles and assignments. A random one would be another in every plan; this one is
    the same in each, and different between stacks of a tenant.
    """
    return str(uuid5(NAMESPACE_URL, f"edgewright:{pulumi.get_project()}:{pulumi.get_stack()}:{name}"))


def assign_role(
    parent: pulumi.Resource,
    name: str,
    props: Mapping[str, Any],
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    key: str,
) -> authorization.RoleAssignment:
    """Assign a role to a service principal; props: ``principal_id``, ``role_definition_id``, ``scope``.

    Deleted before it is replaced: the new one has the same name, and Azure takes no second one of the same role, scope
    and principal anyway. The type of the principal is said, as Entra may not know it yet.
    """
    return place(
        authorization.RoleAssignment,
        name,
        {**props, "principal_type": "ServicePrincipal", "role_assignment_name": guid(name)},
        parent=parent,
        overrides=overrides,
        key=key,
        delete_before_replace=True,
    )
