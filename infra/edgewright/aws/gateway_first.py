"""The topology `gateway-first`: an HTTP or REST API, a VPC link, and the services' balancer behind it."""

from typing import TYPE_CHECKING

import pulumi

from edgewright.aws import placement
from edgewright.aws.custom_domain import CustomDomain
from edgewright.aws.placement import EdgeArgs, Site

if TYPE_CHECKING:
    from edgewright.aws.authorizer_function import AuthorizerFunction
    from edgewright.aws.http_api import HttpApi
    from edgewright.aws.rest_api import RestApi

# The parts that one kind of API needs are imported where they are made: their SDK modules are large.

PARTS = ("network", "certificate", "logs", "doors", "api", "authorizer", "waf", "domain", "link", "services")


class GatewayFirst(pulumi.ComponentResource):
    """An API of API Gateway before services in a network.

    Attributes: network, certificate, logs, doors, services, link, authorizer, api, domain, plans, waf; ``url``,
    ``dns_name``, ``target_groups`` by backend, ``keys`` by ``AUTHORIZER:CLIENT`` (secrets).
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "gateway-first")
        super().__init__("edgewright:aws:GatewayFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, PARTS)
        artifact = site.artifact
        if artifact.services is None:
            raise AssertionError("compiled for another topology")

        ground = placement.place_network(site)
        self.network = ground.part
        self.certificate = placement.place_certificate(site)
        self.logs = placement.place_logs(site)
        self.doors = placement.place_doors(
            site, ground, {"link": artifact.link_peers, "services": artifact.services.peers}
        )
        doors = self.doors.ids
        self.services = placement.place_balancer(
            site, "services", artifact.services, ground.private_subnets, ground, doors["services"]
        )
        site.marks["services_balancer"] = self.services.arn
        site.marks["services_listener"] = self.services.listeners["services"].arn
        self.link = placement.place_link(site, ground, doors["link"])
        self.authorizer = _authorizer(site)
        self.api = _http(site) if artifact.http is not None else _rest(site)
        if self.authorizer is not None:
            self.authorizer.allow("api", self.api.execution_arn)
        self.plans = placement.place_usage_plans(site, self.api.id, self.api.stage_name)
        self.domain = _domain(site, self.api)
        stage = self.api.stage.arn
        self.waf = placement.place_waf(site, stage=stage) if artifact.rest is not None else None

        own = pulumi.Output.from_input(self.api.host)
        self.dns_name = self.domain.target_dns_name if self.domain is not None else own
        self.url = (
            pulumi.Output.from_input(f"https://{artifact.hosts[0]}") if self.domain is not None else self.api.invoke_url
        )
        self.target_groups = {key: self.services.target_group_arns[key] for key in artifact.services.targets}
        self.keys = {
            f"{authorizer}:{client}": value
            for authorizer, plan in self.plans.items()
            for client, value in plan.key_values.items()
        }
        self.register_outputs(
            {"url": self.url, "dnsName": self.dns_name, "targetGroups": self.target_groups, "keys": self.keys}
        )


def _authorizer(site: Site) -> "AuthorizerFunction | None":
    """The function that checks tokens for a REST API; sets the mark ``authorizer_uri``."""
    rest = site.artifact.rest
    if rest is None or rest.authorizer is None:
        return None
    from edgewright.aws.authorizer_function import AuthorizerFunction

    args = site.arguments(
        "authorizer",
        region=site.bindings.region,
        config=rest.authorizer.config,
        values=site.marks,
        retention_days=site.artifact.access_log_days,
    )
    part = AuthorizerFunction(f"{site.name}-authorizer", args, site.options())
    site.marks["authorizer_uri"] = part.invoke_arn
    return part


def _rest(site: Site) -> "RestApi":
    from edgewright.aws.rest_api import RestApi

    named = bool(site.artifact.hosts and site.bindings.certified)
    args = placement.rest_arguments(site, endpoint_type="REGIONAL", disable_execute_api_endpoint=named)
    return RestApi(f"{site.name}-api", args, site.options())


def _http(site: Site) -> "HttpApi":
    http = site.artifact.http
    if http is None:
        raise AssertionError("compiled for a REST API")
    from edgewright.aws.http_api import HttpApi

    named = bool(site.artifact.hosts and site.bindings.certified)
    args = site.arguments(
        "api",
        region=site.bindings.region,
        body=placement.api_body(site, http.body),
        disable_execute_api_endpoint=named,
        stage={"routes": dict(http.routes), "access_log": {"retention_days": site.artifact.access_log_days}},
    )
    return HttpApi(f"{site.name}-api", args, site.options())


def _domain(site: Site, api: "RestApi | HttpApi") -> CustomDomain | None:
    """The edge's own name, where there is a certificate for it."""
    if not site.artifact.hosts or not site.bindings.certified:
        return None
    data = site.bindings.data
    args = site.arguments(
        "domain",
        host=site.artifact.hosts[0],
        region=site.bindings.region,
        kind="rest" if site.artifact.rest is not None else "http",
        certificate_arn=site.marks["certificate"],
        mappings={"api": {"api_id": api.id, "stage": api.stage_name}},
    )
    if data.dns is not None:
        args |= {"zone_id": data.dns.zone_id, "zone_name": data.dns.zone}
    bundle = next(
        (item.tls.client_ca for item in site.compiled.edge.listeners if item.tls and item.tls.client_ca), None
    )
    if bundle is not None:
        store = data.trust_bundles.get(bundle)
        bucket = store.bucket if store else placement.late(site.bindings.placeholders[f"bundle:{bundle}"])
        key = store.key if store else "bundle.pem"
        args["mutual_tls"] = {
            "truststore_uri": pulumi.Output.concat("s3://", bucket, "/", key),
            **({"truststore_version": store.version} if store and store.version else {}),
        }
    return CustomDomain(f"{site.name}-domain", args, site.options())
