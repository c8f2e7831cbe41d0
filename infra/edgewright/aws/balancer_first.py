"""The topology `balancer-first`: a public balancer asks who may, a private REST API behind it limits and caches.

client -> public Application Load Balancer (TLS, WAF, tokens) -> execute-api endpoint -> private REST API (cache,
throttle, quotas, keys) -> VPC link -> services' balancer -> services. See docs/aws.md for the diagram and why each
door is there.
"""

from typing import Any

import pulumi

from edgewright.aws import placement
from edgewright.aws.custom_domain import CustomDomain
from edgewright.aws.placement import EdgeArgs, Ground, Site
from edgewright.aws.private_endpoint import PrivateEndpoint
from edgewright.aws.rest_api import RestApi

PARTS = ("network", "certificate", "logs", "doors", "edge", "waf", "endpoint", "api", "domain", "link", "services")


class BalancerFirst(pulumi.ComponentResource):
    """A public load balancer before a private REST API.

    Attributes: network, certificate, logs, doors, services, link, endpoint, api, domain, plans, edge, waf, records;
    ``url``, ``dns_name``, ``target_groups`` by backend (for a service's stack to attach itself), ``keys`` by
    ``AUTHORIZER:CLIENT`` (secrets).
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "balancer-first")
        super().__init__("edgewright:aws:BalancerFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        artifact = site.artifact
        if artifact.edge_balancer is None or artifact.services is None:
            raise AssertionError("compiled for another topology")

        ground = placement.place_network(site)
        self.network = ground.part
        self.certificate = placement.place_certificate(site)
        self.logs = placement.place_logs(site)
        self.doors = placement.place_doors(
            site,
            ground,
            {
                "edge": artifact.edge_balancer.peers,
                "endpoint": artifact.endpoint_peers,
                "link": artifact.link_peers,
                "services": artifact.services.peers,
            },
        )
        doors = self.doors.ids
        self.services = placement.place_balancer(
            site, "services", artifact.services, ground.private_subnets, ground, doors["services"]
        )
        site.marks["services_balancer"] = self.services.arn
        self.link = placement.place_link(site, ground, doors["link"])
        self.endpoint = _endpoint(site, ground, doors["endpoint"])
        api = placement.rest_arguments(
            site,
            endpoint_type="PRIVATE",
            vpc_endpoint_ids=[self.endpoint.id],
            policy=placement.private_policy(self.endpoint.id),
        )
        self.api = RestApi(f"{name}-api", api, site.options())
        site.marks["api_host"] = self.api.host
        self.plans = placement.place_usage_plans(site, self.api.id, self.api.stage_name)
        self.domain = _domain(site, self.endpoint, self.api)
        addresses = {address: {"id": address, "port": 443} for address in self.endpoint.addresses}
        self.edge = placement.place_balancer(
            site, "edge", artifact.edge_balancer, ground.public_subnets, ground, doors["edge"], {"api": addresses}
        )
        self.waf = placement.place_waf(site, edge=self.edge.arn)
        self.records = placement.place_records(site, self.edge.dns_name, self.edge.zone_id)

        self.dns_name = self.edge.dns_name
        host = artifact.hosts[0] if artifact.hosts else None
        self.url = pulumi.Output.from_input(host or self.dns_name).apply(lambda at: f"https://{at}")
        self.target_groups = {key: self.services.target_group_arns[key] for key in artifact.services.targets}
        self.keys = {
            f"{authorizer}:{client}": value
            for authorizer, plan in self.plans.items()
            for client, value in plan.key_values.items()
        }
        self.register_outputs(
            {"url": self.url, "dnsName": self.dns_name, "targetGroups": self.target_groups, "keys": self.keys}
        )


def _endpoint(site: Site, ground: Ground, group: Any) -> PrivateEndpoint:
    subnets = {
        f"subnet-{index}": {"subnet_id": subnet, "ipv4": address}
        for index, (subnet, address) in enumerate(zip(ground.private_subnets, ground.addresses, strict=True), 1)
    }
    args = site.arguments(
        "endpoint",
        region=site.bindings.region,
        vpc_id=ground.vpc_id,
        subnets=subnets,
        security_group_ids=[group],
    )
    return PrivateEndpoint(f"{site.name}-endpoint", args, site.options())


def _domain(site: Site, endpoint: PrivateEndpoint, api: RestApi) -> CustomDomain | None:
    """The name by which the endpoint knows the API; without one the balancer rewrites the Host (docs/adr/0012)."""
    if site.bindings.domain_kind(site.artifact.hosts) == "rewrite":
        return None
    private = site.bindings.data.domain == "private"
    args = site.arguments(
        "domain",
        host=site.artifact.hosts[0],
        region=site.bindings.region,
        kind="private" if private else "rest",
        certificate_arn=site.marks["certificate"],
        mappings={"api": {"api_id": api.id, "stage": api.stage_name}},
    )
    if private:
        args["vpc_endpoint_id"] = endpoint.id
    return CustomDomain(f"{site.name}-domain", args, site.options())
