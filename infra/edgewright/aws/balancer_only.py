"""The topology `balancer-only`: one public balancer that routes, asks for tokens, and sends requests to services."""

import pulumi

from edgewright.aws import placement
from edgewright.aws.placement import EdgeArgs

PARTS = ("network", "certificate", "logs", "doors", "edge", "waf")


class BalancerOnly(pulumi.ComponentResource):
    """A public load balancer before services.

    Attributes: network, certificate, logs, doors, edge, waf, records; ``url``, ``dns_name``, ``target_groups`` by
    backend.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "balancer-only")
        super().__init__("edgewright:aws:BalancerOnly", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        artifact = site.artifact
        if artifact.edge_balancer is None:
            raise AssertionError("compiled for another topology")

        ground = placement.place_network(site)
        self.network = ground.part
        self.certificate = placement.place_certificate(site)
        self.logs = placement.place_logs(site)
        self.doors = placement.place_doors(site, ground, {"edge": artifact.edge_balancer.peers})
        self.edge = placement.place_balancer(
            site, "edge", artifact.edge_balancer, ground.public_subnets, ground, self.doors.ids["edge"]
        )
        self.waf = placement.place_waf(site, edge=self.edge.arn)
        self.records = placement.place_records(site, self.edge.dns_name, self.edge.zone_id)

        self.dns_name = self.edge.dns_name
        host = artifact.hosts[0] if artifact.hosts else None
        secure = any(item.get("protocol") == "HTTPS" for item in artifact.edge_balancer.listeners.values())
        scheme = "https" if secure else "http"
        self.url = pulumi.Output.from_input(host or self.dns_name).apply(lambda at: f"{scheme}://{at}")
        self.target_groups = {key: self.edge.target_group_arns[key] for key in artifact.edge_balancer.targets}
        self.register_outputs({"url": self.url, "dnsName": self.dns_name, "targetGroups": self.target_groups})
