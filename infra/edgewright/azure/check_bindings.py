"""Checks of an Azure stack's bindings against its edge and topology: what is wrong with them, and what is not there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.azure.binding_model import BindingsModel, GatewaysModel, NetworkModel, SubnetModel
from edgewright.azure.compile_authorizers import keeps, named_values
from edgewright.azure.compile_monitoring import receiver
from edgewright.azure.network_regions import private_link_problems, zone_problems
from edgewright.azure.network_rules import cidr_problems
from edgewright.azure.tiers import BY_NAME
from edgewright.azure.topology import MEANT_INSTEAD, Topology
from edgewright.edge.model import Edge
from edgewright.spec.problems import did_you_mean

Trouble = tuple[tuple[str | int, ...], str, str]
"""Where in the bindings, what is wrong, and what to write instead."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """Something that a stack must bind: what it is, how to write it, and, where a text will not do in an offline plan,
    what stands in for it."""

    what: str
    remedy: str
    model: Mapping[str, Any] | None = None


_UNKNOWN = "00000000-0000-0000-0000-000000000000"

STAND_INS: Mapping[str, StandIn] = {
    "resource_group": StandIn("a resource group", "write `resource_group: NAME` of an existing one"),
    "subscription_id": StandIn("a subscription", f"write `subscription_id: {_UNKNOWN}`"),
    "location": StandIn("a location", "write `location: westeurope`"),
    "publisher": StandIn("who publishes the API", "write `publisher: {name: ..., email: ...}`"),
    "network": StandIn(
        "a network, existing or to create", "write `network: {create: {cidr: 10.0.0.0/16}}`, or its subnets"
    ),
    "certificate": StandIn(
        "a certificate for the host",
        "write `certificate: https://NAME.vault.azure.net/secrets/NAME`; API Management issues none",
    ),
    "certificate_identity": StandIn(
        "an identity that may read the certificate",
        "write `certificate_identity: {id: ..., client_id: ...}` of a user-assigned identity with the role Key Vault"
        " Secrets User on the vault: a service's own identity is not there before the service is",
    ),
    "gateways": StandIn(
        "where the self-hosted gateways run",
        "write `gateways: {image_tag: 2.13.0, scale_set: {...}}`, or `kubernetes: {create: {...}}`",
        {
            "image_tag": "2.13.0",
            "scale_set": {
                "app": {"tenant_id": _UNKNOWN, "client_id": _UNKNOWN, "principal_id": _UNKNOWN},
                "certificate": {
                    "vault_name": "bind-vault",
                    "secret_name": "bind-certificate",
                    "scope": "${bind.gateways.certificate.scope}",
                },
                "ssh_public_key": "ssh-ed25519 ${bind.gateways.ssh_public_key}",
            },
        },
    ),
}
"""By the name of the binding."""


def unbound_targets(found: BindingsModel, edge: Edge) -> Iterator[str]:
    """Names of ``monitor.notify`` that the stack does not bind."""
    yield from (name for name in (edge.monitor.notify if edge.monitor is not None else ()) if name not in found.notify)


def stand_in_target(name: str) -> str:
    """An action group that stands in for a target in an offline plan."""
    return f"/subscriptions/{_UNKNOWN}/resourceGroups/bind/providers/Microsoft.Insights/actionGroups/{name}"


def needed(edge: Edge, topology: Topology, behind: Sequence[str]) -> Iterator[str]:
    """What this edge needs bound on a topology, in the order in which one would bind it."""
    yield from ("resource_group", "subscription_id", "location")
    if edge.routes:
        yield "publisher"
    if topology in ("balancer-first", "appgw-waf") or behind or any(not item.web for item in edge.listeners):
        yield "network"
    # Front Door brings a certificate of its own.
    if topology != "front-door" and any(item.web and item.hosts for item in edge.listeners):
        yield "certificate"
        yield "certificate_identity"
    if topology == "balancer-first":
        yield "gateways"


def problems_of(found: BindingsModel, edge: Edge, topology: Topology, behind: Sequence[str]) -> Iterator[Trouble]:
    """All that is wrong with bindings. behind: backends behind the services' balancer."""
    yield from _tier(found)
    yield from ((("zones",), what, "") for what in zone_problems("the stack", list(found.zones or []), found.location))
    yield from _backends(found, edge)
    yield from _dns(found, edge)
    if found.network is not None:
        yield from _network(found.network, topology, behind, endpoints=_has_endpoints(found, edge, topology))
    yield from _gateways(found.gateways, topology)
    for name, target in found.notify.items():
        if isinstance(target, str) and receiver(target) is None:
            what = f"`{target}` is nobody whom Azure can tell"
            yield ("notify", name), what, "write an email address, an https webhook, or the id of an action group"
    yield from _credentials(found, edge)
    yield from _nodes_subnet(found)
    yield from _reached_from_pods(found, behind)
    if found.cache is not None and topology != "balancer-first":
        yield ("cache",), "the gateways of API Management have a cache of their own", "remove `cache`"
    if topology == "front-door":
        bound = found.front_door
        there = bound.link_location if bound is not None and bound.link_location is not None else found.location
        yield from ((("front_door", "link_location"), what, "") for what in private_link_problems(there))
    if found.front_door is not None and topology != "front-door":
        yield ("front_door",), f"{topology} has no Front Door", "remove `front_door`, or choose azure/front-door"


