"""Rules over Azure Load Balancers and public addresses."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgewright.azure.network_regions import default_zones
from edgewright.policies.azure.identities import points, referring
from edgewright.policies.azure.monitoring import BLIND_TO_SETTINGS, DIAGNOSTICS, ELSEWHERE, sends_logs
from edgewright.policies.azure.names import NAMED, name_problems
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, Setting, StackRule
from edgewright.policies.view import View, Violation

BALANCER = "azure-native:network:LoadBalancer"
POOL = "azure-native:network:LoadBalancerBackendAddressPool"
NAT_RULE = "azure-native:network:InboundNatRule"
ADDRESS = "azure-native:network:PublicIPAddress"
PREFIX = "azure-native:network:PublicIPPrefix"
NETWORK = "azure-native:network:VirtualNetwork"
INTERFACE = "azure-native:network:NetworkInterface"
SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
MACHINE = "azure-native:compute:VirtualMachine"

_PORTS = {"type": "array", "items": {"type": "integer"}}
_STRINGS = {"type": "array", "items": {"type": "string"}}
_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
_ZONES = {"1", "2", "3"}
# What names an address and is not reached by it.
_NO_USE = (
    ADDRESS,
    PREFIX,
    *DIAGNOSTICS,
    "azure-native:authorization:RoleAssignment",
    "azure-native:authorization:ManagementLockByScope",
    "azure-native:authorization:ManagementLockAtResourceLevel",
    "azure-native:dns:RecordSet",
    "azure-native:network:RecordSet",
    "azure-native:monitor:MetricAlert",
    "azure-native:insights:MetricAlert",
)


# -- balancers ---------------------------------------------------------------------------------------------------------


def standard_balancer(balancer: View) -> Iterator[Violation]:
    """The SKU is Standard, or Gateway; one that is not said is Basic."""
    name = balancer.text("sku.name")
    if _small(name) not in {"standard", "gateway"}:
        yield balancer.fails("sku.name", f"is {name or 'not said, which means Basic'}")


def _small(word: object) -> str:
    return word.lower() if isinstance(word, str) else ""


def _zones_there(view: View) -> bool:
    """Whether the region has zones, as far as is known."""
    return bool(default_zones(view.text("location")))


def internal_zones(balancer: View) -> Iterator[Violation]:
    """Internal frontends of a Standard balancer are in several zones; a public one is where its address is."""
    if _small(balancer.text("sku.name")) not in {"standard", "gateway"} or not _zones_there(balancer):
        return
    for frontend in balancer.children("frontendIPConfigurations"):
        if not _is_public(frontend):
            count = frontend.count("zones")
            if isinstance(count, int) and count < 2:
                text = f"are {count}, so the address goes down with a zone"
                yield balancer.fails(f"{frontend.path}.zones", text, "sku.name", "location")


def _is_public(frontend: View) -> bool:
    return frontend.has("publicIPAddress") or frontend.has("publicIPPrefix")


def probes_ask(balancer: View) -> Iterator[Violation]:
    """Probes of web ports ask the service, and not whether a port is open."""
    for probe in balancer.children("probes"):
        port = probe.number("port")
        if port not in probe.setting("ports"):
            continue
        protocol = probe.text("protocol")
        if _small(protocol) not in {"http", "https"}:
            yield probe.fails("protocol", f"is {protocol}, so a service that answers nothing is healthy", "port")
        elif probe.text("requestPath") in {None, "", "/"}:
            yield probe.fails("requestPath", "is no path of a health check", "port", "protocol")


def rules_have_probes(balancer: View) -> Iterator[Violation]:
    """Every rule has a probe. A Global balancer has none: it knows by itself which balancers are there."""
    if _small(balancer.text("sku.tier")) == "global":
        return
    for rule in balancer.children("loadBalancingRules"):
        if not points(rule, "probe"):
            text = "is not said, so machines that answer nothing get requests"
            yield balancer.fails(f"{rule.path}.probe", text, "sku.tier")


def no_outbound_rules(balancer: View) -> Iterator[Violation]:
    """Nothing goes out by the balancer's addresses, with rules for it or beside those for what comes in."""
    count = balancer.count("outboundRules")
    if isinstance(count, int) and count > 0:
        yield balancer.fails("outboundRules", "are there: ports of few addresses run out")
    if _small(balancer.text("sku.tier")) == "global" or not any(
        _is_public(frontend) for frontend in balancer.children("frontendIPConfigurations")
    ):
        return
    for rule in balancer.children("loadBalancingRules"):
        if rule.flag("disableOutboundSnat") is not True:
            text = "is not true, so machines go out by the balancer's address"
            yield balancer.fails(f"{rule.path}.disableOutboundSnat", text, "sku.tier", "frontendIPConfigurations")


