"""Rules over virtual networks: security groups, subnets, network interfaces, logs of flows."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from edgewright.policies.azure.identities import points, referring
from edgewright.policies.azure.monitoring import BLIND_TO_SETTINGS, ELSEWHERE, sends_logs
from edgewright.policies.azure.names import NAMED, named
from edgewright.policies.azure.security_rules import (
    GROUP,
    RULE,
    Opening,
    addresses,
    covers_network,
    denies_all,
    in_order,
    open_to_tcp,
    openings,
    ports_of,
)
from edgewright.policies.azure.words import says
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Check, Rule, Setting, StackRule
from edgewright.policies.view import View, Violation

NETWORK = "azure-native:network:VirtualNetwork"
SUBNET = "azure-native:network:Subnet"
INTERFACE = "azure-native:network:NetworkInterface"
FLOW_LOG = "azure-native:network:FlowLog"
SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
MACHINE = "azure-native:compute:VirtualMachine"

_SSH, _RDP, _HTTP = 22, 3389, 80
# What Terrascan's AC_AZURE_0270 to 0537 are about, and remote management, but for ports with rules of their own.
_SENSITIVE = (
    *(20, 21, 23, 25, 53, 110, 135, 137, 138, 139, 161, 389, 445, 636, 1433, 1434, 1521, 2382, 2383, 2483, 2484),
    *(3000, 3020, 3306, 4022, 4505, 4506, 5432, 5500, 5900, 5985, 5986, 6379, 7000, 7001, 7199, 8000, 8080, 8140),
    *(8888, 9000, 9042, 9160, 9200, 9300, 11211, 11214, 11215, 27017, 27018, 61621),
)
_NAMED = {_SSH, _RDP, *_SENSITIVE}
# A group sees the port behind a balancer; 8081 is HTTPS of the self-hosted gateway:
# https://learn.microsoft.com/azure/api-management/self-hosted-gateway-overview
_CLIENTS = [80, 443, 8081]
_OUTWARD = [80, 123, 443]
_GATEWAY_SUBNET = "GatewaySubnet"
# https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview and the services' own pages: these
# take no group, or Azure manages their way out.
_MANAGED = ["GatewaySubnet", "AzureFirewallSubnet", "AzureFirewallManagementSubnet", "RouteServerSubnet"]
_AZURE_DNS = "168.63.129.16"
_PORTS = {"type": "array", "items": {"type": "integer"}}
_STRINGS = {"type": "array", "items": {"type": "string"}}


# -- what comes in -----------------------------------------------------------------------------------------------------


def _open_at(port: int) -> Check:
    def nobody_gets_in(view: View) -> Iterator[Violation]:
        """Nothing from the internet to this port, by TCP. What opens all ports is `any_source`'s."""
        for opening in openings(view, "Inbound"):
            if opening.public and opening.protocol in {"tcp", "*"} and not opening.every and opening.hit([port]):
                yield opening.fails(f"to {_who(opening)}, and {port} is among them")

    return nobody_gets_in


def _who(opening: Opening) -> str:
    return {"any": "any address", "internet": "the internet", "azure": "every machine in Azure"}[opening.peer]


def no_udp(view: View) -> Iterator[Violation]:
    """Nothing from the internet by UDP, but for ports that are meant for it.

    Of what opens every protocol, what is against the rules for TCP is left to those.
    """
    for opening in openings(view, "Inbound"):
        if not opening.public or opening.only(view.setting("ports")):
            continue
        if opening.protocol == "udp" or (opening.protocol == "*" and not opening.every and not opening.hit(_NAMED)):
            yield opening.fails(f"to {_who(opening)}, so UDP too")


def any_source(view: View) -> Iterator[Violation]:
    """Nothing comes in from any address; what the tag `Internet` lets in are clients, on ports that are meant for them.

    UDP and ports with rules of their own are left to those.
    """
    for opening in openings(view, "Inbound"):
        if not opening.public or opening.protocol == "udp":
            continue
        if opening.every:
            yield opening.fails(f"to {_who(opening)}")
        elif opening.hit(_NAMED):
            continue
        elif opening.peer == "any":
            yield opening.fails("to any address, those of the network and of networks beside it too")
        elif not opening.only(view.setting("ports")):
            yield opening.fails(f"to the internet; authorised are {', '.join(map(str, view.setting('ports')))}")


