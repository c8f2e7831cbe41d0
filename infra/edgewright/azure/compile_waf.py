"""A spec's firewall as a policy of Application Gateway's or of Front Door's web application firewall."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, Literal

from edgewright.azure.firewalls import RATE_PER_ADDRESS
from edgewright.edge.model import Finding, Waf

Json = dict[str, Any]

CLIENT_HEADER = "X-Edgewright-Client"
"""Has the address of the client's connection to Application Gateway or Front Door and nothing else: what a client sent
under this name is gone."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that Microsoft keeps: their type and version."""

    type: str
    version: str


DEFAULT = RuleSet("Microsoft_DefaultRuleSet", "2.1")
BOTS = RuleSet("Microsoft_BotManagerRuleSet", "1.1")

# Microsoft's pages "DRS and CRS rule groups and rules" and "Bot protection" of both firewalls, read 2026-11: the
# default rule set has the OWASP core rules with SQL injection, and what Microsoft saw in attacks (MS-ThreatIntel); the
# bot manager's bad bots are known by their addresses, from Microsoft's threat intelligence.
MANAGED: Mapping[str, RuleSet | None] = {
    "core": DEFAULT,
    "known-bad-inputs": DEFAULT,
    "sql-injection": DEFAULT,
    "ip-reputation": BOTS,
    "bots": BOTS,
    "anonymous-ip": None,
}
"""Names of a spec, and the rule set that holds each; None: Azure has no such rules."""


@dataclass(frozen=True, slots=True)
class Firewall:
    """One of Azure's two firewalls, with its limits.

    ranges: addresses and blocks in a condition; ranges_of_rule: in all conditions of a rule;
    deny_rules: how many of a policy's 100 rules are left for a deny list; floor and most: the least and the greatest
    limit of a rate; default_needed: whether it takes no policy without a default rule set.
    """

    name: str
    ranges: int
    ranges_of_rule: int
    deny_rules: int
    floor: int
    most: int
    default_needed: bool


# "Azure subscription and service limits", Application Gateway and Front Door, read 2026-11: 600 ranges in a condition
# of the one, in a rule of the other; 10 conditions in a rule (not enforced by Application Gateway). Of a rate's limits
# Application Gateway's schema has the least one, and no page has Front Door's: 10 and 1,000,000 are what public checks
# of its policies take (unverified). Application Gateway counts rates only with its newer engine, which a default rule
# set brings; that it takes an empty list of rule sets is said nowhere.
APPLICATION_GATEWAY = Firewall("Application Gateway", 600, 6_000, 90, 1, 2_147_483_647, True)
FRONT_DOOR = Firewall("Front Door", 600, 600, 90, 10, 1_000_000, False)

# Priorities are 1 to 100. Each list has its own, so that one that grows moves no other.
_DENY, _ALLOW, _RATE = 1, 95, 98

_CARRIED = ("mode", "managed", "allow", "deny", "rate_per_ip")


@dataclass(frozen=True, slots=True)
class Condition:
    """Of a client's address. ranges: blocks, one of which holds it; negated: none does."""

    ranges: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests of one address in 1 or 5 minutes."""

    limit: int
    minutes: Literal[1, 5]


@dataclass(frozen=True, slots=True)
class Rule:
    """Refuses requests that meet all its conditions (none: every request); with a rate, those beyond it.

    name: letters and digits, which both firewalls take; priority: the lower is asked first.
    """

    name: str
    priority: int
    conditions: tuple[Condition, ...]
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class WafPolicy:
    """A policy of one of the firewalls.

    carried: fields of the spec's ``waf`` that it does, so that the gateway behind it need not (and by address must not:
    it sees the firewall's address); findings: what is approximated, or, as ``unsupported``, cannot be.
    """

    firewall: Firewall
    mode: Literal["Prevention", "Detection"]
    rule_sets: tuple[RuleSet, ...]
    rules: tuple[Rule, ...]
    carried: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def standard(firewall: Firewall, mode: Literal["Prevention", "Detection"] = "Prevention") -> WafPolicy:
    """What stands before an edge that asks for no firewall of its own: Microsoft's rules, and no lists."""
    return WafPolicy(firewall, mode, (DEFAULT, BOTS), ())


