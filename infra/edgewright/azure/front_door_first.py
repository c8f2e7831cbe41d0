"""The topology `front-door`: a Front Door with a firewall before a private endpoint of API Management."""

from collections.abc import Mapping

import pulumi

from edgewright.azure import place_front as front
from edgewright.azure import place_monitoring as monitoring
from edgewright.azure import place_network as network
from edgewright.azure import place_service as service
from edgewright.azure import placement
from edgewright.azure.placement import EdgeArgs

PARTS = (
    *("network", "services", "public", "names", "service", "api", "websockets", "front_door", "record"),
    *("logs", "monitoring"),
)


class FrontDoorFirst(pulumi.ComponentResource):
    """Front Door before API Management, in the two phases that Azure forces (`next_step` says what a person does).

    Attributes: network, services (the internal balancer), public (the balancer of streams), names (the private zone),
    service (API Management), front_door, backends, backend_pools, named_values and fragments by id, api, websockets by
    route, record, logs (where they go) and monitoring; those that the edge does not need are None. ``url``,
    ``dns_name`` to point the host at, ``dns_records`` that prove whose the host is, ``next_step``, ``pools`` by
    backend for machines to join, ``keys`` by ``AUTHORIZER:CLIENT`` (secrets), ``address`` of streams.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "front-door")
        super().__init__("edgewright:azure:FrontDoorFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        hosts = site.artifact.hosts
        self.logs = monitoring.place_logs(site)
        self.network = network.place_network(site, self.logs)
        self.public = network.place_public(site, self.logs)
        self.services = network.place_services(site, self.network, self.logs)
        self.names = network.place_names(site, self.network, self.services)
        inside = network.subnet(site, self.network, "gateway")
        self.service = service.place_service(site, inside, self.logs, hosts=(), **front.closed(site))
        self.front_door = front.place_front_door(site, self.service, self.logs)
        known = dict.fromkeys(site.artifact.plain_values, self.front_door.front_door_id)
        held = service.place_held(site, self.service, self.services, plain=known)
        self.backends, self.backend_pools, self.named_values, self.fragments, self.api, self.websockets = held
        self.record = service.place_record(site, name=self.front_door.host)
        marks = {"service": self.service.id, **monitoring.balancer_marks(self.services, self.public)}
        marks |= {"front_door": self.front_door.profile.id}
        self.monitoring = monitoring.place_monitoring(site, self.logs, marks)

        self.dns_name = self.front_door.host
        self.dns_records = self.front_door.dns_records
        self.next_step = self.front_door.next_step
        self.url = pulumi.Output.concat("https://", hosts[0] if hosts else self.front_door.host)
        self.pools: Mapping[str, pulumi.Output[str]] = network.pools_of(self.services, self.public)
        self.address = network.address_of(self.public)
        self.keys = service.keys_of(site, self.api)
        self.register_outputs(
            {
                "url": self.url,
                "dnsName": self.dns_name,
                "dnsRecords": self.dns_records,
                "nextStep": self.next_step,
                "pools": dict(self.pools),
                "keys": self.keys,
                **({"address": self.address} if self.address is not None else {}),
            }
        )