def public_on_purpose(balancer: View) -> Iterator[Violation]:
    """It has no public frontend, or it says that it is meant to."""
    frontends = [one for one in balancer.children("frontendIPConfigurations") if _is_public(one)]
    key: str = balancer.setting("tag")
    tags = balancer.child("tags") if frontends else None
    meant = tags is not None and key in tags.keys
    if meant or balancer.subject.name in balancer.setting("allowed"):
        return
    for frontend in frontends:
        which = "publicIPAddress" if frontend.has("publicIPAddress") else "publicIPPrefix"
        text = f"is said, and neither tag `{key}` nor the configuration says that it is meant to be public"
        yield balancer.fails(f"{frontend.path}.{which}", text, "tags")


def no_management(balancer: View) -> Iterator[Violation]:
    """No NAT rule of a public frontend leads to a port of administration."""
    for key in ("inboundNatRules", "inboundNatPools"):
        for rule in balancer.children(key):
            port = rule.number("backendPort")
            if port in rule.setting("ports") and _reached(balancer, rule):
                text = f"is {port:g}, and the frontend is public"
                yield balancer.fails(f"{rule.path}.backendPort", text, f"{rule.path}.frontendIPConfiguration", _FRONTS)


_FRONTS = "frontendIPConfigurations"


def _reached(balancer: View, rule: View) -> bool:
    """Whether a rule's frontend is public; where there are both kinds, by its name."""
    frontends = balancer.children(_FRONTS)
    public = [frontend for frontend in frontends if _is_public(frontend)]
    if not public or len(public) == len(frontends):
        return bool(public)
    name = rule.last_part("frontendIPConfiguration.id")
    return isinstance(name, str) and name.lower() in {_small(frontend.text("name")) for frontend in public}


def no_management_alone(stack: Graph) -> Iterator[Violation]:
    """The same of NAT rules that stand alone."""
    balancers = {
        rule.subject.urn: balancer
        for balancer in stack.of(BALANCER)
        for rule in referring(stack, balancer, "loadBalancerName", NAT_RULE)
    }
    for rule in stack.of(NAT_RULE):
        port = rule.number("backendPort")
        if port not in stack.setting("ports"):
            continue
        balancer = balancers.get(rule.subject.urn)
        if balancer is None:
            rule.note("loadBalancerName", "is no balancer of the stack: whether it is public is not known")
        elif _reached(balancer, rule):
            if balancer.unread:
                rule.note(_FRONT, f"of `{balancer.subject.name}` is not known yet")
            yield rule.fails("backendPort", f"is {port:g}, and the frontend is public", _FRONT)


_FRONT = "frontendIPConfiguration"


def balancer_logged(stack: Graph) -> Iterator[Violation]:
    """A balancer sends what it logs somewhere."""
    for balancer in stack.of(BALANCER):
        yield from sends_logs(stack, balancer, ())


def balancer_named(balancer: View) -> Iterator[Violation]:
    """The name is one that Azure takes, and says whether the balancer is public where a team wants it so."""
    internal, public = balancer.setting("internalPrefix"), balancer.setting("publicPrefix")
    prefix = internal
    if internal != public:
        frontends = balancer.children(_FRONTS)
        prefix = public if any(_is_public(frontend) for frontend in frontends) else internal
    yield from name_problems(balancer, "loadBalancerName", prefix, _FRONTS)


# -- pools -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Pool:
    """A pool and how many are in it. within: the balancer or the pool's own resource, which others refer to."""

    view: View
    within: View
    name: str
    members: float

    def is_called(self, name: str) -> bool:
        """Whether that is its name. One that is left out is made by the provider, and may be any."""
        return _small(self.view.text(self.name)) in {"", name.lower()}

    def named_by(self, identity: str) -> bool:
        """Whether an id is that of the pool: by its name and by its balancer's."""
        *_, balancer, _, name = ("", "", "", *identity.lower().split("/"))
        return self.is_called(name) and _small(self.within.text("loadBalancerName")) in {"", balancer}