def sensitive_ports(view: View) -> Iterator[Violation]:
    """Ports of databases, of administration and of old protocols are open neither to the internet nor to all of Azure.

    SSH and Remote Desktop have rules of their own for the internet.
    """
    for opening in openings(view, "Inbound"):
        if not opening.public:
            hit = opening.hit(sorted(_NAMED))
        elif opening.protocol in {"tcp", "*"} and not opening.every:
            hit = opening.hit(_SENSITIVE)
        else:
            hit = []
        if hit:
            yield opening.fails(f"to {_who(opening)}, and {hit[0]} is among them")


def not_shut_first(stack: Graph) -> Iterator[Violation]:
    """The first rule for what comes in is no denial of everything: behind it, not even Azure's own probes come in.

    A group that lets nothing in at all is closed on purpose, as that of a subnet by which a service only goes out:
    nothing in it is asked for its health, so that an allowance of probes would be an opening that nobody needs.
    """
    for group in stack.of(GROUP):
        rules = in_order(stack, group, "Inbound") or []
        if rules and any(says(rule, "access", "Allow") for rule in rules) and denies_all(rules[0]):
            yield rules[0].fails("", "comes first and denies everything, the load balancer's probes too")


# -- what goes out -----------------------------------------------------------------------------------------------------


def public_egress(view: View) -> Iterator[Violation]:
    """Not everything may go out everywhere: some ports, and to the internet only."""
    for opening in openings(view, "Outbound"):
        if not opening.public:
            continue
        if not opening.only(view.setting("ports")):
            allowed = ", ".join(map(str, view.setting("ports")))
            yield opening.fails(f"on the way to {_who(opening)}; authorised are {allowed}")
        elif opening.peer == "any":
            yield opening.fails("on the way to any address, those of the network too")


def no_lateral(stack: Graph) -> Iterator[Violation]:
    """Who is on a machine cannot go on to others by SSH or Remote Desktop: such ways out are denied.

    Two kinds of subnets are left out, known by the ports of their management: an Application Gateway's, where nothing
    that goes out may be denied (https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure),
    and a bastion's, which is there for this (https://learn.microsoft.com/azure/bastion/bastion-nsg).
    """
    for group in stack.of(GROUP):
        outward = in_order(stack, group, "Outbound")
        if outward is None:
            continue
        found = [violation for port in stack.setting("ports") for violation in _lateral(group, outward, port)]
        if found and not any(_manages(rule) for rule in in_order(stack, group, "Inbound") or ()):
            yield from found


def _manages(rule: View) -> bool:
    """Whether Azure manages an Application Gateway or a bastion by a rule."""
    tagged = says(rule, "access", "Allow") and "gatewaymanager" in addresses(rule, "source")
    return tagged and ports_of(rule) in (((65200, 65535),), ((443, 443),))


def _lateral(group: View, rules: Sequence[View], port: int) -> Iterator[Violation]:
    """The first rule that is about the whole network and the port says what holds."""
    for rule in rules:
        if not covers_network(addresses(rule, "destination")) or not open_to_tcp(rule, port):
            continue
        if says(rule, "access", "Allow"):
            yield rule.fails("", f"lets port {port} out to the whole network")
            return
        if covers_network(addresses(rule, "source")):
            return
    for rule in rules:
        if rule.subject is not group.subject and rule.unread:
            group.note("securityRules", f"`{rule.subject.name}` is not known yet")
    yield group.lacks("", f"does not deny what goes out to port {port} of the network, and Azure's own rules let it")


# -- logs --------------------------------------------------------------------------------------------------------------


def flows_logged(log: View) -> Iterator[Violation]:
    """A log of flows is on, kept, and looked at."""
    if log.flag("enabled") is not True:
        yield log.fails("enabled", "is not true")
    days = log.number("retentionPolicy.days")
    if days is None:
        yield log.fails("retentionPolicy.days", "is not said")
    elif isinstance(days, float) and 0 < days < log.setting("days"):
        yield log.fails("retentionPolicy.days", f"is {days:g}, fewer than {log.setting('days')}")
    analysed = "flowAnalyticsConfiguration.networkWatcherFlowAnalyticsConfiguration.enabled"
    if log.flag(analysed) is not True:
        yield log.fails(analysed, "is not true, so that nobody sees what is in the log")


