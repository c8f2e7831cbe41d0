"""Who can reach what in a recorded Azure plan: addresses, rules of security groups, balancers, subnets, policies.

Nothing here knows the compiler: what is read are inputs of resources by their wire names, and ``${...}`` references
between them. Rules are evaluated as Azure does: by priority, the first that fits decides, and Azure's own come last.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from ipaddress import ip_address, ip_network
from typing import Any, Literal

import policy_xsd

PROTOCOLS = ("Tcp", "Udp")


class GraphError(Exception):
    """Resources that do not fit together, or have something in them that this interpreter does not know."""


# -- ends of connections -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection: an address, and the service tags that hold it."""

    name: str
    address: str
    tags: frozenset[str] = frozenset()


def _public(name: str, *tags: str) -> End:
    return End(name, "203.0.113.9", frozenset({"Internet", *tags}))


INTERNET = _public("the internet")
PROBES = End("probes", "168.63.129.16", frozenset({"AzureLoadBalancer"}))
SERVICE_TAGS = (
    "ApiManagement",
    "AzureActiveDirectory",
    "AzureCloud",
    "AzureFrontDoor.FirstParty",
    "AzureKeyVault",
    "AzureMonitor",
    "GatewayManager",
    "MicrosoftContainerRegistry",
    "Sql",
    "Storage",
)
"""Tags of services of Azure, whose addresses are public ones."""

TAGGED = {tag: _public(tag, tag) for tag in SERVICE_TAGS}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a security group."""

    group: str
    name: str
    priority: int
    direction: str
    allows: bool
    protocol: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    ports: tuple[tuple[int, int], ...]

    def fits(self, direction: str, source: End, target: End, port: int, protocol: str) -> bool:
        return (
            self.direction == direction
            and self.protocol.lower() in ("*", protocol.lower())
            and any(first <= port <= last for first, last in self.ports)
            and any(_holds(prefix, source) for prefix in self.sources)
            and any(_holds(prefix, target) for prefix in self.destinations)
        )

    @property
    def short(self) -> str:
        return f"{self.group}/{self.name}"


def _holds(prefix: str, end: End) -> bool:
    if prefix in ("*", "0.0.0.0/0"):
        return True
    if re.match(r"\d", prefix):
        return ip_address(end.address) in ip_network(prefix)
    return prefix in end.tags


def _read(group: str, given: Mapping[str, Any]) -> Rule:
    def either(one: str, many: str) -> tuple[str, ...]:
        found = [*([given[one]] if one in given else []), *given.get(many, [])]
        if not found:
            raise GraphError(f"{group}: {given['name']} has neither {one} nor {many}")
        return tuple(str(item) for item in found)

    if given.get("sourcePortRange", "*") != "*" or "sourcePortRanges" in given:
        raise GraphError(f"{group}: {given['name']} asks for ports of the source, which nothing here reads")
    return Rule(
        group,
        given["name"],
        given["priority"],
        given["direction"],
        given["access"] == "Allow",
        given["protocol"],
        either("sourceAddressPrefix", "sourceAddressPrefixes"),
        either("destinationAddressPrefix", "destinationAddressPrefixes"),
        tuple(_ports(text) for text in either("destinationPortRange", "destinationPortRanges")),
    )


def _ports(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return (0, 65535) if text == "*" else (int(first), int(last or first))


def _azures_own(group: str) -> list[Rule]:
    """Microsoft's "Network security groups: default security rules"."""
    every = ((0, 65535),)
    net, anything = ("VirtualNetwork",), ("*",)
    return [
        Rule(group, "AllowVnetInBound", 65000, "Inbound", True, "*", net, net, every),
        Rule(
            group, "AllowAzureLoadBalancerInBound", 65001, "Inbound", True, "*", ("AzureLoadBalancer",), anything, every
        ),
        Rule(group, "DenyAllInBound", 65500, "Inbound", False, "*", anything, anything, every),
        Rule(group, "AllowVnetOutBound", 65000, "Outbound", True, "*", net, net, every),
        Rule(group, "AllowInternetOutBound", 65001, "Outbound", True, "*", anything, ("Internet",), every),
        Rule(group, "DenyAllOutBound", 65500, "Outbound", False, "*", anything, anything, every),
    ]


