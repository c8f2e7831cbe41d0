"""How a service of API Management can be reached: its network, private endpoints, and what stands before it."""

import re
from collections.abc import Collection, Iterator, Sequence

from edgewright.policies.azure.addresses import is_own
from edgewright.policies.azure.api_graph import (
    CLASSIC,
    GATEWAY,
    IN_A_NETWORK,
    SERVICE,
    ApiGraph,
    refuses,
    refuses_managed_gateway,
)
from edgewright.policies.azure.identities import means
from edgewright.policies.azure.policy_documents import filters
from edgewright.policies.azure.policy_xml import Element
from edgewright.policies.azure.security_rules import addresses, breadth, in_order, open_to_tcp
from edgewright.policies.azure.subnets import SUBNET_ID, group_of, subnet_of
from edgewright.policies.azure.words import is_one, says
from edgewright.policies.graph import Graph
from edgewright.policies.view import Unknown, View, Violation

ENDPOINT = "azure-native:network:PrivateEndpoint"
_CONNECTIONS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
ORIGIN = "azure-native:cdn:AFDOrigin"
APPLICATION_GATEWAY = "azure-native:network:ApplicationGateway"
LOAD_BALANCER = "azure-native:network:LoadBalancer"
KUBERNETES_SERVICE = "kubernetes:core/v1:Service"
MANAGEMENT, PROBES, HTTPS = 3443, 6390, 443

_HOST = ".azure-api.net"
_FRONT_DOOR_ID = re.compile("x-azure-fdid", re.IGNORECASE)
_CALLER = re.compile(r"Request\s*\.\s*(IpAddress|Certificate|Headers)")


def places(service: View) -> Sequence[View]:
    """The service itself and its other regions."""
    return (service, *service.children("additionalLocations"))


def in_a_network(stack: Graph) -> Iterator[Violation]:
    """A service whose tier can be in a virtual network is; not one whose own gateway answers nobody."""
    found = ApiGraph(stack)
    for service in found.services:
        network = service.text("virtualNetworkType")
        placed = _is_a_place(network)
        if not says(service, "sku.name", *IN_A_NETWORK) or (placed and service.has(SUBNET_ID)):
            continue
        if answers_nobody(found, service):
            continue
        if placed:
            yield service.fails(SUBNET_ID, "is not said", "virtualNetworkType")
        else:
            yield service.fails("virtualNetworkType", f"is {network or 'not said, which means None'}", "sku.name")


def _is_a_place(network: str | Unknown | None) -> bool:
    """Whether a type of network means that a service is in one."""
    return network is not None and not is_one(network, "None")


def private_endpoint(stack: Graph) -> Iterator[Violation]:
    """A service that is in no network has a private endpoint; not one whose own gateway answers nobody."""
    found = ApiGraph(stack)
    for service in found.services:
        # Consumption and Basic v2 have none: https://learn.microsoft.com/azure/api-management/private-endpoint
        if says(service, "sku.name", "Consumption", "BasicV2"):
            continue
        if _is_a_place(service.text("virtualNetworkType")) or answers_nobody(found, service):
            continue
        if not _has_private_way(stack, service):
            yield service.lacks("", "is in no virtual network, and has no private endpoint")


def _has_private_way(stack: Graph, service: View) -> bool:
    """Whether there is a private endpoint of the service, one that a Front Door makes too."""
    if any(service.subject.urn in _sources(origin, "sharedPrivateLinkResource") for origin in stack.of(ORIGIN)):
        return True
    return any(_leads_to(endpoint, key, service) for endpoint in stack.of(ENDPOINT) for key in _CONNECTIONS)


def _leads_to(endpoint: View, key: str, service: View) -> bool:
    """Whether a private endpoint is one of the service. Where nobody can say that is noted at the service."""
    sources = endpoint.subject.refs.get(key, frozenset())
    for connection in View(endpoint.subject).children(key):
        text = connection.text("privateLinkServiceId")
        meant = means(text, service) if isinstance(text, str) else None
        if meant:
            return True
        if meant is None and not sources:
            service.note("", f"`{endpoint.subject.name}` may lead to it: where it leads is not known yet")
    return service.subject.urn in sources