def enough_members(stack: Graph) -> Iterator[Violation]:
    """A pool has two members or more. One that nobody in the stack is in is filled from elsewhere."""
    pools = [*_inline_pools(stack), *_pools_alone(stack)]
    for joining in stack.of(INTERFACE, SCALE_SET, MACHINE):
        _join(joining, pools)
    for pool in pools:
        least = 0 if stack.setting("empty") else -1
        if least < pool.members < stack.setting("members"):
            yield pool.within.fails(pool.view.path, f"has {pool.members:g} member(s)")


def _inline_pools(stack: Graph) -> Iterator[_Pool]:
    for balancer in stack.of(BALANCER):
        for view in balancer.children("backendAddressPools"):
            yield _pool(view, balancer, "name")


def _pools_alone(stack: Graph) -> Iterator[_Pool]:
    for view in stack.of(POOL):
        yield _pool(view, view, "backendAddressPoolName")


def _pool(view: View, within: View, name: str) -> _Pool:
    count = view.count("loadBalancerBackendAddresses")
    return _Pool(view, within, name, count if isinstance(count, int) else 0)


_JOINS = {INTERFACE: "ipConfigurations", SCALE_SET: "virtualMachineProfile", MACHINE: "networkProfile"}
"""The property that names pools, by type."""


def _join(joining: View, pools: Sequence[_Pool]) -> None:
    """Count a machine, or the machines of a scale set, in the pools that it names."""
    urns = joining.subject.refs.get(_JOINS[joining.subject.type], frozenset[str]())
    there = [pool for pool in pools if pool.within.subject.urn in urns]
    given = [
        entry
        for configuration in _configurations(joining)
        for entry in configuration.children("loadBalancerBackendAddressPools")
    ]
    found = {pool.view.path + pool.within.subject.urn: pool for one in given for pool in _meant(one, there, pools)}
    for pool in found.values():
        pool.members += _machines(joining, pool)


def _configurations(joining: View) -> Iterator[View]:
    kind = joining.subject.type
    way = "virtualMachineProfile.networkProfile" if kind == SCALE_SET else "networkProfile"
    listed = [joining] if kind == INTERFACE else joining.children(f"{way}.networkInterfaceConfigurations")
    for interface in listed:
        yield from interface.children("ipConfigurations")


def _meant(given: View, there: Sequence[_Pool], pools: Sequence[_Pool]) -> Sequence[_Pool]:
    """The pools that an entry names. there: those of what it comes from; where they are several, its id has the name.

    What is not known yet may be in any of them: that is remembered.
    """
    if len(there) == 1:
        return there
    name = given.last_part("id") if there else given.text("id")
    if isinstance(name, str):
        return [pool for pool in there or pools if (pool.is_called(name) if there else pool.named_by(name))]
    for pool in there or pools:
        pool.within.note(pool.view.path, f"`{given.subject.name}` may be in it: that is not known yet")
    return []


def _machines(joining: View, pool: _Pool) -> float:
    if joining.subject.type != SCALE_SET:
        return 1
    count = joining.number("sku.capacity")
    if isinstance(count, float):
        return count
    # Not said, or not known: the autoscaler's to say.
    pool.within.note(pool.view.path, f"how many machines `{joining.subject.name}` has is not known")
    return 1


# -- public addresses --------------------------------------------------------------------------------------------------


def standard_address(address: View) -> Iterator[Violation]:
    """The SKU is Standard, and the address stays the same."""
    name = address.text("sku.name")
    if _small(name) not in {"standard", "standardv2"}:
        yield address.fails("sku.name", f"is {name or 'not said, which means Basic'}")
    method = address.text("publicIPAllocationMethod")
    if _small(method) != "static":
        yield address.fails("publicIPAllocationMethod", f"is {method or 'not said, which means Dynamic'}")


def address_zones(address: View) -> Iterator[Violation]:
    """A regional Standard address is in all zones; one of StandardV2 always is."""
    if _small(address.text("sku.name")) != "standard" or _small(address.text("sku.tier")) == "global":
        return
    zones = address.texts("zones")
    if set(zones) != _ZONES and _zones_there(address):
        also = ("sku.name", "sku.tier", "location")
        yield address.fails("zones", f"are {', '.join(zones) or 'not said'}, not all of 1, 2 and 3", *also)


def attached(stack: Graph) -> Iterator[Violation]:
    """A public address belongs to something."""
    for address in stack.of(ADDRESS):
        if not stack.used(address, but=_NO_USE):
            yield address.lacks("", "belongs to nothing in the stack")


