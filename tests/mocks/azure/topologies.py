"""The Azure topologies as tests have them: what a stack binds, and a way to place one as a program does."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

from azure_stacks import BOUND, REPOSITORY, ZERO
from edgewright.azure.placement import EdgeArgs
from edgewright.azure.topologies import topology_class
from edgewright.azure.topology import Topology
from edgewright.plan.recorder import Recording
from mocks.azure.components import record

SPECS = REPOSITORY / "tests" / "golden" / "azure"
GROUP = f"/subscriptions/{ZERO}/resourceGroups/edge/providers"
SUBNETS = f"{GROUP}/Microsoft.Network/virtualNetworks/edge/subnets"
SCALE_SET: Mapping[str, Any] = {
    "image_tag": "2.13.0",
    "scale_set": {
        "app": {"tenant_id": ZERO, "client_id": ZERO, "principal_id": ZERO},
        "certificate": {
            "vault_name": "shop-gateways",
            "secret_name": "gateway-app",
            "scope": f"{GROUP}/Microsoft.KeyVault/vaults/shop-gateways/secrets/gateway-app",
        },
        "ssh_public_key": "ssh-ed25519 AAAA edge@shop.example",
    },
}
KUBERNETES: Mapping[str, Any] = {
    "image_tag": "2.13.0",
    "kubernetes": {"create": {"api_server_ranges": ["203.0.113.0/24"]}},
}
SECRETS: Mapping[str, str] = {"tokens:edge": "secret-1", "partner:shop edge": "secret-2"}
"""Of the spec `introspection`."""


def bindings(topology: Topology, **more: Any) -> dict[str, Any]:
    """What a stack binds; ``more`` wins, and None leaves a binding out."""
    given = {**BOUND, "tags": {"team": "shop"}, **({"gateways": SCALE_SET} if topology == "balancer-first" else {})}
    return {key: value for key, value in {**given, **more}.items() if value is not None}


def make(
    spec: str | Mapping[str, Any],
    topology: Topology,
    options: pulumi.ResourceOptions | None = None,
    *,
    overrides: Any = None,
    credentials: Any = None,
    kept: Mapping[str, str] | None = None,
    **more: Any,
) -> Any:
    """Place a topology as a program does; spec: one of `SPECS` by its name, or its content; kept: credentials in Key
    Vault."""
    args: dict[str, Any] = {
        "spec": str(SPECS / f"{spec}.edge.yaml") if isinstance(spec, str) else spec,
        "bindings": bindings(topology, credentials=kept, **more),
        "credentials": SECRETS if credentials is None else credentials,
    }
    args |= {"overrides": overrides} if overrides else {}
    return topology_class(topology)("it", cast(EdgeArgs, args), options)


_KEPT: dict[str, Recording] = {}


def made(spec: str, topology: Topology, **more: Any) -> Recording:
    """What a topology makes; of the same arguments it is recorded once in a process."""
    key = repr((spec, topology, sorted(more.items())))
    if key not in _KEPT:
        _KEPT[key] = record(lambda: make(spec, topology, **more))
    return _KEPT[key]


def outputs(place: Callable[[], Any], *names: str) -> tuple[Any, ...]:
    """Attributes of a topology as a stack would show them."""

    def program() -> None:
        part = place()
        for name in names:
            pulumi.export(name, getattr(part, name))

    found = record(program).outputs
    return tuple(found[name] for name in names)


def of(found: Recording, kind: str) -> dict[str, Mapping[str, Any]]:
    """Inputs by name of the resources of a type such as ``network:LoadBalancer``."""
    return {item.name: item.inputs for item in found.resources if item.type == f"azure-native:{kind}"}


def file_of(spec: str) -> Path:
    return SPECS / f"{spec}.edge.yaml"