# -- resources ---------------------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"\$\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One resource: its short name, its type without package, its inputs."""

    short: str
    kind: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet: its range, its security group, and whether anything comes in by it."""

    name: str
    cidr: str
    group: str | None
    delegation: str | None

    def end(self, tags: Iterable[str] = ("VirtualNetwork",)) -> End:
        return End(self.name, str(ip_network(self.cidr)[5]), frozenset(tags))


@dataclass(frozen=True, slots=True)
class Way:
    """A rule of a balancer: from a port of its frontend to one of the members of a pool, which stand in a subnet."""

    balancer: str
    public: bool
    frontend: str
    port: int
    protocol: str
    pool: str
    subnet: str
    backend_port: int
    probe_port: int


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection that something needs. why: who; every: on each port, of which this is one."""

    source: End
    target: End
    port: int
    protocol: str
    why: str
    every: bool = False


@dataclass
class Graph:
    """Of the resources of a plan."""

    resources: Iterable[Any]
    items: dict[str, Item] = field(init=False)

    def __post_init__(self) -> None:
        self.items = {
            item.short: Item(item.short, item.type.partition(":")[2], item.inputs)
            for item in self.resources
            if item.custom
        }

    def of(self, *kinds: str) -> list[Item]:
        """Those of types such as ``network:LoadBalancer``."""
        return [item for item in self.items.values() if item.kind in kinds]

    def item(self, value: Any) -> Item | None:
        """The resource that a text refers to first, whatever its property."""
        for match in _REFERENCE.finditer(str(value)):
            dots = [index for index, char in enumerate(match[1]) if char == "."]
            for at in dots:
                if match[1][:at] in self.items:
                    return self.items[match[1][:at]]
        return None

    # -- the network

    @cached_property
    def space(self) -> tuple[str, ...]:
        """The ranges of the network."""
        found = self.of("network:VirtualNetwork")
        return tuple(found[0].inputs["addressSpace"]["addressPrefixes"]) if found else ()

    @cached_property
    def subnets(self) -> dict[str, Subnet]:
        """By name."""
        found: dict[str, Subnet] = {}
        for network in self.of("network:VirtualNetwork"):
            for item in network.inputs["subnets"]:
                group = self.item(item.get("networkSecurityGroup", {}).get("id"))
                delegations = [one["serviceName"] for one in item.get("delegations", [])]
                found[item["name"]] = Subnet(
                    item["name"],
                    item["addressPrefix"],
                    group.short if group is not None else None,
                    delegations[0] if delegations else None,
                )
        return found

    @cached_property
    def rules(self) -> dict[str, list[Rule]]:
        """Of each security group, in the order in which Azure asks them."""
        found: dict[str, list[Rule]] = {}
        for group in self.of("network:NetworkSecurityGroup"):
            own = [_read(group.short, item) for item in group.inputs["securityRules"]]
            priorities = [(rule.direction, rule.priority) for rule in own]
            if len(set(priorities)) < len(priorities):
                raise GraphError(f"{group.short}: two rules have one priority, which Azure refuses")
            found[group.short] = sorted([*own, *_azures_own(group.short)], key=lambda rule: rule.priority)
        return found

    def subnet_of(self, value: Any) -> str:
        """The name of the subnet that an id is of."""
        name = str(value).rpartition("/subnets/")[2]
        if name not in self.subnets:
            raise GraphError(f"`{value}` is no subnet here")
        return name

    def decided(self, subnet: str, direction: str, flow: Flow) -> Rule | None:
        """The rule that decides; None where there is no security group, which lets everything through."""
        group = self.subnets[subnet].group
        if group is None:
            return None
        return next(
            rule
            for rule in self.rules[group]
            if rule.fits(direction, flow.source, flow.target, flow.port, flow.protocol)
        )

    def inside(self, end: End) -> str | None:
        """The subnet that an end stands in."""
        for name, subnet in self.subnets.items():
            if ip_address(end.address) in ip_network(subnet.cidr):
                return name
        return None

    def passes(self, flow: Flow) -> bool:
        """Whether both subnets' rules let a connection through."""
        for direction, end in (("Outbound", flow.source), ("Inbound", flow.target)):
            subnet = self.inside(end)
            rule = self.decided(subnet, direction, flow) if subnet is not None else None
            if rule is not None and not rule.allows:
                return False
        return True

    @cached_property
    def ports(self) -> tuple[int, ...]:
        """Ports at which some rule begins or ends, with their neighbours, and a few that attackers try."""
        found = {1, 22, 80, 443, 3389, 8080, 8081, 10_000, 65_535}
        for rules in self.rules.values():
            for rule in rules:
                for first, last in rule.ports:
                    found |= {first - 1, first, last, last + 1}
        return tuple(sorted(port for port in found if 1 <= port <= 65_535))

    def sources(self) -> list[End]:
        """All who might come: the internet, probes, services of Azure, subnets, and another place in the network."""
        found = [INTERNET, PROBES, *TAGGED.values(), *(subnet.end() for subnet in self.subnets.values())]
        if self.space:
            elsewhere = str(ip_network(self.space[0])[-2])
            found.append(End("elsewhere in the network", elsewhere, frozenset({"VirtualNetwork"})))
        return found

    def open_to(self, subnet: str) -> dict[str, set[tuple[str, int]]]:
        """Who gets into a subnet, on which of `ports`; what needs no rule to be seen is left out: nobody."""
        target = self.subnets[subnet].end()
        found: dict[str, set[tuple[str, int]]] = {}
        for source in self.sources():
            ways = {
                (protocol, port)
                for port in self.ports
                for protocol in PROTOCOLS
                if self.passes(Flow(source, target, port, protocol, ""))
            }
            if ways:
                found[source.name] = ways
        return found

    # -- what stands in it

    @cached_property
    def service(self) -> Item:
        """API Management."""
        (found,) = self.of("apimanagement:ApiManagementService")
        return found

    @cached_property
    def kind_of_service(self) -> Literal["none", "external", "internal", "integration"]:
        """How API Management is in the network."""
        subnet = self.service.inputs.get("virtualNetworkConfiguration", {}).get("subnetResourceId")
        if subnet is None:
            return "none"
        if str(self.service.inputs["sku"]["name"]).endswith("V2"):
            return "integration"
        return "internal" if self.service.inputs["virtualNetworkType"] == "Internal" else "external"

    @cached_property
    def machines(self) -> Item | None:
        """The scale set of self-hosted gateways."""
        found = self.of("compute:VirtualMachineScaleSet")
        return found[0] if found else None

    @cached_property
    def cluster(self) -> Item | None:
        """The Kubernetes cluster."""
        found = self.of("containerservice:ManagedCluster")
        return found[0] if found else None

    @cached_property
    def front(self) -> Item | None:
        """The Application Gateway."""
        found = self.of("network:ApplicationGateway")
        return found[0] if found else None

    @cached_property
    def gateway_subnet(self) -> str | None:
        """Where gateways stand, or reach out from."""
        if self.machines is not None:
            return self.subnet_of(_interface(self.machines)["subnet"]["id"])
        if self.cluster is not None:
            return self.subnet_of(self.cluster.inputs["agentPoolProfiles"][0]["vnetSubnetID"])
        found = self.service.inputs.get("virtualNetworkConfiguration", {}).get("subnetResourceId")
        return self.subnet_of(found) if found is not None else None

    @cached_property
    def ways(self) -> list[Way]:
        """Of all balancers."""
        found: list[Way] = []
        for balancer in self.of("network:LoadBalancer"):
            frontends = {item["name"]: item for item in balancer.inputs["frontendIPConfigurations"]}
            probes = {item["name"]: item for item in balancer.inputs["probes"]}
            for rule in balancer.inputs["loadBalancingRules"]:
                frontend = frontends[_last(rule["frontendIPConfiguration"])]
                (pool,) = [_last(one) for one in rule["backendAddressPools"]]
                found.append(
                    Way(
                        balancer.short,
                        "publicIPAddress" in frontend,
                        frontend["name"],
                        rule["frontendPort"],
                        rule["protocol"],
                        pool,
                        self._members(balancer, pool, frontend),
                        rule["backendPort"],
                        probes[_last(rule["probe"])]["port"],
                    )
                )
        return found

    def _members(self, balancer: Item, pool: str, frontend: Mapping[str, Any]) -> str:
        """Where the members of a pool stand: those that no resource here joins to it are the services' machines."""
        if self.machines is not None:
            for joined in _interface(self.machines)["loadBalancerBackendAddressPools"]:
                if self.item(joined["id"]) is balancer and str(joined["id"]).endswith(f"/{pool}"):
                    return self.subnet_of(_interface(self.machines)["subnet"]["id"])
        return self.subnet_of(frontend["subnet"]["id"]) if "subnet" in frontend else "services"

    # -- what is needed

    def needs(self) -> list[Flow]:
        """Every connection that something here needs, by what its documentation says or what its inputs name."""
        return [
            *self._of_balancers(),
            *self._of_gateways(),
            *self._of_front(),
            *self._of_service(),
            *self._of_machines(),
            *self._of_cluster(),
        ]

    def _end(self, subnet: str) -> End:
        return self.subnets[subnet].end()

    def _of_balancers(self) -> Iterator[Flow]:
        for way in self.ways:
            target = self._end(way.subnet)
            yield Flow(PROBES, target, way.probe_port, "Tcp", f"the probe of {way.frontend}")
            if way.public:
                yield Flow(INTERNET, target, way.backend_port, way.protocol, f"clients of {way.frontend}:{way.port}")

    def _of_gateways(self) -> Iterator[Flow]:
        """Backends and the cache."""
        if self.gateway_subnet is None:
            return
        gateway = self._end(self.gateway_subnet)
        for way in self.ways:
            if not way.public:
                yield Flow(gateway, self._end(way.subnet), way.backend_port, way.protocol, f"the backend {way.pool}")
        for endpoint in self.of("network:PrivateEndpoint"):
            port = next(item.inputs["port"] for item in self.of("redisenterprise:Database"))
            target = self._end(self.subnet_of(endpoint.inputs["subnet"]["id"]))
            yield Flow(gateway, target, port, "Tcp", "the cache")

    def _of_front(self) -> Iterator[Flow]:
        """Microsoft's "Application Gateway infrastructure configuration"."""
        if self.front is None:
            return
        (where,) = self.front.inputs["gatewayIPConfigurations"]
        target = self._end(self.subnet_of(where["subnet"]["id"]))
        for port in self.front.inputs["frontendPorts"]:
            yield Flow(INTERNET, target, port["port"], "Tcp", "clients")
        for port in (65_200, 65_535):
            yield Flow(TAGGED["GatewayManager"], target, port, "Tcp", "Azure's management of Application Gateway")
        yield Flow(PROBES, target, 443, "Tcp", "Azure's own balancer", every=True)
        for settings in self.front.inputs["backendHttpSettingsCollection"]:
            if self.kind_of_service == "internal" and self.gateway_subnet is not None:
                yield Flow(target, self._end(self.gateway_subnet), settings["port"], "Tcp", "Application Gateway")

    def _of_service(self) -> Iterator[Flow]:
        """Microsoft's "Virtual network configuration reference: API Management", and of v2 "Integrate an Azure API
        Management instance with a private virtual network for outbound connections"."""
        subnet, kind = self.gateway_subnet, self.kind_of_service
        if subnet is None or kind == "none":
            return
        own = self._end(subnet)
        outwards = [("Storage", 443), ("AzureKeyVault", 443)]
        if kind != "integration":
            outwards += [("Sql", 1433), ("AzureMonitor", 1886), ("AzureMonitor", 443), ("AzureCloud", 12_000)]
            yield Flow(TAGGED["ApiManagement"], own, 3443, "Tcp", "management of API Management")
            yield Flow(PROBES, own, 6390, "Tcp", "Azure's own balancer")
            for port, protocol in ((6381, "Tcp"), (6383, "Tcp"), (4290, "Udp")):
                yield Flow(own, own, port, protocol, "instances of API Management among themselves")
            yield Flow(own, INTERNET, 80, "Tcp", "validation of certificates")
            yield Flow(own, INTERNET, 123, "Udp", "time")
        if kind == "external":
            yield Flow(INTERNET, own, 443, "Tcp", "clients")
        for tag, port in outwards:
            yield Flow(own, TAGGED[tag], port, "Tcp", f"API Management to {tag}")
        yield Flow(own, INTERNET, 443, "Tcp", "issuers of tokens, backends with a URL")

    def _of_machines(self) -> Iterator[Flow]:
        """Microsoft's "Self-hosted gateway overview", and what a machine needs to start."""
        if self.machines is None or self.gateway_subnet is None:
            return
        own = self._end(self.gateway_subnet)
        for port in (4290, 4291):
            yield Flow(own, own, port, "Udp", "gateways among themselves")
        for tag in (
            *("ApiManagement", "AzureKeyVault", "AzureActiveDirectory", "Storage"),
            *("MicrosoftContainerRegistry", "AzureFrontDoor.FirstParty", "AzureMonitor"),
        ):
            yield Flow(own, TAGGED[tag], 443, "Tcp", f"gateways to {tag}")
        yield Flow(own, INTERNET, 443, "Tcp", "issuers of tokens, backends with a URL")
        yield Flow(own, INTERNET, 80, "Tcp", "packages")

    def _of_cluster(self) -> Iterator[Flow]:
        """Microsoft's "Outbound network and FQDN rules for AKS clusters"."""
        if self.cluster is None or self.gateway_subnet is None:
            return
        own = self._end(self.gateway_subnet)
        pods = End("pods", str(ip_network(self.cluster.inputs["networkProfile"]["podCidr"])[9]))
        for service in self.balanced_services:
            # The balancer of AKS keeps the service's address and port (floating IP).
            for port in service.inputs["spec"]["ports"]:
                yield Flow(INTERNET, End("the service's address", "198.51.100.7"), port["port"], "Tcp", "clients")
            yield Flow(PROBES, own, 32_000, "Tcp", "probes on ports that Kubernetes chooses", every=True)
        for one, other in ((own, own), (pods, pods), (own, pods)):
            yield Flow(one, other, 10_250, "Tcp", "nodes and pods", every=True)
        yield Flow(own, TAGGED["AzureCloud"], 1194, "Udp", "the control plane")
        yield Flow(own, TAGGED["AzureCloud"], 9000, "Tcp", "the control plane")
        yield Flow(own, INTERNET, 443, "Tcp", "API server, registry, Entra, issuers")
        yield Flow(own, INTERNET, 80, "Tcp", "security updates")
        yield Flow(own, INTERNET, 123, "Udp", "time")

    @cached_property
    def balanced_services(self) -> list[Item]:
        """Services of Kubernetes with an address outside of the cluster."""
        return [
            item for item in self.of("core/v1:Service") if item.inputs.get("spec", {}).get("type") == "LoadBalancer"
        ]

    def unused(self, more: Iterable[Flow] = ()) -> list[str]:
        """Rules that let something through that nothing needs, and needs that no rule lets through."""
        used: dict[str, set[int]] = {}
        shut: list[str] = []
        for flow in (*self.needs(), *more):
            for direction, end in (("Outbound", flow.source), ("Inbound", flow.target)):
                subnet = self._subnet_for(flow, end)
                rule = self.decided(subnet, direction, flow) if subnet is not None else None
                if rule is None:
                    continue
                if rule.allows:
                    used.setdefault(rule.short, set()).update((0, 65_535) if flow.every else (flow.port,))
                else:
                    said = f"{flow.source.name} to {flow.target.name} {flow.protocol} {flow.port}"
                    shut.append(f"{rule.short} stops {said}: {flow.why}")
        own = [rule for rules in self.rules.values() for rule in rules if rule.allows and rule.priority < 65_000]
        return [*shut, *(problem for rule in own for problem in _too_wide(rule, used.get(rule.short, set())))]

    def _subnet_for(self, flow: Flow, end: End) -> str | None:
        """Pods and a service's address are of the nodes' subnet, though not in its range."""
        if end.name in ("pods", "the service's address"):
            return self.gateway_subnet
        return self.inside(end)

    # -- policies

    @cached_property
    def policies(self) -> dict[str, list[Any]]:
        """By API, the documents that hold for all that it is asked."""
        found: dict[str, list[Any]] = {item.short: [] for item in self.of("apimanagement:Api")}
        for item in self.of("apimanagement:ApiPolicy", "apimanagement:ApiOperationPolicy"):
            api = self.item(item.inputs["apiId"])
            whole = item.kind.endswith(":ApiPolicy") or item.inputs.get("operationId") == "onHandshake"
            if api is not None and whole:
                found[api.short].append(policy_xsd.parse(item.inputs["value"]))
        return found

    @cached_property
    def narrower(self) -> dict[str, Any]:
        """Documents of single operations, by name."""
        return {
            item.short: policy_xsd.parse(item.inputs["value"])
            for item in self.of("apimanagement:ApiOperationPolicy")
            if item.inputs.get("operationId") != "onHandshake"
        }

    def open_apis(self, closes: Callable[[Any], bool]) -> list[str]:
        """APIs without a document that closes, and documents of operations that leave theirs out."""
        found = [api for api, documents in self.policies.items() if not any(closes(one) for one in documents)]
        for name, document in self.narrower.items():
            first = next(iter(_policies(document.find("inbound"))), None)
            if first is None or first.tag != "base":
                found.append(f"{name} begins without that of its API")
        return found

    def front_door_value(self) -> str | None:
        """The named value that holds the id of the Front Door here."""
        for item in self.of("apimanagement:NamedValue"):
            source = self.item(item.inputs.get("value"))
            if source is not None and source.kind == "cdn:Profile" and "frontDoorId" in item.inputs["value"]:
                return str(item.inputs["displayName"])
        return None


