"""The topology `balancer-only`: one public balancer that routes, asks for tokens, and sends requests to services."""

from typing import Any

import pulumi

from edgewright.aws import placement
from edgewright.aws.place_monitoring import place_monitoring
from edgewright.aws.placement import EdgeArgs

PARTS = ("network", "certificate", "logs", "doors", "edge", "waf", "streams", "shield", "monitoring")


class BalancerOnly(pulumi.ComponentResource):
    """A public load balancer before services.

    Attributes: network, certificate, logs, doors, edge, waf, records, streams, shield, monitoring; those that the edge
    does not need are None. ``url``, ``dns_name``, ``target_groups`` by backend.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "balancer-only")
        super().__init__("edgewright:aws:BalancerOnly", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        artifact = site.artifact

        ground = placement.place_network(site)
        self.network = ground.part
        self.certificate = placement.place_certificate(site)
        self.logs = placement.place_logs(site)
        self.doors = placement.place_doors(site, ground)
        doors = self.doors.ids
        self.edge = self.waf = None
        self.records: dict[str, Any] = {}
        if artifact.edge_balancer is not None:
            self.edge = placement.place_balancer(
                site, "edge", artifact.edge_balancer, ground.public_subnets, ground, doors["edge"]
            )
            self.waf = placement.place_waf(site, edge=self.edge.arn)
            self.records = placement.place_records(site, artifact.hosts, self.edge.dns_name, self.edge.zone_id)
        self.streams = placement.place_streams(site, ground, doors)
        self.records |= placement.stream_records(site, self.streams)
        self.shield = placement.place_shield(site, edge=self.edge.arn) if self.edge is not None else None
        self.monitoring = place_monitoring(site, edge=self.edge, streams=self.streams, waf=self.waf)

        self.dns_name, self.url = placement.balancer_names(site, self.edge, self.streams)
        self.target_groups = placement.target_groups(site, self.edge, self.streams)
        self.register_outputs({"url": self.url, "dnsName": self.dns_name, "targetGroups": self.target_groups})
