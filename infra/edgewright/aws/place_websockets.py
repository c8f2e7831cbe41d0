"""Places the WebSocket APIs of gateway-first: the link, an API for each ``WS`` route, and the domain before them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from edgewright.aws.application_load_balancer import ApplicationLoadBalancer
from edgewright.aws.artifact import Json, WebSocket
from edgewright.aws.authorizer_function import AuthorizerFunction
from edgewright.aws.compile_services import LISTENER
from edgewright.aws.compile_websocket import PART
from edgewright.aws.custom_domain import CustomDomain
from edgewright.aws.log_group import after
from edgewright.aws.placement import Ground, Site, log_settings
from edgewright.aws.websocket_api import WebSocketApi
from edgewright.aws.websocket_link import WebSocketLink

ROUTES = ("$connect", "$disconnect", "$default")


@dataclass(frozen=True, slots=True)
class WebSockets:
    """What was placed; all but the link and the domain by the route's first segment. urls: of clients, by route key."""

    link: WebSocketLink
    authorizers: Mapping[str, AuthorizerFunction]
    apis: Mapping[str, WebSocketApi]
    domain: CustomDomain | None
    urls: Mapping[str, pulumi.Output[str]]


def place_websockets(
    site: Site, ground: Ground, group: Any, services: ApplicationLoadBalancer, log_role: Any
) -> WebSockets:
    """The WebSocket APIs. group: of the balancer between; log_role: what their stages wait for, or None."""
    link = _link(site, ground, group, services)
    authorizers: dict[str, AuthorizerFunction] = {}
    apis: dict[str, WebSocketApi] = {}
    for item in site.artifact.websockets:
        if item.authorizer is not None:
            authorizers[item.stage] = _authorizer(site, item, item.authorizer.config)
        api = _api(site, item, link, authorizers.get(item.stage), log_role)
        apis[item.stage] = api
        if item.stage in authorizers:
            authorizers[item.stage].allow("api", api.execution_arn)
    domain = _domain(site, apis)
    urls = {item.route: _url(item, apis[item.stage], domain) for item in site.artifact.websockets}
    return WebSockets(link, authorizers, apis, domain, urls)


def _link(site: Site, ground: Ground, group: Any, services: ApplicationLoadBalancer) -> WebSocketLink:
    plan = site.artifact.messages
    if plan is None:
        raise AssertionError("compiled without WebSocket APIs")
    # A balancer can be a target once it listens on the port.
    arn = after(services.arn, [services.listeners[LISTENER].arn])
    groups: dict[str, Json] = {key: dict(item) for key, item in plan.target_groups.items()}
    groups[PART]["targets"] = {"services": {"id": arn, "port": groups[PART]["port"]}}
    args = site.arguments(
        PART,
        vpc_id=ground.vpc_id,
        subnets=list(ground.private_subnets),
        security_group_id=group,
        listeners=dict(plan.listeners),
        target_groups=groups,
        deletion_protection=site.bindings.production,
        access_logs={"bucket": site.marks["logs"], "prefix": PART},
    )
    return WebSocketLink(f"{site.name}-{PART}", args, site.options())


def _authorizer(site: Site, item: WebSocket, config: Json) -> AuthorizerFunction:
    part = f"authorizer-{item.stage}"
    args = site.arguments(
        part,
        region=site.bindings.region,
        config=config,
        values=site.marks,
        **log_settings(site),
    )
    return AuthorizerFunction(f"{site.name}-{part}", args, site.options())


def _api(
    site: Site, item: WebSocket, link: WebSocketLink, authorizer: AuthorizerFunction | None, log_role: Any
) -> WebSocketApi:
    host = site.artifact.hosts[0] if site.artifact.hosts else None
    secure = site.bindings.certified and host is not None
    # The address of a link of version 1 says which name the balancer is asked for, and whether by TLS.
    uri = f"https://{host}{item.path}" if secure else pulumi.Output.concat("http://", link.dns_name, item.path)
    route: Json = {"integration_uri": uri, "vpc_link_id": link.id, "request_parameters": dict(item.headers)}
    routes = {key: dict(route) for key in ROUTES}
    part = f"websocket-{item.stage}"
    stage: Json = {
        "name": item.stage,
        "access_log": log_settings(site),
        "log_role_arn": log_role,
    }
    if item.throttle is not None:
        stage["routes"] = {"$connect": dict(item.throttle)}
    args = site.arguments(
        part,
        region=site.bindings.region,
        routes=routes,
        stage={key: value for key, value in stage.items() if value is not None},
        disable_execute_api_endpoint=_host(site) is not None,
    )
    if authorizer is not None:
        routes["$connect"]["authorizer"] = "tokens"
        args["authorizers"] = {
            "tokens": {"lambda_invoke_arn": authorizer.invoke_arn, "identity_sources": list(item.identity_sources)}
        }
    return WebSocketApi(f"{site.name}-{part}", args, site.options())


def _host(site: Site) -> str | None:
    return site.bindings.websocket_host(site.artifact.hosts) if site.bindings.certified else None


def _domain(site: Site, apis: Mapping[str, WebSocketApi]) -> CustomDomain | None:
    """One domain for all of them: each API is a path of it."""
    host = _host(site)
    if host is None:
        return None
    data = site.bindings.data
    args = site.arguments(
        "websocket-domain",
        host=host,
        region=site.bindings.region,
        kind="websocket",
        mappings={key: {"api_id": api.id, "stage": api.stage_name, "base_path": key} for key, api in apis.items()},
    )
    if data.certificate is not None or data.dns is None:
        args["certificate_arn"] = site.marks["certificate"]
    if data.dns is not None:
        args |= {"zone_id": data.dns.zone_id, "zone_name": data.dns.zone}
    return CustomDomain(f"{site.name}-websocket-domain", args, site.options())


def _url(item: WebSocket, api: WebSocketApi, domain: CustomDomain | None) -> pulumi.Output[str]:
    if domain is None:
        return api.invoke_url
    return pulumi.Output.from_input(f"wss://{domain.host}/{item.stage}")