def _too_wide(rule: Rule, needed: set[int]) -> Iterator[str]:
    """Ports at the ends of a rule's ranges that nothing needs."""
    if not needed:
        yield f"{rule.short} is needed by nothing"
        return
    for first, last in rule.ports:
        missing = sorted({first, last} - needed)
        if missing:
            yield f"{rule.short} lets {first}-{last} through, and nothing needs {missing[-1]}"


def _interface(machines: Item) -> Mapping[str, Any]:
    profile = machines.inputs["virtualMachineProfile"]["networkProfile"]
    (interface,) = profile["networkInterfaceConfigurations"]
    (address,) = interface["ipConfigurations"]
    return address


def public_interfaces(machines: Item) -> list[str]:
    """Addresses of machines that are public."""
    profile = machines.inputs["virtualMachineProfile"]["networkProfile"]
    return [
        address["name"]
        for interface in profile["networkInterfaceConfigurations"]
        for address in interface["ipConfigurations"]
        if "publicIPAddressConfiguration" in address
    ]


def _last(reference: Mapping[str, Any]) -> str:
    return str(reference["id"]).rpartition("/")[2]


# -- what closes a way -------------------------------------------------------------------------------------------------


_HARMLESS = {"base", "cors"}
"""What may stand before a check of who sends: the wider scope's, and preflights, which no backend sees."""


