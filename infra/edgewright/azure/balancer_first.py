"""The topology `balancer-first`: a public Load Balancer before self-hosted gateways, on machines or on Kubernetes."""

from collections.abc import Mapping

import pulumi

from edgewright.azure import place_gateways as gateways
from edgewright.azure import place_monitoring as monitoring
from edgewright.azure import place_network as network
from edgewright.azure import place_service as service
from edgewright.azure import placement
from edgewright.azure.placement import EdgeArgs

PARTS = (
    *("network", "public", "services", "names", "service", "redis", "redis_names", "cache", "certificate", "api"),
    *("websockets", "gateway", "machines", "cluster", "gateways", "samples", "address", "record", "logs", "monitoring"),
)


class BalancerFirst(pulumi.ComponentResource):
    """A balancer before gateways of our own.

    Attributes: network, public (the balancer of gateways on machines and of streams), services (the internal one),
    names, service (API Management), redis and redis_names, cache, backends, backend_pools, named_values and fragments
    by id, certificate, api, websockets by route, machines (the scale set), kubernetes (cluster, gateway, samples,
    address), gateway (as API Management knows it), record, logs (where they go) and monitoring; those that the edge
    does not need are None. ``url``, ``address`` of clients, ``pools`` by backend for machines to join, ``keys`` by
    ``AUTHORIZER:CLIENT`` (secrets).
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "balancer-first")
        super().__init__("edgewright:azure:BalancerFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        self.logs = monitoring.place_logs(site)
        self.network = network.place_network(site, self.logs)
        self.public = network.place_public(site, self.logs)
        self.services = network.place_services(site, self.network, self.logs)
        self.names = network.place_names(site, self.network, self.services)
        self.service = service.place_service(site, None, self.logs, hosts=())
        self.redis_names, self.redis = gateways.place_redis(site, self.network)
        self.cache = gateways.place_cache(site, self.service, self.redis)
        held = service.place_held(site, self.service, self.services, after=[self.cache] if self.cache else [])
        self.backends, self.backend_pools, self.named_values, self.fragments, self.api, self.websockets = held
        self.certificate = gateways.place_certificate(site, self.service)
        self.machines = gateways.place_machines(site, self.network, self.service, self.public)
        self.kubernetes = gateways.place_cluster(site, self.network, self.service, self.logs)
        self.gateway = gateways.place_gateway(
            site, self.service, self.certificate, self.api, self.websockets, gateways.principal(site, self.kubernetes)
        )
        self.address = gateways.address(self.public, self.kubernetes)
        self.record = service.place_record(site, address=self.address)
        marks = {"service": self.service.id, **monitoring.balancer_marks(self.services, self.public)}
        self.monitoring = monitoring.place_monitoring(site, self.logs, marks)

        self.url = pulumi.Output.from_input(f"https://{site.artifact.hosts[0]}")
        self.dns_name = self.address
        self.pools: Mapping[str, pulumi.Output[str]] = network.pools_of(self.services, self.public)
        self.keys = service.keys_of(site, self.api)
        self.register_outputs({"url": self.url, "address": self.address, "pools": dict(self.pools), "keys": self.keys})