def _credentials(found: BindingsModel, edge: Edge) -> Iterator[Trouble]:
    """Credentials in Key Vault: each is one that a policy sends, and somebody may read it."""
    known = sorted(":".join(whose) for whose in named_values(edge).values())
    for name in found.credentials:
        if name not in known:
            there = f"there is {', '.join(f'`{one}`' for one in known)}" if known else "there is none"
            yield ("credentials", name), f"`{name}` is no client of an introspection that a route asks for", there
    if found.credentials and found.certificate_identity is None:
        identity = STAND_INS["certificate_identity"]
        yield ("certificate_identity",), "somebody must be let read `credentials` in Key Vault", identity.remedy


def _has_endpoints(found: BindingsModel, edge: Edge, topology: Topology) -> bool:
    """Whether there is a subnet of private endpoints: of the Redis of self-hosted gateways that is made."""
    return topology == "balancer-first" and keeps(edge) and not (found.cache is not None and found.cache.existing)


def _tier(found: BindingsModel) -> Iterator[Trouble]:
    if found.tier is not None and found.tier not in BY_NAME:
        what = f"there is no tier `{found.tier}`"
        if found.tier.lower() == "premiumv2":
            what = "the provider's API version does not know the tier `PremiumV2`"
        yield ("tier",), what, did_you_mean(found.tier, BY_NAME)


def _backends(found: BindingsModel, edge: Edge) -> Iterator[Trouble]:
    in_cluster = found.gateways is not None and found.gateways.kubernetes is not None
    for name, item in found.backends.items():
        at = ("backends", name)
        if name not in edge.backends:
            yield at, f"the spec has no backend `{name}`", did_you_mean(name, edge.backends)
        if sum((item.pool, item.url is not None, item.service is not None)) > 1:
            yield at, "a backend is behind a pool, at a URL, or a Service: one of them", "keep one"
        if item.url is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", item.url):
            yield (*at, "url"), f"`{item.url}` is no URL", "write it like https://orders.example"
        for word in ("service", "sample"):
            if getattr(item, word) and not in_cluster:
                yield (
                    (*at, word),
                    f"`{word}` is of a cluster, and the gateways are not in one",
                    "write `url`",
                )
        if item.sample and (item.pool or item.url is not None or item.service is not None):
            yield (*at, "sample"), "a sample is a Service of its own", "keep `sample` alone"


def _dns(found: BindingsModel, edge: Edge) -> Iterator[Trouble]:
    hosts = [host for item in edge.listeners if item.web for host in item.hosts]
    for host in hosts:
        if found.dns is not None and not host.endswith(f".{found.dns.zone}"):
            yield ("dns",), f"the host `{host}` is not in the zone `{found.dns.zone}`", "another zone"