def _sources(view: View, *keys: str) -> frozenset[str]:
    refs = view.subject.refs
    return frozenset[str]().union(*(urns for key, urns in refs.items() if not keys or key in keys))


def answers_nobody(found: ApiGraph, service: View) -> bool:
    """Whether all that comes to the service's own gateway is refused: its APIs are for self-hosted gateways."""
    if not found.held(service, GATEWAY):
        return False
    apis = found.apis_of(service)
    open_ones = [policies for api in apis if not (policies := found.policies(api)).meet(refuses_managed_gateway)]
    for why in (why for policies in open_ones for why in policies.open):
        service.note("", why)
    return bool(apis) and not open_ones


def subnet_has_group(stack: Graph) -> Iterator[Violation]:
    """The subnet of a service has a network security group: behind its own balancer all else is closed or open."""
    for service in stack.of(SERVICE):
        for place in places(service):
            subnet = subnet_of(stack, place)
            if subnet is not None and not subnet.has("networkSecurityGroup"):
                yield subnet.fails("networkSecurityGroup", f"is not said, and `{service.subject.name}` is in there")


def management_port(stack: Graph) -> Iterator[Violation]:
    """Only API Management itself reaches the management port of a service that is injected into a network, and Azure's
    balancer reaches the port of its probes."""
    for service in stack.of(SERVICE):
        if not says(service, "sku.name", *CLASSIC):
            continue
        for place in places(service):
            subnet = subnet_of(stack, place)
            group = group_of(stack, subnet) if subnet is not None else None
            rules = in_order(stack, group, "Inbound") if group is not None else None
            if group is not None and rules is not None:
                yield from _management_ports(group, rules)


def _management_ports(group: View, rules: Sequence[View]) -> Iterator[Violation]:
    let_in = list(_let_in(rules, MANAGEMENT))
    for rule, source in let_in:
        if not source.startswith("apimanagement") and _is_outside(source):
            yield rule.fails("", f"lets {source} reach the management port {MANAGEMENT}")
    _note_unread(group, rules)
    if not any(source.startswith("apimanagement") for _, source in let_in):
        yield group.lacks("securityRules", f"let ApiManagement not reach {MANAGEMENT}: nobody can change the service")
    if not _lets_probes(rules):
        yield group.lacks("securityRules", f"let AzureLoadBalancer not reach {PROBES}: the service looks unhealthy")


def _let_in(rules: Sequence[View], port: int) -> Iterator[tuple[View, str]]:
    """Who reaches a port by TCP, with the rule that lets them; what is denied to everybody before is left out."""
    for rule in rules:
        if not open_to_tcp(rule, port):
            continue
        listed = addresses(rule, "source")
        if says(rule, "access", "Allow"):
            yield from ((rule, source) for source in listed)
        elif breadth(listed) == "any":
            return


def _lets_probes(rules: Sequence[View]) -> bool:
    """Whether Azure's balancer reaches the port of its probes: Azure's own last rules let it."""
    for rule in rules:
        listed = addresses(rule, "source")
        if open_to_tcp(rule, PROBES) and ("azureloadbalancer" in listed or breadth(listed) == "any"):
            return says(rule, "access", "Allow")
    return True


def _is_outside(source: str) -> bool:
    """Whether a prefix or tag is more than what is in networks of one's own."""
    if source in {"virtualnetwork", "azureloadbalancer"}:
        return False
    return not is_own(source)


def _note_unread(group: View, rules: Sequence[View]) -> None:
    """What is not known of rules that are resources is noted at their group, where the verdict is."""
    for rule in rules:
        if rule.subject is not group.subject and rule.unread:
            group.note("securityRules", f"`{rule.subject.name}` is not known yet")


# --- what stands before a service ---


def not_around_its_front(stack: Graph) -> Iterator[Violation]:
    """What stands before a service is the only way to it: by the network, or by a policy that checks where requests
    come from."""
    found = ApiGraph(stack)
    for service in found.services:
        front = _front(stack, found, service)
        if front is None or _closed(stack, service):
            continue
        apis = found.apis_of(service)
        for api in apis:
            policies = found.policies(api)
            if policies.meet(_GATES[front.subject.type]):
                continue
            for why in (*policies.open, *(f"`{path}` of the service {why}" for path, why in service.unread.items())):
                api.note("", why)
            yield api.lacks("", f"can be called around `{front.subject.name}`")
        if not apis:
            yield service.lacks("", f"can be called around `{front.subject.name}`")


