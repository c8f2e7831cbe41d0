"""A self-hosted gateway as API Management knows it: its APIs, host names, and who may read its configuration."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement, authorization

from edgewright.azure import gateway_machine as machine
from edgewright.azure.roles import assign_role, guid
from edgewright.clouds.part import place, refuse, unknown_keys

TYPE = "edgewright:azure:SelfHostedGateway"

VALIDATOR_ACTIONS = ("Microsoft.Authorization/*/read",)
READER_DATA_ACTIONS = ("Microsoft.ApiManagement/service/gateways/getConfiguration/action",)


class LocationArgs(TypedDict, total=False):
    """Where a gateway stands; for people alone."""

    name: Required[pulumi.Input[str]]
    """Such as ``on premises``."""
    city: pulumi.Input[str]
    """Default: none."""
    district: pulumi.Input[str]
    """Default: none."""
    country_or_region: pulumi.Input[str]
    """Default: none."""


class HostnameArgs(TypedDict, total=False):
    """A host name for which the gateway ends TLS (1.2 and newer)."""

    hostname: Required[pulumi.Input[str]]
    """Such as ``api.example.com``."""
    certificate_id: Required[pulumi.Input[str]]
    """Full resource id of a certificate of the service."""
    http2: pulumi.Input[bool]
    """Default: true."""
    negotiate_client_certificate: pulumi.Input[bool]
    """Whether clients are asked for a certificate. All host names share it, so it must be the same for all.
    Default: false."""


class CertificateAuthorityArgs(TypedDict, total=False):
    """A private authority; those of the service do not count at the gateway."""

    certificate_id: Required[pulumi.Input[str]]
    """Name of a certificate of the service (not its resource id)."""
    is_trusted: pulumi.Input[bool]
    """Whether certificates below it are trusted. Default: true."""


class RolesArgs(TypedDict, total=False):
    """Who may let the gateway have its configuration by Entra; needs the right to make and assign roles."""

    subscription_id: Required[pulumi.Input[str]]
    """Of the service."""
    service_principal_id: pulumi.Input[str]
    """Object id of the service's system-assigned identity; it may then check who asks. Once for a service: leave it out
    for its further gateways."""
    app_principal_id: pulumi.Input[str]
    """Object id of the app's service principal (not the app's own); it may then read the configuration."""
    validator_role_id: pulumi.Input[str]
    """Full id of an existing role for the service. Default: one is made."""
    reader_role_id: pulumi.Input[str]
    """Full id of an existing role for the app. Default: one is made."""


class SelfHostedGatewayArgs(TypedDict, total=False):
    """Arguments of `SelfHostedGateway`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The API Management service: Premium, or Developer (one node a gateway)."""
    gateway_id: Required[str]
    """The gateway's name, 1 to 80 letters, digits and hyphens; its machines carry it too."""
    location_data: Required[LocationArgs]
    """Where it stands."""
    description: pulumi.Input[str]
    """Default: none."""
    apis: Mapping[str, pulumi.Input[str]]
    """Ids of the APIs that it serves, by a name of yours. Default: none."""
    hostnames: Mapping[str, HostnameArgs]
    """By the id that each shall have. Default: none."""
    certificate_authorities: Mapping[str, CertificateAuthorityArgs]
    """By a name of yours. Default: none."""
    roles: RolesArgs
    """Roles for authentication by Entra. Default: none are made or assigned."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: gateway, api_links.NAME, hostnames.NAME, certificate_authorities.NAME, validator_role,
    reader_role, validator_assignment, reader_assignment."""


