"""The topology `balancer-first`: a public balancer asks who may, a private REST API behind it limits and caches.

client -> public Application Load Balancer (TLS, WAF, tokens) -> execute-api endpoint -> private REST API (cache,
throttle, quotas, keys) -> VPC link -> services' balancer -> services. See docs/aws.md for the diagram and why each
door is there.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from edgewright.aws import placement
from edgewright.aws.custom_domain import CustomDomain
from edgewright.aws.place_monitoring import place_monitoring
from edgewright.aws.placement import Compiled, EdgeArgs, Ground, Site
from edgewright.aws.private_endpoint import PrivateEndpoint
from edgewright.aws.rest_api import RestApi

PARTS = (
    "network",
    "certificate",
    "logs",
    "doors",
    "edge",
    "waf",
    "endpoint",
    "api",
    "domain",
    "link",
    "services",
    "log-role",
    "streams",
    "shield",
    "monitoring",
)


class BalancerFirst(pulumi.ComponentResource):
    """A public load balancer before a private REST API.

    Attributes: network, certificate, logs, doors, services, link, endpoint, log_role, api, domain, plans, edge, waf,
    records, streams, shield, monitoring; those that the edge does not need are None. ``url``, ``dns_name``,
    ``target_groups`` by backend (for a service's stack to attach itself), ``keys`` by ``AUTHORIZER:CLIENT`` (secrets).
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "balancer-first")
        super().__init__("edgewright:aws:BalancerFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, _parts(compiled))

        ground = placement.place_network(site)
        self.network = ground.part
        self.certificate = placement.place_certificate(site)
        self.logs = placement.place_logs(site)
        self.doors = placement.place_doors(site, ground)
        doors = self.doors.ids
        self.services = self.link = self.endpoint = self.log_role = self.api = self.domain = self.edge = self.waf = None
        self.plans: dict[str, Any] = {}
        self.records: dict[str, Any] = {}
        if compiled.artifact.edge_balancer is not None:
            self._web(site, ground, doors)
        self.streams = placement.place_streams(site, ground, doors)
        self.records |= placement.stream_records(site, self.streams)
        self.shield = placement.place_shield(site, edge=self.edge.arn) if self.edge is not None else None
        self.monitoring = place_monitoring(
            site, edge=self.edge, services=self.services, streams=self.streams, api=self.api, waf=self.waf
        )

        self.dns_name, self.url = placement.balancer_names(site, self.edge, self.streams)
        self.target_groups = placement.target_groups(site, self.services, self.streams)
        self.keys = placement.key_values(self.plans)
        self.register_outputs(
            {"url": self.url, "dnsName": self.dns_name, "targetGroups": self.target_groups, "keys": self.keys}
        )

    def _web(self, site: Site, ground: Ground, doors: Mapping[str, Any]) -> None:
        """What carries routes, from the services outwards: each part is told of the one behind it."""
        artifact = site.artifact
        if artifact.edge_balancer is None or artifact.services is None:
            raise AssertionError("compiled for another topology")
        self.services = placement.place_balancer(
            site, "services", artifact.services, ground.private_subnets, ground, doors["services"]
        )
        site.marks["services_balancer"] = self.services.arn
        self.link = placement.place_link(site, ground, doors["link"])
        self.endpoint = _endpoint(site, ground, doors["endpoint"])
        self.log_role = placement.place_log_role(site)
        api = placement.rest_arguments(
            site,
            self.log_role.role_arn if self.log_role is not None else None,
            endpoint_type="PRIVATE",
            vpc_endpoint_ids=[self.endpoint.id],
            policy=placement.private_policy(self.endpoint.id),
        )
        self.api = RestApi(f"{site.name}-api", api, site.options())
        site.marks["api_host"] = self.api.host
        self.plans = placement.place_usage_plans(site, self.api)
        self.domain = _domain(site, self.endpoint, self.api)
        addresses = {address: {"id": address, "port": 443} for address in self.endpoint.addresses}
        self.edge = placement.place_balancer(
            site, "edge", artifact.edge_balancer, ground.public_subnets, ground, doors["edge"], {"api": addresses}
        )
        self.waf = placement.place_waf(site, edge=self.edge.arn)
        self.records = placement.place_records(site, artifact.hosts, self.edge.dns_name, self.edge.zone_id)


def _parts(compiled: Compiled) -> tuple[str, ...]:
    """Parts that overrides may name."""
    rest = compiled.artifact.rest
    return (*PARTS, *(f"plan-{plan.authorizer}" for plan in (rest.plans if rest is not None else ())))


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
    else:
        args["endpoint_access_mode"] = "BASIC"  # a load balancer sends no SNI
    return CustomDomain(f"{site.name}-domain", args, site.options())