def address_named(address: View) -> Iterator[Violation]:
    """Its name and its label in the DNS are ones that Azure takes."""
    yield from name_problems(address, "publicIpAddressName", address.setting("prefix"))
    label = address.text("dnsSettings.domainNameLabel")
    if isinstance(label, str) and _LABEL.fullmatch(label) is None:
        yield address.fails("dnsSettings.domainNameLabel", f"is `{label}`, which Azure does not take")


def ddos_not_refused(address: View) -> Iterator[Violation]:
    """It is protected by itself, or with its network."""
    mode = address.text("ddosSettings.protectionMode")
    if _small(mode) not in {"enabled", "virtualnetworkinherited"}:
        yield address.fails("ddosSettings.protectionMode", f"is {mode or 'not said'}")


def inherit_protection(address: View) -> dict[str, str]:
    """Azure's default, where an address says nothing or has refused it, but not over what is unknown."""
    mode = address.text("ddosSettings.protectionMode")
    refused = mode is None or _small(mode) == "disabled"
    return {"ddosSettings.protectionMode": "VirtualNetworkInherited"} if refused else {}


def network_has_plan(network: View) -> Iterator[Violation]:
    """A network is in a DDoS protection plan, which addresses inherit."""
    if network.flag("enableDdosProtection") is not True:
        yield network.fails("enableDdosProtection", "is not true")
    elif not points(network, "ddosProtectionPlan"):
        yield network.fails("ddosProtectionPlan", "is not said")


def address_logged(stack: Graph) -> Iterator[Violation]:
    """A public address sends its logs, which tell of attacks, somewhere."""
    for address in stack.of(ADDRESS):
        yield from sends_logs(stack, address, ())


