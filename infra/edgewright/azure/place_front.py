"""Places what stands before API Management: an Application Gateway with a firewall, or a Front Door."""

from typing import TYPE_CHECKING, Any

import pulumi

from edgewright.azure.api_management import ApiManagement
from edgewright.azure.place_monitoring import workspace_of
from edgewright.azure.place_network import network_id, subnet
from edgewright.azure.place_service import certificate_identity
from edgewright.azure.placement import Site, host_key

if TYPE_CHECKING:
    from edgewright.azure.application_gateway_waf import ApplicationGatewayWaf
    from edgewright.azure.edge_monitoring import EdgeMonitoring
    from edgewright.azure.front_door import FrontDoor
    from edgewright.azure.network import Network
    from edgewright.azure.private_dns_zone import PrivateDnsZone

# The network's SDK module is large: its parts are imported where they are made.


def place_service_names(site: Site, made: "Network | None", service: ApiManagement) -> "PrivateDnsZone":
    """The service's own name inside the network, which public DNS does not give to one that is only inside: a zone of
    that one name, never of all services'."""
    from edgewright.azure.private_dns_zone import PrivateDnsZone

    args = site.arguments(
        "service_names",
        zone_name=service.gateway_host,
        links={"edge": {"virtual_network_id": network_id(site, made, "gateway")}},
        a_records={"@": {"addresses": [_first(service)]}},
    )
    return PrivateDnsZone(f"{site.name}-service-names", args, site.options())


def _first(service: ApiManagement) -> Any:
    return service.private_ip_addresses.apply(lambda found: found[0] if found else "")


def place_firewall(
    site: Site, made: "Network | None", service: ApiManagement, logs: "EdgeMonitoring | None"
) -> "ApplicationGatewayWaf":
    """The Application Gateway: it ends TLS for the hosts, and asks the service by the first of them."""
    from edgewright.azure.application_gateway_waf import ApplicationGatewayWaf

    identity, _ = certificate_identity(site)
    artifact = site.artifact
    redirected = any(item.web and item.redirect_http for item in site.compiled.edge.listeners)
    args = site.arguments(
        "firewall",
        subscription_id=site.bound("subscription_id"),
        location=site.bound("location"),
        subnet_id=subnet(site, made, "front"),
        identity_id=identity,
        listeners={
            "edge": {
                "hosts": list(artifact.hosts),
                "key_vault_secret_id": site.bound("certificate"),
                "redirect_http": redirected,
            }
        },
        backend_addresses=service.private_ip_addresses,
        backend_host=artifact.hosts[0],
        waf=artifact.waf,
        zones=site.bindings.zones,
        request_timeout_seconds=_longest(site),
    )
    if artifact.ddos_advanced and made is None:  # a network of our own has a plan, which covers the address
        args["ddos"] = "advanced"
    args["workspace_id"] = workspace_of(site, logs)
    return ApplicationGatewayWaf(f"{site.name}-firewall", args, site.options())


def _longest(site: Site) -> int:
    """Seconds that the slowest route may take, so that nothing before the gateway ends a request earlier."""
    return max((-(-route.timeout.request // 1000) + 1 for route in site.compiled.edge.routes), default=60)


def connection_of(site: Site) -> str | None:
    """The name of Front Door's connection to the service; None in the first phase."""
    bound = site.bindings.data.front_door
    return bound.connection if bound is not None else None


def closed(site: Site) -> dict[str, Any]:
    """The service's public door: closed in the second phase, when Front Door's connection is approved."""
    from edgewright.azure.front_door import public_network_access

    connection = connection_of(site)
    access = public_network_access(connection)
    return {} if access == "Enabled" else {"public_network_access": access, "existing_private_endpoint": True}


def place_front_door(site: Site, service: ApiManagement, logs: "EdgeMonitoring | None") -> "FrontDoor":
    """The Front Door, its firewall, and the connection to the service."""
    from edgewright.azure.front_door import FrontDoor

    bound = site.bindings.data.front_door
    dns = site.bindings.data.dns
    there = bound.link_location if bound is not None and bound.link_location is not None else site.bound("location")
    args = site.arguments(
        "front_door",
        service_id=service.id,
        service_host=service.gateway_host,
        private_link_location=there,
        domains={host_key(host, 40): {"host": host} for host in site.artifact.hosts},
        waf=site.artifact.waf,
        response_timeout_seconds=min(240, max(16, _longest(site))),
    )
    connection = connection_of(site)
    if connection is not None:
        args["connection_name"] = connection
    if dns is not None:
        zone = pulumi.Output.concat(
            *("/subscriptions/", site.bound("subscription_id"), "/resourceGroups/", dns.resource_group),
            f"/providers/Microsoft.Network/dnsZones/{dns.zone}",
        )
        for item in args["domains"].values():
            item["dns_zone_id"] = zone
    args["workspace_id"] = workspace_of(site, logs)
    return FrontDoor(f"{site.name}-front-door", args, site.options())
