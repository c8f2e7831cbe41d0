"""The topology `gateway-first`: an HTTP or REST API, a VPC link, and the services' balancer behind it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from edgewright.aws import placement
from edgewright.aws.application_load_balancer import ApplicationLoadBalancer
from edgewright.aws.custom_domain import CustomDomain
from edgewright.aws.place_monitoring import place_monitoring
from edgewright.aws.placement import Compiled, EdgeArgs, Ground, Site

if TYPE_CHECKING:
    from edgewright.aws.authorizer_function import AuthorizerFunction
    from edgewright.aws.http_api import HttpApi
    from edgewright.aws.place_websockets import WebSockets
    from edgewright.aws.rest_api import RestApi

# The parts that one kind of API needs are imported where they are made: their SDK modules are large.

PARTS = (
    "network",
    "certificate",
    "logs",
    "doors",
    "api",
    "authorizer",
    "waf",
    "domain",
    "link",
    "services",
    "log-role",
    "messages",
    "websocket-domain",
    "streams",
    "monitoring",
)


class GatewayFirst(pulumi.ComponentResource):
    """An API of API Gateway before services in a network.

    Attributes: network, certificate, logs, doors, services, log_role, link, authorizer, api, domain, plans, waf,
    websockets, streams, monitoring; those that the edge does not need are None. ``url``, ``dns_name``,
    ``target_groups`` by backend, ``keys`` by ``AUTHORIZER:CLIENT`` (secrets), ``urls`` of WebSockets by route.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        compiled = placement.compiled_of(args, "gateway-first")
        super().__init__("edgewright:aws:GatewayFirst", name, None, opts)
        site = placement.site(name, self, compiled, args, _parts(compiled))
        ground = placement.place_network(site)
        self.network = ground.part
        self.certificate = placement.place_certificate(site)
        self.logs = placement.place_logs(site)
        self.doors = placement.place_doors(site, ground)
        doors = self.doors.ids
        self.services = _services(site, ground, doors)
        self.log_role = placement.place_log_role(site)
        log_role = self.log_role.role_arn if self.log_role is not None else None
        self.link = placement.place_link(site, ground, doors["link"]) if "link" in doors else None
        self.authorizer = _authorizer(site)
        self.api = _api(site, log_role)
        if self.authorizer is not None and self.api is not None:
            self.authorizer.allow("api", self.api.execution_arn)
        self.plans = placement.place_usage_plans(site, self.api) if self.api is not None else {}
        self.domain = _domain(site, self.api) if self.api is not None else None
        self.waf = placement.place_waf(site, stage=self.api.stage.arn) if self.api is not None else None
        self.websockets = _websockets(site, ground, doors, self.services, log_role)
        self.streams = placement.place_streams(site, ground, doors)
        self.records = placement.stream_records(site, self.streams)
        self.monitoring = place_monitoring(
            site,
            services=self.services,
            streams=self.streams,
            api=self.api,
            waf=self.waf,
            websockets=self.websockets,
        )

        self.dns_name, self.url = _names(site, self)
        self.target_groups = placement.target_groups(site, self.services, self.streams)
        self.keys = placement.key_values(self.plans)
        self.urls: Mapping[str, pulumi.Output[str]] = self.websockets.urls if self.websockets is not None else {}
        self.register_outputs(
            {
                "url": self.url,
                "dnsName": self.dns_name,
                "targetGroups": self.target_groups,
                "keys": self.keys,
                "webSocketUrls": dict(self.urls),
            }
        )


def _parts(compiled: Compiled) -> tuple[str, ...]:
    """Parts that overrides may name."""
    found = [item.stage for item in compiled.artifact.websockets]
    each = [f"{kind}-{stage}" for stage in found for kind in ("websocket", "authorizer")]
    plans = [f"plan-{plan.authorizer}" for plan in (compiled.artifact.rest.plans if compiled.artifact.rest else ())]
    return (*PARTS, *each, *plans)


def _services(site: Site, ground: Ground, doors: Mapping[str, Any]) -> ApplicationLoadBalancer | None:
    """The services' balancer; sets the marks of what APIs integrate with. None for an edge without routes."""
    if site.artifact.services is None:
        return None
    part = placement.place_balancer(
        site, "services", site.artifact.services, ground.private_subnets, ground, doors["services"]
    )
    site.marks["services_balancer"] = part.arn
    site.marks["services_listener"] = part.listeners["services"].arn
    return part


def _api(site: Site, log_role: Any) -> "RestApi | HttpApi | None":
    if site.artifact.http is not None:
        return _http(site)
    return _rest(site, log_role) if site.artifact.rest is not None else None


def _websockets(
    site: Site,
    ground: Ground,
    doors: Mapping[str, Any],
    services: ApplicationLoadBalancer | None,
    log_role: Any,
) -> "WebSockets | None":
    if not site.artifact.websockets or services is None:
        return None
    from edgewright.aws.place_websockets import place_websockets

    return place_websockets(site, ground, doors["messages"], services, log_role)


def _names(site: Site, made: GatewayFirst) -> tuple[pulumi.Output[str] | None, pulumi.Output[str] | None]:
    """Where DNS should point, and where clients should: of the API, else of what the edge has instead."""
    host = site.artifact.hosts[0] if site.artifact.hosts else None
    if made.domain is not None:
        return made.domain.target_dns_name, pulumi.Output.from_input(f"https://{host}")
    if made.api is not None:
        return pulumi.Output.from_input(made.api.host), made.api.invoke_url
    if made.websockets is not None:
        first = next(iter(made.websockets.urls.values()))
        return first.apply(lambda url: url.split("/")[2]), first
    return placement.stream_names(site, made.streams)


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
        **placement.log_settings(site),
    )
    part = AuthorizerFunction(f"{site.name}-authorizer", args, site.options())
    site.marks["authorizer_uri"] = part.invoke_arn
    return part


def _rest(site: Site, log_role: Any) -> "RestApi":
    from edgewright.aws.rest_api import RestApi

    named = bool(site.artifact.hosts and site.bindings.certified)
    args = placement.rest_arguments(site, log_role, endpoint_type="REGIONAL", disable_execute_api_endpoint=named)
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
        stage={"routes": dict(http.routes), "access_log": placement.log_settings(site)},
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