def _policies(section: Any) -> list[Any]:
    return [item for item in section if isinstance(item.tag, str)]


def _answers(element: Any, status: str) -> bool:
    """Whether it ends with an answer of its own, whatever the request."""
    inside = _policies(element)
    found = element.find("return-response/set-status")
    return len(inside) == 1 and found is not None and found.get("code") == status


def refuses_managed(document: Any) -> bool:
    """Whether a managed gateway answers 403 before it does anything else."""
    first = next((item for item in _policies(document.find("inbound")) if item.tag not in _HARMLESS), None)
    when = first.find("when") if first is not None and first.tag == "choose" else None
    if when is None:
        return False
    return when.get("condition") == "@(context.Deployment.Gateway.IsManaged)" and _answers(when, "403")


def asks_for_front_door(document: Any, named: str | None) -> bool:
    """Whether whoever does not come from the Front Door with the id that a named value holds is answered 403."""
    for item in _policies(document.find("inbound")):
        if item.tag == "check-header" and item.get("name") == "X-Azure-FDID":
            values = [value.text for value in item.findall("value")]
            strict = item.get("failed-check-httpcode") == "403" and item.get("ignore-case") == "false"
            return strict and named is not None and values == ["{{" + named + "}}"]
        if item.tag not in _HARMLESS:
            return False
    return False


