"""Rules over security groups: what may come in from the internet, what may go out, and what for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Check, Rule, Setting, StackRule
from edgewright.policies.view import UNKNOWN, View, Violation

GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"

# What refers to a security group and is no use of it.
_PARTS = (
    *(GROUP, OLD_RULE, INGRESS, EGRESS),
    "aws:ec2/tag:Tag",
    "aws:ec2/vpcSecurityGroupRulesExclusive:VpcSecurityGroupRulesExclusive",
    "aws:vpc/securityGroupVpcAssociation:SecurityGroupVpcAssociation",
)

_LAST_PORT = 65535
_SSH = 22
_RDP = 3389
_HTTP = 80
# Security Hub's EC2.19, without those that have rules of their own.
_HIGH_RISK = (
    *(20, 21, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 4333, 5000, 5432, 5500, 5601),
    *(8080, 8088, 8888, 9200, 9300),
)
_NAMED = {_SSH, _RDP, *_HIGH_RISK}
_ICMP = {"icmp", "icmpv6", "1", "58"}
_EVERY_PROTOCOL = {"-1", "all"}
# A prefix of no bits is every address, however the address before it is written; of one bit, every other.
_EVERYWHERE = ("/0", "/1")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a rule of a security group opens to the whole internet. view: the rule; ports: first and last, all for -1."""  # noqa: E501

    view: View
    protocol: str
    ports: tuple[float, float]

    @property
    def every(self) -> bool:
        """Whether all ports are open. Port 0 is used by nobody."""
        first, last = self.ports
        return first <= 1 and last >= _LAST_PORT

    def fails(self, text: str) -> Violation:
        """It is against a rule; the verdict rests on addresses, ports and protocol."""
        first, last = self.ports
        opened = "all ports" if self.every else f"port {first:g}" if first == last else f"ports {first:g} to {last:g}"
        return self.view.fails("", f"opens {opened} ({self.protocol}) {text}")


def openings(view: View, direction: str) -> Iterator[Opening]:
    """What a security group, or a rule of one, opens to all addresses. direction: ``ingress`` or ``egress``."""
    kind = view.subject.type
    if kind in (GROUP, DEFAULT_GROUP):
        for part in view.children(direction):
            yield from _opening(part, "protocol", ("cidrBlocks", "ipv6CidrBlocks"))
    elif kind == OLD_RULE:
        if view.text("type") == direction:
            yield from _opening(view, "protocol", ("cidrBlocks", "ipv6CidrBlocks"))
    else:
        yield from _opening(view, "ipProtocol", ("cidrIpv4", "cidrIpv6"))


def _opening(view: View, protocol_key: str, address_keys: tuple[str, ...]) -> Iterator[Opening]:
    if not any(address.endswith(_EVERYWHERE) for key in address_keys for address in view.texts(key)):
        return
    said = view.text(protocol_key)
    if said is UNKNOWN:
        return
    protocol = (said or "-1").lower()
    if protocol in _ICMP:
        return
    if protocol in _EVERY_PROTOCOL:
        yield Opening(view, "every protocol", (0, _LAST_PORT))
        return
    first, last = view.number("fromPort"), view.number("toPort")
    if first is not UNKNOWN and last is not UNKNOWN:
        low = first or 0
        yield Opening(view, protocol, (low, low if last is None else last))


def _open_at(*ports: int) -> Check:
    def nobody_gets_in(view: View) -> Iterator[Violation]:
        """No ingress from everywhere to these ports. What opens all ports is `all_ports`'s."""
        for opening in openings(view, "ingress"):
            first, last = opening.ports
            hit = [port for port in ports if first <= port <= last]
            if hit and not opening.every:
                yield opening.fails(f"to the internet, and {hit[0]} is among them")

    return nobody_gets_in


def all_ports(view: View) -> Iterator[Violation]:
    """Only ports that are meant for it are open to the internet. Ports with rules of their own are left to those."""
    for opening in openings(view, "ingress"):
        first, last = opening.ports
        named = any(first <= port <= last for port in _NAMED)
        if opening.every:
            yield opening.fails("to the internet")
        elif not named and _beyond(first, last, view.setting("ports")):
            yield opening.fails(f"to the internet; authorised are {', '.join(map(str, view.setting('ports')))}")


def _beyond(first: float, last: float, authorised: Sequence[int]) -> bool:
    """Whether there are more ports than those that are authorised."""
    return last - first + 1 > sum(first <= port <= last for port in set(authorised))