def _front(stack: Graph, found: ApiGraph, service: View) -> View | None:
    """What requests are meant to come through; None for a service that clients call themselves."""
    for front in (*stack.of(ORIGIN), *stack.of(APPLICATION_GATEWAY)):
        if service.subject.urn in _sources(front) or _has_host_of(service, front):
            return front
    if not found.held(service, GATEWAY):
        return None
    balancers = [*stack.of(LOAD_BALANCER), *stack.of(KUBERNETES_SERVICE)]
    return next((one for one in balancers if _public(one)), None)


def _has_host_of(service: View, front: View) -> bool:
    """Whether a host that is written out is that of the service."""
    pools = [address for pool in front.children("backendAddressPools") for address in pool.children("backendAddresses")]
    listed = (front.text("hostName"), *(address.text("fqdn") for address in pools))
    hosts = {host.lower() for host in listed if isinstance(host, str)}
    return bool(hosts) and (_is_azures(service, hosts) or any(host in hosts for host in _own_hosts(service)))


def _is_azures(service: View, hosts: Collection[str]) -> bool:
    """Whether one of the hosts is a name that Azure gives to the service, or to one of its regions."""
    given = [host for host in hosts if host.endswith(_HOST)]
    name = service.text("serviceName") if given else None
    if not isinstance(name, str):
        return False
    regional = re.compile(rf"{re.escape(name.lower())}(-[a-z0-9]+-\d+\.regional)?")
    return any(regional.fullmatch(host.removesuffix(_HOST)) for host in given)


def _own_hosts(service: View) -> Iterator[str]:
    """Host names of one's own that the gateway answers to."""
    for host in service.children("hostnameConfigurations"):
        kind, name = host.text("type"), host.text("hostName")
        if isinstance(name, str) and (kind is None or is_one(kind, "Proxy")):
            yield name.lower()


def _public(balancer: View) -> bool:
    if balancer.subject.type == KUBERNETES_SERVICE:
        return balancer.text("spec.type") == "LoadBalancer"
    return any(front.has("publicIPAddress") for front in balancer.children("frontendIPConfigurations"))


def _closed(stack: Graph, service: View) -> bool:
    """Whether the network lets in nobody but what stands before the service.

    Addresses of Front Door are those of everybody's: https://learn.microsoft.com/azure/frontdoor/origin-security.
    """
    if says(service, "virtualNetworkType", "Internal") or says(service, "publicNetworkAccess", "Disabled"):
        return True
    if not says(service, "sku.name", *CLASSIC) or not says(service, "virtualNetworkType", "External"):
        return False
    subnet = subnet_of(stack, service)
    group = group_of(stack, subnet) if subnet is not None else None
    rules = in_order(stack, group, "Inbound") if group is not None else None
    if rules is None:
        return False
    sources = (source for _, source in _let_in(rules, HTTPS))
    return not any(map(_is_outside, sources))


def _checks_front_door(element: Element) -> bool:
    """A Front Door says its id in a header: https://learn.microsoft.com/azure/frontdoor/origin-security"""
    if _checks_value(element):
        return element.attributes.get("name", "").lower() == "x-azure-fdid"
    return refuses(element, _FRONT_DOOR_ID)


def _checks_value(element: Element) -> bool:
    """Whether an element asks for what is in a header; without values any will do."""
    return element.name == "check-header" and element.child("value") is not None


def _checks_caller(element: Element) -> bool:
    """An address, a certificate or a header that only what stands before the service has."""
    if element.name == "ip-filter":
        return element.attributes.get("action") == "allow" and filters(element)
    return element.name == "validate-client-certificate" or _checks_value(element) or refuses(element, _CALLER)


_GATES = {
    ORIGIN: _checks_front_door,
    APPLICATION_GATEWAY: _checks_caller,
    LOAD_BALANCER: refuses_managed_gateway,
    KUBERNETES_SERVICE: refuses_managed_gateway,
}
