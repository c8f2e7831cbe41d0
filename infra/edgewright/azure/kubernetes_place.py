"""Places plain Kubernetes objects as typed resources, under the provider of one cluster that is said."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pulumi
import pulumi_kubernetes

from edgewright.clouds.part import place

R = TypeVar("R", bound=pulumi.CustomResource)

PATIENCE = pulumi.CustomTimeouts(create="20m", update="20m")
"""Of what waits for pods: a new node may have to come, and an image be pulled, first."""


def provider_problems(kubeconfig: Any, opts: pulumi.ResourceOptions | None) -> list[str]:
    """Without a provider that is said, the machine's own kubeconfig would choose the cluster: that is refused."""
    said = kubeconfig is not None or _brings_provider(opts)
    return [] if said else ["write `kubeconfig`, or give a provider of Kubernetes in the options: none is assumed"]


def _brings_provider(opts: pulumi.ResourceOptions | None) -> bool:
    if opts is None:
        return False
    several: Any = opts.providers or []
    given: list[Any] = [*(several.values() if hasattr(several, "values") else several), opts.provider]
    if any(isinstance(one, pulumi_kubernetes.Provider) for one in given):
        return True
    return opts.parent is not None and opts.parent.get_provider("kubernetes:core/v1:Pod") is not None


def cluster_provider(
    parent: pulumi.Resource, name: str, kubeconfig: Any, cluster_id: Any, overrides: Mapping[str, Any] | None
) -> pulumi_kubernetes.Provider | None:
    """The provider for a kubeconfig; None without one, as the options bring it.

    cluster_id: with it only another cluster replaces the objects, not another text of the kubeconfig.
    """
    if kubeconfig is None:
        return None
    return place(
        pulumi_kubernetes.Provider,
        f"{name}-kubernetes",
        {"kubeconfig": pulumi.Output.secret(kubeconfig), "cluster_identifier": cluster_id},
        parent=parent,
        overrides=overrides,
        key="provider",
    )


def place_object(
    make: Callable[..., R],
    name: str,
    found: Mapping[str, Any],
    *,
    parent: pulumi.Resource,
    provider: pulumi.ProviderResource | None,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    key: str,
    **options: Any,
) -> R:
    """Make one object; its class says the API's version and the kind."""
    props = {_snake(field): value for field, value in found.items() if field not in ("apiVersion", "kind")}
    return place(make, name, props, parent=parent, overrides=overrides, key=key, provider=provider, **options)


def _snake(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), text)