_MANAGEMENT = {"ports": Setting(_PORTS, [22, 3389, 5985, 5986], "ports of administration")}
_SETTING = "An azure-native:monitor:DiagnosticSetting with its id as resourceUri, and a workspace."

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="lb-standard-sku",
        controls=("lb-standard-sku",),
        title="A Load Balancer is of the SKU Standard",
        severity="high",
        types=(BALANCER,),
        check=standard_balancer,
        remedy="sku: {name: Standard}; Azure ended Basic on 2025-09-30.",
    ),
    Rule(
        name="lb-zone-redundant",
        controls=("lb-zone-redundant",),
        title="Internal frontends of a Load Balancer are in several zones",
        severity="medium",
        types=(BALANCER,),
        check=internal_zones,
        remedy='zones: ["1", "2", "3"] at the frontend; regions without zones are left out.',
    ),
    Rule(
        name="lb-health-probe-specific",
        controls=("lb-health-probe-specific",),
        title="Probes of web ports ask for the path of a health check",
        severity="medium",
        types=(BALANCER,),
        check=probes_ask,
        remedy="protocol: Http or Https, requestPath: /healthz.",
        settings={"ports": Setting(_PORTS, [80, 443, 8080], "ports of web services")},
    ),
    Rule(
        name="lb-rules-have-probe",
        controls=("lb-rules-have-probe",),
        title="Every rule of a Load Balancer has a probe",
        severity="medium",
        types=(BALANCER,),
        check=rules_have_probes,
        remedy="probe: {id: ...} at the rule.",
    ),
    StackRule(
        name="lb-backend-two-instances",
        controls=("lb-backend-two-instances",),
        title="A pool of a Load Balancer has two members or more",
        severity="medium",
        types=(BALANCER, POOL),
        check=enough_members,
        remedy="Another machine, or sku: {capacity: 2} of the scale set.",
        blind="Pools that nobody in the stack is in: machines join from their own side, often in another stack.",
        instead="The setting `empty: false` where all machines are in the stack; the metric DipAvailability.",
        settings={
            "members": Setting({"type": "integer", "minimum": 1}, 2, "how many at least"),
            "empty": Setting({"type": "boolean"}, True, "accept pools that nobody in the stack is in"),
        },
    ),
    Rule(
        name="lb-no-outbound-rules",
        controls=("lb-no-outbound-rules",),
        title="Machines go out by a NAT gateway and not by a Load Balancer",
        severity="low",
        types=(BALANCER,),
        check=no_outbound_rules,
        remedy="disableOutboundSnat: true at each rule, no outboundRules, and a natGateway at the subnet.",
    ),
    Rule(
        name="lb-public-frontend-justified",
        controls=("lb-public-frontend-justified",),
        title="A Load Balancer is internal, or says that it is meant to be public",
        severity="medium",
        types=(BALANCER,),
        check=public_on_purpose,
        remedy="subnet at the frontend; or a tag `exposure`, whose value says why.",
        settings={
            "tag": Setting({"type": "string"}, "exposure", "a balancer with this tag is meant to be public"),
            "allowed": Setting(_STRINGS, [], "names of balancers that are meant to be public"),
        },
    ),
    Rule(
        name="lb-no-inbound-nat-mgmt-ports",
        controls=("lb-no-inbound-nat-mgmt-ports",),
        title="NAT rules of public frontends lead to no port of administration",
        severity="high",
        types=(BALANCER,),
        check=no_management,
        remedy="Azure Bastion, and no rule.",
        settings=_MANAGEMENT,
    ),
    StackRule(
        name="lb-nat-rule-no-mgmt-ports",
        controls=("lb-no-inbound-nat-mgmt-ports",),
        title="NAT rules that stand alone lead from no public frontend to a port of administration",
        severity="high",
        types=(NAT_RULE,),
        check=no_management_alone,
        remedy="Azure Bastion, and no rule.",
        settings=_MANAGEMENT,
    ),
    StackRule(
        name="lb-diagnostic-settings",
        controls=("lb-diagnostic-settings",),
        title="A Load Balancer sends its logs somewhere",
        severity="low",
        types=(BALANCER,),
        check=balancer_logged,
        remedy=_SETTING,
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
    Rule(
        name="lb-name-valid",
        controls=("lb-name-valid",),
        title="A Load Balancer has a name that Azure takes",
        severity="low",
        types=(BALANCER,),
        check=balancer_named,
        remedy="loadBalancerName: a letter or digit, then letters, digits, `.`, `_` and `-`; 80 at most.",
        settings={
            "internalPrefix": Setting({"type": "string"}, "", "what names of internal ones begin with, such as lbi-"),
            "publicPrefix": Setting({"type": "string"}, "", "what names of public ones begin with, such as lbe-"),
        },
    ),
    Rule(
        name="pip-standard-sku",
        controls=("pip-standard-sku",),
        title="A public address is Standard and static",
        severity="high",
        types=(ADDRESS,),
        check=standard_address,
        remedy="sku: {name: Standard}, publicIPAllocationMethod: Static; Azure ended Basic on 2025-09-30.",
    ),
    Rule(
        name="pip-zone-redundant",
        controls=("pip-zone-redundant",),
        title="A public address is in all zones",
        severity="medium",
        types=(ADDRESS, PREFIX),
        check=address_zones,
        remedy='zones: ["1", "2", "3"]; regions without zones and Global addresses are left out.',
    ),
    StackRule(
        name="pip-attached",
        controls=("pip-attached",),
        title="A public address belongs to something",
        severity="low",
        types=(ADDRESS,),
        check=attached,
        remedy="Delete it, or give it to what it is for.",
        blind="What uses it in other stacks.",
        instead="Azure Advisor, cost: public addresses without anything behind them.",
    ),
    Rule(
        name="pip-names-valid",
        controls=("pip-names-valid",),
        title="A public address has a name and a DNS label that Azure takes",
        severity="low",
        types=(ADDRESS,),
        check=address_named,
        remedy="domainNameLabel: 3 to 63 small letters, digits and hyphens, a letter first and no hyphen last.",
        settings=NAMED,
    ),
    Rule(
        name="pip-ddos-protection",
        controls=("pip-ddos-protection",),
        title="A public address is protected from floods, by itself or with its network",
        severity="medium",
        types=(ADDRESS,),
        check=ddos_not_refused,
        remedy="ddosSettings: {protectionMode: VirtualNetworkInherited}; or Enabled, which costs by the address.",
        blind="Whether the network has a plan, without which what an address inherits is basic protection.",
        instead="vnet-ddos-protection, where a plan is paid for.",
        remediation=inherit_protection,
    ),
    Rule(
        name="vnet-ddos-protection",
        controls=("pip-ddos-protection",),
        title="A virtual network is in a DDoS protection plan",
        severity="medium",
        types=(NETWORK,),
        check=network_has_plan,
        remedy="enableDdosProtection: true, ddosProtectionPlan: {id: ...}; one plan serves many networks.",
        optional="A plan is paid by the month, whatever is behind it: https://azure.microsoft.com/pricing/details/ddos-protection.",
    ),
    StackRule(
        name="pip-diagnostic-settings",
        controls=("pip-diagnostic-settings",),
        title="A public address sends its logs of attacks somewhere",
        severity="low",
        types=(ADDRESS,),
        check=address_logged,
        remedy=_SETTING,
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
)