# -- ways round --------------------------------------------------------------------------------------------------------


def ways_round(graph: Graph, topology: str) -> list[str]:
    """Ways to services, gateways or the cache that do not lead through what stands before them in a topology."""
    return [
        *_to_services(graph),
        *_to_gateways(graph, topology),
        *_to_endpoints(graph),
        *_past_the_front(graph, topology),
        *_addresses(graph),
    ]


def _to_services(graph: Graph) -> Iterator[str]:
    """The gateway on the ports of backends, probes, and clients of streams on theirs; nobody else."""
    if "services" not in graph.subnets:
        return
    backends = {(way.protocol, way.backend_port) for way in graph.ways if not way.public and way.subnet == "services"}
    streams = {(way.protocol, way.backend_port) for way in graph.ways if way.public and way.subnet == "services"}
    probes = {("Tcp", way.probe_port) for way in graph.ways if way.subnet == "services"} | backends | streams
    wanted: dict[str, set[Any]] = {"the internet": streams, "probes": probes}
    if graph.gateway_subnet is not None:
        wanted[graph.gateway_subnet] = backends
    for tag in TAGGED:
        wanted[tag] = streams  # addresses of Azure are public ones, as any client's
    yield from _more(graph, "services", wanted)


def _to_gateways(graph: Graph, topology: str) -> Iterator[str]:
    subnet = graph.gateway_subnet
    if subnet is None or graph.subnets[subnet].delegation == "Microsoft.Web/serverFarms":
        return  # nothing comes in by the subnet of a v2 tier
    among: set[Any] = {("Tcp", port) for port in graph.ports if 6381 <= port <= 6383} | {("Udp", 4290)}
    clients: set[Any]
    wanted: dict[str, set[Any]]
    if graph.machines is not None:
        clients, wanted = {("Tcp", 8081)}, {"probes": {("Tcp", 8080)}, subnet: {("Udp", 4290), ("Udp", 4291)}}
    elif graph.cluster is not None:
        everything: set[Any] = {(protocol, port) for port in graph.ports for protocol in PROTOCOLS}
        clients, wanted = {("Tcp", 443)}, {"probes": everything, subnet: everything}
    elif topology == "appgw-waf":
        clients = set()
        wanted = {"front": {("Tcp", 443), *among}, "probes": {("Tcp", 6390)}, subnet: among}
    else:
        clients, wanted = {("Tcp", 443)}, {"probes": {("Tcp", 6390)}, subnet: among}
    wanted |= {"the internet": clients, **dict.fromkeys(TAGGED, clients)}
    if graph.kind_of_service in ("external", "internal"):
        # Azure asks for these rules, and lets nobody narrow them.
        wanted["ApiManagement"] = {*clients, ("Tcp", 3443)}
        for name in ("services", "elsewhere in the network", "endpoints", "front"):
            wanted[name] = wanted.get(name, set()) | among
    yield from _more(graph, subnet, wanted)


