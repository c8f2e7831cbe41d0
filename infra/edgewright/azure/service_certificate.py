"""A certificate of an API Management service from Key Vault: for backends that ask for one, and for gateways."""

from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import id_problems, key_problems
from edgewright.azure.key_vault import KeyVaultSecretArgs, key_vault_problems, key_vault_props
from edgewright.clouds.part import place, refuse


class ServiceCertificateArgs(TypedDict, total=False):
    """Arguments of `ServiceCertificate`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service."""
    certificate_id: Required[str]
    """1 to 80 letters, digits and hyphens. A change replaces it."""
    key_vault: Required[KeyVaultSecretArgs]
    """The secret of a certificate with its private key; files with keys are not taken here."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs of ``certificate``."""


class ServiceCertificate(pulumi.ComponentResource):
    """A certificate. Attributes: certificate; ``id``, as `Backend` and host names of gateways take it."""

    def __init__(self, name: str, args: ServiceCertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("ServiceCertificate", name, _problems(args))
        super().__init__("edgewright:azure:ServiceCertificate", name, None, opts)
        self.certificate = _certificate(self, name, args)
        self.id = self.certificate.id
        self.register_outputs({"id": self.id})


def _problems(args: ServiceCertificateArgs) -> Iterator[str]:
    yield from key_problems(args, ServiceCertificateArgs, ("certificate",), "a certificate")
    yield from id_problems("certificate_id", args.get("certificate_id"))
    vault: Any = args.get("key_vault")
    if vault is not None:
        yield from key_vault_problems(vault, "key_vault")


def _certificate(parent: ServiceCertificate, name: str, args: ServiceCertificateArgs) -> apimanagement.Certificate:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "certificate_id": args["certificate_id"],
        "key_vault": key_vault_props(args["key_vault"]),
    }
    overrides = args.get("overrides")
    return place(
        apimanagement.Certificate, f"{name}-certificate", props, parent=parent, overrides=overrides, key="certificate"
    )
