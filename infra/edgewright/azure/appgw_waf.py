"""The topology `appgw-waf`: an Application Gateway with a firewall before API Management inside the network."""

from collections.abc import Mapping

import pulumi

from edgewright.azure import place_front as front
from edgewright.azure import place_monitoring as monitoring
from edgewright.azure import place_network as network
from edgewright.azure import place_service as service
from edgewright.azure import placement
from edgewright.azure.placement import EdgeArgs

PARTS = (
    *("network", "services", "public", "names", "service", "api", "websockets", "firewall", "service_names"),
    *("record", "logs", "monitoring"),
)


class AppGwWaf(pulumi.ComponentResource):
    """A firewall before API Management that only the network reaches.

    Attributes: network, services (the internal balancer), public (the balancer of streams), names (the private zone of
    services), service (API Management), service_names (the private zone of its own name), backends, backend_pools,
    named_values and fragments by id, api, websockets by route, firewall (the Application Gateway), record, logs (where
    they go) and monitoring; those that the edge does not need are None. ``url``, ``address`` of clients, ``pools`` by
    backend for machines to join, ``keys`` by ``AUTHORIZER:CLIENT`` (secrets).
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "appgw-waf")
        super().__init__("edgewright:azure:AppGwWaf", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        hosts = site.artifact.hosts
        self.logs = monitoring.place_logs(site)
        self.network = network.place_network(site, self.logs)
        self.public = network.place_public(site, self.logs)
        self.services = network.place_services(site, self.network, self.logs)
        self.names = network.place_names(site, self.network, self.services)
        inside = network.subnet(site, self.network, "gateway")
        self.service = service.place_service(site, inside, self.logs, hosts=hosts)
        self.service_names = front.place_service_names(site, self.network, self.service)
        held = service.place_held(site, self.service, self.services)
        self.backends, self.backend_pools, self.named_values, self.fragments, self.api, self.websockets = held
        self.firewall = front.place_firewall(site, self.network, self.service, self.logs)
        self.address = pulumi.Output.from_input(self.firewall.ip_address).apply(lambda found: found or "")
        self.record = service.place_record(site, address=self.address)
        marks = {"service": self.service.id, **monitoring.balancer_marks(self.services, self.public)}
        marks |= {"application_gateway": self.firewall.id}
        self.monitoring = monitoring.place_monitoring(site, self.logs, marks)

        self.url = pulumi.Output.from_input(f"https://{hosts[0]}")
        self.dns_name = self.address
        self.pools: Mapping[str, pulumi.Output[str]] = network.pools_of(self.services, self.public)
        self.keys = service.keys_of(site, self.api)
        self.register_outputs({"url": self.url, "address": self.address, "pools": dict(self.pools), "keys": self.keys})