def flows_of_networks(stack: Graph) -> Iterator[Violation]:
    """A virtual network has a log of flows."""
    for network in stack.of(NETWORK):
        if not referring(stack, network, "targetResourceId", FLOW_LOG):
            yield network.lacks("", "has no log of flows")


def group_logged(stack: Graph) -> Iterator[Violation]:
    """A security group sends what it logs somewhere."""
    for group in stack.of(GROUP):
        yield from sends_logs(stack, group, ())


# -- subnets, interfaces, networks -------------------------------------------------------------------------------------


def _subnets(view: View) -> Iterator[tuple[View, str, str]]:
    """Subnets of a network, or one that stands alone, with the property of the name, and the name ("" if there is
    none); not those whose name is not known yet."""
    for subnet in (view,) if view.subject.type == SUBNET else view.children("subnets"):
        key = "subnetName" if subnet.has("subnetName") else "name"
        name = subnet.text(key)
        if name is None or isinstance(name, str):
            yield subnet, key, name or ""


def subnet_has_group(view: View) -> Iterator[Violation]:
    """A subnet has a security group, but for those that take none."""
    exempt = {name.lower() for name in view.setting("exempt")}
    for subnet, key, name in _subnets(view):
        if name.lower() not in exempt and not points(subnet, "networkSecurityGroup"):
            yield subnet.fails("networkSecurityGroup", "is not said", key)


def gateway_without_group(view: View) -> Iterator[Violation]:
    """The subnet of a network gateway has no security group: the gateway stops working with it."""
    for subnet, key, name in _subnets(view):
        if name.lower() == _GATEWAY_SUBNET.lower() and points(subnet, "networkSecurityGroup"):
            yield subnet.fails("networkSecurityGroup", "is there, and a network gateway takes none", key)


def subnet_private(view: View) -> Iterator[Violation]:
    """A subnet has no way out that nobody asked for."""
    exempt = {name.lower() for name in view.setting("exempt")}
    for subnet, key, name in _subnets(view):
        if name.lower() not in exempt and subnet.flag("defaultOutboundAccess") is not False:
            yield subnet.fails("defaultOutboundAccess", "is not false, so machines go out by addresses of Azure's", key)


def interface_inside(view: View) -> Iterator[Violation]:
    """A network interface has no public address, and hands nothing on that is not for it."""
    kind = view.subject.type
    way = "virtualMachineProfile.networkProfile" if kind == SCALE_SET else "networkProfile"
    listed = [view] if kind == INTERFACE else view.children(f"{way}.networkInterfaceConfigurations")
    key = "publicIPAddress" if kind == INTERFACE else "publicIPAddressConfiguration"
    for interface in listed:
        if interface.flag("enableIPForwarding") is True:
            yield interface.fails("enableIPForwarding", "is true")
        for configuration in interface.children("ipConfigurations"):
            if configuration.has(key):
                yield configuration.fails(key, "is said, so that it is reached around the balancer")


def dns_servers(network: View) -> Iterator[Violation]:
    """A network has Azure's DNS, or several servers of its own that are inside."""
    key = "dhcpOptions.dnsServers"
    servers = list(network.texts(key))
    count = network.count(key)
    if count == 1 and servers != [_AZURE_DNS]:
        yield network.fails(key, "are one: names are not found while it is away")
    prefixes = network.texts("addressSpace.addressPrefixes") if network.setting("local") and servers else ()
    for server in servers:
        if server == _AZURE_DNS:
            continue
        if network.setting("local") and not _within(server, prefixes):
            yield network.fails(key, f"have {server}, which is not in the network", "addressSpace.addressPrefixes")
        elif not _private(server):
            yield network.fails(key, f"have {server}, which is out in the internet")


def _private(server: str) -> bool:
    try:
        return ip_address(server).is_private
    except ValueError:
        return False


def _within(server: str, prefixes: Sequence[str]) -> bool:
    try:
        return any(ip_address(server) in ip_network(prefix, strict=False) for prefix in prefixes)
    except ValueError:
        return False