def compile_waf(waf: Waf, firewall: Firewall) -> WafPolicy:
    """The policy for a spec's firewall. Raises nothing: what cannot be is in its findings."""
    rules = (*_deny(waf, firewall), *_allow(waf), *_rate(waf, firewall))
    findings = (*_managed_findings(waf, firewall), *_limit_findings(rules, waf, firewall))
    findings += (*_rate_findings(waf, firewall), *_address_findings(waf, firewall), *_body_findings(waf, firewall))
    mode: Literal["Prevention", "Detection"] = "Prevention" if waf.mode == "block" else "Detection"
    return WafPolicy(firewall, mode, _rule_sets(waf, firewall), rules, _CARRIED, findings)


def argument_problems(given: object, firewall: Firewall, *, existing: bool) -> Iterator[str]:
    """What is wrong with the ``waf`` of a component. existing: whether it is given ``waf_policy_id`` too."""
    if given is None:
        return
    if not isinstance(given, WafPolicy):
        yield "`waf` is what `compile_waf` makes; a program in another language has `waf_policy_id`"
        return
    if existing:
        yield "write one of `waf` and `waf_policy_id`"
    if given.firewall is not firewall:
        yield f"`waf` was compiled for {given.firewall.name}: compile it for {firewall.name}"
    yield from (f"`waf`: {item}" for item in given.findings if item.level == "unsupported")


# -- what the rules are ------------------------------------------------------------------------------------------------


def _rule_sets(waf: Waf, firewall: Firewall) -> tuple[RuleSet, ...]:
    """Those that hold what is asked for. Who asks for rules against attacks has those against bots too: an edge that
    asks for no firewall of its own has both (`standard`), and Azure's baselines want both (CIS 7.15, Azure Policy
    ebea0d86).
    """
    asked = {MANAGED[name] for name in waf.managed}
    beside = {DEFAULT: firewall.default_needed, BOTS: DEFAULT in asked}
    return tuple(item for item in (DEFAULT, BOTS) if item in asked or beside[item])


def _deny(waf: Waf, firewall: Firewall) -> Iterator[Rule]:
    """A rule for each piece of the list: each refuses what is in it."""
    for at, part in enumerate(_pieces(_merged(waf.deny), firewall.ranges)):
        yield Rule(f"Deny{at + 1}", _DENY + at, (Condition(part),))


def _allow(waf: Waf) -> Iterator[Rule]:
    """One rule for the whole list: refused is who is in none of its pieces.

    Not a rule with the action Allow: that would let its addresses past all other rules, Microsoft's too.
    """
    pieces = _pieces(_merged(waf.allow), APPLICATION_GATEWAY.ranges)
    if pieces:
        yield Rule("Allow", _ALLOW, tuple(Condition(part, negated=True) for part in pieces))


def _rate(waf: Waf, firewall: Firewall) -> Iterator[Rule]:
    if waf.rate_per_ip is not None:
        yield Rule(RATE_PER_ADDRESS, _RATE, (), _window(*waf.rate_per_ip, firewall.floor))


def _window(count: int, seconds: int, floor: int) -> Rate:
    """A minute for what is counted by the second or minute, five for what is slower or would be below the floor."""
    minute = math.ceil(count * 60 / seconds)
    if seconds <= 60 and minute >= floor:
        return Rate(minute, 1)
    return Rate(max(floor, math.ceil(count * 300 / seconds)), 5)


def _merged(cidrs: Sequence[str]) -> tuple[str, ...]:
    """The same addresses in as few blocks as can be, IPv4 before IPv6.

    The block of all addresses becomes its halves, since no page says that an IP match takes a prefix of 0.
    """
    nets = [ip_network(text) for text in cidrs]
    found: list[IPv4Network | IPv6Network] = [
        *collapse_addresses(net for net in nets if isinstance(net, IPv4Network)),
        *collapse_addresses(net for net in nets if isinstance(net, IPv6Network)),
    ]
    return tuple(str(part) for net in found for part in (net.subnets() if net.prefixlen == 0 else (net,)))


def _pieces(ranges: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(ranges[at : at + size]) for at in range(0, len(ranges), size)]


# -- what a person should know -----------------------------------------------------------------------------------------


def _finding(waf: Waf, level: Literal["approximated", "unsupported", "warning"], field: str, *said: str) -> Finding:
    return Finding(level, f"Waf.{field}" if field else "EdgeSpec.waf", (), *said, place=waf.origin.place)


_BESIDE = {
    DEFAULT: f"{{firewall}} takes no policy without a default rule set, so {DEFAULT.type} is there",
    BOTS: f"{BOTS.type} is there too: bots that Microsoft knows to be bad are refused",
}
"""Why a rule set is there that nobody asked for."""