class SelfHostedGateway(pulumi.ComponentResource):
    """Registers a gateway that runs elsewhere (`GatewayScaleSet`, or Kubernetes).

    Policies that such a gateway does not support are skipped in silence: no built-in cache, no
    get-authorization-context; counters are not shared with the managed gateway.

    ``gateway_id`` and the raw resources ``gateway``, ``api_links``, ``hostnames``, ``certificate_authorities`` (each by
    name), ``validator_role``, ``reader_role``, ``validator_assignment``, ``reader_assignment`` (None where not made).
    """

    def __init__(self, name: str, args: SelfHostedGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("SelfHostedGateway", name, _problems(args))
        super().__init__(TYPE, name, None, opts)

        self.gateway = _gateway(self, name, args)
        self.gateway_id = self.gateway.name
        self.api_links = _api_links(self, name, args)
        self.hostnames = _hostnames(self, name, args)
        self.certificate_authorities = _certificate_authorities(self, name, args)
        self.validator_role = _validator_role(self, name, args)
        self.validator_assignment = _validator_assignment(self, name, args)
        self.reader_role = _reader_role(self, name, args)
        self.reader_assignment = _reader_assignment(self, name, args)
        self.register_outputs({"gatewayId": self.gateway_id})


def _of_service(args: SelfHostedGatewayArgs) -> dict[str, Any]:
    return {"resource_group_name": args["resource_group_name"], "service_name": args["service_name"]}


def _gateway(self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs) -> apimanagement.Gateway:
    return place(
        apimanagement.Gateway,
        name,
        {
            **_of_service(args),
            "gateway_id": args["gateway_id"],
            "description": args.get("description"),
            "location_data": dict(args["location_data"]),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="gateway",
    )


def _api_links(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs
) -> dict[str, apimanagement.GatewayApiEntityTag]:
    return {
        key: place(
            apimanagement.GatewayApiEntityTag,
            f"{name}-api-{key}",
            {
                **_of_service(args),
                "gateway_id": self.gateway_id,
                "api_id": api,
                "provisioning_state": apimanagement.ProvisioningState.CREATED,
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"api_links.{key}",
        )
        for key, api in args.get("apis", {}).items()
    }


def _hostnames(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs
) -> dict[str, apimanagement.GatewayHostnameConfiguration]:
    return {
        key: place(
            apimanagement.GatewayHostnameConfiguration,
            f"{name}-hostname-{key}",
            {
                **_of_service(args),
                "gateway_id": self.gateway_id,
                "hc_id": key,
                "hostname": item["hostname"],
                "certificate_id": item["certificate_id"],
                "http2_enabled": item.get("http2", True),
                "negotiate_client_certificate": item.get("negotiate_client_certificate", False),
                "tls10_enabled": False,
                "tls11_enabled": False,
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"hostnames.{key}",
        )
        for key, item in args.get("hostnames", {}).items()
    }


def _certificate_authorities(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs
) -> dict[str, apimanagement.GatewayCertificateAuthority]:
    return {
        key: place(
            apimanagement.GatewayCertificateAuthority,
            f"{name}-authority-{key}",
            {
                **_of_service(args),
                "gateway_id": self.gateway_id,
                "certificate_id": item["certificate_id"],
                "is_trusted": item.get("is_trusted", True),
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"certificate_authorities.{key}",
        )
        for key, item in args.get("certificate_authorities", {}).items()
    }


def _validator_role(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs
) -> authorization.RoleDefinition | None:
    if "validator_role" not in _made(args):
        return None
    return _role(
        self,
        f"{name}-validator-role",
        args,
        "validator_role",
        {
            "role_name": f"API Management configuration access validator ({_label(name)})",
            "description": "Lets an API Management service check who asks for a gateway's configuration.",
            "permissions": [{"actions": list(VALIDATOR_ACTIONS)}],
        },
    )


def _reader_role(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs
) -> authorization.RoleDefinition | None:
    if "reader_role" not in _made(args):
        return None
    return _role(
        self,
        f"{name}-reader-role",
        args,
        "reader_role",
        {
            "role_name": f"API Management gateway configuration reader ({_label(name)})",
            "description": "Lets an app read the configuration of self-hosted gateways.",
            "permissions": [{"data_actions": list(READER_DATA_ACTIONS)}],
        },
    )


def _label(name: str) -> str:
    """Names of roles are unique in a tenant."""
    return f"{pulumi.get_project()} {pulumi.get_stack()} {name}"


def _role(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs, key: str, props: Mapping[str, Any]
) -> authorization.RoleDefinition:
    """Its name follows from the stack, so that a replacement would have the same: the old one goes first."""
    group = _resource_group_id(args)
    return place(
        authorization.RoleDefinition,
        name,
        {
            **props,
            "role_definition_id": guid(name),
            "role_type": "CustomRole",
            "scope": group,
            "assignable_scopes": [group],
        },
        parent=self,
        overrides=args.get("overrides"),
        key=key,
        delete_before_replace=True,
    )


def _validator_assignment(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs
) -> authorization.RoleAssignment | None:
    if "validator_assignment" not in _made(args):
        return None
    roles = args.get("roles", {})
    return assign_role(
        self,
        f"{name}-validator",
        {
            "principal_id": roles.get("service_principal_id"),
            "role_definition_id": self.validator_role.id if self.validator_role else roles.get("validator_role_id"),
            "scope": _resource_group_id(args),
        },
        overrides=args.get("overrides"),
        key="validator_assignment",
    )


def _reader_assignment(
    self: SelfHostedGateway, name: str, args: SelfHostedGatewayArgs
) -> authorization.RoleAssignment | None:
    if "reader_assignment" not in _made(args):
        return None
    roles = args.get("roles", {})
    service = pulumi.Output.concat(
        _resource_group_id(args), "/providers/Microsoft.ApiManagement/service/", args["service_name"]
    )
    return assign_role(
        self,
        f"{name}-reader",
        {
            "principal_id": roles.get("app_principal_id"),
            "role_definition_id": self.reader_role.id if self.reader_role else roles.get("reader_role_id"),
            "scope": service,
        },
        overrides=args.get("overrides"),
        key="reader_assignment",
    )


def _resource_group_id(args: SelfHostedGatewayArgs) -> pulumi.Output[str]:
    subscription: Any = args.get("roles", {}).get("subscription_id")
    return pulumi.Output.concat("/subscriptions/", subscription, "/resourceGroups/", args["resource_group_name"])


def _made(args: SelfHostedGatewayArgs) -> list[str]:
    """Attributes of the roles and assignments that are made."""
    roles: Mapping[str, Any] = args.get("roles", {})
    kinds = {"validator": "service_principal_id", "reader": "app_principal_id"}
    wanted = [kind for kind, principal in kinds.items() if roles.get(principal) is not None]
    own = [f"{kind}_role" for kind in wanted if roles.get(f"{kind}_role_id") is None]
    return [*own, *(f"{kind}_assignment" for kind in wanted)]


def _problems(args: SelfHostedGatewayArgs) -> list[str]:
    return [
        *unknown_keys(args, SelfHostedGatewayArgs.__annotations__, "the gateway"),
        *_missing_problems(args),
        *_hostname_problems(args.get("hostnames", {})),
        *_authority_problems(args.get("certificate_authorities", {})),
        *_role_problems(args),
        *unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides"),
    ]


def _missing_problems(args: SelfHostedGatewayArgs) -> Iterator[str]:
    needed = ("resource_group_name", "service_name", "gateway_id", "location_data")
    yield from (f"`{key}` is missing" for key in needed if args.get(key) is None)
    gateway: Any = args.get("gateway_id")
    if gateway is not None:
        yield from _id_problems("gateway_id", gateway)
    location: Any = args.get("location_data")
    if location is not None:
        yield from unknown_keys(location, LocationArgs.__annotations__, "location_data")
        if location.get("name") is None:
            yield "location_data needs `name`"


def _id_problems(what: str, value: Any) -> Iterator[str]:
    """Ids are plain, as machines and addresses carry them."""
    if not isinstance(value, str) or re.fullmatch(machine.RULES["gateway_name"][0], value) is None:
        yield f"{what} is {value!r}; it must be {machine.RULES['gateway_name'][1]}"


def _hostname_problems(hostnames: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for key, item in hostnames.items():
        yield from _id_problems("the id of a host name", key)
        yield from unknown_keys(item, HostnameArgs.__annotations__, f"hostnames.{key}")
        yield from (f"hostnames.{key} needs `{one}`" for one in ("hostname", "certificate_id") if item.get(one) is None)
    asked = [item.get("negotiate_client_certificate", False) for item in hostnames.values()]
    if {True, False} <= {one for one in asked if isinstance(one, bool)}:
        yield "negotiate_client_certificate must be the same for all host names, which share it"


def _authority_problems(authorities: Mapping[str, Any]) -> Iterator[str]:
    for key, item in authorities.items():
        yield from unknown_keys(item, CertificateAuthorityArgs.__annotations__, f"certificate_authorities.{key}")
        if item.get("certificate_id") is None:
            yield f"certificate_authorities.{key} needs `certificate_id`"


def _role_problems(args: SelfHostedGatewayArgs) -> Iterator[str]:
    roles: Any = args.get("roles")
    if roles is None:
        return
    yield from unknown_keys(roles, RolesArgs.__annotations__, "roles")
    if roles.get("subscription_id") is None:
        yield "roles needs `subscription_id`"
    if roles.get("service_principal_id") is None and roles.get("app_principal_id") is None:
        yield "roles needs `service_principal_id` or `app_principal_id`: nobody would get one"
    for role, principal in (("validator_role_id", "service_principal_id"), ("reader_role_id", "app_principal_id")):
        if roles.get(role) is not None and roles.get(principal) is None:
            yield f"roles.{role} needs `{principal}`, who gets it"


def _attributes(args: SelfHostedGatewayArgs) -> list[str]:
    return [
        "gateway",
        *(f"api_links.{key}" for key in args.get("apis", {})),
        *(f"hostnames.{key}" for key in args.get("hostnames", {})),
        *(f"certificate_authorities.{key}" for key in args.get("certificate_authorities", {})),
        *_made(args),
    ]
