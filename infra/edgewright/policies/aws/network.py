"""Rules over security groups: what may come in from the internet, what may go out, and what for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgewright.policies.aws.references import types_behind
from edgewright.policies.graph import Graph
from edgewright.policies.rule import ELSEWHERE, AnyRule, Check, Rule, Setting, StackRule
from edgewright.policies.view import UNKNOWN, View, Violation

GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
PREFIX_LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
PREFIX_LIST_ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"

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
class _Words:
    """The properties of a kind of rule: its protocol, its addresses, and its prefix lists."""

    protocol: str
    addresses: tuple[str, str]
    lists: str


_TOGETHER = _Words("protocol", ("cidrBlocks", "ipv6CidrBlocks"), "prefixListIds")
_APART = _Words("ipProtocol", ("cidrIpv4", "cidrIpv6"), "prefixListId")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a rule of a security group opens. view: the rule; ports: first and last, all for -1."""

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
    for rule, words in _rules(view, direction):
        if any(_is_everywhere(address) for key in words.addresses for address in rule.texts(key)):
            yield from _opening(rule, words)


def _rules(view: View, direction: str) -> Iterator[tuple[View, _Words]]:
    """The rules of a security group, or the one that stands by itself, with the words of their kind."""
    kind = view.subject.type
    if kind in (GROUP, DEFAULT_GROUP):
        for rule in view.children(direction):
            yield rule, _TOGETHER
    elif kind == OLD_RULE:
        if view.text("type") == direction:
            yield view, _TOGETHER
    else:
        yield view, _APART


def _is_everywhere(address: object) -> bool:
    return isinstance(address, str) and address.endswith(_EVERYWHERE)


def _opening(rule: View, words: _Words) -> Iterator[Opening]:
    """What a rule opens, whatever addresses it is for."""
    said = rule.text(words.protocol)
    if said is UNKNOWN:
        return
    protocol = (said or "-1").lower()
    if protocol in _ICMP:
        return
    if protocol in _EVERY_PROTOCOL:
        yield Opening(rule, "every protocol", (0, _LAST_PORT))
        return
    first, last = rule.number("fromPort"), rule.number("toPort")
    if first is not UNKNOWN and last is not UNKNOWN:
        low = first or 0
        yield Opening(rule, protocol, (low, low if last is None else last))


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


def lists_in(stack: Graph) -> Iterator[Violation]:
    """A prefix list that holds every address opens only ports that are meant for it."""
    ports = stack.setting("ports")
    for opening, words in _openings_of_lists(stack, "ingress", _INGRESS):
        if opening.every or _beyond(*opening.ports, ports):
            yield from _through_lists(stack, opening, words, "ingress", "to the internet")


def lists_out(stack: Graph) -> Iterator[Violation]:
    """A prefix list that holds every address does not let everything out."""
    for opening, words in _openings_of_lists(stack, "egress", _EGRESS):
        if opening.every:
            yield from _through_lists(stack, opening, words, "egress", "to every address")


def _openings_of_lists(stack: Graph, direction: str, types: Sequence[str]) -> Iterator[tuple[Opening, _Words]]:
    """What the rules open that name prefix lists, if those hold every address."""
    for view in stack.of(*types):
        for rule, words in _rules(view, direction):
            if rule.has(words.lists) and not (rule.knows(words.lists) and rule.count(words.lists) == 0):
                for opening in _opening(rule, words):
                    yield opening, words


def _through_lists(stack: Graph, opening: Opening, words: _Words, direction: str, text: str) -> Iterator[Violation]:
    """What a rule opens through its prefix lists. Notes at the rule where nobody can say what they hold."""
    rule = opening.view
    place = _origin(rule, words, direction)
    lists = stack.referred(rule, place, PREFIX_LIST)
    wide = [one for one in lists if _holds_everything(stack, one)]
    shared = place == direction
    foreign = _names_others(rule, words, direction, place, len(lists))
    if wide and (not shared or (len(wide) == len(lists) and not foreign)):
        yield opening.fails(f"{text}: `{wide[0].subject.name}` holds every address")
    elif wide:
        rule.note(words.lists, f"may name `{wide[0].subject.name}`, which holds every address")
    elif foreign:
        rule.note(words.lists, "names a prefix list that is not of this stack")
    else:
        for one in lists:
            if one.unread:
                rule.note(words.lists, f"names `{one.subject.name}`, and what that holds is not known yet")


def _origin(rule: View, words: _Words, direction: str) -> str:
    """The property whose sources are those of a rule's prefix lists.

    Of rules inside of a group a plan says it of each, and the engine of all together.
    """
    if not rule.path:
        return words.lists
    each = any(place.startswith(f"{direction}[") for place in rule.subject.refs)
    return rule.path if each else direction