def _managed_findings(waf: Waf, firewall: Firewall) -> Iterator[Finding]:
    for name in waf.managed:
        if MANAGED[name] is None:
            reason = f"Azure keeps no rules for `{name}`: it has no list of anonymizing proxies"
            yield _finding(waf, "unsupported", "managed", reason, f"take `{name}` out, or list addresses under `deny`")
    for rule_set in _rule_sets(waf, firewall):
        inside = [name for name, held_by in MANAGED.items() if held_by == rule_set]
        beside = [name for name in inside if name not in waf.managed]
        if len(beside) == len(inside):
            reason = _BESIDE[rule_set].format(firewall=firewall.name)
            yield _finding(waf, "approximated", "managed", reason)
        elif beside:
            reason = f"{rule_set.type} comes whole: it has `{'`, `'.join(beside)}` too"
            yield _finding(waf, "approximated", "managed", reason)


def _limit_findings(rules: Sequence[Rule], waf: Waf, firewall: Firewall) -> Iterator[Finding]:
    for rule in rules:
        ranges = sum(len(item.ranges) for item in rule.conditions)
        if ranges > firewall.ranges_of_rule:
            reason = f"{ranges} ranges in the allow list, and {firewall.name} takes {firewall.ranges_of_rule} in a rule"
            yield _finding(waf, "unsupported", "allow", reason, "write larger blocks")
        if rule.rate is not None and rule.rate.limit > firewall.most:
            reason = (
                f"{rule.rate.limit} requests in {rule.rate.minutes} minutes are more than {firewall.name} counts to"
            )
            yield _finding(waf, "unsupported", "rate_per_ip", reason, "write a lower rate")
    denied = [rule for rule in rules if rule.name.startswith("Deny")]
    if len(denied) > firewall.deny_rules:
        ranges = sum(len(item.ranges) for rule in denied for item in rule.conditions)
        most = firewall.deny_rules * firewall.ranges
        reason = f"{ranges} ranges in the deny list, and there is room for {most} in a policy of {firewall.name}"
        yield _finding(waf, "unsupported", "deny", reason, "write larger blocks")


def _rate_findings(waf: Waf, firewall: Firewall) -> Iterator[Finding]:
    if waf.rate_per_ip is None:
        return
    count, seconds = waf.rate_per_ip
    rate = _window(count, seconds, firewall.floor)
    over = "a minute" if rate.minutes == 1 else f"{rate.minutes} minutes"
    reason = f"counted as {rate.limit} over {over}, refused with 403 rather than 429, and not exact by design"
    if firewall is FRONT_DOOR and rate.limit < 200 * rate.minutes:
        reason += "; below about 200 a minute a client that opens new connections gets past Front Door's counters"
    if rate.limit / (rate.minutes * 60) > count / seconds * 1.5:
        reason += f"; {firewall.name} counts no slower than that"
    yield _finding(waf, "approximated", "rate_per_ip", reason)


def _address_findings(waf: Waf, firewall: Firewall) -> Iterator[Finding]:
    if firewall is APPLICATION_GATEWAY:
        for field, listed in (("allow", waf.allow), ("deny", waf.deny)):
            if any(":" in item for item in listed):
                reason = "the gateway has an IPv4 address, so that no client arrives by IPv6: those ranges match nobody"
                yield _finding(waf, "warning", field, reason)


def _body_findings(waf: Waf, firewall: Firewall) -> Iterator[Finding]:
    """What becomes of long bodies, which no field of a spec speaks of."""
    if firewall is FRONT_DOOR:
        yield _finding(waf, "warning", "", "only the first 128 KB of a body are looked at")
    elif waf.mode == "block":
        reason = f"a body over {BODY_KB} KB is refused ({UPLOAD_MB} MB for files of a form): no more is looked at"
        yield _finding(waf, "warning", "", reason)


# -- as Azure writes it ------------------------------------------------------------------------------------------------

# Values that logs would hold otherwise: which rule matched stays to be seen, and not what it matched.
_SCRUBBED = (
    "RequestHeaderNames",
    "RequestCookieNames",
    "RequestArgNames",
    "RequestPostArgNames",
    "RequestJSONArgNames",
)
_SCRUBBED_FRONT_DOOR = (
    "QueryStringArgNames",
    "RequestHeaderNames",
    "RequestCookieNames",
    "RequestBodyPostArgNames",
    "RequestBodyJsonArgNames",
)

# Application Gateway looks at 2 MB at most ("Request and file upload size limits").
BODY_KB = 2_000
"""Of a request's body: of what is let through, all is looked at."""
UPLOAD_MB = 100
"""Of the files of a form."""


