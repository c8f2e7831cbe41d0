"""The topology `gateway-first`: API Management, and the services' Load Balancer behind it in a network."""

from collections.abc import Mapping

import pulumi

from edgewright.azure import place_monitoring as monitoring
from edgewright.azure import place_network as network
from edgewright.azure import place_service as service
from edgewright.azure import placement
from edgewright.azure.placement import EdgeArgs

PARTS = ("network", "services", "public", "names", "service", "api", "websockets", "record", "logs", "monitoring")


class GatewayFirst(pulumi.ComponentResource):
    """API Management before services in a network.

    Attributes: network, services (the internal balancer), public (the balancer of streams), names (the private zone),
    service (API Management), backends, backend_pools, named_values and fragments by id, api, websockets by route,
    record, logs (where they go) and monitoring; those that the edge does not need are None. ``url``, ``dns_name`` to
    point the host at, ``pools`` by backend for machines to join, ``keys`` by ``AUTHORIZER:CLIENT`` (secrets),
    ``address`` of streams.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "gateway-first")
        super().__init__("edgewright:azure:GatewayFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        self.logs = monitoring.place_logs(site)
        self.network = network.place_network(site, self.logs)
        self.public = network.place_public(site, self.logs)
        self.services = network.place_services(site, self.network, self.logs)
        self.names = network.place_names(site, self.network, self.services)
        hosts = site.artifact.hosts
        inside = network.subnet(site, self.network, "gateway")
        self.service = service.place_service(site, inside, self.logs, hosts=hosts) if site.artifact.web else None
        held = service.place_held(site, self.service, self.services) if self.service else service.NOTHING_HELD
        self.backends, self.backend_pools, self.named_values, self.fragments, self.api, self.websockets = held
        own = self.service.gateway_host if self.service else None
        self.record = service.place_record(site, name=own)
        marks = {"service": self.service.id} if self.service else {}
        marks |= monitoring.balancer_marks(self.services, self.public)
        self.monitoring = monitoring.place_monitoring(site, self.logs, marks)

        self.dns_name = own
        self.url = pulumi.Output.concat("https://", hosts[0] if hosts else own) if own is not None else None
        self.pools: Mapping[str, pulumi.Output[str]] = network.pools_of(self.services, self.public)
        self.address = network.address_of(self.public)
        self.keys = service.keys_of(site, self.api)
        self.register_outputs(
            {
                **({"url": self.url, "dnsName": self.dns_name} if self.url is not None else {}),
                "pools": dict(self.pools),
                "keys": self.keys,
                **({"address": self.address} if self.address is not None else {}),
            }
        )