_INWARD = (GROUP, RULE)
_ALL_PORTS = "What opens all ports; and denials in other resources, so that what they close is reported."
_OTHER_RULE = "nsg-no-any-inbound sees the first; write denials inline in the group, or leave out what they close."

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="nsg-no-internet-ssh",
        controls=("nsg-no-internet-ssh",),
        title="SSH is not open to the internet",
        severity="critical",
        types=_INWARD,
        check=_open_at(_SSH),
        remedy="Azure Bastion, or addresses of your own.",
        blind=_ALL_PORTS,
        instead=_OTHER_RULE,
    ),
    Rule(
        name="nsg-no-internet-rdp",
        controls=("nsg-no-internet-rdp",),
        title="Remote Desktop is not open to the internet",
        severity="critical",
        types=_INWARD,
        check=_open_at(_RDP),
        remedy="Azure Bastion, or addresses of your own.",
        blind=_ALL_PORTS,
        instead=_OTHER_RULE,
    ),
    Rule(
        name="nsg-no-internet-udp",
        controls=("nsg-no-internet-udp",),
        title="Nothing comes in from the internet by UDP",
        severity="high",
        types=_INWARD,
        check=no_udp,
        remedy="protocol: Tcp, or addresses of your own; a port that serves clients by UDP in `ports`.",
        settings={"ports": Setting(_PORTS, [], "ports that may be open by UDP")},
    ),
    Rule(
        name="nsg-no-internet-http",
        controls=("nsg-no-internet-http",),
        title="Port 80 is not open to the internet",
        severity="medium",
        types=_INWARD,
        check=_open_at(_HTTP),
        remedy="No listener for HTTP, and no rule for it.",
        optional="An Application Gateway that sends clients from HTTP to HTTPS needs port 80.",
        blind=_ALL_PORTS,
        instead=_OTHER_RULE,
    ),
    Rule(
        name="nsg-no-any-inbound",
        controls=("nsg-no-any-inbound",),
        title="Nothing comes in from any address, and clients only on ports that are meant for them",
        severity="critical",
        types=_INWARD,
        check=any_source,
        remedy="sourceAddressPrefix: Internet for clients, VirtualNetwork, a subnet or addresses for others; a port.",
        blind="Denials in other resources, so that what they close is reported.",
        instead="Write denials inline in the group, or leave out what they close.",
        settings={"ports": Setting(_PORTS, _CLIENTS, "ports that may be open to the tag Internet")},
    ),
    Rule(
        name="nsg-sensitive-ports",
        controls=("nsg-sensitive-ports",),
        title="Ports of databases and of administration are open neither to the internet nor to all of Azure",
        severity="high",
        types=_INWARD,
        check=sensitive_ports,
        remedy="sourceAddressPrefix: VirtualNetwork, a subnet or addresses of your own; a balancer in front.",
        blind=_ALL_PORTS,
        instead=_OTHER_RULE,
    ),
    Rule(
        name="nsg-no-public-egress",
        controls=("nsg-no-public-egress",),
        title="Not everything may go out everywhere",
        severity="medium",
        types=_INWARD,
        check=public_egress,
        remedy="destinationAddressPrefix: a service tag or addresses; Internet only on ports that are needed.",
        blind="A group without a denial of its own: Azure's last rules let everything out.",
        instead="A denial of everything as the last rule, or a route to a firewall.",
        settings={
            "ports": Setting(
                _PORTS,
                _OUTWARD,
                "ports that may go out to the internet: what API Management and AKS need, where no tag names it",
            )
        },
    ),
    StackRule(
        name="nsg-not-deny-all-first",
        controls=("nsg-not-deny-all-first",),
        title="The first rule for what comes in is no denial of everything",
        severity="medium",
        types=(GROUP,),
        check=not_shut_first,
        remedy="A rule before it that allows AzureLoadBalancer; the denial with priority 4096.",
        blind="Rules in other stacks; a group that lets nothing in at all, which is closed on purpose.",
        instead=f"{ELSEWHERE} Behind a balancer, the metric DipAvailability says that machines are not healthy.",
    ),
    StackRule(
        name="nsg-lateral-traversal",
        controls=("nsg-lateral-traversal",),
        title="What goes out to the network's own SSH and Remote Desktop is denied",
        severity="medium",
        types=(GROUP,),
        check=no_lateral,
        remedy="A denial of ports 22 and 3389 to VirtualNetwork for what goes out.",
        blind="Rules in other stacks; what is allowed to a part of the network, which somebody has thought of.",
        instead=ELSEWHERE,
        settings={"ports": Setting(_PORTS, [_SSH, _RDP], "ports of administration")},
    ),
    Rule(
        name="nsg-flow-logs",
        controls=("nsg-flow-logs",),
        title="A log of flows is on, kept for 90 days, and analysed",
        severity="medium",
        types=(FLOW_LOG,),
        check=flows_logged,
        remedy="enabled: true; retentionPolicy: {enabled: true, days: 90}; traffic analytics with a workspace.",
        blind="Networks without a log.",
        instead="network-has-flow-log, where a stack owns the region's Network Watcher.",
        settings={"days": Setting({"type": "integer", "minimum": 1}, 90, "how many days at least; 0 is for ever")},
    ),
    StackRule(
        name="network-has-flow-log",
        controls=("nsg-flow-logs",),
        title="A virtual network has a log of flows",
        severity="medium",
        types=(NETWORK,),
        check=flows_of_networks,
        remedy="An azure-native:network:FlowLog with the network's id as targetResourceId; no new ones for groups.",
        optional="A subscription has one Network Watcher a region, which stacks share: Azure Policy makes logs for all"
        " networks there.",
        blind="Logs in other stacks, and those that Azure Policy makes.",
        instead="Azure Policy: 4c3c6c5f for networks.",
    ),
    StackRule(
        name="nsg-diagnostic-settings",
        controls=("nsg-diagnostic-settings",),
        title="A security group sends its logs somewhere",
        severity="low",
        types=(GROUP,),
        check=group_logged,
        remedy="An azure-native:monitor:DiagnosticSetting with its id as resourceUri, and a workspace.",
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
    Rule(
        name="nsg-name-valid",
        controls=("nsg-name-valid",),
        title="A security group has a name that Azure takes",
        severity="low",
        types=(GROUP,),
        check=named("networkSecurityGroupName"),
        remedy="networkSecurityGroupName: a letter or digit, then letters, digits, `.`, `_` and `-`; 80 at most.",
        settings=NAMED,
    ),
    Rule(
        name="subnet-has-nsg",
        controls=("subnet-has-nsg",),
        title="A subnet has a security group",
        severity="medium",
        types=(NETWORK, SUBNET),
        check=subnet_has_group,
        remedy="networkSecurityGroup: {id: ...}",
        settings={"exempt": Setting(_STRINGS, _MANAGED, "names of subnets that take none")},
    ),
    Rule(
        name="gateway-subnet-no-nsg",
        controls=("gateway-subnet-no-nsg",),
        title="The subnet of a network gateway has no security group",
        severity="low",
        types=(NETWORK, SUBNET),
        check=gateway_without_group,
        remedy="No networkSecurityGroup for GatewaySubnet.",
    ),
    Rule(
        name="subnet-private",
        controls=("subnet-private",),
        title="A subnet has no default way out",
        severity="low",
        types=(NETWORK, SUBNET),
        check=subnet_private,
        remedy="defaultOutboundAccess: false, and a NAT gateway where something has to get out.",
        settings={
            "exempt": Setting(
                _STRINGS, [*_MANAGED, "AzureBastionSubnet"], "names of subnets whose way out Azure manages"
            )
        },
    ),
    Rule(
        name="nic-no-public-ip",
        controls=("nic-no-public-ip",),
        title="Network interfaces have no public address and hand nothing on",
        severity="medium",
        types=(INTERFACE, SCALE_SET, MACHINE),
        check=interface_inside,
        remedy="No publicIPAddress: a load balancer in front, a NAT gateway on the way out; enableIPForwarding: false.",
    ),
    Rule(
        name="vnet-dns",
        controls=("vnet-dns",),
        title="A virtual network has Azure's DNS, or several private servers",
        severity="low",
        types=(NETWORK,),
        check=dns_servers,
        remedy="dhcpOptions: {dnsServers: [...]} with two private addresses, or none for Azure's.",
        settings={
            "local": Setting(
                {"type": "boolean"}, False, "whether servers are in the network itself; those of a hub are not"
            )
        },
    ),
)