def application_gateway(policy: WafPolicy) -> Json:
    """Inputs of azure-native's ``network.WebApplicationFirewallPolicy``."""
    return {
        "policy_settings": {
            "state": "Enabled",
            "mode": policy.mode,
            "request_body_check": True,
            "request_body_enforcement": True,
            "request_body_inspect_limit_in_kb": BODY_KB,
            "max_request_body_size_in_kb": BODY_KB,
            "file_upload_enforcement": True,
            "file_upload_limit_in_mb": UPLOAD_MB,
            "log_scrubbing": {"state": "Enabled", "scrubbing_rules": _scrubbed(_SCRUBBED)},
        },
        "managed_rules": {
            "managed_rule_sets": [
                {"rule_set_type": item.type, "rule_set_version": item.version} for item in policy.rule_sets
            ]
        },
        "custom_rules": [_gateway_rule(rule) for rule in policy.rules],
    }


def _gateway_rule(rule: Rule) -> Json:
    # Microsoft's own words for every request: its address is not one that no client has ("Create rate limiting custom
    # rules for Application Gateway WAF v2"). RemoteAddr is the connection's address, whatever a header says.
    conditions = rule.conditions or (Condition(("255.255.255.255/32",), negated=True),)
    found: Json = {
        "name": rule.name,
        "priority": rule.priority,
        "rule_type": "MatchRule" if rule.rate is None else "RateLimitRule",
        "state": "Enabled",
        "action": "Block",
        "match_conditions": [
            {
                "match_variables": [{"variable_name": "RemoteAddr"}],
                "operator": "IPMatch",
                # Azure's own spelling.
                "negation_conditon": item.negated,
                "match_values": list(item.ranges),
            }
            for item in conditions
        ],
    }
    if rule.rate is not None:
        found["rate_limit_duration"] = "OneMin" if rule.rate.minutes == 1 else "FiveMins"
        found["rate_limit_threshold"] = rule.rate.limit
        found["group_by_user_session"] = [{"group_by_variables": [{"variable_name": "ClientAddr"}]}]
    return found


def front_door(policy: WafPolicy) -> Json:
    """Inputs of azure-native's ``frontdoor.Policy``."""
    return {
        "policy_settings": {
            "enabled_state": "Enabled",
            "mode": policy.mode,
            "request_body_check": "Enabled",
            "state": "Enabled",
            "scrubbing_rules": _scrubbed(_SCRUBBED_FRONT_DOOR),
        },
        "managed_rules": {"managed_rule_sets": [_front_door_set(item) for item in policy.rule_sets]},
        "custom_rules": {"rules": [_front_door_rule(rule) for rule in policy.rules]},
    }


def _front_door_set(item: RuleSet) -> Json:
    """The default rule set scores anomalies since version 2.0, and is told what to do with a score."""
    found = {"rule_set_type": item.type, "rule_set_version": item.version}
    return found | ({"rule_set_action": "Block"} if item == DEFAULT else {})


def _front_door_rule(rule: Rule) -> Json:
    # SocketAddr, not RemoteAddr: that one is read from X-Forwarded-For, which a client writes ("Configure an IP
    # restriction rule with a WAF for Azure Front Door").
    conditions: list[Json] = [
        {
            "match_variable": "SocketAddr",
            "operator": "IPMatch",
            "negate_condition": item.negated,
            "match_value": list(item.ranges),
        }
        for item in rule.conditions
    ]
    # Microsoft's own words for every request: the length of its Host is 0 or more ("What is rate limiting for Azure
    # Front Door?").
    every: Json = {
        "match_variable": "RequestHeader",
        "selector": "Host",
        "operator": "GreaterThanOrEqual",
        "negate_condition": False,
        "match_value": ["0"],
    }
    found: Json = {
        "name": rule.name,
        "priority": rule.priority,
        "rule_type": "MatchRule" if rule.rate is None else "RateLimitRule",
        "enabled_state": "Enabled",
        "action": "Block",
        "match_conditions": conditions or [every],
    }
    if rule.rate is not None:
        found["rate_limit_duration_in_minutes"] = rule.rate.minutes
        found["rate_limit_threshold"] = rule.rate.limit
        found["group_by"] = [{"variable_name": "SocketAddr"}]
    return found


def _scrubbed(variables: Sequence[str]) -> list[Json]:
    return [{"match_variable": name, "selector_match_operator": "EqualsAny", "state": "Enabled"} for name in variables]