def _names_others(rule: View, words: _Words, direction: str, place: str, found: int) -> bool:
    """Whether more prefix lists are named at a place than are found there."""
    alone = View(rule.subject)  # of its own: an id that is not known is that of a list which is found
    named = {
        name
        for one, _ in _rules(alone, direction)
        if place == direction or one.path == rule.path
        for name in one.texts(words.lists)
    }
    unknown = bool(alone.unread)
    other_sources = unknown and not types_behind(rule, place) <= {PREFIX_LIST, GROUP, DEFAULT_GROUP}
    return other_sources or len(named) + unknown > found


def _holds_everything(stack: Graph, prefix_list: View) -> bool:
    """Whether every address is among the entries of a prefix list: its own, and those that stand beside it.

    Notes at the list what is not known.
    """
    beside = stack.referring(prefix_list, "prefixListId", PREFIX_LIST_ENTRY)
    for entry in beside:
        if entry.text("cidr") is UNKNOWN:
            prefix_list.note("", f"what `{entry.subject.name}` adds to it is not known yet")
    return any(_is_everywhere(entry.text("cidr")) for entry in (*prefix_list.children("entries"), *beside))


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
_EGRESS = (GROUP, DEFAULT_GROUP, OLD_RULE, EGRESS)
_LISTS = "What a prefix list holds."
_PORTS = {"ports": Setting({"type": "array", "items": {"type": "integer"}}, [80, 443], "ports that may be open")}

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="sg-no-public-ssh",
        controls=("sg-no-public-ssh",),
        title="SSH is not open to the internet",
        severity="high",
        types=_INGRESS,
        check=_open_at(_SSH),
        remedy="Session Manager, or addresses of your own.",
        blind=_LISTS,
        instead="sg-no-public-prefix-list.",
    ),
    Rule(
        name="sg-no-public-rdp",
        controls=("sg-no-public-rdp",),
        title="Remote Desktop is not open to the internet",
        severity="high",
        types=_INGRESS,
        check=_open_at(_RDP),
        remedy="Session Manager, or addresses of your own.",
        blind=_LISTS,
        instead="sg-no-public-prefix-list.",
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
        blind=_LISTS,
        instead="sg-no-public-prefix-list, with `ports` that leave 80 out.",
    ),
    Rule(
        name="sg-no-all-ports-public",
        controls=("sg-no-all-ports-public",),
        title="Only ports that are meant for it are open to the internet",
        severity="high",
        types=_INGRESS,
        check=all_ports,
        remedy="fromPort and toPort of the listener.",
        blind=_LISTS,
        instead="sg-no-public-prefix-list.",
        settings=_PORTS,
    ),
    Rule(
        name="sg-no-public-high-risk-ports",
        controls=("sg-no-public-high-risk-ports",),
        title="Ports of databases and of administration are not open to the internet",
        severity="critical",
        types=_INGRESS,
        check=_open_at(*_HIGH_RISK),
        remedy="A load balancer in front, or addresses of your own.",
        blind=_LISTS,
        instead="sg-no-public-prefix-list.",
    ),
    StackRule(
        name="sg-no-public-prefix-list",
        controls=(
            "sg-no-public-ssh",
            "sg-no-public-rdp",
            "sg-no-all-ports-public",
            "sg-no-public-high-risk-ports",
        ),
        title="No prefix list opens to the internet what addresses may not",
        severity="critical",
        types=_INGRESS,
        check=lists_in,
        remedy="Entries of the prefix list for the addresses that are meant; or fromPort and toPort of the listener.",
        blind="Entries that other stacks add, and what prefix lists of AWS and of other stacks hold.",
        instead=ELSEWHERE,
        settings=_PORTS,
    ),
    Rule(
        name="sg-egress-restricted",
        controls=("sg-egress-restricted",),
        title="Not everything may go out everywhere",
        severity="medium",
        types=_EGRESS,
        check=egress_restricted,
        remedy="Egress rules for what is called: a port, and a security group or addresses.",
        blind="What a prefix list holds; a security group without any egress rule: the provider removes AWS's own, which allows all.",  # noqa: E501
        instead="sg-egress-prefix-list; nothing for the other: without egress rules nothing gets out.",
    ),
    StackRule(
        name="sg-egress-prefix-list",
        controls=("sg-egress-restricted",),
        title="No prefix list lets everything out everywhere",
        severity="medium",
        types=_EGRESS,
        check=lists_out,
        remedy="Entries of the prefix list for what is called; or the port that is called.",
        blind="Entries that other stacks add, and what prefix lists of AWS and of other stacks hold.",
        instead=ELSEWHERE,
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
