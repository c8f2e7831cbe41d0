"""The Pulumi program of every stack: read its settings through the engine, compile the spec, place the topology."""

from collections.abc import Mapping
from pathlib import Path

import pulumi

from edgewright.spec.problems import SpecError
from edgewright.stack import NAMESPACE, Settings, StackError, from_values


def program(root: Path, folder: Path, credentials: Mapping[str, str] | None = None) -> None:
    """Declare the stack that the engine runs, and export what its users need.

    root: the folder of Pulumi.yaml; folder: that of the stacks' files, from which relative paths are read; credentials:
    those that stand in the stack's file as plain text, which `edgewright up` keeps from the engine's config.
    Called by ``stacks/__main__.py`` under the language host, and in this process by `edgewright up`.
    """
    try:
        settings = settings_of_engine(root, folder)
        if credentials:
            settings = settings.with_credentials(credentials)
        if settings.topology == "local":
            _local(settings)
        elif settings.topology.startswith("azure/"):
            from edgewright.azure.program import place_stack as place_azure

            place_azure(settings)
        else:
            from edgewright.aws.program import place_stack as place_aws

            place_aws(settings)
    except (SpecError, StackError) as error:
        raise pulumi.RunError(str(error)) from None  # shown as it stands, without a traceback


def _local(settings: Settings) -> None:
    from edgewright.local.resource import LocalEdge

    edge = LocalEdge(
        settings.spec.name.split(".")[0],
        spec=settings.spec,
        bindings=settings.bindings,
        credentials=settings.credentials,
        state_dir=settings.state_dir,
        work_dir=settings.root,
    )
    pulumi.export("url", edge.url)
    pulumi.export("listeners", edge.listeners)
    pulumi.export("caCertificate", edge.ca_certificate)
    pulumi.export("stateDir", str(settings.state_dir))


def settings_of_engine(root: Path, folder: Path) -> Settings:
    """The settings of the stack that the engine runs, its credentials as a secret input."""
    config = pulumi.Config(NAMESPACE)
    stack = pulumi.get_stack()
    found = {
        "spec": config.get("spec"),
        "topology": config.get("topology", "local"),
        "bindings": config.get_object("bindings"),
    }
    settings = from_values(root, folder, stack, found, source=f"Pulumi.{stack}.yaml")
    return settings.with_credentials(config.get_secret_object("credentials"))