def _to_endpoints(graph: Graph) -> Iterator[str]:
    for endpoint in graph.of("network:PrivateEndpoint"):
        port = next(item.inputs["port"] for item in graph.of("redisenterprise:Database"))
        subnet = graph.subnet_of(endpoint.inputs["subnet"]["id"])
        yield from _more(graph, subnet, {str(graph.gateway_subnet): {("Tcp", port)}})
    for cache in graph.of("redisenterprise:RedisEnterprise"):
        if cache.inputs.get("publicNetworkAccess") != "Disabled":
            yield f"{cache.short} is reached from the internet"


def _more(graph: Graph, subnet: str, wanted: Mapping[str, set[Any]]) -> Iterator[str]:
    for source, ways in graph.open_to(subnet).items():
        more = sorted(ways - wanted.get(source, set()))
        if more:
            shown = ", ".join(f"{protocol} {port}" for protocol, port in more[:4])
            yield f"{source} gets into {subnet} on {shown}{' and more' if len(more) > 4 else ''}"


def _past_the_front(graph: Graph, topology: str) -> Iterator[str]:
    """API Management's own public door, where something else stands before it."""
    service = graph.service.inputs
    public = graph.kind_of_service != "internal" and service.get("publicNetworkAccess", "Enabled") != "Disabled"
    match topology:
        case "gateway-first":
            return
        case "balancer-first":
            if public:
                yield from (f"{one}: the managed gateway lets in" for one in graph.open_apis(refuses_managed))
        case "appgw-waf":
            if public:
                yield "API Management has an address outside of the network"
        case _:
            named = graph.front_door_value()
            if public:
                open_apis = graph.open_apis(partial(asks_for_front_door, named=named))
                yield from (f"{one}: whoever comes past Front Door is let in" for one in open_apis)