def egress_restricted(view: View) -> Iterator[Violation]:
    """Not everything may go out everywhere."""
    for opening in openings(view, "egress"):
        if opening.every:
            yield opening.fails("to every address")


def described(view: View) -> Iterator[Violation]:
    """A security group and each of its rules say what they are for."""
    for part in (view, *view.children("ingress"), *view.children("egress")):
        description = part.text("description")
        if description in {None, "", "Managed by Pulumi", "Managed by Terraform"}:
            yield part.fails("description", "is not said")


def attached(stack: Graph) -> Iterator[Violation]:
    """A security group is used by something that is no rule of one."""
    for group in stack.of(GROUP):
        if not stack.used(group, but=_PARTS):
            yield group.lacks("", "is used by nothing in the stack")


def default_closed(group: View) -> Iterator[Violation]:
    """The default security group of a VPC lets nothing through."""
    for key in ("ingress", "egress"):
        count = group.count(key)
        if isinstance(count, int) and count > 0:
            yield group.fails(key, "has rules")


_INGRESS = (GROUP, DEFAULT_GROUP, OLD_RULE, INGRESS)

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="sg-no-public-ssh",
        controls=("sg-no-public-ssh",),
        title="SSH is not open to the internet",
        severity="high",
        types=_INGRESS,
        check=_open_at(_SSH),
        remedy="Session Manager, or addresses of your own.",
    ),
    Rule(
        name="sg-no-public-rdp",
        controls=("sg-no-public-rdp",),
        title="Remote Desktop is not open to the internet",
        severity="high",
        types=_INGRESS,
        check=_open_at(_RDP),
        remedy="Session Manager, or addresses of your own.",
    ),
    Rule(
        name="sg-no-public-http",
        controls=("sg-no-public-http",),
        title="Port 80 is not open to the internet",
        severity="medium",
        types=_INGRESS,
        check=_open_at(_HTTP),
        remedy="No listener for HTTP, and no rule for it.",
        optional="A balancer that redirects HTTP to HTTPS needs port 80, and alb-http-redirects-to-https watches it.",
    ),
    Rule(
        name="sg-no-all-ports-public",
        controls=("sg-no-all-ports-public",),
        title="Only ports that are meant for it are open to the internet",
        severity="high",
        types=_INGRESS,
        check=all_ports,
        remedy="fromPort and toPort of the listener.",
        settings={
            "ports": Setting({"type": "array", "items": {"type": "integer"}}, [80, 443], "ports that may be open")
        },
    ),
    Rule(
        name="sg-no-public-high-risk-ports",
        controls=("sg-no-public-high-risk-ports",),
        title="Ports of databases and of administration are not open to the internet",
        severity="critical",
        types=_INGRESS,
        check=_open_at(*_HIGH_RISK),
        remedy="A load balancer in front, or addresses of your own.",
    ),
    Rule(
        name="sg-egress-restricted",
        controls=("sg-egress-restricted",),
        title="Not everything may go out everywhere",
        severity="medium",
        types=(GROUP, DEFAULT_GROUP, OLD_RULE, EGRESS),
        check=egress_restricted,
        remedy="Egress rules for what is called: a port, and a security group or addresses.",
        blind="A security group without any egress rule: the provider removes AWS's own, which allows all.",
        instead="Nothing: without egress rules nothing gets out.",
    ),
    Rule(
        name="sg-descriptions",
        controls=("sg-descriptions",),
        title="Security groups and their rules say what they are for",
        severity="low",
        types=(GROUP, OLD_RULE, INGRESS, EGRESS),
        check=described,
        remedy="description: who comes in, or what is called.",
    ),
    StackRule(
        name="sg-attached",
        controls=("sg-attached",),
        title="A security group is used",
        severity="low",
        types=(GROUP,),
        check=attached,
        remedy="Delete it, or give it to what it is for.",
        blind="What uses it in other stacks.",
        instead="AWS Config: ec2-security-group-attached-to-eni.",
    ),
    Rule(
        name="default-sg-closed",
        controls=("default-sg-closed",),
        title="The default security group of a VPC has no rules",
        severity="low",
        types=(DEFAULT_GROUP,),
        check=default_closed,
        remedy="An aws:ec2/defaultSecurityGroup:DefaultSecurityGroup without ingress and egress.",
        blind="VPCs without such a resource: theirs lets its members talk to each other.",
        instead="An aws:ec2/defaultSecurityGroup:DefaultSecurityGroup for each VPC; Security Hub EC2.2.",
    ),
)