def _network(found: NetworkModel, topology: Topology, behind: Sequence[str], *, endpoints: bool) -> Iterator[Trouble]:
    bound: dict[str, SubnetModel | None] = {
        "gateway_subnet": found.gateway_subnet,
        "services_subnet": found.services_subnet,
        "front_subnet": found.front_subnet,
        "endpoints_subnet": found.endpoints_subnet,
    }
    there = [name for name, item in bound.items() if item is not None]
    if found.create is not None:
        yield from ((("network", "create", "cidr"), what, "") for what in cidr_problems(found.create.cidr))
        if there:
            yield ("network",), "a network is created or there, not both", "remove `create` or the subnets"
        return
    wanted = ["gateway_subnet"] if behind or topology in ("balancer-first", "appgw-waf") else []
    wanted += ["services_subnet"] if behind else []
    wanted += ["front_subnet"] if topology == "appgw-waf" else []
    wanted += ["endpoints_subnet"] if endpoints else []
    for name in wanted:
        if bound[name] is None:
            listed = ", ".join(f"`{one}`" for one in wanted)
            yield ("network", name), f"an existing network needs {listed}, and `{name}` is missing", f"write {name}"
    for name in there:
        # A backend may move to a URL and back: what all topologies have may stay bound.
        if name not in (*wanted, "gateway_subnet", "services_subnet"):
            yield ("network", name), f"{topology} has no use for `{name}`", "remove it"


def _nodes_subnet(found: BindingsModel) -> Iterator[Trouble]:
    """A cluster's other ranges are checked against that of its nodes, which only the stack knows of what is there."""
    cluster = found.gateways.kubernetes if found.gateways is not None else None
    where = found.network.gateway_subnet if found.network is not None else None
    if cluster is not None and cluster.create is not None and where is not None and where.cidr is None:
        yield (
            ("network", "gateway_subnet"),
            "nodes of a cluster to create shall be in it, and its range is not said",
            "write it as `{id: ..., cidr: 10.0.0.0/24}`",
        )


def _reached_from_pods(found: BindingsModel, behind: Sequence[str]) -> Iterator[Trouble]:
    """What gateways in a cluster may reach is said by ranges."""
    in_cluster = found.gateways is not None and found.gateways.kubernetes is not None
    where = found.network.services_subnet if found.network is not None else None
    if in_cluster and behind and where is not None and where.cidr is None:
        yield (
            ("network", "services_subnet"),
            f"gateways in a cluster shall reach {', '.join(behind)} in it, and its range is not said",
            "write it as `{id: ..., cidr: 10.0.1.0/24}`",
        )


def _gateways(found: GatewaysModel | None, topology: Topology) -> Iterator[Trouble]:
    if found is None:
        return
    at = ("gateways",)
    if topology != "balancer-first":
        yield at, f"{topology} has API Management's own gateways", "remove `gateways`, or choose azure/balancer-first"
        return
    if found.managed:
        yield (
            at,
            "an Azure Load Balancer cannot stand before managed API Management: the service brings its own balancer,"
            " and a pool of addresses cannot hold a private endpoint",
            MEANT_INSTEAD,
        )
        return
    if found.image_tag is None:
        yield (*at, "image_tag"), "the version of the gateway's container must be said", "write `image_tag: 2.13.0`"
    if (found.scale_set is None) == (found.kubernetes is None):
        yield at, "gateways run on a scale set or on Kubernetes, one of them", "write `scale_set` or `kubernetes`"
    cluster = found.kubernetes
    if cluster is not None and (cluster.create is None) == (cluster.existing is None):
        yield (*at, "kubernetes"), "a cluster is created or there, one of them", "write `create` or `existing`"
    machines = found.scale_set
    if machines is not None and machines.min_count > machines.max_count:
        yield (*at, "scale_set"), "min_count is more than max_count", "write a larger max_count"