def _addresses(graph: Graph) -> Iterator[str]:
    """Public addresses are of balancers, of the front, of a NAT gateway, or of a Service: none of a machine."""
    held = {
        *(
            graph.item(item.get("publicIPAddress", {}).get("id"))
            for balancer in graph.of("network:LoadBalancer")
            for item in balancer.inputs["frontendIPConfigurations"]
        ),
        *(graph.item(one["id"]) for nat in graph.of("network:NatGateway") for one in nat.inputs["publicIpAddresses"]),
        *(
            graph.item(item.get("publicIPAddress", {}).get("id"))
            for item in (graph.front.inputs["frontendIPConfigurations"] if graph.front is not None else ())
        ),
        *(graph.item(str(item.inputs["metadata"].get("annotations"))) for item in graph.balanced_services),
    }
    for address in graph.of("network:PublicIPAddress"):
        if address not in held:
            yield f"{address.short} is of nothing that stands before the edge"
    if graph.machines is not None:
        yield from (f"{graph.machines.short} has the public address {one}" for one in public_interfaces(graph.machines))
    for balancer in graph.of("network:LoadBalancer"):
        if balancer.inputs.get("inboundNatRules"):
            yield f"{balancer.short} leads to single machines"
    if graph.cluster is not None:
        access = graph.cluster.inputs["apiServerAccessProfile"]
        if not access.get("enablePrivateCluster") and not access.get("authorizedIPRanges"):
            yield f"the API of {graph.cluster.short} is open to everybody"
